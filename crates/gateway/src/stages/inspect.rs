//! Looks into the text of a message for what a person would not see (control 1.1): tags, bidi
//! controls, zero-width characters, terminal escapes. It finds and, where the server is set so,
//! removes; it decides nothing else. What is left is put before the detectors of the server (control 1.3),
//! whose scores policies hear of.

mod arguments;
mod minimise;

pub(super) use minimise::left_out;

use crate::content::{Content, Looked, Minimised, Toward};
use crate::providers::Surface;
use crate::route::Route;
use crate::stages::draft::{Draft, Stage};
use crate::stages::refused::{self, Refused};
use crate::stages::suspect;
use crate::stages::validate::{self, Valid};
use bytes::Bytes;
use config::settled::HiddenText;
use protocol::Document;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// A call whose text was looked into.
#[derive(Debug)]
pub struct Inspected {
    valid: Valid,
    edited: Option<Option<Map<String, Value>>>,
    rules: Vec<Cow<'static, str>>,
    suspicions: Vec<Cow<'static, str>>,
    minimised: Option<Arc<Minimised>>,
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

    /// The arguments as they are after cleaning.
    pub fn arguments(&self) -> Option<&Map<String, Value>> {
        match &self.edited {
            Some(edited) => edited.as_ref(),
            None => self.valid.arguments(),
        }
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
    let mut edited = minimise::arguments(&mut valid, minimised.as_deref(), draft)?;
    let route = Arc::clone(valid.raw().route());
    let content = route.content(valid.served());
    let looked = match valid.message() {
        None => Looked::default(),
        Some(message) => content.look(message.document(), Toward::Server),
    };
    draft.ran(controls::N1_1);
    let mut rules = looked.rules;
    draft.findings.extend(looked.findings);
    if let Some(because) = looked.refused {
        return Err(refused::content(&because));
    }
    if !looked.edits.is_empty() {
        valid.resolved_mut().clean(&looked.edits)?;
        // The schema held for other text: it has to hold for this text too.
        edited = Some(validate::arguments(&valid)?);
    }
    let arguments = match &edited {
        Some(edited) => edited.as_ref(),
        None => valid.arguments(),
    };
    let held = arguments::hold(&valid, arguments, content).await;
    rules.extend(held.rules);
    draft.findings.extend(held.findings);
    if let Some(refused) = held.refused {
        return Err(refused);
    }
    // Last, so that nobody is asked about what goes no further, or told what was taken out.
    let suspicions = suspect::hear(content.panel(), Surface::Arguments, looked.reading, draft);
    let suspicions = suspicions.await?;
    draft.done(Stage::Inspect);
    Ok(Inspected {
        valid,
        edited,
        rules: rules.into_iter().collect(),
        suspicions,
        minimised,
    })
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
