//! What a server behind the gateway is shown: a token of its own issuer, got by the gateway as the
//! client it is. A certified provider issues them, and both sides tell what they were sent.

use anyhow::{Context as _, Result};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ringwall_tests::grants::{Grants, jwt};
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::wire;
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};
use std::collections::HashSet;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A plan whose server gets its tokens like this.
fn plan(grants: &Grants, oauth: &Value) -> Plan {
    let common =
        json!({ "issuer": grants.issuer(), "network": "private", "scopes": ["mcp:tools"] });
    let oauth = overlaid(common, oauth);
    Plan::default().server(json!({
        "http": { "url": grants.server(), "network": "private", "oauth": oauth }
    }))
}

/// A world whose callers have tokens of the same provider, and a token of one of them.
async fn exchanging(grants: &mut Grants, oauth: &Value) -> Result<(World, String)> {
    let issuer = json!({
        "issuer": grants.issuer(), "network": "private", "algorithms": ["ES256"],
        "claims": { "user": "sub", "client": "client_id", "groups": "groups", "scopes": "scope" }
    });
    let oauth = overlaid(
        json!({
            "grant": "token_exchange", "client": { "id": "post-client" },
            "secret": grants.secret("the-secret-of-post")?
        }),
        oauth,
    );
    let plan = plan(grants, &oauth).whole(json!({ "issuers": [issuer] }));
    let world = World::start(plan).await?;
    grants.add_resource(&world.resource()?).await?;
    let token = grants.token(&world.resource()?).await?;
    Ok((world, token))
}

/// A header of a request that the server had.
fn header<'a>(request: &'a Value, name: &str) -> Option<&'a str> {
    let mut headers = request.get("headers")?.as_array()?.iter();
    let found = headers.find(|header| header.get(0).and_then(Value::as_str) == Some(name))?;
    found.get(1)?.as_str()
}

/// The token of each request that the server had, which all show one in this scheme.
fn shown(grants: &Grants, scheme: &str) -> Result<Vec<(String, Value)>> {
    let mut shown = Vec::new();
    for request in grants.served()? {
        let value = header(&request, "authorization").context("no token")?;
        let token = value
            .strip_prefix(scheme)
            .with_context(|| format!("{scheme}? {value}"))?;
        shown.push((token.trim_start().to_owned(), request));
    }
    anyhow::ensure!(!shown.is_empty(), "the server was asked nothing");
    Ok(shown)
}

/// The requests for tokens that the provider had, with this grant.
fn asked(grants: &Grants, grant: &str) -> Result<Vec<Value>> {
    let asked = grants.asked()?.into_iter();
    let grant = Some(grant);
    let is = |asked: &Value| asked.pointer("/fields/grant_type").and_then(Value::as_str) == grant;
    Ok(asked.filter(is).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_a_server_is_shown_a_token_that_the_gateway_got_as_the_client_it_is() -> Result<()> {
    let grants = Grants::start().await?;
    let clients = [
        json!({ "client": { "id": "basic:client" }, "secret": grants.secret("a secret: 100% /+")? }),
        json!({ "client": { "id": "keyed" }, "key": grants.key() }),
    ];
    for client in clients {
        let oauth = overlaid(json!({ "grant": "client_credentials" }), &client);
        let world = World::start(plan(&grants, &oauth)).await?;
        let before = grants.served().unwrap_or_default().len();
        let token = world.token("alice")?;
        let alice = Client::connect(&world.url()?, Some(&token)).await?;
        let answer = alice.call("echo", json!({ "text": "hello" })).await?;
        assert_eq!(text(&answer), "hello");

        let id = client.pointer("/client/id").context("no client")?;
        for (token, _) in shown(&grants, "Bearer")?.iter().skip(before) {
            let (_, claims) = jwt(token)?;
            assert_eq!(claims["iss"], grants.issuer());
            assert_eq!(claims["aud"], grants.server());
            assert_eq!(&claims["client_id"], id);
        }
        assert!(!grants.served_text()?.contains(&token), "passed through");
        let heard = json!(grants.asked()?).to_string();
        assert!(!heard.contains(&token), "a token that it did not issue");
    }
    // Each was asked for once, whatever the number of requests.
    assert_eq!(asked(&grants, "client_credentials")?.len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_bound_token_is_shown_with_a_fresh_proof_each_time() -> Result<()> {
    let grants = Grants::start().await?;
    let oauth = json!({
        "grant": "client_credentials", "client": { "id": "keyed" }, "key": grants.key(), "tokens": "dpop"
    });
    let world = World::start(plan(&grants, &oauth)).await?;
    let alice = world.client("alice").await?;
    for word in ["one", "two"] {
        let answer = alice.call("echo", json!({ "text": word })).await?;
        assert_eq!(text(&answer), word);
    }
    let mut seen = HashSet::new();
    for (token, request) in shown(&grants, "DPoP")? {
        let (proof_header, proof) = jwt(header(&request, "dpop").context("no proof")?)?;
        let hash = digest::digest(&digest::SHA256, token.as_bytes());
        assert_eq!(proof["ath"], URL_SAFE_NO_PAD.encode(hash));
        assert_eq!(proof["htu"], grants.server());
        assert_eq!(Some(&proof["htm"]), request.get("method"));
        assert!(seen.insert(proof["jti"].to_string()), "a proof came twice");
        // The token is bound to the key of the proof (RFC 7638).
        let key = &proof_header["jwk"];
        let canonical = format!(
            r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#,
            key["x"], key["y"]
        );
        let thumbprint = digest::digest(&digest::SHA256, canonical.as_bytes());
        let (_, claims) = jwt(&token)?;
        assert_eq!(claims["cnf"]["jkt"], URL_SAFE_NO_PAD.encode(thumbprint));
    }
    // The provider wanted its nonce: asked without one, then once with it.
    let nonces: Vec<bool> = asked(&grants, "client_credentials")?
        .iter()
        .map(|asked| {
            let proof = asked.pointer("/headers/dpop").and_then(Value::as_str);
            Ok(jwt(proof.context("no proof")?)?.1.get("nonce").is_some())
        })
        .collect::<Result<_>>()?;
    assert_eq!(nonces, [false, true]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_a_callers_token_is_exchanged_where_it_came_from_and_goes_nowhere_else() -> Result<()>
{
    let mut grants = Grants::start().await?;
    let (world, token) = exchanging(&mut grants, &json!({ "actor": "gateway" })).await?;
    let alice = Client::connect(&world.url()?, Some(&token)).await?;
    let answer = alice.call("echo", json!({ "text": "hello" })).await?;
    assert_eq!(text(&answer), "hello");

    // The server sees for whom it works, and who acts for them.
    let exchanges = asked(&grants, EXCHANGE)?;
    let asked = exchanges.first().context("nothing was exchanged")?;
    assert_eq!(asked["fields"]["subject_token"], token);
    assert_eq!(asked["fields"]["resource"], grants.server());
    for (shown, _) in shown(&grants, "Bearer")? {
        let (_, claims) = jwt(&shown)?;
        assert_eq!(claims["sub"], "alice-agent");
        assert_eq!(claims["aud"], grants.server());
        assert_eq!(claims["act"]["sub"], "post-client");
        assert_ne!(shown, token);
    }
    assert!(!grants.served_text()?.contains(&token), "passed through");
    let records = ledger(&world.gateway, &["tools/call"]).await?;
    assert!(!records.is_empty(), "nothing was recorded");
    assert!(!format!("{records:?}").contains(&token), "written down");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_a_refused_exchange_is_a_refused_call_and_the_server_is_not_asked() -> Result<()> {
    let mut grants = Grants::start().await?;
    let elsewhere = json!({ "resource": "https://elsewhere.example/mcp" });
    let (world, token) = exchanging(&mut grants, &elsewhere).await?;
    let alice = Client::new(&world.url()?, Some(&token));
    let hello = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" }
    });
    let refused = alice.send("initialize", hello).await?.json()?;
    assert_eq!(wire::code(&refused), "oauth_denied", "{refused}");
    assert_eq!(asked(&grants, EXCHANGE)?.len(), 1);
    assert!(grants.served().unwrap_or_default().is_empty());
    Ok(())
}
