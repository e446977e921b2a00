//! Rules for the tree as a whole: the changelog, the decisions, the examples.

use super::{Complaint, File};
use std::collections::BTreeSet;

/// What is new stands on top of the changelog, under a heading that is always there.
pub(crate) fn changelog(files: &[File]) -> Vec<Complaint> {
    let Some(file) = files.iter().find(|file| file.path == "CHANGELOG.md") else {
        let message = "there is no changelog".to_owned();
        return vec![Complaint {
            path: "CHANGELOG.md".to_owned(),
            line: 0,
            message,
        }];
    };
    let head = file
        .text
        .lines()
        .enumerate()
        .find(|(_, line)| line.starts_with("## "));
    match head {
        Some((_, "## Unreleased")) => Vec::new(),
        Some((at, _)) => vec![file.complain(at + 1, "the first section is not `## Unreleased`")],
        None => vec![file.complain(1, "has no section `## Unreleased`")],
    }
}

/// Decisions are numbered from 1 without gaps, all with equally many digits: `0001-what-it-is.md`.
pub(crate) fn decisions(files: &[File]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut numbers = Vec::new();
    for file in files {
        let Some(name) = file.path.strip_prefix("docs/decisions/") else {
            continue;
        };
        if name == "README.md" {
            continue;
        }
        let number = name.split_once('-').map(|(number, _)| number);
        match number.and_then(|number| Some((number.len(), number.parse::<usize>().ok()?))) {
            Some(number) => numbers.push((number, file)),
            None => complaints.push(file.complain(1, "a decision without a number")),
        }
    }
    numbers.sort_by_key(|((_, number), _)| *number);
    let width = numbers.first().map(|((width, _), _)| *width);
    for (expected, ((digits, number), file)) in (1..).zip(numbers) {
        if number != expected {
            complaints
                .push(file.complain(1, format!("decision {expected} is missing or there twice")));
            break;
        }
        if Some(digits) != width {
            complaints.push(file.complain(1, "its number has another width than the first one's"));
        }
    }
    complaints
}

/// An example nobody loads is wrong soon: each folder is named in the README or in a test.
pub(crate) fn examples(files: &[File]) -> Vec<Complaint> {
    let folders: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix("examples/")?.split_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    let orphans = folders.into_iter().filter(|folder| {
        let named = |file: &File| {
            let looks = file.path == "README.md" || file.is("rs");
            looks && file.text.contains(&format!("examples/{folder}"))
        };
        !files.iter().any(named)
    });
    orphans
        .map(|folder| Complaint {
            path: format!("examples/{folder}"),
            line: 0,
            message: "no test loads it and the README does not name it".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{file, lines};

    #[test]
    fn the_changelog_begins_with_what_is_unreleased() {
        let check = |text: &str| lines(&changelog(&[file("CHANGELOG.md", text)]));
        assert_eq!(
            check("# Changelog\n\n## Unreleased\n\n## 0.1.0\n"),
            [0usize; 0]
        );
        assert_eq!(check("# Changelog\n\n## 0.1.0\n"), [3]);
        assert_eq!(check("# Changelog\n"), [1]);
        assert_eq!(lines(&changelog(&[])), [0]);
    }

    #[test]
    fn decisions_are_numbered_without_gaps() {
        let check = |names: &[&str]| {
            let files: Vec<File> = names
                .iter()
                .map(|name| file(&format!("docs/decisions/{name}"), ""))
                .collect();
            decisions(&files).len()
        };
        assert_eq!(check(&["0001-one.md", "0002-two.md", "README.md"]), 0);
        assert_eq!(check(&["0001-one.md", "0003-three.md"]), 1);
        assert_eq!(check(&["0001-one.md", "0001-two.md"]), 1);
        assert_eq!(check(&["0001-one.md", "02-two.md"]), 1);
        assert_eq!(check(&["why.md"]), 1);
    }

    #[test]
    fn an_orphan_example_is_named() {
        let example = file("examples/minimal/ringwall.yaml", "");
        assert_eq!(examples(std::slice::from_ref(&example)).len(), 1);
        let test = file("crates/config/tests/examples.rs", "\"examples/minimal\"");
        assert!(examples(&[example.clone(), test]).is_empty());
        let readme = file("README.md", "see examples/minimal");
        assert!(examples(&[example, readme]).is_empty());
    }
}
