//! What lives as long as it should, with time passed in: registrations, lines of refresh tokens, keys, and
//! what people take back.

mod clients_elsewhere;
mod lines;
mod meanwhile;

use super::journey::Asked;
use super::*;
use crate::clock::{Clock, StillClock};
use crate::egress::EgressSettings;
use crate::house::House;
use crate::load::Loaded;
use crate::revocation::{Barred, Facts};
use identity::authority::{Client, ErrorCode, Parameters, Person, Request as Wanted};
use serde_json::{Value, json};

const NOW_MS: u64 = 1_800_000_000_000;
const ISSUER: &str = "https://id.example.com";
const OWN: &str = "https://mcp.example.com";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const DAY_MS: u64 = 24 * 3600 * 1000;

struct World {
    clock: Arc<StillClock>,
    house: House,
    folder: tempfile::TempDir,
}

/// What is usual of an authorization server.
const USUAL: &str = "registration: open, tokens: { refresh: 10d, idle: 2d }";

fn settled(data: &std::path::Path, server: &str) -> Settled {
    let text = format!(
        "version: 1\npublic_url: {OWN}\nlisteners: [{{ address: '127.0.0.1:0' }}]\n\
         issuers: [{{ issuer: '{ISSUER}', sign_in: {{ client: ringwall }} }}]\n\
         authorization_server: {{ {server} }}\n\
         servers: [{{ name: s, http: {{ url: 'https://s.example.com/mcp' }} }}]\n\
         routes: [{{ path: /s, server: s, issuers: [self] }}]\n"
    );
    let (settled, _) = config::load(&text).unwrap();
    settled.rooted_at(data)
}

impl World {
    async fn new() -> Self {
        World::with(USUAL).await
    }

    async fn with(server: &str) -> Self {
        World::beyond(server, &EgressSettings::default()).await
    }

    /// The same with another way out.
    async fn beyond(server: &str, way_out: &EgressSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(StillClock::at_unix_ms(NOW_MS));
        let house = World::built(folder.path(), &clock, (server, way_out)).await;
        World {
            clock,
            house,
            folder,
        }
    }

    /// The same after a restart, with this authorization server.
    async fn again(self, server: &str) -> Self {
        let World {
            clock,
            house,
            folder,
        } = self;
        drop(house);
        let as_before = (server, &EgressSettings::default());
        let house = World::built(folder.path(), &clock, as_before).await;
        World {
            clock,
            house,
            folder,
        }
    }

    async fn built(
        folder: &std::path::Path,
        clock: &Arc<StillClock>,
        (server, way_out): (&str, &EgressSettings),
    ) -> House {
        let loaded = Loaded {
            settled: settled(folder, server),
            administration: vec![policy::Administration::built_in()],
            policies: Vec::new(),
            warnings: Vec::new(),
        };
        let clock: Arc<dyn Clock> = Arc::<StillClock>::clone(clock);
        let built = House::with_way_out(loaded, clock, way_out);
        built.await.unwrap()
    }

    fn gate(&self) -> &Arc<Gate> {
        self.house.gate()
    }

    fn authority(&self) -> Arc<Authority> {
        self.gate().runtime().authority.clone().unwrap()
    }

    /// A client that has just registered.
    async fn client(&self) -> Arc<Client> {
        self.registered(&json!({
            "redirect_uris": ["http://127.0.0.1/cb"], "client_name": "Editor",
            "grant_types": ["authorization_code", "refresh_token"],
        }))
        .await
    }

    /// The same, as it describes itself.
    async fn registered(&self, members: &Value) -> Arc<Client> {
        let authority = self.authority();
        let at = self.at(&authority);
        let answer = clients::registration(&at, members.to_string().as_bytes()).await;
        let answer: Value = serde_json::from_str(&answer.ok().unwrap().body).unwrap();
        let id = answer["client_id"].as_str().unwrap();
        clients::find(&at, id).await.unwrap()
    }

    fn at<'a>(&'a self, authority: &'a Arc<Authority>) -> At<'a> {
        let source = std::net::Ipv4Addr::LOCALHOST.into();
        authority.desk.at(self.gate(), authority, source)
    }

    /// A code that this person gave.
    async fn code(&self, client: &Client, person: Person) -> String {
        let authority = self.authority();
        let at = self.at(&authority);
        let text = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", client.id())
            .append_pair("redirect_uri", "http://127.0.0.1:5/cb")
            .append_pair("response_type", "code")
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let wanted = Wanted::read(
            &Parameters::read(&text).unwrap(),
            client,
            &authority.offered,
        );
        let asked = Asked::new(&at, wanted.unwrap(), client.digest()).unwrap();
        let code = agree::given(&at, client, &asked, person).await;
        code.unwrap().expose().to_owned()
    }

    async fn redeemed(&self, client: &Client, code: &str) -> Result<Value, ErrorCode> {
        let form = format!("code={code}&code_verifier={VERIFIER}");
        let (authority, form) = (self.authority(), Parameters::read(&form).unwrap());
        let told = token::redeemed(&self.at(&authority), client, &form, None).await;
        read(told)
    }

    async fn refreshed(&self, client: &Client, token: &Value) -> Result<Value, ErrorCode> {
        let form = format!("refresh_token={}", token.as_str().unwrap());
        let (authority, form) = (self.authority(), Parameters::read(&form).unwrap());
        let told = token::refreshed(&self.at(&authority), client, &form, None).await;
        read(told)
    }

    async fn speaks_for(&self, tokens: &Value) -> Option<Arc<identity::Caller>> {
        let audience = identity::Audience::of(&format!("{OWN}/s")).unwrap();
        let audience = audience.only_from([OWN]);
        let issuers = Arc::clone(&self.gate().runtime().issuers);
        let token = tokens["access_token"].as_str().unwrap();
        issuers
            .verify(token, &audience, self.clock.unix_s())
            .await
            .ok()
    }
}

fn read(told: Told) -> Result<Value, ErrorCode> {
    let answer = told.map_err(|error| error.code)?;
    Ok(serde_json::from_str(&answer.body).unwrap())
}

fn person(name: &str) -> Person {
    let claims = json!({ "groups": ["staff"], "acr": "phr" });
    let claims = claims.as_object().unwrap();
    Person::new((ISSUER, name, name), "groups", claims, [])
}

#[tokio::test]
async fn m3_a_registration_that_nobody_agreed_to_is_forgotten_in_a_day() {
    let world = World::new().await;
    let (used, unused) = (world.client().await, world.client().await);
    world.code(&used, person("alice")).await;
    let authority = world.authority();
    let known = |id: String| {
        let (world, authority) = (&world, &authority);
        async move { clients::find(&world.at(authority), &id).await.is_ok() }
    };
    world.clock.advance_ms(DAY_MS - 1);
    assert!(known(unused.id().to_owned()).await);
    world.clock.advance_ms(1);
    assert!(!known(unused.id().to_owned()).await);
    assert!(known(used.id().to_owned()).await);
}

#[tokio::test]
async fn n2_3_a_line_of_refresh_tokens_ends_when_nobody_uses_it_and_at_its_age() {
    let world = World::new().await;
    let client = world.client().await;
    let code = world.code(&client, person("alice")).await;
    let unused = world.code(&client, person("bob")).await;
    let mut tokens = world.redeemed(&client, &code).await.unwrap();
    let idle = world.redeemed(&client, &unused).await.unwrap();
    for _ in 0..9 {
        world.clock.advance_ms(DAY_MS);
        tokens = world
            .refreshed(&client, &tokens["refresh_token"])
            .await
            .unwrap();
    }
    let grant = Err(ErrorCode::InvalidGrant);
    assert_eq!(
        world.refreshed(&client, &idle["refresh_token"]).await,
        grant
    );
    world.clock.advance_ms(DAY_MS);
    assert_eq!(
        world.refreshed(&client, &tokens["refresh_token"]).await,
        grant
    );
}

#[tokio::test]
async fn n4_4_a_line_hands_out_no_more_access_tokens_than_end_with_it() {
    let world = World::new().await;
    let client = world.client().await;
    let busy = Err(ErrorCode::TemporarilyUnavailable);
    let mut lines = Vec::new();
    for name in ["alice", "bob"] {
        let code = world.code(&client, person(name)).await;
        let mut tokens = vec![world.redeemed(&client, &code).await.unwrap()];
        for at in 0..63 {
            let refresh = &tokens[at]["refresh_token"];
            tokens.push(world.refreshed(&client, refresh).await.unwrap());
        }
        // What was refused is not used up.
        for _ in 0..2 {
            let refresh = &tokens[63]["refresh_token"];
            assert_eq!(world.refreshed(&client, refresh).await, busy, "{name}");
        }
        lines.push(tokens);
    }
    let mut callers = Vec::new();
    for tokens in &lines[0] {
        callers.push(world.speaks_for(tokens).await.unwrap());
    }
    let replayed = world.refreshed(&client, &lines[0][0]["refresh_token"]);
    assert_eq!(replayed.await, Err(ErrorCode::InvalidGrant));
    for caller in callers {
        let barred = world.gate().revocations.check_facts(|| Facts::of(&caller));
        assert_eq!(barred, Err(Barred::Revoked));
    }
    // The tokens of the other line end by themselves, for clocks that are apart too.
    world.clock.advance_ms((5 * 60 + 30) * 1000);
    let refresh = &lines[1][63]["refresh_token"];
    assert!(world.refreshed(&client, refresh).await.is_ok());
}

#[tokio::test]
async fn m3_a_code_is_good_for_a_minute() {
    let world = World::new().await;
    let client = world.client().await;
    let code = world.code(&client, person("alice")).await;
    world.clock.advance_ms(60_000);
    let grant = Err(ErrorCode::InvalidGrant);
    assert_eq!(world.redeemed(&client, &code).await, grant);
}

#[tokio::test]
async fn m3_what_a_person_takes_back_ends_with_all_that_came_of_it() {
    let world = World::new().await;
    let client = world.client().await;
    let other = world.client().await;
    let alice = person("alice");
    let user = alice.key();
    let mut tokens = Vec::new();
    for (client, person) in [(&client, "alice"), (&other, "alice"), (&client, "bob")] {
        let code = world.code(client, self::person(person)).await;
        tokens.push(world.redeemed(client, &code).await.unwrap());
    }
    let agreed = list(world.gate(), user.as_str()).await.unwrap();
    assert_eq!(agreed.len(), 2);
    let one = agreed
        .iter()
        .find(|it| it.consent.client_id == client.id())
        .unwrap();
    assert_eq!(
        (one.families, one.consent.client_name.as_deref()),
        (1, Some("Editor"))
    );
    let mut callers = Vec::new();
    for tokens in &tokens {
        callers.push(world.speaks_for(tokens).await.unwrap());
    }
    assert_eq!(callers[0].user(), &user);
    // What is somebody else's is nobody else's to take back.
    let bob = person("bob").key();
    assert!(
        !revoke(world.gate(), user.as_str(), "made-up", "alice")
            .await
            .unwrap()
    );
    assert!(
        revoke(world.gate(), user.as_str(), &one.id, "alice")
            .await
            .unwrap()
    );
    assert!(
        !revoke(world.gate(), user.as_str(), &one.id, "alice")
            .await
            .unwrap()
    );
    let refresh = |at: usize, client: Arc<Client>| {
        let (world, token) = (&world, tokens[at]["refresh_token"].clone());
        async move { world.refreshed(&client, &token).await.err() }
    };
    let barred = |at: usize| {
        let caller: &identity::Caller = &callers[at];
        world.gate().revocations.check_facts(|| Facts::of(caller))
    };
    // Also before the client comes for more.
    assert_eq!(barred(0), Err(Barred::Revoked));
    let grant = Some(ErrorCode::InvalidGrant);
    assert_eq!(refresh(0, Arc::clone(&client)).await, grant);
    assert_eq!(refresh(1, Arc::clone(&other)).await, None);
    assert_eq!(refresh(2, Arc::clone(&client)).await, None);
    assert_eq!((barred(1), barred(2)), (Ok(()), Ok(())));
    assert_eq!(list(world.gate(), user.as_str()).await.unwrap().len(), 1);
    assert_eq!(list(world.gate(), bob.as_str()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn n2_3_tokens_of_a_key_that_does_not_sign_any_more_are_good_to_their_end() {
    let world = World::new().await;
    let client = world.client().await;
    let keys = |world: &World| {
        let desk = world.authority();
        async move { desk.desk.keys.jwks().await.unwrap() }
    };
    let code = world.code(&client, person("alice")).await;
    let first = keys(&world).await;
    let before = world.redeemed(&client, &code).await.unwrap();
    // The day on which the next one is published, and the moment at which it signs.
    world.clock.advance_ms(29 * DAY_MS);
    let both = keys(&world).await;
    assert!(both.len() > first.len());
    world.clock.advance_ms(DAY_MS);
    let code = world.code(&client, person("alice")).await;
    let after = world.redeemed(&client, &code).await.unwrap();
    assert!(world.speaks_for(&after).await.is_some());
    assert!(world.speaks_for(&before).await.is_none(), "it is over");
    let head = |tokens: &Value| {
        let token = tokens["access_token"].as_str().unwrap();
        token.split('.').next().unwrap().to_owned()
    };
    assert_ne!(head(&before), head(&after));
    // Whoever starts again has the same ones.
    let again = world.again(USUAL).await;
    assert_eq!(keys(&again).await, both);
    assert!(again.speaks_for(&after).await.is_some());
}

#[tokio::test]
async fn m3_a_page_is_for_one_browser_for_ten_minutes_and_once() {
    let world = World::new().await;
    let client = world.client().await;
    let authority = world.authority();
    let at = world.at(&authority);
    let text = format!(
        "client_id={}&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb&response_type=code\
         &code_challenge={CHALLENGE}&code_challenge_method=S256",
        client.id()
    );
    let wanted = Wanted::read(
        &Parameters::read(&text).unwrap(),
        &client,
        &authority.offered,
    );
    let asked = Asked::new(&at, wanted.unwrap(), client.digest()).unwrap();
    let sealed = asked.sealed(&at, "a browser").unwrap();
    assert!(!sealed.contains("Editor") && sealed.len() < 8 * 1024);
    let open = |cookie: &'static str, text: String| {
        let (world, authority) = (&world, &authority);
        async move { Asked::open(&world.at(authority), cookie, &text).await.ok() }
    };
    assert_eq!(open("another one", sealed.clone()).await, None);
    let mut changed = sealed.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == '0' { '1' } else { '0' });
    assert_eq!(open("a browser", changed).await, None);
    for broken in ["", "0", "zz", "00"] {
        assert_eq!(open("a browser", broken.to_owned()).await, None);
    }
    assert_eq!(open("a browser", sealed.clone()).await, Some(asked.clone()));
    assert_eq!(open("a browser", sealed).await, None, "once");
    let late = asked.sealed(&at, "a browser").unwrap();
    world.clock.advance_ms(PATIENCE_S * 1000);
    assert_eq!(open("a browser", late).await, None, "in time");
}
