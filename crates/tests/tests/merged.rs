//! Several servers behind one route: what they offer is listed as one, under names that lead back to
//! exactly one of them. One server speaks sessions, one is stateless, one is a local process that
//! speaks both; the callers are of both eras.

use anyhow::{Context as _, Result};
use ringwall_tests::mcp::text;
use ringwall_tests::wire;
use ringwall_tests::world::{Caller, Fleet, List, Member, Plain, Plan};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The servers, in the order of the configuration: no order that sorting would give.
const SERVERS: [&str; 3] = ["old", "new", "by_pipe"];

async fn mixed() -> Result<Fleet> {
    let members = [
        Member::http("old", &["--era", "legacy"]),
        Member::http("new", &["--era", "modern"]),
        Member::stdio("by_pipe", &["--era", "both"]),
    ];
    Fleet::start(Plan::default(), &members, &[]).await
}

/// What stands before the URIs of a server.
fn scheme(server: &str) -> String {
    server.replace('_', "-")
}

/// Which server a listed name is of.
fn owner(of: List, name: &str) -> Result<&'static str> {
    let is_of = |server: &&str| match of {
        List::Tools | List::Prompts => name.starts_with(&format!("{server}__")),
        List::Resources | List::Templates => name.starts_with(&format!("{}+", scheme(server))),
    };
    let found = SERVERS.into_iter().find(|server| is_of(server));
    found.with_context(|| format!("`{name}` is of nobody"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_of_several_servers_are_one_in_the_order_of_the_configuration() -> Result<()> {
    let fleet = mixed().await?;
    for caller in fleet.callers("alice").await? {
        for list in List::ALL {
            let first = caller.list(list).await?;
            let names = list.names(&first)?;
            let mut owners = Vec::new();
            for name in &names {
                owners.push(owner(list, name)?);
            }
            owners.dedup();
            assert_eq!(owners, SERVERS, "{list:?} of {:?}", caller.footing());
            let different: BTreeSet<_> = names.iter().collect();
            assert_eq!(different.len(), names.len(), "a name stands there twice");
            let missing = first.pointer("/_meta/io.ringwall~1unavailable");
            assert_eq!(missing, None, "{list:?}");
            // The same question has the same answer, to the last member.
            assert_eq!(caller.list(list).await?, first);
            assert_eq!(caller.list(list).await?, first);
        }
        // Each server has what it would have alone, and two with the same names do not collide.
        let tools = caller.names(List::Tools).await?;
        for server in SERVERS {
            for tool in ["echo", "add", "test_embedded_resource"] {
                assert!(tools.contains(&format!("{server}__{tool}")), "{tools:?}");
            }
        }
        let fits = |name: &String| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            name.len() <= 128 && name.chars().all(is_plain)
        };
        assert!(tools.iter().all(fits), "{tools:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_can_be_called_got_read_and_completed_at_its_own_server() -> Result<()> {
    let fleet = mixed().await?;
    for caller in fleet.callers("alice").await? {
        for server in SERVERS {
            uses_everything(&fleet, &caller, server)
                .await
                .with_context(|| format!("{server} for {:?}", caller.footing()))?;
        }
        for list in [List::Resources] {
            for uri in caller.names(list).await? {
                let answer = caller
                    .request("resources/read", json!({ "uri": uri }))
                    .await?;
                let told = answer.pointer("/result/contents/0/uri");
                assert_eq!(told, Some(&json!(uri)), "{answer}");
            }
        }
    }
    Ok(())
}

/// One of each kind, at this server and at no other.
async fn uses_everything(fleet: &Fleet, caller: &Caller, server: &str) -> Result<()> {
    let word = format!("for-{server}-{:?}", caller.footing());
    let tool = format!("{server}__echo");
    let answer = caller.call(&tool, json!({ "text": word })).await?;
    assert_eq!(text(&answer), word);
    let answer = caller
        .request(
            "prompts/get",
            json!({
                "name": format!("{server}__test_prompt_with_arguments"),
                "arguments": { "arg1": word, "arg2": "b" }
            }),
        )
        .await?;
    let said = answer.pointer("/result/messages/0/content/text");
    let said = said.and_then(Value::as_str).unwrap_or_default();
    assert!(said.contains(&word), "{answer}");
    let template = format!("{}+test://template/{{id}}/data", scheme(server));
    let filled = template.replace("{id}", &word);
    let answer = caller
        .request("resources/read", json!({ "uri": filled }))
        .await?;
    assert_eq!(
        answer.pointer("/result/contents/0/uri"),
        Some(&json!(filled)),
        "{answer}"
    );
    let argument = json!({ "name": "arg1", "value": word });
    for reference in [
        json!({ "type": "ref/prompt", "name": format!("{server}__test_prompt_with_arguments") }),
        json!({ "type": "ref/resource", "uri": template }),
    ] {
        let params = json!({ "ref": reference, "argument": argument });
        let answer = caller.request("completion/complete", params).await?;
        assert!(
            answer.pointer("/result/completion/values").is_some(),
            "{answer}"
        );
    }
    // Its own names reached it, and nothing of it reached another.
    let heard = fleet.journal_text(server)?;
    assert!(
        heard.contains(&format!("test://template/{word}/data")),
        "{heard}"
    );
    assert!(
        !heard.contains(&tool) && !heard.contains(&filled),
        "{heard}"
    );
    for other in SERVERS.into_iter().filter(|other| *other != server) {
        assert!(!fleet.journal_text(other)?.contains(&word), "{other}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_that_stand_in_answers_are_called_as_they_can_be_read() -> Result<()> {
    let fleet = mixed().await?;
    for caller in fleet.callers("alice").await? {
        for server in SERVERS {
            let link = format!("{server}__test_resource_link");
            let link = caller.call(&link, json!({})).await?;
            let prompt = json!({
                "name": format!("{server}__test_prompt_with_embedded_resource"),
                "arguments": { "resourceUri": "test://static-text" }
            });
            let prompt = caller.request("prompts/get", prompt).await?;
            let embedded = format!("{server}__test_embedded_resource");
            let embedded = caller.call(&embedded, json!({})).await?;
            let prefix = scheme(server);
            for (answer, place, inner) in [
                (&link, "/result/content/0/uri", "test://static-text"),
                (
                    &prompt,
                    "/result/messages/0/content/resource/uri",
                    "test://static-text",
                ),
                (
                    &embedded,
                    "/result/content/0/resource/uri",
                    "test://embedded-resource",
                ),
            ] {
                let told = answer.pointer(place);
                assert_eq!(told, Some(&json!(format!("{prefix}+{inner}"))), "{answer}");
            }
            let uri = link.pointer("/result/content/0/uri");
            let read = caller
                .request("resources/read", json!({ "uri": uri }))
                .await?;
            let said = read
                .pointer("/result/contents/0/text")
                .and_then(Value::as_str);
            assert_eq!(
                said,
                Some("This is the content of the static text resource."),
                "{read}"
            );
            assert_eq!(read.pointer("/result/contents/0/uri"), uri);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_fit_is_shortened_and_leads_to_what_it_names() -> Result<()> {
    let long = format!("{}-a", "a.name_that-goes-on".repeat(6));
    let longer = format!("{}-b", "a.name_that-goes-on".repeat(6));
    let posing = format!("echo-{}", "0123456789abcdef".repeat(2));
    let tools = ["plain", &long, "dots.are-fine_", &longer, &posing];
    let prompts = [
        "plain",
        "with space",
        "a/b",
        "grüße",
        "a__b",
        &long,
        &longer,
        &posing,
    ];
    let kept = ["plain", "dots.are-fine_", "a__b"];
    let odd = Plain::named(&tools, &prompts).await?;
    let name = "a-server-whose-name-is-as-long-as-it-may-be-0123456789-01234567";
    let members = [
        Member::at(name, odd.url()),
        Member::http("old", &["--era", "legacy"]),
    ];
    let fleet = Fleet::start(Plan::default(), &members, &[]).await?;
    for caller in fleet.callers("alice").await? {
        for (list, inner) in [(List::Tools, &tools[..]), (List::Prompts, &prompts[..])] {
            let listed = caller.names(list).await?;
            let of_odd = listed.iter().filter(|it| it.starts_with(name));
            let outward: Vec<_> = of_odd.collect();
            assert_eq!(outward.len(), inner.len(), "{outward:?}");
            for (outward, inner) in outward.into_iter().zip(inner) {
                let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
                assert!(
                    outward.len() <= 128 && outward.chars().all(is_plain),
                    "{outward}"
                );
                let whole = *outward == format!("{name}__{inner}");
                assert_eq!(whole, kept.contains(inner), "{outward}");
                // What the server heard is its own name, whole.
                assert_eq!(named(&caller, list, outward).await?, *inner, "{outward}");
            }
            // What was shortened has no second name, and a guessed digest is nobody's.
            for wrong in [&long, &posing, &format!("echo-{}", "0".repeat(32))] {
                let code = named(&caller, list, &format!("{name}__{wrong}")).await?;
                let unknown = ["tool_unknown", "prompt_unknown"];
                assert!(unknown.contains(&&*code), "{wrong}: {code}");
            }
        }
        let spaced = named(&caller, List::Prompts, &format!("{name}__with space")).await?;
        assert_eq!(spaced, "prompt_unknown");
    }
    Ok(())
}

/// What a tool or prompt of the server that says its own name answers.
async fn named(caller: &Caller, list: List, name: &str) -> Result<String> {
    if list == List::Tools {
        return Ok(text(&caller.call(name, json!({})).await?));
    }
    let answer = caller
        .request("prompts/get", json!({ "name": name }))
        .await?;
    let said = answer.pointer("/result/messages/0/content/text");
    let said = said.and_then(Value::as_str).map(str::to_owned);
    Ok(said.unwrap_or_else(|| wire::code(&answer)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_leads_to_its_own_server_or_nowhere() -> Result<()> {
    let fleet = mixed().await?;
    let tool = |name: &str| ("tools/call", json!({ "name": name, "arguments": {} }));
    let prompt = |name: &str| ("prompts/get", json!({ "name": name }));
    let read = |uri: &str| ("resources/read", json!({ "uri": uri }));
    let argument = json!({ "name": "arg1", "value": "nowhere" });
    let complete = |reference: Value| {
        let params = json!({ "ref": reference, "argument": argument });
        ("completion/complete", params)
    };
    let cases = [
        (tool("echo"), "tool_unknown"),
        (tool("nobody__echo"), "tool_unknown"),
        (tool("OLD__echo"), "tool_unknown"),
        (tool("old_echo"), "tool_unknown"),
        (tool("__echo"), "tool_unknown"),
        (tool("old__"), "tool_unknown"),
        (tool("old__old__echo"), "tool_unknown"),
        (tool("old__nowhere"), "tool_unknown"),
        (prompt("test_simple_prompt"), "prompt_unknown"),
        (prompt("nobody__test_simple_prompt"), "prompt_unknown"),
        (prompt("old__"), "prompt_unknown"),
        (read("test://static-text"), "resource_unknown"),
        (read("nobody+test://static-text"), "resource_unknown"),
        (read("by_pipe+test://static-text"), "resource_unknown"),
        (read("OLD+test://static-text"), "resource_unknown"),
        (read("+test://static-text"), "resource_unknown"),
        (
            complete(json!({ "type": "ref/prompt", "name": "test_prompt_with_arguments" })),
            "prompt_unknown",
        ),
        (
            complete(json!({ "type": "ref/resource", "uri": "test://template/{id}/data" })),
            "resource_unknown",
        ),
    ];
    for caller in fleet.callers("alice").await? {
        for ((method, params), code) in &cases {
            let answer = caller.request(method, params.clone()).await?;
            assert_eq!(wire::code(&answer), *code, "{method} {params}");
        }
    }
    for server in SERVERS {
        let heard = fleet.journal_text(server)?;
        for trace in [
            "nowhere",
            "nobody",
            "tools/call",
            "prompts/get",
            "resources/read",
        ] {
            assert!(!heard.contains(trace), "{server} heard of `{trace}`");
        }
    }
    Ok(())
}
