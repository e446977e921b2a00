//! The end of every message: one record in the ledger, then the answer. An answer that cannot be
//! recorded is not given (control 5.1); a refusal is recorded like an answer.

mod connection;
mod entry;
mod pump;
mod unasked;

pub(in crate::stages) use connection::words;

pub(crate) use entry::score;

use crate::gate::Gate;
use crate::outlet::Reader;
use crate::small::sha256;
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Form, Refused};
use crate::stages::screen::{Clean, Screened};
use audit::{Durability, Verdict};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use identity::Caller;
use protocol::{Document, Id, Limits, Message, Revision, codes, write};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// An answer that is in the ledger. Nothing else can be sent to a caller.
#[derive(Debug)]
pub struct Recorded {
    pub(crate) status: StatusCode,
    pub(crate) session: Option<Box<str>>,
    pub(crate) challenges: Vec<HeaderValue>,
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
        /// Who opened it, with the token they had: it ends when that is revoked.
        caller: Option<Arc<Caller>>,
    },
}

impl Recorded {
    /// One without a body.
    pub(super) fn of(
        status: StatusCode,
        challenges: Vec<HeaderValue>,
        retry_after: Option<Duration>,
    ) -> Self {
        Recorded {
            challenges,
            retry_after,
            ..Recorded::new(status, Answer::Empty)
        }
    }

    fn new(status: StatusCode, answer: Answer) -> Self {
        Recorded {
            status,
            session: None,
            challenges: Vec::new(),
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
    let mut told = None;
    let (status, session, answer) = match clean {
        Clean::Accepted => (StatusCode::ACCEPTED, None, Answer::Empty),
        Clean::Ended => (StatusCode::OK, None, Answer::Empty),
        Clean::Message(bytes) => {
            keep(&mut draft, &bytes);
            (status_of(&call, &bytes), None, Answer::Message(bytes))
        }
        Clean::Told { bytes, outlet } => {
            keep(&mut draft, &bytes);
            told = Some((Arc::clone(&outlet), bytes));
            let answer = streamed(outlet.read(0), Primed::of(&call), &draft);
            (StatusCode::OK, None, answer)
        }
        Clean::Opened { session, said } => {
            keep(&mut draft, &said);
            (StatusCode::OK, Some(session), Answer::Message(said))
        }
        Clean::Resumed(reader) => (StatusCode::OK, None, streamed(reader, Primed::No, &draft)),
        Clean::Stream { stream, outlet } => {
            let answer = streamed(outlet.read(0), Primed::of(&call), &draft);
            // The call rides along: its seats are taken until its answer is complete.
            let pump = pump::Pump::new(gate, *stream, outlet, draft, call);
            tokio::spawn(pump.run());
            return Recorded::new(StatusCode::OK, answer);
        }
        Clean::Unasked {
            streams,
            outlet,
            first,
        } => {
            let answer = streamed(outlet.read(0), Primed::of(&call), &draft);
            let listening =
                unasked::Listening::new(gate, &call, streams, outlet, first, &mut draft);
            tokio::spawn(listening.run());
            (StatusCode::OK, None, answer)
        }
    };
    match entry::write(gate, &mut draft, Verdict::Allowed, None).await {
        Ok(()) => {
            // What is told on a stream is told once it is in the ledger.
            if let Some((outlet, bytes)) = told {
                outlet.push(bytes).await;
                outlet.close();
            }
            Recorded {
                session: session.map(|session| session.id().into()),
                ..Recorded::new(status, answer)
            }
        }
        Err(refused) => turned_away(&refused, draft.replies_to()),
    }
}

/// Whether a stream opens with an event that carries nothing but an id (rule S7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primed {
    /// There is nothing to resume: its events have no ids at all.
    Never,
    /// It does not.
    No,
    /// It does.
    Yes,
}

impl Primed {
    fn of(call: &Inspected) -> Self {
        match call.session() {
            Some(session) if session.revision().rules().priming => Primed::Yes,
            Some(session) if session.is_stateless() => Primed::Never,
            _ => Primed::No,
        }
    }
}

/// The HTTP status of an answer that is one message. The era of sessions has its errors in a 200; the
/// stateless one tells some of them by status as well (rules B3, V2, V3, V5).
fn status_of(call: &Inspected, bytes: &Bytes) -> StatusCode {
    let stateless = call.is_modern();
    // An answer with an error is short; a long one is not read again to find none.
    if !stateless || bytes.len() > ERROR_BYTES {
        return StatusCode::OK;
    }
    let read = Document::read(bytes.clone(), &Limits::default()).and_then(Message::read);
    let code = read
        .ok()
        .and_then(|message| message.error()?.get("code")?.integer());
    status_of_code(code.unwrap_or(0))
}

fn status_of_code(code: i64) -> StatusCode {
    match code {
        codes::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        codes::HEADER_MISMATCH
        | codes::MISSING_CLIENT_CAPABILITY
        | codes::UNSUPPORTED_PROTOCOL_VERSION => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// The longest answer in which an error is looked for.
const ERROR_BYTES: usize = 64 * 1024;

fn streamed(reader: Reader, primed: Primed, draft: &Draft) -> Answer {
    let lasts = lasts(draft);
    Answer::Stream {
        reader,
        primed,
        lasts,
        caller: draft.caller.clone(),
    }
}

/// Records a refusal and says it to the caller. Strangers, and those with a token that they may not
/// use, who are refused faster than anybody could read, are counted instead: they must not be able to
/// fill the disk (control 4.4).
pub async fn refusal(gate: &Gate, refused: Refused, mut draft: Draft) -> Recorded {
    let refused = connection::offered(gate, refused, &draft).await;
    let refused = connection::challenged(refused, &draft);
    if !draft.is_identified() && !gate.strangers.is_worth_a_record(gate) {
        return by_status(turned_away(&refused, draft.replies_to()), &refused, &draft);
    }
    let written = entry::write(gate, &mut draft, Verdict::Refused, Some(&refused)).await;
    if let Some(asker) = draft.asked.take() {
        let why = "the gateway did not pass on what the client answered";
        if let Err(error) = asker.decline(refused.rpc, why).await {
            tracing::debug!("whoever asked was not told: {error}");
        }
    }
    match written {
        Ok(()) => by_status(turned_away(&refused, draft.replies_to()), &refused, &draft),
        Err(unrecorded) => turned_away(&unrecorded, draft.replies_to()),
    }
}

/// A notification or a response that is refused is told so by nothing else (rule H4). The stateless era tells an
/// unknown method by status as well (rule B3).
fn by_status(mut recorded: Recorded, refused: &Refused, draft: &Draft) -> Recorded {
    let modern = draft.revision == Some(Revision::V2026_07_28.date());
    if recorded.status == StatusCode::OK {
        recorded.status = match draft.replies_to() {
            Some(_) if modern => status_of_code(refused.rpc),
            Some(_) => StatusCode::OK,
            None => StatusCode::BAD_REQUEST,
        };
    }
    recorded
}

async fn lost(gate: &Gate, draft: &mut Draft, refused: Refused) -> Bytes {
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
        challenges: refused.challenges.clone(),
        retry_after: refused.refusal.retry_after,
        ..Recorded::new(refused.status, Answer::Message(spoken(refused, id)))
    }
}

/// A refusal as the caller hears it: what, by which control, whose fault, and how to get it right.
fn spoken(refused: &Refused, id: Option<&Id>) -> Bytes {
    let refusal = &refused.refusal;
    let mut data = json!(refusal);
    if let (Some(Value::Object(wanted)), Value::Object(data)) = (&refused.data, &mut data) {
        data.extend(wanted.clone());
    }
    let text = format!(
        "{} (control {}): {}",
        refusal.reason, refusal.control, refusal.remedy
    );
    match (refused.form, id) {
        (Form::InputRequired, Some(id)) => {
            let result = json!({
                "resultType": "input_required",
                "inputRequests": refused.data,
                "_meta": { "io.ringwall/refusal": json!(refusal) },
            });
            write::result(id, result.to_string().as_bytes())
        }
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
