//! What a detector says of a text, before anybody says what it comes to. An opinion is never a
//! finding: it is likely, and proves nothing.

use config::settled;
use controls::{Control, N1_3, N9_3};
use std::borrow::Cow;

/// An attack on whoever reads the text.
pub const INJECTION: &str = "injection";
/// How the names of all kinds of harm begin.
pub const HARM: &str = "harm.";
/// Words that the operator put on a list.
pub const BLOCKLIST: &str = "harm.blocklist";

/// Which way a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Surface {
    /// Toward a server: the arguments of a call.
    Arguments,
    /// Toward a model: what a server says.
    Results,
}

impl From<settled::Surface> for Surface {
    fn from(settled: settled::Surface) -> Self {
        match settled {
            settled::Surface::Arguments => Surface::Arguments,
            settled::Surface::Results => Surface::Results,
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

impl Opinion {
    /// The control that asks for it: what harms in an answer is its own subject.
    pub(super) fn control(rule: &str, surface: Surface) -> Control {
        match surface {
            Surface::Results if rule.starts_with(HARM) => N9_3,
            Surface::Results | Surface::Arguments => N1_3,
        }
    }
}
