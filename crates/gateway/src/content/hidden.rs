//! What a person would not see: tags, bidi controls, zero-width characters, terminal escapes.

use super::{Because, Passage};
use config::settled::HiddenText;
use controls::Action;
use inspect::text;
use protocol::Str;
use std::borrow::Cow;

/// What a member is called once nothing is hidden in its name, which is how those call it who read what is left.
pub(super) fn left_of(name: Str<'_>) -> Cow<'_, str> {
    match (name.is_plain(), name.decoded()) {
        (true, name) => name,
        (false, name) => Cow::Owned(text::clean(&name).into_owned()),
    }
}

/// Finds hidden text and, where it is said so, takes it out.
pub(super) fn treat(passage: &mut Passage<'_, '_>, treatment: HiddenText) {
    if passage.is_plain() {
        return;
    }
    let seen = text::examine(passage.text());
    if seen.is_clean() {
        return;
    }
    let action = match treatment {
        HiddenText::Remove => Action::Remove,
        HiddenText::Refuse => Action::Refuse,
        HiddenText::Report => Action::Report,
    };
    passage.found_all(|place, control| seen.findings(place, control, action));
    match treatment {
        HiddenText::Remove => {
            let clean = text::clean(passage.text()).into_owned();
            passage.rewrite(clean);
        }
        HiddenText::Refuse => passage.refuse(|place, rule| Because::HiddenText { place, rule }),
        HiddenText::Report => {}
    }
}
