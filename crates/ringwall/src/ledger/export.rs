//! `ringwall audit export`: records for other systems, in the order of the ledger.

use super::filter::Filter;
use super::index;
use crate::data::Data;
use anyhow::{Context, bail};
use audit::{Format, Index, Query};
use clap::ValueEnum;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write records out for other systems, oldest first.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    filter: Filter,
    /// The shape of each line.
    #[arg(long, value_enum, default_value_t = Shape::Jsonl)]
    format: Shape,
    /// The file to write [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How many records, the oldest of those that match.
    #[arg(long, short = 'n', value_name = "COUNT")]
    limit: Option<usize>,
    #[command(flatten)]
    data: Data,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shape {
    /// The ledger's own lines, with number and hash.
    Jsonl,
    /// OCSF 1.8, class API Activity.
    Ocsf,
}

impl Export {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let ledgers = self.data.ledgers()?;
        let query = Query {
            limit: self.limit,
            ..self.filter.query()?
        };
        let queries = if self.filter.names_somebody() {
            let indexes: Vec<Index> = ledgers
                .iter()
                .map(|ledger| index(ledger))
                .collect::<Result<_, _>>()?;
            self.filter.of_users(&indexes, query)?
        } else {
            vec![query]
        };
        // An export is in the order of the ledger, and two users would be one after the other.
        let [query] = queries.as_slice() else {
            if queries.is_empty() {
                return Ok(ExitCode::SUCCESS);
            }
            bail!("several users have this name: say which one as ISSUER#SUBJECT");
        };
        let format = match self.format {
            Shape::Jsonl => Format::Jsonl,
            Shape::Ocsf => Format::Ocsf,
        };
        let mut written = 0;
        match &self.output {
            Some(path) => {
                let mut file = BufWriter::new(
                    // Records are for whoever may read the ledger, and nobody else.
                    File::options()
                        .write(true)
                        .create(true)
                        .truncate(true)
                        .mode(0o600)
                        .open(path)
                        .with_context(|| format!("cannot write `{}`", path.display()))?,
                );
                for ledger in &ledgers {
                    written += audit::export(ledger, query, format, &mut file)?;
                }
                file.flush()?;
                anstream::eprintln!("{written} records written to `{}`", path.display());
            }
            None => {
                let mut out = BufWriter::new(std::io::stdout().lock());
                for ledger in &ledgers {
                    match audit::export(ledger, query, format, &mut out) {
                        Err(audit::ExportError::Write(error))
                            if error.kind() == std::io::ErrorKind::BrokenPipe =>
                        {
                            break;
                        }
                        other => other?,
                    };
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
