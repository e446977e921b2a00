//! Text of servers that are not trusted, marked for the model that reads it (control 9.1): the text of
//! results, errors, resources, prompts, and of what a server asks a client's model. Whatever tells of it
//! otherwise stays as it is, structured content above all.
//!
//! A text block that says the same as the structured content beside it stays JSON: clients of older
//! revisions read it as such. It is exempt only as long as it says exactly the same.

use super::{Because, Passage, Role, Toward};
use bytes::Bytes;
use config::settled;
use inspect::spotlight::{Marker, RANDOM, Spotlight};
use protocol::{Document, Limits, Value};

/// How the texts of one message are marked. The marker is drawn for the first of them.
#[derive(Debug)]
pub(super) struct Light<'d> {
    how: Option<Spotlight>,
    marker: Option<Marker>,
    structured: Option<Value<'d>>,
    parsed: Option<serde_json::Value>,
}

impl<'d> Light<'d> {
    pub(super) fn new(how: Option<Spotlight>, document: &'d Document) -> Light<'d> {
        let result = || document.root().get("result")?.get("structuredContent");
        Light {
            how,
            marker: None,
            structured: how.and_then(|_| result()),
            parsed: None,
        }
    }

    /// Whether a text says what the structured content says.
    fn mirrors(&mut self, text: &str) -> bool {
        let Some(structured) = self.structured else {
            return false;
        };
        // A name that is there twice is read as somebody likes: then it says something else, too.
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        if Document::read(bytes, &Limits::default()).is_err() {
            return false;
        }
        let Ok(said) = serde_json::from_str::<serde_json::Value>(text) else {
            return false;
        };
        let parsed = self
            .parsed
            .get_or_insert_with(|| serde_json::from_slice(structured.raw()).unwrap_or_default());
        said == *parsed
    }
}

/// How it is called in the configuration.
pub(super) fn of(word: settled::Spotlight) -> Option<Spotlight> {
    match word {
        settled::Spotlight::Datamark => Some(Spotlight::Datamark),
        settled::Spotlight::Delimit => Some(Spotlight::Delimit),
        settled::Spotlight::Encode => Some(Spotlight::Encode),
        settled::Spotlight::Off => None,
    }
}

/// Marks one text.
pub(super) fn treat(passage: &mut Passage<'_, '_>, light: &mut Light<'_>) {
    let Some(how) = light.how else { return };
    if passage.toward() != Toward::Model || passage.role() != Role::Text {
        return;
    }
    if light.mirrors(passage.text()) {
        return;
    }
    let marker = match light.marker.take().map_or_else(draw, Ok) {
        Ok(marker) => marker,
        Err(because) => return passage.give_up(because),
    };
    let marked = marker.mark(passage.text(), how);
    light.marker = Some(marker);
    passage.rewrite(marked);
}

fn draw() -> Result<Marker, Because> {
    let bits = identity::bits().map_err(|_| Because::Unmarked)?;
    let random = bits.first_chunk::<RANDOM>().ok_or(Because::Unmarked)?;
    Ok(Marker::new(*random))
}
