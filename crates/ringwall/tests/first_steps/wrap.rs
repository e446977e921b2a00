//! `ringwall wrap`: a local client and a local server, with the gateway between them.

use crate::program::{RINGWALL, Talk, run};
use serde_json::{Value, json};
use std::path::Path;

/// A local client.
struct Client {
    talk: Talk,
    last: u64,
    heard: Vec<Value>,
}

impl Client {
    /// Starts the demo's workshop behind the wrapper, and greets it.
    fn greeting(folder: &Path, wrap: &[&str], server: &[&str]) -> Self {
        let mut client = Client::silent(folder, wrap, server);
        let said = client.ask("initialize", json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
        }));
        assert_eq!(said["result"]["serverInfo"]["name"], "workshop", "{said}");
        client
            .talk
            .say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        client
    }

    /// Starts the demo's workshop behind the wrapper, and says nothing yet.
    fn silent(folder: &Path, wrap: &[&str], server: &[&str]) -> Self {
        let mut arguments = vec!["wrap"];
        arguments.extend(wrap);
        arguments.extend(["--", RINGWALL, "demo-server", "workshop"]);
        arguments.extend(server);
        Client {
            talk: Talk::start(&arguments, folder),
            last: 0,
            heard: Vec::new(),
        }
    }

    /// Asks as a client of the stateless era does: each request says it all.
    fn ask_alone(&mut self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        self.ask(method, params)
    }

    fn send(&mut self, method: &str, params: Value) -> u64 {
        self.last += 1;
        self.talk.say(
            &json!({ "jsonrpc": "2.0", "id": self.last, "method": method, "params": params })
                .to_string(),
        );
        self.last
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        loop {
            let message = self.talk.message().expect("an answer");
            if message.get("method").is_none() {
                assert_eq!(message["id"], id, "{message}");
                return message;
            }
            self.heard.push(message);
        }
    }

    /// Waits until the server has said this unasked.
    fn hear(&mut self, method: &str) {
        while !self.heard.iter().any(|message| message["method"] == method) {
            let message = self.talk.message().expect("more to come");
            self.heard.push(message);
        }
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        )
    }

    fn tools(&mut self) -> Vec<String> {
        let answer = self.ask("tools/list", json!({}));
        let tools = answer["result"]["tools"].as_array().unwrap();
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Hangs up; everything has to end well, and nothing more to be said.
    fn leave(mut self) {
        self.talk.hang_up();
        assert_eq!(self.talk.line(), None);
        assert!(self.talk.ended());
    }
}

fn code(answer: &Value) -> Option<&str> {
    let said = answer
        .pointer("/error/data/code")
        .or_else(|| answer.pointer("/result/_meta/io.ringwall~1refusal/code"));
    said.and_then(Value::as_str)
}

#[test]
fn a_local_client_is_guarded_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::greeting(folder.path(), &["--data", "data"], &["--turn-after", "2"]);
    assert_eq!(client.tools().len(), 4);

    let answer = client.call("read_ticket", json!({ "id": 4711 }));
    assert!(
        answer["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("label printer"),
        "{answer}"
    );

    let answer = client.call("weather_report", json!({ "city": "Ulm" }));
    assert_eq!(
        answer["result"]["content"][0]["text"],
        "Ulm: 14 degrees, rain from noon."
    );

    let answer = client.call("read_ticket", json!({ "id": 4711, "path": "/etc/passwd" }));
    assert_eq!(code(&answer), Some("arguments_schema"), "{answer}");
    assert_eq!(answer["result"]["isError"], true);

    // The gateway hears what the server announces, and looks before it lets the next call through.
    client.hear("notifications/tools/list_changed");
    let answer = client.call("search_docs", json!({ "query": "x", "context": "a key" }));
    assert_eq!(code(&answer), Some("definition_changed"), "{answer}");
    assert_eq!(
        client.tools(),
        ["read_ticket", "close_ticket", "weather_report"]
    );
    client.leave();

    let data = folder.path().join("data");
    let key = audit::PublicKey::load(&data.join("ledger.pub")).unwrap();
    let report = audit::verify(&data.join("ledger"), &key).unwrap();
    assert!(
        report.records >= 10 && report.unsealed_tail == 0,
        "{report:?}"
    );
    let mut index = audit::Index::open(&data.join("ledger")).unwrap();
    index.catch_up().unwrap();
    let query = audit::Query {
        verdict: Some(audit::Verdict::Refused),
        ..audit::Query::default()
    };
    let codes: Vec<_> = index
        .search(&query)
        .unwrap()
        .into_iter()
        .filter_map(|hit| hit.code)
        .collect();
    assert_eq!(codes, ["definition_changed", "arguments_schema"]);
}

#[test]
fn v9_a_stateless_client_needs_no_handshake_and_is_guarded_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::silent(folder.path(), &["--data", "data"], &["--turn-after", "2"]);
    let answer = client.ask_alone("server/discover", json!({}));
    let versions = answer["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{answer}");

    let ticket = json!({ "name": "read_ticket", "arguments": { "id": 4711 } });
    let answer = client.ask_alone("tools/call", ticket);
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");

    // A stream of changes is open while calls go on, and says what the server announces.
    let listen = client.send(
        "subscriptions/listen",
        json!({
            "notifications": { "toolsListChanged": true },
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        }),
    );
    client.hear("notifications/subscriptions/acknowledged");
    client.ask_alone("tools/list", json!({}));
    client.hear("notifications/tools/list_changed");
    let tag = "/params/_meta/io.modelcontextprotocol~1subscriptionId";
    let tagged = |said: &Value| said.pointer(tag) == Some(&json!(listen));
    assert!(client.heard.iter().all(tagged), "{:?}", client.heard);

    let search =
        json!({ "name": "search_docs", "arguments": { "query": "x", "context": "a key" } });
    let answer = client.ask_alone("tools/call", search);
    assert_eq!(code(&answer), Some("definition_changed"), "{answer}");
    client.leave();
}

#[test]
fn calls_under_way_are_answered_after_the_client_has_hung_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::greeting(folder.path(), &[], &[]);
    let mut asked: Vec<u64> = (0..8)
        .map(|_| {
            client.send(
                "tools/call",
                json!({ "name": "read_ticket", "arguments": { "id": 4712 } }),
            )
        })
        .collect();
    client.talk.hang_up();
    while let Some(answer) = client.talk.message() {
        assert!(answer.get("result").is_some(), "{answer}");
        asked.retain(|id| answer["id"] != *id);
    }
    assert!(asked.is_empty(), "never answered: {asked:?}");
    let state = std::fs::read_dir(folder.path().join("state/ringwall")).unwrap();
    let names: Vec<_> = state
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        names.len() == 1 && names[0].starts_with("wrap-"),
        "{names:?}"
    );
}

#[test]
fn a_denied_tool_is_neither_listed_nor_called() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::greeting(folder.path(), &["--deny", "close_*"], &[]);
    assert_eq!(
        client.tools(),
        ["search_docs", "read_ticket", "weather_report"]
    );
    let answer = client.call("close_ticket", json!({ "id": 4711 }));
    assert_eq!(code(&answer), Some("tool_unknown"), "{answer}");
    client.leave();
}

#[test]
fn a_line_that_two_readers_read_differently_is_refused_and_the_pipe_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::greeting(folder.path(), &[], &[]);
    client
        .talk
        .say(r#"{"jsonrpc":"2.0","id":9,"method":"ping","method":"tools/list"}"#);
    let answer = client.talk.message().unwrap();
    assert!(answer.get("error").is_some(), "{answer}");
    client.talk.say("hello?");
    assert_eq!(client.talk.message().unwrap()["error"]["code"], -32700);
    assert!(client.ask("ping", json!({})).get("result").is_some());
    client.leave();
}

#[test]
fn windows_side_by_side_share_pins_and_each_has_a_chain_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let data = ["--data", "data"];
    let mut first = Client::greeting(folder.path(), &data, &[]);
    assert_eq!(first.tools().len(), 4);
    // The other window sees the definition changed from the start: what was pinned counts here too.
    let mut second = Client::greeting(folder.path(), &data, &["--turn-after", "0"]);
    assert_eq!(
        second.tools(),
        ["read_ticket", "close_ticket", "weather_report"]
    );
    first.leave();
    second.hear("notifications/tools/list_changed");
    second.leave();
    let data = folder.path().join("data");
    let key = audit::PublicKey::load(&data.join("ledger.pub")).unwrap();
    for chain in ["ledger", "ledger-2"] {
        assert!(
            audit::verify(&data.join(chain), &key).unwrap().records > 0,
            "{chain}"
        );
    }
}

#[test]
fn the_built_in_policy_is_shown_and_a_policy_of_ones_own_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let shown = run(
        &["wrap", "--show-policy", "--deny", "a*"],
        folder.path(),
        "",
    )
    .succeeded()
    .out();
    assert!(
        shown.contains("permit (principal, action, resource)") && shown.contains("like \"a*\""),
        "{shown}"
    );
    std::fs::write(
        folder.path().join("mine.cedar"),
        "permit (principal, action in [Ringwall::Action::\"use\"], resource);\n\
         permit (principal, action, resource == Ringwall::Tool::\"wrapped/read_ticket\");\n",
    )
    .unwrap();
    let mut client = Client::greeting(folder.path(), &["--policy", "mine.cedar"], &[]);
    assert_eq!(client.tools(), ["read_ticket"]);
    client.leave();
}

#[test]
fn without_a_command_it_says_how_to_write_one() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&["wrap"], folder.path(), "").failed();
    assert!(
        ended.err().contains("after `--`") && ended.out().is_empty(),
        "{}",
        ended.err()
    );
}

#[test]
fn a_server_that_cannot_start_is_explained_to_the_user_and_not_to_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
    let ended = run(&["wrap", "--", "no-such-program"], folder.path(), hello).succeeded();
    let answer: Value = serde_json::from_str(ended.out().trim()).unwrap();
    assert_eq!(code(&answer), Some("upstream_start"), "{answer}");
    let (out, err) = (ended.out(), ended.err());
    assert!(
        !out.contains("no-such-program") && err.contains("no-such-program"),
        "{err}"
    );
}

#[test]
fn every_command_shows_an_example() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["demo", "wrap", "init", "token"] {
        let help = run(&[command, "--help"], folder.path(), "")
            .succeeded()
            .out();
        let example = format!("  ringwall {command}");
        assert!(
            help.contains("Example") && help.contains(&example),
            "{help}"
        );
    }
}
