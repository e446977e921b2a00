//! Proofs of possession (RFC 9449) as clients and attackers make them. It shares no code with the
//! product, whose reading of proofs it is there to test.

use crate::issuer::{Key, Kind, compact, encoded, overlaid};
use crate::place;
use crate::wire::Outgoing;
use anyhow::{Context as _, Result};
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use url::Url;

/// Somebody who holds a key.
#[derive(Debug)]
pub struct Prover {
    key: Key,
    counter: AtomicU64,
}

impl Prover {
    /// Somebody with a new ES256 key.
    pub fn new() -> Result<Self> {
        Prover::of(Kind::Es256)
    }

    /// Somebody with a new key of this kind.
    pub fn of(kind: Kind) -> Result<Self> {
        Ok(Prover {
            key: Key::generate(kind, "proof")?,
            counter: AtomicU64::new(0),
        })
    }

    /// The public half of the key.
    pub fn jwk(&self) -> Value {
        let without = json!({ "kid": null, "use": null, "alg": null });
        overlaid(self.key.jwk(), &without)
    }

    /// What a token is bound to, as its `cnf` has it.
    pub fn confirmation(&self) -> Result<Value> {
        // The members in the order of their names, without spaces (RFC 7638).
        let jwk = self.jwk();
        let members = jwk.as_object().context("a key is an object")?;
        let mut members: Vec<_> = members.iter().collect();
        members.sort_unstable_by_key(|(name, _)| *name);
        let members = members
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"));
        let members = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let thumbprint = digest(&SHA256, members.as_bytes());
        Ok(json!({ "jkt": encoded(thumbprint) }))
    }

    /// A proof for this request and this token.
    pub fn proof(&self, method: &str, url: &Url, token: &str) -> Result<String> {
        self.changed(method, url, token, (&json!({}), &json!({})))
    }

    /// A proof with these members of its header and its claims instead; a `null` removes one.
    pub fn changed(
        &self,
        method: &str,
        url: &Url,
        token: &str,
        (header, claims): (&Value, &Value),
    ) -> Result<String> {
        let algorithm = self.key.algorithm();
        let proper = json!({ "typ": "dpop+jwt", "alg": algorithm, "jwk": self.jwk() });
        let id = self.counter.fetch_add(1, Ordering::Relaxed);
        let said = json!({
            "jti": format!("{}-{id}", place::now()), "htm": method, "htu": url.as_str(),
            "iat": place::now(), "ath": encoded(digest(&SHA256, token.as_bytes())),
        });
        let (header, claims) = (overlaid(proper, header), overlaid(said, claims));
        compact(&header, &claims, |input| self.key.sign(algorithm, input))
    }

    /// A token that says this, signed with the key.
    pub fn sign(&self, header: &Value, claims: &Value) -> Result<String> {
        compact(header, claims, |input| {
            self.key.sign(self.key.algorithm(), input)
        })
    }

    /// A request with this token and a proof for it.
    pub fn dressed(
        &self,
        request: Outgoing,
        (method, url): (&str, &Url),
        token: &str,
    ) -> Result<Outgoing> {
        Ok(with(request, token, &self.proof(method, url, token)?))
    }

    /// The same, with a nonce.
    pub fn with_nonce(&self, url: &Url, token: &str, nonce: &str) -> Result<String> {
        let claims = json!({ "nonce": nonce });
        self.changed("POST", url, token, (&json!({}), &claims))
    }
}

/// A request with this token and this proof.
pub fn with(request: Outgoing, token: &str, proof: &str) -> Outgoing {
    request
        .header("authorization", &format!("DPoP {token}"))
        .header("dpop", proof)
}

/// The thumbprint of a certificate, as `cnf` has it (RFC 8705).
pub fn of_certificate(der: &[u8]) -> Value {
    json!({ "x5t#S256": encoded(digest(&SHA256, der)) })
}

/// The body of a request that opens a session.
pub fn opening() -> Value {
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": crate::mcp::VERSION, "capabilities": {},
            "clientInfo": { "name": "ringwall-tests", "version": "1.0.0" }
        }
    })
}

/// The session that an answer has opened.
pub fn session(reply: &crate::wire::Reply) -> Result<String> {
    let session = reply.header("mcp-session-id");
    Ok(session
        .with_context(|| format!("no session: {}", reply.code()))?
        .to_owned())
}
