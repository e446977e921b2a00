//! `ringwall revoke`: users, clients, sessions, tokens and grants that are good no more. It works on the
//! store, also while a gateway runs on it: the gateway notices within half a second, ends what is open
//! and writes the revocation into its ledger. It never revokes what nobody named.

use crate::data::Data;
use crate::instant;
use crate::page::{self, BAD, CARE, Cell, FAINT, GOOD, TITLE, Table};
use crate::visible::visible;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use gateway::clock::{Clock, SystemClock};
use gateway::revocation::{Entry, Order, Origin, Register, Target};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Read as _;
use std::process::ExitCode;

/// Revoke users, clients, sessions, tokens and grants before they expire.
///
/// What was issued at or before this moment is refused from now on, with every stream, call and session
/// that it opened. With --block, what is issued later is refused too, until it is lifted.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall revoke user alice --why 'laptop lost'
  ringwall revoke client build-agent --block --why 'incident 7'
  ringwall revoke session 5e55105e55105e55
  ringwall revoke token - < leaked-token
  ringwall revoke list
  ringwall revoke lift 0f3a5c7e9b1d2f40")]
pub(crate) struct Revoke {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Revoke a user: every token of theirs.
    User(Named),
    /// Revoke a client: every token that names it, whoever the user is.
    Client(Named),
    /// End a session, by what records and `ringwall sessions` call it.
    Session(Plain),
    /// Revoke one token: by its `jti`, by its SHA-256, or `-` to read the token itself from standard
    /// input, of which only the SHA-256 is kept.
    Token(OfToken),
    /// Take back what a user granted: what Ringwall holds for them at an upstream's provider.
    Grant(Blockable),
    /// List what is revoked.
    List(List),
    /// Take a revocation back.
    Lift(Lift),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The name: of a user also ISSUER#SUBJECT, or the key in records.
    name: String,
    /// Whose name it is [default: the only issuer of the configuration].
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Refuse what is issued later, too, until it is lifted.
    #[arg(long)]
    block: bool,
    #[command(flatten)]
    said: Said,
}

#[derive(Debug, clap::Args)]
struct Blockable {
    /// What it is called.
    name: String,
    /// Refuse what is granted later, too, until it is lifted.
    #[arg(long)]
    block: bool,
    #[command(flatten)]
    said: Said,
}

#[derive(Debug, clap::Args)]
struct Plain {
    /// What it is called.
    name: String,
    #[command(flatten)]
    said: Said,
}

#[derive(Debug, clap::Args)]
struct OfToken {
    /// `jti`, the SHA-256 in 64 hexadecimal digits, or `-`.
    name: String,
    /// Whose `jti` it is [default: the only issuer of the configuration].
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    #[command(flatten)]
    said: Said,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Lift {
    /// The id, as `ringwall revoke list` shows it.
    id: String,
    /// Who lifts it [default: the user of this process].
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Said {
    /// Why, for the ledger.
    #[arg(long, value_name = "TEXT", default_value = "no reason was given")]
    why: String,
    /// Who revokes [default: the user of this process].
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    #[command(flatten)]
    data: Data,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

/// The largest token that is read.
const TOKEN_BYTES: u64 = 64 * 1024;

impl Revoke {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let said = runtime.block_on(self.command.run())?;
        page::print(&said)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Takes back what a user granted.
pub(crate) async fn grant(name: String, said: Said, block: bool) -> anyhow::Result<String> {
    said.add(Target::Grant { name }, block).await
}

impl Command {
    async fn run(self) -> anyhow::Result<String> {
        match self {
            Command::User(named) => {
                let target = named.user()?;
                named.said.add(target, named.block).await
            }
            Command::Client(named) => {
                let issuer = named.issuer.as_deref();
                let issuer = issuer.map(|it| named.said.common.issuer(Some(it)));
                let target = Target::Client {
                    issuer: issuer.transpose()?,
                    name: named.name,
                };
                named.said.add(target, named.block).await
            }
            Command::Session(plain) => {
                let target = Target::Session { name: plain.name };
                plain.said.add(target, false).await
            }
            Command::Token(token) => {
                let target = token.target()?;
                token.said.add(target, false).await
            }
            Command::Grant(grant) => self::grant(grant.name, grant.said, grant.block).await,
            Command::List(list) => list.run().await,
            Command::Lift(lift) => lift.run().await,
        }
    }
}

impl Named {
    fn user(&self) -> anyhow::Result<Target> {
        let whole = self.issuer.is_none().then(|| self.name.rsplit_once('#'));
        if let Some((issuer, subject)) = whole.flatten() {
            return Ok(Target::User {
                issuer: Some(self.said.common.issuer(Some(issuer))?),
                name: subject.to_owned(),
            });
        }
        let issuer = match &self.issuer {
            Some(issuer) => Some(self.said.common.issuer(Some(issuer))?),
            None if is_key(&self.name) => None,
            None => Some(self.said.common.issuer(None)?),
        };
        Ok(Target::User {
            issuer,
            name: self.name.clone(),
        })
    }
}

impl OfToken {
    fn target(&self) -> anyhow::Result<Target> {
        if self.name == "-" {
            let mut token = String::new();
            std::io::stdin()
                .take(TOKEN_BYTES)
                .read_to_string(&mut token)
                .context("cannot read a token from standard input")?;
            return Ok(Target::token(token.trim()));
        }
        let is_digest = self.name.len() == 64 && self.name.bytes().all(|b| b.is_ascii_hexdigit());
        if is_digest && self.issuer.is_none() {
            return Ok(Target::Digest {
                name: self.name.to_ascii_lowercase(),
            });
        }
        let issuer = self.said.common.issuer(self.issuer.as_deref())?;
        Ok(Target::Token {
            issuer,
            name: self.name.clone(),
        })
    }
}

impl Common {
    fn register(&self) -> anyhow::Result<Register> {
        Ok(Register::open(&self.data.folder()?)?)
    }

    /// The issuer that is meant: the one that is said, or the only one there is.
    fn issuer(&self, said: Option<&str>) -> anyhow::Result<String> {
        let known = self.data.issuers();
        match (said, known.as_slice()) {
            // It stands for several, and no token bears it.
            (Some(said), _) if said.contains('{') => bail!(
                "`{}` is no issuer of a token: name the tenant's own, {}",
                visible(said),
                visible(&known.join(", "))
            ),
            (Some(said), _) => Ok(said.to_owned()),
            (None, [only]) => Ok(only.clone()),
            (None, []) => bail!("say whose name this is with --issuer: no configuration names one"),
            (None, several) => bail!(
                "say whose name this is with --issuer: there are {}",
                visible(&several.join(", "))
            ),
        }
    }
}

impl Said {
    async fn add(self, target: Target, block: bool) -> anyhow::Result<String> {
        let now_ms = SystemClock::default().unix_ms();
        let order = Order {
            target,
            at_ms: now_ms,
            block,
            origin: Origin::Operator,
            why: self.why,
            by: self.by.unwrap_or_else(crate::wrap::place::user),
        };
        let entry = self.common.register()?.add(order, now_ms).await?;
        if self.common.json {
            return Ok(serde_json::to_string_pretty(&shown(&entry))? + "\n");
        }
        let how = if entry.block { " and blocked" } else { "" };
        let what = visible(&entry.target.to_string());
        Ok(format!(
            "{BAD}revoked{how}{BAD:#} {TITLE}{what}{TITLE:#} {FAINT}{}{FAINT:#}\n",
            entry.id
        ))
    }
}

impl List {
    async fn run(self) -> anyhow::Result<String> {
        let now_ms = SystemClock::default().unix_ms();
        let mut entries = self.common.register()?.entries(now_ms).await?;
        entries.retain(|entry| entry.lifted.is_none());
        entries.sort_by(|left, right| (left.at_ms, &left.id).cmp(&(right.at_ms, &right.id)));
        if self.common.json {
            let all: Vec<Value> = entries.iter().map(shown).collect();
            return Ok(serde_json::to_string_pretty(&all)? + "\n");
        }
        if entries.is_empty() {
            return Ok("nothing is revoked\n".to_owned());
        }
        let mut table = Table::new(&[
            "WHAT", "NAME", "ISSUER", "SINCE", "LATER", "BY", "WHY", "ID",
        ]);
        for entry in &entries {
            table.row(vec![
                entry.target.kind().into(),
                Cell::foreign(entry.target.name(), 48),
                Cell::foreign(entry.target.issuer().unwrap_or("-"), 48),
                instant::shown(entry.at_ms).as_str().into(),
                match entry.block {
                    true => Cell::new("blocked", BAD),
                    false => Cell::new("good", FAINT),
                },
                Cell::foreign(&entry.by, 30),
                Cell::foreign(&entry.why, 60),
                Cell::new(visible(&entry.id), FAINT),
            ]);
        }
        let mut text = table.to_string();
        if entries.iter().any(|entry| !entry.recorded) {
            let _ = writeln!(
                text,
                "\n{CARE}some are not in a ledger yet{CARE:#}: a gateway writes them when it runs"
            );
        }
        Ok(text)
    }
}

impl Lift {
    async fn run(self) -> anyhow::Result<String> {
        let now_ms = SystemClock::default().unix_ms();
        let by = self.by.unwrap_or_else(crate::wrap::place::user);
        let lifted = self.common.register()?.lift(&self.id, &by, now_ms).await?;
        let Some(entry) = lifted else {
            bail!(
                "nothing is revoked as `{}`: see `ringwall revoke list`",
                visible(&self.id)
            );
        };
        if self.common.json {
            return Ok(serde_json::to_string_pretty(&shown(&entry))? + "\n");
        }
        let what = visible(&entry.target.to_string());
        Ok(format!("{GOOD}lifted{GOOD:#} {TITLE}{what}{TITLE:#}\n"))
    }
}

fn shown(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "kind": entry.target.kind(),
        "name": entry.target.name(),
        "issuer": entry.target.issuer(),
        "at": instant::shown(entry.at_ms),
        "block": entry.block,
        "why": entry.why,
        "by": entry.by,
        "recorded": entry.recorded,
        "lifted_by": entry.lifted.as_ref().map(|lifted| &lifted.by),
    })
}

/// Whether this is the key that records have for a user: 43 characters that no person chose.
fn is_key(name: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    name.len() == 43 && name.bytes().all(is_one)
}
