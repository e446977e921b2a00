//! Hidden text: what a person does not see and a model or a terminal does.
//!
//! What is hidden, and what belongs there although it cannot be seen:
//!
//! * **Tags** (U+E0000 block): hidden, but for the flags of England, Scotland and Wales.
//! * **Direction**: embeddings, overrides and isolates are hidden. A single LRM, RLM or ALM stays in
//!   a text that has a letter written from right to left.
//! * **No width**: joiners stay within an emoji and after a letter of a script that is written with
//!   them (Arabic, the Indic scripts, ...), zero-width spaces between letters of scripts written
//!   without spaces (Thai, Khmer, ...), a grapheme joiner after a Hebrew point, a Mongolian vowel
//!   separator between a letter and the A or E behind it. Never two in a row.
//!   Byte order marks, word joiners, soft hyphens, fillers and the rest are hidden.
//! * **Variation selectors**: one stays after a character that has variants.
//! * **Controls**: all but tab, line feed and carriage return are hidden; terminal escape sequences
//!   are hidden whole.
//!
//! This module never looks for meaning: whether visible text is hostile is not decided here.

mod ansi;
mod class;
mod scan;

pub use crate::view::fold::Strictness;
use controls::{Action, Control, Finding, Severity};
use scan::Scan;
use std::borrow::Cow;
use std::ops::Range;

/// A class of hidden text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hidden {
    /// A terminal escape sequence, counted once whole.
    Ansi,
    /// A character that changes the direction of what is around it.
    Bidi,
    /// A control character other than tab, line feed and carriage return.
    Control,
    /// A character of the tag block, which mirrors ASCII invisibly.
    Tag,
    /// A variation selector where none belongs, or more than one.
    VariationSelector,
    /// A character of no width that is not part of how a script or an emoji is written.
    ZeroWidth,
}

impl Hidden {
    /// Every class.
    pub const ALL: [Hidden; 6] = [
        Hidden::Ansi,
        Hidden::Bidi,
        Hidden::Control,
        Hidden::Tag,
        Hidden::VariationSelector,
        Hidden::ZeroWidth,
    ];

    /// The stable name of the rule.
    pub fn rule(self) -> &'static str {
        match self {
            Hidden::Ansi => "hidden_text.ansi",
            Hidden::Bidi => "hidden_text.bidi",
            Hidden::Control => "hidden_text.control",
            Hidden::Tag => "hidden_text.tags",
            Hidden::VariationSelector => "hidden_text.variation_selectors",
            Hidden::ZeroWidth => "hidden_text.zero_width",
        }
    }

    /// How much it matters.
    pub fn severity(self) -> Severity {
        match self {
            Hidden::Tag => Severity::Critical,
            Hidden::Bidi | Hidden::VariationSelector | Hidden::Ansi => Severity::High,
            Hidden::ZeroWidth | Hidden::Control => Severity::Medium,
        }
    }
}

/// Characters of hidden tag text that are worth showing.
const DECODED: usize = 256;

/// How much of each class a text holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen([u32; Hidden::ALL.len()]);

impl Seen {
    /// Whether nothing was seen.
    pub fn is_clean(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    /// How much of one class was seen.
    pub fn count(&self, class: Hidden) -> u32 {
        self.0.get(class as usize).copied().unwrap_or(0)
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: &Seen) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }

    fn add(&mut self, class: Hidden) {
        if let Some(count) = self.0.get_mut(class as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// One finding for each class that was seen.
    pub fn findings(
        &self,
        place: Cow<'static, str>,
        control: Control,
        action: Action,
    ) -> Vec<Finding> {
        Hidden::ALL
            .into_iter()
            .filter(|class| self.count(*class) > 0)
            .map(|class| Finding {
                control,
                rule: Cow::Borrowed(class.rule()),
                severity: class.severity(),
                place: place.clone(),
                count: self.count(class),
                action,
            })
            .collect()
    }
}

/// Counts the hidden text. Nothing is allocated; plain ASCII is passed over at memory speed.
pub fn examine(text: &str) -> Seen {
    let mut seen = Seen::default();
    for (_, class) in Scan::new(text) {
        seen.add(class);
    }
    seen
}

/// The text without what [`examine`] counts. Borrowed when there is nothing to remove.
pub fn clean(text: &str) -> Cow<'_, str> {
    let mut spans = Scan::new(text).peekable();
    if spans.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut kept = 0;
    for (span, _) in spans {
        cleaned.push_str(text.get(kept..span.start).unwrap_or_default());
        kept = span.end;
    }
    cleaned.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(cleaned)
}

/// Each hidden span of the text, in order.
pub(crate) fn spans(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    Scan::new(text).map(|(span, _)| span)
}

/// The parts of a text between what [`examine`] counts, each with its place.
pub fn visible(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut kept = 0;
    spans(text)
        .chain(std::iter::once(text.len()..text.len()))
        .filter_map(move |span| {
            let part = kept..span.start;
            kept = span.end;
            Some((part.clone(), text.get(part)?))
        })
}

/// How many words look like other ones: letters of another script stand in them for those of ASCII
/// (the confusables of UTS 39).
pub fn look_alikes(text: &str, strictness: Strictness) -> u32 {
    u32::try_from(crate::view::fold::disguised(text, strictness)).unwrap_or(u32::MAX)
}

/// What hidden tag characters say, in ASCII, for evidence. Bounded, and empty if there are none.
pub fn decode_tags(text: &str) -> String {
    Scan::new(text)
        .filter(|(_, class)| *class == Hidden::Tag)
        .filter_map(|(span, _)| text.get(span)?.chars().next())
        .filter_map(|tag| u8::try_from(u32::from(tag).checked_sub(0xe_0000)?).ok())
        .filter(|ascii| matches!(ascii, 0x20..=0x7e))
        .take(DECODED)
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests;
