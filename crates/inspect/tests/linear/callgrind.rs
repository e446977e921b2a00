//! Counts instructions with callgrind, a tool of valgrind: the program is started once more under it,
//! and writes down what it counted at every end of a look. It measures no time.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The function that sets the count to nothing, and the one at which it is written down.
const BEGINS: &str = "counting_begins";
const ENDS: &str = "counting_ends";

/// Does something that is counted. Without callgrind around it, it is only done.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> T {
    counting_begins();
    let done = black_box(work());
    counting_ends();
    done
}

#[inline(never)]
fn counting_begins() {
    black_box(BEGINS);
}

#[inline(never)]
fn counting_ends() {
    black_box(ENDS);
}

/// Runs this program with these variables set, and says what it counted, in order.
pub(crate) fn counts(variables: &[(&str, &str)]) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(valgrind().unwrap())
        .args(["--tool=callgrind", "--quiet", "--dump-line=no"])
        .arg(format!("--zero-before=*{BEGINS}"))
        .arg(format!("--dump-before=*{ENDS}"))
        .arg(format!(
            "--callgrind-out-file={}/out",
            folder.path().display()
        ))
        .arg(env::current_exe().unwrap())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{variables:?}: {said}{errors}");
    let written = |number: usize| {
        let file = folder.path().join(format!("out.{number}"));
        fs::read_to_string(file).ok().map(|text| total(&text))
    };
    (1..).map_while(written).collect()
}

/// The total of one file of callgrind.
fn total(text: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
    line.and_then(|total| total.parse().ok()).unwrap()
}

/// Where valgrind is, if it is installed.
pub(crate) fn valgrind() -> Option<PathBuf> {
    if let Some(named) = env::var_os("RINGWALL_VALGRIND") {
        return Some(named.into());
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders)
        .map(|folder| folder.join("valgrind"))
        .find(|path| Path::is_file(path))
}
