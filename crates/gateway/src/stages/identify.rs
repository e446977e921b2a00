//! Who is calling: the token of this very message, verified for this very route, and the session it
//! names, found among this user's own (controls M1, M2, 8.2). A session proves nothing.

use crate::gate::Gate;
use crate::sessions::Session;
use crate::stages::draft::{Draft, Stage};
use crate::stages::frame::Framed;
use crate::stages::raw::Door;
use crate::stages::refused::{self, Refused};
use http::{HeaderValue, header};
use identity::{Caller, Challenge, TokenError};
use policy::Principal;
use std::ops::Deref;
use std::sync::Arc;

/// A message and who sent it.
#[derive(Debug)]
pub struct Identified {
    framed: Framed,
    caller: Arc<Caller>,
    principal: Principal,
    session: Option<Arc<Session>>,
}

impl Identified {
    /// The verified caller.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// The caller as policy sees them.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The caller's own session, if the message names one.
    pub fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref()
    }

    pub(super) fn framed_mut(&mut self) -> &mut Framed {
        &mut self.framed
    }
}

impl Deref for Identified {
    type Target = Framed;

    fn deref(&self) -> &Framed {
        &self.framed
    }
}

/// Verifies the token, then finds the session.
pub async fn verify(gate: &Gate, framed: Framed, draft: &mut Draft) -> Result<Identified, Refused> {
    let caller = authenticate(gate, &framed, draft).await?;
    draft.caller = Some(Arc::clone(&caller));
    draft.ran(controls::M1);
    draft.ran(controls::M2);
    draft.ran(controls::N7_2);
    let principal = principal(gate, &caller)?;
    let session = session(gate, &framed, &caller, draft)?;
    if let Some(session) = &session {
        draft.revision = Some(session.revision().date());
        draft.session = Some(Arc::clone(session));
    }
    draft.ran(controls::N8_2);
    draft.done(Stage::Identify);
    Ok(Identified {
        framed,
        caller,
        principal,
        session,
    })
}

async fn authenticate(gate: &Gate, framed: &Framed, draft: &Draft) -> Result<Arc<Caller>, Refused> {
    let raw = framed.raw();
    let (headers, query) = match &raw.door {
        Door::Stdio { user, .. } => return Ok(Arc::new(Caller::local(user))),
        Door::Http { headers, query, .. } => (headers, query.as_deref()),
    };
    let route = raw.route();
    let values = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes);
    let token = identity::bearer(values, query).map_err(|error| {
        refused::bearer(
            &error,
            challenge(framed, error.challenge_error(), &error.to_string()),
        )
    })?;
    let runtime = gate.runtime();
    let now = draft.at_ms() / 1000;
    let caller = match runtime.issuers.verify_cached(token, &route.audience, now) {
        Some(caller) => caller,
        None => {
            let issuers = Arc::clone(&runtime.issuers);
            drop(runtime);
            let verified = issuers.verify(token, &route.audience, now).await;
            verified.map_err(|error| match error {
                TokenError::IssuerUnavailable => refused::issuer_away(&error),
                error => refused::token(
                    &error,
                    challenge(framed, error.challenge_error(), &error.to_string()),
                ),
            })?
        }
    };
    let lacking = route
        .scopes
        .iter()
        .any(|scope| !caller.scopes().contains(scope));
    if lacking {
        let text = "the token lacks a scope";
        let challenge = challenge(framed, Some("insufficient_scope"), text);
        return Err(refused::scope_missing(&route.scopes.join(" "), challenge));
    }
    Ok(caller)
}

/// `WWW-Authenticate`: where the metadata lies, which scopes are needed, what was wrong (rule A2).
fn challenge(
    framed: &Framed,
    error: Option<&'static str>,
    description: &str,
) -> Option<HeaderValue> {
    let route = framed.raw().route();
    let challenge = Challenge::new(&*route.metadata_url)
        .scopes(&route.scopes)
        .error(error, description);
    HeaderValue::try_from(challenge.to_string()).ok()
}

/// The caller as policy sees them, built once per token.
fn principal(gate: &Gate, caller: &Caller) -> Result<Principal, Refused> {
    if let Some(principal) = gate.principals.get(caller.token_digest()) {
        return Ok(principal);
    }
    let groups = match caller.groups() {
        identity::Groups::Known(groups) => policy::Groups::Known(groups.clone()),
        identity::Groups::Unknown(_) => policy::Groups::Unknown,
    };
    let principal = Principal::new(policy::Caller {
        issuer: caller.issuer().to_owned(),
        user: caller.subject().to_owned(),
        client: caller.client().unwrap_or_default().to_owned(),
        groups,
        scopes: caller.scopes().to_vec(),
        claims: crate::claims::of(caller.claims()),
    })
    .map_err(|error| refused::caller_unusable(&error))?;
    gate.principals
        .insert(*caller.token_digest(), principal.clone());
    Ok(principal)
}

fn session(
    gate: &Gate,
    framed: &Framed,
    caller: &Caller,
    draft: &Draft,
) -> Result<Option<Arc<Session>>, Refused> {
    let named = framed.raw().session_id()?;
    let opens = framed.opens();
    let Some(id) = named else {
        return if opens {
            Ok(None)
        } else {
            Err(refused::session_missing())
        };
    };
    if opens {
        return Err(refused::session_again());
    }
    let found = gate
        .sessions
        .find(caller.user().as_str(), id, draft.at_ms());
    // A session that was opened while its server was being replaced is gone with that server.
    let found = found.filter(|session| session.is_of(&framed.raw().route().server));
    let session = found.ok_or_else(refused::session_unknown)?;
    if session.route() != &*framed.raw().route().path || session.client() != caller.client() {
        return Err(refused::session_elsewhere());
    }
    match framed.version() {
        Some(version) if version != session.revision() => Err(refused::version_differs(
            version.date(),
            session.revision().date(),
        )),
        _ => Ok(Some(session)),
    }
}
