//! A request of the reference server on rmcp as its behaviour sees it: who sent it, and how that one
//! is told and asked things in its own era. It decides nothing.

#![expect(
    deprecated,
    reason = "sampling, roots and logging are part of both eras, if on their way out"
)]

use super::desk::{plain, typed};
use super::server::{LEVELS, MODERN};
use super::surface::word;
use rmcp::RoleServer;
use rmcp::model::{ErrorData, InputRequiredResult, InputResponses};
use rmcp::service::RequestContext;
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a request has no answer yet, or none at all.
#[derive(Debug)]
pub(super) enum Halt {
    /// The client is asked something first, which is how the modern era asks.
    Asks(Box<InputRequiredResult>),
    /// The request fails.
    Fails(ErrorData),
}

impl Halt {
    pub(super) fn rejected(message: &str, data: Option<Value>) -> Self {
        Halt::Fails(ErrorData::invalid_params(message.to_owned(), data))
    }

    pub(super) fn missing(uri: &str) -> Self {
        let message = format!("no resource {uri}");
        Halt::Fails(ErrorData::resource_not_found(
            message,
            Some(json!({ "uri": uri })),
        ))
    }
}

/// The request at hand, and whoever sent it.
pub(super) struct Asker<'a> {
    /// The request.
    pub(super) context: &'a RequestContext<RoleServer>,
    /// The answers that came with it.
    pub(super) given: Option<&'a InputResponses>,
    /// What an earlier round left.
    pub(super) state: Option<&'a str>,
    /// The rank of the least level that a legacy session wants logged.
    pub(super) level: usize,
    /// Numbers the pages that users are sent to.
    pub(super) elicitations: &'a AtomicU64,
}

impl Asker<'_> {
    fn is_modern(&self) -> bool {
        let version = self.context.protocol_version();
        version.is_some_and(|version| version.as_str() == MODERN)
    }

    /// The request's `_meta`.
    pub(super) fn meta(&self) -> Value {
        serde_json::to_value(&self.context.meta).unwrap_or_default()
    }

    /// What an earlier round left.
    pub(super) fn state(&self) -> Option<&str> {
        self.state
    }

    pub(super) async fn cancelled(&self) {
        self.context.ct.cancelled().await;
    }

    pub(super) async fn progress(&self, done: i64, total: i64) {
        let Some(token) = self.context.meta.get_progress_token() else {
            return;
        };
        let params = json!({
            "progressToken": token, "progress": done, "total": total, "message": format!("step {done}")
        });
        if let Ok(params) = serde_json::from_value(params) {
            let _ = self.context.peer.notify_progress(params).await;
        }
    }

    pub(super) async fn log(&self, level: &str, data: Value) {
        let rank = |name: &str| LEVELS.iter().position(|level| *level == name);
        let wanted = if self.is_modern() {
            let level = self.meta();
            let level = level.get("io.modelcontextprotocol/logLevel");
            level.and_then(Value::as_str).and_then(rank)
        } else {
            Some(self.level)
        };
        if wanted.is_none_or(|wanted| rank(level) < Some(wanted)) {
            return;
        }
        let params = json!({ "level": level, "logger": "reference", "data": data });
        if let Ok(params) = serde_json::from_value(params) {
            let _ = self.context.peer.notify_logging_message(params).await;
        }
    }

    /// Asks one thing.
    pub(super) async fn one(
        &self,
        key: &str,
        question: Value,
        state: Option<&str>,
    ) -> Result<Value, Halt> {
        let answers = self.need(&[(key, question)], state).await?;
        Ok(answers.get(key).cloned().unwrap_or_default())
    }

    /// Asks one thing or two at once: in the legacy era now, in the modern era by ending the request,
    /// which comes back with the answers.
    pub(super) async fn need(
        &self,
        questions: &[(&str, Value)],
        state: Option<&str>,
    ) -> Result<Map<String, Value>, Halt> {
        if !self.is_modern() {
            return self.ask_now(questions).await;
        }
        let given = self.given.into_iter().flatten();
        let given: Map<String, Value> = given
            .map(|(key, answer)| (key.clone(), answer.clone()))
            .collect();
        if questions.iter().all(|(key, _)| given.contains_key(*key)) {
            return Ok(given);
        }
        let requests: Map<String, Value> = questions
            .iter()
            .map(|(key, question)| ((*key).to_owned(), question.clone()))
            .collect();
        let requests = typed(Value::Object(requests)).map_err(Halt::Fails)?;
        let wanted = InputRequiredResult::new(Some(requests), state.map(str::to_owned));
        Err(Halt::Asks(Box::new(wanted)))
    }

    async fn ask_now(&self, questions: &[(&str, Value)]) -> Result<Map<String, Value>, Halt> {
        let mut answers = Map::new();
        match questions {
            [(first, one), (second, other)] => {
                let (one, other) = tokio::try_join!(self.ask(one), self.ask(other))?;
                answers.insert((*first).to_owned(), one);
                answers.insert((*second).to_owned(), other);
            }
            questions => {
                for (key, question) in questions {
                    answers.insert((*key).to_owned(), self.ask(question).await?);
                }
            }
        }
        Ok(answers)
    }

    async fn ask(&self, question: &Value) -> Result<Value, Halt> {
        let peer = &self.context.peer;
        let mut params = question.get("params").cloned().unwrap_or_default();
        if let (true, Some(members)) = (word(&params, "mode") == "url", params.as_object_mut()) {
            let id = self.elicitations.fetch_add(1, Ordering::Relaxed);
            members.insert(
                "elicitationId".to_owned(),
                format!("elicitation-{id}").into(),
            );
        }
        let answer = match question["method"].as_str() {
            Some("elicitation/create") => {
                let params = typed(params).map_err(Halt::Fails)?;
                peer.create_elicitation(params).await.map(plain)
            }
            Some("sampling/createMessage") => {
                let params = typed(params).map_err(Halt::Fails)?;
                peer.create_message(params).await.map(plain)
            }
            _ => peer.list_roots().await.map(plain),
        };
        answer.map_err(|error| Halt::Fails(ErrorData::internal_error(error.to_string(), None)))
    }
}
