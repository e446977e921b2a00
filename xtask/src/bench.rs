//! The benchmark: builds the product and the bench, makes throw-away keys, and measures all targets
//! interleaved in one run. It asserts nothing: machines are noisy, and the figures are for people.

use crate::run::Task;
use anyhow::Result;
use std::fs;
use std::path::Path;

/// Tokens of a run in which every call brings one that was never seen.
const FRESH: &str = "200000";
/// Tokens that are used in turns otherwise.
const USUAL: usize = 64;

/// Measures. Arguments are handed to `bench.py`.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let bench = root.join("bench");
    let out = bench.join("out");
    Task::new("cargo", root)
        .words("build --release --locked --package ringwall")
        .run()?;
    Task::new("cargo", &bench)
        .words("build --release --locked")
        .run()?;
    keys(&bench, &out)?;
    let programs = bench.join("target/release");
    Task::new("python3", &bench)
        .arguments(["bench.py", "--targets", "targets.json", "--out", "out"])
        .arguments(["--bin", &*programs.to_string_lossy()])
        .arguments(["--base", "floor-pooled"])
        .arguments(arguments)
        .run()?;
    println!("== bench/out/summary.md has the figures");
    Ok(())
}

/// Measures how fast text is looked at, on one core, without a gateway around it. Arguments are handed
/// to that bench.
pub(crate) fn content(root: &Path, arguments: &[String]) -> Result<()> {
    Task::new("cargo", root)
        .words("bench --locked --package ringwall-inspect --bench content --")
        .arguments(arguments)
        .run()
}

fn keys(bench: &Path, out: &Path) -> Result<()> {
    let keys = out.join("keys");
    fs::create_dir_all(&keys)?;
    // The ledger of an earlier run would be opened again, and grow for ever.
    for data in ["ringwall-data", "ringwall-fresh-data", "ringwall-dpop-data"] {
        let _ = fs::remove_dir_all(out.join(data));
    }
    let program = bench.join("target/release/mcpb-token");
    Task::new(&program.to_string_lossy(), bench)
        .arguments(["--out", &*keys.to_string_lossy()])
        .arguments(["--aud", "http://127.0.0.1:9300/mcp", "--ttl", "36000"])
        .arguments(["--count", FRESH])
        .run()?;
    for (kind, fresh) in [("ES256", "tokens.fresh"), ("DPoP", "tokens.DPoP.fresh")] {
        let usual = keys.join(format!("tokens.{kind}"));
        let all = fs::read_to_string(&usual)?;
        fs::write(keys.join(fresh), &all)?;
        let few: Vec<&str> = all.lines().take(USUAL).collect();
        fs::write(usual, few.join("\n") + "\n")?;
    }
    Ok(())
}
