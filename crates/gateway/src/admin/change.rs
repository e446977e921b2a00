//! The operations that change something. Each is written down before it is done, with what was there and
//! what is to be.

use super::act::{By, note, told};
use super::input::{ApproveTool, Decide, Grant, OneConsent, OneTool, Revoke, Word};
use super::{AdminRefusal, Asked, Operation, break_glass};
use crate::approvals::{self, Said, SayError};
use crate::authority;
use crate::credential::Connections;
use crate::gate::Gate;
use crate::people::Person;
use crate::pins::{Pin, Pins, PinsError};
use crate::revocation::{Order, Origin, RegisterError, Target};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// A change that policy permits.
pub(super) struct Change<'a> {
    pub(super) gate: &'a Arc<Gate>,
    pub(super) by: &'a By,
    pub(super) operation: Operation,
    /// What it is about, for the record.
    pub(super) subject: String,
}

impl Change<'_> {
    /// Does it, and says what came of it.
    pub(super) async fn done(&self, asked: Asked) -> Result<Value, AdminRefusal> {
        match asked {
            Asked::ApproveTool(tool) => self.approve_tool(tool).await,
            Asked::Decide(decide) => self.decide(decide).await,
            Asked::EndBrowser(one) => self.end_browser(&one.session).await,
            Asked::ForgetPasskey(_) => self.forget_passkey().await,
            Asked::Lift(lift) => self.lift(&lift.id).await,
            Asked::Revoke(revoke) => self.revoke(revoke).await,
            Asked::RevokeConnection(grant) => self.revoke_connection(grant).await,
            Asked::RevokeConsent(one) => self.revoke_consent(one).await,
            Asked::RevokeTool(tool) => self.revoke_tool(tool).await,
            Asked::RollBack(tool) => self.roll_back(tool).await,
            Asked::Approvals(_)
            | Asked::Connections(_)
            | Asked::Consents(_)
            | Asked::History(_)
            | Asked::People(_)
            | Asked::Revocations(_)
            | Asked::Sessions(_)
            | Asked::Tools(_)
            | Asked::Whoami(_) => Err(AdminRefusal::malformed("it changes nothing")),
        }
    }

    /// What cannot be written down is not done. It is on disk before anything is: whoever is told that it
    /// was done can look it up, whatever happens to the gateway.
    async fn written(&self, before: &str, after: &str) -> Result<(), AdminRefusal> {
        let about = (&*self.subject, before, after);
        match note(self.gate, self.by, self.operation, about).await {
            true => Ok(()),
            false => Err(AdminRefusal::unrecorded()),
        }
    }

    async fn decide(&self, decide: Decide) -> Result<Value, AdminRefusal> {
        let who = match self.by {
            By::Owner(name) => approvals::Who::Operator(name),
            By::Person(person, _) => approvals::Who::Person(person),
        };
        let said = match decide.decision {
            Word::Approve => {
                self.written("waiting", "approved").await?;
                Said::Approve
            }
            Word::Decline => {
                self.written("waiting", &format!("declined: {}", decide.why))
                    .await?;
                Said::Decline(decide.why)
            }
        };
        let about = (&*decide.id, decide.asked_ms);
        let decided = approvals::say(self.gate, who, about, said).await;
        told(&decided.map_err(|error| of_approvals(self.gate, &decide.id, &error))?)
    }

    async fn end_browser(&self, session: &str) -> Result<Value, AdminRefusal> {
        let is_it = |person: &Person| person.session() == session;
        let found = self.gate.people.list(None, self.gate.clock().unix_ms());
        if !found.iter().any(|person| is_it(person)) {
            let told = "no browser is signed in with that session";
            return Err(AdminRefusal::unknown(told));
        }
        self.written("signed in", "signed out").await?;
        Ok(json!({ "ended": self.gate.people.end_where(is_it) }))
    }

    async fn forget_passkey(&self) -> Result<Value, AdminRefusal> {
        self.written("", "forgotten").await?;
        let forgotten = break_glass::forget(self.gate).await;
        let forgotten = forgotten.map_err(|error| AdminRefusal::broken(&error))?;
        Ok(json!({ "forgotten": forgotten }))
    }

    async fn revoke(&self, asked: Revoke) -> Result<Value, AdminRefusal> {
        let how = match asked.block {
            true => "revoked and blocked",
            false => "revoked",
        };
        self.written("", &format!("{how}: {}", asked.why)).await?;
        self.revoked(asked).await
    }

    async fn revoke_connection(&self, grant: Grant) -> Result<Value, AdminRefusal> {
        let now_ms = self.gate.clock().unix_ms();
        let kept = Connections::new(self.gate.rows.clone()).all(now_ms).await;
        let kept = kept.map_err(|error| AdminRefusal::broken(&error))?;
        if !kept.iter().any(|one| one.name == grant.name) {
            return Err(AdminRefusal::unknown("no connection has that name"));
        }
        self.written("connected", &format!("revoked: {}", grant.why))
            .await?;
        let revoke = Revoke {
            target: Target::Grant { name: grant.name },
            block: false,
            why: grant.why,
        };
        self.revoked(revoke).await
    }

    async fn revoke_consent(&self, one: OneConsent) -> Result<Value, AdminRefusal> {
        self.written("agreed", "revoked").await?;
        let revoked = authority::revoke(self.gate, &one.user, &one.id, &self.by.name()).await;
        match revoked.map_err(|error| AdminRefusal::broken(&error))? {
            true => Ok(json!({ "revoked": one.id })),
            false => Err(AdminRefusal::unknown(
                "nothing was agreed to under that name",
            )),
        }
    }

    async fn lift(&self, id: &str) -> Result<Value, AdminRefusal> {
        self.written("revoked", "lifted").await?;
        let now_ms = self.gate.clock().unix_ms();
        let revocations = &self.gate.revocations;
        let lifted = revocations.lift(id, &self.by.name(), now_ms).await;
        let lifted = lifted.map_err(|error| of_register(&error))?;
        told(&lifted.ok_or_else(|| AdminRefusal::unknown("nothing is revoked by that id"))?)
    }

    async fn approve_tool(&self, tool: ApproveTool) -> Result<Value, AdminRefusal> {
        self.written("waiting", &tool.digest.to_string()).await?;
        let (gate, by) = (Arc::clone(self.gate), self.by.name());
        let approved = tokio::task::spawn_blocking(move || approved(&gate, by, &tool));
        let approved = approved.await;
        let approved = approved.map_err(|error| AdminRefusal::broken(&error))?;
        approved.map_err(|error| AdminRefusal::broken(&error))??;
        Ok(json!({ "approved": self.subject }))
    }

    async fn revoke_tool(&self, tool: OneTool) -> Result<Value, AdminRefusal> {
        self.written("approved", "revoked").await?;
        let revoked = self
            .pins(move |pins| pins.revoke(&tool.server, &tool.tool))
            .await?;
        match revoked {
            true => Ok(json!({ "revoked": self.subject })),
            false => Err(AdminRefusal::unknown("no such definition is approved")),
        }
    }

    async fn roll_back(&self, tool: ApproveTool) -> Result<Value, AdminRefusal> {
        self.written("", &format!("rolled back to {}", tool.digest))
            .await?;
        let (by, now_ms) = (self.by.name(), self.gate.clock().unix_ms());
        let back = move |pins: &Pins| {
            let to = (tool.digest, by.as_str(), now_ms);
            pins.roll_back(&tool.server, &tool.tool, to)
        };
        match self.pins(back).await? {
            Some(pin) => Ok(json!({ "approved": self.subject, "digest": pin.digest })),
            None => Err(AdminRefusal::unknown(
                "no definition with that digest was approved before",
            )),
        }
    }

    /// Changes the pins where blocking is allowed; everything of the servers is looked at again.
    async fn pins<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Pins) -> Result<T, PinsError> + Send + 'static,
    ) -> Result<T, AdminRefusal> {
        let gate = Arc::clone(self.gate);
        let done = tokio::task::spawn_blocking(move || {
            let done = change(&gate.pins);
            let runtime = gate.runtime();
            runtime
                .servers
                .values()
                .for_each(|served| served.distrust());
            done
        });
        let done = done.await.map_err(|error| AdminRefusal::broken(&error))?;
        done.map_err(|error| AdminRefusal::broken(&error))
    }

    /// Revokes this, in force when it returns.
    async fn revoked(&self, asked: Revoke) -> Result<Value, AdminRefusal> {
        let now_ms = self.gate.clock().unix_ms();
        let order = Order {
            target: asked.target,
            at_ms: now_ms,
            block: asked.block,
            origin: Origin::Operator,
            why: asked.why,
            by: self.by.name(),
        };
        let entry = self.gate.revocations.add(order, now_ms).await;
        told(&entry.map_err(|error| of_register(&error))?)
    }
}

/// Approves exactly this definition, if it waits and its name means nothing else.
fn approved(
    gate: &Gate,
    by: String,
    tool: &ApproveTool,
) -> Result<Result<(), AdminRefusal>, PinsError> {
    let waits = gate.pins.sighting(&tool.server, &tool.tool)?;
    let Some(waits) = waits.filter(|it| it.digest == tool.digest) else {
        let unknown = AdminRefusal::unknown("no definition with that digest waits");
        return Ok(Err(unknown));
    };
    if waits.is_ambiguous() {
        return Ok(Err(AdminRefusal::new(
            ("admin_ambiguous", StatusCode::CONFLICT),
            controls::N9_2,
            &format!("it {}", waits.why),
            "have its server give each a name of its own",
        )));
    }
    let pin = Pin {
        digest: waits.digest,
        definition: waits.definition,
        at_ms: gate.clock().unix_ms(),
        by,
    };
    gate.pins.approve(&tool.server, &tool.tool, &pin)?;
    if let Some(served) = gate.runtime().servers.get(&*tool.server) {
        served.distrust();
    }
    Ok(Ok(()))
}

fn of_approvals(gate: &Gate, id: &str, error: &SayError) -> AdminRefusal {
    let refused = |code, status, remedy| {
        AdminRefusal::new((code, status), controls::N2_4, &error.to_string(), remedy)
    };
    match error {
        SayError::Denied => refused(
            "approval_denied",
            StatusCode::FORBIDDEN,
            "ask for a policy that permits `approve` on this tool",
        ),
        SayError::Weak => refused(
            "approval_weak",
            StatusCode::FORBIDDEN,
            "sign in more strongly on the page of the call",
        )
        .at(gate.path_of(&format!("{}/{id}", approvals::Place::PATH))),
        _ if error.is_unknown() => AdminRefusal::unknown("no call waits under that name"),
        _ if error.is_decision() => refused(
            "approval_decision",
            StatusCode::CONFLICT,
            "look at the call again",
        ),
        _ => AdminRefusal::broken(error),
    }
}

fn of_register(error: &RegisterError) -> AdminRefusal {
    match error {
        RegisterError::Blocked(_) | RegisterError::Digest(_) | RegisterError::Text(_) => {
            AdminRefusal::malformed(&error.to_string())
        }
        RegisterError::Key(_) | RegisterError::State(_) => AdminRefusal::broken(error),
    }
}
