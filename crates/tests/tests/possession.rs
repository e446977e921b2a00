//! Tokens that are bound to keys, and those who have the token and not the key. Each attack is refused
//! and is in the ledger, under control 7.4, and nothing of it reaches the server.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::issuer::{Kind, encoded};
use ringwall_tests::place::now;
use ringwall_tests::proofs::{Prover, opening, session, with};
use ringwall_tests::provider::Provider;
use ringwall_tests::wire::{Outgoing, Reply};
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};
use url::Url;

/// A world in which proofs need no nonce. Those made before it began are not accepted, and with a skew
/// neither would be those of its first seconds.
async fn world() -> Result<World> {
    World::start(Plan::default().whole(json!({ "dpop": { "nonce": "off", "skew": "0s" } }))).await
}

/// A good token of Alice that is bound to this.
fn bound(world: &World, confirmation: Value) -> Result<String> {
    let claims = json!({ "cnf": confirmation });
    world
        .issuer
        .sign_changed(&world.resource()?, &json!({}), &claims)
}

/// A request for a session without anything to let it in.
fn request(url: &Url) -> Outgoing {
    Outgoing::message(url, &opening())
}

/// A call in a session.
fn call(url: &Url, session: &str) -> Outgoing {
    let echo = json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": "echo", "arguments": { "text": "hello" } }
    });
    Outgoing::message(url, &echo)
        .header("mcp-session-id", session)
        .header("mcp-protocol-version", ringwall_tests::mcp::VERSION)
}

/// That the answer is this refusal, said by the control, and that the ledger has it.
async fn refused(world: &World, reply: &Reply, status: u16, code: &str) -> Result<()> {
    let told = (reply.status.as_u16(), reply.code());
    assert_eq!(told, (status, code.to_owned()), "{}", reply.json()?);
    assert_eq!(reply.control().as_deref(), Some("7.4"), "{code}");
    let records = ledger(&world.gateway, &["--code", code]).await?;
    let record = json!(records.last().context("no record")?).to_string();
    assert!(record.contains("\"7.4\""), "{record}");
    Ok(())
}

fn challenges(reply: &Reply) -> Vec<&str> {
    let values = reply.headers.get_all("www-authenticate").iter();
    values.filter_map(|value| value.to_str().ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_bound_token_opens_a_session_with_its_key_of_every_kind() -> Result<()> {
    let world = world().await?;
    let url = world.url()?;
    for kind in [Kind::Es256, Kind::EdDsa, Kind::Rsa] {
        let alice = Prover::of(kind)?;
        let token = bound(&world, alice.confirmation()?)?;
        let opened = alice.dressed(request(&url), ("POST", &url), &token)?;
        let session = session(&opened.send().await?)?;
        let called = alice.dressed(call(&url, &session), ("POST", &url), &token)?;
        let answer = called.send().await?.json()?;
        assert_eq!(ringwall_tests::mcp::text(&answer), "hello", "{kind:?}");
        let ended = Outgoing::new(Method::DELETE, &url).header("mcp-session-id", &session);
        let ended = alice.dressed(ended, ("DELETE", &url), &token)?;
        assert_eq!(ended.send().await?.status, 200, "{kind:?}");
    }
    Ok(())
}

/// Proofs that prove nothing, with the code of each one's refusal.
fn worthless(
    world: &World,
    (alice, thief): (&Prover, &Prover),
    token: &str,
) -> Result<Vec<(&'static str, String)>> {
    let url = world.url()?;
    let none = json!({});
    let alices = |claims: Value| alice.changed("POST", &url, token, (&none, &claims));
    let headed = |header: Value| alice.changed("POST", &url, token, (&header, &none));
    let other = world.token("alice")?;
    Ok(vec![
        ("dpop_other_key", thief.proof("POST", &url, token)?),
        (
            "dpop_signature",
            thief.changed("POST", &url, token, (&json!({ "jwk": alice.jwk() }), &none))?,
        ),
        ("dpop_method", alice.proof("GET", &url, token)?),
        ("dpop_method", alice.proof("post", &url, token)?),
        (
            "dpop_url",
            alice.proof("POST", &world.gateway.at("/other")?, token)?,
        ),
        (
            "dpop_url",
            alice.proof("POST", &world.gateway.at("/fixture/")?, token)?,
        ),
        (
            "dpop_url",
            alices(json!({ "htu": format!("https://{}", url.path()) }))?,
        ),
        (
            "dpop_url",
            alices(json!({ "htu": url.as_str().replace("http:", "https:") }))?,
        ),
        ("dpop_other_token", alice.proof("POST", &url, &other)?),
        ("dpop_other_token", alices(json!({ "ath": encoded("a") }))?),
        ("dpop_claim", alices(json!({ "ath": null }))?),
        ("dpop_claim", alices(json!({ "jti": null }))?),
        ("dpop_claim", alices(json!({ "iat": null }))?),
        ("dpop_stale", alices(json!({ "iat": now() - 120 }))?),
        ("dpop_future", alices(json!({ "iat": now() + 120 }))?),
        ("dpop_algorithm", headed(json!({ "alg": "none" }))?),
        ("dpop_algorithm", headed(json!({ "alg": "HS256" }))?),
        ("dpop_type", headed(json!({ "typ": "JWT" }))?),
        (
            "dpop_header",
            headed(json!({ "jku": "https://evil.example/keys" }))?,
        ),
        (
            "dpop_header",
            headed(json!({ "jwk": null, "kid": "proof" }))?,
        ),
        (
            "dpop_key",
            headed(json!({ "jwk": { "kty": "oct", "k": "AAAA" } }))?,
        ),
        ("dpop_malformed", "not a proof".to_owned()),
        ("dpop_malformed", "a.b.c.d".to_owned()),
        (
            "dpop_malformed",
            format!("{}=", alice.proof("POST", &url, token)?),
        ),
        ("dpop_size", "a".repeat(9000)),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_stolen_token_is_worth_nothing_without_its_key() -> Result<()> {
    let world = world().await?;
    let url = world.url()?;
    let (alice, thief) = (Prover::new()?, Prover::new()?);
    let token = bound(&world, alice.confirmation()?)?;
    for nth in 0..worthless(&world, (&alice, &thief), &token)?.len() {
        // Made anew for each: those made with the first would be too old by the time of the last.
        let (code, proof) = worthless(&world, (&alice, &thief), &token)?.swap_remove(nth);
        let reply = with(request(&url), &token, &proof).send().await?;
        refused(&world, &reply, 401, code).await?;
        let told = challenges(&reply);
        let dpop = told.iter().find(|it| it.starts_with("DPoP "));
        let dpop = dpop.with_context(|| format!("no challenge for {code}: {told:?}"))?;
        assert!(dpop.contains("algs=\"ES256 EdDSA PS256 RS256\""), "{dpop}");
        assert!(dpop.contains("resource_metadata="), "{dpop}");
        let error = match code {
            "dpop_other_key" => "error=\"invalid_token\"",
            _ => "error=\"invalid_dpop_proof\"",
        };
        assert!(dpop.contains(error), "{code}: {dpop}");
    }
    // Larger than any header may be: nobody even looks at it.
    let flood = with(request(&url), &token, &"a".repeat(1 << 20))
        .send()
        .await;
    assert!(flood.map_or(true, |reply| reply.status == 431));
    assert_eq!(world.arrived()?, 0, "something reached the server");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_token_is_brought_in_the_way_it_is_bound() -> Result<()> {
    let world = world().await?;
    let url = world.url()?;
    let alice = Prover::new()?;
    let token = bound(&world, alice.confirmation()?)?;
    let proof = alice.proof("POST", &url, &token)?;
    let bearer = |token: &str| request(&url).header("authorization", &format!("Bearer {token}"));
    // Without a proof, with one that is not asked for, and with two.
    let reply = bearer(&token).send().await?;
    refused(&world, &reply, 401, "token_bound").await?;
    let reply = bearer(&token).header("dpop", &proof).send().await?;
    refused(&world, &reply, 401, "token_bound").await?;
    let bare = request(&url).header("authorization", &format!("DPoP {token}"));
    refused(&world, &bare.send().await?, 401, "dpop_missing").await?;
    let twice = with(request(&url), &token, &proof).and_header("dpop", &proof);
    refused(&world, &twice.send().await?, 401, "dpop_repeated").await?;
    // A token that is bound to nothing gains nothing by a proof.
    let unbound = world.token("alice")?;
    let reply = alice.dressed(request(&url), ("POST", &url), &unbound)?;
    refused(&world, &reply.send().await?, 401, "token_unbound").await?;
    // A way of binding that nobody here knows.
    for confirmation in [
        json!({}),
        json!({ "kid": "a" }),
        json!({ "jkt": "a" }),
        json!(null),
    ] {
        let claims = json!({ "cnf": confirmation });
        let token = world.issuer.sign(&ringwall_tests::issuer::overlaid(
            world.issuer.claims(&world.resource()?, "alice"),
            &match confirmation {
                Value::Null => json!({ "cnf": [] }),
                _ => claims,
            },
        ))?;
        refused(
            &world,
            &bearer(&token).send().await?,
            401,
            "token_confirmation",
        )
        .await?;
    }
    assert_eq!(world.arrived()?, 0, "something reached the server");
    // Whoever has nothing yet hears of both ways.
    let reply = request(&url).send().await?;
    let told = challenges(&reply);
    assert!(told.iter().any(|it| it.starts_with("Bearer ")), "{told:?}");
    assert!(
        told.iter().any(|it| it.starts_with("DPoP algs=")),
        "{told:?}"
    );
    assert_eq!(bearer(&unbound).send().await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_proof_is_good_once() -> Result<()> {
    let world = world().await?;
    let url = world.url()?;
    let alice = Prover::new()?;
    let token = bound(&world, alice.confirmation()?)?;
    let proof = alice.proof("POST", &url, &token)?;
    assert_eq!(
        with(request(&url), &token, &proof).send().await?.status,
        200
    );
    let again = with(request(&url), &token, &proof).send().await?;
    refused(&world, &again, 401, "dpop_replayed").await?;
    // Of many who bring one proof at once, one is let in.
    let proof = alice.proof("POST", &url, &token)?;
    let tries = (0..8).map(|_| tokio::spawn(with(request(&url), &token, &proof).send()));
    let mut let_in = 0;
    for one in tries.collect::<Vec<_>>() {
        let_in += usize::from(one.await??.status == 200);
    }
    assert_eq!(let_in, 1);
    // Another token of the same key, with the same id of a proof: the id is the key's.
    let id = json!({ "jti": "the-same" });
    for (nth, expected) in [(1, 200), (2, 401)] {
        let claims = json!({ "cnf": alice.confirmation()?, "nth": nth });
        let token = world
            .issuer
            .sign_changed(&world.resource()?, &json!({}), &claims)?;
        let proof = alice.changed("POST", &url, &token, (&json!({}), &id))?;
        let reply = with(request(&url), &token, &proof).send().await?;
        assert_eq!(reply.status, expected, "{nth}: {}", reply.code());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_user_with_too_many_proofs_waits_and_others_do_not() -> Result<()> {
    // Remembered for longer than all of this takes.
    let dpop = json!({ "dpop": { "nonce": "off", "skew": "0s", "age": "5m", "per_user": 16 } });
    let world = World::start(Plan::default().whole(dpop)).await?;
    let url = world.url()?;
    let alice = Prover::new()?;
    let token = bound(&world, alice.confirmation()?)?;
    for _ in 0..16 {
        let reply = alice.dressed(request(&url), ("POST", &url), &token)?;
        assert_eq!(reply.send().await?.status, 200);
    }
    let reply = alice.dressed(request(&url), ("POST", &url), &token)?;
    let reply = reply.send().await?;
    refused(&world, &reply, 429, "proofs_full").await?;
    assert!(reply.header("retry-after").is_some());
    let bob = Prover::new()?;
    let claims = json!({ "cnf": bob.confirmation()?, "sub": "bob" });
    let token = world
        .issuer
        .sign_changed(&world.resource()?, &json!({}), &claims)?;
    let reply = bob.dressed(request(&url), ("POST", &url), &token)?;
    assert_eq!(reply.send().await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_nonce_is_asked_for_handed_out_and_known_again() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let url = world.url()?;
    let alice = Prover::new()?;
    let token = bound(&world, alice.confirmation()?)?;
    let asked = alice.dressed(request(&url), ("POST", &url), &token)?;
    let asked = asked.send().await?;
    refused(&world, &asked, 401, "dpop_nonce").await?;
    let told = challenges(&asked).join(", ");
    assert!(
        told.contains("DPoP algs=") && told.contains("error=\"use_dpop_nonce\""),
        "{told}"
    );
    let nonce = asked.header("dpop-nonce").context("no nonce")?.to_owned();
    let proof = alice.with_nonce(&url, &token, &nonce)?;
    let reply = with(request(&url), &token, &proof).send().await?;
    assert_eq!(reply.status, 200, "{}", reply.code());
    // Each answer to a proof brings the nonce of now; the same is good more than once.
    let next = reply.header("dpop-nonce").context("no nonce")?.to_owned();
    for nonce in [&nonce, &next] {
        let proof = alice.with_nonce(&url, &token, nonce)?;
        assert_eq!(
            with(request(&url), &token, &proof).send().await?.status,
            200
        );
    }
    for foreign in [
        "",
        "eyJ7S_zbuUC6lU8VFT4",
        &nonce.replace(|_: char| true, "A"),
    ] {
        let proof = alice.with_nonce(&url, &token, foreign)?;
        let reply = with(request(&url), &token, &proof).send().await?;
        refused(&world, &reply, 401, "dpop_nonce").await?;
    }
    // Nobody else is bothered with one.
    let bearer = format!("Bearer {}", world.token("alice")?);
    let reply = request(&url)
        .header("authorization", &bearer)
        .send()
        .await?;
    assert_eq!(
        (reply.status.as_u16(), reply.header("dpop-nonce")),
        (200, None)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_session_is_good_with_the_key_that_opened_it() -> Result<()> {
    let world = world().await?;
    let url = world.url()?;
    let (alice, other) = (Prover::new()?, Prover::new()?);
    let token = bound(&world, alice.confirmation()?)?;
    let opened = alice.dressed(request(&url), ("POST", &url), &token)?;
    let session = session(&opened.send().await?)?;
    // The same user and the same client, with another key, and with none.
    let anothers = bound(&world, other.confirmation()?)?;
    let unbound = format!("Bearer {}", world.token("alice")?);
    let listen = || {
        Outgoing::new(Method::GET, &url)
            .header("accept", "text/event-stream")
            .header("mcp-session-id", &session)
            .header("last-event-id", "1-1")
    };
    let end = || Outgoing::new(Method::DELETE, &url).header("mcp-session-id", &session);
    for (method, request) in [
        ("POST", call(&url, &session)),
        ("GET", listen()),
        ("DELETE", end()),
    ] {
        let dressed = other.dressed(request.clone(), (method, &url), &anothers)?;
        let reply = dressed.send().await?;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (404, "session_unknown".to_owned()),
            "{method}"
        );
        let reply = request.header("authorization", &unbound).send().await?;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (404, "session_unknown".to_owned()),
            "{method}"
        );
    }
    // It goes on for the one it belongs to, with a new token of the same key as well.
    let claims = json!({ "cnf": alice.confirmation()?, "jti": "another" });
    let renewed = world
        .issuer
        .sign_changed(&world.resource()?, &json!({}), &claims)?;
    for token in [&token, &renewed] {
        let called = alice.dressed(call(&url, &session), ("POST", &url), token)?;
        let answer = called.send().await?.json()?;
        assert_eq!(ringwall_tests::mcp::text(&answer), "hello");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_batch_is_one_request_with_one_proof() -> Result<()> {
    let plan = Plan::default()
        .whole(json!({ "dpop": { "nonce": "off", "skew": "0s" } }))
        .route(json!({ "protocol": { "minimum": "2025-03-26" } }));
    let world = World::start(plan).await?;
    let url = world.url()?;
    let alice = Prover::new()?;
    let token = bound(&world, alice.confirmation()?)?;
    let mut first = opening();
    first["params"]["protocolVersion"] = json!("2025-03-26");
    let opened = Outgoing::message(&url, &first);
    let opened = alice.dressed(opened, ("POST", &url), &token)?;
    let session = session(&opened.send().await?)?;
    let ping = |id: u64| json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
    let batch = json!([ping(1), ping(2), ping(3)]);
    let batch = Outgoing::message(&url, &batch).header("mcp-session-id", &session);
    let proof = alice.proof("POST", &url, &token)?;
    let reply = with(batch.clone(), &token, &proof).send().await?;
    let answers = reply.json()?;
    assert_eq!(answers.as_array().map(Vec::len), Some(3), "{answers}");
    assert!(!answers.to_string().contains("error"), "{answers}");
    // The whole again: each of its messages is refused.
    let reply = with(batch, &token, &proof).send().await?;
    assert_eq!(reply.status, 401);
    let answers = reply.json()?.to_string();
    assert_eq!(answers.matches("dpop_replayed").count(), 3, "{answers}");
    Ok(())
}

/// Moving money needs a key; nothing else does.
const TRANSFERS_NEED_A_KEY: &str = r#"
permit(principal, action, resource);
forbid(principal, action == Ringwall::Action::"call", resource == Ringwall::Tool::"fixture/transfer_money")
unless { principal.possession has dpop };
"#;

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_policy_demands_a_key_for_a_single_tool() -> Result<()> {
    let plan = Plan::default().whole(json!({ "dpop": { "nonce": "off", "skew": "0s" } }));
    let world = World::start(plan.policy(TRANSFERS_NEED_A_KEY)).await?;
    let url = world.url()?;
    let transfer = json!({ "to": "savings", "amount": 5 });
    let bearer = world.client("alice").await?;
    let denied = bearer.call("transfer_money", transfer.clone()).await?;
    assert_eq!(ringwall_tests::wire::code(&denied), "policy_denied");
    let echo = bearer.call("echo", json!({ "text": "hello" })).await?;
    assert_eq!(ringwall_tests::mcp::text(&echo), "hello");
    let alice = Prover::new()?;
    let token = bound(&world, alice.confirmation()?)?;
    let opened = alice.dressed(request(&url), ("POST", &url), &token)?;
    let session = session(&opened.send().await?)?;
    let message = json!({
        "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": { "name": "transfer_money", "arguments": transfer }
    });
    let message = Outgoing::message(&url, &message).header("mcp-session-id", &session);
    let reply = alice
        .dressed(message, ("POST", &url), &token)?
        .send()
        .await?;
    assert_eq!(
        ringwall_tests::mcp::text(&reply.json()?),
        "moved 5 to savings"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_route_demands_what_a_token_is_bound_to() -> Result<()> {
    let alice = Prover::new()?;
    for possession in ["dpop", "any"] {
        let plan = Plan::default()
            .whole(json!({ "dpop": { "nonce": "off", "skew": "0s", "algorithms": ["ES256"] } }))
            .route(json!({ "possession": possession }));
        let world = World::start(plan).await?;
        let url = world.url()?;
        let bearer = format!("Bearer {}", world.token("alice")?);
        let reply = request(&url)
            .header("authorization", &bearer)
            .send()
            .await?;
        refused(&world, &reply, 401, "possession_required").await?;
        let told = challenges(&reply);
        let bearers = told.iter().any(|it| it.starts_with("Bearer "));
        assert_eq!(bearers, possession == "any", "{told:?}");
        assert!(
            told.iter().any(|it| it.starts_with("DPoP algs=\"ES256\"")),
            "{told:?}"
        );
        assert_eq!(world.arrived()?, 0, "something reached the server");
        let token = bound(&world, alice.confirmation()?)?;
        let reply = alice
            .dressed(request(&url), ("POST", &url), &token)?
            .send()
            .await?;
        assert_eq!(reply.status, 200, "{possession}: {}", reply.code());
        let page = world
            .gateway
            .at("/.well-known/oauth-protected-resource/fixture")?;
        let page = Outgoing::new(Method::GET, &page).send().await?.json()?;
        assert_eq!(page["dpop_signing_alg_values_supported"], json!(["ES256"]));
        let required = page.get("dpop_bound_access_tokens_required");
        assert_eq!(
            required == Some(&json!(true)),
            possession == "dpop",
            "{page}"
        );
        assert_eq!(page.get("tls_client_certificate_bound_access_tokens"), None);
    }
    Ok(())
}

/// A certified OpenID provider binds the token to the key of a proof, and the same key opens the gateway.
#[tokio::test(flavor = "multi_thread")]
async fn n7_4_accepts_the_bound_token_of_a_certified_provider_with_its_key_only() -> Result<()> {
    let mut provider = Provider::start(&[]).await?;
    let issuer = json!({
        "issuer": provider.issuer(), "network": "private", "algorithms": ["ES256"],
        "claims": { "user": "sub", "client": "client_id", "groups": "groups", "scopes": "scope" }
    });
    let whole = json!({ "issuers": [issuer], "dpop": { "nonce": "off", "skew": "0s" } });
    let world = World::start(Plan::default().whole(whole)).await?;
    let (url, resource) = (world.url()?, world.resource()?);
    provider.add_resource(&resource).await?;
    let (alice, thief) = (Prover::new()?, Prover::new()?);
    let endpoint = provider.token_endpoint()?;
    // At the token endpoint there is no token yet that a proof could be for.
    let without = (&json!({}), &json!({ "ath": null }));
    let asks = alice.changed("POST", &endpoint, "", without)?;
    let token = provider
        .bound_token("alice-agent", &resource, ("dpop", &asks))
        .await?;
    let stolen = thief.dressed(request(&url), ("POST", &url), &token)?;
    refused(&world, &stolen.send().await?, 401, "dpop_other_key").await?;
    let bearer = request(&url).header("authorization", &format!("Bearer {token}"));
    refused(&world, &bearer.send().await?, 401, "token_bound").await?;
    // The proof that got the token opens nothing: it is for another address and for no token.
    let reused = with(request(&url), &token, &asks).send().await?;
    refused(&world, &reused, 401, "dpop_url").await?;
    let opened = alice.dressed(request(&url), ("POST", &url), &token)?;
    let session = session(&opened.send().await?)?;
    let called = alice.dressed(call(&url, &session), ("POST", &url), &token)?;
    let answer = called.send().await?.json()?;
    assert_eq!(ringwall_tests::mcp::text(&answer), "hello");
    Ok(())
}
