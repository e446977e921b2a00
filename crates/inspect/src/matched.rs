//! What a rule matched in a text.

use controls::Severity;
use std::borrow::Cow;
use std::ops::Range;

/// One place of one text, and the rule it matched. It never holds the text itself: what matched may
/// be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Where, in bytes of the text that was given; always on borders of characters.
    pub range: Range<usize>,
    /// The stable name of the rule, such as `secret.github_token`.
    pub rule: Cow<'static, str>,
    /// How much it matters.
    pub severity: Severity,
}
