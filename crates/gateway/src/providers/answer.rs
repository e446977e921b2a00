//! Answers of providers, read as strictly as a message: no member twice, nothing deep, every value of
//! its kind. An answer that cannot be read says nothing, and is never taken for a harmless one.

use bytes::Bytes;
use protocol::{Document, Limits, Value};

/// What an answer may cost to read.
const READING: Limits = Limits {
    bytes: BYTES_MAX,
    depth: 8,
    members: 256,
    nodes: 16_384,
};

/// The largest answer that is read.
pub(super) const BYTES_MAX: usize = 256 * 1024;

/// An answer that does not say what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its answer is malformed: {0}")]
pub(super) struct Malformed(pub(super) &'static str);

/// The answer as a document.
pub(super) fn read(body: Bytes) -> Result<Document, Malformed> {
    Document::read(body, &READING).map_err(|_| Malformed("it is not strict JSON"))
}

/// A member that has to be there.
pub(super) fn member<'a>(of: Value<'a>, name: &'static str) -> Result<Value<'a>, Malformed> {
    of.get(name).ok_or(Malformed(name))
}

/// A member that is a number from 0 to `max`.
pub(super) fn number(of: Value<'_>, name: &'static str, max: u16) -> Result<u16, Malformed> {
    let number = member(of, name)?.integer();
    let number = number.and_then(|number| u16::try_from(number).ok());
    number
        .filter(|number| *number <= max)
        .ok_or(Malformed(name))
}
