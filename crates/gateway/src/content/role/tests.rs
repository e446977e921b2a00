//! What each string of a message is, and which of its numbers are looked at.

use super::*;
use bytes::Bytes;
use protocol::{Document, Limits};

fn roles(text: &str) -> Vec<(String, Role)> {
    let document = Document::read(Bytes::from(text.to_owned()), &Limits::default()).unwrap();
    let mut roles = Vec::new();
    walk(document.root(), Toward::Server, &mut |at| {
        if matches!(at.leaf, Leaf::Text(string) if !string.is_key()) {
            let member = at.member.map(|it| it.name.decoded().into_owned());
            roles.push((member.unwrap_or_default(), at.role));
        }
    });
    roles
}

#[test]
fn a_string_is_what_its_member_is_there_for() {
    let call = r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"send",
        "arguments":{"text":"t","list":["x"]},"_meta":{"progressToken":"p"}}}"#;
    let result = r#"{"result":{"content":[{"type":"text","text":"t"},
        {"type":"image","data":"AAAA","mimeType":"image/png"},
        {"type":"resource","resource":{"uri":"file:///a","text":"t","mimeType":"text/plain"}}],
        "structuredContent":{"type":"t","text":"x"}}}"#;
    let log = r#"{"method":"notifications/message","params":{"level":"info","data":"said"}}"#;
    let escaped = r#"{"params":{"\u0061rguments":{"id":"x","status":["y"]}}}"#;
    let answer = r#"{"result":{"action":"accept","content":{"id":"x","type":"y"}}}"#;
    let own = |first, second| vec![(first, Role::Structured), (second, Role::Structured)];
    let mut accepted = vec![("action", Role::Structured)];
    accepted.extend(own("id", "type"));
    for (text, expected) in [
        (escaped, own("id", "status")),
        (answer, accepted),
        (
            call,
            vec![
                ("jsonrpc", Role::Wire),
                ("id", Role::Wire),
                ("method", Role::Wire),
                ("name", Role::Name),
                ("text", Role::Structured),
                ("list", Role::Structured),
                ("progressToken", Role::Structured),
            ],
        ),
        (
            result,
            vec![
                ("type", Role::Wire),
                ("text", Role::Text),
                ("type", Role::Wire),
                ("data", Role::Blob),
                ("mimeType", Role::Wire),
                ("type", Role::Wire),
                ("uri", Role::Address),
                ("text", Role::Text),
                ("mimeType", Role::Wire),
                ("type", Role::Structured),
                ("text", Role::Structured),
            ],
        ),
        (
            log,
            vec![
                ("method", Role::Wire),
                ("level", Role::Wire),
                ("data", Role::Words),
            ],
        ),
    ] {
        are(text, expected);
    }
}

#[test]
fn what_went_wrong_is_told_from_what_is_asked_and_said() {
    let error = r#"{"error":{"code":1,"message":"m","data":{"id":"x","cursor":"y"}}}"#;
    let task = r#"{"result":{"statusMessage":"s","error":{"code":1,"message":"m","data":"d"}}}"#;
    let asked = r#"{"method":"elicitation/create","params":{"message":"m"}}"#;
    let failed = |member| (member, Role::Failure);
    for (text, expected) in [
        (
            error,
            vec![
                failed("message"),
                ("id", Role::Structured),
                ("cursor", Role::Structured),
            ],
        ),
        (
            task,
            vec![
                ("statusMessage", Role::Words),
                failed("message"),
                failed("data"),
            ],
        ),
        (
            asked,
            vec![("method", Role::Wire), ("message", Role::Words)],
        ),
    ] {
        are(text, expected);
    }
}

/// Members that hold data of somebody's own.
const OWN: [&str; 10] = [
    "_meta",
    "arguments",
    "capabilities",
    "const",
    "data",
    "default",
    "enum",
    "examples",
    "experimental",
    "structuredContent",
];

#[test]
fn each_name_of_the_protocol_has_its_role() {
    let names: [(Role, &[&str]); 4] = [
        (Role::Text, &["systemPrompt", "text"]),
        (
            Role::Words,
            &[
                "description",
                "title",
                "message",
                "name",
                "instructions",
                "logger",
                "reason",
                "statusMessage",
                "data",
            ],
        ),
        (
            Role::Address,
            &["uri", "uriTemplate", "url", "websiteUrl", "src"],
        ),
        (Role::Blob, &["blob"]),
    ];
    for (role, names) in names {
        for name in names {
            let said = [
                format!(r#"{{"{name}":"x"}}"#),
                format!(r#"{{"a":[{{"{name}":["x"]}}]}}"#),
            ];
            // A list of data is data.
            let shapes = if OWN.contains(name) { 1 } else { 2 };
            for text in said.iter().take(shapes) {
                are(text, vec![(name, role)]);
            }
            for of in OWN {
                are(
                    &format!(r#"{{"{of}":{{"{name}":"x"}}}}"#),
                    vec![(name, Role::Structured)],
                );
            }
        }
    }
}

#[test]
fn what_parties_tell_each_other_stands_in_the_meta_of_a_part_of_the_protocol() {
    for (holder, expected) in [
        ("params", Within::Meta),
        ("result", Within::Meta),
        ("content", Within::Meta),
        ("task", Within::Meta),
        ("annotations", Within::Data),
        ("clientInfo", Within::Data),
        ("whatever", Within::Data),
        ("arguments", Within::Data),
    ] {
        for text in [
            format!(r#"{{"{holder}":{{"_meta":{{"k":"v"}}}}}}"#),
            format!(r#"{{"result":{{"{holder}":[{{"_meta":{{"k":"v"}}}}]}}}}"#),
        ] {
            let document = Document::read(text.clone().into(), &Limits::default()).unwrap();
            let mut found = Vec::new();
            walk(document.root(), Toward::Model, &mut |at| {
                if matches!(at.leaf, Leaf::Text(string) if !string.is_key()) {
                    found.push(at.within);
                }
            });
            assert_eq!(found, [expected], "{text}");
        }
    }
}

#[test]
fn words_of_the_protocol_are_wire_outside_of_data() {
    let words = [
        "level",
        "method",
        "mimeType",
        "resultType",
        "role",
        "status",
        "stopReason",
        "type",
    ];
    for name in words {
        are(
            &format!(r#"{{"a":[{{"{name}":"x"}}]}}"#),
            vec![(name, Role::Wire)],
        );
        for of in OWN {
            let text = format!(r#"{{"{of}":{{"{name}":"x"}}}}"#);
            are(&text, vec![(name, Role::Structured)]);
        }
    }
    for (text, role) in [
        (r#"{"content":{"text":"x"}}"#, Role::Text),
        (r#"{"action":1,"content":{"text":"x"}}"#, Role::Structured),
        (r#"{"input":{"text":"x"}}"#, Role::Text),
        (r#"{"type":1,"input":{"text":"x"}}"#, Role::Text),
        (r#"{"default":"x"}"#, Role::Structured),
        (r#"{"unknown":"x"}"#, Role::Structured),
    ] {
        let role = vec![role];
        let found: Vec<_> = roles(text).into_iter().map(|(_, role)| role).collect();
        assert_eq!(found, role, "{text}");
    }
}

fn are(text: &str, expected: Vec<(&str, Role)>) {
    let expected = expected.into_iter();
    let expected: Vec<_> = expected.map(|(it, role)| (it.to_owned(), role)).collect();
    assert_eq!(roles(text), expected);
}

/// What a server says in messages of many kinds, and what it is.
const SAID: &[(&str, Role)] = &[
    // By what is left of a name.
    (r#"{"params":{"status\u200bMessage":"said"}}"#, Role::Words),
    (
        r#"{"result":{"task":{"\udb40\udc41statusMessage":"said"}}}"#,
        Role::Words,
    ),
    // A string where a block belongs.
    (r#"{"result":{"content":"said"}}"#, Role::Text),
    (r#"{"result":{"content":["said"]}}"#, Role::Text),
    (r#"{"result":{"contents":["said"]}}"#, Role::Text),
    (r#"{"result":{"messages":["said"]}}"#, Role::Text),
    (
        r#"{"result":{"messages":[{"content":"said"}]}}"#,
        Role::Text,
    ),
    (
        r#"{"params":{"messages":[{"content":["said"]}]}}"#,
        Role::Text,
    ),
    (
        r#"{"result":{"completion":{"values":["said"]}}}"#,
        Role::Words,
    ),
    (r#"{"result":{"values":["said"]}}"#, Role::Structured),
    (
        r#"{"params":{"requestedSchema":{"properties":{"a":{"enumNames":["said"]}}}}}"#,
        Role::Words,
    ),
    (
        r#"{"result":{"action":"x","content":[{"type":"text","text":"said"}]}}"#,
        Role::Text,
    ),
    (
        r#"{"result":{"content":[{"type":"image","mimeType":"image/png","data":"said"}]}}"#,
        Role::Blob,
    ),
    (
        r#"{"result":{"content":{"type":"audio","data":"said"}}}"#,
        Role::Blob,
    ),
    (
        r#"{"method":"notifications/message","params":{"mimeType":"image/png","type":"image","data":"said"}}"#,
        Role::Words,
    ),
    (
        r#"{"result":{"content":[{"type":"text","mimeType":"image/png","data":"said"}]}}"#,
        Role::Words,
    ),
    (
        r#"{"result":{"input":{"type":"text","text":"said"},"type":"x"}}"#,
        Role::Text,
    ),
    (
        r#"{"result":{"content":{"type":"tool_use","input":{"text":"said"}}}}"#,
        Role::Structured,
    ),
    // No name of anything that is found by it.
    (
        r#"{"result":{"content":[{"type":"resource_link","uri":"a:b","name":"said"}]}}"#,
        Role::Words,
    ),
    (
        r#"{"result":{"content":[{"type":"tool_use","name":"said"}]}}"#,
        Role::Words,
    ),
    (
        r#"{"result":{"content":[{"tools":[{"name":"said"}]}]}}"#,
        Role::Words,
    ),
    (
        r#"{"result":{"messages":[{"content":{"type":"resource_link","name":"said"}}]}}"#,
        Role::Words,
    ),
    (r#"{"result":{"contents":[{"name":"said"}]}}"#, Role::Words),
    (r#"{"result":{"resources":[{"name":"said"}]}}"#, Role::Words),
    (r#"{"result":{"name":"said"}}"#, Role::Words),
    (r#"{"result":{"serverInfo":{"name":"said"}}}"#, Role::Words),
    (
        r#"{"method":"notifications/message","params":{"name":"said"}}"#,
        Role::Words,
    ),
    (r#"{"params":{"ref":{"name":"said"}}}"#, Role::Words),
    (r#"{"result":{"tools":[{"name":"said"}]}}"#, Role::Name),
    (
        r#"{"result":{"prompts":[{"n\u0061me":"said"}]}}"#,
        Role::Name,
    ),
    (r#"{"params":{"tools":[{"name":"said"}]}}"#, Role::Name),
    (
        r#"{"result":{"inputRequests":{"q":{"params":{"tools":[{"name":"said"}]}}}}}"#,
        Role::Name,
    ),
];

#[test]
fn n1_4_no_member_that_a_server_adds_makes_anything_of_a_text_but_what_it_is() {
    let walked = |text: &str| {
        let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
        let mut roles = Vec::new();
        walk(document.root(), Toward::Model, &mut |at| {
            if at.leaf.text() == "said" {
                roles.push(at.role);
            }
        });
        roles
    };
    for (text, expected) in SAID {
        assert_eq!(walked(text), [*expected], "{text}");
    }
}

#[test]
fn a_client_asks_by_names() {
    for (text, role) in [
        (
            r#"{"method":"tools/call","params":{"name":"x"}}"#,
            Role::Name,
        ),
        (r#"{"params":{"ref":{"name":"x"}}}"#, Role::Name),
        (r#"{"params":{"argument":{"name":"x"}}}"#, Role::Name),
        (
            r#"{"result":{"content":{"type":"tool_use","name":"x"}}}"#,
            Role::Name,
        ),
        (
            r#"{"result":{"content":{"type":"text","name":"x"}}}"#,
            Role::Words,
        ),
        (r#"{"result":{"roots":[{"name":"x"}]}}"#, Role::Words),
        (r#"{"params":{"clientInfo":{"name":"x"}}}"#, Role::Words),
    ] {
        let named = roles(text).into_iter().filter(|(name, _)| name == "name");
        let found: Vec<_> = named.map(|(_, role)| role).collect();
        assert_eq!(found, [role], "{text}");
    }
}

#[test]
fn n9_3_only_words_of_the_protocol_and_what_is_handed_on_in_its_place_are_passed_over() {
    let long = "a".repeat(WORD + 1);
    let secret = "ghp_0123";
    for (text, expected) in [
        (r#"{"id":"?"}"#, "0,%"),
        (r#"{"result":{"nextCursor":"?","taskId":"?"}}"#, "0,%"),
        (
            r#"{"result":{"task":{"taskId":"?"},"tasks":[{"taskId":"?"}]}}"#,
            "0,%",
        ),
        (
            r#"{"params":{"cursor":"?","requestState":"?","progressToken":"?"}}"#,
            "0,%",
        ),
        (r#"{"result":{"toolResult":{"id":"?","cursor":"?"}}}"#, ""),
        (r#"{"result":{"id":"?","content":[{"taskId":"?"}]}}"#, ""),
        (
            r#"{"params":{"nextCursor":"?","message":{"requestState":"?"}}}"#,
            "",
        ),
        (
            r#"{"result":{"content":[{"type":"?","role":"?"}],"stopReason":"?"}}"#,
            "%",
        ),
        (r#"{"result":{"resources":[{"mimeType":"?"}]}}"#, "%"),
        (r#"{"result":{"type":["?"]}}"#, ""),
    ] {
        // `0` stands for anything, `%` for a word.
        for (said, sign) in [(secret, "0"), (&long, "0"), ("image/svg+xml", "%")] {
            let is_wire = |(_, role): &(String, Role)| *role == Role::Wire;
            let all = roles(&text.replace('?', said));
            assert_eq!(
                all.iter().all(is_wire),
                expected.contains(sign),
                "{text} {said}"
            );
            assert!(
                expected.contains(sign) || !all.iter().any(is_wire),
                "{text} {said}"
            );
        }
    }
}

#[test]
fn every_string_of_a_message_is_visited_once_in_its_order() {
    let text = r#"["a",{"b":"c","d":[["e"],{"f":{"g":"h"}}]},"i"]"#;
    let document = Document::read(Bytes::from(text.to_owned()), &Limits::default()).unwrap();
    let mut seen = Vec::new();
    walk(document.root(), Toward::Model, &mut |at| {
        seen.push(at.leaf.range())
    });
    let all: Vec<_> = document.strings().map(|string| string.range()).collect();
    assert_eq!(seen, all);
}

#[test]
fn numbers_of_data_are_come_by_and_those_of_the_protocol_are_not() {
    for (text, expected) in [
        (
            r#"{"id":1,"params":{"arguments":{"a":2,"b":[3,{"c":4}]},"_meta":{"progressToken":5,"x":6}}}"#,
            vec![2, 3, 4, 6],
        ),
        (
            r#"{"result":{"structuredContent":[7],"ttl":8,"content":[{"type":"resource_link","size":9}]}}"#,
            vec![7],
        ),
        // What nobody knows is no number of the protocol, whatever it is called elsewhere.
        (
            r#"{"result":{"toolResult":{"card":1,"size":2,"id":3,"code":4,"in":[5,{"ttl":6}]}}}"#,
            vec![1, 2, 3, 4, 5, 6],
        ),
        (
            r#"{"result":{"card":1,"content":[{"type":"text","text":2,"size":3,"data":4}]},"x":5}"#,
            vec![1, 2, 3, 4, 5],
        ),
        (
            r#"{"result":{"ttl":[1],"maximum":2,"status":3,"name":4,"blob":5,"uri":6,"nextCursor":7}}"#,
            vec![1, 2, 3, 4, 5, 6, 7],
        ),
        (
            r#"{"params":{"level":1,"logger":2,"progress":{"total":3}}}"#,
            vec![1, 2, 3],
        ),
        (
            r#"{"result":{"task":{"ttl":1,"pollInterval":2},"completion":{"total":3},"resources":[{"size":4}]}}"#,
            vec![],
        ),
        (
            r#"{"method":"sampling/createMessage","id":1,"params":{"maxTokens":2,"temperature":0,
                "modelPreferences":{"speedPriority":1},"tools":[{"inputSchema":{"properties":{"a":{"maximum":3}}}}]}}"#,
            vec![],
        ),
        (
            r#"{"params":{"progress":1,"total":2,"data":{"n":3}}}"#,
            vec![3],
        ),
        (
            r#"{"result":{"tools":[{"inputSchema":{"minimum":1,"default":2,"enum":[3]}}]}}"#,
            vec![2, 3],
        ),
        (r#"{"error":{"code":-32000,"data":{"n":1}}}"#, vec![1]),
    ] {
        let document = Document::read(Bytes::from(text.to_owned()), &Limits::default()).unwrap();
        let mut seen = Vec::new();
        walk(document.root(), Toward::Model, &mut |at| {
            if let Leaf::Number(number) = at.leaf {
                seen.push(number.integer().unwrap());
            }
        });
        assert_eq!(seen, expected, "{text}");
    }
}
