//! In which order a client is looked for, and what of a registration is believed.

use super::*;
use crate::SigningKey;
use crate::client::fixture::{CALLBACK, ISSUER, NOW, World, server_with};
use serde_json::json;
use url::Url;

const REGISTER: &str = "https://as.example.com/register";
const DOCUMENT: &str = "https://gateway.example.com/oauth/client.json";

fn document() -> ClientDocument {
    ClientDocument::new(DOCUMENT, "Ringwall", CALLBACK).unwrap()
}

fn keyed() -> ClientDocument {
    let keys = Url::parse("https://gateway.example.com/oauth/jwks.json").unwrap();
    let url = "https://gateway.example.com/oauth/keyed.json";
    ClientDocument::new(url, "Ringwall", CALLBACK)
        .unwrap()
        .with_keys(keys)
}

fn key() -> Arc<ClientKey> {
    let document = SigningKey::generate().unwrap().pkcs8().unwrap();
    Arc::new(ClientKey::from_pkcs8(&document, None).unwrap())
}

fn ours() -> Vec<String> {
    vec![CALLBACK.to_owned()]
}

fn registered(id: &str) -> Identity {
    Identity::registered(ISSUER, id, Credentials::None, ours(), Some(NOW + 60))
}

fn answer() -> Value {
    json!({"client_id": "c-1", "client_secret": "hunter2", "client_secret_expires_at": 0})
}

/// The client that is found with these offers, and how many questions it took.
async fn found(
    metadata: &[(&str, Value)],
    offers: Offers<'_>,
) -> (Result<String, ClientError>, usize) {
    let world = World::new().says(REGISTER, 201, &answer());
    let server = server_with(metadata);
    let found = identify(world.outside(), &server, offers).await;
    let found = found.map(|client| client.client_id().unwrap().to_owned());
    (found, world.urls().len())
}

#[tokio::test]
async fn n2_1_a_client_is_looked_for_in_the_order_of_mcp() {
    let pre = Identity::preregistered(ISSUER, "pre", Credentials::None);
    let (key, kept) = (key(), registered("kept"));
    let (register, documents) = (document(), [keyed(), document()]);
    let all = Offers {
        preregistered: Some(&pre),
        documents: &documents,
        key: Some(&key),
        kept: Some(&kept),
        register: Some(&register),
    };
    let takes = |methods: Value| {
        vec![
            ("client_id_metadata_document_supported", json!(true)),
            ("token_endpoint_auth_methods_supported", methods),
        ]
    };
    let both = takes(json!(["none", "private_key_jwt"]));
    let check = async |metadata: &[(&str, Value)], offers: Offers<'_>, id: &str, asked: usize| {
        assert_eq!(found(metadata, offers).await, (Ok(id.to_owned()), asked));
    };
    check(&both, all, "pre", 0).await;
    let unknown = Offers {
        preregistered: None,
        ..all
    };
    check(&both, unknown, keyed().client_id(), 0).await;
    // The document whose way of authentication is listed.
    check(&takes(json!(["none"])), unknown, DOCUMENT, 0).await;
    check(
        &takes(json!(["private_key_jwt"])),
        unknown,
        keyed().client_id(),
        0,
    )
    .await;
    check(&takes(Value::Null), unknown, DOCUMENT, 0).await;
    check(&takes(json!(["client_secret_basic"])), unknown, "kept", 0).await;
    let keyless = Offers {
        key: None,
        ..unknown
    };
    check(&both, keyless, DOCUMENT, 0).await;
    // It does not read documents.
    check(&[], unknown, "kept", 0).await;
    let fresh = Offers {
        kept: None,
        ..unknown
    };
    check(&[], fresh, "c-1", 1).await;
    let none = ClientError::Registration(ISSUER.to_owned());
    let closed = [("registration_endpoint", Value::Null)];
    assert_eq!(found(&closed, fresh).await, (Err(none.clone()), 0));
    assert_eq!(found(&[], Offers::default()).await, (Err(none), 0));
    // Nobody else could read a document on this machine.
    let local = [ClientDocument::new("http://127.0.0.1:9/client.json", "R", CALLBACK).unwrap()];
    let local = Offers {
        documents: &local,
        ..fresh
    };
    check(&both, local, "c-1", 1).await;
}

#[tokio::test]
async fn n2_1_credentials_of_another_issuer_are_never_used_again() {
    let register = document();
    let elsewhere = "https://other.example.com";
    // What the operator registered elsewhere is an error, and nothing is asked.
    let pre = Identity::preregistered(elsewhere, "pre", Credentials::None);
    let offers = Offers {
        preregistered: Some(&pre),
        register: Some(&register),
        ..Offers::default()
    };
    let expected = elsewhere.to_owned();
    let changed = ClientError::IssuerChanged { expected };
    assert_eq!(found(&[], offers).await, (Err(changed), 0));
    // What another issuer registered, or what has expired, is registered anew.
    // So is one from before we moved: its answers would go somewhere else.
    let other = Identity::registered(elsewhere, "other", Credentials::None, ours(), None);
    let over = Identity::registered(ISSUER, "over", Credentials::None, ours(), Some(NOW));
    let there = vec!["https://old.example.com/connect/callback".to_owned()];
    let moved = Identity::registered(ISSUER, "moved", Credentials::None, there, None);
    for kept in [other, over, moved] {
        let offers = Offers {
            kept: Some(&kept),
            register: Some(&register),
            ..Offers::default()
        };
        assert_eq!(found(&[], offers).await, (Ok("c-1".to_owned()), 1));
    }
}

#[tokio::test]
async fn n2_1_a_registration_asks_for_what_the_server_lists_and_nothing_more() {
    let check = async |methods: Value, expected: Option<&str>| {
        let world = World::new().says(REGISTER, 201, &answer());
        let server = server_with(&[("token_endpoint_auth_methods_supported", methods)]);
        let asked = register(world.outside(), &server, &document()).await;
        let asked = asked.map(|_| serde_json::from_str::<Value>(&world.asked()[0].body).unwrap());
        let Some(expected) = expected else {
            assert_eq!(asked.err(), Some(ClientError::Authentication));
            return;
        };
        let expected = json!({
            "client_name": "Ringwall", "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"], "token_endpoint_auth_method": expected,
            "application_type": "web",
        });
        assert_eq!(asked.unwrap(), expected);
        assert_eq!(
            world.asked()[0].header("content-type"),
            Some("application/json")
        );
    };
    check(
        json!(["none", "client_secret_post"]),
        Some("client_secret_post"),
    )
    .await;
    check(json!(["none"]), Some("none")).await;
    check(Value::Null, Some("client_secret_basic")).await;
    check(json!(["tls_client_auth"]), None).await;
}

#[tokio::test]
async fn n2_1_what_is_registered_is_what_was_asked_for() {
    let check = async |change: &[(&str, Value)], expected: Result<&str, ClientError>| {
        let mut answer = answer();
        for (name, value) in change {
            answer[*name] = value.clone();
        }
        let world = World::new().says(REGISTER, 201, &answer);
        let found = register(world.outside(), &server_with(&[]), &document()).await;
        let found = found.map(|client| format!("{client:?}").contains("Secret"));
        let found = found.map(|secret| if secret { "secret" } else { "public" });
        assert_eq!(found, expected, "{answer}");
    };
    let wrong = |what| Err(ClientError::Answer(what));
    let method = |name: &str| ("token_endpoint_auth_method", json!(name));
    check(&[], Ok("secret")).await;
    check(&[method("client_secret_post")], Ok("secret")).await;
    check(&[method("none")], Ok("public")).await;
    check(&[("client_secret", Value::Null)], Ok("public")).await;
    check(&[("redirect_uris", json!([CALLBACK]))], Ok("secret")).await;
    check(
        &[("client_secret_expires_at", json!(NOW + 5))],
        Ok("secret"),
    )
    .await;
    let unknown = Err(ClientError::Authentication);
    check(&[method("client_secret_jwt")], unknown.clone()).await;
    check(&[method("")], unknown).await;
    let missing = [
        ("client_secret", Value::Null),
        method("client_secret_basic"),
    ];
    check(&missing, wrong("`client_secret` is missing")).await;
    let redirects = "`redirect_uris` are not those that were asked for";
    for uris in [
        json!(["https://evil.example/callback"]),
        json!([CALLBACK, "https://evil.example/callback"]),
        json!([format!("{CALLBACK}/")]),
        json!([]),
        json!(CALLBACK),
    ] {
        check(&[("redirect_uris", uris)], wrong(redirects)).await;
    }
    for id in [
        json!(""),
        json!(1),
        Value::Null,
        json!("a\nb"),
        json!("x".repeat(ID_MAX + 1)),
    ] {
        check(&[("client_id", id)], wrong("`client_id`")).await;
    }
    for secret in [
        json!(""),
        json!(1),
        json!("a\u{e9}"),
        json!("x".repeat(SECRET_MAX + 1)),
    ] {
        check(&[("client_secret", secret)], wrong("`client_secret`")).await;
    }
    for at in [json!("never"), json!(-1)] {
        check(
            &[("client_secret_expires_at", at)],
            wrong("`client_secret_expires_at`"),
        )
        .await;
    }
    let method = [("token_endpoint_auth_method", json!(1))];
    check(&method, wrong("`token_endpoint_auth_method`")).await;
    let large = [("x", json!("x".repeat(ANSWER_MAX)))];
    check(&large, wrong("it is too large")).await;
}

#[tokio::test]
async fn a_refused_registration_says_why() {
    let check = async |status: u16, body: Value, expected: &str| {
        let world = World::new().says(REGISTER, status, &body);
        let found = register(world.outside(), &server_with(&[]), &document()).await;
        assert_eq!(found.unwrap_err().to_string(), expected);
    };
    let error = json!({"error": "invalid_redirect_uri", "error_description": "web only"});
    let said = "the authorization server refused: `invalid_redirect_uri`: web only";
    check(400, error, said).await;
    check(500, json!({}), "the answer has status 500").await;
    check(302, answer(), "the answer has status 302").await;
}

/// The same document answers for every authorization server at the same place, so that a code of one
/// could be brought to another that does not name itself.
#[tokio::test]
async fn n2_1_mix_up_our_document_is_for_servers_that_name_themselves() {
    let (register, documents) = (document(), [document()]);
    let offers = Offers {
        documents: &documents,
        ..Offers::default()
    };
    let mut metadata = vec![
        ("client_id_metadata_document_supported", json!(true)),
        (
            "authorization_response_iss_parameter_supported",
            json!(true),
        ),
    ];
    assert_eq!(found(&metadata, offers).await, (Ok(DOCUMENT.to_owned()), 0));
    for silent in [json!(false), Value::Null] {
        metadata[1].1 = silent;
        let unnamed = ClientError::Unnamed(ISSUER.to_owned());
        assert_eq!(found(&metadata, offers).await, (Err(unnamed), 0));
        let registering = Offers {
            register: Some(&register),
            ..offers
        };
        assert_eq!(
            found(&metadata, registering).await,
            (Ok("c-1".to_owned()), 1)
        );
    }
}
