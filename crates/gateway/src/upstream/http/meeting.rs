//! The first meeting with a server over HTTP: in which era it answers (rule V6). It decides by what
//! comes back; a failing network or a refused credential is an error, never a verdict.

use super::{Remote, Session, Stateless};
use crate::upstream::era::{Eras, Shown, knows_no_discovery, refuses_handshake, shown};
use crate::upstream::link::LinkKind;
use crate::upstream::{Greeting, Outgoing, Reply, UpstreamError, peek};
use bytes::Bytes;
use protocol::{Era, Shape};
use std::sync::Arc;
use tokio::time::Instant;

/// What came of asking in one era.
enum Asked {
    Met(LinkKind, Bytes),
    /// It was refused by one who does not speak it.
    Refused(UpstreamError),
}

impl Remote {
    /// Meets the server in an era it speaks, the preferred one first.
    pub(in crate::upstream) async fn meet(
        self: &Arc<Self>,
        greeting: &Greeting,
        eras: &Eras,
    ) -> Result<(LinkKind, Bytes), UpstreamError> {
        let order = eras.order(greeting.prefer, Instant::now());
        let refused = match self.ask(order.first, greeting, eras).await? {
            Asked::Met(link, said) => return Ok((link, said)),
            Asked::Refused(error) => error,
        };
        let Some(second) = order.second else {
            return Err(refused);
        };
        match self.ask(second, greeting, eras).await? {
            Asked::Met(link, said) => {
                eras.lacks(order.first, Instant::now());
                Ok((link, said))
            }
            // The handshake is what a server that speaks neither says more about.
            Asked::Refused(error) => Err(match second {
                Era::Legacy => error,
                Era::Modern => refused,
            }),
        }
    }

    async fn ask(
        self: &Arc<Self>,
        era: Era,
        greeting: &Greeting,
        eras: &Eras,
    ) -> Result<Asked, UpstreamError> {
        let asked = match era {
            Era::Legacy => {
                let opened = Session::open(self, greeting.initialize.clone()).await;
                opened.map(|(session, said)| (LinkKind::Http(session), said))
            }
            Era::Modern => self.discover(&greeting.discover, eras).await,
        };
        match asked {
            Ok((link, said)) => {
                eras.found(era);
                Ok(Asked::Met(link, said))
            }
            Err(error) => {
                let refused = match era {
                    Era::Legacy => refuses_handshake(&error),
                    Era::Modern => matches!(error, UpstreamError::Era { .. }),
                };
                match refused {
                    true => Ok(Asked::Refused(error)),
                    false => Err(error),
                }
            }
        }
    }

    /// Asks `server/discover`.
    async fn discover(
        self: &Arc<Self>,
        discover: &Bytes,
        eras: &Eras,
    ) -> Result<(LinkKind, Bytes), UpstreamError> {
        let stateless = Stateless::new(self.clone());
        let said = match self.discovered(&stateless, discover).await {
            Err(error) if knows_no_discovery(&error) => {
                return Err(UpstreamError::Era { era: Era::Modern });
            }
            said => said?,
        };
        let answer = peek::message(said.clone(), self.bounds.answer_bytes)?;
        let Shown::Modern { legacy_too } = shown(&answer)? else {
            return Err(UpstreamError::Era { era: Era::Modern });
        };
        if legacy_too {
            eras.found(Era::Legacy);
        }
        Ok((LinkKind::Modern(Arc::new(stateless)), said))
    }

    async fn discovered(
        &self,
        stateless: &Stateless,
        discover: &Bytes,
    ) -> Result<Bytes, UpstreamError> {
        let id = peek::request_id(discover)?;
        let max = self.bounds.answer_bytes;
        let question = Outgoing {
            bytes: discover.clone(),
            shape: Shape::Request,
            id: Some(id.clone()),
            method: "server/discover",
            headers: Vec::new(),
        };
        let deadline = Instant::now() + self.bounds.timeout;
        match stateless.send(question, deadline).await? {
            Reply::Message(said) if peek::answers(&said, &id, max) => Ok(said),
            Reply::Stream(mut events) => loop {
                match events.next().await? {
                    None => return Err(UpstreamError::Ended),
                    Some(event) if peek::answers(&event.data, &id, max) => {
                        events.finish();
                        return Ok(event.data);
                    }
                    // What comes before the answer concerns nobody yet.
                    Some(_) => {}
                }
            },
            Reply::Message(_) | Reply::Accepted => Err(UpstreamError::Malformed {
                reason: "it does not answer `server/discover`".to_owned(),
            }),
        }
    }
}
