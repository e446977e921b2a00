//! `conformance-client URL`: the client that the official conformance suite puts to the test, with
//! what it has to know in the environment. The client is the gateway: this starts it before the
//! suite's server at URL and plays the scenario through it. It is never part of the product.

use anyhow::{Context as _, Result};
use ringwall_tests::client_leg::{Scenario, THROUGH};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let played = match scenario() {
        Ok(scenario) => scenario.play().await,
        Err(error) => Err(error),
    };
    match played {
        Ok(()) => {
            println!("{THROUGH}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("conformance-client: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn scenario() -> Result<Scenario> {
    let told = |name: &str| std::env::var(name).with_context(|| format!("no `{name}`"));
    let context = told("MCP_CONFORMANCE_CONTEXT").unwrap_or_else(|_| "{}".to_owned());
    let server = std::env::args().next_back().unwrap_or_default();
    Ok(Scenario {
        name: told("MCP_CONFORMANCE_SCENARIO")?,
        revision: told("MCP_CONFORMANCE_PROTOCOL_VERSION")?,
        context: serde_json::from_str(&context).context("the context is no JSON")?,
        server: server.parse().with_context(|| format!("not a URL: `{server}`"))?,
    })
}
