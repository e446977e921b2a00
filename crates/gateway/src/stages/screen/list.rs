//! Lists, as this caller may see them: only tools whose definition is approved, and of everything
//! only what the same policies let them list. What is withheld leaves no trace in the answer.

use super::Screen;
use crate::catalog::Standing;
use crate::definitions;
use crate::stages::refused::{self, Refused};
use policy::{Action, Request, Target};
use protocol::{Message, Method, write};
use serde_json::Value;

pub(super) fn filter(
    screen: &Screen,
    message: Message,
    method: &Method,
) -> Result<Message, Refused> {
    let (Some(member), Some(result), Some(id)) =
        (method.list_member, message.result(), message.id())
    else {
        return Ok(message);
    };
    let mut result: Value = serde_json::from_slice(result.raw())
        .map_err(|error| refused::answer_malformed(&error.to_string()))?;
    let Some(items) = result.get_mut(member).and_then(Value::as_array_mut) else {
        return Err(refused::answer_malformed("the list is missing"));
    };
    if member == "tools" {
        approved_only(screen, items)?;
    }
    items.retain(|item| may_list(screen, member, item));
    let bytes = serde_json::to_vec(&result).map_err(|_| refused::crashed())?;
    screen.read(write::result(&id, &bytes))
}

/// Keeps the tools that stand as approved, in the very definition that was approved.
fn approved_only(screen: &Screen, items: &mut Vec<Value>) -> Result<(), Refused> {
    let served = &screen.route.server;
    definitions::learn(&screen.gate, served, items)
        .map_err(|error| refused::catalog(&error.into()))?;
    let catalog = served.shelf.catalog();
    items.retain(|item| {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        match catalog.tool(name) {
            // Two callers may be shown two definitions: the one in hand is what counts.
            Some(Standing::Approved(tool)) => tool.definition == *item,
            _ => false,
        }
    });
    Ok(())
}

fn may_list(screen: &Screen, member: &str, item: &Value) -> bool {
    let server = &*screen.route.server.name;
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let target = match member {
        "tools" => text("name").map(|name| Target::Tool { server, name }),
        "prompts" => text("name").map(|name| Target::Prompt { server, name }),
        "resources" => text("uri").map(|uri| Target::Resource { server, uri }),
        "resourceTemplates" => text("uriTemplate").map(|uri| Target::Resource { server, uri }),
        _ => None,
    };
    let context = screen.circumstances.bare();
    target.is_some_and(|resource| {
        let request = Request {
            principal: &screen.principal,
            action: Action::List,
            resource,
            context: &context,
        };
        screen.gate.policies().decide_cached(&request).allows()
    })
}
