//! Several servers behind one route, and what each of them does to the others: nothing. One that is
//! down, hangs, or loses its sessions takes its own things with it and brings them back; what each of
//! them has to tell reaches everybody who listens.

use anyhow::{Context as _, Result, bail};
use ringwall_tests::comes::{comes, is_so};
use ringwall_tests::mcp::text;
use ringwall_tests::wire::{self, Events};
use ringwall_tests::world::{Caller, Fleet, Footing, List, Member, Plain, Plan, ledger};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a change may take to be told. A silent stream is kept open, so it never ends by itself.
const PATIENCE: Duration = Duration::from_secs(60);

fn members() -> [Member; 3] {
    [
        Member::http("old", &["--era", "legacy", "--hostile"]),
        Member::http("new", &["--era", "modern", "--hostile"]),
        Member::stdio("by_pipe", &["--era", "legacy", "--hostile"]),
    ]
}

/// Which servers a list has things of, in order, and which it says are missing.
async fn shown(caller: &Caller, list: List) -> Result<(Vec<String>, Vec<String>)> {
    let page = caller.list(list).await?;
    let mut owners: Vec<String> = List::names(list, &page)?
        .iter()
        .filter_map(|name| {
            let (owner, _) = name.split_once("__").or_else(|| name.split_once('+'))?;
            Some(owner.replace('-', "_"))
        })
        .collect();
    owners.dedup();
    let missing = page.pointer("/_meta/io.ringwall~1unavailable");
    let missing = missing.and_then(Value::as_array).into_iter().flatten();
    let missing = missing.map(|one| {
        assert!(
            one["code"]
                .as_str()
                .is_some_and(|code| code.starts_with("upstream")),
            "{one}"
        );
        one["server"].as_str().unwrap_or_default().to_owned()
    });
    let missing = missing.collect();
    Ok((owners, missing))
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Waits until all of them are listed again.
async fn all_listed(caller: &Caller, servers: &[&str]) -> Result<()> {
    let all = comes(async || {
        let (owners, missing) = shown(caller, List::Tools).await?;
        Ok(missing.is_empty().then_some(owners))
    });
    assert_eq!(all.await.context("it never came back")?, servers);
    Ok(())
}

async fn echoes(caller: &Caller, servers: &[&str]) -> Result<()> {
    for server in servers {
        let answer = caller
            .call(&format!("{server}__echo"), json!({ "text": "here" }))
            .await?;
        assert_eq!(text(&answer), "here", "{server}");
    }
    Ok(())
}

/// What is in the ledger about servers that were not there.
async fn noted(fleet: &Fleet) -> Result<BTreeSet<String>> {
    let servers = comes(async || {
        let records = ledger(&fleet.gateway, &["server.unavailable"]).await?;
        let servers = records
            .iter()
            .filter_map(|line| line.pointer("/record/server")?.as_str());
        let servers: BTreeSet<String> = servers.map(str::to_owned).collect();
        Ok((!servers.is_empty()).then_some(servers))
    });
    servers.await.context("nothing is in the ledger")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_takes_its_own_things_only_and_brings_them_back() -> Result<()> {
    for down in ["old", "new"] {
        for footing in Footing::BOTH {
            down_and_back(down, footing)
                .await
                .with_context(|| format!("{down}, {footing:?}"))?;
        }
    }
    Ok(())
}

async fn down_and_back(down: &'static str, footing: Footing) -> Result<()> {
    let mut fleet = Fleet::start(Plan::default(), &members(), &[down]).await?;
    let rest: Vec<&str> = ["old", "new", "by_pipe"]
        .into_iter()
        .filter(|it| *it != down)
        .collect();
    // It is down while the client comes …
    let alice = fleet.caller(footing, "/all", "alice").await?;
    assert_eq!(
        shown(&alice, List::Tools).await?,
        (named(&rest), named(&[down]))
    );
    echoes(&alice, &rest).await?;
    let answer = alice
        .call(&format!("{down}__echo"), json!({ "text": "x" }))
        .await?;
    assert_eq!(
        answer.pointer("/error/data/fault"),
        Some(&json!("upstream")),
        "{answer}"
    );
    assert_eq!(noted(&fleet).await?, [down.to_owned()].into());
    fleet.revive(down).await?;
    all_listed(&alice, &["old", "new", "by_pipe"]).await?;
    echoes(&alice, &["old", "new", "by_pipe"]).await?;
    // … and goes down later: the same client goes on with the others, and with it when it is back.
    fleet.kill(down).await?;
    for list in List::ALL {
        assert_eq!(
            shown(&alice, list).await?,
            (named(&rest), named(&[down])),
            "{list:?}"
        );
    }
    echoes(&alice, &rest).await?;
    fleet.revive(down).await?;
    all_listed(&alice, &["old", "new", "by_pipe"]).await?;
    echoes(&alice, &["old", "new", "by_pipe"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_holds_up_nothing_but_itself() -> Result<()> {
    let silent = Plain::silent().await?;
    let [old, new, _] = members();
    let hangs = Member::at("hangs", silent.url()).with(json!({ "timeout": "1s" }));
    let fleet = Fleet::start(Plan::default(), &[old, hangs, new], &[]).await?;
    for footing in Footing::BOTH {
        let alice = fleet.caller(footing, "/all", "alice").await?;
        assert_eq!(
            shown(&alice, List::Tools).await?,
            (named(&["old", "new"]), named(&["hangs"])),
            "{footing:?}"
        );
        echoes(&alice, &["old", "new"]).await?;
        let answer = alice.call("hangs__echo", json!({ "text": "x" })).await?;
        assert_eq!(
            answer.pointer("/error/data/fault"),
            Some(&json!("upstream")),
            "{answer}"
        );
        // Nor does it keep the client from hearing the others.
        let mut changes = alice.changes(&[]).await?;
        assert_eq!(
            text(
                &alice
                    .call("new__test_trigger_tool_change", json!({}))
                    .await?
            ),
            "touched"
        );
        told(&mut changes, &alice, "notifications/tools/list_changed").await?;
    }
    assert_eq!(noted(&fleet).await?, ["hangs".to_owned()].into());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_whose_servers_are_all_down_says_so() -> Result<()> {
    let [old, new, _] = members();
    let mut fleet = Fleet::start(Plan::default(), &[old, new], &[]).await?;
    let callers = fleet.callers("alice").await?;
    for caller in &callers {
        assert_eq!(shown(caller, List::Tools).await?.0, ["old", "new"]);
    }
    fleet.kill("old").await?;
    fleet.kill("new").await?;
    for caller in &callers {
        let answer = caller.request("tools/list", json!({})).await?;
        assert_eq!(
            answer.pointer("/error/data/fault"),
            Some(&json!("upstream")),
            "{answer}"
        );
    }
    fleet.revive("old").await?;
    for caller in &callers {
        is_so(async || {
            let answer = caller.request("tools/list", json!({})).await?;
            Ok(answer.get("result").is_some())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_dies_at_one_server_is_opened_again_beside_the_others() -> Result<()> {
    let mut fleet = Fleet::start(Plan::default(), &members(), &[]).await?;
    let callers = fleet.callers("alice").await?;
    for caller in &callers {
        echoes(caller, &["old", "new", "by_pipe"]).await?;
    }
    fleet.tamper("old", "forget-sessions").await?;
    for caller in &callers {
        echoes(caller, &["old", "new", "by_pipe"]).await?;
        assert_eq!(
            shown(caller, List::Tools).await?.0,
            ["old", "new", "by_pipe"]
        );
    }
    // A process that ends in the middle of a call fails that call; the next finds a new process.
    for caller in &callers {
        let answer = caller.call("by_pipe__crash", json!({})).await?;
        assert_eq!(
            answer.pointer("/error/data/fault"),
            Some(&json!("upstream")),
            "{answer}"
        );
        echoes(caller, &["old", "new"]).await?;
        all_listed(caller, &["old", "new", "by_pipe"]).await?;
        echoes(caller, &["by_pipe"]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_lists_never_end_or_repeat_is_bounded_and_the_rest_is_whole() -> Result<()> {
    let mut fleet = Fleet::start(Plan::default(), &members(), &[]).await?;
    for footing in Footing::BOTH {
        for manners in ["endless", "same_cursor", "huge_cursor"] {
            let alice = fleet.caller(footing, "/all", "alice").await?;
            fleet.tamper("new", &format!("lists/{manners}")).await?;
            let names = alice.names(List::Prompts).await?;
            let different: BTreeSet<_> = names.iter().collect();
            assert_eq!(different.len(), names.len(), "{manners}: {names:?}");
            for server in ["old", "by_pipe"] {
                let simple = format!("{server}__test_simple_prompt");
                assert!(names.contains(&simple), "{manners}: {names:?}");
            }
            fleet.tamper("new", "lists/tame").await?;
        }
    }
    Ok(())
}

/// The next message of this method, told once and in the caller's era.
async fn told(changes: &mut Events, caller: &Caller, method: &str) -> Result<Value> {
    let message = changes.message(|message| message["method"] == method);
    let message = tokio::time::timeout(PATIENCE, message).await;
    let message = message.with_context(|| format!("nothing is told by {method}"))??;
    let tag = message.pointer("/params/_meta/io.modelcontextprotocol~1subscriptionId");
    match caller.footing() {
        Footing::Session => assert_eq!(tag, None, "{message}"),
        Footing::Stateless => assert!(tag.is_some(), "{message}"),
    }
    Ok(message)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_server_changes_is_told_to_everybody_who_listens() -> Result<()> {
    let fleet = Fleet::start(Plan::default(), &members(), &[]).await?;
    for footing in Footing::BOTH {
        let alice = fleet.caller(footing, "/all", "alice").await?;
        let mut changes = alice.changes(&[]).await?;
        assert_eq!(changes.status, 200);
        for server in ["old", "new", "by_pipe"] {
            for (tool, method) in [
                (
                    "test_trigger_tool_change",
                    "notifications/tools/list_changed",
                ),
                (
                    "test_trigger_prompt_change",
                    "notifications/prompts/list_changed",
                ),
                (
                    "test_trigger_resource_change",
                    "notifications/resources/list_changed",
                ),
            ] {
                let answer = alice.call(&format!("{server}__{tool}"), json!({})).await?;
                assert_eq!(text(&answer), "touched", "{server} {tool} {footing:?}");
                told(&mut changes, &alice, method)
                    .await
                    .with_context(|| format!("{server} {tool} {footing:?}"))?;
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateless_listener_hears_what_it_asked_for_and_nothing_else() -> Result<()> {
    let fleet = Fleet::start(Plan::default(), &members(), &[]).await?;
    let alice = fleet.caller(Footing::Stateless, "/all", "alice").await?;
    let Caller::Stateless(client) = &alice else {
        bail!("not stateless");
    };
    let wish = json!({ "promptsListChanged": true, "resourceSubscriptions": ["by-pipe+test://a"] });
    let mut narrow = client.listen(wish).await?;
    let first = narrow.message(|_| true).await?;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    let honoured = first.pointer("/params/notifications");
    let expected =
        json!({ "promptsListChanged": true, "resourceSubscriptions": ["by-pipe+test://a"] });
    assert_eq!(honoured, Some(&expected), "{first}");
    let tag = first
        .pointer("/params/_meta/io.modelcontextprotocol~1subscriptionId")
        .cloned();
    // Somebody else of the same party wishes for more, over the same upstream ends.
    let mut wide = alice.changes(&["old+test://a", "new+test://a"]).await?;
    for server in ["old", "new", "by_pipe"] {
        let touch = json!({ "uri": "test://a" });
        assert_eq!(
            text(
                &alice
                    .call(&format!("{server}__touch_resource"), touch)
                    .await?
            ),
            "touched"
        );
        let change = format!("{server}__test_trigger_tool_change");
        assert_eq!(text(&alice.call(&change, json!({})).await?), "touched");
    }
    let prompts = "by_pipe__test_trigger_prompt_change";
    assert_eq!(text(&alice.call(prompts, json!({})).await?), "touched");
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let message = narrow.message(|_| true).await?;
        let own = message.pointer("/params/_meta/io.modelcontextprotocol~1subscriptionId");
        assert_eq!(own, tag.as_ref(), "{message}");
        heard.push((message["method"].clone(), message["params"]["uri"].clone()));
    }
    let expected = [
        (
            json!("notifications/resources/updated"),
            json!("by-pipe+test://a"),
        ),
        (json!("notifications/prompts/list_changed"), Value::Null),
    ];
    assert_eq!(heard, expected);
    let mut uris = BTreeSet::new();
    while uris.len() < 2 {
        let updated = told(&mut wide, &alice, "notifications/resources/updated").await?;
        uris.insert(
            updated["params"]["uri"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    assert_eq!(
        uris,
        ["new+test://a".to_owned(), "old+test://a".to_owned()].into()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_is_watched_is_told_of_by_the_name_it_is_watched_under() -> Result<()> {
    let fleet = Fleet::start(Plan::default(), &members(), &[]).await?;
    let uris = [
        ("old", "old+test://watched-resource"),
        ("new", "new+test://watched-resource"),
        ("by_pipe", "by-pipe+test://watched-resource"),
    ];
    for footing in Footing::BOTH {
        let alice = fleet.caller(footing, "/all", "alice").await?;
        let mut changes = alice.changes(&uris.map(|(_, uri)| uri)).await?;
        for (server, uri) in uris {
            let touch = json!({ "uri": "test://watched-resource" });
            let answer = alice
                .call(&format!("{server}__touch_resource"), touch)
                .await?;
            assert_eq!(text(&answer), "touched");
            let updated = told(&mut changes, &alice, "notifications/resources/updated").await?;
            assert_eq!(updated["params"]["uri"], uri, "{footing:?}");
        }
        let Caller::Session(client) = &alice else {
            continue;
        };
        // Subscribed while the stream is open, and taken back.
        for (server, _) in uris {
            let scheme = server.replace('_', "-");
            let uri = json!({ "uri": format!("{scheme}+test://later") });
            let answer = client.request("resources/subscribe", uri.clone()).await?;
            assert_eq!(answer["result"], json!({}), "{answer}");
            let touch = json!({ "uri": "test://later" });
            assert_eq!(
                text(
                    &alice
                        .call(&format!("{server}__touch_resource"), touch.clone())
                        .await?
                ),
                "touched"
            );
            let updated = told(&mut changes, &alice, "notifications/resources/updated").await?;
            assert_eq!(updated["params"]["uri"], uri["uri"], "{server}");
            let answer = client.request("resources/unsubscribe", uri.clone()).await?;
            assert_eq!(answer["result"], json!({}), "{}", wire::code(&answer));
            assert_eq!(
                text(
                    &alice
                        .call(&format!("{server}__touch_resource"), touch)
                        .await?
                ),
                "touched"
            );
            let change = format!("{server}__test_trigger_prompt_change");
            assert_eq!(text(&alice.call(&change, json!({})).await?), "touched");
            let next =
                changes.message(|message| message["method"] != "notifications/tools/list_changed");
            assert_eq!(
                next.await?["method"],
                "notifications/prompts/list_changed",
                "{server}"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_heard_again_on_the_stream_that_was_open() -> Result<()> {
    let [old, new, _] = members();
    let mut fleet = Fleet::start(Plan::default(), &[old, new], &[]).await?;
    for footing in Footing::BOTH {
        for down in ["old", "new"] {
            let alice = fleet.caller(footing, "/all", "alice").await?;
            let mut changes = alice.changes(&[]).await?;
            fleet.kill(down).await?;
            fleet.revive(down).await?;
            // A stateless server's stream cannot be taken up where it broke: what changed while it was
            // away nobody can tell, so everything may have.
            let lists = ["tools", "prompts", "resources"];
            for list in lists.into_iter().filter(|_| down == "new") {
                told(
                    &mut changes,
                    &alice,
                    &format!("notifications/{list}/list_changed"),
                )
                .await
                .with_context(|| format!("{down}, {footing:?}"))?;
            }
            all_listed(&alice, &["old", "new"]).await?;
            for server in ["old", "new"] {
                let change = format!("{server}__test_trigger_prompt_change");
                assert_eq!(text(&alice.call(&change, json!({})).await?), "touched");
                told(&mut changes, &alice, "notifications/prompts/list_changed")
                    .await
                    .with_context(|| format!("{server} after {down}, {footing:?}"))?;
            }
        }
    }
    Ok(())
}
