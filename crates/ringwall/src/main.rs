//! `ringwall`: the command line. It parses what is asked, calls the crate that knows how, and prints
//! the answer; it holds no logic of its own.

mod check;
mod demo;
mod init;
mod serve;
mod token;
mod wrap;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Small allocations dominate the path of a call, and mimalloc is the fastest at them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A zero-trust gateway for the Model Context Protocol.
///
/// Every call is authenticated, authorized, checked, screened and recorded; what is not allowed by
/// a policy is refused.
#[derive(Debug, Parser)]
#[command(name = "ringwall", version, about, long_about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    Serve(serve::Serve),
    /// Check a configuration and print what it means.
    Check(check::Check),
    /// Watch real calls being allowed, refused and recorded. Needs no other software.
    Demo(demo::Demo),
    /// Run one of the demo's MCP servers on standard input and output.
    #[command(hide = true)]
    DemoServer(demo::DemoServer),
    /// Write a first configuration and a first policy.
    Init(init::Init),
    /// Stand between a local MCP client and the server it starts.
    Wrap(wrap::Wrap),
    /// Print a token of a development issuer. For this machine only.
    Token(token::Token),
}

/// Where the configuration is read from.
#[derive(Debug, clap::Args)]
struct Config {
    /// The configuration file.
    #[arg(long, short, default_value = "ringwall.yaml", env = "RINGWALL_CONFIG")]
    config: PathBuf,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!("ringwall: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Demo(demo) => demo.run(),
        Command::DemoServer(server) => server.run(),
        Command::Init(init) => init.run(),
        Command::Wrap(wrap) => wrap.run(),
        Command::Token(token) => token.run(),
    }
}
