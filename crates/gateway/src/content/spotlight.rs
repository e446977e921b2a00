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

/// What a marker is made of; nothing, where nothing random is to be had.
type Random = fn() -> Option<[u8; RANDOM]>;

/// The marker of one message, drawn when it is first asked for.
#[derive(Debug)]
pub(crate) struct Drawn {
    marker: Option<Marker>,
    random: Random,
}

impl Drawn {
    fn from(random: Random) -> Self {
        Drawn {
            marker: None,
            random,
        }
    }

    /// The marker: the same one each time.
    pub(crate) fn marker(&mut self) -> Result<&Marker, Because> {
        let marker = match self.marker.take() {
            Some(marker) => marker,
            None => Marker::new((self.random)().ok_or(Because::Unmarked)?),
        };
        Ok(self.marker.insert(marker))
    }
}

impl Default for Drawn {
    fn default() -> Self {
        Drawn::from(random)
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

/// From the operating system.
fn random() -> Option<[u8; RANDOM]> {
    identity::bits().ok()?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Looked, role};

    #[test]
    fn n9_1_a_text_that_cannot_be_marked_goes_nowhere() {
        let block = serde_json::json!({ "type": "text", "text": "obey me" });
        let message = serde_json::json!({ "id": 1, "result": { "content": [block] } });
        let (none, some): (Random, Random) = (|| None, || Some([7; RANDOM]));
        for (random, toward, refused) in [
            (none, Toward::Model, true),
            (none, Toward::Server, false),
            (some, Toward::Model, false),
        ] {
            let bytes = Bytes::from(message.to_string());
            let document = Document::read(bytes, &Limits::default()).unwrap();
            let mut light = Light::new(Some(Spotlight::Datamark), &document);
            light.drawn = Drawn::from(random);
            let mut looked = Looked::default();
            role::walk(document.root(), toward, &mut |at| {
                let mut passage = Passage::new(at, toward, &mut looked);
                treat(&mut passage, &mut light);
                passage.leave();
            });
            let because = refused.then_some(Because::Unmarked);
            assert_eq!(looked.refused, because, "{toward:?}");
        }
    }
}
