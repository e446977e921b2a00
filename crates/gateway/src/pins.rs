//! What was approved: the pinned definition of everything a server offers and of what it says of itself,
//! with what was approved before, kept in `state.db` in the data directory.
//!
//! The running gateway and `ringwall tools approve` open the same file; SQLite keeps them apart and
//! [`Pins::version`] tells the gateway that somebody else wrote. Pins never hold a secret.

use crate::state::{Database, StateError, stamp};
use inspect::pin::Digest;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
pub use subject::Kind;

use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;

mod subject;

/// The durable store of pins and of definitions waiting for approval.
#[derive(Debug)]
pub struct Pins(Database);

/// An approved definition.
#[derive(Clone, Debug, Serialize)]
pub struct Pin {
    /// The canonical digest the tool must keep.
    pub digest: Digest,
    /// The definition as approved.
    pub definition: Value,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// By whom: `first use` or the name given to `ringwall tools approve`.
    pub by: String,
}

impl Pin {
    /// Whoever believed it at first use.
    pub(crate) const FIRST_USE: &'static str = "first use";

    /// Whether it was believed at first use, and no person approved it.
    pub(crate) fn is_by_itself(&self) -> bool {
        self.by == Self::FIRST_USE
    }
}

/// A definition that was seen and is not approved.
#[derive(Clone, Debug, Serialize)]
pub struct Sighting {
    /// The server that offers it.
    pub server: String,
    /// What it is: see [`Kind::key`].
    pub tool: String,
    /// Its canonical digest.
    pub digest: Digest,
    /// The definition as seen.
    pub definition: Value,
    /// When it was first seen, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Why it waits, such as `changed` or `never approved`.
    pub why: String,
}

impl Sighting {
    /// Why something waits whose name a list gives to another thing too.
    pub(crate) const TWICE: &'static str = "is defined more than once in one list";

    /// Whether nobody can tell what would be approved: its server offers another thing by the same name.
    pub fn is_ambiguous(&self) -> bool {
        self.why == Self::TWICE
    }
}

/// What is to be written down of a definition that was studied.
#[derive(Clone, Debug)]
pub enum Entry {
    /// It is approved at first use, unless somebody took it back since it was studied: that stands.
    Approved {
        /// The server that offers it.
        server: String,
        /// The tool's name.
        tool: String,
        /// As what.
        pin: Pin,
    },
    /// It differs from what was approved by so little that the operator accepts it unseen.
    Accepted {
        /// The server that offers it.
        server: String,
        /// The tool's name.
        tool: String,
        /// As what.
        pin: Pin,
    },
    /// It is what was approved: nothing of that name waits any more.
    Settled {
        /// The server that offers it.
        server: String,
        /// The tool's name.
        tool: String,
    },
    /// It waits for approval.
    Waiting(Sighting),
}

/// Why the store of pins could not be used. The gateway then serves no tool (fail closed).
#[derive(Debug, thiserror::Error)]
#[error("the store of pins failed: {0}")]
pub struct PinsError(#[from] rusqlite::Error);

impl Pins {
    /// Sightings kept per server, so that a server that invents names cannot fill the disk.
    pub const SIGHTINGS_PER_SERVER: u32 = 1000;
    /// Pins kept per server: a first use beyond that waits for somebody to look.
    pub const PER_SERVER: u32 = 20_000;
    /// Earlier approvals kept of each definition, the one in force with them.
    pub const HISTORY: u32 = 20;

    /// Opens the store in this data directory, creating it if it is not there.
    pub fn open(data: &Path) -> Result<Self, StateError> {
        Ok(Pins(Database::open(data)?))
    }

    /// The pins in a store that is open.
    pub fn within(database: Database) -> Self {
        Pins(database)
    }

    /// A number that changes whenever another process wrote to the store.
    pub fn version(&self) -> Result<i64, PinsError> {
        Ok(self.0.seen()?)
    }

    /// Every pin of this server, by tool name.
    pub fn of(&self, server: &str) -> Result<HashMap<String, Pin>, PinsError> {
        let connection = self.0.connection();
        let mut rows = connection.prepare_cached(
            "SELECT tool, digest, definition, at_ms, by FROM pins WHERE server = ?1",
        )?;
        let pins = rows.query_map([server], |row| {
            let pin = Pin {
                digest: column(row, 1, Digest::from_str)?,
                definition: column(row, 2, json)?,
                at_ms: row.get::<_, i64>(3)?.unsigned_abs(),
                by: row.get(4)?,
            };
            Ok((row.get(0)?, pin))
        })?;
        Ok(pins.collect::<Result<_, _>>()?)
    }

    /// The pin of one of them.
    pub fn pin(&self, server: &str, tool: &str) -> Result<Option<Pin>, PinsError> {
        let connection = self.0.connection();
        let sql = "SELECT digest, definition, at_ms, by FROM pins WHERE server = ?1 AND tool = ?2";
        let mut found = connection.prepare_cached(sql)?;
        Ok(found.query_row([server, tool], pin).optional()?)
    }

    /// How many pins this server has.
    pub fn count(&self, server: &str) -> Result<u32, PinsError> {
        let sql = "SELECT count(*) FROM pins WHERE server = ?1";
        let connection = self.0.connection();
        let mut count = connection.prepare_cached(sql)?;
        Ok(count.query_row([server], |row| row.get(0))?)
    }

    /// What was approved of this, latest first, the pin in force with it. At most [`Pins::HISTORY`].
    pub fn history(&self, server: &str, tool: &str) -> Result<Vec<Pin>, PinsError> {
        let connection = self.0.connection();
        let sql = "SELECT digest, definition, at_ms, by FROM history
                   WHERE server = ?1 AND tool = ?2 ORDER BY rowid DESC LIMIT ?3";
        let mut found = connection.prepare_cached(sql)?;
        let pins = found.query_map(params![server, tool, Self::HISTORY], pin)?;
        Ok(pins.collect::<Result<_, _>>()?)
    }

    /// Pins a definition again that was approved before: what is offered is held against that one from
    /// now on. None if no such one is in the history.
    pub fn roll_back(
        &self,
        server: &str,
        tool: &str,
        (digest, by, at_ms): (Digest, &str, u64),
    ) -> Result<Option<Pin>, PinsError> {
        let earlier = self.history(server, tool)?.into_iter();
        let Some(found) = earlier.into_iter().find(|pin| pin.digest == digest) else {
            return Ok(None);
        };
        let pin = Pin {
            at_ms,
            by: by.to_owned(),
            ..found
        };
        self.approve(server, tool, &pin)?;
        Ok(Some(pin))
    }

    /// Every server and tool that has a pin, with the pin.
    pub fn all(&self) -> Result<Vec<(String, String, Pin)>, PinsError> {
        let servers: Vec<String> = {
            let connection = self.0.connection();
            let mut rows =
                connection.prepare("SELECT DISTINCT server FROM pins ORDER BY server")?;
            rows.query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?
        };
        let mut all = Vec::new();
        for server in servers {
            let mut pins: Vec<_> = self.of(&server)?.into_iter().collect();
            pins.sort_by(|(left, _), (right, _)| left.cmp(right));
            all.extend(
                pins.into_iter()
                    .map(|(tool, pin)| (server.clone(), tool, pin)),
            );
        }
        Ok(all)
    }

    /// The pins of this kind of this server, each with what the server calls it, in no order.
    pub fn of_kind(&self, server: &str, kind: Kind) -> Result<Vec<(String, Pin)>, PinsError> {
        let pins = self.of(server)?.into_iter().filter_map(|(key, pin)| {
            let (of, name) = Kind::of_key(&key);
            (of == kind).then(|| (name.to_owned(), pin))
        });
        Ok(pins.collect())
    }

    /// Pins this definition and forgets that it was waiting.
    pub fn approve(&self, server: &str, tool: &str, pin: &Pin) -> Result<(), PinsError> {
        let mut connection = self.0.connection();
        let transaction = connection.transaction()?;
        approve(&transaction, server, tool, pin)?;
        Ok(transaction.commit()?)
    }

    /// Writes all of this down, or nothing of it: the disk is waited for once.
    pub fn write<'e>(&self, entries: impl IntoIterator<Item = &'e Entry>) -> Result<(), PinsError> {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_none() {
            return Ok(());
        }
        let mut connection = self.0.connection();
        // It may read before it writes: begun as a reading, it would fail at once where another process writes
        // meanwhile, instead of waiting for it.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for entry in entries {
            match entry {
                Entry::Approved { server, tool, pin } => {
                    if !waits(&transaction, server, tool)? {
                        approve(&transaction, server, tool, pin)?;
                    }
                }
                Entry::Accepted { server, tool, pin } => {
                    approve(&transaction, server, tool, pin)?;
                    forget(&transaction, server, tool)?;
                }
                Entry::Settled { server, tool } => forget(&transaction, server, tool)?,
                Entry::Waiting(sighting) => see(&transaction, sighting)?,
            }
        }
        Ok(transaction.commit()?)
    }

    /// Takes a pin back. The definition waits from now on, so that not even a server whose tools
    /// are trusted at first use gets it approved again by itself.
    pub fn revoke(&self, server: &str, tool: &str) -> Result<bool, PinsError> {
        let mut connection = self.0.connection();
        let transaction = connection.transaction()?;
        transaction.execute(
            "INSERT INTO sightings SELECT server, tool, digest, definition, at_ms, 'revoked'
             FROM pins WHERE server = ?1 AND tool = ?2
             ON CONFLICT DO NOTHING",
            [server, tool],
        )?;
        let sql = "DELETE FROM pins WHERE server = ?1 AND tool = ?2";
        let revoked = transaction.execute(sql, [server, tool])? > 0;
        transaction.commit()?;
        Ok(revoked)
    }

    /// Takes back a pin that was believed at first use and is this definition still: it waits, for this reason,
    /// until somebody approves it. False if somebody has decided meanwhile.
    pub(crate) fn hold(
        &self,
        server: &str,
        tool: &str,
        digest: Digest,
        why: &str,
    ) -> Result<bool, PinsError> {
        let mut connection = self.0.connection();
        let transaction = connection.transaction()?;
        let digest = digest.to_string();
        transaction.execute(
            "INSERT INTO sightings SELECT server, tool, digest, definition, at_ms, ?5
             FROM pins WHERE server = ?1 AND tool = ?2 AND digest = ?3 AND by = ?4
             ON CONFLICT DO NOTHING",
            params![server, tool, digest, Pin::FIRST_USE, why],
        )?;
        let sql = "DELETE FROM pins WHERE server = ?1 AND tool = ?2 AND digest = ?3 AND by = ?4";
        let held = transaction.execute(sql, params![server, tool, digest, Pin::FIRST_USE])? > 0;
        transaction.commit()?;
        Ok(held)
    }

    /// Says beside a pin that was believed at first use what is suspected of it.
    pub(crate) fn remark(
        &self,
        server: &str,
        tool: &str,
        digest: Digest,
        words: &str,
    ) -> Result<(), PinsError> {
        let by = format!("{}; {words}", Pin::FIRST_USE);
        let connection = self.0.connection();
        let sql = "UPDATE pins SET by = ?5
                   WHERE server = ?1 AND tool = ?2 AND digest = ?3 AND by = ?4";
        let mut update = connection.prepare_cached(sql)?;
        update.execute(params![
            server,
            tool,
            digest.to_string(),
            Pin::FIRST_USE,
            by
        ])?;
        Ok(())
    }

    /// Remembers a definition that waits for approval; the latest one per tool.
    pub fn see(&self, sighting: &Sighting) -> Result<(), PinsError> {
        see(&self.0.connection(), sighting)
    }

    /// The definition of this tool that waits for approval, if one does.
    pub fn sighting(&self, server: &str, tool: &str) -> Result<Option<Sighting>, PinsError> {
        let sql = "SELECT server, tool, digest, definition, at_ms, why FROM sightings
                   WHERE server = ?1 AND tool = ?2";
        Ok(self
            .0
            .connection()
            .query_row(sql, [server, tool], sighting)
            .optional()?)
    }

    /// Whether as many definitions of this server wait as are remembered: then others may wait as well.
    pub fn is_crowded(&self, server: &str) -> Result<bool, PinsError> {
        let sql = "SELECT count(*) FROM sightings WHERE server = ?1";
        let connection = self.0.connection();
        let mut count = connection.prepare_cached(sql)?;
        let count: u32 = count.query_row([server], |row| row.get(0))?;
        Ok(count >= Self::SIGHTINGS_PER_SERVER)
    }

    /// Every definition that waits for approval.
    pub fn sightings(&self) -> Result<Vec<Sighting>, PinsError> {
        let connection = self.0.connection();
        let mut rows = connection.prepare(
            "SELECT server, tool, digest, definition, at_ms, why FROM sightings ORDER BY server, tool",
        )?;
        let all = rows.query_map([], sighting)?;
        Ok(all.collect::<Result<_, _>>()?)
    }
}

fn approve(store: &Connection, server: &str, tool: &str, pin: &Pin) -> Result<(), PinsError> {
    let mut insert = store.prepare_cached(
        "INSERT INTO pins VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET
            digest = ?3, definition = ?4, at_ms = ?5, by = ?6",
    )?;
    let digest = pin.digest.to_string();
    insert.execute(params![
        server,
        tool,
        digest,
        pin.definition.to_string(),
        stamp(pin.at_ms),
        pin.by
    ])?;
    let sql = "DELETE FROM sightings WHERE server = ?1 AND tool = ?2 AND digest = ?3";
    store
        .prepare_cached(sql)?
        .execute([server, tool, &digest])?;
    remember(store, server, tool)
}

/// Adds the pin in force to what was approved, and forgets what is too long ago.
fn remember(store: &Connection, server: &str, tool: &str) -> Result<(), PinsError> {
    let add = "INSERT INTO history SELECT server, tool, digest, definition, at_ms, by FROM pins
               WHERE server = ?1 AND tool = ?2";
    store.prepare_cached(add)?.execute([server, tool])?;
    let forget = "DELETE FROM history WHERE rowid IN (
                      SELECT rowid FROM history WHERE server = ?1 AND tool = ?2
                      ORDER BY rowid DESC LIMIT -1 OFFSET ?3)";
    let values = params![server, tool, Pins::HISTORY];
    store.prepare_cached(forget)?.execute(values)?;
    Ok(())
}

fn see(store: &Connection, sighting: &Sighting) -> Result<(), PinsError> {
    let mut insert = store.prepare_cached(
        "INSERT INTO sightings SELECT ?1, ?2, ?3, ?4, ?5, ?6
         WHERE (SELECT count(*) FROM sightings WHERE server = ?1) < ?7
            OR EXISTS (SELECT 1 FROM sightings WHERE server = ?1 AND tool = ?2)
         ON CONFLICT DO UPDATE SET digest = ?3, definition = ?4, at_ms = ?5, why = ?6
            WHERE digest <> ?3 OR (why = ?8) <> (?6 = ?8)",
    )?;
    insert.execute(params![
        sighting.server,
        sighting.tool,
        sighting.digest.to_string(),
        sighting.definition.to_string(),
        stamp(sighting.at_ms),
        sighting.why,
        Pins::SIGHTINGS_PER_SERVER,
        Sighting::TWICE
    ])?;
    Ok(())
}

fn waits(store: &Connection, server: &str, tool: &str) -> Result<bool, PinsError> {
    let sql = "SELECT 1 FROM sightings WHERE server = ?1 AND tool = ?2";
    Ok(store.prepare_cached(sql)?.exists([server, tool])?)
}

/// Forgets the sighting of a tool that is back at its pinned definition.
fn forget(store: &Connection, server: &str, tool: &str) -> Result<(), PinsError> {
    let sql = "DELETE FROM sightings WHERE server = ?1 AND tool = ?2";
    store.prepare_cached(sql)?.execute([server, tool])?;
    Ok(())
}

fn pin(row: &rusqlite::Row<'_>) -> rusqlite::Result<Pin> {
    Ok(Pin {
        digest: column(row, 0, Digest::from_str)?,
        definition: column(row, 1, json)?,
        at_ms: row.get::<_, i64>(2)?.unsigned_abs(),
        by: row.get(3)?,
    })
}

fn sighting(row: &rusqlite::Row<'_>) -> rusqlite::Result<Sighting> {
    Ok(Sighting {
        server: row.get(0)?,
        tool: row.get(1)?,
        digest: column(row, 2, Digest::from_str)?,
        definition: column(row, 3, json)?,
        at_ms: row.get::<_, i64>(4)?.unsigned_abs(),
        why: row.get(5)?,
    })
}

/// Reads a text column that must parse; a store that was tampered with is an error, not a default.
fn column<T, E: std::error::Error + Send + Sync + 'static>(
    row: &rusqlite::Row<'_>,
    at: usize,
    parse: impl Fn(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let text: String = row.get(at)?;
    parse(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pin(definition: &Value) -> Pin {
        Pin {
            digest: inspect::pin::digest(definition),
            definition: definition.clone(),
            at_ms: 5,
            by: "alice".into(),
        }
    }

    #[test]
    fn an_approval_is_seen_by_another_process_with_the_same_store() {
        let data = tempfile::tempdir().unwrap();
        let (gateway, command) = (
            Pins::open(data.path()).unwrap(),
            Pins::open(data.path()).unwrap(),
        );
        let before = gateway.version().unwrap();
        let definition = json!({"name": "echo", "inputSchema": {"type": "object"}});
        command.approve("files", "echo", &pin(&definition)).unwrap();
        assert_ne!(gateway.version().unwrap(), before);
        assert_eq!(gateway.of("files").unwrap()["echo"].definition, definition);
        assert!(gateway.of("other").unwrap().is_empty());
    }

    #[test]
    fn n9_2_a_revoked_definition_waits_until_it_is_approved_again() {
        let data = tempfile::tempdir().unwrap();
        let pins = Pins::open(data.path()).unwrap();
        let definition = json!({"name": "echo", "inputSchema": {"type": "object"}});
        pins.approve("files", "echo", &pin(&definition)).unwrap();
        assert!(pins.revoke("files", "echo").unwrap());
        assert!(!pins.revoke("files", "echo").unwrap());
        assert_eq!(
            pins.sighting("files", "echo").unwrap().unwrap().why,
            "revoked"
        );
        pins.approve("files", "echo", &pin(&definition)).unwrap();
        assert!(pins.sighting("files", "echo").unwrap().is_none());
    }

    #[test]
    fn n9_2_what_a_detector_suspects_takes_back_what_no_person_approved() {
        let data = tempfile::tempdir().unwrap();
        let pins = Pins::open(data.path()).unwrap();
        let definition = json!({"name": "echo"});
        let by = |by: &str| Pin {
            by: by.into(),
            ..pin(&definition)
        };
        let digest = pin(&definition).digest;
        let other = inspect::pin::digest(&json!({"name": "other"}));
        for (who, of, held) in [
            (Pin::FIRST_USE, digest, true),
            (Pin::FIRST_USE, other, false),
            ("alice", digest, false),
        ] {
            pins.approve("files", "echo", &by(who)).unwrap();
            assert_eq!(pins.hold("files", "echo", of, "suspect").unwrap(), held);
            let waits = pins.sighting("files", "echo").unwrap();
            assert_eq!(waits.is_some_and(|it| it.why == "suspect"), held, "{who}");
            assert_eq!(pins.pin("files", "echo").unwrap().is_none(), held);
        }
        for (who, expected) in [(Pin::FIRST_USE, "first use; suspect"), ("alice", "alice")] {
            pins.approve("files", "echo", &by(who)).unwrap();
            pins.remark("files", "echo", digest, "suspect").unwrap();
            assert_eq!(pins.pin("files", "echo").unwrap().unwrap().by, expected);
        }
    }

    #[test]
    fn n9_2_what_was_approved_before_is_known_and_can_be_pinned_again() {
        let data = tempfile::tempdir().unwrap();
        let pins = Pins::open(data.path()).unwrap();
        let definition = |number: u32| json!({"name": "echo", "description": number});
        let digest = |number: u32| inspect::pin::digest(&definition(number));
        for number in 0..Pins::HISTORY + 5 {
            let pin = Pin {
                at_ms: number.into(),
                ..pin(&definition(number))
            };
            pins.approve("files", "echo", &pin).unwrap();
        }
        pins.approve("files", "other", &pin(&definition(0)))
            .unwrap();
        let history = pins.history("files", "echo").unwrap();
        let last = Pins::HISTORY + 4;
        assert_eq!(history.len(), Pins::HISTORY as usize);
        assert_eq!(
            (history[0].digest, history[0].at_ms),
            (digest(last), u64::from(last))
        );
        let back = |number: u32| {
            pins.roll_back("files", "echo", (digest(number), "bob", 99))
                .unwrap()
        };
        assert!(back(0).is_none(), "it is forgotten");
        assert_eq!(back(10).unwrap().definition, definition(10));
        let pinned = pins.pin("files", "echo").unwrap().unwrap();
        assert_eq!((pinned.digest, &*pinned.by), (digest(10), "bob"));
        // Who took it back is a part of what was approved.
        let history = pins.history("files", "echo").unwrap();
        assert_eq!((history[0].digest, &*history[0].by), (digest(10), "bob"));
        assert_eq!(pins.history("files", "other").unwrap().len(), 1);
        assert_eq!(pins.count("files").unwrap(), 2);
    }

    #[test]
    fn n9_2_what_a_study_says_is_written_whole_or_not_at_all() {
        let data = tempfile::tempdir().unwrap();
        let pins = Pins::open(data.path()).unwrap();
        let definition = json!({"name": "x"});
        let waiting = |tool: &str| {
            Entry::Waiting(Sighting {
                server: "files".into(),
                tool: tool.into(),
                digest: inspect::pin::digest(&definition),
                definition: definition.clone(),
                at_ms: 1,
                why: "never approved".into(),
            })
        };
        let approved = |tool: &str| Entry::Approved {
            server: "files".into(),
            tool: tool.into(),
            pin: pin(&definition),
        };
        let settled = Entry::Settled {
            server: "files".into(),
            tool: "back".into(),
        };
        pins.write(&[waiting("back"), waiting("new")]).unwrap();
        pins.write(&[approved("a"), settled, approved("b")])
            .unwrap();
        let left: Vec<_> = pins
            .sightings()
            .unwrap()
            .into_iter()
            .map(|it| it.tool)
            .collect();
        assert_eq!(
            (pins.of("files").unwrap().len(), left),
            (2, vec!["new".into()])
        );
        pins.write(&[]).unwrap();
        // Taken back since it was studied.
        pins.revoke("files", "a").unwrap();
        pins.write(&[approved("a")]).unwrap();
        assert_eq!(pins.of("files").unwrap().len(), 1);

        let sql = "CREATE TRIGGER broken BEFORE INSERT ON pins WHEN NEW.tool = 'd'
                   BEGIN SELECT RAISE(ABORT, 'broken'); END";
        pins.0.connection().execute_batch(sql).unwrap();
        assert!(pins.write(&[approved("c"), approved("d")]).is_err());
        assert_eq!(pins.of("files").unwrap().len(), 1);
        pins.write(&[approved("c")]).unwrap();
    }

    #[test]
    fn a_server_that_invents_names_fills_no_disk() {
        let data = tempfile::tempdir().unwrap();
        let pins = Pins::open(data.path()).unwrap();
        let definition = json!({"name": "x"});
        for number in 0..Pins::SIGHTINGS_PER_SERVER + 10 {
            pins.see(&Sighting {
                server: "noisy".into(),
                tool: format!("tool{number}"),
                digest: inspect::pin::digest(&definition),
                definition: definition.clone(),
                at_ms: 1,
                why: "never approved".into(),
            })
            .unwrap();
        }
        assert_eq!(
            pins.sightings().unwrap().len(),
            Pins::SIGHTINGS_PER_SERVER as usize
        );
    }

    #[test]
    fn n4_3_no_more_approvals_are_kept_than_are_told() {
        let data = tempfile::tempdir().unwrap();
        let pins = Pins::open(data.path()).unwrap();
        for number in 0..Pins::HISTORY + 5 {
            let one = pin(&json!({ "name": "echo", "a": number }));
            pins.approve("files", "echo", &one).unwrap();
        }
        let connection = pins.0.connection();
        let kept: u32 = connection
            .query_row("SELECT count(*) FROM history", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, Pins::HISTORY);
    }

    /// Why something waits is what was seen first of a definition, but for that another one has its name.
    #[test]
    fn n9_2_what_is_defined_twice_waits_for_that_as_long_as_it_is() {
        let data = tempfile::tempdir().unwrap();
        let pins = Pins::open(data.path()).unwrap();
        let definition = json!({ "name": "echo" });
        for (why, expected) in [
            ("never approved", "never approved"),
            ("changed", "never approved"),
            (Sighting::TWICE, Sighting::TWICE),
            (Sighting::TWICE, Sighting::TWICE),
            ("changed", "changed"),
        ] {
            pins.see(&Sighting {
                server: "files".into(),
                tool: "echo".into(),
                digest: inspect::pin::digest(&definition),
                definition: definition.clone(),
                at_ms: 1,
                why: why.into(),
            })
            .unwrap();
            let waits = pins.sighting("files", "echo").unwrap().unwrap();
            assert_eq!(waits.why, expected);
            assert_eq!(waits.is_ambiguous(), expected == Sighting::TWICE);
        }
    }

    #[test]
    fn what_is_accepted_waits_no_more_whatever_waited() {
        let data = tempfile::tempdir().unwrap();
        let pins = Pins::open(data.path()).unwrap();
        let (one, two) = (
            json!({ "name": "echo" }),
            json!({ "name": "echo", "title": "E" }),
        );
        pins.see(&Sighting {
            server: "files".into(),
            tool: "echo".into(),
            digest: inspect::pin::digest(&one),
            definition: one,
            at_ms: 1,
            why: "changed".into(),
        })
        .unwrap();
        let accepted = Entry::Accepted {
            server: "files".into(),
            tool: "echo".into(),
            pin: pin(&two),
        };
        pins.write([&accepted]).unwrap();
        assert!(pins.sighting("files", "echo").unwrap().is_none());
    }
}
