//! `ringwall approvals`: calls that wait for somebody's approval, shown value by value, and the word of
//! whoever runs the gateway about them. The gateway that runs is asked, by the operations of its admin API;
//! where none can be asked, as with `ringwall wrap`, the store is read and written, and whoever runs on
//! it notices within half a second. It approves nothing that nobody named.

use crate::data::Data;
use crate::instant;
use crate::page::{self, BAD, CARE, Cell, FAINT, GOOD, TITLE, Table};
use crate::visible::visible;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use gateway::admin::{Decide, OfCall, Operation, Word};
use gateway::approvals::{By, Decision, Listed, Progress, Register, Verdict};
use gateway::clock::{Clock, SystemClock};
use gateway::control::{self, AskError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;

/// List calls that wait for approval, show exactly what they would do, approve and decline them.
///
/// On this machine whoever runs the gateway approves as its operator: one person, by whatever name, and
/// recorded as such. Others sign in on the gateway's page, if a policy lets them approve.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall approvals
  ringwall approvals show 0f3a5c7e9b1d2f400f3a5c7e9b1d2f40
  ringwall approvals approve 0f3a5c7e9b1d2f400f3a5c7e9b1d2f40
  ringwall approvals decline 0f3a5c7e9b1d2f400f3a5c7e9b1d2f40 --why 'not today'")]
pub(crate) struct Approvals {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what waits, what is approved and was not made yet, and what was declined.
    List(Common),
    /// Show exactly what would run, every value by itself.
    Show(Named),
    /// Approve a call, as the operator of this machine.
    Approve(Named),
    /// Decline a call, also one that is approved and was not made yet.
    Decline(Decline),
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    data: Data,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Named {
    /// What the call is called, as `ringwall approvals` shows it.
    id: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Decline {
    #[command(flatten)]
    named: Named,
    /// Why, for whoever asked and for the ledger.
    #[arg(long, value_name = "TEXT")]
    why: String,
}

impl Approvals {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let said = runtime.block_on(async {
            match self.command {
                None => self.common.list().await,
                Some(Command::List(common)) => common.list().await,
                Some(Command::Show(named)) => named.show().await,
                Some(Command::Approve(named)) => named.decide(None).await,
                Some(Command::Decline(decline)) => decline.named.decide(Some(decline.why)).await,
            }
        })?;
        page::print(&said)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Common {
    fn register(&self) -> anyhow::Result<Register> {
        Ok(Register::open(&self.data.folder()?)?)
    }

    /// What the gateway answers that runs on this data; nothing where none can be asked.
    fn asked<T: DeserializeOwned>(
        &self,
        operation: Operation,
        input: &impl Serialize,
    ) -> anyhow::Result<Option<T>> {
        match control::ask(&self.data.folder()?, operation, input) {
            Ok(answer) => Ok(Some(answer)),
            Err(AskError::NoGateway { .. }) => Ok(None),
            // What went wrong may hold words of somebody else.
            Err(error) => bail!("{}", visible(&error.to_string())),
        }
    }

    async fn all(&self) -> anyhow::Result<Vec<Listed>> {
        if let Some(all) = self.asked(Operation::ApprovalsList, &OfCall::default())? {
            return Ok(all);
        }
        let now_ms = SystemClock::default().unix_ms();
        let entries = self.register()?.entries(now_ms).await?;
        let all = entries.iter().map(|entry| Listed::of(entry, now_ms));
        Ok(all.filter(|it| it.state != Progress::Expired).collect())
    }

    /// The call, with its values.
    async fn one(&self, id: &str) -> anyhow::Result<Listed> {
        let of = OfCall {
            id: Some(id.to_owned()),
        };
        let asked: Option<Vec<Listed>> = self.asked(Operation::ApprovalsList, &of)?;
        let one = match asked {
            Some(found) => found.into_iter().next(),
            None => {
                let now_ms = SystemClock::default().unix_ms();
                let entry = self.register()?.entry(id, now_ms).await?;
                entry.map(|entry| Listed::whole(&entry, now_ms))
            }
        };
        one.with_context(|| {
            format!(
                "no call waits as `{}`: see `ringwall approvals`",
                visible(id)
            )
        })
    }

    async fn list(self) -> anyhow::Result<String> {
        let all = self.all().await?;
        if self.json {
            let mut whole = Vec::with_capacity(all.len());
            for one in &all {
                whole.push(shown(&self.one(&one.id).await?));
            }
            return Ok(serde_json::to_string_pretty(&whole)? + "\n");
        }
        if all.is_empty() {
            return Ok("no call waits for approval\n".to_owned());
        }
        let mut table = Table::new(&[
            "STATE", "SERVER", "TOOL", "ASKED BY", "CLIENT", "NEEDS", "UNTIL", "ID",
        ]);
        for one in &all {
            table.row(vec![
                Cell::new(one.state.word(), style(one.state)),
                Cell::foreign(&one.server, 32),
                Cell::foreign(&one.tool, 40),
                Cell::foreign(&one.asked_by, 56),
                Cell::foreign(one.client.as_deref().unwrap_or("-"), 32),
                Cell::foreign(&needs(one), 48),
                instant::shown(one.until_ms).as_str().into(),
                Cell::new(visible(&one.id), FAINT),
            ]);
        }
        Ok(table.to_string())
    }
}

impl Named {
    async fn show(self) -> anyhow::Result<String> {
        let one = self.common.one(&self.id).await?;
        if self.common.json {
            return Ok(serde_json::to_string_pretty(&shown(&one))? + "\n");
        }
        Ok(text(&one))
    }

    /// Approves it, or declines it for this reason.
    async fn decide(self, why_not: Option<String>) -> anyhow::Result<String> {
        let one = self.common.one(&self.id).await?;
        let decide = Decide {
            id: self.id.clone(),
            asked_ms: one.asked_ms,
            decision: match why_not {
                None => Word::Approve,
                Some(_) => Word::Decline,
            },
            why: why_not.clone().unwrap_or_default(),
        };
        let decided = match self.common.asked(Operation::ApprovalsDecide, &decide)? {
            Some(decided) => decided,
            None => self.decided(&one, why_not).await?,
        };
        if self.common.json {
            return Ok(serde_json::to_string_pretty(&shown(&decided))? + "\n");
        }
        Ok(said(&decided))
    }

    /// The same in the store, where no gateway can be asked.
    async fn decided(&self, one: &Listed, why_not: Option<String>) -> anyhow::Result<Listed> {
        let now_ms = SystemClock::default().unix_ms();
        let verdict = match why_not {
            None => Verdict::Approve((0..one.needs.len()).collect()),
            Some(why) => Verdict::Decline(why),
        };
        let decision = Decision {
            verdict,
            by: By::operator(crate::wrap::place::user()),
            seen_ms: Some(one.asked_ms),
        };
        let register = self.common.register()?;
        match register.decide(&self.id, &decision, now_ms).await {
            Ok(decided) => Ok(Listed::whole(&decided, now_ms)),
            Err(error) => bail!("{}", visible(&error.to_string())),
        }
    }
}

/// What became of it.
fn said(decided: &Listed) -> String {
    let mut text = String::new();
    let style = style(decided.state);
    let word = match decided.state {
        Progress::Waiting => "approved, and waits for others",
        other => other.word(),
    };
    let what = format!("{}/{}", decided.server, decided.tool);
    let _ = writeln!(
        text,
        "{style}{word}{style:#} {TITLE}{}{TITLE:#} for {} {FAINT}{}{FAINT:#}",
        visible(&what),
        visible(&decided.asked_by),
        visible(&decided.id),
    );
    text
}

/// Everything there is to know before somebody says yes.
fn text(one: &Listed) -> String {
    let mut text = String::new();
    let style = style(one.state);
    let _ = writeln!(
        text,
        "{style}{}{style:#} {FAINT}{}{FAINT:#}",
        one.state.word(),
        visible(&one.id)
    );
    let until = instant::shown(one.until_ms);
    let needs = needs(one);
    let policies = one.held_by.join(", ");
    let facts = [
        ("server", Some(&*one.server)),
        ("tool", Some(&*one.tool)),
        ("called", Some(&*one.called)),
        ("definition", Some(&*one.definition)),
        ("asked by", Some(&*one.asked_by)),
        ("acting", one.acting.as_deref()),
        ("client", Some(one.client.as_deref().unwrap_or("-"))),
        ("route", Some(&*one.route)),
        ("needs", Some(&*needs)),
        ("held by", Some(&*policies)),
        ("because", one.because.as_deref()),
        ("policies", Some(&*one.policies)),
        ("until", Some(&*until)),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            let _ = writeln!(text, "{FAINT}{name:<11}{FAINT:#}{}", visible(value));
        }
    }
    for vote in &one.approved {
        let (by, at) = (visible(&vote.by), instant::shown(vote.at_ms));
        let _ = writeln!(text, "{FAINT}{:<11}{FAINT:#}{by}, {at}", "approved");
    }
    if let Some(declined) = &one.declined {
        let (by, why) = (visible(&declined.by), visible(&declined.why));
        let _ = writeln!(text, "{FAINT}{:<11}{FAINT:#}{by}: {why}", "declined");
    }
    let _ = writeln!(text, "\n{TITLE}what would run{TITLE:#}");
    for field in &one.call {
        let (path, value) = (visible(&field.path), visible(&field.value));
        let _ = writeln!(text, "{path} {FAINT}={FAINT:#} {value}");
    }
    text
}

fn needs(one: &Listed) -> String {
    let each = one.needs.iter().map(|need| {
        let who = match need.who.as_str() {
            "" => "somebody else",
            who => who,
        };
        format!("{who} {}/{}", need.have, need.people)
    });
    each.collect::<Vec<_>>().join(", ")
}

fn style(progress: Progress) -> anstyle::Style {
    match progress {
        Progress::Approved => GOOD,
        Progress::Declined => BAD,
        Progress::Expired => FAINT,
        Progress::Waiting => CARE,
    }
}

/// The same, with times as people read them.
fn shown(one: &Listed) -> Value {
    let votes: Vec<Value> = one
        .approved
        .iter()
        .map(|vote| json!({ "by": vote.by, "at": instant::shown(vote.at_ms) }))
        .collect();
    let mut shown = json!(one);
    if let Some(members) = shown.as_object_mut() {
        members.remove("asked_ms");
        members.remove("until_ms");
        members.insert("asked".to_owned(), json!(instant::shown(one.asked_ms)));
        members.insert("until".to_owned(), json!(instant::shown(one.until_ms)));
        members.insert("approved".to_owned(), json!(votes));
    }
    shown
}
