//! Which process is whose: the places where processes run, and who may join them. It starts and
//! ends none.

use crate::upstream::UpstreamError;
use crate::upstream::duplex::Station;
use crate::upstream::stdio::digest_of;
use protocol::Era;
use std::collections::HashMap;
use std::sync::Arc;

/// Who shares a process: one user by one client on one route, perhaps one session, and those who greet
/// it alike. What the server asks is asked of any of them, so that they must be one to every policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) user: Arc<str>,
    pub(super) client: Option<Arc<str>>,
    pub(super) route: Arc<str>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::duplex::{Channel, Hail, Settings};
    use crate::upstream::era::Order;
    use crate::upstream::{Bounds, StdioSpec};
    use std::time::Duration;

    const LIMITS: (usize, usize) = (2, 3);

    fn station() -> Station {
        let settings = Settings {
            bounds: Bounds {
                name: "clock".into(),
                timeout: Duration::from_secs(1),
                answer_bytes: 4096,
            },
            channel: Channel::Process(Arc::new(StdioSpec::default())),
            breaker: None,
        };
        let hail = Hail {
            initialize: r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#.into(),
            discover: "".into(),
            order: Order::only(Era::Modern),
        };
        Station::new(Arc::new(settings), hail)
    }

    fn key(user: &str, slot: Slot) -> Key {
        Key {
            user: user.into(),
            client: None,
            route: "/mcp".into(),
            session: None,
            slot,
        }
    }

    #[test]
    fn a_station_that_nobody_can_join_still_counts_and_is_still_ended() {
        let mut stations = Stations::default();
        let modern = key("alice", Slot::Modern);
        let first = stations.join(&modern, LIMITS, station).unwrap();
        let again = stations.join(&modern, LIMITS, station).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        stations.forget(&first);
        let second = stations.join(&modern, LIMITS, station).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        let third = key("alice", Slot::Legacy([0; 32]));
        let full = UpstreamError::Full { what: "processes" };
        let refused = stations.join(&third, LIMITS, station).unwrap_err();
        assert_eq!(refused, full, "two of one user");
        stations
            .join(&key("bob", Slot::Modern), LIMITS, station)
            .unwrap();
        let carol = key("carol", Slot::Modern);
        let refused = stations.join(&carol, LIMITS, station).unwrap_err();
        assert_eq!(refused, full, "three in all");
        stations.remove(&first);
        stations.join(&carol, LIMITS, station).unwrap();
        stations.forget(&second);
        let all = stations.drain();
        assert_eq!(all.len(), 3);
        assert!(all.iter().any(|station| Arc::ptr_eq(station, &second)));
        assert!(stations.drain().is_empty());
    }
}
