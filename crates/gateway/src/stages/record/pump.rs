//! Carries a streamed call to its client: every part as it comes, and the record before the answer.

use super::{entry, keep, lost, spoken};
use crate::bridge::{Asker, ParkedCall, Waiting};
use crate::gate::Gate;
use crate::outlet::Outlet;
use crate::sessions::Session;
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::screen::{Part, ScreenedStream};
use audit::Verdict;
use bytes::Bytes;
use protocol::bridge::Question;
use protocol::{Edits, Id, Message};
use std::sync::Arc;

/// One streamed call. The call rides along: its seats are taken until its answer is complete.
pub(super) struct Pump {
    gate: Arc<Gate>,
    stream: ScreenedStream,
    outlet: Arc<Outlet>,
    draft: Draft,
    call: Inspected,
}

/// How a streamed call ended.
enum Ended {
    /// With this answer; nothing more is wanted of the server.
    Answered(Bytes),
    /// The server waits for what the client has to bring along.
    Parked(Vec<Waiting>),
    /// Without an answer.
    Lost(Refused),
    /// The client does not want it any more.
    Unwanted(Refused),
}

impl Pump {
    pub(super) fn new(
        gate: &Arc<Gate>,
        stream: ScreenedStream,
        outlet: Arc<Outlet>,
        draft: Draft,
        call: Inspected,
    ) -> Self {
        Pump {
            gate: Arc::clone(gate),
            stream,
            outlet,
            draft,
            call,
        }
    }

    pub(super) async fn run(mut self) {
        let ended = self.carry().await;
        if let Some(session) = self.call.session() {
            // Nobody waits for what was asked in the course of this call.
            session.forget_questions(self.outlet.number());
        }
        let Pump {
            gate,
            stream,
            outlet,
            mut draft,
            call,
        } = self;
        let last = match ended {
            Ended::Answered(bytes) => {
                stream.finish();
                Some(recorded(&gate, &mut draft, bytes).await)
            }
            Ended::Parked(waiting) => Some(park(&gate, stream, waiting, &call, &mut draft).await),
            Ended::Lost(refused) => {
                stream.cancel();
                Some(lost(&gate, &mut draft, refused).await)
            }
            Ended::Unwanted(refused) => {
                stream.cancel();
                lost(&gate, &mut draft, refused).await;
                None
            }
        };
        if let Some(bytes) = last {
            outlet.push(bytes).await;
        }
        outlet.close();
    }

    /// Passes on what comes until there is nothing more to pass on.
    async fn carry(&mut self) -> Ended {
        let session = self.call.session().cloned();
        let over = async {
            match &session {
                Some(session) => session.over().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        let cancels = self.draft.line.is_cancelled_by_hanging_up();
        let line = Arc::clone(&self.draft.line);
        loop {
            let next = tokio::select! {
                next = self.stream.next(&mut self.draft) => next,
                () = &mut over => return Ended::Unwanted(refused::session_unknown()),
                () = self.outlet.abandoned(), if cancels => {
                    line.hung_up();
                    return Ended::Unwanted(refused::cancelled());
                }
            };
            match next {
                Ok(Some(Part::Aside(bytes))) => self.outlet.push(bytes).await,
                Ok(Some(Part::Questions(questions))) => {
                    for (message, asker) in questions {
                        if let Err(refused) = self.ask(&message, asker).await {
                            return Ended::Lost(refused);
                        }
                    }
                }
                Ok(Some(Part::Answer(bytes))) => return Ended::Answered(bytes),
                Ok(Some(Part::Wants(wants))) => {
                    return match self.stream.pause(&self.call, wants, &mut self.draft) {
                        Ok(bytes) => Ended::Answered(bytes),
                        Err(refused) => Ended::Lost(refused),
                    };
                }
                Ok(Some(Part::Park(waiting))) => return Ended::Parked(waiting),
                Ok(None) => return Ended::Lost(refused::answer_malformed("there is none")),
                Err(refused) if refused.refusal.code == "cancelled" => {
                    return Ended::Unwanted(refused);
                }
                Err(refused) => return Ended::Lost(refused),
            }
        }
    }

    async fn ask(&self, message: &Message, asker: Asker) -> Result<(), Refused> {
        let Some(session) = self.call.session() else {
            return Ok(());
        };
        if let Some(bytes) = question(session, &self.outlet, message, asker).await? {
            self.outlet.push(bytes).await;
        }
        Ok(())
    }
}

async fn recorded(gate: &Gate, draft: &mut Draft, bytes: Bytes) -> Bytes {
    keep(draft, &bytes);
    match entry::write(gate, draft, Verdict::Allowed, None).await {
        Ok(()) => bytes,
        Err(refused) => spoken(&refused, draft.message.as_ref()),
    }
}

/// Puts the call aside until its client comes back with what the server asked for.
async fn park(
    gate: &Gate,
    mut stream: ScreenedStream,
    waiting: Vec<Waiting>,
    call: &Inspected,
    draft: &mut Draft,
) -> Bytes {
    stream.attend(None);
    let bridge = &call.raw().route().settled.bridge;
    let lasts = u64::try_from(bridge.parked_time.as_millis()).unwrap_or(u64::MAX);
    let caller = Arc::clone(call.caller());
    // Like a stream, it does not outlive the token it came with (M2).
    let expires_ms = gate
        .clock()
        .unix_ms()
        .saturating_add(lasts)
        .min(caller.expires_at().saturating_mul(1000));
    let questions: Vec<Question> = waiting
        .iter()
        .map(|waiting| waiting.question.clone())
        .collect();
    let parked = ParkedCall {
        stream: Box::new(stream),
        waiting,
        expires_ms,
        caller,
    };
    let user: Arc<str> = call.caller().user().as_str().into();
    let number = match gate
        .parked
        .park(&user, bridge.parked_per_user as usize, parked)
    {
        Ok(number) => number,
        Err((parked, _)) => {
            parked.abandon().await;
            return lost(gate, draft, refused::parked_full(bridge.parked_per_user)).await;
        }
    };
    match ScreenedStream::parked(call, gate, number, &questions, expires_ms) {
        Ok(bytes) => recorded(gate, draft, bytes).await,
        Err(refused) => {
            if let Some(parked) = gate.parked.take(&user, number) {
                parked.abandon().await;
            }
            lost(gate, draft, refused).await
        }
    }
}

/// A question as the client is asked it: under a name of the gateway's own, which is its progress
/// token as well. None if too many are open; the server hears that.
pub(super) async fn question(
    session: &Session,
    outlet: &Outlet,
    message: &Message,
    asker: Asker,
) -> Result<Option<Bytes>, Refused> {
    let written = message
        .params()
        .and_then(|params| params.at("/_meta/progressToken"));
    let token = written.and_then(|token| Id::read(token).ok());
    let Some(id) = session.ask(asker.clone(), outlet.number(), token) else {
        let why = "too many questions are open";
        let told = asker.decline(refused::LIMIT, why).await;
        return told
            .map(|()| None)
            .map_err(|error| refused::upstream(&error));
    };
    let mut edits = Edits::new();
    if let Some(place) = message.document().root().get("id") {
        edits.replace(place.range(), id.bytes());
    }
    if let Some(place) = written {
        edits.replace(place.range(), id.bytes());
    }
    let bytes = message.document().apply(&edits);
    bytes.map(Some).map_err(|_| refused::crashed())
}
