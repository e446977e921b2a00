//! The servers' own messages: on the stream a legacy client opens with a GET, or on the one a modern
//! client subscribes to with a filter (rules S1, S5; section 2.8).

use super::{Back, id_of};
use crate::gate::Gate;
use crate::links::{Ear, Unheard};
use crate::outlet::Outlet;
use crate::stages::authorize;
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve;
use protocol::bridge::{self, Wish};
use protocol::revision::Era;
use protocol::{Message, Revision};

/// Opens the stream of a session, or takes it up after the event the client saw last.
pub(super) async fn open(
    call: &Inspected,
    after: Option<&str>,
    servers: &[usize],
) -> Result<Back, Refused> {
    let session = call.session().ok_or_else(refused::session_missing)?;
    if let Some(after) = after {
        let named = Outlet::parse_event_id(after);
        let stream = named.and_then(|(number, place)| Some((session.stream(number)?, place)));
        let (outlet, place) = stream.ok_or_else(refused::stream_unknown)?;
        return Ok(Back::Again(outlet.read(place)));
    }
    let (outlet, made) = session.standalone();
    if !made {
        let latest = outlet.latest();
        return Ok(Back::Again(outlet.read(latest)));
    }
    let everything = Wish {
        tools: true,
        prompts: true,
        resources: true,
        ..Wish::default()
    };
    let mut ears = Vec::new();
    let mut why = Unheard::Mute;
    for at in servers.iter().copied() {
        match hear(call, at, &everything).await {
            Ok(ear) => ears.push(ear),
            Err(error) => why = error,
        }
    }
    if ears.is_empty() {
        outlet.close();
        return Err(refused::unheard(&why));
    }
    Ok(Back::Unasked {
        ears,
        outlet,
        first: None,
    })
}

/// Opens a stream of changes for a stateless client. What it may not hear of is not acknowledged.
pub(super) async fn subscribe(
    gate: &Gate,
    call: &Inspected,
    message: &Message,
    servers: &[usize],
    draft: &Draft,
) -> Result<Back, Refused> {
    let wish = bridge::wish(message).map_err(|_| refused::params_missing(message.method()))?;
    let route = call.raw().route();
    let mut ears = Vec::new();
    let mut honoured = Wish::default();
    let mut why = None;
    for at in servers.iter().copied() {
        let Some(served) = route.served(at) else {
            continue;
        };
        let (inner, outward) = theirs(gate, call, &served.name, &wish, draft)?;
        match hear(call, at, &inner).await {
            Ok(ear) => {
                let limited = inner.limited_to(ear.far().welcome().capabilities());
                honoured = honoured.union(&Wish {
                    uris: match limited.uris.is_empty() {
                        true => Vec::new(),
                        false => outward.uris,
                    },
                    tasks: match limited.tasks.is_empty() {
                        true => Vec::new(),
                        false => outward.tasks,
                    },
                    ..limited
                });
                ears.push(ear);
            }
            // A server that says nothing unasked is simply not heard of.
            Err(Unheard::Mute) => {}
            Err(error) => why = Some(error),
        }
    }
    match why {
        Some(why) if ears.is_empty() => return Err(refused::unheard(&why)),
        _ => {}
    }
    let id = id_of(message)?;
    Ok(Back::Unasked {
        ears,
        outlet: Outlet::new(0),
        first: Some(bridge::acknowledged(&id, &honoured)),
    })
}

/// What of a wish concerns this server and may be known: as the server calls it, and as the client
/// does.
fn theirs(
    gate: &Gate,
    call: &Inspected,
    server: &str,
    wish: &Wish,
    draft: &Draft,
) -> Result<(Wish, Wish), Refused> {
    let route = call.raw().route();
    let mut inner = Wish {
        uris: Vec::new(),
        tasks: Vec::new(),
        ..wish.clone()
    };
    let mut outward = inner.clone();
    for uri in &wish.uris {
        let Some(own) = route.naming.inner_uri(server, uri) else {
            continue;
        };
        let offered = route.settled.offers_resource(uri);
        if offered && authorize::may_read(gate, call, server, own, draft.at_ms()) {
            inner.uris.push(own.into());
            outward.uris.push(uri.clone());
        }
    }
    for sealed in &wish.tasks {
        let task = resolve::open_task(gate, call, sealed)?;
        if &*task.server == server {
            inner.tasks.push(task.id);
            outward.tasks.push(sealed.clone());
        }
    }
    Ok((inner, outward))
}

async fn hear(call: &Inspected, at: usize, wish: &Wish) -> Result<Ear, Unheard> {
    let session = call.session().ok_or(Unheard::Mute)?;
    let far = session.links().far(at).await?;
    let same_era = far.era() == Era::Modern && session.revision() >= Revision::V2026_07_28;
    let mut wish = wish.limited_to(far.welcome().capabilities());
    if !same_era {
        wish.tasks.clear();
    }
    if session.is_stateless() && wish.is_empty() {
        return Err(Unheard::Mute);
    }
    far.hear(wish).await
}
