//! Which fields of arguments and results go on (control P1), by tool and by what the call is for: compiled
//! once for a server on a route. Some go on as tokens. A value that loses nothing keeps every byte.

use super::data::Data;
use super::meaning::{ContentError, pattern};
use config::settled::{self, OtherText, Purpose, ToolPattern};
use controls::{Action, Finding, Severity};
use inspect::data::mark;
use inspect::projection::{Broken, Fate, Projection};
use protocol::{Document, Edits, Kind, Limits, Value, write_string};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::sync::Arc;

/// What stands where text was left out.
const NOTICE: &str = "[text left out: the operator lets only some fields of this result go on]";

/// Which fields go on, of all tools of one server on one route.
#[derive(Debug, Default)]
pub(crate) struct Minimising {
    /// What names a tool most exactly first.
    tools: Vec<(ToolPattern, Vec<Arc<Minimised>>)>,
    purpose: Option<Purpose>,
}

/// Which fields go on, for some purposes.
#[derive(Debug)]
pub(crate) struct Minimised {
    purposes: Vec<String>,
    pub(crate) arguments: Projection,
    results: Projection,
    other_text: OtherText,
}

/// There is no entry for what the call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPurpose;

impl Minimising {
    pub(crate) fn new(settled: &settled::Content) -> Result<Self, ContentError> {
        let mut tools = Vec::new();
        for (tool, entries) in &settled.minimise {
            let entries = entries.iter().map(|entry| {
                hidden_again(tool, &entry.arguments, &settled.data.reveal)?;
                Ok(Arc::new(Minimised {
                    purposes: entry.purposes.clone(),
                    arguments: projection(tool, &entry.arguments)?,
                    results: projection(tool, &entry.results)?,
                    other_text: entry.other_text,
                }))
            });
            tools.push((tool.clone(), entries.collect::<Result<_, ContentError>>()?));
        }
        tools.sort_by_key(|(tool, _): &(ToolPattern, _)| std::cmp::Reverse(super::exactness(tool)));
        Ok(Minimising {
            tools,
            purpose: settled.purpose.clone(),
        })
    }

    /// What counts for a call of this tool by a caller of whom this is claimed; nothing if all fields go on.
    pub(crate) fn of(
        &self,
        tool: &str,
        claims: &Map<String, Json>,
    ) -> Result<Option<&Arc<Minimised>>, NoPurpose> {
        let mut tools = self.tools.iter();
        let Some((_, entries)) = tools.find(|(tools, _)| tools.names(tool)) else {
            return Ok(None);
        };
        let purpose = self.purpose(claims);
        let mut entries = entries.iter();
        let counts = |entry: &&Arc<Minimised>| {
            entry.purposes.is_empty()
                || purpose.is_some_and(|purpose| entry.purposes.iter().any(|it| it == purpose))
        };
        entries.find(counts).map(Some).ok_or(NoPurpose)
    }

    /// What messages of a caller are for of whom this is claimed; nothing if nobody says.
    pub(crate) fn purpose<'a>(&'a self, claims: &'a Map<String, Json>) -> Option<&'a str> {
        match self.purpose.as_ref()? {
            Purpose::Is(purpose) => Some(purpose),
            Purpose::Claim(claim) => claims.get(claim).and_then(Json::as_str),
        }
    }

    /// Why this tool cannot be minimised as said, whatever the purpose: something that its own schemas
    /// require would be left out.
    pub(crate) fn breaks(&self, tool: &str, definition: &Json) -> Option<String> {
        let mut tools = self.tools.iter();
        let (_, entries) = tools.find(|(tools, _)| tools.names(tool))?;
        entries.iter().find_map(|entry| entry.breaks(definition))
    }
}

impl Minimised {
    /// Why a tool of this definition cannot be minimised so.
    pub(crate) fn breaks(&self, definition: &Json) -> Option<String> {
        let of = |projection: &Projection, schema: &str, what: &str| {
            let broken = projection.breaks(definition.get(schema)?);
            let first = broken.first()?;
            Some(match first {
                Broken::Dropped(_) => format!(
                    "`content.minimise` leaves `{first}` out of its {what}, which its {schema} requires"
                ),
                Broken::Token(_) => format!(
                    "`content.minimise` puts a token in the place of `{first}` of its {what}, \
                     where its {schema} lets no text be"
                ),
            })
        };
        of(&self.arguments, "inputSchema", "arguments")
            .or_else(|| of(&self.results, "outputSchema", "results"))
    }

    /// Whether everything of a result goes on.
    pub(crate) fn keeps_results(&self) -> bool {
        self.results.is_whole()
    }

    /// Takes out of one result of a tool what does not go on.
    pub(crate) fn result(
        &self,
        result: Value<'_>,
        reading: &Limits,
        stand_ins: &mut StandIns<'_>,
        edits: &mut Edits,
    ) {
        if let Some(content) = result.get("structuredContent")
            && let Some(less) = stand_ins.project(content, &self.results)
        {
            edits.replace(content.range(), less);
        }
        let failed = result.get("isError").and_then(Value::boolean) == Some(true);
        for block in result.get("content").into_iter().flat_map(Value::elements) {
            self.block((block, failed), reading, stand_ins, edits);
        }
        for (name, value) in result.members() {
            if !KNOWN.iter().any(|known| name.is(known)) {
                self.other(value, stand_ins, edits);
            }
        }
    }

    /// Does the same to what no revision of the protocol knows of a result: whoever shows a result may show
    /// this too.
    fn other(&self, value: Value<'_>, stand_ins: &mut StandIns<'_>, edits: &mut Edits) {
        let less = match value.kind() {
            Kind::Array | Kind::Object => stand_ins.project(value, &self.results),
            Kind::Boolean | Kind::Null => None,
            Kind::Number | Kind::String if self.other_text == OtherText::Keep => None,
            Kind::Number | Kind::String => {
                stand_ins.left_out += 1;
                Some(b"null".to_vec())
            }
        };
        if let Some(less) = less {
            edits.replace(value.range(), less);
        }
    }

    /// Does the same to a block of content of what failed or not. Pictures, sounds and links hold no fields.
    fn block(
        &self,
        (block, failed): (Value<'_>, bool),
        reading: &Limits,
        stand_ins: &mut StandIns<'_>,
        edits: &mut Edits,
    ) {
        let resource = block.get("resource");
        let text = match resource {
            None => block.get("text"),
            Some(resource) => resource.get("text"),
        };
        let text = text.filter(|text| text.kind() == Kind::String);
        match text.and_then(Value::text) {
            None if resource.is_none() => return,
            None => {}
            Some(said) => match json(&said, reading) {
                Some(document) => {
                    let Some(less) = stand_ins.project(document.root(), &self.results) else {
                        return;
                    };
                    if let (Some(text), Ok(less)) = (text, String::from_utf8(less)) {
                        edits.replace_string(text.range(), &less);
                        return;
                    }
                }
                // Of what failed the model has to hear why.
                None if failed && resource.is_none() => return,
                None => {}
            },
        }
        if self.other_text == OtherText::Keep {
            return;
        }
        let notice = serde_json::json!({ "type": "text", "text": NOTICE });
        edits.replace(block.range(), notice.to_string());
        stand_ins.left_out += 1;
    }
}

/// The members of results of tools, and of the tasks that hold them, in all revisions: what is treated
/// otherwise, and what tells nothing but how the call goes.
const KNOWN: [&str; 21] = [
    "_meta",
    "cacheScope",
    "content",
    "createdAt",
    "error",
    "inputRequests",
    "isError",
    "lastUpdatedAt",
    "pollInterval",
    "pollIntervalMs",
    "requestState",
    "result",
    "resultType",
    "status",
    "statusMessage",
    "structuredContent",
    "task",
    "taskId",
    "tasks",
    "ttl",
    "ttlMs",
];

/// What is turned into tokens on its way to a server, and turned back right behind that, goes on as it is.
fn hidden_again(
    tool: &ToolPattern,
    arguments: &settled::Fields,
    reveal: &[String],
) -> Result<(), ContentError> {
    let mut tokens = arguments.tokenise.iter();
    match tokens.find(|(_, label)| reveal.contains(label)) {
        None => Ok(()),
        Some((place, label)) => Err(ContentError::Revealed {
            tool: tool.clone(),
            place: place.clone(),
            label: label.clone(),
        }),
    }
}

fn projection(tool: &ToolPattern, fields: &settled::Fields) -> Result<Projection, ContentError> {
    let patterns = |places: &[String]| {
        let read = places.iter().map(|place| pattern(tool, place));
        read.collect::<Result<Vec<_>, _>>()
    };
    let keep = fields.keep.as_deref().map(patterns).transpose()?;
    let drop = patterns(&fields.drop)?;
    let tokens = fields.tokenise.iter();
    let tokens = tokens.map(|(place, label)| Ok((pattern(tool, place)?, label.as_str())));
    let tokens = tokens.collect::<Result<Vec<_>, ContentError>>()?;
    let tokens = tokens.iter().map(|(place, label)| (place, *label));
    Ok(Projection::new(keep.as_deref(), &drop, tokens))
}

/// The object or array that a text is.
pub(super) fn json(text: &str, reading: &Limits) -> Option<Document> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    Document::read(text.to_owned().into(), reading).ok()
}

/// What stands in the place of fields, and how much of a message was changed so far.
#[derive(Debug)]
pub(crate) struct StandIns<'c> {
    data: Option<&'c Data>,
    tokens: u32,
    left_out: u32,
}

impl<'c> StandIns<'c> {
    pub(super) fn of(data: Option<&'c Data>) -> Self {
        StandIns {
            data,
            tokens: 0,
            left_out: 0,
        }
    }

    /// What goes on of a value, as JSON; nothing if all of it does.
    pub(crate) fn project(&mut self, value: Value<'_>, projection: &Projection) -> Option<Vec<u8>> {
        if projection.is_whole() {
            return None;
        }
        let mut less = Vec::with_capacity(value.raw().len());
        if !write(value, &projection.begin(), self, &mut less) {
            self.left_out += 1;
            let nothing: &[u8] = match value.kind() {
                Kind::Array => b"[]",
                Kind::Object => b"{}",
                _ => b"null",
            };
            less.extend_from_slice(nothing);
        }
        (less != value.raw()).then_some(less)
    }

    /// What was done, never to what: fields that were left out, and those for which a token stands.
    pub(crate) fn findings(
        &self,
        rule: &'static str,
        place: &'static str,
    ) -> impl Iterator<Item = Finding> + use<> {
        let done = [
            (rule, self.left_out, Action::Remove),
            ("minimise.tokens", self.tokens, Action::Tokenise),
        ];
        let done = done.into_iter().filter(|(_, count, _)| *count > 0);
        done.map(move |(rule, count, action)| Finding {
            control: controls::P1,
            rule: Cow::Borrowed(rule),
            severity: Severity::Info,
            place: Cow::Borrowed(place),
            count,
            action,
        })
    }

    /// Writes a token in the place of a text or a number; false if there can be none. `null` says nothing
    /// that a token would hide.
    fn write(&mut self, value: Value<'_>, label: &str, out: &mut Vec<u8>) -> bool {
        let text = match value.kind() {
            Kind::String => value.text(),
            Kind::Number => std::str::from_utf8(value.raw()).ok().map(Cow::Borrowed),
            Kind::Null => {
                out.extend_from_slice(value.raw());
                return true;
            }
            Kind::Array | Kind::Boolean | Kind::Object => None,
        };
        let Some(text) = text else {
            return false;
        };
        let stands = match self.data {
            Some(data) => data.stand_in(label, &text),
            None => mark(label),
        };
        self.tokens += u32::from(*stands != *text);
        match value.kind() == Kind::String && *stands == *text {
            true => out.extend_from_slice(value.raw()),
            false => write_string(&stands, out),
        }
        true
    }
}

/// Writes what goes on of a value; false if nothing does. Depth is bounded by that of the document.
fn write(
    value: Value<'_>,
    fate: &Fate<'_>,
    stand_ins: &mut StandIns<'_>,
    out: &mut Vec<u8>,
) -> bool {
    let inside = match fate {
        Fate::Drop => return false,
        Fate::Tokenise(label) => return stand_ins.write(value, label, out),
        Fate::Keep => {
            out.extend_from_slice(value.raw());
            return true;
        }
        Fate::Within(inside) => inside,
    };
    let begin = out.len();
    let mut whole = true;
    let mut separated = false;
    let mut each = |out: &mut Vec<u8>, name: &[u8], inner: Value<'_>, fate: &Fate<'_>| {
        let before = out.len();
        if separated {
            out.push(b',');
        }
        out.extend_from_slice(name);
        let from = out.len();
        let written = write(inner, fate, stand_ins, out);
        if written {
            whole &= out.get(from..) == Some(inner.raw());
            separated = true;
        } else {
            whole = false;
            stand_ins.left_out += 1;
            out.truncate(before);
        }
    };
    match value.kind() {
        Kind::Array => {
            out.push(b'[');
            for (at, item) in value.elements().enumerate() {
                each(out, b"", item, &inside.item(at));
            }
            out.push(b']');
        }
        Kind::Object => {
            out.push(b'{');
            for (key, member) in value.members() {
                let mut name = vec![b'"'];
                name.extend_from_slice(key.raw());
                name.extend_from_slice(b"\":");
                each(out, &name, member, &inside.member(&key.decoded()));
            }
            out.push(b'}');
        }
        _ => return write(value, &inside.leaf(), stand_ins, out),
    }
    if whole {
        // All of it goes on, so it does as it was written.
        out.truncate(begin);
        out.extend_from_slice(value.raw());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn minimising(entries: Json) -> Minimising {
        let text = format!(
            "version: 1\nlisteners: [{{ address: '127.0.0.1:0' }}]\n\
             issuers: [{{ issuer: 'https://id.example.com' }}]\n\
             servers: [{{ name: s, http: {{ url: 'https://mcp.example.com/mcp' }}, content: {{ minimise: {entries} }} }}]\n\
             routes: [{{ path: /s, server: s }}]\n"
        );
        let (settled, _) = config::load(&text).unwrap();
        let server = settled.servers.first().unwrap();
        let content = settled::Content {
            purpose: Some(Purpose::Claim("why".into())),
            ..server.content.clone()
        };
        Minimising::new(&content).unwrap()
    }

    fn document(text: &str) -> Document {
        Document::read(text.to_owned().into(), &Limits::default()).unwrap()
    }

    fn result(entries: Json, text: &str) -> String {
        let minimising = minimising(json!({ "t": [entries] }));
        let entry = minimising.of("t", &Map::new()).unwrap().unwrap();
        let document = document(text);
        let mut edits = Edits::new();
        let mut stand_ins = StandIns::of(None);
        entry.result(
            document.root(),
            &Limits::default(),
            &mut stand_ins,
            &mut edits,
        );
        let bytes = document.apply(&edits).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn p1_what_goes_on_keeps_every_byte() {
        for (keep, drop, before, after) in [
            (None, vec![], r#"{"a" : 1.0}"#, r#"{"a" : 1.0}"#),
            (
                None,
                vec!["/x"],
                r#"{"a" : 1.0, "b":[ 2 ]}"#,
                r#"{"a" : 1.0, "b":[ 2 ]}"#,
            ),
            (
                None,
                vec!["/b"],
                r#"{"a" : 1e2, "b":[ 2 ]}"#,
                r#"{"a":1e2}"#,
            ),
            (
                Some(vec!["/b"]),
                vec![],
                r#"{"a" : 1, "b":[ 2.50 , {} ]}"#,
                r#"{"b":[ 2.50 , {} ]}"#,
            ),
            (
                Some(vec!["/a/b"]),
                vec![],
                r#"{"a":{"b":"\u0041","c":1},"d":2}"#,
                r#"{"a":{"b":"\u0041"}}"#,
            ),
            (
                Some(vec!["/*/id"]),
                vec![],
                r#"[{"id":1,"x":2},3,{"id":4}]"#,
                r#"[{"id":1},{"id":4}]"#,
            ),
            (None, vec!["/a~1b"], r#"{"a/b":1,"c":2}"#, r#"{"c":2}"#),
            (None, vec!["/ab"], r#"{"a\u0062":1,"c":2}"#, r#"{"c":2}"#),
            (Some(vec![]), vec![], r#"{"a":1}"#, "{}"),
            (Some(vec![]), vec![], "[1]", "[]"),
            (Some(vec!["/a"]), vec![], "7", "null"),
        ] {
            let read = |places: Vec<&str>| -> Vec<_> {
                let parse = |place: &str| inspect::pointer::Pattern::parse(place).unwrap();
                places.into_iter().map(parse).collect()
            };
            let keep = keep.map(read);
            let projection = Projection::new(keep.as_deref(), &read(drop), []);
            let document = document(before);
            let less = StandIns::of(None).project(document.root(), &projection);
            let less = less.map_or(before.to_owned(), |less| String::from_utf8(less).unwrap());
            assert_eq!(less, after, "{before}");
        }
    }

    #[test]
    fn p1_no_field_leaks_in_the_text_beside_it() {
        let entry = json!({ "results": { "keep": ["/id"] } });
        let kept =
            r#"{"content":[{"type":"text","text":"{\"id\":1}"}],"structuredContent":{"id":1}}"#;
        assert_eq!(result(entry.clone(), kept), kept);
        for text in [
            r#"{"content":[{"type":"text","text":"{\"id\": 1, \"ssn\": \"078-05\"}"}],"structuredContent":{"id":1,"ssn":"078-05"}}"#,
            r#"{"content":[{"type":"text","text":"[{\"ssn\": \"078-05\"}]"}]}"#,
            r#"{"content":[{"type":"text","text":"The number is 078-05."}],"structuredContent":{"id":1}}"#,
            r#"{"content":[{"type":"text","text":"\"078-05\""}]}"#,
            r#"{"content":[{"type":"resource","resource":{"uri":"a:b","text":"078-05"}}]}"#,
            r#"{"content":[{"type":"resource","resource":{"uri":"a:b","text":"{\"ssn\":\"078-05\"}"}}]}"#,
            r#"{"content":[{"type":"resource","resource":{"uri":"a:b","blob":"MDc4LTA1"}}]}"#,
            r#"{"content":[{"type":"text","text":"{\"ssn\": \"078-05\"}"}],"isError":true}"#,
            r#"{"toolResult":{"ssn":"078-05"},"content":[]}"#,
            r#"{"tool\u0052esult":[{"ssn":"078-05"}]}"#,
            r#"{"answer":"078-05","structuredContent":{"id":1}}"#,
        ] {
            let less = result(entry.clone(), text);
            assert!(
                !less.contains("078-05") && !less.contains("MDc4"),
                "{text}: {less}"
            );
            document(&less);
        }
        let failed = r#"{"content":[{"type":"text","text":"no such customer"}],"isError":true}"#;
        assert_eq!(result(entry, failed), failed);
        let keeps = json!({ "results": { "keep": ["/id"] }, "other_text": "keep" });
        let prose = r#"{"content":[{"type":"text","text":"prose"}],"also":"prose"}"#;
        assert_eq!(result(keeps, prose), prose);
    }

    #[test]
    fn p1_a_token_stands_for_a_text_or_a_number_and_for_nothing_else() {
        let data = |tokens: Option<&Arc<super::super::Tokens>>| {
            let mut data = Data::new(&settled::Data::default(), &"/all".into()).unwrap();
            if let Some(tokens) = tokens {
                data.keyed(tokens);
            }
            data
        };
        let tokens = super::super::Tokens::ephemeral().unwrap();
        let (keyed, unkeyed) = (data(Some(&tokens)), data(None));
        let place = inspect::pointer::Pattern::parse("/a").unwrap();
        let projection = Projection::new(None, [], [(&place, "personal.email")]);
        let projected = |data: &Data, text: &str| {
            let document = document(text);
            let mut stand_ins = StandIns::of(Some(data));
            let less = stand_ins.project(document.root(), &projection);
            let less = less.map_or(text.to_owned(), |less| String::from_utf8(less).unwrap());
            (less, stand_ins.tokens, stand_ins.left_out)
        };
        let token = keyed.stand_in("personal.email", "x@y.test");
        let number = keyed.stand_in("personal.email", "4.50");
        let other = keyed.stand_in("personal.phone", "x@y.test");
        for (before, after, counts) in [
            (r#"{"b": 1}"#.to_owned(), r#"{"b": 1}"#.to_owned(), (0, 0)),
            (
                r#"{"a": "x@\u0079.test", "b": 1}"#.to_owned(),
                format!(r#"{{"a":"{token}","b":1}}"#),
                (1, 0),
            ),
            (
                r#"{"a": 4.50}"#.to_owned(),
                format!(r#"{{"a":"{number}"}}"#),
                (1, 0),
            ),
            (
                r#"{"a": null}"#.to_owned(),
                r#"{"a": null}"#.to_owned(),
                (0, 0),
            ),
            (r#"{"a": {"c": 1}}"#.to_owned(), "{}".to_owned(), (0, 1)),
            (r#"{"a": ["x"]}"#.to_owned(), "{}".to_owned(), (0, 1)),
            (r#"{"a": true}"#.to_owned(), "{}".to_owned(), (0, 1)),
            // What is a token already is not put into another one.
            (
                format!(r#"{{"a": "{token}"}}"#),
                format!(r#"{{"a": "{token}"}}"#),
                (0, 0),
            ),
            (
                format!(r#"{{"a": "{}"}}"#, "x".repeat(2000)),
                format!(r#"{{"a":"{}"}}"#, mark("personal.email")),
                (1, 0),
            ),
        ] {
            let (less, tokens, left_out) = projected(&keyed, &before);
            assert_eq!((less, (tokens, left_out)), (after, counts), "{before}");
        }
        let (less, ..) = projected(&keyed, &format!(r#"{{"a": "{other}"}}"#));
        assert!(!less.contains(&other), "{less}");
        let (less, ..) = projected(&unkeyed, r#"{"a": "x@y.test"}"#);
        assert_eq!(less, format!(r#"{{"a":"{}"}}"#, mark("personal.email")));
    }

    #[test]
    fn p1_a_call_for_no_known_purpose_has_no_entry() {
        let minimising = minimising(json!({
            "find": [{ "purposes": ["support"], "results": { "keep": ["/id"] } }],
            "fi*": [{ "purposes": ["billing"] }, {}],
        }));
        let claims = |purpose: Json| Map::from_iter([("why".to_owned(), purpose)]);
        let found = |tool: &str, purpose: Json| {
            let entry = minimising.of(tool, &claims(purpose));
            entry.map(|entry| entry.map(|entry| entry.purposes.clone()))
        };
        let of = |purpose: &str| Ok(Some(vec![purpose.to_owned()]));
        assert_eq!(found("find", json!("support")), of("support"));
        assert_eq!(found("find", json!("billing")), Err(NoPurpose));
        assert_eq!(found("find", json!(["support"])), Err(NoPurpose));
        assert_eq!(found("fill", json!("billing")), of("billing"));
        assert_eq!(found("fill", json!("other")), Ok(Some(vec![])));
        assert_eq!(found("other", json!("other")), Ok(None));
        assert_eq!(minimising.of("find", &Map::new()).unwrap_err(), NoPurpose);
    }

    #[test]
    fn p1_what_a_schema_requires_cannot_be_left_out() {
        let minimising = minimising(json!({
            "t": [{ "arguments": { "drop": ["/a"] }, "results": { "keep": ["/id"] } }],
        }));
        let broken = |input: Json, output: Json| {
            let definition = json!({ "inputSchema": { "required": input }, "outputSchema": { "required": output } });
            minimising.breaks("t", &definition)
        };
        assert_eq!(broken(json!(["b"]), json!(["id"])), None);
        assert!(
            broken(json!(["a"]), json!([]))
                .unwrap()
                .contains("`/a` out of its arguments")
        );
        assert!(
            broken(json!([]), json!(["id", "name"]))
                .unwrap()
                .contains("`/name` out of its results")
        );
        assert_eq!(minimising.breaks("other", &json!({})), None);
    }
}
