//! The one path of every outbound connection: who may be reached, over what, and for how long.
//!
//! Every fetch of the product (a call to an upstream, an issuer's metadata, its keys) goes through
//! [`Egress::send`]. The connector resolves a name itself, judges every address it got, and
//! connects to an address it has judged, so neither a literal in a URL nor a name that changes its
//! mind between two look-ups gets past it. It never follows a redirect, never speaks plaintext to
//! a public destination, and never sends anything of a caller that it was not handed in the
//! request.

pub mod address;
mod connector;
mod destination;
mod fetcher;

pub use address::Network;
pub use connector::{Resolve, Resolving};
pub use destination::{Destination, DestinationError};
pub use fetcher::{Authority, Fetcher};

use address::ForbiddenAddress;
use bytes::{Bytes, BytesMut};
use connector::Connector;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;

/// What an [`Egress`] is made from.
#[derive(Clone)]
pub struct EgressSettings {
    /// Certificates of private authorities, trusted beside the public ones.
    pub authorities: Vec<CertificateDer<'static>>,
    /// How names become addresses.
    pub resolver: Arc<dyn Resolve>,
    /// Whether the roots that the operating system trusts are trusted too.
    pub system_roots: SystemRoots,
    /// How long name, connection and TLS handshake may take together.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// How many unused connections are kept per destination.
    pub idle_connections: usize,
}

/// Whether the roots of the operating system are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemRoots {
    Ignored,
    Trusted,
}

impl Default for EgressSettings {
    fn default() -> Self {
        EgressSettings {
            authorities: Vec::new(),
            resolver: connector::system_resolver(),
            system_roots: SystemRoots::Trusted,
            connect_timeout: Duration::from_secs(10),
            // Less than the 5 s after which Node.js and uvicorn close a connection that nobody uses: a
            // request that crosses with that is lost, and whether it was acted on, nobody can say.
            idle_timeout: Duration::from_secs(4),
            idle_connections: 256,
        }
    }
}

impl fmt::Debug for EgressSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressSettings")
            .field("authorities", &self.authorities.len())
            .field("system_roots", &self.system_roots)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .finish_non_exhaustive()
    }
}

/// The pools of outbound connections.
///
/// INVARIANT: a connection made for a private destination is never reused for a public one: each
/// network has its own pool.
pub struct Egress {
    public: Pool,
    private: Pool,
    resolver: Arc<dyn Resolve>,
}

type Pool = Client<Connector, Full<Bytes>>;

/// The port that names are looked up for where nothing is connected to.
const HTTPS: u16 = 443;

/// The largest response head that is read.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 128;

impl Egress {
    /// Pools with these settings. Fails if there is no root to trust.
    pub fn new(settings: &EgressSettings) -> Result<Self, EgressError> {
        let tls = tls_config(settings)?;
        Ok(Egress {
            public: pool(settings, &tls, Network::Public),
            private: pool(settings, &tls, Network::Private),
            resolver: Arc::clone(&settings.resolver),
        })
    }

    /// Whether a connection to this host would be made on `network`: by the same look-up and the same
    /// judgement of every address. Nothing is connected to.
    pub async fn admits(
        &self,
        host: &str,
        network: Network,
        deadline: Instant,
    ) -> Result<(), EgressError> {
        let looked = connector::admitted(host, HTTPS, network, &*self.resolver);
        let unreachable = |reason: String| EgressError::Unreachable {
            host: host.to_owned(),
            reason,
        };
        match tokio::time::timeout_at(deadline, looked).await {
            Err(_) => Err(EgressError::Deadline),
            Ok(Ok(addresses)) if addresses.is_empty() => {
                Err(unreachable("the name has no address".to_owned()))
            }
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(match error.downcast_ref::<ForbiddenAddress>() {
                Some(forbidden) => EgressError::Forbidden {
                    host: host.to_owned(),
                    forbidden: *forbidden,
                },
                None => unreachable(error.to_string()),
            }),
        }
    }

    /// Sends `request` to `destination`, whose URL replaces the request's own, and waits for the
    /// head of the answer until `deadline`. A redirect is an answer like any other.
    pub async fn send(
        &self,
        destination: &Destination,
        mut request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, EgressError> {
        *request.uri_mut() = destination.uri().clone();
        let pool = match destination.network() {
            Network::Public => &self.public,
            Network::Private => &self.private,
        };
        match tokio::time::timeout_at(deadline, pool.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(EgressError::of(destination, &error)),
            Err(_) => Err(EgressError::Deadline),
        }
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Egress")
    }
}

/// Reads a body to its end, refusing as soon as it is larger than `max` bytes.
pub async fn collect(
    mut body: Incoming,
    max: usize,
    deadline: Instant,
) -> Result<Bytes, EgressError> {
    let too_large = EgressError::TooLarge { max };
    let announced = body.size_hint();
    if announced.lower() > max as u64 {
        return Err(too_large);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let frame = match tokio::time::timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(EgressError::Deadline),
            Ok(None) => break,
            Ok(Some(frame)) => frame.map_err(|error| EgressError::broken(&error))?,
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > max - first.len() - rest.len() {
            return Err(too_large);
        }
        // Most answers are one frame, and then nothing is copied.
        if first.is_empty() && rest.is_empty() {
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest.reserve(
                announced
                    .exact()
                    .map_or(first.len() + data.len(), |n| n as usize),
            );
            rest.extend_from_slice(&first);
            first = Bytes::new();
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    })
}

/// Why nothing, or not all, came back.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EgressError {
    #[error("the connection broke: {reason}")]
    Broken { reason: String },
    #[error("no answer in time")]
    Deadline,
    #[error(transparent)]
    Destination(#[from] DestinationError),
    #[error("refuses to connect to `{host}`: {forbidden}")]
    Forbidden {
        host: String,
        forbidden: ForbiddenAddress,
    },
    #[error("the answer is not what was asked for: {reason}")]
    Unexpected { reason: String },
    #[error("the answer is larger than {max} bytes")]
    TooLarge { max: usize },
    #[error("cannot use the certificate authorities: {reason}")]
    Trust { reason: String },
    #[error("cannot connect to `{host}`: {reason}")]
    Unreachable { host: String, reason: String },
}

impl EgressError {
    /// Whether not one byte of the request can have reached the destination.
    pub fn is_unsent(&self) -> bool {
        matches!(
            self,
            EgressError::Destination(_)
                | EgressError::Forbidden { .. }
                | EgressError::Unreachable { .. }
        )
    }

    fn of(destination: &Destination, error: &hyper_util::client::legacy::Error) -> Self {
        if !error.is_connect() {
            return EgressError::broken(error);
        }
        let host = destination.host().to_owned();
        match find::<ForbiddenAddress>(error) {
            Some(forbidden) => EgressError::Forbidden {
                host,
                forbidden: *forbidden,
            },
            None => EgressError::Unreachable {
                host,
                reason: chain(error),
            },
        }
    }

    fn broken(error: &(dyn StdError + 'static)) -> Self {
        EgressError::Broken {
            reason: chain(error),
        }
    }
}

fn pool(settings: &EgressSettings, tls: &rustls::ClientConfig, network: Network) -> Pool {
    let vetted = connector::Vetted::new(settings.resolver.clone(), network);
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls.clone());
    let builder = match network {
        Network::Public => builder.https_only(),
        Network::Private => builder.https_or_http(),
    };
    let https = builder.enable_http1().enable_http2().wrap_connector(vetted);
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_idle_timeout(settings.idle_timeout)
        .pool_max_idle_per_host(settings.idle_connections)
        .http1_max_headers(HEADERS_MAX)
        .http1_max_buf_size(HEAD_BYTES_MAX.max(256 * 1024))
        .http2_max_header_list_size(HEAD_BYTES_MAX as u32)
        .http2_adaptive_window(true)
        .build(Connector::new(https, settings.connect_timeout))
}

fn tls_config(settings: &EgressSettings) -> Result<rustls::ClientConfig, EgressError> {
    let trust = |reason: String| EgressError::Trust { reason };
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if settings.system_roots == SystemRoots::Trusted {
        // A system without a store is not a fault: the public roots are built in.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for authority in &settings.authorities {
        roots
            .add(authority.clone())
            .map_err(|error| trust(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| trust(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// The first error of the type `E` in the chain of sources.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The whole chain of sources in one line.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        next = error.source();
    }
    text
}

#[cfg(test)]
pub(crate) mod tests;
