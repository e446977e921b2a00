//! Sockets: who may connect, how slowly they may speak, and how the gateway stops listening.
//!
//! A listener reads HTTP and nothing else: it checks `Host` and `Origin`, finds the route, gathers a
//! bounded body in bounded time, and hands a [`Raw`](crate::stages::Raw) to the stages. Plaintext is
//! spoken on loopback only; the configuration cannot say otherwise.

mod delivery;
mod door;
mod exchange;
mod front;
mod opening;
mod tls;

pub(crate) use door::origin_is_ours;
pub use tls::TlsError;

use crate::body::Body;
use crate::gate::Gate;
use crate::stages::{Draft, record};
use config::settled;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use identity::possession::certificate::Certificate;
use opening::Opening;
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// A socket that is bound and not yet served.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<tokio_rustls::TlsAcceptor>,
    house: Arc<House>,
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .field("house", &self.house)
            .finish_non_exhaustive()
    }
}

/// What every connection of a listener shares.
#[derive(Debug)]
struct House {
    hosts: Vec<String>,
    origins: Vec<String>,
    /// Whether browsers are told to come back encrypted only; said in plaintext it means nothing.
    encrypted: bool,
    connections: Arc<Semaphore>,
    header_bytes: usize,
    header_time: Duration,
    /// Who may tell of the certificates of callers.
    front: Option<front::Front>,
}

/// The other end of a connection.
#[derive(Debug)]
struct Peer {
    source: IpAddr,
    /// The certificate whose key it has shown to hold.
    certificate: Option<Certificate>,
}

/// Why a listener could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is taken or not ours.
    #[error("cannot listen on `{address}`: {error}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("the certificate of `{address}`: {error}")]
    Tls {
        /// The address.
        address: SocketAddr,
        /// What is wrong with it.
        error: TlsError,
    },
}

impl Listener {
    /// How long a TLS handshake may take.
    pub const HANDSHAKE: Duration = Duration::from_secs(10);
    /// Requests one HTTP/2 connection may have open.
    pub const STREAMS: u32 = 128;
    /// HTTP/2 streams reset before they were answered that a connection may pile up.
    pub const RESETS: usize = 32;
    /// How long calls may still run once the gateway was told to stop.
    pub const DRAIN: Duration = Duration::from_secs(30);

    /// Binds the address and loads the certificate.
    pub async fn bind(
        listener: &settled::Listener,
        limits: &settled::Limits,
        connections: Arc<Semaphore>,
    ) -> Result<Self, ListenError> {
        let address = listener.address;
        let tls = match &listener.transport {
            settled::Transport::Plaintext => None,
            settled::Transport::Tls(files) => {
                Some(tls::acceptor(files).map_err(|error| ListenError::Tls { address, error })?)
            }
        };
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|error| ListenError::Bind { address, error })?;
        let bound = socket
            .local_addr()
            .map_err(|error| ListenError::Bind { address, error })?;
        let house = House {
            hosts: listener.hosts.clone(),
            origins: listener.origins.clone(),
            encrypted: tls.is_some(),
            connections,
            header_bytes: usize::try_from(limits.header_bytes).unwrap_or(usize::MAX),
            header_time: limits.header_time,
            front: listener.front.as_ref().map(front::Front::of),
        };
        Ok(Listener {
            socket,
            address: bound,
            tls,
            house: Arc::new(house),
        })
    }

    /// The address it is bound to, with the port the system chose if it was asked to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it speaks TLS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves until told to stop, then lets the calls under way finish.
    pub async fn serve(self, gate: Arc<Gate>, mut stop: watch::Receiver<bool>) {
        let open = GracefulShutdown::new();
        loop {
            let (stream, peer) = tokio::select! {
                accepted = self.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            // Over the limit a connection is closed at once: a queue of them helps nobody.
            let Ok(permit) = Arc::clone(&self.house.connections).try_acquire_owned() else {
                tracing::warn!(%peer, "connection closed: as many are open as may be");
                continue;
            };
            let connection = Connection {
                gate: Arc::clone(&gate),
                house: Arc::clone(&self.house),
                peer: Peer {
                    source: peer.ip().to_canonical(),
                    certificate: None,
                },
                _permit: permit,
            };
            tokio::spawn(connection.run(stream, self.tls.clone(), open.watcher()));
        }
        drop(self.socket);
        if tokio::time::timeout(Self::DRAIN, open.shutdown())
            .await
            .is_err()
        {
            tracing::warn!(
                "calls were still under way {} s after the stop",
                Self::DRAIN.as_secs()
            );
        }
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    // Out of descriptors, most likely: give the connections there are time to end.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

struct Connection {
    gate: Arc<Gate>,
    house: Arc<House>,
    peer: Peer,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(
        mut self,
        stream: TcpStream,
        tls: Option<tokio_rustls::TlsAcceptor>,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        // Answers are small and latency is what callers feel.
        let _ = stream.set_nodelay(true);
        match tls {
            None => self.speak(stream, watcher).await,
            Some(tls) => {
                match tokio::time::timeout(Listener::HANDSHAKE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => {
                        self.peer.certificate = tls::certificate(stream.get_ref().1);
                        self.speak(stream, watcher).await;
                    }
                    Ok(Err(error)) => self.not_met(&error).await,
                    Err(_) => {
                        tracing::debug!(source = %self.peer.source, "TLS handshake took too long")
                    }
                }
            }
        }
    }

    /// A handshake that failed. If it was for the certificate of the other end, somebody was refused.
    async fn not_met(&self, error: &std::io::Error) {
        let source = self.peer.source;
        tracing::debug!(%source, %error, "TLS handshake failed");
        if let Some(refused) = tls::refusal(error) {
            let draft = Draft::begin(&self.gate, source, "http");
            record::refusal(&self.gate, refused, draft).await;
        }
    }

    async fn speak<S>(self, stream: S, watcher: hyper_util::server::graceful::Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let house = Arc::clone(&self.house);
        let connection = Arc::new(self);
        let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
            let connection = Arc::clone(&connection);
            async move { Ok::<http::Response<Body>, Infallible>(connection.answer(request).await) }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(house.header_time)
            // hyper refuses a smaller buffer than this.
            .max_buf_size(house.header_bytes.max(8192))
            .half_close(false);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(house.header_bytes).unwrap_or(u32::MAX))
            .max_concurrent_streams(Listener::STREAMS)
            .max_pending_accept_reset_streams(Listener::RESETS)
            .keep_alive_interval(Some(Duration::from_secs(30)))
            .keep_alive_timeout(Duration::from_secs(20));
        let stream = TokioIo::new(Opening::new(stream, house.header_time));
        let connection = watcher.watch(builder.serve_connection(stream, service).into_owned());
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended");
        }
    }

    async fn answer(&self, request: http::Request<Incoming>) -> http::Response<Body> {
        exchange::answer(&self.gate, &self.house, &self.peer, request).await
    }
}
