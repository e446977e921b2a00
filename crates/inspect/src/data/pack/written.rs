//! A pack as it is written.

use super::Flaw;
use crate::data::rule::{Confidence, Edged};
use serde::Deserialize;
use serde_saphyr::Spanned;
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy, MergeKeyPolicy};

/// The most values of one pack.
const VALUES: usize = 100_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) pack: String,
    pub(super) version: u32,
    #[serde(default)]
    pub(super) techniques: Vec<String>,
    pub(super) rules: Vec<WrittenRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    pub(super) id: Spanned<String>,
    pub(super) label: Option<String>,
    pub(super) title: String,
    pub(super) severity: Option<Grade>,
    pub(super) confidence: Option<Confidence>,
    pub(super) techniques: Option<Vec<String>>,
    #[serde(default)]
    pub(super) start: Vec<String>,
    pub(super) near: Option<Near>,
    pub(super) digits: Option<usize>,
    pub(super) pattern: Option<Spanned<String>>,
    pub(super) longest: Option<usize>,
    pub(super) edge: Option<Edged>,
    pub(super) check: Option<String>,
    pub(super) entropy: Option<f32>,
    #[serde(default)]
    pub(super) fields: Vec<String>,
    #[serde(default)]
    pub(super) unless: Unless,
    #[serde(default)]
    pub(super) matches: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) near_misses: Vec<Spanned<String>>,
}

/// Names that begin with a word of the rule and are those of something else.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unless {
    #[serde(default)]
    pub(super) ends: Vec<String>,
    #[serde(default)]
    pub(super) begins: Vec<String>,
}

/// Words that stand near what is looked for: so many bytes before it, or after it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Near {
    pub(super) words: Vec<String>,
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
    pub(super) digits: Option<usize>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Grade {
    Critical,
    High,
    Info,
    Low,
    Medium,
}

/// Reads plain YAML under a budget: one document, no anchors, no merge keys, no tags.
pub(super) fn read(text: &str) -> Result<Written, Vec<Flaw>> {
    let budget = serde_saphyr::budget! {
        max_reader_input_bytes: Some(super::BYTES),
        max_documents: 1,
        max_depth: 8,
        flow_nesting_limit: 8,
        max_inclusion_depth: 0,
        max_nodes: VALUES,
        max_events: 4 * VALUES,
        max_anchors: 0,
        max_aliases: 0,
        max_total_scalar_bytes: super::BYTES,
        max_merge_keys: 0,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        alias_limits: AliasLimits::default(),
        reject_unsupported_tags: true,
        strict_booleans: true,
        with_snippet: false,
        emit_comments: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let error = error.without_snippet();
        let line = error.location().map_or(0, |place| place.line());
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default();
        let message = message.split(" at line ").next().unwrap_or_default();
        vec![Flaw {
            line,
            message: message.trim_end_matches('.').to_owned(),
        }]
    })
}
