//! Many words that one word is looked up among. Most of what is looked up is none of them, and known for
//! that by its first letter and its length.

/// Words, in lower case, of fewer than 32 letters.
#[derive(Debug)]
pub(crate) struct Words {
    all: &'static [&'static str],
    /// For each first letter the lengths of its words, as bits.
    lengths: [u32; 26],
}

impl Words {
    /// These words; each begins with a letter of ASCII.
    pub(crate) const fn new(all: &'static [&'static str]) -> Words {
        let mut lengths = [0; 26];
        let mut rest = all;
        while let [word, others @ ..] = rest {
            if let [first @ b'a'..=b'z', ..] = word.as_bytes() {
                let mut letters = lengths.as_mut_slice();
                let mut ahead = *first - b'a';
                while let [here, behind @ ..] = letters {
                    if ahead == 0 {
                        *here |= 1 << word.len();
                        break;
                    }
                    ahead -= 1;
                    letters = behind;
                }
            }
            rest = others;
        }
        Words { all, lengths }
    }

    /// Whether this is one of them, in either case.
    pub(crate) fn has(&self, word: &[u8]) -> bool {
        let first = word.first().copied().unwrap_or_default();
        let letter = first.to_ascii_lowercase().wrapping_sub(b'a');
        let Some(lengths) = self.lengths.get(usize::from(letter)) else {
            return false;
        };
        let length = u32::try_from(word.len()).unwrap_or(u32::MAX);
        lengths
            .checked_shr(length)
            .is_some_and(|bits| bits & 1 == 1)
            && self
                .all
                .iter()
                .any(|known| known.as_bytes().eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_known_in_either_case_and_no_other_is() {
        static WORDS: Words = Words::new(&["a", "abc", "sleep", "z", "set", "load_extension"]);
        for (word, is_known) in [
            ("a", true),
            ("A", true),
            ("ABC", true),
            ("SleeP", true),
            ("z", true),
            ("load_extension", true),
            ("ab", false),
            ("abd", false),
            ("sleepy", false),
            ("", false),
            ("_", false),
            ("é", false),
            (&"s".repeat(32), false),
            (&"s".repeat(35), false),
            (&"z".repeat(300), false),
        ] {
            assert_eq!(WORDS.has(word.as_bytes()), is_known, "{word}");
        }
    }
}
