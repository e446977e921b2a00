//! Every place of every kind of message where text stands, with a `§` in it, both ways.

use serde_json::{Value, json};

/// How a server comes to say something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// In its answer.
    Answer,
    /// In a message on the stream before its answer.
    Ahead,
    /// When the session is opened.
    Opening,
}

/// Something that a server says.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) via: Via,
    pub(crate) method: &'static str,
    pub(crate) params: Value,
    pub(crate) said: Value,
}

impl Said {
    /// Whether a server says with it what it is: definitions, and its instructions.
    pub(crate) fn defines(&self) -> bool {
        self.method.ends_with("/list") || self.said.get("instructions").is_some()
    }
}

/// Something that a client says: a method and its params.
pub(crate) type Asked = (&'static str, Value);

/// Stands for the text that is looked at.
pub(crate) const HERE: &str = "§";

pub(crate) fn said() -> Vec<Said> {
    // Definitions last: what a server no longer lists is not to be had.
    let parts = [opening(), results(), ahead(), lists(), definitions()];
    parts.concat()
}

fn row(via: Via, method: &'static str, params: &Value, said: Value) -> Said {
    Said {
        via,
        method,
        params: params.clone(),
        said,
    }
}

fn opening() -> Vec<Said> {
    let info = |more: Value| {
        let info = json!({ "name": "s", "version": "1" });
        json!({ "serverInfo": named(info, more) })
    };
    let said = [
        json!({ "instructions": HERE }),
        info(json!({ "title": HERE })),
        info(json!({ "description": HERE })),
        info(json!({ "version": HERE })),
        info(json!({ "websiteUrl": format!("https://a.example/{HERE}") })),
        info(json!({ "icons": [{ "src": format!("https://a.example/{HERE}.png") }] })),
    ];
    said.map(|said| row(Via::Opening, "initialize", &json!({}), said))
        .to_vec()
}

/// Lists of prompts, resources and templates.
fn lists() -> Vec<Said> {
    let prompt = |more: Value| json!({ "prompts": [named(json!({ "name": "p" }), more)] });
    let resource = |more: Value| json!({ "resources": [named(json!({ "name": "r", "uri": "file:///r" }), more)] });
    let template = |more: Value| {
        let template = json!({ "name": "t", "uriTemplate": "file:///{x}" });
        json!({ "resourceTemplates": [named(template, more)] })
    };
    let words = [
        json!({ "name": HERE }),
        json!({ "title": HERE }),
        json!({ "description": HERE }),
        json!({ "icons": [{ "src": format!("https://a.example/{HERE}") }] }),
        json!({ "_meta": { "a.example/x": [HERE] } }),
    ];
    let mut all = Vec::new();
    for more in &words {
        for (method, said) in [
            ("prompts/list", prompt(more.clone())),
            ("resources/list", resource(more.clone())),
            ("resources/templates/list", template(more.clone())),
        ] {
            all.push(row(Via::Answer, method, &json!({}), said));
        }
    }
    let argument =
        |more: Value| prompt(json!({ "arguments": [named(json!({ "name": "a" }), more)] }));
    for said in [
        argument(json!({ "name": HERE })),
        argument(json!({ "title": HERE })),
        argument(json!({ "description": HERE })),
    ] {
        all.push(row(Via::Answer, "prompts/list", &json!({}), said));
    }
    let annotated = json!({ "annotations": { "x": HERE }, "mimeType": "text/plain" });
    let said = resource(annotated);
    all.push(row(Via::Answer, "resources/list", &json!({}), said));
    all
}

/// Definitions of tools. Each has a name of its own, so that none is a changed one.
fn definitions() -> Vec<Said> {
    let property = |property: Value| json!({ "inputSchema": { "type": "object", "properties": { "x": property } } });
    let definitions = [
        json!({ "title": HERE }),
        json!({ "description": HERE }),
        json!({ "annotations": { "title": HERE } }),
        json!({ "icons": [{ "src": format!("https://a.example/{HERE}") }] }),
        json!({ "_meta": { "a.example/x": { "y": HERE } } }),
        property(json!({ "type": "string", "title": HERE })),
        property(json!({ "type": "string", "description": HERE })),
        property(json!({ "type": "string", "default": HERE })),
        property(json!({ "type": "string", "enum": ["a", HERE] })),
        property(json!({ "type": "string", "examples": [HERE] })),
        property(json!({ "const": HERE })),
        property(json!({ "type": "string", "$comment": HERE })),
        json!({ "inputSchema": { "type": "object", "properties": { HERE: { "type": "string" } } } }),
        json!({ "inputSchema": { "type": "object", "description": HERE } }),
        json!({ "outputSchema": { "type": "object", "description": HERE } }),
    ];
    let rows = definitions.into_iter().enumerate().map(|(at, definition)| {
        let tool = json!({ "name": format!("tool{at}_#"), "inputSchema": { "type": "object" } });
        let said = json!({ "tools": [named(tool, definition), called()] });
        row(Via::Answer, "tools/list", &json!({}), said)
    });
    rows.collect()
}

/// The one tool that is called.
pub(crate) fn called() -> Value {
    json!({ "name": "call", "inputSchema": { "type": "object" } })
}

/// Results and errors.
fn results() -> Vec<Said> {
    let call = json!({ "name": "call", "arguments": {} });
    let block = |block: Value| json!({ "content": [{ "type": "text", "text": "first" }, block] });
    let embedded = |more: Value| {
        let resource = named(json!({ "uri": "file:///r" }), more);
        json!({ "type": "resource", "resource": resource })
    };
    let link = |more: Value| {
        let link = json!({ "type": "resource_link", "uri": "file:///r", "name": "r" });
        named(link, more)
    };
    let image = json!({ "type": "image", "data": "AAAA", "mimeType": "image/png" });
    let calls = [
        block(json!({ "type": "text", "text": HERE })),
        json!({ "content": [{ "type": "text", "text": HERE }], "isError": true }),
        block(json!({ "type": "text", "text": "x", "annotations": { "x": HERE } })),
        block(json!({ "type": "text", "text": "x", "_meta": { "a.example/x": HERE } })),
        block(embedded(json!({ "text": HERE }))),
        block(embedded(json!({ "text": "x", "mimeType": HERE }))),
        block(link(json!({ "name": HERE }))),
        block(link(json!({ "title": HERE }))),
        block(link(json!({ "description": HERE }))),
        block(named(image, json!({ "mimeType": HERE }))),
        json!({ "content": [], "structuredContent": { "x": [{ "y": HERE }] } }),
        json!({ "content": [], "structuredContent": { HERE: 1 } }),
        json!({ "content": [], "_meta": { "a.example/x": HERE } }),
        json!({ "error": { "code": -32000, "message": HERE } }),
        json!({ "error": { "code": -32000, "message": "x", "data": { "y": HERE } } }),
    ];
    let mut all: Vec<Said> = calls
        .into_iter()
        .map(|said| row(Via::Answer, "tools/call", &call, said))
        .collect();
    let text = json!({ "type": "text", "text": HERE });
    let message = |content: &Value| json!([{ "role": "user", "content": content }]);
    let get = json!({ "name": "get" });
    let read = json!({ "uri": "file:///r" });
    let complete = json!({ "ref": { "type": "ref/prompt", "name": "get" }, "argument": { "name": "a", "value": "" } });
    for (method, params, said) in [
        ("prompts/get", &get, json!({ "messages": message(&text) })),
        (
            "prompts/get",
            &get,
            json!({ "messages": [], "description": HERE }),
        ),
        (
            "prompts/get",
            &get,
            json!({ "messages": message(&embedded(json!({ "text": HERE }))) }),
        ),
        (
            "resources/read",
            &read,
            json!({ "contents": [{ "uri": "file:///r", "text": HERE }] }),
        ),
        (
            "completion/complete",
            &complete,
            json!({ "completion": { "values": ["a", HERE] } }),
        ),
    ] {
        all.push(row(Via::Answer, method, params, said));
    }
    all
}

/// What a server says while a tool runs: notifications, and questions to the client.
fn ahead() -> Vec<Said> {
    let params = json!({ "name": "call", "arguments": {}, "_meta": { "progressToken": "p" } });
    let log = |data: Value| json!({ "method": "notifications/message", "params": { "level": "error", "data": data } });
    let asks =
        |method: &str, params: Value| json!({ "id": "q", "method": method, "params": params });
    let form = |property: Value| {
        let schema = json!({ "type": "object", "properties": { "x": property } });
        asks(
            "elicitation/create",
            json!({ "message": "m", "requestedSchema": schema }),
        )
    };
    let sample = |more: Value| {
        let content = json!({ "type": "text", "text": "x" });
        let messages = json!([{ "role": "user", "content": content }]);
        asks(
            "sampling/createMessage",
            named(json!({ "messages": messages, "maxTokens": 1 }), more),
        )
    };
    let text = json!([{ "role": "user", "content": { "type": "text", "text": HERE } }]);
    let said = [
        log(json!(HERE)),
        log(json!({ "x": [HERE] })),
        json!({ "method": "notifications/message",
            "params": { "level": "error", "logger": HERE, "data": "x" } }),
        json!({ "method": "notifications/progress",
            "params": { "progressToken": "p", "progress": 1, "message": HERE } }),
        asks(
            "elicitation/create",
            json!({ "message": HERE, "requestedSchema": { "type": "object", "properties": {} } }),
        ),
        form(json!({ "type": "string", "title": HERE })),
        form(json!({ "type": "string", "description": HERE })),
        form(json!({ "type": "string", "default": HERE })),
        form(json!({ "type": "string", "enum": ["a"], "enumNames": [HERE] })),
        sample(json!({ "messages": text })),
        sample(json!({ "systemPrompt": HERE })),
        sample(json!({ "metadata": { "x": HERE } })),
    ];
    said.map(|said| row(Via::Ahead, "tools/call", &params, said))
        .to_vec()
}

/// What a client says that a server reads.
pub(crate) fn asked() -> Vec<Asked> {
    let call = |arguments: Value| {
        (
            "tools/call",
            json!({ "name": "call", "arguments": arguments }),
        )
    };
    let prompt = json!({ "type": "ref/prompt", "name": "get" });
    vec![
        call(json!({ "x": HERE })),
        call(json!({ "x": [{ "y": [HERE] }] })),
        call(json!({ HERE: "x" })),
        (
            "tools/call",
            json!({ "name": "call", "arguments": {}, "_meta": { "a.example/x": HERE } }),
        ),
        (
            "prompts/get",
            json!({ "name": "get", "arguments": { "x": HERE } }),
        ),
        (
            "completion/complete",
            json!({ "ref": prompt, "argument": { "name": "a", "value": HERE } }),
        ),
        (
            "completion/complete",
            json!({ "ref": prompt, "argument": { "name": "a", "value": "x" },
            "context": { "arguments": { "x": HERE } } }),
        ),
    ]
}

fn named(mut value: Value, more: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
        members.extend(more);
    }
    value
}
