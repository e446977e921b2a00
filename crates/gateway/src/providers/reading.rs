//! The texts of one message as a detector reads them: joined in their order, because a model reads
//! them so and an attack may lie across two of them, with the place of each kept beside.

use inspect::view::{Budget, Kept, Views};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

/// What stands between two texts.
const BETWEEN: char = '\n';

/// The texts of one message, in its order.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    text: String,
    /// Where each text begins, in bytes, and its JSON Pointer.
    starts: Vec<(usize, String)>,
    /// Made when somebody asks for them first.
    views: OnceLock<Kept>,
}

impl Reading {
    /// Adds a text that stands at this JSON Pointer. An empty one says nothing.
    pub fn push(&mut self, place: String, text: &str) {
        if text.is_empty() {
            return;
        }
        self.views.take();
        if !self.text.is_empty() {
            self.text.push(BETWEEN);
        }
        self.starts.push((self.text.len(), place));
        self.text.push_str(text);
    }

    /// Adds everything of another message.
    pub fn extend(&mut self, other: &Reading) {
        let ends = other
            .starts
            .iter()
            .skip(1)
            .map(|(start, _)| start - BETWEEN.len_utf8());
        for ((start, place), end) in other.starts.iter().zip(ends.chain([other.text.len()])) {
            let text = other.text.get(*start..end).unwrap_or_default();
            self.push(place.clone(), text);
        }
    }

    /// Everything, one text after the other.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says where it is written otherwise: decoded, without what nobody sees, without its markup. They
    /// are made when somebody asks for them, once for everybody who does, within the bounds of every
    /// text; spans of them are spans of [`text`](Self::text).
    pub fn views(&self) -> Views<'_> {
        let kept = self
            .views
            .get_or_init(|| Kept::new(&self.text, &Budget::default()));
        kept.of(&self.text)
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Where these bytes of it stand in the message: the place of the text, or of what holds all
    /// the texts that they are part of.
    pub fn place(&self, range: &Range<usize>) -> Cow<'_, str> {
        let first = self
            .starts
            .partition_point(|(start, _)| *start <= range.start);
        let end = self.starts.partition_point(|(start, _)| *start < range.end);
        let touched = self.starts.get(first.saturating_sub(1)..end);
        let mut places = touched
            .unwrap_or_default()
            .iter()
            .map(|(_, place)| &**place);
        let first = places.next().unwrap_or_default();
        places.fold(Cow::Borrowed(first), |shared, place| {
            shared_of(shared, place)
        })
    }
}

/// The pointer of what holds both.
fn shared_of<'a>(one: Cow<'a, str>, other: &str) -> Cow<'a, str> {
    let mut end = 0;
    let mut tokens = other.split('/').skip(1);
    for token in one.split('/').skip(1) {
        if tokens.next() != Some(token) {
            break;
        }
        end += 1 + token.len();
    }
    match one {
        Cow::Borrowed(one) => Cow::Borrowed(one.get(..end).unwrap_or_default()),
        Cow::Owned(mut one) => {
            one.truncate(end);
            Cow::Owned(one)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_in_their_order_and_a_part_is_found_again_in_the_message() {
        let mut reading = Reading::default();
        assert!(reading.is_empty());
        assert_eq!(reading.place(&(0..0)), "");
        for (place, text) in [
            ("/result/content/0/text", "one"),
            ("/result/content/1/text", ""),
            ("/result/content/2/text", "two"),
            ("/result/structuredContent/a~1b", "three"),
            ("/result/structuredContent/a~1bc", "four"),
        ] {
            reading.push(place.to_owned(), text);
        }
        assert_eq!(reading.text(), "one\ntwo\nthree\nfour");
        for (range, expected) in [
            (0..3, "/result/content/0/text"),
            (1..2, "/result/content/0/text"),
            (4..7, "/result/content/2/text"),
            (2..5, "/result/content"),
            (8..13, "/result/structuredContent/a~1b"),
            (8..18, "/result/structuredContent"),
            (0..18, "/result"),
            (5..18, "/result"),
        ] {
            assert_eq!(reading.place(&range), expected, "{range:?}");
        }
        let mut together = Reading::default();
        together.extend(&reading);
        assert_eq!(together.starts, reading.starts);
        together.extend(&reading);
        let twice = [reading.text(), reading.text()].join("\n");
        assert_eq!(together.text(), twice);
        let last = twice.len() - 2..twice.len();
        assert_eq!(together.place(&last), "/result/structuredContent/a~1bc");
    }
}
