//! What a detector thinks of a text. A score informs; it proves nothing, and it is kept apart from
//! findings in types, records and words.

use crate::Control;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The highest value of a score: the detector is sure.
pub const SCORE_MAX: u16 = 1000;

/// What a score that reaches its threshold comes to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is written down, and changes nothing.
    Shadow,
    /// It is written down, and policies see it as a suspicion.
    #[default]
    Warn,
    /// The message is refused.
    Enforce,
}

impl Mode {
    /// Every mode, mildest first.
    pub const ALL: [Mode; 3] = [Mode::Shadow, Mode::Warn, Mode::Enforce];

    /// The name, as configuration and records have it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Shadow => "shadow",
            Mode::Warn => "warn",
            Mode::Enforce => "enforce",
        }
    }
}

/// What one detector said of one text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// The control whose detector it is.
    pub control: Control,
    /// Who said it: the name of the provider or of the embedded detector.
    pub detector: Cow<'static, str>,
    /// What it is about, such as `injection` or `harm.violence`: the name of the suspicion.
    pub rule: Cow<'static, str>,
    /// How sure it is, from 0 to [`SCORE_MAX`].
    pub value: u16,
    /// From which value on it is a suspicion.
    pub threshold: u16,
    /// What a suspicion comes to.
    pub mode: Mode,
    /// Where the text is: a JSON Pointer (RFC 6901) into the message.
    pub place: Cow<'static, str>,
}

impl Score {
    /// Whether the value reaches the threshold.
    pub fn is_suspicion(&self) -> bool {
        self.value >= self.threshold
    }

    /// Whether a policy hears of it.
    pub fn warns(&self) -> bool {
        self.is_suspicion() && self.mode >= Mode::Warn
    }

    /// Whether the message is refused for it.
    pub fn refuses(&self) -> bool {
        self.is_suspicion() && self.mode == Mode::Enforce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_comes_to_what_its_mode_says_and_only_from_its_threshold_on() {
        for (value, mode, expected) in [
            (499, Mode::Enforce, (false, false, false)),
            (500, Mode::Shadow, (true, false, false)),
            (500, Mode::Warn, (true, true, false)),
            (500, Mode::Enforce, (true, true, true)),
            (SCORE_MAX, Mode::Enforce, (true, true, true)),
        ] {
            let score = Score {
                control: crate::N1_3,
                detector: "shields".into(),
                rule: "injection".into(),
                value,
                threshold: 500,
                mode,
                place: "/params".into(),
            };
            let told = (score.is_suspicion(), score.warns(), score.refuses());
            assert_eq!(told, expected, "{value} {mode:?}");
        }
    }
}
