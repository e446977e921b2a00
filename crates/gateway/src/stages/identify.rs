//! Who is calling: the token of this very message, verified for this very route, and the session it
//! names, found among this user's own (controls M1, M2, 8.2). A session proves nothing, and neither does a
//! token that is bound to a key, until whoever brings it has shown to hold that key (control 7.4).

mod possession;

use crate::credential::{Carried, Subject};
use crate::gate::Gate;
use crate::links::Introduction;
use crate::revocation::Barred;
use crate::route::Route;
use crate::sessions::{Admission, Full, Privileges, Session};
use crate::small::{hex, sha256};
use crate::stages::draft::{Draft, Stage};
use crate::stages::frame::Framed;
use crate::stages::inspect::clean_part;
use crate::stages::raw::Door;
use crate::stages::refused::{self, Refused};
use bytes::Bytes;
use config::settled::Possession;
use controls::{Action, Finding, Severity};
use http::{HeaderValue, header};
use identity::possession::Holder;
use identity::{Actor, Caller, Challenge, Scheme, TokenError};
use policy::Principal;
use protocol::mirror::{self, Mirrored, Mismatch, Sent, Why};
use protocol::modern::Envelope;
use protocol::{Document, Revision, Value};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A message and who sent it.
#[derive(Debug)]
pub struct Identified {
    framed: Framed,
    caller: Arc<Caller>,
    holder: Option<Holder>,
    principal: Principal,
    session: Option<Arc<Session>>,
}

impl Identified {
    /// The verified caller.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// Who holds what the token is bound to, if it is bound: what is kept for the caller is kept for
    /// them alone.
    pub fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
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
    let (caller, scheme) = authenticate(gate, &framed).await?;
    draft.caller = Some(Arc::clone(&caller));
    draft.ran(controls::M1);
    draft.ran(controls::M2);
    draft.ran(controls::N7_2);
    not_revoked(gate, &framed, &caller, scheme)?;
    draft.ran(controls::N8_3);
    possession::prove(gate, &framed, &caller, scheme, draft).await?;
    scopes(&framed, &caller, scheme)?;
    mirrored(&framed, &caller, draft)?;
    let principal = principal(gate, &caller)?;
    let holder = caller.confirmation().holder();
    let session = match framed.envelope() {
        Some(envelope) => Some(standing(gate, &framed, &caller, &envelope, draft).await?),
        None if framed.is_modern() => None,
        None => session(gate, &framed, &caller, draft)?,
    };
    if let Some(session) = &session {
        draft.revision = Some(session.revision().date());
        draft.session = Some(Arc::clone(session));
    }
    draft.ran(controls::N8_2);
    draft.done(Stage::Identify);
    Ok(Identified {
        framed,
        caller,
        holder,
        principal,
        session,
    })
}

/// The caller that the token of this message names, and how it was brought; nothing where the operating
/// system has said who it is.
async fn authenticate(
    gate: &Gate,
    framed: &Framed,
) -> Result<(Arc<Caller>, Option<Scheme>), Refused> {
    let raw = framed.raw();
    let (headers, query) = match &raw.door {
        Door::Stdio { user, .. } => return Ok((Arc::new(Caller::local(user)), None)),
        Door::Http { headers, query, .. } => (headers, query.as_deref()),
    };
    let route = raw.route();
    let values = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes);
    let (scheme, token) = identity::bearer(values, query).map_err(|error| {
        let challenges = challenges(framed, None, error.challenge_error(), &error);
        refused::bearer(&error, challenges)
    })?;
    let runtime = gate.runtime();
    // Not the moment it arrived: whoever holds a body back must not make a token or a proof younger.
    let now = gate.clock().unix_ms() / 1000;
    let caller = match runtime.issuers.verify_cached(token, &route.audience, now) {
        Some(caller) => caller,
        None => {
            let issuers = Arc::clone(&runtime.issuers);
            drop(runtime);
            let verified = issuers.verify(token, &route.audience, now).await;
            verified.map_err(|error| match error {
                TokenError::IssuerUnavailable => refused::issuer_away(&error),
                error => {
                    let why = error.challenge_error();
                    let challenges = challenges(framed, Some(scheme), why, &error);
                    refused::token(&error, challenges)
                }
            })?
        }
    };
    if route.exchanges() {
        let subject = Subject::of(&caller, token).map_err(|_| refused::crashed())?;
        Carried::put(subject);
    }
    Ok((caller, Some(scheme)))
}

/// That neither the token nor whoever it speaks for was revoked. What nobody can tell is no yes.
fn not_revoked(
    gate: &Gate,
    framed: &Framed,
    caller: &Caller,
    scheme: Option<Scheme>,
) -> Result<(), Refused> {
    gate.revocations
        .check(caller)
        .map_err(|barred| match barred {
            Barred::Unreadable => refused::revocations_unreadable(),
            Barred::Revoked => {
                let text = "the token was revoked";
                refused::token_revoked(challenges(framed, scheme, Some("invalid_token"), &text))
            }
        })
}

/// That the token has every scope of the route. A local caller has no token, and its route no scopes.
fn scopes(framed: &Framed, caller: &Caller, scheme: Option<Scheme>) -> Result<(), Refused> {
    let route = framed.raw().route();
    let mut scopes = route.scopes.iter();
    if scheme.is_none() || scopes.all(|scope| caller.scopes().contains(scope)) {
        return Ok(());
    }
    let text = "the token lacks a scope";
    let challenges = challenges(framed, scheme, Some("insufficient_scope"), &text);
    Err(refused::scope_missing(&route.scopes.join(" "), challenges))
}

/// `WWW-Authenticate`, once for each way in which the route takes tokens: where the metadata lies, which
/// scopes are needed, and what was wrong, said of the way that was tried (rule A2; RFC 9449, section 7.1).
fn challenges(
    framed: &Framed,
    tried: Option<Scheme>,
    error: Option<&'static str>,
    description: &dyn fmt::Display,
) -> Vec<HeaderValue> {
    let say = |challenge: Challenge| challenge.error(error, description);
    challenges_of(framed.raw().route(), tried, say)
}

/// The same of a route: `say` adds what was wrong.
pub(super) fn challenges_of(
    route: &Route,
    tried: Option<Scheme>,
    say: impl Fn(Challenge) -> Challenge,
) -> Vec<HeaderValue> {
    let ways: &[Scheme] = match (route.possession, tried) {
        (Possession::None | Possession::Any, _) => &[Scheme::Bearer, Scheme::Dpop],
        // A token may be bound to a key beside the certificate, and comes with a proof then.
        (Possession::Certificate, Some(Scheme::Dpop)) => &[Scheme::Bearer, Scheme::Dpop],
        (Possession::Certificate, _) => &[Scheme::Bearer],
        (Possession::Dpop, _) => &[Scheme::Dpop],
    };
    let tried = tried.filter(|tried| ways.contains(tried));
    let ways = ways.iter().map(|way| {
        let challenge = Challenge::new(&*route.metadata_url).scopes(&route.scopes);
        let challenge = match way {
            Scheme::Bearer => challenge,
            Scheme::Dpop => challenge.with_proof(&route.proofs.algorithms),
        };
        match tried {
            Some(tried) if tried != *way => challenge,
            _ => say(challenge),
        }
    });
    ways.filter_map(|challenge| HeaderValue::try_from(challenge.to_string()).ok())
        .collect()
}

/// The caller as policy sees them, built once for all that is the same in policy's eyes.
fn principal(gate: &Gate, caller: &Caller) -> Result<Principal, Refused> {
    if let Some(principal) = gate.principals.get(caller.standing()) {
        return Ok(principal);
    }
    let runtime = Arc::clone(&gate.runtime());
    let groups = match caller.groups() {
        identity::Groups::Known(groups) => policy::Groups::Known(groups.clone()),
        identity::Groups::Unknown(_) => policy::Groups::Unknown,
    };
    let principal = Principal::new(policy::Caller {
        issuer: caller.issuer().to_owned(),
        user: caller.user_name().to_owned(),
        kind: match caller.kind() {
            identity::Kind::User => policy::CallerKind::User,
            identity::Kind::Workload => policy::CallerKind::Workload,
        },
        actors: caller.actors().iter().map(Actor::to_string).collect(),
        client: caller.client().unwrap_or_default().to_owned(),
        groups,
        scopes: caller.scopes().to_vec(),
        claims: runtime.attributes.read(caller),
        key: caller.confirmation().key.map(|it| it.to_string()),
        certificate: caller.confirmation().certificate.map(|it| it.to_string()),
    })
    .map_err(|error| refused::caller_unusable(&error))?;
    let standing = *caller.standing();
    gate.principals.insert(standing, principal.clone());
    // A reload forgets what was read by other rules; what came too late for that goes now.
    if !Arc::ptr_eq(&runtime, &gate.runtime()) {
        gate.principals.remove(&standing);
    }
    Ok(principal)
}

/// Headers that the body does not bear out are forgiven to nobody but the clients that the route names
/// for this very mistake; the body alone counts then, and the record says so (rules H7, H10).
pub(super) fn mirrored(framed: &Framed, caller: &Caller, draft: &mut Draft) -> Result<(), Refused> {
    let mut mismatches = framed.mismatches().iter();
    mismatches.try_for_each(|mismatch| forgiven(framed, caller, mismatch, draft))
}

/// Everything that headers say wrong. A check stops at the first mistake, and whoever forgives one has
/// not forgiven another: so each is put right, and the headers are looked at again.
pub(super) fn mismatches<'h>(
    right: &'h [(String, String)],
    sent: impl Fn(&str) -> Sent<'h>,
    check: impl Fn(&dyn Fn(&str) -> Sent<'h>) -> Result<(), Mismatch>,
) -> Vec<Mismatch> {
    let mut wrong: Vec<Box<str>> = Vec::new();
    let mut found = Vec::new();
    loop {
        let put_right = |name: &str| {
            if !wrong.iter().any(|known| **known == *name) {
                return sent(name);
            }
            let value = right.iter().find(|(known, _)| known == name);
            value.map_or(Sent::Absent, |(_, value)| Sent::Once(value.as_bytes()))
        };
        let Err(mismatch) = check(&put_right) else {
            return found;
        };
        let header: Box<str> = match mismatch.header() {
            Mirrored::Version => mirror::VERSION.into(),
            Mirrored::Method => mirror::METHOD.into(),
            Mirrored::Name => mirror::NAME.into(),
            Mirrored::Param(header) => header.clone(),
        };
        // What cannot be put right is found once.
        if wrong.contains(&header) {
            return found;
        }
        wrong.push(header);
        found.push(mismatch);
    }
}

/// Whether this client may make this mistake here.
pub(super) fn forgiven(
    framed: &Framed,
    caller: &Caller,
    mismatch: &Mismatch,
    draft: &mut Draft,
) -> Result<(), Refused> {
    use config::settled::HeaderMistake as Mistake;
    let mistake = match (mismatch.header(), mismatch.why()) {
        (Mirrored::Version, _) | (_, Why::Repeated) => None,
        (Mirrored::Method, Why::Missing) => Some(Mistake::MissingMethod),
        (Mirrored::Method, _) => Some(Mistake::WrongMethod),
        (Mirrored::Name, Why::Missing) => Some(Mistake::MissingName),
        (Mirrored::Name, _) => Some(Mistake::WrongName),
        (Mirrored::Param(_), Why::Missing) => Some(Mistake::MissingParams),
        (Mirrored::Param(_), _) => Some(Mistake::WrongParams),
    };
    let protocol = &framed.raw().route().settled.protocol;
    let forgiven = mistake.is_some_and(|mistake| protocol.forgives(caller.client(), mistake));
    draft.findings.push(Finding {
        control: controls::N3_4,
        rule: "header_mirror".into(),
        severity: Severity::Low,
        place: mismatch.to_string().into(),
        count: 1,
        action: match forgiven {
            true => Action::Report,
            false => Action::Refuse,
        },
    });
    match forgiven {
        true => Ok(()),
        false => Err(refused::header_mismatch(mismatch)),
    }
}

/// What is kept for this stateless client, made if there is nothing yet: the upstream ends that its
/// requests share. Other capabilities, another client or another agent have ends of their own, since
/// a legacy server is told those once and for all (table 3.1).
async fn standing(
    gate: &Gate,
    framed: &Framed,
    caller: &Caller,
    envelope: &Envelope<'_>,
    draft: &Draft,
) -> Result<Arc<Session>, Refused> {
    let route = framed.raw().route();
    let user = caller.user().as_str();
    let name = known_by(route, caller, envelope);
    let find = |name: &str| {
        let found = gate.sessions.find(user, name, draft.at_ms());
        found.filter(|session| session.is_of(&route.servers))
    };
    let name = match find(&name) {
        Some(session) if session.admits(caller) == Admission::Same => return Ok(session),
        None => name,
        // Somebody who may do less was here first, and what a server told them, or holds for them, is
        // theirs: whoever may do more has upstream ends of their own.
        Some(_) => {
            let name = format!("{name}+{}", Privileges::of(caller).name());
            match find(&name) {
                Some(session) if session.admits(caller) == Admission::Same => return Ok(session),
                _ => name,
            }
        }
    };
    let introduction = Introduction {
        revision: framed.version().unwrap_or(Revision::V2026_07_28),
        capabilities: clean_part(route, envelope.capabilities.raw())
            .and_then(|offered| copy(route, &offered)),
        info: envelope
            .client_info
            .and_then(|info| clean_part(route, info.raw())),
    };
    let session = Session::of(route, caller, introduction, name, draft.at_ms());
    match gate.sessions.open(session, draft.at_ms()) {
        Ok(session) => Ok(session),
        Err((session, Full::User)) => {
            // Nobody waits for the idlest; its place is free once it is gone.
            let idlest = gate.sessions.idlest(user, &route.path);
            let idlest = idlest.ok_or_else(|| refused::sessions_full(route.lifetime.per_user))?;
            gate.sessions.end(&idlest).await;
            gate.sessions
                .open(*session, draft.at_ms())
                .map_err(|_| refused::sessions_full(route.lifetime.per_user))
        }
        Err((_, Full::Gateway)) => Err(refused::gateway_full()),
    }
}

/// A name that no client can send: it is no text that a session header may carry.
fn known_by(route: &Route, caller: &Caller, envelope: &Envelope<'_>) -> String {
    let info = envelope.client_info.map(Value::raw).unwrap_or_default();
    let holder = caller.confirmation().holder();
    let parts: [&[u8]; 5] = [
        route.path.as_bytes(),
        caller.client().unwrap_or_default().as_bytes(),
        holder.as_ref().map_or(&[], <[u8; _]>::as_slice),
        envelope.capabilities.raw(),
        info,
    ];
    let mut whole = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        whole.extend_from_slice(&(part.len() as u64).to_le_bytes());
        whole.extend_from_slice(part);
    }
    format!("\u{7f}{}", hex(&sha256(&whole)))
}

/// A document of its own, so that no whole message is kept alive for it.
pub(super) fn copy(route: &Route, raw: &[u8]) -> Option<Document> {
    Document::read(Bytes::copy_from_slice(raw), &route.reading).ok()
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
    // One that was opened while its servers were being replaced is gone with them; and what stands
    // for a stateless client is no session that anybody could name.
    let servers = &framed.raw().route().servers;
    let found = found.filter(|session| session.is_of(servers) && !session.is_stateless());
    // Neither is one that somebody with another key opened: a thief of a session has the key of their own.
    let holder = caller.confirmation().holder();
    let found = found.filter(|session| session.is_held_by(holder.as_ref()));
    let session = found.ok_or_else(refused::session_unknown)?;
    if session.route() != &*framed.raw().route().path || session.client() != caller.client() {
        return Err(refused::session_elsewhere());
    }
    match session.admits(caller) {
        Admission::Same => {}
        Admission::Foreign => return Err(refused::session_unknown()),
        Admission::Outgrown => {
            gate.sessions.retire(&session);
            return Err(refused::session_outgrown());
        }
    }
    match framed.version() {
        Some(version) if version != session.revision() => Err(refused::version_differs(
            version.date(),
            session.revision().date(),
        )),
        _ => Ok(Some(session)),
    }
}
