//! The caller's own token, for as long as the stages of its call run: some grants exchange it at the
//! issuer it came from. It is in no session and no link; a stream that outlives its call has none.

use identity::client::{ClientError, Speaks, SubjectToken};
use identity::{Caller, Kind};
use std::cell::OnceCell;
use std::sync::Arc;
use zeroize::Zeroizing;

tokio::task_local! {
    static CARRIED: OnceCell<Subject>;
}

/// The token that a call came with, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    token: Arc<SubjectToken>,
    digest: [u8; 32],
    expires_at: u64,
}

/// The place of the token of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carried;

impl Subject {
    /// The token that was verified for this caller.
    pub(crate) fn of(caller: &Caller, token: &str) -> Result<Self, ClientError> {
        let text = Zeroizing::new(token.to_owned());
        Ok(Subject {
            token: Arc::new(SubjectToken::of(caller, text, speaks(caller))?),
            digest: *caller.token_digest(),
            expires_at: caller.expires_at(),
        })
    }

    /// The token, which goes to its issuer only.
    pub(crate) fn token(&self) -> &SubjectToken {
        &self.token
    }

    /// Tells it from every other one.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// When it is over, in unix seconds: so is what was got for it.
    pub(crate) fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// The one of the call under way, if it carries one.
    pub(crate) fn of_this_call() -> Option<Self> {
        let known = CARRIED.try_with(|carried| carried.get().cloned());
        known.ok().flatten()
    }
}

impl Carried {
    /// Runs the stages of a call. What they note with [`Carried::put`] is gone when they are done. No
    /// `async fn`: it would hold room for the stages twice.
    pub(crate) fn during<F: Future>(stages: F) -> impl Future<Output = F::Output> {
        CARRIED.scope(OnceCell::new(), stages)
    }

    /// Notes the token of this call.
    pub(crate) fn put(subject: Subject) {
        // A call is identified once; outside of one there is nowhere to put it.
        let _ = CARRIED.try_with(|carried| carried.set(subject));
    }

    /// The same future for a task of its own that this call waits for.
    pub(crate) fn along<F: Future>(future: F) -> impl Future<Output = F::Output> {
        let cell = OnceCell::new();
        if let Some(subject) = Subject::of_this_call() {
            let _ = cell.set(subject);
        }
        CARRIED.scope(cell, future)
    }
}

fn speaks(caller: &Caller) -> Speaks {
    match caller.kind() {
        Kind::User => Speaks::Person,
        Kind::Workload => Speaks::Workload,
    }
}
