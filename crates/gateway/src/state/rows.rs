//! Durable rows as the gateway uses them: what is secret is sealed before any store sees it, bound to
//! its kind and key, so that a row that somebody moves or changes does not open.

use crate::state::{Durable, Kind, Named, Row, StateError};
use std::fmt;
use std::sync::Arc;
use vault::{Sealed, Vault};
use zeroize::Zeroizing;

/// A durable store and the vault that seals what lies in it.
#[derive(Clone, Debug)]
pub struct Rows {
    store: Arc<dyn Durable>,
    vault: Arc<Vault>,
}

/// A row, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// What it is called among those of its kind.
    pub key: String,
    /// What it holds. Wiped when dropped.
    pub value: Zeroizing<Vec<u8>>,
    /// When it stops being there, in milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
    /// As the store has it.
    kept: Vec<u8>,
}

/// Says nothing of the value.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("key", &self.key)
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

impl Rows {
    /// What the file of the master key is called, among the keys in the data directory.
    pub const KEY: &str = "vault.key";

    /// Rows of this store, sealed by this vault.
    pub fn new(store: Arc<dyn Durable>, vault: Arc<Vault>) -> Self {
        Rows { store, vault }
    }

    /// The vault.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// The row with this key. One that does not open is an error, not an absent row.
    pub async fn get(
        &self,
        kind: Kind,
        key: &str,
        now_ms: u64,
    ) -> Result<Option<Opened>, StateError> {
        let row = self.store.get(kind, key, now_ms).await?;
        row.map(|row| self.opened(kind, row)).transpose()
    }

    /// Keeps this value under this key until this moment, instead of what was there.
    pub async fn put(
        &self,
        kind: Kind,
        key: &str,
        value: &[u8],
        expires_ms: Option<u64>,
        now_ms: u64,
    ) -> Result<(), StateError> {
        let row = self.closed(kind, key, value, expires_ms)?;
        self.store.put(kind, row, now_ms).await
    }

    /// Puts this value, until this moment, in the place of exactly this row, or of none; or removes that
    /// row. False if something else stands there by now: of all who do this with one row, one succeeds.
    pub async fn swap(
        &self,
        kind: Kind,
        key: &str,
        before: Option<&Opened>,
        after: Option<(&[u8], Option<u64>)>,
        now_ms: u64,
    ) -> Result<bool, StateError> {
        let after = after.map(|(value, expires_ms)| self.closed(kind, key, value, expires_ms));
        let before = before.map(|before| before.kept.clone());
        let swapped = self
            .store
            .swap(kind, key, before, after.transpose()?, now_ms);
        swapped.await
    }

    /// How many rows there are whose keys begin with `prefix`. None of them is opened.
    pub async fn count(&self, kind: Kind, prefix: &str, now_ms: u64) -> Result<usize, StateError> {
        let (mut count, mut last) = (0, None::<String>);
        loop {
            let part = self
                .store
                .list(kind, prefix, last.as_deref(), now_ms)
                .await?;
            count += part.len();
            match part.into_iter().next_back() {
                Some(row) => last = Some(row.key),
                None => return Ok(count),
            }
        }
    }

    fn closed(
        &self,
        kind: Kind,
        key: &str,
        value: &[u8],
        expires_ms: Option<u64>,
    ) -> Result<Row, StateError> {
        let value = match kind.sealed_for() {
            None => value.to_vec(),
            Some(purpose) => {
                let sealed = self.vault.seal(purpose, &context(kind, key), value);
                sealed.map_err(|source| closed(kind, key, source))?.0
            }
        };
        Ok(Row {
            key: key.to_owned(),
            value,
            expires_ms,
        })
    }

    /// Removes the row with this key, and says whether there was one.
    pub async fn remove(&self, kind: Kind, key: &str) -> Result<bool, StateError> {
        self.store.remove(kind, key).await
    }

    /// Every row whose key begins with `prefix`, in the order of their keys.
    pub async fn list(
        &self,
        kind: Kind,
        prefix: &str,
        now_ms: u64,
    ) -> Result<Vec<Opened>, StateError> {
        let mut all: Vec<Opened> = Vec::new();
        loop {
            let after = all.last().map(|row| row.key.as_str());
            let part = self.store.list(kind, prefix, after, now_ms).await?;
            if part.is_empty() {
                return Ok(all);
            }
            for row in part {
                all.push(self.opened(kind, row)?);
            }
        }
    }

    /// Removes every row whose time has come and says how many that were.
    pub async fn sweep(&self, now_ms: u64) -> Result<u64, StateError> {
        self.store.sweep(now_ms).await
    }

    /// A number that changes whenever another process wrote.
    pub async fn version(&self) -> Result<i64, StateError> {
        self.store.version().await
    }

    fn opened(&self, kind: Kind, row: Row) -> Result<Opened, StateError> {
        let Row {
            key,
            value,
            expires_ms,
        } = row;
        let sealed = Sealed(value);
        let value = match kind.sealed_for() {
            None => Zeroizing::new(sealed.0.clone()),
            Some(purpose) => {
                let context = context(kind, &key);
                let opened = self.vault.open(purpose, &context, &sealed);
                opened.map_err(|source| closed(kind, &key, source))?
            }
        };
        Ok(Opened {
            key,
            value,
            expires_ms,
            kept: sealed.0,
        })
    }
}

/// What a value is bound to. No kind has a zero byte in its name.
fn context(kind: Kind, key: &str) -> Vec<u8> {
    [kind.name().as_bytes(), &[0], key.as_bytes()].concat()
}

fn closed(kind: Kind, key: &str, source: vault::VaultError) -> StateError {
    StateError::Closed {
        row: Named::of(kind, key),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Database, Limits};

    fn rows(data: &std::path::Path) -> (Database, Rows) {
        let database = Database::open(data).unwrap();
        let vault = Vault::load_or_create(&data.join("keys/vault.key")).unwrap();
        let rows = Rows::new(Arc::new(database.clone()), Arc::new(vault));
        (database, rows)
    }

    #[tokio::test]
    async fn no_store_ever_sees_a_secret() {
        let data = tempfile::tempdir().unwrap();
        let (database, rows) = rows(data.path());
        for kind in Kind::ALL {
            let value = b"hunter2hunter2hunter2";
            rows.put(kind, "alice", value, None, 0).await.unwrap();
            let kept = database.get(kind, "alice", 0).await.unwrap().unwrap();
            let is_shown = kept.value.windows(7).any(|window| window == b"hunter2");
            assert_eq!(is_shown, kind.sealed_for().is_none(), "{kind:?}");
            let opened = rows.get(kind, "alice", 0).await.unwrap().unwrap();
            assert_eq!(opened.value.as_slice(), value);
            assert!(!format!("{kept:?} {opened:?}").contains("104, 117"));
        }
        for file in std::fs::read_dir(data.path()).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                let count = bytes
                    .windows(7)
                    .filter(|window| window == b"hunter2")
                    .count();
                // The one row that is no secret, in the store and in its log.
                assert!(count % 3 == 0 && count <= 6, "{}: {count}", path.display());
            }
        }
    }

    #[tokio::test]
    async fn a_row_that_was_moved_or_changed_does_not_open_and_is_not_taken_for_absent() {
        let data = tempfile::tempdir().unwrap();
        let (database, rows) = rows(data.path());
        let put = rows.put(Kind::Connection, "alice", b"token", None, 0);
        put.await.unwrap();
        let row = database
            .get(Kind::Connection, "alice", 0)
            .await
            .unwrap()
            .unwrap();
        let moved = Row {
            key: "bob".into(),
            ..row.clone()
        };
        database.put(Kind::Connection, moved, 0).await.unwrap();
        database.put(Kind::Grant, row.clone(), 0).await.unwrap();
        let mut changed = row;
        changed.key = "carol".into();
        database.put(Kind::Connection, changed, 0).await.unwrap();
        for (kind, key) in [
            (Kind::Connection, "bob"),
            (Kind::Grant, "alice"),
            (Kind::Connection, "carol"),
        ] {
            let refused = rows.get(kind, key, 0).await;
            let error = refused.err().unwrap();
            assert!(matches!(error, StateError::Closed { .. }), "{key}");
            // Whose it is, or what would end it, is in no log.
            assert!(!format!("{error} {error:?}").contains(key), "{error}");
        }
        assert!(rows.list(Kind::Connection, "", 0).await.is_err());
        assert!(rows.get(Kind::Connection, "alice", 0).await.is_ok());
    }

    #[tokio::test]
    async fn a_long_list_is_read_to_its_end() {
        let data = tempfile::tempdir().unwrap();
        let (database, rows) = rows(data.path());
        {
            let connection = database.connection();
            let many = Limits::LISTED * 2 + 1;
            let sql = format!(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {many})
                 INSERT INTO rows SELECT 'revocation', printf('%06d', i), x'', NULL FROM n"
            );
            connection.execute_batch(&sql).unwrap();
        }
        let all = rows.list(Kind::Revocation, "", 0).await.unwrap();
        assert_eq!(all.len(), Limits::LISTED * 2 + 1);
        assert!(all.is_sorted_by(|left, right| left.key < right.key));
    }
}
