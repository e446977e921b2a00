//! What detectors read of a message: the words and the data of arguments and answers, as the parts before
//! have left them. Nothing of the envelope, and nothing that the parties tell each other about themselves.

use super::{Passage, Role, Toward};
use crate::providers::{Reading, Surface};
use protocol::{Document, Kind, Value};

/// Names of members longer than this are no names, but something to read.
const NAME_BYTES: usize = 32;

/// The texts that were seen, each with the byte at which it began in the message.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<(usize, String)>);

/// What a message is to detectors.
pub(super) fn surface(root: Value<'_>, toward: Toward) -> Surface {
    if toward == Toward::Server {
        return Surface::Arguments;
    }
    match (root.get("method"), root.get("id")) {
        (Some(_), Some(_)) => Surface::Questions,
        // Whoever asks in an answer is heard as one who answers, too.
        _ if asks(root) => Surface::Asking,
        (Some(_), None) => Surface::Notices,
        (None, _) => Surface::Results,
    }
}

/// Whether a result, or a task that is told of, waits for answers (section 2.6).
fn asks(root: Value<'_>) -> bool {
    let holders = ["result", "params"]
        .into_iter()
        .filter_map(|name| root.get(name));
    let mut holders = holders.flat_map(|it| [Some(it), it.get("task"), it.get("result")]);
    holders.any(|it| it.is_some_and(|it| it.get("inputRequests").is_some()))
}

/// Keeps a text that somebody is asked about.
pub(super) fn treat(passage: &mut Passage<'_, '_>) {
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

/// What of the parameters of a call, a question or a notice is something that somebody says.
fn is_said(name: &[u8]) -> bool {
    matches!(
        name,
        b"argument"
            | b"arguments"
            | b"data"
            | b"inputRequests"
            | b"inputResponses"
            | b"message"
            | b"messages"
            | b"requestedSchema"
            | b"result"
            | b"statusMessage"
            | b"systemPrompt"
            | b"task"
            | b"tools"
            | b"url"
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
    use crate::providers::{Detector, Local, Member, Panel, Said};
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
        let form = r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"one",
            "requestedSchema":{"type":"object","properties":{"key":{"type":"string","title":"two","description":"three"}}}}}"#;
        let sample = r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"maxTokens":3,
            "systemPrompt":"one","messages":[{"role":"user","content":{"type":"text","text":"two"}}],"_meta":{"m":"not"}}}"#;
        let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":{"a":"one"}}}"#;
        let task = r#"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"t","status":"working","statusMessage":"one"}}"#;
        let wants = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"q":
            {"method":"elicitation/create","params":{"message":"one"}}}}}"#;
        let pretends = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"one"}],"inputRequests":{}}}"#;
        let key = "this key is much longer than any name";
        let long = format!("one\ntwo\n{key}\nthree");
        let whole = (Toward::Model, Surface::Results);
        let question = (Toward::Model, Surface::Questions);
        let notice = (Toward::Model, Surface::Notices);
        let asking = (Toward::Model, Surface::Asking);
        let inner = format!("/params/arguments/inner/{key}");
        for (text, (toward, surface), expected, last) in [
            (call, (Toward::Server, Surface::Arguments), &*long, &*inner),
            (
                answer,
                whole,
                "one\nfile:///two\nthree\nfour",
                "/result/structuredContent/x",
            ),
            (error, whole, "one\ntwo", "/error/data"),
            (
                form,
                question,
                "one\ntwo\nthree",
                "/params/requestedSchema/properties/key/description",
            ),
            (
                sample,
                question,
                "one\ntwo",
                "/params/messages/0/content/text",
            ),
            (log, notice, "one", "/params/data/a"),
            (task, notice, "one", "/params/statusMessage"),
            (
                wants,
                asking,
                "one",
                "/result/inputRequests/q/params/message",
            ),
            (pretends, asking, "one", "/result/content/0/text"),
        ] {
            let limits = Limits::default();
            let document = Document::read(Bytes::from(text.to_owned()), &limits).unwrap();
            let look = |on: &[Surface]| content(on).look(&document, toward).reading;
            let named = match surface {
                Surface::Asking => Surface::Results,
                named => named,
            };
            let (of, reading) = look(&[named]).unwrap();
            assert_eq!((of, reading.text()), (surface, expected), "{text}");
            let end = reading.text().len();
            assert_eq!(reading.place(&(end - 1..end)), last);
            let all = [
                Surface::Arguments,
                Surface::Results,
                Surface::Questions,
                Surface::Notices,
            ];
            // Whoever pretends to ask is heard by everybody who hears a server.
            let others = all.into_iter().filter(|it| *it != named);
            for other in others {
                let hears = surface == Surface::Asking && other != Surface::Arguments;
                assert_eq!(look(&[other]).is_some(), hears, "{other:?}: {text}");
            }
        }
    }
}
