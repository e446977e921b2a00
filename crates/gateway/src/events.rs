//! What issuers tell unasked: security events (RFC 8417, pushed as RFC 8935 has it) and logout tokens
//! (OpenID Connect Back-Channel Logout 1.0). What was opened before ends; nothing is ever permitted by
//! an event. The listener brings the bytes and takes the answer away.

mod meaning;

use crate::gate::Gate;
use crate::revocation::RegisterError;
use crate::secret::{self, Secret, SecretError};
use crate::state::{Mark, Once, Space};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use config::settled::Settled;
use identity::{Speaker, Statement, StatementError, StatementKind};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// Where issuers deliver, and who they are.
#[derive(Debug, Default)]
pub struct Events {
    places: HashMap<Box<str>, Arc<Place>>,
}

/// One path, and everybody who delivers there.
#[derive(Debug)]
pub struct Place {
    kind: StatementKind,
    transmitters: Vec<Transmitter>,
    /// One delivery is acted on at a time: the same that comes twice at once is not acknowledged before
    /// the first of them has taken effect.
    acting: Mutex<()>,
}

/// An issuer that delivers.
#[derive(Debug)]
struct Transmitter {
    issuer: Box<str>,
    audience: Box<str>,
    /// The claim of its tokens that names the user.
    claim: Box<str>,
    secret: Option<Secret>,
}

/// What becomes of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken, now or before.
    Taken,
    /// It is not good, and will not be if it comes again.
    Refused(Fault),
    /// It could not be taken now: it should come again.
    Later,
}

/// What is wrong with a delivery, in the words of RFC 8935 section 2.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `err`.
    pub code: &'static str,
    /// `description`.
    pub description: String,
}

impl Fault {
    fn new(code: &'static str, description: impl Into<String>) -> Self {
        Fault {
            code,
            description: description.into(),
        }
    }

    /// It is not what it should be.
    pub fn request(description: impl Into<String>) -> Self {
        Fault::new("invalid_request", description)
    }
}

impl Events {
    /// The places of a configuration.
    pub(crate) fn of(settled: &Settled) -> Result<Self, SecretError> {
        let mut places: HashMap<Box<str>, Place> = HashMap::new();
        for issuer in &settled.issuers {
            let Some(events) = &issuer.events else {
                continue;
            };
            let secret = events.secret.as_ref();
            let secret = secret.map(|reference| secret::resolve(&reference.to_string()));
            let secret = secret.transpose()?;
            for (path, kind) in [
                (events.path.clone(), StatementKind::Event),
                (events.logout_path(), StatementKind::Logout),
            ] {
                let place = places.entry(path.into()).or_insert_with(|| Place {
                    kind,
                    transmitters: Vec::new(),
                    acting: Mutex::default(),
                });
                let each = issuer.exact().into_iter().map(|exact| Transmitter {
                    issuer: exact.issuer.into(),
                    audience: events.audience.as_str().into(),
                    claim: issuer.claims.user.as_str().into(),
                    secret: secret.clone(),
                });
                place.transmitters.extend(each);
            }
        }
        let places = places.into_iter();
        Ok(Events {
            places: places
                .map(|(path, place)| (path, Arc::new(place)))
                .collect(),
        })
    }

    /// Who delivers at this path, if anybody does.
    pub fn at(&self, path: &str) -> Option<Arc<Place>> {
        self.places.get(path).cloned()
    }
}

impl Place {
    /// What is delivered here.
    pub fn kind(&self) -> StatementKind {
        self.kind
    }

    /// Takes what was delivered, with what stood in `Authorization`. What it revokes is in force when
    /// this returns; what came before is taken again and changes nothing.
    ///
    /// It runs as a task of its own: whoever hangs up leaves nothing half done behind, which would be
    /// taken for done when it comes again.
    pub async fn take(
        self: &Arc<Self>,
        gate: &Arc<Gate>,
        text: String,
        authorization: Option<Zeroizing<Vec<u8>>>,
    ) -> Outcome {
        let (place, gate) = (Arc::clone(self), Arc::clone(gate));
        let taking = tokio::spawn(async move {
            let shown = authorization.as_ref().map(|shown| shown.as_slice());
            place.taken(&gate, &text, shown).await
        });
        match taking.await {
            Ok(Ok(())) => Outcome::Taken,
            Ok(Err(outcome)) => outcome,
            Err(_) => Outcome::Later,
        }
    }

    async fn taken(
        &self,
        gate: &Gate,
        text: &str,
        authorization: Option<&[u8]>,
    ) -> Result<(), Outcome> {
        let speakers: Vec<Speaker<'_>> =
            self.transmitters.iter().map(Transmitter::speaker).collect();
        let now_ms = gate.clock().unix_ms();
        let issuers = Arc::clone(&gate.runtime().issuers);
        let said = issuers.statement(text, self.kind, &speakers, now_ms / 1000);
        let said = said.await.map_err(|error| unheard(&error))?;
        if self.kind == StatementKind::Event && !self.is_shown(&said, authorization) {
            let description = "the bearer token is not the one that was agreed on";
            return Err(Outcome::Refused(Fault::new(
                "authentication_failed",
                description,
            )));
        }
        let claim = self.transmitter(&said).map_or("", |it| &*it.claim);
        let meaning = meaning::of(&said, self.kind, claim, now_ms).map_err(Outcome::Refused)?;
        let _one_at_a_time = self.acting.lock().await;
        let mark = Mark::of(&[said.issuer.as_bytes(), said.id.as_bytes()]);
        // Longer than it could come again and still be in time, whatever the skew.
        let until_s = said.issued_s + 2 * Statement::AGE_MAX_S;
        let once = gate
            .marks
            .insert_once(Space::Signal, mark, until_s * 1000, now_ms);
        match once.await {
            Ok(Once::Fresh) => {}
            Ok(Once::Replayed) => return Ok(()),
            Err(error) => return Err(later(&error.to_string())),
        }
        let acted = meaning.act(gate, &said, now_ms).await;
        if let Err(error) = acted {
            // Whoever sends it again is not told that it was taken.
            let forgotten = gate.marks.withdraw(Space::Signal, mark).await;
            forgotten.map_err(|error| later(&error.to_string()))?;
            return Err(match error {
                RegisterError::State(_) | RegisterError::Key(_) => later(&error.to_string()),
                error => Outcome::Refused(Fault::request(error.to_string())),
            });
        }
        Ok(())
    }

    fn transmitter(&self, said: &Statement) -> Option<&Transmitter> {
        let mut transmitters = self.transmitters.iter();
        transmitters.find(|it| *it.issuer == *said.issuer)
    }

    fn is_shown(&self, said: &Statement, authorization: Option<&[u8]>) -> bool {
        match self.transmitter(said).map(|it| &it.secret) {
            Some(None) => true,
            Some(Some(secret)) => authorization
                .and_then(|value| value.strip_prefix(b"Bearer "))
                .is_some_and(|shown| {
                    verify_slices_are_equal(shown, secret.expose().as_bytes()).is_ok()
                }),
            None => false,
        }
    }
}

impl Transmitter {
    fn speaker(&self) -> Speaker<'_> {
        Speaker {
            issuer: &self.issuer,
            audience: &self.audience,
        }
    }
}

fn unheard(error: &StatementError) -> Outcome {
    let code = match error {
        StatementError::Audience => "invalid_audience",
        StatementError::Issuer => "invalid_issuer",
        StatementError::Key(_) => "invalid_key",
        StatementError::Form(_) | StatementError::Time(_) => "invalid_request",
        StatementError::Unavailable => return later(&error.to_string()),
    };
    Outcome::Refused(Fault::new(code, error.to_string()))
}

fn later(why: &str) -> Outcome {
    tracing::error!("an event of an issuer could not be taken: {why}");
    Outcome::Later
}
