//! The upstream end of one downstream session, whatever lies behind it: what is sent over it, and
//! what comes back. It inspects nothing and decides nothing.

use super::era::Eras;
use super::{UpstreamError, duplex, http};
use ::http::{HeaderName, HeaderValue};
use bytes::Bytes;
use protocol::{Era, Id, Message, Shape};
use std::fmt;
use std::sync::Arc;
use tokio::time::Instant;

/// A message on its way to a server.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// The message; over Streamable HTTP exactly these bytes are sent.
    pub bytes: Bytes,
    /// What it is.
    pub shape: Shape,
    /// None for a notification.
    pub id: Option<Id>,
    /// Empty for a response.
    pub method: &'a str,
    /// `Mcp-Name` and `Mcp-Param-…`, which mirror the body (rules H6 and H9). They are sent to a
    /// modern server over HTTP and to no other.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl<'a> Outgoing<'a> {
    /// A message as it was read, mirrored in no header.
    pub fn of(message: &'a Message) -> Self {
        Outgoing {
            bytes: message.bytes().clone(),
            shape: message.shape(),
            id: message.id(),
            method: message.method(),
            headers: Vec::new(),
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
    /// The server's id of the event, if it has one.
    pub id: Option<Arc<str>>,
    /// The message.
    pub data: Bytes,
}

/// Messages of a server, read one at a time: what is not asked for waits at the server.
///
/// Dropped unfinished, a stream of a modern server is cancelled; one of a legacy server is only no
/// longer read.
#[derive(Debug)]
pub struct Events(pub(super) Source);

#[derive(Debug)]
pub(super) enum Source {
    /// One message, and nothing after it.
    One(Option<Bytes>),
    Http(Box<http::Stream>),
    Modern(Box<http::Answering>),
    Duplex(duplex::Stream),
}

impl Events {
    /// The next message; none when the stream has ended as it should. On the stream of a call the
    /// end before the response is an error.
    pub async fn next(&mut self) -> Result<Option<Event>, UpstreamError> {
        match &mut self.0 {
            Source::One(data) => Ok(data.take().map(|data| Event { id: None, data })),
            Source::Http(stream) => stream.next().await,
            Source::Modern(stream) => stream.next().await,
            Source::Duplex(stream) => stream.next().await,
        }
    }

    /// Says that the response was seen and nothing more is wanted, so that the connection can be
    /// used again.
    pub fn finish(self) {
        match self.0 {
            Source::Http(stream) => stream.finish(),
            Source::Modern(stream) => stream.finish(),
            Source::One(_) | Source::Duplex(_) => {}
        }
    }

    /// Gives the server until then: its answer waited for the client, and the time that took is not
    /// the server's.
    pub fn extend(&mut self, until: Instant) {
        match &mut self.0 {
            Source::Http(stream) => stream.extend(until),
            Source::Duplex(stream) => stream.extend(until),
            // Nothing of these waits for a client.
            Source::One(_) | Source::Modern(_) => {}
        }
    }

    /// Says that nobody waits for the response any more. Over HTTP a modern server learns it from
    /// the closed stream (rule H13); everybody else is sent `notifications/cancelled`.
    pub fn cancel(self) {
        match self.0 {
            Source::Http(stream) => stream.cancel(),
            Source::Duplex(stream) => stream.cancel(),
            Source::One(_) | Source::Modern(_) => {}
        }
    }
}

/// One downstream session's own session on one server. Clones are the same session; when the last
/// one is dropped, the session is let go.
#[derive(Clone)]
pub struct Link {
    pub(super) kind: LinkKind,
    pub(super) eras: Arc<Eras>,
}

#[derive(Clone)]
pub(super) enum LinkKind {
    /// A session over Streamable HTTP.
    Http(Arc<http::Session>),
    /// Requests over HTTP that know nothing of each other.
    Modern(Arc<http::Stateless>),
    /// A share of a process, or a connection of HTTP+SSE.
    Duplex(Arc<duplex::Share>),
}

impl Link {
    /// The era in which the server was met.
    pub fn era(&self) -> Era {
        match &self.kind {
            LinkKind::Http(_) => Era::Legacy,
            LinkKind::Modern(_) => Era::Modern,
            LinkKind::Duplex(share) => share.era(),
        }
    }

    /// Sends a message and waits for the answer, at most until `deadline` and never longer than
    /// the server's own timeout.
    pub async fn send(
        &self,
        message: Outgoing<'_>,
        deadline: Instant,
    ) -> Result<Reply, UpstreamError> {
        let reply = match &self.kind {
            LinkKind::Http(session) => session.send(message, deadline).await,
            LinkKind::Modern(stateless) => stateless.send(message, deadline).await,
            LinkKind::Duplex(share) => share.send(message, deadline).await,
        };
        reply.inspect_err(|error| self.eras.heed(self.era(), error))
    }

    /// What the server says unasked; none if it never does, as no modern server does. Over HTTP
    /// this resumes after `last_event_id`. One at a time.
    pub async fn listen(
        &self,
        last_event_id: Option<&str>,
    ) -> Result<Option<Events>, UpstreamError> {
        let events = match &self.kind {
            LinkKind::Http(session) => session.listen(last_event_id).await,
            LinkKind::Modern(_) => Ok(None),
            LinkKind::Duplex(share) => share.listen(),
        };
        events.inspect_err(|error| self.eras.heed(self.era(), error))
    }

    /// Sends `subscriptions/listen` to a modern server. What comes first, the acknowledgement, must
    /// come within the server's timeout; after that the stream lasts as long as the server likes.
    pub async fn subscribe(&self, message: Outgoing<'_>) -> Result<Events, UpstreamError> {
        if message.shape != Shape::Request || self.era() == Era::Legacy {
            return Err(UpstreamError::Message {
                reason: "it is no request for a subscription of a modern server".to_owned(),
            });
        }
        let events = match &self.kind {
            LinkKind::Modern(stateless) => stateless.subscribe(message).await,
            LinkKind::Duplex(share) => share.subscribe(message).await,
            // INVARIANT: sessions are of the legacy era, which was refused above.
            LinkKind::Http(_) => Err(UpstreamError::Closed),
        };
        events.inspect_err(|error| self.eras.heed(self.era(), error))
    }

    /// Ends the session. Best effort: a server that is gone needs no farewell.
    pub async fn close(&self) {
        match &self.kind {
            LinkKind::Http(session) => session.close().await,
            LinkKind::Modern(stateless) => stateless.close(),
            LinkKind::Duplex(share) => share.close(),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            LinkKind::Http(_) => f.write_str("Link(http)"),
            LinkKind::Modern(_) => f.write_str("Link(modern http)"),
            LinkKind::Duplex(share) => write!(f, "Link({})", share.transport()),
        }
    }
}
