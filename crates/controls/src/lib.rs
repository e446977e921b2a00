//! The catalogue of controls, and the words every stage shares: whose fault something was, what a
//! refusal says, what a finding is.
//!
//! This crate is a vocabulary. It decides nothing, does no IO, and depends on no other crate of
//! the workspace, so that a record written by one part means the same to every other part.

mod catalogue;
mod finding;
mod refusal;
mod score;

pub use catalogue::*;
pub use finding::{Action, Finding, Severity};
pub use refusal::{Fault, Refusal};
pub use score::{Mode, SCORE_MAX, Score};

use std::fmt;

/// The id of one control of the catalogue. It can only name a row that exists.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Control(u8);

impl Control {
    const fn at(row: u8) -> Self {
        Control(row)
    }

    /// The control with this id, or nothing if the catalogue has no such row.
    pub fn named(id: &str) -> Option<Self> {
        let row = ALL.iter().position(|entry| entry.id == id)?;
        u8::try_from(row).ok().map(Control)
    }

    /// Every control, in the order of the catalogue.
    pub fn all() -> impl Iterator<Item = Control> {
        (0u8..).take(ALL.len()).map(Control)
    }

    /// The id that never changes, such as `1.2` or `M1`.
    pub fn id(self) -> &'static str {
        self.entry().id
    }

    /// Its row in the catalogue, for sets of controls; below 128 (see the test).
    pub const fn row(self) -> u8 {
        self.0
    }

    /// The whole row.
    pub fn entry(self) -> &'static Entry {
        // INVARIANT: a `Control` is only made from a row of `ALL`; the fallback is never taken.
        ALL.get(usize::from(self.0)).unwrap_or(&UNKNOWN)
    }
}

static UNKNOWN: Entry = Entry {
    id: "?",
    area: "?",
    practice: "?",
    does: "?",
};

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl serde::Serialize for Control {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_id_is_there_once_and_finds_its_own_row() {
        let ids: HashSet<_> = Control::all().map(Control::id).collect();
        assert_eq!(ids.len(), ALL.len());
        assert!(ALL.len() <= 128, "a set of controls is one u128");
        for control in Control::all() {
            assert_eq!(Control::named(control.id()), Some(control));
        }
        assert_eq!(Control::named("1.9"), None);
    }

    #[test]
    fn constants_name_the_row_they_say() {
        for (control, id) in [
            (M1, "M1"),
            (N1_2, "1.2"),
            (N9_4, "9.4"),
            (C1, "C1"),
            (IR4, "IR4"),
        ] {
            assert_eq!(control.id(), id);
        }
    }
}
