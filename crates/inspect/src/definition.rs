//! The shape of a tool definition, and what is hidden in its words.

use controls::Finding;
use serde_json::Value;
use thiserror::Error;

/// Why a tool definition is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// It is not an object.
    #[error("a tool definition must be an object")]
    NotAnObject,
    /// Its name is missing, empty, too long or holds other characters.
    #[error("a tool name must be 1 to 128 of `A-Za-z0-9_.-`")]
    Name,
    /// A member has another type than it must have.
    #[error("`{member}` of a tool definition must be {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// There is too much of something.
    #[error("a tool definition may hold no more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
}

/// Checks the shape of a tool definition and finds hidden text in any string of it.
pub fn check(tool: &Value) -> Result<Vec<Finding>, DefinitionError> {
    if !tool.is_object() {
        return Err(DefinitionError::NotAnObject);
    }
    Ok(Vec::new())
}
