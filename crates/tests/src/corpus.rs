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
    anyhow::ensure!(
        texts.len() > 50 || std::env::var_os("CI").is_none(),
        "only {} READMEs of installed packages",
        texts.len()
    );
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

/// A text that stands for a harm of one severity, or for none.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Harmful {
    /// The kind of harm, as configurations have it; nothing for a harmless text.
    pub category: Option<String>,
    /// From 0 to 7.
    pub severity: u64,
    /// The text.
    pub text: String,
}

/// Texts of each category of harm, of several severities, and harmless ones with the same words. Written for
/// these tests.
pub fn harmful() -> Result<Vec<Harmful>> {
    let file = place::repository().join("crates/tests/corpus/harm/texts.jsonl");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let rows = text.lines().map(serde_json::from_str);
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Strings that software trips over and that mean no harm: each has to arrive as it was sent. Written for
/// these tests.
pub fn awkward() -> Vec<String> {
    let short = [
        " ",
        "\u{a0}",
        "null",
        "undefined",
        "NaN",
        "-0",
        "1e309",
        "0x7fffffff",
        "007",
        "1,000.00",
        "true",
        "[object Object]",
        "\\",
        "\"",
        "\\\"",
        "'; DROP TABLE t; --",
        "' OR '1'='1",
        "%s%n%x%d",
        "{0} {} %1$s",
        "${7*7} #{7*7}",
        "{{7*7}} {%raw%}",
        "$(id) `id` | id & id",
        "../../a",
        "C:\\a\\..\\b",
        "CON.txt",
        "a/b?c=d&e#f",
        "\\u0000 \\ud800",
        "&amp;lt; &#0;",
        "\r\n\t",
        "a\u{301}\u{327}",
        "\u{fb01}\u{2126}\u{130}\u{131}",
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd} abc \u{5e2}",
        "\u{645}\u{631}\u{62d}\u{628}\u{627} 123",
        "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f466}",
        "\u{1f1e9}\u{1f1ea}\u{1f44d}\u{1f3fd}",
        "\u{e000}\u{fffd}",
        "\u{65e5}\u{672c}\u{8a9e}\u{ff11}\u{3000}",
        "\u{1d518}\u{1d52b}\u{1d526}",
        "{rw:personal.email:mzxw6}",
        "<<untrusted>>",
        "[redacted: personal.email]",
        "__proto__",
        "constructor",
    ];
    let mut all: Vec<String> = short.map(str::to_owned).to_vec();
    all.push(String::new());
    all.push(
        (0..20_000u32)
            .map(|n| format!("{:x} ", n.wrapping_mul(2_654_435_761)))
            .collect(),
    );
    all
}

/// Strings that are no text to a person: what hides in them is taken out, and nothing else happens.
pub fn broken() -> Vec<String> {
    let controls = (1..0x20u32).chain(0x7f..0xa0).filter_map(char::from_u32);
    let mut all: Vec<String> = controls.map(|sign| format!("a{sign}b")).collect();
    all.push("\0".to_owned());
    all.push("\u{fffe}\u{ffff}\u{1fffe}\u{10ffff}".to_owned());
    all.push("\u{1b}]8;;a\u{7}b\u{1b}]8;;\u{7}".to_owned());
    all.push("e\u{301}".repeat(2000));
    all.push(format!("a{}", "\u{300}".repeat(5000)));
    all.push("\"".repeat(10_000));
    all.push("[".repeat(10_000));
    all.push("{\"a\":".repeat(5000));
    all
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
