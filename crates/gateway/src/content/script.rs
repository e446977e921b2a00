//! Words whose letters only look like others, of another script. In a name that is told as what it is,
//! since names are what people and models go by; in prose it is evidence and no more.

use super::{Passage, Role};
use controls::{Action, Severity};
use inspect::text::{self, Strictness};
use std::borrow::Cow;

/// Finds words that mix scripts. Nothing is ever changed: whole languages are written with letters
/// that look like ASCII ones.
pub(super) fn treat(passage: &mut Passage<'_, '_>) {
    if passage.is_plain() {
        return;
    }
    let (strictness, severity) = match passage.role() {
        Role::Name => (Strictness::Name, Severity::High),
        Role::Blob => return,
        _ => (Strictness::Prose, Severity::Low),
    };
    let words = text::look_alikes(passage.text(), strictness);
    if words > 0 {
        let rule = Cow::Borrowed("text.mixed_script");
        passage.found(passage.control(), rule, severity, words, Action::Report);
    }
}
