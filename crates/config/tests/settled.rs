//! What a configuration means: defaults, derived values, and what happens to it where it runs.
#![expect(clippy::panic, reason = "a failed expectation is how a test fails")]

use config::settled::{
    Credential, SecretRef, Settled, SigningKey, ToolPattern, Transport, Upstream, Variable,
};
use ringwall_config as config;
use std::path::Path;
use std::time::Duration;

const SMALL: &str = "\
version: 1
issuers:
  - issuer: https://id.example.com
servers:
  - name: files
    http: { url: https://files.example.com/mcp, credential: env:TOKEN }
routes:
  - path: /files
    server: files
";

fn settled(text: &str) -> Settled {
    match config::load(text) {
        Ok((settled, _)) => settled,
        Err(problems) => panic!("{text}\n{problems:#?}"),
    }
}

fn with(more: &str) -> Settled {
    settled(&format!("{SMALL}{more}"))
}

#[test]
fn binds_loopback_unless_told_otherwise() {
    let it = settled(SMALL);
    assert_eq!(it.listeners.len(), 1);
    assert_eq!(it.listeners[0].address.to_string(), "127.0.0.1:8080");
    assert_eq!(it.listeners[0].transport, Transport::Plaintext);
    assert_eq!(it.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(it.routes[0].resource, "http://127.0.0.1:8080/files");
    let plain = "listeners:\n  - address: 192.0.2.1:8080\n";
    assert!(config::load(&format!("{SMALL}{plain}")).is_err());
}

#[test]
fn the_defaults_are_the_strict_ones() {
    let json = serde_json::to_value(settled(SMALL)).expect("prints");
    for (pointer, expected) in [
        ("/servers/0/pins", "approval"),
        ("/servers/0/schema", "strict"),
        ("/servers/0/hidden_text", "remove"),
        ("/servers/0/timeout", "1m"),
        ("/servers/0/http/network", "public"),
        ("/routes/0/protocol/minimum", "2025-06-18"),
        ("/routes/0/possession", "none"),
        ("/dpop/nonce", "required"),
        ("/dpop/nonce_age", "5m"),
        ("/dpop/age", "1m"),
        ("/dpop/skew", "10s"),
        ("/routes/0/ledger/durability", "before_answer"),
        ("/routes/0/servers/0", "files"),
        ("/routes/0/bridge/parked_time", "5m"),
        ("/routes/0/bridge/gather", "50ms"),
        ("/servers/0/era", "auto"),
        ("/routes/0/sessions/idle", "30m"),
        ("/routes/0/sessions/absolute", "12h"),
        ("/routes/0/limits/tool/rate", "50/s"),
        ("/issuers/0/lifetime_max", "1h"),
        ("/issuers/0/clock_skew", "30s"),
        ("/issuers/0/token_types/0", "at+jwt"),
        ("/issuers/0/network", "public"),
        ("/limits/request_bytes", "4MiB"),
        ("/limits/header_time", "10s"),
        ("/data", "./ringwall-data"),
    ] {
        assert_eq!(
            json.pointer(pointer).and_then(|it| it.as_str()),
            Some(expected),
            "{pointer}"
        );
    }
    let keep = json
        .pointer("/routes/0/ledger/keep")
        .and_then(|it| it.as_array());
    assert!(keep.is_some_and(Vec::is_empty));
    let leniency = json.pointer("/routes/0/protocol/leniency");
    assert_eq!(leniency, Some(&serde_json::json!([])));
    assert_eq!(
        json.pointer("/routes/0/elicitation"),
        Some(&serde_json::json!({}))
    );
}

#[test]
fn a_resource_is_canonical() {
    for (public, resource, expected) in [
        (
            "https://MCP.Example.com",
            None,
            "https://mcp.example.com/files",
        ),
        (
            "https://mcp.example.com:443/",
            None,
            "https://mcp.example.com/files",
        ),
        (
            "https://mcp.example.com:8443",
            None,
            "https://mcp.example.com:8443/files",
        ),
        (
            "https://a.example.com",
            Some("HTTPS://A.example.com/Files/"),
            "https://a.example.com/Files",
        ),
        (
            "https://a.example.com",
            Some("https://a.example.com"),
            "https://a.example.com",
        ),
    ] {
        let resource = resource
            .map(|it| format!("    resource: {it}\n"))
            .unwrap_or_default();
        let it = settled(&format!("{SMALL}{resource}public_url: {public}\n"));
        assert_eq!(it.routes[0].resource, expected, "{public}");
    }
}

#[test]
fn a_listener_answers_to_its_own_names() {
    let tls = "tls: { certificate: c.pem, key: file:k.pem }";
    for (listener, public, expected) in [
        (
            "address: 127.0.0.1:1",
            "",
            &["localhost", "127.0.0.1", "[::1]"][..],
        ),
        (
            "address: '127.0.0.2:1'",
            "",
            &["localhost", "127.0.0.1", "[::1]", "127.0.0.2"],
        ),
        (
            &format!("address: 192.0.2.1:1\n    {tls}"),
            "",
            &["192.0.2.1"],
        ),
        (
            &format!("address: '[::]:1'\n    {tls}\n    hosts: [MCP.example.com, '[2001:DB8::1]']"),
            "public_url: https://out.example.com",
            &["mcp.example.com", "[2001:db8::1]", "out.example.com"],
        ),
    ] {
        let it = with(&format!("listeners:\n  - {listener}\n{public}\n"));
        assert_eq!(it.listeners[0].hosts, expected, "{listener}");
    }
}

#[test]
fn n4_1_a_route_changes_only_the_limits_it_names() {
    let it = settled(&format!(
        "{SMALL}    limits: {{ tool: {{ burst: 3 }}, depth: 16 }}\nlimits: {{ tool: {{ rate: 5/m }}, body_time: 5s }}\n"
    ));
    let (route, gateway) = (&it.routes[0].limits, &it.limits.call);
    assert_eq!((route.tool.burst, gateway.tool.burst), (3, 100));
    assert_eq!((route.depth, gateway.depth), (16, 64));
    assert_eq!(route.tool.rate.to_string(), "5/m");
    assert_eq!(route.body_time, Duration::from_secs(5));
    assert_eq!(route.user, gateway.user);
}

#[test]
fn paths_are_found_beside_the_file() {
    let text = SMALL.replace("credential: env:TOKEN", "credential: file:token")
        + "policies: [p/*.cedar, /etc/p.cedar]\nlisteners:\n  - tls: { certificate: c.pem, key: file:k.pem, clients: { authorities: ca.pem } }\nledger: { key: file:l.key }\n";
    let text = text.replace(
        "routes:",
        "  - name: old\n    sse: { url: https://old.example.com, credential: file:old }\n  - name: clock\n    stdio: { command: [x], confinement: none, environment: { A: file:a, B: b } }\nroutes:",
    );
    let it = settled(&text).rooted_at(Path::new("/etc/ringwall"));
    let at = |name: &str| Path::new("/etc/ringwall").join(name);
    let file = |name: &str| SecretRef::File(at(name));
    assert_eq!(it.data, at("ringwall-data"));
    assert_eq!(it.policies, ["/etc/ringwall/p/*.cedar", "/etc/p.cedar"]);
    assert_eq!(it.ledger.key, SigningKey::Given(file("l.key")));
    let Transport::Tls(tls) = &it.listeners[0].transport else {
        panic!("it is encrypted");
    };
    assert_eq!((&tls.certificate, &tls.key), (&at("c.pem"), &file("k.pem")));
    let clients = tls.clients.as_ref().and_then(|it| it.authorities.as_ref());
    assert_eq!(clients, Some(&at("ca.pem")));
    let Upstream::Http(http) = &it.servers[0].upstream else {
        panic!("it is http");
    };
    assert_eq!(http.credential, Credential::Bearer(file("token")));
    let Upstream::Sse(old) = &it.servers[1].upstream else {
        panic!("it is the old transport");
    };
    assert_eq!(old.credential, Credential::Bearer(file("old")));
    let Upstream::Stdio(stdio) = &it.servers[2].upstream else {
        panic!("it is stdio");
    };
    assert_eq!(stdio.directory, at("."));
    assert_eq!(stdio.environment["A"], Variable::Secret(file("a")));
    assert_eq!(stdio.environment["B"], Variable::Literal("b".to_owned()));
}

#[test]
fn n8_3_events_are_taken_at_their_path_and_logouts_below_it() {
    let events = |text: &str| {
        let issuer = format!("issuer: https://id.example.com\n    events: {text}");
        let text = SMALL.replace("issuer: https://id.example.com", &issuer);
        let it = settled(&text).rooted_at(Path::new("/etc/ringwall"));
        it.issuers[0].events.clone().expect("it has events")
    };
    let usual = events("{ audience: gw }");
    assert_eq!(
        (usual.path.as_str(), &*usual.logout_path()),
        ("/events", "/events/logout")
    );
    assert_eq!((usual.audience.as_str(), usual.secret), ("gw", None));
    let other = events("{ audience: gw, path: /id, secret: file:push }");
    assert_eq!(other.logout_path(), "/id/logout");
    let file = Path::new("/etc/ringwall").join("push");
    assert_eq!(other.secret, Some(SecretRef::File(file)));
    assert_eq!(settled(SMALL).issuers[0].events, None);
}

#[test]
fn a_chosen_port_reaches_what_derives_from_it() {
    let it = with("listeners:\n  - address: 127.0.0.1:0\n");
    assert_eq!(it.routes[0].resource, "http://127.0.0.1:0/files");
    let it = it.bound_to(([127, 0, 0, 1], 4711).into());
    assert_eq!(it.public_url.as_str(), "http://127.0.0.1:4711/");
    assert_eq!(it.routes[0].resource, "http://127.0.0.1:4711/files");
    let fixed = settled(SMALL);
    assert_eq!(fixed.clone().bound_to(([127, 0, 0, 1], 4711).into()), fixed);
}

#[test]
fn a_reload_says_what_needs_a_restart() {
    let before = settled(SMALL);
    for (more, expected) in [
        ("", &[][..]),
        ("limits: { user: { burst: 1 } }", &[]),
        ("data: elsewhere", &["data", "ledger"]),
        ("listeners:\n  - address: 127.0.0.1:1", &["listeners"]),
        ("ledger: { interval: 2s }", &["ledger"]),
        ("log: { level: debug }", &["log"]),
        ("limits: { connections: 7 }", &["limits of connections"]),
    ] {
        assert_eq!(before.differs_statically(&with(more)), expected, "{more}");
    }
}

#[test]
fn a_pattern_names_tools_by_their_beginning() {
    let text = SMALL.replace(
        "routes:",
        "    tools: { 'transfer*': { labels: [money] }, exact: { labels: [a, a] } }\nroutes:",
    );
    let it = settled(&text);
    let tools = &it.servers[0].tools;
    assert_eq!(tools[0].tools, ToolPattern::Named("exact".to_owned()));
    assert_eq!(tools[0].labels, ["a"]);
    for (pattern, tool, expected) in [
        (0, "exact", true),
        (0, "exactly", false),
        (1, "transfer", true),
        (1, "transfer_money", true),
        (1, "Transfer", false),
    ] {
        assert_eq!(tools[pattern].tools.names(tool), expected, "{tool}");
    }
}
