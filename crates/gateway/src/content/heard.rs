//! What detectors read of a message: the words and the data of arguments and answers, as the parts before
//! have left them. Nothing of the envelope, and nothing that the parties tell each other about themselves.

use super::role::Within;
use super::{Passage, Role, Toward};
use crate::providers::Surface;
use protocol::Value;

/// Names of members longer than this are no names, but something to read.
const NAME_BYTES: usize = 32;

/// What of the parameters of a call, a question or a notice is something that somebody says.
const SAID: [&str; 16] = [
    "argument",
    "arguments",
    "data",
    "inputRequests",
    "inputResponses",
    "logger",
    "message",
    "messages",
    "reason",
    "requestedSchema",
    "result",
    "statusMessage",
    "systemPrompt",
    "task",
    "tools",
    "url",
];

/// What a message is to detectors.
pub(super) fn surface(root: Value<'_>, toward: Toward) -> Surface {
    if toward == Toward::Server {
        return Surface::Arguments;
    }
    match (root.get("method"), root.get("id")) {
        (Some(_), Some(_)) => Surface::Questions,
        // Whoever asks in an answer is heard as one who answers, too, and so is a notice with a result in it.
        _ if asks(root) || comes_to(root) => Surface::Asking,
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

/// Whether a notice says what a task came to.
fn comes_to(root: Value<'_>) -> bool {
    let params = root.get("params");
    params.is_some_and(|params| params.get("result").is_some())
}

/// Puts a text before those who are asked about it.
pub(super) fn treat(passage: &mut Passage<'_, '_>) {
    if !is_said(passage) {
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

/// Whether a text is what members are called, and nothing to read.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= NAME_BYTES
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(&byte))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::content::{Content, Toward};
    use crate::providers::{Detector, Local, Member, Panel, Reading, Said};
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

    const CALL: &str = r#"{"jsonrpc":"2.0","id":"an id of the client","method":"tools/call","params":
            {"name":"note","_meta":{"progressToken":"token","who":"the client"},
             "arguments":{"text":"one","inner":{"a/b":["two\u200b",3,{"_meta":"four"}],"this key is much longer than any name":"three"}}}}"#;
    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"one","_meta":{"m":"not"}},
            {"type":"image","mimeType":"image/png","data":"aGVsbG8="},
            {"type":"resource_link","uri":"file:///two","name":"n","description":"three"}],
            "structuredContent":{"x":"four","_meta":{"y":"five"}},"isError":false,"_meta":{"m":"not"}}}"#;
    const ERROR: &str =
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"one","data":"two"}}"#;
    const FORM: &str = r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"one",
            "requestedSchema":{"type":"object","properties":{"key":{"type":"string","title":"two","description":"three"}}}}}"#;
    const SAMPLE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"maxTokens":3,
            "systemPrompt":"one","messages":[{"role":"user","content":{"type":"text","text":"two"}}],"_meta":{"m":"not"}}}"#;
    const LOG: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","logger":"two","data":{"a":"one"}}}"#;
    const CANCELLED: &str = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"not","reason":"one"}}"#;
    const TASK: &str = r#"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"t","status":"working","statusMessage":"one"}}"#;
    const WANTS: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"q":
            {"method":"elicitation/create","params":{"message":"one"}}}}}"#;
    const DONE: &str = r#"{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"t","status":"completed",
        "result":{"content":[{"type":"text","text":"one"}]}}}"#;
    const PRETENDS: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"one"}],"inputRequests":{}}}"#;
    const ESCAPED: &str =
        r#"{"jsonrpc":"2.0","id":1,"r\u0065sult":{"\u0063ontent":[{"type":"text","text":"one"}]}}"#;
    const OTHER: &str =
        r#"{"method":"tools/call","par\u0061ms":{"\u0061rguments":{"a":"one"},"x":"not"}}"#;
    const UNKNOWN: &str =
        r#"{"jsonrpc":"2.0","id":1,"result":{"ignore all that":1,"then":{"_meta":"one"}}}"#;

    const WHOLE: (Toward, Surface) = (Toward::Model, Surface::Results);
    const QUESTION: (Toward, Surface) = (Toward::Model, Surface::Questions);
    const NOTICE: (Toward, Surface) = (Toward::Model, Surface::Notices);
    const ASKING: (Toward, Surface) = (Toward::Model, Surface::Asking);

    /// A message, where it goes and what it is, what is read of it, and the place of the last of that.
    type Row<'t> = (&'t str, (Toward, Surface), &'t str, &'t str);

    const ROWS: &[Row<'static>] = &[
        (
            ANSWER,
            WHOLE,
            "one\nfile:///two\nn\nthree\nx\nfour\n_meta\ny\nfive",
            "/result/structuredContent/_meta/y",
        ),
        (ERROR, WHOLE, "one\ntwo", "/error/data"),
        (
            FORM,
            QUESTION,
            "one\ntwo\nthree",
            "/params/requestedSchema/properties/key/description",
        ),
        (
            SAMPLE,
            QUESTION,
            "one\ntwo",
            "/params/messages/0/content/text",
        ),
        (ESCAPED, WHOLE, "one", "/result/content/0/text"),
        (UNKNOWN, WHOLE, "ignore all that\none", "/result/then/_meta"),
        (
            OTHER,
            (Toward::Server, Surface::Arguments),
            "a\none",
            "/params/arguments/a",
        ),
        (LOG, NOTICE, "two\na\none", "/params/data/a"),
        (CANCELLED, NOTICE, "one", "/params/reason"),
        (
            CANCELLED,
            (Toward::Server, Surface::Arguments),
            "one",
            "/params/reason",
        ),
        (TASK, NOTICE, "one", "/params/statusMessage"),
        (
            WANTS,
            ASKING,
            "one",
            "/result/inputRequests/q/params/message",
        ),
        (DONE, ASKING, "one", "/params/result/content/0/text"),
        (PRETENDS, ASKING, "one", "/result/content/0/text"),
    ];

    #[test]
    fn n1_3_detectors_read_what_is_said_and_not_the_envelope() {
        let key = "this key is much longer than any name";
        let long = format!("text\none\ninner\na/b\ntwo\n_meta\nfour\n{key}\nthree");
        let inner = format!("/params/arguments/inner/{key}");
        let call: Row<'_> = (CALL, (Toward::Server, Surface::Arguments), &long, &inner);
        for (text, (toward, surface), expected, last) in ROWS.iter().copied().chain([call]) {
            let document =
                Document::read(Bytes::from(text.to_owned()), &Limits::default()).unwrap();
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

    #[test]
    fn n1_3_what_is_kept_of_a_message_for_detectors_is_not_much_larger_than_it() {
        let texts = vec!["a"; 2000];
        let key = "k".repeat(100_000);
        let message = serde_json::json!({ "result": { "structuredContent": { key: texts } } });
        let document = Document::read(message.to_string().into(), &Limits::default()).unwrap();
        let looked = content(&[Surface::Results]).look(&document, Toward::Model);
        let (_, reading) = looked.reading.unwrap();
        let places = (0..reading.text().len()).map(|at| reading.place(&(at..at + 1)).len());
        assert!(places.max().unwrap() <= crate::content::PLACE);
    }
}
