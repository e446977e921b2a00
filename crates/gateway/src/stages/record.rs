//! The end of every message: one record in the ledger, then the answer. An answer that cannot be
//! recorded is not given (control 5.1); a refusal is recorded like an answer.

mod entry;

use crate::gate::Gate;
use crate::outlet::{Outlet, Reader};
use crate::sessions::Session;
use crate::small::sha256;
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Form, Refused};
use crate::stages::screen::{Clean, Part, Screened, ScreenedStream};
use audit::{Durability, Verdict};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use protocol::{Id, Message, write};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// An answer that is in the ledger. Nothing else can be sent to a caller.
#[derive(Debug)]
pub struct Recorded {
    pub(crate) status: StatusCode,
    pub(crate) session: Option<Box<str>>,
    pub(crate) challenge: Option<HeaderValue>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) answer: Answer,
}

/// What the caller gets.
#[derive(Debug)]
pub enum Answer {
    /// Nothing but the status.
    Empty,
    /// One message.
    Message(Bytes),
    /// Messages as they come; each was screened, and the response among them recorded.
    Stream {
        /// Where they come from.
        reader: Reader,
        /// How it opens.
        primed: Primed,
        /// When it ends at the latest: no stream outlives the token it was opened with (M2).
        lasts: Duration,
    },
}

impl Recorded {
    fn new(status: StatusCode, answer: Answer) -> Self {
        Recorded {
            status,
            session: None,
            challenge: None,
            retry_after: None,
            answer,
        }
    }

    /// The status of the answer, as HTTP has it.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The session the answer opens, if it opens one.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The answer itself.
    pub fn into_answer(self) -> Answer {
        self.answer
    }

    /// The answer of a call whose task broke. Its record could not be written by it, so the
    /// listener's log is all there is; nothing was acknowledged.
    pub(super) fn crashed() -> Self {
        tracing::error!("a call broke inside the gateway");
        turned_away(&refused::crashed(), None)
    }
}

/// Records the call and gives its answer.
pub async fn answer(gate: &Arc<Gate>, screened: Screened, mut draft: Draft) -> Recorded {
    let Screened { call, clean } = screened;
    keep_arguments(&mut draft, &call);
    let (status, session, answer) = match clean {
        Clean::Accepted => (StatusCode::ACCEPTED, None, Answer::Empty),
        Clean::Ended => (StatusCode::OK, None, Answer::Empty),
        Clean::Message(bytes) => {
            keep(&mut draft, &bytes);
            (StatusCode::OK, None, Answer::Message(bytes))
        }
        Clean::Opened { session, said } => {
            keep(&mut draft, &said);
            (StatusCode::OK, Some(session), Answer::Message(said))
        }
        Clean::Resumed(reader) => (StatusCode::OK, None, streamed(reader, Primed::No, &draft)),
        Clean::Stream { stream, outlet } => {
            let answer = streamed(outlet.read(0), Primed::of(&call), &draft);
            // The call rides along: its seats are taken until its answer is complete.
            tokio::spawn(pump(Arc::clone(gate), *stream, outlet, draft, call));
            return Recorded::new(StatusCode::OK, answer);
        }
        Clean::Unasked { stream, outlet } => {
            let answer = streamed(outlet.read(0), Primed::of(&call), &draft);
            let aside = Draft::aside(gate, &draft);
            let session = call.session().cloned();
            tokio::spawn(overhear(Arc::clone(gate), *stream, outlet, aside, session));
            (StatusCode::OK, None, answer)
        }
    };
    match entry::write(gate, &draft, Verdict::Allowed, None).await {
        Ok(()) => Recorded {
            session: session.map(|session| session.id().into()),
            ..Recorded::new(status, answer)
        },
        Err(refused) => turned_away(&refused, draft.message.as_ref()),
    }
}

/// Whether a stream opens with an event that carries nothing but an id (rule S7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primed {
    /// It does not.
    No,
    /// It does.
    Yes,
}

impl Primed {
    fn of(call: &Inspected) -> Self {
        match call.session() {
            Some(session) if session.revision().rules().priming => Primed::Yes,
            _ => Primed::No,
        }
    }
}

fn streamed(reader: Reader, primed: Primed, draft: &Draft) -> Answer {
    let lasts = lasts(draft);
    Answer::Stream {
        reader,
        primed,
        lasts,
    }
}

/// Records a refusal and says it to the caller. Strangers who are refused faster than anybody could
/// read are counted instead: they must not be able to fill the disk (control 4.4).
pub async fn refusal(gate: &Gate, refused: Refused, draft: Draft) -> Recorded {
    if draft.caller.is_none() && !gate.strangers.is_worth_a_record(gate) {
        return turned_away(&refused, draft.message.as_ref());
    }
    match entry::write(gate, &draft, Verdict::Refused, Some(&refused)).await {
        Ok(()) => turned_away(&refused, draft.message.as_ref()),
        Err(unrecorded) => turned_away(&unrecorded, draft.message.as_ref()),
    }
}

/// Carries a call's stream to its outlet, and records the call before its answer is passed on.
async fn pump(
    gate: Arc<Gate>,
    mut stream: ScreenedStream,
    outlet: Arc<Outlet>,
    mut draft: Draft,
    call: Inspected,
) {
    let over = async {
        match call.session() {
            Some(session) => session.over().await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(over);
    loop {
        let next = tokio::select! {
            next = stream.next(&mut draft) => next,
            () = &mut over => Err(refused::session_unknown()),
        };
        let last = match next {
            Ok(Some(Part::Aside(bytes))) => {
                outlet.push(bytes).await;
                continue;
            }
            Ok(Some(Part::Answer(bytes))) => {
                keep(&mut draft, &bytes);
                match entry::write(&gate, &draft, Verdict::Allowed, None).await {
                    Ok(()) => bytes,
                    Err(refused) => spoken(&refused, draft.message.as_ref()),
                }
            }
            Ok(None) => lost(&gate, &draft, refused::answer_malformed("there is none")).await,
            Err(refused) => lost(&gate, &draft, refused).await,
        };
        outlet.push(last).await;
        outlet.close();
        stream.finish();
        return;
    }
}

/// Carries the server's own messages until the session, the token or the server ends them.
async fn overhear(
    gate: Arc<Gate>,
    mut stream: ScreenedStream,
    outlet: Arc<Outlet>,
    mut draft: Draft,
    session: Option<Arc<Session>>,
) {
    let Some(session) = session else {
        return outlet.close();
    };
    loop {
        let next = tokio::select! {
            next = stream.next(&mut draft) => next,
            () = session.over() => break,
        };
        match next {
            Ok(Some(Part::Aside(bytes) | Part::Answer(bytes))) => outlet.push(bytes).await,
            Ok(None) => break,
            Err(refused) => {
                tracing::warn!(
                    code = refused.refusal.code,
                    "a server's own stream was ended: {}",
                    refused.refusal.reason
                );
                // The client opened this stream long ago; that it broke is an event of its own.
                let _ = entry::write(&gate, &draft, Verdict::Refused, Some(&refused)).await;
                break;
            }
        }
    }
    outlet.close();
}

async fn lost(gate: &Gate, draft: &Draft, refused: Refused) -> Bytes {
    match entry::write(gate, draft, Verdict::Refused, Some(&refused)).await {
        Ok(()) => spoken(&refused, draft.message.as_ref()),
        Err(unrecorded) => spoken(&unrecorded, draft.message.as_ref()),
    }
}

/// How long the caller's token is still good for.
fn lasts(draft: &Draft) -> Duration {
    let until = draft
        .caller
        .as_ref()
        .map_or(0, |caller| caller.expires_at());
    Duration::from_secs(until.saturating_sub(draft.at_ms / 1000)).min(LONGEST)
}

fn keep_arguments(draft: &mut Draft, call: &Inspected) {
    let params = call.message().and_then(Message::params);
    let Some(arguments) = params.and_then(|params| params.get("arguments")) else {
        return;
    };
    draft.arguments = Some(sha256(arguments.raw()));
    if call.raw().route().keeps_arguments {
        draft.kept_arguments = Some(String::from_utf8_lossy(arguments.raw()).into_owned());
    }
}

fn keep(draft: &mut Draft, bytes: &Bytes) {
    draft.answer = Some(sha256(bytes));
    draft.answer_bytes = Some(bytes.len());
    if draft
        .route
        .as_ref()
        .is_some_and(|route| route.keeps_answers)
    {
        draft.kept_answer = Some(String::from_utf8_lossy(bytes).into_owned());
    }
}

fn turned_away(refused: &Refused, id: Option<&Id>) -> Recorded {
    Recorded {
        challenge: refused.challenge.clone(),
        retry_after: refused.refusal.retry_after,
        ..Recorded::new(refused.status, Answer::Message(spoken(refused, id)))
    }
}

/// A refusal as the caller hears it: what, by which control, whose fault, and how to get it right.
fn spoken(refused: &Refused, id: Option<&Id>) -> Bytes {
    let refusal = &refused.refusal;
    let data = json!(refusal);
    let text = format!(
        "{} (control {}): {}",
        refusal.reason, refusal.control, refusal.remedy
    );
    match (refused.form, id) {
        (Form::ToolResult, Some(id)) => {
            let result = json!({
                "content": [{ "type": "text", "text": text }],
                "isError": true,
                "_meta": { "io.ringwall/refusal": data },
            });
            write::result(id, result.to_string().as_bytes())
        }
        _ => write::error(id, refused.rpc, &text, Some(data.to_string().as_bytes())),
    }
}

/// How durable a record must be that no route speaks for.
const UNROUTED: Durability = Durability::Interval;

/// How long any stream may stay open; a local caller has no token that would end it.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
