//! Looks into the text of a message for what a person would not see (control 1.1): tags, bidi
//! controls, zero-width characters, terminal escapes. It finds and, where the server is set so,
//! removes; it decides nothing else. Detectors that score text will stand here too.

use crate::route::Route;
use crate::stages::draft::{Draft, Stage};
use crate::stages::refused::{self, Refused};
use crate::stages::validate::{self, Valid};
use bytes::Bytes;
use config::settled::HiddenText;
use controls::{Action, Control, Finding};
use protocol::{Document, Edits};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::Deref;

/// A call whose text was looked into.
#[derive(Debug)]
pub struct Inspected {
    valid: Valid,
    edited: Option<Option<Map<String, Value>>>,
    rules: Vec<&'static str>,
}

impl Inspected {
    /// The names of the rules that found something.
    pub fn rules(&self) -> &[&'static str] {
        &self.rules
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

/// Findings kept of one message; a message with more is not described better by more.
pub(super) const FINDINGS: usize = 32;

/// Examines every string of the message, names of members included.
pub fn examine(mut valid: Valid, draft: &mut Draft) -> Result<Inspected, Refused> {
    let treatment = match valid.served() {
        Some(served) => served.hidden_text,
        None => valid.raw().route().hidden_text,
    };
    let looked = match valid.message() {
        None => Looked::default(),
        Some(message) => look(message.document(), controls::N1_1, treatment),
    };
    draft.ran(controls::N1_1);
    let rules = rules(&looked.findings);
    if let (HiddenText::Refuse, Some(first)) = (treatment, looked.findings.first()) {
        let refused = refused::hidden_text(first.rule, &first.place);
        draft.findings.extend(looked.findings);
        return Err(refused);
    }
    draft.findings.extend(looked.findings);
    let mut edited = None;
    if !looked.edits.is_empty() {
        valid.resolved_mut().clean(&looked.edits)?;
        // The schema held for other text: it has to hold for this text too.
        edited = Some(validate::arguments(&valid)?);
    }
    draft.done(Stage::Inspect);
    Ok(Inspected {
        valid,
        edited,
        rules,
    })
}

/// What was seen in one document, and how to clean it.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) findings: Vec<Finding>,
    pub(super) edits: Edits,
}

/// Looks at every string once. A document without escapes and without a character beyond printable
/// ASCII holds nothing that could hide, and costs nothing here.
pub(super) fn look(document: &Document, control: Control, treatment: HiddenText) -> Looked {
    let mut looked = Looked::default();
    if document.is_plain() {
        return looked;
    }
    let action = match treatment {
        HiddenText::Remove => Action::Remove,
        HiddenText::Refuse => Action::Refuse,
        HiddenText::Report => Action::Report,
    };
    for string in document.strings().filter(|string| !string.is_plain()) {
        let text = string.decoded();
        let seen = ::inspect::text::examine(&text);
        if seen.is_clean() {
            continue;
        }
        if looked.findings.len() < FINDINGS {
            looked
                .findings
                .extend(seen.findings(Cow::Owned(string.pointer()), control, action));
        }
        if treatment == HiddenText::Remove {
            looked
                .edits
                .replace_string(string.range(), &::inspect::text::clean(&text));
        }
    }
    looked
}

/// A part of a message that is kept before the whole of it is looked at, treated like the whole.
pub(super) fn clean_part(route: &Route, raw: &[u8]) -> Bytes {
    let raw = Bytes::copy_from_slice(raw);
    let Ok(document) = Document::read(raw.clone(), &route.reading) else {
        return raw;
    };
    // Where such text is refused, this message goes no further anyway.
    let looked = match route.hidden_text {
        HiddenText::Report => return raw,
        HiddenText::Remove | HiddenText::Refuse => {
            look(&document, controls::N1_1, HiddenText::Remove)
        }
    };
    document.apply(&looked.edits).unwrap_or(raw)
}

fn rules(findings: &[Finding]) -> Vec<&'static str> {
    let mut rules: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}
