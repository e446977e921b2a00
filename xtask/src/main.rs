//! The project's own build tool. `cargo xtask` without arguments says what it can do.
//!
//! It calls cargo, npm and pip as anybody would at a prompt; it holds no secrets and talks to no
//! network by itself.

mod bench;
mod ci;
mod deny;
mod deps;
mod fuzz;
mod run;
mod tidy;

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test          installs what the tests need, builds the programs, runs every test
  deps          only installs what the tests need, below .deps
  tidy          checks the house rules
  deny          checks licences, duplicates, bans and sources of all dependencies, offline
  fuzz [S]      builds the fuzz targets and runs each for S seconds (20)
  bench [ARGS]  runs the benchmark in bench/; `bench content`: how fast text is looked at
  ci            everything the machine checks: fmt, clippy, tidy, deny, test, a short fuzz
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let root = root()?;
    let (command, rest) = arguments.split_first().context(USAGE)?;
    match (command.as_str(), rest) {
        ("test", _) => ci::test(&root, rest),
        ("deps", []) => deps::install(&root),
        ("tidy", []) => tidy::run(&root),
        ("deny", []) => deny::run(&root),
        ("fuzz", []) => fuzz::run(&root, 20),
        ("fuzz", [seconds]) => fuzz::run(&root, seconds.parse().context("seconds are a number")?),
        ("bench", [what, rest @ ..]) if what == "content" => bench::content(&root, rest),
        ("bench", _) => bench::run(&root, rest),
        ("ci", []) => ci::run(&root),
        _ => bail!("{USAGE}"),
    }
}

/// The root of the repository.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here
        .parent()
        .context("xtask lies below the root")?
        .to_path_buf())
}
