//! One rule: what is looked for, where a look is worth it, and what has to hold of what is found.

use super::check::{Check, Every};
use super::pattern::Pattern;
use super::unless::Unless;
use controls::Severity;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// How sure a rule is of what it finds, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// It looks like it; half of the time it is something else, or an example.
    Low,
    /// Form and words around it fit; something else can look so.
    Medium,
    /// A form that nothing else has, or a checksum beside a form.
    High,
}

impl Confidence {
    /// The name, as packs and records have it.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// What a label stands for: the first part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// What opens something: `secret.*`.
    Secret,
    /// What says something about a person: `personal.*`.
    Personal,
}

impl Kind {
    /// The kind of a label.
    pub fn of(label: &str) -> Option<Kind> {
        let (kind, rest) = label.split_once('.')?;
        let named = !rest.is_empty() && label.len() <= 64;
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.');
        match kind {
            _ if !named || !label.bytes().all(plain) => None,
            "secret" => Some(Kind::Secret),
            "personal" => Some(Kind::Personal),
            _ => None,
        }
    }
}

/// Where a look is worth it.
#[derive(Clone, Debug)]
pub(super) enum Anchor {
    /// At digits: as many as this, near each other.
    Digits(usize),
    /// By the name of the member that holds it alone.
    Field,
    /// Around one of these words, as far before it and after it.
    Near {
        words: Box<[Box<str>]>,
        before: usize,
        after: usize,
        digits: usize,
    },
    /// At one of these words: what is looked for begins with it.
    Start(Box<[Box<str>]>),
}

impl Anchor {
    /// The words that a text has to hold for the rule to be asked.
    pub(super) fn words(&self) -> &[Box<str>] {
        match self {
            Anchor::Digits(_) | Anchor::Field => &[],
            Anchor::Near { words, .. } | Anchor::Start(words) => words,
        }
    }
}

/// One rule of a pack, ready to be asked.
pub struct Rule {
    /// The name within its pack.
    pub id: Box<str>,
    /// What is found, as settings and records call it: `secret.github_token`, `personal.iban`.
    pub label: Arc<str>,
    /// What is found, in words.
    pub title: Box<str>,
    /// What the label stands for.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What attackers do with it: ids of MITRE ATT&CK and ATLAS, and of OWASP.
    pub techniques: Box<[Box<str>]>,
    /// Names of members whose value is one, written without signs and in lower case.
    pub fields: Box<[Box<str>]>,
    pub(super) anchor: Anchor,
    pub(super) edged: Edged,
    pub(super) pattern: Box<str>,
    pub(super) longest: usize,
    pub(super) check: Option<Check>,
    pub(super) entropy: f32,
    pub(super) unless: Unless,
    pub(super) compiled: OnceLock<Option<Pattern>>,
}

/// Whether letters and digits may touch what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Edged {
    /// They may.
    Open,
    /// They may not: it stands alone.
    Word,
}

impl Rule {
    /// Compiles the pattern now. A rule of a pack that was loaded is compiled when it is loaded; one
    /// of the packs that come with the product when it is first asked, and a test compiles them all.
    pub(super) fn compile(&self) -> Result<(), String> {
        // A rule that goes by names alone has none.
        if self.pattern.is_empty() {
            return Ok(());
        }
        let made = self.made()?;
        let _ = self.compiled.set(Some(made));
        Ok(())
    }

    pub(super) fn compiled(&self) -> Option<&Pattern> {
        self.compiled.get_or_init(|| self.made().ok()).as_ref()
    }

    fn made(&self) -> Result<Pattern, String> {
        let inner = &self.pattern;
        // Of what stands alone a shorter part is nothing: the form goes on as far as the word does.
        match self.edged {
            Edged::Open => Pattern::new(inner),
            Edged::Word => Pattern::new(&format!(r"(?:{inner})(?-u:\b{{end-half}})")),
        }
    }

    /// What finds every value of a text without the pattern, where the check of the rule knows the
    /// pattern by heart.
    pub(super) fn every(&self) -> Option<Every> {
        let (pattern, every) = self.check?.every()?;
        (*self.pattern == *pattern && self.edged == Edged::Word).then_some(every)
    }

    /// What of `found` is the value, if everything that has to hold of it holds.
    pub(super) fn value(&self, found: &str) -> Option<Range<usize>> {
        let within = match self.check {
            Some(check) => check.judge(found)?,
            None => 0..found.len(),
        };
        let value = found.get(within.clone())?;
        let dense = self.entropy <= 0.0 || super::check::is_dense(value, self.entropy);
        dense.then_some(within)
    }

    /// Whether what begins at `by.start` of a text, and whose value begins at `by.end`, is named something else.
    pub(super) fn is_other(&self, text: &str, by: Range<usize>) -> bool {
        self.unless.holds(self.anchor.words(), text, by)
    }

    /// The same with all that is asked of a value.
    #[cfg(test)]
    pub(super) fn judged(&self, found: &str) -> Option<Range<usize>> {
        let within = self.value(found)?;
        let is_example = || super::is_placeholder(found.get(within.clone()).unwrap_or_default());
        (!self.refuses_examples() || !is_example()).then_some(within)
    }

    /// Whether what reads like an example is none of its values, and not just a doubtful one.
    pub(super) fn refuses_examples(&self) -> bool {
        self.check.is_some_and(Check::refuses_examples)
    }
}

/// Says which rule it is.
impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.id)
    }
}
