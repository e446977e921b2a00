//! What is looked for in the text of a message, and what is done about it: one walk over the message,
//! one [`Passage`] for each string of it, every part in order (controls 1.1, 1.4). Numbers of data are
//! looked at for what they may say of a person, and for nothing else.
//!
//! It finds, rewrites, and says what the operator does not let pass; it decides nothing else. What is
//! found here are facts: what a detector merely thinks of a text is a score, and is not made here.

mod blob;
mod data;
mod heard;
mod hidden;
mod inner;
mod keep;
pub(crate) mod lesson;
mod meaning;
mod minimise;
mod output;
mod passage;
mod place;
mod role;
#[cfg(test)]
pub(crate) mod sample;
mod schema_files;
mod script;
mod spotlight;
#[cfg(test)]
mod tests;

use blob::Form;
pub(crate) use data::{Log, Threads, Tokens, quotable, read_packs};
pub(crate) use data::{PackError, TokensError};
pub(crate) use keep::{FINDINGS, keep};
pub(crate) use meaning::ContentError;
pub(crate) use meaning::Meanings;
pub(crate) use minimise::{Minimised, Minimising, Outcome, StandIns};
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
    room: Option<inspect::flood::Room>,
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

    /// What is said where no single one of these is concerned: the strictest of it.
    pub(crate) fn of_all(
        hidden: HiddenText,
        all: &[settled::Content],
        route: &Arc<str>,
    ) -> Result<Content, PackError> {
        Ok(Content {
            data: data::Data::of_all(all.iter().map(|it| &it.data), route)?,
            output: output::Output::of_all(all.iter().map(|it| &it.output)),
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

    /// What is told in the place of the name of a member in which something is found; nothing if it may be
    /// told.
    pub(crate) fn hush(&self, name: &str) -> Option<String> {
        let label = self.data.as_ref()?.label(name)?;
        Some(inspect::data::mark(&label))
    }

    /// The beginning of what somebody calls something, with nothing in it of what is found there: as records
    /// have it.
    pub(crate) fn hushed<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.data {
            Some(data) => data.hushed(text),
            None => hushed(text),
        }
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
                self.looks(toward) || self.output.is_some() && model,
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
    /// printable ASCII: it costs little then. Secrets are plain text, and what stands in bytes is not seen.
    fn passes_plain(&self, document: &Document, toward: Toward) -> bool {
        let output = self.output.as_ref();
        !self.looks(toward)
            && !role::may_have_bytes(document.bytes())
            && (toward == Toward::Server
                || (self.spotlight.is_none()
                    && output.is_none_or(|output| output.passes_plain(document.bytes()))))
    }

    /// Whether secrets or personal data are looked for on this way.
    fn looks(&self, toward: Toward) -> bool {
        self.data.as_ref().is_some_and(|data| data.looks(toward))
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
        // What stands in bytes is looked at as what it is read as.
        if passage.role() == Role::Blob {
            return self.treat_bytes(passage);
        }
        // Of what is left, what a person takes for something else.
        script::treat(passage);
        // Values that should not be where they are.
        self.treat_data(passage);
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

    /// Bytes, in base64. They are for a program first: nothing is marked in them, nothing is cut, and no
    /// detector reads them.
    fn treat_bytes(&self, passage: &mut Passage<'_, '_>) {
        blob::open(passage, |passage, form| match form {
            Form::File => passage.as_text(|passage| self.treat_file(passage)),
            Form::Other => self.treat_data(passage),
        });
    }

    /// The text of a file that came as bytes.
    fn treat_file(&self, passage: &mut Passage<'_, '_>) {
        hidden::treat(passage, self.hidden);
        script::treat(passage);
        self.treat_data(passage);
        if let Some(output) = &self.output {
            output::treat_file(passage, output);
        }
    }

    fn treat_data(&self, passage: &mut Passage<'_, '_>) {
        if let Some(data) = &self.data {
            data::treat(passage, data);
        }
    }
}

/// The beginning of what somebody calls something, with nothing in it of what any rule finds there: as
/// refusals quote it, and logs.
pub(crate) fn hushed(text: &str) -> Cow<'_, str> {
    data::hushed(text)
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
pub(crate) fn exactness(tool: &settled::ToolPattern) -> usize {
    match tool {
        settled::ToolPattern::Named(_) => usize::MAX,
        settled::ToolPattern::StartsWith(start) => start.len(),
    }
}
