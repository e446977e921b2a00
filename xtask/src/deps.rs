//! Installs other people's programs that the tests run: official MCP clients and servers, the
//! conformance suite, an OpenID provider. Everything goes below `.deps`, which git ignores; nothing
//! is installed outside the repository, and nothing of it is part of the product.
//!
//! Versions are exact, down to what the named packages bring: tests read these programs and their pages, and
//! what is published tomorrow must not change what they say today. After a change of a list below, run
//! `npm install` in `.deps` and copy its `package-lock.json` to `xtask/deps`; `constraints.txt` there is what
//! `venv/bin/python -m pip freeze` says. A stamp holds what was installed, so that a second run does nothing.

use crate::run::Task;
use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

const NPM: &[(&str, &str)] = &[
    // It carries the published schema of SARIF 2.1.0.
    ("@microsoft/jest-sarif", "1.0.0-beta.0"),
    ("@modelcontextprotocol/client", "2.4.0"),
    ("@modelcontextprotocol/conformance", "0.2.0-alpha.12"),
    ("@modelcontextprotocol/inspector", "2.12.0"),
    ("@modelcontextprotocol/node", "2.1.2"),
    ("@modelcontextprotocol/sdk", "1.32.2"),
    ("@modelcontextprotocol/server", "2.4.0"),
    ("@modelcontextprotocol/server-everything", "2026.8.31"),
    ("@modelcontextprotocol/server-filesystem", "2026.8.31"),
    ("@modelcontextprotocol/server-memory", "2026.8.31"),
    ("jose", "6.2.17"),
    ("markdown-it", "15.0.3"),
    ("marked", "18.2.1"),
    ("node", "24.21.0"),
    ("oidc-provider", "9.13.3"),
    ("playwright-core", "1.65.1"),
    ("zod", "4.6.7"),
];

/// The only packages whose install scripts are wanted: one puts its binary in place, the other its
/// command line client.
const NPM_SCRIPTS: &[&str] = &["@modelcontextprotocol/inspector", "node"];

const PIP: &[(&str, &str)] = &[("mcp", "2.3.0"), ("mcp-server-time", "2026.10.19")];

/// All packages from npm, in exact versions with the sums of their files.
const NPM_LOCK: &str = include_str!("../deps/package-lock.json");

/// All packages from PyPI, in exact versions.
const PIP_LOCK: &str = include_str!("../deps/constraints.txt");

/// The Python package whose source distribution carries the official JSON Schema test suite (MIT).
const SUITE: (&str, &str) = ("jsonschema", "4.26.0");

/// Installs what is not there in exactly these versions.
pub(crate) fn install(root: &Path) -> Result<()> {
    let folder = root.join(".deps");
    let stamp = folder.join("stamp");
    let wanted = wanted();
    let all = format!("{wanted}{NPM_LOCK}{PIP_LOCK}");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == all) {
        println!("what the tests need is in .deps already");
        return Ok(());
    }
    println!(
        "installing what the tests run into .deps (about 360 MB from npm, 75 MB from PyPI, one minute):"
    );
    for line in wanted.lines() {
        println!("  {line}");
    }
    fs::create_dir_all(&folder).context("cannot create .deps")?;
    let _ = fs::remove_file(&stamp);
    npm(&folder)?;
    pip(&folder)?;
    suite(&folder)?;
    fs::write(&stamp, all)?;
    Ok(())
}

/// The list of everything that is named here, one line each.
fn wanted() -> String {
    let npm = NPM
        .iter()
        .map(|(name, version)| format!("npm  {name}@{version}\n"));
    let pip = PIP
        .iter()
        .map(|(name, version)| format!("pip  {name}=={version}\n"));
    let (name, version) = SUITE;
    let suite = format!("pip  {name}=={version}, its source, for the JSON Schema test suite\n");
    npm.chain(pip).chain([suite]).collect()
}

fn npm(folder: &Path) -> Result<()> {
    fs::write(folder.join("package.json"), manifest().to_string())?;
    fs::write(folder.join("package-lock.json"), NPM_LOCK)?;
    // What the lock says. `npm ci` would ask no more, but for a package for Windows that one of them names and that
    // is not there.
    let install = Task::new("npm", folder)
        .words("install --no-audit --no-fund --loglevel=error --fetch-retries=5");
    twice(|| install.run())
}

fn manifest() -> Value {
    let map = |pairs: &mut dyn Iterator<Item = (&str, Value)>| -> Map<String, Value> {
        pairs
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    };
    json!({
        "name": "ringwall-test-peers",
        "private": true,
        "dependencies": map(&mut NPM.iter().map(|(name, version)| (*name, json!(version)))),
        "allowScripts": map(&mut NPM_SCRIPTS.iter().map(|name| (*name, json!(true)))),
    })
}

fn pip(folder: &Path) -> Result<()> {
    if !folder.join("venv/bin/python").exists() {
        Task::new("python3", folder).words("-m venv venv").run()?;
    }
    fs::write(folder.join("constraints.txt"), PIP_LOCK)?;
    let packages = PIP
        .iter()
        .map(|(name, version)| format!("{name}=={version}"));
    let install = Task::new("venv/bin/python", folder)
        .words("-m pip install --quiet --disable-pip-version-check --retries 10")
        .words("--constraint constraints.txt")
        .arguments(packages);
    twice(|| install.run())
}

/// Unpacks the JSON Schema test suite to where the tests of `inspect` read it.
fn suite(folder: &Path) -> Result<()> {
    let (name, version) = SUITE;
    let target = folder.join("json-schema-test-suite");
    let sources = folder.join("sources");
    let package = format!("{name}=={version}");
    let download = Task::new("venv/bin/python", folder)
        .words("-m pip download --quiet --disable-pip-version-check --retries 10 --no-deps")
        .arguments(["--no-binary", name, &package, "--dest", "sources"]);
    twice(|| download.run())?;
    Task::new("tar", folder)
        .words("-xzf")
        .arguments([format!("sources/{name}-{version}.tar.gz")])
        .words("-C sources")
        .run()?;
    let _ = fs::remove_dir_all(&target);
    fs::rename(sources.join(format!("{name}-{version}/json")), &target)
        .context("the source has no folder `json`")?;
    Ok(fs::remove_dir_all(&sources)?)
}

/// A download that fails is tried once more.
fn twice(attempt: impl Fn() -> Result<()>) -> Result<()> {
    attempt().or_else(|error| {
        println!("{error:#}; once more");
        attempt()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_exact_and_in_the_stamp() {
        let stamp = wanted();
        for (name, version) in NPM.iter().chain(PIP) {
            assert!(
                version.starts_with(|c: char| c.is_ascii_digit()),
                "{name} {version}"
            );
            assert!(stamp.contains(name) && stamp.contains(version));
        }
    }

    #[test]
    fn the_locks_hold_what_is_named_and_leave_nothing_open() {
        let lock: Value = serde_json::from_str(NPM_LOCK).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert_eq!(packages[""]["dependencies"], manifest()["dependencies"]);
        for (path, package) in packages.iter().filter(|(path, _)| !path.is_empty()) {
            assert!(package["integrity"].is_string(), "{path}");
        }
        for (name, version) in PIP {
            let line = format!("{name}=={version}");
            assert!(PIP_LOCK.lines().any(|it| it == line), "{line}");
        }
    }

    #[test]
    fn the_manifest_allows_no_script_of_a_package_it_does_not_name() {
        let manifest = manifest();
        for name in NPM_SCRIPTS {
            assert!(manifest["dependencies"].get(name).is_some(), "{name}");
        }
    }
}
