//! The gateway under test, as a process: started with a configuration, spoken to over its sockets
//! and its command line.

use super::{CREDENTIAL, PROVIDER_SECRET};
use crate::place;
use crate::program::{Command, Program};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use url::Url;

/// The file of the authorities that the gateway trusts, if there is one.
pub(super) const TRUSTED: &str = "trusted.pem";

/// A running `ringwall serve`.
#[derive(Debug)]
pub struct Gateway {
    program: Program,
    url: Url,
    directory: PathBuf,
}

impl Gateway {
    /// Writes the configuration (JSON is YAML) and starts the gateway in that folder.
    pub async fn start(directory: &Path, config: &Value) -> Result<Self> {
        let file = directory.join("ringwall.yaml");
        std::fs::write(&file, serde_json::to_string_pretty(config)?)?;
        let program = serve(directory).await?;
        let url = address(&program)?;
        Ok(Gateway {
            program,
            url,
            directory: directory.to_path_buf(),
        })
    }

    /// The URL of this path.
    pub fn at(&self, path: &str) -> Result<Url> {
        Ok(self.url.join(path)?)
    }

    /// Runs another command of the product beside it, such as `["audit", "verify"]`, with `--data`.
    pub async fn with_data(&self, arguments: &[&str]) -> Result<String> {
        let data = self.directory.join("data");
        let command = ringwall()?.directory(&self.directory).arguments(arguments);
        command
            .argument("--data")
            .argument(data)
            .run()
            .await?
            .success()
    }

    /// The records of its ledger, one a line, and those that come while this runs.
    pub async fn follow(&self) -> Result<Program> {
        let command = ringwall()?.directory(&self.directory);
        command
            .arguments(["audit", "tail", "--follow", "--json", "--lines", "10000"])
            .argument("--data")
            .argument(self.directory.join("data"))
            .start("{")
            .await
    }

    /// Runs another command of the product beside it, with `--config`.
    pub async fn with_config(&self, arguments: &[&str]) -> Result<String> {
        let command = ringwall()?.directory(&self.directory).arguments(arguments);
        command
            .arguments(["--config", "ringwall.yaml"])
            .run()
            .await?
            .success()
    }

    /// The next line on its terminal that begins so.
    pub async fn line_starting(&mut self, start: &str) -> Result<String> {
        self.program.line_starting(start).await
    }

    /// Ends it as a service manager would.
    pub async fn terminate(&mut self) -> Result<std::process::ExitStatus> {
        self.program.terminate().await
    }

    /// Ends it as a fault in it would (`SIGABRT`).
    pub async fn abort(&mut self) -> Result<std::process::ExitStatus> {
        self.program.signal("ABRT").await
    }

    /// Its process id.
    pub fn id(&self) -> Result<u32> {
        self.program.id()
    }

    /// Ends it as a power cut would, and starts it again on the same data.
    pub async fn crash_and_restart(&mut self) -> Result<()> {
        self.program.kill().await?;
        self.start_again().await
    }

    /// Starts it again on the same data, after it has ended.
    pub async fn start_again(&mut self) -> Result<()> {
        self.program = serve(&self.directory).await?;
        self.url = address(&self.program)?;
        Ok(())
    }

    /// What it wrote to stderr.
    pub fn complaints(&self) -> String {
        self.program.complaints()
    }
}

/// The product's command, with the variables the tests' configurations refer to.
pub fn ringwall() -> Result<Command> {
    let command = Command::new(place::built("ringwall")?);
    let command = command.variable("FIXTURE_CREDENTIAL", CREDENTIAL);
    Ok(command.variable("PROVIDER_SECRET", PROVIDER_SECRET))
}

/// The records of a ledger that match, newest last, through `ringwall audit search`.
pub async fn ledger(gateway: &Gateway, arguments: &[&str]) -> Result<Vec<Value>> {
    let mut all = vec!["audit", "search", "--json"];
    all.extend_from_slice(arguments);
    let text = gateway.with_data(&all).await?;
    if let Ok(Value::Array(records)) = serde_json::from_str(&text) {
        return Ok(records);
    }
    text.lines()
        .map(|line| serde_json::from_str(line).context("a line that is no JSON"))
        .collect()
}

async fn serve(directory: &Path) -> Result<Program> {
    let mut command = ringwall()?.directory(directory);
    let trusted = directory.join(TRUSTED);
    if trusted.exists() {
        command = command.variable("SSL_CERT_FILE", trusted.display().to_string());
    }
    command
        .arguments(["serve", "--config", "ringwall.yaml"])
        .start("listening on ")
        .await
}

fn address(program: &Program) -> Result<Url> {
    let url = program.ready().trim_start_matches("listening on ").trim();
    url.parse().with_context(|| format!("not a URL: `{url}`"))
}
