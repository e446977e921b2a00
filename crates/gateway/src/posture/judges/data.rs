//! What of secrets and personal data passes here (controls 1.1, 1.4, 9.3): by the settings of their kinds,
//! and by those of single labels, which count whatever is said of their kind.

use super::Way;
use crate::content::Toward;
use config::settled::{Data, DataAction};

/// How the labels of secrets begin, and those of personal data.
const SECRET: &str = "secret.";
const PERSONAL: &str = "personal.";

/// Secrets that reach a server.
pub(super) fn arguments(way: &Way<'_>) -> Vec<String> {
    let data = way.content().data;
    let usual = secrets(&data, Toward::Server);
    usual
        .into_iter()
        .chain(labels(&data, SECRET, Toward::Server))
        .collect()
}

/// Secrets and personal data that reach a model. Where nobody says what is done about personal data, it
/// is reported.
pub(super) fn answers(way: &Way<'_>) -> Vec<String> {
    let data = way.content().data;
    let personal = data.personal.answers.unwrap_or(DataAction::Report);
    let personal = passes(personal).then(|| {
        format!("personal data in answers passes (`content.data.personal.answers: {personal}`)")
    });
    secrets(&data, Toward::Model)
        .into_iter()
        .chain(labels(&data, SECRET, Toward::Model))
        .chain(personal)
        .chain(labels(&data, PERSONAL, Toward::Model))
        .collect()
}

/// Whether somebody lets secrets through. What is usual is done about them where nobody says anything.
fn secrets(data: &Data, toward: Toward) -> Option<String> {
    let action = toward.side(&data.secrets).filter(|it| passes(*it))?;
    let side = side(toward);
    Some(format!(
        "secrets in {side} pass (`content.data.secrets.{side}: {action}`)"
    ))
}

/// The labels of this kind that somebody lets through.
fn labels(data: &Data, kind: &str, toward: Toward) -> Vec<String> {
    let side = side(toward);
    let of_kind = data
        .rules
        .iter()
        .filter(|(label, _)| label.starts_with(kind));
    let let_through = of_kind.filter_map(|(label, handling)| {
        let action = toward.side(handling).filter(|it| passes(*it))?;
        Some(format!(
            "`{label}` in {side} passes (`content.data.rules.{label}.{side}: {action}`)"
        ))
    });
    let_through.collect()
}

fn passes(action: DataAction) -> bool {
    matches!(action, DataAction::Report | DataAction::Ignore)
}

/// How a direction is called in the configuration.
fn side(toward: Toward) -> &'static str {
    match toward {
        Toward::Model => "answers",
        Toward::Server => "arguments",
    }
}
