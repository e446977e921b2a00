//! Handles that clients were given: cursors, the state of a call that wanted more, tasks. Each is
//! sealed for one user, client, route and purpose, so that possession opens nothing (rules R2, R5;
//! the specification's page on state handles). They are opened here and nowhere else.

use super::{Place, Resolved};
use crate::gate::Gate;
use crate::route::{Route, Served};
use crate::seal::{Bound, OpenError, Purpose};
use crate::stages::admit::Admitted;
use crate::stages::draft::Draft;
use crate::stages::identify::Identified;
use crate::stages::refused::{self, Refused};
use bytes::Bytes;
use inspect::pin;
use protocol::{Act, Edits, Message, Target, Value, bridge};
use serde_json::{Map, Value as Json};

/// What a message goes on with. What the client brings along is read where it is sent, from the
/// message as it is by then.
#[derive(Clone, Debug)]
pub struct Resumed {
    /// What it takes up.
    pub(in crate::stages) from: From,
}

/// What is taken up.
#[derive(Clone, Debug)]
pub(in crate::stages) enum From {
    /// Nothing that was handed out here.
    Nothing,
    /// A call that waits here, by number.
    Parked(u64),
    /// The server's own state, byte for byte, as the JSON string it was.
    Server(Bytes),
    /// A call that is simply sent again.
    Again,
    /// A list, at this place.
    Cursor(Vec<u8>),
}

impl From {
    /// What stands in a sealed state.
    pub(in crate::stages) fn to_payload(&self) -> Vec<u8> {
        match self {
            From::Parked(number) => [b"P", number.to_string().as_bytes()].concat(),
            From::Server(state) => [b"S", &state[..]].concat(),
            From::Nothing | From::Again | From::Cursor(_) => b"A".to_vec(),
        }
    }

    fn of_payload(payload: &[u8]) -> Option<Self> {
        match payload.split_first()? {
            (b'P', number) => Some(From::Parked(
                std::str::from_utf8(number).ok()?.parse().ok()?,
            )),
            (b'S', state) => Some(From::Server(Bytes::copy_from_slice(state))),
            (b'A', []) => Some(From::Again),
            _ => None,
        }
    }
}

/// A task as it was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::stages) struct Task {
    pub(in crate::stages) server: Box<str>,
    pub(in crate::stages) tool: Box<str>,
    pub(in crate::stages) id: Box<str>,
}

impl Task {
    pub(in crate::stages) fn to_payload(&self) -> Vec<u8> {
        let parts = [&*self.server, &*self.tool, &*self.id];
        Json::from(parts.to_vec()).to_string().into_bytes()
    }

    pub(in crate::stages) fn of_payload(payload: &[u8]) -> Option<Self> {
        let [server, tool, id]: [Box<str>; 3] = serde_json::from_slice(payload).ok()?;
        Some(Task { server, tool, id })
    }
}

/// Whom a handle is for.
pub(in crate::stages) fn bound<'a>(
    call: &'a Identified,
    purpose: Purpose,
    about: &'a [&'a [u8]],
) -> Bound<'a> {
    Bound {
        purpose,
        user: call.caller().user().as_str(),
        client: call.caller().client(),
        holder: call.holder().map(<[u8; _]>::as_slice),
        route: &call.raw().route().path,
        about,
    }
}

/// What a call is about, so that a state of one call is worth nothing in another: its method, its
/// server, and its params but for what a retry may change. The digest is canonical, because a client
/// may write the same params in another order.
pub(super) fn about(call: &Identified, served: &Served) -> [u8; 32] {
    let params = call.message().and_then(Message::params);
    let mut kept = Map::new();
    for (name, value) in params.iter().flat_map(|params| params.members()) {
        let name = name.decoded();
        if matches!(&*name, "_meta" | "inputResponses" | "requestState") {
            continue;
        }
        // INVARIANT: the strict reader accepted these bytes, so they parse.
        let value = serde_json::from_slice(value.raw()).unwrap_or(Json::Null);
        kept.insert(name.into_owned(), value);
    }
    let method = call.method().map_or("", |method| method.name);
    let whole = Json::from(vec![
        Json::from(method),
        Json::from(&*served.name),
        Json::Object(kept),
    ]);
    pin::digest(&whole).0
}

/// What the message goes on with, if with anything.
pub(super) fn resumed(
    gate: &Gate,
    resolved: &Resolved,
    draft: &Draft,
) -> Result<Option<Resumed>, Refused> {
    let (Some(message), Some(method)) = (resolved.message(), resolved.method()) else {
        return Ok(None);
    };
    if method.act == Act::List {
        return cursor(gate, resolved, draft);
    }
    if !matches!(method.act, Act::Call | Act::Get | Act::Read) || !resolved.is_modern() {
        return Ok(None);
    }
    let malformed = |_| refused::params_missing(method.name);
    let inputs = bridge::inputs(message).map_err(malformed)?;
    let state = bridge::client_state(message).map_err(malformed)?;
    let Some(state) = state else {
        let from = From::Nothing;
        return Ok((!inputs.is_empty()).then_some(Resumed { from }));
    };
    let served = resolved.served().ok_or_else(refused::crashed)?;
    let about = resolved.about(served);
    let parts: [&[u8]; 1] = [&about];
    let payload = gate
        .seal
        .open(
            &bound(resolved, Purpose::State, &parts),
            draft.at_ms(),
            &state,
        )
        .map_err(|error| refused::handle("requestState", &error))?;
    let from = From::of_payload(&payload)
        .ok_or_else(|| refused::handle("requestState", &OpenError::Malformed))?;
    Ok(Some(Resumed { from }))
}

/// What the servers of a route are called, so that a cursor that was given for others is none: after a
/// reload another server may stand in the place of one, or several in the place of one alone.
pub(in crate::stages) fn servers(route: &Route) -> String {
    let names = route.places().map(|(_, served)| &*served.name);
    names.collect::<Vec<_>>().join("\n")
}

fn cursor(gate: &Gate, resolved: &Resolved, draft: &Draft) -> Result<Option<Resumed>, Refused> {
    let params = resolved.message().and_then(Message::params);
    let Some(cursor) = params.and_then(|params| params.get("cursor")) else {
        return Ok(None);
    };
    let invalid = |error| refused::handle("cursor", &error);
    let text = cursor.text().ok_or_else(|| invalid(OpenError::Malformed))?;
    let method = resolved.method().map_or("", |method| method.name);
    let servers = servers(resolved.raw().route());
    let parts: [&[u8]; 2] = [method.as_bytes(), servers.as_bytes()];
    let payload = gate
        .seal
        .open(
            &bound(resolved, Purpose::Cursor, &parts),
            draft.at_ms(),
            &text,
        )
        .map_err(invalid)?;
    Ok(Some(Resumed {
        from: From::Cursor(payload),
    }))
}

/// The server that runs the task.
pub(super) fn task_place(gate: &Gate, admitted: &Admitted) -> Result<Place, Refused> {
    let Target::Task(sealed) = admitted.target() else {
        return Ok(Place::All);
    };
    let task = open_task(gate, admitted, &sealed)?;
    let route = admitted.raw().route();
    let found = route
        .places()
        .find(|(_, served)| *served.name == *task.server);
    let (at, _) = found.ok_or_else(|| refused::handle("task id", &OpenError::Foreign))?;
    Ok(Place::One(at, sealed.into()))
}

/// The task a message is about, and the edits that put the server's ids in the place of ours.
pub(super) fn task_of(gate: &Gate, resolved: &Resolved) -> Result<Option<(Task, Edits)>, Refused> {
    let Target::Task(sealed) = resolved.target() else {
        return Ok(None);
    };
    let task = open_task(gate, resolved, &sealed)?;
    if let Some(session) = resolved.session() {
        session.remember_task(&task.server, &task.id, &sealed);
    }
    let mut edits = Edits::new();
    if let Some(message) = resolved.message() {
        for place in task_ids(message) {
            // Each of them was given out here or is refused.
            let text = place.text().unwrap_or_default();
            let named = open_task(gate, resolved, &text)?;
            edits.replace_string(place.range(), &named.id);
        }
    }
    Ok(Some((task, edits)))
}

/// Opens a task id that was handed out here.
pub(in crate::stages) fn open_task(
    gate: &Gate,
    call: &Identified,
    sealed: &str,
) -> Result<Task, Refused> {
    let invalid = |error| refused::handle("task id", &error);
    let now = gate.clock().unix_ms();
    let payload = gate
        .seal
        .open(&bound(call, Purpose::Task, &[]), now, sealed)
        .map_err(invalid)?;
    Task::of_payload(&payload).ok_or_else(|| invalid(OpenError::Malformed))
}

/// Everywhere a message names a task: as what it is about, as what it began, or as what it belongs to.
pub(in crate::stages) fn task_ids(message: &Message) -> Vec<Value<'_>> {
    const RELATED: &str = "/_meta/io.modelcontextprotocol~1related-task/taskId";
    let mut places = Vec::new();
    let owners = [message.params(), message.result()];
    for owner in owners.into_iter().flatten() {
        let own = ["/taskId", "/task/taskId", RELATED];
        places.extend(own.iter().filter_map(|pointer| owner.at(pointer)));
    }
    places.retain(|place| place.string().is_some());
    places
}
