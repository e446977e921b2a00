//! Runs the official MCP conformance suite and reads its verdicts, check by check. It judges
//! nothing: a test compares two runs.

use crate::place;
use crate::program::Command;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use url::Url;

/// The sets of requirements that are run, oldest first: one for each era.
pub const REQUIREMENTS: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// The verdict of every check, by `scenario:check`.
#[derive(Clone, Debug, Default)]
pub struct Verdicts(pub BTreeMap<String, Verdict>);

/// The verdict of one check, which may be made several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How often it ended with each status: `SUCCESS`, `INFO`, `SKIPPED`, `WARNING` or `FAILURE`.
    pub statuses: BTreeMap<String, usize>,
    /// What the suite says about the worst of them; empty if all is well.
    pub message: String,
}

impl Verdict {
    /// The worst status it ended with; a check that was never made is worse than any.
    pub fn worst(&self) -> &str {
        let worst = self.statuses.keys().max_by_key(|status| rank(status));
        worst.map_or("MISSING", String::as_str)
    }

    fn count(&self, status: &str) -> usize {
        self.statuses.get(status).copied().unwrap_or(0)
    }
}

/// A check that did worse than in another run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worse {
    /// `scenario:check`.
    pub check: String,
    /// What the two runs say, for the message of a test.
    pub shown: String,
}

impl Verdicts {
    /// Runs the server leg against `url`.
    pub async fn of(url: &Url, requirements: &str) -> Result<Self> {
        let out = tempfile::tempdir()?;
        let suite = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
        let ended = Command::new(place::node()?)
            .argument(place::installed(suite)?)
            .arguments([
                "server",
                "--url",
                url.as_str(),
                "--requirements",
                requirements,
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

    /// Counts one more check of this scenario.
    pub(crate) fn add(&mut self, scenario: &str, check: &Value) -> Result<()> {
        let member = |name: &str| {
            check
                .get(name)
                .and_then(Value::as_str)
                .context("a check without it")
        };
        let (id, status) = (member("id")?, member("status")?);
        let known = self.0.entry(format!("{scenario}:{id}")).or_default();
        if rank(status) > rank(known.worst()) || known.statuses.is_empty() {
            known.message = member("errorMessage").unwrap_or_default().to_owned();
        }
        *known.statuses.entry(status.to_owned()).or_default() += 1;
        Ok(())
    }

    /// How many checks ended with this status.
    pub fn count(&self, status: &str) -> usize {
        self.0.values().map(|verdict| verdict.count(status)).sum()
    }

    /// The checks that ended with this status at least once.
    pub fn with(&self, status: &str) -> Vec<&str> {
        let found = self
            .0
            .iter()
            .filter(|(_, verdict)| verdict.count(status) > 0);
        found.map(|(check, _)| check.as_str()).collect()
    }

    /// How many checks of each scenario passed, and how many did not.
    pub fn by_scenario(&self) -> BTreeMap<&str, (usize, usize)> {
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (check, verdict) in &self.0 {
            let scenario = check.split(':').next().unwrap_or_default();
            let (passed, failed) = counts.entry(scenario).or_default();
            *passed += verdict.count("SUCCESS");
            *failed += verdict.count("FAILURE") + verdict.count("WARNING");
        }
        counts
    }

    /// The checks that did worse here than there: with a worse verdict, with fewer successes, or
    /// with a complaint that was not even made there.
    pub fn worse_than(&self, other: &Verdicts) -> Vec<Worse> {
        let nothing = Verdict::default();
        let checks: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let mut worse = Vec::new();
        for check in checks {
            let ours = self.0.get(check).unwrap_or(&nothing);
            let is_worse = match other.0.get(check) {
                Some(theirs) => {
                    rank(ours.worst()) > rank(theirs.worst())
                        || ours.count("SUCCESS") < theirs.count("SUCCESS")
                }
                None => rank(ours.worst()) >= rank("WARNING"),
            };
            if is_worse {
                let theirs = other.0.get(check).unwrap_or(&nothing);
                let (there, here) = (&theirs.statuses, &ours.statuses);
                worse.push(Worse {
                    check: check.clone(),
                    shown: format!("{check}: {there:?} direct, {here:?} here: {}", ours.message),
                });
            }
        }
        worse
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
        "FAILURE" => 4,
        _ => 5,
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
        let mut verdicts = Verdicts::default();
        for (check, status) in rows {
            let check = serde_json::json!({ "id": check, "status": status });
            verdicts.add("a", &check).unwrap();
        }
        verdicts
    }

    #[test]
    fn a_check_that_is_worse_rarer_missing_or_new_is_named() {
        let direct = verdicts(&[
            ("1", "SUCCESS"),
            ("2", "SUCCESS"),
            ("3", "WARNING"),
            ("4", "SUCCESS"),
            ("4", "SUCCESS"),
        ]);
        let through = verdicts(&[
            ("1", "SUCCESS"),
            ("1", "FAILURE"),
            ("3", "SUCCESS"),
            ("4", "SUCCESS"),
            ("5", "FAILURE"),
            ("6", "INFO"),
        ]);
        let worse = through.worse_than(&direct);
        let named: Vec<&str> = worse.iter().map(|worse| worse.check.as_str()).collect();
        assert_eq!(named, ["a:1", "a:2", "a:4", "a:5"], "{worse:?}");
        assert_eq!(direct.worse_than(&direct), []);
        assert_eq!(through.by_scenario()["a"], (3, 2));
    }

    #[test]
    fn a_folder_names_its_scenario() {
        let folder = "server-server-sse-polling-2026-11-22T20-13-49-148Z";
        assert_eq!(scenario(folder), Some("server-sse-polling"));
        assert_eq!(scenario("server-x"), None);
    }
}
