//! What is looked for in the text of a message, and what is done about it: one walk over the message,
//! one [`Passage`] for each string of it, every part in order (controls 1.1, 1.4).
//!
//! It finds, rewrites, and says what the operator does not let pass; it decides nothing else. What is
//! found here are facts: what a detector merely thinks of a text is a score, and is not made here.

mod hidden;
mod meaning;
mod minimise;
mod passage;
mod role;
mod script;

pub(crate) use meaning::ContentError;
pub(crate) use meaning::Meanings;
pub(crate) use minimise::{Minimised, Minimising, project};
pub(crate) use passage::{Because, Passage};
pub(crate) use role::Role;

use config::settled::{self, HiddenText};
use controls::Finding;
use protocol::{Document, Edits};

/// Findings kept of one message; a message with more is not described better by more.
pub(crate) const FINDINGS: usize = 32;

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
    /// What arguments mean.
    meanings: Meanings,
    /// Which fields go on.
    minimising: Minimising,
}

/// What was seen in one message, and how to clean it.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) findings: Vec<Finding>,
    pub(crate) edits: Edits,
    /// The first thing that the operator does not let pass.
    pub(crate) refused: Option<Because>,
}

impl Content {
    /// What was said of a server on a route.
    pub(crate) fn new(
        hidden: HiddenText,
        settled: &settled::Content,
    ) -> Result<Content, ContentError> {
        Ok(Content {
            hidden,
            meanings: Meanings::new(&settled.arguments)?,
            minimising: Minimising::new(&settled.minimise, settled.purpose.as_ref())?,
        })
    }

    /// Nothing but hidden text: for words that were looked at one by one before they were joined, and
    /// where no server is concerned.
    pub(crate) fn of_nobody(hidden: HiddenText) -> Content {
        Content {
            hidden,
            meanings: Meanings::default(),
            minimising: Minimising::default(),
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

    /// Looks at every string once.
    pub(crate) fn look(&self, document: &Document, toward: Toward) -> Looked {
        let mut looked = Looked::default();
        if document.is_plain() && self.passes_plain() {
            return looked;
        }
        role::walk(document.root(), &mut |string, role, member| {
            let mut passage = Passage::new(string, role, member, toward, &mut looked);
            self.treat(&mut passage);
            passage.leave();
        });
        looked
    }

    /// Whether nothing can be found in a message without escapes and without a character beyond
    /// printable ASCII: it costs nothing then.
    fn passes_plain(&self) -> bool {
        true
    }

    /// One string through every part.
    fn treat(&self, passage: &mut Passage<'_, '_>) {
        // First of all, so that nothing hides behind it from what comes after.
        hidden::treat(passage, self.hidden);
        // Of what is left, what a person takes for something else.
        script::treat(passage);
    }
}

/// How exactly a pattern names a tool.
fn exactness(tool: &settled::ToolPattern) -> usize {
    match tool {
        settled::ToolPattern::Named(_) => usize::MAX,
        settled::ToolPattern::StartsWith(start) => start.len(),
    }
}
