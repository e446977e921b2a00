//! The only place where a decision is taken: the policies, asked once everything they may want to
//! know has been established (controls 2.2, 7.3). No permit means no; an error means no.

use crate::gate::Gate;
use crate::sessions::Session;
use crate::stages::draft::{Draft, Stage, Verdict};
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{Place, Subject};
use policy::{Action, Context, Decision, Policies, Request};
use protocol::Act;
use std::ops::Deref;
use std::sync::Arc;

/// A call that policy permits. Nothing else can be sent to a server.
#[derive(Debug)]
pub struct Permitted {
    inspected: Inspected,
    /// The servers it may go to, by their place on the route.
    servers: Vec<usize>,
}

impl Permitted {
    pub(super) fn into_parts(self) -> (Inspected, Vec<usize>) {
        (self.inspected, self.servers)
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
    draft.ran(controls::N2_2);
    draft.ran(controls::N7_3);
    let decided = match inspected.place() {
        Place::All | Place::Ourselves => whole(gate, &inspected, draft),
        Place::One(at, _) => one(gate, &inspected, draft).map(|()| vec![*at]),
        Place::Asked(_) => one(gate, &inspected, draft).map(|()| Vec::new()),
    };
    draft.done(Stage::Authorize);
    decided.map(|servers| Permitted { inspected, servers })
}

/// A message to all of the route: it goes to the servers that the caller may use. What they may not
/// use is not there for them.
fn whole(gate: &Gate, inspected: &Inspected, draft: &mut Draft) -> Result<Vec<usize>, Refused> {
    let policies = gate.policies();
    let circumstances = Circumstances::of(inspected, draft.at_ms());
    let context = circumstances.context(inspected);
    let mut servers = Vec::new();
    let mut no = None;
    for (at, served) in inspected.raw().route().places() {
        let target = policy::Target::Server { name: &served.name };
        let request = Request {
            principal: inspected.principal(),
            action: Action::Use,
            resource: target,
            context: &context,
        };
        let decision = policies.decide_cached(&request);
        let allows = decision.allows();
        if allows || draft.policy.is_none() {
            draft.policy = Some(Verdict {
                policies: Arc::clone(&policies),
                decision: Arc::clone(&decision),
            });
        }
        match allows {
            true => servers.push(at),
            false => no = Some((decision, &*served.name)),
        }
    }
    match (servers.is_empty(), no) {
        (true, Some((decision, name))) => Err(match decision.errors.is_empty() {
            true => refused::denied(Action::Use.name(), name, decision.reason.as_deref()),
            false => refused::policy_failed(),
        }),
        _ => Ok(servers),
    }
}

/// A message to one server.
fn one(gate: &Gate, inspected: &Inspected, draft: &mut Draft) -> Result<(), Refused> {
    let policies = gate.policies();
    let circumstances = Circumstances::of(inspected, draft.at_ms());
    let context = circumstances.context(inspected);
    let served = inspected.served().ok_or_else(refused::crashed)?;
    let protocol_target = inspected.target();
    let (action, target) = question(inspected, &protocol_target, &served.name);
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
    if decision.allows() {
        return Ok(());
    }
    let outward = inspected.outward().unwrap_or_default();
    Err(refusal(&policies, &request, &decision, outward))
}

/// Whether this caller may read this resource, as the stages ask that do not call it.
pub(super) fn may_read(gate: &Gate, call: &Inspected, server: &str, uri: &str, now: u64) -> bool {
    let circumstances = Circumstances::of(call, now);
    let request = Request {
        principal: call.principal(),
        action: Action::Read,
        resource: policy::Target::Resource { server, uri },
        context: &circumstances.bare(),
    };
    gate.policies().decide_cached(&request).allows()
}

/// What the caller hears. A thing they may not even see does not exist for them: the answer is the
/// one an unknown name gets, and only the record tells the two apart.
fn refusal(
    policies: &Policies,
    request: &Request<'_>,
    decision: &Decision,
    outward: &str,
) -> Refused {
    if !decision.errors.is_empty() {
        return refused::policy_failed();
    }
    let action = request.action;
    if let (Action::Call, policy::Target::Tool { .. }) = (action, request.resource) {
        let seen = Context {
            arguments: None,
            ..*request.context
        };
        let list = Request {
            action: Action::List,
            context: &seen,
            ..*request
        };
        if !policies.decide_cached(&list).allows() {
            return refused::tool_unknown(outward);
        }
    }
    let name = match request.resource {
        policy::Target::Server { name } => name,
        _ => outward,
    };
    refused::denied(action.name(), name, decision.reason.as_deref())
}

/// Which question a message is.
fn question<'a>(
    inspected: &'a Inspected,
    target: &'a protocol::Target<'a>,
    server: &'a str,
) -> (Action, policy::Target<'a>) {
    let act = inspected.method().map(|method| method.act);
    // Whoever may not call a tool may not look after what it does either.
    if let Subject::Task(tool) = inspected.subject() {
        return (Action::Call, policy::Target::Tool { server, name: tool });
    }
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
