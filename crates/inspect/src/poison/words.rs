//! The words that the rules look for, by what they are about. Everything is in the folded form: lower
//! case, single spaces, plain quotes. It says nothing of what a word proves: rules do.

mod lists;

use lists::*;

/// What words are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum About {
    /// An address of electronic mail; found by its form.
    Mail,
    /// A URL; found by its form.
    Address,
    /// Somebody is to be sent something else than they asked for.
    Redirection,
    /// Words that bring a download into a shell.
    Command,
    /// Words that run what they are given, wherever it comes from.
    Shell,
    /// What happens to whoever does not obey.
    Consequence,
    /// Where credentials lie.
    Credential,
    /// Hosts that exist to receive what somebody else sends.
    Collector,
    /// What the model knows and no tool needs.
    Context,
    /// What the model is to do.
    Imperative,
    /// Everything that was said before is to count no more.
    Override,
    /// When the tool is to be used, whatever it is for.
    Order,
    /// No other tool is to be used.
    Exclusive,
    /// Reading.
    Read,
    /// Marks of a chat template.
    Role,
    /// The user is not to know.
    Secrecy,
    /// Something is not to be told or asked; that of the user is nearby or not.
    Discretion,
    /// Marks that pretend to be more than a description.
    Mark,
    /// Giving something away.
    Transfer,
    /// It is in a hurry.
    Urgency,
    /// A comment of HTML.
    Comment,
    /// An address that is its own content.
    Inline,
    /// An address that runs.
    Script,
}

impl About {
    /// Every subject, in the order of the table.
    pub(super) const COUNT: usize = About::Script as usize + 1;
}

/// The words of each subject.
pub(super) const TABLE: &[(About, &[&str])] = &[
    (About::Redirection, REDIRECTION),
    (About::Command, COMMAND),
    (About::Shell, SHELL),
    (About::Consequence, CONSEQUENCE),
    (About::Credential, CREDENTIAL),
    (About::Collector, COLLECTOR),
    (About::Context, CONTEXT),
    (About::Imperative, IMPERATIVE),
    (About::Override, OVERRIDE),
    (About::Order, ORDER),
    (About::Exclusive, EXCLUSIVE),
    (About::Read, READ),
    (About::Role, ROLE),
    (About::Secrecy, SECRECY),
    (About::Discretion, DISCRETION),
    (About::Mark, MARK),
    (About::Transfer, TRANSFER),
    (About::Urgency, URGENCY),
    (About::Comment, &["<!--"]),
    (
        About::Inline,
        &["data:text/", "data:application/", "data:image/svg"],
    ),
    (About::Script, SCRIPT),
];
