//! What a person is asked, and which answer is taken as theirs.

use super::*;
use crate::client::fixture::{CALLBACK, ISSUER, NOW, SERVER, TOKEN, World, resource, server_with};
use crate::client::{AuthorizationServer, Credentials, Identity, Proofs, SecretMethod};
use crate::possession::dpop::Signer;
use std::collections::BTreeMap;
use std::sync::Arc;

const PUSH: &str = "https://as.example.com/par";

fn public() -> Identity {
    Identity::preregistered(ISSUER, "gateway", Credentials::None)
}

fn confidential() -> Identity {
    let secret = Arc::new(Zeroizing::new("hunter2".to_owned()));
    let secret = Credentials::Secret(secret, SecretMethod::Basic);
    Identity::preregistered(ISSUER, "gateway", secret)
}

async fn begun(
    world: &World,
    server: &AuthorizationServer,
    client: &Identity,
    proofs: Option<&Proofs>,
    ask: Ask<'_>,
) -> Result<Begun, ClientError> {
    let at = TokenEndpoint::new(world.outside(), server, client, proofs).unwrap();
    Flow::begin(&at, ask).await
}

fn ask<'a>(purpose: Purpose<'a>, scopes: &'a Scopes) -> Ask<'a> {
    Ask {
        purpose,
        scopes,
        redirect_uri: CALLBACK,
        claims: None,
        strength: None,
    }
}

/// A flow at a server with this metadata.
async fn flow(metadata: &[(&str, Value)]) -> Flow {
    let (resource, scopes) = (resource(), Scopes::default());
    let asked = ask(Purpose::Access(&resource), &scopes);
    let server = server_with(metadata);
    let begun = begun(&World::new(), &server, &public(), None, asked).await;
    begun.unwrap().flow
}

fn parameters(url: &Url) -> BTreeMap<String, String> {
    let all: Vec<_> = url.query_pairs().into_owned().collect();
    let map: BTreeMap<String, String> = all.iter().cloned().collect();
    assert_eq!(map.len(), all.len(), "a parameter is there twice");
    map
}

#[tokio::test]
async fn n2_1_a_request_carries_a_challenge_a_state_and_the_resource() {
    let (resource, scopes) = (resource(), Scopes::read("a b").unwrap());
    let asked = ask(Purpose::Access(&resource), &scopes);
    let world = World::new();
    let Begun { flow, url } = begun(&world, &server_with(&[]), &public(), None, asked)
        .await
        .unwrap();
    assert!(
        url.as_str()
            .starts_with("https://as.example.com/authorize?tenant=1&")
    );
    let found = parameters(&url);
    let expected = [
        ("client_id", "gateway"),
        ("code_challenge", challenge(&flow.verifier).as_str()),
        ("code_challenge_method", "S256"),
        ("redirect_uri", CALLBACK),
        ("resource", SERVER),
        ("response_type", "code"),
        ("scope", "a b"),
        ("state", flow.state()),
        ("tenant", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(found, BTreeMap::from(expected));
    assert_eq!((flow.state().len(), flow.verifier.len()), (43, 43));
    assert_ne!(flow.state, flow.verifier);
    assert!(!url.as_str().contains(flow.verifier.as_str()));
    assert_eq!(
        (flow.issuer(), flow.expires_at()),
        (ISSUER, NOW + FLOW_TIME_S)
    );
    assert!(world.urls().is_empty(), "nothing but the browser asks");
    assert!(!format!("{flow:?}").contains(flow.verifier.as_str()));

    // With a key of ours the code is bound to it; offline access asks for consent.
    let proofs = Proofs::new(Signer::generate().unwrap());
    let offline = Scopes::read("offline_access").unwrap();
    let asked = Ask {
        claims: Some("{\"a\":1}"),
        ..ask(Purpose::Access(&resource), &offline)
    };
    let bound = begun(&world, &server_with(&[]), &public(), Some(&proofs), asked).await;
    let found = parameters(&bound.unwrap().url);
    assert_eq!(found["dpop_jkt"], proofs.signer().thumbprint());
    assert_eq!(found["prompt"], "consent");
    assert_eq!(found["claims"], "{\"a\":1}");
}

/// The example of RFC 7636, appendix B.
#[test]
fn n2_1_the_challenge_is_the_hash_of_the_verifier() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(
        challenge(verifier),
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    );
}

#[tokio::test]
async fn n2_1_no_authorization_without_pkce() {
    let check = async |methods: Value, access: bool, sign_in: bool| {
        let server = server_with(&[("code_challenge_methods_supported", methods.clone())]);
        let (resource, scopes) = (resource(), Scopes::default());
        for (purpose, expected) in [
            (Purpose::Access(&resource), access),
            (Purpose::SignIn, sign_in),
        ] {
            let asked = ask(purpose, &scopes);
            let begun = begun(&World::new(), &server, &public(), None, asked).await;
            let expected = if expected {
                None
            } else {
                Some(ClientError::Pkce)
            };
            assert_eq!(begun.err(), expected, "{methods}");
        }
    };
    check(serde_json::json!(["S256"]), true, true).await;
    check(serde_json::json!(["plain", "S256"]), true, true).await;
    check(serde_json::json!(["plain"]), false, false).await;
    check(serde_json::json!(["s256"]), false, false).await;
    check(serde_json::json!([]), false, false).await;
    // Who says nothing may be signed in at, where a nonce binds the answer too.
    check(Value::Null, false, true).await;
    let old = AuthorizationServer::assumed(&Url::parse(SERVER).unwrap()).unwrap();
    let client = Identity::preregistered(old.issuer(), "gateway", Credentials::None);
    let (resource, scopes) = (resource(), Scopes::default());
    let asked = ask(Purpose::Access(&resource), &scopes);
    let begun = begun(&World::new(), &old, &client, None, asked)
        .await
        .unwrap();
    assert_eq!(parameters(&begun.url)["code_challenge_method"], "S256");
}

#[tokio::test]
async fn n2_1_who_signs_in_is_bound_by_a_nonce_and_asks_for_no_resource() {
    let scopes = Scopes::read("openid").unwrap();
    let asked = ask(Purpose::SignIn, &scopes);
    let begun = begun(&World::new(), &server_with(&[]), &public(), None, asked).await;
    let Begun { flow, url } = begun.unwrap();
    let found = parameters(&url);
    assert_eq!(Some(found["nonce"].as_str()), flow.nonce());
    assert_eq!(found.get("resource"), None);
    assert_ne!(flow.nonce(), Some(flow.state()));
}

#[tokio::test]
async fn n2_1_answers_go_exactly_where_they_are_registered_to_go() {
    let registered = vec![CALLBACK.to_owned()];
    let client = Identity::registered(ISSUER, "c", Credentials::None, registered, None);
    let (resource, scopes) = (resource(), Scopes::default());
    for (uri, taken) in [
        (CALLBACK, true),
        ("https://gateway.example.com/connect/callback/", false),
        ("https://gateway.example.com/connect/callback?x", false),
        ("https://GATEWAY.example.com/connect/callback", false),
        ("https://evil.example/connect/callback", false),
    ] {
        let asked = Ask {
            redirect_uri: uri,
            ..ask(Purpose::Access(&resource), &scopes)
        };
        let begun = begun(&World::new(), &server_with(&[]), &client, None, asked).await;
        assert_eq!(begun.is_ok(), taken, "{uri}");
    }
}

#[tokio::test]
async fn n2_1_requests_are_pushed_where_they_have_to_be() {
    let must = [
        ("pushed_authorization_request_endpoint", json!(PUSH)),
        ("require_pushed_authorization_requests", json!(true)),
    ];
    let pushed = json!({"request_uri": "urn:ietf:params:oauth:request_uri:6esc", "expires_in": 60});
    let world = World::new().says(PUSH, 201, &pushed);
    let (resource, scopes) = (resource(), Scopes::default());
    let asked = ask(Purpose::Access(&resource), &scopes);
    let client = confidential();
    let Begun { flow, url } = begun(&world, &server_with(&must), &client, None, asked)
        .await
        .unwrap();
    let names: Vec<String> = parameters(&url).into_keys().collect();
    assert_eq!(names, ["client_id", "request_uri", "tenant"]);
    let sent = &world.asked()[0];
    assert_eq!(sent.field("client_id").as_deref(), Some("gateway"));
    assert_eq!(sent.field("resource").as_deref(), Some(SERVER));
    assert_eq!(sent.field("state").as_deref(), Some(flow.state()));
    assert!(sent.header("authorization").unwrap().starts_with("Basic "));
    // A public client names itself once too.
    let world = World::new().says(PUSH, 201, &pushed);
    begun(&world, &server_with(&must), &public(), None, asked)
        .await
        .unwrap();
    assert_eq!(
        world.asked()[0].field("client_id").as_deref(),
        Some("gateway")
    );

    let check = async |status: u16, body: Value, expected: ClientError| {
        let world = World::new().says(PUSH, status, &body);
        let found = begun(&world, &server_with(&must), &client, None, asked).await;
        assert_eq!(found.err(), Some(expected), "{body}");
    };
    let wrong = || ClientError::Answer("`request_uri`");
    check(201, json!({}), wrong()).await;
    check(201, json!({"request_uri": ""}), wrong()).await;
    check(201, json!({"request_uri": "a b"}), wrong()).await;
    check(
        201,
        json!({"request_uri": "x", "y": "z".repeat(PUSHED_MAX)}),
        wrong(),
    )
    .await;
    check(200, pushed.clone(), ClientError::Status(200)).await;
    let refused = json!({"error": "invalid_request", "error_description": "hunter2"});
    let denied = OAuthError::of("invalid_request", None, &[]);
    check(400, refused, ClientError::Denied(Box::new(denied))).await;
    let nowhere = [("require_pushed_authorization_requests", json!(true))];
    let found = begun(&world, &server_with(&nowhere), &client, None, asked).await;
    assert_eq!(found.err(), Some(ClientError::Metadata(ISSUER.to_owned())));
}

/// What happens to this answer at a server that says, or does not say, that it names itself.
async fn answered(says: bool, answer: &str, now: u64) -> Result<String, ClientError> {
    let name = "authorization_response_iss_parameter_supported";
    let flow = flow(&[(name, json!(says))]).await;
    let query = answer.replace("STATE", flow.state());
    let code = flow.answer(CALLBACK, &query, now)?;
    Ok(code.code.to_string())
}

#[tokio::test]
async fn n2_1_mix_up_the_answer_names_the_issuer_that_was_asked() {
    let check = async |says: bool, iss: Option<&str>, expected: Result<&str, ClientError>| {
        for what in [
            "code=c-1",
            "error=access_denied&error_description=Call+evil.example",
        ] {
            let query = match iss {
                Some(iss) => {
                    let iss: String = form_urlencoded::byte_serialize(iss.as_bytes()).collect();
                    format!("{what}&state=STATE&iss={iss}")
                }
                None => format!("{what}&state=STATE"),
            };
            let found = answered(says, &query, NOW).await;
            match &expected {
                Ok(_) if what.starts_with("error") => {
                    assert!(matches!(found, Err(ClientError::Denied(_))), "{query}");
                }
                Ok(code) => assert_eq!(found.as_deref(), Ok(*code), "{query}"),
                Err(error) => {
                    assert_eq!(found.as_ref(), Err(error), "{query}");
                    assert!(!error.to_string().contains("evil"), "shown: {error}");
                }
            }
        }
    };
    let mixed_up = || Err(ClientError::Issuer);
    for says in [true, false] {
        check(says, Some(ISSUER), Ok("c-1")).await;
        // Compared as text: no case, no port, no slash, no encoding is forgiven.
        for other in [
            "https://evil.example.com",
            "https://as.example.com/",
            "https://AS.example.com",
            "HTTPS://as.example.com",
            "https://as.example.com:443",
            "https://as.example%2Ecom",
            " https://as.example.com",
            "",
        ] {
            check(says, Some(other), mixed_up()).await;
        }
    }
    check(true, None, mixed_up()).await;
    check(false, None, Ok("c-1")).await;
}

#[tokio::test]
async fn n2_1_an_answer_is_taken_once_in_time_and_with_its_own_state() {
    let iss = format!("iss={ISSUER}");
    let check = async |query: String, now: u64, expected: Result<&str, &'static str>| {
        let found = answered(true, &query, now).await;
        let expected = expected.map(str::to_owned).map_err(ClientError::Callback);
        assert_eq!(found, expected, "{query:.300}");
    };
    let good = format!("code=c-1&state=STATE&{iss}");
    check(good.clone(), NOW, Ok("c-1")).await;
    check(format!("session_state=x&{good}"), NOW, Ok("c-1")).await;
    check(good.clone(), NOW + FLOW_TIME_S - 1, Ok("c-1")).await;
    check(good.clone(), NOW + FLOW_TIME_S, Err("it came too late")).await;
    let foreign = "its state is not the one that was sent";
    for state in ["", "&state=", "&state=x", "&state=STATEx", "&state=%00"] {
        check(format!("code=c-1{state}&{iss}"), NOW, Err(foreign)).await;
    }
    let twice = "a parameter is there twice";
    for again in [
        "code=c-2",
        "state=STATE",
        "state=x",
        &iss,
        "error=a&error=b",
    ] {
        check(format!("{good}&{again}"), NOW, Err(twice)).await;
    }
    check(
        format!("{good}&error=x"),
        NOW,
        Err("it has a code and an error"),
    )
    .await;
    check(format!("state=STATE&{iss}"), NOW, Err("it has no code")).await;
    let none = "its code is none";
    check(format!("code=&state=STATE&{iss}"), NOW, Err(none)).await;
    check(format!("code=a%0d%0ab&state=STATE&{iss}"), NOW, Err(none)).await;
    check(format!("code=%C3%A9&state=STATE&{iss}"), NOW, Err(none)).await;
    let long = "x".repeat(CODE_MAX + 1);
    check(format!("code={long}&state=STATE&{iss}"), NOW, Err(none)).await;
    check(
        format!("{good}&x={}", "x".repeat(QUERY_MAX)),
        NOW,
        Err("it is too long"),
    )
    .await;
    check(
        format!("{good}{}", "&x".repeat(PARAMETERS_MAX)),
        NOW,
        Err("it is too long"),
    )
    .await;
}

/// A server that does not name itself is told from others by where it answers.
#[tokio::test]
async fn n2_1_mix_up_an_answer_comes_to_the_address_of_its_own_flow() {
    for other in [
        "https://gateway.example.com/connect/callback/another",
        "https://gateway.example.com/connect/callback/",
        "",
    ] {
        let flow = flow(&[]).await;
        let query = format!("code=c-1&state={}&iss={ISSUER}", flow.state());
        assert_eq!(
            flow.answer(other, &query, NOW).err(),
            Some(ClientError::Issuer)
        );
    }
}

#[test]
fn a_flow_is_found_by_a_state_that_is_there_once() {
    let check = |query: &str, expected: Option<&str>| {
        assert_eq!(state_of(query).as_deref(), expected, "{query}");
    };
    check("code=c&state=s-1&iss=x", Some("s-1"));
    check("error=access_denied&state=s%2D1", Some("s-1"));
    check("state=a&state=b", None);
    check("code=c", None);
    check("", None);
}

#[tokio::test]
async fn n2_1_a_code_is_redeemed_with_its_verifier_where_it_came_from() {
    let tokens = json!({"access_token": "a-1", "token_type": "Bearer", "refresh_token": "r-1"});
    let world = World::new().says(TOKEN, 200, &tokens);
    let code = async || {
        let flow = flow(&[]).await;
        let kept = flow.to_kept().unwrap();
        let verifier = flow.verifier.clone();
        let flow = Flow::from_kept(&kept).unwrap();
        let query = format!("code=c-1&state={}&iss={ISSUER}", flow.state());
        (flow.answer(CALLBACK, &query, NOW).unwrap(), verifier)
    };
    let server = server_with(&[]);
    let (ours, client) = (code().await, public());
    let at = TokenEndpoint::new(world.outside(), &server, &client, None).unwrap();
    let tokens = ours.0.redeem(&at).await.unwrap();
    assert_eq!((tokens.access(), tokens.can_refresh()), ("a-1", true));
    let sent = &world.asked()[0];
    let expected = [
        ("grant_type", "authorization_code"),
        ("code", "c-1"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &ours.1),
        ("resource", SERVER),
        ("client_id", "gateway"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(sent.fields(), expected);

    // Neither another issuer nor another client gets it, or the verifier.
    let world = World::new().says(TOKEN, 200, &json!({}));
    let other = "https://other.example.com";
    let elsewhere = server_with(&[("issuer", json!(other))]);
    let there = Identity::preregistered(other, "gateway", Credentials::None);
    let another = Identity::preregistered(ISSUER, "another", Credentials::None);
    for (server, client) in [(&elsewhere, &there), (&server, &another)] {
        let at = TokenEndpoint::new(world.outside(), server, client, None).unwrap();
        let refused = code().await.0.redeem(&at).await.err();
        assert_eq!(
            refused,
            Some(ClientError::OtherIssuer(server.issuer().to_owned()))
        );
    }
    assert!(world.urls().is_empty());
}

#[test]
fn a_flow_that_was_not_kept_whole_is_none() {
    for broken in [&b""[..], b"{}", b"[]", br#"{"state":"s","verifier":"v"}"#] {
        assert!(Flow::from_kept(broken).is_none());
    }
}
