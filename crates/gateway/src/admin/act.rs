//! Operations carried out: asked of policy, written down, then done. What is refused is written down, too.

use super::change::Change;
use super::{AdminRefusal, Asked, Effect, Operation};
use crate::approvals;
use crate::authority::{self, Agreed};
use crate::control::Holdings;
use crate::credential::Connections;
use crate::gate::Gate;
use crate::people::Person;
use crate::pins::PinsError;
use crate::revocation::Register;
use policy::Administrator;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Who does it.
#[derive(Clone, Debug)]
pub enum By {
    /// The user that the gateway runs as, by this name.
    Owner(String),
    /// Somebody who is signed in with a browser, and how they were found to be an administrator.
    Person(Arc<Person>, Administrator),
}

impl By {
    /// As revocations and pins have it.
    pub(super) fn name(&self) -> String {
        let name = match self {
            By::Owner(name) => name.clone(),
            By::Person(person, _) => format!("{}#{}", person.issuer(), person.user_name()),
        };
        name.chars().take(Register::TEXT).collect()
    }

    fn who(&self) -> audit::Who<'_> {
        match self {
            By::Owner(name) => audit::Who {
                user: Some(name.as_str().into()),
                issuer: Some(identity::Caller::LOCAL_ISSUER.into()),
                subject: Some(name.as_str().into()),
                ..audit::Who::default()
            },
            By::Person(person, _) => person.who(),
        }
    }
}

/// Does what is asked, if whoever asks may, and says what comes of it. Nothing happens that is not
/// written down first.
pub async fn perform(gate: &Arc<Gate>, by: &By, asked: Asked) -> Result<Value, AdminRefusal> {
    let operation = asked.operation();
    let subject = asked.subject();
    let runtime = Arc::clone(&gate.runtime());
    let administrator = match by {
        By::Owner(name) => runtime.office.owner(name),
        By::Person(_, administrator) => administrator.clone(),
    };
    if !runtime.office.allows(&administrator, operation) {
        let refusal = AdminRefusal::denied(operation.name());
        note_refused(gate, by, operation, &subject, &refusal);
        return Err(refusal);
    }
    let done = match operation.effect() {
        Effect::Looks => {
            // Whoever owns the machine can read all of it without being seen.
            let seen = match by {
                By::Owner(_) => true,
                By::Person(..) => note(gate, by, operation, (&subject, "", "")).await,
            };
            match seen {
                true => look(gate, &administrator, asked).await,
                false => Err(AdminRefusal::unrecorded()),
            }
        }
        Effect::Changes => {
            let change = Change {
                gate,
                by,
                operation,
                subject: subject.clone(),
            };
            change.done(asked).await
        }
    };
    done.inspect_err(|refusal| note_refused(gate, by, operation, &subject, refusal))
}

async fn look(
    gate: &Arc<Gate>,
    administrator: &Administrator,
    asked: Asked,
) -> Result<Value, AdminRefusal> {
    let now_ms = gate.clock().unix_ms();
    match asked {
        Asked::Approvals(of) => {
            let listed = approvals::listed(gate, of.id.as_deref()).await;
            told(&listed.map_err(|error| AdminRefusal::broken(&error))?)
        }
        Asked::Connections(of) => {
            let all = Connections::new(gate.rows.clone()).all(now_ms).await;
            let mut all = all.map_err(|error| AdminRefusal::broken(&error))?;
            all.retain(|one| of.user.as_ref().is_none_or(|user| one.user == *user));
            told(&all)
        }
        Asked::Consents(of) => {
            let agreed = authority::list(gate, &of.user).await;
            let agreed = agreed.map_err(|error| AdminRefusal::broken(&error))?;
            Ok(agreed.iter().map(consent).collect())
        }
        Asked::People(of) => {
            let people = gate.people.list(None, now_ms).into_iter();
            let people = people.filter(|person| {
                let user = of.user.as_deref();
                user.is_none_or(|user| person.user().as_str() == user)
            });
            Ok(people.map(|person| seen(&person, now_ms)).collect())
        }
        Asked::Revocations(_) => {
            let entries = gate.revocations.register().entries(now_ms).await;
            let mut entries = entries.map_err(|error| AdminRefusal::broken(&error))?;
            entries.retain(|entry| entry.lifted.is_none());
            told(&entries)
        }
        Asked::Sessions(wanted) => {
            let gate = Arc::clone(gate);
            // Many sessions take a while to look at, and calls are not to wait for it.
            let looked = tokio::task::spawn_blocking(move || Holdings::of(&gate, &wanted));
            told(&looked.await.map_err(|error| AdminRefusal::broken(&error))?)
        }
        Asked::Tools(of) => {
            let gate = Arc::clone(gate);
            let looked = tokio::task::spawn_blocking(move || tools(&gate, of.server.as_deref()));
            let looked = looked.await.map_err(|error| AdminRefusal::broken(&error))?;
            looked.map_err(|error| AdminRefusal::broken(&error))
        }
        Asked::History(of) => {
            let gate = Arc::clone(gate);
            let work = move || gate.pins.history(&of.server, &of.tool);
            let looked = tokio::task::spawn_blocking(work).await;
            let looked = looked.map_err(|error| AdminRefusal::broken(&error))?;
            let history = looked.map_err(|error| AdminRefusal::broken(&error))?;
            told(&history)
        }
        Asked::Whoami(_) => Ok(json!({
            "issuer": administrator.issuer,
            "user": administrator.user,
            "way": administrator.way.name(),
            "roles": administrator.roles,
            "operations": permitted(gate, administrator),
        })),
        Asked::ApproveTool(_)
        | Asked::Decide(_)
        | Asked::ForgetPasskey(_)
        | Asked::RevokeConsent(_)
        | Asked::EndBrowser(_)
        | Asked::Lift(_)
        | Asked::Revoke(_)
        | Asked::RevokeConnection(_)
        | Asked::RevokeTool(_)
        | Asked::RollBack(_) => Err(AdminRefusal::malformed("it changes something")),
    }
}

/// The operations that somebody may do.
pub(super) fn permitted(gate: &Gate, who: &Administrator) -> Vec<&'static str> {
    let runtime = gate.runtime();
    let all = Operation::ALL.into_iter();
    let permitted = all.filter(|it| runtime.office.allows(who, *it));
    permitted.map(Operation::name).collect()
}

/// What a user let a client do, as it is listed.
fn consent(agreed: &Agreed) -> Value {
    let consent = &agreed.consent;
    json!({
        "id": agreed.id,
        "client": consent.client_id,
        "name": consent.client_name,
        "vouched_by": consent.vouched_by,
        "redirect_uri": consent.redirect_uri,
        "resource": consent.resource,
        "scopes": consent.scopes,
        "given_s": consent.given_s,
        "families": agreed.families,
    })
}

/// A browser that is signed in, as it is listed.
fn seen(person: &Person, now_ms: u64) -> Value {
    json!({
        "session": person.session(),
        "user": person.user().as_str(),
        "issuer": person.issuer(),
        "subject": person.user_name(),
        "name": person.display_name(),
        "acr": person.context(),
        "amr": person.methods().collect::<Vec<_>>(),
        "age_ms": now_ms.saturating_sub(person.since_ms()),
        "idle_ms": now_ms.saturating_sub(person.used_ms()),
    })
}

fn tools(gate: &Gate, server: Option<&str>) -> Result<Value, PinsError> {
    let is_wanted = |name: &str| server.is_none_or(|server| server == name);
    let pins = gate.pins.all()?.into_iter();
    let pins = pins.filter(|(server, _, _)| is_wanted(server));
    let approved = pins.map(|(server, tool, pin)| {
        json!({ "server": server, "tool": tool, "digest": pin.digest, "by": pin.by, "at_ms": pin.at_ms })
    });
    let sightings = gate.pins.sightings()?.into_iter();
    let sightings = sightings.filter(|it| is_wanted(&it.server));
    let waiting = sightings.map(|it| {
        json!({
            "server": it.server, "tool": it.tool, "digest": it.digest, "why": it.why,
            "at_ms": it.at_ms, "definition": it.definition,
            "suspicions": inspect::poison::study(&it.definition),
        })
    });
    let (approved, waiting): (Vec<Value>, Vec<Value>) = (approved.collect(), waiting.collect());
    Ok(json!({ "approved": approved, "waiting": waiting }))
}

pub(super) fn told<T: Serialize>(value: &T) -> Result<Value, AdminRefusal> {
    serde_json::to_value(value).map_err(|error| AdminRefusal::broken(&error))
}

pub(super) async fn note(
    gate: &Gate,
    by: &By,
    operation: Operation,
    (subject, before, after): (&str, &str, &str),
) -> bool {
    let text = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned().into());
    let record = audit::Record {
        at_ms: gate.clock().unix_ms(),
        id: gate.next_id().into(),
        kind: match operation.effect() {
            Effect::Changes => audit::Kind::Change,
            Effect::Looks => audit::Kind::Event,
        },
        verdict: audit::Verdict::Allowed,
        subject: text(subject),
        who: Some(by.who()),
        event: Some(audit::Event {
            name: format!("admin.{}", operation.name()).into(),
            before: text(before),
            after: text(after),
            ..audit::Event::default()
        }),
        ..audit::Record::default()
    };
    gate.write_through(&record).await
}

fn note_refused(gate: &Gate, by: &By, operation: Operation, subject: &str, refused: &AdminRefusal) {
    let refusal = &refused.refusal;
    gate.write(&audit::Record {
        at_ms: gate.clock().unix_ms(),
        id: gate.next_id().into(),
        kind: audit::Kind::Event,
        verdict: audit::Verdict::Refused,
        subject: Some(subject.to_owned().into()),
        who: Some(by.who()),
        refusal: Some(audit::Refusal {
            code: refusal.code.into(),
            control: refusal.control.id().into(),
            fault: match refused.status.is_server_error() {
                true => audit::Fault::Us,
                false => audit::Fault::Caller,
            },
            reason: refusal.reason.to_string().into(),
        }),
        event: Some(audit::Event {
            name: format!("admin.{}", operation.name()).into(),
            ..audit::Event::default()
        }),
        ..audit::Record::default()
    });
}
