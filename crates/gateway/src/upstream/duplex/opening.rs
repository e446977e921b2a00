//! The opening of a channel: which era the server speaks, and what it says first (rules L2 and V7).
//!
//! Where a handshake may follow, `server/discover` is given a short while only: servers that know
//! it answer at once, and some that do not never answer. What decides is what comes, not which
//! code of error it has.

use super::queue::Item;
use super::station::{Flight, Station};
use super::wire::Wire;
use crate::upstream::UpstreamError;
use crate::upstream::era::{self, Order, Shown};
use crate::upstream::peek;
use bytes::Bytes;
use protocol::{Era, Message};
use std::pin::pin;
use std::sync::Arc;
use tokio::time::Instant;

/// How a server was met.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) era: Era,
    /// Its answer to `initialize` or to `server/discover`.
    pub(super) greeting: Message,
    /// It says that it speaks the legacy era, although it was met in the other one.
    pub(super) legacy_too: bool,
}

impl Opened {
    /// Whether a server that was met once more is still the one that its sessions know.
    pub(super) fn check_same(&self, now: &Opened) -> Result<(), UpstreamError> {
        if self.era == Era::Modern {
            // The order had this one era only.
            return Ok(());
        }
        let before = peek::chosen_revision(&self.greeting)?;
        let now = peek::chosen_revision(&now.greeting)?;
        match before == now {
            true => Ok(()),
            false => Err(UpstreamError::Changed { before, now }),
        }
    }
}

impl Station {
    /// Meets the server in the first era of `order` that it speaks. A server that dies of the
    /// question gets a new channel.
    pub(super) async fn open(
        &self,
        wire: &mut Arc<Wire>,
        order: Order,
        deadline: Instant,
    ) -> Result<Opened, UpstreamError> {
        match order {
            Order {
                first: Era::Legacy,
                second: None,
            } => self.handshake(wire, deadline).await,
            Order {
                first: Era::Modern,
                second: None,
            } => {
                let none = UpstreamError::Era { era: Era::Modern };
                self.discovery(wire, deadline).await?.ok_or(none)
            }
            Order {
                first: Era::Legacy,
                second: Some(_),
            } => {
                let refused = match self.handshake(wire, deadline).await {
                    Err(error) if era::refuses_handshake(&error) => error,
                    met => return met,
                };
                self.discovery(wire, deadline).await?.ok_or(refused)
            }
            Order {
                first: Era::Modern,
                second: Some(_),
            } => self.probe(wire, deadline).await,
        }
    }

    async fn handshake(
        &self,
        wire: &Arc<Wire>,
        deadline: Instant,
    ) -> Result<Opened, UpstreamError> {
        let hello = self.hail().initialize.clone();
        let flight = self.launch(0, hello, wire, deadline).await?;
        self.greeted(answer(&flight, deadline).await)
    }

    async fn discovery(
        &self,
        wire: &Arc<Wire>,
        deadline: Instant,
    ) -> Result<Option<Opened>, UpstreamError> {
        let question = self.hail().discover.clone();
        let flight = self.launch(0, question, wire, deadline).await?;
        self.discovered(answer(&flight, deadline).await)
    }

    /// `server/discover` first, and then whatever the answer asks for.
    async fn probe(
        &self,
        wire: &mut Arc<Wire>,
        deadline: Instant,
    ) -> Result<Opened, UpstreamError> {
        let question = self.hail().discover.clone();
        let flight = self.launch(0, question, wire, deadline).await?;
        let soon = deadline.min(Instant::now() + self.settings().channel.probe());
        let met = match answer(&flight, soon).await {
            Err(UpstreamError::Deadline) if soon < deadline => {
                self.both(wire, flight, deadline).await
            }
            said => match self.discovered(said) {
                Ok(None) => return self.handshake(wire, deadline).await,
                Ok(Some(opened)) => Ok(opened),
                Err(error) => Err(error),
            },
        };
        match met {
            Err(UpstreamError::Crashed { .. }) => {
                *wire = self.fresh(deadline).await?;
                self.handshake(wire, deadline).await
            }
            met => met,
        }
    }

    /// The server is silent so far: it may be one that answers no question before the handshake,
    /// or one that is slow to start. A handshake is offered, and whatever is answered counts.
    async fn both(
        &self,
        wire: &Arc<Wire>,
        question: Flight,
        deadline: Instant,
    ) -> Result<Opened, UpstreamError> {
        let hello = self.hail().initialize.clone();
        let hello = self.launch(0, hello, wire, deadline).await?;
        let mut discovered = pin!(answer(&question, deadline));
        let mut greeted = pin!(answer(&hello, deadline));
        tokio::select! {
            biased;
            said = &mut discovered => match self.discovered(said)? {
                Some(opened) => Ok(opened),
                None => self.greeted(greeted.await),
            },
            said = &mut greeted => match self.greeted(said) {
                Ok(opened) => Ok(opened),
                Err(refused) => match self.discovered(discovered.await) {
                    Ok(Some(opened)) => Ok(opened),
                    Ok(None) | Err(_) => Err(refused),
                },
            },
        }
    }

    fn greeted(&self, said: Result<Bytes, UpstreamError>) -> Result<Opened, UpstreamError> {
        let greeting = self.read(said?)?;
        peek::chosen_revision(&greeting)?;
        Ok(Opened {
            era: Era::Legacy,
            greeting,
            legacy_too: true,
        })
    }

    /// None if the server gave no sign of the modern era.
    fn discovered(
        &self,
        said: Result<Bytes, UpstreamError>,
    ) -> Result<Option<Opened>, UpstreamError> {
        let read = said.and_then(|said| self.read(said));
        let greeting = match read {
            Err(error) if era::knows_no_discovery(&error) => return Ok(None),
            read => read?,
        };
        let Shown::Modern { legacy_too } = era::shown(&greeting)? else {
            return Ok(None);
        };
        Ok(Some(Opened {
            era: Era::Modern,
            greeting,
            legacy_too,
        }))
    }
}

/// The answer to a question of the opening.
async fn answer(flight: &Flight, deadline: Instant) -> Result<Bytes, UpstreamError> {
    loop {
        match tokio::time::timeout_at(deadline, flight.queue().next()).await {
            Err(_) => return Err(UpstreamError::Deadline),
            Ok(Item::Last(answer)) => return answer,
            Ok(Item::End) => return Err(UpstreamError::Ended),
            // Nobody can be told yet what comes before the answer.
            Ok(Item::Next(_)) => {}
        }
    }
}
