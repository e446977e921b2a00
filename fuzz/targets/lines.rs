//! Lines of a pipe: whole and in pieces they are the same, within the limit, and none is lost.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ringwall_fuzz::pieces;
use ringwall_protocol::lines::{Decoder, Line};

const LIMIT: usize = 40;

fuzz_target!(|data: &[u8]| {
    let (pieces, whole) = pieces(data);
    let expected = whole
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| line.len() > LIMIT || line.iter().any(|b| !matches!(b, b' ' | b'\t')))
        .count();
    let (lines, dropped) = read([whole.clone()]);
    assert_eq!(lines.len(), expected);
    assert_eq!(read(pieces), (lines.clone(), dropped));
    let mut noise = 0;
    for line in &lines {
        match line {
            Line::Message(line) => {
                assert!(line.len() <= LIMIT);
                let first = line.trim_ascii().first();
                assert!(matches!(first, Some(b'{' | b'[')));
            }
            Line::Noise(line) => {
                assert!(line.len() <= LIMIT);
                noise += 1;
            }
            Line::Overlong(length) => {
                assert!(*length > LIMIT);
                noise += 1;
            }
        }
    }
    assert_eq!(dropped, noise);
});

fn read(pieces: impl IntoIterator<Item = Bytes>) -> (Vec<Line>, u64) {
    let mut decoder = Decoder::new(LIMIT);
    let mut lines = Vec::new();
    for mut piece in pieces {
        while let Some(line) = decoder.feed(&mut piece) {
            lines.push(line);
        }
    }
    lines.extend(decoder.finish());
    (lines, decoder.dropped())
}
