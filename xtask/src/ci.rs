//! What the machine checks before anybody looks: each step by name, with the time it took.

use crate::run::Task;
use crate::{deny, deps, fuzz, tidy};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

/// Seconds each fuzz target runs here; longer runs are started by hand.
const FUZZ_SECONDS: u32 = 20;

/// All tests. Some of them are run by naming their kind of program besides: of one package alone, everything would be
/// built once more, with fewer features.
const TESTS: &str = "test --locked --workspace --no-fail-fast";

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
    let mut unsteady = BTreeSet::new();
    step("test", || {
        unsteady = tested(root)?;
        Ok(())
    })?;
    step("fuzz", || fuzz::run(root, FUZZ_SECONDS))?;
    println!("== all of it passed in {} s", start.elapsed().as_secs());
    for program in unsteady {
        println!("== unsteady, failed at first and then passed by itself: cargo {TESTS} {program}");
    }
    Ok(())
}

/// Runs all tests, and a program of tests that fails once more by itself: a busy machine is not to hide what the other
/// steps find. Those that passed only then are returned; each is a defect, of the test or of what it tests.
fn tested(root: &Path) -> Result<BTreeSet<String>> {
    prepare(root)?;
    let (passed, errors) = Task::new("cargo", root).words(TESTS).errors()?;
    let failed = failed(&errors);
    ensure!(
        passed || !failed.is_empty(),
        "the tests did not run to their end"
    );
    for program in &failed {
        Task::new("cargo", root).words(TESTS).words(program).run()?;
    }
    Ok(failed)
}

/// The programs that `cargo test` says have failed, as the words that run each, and others of its name or kind.
fn failed(errors: &str) -> BTreeSet<String> {
    let named = errors
        .lines()
        .filter_map(|line| line.strip_prefix("    `-p ")?.strip_suffix('`'));
    named
        .filter_map(|line| line.split_once(' '))
        .map(|(_package, program)| program.to_owned())
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
        let said = [
            "test a ... FAILED",
            "error: test failed, to rerun pass `-p ringwall-tests --test data`",
            "error: 3 targets failed:",
            "    `-p ringwall-gateway --lib`",
            "    `-p ringwall-tests --test data`",
            "    `-p ringwall-vault --lib`",
        ];
        let said = said.join("\n");
        let expected = ["--lib", "--test data"].map(str::to_owned);
        assert_eq!(failed(&said), BTreeSet::from(expected));
        assert!(failed("error: could not compile `x`\n").is_empty());
    }
}
