//! `ringwall audit`: reads, searches, verifies and exports what a gateway has written down. It reads
//! the ledger while a gateway writes it, and never writes into it.

mod export;
mod filter;
mod line;
mod verification;

use crate::data::Data;
use crate::instant;
use crate::page::{self, FAINT, TITLE};
use crate::visible::visible_lines;
use anyhow::{Context, bail};
use audit::{Content, Entry, Follower, From, Index, IndexError, Query};
use clap::Subcommand;
use export::Export;
use filter::Filter;
use line::Lines;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;
use verification::Verify;

/// Read, search, verify and export the ledger.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall audit tail -f
  ringwall audit search --verdict refused --since 1h
  ringwall audit search --user alice --tool read_ticket invoice
  ringwall audit show 3f9c0a-1b
  ringwall audit verify --key copied/ledger.pub
  ringwall audit export --format ocsf --since 2026-11-01 --output events.jsonl")]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the newest records, and follow what comes.
    Tail(Tail),
    /// Find records.
    Search(Search),
    /// Show one record whole.
    Show(Show),
    /// Check that nothing was changed, removed or reordered. Needs the files and a public key only.
    Verify(Verify),
    /// Write records out for other systems, oldest first.
    Export(Export),
}

#[derive(Debug, clap::Args)]
struct Tail {
    /// How many records.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20)]
    lines: usize,
    /// Go on with what comes, until interrupted.
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Search {
    #[command(flatten)]
    filter: Filter,
    /// How many records, the newest of those that match.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The id of the record.
    id: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    data: Data,
    /// Print JSON, for machines: each record as the line that stands in the ledger.
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Tail(tail) => tail.run(),
            Command::Search(search) => search.run(),
            Command::Show(show) => show.run(),
            Command::Verify(verify) => verify.run(),
            Command::Export(export) => export.run(),
        }
    }
}

impl Common {
    fn indexes(&self) -> anyhow::Result<Vec<Index>> {
        self.data
            .ledgers()?
            .iter()
            .map(|ledger| index(ledger))
            .collect()
    }

    /// Prints records, oldest first, in lines that can be gone on with.
    fn print(&self, entries: &[Entry]) -> anyhow::Result<Lines> {
        let mut lines = Lines::default();
        if self.json {
            let text: Vec<&str> = entries
                .iter()
                .flat_map(|entry| [entry.line.trim_end(), "\n"])
                .collect();
            page::print(&text.concat())?;
        } else {
            page::print(&lines.page(entries))?;
        }
        Ok(lines)
    }
}

impl Tail {
    fn run(self) -> anyhow::Result<ExitCode> {
        let ledgers = self.common.data.ledgers()?;
        // Opened before what is there is shown, so that nothing falls between the two.
        let mut followers = Vec::new();
        if self.follow {
            for ledger in &ledgers {
                followers.push(Follower::open(ledger, From::End)?);
            }
        }
        let query = Query {
            limit: Some(self.lines),
            ..Query::default()
        };
        let lines = self
            .common
            .print(&newest(&self.common.indexes()?, &query)?)?;
        if self.follow {
            self.follow(&ledgers, &mut followers, lines)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn follow(
        &self,
        ledgers: &[PathBuf],
        followers: &mut [Follower],
        mut lines: Lines,
    ) -> anyhow::Result<()> {
        use notify::Watcher;
        let (changed, changes) = mpsc::sync_channel::<()>(1);
        let mut watcher = notify::recommended_watcher(move |_| {
            // One change waiting is enough: everything new is read.
            let _ = changed.try_send(());
        })?;
        for ledger in ledgers {
            watcher.watch(ledger, notify::RecursiveMode::NonRecursive)?;
        }
        loop {
            for follower in followers.iter_mut() {
                while let Some(entry) = follower.poll()? {
                    let text = match &entry.content {
                        Content::Record(_) if self.common.json => {
                            entry.line.trim_end().to_owned() + "\n"
                        }
                        Content::Record(_) => lines.one(&entry),
                        _ => continue,
                    };
                    if !page::offer(&text)? {
                        return Ok(());
                    }
                }
            }
            if changes.recv_timeout(Duration::from_secs(1))
                == Err(mpsc::RecvTimeoutError::Disconnected)
            {
                bail!("the ledger can no longer be watched");
            }
        }
    }
}

impl Search {
    fn run(self) -> anyhow::Result<ExitCode> {
        let indexes = self.common.indexes()?;
        let query = Query {
            limit: Some(self.limit),
            ..self.filter.query()?
        };
        let mut entries = Vec::new();
        for query in self.filter.of_users(&indexes, query)? {
            entries.extend(newest(&indexes, &query)?);
        }
        in_time(&mut entries, self.limit);
        self.common.print(&entries)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Show {
    fn run(self) -> anyhow::Result<ExitCode> {
        for index in self.common.indexes()? {
            let entry = match index.show(&self.id) {
                Ok(entry) => entry,
                Err(IndexError::Unknown { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            if self.common.json {
                page::print(&format!("{}\n", entry.line.trim_end()))?;
            } else {
                page::print(&whole(&entry)?)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        bail!("there is no record `{}`", self.id)
    }
}

/// A record as indented JSON, its time readable and everything hidden written out.
fn whole(entry: &Entry) -> anyhow::Result<String> {
    let line: Value = serde_json::from_str(&entry.line)?;
    let record = line.get("record").unwrap_or(&line);
    let at = record
        .get("at_ms")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let mut text = format!(
        "{TITLE}{}{TITLE:#}  line {}  {FAINT}{}{FAINT:#}\n",
        instant::shown(at),
        entry.seq,
        entry.hash
    );
    for line in visible_lines(&serde_json::to_string_pretty(record)?) {
        let _ = writeln!(text, "{line}");
    }
    Ok(text)
}

/// The index of a ledger, up to date. Where nothing may be written, it lives in memory.
fn index(ledger: &Path) -> anyhow::Result<Index> {
    let opened = Index::open(ledger).and_then(|mut index| index.catch_up().map(|_| index));
    let index = opened.or_else(|error| match error {
        IndexError::Database(_) | IndexError::Rebuild { .. } => {
            let mut index = Index::open_at(ledger, Path::new(":memory:"))?;
            index.catch_up()?;
            Ok(index)
        }
        other => Err(other),
    });
    index.with_context(|| format!("`{}`", ledger.display()))
}

/// The newest records that match, oldest first.
fn newest(indexes: &[Index], query: &Query) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for index in indexes {
        for hit in index.search(query)? {
            entries.push(index.show(&hit.id)?);
        }
    }
    in_time(&mut entries, query.limit.unwrap_or(usize::MAX));
    Ok(entries)
}

/// Puts records in the order of their time, and keeps the newest.
fn in_time(entries: &mut Vec<Entry>, limit: usize) {
    let at = |entry: &Entry| match &entry.content {
        Content::Record(record) => record.at_ms,
        _ => 0,
    };
    entries.sort_by_key(|entry| (at(entry), entry.seq));
    entries.drain(..entries.len().saturating_sub(limit));
}
