//! What an identity provider tells the gateway unasked, over HTTP as providers send it: security events
//! and logout tokens, good and forged, once and again.

use anyhow::{Context as _, Result};
use http::Method;
use ringwall_tests::comes::comes;
use ringwall_tests::issuer::{compact, overlaid};
use ringwall_tests::mcp::Client;
use ringwall_tests::wire::{self, Events, Outgoing, Reply};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};
use std::time::Duration;

/// What is told ends within a second. On a machine that does much else it may take longer to see.
const PROMPTLY: Duration = Duration::from_secs(60);
const AUDIENCE: &str = "https://gateway.example/events";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";
const EVENT: &str = "secevent+jwt";

fn plan() -> Plan {
    // What was issued after the moment is good at once, whatever the clocks.
    Plan::default().issuer(json!({ "events": { "audience": AUDIENCE }, "clock_skew": "0s" }))
}

/// A statement of the issuer of this world, of this type.
fn signed(world: &World, typ: &str, claims: &Value) -> Result<String> {
    let key = world.issuer.key()?;
    let header = json!({ "alg": key.algorithm(), "typ": typ, "kid": key.name() });
    compact(&header, claims, |input| key.sign(key.algorithm(), input))
}

fn now(world: &World) -> Result<u64> {
    let claims = world.issuer.claims(&world.resource()?, "nobody");
    let now = claims.get("iat").and_then(Value::as_u64);
    Ok(now.context("no time")? + 1)
}

/// The claims of an event about this user.
fn event(world: &World, name: &str, user: &str, id: &str) -> Result<Value> {
    Ok(json!({
        "iss": world.issuer.url(), "aud": AUDIENCE, "iat": now(world)?, "jti": id,
        "sub_id": { "format": "iss_sub", "iss": world.issuer.url(), "sub": user },
        "events": { (format!("{CAEP}{name}")): { "event_timestamp": now(world)? } },
    }))
}

async fn push(world: &World, text: &str) -> Result<Reply> {
    let url = world.gateway.at("/events")?;
    let request =
        Outgoing::new(Method::POST, &url).header("content-type", "application/secevent+jwt");
    let request = request.header("accept", "application/json");
    request.body(text.to_owned()).send().await
}

async fn logout(world: &World, body: String) -> Result<Reply> {
    let url = world.gateway.at("/events/logout")?;
    let media = "application/x-www-form-urlencoded";
    let request = Outgoing::new(Method::POST, &url).header("content-type", media);
    request.body(body).send().await
}

async fn ends(events: Events) -> Result<()> {
    events.ends_within(PROMPTLY).await
}

async fn connected(world: &World, user: &str, over: &Value) -> Result<Client> {
    let claims = overlaid(world.issuer.claims(&world.resource()?, user), over);
    Client::connect(&world.url()?, Some(&world.issuer.sign(&claims)?)).await
}

/// This user with a token that is issued after the moment, which comes within a second.
async fn again(world: &World, user: &str) -> Result<Client> {
    let client = comes(async || {
        let over = json!({ "iat": now(world)?, "jti": "again" });
        Ok(connected(world, user, &over).await.ok())
    });
    client.await.context("nothing of a later moment is taken")
}

async fn answered(client: &Client) -> Result<(u16, String)> {
    let reply = client.send("ping", json!({})).await?;
    Ok((reply.status.as_u16(), reply.code()))
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_an_event_of_the_issuer_ends_what_the_user_has_open() -> Result<()> {
    let world = World::start(plan()).await?;
    let bob = connected(&world, "bob", &json!({})).await?;
    for (at, name) in [
        "session-revoked",
        "credential-change",
        "token-claims-change",
    ]
    .into_iter()
    .enumerate()
    {
        let user = format!("user-{at}");
        let client = connected(&world, &user, &json!({})).await?;
        let listening = client.listen(None).await?;
        let told = signed(&world, EVENT, &event(&world, name, &user, name)?)?;
        let taken = push(&world, &told).await?;
        assert_eq!(
            (taken.status.as_u16(), taken.body.len()),
            (202, 0),
            "{taken:?}"
        );
        // It is in force when it was taken, not a moment later.
        assert_eq!(
            answered(&client).await?,
            (401, "token_revoked".to_owned()),
            "{name}"
        );
        ends(listening).await?;
        let again = again(&world, &user).await?;
        assert_eq!(answered(&again).await?.0, 200);
        // The same once more is taken, and ends nothing that came since.
        assert_eq!(push(&world, &told).await?.status, 202);
        assert_eq!(answered(&again).await?.0, 200);
    }
    for name in [
        "assurance-level-change",
        "device-compliance-change",
        "unheard-of",
    ] {
        let told = signed(&world, EVENT, &event(&world, name, "bob", name)?)?;
        assert_eq!(push(&world, &told).await?.status, 202);
    }
    assert_eq!(answered(&bob).await?.0, 200);
    let records = world.events("event.noted", 3).await?;
    assert!(
        records
            .iter()
            .all(|record| record.to_string().contains(world.issuer.url())),
        "{records:?}"
    );
    assert_eq!(world.events("revoked", 3).await?.len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_logout_at_the_issuer_ends_that_login_and_no_other() -> Result<()> {
    let world = World::start(plan()).await?;
    let here = connected(&world, "alice", &json!({ "sid": "login-1", "jti": "a" })).await?;
    let there = connected(&world, "alice", &json!({ "sid": "login-2", "jti": "b" })).await?;
    let listening = here.listen(None).await?;
    let claims = json!({
        "iss": world.issuer.url(), "aud": AUDIENCE, "iat": now(&world)?, "exp": now(&world)? + 120,
        "jti": "l-1", "sub": "alice", "sid": "login-1", "events": { (LOGOUT): {} },
    });
    let token = signed(&world, "logout+jwt", &claims)?;
    let done = logout(&world, format!("logout_token={token}")).await?;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.header("cache-control"), Some("no-store"));
    assert_eq!(answered(&here).await?, (401, "token_revoked".to_owned()));
    ends(listening).await?;
    assert_eq!(answered(&there).await?.0, 200);
    // Without `sid` it is all of them.
    let all = overlaid(claims.clone(), &json!({ "sid": null, "jti": "l-2" }));
    let all = signed(&world, "logout+jwt", &all)?;
    assert_eq!(
        logout(&world, format!("logout_token={all}")).await?.status,
        200
    );
    assert_eq!(answered(&there).await?, (401, "token_revoked".to_owned()));
    for (body, media) in [
        (format!("logout_token={token}&logout_token={token}"), "form"),
        ("token=x".to_owned(), "form"),
        (String::new(), "form"),
    ] {
        let refused = logout(&world, body).await?;
        assert_eq!(refused.status, 400, "{media}");
        assert_eq!(refused.json()?["error"], json!("invalid_request"));
    }
    let nonce = overlaid(claims, &json!({ "nonce": "n", "jti": "l-3" }));
    let nonce = signed(&world, "logout+jwt", &nonce)?;
    assert_eq!(
        logout(&world, format!("logout_token={nonce}"))
            .await?
            .status,
        400
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_what_is_no_event_of_the_issuer_for_this_gateway_changes_nothing() -> Result<()> {
    let world = World::start(plan()).await?;
    let alice = connected(&world, "alice", &json!({})).await?;
    let good = event(&world, "session-revoked", "alice", "good")?;
    let other = "https://other.example";
    let foreign = json!({ "format": "iss_sub", "iss": other, "sub": "alice" });
    let over = |over: Value| overlaid(good.clone(), &over);
    for (typ, claims, code) in [
        (EVENT, over(json!({ "iss": other })), "invalid_issuer"),
        (EVENT, over(json!({ "aud": other })), "invalid_audience"),
        (
            EVENT,
            over(json!({ "aud": world.resource()? })),
            "invalid_audience",
        ),
        (
            EVENT,
            over(json!({ "iat": now(&world)? + 600 })),
            "invalid_request",
        ),
        (
            EVENT,
            over(json!({ "iat": now(&world)? - 90_000 })),
            "invalid_request",
        ),
        (EVENT, over(json!({ "jti": null })), "invalid_request"),
        (EVENT, over(json!({ "events": {} })), "invalid_request"),
        (EVENT, over(json!({ "sub_id": null })), "invalid_request"),
        (EVENT, over(json!({ "sub_id": foreign })), "access_denied"),
        ("at+jwt", good.clone(), "invalid_request"),
        ("JWT", good.clone(), "invalid_request"),
    ] {
        let refused = push(&world, &signed(&world, typ, &claims)?).await?;
        assert_eq!(refused.status, 400, "{claims}");
        assert_eq!(refused.json()?["err"], json!(code), "{claims}");
        assert!(refused.json()?["description"].is_string());
    }
    let text = signed(&world, EVENT, &good)?;
    let forged = format!("{}AAAA", text.get(..text.len() - 4).unwrap_or_default());
    assert_eq!(
        push(&world, &forged).await?.json()?["err"],
        json!("invalid_key")
    );
    // An access token is no event, and an event no access token.
    let token = world.token("alice")?;
    assert_eq!(
        push(&world, &token).await?.json()?["err"],
        json!("invalid_request")
    );
    let masked = overlaid(
        good,
        &json!({ "aud": world.resource()?, "sub": "alice", "exp": now(&world)? + 60 }),
    );
    for typ in [EVENT, "at+jwt"] {
        let masked = Client::new(&world.url()?, Some(&signed(&world, typ, &masked)?));
        assert_eq!(masked.send("tools/list", json!({})).await?.status, 401);
    }
    let large = "x".repeat(40_000);
    assert_eq!(push(&world, &large).await?.status, 400);
    let url = world.gateway.at("/events")?;
    let typed = Outgoing::new(Method::POST, &url).header("content-type", "application/json");
    assert_eq!(typed.body(text.clone()).send().await?.status, 400);
    assert_eq!(Outgoing::new(Method::GET, &url).send().await?.status, 405);
    assert_eq!(answered(&alice).await?.0, 200);
    assert!(!world.events("event.refused", 15).await?.is_empty());
    assert_eq!(push(&world, &text).await?.status, 202);
    assert_eq!(answered(&alice).await?.0, 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_an_event_takes_effect_though_its_sender_hangs_up() -> Result<()> {
    let world = World::start(plan()).await?;
    let url = world.gateway.at("/events")?;
    for at in 0..20 {
        let user = format!("user-{at}");
        let client = connected(&world, &user, &json!({})).await?;
        let text = signed(
            &world,
            EVENT,
            &event(&world, "session-revoked", &user, &user)?,
        )?;
        let head = format!(
            "POST /events HTTP/1.1\r\nhost: {}:{}\r\ncontent-type: application/secevent+jwt\r\ncontent-length: {}\r\n\r\n",
            url.host_str().context("no host")?,
            url.port().context("no port")?,
            text.len()
        );
        wire::cut(&url, format!("{head}{text}").as_bytes()).await?;
        // Once it is acknowledged it has taken effect, whichever of the two is the first.
        assert_eq!(push(&world, &text).await?.status, 202);
        assert_eq!(answered(&client).await?.0, 401, "{user}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_transmitter_that_must_show_a_secret_is_believed_with_it_only() -> Result<()> {
    // The one secret that every gateway of these tests is started with.
    let events = json!({ "audience": AUDIENCE, "path": "/id", "secret": "env:FIXTURE_CREDENTIAL" });
    let world = World::start(Plan::default().issuer(json!({ "events": events }))).await?;
    let alice = connected(&world, "alice", &json!({})).await?;
    let text = signed(
        &world,
        EVENT,
        &event(&world, "session-revoked", "alice", "e")?,
    )?;
    let url = world.gateway.at("/id")?;
    let pushed = Outgoing::new(Method::POST, &url)
        .header("content-type", "application/secevent+jwt")
        .body(text);
    let secret = ringwall_tests::world::CREDENTIAL;
    for shown in [
        None,
        Some("Bearer x".to_owned()),
        Some(format!("Basic {secret}")),
        Some(format!("Bearer {secret}x")),
        Some("Bearer ".to_owned()),
    ] {
        let request = match &shown {
            Some(shown) => pushed.clone().header("authorization", shown),
            None => pushed.clone(),
        };
        let refused = request.send().await?;
        assert_eq!(
            refused.json()?["err"],
            json!("authentication_failed"),
            "{shown:?}"
        );
    }
    assert_eq!(answered(&alice).await?.0, 200);
    let taken = pushed.header("authorization", &format!("Bearer {secret}"));
    assert_eq!(taken.send().await?.status, 202);
    assert_eq!(answered(&alice).await?.0, 401);
    // Where no issuer delivers there is nothing.
    assert_eq!(push(&world, "x").await?.status, 404);
    Ok(())
}

/// What an issuer told is forgotten after a day: a token that could be older than that without saying so
/// would be good again in its last hour.
#[tokio::test(flavor = "multi_thread")]
async fn n8_3_a_token_that_does_not_say_when_it_was_issued_is_none_where_revocations_are_told()
-> Result<()> {
    let telling = json!({ "profile": "jwt", "events": { "audience": AUDIENCE } });
    for (issuer, expected) in [
        (json!({ "profile": "jwt" }), None),
        (telling, Some("token_claim")),
    ] {
        let world = World::start(Plan::default().issuer(issuer.clone())).await?;
        let (head, claims) = (json!({ "typ": "JWT" }), json!({ "iat": null }));
        let token = world
            .issuer
            .sign_changed(&world.resource()?, &head, &claims)?;
        let client = Client::new(&world.url()?, Some(&token));
        let answer = client.initialize_with(json!({})).await?;
        let refused = wire::refusal(&answer).map(|(code, _)| code);
        assert_eq!(refused.as_deref(), expected, "{issuer}: {answer}");
    }
    Ok(())
}
