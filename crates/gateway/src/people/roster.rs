//! Who is signed in: kept in memory under a digest of what their browser holds, for a while. A restart
//! signs everybody out.

use super::Person;
use crate::small::{lock, sha256};
use identity::UserKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Everybody who is signed in.
#[derive(Debug, Default)]
pub struct People(Mutex<HashMap<[u8; 32], Arc<Person>>>);

/// As many are signed in as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as many people are signed in as may be")]
pub struct Full;

impl People {
    /// Signed out after so long without a visit, in milliseconds.
    pub const IDLE_MS: u64 = 15 * 60 * 1000;
    /// Signed out after so long, whatever happens, in milliseconds.
    pub const ABSOLUTE_MS: u64 = 8 * 3600 * 1000;
    /// Browsers that one person is signed in with; one more takes the place of the idlest.
    pub const EACH: usize = 16;
    /// Browsers in all; one more is refused.
    pub const MAX: usize = 10_000;

    /// Signs somebody in with the browser that holds this value. Whoever was signed in with what it held
    /// before is signed out: what was known before is worth nothing now.
    pub(super) fn open(
        &self,
        person: Person,
        (cookie, before): (&str, Option<&str>),
        now_ms: u64,
    ) -> Result<Arc<Person>, Full> {
        let mut all = lock(&self.0);
        if let Some(before) = before {
            all.remove(&sha256(before.as_bytes()));
        }
        if all.len() >= Self::MAX {
            all.retain(|_, person| is_in_time(person, now_ms));
        }
        let own = all.iter().filter(|(_, it)| it.user() == person.user());
        let own: Vec<_> = own.map(|(key, it)| (it.used_ms(), *key)).collect();
        match own.iter().min().filter(|_| own.len() >= Self::EACH) {
            Some((_, idlest)) => drop(all.remove(idlest)),
            None if all.len() >= Self::MAX => return Err(Full),
            None => {}
        }
        let person = Arc::new(person);
        all.insert(sha256(cookie.as_bytes()), Arc::clone(&person));
        Ok(person)
    }

    /// Whoever is signed in with the browser that holds this value, which counts as a visit.
    pub(super) fn find(&self, cookie: &str, now_ms: u64) -> Option<Arc<Person>> {
        let key = sha256(cookie.as_bytes());
        let mut all = lock(&self.0);
        let person = all.get(&key).cloned()?;
        if !is_in_time(&person, now_ms) {
            all.remove(&key);
            return None;
        }
        person.touch(now_ms);
        Some(person)
    }

    /// Signs out whoever is signed in with the browser that holds this value.
    pub(super) fn end(&self, cookie: &str) -> Option<Arc<Person>> {
        lock(&self.0).remove(&sha256(cookie.as_bytes()))
    }

    /// Signs out everybody of whom this is true, and says how many that were.
    pub(crate) fn end_where(&self, ends: impl Fn(&Person) -> bool) -> usize {
        let mut all = lock(&self.0);
        let before = all.len();
        all.retain(|_, person| !ends(person));
        before - all.len()
    }

    /// Forgets whose time has come.
    pub(crate) fn sweep(&self, now_ms: u64) {
        lock(&self.0).retain(|_, person| is_in_time(person, now_ms));
    }

    /// Everybody who is signed in, or one person with all their browsers, the latest visit first.
    pub(crate) fn list(&self, user: Option<&UserKey>, now_ms: u64) -> Vec<Arc<Person>> {
        let all = lock(&self.0);
        let found = all.values().filter(|person| is_in_time(person, now_ms));
        let found = found.filter(|person| user.is_none_or(|user| person.user() == user));
        let mut found: Vec<Arc<Person>> = found.cloned().collect();
        found.sort_by_cached_key(|person| std::cmp::Reverse((person.used_ms(), person.since_ms())));
        found
    }
}

fn is_in_time(person: &Person, now_ms: u64) -> bool {
    let idle = now_ms.saturating_sub(person.used_ms());
    let age = now_ms.saturating_sub(person.since_ms());
    idle < People::IDLE_MS && age < People::ABSOLUTE_MS
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use identity::SignedIn;

    pub(crate) fn someone(user: &str) -> SignedIn {
        SignedIn::local(user, &[], 0)
    }

    const MINUTE: u64 = 60_000;

    fn open(
        people: &People,
        user: &str,
        (cookie, before): (&str, Option<&str>),
        now_ms: u64,
    ) -> Result<Arc<Person>, Full> {
        let person = Person::new(someone(user), cookie, now_ms);
        people.open(person, (cookie, before), now_ms)
    }

    #[test]
    fn n8_3_a_person_is_signed_out_by_idleness_and_by_age() {
        let people = People::default();
        open(&people, "alice", ("c", None), 0).unwrap();
        assert!(people.find("c", 15 * MINUTE - 1).is_some());
        // That was a visit.
        assert!(people.find("c", 30 * MINUTE - 2).is_some());
        assert!(people.find("c", 45 * MINUTE).is_none());
        assert!(people.find("c", 30 * MINUTE).is_none(), "it is gone");
        open(&people, "alice", ("c", None), 0).unwrap();
        for visit in 1..48 {
            assert!(people.find("c", visit * 10 * MINUTE).is_some(), "{visit}");
        }
        assert!(people.find("c", 480 * MINUTE).is_none());
        open(&people, "alice", ("c", None), 0).unwrap();
        people.sweep(15 * MINUTE);
        assert!(lock(&people.0).is_empty());
    }

    #[test]
    fn n8_3_signing_in_again_ends_what_the_browser_held_before() {
        let people = People::default();
        open(&people, "alice", ("old", None), 0).unwrap();
        let now = ("new", Some("old"));
        let person = open(&people, "alice", now, 1).unwrap();
        assert!(people.find("old", 2).is_none());
        let found = people.find("new", 2).unwrap();
        assert_eq!(found.session(), person.session());
        assert!(people.end("new").is_some() && people.find("new", 3).is_none());
        assert!(people.end("new").is_none());
    }

    #[test]
    fn n8_3_one_person_has_so_many_browsers_and_everybody_together_too() {
        let people = People::default();
        for at in 0..People::EACH as u64 {
            let cookie = format!("alice {at}");
            open(&people, "alice", (&cookie, None), at).unwrap();
        }
        people.find("alice 0", 100).unwrap();
        let more = ("one more", None);
        open(&people, "alice", more, 101).unwrap();
        assert!(people.find("alice 0", 102).is_some());
        assert!(people.find("alice 1", 102).is_none(), "the idlest");
        for at in 0..People::MAX - People::EACH {
            let user = format!("u{at}");
            open(&people, &user, (&user, None), 103).unwrap();
        }
        let full = open(&people, "zoe", ("zoe", None), 104);
        assert_eq!(full.err(), Some(Full));
        // Whoever has all of their browsers takes the place of one of them.
        assert!(open(&people, "alice", ("again", None), 105).is_ok());
        let over = 103 + People::IDLE_MS;
        assert!(open(&people, "zoe", ("zoe", None), over).is_ok());
        assert!(lock(&people.0).len() < 10);
    }

    #[test]
    fn n8_2_people_are_listed_by_who_they_are() {
        let people = People::default();
        for (user, cookie, at) in [("alice", "a", 1), ("bob", "b", 2), ("alice", "c", 3)] {
            open(&people, user, (cookie, None), at).unwrap();
        }
        let alice = someone("alice");
        let list = |user: Option<&UserKey>| people.list(user, 10).len();
        assert_eq!((list(Some(alice.user())), list(None)), (2, 3));
        let found = people.list(Some(alice.user()), 10);
        assert!(found[0].since_ms() > found[1].since_ms());
        assert_eq!(people.end_where(|person| person.user_name() == "alice"), 2);
        assert_eq!((list(Some(alice.user())), list(None)), (0, 1));
    }
}
