//! The tokens that are held, each for one party and bounded: who waits for a renewal waits for the one
//! there is, and what is in use is never dropped to make room.

use super::step_ups::StepUps;
use crate::small::lock;
use crate::upstream::UpstreamError;
use http::HeaderValue;
use identity::client::{ClientError, Proofs, Resource, Tokens};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// How many parties' tokens are held for one server.
pub(super) const SLOTS_MAX: usize = 10_000;
/// The largest token that is held, in bytes. Together with the number of slots this bounds the memory.
pub(super) const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The gateway's own.
    Gateway,
    /// A user's, whichever client they come with: they granted it to the gateway.
    User(Arc<str>),
    /// The one that was got for this very token of a caller.
    Token([u8; 32]),
}

/// A token as it is shown.
pub(crate) struct Held {
    pub(crate) tokens: Tokens,
    pub(crate) proofs: Option<Arc<Proofs>>,
    pub(crate) header: HeaderValue,
    /// When it is shown no more, whatever its issuer says, in unix seconds.
    pub(super) until: Option<u64>,
}

impl Held {
    pub(super) fn new(
        tokens: Tokens,
        resource: &Resource,
        proofs: Option<Arc<Proofs>>,
        until: Option<u64>,
    ) -> Result<Arc<Self>, ClientError> {
        let text = tokens.authorization(resource)?;
        if text.len() > TOKEN_BYTES_MAX {
            return Err(ClientError::Answer("the token is too long"));
        }
        let header = HeaderValue::try_from(text.as_str());
        let mut header = header.map_err(|_| ClientError::Answer("the token is no header"))?;
        header.set_sensitive(true);
        Ok(Arc::new(Held {
            tokens,
            proofs,
            header,
            until,
        }))
    }

    /// Whether it can be shown at this moment, and for `ahead_s` more seconds.
    pub(super) fn is_good_at(&self, now: u64, ahead_s: u64) -> bool {
        let then = now.saturating_add(ahead_s);
        self.tokens.is_good_at(now, ahead_s) && self.until.is_none_or(|until| then < until)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

/// The place of one party's token.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Held while the token is got or renewed, so that this happens once.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// How often more scopes were asked for.
    pub(super) step_ups: StepUps,
    now: Mutex<Now>,
    used: AtomicU64,
}

#[derive(Debug, Default)]
struct Now {
    held: Option<Arc<Held>>,
    /// Whether it was looked for where such tokens are kept.
    looked: bool,
}

impl Slot {
    pub(super) fn held(&self) -> Option<Arc<Held>> {
        lock(&self.now).held.clone()
    }

    /// Whether somebody has looked for it where such tokens are kept.
    pub(super) fn is_looked_for(&self) -> bool {
        lock(&self.now).looked
    }

    pub(super) fn put(&self, held: Option<Arc<Held>>) {
        let mut now = lock(&self.now);
        now.held = held;
        now.looked = true;
    }

    fn distrust(&self) {
        lock(&self.now).looked = false;
    }
}

/// Every slot of one server.
#[derive(Debug, Default)]
pub(super) struct Slots {
    by_key: Mutex<HashMap<Key, Arc<Slot>>>,
    uses: AtomicU64,
}

impl Slots {
    pub(super) fn of(&self, key: Key) -> Result<Arc<Slot>, UpstreamError> {
        let turn = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut slots = lock(&self.by_key);
        if !slots.contains_key(&key) && slots.len() >= SLOTS_MAX {
            make_room(&mut slots);
            if slots.len() >= SLOTS_MAX {
                return Err(UpstreamError::Full { what: "tokens" });
            }
        }
        let slot = slots.entry(key).or_default();
        slot.used.store(turn, Ordering::Relaxed);
        Ok(Arc::clone(slot))
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        lock(&self.by_key).clear();
    }

    /// Says that what is kept may have changed under it.
    pub(super) fn distrust(&self) {
        let slots = lock(&self.by_key);
        slots.values().for_each(|slot| slot.distrust());
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.by_key).len()
    }
}

/// Drops the half that was not used for longest, of those that nobody is using.
fn make_room(slots: &mut HashMap<Key, Arc<Slot>>) {
    let idle = |slot: &Arc<Slot>| Arc::strong_count(slot) == 1;
    let uses = slots.values().filter(|slot| idle(slot));
    let mut uses: Vec<u64> = uses.map(|slot| slot.used.load(Ordering::Relaxed)).collect();
    uses.sort_unstable();
    let Some(median) = uses.get(uses.len() / 2).copied() else {
        return;
    };
    slots.retain(|_, slot| !idle(slot) || slot.used.load(Ordering::Relaxed) > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n2_3_a_slot_in_use_is_never_dropped_and_the_rest_is_bounded() {
        let slots = Slots::default();
        let key = |n: usize| Key::User(n.to_string().into());
        let used = slots.of(key(0)).unwrap();
        for n in 1..3 * SLOTS_MAX {
            slots.of(key(n)).unwrap();
            assert!(slots.len() <= SLOTS_MAX);
        }
        assert!(Arc::ptr_eq(&used, &slots.of(key(0)).unwrap()));
        slots.clear();
        assert!(!Arc::ptr_eq(&used, &slots.of(key(0)).unwrap()));
        // All of them in use at once: there is no room, and nothing is dropped.
        let slots = Slots::default();
        let held: Vec<_> = (0..SLOTS_MAX).map(|n| slots.of(key(n)).unwrap()).collect();
        let full = slots.of(key(SLOTS_MAX));
        assert!(matches!(full, Err(UpstreamError::Full { .. })));
        drop(held);
        slots.of(key(SLOTS_MAX)).unwrap();
    }
}
