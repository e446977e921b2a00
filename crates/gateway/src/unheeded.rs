//! Settings of `content` that cannot do what they say: schemas that nobody could enforce, rules that nobody
//! knows, and fields that go on for purposes of which nobody tells. Nobody is asked anything.

use config::settled::{self, Meaning, Mode, Settled};
use config::{Problem, Severity, nearest};
use controls::{Control, N1_1, N9_2, N9_3, P1};
use inspect::data::pack::Pack;
use inspect::schema::{Budget, Schema, Strictness};
use inspect::{likeness, meaning, poison};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the names of rules begin with that prevent: what is done about them is said elsewhere.
const PREVENTING: [(&str, &str); 8] = [
    ("secret.", "content.data"),
    ("personal.", "content.data"),
    ("hidden_text.", "servers[].hidden_text"),
    ("markup.", "content.output"),
    ("flood.", "content.output"),
    ("path.", "content.arguments"),
    ("url.", "content.arguments"),
    ("host.", "content.arguments"),
];

/// The parts of a `content`, where they are written.
#[derive(Clone, Copy)]
struct Written<'s> {
    at: &'s str,
    arguments: Option<&'s settled::Arguments>,
    data: Option<&'s settled::Data>,
    modes: Option<&'s BTreeMap<String, Mode>>,
}

/// What has to be said of the content of a configuration.
pub(crate) fn problems(settled: &Settled) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, server) in settled.servers.iter().enumerate() {
        let content = &server.content;
        let written = Written {
            at: &format!("servers[{index}].content"),
            arguments: Some(&content.arguments),
            data: Some(&content.data),
            modes: Some(&content.modes),
        };
        written.judge(&mut problems);
    }
    for (index, route) in settled.routes.iter().enumerate() {
        let content = &route.content;
        let written = Written {
            at: &format!("routes[{index}].content"),
            arguments: content.arguments.as_ref(),
            data: content.data.as_ref(),
            modes: content.modes.as_ref(),
        };
        written.judge(&mut problems);
    }
    purposeless(settled, &mut problems);
    problems
}

impl Written<'_> {
    fn judge(self, problems: &mut Vec<Problem>) {
        let schemas = self.arguments.into_iter().flat_map(|it| &it.schemas);
        for (tool, text) in schemas {
            self.schema((&tool.to_string(), text), problems);
        }
        if let Some(data) = self.data {
            self.labels(data, problems);
        }
        for rule in self.modes.into_iter().flat_map(|it| it.keys()) {
            self.mode(rule, problems);
        }
    }

    /// A schema that cannot be enforced would keep the gateway from being built.
    fn schema(self, (tool, text): (&str, &str), problems: &mut Vec<Problem>) {
        // INVARIANT: the settled configuration holds JSON.
        let schema: Value = serde_json::from_str(text).unwrap_or(Value::Bool(false));
        let declared = meaning::declared(&schema).map(drop);
        let (message, fix) = match declared.map_err(|error| error.to_string()) {
            Err(error) => {
                let meanings = Meaning::ALL.iter().map(|it| it.as_str());
                let meanings: Vec<&str> = meanings.collect();
                (
                    error,
                    format!("a parameter may be: {}", meanings.join(", ")),
                )
            }
            Ok(()) => match Schema::compile(&schema, Strictness::Declared, &Budget::default()) {
                Err(error) => (
                    format!("cannot be enforced: {error}"),
                    "write a JSON Schema of draft 2020-12".to_owned(),
                ),
                Ok(_) => return,
            },
        };
        problems.push(Problem {
            severity: Severity::Error,
            ..self.problem(N1_1, ("arguments.schemas", tool), message, fix)
        });
    }

    /// Labels that no rule has. Those of packs of the operator's own are not known yet.
    fn labels(self, data: &settled::Data, problems: &mut Vec<Problem>) {
        if !data.packs.is_empty() || data.rules.is_empty() && data.reveal.is_empty() {
            return;
        }
        let packs = Pack::built_in().unwrap_or_default();
        let known = packs.iter().flat_map(Pack::rules).map(|rule| &*rule.id);
        let known: Vec<&str> = known.collect();
        let rules = data.rules.keys().map(|label| ("data.rules", label));
        let reveal = data.reveal.iter().map(|label| ("data.reveal", label));
        for (place, label) in rules.chain(reveal) {
            if known.contains(&label.as_str()) {
                continue;
            }
            let fix = match nearest(label, known.iter().copied()) {
                Some(meant) => format!("write `{meant}`, if that is meant"),
                None => "use a label that `ringwall rules list` shows".to_owned(),
            };
            let message = format!("`{label}` is the label of no rule: it changes nothing");
            let place = if place == "data.rules" {
                (place, &**label)
            } else {
                (place, "")
            };
            problems.push(self.problem(N9_3, place, message, fix));
        }
    }

    fn mode(self, rule: &str, problems: &mut Vec<Problem>) {
        let mut preventing = PREVENTING.iter();
        if let Some((_, setting)) = preventing.find(|(start, _)| rule.starts_with(start)) {
            let message =
                "is a rule that prevents, not one that suspects: it has no mode".to_owned();
            let fix = format!("say in `{setting}` what is done about it");
            return problems.push(self.problem(N9_3, ("modes", rule), message, fix));
        }
        let of_definitions = ["poison.", "likeness."];
        let is_known = poison::named(rule).is_some() || likeness::named(rule).is_some();
        if is_known || !of_definitions.iter().any(|start| rule.starts_with(start)) {
            return;
        }
        let known = poison::RULES.iter().map(|it| it.name);
        let fix = match nearest(rule, known) {
            Some(meant) => format!("write `{meant}`, if that is meant"),
            None => "use a rule of `docs/content/integrity.md`".to_owned(),
        };
        let message = "is no rule: the mode changes nothing".to_owned();
        problems.push(self.problem(N9_2, ("modes", rule), message, fix));
    }

    fn problem(
        self,
        control: Control,
        (place, key): (&str, &str),
        message: String,
        fix: String,
    ) -> Problem {
        let path = format!("{}.{place}", self.at);
        Problem {
            line: 0,
            column: 0,
            path: if key.is_empty() {
                path
            } else {
                config::each(&path, key)
            },
            message,
            fix,
            severity: Severity::Warning,
            control: Some(control),
        }
    }
}

/// Tools whose fields go on for certain purposes only, where no call has one: each is refused.
fn purposeless(settled: &Settled, problems: &mut Vec<Problem>) {
    for route in &settled.routes {
        for (index, server) in settled.servers.iter().enumerate() {
            let content = server.content.on(&route.content);
            if !route.servers.contains(&server.name) || content.purpose.is_some() {
                continue;
            }
            let bound = |entries: &Vec<settled::Minimised>| {
                entries.iter().all(|entry| !entry.purposes.is_empty())
            };
            let Some((tool, _)) = content.minimise.iter().find(|(_, it)| bound(it)) else {
                continue;
            };
            let message = format!(
                "lets fields of `{tool}` go on for certain purposes only, and no call on `{}` has one: each is \
                 refused",
                route.path
            );
            let problem = Problem {
                line: 0,
                column: 0,
                path: format!("servers[{index}].content.minimise"),
                message,
                fix: "say what calls are for with `content.purpose`, or add an entry without `purposes`"
                    .to_owned(),
                severity: Severity::Warning,
                control: Some(P1),
            };
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::sample;
    use serde_json::json;

    /// What is told of this content at the server: where, how bad it is, and what to write.
    fn told(content: &Value) -> Vec<(String, Severity, String)> {
        let problems = problems(&sample::house(content)).into_iter();
        let short = |path: &str| path.trim_start_matches("servers[0].content.").to_owned();
        let told = problems.map(|it| (short(&it.path), it.severity, it.fix));
        told.collect()
    }

    #[test]
    fn n9_3_a_setting_that_changes_nothing_is_told_with_what_was_meant() {
        let badge = json!([{ "file": "own.yaml", "key": "own.pub" }]);
        let schema = |said: &str| json!({ "schemas": { "find": said } });
        for (content, expected) in [
            (json!({}), None),
            (
                json!({ "data": { "rules": { "personal.email": { "answers": "redact" } } } }),
                None,
            ),
            (
                json!({ "data": { "rules": { "personal.emial": { "answers": "redact" } } } }),
                Some(("data.rules[\"personal.emial\"]", "`personal.email`")),
            ),
            (
                json!({ "data": { "reveal": ["personal.mail"] } }),
                Some(("data.reveal", "`personal.email`")),
            ),
            (
                json!({ "data": { "reveal": ["personal.nothing_like_it"] } }),
                Some(("data.reveal", "ringwall rules list")),
            ),
            // What other packs have is not known before they are read.
            (
                json!({ "data": { "reveal": ["personal.badge"], "packs": badge } }),
                None,
            ),
            (
                json!({ "modes": { "poison.command": "shadow", "likeness.squat": "warn" } }),
                Some(("modes[\"likeness.squat\"]", "docs/content/integrity.md")),
            ),
            (
                json!({ "modes": { "poison.comand": "shadow" } }),
                Some(("modes[\"poison.comand\"]", "`poison.command`")),
            ),
            (
                json!({ "modes": { "secret.jwt": "shadow" } }),
                Some(("modes[\"secret.jwt\"]", "`content.data`")),
            ),
            (
                json!({ "modes": { "hidden_text.tags": "enforce" } }),
                Some(("modes[\"hidden_text.tags\"]", "`servers[].hidden_text`")),
            ),
            // What somebody else calls a rule is theirs to say.
            (json!({ "modes": { "injection": "enforce" } }), None),
            (
                json!({ "arguments": schema(r#"{"properties":{"a":{"x-ringwall":{"is":"sql_value"}}}}"#) }),
                None,
            ),
            (
                json!({ "arguments": schema(r#"{"properties":{"a":{"x-ringwall":{"is":"sqlvalue"}}}}"#) }),
                Some(("arguments.schemas.find", "sql_value")),
            ),
            (
                json!({ "arguments": schema(r#"{"type":"text"}"#) }),
                Some(("arguments.schemas.find", "draft 2020-12")),
            ),
        ] {
            check(&content, expected);
        }
    }

    /// Checks where something is told, if it is, and that the fix has these words.
    fn check(content: &Value, expected: Option<(&str, &str)>) {
        let told = told(content);
        assert!(told.len() <= 1, "{told:?}");
        let first = told.first();
        let place = first.map(|(place, ..)| place.as_str());
        assert_eq!(place, expected.map(|it| it.0), "{content}: {told:?}");
        let Some(((place, severity, fix), (_, words))) = first.zip(expected) else {
            return;
        };
        assert!(fix.contains(words), "{fix}");
        let is_schema = place.starts_with("arguments");
        assert_eq!(*severity == Severity::Error, is_schema, "{told:?}");
    }

    #[test]
    fn p1_fields_that_go_on_for_purposes_of_which_nobody_tells_are_told() {
        let bound = json!({ "purposes": ["support"], "results": { "keep": ["/id"] } });
        let any = json!({ "results": { "keep": ["/id"] } });
        for (entries, purpose, expected) in [
            (json!([bound]), None, 1),
            (json!([bound]), Some(json!({ "is": "support" })), 0),
            (json!([bound, any]), None, 0),
            (json!([any]), None, 0),
        ] {
            let mut content = json!({ "minimise": { "find": entries } });
            if let Some(purpose) = purpose {
                content["purpose"] = purpose;
            }
            let told = told(&content);
            assert_eq!(told.len(), expected, "{content}: {told:?}");
            assert!(told.iter().all(|it| it.0 == "minimise"), "{told:?}");
        }
    }
}
