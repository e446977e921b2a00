//! The way to the server and back. Only a [`Permitted`] call gets here, only its checked bytes are
//! sent, and the only credential that goes along is the server's own (control 7.1).

use crate::gate::Gate;
use crate::outlet::{Outlet, Reader};
use crate::stages::authorize::Permitted;
use crate::stages::draft::{Draft, Stage};
use crate::stages::frame::Ask;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::upstream::{Events, Link, Outgoing, Owner, Reply};
use bytes::Bytes;
use protocol::{Act, Id, Message, Shape, write};
use std::sync::Arc;
use tokio::time::Instant;

/// What came back, before anybody looked at it. It cannot be sent to the caller.
#[derive(Debug)]
pub struct Answered {
    pub(super) call: Inspected,
    pub(super) reply: Back,
}

/// The forms in which something can come back.
#[derive(Debug)]
pub(super) enum Back {
    /// The server took it; there is nothing to say.
    Accepted,
    /// The session is over.
    Ended,
    /// The gateway answers this itself.
    Local(Bytes),
    /// One message.
    Message(Bytes),
    /// A session of the server's, and what it said when it was opened.
    Opened { id: String, link: Link, said: Bytes },
    /// The messages of a call, the response being the last.
    Stream { events: Events, outlet: Arc<Outlet> },
    /// The server's own messages, as they come.
    Unasked { events: Events, outlet: Arc<Outlet> },
    /// A stream that is there already: what it remembers was screened when it was sent first.
    Resumed(Reader),
}

/// Sends the call, and waits for what comes back as long as the server may take.
pub async fn send(
    gate: &Gate,
    permitted: Permitted,
    draft: &mut Draft,
) -> Result<Answered, Refused> {
    let call = permitted.into_inner();
    let reply = match call.ask() {
        Ask::Call(message, method) if method.act == Act::Initialize => open(&call, message).await?,
        // The client asks whether we are there, and we are (rule L7).
        Ask::Call(message, method) if method.act == Act::Ping => {
            Back::Local(write::result(&id_of(message)?, b"{}"))
        }
        Ask::Call(message, _) | Ask::Response(message) => carry(&call, message).await?,
        Ask::Listen { after } => listen(&call, after.as_deref()).await?,
        Ask::End => {
            if let Some(session) = call.session() {
                gate.sessions.end(session).await;
            }
            Back::Ended
        }
    };
    draft.ran(controls::N7_1);
    draft.done(Stage::Forward);
    Ok(Answered { call, reply })
}

async fn open(call: &Inspected, message: &Message) -> Result<Back, Refused> {
    let id = identity::session_id().map_err(|_| refused::no_entropy())?;
    let owner = Owner {
        user: call.caller().user().as_str().into(),
        session: id.as_str().into(),
    };
    let server = &call.raw().route().server.upstream;
    let (link, reply) = server
        .open(&owner, message.bytes().clone())
        .await
        .map_err(|error| refused::upstream(&error))?;
    match reply {
        Reply::Message(said) => Ok(Back::Opened { id, link, said }),
        Reply::Accepted | Reply::Stream(_) => {
            Err(refused::answer_malformed("it is no answer to `initialize`"))
        }
    }
}

async fn carry(call: &Inspected, message: &Message) -> Result<Back, Refused> {
    let session = call.session().ok_or_else(refused::session_missing)?;
    let outgoing = Outgoing {
        bytes: message.bytes().clone(),
        shape: message.shape(),
        id: message.id(),
        method: message.method(),
    };
    let deadline = Instant::now() + call.raw().route().server.timeout;
    let reply = session
        .link()
        .send(outgoing, deadline)
        .await
        .map_err(|error| refused::upstream(&error))?;
    match (message.shape(), reply) {
        (Shape::Request, Reply::Message(bytes)) => Ok(Back::Message(bytes)),
        (Shape::Request, Reply::Stream(events)) => Ok(Back::Stream {
            events,
            outlet: session.open_stream(),
        }),
        (Shape::Request, Reply::Accepted) => Err(refused::answer_malformed("there is none")),
        // A server that answers a notification says something nobody asked for.
        (_, _) => Ok(Back::Accepted),
    }
}

async fn listen(call: &Inspected, after: Option<&str>) -> Result<Back, Refused> {
    let session = call.session().ok_or_else(refused::session_missing)?;
    if let Some(after) = after {
        let named = Outlet::parse_event_id(after);
        let stream = named.and_then(|(number, place)| Some((session.stream(number)?, place)));
        let (outlet, place) = stream.ok_or_else(refused::stream_unknown)?;
        return Ok(Back::Resumed(outlet.read(place)));
    }
    let (outlet, made) = session.standalone();
    if !made {
        let latest = outlet.latest();
        return Ok(Back::Resumed(outlet.read(latest)));
    }
    match session.link().listen(None).await {
        Ok(Some(events)) => Ok(Back::Unasked { events, outlet }),
        Ok(None) => {
            outlet.close();
            Err(refused::no_stream())
        }
        Err(error) => {
            outlet.close();
            Err(refused::upstream(&error))
        }
    }
}

fn id_of(message: &Message) -> Result<Id, Refused> {
    // INVARIANT: `frame` let only a request through as `ping`, and a request has an id.
    message.id().ok_or_else(refused::crashed)
}
