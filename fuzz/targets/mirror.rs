//! Mirrored headers: a value reads in one way, and what is written for the arguments of a call is
//! what agrees with them, no more and no less.
//!
//! The input has three lines: a header, the schema of a tool, the arguments of a call.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ringwall_protocol::mirror::{self, Params, Sent, VALUE_MAX, Why};
use ringwall_protocol::{Document, Limits};

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let header = lines.next().unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(header) {
        value(text);
    }
    let mut read = || {
        let line = Bytes::copy_from_slice(lines.next().unwrap_or_default());
        Document::read(line, &Limits::default()).ok()
    };
    let (Some(schema), Some(arguments)) = (read(), read()) else {
        return;
    };
    let Ok(params) = Params::read(schema.root()) else {
        return;
    };
    let arguments = Some(arguments.root());
    let Ok(headers) = params.headers(arguments) else {
        return;
    };
    let sent = |name: &str| {
        let found = headers.iter().find(|(sent, _)| sent == name);
        found.map_or(Sent::Absent, |(_, value)| Sent::Once(value.as_bytes()))
    };
    assert_eq!(params.check(arguments, sent), Ok(()));
    for (left_out, value) in &headers {
        let but = |other: Sent<'static>| {
            params.check(
                arguments,
                |name| if name == left_out { other } else { sent(name) },
            )
        };
        assert_eq!(
            but(Sent::Absent).map_err(|refused| refused.why()),
            Err(Why::Missing)
        );
        assert_eq!(
            but(Sent::Repeated).map_err(|refused| refused.why()),
            Err(Why::Repeated)
        );
        // Another value passes only if it stands for the same.
        let passes = params.check(arguments, |name| {
            if name == left_out {
                Sent::Once(header)
            } else {
                sent(name)
            }
        });
        if passes.is_ok() {
            let one = mirror::decode(value).expect("we wrote it");
            let other = std::str::from_utf8(header).expect("it passed as text");
            let other = mirror::decode(other).expect("it passed");
            assert!(
                one == other || number(&one) == number(&other),
                "`{one}` and `{other}`"
            );
        }
    }
});

/// A value of a header, and a text to be one.
fn value(text: &str) {
    let encoded = mirror::encode(text);
    assert!(encoded.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
    if encoded.len() <= VALUE_MAX {
        assert_eq!(mirror::decode(&encoded).expect("we wrote it"), text);
    }
    if let Ok(decoded) = mirror::decode(text) {
        let again = mirror::encode(&decoded);
        if again.len() <= VALUE_MAX {
            assert_eq!(mirror::decode(&again).expect("we wrote it"), decoded);
        }
    }
}

fn number(text: &str) -> f64 {
    text.parse().expect("integers only are compared as numbers")
}
