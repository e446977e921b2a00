//! How issuers are asked: introspection of opaque tokens, and the look-up of groups. Secrets are
//! references here as everywhere.

use crate::bounds;
use crate::problem::Problems;
use crate::settle::address::{self, Query};
use crate::settle::{limits, words};
use crate::settled::{ClientProof, Graph, Introspection, TENANT};
use crate::words::{Network, Profile};
use crate::written;
use controls::{M1, N7_3};
use std::collections::BTreeSet;
use url::Url;

/// How the issuer is asked about opaque tokens.
pub(super) fn introspection(
    problems: &mut Problems,
    path: &str,
    issuer: &written::Issuer,
    network: Network,
) -> Option<Introspection> {
    let written = issuer.introspection.as_ref()?;
    let network_at = format!("{path}.network");
    let path = format!("{path}.introspection");
    let at = |name: &str| format!("{path}.{name}");
    if !issuer.tenants.is_empty() {
        let message =
            "asks an issuer of many tenants, and an opaque token does not say of which it is";
        let fix = "remove it, or write one issuer for the tenant whose opaque tokens are accepted";
        problems.refuse(M1, &path, message, fix);
    }
    let url = written.url.as_ref();
    let url = url.map(|text| place(problems, &at("url"), &network_at, text, network));
    let cache = written.cache.as_ref();
    let cache = limits::time(problems, &at("cache"), cache, bounds::INTROSPECTION_CACHE);
    words::word(
        problems,
        &at("client"),
        &written.client,
        "the id of a client",
    );
    let proof = proof(problems, &path, written);
    Some(Introspection {
        url: match url {
            None => None,
            Some(url) => Some(url?),
        },
        client: written.client.clone(),
        proof: proof?,
        cache,
    })
}

/// The secret or the key of the gateway's own client: one of the two.
fn proof(
    problems: &mut Problems,
    path: &str,
    written: &written::Introspection,
) -> Option<ClientProof> {
    let fix = "write `secret: env:NAME` or `key: file:path`, one of the two";
    match (&written.secret, &written.key) {
        (Some(secret), None) => {
            let secret = words::secret(problems, &format!("{path}.secret"), secret)?;
            Some(ClientProof::Secret(secret))
        }
        (None, Some(key)) => {
            let key = words::secret(problems, &format!("{path}.key"), key)?;
            Some(ClientProof::Key(key))
        }
        (Some(_), Some(_)) => {
            let message = "has two ways to show who asks";
            problems.refuse(M1, path, message, fix);
            None
        }
        (None, None) => {
            let message = "has no way to show who asks";
            problems.refuse(M1, path, message, fix);
            None
        }
    }
}

/// Where groups are looked up.
pub(super) fn graph(
    problems: &mut Problems,
    path: &str,
    issuer: &written::Issuer,
    network: Network,
) -> Option<Graph> {
    let written = issuer.graph.as_ref()?;
    let network_at = format!("{path}.network");
    let path = format!("{path}.graph");
    let at = |name: &str| format!("{path}.{name}");
    if issuer.profile != Some(Profile::Entra) {
        let message = "is for tokens of `entra` only";
        let fix = "remove it: other issuers put the groups into the token";
        problems.refuse(N7_3, &path, message, fix);
    }
    let url = written.url.as_deref().unwrap_or(written::GRAPH);
    let url = place(problems, &at("url"), &network_at, url, network);
    if url.as_ref().is_some_and(|url| !url.path().ends_with('/')) {
        let fix = "write a `/` at its end";
        problems.refuse(
            None,
            &at("url"),
            "has a path that does not end with `/`",
            fix,
        );
    }
    let token_url = written.token_url.as_deref();
    let token_url = token_url.unwrap_or(written::GRAPH_TOKENS);
    let first = issuer.tenants.first().map_or("tenant", String::as_str);
    let one = token_url.replace(TENANT, first);
    place(problems, &at("token_url"), &network_at, &one, network)?;
    words::word(
        problems,
        &at("client"),
        &written.client,
        "the id of a client",
    );
    let secret = words::secret(problems, &at("secret"), &written.secret);
    Some(Graph {
        url: url?,
        token_url: token_url.to_owned(),
        client: written.client.clone(),
        secret: secret?,
    })
}

/// Refuses a route on which two issuers could be asked about the same opaque token: it would be shown
/// to one that has not issued it.
pub(in crate::settle) fn one_introspects(
    problems: &mut Problems,
    path: &str,
    issuers: &[written::Issuer],
    accepted: &[String],
) {
    let accepted: BTreeSet<&str> = accepted.iter().map(String::as_str).collect();
    let asked = issuers
        .iter()
        .filter(|it| it.introspection.is_some() && accepted.contains(it.issuer.as_str()));
    if asked.count() > 1 {
        let message =
            "accepts opaque tokens of more than one issuer, and they do not say whose they are";
        let fix = "name one issuer with `introspection` in the route's `issuers`";
        problems.refuse(M1, &format!("{path}.issuers"), message, fix);
    }
}

fn place(
    problems: &mut Problems,
    at: &str,
    network_at: &str,
    text: &str,
    network: Network,
) -> Option<Url> {
    let url = address::read(problems, at, text, Query::None)?;
    address::within(problems, at, network_at, &url, network);
    Some(url)
}
