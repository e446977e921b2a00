//! `fixture-upstream`: the MCP server behind the gateway in the black-box tests.
//!
//! Prints its URL as the first line of stdout (or speaks MCP on stdio with `--stdio`), and ends by
//! itself when stdin closes, so that a test that dies leaves no server behind. It never listens on
//! anything but loopback, and it is never part of the product.

use anyhow::{Context as _, Result, bail};
use ringwall_tests::fixture::{self, Journal, Manners, Options};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: fixture-upstream [--stdio | --port N] [--ready-file FILE] [--log FILE] \
[--credential VALUE] [--credential-header NAME] [--hostile]";

enum Face {
    Http { port: u16, ready: Option<PathBuf> },
    Stdio,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fixture-upstream: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let (face, options) = parse(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match face {
            Face::Stdio => fixture::serve_stdio(options).await,
            Face::Http { port, ready } => fixture::serve_http(options, port, ready).await,
        }
    })
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(Face, Options)> {
    let mut options = Options::default();
    let (mut port, mut ready, mut stdio) = (0, None, false);
    while let Some(flag) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("`{flag}` needs a value"))
        };
        match flag.as_str() {
            "--stdio" => stdio = true,
            "--hostile" => options.manners = Manners::Hostile,
            "--port" => port = value()?.parse().context("`--port` wants a number")?,
            "--ready-file" => ready = Some(PathBuf::from(value()?)),
            "--log" => options.journal = Journal::open(value()?.as_ref())?,
            "--credential" => options.credential = Some(value()?),
            "--credential-header" => options.credential_header = value()?.to_ascii_lowercase(),
            _ => bail!("unknown flag `{flag}`\n{USAGE}"),
        }
    }
    let face = if stdio {
        Face::Stdio
    } else {
        Face::Http { port, ready }
    };
    Ok((face, options))
}
