//! The client leg of the official conformance suite, played by the gateway: for each scenario the
//! suite is a server, the gateway stands before it, and a client of the scenario's era asks the
//! gateway for what the scenario is about. What the suite sees of the client is the gateway alone.
//!
//! It judges nothing: the suite does. What comes back to the client is looked at only where a call
//! that never reached the suite would pass for a good one.

mod legacy;
mod modern;
mod run;

pub use run::{Leg, Played};

use crate::issuer::Issuer;
use crate::mcp::Client;
use crate::stateless::{self, Stateless};
use crate::world::{Gateway, Peers};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use url::Url;

/// The name of the suite's server in the configuration, and of the route to it.
const SERVER: &str = "suite";

/// The user all scenarios are played as.
const USER: &str = "alice";

/// The reason why a scenario of these cannot succeed is the same for all: the gateway has no OAuth
/// client of its own yet. They are played like the others, so that the suite says when it has.
const AUTHORIZATION: &str = "auth/";

/// What the program that plays a scenario says when it could play it to its end.
pub const THROUGH: &str = "played through";

/// One scenario, as the suite tells its client about it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The revision its server speaks.
    pub revision: String,
    /// What the suite has to say besides: which calls to make, or which credentials to use.
    pub context: Value,
    /// Where its server is.
    pub server: Url,
}

impl Scenario {
    /// Starts a gateway before the suite's server and plays the scenario through it.
    pub async fn play(&self) -> Result<()> {
        let server = json!({
            "name": SERVER,
            "http": { "url": self.server.as_str(), "network": "private" },
            "pins": "first_use"
        });
        let mut peers = Peers::start(vec![server]).await?;
        let played = self.through(&peers.gateway, &peers.issuer).await;
        let played = played.with_context(|| peers.gateway.complaints());
        // The suite waits until nobody is connected to its server any more.
        peers.gateway.terminate().await?;
        played
    }

    async fn through(&self, gateway: &Gateway, issuer: &Issuer) -> Result<()> {
        let url = gateway.at(&format!("/{SERVER}"))?;
        let token = issuer.token(url.as_str(), USER)?;
        if self.revision == stateless::VERSION {
            modern::play(self, Stateless::new(&url, Some(&token))).await
        } else {
            legacy::play(self, Client::new(&url, Some(&token))).await
        }
    }
}

/// The result of an answer, which has to have one.
fn result(answer: &Value) -> Result<&Value> {
    let result = answer.get("result");
    result.with_context(|| format!("no result: {answer}"))
}

/// Checks that a tool was run and did not fail.
fn succeeded(answer: &Value) -> Result<()> {
    let failed = result(answer)?.get("isError") == Some(&json!(true));
    ensure!(!failed, "the tool failed: {answer}");
    Ok(())
}

/// Checks that a tool said this.
fn said(answer: &Value, expected: &str) -> Result<()> {
    let text = crate::mcp::text(answer);
    ensure!(text == expected, "`{text}` instead of `{expected}`");
    Ok(())
}

/// The input schema of a tool in an answer to `tools/list`.
fn schema<'a>(listed: &'a Value, tool: &str) -> Result<&'a Value> {
    let tools = result(listed)?.get("tools").and_then(Value::as_array);
    let found = tools
        .into_iter()
        .flatten()
        .find(|listed| listed.get("name").and_then(Value::as_str) == Some(tool));
    let schema = found.and_then(|found| found.get("inputSchema"));
    schema.with_context(|| format!("no tool `{tool}` in {listed}"))
}
