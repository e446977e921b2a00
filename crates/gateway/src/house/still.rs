//! A gateway for tests of what people and administrators do: built as every other, at a time that stands still. It serves nobody
//! and asks nobody outside.

use super::House;
use crate::body::Body;
use crate::clock::{Clock, StillClock};
use crate::gate::Gate;
use crate::load::Loaded;
use crate::revocation::{Order, Origin, Target};
use http::{HeaderMap, Response, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::sync::Arc;

/// The gateway, and what it stands on.
pub(crate) struct Still {
    pub(crate) clock: Arc<StillClock>,
    pub(crate) house: House,
    _folder: tempfile::TempDir,
}

/// The issuer where people sign in.
pub(crate) const ISSUER: &str = "https://id.example.com";
const NOW_MS: u64 = 1_800_000_000_000;

impl Still {
    /// One with this part of a configuration.
    pub(crate) async fn with(part: &str) -> Self {
        let text = format!(
            "version: 1\npublic_url: https://mcp.example.com\n\
             listeners: [{{ address: '127.0.0.1:0' }}]\n\
             issuers: [{{ issuer: '{ISSUER}', sign_in: {{ client: ringwall }} }}]\n\
             servers: [{{ name: s, http: {{ url: 'https://s.example.com/mcp' }} }}]\n\
             routes: [{{ path: /s, server: s }}]\n{part}\n"
        );
        let folder = tempfile::tempdir().unwrap();
        let (settled, _) = config::load(&text).unwrap();
        let loaded = Loaded {
            settled: settled.rooted_at(folder.path()),
            administration: vec![policy::Administration::built_in()],
            policies: Vec::new(),
            warnings: Vec::new(),
        };
        let clock = Arc::new(StillClock::at_unix_ms(NOW_MS));
        let read: Arc<dyn Clock> = Arc::<StillClock>::clone(&clock);
        Still {
            clock,
            house: House::build(loaded, read).await.unwrap(),
            _folder: folder,
        }
    }

    pub(crate) fn gate(&self) -> &Arc<Gate> {
        self.house.gate()
    }

    /// Nothing can be written down from here on.
    pub(crate) fn loses_its_ledger(&self) {
        self.gate().ledger.close().unwrap();
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
