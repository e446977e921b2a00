//! What servers are shown, made from the configuration: secrets resolved once, and for each server that
//! wants tokens the one that gets them.

use super::{HouseError, Makings, network};
use crate::connect::{Known, SignIn};
use crate::credential::{
    Agent, Bound, ClientSpec, Described, Grant, Idp, OwnClient, Source, Spec, Undescribed, World,
};
use crate::egress::{Authority, Fetcher};
use crate::secret;
use config::settled::{self, Authentication};
use identity::client::{
    AssertionAudience, ClientDocument, ClientKey, Credentials, Identity, Resource, Scopes,
    SecretMethod,
};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// What every server's credential is made with.
#[derive(Clone)]
pub(super) struct Workshop {
    pub(super) makings: Makings,
    pub(super) own: Arc<OwnClient>,
    /// The issuers of callers that may lie in a private network.
    pub(super) private: Vec<Authority>,
}

impl Workshop {
    /// What this server is shown.
    pub(super) fn source(
        &self,
        server: &settled::Server,
        http: &settled::Http,
    ) -> Result<Source, HouseError> {
        Ok(match &http.credential {
            settled::Credential::None => Source::Nothing,
            settled::Credential::Bearer(reference) => Source::bearer(&resolved(reference)?)?,
            settled::Credential::Header { name, secret } => {
                let name = name.parse().map_err(|_| unusable(server, "its header"))?;
                Source::header(name, &resolved(secret)?)?
            }
            settled::Credential::Oauth(oauth) => Source::Issued(self.agent(server, http, oauth)?),
        })
    }

    /// How the users of each issuer sign in.
    pub(super) fn sign_ins(
        &self,
        settled: &settled::Settled,
    ) -> Result<HashMap<Arc<str>, SignIn>, HouseError> {
        let fetch = Fetcher::new(
            Arc::clone(&self.makings.egress),
            self.private.iter().cloned(),
        );
        let fetch = Arc::new(fetch);
        let mut all = HashMap::new();
        for issuer in &settled.issuers {
            let Some(said) = &issuer.sign_in else {
                continue;
            };
            let unusable = || HouseError::SignIn {
                issuer: issuer.issuer.clone(),
            };
            let words = said.scopes.iter().map(String::as_str);
            let scopes = Scopes::of(std::iter::once("openid").chain(words));
            let scopes = scopes.ok_or_else(unusable)?;
            for exact in issuer.exact() {
                let credentials = proof(&said.authentication)?;
                let identity = Identity::preregistered(&exact.issuer, &said.client, credentials);
                let sign_in = SignIn {
                    identity,
                    scopes: scopes.clone(),
                    fetch: Arc::clone(&fetch),
                    known: Known::default(),
                };
                all.insert(exact.issuer.as_str().into(), sign_in);
            }
        }
        Ok(all)
    }

    /// The way to what clients of our own authorization server say of themselves.
    pub(super) fn strangers(&self, settled: &settled::Settled) -> Fetcher {
        let network_of = settled.authorization_server.as_ref().map(|it| it.network);
        let fetch = Fetcher::new(Arc::clone(&self.makings.egress), []);
        fetch.elsewhere(network(network_of.unwrap_or(settled::Network::Public)))
    }

    fn agent(
        &self,
        server: &settled::Server,
        http: &settled::Http,
        oauth: &settled::Oauth,
    ) -> Result<Arc<Agent>, HouseError> {
        let provider = Fetcher::new(
            Arc::clone(&self.makings.egress),
            self.private.iter().cloned(),
        );
        let mut near = Vec::new();
        if http.network == settled::Network::Private {
            near.push(Authority::of(&http.url));
        }
        let grant = grant(&oauth.grant)?;
        if matches!(grant, Grant::OnBehalfOf | Grant::TokenExchange { .. }) {
            // The callers' own issuer is asked.
            near.extend(self.private.iter().cloned());
        }
        let fetch =
            Fetcher::new(Arc::clone(&self.makings.egress), near).elsewhere(network(oauth.network));
        let described = match &grant {
            Grant::Connection => Described::ByServer,
            _ => Described::ByOperator,
        };
        let spec = Spec {
            bound: Bound {
                url: http.url.clone(),
                name: named(server, http, &oauth.resource)?,
                authority: oauth.authority.clone(),
                speaks_for: match &oauth.grant {
                    settled::Grant::OnBehalfOf { subject_issuer } => subject_issuer.clone(),
                    _ => None,
                },
                client: self.client(server, oauth)?,
                described,
                undescribed: undescribed(server.era),
            },
            grant,
            scopes: match oauth.scopes.is_empty() {
                true => None,
                false => Some(Scopes::of(&oauth.scopes).ok_or_else(|| unusable(server, "scopes"))?),
            },
            kind: oauth.tokens,
        };
        let world = World {
            fetch: Arc::new(fetch),
            provider: Arc::new(provider),
            clock: Arc::clone(&self.makings.clock),
            rows: self.makings.rows.clone(),
            revocations: Arc::clone(&self.makings.revocations),
            own: Arc::clone(&self.own),
        };
        Ok(Agent::new(server.name.as_str(), spec, world))
    }

    fn client(
        &self,
        server: &settled::Server,
        oauth: &settled::Oauth,
    ) -> Result<ClientSpec, HouseError> {
        Ok(match &oauth.client {
            settled::Client::Automatic => match oauth.grant {
                settled::Grant::Workload(_) => ClientSpec::Unregistered,
                _ => ClientSpec::Automatic,
            },
            settled::Client::Document(url) => {
                let redirect = self.own.redirect_uri();
                let document = ClientDocument::new(url.as_str(), "Ringwall", redirect);
                let document = document.map_err(|_| unusable(server, "`metadata_document`"))?;
                ClientSpec::Document(Box::new(document))
            }
            settled::Client::Known { id, authentication } => {
                let settled::Authority::Exactly(issuer) = &oauth.authority else {
                    return Err(unusable(server, "`client.id` without `issuer`"));
                };
                let credentials = proof(authentication)?;
                ClientSpec::Known(Identity::preregistered(issuer, id, credentials))
            }
        })
    }
}

/// What it means that a server says nothing. Only where the operator says that it is old may its own host
/// issue its tokens: what is found out about an era is the server's word.
fn undescribed(era: settled::Era) -> Undescribed {
    match era {
        settled::Era::Legacy => Undescribed::OwnIssuer,
        settled::Era::Auto | settled::Era::Modern => Undescribed::Nothing,
    }
}

fn grant(grant: &settled::Grant) -> Result<Grant, HouseError> {
    Ok(match grant {
        settled::Grant::ClientCredentials => Grant::ClientCredentials,
        settled::Grant::Connection => Grant::Connection,
        settled::Grant::OnBehalfOf { .. } => Grant::OnBehalfOf,
        settled::Grant::TokenExchange { audience, actor } => Grant::TokenExchange {
            audience: audience.clone(),
            actor: *actor,
        },
        settled::Grant::Workload(assertion) => Grant::Workload(assertion.clone()),
        settled::Grant::IdJag(provider) => {
            let credentials = proof(&provider.authentication)?;
            let (issuer, client) = (&provider.issuer, &provider.client);
            Grant::IdJag(Idp {
                issuer: issuer.clone(),
                identity: Identity::preregistered(issuer, client, credentials),
            })
        }
    })
}

/// The name of the server in requests for tokens, where the operator gives it another one.
fn named(
    server: &settled::Server,
    http: &settled::Http,
    name: &str,
) -> Result<Option<Resource>, HouseError> {
    if name == http.url.as_str() {
        return Ok(None);
    }
    let named = Resource::named(&http.url, name);
    named.map(Some).map_err(|_| unusable(server, "`resource`"))
}

/// How a client proves itself, with the secret in hand.
fn proof(authentication: &Authentication) -> Result<Credentials, HouseError> {
    Ok(match authentication {
        Authentication::None => Credentials::None,
        Authentication::Secret(reference) => {
            let secret = Zeroizing::new(resolved(reference)?.expose().to_owned());
            Credentials::Secret(Arc::new(secret), SecretMethod::AsListed)
        }
        Authentication::Key { key, audience } => {
            let read = ClientKey::from_pem(resolved(key)?.expose(), None);
            let read = read.map_err(|error| HouseError::ClientKey {
                reference: key.to_string(),
                error,
            })?;
            Credentials::Key(Arc::new(read.with_audience(match audience {
                settled::AssertionAudience::Issuer => AssertionAudience::Issuer,
                settled::AssertionAudience::TokenEndpoint => AssertionAudience::TokenEndpoint,
            })))
        }
    })
}

fn resolved(reference: &settled::SecretRef) -> Result<secret::Secret, HouseError> {
    Ok(secret::resolve(&reference.to_string())?)
}

fn unusable(server: &settled::Server, what: &'static str) -> HouseError {
    HouseError::Oauth {
        server: server.name.to_string(),
        what,
    }
}

/// The authorities of the issuers that may lie in a private network.
pub(super) fn private(settled: &settled::Settled) -> Vec<Authority> {
    let private = settled
        .issuers
        .iter()
        .filter(|issuer| issuer.network == settled::Network::Private);
    let authorities = private.flat_map(|issuer| {
        let keys = match &issuer.keys {
            settled::Keys::At(url) => Some(Authority::of(url)),
            settled::Keys::Discovered => None,
        };
        let named = issuer
            .exact()
            .into_iter()
            .filter_map(|exact| Url::parse(&exact.issuer).ok());
        let named: Vec<Authority> = named.map(|url| Authority::of(&url)).collect();
        named.into_iter().chain(keys)
    });
    authorities.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n2_1_a_server_is_old_where_the_operator_says_so_and_nowhere_else() {
        for (era, expected) in [
            (settled::Era::Legacy, Undescribed::OwnIssuer),
            (settled::Era::Auto, Undescribed::Nothing),
            (settled::Era::Modern, Undescribed::Nothing),
        ] {
            assert_eq!(undescribed(era), expected, "{era:?}");
        }
    }
}
