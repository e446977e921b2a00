//! Names of members: `dateOfBirth`, `date_of_birth` and `DATE-OF-BIRTH` are one name.

/// The longest name that is looked up, in bytes.
const NAME: usize = 40;

/// A name as rules write it: lower case, letters and digits alone.
pub(super) struct Plain {
    letters: [u8; NAME],
    length: usize,
}

impl Plain {
    /// Nothing for a name that is longer than any that a rule has, or that has no letter and no digit.
    pub(super) fn of(name: &str) -> Option<Plain> {
        if name.len() > NAME {
            return None;
        }
        let mut plain = Plain {
            letters: [0; NAME],
            length: 0,
        };
        let kept = name.bytes().filter(u8::is_ascii_alphanumeric);
        for (place, byte) in plain.letters.iter_mut().zip(kept) {
            *place = byte.to_ascii_lowercase();
            plain.length += 1;
        }
        (plain.length > 0).then_some(plain)
    }

    /// The name.
    pub(super) fn as_str(&self) -> &str {
        let letters = self.letters.get(..self.length).unwrap_or_default();
        str::from_utf8(letters).unwrap_or_default()
    }
}
