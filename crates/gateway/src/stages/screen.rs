//! Everything a server says, looked at before anybody hears it (controls 1.4, 1.2, 9.2): strictly
//! read, answering this very request, fitting its own schema, without hidden text, and in lists only
//! what this caller may see. Streams pass through here message by message.

mod judged;
mod list;
mod outward;
mod question;
mod renew;
mod stream;
mod task;

pub(super) use stream::Part;
pub use stream::ScreenedStream;

use crate::content::{self, Content, Looked, Outcome, Toward};
use crate::content::{Minimised, Threads};
use crate::gate::Gate;
use crate::outlet::{Outlet, Reader};
use crate::route::{Route, Served};
use crate::sessions::{Full, Session};
use crate::stages::authorize::Circumstances;
use crate::stages::draft::{Draft, Stage};
use crate::stages::forward::{Answered, Back};
use crate::stages::inspect::Inspected;
use crate::stages::raw::Alone;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{Subject, bound};
use crate::stages::suspect;
use ::inspect::schema::{Hush, Schema};
use bytes::Bytes;
use identity::Caller;
use identity::possession::Holder;
use protocol::{Act, Document, Message, Revision, Shape};
use serde_json::Value;
use std::borrow::Cow;
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
    /// One message, as a stream: the server chose so, and some clients resume by it.
    Told {
        bytes: Bytes,
        outlet: Arc<Outlet>,
    },
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
        streams: Vec<ScreenedStream>,
        outlet: Arc<Outlet>,
        first: Option<Bytes>,
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
        Back::Local(bytes) => {
            // A prompt of our own is nobody's text, and is not marked like that of a server.
            let ours = call.method().is_some_and(|method| method.act == Act::Get);
            let served = call.served().filter(|_| !ours);
            let screen = Screen::of(gate, &call, served, draft);
            let message = screen.read(bytes)?;
            Clean::Message(screen.cleaned(&message, draft)?)
        }
        Back::Again(reader) => Clean::Resumed(reader),
        Back::Opened { session, said } => open(gate, &call, *session, said, draft).await?,
        Back::Introduced(said) => {
            draft.answer_bytes = Some(said.len());
            Clean::Message(said)
        }
        Back::Listed { list, at } => {
            draft.ran(controls::N9_2);
            Clean::Message(list::more(gate, &call, &list, at, draft)?)
        }
        Back::Lists {
            pages,
            missing,
            servers,
        } => {
            draft.ran(controls::N9_2);
            let streamed = pages.iter().any(|page| page.streamed);
            let bytes = list::join(gate, &call, (pages, missing), &servers, draft)?;
            match streamed {
                true => Clean::Told {
                    bytes,
                    outlet: outlet(&call),
                },
                false => Clean::Message(bytes),
            }
        }
        Back::Talk(talk) => {
            let settled = talk.is_settled();
            let screen = Screen::of(gate, &call, call.served(), draft);
            let stream = Box::new(ScreenedStream::of_call(screen, *talk));
            match settled {
                true => settle(&call, stream, draft).await?,
                false => streaming(&call, stream),
            }
        }
        Back::Resumed(stream) => streaming(&call, stream),
        Back::Unasked {
            ears,
            outlet,
            first,
        } => {
            let streams = ears.into_iter().map(|ear| {
                let screen = Screen::of(gate, &call, Some(ear.far().served()), draft);
                ScreenedStream::of_feed(screen, ear, &call)
            });
            Clean::Unasked {
                streams: streams.collect(),
                outlet,
                first,
            }
        }
    };
    draft.done(Stage::Screen);
    Ok(Screened { call, clean })
}

/// The one message that a conversation consists of.
async fn settle(
    call: &Inspected,
    mut stream: Box<ScreenedStream>,
    draft: &mut Draft,
) -> Result<Clean, Refused> {
    match stream.next(draft).await? {
        Some(Part::Answer(bytes)) => Ok(Clean::Message(bytes)),
        Some(Part::Wants(wants)) => Ok(Clean::Message(stream.pause(call, wants, draft)?)),
        Some(Part::Aside(_) | Part::Questions(_) | Part::Park(_)) | None => {
            Err(refused::answer_malformed("there is none"))
        }
    }
}

/// A stream towards the client: remembered for a session, for nobody else.
fn streaming(call: &Inspected, stream: Box<ScreenedStream>) -> Clean {
    let outlet = outlet(call);
    Clean::Stream { stream, outlet }
}

fn outlet(call: &Inspected) -> Arc<Outlet> {
    let session = call.session().filter(|session| !session.is_stateless());
    match session {
        Some(session) => session.open_stream(),
        None => Outlet::new(0),
    }
}

/// What one call's answer is held against. It outlives the call where the answer is a stream.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) gate: Arc<Gate>,
    pub(super) route: Arc<Route>,
    /// The same as it is now: what it says of content counts, even where it leads otherwise than it did.
    ruling: Arc<Route>,
    /// The server that is heard, if it is one.
    pub(super) served: Option<Arc<Served>>,
    pub(super) principal: policy::Principal,
    pub(super) session: Option<Arc<Session>>,
    pub(super) circumstances: Circumstances,
    pub(super) method: Option<&'static protocol::Method>,
    pub(super) revision: Revision,
    pub(super) tool: Option<Arc<crate::catalog::Tool>>,
    /// The tool whose task this is about, or that may begin one.
    pub(super) task_of: Box<str>,
    /// Which fields of the result go on, if not all of them do.
    minimised: Option<Arc<Minimised>>,
    /// Whom handles are made out to.
    pub(super) client: Option<Box<str>>,
    pub(super) user: Arc<str>,
    /// The caller, whose claims say what a call is for.
    caller: Arc<Caller>,
    pub(super) holder: Option<Holder>,
    /// Whether it came alone: in a batch nothing can be asked.
    pub(super) alone: Alone,
    /// How often its questions are still written down.
    notes: question::Notes,
}

impl Screen {
    fn of(gate: &Arc<Gate>, call: &Inspected, served: Option<&Arc<Served>>, draft: &Draft) -> Self {
        let task_of = match call.subject() {
            Subject::Tool(tool) => tool.name.clone(),
            Subject::Task(tool) => tool.clone(),
            Subject::Other => Box::default(),
        };
        Screen {
            gate: Arc::clone(gate),
            route: Arc::clone(call.raw().route()),
            ruling: Arc::clone(call.raw().route()),
            served: served.cloned(),
            principal: call.principal().clone(),
            session: call.session().cloned(),
            circumstances: Circumstances::of(call, served, draft.at_ms()),
            method: call.method(),
            revision: call.revision(),
            tool: call.tool().cloned().or_else(|| tool_of_task(call)),
            task_of,
            minimised: call.minimised().cloned(),
            client: call.caller().client().map(Into::into),
            user: call.caller().user().as_str().into(),
            caller: Arc::clone(call.caller()),
            holder: call.holder().copied(),
            alone: call.raw().alone,
            notes: question::Notes::new(draft.at_ms()),
        }
    }

    /// What is done with the text of the server that is heard.
    pub(super) fn content(&self) -> &Content {
        self.ruling.content(self.served.as_ref())
    }

    /// Reads one message of the server as strictly as one of a caller.
    pub(super) fn read(&self, bytes: Bytes) -> Result<Message, Refused> {
        let message = Document::read(bytes, &self.route.reading_answers).and_then(Message::read);
        message.map_err(|flaw| refused::answer_malformed(&flaw.to_string()))
    }

    /// The response to the call: fitting its schema, in the client's words, and cleaned.
    ///
    /// What is checked is what is sent, after cleaning: a name may turn into another one by it.
    /// `structured` is the content as the server structured it, where the client's era has no words
    /// for it.
    pub(super) fn response(
        &self,
        message: Message,
        structured: Option<&Bytes>,
        draft: &mut Draft,
    ) -> Result<Bytes, Refused> {
        if message.shape() != Shape::Response {
            return Err(refused::answer_malformed("it does not answer this request"));
        }
        let message = self.with_provenance(self.disowned(message)?)?;
        let message = self.outward(message)?;
        let message = self.minimised(message, draft)?;
        let bytes = self.cleaned(&message, draft)?;
        let message = match bytes == *message.bytes() {
            true => message,
            false => self.read(bytes.clone())?,
        };
        if let Some(result) = message.result() {
            self.structured(result, structured)?;
        }
        self.asked_in_passing(&message)?;
        draft.answer_bytes = Some(bytes.len());
        Ok(bytes)
    }

    /// The message without what does not go on of its result (control P1).
    fn minimised(&self, message: Message, draft: &mut Draft) -> Result<Message, Refused> {
        let minimised = self.minimised.as_ref();
        let Some(minimised) = minimised.filter(|minimised| !minimised.keeps_results()) else {
            return Ok(message);
        };
        let outcome = match (message.result(), message.error()) {
            (Some(result), _) => (Outcome::Result(result), "/result"),
            (None, Some(error)) => (Outcome::Failure(error), "/error"),
            (None, None) => return Ok(message),
        };
        self.less(&message, minimised, outcome, draft)
            .map(|less| less.unwrap_or(message))
    }

    /// The message with only what goes on of what became of a call of a tool; nothing if all of it does.
    fn less(
        &self,
        message: &Message,
        minimised: &Minimised,
        (outcome, place): (Outcome<'_>, &'static str),
        draft: &mut Draft,
    ) -> Result<Option<Message>, Refused> {
        let mut edits = protocol::Edits::new();
        let mut stand_ins = self.content().stand_ins();
        minimised.outcome(outcome, &mut stand_ins, &mut edits);
        if edits.is_empty() {
            return Ok(None);
        }
        let told = stand_ins.findings("minimise.results", place);
        draft.answer_findings.extend(told);
        let bytes = message.document().apply(&edits);
        self.read(bytes.map_err(|_| refused::crashed())?).map(Some)
    }

    /// `structuredContent` against the `outputSchema` of the approved definition: of a call, and of
    /// what a task came to.
    fn structured(
        &self,
        result: protocol::Value<'_>,
        structured: Option<&Bytes>,
    ) -> Result<(), Refused> {
        let act = self.method.map(|method| method.act);
        let called = matches!(act, Some(Act::Call | Act::Task));
        let schema = self.tool.as_ref().and_then(|tool| tool.output.as_ref());
        let Some(schema) = schema.filter(|_| called) else {
            return Ok(());
        };
        // What a task of the stateless era came to stands inside the task; nowhere else does an inner
        // `result` mean anything, and the outer one counts in any case.
        let modern = self.revision.rules().era == protocol::Era::Modern;
        let inner = result
            .get("result")
            .filter(|_| modern && act == Some(Act::Task));
        let promise = match act {
            Some(Act::Call) if !begins_task(result) => Promise::Given,
            _ => Promise::of(result),
        };
        let hush = |name: &str| self.hush(name);
        fits((schema, &hush), result, (structured, promise))?;
        inner.map_or(Ok(()), |inner| {
            fits((schema, &hush), inner, (None, Promise::Given))
        })
    }

    /// What is told in the place of the name of a member, if it may not be told.
    pub(super) fn hush(&self, name: &str) -> Option<String> {
        self.content().hush(name)
    }

    /// The message without hidden text, or a refusal where the server is set so.
    pub(super) fn cleaned(&self, message: &Message, draft: &mut Draft) -> Result<Bytes, Refused> {
        self.cleaned_after(&mut None, message, draft)
    }

    /// The same for a message that continues others of its stream.
    fn cleaned_after(
        &self,
        threads: &mut Option<Threads>,
        message: &Message,
        draft: &mut Draft,
    ) -> Result<Bytes, Refused> {
        let content = match &self.served {
            Some(_) => self.content(),
            // What several servers said was looked at one by one.
            None => self.ruling.joined(),
        };
        let mut looked = content.look_after(threads.take(), message.document(), Toward::Model);
        *threads = looked.threads.take();
        draft.ran_all(content.controls(Toward::Model));
        draft.reading = looked.reading.take();
        let is_edited = !looked.edits.is_empty();
        let bytes = left(message.document(), looked, draft)?;
        if is_edited {
            // Two names that were unlike each other may be one now.
            self.read(bytes.clone())?;
        }
        Ok(bytes)
    }

    /// What the server says it is, where the gateway says it once more, without what is not let pass in any text
    /// of that server.
    fn presented(&self, info: &[u8], draft: &mut Draft) -> Result<Bytes, Refused> {
        let info = Document::read(Bytes::copy_from_slice(info), &self.route.reading_answers);
        let info = info.map_err(|flaw| refused::answer_malformed(&flaw.to_string()))?;
        let content = self.content();
        left(&info, content.look(&info, Toward::Model), draft)
    }
}

/// What is left of a text of a server that was looked at, or why nothing of it is told.
fn left(document: &Document, looked: Looked, draft: &mut Draft) -> Result<Bytes, Refused> {
    for finding in looked.findings {
        content::keep(&mut draft.answer_findings, finding);
    }
    if let Some(because) = looked.refused {
        return Err(refused::answer_content(&because));
    }
    let bytes = document.apply(&looked.edits);
    bytes.map_err(|_| refused::crashed())
}

impl Screen {
    /// Puts what was cleaned last before the detectors of its server (controls 1.3, 9.3), and says what they
    /// suspect.
    pub(super) async fn heard(&self, draft: &mut Draft) -> Result<Vec<Cow<'static, str>>, Refused> {
        let Some((surface, reading)) = draft.reading.take() else {
            return Ok(Vec::new());
        };
        let panel = self.content().panel();
        suspect::hear(panel, surface, reading, draft).await
    }
}

/// Whether a result has to hold what its tool promised to give.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// It is a result of the tool.
    Given,
    /// It is none: it tells of a task, or takes note of something.
    None,
}

impl Promise {
    /// What is answered about a task may be a result of its tool, which has content.
    fn of(result: protocol::Value<'_>) -> Promise {
        match result.get("content") {
            Some(_) => Promise::Given,
            None => Promise::None,
        }
    }
}

/// Whether the result of a call says that it comes later, in either era.
fn begins_task(result: protocol::Value<'_>) -> bool {
    let is_task = |kind: protocol::Str<'_>| kind.is("task");
    let kind = result.get("resultType").and_then(protocol::Value::string);
    let task = result.get("task").and_then(|task| task.get("taskId"));
    result.get("content").is_none() && (kind.is_some_and(is_task) || task.is_some())
}

/// Whether the result of a call that is over holds what its tool promised to give.
pub(in crate::stages) fn is_as_promised(
    schema: &Schema,
    result: protocol::Value<'_>,
) -> Result<(), Refused> {
    let promise = match begins_task(result) {
        true => Promise::None,
        false => Promise::Given,
    };
    fits((schema, &|_| None), result, (None, promise))
}

/// Whether one result holds what its tool promised to give. What fails promises nothing.
fn fits(
    (schema, hush): (&Schema, Hush<'_>),
    result: protocol::Value<'_>,
    (structured, promise): (Option<&Bytes>, Promise),
) -> Result<(), Refused> {
    let failed = result.get("isError").and_then(protocol::Value::boolean) == Some(true);
    let content = result.get("structuredContent");
    let Some(content) = content
        .map(protocol::Value::raw)
        .or(structured.map(|own| &**own))
    else {
        return match failed || promise == Promise::None {
            true => Ok(()),
            false => Err(refused::answer_off_schema("there is none")),
        };
    };
    let content: Value = serde_json::from_slice(content)
        .map_err(|error| refused::answer_off_schema(&error.to_string()))?;
    schema
        .check_hushed(&content, hush)
        .map_err(|violations| refused::answer_off_schema(&violations.to_string()))
}

/// The definition of the tool whose task is looked after, as it is approved now.
fn tool_of_task(call: &Inspected) -> Option<Arc<crate::catalog::Tool>> {
    let Subject::Task(name) = call.subject() else {
        return None;
    };
    call.served()?.shelves.tool(name)
}

/// Opens the session. What is said on the occasion was looked at server by server.
async fn open(
    gate: &Arc<Gate>,
    call: &Inspected,
    session: Session,
    said: Bytes,
    draft: &mut Draft,
) -> Result<Clean, Refused> {
    let revision = session.revision();
    match gate.sessions.open(session, draft.at_ms()) {
        Ok(session) => {
            draft.session = Some(Arc::clone(&session));
            draft.revision = Some(revision.date());
            draft.ran(controls::M4);
            draft.answer_bytes = Some(said.len());
            Ok(Clean::Opened { session, said })
        }
        Err((session, full)) => {
            session.links().close().await;
            Err(match full {
                Full::Gateway => refused::gateway_full(),
                Full::User => refused::sessions_full(call.raw().route().lifetime.per_user),
            })
        }
    }
}

/// Seals something for this caller.
fn sealed(
    gate: &Gate,
    call: &Inspected,
    purpose: crate::seal::Purpose,
    about: &[&[u8]],
    expires_ms: u64,
    payload: &[u8],
) -> Result<String, Refused> {
    gate.seal
        .seal(&bound(call, purpose, about), expires_ms, payload)
        .map_err(|error| {
            tracing::error!("a handle could not be sealed: {error}");
            refused::unsealed()
        })
}
