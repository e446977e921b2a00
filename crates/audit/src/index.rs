//! Finds records: a full-text index beside the ledger, derived from it and never trusted.
//!
//! It is brought up to date in bounded steps, by its own thread or by whoever asks; it is never on
//! the path of a call. Thrown away, damaged, or made for another ledger, it is built anew. What
//! [`Index::show`] gives is read from the ledger itself.

mod indexer;
mod schema;
mod search;

pub use indexer::Indexer;
pub use search::Hit;

use crate::digest::Hash;
use crate::err::{IndexError, ReadError};
use crate::line::Piece;
use crate::query::{Query, controls, each_text, words};
use crate::reader::{Entry, Position, Reader};
use crate::record::OwnedRecord;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};

const DATABASE: &str = "index.sqlite";
/// How many records one step takes in: the most that is lost when it is interrupted.
const STEP_RECORDS: usize = 8192;
const MINUTE_MS: u64 = 60_000;

/// The index of one ledger.
#[derive(Debug)]
pub struct Index {
    dir: PathBuf,
    database: Connection,
    /// Kept between steps, because a compressed segment can only be read from its start.
    reader: Option<Reader>,
}

/// How far an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many records this step took in.
    pub indexed: u64,
    /// Whether it has seen all of the ledger.
    pub is_complete: bool,
}

impl Index {
    /// Opens the index of the ledger in `dir`, or makes one there.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        Self::open_at(dir, &dir.join(DATABASE))
    }

    /// The same with the database somewhere else, for a ledger that cannot be written to.
    pub fn open_at(dir: &Path, database: &Path) -> Result<Self, IndexError> {
        Ok(Self {
            dir: dir.to_owned(),
            database: schema::open(database)?,
            reader: None,
        })
    }

    /// Takes in the next records, a bounded number.
    pub fn step(&mut self) -> Result<Progress, IndexError> {
        let transaction = self
            .database
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut place = schema::place(&transaction)?;
        let mut reader = match self.reader.take() {
            Some(reader) if reader.next_position() == place.position => reader,
            _ => Reader::at(&self.dir, place.position),
        };
        let mut indexed = 0u64;
        let mut is_complete = false;
        for _ in 0..STEP_RECORDS {
            if !advance(&mut reader, &place)? {
                is_complete = true;
                break;
            }
            let here = reader.position();
            let line = match reader.line() {
                Ok(line) if line.prev == place.hash => line,
                // What was indexed is not what lies there: another ledger, or a changed one.
                _ if place.position != Position::START => {
                    schema::empty(&transaction)?;
                    transaction.commit()?;
                    let is_complete = false;
                    return Ok(Progress {
                        indexed: 0,
                        is_complete,
                    });
                }
                other => other?,
            };
            if let Piece::Record(bytes) = line.piece {
                // A record of a later version is not found, but does not stop the others.
                if let Ok(record) = serde_json::from_slice(bytes) {
                    insert(&transaction, line.seq, here, &record)?;
                    indexed = indexed.saturating_add(1);
                }
            }
            place.hash = line.hash;
            place.position = reader.next_position();
        }
        schema::set_place(&transaction, &place)?;
        transaction.commit()?;
        self.reader = Some(reader);
        Ok(Progress {
            indexed,
            is_complete,
        })
    }

    /// Takes in everything there is, and returns how many records that were.
    pub fn catch_up(&mut self) -> Result<u64, IndexError> {
        let mut indexed = 0u64;
        loop {
            let progress = self.step()?;
            indexed = indexed.saturating_add(progress.indexed);
            if progress.is_complete {
                return Ok(indexed);
            }
        }
    }

    /// The records that are looked for, newest first.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>, IndexError> {
        search::search(&self.database, query)
    }

    /// The newest `count` records, newest first.
    pub fn tail(&self, count: usize) -> Result<Vec<Hit>, IndexError> {
        let limit = Some(count);
        self.search(&Query {
            limit,
            ..Query::default()
        })
    }

    /// The record with this id, from the ledger itself.
    pub fn show(&self, id: &str) -> Result<Entry, IndexError> {
        let unknown = || IndexError::Unknown { id: id.to_owned() };
        let position = search::position(&self.database, id)?.ok_or_else(unknown)?;
        let mut reader = Reader::at(&self.dir, position);
        if !reader.advance()? {
            return Err(unknown());
        }
        if !reader.line()?.has_its_hash() {
            return Err(IndexError::Read(ReadError::Line {
                file: crate::segment::plain_name(position.segment),
                offset: position.offset,
            }));
        }
        Ok(reader.entry()?)
    }
}

/// How far the index is: the next line's place, and the hash it has to name.
#[derive(Clone, Copy, Debug)]
struct Place {
    position: Position,
    hash: Hash,
}

/// Advances; what cannot be read where something else was indexed is treated as changed.
fn advance(reader: &mut Reader, place: &Place) -> Result<bool, ReadError> {
    match reader.advance() {
        Err(ReadError::Line { .. }) if place.position != Position::START => Ok(true),
        other => other,
    }
}

fn insert(
    transaction: &Transaction<'_>,
    seq: u64,
    position: Position,
    record: &OwnedRecord,
) -> Result<(), IndexError> {
    let seq = signed(seq);
    let user = record.who.as_ref().and_then(|who| who.user.as_deref());
    let code = record.refusal.as_ref().map(|refusal| &*refusal.code);
    let mut named: Vec<_> = controls(record).collect();
    named.dedup();
    let named = named.join(" ");
    transaction
        .prepare_cached(schema::INSERT_RECORD)?
        .execute(params![
            seq,
            signed(record.at_ms),
            record.id,
            record.kind.word(),
            record.verdict.word(),
            record.route,
            record.server,
            user,
            record.method,
            record.subject,
            code,
            named,
            position.segment,
            signed(position.offset),
        ])?;
    let minute = signed(record.at_ms / MINUTE_MS);
    transaction
        .prepare_cached(schema::INSERT_MINUTE)?
        .execute(params![minute, seq])?;
    transaction
        .prepare_cached(schema::INSERT_WORDS)?
        .execute(params![seq, text_of(record)])?;
    Ok(())
}

/// The words of a record, and one made-up word for every field that can be asked for exactly.
fn text_of(record: &OwnedRecord) -> String {
    let mut text = String::with_capacity(1024);
    let mut add = |word: &str| {
        text.push_str(word);
        text.push(' ');
    };
    each_text(record, |part| words(part).for_each(|word| add(&word)));
    let who = record.who.as_ref();
    for (field, value) in [
        (
            search::Field::Code,
            record.refusal.as_ref().map(|refusal| &*refusal.code),
        ),
        (search::Field::Id, Some(&*record.id)),
        (search::Field::Route, record.route.as_deref()),
        (search::Field::Tool, record.subject.as_deref()),
        (search::Field::User, who.and_then(|who| who.user.as_deref())),
        (search::Field::Verdict, Some(record.verdict.word())),
    ] {
        if let Some(value) = value {
            add(&field.word(value));
        }
    }
    controls(record).for_each(|control| add(&search::Field::Control.word(control)));
    text
}

/// SQLite's numbers have a sign.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
