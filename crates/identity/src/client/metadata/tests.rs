//! What of an authorization server's metadata is believed, and what makes it useless.

use super::*;
use crate::client::fixture::{ISSUER, metadata};
use serde_json::json;

fn check(issuer: &str, name: &str, value: Value, expected: Result<(), ClientError>) {
    let mut document = metadata();
    document["issuer"] = json!(issuer);
    for endpoint in ["authorization", "token", "registration", "revocation"] {
        document[format!("{endpoint}_endpoint")] = json!("https://as.example.com/x");
    }
    document[name] = value;
    let found = AuthorizationServer::read(issuer, document.to_string().as_bytes());
    assert_eq!(
        found.map(|_| ()),
        expected,
        "{issuer} {name} {}",
        document[name]
    );
}

#[test]
fn n2_1_every_endpoint_is_at_an_address_that_may_be_talked_to() {
    let local = "http://127.0.0.1:9";
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "pushed_authorization_request_endpoint",
        "revocation_endpoint",
        "jwks_uri",
    ] {
        let refused = || Err(ClientError::Endpoint(name));
        check(
            ISSUER,
            name,
            json!("https://tokens.example.net/x?y=z"),
            Ok(()),
        );
        check(local, name, json!("http://127.0.0.1:9/x"), Ok(()));
        check(local, name, json!("http://localhost:8/x"), Ok(()));
        check(local, name, json!("http://as.example.com/x"), refused());
        for url in [
            json!("http://as.example.com/x"),
            json!("http://127.0.0.1/x"),
            json!("http://169.254.169.254/latest"),
            json!("https://me:pw@as.example.com/x"),
            json!("https://as.example.com/x#y"),
            json!("javascript:alert(1)"),
            json!("data:text/html,x"),
            json!("file:///etc/passwd"),
            json!("/x"),
            json!(""),
            json!(1),
            Value::Null,
            json!(format!("https://as.example.com/{}", "x".repeat(URL_MAX))),
        ] {
            check(ISSUER, name, url, refused());
        }
    }
}

#[test]
fn n2_1_metadata_of_the_wrong_shape_is_not_guessed_at() {
    let unusable = || Err(ClientError::Metadata(ISSUER.to_owned()));
    for name in [
        "code_challenge_methods_supported",
        "scopes_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "dpop_signing_alg_values_supported",
    ] {
        check(ISSUER, name, json!([]), Ok(()));
        check(ISSUER, name, json!("S256"), unusable());
        check(ISSUER, name, json!([1]), unusable());
        check(ISSUER, name, json!(vec!["x"; NAMES_MAX]), Ok(()));
        check(ISSUER, name, json!(vec!["x"; NAMES_MAX + 1]), unusable());
        check(ISSUER, name, Value::Null, unusable());
    }
    for name in [
        "authorization_response_iss_parameter_supported",
        "client_id_metadata_document_supported",
        "require_pushed_authorization_requests",
    ] {
        check(ISSUER, name, json!(true), Ok(()));
        check(ISSUER, name, json!("true"), unusable());
        check(ISSUER, name, json!(1), unusable());
    }
    let large = json!("x".repeat(METADATA_MAX));
    check(ISSUER, "x", large, unusable());
    let twice = format!(
        r#"{{"issuer":"{ISSUER}","token_endpoint":"https://a.example/","token_endpoint":"https://b.example/"}}"#
    );
    assert!(AuthorizationServer::read(ISSUER, twice.as_bytes()).is_err());
}

#[test]
fn n2_1_only_an_issuer_that_may_be_one_is_asked() {
    let check = |issuer: &str, expected: bool| {
        assert_eq!(issuer_url(issuer).is_ok(), expected, "{issuer}");
    };
    check(ISSUER, true);
    check("https://as.example.com/tenant/v2.0", true);
    check("http://[::1]:9", true);
    check("http://as.example.com", false);
    check("https://as.example.com/?x", false);
    check("https://as.example.com/#x", false);
    check("https://me@as.example.com", false);
    check(" https://as.example.com", false);
    check("as.example.com", false);
    check("", false);
    check(
        &format!("https://as.example.com/{}", "x".repeat(URL_MAX)),
        false,
    );
}
