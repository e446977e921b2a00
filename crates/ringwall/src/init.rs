//! `ringwall init`: a first configuration, from a few questions or from an editor's list of MCP
//! servers. It never overwrites a file unless told to, never writes a secret, and reads what it wrote
//! again the way `ringwall check` does.

mod questions;

use anyhow::{Context, bail};
use config::import::{self, Note};
use config::init::{POLICY, template};
use gateway::load;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The largest list of an editor that is read.
const IMPORT_BYTES: u64 = 4 << 20;

/// Write a first configuration and a first policy.
///
/// Asks a few questions on the terminal, or reads the servers from the file in which an editor lists
/// its MCP servers. Values of environment variables that may be secrets are not copied: a reference
/// takes their place.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall init
  ringwall init --yes --output /etc/ringwall/ringwall.yaml
  ringwall init --import ~/.cursor/mcp.json")]
pub(crate) struct Init {
    /// Take the servers from an editor's `mcpServers` JSON.
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// The file to write.
    #[arg(long, short, value_name = "FILE", default_value = "ringwall.yaml")]
    output: PathBuf,
    /// Ask nothing and take every default.
    #[arg(long, short)]
    yes: bool,
    /// Replace the file if it is there.
    #[arg(long)]
    force: bool,
}

impl Init {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if self.output.exists() && !self.force {
            bail!(
                "`{}` is there already: name another with --output, or replace it with --force",
                self.output.display()
            );
        }
        let (text, notes) = match &self.import {
            Some(file) => imported(file)?,
            None => {
                let answers = if self.yes {
                    questions::defaults()
                } else {
                    questions::ask(&mut std::io::stdin().lock(), &mut anstream::stderr())?
                };
                let notes = questions::notes(&answers);
                (template(&answers), notes)
            }
        };
        self.write(&text)?;
        let policy = first_policy(&self.output)?;
        anstream::println!("wrote {}", self.output.display());
        if let Some(policy) = policy {
            anstream::println!("wrote {}", policy.display());
        }
        for note in &notes {
            anstream::println!("  - {note}");
        }
        self.check()
    }

    fn write(&self, text: &str) -> anyhow::Result<()> {
        if let Some(folder) = folder_of(&self.output) {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        let mut options = OpenOptions::new();
        // What was imported may hold more than its owner knows.
        options.write(true).mode(0o600);
        if self.force {
            options.create(true).truncate(true);
        } else {
            // Somebody may have made the file since we looked.
            options.create_new(true);
        }
        let written = options
            .open(&self.output)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("cannot write `{}`", self.output.display()))
    }

    /// What was written is read as `ringwall check` reads it.
    fn check(&self) -> anyhow::Result<ExitCode> {
        let path = self.output.display();
        match load::load(&self.output) {
            Ok(loaded) => {
                for warning in &loaded.warnings {
                    anstream::eprintln!("{}", warning.in_file(&path.to_string()));
                }
                anstream::println!(
                    "\nnext:\n  ringwall check --config {path}\n  ringwall serve --config {path}"
                );
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                anstream::eprintln!(
                    "{error}\n`{path}` is written, and needs the corrections above"
                );
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

fn imported(file: &Path) -> anyhow::Result<(String, Vec<Note>)> {
    let mut text = String::new();
    let read =
        std::fs::File::open(file).and_then(|it| it.take(IMPORT_BYTES).read_to_string(&mut text));
    read.with_context(|| format!("cannot read `{}`", file.display()))?;
    import::editor(&text).with_context(|| format!("`{}`", file.display()))
}

/// Writes a first policy beside the configuration, unless there is one already.
fn first_policy(config: &Path) -> anyhow::Result<Option<PathBuf>> {
    let folder = folder_of(config).unwrap_or(Path::new(".")).join("policies");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make `{}`", folder.display()))?;
    let is_policy = |path: PathBuf| path.extension().is_some_and(|it| it == "cedar");
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read `{}`", folder.display()))?;
    if entries.flatten().any(|entry| is_policy(entry.path())) {
        return Ok(None);
    }
    let path = folder.join("first.cedar");
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    match file.and_then(|mut file| file.write_all(POLICY.as_bytes())) {
        Ok(()) => Ok(Some(path)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot write `{}`", path.display())),
    }
}

fn folder_of(path: &Path) -> Option<&Path> {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
}
