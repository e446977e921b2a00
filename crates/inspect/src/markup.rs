//! Markup in prose that does something: HTML that runs or loads, addresses that run, images and links
//! that carry data out (control 1.4).
//!
//! The text is read the way two careless readers would: a browser that is handed it, and a Markdown
//! renderer that lets HTML through. Where the two disagree about where a tag begins or ends, what either
//! of them would run counts. Code in Markdown is text about markup and stays as it is, but only where
//! every renderer takes it for code; see [`code`].
//!
//! What is neutralised stays readable, and each construct in one way:
//!
//! | construct | becomes |
//! | --- | --- |
//! | an element that runs, loads or sends | its `<` becomes `&lt;` |
//! | an event handler, an active `style` | `data-` stands before its name, which makes it one of nothing |
//! | an address that runs | its `:` becomes `%3A`, which makes it a harmless relative one |
//! | an image that carries data out | its alternative text and `[image removed: host]` |
//! | a link that carries data out | its text and `[link removed: host]` |
//! | an address that stands alone | another one, of nothing; see [`alone()`] |
//!
//! Neutralising is repeated until nothing is found, so that nothing new comes about by it; a text that
//! resists is withheld as a whole. This module never judges what a text says, and never looks up a host.

mod address;
mod alone;
mod carry;
mod code;
mod entity;
mod html;
mod load;
mod rule;
mod scan;
#[cfg(test)]
mod tests;

pub use alone::{Alone, BLANK, alone};
pub use carry::{Host, Hosts, Use};
pub use rule::{Family, Rule};
pub use scan::may_hold;

use crate::Match;
use std::borrow::Cow;
use std::ops::Range;

/// Places of one text that are told one by one; what is beyond is counted.
pub const MATCHES: usize = 256;

/// Changes of one text; one that needs more is withheld.
const EDITS: usize = 65_536;

/// How often a text is neutralised before it counts as one that resists.
const ROUNDS: usize = 4;

/// What stands in the place of a text that resists.
pub const WITHHELD: &str = "[text withheld by the gateway: its markup cannot be made harmless]";

/// What is done about one family of constructs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Treatment {
    /// Rewritten so that nothing runs it.
    Neutralise,
    /// Not looked for.
    #[default]
    Off,
    /// Told.
    Report,
}

/// What a text is, so far as somebody said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Prose or Markdown: what it holds may be rendered.
    Prose,
    /// A file of a format that is markup or code itself: told about, never changed.
    Source,
}

/// What is done about each family, and which hosts data may be carried to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// About HTML that runs or loads, and addresses that run.
    pub markup: Treatment,
    /// About images that carry data out: a client loads them by itself.
    pub images: Treatment,
    /// About links that carry data out: somebody follows them.
    pub links: Treatment,
    /// Where data may be carried.
    pub hosts: Hosts,
}

impl Settings {
    /// What is done about a family.
    pub fn of(&self, family: Family) -> Treatment {
        match family {
            Family::Image => self.images,
            Family::Link => self.links,
            Family::Markup => self.markup,
        }
    }

    fn is_off(&self) -> bool {
        [self.markup, self.images, self.links] == [Treatment::Off; 3]
    }
}

/// What was found in one text: the first places one by one, and how often each rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    matches: Vec<Match>,
    counts: [u32; Rule::ALL.len()],
}

impl Tally {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// Each rule that found something, and how often.
    pub fn counts(&self) -> impl Iterator<Item = (Rule, u32)> {
        let counted = Rule::ALL.into_iter().zip(self.counts);
        counted.filter(|(_, count)| *count > 0)
    }

    /// The first [`MATCHES`] places, in bytes of the text that was given.
    pub fn matches(&self) -> &[Match] {
        &self.matches
    }

    fn add(&mut self, rule: Rule, range: Range<usize>) {
        if let Some(count) = self.counts.get_mut(rule as usize) {
            *count = count.saturating_add(1);
        }
        if self.matches.len() < MATCHES {
            self.matches.push(Match {
                range,
                rule: rule.name().into(),
                severity: rule.severity(),
            });
        }
    }
}

/// What was found in one text, and what the text is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked<'t> {
    /// The text; borrowed where nothing was changed.
    pub text: Cow<'t, str>,
    /// What was found in it as it was.
    pub tally: Tally,
}

/// Looks at a text, and rewrites what the settings say. It takes time linear in its length, whatever
/// it holds.
pub fn examine<'t>(text: &'t str, reading: Reading, settings: &Settings) -> Looked<'t> {
    let mut looked = Looked {
        text: Cow::Borrowed(text),
        tally: Tally::default(),
    };
    if settings.is_off() || !may_hold(text) {
        return looked;
    }
    let (tally, edits) = scan::scan(text, settings);
    looked.tally = tally;
    if reading == Reading::Source || edits.is_clean() {
        return looked;
    }
    let mut now = edits.apply(text);
    for _ in 0..ROUNDS {
        let Some(changed) = now else { break };
        let (_, edits) = scan::scan(&changed, settings);
        if edits.is_clean() {
            looked.text = Cow::Owned(changed);
            return looked;
        }
        now = edits.apply(&changed);
    }
    looked.tally.add(Rule::Withheld, 0..text.len());
    looked.text = Cow::Borrowed(WITHHELD);
    looked
}

/// What is changed in a text: ranges of it, and what takes their place.
#[derive(Debug, Default)]
struct Edits {
    list: Vec<(Range<usize>, Cow<'static, str>)>,
    /// Set where the text cannot be dealt with in parts.
    is_hopeless: bool,
}

impl Edits {
    fn replace(&mut self, range: Range<usize>, by: impl Into<Cow<'static, str>>) {
        match self.list.len() < EDITS {
            true => self.list.push((range, by.into())),
            false => self.is_hopeless = true,
        }
    }

    fn is_clean(&self) -> bool {
        self.list.is_empty() && !self.is_hopeless
    }

    /// The text with the changes, or nothing if it cannot be had. Of two changes that overlap the first
    /// is made: another round sees to what is left.
    fn apply(mut self, text: &str) -> Option<String> {
        if self.is_hopeless {
            return None;
        }
        self.list.sort_by_key(|(range, _)| (range.start, range.end));
        let mut changed = String::with_capacity(text.len() + 64);
        let mut kept = 0;
        for (range, by) in self.list {
            if range.start < kept {
                continue;
            }
            changed.push_str(text.get(kept..range.start)?);
            changed.push_str(&by);
            kept = range.end;
        }
        changed.push_str(text.get(kept..)?);
        Some(changed)
    }
}
