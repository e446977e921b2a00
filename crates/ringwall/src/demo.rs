//! `ringwall demo`: everything on this machine, real calls, and what becomes of each. Every claim it
//! prints is checked, so it is a test as well: one that does not hold is printed as such and the exit
//! status tells. It decides nothing: whatever is allowed or refused here, the gateway did it with the
//! files of `examples/demo`.

mod caller;
mod clock;
mod epilogue;
mod files;
mod page;
mod scenes;
mod server;
mod tools;
mod web;
mod workshop;
mod world;

pub(crate) use server::DemoServer;

use page::Page;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use world::World;

/// Watch real calls being allowed, refused and recorded. Needs no other software.
///
/// Starts a development issuer, two MCP servers and the gateway with the configuration of
/// examples/demo, then calls as two users and prints what was tried and what came back. Ends with
/// an exit status other than 0 if anything turned out otherwise than it should.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall demo
  ringwall demo --keep --data ./demo")]
pub(crate) struct Demo {
    /// Leave everything running afterwards, and print commands to try by hand.
    #[arg(long)]
    keep: bool,
    /// Keep configuration, keys and ledger here instead of in a new temporary folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print without colours.
    #[arg(long)]
    no_color: bool,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if self.no_color {
            anstream::ColorChoice::Never.write_global();
        }
        start_log();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let broken = runtime.block_on(self.show())?;
        Ok(if broken == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// Shows everything, and says how many claims did not hold.
    async fn show(self) -> anyhow::Result<usize> {
        let mut page = Page::default();
        let folder = files::folder(self.data.as_deref())?;
        let world = World::start(&folder).await?;
        page.opening(&world);
        scenes::play(&world, &mut page).await?;
        let data = world.data().to_owned();
        if self.keep {
            // Before anybody is told that it runs on: whoever reads that may stop it at once.
            let stops = stops()?;
            epilogue::ledger(&data, &mut page)?;
            let broken = page.closing();
            epilogue::by_hand(&world)?;
            told_to_stop(stops).await;
            world.end().await?;
            return Ok(broken);
        }
        world.end().await?;
        epilogue::ledger(&data, &mut page)?;
        epilogue::search(&data)?;
        Ok(page.closing())
    }
}

/// What stops us, caught from now on.
fn stops() -> anyhow::Result<[Signal; 2]> {
    Ok([
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    ])
}

async fn told_to_stop([mut term, mut int]: [Signal; 2]) {
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

/// The gateway's own log is shown only to who asks for it: the page tells what happens.
fn start_log() {
    use tracing_subscriber::EnvFilter;
    if let Ok(filter) = EnvFilter::try_from_env("RINGWALL_LOG") {
        // Setting it twice is the only way to fail, and it is set here alone.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .try_init();
    }
}
