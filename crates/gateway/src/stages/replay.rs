//! What a configuration makes of traffic that is over: the same look at text, the same modes of scores,
//! the same policies as on the way of a call, in the same order. It sends nothing, asks no detector and
//! changes nothing; what a detector said then is what it says now.
//!
//! Tokens and limits are not replayed: what they refuse does not depend on rules. Definitions are those that
//! are pinned now.

mod call;

use crate::catalog::{self, Standing};
use crate::content::{Content, Toward};
use crate::pins::Pin;
use crate::providers::{Surface, rescored};
use crate::stages::refused;
use bytes::Bytes;
use call::Call;
use config::settled::{self, Settled};
use controls::{Finding, Score};
use policy::cases::{self, Case, CaseTarget};
use policy::{Action, Policies};
use protocol::{Document, Limits};
use std::borrow::Cow;
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

/// What is done with the messages of a server on a route, if that can be used.
type Made = Result<(Content, settled::Content), Unjudged>;

/// The rules of one configuration.
#[derive(Debug)]
pub struct Rules<'a> {
    settled: &'a Settled,
    policies: &'a Policies,
    contents: HashMap<(&'a str, &'a str), Made>,
    /// The pinned tools of each server, as its settings have them.
    tools: HashMap<&'a str, HashMap<Box<str>, Standing>>,
}

/// Why nobody can tell what rules make of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unjudged {
    /// They know no such route and server.
    #[error("there is no such route and server")]
    Elsewhere,
    /// The question cannot be put to the policies.
    #[error("the policies cannot be asked about it")]
    Unasked,
    /// What the configuration says of that server's messages cannot be used.
    #[error("the rules of its server cannot be used: {0}")]
    Unusable(String),
}

/// Why the policies do not let something pass.
struct No {
    code: &'static str,
    /// Whether somebody else may still let it pass: then it is heard what others say of it.
    waits: bool,
    by: Vec<String>,
}

impl Outcome {
    fn ends(&mut self, code: &'static str, by: Vec<String>) -> Way {
        self.refused = Some(code);
        self.by = by;
        Way::Ends
    }

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
    /// The rules of this configuration, with its policies compiled, and the tools that are pinned, by server.
    pub fn new(
        settled: &'a Settled,
        policies: &'a Policies,
        pinned: &HashMap<String, HashMap<String, Pin>>,
    ) -> Self {
        let mut contents = HashMap::new();
        for route in &settled.routes {
            for server in &settled.servers {
                if route.servers.contains(&server.name) {
                    let said = server.content.on(&route.content);
                    let made = content(server, &said, &route.path);
                    let key = (route.path.as_str(), server.name.as_str());
                    contents.insert(key, made.map(|content| (content, said)));
                }
            }
        }
        let tools = settled.servers.iter().filter_map(|server| {
            let name = server.name.as_str();
            Some((name, catalog::pinned(server, pinned.get(name)?)))
        });
        Rules {
            settled,
            policies,
            contents,
            tools: tools.collect(),
        }
    }

    /// What they make of this message, or why nobody can tell.
    pub fn judge(&self, over: &Over) -> Result<Outcome, Unjudged> {
        let key = (over.route.as_str(), over.server.as_str());
        let rules = self.contents.get(&key).ok_or(Unjudged::Elsewhere)?;
        let (content, said) = rules.as_ref().map_err(Clone::clone)?;
        let call = Call {
            content,
            standing: self.standing(over),
            claims: call::claims(&over.case.principal.claims),
        };
        let mut outcome = Outcome::default();
        let mut case = over.case.clone();
        if let Way::Ends = call.arguments(over, (&mut case, &mut outcome)) {
            return Ok(outcome);
        }
        let before = self.decided(&case)?;
        if let Some(no) = before.as_ref().filter(|no| !no.waits) {
            outcome.refuse(no);
            return Ok(outcome);
        }
        let scores = self.scores(said, over, (Surface::Arguments, &mut outcome));
        if let Way::Ends = refuse(&mut outcome, &scores, "content_suspected") {
            return Ok(outcome);
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
            return Ok(outcome);
        }
        self.answer((&call, said), over, &mut outcome);
        Ok(outcome)
    }

    /// How the tool stands that a message calls, if it calls one that is pinned.
    fn standing(&self, over: &Over) -> Option<&Standing> {
        let CaseTarget::Tool(id) = &over.case.resource else {
            return None;
        };
        let (server, tool) = id.split_once('/')?;
        self.tools
            .get(server)?
            .get(tool)
            .filter(|_| over.case.action == Action::Call)
    }

    /// Why the policies do not let it pass; nothing if they do.
    fn decided(&self, case: &Case) -> Result<Option<No>, Unjudged> {
        let decision = cases::with_request(case, |request| self.policies.decide(request));
        let decision = decision.map_err(|_| Unjudged::Unasked)?;
        if decision.allows() {
            return Ok(None);
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
        Ok(Some(No {
            code,
            waits,
            by: by.collect(),
        }))
    }

    /// The way back.
    fn answer(
        &self,
        (call, said): (&Call<'_>, &settled::Content),
        over: &Over,
        outcome: &mut Outcome,
    ) {
        let Some(answer) = &over.answer else {
            return;
        };
        if let Some(document) = read(answer)
            && let Some(document) = call.answer(document, outcome)
        {
            let looked = call.content.look(&document, Toward::Model);
            see(outcome, &looked.findings);
            if let Some(because) = &looked.refused {
                outcome.refused = Some(refused::answer_content(because).refusal.code);
                outcome.by = by(&looked.rules);
                return;
            }
            let clean = document.apply(&looked.edits).ok().and_then(|it| read(&it));
            let promised = clean.map(|clean| call.promised(&clean, outcome));
            if let Some(Way::Ends) = promised {
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

/// What is done with the text of the messages of a server on a route, as a gateway that starts makes it.
fn content(
    server: &settled::Server,
    said: &settled::Content,
    route: &str,
) -> Result<Content, Unjudged> {
    let unusable = |why: String| Unjudged::Unusable(why);
    let made = Content::new(server.hidden_text, said, &route.into());
    let made = made.map_err(|error| unusable(error.to_string()))?;
    made.meant(said)
        .map_err(|error| unusable(error.to_string()))
}

/// What a message may cost to read that is over: it was read before.
fn reading() -> Limits {
    Limits {
        bytes: usize::MAX >> 33,
        ..Limits::default()
    }
}

fn read(message: &(impl AsRef<[u8]> + ?Sized)) -> Option<Document> {
    let bytes = Bytes::copy_from_slice(message.as_ref());
    Document::read(bytes, &reading()).ok()
}

fn see(outcome: &mut Outcome, findings: &[Finding]) {
    for finding in findings {
        let (rule, place) = (finding.rule.to_string(), finding.place.to_string());
        outcome.seen.insert((rule, place));
    }
}

fn by(rules: &BTreeSet<Cow<'static, str>>) -> Vec<String> {
    rules.iter().map(ToString::to_string).collect()
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
