//! Attacks on Ringwall as a client, each with the answer it gets: authorization servers that want
//! the codes, tokens and secrets of others, and servers that want tokens that are not for them.
//! After each attack the world is asked what it heard.

use super::fixture::{
    CALLBACK, ISSUER, NOW, SERVER, Setting, TOKEN, World, metadata, resource, server_with,
};
use super::*;
use crate::FetchError;
use crate::Fetched;
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

const EVIL: &str = "https://evil.example";
const EVIL_TOKEN: &str = "https://evil.example/token";
const SECRET: &str = "correct-horse-battery-staple";

fn client(issuer: &str) -> Identity {
    let secret = Arc::new(Zeroizing::new(SECRET.to_owned()));
    let credentials = Credentials::Secret(secret, SecretMethod::AsListed);
    Identity::preregistered(issuer, "gateway", credentials)
}

fn evil_server() -> AuthorizationServer {
    server_with(&[
        ("issuer", json!(EVIL)),
        ("token_endpoint", json!(EVIL_TOKEN)),
    ])
}

async fn begun(world: &World, server: &AuthorizationServer, client: &Identity) -> Flow {
    let at = TokenEndpoint::new(world.outside(), server, client, None).unwrap();
    let (resource, scopes) = (resource(), Scopes::default());
    let ask = Ask {
        purpose: Purpose::Access(&resource),
        scopes: &scopes,
        redirect_uri: CALLBACK,
        claims: None,
        strength: None,
    };
    Flow::begin(&at, ask).await.unwrap().flow
}

/// Nothing that is secret was heard at any address but those of its own server.
fn only_heard_at_home(world: &World, secrets: &[&str]) {
    for asked in world.asked() {
        if asked.url.starts_with(ISSUER) {
            continue;
        }
        let heard = format!("{asked:?}");
        for secret in secrets {
            assert!(!heard.contains(secret), "{} heard `{secret}`", asked.url);
        }
    }
}

/// The attacker's server sends the browser on to the honest one with its own state, so that the
/// honest code comes back in the attacker's flow.
#[tokio::test]
async fn n2_1_mix_up_an_honest_code_in_the_attackers_flow_goes_nowhere() {
    let world = World::new();
    let flow = begun(&world, &evil_server(), &client(EVIL)).await;
    let query = format!("code=honest-code&state={}&iss={ISSUER}", flow.state());
    assert_eq!(
        flow.answer(CALLBACK, &query, NOW).err(),
        Some(ClientError::Issuer)
    );
    assert!(world.urls().is_empty());
}

/// The honest server does not say who it is: the code still only goes to the issuer that was asked.
#[tokio::test]
async fn n2_1_mix_up_without_a_name_a_code_goes_to_the_issuer_that_was_asked() {
    let silent = [(
        "authorization_response_iss_parameter_supported",
        json!(false),
    )];
    let world = World::new().says(TOKEN, 200, &json!({}));
    let (honest, ours) = (server_with(&silent), client(ISSUER));
    let flow = begun(&world, &honest, &ours).await;
    let query = format!("code=honest-code&state={}", flow.state());
    let code = flow.answer(CALLBACK, &query, NOW);
    let (evil, theirs) = (evil_server(), client(EVIL));
    let at = TokenEndpoint::new(world.outside(), &evil, &theirs, None).unwrap();
    let refused = code.unwrap().redeem(&at).await.err();
    assert_eq!(refused, Some(ClientError::OtherIssuer(EVIL.to_owned())));
    only_heard_at_home(&world, &["honest-code", SECRET]);
}

/// A code of somebody else, injected into the browser of the victim.
#[tokio::test]
async fn n2_1_a_code_of_another_flow_does_not_fit() {
    let world = World::new();
    let (server, client) = (server_with(&[]), client(ISSUER));
    let victim = begun(&world, &server, &client).await;
    let attacker = begun(&world, &server, &client).await;
    assert_ne!(victim.state(), attacker.state());
    let query = format!("code=c-1&state={}&iss={ISSUER}", attacker.state());
    let refused = victim.answer(CALLBACK, &query, NOW).err();
    assert!(matches!(refused, Some(ClientError::Callback(_))));
}

/// A server names an authorization server whose metadata names endpoints of the attacker.
#[tokio::test]
async fn n2_1_issuer_confusion_metadata_speaks_for_its_own_issuer_only() {
    let at = "https://evil.example/.well-known/oauth-authorization-server";
    let world = World::new().says(at, 200, &metadata());
    let found = find_server(world.outside(), EVIL).await.err();
    assert_eq!(found, Some(ClientError::Metadata(EVIL.to_owned())));
    // With its own issuer it is itself, and has none of the other's credentials.
    let mut document = metadata();
    document["issuer"] = json!(EVIL);
    let world = World::new().says(at, 200, &document);
    let evil = find_server(world.outside(), EVIL).await.unwrap();
    let ours = client(ISSUER);
    let refused = TokenEndpoint::new(world.outside(), &evil, &ours, None).err();
    assert_eq!(refused, Some(ClientError::OtherIssuer(EVIL.to_owned())));
    let offers = Offers {
        preregistered: Some(&ours),
        ..Offers::default()
    };
    let refused = identify(world.outside(), &evil, offers).await.err();
    let expected = ISSUER.to_owned();
    assert_eq!(refused, Some(ClientError::IssuerChanged { expected }));
    only_heard_at_home(&world, &[SECRET]);
}

/// A server asks for tokens in the name of another one.
#[tokio::test]
async fn n7_2_metadata_that_points_to_another_resource_ends_the_search() {
    let evil = Url::parse("https://evil.example/mcp").unwrap();
    let at = "https://evil.example/.well-known/oauth-protected-resource/mcp";
    let document = json!({"resource": SERVER, "authorization_servers": [ISSUER]});
    let world = World::new().says(at, 200, &document);
    let found = find_resource(world.outside(), &evil, None).await.err();
    let expected = ClientError::Resource("https://evil.example/mcp".to_owned());
    assert_eq!(found, Some(expected));
    assert_eq!(world.urls(), [at]);
}

/// A tenant of a shared host asks for a token for all of the host.
#[tokio::test]
async fn n7_2_a_tenant_cannot_ask_for_the_whole_host() {
    let tenant = Url::parse("https://shared.example/evil").unwrap();
    let header = "Bearer resource_metadata=\"https://shared.example/evil/meta\"";
    let demand = Demand::of(401, &[header]);
    let document = json!({"resource": "https://shared.example", "authorization_servers": [ISSUER]});
    let world = World::new().says("https://shared.example/evil/meta", 200, &document);
    let found = find_resource(world.outside(), &tenant, demand.as_ref()).await;
    assert!(matches!(found, Err(ClientError::Resource(_))));
}

/// What the way out refuses is refused, and is not looked for elsewhere in a kinder way.
#[tokio::test]
async fn n2_1_an_address_that_may_not_be_reached_is_the_operators_to_allow() {
    let not_allowed = FetchError::NotAllowed("10.0.0.1".to_owned());
    let world = World::new().gives(TOKEN, Err(not_allowed.clone()));
    let setting = Setting::of(server_with(&[]), "");
    let (at, want) = (setting.endpoint(&world), setting.want());
    let error = at.client_credentials(want).await.unwrap_err();
    assert_eq!(error, ClientError::Fetch(not_allowed));
    assert_eq!(error.code(), "oauth_not_allowed");
    assert_eq!(error.fault(), controls::Fault::Operator);
    assert_eq!(world.urls().len(), 1);
}

/// A token endpoint that sends the request, with the secret in it, somewhere else.
#[tokio::test]
async fn n2_1_a_redirect_is_not_followed() {
    let mut answer = Fetched::of(307, "");
    answer.location = Some(EVIL_TOKEN.to_owned());
    let world = World::new().gives(TOKEN, Ok(answer));
    let setting = Setting::of(server_with(&[]), "");
    let (at, want) = (setting.endpoint(&world), setting.want());
    let error = at.client_credentials(want).await.err();
    assert_eq!(error, Some(ClientError::Status(307)));
    assert_eq!(world.urls(), [TOKEN]);
}

/// An authorization server that repeats what it was sent, so that it ends up in a log.
#[tokio::test]
async fn n7_3_no_error_and_no_debug_repeats_a_secret() {
    let token = "a-token-of-some-length-that-is-secret";
    let good = json!({"access_token": token, "token_type": "Bearer", "refresh_token": token});
    let echo = |text: &str| json!({"error": "invalid_request", "error_description": text});
    let mut setting = Setting::of(server_with(&[]), "");
    setting.client = client(ISSUER);
    let world = World::new()
        .says(TOKEN, 200, &good)
        .says(TOKEN, 400, &echo(&format!("secret {SECRET} is wrong")))
        .says(
            TOKEN,
            400,
            &echo(&format!("refresh token {token} is wrong")),
        )
        .says(TOKEN, 400, &json!({"error": token}));
    let (at, want) = (setting.endpoint(&world), setting.want());
    let tokens = at.ask(Vec::new(), &at.expected(&want)).await;
    let (tokens, client) = (tokens.unwrap(), &setting.client);
    let mut shown = format!("{tokens:?} {client:?} {at:?} {:?}", world.outside());
    for _ in 0..3 {
        let error = at.refresh(&tokens).await.unwrap_err();
        shown += &format!("{error} {error:?} {}", error.remedy());
    }
    let flow = begun(&world, &setting.server, client).await;
    let kept = flow.to_kept().unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    shown += &format!("{flow:?}");
    let query = format!(
        "code=a-code-that-is-secret&state={}&iss={ISSUER}",
        flow.state()
    );
    shown += &format!("{:?}", flow.answer(CALLBACK, &query, NOW).unwrap());
    let verifier = kept["verifier"].as_str().unwrap();
    for secret in [token, SECRET, verifier, "a-code-that-is-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// Every error has a name, somebody at fault and a way out, in the words of the house.
#[test]
fn every_error_says_what_whose_and_what_to_do() {
    let other = || "x".to_owned();
    let all = [
        ClientError::Answer("x"),
        ClientError::AppOnly,
        ClientError::Authentication,
        ClientError::Beyond,
        ClientError::Callback("x"),
        ClientError::Denied(Box::new(OAuthError::of("x", None, &[]))),
        ClientError::DpopAlgorithm,
        ClientError::Endpoint("x"),
        ClientError::Entropy(EntropyError),
        ClientError::Fetch(FetchError::TimedOut),
        ClientError::Issuer,
        ClientError::IssuerChanged { expected: other() },
        ClientError::Lost,
        ClientError::Metadata(other()),
        ClientError::OtherClient(other()),
        ClientError::OtherIssuer(other()),
        ClientError::OtherResource(other()),
        ClientError::Pkce,
        ClientError::Registration(other()),
        ClientError::Resource(other()),
        ClientError::Scopes,
        ClientError::Signing(crate::SigningError::Signing),
        ClientError::Status(500),
        ClientError::StepUp,
        ClientError::Subject,
        ClientError::TokenType,
        ClientError::Unnamed(other()),
    ];
    let mut codes: Vec<&str> = all.iter().map(ClientError::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    for error in all {
        assert!(error.code().starts_with("oauth_"));
        assert!(!error.remedy().is_empty() && !error.to_string().contains('\n'));
        let (_, _) = (error.fault(), error.control());
    }
}
