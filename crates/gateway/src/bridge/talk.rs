//! One call's conversation with one server, told in the words of the client's era: its request on the
//! way up, and everything the server says until the answer. What is translated here is looked at by
//! the stage `screen` afterwards, so that what was checked is what is sent.

use super::asker::{Asker, Reached};
use crate::links::{Attention, Claim, Far};
use crate::sessions::InFlight;
use crate::upstream::{Events, Outgoing, Reply, UpstreamError};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use protocol::bridge::{
    self, Asked, BridgeError, NoticeChange, Question, Relabel, ResultKind, Retry, Subscription,
};
use protocol::log_level::LogLevel;
use protocol::revision::Era;
use protocol::{Document, Id, Kind, Message, Method, Revision, Sender, Shape};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How often a server may ask for more before it answers.
const ROUNDS: u32 = 16;
/// The pause before a call is sent again that needs nothing from the client, times the round.
const PAUSE: Duration = Duration::from_millis(100);

/// What a conversation is about, and in whose words.
#[derive(Debug)]
pub(crate) struct Aim {
    /// The method.
    pub(crate) method: &'static Method,
    /// The client's revision.
    pub(crate) revision: Revision,
    /// The client's request, with the names the server knows.
    pub(crate) request: Bytes,
    /// Its id, and its progress token.
    pub(crate) id: Id,
    pub(crate) token: Option<Id>,
    /// Whether the answer may be a task of the modern era.
    pub(crate) tasks: bool,
    /// Which log messages the client wants to hear with it; none if it did not say.
    pub(crate) level: Option<LogLevel>,
    /// Headers a modern server wants to see.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// What the client brings along for a call that the server wanted more for.
    pub(crate) inputs: Vec<(Box<str>, Bytes)>,
    /// The server's own state, byte for byte.
    pub(crate) state: Option<Bytes>,
    /// What the server asks outside the call's own stream, where that may be this call's.
    pub(crate) attention: Option<Attention>,
    /// Its entry among the client's requests under way.
    pub(crate) flight: InFlight,
    /// When the answer is given up.
    pub(crate) deadline: Instant,
    /// Says that nobody waits any more.
    pub(crate) gone: watch::Receiver<bool>,
}

/// What a server says.
#[derive(Debug)]
pub(crate) enum Said {
    /// The response.
    Answer(Message),
    /// A notification.
    Notice(Message),
    /// Something for the client to answer, as a legacy server asks it.
    Asks(Vec<(Message, Asker)>),
    /// Something for the client to bring along when it sends the call again.
    Wants {
        questions: Vec<Question>,
        /// The server's own words, if it speaks the client's era.
        answer: Option<Message>,
    },
}

/// Why a conversation ended without an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// What one era says cannot be said in the other.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    /// The client took its call back.
    #[error("the client cancelled the call")]
    Cancelled,
    /// The client did not give what the server cannot do without.
    #[error("the client declined what the server needs")]
    Declined,
    /// The server never has enough.
    #[error("the server asked for more {ROUNDS} times")]
    Rounds,
    /// The server failed.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

/// A conversation under way.
#[derive(Debug)]
pub(crate) struct Talk {
    far: Arc<Far>,
    aim: Aim,
    claim: Claim,
    /// The progress token the server knows, where it is not the client's.
    token: Option<Id>,
    source: Source,
    turn: Option<Turn>,
    rounds: u32,
    /// What the server's answer structured, where the client's era has no words for it.
    structured: Option<Bytes>,
}

#[derive(Debug)]
enum Source {
    /// The one message there is.
    Message(Bytes),
    Events(Events),
    Over,
}

/// What is heard of a server during a call.
enum Heard {
    /// On the call's own stream.
    Own(Message),
    /// On the server's own stream: a question.
    Aside(Message),
    /// Nothing more.
    Nothing,
}

/// Inputs that are on their way from the client.
#[derive(Debug)]
struct Turn {
    reached: mpsc::Receiver<Reached>,
    /// What is still missing.
    missing: HashSet<Box<str>>,
    inputs: Vec<(Box<str>, Bytes)>,
    state: Option<Bytes>,
}

impl Talk {
    /// Sends the request and waits for the first word of the answer.
    pub(crate) async fn begin(
        far: &Arc<Far>,
        message: &Message,
        mut aim: Aim,
    ) -> Result<Self, Broken> {
        let claim = match (far.era(), aim.revision.rules().era) {
            // A stateless client may use an id again once it is answered, a session never (rule B1).
            (Era::Legacy, Era::Modern) => far.claim_fresh(),
            _ => far.claim(&aim.id),
        };
        let token = aim
            .token
            .as_ref()
            .filter(|_| claim.id() != &aim.id)
            .map(|_| claim.id().clone());
        let inputs = std::mem::take(&mut aim.inputs);
        let state = aim.state.take();
        let retry = Retry {
            inputs: &inputs,
            state: state.as_deref(),
        };
        let mut talk = Talk {
            far: Arc::clone(far),
            aim,
            claim,
            token,
            source: Source::Over,
            turn: None,
            rounds: 0,
            structured: None,
        };
        let bytes = talk.upward(message, Some(&retry))?;
        talk.aim.flight.sent(far, talk.claim.id());
        talk.send(bytes).await?;
        Ok(talk)
    }

    /// What an answer is translated for.
    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked {
            method: self.aim.method,
            revision: self.aim.revision,
            server_info: self.far.welcome().server_info().map(protocol::Value::raw),
        }
    }

    /// Hands on what a legacy server said in the course of this call although it is for everybody of
    /// the same party who listens. A modern one has to say it where they listen.
    pub(crate) fn overheard(&self, notice: &Bytes) {
        if self.far.era() == Era::Legacy {
            self.far.spread(notice);
        }
    }

    /// The structured content of the answer, where only its text can be told in the client's era.
    pub(crate) fn structured(&self) -> Option<&Bytes> {
        self.structured.as_ref()
    }

    /// The id of the client's request.
    pub(crate) fn id(&self) -> &Id {
        &self.aim.id
    }

    /// Whether there is nothing but the answer, and the answer is all there is to it.
    pub(crate) fn is_settled(&self) -> bool {
        match &self.source {
            Source::Message(_) => {
                self.far.era() == self.aim.revision.rules().era || self.far.era() == Era::Legacy
            }
            Source::Events(_) | Source::Over => false,
        }
    }

    /// The server.
    pub(crate) fn far(&self) -> &Arc<Far> {
        &self.far
    }

    /// Listens to the server's own stream from now on, or not at all: a call that waits for its client
    /// must not take the questions of others for its own.
    pub(crate) fn attend(&mut self, attention: Option<Attention>) {
        self.aim.attention = attention;
    }

    /// The conversation as it goes on for another request of the same client: the one that brought
    /// the answers along.
    pub(crate) fn resume(
        &mut self,
        (id, flight): (Id, InFlight),
        token: Option<Id>,
        gone: watch::Receiver<bool>,
    ) {
        flight.sent(&self.far, self.claim.id());
        self.aim.flight = flight;
        // The server knows the first request only; what it says about it is now said of this one.
        self.token = self.token.take().or_else(|| self.aim.token.clone());
        self.aim.id = id;
        self.aim.token = token;
        self.aim.gone = gone;
        self.aim.deadline = self.far.deadline();
        if let Source::Events(events) = &mut self.source {
            events.extend(self.aim.deadline);
        }
    }

    /// The next thing the server says; none once it has ended without an answer.
    pub(crate) async fn next(&mut self) -> Result<Option<Said>, Broken> {
        loop {
            if self.turn.is_some() {
                self.take_turn().await?;
            }
            let message = match self.read().await? {
                Heard::Own(message) => message,
                Heard::Aside(message) => match self.aside(message).await? {
                    Some(said) => return Ok(Some(said)),
                    None => continue,
                },
                Heard::Nothing => return Ok(None),
            };
            let said = match message.shape() {
                Shape::Response => Some(self.response(message)?),
                Shape::Notification => self.notice(message)?.map(Said::Notice),
                Shape::Request => Some(self.question(message)?),
            };
            match said {
                // Only the server's state has to go back: nothing to tell the client (rule R3).
                Some(Said::Asks(questions)) if questions.is_empty() => {}
                Some(said) => return Ok(Some(said)),
                None => {}
            }
        }
    }

    /// Says that the answer was seen, so that the connection can be used again.
    pub(crate) fn finish(self) {
        if let Source::Events(events) = self.source {
            events.finish();
        }
    }

    /// Says that nobody waits any more.
    pub(crate) fn cancel(self) {
        if let Source::Events(events) = self.source {
            events.cancel();
        }
    }

    /// A question that came on the server's own stream: this call's, if there is no other it could be.
    async fn aside(&self, message: Message) -> Result<Option<Said>, Broken> {
        let alone = self.aim.attention.as_ref().is_some_and(Attention::is_alone);
        let Said::Asks(asks) = self.question(message)? else {
            return Ok(None);
        };
        if alone {
            return Ok(Some(Said::Asks(asks)));
        }
        for (_, asker) in asks {
            asker.give_up().await;
        }
        Ok(None)
    }

    async fn read(&mut self) -> Result<Heard, Broken> {
        // Nothing is taken out before it is there: whoever stops waiting for this loses no message.
        let next = match &mut self.source {
            Source::Over | Source::Message(_) => None,
            Source::Events(events) => tokio::select! {
                next = events.next() => next?.map(|event| event.data),
                message = questions(&mut self.aim.attention) => return Ok(Heard::Aside(message)),
                () = raised(self.aim.gone.clone()) => {
                    if let Source::Events(events) = std::mem::replace(&mut self.source, Source::Over) {
                        events.cancel();
                    }
                    return Err(Broken::Cancelled);
                }
            },
        };
        let bytes = match (next, &self.source) {
            (Some(bytes), _) => bytes,
            (None, Source::Message(bytes)) => {
                let bytes = bytes.clone();
                self.source = Source::Over;
                bytes
            }
            (None, Source::Events(_) | Source::Over) => return Ok(Heard::Nothing),
        };
        Ok(Heard::Own(self.far.read(bytes)?))
    }

    /// The response, in the client's words.
    fn response(&mut self, message: Message) -> Result<Said, Broken> {
        if message.id().as_ref() != Some(self.claim.id()) {
            return Err(malformed("it does not answer this request").into());
        }
        let theirs = self.far.era();
        let ours = self.aim.revision.rules().era;
        match (theirs, ours) {
            (Era::Legacy, Era::Modern) => {
                if let Some(questions) = bridge::url_elicitations(&message) {
                    return Ok(Said::Wants {
                        questions,
                        answer: None,
                    });
                }
            }
            (Era::Modern, _) => {
                match bridge::result_kind(&message, self.aim.method, self.aim.tasks) {
                    ResultKind::InputRequired => return self.wants(message, ours),
                    ResultKind::Complete | ResultKind::Task | ResultKind::Error => {}
                    ResultKind::Unknown => {
                        return Err(malformed("it is of a kind that does not exist").into());
                    }
                }
            }
            (Era::Legacy, Era::Legacy) => {
                if self.claim.id() == &self.aim.id {
                    return Ok(Said::Answer(message));
                }
            }
        }
        let asked = self.asked();
        let bytes = match (theirs, ours) {
            (Era::Legacy, Era::Modern) => {
                bridge::answer_for_modern(&message, &self.aim.id, &asked)?
            }
            (Era::Modern, Era::Legacy) => {
                self.structured = message
                    .result()
                    .and_then(|result| result.get("structuredContent"))
                    .filter(|content| content.kind() != Kind::Object)
                    .map(protocol::Value::slice);
                let asked = self.asked();
                bridge::answer_for_legacy(&message, &self.aim.id, &asked)?
            }
            _ => bridge::answer_same_era(&message, &self.aim.id, &asked)?,
        };
        Ok(Said::Answer(if bytes == message.bytes() {
            message
        } else {
            self.far.read(bytes)?
        }))
    }

    /// A modern server that wants more before it answers.
    fn wants(&mut self, message: Message, ours: Era) -> Result<Said, Broken> {
        // What is no question (rule R1) is the server's mistake in whatever era the client is.
        let questions =
            bridge::questions(&message).map_err(|error| malformed(&error.to_string()))?;
        let state = bridge::request_state(&message);
        let written = message
            .result()
            .and_then(|result| result.get("requestState"));
        if written.is_some() && state.is_none() {
            return Err(malformed("its `requestState` is no text").into());
        }
        if ours == Era::Modern {
            return Ok(Said::Wants {
                questions,
                answer: Some(message),
            });
        }
        self.rounds += 1;
        if self.rounds > ROUNDS {
            return Err(Broken::Rounds);
        }
        let (back, reached) = mpsc::channel(questions.len().max(1));
        let mut missing = HashSet::new();
        let mut asks = Vec::new();
        for question in questions {
            // A URL elicitation has to be named in 2025-11-25; the name leads nowhere else.
            let id = self.far.next_id();
            let name = id.text();
            let text =
                bridge::question_for_legacy(&question, &id, self.aim.revision, name.as_deref())?;
            missing.insert(question.key.clone());
            let asker = Asker::Turn {
                far: Arc::clone(&self.far),
                question,
                back: back.clone(),
            };
            asks.push((self.far.read(text)?, asker));
        }
        self.turn = Some(Turn {
            reached,
            missing,
            inputs: Vec::new(),
            state,
        });
        Ok(Said::Asks(asks))
    }

    /// Waits for everything that was asked, then sends the call again (rule R3).
    async fn take_turn(&mut self) -> Result<(), Broken> {
        let Some(mut turn) = self.turn.take() else {
            return Ok(());
        };
        if turn.missing.is_empty() {
            tokio::time::sleep(PAUSE * self.rounds).await;
        }
        while !turn.missing.is_empty() {
            let reached = tokio::select! {
                reached = tokio::time::timeout_at(self.aim.deadline, turn.reached.recv()) => reached,
                () = raised(self.aim.gone.clone()) => return Err(Broken::Cancelled),
            };
            let reached = reached.map_err(|_| UpstreamError::Deadline)?;
            let Reached { key, input } = reached.ok_or(Broken::Declined)?;
            if turn.missing.remove(&key) {
                turn.inputs.push((key, input.ok_or(Broken::Declined)?));
            }
        }
        let message = own(&self.aim.request)?;
        self.claim = self.far.claim_fresh();
        self.token = self.aim.token.as_ref().map(|_| self.claim.id().clone());
        let retry = Retry {
            inputs: &turn.inputs,
            state: turn.state.as_deref(),
        };
        let bytes = self.upward(&message, Some(&retry))?;
        self.send(bytes).await
    }

    /// The request in the server's words.
    fn upward(&self, message: &Message, retry: Option<&Retry<'_>>) -> Result<Bytes, Broken> {
        let id = Some(self.claim.id()).filter(|id| *id != &self.aim.id);
        let relabel = Relabel {
            id,
            token: self.token.as_ref(),
        };
        let ours = self.aim.revision.rules().era;
        match (self.far.era(), ours) {
            (Era::Legacy, Era::Legacy) => Ok(bridge::request_same_era(message, &relabel)?),
            (Era::Legacy, Era::Modern) => Ok(bridge::request_for_legacy(message, &relabel)?),
            (Era::Modern, _) => {
                let level = self.aim.level.map(LogLevel::as_str);
                let stamp = self.far.stamp(level);
                Ok(bridge::request_for_modern(
                    message, &relabel, &stamp, retry,
                )?)
            }
        }
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), Broken> {
        let outgoing = Outgoing {
            bytes,
            shape: Shape::Request,
            id: Some(self.claim.id().clone()),
            method: self.aim.method.name,
            headers: self.aim.headers.clone(),
        };
        let reply = tokio::select! {
            reply = self.far.link().send(outgoing, self.aim.deadline) => reply?,
            () = raised(self.aim.gone.clone()) => {
                self.take_back();
                return Err(Broken::Cancelled);
            }
        };
        self.source = match reply {
            Reply::Message(bytes) => Source::Message(bytes),
            Reply::Stream(events) => Source::Events(events),
            Reply::Accepted => return Err(malformed("there is none").into()),
        };
        Ok(())
    }

    /// Tells a legacy server that its answer is not wanted; a modern one hears the line go dead.
    fn take_back(&self) {
        if self.far.era() == Era::Modern {
            return;
        }
        let (far, id) = (Arc::clone(&self.far), self.claim.id().clone());
        tokio::spawn(async move {
            let params = [&b"{\"requestId\":"[..], id.raw(), b"}"].concat();
            let told = far.tell("notifications/cancelled", Some(&params)).await;
            if let Err(error) = told {
                tracing::debug!("a cancellation did not reach its server: {error}");
            }
        });
    }

    /// A notification in the client's words; none if the client is not to hear it.
    fn notice(&self, message: Message) -> Result<Option<Message>, Broken> {
        if message.method() == "notifications/message" && !self.is_loud_enough(&message) {
            return Ok(None);
        }
        if message.method() == "notifications/progress" && !self.is_of_this(&message) {
            return Ok(None);
        }
        let change = NoticeChange {
            sender: Sender::Server,
            to: self.aim.revision,
            token: self.aim.token.as_ref().filter(|_| self.token.is_some()),
            request: None,
            // On the stream of a call nothing belongs to a subscription (section 2.8).
            subscription: Subscription::Remove,
        };
        let Some(bytes) = bridge::notice(&message, &change)? else {
            return Ok(None);
        };
        Ok(Some(if bytes == message.bytes() {
            message
        } else {
            self.far.read(bytes)?
        }))
    }

    /// Whether the progress is that of this call. Between two of the era of sessions it may be that of
    /// another one of the same session (section 2.8).
    fn is_of_this(&self, message: &Message) -> bool {
        if self.far.era() == Era::Legacy && self.aim.revision.rules().era == Era::Legacy {
            return true;
        }
        let params = message.params();
        let token = params.and_then(|params| Id::read(params.get("progressToken")?).ok());
        let expected = self.token.as_ref().or(self.aim.token.as_ref());
        self.aim.token.is_some() && token.as_ref() == expected
    }

    /// A modern client hears of a call's log what it asked for, and nothing unasked.
    fn is_loud_enough(&self, message: &Message) -> bool {
        if self.aim.revision.rules().era == Era::Legacy {
            return true;
        }
        let level = message
            .params()
            .and_then(|params| params.get("level")?.text());
        let level = level.as_deref().and_then(LogLevel::named);
        match (self.aim.level, level) {
            (Some(wanted), Some(level)) => level >= wanted,
            _ => false,
        }
    }

    /// A request of a legacy server. A modern one may not send any (rule H12).
    fn question(&self, message: Message) -> Result<Said, Broken> {
        let id = message.id().filter(|_| self.far.era() == Era::Legacy);
        let id = id.ok_or_else(|| malformed("a request came where none may"))?;
        let asker = Asker::Server {
            far: Arc::clone(&self.far),
            id,
        };
        Ok(Said::Asks(vec![(message, asker)]))
    }
}

/// What the server asks on its own stream; never, where nobody listens to it.
async fn questions(attention: &mut Option<Attention>) -> Message {
    match attention {
        Some(attention) => attention.question().await,
        None => std::future::pending().await,
    }
}

/// Resolves when the flag goes up; never, if whoever could raise it is gone.
async fn raised(mut flag: watch::Receiver<bool>) {
    if flag.wait_for(|raised| *raised).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Reads a message that was checked before.
fn own(bytes: &Bytes) -> Result<Message, UpstreamError> {
    let limits = protocol::Limits {
        bytes: bytes.len(),
        depth: 1024,
        members: bytes.len(),
        nodes: bytes.len(),
    };
    Document::read(bytes.clone(), &limits)
        .and_then(Message::read)
        .map_err(|flaw| UpstreamError::Message {
            reason: flaw.to_string(),
        })
}

fn malformed(reason: &str) -> UpstreamError {
    UpstreamError::Malformed {
        reason: reason.to_owned(),
    }
}

impl Broken {
    /// Whether the upstream end is of no more use; the next call meets the server anew.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Broken::Upstream(error) if error.is_of_the_past())
    }

    /// Whether the server turned out not to speak the era it was met in; nothing was executed.
    pub(crate) fn is_era(&self) -> bool {
        matches!(self, Broken::Upstream(UpstreamError::Era { .. }))
    }
}
