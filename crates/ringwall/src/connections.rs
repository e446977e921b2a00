//! `ringwall connections`: what users granted the gateway at the authorization servers of the servers
//! behind it. It shows who, what and when, never a token, and takes grants back.

use crate::data::Data;
use crate::instant;
use crate::page::{self, Cell, FAINT, Table};
use crate::revoke;
use clap::Subcommand;
use gateway::clock::{Clock, SystemClock};
use gateway::credential::{self, Listed};
use gateway::revocation::Register;
use std::process::ExitCode;

/// List the servers that users have connected, and take such grants back.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall connections
  ringwall connections list --json
  ringwall connections revoke files/q5Kd…/https://as.example.com --why 'left the company'")]
pub(crate) struct Connections {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List who connected what.
    List(List),
    /// Take one back, by its name in the list. A running gateway forgets it within half a second.
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    data: Data,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The name, as `ringwall connections` shows it.
    name: String,
    /// Refuse what is granted later, too, until it is lifted.
    #[arg(long)]
    block: bool,
    #[command(flatten)]
    said: revoke::Said,
}

impl Connections {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let said = runtime.block_on(async {
            match self.command {
                None => self.list.run().await,
                Some(Command::List(list)) => list.run().await,
                Some(Command::Revoke(one)) => revoke::grant(one.name, one.said, one.block).await,
            }
        })?;
        page::print(&said)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn run(self) -> anyhow::Result<String> {
        let now_ms = SystemClock::default().unix_ms();
        let register = Register::open(&self.data.folder()?)?;
        let kept = credential::Connections::new(register.rows().clone());
        let all = kept.all(now_ms).await?;
        if self.json {
            return Ok(serde_json::to_string_pretty(&all)? + "\n");
        }
        if all.is_empty() {
            return Ok("nobody has connected a server\n".to_owned());
        }
        Ok(table(&all))
    }
}

fn table(all: &[Listed]) -> String {
    let mut table = Table::new(&[
        "SERVER",
        "USER",
        "CLIENT",
        "GRANTED BY",
        "SCOPES",
        "SINCE",
        "NAME",
    ]);
    for one in all {
        table.row(vec![
            Cell::foreign(&one.server, 32),
            Cell::foreign(&one.about.subject, 32),
            Cell::foreign(one.about.client.as_deref().unwrap_or("-"), 32),
            Cell::foreign(&one.issuer, 48),
            Cell::foreign(&one.about.scopes, 48),
            instant::shown(one.about.at.saturating_mul(1000))
                .as_str()
                .into(),
            Cell::new(crate::visible::visible(&one.name), FAINT),
        ]);
    }
    table.to_string()
}
