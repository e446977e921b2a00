//! What a server is shown so that it lets the gateway in: nothing, a secret of the operator, or a
//! token that was issued for this very server (controls 7.1, 2.3).
//!
//! A token is got by a grant, kept for one party, renewed once for all who wait, and shown to nobody
//! but its server. The token of a caller is never among what is shown: where it is exchanged, it goes
//! back to the issuer it came from, while the call that brought it is under way, and nowhere else.

mod agent;
mod connections;
mod discovered;
mod need;
mod own;
mod slots;
mod step_ups;
mod subject;

#[cfg(test)]
mod tests;

pub use agent::{Agent, Grant, Spec, World};
pub(crate) use connections::key as connection_name;
pub use connections::{About, Connections, Listed};
pub use discovered::{Bound, ClientSpec, Described, Idp, Undescribed};
pub use need::Need;
pub use own::{OwnClient, OwnClientError};
pub(crate) use step_ups::Asked;
pub(crate) use subject::{Carried, Subject};

use crate::secret::{Secret, SecretError};
use crate::upstream::{Owner, UpstreamError};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use identity::client::{At, Demand, Proof, Reason, TokenKind};
use slots::{Held, Slot};
use std::sync::Arc;
use tokio::time::Instant;

const PROOF: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What the gateway shows one server.
#[derive(Clone, Debug)]
pub enum Source {
    /// Nothing.
    Nothing,
    /// The same with every request.
    Fixed {
        /// The header that carries it.
        name: HeaderName,
        /// Its value.
        value: HeaderValue,
    },
    /// A token that is issued for the server.
    Issued(Arc<Agent>),
}

impl Source {
    /// A secret of the operator, as a bearer token.
    pub fn bearer(secret: &Secret) -> Result<Self, SecretError> {
        let (name, value) = (AUTHORIZATION, secret.header("Bearer ")?);
        Ok(Source::Fixed { name, value })
    }

    /// A secret of the operator, as the whole value of a header of its own.
    pub fn header(name: HeaderName, secret: &Secret) -> Result<Self, SecretError> {
        let value = secret.header("")?;
        Ok(Source::Fixed { name, value })
    }

    /// It, as one party uses it; nothing where all are the same.
    pub(crate) fn held_by(&self, owner: &Owner) -> Option<Holder> {
        match self {
            Source::Nothing | Source::Fixed { .. } => None,
            Source::Issued(agent) => Some(Holder {
                agent: Arc::clone(agent),
                owner: owner.clone(),
            }),
        }
    }

    /// Who gets the tokens, if it is tokens that are shown.
    pub fn agent(&self) -> Option<&Arc<Agent>> {
        match self {
            Source::Nothing | Source::Fixed { .. } => None,
            Source::Issued(agent) => Some(agent),
        }
    }
}

/// One party's way to be let in to one server.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    agent: Arc<Agent>,
    owner: Owner,
}

/// What one request shows.
#[derive(Debug)]
pub(crate) struct Shown {
    headers: Vec<(HeaderName, HeaderValue)>,
    slot: Arc<Slot>,
    held: Option<Arc<Held>>,
    proof: Option<Proof>,
    tried: Tried,
}

/// What was tried already for one request, each at most once.
#[derive(Clone, Copy, Debug, Default)]
struct Tried {
    nonce: bool,
    token: bool,
}

/// A request that the server turned down without executing it.
#[derive(Debug)]
pub(crate) struct TurnedDown {
    slot: Arc<Slot>,
    held: Option<Arc<Held>>,
    tried: Tried,
    demand: Demand,
    nonce: bool,
}

impl Shown {
    /// The headers that carry it.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }
}

impl Holder {
    /// What to show with a request: the token there is, renewed in time; nothing if there is
    /// none yet and the server has to say first whose it wants.
    pub(crate) async fn show(
        &self,
        asked: &Asked<'_>,
        deadline: Instant,
    ) -> Result<Shown, UpstreamError> {
        let (slot, held) = in_time(deadline, self.agent.token(&self.owner)).await?;
        self.shown((slot, held), Tried::default(), asked)
    }

    /// Notes what an answer says, and whether the server turned the request down.
    pub(crate) fn heard(
        &self,
        shown: Shown,
        asked: &Asked<'_>,
        (status, headers): (StatusCode, &HeaderMap),
    ) -> Option<TurnedDown> {
        if status.is_success() {
            shown.slot.step_ups.taken(asked);
        }
        let proofs = shown.held.as_ref().and_then(|held| held.proofs.as_ref());
        let nonce = headers.get(NONCE).and_then(|nonce| nonce.to_str().ok());
        if let (Some(proofs), Some(nonce)) = (proofs, nonce) {
            proofs.hear(At::Resource, nonce);
        }
        let outdated = match (proofs, &shown.proof) {
            (Some(proofs), Some(proof)) => proofs.is_outdated(proof),
            _ => false,
        };
        if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return None;
        }
        let challenges = headers.get_all(header::WWW_AUTHENTICATE).iter();
        let challenges: Option<Vec<&str>> = challenges.map(|text| text.to_str().ok()).collect();
        let demand = Demand::of(status.as_u16(), &challenges.unwrap_or_default())?;
        Some(TurnedDown {
            slot: shown.slot,
            held: shown.held,
            tried: shown.tried,
            demand,
            nonce: outdated,
        })
    }

    /// Something better to show, if there is: the same with the nonce that was asked for, or another
    /// token. Nothing if what the server said stands.
    pub(crate) async fn better(
        &self,
        down: TurnedDown,
        asked: &Asked<'_>,
        deadline: Instant,
    ) -> Result<Option<Shown>, UpstreamError> {
        let TurnedDown {
            slot,
            held,
            mut tried,
            demand,
            nonce,
        } = down;
        if nonce && held.is_some() && !std::mem::replace(&mut tried.nonce, true) {
            return self.shown((slot, held), tried, asked).map(Some);
        }
        if demand.reason() == Reason::Authentication
            && let Some(error) = self.agent.passed_on(demand.authentication())
        {
            return Err(error);
        }
        if std::mem::replace(&mut tried.token, true) {
            return Ok(None);
        }
        let better = self.agent.better(&self.owner, held, (&demand, asked));
        match in_time(deadline, better).await? {
            Some(held) => self.shown((slot, Some(held)), tried, asked).map(Some),
            None => Ok(None),
        }
    }

    fn shown(
        &self,
        (slot, held): (Arc<Slot>, Option<Arc<Held>>),
        tried: Tried,
        asked: &Asked<'_>,
    ) -> Result<Shown, UpstreamError> {
        let mut headers = Vec::new();
        let mut made = None;
        if let Some(held) = &held {
            headers.push((AUTHORIZATION, held.header.clone()));
            if let (TokenKind::Dpop, Some(proofs)) = (held.tokens.kind(), &held.proofs) {
                let now = self.agent.now();
                let token = Some(held.tokens.access());
                let proof =
                    proofs.proof(At::Resource, asked.method.as_str(), asked.url, now, token);
                let proof = proof.map_err(|_| no_proof())?;
                let value = HeaderValue::try_from(proof.as_str());
                headers.push((PROOF, value.map_err(|_| no_proof())?));
                made = Some(proof);
            }
        }
        Ok(Shown {
            headers,
            slot,
            held,
            proof: made,
            tried,
        })
    }
}

fn no_proof() -> UpstreamError {
    UpstreamError::Settings {
        reason: "no proof of possession could be signed".to_owned(),
    }
}

async fn in_time<T>(
    deadline: Instant,
    future: impl Future<Output = Result<T, UpstreamError>>,
) -> Result<T, UpstreamError> {
    match tokio::time::timeout_at(deadline, future).await {
        Ok(outcome) => outcome,
        Err(_) => Err(UpstreamError::Deadline),
    }
}
