//! Everything a server says, looked at before anybody hears it (controls 1.4, 1.2, 9.2): strictly
//! read, answering this very request, fitting its own schema, without hidden text, and in lists only
//! what this caller may see. Streams pass through here message by message.

mod list;
mod stream;

pub(super) use stream::Part;
pub use stream::ScreenedStream;

use crate::gate::Gate;
use crate::outlet::{Outlet, Reader};
use crate::sessions::{Binding, Session};
use crate::stages::authorize::Circumstances;
use crate::stages::draft::{Draft, Stage};
use crate::stages::forward::{Answered, Back};
use crate::stages::inspect::{self, Inspected};
use crate::stages::refused::{self, Refused};
use crate::upstream::Link;
use bytes::Bytes;
use config::settled::HiddenText;
use protocol::{Act, Document, Edits, Id, Message, Revision, Shape};
use serde_json::Value;
use std::ops::Range;
use std::sync::Arc;

/// What the caller may hear. Only the stage `record` can send it.
#[derive(Debug)]
pub struct Screened {
    pub(super) call: Inspected,
    pub(super) clean: Clean,
}

/// The forms of what may be heard.
#[derive(Debug)]
pub(super) enum Clean {
    Accepted,
    Ended,
    Message(Bytes),
    Opened {
        session: Arc<Session>,
        said: Bytes,
    },
    Resumed(Reader),
    Stream {
        stream: Box<ScreenedStream>,
        outlet: Arc<Outlet>,
    },
    Unasked {
        stream: Box<ScreenedStream>,
        outlet: Arc<Outlet>,
    },
}

/// Screens one answer, or stands ready to screen a stream.
pub async fn examine(
    gate: &Arc<Gate>,
    answered: Answered,
    draft: &mut Draft,
) -> Result<Screened, Refused> {
    let Answered { call, reply } = answered;
    let clean = match reply {
        Back::Accepted => Clean::Accepted,
        Back::Ended => Clean::Ended,
        Back::Local(bytes) => Clean::Message(bytes),
        Back::Resumed(reader) => Clean::Resumed(reader),
        Back::Message(bytes) => {
            Clean::Message(Screen::of(gate, &call, draft).answer(bytes, draft)?)
        }
        Back::Opened { id, link, said } => open(gate, &call, (id, link, said), draft).await?,
        Back::Stream { events, outlet } => {
            let stream = ScreenedStream::new(Screen::of(gate, &call, draft), events);
            Clean::Stream {
                stream: Box::new(stream),
                outlet,
            }
        }
        Back::Unasked { events, outlet } => {
            let stream = ScreenedStream::new(Screen::of(gate, &call, draft), events);
            Clean::Unasked {
                stream: Box::new(stream),
                outlet,
            }
        }
    };
    draft.ran(controls::N1_4);
    draft.done(Stage::Screen);
    Ok(Screened { call, clean })
}

/// What one call's answer is held against. It outlives the call where the answer is a stream.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) gate: Arc<Gate>,
    pub(super) route: Arc<crate::route::Route>,
    pub(super) principal: policy::Principal,
    pub(super) session: Option<Arc<Session>>,
    pub(super) circumstances: Circumstances,
    pub(super) expected: Option<Id>,
    pub(super) method: Option<&'static protocol::Method>,
    pub(super) tool: Option<Arc<crate::catalog::Tool>>,
}

impl Screen {
    fn of(gate: &Arc<Gate>, call: &Inspected, draft: &Draft) -> Self {
        Screen {
            gate: Arc::clone(gate),
            route: Arc::clone(call.raw().route()),
            principal: call.principal().clone(),
            session: call.session().cloned(),
            circumstances: Circumstances::of(call, draft.at_ms()),
            expected: call.message().and_then(Message::id),
            method: call.method(),
            tool: call.tool().cloned(),
        }
    }

    /// Reads one message of the server as strictly as one of a caller.
    pub(super) fn read(&self, bytes: Bytes) -> Result<Message, Refused> {
        let message = Document::read(bytes, &self.route.reading_answers).and_then(Message::read);
        message.map_err(|flaw| refused::answer_malformed(&flaw.to_string()))
    }

    fn answer(&self, bytes: Bytes, draft: &mut Draft) -> Result<Bytes, Refused> {
        self.response(self.read(bytes)?, draft)
    }

    /// The response to the call: of the right id, fitting its schema, filtered and cleaned.
    pub(super) fn response(&self, message: Message, draft: &mut Draft) -> Result<Bytes, Refused> {
        if message.shape() != Shape::Response || message.id() != self.expected {
            return Err(refused::answer_malformed("it does not answer this request"));
        }
        let message = match (self.method, message.result()) {
            (Some(method), Some(_)) if method.list_member.is_some() => {
                draft.ran(controls::N9_2);
                list::filter(self, message, method)?
            }
            (Some(method), Some(result)) if method.act == Act::Call => {
                self.structured(result)?;
                message
            }
            _ => message,
        };
        let bytes = self.cleaned(&message, draft)?;
        draft.answer_bytes = Some(bytes.len());
        Ok(bytes)
    }

    /// `structuredContent` against the `outputSchema` of the approved definition.
    fn structured(&self, result: protocol::Value<'_>) -> Result<(), Refused> {
        let Some(schema) = self.tool.as_ref().and_then(|tool| tool.output.as_ref()) else {
            return Ok(());
        };
        let failed = result.get("isError").and_then(protocol::Value::boolean) == Some(true);
        let Some(content) = result.get("structuredContent") else {
            return if failed {
                Ok(())
            } else {
                Err(refused::answer_off_schema("there is none"))
            };
        };
        let content: Value = serde_json::from_slice(content.raw())
            .map_err(|error| refused::answer_off_schema(&error.to_string()))?;
        schema
            .check(&content)
            .map_err(|violations| refused::answer_off_schema(&violations.to_string()))
    }

    /// The message without hidden text, or a refusal where the server is set so.
    pub(super) fn cleaned(&self, message: &Message, draft: &mut Draft) -> Result<Bytes, Refused> {
        let treatment = self.route.server.hidden_text;
        let looked = inspect::look(message.document(), controls::N1_4, treatment);
        let first = looked.findings.first().map(|finding| finding.rule);
        let room = inspect::FINDINGS.saturating_sub(draft.findings.len());
        draft
            .findings
            .extend(looked.findings.into_iter().take(room));
        match (treatment, first) {
            (HiddenText::Refuse, Some(rule)) => Err(refused::answer_hidden_text(rule)),
            _ => message
                .document()
                .apply(&looked.edits)
                .map_err(|_| refused::crashed()),
        }
    }
}

/// Looks at what the server said to `initialize`, and opens the session if it is fit to be spoken.
async fn open(
    gate: &Arc<Gate>,
    call: &Inspected,
    (id, link, said): (String, Link, Bytes),
    draft: &mut Draft,
) -> Result<Clean, Refused> {
    let screen = Screen::of(gate, call, draft);
    match welcome(&screen, said, draft) {
        Err(refused) => {
            link.close().await;
            Err(refused)
        }
        Ok((said, None)) => {
            // The server declined with an error of its own: there is no session.
            link.close().await;
            Ok(Clean::Message(said))
        }
        Ok((said, Some(revision))) => {
            let session = register(gate, call, id, link, revision, draft).await?;
            draft.session = Some(Arc::clone(&session));
            draft.revision = Some(revision.date());
            draft.ran(controls::M4);
            Ok(Clean::Opened { session, said })
        }
    }
}

/// The server's answer to `initialize`: a revision at or above the floor, and nothing offered that
/// cannot be kept (rule L4).
fn welcome(
    screen: &Screen,
    said: Bytes,
    draft: &mut Draft,
) -> Result<(Bytes, Option<Revision>), Refused> {
    let message = screen.read(said)?;
    let Some(result) = message.result() else {
        return Ok((screen.response(message, draft)?, None));
    };
    let version = result
        .get("protocolVersion")
        .and_then(protocol::Value::text);
    let spoken = version.as_deref().and_then(Revision::named);
    let spoken = spoken.filter(|revision| Revision::NEGOTIABLE.contains(revision));
    let revision = spoken
        .ok_or_else(|| refused::answer_malformed("it names no revision that is spoken here"))?;
    if revision < screen.route.floor {
        return Err(refused::server_below_floor(
            revision.date(),
            screen.route.floor.date(),
        ));
    }
    // Tasks outlive their call, and what is not followed cannot be kept in bounds.
    let tasks = result.at("/capabilities/tasks").is_some();
    let message = if tasks {
        without_tasks(screen, &message)?
    } else {
        message
    };
    Ok((screen.response(message, draft)?, Some(revision)))
}

fn without_tasks(screen: &Screen, message: &Message) -> Result<Message, Refused> {
    let capabilities = message
        .result()
        .and_then(|result| result.get("capabilities"));
    let mut edits = Edits::new();
    if let Some(range) = capabilities.and_then(|capabilities| member(capabilities, "tasks")) {
        edits.replace(range, Bytes::new());
    }
    let bytes = message
        .document()
        .apply(&edits)
        .map_err(|_| refused::crashed())?;
    screen.read(bytes)
}

/// Where a member stands in its object, with the one comma that goes when it goes.
fn member(object: protocol::Value<'_>, name: &str) -> Option<Range<usize>> {
    let members: Vec<_> = object
        .members()
        .map(|(key, value)| (key.range().start, value.range().end))
        .collect();
    let at = object.members().position(|(key, _)| key.is(name))?;
    let (start, end) = *members.get(at)?;
    match (
        members.get(at + 1),
        at.checked_sub(1).and_then(|before| members.get(before)),
    ) {
        (Some((next, _)), _) => Some(start..*next),
        (None, Some((_, before))) => Some(*before..end),
        (None, None) => Some(start..end),
    }
}

/// What the client offered in its `initialize`.
fn offers(call: &Inspected) -> Option<Document> {
    let offered = call.message()?.params()?.get("capabilities")?;
    Document::read(
        Bytes::copy_from_slice(offered.raw()),
        &call.raw().route().reading,
    )
    .ok()
}

async fn register(
    gate: &Arc<Gate>,
    call: &Inspected,
    id: String,
    link: Link,
    revision: Revision,
    draft: &Draft,
) -> Result<Arc<Session>, Refused> {
    let route = call.raw().route();
    let binding = Binding {
        user: call.caller().user().as_str().into(),
        client: call.caller().client().map(Into::into),
        route: (&*route.path).into(),
        revision,
        lifetime: route.lifetime,
        served: Arc::clone(&route.server),
        offers: offers(call),
    };
    let session = Session::new(id, binding, link, draft.at_ms());
    match gate.sessions.open(session, draft.at_ms()) {
        Ok(session) => Ok(session),
        Err((session, full)) => {
            session.link().close().await;
            Err(match full {
                crate::sessions::Full::Gateway => refused::gateway_full(),
                crate::sessions::Full::User => refused::sessions_full(route.lifetime.per_user),
            })
        }
    }
}
