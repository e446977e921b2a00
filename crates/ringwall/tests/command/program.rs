//! The product's command as a process, and what it said.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

/// What a command said.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) complaint: String,
    pub(crate) ok: bool,
}

impl Said {
    /// Its output, which has to be one of success.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert!(self.ok, "{}\n{}", self.out, self.complaint);
        self.out
    }

    /// Everything it said, which has to be a failure.
    #[track_caller]
    pub(crate) fn bad(self) -> String {
        assert!(!self.ok, "it succeeded: {}", self.out);
        self.out + &self.complaint
    }

    /// Its output as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.good()).expect("it prints JSON")
    }

    /// Its output as lines of JSON.
    #[track_caller]
    pub(crate) fn lines(self) -> Vec<Value> {
        self.good()
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the product's own command is what is tested"
)]
pub(crate) fn ringwall(words: &[&str], data: Option<&Path>) -> Said {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ringwall"));
    command
        .args(words)
        .env_remove("RINGWALL_CONFIG")
        .current_dir(root());
    if let Some(data) = data {
        command.arg("--data").arg(data);
    }
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    Said {
        out: text(stdout),
        complaint: text(stderr),
        ok: status.success(),
    }
}

/// The folder of the whole workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("it is there")
}
