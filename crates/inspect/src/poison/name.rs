//! Names that say something: of parameters, arguments and whatever else a server names. A model reads the
//! words of a name like any others; here they are read like that, `filePath` and `file_path` alike.
//!
//! A name is short and says little of why it is given: what a parameter may well be called is never told.

use super::rules::{PARAMETERS, When};
use super::{Rule, lint, named};
use crate::meaning;
use std::ops::Range;

/// What stands around the name of something and makes nothing else of it.
const AROUND: &[&str] = &[
    "full",
    "entire",
    "whole",
    "complete",
    "all",
    "current",
    "user",
    "users",
    "the",
    "my",
    "your",
    "our",
    "previous",
    "past",
    "recent",
    "raw",
    "model",
    "llm",
    "assistant",
    "agent",
    "ai",
    "session",
    "hidden",
    "prior",
    "ongoing",
    "verbatim",
    "exact",
    "text",
    "content",
    "contents",
    "sofar",
    "transcript",
    "json",
    "string",
    "dump",
    "messages",
    "data",
    "copy",
];

/// How many such words are left out.
const LEFT_OUT: usize = 4;

/// Files in which credentials lie, by the words of their names.
const FILES: &[&str] = &[
    " dot env ",
    " dot netrc ",
    " dot npmrc ",
    " dot pypirc ",
    " id rsa ",
    " id ed25519 ",
    " id ecdsa ",
    " etc passwd ",
    " etc shadow ",
    " mcp json ",
    " mcp dot json ",
    " claude desktop config ",
    " git credentials ",
    " bash history ",
    " zsh history ",
    " wallet dat ",
];

/// Words by which it is what stands in a file that is asked for.
const CONTENT: &[&str] = &[
    " content ",
    " contents ",
    " reading ",
    " read from ",
    " text of ",
    " output of ",
    " dump of ",
];

/// What the rules say of a text that is a name of several words, besides what they say of it as it is
/// written: the rules, and all of it.
pub(super) fn study(name: &str) -> Vec<(&'static Rule, Range<usize>)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$');
    if !name.chars().all(is_part) {
        return Vec::new();
    }
    let spoken = spoken(name);
    if !spoken.trim().contains(' ') {
        return Vec::new();
    }
    let mut told: Vec<(&'static Rule, Range<usize>)> = Vec::new();
    for (rule, range) in lint(&spoken) {
        let says = spoken.get(range).unwrap_or_default();
        let is_new = !told.iter().any(|(it, _)| it.name == rule.name);
        if is_new && counts(rule, says, &spoken) {
            told.push((rule, 0..name.len()));
        }
    }
    told
}

/// Whether what a rule says of the words of a name is said of a name.
fn counts(rule: &Rule, says: &str, spoken: &str) -> bool {
    let overrides = says.starts_with("override") || says.starts_with("supersede");
    match rule.name {
        // A parameter by that name is asked for below.
        "poison.context" => false,
        // To override all settings is what a parameter may do.
        "poison.override" if overrides => {
            spoken.contains("instruction") || spoken.contains("prompt")
        }
        _ => !matches!(rule.when, When::Form),
    }
}

/// What a rule says of the name of a parameter: it asks for what the model knows and no tool needs.
pub(super) fn parameter(name: &str) -> Option<&'static Rule> {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let spoken = spoken(name);
    let says = |known: &[&str]| known.iter().any(|words| spoken.contains(words));
    let is_known = is_known(&plain) || says(FILES) && says(CONTENT);
    named("poison.parameter").filter(|_| is_known)
}

fn is_known(plain: &str) -> bool {
    let mut bare = plain;
    for _ in 0..=LEFT_OUT {
        if PARAMETERS.contains(&bare) {
            return true;
        }
        let mut shorter = AROUND.iter().filter_map(|word| {
            let rest = bare.strip_prefix(word);
            rest.or_else(|| bare.strip_suffix(word))
        });
        let Some(rest) = shorter.next() else { break };
        bare = rest;
    }
    false
}

/// The words of a name, each between spaces.
fn spoken(name: &str) -> String {
    let mut dotted = String::with_capacity(name.len());
    let mut before = ' ';
    for c in name.chars() {
        // The dot that hides a file is spoken.
        if c == '.' && !before.is_alphanumeric() {
            dotted.push_str("_dot_");
        } else {
            dotted.push(c);
        }
        before = c;
    }
    let mut spoken = String::from(" ");
    for word in meaning::words(&dotted) {
        spoken.push_str(match &*word {
            "dont" => "do not",
            word => word,
        });
        spoken.push(' ');
    }
    spoken
}
