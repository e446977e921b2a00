//! The keys that access tokens are signed with. A key is published a day before it signs, so that whoever
//! keeps keys has it by then, and stays published until every token that it signed is over.

use crate::signing::{SigningError, SigningKey};
use crate::{base64url, members};
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// The keys, the oldest first.
#[derive(Debug, Default)]
pub struct Keys {
    keys: Vec<Dated>,
}

#[derive(Debug)]
struct Dated {
    key: SigningKey,
    /// Since when it signs, in unix seconds.
    from_s: u64,
}

impl Keys {
    /// How long a key signs, in seconds.
    pub const TURN_S: u64 = 30 * 24 * 3600;
    /// How long before that it is published, in seconds.
    pub const AHEAD_S: u64 = 24 * 3600;
    /// How long after that it stays published, in seconds: longer than any token lives.
    pub const AFTER_S: u64 = 2 * 3600;

    /// Takes away the keys whose time is over and makes the next one if it is due. Says whether anything
    /// changed: then the keys are to be kept before one of them signs. `now` is in unix seconds.
    pub fn turn(&mut self, now: u64) -> Result<Turned, SigningError> {
        let before = self.keys.len();
        let followed = |from_s: u64| from_s.saturating_add(Keys::AFTER_S) <= now;
        let over = self
            .keys
            .iter()
            .skip(1)
            .take_while(|next| followed(next.from_s));
        let over = over.count();
        self.keys.drain(..over);
        let next = match self.keys.last() {
            None => Some(now),
            Some(last) => {
                let due = last.from_s.saturating_add(Keys::TURN_S);
                let ahead = now.saturating_add(Keys::AHEAD_S);
                (due <= ahead).then(|| due.max(ahead))
            }
        };
        if let Some(from_s) = next {
            let key = SigningKey::generate()?;
            self.keys.push(Dated { key, from_s });
        }
        Ok(match next.is_some() || self.keys.len() != before {
            true => Turned::Changed,
            false => Turned::Same,
        })
    }

    /// The key that signs now.
    pub fn signing(&self, now: u64) -> Option<&SigningKey> {
        let begun = self.keys.iter().rev().find(|dated| dated.from_s <= now);
        // A clock that was set back is no reason to sign nothing.
        begun.or(self.keys.first()).map(|dated| &dated.key)
    }

    /// The public halves, as a JWK set.
    pub fn to_jwks(&self) -> String {
        let keys = self.keys.iter().map(|dated| {
            let mut key = dated.key.public_jwk();
            if let Some(members) = key.as_object_mut() {
                let id = dated.key.thumbprint();
                for (name, value) in [("kid", id), ("alg", "ES256"), ("use", "sig")] {
                    members.insert(name.to_owned(), json!(value));
                }
            }
            key
        });
        json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
    }

    /// What is to be kept, sealed.
    pub fn to_kept(&self) -> Result<Zeroizing<Vec<u8>>, SigningError> {
        let mut kept = Vec::new();
        for dated in &self.keys {
            let key = base64url::encode(&dated.key.pkcs8()?);
            kept.push(json!({"key": key, "from": dated.from_s}));
        }
        let kept = json!({ "keys": kept }).to_string();
        Ok(Zeroizing::new(kept.into_bytes()))
    }

    /// The keys that were kept.
    pub fn from_kept(kept: &[u8]) -> Option<Self> {
        let mut members = members::object(kept)?;
        let Value::Array(all) = members.remove("keys")? else {
            return None;
        };
        let keys = all.iter().map(|one| {
            let key = Zeroizing::new(base64url::decode(one.get("key")?.as_str()?)?);
            Some(Dated {
                key: SigningKey::from_pkcs8(&key).ok()?,
                from_s: one.get("from")?.as_u64()?,
            })
        });
        let keys: Option<Vec<Dated>> = keys.collect();
        Some(Keys { keys: keys? })
    }
}

/// Whether a turn changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// It did.
    Changed,
    /// It did not.
    Same,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn ids(keys: &Keys) -> Vec<String> {
        keys.keys
            .iter()
            .map(|it| it.key.thumbprint().to_owned())
            .collect()
    }

    #[test]
    fn n2_3_a_key_is_published_before_it_signs_and_until_its_tokens_are_over() {
        let mut keys = Keys::default();
        assert!(keys.signing(NOW).is_none());
        assert_eq!(keys.turn(NOW), Ok(Turned::Changed));
        let first = ids(&keys).remove(0);
        let signs = |keys: &Keys, at: u64| keys.signing(at).unwrap().thumbprint().to_owned();
        assert_eq!(signs(&keys, NOW), first);
        let next_s = NOW + Keys::TURN_S;
        assert_eq!(keys.turn(next_s - Keys::AHEAD_S - 1), Ok(Turned::Same));
        assert_eq!(keys.turn(next_s - Keys::AHEAD_S), Ok(Turned::Changed));
        assert_eq!(keys.turn(next_s - Keys::AHEAD_S), Ok(Turned::Same));
        let second = ids(&keys).remove(1);
        assert!(keys.to_jwks().contains(&first) && keys.to_jwks().contains(&second));
        assert_eq!(signs(&keys, next_s - 1), first);
        assert_eq!(signs(&keys, next_s), second);
        assert_eq!(keys.turn(next_s + Keys::AFTER_S - 1), Ok(Turned::Same));
        assert_eq!(keys.turn(next_s + Keys::AFTER_S), Ok(Turned::Changed));
        assert_eq!(ids(&keys), std::slice::from_ref(&second));
        // After a long sleep nobody has seen the next one: it waits its day all the same.
        let late = next_s + 10 * Keys::TURN_S;
        assert_eq!(keys.turn(late), Ok(Turned::Changed));
        assert_eq!(signs(&keys, late), second);
        assert_ne!(signs(&keys, late + Keys::AHEAD_S), second);
    }

    #[test]
    fn n6_3_keys_are_kept_and_shown_to_nobody() {
        let mut keys = Keys::default();
        keys.turn(NOW).unwrap();
        keys.turn(NOW + Keys::TURN_S).unwrap();
        let kept = keys.to_kept().unwrap();
        let again = Keys::from_kept(&kept).unwrap();
        assert_eq!(ids(&again), ids(&keys));
        assert_eq!(again.to_jwks(), keys.to_jwks());
        let set: Value = serde_json::from_str(&keys.to_jwks()).unwrap();
        for key in set["keys"].as_array().unwrap() {
            assert!(key.get("d").is_none(), "{key}");
            assert_eq!((&key["use"], &key["alg"]), (&json!("sig"), &json!("ES256")));
        }
        assert!(Keys::from_kept(b"{\"keys\":[{\"key\":\"AAAA\",\"from\":1}]}").is_none());
    }
}
