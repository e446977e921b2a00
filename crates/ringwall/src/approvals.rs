//! `ringwall approvals`: calls that wait for somebody's approval, shown value by value, and the word of
//! whoever runs the gateway about them. It works on the store, also while a gateway runs on it: the gateway
//! notices within half a second and writes it into its ledger. It approves nothing that nobody named.

use crate::data::Data;
use crate::instant;
use crate::page::{self, BAD, CARE, Cell, FAINT, GOOD, TITLE, Table};
use crate::visible::visible;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use gateway::approvals::{By, Decision, Entry, Progress, Register, Verdict};
use gateway::clock::{Clock, SystemClock};
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
                Some(Command::Approve(named)) => named.approve().await,
                Some(Command::Decline(decline)) => {
                    let verdict = Verdict::Decline(decline.why);
                    decline.named.decide(|_| verdict).await
                }
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

    async fn list(self) -> anyhow::Result<String> {
        let now_ms = SystemClock::default().unix_ms();
        let mut entries = self.register()?.entries(now_ms).await?;
        entries.retain(|entry| entry.progress(now_ms) != Progress::Expired);
        if self.json {
            let all: Vec<Value> = entries.iter().map(|it| shown(it, now_ms)).collect();
            return Ok(serde_json::to_string_pretty(&all)? + "\n");
        }
        if entries.is_empty() {
            return Ok("no call waits for approval\n".to_owned());
        }
        let mut table = Table::new(&[
            "STATE", "SERVER", "TOOL", "ASKED BY", "CLIENT", "NEEDS", "UNTIL", "ID",
        ]);
        for entry in &entries {
            table.row(vec![
                state(entry, now_ms),
                Cell::foreign(&entry.binding.server, 32),
                Cell::foreign(&entry.binding.tool, 40),
                Cell::foreign(&entry.requester, 56),
                Cell::foreign(entry.binding.client.as_deref().unwrap_or("-"), 32),
                Cell::foreign(&needs(entry), 48),
                instant::shown(entry.until_ms).as_str().into(),
                Cell::new(visible(&entry.id), FAINT),
            ]);
        }
        Ok(table.to_string())
    }
}

impl Named {
    async fn entry(&self, now_ms: u64) -> anyhow::Result<Entry> {
        let entry = self.common.register()?.entry(&self.id, now_ms).await?;
        entry.with_context(|| {
            format!(
                "no call waits as `{}`: see `ringwall approvals`",
                visible(&self.id)
            )
        })
    }

    async fn show(self) -> anyhow::Result<String> {
        let now_ms = SystemClock::default().unix_ms();
        let entry = self.entry(now_ms).await?;
        if self.common.json {
            return Ok(serde_json::to_string_pretty(&shown(&entry, now_ms))? + "\n");
        }
        Ok(text(&entry, now_ms))
    }

    async fn approve(self) -> anyhow::Result<String> {
        self.decide(|entry| Verdict::Approve((0..entry.needs.len()).collect()))
            .await
    }

    async fn decide(self, verdict: impl FnOnce(&Entry) -> Verdict) -> anyhow::Result<String> {
        let now_ms = SystemClock::default().unix_ms();
        let entry = self.entry(now_ms).await?;
        let decision = Decision {
            verdict: verdict(&entry),
            by: By::operator(crate::wrap::place::user()),
            seen_ms: Some(entry.asked_ms),
        };
        let register = self.common.register()?;
        let decided = match register.decide(&self.id, &decision, now_ms).await {
            Ok(decided) => decided,
            Err(error) => bail!("{}", visible(&error.to_string())),
        };
        if self.common.json {
            return Ok(serde_json::to_string_pretty(&shown(&decided, now_ms))? + "\n");
        }
        let mut text = String::new();
        let style = style(decided.progress(now_ms));
        let word = match decided.progress(now_ms) {
            Progress::Waiting => "approved, and waits for others",
            other => other.word(),
        };
        let what = format!("{}/{}", decided.binding.server, decided.binding.tool);
        let _ = writeln!(
            text,
            "{style}{word}{style:#} {TITLE}{}{TITLE:#} for {} {FAINT}{}{FAINT:#}",
            visible(&what),
            visible(&decided.requester),
            visible(&decided.id),
        );
        Ok(text)
    }
}

/// Everything there is to know before somebody says yes.
fn text(entry: &Entry, now_ms: u64) -> String {
    let binding = &entry.binding;
    let mut text = String::new();
    let progress = entry.progress(now_ms);
    let style = style(progress);
    let _ = writeln!(
        text,
        "{style}{}{style:#} {FAINT}{}{FAINT:#}",
        progress.word(),
        visible(&entry.id)
    );
    let until = instant::shown(entry.until_ms);
    let needs = needs(entry);
    let policies = entry.policies.join(", ");
    let facts = [
        ("server", Some(&*binding.server)),
        ("tool", Some(&*binding.tool)),
        ("called", Some(&*entry.outward)),
        ("definition", Some(&*binding.definition)),
        ("asked by", Some(&*entry.requester)),
        ("acting", binding.actor.as_deref()),
        ("client", Some(binding.client.as_deref().unwrap_or("-"))),
        ("route", Some(&*binding.route)),
        ("needs", Some(&*needs)),
        ("held by", Some(&*policies)),
        ("because", entry.reason.as_deref()),
        ("policies", Some(&*binding.policies)),
        ("until", Some(&*until)),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            let _ = writeln!(text, "{FAINT}{name:<11}{FAINT:#}{}", visible(value));
        }
    }
    for vote in &entry.votes {
        let by = visible(&vote.by.to_string());
        let at = instant::shown(vote.at_ms);
        let _ = writeln!(text, "{FAINT}{:<11}{FAINT:#}{by}, {at}", "approved");
    }
    if let Some(declined) = &entry.declined {
        let by = visible(&declined.by.to_string());
        let why = visible(&declined.why);
        let _ = writeln!(text, "{FAINT}{:<11}{FAINT:#}{by}: {why}", "declined");
    }
    let _ = writeln!(text, "\n{TITLE}what would run{TITLE:#}");
    for field in entry.fields() {
        let (path, value) = (visible(&field.path), visible(&field.value));
        let _ = writeln!(text, "{path} {FAINT}={FAINT:#} {value}");
    }
    text
}

fn needs(entry: &Entry) -> String {
    let each = entry.counts().map(|(need, count)| {
        let who = match need.who.as_str() {
            "" => "somebody else",
            who => who,
        };
        format!("{who} {count}/{}", need.people)
    });
    each.collect::<Vec<_>>().join(", ")
}

fn state(entry: &Entry, now_ms: u64) -> Cell {
    let progress = entry.progress(now_ms);
    Cell::new(progress.word(), style(progress))
}

fn style(progress: Progress) -> anstyle::Style {
    match progress {
        Progress::Approved => GOOD,
        Progress::Declined => BAD,
        Progress::Expired => FAINT,
        Progress::Waiting => CARE,
    }
}

fn shown(entry: &Entry, now_ms: u64) -> Value {
    let binding = &entry.binding;
    let fields = entry.fields();
    let fields: Vec<Value> = fields
        .iter()
        .map(|field| json!({ "path": field.path, "value": field.value }))
        .collect();
    let votes: Vec<Value> = entry
        .votes
        .iter()
        .map(|vote| json!({ "by": vote.by.to_string(), "at": instant::shown(vote.at_ms) }))
        .collect();
    json!({
        "id": entry.id,
        "state": entry.progress(now_ms),
        "server": binding.server,
        "tool": binding.tool,
        "called": entry.outward,
        "definition": binding.definition,
        "asked_by": entry.requester,
        "acting": binding.actor,
        "client": binding.client,
        "route": binding.route,
        "needs": entry.needs,
        "held_by": entry.policies,
        "because": entry.reason,
        "policies": binding.policies,
        "asked": instant::shown(entry.asked_ms),
        "until": instant::shown(entry.until_ms),
        "approved": votes,
        "declined": entry.declined.as_ref().map(|it| json!({ "by": it.by.to_string(), "why": it.why })),
        "call": fields,
    })
}
