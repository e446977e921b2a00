//! The parts of a message that models and people are shown, wherever it has them: blocks of content,
//! resources, turns of a conversation, questions and what was answered. Data is no part: what its members
//! are called is for whoever sends it to say.

use super::{PARAMS, RESULT, check as spelt};
use crate::document::{Kind, Value};
use crate::flaw::Flaw;

/// The members of a block of content, of all types and revisions.
const BLOCK: &[&str] = &[
    "_meta",
    "annotations",
    "content",
    "data",
    "description",
    "icons",
    "id",
    "input",
    "isError",
    "mimeType",
    "name",
    "resource",
    "size",
    "structuredContent",
    "text",
    "title",
    "toolUseId",
    "type",
    "uri",
];
/// The members of what was read of a resource.
const RESOURCE: &[&str] = &["_meta", "blob", "mimeType", "text", "uri"];
/// The members of a turn of a conversation.
const TURN: &[&str] = &["_meta", "content", "role"];
/// The members of a question that stands in a result.
const QUESTION: &[&str] = &["method", "params"];
/// The members of a completion.
const COMPLETION: &[&str] = &["hasMore", "total", "values"];
/// The members of an error, such as that of a task.
const ERROR: &[&str] = &["code", "data", "message"];
/// The members of what somebody says of itself.
const INFO: &[&str] = &[
    "description",
    "icons",
    "name",
    "title",
    "version",
    "websiteUrl",
];
/// The members of a task.
const TASK: &[&str] = &[
    "_meta",
    "createdAt",
    "error",
    "inputRequests",
    "lastUpdatedAt",
    "pollInterval",
    "pollIntervalMs",
    "result",
    "status",
    "statusMessage",
    "taskId",
    "ttl",
    "ttlMs",
];
/// The members of a root.
const ROOT: &[&str] = &["_meta", "name", "uri"];

/// Refuses params or a result if a member of one of its parts is a variant of one of the protocol's. As deep as
/// the document, whose depth is bounded.
pub(crate) fn check(holder: Value<'_>) -> Result<(), Flaw> {
    for (name, part) in holder.members() {
        let name = name.decoded();
        match &*name {
            // What a person filled in is data.
            "content" if holder.get("action").is_none() => blocks(part)?,
            "contents" => part.elements().try_for_each(|it| spelt(it, RESOURCE))?,
            "messages" => part.elements().try_for_each(turn)?,
            "completion" => spelt(part, COMPLETION)?,
            "error" => spelt(part, ERROR)?,
            "serverInfo" => spelt(part, INFO)?,
            "task" => task(part)?,
            "tasks" => part.elements().try_for_each(task)?,
            "roots" => part.elements().try_for_each(|it| spelt(it, ROOT))?,
            "inputRequests" => part.members().try_for_each(|(_, asked)| question(asked))?,
            "inputResponses" => part.members().try_for_each(|(_, said)| outcome(said))?,
            // What a task came to.
            "result" => outcome(part)?,
            _ => {}
        }
    }
    Ok(())
}

fn outcome(result: Value<'_>) -> Result<(), Flaw> {
    spelt(result, RESULT)?;
    check(result)
}

fn task(task: Value<'_>) -> Result<(), Flaw> {
    spelt(task, TASK)?;
    check(task)
}

fn question(asked: Value<'_>) -> Result<(), Flaw> {
    spelt(asked, QUESTION)?;
    let Some(params) = asked.get("params") else {
        return Ok(());
    };
    spelt(params, PARAMS)?;
    check(params)
}

fn turn(turn: Value<'_>) -> Result<(), Flaw> {
    spelt(turn, TURN)?;
    turn.get("content").map_or(Ok(()), blocks)
}

/// One block, or several.
fn blocks(content: Value<'_>) -> Result<(), Flaw> {
    match content.kind() {
        Kind::Array => content.elements().try_for_each(block),
        _ => block(content),
    }
}

fn block(block: Value<'_>) -> Result<(), Flaw> {
    spelt(block, BLOCK)?;
    for (name, part) in block.members() {
        match &*name.decoded() {
            "resource" => spelt(part, RESOURCE)?,
            "content" => blocks(part)?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flaw::FlawKind;
    use crate::{Document, Limits, Message};
    use serde_json::{Value as Json, json};

    fn read(message: &Json) -> Result<Message, Flaw> {
        Document::read(message.to_string().into(), &Limits::default()).and_then(Message::read)
    }

    /// Every place in a message, with the member `text` or another word of the protocol there.
    fn parts() -> Vec<Json> {
        let block = json!({ "type": "text", "text": "hello" });
        let resource = json!({ "uri": "a:b", "text": "hello" });
        let turn = json!({ "role": "user", "content": block });
        let said = json!({ "role": "assistant", "content": [block] });
        let sampling = json!({ "messages": [turn], "systemPrompt": "hello" });
        let of = |result: Json| json!({ "jsonrpc": "2.0", "id": 1, "result": result });
        let asks = |params: Json| {
            let method = "sampling/createMessage";
            json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
        };
        let asked = json!({ "method": "sampling/createMessage", "params": sampling });
        vec![
            of(json!({ "content": [block] })),
            of(json!({ "content": [{ "type": "resource", "resource": resource }] })),
            of(json!({ "content": [{ "type": "tool_result", "content": [block] }] })),
            of(json!({ "contents": [resource] })),
            of(json!({ "messages": [turn] })),
            of(json!({ "completion": { "values": ["hello"] } })),
            of(json!({ "roots": [{ "uri": "file:///a", "name": "hello" }] })),
            of(json!({ "result": { "content": [block] } })),
            of(json!({ "inputRequests": { "a": asked } })),
            of(said.clone()),
            of(json!({ "task": { "taskId": "t", "status": "working", "statusMessage": "hello" } })),
            of(json!({ "tasks": [{ "taskId": "t", "statusMessage": "hello" }] })),
            of(
                json!({ "taskId": "t", "statusMessage": "hello", "error": { "code": 1, "message": "hello" } }),
            ),
            of(json!({ "serverInfo": { "name": "s", "title": "hello", "version": "1" } })),
            asks(sampling),
            asks(json!({ "inputResponses": { "a": said } })),
            asks(json!({ "level": "info", "data": "hello", "logger": "hello" })),
            asks(json!({ "message": "hello", "url": "https://a.example/" })),
        ]
    }

    /// The same message with each of its members of these names called otherwise, one at a time.
    fn respelt(message: &str, name: &str, other: &str) -> Vec<String> {
        let (from, to) = (format!("\"{name}\":"), format!("\"{other}\":"));
        let places = message.match_indices(&from);
        let each = places.map(|(at, _)| {
            let (before, after) = message.split_at(at);
            format!("{before}{}", after.replacen(&from, &to, 1))
        });
        each.collect()
    }

    #[test]
    fn n1_4_what_is_shown_is_spelt_as_the_protocol_spells_it() {
        let names = [
            "text",
            "type",
            "content",
            "contents",
            "messages",
            "role",
            "uri",
            "values",
            "name",
            "systemPrompt",
            "statusMessage",
            "title",
            "data",
            "message",
            "url",
            "resource",
            "logger",
            "params",
        ];
        for message in parts() {
            assert!(read(&message).is_ok(), "{message}");
            let text = message.to_string();
            let mut tried = 0;
            for name in names {
                let (first, rest) = name.split_at(2);
                for other in [
                    format!("{first}\u{200b}{rest}"),
                    format!("{first}\\u0001{rest}"),
                    format!("{first}\u{e0041}{rest}"),
                    format!("{first}\u{fe0f}{rest}"),
                    name.to_uppercase(),
                ] {
                    for changed in respelt(&text, name, &other) {
                        tried += 1;
                        let read = Document::read(changed.clone().into(), &Limits::default());
                        let kind = read.and_then(Message::read).map_err(|flaw| flaw.kind);
                        assert_eq!(kind.err(), Some(FlawKind::Variant), "{changed}");
                    }
                }
            }
            assert!(tried > 0, "{message}");
        }
    }

    #[test]
    fn n1_4_data_is_spelt_as_whoever_sends_it_likes() {
        let data =
            json!({ "Text": "a", "TYPE": 1, "te\u{200b}xt": "b", "Content": [{ "URI": "c" }] });
        let form = json!({ "type": "object", "properties": data });
        for message in [
            json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [], "structuredContent": data } }),
            json!({ "jsonrpc": "2.0", "id": 1, "result": { "action": "accept", "content": data } }),
            json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [{ "type": "text", "text": "", "_meta": data }] } }),
            json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [{ "type": "tool_use", "input": data }] } }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "a", "arguments": data } }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": "elicitation/create",
                    "params": { "message": "a", "requestedSchema": form } }),
            json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": data } }),
        ] {
            assert!(read(&message).is_ok(), "{message}");
        }
    }
}
