//! What goes wrong between a client, a person and a thief, as rows: requests that must not be granted,
//! codes and refresh tokens in the wrong hands, and assertions of somebody else.

use super::*;
use crate::client::Scopes;
use crate::fixture::{self, NOW};
use crate::{Audience, Issuers, SigningKey, UserKey, base64url};
use serde_json::{Map, Value, json};

const ISSUER: &str = "https://gw.example";
const HOME: &str = "https://id.example.com";
const FILES: &str = "https://gw.example/files";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client() -> Client {
    let members = json!({
        "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb"],
        "grant_types": ["authorization_code", "refresh_token"], "client_name": "Editor",
    });
    Client::registering("c-1", members.to_string().as_bytes()).unwrap()
}

fn offered() -> Vec<Offered> {
    let offer = |path: &str, scopes: &str| Offered {
        resource: format!("https://gw.example/{path}"),
        name: path.to_owned(),
        needed: Scopes::read(scopes).unwrap(),
        scopes: Scopes::read(scopes).unwrap(),
    };
    vec![offer("files", "read write"), offer("mail", "send")]
}

/// A good request, with these parameters changed; an empty one is taken away.
fn text(changes: &[(&str, &str)]) -> String {
    let mut fields = vec![
        ("client_id", "c-1"),
        ("redirect_uri", "https://app.example/cb"),
        ("response_type", "code"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s"),
        ("resource", FILES),
        ("scope", "read"),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    fields.retain(|(_, value)| !value.is_empty());
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

fn read(text: &str) -> Result<Request, ErrorCode> {
    let parameters = Parameters::read(text).map_err(|error| error.code)?;
    Request::read(&parameters, &client(), &offered()).map_err(|error| error.code)
}

fn request() -> Request {
    read(&text(&[])).unwrap()
}

#[test]
fn m3_a_request_names_what_is_offered_and_shows_a_challenge() {
    let good = request();
    assert_eq!((&*good.scopes, &*good.resource), ("read", FILES));
    let (request, target, scope) = (
        ErrorCode::InvalidRequest,
        ErrorCode::InvalidTarget,
        ErrorCode::InvalidScope,
    );
    let long = "x".repeat(3000);
    for (name, value, code) in [
        ("response_type", "", request),
        ("response_type", "token", ErrorCode::UnsupportedResponseType),
        (
            "response_type",
            "code token",
            ErrorCode::UnsupportedResponseType,
        ),
        ("response_mode", "fragment", request),
        ("response_mode", "form_post", request),
        // PKCE, made weaker.
        ("code_challenge", "", request),
        ("code_challenge_method", "", request),
        ("code_challenge_method", "plain", request),
        ("code_challenge_method", "s256", request),
        ("code_challenge", "short", request),
        ("code_challenge", "AAAA", request),
        ("code_challenge", VERIFIER, ErrorCode::ServerError),
        // Another resource.
        ("resource", "https://gw.example/other", target),
        ("resource", "https://evil.example/files", target),
        ("resource", "https://gw.example/files#x", target),
        ("resource", "https://gw.example/files?x", target),
        ("resource", "https://me@gw.example/files", target),
        ("resource", "https://gw.example/files/../mail", target),
        ("resource", "", target),
        // Scopes that are not there.
        ("scope", "send", scope),
        ("scope", "read write send", scope),
        ("scope", "read \"", scope),
        ("scope", "*", scope),
        // Ways around the page.
        ("prompt", "none", ErrorCode::InteractionRequired),
        ("prompt", "login none", ErrorCode::InteractionRequired),
        ("request", "e30.e30.", request),
        ("request_uri", "https://evil.example/r", request),
        ("redirect_uri", "https://evil.example/cb", request),
        ("redirect_uri", "", request),
        ("client_id", "c-2", request),
        ("state", &long, request),
        ("dpop_jkt", "short", request),
        ("max_age", "-1", request),
    ] {
        let refused = read(&text(&[(name, value)])).err();
        // A verifier has the form of a challenge: nobody can tell, and nothing comes of it.
        let expected = Some(code).filter(|code| *code != ErrorCode::ServerError);
        assert_eq!(refused, expected, "{name}={value}");
    }
    for twice in [
        "state=t",
        "resource=x",
        "scope=read",
        "code_challenge=a",
        "client_id=c-1",
    ] {
        assert!(read(&format!("{}&{twice}", text(&[]))).is_err(), "{twice}");
    }
}

#[test]
fn m3_what_is_not_asked_for_is_the_least_that_is_of_use() {
    let scopes = |scope: &str| read(&text(&[("scope", scope)])).unwrap().scopes;
    assert_eq!(scopes(""), "read write");
    assert_eq!(scopes("offline_access"), "read write");
    assert_eq!(scopes("read offline_access"), "read");
    let parameters = Parameters::read(&text(&[("resource", "")])).unwrap();
    let only = &offered()[..1];
    let read = Request::read(&parameters, &client(), only).unwrap();
    assert_eq!(read.resource, FILES);
    let slash = self::read(&text(&[("resource", "HTTPS://GW.example/files/")]));
    assert_eq!(slash.unwrap().resource, FILES);
}

#[test]
fn m3_whatever_differs_is_another_consent() {
    let consent = |client: &Client, change: fn(&mut Request)| {
        let mut request = request();
        change(&mut request);
        Consent::to(client, &request, NOW).id()
    };
    let known = consent(&client(), |_| {});
    let same: [fn(&mut Request); 2] =
        [|it| it.state = None, |it| it.challenge = "other".to_owned()];
    for change in same {
        assert_eq!(consent(&client(), change), known);
    }
    let other: [fn(&mut Request); 3] = [
        |it| it.scopes = "read write".to_owned(),
        |it| it.resource = "https://gw.example/mail".to_owned(),
        |it| it.redirect_uri = "http://127.0.0.1/cb".to_owned(),
    ];
    for change in other {
        assert_ne!(consent(&client(), change), known);
    }
    let machine = |port: u16| {
        let mut request = request();
        request.redirect_uri = format!("http://127.0.0.1:{port}/cb");
        Consent::to(&client(), &request, NOW).id()
    };
    assert_eq!(machine(1), machine(2));
    let renamed = json!({
        "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb"],
        "grant_types": ["authorization_code", "refresh_token"], "client_name": "Edltor",
    });
    let renamed = Client::registering("c-1", renamed.to_string().as_bytes()).unwrap();
    assert_ne!(consent(&renamed, |_| {}), known);
}

fn person() -> Person {
    let claims = json!({"acr": "phr", "groups": ["staff"], "sid": "l-1"});
    let claims = claims.as_object().unwrap();
    Person::new((HOME, "s-1", "u-1"), "groups", claims, [])
}

fn code(change: fn(&mut Request)) -> Code {
    let mut request = request();
    change(&mut request);
    Code {
        request,
        person: person(),
        consent: "consent".to_owned(),
        issued_s: NOW,
    }
}

#[test]
fn m3_a_code_is_good_in_the_hands_it_was_issued_to_and_in_no_others() {
    let good =
        format!("code_verifier={VERIFIER}&redirect_uri=https://app.example/cb&resource={FILES}");
    let check = |code: &Code, client_id: &str, text: &str, key: Option<&str>, now: u64| {
        let parameters = Parameters::read(text).unwrap();
        let redeemed = code.redeem(&Redemption {
            client_id,
            parameters: &parameters,
            key,
            now,
        });
        redeemed.err().map(|error| error.code)
    };
    let grant = Some(ErrorCode::InvalidGrant);
    let plain = code(|_| {});
    assert_eq!(check(&plain, "c-1", &good, None, NOW), None);
    let least = format!("code_verifier={VERIFIER}");
    assert_eq!(check(&plain, "c-1", &least, None, NOW + 59), None);
    assert_eq!(
        check(&plain, "c-1", &good, None, NOW + Code::LIFETIME_S),
        grant
    );
    assert_eq!(check(&plain, "c-1", &good, None, NOW - 1), grant);
    assert_eq!(check(&plain, "c-2", &good, None, NOW), grant);
    for (text, expected) in [
        (
            "redirect_uri=https://app.example/cb".to_owned(),
            Some(ErrorCode::InvalidRequest),
        ),
        (format!("code_verifier={CHALLENGE}"), grant),
        (format!("code_verifier={VERIFIER}x"), grant),
        (format!("code_verifier={}", "x".repeat(42)), grant),
        (format!("code_verifier={}", "x".repeat(129)), grant),
        (format!("{least}&redirect_uri=http://127.0.0.1/cb"), grant),
        (
            format!("{least}&redirect_uri=https://app.example/cb/"),
            grant,
        ),
        (
            format!("{least}&resource=https://gw.example/mail"),
            Some(ErrorCode::InvalidTarget),
        ),
        (
            format!("{least}&resource={FILES}%23x"),
            Some(ErrorCode::InvalidTarget),
        ),
    ] {
        assert_eq!(check(&plain, "c-1", &text, None, NOW), expected, "{text}");
    }
    let bound = code(|it| it.key = Some("k-1".to_owned()));
    assert_eq!(check(&bound, "c-1", &good, Some("k-1"), NOW), None);
    assert_eq!(check(&bound, "c-1", &good, Some("k-2"), NOW), grant);
    assert_eq!(check(&bound, "c-1", &good, None, NOW), grant);
    let kept = plain.to_kept().unwrap();
    assert_eq!(Code::from_kept(&kept).as_ref(), Some(&plain));
    // RFC 7636, section 4.1: one that could be guessed is none, whatever it meets.
    let guessable = code(|it| it.challenge = met_by("guess"));
    assert_eq!(
        check(&guessable, "c-1", "code_verifier=guess", None, NOW),
        grant
    );
    let long = code(|it| it.challenge = met_by(&"x".repeat(43)));
    let verifier = format!("code_verifier={}", "x".repeat(43));
    assert_eq!(check(&long, "c-1", &verifier, None, NOW), None);
}

/// The challenge that this verifier meets.
fn met_by(verifier: &str) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    base64url::encode(digest(&SHA256, verifier.as_bytes()).as_ref())
}

#[test]
fn n2_3_a_refresh_token_is_good_once_and_a_code_too() {
    let user = person().key();
    let family_id = base64url::encode(&[7; 32]);
    let text = |secret: u8| CodeText::new(&user, &family_id, &[secret; 32]);
    let mut family = Family::begin(&code(|_| {}), &text(1), None, NOW);
    assert_eq!(family.presented(&text(1)), Presented::Code);
    assert_eq!(family.presented(&text(2)), Presented::Used);
    family.turn_to(&text(2), NOW);
    assert_eq!(family.presented(&text(2)), Presented::Current);
    family.turn_to(&text(3), NOW + 5);
    assert_eq!(family.presented(&text(2)), Presented::Used);
    assert_eq!(family.presented(&text(3)), Presented::Current);
    assert_eq!(family.presented(&text(1)), Presented::Code);
    let again = Family::from_kept(&family.to_kept().unwrap()).unwrap();
    assert_eq!(again, family);
    // It ends at its age, or when nobody uses it.
    assert_eq!(family.ends_s(1000, 100), NOW + 105);
    assert_eq!(family.ends_s(50, 100), NOW + 50);
}

#[test]
fn n2_3_a_family_stays_with_its_client_its_key_and_what_was_agreed_to() {
    let user = person().key();
    let text = CodeText::new(&user, &base64url::encode(&[7; 32]), &[1; 32]);
    let check = |key: Option<&str>, client: &str, text_of: &str, shown: Option<&str>| {
        let wide = code(|it| it.scopes = "read write".to_owned());
        let family = Family::begin(&wide, &text, key, NOW);
        let parameters = Parameters::read(text_of).unwrap();
        let scopes = family.refresh(client, &parameters, shown);
        scopes.map_err(|error| error.code)
    };
    let granted = |scopes: &str| Ok(scopes.to_owned());
    assert_eq!(check(None, "c-1", "", None), granted("read write"));
    assert_eq!(check(None, "c-1", "scope=read", None), granted("read"));
    assert_eq!(
        check(Some("k"), "c-1", "", Some("k")),
        granted("read write")
    );
    let grant = Err(ErrorCode::InvalidGrant);
    assert_eq!(check(None, "c-2", "", None), grant);
    assert_eq!(check(Some("k"), "c-1", "", None), grant);
    assert_eq!(check(Some("k"), "c-1", "", Some("l")), grant);
    let scope = Err(ErrorCode::InvalidScope);
    assert_eq!(check(None, "c-1", "scope=read+send", None), scope);
    let target = Err(ErrorCode::InvalidTarget);
    assert_eq!(
        check(None, "c-1", "resource=https://gw.example/mail", None),
        target
    );
}

#[test]
fn n2_3_a_family_knows_the_tokens_that_may_still_be_good() {
    let user = person().key();
    let text = CodeText::new(&user, &base64url::encode(&[7; 32]), &[1; 32]);
    let mut family = Family::begin(&code(|_| {}), &text, None, NOW);
    family.issued("a", NOW + 10, NOW).unwrap();
    family.issued("b", NOW + 20, NOW).unwrap();
    assert_eq!(family.tokens(NOW).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(family.tokens(NOW + 10).collect::<Vec<_>>(), ["b"]);
}

/// A token whose name was forgotten would outlive the family that is ended because of it.
#[test]
fn n4_4_a_family_hands_out_no_more_tokens_than_it_can_take_back() {
    let text = CodeText::new(&person().key(), &base64url::encode(&[7; 32]), &[1; 32]);
    let mut family = Family::begin(&code(|_| {}), &text, None, NOW);
    let mut issued = |name: &str, now: u64| {
        let issued = family.issued(name, now + 100, now);
        let known = family.tokens(now).any(|known| known == name);
        assert_eq!(known, issued.is_ok(), "{name}");
        let first = family.tokens(now).next().map(str::to_owned);
        (issued.err().map(|error| error.code), first.unwrap())
    };
    let oldest = "t0".to_owned();
    for number in 0..64 {
        let found = issued(&format!("t{number}"), NOW);
        assert_eq!(found, (None, oldest.clone()), "{number}");
    }
    let full = Some(ErrorCode::TemporarilyUnavailable);
    for now in [NOW, NOW + 99] {
        assert_eq!(issued("more", now), (full, oldest.clone()));
    }
    assert_eq!(issued("later", NOW + 100), (None, "later".to_owned()));
}

#[test]
fn m3_a_code_text_names_its_family_and_has_one_spelling() {
    let user = UserKey::of(HOME, "u-1");
    let family = base64url::encode(&[7; 32]);
    let text = CodeText::new(&user, &family, &[9; 32]);
    let read = CodeText::read(text.expose()).unwrap();
    assert_eq!((read.user(), read.family()), (user.as_str(), &*family));
    assert_eq!(read.digest(), text.digest());
    assert!(!format!("{text:?}").contains(&base64url::encode(&[9; 32])));
    let secret = base64url::encode(&[9; 32]);
    for wrong in [
        String::new(),
        secret.clone(),
        format!("{family}.{secret}"),
        format!("{}.{family}.{secret}.", user.as_str()),
        format!("{}.{family}.{secret}.{secret}", user.as_str()),
        format!("{}.{family}.{}", user.as_str(), secret.split_at(1).1),
        format!("{}.{family}.{secret}=", user.as_str()),
        format!("{}.{family}%2e{secret}", user.as_str()),
        format!("../{}.{family}.{secret}", user.as_str().split_at(3).1),
    ] {
        assert!(CodeText::read(&wrong).is_none(), "{wrong}");
    }
}

#[tokio::test]
async fn n2_1_a_token_of_ours_speaks_for_the_person_of_the_provider() {
    let key = SigningKey::generate().unwrap();
    let minted = |person: &Person, resource: &str, bound: Option<&str>| {
        let minting = Minting {
            issuer: ISSUER,
            person,
            client_id: "c-1",
            resource,
            scopes: "read",
            key: bound,
            now: NOW,
            lifetime_s: 300,
            id: [5; 32],
        };
        minting.sign(&key).unwrap()
    };
    let mut jwk = key.public_jwk();
    jwk["kid"] = json!(key.thumbprint());
    let provider = fixture::Provider::with(&[]);
    let set = json!({ "keys": [jwk] }).to_string();
    provider.answer("https://gw.example/authority/jwks", 200, &set);
    let mut rules = crate::IssuerRules::new(ISSUER);
    rules.keys = Some("https://gw.example/authority/jwks".parse().unwrap());
    rules.claims.user = USER_CLAIM.to_owned();
    rules.home = Some(HOME.to_owned());
    let issuers = Issuers::new(vec![rules], provider).unwrap();
    let files = Audience::of(FILES).unwrap().only_from([ISSUER]);
    let token = minted(&person(), FILES, None).token;
    let caller = issuers.verify(&token, &files, NOW).await.unwrap();
    assert_eq!((caller.issuer(), caller.token_issuer()), (HOME, ISSUER));
    assert_eq!((caller.subject(), caller.user_name()), ("s-1", "u-1"));
    assert_eq!(caller.user(), &UserKey::of(HOME, "u-1"));
    assert_eq!(caller.client(), Some("c-1"));
    assert_eq!(caller.claims().get("acr"), Some(&json!("phr")));
    // It is ours, and goes to nobody else.
    let subject =
        crate::client::SubjectToken::of(&caller, token.clone(), crate::client::Speaks::Person);
    assert_eq!(subject.unwrap().issuer(), ISSUER);
    let mail = Audience::of("https://gw.example/mail")
        .unwrap()
        .only_from([ISSUER]);
    assert!(issuers.verify(&token, &mail, NOW).await.is_err());
    assert!(issuers.verify(&token, &files, NOW + 400).await.is_err());
    // The provider's own name is in no token of ours.
    let at_home = Audience::of(FILES).unwrap().only_from([HOME]);
    assert!(issuers.verify(&token, &at_home, NOW).await.is_err());
}

#[test]
fn m3_an_assertion_is_of_this_client_for_us_now() {
    let key = SigningKey::generate().unwrap();
    let keys = json!({ "keys": [key.public_jwk()] }).to_string();
    let check = |change: &dyn Fn(&mut Map<String, Value>), header: Value, expected: bool| {
        let claims = json!({
            "iss": "c-1", "sub": "c-1", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "j-1",
        });
        let mut claims = claims.as_object().unwrap().clone();
        change(&mut claims);
        let token = key
            .sign(&header.to_string(), &Value::Object(claims).to_string())
            .unwrap();
        let text = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_assertion_type", crate::client::ASSERTION_TYPE)
            .append_pair("client_assertion", &token)
            .finish();
        let parameters = Parameters::read(&text).unwrap();
        let assertion = Assertion::of(&parameters).unwrap().unwrap();
        let audiences = [ISSUER, "https://gw.example/token"];
        let claimed = assertion.claims("c-1", &audiences, NOW);
        let used = claimed.and_then(|claimed| claimed.signed_with(keys.as_bytes()));
        assert_eq!(used.is_ok(), expected, "{:?}", assertion.client_id());
    };
    let plain = || json!({"alg": "ES256"});
    check(&|_| {}, plain(), true);
    check(
        &|_| {},
        json!({"alg": "ES256", "typ": "client-authentication+jwt"}),
        true,
    );
    check(
        &|it| drop(it.insert("aud".into(), json!(["https://gw.example/token"]))),
        plain(),
        true,
    );
    check(&|_| {}, json!({"alg": "ES256", "typ": "at+jwt"}), false);
    check(&|_| {}, json!({"alg": "ES256", "kid": "other"}), false);
    for (name, value) in [
        ("iss", json!("c-2")),
        ("sub", json!("c-2")),
        ("aud", json!("https://evil.example")),
        ("aud", json!([ISSUER, "https://evil.example"])),
        ("exp", json!(NOW - 31)),
        ("exp", json!(NOW + 601)),
        ("exp", json!("soon")),
        ("iat", json!(NOW + 31)),
        ("nbf", json!(NOW + 31)),
        ("jti", json!("")),
        ("jti", json!("x".repeat(257))),
    ] {
        check(
            &|it| drop(it.insert(name.into(), value.clone())),
            plain(),
            false,
        );
    }
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        check(&|it| drop(it.remove(name)), plain(), false);
    }
    let none = Parameters::read("a=b").unwrap();
    assert!(Assertion::of(&none).unwrap().is_none());
    for text in ["client_assertion=e30.e30.x", "client_assertion_type=x"] {
        let parameters = Parameters::read(text).unwrap();
        assert!(Assertion::of(&parameters).is_err(), "{text}");
    }
}

/// What an assertion says is looked at before any key is: no key has to be fetched for one that is wrong,
/// and one that says what it has to shows nothing before its signature is looked at.
#[test]
fn m3_what_an_assertion_says_is_known_before_any_key() {
    let keys = SigningKey::generate().unwrap().public_jwk();
    let keys = json!({ "keys": [keys] }).to_string();
    for (header, named) in [
        (json!({"alg": "ES256"}), true),
        (json!({"alg": "ES256", "kid": "k"}), false),
    ] {
        let claims = json!({
            "iss": "c-1", "sub": "c-1", "aud": ISSUER, "exp": NOW + 60, "jti": "j-1",
        });
        let another = SigningKey::generate().unwrap();
        let token = another.sign(&header.to_string(), &claims.to_string());
        let text = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_assertion_type", crate::client::ASSERTION_TYPE)
            .append_pair("client_assertion", &token.unwrap())
            .finish();
        let parameters = Parameters::read(&text).unwrap();
        let assertion = Assertion::of(&parameters).unwrap().unwrap();
        let claimed = assertion.claims("c-1", &[ISSUER], NOW).unwrap();
        assert_eq!(claimed.names_a_key_of(keys.as_bytes()), named);
        assert!(claimed.signed_with(keys.as_bytes()).is_err());
    }
}
