//! What a route keeps from a caller: cursors that were given to somebody else or for something else,
//! what its profile does not offer, and what policy hides. It is not listed, and whatever way it is
//! asked for by name, it is not there.

use anyhow::{Context as _, Result};
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire;
use ringwall_tests::world::{
    Caller, Fleet, Footing, List, Member, PERMIT_ALL, Plain, Plan, World, ledger,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every page of a list, and the cursors between them.
async fn pages(caller: &Caller, list: List) -> Result<(Vec<Vec<String>>, Vec<String>)> {
    let (mut pages, mut cursors) = (Vec::new(), Vec::<String>::new());
    loop {
        let page = caller
            .page(list, cursors.last().map(String::as_str))
            .await?;
        pages.push(list.names(&page)?);
        let Some(next) = page.get("nextCursor").and_then(Value::as_str) else {
            return Ok((pages, cursors));
        };
        cursors.push(next.to_owned());
        anyhow::ensure!(pages.len() < 100, "a list without end");
    }
}

/// This user at a route of a world with one server, by this client.
async fn at(world: &World, footing: Footing, route: &str, user: &str) -> Result<Caller> {
    let url = world.gateway.at(route)?;
    let token = world.issuer.token(url.as_str(), user)?;
    Ok(match footing {
        Footing::Session => Caller::Session(Client::connect(&url, Some(&token)).await?),
        Footing::Stateless => Caller::Stateless(Stateless::new(&url, Some(&token))),
    })
}

/// Alice by another client of hers.
async fn by_another_client(world: &World, footing: Footing) -> Result<Caller> {
    let url = world.url()?;
    let claims = json!({ "client_id": "another-client" });
    let token = world
        .issuer
        .sign_changed(url.as_str(), &json!({}), &claims)?;
    Ok(match footing {
        Footing::Session => Caller::Session(Client::connect(&url, Some(&token)).await?),
        Footing::Stateless => Caller::Stateless(Stateless::new(&url, Some(&token))),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_a_cursor_is_good_for_its_caller_its_route_and_its_list_only() -> Result<()> {
    for era in ["legacy", "modern"] {
        let plan = Plan::default().fixture(&["--era", era, "--page", "7"]);
        let mut world = World::start(plan).await?;
        for footing in Footing::BOTH {
            cursor_is_bound(&mut world, footing)
                .await
                .with_context(|| format!("{footing:?}, server {era}"))?;
        }
    }
    Ok(())
}

async fn cursor_is_bound(world: &mut World, footing: Footing) -> Result<()> {
    let alice = at(world, footing, "/fixture", "alice").await?;
    let (pages, cursors) = pages(&alice, List::Tools).await?;
    let names: BTreeSet<_> = pages.concat().into_iter().collect();
    assert!(names.contains("echo") && names.contains("json_schema_2020_12_tool"));
    assert_eq!(names.len(), pages.concat().len(), "a page came twice");
    let cursor = cursors.first().context("one page only")?;
    // The server's own cursors are not handed out, and are worth nothing.
    let own = "YXQ6Nw";
    assert!(
        cursors.iter().all(|cursor| !cursor.contains(own)),
        "{cursors:?}"
    );
    let others = [
        ("another user", at(world, footing, "/fixture", "bob").await?),
        (
            "another route",
            at(world, footing, "/other", "alice").await?,
        ),
        ("another client", by_another_client(world, footing).await?),
    ];
    let before = world.arrived()?;
    for (who, other) in &others {
        refused(other, List::Tools, cursor, who).await?;
    }
    for list in [List::Prompts, List::Resources, List::Templates] {
        refused(&alice, list, cursor, "another list").await?;
    }
    for at in [0, cursor.len() / 2, cursor.len() - 1] {
        let (before, rest) = cursor.split_at(at);
        let changed = if rest.starts_with('A') { 'B' } else { 'A' };
        let rest: String = rest.chars().skip(1).collect();
        let tampered = format!("{before}{changed}{rest}");
        refused(&alice, List::Tools, &tampered, "tampered").await?;
    }
    let (short, _) = cursor.split_at(cursor.len() - 4);
    for made_up in [own, "", "0", "7", short, &format!("{cursor}AAAA")] {
        refused(&alice, List::Tools, made_up, "made up").await?;
    }
    let odd = alice.request("tools/list", json!({ "cursor": 7 })).await?;
    assert_eq!(wire::code(&odd), "handle_invalid", "{odd}");
    assert_eq!(world.arrived()?, before, "a bad cursor reached the server");
    // It is still good where it belongs, as often as it is used; after a restart as well.
    let second = pages.get(1).context("one page only")?;
    for _ in 0..2 {
        let page = alice.page(List::Tools, Some(cursor)).await?;
        assert_eq!(&List::Tools.names(&page)?, second);
    }
    world.gateway.crash_and_restart().await?;
    let again = at(world, footing, "/fixture", "alice").await?;
    let page = again.page(List::Tools, Some(cursor)).await?;
    assert_eq!(&List::Tools.names(&page)?, second);
    Ok(())
}

async fn refused(caller: &Caller, list: List, cursor: &str, why: &str) -> Result<()> {
    let answer = caller
        .request(list.method(), json!({ "cursor": cursor }))
        .await?;
    assert_eq!(
        wire::code(&answer),
        "handle_invalid",
        "{why}: {list:?} {cursor}"
    );
    assert_eq!(
        answer.pointer("/error/code"),
        Some(&json!(-32602)),
        "{why}: {answer}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_thousands_comes_in_pages_that_are_whole_and_apart() -> Result<()> {
    let names = |of: &str| (0..700).map(|n| format!("{of}-{n:03}")).collect::<Vec<_>>();
    let (first, second) = (names("a"), names("b"));
    let many = |names: &[String]| names.to_vec();
    let serve = async |names: Vec<String>| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Plain::named(&names, &names).await
    };
    let (one, two) = (serve(many(&first)).await?, serve(many(&second)).await?);
    // Listed in the order of the configuration, which is not that of the alphabet.
    let members = [Member::at("two", two.url()), Member::at("one", one.url())];
    let fleet = Fleet::start(Plan::default(), &members, &[]).await?;
    let whole: Vec<String> = second
        .iter()
        .map(|name| format!("two__{name}"))
        .chain(first.iter().map(|name| format!("one__{name}")))
        .collect();
    for footing in Footing::BOTH {
        let alice = fleet.caller(footing, "/all", "alice").await?;
        for list in [List::Tools, List::Prompts] {
            let (pages, cursors) = pages(&alice, list).await?;
            assert!(pages.len() > 1, "{list:?} in one page");
            assert_eq!(pages.concat(), whole, "{list:?}");
            let bob = fleet.caller(footing, "/all", "bob").await?;
            let cursor = cursors.first().context("no cursor")?;
            refused(&bob, list, cursor, "another user").await?;
            let elsewhere = fleet.caller(footing, "/other", "alice").await?;
            refused(&elsewhere, list, cursor, "another route").await?;
        }
    }
    Ok(())
}

/// The servers are asked for the first page; what they do later changes nothing of the rest.
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_a_joined_list_are_cut_from_one_list() -> Result<()> {
    let names: Vec<String> = (0..1500).map(|n| format!("t{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (long, short) = (
        Plain::named(names.get(..900).unwrap_or_default(), &[]).await?,
        Plain::named(names.get(900..).unwrap_or_default(), &[]).await?,
    );
    let members = [
        Member::at("long", long.url()),
        Member::at("short", short.url()),
    ];
    let fleet = Fleet::start(Plan::default(), &members, &[]).await?;
    for footing in Footing::BOTH {
        long.sulk(false);
        short.sulk(false);
        let alice = fleet.caller(footing, "/all", "alice").await?;
        let first = alice.page(List::Tools, None).await?;
        let next = first.get("nextCursor").and_then(Value::as_str);
        let next = next.context("one page")?;
        // Both answer with errors from now on.
        long.sulk(true);
        short.sulk(true);
        let last = alice.page(List::Tools, Some(next)).await?;
        assert_eq!(last.get("nextCursor"), None);
        assert_eq!(last.get("_meta"), None, "{footing:?}");
        let all = [List::Tools.names(&first)?, List::Tools.names(&last)?].concat();
        assert_eq!(all.len(), 1500);
        assert_eq!(all.last().map(String::as_str), Some("short__t1499"));
        // It was given to its end: whoever wants a page again has the servers asked.
        let again = alice.page(List::Tools, Some(next)).await;
        let is_whole = |page: &Value| page.get("_meta").is_none();
        assert!(!again.as_ref().is_ok_and(is_whole), "{again:?}");
    }
    Ok(())
}

/// Two servers, of both eras.
fn two() -> [Member; 2] {
    [
        Member::http("old", &["--era", "legacy", "--hostile"]),
        Member::http("new", &["--era", "modern", "--hostile"]),
    ]
}

/// Every way to ask for these things by name, and whether it was refused as if they were not there.
async fn is_nowhere(caller: &Caller, server: &str, things: &[(&str, &str)]) -> Result<()> {
    let argument = json!({ "name": "arg1", "value": "x" });
    for (kind, name) in things {
        let tool = || format!("{server}__{name}");
        let uri = || format!("{server}+{name}");
        let ways = match *kind {
            "tool" => vec![("tools/call", json!({ "name": tool(), "arguments": {} }))],
            "prompt" => vec![
                ("prompts/get", json!({ "name": tool() })),
                (
                    "completion/complete",
                    json!({ "ref": { "type": "ref/prompt", "name": tool() }, "argument": argument }),
                ),
            ],
            _ => vec![
                ("resources/read", json!({ "uri": uri() })),
                (
                    "completion/complete",
                    json!({ "ref": { "type": "ref/resource", "uri": uri() }, "argument": argument }),
                ),
            ],
        };
        let mut ways = ways;
        if *kind == "resource" && caller.footing() == Footing::Session {
            ways.push(("resources/subscribe", json!({ "uri": uri() })));
        }
        for (method, params) in ways {
            let answer = caller.request(method, params.clone()).await?;
            assert_eq!(
                wire::code(&answer),
                format!("{kind}_unknown"),
                "{method} {params}"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_profile_does_not_offer_is_not_there() -> Result<()> {
    let plan = Plan::default().route(json!({
        "tools": ["old__echo", "new__test_*", "new__touch_resource", "old__touch_resource"],
        "prompts": ["new__test_simple_prompt"],
        "resources": ["old+test://static-text", "new+test://template/*", "new+test://template/{id}/data"]
    }));
    let fleet = Fleet::start(plan, &two(), &[]).await?;
    for caller in fleet.callers("alice").await? {
        only_what_is_offered_is_listed(&caller).await?;
        only_what_is_offered_can_be_used(&caller).await?;
    }
    for server in ["old", "new"] {
        let heard = fleet.journal_text(server)?;
        assert!(
            !heard.contains("transfer_money\\\"") && !heard.contains("watched"),
            "{server}"
        );
    }
    Ok(())
}

async fn only_what_is_offered_is_listed(caller: &Caller) -> Result<()> {
    let tools = caller.names(List::Tools).await?;
    assert_eq!(
        tools.iter().filter(|it| it.starts_with("old__")).count(),
        2,
        "{tools:?}"
    );
    let new = |it: &&String| it.starts_with("new__test_");
    assert_eq!(
        tools.iter().filter(new).count() + 3,
        tools.len(),
        "{tools:?}"
    );
    assert_eq!(
        caller.names(List::Prompts).await?,
        ["new__test_simple_prompt"]
    );
    assert_eq!(
        caller.names(List::Resources).await?,
        ["old+test://static-text"]
    );
    assert_eq!(
        caller.names(List::Templates).await?,
        ["new+test://template/{id}/data"]
    );
    Ok(())
}

async fn only_what_is_offered_can_be_used(caller: &Caller) -> Result<()> {
    assert_eq!(
        text(
            &caller
                .call("old__echo", json!({ "text": "on offer" }))
                .await?
        ),
        "on offer"
    );
    let read = json!({ "uri": "new+test://template/7/data" });
    let read = caller.request("resources/read", read).await?;
    assert!(read.pointer("/result/contents/0").is_some(), "{read}");
    let things = [
        ("tool", "add"),
        ("tool", "transfer_money"),
        ("prompt", "test_prompt_with_arguments"),
    ];
    is_nowhere(caller, "old", &things).await?;
    is_nowhere(
        caller,
        "new",
        &[("tool", "echo"), ("prompt", "test_prompt_with_image")],
    )
    .await?;
    let hidden = [
        "test://watched-resource",
        "test://template/1/data",
        "test://template/{id}/data",
    ];
    is_nowhere(caller, "old", &hidden.map(|uri| ("resource", uri))).await?;
    // The only way out of the pattern is no way.
    let steps = [
        "test://static-text",
        "test://template/../static-text",
        "test://template/%2e%2e/x",
    ];
    is_nowhere(caller, "new", &steps.map(|uri| ("resource", uri))).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_a_resource_that_is_not_there_for_them() -> Result<()> {
    let denied = "forbid(principal, action, resource == \
                  Ringwall::Resource::\"old/test://static-binary\");\n\
                  forbid(principal, action, resource == \
                  Ringwall::Resource::\"new/test://static-binary\");\n";
    let plan = Plan::default()
        .policy(&format!("{PERMIT_ALL}{denied}"))
        .route(json!({ "resources": ["old+test://static-*", "new+test://static-*"] }));
    let fleet = Fleet::start(plan, &two(), &[]).await?;
    for footing in Footing::BOTH {
        let alice = fleet.caller(footing, "/all", "alice").await?;
        let open = ["old+test://static-text", "new+test://static-text"];
        let closed = [
            "old+test://watched-resource",
            "new+test://watched-resource",
            "old+test://static-binary",
            "new+test://static-binary",
        ];
        if let Caller::Session(client) = &alice {
            for uri in closed {
                let answer = client
                    .request("resources/subscribe", json!({ "uri": uri }))
                    .await?;
                let code = wire::code(&answer);
                let codes = ["resource_unknown", "policy_denied"];
                assert!(codes.contains(&&*code), "{uri}: {code}");
            }
        }
        let asked: Vec<&str> = match footing {
            Footing::Session => open.to_vec(),
            Footing::Stateless => open.into_iter().chain(closed).collect(),
        };
        let mut changes = alice.changes(&asked).await?;
        for server in ["old", "new"] {
            for uri in ["watched-resource", "static-binary", "static-text"] {
                let uri = json!({ "uri": format!("test://{uri}") });
                let tool = format!("{server}__touch_resource");
                assert_eq!(text(&alice.call(&tool, uri).await?), "touched");
            }
        }
        let mut told = BTreeSet::new();
        while told.len() < open.len() {
            let updated = |message: &Value| message["method"] == "notifications/resources/updated";
            let told_of = changes.message(updated).await?;
            let uri = told_of["params"]["uri"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(open.contains(&&*uri), "told of {uri}");
            told.insert(uri);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_policy_hides_is_not_there_whichever_way_it_is_asked_for() -> Result<()> {
    let hidden = "forbid(principal, action, resource == Ringwall::Tool::\"old/add\");\n\
                  forbid(principal, action, resource == Ringwall::Prompt::\"new/test_simple_prompt\");\n\
                  forbid(principal, action, resource == Ringwall::Resource::\"old/test://static-text\");\n";
    let plan = Plan::default().policy(&format!("{PERMIT_ALL}{hidden}"));
    let fleet = Fleet::start(plan, &two(), &[]).await?;
    for caller in fleet.callers("alice").await? {
        for list in List::ALL {
            let names = caller.names(list).await?;
            for hidden in [
                "old__add",
                "new__test_simple_prompt",
                "old+test://static-text",
            ] {
                assert!(!names.contains(&hidden.to_owned()), "{hidden} is listed");
            }
            // The same name at the other server is another thing.
            let others = [
                "new__add",
                "old__test_simple_prompt",
                "new+test://static-text",
            ];
            let found = others
                .iter()
                .filter(|it| names.contains(&(**it).to_owned()))
                .count();
            assert_eq!(found, usize::from(list != List::Templates), "{list:?}");
        }
        let answer = caller.call("old__add", json!({ "a": 1, "b": 2 })).await?;
        assert_eq!(wire::code(&answer), "tool_unknown");
        // Nor does the answer tell whether it is hidden or was never there.
        let never = caller.call("old__never", json!({})).await?;
        let error = |answer: &Value| {
            let error = answer.get("error").unwrap_or(&Value::Null).to_string();
            error.replace("old__never", "old__add")
        };
        assert_eq!(error(&answer), error(&never));
        for (method, params) in [
            ("prompts/get", json!({ "name": "new__test_simple_prompt" })),
            ("resources/read", json!({ "uri": "old+test://static-text" })),
            (
                "completion/complete",
                json!({
                    "ref": { "type": "ref/prompt", "name": "new__test_simple_prompt" },
                    "argument": { "name": "arg1", "value": "x" }
                }),
            ),
        ] {
            let answer = caller.request(method, params).await?;
            assert!(answer.get("error").is_some(), "{method}: {answer}");
            assert_eq!(
                wire::refusal(&answer).map(|(_, control)| control),
                Some("2.2".to_owned()),
                "{answer}"
            );
        }
    }
    let records = json!(ledger(&fleet.gateway, &["--verdict", "refused"]).await?).to_string();
    assert!(
        records.contains("\"add\""),
        "the record does not say what it was"
    );
    let heard = fleet.journal_text("new")?;
    assert!(!heard.contains("prompts/get"), "it reached the server");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_policy_denies_to_somebody_is_not_there_for_them() -> Result<()> {
    let denied = "forbid(principal, action, resource) when \
                  { resource in Ringwall::Server::\"new\" && principal.user == \"bob\" };\n";
    let plan = Plan::default().policy(&format!("{PERMIT_ALL}{denied}"));
    let fleet = Fleet::start(plan, &two(), &[]).await?;
    for footing in Footing::BOTH {
        let bob = fleet.caller(footing, "/all", "bob").await?;
        for list in List::ALL {
            let page = bob.list(list).await?;
            let names = list.names(&page)?;
            assert!(
                !names.is_empty() && names.iter().all(|it| it.starts_with("old")),
                "{names:?}"
            );
            // It is not out of order: it is not there.
            assert!(!page.to_string().contains("unavailable"), "{page}");
        }
        // It was not even met.
        let heard = fleet.journal_text("new")?;
        if footing == Footing::Session {
            assert_eq!(heard, "");
        }
        for (method, params) in [
            (
                "tools/call",
                json!({ "name": "new__echo", "arguments": { "text": "x" } }),
            ),
            ("prompts/get", json!({ "name": "new__test_simple_prompt" })),
            ("resources/read", json!({ "uri": "new+test://static-text" })),
        ] {
            let answer = bob.request(method, params).await?;
            assert!(answer.get("error").is_some(), "{method}: {answer}");
        }
        assert_eq!(
            text(&bob.call("old__echo", json!({ "text": "x" })).await?),
            "x"
        );
    }
    let heard = fleet.journal_text("new")?;
    for method in ["tools/call", "prompts/", "resources/"] {
        assert!(!heard.contains(method), "{method}: {heard}");
    }
    let alice = fleet.caller(Footing::Session, "/all", "alice").await?;
    assert_eq!(
        text(&alice.call("new__echo", json!({ "text": "x" })).await?),
        "x"
    );
    Ok(())
}
