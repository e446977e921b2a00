//! What a parameter means, and whether a value is that: a path, an address, a word of a command line.
//!
//! A meaning is declared by an operator or recognised from a tool's definition. What is declared is
//! asked in full; what is only recognised is asked what can never be right, and told what often is not:
//! see [`Weight`]. Every check is a plain rule about the text, never a score. Some of them (SQL, words
//! of a shell, templates, code) judge a text without the program that will read it; they say so by
//! [`Weight::Heuristic`].
//!
//! Nothing here resolves a name or looks at a disk: where a value points is handed back as a
//! [`Target`], for somebody who can. Nothing is rewritten.

mod address;
mod code;
mod declared;
mod email;
mod identifier;
mod named;
mod path;
mod recognise;
mod rule;
mod shell;
mod sql;
mod template;
mod unseen;
mod url;

pub use self::url::Addresses;
pub use address::{Host, HostPattern, Reach, Target};
pub use declared::{DeclarationError, KEYWORD, declared, declares};
pub use identifier::Letters;
pub use named::{check_named, check_named_parts, check_parts, check_uri, undeclared};
pub use path::{PathFound, Roots, RootsError};
pub use recognise::recognise;
pub(crate) use recognise::words;
pub use rule::{ALL, Flaw, Rule, Weight};

use crate::pointer::{self, Places};
use serde_json::{Map, Number, Value};
use std::fmt;
use std::ops::Range;

/// Bytes of a value that is a name or a place; a longer one is none.
pub const LONGEST: usize = 64 * 1024;
/// Bytes of a value of SQL.
pub const LONGEST_SQL: usize = 256 * 1024;
/// Flaws that are told of one call.
pub const FLAWS: usize = 16;

/// What a parameter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// Source text that is run.
    Code,
    /// The address of one mailbox.
    Email,
    /// A line of a header: a subject, a name shown, a field of HTTP.
    Header,
    /// A name or an address of a machine, with or without a port.
    Host,
    /// A name that programs made up.
    Identifier,
    /// A place in a file system.
    Path,
    /// One word of a command line.
    Shell,
    /// A statement of SQL.
    SqlQuery,
    /// A value that is put into a statement of SQL.
    SqlValue,
    /// A value that is put into a template.
    Template,
    /// Nothing more than text: switches off what would be recognised.
    Text,
    /// An address of something, by its URL.
    Url,
}

impl Meaning {
    /// Every meaning.
    pub const ALL: [Meaning; 12] = [
        Meaning::Code,
        Meaning::Email,
        Meaning::Header,
        Meaning::Host,
        Meaning::Identifier,
        Meaning::Path,
        Meaning::Shell,
        Meaning::SqlQuery,
        Meaning::SqlValue,
        Meaning::Template,
        Meaning::Text,
        Meaning::Url,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Meaning::Code => "code",
            Meaning::Email => "email",
            Meaning::Header => "header",
            Meaning::Host => "host",
            Meaning::Identifier => "identifier",
            Meaning::Path => "path",
            Meaning::Shell => "shell_word",
            Meaning::SqlQuery => "sql_query",
            Meaning::SqlValue => "sql_value",
            Meaning::Template => "template",
            Meaning::Text => "text",
            Meaning::Url => "url",
        }
    }

    /// The meaning with this word.
    pub fn named(name: &str) -> Option<Self> {
        Meaning::ALL
            .into_iter()
            .find(|meaning| meaning.name() == name)
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How it is known what a parameter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The operator says so: everything is asked.
    Declared,
    /// Its name, format or description says so: only what can never be right is wrong.
    Recognised,
}

/// What becomes of a value with a flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consequence {
    /// It goes no further.
    Refuse,
    /// It is told.
    Report,
}

/// What the value of a parameter is expected to be.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// How this is known.
    pub basis: Basis,
    /// What becomes of a value that is something else.
    pub otherwise: Consequence,
    /// What it is.
    pub kind: Kind,
}

/// A meaning with what belongs to it.
#[derive(Clone, Debug)]
pub enum Kind {
    /// See [`Meaning::Host`].
    Host(Addresses),
    /// See [`Meaning::Identifier`].
    Identifier(Letters),
    /// See [`Meaning::Path`].
    Path(Roots),
    /// See [`Meaning::Url`].
    Url(Addresses),
    /// A meaning to which nothing belongs.
    Plain(Meaning),
}

impl Kind {
    /// The meaning with nothing set.
    pub fn of(meaning: Meaning) -> Self {
        match meaning {
            Meaning::Host => Kind::Host(Addresses::default()),
            Meaning::Identifier => Kind::Identifier(Letters::default()),
            Meaning::Path => Kind::Path(Roots::default()),
            Meaning::Url => Kind::Url(Addresses::default()),
            plain => Kind::Plain(plain),
        }
    }

    /// The meaning.
    pub fn meaning(&self) -> Meaning {
        match self {
            Kind::Host(_) => Meaning::Host,
            Kind::Identifier(_) => Meaning::Identifier,
            Kind::Path(_) => Meaning::Path,
            Kind::Url(_) => Meaning::Url,
            Kind::Plain(meaning) => *meaning,
        }
    }
}

/// What came out for one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What is wrong, in the order it was found, each rule once.
    pub flaws: Vec<Flaw>,
    /// Where it points on the network, if it can be told.
    pub target: Option<Target>,
    /// Where it points in the file system, if that is known.
    pub path: Option<PathFound>,
}

impl Outcome {
    fn add(&mut self, basis: Basis, rule: &'static Rule, at: Range<usize>) {
        let asked = basis == Basis::Declared || rule.weight != Weight::Strict;
        if asked && self.flaws.iter().all(|flaw| flaw.rule.name != rule.name) {
            self.flaws.push(Flaw { rule, at });
        }
    }
}

impl Expectation {
    /// What becomes of a value that breaks this rule.
    pub fn consequence(&self, rule: &Rule) -> Consequence {
        match (self.basis, rule.weight) {
            (Basis::Declared, _) | (Basis::Recognised, Weight::Certain) => self.otherwise,
            (Basis::Recognised, _) => Consequence::Report,
        }
    }

    /// Whether a text is what is expected. Time is linear in its length.
    pub fn check(&self, text: &str) -> Outcome {
        self.check_within(text, &Roots::default())
    }

    /// The same, where a path of which nobody said so has to lie in these roots.
    fn check_within(&self, text: &str, roots: &Roots) -> Outcome {
        let mut outcome = Outcome::default();
        let basis = self.basis;
        if self.kind.meaning() == Meaning::Text {
            return outcome;
        }
        if text.len() > self.longest() {
            outcome.add(basis, &rule::TOO_LONG, 0..text.len());
            return outcome;
        }
        let mut add = |rule, at| outcome.add(basis, rule, at);
        match &self.kind {
            Kind::Host(addresses) => outcome.target = address::check(text, addresses, &mut add),
            Kind::Identifier(letters) => identifier::check(text, letters, &mut add),
            Kind::Path(own) if own.is_empty() => {
                outcome.path = path::check(text, roots, &mut add);
            }
            Kind::Path(own) => outcome.path = path::check(text, own, &mut add),
            Kind::Url(addresses) => outcome.target = url::check(text, addresses, &mut add),
            Kind::Plain(Meaning::Code) => code::check(text, &mut add),
            Kind::Plain(Meaning::Email) => email::check(text, &mut add),
            Kind::Plain(Meaning::Header) => email::header(text, &mut add),
            Kind::Plain(Meaning::Shell) => shell::check(text, &mut add),
            Kind::Plain(Meaning::SqlQuery) => sql::query(text, &mut add),
            Kind::Plain(Meaning::SqlValue) => sql::value(text, &mut add),
            Kind::Plain(Meaning::Template) => template::check(text, &mut add),
            Kind::Plain(_) => {}
        }
        outcome
    }

    /// What stands in a text that nobody sees, if a value of this meaning may not hold that. Nothing else
    /// is asked.
    pub fn unseen(&self, text: &str) -> Outcome {
        let mut outcome = Outcome::default();
        if let Some((rule, at)) = unseen::check(self.kind.meaning(), text) {
            outcome.add(self.basis, rule, at);
        }
        outcome
    }

    /// What comes out for an object: what is in it, nobody holds against anything.
    fn misfit(&self) -> Outcome {
        let mut outcome = Outcome::default();
        if self.kind.meaning() != Meaning::Text {
            outcome.add(self.basis, &rule::NOT_TEXT, 0..0);
        }
        outcome
    }

    /// How many bytes such a value may have.
    fn longest(&self) -> usize {
        match self.kind.meaning() {
            Meaning::Code | Meaning::Template | Meaning::Shell | Meaning::Text => usize::MAX,
            Meaning::SqlQuery | Meaning::SqlValue => LONGEST_SQL,
            _ => LONGEST,
        }
    }
}

/// What the arguments of one tool are expected to be.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Places<Expectation>);

/// What is asked of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Whether it is what it should be.
    #[default]
    Everything,
    /// Only whether something stands in it that nobody sees: of a value that is going to be cleaned of
    /// that, and would then pass for another one.
    Unseen,
}

/// What is known around parameters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// What is asked.
    pub asked: Asked,
    /// Others, which are believed instead where they say something.
    pub others: &'a [&'a Parameters],
    /// Where paths have to lie of which nobody said so.
    pub roots: Option<&'a Roots>,
}

/// What came out for one argument.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// Where it is, as a JSON Pointer into the arguments.
    pub pointer: String,
    /// What was expected.
    pub expected: &'a Expectation,
    /// What came out.
    pub outcome: Outcome,
}

impl Parameters {
    /// Says what the value at a place is expected to be. What was said of the same place before is
    /// forgotten.
    pub fn expect(&mut self, place: &pointer::Pattern, expectation: Expectation) {
        self.0.insert(place, expectation);
    }

    /// Whether something is said of exactly this place.
    pub fn knows(&self, place: &pointer::Pattern) -> bool {
        self.0.get(place).is_some()
    }

    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks the arguments. What comes back are the values about which there is something to say: a
    /// flaw, or somewhere they point. An expectation about a list is one about each text in it.
    pub fn check<'a>(&'a self, arguments: &Map<String, Value>) -> Vec<Judged<'a>> {
        self.check_but(arguments, &Around::default())
    }

    /// The same, with what is known around them.
    pub fn check_but<'a>(
        &'a self,
        arguments: &Map<String, Value>,
        around: &Around<'_>,
    ) -> Vec<Judged<'a>> {
        let mut judged = Vec::new();
        for (name, value) in arguments {
            for places in self.0.member(name) {
                places.visit(value, &mut |inner, value, expected: &'a Expectation| {
                    let way = || [&[pointer::Key::Member(name)], inner].concat();
                    look(&way, value, expected, around, &mut judged);
                });
            }
        }
        judged
    }
}

/// Checks a text, or each text of a list, however deep. Depth is bounded by that of the arguments.
fn look<'a, 'v>(
    way: &dyn Fn() -> Vec<pointer::Key<'v>>,
    value: &Value,
    expected: &'a Expectation,
    around: &Around<'_>,
    judged: &mut Vec<Judged<'a>>,
) {
    let outcome = match (value, around.asked, around.roots) {
        (Value::Array(items), ..) => {
            for (at, item) in items.iter().enumerate() {
                let way = || [way(), vec![pointer::Key::Item(at)]].concat();
                look(&way, item, expected, around, judged);
            }
            return;
        }
        (Value::Object(_), Asked::Everything, _) => expected.misfit(),
        (Value::String(text), Asked::Unseen, _) => expected.unseen(text),
        (Value::String(text), Asked::Everything, Some(roots)) => expected.check_within(text, roots),
        (Value::String(text), Asked::Everything, None) => expected.check(text),
        // A number is what it becomes in a text: that of an address leads where the address does.
        (Value::Number(number), Asked::Everything, roots) => {
            let none = Roots::default();
            expected.check_within(&digits(number), roots.unwrap_or(&none))
        }
        // Nothing can be written in these that means anything.
        (Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_), ..) => return,
    };
    if outcome == Outcome::default() {
        return;
    }
    let way = way();
    let mut place = way.as_slice();
    // What is said of a list is said of what is in it.
    while !around.others.iter().any(|other| other.0.says(place)) {
        let Some((pointer::Key::Item(_), list)) = place.split_last() else {
            judged.push(Judged {
                pointer: pointer::written(&way),
                expected,
                outcome,
            });
            return;
        };
        place = list;
    }
}

/// A number as programs write it in a text: a whole one without a fraction, however it was sent.
fn digits(number: &Number) -> String {
    match number.as_f64() {
        Some(value) if number.is_f64() && value.fract() == 0.0 && value.abs() < 1e21 => {
            format!("{value:.0}")
        }
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests;
