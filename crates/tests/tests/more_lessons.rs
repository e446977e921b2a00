//! More of what went wrong in other gateways and does not here: callers without a token wherever they
//! sit, an issuer that is silent or lends its name to others, and transports that check less than
//! others. The names are those of `docs/lessons.md`.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ringwall_tests::issuer::Issuer;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::place;
use ringwall_tests::program::{Command, Program, json_lines};
use ringwall_tests::wire::{self, Outgoing};
use ringwall_tests::world::{CREDENTIAL, Peers, Plan, World};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

#[tokio::test(flavor = "multi_thread")]
async fn refuses_an_unauthenticated_caller_on_loopback() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let url = world.url()?;
    assert_eq!(url.host_str(), Some("127.0.0.1"));
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let open = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "nobody", "version": "1" }
    } });
    let near = Outgoing::message(&url, &list)
        .header("x-forwarded-for", "127.0.0.1")
        .header("forwarded", "for=127.0.0.1")
        .header("x-real-ip", "::1");
    let requests = [
        ("a call", Outgoing::message(&url, &list)),
        ("a session", Outgoing::message(&url, &open)),
        ("a call that says where it is from", near),
        ("a stream", Outgoing::new(Method::GET, &url)),
        ("an end", Outgoing::new(Method::DELETE, &url)),
    ];
    for (name, request) in requests {
        let reply = request.send().await?;
        let told = (reply.status.as_u16(), reply.code());
        assert_eq!(told, (401, "bearer_missing".to_owned()), "{name}");
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("resource_metadata="), "{challenge}");
    }
    assert_eq!(world.journal()?.len(), 0, "something reached the server");
    // The door itself is open to who has a token.
    let alice = world.client("alice").await?;
    assert!(alice.tools().await?.contains(&"echo".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_an_unauthenticated_call_to_an_open_server() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = folder.path().join("fixture.jsonl");
    let fixture = Command::new(place::built("fixture-upstream")?)
        .arguments(["--log".as_ref(), journal.as_os_str()])
        .start("http://")
        .await?;
    let open: Url = fixture.ready().parse()?;
    let say = json!({ "name": "echo", "arguments": { "text": "anybody" } });
    let direct = Client::connect(&open, None).await?;
    let answer = direct.request("tools/call", say.clone()).await?;
    assert_eq!(text(&answer), "anybody", "the server itself asks nobody");
    let http = json!({ "url": open.as_str(), "network": "private" });
    let peers = Peers::start(vec![
        json!({ "name": "open", "http": http, "pins": "first_use" }),
    ])
    .await?;
    let url = peers.gateway.at("/open")?;
    let before = json_lines(&journal)?.len();
    for method in ["initialize", "tools/list", "tools/call", "ping"] {
        let reply = Client::new(&url, None).send(method, say.clone()).await?;
        let told = (reply.status.as_u16(), reply.code());
        assert_eq!(told, (401, "bearer_missing".to_owned()), "{method}");
    }
    assert_eq!(json_lines(&journal)?.len(), before, "something arrived");
    let alice = peers.client("open", "alice").await?;
    assert_eq!(text(&alice.request("tools/call", say).await?), "anybody");
    assert!(json_lines(&journal)?.len() > before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_when_the_authoriser_is_unreachable() -> Result<()> {
    let up = Issuer::start().await?;
    let down = format!("http://127.0.0.1:{}", place::free_port()?);
    let issuers = [up.url(), &down].map(|url| json!({ "issuer": url, "network": "private" }));
    let world = World::start(Plan::default().whole(json!({ "issuers": issuers }))).await?;
    // Both tokens are signed by the same key; only the issuer they name differs.
    let named =
        |issuer: &str| up.sign_changed(&world.resource()?, &json!({}), &json!({ "iss": issuer }));
    let stranded = named(&down)?;
    for method in ["initialize", "tools/list", "tools/call"] {
        let client = Client::new(&world.url()?, Some(&stranded));
        let reply = client.send(method, json!({ "name": "echo" })).await?;
        let told = (reply.status.as_u16(), reply.code());
        let expected = (503, "token_issuer_unavailable".to_owned());
        assert_eq!(told, expected, "{method}");
    }
    assert_eq!(world.journal()?.len(), 0, "something reached the server");
    Client::connect(&world.url()?, Some(&named(up.url())?)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_no_bearer_to_an_authority_named_in_metadata() -> Result<()> {
    let signer = Issuer::start().await?;
    let keys = json!({ "keys": [signer.key()?.jwk()] });
    let other = Pages::start(|_| HashMap::from([("*".to_owned(), keys.clone())])).await?;
    let elsewhere = |name: &str| format!("{}/{name}", other.url);
    let issuer = Pages::start(|url| {
        let metadata = |path: &str, keys: String| {
            let told = json!({
                "issuer": format!("{url}/{path}"), "jwks_uri": keys,
                "authorization_endpoint": elsewhere("authorize"), "token_endpoint": elsewhere("token"),
                "introspection_endpoint": elsewhere("introspect"), "userinfo_endpoint": elsewhere("user"),
                "registration_endpoint": elsewhere("register"), "revocation_endpoint": elsewhere("revoke")
            });
            (format!("/.well-known/oauth-authorization-server/{path}"), told)
        };
        HashMap::from([
            metadata("own", format!("{url}/keys")),
            metadata("lent", elsewhere("keys")),
            ("/keys".to_owned(), keys),
        ])
    })
    .await?;
    let world = before(&[&issuer.at("own"), &issuer.at("lent")]).await?;
    let named = |path: &str| {
        let claims = json!({ "iss": issuer.at(path) });
        signer.sign_changed(&world.resource()?, &json!({}), &claims)
    };
    let (own, lent) = (named("own")?, named("lent")?);
    let alice = Client::connect(&world.url()?, Some(&own)).await?;
    let said = alice.call("echo", json!({ "text": "known" })).await?;
    assert_eq!(text(&said), "known");
    let client = Client::new(&world.url()?, Some(&lent));
    let reply = client.send("initialize", json!({})).await?;
    assert_eq!(reply.code(), "token_issuer_unavailable");
    assert_eq!(other.connections(), 0, "{:?}", other.heard());
    let heard = issuer.heard().join("\n").to_ascii_lowercase();
    assert!(heard.contains("/keys"), "the keys were never asked for");
    let secrets = [own, lent, CREDENTIAL.to_owned()].map(|secret| secret.to_ascii_lowercase());
    for word in secrets
        .iter()
        .map(String::as_str)
        .chain(["authorization:", "cookie:"])
    {
        assert!(!heard.contains(word), "`{word}` was sent: {heard}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_every_discovered_url_before_connecting() -> Result<()> {
    let signer = Issuer::start().await?;
    let keys = json!({ "keys": [signer.key()?.jwk()] });
    let other = Pages::start(|_| HashMap::from([("*".to_owned(), keys.clone())])).await?;
    let authority = other.url.trim_start_matches("http://").to_owned();
    let port = authority.rsplit(':').next().context("no port")?.to_owned();
    let rows = |own: &str| {
        let own = own.trim_start_matches("http://").to_owned();
        [
            ("good", format!("http://{own}/keys")),
            ("port", format!("http://{authority}/keys")),
            ("name", format!("http://localhost:{port}/keys")),
            ("short", format!("http://127.1:{port}/keys")),
            ("scheme", format!("https://{authority}/keys")),
            ("link-local", "http://169.254.169.254/keys".to_owned()),
            ("metadata", "https://169.254.169.254/keys".to_owned()),
            ("private", "https://10.0.0.1/keys".to_owned()),
            ("public", "http://id.example.com/keys".to_owned()),
            ("user", format!("http://me:secret@{own}/keys/user")),
            ("fragment", format!("http://{own}/keys/fragment#x")),
            ("file", "file:///etc/hostname".to_owned()),
            ("moved", format!("http://{own}/moved")),
        ]
    };
    let issuer = Pages::start(|url| {
        let metadata = rows(url).map(|(path, keys)| {
            let told = json!({ "issuer": format!("{url}/{path}"), "jwks_uri": keys });
            let at = format!("/.well-known/oauth-authorization-server/{path}");
            (at, told)
        });
        let mut pages = HashMap::from(metadata);
        for path in ["/keys", "/keys/user", "/keys/fragment"] {
            pages.insert(path.to_owned(), keys.clone());
        }
        pages.insert("/moved".to_owned(), json!(format!("{}/keys", other.url)));
        pages
    })
    .await?;
    let names = rows(&issuer.url).map(|(path, _)| issuer.at(path));
    let world = before(&names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    for (path, keys) in rows(&issuer.url) {
        let claims = json!({ "iss": issuer.at(path) });
        let token = signer.sign_changed(&world.resource()?, &json!({}), &claims)?;
        if path == "good" {
            Client::connect(&world.url()?, Some(&token)).await?;
            continue;
        }
        let client = Client::new(&world.url()?, Some(&token));
        let reply = client.send("initialize", json!({})).await?;
        let told = (reply.status.as_u16(), reply.code());
        let expected = (503, "token_issuer_unavailable".to_owned());
        assert_eq!(told, expected, "{path}: {keys}");
        assert_eq!(other.connections(), 0, "{path}: {:?}", other.heard());
    }
    let heard = issuer.heard().join("\n");
    assert!(!heard.contains("/keys/"), "{heard}");
    assert!(heard.contains("/moved"), "the redirect was never met");
    Ok(())
}

/// A world whose callers come with tokens of these issuers.
async fn before(issuers: &[&str]) -> Result<World> {
    let issuers: Vec<Value> = issuers
        .iter()
        .map(|url| json!({ "issuer": url, "network": "private" }))
        .collect();
    World::start(Plan::default().whole(json!({ "issuers": issuers }))).await
}

/// Pages on loopback that write down who asks for them; a page that is a string sends elsewhere.
#[derive(Debug)]
struct Pages {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Pages {
    /// Serves these pages by path, `*` standing for every other.
    async fn start(pages: impl FnOnce(&str) -> HashMap<String, Value>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let pages = Arc::new(pages(&url));
        let connections: Arc<AtomicUsize> = Arc::default();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (hears, counts) = (Arc::clone(&heard), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                counts.fetch_add(1, Ordering::SeqCst);
                let (pages, hears) = (Arc::clone(&pages), Arc::clone(&hears));
                tokio::spawn(async move {
                    let service = service_fn(|request| {
                        let answer = page(&pages, &hears, &request);
                        async move { Ok::<_, Infallible>(answer) }
                    });
                    let server = hyper::server::conn::http1::Builder::new();
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Ok(Pages {
            url,
            heard,
            connections,
            task,
        })
    }

    fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }

    /// The head of every request, as text.
    fn heard(&self) -> Vec<String> {
        locked(&self.heard).clone()
    }

    /// How many connections were made, whatever was said on them.
    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn page(
    pages: &HashMap<String, Value>,
    heard: &Mutex<Vec<String>>,
    request: &Request<Incoming>,
) -> Response<Full<Bytes>> {
    let mut head = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    locked(heard).push(head);
    let found = pages.get(request.uri().path()).or_else(|| pages.get("*"));
    let (status, name, value, body) = match found {
        None => (StatusCode::NOT_FOUND, header::ALLOW, "GET", String::new()),
        Some(Value::String(to)) => (
            StatusCode::FOUND,
            header::LOCATION,
            to.as_str(),
            String::new(),
        ),
        Some(page) => {
            let json = "application/json";
            (StatusCode::OK, header::CONTENT_TYPE, json, page.to_string())
        }
    };
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    if let Ok(value) = value.parse() {
        answer.headers_mut().insert(name, value);
    }
    answer
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the caller got: the refusal and its control, or the text.
fn got(answer: &Value) -> String {
    wire::refusal(answer).map_or_else(
        || text(answer),
        |(code, control)| format!("{code} {control}"),
    )
}

/// Says this line to a wrapped server and waits for the answer with this id.
async fn ask(wrapped: &mut Program, line: &str, id: &Value) -> Result<Value> {
    wrapped.say(line).await?;
    loop {
        let answer: Value = serde_json::from_str(&wrapped.line_starting("{").await?)?;
        let answers = answer.get("result").or_else(|| answer.get("error"));
        if answers.is_some() && answer.get("id").unwrap_or(&Value::Null) == id {
            return Ok(answer);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transport_passes_the_same_stages() -> Result<()> {
    let world = World::start(Plan::default().hostile()).await?;
    let alice = world.client("alice").await?;
    let folder = tempfile::tempdir()?;
    let journal = folder.path().join("wrapped.jsonl");
    let mut wrapped = wrapped(folder.path(), &journal).await?;
    let rows = [
        (
            r#""name":"echo","arguments":{"text":"in order"}"#,
            "in order",
        ),
        (
            r#""name":"echo","arguments":{"off":"refused-1"}"#,
            "arguments_schema",
        ),
        (
            r#""name":"echo","arguments":{"text":1,"x":"refused-2"}"#,
            "arguments_schema",
        ),
        (
            r#""name":"transfer_money","arguments":{"to":"refused-3","amount":"5"}"#,
            "arguments_schema",
        ),
        (
            r#""name":"echo","name":"add","arguments":{"text":"refused-4"}"#,
            "json_duplicate_member",
        ),
        (
            r#""name":"echo","arguments":{"text":"refused-5","text":"b"}"#,
            "json_duplicate_member",
        ),
        (r#""name":"refused-6","arguments":{}"#, "tool_"),
        (r#""name":"bad_structured","arguments":{}"#, "answer_schema"),
        (
            r#""name":"hidden_text","arguments":{}"#,
            "The ticket is closed.",
        ),
    ];
    for (at, (params, expected)) in rows.into_iter().enumerate() {
        let id = 100 + at;
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{{params}}}}}"#);
        let request = alice.outgoing("ping", None).body(body.clone());
        let http = request.send().await?.json()?;
        let answered = http.get("id").cloned().unwrap_or_default();
        let stdio = ask(&mut wrapped, &body, &answered).await?;
        assert_eq!(got(&http), got(&stdio), "{params}");
        assert!(got(&http).starts_with(expected), "{params}: {http}");
        let hides = |c: char| matches!(u32::from(c), 0xE_0000..=0xE_007F | 0x202A..=0x202E | 0x1B);
        assert!(!got(&stdio).contains(hides), "{stdio}");
    }
    let local = std::fs::read_to_string(&journal)?;
    assert!(local.contains("in order"), "nothing arrived at all");
    assert!(!local.contains("refused-"), "{local}");
    assert!(!world.journal_text()?.contains("refused-"));
    assert!(wrapped.ended().await?.success());
    Ok(())
}

/// `ringwall wrap` around the fixture, with a session. A shell says when it is about to start: on
/// its own it says nothing.
async fn wrapped(folder: &Path, journal: &Path) -> Result<Program> {
    let mut wrapped = Command::new("/bin/sh")
        .arguments(["-c", "echo ready; exec \"$0\" \"$@\""])
        .argument(place::built("ringwall")?)
        .arguments(["wrap", "--data", "data", "--"])
        .argument(place::built("fixture-upstream")?)
        .arguments(["--stdio", "--hostile", "--log"])
        .argument(journal)
        .directory(folder)
        .start("ready")
        .await?;
    let open = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "wrapped", "version": "1" }
    } });
    ask(&mut wrapped, &open.to_string(), &json!(1)).await?;
    let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    wrapped.say(ready).await?;
    Ok(wrapped)
}
