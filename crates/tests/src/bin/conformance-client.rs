//! `conformance-client legacy|modern URL`: the client that the official conformance suite puts to the
//! test, with what it has to know in the environment. The client is the gateway: this starts it before
//! the suite's server at URL and plays the scenario through it, in the era that was named. It is never
//! part of the product.

use anyhow::{Context as _, Result};
use ringwall_tests::client_leg::{Era, Scenario, THROUGH};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let played = match wanted() {
        Ok((scenario, era)) => scenario.play(era).await,
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

fn wanted() -> Result<(Scenario, Era)> {
    let mut arguments = std::env::args().skip(1);
    let era = arguments.next().context("which era?")?.parse()?;
    let server = arguments.next().context("which server?")?;
    let name = std::env::var("MCP_CONFORMANCE_SCENARIO").context("which scenario?")?;
    let context = std::env::var("MCP_CONFORMANCE_CONTEXT").unwrap_or_else(|_| "{}".to_owned());
    let scenario = Scenario {
        name,
        context: serde_json::from_str(&context).context("the context is no JSON")?,
        server: server
            .parse()
            .with_context(|| format!("not a URL: `{server}`"))?,
    };
    Ok((scenario, era))
}
