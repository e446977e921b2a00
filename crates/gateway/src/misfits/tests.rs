//! What is told of approved tools that fields break, and where it is said.

use super::*;
use crate::catalog::Standing;
use crate::house::still::Still;
use inspect::pin::digest;
use serde_json::{Value, json};

/// A configuration with these servers and routes.
fn settled(servers: Value, routes: Value) -> Settled {
    let text = json!({
        "version": 1,
        "listeners": [{ "address": "127.0.0.1:0" }],
        "issuers": [{ "issuer": "https://id.example.com" }],
        "servers": servers,
        "routes": routes,
    });
    config::load(&text.to_string()).unwrap().0
}

/// Approves something of this key whose arguments are not complete without `a`.
fn approve(pins: &Pins, server: &str, key: &str) {
    let definition = json!({ "inputSchema": { "required": ["a"] } });
    let pin = Pin {
        digest: digest(&definition),
        definition,
        at_ms: 1,
        by: "alice".to_owned(),
    };
    pins.approve(server, key, &pin).unwrap();
}

fn minimise(tool: &str) -> Value {
    json!({ "minimise": { tool: [{ "arguments": { "drop": ["/a"] } }] } })
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn p1_an_approved_tool_that_is_not_to_be_had_is_told_where_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let pins = Pins::open(folder.path()).unwrap();
    let names = ["alter", "close", "find", "move", "open", "show"];
    for name in names {
        approve(&pins, "one", name);
    }
    approve(&pins, "one", &Kind::Prompt.key("greet"));
    drop(pins);
    let server = |name: &str, content: Value| {
        let http = json!({ "url": format!("https://{name}.example.com/mcp") });
        json!({ "name": name, "http": http, "content": content })
    };
    let route = |path: &str, server: &str, content: Value| json!({ "path": path, "server": server, "content": content });
    let nothing = || json!({});
    let all: Vec<String> = names.iter().map(|name| format!("`one/{name}`")).collect();
    let find = vec!["`one/find`".to_owned()];
    for (servers, routes, place, expected) in [
        (
            json!([server("one", nothing())]),
            json!([route("/one", "one", nothing())]),
            "",
            vec![],
        ),
        (
            json!([server("one", minimise("find"))]),
            json!([route("/one", "one", nothing())]),
            "servers[0].content.minimise",
            find.clone(),
        ),
        (
            json!([server("one", minimise("*"))]),
            json!([route("/one", "one", nothing())]),
            "servers[0].content.minimise",
            all,
        ),
        // A route of other words can offer the tool.
        (
            json!([server("one", minimise("find"))]),
            json!([route("/one", "one", minimise("other"))]),
            "",
            vec![],
        ),
        (
            json!([server("one", minimise("find"))]),
            json!([
                route("/one", "one", minimise("other")),
                route("/all", "one", nothing())
            ]),
            "servers[0].content.minimise",
            find.clone(),
        ),
        (
            json!([server("one", nothing())]),
            json!([route("/one", "one", minimise("find"))]),
            "routes[0].content.minimise",
            find,
        ),
        // What a route says of one server says nothing of another.
        (
            json!([server("one", nothing()), server("two", nothing())]),
            json!([
                route("/two", "two", minimise("find")),
                route("/one", "one", nothing())
            ]),
            "",
            vec![],
        ),
    ] {
        let settled = settled(servers, routes);
        let problems = problems(&settled, folder.path());
        let told: Vec<_> = problems
            .iter()
            .map(|it| it.message.split(' ').nth(3).unwrap_or_default().to_owned())
            .collect();
        assert_eq!(told, expected, "{problems:?}");
        for problem in &problems {
            assert_eq!(problem.path, place, "{problem:?}");
            assert_eq!(problem.control, Some(controls::P1));
        }
    }
}

#[tokio::test]
async fn p1_a_tool_that_comes_into_force_is_told_of_where_its_own_server_breaks_it() {
    let server = |name: &str, content: Value| {
        let http = json!({ "url": format!("https://{name}.example.com/mcp") });
        json!({ "name": name, "http": http, "content": content })
    };
    let text = json!({
        "version": 1,
        "listeners": [{ "address": "127.0.0.1:0" }],
        "issuers": [{ "issuer": "https://id.example.com" }],
        "servers": [server("one", minimise("find")), server("two", json!({}))],
        "routes": [
            { "path": "/both", "servers": ["one", "two"] },
            { "path": "/one", "server": "one" },
            { "path": "/two", "server": "two" },
        ],
    });
    for (name, expected) in [("one", &["/both", "/one"][..]), ("two", &[])] {
        let still = Still::of(&text.to_string()).await;
        let runtime = still.gate().runtime();
        let definition = json!({ "inputSchema": { "type": "object", "required": ["a"] } });
        let pin = Pin {
            digest: digest(&definition),
            definition,
            at_ms: 1,
            by: "alice".to_owned(),
        };
        let served = &runtime.servers[name];
        let pins = HashMap::from([("find".to_owned(), pin)]);
        let pinned = crate::catalog::pinned(&served.settled, &pins);
        let Some(Standing::Approved(tool)) = pinned.get("find") else {
            panic!("{pinned:?}");
        };
        note(still.gate(), served, tool);
        let ledger = still.ledger();
        let told = ["/both", "/one", "/two"].into_iter().filter(|route| {
            let route = format!("\"route\":\"{route}\"");
            let mut lines = ledger.lines().filter(|it| it.contains("tool.unusable"));
            lines.any(|line| line.contains(&route))
        });
        assert_eq!(told.collect::<Vec<_>>(), expected, "{name}: {ledger}");
    }
}

#[test]
fn p1_where_nobody_approved_anything_no_store_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let server = json!({ "name": "one", "http": { "url": "https://one.example.com/mcp" },
                         "content": minimise("*") });
    let settled = settled(
        json!([server]),
        json!([{ "path": "/one", "server": "one" }]),
    );
    assert!(problems(&settled, folder.path()).is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
