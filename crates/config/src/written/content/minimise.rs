//! Which fields go on, as somebody wrote it.

use crate::bounds;
use crate::words::OtherText;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Which fields of arguments and results go on, for each tool by its name at the server; `find*` names all
/// tools that begin so. The first entry for the purpose of the call counts.
pub type Minimise = BTreeMap<String, Vec<Minimised>>;

/// Which fields go on, for some purposes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Minimised {
    /// For calls of these purposes. Not said: for any. A call for whose purpose there is no entry is refused.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub purposes: Vec<String>,
    /// Fields of arguments.
    #[serde(default)]
    pub arguments: Fields,
    /// Fields of results: of `structuredContent`, and of text that is JSON.
    #[serde(default)]
    pub results: Fields,
    /// What happens to text of results that is not JSON, where fields of results are left out.
    #[schemars(extend("default" = OtherText::Drop))]
    pub other_text: Option<OtherText>,
}

/// Fields, by JSON Pointer: `/name`, `/orders/*/total`. `*` stands for any member or item.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// Those that go on, with all that is in them. Not said: all.
    #[schemars(length(max = bounds::WORDS))]
    pub keep: Option<Vec<String>>,
    /// Those that do not, even inside of what is kept.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub drop: Vec<String>,
    /// Those in whose place a token goes on, by what it stands for: `/mail: personal.email`. A token comes
    /// back as the value to a server whose `content.data.reveal` names that; what is neither a text nor a
    /// number is left out.
    #[serde(default)]
    #[schemars(extend("default" = {}), extend("maxProperties" = bounds::WORDS))]
    pub tokenise: BTreeMap<String, String>,
}

/// What calls are for: always the same, or what a claim of the caller's token says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// The purpose of every call.
    pub is: Option<String>,
    /// The claim of the caller's token that says it.
    pub claim: Option<String>,
}
