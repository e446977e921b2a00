//! How a client authenticates at its authorization server, and that it does so at no other.

use super::*;
use crate::SigningKey;
use crate::client::assertion::AssertionAudience;
use crate::client::fixture::{ISSUER, NOW, TOKEN, World, claims_of, header_of, server_with};
use crate::client::{ClientKeyError, SystemEntropy, fixture};
use crate::keys::KeySet;
use crate::{Algorithm, Outbound};
use url::Url;

fn secret(text: &str, method: SecretMethod) -> Credentials {
    Credentials::Secret(Arc::new(Zeroizing::new(text.to_owned())), method)
}

fn client(credentials: Credentials) -> Identity {
    Identity::preregistered(ISSUER, "gateway", credentials)
}

/// What a client shows: a header, and fields of a form.
type Shown = (Option<String>, Vec<(String, String)>);

/// The header and the fields that authenticate this client there.
fn shown(client: &Identity, methods: Value) -> Result<Shown, ClientError> {
    let server = server_with(&[("token_endpoint_auth_methods_supported", methods)]);
    let world = World::new();
    let to = Url::parse(TOKEN).unwrap();
    let form: Outbound = client.form(&server, world.outside(), &to, Vec::new())?;
    let mut headers = form.headers.iter();
    let header = headers.find(|(name, _)| *name == "authorization");
    let body = form.body.unwrap();
    let fields = url::form_urlencoded::parse(&body).into_owned().collect();
    Ok((header.map(|(_, value)| value.to_string()), fields))
}

#[test]
fn n2_1_a_secret_is_put_where_the_server_lists_it_and_nowhere_else() {
    let check = |method: SecretMethod, listed: Value, expected: Result<&str, ClientError>| {
        let client = client(secret("hunter2", method));
        let found = shown(&client, listed.clone()).map(|(header, fields)| {
            let posted = fields.iter().any(|(name, _)| name == "client_secret");
            assert_ne!(header.is_some(), posted, "in both places, or in none");
            if posted { "post" } else { "basic" }
        });
        assert_eq!(found, expected, "{listed}");
    };
    use SecretMethod::{AsListed, Basic, Post};
    let no = || Err(ClientError::Authentication);
    check(
        AsListed,
        json!(["client_secret_post", "client_secret_basic"]),
        Ok("basic"),
    );
    check(AsListed, json!(["client_secret_post"]), Ok("post"));
    check(AsListed, Value::Null, Ok("basic"));
    check(AsListed, json!(["none"]), no());
    check(
        AsListed,
        json!(["private_key_jwt", "tls_client_auth"]),
        no(),
    );
    check(AsListed, json!([]), no());
    check(Basic, json!(["client_secret_post"]), Ok("basic"));
    check(Post, json!(["client_secret_basic"]), Ok("post"));
}

#[test]
fn n2_1_both_parts_of_the_basic_header_are_encoded_before_they_are_joined() {
    let id = "a:b c\u{e9}";
    let client = Identity::preregistered(ISSUER, id, secret("p%:w+ /", SecretMethod::Basic));
    let (header, fields) = shown(&client, Value::Null).unwrap();
    let header = header.unwrap();
    let joined = STANDARD
        .decode(header.strip_prefix("Basic ").unwrap())
        .unwrap();
    assert_eq!(joined, b"a%3Ab+c%C3%A9:p%25%3Aw%2B+%2F");
    assert!(fields.is_empty());
}

#[test]
fn n2_1_a_public_client_names_itself_and_shows_nothing() {
    let (header, fields) = shown(&client(Credentials::None), Value::Null).unwrap();
    assert_eq!(header, None);
    assert_eq!(fields, [("client_id".to_owned(), "gateway".to_owned())]);
    let (header, fields) = shown(&Identity::unregistered(ISSUER), Value::Null).unwrap();
    assert_eq!((header, fields), (None, Vec::new()));
}

#[test]
fn n2_1_an_assertion_is_for_one_issuer_for_a_minute_and_for_once() {
    let document = SigningKey::generate().unwrap().pkcs8().unwrap();
    let key = || ClientKey::from_pkcs8(&document, Some("k-1")).unwrap();
    let client = client(Credentials::Key(Arc::new(key())));
    let assertion = |methods: Value| {
        let (header, fields) = shown(&client, methods)?;
        assert_eq!(header, None);
        let field = |name: &str| {
            fields
                .iter()
                .find(|(named, _)| named == name)
                .unwrap()
                .1
                .clone()
        };
        assert_eq!(field("client_assertion_type"), ASSERTION_TYPE);
        assert_eq!(field("client_id"), "gateway");
        Ok(field("client_assertion"))
    };
    let first = assertion(json!(["private_key_jwt"])).unwrap();
    let claims = claims_of(&first);
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("gateway"), &json!("gateway"))
    );
    assert_eq!(claims["aud"], ISSUER);
    assert_eq!(
        (&claims["iat"], &claims["exp"]),
        (&json!(NOW), &json!(NOW + 60))
    );
    assert_eq!(claims["jti"].as_str().unwrap().len(), 43);
    let header = json!({"typ": "client-authentication+jwt", "alg": "ES256", "kid": "k-1"});
    assert_eq!(Value::Object(header_of(&first)), header);
    let jwks = json!({"keys": [key().public_jwk()]}).to_string();
    let (signed, signature) = first.rsplit_once('.').unwrap();
    let keys = KeySet::parse(jwks.as_bytes()).unwrap();
    let public = keys.pick(Some("k-1"), Algorithm::Es256).unwrap();
    let signature = crate::base64url::decode(signature).unwrap();
    assert!(public.verifies(signed.as_bytes(), &signature));
    // A server that does not list it does not get one.
    for methods in [json!(["client_secret_basic"]), Value::Null, json!([])] {
        let refused = assertion(methods).err();
        assert_eq!(refused, Some(ClientError::Authentication));
    }

    let server = server_with(&[]);
    let outside = Outside {
        fetch: &World::new(),
        entropy: &SystemEntropy,
        now: NOW,
    };
    let one = |key: &ClientKey| key.assertion("gateway", &server, outside).unwrap();
    let plain = key();
    assert_ne!(
        claims_of(&one(&plain))["jti"],
        claims_of(&one(&plain))["jti"]
    );
    let entra = key().with_audience(AssertionAudience::TokenEndpoint);
    assert_eq!(claims_of(&one(&entra))["aud"], TOKEN);
    assert_eq!(header_of(&one(&entra))["typ"], "JWT");
    assert!(header_of(&one(&entra)).get("x5t#S256").is_none());
    let picky = server_with(&[(
        "token_endpoint_auth_signing_alg_values_supported",
        json!(["RS256"]),
    )]);
    let refused = plain.assertion("gateway", &picky, outside).err();
    assert_eq!(refused, Some(ClientError::Authentication));
}

#[test]
fn n2_1_an_assertion_names_the_certificate_that_stands_beside_the_key_and_is_its_own() {
    let made = || {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        (key.serialize_pem(), certificate)
    };
    let ((key, own), (_, other)) = (made(), made());
    let named = |pem: &str| {
        let key = ClientKey::from_pem(pem, None)?;
        let server = server_with(&[]);
        let assertion = key.assertion("gateway", &server, World::new().outside());
        let header = header_of(&assertion.unwrap());
        let named = header.get("x5t#S256").and_then(Value::as_str);
        Ok(named.map(str::to_owned))
    };
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, own.der());
    let digest = Some(crate::base64url::encode(digest.as_ref()));
    assert_eq!(named(&key), Ok(None));
    assert_eq!(named(&format!("{key}{}", own.pem())), Ok(digest.clone()));
    assert_eq!(named(&format!("{}{key}", own.pem())), Ok(digest.clone()));
    // The one of the key comes first, those that vouch for it follow.
    let chain = format!("{}{}{key}", own.pem(), other.pem());
    assert_eq!(named(&chain), Ok(digest));
    let refused = Err(ClientKeyError::Certificate);
    assert_eq!(named(&format!("{key}{}", other.pem())), refused);
    let spoilt = format!("{key}-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----");
    assert_eq!(named(&spoilt), Err(ClientKeyError::Form));
    let cut = format!("{key}-----BEGIN CERTIFICATE-----");
    assert_eq!(named(&cut), Err(ClientKeyError::Form));
}

#[test]
fn n2_1_an_rsa_key_signs_as_the_server_takes_it() {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let document = pair.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(document.as_ref())
    );
    let key = ClientKey::from_pem(&pem, None).unwrap();
    let world = World::new();
    let check = |listed: Value, expected: Option<Algorithm>| {
        let name = "token_endpoint_auth_signing_alg_values_supported";
        let server = server_with(&[(name, listed)]);
        let assertion = key.assertion("gateway", &server, world.outside()).ok();
        let algorithm = assertion.map(|assertion| {
            let header = header_of(&assertion);
            let algorithm = Algorithm::named(header["alg"].as_str().unwrap()).unwrap();
            let jwks = json!({"keys": [key.public_jwk()]}).to_string();
            // Our own key set is for PS256, which is what is signed with where it is taken.
            if algorithm == Algorithm::Ps256 {
                let keys = KeySet::parse(jwks.as_bytes()).unwrap();
                let kid = header["kid"].as_str();
                let public = keys.pick(kid, algorithm).unwrap();
                let (signed, signature) = assertion.rsplit_once('.').unwrap();
                let signature = crate::base64url::decode(signature).unwrap();
                assert!(public.verifies(signed.as_bytes(), &signature));
            }
            algorithm
        });
        assert_eq!(algorithm, expected);
    };
    check(Value::Null, Some(Algorithm::Ps256));
    check(json!(["RS256", "PS256"]), Some(Algorithm::Ps256));
    check(json!(["RS256"]), Some(Algorithm::Rs256));
    check(json!(["ES256"]), None);
    assert!(!format!("{key:?}").contains(&STANDARD.encode(&document.as_ref()[..32])));
}

#[test]
fn refuses_what_is_no_private_key() {
    use crate::client::assertion::ClientKeyError::{Form, Kind};
    for (pem, expected) in [
        ("", Form),
        ("-----BEGIN PRIVATE KEY-----", Form),
        (
            "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----",
            Form,
        ),
        (
            "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
            Form,
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            Kind,
        ),
    ] {
        assert_eq!(
            ClientKey::from_pem(pem, None).err(),
            Some(expected),
            "{pem}"
        );
    }
}

#[test]
fn n2_1_no_client_shows_itself_at_another_authorization_server() {
    let other = server_with(&[("issuer", json!("https://other.example.com"))]);
    let world = World::new();
    let to = Url::parse(TOKEN).unwrap();
    let document = SigningKey::generate().unwrap().pkcs8().unwrap();
    let key = Arc::new(ClientKey::from_pkcs8(&document, None).unwrap());
    for credentials in [
        secret("hunter2", SecretMethod::Basic),
        secret("hunter2", SecretMethod::Post),
        Credentials::Key(key),
        Credentials::None,
    ] {
        let refused = client(credentials).form(&other, world.outside(), &to, Vec::new());
        let expected = ClientError::OtherIssuer("https://other.example.com".to_owned());
        assert_eq!(refused.err(), Some(expected));
    }
}

#[test]
fn n2_1_a_registration_is_kept_whole_and_never_shown() {
    let kept = Identity::registered(
        ISSUER,
        "registered",
        secret("hunter2", SecretMethod::Post),
        vec![fixture::CALLBACK.to_owned()],
        Some(NOW),
    );
    let bytes = kept.to_kept().unwrap();
    let again = Identity::from_kept(&bytes).unwrap();
    assert_eq!(again.issuer(), ISSUER);
    assert_eq!(again.client_id(), Some("registered"));
    assert_eq!(again.secret(), Some("hunter2"));
    assert!(again.is_answered_at(fixture::CALLBACK));
    assert!(!again.is_answered_at("https://gateway.example.com/connect/callback/"));
    assert!(again.is_good_at(NOW - 1) && !again.is_good_at(NOW));
    assert_eq!(again.to_kept().unwrap(), bytes);
    assert!(!format!("{again:?}").contains("hunter2"));
    let public = Identity::registered(ISSUER, "p", Credentials::None, Vec::new(), None);
    let again = Identity::from_kept(&public.to_kept().unwrap()).unwrap();
    assert_eq!((again.secret(), again.expires_at), (None, None));
    for broken in [&b"{}"[..], b"", b"[]", br#"{"issuer":"a"}"#] {
        assert!(Identity::from_kept(broken).is_none());
    }
}
