//! `ringwall audit verify`: files and a public key, and nothing else.

use super::Common;
use crate::page::{self, BAD, CARE, FAINT, GOOD};
use anyhow::Context;
use audit::PublicKey;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Check that nothing was changed, removed or reordered. Needs the files and a public key only.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// The public key, as copied away from the gateway [default: the one beside the ledger].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let ledgers = self.common.data.ledgers()?;
        let mut is_sound = true;
        let mut reports = Vec::new();
        let mut text = String::new();
        for ledger in &ledgers {
            let path = self.key.clone().unwrap_or_else(|| beside(ledger));
            let key = PublicKey::load(&path).context("name the gateway's public key with --key")?;
            let name = ledger.display();
            match audit::verify(ledger, &key) {
                Ok(report) => {
                    let _ = writeln!(text, "{GOOD}sound{GOOD:#}  {name}");
                    let _ = writeln!(
                        text,
                        "  records {}, checkpoints {}, segments {}, signed by {}",
                        report.records,
                        report.checkpoints,
                        report.segments,
                        key.id()
                    );
                    if report.unsealed_tail > 0 {
                        let _ = writeln!(
                            text,
                            "  {CARE}{} records after the last checkpoint are chained, and not signed yet{CARE:#}",
                            report.unsealed_tail
                        );
                    }
                    if let Some(last) = &report.last {
                        let _ = writeln!(
                            text,
                            "  ends with line {} {FAINT}{}{FAINT:#}",
                            last.seq, last.hash
                        );
                    }
                    reports.push(json!({ "ledger": ledger, "key": key.id().to_string(), "sound": true, "report": report }));
                }
                Err(broken) => {
                    is_sound = false;
                    let _ = writeln!(text, "{BAD}broken{BAD:#} {name}: {broken}");
                    reports.push(json!({ "ledger": ledger, "key": key.id().to_string(), "sound": false, "broken": broken.to_string() }));
                }
            }
        }
        if self.key.is_none() {
            let _ = writeln!(
                text,
                "{FAINT}the key lies beside the ledger: whoever can change one can change both. Keep a copy elsewhere, and use it with --key{FAINT:#}"
            );
        }
        page::print(&if self.common.json {
            serde_json::to_string_pretty(&reports)? + "\n"
        } else {
            text
        })?;
        Ok(if is_sound {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// The key that the gateway leaves for whoever has no better copy.
fn beside(ledger: &Path) -> PathBuf {
    let outside = ledger.parent().unwrap_or(ledger).join("ledger.pub");
    if outside.is_file() {
        outside
    } else {
        ledger.join("ledger.pub")
    }
}
