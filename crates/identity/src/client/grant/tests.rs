//! What each grant sends, to whom, and what of the answer is taken.

use super::*;
use crate::client::fixture::{
    Asked, ISSUER, NOW, SERVER, Setting, TOKEN, World, claims_of, server_with,
};
use crate::client::{At, Credentials, Identity, OAuthError, Resource, TokenKind};
use crate::fixture as tokens_of_others;
use crate::{Caller, Fetched, Sent, caller};
use serde_json::json;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// The issuer of the caller's token.
const HOME: &str = tokens_of_others::ISSUER;
const HOME_TOKEN: &str = "https://id.example.com/token";

fn home() -> AuthorizationServer {
    server_with(&[
        ("issuer", json!(HOME)),
        ("token_endpoint", json!(HOME_TOKEN)),
    ])
}

fn good() -> Value {
    json!({"access_token": "a-1", "token_type": "Bearer", "expires_in": 300, "refresh_token": "r"})
}

fn exchanged() -> Value {
    json!({"access_token": "a-1", "token_type": "Bearer", "expires_in": 300,
        "issued_token_type": ACCESS_TOKEN, "refresh_token": "r"})
}

async fn subject(speaks: Speaks) -> (SubjectToken, String) {
    let token = tokens_of_others::good_token();
    let caller: Arc<Caller> = tokens_of_others::verdict(&token).await.unwrap();
    let subject = SubjectToken::of(&caller, Zeroizing::new(token.clone()), speaks);
    (subject.unwrap(), token)
}

fn fields(asked: &Asked) -> Vec<(String, String)> {
    asked.fields()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn n7_1_client_credentials_are_for_one_server_and_keep_no_refresh_token() {
    let world = World::new().says(TOKEN, 200, &good());
    let setting = Setting::of(server_with(&[]), "a b");
    let (at, want) = (setting.endpoint(&world), setting.want());
    let tokens = at.client_credentials(want).await.unwrap();
    let expected = [
        ("grant_type", "client_credentials"),
        ("resource", SERVER),
        ("scope", "a b"),
        ("client_id", "gateway"),
    ];
    assert_eq!(fields(&world.asked()[0]), pairs(&expected));
    assert_eq!(world.urls(), [TOKEN]);
    assert_eq!(world.asked()[0].method, Sent::Post);
    assert!(!tokens.can_refresh());
    assert_eq!(tokens.expires_at(), Some(NOW + 300));
    assert!(tokens.is_good_at(NOW, 299) && !tokens.is_good_at(NOW, 300));
    assert_eq!(tokens.granted().to_string(), "a b");
}

#[tokio::test]
async fn n7_1_a_token_is_shown_to_no_server_but_the_one_it_is_for() {
    let world = World::new().says(TOKEN, 200, &good());
    let setting = Setting::of(server_with(&[]), "");
    let (at, want) = (setting.endpoint(&world), setting.want());
    let tokens = at.client_credentials(want).await.unwrap();
    assert_eq!(
        tokens.authorization(&setting.resource).unwrap().as_str(),
        "Bearer a-1"
    );
    for other in [
        "https://mcp.example.com/other",
        "https://evil.example/files",
    ] {
        let other = Resource::of(&Url::parse(other).unwrap()).unwrap();
        let refused = tokens.authorization(&other).err();
        assert!(matches!(refused, Some(ClientError::OtherResource(_))));
    }
}

#[tokio::test]
async fn n2_3_refreshing_keeps_what_it_is_given_and_says_when_all_is_lost() {
    let check = async |answer: Value, expected: Result<&str, ClientError>| {
        let status = if answer.get("error").is_some() {
            400
        } else {
            200
        };
        let world = World::new()
            .says(TOKEN, 200, &good())
            .says(TOKEN, status, &answer);
        let setting = Setting::of(server_with(&[]), "a b");
        let (at, want) = (setting.endpoint(&world), setting.want());
        let first = at.ask(Vec::new(), &at.expected(&want)).await.unwrap();
        // As they were kept: nothing is lost on the way.
        let first = Tokens::from_kept(&first.to_kept().unwrap()).unwrap();
        let fresh = at.refresh(&first).await;
        let sent = [
            ("grant_type", "refresh_token"),
            ("refresh_token", "r"),
            ("resource", SERVER),
            ("client_id", "gateway"),
        ];
        assert_eq!(fields(&world.asked()[1]), pairs(&sent));
        let fresh = fresh.map(|fresh| {
            let refresh = fresh.refresh.as_ref().unwrap();
            assert_eq!(fresh.asked(), &setting.scopes);
            format!(
                "{} {} {}",
                fresh.access(),
                refresh.as_str(),
                fresh.granted()
            )
        });
        assert_eq!(fresh, expected.map(str::to_owned), "{answer}");
    };
    let rotated = json!({"access_token": "a-2", "token_type": "Bearer", "refresh_token": "r-2"});
    check(rotated, Ok("a-2 r-2 a b")).await;
    let kept = json!({"access_token": "a-2", "token_type": "Bearer", "scope": "a"});
    check(kept, Ok("a-2 r a")).await;
    check(json!({"error": "invalid_grant"}), Err(ClientError::Lost)).await;
    let denied = |code| ClientError::Denied(Box::new(OAuthError::of(code, None, &[])));
    check(
        json!({"error": "invalid_client"}),
        Err(denied("invalid_client")),
    )
    .await;
    let other = json!({"access_token": "a-2", "token_type": "DPoP"});
    check(other, Err(ClientError::TokenType)).await;
}

#[tokio::test]
async fn n7_1_a_refresh_token_goes_to_its_issuer_only() {
    let world = World::new()
        .says(TOKEN, 200, &good())
        .says(HOME_TOKEN, 200, &good());
    let setting = Setting::of(server_with(&[]), "");
    let (at, want) = (setting.endpoint(&world), setting.want());
    let tokens = at.ask(Vec::new(), &at.expected(&want)).await.unwrap();
    let there = Setting::of(home(), "");
    let elsewhere = there.endpoint(&world);
    let expected = Some(ClientError::OtherIssuer(HOME.to_owned()));
    assert_eq!(elsewhere.refresh(&tokens).await.err(), expected);
    assert_eq!(elsewhere.revoke(&tokens).await.err(), expected);
    assert_eq!(world.urls(), [TOKEN]);
    // Nor is a client ever shown at the endpoint of another server.
    let refused = TokenEndpoint::new(world.outside(), &there.server, &setting.client, None);
    assert_eq!(refused.err(), expected);
    let lost = Tokens {
        refresh: None,
        ..tokens
    };
    assert_eq!(at.refresh(&lost).await.err(), Some(ClientError::Lost));
}

#[tokio::test]
async fn n7_1_a_callers_token_is_exchanged_at_its_issuer_only() {
    let world = World::new()
        .says(HOME_TOKEN, 200, &exchanged())
        .says(TOKEN, 200, &exchanged());
    let setting = Setting::of(home(), "files:read");
    let (at, want) = (setting.endpoint(&world), setting.want());
    let (subject, token) = subject(Speaks::Person).await;
    let target = Target {
        audience: Some("files"),
        actor: None,
    };
    let tokens = at.exchange(&subject, want, target).await.unwrap();
    let expected = [
        ("grant_type", EXCHANGE),
        ("requested_token_type", ACCESS_TOKEN),
        ("subject_token", &token),
        ("subject_token_type", ACCESS_TOKEN),
        ("resource", SERVER),
        ("scope", "files:read"),
        ("audience", "files"),
        ("client_id", "gateway"),
    ];
    assert_eq!(fields(&world.asked()[0]), pairs(&expected));
    assert!(!tokens.can_refresh(), "it would outlive the caller's own");
    assert!(tokens.authorization(&setting.resource).is_ok());

    // At any other authorization server it is refused before anything is sent.
    let there = Setting::of(server_with(&[]), "");
    let elsewhere = there.endpoint(&world);
    let refused = elsewhere.exchange(&subject, want, Target::default()).await;
    assert_eq!(
        refused.err(),
        Some(ClientError::OtherIssuer(ISSUER.to_owned()))
    );
    let refused = elsewhere.on_behalf_of(&subject, want).await;
    assert_eq!(
        refused.err(),
        Some(ClientError::OtherIssuer(ISSUER.to_owned()))
    );
    let refused = elsewhere.id_jag(&subject, &there.server, want).await;
    assert_eq!(
        refused.err(),
        Some(ClientError::OtherIssuer(ISSUER.to_owned()))
    );
    assert_eq!(world.urls(), [HOME_TOKEN]);
}

#[tokio::test]
async fn n7_1_only_the_token_that_was_verified_can_be_a_subject() {
    let token = tokens_of_others::good_token();
    let caller = tokens_of_others::verdict(&token).await.unwrap();
    let other = Zeroizing::new(tokens_of_others::good_token() + "x");
    let refused = SubjectToken::of(&caller, other, Speaks::Person).err();
    assert_eq!(refused, Some(ClientError::Subject));
    let local = Caller::local("alice");
    let refused = SubjectToken::of(&local, Zeroizing::new("alice".to_owned()), Speaks::Person);
    assert_eq!(refused.err(), Some(ClientError::Subject));
    let subject = SubjectToken::of(&caller, Zeroizing::new(token.clone()), Speaks::Person);
    let shown = format!("{subject:?}");
    assert!(shown.contains(HOME) && !shown.contains(&token), "{shown}");
}

#[tokio::test]
async fn n7_1_who_acts_is_said_with_a_token_of_the_same_issuer() {
    let world = World::new()
        .says(HOME_TOKEN, 200, &exchanged())
        .says(TOKEN, 200, &good());
    let setting = Setting::of(home(), "");
    let (at, want) = (setting.endpoint(&world), setting.want());
    let actor = at.client_credentials(want).await.unwrap();
    let (subject, _) = subject(Speaks::Person).await;
    let target = Target {
        audience: None,
        actor: Some(&actor),
    };
    at.exchange(&subject, want, target).await.unwrap();
    let sent = &world.asked()[1];
    assert_eq!(sent.field("actor_token").as_deref(), Some("a-1"));
    assert_eq!(
        sent.field("actor_token_type").as_deref(),
        Some(ACCESS_TOKEN)
    );

    let there = Setting::of(server_with(&[]), "");
    let elsewhere = there.endpoint(&world);
    let foreign = elsewhere.client_credentials(want).await.unwrap();
    let target = Target {
        audience: None,
        actor: Some(&foreign),
    };
    let refused = at.exchange(&subject, want, target).await.err();
    assert_eq!(refused, Some(ClientError::OtherIssuer(HOME.to_owned())));
    assert_eq!(world.urls().len(), 3);
}

#[tokio::test]
async fn n7_1_an_exchange_gives_the_type_of_token_that_was_asked_for() {
    let check = async |name: &str, value: Value, expected: Result<(), ClientError>| {
        let mut answer = exchanged();
        answer[name] = value.clone();
        let world = World::new().says(HOME_TOKEN, 200, &answer);
        let setting = Setting::of(home(), "");
        let (at, want) = (setting.endpoint(&world), setting.want());
        let (subject, _) = subject(Speaks::Person).await;
        let found = at.exchange(&subject, want, Target::default()).await;
        assert_eq!(found.map(|_| ()), expected, "{name} {value}");
    };
    check("issued_token_type", json!(JWT), Ok(())).await;
    let other = || Err(ClientError::TokenType);
    check("issued_token_type", Value::Null, other()).await;
    check("issued_token_type", json!(ID_JAG), other()).await;
    check(
        "issued_token_type",
        json!("urn:ietf:params:oauth:token-type:refresh_token"),
        other(),
    )
    .await;
    check(
        "issued_token_type",
        json!("urn:ietf:params:oauth:token-type:id_token"),
        other(),
    )
    .await;
    check("token_type", json!("N_A"), other()).await;
    check("token_type", json!("DPoP"), other()).await;
}

/// Entra-shaped, not Entra: the fields and the errors that its documentation describes.
#[tokio::test]
async fn n7_1_entra_shaped_on_behalf_of_is_for_people_and_hands_on_what_they_have_to_prove() {
    let answer = json!({"token_type": "Bearer", "scope": "api://files/Files.Read",
        "expires_in": 3599, "ext_expires_in": 3599, "access_token": "a-1", "refresh_token": "r"});
    let world = World::new().says(HOME_TOKEN, 200, &answer);
    let setting = Setting::of(home(), "api://files/.default");
    let (at, want) = (setting.endpoint(&world), setting.want());
    let (person, token) = subject(Speaks::Person).await;
    let tokens = at.on_behalf_of(&person, want).await.unwrap();
    let expected = [
        ("grant_type", JWT_BEARER),
        ("assertion", &token),
        ("requested_token_use", "on_behalf_of"),
        ("scope", "api://files/.default"),
        ("client_id", "gateway"),
    ];
    assert_eq!(fields(&world.asked()[0]), pairs(&expected));
    assert!(!tokens.can_refresh());
    assert_eq!(tokens.granted().to_string(), "api://files/Files.Read");

    let (workload, _) = subject(Speaks::Workload).await;
    let refused = at.on_behalf_of(&workload, want).await.err();
    assert_eq!(refused, Some(ClientError::AppOnly));
    assert_eq!(world.urls().len(), 1, "nothing was sent for an application");

    let claims = r#"{"access_token":{"capolids":{"essential":true,"values":["c-1"]}}}"#;
    let challenge = json!({"error": "interaction_required", "error_codes": [50079],
        "error_description": "AADSTS50079: enrol in MFA. Trace ID: 1", "claims": claims});
    let world = World::new().says(HOME_TOKEN, 400, &challenge);
    let at = setting.endpoint(&world);
    let error = at.on_behalf_of(&person, want).await.unwrap_err();
    assert_eq!(error.code(), "oauth_claims_challenge");
    assert_eq!(error.fault(), controls::Fault::Caller);
    let ClientError::Denied(denied) = error else {
        panic!("{error}");
    };
    assert_eq!(
        denied
            .authentication()
            .and_then(crate::Authentication::claims),
        Some(claims)
    );
}

#[tokio::test]
async fn n7_1_the_older_tokens_of_an_issuer_go_where_the_operator_says_it_speaks() {
    let old = "https://sts.example.net/tenant/";
    let token = jwt(&json!({"iss": old, "sub": "alice"}));
    let subject = SubjectToken::assertion(Zeroizing::new(token)).unwrap();
    assert!(subject.at(&home()).is_err());
    assert!(
        subject
            .at(&home().speaking_for("https://other.example.net/"))
            .is_err()
    );
    assert!(subject.at(&home().speaking_for(old)).is_ok());
}

fn jwt(claims: &Value) -> String {
    tokens_of_others::EC.token(&json!({"alg": "ES256"}), claims)
}

#[tokio::test]
async fn n7_1_an_id_jag_is_asked_for_at_home_and_redeemed_where_it_is_for() {
    let jag = json!({"access_token": "j-1", "issued_token_type": ID_JAG, "token_type": "N_A",
        "expires_in": 300});
    let world = World::new()
        .says(HOME_TOKEN, 200, &jag)
        .says(TOKEN, 200, &good());
    let home = Setting::of(home(), "");
    let upstream = Setting::of(server_with(&[]), "files:read");
    let (at_home, want) = (home.endpoint(&world), upstream.want());
    let id_token = jwt(&json!({"iss": HOME, "sub": "alice"}));
    let subject = SubjectToken::assertion(Zeroizing::new(id_token.clone())).unwrap();
    let jag = at_home
        .id_jag(&subject, &upstream.server, want)
        .await
        .unwrap();
    let expected = [
        ("grant_type", EXCHANGE),
        ("requested_token_type", ID_JAG),
        ("subject_token", &id_token),
        (
            "subject_token_type",
            "urn:ietf:params:oauth:token-type:id_token",
        ),
        ("audience", ISSUER),
        ("resource", SERVER),
        ("scope", "files:read"),
        ("client_id", "gateway"),
    ];
    assert_eq!(fields(&world.asked()[0]), pairs(&expected));
    assert_eq!(
        (jag.audience(), jag.expires_at()),
        (ISSUER, Some(NOW + 300))
    );
    assert!(!format!("{jag:?}").contains("j-1"));

    let there = upstream.endpoint(&world);
    let tokens = there.redeem_id_jag(&jag, want).await.unwrap();
    let expected = [
        ("grant_type", JWT_BEARER),
        ("assertion", "j-1"),
        ("resource", SERVER),
        ("scope", "files:read"),
        ("client_id", "gateway"),
    ];
    assert_eq!(fields(&world.asked()[1]), pairs(&expected));
    assert!(!tokens.can_refresh());

    // For this authorization server and this resource, and for no other.
    let refused = at_home.redeem_id_jag(&jag, want).await.err();
    assert_eq!(refused, Some(ClientError::OtherIssuer(HOME.to_owned())));
    let other = Resource::of(&Url::parse("https://mcp.example.com/other").unwrap()).unwrap();
    let other = Want {
        resource: &other,
        ..want
    };
    let refused = there.redeem_id_jag(&jag, other).await.err();
    assert!(matches!(refused, Some(ClientError::OtherResource(_))));
    assert_eq!(world.urls().len(), 2);
}

#[tokio::test]
async fn n7_1_what_is_no_id_jag_is_not_carried_on() {
    let check = async |name: &str, value: Value, expected: ClientError| {
        let mut answer = json!({"access_token": "j-1", "issued_token_type": ID_JAG,
            "token_type": "N_A"});
        answer[name] = value.clone();
        let world = World::new().says(HOME_TOKEN, 200, &answer);
        let setting = Setting::of(home(), "");
        let (at, want) = (setting.endpoint(&world), setting.want());
        let upstream = server_with(&[]);
        let (subject, _) = subject(Speaks::Person).await;
        let found = at.id_jag(&subject, &upstream, want).await.err();
        assert_eq!(found, Some(expected), "{name} {value}");
    };
    check(
        "issued_token_type",
        json!(ACCESS_TOKEN),
        ClientError::TokenType,
    )
    .await;
    check("issued_token_type", Value::Null, ClientError::TokenType).await;
    check("token_type", json!("Bearer"), ClientError::TokenType).await;
    check("token_type", Value::Null, ClientError::TokenType).await;
    let missing = ClientError::Answer("`access_token` is missing");
    check("access_token", Value::Null, missing).await;
    check("expires_in", json!(0), ClientError::Answer("`expires_in`")).await;
}

#[tokio::test]
async fn n7_1_a_workload_token_goes_only_to_a_server_it_names() {
    let check = async |audience: Value, expected: bool| {
        let world = World::new().says(TOKEN, 200, &good());
        let mut setting = Setting::of(server_with(&[]), "");
        setting.client = Identity::unregistered(ISSUER);
        let (at, want) = (setting.endpoint(&world), setting.want());
        let token = jwt(&json!({"iss": "spiffe://example.org", "sub": "w", "aud": audience}));
        let workload = WorkloadToken::new(Zeroizing::new(token.clone())).unwrap();
        assert!(!format!("{workload:?}").contains(&token));
        let found = at.workload(&workload, want).await;
        assert_eq!(found.is_ok(), expected, "{audience}");
        let sent = [
            ("grant_type", JWT_BEARER),
            ("assertion", &token),
            ("resource", SERVER),
        ];
        let sent = if expected { pairs(&sent) } else { Vec::new() };
        let asked = world.asked();
        assert_eq!(asked.first().map(fields).unwrap_or_default(), sent);
    };
    check(json!(ISSUER), true).await;
    check(json!("https://as.example.com/"), true).await;
    check(json!(TOKEN), true).await;
    check(json!(["https://other.example.com", ISSUER]), true).await;
    check(json!("https://other.example.com"), false).await;
    check(json!("https://as.example.com.evil.example"), false).await;
    check(json!([]), false).await;
    let refused = |token: &str| WorkloadToken::new(Zeroizing::new(token.to_owned())).err();
    for token in [
        "",
        "a.b.c",
        &jwt(&json!({"sub": "w"})),
        &jwt(&json!({"aud": [1]})),
    ] {
        assert_eq!(refused(token), Some(ClientError::Subject), "{token}");
    }
}

/// A refused workload token is not brought again, and no other grant is tried in its place.
#[tokio::test]
async fn a_refused_assertion_is_final() {
    for code in ["invalid_grant", "invalid_scope", "unauthorized_client"] {
        let world = World::new().says(TOKEN, 400, &json!({ "error": code }));
        let setting = Setting::of(server_with(&[]), "");
        let (at, want) = (setting.endpoint(&world), setting.want());
        let workload = WorkloadToken::new(Zeroizing::new(jwt(&json!({"aud": ISSUER}))));
        let error = at.workload(&workload.unwrap(), want).await.unwrap_err();
        let denied = OAuthError::of(code, None, &[]);
        assert_eq!(error, ClientError::Denied(Box::new(denied)));
        assert_eq!(world.urls().len(), 1);
    }
}

#[tokio::test]
async fn a_token_that_is_no_longer_used_is_given_back() {
    let revoke = "https://as.example.com/revoke";
    let check = async |metadata: &[(&str, Value)], refresh: bool, expected: &[(&str, &str)]| {
        let world = World::new()
            .says(TOKEN, 200, &good())
            .says(revoke, 200, &json!({}));
        let setting = Setting::of(server_with(metadata), "");
        let (at, want) = (setting.endpoint(&world), setting.want());
        let mut tokens = at.ask(Vec::new(), &at.expected(&want)).await.unwrap();
        tokens.refresh = tokens.refresh.filter(|_| refresh);
        assert_eq!(at.revoke(&tokens).await, Ok(()));
        let sent = world.asked().get(1).map(fields).unwrap_or_default();
        assert_eq!(sent, pairs(expected));
    };
    let client = ("client_id", "gateway");
    let whole = [("token", "r"), ("token_type_hint", "refresh_token"), client];
    check(&[], true, &whole).await;
    let one = [
        ("token", "a-1"),
        ("token_type_hint", "access_token"),
        client,
    ];
    check(&[], false, &one).await;
    check(&[("revocation_endpoint", Value::Null)], true, &[]).await;
}

#[tokio::test]
async fn n7_4_a_bound_token_is_asked_for_with_a_proof_and_the_nonce_that_is_wanted() {
    let nonce = |status: u16, body: Value, nonce: &str| {
        let mut answer = Fetched::of(status, body.to_string());
        answer.dpop_nonce = Some(nonce.to_owned());
        Ok(answer)
    };
    let bound = json!({"access_token": "a-1", "token_type": "DPoP"});
    let wants = json!({"error": "use_dpop_nonce"});
    let world = World::new()
        .gives(TOKEN, nonce(400, wants.clone(), "n-1"))
        .gives(TOKEN, nonce(200, bound.clone(), "n-2"))
        .gives(TOKEN, nonce(200, bound.clone(), "n-3"));
    let setting = Setting::of(server_with(&[]), "").bound();
    let (at, want) = (setting.endpoint(&world), setting.want());
    let tokens = at.client_credentials(want).await.unwrap();
    assert_eq!(tokens.kind(), TokenKind::Dpop);
    assert_eq!(
        tokens.authorization(&setting.resource).unwrap().as_str(),
        "DPoP a-1"
    );
    at.client_credentials(want).await.unwrap();
    let proof = |asked: &Asked| {
        let claims = claims_of(asked.header("dpop").unwrap());
        assert_eq!(
            (&claims["htm"], &claims["htu"]),
            (&json!("POST"), &json!(TOKEN))
        );
        assert_eq!((&claims["iat"], claims.get("ath")), (&json!(NOW), None));
        (claims["jti"].clone(), claims.get("nonce").cloned())
    };
    let sent: Vec<_> = world.asked().iter().map(proof).collect();
    let nonces: Vec<_> = sent.iter().map(|(_, nonce)| nonce.clone()).collect();
    assert_eq!(nonces, [None, Some(json!("n-1")), Some(json!("n-2"))]);
    assert!(
        sent[0].0 != sent[1].0 && sent[1].0 != sent[2].0,
        "a proof came twice"
    );
    let form = |at: usize| world.asked()[at].fields();
    assert_eq!(form(0), form(1), "the same request again");

    // What the server behind it is shown is hashed into a proof of its own, with its own nonce.
    let url = setting.resource.url();
    let proofs = setting.proofs.as_ref().unwrap();
    let proof = proofs
        .proof(At::Resource, "POST", url, NOW, Some(tokens.access()))
        .unwrap();
    let claims = claims_of(proof.as_str());
    let hash = crate::base64url::encode(&caller::token_digest("a-1"));
    assert_eq!((&claims["ath"], claims.get("nonce")), (&json!(hash), None));
}

#[tokio::test]
async fn n7_4_a_nonce_is_followed_once_and_only_if_it_is_new() {
    let check = async |nonces: [Option<&str>; 2], asked: usize| {
        let mut world = World::new();
        for nonce in nonces {
            let mut answer = Fetched::of(400, json!({"error": "use_dpop_nonce"}).to_string());
            answer.dpop_nonce = nonce.map(str::to_owned);
            world = world.gives(TOKEN, Ok(answer));
        }
        let setting = Setting::of(server_with(&[]), "").bound();
        let (at, want) = (setting.endpoint(&world), setting.want());
        let error = at.client_credentials(want).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the authorization server refused: `use_dpop_nonce`"
        );
        assert_eq!(world.urls().len(), asked, "{nonces:?}");
    };
    check([Some("n-1"), Some("n-2")], 2).await;
    check([None, None], 1).await;
    check([Some("a b"), None], 1).await;
}

#[tokio::test]
async fn n7_4_a_token_that_is_not_bound_is_none_where_one_was_asked_for() {
    let world = World::new().says(TOKEN, 200, &good());
    let setting = Setting::of(server_with(&[]), "").bound();
    let (at, want) = (setting.endpoint(&world), setting.want());
    let refused = at.client_credentials(want).await.err();
    assert_eq!(refused, Some(ClientError::TokenType));
    let name = "dpop_signing_alg_values_supported";
    for (listed, taken) in [
        (json!(["ES256"]), true),
        (json!(["RS256"]), false),
        (json!([]), false),
    ] {
        let server = server_with(&[(name, listed.clone())]);
        let (client, proofs) = (&setting.client, setting.proofs.as_ref());
        let at = TokenEndpoint::new(world.outside(), &server, client, proofs);
        let expected = if taken {
            None
        } else {
            Some(ClientError::DpopAlgorithm)
        };
        assert_eq!(at.err(), expected, "{listed}");
        assert_eq!(server.offers_dpop(), taken);
    }
}

#[tokio::test]
async fn n2_3_a_refresh_token_is_of_no_use_to_another_client() {
    let world = World::new().says(TOKEN, 200, &good());
    let mut setting = Setting::of(server_with(&[]), "");
    let tokens = {
        let (at, want) = (setting.endpoint(&world), setting.want());
        at.ask(Vec::new(), &at.expected(&want)).await.unwrap()
    };
    assert_eq!(tokens.client_id(), Some("gateway"));
    let tokens = Tokens::from_kept(&tokens.to_kept().unwrap()).unwrap();
    setting.client = Identity::preregistered(ISSUER, "registered-anew", Credentials::None);
    let refused = setting.endpoint(&world).refresh(&tokens).await.err();
    assert_eq!(refused, Some(ClientError::OtherClient(ISSUER.to_owned())));
    assert_eq!(world.urls().len(), 1, "nothing was sent");
}
