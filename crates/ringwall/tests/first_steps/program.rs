//! The real binary, started as a process. It ends with the test.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The binary under test.
pub(crate) const RINGWALL: &str = env!("CARGO_BIN_EXE_ringwall");

/// How long a line may be waited for before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary with these arguments, in this folder, with nothing of the environment that matters.
pub(crate) fn ringwall(arguments: &[&str], folder: &Path) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where these tests start a process"
    )]
    let mut command = Command::new(RINGWALL);
    command.args(arguments).current_dir(folder);
    command
        .env_remove("RINGWALL_LOG")
        .env_remove("RINGWALL_CONFIG")
        .env("XDG_STATE_HOME", folder.join("state"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end with this on stdin.
pub(crate) fn run(arguments: &[&str], folder: &Path, input: &str) -> Ended {
    let mut child = ringwall(arguments, folder)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    Ended(child.wait_with_output().unwrap())
}

/// What it left behind.
#[derive(Debug)]
pub(crate) struct Ended(Output);

impl Ended {
    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert!(self.0.status.success(), "{}\n{}", self.out(), self.err());
        self
    }

    #[track_caller]
    pub(crate) fn failed(self) -> Self {
        assert!(!self.0.status.success(), "{}\n{}", self.out(), self.err());
        self
    }
}

/// A process that is talked to line by line.
#[derive(Debug)]
pub(crate) struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Talk {
    pub(crate) fn start(arguments: &[&str], folder: &Path) -> Self {
        let mut command = ringwall(arguments, folder);
        let mut child = command
            .stdin(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Talk {
            input: child.stdin.take(),
            child,
            lines,
        }
    }

    /// Writes a line.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next line, or nothing once there is no more.
    pub(crate) fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                panic!("nothing came in {PATIENCE:?}")
            }
        }
    }

    /// The next line as a message.
    pub(crate) fn message(&mut self) -> Option<Value> {
        self.line().map(|line| {
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no message: {line}"))
        })
    }

    /// Ends the input.
    pub(crate) fn hang_up(&mut self) {
        self.input = None;
    }

    /// Asks it to end (`SIGTERM`).
    pub(crate) fn terminate(&self) {
        let id = i32::try_from(self.child.id()).unwrap();
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(id).unwrap(),
            rustix::process::Signal::TERM,
        )
        .unwrap();
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> bool {
        self.input = None;
        self.child.wait().unwrap().success()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // Both fail where the process has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
