//! The listener, over sockets: what it speaks, what it refuses before a call begins, how long it
//! waits, what every answer carries, and how it stops. The gateway runs in this process. Limits of
//! time are real here, one second each, because hyper's clock runs with the socket.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its fittings too"
)]

mod fittings;

use bytes::Bytes;
use fittings::{Settings, World, answer, code, json_of, serve};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use ringwall_gateway::house::{House, HouseError};
use ringwall_gateway::listener::ListenError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// A limit of one second has had its effect by then, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[tokio::test]
async fn n3_1_speaks_tls_1_3_over_http_1_and_2() {
    let files = Files::new();
    let world = World::start(&files.settings(&files.listener())).await;
    for protocol in ["h2", "http/1.1"] {
        let mut client = rustls::ClientConfig::builder_with_provider(Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(files.roots())
        .with_no_client_auth();
        client.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = connect(world.gateway).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = tokio_rustls::TlsConnector::from(Arc::new(client))
            .connect(name, stream)
            .await
            .unwrap();
        let (_, session) = stream.get_ref();
        assert_eq!(
            (session.protocol_version(), session.alpn_protocol()),
            (
                Some(rustls::ProtocolVersion::TLSv1_3),
                Some(protocol.as_bytes())
            )
        );
        let url = format!("https://localhost:{}/livez", world.gateway.port());
        let response = if protocol == "h2" {
            over_http_2(stream, get(&url)).await
        } else {
            let mut request = get("/livez");
            let host = "localhost".parse().unwrap();
            request.headers_mut().insert("host", host);
            over_http_1(stream, request).await
        };
        assert_eq!(response.status(), StatusCode::OK, "{protocol}");
        assert_eq!(
            response.headers()["strict-transport-security"],
            "max-age=31536000"
        );
    }
}

/// The hello differs in the version it offers and in nothing else, so it is that which is refused.
#[tokio::test]
async fn n3_1_refuses_tls_1_2() {
    const HANDSHAKE: u8 = 22;
    const ALERT: u8 = 21;
    const PROTOCOL_VERSION: u8 = 70;
    let files = Files::new();
    let world = World::start(&files.settings(&files.listener())).await;
    let answer = exchange(world.gateway, &client_hello(Some([3, 4]))).await;
    assert_eq!(answer[0], HANDSHAKE, "{answer:?}");
    for older in [Some([3, 3]), Some([3, 2]), None] {
        let answer = exchange(world.gateway, &client_hello(older)).await;
        assert_eq!(answer.len(), 7, "{older:?}: {answer:?}");
        assert_eq!((answer[0], answer[6]), (ALERT, PROTOCOL_VERSION));
    }
}

#[tokio::test]
async fn n3_1_a_certificate_that_cannot_be_used_stops_the_start() {
    let check = async |break_it: fn(&Files), expected: &str| {
        let files = Files::new();
        break_it(&files);
        let error = files.build().await.unwrap_err();
        assert!(
            matches!(error, HouseError::Listen(ListenError::Tls { .. })),
            "{error}"
        );
        let error = error.to_string();
        assert!(error.contains(expected), "{error}");
    };
    Files::new().build().await.unwrap();
    check(
        |it| std::fs::remove_file(it.certificate()).unwrap(),
        "cannot read",
    )
    .await;
    check(
        |it| std::fs::write(it.certificate(), "").unwrap(),
        "no certificate",
    )
    .await;
    check(|it| std::fs::remove_file(it.key()).unwrap(), "its key").await;
    check(|it| std::fs::write(it.key(), "no key").unwrap(), "its key").await;
    check(|it| permit(&it.key(), 0o644), "can be read by others").await;
    check(
        |it| {
            std::fs::copy(Files::new().key(), it.key()).unwrap();
        },
        "",
    )
    .await;
}

#[tokio::test]
async fn n4_4_refuses_a_header_that_is_too_large() {
    let world = World::start(&limited("{ header_bytes: 8KiB }")).await;
    for (bytes, expected) in [(4000, 404), (9000, 431), (200_000, 431)] {
        let long = "a".repeat(bytes);
        let text = format!("GET /nowhere HTTP/1.1\r\nhost: localhost\r\nx-long: {long}\r\n\r\n");
        let answer = ask(world.gateway, &text).await;
        assert_eq!(status(&answer), expected, "{bytes}: {answer}");
    }
    for (bytes, expected) in [(4000, 404), (9000, 431)] {
        let stream = connect(world.gateway).await.unwrap();
        let url = format!("http://localhost:{}/nowhere", world.gateway.port());
        let mut request = get(&url);
        let long = "a".repeat(bytes).parse().unwrap();
        request.headers_mut().insert("x-long", long);
        let response = over_http_2(stream, request).await;
        assert_eq!(response.status(), expected, "{bytes}");
    }
}

#[tokio::test]
async fn n4_4_refuses_a_body_that_is_too_large() {
    let world = World::start(&limited("{ request_bytes: 1KiB }")).await;
    let chunk = |bytes: usize| format!("{bytes:x}\r\n{}\r\n", "a".repeat(bytes));
    let chunked = "transfer-encoding: chunked";
    // A body that fits is read, and found to be no message.
    for (framing, body, expected) in [
        ("content-length: 1024", "a".repeat(1024), 400),
        // Of what is announced as too large, nothing is awaited.
        ("content-length: 1025", String::new(), 413),
        ("content-length: 9999999999999", String::new(), 413),
        (chunked, chunk(1024) + "0\r\n\r\n", 400),
        (chunked, chunk(1025) + "0\r\n\r\n", 413),
        // The end never comes, and is not awaited either.
        (chunked, chunk(600) + &chunk(600), 413),
    ] {
        let answer = ask(world.gateway, &posted(framing, &body)).await;
        assert_eq!(status(&answer), expected, "{framing}: {answer}");
        assert_eq!(answer.contains("body_size"), expected == 413, "{answer}");
    }
}

#[tokio::test]
async fn n4_4_gives_up_on_a_slow_body() {
    let world = World::start(&limited("{ body_time: 1s }")).await;
    let ask = |text: String| async move {
        let begun = Instant::now();
        let answer = ask(world.gateway, &text).await;
        assert_eq!(status(&answer), 408, "{answer}");
        assert!(answer.contains("body_time"), "{answer}");
        assert!(begun.elapsed() >= Duration::from_secs(1));
    };
    tokio::join!(
        ask(posted("content-length: 10", "{")),
        ask(posted("transfer-encoding: chunked", "1\r\n{\r\n")),
    );
}

/// A browser may keep a connection for its next request, for as long as the header of one may take.
#[tokio::test]
async fn n4_4_gives_up_on_a_slow_header() {
    let world = World::start(&limited("{ header_time: 1s }")).await;
    let closes = |text: &'static str| async move {
        let begun = Instant::now();
        let answer = exchange(world.gateway, text.as_bytes()).await;
        assert!(begun.elapsed() >= Duration::from_millis(900), "{text}");
        String::from_utf8(answer).unwrap()
    };
    let (silent, preface, line, header, idle) = tokio::join!(
        closes(""),
        closes("PRI * HTTP/2.0"),
        closes("POST /mcp"),
        closes("POST /mcp HTTP/1.1\r\nhost: localhost\r\nx-more: a"),
        closes("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    );
    for unasked in [silent, preface, line, header] {
        assert!(!unasked.contains("200 OK"), "{unasked}");
    }
    assert_eq!(status(&idle), 200);
}

#[tokio::test]
async fn n4_4_closes_connections_over_the_limit() {
    // Those that are open say nothing more, and stay as long as that is borne.
    let world = World::start(&limited("{ connections: 2, header_time: 1m }")).await;
    let first = admitted(world.gateway).await.unwrap();
    let _second = admitted(world.gateway).await.unwrap();
    for _ in 0..3 {
        assert!(admitted(world.gateway).await.is_none());
    }
    drop(first);
    // Its place is free as soon as the gateway has noticed.
    let again = tokio::time::timeout(PATIENCE, async {
        while admitted(world.gateway).await.is_none() {
            tokio::task::yield_now().await;
        }
    });
    again.await.unwrap();
}

#[tokio::test]
async fn n8_4_every_answer_says_no_store_and_nosniff() {
    let world = World::start(&Settings::default()).await;
    let page = format!("GET {WELL_KNOWN}/mcp");
    let token = format!("authorization: Bearer {}", world.token(60));
    for (line, header, expected) in [
        ("GET /livez", "", 200),
        ("HEAD /livez", "", 200),
        ("GET /readyz", "", 200),
        (&*page, "", 200),
        ("OPTIONS /mcp", "", 204),
        ("DELETE /mcp", "", 401),
        ("POST /mcp", &*token, 415),
        ("POST /mcp", "origin: https://evil.example", 403),
        ("GET /nowhere", "", 404),
        ("PUT /mcp", "", 405),
    ] {
        let answer = ask(world.gateway, &requested(line, header)).await;
        assert_eq!(status(&answer), expected, "{line}: {answer}");
        assert_eq!(header_of(&answer, "cache-control"), Some("no-store"));
        assert_eq!(
            header_of(&answer, "x-content-type-options"),
            Some("nosniff")
        );
        // In plaintext anybody could have written it.
        assert_eq!(header_of(&answer, "strict-transport-security"), None);
    }
    world.gate.ledger.close().unwrap();
    let answer = ask(world.gateway, &requested("GET /readyz", "")).await;
    assert_eq!(
        (status(&answer), header_of(&answer, "cache-control")),
        (503, Some("no-store"))
    );
}

#[tokio::test]
async fn m1_metadata_is_at_every_place_a_client_looks() {
    let world = World::start(&Settings::default()).await;
    let resource = format!("http://{}/mcp", world.gateway);
    let refused = ask(world.gateway, &requested("DELETE /mcp", "")).await;
    let challenge = header_of(&refused, "www-authenticate").unwrap();
    let named = challenge.split("resource_metadata=\"").nth(1).unwrap();
    let named = named.split('"').next().unwrap();
    let named = named.strip_prefix(&format!("http://{}", world.gateway));
    for path in [
        named.unwrap(),
        WELL_KNOWN,
        &format!("{WELL_KNOWN}/"),
        &format!("{WELL_KNOWN}/mcp"),
    ] {
        let page = page(world.gateway, path).await.unwrap();
        assert_eq!(page["resource"], *resource, "{path}");
        let issuers = page["authorization_servers"].as_array().unwrap();
        assert_eq!(issuers.len(), 1, "{path}");
    }
    assert_eq!(
        page(world.gateway, &format!("{WELL_KNOWN}/other")).await,
        None
    );

    let world = World::start(&Settings {
        routes: ", { path: /other, server: small }",
        ..Settings::default()
    })
    .await;
    // Which of the two would be meant?
    assert_eq!(page(world.gateway, WELL_KNOWN).await, None);
    for route in ["/mcp", "/other"] {
        let page = page(world.gateway, &format!("{WELL_KNOWN}{route}")).await;
        let resource = format!("http://{}{route}", world.gateway);
        assert_eq!(page.unwrap()["resource"], *resource);
    }
}

#[tokio::test]
async fn answers_the_preflight_of_a_known_origin_only() {
    let world = World::start(&Settings {
        listener: "{ address: '127.0.0.1:0', origins: ['https://app.example.com'] }",
        ..Settings::default()
    })
    .await;
    let known = "https://app.example.com";
    for (line, origin, expected) in [
        ("OPTIONS /mcp", known, 204),
        ("OPTIONS /mcp", "https://evil.example", 403),
        ("OPTIONS /mcp", "https://app.example.com.evil.example", 403),
        ("OPTIONS /mcp", "null", 403),
        ("OPTIONS /nowhere", known, 404),
        ("DELETE /mcp", known, 401),
        ("POST /mcp", "https://evil.example", 403),
    ] {
        let header = format!(
            "origin: {origin}\r\naccess-control-request-method: POST\r\n\
             access-control-request-headers: content-type, Mcp-Param-Region, x-other"
        );
        let answer = ask(world.gateway, &requested(line, &header)).await;
        assert_eq!(status(&answer), expected, "{line} {origin}: {answer}");
        let allowed = header_of(&answer, "access-control-allow-origin");
        assert_eq!(allowed, (origin == known).then_some(known), "{line}");
        if expected == 204 {
            let headers = header_of(&answer, "access-control-allow-headers").unwrap();
            assert!(headers.contains("authorization"), "{headers}");
            assert!(headers.contains("mcp-session-id"), "{headers}");
            // Which arguments are repeated in headers is for each tool to say (rule H9).
            assert!(headers.ends_with(", mcp-param-region"), "{headers}");
            assert_eq!(header_of(&answer, "vary"), Some("origin"));
        }
        assert_eq!(header_of(&answer, "access-control-allow-credentials"), None);
    }
}

#[tokio::test]
async fn calls_under_way_finish_after_the_stop() {
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&go);
    let server = serve(move |body| {
        let (arrived, held) = (arrived.clone(), Arc::clone(&held));
        async move {
            let message: Value = serde_json::from_slice(&body).unwrap_or_default();
            if message["method"] != "resources/read" {
                return json_of(answer(&body));
            }
            arrived.send(()).unwrap();
            held.acquire().await.unwrap().forget();
            let result = json!({ "contents": [{ "uri": "file:///a", "text": "late" }] });
            json_of(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string())
        }
    })
    .await;
    let (world, house) = World::build(&Settings::default(), server).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut served = tokio::spawn(house.serve(async {
        let _ = stopped.await;
    }));
    let session = world.open().await;
    let read = json!({
        "jsonrpc": "2.0", "id": 7, "method": "resources/read", "params": { "uri": "file:///a" }
    });
    let token = world.token(60);
    let finished = async {
        let (status, answer) = world.call(&session, &token, &read).await;
        assert_eq!(status, StatusCode::OK, "{}: {answer}", code(&answer));
        assert_eq!(answer["result"]["contents"][0]["text"], "late", "{answer}");
    };
    let stopping = async {
        arrivals.recv().await.unwrap();
        stop.send(()).unwrap();
        // Nobody new is let in while the call is still under way.
        while connect(world.gateway).await.is_ok() {
            tokio::task::yield_now().await;
        }
        // And the gateway does not end without it: left alone it would be gone by then.
        let early = tokio::time::timeout(Duration::from_millis(500), &mut served).await;
        assert!(early.is_err(), "{early:?}");
        go.add_permits(1);
    };
    let both = async { tokio::join!(finished, stopping) };
    tokio::time::timeout(PATIENCE, both).await.unwrap();
    let served = tokio::time::timeout(PATIENCE, served).await;
    served.unwrap().unwrap().unwrap();
    assert!(connect(world.gateway).await.is_err());
}

/// A certificate for `localhost` and its key, as files.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Files {
            folder: tempfile::tempdir().unwrap(),
        };
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(files.certificate(), made.cert.pem()).unwrap();
        std::fs::write(files.key(), made.signing_key.serialize_pem()).unwrap();
        permit(&files.key(), 0o600);
        files
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn listener(&self) -> String {
        format!(
            "{{ address: '127.0.0.1:0', tls: {{ certificate: '{}', key: 'file:{}' }} }}",
            self.certificate().display(),
            self.key().display()
        )
    }

    fn settings<'a>(&self, listener: &'a str) -> Settings<'a> {
        Settings {
            listener,
            ..Settings::default()
        }
    }

    fn roots(&self) -> rustls::RootCertStore {
        let mut roots = rustls::RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(self.certificate()).unwrap();
        roots.add(certificate).unwrap();
        roots
    }

    async fn build(&self) -> Result<House, HouseError> {
        let listener = self.listener();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let data = self.folder.path().join("data");
        let issuer = "http://127.0.0.1:9";
        let loaded = self.settings(&listener).load(&data, issuer, nowhere);
        let clock = Arc::new(ringwall_gateway::clock::SystemClock::default());
        House::build(loaded, clock).await
    }
}

fn permit(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn limited(limits: &str) -> Settings<'_> {
    Settings {
        limits,
        ..Settings::default()
    }
}

/// A well-formed hello that offers this version, or does not say which as TLS 1.2 did.
fn client_hello(version: Option<[u8; 2]>) -> Vec<u8> {
    let extension = |kind: u8, body: &[u8]| [&[0, kind, 0, body.len() as u8], body].concat();
    let mut extensions = [
        // X25519 and P-256; ECDSA and RSA-PSS; no share of a key yet.
        extension(10, &[0, 4, 0, 29, 0, 23]),
        extension(13, &[0, 4, 4, 3, 8, 4]),
        extension(51, &[0, 0]),
    ]
    .concat();
    if let Some([major, minor]) = version {
        extensions.extend(extension(43, &[2, major, minor]));
    }
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0],
        // One suite of TLS 1.3 and one of 1.2; no compression.
        &[0, 4, 0x13, 0x01, 0xc0, 0x2b],
        &[1, 0],
        &[0, extensions.len() as u8],
        &extensions,
    ]
    .concat();
    let length = body.len() as u8;
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a caller of the gateway, not the gateway calling"
)]
async fn connect(gateway: SocketAddr) -> std::io::Result<TcpStream> {
    TcpStream::connect(gateway).await
}

/// Sends these bytes and reads what comes until the gateway closes, or has answered a hello.
async fn exchange(gateway: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(gateway).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let whole = async {
        let mut buffer = [0; 4096];
        // A reset ends it like an orderly close: the gateway leaves unread what it refuses.
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..read]);
            if answer[0] == 22 {
                break;
            }
        }
    };
    let closed = tokio::time::timeout(PATIENCE, whole).await;
    assert!(closed.is_ok(), "still open: {answer:?}");
    answer
}

/// Sends a request and reads its answer, to the end the answer announces.
async fn ask(gateway: SocketAddr, text: &str) -> String {
    let mut stream = connect(gateway).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let written = writing.write_all(text.as_bytes());
    let mut answer = Vec::new();
    let read = async {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = reading.read(&mut buffer).await {
            answer.extend_from_slice(&buffer[..read]);
            if is_whole(&answer, text.starts_with("HEAD")) {
                break;
            }
        }
    };
    let both = async { tokio::join!(written, read) };
    let ended = tokio::time::timeout(PATIENCE, both).await;
    assert!(ended.is_ok(), "no answer to {text:.80}");
    String::from_utf8(answer).unwrap()
}

fn is_whole(answer: &[u8], head_only: bool) -> bool {
    let answer = String::from_utf8_lossy(answer);
    let Some((_, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = header_of(&answer, "content-length").unwrap_or("0");
    head_only || body.len() >= length.parse().unwrap()
}

fn requested(line: &str, header: &str) -> String {
    let header = if header.is_empty() {
        String::new()
    } else {
        format!("{header}\r\n")
    };
    format!("{line} HTTP/1.1\r\nhost: localhost\r\n{header}content-length: 0\r\n\r\n")
}

fn posted(framing: &str, body: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n{framing}\r\n\r\n{body}"
    )
}

fn status(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).unwrap_or_default();
    code.parse().unwrap_or_default()
}

fn header_of<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// A connection that is open and has been answered, or none if it was closed at once.
async fn admitted(gateway: SocketAddr) -> Option<TcpStream> {
    let mut stream = connect(gateway).await.unwrap();
    let _ = stream
        .write_all(requested("GET /livez", "").as_bytes())
        .await;
    let mut buffer = [0; 512];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await;
    match read.unwrap() {
        Ok(1..) => Some(stream),
        Ok(_) | Err(_) => None,
    }
}

async fn page(gateway: SocketAddr, path: &str) -> Option<Value> {
    let answer = ask(gateway, &requested(&format!("GET {path}"), "")).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    match status(&answer) {
        200 => Some(serde_json::from_str(body).unwrap()),
        other => {
            assert_eq!(other, 404, "{answer}");
            None
        }
    }
}

fn get(url: &str) -> Request<Empty<Bytes>> {
    Request::get(url).body(Empty::new()).unwrap()
}

async fn over_http_1(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
) -> Response<Full<Bytes>> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    whole(sender.send_request(request).await.unwrap()).await
}

async fn over_http_2(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
) -> Response<Full<Bytes>> {
    let executor = TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    whole(sender.send_request(request).await.unwrap()).await
}

async fn whole(response: Response<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, Full::new(body))
}
