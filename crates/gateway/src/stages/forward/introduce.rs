//! What servers say of themselves, as clients are told it: instructions that are approved, text cleaned as
//! every text of theirs is (control 1.4), and marked where text of theirs is marked (controls 9.1, 9.4).
//! Where there are several servers, one whose words cannot be told goes without them, and takes nothing
//! from the others.

use crate::content::{self, Drawn, Toward, lesson};
use crate::definitions;
use crate::gate::Gate;
use crate::links::Far;
use crate::pins::Kind;
use crate::route::{Route, Served};
use crate::stages::draft::Draft;
use crate::stages::refused::{self, Refused};
use bytes::Bytes;
use controls::Finding;
use protocol::Document;
use protocol::bridge::{Frame, Offer, Welcome};
use std::sync::Arc;

/// What the gateway calls itself where it stands for several servers.
const OURSELVES: &[u8] = concat!(
    "{\"name\":\"ringwall\",\"version\":\"",
    env!("CARGO_PKG_VERSION"),
    "\"}"
)
.as_bytes();

/// What a client is told at first.
pub(super) struct Introduced {
    welcomes: Vec<(Arc<str>, Welcome)>,
    lesson: Option<String>,
    has_prompts: bool,
}

impl Introduced {
    /// Makes one answer of it.
    pub(super) fn said<T>(&self, write: impl FnOnce(&Offer<'_>) -> T) -> T {
        let welcomes = self.welcomes.iter();
        let welcomes: Vec<_> = welcomes.map(|(name, said)| (&**name, said)).collect();
        write(&Offer {
            welcomes: &welcomes,
            own: OURSELVES,
            lesson: self.lesson.as_deref(),
            has_prompts: self.has_prompts,
        })
    }
}

/// What these servers say, as it is told.
pub(super) fn introduce(
    gate: &Gate,
    route: &Route,
    met: &[Arc<Far>],
    draft: &mut Draft,
) -> Result<Introduced, Refused> {
    let mut drawn = Drawn::default();
    let mut welcomes = Vec::with_capacity(met.len());
    for far in met {
        let served = far.served();
        far.suspected(gate);
        let welcome = match are_approved(gate, far) {
            true => far.welcome().clone(),
            false => far.welcome().silent(),
        };
        let told = match cleaned(route, served, &welcome, draft) {
            Ok(told) => told,
            Err(refused) if route.only().is_some() => return Err(refused),
            Err(refused) => {
                let (name, code) = ("server.instructions", refused.refusal.code);
                gate.note(name, &served.name, &route.path, code);
                welcome.saying(words(route, Bytes::from_static(b"{}"))?)
            }
        };
        welcomes.push((
            Arc::clone(&served.name),
            lit(route, served, told, &mut drawn)?,
        ));
    }
    Ok(Introduced {
        welcomes,
        lesson: lesson::first(route),
        has_prompts: lesson::is_offered(route),
    })
}

/// Its words without what is not let pass in any text of this server.
fn cleaned(
    route: &Route,
    served: &Arc<Served>,
    welcome: &Welcome,
    draft: &mut Draft,
) -> Result<Welcome, Refused> {
    let own = words(route, welcome.words())?;
    let settled = route.content(Some(served));
    let looked = settled.look(&own, Toward::Model);
    for finding in looked.findings {
        let place = format!("/result{}", finding.place).into();
        content::keep(&mut draft.answer_findings, Finding { place, ..finding });
    }
    draft.ran_all(settled.controls(Toward::Model));
    if let Some(because) = looked.refused {
        return Err(refused::answer_content(&because));
    }
    let bytes = own.apply(&looked.edits).map_err(|_| refused::crashed())?;
    Ok(welcome.saying(words(route, bytes)?))
}

fn words(route: &Route, bytes: Bytes) -> Result<Document, Refused> {
    let words = Document::read(bytes, &route.reading_answers);
    words.map_err(|flaw| refused::answer_malformed(&flaw.to_string()))
}

/// Its instructions between two lines, where text of this server is marked.
fn lit(
    route: &Route,
    served: &Arc<Served>,
    welcome: Welcome,
    drawn: &mut Drawn,
) -> Result<Welcome, Refused> {
    let marked = route.content(Some(served)).spotlight().is_some();
    if !marked || welcome.instructions().is_none() {
        return Ok(welcome);
    }
    let marker = drawn.marker();
    let marker = marker.map_err(|because| refused::answer_content(&because))?;
    let (before, behind) = marker.frame();
    Ok(welcome.framed(Frame { before, behind }))
}

/// Whether the instructions of a server are those that are pinned. Where that cannot be told, they are not.
fn are_approved(gate: &Gate, far: &Far) -> bool {
    let (served, welcome) = (far.served(), far.welcome());
    let Some(text) = welcome.instructions() else {
        return true;
    };
    let said = serde_json::json!({ "instructions": text });
    match definitions::told(gate, far, (Kind::Instructions, &[&said])) {
        Ok(told) => told == [true],
        Err(error) => {
            tracing::error!(server = %served.name, %error, "its instructions are left out");
            false
        }
    }
}
