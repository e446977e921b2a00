//! One table of tests for every pairing of eras: a caller of either era before a server of either, and
//! the record that a refusal leaves.

use crate::comes::{comes, is_so};
use crate::mcp::Client;
use crate::stateless::Stateless;
use crate::wire::{self, Events, Reply};
use crate::world::{Plan, World, ledger};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

/// Which era somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Handshake and sessions.
    Legacy,
    /// Stateless.
    Modern,
}

impl Era {
    /// The word of the fixture's `--era`.
    pub fn word(self) -> &'static str {
        match self {
            Era::Legacy => "legacy",
            Era::Modern => "modern",
        }
    }
}

/// Whose era, and the server's.
pub type Pairing = (Era, Era);

/// Every pairing: the client's era, then the server's.
pub const PAIRINGS: [Pairing; 4] = [
    (Era::Legacy, Era::Legacy),
    (Era::Modern, Era::Modern),
    (Era::Modern, Era::Legacy),
    (Era::Legacy, Era::Modern),
];

/// A caller of either era.
#[derive(Debug)]
pub enum Caller {
    /// With a session.
    Legacy(Client),
    /// Without.
    Modern(Stateless),
}

impl Caller {
    /// This user at this route, able to do this.
    pub async fn at(
        world: &World,
        path: &str,
        user: &str,
        era: Era,
        capabilities: Value,
    ) -> Result<Self> {
        let url = world.gateway.at(path)?;
        let token = world.issuer.token(url.as_str(), user)?;
        Ok(match era {
            Era::Legacy => {
                let mut client = Client::new(&url, Some(&token));
                client.initialize(capabilities).await?;
                Caller::Legacy(client)
            }
            Era::Modern => Caller::Modern(Stateless::new(&url, Some(&token)).capable(capabilities)),
        })
    }

    /// This user at the route most tests use, able to do nothing.
    pub async fn plain(world: &World, user: &str, era: Era) -> Result<Self> {
        Caller::at(world, "/fixture", user, era, json!({})).await
    }

    /// Sends a request and returns the whole HTTP answer.
    pub async fn send(&self, method: &str, params: Value) -> Result<Reply> {
        match self {
            Caller::Legacy(client) => client.send(method, params).await,
            Caller::Modern(client) => client.send(method, params).await,
        }
    }

    /// Sends a request and reads its answer event by event.
    pub async fn stream(&self, method: &str, params: Value) -> Result<Events> {
        match self {
            Caller::Legacy(client) => client.stream(method, params).await,
            Caller::Modern(client) => client.stream(method, params).await,
        }
    }

    /// Calls a tool and returns everything that is said on the answer.
    pub async fn told(&self, tool: &str, arguments: Value) -> Result<Told> {
        let params = json!({ "name": tool, "arguments": arguments });
        let reply = self.send("tools/call", params).await?;
        Ok(Told {
            status: reply.status.as_u16(),
            said: reply.messages()?,
        })
    }

    /// Hears what the server says unasked, as far as this era has it.
    pub async fn listen(&self) -> Result<Events> {
        match self {
            Caller::Legacy(client) => client.listen(None).await,
            Caller::Modern(client) => client.listen(json!({ "toolsListChanged": true })).await,
        }
    }
}

/// All that was said on one answer.
#[derive(Clone, Debug)]
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// The messages in their order.
    pub said: Vec<Value>,
}

impl Told {
    /// What it came to: the code of a refusal, the words of a result, or the number of an error.
    pub fn outcome(&self) -> String {
        let last = self.said.last().unwrap_or(&Value::Null);
        if let Some((code, _)) = wire::refusal(last) {
            return code;
        }
        let words = last.pointer("/result/content/0/text");
        let kind = last
            .pointer("/result/resultType")
            .filter(|_| words.is_none());
        let number = last.pointer("/error/code");
        match words.or(kind).or(number) {
            Some(Value::String(words)) => words.clone(),
            Some(number) => number.to_string(),
            None => last.to_string(),
        }
    }

    /// The control that refused, if one did.
    pub fn control(&self) -> Option<String> {
        wire::refusal(self.said.last()?).map(|(_, control)| control)
    }

    /// How many responses there are.
    pub fn answers(&self) -> usize {
        let responses = self
            .said
            .iter()
            .filter(|message| message.get("method").is_none());
        responses.count()
    }

    /// Whether this occurs anywhere.
    pub fn mentions(&self, words: &str) -> bool {
        self.said
            .iter()
            .any(|message| message.to_string().contains(words))
    }
}

/// A world whose server speaks this era.
pub async fn world(plan: Plan, server: Era) -> Result<World> {
    World::start(plan.fixture(&["--era", server.word()])).await
}

/// Waits for a refusal with this code in the records of this user, and returns the newest.
pub async fn refused(world: &World, user: &str, code: &str) -> Result<Value> {
    recorded(
        world,
        &["--user", user, "--verdict", "refused", "--code", code],
    )
    .await
}

/// A refusal is in the ledger, under the name of its caller and with its control.
pub async fn is_recorded(world: &World, user: &str, code: &str, control: &str) -> Result<()> {
    let record = refused(world, user, code).await?;
    let told = ["/refusal/control", "/who/subject"].map(|at| record.pointer(at));
    ensure!(
        told == [Some(&json!(control)), Some(&json!(user))],
        "{record}"
    );
    Ok(())
}

/// What a refusal must be: status, code and control.
pub type Refusal = (u16, &'static str, &'static str);

/// An answer is this refusal.
pub fn is_refused(reply: &Reply, name: &str, (status, code, control): Refusal) -> Result<()> {
    let told = (reply.status.as_u16(), reply.code(), reply.control());
    let expected = (status, code.to_owned(), Some(control.to_owned()));
    ensure!(told == expected, "{name}: {told:?} instead of {expected:?}");
    Ok(())
}

/// Waits for a record that matches these words of `audit search`, and returns the newest.
pub async fn recorded(world: &World, words: &[&str]) -> Result<Value> {
    let record = comes(async || {
        let line = ledger(&world.gateway, words).await?.pop();
        Ok(line.map(|it| it.get("record").cloned().unwrap_or_default()))
    });
    let all = async || ledger(&world.gateway, &[]).await.map(|all| json!(all));
    match record.await {
        Ok(record) => Ok(record),
        Err(error) => bail!("no record of {words:?}, {error}: {}", all().await?),
    }
}

/// Waits until this holds of the fixture's journal.
pub async fn until(world: &World, enough: impl Fn(&str) -> bool) -> Result<()> {
    let comes = is_so(async || Ok(enough(&world.journal_text()?))).await;
    comes.with_context(|| world.journal_text().unwrap_or_default())
}
