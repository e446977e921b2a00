//! Whether a text that names a tool says what is to become of it, by the words beside the name.
//!
//! To name a tool, to say that one works like it, or what to use for what, is what honest descriptions do:
//! a condition counts where the tool itself is what is met by it, a duty where the tool or something of it
//! has it. Of where tools are told from words of prose, see [`super::spelled`].

use super::spelled;
use super::words::{ARTICLES, NOUNS, STOP, Said, TABLE, VERBS};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes around a name in which words say what is to become of that tool.
const AROUND: usize = 96;
/// Bytes in which words say it whatever stands between.
const CLOSE: usize = 64;
/// Bytes between a condition and what meets it.
const MET: usize = 12;
/// Bytes between something and its duty.
const DUTY: usize = 40;
/// Words behind which something differs.
const BUT: &[&str] = &["but", "aber", "mais", "pero"];
/// Bytes behind a colon.
const COLON: usize = 24;

/// The automaton, and what each of its words says. None only if it could not be built; then nothing is
/// found, and the tests fail.
static WORDS: LazyLock<Option<(AhoCorasick, Vec<Said>)>> = LazyLock::new(|| {
    let words = TABLE.iter().flat_map(|(_, words)| words.iter());
    let said = TABLE
        .iter()
        .flat_map(|(said, words)| std::iter::repeat_n(*said, words.len()));
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words.map(|word| spelled::read(word)));
    Some((automaton.ok()?, said.collect()))
});

static LEFT_OUT: LazyLock<[Vec<String>; 2]> = LazyLock::new(|| {
    [ARTICLES, NOUNS].map(|words| words.iter().map(|word| spelled::read(word)).collect())
});

/// What stands on one side of a name, in its sentence.
#[derive(Debug, Default)]
struct Side {
    text: String,
    said: Vec<(Said, Range<usize>)>,
    /// Whether it is called a tool there, and whether an article stands there.
    is_tool: bool,
    has_article: bool,
}

/// What stands around a name.
#[derive(Debug)]
pub(super) struct Around {
    before: Side,
    after: Side,
    is_quoted: bool,
    /// Whether the name does, as it is spelled here.
    begins_with_verb: bool,
    /// Whether words beside it say so whatever stands between.
    is_said: bool,
    /// Whether an address of mail stands in the sentence.
    has_mail: bool,
}

impl Around {
    /// Reads what stands around these bytes of a text.
    pub(super) fn of(text: &str, span: &Range<usize>) -> Around {
        let start = text.floor_char_boundary(span.start.saturating_sub(AROUND));
        let end = text.ceil_char_boundary(span.end.saturating_add(AROUND).min(text.len()));
        let before = text.get(start..span.start).unwrap_or_default();
        let after = text.get(span.end..end).unwrap_or_default();
        let is_quote = |c: char| "`\"'“”‘’«»「」『』*".contains(c);
        let is_quoted = before.ends_with(is_quote) && after.starts_with(is_quote);
        let name = text.get(span.clone()).unwrap_or_default();
        let first = name.split_whitespace().next().unwrap_or_default();
        let begins_with_verb = VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(first));
        let (before, after) = (spelled::read(before), spelled::read(after));
        let near = before.get(before.ceil_char_boundary(before.len().saturating_sub(CLOSE))..);
        let far = after.get(..after.floor_char_boundary(CLOSE));
        let is_said = [near, far].into_iter().flatten().any(|near| {
            let mut said = said(near).into_iter();
            said.any(|(said, _)| said == Said::Instead)
        });
        let before = before.rsplit(STOP).next().unwrap_or_default();
        let after = sentence(&after);
        let has_mail = [before, after].into_iter().any(has_mail);
        Around {
            before: Side::before(before),
            after: Side::after(after),
            is_quoted,
            begins_with_verb,
            is_said,
            has_mail,
        }
    }

    /// Whether words that could be prose are told to be a name here.
    pub(super) fn names(&self) -> bool {
        let is_called = self.begins_with_verb || self.after.starts(Said::Called);
        self.is_quoted
            || self.before.is_tool
            || self.after.is_tool
            || self.before.ends(Said::Calling)
            || self.is_used_on_condition() && is_called && !self.before.has_article
    }

    /// Whether it is said what is to become of what is named.
    pub(super) fn speaks_for(&self) -> bool {
        self.is_said
            || self.is_used_on_condition()
            || self.is_used_and_changed()
            || self.has_a_duty()
            || self.before.ends(Said::Effect)
            || self.after.starts(Said::Becomes)
            || self.before.has(Said::Present)
            || self.after.has(Said::Present)
            || self.has_mail && (self.has(Said::Mail) || self.after.text.starts_with(':'))
    }

    fn has(&self, said: Said) -> bool {
        self.before.has(said) || self.after.has(said)
    }

    /// `When x is called`.
    fn is_used_on_condition(&self) -> bool {
        let text = self.before.text.as_str();
        let is_met = |range: &Range<usize>| {
            let between = text.get(range.end..).unwrap_or_default();
            between.len() <= MET && !between.contains([',', ';', ':'])
        };
        let mut all = self.before.all(Said::Trigger);
        self.after.starts(Said::Used) && all.any(is_met)
    }

    /// Whether the clause up to the name says when something else is to be used.
    fn is_condition(&self) -> bool {
        let text = self.before.text.as_str();
        self.before.all(Said::Trigger).any(|range| {
            let between = text.get(range.end..).unwrap_or_default();
            !between.contains([',', ';', ':'])
        })
    }

    /// `When calling x, add`.
    fn is_used_and_changed(&self) -> bool {
        let begins = |range: &Range<usize>| {
            let text = self.after.text.get(..range.start).unwrap_or_default();
            let text = text.trim_end();
            let words = ["and", "then", "please", "always", "also", "first", "you"];
            let joins = text
                .rsplit(' ')
                .next()
                .is_some_and(|it| words.iter().any(|word| spelled::read(word) == it));
            joins || text.is_empty() || text.ends_with([',', ':', ';', '、', '，', '时', '時'])
        };
        let changed = self.after.all(Said::Change).any(begins) || self.after.has(Said::Must);
        self.before.ends(Said::Using) && (changed || self.has_mail)
    }

    /// `x must`, `results of x must`, `x: its recipient must`.
    fn has_a_duty(&self) -> bool {
        let after = &self.after;
        let within = |from: usize, said: Said| {
            let mut all = after.all(said);
            all.any(|range| range.start >= from && range.start <= from + DUTY)
        };
        let mut its = after.all(Said::Its).filter(|range| {
            // What is like it and differs in something is another one.
            let between = after.text.get(..range.start).unwrap_or_default();
            !between.split(' ').any(|word| BUT.contains(&word))
        });
        let its = its.any(|range| within(range.end, Said::Must));
        let of = self.before.ends(Said::Of)
            && !self.is_condition()
            && (within(0, Said::Must) || within(0, Said::Goes));
        let owned = after.text.starts_with("'s ") && within(0, Said::Must);
        let mut always = after.all(Said::Always);
        let ordered = after.text.starts_with(':') && always.any(|range| range.start <= COLON);
        let own = after.starts(Said::Must) && !self.before.ends(Said::Of);
        own || its || of || owned || ordered
    }
}

impl Side {
    fn before(text: &str) -> Side {
        let mut side = Side::default();
        let mut text = text.trim_end();
        loop {
            let bare = text.trim_end_matches(is_mark).trim_end();
            let ends = |words: &Vec<String>| words.iter().find_map(|word| ending(bare, word));
            let [articles, nouns] = &*LEFT_OUT;
            text = match (ends(articles), ends(nouns)) {
                (Some(left), _) => {
                    side.has_article = true;
                    left
                }
                (_, Some(left)) => {
                    side.is_tool = true;
                    left
                }
                _ => {
                    side.text = bare.to_owned();
                    break;
                }
            };
        }
        side.said = said(&side.text);
        side
    }

    fn after(text: &str) -> Side {
        let mut side = Side::default();
        let text = text.trim_start_matches(|c| c != '\'' && is_mark(c));
        let text = text.trim_start_matches("''").trim_start();
        let text = text.strip_prefix("' ").unwrap_or(text);
        let [_, nouns] = &*LEFT_OUT;
        let found = nouns.iter().find_map(|word| beginning(text, word));
        side.is_tool = found.is_some();
        side.text = found.unwrap_or(text).trim_start().to_owned();
        side.said = said(&side.text);
        side
    }

    fn all(&self, said: Said) -> impl Iterator<Item = &Range<usize>> {
        let all = self.said.iter().filter(move |(it, _)| *it == said);
        all.map(|(_, range)| range)
    }

    fn has(&self, said: Said) -> bool {
        self.all(said).next().is_some()
    }

    fn starts(&self, said: Said) -> bool {
        self.all(said).any(|range| range.start == 0)
    }

    fn ends(&self, said: Said) -> bool {
        self.all(said).any(|range| range.end == self.text.len())
    }
}

/// What stands around a name and is no word.
fn is_mark(c: char) -> bool {
    "'\"“”‘’«»「」『』()[]".contains(c)
}

/// What is left of a text without the word at its end; one that is no part of a longer one.
fn ending<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let left = text.strip_suffix(word)?;
    let is_part = word.is_ascii() && left.ends_with(|c: char| c.is_ascii_alphanumeric());
    (!is_part).then_some(left.trim_end())
}

fn beginning<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let left = text.strip_prefix(word)?;
    let is_part = word.is_ascii() && left.starts_with(|c: char| c.is_ascii_alphanumeric());
    (!is_part).then_some(left)
}

/// What follows a name in its sentence, and in the next if that goes on about it.
fn sentence(after: &str) -> &str {
    let its = spelled::read("its ");
    let mut end = after.find(STOP).unwrap_or(after.len());
    let next = after
        .get(end..)
        .unwrap_or_default()
        .trim_start_matches(STOP);
    if next.starts_with(&its) {
        end = after.len();
    }
    after.get(..end).unwrap_or_default()
}

/// The words that say something, and where; none that is a part of a longer one.
fn said(text: &str) -> Vec<(Said, Range<usize>)> {
    let Some((automaton, said)) = WORDS.as_ref() else {
        return Vec::new();
    };
    let bytes = text.as_bytes();
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let found = automaton.find_overlapping_iter(text).filter(|found| {
        let before = found.start().checked_sub(1).and_then(|at| bytes.get(at));
        let last = found.end().checked_sub(1).and_then(|at| bytes.get(at));
        let begins_within = is_letter(before) && is_letter(bytes.get(found.start()));
        let ends_within = is_letter(last) && is_letter(bytes.get(found.end()));
        !begins_within && !ends_within
    });
    found
        .filter_map(|found| Some((*said.get(found.pattern().as_usize())?, found.range())))
        .collect()
}

/// Whether something in it has the form of an address of mail, or begins like one at its end.
fn has_mail(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    memchr::memchr_iter(b'@', bytes).any(|at| {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        is_part(before) && is_part(bytes.get(at + 1))
    })
}
