//! A request to one server: sent in the server's era, under an id that is free there, and followed
//! until it is answered. A call that waited for its client is taken up where it stood.

use super::{Back, attune, id_of};
use crate::bridge::{Aim, Broken, ParkedCall, TASKS, Talk};
use crate::gate::Gate;
use crate::links::{Attention, Far};
use crate::sessions::{InFlight, Session};
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{From, Resumed};
use crate::upstream::UpstreamError;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use protocol::revision::Era;
use protocol::{Act, Id, Message, Method, bridge, codes, mirror, write};
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
        from: From::Parked(number),
    }) = call.resumed()
    {
        return resume(gate, call, message, *number, draft).await;
    }
    let mut refused_as: Option<(Era, Broken)> = None;
    loop {
        let far = session.links().far(at).await;
        let far = far.map_err(|error| refused::upstream(&error))?;
        match &refused_as {
            // It speaks that era after all: whoever said otherwise may have executed the request.
            Some((era, broken)) if *era == far.era() => return Err(refused::broken(broken)),
            _ => {}
        }
        if method.act == Act::Subscribe && far.era() == Era::Modern {
            return watch(&far, call, message, method).await;
        }
        attune(&far, level_there(call, session, &far))
            .await
            .map_err(|error| refused::upstream(&error))?;
        let mut aim = aim(call, session, &far, (message, method), draft)?;
        aim.attention = attention(session, &far).await;
        match Talk::begin(&far, message, aim).await {
            Ok(talk) => return Ok(Back::Talk(Box::new(talk))),
            // The server does not speak the era it was met in, it seems. If it is met in the other one
            // now, nothing was executed (rule V8).
            Err(broken) if broken.is_era() && refused_as.is_none() => {
                session.links().forget(&far);
                refused_as = Some((far.era(), broken));
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
            from: From::Server(state),
        }) => (inputs_of(message)?, Some(state.clone())),
        Some(_) => (inputs_of(message)?, None),
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
        attention: None,
        deadline: far.deadline(),
        gone: draft.line.gone.subscribe(),
    })
}

/// Listens for what a legacy server asks outside the call's stream, if the client can be asked at all.
async fn attention(session: &Session, far: &Arc<Far>) -> Option<Attention> {
    let can = session.capabilities().is_some_and(|capabilities| {
        let can = ["elicitation", "sampling", "roots"].iter();
        can.copied()
            .any(|name| capabilities.root().get(name).is_some())
    });
    match session.is_stateless() && can {
        true => far.attend().await,
        false => None,
    }
}

/// Enters the request among those under way. The requests of a stateless client over HTTP may carry
/// one id at a time: each has a connection of its own, by which it is cancelled.
pub(super) fn take_off(
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
    draft: &Draft,
) -> Result<Back, Refused> {
    let inputs = inputs_of(message)?;
    let id = id_of(message)?;
    let user = call.caller().user().as_str();
    let session = call.session().ok_or_else(refused::session_missing)?;
    let flight = take_off(session, call, &id, draft)?;
    let parked = gate.parked.take(user, number);
    let mut parked = parked.ok_or_else(refused::parked_unknown)?;
    // What the server asks next may follow at once, on whichever stream.
    if let Some(far) = parked.stream.far() {
        parked.stream.attend(attention(session, &far).await);
    }
    // From here on it is this request that the server waits for (rule R1).
    parked.stream.now_for(call, draft);
    match answered(&mut parked, &inputs).await {
        Ok(()) => {}
        Err(error) => {
            // Nobody can take it up again: the server hears so, of every question that is left.
            parked.abandon().await;
            return Err(refused::upstream(&error));
        }
    }
    let token = message.progress_token();
    let token = token.and_then(|token| Id::read(token).ok());
    let ParkedCall {
        mut stream,
        waiting,
        ..
    } = parked;
    let gone = draft.line.gone.subscribe();
    stream.resume((id, flight), token, waiting, gone);
    Ok(Back::Resumed(stream))
}

/// Passes on what was brought along, and leaves what is to be asked again.
async fn answered(
    parked: &mut ParkedCall,
    inputs: &[(Box<str>, Bytes)],
) -> Result<(), UpstreamError> {
    let mut waiting = std::mem::take(&mut parked.waiting).into_iter();
    let mut first = Ok(());
    for asked in waiting.by_ref() {
        let found = inputs.iter().find(|(key, _)| *key == asked.question.key);
        let passed_on = match found {
            Some((_, input)) => asked.asker.input(input.clone()).await,
            None if parked.stream.can_be_asked(&asked.question) => {
                parked.waiting.push(asked);
                continue;
            }
            None => {
                let why = "the client did not offer this";
                asked.asker.decline(codes::METHOD_NOT_FOUND, why).await
            }
        };
        first = passed_on;
        if first.is_err() {
            break;
        }
    }
    parked.waiting.extend(waiting);
    first
}

/// What the client brings along, as it is after inspection: that is what is sent.
fn inputs_of(message: &Message) -> Result<Vec<(Box<str>, Bytes)>, Refused> {
    let inputs = bridge::inputs(message);
    let mut inputs = inputs.map_err(|_| refused::params_missing(message.method()))?;
    // What the gateway itself asked is no server's business.
    inputs.retain(|(key, _)| !refused::is_ours(key));
    Ok(inputs)
}
