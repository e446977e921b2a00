//! An identity provider of the shape of Entra ID, for many tenants. IT IS NOT ENTRA ID: it has the
//! forms of its issuers, metadata, tokens and of Microsoft Graph's `getMemberObjects`, as they are
//! documented, and nothing else of it. It shares no code with the product.

mod assertion;
mod server;

use crate::certificates::Identity;
use crate::issuer::{Key, Kind, compact, overlaid};
use crate::place;
use anyhow::Result;
use serde_json::{Value, json};
pub use server::Asked;
use server::Server;

/// A running provider of Entra ID's shape.
#[derive(Debug)]
pub struct EntraShaped {
    server: Server,
    key: Key,
}

/// A tenant that the tests trust.
pub const TENANT: &str = "11111111-2222-3333-4444-555555555555";
/// A tenant that they do not.
pub const STRANGER: &str = "99999999-2222-3333-4444-555555555555";
/// The API that the gateway is, as tokens of version 2.0 name it.
pub const API: &str = "5d1f3f64-8f0b-4f4a-9a55-0c6a3d9b7e33";
/// The same, as tokens of version 1.0 name it.
pub const API_URI: &str = "api://ringwall";
/// A person.
pub const ALICE: &str = "aaaaaaaa-0000-0000-0000-000000000001";
/// Another one.
pub const BOB: &str = "aaaaaaaa-0000-0000-0000-000000000002";
/// An app.
pub const APP: &str = "bbbbbbbb-0000-0000-0000-000000000001";

impl EntraShaped {
    /// Starts it on a port of its own, with one key for all tenants.
    pub async fn start() -> Result<Self> {
        let key = Key::generate(Kind::Rsa, "shared")?;
        let server = Server::start(key.jwk()).await?;
        Ok(EntraShaped { server, key })
    }

    /// The issuer of tokens of version 2.0, with `{tenant}` in it.
    pub fn v2(&self) -> String {
        format!("{}/{{tenant}}/v2.0", self.server.origin())
    }

    /// The issuer of tokens of version 1.0, with `{tenant}` in it.
    pub fn v1(&self) -> String {
        format!("{}/{{tenant}}/", self.server.origin())
    }

    /// Where the metadata is that tenants share.
    pub fn shared_metadata(&self) -> String {
        let origin = self.server.origin();
        format!("{origin}/common/v2.0/.well-known/openid-configuration")
    }

    /// Where tokens of this tenant are had.
    pub fn token_endpoint(&self) -> String {
        format!("{}/{TENANT}/oauth2/v2.0/token", self.server.origin())
    }

    /// From now on the gateway's client is known by this certificate, too.
    pub fn knows(&self, certificate: &Identity) {
        self.server.knows(certificate);
    }

    /// `issuers[].graph` of a configuration that looks up groups here.
    pub fn graph(&self) -> Value {
        let origin = self.server.origin();
        json!({
            "url": format!("{origin}/graph/"),
            "token_url": format!("{origin}/{{tenant}}/oauth2/v2.0/token"),
            "client": "ringwall", "secret": "env:PROVIDER_SECRET"
        })
    }

    /// The issuer in a configuration that accepts the tests' tenant, and these members.
    pub fn issuer(&self, members: &Value) -> Value {
        let issuer = json!({
            "issuer": self.v2(), "profile": "entra", "tenants": [TENANT], "audiences": [API],
            "network": "private"
        });
        overlaid(issuer, members)
    }

    /// From now on the directory says that this person is in these groups; `None`: it fails.
    pub fn groups(&self, person: &str, groups: Option<&[&str]>) {
        self.server.groups(person, groups);
    }

    /// From now on nobody is acted for who has not logged in in this authentication context.
    pub fn wants(&self, context: &str) {
        self.server.wants(context);
    }

    /// Every question about groups and every token of our own that was asked for, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.server.asked()
    }

    /// The claims of a good token of version 2.0 for this person.
    pub fn claims(&self, person: &str) -> Value {
        let now = place::now();
        json!({
            "iss": self.v2().replace("{tenant}", TENANT), "aud": API, "sub": format!("pairwise-{person}"),
            "oid": person, "tid": TENANT, "ver": "2.0", "azp": "editor", "azpacr": "1",
            "scp": "mcp:tools", "uti": format!("u-{person}-{now}"), "groups": ["staff"],
            "iat": now - 300, "nbf": now - 300, "exp": now + 3600,
            "preferred_username": "somebody@example.com", "name": "Somebody"
        })
    }

    /// The same of version 1.0.
    pub fn old_claims(&self, person: &str) -> Value {
        let old = json!({
            "iss": self.v1().replace("{tenant}", TENANT), "aud": API_URI, "ver": "1.0", "azp": null,
            "azpacr": null, "appid": "editor", "appidacr": "2"
        });
        overlaid(self.claims(person), &old)
    }

    /// The claims of a token of an app by itself.
    pub fn app_claims(&self, app: &str) -> Value {
        let own = json!({
            "sub": app, "oid": app, "scp": null, "groups": null, "roles": ["Reports.Read.All"],
            "azpacr": "2", "preferred_username": null, "name": null
        });
        overlaid(self.claims(app), &own)
    }

    /// A token that says this, with `changes` laid over it; a `null` removes.
    pub fn sign(&self, claims: &Value, changes: &Value) -> Result<String> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key.name() });
        let claims = overlaid(claims.clone(), changes);
        compact(&header, &claims, |input| self.key.sign("RS256", input))
    }
}
