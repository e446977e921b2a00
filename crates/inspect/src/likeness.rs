//! Definitions that pass for those of another server: names that look alike, descriptions that speak of
//! another server's tools, descriptions that are nearly the same, and names of servers and packages that
//! are a letter away from well-known ones.
//!
//! Two servers may well offer the same thing: what is told here is a suspicion with a severity. All work
//! is linear in the number of names and in the texts.

mod known;
mod sketch;
mod speech;
mod spelled;
pub(crate) mod spelling;
mod words;

pub use known::{Squat, squat, squat_host, squat_server};

use crate::pin::{Digest, skeleton};
use crate::poison::{Rule, Techniques};
use crate::told::Told;
use controls::Severity;
use serde::Serialize;
use serde_json::Value;
use sketch::{Sketch, Sketches};
use speech::Around;
use spelled::{Names, Spelling};
use std::collections::HashMap;

/// Names that are known at most; more are not compared with.
const NAMES: usize = 32 * 1024;
/// Letters of a name of which one may be wrong.
const LONG: usize = 8;
/// Letters of a name that is told from a word of prose.
const DISTINCT: usize = 6;
/// How alike two descriptions are that are nearly the same, in hundredths.
const ALIKE: u32 = 80;
/// What is told of one definition at most.
const TOLD: usize = 16;

/// A thing that some server offers.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour<'a> {
    /// The server.
    pub server: &'a str,
    /// What it is called there.
    pub name: &'a str,
    /// What the server says of it.
    pub description: &'a str,
    /// What the definition is.
    pub digest: Digest,
}

/// What one definition has in common with that of another server.
#[derive(Clone, Debug, Serialize)]
pub struct Likeness {
    /// The rule that says so.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The other server.
    pub server: String,
    /// What it calls the thing.
    pub name: String,
}

const SHADOWING: Techniques = Techniques {
    safe_mcp: &["SAFE-T1301"],
    atlas: &["AML.T0110"],
    owasp: &["MCP03:2025", "MCP06:2025"],
};

const IMPERSONATION: Techniques = Techniques {
    safe_mcp: &["SAFE-T1004", "SAFE-T1301"],
    atlas: &["AML.T0110"],
    owasp: &["MCP03:2025", "MCP09:2025"],
};

const SUPPLY: Techniques = Techniques {
    safe_mcp: &["SAFE-T1002", "SAFE-T1003"],
    atlas: &["AML.T0104"],
    owasp: &["MCP04:2025", "LLM03:2025"],
};

/// Every rule of likeness, by name.
pub const RULES: &[Rule] = &[
    Rule::form(
        "likeness.near_name",
        Severity::Medium,
        SHADOWING,
        "is a letter away from the name of another server's tool or prompt",
    ),
    Rule::form(
        "likeness.same_name",
        Severity::Medium,
        SHADOWING,
        "has the name of another server's tool or prompt and is another",
    ),
    Rule::form(
        "likeness.same_words",
        Severity::Medium,
        IMPERSONATION,
        "is described like a tool or a prompt of another server that has another name",
    ),
    Rule::form(
        "likeness.shadowed_name",
        Severity::High,
        IMPERSONATION,
        "looks like the name of another server's tool or prompt",
    ),
    Rule::form(
        "likeness.speaks_of",
        Severity::Low,
        SHADOWING,
        "speaks of another server's tool",
    ),
    Rule::form(
        "likeness.speaks_for",
        Severity::High,
        SHADOWING,
        "says what is to become of another server's tool",
    ),
    Rule::form(
        "likeness.typosquat",
        Severity::High,
        SUPPLY,
        "is a letter away from a well-known package or server",
    ),
];

/// The rule of this name.
pub fn named(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// What all servers offer, ready to be compared with.
#[derive(Debug, Default)]
pub struct Neighbourhood {
    all: Vec<Known>,
    /// By how a name looks.
    looks: HashMap<String, Vec<usize>>,
    /// By a long name with one letter left out.
    without: HashMap<u64, Vec<usize>>,
    sketches: Sketches,
    /// Names that are no words of prose, and what they name.
    names: Option<Names>,
}

#[derive(Debug)]
struct Known {
    server: String,
    name: String,
    /// What the name looks like.
    look: String,
    digest: Digest,
}

impl Neighbourhood {
    /// Makes ready what these servers offer.
    pub fn of<'a>(all: impl IntoIterator<Item = Neighbour<'a>>) -> Self {
        let mut it = Neighbourhood::default();
        let mut names: Vec<(&str, usize)> = Vec::new();
        for (at, neighbour) in all.into_iter().take(NAMES).enumerate() {
            let look = skeleton(neighbour.name);
            for key in shortened(&look) {
                it.without.entry(key).or_default().push(at);
            }
            it.looks.entry(look.clone()).or_default().push(at);
            it.sketches.add(at, neighbour.description);
            if is_distinct(neighbour.name) {
                names.push((neighbour.name, at));
            }
            it.all.push(Known {
                server: neighbour.server.to_owned(),
                name: neighbour.name.to_owned(),
                look,
                digest: neighbour.digest,
            });
        }
        it.names = Names::of(names);
        it
    }

    /// Whether there is nothing to compare with.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What this definition has in common with those of other servers; most severe first. The very same
    /// definition under the same name is the same software, started twice, and says nothing.
    pub fn compare(&self, it: &Neighbour<'_>) -> Vec<Likeness> {
        let mut told = Told::new(TOLD);
        let look = skeleton(it.name);
        for other in self.others(it, self.looks.get(&look).into_iter().flatten().copied()) {
            let rule = match other.name == it.name {
                true => "likeness.same_name",
                false => "likeness.shadowed_name",
            };
            tell(&mut told, rule, other);
        }
        let near = shortened(&look)
            .into_iter()
            .filter_map(|key| self.without.get(&key));
        for other in self.others(it, near.flatten().copied()) {
            if told.is_full("likeness.near_name") {
                break;
            }
            if other.look != look && spelling::is_within(&other.look, &look, 1) {
                tell(&mut told, "likeness.near_name", other);
            }
        }
        let sketch = Sketch::of(it.description);
        for other in self.others(it, self.sketches.alike(&sketch, ALIKE)) {
            if other.name != it.name {
                tell(&mut told, "likeness.same_words", other);
            }
        }
        self.spoken_of(it, it.description, &mut told);
        told.sorted(|likeness| likeness.severity)
    }

    /// What any text of a definition says of the tools of other servers, whatever the definition is of; most
    /// severe first.
    pub fn spoken_of_in(&self, it: &Neighbour<'_>, definition: &Value) -> Vec<Likeness> {
        let mut told = Told::new(TOLD);
        let mut open = vec![definition];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => self.spoken_of(it, text, &mut told),
                Value::Array(items) => open.extend(items),
                Value::Object(members) => open.extend(members.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        told.sorted(|likeness| likeness.severity)
    }

    /// The tools of other servers that a text names, and whether it says what is to become of them.
    fn spoken_of(&self, it: &Neighbour<'_>, text: &str, told: &mut Told<Likeness>) {
        let Some(names) = &self.names else {
            return;
        };
        names.find(text, |spelled| {
            let is_told = told.is_full("likeness.speaks_for");
            // It speaks of itself: of what is called so by its letters, and not of what looks so.
            let said = text.get(spelled.span.clone()).unwrap_or_default();
            if is_told || letters(said).eq(letters(it.name)) {
                return;
            }
            let around = Around::of(text, &spelled.span);
            if spelled.spelling == Spelling::Apart && !around.names() {
                return;
            }
            let rule = match around.speaks_for() {
                true => "likeness.speaks_for",
                false => "likeness.speaks_of",
            };
            for other in self.others(it, spelled.of.iter().copied()) {
                if told.is_full(rule) {
                    break;
                }
                tell(told, rule, other);
            }
        });
    }

    fn others(
        &self,
        it: &Neighbour<'_>,
        found: impl IntoIterator<Item = usize>,
    ) -> impl Iterator<Item = &Known> {
        let (server, digest) = (it.server.to_owned(), it.digest);
        let known = found.into_iter().filter_map(|at| self.all.get(at));
        known.filter(move |known| known.server != server && known.digest != digest)
    }
}

/// What a name is spelled with, whatever stands between and in whatever case.
fn letters(name: &str) -> impl Iterator<Item = char> {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase)
}

fn tell(told: &mut Told<Likeness>, rule: &'static str, other: &Known) {
    let again =
        |it: &Likeness| it.rule == rule && it.server == other.server && it.name == other.name;
    if told.is_full(rule) || told.iter().any(again) {
        return;
    }
    let likeness = Likeness {
        rule,
        severity: named(rule).map_or(Severity::Medium, |rule| rule.severity),
        server: other.server.clone(),
        name: other.name.clone(),
    };
    told.add(rule, likeness);
}

/// A long name, and the same with each of its letters left out: two names that are a letter apart have
/// one of these in common.
fn shortened(look: &str) -> Vec<u64> {
    let letters: Vec<char> = look.chars().collect();
    if !(LONG..=spelling::LONGEST).contains(&letters.len()) {
        return Vec::new();
    }
    let whole = sketch::hash(look.bytes());
    let without = (0..letters.len()).map(|left_out| {
        let rest: String = letters
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|(_, c)| *c)
            .collect();
        sketch::hash(rest.bytes())
    });
    let mut keys: Vec<u64> = std::iter::once(whole).chain(without).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whether a name cannot be a word of prose: it joins words.
fn is_distinct(name: &str) -> bool {
    let joins = name.contains(['_', '-', '.', '/'])
        || name.chars().skip(1).any(|c| c.is_ascii_uppercase())
            && name.chars().any(|c| c.is_ascii_lowercase());
    name.len() >= DISTINCT && joins
}

#[cfg(test)]
mod tests;
