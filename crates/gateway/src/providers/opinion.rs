//! What a detector says of a text, before anybody says what it comes to. An opinion is never a
//! finding: it is likely, and proves nothing.

use config::settled;
use controls::{Control, N1_3, N9_2, N9_3};
use std::borrow::Cow;

/// An attack on whoever reads the text.
pub const INJECTION: &str = "injection";
/// How the names of all kinds of harm begin.
pub const HARM: &str = "harm.";
/// Words that the operator put on a list.
pub const BLOCKLIST: &str = "harm.blocklist";

/// What a text is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Surface {
    /// Toward a server: the arguments of a call.
    Arguments,
    /// Toward a model: what a server answers.
    Results,
    /// Toward a person or a model: what a server wants to know.
    Questions,
    /// Toward a client: what a server says in passing.
    Notices,
    /// Toward a model: what a server says of itself.
    Definitions,
    /// An answer or a notice that asks something: whoever hears any of these hears it.
    Asking,
}

impl From<settled::Surface> for Surface {
    fn from(settled: settled::Surface) -> Self {
        match settled {
            settled::Surface::Arguments => Surface::Arguments,
            settled::Surface::Results => Surface::Results,
            settled::Surface::Questions => Surface::Questions,
            settled::Surface::Notices => Surface::Notices,
            settled::Surface::Definitions => Surface::Definitions,
        }
    }
}

/// What was said of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// What it is about, such as [`INJECTION`].
    pub rule: Cow<'static, str>,
    /// How sure the detector is, from 0 to [`controls::SCORE_MAX`].
    pub value: u16,
}

impl Surface {
    /// Its name, as detectors are told it.
    pub fn name(self) -> &'static str {
        match self {
            Surface::Arguments => "arguments",
            Surface::Results => "results",
            Surface::Questions | Surface::Asking => "questions",
            Surface::Notices => "notices",
            Surface::Definitions => "definitions",
        }
    }

    /// Whether somebody who is heard about these is heard about this.
    pub(super) fn is_among(self, on: &[Surface]) -> bool {
        match self {
            Surface::Asking => {
                let any = [Surface::Results, Surface::Questions, Surface::Notices];
                any.iter().any(|it| on.contains(it))
            }
            surface => on.contains(&surface),
        }
    }

    /// Whether it is something that a server says.
    pub fn is_of_server(self) -> bool {
        self != Surface::Arguments
    }
}

impl Opinion {
    /// The control that asks for it: what harms in the words of a server is its own subject.
    pub(super) fn control(rule: &str, surface: Surface) -> Control {
        match surface {
            _ if surface.is_of_server() && rule.starts_with(HARM) => N9_3,
            Surface::Definitions => N9_2,
            _ => N1_3,
        }
    }
}
