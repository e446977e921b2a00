//! What happens between two steps, and what comes to the wrong place: consents and people that are gone, clients that are others
//! now, documents that are not there any more.

use super::super::clients::{authenticated, find};
use super::super::desk::Counted;
use super::super::journey::Journey;
use super::*;
use crate::revocation::{Order, Origin, Target};
use crate::state::Kind;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use identity::client::Flow;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const GRANT: Option<ErrorCode> = Some(ErrorCode::InvalidGrant);

impl World {
    /// Revokes this, and says what it is called.
    async fn revokes(&self, target: Target) -> String {
        let now_ms = self.clock.unix_s() * 1000;
        let order = Order {
            target,
            at_ms: now_ms,
            block: false,
            origin: Origin::Operator,
            why: "a test".to_owned(),
            by: "a test".to_owned(),
        };
        self.gate()
            .revocations
            .add(order, now_ms)
            .await
            .unwrap()
            .id
            .to_string()
    }
}

fn alice() -> Target {
    Target::User {
        issuer: Some(ISSUER.to_owned()),
        name: "alice".to_owned(),
    }
}

#[tokio::test]
async fn m3_a_code_is_worth_nothing_once_what_it_stands_on_is_gone() {
    let world = World::new().await;
    let client = world.client().await;
    // What was agreed to is taken back.
    let code = world.code(&client, person("alice")).await;
    let user = person("alice").key();
    let agreed = list(world.gate(), user.as_str()).await.unwrap();
    let taken = revoke(world.gate(), user.as_str(), &agreed[0].id, "alice").await;
    assert!(taken.unwrap());
    assert_eq!(world.redeemed(&client, &code).await.err(), GRANT);
    // The client is another one by the same id.
    let code = world.code(&client, person("alice")).await;
    let members = json!({ "redirect_uris": ["http://127.0.0.1/cb"], "client_name": "Editor 2" });
    let other = Client::registering(client.id(), members.to_string().as_bytes()).unwrap();
    assert_eq!(world.redeemed(&other, &code).await.err(), GRANT);
    // Whoever agreed is revoked.
    let code = world.code(&client, person("alice")).await;
    world.revokes(alice()).await;
    assert_eq!(world.redeemed(&client, &code).await.err(), GRANT);
    let code = world.code(&client, person("bob")).await;
    assert!(world.redeemed(&client, &code).await.is_ok());
}

#[tokio::test]
async fn n2_3_a_line_of_refresh_tokens_ends_with_the_person_their_login_and_their_word() {
    let world = World::new().await;
    let client = world.client().await;
    let claims = json!({ "sid": "login-1" });
    let claims = claims.as_object().unwrap();
    let carol = Person::new((ISSUER, "carol", "carol"), "groups", claims, []);
    let dave = person("dave").key();
    let mut tokens = Vec::new();
    for person in [person("alice"), carol, person("dave"), person("erin")] {
        let code = world.code(&client, person).await;
        tokens.push(world.redeemed(&client, &code).await.unwrap()["refresh_token"].take());
    }
    let revoked = world.revokes(alice()).await;
    world
        .revokes(Target::Login {
            issuer: ISSUER.to_owned(),
            name: "login-1".to_owned(),
            user: None,
        })
        .await;
    let agreed = list(world.gate(), dave.as_str()).await.unwrap();
    let consent = format!("{}/{}", dave.as_str(), agreed[0].id);
    let rows = &world.gate().rows;
    assert!(rows.remove(Kind::Consent, &consent).await.unwrap());
    for (at, expected) in [(0, GRANT), (1, GRANT), (2, GRANT), (3, None)] {
        let refreshed = world.refreshed(&client, &tokens[at]).await;
        assert_eq!(refreshed.err(), expected, "{at}");
    }
    // It has ended: it does not come back with her.
    let now_ms = world.clock.unix_s() * 1000;
    let lifted = world.gate().revocations.lift(&revoked, "a test", now_ms);
    assert!(lifted.await.unwrap().is_some());
    assert_eq!(world.refreshed(&client, &tokens[0]).await.err(), GRANT);
}

#[tokio::test]
async fn n2_3_a_shorter_life_is_that_of_lines_that_began_before_it_was_configured() {
    let world = World::new().await;
    let client = world.client().await;
    let code = world.code(&client, person("alice")).await;
    let tokens = world.redeemed(&client, &code).await.unwrap();
    let shorter = "registration: open, tokens: { refresh: 10d, idle: 1d }";
    let world = world.again(shorter).await;
    world.clock.advance_ms(DAY_MS);
    let refreshed = world.refreshed(&client, &tokens["refresh_token"]).await;
    assert_eq!(refreshed.err(), GRANT);
}

#[tokio::test]
async fn n2_3_a_refresh_token_is_no_code_and_ends_nothing_where_it_comes_as_one() {
    let world = World::new().await;
    let client = world.client().await;
    let code = world.code(&client, person("alice")).await;
    let tokens = world.redeemed(&client, &code).await.unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(world.redeemed(&client, refresh).await.err(), GRANT);
    let refreshed = world.refreshed(&client, &tokens["refresh_token"]).await;
    assert!(refreshed.is_ok());
}

#[tokio::test]
async fn n2_3_a_client_that_does_not_refresh_gets_no_refresh_token() {
    let world = World::new().await;
    let members = json!({ "redirect_uris": ["http://127.0.0.1/cb"] });
    let client = world.registered(&members).await;
    let code = world.code(&client, person("alice")).await;
    let tokens = world.redeemed(&client, &code).await.unwrap();
    assert!(tokens["access_token"].is_string());
    assert!(tokens.get("refresh_token").is_none(), "{tokens}");
}

#[tokio::test]
async fn m3_who_had_registered_is_nobody_once_clients_may_not_register() {
    let world = World::new().await;
    let client = world.client().await;
    let world = world
        .again("registration: off, documents: [app.example]")
        .await;
    let authority = world.authority();
    let found = find(&world.at(&authority), client.id()).await;
    assert_eq!(
        found.err().map(|it| it.code),
        Some(ErrorCode::InvalidClient)
    );
}

#[tokio::test]
async fn m3_a_client_without_a_key_shows_none() {
    let world = World::new().await;
    let client = world.client().await;
    let authority = world.authority();
    let part = |value: Value| BASE64.encode(value.to_string());
    let head = part(json!({ "alg": "ES256", "typ": "JWT" }));
    let said = part(json!({ "iss": client.id(), "sub": client.id(), "aud": OWN }));
    let assertion = format!("{head}.{said}.{}", BASE64.encode([7; 64]));
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let plain = format!("client_id={}", client.id());
    for (form, is_it) in [
        (plain.clone(), true),
        (
            format!("{plain}&client_assertion_type={kind}&client_assertion={assertion}"),
            false,
        ),
    ] {
        let parameters = Parameters::read(&form).unwrap();
        let shown = authenticated(&world.at(&authority), &parameters).await;
        assert_eq!(shown.is_ok(), is_it, "{form}");
    }
}

#[tokio::test]
async fn n4_1_what_all_do_together_is_bounded_too() {
    let world = World::new().await;
    let authority = world.authority();
    let mut counted = 0u32;
    let counts = |nth: u32| {
        let source = Ipv4Addr::from(0x0a00_0000 + nth).into();
        let at = authority.desk.at(world.gate(), &authority, source);
        at.counts(Counted::Registration)
    };
    while counted < 1000 && counts(counted) {
        counted += 1;
    }
    assert_eq!(counted, 200);
}

#[tokio::test]
async fn m3_a_browser_comes_back_from_its_provider_within_ten_minutes() {
    let world = World::new().await;
    let client = world.client().await;
    let authority = world.authority();
    let text = format!(
        "client_id={}&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb&response_type=code\
         &code_challenge={CHALLENGE}&code_challenge_method=S256",
        client.id()
    );
    let parameters = Parameters::read(&text).unwrap();
    let wanted = Wanted::read(&parameters, &client, &authority.offered).unwrap();
    let flow = json!({
        "state": "s", "verifier": "v", "nonce": "n", "issuer": ISSUER, "says_issuer": true,
        "client_id": "ringwall", "redirect_uri": OWN, "resource": null, "scopes": "openid",
        "expires_at": 1,
    });
    let leaves = async |cookie: &str| {
        let at = world.at(&authority);
        let journey = Journey {
            asked: Asked::new(&at, wanted.clone(), client.digest()).unwrap(),
            flow: Flow::from_kept(flow.to_string().as_bytes()).unwrap(),
        };
        journey.leave(&at, cookie).await.unwrap();
    };
    let comes = async |cookie: &str, state: &str| {
        let found = Journey::take(&world.at(&authority), cookie, state).await;
        found.unwrap().is_some()
    };
    leaves("in time").await;
    leaves("late").await;
    world.clock.advance_ms(PATIENCE_S * 1000 - 1);
    assert!(!comes("in time", "another").await && !comes("another", "s").await);
    assert!(comes("in time", "s").await && !comes("in time", "s").await);
    world.clock.advance_ms(1);
    assert!(!comes("late", "s").await);
}

/// What a host of documents says: a status, a header, and whether the document comes with it.
type Says = (u16, &'static str, Comes);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    Document,
    Nothing,
}

/// A host of one document: what it says at each visit, the last again and again.
struct Host {
    id: String,
    visits: Arc<AtomicUsize>,
}

impl Host {
    async fn says(all: Vec<Says>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let id = format!("http://{}/client.json", listener.local_addr().unwrap());
        let document = json!({ "client_id": id, "redirect_uris": ["https://app.example/cb"] });
        let visits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&visits);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let nth = counted.fetch_add(1, Ordering::SeqCst);
                let (status, header, comes) = all[nth.min(all.len() - 1)];
                let body = match comes {
                    Comes::Document => document.to_string(),
                    Comes::Nothing => String::new(),
                };
                let _ = stream.read(&mut [0; 4096]).await;
                let answer = format!(
                    "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-type: application/json\r\n\
                     {header}content-length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Host { id, visits }
    }
}

const NEARBY: &str = "registration: off, documents: ['127.0.0.1'], network: private";
const HOUR_MS: u64 = 3600 * 1000;

/// Looks for a client after so many milliseconds each: whether it is found, and how often its host was asked
/// by then.
async fn looks(says: Vec<Says>, looks: &[(u64, bool, usize)]) {
    let (world, host) = (World::with(NEARBY).await, Host::says(says).await);
    let authority = world.authority();
    for (nth, (later_ms, is_found, visits)) in looks.iter().enumerate() {
        world.clock.advance_ms(*later_ms);
        let found = find(&world.at(&authority), &host.id).await;
        let seen = (found.is_ok(), host.visits.load(Ordering::SeqCst));
        assert_eq!(seen, (*is_found, *visits), "look {nth}");
    }
}

#[tokio::test]
async fn m3_a_document_is_believed_for_a_while_and_within_bounds() {
    let (good, minute) = (Comes::Document, 60_000);
    let unsaid = vec![(200, "", good)];
    let hour = [(0, true, 1), (HOUR_MS - 1, true, 1), (1, true, 2)];
    looks(unsaid, &hour).await;
    let short = vec![(200, "cache-control: max-age=1\r\n", good)];
    let least = [(0, true, 1), (5 * minute - 1, true, 1), (1, true, 2)];
    looks(short, &least).await;
    let long = vec![(200, "cache-control: max-age=99999999\r\n", good)];
    let most = [(0, true, 1), (24 * HOUR_MS - 1, true, 1), (1, true, 2)];
    looks(long, &most).await;
}

#[tokio::test]
async fn m3_a_document_that_cannot_be_read_any_more_stands_for_a_day_and_one_that_is_gone_does_not()
{
    let (good, nothing) = (Comes::Document, Comes::Nothing);
    let day = 24 * HOUR_MS;
    for (status, comes) in [(500, good), (503, nothing), (302, nothing), (200, nothing)] {
        let says = vec![(200, "", good), (status, "", comes)];
        let stale = [
            (0, true, 1),
            (HOUR_MS, true, 2),
            (day - 1, true, 3),
            (1, false, 4),
        ];
        looks(says, &stale).await;
    }
    for status in [404, 410] {
        let says = vec![(200, "", good), (status, "", good), (500, "", nothing)];
        // Forgotten with it: it does not stand when the host is away afterwards.
        let gone = [(0, true, 1), (HOUR_MS, false, 2), (0, false, 3)];
        looks(says, &gone).await;
    }
}

#[tokio::test]
async fn n4_1_one_address_has_so_many_documents_read() {
    let world = World::with(NEARBY).await;
    let host = Host::says(vec![(500, "", Comes::Nothing)]).await;
    let authority = world.authority();
    for nth in 0..35 {
        let id = format!("{}{nth}", host.id);
        assert!(find(&world.at(&authority), &id).await.is_err());
    }
    assert_eq!(host.visits.load(Ordering::SeqCst), 30);
}
