//! Rules for Rust files: how long they and their functions are, how they open, where they lie.

pub(crate) mod masked;

use super::{Complaint, File};

/// Lines of a file, hard limit. The soft limit is 400 and a matter for reviews.
const FILE_LINES: usize = 800;
/// Lines of code in the body of a function, as clippy counts them.
const FUNCTION_LINES: usize = 70;
/// What a longer function must carry, with its reason. Clippy sees to it that it is needed.
const EXCUSE: &str = "clippy::too_many_lines";
/// There may be this many of them in the tree: tables of cases, not logic.
const EXCUSES: usize = 24;

/// Files that may be longer: tables, generated text, data-driven tests. Path and reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// A file opens with what it is for and what it never does.
pub(crate) fn opens_with_its_purpose(file: &File) -> Vec<Complaint> {
    let first = file
        .text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    if first.starts_with("//!") {
        return Vec::new();
    }
    vec![file.complain(1, "does not open with `//!` and what it is for")]
}

pub(crate) fn length(file: &File) -> Vec<Complaint> {
    let lines = file.text.lines().count();
    let excused = LONG_FILES.iter().any(|(path, _)| *path == file.path);
    if lines <= FILE_LINES || excused {
        return Vec::new();
    }
    vec![file.complain(
        lines,
        format!("{lines} lines; {FILE_LINES} is the limit: split it"),
    )]
}

pub(crate) fn functions(file: &File) -> Vec<Complaint> {
    let long = masked::functions(&file.text)
        .into_iter()
        .filter(|function| {
            function.lines > FUNCTION_LINES && !is_excused(&file.text, function.line)
        });
    long.map(|function| {
        let (name, lines) = (&function.name, function.lines);
        let message = format!("function `{name}` has {lines} lines; {FUNCTION_LINES} is the limit");
        file.complain(function.line, message)
    })
    .collect()
}

/// Whether the attributes just above this line carry the excuse.
fn is_excused(text: &str, line: usize) -> bool {
    let above: Vec<&str> = text.lines().take(line.saturating_sub(1)).collect();
    let attributes = above.iter().rev().take_while(|line| {
        let line = line.trim();
        !line.is_empty() && !line.ends_with(['}', ';'])
    });
    attributes.take(12).any(|line| line.contains(EXCUSE))
}

/// The excuses are counted, so that they stay exceptions.
pub(crate) fn excuses(files: &[File]) -> Vec<Complaint> {
    let count = |file: &&File| file.is("rs") && masked::code(&file.text).contains(EXCUSE);
    let excused: Vec<&File> = files.iter().filter(count).collect();
    let total: usize = excused
        .iter()
        .map(|file| masked::code(&file.text).matches(EXCUSE).count())
        .sum();
    match excused.last() {
        Some(file) if total > EXCUSES => {
            vec![file.complain(
                1,
                format!("{total} functions are excused for their length; {EXCUSES} may be"),
            )]
        }
        _ => Vec::new(),
    }
}

/// Modules are `foo.rs` beside `foo/`, so that no two tabs of an editor are called the same.
pub(crate) fn place(file: &File) -> Vec<Complaint> {
    // Cargo reads `tests/*.rs` as programs, so what they share can only be called `mod.rs`.
    if file.path.ends_with("/mod.rs") && !file.path.contains("/tests/") {
        return vec![file.complain(1, "is called `mod.rs`: name it after the module")];
    }
    Vec::new()
}

/// An exception that excuses nothing any more has to go.
pub(crate) fn stale_exceptions(files: &[File]) -> Vec<Complaint> {
    let is_long = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.is_some_and(|file| file.text.lines().count() > FILE_LINES)
    };
    let stale = LONG_FILES.iter().filter(|(path, _)| !is_long(path));
    stale
        .map(|(path, _)| Complaint {
            path: (*path).to_owned(),
            line: 0,
            message: "is an exception of xtask/src/tidy/source.rs and needs none".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{file, lines};

    #[test]
    fn a_file_without_its_purpose_is_named() {
        for (text, complaints) in [
            ("//! What.\nfn a() {}\n", 0),
            ("\n//! What.\n", 0),
            ("use x;\n//! What.\n", 1),
            ("", 1),
        ] {
            assert_eq!(
                opens_with_its_purpose(&file("a.rs", text)).len(),
                complaints,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_file_over_the_limit_is_named() {
        assert!(length(&file("a.rs", &"x\n".repeat(FILE_LINES))).is_empty());
        assert_eq!(
            length(&file("a.rs", &"x\n".repeat(FILE_LINES + 1))).len(),
            1
        );
    }

    #[test]
    fn a_function_over_the_limit_is_named_with_its_line() {
        let code = |lines: usize| {
            format!(
                "fn long() {{\n    // why\n\n{}}}\n",
                "    x();\n".repeat(lines)
            )
        };
        assert!(functions(&file("a.rs", &code(FUNCTION_LINES))).is_empty());
        assert_eq!(
            lines(&functions(&file("a.rs", &code(FUNCTION_LINES + 1)))),
            [1]
        );
        let excused = format!(
            "#[expect(\n    {EXCUSE},\n    reason = \"a table\"\n)]\n{}",
            code(99)
        );
        assert!(functions(&file("a.rs", &excused)).is_empty());
        let other = format!("#[expect({EXCUSE})]\nfn short() {{}}\n{}", code(99));
        assert_eq!(lines(&functions(&file("a.rs", &other))), [3]);
    }

    #[test]
    fn too_many_excuses_are_named() {
        let excused = |count: usize| file("a.rs", &format!("#[expect({EXCUSE})]\n").repeat(count));
        assert!(excuses(&[excused(EXCUSES)]).is_empty());
        assert_eq!(excuses(&[excused(EXCUSES), excused(1)]).len(), 1);
    }

    #[test]
    fn a_module_called_mod_is_named() {
        assert_eq!(place(&file("crates/a/src/b/mod.rs", "")).len(), 1);
        assert!(place(&file("crates/a/src/b.rs", "")).is_empty());
        assert!(place(&file("crates/a/tests/common/mod.rs", "")).is_empty());
    }
}
