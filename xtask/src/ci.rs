//! What the machine checks before anybody looks: each step by name, with the time it took.

use crate::run::Task;
use crate::{deny, deps, fuzz, tidy};
use anyhow::{Context as _, Result, ensure};
use std::path::Path;
use std::time::Instant;

/// Seconds each fuzz target runs here; longer runs are started by hand.
const FUZZ_SECONDS: u32 = 20;

/// All tests, and what is said before the names of one program of them.
const TESTS: &str = "test --locked --workspace --no-fail-fast";
const TEST: &str = "test --locked";

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
    let mut unsteady = Vec::new();
    step("test", || {
        unsteady = tested(root)?;
        Ok(())
    })?;
    step("fuzz", || fuzz::run(root, FUZZ_SECONDS))?;
    println!("== all of it passed in {} s", start.elapsed().as_secs());
    for program in unsteady {
        println!("== but unsteady, failed once and then passed: cargo test {program}");
    }
    Ok(())
}

/// Runs all tests, and a program of tests that fails once more by itself: a busy machine is not to hide what the other
/// steps find. Those that passed only then are returned; each is a defect, of the test or of what it tests.
fn tested(root: &Path) -> Result<Vec<String>> {
    prepare(root)?;
    let (passed, errors) = Task::new("cargo", root).words(TESTS).errors()?;
    let failed = failed(&errors);
    ensure!(
        passed || !failed.is_empty(),
        "the tests did not run to their end"
    );
    for program in &failed {
        Task::new("cargo", root).words(TEST).words(program).run()?;
    }
    Ok(failed)
}

/// The programs that `cargo test` says have failed, as the words that run each.
fn failed(errors: &str) -> Vec<String> {
    let named = errors.lines().filter_map(|line| line.strip_prefix("    `"));
    named
        .filter_map(|line| line.strip_suffix('`'))
        .map(str::to_owned)
        .collect()
}

/// Installs what the tests need, builds the programs they start, and runs all of them. Arguments
/// are handed to `cargo test`.
pub(crate) fn test(root: &Path, arguments: &[String]) -> Result<()> {
    prepare(root)?;
    Task::new("cargo", root)
        .words(TESTS)
        .arguments(arguments)
        .run()
}

fn prepare(root: &Path) -> Result<()> {
    deps::install(root)?;
    // The black-box tests start these; `cargo test` alone builds the programs of their own crate only.
    cargo(root, "build --locked --workspace --bins")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_read_from_what_cargo_says() {
        let said = "test a ... FAILED\nerror: test failed, to rerun pass `-p ringwall-tests --test data`\n\
                    error: 2 targets failed:\n    `-p ringwall-gateway --lib`\n    `-p ringwall-tests --test data`\n";
        let expected = ["-p ringwall-gateway --lib", "-p ringwall-tests --test data"];
        assert_eq!(failed(said), expected);
        assert_eq!(failed("error: could not compile `x`\n"), [""; 0]);
    }
}
