//! Builds the fuzz targets of `fuzz/` with coverage on the stable compiler and runs each for a
//! while. A crash leaves its input in `fuzz/artifacts/<target>/` and fails.

use crate::run::Task;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::Path;

/// Coverage for libFuzzer without a nightly compiler; `fuzz/README.md` explains each word.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares";

/// Named even on the same machine, so that build scripts are not instrumented.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Builds all targets, then runs each for `seconds`.
pub(crate) fn run(root: &Path, seconds: u32) -> Result<()> {
    let folder = root.join("fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).context("fuzz/Cargo.toml")?;
    let targets = targets(&manifest);
    ensure!(!targets.is_empty(), "fuzz/Cargo.toml names no target");
    Task::new("cargo", &folder)
        .words("build --locked --release --bins --target-dir target --target")
        .arguments([TRIPLE])
        .variable("RUSTFLAGS", FLAGS)
        .run()?;
    for target in targets {
        fuzz(&folder, &target, seconds).with_context(|| format!("fuzz target `{target}`"))?;
    }
    Ok(())
}

fn fuzz(folder: &Path, target: &str, seconds: u32) -> Result<()> {
    let corpus = format!("corpus/{target}");
    let seeds = format!("seeds/{target}");
    fs::create_dir_all(folder.join(&corpus))?;
    fs::create_dir_all(folder.join("artifacts").join(target))?;
    let program = folder
        .join("target")
        .join(TRIPLE)
        .join("release")
        .join(target);
    let program = program.to_str().context("a path that is no text")?;
    let mut arguments = vec![
        format!("-max_total_time={seconds}"),
        format!("-artifact_prefix=artifacts/{target}/"),
        "-rss_limit_mb=1024".to_owned(),
        // An input that hangs takes longer still; a busy machine may stand still for a while.
        "-timeout=30".to_owned(),
        "-print_final_stats=1".to_owned(),
        corpus,
    ];
    if folder.join(&seeds).is_dir() {
        arguments.push(seeds);
    }
    Task::new(program, folder).arguments(arguments).run()
}

/// The names of the `[[bin]]` tables.
fn targets(manifest: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_bin = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_bin = line == "[[bin]]";
        } else if let (true, Some(value)) = (in_bin, line.strip_prefix("name")) {
            let name = value.trim_start().trim_start_matches('=').trim();
            targets.push(name.trim_matches('"').to_owned());
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_names_of_the_targets_only() {
        let manifest = "[package]\nname = \"fuzz\"\n[[bin]]\nname = \"sse\"\npath = \"x\"\n[[bin]]\nname=\"lines\"\n[lib]\nname = \"no\"\n";
        assert_eq!(targets(manifest), ["sse", "lines"]);
    }
}
