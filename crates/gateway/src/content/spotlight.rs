//! Text of servers that are not trusted, marked for the model that reads it (control 9.1): the text of
//! results, resources and prompts, what errors say, and what a server asks a client's model. Whatever
//! tells of it otherwise stays as it is, structured content above all.
//!
//! A text block that says the same as the structured content beside it stays JSON: clients of older
//! revisions read it as such. It is exempt only as long as it says exactly the same.

use super::{Because, Passage, Role, Toward};
use bytes::Bytes;
use config::settled;
use inspect::spotlight::{Marker, RANDOM, Spotlight};
use protocol::{Document, Limits, Value};

/// The marker of one message, drawn when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Drawn(Option<Marker>);

impl Drawn {
    /// The marker: the same one each time.
    pub(crate) fn marker(&mut self) -> Result<&Marker, Because> {
        let marker = self.0.take().map_or_else(draw, Ok)?;
        Ok(self.0.insert(marker))
    }
}

/// How the texts of one message are marked.
#[derive(Debug)]
pub(super) struct Light<'d> {
    how: Option<Spotlight>,
    drawn: Drawn,
    structured: Option<Value<'d>>,
    parsed: Option<serde_json::Value>,
}

impl<'d> Light<'d> {
    pub(super) fn new(how: Option<Spotlight>, document: &'d Document) -> Light<'d> {
        let result = || document.root().get("result")?.get("structuredContent");
        Light {
            how,
            drawn: Drawn::default(),
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
    if passage.toward() != Toward::Model || !is_marked(passage.role()) {
        return;
    }
    if light.mirrors(passage.text()) {
        return;
    }
    let marked = match light.drawn.marker() {
        Ok(marker) => marker.mark(passage.text(), how),
        Err(because) => return passage.give_up(because),
    };
    passage.rewrite(marked);
}

/// What a model is given to read. Instructions of servers are framed where they are joined.
fn is_marked(role: Role) -> bool {
    match role {
        Role::Failure | Role::Text => true,
        Role::Address | Role::Blob | Role::Name | Role::Structured | Role::Wire | Role::Words => {
            false
        }
    }
}

fn draw() -> Result<Marker, Because> {
    let bits = identity::bits().map_err(|_| Because::Unmarked)?;
    let random = bits.first_chunk::<RANDOM>().ok_or(Because::Unmarked)?;
    Ok(Marker::new(*random))
}
