//! Runs the client leg in a network of its own, which has nothing but loopback: the suite's servers
//! listen on all interfaces. The same goes for processes: what the suite leaves running ends with it.

use super::turns::TURNS;
use super::{Era, THROUGH};
use crate::place;
use crate::program::Command;
use crate::suite::{PATIENCE, Verdicts};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

const CHECKS: &str = "checks.json";

const SUITE: &str = "node_modules/@modelcontextprotocol/conformance/dist/index.js";

/// All scenarios begin at once, and each starts a gateway: the last one waits for all the others.
const PATIENCE_MILLISECONDS: &str = "300000";

/// Brings up the one interface there is, and then becomes what it was told to run.
const LOOPBACK_ONLY: &str = "ip link set lo up && exec \"$@\"";

/// The client leg of one list of requirements.
#[derive(Clone, Debug)]
pub struct Leg {
    /// What the suite says of every check.
    pub verdicts: Verdicts,
    /// How the playing of each scenario went.
    pub played: BTreeMap<String, Played>,
}

/// How a scenario went for those who played it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Played {
    /// To its end.
    Through,
    /// It broke off with this.
    Broken(String),
}

impl Leg {
    /// Plays every scenario of the list as a client of this era.
    pub async fn of(requirements: &str, era: Era) -> Result<Self> {
        Leg::played(["--requirements", requirements], era).await
    }

    /// Plays one scenario, which no list need have, as a client of this era.
    pub async fn of_scenario(scenario: &str, era: Era) -> Result<Self> {
        Leg::played(["--scenario", scenario], era).await
    }

    async fn played(which: [&str; 2], era: Era) -> Result<Self> {
        let (out, turns) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let player = place::built("conformance-client")?;
        // The suite hands this to a shell, with the server's URL behind it.
        let player = format!("'{}' {era}", player.display());
        let suite = Command::new("unshare")
            .variable(TURNS, turns.path().display().to_string())
            .arguments([
                "--map-root-user",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
            ])
            .arguments(["sh", "-c", LOOPBACK_ONLY, "sh"])
            .argument(place::node()?)
            .argument(place::installed(SUITE)?)
            .arguments(["client", "--command", &player])
            .arguments(which)
            .arguments(["--timeout", PATIENCE_MILLISECONDS, "-o"])
            .argument(out.path());
        let ended = suite.patience(PATIENCE).run().await?;
        let mut leg = Leg {
            verdicts: Verdicts::default(),
            played: BTreeMap::new(),
        };
        for (scenario, folder) in scenarios(out.path())? {
            leg.read(&scenario, &folder)?;
        }
        ensure!(
            !leg.played.is_empty(),
            "the suite wrote no verdicts\n{}\n{}",
            ended.stdout,
            ended.stderr
        );
        Ok(leg)
    }

    fn read(&mut self, scenario: &str, folder: &Path) -> Result<()> {
        let file = |name: &str| {
            let text = std::fs::read_to_string(folder.join(name));
            text.with_context(|| format!("`{scenario}` left no `{name}`"))
        };
        let checks: Vec<Value> = serde_json::from_str(&file(CHECKS)?)?;
        for check in &checks {
            self.verdicts.add(scenario, check)?;
        }
        let played = if file("stdout.txt")?.trim_end() == THROUGH {
            Played::Through
        } else {
            Played::Broken(file("stderr.txt")?)
        };
        self.played.insert(scenario.to_owned(), played);
        Ok(())
    }
}

/// The folders the suite left, one for each scenario: `<scenario>-<time>`, and a scenario of a family
/// in the folder of its family.
fn scenarios(out: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for family in std::fs::read_dir(out)? {
        let family = family?;
        if family.path().join(CHECKS).exists() {
            found.push((scenario(&family)?, family.path()));
            continue;
        }
        for folder in std::fs::read_dir(family.path())? {
            let folder = folder?;
            let name = family.file_name().to_string_lossy().into_owned();
            found.push((format!("{name}/{}", scenario(&folder)?), folder.path()));
        }
    }
    Ok(found)
}

fn scenario(folder: &DirEntry) -> Result<String> {
    let name = folder.file_name().to_string_lossy().into_owned();
    // The time of the run: `-2026-11-22T20-13-49-148Z`.
    let scenario = name.len().checked_sub(25).and_then(|end| name.get(..end));
    Ok(scenario
        .with_context(|| format!("folder `{name}`"))?
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_names_its_scenario_and_its_family() {
        let out = tempfile::tempdir().unwrap();
        let time = "-2026-11-22T20-13-49-148Z";
        for name in ["sse-retry", "auth/basic-cimd"] {
            let folder = out.path().join(format!("{name}{time}"));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(CHECKS), "[]").unwrap();
        }
        let mut found = scenarios(out.path()).unwrap();
        found.sort();
        let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["auth/basic-cimd", "sse-retry"]);
        std::fs::create_dir(out.path().join("auth/short")).unwrap();
        assert!(scenarios(out.path()).is_err());
    }
}
