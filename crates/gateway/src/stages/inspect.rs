//! Looks into the text of a message for what a person would not see (control 1.1): tags, bidi
//! controls, zero-width characters, terminal escapes. It finds and, where the server is set so,
//! removes; it decides nothing else, and asks nobody: what is left for others to say of a message is
//! heard once policies have let it through ([`consult`](super::consult)).

pub(in crate::stages) mod arguments;
mod minimise;
mod names;
mod values;

pub(super) use arguments::refuses_uri;

use crate::content::{self, Looked, Minimised, Toward};
use crate::providers::{Reading, Surface};
use crate::route::Route;
use crate::stages::consult::Evidence;
use crate::stages::draft::{Draft, Stage};
use crate::stages::refused::{self, Refused};
use crate::stages::validate::Valid;
use arguments::Held;
use bytes::Bytes;
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
    let held = names.look_up(&served.egress, content, call.subject()).await;
    for finding in held.findings {
        content::keep(&mut draft.findings, finding);
    }
    match held.refused {
        Some(refused) => Err(refused),
        None => Ok(held.rules.into_iter().collect()),
    }
}

/// A part of a message that is kept before the whole of it is looked at, treated like the whole, toward every
/// server of the route; nothing where that may not be let pass to one of them.
pub(super) fn clean_part(route: &Route, raw: &[u8]) -> Option<Bytes> {
    let raw = Bytes::copy_from_slice(raw);
    let document = Document::read(raw, &route.reading).ok()?;
    let looked = route.content(None).look(&document, Toward::Server);
    match looked.refused {
        Some(_) => None,
        None => document.apply(&looked.edits).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Outcome;
    use crate::house::still::Still;
    use protocol::Edits;
    use serde_json::{Map, Value, json};

    #[tokio::test]
    async fn n1_1_what_nobody_sees_in_what_a_token_stands_for_is_refused_like_what_is_written() {
        let server = "{ name: s, http: { url: 'https://s.example.com/mcp' }, content: { \
             minimise: { t: [{ results: { tokenise: { /p: personal.location } } }] }, \
             data: { reveal: [personal.location] }, \
             arguments: { prompts: { p: { /path: { is: path } } } } } }";
        let still = Still::before(server, "").await;
        let route = still.gate().route("/s").unwrap();
        let content = route.content(route.served(0));
        let minimised = content.minimising().of("t", &Map::new());
        let minimised = minimised.unwrap().unwrap();
        let token = |value: &str| {
            let result = json!({ "structuredContent": { "p": value } });
            let document = Document::read(result.to_string().into(), &route.reading).unwrap();
            let (mut stand_ins, mut edits) = (content.stand_ins(), Edits::new());
            let outcome = Outcome::Result(document.root());
            minimised.outcome(outcome, &mut stand_ins, &mut edits);
            let left = document.apply(&edits).unwrap();
            let left: Value = serde_json::from_slice(&left).unwrap();
            left["structuredContent"]["p"].as_str().unwrap().to_owned()
        };
        for (value, is_refused) in [("/srv/data", false), ("/srv/da\u{200b}ta", true)] {
            let token = token(value);
            assert!(token.starts_with("{rw:personal.location:"), "{token}");
            for said in [value, &token] {
                let params = json!({ "name": "p", "arguments": { "path": said } });
                let (inspected, draft) = still.inspected("prompts/get", params).await;
                let reason = inspected.err().map(|it| it.refusal.reason.to_string());
                let reason = reason.unwrap_or_default();
                let is_told = reason.contains("argument.hidden_text");
                assert_eq!(is_told, is_refused, "{said:?}: {reason}");
                let found = draft
                    .findings
                    .iter()
                    .any(|it| it.rule == "argument.hidden_text");
                assert_eq!(found, is_refused, "{said:?}");
            }
        }
    }
}
