//! Which data directory a command is about: the one that is named, or the one of a configuration.
//! It opens nothing.

use anyhow::{Context, bail};
use config::settled::Settled;
use std::path::{Path, PathBuf};

/// Where the gateway keeps its ledger and its pins.
#[derive(Debug, clap::Args)]
pub(crate) struct Data {
    /// The data directory of the gateway. Without it the configuration says where it is.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration that names the data directory.
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "ringwall.yaml",
        env = "RINGWALL_CONFIG"
    )]
    config: PathBuf,
}

impl Data {
    /// The directory. It is there.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        let folder = match &self.data {
            Some(folder) => folder.clone(),
            None => settled(&self.config)?.data,
        };
        if !folder.is_dir() {
            bail!(
                "there is no directory `{}`: has the gateway run? name another with --data",
                folder.display()
            );
        }
        Ok(folder)
    }

    /// The issuers of the configuration as tokens name them, one of each tenant; none if it cannot be
    /// read.
    pub(crate) fn issuers(&self) -> Vec<String> {
        let issuers = settled(&self.config).map(|settled| settled.issuers);
        let exact = issuers.unwrap_or_default();
        let exact = exact.iter().flat_map(config::settled::Issuer::exact);
        exact.map(|exact| exact.issuer).collect()
    }

    /// The ledgers in it: one of a gateway that listens; gateways around local servers that run side
    /// by side have one each. A directory that is a ledger itself is taken as such.
    pub(crate) fn ledgers(&self) -> anyhow::Result<Vec<PathBuf>> {
        ledgers_in(&self.folder()?)
    }
}

/// The ledgers in this directory, or it itself if it is one.
pub(crate) fn ledgers_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let first = folder.join("ledger");
    if !first.is_dir() {
        if is_ledger(folder) {
            return Ok(vec![folder.to_owned()]);
        }
        bail!("there is no ledger in `{}`", folder.display());
    }
    let others = (2u32..).map(|chain| folder.join(format!("ledger-{chain}")));
    Ok(std::iter::once(first)
        .chain(others.take_while(|path| path.is_dir()))
        .collect())
}

fn is_ledger(folder: &Path) -> bool {
    let segment = |name: &str| {
        name.starts_with("ledger-") && (name.ends_with(".jsonl") || name.ends_with(".jsonl.gz"))
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .into_iter()
        .any(|entry| entry.file_name().to_str().is_some_and(segment))
}

/// What a configuration means, whether or not its policies are there.
fn settled(path: &Path) -> anyhow::Result<Settled> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read `{name}`: name the data directory with --data, or a configuration with --config"))?;
    match config::load(&text) {
        Ok((settled, _)) => {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            Ok(settled.rooted_at(folder.unwrap_or(Path::new("."))))
        }
        Err(problems) => {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| problem.in_file(&name).to_string())
                .collect();
            bail!("{}", lines.join("\n"))
        }
    }
}
