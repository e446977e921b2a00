//! Rule packs: data that says what is looked for. A pack is YAML; it brings examples of what each of
//! its rules has to find and of what it must leave alone, and is not taken if one of them fails.
//!
//! This module reads text. Where a pack comes from and who signed it is for the caller to know.

mod written;

use super::check::Check;
use super::rule::{Anchor, Confidence, Edged, Kind, Rule};
use super::rules::Rules;
use super::scan::Sight;
use super::unless::Unless;
use controls::Severity;
use std::fmt;
use std::sync::{Arc, OnceLock};
use written::{Near, Written, WrittenRule};

/// The longest pack, in bytes.
pub const BYTES: usize = 1024 * 1024;
/// The most rules of one pack.
pub const RULES: usize = 1000;
/// The longest thing that a rule finds, in bytes.
pub const LONGEST: usize = 8192;
/// The furthest that a word says something of what stands near it, in bytes.
pub const DISTANCE: usize = 400;
/// The most words of one rule.
const WORDS: usize = 100;

/// The packs that come with Ringwall, as written.
pub const BUILT_IN: [(&str, &str); 2] = [
    ("secrets", include_str!("../../packs/secrets.yaml")),
    ("personal", include_str!("../../packs/personal.yaml")),
];

/// A pack that was read.
#[derive(Debug)]
pub struct Pack {
    /// Its name.
    pub name: Box<str>,
    /// Its version, higher for later ones.
    pub version: u32,
    rules: Vec<Rule>,
    /// On which line the pattern of each rule stands, or its name if it has none.
    lines: Vec<u64>,
    examples: Vec<Example>,
}

/// What a rule has to find, or leave alone.
#[derive(Debug)]
struct Example {
    rule: usize,
    line: u64,
    text: String,
    expected: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Found,
    Nothing,
}

/// What is wrong with a pack, and on which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The line, counted from 1; 0 where none can be named.
    pub line: u64,
    /// What is wrong: one line.
    pub message: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}: {}", self.message),
        }
    }
}

impl Pack {
    /// Reads a pack. Its examples are not tried yet: see [`Pack::prove`].
    pub fn read(text: &str) -> Result<Pack, Vec<Flaw>> {
        let flaw = |line, message: String| vec![Flaw { line, message }];
        if text.len() > BYTES {
            let message = format!("the pack has {} bytes, more than {BYTES}", text.len());
            return Err(flaw(0, message));
        }
        let written: Written = written::read(text)?;
        if written.rules.len() > RULES {
            let message = format!("it has {} rules, more than {RULES}", written.rules.len());
            return Err(flaw(0, message));
        }
        if written.pack.is_empty() || written.pack.len() > 64 {
            return Err(flaw(0, "`pack` is its name: 64 bytes at most".to_owned()));
        }
        let mut flaws = Vec::new();
        let mut pack = Pack {
            name: written.pack.into(),
            version: written.version,
            rules: Vec::new(),
            lines: Vec::new(),
            examples: Vec::new(),
        };
        for rule in written.rules {
            let line = rule.id.referenced.line();
            let pattern = rule.pattern.as_ref();
            let pattern = pattern.map_or(line, |it| it.referenced.line());
            let index = pack.rules.len();
            let examples = [
                (&rule.matches, Expected::Found),
                (&rule.near_misses, Expected::Nothing),
            ];
            for (texts, expected) in examples {
                pack.examples.extend(texts.iter().map(|text| Example {
                    rule: index,
                    line: text.referenced.line(),
                    text: text.value.clone(),
                    expected,
                }));
            }
            let twice = pack.rules.iter().any(|known| *known.id == *rule.id.value);
            match built(rule, &written.techniques) {
                Ok(_) if twice => flaws.push(Flaw {
                    line,
                    message: "there is another rule of this name".to_owned(),
                }),
                Ok(rule) => {
                    pack.rules.push(rule);
                    pack.lines.push(pattern);
                }
                Err(message) => flaws.push(Flaw { line, message }),
            }
        }
        match flaws.is_empty() {
            true => Ok(pack),
            false => Err(flaws),
        }
    }

    /// The packs that come with Ringwall.
    pub fn built_in() -> Result<Vec<Pack>, Vec<Flaw>> {
        BUILT_IN.iter().map(|(_, text)| Pack::read(text)).collect()
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Every example of what a rule has to find.
    pub fn matching(&self) -> impl Iterator<Item = (&Rule, &str)> {
        let found = self
            .examples
            .iter()
            .filter(|it| it.expected == Expected::Found);
        found.filter_map(|it| Some((self.rules.get(it.rule)?, it.text.as_str())))
    }

    /// The rules alone, for a set of them.
    pub fn into_rules(self) -> Vec<Rule> {
        self.rules
    }

    /// Compiles every pattern and tries every example: each rule alone finds what it has to find, and
    /// leaves alone what it has to leave alone.
    pub fn prove(text: &str) -> Result<Pack, Vec<Flaw>> {
        let pack = Pack::read(text)?;
        let mut flaws = Vec::new();
        for (index, (rule, line)) in pack.rules.iter().zip(&pack.lines).enumerate() {
            let examples = pack.examples.iter().filter(|it| it.rule == index);
            let found = examples.filter(|it| it.expected == Expected::Found);
            let line = *line;
            let message = match rule.compile() {
                Err(error) => Some(format!("`{}`: the pattern: {error}", rule.id)),
                Ok(()) if found.count() == 0 && !matches!(rule.anchor, Anchor::Field) => {
                    Some(format!("`{}` has no example of what it finds", rule.id))
                }
                Ok(()) => None,
            };
            flaws.extend(message.map(|message| Flaw { line, message }));
        }
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let tried = Pack::read(text)?;
        for (index, rule) in tried.rules.into_iter().enumerate() {
            let id = rule.id.clone();
            let alone = Pack {
                name: "alone".into(),
                version: 1,
                rules: vec![rule],
                lines: Vec::new(),
                examples: Vec::new(),
            };
            let rules = Rules::of([alone], |_| true).map_err(|unfit| {
                let message = unfit.to_string();
                vec![Flaw { line: 0, message }]
            })?;
            for example in pack.examples.iter().filter(|it| it.rule == index) {
                // What reads like an example is seen, and nothing that anybody is sure of.
                let sure = |sight: &Sight<'_>| sight.confidence == sight.rule.confidence;
                let found = match rules.scan(&example.text).iter().any(sure) {
                    true => Expected::Found,
                    false => Expected::Nothing,
                };
                if found != example.expected {
                    let what = match example.expected {
                        Expected::Found => "does not find this example",
                        Expected::Nothing => "finds this, and has to leave it alone",
                    };
                    flaws.push(Flaw {
                        line: example.line,
                        message: format!("`{id}` {what}"),
                    });
                }
            }
        }
        match flaws.is_empty() {
            true => Ok(pack),
            false => Err(flaws),
        }
    }
}

/// One rule as it is used, or what is wrong with it.
fn built(rule: WrittenRule, techniques: &[String]) -> Result<Rule, String> {
    let id: Box<str> = rule.id.value.into();
    let label: Arc<str> = rule.label.map_or_else(|| (&*id).into(), Into::into);
    let kind = Kind::of(&label)
        .ok_or_else(|| format!("`{label}` is no label: write `secret.…` or `personal.…`"))?;
    if Kind::of(&id) != Some(kind) {
        return Err(format!("`{id}` is no name for a rule of `{label}`"));
    }
    let anchor = anchor(rule.start, rule.near, rule.digits, &rule.fields)?;
    let unless = unless(rule.unless, &anchor)?;
    let longest = rule.longest.unwrap_or(128);
    if longest == 0 || longest > LONGEST {
        return Err(format!("`longest` is 1 to {LONGEST} bytes"));
    }
    let pattern = rule.pattern.map(|it| it.value).unwrap_or_default();
    if pattern.is_empty() != matches!(anchor, Anchor::Field) {
        return Err(
            "it has a `pattern` and a `start`, `near` or `digits`, or `fields` alone".to_owned(),
        );
    }
    let check = match rule.check {
        None => None,
        Some(name) => {
            let known = Check::named(&name);
            Some(known.ok_or_else(|| format!("there is no check `{name}`"))?)
        }
    };
    let techniques = rule.techniques.as_deref().unwrap_or(techniques);
    Ok(Rule {
        title: rule.title.into(),
        kind,
        severity: rule
            .severity
            .unwrap_or(match kind {
                Kind::Secret => written::Grade::High,
                Kind::Personal => written::Grade::Medium,
            })
            .into(),
        confidence: rule.confidence.unwrap_or(Confidence::Medium),
        techniques: techniques.iter().map(|it| it.as_str().into()).collect(),
        fields: rule.fields.into_iter().map(Into::into).collect(),
        anchor,
        edged: rule.edge.unwrap_or(Edged::Word),
        pattern: pattern.into(),
        longest,
        check,
        entropy: rule.entropy.unwrap_or(0.0),
        unless,
        id,
        label,
        compiled: OnceLock::new(),
    })
}

/// Where the rule is asked: exactly one way, or by the name of the member alone.
fn anchor(
    start: Vec<String>,
    near: Option<Near>,
    digits: Option<usize>,
    fields: &[String],
) -> Result<Anchor, String> {
    match (start.is_empty(), near, digits) {
        (false, None, None) => Ok(Anchor::Start(boxed(start)?)),
        (true, Some(near), None) if !near.words.is_empty() => {
            let (before, after) = (near.before.unwrap_or(60), near.after.unwrap_or(20));
            match before <= DISTANCE && after <= DISTANCE {
                // What stands before a word has the word after it.
                true => Ok(Anchor::Near {
                    words: boxed(near.words)?,
                    before: after,
                    after: before,
                    digits: near.digits.unwrap_or(0),
                }),
                false => Err(format!("words are {DISTANCE} bytes away at most")),
            }
        }
        (true, None, Some(least)) if least >= super::scan::DIGITS => Ok(Anchor::Digits(least)),
        (true, None, Some(_)) => Err(format!("`digits` is {} at least", super::scan::DIGITS)),
        (true, None, None) if !fields.is_empty() => Ok(Anchor::Field),
        _ => Err("it has one of `start`, `near` and `digits`".to_owned()),
    }
}

/// Words that are no longer, and no more, than a rule may have.
fn boxed(words: Vec<String>) -> Result<Box<[Box<str>]>, String> {
    let fits = |word: &String| (1..=40).contains(&word.len());
    match words.len() <= WORDS && words.iter().all(fits) {
        true => Ok(words.into_iter().flat_map(spelt).collect()),
        false => Err(format!(
            "words have 1 to 40 bytes, and there are {WORDS} at most"
        )),
    }
}

/// The names that a rule leaves alone: those of rules that begin at words.
fn unless(written: written::Unless, anchor: &Anchor) -> Result<Unless, String> {
    let is_any = !written.ends.is_empty() || !written.begins.is_empty();
    if is_any && !matches!(anchor, Anchor::Start(_)) {
        return Err("`unless` speaks of names that begin with a word of `start`".to_owned());
    }
    let lower = |word: &String| word.bytes().all(|byte| byte.is_ascii_lowercase());
    if !written.ends.iter().all(lower) {
        return Err("words of `unless.ends` are letters in lower case".to_owned());
    }
    Ok(Unless {
        ends: boxed(written.ends)?,
        begins: boxed(written.begins)?,
    })
}

/// A word as it is looked for: the case of ASCII letters does not matter, that of others is looked for
/// as it is written and in capitals.
fn spelt(word: String) -> impl Iterator<Item = Box<str>> {
    let capitals = (!word.is_ascii()).then(|| word.to_uppercase().into());
    [word.into()].into_iter().chain(capitals)
}

impl From<written::Grade> for Severity {
    fn from(grade: written::Grade) -> Self {
        match grade {
            written::Grade::Critical => Severity::Critical,
            written::Grade::High => Severity::High,
            written::Grade::Info => Severity::Info,
            written::Grade::Low => Severity::Low,
            written::Grade::Medium => Severity::Medium,
        }
    }
}
