//! `ringwall token`: mints a token of a development issuer, so that a first try needs no identity
//! provider. It never speaks for an issuer that another machine could reach, never makes a key
//! unless told to, and never prints one.

use anyhow::{Context, bail};
use gateway::clock::{Clock, SystemClock};
use identity::development::{DevelopmentClaims, DevelopmentError, DevelopmentIssuer};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The largest key file that is read; a real one has 138 bytes.
const KEY_BYTES: u64 = 4096;

/// Print a token of a development issuer. For this machine only.
///
/// The issuer must lie on loopback: whoever can read its key file can be anybody.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example, against the gateway that `ringwall demo --keep` left running:
  ringwall token --issuer http://127.0.0.1:7401 --key DIR/issuer.key \\
      --user alice --group support --scope mcp:tools \\
      --audience http://127.0.0.1:7400/workshop")]
pub(crate) struct Token {
    /// The issuer's URL, on loopback, exactly as the gateway's configuration names it.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The issuer's key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Make the key file first; it must not be there yet.
    #[arg(long)]
    new_key: bool,
    /// Who the token speaks for.
    #[arg(long, value_name = "NAME")]
    user: String,
    /// What it is for: the `resource` of one route, such as http://127.0.0.1:8080/files.
    #[arg(long, value_name = "URI")]
    audience: String,
    /// A group of the user; may be given again.
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// A scope that is granted; may be given again.
    #[arg(long, value_name = "NAME")]
    scope: Vec<String>,
    /// The client that acts for the user.
    #[arg(long, value_name = "NAME", default_value = "ringwall-token")]
    client: String,
    /// How long it is good: 30s, 10m, 1h. No more than a day.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = lifetime)]
    ttl: Duration,
}

impl Token {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let issuer = if self.new_key {
            new_key(&self.issuer, &self.key)?
        } else {
            kept(&self.issuer, &self.key)?
        };
        let token = issuer.mint(&DevelopmentClaims {
            subject: self.user,
            audience: self.audience,
            client: Some(self.client),
            scopes: self.scope,
            groups: self.group,
            issued_at: SystemClock::default().unix_s(),
            lifetime_s: self.ttl.as_secs(),
            ..DevelopmentClaims::default()
        })?;
        anstream::println!("{token}");
        Ok(ExitCode::SUCCESS)
    }
}

/// The issuer whose key this file keeps.
pub(crate) fn kept(issuer: &str, path: &Path) -> anyhow::Result<DevelopmentIssuer> {
    // Whether there may be such an issuer at all is said before any file is looked at.
    DevelopmentIssuer::generate(issuer).map_err(|error| refused(issuer, error))?;
    let file = match OpenOptions::new().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!(
                "there is no key `{}`: name the issuer's key, or make one with --new-key",
                path.display()
            )
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read the key `{}`", path.display()));
        }
    };
    let mut key = Vec::new();
    file.take(KEY_BYTES)
        .read_to_end(&mut key)
        .with_context(|| format!("cannot read the key `{}`", path.display()))?;
    DevelopmentIssuer::from_pkcs8(issuer, &key).map_err(|error| match error {
        DevelopmentError::Key => anyhow::anyhow!(
            "`{}` holds no key of a development issuer: make one elsewhere with --new-key",
            path.display()
        ),
        other => refused(issuer, other),
    })
}

/// An issuer with a new key, kept in this file, which nobody else can read.
pub(crate) fn new_key(issuer: &str, path: &Path) -> anyhow::Result<DevelopmentIssuer> {
    let made = DevelopmentIssuer::generate(issuer).map_err(|error| refused(issuer, error))?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = match file {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!(
                "the key `{}` is there already: leave out --new-key to use it",
                path.display()
            )
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot make the key `{}`", path.display()));
        }
    };
    file.write_all(&made.pkcs8()?)
        .with_context(|| format!("cannot write the key `{}`", path.display()))?;
    Ok(made)
}

fn refused(issuer: &str, error: DevelopmentError) -> anyhow::Error {
    match error {
        DevelopmentError::NotLoopback => anyhow::anyhow!(
            "`{issuer}` is not an issuer on this machine: {error}. Write one such as http://127.0.0.1:7401; \
             tokens of a real identity provider come from that provider"
        ),
        other => other.into(),
    }
}

/// Reads `90`, `90s`, `10m` or `1h`.
fn lifetime(text: &str) -> Result<Duration, String> {
    const DAY: u64 = 24 * 60 * 60;
    let fix = || format!("`{text}` is no such time: write 30s, 10m or 1h, at most 24h");
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (text.get(..at), 1),
        Some((at, 'm')) => (text.get(..at), 60),
        Some((at, 'h')) => (text.get(..at), 60 * 60),
        _ => (Some(text), 1),
    };
    let number: u64 = number
        .and_then(|number| number.parse().ok())
        .ok_or_else(fix)?;
    let seconds = number
        .checked_mul(unit)
        .filter(|seconds| (1..=DAY).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_number_with_a_unit_and_at_most_a_day() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(
                lifetime(text).ok(),
                expected.map(Duration::from_secs),
                "{text}"
            );
        };
        check("90", Some(90));
        check("30s", Some(30));
        check("10m", Some(600));
        check("24h", Some(86_400));
        for text in [
            "25h",
            "0",
            "0s",
            "",
            "m",
            "-1m",
            "1.5h",
            "10 m",
            "10d",
            "99999999999999999999h",
            "1é",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_only_and_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("issuer.key");
        let issuer = "http://127.0.0.1:9000";
        assert!(
            kept(issuer, &path)
                .unwrap_err()
                .to_string()
                .contains("--new-key")
        );
        let made = new_key(issuer, &path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(kept(issuer, &path).unwrap().jwks_json(), made.jwks_json());
        assert!(
            new_key(issuer, &path)
                .unwrap_err()
                .to_string()
                .contains("there already")
        );
    }

    #[test]
    fn no_key_is_made_for_an_issuer_that_others_could_reach() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("issuer.key");
        for issuer in [
            "https://id.example.com",
            "http://10.0.0.1",
            "http://0.0.0.0:1",
            "nonsense",
        ] {
            let error = new_key(issuer, &path).unwrap_err().to_string();
            assert!(error.contains("not an issuer on this machine"), "{error}");
        }
        assert!(!path.exists());
    }
}
