//! Which fields go on, settled.

use super::super::ToolPattern;
use crate::words::OtherText;
use serde::Serialize;
use std::collections::BTreeMap;

/// Which fields of arguments and results go on, by tool: the first entry for the purpose of the call.
pub type Minimise = BTreeMap<ToolPattern, Vec<Minimised>>;

/// Which fields go on, for some purposes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Minimised {
    /// For calls of these purposes; none said, of any.
    pub purposes: Vec<String>,
    /// Fields of arguments.
    pub arguments: Fields,
    /// Fields of results.
    pub results: Fields,
    /// What happens to text that is not JSON, where fields of results are left out.
    pub other_text: OtherText,
}

/// Fields, by JSON Pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fields {
    /// Those that go on; nothing, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Vec<String>>,
    /// Those that do not.
    pub drop: Vec<String>,
    /// Those in whose place a token goes on, by what it stands for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tokenise: BTreeMap<String, String>,
}

/// What calls are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// What this claim of the caller's token says.
    Claim(String),
    /// Always this.
    Is(String),
}
