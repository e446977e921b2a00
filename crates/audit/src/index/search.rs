//! Asks the index. Words and made-up words of exact fields narrow the records down; the columns
//! then say exactly.

use super::{MINUTE_MS, signed};
use crate::err::IndexError;
use crate::query::Query;
use crate::reader::Position;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

const COLUMNS: &str = "
    records.seq, at_ms, id, kind, verdict, route, server, user, method, subject, code, controls";

/// The exact conditions; what was not asked for is null.
const CONDITIONS: &str = "
    (:user IS NULL OR user = :user)
    AND (:tool IS NULL OR subject = :tool)
    AND (:route IS NULL OR route = :route)
    AND (:verdict IS NULL OR verdict = :verdict)
    AND (:code IS NULL OR code = :code)
    AND (:control IS NULL OR instr(' ' || controls || ' ', ' ' || :control || ' ') > 0)
    AND at_ms BETWEEN :since AND :until";

/// One record that was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Hit {
    /// Its number in the ledger.
    pub seq: u64,
    /// When it arrived, in milliseconds since 1970.
    pub at_ms: u64,
    /// Its id, for [`super::Index::show`].
    pub id: String,
    /// What sort of thing is recorded.
    pub kind: String,
    /// How it ended.
    pub verdict: String,
    /// The route.
    pub route: Option<String>,
    /// The server.
    pub server: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// The tool, prompt or resource.
    pub subject: Option<String>,
    /// The code of the refusal.
    pub code: Option<String>,
    /// The controls that refused or found something.
    pub controls: Vec<String>,
}

/// A field that can be asked for exactly.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    Code,
    Control,
    Id,
    Route,
    Tool,
    User,
    Verdict,
}

impl Field {
    /// The made-up word for this field having this value. Two values may share one, and a text may
    /// contain one: it narrows down, and never decides.
    pub(super) fn word(self, value: &str) -> String {
        let letter = match self {
            Field::Code => 'c',
            Field::Control => 'o',
            Field::Id => 'i',
            Field::Route => 'r',
            Field::Tool => 't',
            Field::User => 'u',
            Field::Verdict => 'v',
        };
        format!("xx{letter}{:016x}", fnv(value.as_bytes()))
    }
}

pub(super) fn search(database: &Connection, query: &Query) -> Result<Vec<Hit>, IndexError> {
    let Some((first, last)) = span(database, query)? else {
        return Ok(Vec::new());
    };
    let wanted = expression(query);
    let sql = match &wanted {
        Some(_) => format!(
            "SELECT {COLUMNS} FROM words CROSS JOIN records ON records.seq = words.rowid
             WHERE words MATCH :words AND words.rowid BETWEEN :first AND :last AND {CONDITIONS}
             ORDER BY words.rowid DESC LIMIT :limit"
        ),
        None => format!(
            "SELECT {COLUMNS} FROM records
             WHERE :words IS NULL AND seq BETWEEN :first AND :last AND {CONDITIONS}
             ORDER BY seq DESC LIMIT :limit"
        ),
    };
    let mut statement = database.prepare_cached(&sql)?;
    let hits = statement.query_map(
        named_params! {
            ":words": wanted,
            ":first": first,
            ":last": last,
            ":user": query.user,
            ":tool": query.tool,
            ":route": query.route,
            ":verdict": query.verdict.map(|verdict| verdict.word()),
            ":code": query.code,
            ":control": query.control,
            ":since": signed(query.since.unwrap_or(0)),
            ":until": signed(query.until.unwrap_or(u64::MAX)),
            ":limit": signed(query.limit() as u64),
        },
        hit,
    )?;
    Ok(hits.collect::<Result<_, _>>()?)
}

/// Where the line of this record begins.
pub(super) fn position(database: &Connection, id: &str) -> Result<Option<Position>, IndexError> {
    let found = database
        .prepare_cached(
            "SELECT segment, offset FROM words CROSS JOIN records ON records.seq = words.rowid
             WHERE words MATCH ?1 AND id = ?2 ORDER BY words.rowid DESC LIMIT 1",
        )?
        .query_row([Field::Id.word(id), id.to_owned()], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    Ok(found.map(|(segment, offset)| Position {
        segment,
        offset: unsigned(offset),
    }))
}

/// The numbers between which the records of the time asked for lie.
fn span(database: &Connection, query: &Query) -> Result<Option<(i64, i64)>, IndexError> {
    let before = query
        .before
        .map_or(i64::MAX, |before| signed(before.saturating_sub(1)));
    if query.since.is_none() && query.until.is_none() {
        return Ok(Some((0, before)));
    }
    let since = signed(query.since.unwrap_or(0) / MINUTE_MS);
    let until = signed(query.until.unwrap_or(u64::MAX) / MINUTE_MS);
    let (first, last): (Option<i64>, Option<i64>) = database
        .prepare_cached("SELECT min(first), max(last) FROM minutes WHERE minute BETWEEN ?1 AND ?2")?
        .query_row([since, until], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first
        .zip(last)
        .map(|(first, last)| (first, last.min(before))))
}

/// All words in the language of the full-text index. Every word is quoted and made of letters and
/// digits only, so nothing in it can be an operator.
fn expression(query: &Query) -> Option<String> {
    let mut parts: Vec<String> = (query.words().iter())
        .map(|wanted| {
            let star = if wanted.is_start { "*" } else { "" };
            format!("\"{}\"{star}", wanted.word)
        })
        .collect();
    for (field, value) in [
        (Field::Code, query.code.as_deref()),
        (Field::Control, query.control.as_deref()),
        (Field::Route, query.route.as_deref()),
        (Field::Tool, query.tool.as_deref()),
        (Field::User, query.user.as_deref()),
        (Field::Verdict, query.verdict.map(|verdict| verdict.word())),
    ] {
        if let Some(value) = value {
            parts.push(format!("\"{}\"", field.word(value)));
        }
    }
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

fn hit(row: &Row<'_>) -> Result<Hit, rusqlite::Error> {
    let controls: String = row.get(11)?;
    Ok(Hit {
        seq: unsigned(row.get(0)?),
        at_ms: unsigned(row.get(1)?),
        id: row.get(2)?,
        kind: row.get(3)?,
        verdict: row.get(4)?,
        route: row.get(5)?,
        server: row.get(6)?,
        user: row.get(7)?,
        method: row.get(8)?,
        subject: row.get(9)?,
        code: row.get(10)?,
        controls: controls
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect(),
    })
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// FNV-1a, 64 bits: stable, short, and nothing depends on its strength.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
