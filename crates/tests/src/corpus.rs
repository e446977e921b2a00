//! Text to send through the gateway: what means no harm and has to pass as it is, and what breaks
//! software. Each is a name, for the message of a test, and the text.
//!
//! What this repository has is always there. What other people wrote is read where it lies, beside the
//! repository or below `.deps`, and is never copied into it; without it a test has less to send.

use crate::place;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A name and a text.
pub type Text = (String, String);

/// Foreign texts of one kind that are sent; more would say no more.
const MOST: usize = 120;

/// Bytes of a foreign text that are sent.
const LONGEST: usize = 64 * 1024;

/// Text that means no harm, written for these tests: mails, documentation, code and descriptions of
/// tools in English, German, French, Japanese and Arabic.
pub fn benign() -> Result<Vec<Text>> {
    let folder = place::repository().join("crates/tests/corpus/benign");
    let mut texts = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name != "README.md") {
            texts.push((path.display().to_string(), fs::read_to_string(&path)?));
        }
    }
    texts.sort();
    Ok(texts)
}

/// Text that means no harm, of other people's making, as far as it is there: the READMEs of installed
/// packages, and rows of a labelled data set. What hides something even so is left out.
pub fn foreign() -> Result<Vec<Text>> {
    let mut texts = readmes();
    let rows = beside("RINGWALL_DATA", "data").join("injection/train.jsonl");
    if let Ok(rows) = fs::read_to_string(rows) {
        let rows = rows
            .lines()
            .filter_map(|row| serde_json::from_str::<Value>(row).ok());
        let benign = rows.filter(|row| row.get("label") == Some(&Value::from(0)));
        let texts_of = benign.filter_map(|row| {
            let text = |name: &str| Some(row.get(name)?.as_str()?.to_owned());
            Some((text("id")?, text("text")?))
        });
        texts.extend(texts_of.filter(|(_, text)| !hides(text)).step_by(40));
    }
    Ok(texts)
}

/// Strings that break software: the Big List of Naughty Strings. Nothing in a clone that stands alone.
pub fn naughty() -> Result<Vec<String>> {
    let file = beside("RINGWALL_SUITES", "suites").join("naughty-strings/blns.json");
    if !file.is_file() {
        anyhow::ensure!(
            std::env::var_os("CI").is_none(),
            "the naughty strings are missing at {}",
            file.display()
        );
        eprintln!(
            "left out: the naughty strings are not at {}",
            file.display()
        );
        return Ok(Vec::new());
    }
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}

/// A folder beside the repository, or wherever this variable says it is.
fn beside(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(
        || place::repository().join("../shared").join(name),
        PathBuf::from,
    )
}

fn readmes() -> Vec<Text> {
    let modules = place::repository().join(".deps/node_modules");
    let packages = fs::read_dir(modules).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = packages
        .map(|entry| entry.path().join("README.md"))
        .collect();
    files.sort();
    let texts = files.iter().filter_map(|path| read(path));
    texts.take(MOST).collect()
}

fn read(path: &Path) -> Option<Text> {
    let text = fs::read_to_string(path).ok()?;
    let usable = text.len() <= LONGEST && !hides(&text);
    usable.then(|| (path.display().to_string(), text))
}

/// Whether a text has what has no place in it: foreign text is not always as clean as it means to be.
fn hides(text: &str) -> bool {
    text.contains(|c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    })
}
