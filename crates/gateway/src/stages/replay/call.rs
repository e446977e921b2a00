//! A call that is over, as far as its definition, its schema and what its arguments mean go: what the stages
//! `resolve`, `validate` and `inspect` make of it, with their own functions and in their order, and what
//! `screen` makes of its result. No name is looked up, and no disk is looked at.

use super::{Outcome, Over, Way, by, reading, see};
use crate::catalog::{Standing, Tool};
use crate::content::{Content, Minimised, Toward};
use crate::stages::inspect::arguments;
use crate::stages::refused;
use crate::stages::screen;
use ::inspect::meaning::Asked;
use ::inspect::schema::Violations;
use bytes::Bytes;
use policy::cases::{Case, CaseClaim};
use protocol::{Document, Edits};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A call, and what is known of its tool.
pub(super) struct Call<'a> {
    pub(super) content: &'a Content,
    /// How the tool stands that it calls, if it calls one that is pinned.
    pub(super) standing: Option<&'a Standing>,
    /// What is claimed of the caller.
    pub(super) claims: Map<String, Value>,
}

/// Rules that found something.
type Rules = BTreeSet<Cow<'static, str>>;

/// Where the arguments stand in a message.
const PLACE: &str = "/params/arguments";

impl<'a> Call<'a> {
    fn tool(&self) -> Option<&'a Arc<Tool>> {
        match self.standing? {
            Standing::Approved(tool) => Some(tool),
            _ => None,
        }
    }

    /// The way to the policies.
    pub(super) fn arguments(&self, over: &Over, (case, outcome): (&mut Case, &mut Outcome)) -> Way {
        let purpose = self.content.minimising().purpose(&self.claims);
        case.context.purpose = purpose.map(str::to_owned);
        if let Some(Standing::Unusable(why)) = self.standing {
            return outcome.ends("definition_unusable", vec![why.clone()]);
        }
        let arguments = over.arguments.as_ref();
        let document = arguments.and_then(|it| whole(it.as_bytes()));
        if let Some(document) = &document
            && let Way::Ends = self.fits(document, outcome)
        {
            return Way::Ends;
        }
        let minimised = match self.minimised() {
            Ok(minimised) => minimised,
            Err((code, why)) => return outcome.ends(code, vec![why]),
        };
        let Some(document) = document else {
            return Way::Goes;
        };
        let mut seen = BTreeSet::new();
        let way = self.inspected(document, minimised, (case, outcome), &mut seen);
        case.context.findings = seen.iter().map(ToString::to_string).collect();
        way
    }

    fn inspected(
        &self,
        document: Document,
        minimised: Option<&Arc<Minimised>>,
        (case, outcome): (&mut Case, &mut Outcome),
        seen: &mut Rules,
    ) -> Way {
        let document = match self.left(document, minimised, outcome) {
            Ok(document) => document,
            Err(way) => return way,
        };
        let looked = self.content.look(&document, Toward::Server);
        seen.extend(looked.rules.iter().cloned());
        see(outcome, &looked.findings);
        if let Some(because) = &looked.refused {
            let code = refused::content(because).refusal.code;
            return outcome.ends(code, by(&looked.rules));
        }
        if let (false, Some(tool)) = (document.is_plain(), self.tool()) {
            let held = self.held(tool, &document, Asked::Unseen);
            let Way::Goes = Self::told(held, outcome, seen) else {
                return Way::Ends;
            };
        }
        let cleaned = match looked.edits.is_empty() {
            true => Some(document),
            false => applied(&document, &looked.edits),
        };
        let Some(document) = cleaned else {
            return Way::Goes;
        };
        if let Way::Ends = self.fits(&document, outcome) {
            if let Some(because) = &looked.instead {
                outcome.refused = Some(refused::content(because).refusal.code);
            }
            return Way::Ends;
        }
        if let Some(tool) = self.tool() {
            let held = self.held(tool, &document, Asked::Everything);
            let Way::Goes = Self::told(held, outcome, seen) else {
                return Way::Ends;
            };
        }
        case.arguments = Some(object(&document));
        Way::Goes
    }

    fn held(&self, tool: &Arc<Tool>, document: &Document, asked: Asked) -> arguments::Over {
        arguments::hold_alone(self.content, tool, &object(document), asked)
    }

    fn told(
        (findings, rules, refused): arguments::Over,
        outcome: &mut Outcome,
        seen: &mut Rules,
    ) -> Way {
        see(outcome, &findings);
        let by = by(&rules);
        seen.extend(rules);
        match refused {
            Some(refused) => outcome.ends(refused.refusal.code, by),
            None => Way::Goes,
        }
    }

    /// Whether the arguments fit the schema of the definition.
    fn fits(&self, document: &Document, outcome: &mut Outcome) -> Way {
        let Some(tool) = self.tool() else {
            return Way::Goes;
        };
        match tool.input.check(&Value::Object(object(document))) {
            Ok(()) => Way::Goes,
            Err(violations) => outcome.ends("arguments_schema", places(&violations)),
        }
    }

    /// Which fields go on, if not all of them do.
    fn minimised(&self) -> Result<Option<&Arc<Minimised>>, (&'static str, String)> {
        let Some(tool) = self.tool() else {
            return Ok(None);
        };
        let found = self.content.minimising().of(&tool.name, &self.claims);
        let found = found.map_err(|_| ("purpose_unknown", "content.purpose".to_owned()))?;
        match found.and_then(|found| found.breaks(&tool.definition)) {
            Some(why) => Err(("definition_unusable", why)),
            None => Ok(found),
        }
    }

    /// The arguments that are left.
    fn left(
        &self,
        document: Document,
        minimised: Option<&Arc<Minimised>>,
        outcome: &mut Outcome,
    ) -> Result<Document, Way> {
        let arguments = arguments(&document);
        let (Some(minimised), Some(arguments)) = (minimised, arguments) else {
            return Ok(document);
        };
        let mut stand_ins = self.content.stand_ins();
        let Some(less) = stand_ins.project(arguments, &minimised.arguments) else {
            return Ok(document);
        };
        let told: Vec<_> = stand_ins.findings("minimise.arguments", PLACE).collect();
        see(outcome, &told);
        let Some(document) = whole(&less) else {
            return Ok(document);
        };
        match self.fits(&document, outcome) {
            Way::Goes => Ok(document),
            Way::Ends => Err(Way::Ends),
        }
    }

    /// What of an answer goes on, and whether it is what the definition promised.
    pub(super) fn answer(&self, document: Document, outcome: &mut Outcome) -> Option<Document> {
        let minimised = self.minimised().ok().flatten();
        let Some(minimised) = minimised.filter(|minimised| !minimised.keeps_results()) else {
            return Some(document);
        };
        let mut edits = Edits::new();
        let mut stand_ins = self.content.stand_ins();
        if let Some(result) = document.root().get("result") {
            let became = crate::content::Outcome::Result(result);
            minimised.outcome(became, &mut stand_ins, &mut edits);
        }
        let told: Vec<_> = stand_ins.findings("minimise.results", "/result").collect();
        see(outcome, &told);
        match edits.is_empty() {
            true => Some(document),
            false => applied(&document, &edits),
        }
    }

    /// Whether a result that was cleaned is what the definition promised.
    pub(super) fn promised(&self, document: &Document, outcome: &mut Outcome) -> Way {
        let schema = self.tool().and_then(|tool| tool.output.as_ref());
        let (Some(schema), Some(result)) = (schema, document.root().get("result")) else {
            return Way::Goes;
        };
        match screen::is_as_promised(schema, result) {
            Ok(()) => Way::Goes,
            Err(refused) => outcome.ends(refused.refusal.code, vec!["outputSchema".to_owned()]),
        }
    }
}

/// What is claimed of the caller of a case, as tokens write it.
pub(super) fn claims(claims: &BTreeMap<String, CaseClaim>) -> Map<String, Value> {
    let each = claims.iter().map(|(name, claim)| {
        let claim = match claim {
            CaseClaim::Flag(flag) => Value::from(*flag),
            CaseClaim::Number(number) => Value::from(*number),
            CaseClaim::Text(text) => Value::from(text.as_str()),
            CaseClaim::Texts(texts) => Value::from(texts.clone()),
        };
        (name.clone(), claim)
    });
    each.collect()
}

/// A message with these arguments.
fn whole(arguments: &[u8]) -> Option<Document> {
    let parts = [&br#"{"params":{"arguments":"#[..], arguments, b"}}"];
    Document::read(Bytes::from(parts.concat()), &reading()).ok()
}

fn applied(document: &Document, edits: &Edits) -> Option<Document> {
    let bytes = document.apply(edits).ok()?;
    Document::read(bytes, &reading()).ok()
}

/// What of a schema is broken, and where; never with a value.
fn places(violations: &Violations) -> Vec<String> {
    let each = violations.iter();
    each.map(|it| format!("{} at {PLACE}{}", it.rule, it.pointer))
        .collect()
}

fn arguments(document: &Document) -> Option<protocol::Value<'_>> {
    document.root().get("params")?.get("arguments")
}

/// The arguments of a message.
fn object(document: &Document) -> Map<String, Value> {
    let read = arguments(document).and_then(|it| serde_json::from_slice(it.raw()).ok());
    read.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::pinned;
    use crate::content::sample;
    use crate::pins::Pin;
    use inspect::pin::digest;
    use serde_json::json;
    use std::collections::HashMap;

    /// What becomes of arguments of a call, with this content and this schema.
    fn outcome(said: &Value, schema: &Value, arguments: &Value) -> Outcome {
        let settled = sample::house(said);
        let server = settled.servers.first().unwrap();
        let definition = json!({ "name": "pay", "inputSchema": schema });
        let pin = Pin {
            digest: digest(&definition),
            definition,
            at_ms: 1,
            by: "ada".into(),
        };
        let tools = pinned(server, &HashMap::from([("pay".to_owned(), pin)]));
        let case = json!({
            "name": "a call", "principal": { "issuer": "https://id.example.com", "user": "ada" },
            "action": "call", "resource": { "tool": "s/pay" }, "expect": "allow",
        });
        let mut case: Case = serde_json::from_value(case).unwrap();
        let over = Over {
            route: "/s".to_owned(),
            server: "s".to_owned(),
            case: case.clone(),
            arguments: Some(arguments.to_string()),
            answer: None,
            said: Vec::new(),
        };
        let content = super::super::content(server, &server.content, "/s").unwrap();
        let call = Call {
            content: &content,
            standing: tools.get("pay"),
            claims: Map::new(),
        };
        let mut outcome = Outcome::default();
        call.arguments(&over, (&mut case, &mut outcome));
        outcome
    }

    #[test]
    fn p1_arguments_are_cut_down_then_held_against_their_schema_then_looked_at() {
        let data = |label: &str, action: &str| json!({ "data": { "rules": { label: { "arguments": action } } } });
        let without_mail = |mut said: Value| {
            said["minimise"] = json!({ "pay": [{ "arguments": { "drop": ["/mail"] } }] });
            said
        };
        let members =
            json!({ "mail": { "type": "string" }, "card": { "type": ["integer", "string"] } });
        let any = json!({ "type": "object", "properties": members });
        let mut both = any.clone();
        both["minProperties"] = json!(2);
        let mut number = any.clone();
        number["properties"]["card"] = json!({ "type": "integer" });
        let mail = json!({ "mail": "ada@lovelace.dev" });
        let all = json!({ "mail": "ada@lovelace.dev", "card": "4111 1111 1111 1111" });
        let card = json!({ "card": 4_111_111_111_111_111_u64 });
        let (refuses_mail, email) = (data("personal.email", "refuse"), "personal.email");
        let (refuses_card, payment) = (
            data("personal.payment_card", "refuse"),
            "personal.payment_card",
        );
        let redacts = data("personal.payment_card", "redact");
        let (cut, schema) = ("minimise.arguments", Some("arguments_schema"));
        for (said, schema, arguments, refused, seen) in [
            (
                refuses_mail.clone(),
                &any,
                &mail,
                Some("data_refused"),
                &[email][..],
            ),
            (without_mail(refuses_mail), &any, &mail, None, &[cut]),
            (
                refuses_card.clone(),
                &both,
                &all,
                Some("data_refused"),
                &[email, payment],
            ),
            // Nobody looks at what is refused already.
            (without_mail(refuses_card), &both, &all, schema, &[cut]),
            // What may not go on is the reason, and not the text that would stand there.
            (
                redacts.clone(),
                &number,
                &card,
                Some("data_refused"),
                &[payment],
            ),
            (redacts, &any, &card, None, &[payment]),
        ] {
            let outcome = outcome(&said, schema, arguments);
            assert_eq!(outcome.refused, refused, "{said} {arguments}");
            let rules: Vec<_> = outcome.seen.iter().map(|(rule, _)| rule).collect();
            assert_eq!(rules, seen, "{said} {arguments}");
        }
    }
}
