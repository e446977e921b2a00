//! A request to one server: sent in the server's era, under an id that is free there, and followed
//! until it is answered. A call that waited for its client is taken up where it stood.

use super::{Back, attune, id_of};
use crate::bridge::{Aim, TASKS, Talk};
use crate::gate::Gate;
use crate::links::Far;
use crate::sessions::{InFlight, Session};
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{From, Resumed};
use crate::upstream::UpstreamError;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use protocol::revision::Era;
use protocol::{Act, Id, Message, Method, mirror, write};
use std::sync::Arc;

/// Sends the request, or takes up the one it goes on with.
pub(super) async fn send(
    gate: &Gate,
    call: &Inspected,
    (message, method): (&Message, &'static Method),
    at: usize,
    draft: &Draft,
) -> Result<Back, Refused> {
    let session = call.session().ok_or_else(refused::session_missing)?;
    if let Some(Resumed {
        inputs,
        from: From::Parked(number),
    }) = call.resumed()
    {
        return resume(gate, call, message, *number, inputs, draft).await;
    }
    let mut again = true;
    loop {
        let far = session.links().far(at).await;
        let far = far.map_err(|error| refused::upstream(&error))?;
        if method.act == Act::Subscribe && far.era() == Era::Modern {
            return watch(&far, call, message, method).await;
        }
        attune(&far, level_there(call, session, &far))
            .await
            .map_err(|error| refused::upstream(&error))?;
        let aim = aim(call, session, &far, (message, method), draft)?;
        match Talk::begin(&far, message, aim).await {
            Ok(talk) => return Ok(Back::Talk(Box::new(talk))),
            // The server does not speak the era it was met in; nothing was executed (rule V8).
            Err(broken) if broken.is_era() && std::mem::take(&mut again) => {
                session.links().forget(&far);
            }
            Err(broken) => {
                if broken.is_final() {
                    session.links().forget(&far);
                }
                return Err(refused::broken(&broken));
            }
        }
    }
}

/// Which log messages are wanted with this request.
fn wanted_level(call: &Inspected, session: &Session) -> Option<protocol::log_level::LogLevel> {
    match call.envelope() {
        Some(envelope) => envelope.log_level,
        None => session.level(),
    }
}

/// The level a legacy server is set to: what its client said, or the lowest that any of the stateless
/// requests sharing the session asked for (table 3.1).
fn level_there(
    call: &Inspected,
    session: &Session,
    far: &Far,
) -> Option<protocol::log_level::LogLevel> {
    let wanted = wanted_level(call, session)?;
    let held = far.level().filter(|_| session.is_stateless());
    Some(held.map_or(wanted, |held| held.min(wanted)))
}

fn aim(
    call: &Inspected,
    session: &Session,
    far: &Arc<Far>,
    (message, method): (&Message, &'static Method),
    draft: &Draft,
) -> Result<Aim, Refused> {
    let id = id_of(message)?;
    let (inputs, state) = match call.resumed() {
        Some(Resumed {
            inputs,
            from: From::Server(state),
        }) => (inputs.clone(), Some(state.clone())),
        Some(Resumed { inputs, .. }) => (inputs.clone(), None),
        None => (Vec::new(), None),
    };
    Ok(Aim {
        method,
        revision: session.revision(),
        request: message.bytes().clone(),
        token: message
            .progress_token()
            .and_then(|token| Id::read(token).ok()),
        flight: take_off(session, call, &id, draft)?,
        id,
        tasks: session.offers(TASKS),
        level: wanted_level(call, session),
        headers: match far.era() {
            Era::Modern => headers(call, message)?,
            Era::Legacy => Vec::new(),
        },
        inputs,
        state,
        deadline: far.deadline(),
        gone: draft.line.gone.subscribe(),
    })
}

/// Enters the request among those under way. The requests of a stateless client over HTTP may carry
/// one id at a time: each has a connection of its own, by which it is cancelled.
fn take_off(
    session: &Session,
    call: &Inspected,
    id: &Id,
    draft: &Draft,
) -> Result<InFlight, Refused> {
    let own = Id::from(&*draft.id);
    let known = match session.is_stateless() && call.raw().has_headers() {
        true => own,
        false => id.clone(),
    };
    let gone = Arc::clone(&draft.line.gone);
    let entered = session.flights().enter(known, gone);
    entered.ok_or_else(refused::id_in_use)
}

/// What a modern server wants to see in headers (rules H6, H9): the names and arguments as they are
/// sent, whatever the client's headers were.
fn headers(call: &Inspected, message: &Message) -> Result<Vec<(HeaderName, HeaderValue)>, Refused> {
    let unusable = |_| refused::arguments("a value is too long to be repeated in a header".into());
    let expected = mirror::expected(message.method(), message.params());
    let mut named = Vec::new();
    for (name, value) in expected.headers().map_err(unusable)? {
        if name == mirror::NAME {
            named.push((name.to_owned(), value));
        }
    }
    if let Some(tool) = call.tool() {
        let arguments = message.params().and_then(|params| params.get("arguments"));
        named.extend(tool.mirror.headers(arguments).map_err(unusable)?);
    }
    let headers = named.into_iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(&value).ok()?))
    });
    let headers: Option<Vec<_>> = headers.collect();
    headers.ok_or_else(|| refused::arguments("a value cannot be repeated in a header".into()))
}

/// A legacy client watches a resource of a modern server: the gateway listens in its place.
async fn watch(
    far: &Arc<Far>,
    call: &Inspected,
    message: &Message,
    method: &Method,
) -> Result<Back, Refused> {
    let target = call.target();
    let wanted = method.name == "resources/subscribe";
    far.watch(target.name(), wanted)
        .await
        .map_err(|why| refused::unheard(&why))?;
    Ok(Back::Local(write::result(&id_of(message)?, b"{}")))
}

/// Takes up a call that waited for its client: passes on what was brought along, and listens on. What
/// was asked and not answered is asked again (rule R4).
async fn resume(
    gate: &Gate,
    call: &Inspected,
    message: &Message,
    number: u64,
    inputs: &[(Box<str>, Bytes)],
    draft: &Draft,
) -> Result<Back, Refused> {
    let user = call.caller().user().as_str();
    let parked = gate.parked.take(user, number);
    let mut parked = parked.ok_or_else(refused::parked_unknown)?;
    let mut waiting = Vec::new();
    for asked in parked.waiting.drain(..) {
        let found = inputs.iter().find(|(key, _)| *key == asked.question.key);
        let Some((_, input)) = found else {
            waiting.push(asked);
            continue;
        };
        match asked.asker.input(input.clone()).await {
            Ok(()) => {}
            Err(error @ UpstreamError::SessionLost) => return Err(refused::upstream(&error)),
            Err(error) => return Err(refused::upstream(&error)),
        }
    }
    let token = message.progress_token();
    let token = token.and_then(|token| Id::read(token).ok());
    let mut stream = parked.stream;
    stream.resume(id_of(message)?, token, waiting, draft.line.gone.subscribe());
    Ok(Back::Resumed(stream))
}
