//! Calls that wait for somebody's approval (control 2.4): bound to exactly one call, good once, and decided
//! by somebody else than whoever made it.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::browser::{Browser, Page};
use ringwall_tests::chromium::Chromium;
use ringwall_tests::comes::comes;
use ringwall_tests::held::{OWNERS, approve, id, waiting};
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::pipe;
use ringwall_tests::place;
use ringwall_tests::program::Command;
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::{Outgoing, code, refusal};
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};
use std::time::Duration;

fn hello() -> Value {
    json!({ "text": "hello" })
}

/// How often the fixture was asked to run the tool.
fn runs(world: &World) -> Result<usize> {
    let journal = world.journal()?;
    let bodies = journal.iter().filter_map(|line| line.get("body")?.as_str());
    Ok(bodies.filter(|body| body.contains("tools/call")).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_call_waits_for_an_approval_that_is_good_for_it_once() -> Result<()> {
    let world = World::start(Plan::default().policy(OWNERS)).await?;
    let alice = world.client("alice").await?;
    for _ in 0..3 {
        let answer = alice.call("echo", hello()).await?;
        let told = refusal(&answer);
        assert_eq!(
            told,
            Some(("approval_needed".into(), "2.4".into())),
            "{answer}"
        );
        assert!(answer.to_string().contains("owners"), "{answer}");
    }
    // Asked again it is the same request, which shows every value of the call.
    let one = waiting(&world).await?;
    let call = json!([
        { "path": "/arguments/text", "value": "\"hello\"" },
        { "path": "/name", "value": "\"echo\"" },
    ]);
    for (member, expected) in [
        ("state", json!("waiting")),
        ("server", json!("fixture")),
        ("tool", json!("echo")),
        ("client", json!("test-client")),
        ("route", json!("/fixture")),
        ("held_by", json!(["echo-is-approved"])),
        ("because", json!("what is echoed is heard by everybody")),
        ("call", call),
    ] {
        assert_eq!(one.get(member), Some(&expected), "{one}");
    }
    let shown = world
        .gateway
        .with_data(&["approvals", "show", &id(&world).await?])
        .await?;
    assert!(shown.contains("/arguments/text = \"hello\""), "{shown}");
    assert!(approve(&world).await?.contains("approved"));
    // Whoever approved it before counts no more, and another call is another call.
    let again = world
        .gateway
        .with_data(&["approvals", "approve", &id(&world).await?])
        .await;
    assert!(again.is_err(), "{again:?}");
    assert_eq!(text(&alice.call("echo", hello()).await?), "hello");
    assert_eq!(runs(&world)?, 1);
    // It was good once.
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    assert_eq!(runs(&world)?, 1);
    for (name, count) in [
        ("call.held", 2),
        ("approval.given", 1),
        ("approval.used", 1),
    ] {
        let events = world.events(name, count).await?;
        assert_eq!(events.len(), count, "{name}");
        let told = events.first().context("none")?.to_string();
        assert!(
            told.contains("alice") && told.contains("echo-is-approved"),
            "{told}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_an_approval_reused_for_other_arguments() -> Result<()> {
    let world = World::start(Plan::default().policy(OWNERS)).await?;
    let alice = world.client("alice").await?;
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    approve(&world).await?;
    let resource = world.resource()?;
    let other_client = json!({ "client_id": "another" });
    let other_client = world
        .issuer
        .sign_changed(&resource, &json!({}), &other_client)?;
    let other_client = Client::connect(&world.url()?, Some(&other_client)).await?;
    let acting = json!({ "act": { "sub": "agent" } });
    let acting = world.issuer.sign_changed(&resource, &json!({}), &acting)?;
    let acting = Client::connect(&world.url()?, Some(&acting)).await?;
    let bob = world.client("bob").await?;
    let other = world.gateway.at("/other")?;
    let other_route = world.issuer.token(other.as_ref(), "alice")?;
    let other_route = Client::connect(&other, Some(&other_route)).await?;
    for (what, client, arguments) in [
        ("other arguments", &alice, json!({ "text": "hello " })),
        (
            "a hidden character",
            &alice,
            json!({ "text": "hell\u{f6}" }),
        ),
        ("another client", &other_client, hello()),
        ("somebody who acts for her", &acting, hello()),
        ("somebody else", &bob, hello()),
        ("another route", &other_route, hello()),
    ] {
        let answer = client.call("echo", arguments).await?;
        assert_eq!(code(&answer), "approval_needed", "{what}: {answer}");
    }
    assert_eq!(runs(&world)?, 0);
    // None of that has used it up.
    assert_eq!(text(&alice.call("echo", hello()).await?), "hello");
    assert_eq!(world.events("call.held", 7).await?.len(), 7);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_changed_policy_needs_another_approval() -> Result<()> {
    let world = World::start(Plan::default().policy(OWNERS)).await?;
    let alice = world.client("alice").await?;
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    approve(&world).await?;
    let policy = format!("{OWNERS}\n// Somebody has looked at it again.\n");
    std::fs::write(world.path().join("policy.cedar"), policy)?;
    assert_eq!(world.events("configuration.reloaded", 1).await?.len(), 1);
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    assert_eq!(runs(&world)?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_changed_definition_needs_another_approval() -> Result<()> {
    let policy = OWNERS.replace("fixture/echo", "fixture/forecast");
    let world = World::start(Plan::default().hostile().policy(&policy)).await?;
    let alice = world.client("alice").await?;
    let bonn = || json!({ "city": "Bonn" });
    assert_eq!(
        code(&alice.call("forecast", bonn()).await?),
        "approval_needed"
    );
    let before = waiting(&world).await?;
    approve(&world).await?;
    // The server describes the tool otherwise now, and somebody finds that right.
    world.tamper("mutate").await?;
    alice.tools().await?;
    assert_eq!(
        code(&alice.call("forecast", bonn()).await?),
        "definition_changed"
    );
    world
        .gateway
        .with_data(&["tools", "approve", "fixture/forecast"])
        .await?;
    let told = comes(async || {
        let told = code(&alice.call("forecast", bonn()).await?);
        Ok((told != "definition_changed").then_some(told))
    });
    assert_eq!(told.await?, "approval_needed");
    assert_eq!(runs(&world)?, 0);
    let all = world.gateway.with_data(&["approvals", "--json"]).await?;
    let all: Vec<Value> = serde_json::from_str(&all)?;
    let definitions: Vec<_> = all.iter().filter_map(|it| it.get("definition")).collect();
    assert_eq!(definitions.len(), 2);
    assert!(
        definitions
            .iter()
            .any(|it| Some(*it) != before.get("definition"))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_an_approval_outlives_a_crash_and_is_used_once_by_two_calls_at_once() -> Result<()> {
    let mut world = World::start(Plan::default().policy(OWNERS)).await?;
    let alice = world.client("alice").await?;
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    approve(&world).await?;
    // Between what it tells and the note that it did there is a moment in which it would tell again.
    assert_eq!(world.events("approval.given", 1).await?.len(), 1);
    world.gateway.crash_and_restart().await?;
    let (one, other) = (world.client("alice").await?, world.client("alice").await?);
    let (one, other) = tokio::join!(one.call("echo", hello()), other.call("echo", hello()));
    let mut told = [text(&one?), text(&other?)];
    told.sort();
    assert!(told.contains(&"hello".to_owned()), "{told:?}");
    assert_eq!(runs(&world)?, 1, "{told:?}");
    // What was told before is not told again.
    assert_eq!(world.events("approval.given", 1).await?.len(), 1);
    assert_eq!(world.events("approval.used", 1).await?.len(), 1);
    // Nothing of the call lies open on the disk.
    for file in ["state.db", "state.db-wal"] {
        let bytes = std::fs::read(world.path().join("data").join(file)).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&bytes).contains("/arguments"),
            "{file}"
        );
        assert!(
            !String::from_utf8_lossy(&bytes).contains("test-client"),
            "{file}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_what_takes_two_people_is_not_approved_by_the_operator_alone() -> Result<()> {
    let two = OWNERS.replace("approval: owners", "approval: owners; people=2");
    let world = World::start(Plan::default().policy(&two)).await?;
    let alice = world.client("alice").await?;
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    assert!(approve(&world).await?.contains("waits for others"));
    assert!(
        approve(&world).await.is_err(),
        "one person by whatever name"
    );
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    // One decline ends it, and whoever asks again hears why.
    let id = id(&world).await?;
    let decline = ["approvals", "decline", &id, "--why", "not on a Friday"];
    world.gateway.with_data(&decline).await?;
    let answer = alice.call("echo", hello()).await?;
    assert_eq!(code(&answer), "approval_declined");
    assert!(answer.to_string().contains("not on a Friday"), "{answer}");
    assert!(approve(&world).await.is_err());
    assert_eq!(runs(&world)?, 0);
    assert_eq!(world.events("approval.declined", 1).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_calls_that_wait_are_bounded_and_end() -> Result<()> {
    let limits = json!({ "approvals": { "per_user": 2, "in_all": 3 } });
    let world = World::start(Plan::default().policy(OWNERS).whole(limits)).await?;
    let asks = async |user: &str, said: &str| {
        let client = world.client(user).await?;
        let answer = client.call("echo", json!({ "text": said })).await?;
        Ok::<String, anyhow::Error>(code(&answer))
    };
    for (user, said, expected) in [
        ("alice", "one", "approval_needed"),
        ("alice", "two", "approval_needed"),
        ("alice", "three", "approvals_full"),
        ("alice", "one", "approval_needed"),
        ("bob", "one", "approval_needed"),
        ("carol", "one", "approvals_full"),
    ] {
        assert_eq!(asks(user, said).await?, expected, "{user} {said}");
    }
    let client = world.client("dave").await?;
    let long = json!({ "text": "x".repeat(70_000) });
    assert_eq!(
        code(&client.call("echo", long).await?),
        "approval_unreadable"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_each_era_hears_of_it_in_its_own_words() -> Result<()> {
    let world = World::start(Plan::default().policy(OWNERS)).await?;
    let page = |id: &str| -> Result<String> {
        Ok(world.gateway.at(&format!("/approvals/{id}"))?.to_string())
    };
    let token = world.token("alice")?;
    // Neither era says that it can open pages: an error with the link.
    let plain = Stateless::new(&world.url()?, Some(&token));
    let answer = plain.call("echo", hello()).await?;
    let id = id(&world).await?;
    let url = json!(page(&id)?);
    assert_eq!(
        answer.pointer("/error/data/approval/url"),
        Some(&url),
        "{answer}"
    );
    // Both that can are asked in the words they have.
    let capable = json!({ "elicitation": { "url": {} } });
    let modern = Stateless::new(&world.url()?, Some(&token)).capable(capable.clone());
    let answer = modern.call("echo", hello()).await?;
    let asked = "/result/inputRequests/io.ringwall~1approval/params/url";
    assert_eq!(
        answer.pointer("/result/resultType"),
        Some(&json!("input_required")),
        "{answer}"
    );
    assert_eq!(answer.pointer(asked), Some(&url), "{answer}");
    approve(&world).await?;
    // What was asked for is answered, and the answer is no server's business.
    let params = json!({
        "name": "echo", "arguments": hello(),
        "inputResponses": { "io.ringwall/approval": { "action": "accept" } },
    });
    let answer = modern.request("tools/call", params).await?;
    assert_eq!(text(&answer), "hello", "{answer}");
    assert!(!world.journal_text()?.contains("io.ringwall/approval"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_a_session_is_asked_to_open_the_page_and_told_when_it_can_try_again() -> Result<()> {
    let world = World::start(Plan::default().policy(OWNERS)).await?;
    let mut alice = Client::new(&world.url()?, Some(&world.token("alice")?));
    alice
        .initialize(json!({ "elicitation": { "url": {} } }))
        .await?;
    let mut stream = alice.listen(None).await?;
    let answer = alice.call("echo", hello()).await?;
    assert_eq!(
        answer.pointer("/error/code"),
        Some(&json!(-32042)),
        "{answer}"
    );
    let id = id(&world).await?;
    let page = answer
        .pointer("/error/data/elicitations/0")
        .context("no page")?;
    let url = world.gateway.at(&format!("/approvals/{id}"))?.to_string();
    assert_eq!(page.get("url"), Some(&json!(url)), "{answer}");
    assert_eq!(page.get("elicitationId"), Some(&json!(id)), "{answer}");
    approve(&world).await?;
    let method = json!("notifications/elicitation/complete");
    let told = stream.message(|message| message.get("method") == Some(&method));
    let told = tokio::time::timeout(Duration::from_secs(60), told).await??;
    assert_eq!(
        told.pointer("/params/elicitationId"),
        Some(&json!(id)),
        "{told}"
    );
    assert_eq!(text(&alice.call("echo", hello()).await?), "hello");
    Ok(())
}

/// The same, and members of a group may approve it.
fn approvers() -> String {
    let approve = r#"
permit(principal, action == Ringwall::Action::"approve", resource == Ringwall::Tool::"fixture/echo")
when { principal has groups && principal.groups.contains("owners") && context.needs == "owners" };
"#;
    format!("{OWNERS}{approve}")
}

/// The page of this call, for whoever signs in with a browser of their own.
async fn page(world: &World, user: &str, groups: Value, id: &str) -> Result<(Browser, Page)> {
    let browser = Browser::default();
    world.issuer.at_the_browser(user);
    world
        .issuer
        .change_identity_tokens(json!({ "groups": groups }));
    let url = world.gateway.at(&format!("/approvals/{id}"))?;
    let page = browser.open(&url).await?;
    Ok((browser, page))
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_people_approve_and_decline_on_a_page_if_policy_lets_them() -> Result<()> {
    let policy = approvers().replace("approval: owners", "approval: owners; people=2");
    let world = World::start(Plan::default().policy(&policy)).await?;
    let alice = world.client("alice").await?;
    assert_eq!(
        code(
            &alice
                .call("echo", json!({ "text": "<b>hello</b>" }))
                .await?
        ),
        "approval_needed"
    );
    let id = id(&world).await?;
    // She sees how it stands, and may not approve it, whatever group she is in.
    let (hers, own) = page(&world, "alice", json!(["owners"]), &id).await?;
    assert_eq!(own.reply.status, 200, "{}", own.html());
    assert!(
        own.html().contains("somebody else approves it"),
        "{}",
        own.html()
    );
    assert!(!own.html().contains("value=\"approve\""));
    assert_eq!(hers.decide(&own, "approve").await?.reply.status, 403);
    // For others it is there only if policy lets them approve.
    let (_, other) = page(&world, "mallory", json!(["staff"]), &id).await?;
    assert_eq!(other.reply.status, 404, "{}", other.html());
    let (bobs, asked) = page(&world, "bob", json!(["owners"]), &id).await?;
    let html = asked.html();
    for part in [
        "Approve this call?",
        "/arguments/text",
        "&lt;b&gt;hello&lt;/b&gt;",
        "test-client",
        "echo-is-approved",
    ] {
        assert!(html.contains(part), "no `{part}` in {html}");
    }
    assert!(!html.contains("<b>hello"), "{html}");
    // A form of another browser is none of his.
    let (carols, again) = page(&world, "carol", json!(["owners"]), &id).await?;
    assert_eq!(carols.decide(&asked, "approve").await?.reply.status, 403);
    let done = bobs.decide(&asked, "approve").await?;
    assert!(
        done.html().contains("waits for the approval of others"),
        "{}",
        done.html()
    );
    assert_eq!(
        bobs.decide(&asked, "approve").await?.reply.status,
        403,
        "twice"
    );
    let echo = || alice.call("echo", json!({ "text": "<b>hello</b>" }));
    assert_eq!(code(&echo().await?), "approval_needed");
    let done = carols.decide(&again, "approve").await?;
    assert_eq!(done.reply.status, 200, "{}", done.html());
    assert_eq!(text(&echo().await?), "<b>hello</b>");
    assert_eq!(runs(&world)?, 1);
    let given = world.events("approval.given", 2).await?;
    assert_eq!(given.len(), 2);
    let told = format!("{given:?}");
    assert!(
        told.contains("bob") && told.contains("carol") && told.contains("alice"),
        "{told}"
    );
    // Hers by policy already, the form of another by its token, a second word by the call itself.
    let expected = ["approval_denied", "csrf", "approval_decision"];
    assert_eq!(refusals(&world, 3).await?, expected);
    // What was approved and used is there for nobody any more.
    let url = world.gateway.at(&format!("/approvals/{id}"))?;
    assert_eq!(bobs.open(&url).await?.reply.status, 404);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_whoever_approves_can_be_asked_to_prove_more_themselves() -> Result<()> {
    let stepped = r#"
@lift("step_up: acr=phr")
forbid(principal, action == Ringwall::Action::"approve", resource);
"#;
    let world = World::start(Plan::default().policy(&format!("{}{stepped}", approvers()))).await?;
    let alice = world.client("alice").await?;
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    let id = id(&world).await?;
    let (_, weak) = page(&world, "bob", json!(["owners"]), &id).await?;
    assert!(
        !weak.html().contains("value=\"approve\""),
        "{}",
        weak.html()
    );
    // He is asked for it before anything else.
    let asked = world.issuer.sign_in_requests();
    let asked = asked.last().and_then(|asked| asked.get("acr_values"));
    assert_eq!(asked.map(String::as_str), Some("phr"));
    let url = world.gateway.at(&format!("/approvals/{id}"))?;
    let browser = Browser::default();
    let strong = json!({ "groups": ["owners"], "acr": "phr" });
    world.issuer.change_identity_tokens(strong);
    let asked = browser.open(&url).await?;
    assert!(
        asked.html().contains("value=\"approve\""),
        "{}",
        asked.html()
    );
    assert_eq!(browser.decide(&asked, "approve").await?.reply.status, 200);
    assert_eq!(text(&alice.call("echo", hello()).await?), "hello");
    Ok(())
}

/// Why words of people did not count so far.
async fn refusals(world: &World, count: usize) -> Result<Vec<String>> {
    let refused = world.events("approval.refused", count).await?;
    let code = |line: &Value| Some(line.pointer("/record/refusal/code")?.as_str()?.to_owned());
    Ok(refused.iter().filter_map(code).collect())
}

/// What a browser at this page sends to another place, with these headers.
async fn sends(
    (browser, page): (&Browser, &Page),
    (to, decision): (&str, &str),
    headers: &[(&str, &str)],
) -> Result<u16> {
    let csrf = page.attribute("<input type=\"hidden\" name=\"csrf\" ", "value");
    let csrf = csrf.context("no token")?;
    let url = page.url.join(&format!("/approvals/{to}"))?;
    let held = browser.holds(&url);
    let session = held.get("__Host-ringwall").context("not signed in")?;
    let request = Outgoing::new(Method::POST, &url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", &format!("__Host-ringwall={session}"))
        .body(format!("csrf={csrf}&decision={decision}&why=no"));
    let add = |request: Outgoing, (name, value): &(&str, &str)| request.header(name, value);
    let reply = headers.iter().fold(request, add).send().await?;
    Ok(reply.status.as_u16())
}

/// The call that waits and says this.
async fn saying(world: &World, said: &str) -> Result<String> {
    let all = world.gateway.with_data(&["approvals", "--json"]).await?;
    let all: Vec<Value> = serde_json::from_str(&all)?;
    let one = all.iter().find(|one| one.to_string().contains(said));
    let id = one.and_then(|one| one.get("id")?.as_str());
    Ok(id.context("it does not wait")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_what_was_seen_is_what_is_decided() -> Result<()> {
    let world = World::start(Plan::default().policy(&approvers())).await?;
    let alice = world.client("alice").await?;
    let says = async |said: &str| alice.call("echo", json!({ "text": said })).await;
    assert_eq!(code(&says("small").await?), "approval_needed");
    let small = saying(&world, "small").await?;
    let (bob, seen) = page(&world, "bob", json!(["owners"]), &small).await?;
    assert_eq!(code(&says("large").await?), "approval_needed");
    let large = saying(&world, "large").await?;
    // The form of one call is no word about another one, nor from another site about itself.
    let from = |site: &'static str| [("sec-fetch-site", site)];
    for (to, headers, status) in [
        (&large, &[][..], 403),
        (&small, &from("cross-site"), 403),
        (&small, &from("same-site"), 403),
    ] {
        for decision in ["approve", "decline"] {
            let sent = sends((&bob, &seen), (to, decision), headers).await?;
            assert_eq!(sent, status, "{decision} {to} {headers:?}");
        }
    }
    // It ends, and is asked for again under the same name: that is not what was seen.
    world
        .gateway
        .with_data(&["approvals", "approve", &small])
        .await?;
    assert_eq!(text(&says("small").await?), "small");
    assert_eq!(code(&says("small").await?), "approval_needed");
    assert_eq!(saying(&world, "small").await?, small);
    assert_eq!(sends((&bob, &seen), (&small, "approve"), &[]).await?, 403);
    let again = bob.open(&seen.url).await?;
    assert_eq!(sends((&bob, &again), (&small, "approve"), &[]).await?, 200);
    assert_eq!(text(&says("small").await?), "small");
    assert_eq!(runs(&world)?, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_nobody_decides_by_policies_that_are_not_in_force_any_more() -> Result<()> {
    let world = World::start(Plan::default().policy(&approvers())).await?;
    let alice = world.client("alice").await?;
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    let id = id(&world).await?;
    let (bob, seen) = page(&world, "bob", json!(["owners"]), &id).await?;
    let policy = format!("{}\n// Somebody has looked at it again.\n", approvers());
    std::fs::write(world.path().join("policy.cedar"), policy)?;
    assert_eq!(world.events("configuration.reloaded", 1).await?.len(), 1);
    for decision in ["approve", "decline"] {
        let sent = sends((&bob, &seen), (&id, decision), &[]).await?;
        assert_eq!(sent, 403, "{decision}");
    }
    assert_eq!(bob.open(&seen.url).await?.reply.status, 404);
    assert_eq!(refusals(&world, 2).await?, ["approval_denied"; 2]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_policies_decide_by_who_asked_and_a_list_shows_no_more_than_they_let() -> Result<()> {
    let of_alice = "&& context.needs == \"owners\" && context.requester like \"*#alice\"";
    let policy = approvers().replace("&& context.needs == \"owners\"", of_alice);
    let world = World::start(Plan::default().policy(&policy)).await?;
    for user in ["alice", "carol"] {
        let client = world.client(user).await?;
        let answer = client.call("echo", json!({ "text": user })).await?;
        assert_eq!(code(&answer), "approval_needed");
    }
    let (hers, other) = (
        saying(&world, "\\\"alice\\\"").await?,
        saying(&world, "\\\"carol\\\"").await?,
    );
    assert_ne!(hers, other);
    let (bob, shown) = page(&world, "bob", json!(["owners"]), &hers).await?;
    assert!(
        shown.html().contains("value=\"approve\""),
        "{}",
        shown.html()
    );
    let list = bob.open(&world.gateway.at("/approvals")?).await?;
    let listed = list.html();
    assert!(
        listed.contains(&hers) && !listed.contains(&other),
        "{listed}"
    );
    let (mallory, _) = page(&world, "mallory", json!(["staff"]), &hers).await?;
    let list = mallory.open(&world.gateway.at("/approvals")?).await?;
    assert_eq!(list.reply.status, 200);
    assert!(!list.html().contains(&hers), "{}", list.html());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_what_somebody_approved_who_is_revoked_since_is_not_approved() -> Result<()> {
    let world = World::start(Plan::default().policy(&approvers())).await?;
    let alice = world.client("alice").await?;
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    let (bob, asked) = page(&world, "bob", json!(["owners"]), &id(&world).await?).await?;
    assert_eq!(bob.decide(&asked, "approve").await?.reply.status, 200);
    let block = ["revoke", "user", "bob", "--block"];
    world.gateway.with_config(&block).await?;
    assert_eq!(world.events("revoked", 1).await?.len(), 1);
    assert_eq!(code(&alice.call("echo", hello()).await?), "approval_needed");
    assert_eq!(world.events("approval.void", 1).await?.len(), 1);
    assert_eq!(runs(&world)?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_whoever_calls_over_a_pipe_cannot_approve_it_themselves() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let policy = r#"
        permit(principal, action, resource);
        @lift("approval: another user of this machine")
        forbid(principal, action == Ringwall::Action::"call", resource) when { resource.name == "echo" };
    "#;
    let mut pipe = pipe::with_policy(folder.path(), policy).await?;
    let answer = pipe::call(&mut pipe, "echo", json!({ "text": "hello" })).await?;
    assert_eq!(code(&answer), "approval_needed", "{answer}");
    assert!(
        answer.to_string().contains("ringwall approvals approve"),
        "{answer}"
    );
    let id = answer
        .pointer("/error/data/approval/id")
        .and_then(Value::as_str);
    let approve = Command::new(place::built("ringwall")?)
        .directory(folder.path())
        .arguments([
            "approvals",
            "approve",
            id.context("no id")?,
            "--data",
            "data",
        ]);
    let refused = approve.run().await?.success();
    let told = refused
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(told.contains("somebody else has to approve it"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_every_refusal_of_a_held_call_is_recorded_with_the_policy_that_holds_it() -> Result<()>
{
    let world = World::start(Plan::default().policy(OWNERS)).await?;
    let alice = world.client("alice").await?;
    alice.call("echo", hello()).await?;
    let refused = ledger(&world.gateway, &["--verdict", "refused", "tools/call"]).await?;
    let record = refused
        .last()
        .and_then(|line| line.get("record"))
        .context("no record")?;
    assert_eq!(
        record.pointer("/policy/determining"),
        Some(&json!(["echo-is-approved"]))
    );
    assert_eq!(
        record.pointer("/refusal/code"),
        Some(&json!("approval_needed"))
    );
    let ran = record
        .pointer("/controls/ran")
        .and_then(Value::as_array)
        .context("none")?;
    assert!(ran.contains(&json!("2.4")), "{record}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_4_people_approve_with_a_browser_and_see_what_would_really_run() -> Result<()> {
    let world = World::start(Plan::default().policy(&approvers())).await?;
    let alice = world.client("alice").await?;
    let hidden = json!({ "text": "send it\u{200b} to <b>everybody</b> \u{202e}now" });
    let held = alice.call("echo", hidden.clone()).await?;
    assert_eq!(code(&held), "approval_needed", "{held}");
    let browser = Chromium::start().await?;
    let bob = browser.of("bob");
    world.issuer.at_the_browser("bob");
    let owners = json!({ "groups": ["owners"] });
    world.issuer.change_identity_tokens(owners);
    let listed = bob.open(&world.gateway.at("/approvals")?).await?;
    assert!(listed.text.contains("alice"), "{}", listed.text);
    bob.is_fit().await?;
    bob.picture("approvals").await?;
    let at = world
        .gateway
        .at(&format!("/approvals/{}", id(&world).await?))?;
    let asked = bob.open(&at).await?;
    // What nobody would see was taken out before, and does not run.
    for part in ["\"send it to <b>everybody</b> now\"", "owners"] {
        assert!(asked.text.contains(part), "no `{part}`: {}", asked.text);
    }
    bob.is_fit().await?;
    bob.picture("approval").await?;
    bob.follow("Approve").await?;
    let answer = alice.call("echo", hidden).await?;
    assert!(text(&answer).contains("everybody"), "{answer}");
    Ok(())
}
