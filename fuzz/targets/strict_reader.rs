//! The strict reader, the envelope and edits against `serde_json`.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ringwall_fuzz::rebuilt;
use ringwall_protocol::{
    Document, Edits, FlawKind, Limits, Message, Method, Revision, Sender, Shape, write,
};

fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::copy_from_slice(data);
    let oracle: Result<serde_json::Value, _> = serde_json::from_slice(data);
    let document = match Document::read(bytes.clone(), &Limits::default()) {
        Ok(document) => document,
        Err(flaw) => {
            assert!(flaw.offset <= data.len());
            assert!(!breaks_a_rule(flaw.kind) || oracle.is_err(), "{flaw}");
            return;
        }
    };
    assert_eq!(
        rebuilt(document.root()),
        oracle.expect("we read what the oracle refuses")
    );
    look(&document);
    edit(&document);
    for revision in Revision::ALL {
        let batch = Message::read_batch(document.clone(), revision.rules(), &Limits::default());
        for message in batch.into_iter().flatten() {
            judge(&message, *revision);
        }
    }
});

/// Rules of JSON itself, which the oracle holds as well; limits and our own rules it does not know.
fn breaks_a_rule(kind: FlawKind) -> bool {
    use FlawKind::*;
    matches!(
        kind,
        Empty
            | ByteOrderMark
            | Unexpected
            | Unterminated
            | Trailing
            | ControlCharacter
            | Escape
            | LoneSurrogate
            | Utf8
            | Number
    )
}

fn look(document: &Document) {
    let mut plain = true;
    for string in document.strings() {
        let raw = string.raw();
        let is_plain = raw.iter().all(|b| (0x20..0x7f).contains(b) && *b != b'\\');
        assert_eq!(string.is_plain(), is_plain);
        assert_eq!(string.range().len(), raw.len() + 2);
        plain &= is_plain;
    }
    assert_eq!(document.is_plain(), plain);
    // A walk from the root each: the last ones are enough.
    if let Some(string) = document.strings().last() {
        let found = document
            .root()
            .at(&string.pointer())
            .expect("its own pointer");
        assert_eq!(found.index(), string.value_index());
    }
}

fn edit(document: &Document) {
    let mut same = Edits::new();
    let mut anew = Edits::new();
    for string in document.strings() {
        same.replace(string.range(), document.bytes().slice(string.range()));
        anew.replace_string(string.range(), &string.decoded());
    }
    let applied = document.apply(&same).expect("strings do not overlap");
    assert_eq!(applied, document.bytes());
    let written = document.apply(&anew).expect("strings do not overlap");
    let again = Document::read(written, &Limits::default()).expect("what we write we read");
    assert_eq!(rebuilt(again.root()), rebuilt(document.root()));
}

fn judge(message: &Message, revision: Revision) {
    let method = message.method();
    assert_eq!(method.is_empty(), message.shape() == Shape::Response);
    for sender in [Sender::Client, Sender::Server] {
        if let Some(row) = Method::find(method, revision, sender) {
            row.target(message.params());
        }
    }
    let Some(id) = message.id() else {
        return;
    };
    let answer = Document::read(write::result(&id, b"{}"), &Limits::default()).expect("an answer");
    let answer = Message::read(answer).expect("an answer");
    assert_eq!(answer.id(), Some(id));
}
