//! The only place where a decision is taken: the policies, asked once everything is established that can
//! be known here, and again if others then say something of the call (controls 2.2, 7.3). No permit means no; an error means no. What the
//! caller's token shows of what a forbid asks for lifts that forbid (control 2.4).

mod more;
mod reconsider;

pub(super) use reconsider::reconsider;

use crate::approvals::Grant;
use crate::gate::Gate;
use crate::route::Served;
use crate::sessions::Session;
use crate::stages::draft::{Draft, Stage, Verdict};
use crate::stages::held::{Held, Hold};
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{Place, Subject};
use crate::step_up::{self, Asked};
use policy::{Action, Context, Decision, Lift, Policies, Request};
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

/// What became of a call that was put before the policies.
#[derive(Debug)]
pub enum Decided {
    /// Somebody else has to approve it.
    Held(Held),
    /// It may be sent.
    Permitted(Permitted),
}

impl Decided {
    /// The call itself.
    pub(super) fn call(&self) -> &Inspected {
        match self {
            Decided::Held(held) => &held.inspected,
            Decided::Permitted(permitted) => &permitted.inspected,
        }
    }

    /// The same, to say more about it.
    pub(super) fn call_mut(&mut self) -> &mut Inspected {
        match self {
            Decided::Held(held) => &mut held.inspected,
            Decided::Permitted(permitted) => &mut permitted.inspected,
        }
    }
}

/// Puts the call before the policies.
pub fn decide(gate: &Gate, inspected: Inspected, draft: &mut Draft) -> Result<Decided, Refused> {
    draft.ran(controls::N2_2);
    draft.ran(controls::N7_3);
    let decided = match inspected.place() {
        Place::All | Place::Ourselves => whole(gate, &inspected, draft).map(|it| (it, None)),
        Place::One(at, _) => one(gate, &inspected, draft).map(|hold| (vec![*at], hold)),
        Place::Asked(_) => one(gate, &inspected, draft).map(|hold| (Vec::new(), hold)),
    };
    draft.done(Stage::Authorize);
    let (servers, hold) = decided?;
    Ok(match hold {
        None => Decided::Permitted(Permitted { inspected, servers }),
        Some(hold) => Decided::Held(Held {
            inspected,
            servers,
            hold,
        }),
    })
}

/// Lets a held call go on whose approval was taken: the same policies are asked once more, with everything
/// as it was but what is lifted now.
pub(super) fn released(held: Held, grant: &Grant, draft: &mut Draft) -> Result<Permitted, Refused> {
    let Held {
        inspected,
        servers,
        hold,
    } = held;
    // INVARIANT: whoever takes an approval takes that of this very call.
    if grant.entry().binding.policies != hold.policies.digest() {
        return Err(refused::crashed());
    }
    let mut lifted = hold.lifted;
    lifted.extend(hold.decision.lifts.iter().cloned());
    let decision = {
        let served = inspected.served().ok_or_else(refused::crashed)?;
        let circumstances = Circumstances::of(&inspected, Some(served), draft.at_ms());
        let context = circumstances.context(&inspected);
        let protocol_target = inspected.target();
        let (action, resource) = question(&inspected, &protocol_target, &served.name);
        let request = Request {
            principal: inspected.principal(),
            action,
            resource,
            context: &context,
        };
        again(&hold.policies, &request, &lifted)
    };
    let allows = decision.allows();
    let reason = decision.reason.clone();
    draft.policy = Some(Verdict {
        policies: hold.policies,
        decision,
    });
    match allows {
        true => Ok(Permitted { inspected, servers }),
        false => {
            let outward = inspected.outward().unwrap_or_default();
            Err(refused::denied(
                Action::Call.name(),
                outward,
                reason.as_deref(),
            ))
        }
    }
}

/// A message to all of the route: it goes to the servers that the caller may use. What they may not
/// use is not there for them.
fn whole(gate: &Gate, inspected: &Inspected, draft: &mut Draft) -> Result<Vec<usize>, Refused> {
    let policies = gate.policies();
    let mut servers = Vec::new();
    let mut no = None;
    for (at, served) in inspected.raw().route().places() {
        let circumstances = Circumstances::of(inspected, Some(served), draft.at_ms());
        let context = circumstances.context(inspected);
        let target = policy::Target::Server { name: &served.name };
        let request = Request {
            principal: inspected.principal(),
            action: Action::Use,
            resource: target,
            context: &context,
        };
        let (decision, lifted) = judged(gate, &policies, &request);
        stepped(draft, &lifted);
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
            true => more::wanted(gate, inspected, &decision.lifts).unwrap_or_else(|| {
                refused::denied(Action::Use.name(), name, decision.reason.as_deref())
            }),
            false => refused::policy_failed(),
        }),
        _ => Ok(servers),
    }
}

/// A message to one server, and what holds it if somebody else has to approve it.
fn one(gate: &Gate, inspected: &Inspected, draft: &mut Draft) -> Result<Option<Hold>, Refused> {
    let policies = gate.policies();
    let served = inspected.served().ok_or_else(refused::crashed)?;
    let circumstances = Circumstances::of(inspected, Some(served), draft.at_ms());
    let context = circumstances.context(inspected);
    let protocol_target = inspected.target();
    let (action, target) = question(inspected, &protocol_target, &served.name);
    let principal = inspected.principal();
    let request = Request {
        principal,
        action,
        resource: target,
        context: &context,
    };
    let (mut decision, lifted) = judged(gate, &policies, &request);
    stepped(draft, &lifted);
    let waits = matches!(decision.lifts.first(), Some(Lift::Approval(_)));
    // A task was begun by a call that was approved, and is looked after without asking again.
    if let (true, Subject::Task(_)) = (waits, inspected.subject()) {
        let all = [lifted.as_slice(), decision.lifts.as_slice()].concat();
        decision = again(&policies, &request, &all);
    }
    draft.policy = Some(Verdict {
        policies: Arc::clone(&policies),
        decision: Arc::clone(&decision),
    });
    if decision.allows() {
        return Ok(None);
    }
    let refused = refusal(gate, inspected, &policies, (&request, &decision));
    match (refused, inspected.subject()) {
        (None, Subject::Tool(_)) => Ok(Some(Hold {
            policies: Arc::clone(&policies),
            decision,
            lifted,
        })),
        (None, _) => Err(refused::denied(
            action.name(),
            &served.name,
            decision.reason.as_deref(),
        )),
        (Some(refused), _) => Err(refused),
    }
}

/// What the policies say once everything is lifted that the caller's own token fulfils, and what that is.
fn judged(gate: &Gate, policies: &Policies, request: &Request<'_>) -> (Arc<Decision>, Vec<Lift>) {
    let decision = policies.decide_cached(request);
    if decision.lifts.is_empty() {
        return (decision, Vec::new());
    }
    let lifted = step_up::fulfilled(&gate.runtime(), request, &decision.lifts);
    if lifted.is_empty() {
        return (decision, lifted);
    }
    Asked::shown(gate, request.principal, &lifted);
    (again(policies, request, &lifted), lifted)
}

/// The same question, with this lifted.
fn again(policies: &Policies, request: &Request<'_>, lifted: &[Lift]) -> Arc<Decision> {
    let context = Context {
        lifted,
        ..*request.context
    };
    policies.decide_cached(&Request {
        context: &context,
        ..*request
    })
}

/// What is decided about something that is no call, such as an approval of one.
pub(crate) fn decided(gate: &Gate, request: &Request<'_>) -> Arc<Decision> {
    judged(gate, &gate.policies(), request).0
}

/// Whether the answer is yes, as the stages ask that do not call anything.
pub(super) fn allows(gate: &Gate, request: &Request<'_>) -> bool {
    decided(gate, request).allows()
}

/// What was asked for beside a permit was looked for in the token.
fn stepped(draft: &mut Draft, lifted: &[Lift]) {
    if !lifted.is_empty() {
        draft.ran(controls::N2_4);
    }
}

/// Whether this caller may read this resource, as the stages ask that do not call it.
pub(super) fn may_read(
    gate: &Gate,
    call: &Inspected,
    served: &Arc<Served>,
    uri: &str,
    now: u64,
) -> bool {
    let circumstances = Circumstances::of(call, Some(served), now);
    let server = &*served.name;
    let request = Request {
        principal: call.principal(),
        action: Action::Read,
        resource: policy::Target::Resource { server, uri },
        context: &circumstances.bare(),
    };
    allows(gate, &request)
}

/// What the caller hears. A thing they may not even see does not exist for them: the answer is the
/// one an unknown name gets, and only the record tells the two apart. Nothing, if somebody else can approve it.
fn refusal(
    gate: &Gate,
    inspected: &Inspected,
    policies: &Policies,
    (request, decision): (&Request<'_>, &Decision),
) -> Option<Refused> {
    if !decision.errors.is_empty() {
        return Some(refused::policy_failed());
    }
    let outward = inspected.outward().unwrap_or_default();
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
        if !judged(gate, policies, &list).0.allows() {
            return Some(refused::tool_unknown(outward));
        }
    }
    let wanted = more::wanted(gate, inspected, &decision.lifts);
    if wanted.is_some() || (action == Action::Call && !decision.lifts.is_empty()) {
        return wanted;
    }
    let name = match request.resource {
        policy::Target::Server { name } => name,
        _ => outward,
    };
    Some(refused::denied(
        action.name(),
        name,
        decision.reason.as_deref(),
    ))
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
    auth_age_s: Option<i64>,
    purpose: Option<Box<str>>,
}

impl Circumstances {
    /// Those in which this message concerns a server, or none.
    pub(super) fn of(inspected: &Inspected, served: Option<&Arc<Served>>, now_ms: u64) -> Self {
        let at_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        let content = inspected.raw().route().content(served);
        let purpose = content.minimising().purpose(inspected.caller().claims());
        Circumstances {
            purpose: purpose.map(Box::from),
            source: inspected.raw().source(),
            now_ms: at_ms,
            session: inspected.session().map(|session| aged(session, now_ms)),
            auth_age_s: step_up::auth_age_s(inspected.principal(), at_ms / 1000),
        }
    }

    fn context<'a>(&'a self, inspected: &'a Inspected) -> Context<'a> {
        Context {
            arguments: inspected.arguments(),
            method: inspected.method().map_or("", |method| method.name),
            findings: inspected.rules(),
            suspicions: inspected.suspicions(),
            ..self.bare()
        }
    }

    /// The circumstances of something the server brought up.
    pub(super) fn bare(&self) -> Context<'_> {
        Context {
            purpose: self.purpose.as_deref(),
            source: Some(self.source),
            now_ms: self.now_ms,
            session: self.session,
            auth_age_s: self.auth_age_s,
            ..Context::default()
        }
    }
}

fn aged(session: &Session, now_ms: u64) -> policy::Session {
    let age_s = i64::try_from(session.age_ms(now_ms) / 1000).unwrap_or(i64::MAX);
    policy::Session { age_s, calls: 0 }
}
