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
    use controls::Mode;
    use serde_json::json;

    #[test]
    fn n1_3_what_was_said_then_comes_to_what_the_configuration_makes_of_it() {
        let http = json!({ "url": "http://127.0.0.1:9/", "threshold": 500, "thresholds": { "injection": 700 } });
        let uses = json!([{ "use": "them", "mode": "warn", "on": ["results"] }]);
        let content = json!({ "providers": uses, "modes": { "injection": "enforce" } });
        let text = json!({
            "version": 1,
            "listeners": [{ "address": "127.0.0.1:0" }],
            "issuers": [{ "issuer": "https://id.example.com" }],
            "providers": [{ "name": "them", "network": "private", "http": http }],
            "servers": [{ "name": "s", "http": { "url": "https://mcp.example.com/mcp" },
                          "content": content }],
            "routes": [{ "path": "/s", "server": "s" }],
        });
        let (settled, _) = config::load(&text.to_string()).unwrap();
        let content = &settled.servers.first().unwrap().content;
        let told = |detector: &str, rule: &str, value: u16, place: &str| {
            let said = SaidThen {
                detector: detector.to_owned(),
                rule: rule.to_owned(),
                value,
                place: place.to_owned(),
            };
            let surface = of(place).unwrap();
            let scores = rescored(&settled, content, surface, &[said]);
            let each = scores.iter().map(|it| (it.value, it.threshold, it.mode));
            each.collect::<Vec<_>>()
        };
        for (detector, rule, value, place, expected) in [
            (
                "them",
                "injection",
                600,
                "/result",
                vec![(600, 700, Mode::Enforce)],
            ),
            (
                "them",
                "other",
                600,
                "/result",
                vec![(600, 500, Mode::Warn)],
            ),
            (
                "them",
                "other",
                60_000,
                "/result",
                vec![(SCORE_MAX, 500, Mode::Warn)],
            ),
            ("them", "injection", 600, "/params/arguments/a", vec![]),
            ("nobody", "injection", 600, "/result", vec![]),
        ] {
            let found = told(detector, rule, value, place);
            assert_eq!(found, expected, "{detector} {rule} {place}");
        }
    }

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
