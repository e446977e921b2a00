//! The MCP servers behind the gateway: one [`Server`] per configured server, one [`Link`] per
//! downstream session.
//!
//! A server is met in an era it speaks (rules V6 to V8): with a handshake and a session, or with
//! requests that are each complete in themselves. A link is the upstream end of one downstream
//! session and of nobody else's. It carries messages that the stages have let through and hands
//! back what the server says; it inspects nothing, translates nothing and decides nothing. Nothing
//! of a caller reaches a server except the bytes of the message and the headers that mirror them:
//! no header of a caller's own, no token, no address. The only credential that is sent is the
//! server's own.

mod duplex;
mod era;
mod error;
mod http;
mod link;
mod peek;
#[cfg(test)]
mod scripted;
mod spec;
mod sse;
mod stdio;

pub use era::{EraChoice, Verdict};
pub use error::UpstreamError;
pub use link::{Event, Events, Link, Outgoing, Reply};
pub(crate) use peek::own;
pub use spec::{HttpSpec, ServerSpec, Sharing, StdioSpec, Transport, Variable};

use crate::credential::Agent;
use crate::egress::Egress;
use bytes::Bytes;
use era::Eras;
use link::{LinkKind, Source};
use protocol::Era;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How ids begin under which the gateway asks for something on its own account. No request of a
/// client carries one.
pub(crate) const OWN_IDS: &str = "ringwall-";

/// Whose upstream session a link is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The verified user.
    pub user: Arc<str>,
    /// The client that acts for the user, if it is known by name.
    pub client: Option<Arc<str>>,
    /// The route it comes by: policies differ from one to the other.
    pub route: Arc<str>,
    /// One session of that user.
    pub session: Arc<str>,
}

/// How the gateway introduces itself: everything needed for either era.
#[derive(Clone, Debug)]
pub struct Greeting {
    /// A complete `server/discover` request of the newest modern revision.
    pub discover: Bytes,
    /// A complete `initialize` request.
    pub initialize: Bytes,
    /// The era to meet the server in if it speaks both.
    pub prefer: Era,
}

/// A server that was met.
#[derive(Debug)]
pub struct Met {
    /// The way to it, in the era it was met in.
    pub link: Link,
    /// Its whole answer to `initialize`, or to `server/discover` if the link is modern.
    pub said: Bytes,
}

/// One server.
#[derive(Debug)]
pub struct Server {
    name: Arc<str>,
    kind: ServerKind,
    eras: Arc<Eras>,
}

#[derive(Debug)]
enum ServerKind {
    Http(Arc<http::Remote>),
    Sse(sse::Dialer),
    Stdio(Arc<stdio::Local>),
}

impl Server {
    /// Makes the server. Connects to nothing and starts no process: that is for the first session.
    pub fn new(egress: &Arc<Egress>, spec: ServerSpec) -> Result<Self, UpstreamError> {
        let bounds = Bounds {
            name: spec.name.clone(),
            timeout: spec.timeout,
            answer_bytes: spec.answer_bytes,
        };
        let mut choice = spec.era;
        let kind = match spec.transport {
            Transport::Http(spec) => {
                let remote = http::Remote::new(egress.clone(), bounds, spec)?;
                ServerKind::Http(Arc::new(remote))
            }
            Transport::Sse(_) if choice == EraChoice::Modern => {
                return Err(UpstreamError::Settings {
                    reason: "the modern era does not run over HTTP+SSE".to_owned(),
                });
            }
            Transport::Sse(spec) => {
                choice = EraChoice::Legacy;
                let remote = http::Remote::new(egress.clone(), bounds, spec)?;
                ServerKind::Sse(sse::Dialer::new(Arc::new(remote)))
            }
            Transport::Stdio(spec) => ServerKind::Stdio(Arc::new(stdio::Local::new(bounds, spec)?)),
        };
        Ok(Server {
            name: spec.name,
            kind,
            eras: Arc::new(Eras::new(choice)),
        })
    }

    /// What the operator calls it.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Who gets the tokens that are shown to it, if it is shown any.
    pub fn agent(&self) -> Option<&Arc<Agent>> {
        match &self.kind {
            ServerKind::Http(remote) => remote.agent(),
            ServerKind::Sse(dialer) => dialer.remote().agent(),
            ServerKind::Stdio(_) => None,
        }
    }

    /// What is known now of the eras it speaks: nothing before it was met.
    pub fn verdict(&self) -> Option<Verdict> {
        self.eras.verdict()
    }

    /// Meets the server in an era it speaks, the preferred one if it speaks both. Which it speaks
    /// shows in how it answers, and is remembered for a while. A server whose handshake is done
    /// still waits for `notifications/initialized`: that is for the caller to send.
    pub async fn meet(&self, owner: &Owner, greeting: Greeting) -> Result<Met, UpstreamError> {
        // What is no request is a mistake of ours, and starts nothing.
        peek::request_id(&greeting.initialize)?;
        peek::request_id(&greeting.discover)?;
        let (kind, said) = match &self.kind {
            ServerKind::Http(remote) => remote.held_by(owner).meet(&greeting, &self.eras).await?,
            ServerKind::Sse(dialer) => {
                let (share, said) = dialer.open(owner, greeting.initialize).await?;
                self.eras.found(Era::Legacy);
                (LinkKind::Duplex(Arc::new(share)), said)
            }
            ServerKind::Stdio(local) => {
                let (share, said) = local.meet(owner, &greeting, &self.eras).await?;
                (LinkKind::Duplex(Arc::new(share)), said)
            }
        };
        let link = self.link(kind);
        Ok(Met { link, said })
    }

    /// Opens an upstream session for `owner` with the client's own `initialize` request, and
    /// returns the server's response to it. Nothing is tried in the modern era.
    pub async fn open(
        &self,
        owner: &Owner,
        initialize: Bytes,
    ) -> Result<(Link, Reply), UpstreamError> {
        if !self.eras.permits(Era::Legacy) {
            return Err(UpstreamError::Era { era: Era::Legacy });
        }
        let (kind, answer) = match &self.kind {
            ServerKind::Http(remote) => {
                let (session, answer) =
                    http::Session::open(&remote.held_by(owner), initialize).await?;
                (LinkKind::Http(session), answer)
            }
            ServerKind::Sse(dialer) => {
                let (share, answer) = dialer.open(owner, initialize).await?;
                (LinkKind::Duplex(Arc::new(share)), answer)
            }
            ServerKind::Stdio(local) => {
                let (share, answer) = local.open(owner, initialize).await?;
                (LinkKind::Duplex(Arc::new(share)), answer)
            }
        };
        self.eras.found(Era::Legacy);
        Ok((self.link(kind), Reply::Message(answer)))
    }

    /// Ends every process of it, and waits until they are gone.
    pub async fn close(&self) {
        match &self.kind {
            ServerKind::Http(_) | ServerKind::Sse(_) => {}
            ServerKind::Stdio(local) => local.close().await,
        }
    }

    fn link(&self, kind: LinkKind) -> Link {
        let eras = self.eras.clone();
        Link { kind, eras }
    }
}

/// What every transport is bound by.
#[derive(Clone, Debug)]
struct Bounds {
    name: Arc<str>,
    timeout: Duration,
    answer_bytes: usize,
}

impl Bounds {
    /// The sooner of what the caller allows and what the server is allowed.
    fn deadline(&self, wanted: Instant) -> Instant {
        wanted.min(Instant::now() + self.timeout)
    }
}

/// How many messages a server may send on the stream of one call before its answer. Time bounds
/// such a stream too; this bounds the work within that time.
const EVENTS_MAX: u32 = 65_536;

/// Locks what a panic elsewhere cannot have left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
