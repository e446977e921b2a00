//! Tests of policies: cases as data, run against a compiled set.
//!
//! A case says who asks what, and what the answer must be. Reading the file is somebody else's.

use crate::decision::{Decision, Verdict};
use crate::lift::Lift;
use crate::policies::Policies;
use crate::principal::{Caller, CallerKind, Claim, Groups, Principal};
use crate::request::{Action, Approving, Context, Request, Session, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is being shown, in a sentence.
    pub name: String,
    /// Who asks.
    pub principal: CasePrincipal,
    /// What is to be done.
    pub action: Action,
    /// On which thing.
    pub resource: CaseTarget,
    /// The arguments of the call.
    #[serde(default)]
    pub arguments: Option<Map<String, Value>>,
    /// The circumstances.
    #[serde(default)]
    pub context: CaseContext,
    /// What the answer must be.
    pub expect: Verdict,
    /// The policy that must be among those that decided it.
    #[serde(default)]
    pub by: Option<String>,
    /// What must be offered to lift the deny, first of all.
    #[serde(default)]
    pub lift: Option<Lift>,
}

/// Who asks, in a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasePrincipal {
    /// The issuer.
    pub issuer: String,
    /// The user's name there.
    pub user: String,
    /// Whether it is a person. Left out: it is.
    #[serde(default)]
    pub kind: CallerKind,
    /// Who acts for the user, the current actor first, each as `issuer#name`.
    #[serde(default)]
    pub actors: Vec<String>,
    /// The OAuth client.
    #[serde(default)]
    pub client: String,
    /// The groups. Left out: none. Null: not known.
    #[serde(default = "no_groups")]
    pub groups: Option<Vec<String>>,
    /// The scopes.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The claims: booleans, whole numbers, texts, lists of texts.
    #[serde(default)]
    pub claims: BTreeMap<String, CaseClaim>,
    /// What they have shown to hold.
    #[serde(default)]
    pub possession: CasePossession,
}

/// What a caller has shown to hold, in a case, as thumbprints.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CasePossession {
    /// The key that signs proofs.
    pub dpop: Option<String>,
    /// The client certificate.
    pub certificate: Option<String>,
}

/// The value of a claim, in a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum CaseClaim {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
}

/// A thing, in a case: `tool: files/read`, `prompt: …`, `resource: server/uri`, `server: files`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseTarget {
    /// A prompt, as `server/name`.
    Prompt(String),
    /// A resource, as `server/uri`.
    Resource(String),
    /// A server.
    Server(String),
    /// A tool, as `server/name`.
    Tool(String),
}

/// The circumstances, in a case.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaseContext {
    /// The MCP method.
    pub method: String,
    /// The findings.
    pub findings: Vec<String>,
    /// The labels of the data that flows in.
    pub labels: Vec<String>,
    /// What detectors suspect.
    pub suspicions: Vec<String>,
    /// What the message is for.
    pub purpose: Option<String>,
    /// The source address.
    pub source: Option<IpAddr>,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub now_ms: i64,
    /// The session.
    pub session: Option<Session>,
    /// What the client software calls itself.
    pub client: Option<String>,
    /// What has already been fulfilled.
    pub lifted: Vec<Lift>,
    /// Seconds since the caller authenticated.
    pub auth_age_s: Option<i64>,
    /// Which call is to be approved.
    pub approving: Option<CaseApproving>,
}

/// Which call is to be approved, in a case.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseApproving {
    /// Who made it, as `issuer#user`.
    pub requester: String,
    /// Who has to approve, in the operator's words.
    #[serde(default)]
    pub needs: String,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The name of the case.
    pub name: String,
    /// What was decided; nothing if the case could not be put.
    pub decision: Option<Decision>,
    /// Why it failed; nothing if it passed.
    pub failure: Option<String>,
}

impl Outcome {
    /// Whether the answer was the expected one.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            None => write!(f, "ok: {}", self.name),
            Some(failure) => write!(f, "FAILED: {}: {failure}", self.name),
        }
    }
}

/// Runs every case, and tells what became of each, in their order.
pub fn run(policies: &Policies, cases: &[Case]) -> Vec<Outcome> {
    cases
        .iter()
        .map(|case| match decide(policies, case) {
            Ok(decision) => Outcome {
                name: case.name.clone(),
                failure: case.failure(&decision),
                decision: Some(decision),
            },
            Err(error) => Outcome {
                name: case.name.clone(),
                decision: None,
                failure: Some(error),
            },
        })
        .collect()
}

/// Puts the question of a case to whoever asks for it, such as [`Policies::explain`].
pub fn with_request<T>(case: &Case, ask: impl FnOnce(&Request<'_>) -> T) -> Result<T, String> {
    let principal = Principal::new(case.principal.caller()).map_err(|error| error.to_string())?;
    let resource = case.resource.target()?;
    let of = &case.context;
    let texts = |texts: &[String]| texts.iter().cloned().map(Cow::from).collect::<Vec<_>>();
    let (findings, suspicions) = (texts(&of.findings), texts(&of.suspicions));
    let labels: Vec<&str> = of.labels.iter().map(String::as_str).collect();
    let context = Context {
        arguments: case.arguments.as_ref(),
        method: &of.method,
        findings: &findings,
        labels: &labels,
        suspicions: &suspicions,
        purpose: of.purpose.as_deref(),
        source: of.source,
        now_ms: of.now_ms,
        session: of.session,
        client: of.client.as_deref(),
        lifted: &of.lifted,
        auth_age_s: of.auth_age_s,
        approving: of.approving.as_ref().map(|of| Approving {
            requester: &of.requester,
            needs: &of.needs,
        }),
    };
    Ok(ask(&Request {
        principal: &principal,
        action: case.action,
        resource,
        context: &context,
    }))
}

fn decide(policies: &Policies, case: &Case) -> Result<Decision, String> {
    if let Some(by) = &case.by
        && !policies.ids().any(|id| id == by)
    {
        return Err(format!("there is no policy `{by}`"));
    }
    with_request(case, |request| policies.decide(request))
}

impl Case {
    fn failure(&self, decision: &Decision) -> Option<String> {
        let told = match (decision.determining.as_slice(), decision.errors.as_slice()) {
            ([], []) => "no policy permits it".to_owned(),
            (ids, []) => format!("decided by {}", ids.join(", ")),
            (_, errors) => errors.join("; "),
        };
        if decision.verdict != self.expect {
            let (expected, got) = (self.expect, decision.verdict);
            return Some(format!("expected {expected}, got {got}: {told}"));
        }
        if let Some(by) = &self.by
            && !decision.determining.iter().any(|id| **id == **by)
        {
            return Some(format!("expected `{by}` to decide: {told}"));
        }
        if let Some(lift) = &self.lift
            && decision.lifts.first() != Some(lift)
        {
            let offered = match decision.lifts.first() {
                Some(offered) => format!("`{offered}`"),
                None => "nothing".to_owned(),
            };
            return Some(format!("expected `{lift}` to lift it, but {offered} does"));
        }
        None
    }
}

impl CasePrincipal {
    fn caller(&self) -> Caller {
        let claims = self.claims.iter().map(|(name, claim)| {
            let claim = match claim {
                CaseClaim::Flag(flag) => Claim::Flag(*flag),
                CaseClaim::Number(number) => Claim::Number(*number),
                CaseClaim::Text(text) => Claim::Text(text.clone()),
                CaseClaim::Texts(texts) => Claim::Texts(texts.clone()),
            };
            (name.clone(), claim)
        });
        Caller {
            issuer: self.issuer.clone(),
            user: self.user.clone(),
            kind: self.kind,
            actors: self.actors.clone(),
            client: self.client.clone(),
            groups: match &self.groups {
                Some(groups) => Groups::Known(groups.clone()),
                None => Groups::Unknown,
            },
            scopes: self.scopes.clone(),
            claims: claims.collect(),
            key: self.possession.dpop.clone(),
            certificate: self.possession.certificate.clone(),
        }
    }
}

impl CaseTarget {
    fn target(&self) -> Result<Target<'_>, String> {
        let (CaseTarget::Prompt(id)
        | CaseTarget::Resource(id)
        | CaseTarget::Server(id)
        | CaseTarget::Tool(id)) = self;
        if let CaseTarget::Server(name) = self {
            return Ok(Target::Server { name });
        }
        let (server, name) = id
            .split_once('/')
            .ok_or_else(|| format!("`{id}` is not of the form `server/name`"))?;
        Ok(match self {
            CaseTarget::Prompt(_) => Target::Prompt { server, name },
            CaseTarget::Resource(_) => Target::Resource { server, uri: name },
            CaseTarget::Server(_) | CaseTarget::Tool(_) => Target::Tool { server, name },
        })
    }
}

fn no_groups() -> Option<Vec<String>> {
    Some(Vec::new())
}
