//! `ringwall tools`: which tool definitions are approved, which wait, what changed, and approving or
//! taking back. It works on the store of pins, also while a gateway runs on it: the gateway notices
//! within half a second and writes the change into its ledger. It never approves what nobody named.

mod chosen;
mod difference;
mod history;

use crate::data::Data;
use crate::instant;
use crate::page::{self, BAD, CARE, Cell, FAINT, GOOD, TITLE, Table};
use anyhow::bail;
use chosen::Chosen;
use clap::Subcommand;
use gateway::clock::{Clock, SystemClock};
use gateway::pins::{Pin, Pins, Sighting};
use inspect::pin::Digest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

/// See, compare, approve, revoke and roll back the definitions of what servers offer.
///
/// A tool is callable only as the definition that is pinned. One that is new or has changed waits
/// here until somebody looked at it. Prompts, resources and templates are held by the same rules, and the
/// instructions of a server: they are called `prompt:NAME`, `resource:URI`, `template:URI` and
/// `instructions:` in the place of a tool.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall tools list
  ringwall tools diff files/read
  ringwall tools approve files/read --digest sha256:…
  ringwall tools approve files read write
  ringwall tools approve files/prompt:greet
  ringwall tools history files/read
  ringwall tools roll-back files/read --digest sha256:…")]
pub(crate) struct Tools {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List every definition that is approved or waits.
    List(List),
    /// Show what waits, field by field against what is approved, most dangerous first.
    Diff(Diff),
    /// Approve definitions that wait.
    Approve(Approve),
    /// Take approvals back: the tools are not callable until approved again.
    Revoke(Revoke),
    /// Show who approved which definition of a tool, and when, latest first.
    History(History),
    /// Approve a definition again that was approved before: whatever else is offered waits.
    RollBack(RollBack),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Tools to list, as SERVER/TOOL or SERVER TOOL…, or a server [default: all].
    #[arg(value_name = "SERVER/TOOL")]
    names: Vec<String>,
    /// List only what waits.
    #[arg(long)]
    waiting: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Diff {
    /// Tools to show, as SERVER/TOOL or SERVER TOOL…, or a server [default: all that wait].
    #[arg(value_name = "SERVER/TOOL")]
    names: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Approve {
    /// Tools to approve, as SERVER/TOOL or SERVER TOOL….
    #[arg(value_name = "SERVER/TOOL")]
    names: Vec<String>,
    /// Approve everything that waits, or everything of the named servers.
    #[arg(long)]
    all: bool,
    /// Approve only if this is still the definition that waits, as `tools diff` showed it.
    #[arg(long, value_name = "DIGEST", conflicts_with = "all")]
    digest: Option<Digest>,
    /// Who approves [default: the user of this process].
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// Tools to revoke, as SERVER/TOOL or SERVER TOOL….
    #[arg(value_name = "SERVER/TOOL", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct History {
    /// The tool, as SERVER/TOOL or SERVER TOOL.
    #[arg(value_name = "SERVER/TOOL", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct RollBack {
    /// The tool, as SERVER/TOOL or SERVER TOOL.
    #[arg(value_name = "SERVER/TOOL", required = true)]
    names: Vec<String>,
    /// Which definition, as `tools history` shows it [default: the one before the one in force].
    #[arg(long, value_name = "DIGEST")]
    digest: Option<Digest>,
    /// Who does it [default: the user of this process].
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    data: Data,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

impl Tools {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let said = match self.command {
            Command::List(list) => list.run()?,
            Command::Diff(diff) => diff.run()?,
            Command::Approve(approve) => approve.run()?,
            Command::Revoke(revoke) => revoke.run()?,
            Command::History(history) => history.run()?,
            Command::RollBack(back) => back.run()?,
        };
        page::print(&said)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Common {
    fn pins(&self) -> anyhow::Result<Pins> {
        Ok(Pins::open(&self.data.folder()?)?)
    }
}

impl List {
    fn run(self) -> anyhow::Result<String> {
        let chosen = Chosen::read(&self.names)?;
        let stands = stands(&self.common.pins()?)?;
        let wanted = stands
            .iter()
            .filter(|((server, tool), _)| chosen.names(server, tool));
        let mut wanted: Vec<_> = wanted.collect();
        // Whoever names something expects it.
        if wanted.is_empty() && !self.names.is_empty() {
            let names = crate::visible::visible(&self.names.join(" "));
            bail!("nothing of `{names}` is approved or waits: see `ringwall tools list`");
        }
        wanted.retain(|(_, stand)| !self.waiting || stand.waits.is_some());
        if self.common.json {
            let all: Vec<Value> = wanted
                .iter()
                .map(|(name, stand)| stand.json(name))
                .collect();
            return Ok(serde_json::to_string_pretty(&all)? + "\n");
        }
        let mut table = Table::new(&["TOOL", "STANDING", "SINCE", "BY", "DIGEST"]);
        for ((server, tool), stand) in wanted {
            let name = Cell::foreign(&format!("{server}/{tool}"), 80);
            let (at_ms, digest) = stand.latest();
            let by = stand.pin.as_ref().map_or("", |pin| pin.by.as_str());
            let (word, style) = stand.word();
            table.row(vec![
                name,
                Cell::new(word, style),
                instant::shown(at_ms).as_str().into(),
                Cell::foreign(by, 30),
                Cell::new(short(&digest), FAINT),
            ]);
        }
        Ok(match table.is_empty() {
            true if self.waiting => "nothing waits for approval\n".to_owned(),
            true => "no tool is approved or waits\n".to_owned(),
            false => table.to_string(),
        })
    }
}

impl Diff {
    fn run(self) -> anyhow::Result<String> {
        let chosen = Chosen::read(&self.names)?;
        let stands = stands(&self.common.pins()?)?;
        let waiting = stands
            .iter()
            .filter(|((server, tool), _)| chosen.names(server, tool));
        let waiting: Vec<_> = waiting
            .filter_map(|(name, stand)| Some((name, stand, stand.waits.as_ref()?)))
            .collect();
        if self.common.json {
            let all: Vec<Value> = waiting
                .iter()
                .map(|(_, stand, waits)| difference::json(stand.pin.as_ref(), waits))
                .collect();
            return Ok(serde_json::to_string_pretty(&all)? + "\n");
        }
        if waiting.is_empty() {
            return Ok("nothing waits for approval\n".to_owned());
        }
        let mut text = String::new();
        for (_, stand, waits) in waiting {
            difference::write(&mut text, stand.pin.as_ref(), waits);
        }
        Ok(text)
    }
}

impl Approve {
    fn run(self) -> anyhow::Result<String> {
        let chosen = Chosen::read(&self.names)?;
        let pins = self.common.pins()?;
        let waiting = if self.all {
            let all = pins.sightings()?.into_iter();
            all.filter(|waits| chosen.names(&waits.server, &waits.tool) && !waits.is_ambiguous())
                .collect()
        } else {
            named(&pins, &chosen)?
        };
        if let Some(digest) = self.digest {
            match waiting.as_slice() {
                [only] if only.digest == digest => {}
                [only] => bail!(
                    "`{}/{}` waits with another definition by now, {}: look at `ringwall tools diff` again",
                    only.server,
                    only.tool,
                    only.digest
                ),
                _ => bail!("--digest is about one tool: name one"),
            }
        }
        let by = self.by.unwrap_or_else(crate::wrap::place::user);
        let now = SystemClock::default().unix_ms();
        for waits in &waiting {
            let pin = Pin {
                digest: waits.digest,
                definition: waits.definition.clone(),
                at_ms: now,
                by: by.clone(),
            };
            pins.approve(&waits.server, &waits.tool, &pin)?;
        }
        if self.common.json {
            let all: Vec<Value> = waiting
                .iter()
                .map(|it| json!({ "server": it.server, "tool": it.tool, "digest": it.digest, "by": by, "at": instant::shown(now) }))
                .collect();
            return Ok(serde_json::to_string_pretty(&all)? + "\n");
        }
        if waiting.is_empty() {
            return Ok("nothing waits for approval\n".to_owned());
        }
        let mut text = String::new();
        for waits in &waiting {
            let name = crate::visible::visible(&format!("{}/{}", waits.server, waits.tool));
            let _ = writeln!(
                text,
                "{GOOD}approved{GOOD:#} {TITLE}{name}{TITLE:#} {} by {by}",
                waits.digest
            );
        }
        Ok(text)
    }
}

impl Revoke {
    fn run(self) -> anyhow::Result<String> {
        let chosen = Chosen::read(&self.names)?;
        let pins = self.common.pins()?;
        let mut revoked = Vec::new();
        for (server, tool) in chosen.tools()? {
            if !pins.revoke(server, tool)? {
                bail!("`{server}/{tool}` is not approved: see `ringwall tools list`");
            }
            revoked.push(json!({ "server": server, "tool": tool }));
        }
        if self.common.json {
            return Ok(serde_json::to_string_pretty(&revoked)? + "\n");
        }
        let mut text = String::new();
        for (server, tool) in chosen.tools()? {
            let _ = writeln!(text, "{BAD}revoked{BAD:#} {TITLE}{server}/{tool}{TITLE:#}");
        }
        Ok(text)
    }
}

/// The definitions that wait of the tools that are named. One that is named and does not wait is an
/// error: somebody expects something else.
fn named(pins: &Pins, chosen: &Chosen) -> anyhow::Result<Vec<Sighting>> {
    let tools = chosen.tools()?;
    if tools.is_empty() {
        bail!("name the tools to approve as SERVER/TOOL, or say --all");
    }
    let mut waiting = Vec::new();
    for (server, tool) in tools {
        let Some(waits) = pins.sighting(server, tool)? else {
            let state = if pins.of(server)?.contains_key(tool) {
                "is approved as it is"
            } else {
                "was never seen"
            };
            bail!("`{server}/{tool}` does not wait for approval: it {state}");
        };
        if waits.is_ambiguous() {
            bail!(
                "`{server}/{tool}` cannot be approved: it {}, and its server has to give each a name of its own",
                waits.why
            );
        }
        waiting.push(waits);
    }
    Ok(waiting)
}

/// How one tool stands: what is approved, and what waits.
#[derive(Debug, Default)]
struct Stand {
    pin: Option<Pin>,
    waits: Option<Sighting>,
}

/// How each stands, by its server and its name.
type Stands = BTreeMap<(String, String), Stand>;

fn stands(pins: &Pins) -> anyhow::Result<Stands> {
    let mut stands = Stands::new();
    for (server, tool, pin) in pins.all()? {
        stands.entry((server, tool)).or_default().pin = Some(pin);
    }
    for waits in pins.sightings()? {
        let name = (waits.server.clone(), waits.tool.clone());
        stands.entry(name).or_default().waits = Some(waits);
    }
    Ok(stands)
}

impl Stand {
    fn word(&self) -> (&'static str, anstyle::Style) {
        match (&self.pin, &self.waits) {
            (Some(_), None) => ("approved", GOOD),
            (Some(_), Some(_)) => ("changed", BAD),
            (None, _) => ("waiting", CARE),
        }
    }

    /// Since when it stands so, and by which definition.
    fn latest(&self) -> (u64, String) {
        let waits = self
            .waits
            .as_ref()
            .map(|waits| (waits.at_ms, waits.digest.to_string()));
        let pinned = self
            .pin
            .as_ref()
            .map(|pin| (pin.at_ms, pin.digest.to_string()));
        waits.or(pinned).unwrap_or_default()
    }

    fn json(&self, (server, tool): &(String, String)) -> Value {
        let pinned = self.pin.as_ref().map(|pin| {
            json!({ "digest": pin.digest, "at": instant::shown(pin.at_ms), "by": pin.by, "definition": pin.definition })
        });
        let waits = self.waits.as_ref().map(|waits| {
            json!({ "digest": waits.digest, "since": instant::shown(waits.at_ms), "why": waits.why, "definition": waits.definition })
        });
        json!({ "server": server, "tool": tool, "standing": self.word().0, "approved": pinned, "waiting": waits })
    }
}

fn short(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}
