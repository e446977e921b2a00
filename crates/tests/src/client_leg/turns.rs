//! Takes turns. The suite begins all its scenarios at once, and each starts a gateway: so few of them play at a
//! time that none of them is kept waiting by the others in the middle of what it plays.

use anyhow::{Context as _, Result};
use std::fs::File;
use std::path::PathBuf;

/// Names the folder in which whoever plays holds a file.
pub(super) const TURNS: &str = "RINGWALL_TURNS";

/// How many play at a time.
const AT_A_TIME: usize = 4;

/// Waits for the turn of this scenario, which lasts until this is dropped; at once if nobody takes turns.
/// It holds up the whole program, which has nothing else to do.
pub(super) fn turn(scenario: &str) -> Result<Option<File>> {
    let Some(folder) = std::env::var_os(TURNS) else {
        return Ok(None);
    };
    let own = scenario.bytes().map(usize::from).sum::<usize>() % AT_A_TIME;
    let path = PathBuf::from(folder).join(own.to_string());
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    file.lock()?;
    Ok(Some(file))
}
