//! What is looked for in the text of a message, and what is done about it: one walk over the message,
//! one [`Passage`] for each string of it, every part in order (controls 1.1, 1.4). Numbers of data are
//! looked at for what they may say of a person, and for nothing else.
//!
//! It finds, rewrites, and says what the operator does not let pass; it decides nothing else. What is
//! found here are facts: what a detector merely thinks of a text is a score, and is not made here.

mod data;
mod heard;
mod hidden;
mod keep;
pub(crate) mod lesson;
mod meaning;
mod minimise;
mod output;
mod passage;
mod place;
mod role;
mod schema_files;
mod script;
mod spotlight;
#[cfg(test)]
mod tests;

pub(crate) use data::{Log, Threads, Tokens, read_packs};
pub(crate) use data::{PackError, TokensError};
pub(crate) use keep::{FINDINGS, keep};
pub(crate) use meaning::ContentError;
pub(crate) use meaning::Meanings;
pub(crate) use minimise::{Minimised, Minimising, StandIns};
pub(crate) use passage::{Because, Passage};
#[cfg(test)]
pub(crate) use place::PLACE;
use role::Leaf;
pub(crate) use role::Role;
pub(crate) use schema_files::SchemaFileError;
pub(crate) use schema_files::read as read_schemas;
pub(crate) use spotlight::Drawn;

use crate::providers::{Panel, Reading, Surface};
use config::settled::{self, HiddenText};
use controls::{Control, Finding};
use protocol::{Document, Edits};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

/// Who is going to read the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toward {
    /// A client, and the model behind it: what a server said.
    Model,
    /// A server: what a client said.
    Server,
}

/// What is done with the text of the messages of one server on one route.
#[derive(Debug)]
pub(crate) struct Content {
    /// What a person would not see.
    hidden: HiddenText,
    /// Secrets and personal data; nothing where it was looked at before.
    data: Option<data::Data>,
    /// What arguments mean.
    meanings: Meanings,
    /// Which fields go on.
    minimising: Minimising,
    /// Who is asked what they think of it.
    panel: Arc<Panel>,
    /// What a server says to a model.
    output: Option<output::Output>,
    /// How its text is marked.
    spotlight: Option<inspect::spotlight::Spotlight>,
}

/// What was seen in one message, and how to clean it.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// What matters most of what was found.
    pub(crate) findings: Vec<Finding>,
    /// Every rule that found something.
    pub(crate) rules: BTreeSet<Cow<'static, str>>,
    pub(crate) edits: Edits,
    /// The first thing that the operator does not let pass.
    pub(crate) refused: Option<Because>,
    /// What the message is refused for where its schema has no place for what was put there: a number
    /// that may not go on is a string from then on.
    pub(crate) instead: Option<Because>,
    /// What came before it on the same stream, where one message continues another.
    pub(crate) threads: Option<Threads>,
    /// What detectors read of it, as it was left by the parts before, and what that is of; nothing if
    /// none is heard.
    pub(crate) reading: Option<(Surface, Reading)>,
    hushed: place::Hushed,
}

/// What the parts keep from one string of a message to the next.
struct Once<'d> {
    room: Option<output::Room>,
    /// What the message is to detectors, if somebody is heard about that.
    heard: Option<Surface>,
    light: spotlight::Light<'d>,
}

impl Content {
    /// What was said of a server on a route.
    pub(crate) fn new(
        hidden: HiddenText,
        settled: &settled::Content,
        route: &Arc<str>,
    ) -> Result<Content, PackError> {
        let settled::Content {
            data,
            output,
            spotlight,
            // Who is asked, and what calls mean, come later: see `heard_by` and `meant`.
            modes: _,
            providers: _,
            arguments: _,
            minimise: _,
            purpose: _,
        } = settled;
        Ok(Content {
            data: Some(data::Data::new(data, route)?),
            output: Some(output::Output::new(output)),
            spotlight: spotlight::of(*spotlight),
            ..Content::of_nobody(hidden)
        })
    }

    /// The same, where arguments mean something, and only some fields go on.
    pub(crate) fn meant(self, settled: &settled::Content) -> Result<Content, ContentError> {
        Ok(Content {
            meanings: Meanings::new(&settled.arguments)?,
            minimising: Minimising::new(settled)?,
            ..self
        })
    }

    /// The same, where these are asked what they think of it.
    pub(crate) fn heard_by(self, panel: Panel) -> Content {
        let panel = Arc::new(panel);
        Content { panel, ..self }
    }

    /// Takes the key that tokens are made with.
    pub(crate) fn keyed(&mut self, tokens: &Arc<Tokens>) {
        if let Some(data) = &mut self.data {
            data.keyed(tokens);
        }
    }

    /// What remembers the ends of one message of a stream until the next.
    pub(crate) fn threads(&self) -> Option<Threads> {
        self.data.as_ref().map(data::Data::threads)
    }

    /// Who is asked what they think of a text.
    pub(crate) fn panel(&self) -> &Arc<Panel> {
        &self.panel
    }

    /// Nothing but hidden text: for words that were looked at one by one before they were joined, and
    /// where no server is concerned.
    pub(crate) fn of_nobody(hidden: HiddenText) -> Content {
        Content {
            hidden,
            meanings: Meanings::default(),
            minimising: Minimising::default(),
            data: None,
            panel: Arc::default(),
            output: None,
            spotlight: None,
        }
    }

    /// What arguments mean.
    pub(crate) fn meanings(&self) -> &Meanings {
        &self.meanings
    }

    /// Which fields go on.
    pub(crate) fn minimising(&self) -> &Minimising {
        &self.minimising
    }

    /// How text is marked, if it is.
    pub(crate) fn spotlight(&self) -> Option<inspect::spotlight::Spotlight> {
        self.spotlight
    }

    /// A place of a message, a JSON Pointer (RFC 6901), as it is told: short, and with nothing of what is
    /// found in the names of members.
    pub(crate) fn shown(&self, pointer: &str) -> String {
        let data = self.data.as_ref();
        place::shown(pointer, |name| data?.label(name))
    }

    /// What stands in the place of fields that go on as tokens.
    pub(crate) fn stand_ins(&self) -> StandIns<'_> {
        StandIns::of(self.data.as_ref())
    }

    /// What tokens stand for, where the server may have it: the last thing before a message is sent.
    pub(crate) fn reveal(&self, document: &Document) -> Looked {
        let data = self.data.as_ref();
        data.map(|data| data.reveal(document)).unwrap_or_default()
    }

    /// The controls whose checks are made on a message.
    pub(crate) fn controls(&self, toward: Toward) -> impl Iterator<Item = Control> {
        let model = toward == Toward::Model;
        [
            (controls::N1_1, !model),
            (controls::N1_4, model),
            (controls::N9_1, model && self.spotlight.is_some()),
            (
                controls::N9_3,
                self.data.is_some() || self.output.is_some() && model,
            ),
            (controls::N9_4, model && self.output.is_some()),
        ]
        .into_iter()
        .filter_map(|(control, is_made)| is_made.then_some(control))
    }

    /// Looks at every string once.
    pub(crate) fn look(&self, document: &Document, toward: Toward) -> Looked {
        self.look_after(None, document, toward)
    }

    /// The same for a message that continues others of its stream.
    pub(crate) fn look_after(
        &self,
        threads: Option<Threads>,
        document: &Document,
        toward: Toward,
    ) -> Looked {
        let mut looked = Looked {
            threads,
            ..Looked::default()
        };
        let heard = self.heard(document, toward);
        if document.is_plain() && self.passes_plain(document, toward) && heard.is_none() {
            return looked;
        }
        looked.reading = heard.map(|surface| (surface, Reading::default()));
        let mut once = Once {
            room: self.output.as_ref().map(output::Output::room),
            heard,
            light: spotlight::Light::new(self.spotlight, document),
        };
        role::walk(document.root(), toward, &mut |at| {
            let mut passage = Passage::new(at, toward, &mut looked);
            match at.leaf {
                Leaf::Text(_) => self.treat(&mut passage, &mut once),
                Leaf::Number(_) => self.treat_number(&mut passage),
            }
            passage.leave();
        });
        looked
    }

    /// What a message is to detectors, if somebody is heard about that.
    fn heard(&self, document: &Document, toward: Toward) -> Option<Surface> {
        if self.panel.members().is_empty() {
            return None;
        }
        let surface = heard::surface(document.root(), toward);
        self.panel.hears(surface).then_some(surface)
    }

    /// Whether nothing can be found in a message without escapes and without a character beyond
    /// printable ASCII: it costs little then. Secrets are plain text.
    fn passes_plain(&self, document: &Document, toward: Toward) -> bool {
        let output = self.output.as_ref();
        self.data.is_none()
            && (toward == Toward::Server
                || (self.spotlight.is_none()
                    && output.is_none_or(|output| output.passes_plain(document.bytes()))))
    }

    /// One number: nothing hides in it, nobody renders it, and no detector reads it.
    fn treat_number(&self, passage: &mut Passage<'_, '_>) {
        if let Some(data) = self.data.as_ref().filter(|_| !passage.text().is_empty()) {
            data::treat(passage, data);
        }
    }

    /// One string through every part.
    fn treat(&self, passage: &mut Passage<'_, '_>, once: &mut Once<'_>) {
        // First of all, so that nothing hides behind it from what comes after.
        hidden::treat(passage, self.hidden);
        // Of what is left, what a person takes for something else.
        script::treat(passage);
        // Values that should not be where they are.
        if let Some(data) = &self.data {
            data::treat(passage, data);
        }
        if let (Some(output), Some(room)) = (&self.output, &mut once.room) {
            output::treat(passage, output, room);
        }
        // Read by detectors as it is now; how it is marked for a model is not for them.
        if once.heard.is_some() {
            heard::treat(passage);
        }
        // Last of all: what is marked is what is left.
        spotlight::treat(passage, &mut once.light);
    }
}

/// What a file says, up to one byte more than there may be.
fn bounded_file(path: &Path, most: usize) -> std::io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How exactly a pattern names a tool.
fn exactness(tool: &settled::ToolPattern) -> usize {
    match tool {
        settled::ToolPattern::Named(_) => usize::MAX,
        settled::ToolPattern::StartsWith(start) => start.len(),
    }
}
