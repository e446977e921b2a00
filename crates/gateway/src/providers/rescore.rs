//! What detectors said then, in the modes and with the thresholds of a configuration as it is now. Nobody
//! is asked.

use super::kind::Kind;
use super::opinion::{Opinion, Surface};
use crate::stages::replay::SaidThen;
use config::settled::{self, Settled};
use controls::{SCORE_MAX, Score};

/// The scores of those who would be asked about this.
pub(crate) fn rescored(
    settled: &Settled,
    content: &settled::Content,
    surface: Surface,
    said: &[SaidThen],
) -> Vec<Score> {
    let is_of = |said: &&SaidThen| of(&said.place) == Some(surface);
    let each = said.iter().filter(is_of).filter_map(|said| {
        let mut uses = content.providers.iter();
        let used = uses.find(|it| it.provider == said.detector)?;
        used.on.iter().find(|on| surface == (**on).into())?;
        let mut providers = settled.providers.iter();
        let provider = providers.find(|it| it.name == said.detector)?;
        let kind = Kind::of(provider);
        let own = content.modes.get(&said.rule).copied();
        Some(Score {
            control: Opinion::control(&said.rule, surface),
            detector: said.detector.clone().into(),
            threshold: kind.threshold(&said.rule),
            mode: own.unwrap_or(used.mode).into(),
            rule: said.rule.clone().into(),
            value: said.value.min(SCORE_MAX),
            place: said.place.clone().into(),
        })
    });
    each.collect()
}

/// What it was said of, if that is something that is run again: what was asked or told in passing is not.
fn of(place: &str) -> Option<Surface> {
    let mut names = place.split('/').skip(1);
    match (names.next(), names.next()) {
        (Some("result"), Some("inputRequests")) => None,
        (Some("result" | "error"), _) => Some(Surface::Results),
        (Some("params"), Some("argument" | "arguments" | "inputResponses")) => {
            Some(Surface::Arguments)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_or_told_in_passing_is_not_run_again() {
        for (place, expected) in [
            ("/params/arguments/text", Some(Surface::Arguments)),
            ("/params/argument/value", Some(Surface::Arguments)),
            ("/params/inputResponses/q/content", Some(Surface::Arguments)),
            ("/result/content/0/text", Some(Surface::Results)),
            ("/result", Some(Surface::Results)),
            ("/error/message", Some(Surface::Results)),
            ("/result/inputRequests/q/params/message", None),
            ("/params/message", None),
            ("/params/data", None),
            ("/params", None),
            ("/description", None),
            ("", None),
        ] {
            assert_eq!(of(place), expected, "{place}");
        }
    }
}
