//! Waiting for what comes in its own time.

use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// How often is looked.
const LOOK: Duration = Duration::from_millis(50);
/// A machine that compiles beside the tests is slow; nothing here waits longer than it must.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until there is something to see.
pub async fn comes<T>(mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        ensure!(Instant::now() < end, "not within {PATIENCE:?}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks until it is so.
pub async fn is_so(mut look: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    comes(async || Ok(look().await?.then_some(()))).await
}
