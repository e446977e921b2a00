//! `fixture-upstream`: the MCP server behind the gateway in the black-box tests.
//!
//! Prints its URL as the first line of stdout (or speaks MCP on stdio with `--stdio`), and ends by
//! itself when stdin closes, so that a test that dies leaves no server behind. It never listens on
//! anything but loopback, and it is never part of the product.

use anyhow::{Context as _, Result, bail};
use ringwall_tests::fixture::{self, Era, Face, Journal, ListenManners, Manners, Options};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: fixture-upstream [--stdio | [--sse] --port N] [--ready-file FILE] \
[--log FILE] [--credential VALUE] [--credential-header NAME] [--era legacy|modern|both] [--page N] \
[--hostile] [--listen-manners KIND]";

enum Where {
    Http {
        face: Face,
        port: u16,
        ready: Option<PathBuf>,
    },
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
    let (place, options) = parse(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match place {
            Where::Stdio => fixture::serve_stdio(options).await,
            Where::Http { face, port, ready } => {
                fixture::serve_http(options, face, port, ready).await
            }
        }
    })
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(Where, Options)> {
    let mut options = Options::default();
    let (mut port, mut ready, mut stdio, mut face) = (0, None, false, Face::default());
    while let Some(flag) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("`{flag}` needs a value"))
        };
        match flag.as_str() {
            "--stdio" => stdio = true,
            "--sse" => face = Face::Sse,
            "--hostile" => options.manners = Manners::Hostile,
            "--port" => port = value()?.parse().context("`--port` wants a number")?,
            "--page" => {
                options.page = Some(value()?.parse().context("`--page` wants a number")?);
            }
            "--era" => options.era = Era::named(&value()?).context("there is no such era")?,
            "--listen-manners" => {
                let named = ListenManners::named(&value()?);
                options.listen = named.context("there are no such manners")?;
            }
            "--ready-file" => ready = Some(PathBuf::from(value()?)),
            "--log" => options.journal = Journal::open(value()?.as_ref())?,
            "--credential" => options.credential = Some(value()?),
            "--credential-header" => options.credential_header = value()?.to_ascii_lowercase(),
            _ => bail!("unknown flag `{flag}`\n{USAGE}"),
        }
    }
    let place = if stdio {
        Where::Stdio
    } else {
        Where::Http { face, port, ready }
    };
    Ok((place, options))
}
