//! The embedded durable store: `state.db` in the data directory. It belongs to whoever runs the
//! gateway; commands open the same file, and SQLite keeps them apart.

use crate::small::lock;
use crate::state::{BoxFuture, Durable, Kind, Limits, Row, StateError};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How the tables came to be, one step after another: a store that has taken the first `n` takes the
/// others. A step that was released is never changed.
const STEPS: &[&str] = &[
    // Stores of before there were steps have these tables already.
    "CREATE TABLE IF NOT EXISTS pins (
        server TEXT NOT NULL, tool TEXT NOT NULL, digest TEXT NOT NULL,
        definition TEXT NOT NULL, at_ms INTEGER NOT NULL, by TEXT NOT NULL,
        PRIMARY KEY (server, tool)) STRICT;
     CREATE TABLE IF NOT EXISTS sightings (
        server TEXT NOT NULL, tool TEXT NOT NULL, digest TEXT NOT NULL,
        definition TEXT NOT NULL, at_ms INTEGER NOT NULL, why TEXT NOT NULL,
        PRIMARY KEY (server, tool)) STRICT;",
    // Counted by triggers, since counting a table takes as long as it is.
    "CREATE TABLE rows (
        kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, expires_ms INTEGER,
        PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;
     CREATE INDEX rows_expire ON rows (expires_ms) WHERE expires_ms IS NOT NULL;
     CREATE TABLE counts (kind TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
     CREATE TRIGGER rows_added AFTER INSERT ON rows BEGIN
        INSERT INTO counts VALUES (NEW.kind, 1) ON CONFLICT DO UPDATE SET n = n + 1;
     END;
     CREATE TRIGGER rows_removed AFTER DELETE ON rows BEGIN
        UPDATE counts SET n = n - 1 WHERE kind = OLD.kind;
     END;",
    // What was approved before: the same definition may have been so more than once.
    "CREATE TABLE history (
        server TEXT NOT NULL, tool TEXT NOT NULL, digest TEXT NOT NULL,
        definition TEXT NOT NULL, at_ms INTEGER NOT NULL, by TEXT NOT NULL) STRICT;
     CREATE INDEX history_of ON history (server, tool);
     INSERT INTO history SELECT server, tool, digest, definition, at_ms, by FROM pins;",
];

/// `state.db`, open. Everything of one process that is kept in it shares this, so that its
/// [`Database::version`] changes only when another process wrote.
#[derive(Clone, Debug)]
pub struct Database {
    connection: Arc<Mutex<Connection>>,
    rows_max: fn(Kind) -> u64,
}

impl Database {
    /// What the file is called in the data directory.
    pub const NAME: &str = "state.db";

    /// Opens the store in this data directory, creating it if it is not there.
    pub fn open(data: &Path) -> Result<Self, StateError> {
        let mut connection = Connection::open(data.join(Self::NAME))?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What was told to be kept is on disk: a revocation must not be lost with the power.
        connection.pragma_update(None, "synchronous", "FULL")?;
        take_steps(&mut connection)?;
        Ok(Database {
            connection: Arc::new(Mutex::new(connection)),
            rows_max: Limits::rows,
        })
    }

    /// The same with room for fewer rows, for tests.
    #[cfg(test)]
    pub(crate) fn with_room_for(self, rows_max: fn(Kind) -> u64) -> Self {
        Database { rows_max, ..self }
    }

    /// The connection, for a few statements. Never held across an await.
    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        lock(&self.connection)
    }

    /// A number that changes whenever another process wrote to the store.
    pub(crate) fn seen(&self) -> rusqlite::Result<i64> {
        self.connection()
            .query_row("PRAGMA data_version", [], |row| row.get(0))
    }

    /// Does this where blocking is allowed.
    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StateError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StateError>> {
        let database = self.clone();
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || work(&database)).await;
            done.unwrap_or(Err(StateError::Stopped))
        })
    }
}

fn take_steps(connection: &mut Connection) -> Result<(), StateError> {
    // Two processes may open a new store at once: the second waits, and finds the steps taken.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let taken: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let count = usize::try_from(taken).unwrap_or(usize::MAX);
    let Some(steps) = STEPS.get(count..) else {
        return Err(StateError::Newer(taken));
    };
    for step in steps {
        transaction.execute_batch(step)?;
    }
    if !steps.is_empty() {
        transaction.pragma_update(None, "user_version", STEPS.len() as i64)?;
    }
    Ok(transaction.commit()?)
}

impl Durable for Database {
    fn get<'a>(
        &'a self,
        kind: Kind,
        key: &'a str,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Option<Row>, StateError>> {
        let key = key.to_owned();
        self.work(move |database| {
            let sql = "SELECT key, value, expires_ms FROM rows
                       WHERE kind = ?1 AND key = ?2 AND (expires_ms IS NULL OR expires_ms > ?3)";
            let connection = database.connection();
            let mut found = connection.prepare_cached(sql)?;
            let row = found.query_row(params![kind.name(), key, stamp(now_ms)], row);
            Ok(row.optional()?)
        })
    }

    fn put(&self, kind: Kind, row: Row, now_ms: u64) -> BoxFuture<'_, Result<(), StateError>> {
        self.work(move |database| {
            if row.key.len() > Limits::KEY_BYTES || row.value.len() > Limits::VALUE_BYTES {
                return Err(StateError::Long(kind.name()));
            }
            let mut kept = database.keep(kind, &row)?;
            if !kept {
                // Only now is it worth the time: what has expired makes room.
                database.forget(now_ms)?;
                kept = database.keep(kind, &row)?;
            }
            match kept {
                true => Ok(()),
                false => Err(StateError::Full(kind.name())),
            }
        })
    }

    fn swap<'a>(
        &'a self,
        kind: Kind,
        key: &'a str,
        before: Option<Vec<u8>>,
        after: Option<Row>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StateError>> {
        let key = key.to_owned();
        self.work(move |database| {
            let long = |row: &Row| row.value.len() > Limits::VALUE_BYTES;
            if key.len() > Limits::KEY_BYTES || after.as_ref().is_some_and(long) {
                return Err(StateError::Long(kind.name()));
            }
            database.forget_one(kind, &key, now_ms)?;
            match (before, after) {
                (None, None) => Ok(!database.has(kind, &key)?),
                (None, Some(row)) => database.add(kind, &key, &row, now_ms),
                (Some(before), Some(row)) => database.replace(kind, &key, &before, &row),
                (Some(before), None) => database.withdraw(kind, &key, &before),
            }
        })
    }

    fn remove<'a>(&'a self, kind: Kind, key: &'a str) -> BoxFuture<'a, Result<bool, StateError>> {
        let key = key.to_owned();
        self.work(move |database| {
            let sql = "DELETE FROM rows WHERE kind = ?1 AND key = ?2";
            let removed = database.connection().execute(sql, [kind.name(), &key])?;
            Ok(removed > 0)
        })
    }

    fn list<'a>(
        &'a self,
        kind: Kind,
        prefix: &'a str,
        after: Option<&'a str>,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Row>, StateError>> {
        let prefix = prefix.to_owned();
        let after = after.map(str::to_owned);
        self.work(move |database| {
            // By bytes, not by `LIKE`, in which some characters mean others.
            let sql = "SELECT key, value, expires_ms FROM rows
                       WHERE kind = ?1 AND key >= ?2 AND substr(key, 1, length(?2)) = ?2
                         AND (?3 IS NULL OR key > ?3) AND (expires_ms IS NULL OR expires_ms > ?4)
                       ORDER BY key LIMIT ?5";
            let connection = database.connection();
            let mut found = connection.prepare_cached(sql)?;
            let most = i64::try_from(Limits::LISTED).unwrap_or(i64::MAX);
            let values = params![kind.name(), prefix, after, stamp(now_ms), most];
            let rows = found.query_map(values, row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn sweep(&self, now_ms: u64) -> BoxFuture<'_, Result<u64, StateError>> {
        self.work(move |database| database.forget(now_ms))
    }

    fn version(&self) -> BoxFuture<'_, Result<i64, StateError>> {
        self.work(|database| Ok(database.seen()?))
    }
}

impl Database {
    /// Writes the row, unless it is new and there is no room for another.
    fn keep(&self, kind: Kind, row: &Row) -> Result<bool, StateError> {
        let sql = "INSERT INTO rows SELECT ?1, ?2, ?3, ?4
                   WHERE coalesce((SELECT n FROM counts WHERE kind = ?1), 0) < ?5
                      OR EXISTS (SELECT 1 FROM rows WHERE kind = ?1 AND key = ?2)
                   ON CONFLICT DO UPDATE SET value = ?3, expires_ms = ?4";
        let connection = self.connection();
        let mut put = connection.prepare_cached(sql)?;
        let written = put.execute(params![
            kind.name(),
            row.key,
            row.value,
            row.expires_ms.map(stamp),
            stamp((self.rows_max)(kind))
        ])?;
        Ok(written > 0)
    }

    /// Writes a row that is not there yet. Each of these is one statement, so that no other process comes
    /// in between.
    fn add(&self, kind: Kind, key: &str, row: &Row, now_ms: u64) -> Result<bool, StateError> {
        let sql = "INSERT INTO rows SELECT ?1, ?2, ?3, ?4
                   WHERE coalesce((SELECT n FROM counts WHERE kind = ?1), 0) < ?5
                   ON CONFLICT DO NOTHING";
        let expires = row.expires_ms.map(stamp);
        let most = stamp((self.rows_max)(kind));
        let add = || {
            let values = params![kind.name(), key, row.value, expires, most];
            self.connection().execute(sql, values)
        };
        if add()? > 0 {
            return Ok(true);
        }
        if self.has(kind, key)? {
            return Ok(false);
        }
        // There was no room; what has expired makes some.
        self.forget(now_ms)?;
        match add()? > 0 {
            true => Ok(true),
            false if self.has(kind, key)? => Ok(false),
            false => Err(StateError::Full(kind.name())),
        }
    }

    fn replace(&self, kind: Kind, key: &str, before: &[u8], row: &Row) -> Result<bool, StateError> {
        let sql = "UPDATE rows SET value = ?4, expires_ms = ?5
                   WHERE kind = ?1 AND key = ?2 AND value = ?3";
        let values = params![
            kind.name(),
            key,
            before,
            row.value,
            row.expires_ms.map(stamp)
        ];
        Ok(self.connection().execute(sql, values)? > 0)
    }

    fn withdraw(&self, kind: Kind, key: &str, before: &[u8]) -> Result<bool, StateError> {
        let sql = "DELETE FROM rows WHERE kind = ?1 AND key = ?2 AND value = ?3";
        let values = params![kind.name(), key, before];
        Ok(self.connection().execute(sql, values)? > 0)
    }

    fn has(&self, kind: Kind, key: &str) -> Result<bool, StateError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM rows WHERE kind = ?1 AND key = ?2)";
        let connection = self.connection();
        Ok(connection.query_row(sql, [kind.name(), key], |row| row.get(0))?)
    }

    /// Removes this row if its time has come.
    fn forget_one(&self, kind: Kind, key: &str, now_ms: u64) -> Result<(), StateError> {
        let sql = "DELETE FROM rows WHERE kind = ?1 AND key = ?2 AND expires_ms <= ?3";
        let values = params![kind.name(), key, stamp(now_ms)];
        self.connection().execute(sql, values)?;
        Ok(())
    }

    fn forget(&self, now_ms: u64) -> Result<u64, StateError> {
        let sql = "DELETE FROM rows WHERE expires_ms <= ?1";
        let removed = self.connection().execute(sql, [stamp(now_ms)])?;
        Ok(removed as u64)
    }
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        key: row.get(0)?,
        value: row.get(1)?,
        expires_ms: row.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs),
    })
}

/// Milliseconds as the store holds them.
pub(crate) fn stamp(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::suite;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[tokio::test]
    async fn n8_3_the_embedded_store_keeps_what_a_durable_store_promises() {
        let data = folder();
        let open = || Database::open(data.path()).unwrap();
        suite::durable(&open(), &open()).await;
        let small = folder();
        let small = Database::open(small.path()).unwrap().with_room_for(|_| 3);
        suite::bounded(&small, 3).await;
    }

    #[tokio::test]
    async fn rows_are_there_after_a_restart() {
        let data = folder();
        let row = Row {
            key: "alice".into(),
            value: b"value".to_vec(),
            expires_ms: None,
        };
        let before = Database::open(data.path()).unwrap();
        before.put(Kind::Grant, row.clone(), 0).await.unwrap();
        drop(before);
        let after = Database::open(data.path()).unwrap();
        assert_eq!(after.get(Kind::Grant, "alice", 0).await.unwrap(), Some(row));
    }

    #[test]
    fn a_store_of_before_takes_the_steps_it_lacks_and_one_of_later_is_refused() {
        let data = folder();
        let path = data.path().join(Database::NAME);
        let old = Connection::open(&path).unwrap();
        old.execute_batch(STEPS[0]).unwrap();
        old.execute("INSERT INTO pins VALUES ('s','t','d','{}',1,'alice')", [])
            .unwrap();
        drop(old);
        for _ in 0..2 {
            let opened = Database::open(data.path()).unwrap();
            let connection = opened.connection();
            let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            assert_eq!(count("SELECT count(*) FROM pins").unwrap(), 1);
            assert_eq!(count("SELECT count(*) FROM rows").unwrap(), 0);
        }
        let opened = Database::open(data.path()).unwrap();
        opened
            .connection()
            .pragma_update(None, "user_version", 1000)
            .unwrap();
        let refused = Database::open(data.path());
        assert!(matches!(refused, Err(StateError::Newer(1000))));
    }

    #[tokio::test]
    async fn a_broken_store_is_an_error_and_not_an_empty_answer() {
        let data = folder();
        let database = Database::open(data.path()).unwrap();
        database
            .connection()
            .execute_batch("DROP TABLE rows")
            .unwrap();
        assert!(database.get(Kind::Revocation, "x", 0).await.is_err());
        assert!(database.list(Kind::Revocation, "", None, 0).await.is_err());
        assert!(database.remove(Kind::Revocation, "x").await.is_err());
        assert!(database.sweep(0).await.is_err());
    }
}
