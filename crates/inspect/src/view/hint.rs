//! One pass that tells which views of a text could differ from it at all.
//!
//! Most text is plain; the pass has no branch inside a step, so it runs at the speed of memory.

use super::{rotated, runs};

/// Bytes looked at in one step.
pub(super) const STEP: usize = 64;

/// What a text has that a view may be made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hints(u16);

impl Hints {
    /// A byte beyond ASCII.
    pub(super) const HIGH: Hints = Hints(1);
    /// A control other than tab, line feed and carriage return.
    const CONTROL: Hints = Hints(1 << 1);
    const PERCENT: Hints = Hints(1 << 2);
    const AMPERSAND: Hints = Hints(1 << 3);
    const BACKSLASH: Hints = Hints(1 << 4);
    pub(super) const EQUALS: Hints = Hints(1 << 5);
    /// `<`, `[` or `*`.
    pub(super) const MARKUP: Hints = Hints(1 << 6);
    /// A run of letters that could be an encoding.
    pub(super) const RUNS: Hints = Hints(1 << 8);
    /// Letters that are not distributed as in words.
    pub(super) const ROTATED: Hints = Hints(1 << 9);

    /// What has no place in plain ASCII.
    pub(super) const ODD: Hints = Hints(Hints::HIGH.0 | Hints::CONTROL.0);
    /// What begins an escape.
    pub(super) const ESCAPES: Hints =
        Hints(Hints::PERCENT.0 | Hints::AMPERSAND.0 | Hints::BACKSLASH.0);

    /// Looks once at every byte.
    pub(super) fn of(text: &str) -> Hints {
        let bytes = text.as_bytes();
        let mut seen = 0;
        let mut rotated = false;
        let (steps, rest) = bytes.as_chunks::<STEP>();
        for step in steps {
            seen |= step.iter().fold(0, |seen, byte| seen | class(*byte));
            rotated |= rotated::is_suspect(step);
        }
        seen |= rest.iter().fold(0, |seen, byte| seen | class(*byte));
        rotated |= rotated::is_suspect(rest);
        let mut hints = Hints(u16::from(seen));
        if runs::first(bytes).is_some() {
            hints = hints.with(Hints::RUNS);
        }
        if rotated {
            hints = hints.with(Hints::ROTATED);
        }
        hints
    }

    /// Whether there is nothing that a view could be made of.
    pub(super) fn is_plain(self) -> bool {
        self == Hints::default()
    }

    /// Whether any of these is there.
    pub(super) fn has(self, other: Hints) -> bool {
        self.0 & other.0 != 0
    }

    /// Those of both.
    pub(super) const fn with(self, other: Hints) -> Hints {
        Hints(self.0 | other.0)
    }
}

#[inline]
fn class(byte: u8) -> u8 {
    let control = (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    u8::from(byte >= 0x80)
        | (u8::from(control | (byte == 0x7f)) << 1)
        | (u8::from(byte == b'%') << 2)
        | (u8::from(byte == b'&') << 3)
        | (u8::from(byte == b'\\') << 4)
        | (u8::from(byte == b'=') << 5)
        | (u8::from((byte == b'<') | (byte == b'[') | (byte == b'*')) << 6)
}
