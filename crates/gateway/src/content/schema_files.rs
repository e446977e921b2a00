//! Schemas of the operator's that lie in files of their own: read with the configuration, and tried before
//! it is in force.

use super::bounded_file;
use config::Settled;
use config::settled::SchemaFile;
use inspect::meaning::{self, DeclarationError};
use inspect::schema::{Budget, Schema, SchemaError, Strictness};
use serde_json::Value;
use std::path::PathBuf;

/// Bytes of one file.
const BYTES: usize = 1024 * 1024;

/// Why a schema in a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SchemaFileError {
    /// It declares something that is no declaration.
    #[error("`{}`, line {line}: {error}: correct what `x-ringwall` says", path.display())]
    Declaration {
        /// The file.
        path: PathBuf,
        /// The first line with a declaration.
        line: usize,
        /// What is wrong.
        error: DeclarationError,
    },
    /// It cannot be enforced.
    #[error("`{}` cannot be enforced: {error}: write a JSON Schema of draft 2020-12", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: SchemaError,
    },
    /// It is no JSON object.
    #[error("`{}`, line {line}: {reason}: write a JSON Schema, such as `{{\"properties\": {{…}}}}`", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be read.
    #[error("cannot read `{}`: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// Reads every file with a schema that a configuration names, and tries it.
pub(crate) fn read(settled: &mut Settled) -> Result<(), SchemaFileError> {
    for schema in settled.schema_files() {
        let text = text(schema)?;
        schema.text = Some(text.into());
    }
    Ok(())
}

fn text(schema: &SchemaFile) -> Result<String, SchemaFileError> {
    let path = || schema.file.clone();
    let bytes = bounded_file(&schema.file, BYTES);
    let bytes = bytes.map_err(|error| SchemaFileError::Unreadable {
        path: path(),
        error,
    })?;
    let wrong = |line: usize, reason: String| SchemaFileError::Text {
        path: path(),
        line,
        reason,
    };
    if bytes.len() > BYTES {
        return Err(wrong(1, format!("has more than {BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong(1, "is no UTF-8".to_owned()))?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| wrong(error.line(), format!("is no JSON ({error})")))?;
    if !value.is_object() {
        return Err(wrong(1, "is no JSON Schema".to_owned()));
    }
    meaning::declared(&value).map_err(|error| SchemaFileError::Declaration {
        path: path(),
        line: line_of(&text, meaning::KEYWORD),
        error,
    })?;
    Schema::compile(&value, Strictness::Declared, &Budget::default()).map_err(|error| {
        SchemaFileError::Schema {
            path: path(),
            error,
        }
    })?;
    Ok(text)
}

/// The first line with this word.
fn line_of(text: &str, word: &str) -> usize {
    let before = text.find(word).and_then(|at| text.get(..at));
    before.map_or(1, |before| before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n1_1_a_schema_in_a_file_says_on_which_line_it_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("schema.json");
        let check = |said: &str| {
            std::fs::write(&file, said).unwrap();
            let schema = SchemaFile {
                file: file.clone(),
                text: None,
            };
            text(&schema).map_err(|error| {
                let told = error.to_string();
                told.replace(&file.display().to_string(), "FILE")
            })
        };
        let good = "{\"properties\": {\"a\": {\"x-ringwall\": {\"is\": \"path\"}}}}";
        assert_eq!(check(good), Ok(good.to_owned()));
        for (said, expected) in [
            ("{\n  \"a\": ,\n}", "`FILE`, line 2: is no JSON"),
            ("[]", "`FILE`, line 1: is no JSON Schema"),
            (
                "{\n\"properties\": {\n\"a\": {\"x-ringwall\": {\"is\": \"no\"}}}}",
                "`FILE`, line 3: `is` of `x-ringwall` must be one of the meanings",
            ),
            ("{\"type\": \"nothing\"}", "`FILE` cannot be enforced"),
        ] {
            let told = check(said).unwrap_err();
            assert!(told.starts_with(expected), "{told}, not {expected}");
        }
        let gone = SchemaFile {
            file: folder.path().join("gone.json"),
            text: None,
        };
        assert!(text(&gone).is_err());
        let large = format!("{{\"a\": \"{}\"}}", "x".repeat(BYTES));
        assert!(check(&large).unwrap_err().contains("bytes"));
    }
}
