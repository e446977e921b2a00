//! What is looked for in the ledger, as the command line says it.

use crate::instant;
use anyhow::bail;
use audit::{Content, Index, Query, Verdict};
use clap::ValueEnum;
use gateway::clock::{Clock, SystemClock};
use std::collections::BTreeSet;

/// How far back a name is looked for, in records that mention it.
const MENTIONS: usize = 10_000;

/// What somebody looks for. Everything that is given has to be true of a record.
#[derive(Debug, clap::Args)]
pub(super) struct Filter {
    /// Words that all occur in the record; `word*` is any word that begins so.
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// The user: the issuer's name for them, ISSUER#SUBJECT, or the key in the record.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The tool, prompt or resource.
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// The route.
    #[arg(long, value_name = "PATH")]
    route: Option<String>,
    /// How it ended.
    #[arg(long, value_enum)]
    verdict: Option<Ending>,
    /// The code of the refusal, such as `arguments_schema`.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// The control that refused or found something, such as `1.2`.
    #[arg(long, value_name = "ID")]
    control: Option<String>,
    /// Not before: `10m`, `2h`, `3d` ago, or `2026-11-22`, `2026-11-22T21:05Z`.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Not after, written the same way.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Ending {
    /// It was allowed, and it happened.
    Allowed,
    /// It was allowed, and it did not work.
    Failed,
    /// It was not allowed.
    Refused,
}

impl Filter {
    /// The query, but for the user.
    pub(super) fn query(&self) -> anyhow::Result<Query> {
        if let Some(control) = self
            .control
            .as_deref()
            .filter(|id| controls::Control::named(id).is_none())
        {
            bail!("there is no control `{control}`: `ringwall posture` lists them");
        }
        Ok(Query {
            text: (!self.text.is_empty()).then(|| self.text.join(" ")),
            tool: self.tool.clone(),
            route: self.route.clone(),
            verdict: self.verdict.map(|ending| match ending {
                Ending::Allowed => Verdict::Allowed,
                Ending::Failed => Verdict::Failed,
                Ending::Refused => Verdict::Refused,
            }),
            code: self.code.clone(),
            control: self.control.clone(),
            since: when(self.since.as_deref())?,
            until: when(self.until.as_deref())?,
            ..Query::default()
        })
    }

    pub(super) fn names_somebody(&self) -> bool {
        self.user.is_some()
    }

    /// The query once for each user who has this name: records know a user by a key that says
    /// nothing, people know them by a name that several issuers may have given.
    pub(super) fn of_users(&self, indexes: &[Index], query: Query) -> anyhow::Result<Vec<Query>> {
        let Some(name) = &self.user else {
            return Ok(vec![query]);
        };
        let mut keys = BTreeSet::new();
        for index in indexes {
            keys.extend(keys_of(index, name)?);
        }
        Ok(keys
            .into_iter()
            .map(|key| Query {
                user: Some(key),
                ..query.clone()
            })
            .collect())
    }
}

fn keys_of(index: &Index, name: &str) -> anyhow::Result<BTreeSet<String>> {
    let mentions = index.search(&Query {
        text: Some(name.to_owned()),
        limit: Some(MENTIONS),
        ..Query::default()
    })?;
    let (mut looked_at, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for hit in mentions {
        let Some(key) = hit.user else { continue };
        if !looked_at.insert(key.clone()) {
            continue;
        }
        let Content::Record(record) = index.show(&hit.id)?.content else {
            continue;
        };
        let who = record.who.unwrap_or_default();
        let (issuer, subject) = (
            who.issuer.unwrap_or_default(),
            who.subject.unwrap_or_default(),
        );
        if key == name || subject == name || format!("{issuer}#{subject}") == name {
            keys.insert(key);
        }
    }
    Ok(keys)
}

fn when(text: Option<&str>) -> anyhow::Result<Option<u64>> {
    let Some(text) = text else { return Ok(None) };
    match instant::read(text, SystemClock::default().unix_ms()) {
        None => bail!(
            "`{text}` is no time: write `10m` for ten minutes ago, `2026-11-22` or `2026-11-22T21:05Z`"
        ),
        at => Ok(at),
    }
}
