//! What one party was shown of a server otherwise than it is pinned. A server may tell each of its users
//! something else: what this one was shown last counts for what this one asks for, whatever others are
//! shown, until it is shown the pinned definition again or what it was shown is approved (control 9.2).

use crate::small::lock;
use inspect::pin::Digest;
use std::collections::HashMap;
use std::sync::Mutex;

/// What differs, by the key of its pin.
#[derive(Debug, Default)]
pub struct Drift(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    differs: HashMap<Box<str>, Digest>,
    /// There was more than can be remembered: from then on nothing is believed any more.
    overflows: bool,
}

/// How something was shown to this party last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// As it is pinned, or not at all.
    Alike,
    /// As this, which was not the pinned definition then.
    Otherwise(Digest),
    /// More was shown otherwise than is remembered.
    Unknown,
}

impl Drift {
    /// Definitions that are remembered of one server; after that every pinned one counts as different.
    pub(crate) const MOST: usize = 4096;

    /// Remembers that this was shown, which is not what is pinned; true if that is news.
    pub(crate) fn differs(&self, key: &str, digest: Digest) -> bool {
        let mut shown = lock(&self.0);
        if shown.differs.get(key) == Some(&digest) {
            return false;
        }
        if shown.differs.len() >= Self::MOST && !shown.differs.contains_key(key) {
            return !std::mem::replace(&mut shown.overflows, true);
        }
        shown.differs.insert(key.into(), digest);
        true
    }

    /// Remembers that the pinned definition was shown; true if something else was before.
    pub(crate) fn agrees(&self, key: &str) -> bool {
        lock(&self.0).differs.remove(key).is_some()
    }

    /// How it was shown last.
    pub(crate) fn last(&self, key: &str) -> Last {
        let shown = lock(&self.0);
        match shown.differs.get(key) {
            Some(digest) => Last::Otherwise(*digest),
            None if shown.overflows => Last::Unknown,
            None => Last::Alike,
        }
    }
}

impl Last {
    /// Whether it is something else than this definition, as far as is known.
    pub(crate) fn is_other_than(self, pinned: Digest) -> bool {
        match self {
            Last::Alike => false,
            Last::Otherwise(digest) => digest != pinned,
            Last::Unknown => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inspect::pin;
    use serde_json::json;

    #[test]
    fn n9_2_what_a_party_was_shown_last_counts_for_it_until_it_is_shown_otherwise() {
        let drift = Drift::default();
        let (pinned, other) = (pin::digest(&json!(1)), pin::digest(&json!(2)));
        assert!(!drift.last("a").is_other_than(pinned));
        assert!(drift.differs("a", other) && !drift.differs("a", other));
        assert!(drift.last("a").is_other_than(pinned));
        assert_eq!(drift.last("b"), Last::Alike);
        // It was approved.
        assert!(!drift.last("a").is_other_than(other));
        assert!(drift.agrees("a") && !drift.agrees("a"));
        assert!(!drift.last("a").is_other_than(pinned));
    }

    #[test]
    fn n4_3_what_is_remembered_is_bounded_and_more_of_it_is_believed_nothing() {
        let drift = Drift::default();
        let (pinned, other) = (pin::digest(&json!(1)), pin::digest(&json!(2)));
        for number in 0..Drift::MOST {
            assert!(drift.differs(&number.to_string(), other));
        }
        assert_eq!(drift.last("honest"), Last::Alike);
        assert!(drift.differs("one more", other) && !drift.differs("and more", other));
        assert!(drift.last("honest").is_other_than(pinned));
        assert_eq!(lock(&drift.0).differs.len(), Drift::MOST);
    }
}
