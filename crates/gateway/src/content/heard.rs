//! What detectors read of a message: the words and the data of arguments and answers, as the parts before
//! have left them. Nothing of the envelope, and nothing that the parties tell each other about themselves.

use super::{Passage, Role};
use crate::providers::{Panel, Reading};
use protocol::{Document, Kind, Value};

/// Names of members longer than this are no names, but something to read.
const NAME_BYTES: usize = 32;

/// The texts that were seen, each with the byte at which it began in the message.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<(usize, String)>);

/// Keeps a text that somebody is asked about.
pub(super) fn treat(passage: &mut Passage<'_, '_>, panel: &Panel) {
    if !panel.hears(passage.toward().surface()) {
        return;
    }
    let is_read = match passage.role() {
        Role::Address | Role::Failure | Role::Structured | Role::Text | Role::Words => true,
        Role::Name => passage.text().len() > NAME_BYTES,
        Role::Blob | Role::Wire => false,
    };
    if is_read {
        passage.keep();
    }
}

impl Kept {
    pub(super) fn push(&mut self, at: usize, text: String) {
        self.0.push((at, text));
    }

    /// The texts of arguments and answers, with their places. One walk for all of them.
    pub(super) fn reading(self, document: &Document) -> Reading {
        let mut reading = Reading::default();
        let mut kept = self.0.into_iter().peekable();
        let mut place = String::new();
        visit(document.root(), &mut place, &mut |at, place| {
            // What lies before this string was kept of a part that is not read.
            while kept.peek().is_some_and(|(begin, _)| *begin < at) {
                kept.next();
            }
            if let Some((_, text)) = kept.next_if(|(begin, _)| *begin == at) {
                reading.push(place.to_owned(), &text);
            }
        });
        reading
    }
}

/// Every string that is read, in the order of the text, with its place.
fn visit(root: Value<'_>, place: &mut String, see: &mut impl FnMut(usize, &str)) {
    for (key, value) in root.members() {
        match key.raw() {
            b"result" => within(key.raw(), value, place, see),
            b"error" => within(key.raw(), value, place, see),
            b"params" => {
                let arguments = value.members();
                let arguments = arguments.filter(|(key, _)| is_said(key.raw()));
                for (name, value) in arguments {
                    place.push_str("/params");
                    within(name.raw(), value, place, see);
                    place.clear();
                }
            }
            _ => {}
        }
    }
}

/// What of a request's parameters is something that somebody says.
fn is_said(name: &[u8]) -> bool {
    matches!(
        name,
        b"arguments"
            | b"argument"
            | b"inputResponses"
            | b"message"
            | b"messages"
            | b"systemPrompt"
            | b"data"
    )
}

fn within(name: &[u8], value: Value<'_>, place: &mut String, see: &mut impl FnMut(usize, &str)) {
    // What the parties tell each other about themselves.
    if name == b"_meta" {
        return;
    }
    let end = place.len();
    push(place, &String::from_utf8_lossy(name));
    descend(value, place, see);
    place.truncate(end);
}

fn descend(value: Value<'_>, place: &mut String, see: &mut impl FnMut(usize, &str)) {
    let end = place.len();
    match value.kind() {
        Kind::String => see(value.range().start, place),
        Kind::Array => {
            for (index, element) in value.elements().enumerate() {
                push(place, &index.to_string());
                descend(element, place, see);
                place.truncate(end);
            }
        }
        Kind::Object => {
            for (key, inner) in value.members() {
                see(key.range().start, place);
                within(key.raw(), inner, place, see);
            }
        }
        Kind::Boolean | Kind::Null | Kind::Number => {}
    }
}

/// Adds a token to a JSON Pointer (RFC 6901).
fn push(place: &mut String, token: &str) {
    place.push('/');
    for c in token.chars() {
        match c {
            '~' => place.push_str("~0"),
            '/' => place.push_str("~1"),
            c => place.push(c),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::content::{Content, Toward};
    use crate::providers::{Detector, Local, Member, Said, Surface};
    use bytes::Bytes;
    use config::settled::HiddenText;
    use controls::Mode;
    use protocol::Limits;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    #[derive(Debug)]
    struct Silent;

    impl Local for Silent {
        fn name(&self) -> &str {
            "silent"
        }

        fn judge(&self, _: Surface, _: &Reading) -> Vec<Said> {
            Vec::new()
        }
    }

    /// Somebody who hears these and says nothing.
    pub(in crate::content) fn panel(on: &[Surface]) -> Panel {
        let member = Member {
            detector: Detector::Local(Arc::new(Silent)),
            on: on.to_vec(),
            mode: Mode::Warn,
        };
        Panel::new(vec![member], BTreeMap::default())
    }

    fn content(on: &[Surface]) -> Content {
        Content::of_nobody(HiddenText::Remove).heard_by(panel(on))
    }

    #[test]
    fn n1_3_detectors_read_what_is_said_and_not_the_envelope() {
        let call = r#"{"jsonrpc":"2.0","id":"an id of the client","method":"tools/call","params":
            {"name":"note","_meta":{"progressToken":"token","who":"the client"},
             "arguments":{"text":"one","inner":{"a/b":["two\u200b",3,{"_meta":"not"}],"this key is much longer than any name":"three"}}}}"#;
        let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"one"},
            {"type":"image","mimeType":"image/png","data":"aGVsbG8="},
            {"type":"resource_link","uri":"file:///two","name":"n","description":"three"}],
            "structuredContent":{"x":"four"},"isError":false,"_meta":{"m":"not"}}}"#;
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"one","data":"two"}}"#;
        let key = "this key is much longer than any name";
        let long = format!("one\ntwo\n{key}\nthree");
        for (text, toward, expected, last) in [
            (
                call,
                Toward::Server,
                &*long,
                format!("/params/arguments/inner/{key}"),
            ),
            (
                answer,
                Toward::Model,
                "one\nfile:///two\nthree\nfour",
                "/result/structuredContent/x".into(),
            ),
            (error, Toward::Model, "one\ntwo", "/error/data".into()),
        ] {
            let limits = Limits::default();
            let document = Document::read(Bytes::from(text.to_owned()), &limits).unwrap();
            let both = content(&[Surface::Arguments, Surface::Results]);
            let reading = both.look(&document, toward).reading;
            assert_eq!(reading.text(), expected);
            let end = reading.text().len();
            assert_eq!(reading.place(&(end - 1..end)), last);
            let other = match toward {
                Toward::Model => Surface::Arguments,
                Toward::Server => Surface::Results,
            };
            assert!(content(&[other]).look(&document, toward).reading.is_empty());
        }
    }
}
