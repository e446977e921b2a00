//! Making a connection: resolve, judge every address, connect to one that was judged, TLS.
//!
//! It never resolves a name twice for one connection, and never connects to an address that the
//! destination's network does not admit.

use super::address::Network;
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tower_service::Service;

/// How a name becomes addresses.
pub trait Resolve: Send + Sync {
    fn resolve(&self, host: &str, port: u16) -> Resolving;
}

/// Addresses to come.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// The resolver of the operating system.
pub(super) fn system_resolver() -> Arc<dyn Resolve> {
    Arc::new(System)
}

struct System;

impl Resolve for System {
    fn resolve(&self, host: &str, port: u16) -> Resolving {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await?;
            Ok(found.take(ADDRESSES_MAX).collect())
        })
    }
}

/// How many addresses of a name are looked at; every one of them is judged.
const ADDRESSES_MAX: usize = 64;
/// How many of them are tried.
const ATTEMPTS_MAX: usize = 4;
/// How long an address is tried alone before the next one joins.
const HEAD_START: Duration = Duration::from_millis(250);

type BoxError = Box<dyn StdError + Send + Sync>;
type Stream = TokioIo<TcpStream>;

/// The connector of a pool: everything up to a usable connection within one time.
#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<Vetted>,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(https: HttpsConnector<Vetted>, timeout: Duration) -> Self {
        Connector { https, timeout }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Stream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.timeout, self.https.call(uri));
        Box::pin(async move {
            match connecting.await {
                Ok(result) => result,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

/// TCP to judged addresses only.
#[derive(Clone)]
pub(super) struct Vetted {
    resolver: Arc<dyn Resolve>,
    network: Network,
}

impl Vetted {
    pub(super) fn new(resolver: Arc<dyn Resolve>, network: Network) -> Self {
        Vetted { resolver, network }
    }
}

impl Service<Uri> for Vetted {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let network = self.network;
        let resolver = self.resolver.clone();
        Box::pin(async move {
            let addresses = judged(&uri, network, &*resolver).await?;
            connect(&addresses).await.map_err(Into::into)
        })
    }
}

/// The addresses of `uri`, every one of them admitted. One forbidden address among good ones
/// refuses them all: that is what a name that tries to get in looks like.
async fn judged(
    uri: &Uri,
    network: Network,
    resolver: &dyn Resolve,
) -> Result<Vec<SocketAddr>, BoxError> {
    let host = uri.host().unwrap_or("");
    let bare = host
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(host);
    let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
        Some("http") => 80,
        _ => 443,
    });
    admitted(bare, port, network, resolver).await
}

/// The addresses of a host, every one of them admitted.
pub(super) async fn admitted(
    host: &str,
    port: u16,
    network: Network,
    resolver: &dyn Resolve,
) -> Result<Vec<SocketAddr>, BoxError> {
    let addresses = match host.parse::<IpAddr>() {
        Ok(literal) => vec![SocketAddr::new(literal, port)],
        Err(_) => resolver.resolve(host, port).await?,
    };
    for address in &addresses {
        network.admit(address.ip())?;
    }
    Ok(addresses)
}

/// Connects to the first address that answers. Each address gets a head start over the next, so
/// that one that swallows everything does not use up the time of those that would answer.
async fn connect(addresses: &[SocketAddr]) -> io::Result<Stream> {
    let mut waiting = addresses.iter().copied().take(ATTEMPTS_MAX);
    let mut racing = JoinSet::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        match waiting.next() {
            Some(address) => {
                #[expect(clippy::disallowed_methods, reason = "this is the one egress path")]
                racing.spawn(TcpStream::connect(address));
            }
            None if racing.is_empty() => return Err(last),
            None => {}
        }
        let outcome = if waiting.len() == 0 {
            racing.join_next().await
        } else {
            match tokio::time::timeout(HEAD_START, racing.join_next()).await {
                Ok(outcome) => outcome,
                Err(_) => continue,
            }
        };
        match outcome {
            Some(Ok(Ok(stream))) => {
                stream.set_nodelay(true)?;
                return Ok(TokioIo::new(stream));
            }
            Some(Ok(Err(error))) => last = error,
            Some(Err(error)) => last = io::Error::other(error),
            None => {}
        }
    }
}
