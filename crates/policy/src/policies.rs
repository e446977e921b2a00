//! A compiled set of policies: what it takes to answer, and the answering.
//!
//! A set never changes. A new catalog or a changed file makes a new set, and with it empty
//! memories, so no answer outlives the policies that gave it.

mod catalogued;
mod compile;
mod digest;
mod index;
mod memory;
mod votes;

pub(crate) use compile::Rule;
pub(crate) use memory::Prepared;

use crate::catalog::Catalog;
use crate::decision::Decision;
use crate::error::{PolicyError, Problem};
use crate::explain::{self, Explanation};
use crate::names::{action_uid, target_uid};
use crate::principal::texts;
use crate::reads::{Dependence, Reads};
use crate::request::{Action, Context, Request, Session};
use crate::time;
use crate::value;
use catalogued::Things;
use cedar_policy::{Authorizer, Entities, PolicyId, RestrictedExpression};
use index::{Effect, Index, Part, Weather};
use memory::Memory;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use votes::Votes;

/// One file of policies, read by somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name told in errors, such as the path.
    pub name: String,
    /// The policies.
    pub text: String,
}

/// A compiled set of policies.
pub struct Policies {
    rules: Vec<Rule>,
    by_id: HashMap<PolicyId, usize>,
    index: Index,
    things: Things,
    depends: [Dependence; Action::ALL.len()],
    warnings: Vec<Problem>,
    digest: String,
    authorizer: Authorizer,
    memory: Memory,
}

impl Policies {
    /// Parses, validates against the schema of the catalog, and makes ready. Without any policy
    /// everything is denied.
    pub fn compile(sources: &[Source], catalog: &Catalog) -> Result<Self, PolicyError> {
        let things = Things::of(catalog)?;
        let (rules, warnings) = compile::rules(sources, catalog, &things)?;
        let index = Index::of(&rules).map_err(PolicyError::from)?;
        let mut depends = [Dependence::default(); Action::ALL.len()];
        for (slot, action) in depends.iter_mut().zip(Action::ALL) {
            for rule in rules.iter().filter(|rule| rule.actions.contains(&action)) {
                *slot = slot.or(rule.reads.depends);
            }
        }
        Ok(Policies {
            by_id: (0..)
                .zip(&rules)
                .map(|(nth, rule)| (rule.policy.id().clone(), nth))
                .collect(),
            rules,
            index,
            things,
            depends,
            warnings,
            digest: digest::hex(sources),
            authorizer: Authorizer::new(),
            memory: Memory::new(),
        })
    }

    /// Decides. Policies that read nothing of the circumstances are not evaluated again for the
    /// same caller, action and thing; all others are.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        match self.prepared(request) {
            Ok(prepared) => self.answer(&prepared, request),
            Err(error) => Decision::failed(vec![error]),
        }
    }

    /// Decides, or remembers what was decided for the same caller, action, thing, findings,
    /// labels, method and client, if nothing else can matter.
    pub fn decide_cached(&self, request: &Request<'_>) -> Arc<Decision> {
        let prepared = match self.prepared(request) {
            Ok(prepared) => prepared,
            Err(error) => return Arc::new(Decision::failed(vec![error])),
        };
        self.memory
            .decision(&prepared, request, || self.answer(&prepared, request))
    }

    /// On which circumstances decisions about this action can depend.
    pub fn dependence(&self, action: Action) -> Dependence {
        let found = Action::ALL.into_iter().zip(self.depends);
        found
            .into_iter()
            .find(|(other, _)| *other == action)
            .map(|(_, depends)| depends)
            .unwrap_or_default()
    }

    /// Whether a forbid of this action can be lifted, by something that may be over at any moment.
    pub fn is_liftable(&self, action: Action) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| rule.lift.is_some() && rule.actions.contains(&action))
    }

    /// Why this request is decided as it is, policy by policy.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        explain::explain(self, request)
    }

    /// SHA-256 of all sources in hexadecimal, whatever their order. Recorded with every decision.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What is not wrong but worth a second look.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The ids of all policies, in the order of the sources.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| &*rule.id)
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn authorizer(&self) -> &Authorizer {
        &self.authorizer
    }

    /// Everything about a caller, an action and a thing that does not change from call to call.
    pub(crate) fn prepared(&self, request: &Request<'_>) -> Result<Arc<Prepared>, String> {
        self.memory.prepared(request, || self.prepare(request))
    }

    fn prepare(&self, request: &Request<'_>) -> Result<Prepared, String> {
        let (action, target) = (request.action, request.resource);
        if !action.applies_to(target) {
            return Err(format!("`{}` does not apply to `{target}`", action.name()));
        }
        let thing = self
            .things
            .find(target)
            .ok_or_else(|| format!("`{target}` is not in the catalog"))?;
        let principal = request.principal;
        let told = principal.told().map_err(ToString::to_string)?;
        let found = self.index.find(action, target, (principal, told));
        let mut reads = Reads::default();
        for part in &found.parts {
            reads.merge(&part.reads);
        }
        let entities = [Some(told.entity.clone()), Some(thing.entity)]
            .into_iter()
            .chain([thing.server]);
        Ok(Prepared {
            serial: self.memory.serial(),
            parts: found.parts,
            reads,
            fields: thing.fields,
            entities: Entities::from_entities(entities.flatten(), None)
                .map_err(|error| format!("the entities of `{target}`: {error}"))?,
            principal: principal.uid().clone(),
            action: action_uid(action),
            resource: target_uid(target),
            unknowns: found.unknowns,
            fixed: OnceLock::new(),
            steady: OnceLock::new(),
        })
    }

    fn answer(&self, prepared: &Prepared, request: &Request<'_>) -> Decision {
        if !prepared.unknowns.is_empty() {
            return Decision::failed(prepared.unknowns.clone());
        }
        let steady = prepared
            .steady
            .get_or_init(|| self.vote(prepared, &Context::default(), Weather::Steady));
        let mut votes = match steady {
            Ok(votes) => votes.clone(),
            Err(error) => return Decision::failed(vec![error.clone()]),
        };
        // Once it is a deny that nothing lifts, the rest changes nothing.
        if !votes.are_final(&self.rules) {
            match self.vote(prepared, request.context, Weather::Changing) {
                Ok(more) => votes.add(more),
                Err(error) => return Decision::failed(vec![error]),
            }
        }
        votes.settle(&self.rules, request.context.lifted)
    }

    /// What the policies say that read nothing of the circumstances, or those that do.
    fn vote(
        &self,
        prepared: &Prepared,
        context: &Context<'_>,
        weather: Weather,
    ) -> Result<Votes, String> {
        let mut votes = Votes::default();
        let mut asked = None;
        for part in prepared.parts.iter().filter(|part| part.weather == weather) {
            let question = match &asked {
                Some(question) => question,
                None => asked.insert(match weather {
                    Weather::Steady => question_without(prepared)?,
                    Weather::Changing => question(prepared, context)?,
                }),
            };
            let response = self
                .authorizer
                .is_authorized(question, &part.set, &prepared.entities);
            let diagnostics = response.diagnostics();
            let errors = diagnostics.errors().map(ToString::to_string);
            votes.errors.extend(errors);
            for id in diagnostics.reason() {
                match (self.by_id.get(id), part.effect) {
                    (Some(rule), Effect::Forbid) => votes.forbids.push(*rule),
                    (Some(rule), Effect::Permit) => votes.permits.push(*rule),
                    // INVARIANT: parts are made of rules; if that were broken, it is a deny.
                    (None, _) => votes.errors.push(format!("policy `{id}` is not known")),
                }
            }
            if votes.are_final(&self.rules) {
                break;
            }
        }
        Ok(votes)
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies")
            .field("policies", &self.rules.len())
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// The question as Cedar understands it, with just what the policies in question read.
pub(crate) fn question(
    prepared: &Prepared,
    context: &Context<'_>,
) -> Result<cedar_policy::Request, String> {
    let pairs = circumstances(prepared, context)?;
    let context = cedar_policy::Context::from_pairs(pairs)
        .map_err(|error| format!("the circumstances of the request: {error}"))?;
    asked(prepared, context)
}

/// The same for policies that read nothing of the circumstances.
pub(crate) fn question_without(prepared: &Prepared) -> Result<cedar_policy::Request, String> {
    asked(prepared, cedar_policy::Context::empty())
}

fn asked(
    prepared: &Prepared,
    context: cedar_policy::Context,
) -> Result<cedar_policy::Request, String> {
    cedar_policy::Request::new(
        prepared.principal.clone(),
        prepared.action.clone(),
        prepared.resource.clone(),
        context,
        None,
    )
    .map_err(|error| error.to_string())
}

fn circumstances(
    prepared: &Prepared,
    context: &Context<'_>,
) -> Result<Vec<(String, RestrictedExpression)>, String> {
    let depends = prepared.reads.depends;
    let mut pairs = Vec::new();
    let mut say = |name: &str, value| pairs.push((name.to_owned(), value));
    if depends.arguments {
        let wanted = &prepared.reads.arguments;
        let arguments = value::arguments(context.arguments, wanted, &prepared.fields);
        say("arguments", arguments.map_err(|error| error.to_string())?);
    }
    if let Some(age) = context.auth_age_s.filter(|_| depends.auth_age) {
        say("auth_age_s", RestrictedExpression::new_long(age));
    }
    if let Some(approving) = context.approving.filter(|_| depends.approving) {
        for (name, text) in [
            ("requester", approving.requester),
            ("needs", approving.needs),
        ] {
            say(name, RestrictedExpression::new_string(text.to_owned()));
        }
    }
    if depends.findings {
        say("findings", texts(context.findings));
    }
    if depends.labels {
        say("labels", texts(context.labels));
    }
    if depends.suspicions {
        say("suspicions", texts(context.suspicions));
    }
    if depends.method {
        let method = context.method.to_owned();
        say("method", RestrictedExpression::new_string(method));
    }
    if let Some(purpose) = context.purpose.filter(|_| depends.purpose) {
        let purpose = purpose.to_owned();
        say("purpose", RestrictedExpression::new_string(purpose));
    }
    if depends.time {
        let now = time::to_text(context.now_ms).ok_or("the time is beyond the year 9999")?;
        say("now", RestrictedExpression::new_datetime(now));
    }
    if let Some(client) = context.client.filter(|_| depends.client) {
        say(
            "client",
            RestrictedExpression::new_string(client.to_owned()),
        );
    }
    if let Some(source) = context.source.filter(|_| depends.source) {
        // An IPv4 address in IPv6 clothes is the IPv4 address: policies are written about that.
        let source = source.to_canonical().to_string();
        say("source", RestrictedExpression::new_ip(source));
    }
    if let Some(session) = context.session.filter(|_| depends.session) {
        say("session", session_value(session)?);
    }
    Ok(pairs)
}

fn session_value(session: Session) -> Result<RestrictedExpression, String> {
    let number = RestrictedExpression::new_long;
    RestrictedExpression::new_record([
        ("age_s".to_owned(), number(session.age_s)),
        ("calls".to_owned(), number(session.calls)),
    ])
    .map_err(|error| error.to_string())
}

/// The parts of the index that matter for a request.
pub(crate) type Parts = Vec<Arc<Part>>;

#[cfg(test)]
mod tests;
