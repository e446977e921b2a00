//! Secret values: read once from where a reference points, held under the reference's name, wiped
//! when dropped.
//!
//! A secret is never shown: `Debug` and every error carry the name of the reference only. This
//! module never searches for a secret in a second place and never falls back to an empty one.

use bytes::Bytes;
use http::HeaderValue;
use std::fmt;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use zeroize::Zeroizing;

/// The largest secret that is read: far above any token or key, far below what would hurt.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// A secret value and the name it was asked for by.
#[derive(Clone)]
pub struct Secret {
    name: Arc<str>,
    value: Arc<Zeroizing<String>>,
}

impl Secret {
    /// A secret that was obtained elsewhere, under a name that may be shown.
    pub fn new(name: &str, value: Zeroizing<String>) -> Self {
        Secret {
            name: name.into(),
            value: Arc::new(value),
        }
    }

    /// The name of the reference; safe to show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value itself, for the one place that has to send it.
    pub fn expose(&self) -> &str {
        self.value.as_str()
    }

    /// The value after `prefix`, as a header that is marked sensitive and wiped when the last
    /// copy of it is dropped.
    pub fn header(&self, prefix: &str) -> Result<HeaderValue, SecretError> {
        let mut text = Zeroizing::new(Vec::with_capacity(prefix.len() + self.value.len()));
        text.extend_from_slice(prefix.as_bytes());
        text.extend_from_slice(self.value.as_bytes());
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).map_err(|_| {
            SecretError::Unsendable {
                name: self.name.to_string(),
            }
        })?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.name)
    }
}

/// Why a secret could not be had. No message holds any part of a value.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SecretError {
    #[error("secret `{name}` is empty")]
    Empty { name: String },
    #[error("secret `{name}` cannot be read: {reason}")]
    Io { name: String, reason: String },
    #[error("secret `{name}` is not set: set the variable before starting, or name another one")]
    Missing { name: String },
    #[error(
        "secret `{name}` can be read by others (mode {mode:o}): take the permissions away with `chmod 600`"
    )]
    Open { name: String, mode: u32 },
    #[error(
        "secret `{name}` belongs to another user (uid {owner}): give the file to the user Ringwall runs as"
    )]
    Owner { name: String, owner: u32 },
    #[error("secret `{name}` is not a plain file")]
    Special { name: String },
    #[error("secret `{name}` is larger than {max} bytes")]
    TooLarge { name: String, max: usize },
    #[error("`{name}` is not a secret reference: write `env:NAME` or `file:PATH`")]
    Unknown { name: String },
    #[error("secret `{name}` holds characters that a header cannot carry")]
    Unsendable { name: String },
    #[error("secret `{name}` is not UTF-8 text")]
    Unreadable { name: String },
}

/// Reads what a reference written as `env:NAME` or `file:PATH` points at.
pub fn resolve(reference: &str) -> Result<Secret, SecretError> {
    match reference.split_once(':') {
        Some(("env", name)) => from_environment(name),
        Some(("file", path)) => from_file(Path::new(path)),
        // What is not a reference may be a literal secret, so it is not repeated.
        _ => Err(SecretError::Unknown {
            name: "…".to_owned(),
        }),
    }
}

/// Reads the environment variable `variable`.
pub fn from_environment(variable: &str) -> Result<Secret, SecretError> {
    let name = format!("env:{variable}");
    match std::env::var_os(variable) {
        None => Err(SecretError::Missing { name }),
        Some(value) => settle(name, value.into_encoded_bytes()),
    }
}

/// Reads the file at `path`, which only its owner (us, or root) may be able to read.
pub fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let name = format!("file:{}", path.display());
    let io = |error: std::io::Error| SecretError::Io {
        name: format!("file:{}", path.display()),
        reason: error.kind().to_string(),
    };
    // Non-blocking, so that a pipe put in the file's place cannot hold up the start.
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = std::fs::File::options()
        .read(true)
        .custom_flags(nonblock)
        .open(path)
        .map_err(io)?;
    // INVARIANT: what is checked is the opened file, not whatever the path names by now.
    let facts = file.metadata().map_err(io)?;
    if !facts.is_file() {
        return Err(SecretError::Special { name });
    }
    let owner = facts.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(SecretError::Owner { name, owner });
    }
    let mode = facts.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Open { name, mode });
    }
    // Reserved in one piece: a buffer that grows leaves copies of the secret behind.
    let mut value = Zeroizing::new(Vec::with_capacity(SECRET_BYTES_MAX + 1));
    file.take(SECRET_BYTES_MAX as u64 + 1)
        .read_to_end(&mut value)
        .map_err(io)?;
    settle(name, std::mem::take(&mut *value))
}

/// Bounds, decodes and trims one trailing line ending, as editors and `echo` leave one.
fn settle(name: String, value: Vec<u8>) -> Result<Secret, SecretError> {
    let mut value = Zeroizing::new(value);
    if value.len() > SECRET_BYTES_MAX {
        return Err(SecretError::TooLarge {
            name,
            max: SECRET_BYTES_MAX,
        });
    }
    if value.last() == Some(&b'\n') {
        value.pop();
        if value.last() == Some(&b'\r') {
            value.pop();
        }
    }
    if value.is_empty() {
        return Err(SecretError::Empty { name });
    }
    match String::from_utf8(std::mem::take(&mut *value)) {
        Ok(text) => Ok(Secret::new(&name, Zeroizing::new(text))),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(SecretError::Unreadable { name })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file_with(content: &[u8], mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn reads_a_file_and_trims_one_line_ending() {
        for (content, expected) in [
            ("s3cret", "s3cret"),
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("s3cret\n\n", "s3cret\n"),
            (" s3cret ", " s3cret "),
        ] {
            let (_folder, path) = file_with(content.as_bytes(), 0o600);
            assert_eq!(from_file(&path).unwrap().expose(), expected, "{content:?}");
        }
    }

    #[test]
    fn n6_3_refuses_a_secret_file_that_others_can_read() {
        for mode in [0o644, 0o640, 0o604, 0o620, 0o601, 0o610] {
            let (_folder, path) = file_with(b"s3cret", mode);
            let error = from_file(&path).unwrap_err();
            assert!(
                matches!(error, SecretError::Open { mode: m, .. } if m == mode),
                "{mode:o}"
            );
            assert!(!error.to_string().contains("s3cret"));
        }
        for mode in [0o600, 0o400] {
            let (_folder, path) = file_with(b"s3cret", mode);
            assert!(from_file(&path).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn n6_3_refuses_to_start_with_an_unresolved_secret() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent");
        let large = vec![b'x'; SECRET_BYTES_MAX + 1];
        let (_a, empty) = file_with(b"\n", 0o600);
        let (_b, huge) = file_with(&large, 0o600);
        let (_c, binary) = file_with(&[0xff, 0xfe], 0o600);
        assert!(matches!(from_file(&absent), Err(SecretError::Io { .. })));
        assert!(matches!(
            from_file(folder.path()),
            Err(SecretError::Special { .. })
        ));
        assert!(matches!(from_file(&empty), Err(SecretError::Empty { .. })));
        assert!(matches!(
            from_file(&huge),
            Err(SecretError::TooLarge { .. })
        ));
        assert!(matches!(
            from_file(&binary),
            Err(SecretError::Unreadable { .. })
        ));
        assert!(matches!(
            resolve("env:RINGWALL_SURELY_NOT_SET"),
            Err(SecretError::Missing { .. })
        ));
        let (_d, full) = file_with(&large[1..], 0o600);
        assert!(from_file(&full).is_ok());
    }

    #[test]
    fn reads_an_environment_variable() {
        assert_eq!(
            resolve("env:PATH").unwrap().expose(),
            std::env::var("PATH").unwrap()
        );
    }

    #[test]
    fn n6_3_never_repeats_what_may_be_a_literal_secret() {
        for literal in ["hunter2", "vault:hunter2", "Env:hunter2", ""] {
            let error = resolve(literal).unwrap_err();
            assert!(matches!(error, SecretError::Unknown { .. }), "{literal}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn n6_3_debug_shows_the_name_only() {
        let secret = Secret::new("env:TOKEN", Zeroizing::new("hunter2".to_owned()));
        assert_eq!(format!("{secret:?}"), "Secret(env:TOKEN)");
        let header = secret.header("Bearer ").unwrap();
        assert_eq!(header.as_bytes(), b"Bearer hunter2");
        assert!(!format!("{header:?}").contains("hunter2"));
    }

    #[test]
    fn refuses_a_secret_that_would_split_a_header() {
        let secret = Secret::new("env:TOKEN", Zeroizing::new("a\r\nX-Evil: 1".to_owned()));
        assert!(matches!(
            secret.header("Bearer "),
            Err(SecretError::Unsendable { .. })
        ));
    }
}
