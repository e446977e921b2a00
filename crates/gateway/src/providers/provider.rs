//! One provider: asked about the texts it has not been asked about lately, so many at a time, within a
//! time, and not at all while it rests. What was sent is never kept, only what was said of it.

use super::credential::Credential;
use super::kind::Kind;
use super::line::{Asked, Line, Lost};
use super::opinion::{Opinion, Surface};
use super::reading::Reading;
use super::silence::Silence;
use super::windows;
use crate::breaker::{Attempt, Breaker};
use crate::clock::Clock;
use crate::small::{lock, sha256};
use bytes::Bytes;
use config::settled::{self, OnFailure};
use quick_cache::sync::Cache;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How many pieces of text it is remembered what was said of, and for how long.
const KNOWN_MAX: usize = 4096;
const KNOWN_FOR: Duration = Duration::from_secs(300);
/// How often one request is sent at most.
const TRIES: u32 = 3;

/// A provider as it runs.
pub struct Provider {
    name: Arc<str>,
    settled: settled::Provider,
    kind: Kind,
    line: Box<dyn Line>,
    credential: Credential,
    clock: Arc<dyn Clock>,
    breaker: Arc<Breaker>,
    /// Until when it asked not to be asked.
    quiet: Mutex<Option<Instant>>,
    seats: Semaphore,
    known: Cache<[u8; 32], Known>,
}

/// What was said of a piece of text.
#[derive(Clone)]
struct Known {
    opinions: Arc<[Opinion]>,
    until: Instant,
}

/// What a detector said of a message under one rule, at its loudest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What it is about, and how sure it is.
    pub opinion: Opinion,
    /// From which value on it is a suspicion.
    pub threshold: u16,
    /// Where the text is: a JSON Pointer into the message.
    pub place: String,
}

/// What a provider said of a message, and why that is not all, if it is not.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) said: Vec<Said>,
    pub(super) silence: Option<Silence>,
}

impl Provider {
    pub(super) fn new(
        settled: &settled::Provider,
        line: Box<dyn Line>,
        credential: Credential,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Provider {
            name: settled.name.as_str().into(),
            kind: Kind::of(settled),
            line,
            credential,
            clock,
            breaker: Arc::default(),
            quiet: Mutex::default(),
            seats: Semaphore::new(settled.concurrent as usize),
            known: Cache::new(KNOWN_MAX),
            settled: settled.clone(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What it was made from: on a reload it stays as it runs if that is the same.
    pub fn settled(&self) -> &settled::Provider {
        &self.settled
    }

    /// What it means that it says nothing.
    pub(super) fn on_failure(&self) -> OnFailure {
        self.settled.on_failure
    }

    /// Every rule it speaks of, where that is known.
    pub(super) fn rules(&self) -> Option<Vec<&'static str>> {
        self.kind.rules()
    }

    /// Asks about a message. What was said before something failed counts.
    pub(super) async fn judge(self: &Arc<Self>, surface: Surface, reading: &Reading) -> Heard {
        let deadline = Instant::now() + self.settled.timeout;
        let text = reading.text();
        // Nothing has more units than bytes: most texts need no counting.
        let most = self.settled.characters as usize;
        if text.len() > most && windows::units(text) > most {
            return Heard {
                said: Vec::new(),
                silence: Some(Silence::Long),
            };
        }
        let mut loudest = Loudest::default();
        let mut unknown = Vec::new();
        for piece in self.kind.cut(surface).pieces(text) {
            let words = text.get(piece.clone()).unwrap_or_default();
            let key = key(surface, words);
            match self.remembered(&key) {
                Some(opinions) => loudest.hear(&piece, &opinions),
                None => unknown.push((key, piece, words)),
            }
        }
        let turns: Vec<_> = unknown.chunks(self.kind.per_request(surface)).collect();
        let mut asking = JoinSet::new();
        for (turn, some) in turns.iter().enumerate() {
            let words: Vec<&str> = some.iter().map(|(.., words)| *words).collect();
            let body = self.kind.body(surface, &words);
            let (provider, count) = (Arc::clone(self), words.len());
            asking.spawn(async move {
                let heard = provider.ask((surface, count), body, deadline).await;
                (turn, heard)
            });
        }
        let mut silence = None;
        while let Some(done) = asking.join_next().await {
            match done {
                Ok((turn, Ok(opinions))) => {
                    let some = turns.get(turn).copied().unwrap_or_default();
                    for ((key, piece, _), opinions) in some.iter().zip(opinions) {
                        loudest.hear(piece, &opinions);
                        self.remember(*key, opinions);
                    }
                }
                Ok((_, Err(why))) => silence = silence.or(Some(why)),
                Err(_) => silence = silence.or(Some(Silence::Unreachable)),
            }
        }
        Heard {
            said: loudest.said(&self.kind, reading),
            silence,
        }
    }

    /// One request, sent again where that is worth it and there is time.
    async fn ask(
        &self,
        about: (Surface, usize),
        body: Bytes,
        deadline: Instant,
    ) -> Result<Vec<Vec<Opinion>>, Silence> {
        let seat = tokio::time::timeout_at(deadline, self.seats.acquire()).await;
        let Ok(Ok(_seat)) = seat else {
            return Err(Silence::Late);
        };
        let mut outcome = Err(Silence::Late);
        for _ in 0..TRIES {
            self.await_quiet(deadline).await?;
            let attempt = self.breaker.admit(Instant::now())?;
            let headers = self.credential.headers(&body, self.clock.unix_s());
            let headers = match tokio::time::timeout_at(deadline, headers).await {
                Ok(Some(headers)) => headers,
                Ok(None) => {
                    attempt.failed(Instant::now());
                    return Err(Silence::Ignorant);
                }
                Err(_) => {
                    attempt.failed(Instant::now());
                    return Err(Silence::Late);
                }
            };
            let body = body.clone();
            let heard = self.line.send(Asked { headers, body }, deadline).await;
            match self.concluded(about, attempt, heard).await {
                Next::Again(why) => outcome = Err(why),
                Next::Done(done) => return done,
            }
        }
        outcome
    }

    /// What one answer comes to, for us and for those who ask after us.
    async fn concluded(
        &self,
        (surface, count): (Surface, usize),
        attempt: Attempt,
        heard: Result<super::line::Heard, Lost>,
    ) -> Next {
        let now = Instant::now();
        let heard = match heard {
            Ok(heard) => heard,
            Err(Lost::Late) => {
                attempt.failed(now);
                return Next::Done(Err(Silence::Late));
            }
            Err(Lost::Broken | Lost::Unsent) => {
                attempt.failed(now);
                return Next::Again(Silence::Unreachable);
            }
        };
        let status = heard.status;
        match status {
            200 => match self.kind.heard(surface, count, heard.body) {
                Ok(opinions) => {
                    attempt.reached();
                    Next::Done(Ok(opinions))
                }
                Err(malformed) => {
                    attempt.failed(now);
                    Next::Done(Err(malformed.into()))
                }
            },
            429 => {
                // It says when it is there again: that is no failure.
                drop(attempt);
                let mut quiet = lock(&self.quiet);
                let until = now + heard.wait;
                *quiet = Some(quiet.map_or(until, |other| other.max(until)));
                Next::Again(Silence::Limited {
                    retry_after: heard.wait,
                })
            }
            401 | 403 => {
                attempt.failed(now);
                let denied = Silence::Denied { status };
                match status == 401 && self.credential.renew().await {
                    true => Next::Again(denied),
                    false => Next::Done(Err(denied)),
                }
            }
            400..=499 => {
                attempt.reached();
                Next::Done(Err(Silence::Rejected { status }))
            }
            _ => {
                attempt.failed(now);
                Next::Done(Err(Silence::Failed { status }))
            }
        }
    }

    /// Waits until it may be asked again, if that is in time.
    async fn await_quiet(&self, deadline: Instant) -> Result<(), Silence> {
        let now = Instant::now();
        let until = *lock(&self.quiet);
        let Some(until) = until.filter(|until| *until > now) else {
            return Ok(());
        };
        if until >= deadline {
            return Err(Silence::Limited {
                retry_after: until - now,
            });
        }
        tokio::time::sleep_until(until).await;
        Ok(())
    }

    fn remembered(&self, key: &[u8; 32]) -> Option<Arc<[Opinion]>> {
        let known = self.known.get(key)?;
        (Instant::now() < known.until).then_some(known.opinions)
    }

    fn remember(&self, key: [u8; 32], opinions: Vec<Opinion>) {
        let known = Known {
            opinions: opinions.into(),
            until: Instant::now() + KNOWN_FOR,
        };
        self.known.insert(key, known);
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What becomes of a request.
enum Next {
    /// It is sent again, if it may be; else this is why nothing was said.
    Again(Silence),
    /// This is the answer.
    Done(Result<Vec<Vec<Opinion>>, Silence>),
}

/// By rule, the highest value and where it was said.
#[derive(Default)]
struct Loudest(BTreeMap<std::borrow::Cow<'static, str>, (u16, Range<usize>)>);

impl Loudest {
    fn hear(&mut self, piece: &Range<usize>, opinions: &[Opinion]) {
        for opinion in opinions {
            let this = (opinion.value, piece.clone());
            match self.0.get_mut(&opinion.rule) {
                Some(loudest) if loudest.0 >= this.0 => {}
                Some(loudest) => *loudest = this,
                None => {
                    self.0.insert(opinion.rule.clone(), this);
                }
            }
        }
    }

    fn said(self, kind: &Kind, reading: &Reading) -> Vec<Said> {
        let each = self.0.into_iter().map(|(rule, (value, piece))| Said {
            threshold: kind.threshold(&rule),
            place: reading.place(&piece).into_owned(),
            opinion: Opinion { rule, value },
        });
        each.collect()
    }
}

/// Under what it is remembered what was said of these words: nobody gets them back out of it.
fn key(surface: Surface, words: &str) -> [u8; 32] {
    sha256(&[surface.name().as_bytes(), b"\0", words.as_bytes()].concat())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
