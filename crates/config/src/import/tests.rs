//! Lists as editors keep them, and hostile ones.

use super::*;
use crate::settled::{Credential, Upstream, Variable};
use crate::{Problem, Severity};
use proptest::prelude::*;

fn told(problems: &[Problem]) -> String {
    problems.iter().map(|it| format!("{it}\n")).collect()
}

fn settled(json: &str) -> (crate::settled::Settled, String, Vec<String>) {
    let (text, notes) = editor(json).expect("imports");
    let (settled, warnings) =
        crate::load(&text).unwrap_or_else(|it| panic!("{text}\n{}", told(&it)));
    assert!(warnings.iter().all(|it| it.severity == Severity::Warning));
    (
        settled,
        text,
        notes.iter().map(ToString::to_string).collect(),
    )
}

const LIST: &str = r#"{ "mcpServers": {
    "GitHub": {
        "command": "npx", "args": ["-y", "@modelcontextprotocol/server-github", 5, true],
        "env": { "GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_0123456789abcdefghij", "TZ": "UTC", "DEBUG": "1" },
        "autoApprove": ["search"]
    },
    "remote api": {
        "url": "https://mcp.example.com/sse?team=1&api_key=0123", "type": "http",
        "headers": { "Authorization": "Bearer very-secret-value", "X-Region": "eu" }
    },
    "keyed": { "serverUrl": "http://localhost:9000/mcp", "headers": { "X-Api-Key": "${env:KEYED}" } },
    "off": { "command": "x", "disabled": true },
    "plain": { "url": "http://mcp.example.com/mcp" },
    "odd": 5
} }"#;

#[test]
fn n6_3_imports_a_list_without_copying_a_secret() {
    let (settled, text, notes) = settled(LIST);
    for secret in ["ghp_", "very-secret", "0123"] {
        assert!(!text.contains(secret), "{text}");
        assert!(!notes.iter().any(|it| it.contains(secret)), "{notes:?}");
    }
    let names: Vec<_> = settled.servers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["github", "remote-api", "keyed"]);
    let Upstream::Stdio(github) = &settled.servers[0].upstream else {
        panic!("{text}");
    };
    let command = [
        "npx",
        "-y",
        "@modelcontextprotocol/server-github",
        "5",
        "true",
    ];
    assert_eq!(github.command, command);
    let variable = Variable::Secret(crate::settled::SecretRef::Env(
        "GITHUB_PERSONAL_ACCESS_TOKEN".into(),
    ));
    assert_eq!(github.environment["GITHUB_PERSONAL_ACCESS_TOKEN"], variable);
    assert_eq!(github.environment["TZ"], Variable::Literal("UTC".into()));
    let Upstream::Http(remote) = &settled.servers[1].upstream else {
        panic!("{text}");
    };
    assert_eq!(remote.url.as_str(), "https://mcp.example.com/sse?team=1");
    assert_eq!(remote.network, Network::Public);
    let Credential::Bearer(secret) = &remote.credential else {
        panic!("{text}");
    };
    assert_eq!(secret.to_string(), "env:REMOTE_API_TOKEN");
    let Upstream::Http(keyed) = &settled.servers[2].upstream else {
        panic!("{text}");
    };
    let Credential::Header { name, secret } = &keyed.credential else {
        panic!("{text}");
    };
    assert_eq!(
        (name.as_str(), &*secret.to_string()),
        ("x-api-key", "env:KEYED")
    );
    for needed in [
        "GitHub: a secret was not copied: export GITHUB_PERSONAL_ACCESS_TOKEN before the gateway starts",
        "GitHub: `autoApprove` is not carried over: here policies decide what may be called",
        "GitHub: is called `github` here",
        "remote api: a header was not carried over: one credential is all that is sent",
        "keyed: export KEYED before the gateway starts",
        "off: left out: it is disabled in the editor",
        "plain: left out: its address is unencrypted and not on this machine",
        "odd: left out: it is not an object",
    ] {
        assert!(notes.iter().any(|it| it == needed), "{needed}\n{notes:#?}");
    }
}

#[test]
fn the_old_transport_stays_what_it_is() {
    for (kind, is_old) in [("sse", true), ("http", false), ("streamable-http", false)] {
        let (settled, text, notes) = settled(&format!(
            r#"{{ "mcpServers": {{ "a": {{ "url": "https://mcp.example.com/sse", "type": "{kind}",
                "headers": {{ "Authorization": "Bearer very-secret-value" }} }} }} }}"#
        ));
        let remote = match (&settled.servers[0].upstream, is_old) {
            (Upstream::Sse(remote), true) | (Upstream::Http(remote), false) => remote,
            _ => panic!("{text}"),
        };
        assert_eq!(remote.url.as_str(), "https://mcp.example.com/sse");
        assert!(matches!(remote.credential, Credential::Bearer(_)), "{text}");
        let told = notes
            .iter()
            .any(|it| it.contains("the old HTTP+SSE transport"));
        assert_eq!(told, is_old, "{notes:?}");
    }
}

#[test]
fn n6_3_no_secret_of_an_argument_is_copied() {
    let args = [
        (r#"["--api-key=hunter2hunter2"]"#, "hunter2", "--api-key="),
        (r#"["--token", "hunter2"]"#, "hunter2", "--token"),
        (r#"["sk-0123456789abcdef"]"#, "0123456789", REMOVED_WORD),
        (
            r#"["postgresql://u:hunter2@db/x"]"#,
            "hunter2",
            REMOVED_WORD,
        ),
        (r#"["--url=https://u:hunter2@db/x"]"#, "hunter2", "--url="),
    ];
    for (args, secret, kept) in args {
        let (settled, text, notes) = settled(&format!(
            r#"{{ "servers": {{ "a": {{ "command": "x", "args": {args} }} }} }}"#
        ));
        assert!(!text.contains(secret), "{text}");
        let Upstream::Stdio(stdio) = &settled.servers[0].upstream else {
            panic!("{text}");
        };
        assert!(stdio.command.iter().any(|it| it == kept), "{text}");
        assert!(
            notes.iter().any(|it| it.contains("looked like a secret")),
            "{notes:?}"
        );
    }
}

const REMOVED_WORD: &str = "REMOVED";

#[test]
fn one_variable_never_stands_for_two_secrets() {
    let (settled, text, _) = settled(
        r#"{ "mcp": { "servers": {
            "a": { "command": "x", "env": { "API_KEY": "one" } },
            "b": { "command": "x", "env": { "API_KEY": "two" } },
            "c": { "command": "x", "env": { "API_KEY": "one" } }
        } } }"#,
    );
    let references: Vec<_> = settled
        .servers
        .iter()
        .map(|it| match &it.upstream {
            Upstream::Stdio(it) => it.environment["API_KEY"].clone(),
            Upstream::Http(_) | Upstream::Sse(_) => panic!("{text}"),
        })
        .collect();
    assert_ne!(references[0], references[1]);
    assert_eq!(references[0], references[2]);
}

#[test]
fn names_of_servers_stay_apart() {
    let (settled, ..) = settled(
        r#"{ "mcpServers": { "A b": { "command": "x" }, "a-b": { "command": "y" }, "!!": { "command": "z" }, "A b": { "command": "w" } } }"#,
    );
    let names: Vec<_> = settled.servers.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["a-b", "a-b-2", "server", "a-b-3"]);
}

#[test]
fn refuses_what_is_no_list() {
    for (json, expected) in [
        ("{}", "holds no `mcpServers`"),
        ("{ // comment\n}", "is not plain JSON: line 1"),
        ("[]", "is not plain JSON"),
        (r#"{ "mcpServers": {} }"#, "lists no server"),
        (r#"{ "mcpServers": { "a": {} } }"#, "lists no server"),
        (&"[".repeat(100_000), "is not plain JSON"),
        (&" ".repeat(2 << 20), "is too large"),
    ] {
        let error = editor(json).expect_err("refused").to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

proptest! {
    #[test]
    fn whatever_is_imported_can_be_read(
        name in "\\PC{0,12}|[\0-\u{20}]{1,4}", command in "\\PC{1,16}", arg in "[\0-\u{ff}]{0,16}", value in "\\PC{0,40}",
    ) {
        let json = serde_json::json!({ "mcpServers": { name: {
            "command": command, "args": [arg], "env": { "A": value.clone(), "A_TOKEN": value },
        } } });
        let (text, _) = editor(&json.to_string()).map_err(|it| TestCaseError::fail(it.to_string()))?;
        let read = crate::read(&text);
        prop_assert!(read.is_ok(), "{}\n{:?}", text, read);
    }

    #[test]
    fn never_panics(json in "\\PC{0,200}") {
        let _ = editor(&json);
    }
}
