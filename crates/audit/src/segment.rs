//! The files of a ledger: segments, compressed or not, the head, and where they lie.
//!
//! A segment is written as `ledger-000001.jsonl`, and some time after its end replaced by
//! `ledger-000001.jsonl.gz`; at every moment at least one of the two is there.

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The file that holds a copy of the last checkpoint.
pub(crate) const HEAD: &str = "head";
/// The file that is locked while the ledger is written.
pub(crate) const LOCK: &str = "lock";
/// What a half-written file is called.
pub(crate) const HALF: &str = "tmp";
const CHUNK_BYTES: usize = 256 << 10;
/// The head of every compressed segment we write: deflate, no name, no time, fastest, no system.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// Which forms of a segment are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) number: u32,
    pub(crate) plain: bool,
    pub(crate) packed: bool,
}

/// The name of a segment's file while it is written.
pub(crate) fn plain_name(number: u32) -> String {
    format!("ledger-{number:06}.jsonl")
}

/// The name of a segment's file once it is compressed.
pub(crate) fn packed_name(number: u32) -> String {
    format!("ledger-{number:06}.jsonl.gz")
}

/// The segments in `dir`, in order.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let Some((number, packed)) = name.to_str().and_then(number_of) else {
            continue;
        };
        match found.iter_mut().find(|one| one.number == number) {
            Some(one) => {
                one.plain |= !packed;
                one.packed |= packed;
            }
            None => found.push(Found {
                number,
                plain: !packed,
                packed,
            }),
        }
    }
    found.sort_by_key(|one| one.number);
    // A listing is no snapshot: a segment that is just being replaced may be missed in both forms.
    let last = found.last().map_or(0, |one| one.number);
    for (at, number) in (1..=last).enumerate() {
        if found.get(at).is_some_and(|one| one.number == number) {
            continue;
        }
        if !exists(dir, number) {
            break;
        }
        let plain = dir.join(plain_name(number)).exists();
        found.insert(
            at.min(found.len()),
            Found {
                number,
                plain,
                packed: !plain,
            },
        );
    }
    Ok(found)
}

/// Whether either form of the segment is there.
pub(crate) fn exists(dir: &Path, number: u32) -> bool {
    // In this order: the plain form goes only after the compressed one has come.
    [plain_name(number), packed_name(number)]
        .iter()
        .any(|name| dir.join(name).exists())
}

/// The bytes of a segment, whatever its form.
#[derive(Debug)]
pub(crate) enum Source {
    Packed(Box<GzDecoder<BufReader<File>>>),
    Plain(File),
}

impl Source {
    /// Opens the segment at `offset` bytes of its plain form.
    pub(crate) fn open(dir: &Path, number: u32, offset: u64) -> io::Result<Self> {
        let mut source = match Self::open_plain(dir, number) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::open_packed(dir, number)?
            }
            other => other?,
        };
        match &mut source {
            Source::Plain(file) => {
                file.seek(SeekFrom::Start(offset))?;
            }
            Source::Packed(decoder) => {
                io::copy(&mut decoder.take(offset), &mut io::sink())?;
            }
        }
        Ok(source)
    }

    pub(crate) fn open_plain(dir: &Path, number: u32) -> io::Result<Self> {
        File::open(dir.join(plain_name(number))).map(Source::Plain)
    }

    pub(crate) fn open_packed(dir: &Path, number: u32) -> io::Result<Self> {
        let file = File::open(dir.join(packed_name(number)))?;
        let decoder = GzDecoder::new(BufReader::with_capacity(CHUNK_BYTES, file));
        Ok(Source::Packed(Box::new(decoder)))
    }

    /// Whether the file, read to its end, holds nothing besides what was read.
    pub(crate) fn is_exhausted(&mut self) -> io::Result<bool> {
        match self {
            Source::Plain(_) => Ok(true),
            Source::Packed(decoder) => Ok(decoder.get_mut().read(&mut [0u8; 1])? == 0),
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Packed(decoder) => decoder.read(buffer),
            Source::Plain(file) => file.read(buffer),
        }
    }
}

/// Whether a compressed segment begins as ours do. Its first bytes are covered by no check sum.
pub(crate) fn has_our_head(dir: &Path, number: u32) -> io::Result<bool> {
    let mut head = [0u8; GZIP_HEAD.len()];
    match File::open(dir.join(packed_name(number)))?.read_exact(&mut head) {
        Ok(()) => Ok(head == GZIP_HEAD),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether both forms of a segment hold the same bytes.
pub(crate) fn forms_agree(dir: &Path, number: u32) -> io::Result<bool> {
    let mut plain = BufReader::with_capacity(CHUNK_BYTES, Source::open_plain(dir, number)?);
    let mut packed = BufReader::with_capacity(CHUNK_BYTES, Source::open_packed(dir, number)?);
    loop {
        let (left, right) = (
            io::BufRead::fill_buf(&mut plain)?,
            io::BufRead::fill_buf(&mut packed)?,
        );
        let common = left.len().min(right.len());
        if left.get(..common) != right.get(..common) {
            return Ok(false);
        }
        if common == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        io::BufRead::consume(&mut plain, common);
        io::BufRead::consume(&mut packed, common);
    }
}

/// Replaces a segment by its compressed form. Stopped at any moment, it leaves the plain form, the
/// compressed form, or both. Returns early, with nothing done, once `stop` is set.
pub(crate) fn pack(dir: &Path, number: u32, stop: &AtomicBool) -> io::Result<()> {
    let plain = dir.join(plain_name(number));
    let packed = dir.join(packed_name(number));
    let half = dir.join(format!("{}.{HALF}", packed_name(number)));
    let mut source = File::open(&plain)?;
    let mut encoder = GzEncoder::new(create_private(&half)?, Compression::fast());
    let mut chunk = vec![0u8; CHUNK_BYTES];
    loop {
        if stop.load(Ordering::Relaxed) {
            drop(encoder);
            return fs::remove_file(&half);
        }
        let length = source.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        encoder.write_all(chunk.get(..length).unwrap_or_default())?;
    }
    encoder.finish()?.sync_all()?;
    fs::rename(&half, &packed)?;
    // The new name has to be on disk before the old file is gone from it.
    sync_dir(dir)?;
    fs::remove_file(&plain)
}

/// Writes a whole file so that readers and crashes see the old content or the new, never a part.
pub(crate) fn replace(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let half = dir.join(format!("{name}.{HALF}"));
    let mut file = create_private(&half)?;
    file.write_all(content)?;
    file.sync_data()?;
    fs::rename(&half, dir.join(name))
}

/// Makes the names in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Creates or empties a file that only its owner can read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = private();
    options.write(true).create(true).truncate(true);
    options.open(path)
}

/// Options for a file that only its owner can read.
pub(crate) fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only unix has modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The files of `dir` that were never finished.
pub(crate) fn halves(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut halves = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == HALF) {
            halves.push(path);
        }
    }
    Ok(halves)
}

/// The number in a segment's name, and whether it is the compressed form.
fn number_of(name: &str) -> Option<(u32, bool)> {
    let rest = name.strip_prefix("ledger-")?;
    let (digits, packed) = match rest.strip_suffix(".jsonl.gz") {
        Some(digits) => (digits, true),
        None => (rest.strip_suffix(".jsonl")?, false),
    };
    let number = digits.parse().ok()?;
    // One spelling per number, or two files could claim to be the same segment.
    let spelled = if packed {
        packed_name(number)
    } else {
        plain_name(number)
    };
    (spelled == name).then_some((number, packed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_segment_by_its_one_spelling() {
        for (name, expected) in [
            ("ledger-000001.jsonl", Some((1, false))),
            ("ledger-000012.jsonl.gz", Some((12, true))),
            ("ledger-1234567.jsonl", Some((1_234_567, false))),
            ("ledger-1.jsonl", None),
            ("ledger-+00001.jsonl", None),
            ("ledger-000001.jsonl.gz.tmp", None),
            ("ledger-000001.torn", None),
            ("head", None),
        ] {
            assert_eq!(number_of(name), expected, "{name}");
        }
    }

    #[test]
    fn packs_and_reads_either_form_from_any_offset() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let content = b"first line\nsecond line\n".repeat(50_000);
        fs::write(dir.join(plain_name(3)), &content).unwrap();
        let read = |offset| {
            let mut bytes = Vec::new();
            let mut source = Source::open(dir, 3, offset).unwrap();
            source.read_to_end(&mut bytes).unwrap();
            assert!(source.is_exhausted().unwrap());
            bytes
        };
        assert_eq!(read(11), &content[11..]);
        pack(dir, 3, &AtomicBool::new(false)).unwrap();
        assert_eq!(
            list(dir).unwrap(),
            [Found {
                number: 3,
                plain: false,
                packed: true
            }]
        );
        assert!(has_our_head(dir, 3).unwrap());
        assert_eq!(read(11), &content[11..]);
    }

    #[test]
    fn stopped_packing_leaves_the_plain_form() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(plain_name(1)), b"line\n").unwrap();
        pack(dir.path(), 1, &AtomicBool::new(true)).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(exists(dir.path(), 1));
    }

    #[test]
    fn sees_when_two_forms_differ() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let plain = dir.join(plain_name(1));
        fs::write(&plain, b"line one\n").unwrap();
        pack(dir, 1, &AtomicBool::new(false)).unwrap();
        for (content, agree) in [
            (&b"line one\n"[..], true),
            (b"line two\n", false),
            (b"line", false),
            (b"line one\n\n", false),
        ] {
            fs::write(&plain, content).unwrap();
            assert_eq!(forms_agree(dir, 1).unwrap(), agree);
        }
    }
}
