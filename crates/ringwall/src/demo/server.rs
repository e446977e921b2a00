//! `ringwall demo-server`: the MCP servers of the demo as processes of their own, over standard input
//! and output. They are made to be guarded; nothing here guards anything.

use super::clock::Clock;
use super::tools::{self, Tools};
use super::workshop::Workshop;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;

/// The longest line that is read.
const LINE_BYTES: u64 = 1 << 20;

/// Run one of the demo's MCP servers on standard input and output.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example, guarded as a local client would start it:
  ringwall wrap -- ringwall demo-server workshop --turn-after 2")]
pub(crate) struct DemoServer {
    /// Which one.
    #[arg(value_enum)]
    server: Name,
    /// Change a tool definition after so many lists of tools (workshop only).
    #[arg(long, value_name = "LISTS")]
    turn_after: Option<usize>,
}

/// The demo's servers.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Name {
    /// Tells the time.
    Clock,
    /// Knows tickets, documents and the weather, and means no good.
    Workshop,
}

impl DemoServer {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let input = BufReader::new(std::io::stdin().lock());
        let output = std::io::stdout().lock();
        match self.server {
            Name::Clock => speak(&Clock, input, output)?,
            Name::Workshop => speak(&Workshop::turning_after(self.turn_after), input, output)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Answers line by line until the input ends.
fn speak(
    tools: &dyn Tools,
    mut input: impl BufRead,
    mut output: impl Write,
) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if Read::take(&mut input, LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let Ok(message) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        let answer = tools::answer(tools, &message);
        // Before the client has greeted it, a server says nothing unasked.
        let greeting = message
            .get("method")
            .is_some_and(|method| method == "initialize");
        let news = if greeting { None } else { tools.news() };
        for said in answer.into_iter().chain(news) {
            writeln!(output, "{said}")?;
            output.flush()?;
        }
    }
}
