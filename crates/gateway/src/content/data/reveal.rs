//! Tokens turned back into what they stand for, as a call is sent to a server that may have it.
//!
//! What is put into a text is a value and nothing else there: in JSON it is written as JSON, and a value that
//! would end the quotes in which its token stands is not put there at all.

use super::{Data, Tokens};
use crate::content::{FINDINGS, Looked, place};
use controls::{Action, Finding, Severity};
use inspect::data::token;
use protocol::{Document, Edits, Limits, Value};
use std::borrow::Cow;
use zeroize::Zeroizing;

/// JSON inside of JSON that is followed: what stands deeper keeps its tokens.
const DEPTH: usize = 4;

/// Signs between which programs write a text.
const QUOTES: [char; 3] = ['"', '\'', '`'];

impl Data {
    /// Puts what tokens stand for where the server may have it: in arguments, and nowhere else, since names
    /// and addresses are what was decided about. Nothing else sees the outcome: records, policies and
    /// approvals speak of the tokens.
    pub(in crate::content) fn reveal(&self, document: &Document) -> Looked {
        let mut looked = Looked::default();
        let Some(tokens) = &self.tokens else {
            return looked;
        };
        if self.settled.reveal.is_empty() || !token::may_be_in(document.bytes()) {
            return looked;
        }
        let params = document.root().get("params");
        let arguments = params.and_then(|params| params.get("arguments"));
        let strings = arguments.into_iter().flat_map(Value::strings);
        for string in strings.filter(|string| !string.is_key()) {
            let mut count = 0;
            let Some(out) = self.turned_back(tokens, &string.decoded(), DEPTH, &mut count) else {
                continue;
            };
            looked.edits.replace_string(string.range(), &out);
            if looked.findings.len() < FINDINGS {
                let place = place::shown(&string.pointer(), |name| self.label(name));
                looked.findings.push(revealed(place, count));
            }
        }
        looked
    }

    /// A text with what its tokens stand for, and how many were turned back; nothing if none was.
    fn turned_back(
        &self,
        tokens: &Tokens,
        text: &str,
        depth: usize,
        count: &mut u32,
    ) -> Option<Zeroizing<String>> {
        if !token::may_be_in(text.as_bytes()) {
            return None;
        }
        match json(text) {
            Some(document) => {
                let mut edits = Edits::new();
                // The names of members are what they are found by.
                let strings = document.strings().filter(|string| !string.is_key());
                for string in strings.filter(|_| depth > 0) {
                    let text = string.decoded();
                    if let Some(out) = self.turned_back(tokens, &text, depth - 1, count) {
                        edits.replace_string(string.range(), &out);
                    }
                }
                let written = document.apply(&edits).ok().filter(|_| !edits.is_empty())?;
                let written = String::from_utf8(written.to_vec()).ok()?;
                Some(Zeroizing::new(written))
            }
            None => self.put_back(tokens, text, count),
        }
    }

    /// The same of a text that is no JSON.
    fn put_back(&self, tokens: &Tokens, text: &str, count: &mut u32) -> Option<Zeroizing<String>> {
        let mut out = Zeroizing::new(String::new());
        let mut done = 0;
        for token in token::find(text) {
            if !self.settled.reveal.iter().any(|label| label == token.label) {
                continue;
            }
            let Some(value) = tokens.read(&self.route, &token) else {
                continue;
            };
            if breaks_out(text.get(..token.at.start).unwrap_or_default(), &value) {
                continue;
            }
            out.push_str(text.get(done..token.at.start).unwrap_or_default());
            out.push_str(&value);
            done = token.at.end;
            *count = count.saturating_add(1);
        }
        if done == 0 {
            return None;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Some(out)
    }
}

/// What a text says in JSON, where it is an object, an array or a string.
fn json(text: &str) -> Option<Document> {
    if !text.trim_start().starts_with(['{', '[', '"']) {
        return None;
    }
    Document::read(text.to_owned().into(), &Limits::default()).ok()
}

/// Whether a value would end the quotes that are open at the end of a text. An apostrophe behind a letter
/// opens nothing.
fn breaks_out(before: &str, value: &str) -> bool {
    let is_open = |quote: &char| {
        let mut parts = before.rsplitn(2, *quote);
        let opener = parts.nth(1);
        opener.is_some_and(|before| !before.ends_with(char::is_alphanumeric))
    };
    let mut open = QUOTES.iter().filter(|quote| is_open(quote));
    open.any(|quote| value.contains([*quote, '\\']))
}

fn revealed(place: String, count: u32) -> Finding {
    Finding {
        control: controls::N1_1,
        rule: Cow::Borrowed("data.revealed"),
        severity: Severity::Info,
        place: Cow::Owned(place),
        count,
        action: Action::Report,
    }
}
