//! Starts other programs for a test, waits until they are ready, and ends them with the test. What
//! they wrote to stderr is shown when something goes wrong.

use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// How long a program may take to say it is ready, or to finish when it is run to its end. A
/// machine that compiles beside the tests is slow; nothing here waits longer than it must.
const PATIENCE: Duration = Duration::from_secs(300);

/// What to start.
#[derive(Clone, Debug)]
pub struct Command {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: BTreeMap<String, String>,
    directory: Option<PathBuf>,
    input: Option<String>,
    patience: Duration,
}

impl Command {
    /// Starts `program`, which is a path.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Command {
            program: program.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            directory: None,
            input: None,
            patience: PATIENCE,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, more: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(more.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Starts it in this folder.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_path_buf());
        self
    }

    /// Gives it this to read, when it is run to its end.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Lets it take so long when it is run to its end.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs it to its end.
    pub async fn run(mut self) -> Result<Ended> {
        let name = self.program.display().to_string();
        let patience = self.patience;
        let input = match self.input.take() {
            None => Stdio::null(),
            Some(text) => {
                let mut file = tempfile::tempfile()?;
                file.write_all(text.as_bytes())?;
                file.rewind()?;
                Stdio::from(file)
            }
        };
        let mut command = self.prepared();
        command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let running = command
            .spawn()
            .with_context(|| format!("cannot start `{name}`"))?;
        let output = tokio::time::timeout(patience, running.wait_with_output());
        let output = output
            .await
            .with_context(|| format!("`{name}` does not end"))??;
        Ok(Ended {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Starts it and waits for a line of its stdout that begins with `ready`.
    pub async fn start(self, ready: &str) -> Result<Program> {
        let name = self.program.display().to_string();
        let stderr = NamedTempFile::new()?;
        let mut command = self.prepared();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::from(stderr.reopen()?));
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start `{name}`"))?;
        let stdin = child.stdin.take().context("no stdin")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let lines = BufReader::new(stdout).lines();
        let mut program = Program {
            name,
            child,
            stdin: Some(stdin),
            lines,
            stderr,
            ready: String::new(),
        };
        program.ready = program.line_starting(ready).await?;
        Ok(program)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the tests start processes"
    )]
    fn prepared(self) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(self.program);
        command
            .args(self.arguments)
            .envs(self.environment)
            .kill_on_drop(true);
        if let Some(directory) = self.directory {
            command.current_dir(directory);
        }
        command
    }
}

/// A program that ran to its end.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Ended {
    /// What it wrote, provided that it ended well.
    pub fn success(self) -> Result<String> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        bail!(
            "ended with {}\n{}\n{}",
            self.status,
            self.stdout,
            self.stderr
        )
    }
}

/// A program that runs; it is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: NamedTempFile,
    ready: String,
}

impl Program {
    /// The line that said it was ready.
    pub fn ready(&self) -> &str {
        &self.ready
    }

    /// Its process id.
    pub fn id(&self) -> Result<u32> {
        self.child.id().context("the program has ended")
    }

    /// Writes a line to its stdin.
    pub async fn say(&mut self, line: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("stdin is closed")?;
        stdin.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(stdin.flush().await?)
    }

    /// The next line of its stdout that begins with `start`.
    pub async fn line_starting(&mut self, start: &str) -> Result<String> {
        let waiting = async {
            while let Some(line) = self.lines.next_line().await? {
                if line.starts_with(start) {
                    return Ok(Some(line));
                }
            }
            anyhow::Ok(None)
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => bail!(
                "`{}` ended before it said `{start}`\n{}",
                self.name,
                self.complaints()
            ),
            Ok(Err(error)) => Err(error),
            Err(_) => bail!(
                "`{}` never said `{start}`\n{}",
                self.name,
                self.complaints()
            ),
        }
    }

    /// What it wrote to stderr so far.
    pub fn complaints(&self) -> String {
        std::fs::read_to_string(self.stderr.path()).unwrap_or_default()
    }

    /// Kills it without warning and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end (`SIGTERM`) and waits until it has.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal("TERM").await
    }

    /// Sends it a signal that ends it, such as `ABRT`, and waits until it has ended.
    pub async fn signal(&mut self, name: &str) -> Result<ExitStatus> {
        let id = self.id()?.to_string();
        Command::new("/bin/kill")
            .arguments([&format!("-{name}"), &id])
            .run()
            .await?
            .success()?;
        self.ended().await
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.stdin = None;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        Ok(ended.with_context(|| format!("`{}` does not end", self.name))??)
    }
}

/// Reads a file of JSON lines, such as the fixture's journal.
pub fn json_lines(path: &Path) -> Result<Vec<serde_json::Value>> {
    whole_lines(path)?
        .lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// The lines of a file that are there in full. Of one that is written just now a reader may see a part,
/// though it is written at once: a file grows page by page.
pub fn whole_lines(path: &Path) -> Result<String> {
    let mut bytes =
        std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    bytes.truncate(end.map_or(0, |end| end + 1));
    Ok(String::from_utf8(bytes)?)
}
