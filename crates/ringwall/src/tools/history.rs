//! What was approved before, and going back to it. A definition is never taken from anywhere else.

use super::chosen::Chosen;
use super::{History, RollBack, short};
use crate::instant;
use crate::page::{Cell, FAINT, GOOD, TITLE, Table};
use anyhow::{Context as _, bail};
use gateway::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

impl History {
    pub(super) fn run(self) -> anyhow::Result<String> {
        let chosen = Chosen::read(&self.names)?;
        let (server, tool) = one(&chosen)?;
        let pins = self.common.pins()?;
        let (all, in_force) = (pins.history(server, tool)?, pins.pin(server, tool)?);
        if self.common.json {
            let all: Vec<Value> = all
                .iter()
                .map(|pin| {
                    json!({ "digest": pin.digest, "at": instant::shown(pin.at_ms), "by": pin.by, "definition": pin.definition })
                })
                .collect();
            return Ok(serde_json::to_string_pretty(&all)? + "\n");
        }
        if all.is_empty() {
            return Ok("nothing of that name was ever approved\n".to_owned());
        }
        let mut table = Table::new(&["APPROVED", "BY", "DIGEST", ""]);
        let mut current = in_force.map(|pin| pin.digest);
        for pin in all {
            let is_current = current.take_if(|digest| *digest == pin.digest).is_some();
            let mark = if is_current { "in force" } else { "" };
            table.row(vec![
                instant::shown(pin.at_ms).as_str().into(),
                Cell::foreign(&pin.by, 30),
                Cell::new(pin.digest.to_string(), FAINT),
                Cell::new(mark, GOOD),
            ]);
        }
        Ok(table.to_string())
    }
}

impl RollBack {
    pub(super) fn run(self) -> anyhow::Result<String> {
        let chosen = Chosen::read(&self.names)?;
        let (server, tool) = one(&chosen)?;
        let pins = self.common.pins()?;
        let in_force = pins.pin(server, tool)?.map(|pin| pin.digest);
        let digest = match self.digest {
            Some(digest) => digest,
            None => {
                let mut earlier = pins.history(server, tool)?.into_iter();
                let before = earlier.find(|pin| Some(pin.digest) != in_force);
                before
                    .with_context(|| {
                        format!("no other definition of `{server}/{tool}` was approved before")
                    })?
                    .digest
            }
        };
        if in_force == Some(digest) {
            bail!("`{server}/{tool}` is approved as that: see `ringwall tools history`");
        }
        let by = self.by.unwrap_or_else(crate::wrap::place::user);
        let now = SystemClock::default().unix_ms();
        let Some(pin) = pins.roll_back(server, tool, (digest, &by, now))? else {
            bail!("`{server}/{tool}` was never approved as {digest}: see `ringwall tools history`");
        };
        if self.common.json {
            let told = json!({ "server": server, "tool": tool, "digest": pin.digest, "by": by, "at": instant::shown(now) });
            return Ok(serde_json::to_string_pretty(&told)? + "\n");
        }
        let name = crate::visible::visible(&format!("{server}/{tool}"));
        Ok(format!(
            "{GOOD}rolled back{GOOD:#} {TITLE}{name}{TITLE:#} to {} by {by}\n",
            short(&pin.digest.to_string())
        ))
    }
}

/// The one tool that is named.
fn one(chosen: &Chosen) -> anyhow::Result<(&str, &str)> {
    match chosen.tools()?.as_slice() {
        [only] => Ok(*only),
        _ => bail!("name one tool as SERVER/TOOL"),
    }
}
