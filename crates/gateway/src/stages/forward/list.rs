//! Lists: of one server page by page as it gives them, of several all at once, each in its own time. A
//! server that fails is left out, with a notice; the others are listed.

use super::Back;
use super::greet::{each, note_missing};
use crate::content::lesson;
use crate::definitions::Room;
use crate::gate::Gate;
use crate::links::Far;
use crate::listed::{List, Place, Terms};
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::From;
use crate::upstream::UpstreamError;
use protocol::{Message, Method, write};
use std::sync::Arc;

/// Pages one server is asked for at most, where its list becomes part of a larger one.
const PAGES: usize = 64;
/// Things that one server lists at most, there.
const ITEMS: usize = 10_000;
/// A cursor longer than this is nonsense.
const CURSOR: usize = 4096;

/// One page of one server's list, as it came.
#[derive(Debug)]
pub(in crate::stages) struct Page {
    pub(in crate::stages) far: Arc<Far>,
    pub(in crate::stages) answer: Message,
    /// Whether it came as a stream.
    pub(in crate::stages) streamed: bool,
}

/// A server that is left out.
#[derive(Debug)]
pub(in crate::stages) struct Missing {
    pub(in crate::stages) server: Arc<str>,
    pub(in crate::stages) code: &'static str,
}

/// Asks every server the caller may use.
pub(super) async fn ask(
    gate: &Gate,
    call: &Inspected,
    method: &'static Method,
    servers: &[usize],
) -> Result<Back, Refused> {
    let session = call.session().ok_or_else(refused::session_missing)?;
    let route = call.raw().route();
    let alone = route.only().is_some();
    if let Some((list, at)) = under_way(gate, call, method, servers) {
        return Ok(Back::Listed { list, at });
    }
    let cursor = match call.resumed().map(|resumed| &resumed.from) {
        Some(From::Cursor(text)) if alone => {
            let text = std::str::from_utf8(text).map_err(|_| refused::crashed())?;
            Some(Arc::<str>::from(text))
        }
        _ => None,
    };
    let taught = method.list_member == Some("prompts") && lesson::is_offered(route);
    let outcomes = each(session.links(), servers, !alone, move |far| {
        let cursor = cursor.clone();
        async move {
            let lacks = method.capability.filter(|it| !far.welcome().has(*it));
            let pages = match alone {
                // Such a server was never said to have any: what is listed is ours alone.
                true if taught && lacks.is_some() => Vec::new(),
                true => vec![page(&far, method.name, cursor.as_deref()).await?],
                false => pages(&far, method).await?,
            };
            Ok((far, pages))
        }
    });
    let mut pages = Vec::new();
    let mut missing = Vec::new();
    let mut first = None;
    for (at, outcome) in outcomes.await {
        match outcome {
            Ok((far, answers)) => {
                pages.extend(answers.into_iter().map(|(answer, streamed)| Page {
                    far: Arc::clone(&far),
                    answer,
                    streamed,
                }));
            }
            Err(error) => {
                note_missing(gate, route, at, &error);
                if let Some(served) = route.served(at) {
                    missing.push(Missing {
                        server: Arc::clone(&served.name),
                        code: error.code(),
                    });
                }
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if missing.len() == servers.len() => Err(refused::upstream(&error)),
        _ => Ok(Back::Lists {
            pages,
            missing,
            servers: servers.to_vec(),
        }),
    }
}

/// The list that the client goes on with, and where, if it was kept.
fn under_way(
    gate: &Gate,
    call: &Inspected,
    method: &'static Method,
    servers: &[usize],
) -> Option<(Arc<List>, usize)> {
    let From::Cursor(payload) = &call.resumed()?.from else {
        return None;
    };
    let terms = terms(gate, call, method, servers)?;
    let place = Place::of_payload(payload)?;
    let now_ms = gate.clock().unix_ms();
    let list = gate.lists.find(place.list?, &terms, now_ms)?;
    Some((list, place.at))
}

/// By what a list is joined now. Nothing where that may be different at every moment, or where there is
/// nothing to join.
pub(in crate::stages) fn terms(
    gate: &Gate,
    call: &Inspected,
    method: &'static Method,
    servers: &[usize],
) -> Option<Terms> {
    let route = call.raw().route();
    let policies = gate.policies();
    let action = policy::Action::List;
    // What a list is for may change with the caller's next token.
    let depends = policies.dependence(action);
    let changes = depends.is_volatile() || depends.purpose || policies.is_liftable(action);
    if changes || route.only().is_some() {
        return None;
    }
    let asked = servers.iter().filter_map(|at| route.served(*at));
    Some(Terms {
        principal: call.principal().clone(),
        policies: Arc::downgrade(&policies),
        session: call.session()?.name().into(),
        method: method.name,
        revision: call.revision(),
        servers: servers.into(),
        doubts: asked
            .map(|served| served.shelves.doubts())
            .fold(0, u64::wrapping_add),
    })
}

/// Every page of a server's list. One that does not offer such things has none.
pub(in crate::stages) async fn pages(
    far: &Arc<Far>,
    method: &'static Method,
) -> Result<Vec<(Message, bool)>, UpstreamError> {
    let offers = method
        .capability
        .is_none_or(|capability| far.welcome().has(capability));
    let mut pages = Vec::new();
    if !offers {
        return Ok(pages);
    }
    let mut cursor: Option<String> = None;
    let (mut room, mut items) = (Room::of(far), 0);
    while pages.len() < PAGES {
        let (answer, streamed) = page(far, method.name, cursor.as_deref()).await?;
        room.take(answer.bytes().len())?;
        let member = method.list_member.unwrap_or_default();
        let listed = answer.result().and_then(|result| result.get(member));
        items += listed.map_or(0, protocol::Value::count);
        if items > ITEMS {
            return Err(UpstreamError::Malformed {
                reason: "its list is too long".to_owned(),
            });
        }
        let next = answer
            .result()
            .and_then(|result| result.get("nextCursor")?.text());
        cursor = next.map(std::borrow::Cow::into_owned);
        let errs = answer.result().is_none();
        pages.push((answer, streamed));
        match &cursor {
            Some(cursor) if cursor.len() > CURSOR => {
                return Err(UpstreamError::Malformed {
                    reason: "its cursor is too long".to_owned(),
                });
            }
            Some(_) if !errs => {}
            _ => break,
        }
    }
    Ok(pages)
}

async fn page(
    far: &Arc<Far>,
    method: &'static str,
    cursor: Option<&str>,
) -> Result<(Message, bool), UpstreamError> {
    let params = cursor.map(|cursor| {
        let text = write::string(cursor);
        [&b"{\"cursor\":"[..], &text, b"}"].concat()
    });
    far.ask_framed(method, params.as_deref()).await
}
