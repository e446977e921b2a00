//! What a configuration makes of traffic that is over: the same look at text, the same modes of scores,
//! the same policies as on the way of a call, in the same order. It sends nothing, asks no detector and
//! changes nothing; what a detector said then is what it says now.
//!
//! Tokens, limits, definitions and schemas are not replayed: what they refuse does not depend on rules.

use crate::content::{Content, Looked, Toward};
use crate::providers::{Surface, rescored};
use crate::stages::refused;
use bytes::Bytes;
use config::settled::{self, Settled};
use controls::Score;
use policy::Policies;
use policy::cases::{self, Case, CaseClaim};
use protocol::{Document, Limits};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// One message that is over.
#[derive(Clone, Debug)]
pub struct Over {
    /// The route it came in on.
    pub route: String,
    /// The server it was for.
    pub server: String,
    /// The question it was to the policies, but for what is found in it now.
    pub case: Case,
    /// Its arguments, as JSON text, where they are known.
    pub arguments: Option<String>,
    /// The whole answer, as JSON text, where it is known.
    pub answer: Option<String>,
    /// What detectors said of it.
    pub said: Vec<SaidThen>,
}

/// What a detector said then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidThen {
    /// Who said it.
    pub detector: String,
    /// What it was about.
    pub rule: String,
    /// How sure it was, in thousandths.
    pub value: u16,
    /// Where: a JSON Pointer into the message.
    pub place: String,
}

/// What a configuration makes of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The code of the refusal, if it is refused.
    pub refused: Option<&'static str>,
    /// What refuses it: a rule, or the policies that decided.
    pub by: Vec<String>,
    /// What was found and suspected, each with its place.
    pub seen: BTreeSet<(String, String)>,
    /// Detectors that would be asked and of whom nothing is known.
    pub unheard: BTreeSet<String>,
}

/// The rules of one configuration.
#[derive(Debug)]
pub struct Rules<'a> {
    settled: &'a Settled,
    policies: &'a Policies,
    contents: HashMap<(&'a str, &'a str), (Content, settled::Content)>,
}

/// Why the policies do not let something pass.
struct No {
    code: &'static str,
    /// Whether somebody else may still let it pass: then it is heard what others say of it.
    waits: bool,
    by: Vec<String>,
}

impl Outcome {
    fn refuse(&mut self, no: &No) {
        self.refused = Some(no.code);
        self.by.clone_from(&no.by);
    }
}

/// What became of a message on one part of its way.
enum Way {
    Goes,
    Ends,
}

impl<'a> Rules<'a> {
    /// The rules of this configuration, with its policies compiled.
    pub fn new(settled: &'a Settled, policies: &'a Policies) -> Self {
        let mut contents = HashMap::new();
        for route in &settled.routes {
            for server in &settled.servers {
                if route.servers.contains(&server.name) {
                    let said = server.content.on(&route.content);
                    let path = route.path.as_str().into();
                    // Packs were tried when they were read.
                    let Ok(content) = Content::new(server.hidden_text, &said, &path) else {
                        continue;
                    };
                    let key = (route.path.as_str(), server.name.as_str());
                    contents.insert(key, (content, said));
                }
            }
        }
        Rules {
            settled,
            policies,
            contents,
        }
    }

    /// What they make of this message; nothing if they know no such route and server, or the question
    /// cannot be put.
    pub fn judge(&self, over: &Over) -> Option<Outcome> {
        let key = (over.route.as_str(), over.server.as_str());
        let (content, said) = self.contents.get(&key)?;
        let mut outcome = Outcome::default();
        let mut case = over.case.clone();
        case.context.purpose = purpose(said, &case);
        if let Way::Ends = Self::arguments(content, over, (&mut case, &mut outcome)) {
            return Some(outcome);
        }
        let before = self.decided(&case)?;
        if let Some(no) = before.as_ref().filter(|no| !no.waits) {
            outcome.refuse(no);
            return Some(outcome);
        }
        let scores = self.scores(said, over, (Surface::Arguments, &mut outcome));
        if let Way::Ends = refuse(&mut outcome, &scores, "content_suspected") {
            return Some(outcome);
        }
        let warning = scores.iter().filter(|score| score.warns());
        case.context.suspicions = warning.map(|score| score.rule.to_string()).collect();
        let after = match case.context.suspicions.is_empty() {
            true => None,
            false => self.decided(&case)?,
        };
        // More that is known of a call only takes away: what waits goes on waiting.
        if let Some(no) = after.or(before) {
            outcome.refuse(&no);
            return Some(outcome);
        }
        self.answer((content, said), over, &mut outcome);
        Some(outcome)
    }

    /// Why the policies do not let it pass; nothing in the outer if they cannot be asked, nothing in the
    /// inner if they do.
    fn decided(&self, case: &Case) -> Option<Option<No>> {
        let decision = cases::with_request(case, |request| self.policies.decide(request)).ok()?;
        if decision.allows() {
            return Some(None);
        }
        let lift = decision.lifts.first();
        let waits = matches!(lift, Some(policy::Lift::Approval(_)));
        let code = match (decision.errors.is_empty(), lift) {
            (false, _) => "policy_failed",
            (true, None) => "policy_denied",
            (true, Some(_)) if waits => "approval_needed",
            (true, Some(_)) => "step_up_needed",
        };
        let by = decision.determining.iter().map(|id| id.to_string());
        Some(Some(No {
            code,
            waits,
            by: by.collect(),
        }))
    }

    /// The way to the policies: what is found in the arguments.
    fn arguments(
        content: &Content,
        over: &Over,
        (case, outcome): (&mut Case, &mut Outcome),
    ) -> Way {
        let Some(arguments) = &over.arguments else {
            return Way::Goes;
        };
        let whole = format!(r#"{{"params":{{"arguments":{arguments}}}}}"#);
        let Some((document, looked)) = look(content, whole, Toward::Server) else {
            return Way::Goes;
        };
        let rules = looked.rules.iter().map(ToString::to_string);
        case.context.findings = rules.collect();
        see(outcome, &looked);
        if let Some(because) = &looked.refused {
            outcome.refused = Some(refused::content(because).refusal.code);
            outcome.by = by(&looked);
            return Way::Ends;
        }
        let cleaned = document.apply(&looked.edits).ok();
        let cleaned = cleaned.and_then(|it| serde_json::from_slice::<Value>(&it).ok());
        let arguments = cleaned.and_then(|mut it| {
            let arguments = it.pointer_mut("/params/arguments")?;
            arguments.as_object_mut().map(std::mem::take)
        });
        case.arguments = arguments;
        Way::Goes
    }

    /// The way back.
    fn answer(
        &self,
        (content, said): (&Content, &settled::Content),
        over: &Over,
        outcome: &mut Outcome,
    ) {
        let Some(answer) = &over.answer else {
            return;
        };
        if let Some((_, looked)) = look(content, answer.clone(), Toward::Model) {
            see(outcome, &looked);
            if let Some(because) = &looked.refused {
                outcome.refused = Some(refused::answer_content(because).refusal.code);
                outcome.by = by(&looked);
                return;
            }
        }
        let scores = self.scores(said, over, (Surface::Results, outcome));
        refuse(outcome, &scores, "answer_suspected");
    }

    /// What was said then, in the modes and with the thresholds of these rules.
    fn scores(
        &self,
        content: &settled::Content,
        over: &Over,
        (surface, outcome): (Surface, &mut Outcome),
    ) -> Vec<Score> {
        let scores = rescored(self.settled, content, surface, &over.said);
        for (detector, rule, place) in scores.iter().filter(|score| score.warns()).map(|score| {
            let place = score.place.clone().into_owned();
            (&score.detector, &score.rule, place)
        }) {
            outcome.seen.insert((format!("{rule} ({detector})"), place));
        }
        for used in &content.providers {
            let is_heard = scores.iter().any(|score| score.detector == used.provider);
            let asks = used.on.iter().any(|on| surface == (*on).into());
            if asks && !is_heard {
                outcome.unheard.insert(used.provider.clone());
            }
        }
        scores
    }
}

fn look(content: &Content, text: String, toward: Toward) -> Option<(Document, Looked)> {
    let limits = Limits {
        bytes: usize::MAX >> 33,
        ..Limits::default()
    };
    let document = Document::read(Bytes::from(text), &limits).ok()?;
    let looked = content.look(&document, toward);
    Some((document, looked))
}

fn see(outcome: &mut Outcome, looked: &Looked) {
    for finding in &looked.findings {
        let (rule, place) = (finding.rule.to_string(), finding.place.to_string());
        outcome.seen.insert((rule, place));
    }
}

fn by(looked: &Looked) -> Vec<String> {
    looked.rules.iter().map(ToString::to_string).collect()
}

fn refuse(outcome: &mut Outcome, scores: &[Score], code: &'static str) -> Way {
    match scores.iter().find(|score| score.refuses()) {
        None => Way::Goes,
        Some(score) => {
            outcome.refused = Some(code);
            outcome.by = vec![score.rule.to_string()];
            Way::Ends
        }
    }
}

/// What a message was for, as far as that is known: of claims only those count that are told.
fn purpose(said: &settled::Content, case: &Case) -> Option<String> {
    match said.purpose.as_ref()? {
        settled::Purpose::Is(purpose) => Some(purpose.clone()),
        settled::Purpose::Claim(claim) => match case.principal.claims.get(claim) {
            Some(CaseClaim::Text(purpose)) => Some(purpose.clone()),
            _ => None,
        },
    }
}
