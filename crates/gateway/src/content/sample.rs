//! What an operator wrote of content, settled, for tests.

use config::settled;
use serde_json::{Value, json};

/// A configuration of one server and its route, with this `content` at the server.
pub(crate) fn house(content: &Value) -> config::Settled {
    let text = json!({
        "version": 1,
        "listeners": [{ "address": "127.0.0.1:0" }],
        "issuers": [{ "issuer": "https://id.example.com" }],
        "servers": [{ "name": "s", "http": { "url": "https://mcp.example.com/mcp" },
                      "content": content }],
        "routes": [{ "path": "/s", "server": "s" }],
    });
    config::load(&text.to_string()).unwrap().0
}

/// What counts for that server.
pub(crate) fn settled(content: &Value) -> settled::Content {
    house(content).servers.first().unwrap().content.clone()
}
