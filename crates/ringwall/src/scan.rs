//! `ringwall scan`: what servers say of themselves, examined by the rules that hold definitions back.
//! It calls no tool, approves nothing, and leaves nothing behind.

mod sarif;
mod target;

use crate::page::{self, BAD, CARE, FAINT, GOOD, TITLE};
use crate::visible::visible;
use anyhow::bail;
use clap::ValueEnum;
use controls::Severity;
use gateway::scan::{Examined, Reported};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Scan what servers say of themselves, before a model reads it.
///
/// Names, descriptions, schemas, annotations and instructions are read from a running server, from a
/// command that is started for it, from the servers of a configuration, or from a file. A command runs
/// unconfined, as `wrap` runs it, and sees only PATH, HOME, LANG, LOGNAME, SHELL, TERM, TMPDIR, USER and
/// what --env names. No tool is called.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall scan https://mcp.example.com/mcp
  ringwall scan -- npx -y @modelcontextprotocol/server-filesystem /srv/docs
  ringwall scan --config ringwall.yaml
  ringwall scan --config ringwall.yaml --server files --sarif > ringwall.sarif
  ringwall scan --definitions tools.json --fail-on medium

A finding is a fact, such as hidden text. A suspicion is what a rule thinks of a text: somebody has to look.
The exit code is 0 if nothing is as severe as --fail-on, 1 if something is, 2 if something could not be read.")]
pub(crate) struct Scan {
    /// The endpoint of a running server.
    #[arg(value_name = "URL", conflicts_with_all = ["config", "definitions", "command"])]
    url: Option<String>,
    /// Scan the servers of this configuration.
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["definitions", "command"])]
    config: Option<PathBuf>,
    /// Only this server of the configuration; may be given again.
    #[arg(long, value_name = "NAME", requires = "config")]
    server: Vec<String>,
    /// Scan the answer to `tools/list` in this file.
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    definitions: Option<PathBuf>,
    /// Hand this variable of our environment to the command; may be given again.
    #[arg(long, value_name = "NAME", requires = "command", value_parser = crate::wrap::variable)]
    env: Vec<String>,
    /// Print JSON, for machines.
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// Print SARIF 2.1.0, for code scanning.
    #[arg(long)]
    sarif: bool,
    /// Which severity makes the scan fail.
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    fail_on: FailOn,
    /// The command of a server to start.
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

/// From which severity on a scan fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Nothing fails it.
    Never,
    /// Anything at all.
    Low,
    /// What is suspicious on its own.
    Medium,
    /// What is almost never harmless.
    High,
    /// What is never harmless.
    Critical,
}

impl FailOn {
    fn is_reached(self, severity: Severity) -> bool {
        let least = match self {
            FailOn::Never => return false,
            FailOn::Low => Severity::Low,
            FailOn::Medium => Severity::Medium,
            FailOn::High => Severity::High,
            FailOn::Critical => Severity::Critical,
        };
        severity >= least
    }
}

/// The exit code of a scan that could not read everything.
const UNREAD: u8 = 2;

impl Scan {
    pub(crate) fn run(self) -> ExitCode {
        self.scanned().unwrap_or_else(|error| {
            crate::tell(&error);
            ExitCode::from(UNREAD)
        })
    }

    fn scanned(&self) -> anyhow::Result<ExitCode> {
        let said = self.url.is_some() || self.config.is_some() || self.definitions.is_some();
        if !said && self.command.is_empty() {
            bail!(
                "name what to scan: a URL, --config FILE, --definitions FILE, or a command after `--`"
            );
        }
        let examined = self.target().examined()?;
        let text = match (self.json, self.sarif) {
            (true, _) => serde_json::to_string_pretty(&examined)? + "\n",
            (_, true) => {
                serde_json::to_string_pretty(&sarif::log(&examined, &self.artifact()))? + "\n"
            }
            _ => table(&examined),
        };
        page::print(&text)?;
        let failed = examined
            .reported
            .iter()
            .any(|it| self.fail_on.is_reached(it.severity));
        Ok(match (failed, examined.missing.is_empty()) {
            (true, _) => ExitCode::FAILURE,
            (false, false) => ExitCode::from(UNREAD),
            (false, true) => ExitCode::SUCCESS,
        })
    }

    /// The file that a result is shown at: what was given, if it is a file.
    fn artifact(&self) -> Option<String> {
        let file = self.config.as_ref().or(self.definitions.as_ref());
        file.map(|file| file.display().to_string())
    }
}

fn table(examined: &Examined) -> String {
    let mut text = String::new();
    for it in &examined.reported {
        entry(&mut text, it);
    }
    for (server, list, why) in &examined.missing {
        let _ = writeln!(
            text,
            "{CARE}not read{CARE:#} {TITLE}{}{TITLE:#} {list}: {}",
            visible(server),
            visible(why)
        );
    }
    let looked = examined.definitions;
    let least = |severity: Severity| {
        examined
            .reported
            .iter()
            .filter(|it| it.severity >= severity)
            .count()
    };
    let style = if least(Severity::High) > 0 { BAD } else { GOOD };
    let _ = writeln!(
        text,
        "{style}{looked} definitions: {} things to look at, {} of them high or critical{style:#}",
        examined.reported.len(),
        least(Severity::High)
    );
    text
}

fn entry(text: &mut String, it: &Reported) {
    let style = match it.severity {
        Severity::Critical => BAD.bold(),
        Severity::High => BAD,
        Severity::Medium => CARE,
        Severity::Low | Severity::Info => FAINT,
    };
    let _ = writeln!(
        text,
        "{style}{:8}{style:#} {TITLE}{}/{}{TITLE:#} {}",
        it.severity.name(),
        visible(&it.server),
        visible(&it.subject),
        visible(&it.place)
    );
    let _ = writeln!(
        text,
        "         {} {}: {}",
        it.form,
        it.rule,
        visible(&it.says)
    );
    if !it.excerpt.is_empty() {
        let _ = writeln!(text, "         {FAINT}“{}”{FAINT:#}", visible(&it.excerpt));
    }
    let techniques = it.techniques.join(" ");
    let _ = writeln!(
        text,
        "         {FAINT}control {} {techniques}{FAINT:#}",
        it.control
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n11_1_a_scan_fails_from_the_severity_on_that_was_asked_for() {
        let all = [
            Severity::Info,
            Severity::Low,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ];
        for (fail_on, least) in [
            (FailOn::Never, None),
            (FailOn::Low, Some(Severity::Low)),
            (FailOn::Medium, Some(Severity::Medium)),
            (FailOn::High, Some(Severity::High)),
            (FailOn::Critical, Some(Severity::Critical)),
        ] {
            for severity in all {
                let reached = least.is_some_and(|least| severity >= least);
                assert_eq!(
                    fail_on.is_reached(severity),
                    reached,
                    "{fail_on:?} {severity:?}"
                );
            }
        }
    }
}
