//! One party of each era, inventing what it may say; the bridge between them; and after every step
//! the question whether the other party got something legal.

use crate::invent::{Inventor, Tape};
use crate::official::official;
use bytes::Bytes;
use proptest::prelude::*;
use ringwall_protocol::bridge::{self, *};
use ringwall_protocol::{Document, Era, Id, Limits, Message, Method, Revision, Sender, Value};
use serde_json::json;
use std::collections::HashSet;

/// What clients of both eras ask for.
const METHODS: &[&str] = &[
    "tools/call",
    "tools/list",
    "prompts/get",
    "prompts/list",
    "resources/read",
    "resources/list",
    "resources/templates/list",
    "completion/complete",
];
const MODERN: Revision = Revision::V2026_07_28;
const OURS: &[u8] = br#"{"name":"gateway","version":"9"}"#;

pub(crate) fn message(bytes: &Bytes) -> Message {
    let document = Document::read(bytes.clone(), &Limits::default()).unwrap();
    Message::read(document).unwrap_or_else(|flaw| panic!("{flaw} in {bytes:?}"))
}

fn parsed(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Reads what the bridge made, and fails unless it is legal.
fn legal(revision: Revision, bytes: &Bytes, asked: Option<&str>) -> Message {
    official(revision).check_message(&parsed(bytes), asked);
    message(bytes)
}

/// The members that are not named are there as they were, byte for byte, and no others are.
fn same_but(before: Option<Value<'_>>, after: Option<Value<'_>>, but: &[&str]) {
    let kept = |value: Option<Value<'_>>| -> Vec<(String, Vec<u8>)> {
        let members = value.into_iter().flat_map(Value::members);
        let members =
            members.map(|(key, value)| (key.decoded().into_owned(), value.raw().to_vec()));
        members
            .filter(|(name, _)| !but.contains(&name.as_str()))
            .collect()
    };
    assert_eq!(kept(before), kept(after));
}

/// A modern client and a legacy server, or the other way round.
struct Talk<'t> {
    tape: &'t mut Tape,
    client: Revision,
    server: Revision,
    requests: i64,
}

impl Talk<'_> {
    fn client(&mut self) -> Inventor<'_> {
        Inventor {
            revision: self.client,
            tape: self.tape,
        }
    }

    fn server(&mut self) -> Inventor<'_> {
        Inventor {
            revision: self.server,
            tape: self.tape,
        }
    }

    fn era(revision: Revision) -> Era {
        revision.rules().era
    }

    /// What somebody wrote, with or without blanks in it, which must be legal to begin with.
    fn said(
        &mut self,
        revision: Revision,
        value: &serde_json::Value,
        asked: Option<&str>,
    ) -> Message {
        official(revision).check_message(value, asked);
        let text = match self.tape.one_in(2) {
            true => serde_json::to_vec_pretty(value).unwrap(),
            false => serde_json::to_vec(value).unwrap(),
        };
        message(&text.into())
    }

    fn run(&mut self) {
        let capabilities = self.greet();
        for _ in 0..=self.tape.below(3) {
            let method = *self.tape.pick(METHODS);
            self.call(method, &capabilities);
        }
        self.listen();
    }

    /// The handshake, or what stands for it. Gives the client's capabilities as the server gets them.
    fn greet(&mut self) -> Bytes {
        let id = Id::from(1);
        let welcome = match Self::era(self.server) {
            Era::Legacy => {
                let mut result = self.server().of("InitializeResult");
                set(&mut result, "protocolVersion", json!(self.server.date()));
                let answer = json!({"jsonrpc": "2.0", "id": 1, "result": result});
                Welcome::of_initialize(&self.said(self.server, &answer, Some("initialize")))
            }
            Era::Modern => {
                let mut result = self.server().of("DiscoverResult");
                set(&mut result, "resultType", json!("complete"));
                set(
                    &mut result,
                    "supportedVersions",
                    json!([self.server.date()]),
                );
                let answer = json!({"jsonrpc": "2.0", "id": 1, "result": result});
                Welcome::of_discover(&self.said(self.server, &answer, Some("server/discover")))
            }
        };
        let welcome = welcome.unwrap();
        let several = [("one", &welcome), ("two", &welcome)];
        let count = 1 + self.tape.below(2);
        let offer = Offer {
            welcomes: several.get(..count).unwrap(),
            own: OURS,
            lesson: None,
            has_prompts: false,
        };
        match Self::era(self.client) {
            Era::Legacy => {
                let told = initialize_result(&id, self.client, &offer);
                legal(self.client, &told, Some("initialize"));
            }
            Era::Modern => {
                let told = discover_result(&id, &[self.client], &offer);
                legal(self.client, &told, Some("server/discover"));
            }
        }
        let declared = self.client().of("ClientCapabilities").to_string();
        let declared = Document::read(declared.into(), &Limits::default()).unwrap();
        let era = Self::era(self.server);
        let told = client_capabilities(Some(declared.root()), self.client, era);
        official(self.server).check("ClientCapabilities", &parsed(&told));
        let told = Document::read(told, &Limits::default()).unwrap();
        // Nothing is claimed that the client did not claim.
        for need in [
            Need::ElicitationForm,
            Need::ElicitationUrl,
            Need::Roots,
            Need::Sampling,
            Need::SamplingTools,
        ] {
            assert!(
                !need.is_in(told.root()) || need.is_in(declared.root()),
                "{need:?}"
            );
        }
        told.bytes().clone()
    }

    /// A request of the client, with what every request of its era carries.
    fn request(&mut self, method: &str, more: &serde_json::Value) -> Message {
        let mut params = self.client().params(method);
        if !params.is_object() {
            params = json!({});
        }
        if self.tape.one_in(2) && Self::era(self.client) == Era::Legacy {
            let token = json!({"progressToken": "p", "traceparent": "00-0"});
            set(&mut params, "_meta", token);
        }
        if let Some(version) = params.pointer_mut("/_meta/io.modelcontextprotocol~1protocolVersion")
        {
            *version = json!(MODERN.date());
        }
        for name in ["inputResponses", "requestState", "task"] {
            params.as_object_mut().unwrap().remove(name);
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            set(&mut params, name, value.clone());
        }
        let request = json!({"jsonrpc": "2.0", "id": "mine", "method": method, "params": params});
        self.said(self.client, &request, None)
    }

    /// The request as it goes to the server.
    fn upward(
        &mut self,
        request: &Message,
        capabilities: &Bytes,
        retry: Option<&Retry<'_>>,
    ) -> Message {
        self.requests += 1;
        let (id, token) = (Id::from(self.requests), Id::from("token"));
        let relabel = Relabel {
            id: Some(&id),
            token: Some(&token),
        };
        let sent = match (Self::era(self.server), Self::era(self.client)) {
            (Era::Legacy, Era::Legacy) => request_same_era(request, &relabel),
            (Era::Legacy, Era::Modern) => request_for_legacy(request, &relabel),
            (Era::Modern, _) => {
                let stamp = Stamp {
                    capabilities,
                    client_info: self.tape.one_in(2).then_some(OURS),
                    log_level: self.tape.one_in(2).then_some("info"),
                };
                request_for_modern(request, &relabel, &stamp, retry)
            }
        };
        let sent = legal(self.server, &sent.unwrap(), None);
        assert_eq!((sent.method(), sent.id()), (request.method(), Some(id)));
        same_but(
            request.params(),
            sent.params(),
            &["_meta", "inputResponses", "requestState"],
        );
        let meta = |message: &Message| -> Vec<(String, Vec<u8>)> {
            let members = message.meta().into_iter().flat_map(Value::members);
            let members =
                members.map(|(key, value)| (key.decoded().into_owned(), value.raw().to_vec()));
            members
                .filter(|(name, _)| !name.starts_with("io.modelcontextprotocol/"))
                .filter(|(name, _)| name != "progressToken")
                .collect()
        };
        assert_eq!(meta(&sent), meta(request));
        assert_eq!(
            sent.progress_token().is_some(),
            request.progress_token().is_some()
        );
        let reserved = |message: &Message| {
            let members = message.meta().into_iter().flat_map(Value::members);
            let mut names = members.map(|(key, _)| key.decoded().into_owned());
            names.any(|name| name.starts_with("io.modelcontextprotocol/"))
        };
        assert_eq!(reserved(&sent), Self::era(self.server) == Era::Modern);
        sent
    }

    /// One call, with whatever happens before its answer.
    fn call(&mut self, method: &'static str, capabilities: &Bytes) {
        let request = self.request(method, &json!({}));
        let mut sent = self.upward(&request, capabilities, None);
        for _ in 0..self.tape.below(4) {
            self.notices();
            let may_ask = ["tools/call", "prompts/get", "resources/read"].contains(&method);
            match Self::era(self.server) {
                Era::Legacy => self.asked_by_legacy(&request),
                Era::Modern if may_ask => {
                    if let Some(again) = self.asked_by_modern(&request, &sent, capabilities) {
                        sent = again;
                    }
                }
                Era::Modern => {}
            }
        }
        match self.tape.one_in(3) {
            true => self.failed(method, &sent),
            false => self.answered(method, &sent),
        }
    }

    /// A legacy server asks in a request: its question travels in a result, the answer in a retry.
    fn asked_by_legacy(&mut self, request: &Message) {
        let choices = ["elicitation/create", "sampling/createMessage", "roots/list"];
        let method = *self.tape.pick(&choices);
        let params = self.server().params(method);
        let asking = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let asking = self.said(self.server, &asking, None);
        let question = question_of_legacy("q-1", &asking).unwrap();
        let params = Document::read(question.params.clone(), &Limits::default()).unwrap();
        same_but(
            asking.params(),
            Some(params.root()),
            &["_meta", "task", "elicitationId"],
        );
        let id = request.id().unwrap();
        let asked = input_required(&id, std::slice::from_ref(&question), "sealed", Some(OURS));
        let asked = legal(self.client, &asked, Some(request.method()));
        assert_eq!(questions(&asked).unwrap(), [question]);
        if !["tools/call", "prompts/get", "resources/read"].contains(&request.method()) {
            return;
        }
        // The client answers what the server's revision has words for, and the server gets it.
        let answer = self.answer_to(self.server, method);
        official(self.client).check("InputResponse", &answer);
        let more = json!({"requestState": "sealed", "inputResponses": {"q-1": answer}});
        let retry = self.request(request.method(), &more);
        assert_eq!(client_state(&retry).unwrap().as_deref(), Some("sealed"));
        let brought = inputs(&retry).unwrap();
        let [(key, input)] = brought.as_slice() else {
            panic!("{brought:?}")
        };
        assert_eq!(&**key, "q-1");
        legal(
            self.server,
            &response_for_legacy(&Id::from(7), input),
            Some(method),
        );
    }

    /// Two of one era: nothing is translated, and still nothing may become illegal.
    fn run_same_era(&mut self) {
        let capabilities = self.client().of("ClientCapabilities");
        let capabilities = Bytes::from(capabilities.to_string());
        for _ in 0..=self.tape.below(3) {
            let method = *self.tape.pick(METHODS);
            let request = self.request(method, &json!({}));
            let sent = self.upward(&request, &capabilities, None);
            let id = parsed(sent.id().unwrap().raw());
            if self.client == MODERN && ["tools/call", "prompts/get"].contains(&method) {
                self.asked_same_era(method, &id);
            }
            let name = official(self.server).result_of(method);
            let mut result = self.server().of(&name);
            if self.server == MODERN {
                set(&mut result, "resultType", json!("complete"));
            }
            let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
            let answer = self.said(self.server, &answer, Some(method));
            let made = self.downward(&answer, method);
            let but = ["_meta", "cacheScope"];
            same_but(answer.result(), made.result(), &but);
        }
    }

    fn asked_same_era(&mut self, method: &str, id: &serde_json::Value) {
        let mut result = self.server().of("InputRequiredResult");
        set(&mut result, "resultType", json!("input_required"));
        set(&mut result, "requestState", json!("theirs"));
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
        let answer = self.said(self.server, &answer, Some(method));
        let mine = Id::from("mine");
        let asked = self.asked(method);
        let made = answer_asking_same_era(&answer, &mine, "ours", &asked).unwrap();
        let made = legal(self.client, &made, Some(method));
        same_but(answer.result(), made.result(), &["_meta", "requestState"]);
        assert_eq!(
            bridge::request_state(&made).as_deref(),
            Some(&b"\"ours\""[..])
        );
    }

    fn answer_to(&mut self, revision: Revision, method: &str) -> serde_json::Value {
        let name = official(revision).result_of(method);
        let tape = &mut *self.tape;
        Inventor { revision, tape }.of(&name)
    }

    /// A modern server asks in a result: each question travels as a request, the answers in a retry.
    /// None: the client's revision has no words for a question.
    fn asked_by_modern(
        &mut self,
        request: &Message,
        sent: &Message,
        capabilities: &Bytes,
    ) -> Option<Message> {
        let mut result = self.server().of("InputRequiredResult");
        set(&mut result, "resultType", json!("input_required"));
        if result.get("inputRequests").is_none() {
            set(&mut result, "requestState", json!("\u{7f}s/\u{e9}\""));
        }
        let id = parsed(sent.id().unwrap().raw());
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
        let answer = self.said(self.server, &answer, Some(request.method()));
        let method = Method::find(request.method(), MODERN, Sender::Client).unwrap();
        assert_eq!(
            result_kind(&answer, method, false),
            ResultKind::InputRequired
        );
        let asked = Asked {
            method,
            revision: self.client,
            server_info: None,
        };
        let early = answer_for_legacy(&answer, &request.id().unwrap(), &asked);
        assert_eq!(early, Err(BridgeError::NotComplete));
        let mut answers: Vec<(Box<str>, Bytes)> = Vec::new();
        for question in questions(&answer).unwrap() {
            let id = Id::from("ask");
            let made = question_for_legacy(&question, &id, self.client, Some("e-1"));
            let made = match made {
                Err(BridgeError::NotIn(revision)) => {
                    assert!(revision < Revision::V2025_11_25, "{question:?}");
                    return None;
                }
                made => legal(self.client, &made.unwrap(), None),
            };
            assert_eq!(made.method(), &*question.method);
            let answer = self.answer_to(self.client, &question.method);
            let answer = json!({"jsonrpc": "2.0", "id": "ask", "result": answer});
            let answer = self.said(self.client, &answer, Some(&question.method));
            let input = input_of_legacy(&question, &answer).unwrap();
            answers.push((question.key, input));
        }
        let state = bridge::request_state(&answer);
        let retry = Retry {
            inputs: &answers,
            state: state.as_deref(),
        };
        let again = self.upward(request, capabilities, Some(&retry));
        let back = again.params().and_then(|params| params.get("requestState"));
        assert_eq!(back.map(Value::raw), state.as_deref());
        assert_eq!(inputs(&again).unwrap(), answers);
        Some(again)
    }

    /// Whatever the server tells meanwhile.
    fn notices(&mut self) {
        let rows = Method::of(self.server, Sender::Server);
        let names: Vec<&str> = rows
            .filter(|row| row.name.starts_with("notifications/"))
            .map(|row| row.name)
            .filter(|name| official(self.server).name_of(name).is_some())
            .collect();
        let name = *self.tape.pick(&names);
        let params = self.server().params(name);
        let told = json!({"jsonrpc": "2.0", "method": name, "params": params});
        let told = self.said(self.server, &told, None);
        let (token, request, listen) = (Id::from("p"), Id::from("mine"), Id::from("listen"));
        let change = NoticeChange {
            sender: Sender::Server,
            to: self.client,
            token: Some(&token),
            request: Some(&request),
            subscription: match Self::era(self.client) {
                Era::Legacy => Subscription::Remove,
                Era::Modern => Subscription::Set(&listen),
            },
        };
        let Some(made) = notice(&told, &change).unwrap() else {
            let exists = Method::find(name, self.client, Sender::Server).is_some();
            assert!(
                !exists || name == "notifications/cancelled",
                "{name} was dropped"
            );
            return;
        };
        let made = legal(self.client, &made, None);
        let but = ["_meta", "progressToken", "requestId"];
        same_but(told.params(), made.params(), &but);
        let member = made
            .meta()
            .and_then(|meta| meta.get("io.modelcontextprotocol/subscriptionId"));
        assert_eq!(member.is_some(), Self::era(self.client) == Era::Modern);
    }

    fn asked(&self, method: &str) -> Asked<'static> {
        Asked {
            method: Method::find(method, self.client, Sender::Client).unwrap(),
            revision: self.client,
            server_info: Some(OURS),
        }
    }

    /// The answer as it goes to the client.
    fn downward(&self, answer: &Message, method: &str) -> Message {
        let (id, asked) = (Id::from("mine"), self.asked(method));
        let made = match (Self::era(self.server), Self::era(self.client)) {
            (Era::Modern, Era::Legacy) => answer_for_legacy(answer, &id, &asked),
            (Era::Legacy, Era::Modern) => answer_for_modern(answer, &id, &asked),
            (Era::Modern, Era::Modern) | (Era::Legacy, Era::Legacy) => {
                answer_same_era(answer, &id, &asked)
            }
        };
        let made = legal(self.client, &made.unwrap(), Some(method));
        assert_eq!(made.id(), Some(id));
        made
    }

    fn answered(&mut self, method: &str, sent: &Message) {
        let name = official(self.server).result_of(method);
        let mut result = self.server().of(&name);
        if Self::era(self.server) == Era::Modern {
            set(&mut result, "resultType", json!("complete"));
            self.add_newer_schemas(&mut result);
        }
        let id = parsed(sent.id().unwrap().raw());
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
        let answer = self.said(self.server, &answer, Some(method));
        let made = self.downward(&answer, method);
        let of_envelope = ["_meta", "resultType", "ttlMs", "cacheScope"];
        let of_content = ["content", "structuredContent", "tools"];
        let but = [&of_envelope[..], &of_content].concat();
        same_but(answer.result(), made.result(), &but);
        let count = |message: &Message, list: &str| {
            let list = message.result().and_then(|result| result.get(list));
            list.map_or(0, Value::count)
        };
        assert!(count(&made, "content") >= count(&answer, "content"));
        let hidden = answer.result().and_then(|result| result.get("tools"));
        let hidden = hidden.into_iter().flat_map(Value::elements);
        let hidden = hidden.filter(|tool| needs_core_tasks(*tool)).count();
        match Self::era(self.client) {
            Era::Modern => {
                assert_eq!(count(&made, "tools") + hidden, count(&answer, "tools"));
                let result = made.result().unwrap();
                assert_eq!(result.get("resultType").unwrap().raw(), b"\"complete\"");
                let scope = result.get("cacheScope").map(Value::raw);
                assert!(scope.is_none_or(|scope| scope == b"\"private\""));
            }
            Era::Legacy => assert_eq!(count(&made, "tools"), count(&answer, "tools")),
        }
    }

    /// Properties of a schema may be `true` and `false` since 2026-07-28.
    fn add_newer_schemas(&mut self, result: &mut serde_json::Value) {
        let tools = result
            .get_mut("tools")
            .and_then(serde_json::Value::as_array_mut);
        for tool in tools.into_iter().flatten() {
            for (name, chances) in [("inputSchema", 2), ("outputSchema", 3)] {
                let schema = tool
                    .get_mut(name)
                    .and_then(serde_json::Value::as_object_mut);
                let Some(schema) = schema.filter(|_| self.tape.one_in(chances)) else {
                    continue;
                };
                let properties = json!({"a": true, "b": false, "c": {"type": "string"}});
                schema.insert("properties".to_owned(), properties);
                let kind = *self.tape.pick(&["object", "array"]);
                if name == "outputSchema" {
                    schema.insert("type".to_owned(), json!(kind));
                }
            }
        }
    }

    fn failed(&mut self, method: &str, sent: &Message) {
        let codes = [
            -32002, -32042, -32602, -32601, -32603, -32020, -32021, -32022, -32000, -32050, 7,
        ];
        let code = *self.tape.pick(&codes);
        let mut error = json!({"code": code, "message": "m"});
        let data = match code {
            -32042 => {
                let page = self.elicitation_url();
                json!({"elicitations": [page]})
            }
            -32021 => json!({"requiredCapabilities": {"roots": {}}}),
            -32022 => json!({"requested": "a", "supported": []}),
            _ => self.server().anything(0),
        };
        set(&mut error, "data", data);
        let id = parsed(sent.id().unwrap().raw());
        let answer = json!({"jsonrpc": "2.0", "id": id, "error": error});
        let answer = self.said(self.server, &answer, Some(method));
        if let Some(pages) = url_elicitations(&answer) {
            let asked = input_required(&Id::from("mine"), &pages, "sealed", None);
            if Self::era(self.client) == Era::Modern {
                legal(self.client, &asked, Some("tools/call"));
            }
        }
        let made = self.downward(&answer, method);
        let code = made
            .error()
            .and_then(|error| error.get("code")?.integer())
            .unwrap();
        match Self::era(self.client) {
            Era::Modern => assert!(![-32002, -32042, -32020, -32022].contains(&code), "{code}"),
            Era::Legacy => assert!(!(-32099..=-32020).contains(&code), "{code}"),
        }
    }

    fn elicitation_url(&mut self) -> serde_json::Value {
        json!({"mode": "url", "message": "m", "url": "https://a.example/", "elicitationId": "e"})
    }

    /// What the client listens to, and what it is told of it.
    fn listen(&mut self) {
        let modern = [self.client, self.server].contains(&MODERN);
        assert!(modern, "one side is modern");
        let tape = &mut *self.tape;
        let filter = Inventor {
            revision: MODERN,
            tape,
        }
        .of("SubscriptionFilter");
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN.date(),
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({"_meta": meta, "notifications": filter});
        let request =
            json!({"jsonrpc": "2.0", "id": 4, "method": "subscriptions/listen", "params": params});
        let request = self.said(MODERN, &request, None);
        let wanted = wish(&request).unwrap();
        let id = Id::from("l");
        let told = legal(MODERN, &acknowledged(&id, &wanted), None);
        assert_eq!(honoured(&told).unwrap(), wanted);
        let stamp = Stamp {
            capabilities: b"{}",
            client_info: None,
            log_level: None,
        };
        let asked = legal(MODERN, &listen_request(&id, &wanted, &stamp), None);
        assert_eq!(wish(&asked).unwrap(), wanted);
        let done = listen_done(&id, Some(OURS));
        legal(MODERN, &done, Some("subscriptions/listen"));
        let once: HashSet<_> = wanted.uris.iter().collect();
        let doubled = wanted.union(&wanted);
        assert!(doubled.uris.iter().all(|uri| once.contains(uri)));
    }
}

fn set(object: &mut serde_json::Value, name: &str, value: serde_json::Value) {
    object
        .as_object_mut()
        .unwrap()
        .insert(name.to_owned(), value);
}

pub(crate) fn tape() -> impl Strategy<Value = Tape> {
    prop::collection::vec(any::<u16>(), 0..400).prop_map(Tape::new)
}

fn legacy() -> impl Strategy<Value = Revision> {
    prop_oneof![Just(Revision::V2025_06_18), Just(Revision::V2025_11_25)]
}

proptest! {
    #[test]
    fn a_modern_client_and_a_legacy_server_understand_each_other(
        mut tape in tape(),
        server in legacy(),
    ) {
        let tape = &mut tape;
        Talk { tape, client: MODERN, server, requests: 0 }.run();
    }

    #[test]
    fn a_legacy_client_and_a_modern_server_understand_each_other(
        mut tape in tape(),
        client in legacy(),
    ) {
        let tape = &mut tape;
        Talk { tape, client, server: MODERN, requests: 0 }.run();
    }

    #[test]
    fn two_of_one_era_understand_each_other(
        mut tape in tape(),
        party in prop_oneof![legacy(), Just(MODERN)],
    ) {
        let tape = &mut tape;
        Talk { tape, client: party, server: party, requests: 0 }.run_same_era();
    }
}
