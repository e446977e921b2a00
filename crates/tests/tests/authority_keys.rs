//! Clients of the gateway's own authorization server that hold a key: one they authenticate with, one
//! their tokens are bound to (controls M3, 7.4).

use anyhow::{Context as _, Result};
use ringwall_tests::browser::Browser;
use ringwall_tests::dance::{Dancer, REDIRECT, Tokens, VERIFIER, authority, registration};
use ringwall_tests::mcp::Client;
use ringwall_tests::place;
use ringwall_tests::proofs::{self, Prover};
use ringwall_tests::wire::Reply;
use ringwall_tests::world::{Plan, World};
use serde_json::json;

async fn world() -> Result<World> {
    World::start(Plan::default().whole(authority(json!({})))).await
}

fn error(reply: &Reply) -> (u16, String) {
    let code = reply.json().ok();
    let code = code.and_then(|it| Some(it.get("error")?.as_str()?.to_owned()));
    (reply.status.as_u16(), code.unwrap_or_default())
}

/// Redeems a code, with this proof if there is one.
async fn redeem(dancer: &Dancer, code: &str, proof: Option<&str>) -> Result<Reply> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", &dancer.id),
        ("code_verifier", VERIFIER),
    ];
    let proof: Vec<(&str, &str)> = proof.into_iter().map(|proof| ("dpop", proof)).collect();
    dancer.post("/token", &fields, &proof).await
}

/// A proof for the token endpoint: it names no token.
fn proof(prover: &Prover, dancer: &Dancer, nonce: Option<&str>) -> Result<String> {
    let url = dancer.at("/token")?;
    let claims = json!({ "ath": null, "nonce": nonce });
    prover.changed("POST", &url, "", (&json!({}), &claims))
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_4_tokens_are_bound_to_the_key_that_a_proof_shows() -> Result<()> {
    let world = world().await?;
    let dancer = Dancer::registered(&world).await?;
    let browser = Browser::default();
    let prover = Prover::new()?;
    let code = dancer.code(&browser).await?;
    let asked = redeem(&dancer, &code, Some(&proof(&prover, &dancer, None)?)).await?;
    assert_eq!(error(&asked), (400, "use_dpop_nonce".to_owned()));
    let nonce = asked.header("dpop-nonce").context("no nonce")?.to_owned();
    let good = proof(&prover, &dancer, Some(&nonce))?;
    // What was asked for a nonce was not acted on: the code is still good.
    let tokens = Tokens::of(&redeem(&dancer, &code, Some(&good)).await?)?;
    assert_eq!(tokens.answer["token_type"], "DPoP");
    // A proof is good once, and the refresh token of a public client is bound as well.
    let refresh = |proof: String| {
        let (dancer, token) = (dancer.clone(), tokens.refresh.clone());
        async move {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", &*token),
                ("client_id", &*dancer.id),
            ];
            dancer.post("/token", &fields, &[("dpop", &proof)]).await
        }
    };
    let invalid = |code: &str| (400, code.to_owned());
    assert_eq!(error(&refresh(good).await?), invalid("invalid_dpop_proof"));
    assert_eq!(
        error(&dancer.refresh(&tokens.refresh).await?),
        invalid("invalid_grant")
    );
    let other = proof(&Prover::new()?, &dancer, Some(&nonce))?;
    assert_eq!(error(&refresh(other).await?), invalid("invalid_grant"));
    let again = refresh(proof(&prover, &dancer, Some(&nonce))?).await?;
    let again = Tokens::of(&again)?;
    // Without its key the access token is of no use.
    let client = Client::new(&world.url()?, Some(&again.access));
    let reply = client.post(&proofs::opening()).await?;
    assert_eq!(
        (reply.status.as_u16(), &*reply.code()),
        (401, "token_bound")
    );
    Ok(())
}

/// RFC 9449, section 5.2: who asked for bound tokens only gets no others, also if the proof is left out.
#[tokio::test(flavor = "multi_thread")]
async fn n7_4_a_client_of_bound_tokens_gets_no_others() -> Result<()> {
    let world = world().await?;
    let mut members = registration(REDIRECT);
    members["dpop_bound_access_tokens"] = json!(true);
    let mut dancer = Dancer::new(&world, "")?;
    let answer = dancer.register(&members).await?.json()?;
    assert_eq!(answer["dpop_bound_access_tokens"], true);
    let id = answer["client_id"].as_str();
    id.context("no id")?.clone_into(&mut dancer.id);
    let code = dancer.code(&Browser::default()).await?;
    let bare = redeem(&dancer, &code, None).await?;
    assert_eq!(error(&bare), (400, "invalid_dpop_proof".to_owned()));
    let prover = Prover::new()?;
    let asked = redeem(&dancer, &code, Some(&proof(&prover, &dancer, None)?)).await?;
    let nonce = asked.header("dpop-nonce").context("no nonce")?.to_owned();
    let good = proof(&prover, &dancer, Some(&nonce))?;
    let tokens = Tokens::of(&redeem(&dancer, &code, Some(&good)).await?)?;
    assert_eq!(tokens.answer["token_type"], "DPoP");
    let bare = dancer.refresh(&tokens.refresh).await?;
    assert_eq!(error(&bare), (400, "invalid_dpop_proof".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_a_client_with_a_key_shows_it_each_time_and_anew() -> Result<()> {
    let world = world().await?;
    let (key, other) = (Prover::new()?, Prover::new()?);
    let mut members = registration(REDIRECT);
    members["token_endpoint_auth_method"] = json!("private_key_jwt");
    members["jwks"] = json!({ "keys": [key.jwk()] });
    let mut dancer = Dancer::new(&world, "")?;
    let reply = dancer.register(&members).await?;
    dancer.id = reply.json()?["client_id"]
        .as_str()
        .context("no id")?
        .to_owned();
    let issuer = world.gateway.at("/")?.to_string();
    let issuer = issuer.trim_end_matches('/').to_owned();
    let assertion = |key: &Prover, audience: &str, id: &str| {
        let now = place::now();
        let claims = json!({
            "iss": dancer.id, "sub": dancer.id, "aud": audience, "iat": now, "exp": now + 60, "jti": id,
        });
        key.sign(&json!({ "alg": "ES256" }), &claims)
    };
    let browser = Browser::default();
    let code = dancer.code(&browser).await?;
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let redeem = |code: String, assertion: String| {
        let dancer = dancer.clone();
        async move {
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", &*code),
                ("client_id", &*dancer.id),
                ("code_verifier", VERIFIER),
                ("client_assertion_type", kind),
                ("client_assertion", &*assertion),
            ];
            dancer.post("/token", &fields, &[]).await
        }
    };
    let invalid = (401, "invalid_client".to_owned());
    assert_eq!(error(&dancer.redeem_with(&code, &[]).await?), invalid);
    for wrong in [
        assertion(&other, &issuer, "a")?,
        assertion(&key, "https://elsewhere.example", "b")?,
    ] {
        assert_eq!(error(&redeem(code.clone(), wrong).await?), invalid);
    }
    let good = assertion(&key, &issuer, "c")?;
    Tokens::of(&redeem(code, good.clone()).await?)?;
    let code = dancer.code(&browser).await?;
    assert_eq!(error(&redeem(code, good).await?), invalid);
    Ok(())
}
