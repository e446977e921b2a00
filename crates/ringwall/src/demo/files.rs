//! The files of `examples/demo`, with the ports and the program of this run put in. What the demo runs
//! is what is shipped; nothing else is changed.

use anyhow::{Context, bail};
use serde_json::json;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const CONFIG: &str = include_str!("../../../../examples/demo/ringwall.yaml");
const POLICIES: [(&str, &str); 2] = [
    (
        "clock.cedar",
        include_str!("../../../../examples/demo/policies/clock.cedar"),
    ),
    (
        "support.cedar",
        include_str!("../../../../examples/demo/policies/support.cedar"),
    ),
];

/// The first line of every configuration the demo wrote; it replaces no other file.
const MARK: &str = "# Written by `ringwall demo` from examples/demo.\n";

/// The ports of the shipped files.
pub(super) const SHIPPED: Ports = Ports {
    gateway: 7400,
    issuer: 7401,
    workshop: 7402,
};

/// Where everything listens on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) gateway: u16,
    pub(super) issuer: u16,
    pub(super) workshop: u16,
}

/// A folder that the demo may fill: this one, or a new one that nobody else can read.
pub(super) fn folder(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let folder = match given {
        Some(folder) => std::env::current_dir()?.join(folder),
        None => {
            // The name cannot be guessed, so nobody can have put something there before us.
            let name = identity::session_id()?;
            let name: String = name
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .take(12)
                .collect();
            std::env::temp_dir().join(format!("ringwall-demo-{name}"))
        }
    };
    let made = DirBuilder::new()
        .recursive(given.is_some())
        .mode(0o700)
        .create(&folder);
    made.with_context(|| format!("cannot make `{}`", folder.display()))?;
    Ok(folder)
}

/// Writes configuration and policies, and says where the configuration lies.
pub(super) fn write(folder: &Path, ports: Ports, program: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("ringwall.yaml");
    if std::fs::read_to_string(&path).is_ok_and(|text| !text.starts_with(MARK)) {
        bail!(
            "`{}` is not of a demo: choose another folder with --data",
            path.display()
        );
    }
    let text = config(ports, program)?;
    let policies = folder.join("policies");
    std::fs::create_dir_all(&policies)
        .with_context(|| format!("cannot make `{}`", policies.display()))?;
    put(&path, &text)?;
    for (name, text) in POLICIES {
        put(&policies.join(name), text)?;
    }
    Ok(path)
}

fn config(ports: Ports, program: &Path) -> anyhow::Result<String> {
    let program = program
        .to_str()
        .with_context(|| format!("`{}` is not a name in UTF-8", program.display()))?;
    let mut text = format!("{MARK}{CONFIG}");
    let address = |port: u16| format!("127.0.0.1:{port}");
    // Each shipped port is replaced by a word first: a chosen port may be one that was shipped.
    let ports = [
        (SHIPPED.gateway, "{gateway}", ports.gateway),
        (SHIPPED.issuer, "{issuer}", ports.issuer),
        (SHIPPED.workshop, "{workshop}", ports.workshop),
    ];
    for (shipped, word, _) in ports {
        text = replaced(&text, &address(shipped), word)?;
    }
    for (_, word, chosen) in ports {
        text = text.replace(word, &address(chosen));
    }
    replaced(
        &text,
        "command: [ringwall,",
        &format!("command: [{},", json!(program)),
    )
}

fn replaced(text: &str, from: &str, to: &str) -> anyhow::Result<String> {
    if !text.contains(from) {
        bail!("the shipped configuration no longer says `{from}`");
    }
    Ok(text.replace(from, to))
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_files_run_with_other_ports_and_another_program() {
        let ports = Ports {
            gateway: 7401,
            issuer: 7402,
            workshop: 9,
        };
        let text = config(ports, Path::new("/a folder/ringwall")).unwrap();
        let (settled, _) = config::load(&text).unwrap();
        assert_eq!(settled.listeners[0].address.port(), 7401);
        assert_eq!(settled.issuers[0].issuer, "http://127.0.0.1:7402");
        assert!(text.contains("http://127.0.0.1:9/mcp"));
        assert!(text.contains("[\"/a folder/ringwall\", demo-server, clock]"));
    }

    #[test]
    fn replaces_no_configuration_but_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), SHIPPED, Path::new("ringwall")).unwrap();
        write(folder.path(), SHIPPED, Path::new("ringwall")).unwrap();
        std::fs::write(&path, "version: 1\n").unwrap();
        assert!(write(folder.path(), SHIPPED, Path::new("ringwall")).is_err());
    }
}
