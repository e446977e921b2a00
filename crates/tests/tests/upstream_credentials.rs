//! What servers are shown: tokens that were issued for them, and never the caller's own (controls 7.1,
//! 2.3). The authorization server and the guarded server write down every byte.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::authority::Realm;
use ringwall_tests::browser::{Browser, link_in};
use ringwall_tests::comes::is_so;
use ringwall_tests::guarded::{
    client, connected, connection, exchanging, guarded, link, opened, with,
};
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::proofs::{Prover, opening, with as with_proof};
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire::{Outgoing, Reply, code};
use ringwall_tests::world::{CREDENTIAL, World, ledger};
use serde_json::{Value, json};
use std::sync::Arc;

async fn echoes(client: &Client) -> Result<()> {
    let answer = client.call("echo", json!({ "text": "hello" })).await?;
    anyhow::ensure!(text(&answer).contains("hello"), "{answer}");
    Ok(())
}

/// Waits until all of this is in the ledger. What becomes of a page is there soon after it is answered.
async fn recorded(world: &World, words: &[&str]) -> Result<()> {
    let is_there = is_so(async || {
        let records = format!("{:?}", ledger(&world.gateway, &[]).await?);
        Ok(words.iter().all(|word| records.contains(*word)))
    });
    is_there.await.with_context(|| format!("{words:?}"))
}

/// Everything that was written down of it.
async fn written(world: &World) -> Result<String> {
    let records = ledger(&world.gateway, &[]).await?;
    Ok(format!("{records:?}{}", world.gateway.complaints()))
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_a_server_is_shown_the_gateways_own_token_and_never_the_callers() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, client(&realm, "client_credentials")).await?;
    let token = world.token("alice")?;
    let alice = Client::connect(&world.url()?, Some(&token)).await?;
    echoes(&alice).await?;
    echoes(&world.client("bob").await?).await?;
    assert_eq!(
        realm.grants("client_credentials").len(),
        1,
        "one token for all"
    );
    let (server, authority) = (realm.at_server(), realm.at_authority());
    assert!(server.contains("Bearer access-"), "{server}");
    let signature = token.rsplit('.').next().context("no signature")?;
    for log in [&server, &authority] {
        assert!(!log.contains(&token) && !log.contains(signature));
    }
    // The secret goes to the authorization server alone.
    assert!(!server.contains(CREDENTIAL));
    let written = written(&world).await?;
    for secret in ["access-0", CREDENTIAL, signature] {
        assert!(!written.contains(secret), "{secret}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_a_user_connects_a_server_once_and_it_outlives_a_restart_sealed() -> Result<()> {
    let realm = Realm::start().await?;
    let mut world = guarded(&realm, connection()).await?;
    let browser = Browser::default();
    let alice = connected(&world, "alice", &browser).await?;
    echoes(&alice).await?;
    let asked = realm.grants("authorization_code");
    assert_eq!(asked[0]["resource"], realm.server().as_str());
    world.gateway.crash_and_restart().await?;
    echoes(&world.client("alice").await?).await?;
    assert_eq!(realm.grants("authorization_code").len(), 1, "asked once");
    // Somebody else has not connected it, and gets nothing of hers.
    assert_eq!(code(&opened(&world, "bob").await?.1), "connection_needed");
    let listed = world.gateway.with_data(&["connections", "--json"]).await?;
    assert!(listed.contains("\"subject\": \"alice\""), "{listed}");
    let mut kept = listed + &written(&world).await?;
    for file in ["state.db", "state.db-wal"] {
        let bytes = std::fs::read(world.path().join("data").join(file)).unwrap_or_default();
        kept.push_str(&String::from_utf8_lossy(&bytes));
    }
    for secret in [
        "access-",
        "refresh-",
        "the-registered-secret",
        "granted-code",
    ] {
        assert!(!kept.contains(secret), "{secret}");
    }
    recorded(&world, &["connect.completed"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_link_is_of_no_use_to_anybody_but_the_user_it_was_made_for() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let link = link(&world, "alice").await?;
    world.issuer.at_the_browser("mallory");
    let page = Browser::default().open(&link).await?;
    assert_eq!(page.reply.status, 403, "{}", page.html());
    assert!(
        realm.at_authority().find("/authorize").is_none(),
        "nobody was asked"
    );
    recorded(&world, &["connect.failed", "another_user"]).await?;
    // Followed once, it is used up, for alice too.
    world.issuer.at_the_browser("alice");
    let again = Browser::default().open(&link).await?;
    assert_eq!(again.reply.status, 404, "{}", again.html());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_only_an_identity_token_of_this_very_flow_says_who_is_there() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    for wrong in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "another-client" }),
        json!({ "aud": ["ringwall-signs-in", "another-client"] }),
        json!({ "azp": "another-client" }),
        json!({ "iss": "http://127.0.0.1:9" }),
        json!({ "exp": 1 }),
        json!({ "iat": 1 }),
        json!({ "events": {} }),
    ] {
        world.issuer.change_identity_tokens(wrong.clone());
        let page = Browser::default()
            .open(&link(&world, "alice").await?)
            .await?;
        assert_eq!(page.reply.status, 403, "{wrong}");
    }
    world.issuer.change_identity_tokens(json!({}));
    Browser::default()
        .connect(&link(&world, "alice").await?)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_each_step_is_good_once_and_in_the_browser_that_began() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let browser = Browser::default();
    let page = browser.open(&link(&world, "alice").await?).await?;
    let html = page.html();
    let policy = page
        .reply
        .header("content-security-policy")
        .unwrap_or_default();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(
        html.contains("fixture")
            && html.contains(realm.issuer())
            && html.contains("<code>read</code>")
    );
    // Another browser is on no way at all.
    let agree = page.url.join("/connect/agree")?;
    let form = format!("csrf={}&decision=agree", "x".repeat(43));
    let stranger = Browser::default().once(Method::POST, &agree, form).await?;
    assert_eq!(stranger.status, 404);
    // The page's own form counts once.
    assert_eq!(browser.decide(&page, "agree").await?.reply.status, 200);
    let late = browser.decide(&page, "agree").await?;
    assert_eq!(late.reply.status, 404, "{}", late.html());
    // A refusal ends the journey, and it is nobody's agreement.
    let browser = Browser::default();
    let page = browser.open(&link(&world, "alice").await?).await?;
    assert_eq!(browser.decide(&page, "decline").await?.reply.status, 403);
    assert!(realm.at_authority().find("/authorize").is_none());
    // The answer of the authorization server counts once, and only in that browser.
    let browser = Browser::default();
    browser.connect(&link(&world, "alice").await?).await?;
    let back = world
        .gateway
        .at("/connect/callback?code=granted-code&state=x")?;
    for browser in [&browser, &Browser::default()] {
        assert_eq!(browser.open(&back).await?.reply.status, 404);
    }
    assert_eq!(realm.grants("authorization_code").len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_link_of_somebody_who_was_revoked_since_leads_nowhere() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let (unused, begun) = (link(&world, "alice").await?, Browser::default());
    let bobs = link(&world, "bob").await?;
    world.issuer.at_the_browser("bob");
    let asked = begun.open(&bobs).await?;
    assert_eq!(asked.reply.status, 200, "{}", asked.html());
    for user in ["alice", "bob"] {
        let who = ["revoke", "user", user, "--why", "a test", "--by", "carol"];
        world.gateway.with_data(&who).await?;
    }
    world.events("revoked", 2).await?;
    world.issuer.at_the_browser("alice");
    let page = Browser::default().open(&unused).await?;
    assert_eq!(page.reply.status, 403, "{}", page.html());
    let page = begun.decide(&asked, "agree").await?;
    assert_eq!(page.reply.status, 403, "{}", page.html());
    let failed = world.events("connect.failed", 2).await?;
    let refusals = failed.iter().map(|line| line.pointer("/record/refusal"));
    let refusals: Vec<String> = refusals.map(|it| format!("{it:?}")).collect();
    assert!(
        refusals.len() == 2
            && refusals
                .iter()
                .all(|it| it.contains("\"revoked\"") && it.contains("7.4")),
        "{refusals:?}"
    );
    assert!(realm.at_authority().find("/authorize").is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_link_is_repeated_nowhere_however_it_is_spelt() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let link = link(&world, "alice").await?;
    let secret = link.path_segments().and_then(|mut all| all.next_back());
    let secret = secret.context("no secret")?.to_owned();
    for wrong in [
        format!("/connect/{secret}/"),
        format!("/connect/x/{secret}"),
    ] {
        let page = Browser::default().open(&world.gateway.at(&wrong)?).await?;
        assert_eq!(page.reply.status, 404);
        assert!(!page.html().contains(&secret));
    }
    world.events("connect.refused", 2).await?;
    assert!(!written(&world).await?.contains(&secret));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_an_answer_of_another_issuer_is_not_acted_on_and_recorded() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    realm.answers_as("https://attacker.example");
    let browser = Browser::default();
    let page = browser.open(&link(&world, "alice").await?).await?;
    let page = browser.decide(&page, "agree").await?;
    let page = browser.onward(&page).await?;
    assert_eq!(page.reply.status, 403);
    assert!(!page.html().contains("attacker"), "{}", page.html());
    assert!(
        realm.grants("authorization_code").is_empty(),
        "the code went nowhere"
    );
    recorded(&world, &["oauth_mix_up"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n10_3_metadata_leads_nowhere_that_the_operator_does_not_mean() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(
        &realm,
        json!({ "grant": "connection", "network": "public" }),
    )
    .await?;
    for (issuer, expected) in [
        ("https://169.254.169.254", "oauth_not_allowed"),
        ("https://10.0.0.1", "oauth_not_allowed"),
        ("https://[::ffff:127.0.0.1]", "oauth_not_allowed"),
        ("https://localhost:9", "oauth_not_allowed"),
        (realm.issuer(), "oauth_not_allowed"),
        ("http://192.0.2.1", "oauth_endpoint"),
        ("file:///etc/passwd", "oauth_endpoint"),
    ] {
        realm.protected(&json!({ "authorization_servers": [issuer] }));
        let answer = opened(&world, "alice").await?.1;
        let found = code(&answer);
        assert!(
            found == expected || (found == "oauth_metadata" && issuer.starts_with("file")),
            "{issuer}: {found}"
        );
        assert!(link_in(&answer).is_none(), "{issuer}");
    }
    let records = format!("{:?}", ledger(&world.gateway, &[]).await?);
    assert!(records.contains("oauth_not_allowed"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_a_server_cannot_move_itself_to_another_issuer_than_the_one_that_is_named()
-> Result<()> {
    let realm = Realm::start().await?;
    let oauth =
        json!({ "grant": "connection", "issuer": "https://as.example.com", "network": "private" });
    let world = guarded(&realm, oauth).await?;
    let refused = opened(&world, "alice").await?.1;
    assert_eq!(code(&refused), "oauth_issuer_changed");
    assert!(
        realm.at_authority().is_empty(),
        "nobody else was even asked"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_3_a_hundred_calls_renew_a_token_once_and_a_lost_one_is_asked_for_anew() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    // It is renewed before its end, so that no call is turned down: this one is about to end at once.
    realm.expires_in(10);
    let browser = Browser::default();
    let refused = opened(&world, "alice").await?.1;
    browser
        .connect(&link_in(&refused).context("no link")?)
        .await?;
    realm.expires_in(3600);
    let alice = Arc::new(world.client("alice").await?);
    let before = realm.grants("refresh_token").len();
    assert_eq!(before, 1, "the session was opened with a fresh one");
    // The server stops taking that one, in the middle of everything.
    realm.accepts(&["access-2"]);
    // The first ten wait for the one new token; the others come before it, or after it with the old one.
    realm.holds_tokens_until_turned_down(10);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let alice = Arc::clone(&alice);
        calls.spawn(async move { echoes(&alice).await });
    }
    while let Some(call) = calls.join_next().await {
        call??;
    }
    assert_eq!(
        realm.grants("refresh_token").len(),
        2,
        "renewed once for all of them"
    );
    realm.accepts(&["access-9"]);
    realm.forget_grants();
    let lost = alice.call("echo", json!({ "text": "x" })).await?;
    assert_eq!(code(&lost), "connection_needed");
    assert!(link_in(&lost).is_some());
    let listed = world.gateway.with_data(&["connections"]).await?;
    assert!(listed.contains("nobody"), "{listed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_3_a_connection_that_is_taken_back_is_used_no_more() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let alice = connected(&world, "alice", &Browser::default()).await?;
    echoes(&alice).await?;
    let listed: Value = serde_json::from_str(
        &world
            .gateway
            .with_data(&["connections", "list", "--json"])
            .await?,
    )?;
    let name = listed[0]["name"].as_str().context("no name")?;
    world
        .gateway
        .with_data(&["connections", "revoke", name])
        .await?;
    let is_used_no_more = is_so(async || {
        let answer = alice.call("echo", json!({ "text": "x" })).await?;
        Ok(code(&answer) == "connection_needed")
    });
    is_used_no_more.await.context("it is still used")
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_a_callers_token_is_exchanged_at_its_own_issuer_and_goes_nowhere_else() -> Result<()> {
    for (grant, more) in [
        ("token_exchange", json!({})),
        (
            "token_exchange",
            json!({ "actor": "gateway", "audience": "files" }),
        ),
        ("on_behalf_of", json!({ "scopes": ["files.read"] })),
    ] {
        let realm = Realm::start().await?;
        realm.accepts(&["exchanged-"]);
        let world = exchanging(&realm, grant, more.clone()).await?;
        let token = world.token("alice")?;
        let alice = Client::connect(&world.url()?, Some(&token)).await?;
        echoes(&alice).await?;
        echoes(&alice).await?;
        let asked = world.issuer.exchanges();
        let acting: Vec<_> = asked
            .iter()
            .filter(|it| it.values().any(|it| *it == token))
            .collect();
        assert_eq!(acting.len(), 1, "{grant}: exchanged once for one token");
        if more.get("actor").is_some() {
            assert!(acting[0]["actor_token"].starts_with("own-"), "{acting:?}");
            assert_eq!(acting[0]["audience"], "files");
        }
        // Another token of the same user is another one to exchange: it may say less.
        let other = world.issuer.sign_changed(
            &world.resource()?,
            &json!({}),
            &json!({ "jti": "other" }),
        )?;
        echoes(&Client::connect(&world.url()?, Some(&other)).await?).await?;
        let acting = world.issuer.exchanges();
        assert_eq!(
            acting
                .iter()
                .filter(|it| it.values().any(|it| *it == other))
                .count(),
            1
        );
        assert!(
            !realm.at_server().contains(&token) && realm.at_authority().is_empty(),
            "{grant}"
        );
        assert!(!written(&world).await?.contains("exchanged-"), "{grant}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_a_claims_challenge_reaches_the_caller_and_an_application_is_not_acted_for()
-> Result<()> {
    let realm = Realm::start().await?;
    realm.accepts(&["exchanged-"]);
    let world = exchanging(&realm, "on_behalf_of", json!({ "scopes": ["files.read"] })).await?;
    world.issuer.wants(Some(
        r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#,
    ));
    let client = Client::new(&world.url()?, Some(&world.token("alice")?));
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
    let reply = client.send("initialize", params.clone()).await?;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (401, "upstream_claims")
    );
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    assert!(
        challenge.contains("insufficient_claims")
            && challenge.contains("claims=\"eyJ")
            && challenge.contains("resource_metadata=\"http"),
        "{challenge}"
    );
    world.issuer.wants(None);
    echoes(&world.client("alice").await?).await?;
    let app = json!({ "sub": "test-client", "client_id": "test-client" });
    let app = world
        .issuer
        .sign_changed(&world.resource()?, &json!({}), &app)?;
    let reply = Client::new(&world.url()?, Some(&app))
        .send("initialize", params)
        .await?;
    assert_eq!(reply.code(), "oauth_app_only");
    Ok(())
}

/// The challenges of an answer, each with whether it is for a bearer token or one with a proof.
fn challenged(reply: &Reply) -> (String, String) {
    let all = reply.headers.get_all("www-authenticate").iter();
    let all: Vec<&str> = all.filter_map(|value| value.to_str().ok()).collect();
    let of = |scheme: &str| {
        let mut own = all.iter().filter(|text| text.starts_with(scheme));
        own.next()
            .map(|text| (*text).to_owned())
            .unwrap_or_default()
    };
    (of("Bearer "), of("DPoP "))
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_a_login_that_a_server_wants_is_asked_of_the_caller_whose_token_is_exchanged()
-> Result<()> {
    let realm = Realm::start().await?;
    realm.accepts(&["exchanged-"]);
    let world = exchanging(&realm, "token_exchange", json!({})).await?;
    echoes(&world.client("alice").await?).await?;
    let error = "error=\"insufficient_user_authentication\"";
    let wanted = "acr_values=\"urn:gold silver\", max_age=\"5\"";
    realm.challenges(Some(&format!("Bearer {error}, {wanted}")));
    let url = world.url()?;
    let metadata = "resource_metadata=\"http";
    let brought = Outgoing::message(&url, &opening()).header(
        "authorization",
        &format!("Bearer {}", world.token("alice")?),
    );
    let reply = brought.send().await?;
    let told = (reply.status.as_u16(), reply.code());
    assert_eq!(told, (401, "upstream_authentication".to_owned()));
    let data = reply.json()?["error"]["data"].clone();
    assert_eq!(
        (&data["acr_values"], &data["max_age"]),
        (&json!("urn:gold silver"), &json!(5))
    );
    let (bearer, dpop) = challenged(&reply);
    for part in [error, wanted, metadata] {
        assert!(bearer.contains(part), "{bearer}");
    }
    assert!(!dpop.contains("error") && dpop.contains(metadata), "{dpop}");
    // Who came with a proof is told for that way.
    let prover = Prover::new()?;
    let bound = json!({ "cnf": prover.confirmation()? });
    let bound = world
        .issuer
        .sign_changed(&world.resource()?, &json!({}), &bound)?;
    let brought = || Outgoing::message(&url, &opening());
    let asked = prover.dressed(brought(), ("POST", &url), &bound)?;
    let asked = asked.send().await?;
    let nonce = asked.header("dpop-nonce").context("no nonce")?;
    let proof = prover.with_nonce(&url, &bound, nonce)?;
    let reply = with_proof(brought(), &bound, &proof).send().await?;
    let (bearer, dpop) = challenged(&reply);
    for part in [error, wanted, metadata] {
        assert!(dpop.contains(part), "{} {dpop}", reply.code());
    }
    assert!(!bearer.contains("error"), "{bearer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_no_server_sends_anybody_to_log_in_whose_token_it_has_nothing_to_do_with() -> Result<()>
{
    let realm = Realm::start().await?;
    let world = guarded(&realm, client(&realm, "client_credentials")).await?;
    let claims = "eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJ2YWx1ZSI6ImMxIn19fQ==";
    for challenge in [
        "Bearer error=\"insufficient_user_authentication\", acr_values=\"gold\", max_age=\"0\"",
        &format!("Bearer error=\"insufficient_claims\", claims=\"{claims}\""),
    ] {
        realm.challenges(Some(challenge));
        let client = Client::new(&world.url()?, Some(&world.token("alice")?));
        let reply = client
            .send("initialize", opening()["params"].clone())
            .await?;
        let told = (reply.status.as_u16(), reply.code());
        assert_eq!(told, (200, "upstream_credential".to_owned()));
        assert_eq!(challenged(&reply), (String::new(), String::new()));
        assert!(!reply.json()?.to_string().contains("gold"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_4_a_user_is_asked_in_the_words_their_client_has() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    // Before there is a session, and for whoever cannot open pages, it is told in an error.
    let plain = Client::new(&world.url()?, Some(&world.token("alice")?));
    let refused = plain.initialize_with(json!({})).await?;
    assert!(
        refused.pointer("/error/data/connect/url").is_some(),
        "{refused}"
    );
    let modern = |capabilities: Value| {
        let token = world.token("alice");
        let url = world.url();
        async move { Ok::<_, anyhow::Error>(Stateless::new(&url?, Some(&token?)).capable(capabilities)) }
    };
    let cannot = modern(json!({ "elicitation": {} })).await?;
    let refused = cannot.call("echo", json!({ "text": "x" })).await?;
    assert!(
        refused.pointer("/error/data/connect/url").is_some(),
        "{refused}"
    );
    // A stateless client is asked for something before it calls again, and calls again.
    let can = modern(json!({ "elicitation": { "url": {} } })).await?;
    let asked = can.call("echo", json!({ "text": "x" })).await?;
    assert_eq!(
        asked.pointer("/result/resultType"),
        Some(&json!("input_required")),
        "{asked}"
    );
    let first = link_in(&asked).context("no link")?;
    let again = can.call("echo", json!({ "text": "x" })).await?;
    assert_eq!(
        link_in(&again),
        Some(first.clone()),
        "one link for one need"
    );
    Browser::default().connect(&first).await?;
    let inputs = asked
        .pointer("/result/inputRequests")
        .and_then(Value::as_object);
    let names = inputs.context("nothing is asked")?.keys();
    let answers: Value = names
        .map(|name| (name.clone(), json!({ "action": "accept" })))
        .collect();
    let done = can
        .answer("echo", json!({ "text": "again" }), &asked, answers)
        .await?;
    assert!(text(&done).contains("again"), "{done}");
    assert!(
        !realm.at_server().contains("io.ringwall/connect"),
        "it is no server's business"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_the_session_that_was_asked_is_told_that_it_is_done() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    connected(&world, "alice", &Browser::default()).await?;
    let mut client = Client::new(&world.url()?, Some(&world.token("alice")?));
    client
        .initialize(json!({ "elicitation": { "url": {} } }))
        .await?;
    let mut events = client.listen(None).await?;
    realm.forget_grants();
    realm.accepts(&["refused-"]);
    let refused = client.call("echo", json!({ "text": "x" })).await?;
    assert_eq!(
        refused.pointer("/error/code"),
        Some(&json!(-32042)),
        "{refused}"
    );
    let id = refused
        .pointer("/error/data/elicitations/0/elicitationId")
        .cloned();
    Browser::default()
        .connect(&link_in(&refused).context("no link")?)
        .await?;
    let told = events
        .message(|it| it["method"] == "notifications/elicitation/complete")
        .await?;
    assert_eq!(told.pointer("/params/elicitationId").cloned(), id);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_an_assertion_of_the_identity_provider_opens_one_server() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, client(&realm, "client_credentials")).await?;
    let mut oauth = client(&realm, "id_jag");
    oauth["identity_provider"] = json!({
        "issuer": world.issuer.url(), "client": "the-gateway-there", "secret": "env:FIXTURE_CREDENTIAL"
    });
    let world = with(world, oauth).await?;
    let token = world.token("alice")?;
    echoes(&Client::connect(&world.url()?, Some(&token)).await?).await?;
    let asked = world.issuer.exchanges();
    assert_eq!(asked[0]["subject_token"], token);
    assert_eq!(asked[0]["audience"], realm.issuer());
    assert_eq!(asked[0]["resource"], realm.server().as_str());
    let brought = realm.grants("urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert!(
        brought[0]["assertion"].starts_with("exchanged-"),
        "{brought:?}"
    );
    for log in [realm.at_authority(), realm.at_server()] {
        assert!(!log.contains(&token));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_says_who_it_is_as_a_client() -> Result<()> {
    let realm = Realm::start().await?;
    let world = guarded(&realm, connection()).await?;
    let get = |path: &'static str| {
        let url = world.gateway.at(path);
        async move {
            ringwall_tests::wire::Outgoing::new(Method::GET, &url?)
                .send()
                .await
        }
    };
    let document = get("/oauth/client.json").await?.json()?;
    assert_eq!(
        document["client_id"],
        world.gateway.at("/oauth/client.json")?.as_str()
    );
    assert_eq!(
        document["redirect_uris"][0],
        world.gateway.at("/connect/callback")?.as_str()
    );
    assert_eq!(document["token_endpoint_auth_method"], "private_key_jwt");
    let keys = get("/oauth/jwks.json").await?.json()?;
    assert_eq!(keys["keys"][0]["kty"], "EC");
    assert!(keys["keys"][0].get("d").is_none(), "{keys}");
    Ok(())
}
