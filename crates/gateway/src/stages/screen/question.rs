//! What servers ask of clients (elicitation, sampling, roots): only what the client said it can do
//! (rules L4, R1), what policy permits the server to ask, and pages the route allows (section 2.10).
//! A question is screened like an answer, and the record names who was asked.

use super::judged::{No, holders};
use super::stream::{ScreenedStream, Wants};
use super::{Screen, sealed};
use crate::bridge::Asker;
use crate::content;
use crate::gate::Gate;
use crate::naming::Naming;
use crate::providers::{Reading, Surface};
use crate::seal::Purpose;
use crate::small::lock;
use crate::stages::authorize;
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::From;
use bytes::Bytes;
use controls::Score;
use policy::{Action, Context, Request, Target};
use protocol::bridge::{self, Asked, Question};
use protocol::{Document, Edits, Id, Kind, Message, Method, Shape, write};
use std::borrow::Cow;
use std::sync::Mutex;

/// How many more questions of a server are written down: so many at once, and one more every second.
#[derive(Debug)]
pub(super) struct Notes(Mutex<(usize, u64)>);

impl Notes {
    pub(super) fn new(now_ms: u64) -> Self {
        Notes(Mutex::new((bridge::QUESTIONS_MAX, now_ms)))
    }

    fn take(&self, now_ms: u64) -> bool {
        let mut state = lock(&self.0);
        let (left, since_ms) = &mut *state;
        let more = now_ms.saturating_sub(*since_ms) / 1000;
        if more > 0 {
            let more = usize::try_from(more).unwrap_or(usize::MAX);
            *left = left.saturating_add(more).min(bridge::QUESTIONS_MAX);
            *since_ms = now_ms;
        }
        let taken = left.checked_sub(1);
        *left = taken.unwrap_or(0);
        taken.is_some()
    }
}

impl Screen {
    /// A question that may be passed on, in the words the client may hear; nothing if it was answered
    /// here.
    pub(super) async fn question(
        &self,
        message: Message,
        asker: &Asker,
        draft: &mut Draft,
    ) -> Result<Option<Message>, Refused> {
        if message.method() == "ping" {
            asker.input(Bytes::from_static(b"{}")).await.ok();
            return Ok(None);
        }
        // What is judged is what would be asked.
        let message = self.clean(message, draft)?;
        let no = match self.why_not(&message) {
            None => self.suspected(&message, draft).await,
            no => no,
        };
        let Some((code, why)) = no.map(No::told) else {
            return Ok(Some(message));
        };
        tracing::debug!(
            method = &*content::hushed(message.method()),
            "a question was answered here: {why}"
        );
        asker
            .decline(code, why)
            .await
            .map_err(|error| refused::upstream(&error))?;
        Ok(None)
    }

    /// Why a question goes no further.
    fn why_not(&self, message: &Message) -> Option<No> {
        let row = Method::question(message.method(), self.revision);
        match (row, bridge::question_of_legacy("q", message)) {
            (Some(_), Ok(question)) => self.judged(&question).err(),
            (row, _) => {
                let no = row.map_or(No::Unknown, |_| No::Malformed);
                let name = row.map_or("unknown", |method| method.name);
                self.noted(name, &format!("refused: {}", no.told().1));
                Some(no)
            }
        }
    }

    /// Why a question that may be asked is not, by what detectors say of it. They are told of none that
    /// policies do not let pass.
    async fn suspected(&self, message: &Message, draft: &mut Draft) -> Option<No> {
        let row = Method::question(message.method(), self.revision)?;
        match self.heard(draft).await {
            Ok(suspicions) if suspicions.is_empty() => None,
            Ok(suspicions) => (!self.may_ask(row, &suspicions)).then_some(No::Policy),
            Err(refused) => {
                self.noted(row.name, &format!("refused: {}", refused.refusal.code));
                Some(No::Suspect)
            }
        }
    }

    /// A server's message as the client may hear it: without what is not the server's to say, in the
    /// client's names, and without hidden text.
    fn clean(&self, message: Message, draft: &mut Draft) -> Result<Message, Refused> {
        let message = self.disowned(message)?;
        let message = self.outward(self.with_provenance(message)?)?;
        self.read(self.cleaned(&message, draft)?)
    }

    /// The same, of a question that a legacy server put into an error.
    fn clean_question(&self, question: Question, draft: &mut Draft) -> Result<Question, Refused> {
        let request = write::request(&Id::from(0), &question.method, Some(&question.params));
        let message = self.clean(self.read(request)?, draft)?;
        let params = message.params().map(protocol::Value::slice);
        Ok(Question {
            params: params.unwrap_or(question.params),
            ..question
        })
    }

    /// What a modern server wants, if all of it may be asked; the call is refused if not, for it
    /// cannot go on.
    pub(super) async fn wants(
        &self,
        questions: Vec<Question>,
        answer: Option<Message>,
        draft: &mut Draft,
    ) -> Result<Wants, Refused> {
        let state = answer.as_ref().and_then(bridge::request_state);
        let answer = answer.map(|message| self.clean(message, draft));
        let answer = answer.transpose()?;
        let questions = match &answer {
            Some(answer) => {
                bridge::questions(answer).map_err(|error| refused::unbridged(&error))?
            }
            None => {
                let mut cleaned = Vec::with_capacity(questions.len());
                let mut together: Option<(Surface, Reading)> = None;
                for question in questions {
                    cleaned.push(self.clean_question(question, draft)?);
                    match (&mut together, draft.reading.take()) {
                        (Some((_, all)), Some((_, one))) => all.extend(&one),
                        (all, one) => *all = one,
                    }
                }
                draft.reading = together;
                cleaned
            }
        };
        self.all_judged(&questions)?;
        let suspicions = self.heard(draft).await?;
        self.all_judged_again(&questions, &suspicions)?;
        Ok(Wants {
            questions,
            answer,
            state,
        })
    }

    pub(super) fn offered(&self) -> Option<protocol::Value<'_>> {
        let session = self.session.as_ref()?;
        session.capabilities().map(Document::root)
    }

    /// Whether policy lets this server ask this caller; either way the ledger says so.
    pub(super) fn may_ask(&self, method: &Method, suspicions: &[Cow<'_, str>]) -> bool {
        let Some(served) = &self.served else {
            return false;
        };
        let context = Context {
            method: method.name,
            suspicions,
            ..self.circumstances.bare()
        };
        let request = Request {
            principal: &self.principal,
            action: Action::Ask,
            resource: Target::Server { name: &served.name },
            context: &context,
        };
        let allowed = authorize::allows(&self.gate, &request);
        let noted = self.noted(method.name, if allowed { "allowed" } else { "refused" });
        allowed && noted
    }

    /// Writes down that the server asked, and what came of it. False if that is not written down, for a
    /// server that asks without end fills no ledger: what is not in it is not asked.
    pub(super) fn noted(&self, method: &str, verdict: &str) -> bool {
        let Some(served) = &self.served else {
            return false;
        };
        if !self.notes.take(self.gate.clock().unix_ms()) {
            return false;
        }
        self.gate.note_of(
            Some(self.who()),
            "server.asked",
            (&served.name, method),
            verdict,
        )
    }

    /// Writes down what is suspected of something that this server says on its own account. What is more than
    /// can be written down is not.
    pub(super) fn suspected_of<'s>(
        &self,
        method: &str,
        verdict: &str,
        suspected: impl Iterator<Item = &'s Score>,
    ) {
        let mut suspected = suspected.peekable();
        let (Some(served), Some(_)) = (&self.served, suspected.peek()) else {
            return;
        };
        if self.notes.take(self.gate.clock().unix_ms()) {
            let about = (&*served.name, method);
            self.gate
                .note_suspected(self.who(), about, verdict, suspected);
        }
    }

    /// Whose call it is, as the ledger says it.
    pub(super) fn who(&self) -> audit::Who<'_> {
        audit::Who {
            user: Some((&*self.user).into()),
            client: self.client.as_deref().map(Into::into),
            session_digest: self.session.as_ref().map(|session| session.name().into()),
            ..audit::Who::default()
        }
    }

    /// A page the user is sent to lies where the route allows. Nobody here ever fetches it.
    pub(super) fn may_send_there(&self, question: &Question) -> bool {
        if !question.is_url() {
            return true;
        }
        let params: serde_json::Value =
            serde_json::from_slice(&question.params).unwrap_or_default();
        let url = params.get("url").and_then(serde_json::Value::as_str);
        let url = url.and_then(|url| url::Url::parse(url).ok());
        url.is_some_and(|url| self.route.settled.elicitation.accepts(&url))
    }

    /// Behind a route with several servers, the client must be able to show which one asks.
    pub(super) fn with_provenance(&self, message: Message) -> Result<Message, Refused> {
        let (Some(served), Naming::Prefixed) = (&self.served, self.route.naming) else {
            return Ok(message);
        };
        let name = write::string(&served.name);
        let mark = [&b"\"io.ringwall/server\":"[..], &name].concat();
        let mut edits = Edits::new();
        // A server with sessions asks in a request, a stateless one inside a result or a task.
        let request = message.shape() == Shape::Request;
        let request = request.then(|| message.document().root());
        let asked = holders(&message).filter_map(|holder| holder.get("inputRequests"));
        let asked = asked.flat_map(protocol::Value::members);
        let asked = asked.map(|(_, question)| question);
        for question in request.into_iter().chain(asked) {
            marked(question, &mark, &mut edits);
        }
        if edits.is_empty() {
            return Ok(message);
        }
        let bytes = message.document().apply(&edits);
        self.read(bytes.map_err(|_| refused::crashed())?)
    }
}

/// Puts a mark into the `_meta` of a question's params, right behind an opening brace. What is no
/// object is left alone: it is no question either.
fn marked(question: protocol::Value<'_>, mark: &[u8], edits: &mut Edits) {
    let params = question.get("params");
    let meta = params.and_then(|params| params.get("_meta"));
    let (owner, mark) = match (params, meta) {
        (_, Some(meta)) => (meta, mark.to_vec()),
        (Some(params), None) => (params, [b"\"_meta\":{", mark, b"}"].concat()),
        (None, None) => (question, [b"\"params\":{\"_meta\":{", mark, b"}}"].concat()),
    };
    if owner.kind() != Kind::Object {
        return;
    }
    let comma: &[u8] = if owner.count() == 0 { b"" } else { b"," };
    let at = owner.range().start + 1;
    edits.replace(at..at, [&mark[..], comma].concat());
}

impl ScreenedStream {
    /// The answer that tells a stateless client what to bring along, with a state that is good for
    /// this client, this call and a short time only (rules R2, R5).
    pub(in crate::stages) fn pause(
        &self,
        call: &Inspected,
        wants: Wants,
        draft: &mut Draft,
    ) -> Result<Bytes, Refused> {
        let from = match (&wants.state, &wants.answer) {
            (Some(state), _) => From::Server(state.clone()),
            (None, None) => From::Again,
            // The server keeps no state, and the client is given none.
            (None, Some(_)) => From::Nothing,
        };
        let talk = self.talk().ok_or_else(refused::crashed)?;
        // What is asked was cleaned and judged before; only what the server is called comes from it anew.
        let asked = talk.asked();
        let info = asked.server_info;
        let info = info
            .map(|info| self.screen.presented(info, draft))
            .transpose()?;
        let server_info = info.as_deref();
        let bytes = match (&wants.answer, from) {
            (Some(answer), From::Nothing) => {
                let mut edits = Edits::new();
                if let Some(written) = answer.document().root().get("id") {
                    edits.replace(written.range(), talk.id().bytes());
                }
                let bytes = answer.document().apply(&edits);
                bytes.map_err(|_| refused::crashed())?
            }
            (Some(answer), from) => {
                let state = self.state(call, &from)?;
                let asked = Asked {
                    server_info,
                    ..asked
                };
                bridge::answer_asking_same_era(answer, talk.id(), &state, &asked)
                    .map_err(|error| refused::unbridged(&error))?
            }
            (None, from) => {
                let state = self.state(call, &from)?;
                bridge::input_required(talk.id(), &wants.questions, &state, server_info)
            }
        };
        self.screen.read(bytes.clone())?;
        draft.answer_bytes = Some(bytes.len());
        Ok(bytes)
    }

    /// The answer that tells a stateless client what a legacy server is waiting for.
    pub(in crate::stages) fn parked(
        call: &Inspected,
        gate: &Gate,
        number: u64,
        questions: &[Question],
        expires_ms: u64,
    ) -> Result<Bytes, Refused> {
        let id = call.message().and_then(Message::id);
        let id = id.ok_or_else(refused::crashed)?;
        let state = state(gate, call, &From::Parked(number), expires_ms)?;
        Ok(bridge::input_required(&id, questions, &state, None))
    }

    fn state(&self, call: &Inspected, from: &From) -> Result<String, Refused> {
        let gate = &self.screen.gate;
        let lasts = self.screen.route.settled.bridge.parked_time.as_millis();
        let lasts = u64::try_from(lasts).unwrap_or(u64::MAX);
        let expires = gate.clock().unix_ms().saturating_add(lasts);
        state(gate, call, from, expires)
    }
}

fn state(gate: &Gate, call: &Inspected, from: &From, expires_ms: u64) -> Result<String, Refused> {
    let served = call.served().ok_or_else(refused::crashed)?;
    let about = call.about(served);
    let parts: [&[u8]; 1] = [&about];
    sealed(
        gate,
        call,
        Purpose::State,
        &parts,
        expires_ms,
        &from.to_payload(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::Still;
    use serde_json::json;

    #[tokio::test]
    async fn n1_3_questions_that_come_together_are_read_together() {
        let server = "{ name: s, http: { url: 'https://s.example.com/mcp' }, \
             content: { providers: [{ use: them, on: [questions] }] } }";
        let them =
            "providers: [{ name: them, network: private, http: { url: 'http://127.0.0.1:9/' } }]";
        let still = Still::before(server, them).await;
        let (call, mut draft) = still.inspected("tools/list", json!({})).await;
        let call = call.unwrap();
        let screen = Screen::of(still.gate(), &call, call.served(), &draft);
        let questions = ["one", "two", "three"].map(|text| Question {
            key: text.into(),
            method: "elicitation/create".into(),
            params: json!({ "message": text }).to_string().into(),
        });
        // This client cannot be asked, so nobody is told of it.
        let wants = screen.wants(questions.into(), None, &mut draft).await;
        assert!(wants.is_err());
        let (_, reading) = draft.reading.unwrap();
        let read: Vec<_> = reading.text().lines().collect();
        assert_eq!(read, ["one", "two", "three"]);
    }

    #[test]
    fn n4_3_a_server_that_asks_without_end_is_written_down_so_often_only() {
        let most = bridge::QUESTIONS_MAX;
        let notes = Notes::new(5_000);
        let taken = |now_ms: u64| (0..most * 2).filter(|_| notes.take(now_ms)).count();
        for (now_ms, expected) in [
            (5_000, most),
            (5_999, 0),
            (6_000, 1),
            (8_500, 2),
            (1_000, 0),
            (9_000_000, most),
        ] {
            assert_eq!(taken(now_ms), expected, "{now_ms}");
        }
    }

    #[test]
    fn a_mark_stands_in_every_question_and_changes_nothing_else() {
        let cases = [
            ("{}", r#"{"_meta":{"s":1}}"#),
            (r#"{"message":"x"}"#, r#"{"_meta":{"s":1},"message":"x"}"#),
            (
                r#"{"_meta":{},"url":"y"}"#,
                r#"{"_meta":{"s":1},"url":"y"}"#,
            ),
            (r#"{"_meta":{"k":2}}"#, r#"{"_meta":{"s":1,"k":2}}"#),
            (
                r#"{ "a":1, "_meta":{ "k":2 } }"#,
                r#"{ "a":1, "_meta":{"s":1, "k":2 } }"#,
            ),
        ];
        let cases = cases.map(|(params, expected)| {
            let question = |params: &str| format!(r#"{{"params":{params}}}"#);
            (question(params), question(expected))
        });
        let bare = [
            ("{}", r#"{"params":{"_meta":{"s":1}}}"#),
            (r#"{"m":1}"#, r#"{"params":{"_meta":{"s":1}},"m":1}"#),
            (r#"{"params":[1]}"#, r#"{"params":[1]}"#),
            (r#"{"params":{"_meta":2}}"#, r#"{"params":{"_meta":2}}"#),
        ];
        let bare = bare.map(|(question, expected)| (question.to_owned(), expected.to_owned()));
        for (question, expected) in cases.into_iter().chain(bare) {
            let document = Document::read(question.into(), &protocol::Limits::default()).unwrap();
            let mut edits = Edits::new();
            marked(document.root(), b"\"s\":1", &mut edits);
            let written = document.apply(&edits).unwrap();
            assert_eq!(std::str::from_utf8(&written).unwrap(), expected);
        }
    }
}
