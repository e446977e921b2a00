//! Runs the official MCP conformance suite and reads its verdicts, check by check. It judges
//! nothing: a test compares two runs.

use crate::place;
use crate::program::Command;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use url::Url;

/// The set of requirements that is run.
pub const REQUIREMENTS: &str = "2025-11-25";

/// The verdict of every check, by `scenario:check`. A check that is made twice counts by its worst.
#[derive(Clone, Debug, Default)]
pub struct Verdicts(pub BTreeMap<String, Verdict>);

/// The verdict of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// `SUCCESS`, `INFO`, `SKIPPED`, `WARNING` or `FAILURE`.
    pub status: String,
    /// What the suite says about it; empty if all is well.
    pub message: String,
}

impl Verdicts {
    /// Runs the server leg against `url`.
    pub async fn of(url: &Url) -> Result<Self> {
        let out = tempfile::tempdir()?;
        let suite = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
        let ended = Command::new(place::node()?)
            .argument(place::installed(suite)?)
            .arguments([
                "server",
                "--url",
                url.as_str(),
                "--requirements",
                REQUIREMENTS,
                "-o",
            ])
            .argument(out.path())
            .run()
            .await?;
        let verdicts = Verdicts::read(out.path())?;
        ensure!(
            !verdicts.0.is_empty(),
            "the suite wrote no verdicts\n{}\n{}",
            ended.stdout,
            ended.stderr
        );
        Ok(verdicts)
    }

    /// Reads the folders the suite left, one for each scenario, named `server-<scenario>-<time>`.
    fn read(folder: &Path) -> Result<Self> {
        let mut verdicts = Verdicts::default();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let scenario = scenario(&name).with_context(|| format!("folder `{name}`"))?;
            let text = std::fs::read_to_string(entry.path().join("checks.json"))?;
            let checks: Vec<Value> = serde_json::from_str(&text)?;
            for check in &checks {
                verdicts.add(scenario, check)?;
            }
        }
        Ok(verdicts)
    }

    fn add(&mut self, scenario: &str, check: &Value) -> Result<()> {
        let member = |name: &str| {
            check
                .get(name)
                .and_then(Value::as_str)
                .context("a check without it")
        };
        let (id, status) = (member("id")?, member("status")?);
        let verdict = Verdict {
            status: status.to_owned(),
            message: member("errorMessage").unwrap_or_default().to_owned(),
        };
        let known = self
            .0
            .entry(format!("{scenario}:{id}"))
            .or_insert_with(|| verdict.clone());
        if rank(status) > rank(&known.status) {
            *known = verdict;
        }
        Ok(())
    }

    /// How many checks have this status.
    pub fn count(&self, status: &str) -> usize {
        self.with(status).len()
    }

    /// The checks with this status.
    pub fn with(&self, status: &str) -> Vec<&str> {
        let found = self
            .0
            .iter()
            .filter(|(_, verdict)| verdict.status == status);
        found.map(|(check, _)| check.as_str()).collect()
    }

    /// The checks whose verdict here is worse than there, with both verdicts.
    pub fn worse_than(&self, other: &Verdicts) -> Vec<String> {
        let missing = Verdict {
            status: "MISSING".to_owned(),
            message: String::new(),
        };
        let pairs = other
            .0
            .iter()
            .map(|(check, theirs)| (check, self.0.get(check).unwrap_or(&missing), &theirs.status));
        pairs
            .filter(|(_, ours, theirs)| rank(&ours.status) > rank(theirs))
            .map(|(check, Verdict { status, message }, theirs)| {
                format!("{check}: {theirs} direct, {status} through the gateway: {message}")
            })
            .collect()
    }
}

/// Checks that may differ through the gateway, each with its reason: `scenario:check: reason`.
pub fn exceptions(path: &Path) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path)?;
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parsed = lines.map(|line| {
        let (check, reason) = line
            .split_once(": ")
            .with_context(|| format!("no reason in `{line}`"))?;
        Ok((check.to_owned(), reason.to_owned()))
    });
    parsed.collect()
}

fn rank(status: &str) -> u8 {
    match status {
        "SUCCESS" => 0,
        "INFO" => 1,
        "SKIPPED" => 2,
        "WARNING" => 3,
        _ => 4,
    }
}

fn scenario(folder: &str) -> Option<&str> {
    let name = folder.strip_prefix("server-")?;
    // The time of the run: `-2026-11-22T20-13-49-148Z`.
    name.len().checked_sub(25).and_then(|end| name.get(..end))
}

/// Prints what a peer's driver wrote, which is one JSON value on its last line.
pub fn last_json(stdout: &str) -> Result<Value> {
    let line = stdout.lines().rfind(|line| line.starts_with('{'));
    Ok(serde_json::from_str(
        line.with_context(|| format!("no JSON in: {stdout}"))?,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(rows: &[(&str, &str)]) -> Verdicts {
        Verdicts(
            rows.iter()
                .map(|(check, status)| {
                    let verdict = Verdict {
                        status: (*status).to_owned(),
                        message: String::new(),
                    };
                    ((*check).to_owned(), verdict)
                })
                .collect(),
        )
    }

    #[test]
    fn a_check_that_is_worse_or_missing_is_named() {
        let direct = verdicts(&[("a:1", "SUCCESS"), ("a:2", "SUCCESS"), ("a:3", "WARNING")]);
        let through = verdicts(&[("a:1", "FAILURE"), ("a:3", "SUCCESS")]);
        let worse = through.worse_than(&direct);
        assert_eq!(worse.len(), 2, "{worse:?}");
        assert!(direct.worse_than(&direct).is_empty());
    }

    #[test]
    fn a_folder_names_its_scenario() {
        let folder = "server-server-sse-polling-2026-11-22T20-13-49-148Z";
        assert_eq!(scenario(folder), Some("server-sse-polling"));
        assert_eq!(scenario("server-x"), None);
    }
}
