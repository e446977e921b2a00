//! How a client and a route introduce themselves: every server the caller may use is met, in its own
//! era, and the route offers what they offer together. A server that cannot be met takes nothing from
//! the others.

use super::introduce::introduce;
use super::{Back, id_of};
use crate::credential::Carried;
use crate::gate::Gate;
use crate::links::{Far, Introduction, Links};
use crate::route::Route;
use crate::sessions::Session;
use crate::stages::draft::Draft;
use crate::stages::identify;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::upstream::UpstreamError;
use bytes::Bytes;
use protocol::{Message, Revision, bridge, revision};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long a route with several servers waits for one that does not answer, before it goes on
/// without it.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a session: `initialize` (rules L1, L4).
pub(super) async fn initialize(
    gate: &Gate,
    call: &Inspected,
    message: &Message,
    servers: &[usize],
    draft: &mut Draft,
) -> Result<Back, Refused> {
    let id = identity::session_id().map_err(|_| refused::no_entropy())?;
    let route = call.raw().route();
    let params = message.params();
    let asked = params.and_then(|params| params.get("protocolVersion")?.text());
    let asked = asked.ok_or_else(|| refused::params_missing("initialize"))?;
    let member = |name: &str| params.and_then(|params| params.get(name));
    let introduction = Introduction {
        revision: revision::negotiate(&asked, route.floor),
        capabilities: member("capabilities")
            .and_then(|offered| identify::copy(route, offered.raw())),
        info: member("clientInfo").map(|info| Bytes::copy_from_slice(info.raw())),
    };
    let spoken = introduction.revision;
    let session = Session::of(route, call.caller(), introduction, id, draft.at_ms());
    let met = match meet_all(gate, route, session.links(), servers).await {
        Ok(met) => met,
        Err(refused) => {
            session.links().close().await;
            return Err(refused);
        }
    };
    let introduced = match introduce(gate, route, &met, draft) {
        Ok(introduced) => introduced,
        Err(refused) => {
            session.links().close().await;
            return Err(refused);
        }
    };
    let id = id_of(message)?;
    let said = introduced.said(|offer| bridge::initialize_result(&id, spoken, offer));
    Ok(Back::Opened {
        session: Box::new(session),
        said,
    })
}

/// Says what the route offers without opening anything: `server/discover` (rule V4).
pub(super) async fn discover(
    gate: &Gate,
    call: &Inspected,
    message: &Message,
    servers: &[usize],
    draft: &mut Draft,
) -> Result<Back, Refused> {
    let session = call.session().ok_or_else(refused::session_missing)?;
    let route = call.raw().route();
    let met = meet_all(gate, route, session.links(), servers).await?;
    let introduced = introduce(gate, route, &met, draft)?;
    let spoken: Vec<Revision> = Revision::ALL
        .iter()
        .copied()
        .filter(|revision| *revision >= route.floor)
        .collect();
    let id = id_of(message)?;
    let said = introduced.said(|offer| bridge::discover_result(&id, &spoken, offer));
    Ok(Back::Introduced(said))
}

/// Meets all of these servers at once. Those that cannot be met are left out and noted; if that is
/// all of them, the first one's reason is everybody's.
async fn meet_all(
    gate: &Gate,
    route: &Route,
    links: &Arc<Links>,
    servers: &[usize],
) -> Result<Vec<Arc<Far>>, Refused> {
    let outcomes = each(links, servers, route.only().is_none(), |far| async {
        Ok(far)
    })
    .await;
    let mut met = Vec::new();
    let mut first = None;
    for (at, outcome) in outcomes {
        match outcome {
            Ok(far) => met.push(far),
            Err(error) => {
                note_missing(gate, route, at, &error);
                first.get_or_insert(error);
            }
        }
    }
    match (met.is_empty(), first) {
        (true, Some(error)) => Err(refused::upstream(&error)),
        _ => Ok(met),
    }
}

/// Writes down that a server is left out of its route for now.
pub(super) fn note_missing(gate: &Gate, route: &Route, at: usize, error: &UpstreamError) {
    let Some(served) = route.served(at).filter(|_| route.only().is_none()) else {
        return;
    };
    tracing::warn!(server = %served.name, route = %route.path, "left out: {}", error.detail());
    gate.note(
        "server.unavailable",
        &served.name,
        &route.path,
        error.code(),
    );
}

/// Does it while there is patience. A server that let somebody wait too long is left out for a while
/// without being waited for; what was begun goes on in its own task, and breaks nothing by being given
/// up on.
async fn hurried<T, F, Doing>(
    at: usize,
    links: Arc<Links>,
    doing: Doing,
) -> Result<T, UpstreamError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, UpstreamError>> + Send + 'static,
    Doing: Fn(Arc<Far>) -> F + Send + Sync + 'static,
{
    if let Some(retry_after) = links.rest(at) {
        return Err(UpstreamError::Resting { retry_after });
    }
    let owned = Arc::clone(&links);
    let work = tokio::spawn(Carried::along(async move { owned.with(at, doing).await }));
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(UpstreamError::Ended),
        Err(_) => {
            links.let_rest(at);
            Err(UpstreamError::Deadline)
        }
    }
}

/// Does the same with each of these servers, all at once; what came of it in the order of the route.
pub(super) async fn each<T, F, Doing>(
    links: &Arc<Links>,
    servers: &[usize],
    impatient: bool,
    doing: Doing,
) -> Vec<(usize, Result<T, UpstreamError>)>
where
    T: Send + 'static,
    F: Future<Output = Result<T, UpstreamError>> + Send + 'static,
    Doing: Fn(Arc<Far>) -> F + Clone + Send + Sync + 'static,
{
    let mut tasks = JoinSet::new();
    for at in servers.iter().copied() {
        let (links, doing) = (Arc::clone(links), doing.clone());
        tasks.spawn(Carried::along(async move {
            let outcome = match impatient {
                true => hurried(at, links, doing).await,
                false => links.with(at, doing).await,
            };
            (at, outcome)
        }));
    }
    let mut outcomes = Vec::with_capacity(servers.len());
    while let Some(joined) = tasks.join_next().await {
        outcomes.extend(joined.ok());
    }
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes
}
