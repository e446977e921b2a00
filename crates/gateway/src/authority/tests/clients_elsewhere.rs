//! Clients that are described elsewhere: what their hosts say, what the names of those hosts become, and
//! how often anybody is asked.

use super::*;
use crate::egress::tests::{Script, certified, script};
use crate::egress::{EgressSettings, SystemRoots};
use http::{Request, Response};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use identity::SigningKey;
use identity::authority::AssertionUse;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;

/// The host of a client, with a certificate of its name.
struct Host {
    port: u16,
    shelf: Arc<Mutex<Shelf>>,
    certificate: rustls::pki_types::CertificateDer<'static>,
}

#[derive(Default)]
struct Shelf {
    pages: HashMap<String, (u16, String)>,
    read: HashMap<String, usize>,
    connections: usize,
}

impl Host {
    const NAME: &'static str = "app.example";

    async fn start() -> Self {
        let (certificate, acceptor) = certified(Host::NAME, &[&rustls::version::TLS13]);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shelf = Arc::<Mutex<Shelf>>::default();
        let served = Arc::clone(&shelf);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                served.lock().unwrap().connections += 1;
                let (shelf, acceptor) = (Arc::clone(&served), acceptor.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(move |request: Request<Incoming>| {
                        let answer = shelf.lock().unwrap().answer(request.uri().path());
                        async move { Ok::<_, Infallible>(answer) }
                    });
                    let server = auto::Builder::new(TokioExecutor::new());
                    drop(server.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Host {
            port,
            shelf,
            certificate,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}:{}{path}", Host::NAME, self.port)
    }

    fn put(&self, path: &str, status: u16, body: &Value) {
        let page = (status, body.to_string());
        self.shelf
            .lock()
            .unwrap()
            .pages
            .insert(path.to_owned(), page);
    }

    /// Describes a client, and says its id.
    fn describes(&self) -> String {
        let id = self.url("/client.json");
        let document = json!({
            "client_id": id, "client_name": "Editor", "redirect_uris": ["https://app.example/cb"],
        });
        self.put("/client.json", 200, &document);
        id
    }

    fn read(&self, path: &str) -> usize {
        self.shelf
            .lock()
            .unwrap()
            .read
            .get(path)
            .copied()
            .unwrap_or_default()
    }

    fn connections(&self) -> usize {
        self.shelf.lock().unwrap().connections
    }

    /// A world that trusts the certificate of this host, and resolves its name like this.
    async fn world(&self, members: &str, names: Arc<Script>) -> World {
        let way_out = EgressSettings {
            authorities: vec![self.certificate.clone()],
            resolver: names,
            system_roots: SystemRoots::Ignored,
            connect_timeout: Duration::from_secs(10),
            ..EgressSettings::default()
        };
        let server = format!("{USUAL}, documents: [{}]{members}", Host::NAME);
        World::beyond(&server, &way_out).await
    }
}

impl Shelf {
    fn answer(&mut self, path: &str) -> Response<Full<bytes::Bytes>> {
        *self.read.entry(path.to_owned()).or_default() += 1;
        let page = self.pages.get(path).cloned();
        let (status, body) = page.unwrap_or_else(|| (404, String::new()));
        Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Full::new(body.into()))
            .unwrap()
    }
}

const NEAR: &str = ", network: private";

async fn is_found(world: &World, id: &str) -> bool {
    let authority = world.authority();
    clients::find(&world.at(&authority), id).await.is_ok()
}

/// A name that is somewhere else at every look-up (DNS rebinding): it is looked up once for each fetch, and what is
/// connected to is what was judged. The host that waits on this machine has everything right but its place.
#[tokio::test]
async fn n10_3_a_client_whose_host_turns_private_is_not_read() {
    let host = Host::start().await;
    let id = host.describes();
    let key = SigningKey::generate().unwrap();
    host.put("/jwks", 200, &json!({ "keys": [key.public_jwk()] }));
    // Public, in a block that nobody was given: where nothing answers.
    const ELSEWHERE: &str = "2d00::1";
    for turns in [
        &[&[ELSEWHERE][..], &["127.0.0.1"], &["127.0.0.1"]],
        &[&[ELSEWHERE][..], &["::1"], &["::ffff:127.0.0.1"]],
        &[&[ELSEWHERE][..], &["10.0.0.1"], &["169.254.169.254"]],
        &[
            &[ELSEWHERE][..],
            &[ELSEWHERE, "127.0.0.1"],
            &["127.0.0.1", ELSEWHERE],
        ],
    ] {
        let names = script(turns);
        let world = host.world("", Arc::clone(&names)).await;
        for turn in 1..=turns.len() {
            assert!(!is_found(&world, &id).await, "{turns:?}");
            assert_eq!(names.asked.load(Ordering::SeqCst), turn, "{turns:?}");
        }
        // The keys of a client that registered here lie at an address of its own choice, too.
        let client = with_keys_at(&world, &host.url("/jwks")).await;
        let form = assertion(&key, &client, &json!({}), None);
        let shown = shown(&world, &form).await;
        assert_eq!(shown, Err(ErrorCode::InvalidClient), "{turns:?}");
        assert_eq!(names.asked.load(Ordering::SeqCst), turns.len() + 1);
    }
    assert_eq!(host.connections(), 0);
    // Where the operator says that documents lie nearby, the very same host is read.
    let world = host.world(NEAR, script(&[&["127.0.0.1"]])).await;
    assert!(is_found(&world, &id).await);
}

async fn with_keys_at(world: &World, url: &str) -> String {
    let members = json!({
        "redirect_uris": ["http://127.0.0.1/cb"], "jwks_uri": url,
        "token_endpoint_auth_method": "private_key_jwt",
    });
    world.registered(&members).await.id().to_owned()
}

/// What a client sends to show that it is this one, with some claims changed.
fn assertion(key: &SigningKey, client: &str, changes: &Value, id: Option<&str>) -> String {
    let unique = identity::session_id().unwrap();
    let now = NOW_MS / 1000;
    let mut claims = json!({
        "iss": client, "sub": client, "aud": OWN, "exp": now + 500, "jti": unique,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let mut header = json!({ "alg": "ES256" });
    if let Some(id) = id {
        header["kid"] = json!(id);
    }
    let token = key.sign(&header.to_string(), &claims.to_string()).unwrap();
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", client)
        .append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .append_pair("client_assertion", &token)
        .finish()
}

/// Whether a client shows that it is the one it says.
async fn shown(world: &World, form: &str) -> Result<(), ErrorCode> {
    let (authority, form) = (world.authority(), Parameters::read(form).unwrap());
    let client = clients::authenticated(&world.at(&authority), &form).await;
    client.map(drop).map_err(|error| error.code)
}

#[tokio::test]
async fn n4_4_keys_of_a_client_are_read_once_in_a_while_and_only_for_what_could_be_right() {
    let host = Host::start().await;
    let world = host.world(NEAR, script(&[&["127.0.0.1"]])).await;
    let key = |id: &str| {
        let key = SigningKey::generate().unwrap();
        let mut public = key.public_jwk();
        public["kid"] = json!(id);
        (key, json!({ "keys": [public] }))
    };
    let ((first, set), (second, changed)) = (key("first"), key("second"));
    host.put("/jwks", 200, &set);
    let client = with_keys_at(&world, &host.url("/jwks")).await;
    let refused = Err(ErrorCode::InvalidClient);
    let check = async |key: &SigningKey, id: &str, changes: Value, expected, read| {
        let form = assertion(key, &client, &changes, Some(id));
        assert_eq!(shown(&world, &form).await, expected, "{id} {changes}");
        assert_eq!(host.read("/jwks"), read, "{id} {changes}");
    };
    let now = NOW_MS / 1000;
    // What cannot be right makes nobody fetch anything.
    for changes in [
        json!({ "aud": "https://evil.example" }),
        json!({ "exp": now - 60 }),
        json!({ "exp": now + 5000 }),
        json!({ "iss": "somebody-else" }),
        json!({ "jti": "" }),
    ] {
        check(&first, "first", changes, refused, 0).await;
    }
    check(&first, "first", json!({}), Ok(()), 1).await;
    check(&first, "first", json!({}), Ok(()), 1).await;
    check(&second, "first", json!({}), refused, 1).await;
    // The client turns its key. Whoever names one that is not known has it read again, now and then.
    host.put("/jwks", 200, &changed);
    check(&second, "second", json!({}), refused, 1).await;
    world.clock.advance_ms(30_000);
    check(&second, "second", json!({}), Ok(()), 2).await;
    check(&first, "first", json!({}), refused, 2).await;
    world.clock.advance_ms(30_000);
    for made_up in ["a", "b", "c"] {
        check(&first, made_up, json!({}), refused, 3).await;
    }
    // A key that was given up is good for five minutes at most.
    host.put("/jwks", 200, &set);
    world.clock.advance_ms(299_000);
    check(&second, "second", json!({}), Ok(()), 3).await;
    world.clock.advance_ms(1_000);
    check(&second, "second", json!({}), refused, 4).await;
    // What cannot be read any more is not believed on.
    host.put("/jwks", 500, &json!({}));
    world.clock.advance_ms(30_000);
    check(&second, "second", json!({}), refused, 5).await;
    check(&first, "first", json!({}), refused, 6).await;
}

/// Keys are fetched from a budget of their own: whoever uses it up keeps no document from being read.
#[tokio::test]
async fn n4_4_fetches_of_keys_take_nothing_from_those_of_documents() {
    let host = Host::start().await;
    let world = host.world(NEAR, script(&[&["127.0.0.1"]])).await;
    let key = SigningKey::generate().unwrap();
    let client = with_keys_at(&world, &host.url("/gone")).await;
    let mut refused = Vec::new();
    for _ in 0..31 {
        let form = assertion(&key, &client, &json!({}), None);
        refused.push(shown(&world, &form).await.unwrap_err());
    }
    let busy = refused.pop().unwrap();
    assert_eq!(busy, ErrorCode::TemporarilyUnavailable);
    assert!(refused.iter().all(|it| *it == ErrorCode::InvalidClient));
    assert_eq!(host.read("/gone"), 30);
    assert!(is_found(&world, &host.describes()).await);
}

#[tokio::test]
async fn n4_4_a_client_has_so_many_assertions_remembered_and_takes_no_room_from_others() {
    let world = World::new().await;
    let authority = world.authority();
    let now = NOW_MS / 1000;
    let brings = async |client: &str, number: u32| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        id[4..4 + client.len()].copy_from_slice(client.as_bytes());
        let used = AssertionUse {
            id,
            until_s: now + 60,
        };
        let once = clients::once(&world.at(&authority), client, &used).await;
        once.map_err(|error| error.code)
    };
    for number in 0..2000 {
        assert_eq!(brings("a", number).await, Ok(()), "{number}");
    }
    let busy = Err(ErrorCode::TemporarilyUnavailable);
    assert_eq!(brings("a", 2000).await, busy);
    assert_eq!(brings("b", 0).await, Ok(()));
    assert_eq!(brings("b", 0).await, Err(ErrorCode::InvalidClient));
    world.clock.advance_ms(60_000);
    assert_eq!(brings("a", 2000).await, Ok(()));
}
