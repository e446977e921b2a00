//! What is refused, what is warned of, and how it is told.

use super::*;

#[test]
fn says_where_a_policy_is_wrong() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        (
            "permit (principal, action, resource)\n",
            "p.cedar:1:37: unexpected end of input",
        ),
        (
            "// ä\npermit (principal, action == Ringwall::Action::\"cal\", resource);",
            "p.cedar:2:30: for policy `p.cedar#1`, unrecognized action `Ringwall::Action::\"cal\"` (did you mean ",
        ),
        (
            "permit (principal, action == Ringwall::Action::\"call\", resource)\nwhen { resource.color == \"red\" };",
            "p.cedar:2:8: for policy `p.cedar#1`, attribute `color` on entity type `Ringwall::Tool` not found",
        ),
        (
            "permit (principal, action == Ringwall::Action::\"call\", resource)\nwhen { resource.name == 1 };",
            "p.cedar:2:8: the types Long and String are not compatible",
        ),
        (
            "@id(\"a\") permit (principal, action, resource);\n@id(\"a\") forbid (principal, action, resource);",
            "p.cedar:2:1: the id `a` is already used in p.cedar:1",
        ),
        (
            "@id permit (principal, action, resource);",
            "p.cedar:1:1: the policy has an empty `@id`",
        ),
        (
            "\n@lift(\"approval\") permit (principal, action, resource);",
            "p.cedar:2:1: the permit `p.cedar#1` has a `@lift` (only a forbid can be lifted)",
        ),
        (
            "@lift(\"magic\") forbid (principal, action, resource);",
            "p.cedar:1:1: `magic` lifts nothing: it is none of the words that lift something",
        ),
        (
            "permit (principal == ?principal, action, resource);",
            "p.cedar:1:22: a policy with a slot (`?principal`, `?resource`) cannot be used",
        ),
        // Arguments: the policy reaches one tool, several, or none that has it.
        (
            "permit (principal, action == Ringwall::Action::\"call\", resource == Ringwall::Tool::\"files/read\")\nwhen { context.arguments.pth == \"x\" };",
            "did you mean `path`?",
        ),
        (
            "permit (principal, action == Ringwall::Action::\"call\", resource)\nwhen { context.arguments.path == \"x\" };",
            "try testing for the attribute's presence",
        ),
        (
            "permit (principal, action == Ringwall::Action::\"call\", resource == Ringwall::Tool::\"files/stat\")\nwhen { context.arguments.quota == 1 };",
            "p.cedar:2:8",
        ),
        (
            "permit (principal, action == Ringwall::Action::\"read\", resource)\nwhen { context.arguments.path == \"x\" };",
            "p.cedar:2:8",
        ),
    ] {
        let error = compile(text).expect_err(text).to_string();
        if !error.contains(expected) {
            wrong.push(format!("{error}\n  is not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tells_every_problem_of_every_file_at_once() {
    let source = |name: &str, text: &str| Source {
        name: name.into(),
        text: text.into(),
    };
    let sources = [
        source(
            "a",
            "permit (principal, action, resource) when { principal.x };",
        ),
        source(
            "b",
            "permit (principal, action, resource) when { resource.y };",
        ),
    ];
    let error = Policies::compile(&sources, &catalog()).expect_err("both are wrong");
    let files: Vec<&str> = error.problems().iter().map(|p| p.file.as_str()).collect();
    assert!(files.contains(&"a") && files.contains(&"b"), "{error}");
    assert!(files.is_sorted(), "{error}");
}

#[test]
fn a_broken_catalog_is_refused() {
    for (change, expected) in [
        (
            r#"{"servers":[{"name":"a/b"}]}"#,
            "the server name `a/b` is empty or holds a `/`",
        ),
        (
            r#"{"servers":[{"name":""}]}"#,
            "the server name `` is empty",
        ),
        (
            r#"{"servers":[{"name":"a"},{"name":"a"}]}"#,
            "`a` is there twice",
        ),
        (
            r#"{"tools":[{"server":"a","name":"b"}]}"#,
            "`a/b` belongs to no server",
        ),
        (
            r#"{"servers":[{"name":"a"}],"tools":[{"server":"a","name":"b"},{"server":"a","name":"b"}]}"#,
            "`a/b` is there twice",
        ),
        (
            r#"{"claims":[{"name":"a","kind":"text"},{"name":"a","kind":"flag"}]}"#,
            "the claim `a` is there twice",
        ),
    ] {
        let catalog: Catalog = serde_json::from_str(change).expect("reads");
        let error = Policies::compile(&[], &catalog)
            .expect_err(change)
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn warns_of_what_can_never_match_and_of_what_tools_disagree_about() {
    for (text, expected) in [
        (
            "permit (principal, action,\nresource == Ringwall::Tool::\"files/raed\");",
            "p.cedar:2:29: policy `p.cedar#1` names `files/raed`, which is not in the catalog",
        ),
        (
            "permit (principal, action, resource) when { resource in Ringwall::Server::\"fils\" };",
            "names `fils`, which is not in the catalog",
        ),
        (
            "permit (principal, action == Ringwall::Action::\"call\", resource in Ringwall::Server::\"files\")\nwhen { context.arguments has path && context.arguments.path like \"/srv/*\" };",
            "policy `p.cedar#1` reads `path`, which has different types in the tools it reaches",
        ),
        (
            "permit (principal, action == Ringwall::Action::\"call\", resource is Ringwall::Prompt);",
            "p.cedar:1:1",
        ),
    ] {
        let policies = policies(text);
        let warnings: Vec<String> = policies
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            warnings.iter().any(|w| w.contains(expected)),
            "{warnings:?}"
        );
    }
}

#[test]
fn a_policy_for_a_tool_not_seen_yet_waits_for_it() {
    let text = r#"
        permit (principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"files/new")
        when { context.arguments.path like "/srv/*" };
    "#;
    let mut catalog = catalog();
    let source = Source {
        name: "p.cedar".into(),
        text: text.into(),
    };
    let target = Target::Tool {
        server: "files",
        name: "new",
    };
    let arguments = object(json!({"path": "/srv/a"}));
    let context = Context {
        arguments: Some(&arguments),
        ..Context::default()
    };
    let before = Policies::compile(std::slice::from_ref(&source), &catalog).expect("waits");
    assert_eq!(before.warnings().len(), 1);
    let denied = decide(&before, &caller(Some(&[])), Action::Call, target, &context);
    assert_eq!(denied.errors, ["`files/new` is not in the catalog"]);
    catalog.tools.push(ToolEntry {
        server: "files".into(),
        name: "new".into(),
        input_schema: json!({"type": "object", "required": ["path"], "properties": {"path": {"type": "string"}}}),
        ..ToolEntry::default()
    });
    let after = Policies::compile(&[source], &catalog).expect("compiles");
    assert_eq!(after.warnings(), []);
    assert!(decide(&after, &caller(Some(&[])), Action::Call, target, &context).allows());
}
