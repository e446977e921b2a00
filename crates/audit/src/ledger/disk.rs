//! Where the writer's bytes go: a seam, so that tests can have a disk that fails.

use crate::segment;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

/// A disk that segments are written on.
pub(crate) trait Disk: Send {
    /// Opens a segment for writing at `offset`, and makes its name durable if it is new.
    fn open(&mut self, path: &Path, offset: u64) -> io::Result<Box<dyn Tape>>;
}

/// A segment that is being written.
pub(crate) trait Tape: Send {
    /// Writes all of `bytes` behind what is there.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns once everything written is durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// The file system.
pub(crate) struct Files;

impl Disk for Files {
    fn open(&mut self, path: &Path, offset: u64) -> io::Result<Box<dyn Tape>> {
        let mut options = segment::private();
        options.write(true).create(true).truncate(false);
        let mut file = options.open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        if let (0, Some(dir)) = (offset, path.parent()) {
            segment::sync_dir(dir)?;
        }
        Ok(Box::new(file))
    }
}

impl Tape for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
