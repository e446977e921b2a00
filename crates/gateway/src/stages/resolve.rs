//! What the message is about, as approved: the method in the session's revision, and for a call the
//! pinned definition of its tool (control 9.2). A tool that is unknown, changed or never approved
//! goes no further.

use crate::catalog::{Standing, Tool};
use crate::definitions;
use crate::gate::Gate;
use crate::sessions::Session;
use crate::stages::admit::Admitted;
use crate::stages::draft::{Draft, Stage};
use crate::stages::frame::Ask;
use crate::stages::refused::{self, Refused};
use protocol::{Act, Edits, Message, Target};
use std::ops::Deref;
use std::sync::Arc;

/// A message whose subject exists and is approved.
#[derive(Debug)]
pub struct Resolved {
    admitted: Admitted,
    subject: Subject,
}

/// What a message is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A tool, by its approved definition.
    Tool(Arc<Tool>),
    /// Anything else: policy judges it by name.
    Other,
}

impl Resolved {
    /// What the message is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The tool that is called.
    pub fn tool(&self) -> Option<&Arc<Tool>> {
        match &self.subject {
            Subject::Tool(tool) => Some(tool),
            Subject::Other => None,
        }
    }

    /// Changes places of the message and reads it again.
    pub(super) fn rewrite(&mut self, edits: &Edits) -> Result<(), Refused> {
        let Some(message) = self.admitted.message() else {
            return Ok(());
        };
        let bytes = message
            .document()
            .apply(edits)
            .map_err(|_| refused::crashed())?;
        self.admitted.identified_mut().framed_mut().replace(bytes)
    }
}

impl Deref for Resolved {
    type Target = Admitted;

    fn deref(&self) -> &Admitted {
        &self.admitted
    }
}

/// Finds what the message is about.
pub async fn find(
    gate: &Gate,
    mut admitted: Admitted,
    draft: &mut Draft,
) -> Result<Resolved, Refused> {
    let subject = match (admitted.ask(), admitted.session()) {
        (Ask::Call(_, method), None) if method.act == Act::Initialize => {
            negotiate(&mut admitted)?;
            Subject::Other
        }
        // INVARIANT: `identify` found a session for everything else; nothing is let through if not.
        (_, None) => return Err(refused::session_missing()),
        (Ask::Call(_, method), Some(session)) => {
            let revision = session.revision();
            let spoken = (method.first..=method.last).contains(&revision);
            if !spoken || matches!(method.act, Act::Task | Act::Discover | Act::Listen) {
                return Err(refused::method_unknown(method.name));
            }
            match admitted.target() {
                Target::Tool(name) if method.act == Act::Call => {
                    let session = Arc::clone(session);
                    let tool = tool(gate, &admitted, &session, &name).await?;
                    draft.tool = Some(Arc::clone(&tool));
                    Subject::Tool(tool)
                }
                _ => Subject::Other,
            }
        }
        (Ask::Response(message), Some(session)) => {
            let asked = message.id().is_some_and(|id| session.answer(&id));
            if !asked {
                return Err(refused::unasked());
            }
            Subject::Other
        }
        (Ask::Listen { .. } | Ask::End, Some(_)) => Subject::Other,
    };
    match &subject {
        Subject::Tool(_) => draft.ran(controls::N9_2),
        Subject::Other => draft.skipped(controls::N9_2, "no tool is called"),
    }
    draft.done(Stage::Resolve);
    Ok(Resolved { admitted, subject })
}

async fn tool(
    gate: &Gate,
    admitted: &Admitted,
    session: &Session,
    name: &str,
) -> Result<Arc<Tool>, Refused> {
    let served = &admitted.raw().route().server;
    if served.shelf.is_stale(gate.clock().unix_ms()) {
        definitions::refresh(gate, served, session)
            .await
            .map_err(|error| refused::catalog(&error))?;
    }
    match served.shelf.catalog().tool(name) {
        Some(Standing::Approved(tool)) => Ok(Arc::clone(tool)),
        Some(Standing::Changed) => Err(refused::definition_changed(name)),
        Some(Standing::Unapproved) => Err(refused::definition_waits(name)),
        Some(Standing::Unusable(why)) => Err(refused::definition_unusable(name, why)),
        None => Err(refused::tool_unknown(name)),
    }
}

/// Puts a revision that is spoken here into an `initialize` that asks for another (rule L1).
fn negotiate(admitted: &mut Admitted) -> Result<(), Refused> {
    let floor = admitted.raw().route().floor;
    let params = admitted.message().and_then(Message::params);
    let Some(version) = params.and_then(|params| params.get("protocolVersion")) else {
        return Err(refused::params_missing("initialize"));
    };
    let asked = version
        .text()
        .ok_or_else(|| refused::params_missing("initialize"))?;
    let chosen = protocol::revision::negotiate(&asked, floor);
    if *asked == *chosen.date() {
        return Ok(());
    }
    let mut edits = Edits::new();
    edits.replace_string(version.range(), chosen.date());
    let message = admitted.message().ok_or_else(refused::crashed)?;
    let bytes = message
        .document()
        .apply(&edits)
        .map_err(|_| refused::crashed())?;
    admitted.identified_mut().framed_mut().replace(bytes)
}
