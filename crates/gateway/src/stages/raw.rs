//! What came in, before anything is believed about it but where it came from.

use crate::route::Route;
use crate::stages::refused::{self, Refused};
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use identity::possession::certificate::Certificate;
use protocol::mirror;
use std::net::IpAddr;
use std::sync::Arc;

/// A message as it arrived. It cannot be sent anywhere: it has to become stronger first.
#[derive(Debug)]
pub struct Raw {
    pub(super) route: Arc<Route>,
    pub(super) verb: Verb,
    pub(super) door: Door,
    pub(super) body: Bytes,
    pub(super) alone: Alone,
    /// Of a batch: whether the proof that all of it came with has been accepted.
    pub(super) proved: Option<Arc<Proved>>,
}

/// Set once the proof that a request came with was accepted. A batch is one request with one proof, and
/// a proof is good once; its messages come one after the other.
pub type Proved = std::sync::OnceLock<()>;

/// Whether a message came by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alone {
    /// It is one of a batch, which only one revision has.
    No,
    /// It is.
    Yes,
}

/// What is asked of the endpoint, before the message itself is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A message for the server (HTTP `POST`, or a line on stdin).
    Post,
    /// A stream of the server's own messages (HTTP `GET`).
    Get,
    /// The end of the session (HTTP `DELETE`).
    Delete,
}

/// The way it came in.
#[derive(Clone, Debug)]
pub enum Door {
    /// Over HTTP; the listener has checked `Host` and `Origin`.
    Http {
        /// All headers, none of which is ever forwarded.
        headers: HeaderMap,
        /// The address of the other end of the connection.
        source: IpAddr,
        /// The query string; a token in it is never accepted.
        query: Option<Box<str>>,
        /// The certificate whose key the caller has shown to hold, to us or to a proxy we believe.
        certificate: Option<Certificate>,
    },
    /// A line from the process that started this one; the operating system has authenticated it.
    Stdio {
        /// The local user.
        user: Arc<str>,
        /// The session this pipe holds once `initialize` was answered.
        session: Option<Box<str>>,
    },
}

impl Verb {
    /// The HTTP method.
    pub fn method(self) -> &'static str {
        match self {
            Verb::Post => "POST",
            Verb::Get => "GET",
            Verb::Delete => "DELETE",
        }
    }
}

impl Raw {
    /// A request whose `Host` and `Origin` were checked by the listener.
    pub fn http(route: Arc<Route>, verb: Verb, door: Door, body: Bytes) -> Self {
        Raw {
            route,
            verb,
            door,
            body,
            alone: Alone::Yes,
            proved: None,
        }
    }

    /// One message of a batch, which came in the same way.
    pub(super) fn part(&self, body: Bytes, proved: &Arc<Proved>) -> Self {
        Raw {
            route: Arc::clone(&self.route),
            verb: self.verb,
            door: self.door.clone(),
            body,
            alone: Alone::No,
            proved: Some(Arc::clone(proved)),
        }
    }

    /// A line from standard input.
    pub fn line(route: Arc<Route>, user: Arc<str>, session: Option<Box<str>>, body: Bytes) -> Self {
        Raw {
            route,
            verb: Verb::Post,
            door: Door::Stdio { user, session },
            body,
            alone: Alone::Yes,
            proved: None,
        }
    }

    /// The wish of a local process to hear the server's own messages.
    pub fn listen(route: Arc<Route>, user: Arc<str>, session: Box<str>) -> Self {
        let door = Door::Stdio {
            user,
            session: Some(session),
        };
        Raw {
            route,
            verb: Verb::Get,
            door,
            body: Bytes::new(),
            alone: Alone::Yes,
            proved: None,
        }
    }

    /// The value of a header that may be there once. Twice is refused: two readers could differ.
    pub(super) fn header(&self, name: &HeaderName) -> Result<Option<&str>, Refused> {
        let Door::Http { headers, .. } = &self.door else {
            return Ok(None);
        };
        let mut values = headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(refused::header_twice(name));
        }
        first
            .map(|value| {
                value
                    .to_str()
                    .map(str::trim)
                    .map_err(|_| refused::header_text(name))
            })
            .transpose()
    }

    /// A header that must mirror the body, as it came.
    pub(super) fn sent(&self, name: &str) -> mirror::Sent<'_> {
        let Door::Http { headers, .. } = &self.door else {
            return mirror::Sent::Absent;
        };
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => mirror::Sent::Absent,
            (Some(value), None) => mirror::Sent::Once(value.as_bytes()),
            (Some(_), Some(_)) => mirror::Sent::Repeated,
        }
    }

    /// Whether it came with headers at all.
    pub(super) fn has_headers(&self) -> bool {
        matches!(self.door, Door::Http { .. })
    }

    /// The session id that came along, wherever this door carries it.
    pub(super) fn session_id(&self) -> Result<Option<&str>, Refused> {
        match &self.door {
            Door::Http { .. } => self.header(&SESSION),
            Door::Stdio { session, .. } => Ok(session.as_deref()),
        }
    }

    /// The address it came from; a local process is `127.0.0.1`.
    pub fn source(&self) -> IpAddr {
        match &self.door {
            Door::Http { source, .. } => *source,
            Door::Stdio { .. } => IpAddr::from([127, 0, 0, 1]),
        }
    }

    /// The route it came in on.
    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }
}

/// `Mcp-Session-Id`.
pub static SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// `MCP-Protocol-Version`.
pub static VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// `Last-Event-ID`.
pub static LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
/// `DPoP`.
pub static DPOP: HeaderName = HeaderName::from_static("dpop");
