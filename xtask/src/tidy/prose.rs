//! Rules for every text: no trailing blanks, no words that belong to one machine only, no links
//! into nothing.

use super::{Complaint, File};
use std::path::{Component, Path, PathBuf};

/// Words that have no place in a public tree, in two halves so that this file does not hold them.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("/wo", "rk/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("registry.npm", "js", "the host of a registry"),
    ("py", "pi.org", "the host of a registry"),
    ("index.cra", "tes.io", "the host of a registry"),
];

pub(crate) fn whitespace(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (at, line) in file.text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            complaints.push(file.complain(at + 1, "blanks at the end of the line"));
        }
    }
    if !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n")) {
        complaints.push(file.complain(file.text.lines().count(), "does not end with one line end"));
    }
    complaints
}

pub(crate) fn forbidden(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for (head, tail, what) in FORBIDDEN {
            let word = format!("{head}{tail}");
            if line.contains(&word) {
                complaints.push(file.complain(at + 1, format!("holds `{word}`: {what}")));
            }
        }
    }
    complaints
}

/// Relative links of documents lead to something that is there.
pub(crate) fn links(files: &[File], exists: &dyn Fn(&Path) -> bool) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is("md")) {
        for (line, target) in targets(&file.text) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            let elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
            if !elsewhere && !resolved(&file.path, path).is_some_and(|path| exists(&path)) {
                complaints
                    .push(file.complain(line, format!("link to `{path}`, which is not there")));
            }
        }
    }
    complaints
}

/// The targets of `[text](target)` and `[text]: target`, with their lines, outside of code.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let mut rest = prose.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let (target, after) = after.split_once(')').unwrap_or((after, ""));
            let target = target.split_whitespace().next().unwrap_or_default();
            found.push((at + 1, target.trim_matches(['<', '>']).to_owned()));
            rest = after;
        }
        let reference = prose
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "));
        if let Some((_, target)) = reference {
            found.push((at + 1, target.trim().to_owned()));
        }
    }
    found
}

/// The target as a path from the root; nothing if it leaves the tree.
fn resolved(from: &str, target: &str) -> Option<PathBuf> {
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    let joined = match target.strip_prefix('/') {
        Some(target) => PathBuf::from(target),
        None => folder.join(target),
    };
    let mut path = PathBuf::new();
    for part in joined.components() {
        match part {
            Component::ParentDir if !path.pop() => return None,
            Component::ParentDir | Component::CurDir => {}
            part => path.push(part),
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{file, lines};

    #[test]
    fn blanks_at_the_end_are_named() {
        for (text, expected) in [
            ("a\nb\n", &[][..]),
            ("a \nb\t\n", &[1, 2]),
            ("a\nb", &[2]),
            ("a\n\n", &[2]),
            ("a\r\nb\n", &[1]),
            ("", &[]),
        ] {
            assert_eq!(
                lines(&whitespace(&file("a.md", text))),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn words_of_one_machine_are_named() {
        for (head, tail, _) in FORBIDDEN {
            let text = format!("fine\nsee {head}{tail} there\n");
            assert_eq!(lines(&forbidden(&file("a.rs", &text))), [2], "{head}{tail}");
        }
        assert!(forbidden(&file("a.rs", "working in root\n")).is_empty());
    }

    #[test]
    fn links_into_nothing_are_named() {
        let there =
            |path: &Path| path == Path::new("docs/limits.md") || path == Path::new("README.md");
        let check = |path: &str, text: &str| lines(&links(&[file(path, text)], &there));
        assert_eq!(
            check("README.md", "see [limits](docs/limits.md#top)\n"),
            [0usize; 0]
        );
        assert_eq!(
            check("docs/a.md", "[l](limits.md) and [r](../README.md)\n"),
            [0usize; 0]
        );
        assert_eq!(
            check("docs/a.md", "x\n[gone](gone.md), [out](../../x)\n"),
            [2, 2]
        );
        assert_eq!(
            check(
                "README.md",
                "[w](https://example.com/x) [h](#here) `[c](gone.md)`\n"
            ),
            [0usize; 0]
        );
        assert_eq!(
            check("README.md", "```\n[c](gone.md)\n```\n[ref]: gone.md\n"),
            [4]
        );
    }
}
