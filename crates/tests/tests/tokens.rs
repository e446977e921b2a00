//! Tokens as attackers make them. Each row is refused for the reason it names, with a proper
//! challenge, and nothing of it reaches the server.

use anyhow::Result;
use ringwall_tests::issuer::{Issuer, Key, Kind, compact, encoded};
use ringwall_tests::place::now;
use ringwall_tests::wire::Outgoing;
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};
use url::Url;

/// What is wrong with a token, the token, and how the code of its refusal begins.
type Row = (&'static str, String, &'static str);

fn with_token(url: &Url, token: &str) -> Outgoing {
    Outgoing::message(url, &initialize()).header("authorization", &format!("Bearer {token}"))
}

/// Every row is refused with 401 and recorded, and nothing of it reaches the server.
async fn refused(world: &World, rows: Vec<Row>) -> Result<()> {
    let refused = rows.len();
    for (name, token, code) in rows {
        let reply = with_token(&world.url()?, &token).send().await?;
        let told = reply.code();
        assert!(
            reply.status == 401 && told.starts_with(code),
            "a token {name}: {told}"
        );
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        assert!(
            challenge.contains("error=\"invalid_token\""),
            "a token {name}: {challenge}"
        );
        assert!(
            challenge.contains("resource_metadata="),
            "a token {name}: {challenge}"
        );
    }
    assert_eq!(world.journal()?.len(), 0, "something reached the server");
    let records = ledger(&world.gateway, &["--verdict", "refused", "-n", "1000"]).await?;
    assert_eq!(records.len(), refused, "a refusal was not recorded");
    Ok(())
}

/// Tokens that are good but for these claims.
fn changed(world: &World, rows: Vec<(&'static str, Value, &'static str)>) -> Result<Vec<Row>> {
    let resource = world.resource()?;
    let signed = rows.into_iter().map(|(name, claims, code)| {
        let token = world.issuer.sign_changed(&resource, &json!({}), &claims)?;
        Ok((name, token, code))
    });
    signed.collect()
}

fn foreign(world: &World) -> Result<Vec<Row>> {
    let resource = world.resource()?;
    let (route, whole) = (
        resource.replace("/fixture", "/other"),
        resource.replace("/fixture", ""),
    );
    let elsewhere = "https://elsewhere.example";
    let issuer = format!("{}/", world.issuer.url());
    let rows = vec![
        (
            "of another audience",
            json!({ "aud": elsewhere }),
            "token_audience",
        ),
        (
            "of another route",
            json!({ "aud": route }),
            "token_audience",
        ),
        (
            "of the whole gateway",
            json!({ "aud": whole }),
            "token_audience",
        ),
        (
            "of a longer path",
            json!({ "aud": format!("{resource}/x") }),
            "token_audience",
        ),
        ("without audience", json!({ "aud": null }), "token_"),
        (
            "of another issuer",
            json!({ "iss": elsewhere }),
            "token_issuer",
        ),
        (
            "of a longer issuer",
            json!({ "iss": issuer }),
            "token_issuer",
        ),
        ("without subject", json!({ "sub": null }), "token_claim"),
        (
            "without client",
            json!({ "client_id": null }),
            "token_claim",
        ),
        (
            "without a name of its own",
            json!({ "jti": null }),
            "token_claim",
        ),
        (
            "with an actor without a name",
            json!({ "act": {} }),
            "token_actor",
        ),
        (
            "with one actor too many",
            json!({ "act": { "sub": "agent", "act": { "sub": "portal" } } }),
            "token_actor",
        ),
    ];
    changed(world, rows)
}

fn mistimed(world: &World) -> Result<Vec<Row>> {
    let now = now();
    let (past, soon, later) = (now - 600, now + 600, now + 900);
    let rows = vec![
        (
            "that has expired",
            json!({ "iat": past - 60, "exp": past }),
            "token_expired",
        ),
        (
            "of tomorrow",
            json!({ "nbf": soon, "exp": later }),
            "token_not_yet_valid",
        ),
        (
            "issued tomorrow",
            json!({ "iat": soon, "exp": later }),
            "token_issued_in_future",
        ),
        (
            "for ten years",
            json!({ "exp": now + 315_360_000 }),
            "token_lifetime",
        ),
        ("without end", json!({ "exp": null }), "token_claim"),
        (
            "whose end is text",
            json!({ "exp": "tomorrow" }),
            "token_claim",
        ),
    ];
    changed(world, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_refuses_tokens_for_others_and_of_others() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    refused(&world, foreign(&world)?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_3_refuses_tokens_out_of_their_time() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    refused(&world, mistimed(&world)?).await
}

fn wrong_headers(world: &World) -> Result<Vec<Row>> {
    let rows = [
        (
            "of an unknown key",
            json!({ "kid": "unknown" }),
            "token_key",
        ),
        (
            "of a key in a file",
            json!({ "kid": "../../../../dev/null" }),
            "token_key",
        ),
        (
            "of a key from a table",
            json!({ "kid": "x' UNION SELECT 'AA" }),
            "token_key",
        ),
        (
            "that says where its key lies",
            json!({ "jku": "http://127.0.0.1:9/keys" }),
            "token_header",
        ),
        (
            "that says where its chain lies",
            json!({ "x5u": "http://127.0.0.1:9/x" }),
            "token_header",
        ),
        (
            "with an extension",
            json!({ "crit": ["b64"], "b64": false }),
            "token_header",
        ),
        (
            "that is an identity token",
            json!({ "typ": "JWT" }),
            "token_type",
        ),
        ("without a type", json!({ "typ": null }), "token_type"),
    ];
    let resource = world.resource()?;
    let signed = rows.into_iter().map(|(name, header, code)| {
        Ok((
            name,
            world.issuer.sign_changed(&resource, &header, &json!({}))?,
            code,
        ))
    });
    signed.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_refuses_tokens_whose_header_is_wrong() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    refused(&world, wrong_headers(&world)?).await
}

fn wrong_signatures(world: &World) -> Result<Vec<Row>> {
    let (key, claims) = (
        world.issuer.key()?,
        world.issuer.claims(&world.resource()?, "alice"),
    );
    let header = |alg: &str| json!({ "alg": alg, "typ": "at+jwt", "kid": key.name() });
    let signed = |alg: &str, by: &Key| {
        compact(&header(alg), &claims, |input| {
            by.sign(by.algorithm(), input)
        })
    };
    let unsigned = |alg: &str| compact(&header(alg), &claims, |_| Ok(Vec::new()));
    let stranger = Key::generate(Kind::Es256, key.name())?;
    let public = Key::shared_secret(key.name(), key.jwk().to_string().as_bytes());
    let brought = json!({ "alg": "ES256", "typ": "at+jwt", "jwk": stranger.jwk() });
    let brought = compact(&brought, &claims, |input| stranger.sign("ES256", input))?;
    let good = world.issuer.sign(&claims)?;
    let (head, rest) = good.split_once('.').unwrap_or_default();
    let (_, signature) = rest.split_once('.').unwrap_or_default();
    let admin = encoded(claims.to_string().replace("\"alice\"", "\"admin\""));
    let twice = encoded(claims.to_string().replacen('{', "{\"sub\":\"admin\",", 1));
    let twice_signature = encoded(key.sign("ES256", format!("{head}.{twice}").as_bytes())?);
    Ok(vec![
        ("that is unsigned", unsigned("none")?, "token_algorithm"),
        (
            "that is unsigned, in capitals",
            unsigned("NoNe")?,
            "token_algorithm",
        ),
        ("without signature", unsigned("ES256")?, "token_"),
        (
            "signed with the public key",
            signed("HS256", &public)?,
            "token_algorithm",
        ),
        (
            "signed by somebody else",
            signed("ES256", &stranger)?,
            "token_signature",
        ),
        (
            "of another algorithm than its key",
            signed("RS256", &key)?,
            "token_",
        ),
        ("that brings its key", brought, "token_header"),
        (
            "with other claims",
            format!("{head}.{admin}.{signature}"),
            "token_signature",
        ),
        (
            "with a claim twice",
            format!("{head}.{twice}.{twice_signature}"),
            "token_malformed",
        ),
        ("with padding", format!("{good}="), "token_malformed"),
        ("of four parts", format!("{good}.x"), "token_malformed"),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_refuses_tokens_whose_signature_is_wrong() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    refused(&world, wrong_signatures(&world)?).await?;
    let good = with_token(&world.url()?, &world.token("alice")?)
        .send()
        .await?;
    assert_eq!(good.status, 200, "the good one is good: {}", good.code());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n2_1_accepts_each_algorithm_the_issuer_may_use() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let mut tokens = vec![world.token("alice")?];
    // All keys are published before the first token is shown, so one look at them suffices.
    for (kind, name) in [
        (Kind::EdDsa, "second"),
        (Kind::Rsa, "third"),
        (Kind::Es256, "fourth"),
    ] {
        world.issuer.rotate(kind, name)?;
        tokens.push(world.token("alice")?);
    }
    for token in tokens {
        let reply = with_token(&world.url()?, &token).send().await?;
        assert_eq!(reply.status, 200, "{}", reply.code());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m2_takes_the_token_from_one_header_only() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let (url, token) = (world.url()?, world.token("alice")?);
    let bearer = format!("Bearer {token}");
    let mut with_query = url.clone();
    with_query.set_query(Some(&format!("access_token={token}")));
    let plain = Outgoing::message(&url, &initialize());
    let rows = [
        ("none", plain.clone(), "bearer_missing", 401),
        (
            "in the query",
            Outgoing::message(&with_query, &initialize()),
            "bearer_in_query",
            400,
        ),
        (
            "in both",
            Outgoing::message(&with_query, &initialize()).header("authorization", &bearer),
            "bearer_in_query",
            400,
        ),
        (
            "twice",
            plain
                .clone()
                .header("authorization", &bearer)
                .and_header("authorization", &bearer),
            "bearer_repeated",
            400,
        ),
        (
            "of another scheme",
            plain.clone().header("authorization", "Basic YTpi"),
            "bearer_scheme",
            401,
        ),
        (
            "in a cookie",
            plain
                .clone()
                .header("cookie", &format!("access_token={token}")),
            "bearer_missing",
            401,
        ),
        (
            "in another header",
            plain.clone().header("x-forwarded-access-token", &token),
            "bearer_missing",
            401,
        ),
        (
            "empty",
            plain.clone().header("authorization", "Bearer "),
            "bearer_malformed",
            400,
        ),
    ];
    for (name, request, code, status) in rows {
        let reply = request.send().await?;
        assert_eq!(
            (reply.code().as_str(), reply.status.as_u16()),
            (code, status),
            "{name}"
        );
    }
    assert_eq!(world.journal()?.len(), 0, "something reached the server");
    Ok(())
}

fn initialize() -> Value {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "attacker", "version": "1" }
        }
    })
}

/// Who acts for whom: policy sees the current actor, and the record names it.
#[tokio::test(flavor = "multi_thread")]
async fn n7_1_policy_and_record_know_who_acts_for_the_user() -> Result<()> {
    let policy = r#"
permit(principal, action, resource)
when { principal has actor && principal.actor like "*#agent" && principal.actor_depth == 1 };
"#;
    let world = World::start(Plan::default().policy(policy)).await?;
    let resource = world.resource()?;
    let signed = |act: Value| {
        world
            .issuer
            .sign_changed(&resource, &json!({}), &json!({ "act": act }))
    };
    for (act, good) in [
        (json!({ "sub": "agent" }), true),
        (json!({ "sub": "another" }), false),
        (Value::Null, false),
    ] {
        let reply = with_token(&world.url()?, &signed(act.clone())?)
            .send()
            .await?;
        assert_eq!(reply.json()?.get("result").is_some(), good, "{act}");
    }
    let records = ledger(&world.gateway, &["initialize"]).await?;
    let actors: Vec<&Value> = records
        .iter()
        .filter_map(|it| it.pointer("/record/who/actor"))
        .collect();
    let name = |actor: &str| json!(format!("{}#{actor}", world.issuer.url()));
    assert!(
        actors.contains(&&name("agent")) && actors.contains(&&name("another")),
        "{actors:?}"
    );
    Ok(())
}

/// Declared claims reach policy by their names; what is missing or of another kind denies.
#[tokio::test(flavor = "multi_thread")]
async fn n7_3_declared_claims_decide_and_claims_of_another_kind_do_not() -> Result<()> {
    let policy = r#"
permit(principal, action, resource)
when { principal.claims has level && principal.claims.level >= 3 };
permit(principal, action, resource)
when { principal.claims has realm_roles && principal.claims.realm_roles.contains("admin") };
"#;
    let issuer = Issuer::start().await?;
    let accepted = json!([{
        "issuer": issuer.url(), "network": "private",
        "attributes": {
            "level": { "claim": "clearance", "kind": "number" },
            "realm_roles": { "claim": "realm_access.roles", "kind": "texts" }
        }
    }]);
    let plan = Plan::default()
        .policy(policy)
        .whole(json!({ "issuers": accepted }));
    let world = World::start(plan).await?;
    for (claims, good) in [
        (json!({ "clearance": 3 }), true),
        (json!({ "clearance": 2 }), false),
        (json!({ "clearance": "3" }), false),
        (json!({ "clearance": 3.5 }), false),
        (json!({ "level": 3 }), false),
        (json!({ "realm_access": { "roles": ["admin", "x"] } }), true),
        (json!({ "realm_access": { "roles": ["admin", 1] } }), false),
        (json!({ "realm_access": { "roles": "admin" } }), false),
        (json!({ "realm_access.roles": ["admin"] }), false),
        (json!({}), false),
    ] {
        let token = issuer.sign_changed(&world.resource()?, &json!({}), &claims)?;
        let reply = with_token(&world.url()?, &token).send().await?;
        assert_eq!(reply.json()?.get("result").is_some(), good, "{claims}");
    }
    Ok(())
}

/// Service accounts and machines: a plain JWT, without what RFC 9068 asks for.
#[tokio::test(flavor = "multi_thread")]
async fn m1_workloads_of_kubernetes_and_spiffe_are_known_by_their_own_profile_only() -> Result<()> {
    let policy = r#"
permit(principal, action, resource)
when { principal.kind == "workload" }
when { ["system:serviceaccount:shop:billing", "spiffe://example.org/billing"].contains(principal.user) };
"#;
    let issuer = Issuer::start().await?;
    for (profile, good) in [("jwt", true), ("rfc9068", false)] {
        let accepted =
            json!([{ "issuer": issuer.url(), "network": "private", "profile": profile }]);
        let plan = Plan::default()
            .policy(policy)
            .whole(json!({ "issuers": accepted }));
        let world = World::start(plan).await?;
        for (typ, claims) in [
            (
                Value::Null,
                json!({ "sub": "system:serviceaccount:shop:billing", "client_id": null }),
            ),
            (
                json!("JWT"),
                json!({ "sub": "spiffe://example.org/billing", "client_id": null, "jti": null, "iat": null }),
            ),
        ] {
            let head = json!({ "typ": typ });
            let token = issuer.sign_changed(&world.resource()?, &head, &claims)?;
            let reply = with_token(&world.url()?, &token).send().await?;
            assert_eq!(reply.status == 200, good, "{profile} {claims}");
        }
    }
    Ok(())
}

/// Issuers that point at one another, at their own names spelt otherwise, or at places nobody should
/// be sent to. Each is private, and each is reached for its own sake only.
#[tokio::test(flavor = "multi_thread")]
async fn m1_no_issuer_speaks_with_the_keys_of_another_or_leads_elsewhere() -> Result<()> {
    let (ours, theirs) = (Issuer::start().await?, Issuer::start().await?);
    let issuer = |it: &Issuer| json!({ "issuer": it.url(), "network": "private" });
    let accepted = json!([issuer(&ours), issuer(&theirs)]);
    for elsewhere in [
        format!("{}/keys", theirs.url()),
        format!("{}/keys", theirs.url().replace("127.0.0.1", "localhost")),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://10.0.0.1/keys".to_owned(),
        "https://127.0.0.1:9/keys".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        ours.sends_elsewhere(&elsewhere);
        let plan = Plan::default().whole(json!({ "issuers": accepted }));
        let world = World::start(plan).await?;
        let resource = world.resource()?;
        // Signed with the keys that are there, and said to be of the issuer that points there.
        let claims = json!({ "iss": ours.url() });
        let token = theirs.sign_changed(&resource, &json!({}), &claims)?;
        let reply = with_token(&world.url()?, &token).send().await?;
        let told = (reply.status.as_u16(), reply.code());
        assert_eq!(
            told,
            (503, "token_issuer_unavailable".to_owned()),
            "{elsewhere}"
        );
        assert_eq!(theirs.fetches(), 0, "{elsewhere}");
        let records = ledger(&world.gateway, &["--code", "token_issuer_unavailable"]).await?;
        assert_eq!(records.len(), 1, "{elsewhere}");
    }
    // The other issuer is what it was.
    let plan = Plan::default().whole(json!({ "issuers": accepted }));
    let world = World::start(plan).await?;
    let token = theirs.token(&world.resource()?, "alice")?;
    let reply = with_token(&world.url()?, &token).send().await?;
    assert_eq!(reply.status, 200);
    Ok(())
}
