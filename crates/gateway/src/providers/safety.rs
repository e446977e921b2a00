//! Azure AI Content Safety, text analysis: `POST text:analyze`, version 2024-09-01. It says how severe
//! what harms is, from 0 to 7 in each category, and which words of the operator's lists are there.

use super::answer::{self, Malformed};
use super::opinion::{BLOCKLIST, Opinion};
use super::windows::Cut;
use bytes::Bytes;
use config::settled::Harm;
use controls::SCORE_MAX;
use protocol::Value;
use serde_json::json;

/// Where it is, below the endpoint.
pub(super) const PATH: &str = "contentsafety/text:analyze?api-version=2024-09-01";

/// How texts are cut for it: so many code points a request, and what of one is read again.
pub(super) const CUT: Cut = Cut {
    units: 10_000,
    overlap: 400,
};

/// The highest severity.
const SEVERITY_MAX: u16 = 7;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Each kind of harm, and from which severity on it is a suspicion.
    pub(super) categories: Vec<(Harm, u16)>,
    /// The operator's lists, as the service knows them.
    pub(super) blocklists: Vec<String>,
}

impl Wanted {
    /// The request about this text.
    pub(super) fn body(&self, text: &str) -> serde_json::Value {
        let categories = self.categories.iter().map(|(harm, _)| category(*harm));
        json!({
            "text": text,
            "categories": categories.collect::<Vec<_>>(),
            "blocklistNames": self.blocklists,
            "haltOnBlocklistHit": false,
            "outputType": "EightSeverityLevels",
        })
    }

    /// What the answer says of the text.
    pub(super) fn heard(&self, body: Bytes) -> Result<Vec<Opinion>, Malformed> {
        let document = answer::read(body)?;
        let root = document.root();
        let analyses: Vec<_> = answer::member(root, "categoriesAnalysis")?
            .elements()
            .collect();
        let mut opinions = Vec::with_capacity(self.categories.len() + 1);
        for (harm, _) in &self.categories {
            let name = category(*harm);
            let is_of = |analysis: &&Value<'_>| {
                let said = analysis.get("category").and_then(Value::text);
                said.is_some_and(|said| said == name)
            };
            let analysis = analyses.iter().find(is_of).ok_or(Malformed(name))?;
            opinions.push(Opinion {
                rule: rule(*harm).into(),
                value: per_mille(answer::number(*analysis, "severity", SEVERITY_MAX)?),
            });
        }
        if !self.blocklists.is_empty() {
            let hits = answer::member(root, "blocklistsMatch")?.elements().count();
            opinions.push(Opinion {
                rule: BLOCKLIST.into(),
                value: match hits {
                    0 => 0,
                    _ => SCORE_MAX,
                },
            });
        }
        Ok(opinions)
    }

    /// From which value on this rule is a suspicion.
    pub(super) fn threshold(&self, of: &str) -> u16 {
        let mut categories = self.categories.iter();
        let found = categories.find(|(harm, _)| rule(*harm) == of);
        found.map_or(SCORE_MAX, |(_, severity)| per_mille(*severity))
    }

    /// Every rule it speaks of.
    pub(super) fn rules(&self) -> impl Iterator<Item = &'static str> + '_ {
        let lists = (!self.blocklists.is_empty()).then_some(BLOCKLIST);
        let categories = self.categories.iter().map(|(harm, _)| rule(*harm));
        categories.chain(lists)
    }
}

fn category(harm: Harm) -> &'static str {
    match harm {
        Harm::Hate => "Hate",
        Harm::SelfHarm => "SelfHarm",
        Harm::Sexual => "Sexual",
        Harm::Violence => "Violence",
    }
}

fn rule(harm: Harm) -> &'static str {
    match harm {
        Harm::Hate => "harm.hate",
        Harm::SelfHarm => "harm.self_harm",
        Harm::Sexual => "harm.sexual",
        Harm::Violence => "harm.violence",
    }
}

/// A severity on the scale of scores; a larger one is a larger value.
fn per_mille(severity: u16) -> u16 {
    severity.min(SEVERITY_MAX) * SCORE_MAX / SEVERITY_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(blocklists: &[&str]) -> Wanted {
        Wanted {
            categories: vec![(Harm::Hate, 2), (Harm::SelfHarm, 4)],
            blocklists: blocklists.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn n9_3_requests_are_of_the_published_shape() {
        let body = wanted(&["names"]).body("what is said");
        assert_eq!(
            body,
            json!({
                "text": "what is said", "categories": ["Hate", "SelfHarm"], "blocklistNames": ["names"],
                "haltOnBlocklistHit": false, "outputType": "EightSeverityLevels",
            })
        );
    }

    #[test]
    fn n9_3_severities_and_hits_become_values_and_what_is_missing_is_no_answer() {
        let full = r#""categoriesAnalysis":[{"category":"SelfHarm","severity":4},{"category":"Hate","severity":1}]"#;
        let some = |values: &[u16]| Some(values.to_vec());
        for (lists, body, expected) in [
            (&[][..], format!("{{{full}}}"), some(&[142, 571])),
            (
                &[],
                format!(r#"{{"blocklistsMatch":[],{full}}}"#),
                some(&[142, 571]),
            ),
            (
                &["n"],
                format!(r#"{{"blocklistsMatch":[],{full}}}"#),
                some(&[142, 571, 0]),
            ),
            (
                &["n"],
                format!(r#"{{"blocklistsMatch":[{{"blocklistName":"n"}}],{full}}}"#),
                some(&[142, 571, 1000]),
            ),
            (&["n"], format!("{{{full}}}"), None),
            (
                &[],
                r#"{"categoriesAnalysis":[{"category":"Hate","severity":1}]}"#.into(),
                None,
            ),
            (&[], full.replace("4}", "8}"), None),
            (&[], format!("{{{}}}", full.replace("4}", "8}")), None),
            (&[], format!("{{{}}}", full.replace("4}", "-1}")), None),
            (&[], format!("{{{}}}", full.replace("4}", "null}")), None),
            (
                &[],
                format!("{{{}}}", full.replace("\"severity\":4", "\"level\":4")),
                None,
            ),
            (&[], r#"{"error":{"code":"InvalidRequest"}}"#.into(), None),
        ] {
            let heard = wanted(lists).heard(body.clone().into());
            let values = heard
                .ok()
                .map(|all| all.iter().map(|it| it.value).collect());
            assert_eq!(values, expected, "{body}");
        }
    }

    #[test]
    fn n9_3_a_severity_is_a_suspicion_from_the_configured_one_on() {
        let wanted = wanted(&["n"]);
        for (rule, severity, expected) in [
            ("harm.hate", 1, false),
            ("harm.hate", 2, true),
            ("harm.self_harm", 3, false),
            ("harm.self_harm", 4, true),
            ("harm.self_harm", 7, true),
        ] {
            let is = per_mille(severity) >= wanted.threshold(rule);
            assert_eq!(is, expected, "{rule} {severity}");
        }
        assert_eq!(wanted.threshold(BLOCKLIST), SCORE_MAX);
        let rules: Vec<_> = wanted.rules().collect();
        assert_eq!(rules, ["harm.hate", "harm.self_harm", BLOCKLIST]);
    }
}
