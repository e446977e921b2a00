//! Looks into the text of a message for what a person would not see (control 1.1): tags, bidi
//! controls, zero-width characters, terminal escapes. It finds and, where the server is set so,
//! removes; it decides nothing else, and asks nobody: what is left for others to say of a message is
//! heard once policies have let it through ([`consult`](super::consult)).

pub(in crate::stages) mod arguments;
mod minimise;
mod names;
mod values;

pub(super) use arguments::refuses_uri;

use crate::content::{self, Content, Looked, Minimised, Toward};
use crate::providers::{Reading, Surface};
use crate::route::Route;
use crate::stages::consult::Evidence;
use crate::stages::draft::{Draft, Stage};
use crate::stages::refused::{self, Refused};
use crate::stages::validate::Valid;
use arguments::Held;
use bytes::Bytes;
use config::settled::HiddenText;
use names::Names;
use protocol::{Document, Message};
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// A call whose text was looked into.
#[derive(Debug)]
pub struct Inspected {
    valid: Valid,
    rules: Vec<Cow<'static, str>>,
    suspicions: Vec<Cow<'static, str>>,
    reading: Option<(Surface, Reading)>,
    minimised: Option<Arc<Minimised>>,
    names: Names,
}

impl Inspected {
    /// Which fields of the result go on, if not all of them do.
    pub(super) fn minimised(&self) -> Option<&Arc<Minimised>> {
        self.minimised.as_ref()
    }

    /// The names of the rules that found something.
    pub fn rules(&self) -> &[Cow<'static, str>] {
        &self.rules
    }

    /// What detectors suspect: scores, never facts.
    pub fn suspicions(&self) -> &[Cow<'static, str>] {
        &self.suspicions
    }

    /// What detectors are still to read of it.
    pub(super) fn take_reading(&mut self) -> Option<(Surface, Reading)> {
        self.reading.take()
    }

    /// Takes what others have said of it since.
    pub(super) fn learn(&mut self, evidence: Evidence) {
        self.rules.extend(evidence.rules);
        self.rules.sort_unstable();
        self.rules.dedup();
        self.suspicions = evidence.suspicions;
    }
}

impl Deref for Inspected {
    type Target = Valid;

    fn deref(&self) -> &Valid {
        &self.valid
    }
}

/// Examines every string of the message, names of members included.
pub async fn examine(mut valid: Valid, draft: &mut Draft) -> Result<Inspected, Refused> {
    let minimised = minimise::find(&valid)?;
    minimise::arguments(&mut valid, minimised.as_deref(), draft)?;
    let route = Arc::clone(valid.raw().route());
    let content = route.content(valid.served());
    let looked = match valid.message() {
        None => Looked::default(),
        Some(message) => content.look(message.document(), Toward::Server),
    };
    draft.ran_all(content.controls(Toward::Server));
    let mut rules = looked.rules;
    draft.findings.extend(looked.findings);
    if let Some(because) = looked.refused {
        return Err(refused::content(&because));
    }
    let mut held = Held::of(valid.subject(), content);
    let is_plain = |message: &Message| message.document().is_plain();
    if valid.revealed().is_some() || !valid.message().is_none_or(is_plain) {
        arguments::unseen(&valid, &mut held);
    }
    if held.refused.is_none() {
        if !looked.edits.is_empty() {
            let cleaned = valid.clean(&looked.edits);
            cleaned.map_err(|off| looked.instead.as_ref().map_or(off, refused::content))?;
        }
        arguments::hold(&valid, &mut held).await;
    }
    rules.extend(held.rules);
    draft.findings.extend(held.findings);
    if let Some(refused) = held.refused {
        return Err(refused);
    }
    draft.done(Stage::Inspect);
    Ok(Inspected {
        valid,
        rules: rules.into_iter().collect(),
        suspicions: Vec::new(),
        reading: looked.reading,
        minimised,
        names: held.names,
    })
}

/// Looks up the names to which arguments lead, and says which rules found something. It takes a call
/// that policies have let through: nobody is asked anything for another.
pub(super) async fn look_up(
    call: &mut Inspected,
    draft: &mut Draft,
) -> Result<Vec<Cow<'static, str>>, Refused> {
    let names = std::mem::take(&mut call.names);
    let Some(served) = call.served().filter(|_| !names.is_empty()) else {
        return Ok(Vec::new());
    };
    let content = call.raw().route().content(Some(served));
    let held = names.look_up(served, content, call.subject()).await;
    for finding in held.findings {
        content::keep(&mut draft.findings, finding);
    }
    match held.refused {
        Some(refused) => Err(refused),
        None => Ok(held.rules.into_iter().collect()),
    }
}

/// A part of a message that is kept before the whole of it is looked at, treated like the whole.
pub(super) fn clean_part(route: &Route, raw: &[u8]) -> Bytes {
    let raw = Bytes::copy_from_slice(raw);
    let Ok(document) = Document::read(raw.clone(), &route.reading) else {
        return raw;
    };
    // Where such text is refused, this message goes no further anyway.
    let content = match route.hidden_text {
        HiddenText::Report => return raw,
        HiddenText::Remove | HiddenText::Refuse => Content::of_nobody(HiddenText::Remove),
    };
    let looked = content.look(&document, Toward::Server);
    document.apply(&looked.edits).unwrap_or(raw)
}
