//! Texts of a form: drawn from the regular expression of a rule, and from nothing that the rules are
//! looked for with.

use super::draw::Draw;
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Repetition};
use std::ops::Range;

/// How long what is drawn becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// Of each part as many as the form lets, or fewer.
    Any,
    /// As short as the form lets.
    Least,
    /// As long as the form lets.
    Most,
}

/// A text of a form, and where in it what the form marks as the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) text: String,
    pub(super) value: Range<usize>,
}

impl Drawn {
    /// The same with another value.
    pub(super) fn with(&self, value: &str) -> Drawn {
        let mut text = self.text.clone();
        text.replace_range(self.value.clone(), value);
        Drawn {
            text,
            value: self.value.start..self.value.start + value.len(),
        }
    }
}

/// Of what has no end, so many more than the least.
const MORE: u32 = 24;

/// A regular expression, to draw from.
pub(super) struct Form(Hir);

impl Form {
    pub(super) fn of(pattern: &str) -> Form {
        Form(regex_syntax::parse(pattern).unwrap())
    }

    /// One text of the form. It is the value whole where the form marks none.
    pub(super) fn draw(&self, length: Length, draw: &mut Draw) -> Drawn {
        let mut text = String::new();
        let mut value = None;
        add(&self.0, length, draw, &mut text, &mut value);
        let value = value.unwrap_or(0..text.len());
        Drawn { text, value }
    }
}

fn add(
    part: &Hir,
    length: Length,
    draw: &mut Draw,
    text: &mut String,
    value: &mut Option<Range<usize>>,
) {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).unwrap()),
        HirKind::Class(Class::Unicode(class)) => text.push(sign(class, draw)),
        HirKind::Class(Class::Bytes(class)) => {
            text.push(sign(&class.to_unicode_class().unwrap(), draw));
        }
        HirKind::Repetition(repetition) => {
            for _ in 0..times(repetition, length, draw) {
                add(&repetition.sub, length, draw, text, value);
            }
        }
        HirKind::Capture(capture) => {
            let start = text.len();
            add(&capture.sub, length, draw, text, value);
            if capture.index == 1 {
                *value = Some(start..text.len());
            }
        }
        HirKind::Concat(parts) => {
            for part in parts {
                add(part, length, draw, text, value);
            }
        }
        HirKind::Alternation(parts) => {
            // The end of a text is no sign, and other signs follow here.
            let signs: Vec<&Hir> = parts
                .iter()
                .filter(|part| part.properties().look_set().is_empty())
                .collect();
            add(signs[draw.index(signs.len())], length, draw, text, value);
        }
    }
}

fn times(repetition: &Repetition, length: Length, draw: &mut Draw) -> u32 {
    let least = repetition.min;
    let most = repetition.max.unwrap_or(least + MORE);
    match length {
        Length::Least => least,
        Length::Most => most,
        Length::Any => {
            let most = most.min(least + MORE);
            least + u32::try_from(draw.next(u64::from(most - least + 1))).unwrap()
        }
    }
}

/// A sign of a class: one that is printed, where the class has any.
fn sign(class: &ClassUnicode, draw: &mut Draw) -> char {
    let printed = |sign: &char| sign.is_ascii_graphic() || *sign == ' ';
    // Most classes have nothing else: the first one drawn does.
    let drawn = (0..TRIES).map(|_| any(class, draw)).find(printed);
    let all = || {
        class
            .ranges()
            .iter()
            .flat_map(|range| range.start()..=range.end())
    };
    let first = drawn.or_else(|| all().find(printed));
    first.unwrap_or_else(|| any(class, draw))
}

fn any(class: &ClassUnicode, draw: &mut Draw) -> char {
    let ranges = class.ranges();
    let length = |at: usize| u64::from(ranges[at].end()) - u64::from(ranges[at].start()) + 1;
    let mut left = draw.next((0..ranges.len()).map(length).sum());
    for (at, range) in ranges.iter().enumerate() {
        if left < length(at) {
            let code = u32::from(range.start()) + u32::try_from(left).unwrap();
            // What lies between two halves of a surrogate pair is no character.
            return char::from_u32(code).unwrap_or_else(|| range.start());
        }
        left -= length(at);
    }
    panic!("a class has a character for each number below its size")
}

/// How often one is drawn until it is one that is printed.
const TRIES: usize = 8;
