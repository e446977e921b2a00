//! Secrets and personal data in a text: where they are, and what they are.
//!
//! What is looked for is said by rule packs, which are data ([`pack`]); how it is looked for is said
//! here. A match is a fact about the form of a text: a token whose checksum is right, a number that
//! its country would have given. Whether that is harmful is for the settings of a route to say.
//!
//! Nothing here keeps, prints or hashes a value: what is found is a place and a label. Time is linear
//! in the text: one pass for the fixed words of all rules, a bounded look around each of them, and no
//! more looks than a text of its size is worth.

pub mod check;
mod eight;
mod fields;
pub mod pack;
mod pattern;
mod placeholder;
mod redact;
mod rule;
mod rules;
mod scan;
mod stream;
pub mod token;
mod unless;
mod words;

pub use placeholder::is_placeholder;
pub use redact::{mark, redacted};
pub use rule::{Confidence, Kind, Rule};
pub use rules::{RULES, Rules, Unfit};
pub use scan::{Looked, Sight};
pub use stream::Thread;

#[cfg(test)]
mod tests;
