//! A browser, a client and an identity provider in one: what the gateway's own authorization server costs, step by step.
//!
//!   mcpb-authority --port P --provider P [--conns 16] [--people 560] [--secs 3] [--pid PID] [--tokens FILE]
//!   mcpb-authority --port P --flood PATH [--one-address] [--conns 16] [--rate R] [--secs 3] [--pid PID]
//!
//! The first registers a client and lets that many people go all the way, each step of it closed loop over N connections:
//! `metadata` (a document that costs nothing, to compare with), `shown` (the page that asks), `decided` (its form, agreed),
//! `signed_in` (back from the provider), `code` and `refresh` (tokens). Steps that use up what the step before has made end
//! with it, the others after so many seconds; no refresh token is used twice. The provider signs everybody in at once, and
//! answers from this very process. With --tokens the access tokens of all people are written to a file, one a line.
//! The second asks one place again and again, R times a second in all or as fast as it is answered: `/register` with a new
//! client each time, anything else with GET.
//! The gateway counts what an address does: each connection comes from one of its own of 127.0.0.0/8, and from another one
//! before it would be refused. With --one-address a flood does not.
//! Prints one JSON object for each step: how many were answered as they must be, how many with which status, latency, and
//! the CPU time of the process with that id.
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair, ECDSA_P256_SHA256_FIXED_SIGNING};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use ringwall_bench::{b64, cpu, descendants, machine_busy, new_key, rss};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{spawn_local, LocalSet};

/// The verifier of RFC 7636, appendix B, and its challenge.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:9/callback";
const COOKIE: &str = "__Host-ringwall-authority";
/// Requests that one address may make at once, and pages that it may answer.
const OF_AN_ADDRESS: u32 = 450;
const ANSWERS_OF_AN_ADDRESS: u32 = 50;
/// Tokens of one line that may be good at a time.
const OF_A_LINE: usize = 60;

fn die(why: &str) -> ! {
    eprintln!("mcpb-authority: {why}");
    std::process::exit(2)
}

struct Opt {
    port: u16,
    provider: u16,
    conns: u8,
    people: usize,
    secs: f64,
    pid: Option<i32>,
    tokens: String,
    flood: String,
    one_address: bool,
    rate: f64,
}

/// A connection from an address of its own.
struct Wire {
    port: u16,
    /// How many requests come from one address.
    each: u32,
    left: u32,
    sender: Option<SendRequest<Full<Bytes>>>,
}
thread_local! {
    /// Addresses that were used so far.
    static USED: Cell<u32> = const { Cell::new(0x0100) };
}
/// An address of this machine, and the next one after it.
fn address(most: u32) -> [u8; 4] {
    let nth = USED.with(|used| used.replace(used.get() + u32::from(most < u32::MAX)));
    let [_, b, c, d] = nth.to_be_bytes();
    [127, b, c, d]
}
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: String,
}
impl Wire {
    fn new(port: u16, each: u32) -> Self {
        Wire { port, each, left: 0, sender: None }
    }
    async fn ask(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Result<Reply, String> {
        let sender = match self.sender.as_mut() {
            Some(sender) if !sender.is_closed() && self.left > 0 => sender,
            _ => {
                self.left = self.each;
                let socket = TcpSocket::new_v4().map_err(|e| e.to_string())?;
                socket.bind(SocketAddr::from((address(self.each), 0))).map_err(|e| e.to_string())?;
                let stream = socket.connect(SocketAddr::from(([127, 0, 0, 1], self.port))).await.map_err(|e| e.to_string())?;
                stream.set_nodelay(true).map_err(|e| e.to_string())?;
                let (sender, conn) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
                spawn_local(async move { drop(conn.await) });
                self.sender.insert(sender)
            }
        };
        self.left -= 1;
        let mut request = Request::builder().method(method).uri(path).header("host", format!("127.0.0.1:{}", self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|e| e.to_string())?;
        sender.ready().await.map_err(|e| e.to_string())?;
        let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() })
    }
    async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Result<Reply, String> {
        self.ask(Method::GET, path, headers, String::new()).await
    }
    async fn form(&mut self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Result<Reply, String> {
        let body = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&");
        let all = [headers, &[("content-type", "application/x-www-form-urlencoded")]].concat();
        self.ask(Method::POST, path, &all, body).await
    }
}
impl Reply {
    /// The answer, if it has this status.
    fn must(self, status: u16) -> Result<Self, String> {
        if self.status == status { Ok(self) } else { Err(format!("{} {:.300}", self.status, self.body)) }
    }
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() || b"-._~".contains(&b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}
fn unescaped(text: &str) -> String {
    let (mut out, b, mut i) = (Vec::new(), text.as_bytes(), 0);
    while i < b.len() {
        match (b[i], text.get(i + 1..i + 3).and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(byte)) => { out.push(byte); i += 2 }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
/// A parameter of an address or a form.
fn parameter(text: &str, name: &str) -> Option<String> {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| unescaped(value))
}
/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// Whoever is at the provider: what its codes stand for.
struct Provider {
    issuer: String,
    key: EcdsaKeyPair,
    /// The nonce and the number of the person, by code.
    codes: RefCell<HashMap<String, (String, usize)>>,
    asked: Cell<u64>,
}
impl Provider {
    fn new(port: u16) -> Self {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &new_key()).expect("a key");
        Provider { issuer: format!("http://127.0.0.1:{port}"), key, codes: RefCell::default(), asked: Cell::new(0) }
    }
    fn answer(&self, path: &str, body: &str) -> serde_json::Value {
        use serde_json::json;
        let (iss, point) = (&self.issuer, self.key.public_key().as_ref());
        match path {
            "/jwks" => json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "p", "x": b64(&point[1..33]), "y": b64(&point[33..])}]}),
            "/token" => {
                let code = parameter(body, "code").unwrap_or_default();
                let Some((nonce, person)) = self.codes.borrow_mut().remove(&code) else { return json!({"error": "invalid_grant"}) };
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
                let said = json!({"iss": iss, "sub": format!("person-{person}"), "aud": "ringwall", "nonce": nonce, "iat": now, "exp": now + 300, "auth_time": now});
                let token = format!("{}.{}", b64(br#"{"alg":"ES256","kid":"p","typ":"JWT"}"#), b64(said.to_string().as_bytes()));
                let signature = self.key.sign(&SystemRandom::new(), token.as_bytes()).unwrap();
                json!({"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "id_token": format!("{token}.{}", b64(signature.as_ref()))})
            }
            path if path.starts_with("/.well-known/") => json!({
                "issuer": iss, "authorization_endpoint": format!("{iss}/authorize"), "token_endpoint": format!("{iss}/token"), "jwks_uri": format!("{iss}/jwks"),
                "response_types_supported": ["code"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["none"],
                "authorization_response_iss_parameter_supported": true
            }),
            _ => json!({}),
        }
    }
    async fn serve(self: Rc<Self>, port: u16) {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap_or_else(|e| die(&format!("port {port}: {e}")));
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let it = Rc::clone(&self);
                let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                    let it = Rc::clone(&it);
                    async move {
                        it.asked.set(it.asked.get() + 1);
                        let (head, body) = request.into_parts();
                        let body = body.collect().await?.to_bytes();
                        let said = it.answer(head.uri.path(), &String::from_utf8_lossy(&body)).to_string();
                        Ok::<_, hyper::Error>(Response::builder().header("content-type", "application/json").body(Full::new(Bytes::from(said))).unwrap())
                    }
                });
                spawn_local(async move { drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await) });
            }
        });
    }
}

/// What came of one step.
#[derive(Default)]
struct Tally {
    ok: u64,
    bad: u64,
    sample: String,
    lat: Vec<u32>,
}

/// Does these jobs over N connections. A job that gives another one is not over: it is done until the time is.
async fn step<J: 'static>(o: &Opt, (name, each): (&str, u32), jobs: Vec<J>, work: impl AsyncFn(&mut Wire, J) -> Result<Option<J>, String> + 'static) {
    let (jobs, tally, work) = (Rc::new(RefCell::new(VecDeque::from(jobs))), Rc::new(RefCell::new(Tally::default())), Rc::new(work));
    let tree = o.pid.map(descendants).unwrap_or_default();
    let me = [std::process::id() as i32];
    let look = || (cpu(&tree).2, cpu(&me).2, machine_busy(None));
    let (before, began) = (look(), Instant::now());
    let end = began + Duration::from_secs_f64(o.secs);
    let workers: Vec<_> = (0..o.conns).map(|_| {
        let (jobs, tally, work) = (Rc::clone(&jobs), Rc::clone(&tally), Rc::clone(&work));
        let mut wire = Wire::new(o.port, each);
        spawn_local(async move {
            loop {
                let Some(job) = jobs.borrow_mut().pop_front() else { return };
                let t = Instant::now();
                let done = work(&mut wire, job).await;
                let mut tally = tally.borrow_mut();
                tally.lat.push(t.elapsed().as_micros() as u32);
                match done {
                    Ok(next) => {
                        tally.ok += 1;
                        if let Some(next) = next.filter(|_| Instant::now() < end) {
                            jobs.borrow_mut().push_back(next);
                        }
                    }
                    Err(why) => {
                        tally.bad += 1;
                        tally.sample = why;
                    }
                }
            }
        })
    }).collect();
    for worker in workers {
        worker.await.unwrap_or_else(|e| die(&e.to_string()));
    }
    let (after, secs) = (look(), began.elapsed().as_secs_f64());
    let mut tally = tally.take();
    tally.lat.sort_unstable();
    let q = |q: f64| tally.lat.get(((tally.lat.len() as f64 * q) as usize).min(tally.lat.len().saturating_sub(1))).copied().unwrap_or(0);
    let foreign = (after.2 - before.2 - (after.0 - before.0) - (after.1 - before.1)).max(0.0) / secs;
    println!("{}", serde_json::json!({
        "step": name, "conns": o.conns, "ok": tally.ok, "bad": tally.bad, "bad_sample": tally.sample, "secs": secs, "rps": tally.ok as f64 / secs,
        "p50_us": q(0.5), "p99_us": q(0.99), "cpu_us": (after.0 - before.0) * 1e6 / tally.ok.max(1) as f64,
        "rss_kib": rss(&tree).0, "foreign_cores": foreign,
    }));
}

/// A page that asks somebody.
struct Page {
    cookie: String,
    csrf: String,
}
/// A browser that comes back from the provider.
struct Back {
    cookie: String,
    path: String,
}

async fn asked(wire: &mut Wire, way: &str) -> Result<Page, String> {
    let reply = wire.get(way, &[]).await?.must(200)?;
    let cookie = between(reply.header("set-cookie"), &format!("{COOKIE}="), ";").ok_or("no cookie")?;
    let csrf = between(&reply.body, "name=\"csrf\" value=\"", "\"").ok_or("no form")?;
    Ok(Page { cookie: format!("{COOKIE}={cookie}"), csrf: csrf.to_owned() })
}

async fn dance(o: &Opt) {
    let provider = Rc::new(Provider::new(o.provider));
    Rc::clone(&provider).serve(o.provider).await;
    let base = format!("http://127.0.0.1:{}", o.port);
    let mut wire = Wire::new(o.port, OF_AN_ADDRESS);
    let client = registered(&mut wire).await.unwrap_or_else(|e| die(&format!("not registered: {e}")));
    let way = format!(
        "/authorize?response_type=code&client_id={client}&redirect_uri={}&code_challenge={CHALLENGE}&code_challenge_method=S256&state=s&resource={}",
        escaped(CALLBACK), escaped(&format!("{base}/mcp"))
    );
    // The first of each is paid for once: keys are made, pools are filled.
    asked(&mut wire, &way).await.unwrap_or_else(|e| die(&format!("not asked: {e}")));

    let again = vec![(); o.conns.into()];
    step(o, ("metadata", OF_AN_ADDRESS), again.clone(), async |wire: &mut Wire, ()| wire.get("/.well-known/oauth-authorization-server", &[]).await?.must(200).map(|_| Some(()))).await;
    let to = way.clone();
    step(o, ("shown", OF_AN_ADDRESS), again, async move |wire: &mut Wire, ()| asked(wire, &to).await.map(|_| Some(()))).await;

    let mut pages = Vec::new();
    for _ in 0..o.people {
        pages.push(asked(&mut wire, &way).await.unwrap_or_else(|e| die(&format!("not asked: {e}"))));
    }
    let (backs, number) = (Rc::new(RefCell::new(Vec::new())), Rc::new(Cell::new(0)));
    let (found, known, origin) = (Rc::clone(&backs), Rc::clone(&provider), base.clone());
    step(o, ("decided", ANSWERS_OF_AN_ADDRESS), pages, async move |wire: &mut Wire, page: Page| {
        let headers = [("cookie", page.cookie.as_str()), ("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        let reply = wire.form("/authority/agree", &headers, &[("csrf", &page.csrf), ("decision", "agree")]).await?.must(200)?;
        let onward = reply.header("refresh");
        let of = |name: &str| parameter(onward, name).ok_or(format!("no {name}: {onward}"));
        let (state, nonce) = (of("state")?, of("nonce")?);
        let person = number.replace(number.get() + 1);
        known.codes.borrow_mut().insert(format!("c{person}"), (nonce, person));
        let path = format!("/authority/signed-in?code=c{person}&state={}&iss={}", escaped(&state), escaped(&known.issuer));
        found.borrow_mut().push(Back { cookie: page.cookie, path });
        Ok(None)
    }).await;
    let asked_for_decisions = provider.asked.get();

    let codes = Rc::new(RefCell::new(Vec::new()));
    let found = Rc::clone(&codes);
    step(o, ("signed_in", OF_AN_ADDRESS), backs.take(), async move |wire: &mut Wire, back: Back| {
        let reply = wire.get(&back.path, &[("cookie", &back.cookie)]).await?.must(303)?;
        let to = reply.header("location");
        found.borrow_mut().push(parameter(to, "code").ok_or(format!("no code: {to}"))?);
        Ok(None)
    }).await;
    println!("{}", serde_json::json!({"step": "provider", "asked_by_decided": asked_for_decisions, "asked_by_signed_in": provider.asked.get() - asked_for_decisions}));

    let (lines, access) = (Rc::new(RefCell::new(Vec::new())), Rc::new(RefCell::new(Vec::new())));
    let (found, id) = (Rc::clone(&lines), client.clone());
    step(o, ("code", OF_AN_ADDRESS), codes.take(), async move |wire: &mut Wire, code: String| {
        let fields = [("grant_type", "authorization_code"), ("code", &code), ("client_id", &id), ("code_verifier", VERIFIER), ("redirect_uri", CALLBACK)];
        let answer = wire.form("/token", &[], &fields).await?.must(200)?.json();
        found.borrow_mut().push((answer["refresh_token"].as_str().ok_or("no refresh token")?.to_owned(), 1));
        Ok(None)
    }).await;
    let found = Rc::clone(&access);
    step(o, ("refresh", OF_AN_ADDRESS), lines.take(), async move |wire: &mut Wire, (token, count): (String, usize)| {
        let answer = wire.form("/token", &[], &[("grant_type", "refresh_token"), ("refresh_token", &token), ("client_id", &client)]).await?.must(200)?.json();
        if count == 1 {
            found.borrow_mut().push(answer["access_token"].as_str().ok_or("no access token")?.to_owned());
        }
        let next = answer["refresh_token"].as_str().ok_or("no refresh token")?.to_owned();
        Ok((count < OF_A_LINE).then_some((next, count + 1)))
    }).await;
    if !o.tokens.is_empty() {
        std::fs::write(&o.tokens, access.take().join("\n") + "\n").unwrap_or_else(|e| die(&e.to_string()));
    }
}

async fn registered(wire: &mut Wire) -> Result<String, String> {
    let reply = wire.ask(Method::POST, "/register", &[("content-type", "application/json")], registration()).await?.must(201)?;
    Ok(reply.json()["client_id"].as_str().ok_or("no client_id")?.to_owned())
}
fn registration() -> String {
    serde_json::json!({"client_name": "Bench", "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none"}).to_string()
}

async fn flood(o: &Opt) {
    let statuses = Rc::new(RefCell::new(BTreeMap::<String, u64>::new()));
    let (counted, path, registers) = (Rc::clone(&statuses), o.flood.clone(), o.flood == "/register");
    let (began, sent, rate) = (Instant::now(), Rc::new(Cell::new(0u64)), o.rate);
    let each = if o.one_address { u32::MAX } else { OF_AN_ADDRESS };
    step(o, (&format!("flood of {path}"), each), vec![(); o.conns.into()], async move |wire: &mut Wire, ()| {
        if rate > 0.0 {
            let nth = sent.replace(sent.get() + 1);
            tokio::time::sleep_until((began + Duration::from_secs_f64(nth as f64 / rate)).into()).await;
        }
        let reply = match registers {
            true => wire.ask(Method::POST, &path, &[("content-type", "application/json")], registration()).await?,
            false => wire.get(&path, &[]).await?,
        };
        *counted.borrow_mut().entry(reply.status.to_string()).or_default() += 1;
        Ok(Some(()))
    }).await;
    println!("{}", serde_json::json!({"step": "statuses", "of": *statuses.borrow()}));
}

fn main() {
    let mut o = Opt { port: 0, provider: 0, conns: 16, people: 560, secs: 3.0, pid: None, tokens: String::new(), flood: String::new(), one_address: false, rate: 0.0 };
    let mut a = std::env::args().skip(1);
    while let Some(k) = a.next() {
        if k == "--one-address" {
            o.one_address = true;
            continue;
        }
        let v = a.next().unwrap_or_else(|| die("value expected"));
        match k.as_str() {
            "--port" => o.port = v.parse().unwrap(),
            "--provider" => o.provider = v.parse().unwrap(),
            "--conns" => o.conns = v.parse().unwrap(),
            "--people" => o.people = v.parse().unwrap(),
            "--secs" => o.secs = v.parse().unwrap(),
            "--pid" => o.pid = v.parse().ok(),
            "--tokens" => o.tokens = v,
            "--flood" => o.flood = v,
            "--rate" => o.rate = v.parse().unwrap(),
            _ => die(&format!("unknown option {k}")),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        match o.flood.is_empty() {
            true => dance(&o).await,
            false => flood(&o).await,
        }
    });
}
