//! The egress path against servers of our own and a resolver that lies on demand.

mod one_path;

use super::*;
use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use identity::{Fetch as _, FetchError, Outbound};
use rustls::pki_types::PrivateKeyDer;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use url::Url;

/// Answers each look-up with the next row, and the last row for ever.
pub(crate) struct Script {
    rows: Vec<Vec<SocketAddr>>,
    pub(crate) asked: AtomicUsize,
}

impl Resolve for Script {
    fn resolve(&self, _: &str, port: u16) -> Resolving {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let row = self.rows.get(turn).or(self.rows.last()).unwrap().clone();
        let row = row
            .into_iter()
            .map(|a| SocketAddr::new(a.ip(), if a.port() == 0 { port } else { a.port() }))
            .collect();
        Box::pin(async move { Ok(row) })
    }
}

pub(crate) fn script(rows: &[&[&str]]) -> Arc<Script> {
    let rows = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|a| SocketAddr::new(a.parse().unwrap(), 0))
                .collect()
        })
        .collect();
    Arc::new(Script {
        rows,
        asked: AtomicUsize::new(0),
    })
}

pub(crate) fn egress(
    resolver: Arc<dyn Resolve>,
    authorities: Vec<CertificateDer<'static>>,
) -> Egress {
    Egress::new(&EgressSettings {
        authorities,
        resolver,
        system_roots: SystemRoots::Ignored,
        connect_timeout: PATIENCE,
        ..EgressSettings::default()
    })
    .unwrap()
}

/// How long whatever is not about time may take, on a machine that has much else to do as well.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

pub(crate) fn destination(url: &str, network: Network) -> Destination {
    Destination::new(Url::parse(url).unwrap(), network).unwrap()
}

/// What a served path answers.
fn answer(path: &str) -> Response<Full<Bytes>> {
    let (status, content_type, body) = match path {
        "/redirect" => (302, "text/plain", Bytes::new()),
        "/large" => (200, "application/json", Bytes::from(vec![b' '; 600 * 1024])),
        "/text" => (200, "text/html", Bytes::from_static(b"{}")),
        "/keys" => (
            200,
            "application/jwk-set+json",
            Bytes::from_static(b"{\"keys\":[]}"),
        ),
        "/trouble" => (500, "application/json", Bytes::from(vec![b' '; 65 * 1024])),
        "/missing" => (404, "application/json", Bytes::from_static(b"{}")),
        _ => (200, "application/json", Bytes::from_static(b"{}")),
    };
    Response::builder()
        .status(status)
        .header("location", "http://127.0.0.1:9/elsewhere")
        .header("content-type", content_type)
        .header("cache-control", "public, max-age=300")
        .header("dpop-nonce", "n-1")
        .header("www-authenticate", "DPoP error=\"use_dpop_nonce\"")
        .body(Full::new(body))
        .unwrap()
}

/// What a server saw.
#[derive(Default)]
pub(crate) struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

pub(crate) async fn serve(tls: Option<tokio_rustls::TlsAcceptor>) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Seen::default());
    let noted = seen.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            noted.connections.fetch_add(1, Ordering::SeqCst);
            let noted = noted.clone();
            let tls = tls.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let line = format!("{} {}", request.method(), request.uri().path());
                    noted.requests.lock().unwrap().push(line);
                    let answer = answer(request.uri().path());
                    async move { Ok::<_, Infallible>(answer) }
                });
                let server = auto::Builder::new(TokioExecutor::new());
                match tls {
                    None => drop(server.serve_connection(TokioIo::new(stream), service).await),
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            drop(server.serve_connection(TokioIo::new(stream), service).await);
                        }
                    }
                }
            });
        }
    });
    (address, seen)
}

/// A certificate for `name`, and an acceptor that shows it.
pub(crate) fn certified(
    name: &str,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (CertificateDer<'static>, tokio_rustls::TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (
        certificate,
        tokio_rustls::TlsAcceptor::from(Arc::new(config)),
    )
}

async fn get(egress: &Egress, destination: &Destination) -> Result<StatusCode, EgressError> {
    let response = egress
        .send(destination, Request::new(Full::default()), soon())
        .await?;
    let status = response.status();
    collect(response.into_body(), 1 << 20, soon()).await?;
    Ok(status)
}

#[tokio::test]
async fn n10_3_refuses_a_name_with_one_forbidden_address() {
    for row in [
        &["127.0.0.1"][..],
        &["1.1.1.1", "127.0.0.1"],
        &["2606:4700::1111", "::ffff:10.0.0.1"],
        &["1.1.1.1", "169.254.169.254", "8.8.8.8"],
    ] {
        let egress = egress(script(&[row]), Vec::new());
        let error = get(
            &egress,
            &destination("https://name.example/", Network::Public),
        )
        .await
        .unwrap_err();
        assert!(
            matches!(error, EgressError::Forbidden { .. }),
            "{row:?}: {error}"
        );
        assert!(error.is_unsent());
    }
}

#[tokio::test]
async fn n10_3_judges_a_private_destination_too() {
    let egress = egress(script(&[&["127.0.0.1", "169.254.169.254"]]), Vec::new());
    let error = get(
        &egress,
        &destination("http://name.example/", Network::Private),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, EgressError::Forbidden { .. }), "{error}");
}

#[tokio::test]
async fn n10_3_resolves_once_so_a_name_cannot_change_its_mind() {
    let (address, seen) = serve(None).await;
    // Good at the first look-up, a metadata service at every later one.
    let resolver = script(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let egress = egress(resolver.clone(), Vec::new());
    let url = format!("http://name.example:{}/", address.port());
    let destination = destination(&url, Network::Private);
    assert_eq!(get(&egress, &destination).await, Ok(StatusCode::OK));
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
    // The pooled connection serves on; nothing is looked up again.
    assert_eq!(get(&egress, &destination).await, Ok(StatusCode::OK));
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_is_not_used_again_when_servers_begin_to_close_it() {
    for (idle, connections) in [(3, 1), (5, 2)] {
        let (address, seen) = serve(None).await;
        let egress = egress(script(&[&["127.0.0.1"]]), Vec::new());
        let url = format!("http://name.example:{}/", address.port());
        let destination = destination(&url, Network::Private);
        assert_eq!(get(&egress, &destination).await, Ok(StatusCode::OK));
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(idle)).await;
        tokio::time::resume();
        assert_eq!(get(&egress, &destination).await, Ok(StatusCode::OK));
        assert_eq!(
            seen.connections.load(Ordering::SeqCst),
            connections,
            "{idle} s"
        );
    }
}

#[tokio::test]
async fn a_private_connection_is_never_reused_for_a_public_destination() {
    let (certificate, acceptor) = certified("name.example", &[&rustls::version::TLS13]);
    let (address, seen) = serve(Some(acceptor)).await;
    let egress = egress(script(&[&["127.0.0.1"]]), vec![certificate]);
    let url = format!("https://name.example:{}/", address.port());
    assert_eq!(
        get(&egress, &destination(&url, Network::Private)).await,
        Ok(StatusCode::OK)
    );
    let error = get(&egress, &destination(&url, Network::Public))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Forbidden { .. }), "{error}");
    assert_eq!(seen.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn follows_no_redirect() {
    let (address, seen) = serve(None).await;
    let egress = egress(script(&[&["127.0.0.1"]]), Vec::new());
    let url = format!("http://127.0.0.1:{}/redirect", address.port());
    let status = get(&egress, &destination(&url, Network::Private)).await;
    assert_eq!(status, Ok(StatusCode::FOUND));
    assert_eq!(seen.requests.lock().unwrap().as_slice(), ["GET /redirect"]);
}

#[tokio::test]
async fn n3_1_verifies_the_certificate_of_a_private_destination_too() {
    let (certificate, acceptor) = certified("name.example", &[&rustls::version::TLS13]);
    let (address, seen) = serve(Some(acceptor)).await;
    let resolver = script(&[&["127.0.0.1"]]);
    let right = format!("https://name.example:{}/", address.port());
    let wrong = format!("https://other.example:{}/", address.port());
    let trusting = egress(resolver.clone(), vec![certificate]);
    assert_eq!(
        get(&trusting, &destination(&right, Network::Private)).await,
        Ok(StatusCode::OK)
    );
    for (egress, url) in [(&trusting, &wrong), (&egress(resolver, Vec::new()), &right)] {
        let error = get(egress, &destination(url, Network::Private))
            .await
            .unwrap_err();
        assert!(matches!(error, EgressError::Unreachable { .. }), "{error}");
        assert!(error.is_unsent());
    }
    assert_eq!(seen.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn n3_1_reuses_one_http2_connection() {
    let (certificate, acceptor) = certified("name.example", &[&rustls::version::TLS13]);
    let (address, seen) = serve(Some(acceptor)).await;
    let egress = egress(script(&[&["127.0.0.1"]]), vec![certificate]);
    let destination = destination(
        &format!("https://name.example:{}/", address.port()),
        Network::Private,
    );
    for _ in 0..3 {
        assert_eq!(get(&egress, &destination).await, Ok(StatusCode::OK));
    }
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn says_that_nothing_was_sent_when_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let egress = egress(script(&[&["127.0.0.1"]]), Vec::new());
    let url = format!("http://127.0.0.1:{}/", address.port());
    let error = get(&egress, &destination(&url, Network::Private))
        .await
        .unwrap_err();
    assert!(error.is_unsent(), "{error}");
}

#[tokio::test]
async fn tries_the_next_address_when_one_refuses() {
    let (address, _) = serve(None).await;
    // Nobody listens on the port at 127.0.0.9.
    let egress = egress(script(&[&["127.0.0.9", "127.0.0.1"]]), Vec::new());
    let url = format!("http://name.example:{}/", address.port());
    assert_eq!(
        get(&egress, &destination(&url, Network::Private)).await,
        Ok(StatusCode::OK)
    );
}

#[tokio::test]
async fn gives_up_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let egress = egress(script(&[&["127.0.0.1"]]), Vec::new());
    let destination = destination(&url, Network::Private);
    let deadline = Instant::now() + Duration::from_millis(20);
    let error = egress
        .send(&destination, Request::new(Full::default()), deadline)
        .await
        .unwrap_err();
    assert_eq!(error, EgressError::Deadline);
    assert!(!error.is_unsent());
}

#[tokio::test]
async fn bounds_a_body_while_it_is_read() {
    let (address, _) = serve(None).await;
    let egress = egress(script(&[&["127.0.0.1"]]), Vec::new());
    let url = format!("http://127.0.0.1:{}/large", address.port());
    let destination = destination(&url, Network::Private);
    for (max, fits) in [(600 * 1024, true), (600 * 1024 - 1, false), (0, false)] {
        let response = egress
            .send(&destination, Request::new(Full::default()), soon())
            .await
            .unwrap();
        let body = collect(response.into_body(), max, soon()).await;
        assert_eq!(body.is_ok(), fits, "{max}");
    }
}

#[tokio::test]
async fn fetches_a_document_within_bounds() {
    let (address, seen) = serve(None).await;
    let egress = Arc::new(egress(script(&[&["127.0.0.1"]]), Vec::new()));
    let url = |path: &str| Url::parse(&format!("http://{address}{path}")).unwrap();
    let fetcher = Fetcher::new(egress.clone(), [Authority::of(&url("/"))]);
    let document = fetcher.get(&url("/keys")).await.unwrap();
    assert_eq!(document.status, 200);
    assert_eq!(&document.body[..], b"{\"keys\":[]}");
    assert_eq!(document.max_age, Some(300));
    for (path, status) in [("/redirect", 302), ("/text", 200), ("/trouble", 500)] {
        let document = fetcher.get(&url(path)).await.unwrap();
        assert_eq!(document.status, status, "{path}");
        assert!(document.body.is_empty(), "{path}");
    }
    let redirect = fetcher.get(&url("/redirect")).await.unwrap();
    let place = redirect.location.as_deref();
    assert_eq!(place, Some("http://127.0.0.1:9/elsewhere"));
    // What OAuth says is wrong is in the body of an error.
    let form = Outbound::form(url("/missing"), &[("token", "t")]);
    let error = fetcher.send(form).await.unwrap();
    assert_eq!((error.status, &error.body[..]), (404, &b"{}"[..]));
    assert_eq!(error.dpop_nonce.as_deref(), Some("n-1"));
    assert_eq!(error.challenges, ["DPoP error=\"use_dpop_nonce\""]);
    let large = fetcher.get(&url("/large")).await;
    assert_eq!(large.unwrap_err(), FetchError::TooLarge);
    // Another authority on the same machine was not named, so it may not be private.
    let (stranger, unseen) = serve(None).await;
    let stranger = Url::parse(&format!("http://{stranger}/keys")).unwrap();
    let stranger = fetcher.get(&stranger).await.unwrap_err();
    assert!(matches!(stranger, FetchError::NotAllowed(_)));
    assert!(unseen.requests.lock().unwrap().is_empty());
    assert_eq!(seen.requests.lock().unwrap().len(), 7);
}

/// A provider's name is judged at every look-up, whatever it was before, for questions with a body as
/// for those without: our credential and a caller's token are in there.
#[tokio::test]
async fn n10_3_a_provider_whose_name_turns_private_is_not_asked() {
    let (address, seen) = serve(None).await;
    let named = Url::parse(&format!("https://id.example:{}/keys", address.port())).unwrap();
    for turned in [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["203.0.113.1", "127.0.0.1"],
    ] {
        let egress = Arc::new(egress(script(&[turned]), Vec::new()));
        // Another authority may be private; this one may not.
        let other = Url::parse("https://other.example/").unwrap();
        let fetcher = Fetcher::new(egress, [Authority::of(&other)]);
        let form = Outbound::form(named.clone(), &[("token", "t")]);
        for refused in [fetcher.get(&named).await, fetcher.send(form).await] {
            let refused = refused.unwrap_err();
            assert!(
                matches!(refused, FetchError::NotAllowed(_)),
                "{turned:?}: {refused}"
            );
        }
    }
    assert!(seen.requests.lock().unwrap().is_empty());
}
