//! Text that comes as base64: the blob of a resource, the data of a picture. What it is said to be is not
//! believed: whatever reads as text is looked at as text. What is no text is told by its first bytes.

use crate::content::Passage;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use std::borrow::Cow;

/// Bytes by which a picture, a sound or an archive is told from a text.
const FIRST: usize = 4096;

/// As readers decode: with padding or without, whatever is left over in the last letter.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How the bytes of a text are read.
#[derive(Clone, Copy)]
enum Charset {
    /// ISO 8859-1: each byte a character, so that no byte is lost where one is written anew.
    Latin,
    Utf8,
}

/// Looks at the text that a blob is, if it is one, and encodes it anew if it was rewritten.
pub(super) fn open(passage: &mut Passage<'_, '_>, look: impl FnOnce(&mut Passage<'_, '_>)) {
    let Some((text, charset)) = text(passage.text()) else {
        return;
    };
    passage.within(text, look, |text| {
        let bytes: Cow<'_, [u8]> = match charset {
            Charset::Latin => text.chars().map(byte).collect(),
            Charset::Utf8 => Cow::Borrowed(text.as_bytes()),
        };
        general_purpose::STANDARD.encode(bytes)
    });
}

/// What is put into such a text is ASCII.
fn byte(c: char) -> u8 {
    u8::try_from(u32::from(c)).unwrap_or(b'?')
}

fn text(blob: &str) -> Option<(String, Charset)> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace();
    let letters: Cow<'_, [u8]> = match blob.bytes().any(|byte| is_blank(&byte)) {
        true => blob.bytes().filter(|byte| !is_blank(byte)).collect(),
        false => Cow::Borrowed(blob.as_bytes()),
    };
    let first = letters.get(..FIRST / 3 * 4).unwrap_or(&letters);
    let first = FORGIVING.decode(first).ok()?;
    if first.is_empty() || first.iter().any(|byte| is_binary(*byte)) {
        return None;
    }
    let bytes = FORGIVING.decode(&letters).ok()?;
    Some(match String::from_utf8(bytes) {
        Ok(text) => (text, Charset::Utf8),
        Err(other) => (
            other.as_bytes().iter().copied().map(char::from).collect(),
            Charset::Latin,
        ),
    })
}

/// What no text has, in any encoding of bytes.
fn is_binary(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b)
}
