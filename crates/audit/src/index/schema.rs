//! The tables of the index, and opening the database: one that is damaged or of another version is
//! thrown away, for everything in it can be had again.

use super::Place;
use crate::digest::Hash;
use crate::err::IndexError;
use crate::reader::Position;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Raised whenever a table or the meaning of a column changes.
const VERSION: i64 = 1;
const BUSY_TIME: Duration = Duration::from_secs(10);

const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -16384;
";

/// The words are stored without positions and without a copy of the text: what matters is which
/// records have a word. Every word is made here, so the plain tokenizer never has to split one.
const TABLES: &str = "
    CREATE TABLE place (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        segment INTEGER NOT NULL,
        offset INTEGER NOT NULL,
        hash TEXT NOT NULL
    ) STRICT;
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        verdict TEXT NOT NULL,
        route TEXT,
        server TEXT,
        user TEXT,
        method TEXT,
        subject TEXT,
        code TEXT,
        controls TEXT NOT NULL,
        segment INTEGER NOT NULL,
        offset INTEGER NOT NULL
    ) STRICT;
    -- Which numbers the records of a minute have: time is only nearly in the order of numbers.
    CREATE TABLE minutes (
        minute INTEGER PRIMARY KEY,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = '', columnsize = 0, detail = none, tokenize = 'ascii'
    );
    -- A whole step's words are sorted in memory, so that less has to be merged later.
    INSERT INTO words (words, rank) VALUES ('hashsize', 16777216);
";

const DROP: &str = "
    DROP TABLE IF EXISTS place;
    DROP TABLE IF EXISTS records;
    DROP TABLE IF EXISTS minutes;
    DROP TABLE IF EXISTS words;
";

pub(super) const INSERT_RECORD: &str =
    "INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
pub(super) const INSERT_WORDS: &str = "INSERT INTO words (rowid, text) VALUES (?1, ?2)";
pub(super) const INSERT_MINUTE: &str = "
    INSERT INTO minutes VALUES (?1, ?2, ?2)
    ON CONFLICT (minute) DO UPDATE SET last = excluded.last";

/// Opens the database, or makes a new one.
pub(super) fn open(path: &Path) -> Result<Connection, IndexError> {
    match prepare(path) {
        Err(error) if is_damage(&error) => {
            remove(path)?;
            Ok(prepare(path)?)
        }
        other => Ok(other?),
    }
}

/// Makes the tables anew.
pub(super) fn empty(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    transaction.execute_batch(DROP)?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "user_version", VERSION)
}

/// How far the index is.
pub(super) fn place(transaction: &Transaction<'_>) -> Result<Place, rusqlite::Error> {
    let stored = transaction
        .prepare_cached("SELECT segment, offset, hash FROM place")?
        .query_row([], |row| {
            Ok((
                row.get::<_, u32>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .optional()?;
    let place = stored.and_then(|(segment, offset, hash)| {
        Some(Place {
            position: Position {
                segment,
                offset: u64::try_from(offset).ok()?,
            },
            hash: Hash::from_digits(hash.as_bytes().try_into().ok()?),
        })
    });
    Ok(place.unwrap_or(Place {
        position: Position::START,
        hash: Hash::NONE,
    }))
}

/// Remembers how far the index is.
pub(super) fn set_place(
    transaction: &Transaction<'_>,
    place: &Place,
) -> Result<(), rusqlite::Error> {
    let Position { segment, offset } = place.position;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO place VALUES (1, ?1, ?2, ?3)")?
        .execute(params![
            segment,
            super::signed(offset),
            place.hash.to_string()
        ])?;
    Ok(())
}

fn prepare(path: &Path) -> Result<Connection, rusqlite::Error> {
    let mut database = Connection::open(path)?;
    database.busy_timeout(BUSY_TIME)?;
    database.execute_batch(SETTINGS)?;
    let transaction =
        database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version != VERSION {
        empty(&transaction)?;
    }
    transaction.commit()?;
    Ok(database)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn remove(path: &Path) -> Result<(), IndexError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let file = PathBuf::from(name);
        match fs::remove_file(&file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(IndexError::Rebuild { path: file, source });
            }
            _ => {}
        }
    }
    Ok(())
}
