//! Key files: 32 random bytes that only their owner can reach. A file that others can reach, or that
//! belongs to somebody else, is refused and never repaired; a key that is there is never replaced.

use crate::root::{KEY, random};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The system gave no random bits.
    #[error("the system gave no random bits")]
    Entropy,
    /// Others can read the key, or write it.
    #[error("the key `{path}` can be reached by others (mode {mode:o}): `chmod 600` it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A file operation failed.
    #[error("cannot {action} the key `{path}`: {source}")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no key.
    #[error(
        "`{path}` is no key, which has 32 bytes: restore it, or remove it to get a new one, which opens nothing that was sealed before"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to another user.
    #[error(
        "the key `{path}` belongs to another user (uid {owner}): give it to the user Ringwall runs as"
    )]
    Owner {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
}

/// Reads the key at `path`, or makes one there that only its owner can reach.
pub(crate) fn load_or_create(path: &Path) -> Result<Zeroizing<[u8; KEY]>, KeyFileError> {
    match load(path) {
        Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            create(path)
        }
        other => other,
    }
}

fn load(path: &Path) -> Result<Zeroizing<[u8; KEY]>, KeyFileError> {
    let failed = |source| io_error("read", path, source);
    let file = open(path).map_err(failed)?;
    // The open file is judged, not the name, so that nobody can swap it in between.
    refuse_exposed(path, &file.metadata().map_err(failed)?)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY + 1));
    // One byte more than a key has, so that a longer file is seen to be one.
    file.take(KEY as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let key: Option<[u8; KEY]> = bytes.as_slice().try_into().ok();
    let malformed = || KeyFileError::Malformed {
        path: path.to_owned(),
    };
    key.map(Zeroizing::new).ok_or_else(malformed)
}

/// Makes a key where there is none. Several processes may start at once on one data folder, so the
/// key appears whole or not at all, and whoever comes second takes the one that is there.
fn create(path: &Path) -> Result<Zeroizing<[u8; KEY]>, KeyFileError> {
    let failed = |source| io_error("create", path, source);
    let draw = |_| KeyFileError::Entropy;
    if let Some(parent) = path.parent() {
        private_folder(parent).map_err(failed)?;
    }
    let mut draft = path.as_os_str().to_owned();
    let number = u64::from_be_bytes(*random::<8>().map_err(draw)?);
    draft.push(format!(".{number:016x}"));
    let draft = PathBuf::from(draft);
    let key = random::<KEY>().map_err(draw)?;
    // A link never replaces a file, whoever made it.
    let made = write_new(&draft, key.as_slice()).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match made {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(failed(source)),
        _ => {
            removed.map_err(failed)?;
            load(path)
        }
    }
}

/// Opens without waiting, so that a pipe in the file's place cannot hold up the start.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, nonblock);
    }
    options.open(path)
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

/// The folder, made for its owner alone if it is not there.
fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> KeyFileError {
    KeyFileError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 || !metadata.is_file() {
        return Err(KeyFileError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    refuse_foreign(path, metadata.uid(), rustix::process::geteuid().as_raw())
}

/// Whoever owns a file can change its permissions, so a key of somebody else is not ours. What root
/// owns and we can read was given to us by whoever rules this machine.
#[cfg(unix)]
fn refuse_foreign(path: &Path, owner: u32, we: u32) -> Result<(), KeyFileError> {
    if owner == we || owner == 0 {
        return Ok(());
    }
    Err(KeyFileError::Owner {
        path: path.to_owned(),
        owner,
    })
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_whole_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/some.key");
        let all: Vec<_> = std::thread::scope(|scope| {
            let tasks: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| load_or_create(&path).unwrap()))
                .collect();
            tasks.into_iter().map(|task| task.join().unwrap()).collect()
        });
        assert!(all.iter().all(|key| key == all.first().unwrap()));
        // No draft stays behind.
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        for length in [0, KEY - 1, KEY + 1] {
            fs::write(&path, vec![7; length]).unwrap();
            let refused = load_or_create(&path);
            assert!(matches!(refused, Err(KeyFileError::Malformed { .. })));
            assert_eq!(fs::read(&path).unwrap().len(), length);
        }
    }

    #[cfg(unix)]
    #[test]
    fn refuses_a_key_that_others_can_reach() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/some.key");
        load_or_create(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        for open in [0o640, 0o604, 0o620, 0o602, 0o610, 0o660, 0o666, 0o777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            let refused = load_or_create(&path);
            assert!(matches!(refused, Err(KeyFileError::Exposed { mode, .. }) if mode == open));
            assert_eq!(mode(&path), open, "it is not repaired");
        }
        for closed in [0o600, 0o400] {
            fs::set_permissions(&path, fs::Permissions::from_mode(closed)).unwrap();
            assert!(load_or_create(&path).is_ok());
        }
        assert!(load_or_create(path.parent().unwrap()).is_err(), "a folder");
    }

    #[cfg(unix)]
    #[test]
    fn refuses_a_key_of_another_user() {
        let path = Path::new("some.key");
        for (owner, we, is_ours) in [
            (1000, 1000, true),
            (0, 1000, true),
            (0, 0, true),
            (1001, 1000, false),
            (1000, 0, false),
        ] {
            assert_eq!(refuse_foreign(path, owner, we).is_ok(), is_ours, "{owner}");
        }
    }
}
