//! The Ed25519 key that signs checkpoints, and the public half that verifies them.
//!
//! The private key lives in a PEM file that only its owner can reach; it is never printed, never
//! returned, and a file that others can read is refused rather than repaired.

use crate::digest::{from_hex, to_hex};
use crate::err::KeyError;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";
/// What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
/// A key file is a few hundred bytes; what is larger is something else.
const FILE_BYTES_MAX: u64 = 8192;

/// The key that signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// Reads the key at `path`, or makes one there that only its owner can read.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        match Self::load(path) {
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Self::create(path)
            }
            other => other,
        }
    }

    /// Reads the key at `path`.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| io_error("read", path, source);
        let mut file = File::open(path).map_err(failed)?;
        // The open file is judged, not the name, so that nobody can swap it in between.
        refuse_exposed(path, &file.metadata().map_err(failed)?)?;
        let mut text = Zeroizing::new(String::new());
        (&mut file)
            .take(FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(failed)?;
        Self::from_pem(&text).ok_or_else(|| KeyError::Malformed {
            what: path.display().to_string(),
        })
    }

    /// The key in this PEM text, from wherever secrets are kept.
    pub fn from_pem(text: &str) -> Option<Self> {
        let der = Zeroizing::new(from_pem(PRIVATE, text)?);
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()?;
        Some(Self { pair })
    }

    /// A key that lives no longer than the process.
    pub fn ephemeral() -> Result<Self, KeyError> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::Entropy)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(document.as_ref())
            .map_err(|_| KeyError::Entropy)?;
        Ok(Self { pair })
    }

    /// The half that verifies.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0u8; 32];
        for (byte, given) in bytes.iter_mut().zip(self.pair.public_key().as_ref()) {
            *byte = *given;
        }
        PublicKey { bytes }
    }

    /// The signature over these bytes, in hexadecimal.
    pub fn sign(&self, message: &[u8]) -> String {
        to_hex(self.pair.sign(message).as_ref())
    }

    /// Makes a key where there is none. Several processes may start at once on one data folder, and each may
    /// be killed at any moment, so the key appears whole or not at all, and whoever comes second takes the
    /// one that is there.
    fn create(path: &Path) -> Result<Self, KeyError> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::Entropy)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(document.as_ref())
            .map_err(|_| KeyError::Entropy)?;
        let text = Zeroizing::new(to_pem(PRIVATE, document.as_ref()));
        let failed = |source| io_error("create", path, source);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        // Named after the key itself, so nobody else has a draft of that name.
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{}", Self { pair }.public().id()));
        let draft = PathBuf::from(draft);
        // A link never replaces a file, whoever made it.
        let made = write_new(&draft, text.as_bytes()).and_then(|()| fs::hard_link(&draft, path));
        let removed = fs::remove_file(&draft);
        match made {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(failed(source)),
            _ => {
                removed.map_err(failed)?;
                Self::load(path)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

/// The key that verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey {
    bytes: [u8; 32],
}

impl PublicKey {
    /// Reads a key from the PEM file that [`PublicKey::save`] writes.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
            .map_err(|source| io_error("read", path, source))?;
        Self::from_pem(&text).ok_or_else(|| KeyError::Malformed {
            what: path.display().to_string(),
        })
    }

    /// Writes the key as PEM, for whoever verifies. One that stands there already is left alone, so that nobody
    /// who reads it meanwhile finds half of it.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let pem = self.to_pem();
        if fs::read(path).is_ok_and(|there| there == pem.as_bytes()) {
            return Ok(());
        }
        fs::write(path, pem).map_err(|source| io_error("write", path, source))
    }

    /// The key as PEM (`openssl pkey -pubin` reads it).
    pub fn to_pem(&self) -> String {
        let mut der = SPKI_PREFIX.to_vec();
        der.extend_from_slice(&self.bytes);
        to_pem(PUBLIC, &der)
    }

    /// The key in this PEM text.
    pub fn from_pem(text: &str) -> Option<Self> {
        let der = from_pem(PUBLIC, text)?;
        let bytes = der.strip_prefix(&SPKI_PREFIX)?.try_into().ok()?;
        Some(Self { bytes })
    }

    /// The name by which checkpoints call this key.
    pub fn id(&self) -> KeyId {
        let digest = digest(&SHA256, &self.bytes);
        KeyId(to_hex(digest.as_ref().get(..16).unwrap_or_default()))
    }

    /// Whether `signature`, in lower-case hexadecimal, is this key's signature of `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        from_hex::<64>(signature).is_some_and(|signature| {
            UnparsedPublicKey::new(&ED25519, &self.bytes)
                .verify(message, &signature)
                .is_ok()
        })
    }
}

/// The name of a key: the first half of the SHA-256 of its 32 bytes, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A new file that only its owner can reach.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> KeyError {
    KeyError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    if mode & 0o077 == 0 && metadata.is_file() {
        return Ok(());
    }
    Err(KeyError::Exposed {
        path: path.to_owned(),
        mode,
    })
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

fn to_pem(label: &str, der: &[u8]) -> String {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

fn from_pem(label: &str, text: &str) -> Option<Vec<u8>> {
    let body = text
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))?
        .strip_suffix(&format!("-----END {label}-----"))?;
    let mut joined = Zeroizing::new(String::with_capacity(body.len()));
    joined.extend(body.split_ascii_whitespace());
    STANDARD.decode(joined.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_key_it_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/ledger.key");
        let made = SigningKey::load_or_create(&path).unwrap();
        let read = SigningKey::load_or_create(&path).unwrap();
        assert_eq!(made.public(), read.public());
        let signature = read.sign(b"words");
        assert!(made.public().verifies(b"words", signature.as_bytes()));
        assert!(!made.public().verifies(b"other words", signature.as_bytes()));
    }

    #[test]
    fn however_many_make_a_key_at_once_it_is_one_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/ledger.key");
        let all: Vec<_> = std::thread::scope(|scope| {
            let make = || SigningKey::load_or_create(&path).unwrap().public();
            let tasks: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            tasks.into_iter().map(|task| task.join().unwrap()).collect()
        });
        assert!(all.iter().all(|key| *key == all[0]));
        // No draft stays behind.
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn exports_a_public_key_that_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let public = SigningKey::ephemeral().unwrap().public();
        let path = dir.path().join("ledger.pub");
        public.save(&path).unwrap();
        assert_eq!(PublicKey::load(&path).unwrap(), public);
        assert!(
            PublicKey::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")
                .is_none()
        );
    }

    #[cfg(unix)]
    #[test]
    fn refuses_a_key_that_others_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.key");
        SigningKey::load_or_create(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        for open in [0o640, 0o604, 0o660, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            let refused = SigningKey::load_or_create(&path);
            assert!(matches!(refused, Err(KeyError::Exposed { mode, .. }) if mode == open));
        }
    }

    #[test]
    fn refuses_a_file_that_is_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.key");
        SigningKey::load_or_create(&path).unwrap();
        fs::write(
            &path,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        )
        .unwrap();
        assert!(matches!(
            SigningKey::load(&path),
            Err(KeyError::Malformed { .. })
        ));
    }

    #[test]
    fn says_nothing_of_the_private_half_when_printed() {
        let key = SigningKey::ephemeral().unwrap();
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey({})", key.public().id())
        );
    }

    #[test]
    fn signature_has_one_spelling() {
        let key = SigningKey::ephemeral().unwrap();
        let upper = key.sign(b"words").to_uppercase();
        assert!(!key.public().verifies(b"words", upper.as_bytes()));
    }
}
