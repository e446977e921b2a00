//! Where a wrapped command keeps its pins and its ledger, and whose they are. The operating system
//! says who the user is; variables of the environment, which anything may set, do not.

use anyhow::Context;
use serde_json::json;
use std::path::{Path, PathBuf};

/// The folder for this command: the same for the same words in the same place.
pub(super) fn of(command: &[String]) -> anyhow::Result<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    let state = state.context(
        "neither XDG_STATE_HOME nor HOME is set: say where to keep data with --data DIR",
    )?;
    Ok(state.join("ringwall").join(format!(
        "wrap-{}",
        short(command, &std::env::current_dir()?)
    )))
}

/// The name of the user that runs this process, or their number.
pub(crate) fn user() -> String {
    let number = rustix::process::getuid().as_raw();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(&accounts, number).unwrap_or_else(|| format!("uid-{number}"))
}

/// A short name for a command that no other command has.
fn short(command: &[String], place: &Path) -> String {
    // Relative words mean something else elsewhere.
    let digest = inspect::pin::digest(&json!([command, place.display().to_string()]));
    digest
        .0
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn named(accounts: &str, number: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, uid) = (fields.next()?, fields.next()?, fields.next()?);
        (uid.parse() == Ok(number) && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_a_folder_of_its_own() {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        let here = |list: &[&str]| short(&words(list), Path::new("/here"));
        assert_eq!(here(&["a", "b"]), here(&["a", "b"]));
        assert_ne!(here(&["a", "b"]), here(&["a b"]));
        assert_ne!(here(&["a"]), short(&words(&["a"]), Path::new("/there")));
        assert_eq!(here(&["a"]).len(), 12);
    }

    #[test]
    fn the_user_is_who_the_system_says() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\nbroken\nada:x:1000:1000::/home/ada:/bin/sh\n";
        for (number, name) in [(0, Some("root")), (1000, Some("ada")), (1001, None)] {
            assert_eq!(named(accounts, number).as_deref(), name, "{number}");
        }
    }
}
