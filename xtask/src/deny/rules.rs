//! Reads `deny.toml`: the part of TOML it is written in, and the part of cargo-deny's settings that
//! can be checked offline. Lists have one entry a line.

use anyhow::{Context as _, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};

/// What is allowed.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) targets: Vec<String>,
    pub(crate) licences: BTreeSet<String>,
    /// Further licences by crate.
    pub(crate) licence_exceptions: BTreeMap<String, BTreeSet<String>>,
    /// Crates and why not.
    pub(crate) banned: BTreeMap<String, String>,
    /// Versions that may be there beside another one.
    pub(crate) skipped: Vec<(String, Option<String>)>,
}

impl Rules {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut rules = Rules::default();
        let (mut table, mut list) = (String::new(), String::new());
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if list.is_empty() && line.starts_with('[') {
                table = line.trim_matches(['[', ']']).to_owned();
            } else if line == "]" {
                list.clear();
            } else if let Some(name) = line.strip_suffix("= [") {
                name.trim().clone_into(&mut list);
            } else if !list.is_empty() {
                let entry = rules.entry(&format!("{table}.{list}"), line);
                entry.with_context(|| format!("deny.toml:{}", at + 1))?;
            }
        }
        Ok(rules)
    }

    /// Whether this version does not count as a duplicate.
    pub(crate) fn skips(&self, name: &str, version: &str) -> bool {
        self.skipped.iter().any(|(skipped, which)| {
            skipped == name && which.as_ref().is_none_or(|which| which == version)
        })
    }

    fn entry(&mut self, list: &str, line: &str) -> Result<()> {
        let named = || member(line, "crate").context("an entry without `crate`");
        let reason = || {
            let reason = member(line, "reason").unwrap_or_default();
            ensure!(!reason.is_empty(), "an entry without `reason`");
            Ok(reason)
        };
        match list {
            "graph.targets" => self.targets.extend(strings(line)),
            "licenses.allow" => self.licences.extend(strings(line)),
            "licenses.exceptions" => {
                let allowed = line
                    .split_once('[')
                    .and_then(|(_, rest)| rest.split_once(']'));
                let (allowed, _) = allowed.context("an exception without `allow`")?;
                self.licence_exceptions
                    .insert(named()?, strings(allowed).into_iter().collect());
            }
            "bans.deny" => {
                self.banned.insert(named()?, reason()?);
            }
            "bans.skip" => {
                reason()?;
                let name = named()?;
                let (name, version) = match name.split_once('@') {
                    Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
                    None => (name, None),
                };
                self.skipped.push((name, version));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Every quoted string of a line.
fn strings(line: &str) -> Vec<String> {
    line.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The string member of an inline table.
fn member(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!("{name} = \""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cargo_deny_reads() {
        let rules = Rules::parse(
            r#"
            [graph]
            targets = [
                "x86_64-unknown-linux-gnu",
            ]
            [licenses]
            allow = [
                "MIT", # the usual
            ]
            exceptions = [
                { allow = ["MPL-2.0", "CC0-1.0"], crate = "x" },
            ]
            [bans]
            multiple-versions = "deny"
            deny = [
                { crate = "ring", reason = "one crypto library" },
            ]
            skip = [
                { crate = "syn@1.0.0", reason = "old macros" },
                { crate = "other", reason = "any" },
            ]
            "#,
        )
        .unwrap();
        assert_eq!(rules.targets, ["x86_64-unknown-linux-gnu"]);
        assert!(rules.licences.contains("MIT"));
        assert!(rules.licence_exceptions["x"].contains("CC0-1.0"));
        assert_eq!(rules.banned["ring"], "one crypto library");
        assert!(
            rules.skips("syn", "1.0.0")
                && !rules.skips("syn", "2.0.0")
                && rules.skips("other", "9.0.0")
        );
    }

    #[test]
    fn an_entry_says_why() {
        assert!(Rules::parse("[bans]\nskip = [\n  { crate = \"a\" },\n]\n").is_err());
        assert!(Rules::parse("[bans]\ndeny = [\n  { reason = \"x\" },\n]\n").is_err());
    }
}
