//! Whether what a server asks may be put to this client (rules L4, R1, section 2.10), wherever it
//! stands: in a request, in a result that wants more, in a task that waits, in the error of
//! 2025-11-25 that sends the user to a page. What is judged is what would be sent, after cleaning.
//! Every no goes into the ledger with its reason. Nothing is asked from here.

use super::Screen;
use crate::catalog;
use crate::stages::raw::Alone;
use crate::stages::refused::{self, Refused};
use crate::stages::suspect;
use controls::Score;
use protocol::bridge::{self, BridgeError, Need, Question};
use protocol::{Document, Era, Kind, Message, Method, Revision, Shape, Value, codes};
use std::borrow::Cow;

/// Why a question goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum No {
    /// There is no such question.
    Unknown,
    /// In a batch there is nobody to ask.
    Batch,
    /// It is not shaped like a question.
    Malformed,
    /// The client did not say that it can.
    Unable(Need),
    /// The page lies where the route does not allow.
    Page,
    /// The policies do not permit it, or it could not be written down.
    Policy,
    /// A detector suspects it, or says nothing; or tools in it speak to the model.
    Suspect,
}

impl No {
    /// As the server is told, and the ledger.
    pub(super) fn told(self) -> (i64, &'static str) {
        match self {
            No::Unknown => (codes::METHOD_NOT_FOUND, "method not found"),
            No::Batch => (refused::LIMIT, "nothing can be asked in a batch"),
            No::Malformed => (codes::INVALID_PARAMS, "the question is malformed"),
            No::Unable(_) => (codes::METHOD_NOT_FOUND, "the client did not offer this"),
            No::Page => (refused::POLICY, "the user may not be sent to this page"),
            No::Policy => (refused::POLICY, "policy does not let this server ask"),
            No::Suspect => (refused::POLICY, "the question is suspect"),
        }
    }

    /// As the client is told, whose call cannot go on.
    fn refused(self, method: &str, era: Era) -> Refused {
        match (self, era) {
            (No::Unable(need), Era::Modern) => refused::capability_missing(need),
            (No::Unable(_), Era::Legacy) => refused::capability_unoffered(),
            (No::Page, _) => refused::page_refused(),
            (No::Malformed, _) => refused::unbridged(&BridgeError::Question),
            (No::Suspect, _) => refused::question_suspected(method),
            (No::Unknown | No::Batch | No::Policy, _) => refused::question_refused(method),
        }
    }
}

impl Screen {
    /// Whether one question may be asked; either way the ledger says so.
    pub(super) fn judged(&self, question: &Question) -> Result<(), No> {
        let row = Method::question(&question.method, self.revision);
        let no = match row {
            None => Some(No::Unknown),
            Some(_) if self.alone == Alone::No => Some(No::Batch),
            Some(_) => match question.missing(self.offered()) {
                Err(_) => Some(No::Malformed),
                Ok(Some(need)) => Some(No::Unable(need)),
                Ok(None) if !self.may_send_there(question) => Some(No::Page),
                Ok(None) => None,
            },
        };
        let suspected = match no {
            None => self.suspected_tools(question),
            Some(_) => Vec::new(),
        };
        let no = no.or_else(|| suspected.iter().any(Score::refuses).then_some(No::Suspect));
        let suspicions = suspect::suspicions(&suspected);
        match (no, row) {
            (None, Some(method)) if self.may_ask(method, &suspicions) => Ok(()),
            // What policy says is noted where it is asked.
            (None, _) => Err(No::Policy),
            (Some(no), row) => {
                let name = row.map_or("unknown", |method| method.name);
                self.noted(name, &format!("refused: {}", no.told().1));
                Err(no)
            }
        }
    }

    /// What is suspected of the tools that a server hands to the client's model (sampling): they are definitions
    /// that no list has, so nobody pins them, and what they say is looked at each time (control 9.2).
    fn suspected_tools(&self, question: &Question) -> Vec<Score> {
        let Some(served) = &self.served else {
            return Vec::new();
        };
        let params = Document::read(question.params.clone(), &self.route.reading_answers);
        let tools = params.as_ref().ok().and_then(|it| it.root().get("tools"));
        let tools =
            tools.and_then(|tools| serde_json::from_slice::<serde_json::Value>(tools.raw()).ok());
        let suspected = tools.map(|tools| catalog::suspected(&served.settled, &tools));
        let suspected = suspected.unwrap_or_default();
        let verdict = match suspected.iter().any(Score::refuses) {
            true => "withheld",
            false => "passed on",
        };
        let told = suspected.iter().filter(|score| score.is_suspicion());
        self.suspected_of(&question.method, verdict, told);
        suspected
    }

    /// Whether all of it may still be asked, now that something is suspected of it.
    pub(super) fn all_judged_again(
        &self,
        questions: &[Question],
        suspicions: &[Cow<'_, str>],
    ) -> Result<(), Refused> {
        if suspicions.is_empty() {
            return Ok(());
        }
        questions.iter().try_for_each(|question| {
            let row = Method::question(&question.method, self.revision);
            match row.is_some_and(|method| self.may_ask(method, suspicions)) {
                true => Ok(()),
                false => Err(refused::question_refused(&question.method)),
            }
        })
    }

    /// Whether all of it may be asked. If not, the call cannot go on.
    pub(super) fn all_judged(&self, questions: &[Question]) -> Result<(), Refused> {
        let era = self.revision.rules().era;
        questions.iter().try_for_each(|question| {
            self.judged(question)
                .map_err(|no| no.refused(&question.method, era))
        })
    }

    /// Judges what an answer or a notification asks in passing: a task that waits for answers, or the
    /// error that sends the user to a page before the call is made again.
    pub(super) fn asked_in_passing(&self, message: &Message) -> Result<(), Refused> {
        let error = message.error();
        let code = error.and_then(|error| error.get("code")?.integer());
        if code == Some(codes::URL_ELICITATION_REQUIRED) {
            let malformed = || refused::answer_malformed("it names no pages to open");
            if self.revision != Revision::V2025_11_25 {
                return Err(No::Unable(Need::ElicitationUrl)
                    .refused("elicitation/create", self.revision.rules().era));
            }
            let pages = bridge::url_elicitations(message).ok_or_else(malformed)?;
            return self.all_judged(&pages);
        }
        if self.revision.rules().era == Era::Modern {
            for holder in holders(message) {
                let questions = bridge::questions_in(holder)
                    .map_err(|error| refused::answer_malformed(&error.to_string()))?;
                self.all_judged(&questions)?;
            }
        }
        Ok(())
    }

    /// The message without keys that only the gateway itself writes.
    pub(super) fn disowned(&self, message: Message) -> Result<Message, Refused> {
        let mut edits = protocol::Edits::new();
        let owners = [message.params(), message.result()].into_iter().flatten();
        let asked = holders(&message)
            .filter_map(|holder| holder.get("inputRequests"))
            .flat_map(Value::members)
            .filter_map(|(_, question)| question.get("params"));
        for meta in owners.chain(asked).filter_map(|owner| owner.get("_meta")) {
            bridge::disown(meta, is_ours, &mut edits);
        }
        if edits.is_empty() {
            return Ok(message);
        }
        let bytes = message.document().apply(&edits);
        self.read(bytes.map_err(|_| refused::crashed())?)
    }
}

/// Where a message may hold questions: a result or a task, or what such a one holds.
pub(super) fn holders(message: &Message) -> impl Iterator<Item = Value<'_>> {
    let top = match message.shape() {
        Shape::Response => message.result(),
        Shape::Notification => message.params(),
        Shape::Request => None,
    };
    let inner = ["task", "result"].map(|name| top.and_then(|top| top.get(name)));
    let all = [top].into_iter().chain(inner).flatten();
    all.filter(|holder| holder.kind() == Kind::Object && holder.get("inputRequests").is_some())
}

/// Whether the key of `_meta` is one of the gateway's own, also with characters in it that are taken
/// out later.
fn is_ours(key: &str) -> bool {
    const OURS: &str = "io.ringwall/";
    let key = inspect::text::clean(key);
    key.get(..OURS.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(OURS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::Still;
    use protocol::Limits;
    use serde_json::json;

    fn message(text: &str) -> Message {
        let document = Document::read(text.to_owned().into(), &Limits::default());
        document.and_then(Message::read).unwrap()
    }

    #[test]
    fn r1_questions_are_found_wherever_a_task_may_hold_them() {
        let asks = r#"{"inputRequests":{"q":{"method":"roots/list"}}}"#;
        let cases = [
            (format!(r#"{{"jsonrpc":"2.0","id":1,"result":{asks}}}"#), 1),
            (
                format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"task":{asks}}}}}"#),
                1,
            ),
            (
                format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"result":{asks}}}}}"#),
                1,
            ),
            (
                format!(r#"{{"jsonrpc":"2.0","method":"notifications/tasks","params":{asks}}}"#),
                1,
            ),
            (
                format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[{asks}]}}}}"#),
                0,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#.to_owned(),
                0,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(holders(&message(&text)).count(), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn n1_4_what_only_the_gateway_writes_is_taken_out_wherever_a_server_writes_it() {
        let still = Still::with("").await;
        let (call, draft) = still.inspected("tools/list", json!({})).await;
        let call = call.unwrap();
        let screen = Screen::of(still.gate(), &call, call.served(), &draft);
        let of = |meta: serde_json::Value| {
            let said = json!({ "_meta": meta, "n": 1 });
            [
                json!({ "jsonrpc": "2.0", "id": 1, "method": "roots/list", "params": said }),
                json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": said }),
                json!({ "jsonrpc": "2.0", "id": 1, "result": said }),
                json!({ "jsonrpc": "2.0", "id": 1, "result": { "inputRequests": { "q": { "params": said } } } }),
            ]
        };
        let said = of(json!({ "io.ringwall/server": "bank", "k": 1 }));
        for (said, expected) in said.into_iter().zip(of(json!({ "k": 1 }))) {
            let left = screen.disowned(message(&said.to_string())).unwrap();
            let left: serde_json::Value = serde_json::from_slice(left.bytes()).unwrap();
            assert_eq!(left, expected);
        }
    }

    #[test]
    fn n1_4_no_server_writes_what_only_the_gateway_writes() {
        let ours = [
            "io.ringwall/server",
            "IO.Ringwall/refusal",
            "io.ring\u{200b}wall/server",
        ];
        assert!(ours.into_iter().all(is_ours));
        let theirs = [
            "io.ringwal",
            "io.ringwall",
            "x.io.ringwall/server",
            "",
            "io.ringwäll/",
        ];
        assert!(!theirs.into_iter().any(is_ours));
    }
}
