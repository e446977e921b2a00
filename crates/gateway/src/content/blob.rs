//! Text that comes as base64: the blob of a resource, the data of a picture. What it is said to be is not
//! believed, and neither is that it is base64: it is read in every way in which somebody may read it, and
//! whatever is text there is looked at as text. Of what is no text, the runs that read as some are. What is
//! looked for is for others to say.

use super::{Passage, output};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use std::borrow::Cow;
use std::ops::Range;

/// Bytes by which it is told how a text is written, and letters of what may as well be shown as it came.
const FIRST: usize = 4096;

/// Bytes of the shortest run of a picture, a sound or an archive that is looked at. Random bytes have hardly any.
const RUN: usize = 16;

/// What stands between two runs: no text of ASCII has it.
const GAP: char = char::REPLACEMENT_CHARACTER;

/// As readers decode: with padding or without, whatever is left over in the last letter.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A way to read base64 that is not strict. All readers pass over what is no letter at all.
#[derive(Clone, Copy)]
struct Way {
    /// What `-` and `_` are.
    url: Signs,
    /// What is read behind padding.
    padding: Padding,
}

/// What some readers take for letters of the alphabet for URLs (RFC 4648, section 5), and others pass over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signs {
    Letters,
    Nothing,
}

/// Where padding stands before the end, what follows is a text of its own, or goes on where it was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Padding {
    Ends,
    Nothing,
}

/// What a text is that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// All that the bytes say, to whoever reads them as text at all.
    File,
    /// Something that may be read of them.
    Other,
}

/// How the bytes of a text are read.
enum Charset {
    /// ISO 8859-1: each byte a character, so that no byte is lost where one is written anew.
    Latin,
    Utf8(Mark),
    Utf16(Endian, Mark),
    /// No text: these parts of it are, one after the other.
    Runs(Vec<u8>, Vec<Range<usize>>),
}

#[derive(Clone, Copy)]
enum Endian {
    Big,
    Little,
}

/// Whether a text begins with the character that says how its bytes are read. It belongs to these, and no
/// reader sees it.
#[derive(Clone, Copy)]
enum Mark {
    None,
    There,
}

/// That character.
const MARK: char = '\u{feff}';

/// Looks at the text that a blob is, if it is one, and encodes it anew if it was rewritten.
pub(super) fn open(
    passage: &mut Passage<'_, '_>,
    mut look: impl FnMut(&mut Passage<'_, '_>, Form),
) {
    for way in ways(passage.text()) {
        let Some((text, charset)) = text(passage.text(), way) else {
            continue;
        };
        let form = form(passage, &text, &charset);
        let is_text = !matches!(charset, Charset::Runs(..));
        let looked = |passage: &mut Passage<'_, '_>| match is_text {
            true => look(passage, form),
            false => passage.bare(|passage| look(passage, form)),
        };
        let write = |text: &str| general_purpose::STANDARD.encode(charset.bytes(text));
        // What was encoded anew is read in one way only.
        if passage.within(text, looked, write) {
            break;
        }
    }
    // Somebody may show it as it came.
    match letters(passage.text()) {
        Letters::Others => look(passage, Form::Other),
        Letters::Own if passage.text().len() <= FIRST => {
            passage.bare(|passage| look(passage, Form::Other));
        }
        Letters::Own => {}
    }
}

/// What a text is to whoever is handed its bytes. Few bytes of a picture may well read as text: that they are
/// one is told by what they do not have, or else by what they are said to be.
fn form(passage: &Passage<'_, '_>, text: &str, charset: &Charset) -> Form {
    let is_read = matches!(charset, Charset::Utf8(_) | Charset::Utf16(..));
    let is_said = || {
        let kind = passage.beside("mimeType");
        kind.is_some_and(|kind| output::is_text(&kind))
    };
    match is_read && (!text.bytes().any(is_binary) || is_said()) {
        true => Form::File,
        false => Form::Other,
    }
}

/// What a blob consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    /// Letters of base64, and white space.
    Own,
    /// Others, too.
    Others,
}

fn letters(blob: &str) -> Letters {
    let is_own = |byte: u8| is_letter(byte) || b"-_=".contains(&byte) || byte.is_ascii_whitespace();
    match blob.bytes().all(is_own) {
        true => Letters::Own,
        false => Letters::Others,
    }
}

/// A letter of the alphabet that every reader knows.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// The ways in which readers differ about this one.
fn ways(blob: &str) -> impl Iterator<Item = Way> + use<> {
    let has_signs = blob.bytes().any(|byte| matches!(byte, b'-' | b'_'));
    let padded = blob.bytes().position(|byte| byte == b'=');
    let behind = padded.and_then(|at| blob.as_bytes().get(at..));
    let goes_on = behind.is_some_and(|behind| behind.iter().any(u8::is_ascii_alphanumeric));
    let all = [
        (Signs::Letters, Padding::Ends),
        (Signs::Letters, Padding::Nothing),
        (Signs::Nothing, Padding::Ends),
        (Signs::Nothing, Padding::Nothing),
    ];
    all.into_iter()
        .filter(move |(url, padding)| {
            (has_signs || *url == Signs::Letters) && (goes_on || *padding == Padding::Ends)
        })
        .map(|(url, padding)| Way { url, padding })
}

/// The bytes of a blob.
fn decoded(blob: &str, way: Way) -> Vec<u8> {
    if blob.bytes().all(is_letter) {
        return part(blob.as_bytes());
    }
    let mut bytes = Vec::new();
    let mut letters = Vec::with_capacity(blob.len());
    for byte in blob.bytes() {
        match (byte, way) {
            (
                b'=',
                Way {
                    padding: Padding::Ends,
                    ..
                },
            ) => {
                bytes.append(&mut part(&letters));
                letters.clear();
            }
            (
                b'-',
                Way {
                    url: Signs::Letters,
                    ..
                },
            ) => letters.push(b'+'),
            (
                b'_',
                Way {
                    url: Signs::Letters,
                    ..
                },
            ) => letters.push(b'/'),
            _ if is_letter(byte) => letters.push(byte),
            _ => {}
        }
    }
    bytes.append(&mut part(&letters));
    bytes
}

/// The bytes of letters. A last one that is alone says nothing.
fn part(letters: &[u8]) -> Vec<u8> {
    let whole = letters.len() - usize::from(letters.len() % 4 == 1);
    let letters = letters.get(..whole).unwrap_or_default();
    FORGIVING.decode(letters).unwrap_or_default()
}

/// The text that a blob is, or holds, if it does.
fn text(blob: &str, way: Way) -> Option<(String, Charset)> {
    let bytes = decoded(blob, way);
    if let Some(endian) = utf16(bytes.get(..FIRST).unwrap_or(&bytes)) {
        let (text, mark) = unmarked(endian.read(&bytes));
        return Some((text, Charset::Utf16(endian, mark))).filter(|(text, _)| !text.is_empty());
    }
    let odd = bytes.iter().filter(|byte| is_binary(**byte)).count();
    // One in ten bytes of a picture is such, and of a text hardly any; of a few bytes nobody knows.
    let read = match odd > bytes.len() / 20 + 8 {
        true => in_runs(bytes),
        false => match String::from_utf8(bytes) {
            Ok(text) => {
                let (text, mark) = unmarked(text);
                (text, Charset::Utf8(mark))
            }
            Err(other) if is_foreign(other.as_bytes()) => in_runs(other.into_bytes()),
            Err(other) => {
                let letters = other.as_bytes().iter().copied().map(char::from);
                (letters.collect(), Charset::Latin)
            }
        },
    };
    Some(read).filter(|(text, _)| !text.is_empty())
}

/// A text without its mark.
fn unmarked(text: String) -> (String, Mark) {
    match text.strip_prefix(MARK) {
        Some(rest) => (rest.to_owned(), Mark::There),
        None => (text, Mark::None),
    }
}

/// The same with it.
fn marked(text: &str, mark: Mark) -> Cow<'_, str> {
    match mark {
        Mark::None => Cow::Borrowed(text),
        Mark::There => Cow::Owned(format!("{MARK}{text}")),
    }
}

/// Whether most of what is no UTF-8 is no ASCII either: sound, or a language of which no rule knows a word.
fn is_foreign(bytes: &[u8]) -> bool {
    let letters = bytes.iter().filter(|byte| byte.is_ascii()).count();
    letters * 2 < bytes.len()
}

fn in_runs(bytes: Vec<u8>) -> (String, Charset) {
    let runs = runs(&bytes);
    let parts = runs.iter().filter_map(|run| bytes.get(run.clone()));
    let parts = parts.map(|part| std::str::from_utf8(part).unwrap_or_default());
    let text = parts.collect::<Vec<_>>().join(&GAP.to_string());
    (text, Charset::Runs(bytes, runs))
}

/// What no text has, in any encoding of bytes.
fn is_binary(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b) || byte == 0x7f
}

/// The parts of what is no text that read as text, in order.
fn runs(bytes: &[u8]) -> Vec<Range<usize>> {
    let is_text = |byte: &u8| byte.is_ascii() && !is_binary(*byte);
    let mut runs = Vec::new();
    let mut start = 0;
    // Each run has one of every so many bytes, so that most of them need no look.
    while let Some(least) = bytes.get(start..start + RUN) {
        if let Some(gap) = least.iter().rposition(|byte| !is_text(byte)) {
            start += gap + 1;
            continue;
        }
        let rest = bytes.get(start..).unwrap_or_default();
        let end = start + rest.iter().take_while(|byte| is_text(byte)).count();
        runs.push(start..end);
        start = end;
    }
    runs
}

/// Whether bytes are text in UTF-16, and which byte comes first: a mark says it, or every other byte is 0.
fn utf16(first: &[u8]) -> Option<Endian> {
    match first {
        [0xff, 0xfe, ..] => return Some(Endian::Little),
        [0xfe, 0xff, ..] => return Some(Endian::Big),
        _ => {}
    }
    let pairs = first.len() / 2;
    let zeros = |from: usize| {
        let bytes = first.iter().skip(from).step_by(2);
        bytes.filter(|byte| **byte == 0).count()
    };
    let readable = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    // Sound has zeros, too.
    if first.iter().filter(readable).count() * 5 < first.len() * 2 {
        return None;
    }
    let (high, low) = (zeros(0), zeros(1));
    let is_most = |zeros: usize, others: usize| zeros * 5 >= pairs * 2 && others * 10 <= pairs;
    match (is_most(low, high), is_most(high, low)) {
        _ if pairs < 2 => None,
        (true, _) => Some(Endian::Little),
        (_, true) => Some(Endian::Big),
        _ => None,
    }
}

impl Endian {
    fn read(self, bytes: &[u8]) -> String {
        let units = bytes.chunks_exact(2);
        let units = units.filter_map(|unit| <[u8; 2]>::try_from(unit).ok());
        let units = units.map(|unit| match self {
            Endian::Big => u16::from_be_bytes(unit),
            Endian::Little => u16::from_le_bytes(unit),
        });
        let text = char::decode_utf16(units);
        text.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    }

    fn write(self, text: &str) -> Vec<u8> {
        let units = text.encode_utf16();
        let bytes = units.flat_map(|unit| match self {
            Endian::Big => unit.to_be_bytes(),
            Endian::Little => unit.to_le_bytes(),
        });
        bytes.collect()
    }
}

impl Charset {
    /// The bytes of what a text was rewritten to.
    fn bytes<'t>(&self, text: &'t str) -> Cow<'t, [u8]> {
        match self {
            // What is put into such a text is ASCII.
            Charset::Latin => {
                let byte = |c: char| u8::try_from(u32::from(c)).unwrap_or(b'?');
                text.chars().map(byte).collect()
            }
            Charset::Utf8(Mark::None) => Cow::Borrowed(text.as_bytes()),
            Charset::Utf8(mark) => Cow::Owned(marked(text, *mark).into_owned().into_bytes()),
            Charset::Utf16(endian, mark) => Cow::Owned(endian.write(&marked(text, *mark))),
            Charset::Runs(bytes, runs) => spliced(bytes, runs, text),
        }
    }
}

/// The bytes with the parts of a text in the place of their runs. Where something went over a gap, nobody
/// knows which part is whose, and the text is all that is left.
fn spliced<'t>(bytes: &[u8], runs: &[Range<usize>], text: &'t str) -> Cow<'t, [u8]> {
    let parts: Vec<&str> = text.split(GAP).collect();
    if parts.len() != runs.len() {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for (run, part) in runs.iter().zip(parts) {
        out.extend_from_slice(bytes.get(done..run.start).unwrap_or_default());
        out.extend_from_slice(part.as_bytes());
        done = run.end;
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
