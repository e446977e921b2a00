//! Where a text names something, however the name is spelled: in capitals, with other separators, in one
//! word or in several, with letters that look alike. What the text says of it is not asked here.

use super::words;
use crate::pin::prototype;
use crate::text;
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes of a name that is looked for, as it looks.
const LONGEST: usize = 256;

/// Names that are looked for, and what they name.
#[derive(Debug)]
pub(super) struct Names {
    automaton: AhoCorasick,
    all: Vec<Name>,
}

/// One name, however many things have it.
#[derive(Debug)]
struct Name {
    joints: Vec<Joint>,
    of: Vec<usize>,
}

/// What parts two words of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mark {
    /// A capital behind a small letter.
    Capital,
    /// Emphasis, which parts nothing within a name.
    Emphasis,
    Hyphen,
    /// Several of these.
    Mixed,
    /// A full stop, a colon or a slash.
    Point,
    Space,
    /// One low line, or more.
    Low,
    Lows,
}

/// Where words are parted in what is left when nothing parts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Joint {
    at: usize,
    mark: Mark,
}

/// How a name is spelled in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As words are spelled in prose: it takes more to tell that they are a name.
    Apart,
    /// As nothing but a name is.
    Joined,
}

/// A place where a text spells a name.
#[derive(Debug)]
pub(super) struct Spelled<'a> {
    /// The bytes of the text.
    pub(super) span: Range<usize>,
    pub(super) spelling: Spelling,
    /// What has that name.
    pub(super) of: &'a [usize],
}

impl Names {
    /// Makes names ready to be found. Nothing if there are too many of them.
    pub(super) fn of<'a>(names: impl IntoIterator<Item = (&'a str, usize)>) -> Option<Names> {
        let mut known: HashMap<(String, Vec<Joint>), usize> = HashMap::new();
        let mut looks = Vec::new();
        let mut all: Vec<Name> = Vec::new();
        for (name, number) in names {
            let plain = Plain::of(name);
            if plain.text.is_empty() || plain.text.len() > LONGEST {
                continue;
            }
            let key = (plain.text, plain.joints);
            let at = *known.entry(key).or_insert_with_key(|(look, joints)| {
                looks.push(look.clone());
                all.push(Name {
                    joints: joints.clone(),
                    of: Vec::new(),
                });
                all.len() - 1
            });
            if let Some(name) = all.get_mut(at) {
                name.of.push(number);
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(looks)
            .ok()?;
        Some(Names { automaton, all })
    }

    /// Calls back for every place where a text spells one of the names.
    pub(super) fn find(&self, text: &str, mut found: impl FnMut(&Spelled<'_>)) {
        let plain = Plain::of(text);
        for hit in self.automaton.find_overlapping_iter(&plain.text) {
            let range = hit.range();
            let name = self.all.get(hit.pattern().as_usize());
            let Some(name) = name.filter(|_| plain.is_whole(&range)) else {
                continue;
            };
            let Some(spelling) = plain.spelling(&range, &name.joints) else {
                continue;
            };
            found(&Spelled {
                span: plain.original(&range),
                spelling,
                of: &name.of,
            });
        }
    }
}

/// A text as it looks, letter by letter, without what parts words: in small letters, and letters that look
/// alike become one.
struct Plain<'t> {
    original: &'t str,
    text: String,
    /// Where in the original each byte comes from.
    places: Vec<usize>,
    /// What parts the letters, in order.
    joints: Vec<Joint>,
}

impl<'t> Plain<'t> {
    fn of(original: &'t str) -> Self {
        let mut plain = Plain {
            original,
            text: String::with_capacity(original.len()),
            places: Vec::with_capacity(original.len()),
            joints: Vec::new(),
        };
        let mut before = ' ';
        for (span, part) in text::visible(original) {
            for (at, c) in part.char_indices() {
                let begins = c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
                if begins {
                    plain.part(Mark::Capital);
                }
                looks(c, |c| plain.take(c, span.start + at));
                before = c;
            }
        }
        plain
    }

    fn take(&mut self, c: char, at: usize) {
        let mark = match c {
            // The backslash of Markdown is not shown.
            '\\' => return,
            '*' | '`' => Mark::Emphasis,
            '_' => Mark::Low,
            '-' | '\u{2010}'..='\u{2015}' => Mark::Hyphen,
            '.' | '/' | ':' => Mark::Point,
            _ if c.is_whitespace() => Mark::Space,
            _ => {
                self.text.push(c);
                self.places.resize(self.text.len(), at);
                return;
            }
        };
        self.part(mark);
    }

    fn part(&mut self, mark: Mark) {
        let at = self.text.len();
        let Some(last) = self.joints.last_mut().filter(|last| last.at == at) else {
            self.joints.push(Joint { at, mark });
            return;
        };
        last.mark = match (last.mark, mark) {
            (one, Mark::Emphasis | Mark::Capital) | (Mark::Emphasis | Mark::Capital, one) => one,
            (Mark::Low | Mark::Lows, Mark::Low) => Mark::Lows,
            (Mark::Space, Mark::Space) => Mark::Space,
            _ => Mark::Mixed,
        };
    }

    fn joint(&self, at: usize) -> Option<Mark> {
        let found = self.joints.binary_search_by_key(&at, |joint| joint.at);
        let joint = found.ok().and_then(|found| self.joints.get(found))?;
        Some(joint.mark)
    }

    /// Whether a name is not a part of a longer one. What stands before two low lines is a server.
    fn is_whole(&self, span: &Range<usize>) -> bool {
        let is_letter = |place: Option<&usize>| {
            let rest = place.and_then(|at| self.original.get(*at..));
            rest.and_then(|rest| rest.chars().next())
                .is_some_and(|c| c.is_ascii_alphanumeric())
        };
        let before = span.start.checked_sub(1);
        let begins = match self.joint(span.start) {
            None | Some(Mark::Capital) => !is_letter(before.and_then(|at| self.places.get(at))),
            Some(Mark::Low) => span.start == 0,
            Some(_) => true,
        };
        let ends = match self.joint(span.end) {
            None | Some(Mark::Capital) => !is_letter(self.places.get(span.end)),
            Some(Mark::Low | Mark::Lows) => span.end == self.text.len(),
            Some(_) => true,
        };
        begins && ends
    }

    /// How a name is spelled here; nothing if its words are parted otherwise than between each other.
    fn spelling(&self, span: &Range<usize>, joints: &[Joint]) -> Option<Spelling> {
        let first = self.joints.partition_point(|joint| joint.at <= span.start);
        let within = self.joints.get(first..)?.iter();
        let (mut is_parted, mut is_apart) = (false, false);
        let mut own = joints.iter().peekable();
        for joint in within.take_while(|joint| joint.at < span.end) {
            let at = joint.at - span.start;
            while own.next_if(|own| own.at < at).is_some() {}
            let own = own.peek().filter(|own| own.at == at);
            match (joint.mark, own) {
                (Mark::Emphasis, _) | (Mark::Capital, None) => {}
                (Mark::Mixed, _) | (_, None) => return None,
                (Mark::Capital | Mark::Low | Mark::Lows, Some(_)) => is_parted = true,
                (Mark::Hyphen | Mark::Point, Some(own)) if joint.mark == own.mark => {
                    is_parted = true
                }
                // A hyphen joins words of prose as well.
                (_, Some(_)) => is_apart = true,
            }
        }
        Some(match is_parted && !is_apart {
            true => Spelling::Joined,
            false => Spelling::Apart,
        })
    }

    fn original(&self, span: &Range<usize>) -> Range<usize> {
        let place = |at: usize| self.places.get(at).copied().unwrap_or_default();
        let last = place(span.end.saturating_sub(1));
        let length = self.original.get(last..).and_then(|it| it.chars().next());
        place(span.start)..last + length.map_or(0, char::len_utf8)
    }
}

/// What each character of ASCII looks like in small letters.
static ASCII: LazyLock<Vec<Vec<char>>> =
    LazyLock::new(|| (0u8..128).map(|byte| small(char::from(byte))).collect());

fn small(c: char) -> Vec<char> {
    let looks = c.to_lowercase().flat_map(prototype);
    looks.flat_map(char::to_lowercase).collect()
}

/// What a character looks like in small letters, letter by letter.
fn looks(c: char, mut each: impl FnMut(char)) {
    let ascii = u8::try_from(c).ok().map(usize::from);
    match ascii.and_then(|at| ASCII.get(at)) {
        Some(looks) => looks.iter().for_each(|c| each(*c)),
        None => small(c).into_iter().for_each(each),
    }
}

/// A text as its words look: one space for any white space, nothing hidden, no marks of emphasis, and
/// [`words::STOP`] behind a sentence.
pub(super) fn read(original: &str) -> String {
    let mut read = String::with_capacity(original.len());
    let mut lines = 0;
    for c in text::visible(original).flat_map(|(_, part)| part.chars()) {
        let ends = read.ends_with(['.', '!', '?']) && c.is_whitespace();
        lines = if c == '\n' {
            lines + 1
        } else if c.is_whitespace() {
            lines
        } else {
            0
        };
        if ends || lines == 2 || matches!(c, '。' | '！' | '？') {
            read.push(words::STOP);
            continue;
        }
        match c {
            '\\' | '*' | '`' => {}
            _ if c.is_whitespace() => {
                if !read.is_empty() && !read.ends_with([' ', words::STOP]) {
                    read.push(' ');
                }
            }
            _ => looks(c, |c| read.push(c)),
        }
    }
    read
}
