//! Streams: every case whole and in pieces of every size.

use super::*;

fn event(id: Option<&str>, data: &str) -> Event {
    Event {
        id: id.map(str::to_owned),
        data: data.to_owned().into(),
        ..Event::default()
    }
}

fn read(text: &[u8], size: usize, limits: Limits) -> Result<Vec<Event>, SseError> {
    let mut decoder = Decoder::new(limits);
    let mut events = Vec::new();
    for piece in text.chunks(size) {
        let mut chunk = Bytes::copy_from_slice(piece);
        while let Some(event) = decoder.feed(&mut chunk)? {
            events.push(event);
        }
    }
    Ok(events)
}

fn check(text: &str, expected: &[Event]) {
    for size in 1..=text.len() {
        let events = read(text.as_bytes(), size, Limits::default());
        assert_eq!(
            events.as_deref(),
            Ok(expected),
            "{text:?} in pieces of {size}"
        );
    }
}

#[test]
fn reads_events_with_every_line_end() {
    check("data: {}\n\n", &[event(None, "{}")]);
    check("data: {}\r\n\r\n", &[event(None, "{}")]);
    check("data: {}\r\r", &[event(None, "{}")]);
    check(
        "id: 1\ndata: a\r\n\r\nid:2\rdata:b\n\n",
        &[event(Some("1"), "a"), event(Some("2"), "b")],
    );
}

#[test]
fn joins_lines_of_data() {
    check(
        "data: a\ndata: b\ndata\ndata:c\n\n",
        &[event(None, "a\nb\n\nc")],
    );
    check("data:  a\n\n", &[event(None, " a")]);
    check("data: a: b\n\n", &[event(None, "a: b")]);
}

#[test]
fn passes_over_comments_marks_and_unknown_fields() {
    check(
        ": hello\n\n:\n\ndata: x\n:c\nother: y\n\n",
        &[event(None, "x")],
    );
    check("\u{feff}data: x\n\n", &[event(None, "x")]);
    check("data: x\n\n\u{feff}data: y\n\n", &[event(None, "x")]);
    check("unknown: y\n\n", &[]);
    check("Data: y\n\n", &[]);
}

#[test]
fn gives_ids_kinds_and_retry() {
    let primed = event(Some("7"), "");
    check("id: 7\ndata:\n\n", std::slice::from_ref(&primed));
    check("id: 7\n\n", std::slice::from_ref(&primed));
    assert!(!primed.is_message());
    check("id\ndata: x\n\n", &[event(Some(""), "x")]);
    check("id: a\0b\ndata: x\n\n", &[event(None, "x")]);
    let retry = Event {
        retry: Some(1500),
        ..Event::default()
    };
    check("retry: 1500\n\n", std::slice::from_ref(&retry));
    check(
        "retry: 15s\n\nretry:\n\nretry: 99999999999999999999999\n\n",
        &[],
    );
    let endpoint = Event {
        event: Some("endpoint".into()),
        data: "/messages".into(),
        ..Event::default()
    };
    check(
        "event: endpoint\ndata: /messages\n\n",
        std::slice::from_ref(&endpoint),
    );
    assert!(!endpoint.is_message());
    assert!(event(None, "{}").is_message());
}

#[test]
fn loses_an_event_that_the_stream_does_not_finish() {
    check("data: a\n\ndata: b\n", &[event(None, "a")]);
    let mut decoder = Decoder::new(Limits::default());
    let mut chunk = Bytes::from_static(b"data: a\n\n");
    assert!(decoder.feed(&mut chunk).unwrap().is_some());
    assert!(!decoder.is_inside_event());
    let mut chunk = Bytes::from_static(b"data: b\n");
    assert!(decoder.feed(&mut chunk).unwrap().is_none());
    assert!(decoder.is_inside_event());
}

#[test]
fn refuses_a_line_longer_than_the_limit() {
    let limits = Limits {
        line: 10,
        event: 1000,
    };
    for size in 1..=30 {
        assert!(read(b"data: 6789\n\n", size, limits).is_ok());
        assert_eq!(
            read(b"data: 67890\n\n", size, limits),
            Err(SseError::Line(10))
        );
        assert_eq!(read(b":2345678901", size, limits), Err(SseError::Line(10)));
    }
}

#[test]
fn refuses_an_event_larger_than_the_limit() {
    let limits = Limits {
        line: 100,
        event: 20,
    };
    let ok = b"data: 678\ndata: 678\n\ndata: x\n\n: a comment does not count at all\n\n";
    for size in 1..=ok.len() {
        assert_eq!(read(ok, size, limits).map(|events| events.len()), Ok(2));
        let large = b"data: 678\ndata: 6789\n\n";
        assert_eq!(read(large, size, limits), Err(SseError::Event(20)));
        let empties = b"data\ndata\ndata\ndata\ndata\n\n";
        assert_eq!(read(empties, size, limits), Err(SseError::Event(20)));
    }
}

#[test]
fn stays_failed_once_it_failed() {
    let mut decoder = Decoder::new(Limits { line: 4, event: 4 });
    assert!(
        decoder
            .feed(&mut Bytes::from_static(b"data: long"))
            .is_err()
    );
    assert!(decoder.feed(&mut Bytes::from_static(b"\n\n")).is_err());
}

#[test]
fn refuses_ids_and_kinds_that_are_no_text() {
    assert_eq!(
        read(b"id: \xff\n\n", 3, Limits::default()),
        Err(SseError::Utf8)
    );
    assert_eq!(
        read(b"event: \xff\n\n", 3, Limits::default()),
        Err(SseError::Utf8)
    );
}

#[test]
fn a_single_line_of_data_is_not_copied() {
    let mut chunk = Bytes::from_static(b"data: {\"a\":1}\n\n");
    let start = chunk.slice(6..).as_ptr();
    let event = Decoder::new(Limits::default()).feed(&mut chunk).unwrap();
    assert_eq!(event.unwrap().data.as_ptr(), start);
}

#[test]
fn writes_events_that_read_back() {
    let cases = [
        (None, "{}", "data: {}\n\n"),
        (Some("3"), "{}", "id: 3\ndata: {}\n\n"),
        (
            Some("3"),
            "{\n\"a\":\r\n1}",
            "id: 3\ndata: {\ndata: \"a\":\ndata: 1}\n\n",
        ),
        (None, "a\r", "data: a\ndata: \n\n"),
        (
            Some("1\ndata: forged\r\n\n"),
            "x",
            "id: 1data: forged\ndata: x\n\n",
        ),
    ];
    for (id, data, expected) in cases {
        let mut out = Vec::new();
        write_event(id, data.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
        let events = read(&out, 3, Limits::default()).unwrap();
        assert_eq!(events.len(), 1, "{expected}");
        let joined = data.replace("\r\n", "\n").replace('\r', "\n");
        assert_eq!(events[0].data, joined.as_bytes());
    }
}

#[test]
fn writes_priming_retry_and_keep_alive() {
    let mut out = Vec::new();
    write_priming("s-0", Some(500), &mut out);
    write_retry(250, &mut out);
    write_keep_alive(&mut out);
    assert_eq!(out, b"id: s-0\nretry: 500\ndata: \n\nretry: 250\n\n:\n\n");
    let events = read(&out, 5, Limits::default()).unwrap();
    assert_eq!(events[0].retry, Some(500));
    assert_eq!(events.len(), 2);
}
