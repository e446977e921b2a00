//! Where things lie: the repository, what was built, what the tests installed. It never builds or
//! installs anything; what is missing is said, with the command that makes it.

use anyhow::{Context as _, Result, bail, ensure};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The root of the repository.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// A program this workspace builds, such as `ringwall`.
pub fn built(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe().context("where is this test?")?;
    let places = this.ancestors().skip(1).take(2);
    let found = places
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.with_context(|| {
        format!("`{name}` is not built: run `cargo xtask test`, or `cargo build --workspace`")
    })
}

/// A file below `.deps`, where `cargo xtask deps` installs other people's programs.
pub fn installed(path: &str) -> Result<PathBuf> {
    let path = repository().join(".deps").join(path);
    ensure!(
        path.exists(),
        "`{}` is not installed: run `cargo xtask deps`",
        path.display()
    );
    Ok(path)
}

/// The Node.js the tests installed for themselves.
pub fn node() -> Result<PathBuf> {
    installed("node_modules/node/bin/node")
}

/// The Python of the tests' own environment.
pub fn python() -> Result<PathBuf> {
    installed("venv/bin/python")
}

/// The system's Chromium, or the one that `RINGWALL_CHROMIUM` names. There is no package of npm or PyPI
/// that carries a browser.
pub fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("RINGWALL_CHROMIUM") {
        return Ok(PathBuf::from(named));
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&folders).flat_map(|folder| {
        ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name))
    });
    places
        .into_iter()
        .find(|path| path.is_file())
        .context("no Chromium: install the package `chromium`, or name one in RINGWALL_CHROMIUM")
}

/// A file of this crate.
pub fn own(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A loopback port nobody listens on at the moment. It lies below the range that systems take ports
/// for outgoing connections from, and tests that run side by side begin at different places.
pub fn free_port() -> Result<u16> {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    for _ in 0..SPAN {
        let turn = TAKEN.fetch_add(1, Ordering::Relaxed);
        let offset = std::process::id().wrapping_mul(97).wrapping_add(turn) % SPAN;
        let port = u16::try_from(FIRST_PORT + offset)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port")
}

const FIRST_PORT: u32 = 20_000;
const SPAN: u32 = 12_000;

/// Seconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "real tokens for a real process need the real time"
)]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
