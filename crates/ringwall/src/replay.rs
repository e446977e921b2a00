//! `ringwall replay`: what a changed configuration would have made of traffic that is over. The gateway's
//! own engine is asked, once with each configuration; nothing is decided here, and nobody is asked
//! anything over the network.

mod difference;
mod traffic;

use crate::Config;
use crate::instant;
use crate::page::{self, BAD, CARE, Cell, FAINT, GOOD, Table};
use crate::policies::world::World;
use anyhow::Context as _;
use difference::{Change, Difference};
use gateway::clock::{Clock, SystemClock};
use gateway::load;
use gateway::stages::replay::{Over, Rules};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use traffic::{Item, Then, Unusable};

/// Run traffic that is over through a changed configuration, and say what would change.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall replay --with changed.yaml
  ringwall replay --with changed.yaml --since 7d --json
  ringwall replay --with changed.yaml --traffic messages.jsonl

Both configurations are run over the same traffic: the ledger of the first one, or a file with a message
a line. Text can be looked at again where the ledger holds it (`ledger: { keep: [arguments, results] }`
of a route); what detectors said is in the ledger in any case. No detector is asked again.

The exit code is 0 if nothing would change, and 3 if something would.")]
pub(crate) struct Replay {
    /// The changed configuration.
    #[arg(long, value_name = "FILE")]
    with: PathBuf,
    #[command(flatten)]
    config: Config,
    /// Messages, one JSON object a line, instead of the ledger.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["since", "until"])]
    traffic: Option<PathBuf>,
    /// Not before: `10m`, `2h`, `3d` ago, or `2026-11-22`, `2026-11-22T21:05Z`.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Not after, written the same way.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

/// Something would change.
const CHANGED: u8 = 3;

impl Replay {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut now = World::of(&self.config.config)?;
        let data = now.loaded.settled.data.clone();
        let changed = load::load(&self.with)?;
        let mut then = World::within(changed, &data)?;
        let items = match &self.traffic {
            Some(file) => traffic::of_file(file, &now.loaded.settled)?,
            None => traffic::of_ledger(
                &data,
                when(self.since.as_deref())?,
                when(self.until.as_deref())?,
            )?,
        };
        let asked = || items.iter().filter_map(|item| item.as_ref().ok());
        now.suppose(asked().map(|item| &item.over.case.resource));
        then.suppose(asked().map(|item| &item.over.case.resource));
        let (policies, changed) = (now.compiled()?, then.compiled()?);
        // Tools are those that are approved where the traffic was.
        let pinned = &now.pinned;
        let now = Rules::new(&now.loaded.settled, &policies, pinned);
        let then = Rules::new(&then.loaded.settled, &changed, pinned);
        let difference = compare(&items, &now, &then);
        let text = match self.json {
            true => serde_json::to_string_pretty(&difference)? + "\n",
            false => shown(&difference),
        };
        page::print(&text)?;
        Ok(match difference.is_none() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(CHANGED),
        })
    }
}

/// Each message under both.
fn compare(items: &[Result<Item, Unusable>], now: &Rules<'_>, then: &Rules<'_>) -> Difference {
    let mut difference = Difference::default();
    for item in items {
        difference.messages += 1;
        let item = match item {
            Ok(item) => item,
            Err(why) => {
                difference.left_out(why.words());
                continue;
            }
        };
        match judged(item, now, then) {
            Ok(change) => difference.count(&item.over, change),
            Err(why) => difference.left_out(&why),
        }
    }
    difference
}

fn judged(item: &Item, now: &Rules<'_>, then: &Rules<'_>) -> Result<Change, String> {
    let over: &Over = &item.over;
    let before = now
        .judge(over)
        .map_err(|why| format!("of the configuration: {why}"))?;
    // What happened is what the rules of then said of all that was known then. Where the record does not
    // hold enough to say the same again, a difference would say nothing about the change.
    let agrees = match &item.then {
        Then::Unknown => true,
        Then::Allowed => before.refused.is_none(),
        Then::Refused => before.refused.is_some(),
    };
    if !agrees {
        return Err("the record does not hold what its outcome depended on".to_owned());
    }
    let after = then
        .judge(over)
        .map_err(|why| format!("of the changed configuration: {why}"))?;
    Ok(Change { before, after })
}

fn when(text: Option<&str>) -> anyhow::Result<Option<u64>> {
    let now = SystemClock::default().unix_ms();
    let read =
        |text: &str| instant::read(text, now).with_context(|| format!("`{text}` is no time"));
    text.map(read).transpose()
}

fn shown(difference: &Difference) -> String {
    let mut text = String::new();
    let mut table = Table::new(&["WHAT", "USER", "TOOL", "TIMES", "BY", "EXAMPLES"]);
    for group in difference.groups() {
        let style = match group.what {
            "newly refused" => BAD,
            "newly allowed" => CARE,
            _ => FAINT,
        };
        table.row(vec![
            Cell::new(group.what, style),
            Cell::foreign(&group.user, 40),
            Cell::foreign(&group.tool, 40),
            Cell::new(group.times.to_string(), page::PLAIN),
            Cell::foreign(&group.by.join(", "), 60),
            Cell::foreign(&group.examples(), 120),
        ]);
    }
    if !table.is_empty() {
        let _ = writeln!(text, "{table}");
    }
    for (why, times) in &difference.left_out {
        let why = crate::visible::visible(why);
        let _ = writeln!(text, "{CARE}left out{CARE:#} {times}: {why}");
    }
    for (detector, times) in &difference.unheard {
        let detector = crate::visible::visible(detector);
        let _ = writeln!(
            text,
            "{CARE}not known{CARE:#} {times}: what `{detector}` would have said; it was not asked"
        );
    }
    let (messages, replayed) = (difference.messages, difference.replayed);
    let _ = match difference.is_none() {
        true => writeln!(
            text,
            "{GOOD}nothing would change{GOOD:#} for {replayed} of {messages} messages"
        ),
        false => writeln!(
            text,
            "{} of {replayed} messages would change; {messages} were read",
            difference.changed
        ),
    };
    text
}
