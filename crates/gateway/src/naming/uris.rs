//! Where the messages of a server hold URIs of its resources. Puts the server's scheme in front of
//! each and leaves every other byte; it never judges a URI, and never follows one.

use protocol::{Document, Edits, Value};

/// The edits for a message that answers, or is, this method.
pub(super) fn outward(document: &Document, method: &str, scheme: &str) -> Edits {
    let mut places = Places {
        edits: Edits::new(),
        scheme: format!("{scheme}+").into(),
    };
    let root = document.root();
    let params = root.get("params");
    let result = root.get("result");
    match method {
        "tools/call" | "tasks/result" => places.tool(result),
        "prompts/get" => {
            places.messages(result);
            places.questions(result);
        }
        "resources/read" => {
            places.members(result, "contents", "uri");
            places.questions(result);
            // A server that finds nothing says what it did not find.
            let data = root.get("error").and_then(|error| error.get("data"));
            places.member(data, "uri");
        }
        "resources/list" => places.members(result, "resources", "uri"),
        "resources/templates/list" => {
            places.members(result, "resourceTemplates", "uriTemplate");
        }
        "sampling/createMessage" => places.messages(params),
        "tasks/get" => places.task(result),
        "notifications/tasks" => places.task(params),
        "notifications/resources/updated" => places.member(params, "uri"),
        "notifications/subscriptions/acknowledged" => {
            let honoured = params.and_then(|params| params.get("notifications"));
            let uris = honoured.and_then(|honoured| honoured.get("resourceSubscriptions"));
            for uri in elements(uris) {
                places.uri(uri);
            }
        }
        _ => {}
    }
    places.edits
}

struct Places {
    edits: Edits,
    scheme: bytes::Bytes,
}

impl Places {
    /// What a tool answered, or asks before it does.
    fn tool(&mut self, result: Option<Value<'_>>) {
        for block in elements(result.and_then(|result| result.get("content"))) {
            self.block(block);
        }
        self.questions(result);
    }

    /// A task of the extension: it may hold the answer of its tool, or what it asks.
    fn task(&mut self, task: Option<Value<'_>>) {
        self.tool(task.and_then(|task| task.get("result")));
        self.questions(task);
    }

    /// What a server asks inside a result. Only a conversation for a model holds resources.
    fn questions(&mut self, result: Option<Value<'_>>) {
        let Some(questions) = result.and_then(|result| result.get("inputRequests")) else {
            return;
        };
        for (_, question) in questions.members() {
            self.messages(question.get("params"));
        }
    }

    /// The messages of a prompt or of a conversation. Their content is one block or a list.
    fn messages(&mut self, owner: Option<Value<'_>>) {
        for message in elements(owner.and_then(|owner| owner.get("messages"))) {
            let Some(content) = message.get("content") else {
                continue;
            };
            for block in elements(Some(content)) {
                self.block_or_result(block);
            }
            self.block_or_result(content);
        }
    }

    /// A block of a conversation, where the result of a tool is a block with blocks in it.
    fn block_or_result(&mut self, block: Value<'_>) {
        if is_type(block, "tool_result") {
            for inner in elements(block.get("content")) {
                self.block(inner);
            }
        }
        self.block(block);
    }

    fn block(&mut self, block: Value<'_>) {
        if is_type(block, "resource") {
            self.member(block.get("resource"), "uri");
        } else if is_type(block, "resource_link") {
            self.member(Some(block), "uri");
        }
    }

    fn members(&mut self, owner: Option<Value<'_>>, list: &str, name: &str) {
        for element in elements(owner.and_then(|owner| owner.get(list))) {
            self.member(Some(element), name);
        }
    }

    fn member(&mut self, owner: Option<Value<'_>>, name: &str) {
        if let Some(uri) = owner.and_then(|owner| owner.get(name)) {
            self.uri(uri);
        }
    }

    /// In front of what stands there: a scheme needs no escape, and the URI keeps its own.
    fn uri(&mut self, value: Value<'_>) {
        if value.string().is_some() {
            let inside = value.range().start + 1;
            self.edits.replace(inside..inside, self.scheme.clone());
        }
    }
}

fn elements(list: Option<Value<'_>>) -> impl Iterator<Item = Value<'_>> {
    list.into_iter().flat_map(Value::elements)
}

fn is_type(block: Value<'_>, name: &str) -> bool {
    let kind = block.get("type").and_then(Value::string);
    kind.is_some_and(|kind| kind.is(name))
}
