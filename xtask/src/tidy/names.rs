//! Ids of controls, wherever they are written, exist in the catalogue.

use super::source::masked;
use super::{Complaint, File};
use controls::Control;

/// A test that shows a control begins with its id: `m1_refuses…`, `n1_2_refuses…`.
pub(crate) fn in_tests(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut attributed = false;
    for (at, line) in masked::code(&file.text).lines().enumerate() {
        let line = line.trim_start();
        if line.starts_with("#[") {
            attributed |= line.starts_with("#[test") || line.contains("::test");
            continue;
        }
        let name = line
            .split_once("fn ")
            .filter(|_| attributed)
            .map(|(_, rest)| rest);
        attributed = false;
        let id = name.and_then(id_of);
        if let Some(id) = id.filter(|id| Control::named(id).is_none()) {
            complaints.push(file.complain(at + 1, format!("the catalogue has no control `{id}`")));
        }
    }
    complaints
}

/// The id that a test's name begins with, as the catalogue writes it.
fn id_of(name: &str) -> Option<String> {
    let (first, rest) = name.split_once('_')?;
    let letters = first.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = first
        .strip_prefix(letters)
        .filter(|number| !number.is_empty())?;
    match letters {
        "n" => {
            let (minor, _) = rest.split_once('_')?;
            let is_number = !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| format!("{number}.{minor}"))
        }
        "c" | "ir" | "m" | "p" | "z" => Some(format!("{}{number}", letters.to_ascii_uppercase())),
        _ => None,
    }
}

/// "control M1", "controls 1.2, 9.4 and Z1", `"control": "7.1"`.
pub(crate) fn in_documents(file: &File) -> Vec<Complaint> {
    if !file.is("md") && !file.is("cedar") && !file.is("yaml") {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for id in named(line).iter().filter(|id| Control::named(id).is_none()) {
            complaints.push(file.complain(at + 1, format!("the catalogue has no control `{id}`")));
        }
    }
    complaints
}

/// What follows the word "control" or "controls", as long as it looks like ids.
fn named(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, word) in line.match_indices("ontrol") {
        let rest = line.get(at + word.len()..).unwrap_or_default();
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        let words = rest.split(|c: char| c.is_whitespace() || ",;:()\"`'*|".contains(c));
        for word in words.filter(|word| !word.is_empty() && *word != "and") {
            let word = word.trim_end_matches('.');
            if !is_id(word) {
                break;
            }
            found.push(word.to_owned());
        }
    }
    found
}

fn is_id(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let prefixed = ["IR", "C", "M", "P", "Z"]
        .iter()
        .find_map(|letters| word.strip_prefix(letters));
    prefixed.is_some_and(digits)
        || word
            .split_once('.')
            .is_some_and(|(major, minor)| digits(major) && digits(minor))
}

/// The page of other people's failures names tests that are there.
pub(crate) fn lessons(files: &[File]) -> Vec<Complaint> {
    let Some(page) = files.iter().find(|file| file.path == "docs/lessons.md") else {
        return Vec::new();
    };
    let sources: Vec<&File> = files.iter().filter(|file| file.is("rs")).collect();
    let mut complaints = Vec::new();
    for (at, line) in page.text.lines().enumerate() {
        let Some(tests) = line.trim_end_matches(['|', ' ']).rsplit('|').next() else {
            continue;
        };
        for name in tests.split('`').skip(1).step_by(2) {
            let written = format!("{name}(");
            let is_there = |file: &&File| {
                file.text.contains(&format!("fn {written}"))
                    || file.text.contains(&format!("_{written}"))
            };
            if line.starts_with('|') && !sources.iter().any(is_there) {
                complaints.push(page.complain(
                    at + 1,
                    format!("names the test `{name}`, which is not there"),
                ));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{file, lines};

    #[test]
    fn names_of_tests_begin_with_ids_that_exist() {
        let text = "\
#[test]
fn m1_refuses_token_for_another_audience() {}
#[tokio::test(flavor = \"multi_thread\")]
async fn n1_2_refuses_arguments_off_the_schema() {}
#[test]
fn m9_is_no_control() {}
#[test]
fn n1_9_is_none_either() {}
#[test]
fn ir7_is_none() {}
#[test]
fn never_mixes_tenants() {}
fn m9_is_no_test() {}
";
        assert_eq!(lines(&in_tests(&file("a.rs", text))), [6, 8, 10]);
    }

    #[test]
    fn documents_name_ids_that_exist() {
        for (text, complaints) in [
            ("shown by control M1.\n", 0),
            ("controls 1.2, 9.4 and Z1 at work\n", 0),
            ("controls 1.2, 9.9 and Z9 at work\n", 2),
            ("{\"control\": \"7.1\"} and {\"control\":\"M7\"}\n", 1),
            ("a control character; version 9.9; Control (9.9)\n", 1),
            ("**Controls:** `M1`, `M8`\n", 1),
        ] {
            assert_eq!(
                in_documents(&file("a.md", text)).len(),
                complaints,
                "{text}"
            );
        }
        assert!(in_documents(&file("a.rs", "control M9\n")).is_empty());
    }

    #[test]
    fn the_page_of_lessons_names_only_tests_that_are_there() {
        let file = |path: &str, text: &str| File {
            path: path.into(),
            text: text.into(),
        };
        let source = file(
            "crates/a/tests/a.rs",
            "fn refuses_it() {}\nasync fn n1_1_checks_that() {}\n",
        );
        let page = |last: &str| {
            file(
                "docs/lessons.md",
                &format!("| `not_a_test` | b | {last} |\n"),
            )
        };
        for (last, complaints) in [
            ("`refuses_it`, `checks_that`", 0),
            ("`refuses_what`", 1),
            ("none", 0),
        ] {
            assert_eq!(
                lessons(&[source.clone(), page(last)]).len(),
                complaints,
                "{last}"
            );
        }
    }
}
