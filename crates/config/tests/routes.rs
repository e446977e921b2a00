//! What a settled route says: which servers it leads to, what it offers of them, whose mistakes it lets
//! pass and where users may be sent.
#![expect(clippy::panic, reason = "a failed expectation is how a test fails")]

use config::settled::{Era, HeaderMistake, Revision, Route, Settled, UriPattern};
use ringwall_config as config;

const TWO: &str = "\
version: 1
issuers:
  - issuer: https://id.example.com
servers:
  - name: files
    http: { url: https://files.example.com/mcp }
  - name: old
    sse: { url: https://old.example.com/sse }
routes:
  - path: /work
    servers: [old, files]
";

fn settled(text: &str) -> Settled {
    match config::load(text) {
        Ok((settled, _)) => settled,
        Err(problems) => panic!("{text}\n{problems:#?}"),
    }
}

/// The route with more settings in it.
fn route(more: &str) -> Route {
    let mut routes = settled(&format!("{TWO}{more}")).routes;
    routes.remove(0)
}

#[test]
fn servers_keep_the_order_of_the_file() {
    let names: Vec<_> = route("").servers.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["old", "files"]);
}

#[test]
fn what_is_printed_of_a_route_settles_to_the_same() {
    let it = settled(&format!(
        "{TWO}    tools: ['files__*', old__x]\n    prompts: []\n    resources: ['files+file:///a/*']\n    \
         elicitation: {{ urls: [Login.example.com] }}\n    bridge: {{ gather: 0s, parked_time: 90s }}\n    \
         protocol: {{ minimum: 2026-07-28, leniency: [{{ client: a, allow: [wrong_name, wrong_name] }}] }}\n"
    ));
    let printed = serde_json::to_string_pretty(&it).expect("prints");
    assert_eq!(settled(&printed), it, "{printed}");
    assert_eq!(it.routes[0].protocol.minimum, Revision::R20260728);
    assert_eq!(
        it.routes[0].elicitation.hosts.as_deref(),
        Some(&["login.example.com".to_owned()][..])
    );
    assert_eq!(it.routes[0].protocol.leniency[0].allow.len(), 1);
}

#[test]
fn n3_4_the_old_transport_speaks_the_old_era() {
    let it = settled(TWO);
    assert_eq!(
        [it.servers[0].era, it.servers[1].era],
        [Era::Auto, Era::Legacy]
    );
    let modern = TWO.replace("mcp }", "mcp }\n    era: modern");
    assert_eq!(settled(&modern).servers[0].era, Era::Modern);
}

#[test]
fn n9_2_a_list_offers_what_it_names_and_no_list_everything() {
    let (all, none) = (
        route(""),
        route("    tools: []\n    prompts: []\n    resources: []\n"),
    );
    let some = route(
        "    tools: [files__read, 'old__*']\n    prompts: ['files__d*']\n    resources: ['old+*', files+a:b]\n",
    );
    type Offers = fn(&Route, &str) -> bool;
    let (tool, prompt, resource): (Offers, Offers, Offers) = (
        Route::offers_tool,
        Route::offers_prompt,
        Route::offers_resource,
    );
    for (offers, name, expected) in [
        (tool, "files__read", true),
        (tool, "files__reads", false),
        (tool, "old__", true),
        (tool, "old__anything", true),
        (tool, "Old__x", false),
        (prompt, "files__daily", true),
        (prompt, "files__weekly", false),
        (prompt, "old__daily", false),
        (resource, "old+file:///x", true),
        (resource, "files+a:b", true),
        (resource, "files+a:bc", false),
    ] {
        assert!(offers(&all, name), "{name}");
        assert!(!offers(&none, name), "{name}");
        assert_eq!(offers(&some, name), expected, "{name}");
    }
}

#[test]
fn n9_2_a_beginning_names_no_uri_that_steps_up_from_it() {
    let docs = UriPattern::StartsWith("file:///docs/".to_owned());
    for (rest, named) in [
        ("a.md", true),
        ("a/b..c/...", true),
        ("..a/a../.b/.", true),
        ("{+path}", true),
        ("100%", true),
        ("%2", true),
        ("%25.", true),
        ("a%20b", true),
        ("..", false),
        ("../etc", false),
        ("a/../../etc", false),
        ("a/..", false),
        ("a/..?x", false),
        ("a/..;x/b", false),
        ("a\\..\\b", false),
        ("%2e%2E/etc", false),
        (".%2e/etc", false),
        ("a%2f..%2fb", false),
        ("a%5C..%5cb", false),
        ("%252e%252e/etc", false),
        ("%25252e./etc", false),
        (".\t./etc", false),
        (".%09./etc", false),
        ("..%00/etc", false),
        ("x:../etc", false),
    ] {
        let uri = format!("file:///docs/{rest}");
        assert_eq!(docs.names(&uri), named, "{uri}");
        // Whoever writes out the whole URI, or names everything, has said so.
        assert!(UriPattern::Named(uri.clone()).names(&uri));
        assert!(UriPattern::StartsWith(String::new()).names(&uri));
    }
    assert!(!docs.names("file:///other/a.md"));
    assert!(!UriPattern::StartsWith("file:///docs/.".to_owned()).names("file:///docs/../etc"));
}

#[test]
fn n3_4_a_mistake_is_forgiven_to_the_client_that_is_named_and_to_no_other() {
    let protocol = route(
        "    protocol:\n      leniency:\n        - { client: editor, allow: [missing_name, wrong_params] }\n        \
         - { client: 'https://app.example.com/client.json', allow: [missing_method] }\n",
    )
    .protocol;
    let app = Some("https://app.example.com/client.json");
    for (client, mistake, forgiven) in [
        (Some("editor"), HeaderMistake::MissingName, true),
        (Some("editor"), HeaderMistake::WrongParams, true),
        (Some("editor"), HeaderMistake::WrongName, false),
        (Some("editor"), HeaderMistake::MissingMethod, false),
        (app, HeaderMistake::MissingMethod, true),
        (app, HeaderMistake::MissingName, false),
        (Some("Editor"), HeaderMistake::MissingName, false),
        (Some(""), HeaderMistake::MissingName, false),
        (None, HeaderMistake::MissingName, false),
    ] {
        assert_eq!(
            protocol.forgives(client, mistake),
            forgiven,
            "{client:?} {mistake}"
        );
    }
    for mistake in HeaderMistake::ALL {
        assert!(!route("").protocol.forgives(Some("editor"), *mistake));
    }
}

#[test]
fn users_are_sent_only_where_the_route_lets_them() {
    let any = route("").elicitation;
    let some =
        route("    elicitation: { urls: [login.example.com, '[2001:DB8::1]'] }\n").elicitation;
    let none = route("    elicitation: { urls: [] }\n").elicitation;
    for (url, anywhere, listed) in [
        ("https://login.example.com/consent?x=1", true, true),
        ("https://LOGIN.example.com:8443/", true, true),
        ("https://[2001:db8::1]/", true, true),
        ("https://other.example.com/", true, false),
        ("https://login.example.com.evil.example/", true, false),
        ("https://sub.login.example.com/", true, false),
        ("https://login.example.com./", true, false),
        ("http://login.example.com/", false, false),
        ("https://login.example.com@evil.example/", false, false),
        ("https://u:p@login.example.com/", false, false),
        ("javascript:alert(1)", false, false),
        ("file:///etc/passwd", false, false),
        ("data:text/html,x", false, false),
    ] {
        let url = url::Url::parse(url).expect("it is an address");
        assert_eq!(any.accepts(&url), anywhere, "{url}");
        assert_eq!(some.accepts(&url), listed, "{url}");
        assert!(!none.accepts(&url), "{url}");
    }
}
