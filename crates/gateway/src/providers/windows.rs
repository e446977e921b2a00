//! Long texts in pieces that a provider takes: each so long at most, each beginning before the end
//! of the one before, so that what is not longer than the overlap is seen whole in one of them.
//!
//! Lengths are counted in UTF-16 units: where a service counts "characters", nobody says of what
//! kind, and these are the most that there can be.

use std::ops::Range;

/// How a text is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// The longest piece, in UTF-16 units.
    pub(super) units: usize,
    /// How much of one piece is in the next one again, in UTF-16 units.
    pub(super) overlap: usize,
}

/// How long the text is, in UTF-16 units.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

impl Cut {
    /// The pieces, as byte ranges of the text. Linear: what is read twice is the overlaps.
    pub(super) fn pieces(self, text: &str) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut start = 0;
        while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
            let end = start + fitting(rest.chars(), self.units);
            pieces.push(start..end);
            if end == text.len() {
                break;
            }
            let seen = text.get(start..end).unwrap_or_default();
            let again = reaching(seen.chars().rev(), self.overlap);
            // INVARIANT: the overlap is shorter than a piece, so there is always a step forward.
            start = match end - again {
                next if next > start => next,
                _ => end,
            };
        }
        pieces
    }
}

/// How many bytes of these characters have so many units at most.
fn fitting(chars: impl Iterator<Item = char>, units: usize) -> usize {
    let mut left = units;
    let fits = chars.take_while(|c| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    });
    fits.map(char::len_utf8).sum()
}

/// How many bytes of these characters have so many units at least.
fn reaching(chars: impl Iterator<Item = char>, units: usize) -> usize {
    let mut reached = 0;
    let needed = chars.take_while(|c| {
        let short = reached < units;
        reached += c.len_utf16();
        short
    });
    needed.map(char::len_utf8).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUT: Cut = Cut {
        units: 20,
        overlap: 7,
    };

    #[test]
    fn n1_3_what_is_not_longer_than_the_overlap_is_whole_in_one_piece_wherever_it_stands() {
        for filler in ["a", "ä", "日", "🙂", "a🙂", "🙂日a"] {
            for attack in ["ATTACK!", "🙂TAC!!", "x"] {
                assert!(units(attack) <= CUT.overlap);
                for before in 0..70 {
                    let around: String = filler.chars().cycle().take(before).collect();
                    let text = format!("{around}{attack}{around}");
                    let pieces = CUT.pieces(&text);
                    let seen = pieces
                        .iter()
                        .any(|piece| text.get(piece.clone()).unwrap().contains(attack));
                    assert!(seen, "{filler} {attack} {before}");
                }
            }
        }
    }

    #[test]
    fn pieces_cover_the_text_in_their_order_and_none_is_too_long() {
        for (text, expected) in [
            ("", 0),
            ("short", 1),
            (&*"a".repeat(20), 1),
            (&*"a".repeat(21), 2),
            (&*"a".repeat(33), 2),
            (&*"a".repeat(34), 3),
            (&*"🙂".repeat(10), 1),
            (&*"🙂".repeat(11), 2),
            (&*"ß日🙂".repeat(30), 10),
        ] {
            let pieces = CUT.pieces(text);
            assert_eq!(pieces.len(), expected, "{text}");
            let mut end = 0;
            for piece in pieces {
                assert!(piece.start <= end && piece.end > end, "{text}");
                assert!(
                    units(text.get(piece.clone()).unwrap()) <= CUT.units,
                    "{text}"
                );
                end = piece.end;
            }
            assert_eq!(end, text.len(), "{text}");
        }
    }

    #[test]
    fn a_cut_that_could_not_go_on_goes_on_all_the_same() {
        let cut = Cut {
            units: 2,
            overlap: 2,
        };
        assert_eq!(cut.pieces("a🙂b"), [0..1, 1..5, 5..6]);
    }
}
