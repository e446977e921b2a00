//! Secrets and personal data.

use super::super::words;
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Data, DataHandling, RulePack};
use crate::words::DataAction;
use crate::written;

/// What was written, or its defaults.
pub(super) fn settle(problems: &mut Problems, path: &str, written: &written::Data) -> Data {
    let at = |name: &str| format!("{path}.{name}");
    words::count(problems, &at("rules"), written.rules.len(), bounds::WORDS);
    words::count(
        problems,
        &at("packs"),
        written.packs.len(),
        bounds::RULE_PACKS,
    );
    words::count(problems, &at("reveal"), written.reveal.len(), bounds::WORDS);
    for label in written.rules.keys() {
        is_label(problems, &format!("{}.{label}", at("rules")), label);
    }
    for (index, label) in written.reveal.iter().enumerate() {
        is_label(problems, &format!("{}[{index}]", at("reveal")), label);
    }
    let packs = written.packs.iter().enumerate().map(|(index, pack)| {
        let path = format!("{}[{index}]", at("packs"));
        RulePack {
            file: words::path(problems, &format!("{path}.file"), &pack.file),
            key: words::path(problems, &format!("{path}.key"), &pack.key),
            text: None,
        }
    });
    let packs = packs.collect();
    let handled = handling(&written.secrets);
    if handled.answers == Some(DataAction::Ignore) {
        problems.warn(
            controls::N1_4,
            &at("secrets.answers"),
            "secrets in answers reach the model, and nothing is written down about it",
            "write `report` to let them pass and see them, or remove the line to have them redacted",
        );
    }
    Data {
        secrets: handled,
        personal: handling(&written.personal),
        rules: written
            .rules
            .iter()
            .map(|(label, handled)| (label.clone(), handling(handled)))
            .collect(),
        packs,
        reveal: written.reveal.clone(),
    }
}

fn handling(written: &written::DataHandling) -> DataHandling {
    DataHandling {
        arguments: written.arguments,
        answers: written.answers,
    }
}

/// Whether something is the name of a kind of data.
pub(super) fn is_label(problems: &mut Problems, path: &str, label: &str) {
    let kinds = ["secret.", "personal."];
    let named = kinds
        .iter()
        .any(|kind| label.strip_prefix(kind).is_some_and(|it| !it.is_empty()));
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.');
    if !named || !label.bytes().all(plain) || label.len() > 64 {
        problems.refuse(
            None,
            path,
            "is not the name of a kind of data",
            "write `secret.…` or `personal.…` as `ringwall rules list` has it",
        );
    }
}
