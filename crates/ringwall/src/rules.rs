//! `ringwall rules`: what is looked for in texts, whether a pack of rules does what its examples say,
//! and the signature without which no gateway takes one. The engine and its checks are those of the
//! gateway.

use crate::page::{self, Cell, FAINT, GOOD, PLAIN, Table};
use anyhow::{Context, bail};
use audit::SigningKey;
use clap::Subcommand;
use inspect::data::Rule;
use inspect::data::pack::{BUILT_IN, Pack};
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// List, check and sign packs of rules for secrets and personal data.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  ringwall rules list
  ringwall rules check rules/own.yaml
  ringwall rules sign rules/own.yaml --key keys/rules.pem

A pack is YAML: `pack`, `version`, and `rules`, each with `id`, `title`, where to look (`start`, `near`, `digits` or
`fields`), `pattern`, `longest`, `check`, `entropy`, and examples in `matches` and `near_misses`. The page
docs/content/data.md describes them.")]
pub(crate) struct Rules {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what every rule of the built-in packs, or of these, finds.
    List(List),
    /// Compile every rule of these packs and try every example.
    Check(Check),
    /// Write the signature of a pack beside it, once its examples hold.
    Sign(Sign),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Packs to list instead of the built-in ones.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print JSON, for machines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Check {
    /// The packs.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Sign {
    /// The pack.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The private key, an Ed25519 key in PEM that only its owner can read. It is made if it is not there,
    /// and its public half is written beside it, with `.pub` at the end.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl Rules {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::List(list) => list.run(),
            Command::Check(check) => check.run(),
            Command::Sign(sign) => sign.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<ExitCode> {
        let packs: anyhow::Result<Vec<Pack>> = match self.files.is_empty() {
            true => BUILT_IN
                .iter()
                .map(|(name, text)| read(name, text))
                .collect(),
            false => self.files.iter().map(|file| proved(file)).collect(),
        };
        let packs = packs?;
        let rules: Vec<&Rule> = packs.iter().flat_map(|pack| pack.rules()).collect();
        if self.json {
            let all: Vec<_> = rules.iter().map(|rule| described(rule)).collect();
            page::print(&(serde_json::to_string_pretty(&all)? + "\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new(&["LABEL", "CONFIDENCE", "SEVERITY", "WHAT"]);
        for rule in rules {
            table.row(vec![
                Cell::foreign(&rule.label, 64),
                Cell::new(rule.confidence.name(), PLAIN),
                Cell::new(rule.severity.name(), PLAIN),
                Cell::foreign(&rule.title, 100),
            ]);
        }
        page::print(&table.to_string())?;
        Ok(ExitCode::SUCCESS)
    }
}

fn described(rule: &Rule) -> serde_json::Value {
    json!({
        "id": rule.id,
        "label": &*rule.label,
        "title": rule.title,
        "confidence": rule.confidence.name(),
        "severity": rule.severity.name(),
        "techniques": rule.techniques,
        "fields": rule.fields,
    })
}

impl Check {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut text = String::new();
        for file in &self.files {
            let pack = proved(file)?;
            let _ = writeln!(
                text,
                "{GOOD}sound{GOOD:#} {} version {}, {} rules {FAINT}{}{FAINT:#}",
                page::short(&pack.name, 64),
                pack.version,
                pack.rules().len(),
                file.display(),
            );
        }
        page::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Sign {
    fn run(self) -> anyhow::Result<ExitCode> {
        proved(&self.file)?;
        let bytes = bytes(&self.file)?;
        let key = SigningKey::load_or_create(&self.key)?;
        let public = with(&self.key, ".pub");
        key.public().save(&public)?;
        let signature = with(&self.file, ".sig");
        fs::write(&signature, key.sign(&bytes) + "\n")
            .with_context(|| format!("cannot write `{}`", signature.display()))?;
        let text = format!(
            "{GOOD}signed{GOOD:#} {} with {}: name both in `content.data.packs`\n",
            self.file.display(),
            public.display()
        );
        page::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))
}

/// A pack whose examples hold.
fn proved(file: &Path) -> anyhow::Result<Pack> {
    let text = String::from_utf8(bytes(file)?)
        .with_context(|| format!("`{}` is no text", file.display()))?;
    Pack::prove(&text).or_else(|flaws| said(&file.display().to_string(), &flaws))
}

fn read(name: &str, text: &str) -> anyhow::Result<Pack> {
    Pack::read(text).or_else(|flaws| said(name, &flaws))
}

fn said(name: &str, flaws: &[inspect::data::pack::Flaw]) -> anyhow::Result<Pack> {
    let lines: Vec<_> = flaws.iter().map(|flaw| format!("{name}: {flaw}")).collect();
    bail!("{}", lines.join("\n"))
}
