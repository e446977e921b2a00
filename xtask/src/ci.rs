//! What the machine checks before anybody looks: each step by name, with the time it took.

use crate::run::Task;
use crate::{deny, deps, fuzz, tidy};
use anyhow::{Context as _, Result};
use std::path::Path;
use std::time::Instant;

/// Seconds each fuzz target runs here; longer runs are started by hand.
const FUZZ_SECONDS: u32 = 20;

/// Every step, in order; the cheap ones first.
pub(crate) fn run(root: &Path) -> Result<()> {
    let start = Instant::now();
    step("tidy", || tidy::run(root))?;
    step("fmt", || cargo(root, "fmt --all --check"))?;
    step("deny", || deny::run(root))?;
    step("clippy", || {
        cargo(
            root,
            "clippy --locked --workspace --all-targets -- -D warnings",
        )
    })?;
    step("test", || test(root, &[]))?;
    step("fuzz", || fuzz::run(root, FUZZ_SECONDS))?;
    println!("== all of it passed in {} s", start.elapsed().as_secs());
    Ok(())
}

/// Installs what the tests need, builds the programs they start, and runs all of them. Arguments
/// are handed to `cargo test`.
pub(crate) fn test(root: &Path, arguments: &[String]) -> Result<()> {
    deps::install(root)?;
    // The black-box tests start these; `cargo test` alone builds the programs of their own crate only.
    cargo(root, "build --locked --workspace --bins")?;
    Task::new("cargo", root)
        .words("test --locked --workspace --no-fail-fast")
        .arguments(arguments)
        .run()
}

fn cargo(root: &Path, words: &str) -> Result<()> {
    Task::new("cargo", root).words(words).run()
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("== {name}");
    let start = Instant::now();
    work().with_context(|| format!("step `{name}`"))?;
    println!("== {name}: {} s", start.elapsed().as_secs());
    Ok(())
}
