//! Every text field of every message of the schemas of MCP, one by one through the gateway: what is hidden
//! in it is found at its place and gone, or the field is one of the few that say why it does not pass.

use super::{DANGEROUS, found, strings, world};
use anyhow::{Context as _, Result};
use ringwall_tests::comes::is_so;
use ringwall_tests::mcp::Client;
use ringwall_tests::place;
use ringwall_tests::program::Command;
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::Reply;
use ringwall_tests::world::{Plan, Scripted, World};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[path = "exempt.rs"]
mod exempt;

/// The newest revision with sessions, which has tasks, and the one without sessions: both have a schema here.
const TASKS: &str = "2025-11-25";
const NEWEST: &str = "2026-07-28";

/// The revisions before those.
const OLDER: [&str; 3] = ["2024-11-05", "2025-03-26", "2025-06-18"];

/// Stands for the text in what the schemas are asked for.
const HERE: &str = "§";

/// One field of one message.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Field {
    sender: String,
    kind: String,
    method: Option<String>,
    name: String,
    /// A JSON Pointer into the params or the result.
    place: String,
    /// The least params or result with a mark in that place.
    value: Value,
}

impl Field {
    fn method(&self) -> &str {
        self.method.as_deref().unwrap_or_default()
    }

    /// The params or the result with this text, and with what has to be there for it to be understood.
    fn with(&self, text: &str, needed: &Value) -> Result<Value> {
        let quoted = Value::from(text).to_string();
        let value = self.value.to_string();
        let mut value: Value =
            serde_json::from_str(&value.replace(HERE, quoted.trim_matches('"')))?;
        self.complete(&mut value, needed, "");
        // What a stateless client says of itself with each request is for whoever sends it to say.
        for name in ["protocolVersion", "clientInfo", "clientCapabilities"] {
            let name = format!("io.modelcontextprotocol/{name}");
            let at = format!("/_meta/{}", name.replace('/', "~1"));
            let meta = value.get_mut("_meta").and_then(Value::as_object_mut);
            if let (Some(meta), false) = (meta, self.is_about(&at)) {
                meta.remove(&name);
            }
        }
        Ok(value)
    }

    /// Puts in what is needed. What this is about stays, and so does what is of another type.
    fn complete(&self, own: &mut Value, needed: &Value, at: &str) {
        for (name, inner) in needed.as_object().into_iter().flatten() {
            let Some(members) = own.as_object_mut() else {
                return;
            };
            let place = format!("{at}/{name}");
            if !self.is_about(&place) {
                members.insert(name.clone(), inner.clone());
                continue;
            }
            let is_same = |own: &&mut Value| {
                let kind = own.get("type");
                kind.is_some() && kind == inner.get("type")
            };
            if let Some(own) = members.get_mut(name).filter(is_same) {
                self.complete(own, inner, &place);
            }
        }
    }

    /// What this says, with a name of its own for whatever it defines, so that no definition is another one
    /// that changed.
    fn defined(&self, mut said: Value, number: usize) -> Value {
        for (place, name) in [
            ("/tools/0/name", format!("t{number}")),
            ("/prompts/0/name", format!("p{number}")),
            ("/resources/0/uri", format!("note://{number}")),
            (
                "/resourceTemplates/0/uriTemplate",
                format!("note://{number}/{{x}}"),
            ),
        ] {
            let own = said.pointer_mut(place).filter(|_| !self.is_about(place));
            if let Some(own) = own {
                *own = json!(name);
            }
        }
        said
    }

    /// Whether it is this, or a part of it.
    fn is_about(&self, place: &str) -> bool {
        let rest = self.place.strip_prefix(place);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Where a record has it.
    fn recorded(&self) -> String {
        let whole = match &*self.kind {
            "Result" => "/result",
            _ => "/params",
        };
        format!("{whole}{}", self.place)
    }
}

async fn fields(revision: &str) -> Result<Vec<Field>> {
    let script = place::own("py/fields.py").display().to_string();
    let python = Command::new(place::python()?);
    let told = python
        .arguments([script, revision.to_owned()])
        .run()
        .await?;
    let text = told.success()?;
    let fields: Vec<Field> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    anyhow::ensure!(fields.len() > 500, "only {} fields", fields.len());
    Ok(fields)
}

/// Everything dangerous, in one text that can be told from others, and what is left of it.
fn dangerous(number: usize) -> (String, String) {
    let hidden: String = DANGEROUS
        .iter()
        .map(|(text, _)| format!("{text}o"))
        .collect();
    let left = "o".repeat(DANGEROUS.len());
    (
        format!("m{number}be{hidden}fore"),
        format!("m{number}be{left}fore"),
    )
}

/// Whether something is left that nobody sees.
fn hides(text: &str) -> bool {
    let hidden = |c: char| {
        DANGEROUS
            .iter()
            .any(|(text, _)| text.contains(c) && (!c.is_ascii() || c.is_control()))
    };
    text.contains(hidden)
}

/// A caller of one revision, and a server of the same.
struct Pair {
    spoken: &'static str,
    world: World,
    scripted: Scripted,
    is_modern: bool,
    callers: usize,
    /// The client's word for a task of the server.
    task: String,
    session: Option<Client>,
}

impl Pair {
    async fn start(spoken: &'static str) -> Result<Self> {
        let is_modern = spoken == NEWEST;
        let (scripted, era) = match is_modern {
            true => (Scripted::modern().await?, "modern"),
            false => (Scripted::start().await?, "legacy"),
        };

        let oldest = json!({ "protocol": { "minimum": "2024-11-05" } });
        let world = world(&scripted, era, Plan::default().route(oldest)).await?;
        let mut pair = Pair {
            spoken,
            world,
            scripted,
            is_modern,
            callers: 0,
            task: String::new(),
            session: None,
        };
        pair.rests();
        if spoken == TASKS {
            pair.task = pair.begins_a_task().await?;
        }
        Ok(pair)
    }

    async fn begins_a_task(&mut self) -> Result<String> {
        self.session().await?;
        self.scripted
            .answers("tools/call", json!({ "task": begun() }));
        let params = json!({ "name": "call", "arguments": {}, "task": {} });
        let answer = self.send("tools/call", params).await?.json()?;
        let task = answer
            .pointer("/result/task/taskId")
            .and_then(Value::as_str);
        Ok(task
            .with_context(|| format!("no task: {answer}"))?
            .to_owned())
    }

    /// What the server offers and answers, unless a field is about it.
    fn rests(&self) {
        let call = json!({ "name": "call", "inputSchema": { "type": "object" },
            "execution": { "taskSupport": "optional" } });
        self.scripted.says_before("tools/call", Vec::new());
        for (method, answer) in [
            ("tools/list", json!({ "tools": [call] })),
            ("prompts/list", json!({ "prompts": [{ "name": "get" }] })),
            ("tools/call", json!({ "content": [] })),
            ("prompts/get", json!({ "messages": [] })),
            ("resources/read", json!({ "contents": [] })),
            (
                "completion/complete",
                json!({ "completion": { "values": [] } }),
            ),
        ] {
            self.scripted.answers(method, answer);
        }
        if !self.is_modern {
            let able = json!({
                "completions": {}, "logging": {}, "prompts": {}, "resources": {}, "tools": {},
                "tasks": { "cancel": {}, "requests": { "tools": { "call": {} } } }
            });
            let opened = json!({ "protocolVersion": self.spoken, "capabilities": able });
            self.scripted.answers("initialize", opened);
        }
    }

    /// Somebody whom no server has met.
    fn somebody(&mut self) -> Result<(url::Url, String)> {
        self.callers += 1;
        let token = self.world.token(&format!("user{}", self.callers))?;
        Ok((self.world.url()?, token))
    }

    async fn session(&mut self) -> Result<&Client> {
        if self.session.is_none() {
            let (url, token) = self.somebody()?;
            let mut client = Client::new(&url, Some(&token)).of(self.spoken);
            client.initialize(able()).await?;
            client.tools().await?;
            client.request("prompts/list", json!({})).await?;
            self.session = Some(client);
        }
        self.session.as_ref().context("no session")
    }

    fn stateless(&self) -> Result<Stateless> {
        let token = self.world.token("stateless")?;
        let client = Stateless::new(&self.world.url()?, Some(&token));
        Ok(client.capable(able()).logging("debug"))
    }

    async fn send(&mut self, method: &str, params: Value) -> Result<Reply> {
        match self.is_modern {
            true => self.stateless()?.send(method, params).await,
            false => self.session().await?.send(method, params).await,
        }
    }

    /// What a client hears of something that the server says.
    async fn heard(&mut self, field: &Field, said: Value) -> Result<Vec<Value>> {
        let method = field.method();
        self.rests();
        if field.kind == "Result" {
            self.scripted.answers(method, said);
            if matches!(method, "initialize" | "server/discover") {
                let (url, token) = self.somebody()?;
                let reply = match self.is_modern {
                    true => {
                        let client = Stateless::new(&url, Some(&token));
                        client.send(method, json!({})).await?
                    }
                    false => {
                        let client = Client::new(&url, Some(&token)).of(self.spoken);
                        return Ok(vec![client.initialize_with(json!({})).await?]);
                    }
                };
                return reply.messages();
            }
            let params = self.needed(method);
            if method == "subscriptions/listen" {
                // It has no end.
                drop(self.stateless()?.stream(method, params).await?);
                return Ok(Vec::new());
            }
            return self.send(method, params).await?.messages();
        }
        let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": said });
        if let (true, Some(members)) = (field.kind == "Request", message.as_object_mut()) {
            members.insert("id".to_owned(), json!("q"));
        }
        self.scripted.says_before("tools/call", vec![message]);
        let params = json!({ "name": "call", "arguments": {}, "_meta": { "progressToken": "p" } });
        let heard = self.send("tools/call", params).await?.messages()?;
        for question in heard.iter().filter(|it| it.get("method").is_some()) {
            if let (Some(id), Some(client)) = (question.get("id"), &self.session) {
                // A session has no more than a few questions open.
                let no = json!({ "code": -1, "message": "no" });
                let answer = json!({ "jsonrpc": "2.0", "id": id, "error": no });
                client.post(&answer).await?;
            }
        }
        Ok(heard)
    }

    /// What a request has to say to be understood.
    fn needed(&self, method: &str) -> Value {
        match method {
            "tasks/get" | "tasks/result" | "tasks/cancel" => json!({ "taskId": self.task }),
            "initialize" => json!({ "protocolVersion": self.spoken }),

            "tools/call" => json!({ "name": "call", "arguments": {} }),
            "prompts/get" => json!({ "name": "get" }),
            "resources/read" => json!({ "uri": "file:///r" }),
            "subscriptions/listen" => json!({ "notifications": { "toolsListChanged": true } }),
            "completion/complete" => json!({
                "ref": { "type": "ref/prompt", "name": "get" }, "argument": { "name": "a", "value": "" }
            }),
            _ => json!({}),
        }
    }

    /// What a message has to say besides, so that whoever reads it can use it.
    fn needed_by(&self, field: &Field) -> Value {
        match (&*field.sender, &*field.kind, field.method()) {
            ("client", "Request", method) => self.needed(method),
            ("server", "Result", "initialize") => json!({ "protocolVersion": self.spoken }),
            ("server", "Result", "server/discover") => {
                json!({ "supportedVersions": [NEWEST], "resultType": "complete" })
            }

            ("server", "Result", "tasks/get" | "tasks/cancel") => begun(),
            ("server", "Result", _) if field.name == "InputRequiredResult" => {
                let asks = question("roots/list");
                let asks = json!({ "method": asks.get("method"), "params": asks.get("params") });
                json!({ "resultType": "input_required", "inputRequests": { "any": asks } })
            }
            ("server", "Result", _) if field.value.get("resultType").is_some() => {
                json!({ "resultType": "complete" })
            }
            ("server", "Notification", "notifications/progress") => json!({ "progressToken": "p" }),
            ("server", "Notification", "notifications/tasks/status") => begun(),
            _ => json!({}),
        }
    }

    /// Says one field, full of what hides: whether what is left of it arrives, and what came of it. Nothing
    /// of what hides may.
    async fn says(&mut self, field: &Field, number: usize) -> Result<(bool, String)> {
        let (text, left) = dangerous(number);
        let said = field.with(&text, &self.needed_by(field))?;
        if field.sender == "server" {
            let heard = self.heard(field, field.defined(said, number)).await?;
            let all: Vec<&str> = heard.iter().flat_map(strings).collect();
            let hidden = all.iter().any(|text| hides(text));
            anyhow::ensure!(!hidden, "{field:?} passed: {heard:?}");
            let came = all.iter().any(|text| text.contains(&left));
            return Ok((came, format!("{heard:?}")));
        }
        let told = self.say(field, said).await?;
        if exempt::why(self.spoken, field).is_none() && self.is_of_a_schema() {
            let hears = is_so(async || Ok(self.scripted.heard().contains(&left))).await;
            hears.with_context(|| format!("{field:?} does not arrive: {told}"))?;
        }
        let heard = self.scripted.heard();
        let quoted = |hidden: &str| Value::from(hidden).to_string();
        let passed = DANGEROUS
            .iter()
            .any(|(it, _)| heard.contains(quoted(it).trim_matches('"')));
        anyhow::ensure!(!passed, "{field:?} passed: {heard}");
        Ok((heard.contains(&left), told))
    }

    /// Whether what is spoken has a schema here, so that it is known what arrives.
    fn is_of_a_schema(&self) -> bool {
        [TASKS, NEWEST].contains(&self.spoken)
    }

    /// Checks that each of these definitions waits for somebody to look, because it hides text.
    async fn are_held(&self, marks: &[String]) -> Result<()> {
        let list = ["tools", "list", "--waiting", "--json"];
        let waiting = self.world.gateway.with_data(&list).await?;
        let waiting: Vec<Value> = serde_json::from_str(&waiting)?;
        let waiting: Vec<String> = waiting.iter().map(Value::to_string).collect();
        let is_held = |mark: &String| {
            let mut held = waiting.iter().filter(|it| it.contains(mark));
            held.any(|it| it.contains("hides text in its definition"))
        };
        let lost: Vec<_> = marks.iter().filter(|mark| !is_held(mark)).collect();
        anyhow::ensure!(lost.is_empty(), "not held: {lost:?} of {waiting:#?}");
        Ok(())
    }

    /// Lets a client say something.
    async fn say(&mut self, field: &Field, said: Value) -> Result<String> {
        let method = field.method().to_owned();
        self.rests();

        let asked = match (&*field.kind, &*method) {
            ("Result", method) => Some(method.to_owned()),
            ("Notification", "notifications/progress" | "notifications/cancelled") => {
                Some("roots/list".to_owned())
            }
            _ => None,
        };
        if let Some(asked) = asked.filter(|_| !self.is_modern) {
            return self.while_asked(&asked, field, said).await;
        }
        if field.kind == "Notification" {
            let message = json!({ "jsonrpc": "2.0", "method": method, "params": said });
            let reply = match self.is_modern {
                true => self.stateless()?.message(&message).send().await?,
                false => self.session().await?.post(&message).await?,
            };
            return Ok(format!("{reply:?}"));
        }
        if method == "subscriptions/listen" {
            // It has no end.
            let events = self.stateless()?.stream(&method, said).await?;
            return Ok(format!("{}", events.status));
        }
        let mut said = said;
        if said.get("inputResponses").is_some() {
            said = self.asked_first(&method, said).await?;
        }
        Ok(format!("{:?}", self.send(&method, said).await?))
    }

    /// Lets a client say something while a server waits for an answer.
    async fn while_asked(&mut self, asked: &str, field: &Field, mut said: Value) -> Result<String> {
        self.scripted.waits();
        self.scripted
            .says_before("tools/call", vec![question(asked)]);
        let params = json!({ "name": "call", "arguments": {} });
        let client = self.session().await?;
        let mut events = client.stream("tools/call", params).await?;
        let call = client.last();
        let is_it =
            |it: &Value| it.get("method") == Some(&json!(asked)) || it.get("result").is_some();
        // Without a question there is no stream.
        let question = events.message(is_it).await.unwrap_or_default();
        let Some(id) = question.get("method").and_then(|_| question.get("id")) else {
            self.scripted.goes_on();
            return Ok(format!("not asked: {question}"));
        };
        let message = match &*field.kind {
            "Result" => json!({ "jsonrpc": "2.0", "id": id, "result": said }),
            _ => {
                let (name, about) = match field.method() {
                    "notifications/cancelled" => ("requestId", json!(call)),
                    _ => {
                        let token = question.pointer("/params/_meta/progressToken");
                        ("progressToken", token.cloned().unwrap_or_default())
                    }
                };
                let stays = field.place == format!("/{name}");
                if let (Some(members), false) = (said.as_object_mut(), stays) {
                    members.insert(name.to_owned(), about);
                }
                json!({ "jsonrpc": "2.0", "method": field.method(), "params": said })
            }
        };
        let told = client.post(&message).await?;
        self.scripted.goes_on();
        Ok(format!("{told:?}"))
    }

    /// The same request where the server asked for something first.
    async fn asked_first(&mut self, method: &str, mut said: Value) -> Result<Value> {
        let response = said
            .pointer("/inputResponses/any")
            .cloned()
            .unwrap_or_default();
        let asks = match (response.get("action"), response.get("roots")) {
            (Some(_), _) => "elicitation/create",
            (_, Some(_)) => "roots/list",
            _ => "sampling/createMessage",
        };
        let mut question = question(asks);
        if let Some(members) = question.as_object_mut() {
            members.remove("id");
            members.remove("jsonrpc");
        }
        let asked = json!({ "resultType": "input_required", "requestState": "s",
            "inputRequests": { "any": question } });

        self.scripted.answers(method, asked);
        let first = self.send(method, self.needed(method)).await?.json()?;
        self.rests();

        let state = first.pointer("/result/requestState");
        let state = state.with_context(|| format!("not asked: {first}"))?;
        if let Some(members) = said.as_object_mut() {
            members.insert("requestState".to_owned(), state.clone());
        }
        Ok(said)
    }
}

fn able() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": { "tools": {}, "context": {} }, "roots": {} })
}

/// A question of a server that has nothing to hide.
fn question(method: &str) -> Value {
    let params = match method {
        "elicitation/create" => json!({ "message": "m", "requestedSchema": {
            "type": "object", "properties": { "any": { "type": "string" } } } }),
        "sampling/createMessage" => json!({ "maxTokens": 1, "messages": [
            { "role": "user", "content": { "type": "text", "text": "x" } }] }),
        _ => json!({ "_meta": { "progressToken": "s" } }),
    };
    json!({ "jsonrpc": "2.0", "id": "q", "method": method, "params": params })
}

/// Every field of one revision, said by one side.
async fn every_field(revision: &'static str, sender: &str) -> Result<()> {
    let mut pair = Pair::start(revision).await?;
    let mut failed = Vec::new();
    let mut expected = BTreeSet::new();
    let mut held = Vec::new();
    let fields = fields(revision).await?;
    let of_sender = fields.iter().filter(|field| field.sender == sender);
    for (number, field) in of_sender.enumerate() {
        if field.method().is_empty() {
            continue;
        }
        let (came, told) = pair.says(field, number).await?;
        let (kind, method, place) = (&field.kind, field.method(), &field.place);
        match (exempt::why(revision, field), came) {
            (None, true) => {
                expected.insert(field.recorded());
            }
            (Some(exempt::HELD), false) => held.push(format!("m{number}be")),
            (Some(_), false) => {}
            (None, false) => {
                failed.push(format!(
                    "lost: {kind} {method} {} {place}: {told}",
                    field.name
                ));
            }
            (Some(why), true) => {
                failed.push(format!("comes, though `{why}`: {kind} {method} {place}"));
            }
        }
    }
    anyhow::ensure!(
        failed.is_empty(),
        "{} fields:\n{}",
        failed.len(),
        failed.join("\n")
    );
    anyhow::ensure!(held.is_empty() == (sender == "client"), "{held:?}");
    pair.are_held(&held).await?;
    are_found(&pair.world, &expected).await
}

/// The same of revisions of which no schema is at hand: what the newest schema with sessions has is said in
/// them, and most of it arrives, without what hides in it.
async fn every_field_in_older(sender: &str, least: usize) -> Result<()> {
    let fields = fields(TASKS).await?;
    for spoken in OLDER {
        let mut pair = Pair::start(spoken).await?;
        let mut arrived = 0;
        let of_sender = fields.iter().filter(|field| field.sender == sender);
        for (number, field) in of_sender.enumerate() {
            if !field.method().is_empty() {
                let (came, _) = pair.says(field, number).await?;
                arrived += usize::from(came);
            }
        }
        anyhow::ensure!(arrived >= least, "{spoken}: only {arrived} fields arrive");
    }
    Ok(())
}

/// A task as its server sees it.
fn begun() -> Value {
    let at = "2026-01-01T00:00:00Z";
    json!({ "taskId": "t1", "status": "working", "createdAt": at, "lastUpdatedAt": at, "ttl": null })
}

/// Waits until everything dangerous has been found in each of these places.
async fn are_found(world: &World, places: &BTreeSet<String>) -> Result<()> {
    let rules: BTreeSet<&str> = DANGEROUS.iter().map(|(_, rule)| *rule).collect();
    let mut missing = Vec::new();
    let comes = is_so(async || {
        let found: BTreeSet<(String, String)> = found(world).await?.into_iter().collect();
        let all = places
            .iter()
            .flat_map(|place| rules.iter().map(move |rule| (*rule, place)));
        missing = all
            // A name that hides something is told by the name that it has.
            .filter(|(_, place)| !place.contains(HERE))
            .filter(|(rule, place)| !found.contains(&((*rule).to_owned(), (*place).clone())))
            .map(|(rule, place)| format!("{rule} at {place}"))
            .collect();
        Ok(missing.is_empty())
    });
    let comes = comes.await;
    comes.with_context(|| format!("{} are not in the ledger: {missing:#?}", missing.len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_every_text_field_of_a_server_with_sessions_is_looked_at() -> Result<()> {
    every_field("2025-11-25", "server").await
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_every_text_field_of_a_stateless_server_is_looked_at() -> Result<()> {
    every_field("2026-07-28", "server").await
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_every_text_field_of_a_client_with_sessions_is_looked_at() -> Result<()> {
    every_field("2025-11-25", "client").await
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_every_text_field_of_a_stateless_client_is_looked_at() -> Result<()> {
    every_field("2026-07-28", "client").await
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_no_field_of_a_server_of_an_older_revision_hides_anything() -> Result<()> {
    every_field_in_older("server", 100).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_no_field_of_a_client_of_an_older_revision_hides_anything() -> Result<()> {
    every_field_in_older("client", 50).await
}
