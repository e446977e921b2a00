//! Outward names: what they look like, that no two are alike, and the way back.

use super::*;
use protocol::{Limits, Revision, Sender};
use std::collections::HashMap;

const TWO: Naming = Naming::Prefixed;

fn digest(name: &str) -> String {
    hex(&sha256(name.as_bytes())).chars().take(DIGITS).collect()
}

#[test]
fn names_of_a_lone_server_stay_as_they_are() {
    assert_eq!(Naming::of(1), Naming::Plain);
    assert_eq!(Naming::of(2), Naming::Prefixed);
    let long = "x".repeat(500);
    for name in ["read", "a__b", "no such / name é", "", &long] {
        assert_eq!(Naming::Plain.tool("files", name), name);
        assert_eq!(Naming::Plain.uri("files", name), name);
        assert!(Naming::Plain.matches(name, "files", name));
        assert_eq!(Naming::Plain.split_tool(name), None);
        assert_eq!(Naming::Plain.split_uri(name), None);
        assert_eq!(Naming::Plain.inner_uri("files", name), Some(name));
    }
}

#[test]
fn names_that_fit_are_readable_and_lead_back() {
    let longest = "x".repeat(NAME_MAX - "files__".len());
    let cases = [
        ("read", "files__read"),
        ("_read", "files___read"),
        ("a__b", "files__a__b"),
        ("a.b-c_D9", "files__a.b-c_D9"),
        ("-", "files__-"),
    ];
    for (name, outward) in cases {
        assert_eq!(TWO.tool("files", name), outward);
        assert_eq!(TWO.split_tool(outward), Some(("files", name)));
        assert!(!Naming::is_shortened(name));
    }
    let outward = TWO.tool("files", &longest);
    assert_eq!(outward, format!("files__{longest}"));
    assert_eq!(outward.len(), NAME_MAX);
}

#[test]
fn names_that_do_not_fit_are_shortened_and_looked_up() {
    let long = "x".repeat(NAME_MAX - "files__".len() + 1);
    let posing = format!("read-{}", digest("anything"));
    let room = NAME_MAX - "files__".len() - DIGITS - 1;
    let cases = [
        ("get weather", "get_weather"),
        ("größe", "gr__e"),
        ("a/b:c", "a_b_c"),
        ("naïve\u{202e}", "na_ve_"),
        ("", ""),
        (&*long, &*"x".repeat(room)),
        (&*posing, &*posing),
    ];
    for (name, readable) in cases {
        let outward = TWO.tool("files", name);
        assert_eq!(outward, format!("files__{readable}-{}", digest(name)));
        assert!(
            outward.len() <= NAME_MAX && outward.chars().all(is_plain),
            "{outward}"
        );
        let (server, inner) = TWO.split_tool(&outward).unwrap();
        assert_eq!(server, "files");
        assert!(Naming::is_shortened(inner), "{inner}");
        assert!(TWO.matches(&outward, "files", name));
        assert!(!TWO.matches(&outward, "files", inner));
        assert!(!TWO.matches(&outward, "git", name));
    }
}

#[test]
fn only_a_digest_behind_a_dash_is_a_shortened_name() {
    let digits = digest("x");
    let short: String = digits.chars().skip(1).collect();
    let cases = [
        (format!("a-{digits}"), true),
        (format!("-{digits}"), true),
        (digits.clone(), false),
        (format!("a_{digits}"), false),
        (format!("a-{digits}0"), false),
        (format!("a-{short}"), false),
        (
            format!("a-{}", digits.to_uppercase().replace(char::is_numeric, "A")),
            false,
        ),
        (format!("a-{short}g"), false),
        (format!("é-{digits}"), true),
        ("é".repeat(20), false),
        (String::new(), false),
    ];
    for (name, expected) in cases {
        assert_eq!(Naming::is_shortened(&name), expected, "{name}");
    }
}

/// Every name of up to four characters over the characters that matter, long ones, and every name
/// that one of them is shortened to, for servers whose names begin alike.
#[test]
fn no_two_tools_of_any_two_servers_share_a_name() {
    let servers = ["a", "a-", "a_a", "a-b", "a--", "aa", "b"];
    assert_eq!(check_servers(&servers), Ok(()));
    let alphabet = ['a', '_', '-', '.', '0', 'é', ' '];
    let mut names = vec![String::new()];
    let mut last = names.clone();
    for _ in 0..4 {
        let longer = |name: &String| alphabet.map(|character| format!("{name}{character}"));
        last = last.iter().flat_map(longer).collect();
        names.extend(last.iter().cloned());
    }
    names.extend((80..200).map(|length| "x".repeat(length)));
    names.extend((80..200).map(|length| format!("{}é", "x".repeat(length))));
    for _ in 0..2 {
        let posing: Vec<String> = names
            .iter()
            .flat_map(|name| servers.map(|server| fitted(server, name).into_owned()))
            .collect();
        names.extend(posing);
        names.sort();
        names.dedup();
    }
    let mut seen: HashMap<String, (&str, &str)> = HashMap::new();
    for server in servers {
        for name in &names {
            let outward = TWO.tool(server, name);
            assert!(outward.len() <= NAME_MAX && outward.chars().all(is_plain));
            let (found, inner) = TWO.split_tool(&outward).unwrap();
            assert_eq!(found, server, "{outward}");
            assert!(inner == name || Naming::is_shortened(inner), "{outward}");
            if let Some(other) = seen.insert(outward.clone(), (server, name)) {
                panic!("`{outward}` is {other:?} and {:?}", (server, name));
            }
        }
    }
    assert!(seen.len() > 20_000);
}

#[test]
fn names_without_server_or_tool_lead_nowhere() {
    for outward in ["", "read", "files_read", "__read", "files__", "__", "files"] {
        assert_eq!(TWO.split_tool(outward), None, "{outward}");
    }
}

#[test]
fn uris_carry_their_server_and_lead_back_byte_for_byte() {
    let cases = [
        ("files", "file:///a%2Fb", "files+file:///a%2Fb"),
        ("my_files", "file:///a", "my-files+file:///a"),
        ("git", "svn+ssh://host/x", "git+svn+ssh://host/x"),
        ("git", "+x", "git++x"),
        ("git", "", "git+"),
        (
            "t",
            "test://template/{id}/data",
            "t+test://template/{id}/data",
        ),
        ("t", "{scheme}://x", "t+{scheme}://x"),
    ];
    for (server, uri, outward) in cases {
        assert_eq!(TWO.uri(server, uri), outward);
        let (scheme, inner) = TWO.split_uri(outward).unwrap();
        assert!(Naming::is_scheme_of(scheme, server));
        assert_eq!(inner, uri);
        assert_eq!(TWO.inner_uri(server, outward), Some(uri));
        for other in ["fil", "filesystem", "gi", "other"] {
            assert!(!Naming::is_scheme_of(scheme, other));
            assert_eq!(TWO.inner_uri(other, outward), None);
        }
    }
    for outward in ["", "file:///a", "+file:///a"] {
        assert_eq!(TWO.split_uri(outward), None, "{outward}");
    }
    // Bytes count: what is written otherwise is another URI.
    assert_eq!(TWO.inner_uri("files", "Files+file:///a"), None);
    assert_eq!(TWO.inner_uri("my_files", "my_files+file:///a"), None);
}

fn outward(naming: Naming, method: &str, sender: Sender, text: &str) -> String {
    let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
    let find = |revision: &Revision| Method::find(method, *revision, sender);
    let method = Revision::ALL.iter().find_map(find).unwrap();
    let edits = naming.outward_uris(&document, method, "my_files");
    String::from_utf8(document.apply(&edits).unwrap().to_vec()).unwrap()
}

/// Each text with `@` where the scheme belongs.
#[test]
fn uris_in_messages_become_outward_and_nothing_else_changes() {
    let result = |inside: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{{inside}}}}}"#);
    let params =
        |inside: &str| format!(r#"{{"jsonrpc":"2.0","method":"m","params":{{{inside}}}}}"#);
    let blocks = r#"{"type":"text","text":"file:///no","uri":"file:///no"},
        {"type":"resource","uri":"file:///no","resource":{"uri":"@file:///a","text":"file:///no"}},
        {"type":"resource_link","name":"n","uri":"@file:\/\/\/b","resource":{"uri":"file:///no"}},
        {"uri":"@x","type":"resource_\u006cink"},
        {"type":"resource","resource":{"uri":7}},{"type":"resource"},{"type":7},7"#;
    let message = |content: &str| format!(r#"{{"role":"user","content":{content}}}"#);
    let one = message(r#"{"type":"resource_link","uri":"@a:b"}"#);
    let many = message(&format!("[{blocks}]"));
    let nested = message(&format!(
        r#"[{{"type":"tool_result","toolUseId":"1","content":[{blocks}]}}]"#
    ));
    let talk = format!(r#""messages":[{one},{many},{nested},{{"role":"user"}},7]"#);
    let questions = format!(
        r#""inputRequests":{{"k":{{"method":"sampling/createMessage","params":{{{talk}}}}},
        "e":{{"method":"elicitation/create","params":{{"mode":"url","url":"https://no"}}}}}}"#
    );
    let content = format!(r#""content":[{blocks}],"structuredContent":{{"uri":"file:///no"}}"#);
    let (client, server) = (Sender::Client, Sender::Server);
    let cases = [
        ("tools/call", client, result(&content)),
        ("tools/call", client, result(&questions)),
        ("tasks/result", client, result(&content)),
        ("prompts/get", client, result(&talk)),
        ("prompts/get", client, result(&questions)),
        ("resources/read", client, result(r#""contents":[{"uri":"@a:1","text":"x"},{"uri":"@a:2"}],"uri":"no""#)),
        ("resources/read", client, result(&questions)),
        (
            "resources/read",
            client,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"no a:1","data":{"uri":"@a:1"}}}"#.into(),
        ),
        ("resources/list", client, result(r#""resources":[{"name":"a:1","uri":"@a:1","icons":[{"src":"https://no"}]},{"uri":"@"}]"#)),
        ("resources/templates/list", client, result(r#""resourceTemplates":[{"uriTemplate":"@{a}:{b}","uri":"no"}]"#)),
        ("tasks/get", client, result(&format!(r#""taskId":"t","status":"completed","result":{{{content}}}"#))),
        ("tasks/get", client, result(&format!(r#""taskId":"t","status":"input_required",{questions}"#))),
        ("notifications/tasks", server, params(&format!(r#""taskId":"t","result":{{{content}}}"#))),
        ("notifications/resources/updated", server, params(r#""uri":"@a:1","title":"a:1""#)),
        (
            "notifications/subscriptions/acknowledged",
            server,
            params(r#""notifications":{"resourceSubscriptions":["@a:1","@a:2"],"toolsListChanged":true}"#),
        ),
        ("sampling/createMessage", server, params(&talk)),
        ("tools/list", client, result(r#""tools":[{"name":"a","uri":"no"}]"#)),
        ("completion/complete", client, result(r#""completion":{"values":["a:1"],"uri":"no"}"#)),
        ("elicitation/create", server, params(r#""mode":"url","url":"https://no","uri":"no""#)),
    ];
    for (method, sender, text) in cases {
        let inner = text.replace('@', "");
        let expected = text.replace('@', "my-files+");
        assert_eq!(outward(TWO, method, sender, &inner), expected, "{method}");
        assert_eq!(
            outward(Naming::Plain, method, sender, &inner),
            inner,
            "{method}"
        );
    }
}
