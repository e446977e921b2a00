//! The MCP servers behind the gateway: one [`Server`] per configured server, one [`Link`] per
//! downstream session.
//!
//! A link is the upstream end of one downstream session and of nobody else's. It carries messages
//! that the stages have let through and hands back what the server says; it inspects nothing and
//! decides nothing. Nothing of a caller reaches a server except the bytes of the message: no
//! header, no token, no address. The only credential that is sent is the server's own.

mod breaker;
mod error;
mod http;
mod peek;
mod stdio;

pub use error::UpstreamError;

use crate::egress::{Destination, Egress};
use crate::secret::Secret;
use ::http::HeaderName;
use bytes::Bytes;
use protocol::{Id, Message, Shape};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What a server is, with nothing left to interpret.
#[derive(Clone, Debug)]
pub struct ServerSpec {
    pub name: Arc<str>,
    pub transport: Transport,
    /// How long a whole call may take, whatever progress it reports.
    pub timeout: Duration,
    /// The largest message the server may send.
    pub answer_bytes: usize,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub enum Transport {
    Http(HttpSpec),
    Stdio(StdioSpec),
}

/// A server reached over Streamable HTTP.
#[derive(Clone, Debug)]
pub struct HttpSpec {
    pub destination: Destination,
    /// What the gateway shows this server, if anything.
    pub credential: Option<Secret>,
    /// The header that carries it; without one, `Authorization: Bearer …`.
    pub header: Option<HeaderName>,
}

/// A server that is a local process speaking over its standard input and output.
#[derive(Clone, Debug)]
pub struct StdioSpec {
    /// Program and arguments; from the configuration and from nowhere else.
    pub command: Vec<String>,
    /// Every variable the process sees, besides `PATH`.
    pub environment: Vec<(String, Variable)>,
    pub directory: PathBuf,
    /// Who shares a process.
    pub sharing: Sharing,
    /// How long a process that no session uses is kept.
    pub idle: Duration,
    /// How long a process gets to end by itself, and again after SIGTERM.
    pub grace: Duration,
    /// How many processes one user may have, and the whole server.
    pub processes_per_user: usize,
    pub processes: usize,
}

impl Default for StdioSpec {
    fn default() -> Self {
        StdioSpec {
            command: Vec::new(),
            environment: Vec::new(),
            directory: PathBuf::from("."),
            sharing: Sharing::User,
            idle: Duration::from_secs(60),
            grace: Duration::from_secs(2),
            processes_per_user: 8,
            processes: 256,
        }
    }
}

/// The value of an environment variable.
#[derive(Clone, Debug)]
pub enum Variable {
    Literal(String),
    Secret(Secret),
}

/// Which sessions share a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// None: one process per session.
    Session,
    /// The sessions of one user that greeted the server alike.
    User,
}

/// Whose upstream session a link is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    pub user: Arc<str>,
    pub session: Arc<str>,
}

/// A message on its way to a server.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// The message; over HTTP exactly these bytes are sent.
    pub bytes: Bytes,
    pub shape: Shape,
    /// None for a notification.
    pub id: Option<Id>,
    /// Empty for a response.
    pub method: &'a str,
}

impl<'a> Outgoing<'a> {
    /// A message as it was read.
    pub fn of(message: &'a Message) -> Self {
        Outgoing {
            bytes: message.bytes().clone(),
            shape: message.shape(),
            id: message.id(),
            method: message.method(),
        }
    }
}

/// What a server said to one message.
#[derive(Debug)]
pub enum Reply {
    /// It took a notification or a response.
    Accepted,
    /// One message: the response.
    Message(Bytes),
    /// Several messages, the response being the last that matters.
    Stream(Events),
}

/// One message of a stream. Its data is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: Option<Arc<str>>,
    pub data: Bytes,
}

/// Messages of a server, read one at a time: what is not asked for waits at the server.
#[derive(Debug)]
pub struct Events(Source);

#[derive(Debug)]
enum Source {
    Http(Box<http::Stream>),
    Stdio(stdio::Stream),
}

impl Events {
    /// The next message; none when the stream has ended as it should. On the stream of a call the
    /// end before the response is an error.
    pub async fn next(&mut self) -> Result<Option<Event>, UpstreamError> {
        match &mut self.0 {
            Source::Http(stream) => stream.next().await,
            Source::Stdio(stream) => stream.next().await,
        }
    }

    /// Says that the response was seen and nothing more is wanted, so that the connection can be
    /// used again.
    pub fn finish(self) {
        match self.0 {
            Source::Http(stream) => stream.finish(),
            Source::Stdio(_) => {}
        }
    }
}

/// One server.
#[derive(Debug)]
pub struct Server {
    name: Arc<str>,
    kind: ServerKind,
}

#[derive(Debug)]
enum ServerKind {
    Http(Arc<http::Remote>),
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
        let kind = match spec.transport {
            Transport::Http(spec) => {
                let remote = http::Remote::new(egress.clone(), bounds, spec)?;
                ServerKind::Http(Arc::new(remote))
            }
            Transport::Stdio(spec) => ServerKind::Stdio(Arc::new(stdio::Local::new(bounds, spec)?)),
        };
        Ok(Server {
            name: spec.name,
            kind,
        })
    }

    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Opens an upstream session for `owner` with the client's own `initialize` request, and
    /// returns the server's response to it.
    pub async fn open(
        &self,
        owner: &Owner,
        initialize: Bytes,
    ) -> Result<(Link, Reply), UpstreamError> {
        let (kind, answer) = match &self.kind {
            ServerKind::Http(remote) => {
                let (session, answer) = http::Session::open(remote, initialize).await?;
                (LinkKind::Http(session), answer)
            }
            ServerKind::Stdio(local) => {
                let (share, answer) = local.open(owner, initialize).await?;
                (LinkKind::Stdio(Arc::new(share)), answer)
            }
        };
        Ok((Link(kind), Reply::Message(answer)))
    }

    /// Ends every process of it, and waits until they are gone.
    pub async fn close(&self) {
        match &self.kind {
            ServerKind::Http(_) => {}
            ServerKind::Stdio(local) => local.close().await,
        }
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

/// One downstream session's own session on one server. Clones are the same session; when the last
/// one is dropped, the session is let go.
#[derive(Clone)]
pub struct Link(LinkKind);

#[derive(Clone)]
enum LinkKind {
    Http(Arc<http::Session>),
    Stdio(Arc<stdio::Share>),
}

impl Link {
    /// Sends a message and waits for the answer, at most until `deadline` and never longer than
    /// the server's own timeout.
    pub async fn send(
        &self,
        message: Outgoing<'_>,
        deadline: Instant,
    ) -> Result<Reply, UpstreamError> {
        match &self.0 {
            LinkKind::Http(session) => session.send(message, deadline).await,
            LinkKind::Stdio(share) => share.send(message, deadline).await,
        }
    }

    /// What the server says unasked; none if it never does. Over HTTP this resumes after
    /// `last_event_id`. One at a time.
    pub async fn listen(
        &self,
        last_event_id: Option<&str>,
    ) -> Result<Option<Events>, UpstreamError> {
        match &self.0 {
            LinkKind::Http(session) => session.listen(last_event_id).await,
            LinkKind::Stdio(share) => share.listen().map(Some),
        }
    }

    /// Ends the session. Best effort: a server that is gone needs no farewell.
    pub async fn close(&self) {
        match &self.0 {
            LinkKind::Http(session) => session.close().await,
            LinkKind::Stdio(share) => share.close(),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            LinkKind::Http(_) => f.write_str("Link(http)"),
            LinkKind::Stdio(_) => f.write_str("Link(stdio)"),
        }
    }
}

/// Locks what a panic elsewhere cannot have left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
