//! The servers' own messages: on the stream a legacy client opens with a GET, or on the one a modern
//! client subscribes to with a filter (rules S1, S5; section 2.8).

use super::greet::{each, note_missing};
use super::{Back, id_of};
use crate::gate::Gate;
use crate::links::{Ear, Far, Unheard};
use crate::outlet::Outlet;
use crate::route::Served;
use crate::stages::authorize;
use crate::stages::draft::Draft;
use crate::stages::inspect::{self, Inspected};
use crate::stages::refused::{self, Refused};
use crate::stages::resolve;
use protocol::bridge::{self, Wish};
use protocol::revision::Era;
use protocol::{Message, Revision};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Opens the stream of a session, or takes it up after the event the client saw last.
pub(super) async fn open(
    gate: &Gate,
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
    let wishes = servers.iter().map(|at| (*at, everything.clone()));
    let mut ears = Vec::new();
    let mut why = Unheard::Mute;
    for (_, heard) in hear_all(gate, call, wishes.collect()).await? {
        match heard {
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
    let (mut wishes, mut outwardly) = (BTreeMap::new(), BTreeMap::new());
    for at in servers.iter().copied() {
        if let Some(served) = route.served(at) {
            let (inner, outward) = theirs(gate, call, served, &wish, draft)?;
            outwardly.insert(at, (inner.uris.clone(), outward));
            wishes.insert(at, inner);
        }
    }
    let mut ears = Vec::new();
    let mut honoured = Wish::default();
    let mut why = None;
    for (at, heard) in hear_all(gate, call, wishes).await? {
        let (inner, outward) = outwardly.remove(&at).unwrap_or_default();
        match heard {
            Ok(ear) => {
                // The wish was limited to what the server offers before it was told, and then to what
                // the server took.
                let limited = ear.wish().clone();
                let uris = inner.iter().zip(outward.uris);
                let uris = uris.filter(|(uri, _)| limited.uris.contains(uri));
                honoured = honoured.union(&Wish {
                    uris: uris.map(|(_, uri)| uri).collect(),
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
    served: &Arc<Served>,
    wish: &Wish,
    draft: &Draft,
) -> Result<(Wish, Wish), Refused> {
    let route = call.raw().route();
    let server = &*served.name;
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
        let refused = inspect::refuses_uri(route.content(Some(served)), own);
        if offered && !refused && authorize::may_read(gate, call, served, own, draft.at_ms()) {
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

/// Listens to all of these servers at once. One that cannot be heard holds up none of the others.
async fn hear_all(
    gate: &Gate,
    call: &Inspected,
    wishes: BTreeMap<usize, Wish>,
) -> Result<Vec<(usize, Result<Ear, Unheard>)>, Refused> {
    let session = call.session().ok_or_else(refused::session_missing)?;
    let route = call.raw().route();
    let servers: Vec<usize> = wishes.keys().copied().collect();
    let named = wishes.into_iter().filter_map(|(at, wish)| {
        let served = route.served(at)?;
        Some((Arc::clone(&served.name), wish))
    });
    let wishes: Arc<HashMap<Arc<str>, Wish>> = Arc::new(named.collect());
    let revision = session.revision();
    let doing = move |far: Arc<Far>| {
        let wish = wishes.get(&far.served().name).cloned().unwrap_or_default();
        async move { Ok(hear(&far, revision, wish).await) }
    };
    let outcomes = each(session.links(), &servers, route.only().is_none(), doing).await;
    let heard = outcomes.into_iter().map(|(at, outcome)| {
        let heard = outcome.map_err(Unheard::Upstream).and_then(|heard| heard);
        if let Err(Unheard::Upstream(error)) = &heard {
            note_missing(gate, route, at, error);
        }
        (at, heard)
    });
    Ok(heard.collect())
}

async fn hear(far: &Arc<Far>, revision: Revision, wish: Wish) -> Result<Ear, Unheard> {
    let stateless = revision.rules().era == Era::Modern;
    let mut wish = wish.limited_to(far.welcome().capabilities());
    if !(stateless && far.era() == Era::Modern) {
        wish.tasks.clear();
    }
    if stateless && wish.is_empty() {
        return Err(Unheard::Mute);
    }
    far.hear(wish).await
}
