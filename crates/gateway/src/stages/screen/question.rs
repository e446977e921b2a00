//! What servers ask of clients (elicitation, sampling, roots): only what the client said it can do
//! (rules L4, R1), what policy permits the server to ask, and pages the route allows (section 2.10).
//! A question is screened like an answer, and the record names who was asked.

use super::stream::{ScreenedStream, Wants};
use super::{Screen, sealed};
use crate::bridge::Asker;
use crate::gate::Gate;
use crate::naming::Naming;
use crate::seal::Purpose;
use crate::stages::draft::Draft;
use crate::stages::inspect::Inspected;
use crate::stages::raw::Alone;
use crate::stages::refused::{self, Refused};
use crate::stages::resolve::{self, From};
use bytes::Bytes;
use policy::{Action, Context, Request, Target};
use protocol::bridge::{self, Question};
use protocol::{Act, Document, Edits, Message, Method, codes, write};
use std::borrow::Cow;

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
        let no = match self.why_not(&message) {
            None => {
                let message = self.outward(self.with_provenance(message)?)?;
                let clean = self.cleaned(&message, draft)?;
                return self.read(clean).map(Some);
            }
            Some(no) => no,
        };
        tracing::debug!(
            method = message.method(),
            "a question was answered here: {}",
            no.1
        );
        asker
            .decline(no.0, &no.1)
            .await
            .map_err(|error| refused::upstream(&error))?;
        Ok(None)
    }

    /// Why a question goes no further, as the server is told.
    fn why_not(&self, message: &Message) -> Option<(i64, Cow<'static, str>)> {
        let unknown = || Some((codes::METHOD_NOT_FOUND, "method not found".into()));
        let row = Method::question(message.method(), self.revision);
        let Some(method) = row.filter(|method| method.act == Act::Ask) else {
            return unknown();
        };
        if self.alone == Alone::No {
            return Some((refused::LIMIT, "nothing can be asked in a batch".into()));
        }
        let Ok(question) = bridge::question_of_legacy("q", message) else {
            return Some((codes::INVALID_PARAMS, "the question is malformed".into()));
        };
        if !matches!(question.missing(self.offered()), Ok(None)) {
            let why = "the client did not offer this";
            return Some((codes::METHOD_NOT_FOUND, why.into()));
        }
        if !self.may_ask(method) {
            let why = "policy does not let this server ask";
            return Some((refused::POLICY, why.into()));
        }
        if !self.may_send_there(&question) {
            let why = "the user may not be sent to this page";
            return Some((refused::POLICY, why.into()));
        }
        None
    }

    /// What a modern server wants, if all of it may be asked; the call is refused if not, for it
    /// cannot go on.
    pub(super) fn wants(
        &self,
        questions: Vec<Question>,
        answer: Option<Message>,
        draft: &mut Draft,
    ) -> Result<Wants, Refused> {
        for question in &questions {
            match question.missing(self.offered()) {
                Ok(None) => {}
                Ok(Some(need)) => return Err(refused::capability_missing(need)),
                Err(error) => return Err(refused::unbridged(&error)),
            }
            let row = Method::question(&question.method, self.revision);
            let method = row.ok_or_else(|| refused::question_refused(&question.method))?;
            if !self.may_ask(method) {
                return Err(refused::question_refused(&question.method));
            }
            if !self.may_send_there(question) {
                return Err(refused::page_refused());
            }
        }
        let state = answer.as_ref().and_then(bridge::request_state);
        let answer = match answer {
            Some(message) => {
                let message = self.outward(self.with_provenance(message)?)?;
                let clean = self.cleaned(&message, draft)?;
                Some(self.read(clean)?)
            }
            None => None,
        };
        Ok(Wants {
            questions,
            answer,
            state,
        })
    }

    fn offered(&self) -> Option<protocol::Value<'_>> {
        let session = self.session.as_ref()?;
        session.capabilities().map(Document::root)
    }

    /// Whether policy lets this server ask this caller; either way the ledger says so.
    fn may_ask(&self, method: &Method) -> bool {
        let Some(served) = &self.served else {
            return false;
        };
        let context = Context {
            method: method.name,
            ..self.circumstances.bare()
        };
        let request = Request {
            principal: &self.principal,
            action: Action::Ask,
            resource: Target::Server { name: &served.name },
            context: &context,
        };
        let allowed = self.gate.policies().decide_cached(&request).allows();
        let verdict = if allowed { "allowed" } else { "refused" };
        let who = audit::Who {
            user: Some((&*self.user).into()),
            client: self.client.as_deref().map(Into::into),
            session_digest: self.session.as_ref().map(|session| session.name().into()),
            ..audit::Who::default()
        };
        self.gate.note_of(
            Some(who),
            "server.asked",
            (&served.name, method.name),
            verdict,
        );
        allowed
    }

    /// A page the user is sent to lies where the route allows. Nobody here ever fetches it.
    fn may_send_there(&self, question: &Question) -> bool {
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
    fn with_provenance(&self, message: Message) -> Result<Message, Refused> {
        let (Some(served), Naming::Prefixed) = (&self.served, self.route.naming) else {
            return Ok(message);
        };
        let name = write::string(&served.name);
        let mark = [&b"\"io.ringwall/server\":"[..], &name].concat();
        let mut edits = Edits::new();
        // A server with sessions asks in a request, a stateless one inside a result.
        let result = message.result();
        let asked = result.and_then(|result| result.get("inputRequests"));
        let asked = asked.into_iter().flat_map(protocol::Value::members);
        let asked = asked.filter_map(|(_, question)| question.get("params"));
        for params in message.params().into_iter().chain(asked) {
            marked(params, &mark, &mut edits);
        }
        if edits.is_empty() {
            return Ok(message);
        }
        let bytes = message.document().apply(&edits);
        self.read(bytes.map_err(|_| refused::crashed())?)
    }
}

/// Puts a mark into the `_meta` of a question, right behind an opening brace.
fn marked(params: protocol::Value<'_>, mark: &[u8], edits: &mut Edits) {
    let (inside, empty, mark) = match params.get("_meta") {
        Some(meta) => (meta.range(), meta.count() == 0, mark.to_vec()),
        None => {
            let meta = [b"\"_meta\":{", mark, b"}"].concat();
            (params.range(), params.count() == 0, meta)
        }
    };
    let comma: &[u8] = if empty { b"" } else { b"," };
    let at = inside.start + 1;
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
                bridge::answer_asking_same_era(answer, talk.id(), &state, &talk.asked())
                    .map_err(|error| refused::unbridged(&error))?
            }
            (None, from) => {
                let state = self.state(call, &from)?;
                let info = talk.asked().server_info;
                bridge::input_required(talk.id(), &wants.questions, &state, info)
            }
        };
        let message = self.screen.read(bytes)?;
        let bytes = self.screen.cleaned(&message, draft)?;
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
    let about = resolve::about(call, served);
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
        for (params, expected) in cases {
            let document = Document::read(params.into(), &protocol::Limits::default()).unwrap();
            let mut edits = Edits::new();
            marked(document.root(), b"\"s\":1", &mut edits);
            let written = document.apply(&edits).unwrap();
            assert_eq!(std::str::from_utf8(&written).unwrap(), expected);
        }
    }
}
