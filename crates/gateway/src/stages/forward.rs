//! The way to the servers and back. Only a [`Permitted`] call gets here, only its checked bytes are
//! sent, in the words of the server's era, and the only credential that goes along is the server's own
//! (control 7.1).

mod carry;
mod greet;
mod introduce;
mod list;
mod listen;

pub(super) use list::{Missing, Page, pages as every_page, terms};

use crate::bridge::Talk;
use crate::content::lesson;
use crate::credential::Carried;
use crate::gate::Gate;
use crate::links::{Ear, Far};
use crate::listed::List;
use crate::outlet::{Outlet, Reader};
use crate::sessions::{Flight, Session};
use crate::stages::authorize::Permitted;
use crate::stages::draft::{Draft, Stage};
use crate::stages::frame::Ask;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{Answering, Place, others};
use crate::stages::screen::ScreenedStream;
use crate::upstream::UpstreamError;
use bytes::Bytes;
use protocol::log_level::LogLevel;
use protocol::revision::Era;
use protocol::{Act, Document, Edits, Id, Message, Method, Shape, Target, bridge, write};
use std::sync::Arc;
use tokio::task::JoinSet;

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
    /// A session, and what is said when it is opened.
    Opened { session: Box<Session>, said: Bytes },
    /// What the servers say of themselves, looked at one by one.
    Introduced(Bytes),
    /// What the servers of a route listed.
    Lists {
        pages: Vec<Page>,
        missing: Vec<Missing>,
        /// All that were asked.
        servers: Vec<usize>,
    },
    /// A list that was joined for an earlier page, to go on with from this place.
    Listed { list: Arc<List>, at: usize },
    /// A conversation with a server.
    Talk(Box<Talk>),
    /// A conversation that waited for its client.
    Resumed(Box<ScreenedStream>),
    /// The servers' own messages, as they come; and what the client is told first.
    Unasked {
        ears: Vec<Ear>,
        outlet: Arc<Outlet>,
        first: Option<Bytes>,
    },
    /// A stream that is there already: what it remembers was screened when it was sent first.
    Again(Reader),
}

/// Sends the call, and waits for what comes back as long as the server may take.
pub async fn send(
    gate: &Gate,
    permitted: Permitted,
    draft: &mut Draft,
) -> Result<Answered, Refused> {
    let (call, servers) = permitted.into_parts();
    let reply = match (call.ask(), call.place()) {
        (Ask::Response(message), Place::Asked(answering)) => {
            draft.asked = None;
            let told = answering.asker.respond(message).await;
            told.map_err(|error| refused::upstream(&error))?;
            Back::Accepted
        }
        (Ask::Response(_), _) => return Err(refused::unasked()),
        (Ask::Call(message, method), _) => {
            request(gate, &call, (message, method), &servers, draft).await?
        }
        (Ask::Listen { after }, _) => listen::open(gate, &call, after.as_deref(), &servers).await?,
        (Ask::End, _) => {
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

/// Sends a request or a notification wherever it belongs.
async fn request(
    gate: &Gate,
    call: &Inspected,
    (message, method): (&Message, &'static Method),
    servers: &[usize],
    draft: &mut Draft,
) -> Result<Back, Refused> {
    match (method.act, call.place()) {
        (Act::Initialize, _) => greet::initialize(gate, call, message, servers, draft).await,
        (Act::Discover, _) => greet::discover(gate, call, message, servers, draft).await,
        // The client asks whether we are there, and we are (rule L7).
        (Act::Ping, _) => Ok(Back::Local(write::result(&id_of(message)?, b"{}"))),
        (Act::List, _) => list::ask(gate, call, method, servers).await,
        // The one prompt that is nobody else's.
        (Act::Get, Place::All) => own_prompt(call, message, method),
        (Act::Log, _) => level(call, message, servers).await,
        (Act::Listen, _) => {
            // A client at a pipe has no other way to end it than by its id.
            let session = call.session().ok_or_else(refused::session_missing)?;
            let id = id_of(message)?;
            draft.flight = Some(carry::take_off(session, call, &id, draft)?);
            listen::subscribe(gate, call, message, servers, draft).await
        }
        (Act::Cancel, _) => cancel(gate, call).await,
        (_, Place::Asked(answering)) => progress(message, answering).await,
        (_, Place::One(at, _)) => {
            // 9.2  a prompt or a resource as it was approved; a tool was found by its definition
            others::check(gate, call, *at, draft).await?;
            // What was decided on, approved and written down has the tokens that were turned back.
            let message = call.revealed().map_or(message, |it| it.sent(draft));
            carry::send(gate, call, (message, method), *at, draft).await
        }
        (Act::Notify, Place::All) => tell_all(call, message, servers).await,
        (_, Place::All | Place::Ourselves) if message.shape() == Shape::Notification => {
            Ok(Back::Accepted)
        }
        (_, Place::All | Place::Ourselves) => Err(refused::method_unknown(method.name)),
    }
}

/// What the model of this client has to be told about marked text.
fn own_prompt(
    call: &Inspected,
    message: &Message,
    method: &'static Method,
) -> Result<Back, Refused> {
    let id = id_of(message)?;
    let route = call.raw().route();
    let said = write::result(&id, lesson::told(route).to_string().as_bytes());
    let said = Document::read(said, &route.reading_answers).and_then(Message::read);
    let said = said.map_err(|_| refused::crashed())?;
    let asked = bridge::Asked {
        method,
        revision: call.revision(),
        server_info: None,
    };
    let bytes = match call.revision().rules().era {
        Era::Modern => bridge::answer_for_modern(&said, &id, &asked),
        Era::Legacy => bridge::answer_for_legacy(&said, &id, &asked),
    };
    let bytes = bytes.map_err(|error| refused::unbridged(&error))?;
    Ok(Back::Local(bytes))
}

/// How much the servers log. A modern one is told with each request instead (table 3.2).
async fn level(call: &Inspected, message: &Message, servers: &[usize]) -> Result<Back, Refused> {
    let Target::Level(name) = call.target() else {
        return Err(refused::params_missing(message.method()));
    };
    let level = LogLevel::named(&name);
    let level = level.ok_or_else(|| refused::params_missing(message.method()))?;
    let session = call.session().ok_or_else(refused::session_missing)?;
    session.set_level(level);
    let mut failed = None;
    let mut told = servers.is_empty();
    let mut telling = JoinSet::new();
    for (at, far) in session.links().met() {
        if servers.contains(&at) {
            telling.spawn(Carried::along(
                async move { attune(&far, Some(level)).await },
            ));
        }
    }
    while let Some(outcome) = telling.join_next().await {
        match outcome {
            Ok(Ok(())) => told = true,
            Ok(Err(error)) => failed = Some(error),
            Err(_) => {}
        }
    }
    match failed {
        Some(error) if !told => Err(refused::upstream(&error)),
        _ => Ok(Back::Local(write::result(&id_of(message)?, b"{}"))),
    }
}

/// Tells a legacy server how much to log, if it does not know yet.
pub(super) async fn attune(far: &Arc<Far>, level: Option<LogLevel>) -> Result<(), UpstreamError> {
    let logs = far.welcome().capabilities().get("logging").is_some();
    let Some(level) = level.filter(|_| far.era() == Era::Legacy && logs) else {
        return Ok(());
    };
    if far.level() == Some(level) {
        return Ok(());
    }
    let params = [&b"{\"level\":"[..], &write::string(level.as_str()), b"}"].concat();
    far.ask("logging/setLevel", Some(&params)).await?;
    far.set_level(level);
    Ok(())
}

/// Takes back a request of this client. One that is answered already is nobody's mistake.
async fn cancel(gate: &Gate, call: &Inspected) -> Result<Back, Refused> {
    let params = call.message().and_then(Message::params);
    let id = params.and_then(|params| Id::read(params.get("requestId")?).ok());
    let found = id.and_then(|id| match call.session() {
        // Over a pipe one client may speak both eras, and says of a notification in neither which.
        Some(session) => {
            let own = session.flights().find(&id);
            own.or_else(|| of_pipe(gate, call, &id))
        }
        None => of_pipe(gate, call, &id),
    });
    let Some(flight) = found else {
        return Ok(Back::Accepted);
    };
    match &flight.at {
        // A legacy server is told, and may have answered already.
        Some((far, id)) if far.era() == Era::Legacy => {
            let params = [&b"{\"requestId\":"[..], id.raw(), b"}"].concat();
            let told = far.tell("notifications/cancelled", Some(&params)).await;
            told.map_err(|error| refused::upstream(&error))?;
        }
        _ => {
            flight.gone.send_replace(true);
        }
    }
    Ok(Back::Accepted)
}

/// The request of a stateless client at the other end of a pipe: there is one client, so its ids are
/// its own. Over HTTP such a request is taken back by hanging up, and by nothing else (rule H13).
fn of_pipe(gate: &Gate, call: &Inspected, id: &Id) -> Option<Flight> {
    if call.raw().has_headers() {
        return None;
    }
    let user = call.caller().user().as_str();
    let standings = gate.sessions.all().into_iter();
    let mut own = standings.filter(|standing| {
        standing.is_stateless() && &**standing.user() == user && !standing.is_over(0)
    });
    own.find_map(|standing| standing.flights().find(id))
}

/// Tells a legacy server how far the client has come with what it asked.
async fn progress(message: &Message, answering: &Answering) -> Result<Back, Refused> {
    let far = answering.asker.far();
    if far.era() == Era::Modern {
        return Ok(Back::Accepted);
    }
    let params = message.params();
    let written = params.and_then(|params| params.get("progressToken"));
    let mut edits = Edits::new();
    if let (Some(written), Some(token)) = (written, &answering.token) {
        edits.replace(written.range(), token.bytes());
    }
    let bytes = message.document().apply(&edits);
    let bytes = bytes.map_err(|_| refused::crashed())?;
    pass_on(far, bytes, message.method())
        .await
        .map_err(|error| refused::upstream(&error))?;
    Ok(Back::Accepted)
}

/// A notification for every legacy server that was met; the others have nothing it could be about.
async fn tell_all(call: &Inspected, message: &Message, servers: &[usize]) -> Result<Back, Refused> {
    let Some(session) = call.session() else {
        return Ok(Back::Accepted);
    };
    for (at, far) in session.links().met() {
        if !servers.contains(&at) || far.era() == Era::Modern {
            continue;
        }
        if let Err(error) = pass_on(&far, message.bytes().clone(), message.method()).await {
            match call.raw().route().only() {
                Some(_) => return Err(refused::upstream(&error)),
                None => tracing::info!(server = %far.served().name, "not told: {error}"),
            }
        }
    }
    Ok(Back::Accepted)
}

async fn pass_on(far: &Far, bytes: Bytes, method: &str) -> Result<(), UpstreamError> {
    let outgoing = crate::upstream::Outgoing {
        bytes,
        shape: Shape::Notification,
        id: None,
        method,
        headers: Vec::new(),
    };
    far.link().send(outgoing, far.deadline()).await.map(drop)
}

fn id_of(message: &Message) -> Result<Id, Refused> {
    // INVARIANT: `frame` let only a request through as such a method, and a request has an id.
    message.id().ok_or_else(refused::crashed)
}
