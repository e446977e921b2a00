//! Secrets and personal data, as somebody wrote it.

use crate::bounds;
use crate::words::DataAction;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Secrets and personal data: what is done about them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Secrets: keys, tokens, passwords. Not said: in arguments those whose form leaves no doubt are
    /// refused, in answers all but doubtful ones are redacted, and the rest is reported.
    #[serde(default)]
    pub secrets: DataHandling,
    /// Personal data. Not said: it is reported, so that policies see it.
    #[serde(default)]
    pub personal: DataHandling,
    /// What is done about single labels, such as `personal.iban`, however sure a rule is. Labels are listed
    /// by `ringwall rules list`.
    #[serde(default)]
    #[schemars(length(max = bounds::WORDS))]
    pub rules: BTreeMap<String, DataHandling>,
    /// Further packs of rules.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::RULE_PACKS))]
    pub packs: Vec<RulePack>,
    /// Labels whose tokens are turned back into what they stand for, in arguments on their way to the
    /// server.
    #[serde(default)]
    #[schemars(extend("default" = []), length(max = bounds::WORDS))]
    pub reveal: Vec<String>,
}

/// What is done about data, by where it is going. What is doubtful is only reported, unless `rules` names
/// its label.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataHandling {
    /// On its way to a server.
    pub arguments: Option<DataAction>,
    /// On its way to a client and its model: results, errors, resources, prompts, messages.
    pub answers: Option<DataAction>,
}

/// A pack of rules in a file, with its signature in `<file>.sig` (`ringwall rules sign`).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulePack {
    /// The file, relative to this one.
    pub file: String,
    /// The PEM file with the Ed25519 public key of whoever signs it.
    pub key: String,
}
