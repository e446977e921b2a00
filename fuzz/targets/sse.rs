//! The event stream: whole and in pieces it reads the same, within its limits, and what is written
//! reads back.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ringwall_fuzz::pieces;
use ringwall_protocol::sse::{Decoder, Event, Limits, SseError, write_event};

const LIMITS: Limits = Limits {
    line: 64,
    event: 160,
};

fuzz_target!(|data: &[u8]| {
    let (pieces, whole) = pieces(data);
    let (events, end) = read([whole]);
    assert_eq!(read(pieces), (events.clone(), end));
    for event in &events {
        let id = event.id.as_deref().unwrap_or_default();
        assert!(event.data.len() + id.len() <= LIMITS.event);
        assert!(!id.contains(['\n', '\r', '\0']));
        let mut written = Vec::new();
        write_event(event.id.as_deref(), &event.data, &mut written);
        let (again, _) = read([Bytes::from(written)]);
        // Written with spaces and line ends it may be longer than the limit.
        assert!(again.len() <= 1);
        for again in again {
            assert_eq!((&again.id, &again.data), (&event.id, &event.data));
        }
    }
});

fn read(pieces: impl IntoIterator<Item = Bytes>) -> (Vec<Event>, Option<SseError>) {
    let mut decoder = Decoder::new(LIMITS);
    let mut events = Vec::new();
    for mut piece in pieces {
        loop {
            match decoder.feed(&mut piece) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
        assert!(piece.is_empty());
    }
    (events, None)
}
