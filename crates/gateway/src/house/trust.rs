//! How the issuers of a configuration become issuers that are asked: each with rules of its own, and
//! a way to nothing but what the configuration names for it. A private address that may be reached
//! for one issuer's sake is not reached for another's.

use super::{HouseError, Makings};
use crate::egress::{Authority, Egress, Fetcher};
use crate::key_sets::KeySets;
use crate::route::algorithm;
use crate::secret;
use config::settled::{self, ClientProof, Exact, SecretRef, Settled};
use identity::authority::{Metadata, USER_CLAIM};
use identity::client::{ClientKey, Credentials, SecretMethod, SystemEntropy};
use identity::{
    ClaimNames, ClientCredential, DirectoryRules, IntrospectionRules, IssuerRules, Issuers,
    KeyStore, Tenant, Trusted,
};
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// Every exact issuer of the configuration, and our own.
pub(super) fn issuers(settled: &Settled, makings: &Makings) -> Result<Issuers, HouseError> {
    let mut trusted = Vec::new();
    for issuer in &settled.issuers {
        for exact in issuer.exact() {
            trusted.push(trust(issuer, exact, (&makings.egress, &makings.key_sets))?);
        }
    }
    trusted.extend(own(settled, makings)?);
    Ok(Issuers::of(trusted)?)
}

/// Whether both accept the same tokens.
pub(super) fn is_alike(one: &Settled, other: &Settled) -> bool {
    one.issuers == other.issuers
        && one.authorization_server == other.authorization_server
        && one.own_issuer() == other.own_issuer()
}

/// Our own authorization server as an issuer like any other, whose keys are handed over in memory. Its
/// tokens speak for people of the issuer where they signed in.
fn own(settled: &Settled, makings: &Makings) -> Result<Option<Trusted>, HouseError> {
    let Some(server) = &settled.authorization_server else {
        return Ok(None);
    };
    let issuer = settled.own_issuer();
    let keys = Url::parse(&format!("{issuer}{}", Metadata::KEYS));
    let keys = keys.map_err(|error| HouseError::Address {
        what: "public_url",
        error,
    })?;
    let home = settled.issuers.iter().find(|it| {
        let mut exact = it.exact().into_iter();
        exact.any(|exact| exact.issuer == server.sign_in)
    });
    let groups = home.map(|it| it.claims.groups.clone());
    let usual = IssuerRules::new(issuer);
    let claims = ClaimNames {
        user: USER_CLAIM.to_owned(),
        groups: groups.unwrap_or_else(|| usual.claims.groups.clone()),
        ..usual.claims.clone()
    };
    let rules = IssuerRules {
        algorithms: vec![identity::Algorithm::Es256],
        lifetime_max_s: server.tokens.access.as_secs(),
        keys: Some(keys),
        claims,
        home: Some(server.sign_in.clone()),
        ..usual
    };
    Ok(Some(Trusted {
        rules,
        fetch: makings.desk.keys(),
        // They are kept as what they are: our own.
        store: None,
    }))
}

/// The exact issuers that a route accepts, our own first: where there is one, clients are to go there.
pub(super) fn accepted(settled: &Settled, route: &settled::Route) -> Vec<String> {
    let own = settled
        .authorization_server
        .as_ref()
        .map(|_| settled.own_issuer());
    let own = own.filter(|own| route.issuers.iter().any(|issuer| issuer == own));
    let issuers = settled.issuers.iter();
    let accepted = issuers.filter(|issuer| route.issuers.contains(&issuer.issuer));
    let exact = accepted.flat_map(settled::Issuer::exact);
    let exact = exact.map(|exact| exact.issuer);
    own.map(str::to_owned).into_iter().chain(exact).collect()
}

fn trust(
    issuer: &settled::Issuer,
    exact: Exact,
    (egress, kept): (&Arc<Egress>, &Arc<KeySets>),
) -> Result<Trusted, HouseError> {
    let rules = rules(issuer, exact)?;
    let private = match issuer.network {
        settled::Network::Public => Vec::new(),
        settled::Network::Private => named(&rules).map(Authority::of).collect(),
    };
    let own = match issuer.network {
        settled::Network::Public => None,
        settled::Network::Private => Url::parse(&rules.issuer).ok(),
    };
    let own = own.as_ref().map(Authority::of);
    let fetcher = Fetcher::new(Arc::clone(egress), private.into_iter().chain(own));
    Ok(Trusted {
        rules,
        fetch: Arc::new(fetcher),
        store: Some(Arc::clone(kept) as Arc<dyn KeyStore>),
    })
}

/// Every address that the configuration names for this issuer.
fn named(rules: &IssuerRules) -> impl Iterator<Item = &Url> {
    let introspection = rules.introspection.as_ref();
    let directory = rules.directory.iter();
    [
        rules.keys.as_ref(),
        rules.metadata.as_ref(),
        introspection.and_then(|rules| rules.url.as_ref()),
    ]
    .into_iter()
    .flatten()
    .chain(directory.flat_map(|rules| [&rules.url, &rules.token_url]))
}

fn rules(issuer: &settled::Issuer, exact: Exact) -> Result<IssuerRules, HouseError> {
    let introspection = issuer.introspection.as_ref().map(introspection);
    let directory = issuer.graph.as_ref().zip(exact.tenant.as_deref());
    let directory = directory.map(|(graph, tenant)| directory_of(graph, tenant));
    let algorithms = issuer.algorithms.iter();
    Ok(IssuerRules {
        issuer: exact.issuer,
        profile: match issuer.profile {
            settled::Profile::Rfc9068 => identity::Profile::Rfc9068,
            settled::Profile::Jwt => identity::Profile::Jwt,
            settled::Profile::Entra => identity::Profile::Entra,
        },
        algorithms: algorithms.copied().map(algorithm).collect(),
        token_types: issuer.token_types.clone(),
        lifetime_max_s: issuer.lifetime_max.as_secs(),
        issue_time: match issuer.events {
            Some(_) => identity::IssueTime::Required,
            None => identity::IssueTime::Optional,
        },
        clock_skew_s: issuer.clock_skew.as_secs(),
        keys: match &issuer.keys {
            settled::Keys::At(url) => Some(url.clone()),
            settled::Keys::Discovered => None,
        },
        metadata: issuer.metadata.clone(),
        tenant: exact.tenant.map(|id| Tenant { id }),
        audiences: issuer.audiences.clone(),
        // INVARIANT: within the bounds of the configuration; more than any chain is refused anyway.
        actors_max: u8::try_from(issuer.actors).unwrap_or(0),
        claims: ClaimNames {
            user: issuer.claims.user.clone(),
            client: issuer.claims.client.clone(),
            groups: issuer.claims.groups.clone(),
            scopes: issuer.claims.scopes.clone(),
        },
        introspection: introspection.transpose()?,
        directory: directory.transpose()?,
        home: None,
    })
}

fn introspection(asked: &settled::Introspection) -> Result<IntrospectionRules, HouseError> {
    Ok(IntrospectionRules {
        url: asked.url.clone(),
        credential: match &asked.proof {
            ClientProof::Key(key) => by_key(&asked.client, key)?,
            ClientProof::Secret(secret) => by_secret(&asked.client, secret)?,
        },
        remembered_s: asked.cache.as_secs(),
    })
}

fn directory_of(graph: &settled::Graph, tenant: &str) -> Result<DirectoryRules, HouseError> {
    let token_url = graph.token_url(tenant);
    Ok(DirectoryRules {
        url: graph.url.clone(),
        token_url: token_url.map_err(|error| HouseError::Address {
            what: "graph.token_url",
            error,
        })?,
        client: graph.client.clone(),
        credentials: Credentials::Secret(Arc::new(secret_of(&graph.secret)?), SecretMethod::Basic),
    })
}

fn by_secret(client: &str, secret: &SecretRef) -> Result<ClientCredential, HouseError> {
    Ok(ClientCredential::with_secret(client, secret_of(secret)?))
}

fn secret_of(reference: &SecretRef) -> Result<Zeroizing<String>, HouseError> {
    let secret = secret::resolve(&reference.to_string())?;
    Ok(Zeroizing::new(secret.expose().to_owned()))
}

fn by_key(client: &str, key: &SecretRef) -> Result<ClientCredential, HouseError> {
    let reference = key.to_string();
    let pem = secret::resolve(&reference)?;
    let key = ClientKey::from_pem(pem.expose(), None);
    let key = key.map_err(|error| HouseError::ClientKey { reference, error })?;
    let entropy = Arc::new(SystemEntropy);
    Ok(ClientCredential::with_key(client, Arc::new(key), entropy))
}
