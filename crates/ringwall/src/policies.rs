//! `ringwall policy`: whether policies compile, whether they decide the cases somebody wrote down as
//! expected, and why a call is or was decided as it is. The gateway's own decision is asked; nothing
//! is decided here.

mod question;
pub(crate) mod recorded;
mod suite;
pub(crate) mod world;

use crate::Config;
use crate::page::{self, BAD, CARE, Cell, FAINT, GOOD, Table};
use crate::visible::visible_lines;
use anyhow::bail;
use clap::Subcommand;
use policy::cases::{self, Outcome};
use question::Explain;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use world::World;

/// Check, test and explain policies.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall policy check
  ringwall policy test policies/cases.yaml
  ringwall policy explain --user alice --group support --action call --resource workshop/close_ticket
  ringwall policy explain --record 3f9c0a-1b

A case file is YAML or JSON, a list of cases:
  - name: interns do not read tickets
    principal: { issuer: \"http://127.0.0.1:7401\", user: bob, groups: [intern] }
    action: call
    resource: { tool: workshop/read_ticket }
    arguments: { id: 7 }
    expect: deny
Tools that were never approved are described with `tools:` beside `cases:`.")]
pub(crate) struct Policy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile the policies against the servers and approved tools, and tell what is wrong.
    Check(Check),
    /// Run cases, and fail if one is not decided as it says.
    Test(Test),
    /// Say which policies decide a call, and why.
    Explain(Box<Explain>),
    /// Print the built-in policies of administration, which say what viewers, operators, approvers and admins may do.
    Administration,
}

#[derive(Debug, clap::Args)]
struct Check {
    #[command(flatten)]
    config: Config,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Test {
    /// Files of cases, YAML or JSON.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    config: Config,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

impl Policy {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Check(check) => check.run(),
            Command::Test(test) => test.run(),
            Command::Explain(explain) => explain.run(),
            Command::Administration => {
                page::print(policy::Administration::BUILT_IN)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl Check {
    fn run(self) -> anyhow::Result<ExitCode> {
        let world = World::of(&self.config.config)?;
        let tools = world.catalog.tools.len();
        let (problems, digest, is_sound) = match world.compiled() {
            Ok(policies) => (
                policies.warnings().to_vec(),
                Some(policies.digest().to_owned()),
                true,
            ),
            Err(error) => (error.problems().to_vec(), None, false),
        };
        if self.json {
            let report = json!({ "ok": is_sound, "digest": digest, "approved_tools": tools, "problems": problems });
            page::print(&format!("{report}\n"))?;
        } else {
            let mut text = String::new();
            for problem in &problems {
                let (word, style) = if is_sound {
                    ("warning", CARE)
                } else {
                    ("error", BAD)
                };
                let _ = writeln!(text, "{style}{word}{style:#} {problem}");
            }
            if let Some(digest) = &digest {
                let _ = writeln!(
                    text,
                    "{GOOD}sound{GOOD:#} against {tools} approved tools {FAINT}{digest}{FAINT:#}"
                );
            }
            page::print(&text)?;
        }
        Ok(if is_sound {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Test {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut world = World::of(&self.config.config)?;
        let suites = self
            .files
            .iter()
            .map(|file| suite::read(file))
            .collect::<anyhow::Result<Vec<_>>>()?;
        for suite in &suites {
            world.describe(suite.tools.iter().cloned());
        }
        let cases = suites.iter().flat_map(|suite| &suite.cases);
        world.suppose(cases.map(|case| &case.resource));
        let policies = world.compiled()?;
        let outcomes: Vec<Outcome> = suites
            .iter()
            .flat_map(|suite| cases::run(&policies, &suite.cases))
            .collect();
        if outcomes.is_empty() {
            bail!("there is no case in these files");
        }
        let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
        let text = if self.json {
            serde_json::to_string_pretty(&outcomes)? + "\n"
        } else {
            table(&outcomes, failed)
        };
        page::print(&text)?;
        Ok(if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn table(outcomes: &[Outcome], failed: usize) -> String {
    let mut table = Table::new(&["CASE", "RESULT", "DECISION", "WHY"]);
    for outcome in outcomes {
        let (word, style) = if outcome.passed() {
            ("passed", GOOD)
        } else {
            ("failed", BAD)
        };
        let decision = outcome.decision.as_ref();
        let verdict =
            decision.map_or_else(|| "-".to_owned(), |decision| decision.verdict.to_string());
        let why = outcome.failure.clone().unwrap_or_else(|| match decision {
            Some(decision) if !decision.errors.is_empty() => decision.errors.join("; "),
            Some(decision) if decision.determining.is_empty() => "no policy permits it".to_owned(),
            Some(decision) => format!("decided by {}", decision.determining.join(", ")),
            None => String::new(),
        });
        table.row(vec![
            Cell::foreign(&outcome.name, 80),
            Cell::new(word, style),
            Cell::new(verdict, page::PLAIN),
            Cell::foreign(&why, 200),
        ]);
    }
    let all = outcomes.len();
    let end = match failed {
        0 => format!("\n{GOOD}{all} cases passed{GOOD:#}\n"),
        failed => format!("\n{BAD}{failed} of {all} cases failed{BAD:#}\n"),
    };
    table.to_string() + &end
}

/// Text that was put together elsewhere, without anything hidden in it.
fn safe(text: &str) -> String {
    visible_lines(text).collect::<Vec<_>>().join("\n")
}
