//! Why a request is decided as it is: every policy with what became of it, and for those that were
//! not satisfied the first condition that was not.
//!
//! Explaining evaluates policies one by one and takes many times as long as deciding. It is for
//! people, and for tests of policies; its texts can hold argument values.

use crate::decision::{Decision, Verdict};
use crate::policies::{Policies, Prepared, Rule, question};
use crate::request::Request;
use cedar_policy::{Entities, Policy, PolicySet};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// Why a request is decided as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Who asked, as `issuer#user`.
    pub principal: String,
    /// What was to be done.
    pub action: &'static str,
    /// On which thing, as `server/name`.
    pub resource: String,
    /// What was decided.
    pub decision: Decision,
    /// Every policy, in the order of the sources.
    pub policies: Vec<Account>,
}

/// What became of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its id.
    pub id: Arc<str>,
    /// The file it is in.
    pub file: Arc<str>,
    /// The line it begins at.
    pub line: usize,
    /// `permit` or `forbid`.
    pub effect: &'static str,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It could not be evaluated.
    Failed {
        /// What went wrong.
        error: String,
    },
    /// It is about another principal, action or resource.
    OutOfScope {
        /// Which part of its scope does not match.
        part: &'static str,
    },
    /// It is satisfied.
    Satisfied,
    /// It is about this, but a condition says no.
    Unsatisfied {
        /// The condition that says no, as Cedar writes it.
        condition: String,
    },
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision {
            verdict,
            determining,
            errors,
            lifts,
            reason,
        } = &self.decision;
        writeln!(
            f,
            "{verdict}: {} may{} {} {}",
            self.principal,
            match verdict {
                Verdict::Allow => "",
                Verdict::Deny => " not",
            },
            self.action,
            self.resource
        )?;
        for id in determining {
            writeln!(f, "  decided by {id}")?;
        }
        if determining.is_empty() && errors.is_empty() {
            writeln!(f, "  no policy permits it")?;
        }
        for error in errors {
            writeln!(f, "  error: {error}")?;
        }
        if let Some(reason) = reason {
            writeln!(f, "  reason: {reason}")?;
        }
        for lift in lifts {
            writeln!(f, "  lifted by {lift}")?;
        }
        for account in &self.policies {
            writeln!(f, "{account}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} ({}:{}): {}",
            self.effect, self.id, self.file, self.line, self.outcome
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Failed { error } => write!(f, "failed: {error}"),
            Outcome::OutOfScope { part } => write!(f, "is about another {part}"),
            Outcome::Satisfied => f.write_str("satisfied"),
            Outcome::Unsatisfied { condition } => write!(f, "not satisfied: {condition}"),
        }
    }
}

pub(crate) fn explain(policies: &Policies, request: &Request<'_>) -> Explanation {
    let prepared = policies.prepared(request);
    let accounts = policies.rules().iter().map(|rule| {
        let outcome = match &prepared {
            Ok(prepared) => outcome(policies, prepared, request, rule),
            Err(error) => Outcome::Failed {
                error: error.clone(),
            },
        };
        Account {
            id: Arc::clone(&rule.id),
            file: Arc::clone(&rule.file),
            line: rule.line,
            effect: rule.effect.name(),
            outcome,
        }
    });
    Explanation {
        principal: request.principal.id().to_owned(),
        action: request.action.name(),
        resource: request.resource.to_string(),
        policies: accounts.collect(),
        decision: policies.decide(request),
    }
}

fn outcome(
    policies: &Policies,
    prepared: &Prepared,
    request: &Request<'_>,
    rule: &Rule,
) -> Outcome {
    let failed = |error: String| Outcome::Failed { error };
    // Some policies are not about an action that their scope does not leave out: see `compile`.
    if !rule.actions.contains(&request.action) {
        return Outcome::OutOfScope { part: "action" };
    }
    let probe = match Probe::new(policies, prepared, request, rule) {
        Ok(probe) => probe,
        Err(error) => return failed(error),
    };
    for part in ["action", "resource", "principal"] {
        match probe.scope(part) {
            Ok(true) => {}
            Ok(false) => return Outcome::OutOfScope { part },
            Err(error) => return failed(error),
        }
    }
    let question = match question(prepared, request.context) {
        Ok(question) => question,
        Err(error) => return failed(error),
    };
    if rule.reads.groups && !request.principal.groups_known() {
        return failed("the groups of the caller are not known".to_owned());
    }
    for condition in probe.conditions() {
        match probe.holds(&question, &condition) {
            Ok(true) => {}
            Ok(false) => {
                return Outcome::Unsatisfied {
                    condition: condition.text(),
                };
            }
            Err(error) => return failed(error),
        }
    }
    Outcome::Satisfied
}

/// One policy, taken apart.
struct Probe<'a> {
    policies: &'a Policies,
    entities: &'a Entities,
    bare: cedar_policy::Request,
    groups_known: bool,
    json: &'a Value,
}

/// One conjunct of one clause.
struct Condition {
    kind: &'static str,
    body: Value,
}

impl<'a> Probe<'a> {
    fn new(
        policies: &'a Policies,
        prepared: &'a Prepared,
        request: &Request<'_>,
        rule: &'a Rule,
    ) -> Result<Self, String> {
        let bare = cedar_policy::Request::new(
            prepared.principal.clone(),
            prepared.action.clone(),
            prepared.resource.clone(),
            cedar_policy::Context::empty(),
            None,
        )
        .map_err(|error| error.to_string())?;
        Ok(Probe {
            policies,
            entities: &prepared.entities,
            bare,
            groups_known: request.principal.groups_known(),
            json: &rule.json,
        })
    }

    /// Whether this part of the scope matches.
    fn scope(&self, part: &str) -> Result<bool, String> {
        let mut json = anything();
        let constraint = self.json.get(part).cloned().unwrap_or(Value::Null);
        let by_group = constraint.to_string().contains("Ringwall::Group");
        if part == "principal" && by_group && !self.groups_known {
            return Err("the groups of the caller are not known".to_owned());
        }
        if let Some(slot) = json.get_mut(part) {
            *slot = constraint;
        }
        self.evaluate(&self.bare, json)
    }

    fn conditions(&self) -> Vec<Condition> {
        let clauses = self.json.get("conditions").and_then(Value::as_array);
        let mut conditions = Vec::new();
        for clause in clauses.into_iter().flatten() {
            let body = clause.get("body").unwrap_or(&Value::Null);
            match clause.get("kind").and_then(Value::as_str) {
                Some("unless") => conditions.push(Condition {
                    kind: "unless",
                    body: body.clone(),
                }),
                _ => conjuncts(body, &mut conditions),
            }
        }
        conditions
    }

    fn holds(
        &self,
        question: &cedar_policy::Request,
        condition: &Condition,
    ) -> Result<bool, String> {
        self.evaluate(question, condition.policy())
    }

    fn evaluate(&self, question: &cedar_policy::Request, json: Value) -> Result<bool, String> {
        let policy = Policy::from_json(None, json).map_err(|error| error.to_string())?;
        let set = PolicySet::from_policies([policy]).map_err(|error| error.to_string())?;
        let authorizer = self.policies.authorizer();
        let response = authorizer.is_authorized(question, &set, self.entities);
        match response.diagnostics().errors().next() {
            Some(cedar_policy::AuthorizationError::PolicyEvaluationError(error)) => {
                Err(error.inner().to_string())
            }
            None => Ok(response.decision() == cedar_policy::Decision::Allow),
        }
    }
}

impl Condition {
    fn policy(&self) -> Value {
        let mut json = anything();
        if let Some(slot) = json.get_mut("conditions") {
            *slot = json!([{"kind": self.kind, "body": self.body}]);
        }
        json
    }

    fn text(&self) -> String {
        let policy = Policy::from_json(None, self.policy()).ok();
        let text = policy
            .and_then(|policy| policy.to_cedar())
            .unwrap_or_default();
        let from_clause = text.find(self.kind).and_then(|at| text.get(at..));
        let clause = from_clause.unwrap_or_default().trim_end_matches(';');
        clause.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// `a && b && c` as three conditions, in order.
fn conjuncts(body: &Value, conditions: &mut Vec<Condition>) {
    match body.get("&&") {
        Some(both) => {
            for side in ["left", "right"] {
                conjuncts(both.get(side).unwrap_or(&Value::Null), conditions);
            }
        }
        None => conditions.push(Condition {
            kind: "when",
            body: body.clone(),
        }),
    }
}

/// A policy that permits everything.
fn anything() -> Value {
    json!({
        "effect": "permit",
        "principal": {"op": "All"},
        "action": {"op": "All"},
        "resource": {"op": "All"},
        "conditions": [],
    })
}
