//! Who is asked about the text of messages: what is meant where little is said, what a route changes, and
//! that what is printed says the same.

#![expect(clippy::panic, reason = "a failed expectation is how a test fails")]

use config::settled::{Harm, Mode, OnFailure, ProviderKind, Settled, Surface};
use ringwall_config as config;
use std::path::Path;
use std::time::Duration;

const ALL: &str = "\
version: 1
issuers: [{ issuer: 'https://id.example.com' }]
providers:
  - name: shields
    prompt_shields: { endpoint: 'https://x.example', key: 'file:a' }
  - name: safety
    timeout: 900ms
    on_failure: allow
    content_safety:
      endpoint: https://x.example
      entra: { token_url: 'https://login.example/token', client: c, secret: 'file:b' }
      severity: { hate: 2 }
      blocklists: [names, names]
  - name: own
    http: { url: 'https://y.example/judge', hmac: 'file:c', thresholds: { a.b: 900 } }
servers:
  - name: files
    http: { url: 'https://files.example.com/mcp' }
    content:
      modes: { injection: enforce }
      providers: [{ use: shields }, { use: own, mode: shadow, on: [results, results] }]
routes:
  - { path: /files, server: files }
  - { path: /other, server: files, content: { providers: [{ use: safety }] } }
policies: [p/*.cedar]
";

fn settled(text: &str) -> Settled {
    match config::load(text) {
        Ok((settled, _)) => settled,
        Err(problems) => panic!("{problems:?}\n{text}"),
    }
}

#[test]
fn n1_3_little_has_to_be_said_of_a_provider_and_its_silence_refuses() {
    let it = settled(ALL);
    let shields = &it.providers[0];
    assert_eq!(shields.timeout, Duration::from_secs(3));
    assert_eq!((shields.concurrent, shields.characters), (16, 100_000));
    assert_eq!(shields.on_failure, OnFailure::Refuse);
    let ProviderKind::ContentSafety(safety) = &it.providers[1].kind else {
        panic!("{:?}", it.providers[1]);
    };
    assert_eq!(safety.severity[&Harm::Hate], 2);
    assert_eq!(safety.severity[&Harm::Violence], 4);
    assert_eq!(safety.blocklists, ["names"]);
    let uses = &it.servers[0].content.providers;
    assert_eq!(uses[0].mode, Mode::Warn);
    assert_eq!(uses[0].on, [Surface::Arguments, Surface::Results]);
    assert_eq!(
        (uses[1].mode, &*uses[1].on),
        (Mode::Shadow, &[Surface::Results][..])
    );
}

#[test]
fn a_route_says_anew_what_it_says_and_keeps_the_rest() {
    let it = settled(ALL);
    let on = |route: usize| it.servers[0].content.on(&it.routes[route].content);
    assert_eq!(on(0), it.servers[0].content);
    assert_eq!(on(1).modes, it.servers[0].content.modes);
    assert_eq!(on(1).providers[0].provider, "safety");
    assert_eq!(on(1).providers.len(), 1);
}

#[test]
fn what_is_printed_of_providers_settles_to_the_same() {
    let it = settled(ALL);
    let printed = serde_json::to_string_pretty(&it).expect("prints");
    assert_eq!(settled(&printed), it, "{printed}");
}

#[test]
fn n6_3_every_secret_of_a_provider_lies_beside_the_file() {
    let settled = settled(ALL).rooted_at(Path::new("/etc/ringwall"));
    let printed = serde_json::to_string(&settled.providers).unwrap_or_default();
    assert_eq!(
        printed.matches("file:/etc/ringwall/").count(),
        3,
        "{printed}"
    );
    assert_eq!(printed.matches("file:").count(), 3);
}
