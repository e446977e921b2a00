//! From texts to rules: parse, name, read the annotations, validate by reach.

use super::Source;
use super::catalogued::Things;
use super::index::Effect;
use crate::catalog::Catalog;
use crate::error::{PolicyError, Problem};
use crate::lift::{Lift, StepUp};
use crate::names::{NAMES, action_of};
use crate::reads::Reads;
use crate::request::{Action, Kind, Target};
use crate::schema::{self, Inputs, Reach};
use cedar_policy::{
    ActionConstraint, EntityUid, Policy, PolicyId, PolicySet, ResourceConstraint, Schema,
    ValidationError, ValidationMode, Validator,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// One policy with what was found out about it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) file: Arc<str>,
    pub(crate) line: usize,
    pub(crate) policy: Policy,
    /// The same in Cedar's JSON form.
    pub(crate) json: serde_json::Value,
    pub(crate) effect: Effect,
    pub(crate) actions: Vec<Action>,
    pub(crate) reads: Reads,
    pub(crate) lift: Option<Lift>,
    pub(crate) reason: Option<Arc<str>>,
    /// Where its file is among the sources.
    nth_source: usize,
    /// Where it begins in its file, in bytes.
    offset: usize,
}

/// All rules of the sources, in their order, and what is worth a second look.
pub(crate) fn rules(
    sources: &[Source],
    catalog: &Catalog,
    things: &Things,
) -> Result<(Vec<Rule>, Vec<Problem>), PolicyError> {
    let mut problems = Vec::new();
    let mut rules = Vec::new();
    for (nth, source) in sources.iter().enumerate() {
        match parse(nth, source) {
            Ok(parsed) => rules.extend(parsed),
            Err(told) => problems.extend(told),
        }
    }
    problems.extend(doubles(sources, &rules));
    let mut warnings = Vec::new();
    // What does not parse is not validated: the first cause is told, not its consequences.
    if problems.is_empty() {
        for (reach, group) in by_reach(&rules) {
            let (wrong, doubtful) = validate(sources, catalog, things, reach, &group)?;
            problems.extend(wrong);
            warnings.extend(doubtful);
        }
        for rule in &rules {
            warnings.extend(strangers(sources, things, rule));
            warnings.extend(hides(sources, rule));
            problems.extend(unnamed(sources, catalog, rule));
        }
    }
    let order = |problem: &Problem| {
        let nth = sources.iter().position(|s| s.name == problem.file);
        (nth, problem.line, problem.column, problem.message.clone())
    };
    if !problems.is_empty() {
        problems.sort_by_cached_key(order);
        problems.dedup();
        return Err(PolicyError::new(problems));
    }
    warnings.sort_by_cached_key(order);
    warnings.dedup();
    Ok((rules, warnings))
}

fn parse(nth_source: usize, source: &Source) -> Result<Vec<Rule>, Vec<Problem>> {
    let set: PolicySet = source.text.parse().map_err(|errors| {
        let errors: cedar_policy::ParseErrors = errors;
        let told = |error| Problem::told(&source.name, &source.text, error);
        errors.iter().map(|error| told(error)).collect::<Vec<_>>()
    })?;
    if set.num_of_templates() > 0 {
        let offset = source
            .text
            .find("?principal")
            .or(source.text.find("?resource"));
        let message = "a policy with a slot (`?principal`, `?resource`) cannot be used";
        return Err(vec![Problem::at(
            &source.name,
            &source.text,
            offset.unwrap_or(0),
            message,
        )]);
    }
    // Cedar calls them `policy0`, `policy1`, … in the order of the text.
    let mut policies: Vec<(usize, &Policy)> = set
        .policies()
        .map(|policy| {
            let id: &str = policy.id().as_ref();
            let nth = id.strip_prefix("policy").and_then(|nth| nth.parse().ok());
            (nth.unwrap_or(usize::MAX), policy)
        })
        .collect();
    policies.sort_unstable_by_key(|(nth, _)| *nth);
    let file: Arc<str> = source.name.as_str().into();
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    let mut cursor = 0;
    for (nth, policy) in policies {
        let text = policy.to_cedar().unwrap_or_default();
        let rest = source.text.get(cursor..).unwrap_or_default();
        let offset = cursor + rest.find(text.as_str()).unwrap_or(0);
        cursor = (offset + text.len()).min(source.text.len());
        match rule(source, &file, nth_source, nth, offset, policy) {
            Ok(rule) => rules.push(rule),
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(rules),
        false => Err(problems),
    }
}

fn rule(
    source: &Source,
    file: &Arc<str>,
    nth_source: usize,
    nth: usize,
    offset: usize,
    policy: &Policy,
) -> Result<Rule, Problem> {
    let problem = |message: String| Problem::at(&source.name, &source.text, offset, message);
    let id = match policy.annotation("id") {
        Some("") => return Err(problem("the policy has an empty `@id`".to_owned())),
        Some(id) => id.to_owned(),
        None => format!("{}#{}", source.name, nth + 1),
    };
    let effect = match policy.effect() {
        cedar_policy::Effect::Forbid => Effect::Forbid,
        cedar_policy::Effect::Permit => Effect::Permit,
    };
    let lift = match (policy.annotation("lift"), effect) {
        (None, _) => None,
        (Some(_), Effect::Permit) => {
            return Err(problem(format!("the permit `{id}` has a `@lift`"))
                .with_help("only a forbid can be lifted"));
        }
        (Some(written), Effect::Forbid) => match Lift::parse(written) {
            Ok(lift) => Some(lift),
            Err(why) => {
                return Err(problem(format!("`{written}` lifts nothing: {why}")).with_help(HELP));
            }
        },
    };
    let json = policy
        .to_json()
        .map_err(|error| problem(format!("policy `{id}`: {error}")))?;
    Ok(Rule {
        policy: policy.new_id(PolicyId::new(&id)),
        id: id.into(),
        file: Arc::clone(file),
        line: problem(String::new()).line,
        effect,
        actions: actions(&policy.action_constraint(), effect, lift.as_ref()),
        reads: Reads::of_policy(&json),
        json,
        lift,
        reason: policy.annotation("reason").map(Arc::from),
        nth_source,
        offset,
    })
}

/// What lifts there are.
const HELP: &str =
    "write `@lift(\"scope: …\")`, `@lift(\"step_up: …\")` or `@lift(\"approval: …\")`";

/// The actions a scope names. Ids that are none of ours are told by the validator.
///
/// A permit that names no action does not permit to approve: it was written about calls, and would let
/// everybody who may call anything approve the calls of everybody else. Nor does a forbid that an
/// approval lifts keep anybody from approving: that would ask for an approval of the approval.
fn actions(constraint: &ActionConstraint, effect: Effect, lift: Option<&Lift>) -> Vec<Action> {
    let approves = effect == Effect::Forbid && !matches!(lift, Some(Lift::Approval(_)));
    match constraint {
        ActionConstraint::Any => Action::ALL
            .into_iter()
            .filter(|action| *action != Action::Approve || approves)
            .collect(),
        ActionConstraint::Eq(uid) => action_of(uid).into_iter().collect(),
        ActionConstraint::In(uids) => uids.iter().filter_map(action_of).collect(),
    }
}

fn doubles(sources: &[Source], rules: &[Rule]) -> Vec<Problem> {
    let mut seen: HashMap<&str, &Rule> = HashMap::new();
    let mut problems = Vec::new();
    for rule in rules {
        if let Some(first) = seen.insert(&rule.id, rule) {
            let told = format!(
                "the id `{}` is already used in {}:{}",
                rule.id, first.file, first.line
            );
            problems.push(problem_of(sources, rule, rule.offset, told));
        }
    }
    problems
}

fn by_reach(rules: &[Rule]) -> BTreeMap<OwnedReach, Vec<&Rule>> {
    let mut groups: BTreeMap<OwnedReach, Vec<&Rule>> = BTreeMap::new();
    for rule in rules {
        groups.entry(OwnedReach::of(rule)).or_default().push(rule);
    }
    groups
}

/// [`Reach`], told by the scope of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum OwnedReach {
    All,
    Item { kind: Kind, id: String },
    Server(String),
}

impl OwnedReach {
    fn of(rule: &Rule) -> Self {
        let uid = match rule.policy.resource_constraint() {
            ResourceConstraint::Any | ResourceConstraint::Is(_) => return OwnedReach::All,
            ResourceConstraint::Eq(uid)
            | ResourceConstraint::In(uid)
            | ResourceConstraint::IsIn(_, uid) => uid,
        };
        let id: &str = uid.id().as_ref();
        match NAMES.kind(uid.type_name()) {
            Some(Kind::Server) => OwnedReach::Server(id.to_owned()),
            Some(kind @ (Kind::Prompt | Kind::Tool)) => OwnedReach::Item {
                kind,
                id: id.to_owned(),
            },
            Some(Kind::Resource) | None => OwnedReach::All,
        }
    }

    /// The reach, or nothing if no request can ever match until the catalog has the thing.
    fn borrow(&self, things: &Things) -> Option<Reach<'_>> {
        match self {
            OwnedReach::All => Some(Reach::All),
            OwnedReach::Server(server) => Some(Reach::Server(server)),
            OwnedReach::Item { kind, id } => {
                let target = item(*kind, id)?;
                let (server, name) = (target.server(), target.item());
                things.lists(target).then_some(match kind {
                    Kind::Prompt => Reach::Prompt { server, name },
                    _ => Reach::Tool { server, name },
                })
            }
        }
    }
}

fn item(kind: Kind, id: &str) -> Option<Target<'_>> {
    if kind == Kind::Server {
        return Some(Target::Server { name: id });
    }
    let (server, name) = id.split_once('/')?;
    Some(match kind {
        Kind::Prompt => Target::Prompt { server, name },
        Kind::Resource => Target::Resource { server, uri: name },
        Kind::Server | Kind::Tool => Target::Tool { server, name },
    })
}

/// Problems and warnings of policies with the same reach.
fn validate(
    sources: &[Source],
    catalog: &Catalog,
    things: &Things,
    reach: OwnedReach,
    rules: &[&Rule],
) -> Result<(Vec<Problem>, Vec<Problem>), PolicyError> {
    let borrowed = reach.borrow(things);
    let inputs = match borrowed {
        Some(reach) => Inputs::of(catalog, reach),
        None => Inputs::default(),
    };
    let broken = |told: String| PolicyError::from(Problem::general(told));
    let schema = Schema::from_json_value(schema::document(catalog, &inputs))
        .map_err(|error| broken(format!("the schema is broken: {error}")))?;
    let set = PolicySet::from_policies(rules.iter().map(|rule| rule.policy.clone()))
        .map_err(|error| broken(error.to_string()))?;
    let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
    let find = |id: &PolicyId| rules.iter().find(|rule| rule.policy.id() == id);
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    for error in result.validation_errors() {
        let Some(rule) = find(error.policy_id()) else {
            problems.push(Problem::general(error.to_string()));
            continue;
        };
        let about_arguments = is_about_arguments(rule, error);
        if about_arguments && borrowed.is_none() {
            continue; // Told below: the thing is not in the catalog.
        }
        let mut problem = told(sources, rule, error);
        if about_arguments && problem.help.is_none() {
            problem = problem.with_help(
                "no tool in this policy's reach has such an argument: name the tool in the scope, or test with `has`",
            );
        }
        problems.push(problem);
    }
    for warning in result.validation_warnings() {
        if let Some(rule) = find(warning.policy_id()) {
            warnings.push(told(sources, rule, warning));
        }
    }
    for rule in rules {
        warnings.extend(disagreements(sources, &inputs, rule));
    }
    Ok((problems, warnings))
}

fn is_about_arguments(rule: &Rule, error: &ValidationError) -> bool {
    matches!(error, ValidationError::UnsafeAttributeAccess(_))
        && rule.reads.depends.arguments
        && error.to_string().contains("`arguments.")
}

/// A warning for each argument that a policy reads and that tools in its reach type differently.
fn disagreements(sources: &[Source], inputs: &Inputs, rule: &Rule) -> Vec<Problem> {
    let names = rule.reads.arguments.field_names();
    let disputed = names.filter(|name| inputs.conflicts.contains(*name));
    disputed
        .map(|name| {
            let told = format!(
                "policy `{}` reads `{name}`, which has different types in the tools it reaches",
                rule.id
            );
            problem_of(sources, rule, rule.offset, told).with_help(
                "calls of the tools that type it otherwise will be denied: name the tool in the scope",
            )
        })
        .collect()
}

/// A problem for a step-up that the configuration does not know: nobody could ever show it.
fn unnamed(sources: &[Source], catalog: &Catalog, rule: &Rule) -> Option<Problem> {
    let Some(Lift::StepUp(detail)) = &rule.lift else {
        return None;
    };
    let Ok(StepUp::Named(name)) = StepUp::read(detail) else {
        return None;
    };
    if catalog.step_ups.contains(&name) {
        return None;
    }
    let told = format!(
        "policy `{}` asks for the step-up `{name}`, which is not there",
        rule.id
    );
    let help = "write it under `step_up` in the configuration, or what it is: `step_up: acr=…`";
    Some(problem_of(sources, rule, rule.offset, told).with_help(help))
}

/// A warning for a forbid that can be lifted and hides what it is about: nobody can fulfil it for a thing
/// that does not exist for them.
fn hides(sources: &[Source], rule: &Rule) -> Option<Problem> {
    if rule.lift.is_none() || !rule.actions.contains(&Action::List) {
        return None;
    }
    let told = format!(
        "policy `{}` can be lifted, and forbids to list what it is about, too",
        rule.id
    );
    let help = "what nobody can see nobody asks for: write `action == Ringwall::Action::\"call\"`";
    Some(problem_of(sources, rule, rule.offset, told).with_help(help))
}

/// A warning for each thing a policy names and the catalog does not have.
fn strangers(sources: &[Source], things: &Things, rule: &Rule) -> Vec<Problem> {
    let unknown = |uid: &EntityUid| {
        let kind = NAMES.kind(uid.type_name())?;
        let id: &str = uid.id().as_ref();
        let target = item(kind, id);
        // Resources need not be listed, but their server must be.
        let target = match (kind, target) {
            (Kind::Resource, Some(target)) => Some(Target::Server {
                name: target.server(),
            }),
            (_, target) => target,
        };
        let known = target.is_some_and(|target| things.lists(target));
        (!known).then(|| id.to_owned())
    };
    let mut ids: Vec<String> = rule
        .policy
        .entity_literals()
        .iter()
        .filter_map(unknown)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter()
        .map(|id| {
            let source = sources.get(rule.nth_source);
            let rest = source.and_then(|source| source.text.get(rule.offset..));
            let within = rest.and_then(|rest| rest.find(&format!("\"{id}\"")));
            let offset = rule.offset + within.unwrap_or(0);
            let told = format!(
                "policy `{}` names `{id}`, which is not in the catalog",
                rule.id
            );
            problem_of(sources, rule, offset, told)
                .with_help("it will not match until the catalog has it")
        })
        .collect()
}

fn told(sources: &[Source], rule: &Rule, diagnostic: &dyn miette::Diagnostic) -> Problem {
    match sources.get(rule.nth_source) {
        Some(source) => Problem::told(&source.name, &source.text, diagnostic),
        None => Problem::told(&rule.file, "", diagnostic),
    }
}

fn problem_of(sources: &[Source], rule: &Rule, offset: usize, told: String) -> Problem {
    match sources.get(rule.nth_source) {
        Some(source) => Problem::at(&source.name, &source.text, offset, told),
        None => Problem::general(told),
    }
}
