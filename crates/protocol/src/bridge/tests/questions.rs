//! Questions of servers and the answers to them.

use super::*;
use Revision::{V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25};

const FORM: &str = r#"{"message":"m","requestedSchema":{"type":"object","properties":{}}}"#;
const URL: &str = r#"{"mode":"url","message":"m","url":"https://a.example/"}"#;
const SAMPLE: &str = r#"{"messages":[],"maxTokens":5}"#;

fn asking(requests: &str) -> Message {
    message(&format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{requests}}}}}"#
    ))
}

fn question(method: &str, params: &str) -> Question {
    Question {
        key: "k".into(),
        method: method.into(),
        params: Bytes::copy_from_slice(params.as_bytes()),
    }
}

fn elicit(params: &str) -> Question {
    question("elicitation/create", params)
}

#[test]
fn r1_reads_the_questions_of_a_result() {
    let said = asking(&format!(
        r#"{{"\u0061/b":{{"method":"elicitation/create","params":{FORM}}},"":{{"method":"roots/list"}}}}"#
    ));
    assert_eq!(questions(&said), Err(BridgeError::Key));
    let said = asking(&format!(
        r#"{{"\u0061/b":{{"method":"elicitation/create","params":{FORM}}},"c":{{"method":"roots/list","id":7}},"d":{{"params":{SAMPLE},"method":"sampling/createMessage"}}}}"#
    ));
    let found = questions(&said).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|question| (&*question.key, &*question.method, &*question.params))
        .collect();
    let expected: [(&str, &str, &[u8]); 3] = [
        ("a/b", "elicitation/create", FORM.as_bytes()),
        ("c", "roots/list", b"{}"),
        ("d", "sampling/createMessage", SAMPLE.as_bytes()),
    ];
    assert_eq!(found, expected);
    let none = message(r#"{"jsonrpc":"2.0","id":1,"result":{"requestState":"s"}}"#);
    assert_eq!(questions(&none), Ok(Vec::new()));
    let error = message(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}"#);
    assert_eq!(questions(&error), Ok(Vec::new()));
}

#[test]
fn r1_refuses_what_is_no_question() {
    let one = |request: &str| questions(&asking(&format!(r#"{{"a":{request}}}"#))).unwrap_err();
    let of =
        |method: &str, params: &str| one(&format!(r#"{{"method":"{method}","params":{params}}}"#));
    for method in ["tools/call", "ping", "Roots/list", ""] {
        assert_eq!(of(method, "{}"), BridgeError::NoQuestion, "{method}");
    }
    for request in ["7", "[]", "{}", r#"{"method":7}"#, r#"{"params":{}}"#] {
        assert_eq!(one(request), BridgeError::Question, "{request}");
    }
    for (method, params) in [
        ("roots/list", "[]"),
        ("roots/list", r#"{"_meta":7}"#),
        ("sampling/createMessage", "{}"),
        ("sampling/createMessage", r#"{"messages":{},"maxTokens":5}"#),
        ("sampling/createMessage", r#"{"messages":[]}"#),
        ("elicitation/create", "{}"),
        ("elicitation/create", r#"{"message":"m"}"#),
        (
            "elicitation/create",
            r#"{"message":7,"requestedSchema":{}}"#,
        ),
        ("elicitation/create", r#"{"mode":"url","message":"m"}"#),
        ("elicitation/create", r#"{"mode":"url","url":"u"}"#),
        (
            "elicitation/create",
            r#"{"mode":"voice","message":"m","requestedSchema":{}}"#,
        ),
        (
            "elicitation/create",
            r#"{"mode":null,"message":"m","requestedSchema":{}}"#,
        ),
    ] {
        assert_eq!(
            of(method, params),
            BridgeError::Question,
            "{method} {params}"
        );
    }
    // A name that a careless client reads as another one, wherever the question stands.
    for request in [
        r#"{"method":"roots/list","Method":"sampling/createMessage"}"#,
        r#"{"method":"elicitation/create","params":{"message":"m","requestedSchema":{},"Mode":"url"}}"#,
    ] {
        let holder = document(&format!(r#"{{"inputRequests":{{"a":{request}}}}}"#));
        let error = questions_in(holder.root()).unwrap_err();
        assert!(matches!(error, BridgeError::Flaw(_)), "{request} {error}");
    }
    assert_eq!(questions(&asking("[]")), Err(BridgeError::Question));
    let many = |count: usize| {
        let list: Vec<_> = (0..count)
            .map(|place| format!(r#""{place}":{{"method":"roots/list"}}"#))
            .collect();
        questions(&asking(&format!("{{{}}}", list.join(","))))
    };
    assert_eq!(many(QUESTIONS_MAX).unwrap().len(), QUESTIONS_MAX);
    assert_eq!(
        many(QUESTIONS_MAX + 1),
        Err(BridgeError::TooMany(QUESTIONS_MAX))
    );
    let named = |length: usize| {
        questions(&asking(&format!(
            r#"{{"{}":{{"method":"roots/list"}}}}"#,
            "x".repeat(length)
        )))
    };
    assert!(named(KEY_MAX).is_ok());
    assert_eq!(named(KEY_MAX + 1), Err(BridgeError::Key));
}

#[test]
fn r1_knows_which_capability_a_question_needs() {
    use Need::*;
    let tools = r#"{"messages":[],"maxTokens":5,"tools":[]}"#;
    let choice = r#"{"messages":[],"maxTokens":5,"toolChoice":{}}"#;
    let explicit = r#"{"mode":"form","message":"m","requestedSchema":{}}"#;
    let cases = [
        (elicit(FORM), ElicitationForm),
        (elicit(explicit), ElicitationForm),
        (elicit(URL), ElicitationUrl),
        (question("roots/list", "{}"), Roots),
        (question("sampling/createMessage", SAMPLE), Sampling),
        (question("sampling/createMessage", tools), SamplingTools),
        (question("sampling/createMessage", choice), SamplingTools),
    ];
    for (question, need) in cases {
        assert_eq!(question.needs(), Ok(need), "{question:?}");
        assert_eq!(question.is_url(), need == ElicitationUrl);
        // What a need is called in an error is what satisfies it.
        let declared = document(need.as_json());
        assert_eq!(
            question.missing(Some(declared.root())),
            Ok(None),
            "{need:?}"
        );
        assert_eq!(question.missing(None), Ok(Some(need)));
        let nothing = document("{}");
        assert_eq!(question.missing(Some(nothing.root())), Ok(Some(need)));
    }
    let declared = [
        (ElicitationForm, r#"{"elicitation":{}}"#, true),
        (ElicitationForm, r#"{"elicitation":{"url":{}}}"#, false),
        (
            ElicitationForm,
            r#"{"elicitation":{"url":{},"form":{}}}"#,
            true,
        ),
        (ElicitationForm, r#"{"elicitation":null}"#, false),
        (ElicitationUrl, r#"{"elicitation":{}}"#, false),
        (ElicitationUrl, r#"{"elicitation":{"url":false}}"#, false),
        (Sampling, r#"{"sampling":{"tools":{}}}"#, true),
        (SamplingTools, r#"{"sampling":{}}"#, false),
        (Roots, r#"{"roots":{"listChanged":true}}"#, true),
    ];
    for (need, capabilities, expected) in declared {
        let capabilities = document(capabilities);
        assert_eq!(
            need.is_in(capabilities.root()),
            expected,
            "{need:?} {capabilities:?}"
        );
    }
}

#[test]
fn r3_the_state_of_a_server_is_kept_byte_for_byte() {
    for (result, expected) in [
        (r#"{"requestState":"\u0073\/ é"}"#, Some(r#""\u0073\/ é""#)),
        (r#"{"requestState":""}"#, Some(r#""""#)),
        (r#"{"requestState":7}"#, None),
        ("{}", None),
    ] {
        let said = message(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#));
        assert_eq!(request_state(&said).as_deref(), expected.map(str::as_bytes));
    }
}

#[test]
fn a_legacy_client_is_asked_in_a_request() {
    let id = Id::from(9);
    let cases = [
        (
            elicit(
                r#"{"message":"m","_meta":{"progressToken":1,"a/b":2,"io.modelcontextprotocol/related-task":{}},"elicitationId":"x","requestedSchema":{ },"task":{}}"#,
            ),
            None,
            r#"{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"message":"m","_meta":{"a/b":2},"requestedSchema":{ }}}"#,
        ),
        (
            elicit(URL),
            Some("e\"1"),
            r#"{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"mode":"url","message":"m","url":"https://a.example/","elicitationId":"e\"1"}}"#,
        ),
        (
            elicit(
                r#"{"mode":"url","message":"m","url":"u","elicitationId":"theirs","_meta":{"progressToken":1}}"#,
            ),
            Some("ours"),
            r#"{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"mode":"url","message":"m","url":"u","elicitationId":"ours"}}"#,
        ),
        (
            question("roots/list", "{}"),
            Some("unused"),
            r#"{"jsonrpc":"2.0","id":9,"method":"roots/list","params":{}}"#,
        ),
        (
            question(
                "sampling/createMessage",
                r#"{"messages":[ ],"maxTokens":5,"tools":[],"x":1}"#,
            ),
            None,
            r#"{"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{"messages":[ ],"maxTokens":5,"tools":[],"x":1}}"#,
        ),
        // What tools gave back is an object to legacy clients, and so is every schema of theirs.
        (
            question(
                "sampling/createMessage",
                r#"{"messages":[{"role":"user","content":[{"type":"tool_result","toolUseId":"1","structuredContent":[1],"content":[]},{"type":"text","text":"t"}]},{"role":"user","content":{"type":"tool_result","toolUseId":"1","structuredContent":2,"content":[]}}],"maxTokens":5,"tools":[{"name":"a","inputSchema":{"type":"object","properties":{"p":true}},"outputSchema":{}}]}"#,
            ),
            None,
            r#"{"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{"messages":[{"role":"user","content":[{"type":"tool_result","toolUseId":"1","content":[{"type":"text","text":"[1]"}]},{"type":"text","text":"t"}]},{"role":"user","content":{"type":"tool_result","toolUseId":"1","content":[{"type":"text","text":"2"}]}}],"maxTokens":5,"tools":[{"name":"a","inputSchema":{"type":"object","properties":{"p":{}}}}]}}"#,
        ),
    ];
    for (question, elicitation, expected) in cases {
        let made = question_for_legacy(&question, &id, V2025_11_25, elicitation).unwrap();
        assert_eq!(text(&made), expected);
    }
    let made = question_for_legacy(&elicit(URL), &id, V2025_11_25, None);
    assert_eq!(made, Err(BridgeError::ElicitationId));
}

#[test]
fn a_client_is_asked_only_what_its_revision_has_words_for() {
    let several = r#"{"message":"m","requestedSchema":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array"}}}}"#;
    let sample = |content: &str| {
        let params =
            format!(r#"{{"messages":[{{"role":"user","content":{content}}}],"maxTokens":5}}"#);
        question("sampling/createMessage", &params)
    };
    let cases = [
        (elicit(FORM), V2025_06_18),
        (elicit(URL), V2025_11_25),
        (elicit(several), V2025_11_25),
        (question("roots/list", "{}"), V2024_11_05),
        (sample(r#"{"type":"text","text":"t"}"#), V2024_11_05),
        (sample("[]"), V2025_11_25),
        (sample(r#"{"type":"tool_use"}"#), V2025_11_25),
        (sample(r#"{"type":"tool_result"}"#), V2025_11_25),
        (
            question(
                "sampling/createMessage",
                r#"{"messages":[],"maxTokens":5,"tools":[]}"#,
            ),
            V2025_11_25,
        ),
    ];
    for (question, first) in cases {
        for revision in [V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25] {
            let made = question_for_legacy(&question, &Id::from(1), revision, Some("e"));
            match revision >= first {
                true => drop(text(&made.unwrap())),
                false => assert_eq!(made, Err(BridgeError::NotIn(revision)), "{question:?}"),
            }
        }
    }
    let modern = question_for_legacy(&elicit(FORM), &Id::from(1), Revision::V2026_07_28, None);
    assert_eq!(modern, Err(BridgeError::NotIn(Revision::V2026_07_28)));
}

#[test]
fn r1_a_modern_client_is_asked_in_a_result() {
    let asked = [
        Question {
            key: "a\"".into(),
            ..elicit(FORM)
        },
        question("roots/list", "{ }"),
    ];
    let info = br#"{"name":"s","version":"1"}"#;
    let made = input_required(&Id::from("i"), &asked, "s\"", Some(info));
    let expected = format!(
        r#"{{"jsonrpc":"2.0","id":"i","result":{{"resultType":"input_required","inputRequests":{{"a\"":{{"method":"elicitation/create","params":{FORM}}},"k":{{"method":"roots/list","params":{{ }}}}}},"requestState":"s\"","_meta":{{"io.modelcontextprotocol/serverInfo":{{"name":"s","version":"1"}}}}}}}}"#
    );
    assert_eq!(text(&made), expected);
    let made = input_required(&Id::from(1), &[], "s", None);
    assert_eq!(
        text(&made),
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"s"}}"#
    );
}

#[test]
fn a_request_of_a_legacy_server_becomes_a_question() {
    let request = |rest: &str| message(&format!(r#"{{"jsonrpc":"2.0","id":3,"method":{rest}}}"#));
    let cases = [
        (r#""roots/list""#, "roots/list", "{}"),
        (
            r#""roots/list","params":{"_meta":{"progressToken":1},"x":1}"#,
            "roots/list",
            r#"{"x":1}"#,
        ),
        (
            r#""elicitation/create","params":{"mode":"url","elicitationId":"e","message":"m","url":"u","task":{"ttl":1},"_meta":{"io.modelcontextprotocol/related-task":{},"a/b":1}}"#,
            "elicitation/create",
            r#"{"mode":"url","message":"m","url":"u","_meta":{"a/b":1}}"#,
        ),
        (
            r#""sampling/createMessage","params":{"messages":[],"maxTokens":5, "includeContext":"none"}"#,
            "sampling/createMessage",
            r#"{"messages":[],"maxTokens":5, "includeContext":"none"}"#,
        ),
    ];
    for (rest, method, params) in cases {
        let made = question_of_legacy("k", &request(rest)).unwrap();
        assert_eq!(made, question(method, params));
    }
    for (rest, key, error) in [
        (r#""ping""#, "k", BridgeError::NoQuestion),
        (r#""elicitation/create""#, "k", BridgeError::Question),
        (r#""roots/list""#, "", BridgeError::Key),
    ] {
        assert_eq!(
            question_of_legacy(key, &request(rest)),
            Err(error),
            "{rest}"
        );
    }
    let notice = message(r#"{"jsonrpc":"2.0","method":"roots/list"}"#);
    assert_eq!(
        question_of_legacy("k", &notice),
        Err(BridgeError::NoRequest)
    );
}

#[test]
fn pages_to_open_become_questions() {
    let error = |code: i64, data: &str| {
        message(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m","data":{data}}}}}"#
        ))
    };
    let page = r#"{"mode":"url","message":"m","url":"u","elicitationId":"e"}"#;
    let pages = |list: &str| format!(r#"{{"elicitations":[{list}]}}"#);
    let found = url_elicitations(&error(-32042, &pages(&format!("{page},{page}")))).unwrap();
    let params = r#"{"mode":"url","message":"m","url":"u"}"#;
    let named = |key: &str| Question {
        key: key.into(),
        ..elicit(params)
    };
    assert_eq!(found, [named("url-1"), named("url-2")]);
    let many = vec![page; QUESTIONS_MAX + 1].join(",");
    for (code, data) in [
        (-32041, pages(page)),
        (-32042, pages("")),
        (-32042, "{}".to_owned()),
        (-32042, "7".to_owned()),
        (-32042, pages(&format!("{page},7"))),
        (-32042, pages(FORM)),
        (-32042, pages(&many)),
    ] {
        assert_eq!(url_elicitations(&error(code, &data)), None, "{code} {data}");
    }
    let result = message(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(url_elicitations(&result), None);
}

#[test]
fn r4_reads_what_a_retry_brings_along() {
    let retry = |params: &str| {
        message(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#
        ))
    };
    let brought = retry(
        r#"{"inputResponses":{"\u0061":{"action":"accept" },"b":{}},"requestState":"\u0073"}"#,
    );
    let expected = [
        (
            Box::from("a"),
            Bytes::from_static(br#"{"action":"accept" }"#),
        ),
        (Box::from("b"), Bytes::from_static(b"{}")),
    ];
    assert_eq!(inputs(&brought).unwrap(), expected);
    assert_eq!(client_state(&brought).unwrap().as_deref(), Some("s"));
    assert_eq!(inputs(&retry("{}")), Ok(Vec::new()));
    assert_eq!(client_state(&retry("{}")), Ok(None));
    assert_eq!(
        client_state(&retry(r#"{"requestState":7}"#)),
        Err(BridgeError::Inputs)
    );
    let many: Vec<_> = (0..=QUESTIONS_MAX)
        .map(|place| format!(r#""{place}":{{}}"#))
        .collect();
    for (given, error) in [
        ("[]".to_owned(), BridgeError::Inputs),
        (r#"{"a":7}"#.to_owned(), BridgeError::Inputs),
        (r#"{"":{}}"#.to_owned(), BridgeError::Key),
        (
            format!("{{{}}}", many.join(",")),
            BridgeError::TooMany(QUESTIONS_MAX),
        ),
    ] {
        let given = retry(&format!(r#"{{"inputResponses":{given}}}"#));
        assert_eq!(inputs(&given), Err(error));
    }
}

#[test]
fn an_answer_goes_back_to_the_server_that_asked() {
    let made = response_for_legacy(&Id::from("q"), br#"{"action":"accept","content":{ }}"#);
    let expected = r#"{"jsonrpc":"2.0","id":"q","result":{"action":"accept","content":{ }}}"#;
    assert_eq!(text(&made), expected);
    let said = |rest: &str| message(&format!(r#"{{"jsonrpc":"2.0","id":1,{rest}}}"#));
    let roots = question("roots/list", "{}");
    let accepted = said(
        r#""result":{"action":"accept","_meta":{"io.modelcontextprotocol/related-task":{},"a/b":1}}"#,
    );
    let failed = said(r#""error":{"code":-1,"message":"no"}"#);
    let cases = [
        (
            elicit(FORM),
            &accepted,
            Some(r#"{"action":"accept","_meta":{"a/b":1}}"#),
        ),
        (elicit(FORM), &failed, Some(r#"{"action":"cancel"}"#)),
        (roots, &failed, None),
        (question("sampling/createMessage", SAMPLE), &failed, None),
    ];
    for (question, response, expected) in cases {
        let input = input_of_legacy(&question, response);
        assert_eq!(input.as_deref(), expected.map(str::as_bytes));
    }
    let request = said(r#""method":"ping""#);
    assert_eq!(input_of_legacy(&elicit(FORM), &request), None);
}
