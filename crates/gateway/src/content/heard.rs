//! What detectors read of a message: the words and the data of arguments and answers, as the parts before
//! have left them. Nothing of the envelope, and nothing that the parties tell each other about themselves.

use super::role::Within;
use super::{Passage, Role};
use crate::providers::Panel;

/// Names of members longer than this are no names, but something to read.
const NAME_BYTES: usize = 32;

/// Puts a text before those who are asked about it.
pub(super) fn treat(passage: &mut Passage<'_, '_>, panel: &Panel) {
    if !panel.hears(passage.toward().surface()) || !is_said(passage) {
        return;
    }
    let is_read = match (passage.role(), passage.region()) {
        (_, Within::Meta) | (Role::Blob | Role::Wire, _) => false,
        // Whoever is to read data reads what its members are called.
        (Role::Name, Within::Shape) => !is_name(passage.text()),
        _ => true,
    };
    if is_read {
        passage.read_out();
    }
}

/// Whether it is something that somebody says: all of an answer, and some of a request's parameters.
fn is_said(passage: &Passage<'_, '_>) -> bool {
    let mut names = passage.names();
    let Some(first) = names.next() else {
        return false;
    };
    if !first.is("params") {
        return first.is("result") || first.is("error");
    }
    names
        .next()
        .is_some_and(|second| SAID.iter().any(|name| second.is(name)))
}

const SAID: [&str; 7] = [
    "argument",
    "arguments",
    "data",
    "inputResponses",
    "message",
    "messages",
    "systemPrompt",
];

/// Whether a text is what members are called, and nothing to read.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= NAME_BYTES
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Content, Toward};
    use crate::providers::{Detector, Local, Member, Reading, Said, Surface};
    use bytes::Bytes;
    use config::settled::HiddenText;
    use controls::Mode;
    use protocol::{Document, Limits};
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

    fn content(on: &[Surface]) -> Content {
        let member = Member {
            detector: Detector::Local(Arc::new(Silent)),
            on: on.to_vec(),
            mode: Mode::Warn,
        };
        let panel = Panel::new(vec![member], BTreeMap::default());
        Content::of_nobody(HiddenText::Remove).heard_by(panel)
    }

    fn read(content: &Content, text: &str, toward: Toward) -> Reading {
        let limits = Limits::default();
        let document = Document::read(Bytes::from(text.to_owned()), &limits).unwrap();
        content.look(&document, toward).reading
    }

    #[test]
    fn n1_3_detectors_read_what_is_said_and_not_the_envelope() {
        let call = r#"{"jsonrpc":"2.0","id":"an id of the client","method":"tools/call","params":
            {"name":"note","_meta":{"progressToken":"token","who":"the client"},
             "arguments":{"text":"one","inner":{"a/b":["two\u200b",3,{"_meta":"four"}],"this key is much longer than any name":"three"}}}}"#;
        let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"one","_meta":{"m":"not"}},
            {"type":"image","mimeType":"image/png","data":"aGVsbG8="},
            {"type":"resource_link","uri":"file:///two","name":"n","description":"three"}],
            "structuredContent":{"x":"four","_meta":{"y":"five"}},"isError":false,"_meta":{"m":"not"}}}"#;
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"one","data":"two"}}"#;
        let escaped = r#"{"jsonrpc":"2.0","id":1,"r\u0065sult":{"\u0063ontent":[{"type":"text","text":"one"}]}}"#;
        let other =
            r#"{"method":"tools/call","par\u0061ms":{"\u0061rguments":{"a":"one"},"x":"not"}}"#;
        let unknown =
            r#"{"jsonrpc":"2.0","id":1,"result":{"ignore all that":1,"then":{"_meta":"one"}}}"#;
        let key = "this key is much longer than any name";
        let long = format!("text\none\ninner\na/b\ntwo\n_meta\nfour\n{key}\nthree");
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
                "one\nfile:///two\nthree\nx\nfour\n_meta\ny\nfive",
                "/result/structuredContent/_meta/y".into(),
            ),
            (error, Toward::Model, "one\ntwo", "/error/data".into()),
            (
                escaped,
                Toward::Model,
                "one",
                "/result/content/0/text".into(),
            ),
            (
                other,
                Toward::Server,
                "a\none",
                "/params/arguments/a".into(),
            ),
            (
                unknown,
                Toward::Model,
                "ignore all that\none",
                "/result/then/_meta".into(),
            ),
        ] {
            let reading = read(
                &content(&[Surface::Arguments, Surface::Results]),
                text,
                toward,
            );
            assert_eq!(reading.text(), expected);
            let end = reading.text().len();
            assert_eq!(reading.place(&(end - 1..end)), last);
            let other = match toward {
                Toward::Model => Surface::Arguments,
                Toward::Server => Surface::Results,
            };
            assert!(read(&content(&[other]), text, toward).is_empty());
        }
    }

    #[test]
    fn n1_3_what_is_kept_of_a_message_for_detectors_is_not_much_larger_than_it() {
        let texts = vec!["a"; 2000];
        let key = "k".repeat(100_000);
        let message = serde_json::json!({ "result": { "structuredContent": { key: texts } } });
        let reading = read(
            &content(&[Surface::Results]),
            &message.to_string(),
            Toward::Model,
        );
        let places = (0..reading.text().len()).map(|at| reading.place(&(at..at + 1)).len());
        assert!(places.max().unwrap() <= crate::content::PLACE);
    }
}
