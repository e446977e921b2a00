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

    fn bound(undescribed: Undescribed, described: Described, authority: Authority) -> Bound {
        Bound {
            url: SERVER.parse().unwrap(),
            name: None,
            authority,
            speaks_for: None,
            client: ClientSpec::Automatic,
            described,
            undescribed,
        }
    }

    fn demand(header: &str) -> Demand {
        Demand::of(401, &[header]).unwrap()
    }

    #[tokio::test]
    async fn n2_1_only_a_server_that_the_operator_says_is_old_and_that_never_named_metadata_is_its_own_issuer()
     {
        use Described::{ByOperator, ByServer};
        use Undescribed::{Nothing, OwnIssuer};
        let (silent, telling) = (
            demand("Bearer"),
            demand("Bearer resource_metadata=\"https://old.example.com/meta\""),
        );
        let undescribed = || ClientError::Undescribed(OWN.to_owned());
        let moved = |expected: &str| ClientError::IssuerChanged {
            expected: expected.to_owned(),
        };
        let discovered = || Authority::Discovered;
        let asked = Lead::Demand(&silent);
        let rows = [
            (OwnIssuer, ByServer, discovered(), asked, 404, Ok(OWN)),
            (
                OwnIssuer,
                ByServer,
                discovered(),
                Lead::Issuer(OWN),
                404,
                Ok(OWN),
            ),
            (
                Nothing,
                ByServer,
                discovered(),
                asked,
                404,
                Err(undescribed()),
            ),
            (
                OwnIssuer,
                ByOperator,
                discovered(),
                asked,
                404,
                Err(undescribed()),
            ),
            (
                OwnIssuer,
                ByServer,
                discovered(),
                Lead::Demand(&telling),
                404,
                Err(undescribed()),
            ),
            (
                OwnIssuer,
                ByServer,
                discovered(),
                Lead::Nothing,
                404,
                Err(undescribed()),
            ),
            (
                OwnIssuer,
                ByServer,
                discovered(),
                Lead::Issuer(OTHER),
                404,
                Err(undescribed()),
            ),
            (
                OwnIssuer,
                ByServer,
                discovered(),
                asked,
                503,
                Err(ClientError::Status(503)),
            ),
            (
                OwnIssuer,
                ByServer,
                Authority::Exactly(OTHER.into()),
                asked,
                404,
                Err(moved(OTHER)),
            ),
            (
                OwnIssuer,
                ByServer,
                Authority::Exactly(OWN.into()),
                asked,
                404,
                Ok(OWN),
            ),
        ];
        let folder = tempfile::tempdir().unwrap();
        let rows_kept = Rows::new(
            Arc::new(Database::open(folder.path()).unwrap()),
            Arc::new(vault::Vault::ephemeral().unwrap()),
        );
        let gateway = "https://gate.example.com".parse().unwrap();
        let own = OwnClient::at(&gateway, &OwnClient::fresh_key().unwrap()).unwrap();
        for (number, (undescribed, described, authority, lead, status, expected)) in
            rows.into_iter().enumerate()
        {
            let host = Host(status);
            let outside = Outside {
                fetch: &host,
                entropy: &SystemEntropy,
                now: 1_800_000_000,
            };
            let bound = bound(undescribed, described, authority);
            let found = bound.find(outside, lead, 0, (&own, &rows_kept)).await;
            let found = found.map(|known| known.server.issuer().to_owned());
            assert_eq!(found, expected.map(str::to_owned), "row {number}");
        }
    }
}
