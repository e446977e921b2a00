//! Who issues tokens for one server, and as which client the gateway is known there. Everything that
//! is found is untrusted and bound: a server cannot move itself to another issuer than the one the
//! operator named, and what the gateway is known by at one issuer is never shown to another.

use super::OwnClient;
use crate::state::{Kind, Rows};
use config::settled::Authority;
use identity::client::{
    AuthorizationServer, ClientDocument, ClientError, Demand, Identity, Offers, Outside, Protected,
    Resource, find_legacy_server, find_resource, find_server, identify,
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
    /// Another name of the issuer, in the tokens of callers.
    pub speaks_for: Option<String>,
    /// As which client.
    pub client: ClientSpec,
    /// Whose words count.
    pub described: Described,
    /// What the server is taken for if it has no words.
    pub undescribed: Undescribed,
}

/// Whose words say who issues tokens for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Described {
    /// The operator's: nobody else is asked.
    ByOperator,
    /// The server's own metadata; where the operator named an issuer, it has to be among them.
    ByServer,
}

/// What a server is taken for that publishes no metadata at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undescribed {
    /// Nothing: no tokens can be got for it.
    Nothing,
    /// One of MCP 2025-03-26, where a server's own host issues its tokens.
    OwnIssuer,
}

/// What leads to who issues a server's tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lead<'a> {
    /// The server turned a request down, and said this.
    Demand(&'a Demand),
    /// It was this issuer before.
    Issuer(&'a str),
    /// Nothing yet.
    Nothing,
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
        lead: Lead<'_>,
        at_ms: u64,
        (own, rows): (&OwnClient, &Rows),
    ) -> Result<Known, ClientError> {
        let (protected, own_issuer) = match (self.described, self.issuer()) {
            (Described::ByOperator, Some(issuer)) => {
                let resource = Resource::of(&self.url)?;
                (Protected::declared(resource, issuer), None)
            }
            _ => self.said_by_server(outside, lead).await?,
        };
        let issuer = protected.issuer(self.issuer())?.to_owned();
        let server = match own_issuer {
            Some(server) => server,
            None => find_server(outside, &issuer).await?,
        };
        let server = match &self.speaks_for {
            Some(name) => server.speaking_for(name),
            None => server,
        };
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

    /// What the server says of itself, and its own host as an authorization server if it is of the
    /// revision in which servers said nothing.
    async fn said_by_server(
        &self,
        outside: Outside<'_>,
        lead: Lead<'_>,
    ) -> Result<(Protected, Option<AuthorizationServer>), ClientError> {
        let demand = match lead {
            Lead::Demand(demand) => Some(demand),
            Lead::Issuer(_) | Lead::Nothing => None,
        };
        match find_resource(outside, &self.url, demand).await {
            Err(ClientError::Undescribed(_)) if self.may_be_its_own_issuer(lead) => {
                let server = find_legacy_server(outside, &self.url).await?;
                let resource = Resource::of(&self.url)?;
                let protected = Protected::declared(resource, server.issuer());
                Ok((protected, Some(server)))
            }
            found => Ok((found?, None)),
        }
    }

    /// Whether that is what silence means: where the operator says that the server is old, and it has
    /// just asked for a token without naming metadata, or was its own issuer before. One that named it
    /// once is never taken for an old one because it cannot be asked.
    fn may_be_its_own_issuer(&self, lead: Lead<'_>) -> bool {
        let is_old = self.undescribed == Undescribed::OwnIssuer;
        let is_silent = match lead {
            Lead::Demand(demand) => demand.metadata().is_none(),
            Lead::Issuer(issuer) => {
                Url::parse(issuer).is_ok_and(|issuer| issuer.origin() == self.url.origin())
            }
            Lead::Nothing => false,
        };
        is_old && is_silent && self.described == Described::ByServer
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
mod tests {
    use super::*;
    use crate::state::Database;
    use identity::client::SystemEntropy;
    use identity::{BoxFuture, Fetch, FetchError, Fetched, Outbound, Sent};

    const SERVER: &str = "https://old.example.com/mcp";
    const OWN: &str = "https://old.example.com";
    const OTHER: &str = "https://as.example.com";

    /// A host that answers every question for a document like this, and registers whoever asks.
    struct Host(u16);

    impl Fetch for Host {
        fn send(&self, request: Outbound) -> BoxFuture<'_, Result<Fetched, FetchError>> {
            let registered = r#"{"client_id":"gateway"}"#;
            let answer = match request.method {
                Sent::Get => Fetched::of(self.0, ""),
                Sent::Post => Fetched::of(201, registered),
            };
            Box::pin(std::future::ready(Ok(answer)))
        }
    }

    /// A server that the operator says is old.
    fn old(described: Described, authority: Authority) -> Bound {
        Bound {
            url: SERVER.parse().unwrap(),
            name: None,
            authority,
            speaks_for: None,
            client: ClientSpec::Automatic,
            described,
            undescribed: Undescribed::OwnIssuer,
        }
    }

    /// Whose tokens are found to be good for it.
    async fn found(bound: Bound, lead: Lead<'_>, status: u16) -> Result<String, ClientError> {
        let folder = tempfile::tempdir().unwrap();
        let rows = Rows::new(
            Arc::new(Database::open(folder.path()).unwrap()),
            Arc::new(vault::Vault::ephemeral().unwrap()),
        );
        let gateway = "https://gate.example.com".parse().unwrap();
        let own = OwnClient::at(&gateway, &OwnClient::fresh_key().unwrap()).unwrap();
        let outside = Outside {
            fetch: &Host(status),
            entropy: &SystemEntropy,
            now: 1_800_000_000,
        };
        let found = bound.find(outside, lead, 0, (&own, &rows)).await;
        found.map(|known| known.server.issuer().to_owned())
    }

    #[tokio::test]
    async fn n2_1_only_an_old_server_that_never_named_metadata_is_its_own_issuer() {
        use Described::{ByOperator, ByServer};
        let demand = |header: &str| Demand::of(401, &[header]).unwrap();
        let silent = demand("Bearer");
        let telling = demand("Bearer resource_metadata=\"https://old.example.com/meta\"");
        let (asked, told) = (Lead::Demand(&silent), Lead::Demand(&telling));
        let anybody = || old(ByServer, Authority::Discovered);
        let held_to = |issuer: &str| old(ByServer, Authority::Exactly(issuer.to_owned()));
        let not_said_to_be_old = Bound {
            undescribed: Undescribed::Nothing,
            ..anybody()
        };
        let by_operator = old(ByOperator, Authority::Discovered);
        let undescribed = || Err(ClientError::Undescribed(OWN.to_owned()));
        let moved = Err(ClientError::IssuerChanged {
            expected: OTHER.to_owned(),
        });
        let own = || Ok(OWN.to_owned());
        let rows = [
            (anybody(), asked, 404, own()),
            (anybody(), Lead::Issuer(OWN), 404, own()),
            (held_to(OWN), asked, 404, own()),
            (held_to(OTHER), asked, 404, moved),
            (not_said_to_be_old, asked, 404, undescribed()),
            (by_operator, asked, 404, undescribed()),
            (anybody(), told, 404, undescribed()),
            (anybody(), Lead::Nothing, 404, undescribed()),
            (anybody(), Lead::Issuer(OTHER), 404, undescribed()),
            (anybody(), asked, 503, Err(ClientError::Status(503))),
        ];
        for (number, (bound, lead, status, expected)) in rows.into_iter().enumerate() {
            let found = found(bound, lead, status).await;
            assert_eq!(found, expected, "row {number}");
        }
    }
}
