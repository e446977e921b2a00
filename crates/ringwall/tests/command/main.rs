//! The commands that look after a gateway, run as processes on folders made for them. No gateway
//! runs here: what they do beside a running one is shown by the black-box tests of the workspace.

mod audit;
mod policy;
mod posture;
mod tools;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

/// What a command said.
struct Said {
    out: String,
    complaint: String,
    ok: bool,
}

impl Said {
    /// Its output, which has to be one of success.
    #[track_caller]
    fn good(self) -> String {
        assert!(self.ok, "{}\n{}", self.out, self.complaint);
        self.out
    }

    /// Everything it said, which has to be a failure.
    #[track_caller]
    fn bad(self) -> String {
        assert!(!self.ok, "it succeeded: {}", self.out);
        self.out + &self.complaint
    }

    /// Its output as JSON.
    #[track_caller]
    fn json(self) -> Value {
        serde_json::from_str(&self.good()).expect("it prints JSON")
    }

    /// Its output as lines of JSON.
    #[track_caller]
    fn lines(self) -> Vec<Value> {
        self.good().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "the product's own command is what is tested")]
fn ringwall(words: &[&str], data: Option<&Path>) -> Said {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ringwall"));
    command.args(words).env_remove("RINGWALL_CONFIG").current_dir(root());
    if let Some(data) = data {
        command.arg("--data").arg(data);
    }
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    Said { out: text(stdout), complaint: text(stderr), ok: status.success() }
}

/// The folder of the whole workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("it is there")
}

#[test]
fn completions_and_manual_come_from_the_same_definitions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = ringwall(&["completions", shell], None).good();
        assert!(script.contains("posture") && script.contains("approve"), "{shell}");
        assert!(!script.contains("demo-server, "), "{shell}");
    }
    let page = ringwall(&["man"], None).good();
    assert!(page.starts_with(".ie") || page.contains(".TH ringwall"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    ringwall(&["man", "--output", folder.path().to_str().unwrap()], None).good();
    assert!(folder.path().join("ringwall-tools-approve.1").is_file());
}

#[test]
fn what_a_reader_does_not_want_is_no_error_and_what_is_wrong_says_what_to_do() {
    let nothing = tempfile::tempdir().unwrap();
    for (words, remedy) in [
        (vec!["tools", "list"], "--config"),
        (vec!["audit", "tail"], "--config"),
        (vec!["posture", "--config", "nowhere.yaml"], "cannot read `nowhere.yaml`"),
    ] {
        let told = ringwall(&words, None).bad();
        assert!(told.contains(remedy), "{told}");
    }
    let told = ringwall(&["audit", "tail"], Some(nothing.path())).bad();
    assert!(told.contains("no ledger"), "{told}");
    let told = ringwall(&["tools", "list"], Some(&nothing.path().join("gone"))).bad();
    assert!(told.contains("has the gateway run?"), "{told}");
}
