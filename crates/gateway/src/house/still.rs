//! A gateway for tests of what people and administrators do: built as every other, at a time that stands still. It serves nobody
//! and asks nobody outside.

use super::House;
use crate::body::Body;
use crate::clock::{Clock, StillClock};
use crate::gate::Gate;
use crate::load::Loaded;
use crate::revocation::{Order, Origin, Target};
use crate::stages::{
    Draft, Inspected, Raw, Refused, admit, frame, identify, inspect, resolve, validate,
};
use bytes::Bytes;
use http::{HeaderMap, Response, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// The gateway, and what it stands on.
pub(crate) struct Still {
    pub(crate) clock: Arc<StillClock>,
    pub(crate) house: House,
    folder: tempfile::TempDir,
}

/// The issuer where people sign in.
pub(crate) const ISSUER: &str = "https://id.example.com";
const NOW_MS: u64 = 1_800_000_000_000;

impl Still {
    /// One with this part of a configuration.
    pub(crate) async fn with(part: &str) -> Self {
        Still::before(
            "{ name: s, http: { url: 'https://s.example.com/mcp' } }",
            part,
        )
        .await
    }

    /// The same before this server, which is called `s`.
    pub(crate) async fn before(server: &str, part: &str) -> Self {
        let text = format!(
            "version: 1\npublic_url: https://mcp.example.com\n\
             listeners: [{{ address: '127.0.0.1:0' }}]\n\
             issuers: [{{ issuer: '{ISSUER}', sign_in: {{ client: ringwall }} }}]\n\
             servers: [{server}]\n\
             routes: [{{ path: /s, server: s }}]\n{part}\n"
        );
        Still::of(&text).await
    }

    /// One of this configuration.
    pub(crate) async fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(StillClock::at_unix_ms(NOW_MS));
        let read: Arc<dyn Clock> = Arc::<StillClock>::clone(&clock);
        Still {
            clock,
            house: House::build(loaded(text, folder.path()), read)
                .await
                .unwrap(),
            folder,
        }
    }

    /// Puts another configuration in force.
    pub(crate) async fn reload(&self, text: &str) {
        let loaded = loaded(text, self.folder.path());
        assert!(self.house.reloader().reload(loaded).await.unwrap());
    }

    pub(crate) fn gate(&self) -> &Arc<Gate> {
        self.house.gate()
    }

    /// Nothing can be written down from here on.
    pub(crate) fn loses_its_ledger(&self) {
        self.gate().ledger.close().unwrap();
    }

    /// Everything that was written down; nothing is from here on.
    pub(crate) fn ledger(&self) -> String {
        ledger_of(self.gate())
    }

    /// How far a request of this method comes on the route of the server `s` before policies are asked. It is one
    /// of the stateless era, and the system says who sent it.
    pub(crate) async fn inspected(
        &self,
        method: &str,
        mut params: Value,
    ) -> (Result<Inspected, Refused>, Draft) {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let gate = self.gate();
        let route = gate.route("/s").unwrap();
        let raw = Raw::line(route, "ada".into(), None, Bytes::from(message.to_string()));
        let mut draft = Draft::begin(gate, raw.source(), "stdio");
        let inspected = inspected(gate, raw, &mut draft).await;
        (inspected, draft)
    }

    /// Revokes a user, whatever they come with later.
    pub(crate) async fn revokes(&self, issuer: &str, name: &str) {
        let now_ms = self.clock.unix_ms();
        let order = Order {
            target: Target::User {
                issuer: Some(issuer.to_owned()),
                name: name.to_owned(),
            },
            at_ms: now_ms,
            block: true,
            origin: Origin::Operator,
            why: "a test".to_owned(),
            by: "a test".to_owned(),
        };
        self.gate().revocations.add(order, now_ms).await.unwrap();
    }
}

async fn inspected(gate: &Arc<Gate>, raw: Raw, draft: &mut Draft) -> Result<Inspected, Refused> {
    let knocked = admit::knock(gate, raw, draft)?;
    let framed = frame::read(knocked, draft)?;
    let identified = identify::verify(gate, framed, draft).await?;
    let admitted = admit::enter(gate, identified, draft)?;
    let resolved = resolve::find(gate, admitted, draft).await?;
    inspect::examine(validate::check(resolved, draft)?, draft).await
}

/// Everything that a gateway wrote down; nothing is from here on.
pub(crate) fn ledger_of(gate: &Gate) -> String {
    gate.ledger.close().unwrap();
    let files = std::fs::read_dir(gate.ledger.dir()).unwrap();
    let files = files.map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default());
    files
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

/// What a configuration means that lies in this folder.
fn loaded(text: &str, folder: &Path) -> Loaded {
    let (settled, _) = config::load(text).unwrap();
    Loaded {
        settled: settled.rooted_at(folder),
        administration: vec![policy::Administration::built_in()],
        policies: Vec::new(),
        warnings: Vec::new(),
    }
}

/// What a browser sends after this answer.
pub(crate) fn cookies_of(answer: &Response<Body>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for cookie in answer.headers().get_all(header::SET_COOKIE) {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        headers.append(header::COOKIE, pair.parse().unwrap());
    }
    headers
}

/// The document in an answer.
pub(crate) async fn document_of(answer: Response<Body>) -> Value {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}
