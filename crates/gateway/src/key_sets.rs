//! Key sets of issuers in the durable store, so that a gateway that starts while a provider is away knows
//! the keys it knew before. They are sealed: a row that somebody wrote, changed or moved does not open,
//! is not used, and is told of in the ledger. Nothing here decides whose keys are good, or for how long.

use crate::gate::Gate;
use crate::small::lock;
use crate::state::{Kind, Rows, StateError};
use identity::{BoxFuture, KeptKeys, KeyStore};
use std::sync::Mutex;
use vault::{ProviderError, VaultError};

/// The store of key sets.
#[derive(Debug)]
pub struct KeySets {
    rows: Rows,
    /// Issuers whose keys were changed by somebody else, which the ledger has not heard of.
    spoilt: Mutex<Vec<Box<str>>>,
}

impl KeySets {
    /// Those in these rows.
    pub fn new(rows: Rows) -> Self {
        KeySets {
            rows,
            spoilt: Mutex::default(),
        }
    }

    /// Tells the ledger of what was changed by somebody else.
    pub fn tell(&self, gate: &Gate) {
        let spoilt = std::mem::take(&mut *lock(&self.spoilt));
        for issuer in spoilt {
            let after = "what is kept does not open, and was not used";
            gate.note("keys.spoilt", "", &issuer, after);
        }
    }

    async fn read(&self, issuer: &str, now: u64) -> Result<Option<Vec<u8>>, StateError> {
        let kept = self.rows.get(KIND, issuer, ms(now)).await?;
        Ok(kept.map(|row| row.value.to_vec()))
    }

    async fn write(&self, issuer: &str, keys: KeptKeys, now: u64) -> Result<(), StateError> {
        let until = Some(ms(keys.until));
        let put = self.rows.put(KIND, issuer, &keys.bytes, until, ms(now));
        if let Err(error) = put.await {
            // The row from before may hold a key that the issuer has withdrawn.
            self.rows.remove(KIND, issuer).await?;
            return Err(error);
        }
        Ok(())
    }
}

impl KeyStore for KeySets {
    fn load<'a>(&'a self, issuer: &'a str, now: u64) -> BoxFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let kept = self.read(issuer, now).await;
            if let Err(error) = &kept {
                tracing::error!(issuer, "keys that were kept are not used: {error}");
            }
            if kept.as_ref().is_err_and(is_spoilt) {
                lock(&self.spoilt).push(issuer.into());
            }
            kept.ok().flatten()
        })
    }

    fn save<'a>(&'a self, issuer: &'a str, keys: KeptKeys, now: u64) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Err(error) = self.write(issuer, keys, now).await {
                // They are good for as long as this gateway runs.
                tracing::warn!(issuer, "keys are not kept: {error}");
            }
        })
    }
}

const KIND: Kind = Kind::KeySet;

/// Whether the row is to blame, and not whoever keeps the key that opens it.
fn is_spoilt(error: &StateError) -> bool {
    match error {
        StateError::Closed { source, .. } => matches!(
            source,
            VaultError::Foreign
                | VaultError::Provider(ProviderError::Foreign | ProviderError::Unknown)
        ),
        _ => false,
    }
}

fn ms(seconds: u64) -> u64 {
    seconds.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Database, Durable, Limits};
    use std::sync::Arc;
    use vault::Vault;

    const ISSUER: &str = "https://id.example.com";
    const NOW: u64 = 1_000_000;

    fn keys(bytes: &[u8]) -> KeptKeys {
        KeptKeys {
            bytes: bytes.to_vec(),
            until: NOW + 100,
        }
    }

    fn open(data: &std::path::Path) -> (Database, KeySets) {
        let database = Database::open(data).unwrap();
        let vault = Vault::load_or_create(&data.join("keys/vault.key")).unwrap();
        let rows = Rows::new(Arc::new(database.clone()), Arc::new(vault));
        (database, KeySets::new(rows))
    }

    #[tokio::test]
    async fn n2_1_keys_are_there_after_a_restart_and_until_their_time_has_come() {
        let data = tempfile::tempdir().unwrap();
        let (_, sets) = open(data.path());
        sets.save(ISSUER, keys(b"one"), NOW).await;
        sets.save(ISSUER, keys(b"two"), NOW).await;
        drop(sets);
        let (_, sets) = open(data.path());
        let two = Some(b"two".to_vec());
        assert_eq!(sets.load(ISSUER, NOW + 99).await, two);
        assert_eq!(sets.load(ISSUER, NOW + 100).await, None);
        assert_eq!(sets.load("https://id.example.com/", NOW).await, None);
        assert_eq!(*lock(&sets.spoilt), []);
    }

    #[tokio::test]
    async fn n2_1_keys_that_somebody_else_wrote_changed_or_moved_are_not_used_and_are_told_of() {
        let data = tempfile::tempdir().unwrap();
        let (database, sets) = open(data.path());
        sets.save(ISSUER, keys(b"keys"), NOW).await;
        let row = database.get(KIND, ISSUER, 0).await.unwrap().unwrap();
        let put = |key: &str, value: Vec<u8>| {
            let row = crate::state::Row {
                key: key.to_owned(),
                value,
                expires_ms: None,
            };
            database.put(KIND, row, 0)
        };
        let mut changed = row.value.clone();
        *changed.last_mut().unwrap() ^= 1;
        for (name, value) in [
            ("https://changed.example", changed),
            ("https://moved.example", row.value.clone()),
            ("https://planted.example", b"keys".to_vec()),
        ] {
            put(name, value).await.unwrap();
            assert_eq!(sets.load(name, NOW).await, None, "{name}");
            assert_eq!(lock(&sets.spoilt).pop().as_deref(), Some(name));
        }
        assert_eq!(sets.load(ISSUER, NOW).await, Some(b"keys".to_vec()));
    }

    #[tokio::test]
    async fn n2_1_keys_that_cannot_be_kept_leave_no_older_ones_behind() {
        let data = tempfile::tempdir().unwrap();
        let (_, sets) = open(data.path());
        sets.save(ISSUER, keys(b"withdrawn"), NOW).await;
        let long = vec![b' '; Limits::VALUE_BYTES];
        sets.save(ISSUER, keys(&long), NOW).await;
        assert_eq!(sets.load(ISSUER, NOW).await, None);
        assert_eq!(*lock(&sets.spoilt), []);
    }
}
