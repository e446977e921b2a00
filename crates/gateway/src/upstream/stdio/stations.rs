//! Which process is whose: the places where processes run, and who may join them. It starts and
//! ends none.

use crate::upstream::UpstreamError;
use crate::upstream::duplex::Station;
use crate::upstream::stdio::digest_of;
use protocol::Era;
use std::collections::HashMap;
use std::sync::Arc;

/// Who shares a process: one user, perhaps one session, and those who greet it alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) user: Arc<str>,
    pub(super) session: Option<Arc<str>>,
    pub(super) slot: Slot,
}

/// What a process was told when it was met, as far as it must be the same for all who share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Slot {
    /// Nothing.
    Modern,
    /// The digest of a version and of capabilities.
    Legacy([u8; 32]),
}

impl Slot {
    pub(super) fn of(era: Era, digest: [u8; 32]) -> Self {
        match era {
            Era::Modern => Slot::Modern,
            Era::Legacy => Slot::Legacy(digest),
        }
    }
}

/// The stations of one server.
#[derive(Debug, Default)]
pub(super) struct Stations {
    slots: HashMap<Key, Arc<Station>>,
    /// Stations that somebody still uses and nobody can join any more, with whose they are.
    strays: Vec<(Arc<str>, Arc<Station>)>,
}

impl Stations {
    /// The station that `key` leads to; made now if there is none and none too many.
    pub(super) fn join(
        &mut self,
        key: &Key,
        limits: (usize, usize),
        make: impl FnOnce() -> Station,
    ) -> Result<Arc<Station>, UpstreamError> {
        if let Some(station) = self.slots.get(key) {
            return Ok(station.clone());
        }
        let users = self.slots.keys().map(|key| &key.user);
        let users = users.chain(self.strays.iter().map(|(user, _)| user));
        let (mut all, mut of_user) = (0, 0);
        for user in users {
            all += 1;
            of_user += usize::from(*user == key.user);
        }
        let (of_user_max, all_max) = limits;
        if all >= all_max || of_user >= of_user_max {
            return Err(UpstreamError::Full { what: "processes" });
        }
        let station = Arc::new(make());
        self.slots.insert(key.clone(), station.clone());
        Ok(station)
    }

    /// Puts a station that was joined at `key`, and whose era has shown since, where others find
    /// it. Whether those who want `slot` can stay with it.
    pub(super) fn place(&mut self, key: &Key, station: &Arc<Station>, slot: Slot) -> bool {
        let Ok(digest) = digest_of(&station.hail().initialize) else {
            return false;
        };
        let right = Key {
            slot: Slot::of(station.era().unwrap_or(Era::Legacy), digest),
            ..key.clone()
        };
        if *key != right && self.is_at(key, station) {
            self.forget(station);
            // If another one is there, whoever comes next is better off with that one.
            if !self.slots.contains_key(&right) {
                self.remove(station);
                self.slots.insert(right.clone(), station.clone());
            }
        }
        right.slot == slot && self.is_at(&right, station)
    }

    /// Lets nobody join `station` any more.
    pub(super) fn forget(&mut self, station: &Arc<Station>) {
        let found = self
            .slots
            .iter()
            .find(|(_, kept)| Arc::ptr_eq(kept, station));
        if let Some(key) = found.map(|(key, _)| key.clone()) {
            self.slots.remove(&key);
            self.strays.push((key.user, station.clone()));
        }
    }

    /// Nobody uses `station` any more.
    pub(super) fn remove(&mut self, station: &Arc<Station>) {
        self.slots.retain(|_, kept| !Arc::ptr_eq(kept, station));
        self.strays.retain(|(_, kept)| !Arc::ptr_eq(kept, station));
    }

    /// All of them, which are then nobody's.
    pub(super) fn drain(&mut self) -> Vec<Arc<Station>> {
        let slots = self.slots.drain().map(|(_, station)| station);
        let strays = self.strays.drain(..).map(|(_, station)| station);
        slots.chain(strays).collect()
    }

    fn is_at(&self, key: &Key, station: &Arc<Station>) -> bool {
        self.slots
            .get(key)
            .is_some_and(|kept| Arc::ptr_eq(kept, station))
    }
}
