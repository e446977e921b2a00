//! One string of a message, or one number of its data, on its way through every part of [`super::Content`].

use super::keep::{has_room, keep};
use super::place;
use super::role::{Leaf, Standing, Within};
use super::{Looked, Role, Toward};
use controls::{Action, Control, Finding, Severity};
use inspect::data::Thread;
use inspect::view::{Budget, Kept, Views};
use protocol::Str;
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
    at: Standing<'d, 'l>,
    toward: Toward,
    text: Cow<'d, str>,
    is_rewritten: bool,
    /// Whether it came without escapes and with printable ASCII only.
    is_plain: bool,
    /// Whether nothing can be read of it but what it says as it stands.
    is_bare: bool,
    /// Made when a part first asks for them, and again once the text is another one.
    views: Option<Kept>,
    /// Whether it was told that not all of it was read.
    is_unread: bool,
    /// The first rule that found something in it.
    rule: Cow<'static, str>,
    looked: &'l mut Looked,
}

impl<'d, 'l> Passage<'d, 'l> {
    pub(super) fn new(at: Standing<'d, 'l>, toward: Toward, looked: &'l mut Looked) -> Self {
        Passage {
            at,
            toward,
            text: at.leaf.text(),
            is_rewritten: false,
            is_plain: at.leaf.is_plain(),
            is_bare: matches!(at.leaf, Leaf::Number(_)),
            views: None,
            is_unread: false,
            rule: Cow::Borrowed(""),
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
        self.is_plain
    }

    /// Whether nothing can be read of it but what it says as it stands, as of a number: it has no views.
    pub(super) fn is_bare(&self) -> bool {
        self.is_bare
    }

    /// Lets something look at it as it stands alone.
    pub(super) fn bare(&mut self, look: impl FnOnce(&mut Self)) {
        let was_bare = std::mem::replace(&mut self.is_bare, true);
        look(self);
        self.is_bare = was_bare;
    }

    /// Lets something look at it as at the text of a file: what its bytes say.
    pub(super) fn as_text(&mut self, look: impl FnOnce(&mut Self)) {
        let role = std::mem::replace(&mut self.at.role, Role::Text);
        let was_plain = std::mem::replace(&mut self.is_plain, false);
        look(self);
        self.at.role = role;
        self.is_plain = was_plain;
    }

    /// Whether it is a number.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.at.leaf, Leaf::Number(_))
    }

    /// What it is.
    pub(super) fn role(&self) -> Role {
        self.at.role
    }

    /// The name of the nearest member that holds it, where there is one.
    pub(super) fn member(&self) -> Option<Cow<'d, str>> {
        self.at.member.map(|it| it.name.decoded())
    }

    /// What another member says that stands beside this one, where that is text. What is only somewhere in
    /// a member has nothing beside it: members are looked through once, and not for each of its strings.
    pub(super) fn beside(&self, name: &str) -> Option<Cow<'d, str>> {
        let member = self.at.member?;
        if member.name.value().range() != self.at.leaf.range() {
            return None;
        }
        member.of.get(name)?.text()
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

    /// What came before at the same place of a stream, if this continues something, and the text.
    pub(super) fn thread(&mut self) -> Option<(&mut Thread, &str)> {
        let threads = self.looked.threads.as_mut()?;
        Some((threads.of(self.at.way)?, &self.text))
    }

    /// Puts another text in its place.
    pub(super) fn rewrite(&mut self, text: String) {
        self.text = Cow::Owned(text);
        self.is_rewritten = true;
        self.views = None;
    }

    /// Lets something look at another text in its place, such as what it is the encoding of. What that is
    /// rewritten to is put here as it is written; says whether it was.
    pub(super) fn within(
        &mut self,
        text: String,
        look: impl FnOnce(&mut Self),
        write: impl FnOnce(&str) -> String,
    ) -> bool {
        let outside = std::mem::replace(&mut self.text, Cow::Owned(text));
        let was_rewritten = std::mem::take(&mut self.is_rewritten);
        self.views = None;
        look(self);
        self.views = None;
        let inside = std::mem::replace(&mut self.text, outside);
        let is_rewritten = self.is_rewritten;
        if is_rewritten {
            self.text = Cow::Owned(write(&inside));
        }
        self.is_rewritten |= was_rewritten;
        is_rewritten
    }

    /// Where it stands, as it is told.
    fn place(&self) -> Cow<'static, str> {
        Cow::Owned(place::of(self.at.way, &self.looked.hushed))
    }

    /// Keeps the name that it is out of every place: something was found in it.
    pub(super) fn hush(&mut self, label: &str) {
        if let Leaf::Text(name) = self.at.leaf
            && name.is_key()
        {
            self.looked.hushed.hush(name, label);
        }
    }

    /// Writes down one finding.
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

    /// Writes down several findings of this place, which is theirs if they are kept.
    pub(super) fn found_all(
        &mut self,
        findings: impl FnOnce(Cow<'static, str>, Control) -> Vec<Finding>,
    ) {
        for finding in findings(Cow::Borrowed(""), self.control()) {
            if self.rule.is_empty() {
                self.rule = finding.rule.clone();
            }
            if !self.looked.rules.contains(&finding.rule) {
                self.looked.rules.insert(finding.rule.clone());
            }
            if has_room(&self.looked.findings, finding.severity) {
                let place = self.place();
                keep(&mut self.looked.findings, Finding { place, ..finding });
            }
        }
    }

    /// Says that the message is not let pass because of the gateway itself.
    pub(super) fn give_up(&mut self, because: Because) {
        self.looked.refused.get_or_insert(because);
    }

    /// Says that the message is not let pass, for the first rule that found something here. The first
    /// one who says so counts.
    pub(super) fn refuse(
        &mut self,
        because: impl FnOnce(Cow<'static, str>, Cow<'static, str>) -> Because,
    ) {
        if self.looked.refused.is_none() {
            self.looked.refused = Some(because(self.place(), self.rule.clone()));
        }
    }

    /// Says what the message is refused for if what was put here has no place in its schema.
    pub(super) fn refuse_instead(
        &mut self,
        because: impl FnOnce(Cow<'static, str>, Cow<'static, str>) -> Because,
    ) {
        if self.looked.instead.is_none() {
            self.looked.instead = Some(because(self.place(), Cow::Borrowed("")));
        }
    }

    /// Whether names mean something else here than what they mean to somebody.
    pub(super) fn region(&self) -> Within {
        self.at.within
    }

    /// The names of the members on the way to it, outermost first.
    pub(super) fn names(&self) -> impl Iterator<Item = Str<'d>> {
        self.at.way.iter().filter_map(place::Step::name)
    }

    /// Whether it stands where the members of these names lead to, outermost first, whatever holds them.
    pub(super) fn is_at(&self, names: &[&str]) -> bool {
        place::leads_to(self.at.way, names)
    }

    /// Puts the text as it is now before those who are asked what they think of it.
    pub(super) fn read_out(&mut self) {
        let place = self.place().into_owned();
        if let Some((_, reading)) = &mut self.looked.reading {
            reading.push(place, &self.text);
        }
    }

    /// Leaves the text as it is now to the message. In the place of a number that is a string from now on,
    /// which its schema may not let be.
    pub(super) fn leave(self) {
        if self.is_rewritten {
            self.looked
                .edits
                .replace_string(self.at.leaf.range(), &self.text);
        }
    }
}
