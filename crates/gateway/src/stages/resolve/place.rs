//! Which of a route's servers a message concerns, and what that server calls what it is about.
//! Nothing is asked of a server here.

use super::{Answering, Place, Resolved, rewrite};
use crate::content::lesson;
use crate::gate::Gate;
use crate::naming::Naming;
use crate::route::Route;
use crate::stages::admit::Admitted;
use crate::stages::draft::Draft;
use crate::stages::frame::Ask;
use crate::stages::refused::{self, Refused};
use protocol::{Act, Edits, Id, Message, Method, Target};

/// Finds the place, and puts the server's own name where the client's was.
pub(super) fn find(
    gate: &Gate,
    admitted: &mut Admitted,
    draft: &mut Draft,
) -> Result<Place, Refused> {
    let method = match admitted.ask() {
        Ask::Call(_, method) => *method,
        Ask::Response(message) => return answered(admitted, message),
        Ask::Listen { .. } => return Ok(Place::All),
        Ask::End => return Ok(Place::Ourselves),
    };
    match method.act {
        Act::Call | Act::Get | Act::Read | Act::Subscribe | Act::Complete => {
            named(admitted, method, draft)
        }
        Act::Task => super::handle::task_place(gate, admitted),
        Act::Progress => Ok(progress(admitted)),
        Act::Ping | Act::Cancel => Ok(Place::Ourselves),
        _ if method.name == "notifications/initialized" => Ok(Place::Ourselves),
        _ => Ok(Place::All),
    }
}

/// The server that a name or URI belongs to.
fn named(admitted: &mut Admitted, method: &Method, draft: &mut Draft) -> Result<Place, Refused> {
    let route = std::sync::Arc::clone(admitted.raw().route());
    let unknown = |target: &Target<'_>| match target {
        Target::Prompt(name) => refused::prompt_unknown(name),
        Target::Resource(uri) | Target::Template(uri) => {
            let revision = admitted.session().map(|session| session.revision());
            refused::resource_unknown(uri, revision.unwrap_or(route.floor))
        }
        target => refused::tool_unknown(target.name()),
    };
    let target = admitted.target();
    if let (Act::Get, Target::Prompt(name)) = (method.act, &target)
        && name == lesson::NAME
        && lesson::is_offered(&route)
    {
        draft.is_about(lesson::NAME);
        return Ok(Place::All);
    }
    let found = split(&route, &target).ok_or_else(|| unknown(&target))?;
    if !offered(&route, &target) {
        return Err(unknown(&target));
    }
    let (at, inner) = found;
    // No prompt has two names; what a short one stands for is found where its server can be asked.
    if let (Target::Prompt(name), Some(served)) = (&target, route.served(at))
        && !Naming::is_shortened(inner)
        && !route.naming.matches(name, &served.name, inner)
    {
        return Err(unknown(&target));
    }
    let outward: Box<str> = target.name().into();
    let inner = inner.to_owned();
    // A tool's name is put in once its definition is found: it may be a short form.
    if inner != *outward && method.act != Act::Call {
        let edits = subject_renamed(admitted, &inner);
        rewrite(admitted, &edits)?;
    }
    draft.is_about(&inner);
    Ok(Place::One(at, outward))
}

/// The place of the server, and what it calls the target.
fn split<'a>(route: &Route, target: &'a Target<'_>) -> Option<(usize, &'a str)> {
    let name = target.name();
    if route.naming == Naming::Plain {
        return Some((0, name));
    }
    let is_uri = matches!(target, Target::Resource(_) | Target::Template(_));
    if is_uri {
        return route
            .places()
            .find_map(|(at, served)| Some((at, route.naming.inner_uri(&served.name, name)?)));
    }
    let (server, inner) = route.naming.split_tool(name)?;
    let (at, _) = route.places().find(|(_, served)| &*served.name == server)?;
    Some((at, inner))
}

/// Whether the route's profile has it. Tools are asked again by `tool`, which knows them.
fn offered(route: &Route, target: &Target<'_>) -> bool {
    match target {
        Target::Tool(name) => route.settled.offers_tool(name),
        Target::Prompt(name) => route.settled.offers_prompt(name),
        Target::Resource(uri) | Target::Template(uri) => route.settled.offers_resource(uri),
        _ => true,
    }
}

/// The edit that puts another name in the place of the subject's.
pub(super) fn renamed(resolved: &Resolved, inner: &str) -> Edits {
    match resolved.target().name() == inner {
        true => Edits::new(),
        false => subject_renamed(resolved, inner),
    }
}

fn subject_renamed(admitted: &Admitted, inner: &str) -> Edits {
    let mut edits = Edits::new();
    let params = admitted.message().and_then(Message::params);
    let pointer = match admitted.target() {
        Target::Tool(_) => "/name",
        Target::Prompt(_)
            if admitted
                .method()
                .is_some_and(|method| method.act == Act::Get) =>
        {
            "/name"
        }
        Target::Prompt(_) => "/ref/name",
        Target::Template(_) => "/ref/uri",
        Target::Resource(_) => "/uri",
        Target::Task(_) => "/taskId",
        _ => return edits,
    };
    if let Some(value) = params.and_then(|params| params.at(pointer)) {
        edits.replace_string(value.range(), inner);
    }
    edits
}

/// Whose question a response answers.
fn answered(admitted: &Admitted, message: &Message) -> Result<Place, Refused> {
    let session = admitted.session().ok_or_else(refused::session_missing)?;
    let asker = message.id().and_then(|id| session.answered(&id));
    let asker = asker.ok_or_else(refused::unasked)?;
    Ok(Place::Asked(Answering { asker, token: None }))
}

/// Whose question the client tells the progress of. Nobody's any more is no mistake: it may have been
/// answered meanwhile.
fn progress(admitted: &Admitted) -> Place {
    let params = admitted.message().and_then(Message::params);
    let token = params.and_then(|params| Id::read(params.get("progressToken")?).ok());
    let session = admitted.session();
    let asked = token.and_then(|token| session?.asked_with(&token));
    match asked {
        Some((asker, token)) => Place::Asked(Answering {
            asker,
            token: Some(token),
        }),
        None => Place::Ourselves,
    }
}
