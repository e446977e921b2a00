//! The only place where a decision is taken: the policies, asked once everything they may want to
//! know has been established (controls 2.2, 7.3). No permit means no; an error means no.

use crate::gate::Gate;
use crate::sessions::Session;
use crate::stages::draft::{Draft, Stage, Verdict};
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use policy::{Action, Context, Decision, Policies, Principal, Request};
use protocol::{Act, Method};
use std::ops::Deref;
use std::sync::Arc;

/// A call that policy permits. Nothing else can be sent to a server.
#[derive(Debug)]
pub struct Permitted {
    inspected: Inspected,
}

impl Permitted {
    pub(super) fn into_inner(self) -> Inspected {
        self.inspected
    }
}

impl Deref for Permitted {
    type Target = Inspected;

    fn deref(&self) -> &Inspected {
        &self.inspected
    }
}

/// Puts the call before the policies.
pub fn decide(gate: &Gate, inspected: Inspected, draft: &mut Draft) -> Result<Permitted, Refused> {
    let policies = gate.policies();
    let now_ms = draft.at_ms();
    let circumstances = Circumstances::of(&inspected, now_ms);
    let context = circumstances.context(&inspected);
    let server = &*inspected.raw().route().server.name;
    let protocol_target = inspected.target();
    let (action, target) = question(inspected.method(), &protocol_target, server);
    let principal = inspected.principal();
    let request = Request {
        principal,
        action,
        resource: target,
        context: &context,
    };
    let decision = policies.decide_cached(&request);
    draft.policy = Some(Verdict {
        policies: Arc::clone(&policies),
        decision: Arc::clone(&decision),
    });
    draft.ran(controls::N2_2);
    draft.ran(controls::N7_3);
    draft.done(Stage::Authorize);
    if decision.allows() {
        return Ok(Permitted { inspected });
    }
    Err(refusal(
        &policies, principal, &decision, action, target, &context,
    ))
}

/// What the caller hears. A thing they may not even see does not exist for them: the answer is the
/// one an unknown name gets, and only the record tells the two apart.
fn refusal(
    policies: &Policies,
    principal: &Principal,
    decision: &Decision,
    action: Action,
    target: policy::Target<'_>,
    context: &Context<'_>,
) -> Refused {
    if !decision.errors.is_empty() {
        return refused::policy_failed();
    }
    if let (Action::Call, policy::Target::Tool { name, .. }) = (action, target) {
        let seen = Context {
            arguments: None,
            ..*context
        };
        let list = Request {
            principal,
            action: Action::List,
            resource: target,
            context: &seen,
        };
        if !policies.decide_cached(&list).allows() {
            return refused::tool_unknown(name);
        }
    }
    let name = match target {
        policy::Target::Tool { name, .. } | policy::Target::Prompt { name, .. } => name,
        policy::Target::Resource { uri, .. } => uri,
        policy::Target::Server { name } => name,
    };
    refused::denied(action.name(), name, decision.reason.as_deref())
}

/// Which question a message is.
fn question<'a>(
    method: Option<&Method>,
    target: &'a protocol::Target<'a>,
    server: &'a str,
) -> (Action, policy::Target<'a>) {
    let act = method.map(|method| method.act);
    let whole = (Action::Use, policy::Target::Server { name: server });
    match (act, target) {
        (Some(Act::Call), protocol::Target::Tool(name)) => {
            (Action::Call, policy::Target::Tool { server, name })
        }
        (Some(Act::Get), protocol::Target::Prompt(name)) => {
            (Action::Get, policy::Target::Prompt { server, name })
        }
        (Some(Act::Complete), protocol::Target::Prompt(name)) => {
            (Action::Complete, policy::Target::Prompt { server, name })
        }
        (Some(Act::Complete), protocol::Target::Template(uri)) => {
            (Action::Complete, policy::Target::Resource { server, uri })
        }
        (Some(Act::Read | Act::Subscribe), protocol::Target::Resource(uri)) => {
            (Action::Read, policy::Target::Resource { server, uri })
        }
        _ => whole,
    }
}

/// What a decision is taken in, apart from the message itself.
#[derive(Debug)]
pub(super) struct Circumstances {
    source: std::net::IpAddr,
    now_ms: i64,
    session: Option<policy::Session>,
}

impl Circumstances {
    pub(super) fn of(inspected: &Inspected, now_ms: u64) -> Self {
        Circumstances {
            source: inspected.raw().source(),
            now_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
            session: inspected.session().map(|session| aged(session, now_ms)),
        }
    }

    fn context<'a>(&self, inspected: &'a Inspected) -> Context<'a> {
        Context {
            arguments: inspected.arguments(),
            method: inspected.method().map_or("", |method| method.name),
            findings: inspected.rules(),
            ..self.bare()
        }
    }

    /// The circumstances of something the server brought up.
    pub(super) fn bare(&self) -> Context<'static> {
        Context {
            source: Some(self.source),
            now_ms: self.now_ms,
            session: self.session,
            ..Context::default()
        }
    }
}

fn aged(session: &Session, now_ms: u64) -> policy::Session {
    let age_s = i64::try_from(session.age_ms(now_ms) / 1000).unwrap_or(i64::MAX);
    policy::Session { age_s, calls: 0 }
}
