//! What a person agreed to, and the name it is remembered by. The name follows from everything that was
//! agreed to: whatever differs is something nobody has agreed to yet.

use super::{Client, Origin, Request};
use crate::audience::{absorb, finish};
use crate::base64url;
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// What one person let one client do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The client id.
    pub client_id: String,
    /// What the client called itself then.
    pub client_name: Option<String>,
    /// The host that stood by that name, if one did.
    pub vouched_by: Option<String>,
    /// Where answers go.
    pub redirect_uri: String,
    /// The resource.
    pub resource: String,
    /// The scopes.
    pub scopes: String,
    /// Everything the client said of itself then, as a digest.
    pub client_digest: String,
    /// When, in unix seconds.
    pub given_s: u64,
}

impl Consent {
    /// What somebody agrees to who lets this client have what it asks for. The address of a program on
    /// their own machine counts without its port, which differs each time.
    pub fn to(client: &Client, request: &Request, now: u64) -> Self {
        let redirect = client.redirect(&request.redirect_uri);
        let redirect = redirect.map_or(request.redirect_uri.as_str(), |uri| uri.as_str());
        Consent {
            client_id: client.id().to_owned(),
            client_name: client.name().map(str::to_owned),
            vouched_by: match client.origin() {
                Origin::Document(host) => Some(host.to_string()),
                Origin::Registration => None,
            },
            redirect_uri: redirect.to_owned(),
            resource: request.resource.clone(),
            scopes: in_order(&request.scopes),
            client_digest: client.digest(),
            given_s: now,
        }
    }

    /// The name it is remembered by among those of a person: 43 characters.
    pub fn id(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [
            &self.client_id,
            &self.redirect_uri,
            &self.resource,
            &self.scopes,
            &self.client_digest,
        ] {
            absorb(&mut context, part);
        }
        base64url::encode(&finish(context))
    }
}

/// The same scopes are the same, in whatever order they are asked for.
fn in_order(scopes: &str) -> String {
    let mut words: Vec<&str> = scopes.split(' ').collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}
