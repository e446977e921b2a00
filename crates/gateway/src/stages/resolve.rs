//! What the message is about, as approved: which of the route's servers it concerns, what that server
//! calls it, and for a call the pinned definition of its tool (control 9.2). A tool that is unknown,
//! changed or never approved goes no further; a handle that was not given to this caller neither.

mod handle;
pub(in crate::stages) mod others;
mod place;

pub use handle::Resumed;
pub(in crate::stages) use handle::{From, Task, bound, open_task, servers, task_ids};

use crate::bridge::{self, Asker};
use crate::catalog::{Catalog, Standing, Tool};
use crate::definitions::{self, DefinitionsError};
use crate::gate::Gate;
use crate::naming::Naming;
use crate::route::{Route, Served};
use crate::sessions::Session;
use crate::stages::admit::Admitted;
use crate::stages::draft::{Draft, Stage};
use crate::stages::frame::Ask;
use crate::stages::raw::Alone;
use crate::stages::refused::{self, Refused};
use controls::{Action, Finding, Severity};
use protocol::{Act, Edits, Era, Id, Message, Revision, Target};
use std::ops::Deref;
use std::sync::Arc;

/// A message whose subject exists and is approved.
#[derive(Debug)]
pub struct Resolved {
    admitted: Admitted,
    subject: Subject,
    place: Place,
    resumed: Option<Resumed>,
    /// What the call was about before text was taken out of it.
    about: Option<[u8; 32]>,
}

/// What a message is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A tool, by its approved definition.
    Tool(Arc<Tool>),
    /// A task, and the tool that began it.
    Task(Box<str>),
    /// Anything else: policy judges it by name.
    Other,
}

/// Which servers a message concerns.
#[derive(Clone, Debug)]
pub enum Place {
    /// All of the route, as far as the caller may use them.
    All,
    /// The one at this place on the route, and how the client calls what it asks of it.
    One(usize, Box<str>),
    /// The one whose question this answers.
    Asked(Answering),
    /// None: the gateway itself answers.
    Ourselves,
}

/// What a client's response or progress is for.
#[derive(Clone, Debug)]
pub struct Answering {
    pub(in crate::stages) asker: Asker,
    /// What the server calls the progress that is told, if that is what the message does.
    pub(in crate::stages) token: Option<Id>,
}

impl Resolved {
    /// What the message is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Which servers it concerns.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The one server it concerns, if it is one.
    pub fn served(&self) -> Option<&Arc<Served>> {
        match &self.place {
            Place::One(place, _) => self.raw().route().served(*place),
            Place::Asked(answering) => Some(answering.asker.far().served()),
            Place::All | Place::Ourselves => self.raw().route().only(),
        }
    }

    /// The tool that is called.
    pub fn tool(&self) -> Option<&Arc<Tool>> {
        match &self.subject {
            Subject::Tool(tool) => Some(tool),
            Subject::Task(_) | Subject::Other => None,
        }
    }

    /// The earlier message that this one goes on with.
    pub fn resumed(&self) -> Option<&Resumed> {
        self.resumed.as_ref()
    }

    /// The revision the client speaks.
    pub fn revision(&self) -> Revision {
        let session = self.session().map(|session| session.revision());
        session
            .or(self.version())
            .unwrap_or(Revision::newest_with_handshake())
    }

    /// What the client calls what the message is about.
    pub fn outward(&self) -> Option<&str> {
        match &self.place {
            Place::One(_, outward) => Some(outward),
            _ => None,
        }
    }

    /// What the call is about: a state is good for it alone. It is said of the call as it was found
    /// here, so that it is the same on the way back, whatever is taken out of its text later.
    pub(super) fn about(&self, served: &Served) -> [u8; 32] {
        self.about.unwrap_or_else(|| handle::about(self, served))
    }

    /// Takes hidden text out of the message and reads it again.
    pub(super) fn clean(&mut self, edits: &Edits) -> Result<(), Refused> {
        if let Some(served) = self.served() {
            self.about = Some(self.about(served));
        }
        self.rewrite(edits)
    }

    /// Changes places of the message and reads it again.
    fn rewrite(&mut self, edits: &Edits) -> Result<(), Refused> {
        rewrite(&mut self.admitted, edits)
    }
}

impl Deref for Resolved {
    type Target = Admitted;

    fn deref(&self) -> &Admitted {
        &self.admitted
    }
}

fn rewrite(admitted: &mut Admitted, edits: &Edits) -> Result<(), Refused> {
    let Some(message) = admitted.message().filter(|_| !edits.is_empty()) else {
        return Ok(());
    };
    let bytes = message
        .document()
        .apply(edits)
        .map_err(|_| refused::crashed())?;
    admitted.identified_mut().framed_mut().replace(bytes)
}

/// Finds what the message is about.
pub async fn find(
    gate: &Gate,
    mut admitted: Admitted,
    draft: &mut Draft,
) -> Result<Resolved, Refused> {
    spoken(&admitted, draft)?;
    let place = place::find(gate, &mut admitted, draft)?;
    match &place {
        Place::One(at, _) => draft.served = admitted.raw().route().served(*at).cloned(),
        Place::Asked(answering) => {
            draft.served = Some(Arc::clone(answering.asker.far().served()));
            let is_answer = answering.token.is_none();
            draft.asked = is_answer.then(|| answering.asker.clone());
        }
        Place::All | Place::Ourselves => {}
    }
    let mut resolved = Resolved {
        admitted,
        subject: Subject::Other,
        place,
        resumed: None,
        about: None,
    };
    resolved.subject = subject(gate, &mut resolved, draft).await?;
    resolved.resumed = handle::resumed(gate, &resolved, draft)?;
    match &resolved.subject {
        Subject::Tool(_) => draft.ran(controls::N9_2),
        // It is held against its definition once policy permits it, and not before: a server that is
        // not there for a caller is not asked because of them.
        Subject::Other if others::are_pinned(&resolved) => {}
        _ => draft.skipped(controls::N9_2, "no tool is called"),
    }
    draft.done(Stage::Resolve);
    Ok(resolved)
}

/// Whether the client's revision has the method at all.
fn spoken(admitted: &Admitted, draft: &mut Draft) -> Result<(), Refused> {
    // Whatever it is: a batch is of one revision, and of a session of that revision (rule B5).
    let session = admitted.session();
    let has_batches = session.is_some_and(|session| session.revision().rules().batches);
    if admitted.raw().alone == Alone::No && !has_batches {
        return Err(refused::batch_not_spoken());
    }
    let Ask::Call(_, method) = admitted.ask() else {
        return match admitted.session() {
            Some(_) => Ok(()),
            // INVARIANT: `identify` found a session for everything else; nothing gets by if not.
            None => Err(refused::session_missing()),
        };
    };
    if method.act == Act::Initialize {
        return asked_below_floor(admitted, draft);
    }
    let Some(session) = admitted.session() else {
        // Only a notification of the stateless era stands for itself.
        return match admitted.is_modern() {
            true => Ok(()),
            false => Err(refused::session_missing()),
        };
    };
    let revision = session.revision();
    if !(method.first..=method.last).contains(&revision) {
        return Err(refused::method_unknown(method.name));
    }
    if method.act == Act::Task && session.is_stateless() && !session.offers(bridge::TASKS) {
        return Err(refused::tasks_undeclared());
    }
    if method.list_member == Some("tasks") {
        return Err(refused::tasks_unlisted());
    }
    Ok(())
}

/// Writes down that a client asked for a revision below the floor (control 3.4): it is answered with
/// one that is served, and the attempt is in its record.
fn asked_below_floor(admitted: &Admitted, draft: &mut Draft) -> Result<(), Refused> {
    let params = admitted.message().and_then(Message::params);
    let version = params.and_then(|params| params.get("protocolVersion")?.text());
    let version = version.ok_or_else(|| refused::params_missing("initialize"))?;
    let below = match Revision::named(&version) {
        Some(revision) => revision < admitted.raw().route().floor,
        None => false,
    };
    if below {
        draft.findings.push(Finding {
            control: controls::N3_4,
            rule: "version_downgrade".into(),
            severity: Severity::Medium,
            place: "/params/protocolVersion".into(),
            count: 1,
            action: Action::Report,
        });
    }
    Ok(())
}

async fn subject(
    gate: &Gate,
    resolved: &mut Resolved,
    draft: &mut Draft,
) -> Result<Subject, Refused> {
    let Place::One(at, outward) = &resolved.place else {
        return Ok(Subject::Other);
    };
    let (Some(method), Some(served)) = (resolved.method(), resolved.raw().route().served(*at))
    else {
        return Ok(Subject::Other);
    };
    match (method.act, resolved.target()) {
        (Act::Call, Target::Tool(_)) => {
            let served = Arc::clone(served);
            let tool = tool(gate, resolved, *at, &served, outward).await?;
            draft.tool = Some(Arc::clone(&tool));
            let inner = tool.name.clone();
            let edits = place::renamed(resolved, &inner);
            resolved.rewrite(&edits)?;
            Ok(Subject::Tool(tool))
        }
        (Act::Get | Act::Complete, Target::Prompt(name))
            if resolved.raw().route().naming == Naming::Prefixed && Naming::is_shortened(&name) =>
        {
            let served = Arc::clone(served);
            let name = others::named(gate, resolved, (*at, &served), outward).await?;
            let edits = place::renamed(resolved, &name);
            draft.is_about(&name);
            resolved.rewrite(&edits)?;
            Ok(Subject::Other)
        }
        (Act::Task, _) => Ok(match handle::task_of(gate, resolved)? {
            Some((task, edits)) => {
                resolved.rewrite(&edits)?;
                Subject::Task(task.tool)
            }
            None => Subject::Other,
        }),
        _ => Ok(Subject::Other),
    }
}

/// What is known of the server's tools, in the revision this party meets it in; read now if it has to
/// be. Whoever has not met it yet need not, for a tool that is approved in any revision: it is the one
/// pinned definition in each of them.
async fn catalog(
    gate: &Gate,
    resolved: &Resolved,
    at: usize,
    served: &Arc<Served>,
    outward: &str,
) -> Result<Arc<Catalog>, Refused> {
    let session = resolved.session().ok_or_else(refused::session_missing)?;
    let now = gate.clock().unix_ms();
    let route = resolved.raw().route();
    match session.links().revision_at(at) {
        Some(revision) => {
            let shelf = served.shelves.of(revision);
            if !shelf.is_stale(now) {
                return Ok(shelf.catalog());
            }
        }
        None => {
            let is_there = |catalog: &Arc<Catalog>| {
                let inner = inner_name(route, served, catalog, outward);
                let standing = inner.and_then(|name| catalog.tool(name));
                matches!(standing, Some(Standing::Approved(_)))
            };
            if let Some(catalog) = served.shelves.fresh(now).find(is_there) {
                return Ok(catalog);
            }
        }
    }
    let read = session.links().with(at, |far| async move {
        definitions::refresh(gate, served, &far).await?;
        Ok(far.revision())
    });
    let revision = read.await.map_err(|error| unread(&error))?;
    Ok(served.shelves.of(revision).catalog())
}

fn unread(error: &DefinitionsError) -> Refused {
    match error {
        DefinitionsError::Upstream(error) => refused::upstream(error),
        error => refused::catalog(error),
    }
}

/// Whether the caller was shown the tool as it is pinned. If it was something else, the server is asked
/// what it shows them now: what others are shown does not count for them.
async fn as_shown(
    gate: &Gate,
    session: &Session,
    (at, served): (usize, &Arc<Served>),
    (tool, outward): (&Tool, &str),
) -> Result<(), Refused> {
    let links = session.links();
    let is_other = || links.last_shown(at, &tool.name).is_other_than(tool.digest);
    if !is_other() {
        return Ok(());
    }
    let looked = links.with(at, |far| async move {
        definitions::look_again(gate, served, &far).await
    });
    looked.await.map_err(|error| unread(&error))?;
    match is_other() {
        true => Err(refused::definition_changed(outward)),
        false => Ok(()),
    }
}

/// The tool by its approved definition. The name is the server's own, or the short form of one.
async fn tool(
    gate: &Gate,
    resolved: &Resolved,
    at: usize,
    served: &Arc<Served>,
    outward: &str,
) -> Result<Arc<Tool>, Refused> {
    if !resolved.raw().route().settled.offers_tool(outward) {
        return Err(refused::tool_unknown(outward));
    }
    let session = resolved.session().ok_or_else(refused::session_missing)?;
    let catalog = catalog(gate, resolved, at, served, outward).await?;
    let inner = inner_name(resolved.raw().route(), served, &catalog, outward);
    let standing = inner.and_then(|name| catalog.tool(name));
    if let Some(Standing::Approved(tool)) = standing {
        as_shown(gate, session, (at, served), (tool, outward)).await?;
    }
    match standing {
        // What can be run as a task only does not exist where tasks cannot be run.
        Some(Standing::Approved(tool)) if tool.needs_task => {
            match runs_tasks(resolved.raw().route(), session, at).await {
                true => Ok(Arc::clone(tool)),
                false => Err(refused::tool_unknown(outward)),
            }
        }
        Some(Standing::Approved(tool)) => Ok(Arc::clone(tool)),
        Some(Standing::Changed) => Err(refused::definition_changed(outward)),
        Some(Standing::Unapproved) => Err(refused::definition_waits(outward)),
        Some(Standing::Unusable(why)) => Err(refused::definition_unusable(outward, why)),
        None => Err(refused::tool_unknown(outward)),
    }
}

/// Whether tasks can be run there: between like and like; in the era of sessions, where they are a
/// capability of the whole session, with one server alone.
async fn runs_tasks(route: &Route, session: &Session, at: usize) -> bool {
    let far = session.links().far(at).await;
    far.is_ok_and(|far| runs_tasks_with(route, session.revision(), far.era()))
}

pub(in crate::stages) fn runs_tasks_with(route: &Route, client: Revision, server: Era) -> bool {
    match (client.rules().era, server) {
        (Era::Legacy, Era::Legacy) => route.only().is_some(),
        (Era::Modern, Era::Modern) => true,
        _ => false,
    }
}

/// What the server calls the tool. A name is only taken back to the one it was made from: a shortened
/// one is found among the names there are, never guessed, and no tool has two names.
fn inner_name<'n>(
    route: &Route,
    served: &Served,
    catalog: &'n Catalog,
    outward: &'n str,
) -> Option<&'n str> {
    let Some((_, inner)) = route.naming.split_tool(outward) else {
        return (route.naming == Naming::Plain).then_some(outward);
    };
    let is_it = |name: &&str| route.naming.matches(outward, &served.name, name);
    match Naming::is_shortened(inner) {
        true => catalog.names().find(is_it),
        false => Some(inner).filter(is_it),
    }
}
