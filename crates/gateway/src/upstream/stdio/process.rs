//! One process: started, written to, read from, and ended with everything it started.
//!
//! This is the only place where a process is started. Program, arguments, environment and
//! directory are those of the configuration; there is no shell in between, and no text of a caller
//! is at hand here.

use super::stderr;
use crate::upstream::duplex::Board;
use crate::upstream::{Bounds, StdioSpec, UpstreamError, Variable};
use bytes::{Bytes, BytesMut};
use protocol::lines::{Decoder, Line};
use rustix::process::{Pid, Signal, kill_process_group};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// How many lines wait to be written.
const LINES_MAX: usize = 64;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// How long the output of a process that has ended is still read.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A running process. Dropped, it is ended.
#[derive(Debug)]
pub(in crate::upstream) struct Process {
    number: u64,
    lines: mpsc::Sender<Bytes>,
    stop: watch::Sender<bool>,
    gone: watch::Receiver<bool>,
}

impl Process {
    /// Starts the process with the number `number`. What it says goes to `board`.
    pub(in crate::upstream) fn start(
        spec: &StdioSpec,
        bounds: &Bounds,
        board: &Arc<Board>,
        number: u64,
    ) -> Result<Self, UpstreamError> {
        let mut child = spawn(spec)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(errors)) = pipes else {
            return Err(UpstreamError::Start {
                reason: "it has no pipes".to_owned(),
            });
        };
        let server = bounds.name.clone();
        tracing::info!(%server, pid = child.id(), "started the server's process");
        let (lines, waiting) = mpsc::channel(LINES_MAX);
        let (stop, stopping) = watch::channel(false);
        let (left, gone) = watch::channel(false);
        let ring = stderr::Ring::default();
        tokio::spawn(stderr::capture(errors, ring.clone(), server.clone()));
        let keeper = Keeper {
            server,
            grace: spec.grace,
            board: board.clone(),
            number,
            child,
            ring,
            writer: tokio::spawn(write(stdin, waiting)),
            reader: tokio::spawn(read(
                stdout,
                board.clone(),
                lines.downgrade(),
                bounds.answer_bytes,
            )),
        };
        tokio::spawn(async move {
            keeper.keep(stopping).await;
            left.send_replace(true);
        });
        Ok(Process {
            number,
            lines,
            stop,
            gone,
        })
    }

    pub(in crate::upstream) fn number(&self) -> u64 {
        self.number
    }

    pub(in crate::upstream) fn is_alive(&self) -> bool {
        !*self.gone.borrow() && !self.lines.is_closed()
    }

    /// Queues a message.
    pub(in crate::upstream) async fn write(
        &self,
        message: Bytes,
        deadline: Instant,
    ) -> Result<(), UpstreamError> {
        match tokio::time::timeout_at(deadline, self.lines.send(line(&message))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(UpstreamError::Crashed {
                reason: "it no longer reads".to_owned(),
            }),
            Err(_) => Err(UpstreamError::Deadline),
        }
    }

    /// Queues a message if there is room.
    pub(in crate::upstream) fn try_write(&self, message: Bytes) {
        // A process too busy to read this has not missed anything it was owed.
        drop(self.lines.try_send(line(&message)));
    }

    /// Begins the end.
    pub(in crate::upstream) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the process is gone.
    pub(in crate::upstream) async fn stopped(&self) {
        // An error means that whoever would tell is gone too.
        drop(self.gone.clone().wait_for(|gone| *gone).await);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What lives as long as the process does.
struct Keeper {
    server: Arc<str>,
    grace: Duration,
    board: Arc<Board>,
    number: u64,
    child: Child,
    ring: stderr::Ring,
    writer: JoinHandle<()>,
    reader: JoinHandle<()>,
}

impl Keeper {
    async fn keep(mut self, mut stopping: watch::Receiver<bool>) {
        let group = group(&self.child);
        let server = self.server.clone();
        let told = tokio::select! {
            status = self.child.wait() => Some(status),
            // The sender is dropped only after it has sent; either way this is the end.
            _ = stopping.wait_for(|stop| *stop) => None,
        };
        let reason = match told {
            Some(status) => {
                let reason = described(status);
                tracing::warn!(%server, %reason, last = ?self.ring.lines(), "the server's process ended by itself");
                reason
            }
            None => {
                self.end(group).await;
                "it was stopped".to_owned()
            }
        };
        // Whatever it started must not outlive it.
        signal(group, Signal::KILL);
        // INVARIANT: once the writer is gone no call can be entered that nobody fails below.
        self.writer.abort();
        drop((&mut self.writer).await);
        if timeout(LAST_WORDS, &mut self.reader).await.is_err() {
            self.reader.abort();
        }
        let dropped = self.board.dropped();
        if dropped > 0 {
            tracing::debug!(%server, dropped, "lines and messages of the process came to nothing");
        }
        self.board
            .fail(self.number, &UpstreamError::Crashed { reason });
    }

    /// Rule L6: close its input, wait, ask it to end, wait, end it.
    async fn end(&mut self, group: Option<Pid>) {
        let grace = self.grace;
        self.writer.abort();
        if timeout(grace, self.child.wait()).await.is_ok() {
            return;
        }
        signal(group, Signal::TERM);
        if timeout(grace, self.child.wait()).await.is_ok() {
            return;
        }
        signal(group, Signal::KILL);
        drop(self.child.wait().await);
    }
}

fn spawn(spec: &StdioSpec) -> Result<Child, UpstreamError> {
    let start = |reason: String| UpstreamError::Start { reason };
    let Some((program, arguments)) = spec.command.split_first() else {
        return Err(start("there is no command".to_owned()));
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place processes start"
    )]
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    for (name, value) in &spec.environment {
        match value {
            Variable::Literal(text) => command.env(name, text),
            Variable::Secret(secret) => command.env(name, secret.expose()),
        };
    }
    command
        .current_dir(&spec.directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
        .spawn()
        .map_err(|error| start(format!("`{program}`: {error}")))
}

/// Writes line by line. When it ends, the input of the process is closed.
async fn write(mut stdin: ChildStdin, mut lines: mpsc::Receiver<Bytes>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
            break;
        }
    }
}

async fn read(
    mut stdout: ChildStdout,
    board: Arc<Board>,
    back: mpsc::WeakSender<Bytes>,
    line_max: usize,
) {
    let mut decoder = Decoder::new(line_max);
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        match stdout.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let mut chunk = buffer.split().freeze();
        while let Some(found) = decoder.feed(&mut chunk) {
            let answer = match found {
                Line::Message(bytes) => board.take(bytes),
                Line::Noise(bytes) => {
                    board.noise(&bytes);
                    None
                }
                Line::Overlong(_) => {
                    board.overlong();
                    None
                }
            };
            if let (Some(answer), Some(back)) = (answer, back.upgrade()) {
                // A process that asks faster than it reads goes without an answer.
                drop(back.try_send(line(&answer)));
            }
        }
    }
}

/// The message as one line. A message that was read strictly has line ends between its values
/// only, where a blank means the same.
fn line(message: &[u8]) -> Bytes {
    let mut line = Vec::with_capacity(message.len() + 1);
    line.extend(message.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    }));
    line.push(b'\n');
    line.into()
}

fn group(child: &Child) -> Option<Pid> {
    let number = child.id().and_then(|id| i32::try_from(id).ok())?;
    Pid::from_raw(number)
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // That nobody is left to signal is what is hoped for.
        kill_process_group(group, signal).ok();
    }
}

fn described(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}
