//! Who issues tokens for one server, and as which client the gateway is known there. Everything that
//! is found is untrusted and bound: a server cannot move itself to another issuer than the one the
//! operator named, and what the gateway is known by at one issuer is never shown to another.

use super::OwnClient;
use crate::state::{Kind, Rows};
use config::settled::Authority;
use identity::client::{
    AuthorizationServer, ClientDocument, ClientError, Demand, Identity, Offers, Outside, Protected,
    Resource, find_resource, find_server, identify,
};
use std::sync::Arc;
use url::Url;

/// How long what was found is believed, in seconds.
const BELIEVED_S: u64 = 600;

/// As which client the gateway appears.
#[derive(Debug)]
pub enum ClientSpec {
    /// By its own documents, or by registration.
    Automatic,
    /// By a document that somebody else publishes.
    Document(Box<ClientDocument>),
    /// As one that the operator registered at the issuer that is named.
    Known(Identity),
    /// As none: what is brought says enough (RFC 7523, section 3.1).
    Unregistered,
}

/// The identity provider of the callers, which makes assertions about them.
#[derive(Debug)]
pub struct Idp {
    /// Its identifier.
    pub issuer: String,
    /// The gateway's client there.
    pub identity: Identity,
}

/// What a server's tokens are bound to.
#[derive(Debug)]
pub struct Bound {
    /// Where the server is.
    pub url: Url,
    /// The name it has in requests for tokens, if not the one its metadata gives it.
    pub name: Option<Resource>,
    /// Whose tokens they are.
    pub authority: Authority,
    /// As which client.
    pub client: ClientSpec,
    /// Whose words count.
    pub described: Described,
}

/// Whose words say who issues tokens for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Described {
    /// The operator's: nobody else is asked.
    ByOperator,
    /// The server's own metadata; where the operator named an issuer, it has to be among them.
    ByServer,
}

/// Who issues tokens for a server, as found.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) resource: Resource,
    pub(crate) protected: Protected,
    pub(crate) server: AuthorizationServer,
    pub(crate) identity: Identity,
    /// When it was found, in milliseconds since the Unix epoch.
    at_ms: u64,
    until: u64,
}

impl Known {
    pub(super) fn is_newer_than(&self, moment_ms: u64) -> bool {
        self.at_ms >= moment_ms
    }

    pub(super) fn is_believed_at(&self, now: u64) -> bool {
        now < self.until && self.identity.is_good_at(now)
    }
}

impl Bound {
    /// The issuer that is named, if it is.
    pub(super) fn issuer(&self) -> Option<&str> {
        match &self.authority {
            Authority::Discovered => None,
            Authority::Exactly(issuer) => Some(issuer),
        }
    }

    /// Finds it all, from what the server says of itself. Where the operator named the issuer, and
    /// nobody has to be asked in the server's name, its metadata is not needed.
    pub(super) async fn find(
        &self,
        outside: Outside<'_>,
        demand: Option<&Demand>,
        at_ms: u64,
        (own, rows): (&OwnClient, &Rows),
    ) -> Result<Known, ClientError> {
        let protected = match (self.described, self.issuer()) {
            (Described::ByOperator, Some(issuer)) => {
                let resource = Resource::of(&self.url)?;
                Protected::declared(resource, issuer)
            }
            _ => find_resource(outside, &self.url, demand).await?,
        };
        let issuer = protected.issuer(self.issuer())?.to_owned();
        let server = find_server(outside, &issuer).await?;
        let identity = self.identity(outside, &server, (own, rows)).await?;
        let found = protected.resource().clone();
        Ok(Known {
            resource: self.name.clone().unwrap_or(found),
            protected,
            server,
            identity,
            at_ms,
            until: outside.now.saturating_add(BELIEVED_S),
        })
    }

    async fn identity(
        &self,
        outside: Outside<'_>,
        server: &AuthorizationServer,
        (own, rows): (&OwnClient, &Rows),
    ) -> Result<Identity, ClientError> {
        let now_ms = outside.now.saturating_mul(1000);
        let name = format!("client of {}", server.issuer());
        let registers = matches!(self.client, ClientSpec::Automatic | ClientSpec::Document(_));
        let turn = own.registering(server.issuer());
        let _turn = turn.lock().await;
        let kept = match registers {
            true => rows.get(Kind::Registration, &name, now_ms).await,
            false => Ok(None),
        };
        // One that cannot be read is not there: another can be had.
        let kept = kept.ok().flatten();
        let kept = kept.and_then(|row| Identity::from_kept(&row.value));
        let register = own.registers_as(server.issuer()).ok();
        let offers = match &self.client {
            ClientSpec::Unregistered => return Ok(Identity::unregistered(server.issuer())),
            ClientSpec::Known(identity) => Offers {
                preregistered: Some(identity),
                ..Offers::default()
            },
            ClientSpec::Document(document) => Offers {
                documents: std::slice::from_ref(document),
                kept: kept.as_ref(),
                register: register.as_ref(),
                ..Offers::default()
            },
            ClientSpec::Automatic => Offers {
                documents: own.documents(),
                key: Some(own.key()),
                kept: kept.as_ref(),
                register: register.as_ref(),
                ..Offers::default()
            },
        };
        let identity = identify(outside, server, offers).await?;
        let is_new = kept.is_none_or(|kept| kept.client_id() != identity.client_id());
        if let (true, true, Some(bytes)) = (registers, is_new, identity.to_kept()) {
            let kept = rows.put(Kind::Registration, &name, &bytes, None, now_ms);
            if let Err(error) = kept.await {
                // It is good for as long as this gateway runs.
                tracing::warn!(
                    issuer = server.issuer(),
                    "a registration is not kept: {error}"
                );
            }
        }
        Ok(identity)
    }
}

/// The identity provider, found anew for each assertion: it is asked once for each token of a caller.
pub(super) async fn provider(
    outside: Outside<'_>,
    idp: &Idp,
) -> Result<Arc<AuthorizationServer>, ClientError> {
    find_server(outside, &idp.issuer).await.map(Arc::new)
}

#[cfg(test)]
mod tests;
