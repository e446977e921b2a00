//! `ringwall`: the command line. It parses what is asked, calls the crate that knows how, and prints
//! the answer; it holds no logic of its own.

mod admin;
mod approvals;
mod check;
mod connections;
mod data;
mod demo;
mod init;
mod instant;
mod ledger;
mod manual;
mod memory;
mod page;
mod policies;
mod posture;
mod replay;
mod revoke;
mod rules;
mod scan;
mod serve;
mod sessions;
mod token;
mod tools;
mod visible;
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
    Demo(demo::Demo),
    #[command(hide = true)]
    DemoServer(demo::DemoServer),
    Init(init::Init),
    Wrap(wrap::Wrap),
    Scan(scan::Scan),
    Posture(posture::Posture),
    Sessions(sessions::Sessions),
    Admin(admin::Admin),
    Approvals(approvals::Approvals),
    Connections(connections::Connections),
    Revoke(revoke::Revoke),
    Tools(tools::Tools),
    Policy(policies::Policy),
    Replay(replay::Replay),
    Rules(rules::Rules),
    Audit(ledger::Audit),
    Completions(manual::Completions),
    Man(manual::Man),
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
    memory::keep_private();
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

/// Says what went wrong, and because of what.
fn tell(error: &anyhow::Error) {
    anstream::eprintln!("ringwall: {error:#}");
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Demo(demo) => demo.run(),
        Command::DemoServer(server) => server.run(),
        Command::Init(init) => init.run(),
        Command::Wrap(wrap) => wrap.run(),
        Command::Scan(scan) => Ok(scan.run()),
        Command::Posture(posture) => posture.run(),
        Command::Sessions(sessions) => sessions.run(),
        Command::Admin(admin) => admin.run(),
        Command::Approvals(approvals) => approvals.run(),
        Command::Connections(connections) => connections.run(),
        Command::Revoke(revoke) => revoke.run(),
        Command::Tools(tools) => tools.run(),
        Command::Policy(policy) => policy.run(),
        Command::Replay(replay) => replay.run(),
        Command::Rules(rules) => rules.run(),
        Command::Audit(audit) => audit.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Token(token) => token.run(),
    }
}
