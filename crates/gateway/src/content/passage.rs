//! One string of a message, or one number of its data, on its way through every part of [`super::Content`].

use super::role::{Leaf, Member};
use super::{FINDINGS, Looked, Role, Toward};
use controls::{Action, Control, Finding, Severity};
use inspect::data::Thread;
use inspect::view::{Budget, Kept, Views};
use std::borrow::Cow;

/// Why a message is not let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// It holds a secret or personal data that may not pass here.
    Data {
        /// Where: a JSON Pointer (RFC 6901) into the message.
        place: Cow<'static, str>,
        /// What it is, never which.
        label: Box<str>,
    },
    /// It hides text, and the operator lets none pass.
    HiddenText {
        /// Where: a JSON Pointer (RFC 6901) into the message.
        place: Cow<'static, str>,
        /// The rule that found it.
        rule: Cow<'static, str>,
    },
    /// It was to be marked, and there is no randomness for a marker.
    Unmarked,
}

/// One string, or one number of data: as it is now, what it is, and who is going to read it.
#[derive(Debug)]
pub(crate) struct Passage<'d, 'l> {
    leaf: Leaf<'d>,
    role: Role,
    member: Option<Member<'d>>,
    toward: Toward,
    text: Cow<'d, str>,
    is_rewritten: bool,
    /// Made when a part first asks for them, and again once the text is another one.
    views: Option<Kept>,
    /// Whether it was told that not all of it was read.
    is_unread: bool,
    looked: &'l mut Looked,
}

impl<'d, 'l> Passage<'d, 'l> {
    pub(super) fn new(
        leaf: Leaf<'d>,
        role: Role,
        member: Option<Member<'d>>,
        toward: Toward,
        looked: &'l mut Looked,
    ) -> Self {
        Passage {
            leaf,
            role,
            member,
            toward,
            text: leaf.text(),
            is_rewritten: false,
            views: None,
            is_unread: false,
            looked,
        }
    }

    /// The text as it is now, after the parts before.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text as it is now in all its views: decoded, normalised, folded, without its markup. What is
    /// found in one of them stands in the text at `original` of its place, and that is what is
    /// redacted.
    ///
    /// Where there is more in it than is read, that is a finding (`text.unread`).
    pub(super) fn views(&mut self) -> Views<'_> {
        if self.views.is_none() {
            let views = Kept::new(&self.text, &Budget::default());
            if views.is_cut() {
                self.unread();
            }
            self.views = Some(views);
        }
        match &self.views {
            Some(views) => views.of(&self.text),
            // It was put there just now.
            None => inspect::view::views(&self.text, &Budget::default()),
        }
    }

    /// Says once that there is more in it than was read.
    pub(super) fn unread(&mut self) {
        if !std::mem::replace(&mut self.is_unread, true) {
            let rule = Cow::Borrowed("text.unread");
            self.found(self.control(), rule, Severity::Medium, 1, Action::Report);
        }
    }

    /// Whether it came without escapes and with printable ASCII only.
    pub(super) fn is_plain(&self) -> bool {
        self.leaf.is_plain()
    }

    /// Whether it is a number.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.leaf, Leaf::Number(_))
    }

    /// What it is.
    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// The name of the nearest member that holds it, where there is one.
    pub(super) fn member(&self) -> Option<Cow<'d, str>> {
        self.member.map(|it| it.name.decoded())
    }

    /// What another member says that stands beside the nearest one, where that is text.
    pub(super) fn beside(&self, name: &str) -> Option<Cow<'d, str>> {
        self.member?.of.get(name)?.text()
    }

    /// Who is going to read it.
    pub(super) fn toward(&self) -> Toward {
        self.toward
    }

    /// The control that text is looked at for, by who is going to read it.
    pub(super) fn control(&self) -> Control {
        match self.toward {
            Toward::Model => controls::N1_4,
            Toward::Server => controls::N1_1,
        }
    }

    /// What came before on the same stream, if this continues something, and the text.
    pub(super) fn thread(&mut self) -> Option<(&mut Thread, &str)> {
        Some((self.looked.thread.as_mut()?, &self.text))
    }

    /// Puts another text in its place.
    pub(super) fn rewrite(&mut self, text: String) {
        self.text = Cow::Owned(text);
        self.is_rewritten = true;
        self.views = None;
    }

    /// Lets something look at another text in its place, such as what it is the encoding of. What that is
    /// rewritten to is put here as it is written.
    pub(super) fn within(
        &mut self,
        text: String,
        look: impl FnOnce(&mut Self),
        write: impl FnOnce(&str) -> String,
    ) {
        let outside = std::mem::replace(&mut self.text, Cow::Owned(text));
        let was_rewritten = std::mem::take(&mut self.is_rewritten);
        self.views = None;
        look(self);
        self.views = None;
        let inside = std::mem::replace(&mut self.text, outside);
        if self.is_rewritten {
            self.text = Cow::Owned(write(&inside));
        }
        self.is_rewritten |= was_rewritten;
    }

    /// Writes down one finding. Its place costs a walk: nothing is computed beyond [`FINDINGS`].
    pub(super) fn found(
        &mut self,
        control: Control,
        rule: Cow<'static, str>,
        severity: Severity,
        count: u32,
        action: Action,
    ) {
        self.found_all(|place, _| {
            vec![Finding {
                control,
                rule,
                severity,
                place,
                count,
                action,
            }]
        });
    }

    /// Writes down several findings of this place.
    pub(super) fn found_all(
        &mut self,
        findings: impl FnOnce(Cow<'static, str>, Control) -> Vec<Finding>,
    ) {
        if self.looked.findings.len() < FINDINGS {
            let found = findings(Cow::Owned(self.leaf.pointer()), self.control());
            self.looked.findings.extend(found);
        }
    }

    /// Says that the message is not let pass because of the gateway itself.
    pub(super) fn give_up(&mut self, because: Because) {
        self.looked.refused.get_or_insert(because);
    }

    /// Says that the message is not let pass, for the last rule that found something. The first one
    /// who says so counts.
    pub(super) fn refuse(
        &mut self,
        because: impl FnOnce(Cow<'static, str>, Cow<'static, str>) -> Because,
    ) {
        if self.looked.refused.is_some() {
            return;
        }
        // INVARIANT: whoever refuses has found something here, or the list was full of findings.
        let place = Cow::Owned(self.leaf.pointer());
        let here = self
            .looked
            .findings
            .iter()
            .find(|finding| finding.place == place)
            .or(self.looked.findings.last());
        let rule = here.map_or(Cow::Borrowed(""), |finding| finding.rule.clone());
        self.looked.refused = Some(because(place, rule));
    }

    /// Says what the message is refused for if what was put here has no place in its schema.
    pub(super) fn refuse_instead(
        &mut self,
        because: impl FnOnce(Cow<'static, str>, Cow<'static, str>) -> Because,
    ) {
        if self.looked.instead.is_none() {
            let place = Cow::Owned(self.leaf.pointer());
            self.looked.instead = Some(because(place, Cow::Borrowed("")));
        }
    }

    /// Keeps the text as it is now for those who are asked what they think of it.
    pub(super) fn keep(&mut self) {
        let text = self.text.clone().into_owned();
        self.looked.kept.push(self.leaf.range().start, text);
    }

    /// Leaves the text as it is now to the message. In the place of a number that is a string from now on,
    /// which its schema may not let be.
    pub(super) fn leave(self) {
        if self.is_rewritten {
            self.looked
                .edits
                .replace_string(self.leaf.range(), &self.text);
        }
    }
}
