//! What may be depended upon: licences, one version of each crate, banned crates, one registry.
//!
//! Reads `deny.toml`, which `cargo deny` reads the same way where it is installed, the lock file, and
//! what `cargo tree` says is really built. (`cargo metadata` would also name what optional features
//! could pull in.) It needs no network and no database, so it cannot say anything about advisories.

mod licence;
mod rules;

use crate::run::Task;
use anyhow::{Context as _, Result, bail};
use rules::Rules;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A package of the resolved graph that somebody else wrote.
#[derive(Clone, Debug, Default)]
struct Package {
    name: String,
    version: String,
    licence: String,
    /// Names of those that depend on it directly.
    wanted_by: BTreeSet<String>,
}

/// Checks the whole graph.
pub(crate) fn run(root: &Path) -> Result<()> {
    let rules = Rules::parse(&fs::read_to_string(root.join("deny.toml")).context("deny.toml")?)?;
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("Cargo.lock")?;
    let mut cargo = Task::new("cargo", root).words(
        "tree --locked --workspace --edges normal,build,dev --prefix depth --format |{p}|{l}",
    );
    for target in &rules.targets {
        cargo = cargo.arguments(["--target", target]);
    }
    let packages = packages(&cargo.output()?);
    let mut complaints = licences(&packages, &rules);
    complaints.extend(duplicates(&packages, &rules));
    complaints.extend(bans(&packages, &rules));
    complaints.extend(sources(&lock));
    for complaint in &complaints {
        println!("{complaint}");
    }
    match complaints.len() {
        0 => {
            println!("{} dependencies are in order", packages.len());
            Ok(())
        }
        count => bail!("{count} dependencies are not in order"),
    }
}

/// The packages of a tree, without the workspace's own. A line is `depth|name vversion|licence`.
fn packages(tree: &str) -> Vec<Package> {
    let mut found: BTreeMap<(String, String), Package> = BTreeMap::new();
    let mut above: Vec<String> = Vec::new();
    for line in tree.lines() {
        let mut parts = line.splitn(3, '|');
        let depth: usize = parts
            .next()
            .and_then(|depth| depth.parse().ok())
            .unwrap_or(0);
        let package = parts.next().unwrap_or_default();
        let licence = parts.next().unwrap_or_default().trim_end_matches(" (*)");
        let mut words = package.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        let version = words
            .next()
            .unwrap_or_default()
            .trim_start_matches('v')
            .to_owned();
        above.truncate(depth);
        let parent = above.last().cloned();
        above.push(name.clone());
        if name.is_empty() || package.contains("(/") {
            continue;
        }
        let entry = found.entry((name.clone(), version.clone())).or_default();
        entry.wanted_by.extend(parent);
        *entry = Package {
            name,
            version,
            licence: licence.to_owned(),
            wanted_by: std::mem::take(&mut entry.wanted_by),
        };
    }
    found.into_values().collect()
}

fn licences(packages: &[Package], rules: &Rules) -> Vec<String> {
    let wrong = packages.iter().filter(|package| {
        let excused = rules.licence_exceptions.get(&package.name);
        !licence::allows(&package.licence, &|id| {
            rules.licences.contains(id) || excused.is_some_and(|ids| ids.contains(id))
        })
    });
    let unused = rules
        .licence_exceptions
        .keys()
        .filter(|name| !packages.iter().any(|package| package.name == **name))
        .map(|name| format!("licence exception for `{name}`, which nobody uses"));
    wrong
        .map(
            |Package {
                 name,
                 version,
                 licence,
                 ..
             }| { format!("{name} {version}: licence `{licence}` is not allowed") },
        )
        .chain(unused)
        .collect()
}

fn duplicates(packages: &[Package], rules: &Rules) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(package);
    }
    let mut complaints = Vec::new();
    for (name, found) in &versions {
        let counted: Vec<&&Package> = found
            .iter()
            .filter(|package| !rules.skips(name, &package.version))
            .collect();
        if counted.len() > 1 {
            let shown = counted.iter().map(|package| {
                let by: Vec<&str> = package.wanted_by.iter().map(String::as_str).collect();
                format!("{} (for {})", package.version, by.join(", "))
            });
            complaints.push(format!(
                "{name} is there twice: {}",
                shown.collect::<Vec<_>>().join("; ")
            ));
        }
    }
    for (name, version) in &rules.skipped {
        let found = versions
            .get(name.as_str())
            .map(Vec::as_slice)
            .unwrap_or_default();
        let there = found
            .iter()
            .any(|package| version.as_ref().is_none_or(|v| *v == package.version));
        if found.len() < 2 || !there {
            complaints.push(format!(
                "the skipped duplicate `{name}` is there once: remove the entry"
            ));
        }
    }
    complaints
}

fn bans(packages: &[Package], rules: &Rules) -> Vec<String> {
    let found = packages.iter().filter_map(|package| {
        let reason = rules.banned.get(&package.name)?;
        let by: Vec<&str> = package.wanted_by.iter().map(String::as_str).collect();
        Some(format!(
            "{} is banned ({reason}); {} wants it",
            package.name,
            by.join(", ")
        ))
    });
    found.collect()
}

/// Everything in the lock file comes from one registry and has a checksum; nothing comes from a git
/// repository or a second registry.
fn sources(lock: &str) -> Vec<String> {
    let mut registry = None;
    let mut complaints = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let member = |name: &str| {
            let line = package
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""));
            line.map(|value| value.trim_end_matches('"'))
        };
        let Some(source) = member("source") else {
            continue;
        };
        let first = *registry.get_or_insert(source);
        if source != first || !source.starts_with("registry+") || member("checksum").is_none() {
            let name = member("name").unwrap_or_default();
            complaints.push(format!(
                "{name} comes from `{source}`, or without a checksum"
            ));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str, licence: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.to_owned(),
            wanted_by: BTreeSet::from(["somebody".to_owned()]),
        }
    }

    fn rules(text: &str) -> Rules {
        Rules::parse(text).unwrap()
    }

    #[test]
    fn an_unknown_licence_is_named_unless_excused() {
        let rules = rules(
            "[licenses]\nallow = [\n  \"MIT\",\n]\nexceptions = [\n  { allow = [\"MPL-2.0\"], crate = \"x\" },\n]\n",
        );
        let check = |packages: &[Package]| licences(packages, &rules).len();
        assert_eq!(
            check(&[
                package("a", "1.0.0", "MIT OR GPL-3.0"),
                package("x", "1.0.0", "MPL-2.0")
            ]),
            0
        );
        assert_eq!(
            check(&[
                package("a", "1.0.0", "MPL-2.0"),
                package("x", "1.0.0", "MIT")
            ]),
            1
        );
        assert_eq!(check(&[package("x", "1.0.0", "")]), 1);
        assert_eq!(check(&[]), 1, "an exception nobody uses");
    }

    #[test]
    fn a_duplicate_is_named_unless_skipped() {
        let twice = [package("a", "1.0.0", "MIT"), package("a", "2.0.0", "MIT")];
        assert_eq!(duplicates(&twice, &rules("")).len(), 1);
        let skip = rules("[bans]\nskip = [\n  { crate = \"a@1.0.0\", reason = \"old\" },\n]\n");
        assert!(duplicates(&twice, &skip).is_empty());
        assert_eq!(
            duplicates(&twice[1..], &skip).len(),
            1,
            "a skip that is no longer needed"
        );
    }

    #[test]
    fn a_banned_crate_is_named_with_who_wants_it() {
        let rules =
            rules("[bans]\ndeny = [\n  { crate = \"ring\", reason = \"one crypto\" },\n]\n");
        let found = bans(&[package("ring", "0.17.0", "MIT")], &rules);
        assert!(
            found[0].contains("one crypto") && found[0].contains("somebody"),
            "{found:?}"
        );
    }

    #[test]
    fn a_second_source_is_named() {
        let package = |name: &str, source: &str, rest: &str| {
            format!("[[package]]\nname = \"{name}\"\nsource = \"{source}\"\n{rest}\n")
        };
        let sum = "checksum = \"00\"";
        let good = package("a", "registry+here", sum);
        assert!(sources(&format!("{good}[[package]]\nname = \"ours\"\n")).is_empty());
        for bad in [
            package("b", "registry+there", sum),
            package("b", "git+there", sum),
            package("b", "registry+here", ""),
        ] {
            assert_eq!(sources(&format!("{good}{bad}")).len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_tree_is_read_with_who_wants_whom() {
        let tree = "0|ours v0.1.0 (/here)|MIT\n1|a v1.0.0|MIT OR ISC\n2|b v2.0.0|MIT (*)\n1|b v2.0.0|MIT\n\n\
                    0|other v0.1.0 (/there)|MIT\n";
        let packages = packages(tree);
        let names: Vec<_> = packages
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(packages[0].licence, "MIT OR ISC");
        assert_eq!(
            packages[1].wanted_by,
            BTreeSet::from(["a".to_owned(), "ours".to_owned()])
        );
    }
}
