//! A stream of the server's messages, each of them screened before it is passed on. What the server
//! asks of the client passes policy too; what no table row names goes no further.

use super::Screen;
use crate::sessions::Session;
use crate::stages::draft::Draft;
use crate::stages::refused::{self, Refused};
use crate::upstream::{Events, Outgoing, UpstreamError};
use bytes::Bytes;
use policy::{Action, Context, Request, Target};
use protocol::{Act, Message, Method, Sender, Shape, codes, write};
use tokio::time::Instant;

/// Messages of a server on their way to a client.
#[derive(Debug)]
pub struct ScreenedStream {
    screen: Screen,
    events: Events,
}

/// One message that may be passed on.
#[derive(Debug)]
pub(in crate::stages) enum Part {
    /// The response the stream was for; nothing follows.
    Answer(Bytes),
    /// A notification, or a question to the client.
    Aside(Bytes),
}

impl ScreenedStream {
    pub(super) fn new(screen: Screen, events: Events) -> Self {
        ScreenedStream { screen, events }
    }

    /// The next message that may be passed on; nothing once the server has ended the stream.
    pub(in crate::stages) async fn next(
        &mut self,
        draft: &mut Draft,
    ) -> Result<Option<Part>, Refused> {
        loop {
            let event = match self.events.next().await {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(None),
                Err(error) => return Err(refused::upstream(&error)),
            };
            let message = self.screen.read(event.data)?;
            match message.shape() {
                Shape::Response if self.screen.expected.is_some() => {
                    return Ok(Some(Part::Answer(self.screen.response(message, draft)?)));
                }
                // On a stream of the server's own there is nothing to respond to.
                Shape::Response => tracing::debug!("a response on a stream that answers nothing"),
                Shape::Notification => {
                    if let Some(part) = self.notification(&message, draft)? {
                        return Ok(Some(part));
                    }
                }
                Shape::Request => {
                    if let Some(part) = self.question(&message, draft).await? {
                        return Ok(Some(part));
                    }
                }
            }
        }
    }

    /// Says that the answer was seen, so that the connection can be used again.
    pub(in crate::stages) fn finish(self) {
        self.events.finish();
    }

    fn notification(&self, message: &Message, draft: &mut Draft) -> Result<Option<Part>, Refused> {
        let Some(method) = self.row(message) else {
            tracing::debug!(
                method = message.method(),
                "a notification that no table row names"
            );
            return Ok(None);
        };
        if method.changes == Some("tools/list") {
            self.screen.route.server.shelf.distrust();
        }
        Ok(Some(Part::Aside(self.screen.cleaned(message, draft)?)))
    }

    /// A question of the server: answered here, refused by policy, or remembered and passed on.
    async fn question(
        &self,
        message: &Message,
        draft: &mut Draft,
    ) -> Result<Option<Part>, Refused> {
        let (Some(session), Some(id)) = (&self.screen.session, message.id()) else {
            return Ok(None);
        };
        let row = self.row(message);
        let answer = match row {
            Some(method) if method.act == Act::Ping => write::result(&id, b"{}"),
            Some(method) if method.act == Act::Ask && !offered(session, method) => write::error(
                Some(&id),
                codes::METHOD_NOT_FOUND,
                "the client did not offer this",
                None,
            ),
            Some(method) if method.act == Act::Ask && self.may_ask(method) => {
                let clean = self.screen.cleaned(message, draft)?;
                if session.ask(id.clone()) {
                    return Ok(Some(Part::Aside(clean)));
                }
                write::error(
                    Some(&id),
                    refused::LIMIT,
                    "too many questions are open",
                    None,
                )
            }
            Some(_) => write::error(
                Some(&id),
                refused::POLICY,
                "policy does not let this server ask",
                None,
            ),
            None => write::error(Some(&id), codes::METHOD_NOT_FOUND, "method not found", None),
        };
        tracing::debug!(
            method = message.method(),
            "a question of the server was answered here"
        );
        let outgoing = Outgoing {
            bytes: answer,
            shape: Shape::Response,
            id: Some(id.clone()),
            method: "",
        };
        let deadline = Instant::now() + self.screen.route.server.timeout;
        match session.link().send(outgoing, deadline).await {
            // Whether the server heard it is its own affair: the call goes on or times out.
            Ok(_) | Err(UpstreamError::Status { .. }) => Ok(None),
            Err(error) => Err(refused::upstream(&error)),
        }
    }

    fn row(&self, message: &Message) -> Option<&'static Method> {
        let revision = self.screen.session.as_ref()?.revision();
        let row = Method::find(message.method(), revision, Sender::Server)?;
        (row.shape == message.shape()).then_some(row)
    }

    fn may_ask(&self, method: &Method) -> bool {
        let context = Context {
            method: method.name,
            ..self.screen.circumstances.bare()
        };
        let request = Request {
            principal: &self.screen.principal,
            action: Action::Ask,
            resource: Target::Server {
                name: &self.screen.route.server.name,
            },
            context: &context,
        };
        let allowed = self.screen.gate.policies().decide_cached(&request).allows();
        let verdict = if allowed { "allowed" } else { "refused" };
        let server = &self.screen.route.server.name;
        self.screen
            .gate
            .note("server.asked", server, method.name, verdict);
        allowed
    }
}

/// Whether the client said that it can be asked this (rule L4).
fn offered(session: &Session, method: &Method) -> bool {
    let needed = method
        .capability
        .filter(|capability| capability.declared_by == Sender::Client);
    needed.is_none_or(|capability| session.offers(capability))
}
