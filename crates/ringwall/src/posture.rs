//! `ringwall posture`: which controls a configuration enforces, and what keeps it from the others.
//! What it prints is computed by the gateway's own report.

use crate::Config;
use crate::page::{self, BAD, CARE, Cell, FAINT, GOOD, TITLE, Table};
use anyhow::bail;
use gateway::load;
use gateway::posture::{self, Line, Report, Status};
use policy::{Catalog, Policies};
use std::fmt::Write as _;
use std::process::ExitCode;

/// Say which controls this configuration enforces, and what keeps it from the others.
///
/// Every row is computed from the configuration and its policies. `enforced` is all of a control,
/// with tests that show it; `partial` says what is missing; `off` names the setting that switches it
/// off; the rest is not built yet.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall posture
  ringwall posture --route /files
  ringwall posture --json | jq '.controls[] | select(.status == \"off\")'")]
pub(crate) struct Posture {
    #[command(flatten)]
    config: Config,
    /// Look at one route only.
    #[arg(long, value_name = "PATH")]
    route: Option<String>,
    /// Say what there is, and which tests show it.
    #[arg(long, short)]
    verbose: bool,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

impl Posture {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let loaded = load::load(&self.config.config)?;
        let mut settled = loaded.settled;
        if let Some(path) = &self.route {
            settled.routes.retain(|route| route.path == *path);
            if settled.routes.is_empty() {
                bail!("there is no route `{path}`");
            }
        }
        // A policy may speak of arguments that only real tools have: those are not known here.
        let policies = Policies::compile(&loaded.policies, &posture::catalog(&settled))
            .or_else(|_| Policies::compile(&loaded.policies, &Catalog::default()))?;
        let report = posture::report(&settled, Some(&policies), None);
        let text = if self.json {
            serde_json::to_string_pretty(&report)? + "\n"
        } else {
            self.text(&report)
        };
        page::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    fn text(&self, report: &Report) -> String {
        let mut table = Table::new(&["CONTROL", "STATUS", "PRACTICE"]);
        for line in &report.controls {
            self.rows(&mut table, line);
        }
        let counts = report.counts;
        let mut text = table.to_string();
        let _ = writeln!(
            text,
            "\n{GOOD}{} enforced{GOOD:#}, {CARE}{} partial{CARE:#}, {BAD}{} off{BAD:#}, {FAINT}{} not built{FAINT:#} of {} controls",
            counts.enforced,
            counts.partial,
            counts.off,
            counts.not_built,
            report.controls.len(),
        );
        text
    }

    fn rows(&self, table: &mut Table, line: &Line) {
        let (style, shortfalls) = match &line.status {
            Status::Enforced => (GOOD, Vec::new()),
            Status::Partial { missing } => {
                (CARE, missing.iter().map(|it| format!("- {it}")).collect())
            }
            Status::Off { setting } => (BAD, vec![format!("- by {setting}")]),
            Status::NotBuilt => (FAINT, Vec::new()),
        };
        let status = Cell::new(line.status.word(), style);
        table.row(vec![
            Cell::new(line.control.id(), TITLE),
            status,
            line.practice.into(),
        ]);
        let mut more = shortfalls;
        if self.verbose {
            more.push(format!("there is: {}", line.why));
            more.extend(line.tests.iter().map(|test| format!("shown by: {test}")));
        }
        for said in more {
            table.row(vec![
                "".into(),
                "".into(),
                Cell::new(format!("  {said}"), FAINT),
            ]);
        }
    }
}
