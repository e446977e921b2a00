//! How the client on rmcp answers what a server asks of it, and what it heard. It decides nothing: a
//! message that says `decline` is declined, one that says `cancel` is cancelled, all others get what
//! they ask for.

#![expect(
    deprecated,
    reason = "sampling, roots and logging are part of both eras, if on their way out"
)]

use super::surface::{part, word};
use rmcp::model::{
    ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, ErrorData, ListRootsResult, LoggingMessageNotificationParam,
    ProgressNotificationParam, ResourceUpdatedNotificationParam, ServerNotification,
};
use rmcp::service::{NotificationContext, RequestContext};
use rmcp::{ClientHandler, RoleClient};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What came in since somebody last looked.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) asked: Vec<Value>,
    pub(super) logs: Vec<Value>,
    pub(super) notices: Vec<Value>,
    pub(super) progress: Vec<Value>,
}

/// The handler of whatever a server sends.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk(Arc<Mutex<Heard>>);

impl Desk {
    /// What was heard, to be looked at or taken.
    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, method: &str, params: impl Serialize) {
        let params = without(&plain(params), &["_meta", "elicitationId"]);
        let asked = json!({ "method": method, "params": params });
        self.heard().asked.push(asked);
    }

    /// A notice, wherever it came from.
    pub(super) fn notice(&self, method: &str, params: &Value) {
        let params = without(params, &["_meta"]);
        let notice = json!({ "method": method, "params": params });
        self.heard().notices.push(notice);
    }
}

impl ClientHandler for Desk {
    fn get_info(&self) -> ClientConfig {
        let config = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {
                "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {},
                "extensions": { "io.modelcontextprotocol/tasks": {} }
            },
            "clientInfo": { "name": "matrix-rmcp", "version": "1.0.0" }
        });
        serde_json::from_value(config).unwrap_or_default()
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.note("elicitation/create", &request);
        let asked = plain(&request);
        let message = word(&asked, "message");
        let refused = ["decline", "cancel"];
        let refused = refused.iter().find(|action| message.contains(**action));
        typed(match refused {
            Some(action) => json!({ "action": action }),
            None if word(&asked, "mode") == "url" => json!({ "action": "accept" }),
            None => {
                json!({ "action": "accept", "content": filled(part(&asked, "requestedSchema")) })
            }
        })
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.note("sampling/createMessage", &params);
        let asked = plain(&params);
        let content = asked.pointer("/messages/0/content");
        let text = content.and_then(|content| content.pointer("/0/text").or(content.get("text")));
        let answer = format!(
            "answer to: {}",
            text.and_then(Value::as_str).unwrap_or_default()
        );
        typed(json!({
            "role": "assistant",
            "content": { "type": "text", "text": answer },
            "model": "reference-model",
            "stopReason": "endTurn"
        }))
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        self.note("roots/list", json!({}));
        typed(json!({ "roots": [{ "uri": "file:///reference", "name": "reference" }] }))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        // The steps of the script are whole numbers; the SDK makes floats of them.
        let mut seen = plain(&params);
        if let Some(members) = seen.as_object_mut() {
            for name in ["progress", "total"] {
                if let Some(number) = members.get(name).and_then(Value::as_f64) {
                    members.insert(name.to_owned(), whole(number));
                }
            }
        }
        let seen = without(&seen, &["_meta", "progressToken"]);
        self.heard().progress.push(seen);
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let seen = without(&plain(&params), &["_meta"]);
        self.heard().logs.push(seen);
    }

    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.notice("notifications/resources/updated", &plain(&params));
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.notice("notifications/tools/list_changed", &json!({}));
    }

    async fn on_prompt_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.notice("notifications/prompts/list_changed", &json!({}));
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.notice("notifications/resources/list_changed", &json!({}));
    }
}

/// Notes what came on a subscription as if it had come to the handler.
pub(super) fn noted(desk: &Desk, notification: &ServerNotification) {
    let seen = plain(notification);
    let method = word(&seen, "method");
    desk.notice(method, seen.get("params").unwrap_or(&json!({})));
}

/// Any value of the SDK as JSON.
pub(super) fn plain(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A value of the SDK from JSON.
pub(super) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

/// An object without these members.
pub(super) fn without(value: &Value, names: &[&str]) -> Value {
    let members = value.as_object().into_iter().flatten();
    let kept = members.filter(|(name, _)| !names.contains(&name.as_str()));
    Value::Object(
        kept.map(|(name, member)| (name.clone(), member.clone()))
            .collect(),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "small whole numbers, counted by the script"
)]
fn whole(number: f64) -> Value {
    (number as i64).into()
}

/// What the user of this client fills in: the first thing that each property lets in.
fn filled(schema: &Value) -> Map<String, Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let properties = properties.into_iter().flatten();
    properties
        .map(|(name, property)| (name.clone(), first(property)))
        .collect()
}

fn first(property: &Value) -> Value {
    if property["type"] == "array" {
        return json!([first(&property["items"])]);
    }
    let places = ["/enum/0", "/oneOf/0/const", "/anyOf/0/const"];
    let named = places.iter().find_map(|place| property.pointer(place));
    if let Some(value) = named {
        return value.clone();
    }
    match (property["format"].as_str(), property["type"].as_str()) {
        (Some("email"), _) => "ada@example.com".into(),
        (Some("uri"), _) => "https://example.com/".into(),
        (Some("date"), _) => "2026-07-28".into(),
        (_, Some("integer")) => 7.into(),
        (_, Some("number")) => 1.5.into(),
        (_, Some("boolean")) => true.into(),
        _ => "text".into(),
    }
}
