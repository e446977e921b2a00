//! Quoted-printable (RFC 2045 section 6.7), as mails are written.
//!
//! `=41` is code and configuration too, so a text is read so only where most of its equals signs are
//! followed by what this encoding has behind them.

use super::escape::hex;
use super::map::Kind;
use super::weave::Weaver;

/// Encoded bytes and broken lines that a text needs.
const FEWEST: usize = 2;

pub(super) fn weave(text: &str, weaver: &mut Weaver<'_>) {
    let bytes = text.as_bytes();
    let places = || memchr::memchr_iter(b'=', bytes);
    let encoded = places().filter(|at| soft_break(bytes, *at) > 0 || byte(bytes, *at).is_some());
    let encoded = encoded.count();
    if encoded < FEWEST || encoded * 2 < places().count() {
        return;
    }
    let mut done = 0;
    for at in places() {
        if at < done || weaver.is_full() {
            continue;
        }
        let broken = soft_break(bytes, at);
        if broken > 0 {
            weaver.drop(at..at + broken, Kind::Quoted);
            done = at + broken;
            continue;
        }
        if let Some((c, length)) = character(bytes, at) {
            let mut buffer = [0; 4];
            weaver.put_bytes(
                at..at + 3 * length,
                3,
                c.encode_utf8(&mut buffer),
                Kind::Quoted,
            );
            done = at + 3 * length;
        }
    }
}

/// The length of an equals sign at the end of a line, which is not in the text at all.
fn soft_break(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at + 1..) {
        Some([b'\r', b'\n', ..]) => 3,
        Some([b'\n', ..]) => 2,
        _ => 0,
    }
}

/// The byte that is written at a place. Digits are capital letters in what mail programs write.
fn byte(bytes: &[u8], at: usize) -> Option<u8> {
    let digits = bytes.get(at..)?.strip_prefix(b"=")?.get(..2)?;
    let lower = digits.iter().any(u8::is_ascii_lowercase);
    u8::try_from(hex(digits, 2).filter(|_| !lower)?).ok()
}

/// The character that is written at a place, and how many bytes of UTF-8 it has.
fn character(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let written = [0, 3, 6, 9].map(|further| byte(bytes, at + further));
    let written: Vec<u8> = written.into_iter().map_while(|byte| byte).collect();
    let chunk = written.utf8_chunks().next()?;
    let c = chunk.valid().chars().next()?;
    Some((c, c.len_utf8()))
}
