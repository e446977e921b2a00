//! One question to the policies: from the command line, or from a call that was recorded.

use super::recorded;
use super::safe;
use super::world::World;
use crate::Config;
use crate::instant;
use crate::page::{self, CARE, FAINT, TITLE};
use anyhow::{Context, bail};
use audit::{Content, Index, OwnedRecord};
use clap::ValueEnum;
use gateway::clock::{Clock, SystemClock};
use policy::cases::{self, Case, CaseApproving, CaseContext, CasePrincipal, CaseTarget};
use policy::{Action, Explanation, Verdict};
use serde_json::json;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Say which policies decide a call, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// Explain a call from the ledger, under the policies as they are now.
    #[arg(long, value_name = "ID", conflicts_with_all = ["action", "resource"])]
    record: Option<String>,
    /// Who asks: the issuer's name for them.
    #[arg(long, value_name = "NAME", required_unless_present = "record")]
    user: Option<String>,
    /// The issuer [default: the only one of the configuration].
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The OAuth client.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// A group of theirs; may be given again.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// A scope of the token; may be given again.
    #[arg(long = "scope", value_name = "NAME")]
    scopes: Vec<String>,
    /// What is to be done.
    #[arg(long, value_enum, default_value_t = Deed::Call)]
    action: Deed,
    /// On what: SERVER/NAME, or SERVER for `use` and `ask`.
    #[arg(long, value_name = "SERVER/NAME", required_unless_present = "record")]
    resource: Option<String>,
    /// What kind of thing it is, where the action leaves it open [default: tool].
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// The arguments of the call, as a JSON object.
    #[arg(long, value_name = "JSON")]
    arguments: Option<String>,
    /// The MCP method, for `use` and `ask`.
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Who made the call that is to be approved, as ISSUER#USER, for `approve`.
    #[arg(long, value_name = "ISSUER#USER")]
    requester: Option<String>,
    /// Who has to approve it, in the words of the policy that holds it, for `approve`.
    #[arg(long, value_name = "WORDS")]
    needs: Option<String>,
    /// A rule that found something in the message; may be given again.
    #[arg(long = "finding", value_name = "RULE")]
    findings: Vec<String>,
    /// What a detector suspects of the message, such as `injection`; may be given again.
    #[arg(long = "suspicion", value_name = "RULE")]
    suspicions: Vec<String>,
    /// What the message is for, where the configuration or the caller's token says so.
    #[arg(long, value_name = "WORD")]
    purpose: Option<String>,
    /// The address the message comes from.
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// When, such as `2026-11-22T21:05Z` [default: now].
    #[arg(long, value_name = "WHEN")]
    at: Option<String>,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: Config,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Deed {
    /// Approve a call of a tool that somebody else made.
    Approve,
    /// The server asks the client.
    Ask,
    /// Call a tool.
    Call,
    /// Complete an argument of a prompt or a resource template.
    Complete,
    /// Get a prompt.
    Get,
    /// See a thing in a list.
    List,
    /// Read a resource.
    Read,
    /// Speak with a server at all.
    Use,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// A prompt.
    Prompt,
    /// A resource.
    Resource,
    /// A tool.
    Tool,
}

impl Explain {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut world = World::of(&self.config.config)?;
        let (mut notes, mut before) = (Vec::new(), None);
        let case = match &self.record {
            Some(id) => {
                let record = found(&world.loaded.settled.data, id)?;
                notes.extend(self.told(&record));
                before = record
                    .policy
                    .as_ref()
                    .and_then(|policy| policy.digest.as_deref())
                    .map(str::to_owned);
                self.replayed(&record)?
            }
            None => self.asked(&world)?,
        };
        if world.suppose(std::iter::once(&case.resource)) {
            notes.push(
                "the tool is not approved: this is what would be decided if it were".to_owned(),
            );
        }
        let policies = world.compiled()?;
        if let Some(before) = before {
            let same = before == policies.digest();
            notes.push(match same {
                true => "the same policies are in force now".to_owned(),
                false => {
                    "other policies are in force now, or the same read from another path".to_owned()
                }
            });
        }
        let explanation = cases::with_request(&case, |request| policies.explain(request));
        let explanation = explanation.map_err(anyhow::Error::msg)?;
        let text = if self.json {
            serde_json::to_string_pretty(&json!({ "explanation": explanation, "notes": notes }))?
                + "\n"
        } else {
            shown(&explanation, &notes)
        };
        page::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The question of the command line.
    fn asked(&self, world: &World) -> anyhow::Result<Case> {
        let issuer = match (&self.issuer, world.loaded.settled.issuers.as_slice()) {
            (Some(issuer), _) => issuer.clone(),
            (None, [only]) => only.issuer.clone(),
            (None, _) => {
                bail!("the configuration has several issuers: say which one vouches with --issuer")
            }
        };
        let now = SystemClock::default().unix_ms();
        let at = match &self.at {
            None => now,
            Some(at) => instant::read(at, now).with_context(|| format!("`{at}` is no time"))?,
        };
        let resource = self.resource.clone().unwrap_or_default();
        let (action, resource) = match (self.action, self.kind) {
            (Deed::Approve, _) => (Action::Approve, CaseTarget::Tool(resource)),
            (Deed::Use, _) => (Action::Use, CaseTarget::Server(resource)),
            (Deed::Ask, _) => (Action::Ask, CaseTarget::Server(resource)),
            (Deed::Call, _) => (Action::Call, CaseTarget::Tool(resource)),
            (Deed::Get, _) => (Action::Get, CaseTarget::Prompt(resource)),
            (Deed::Read, _) => (Action::Read, CaseTarget::Resource(resource)),
            (Deed::Complete, Some(Kind::Resource)) => {
                (Action::Complete, CaseTarget::Resource(resource))
            }
            (Deed::Complete, _) => (Action::Complete, CaseTarget::Prompt(resource)),
            (Deed::List, Some(Kind::Prompt)) => (Action::List, CaseTarget::Prompt(resource)),
            (Deed::List, Some(Kind::Resource)) => (Action::List, CaseTarget::Resource(resource)),
            (Deed::List, _) => (Action::List, CaseTarget::Tool(resource)),
        };
        Ok(Case {
            name: String::new(),
            principal: CasePrincipal {
                groups: Some(self.groups.clone()),
                client: self.client.clone().unwrap_or_default(),
                scopes: self.scopes.clone(),
                ..recorded::somebody(issuer, self.user.clone().unwrap_or_default())
            },
            action,
            resource,
            arguments: self
                .arguments
                .as_deref()
                .map(recorded::object)
                .transpose()?,
            context: CaseContext {
                method: self.method.clone().unwrap_or_default(),
                findings: self.findings.clone(),
                suspicions: self.suspicions.clone(),
                purpose: self.purpose.clone(),
                source: self.source,
                approving: (action == Action::Approve).then(|| CaseApproving {
                    requester: self.requester.clone().unwrap_or_default(),
                    needs: self.needs.clone().unwrap_or_default(),
                }),
                now_ms: i64::try_from(at).unwrap_or(i64::MAX),
                ..CaseContext::default()
            },
            expect: Verdict::Allow,
            by: None,
            lift: None,
        })
    }

    /// The question that a recorded call was, with what the command line adds to it.
    fn replayed(&self, record: &OwnedRecord) -> anyhow::Result<Case> {
        let mut case = recorded::question(record)?;
        case.principal.scopes = self.scopes.clone();
        if let Some(client) = &self.client {
            case.principal.client.clone_from(client);
        }
        if !self.groups.is_empty() {
            case.principal.groups = Some(self.groups.clone());
        }
        case.context.purpose.clone_from(&self.purpose);
        if let Some(arguments) = self.arguments.as_deref() {
            case.arguments = Some(recorded::object(arguments)?);
        }
        Ok(case)
    }

    /// What the record itself says, and what it does not hold.
    fn told(&self, record: &OwnedRecord) -> Vec<String> {
        let mut notes = vec![format!(
            "recorded {}: {}",
            instant::shown(record.at_ms),
            record.verdict.word()
        )];
        match &record.policy {
            None => notes.push("no policy was asked: the call ended before".to_owned()),
            Some(policy) => {
                let by = if policy.determining.is_empty() {
                    "no policy".to_owned()
                } else {
                    policy.determining.join(", ")
                };
                notes.push(format!(
                    "decided then: {} by {by}",
                    policy.verdict.as_deref().unwrap_or("-")
                ));
                notes.push(format!(
                    "policies {} were in force",
                    policy.digest.as_deref().unwrap_or("-")
                ));
            }
        }
        if let Some(refusal) = &record.refusal {
            notes.push(format!(
                "refused as {} (control {}): {}",
                refusal.code, refusal.control, refusal.reason
            ));
        }
        if self.groups.is_empty() {
            notes.push(
                "groups are not in records: they count as unknown unless given with --group"
                    .to_owned(),
            );
        }
        if self.scopes.is_empty() {
            notes.push(
                "scopes are not in records: there are none unless given with --scope".to_owned(),
            );
        }
        let kept = record
            .kept
            .as_ref()
            .is_some_and(|kept| kept.arguments.is_some());
        if !kept && self.arguments.is_none() && record.method.as_deref() == Some("tools/call") {
            notes.push(
                "the record does not hold the arguments: give them with --arguments".to_owned(),
            );
        }
        notes
    }
}

fn found(data: &Path, id: &str) -> anyhow::Result<OwnedRecord> {
    let chains = (2u32..).map(|chain| data.join(format!("ledger-{chain}")));
    let ledgers: Vec<PathBuf> = std::iter::once(data.join("ledger"))
        .chain(chains)
        .take_while(|path| path.is_dir())
        .collect();
    for ledger in ledgers {
        let mut index = Index::open(&ledger)?;
        index.catch_up()?;
        match index.show(id) {
            Ok(entry) => match entry.content {
                Content::Record(record) => return Ok(*record),
                _ => bail!("`{id}` is no record of a call"),
            },
            Err(audit::IndexError::Unknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("there is no record `{id}` in `{}`", data.display())
}

fn shown(explanation: &Explanation, notes: &[String]) -> String {
    let whole = safe(&explanation.to_string());
    let (first, rest) = whole.split_once('\n').unwrap_or((&whole, ""));
    let style = if explanation.decision.allows() {
        page::GOOD
    } else {
        page::BAD
    };
    let mut text = String::new();
    for note in notes {
        let _ = writeln!(text, "{CARE}note{CARE:#} {}", safe(note));
    }
    let _ = writeln!(text, "{style}{first}{style:#}");
    for line in rest.lines() {
        let (before, after) = line.split_once(": ").unwrap_or((line, ""));
        match (line.starts_with("  "), after) {
            (true, _) | (_, "") => {
                let _ = writeln!(text, "{line}");
            }
            (false, outcome) => {
                let style = if outcome == "satisfied" { TITLE } else { FAINT };
                let _ = writeln!(text, "{style}{before}: {outcome}{style:#}");
            }
        }
    }
    text
}
