//! Whose tokens are accepted, and which of them.
//!
//! An issuer is its exact identifier: nothing is normalised that a token is compared with.

mod asked;
mod attributes;
mod tenants;

pub(super) use asked::one_introspects;
pub(super) use tenants::{audiences, not_signed_in};

use super::address::{self, Query};
use super::{events, limits, oauth, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Claims, Issuer, Keys};
use crate::words::{Algorithm, Network, Profile};
use crate::written;
use controls::{M1, N2_1, N2_3};
use std::collections::BTreeMap;
use std::time::Duration;

/// The issuers, each once.
pub(super) fn settle(problems: &mut Problems, written: &[written::Issuer]) -> Vec<Issuer> {
    words::count(problems, "issuers", written.len(), bounds::ISSUERS);
    let mut known = BTreeMap::new();
    let mut issuers: Vec<Issuer> = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let path = format!("issuers[{index}]");
        if let Some(first) = known.insert(written.issuer.as_str(), index) {
            let message = format!("is the issuer of issuers[{first}] again");
            problems.refuse(None, &format!("{path}.issuer"), message, "keep one of them");
        }
        issuers.extend(issuer(problems, &path, written));
    }
    tenants::once(problems, &issuers);
    attributes::agree(problems, &issuers);
    issuers
}

fn issuer(problems: &mut Problems, path: &str, written: &written::Issuer) -> Option<Issuer> {
    let at = |name: &str| format!("{path}.{name}");
    let profile = written.profile.unwrap_or(Profile::Rfc9068);
    let network = written.network.unwrap_or(Network::Public);
    let name = tenants::settle(problems, path, written, profile);
    not_signed_in(problems, &at("audiences"), &written.audiences, &[written]);
    let mut place = |name: &str, text: &str, query: Query| {
        let url = address::read(problems, &at(name), text, query);
        if let Some(url) = &url {
            address::within(problems, &at(name), &at("network"), url, network);
        }
        url
    };
    let url = place("issuer", &name, Query::None);
    let keys = match &written.keys {
        None => Some(Keys::Discovered),
        Some(text) => place("keys", text, Query::Allowed).map(Keys::At),
    };
    let metadata = written.metadata.as_ref();
    let metadata = metadata.and_then(|text| place("metadata", text, Query::Allowed));
    let (lifetime_max, clock_skew) = times(problems, path, written, profile);
    let said = written.token_types.as_deref();
    let issuer = Issuer {
        issuer: written.issuer.clone(),
        profile,
        tenants: written.tenants.clone(),
        metadata,
        audiences: audiences(problems, &at("audiences"), &written.audiences),
        algorithms: algorithms(problems, &at("algorithms"), written.algorithms.as_deref()),
        token_types: token_types(problems, &at("token_types"), said, profile),
        lifetime_max,
        clock_skew,
        network,
        keys: keys?,
        claims: claims(problems, &at("claims"), &written.claims, profile),
        attributes: attributes::settle(problems, &at("attributes"), &written.attributes),
        actors: limits::number(problems, &at("actors"), written.actors, bounds::ACTORS),
        introspection: asked::introspection(problems, path, written, network),
        graph: asked::graph(problems, path, written, network),
        events: written
            .events
            .as_ref()
            .and_then(|it| events::settle(problems, &at("events"), it)),
        sign_in: match &written.sign_in {
            Some(it) => oauth::sign_in(problems, &at("sign_in"), it),
            None => None,
        },
    };
    url.map(|_| issuer)
}

/// How long a token may live, and how far clocks may be apart.
fn times(
    problems: &mut Problems,
    path: &str,
    written: &written::Issuer,
    profile: Profile,
) -> (Duration, Duration) {
    let at = |name: &str| format!("{path}.{name}");
    let lifetime = match profile {
        Profile::Entra => bounds::Text {
            default: bounds::LIFETIME_ENTRA,
            ..bounds::LIFETIME
        },
        Profile::Jwt | Profile::Rfc9068 => bounds::LIFETIME,
    };
    let said = written.lifetime_max.as_ref();
    let lifetime_max = limits::time(problems, &at("lifetime_max"), said, lifetime);
    let said = written.clock_skew.as_ref();
    let clock_skew = limits::time(problems, &at("clock_skew"), said, bounds::CLOCK_SKEW);
    if clock_skew > lifetime_max && clock_skew > Duration::ZERO {
        let message =
            "is longer than `lifetime_max`: tokens would live longer after their end than before";
        problems.refuse(
            N2_3,
            &at("clock_skew"),
            message,
            "write `30s`, or keep the clocks in step",
        );
    }
    (lifetime_max, clock_skew)
}

fn algorithms(
    problems: &mut Problems,
    path: &str,
    written: Option<&[Algorithm]>,
) -> Vec<Algorithm> {
    let list = written.unwrap_or(&written::DEFAULT_ALGORITHMS);
    if list.is_empty() {
        let fix = "name the algorithms this issuer signs with, or remove the line";
        problems.refuse(M1, path, "is empty, so no token could be accepted", fix);
    }
    words::once(list)
}

fn token_types(
    problems: &mut Problems,
    path: &str,
    written: Option<&[String]>,
    profile: Profile,
) -> Vec<String> {
    let usual: &[&str] = match profile {
        Profile::Rfc9068 => &[written::TOKEN_TYPE],
        Profile::Jwt => &["JWT", "JOSE"],
        Profile::Entra => &["JWT"],
    };
    let usual: Vec<String> = usual.iter().map(|&typ| typ.to_owned()).collect();
    let list = written.unwrap_or(&usual);
    if list.is_empty() {
        let fix = "write `[at+jwt]`, or remove the line";
        problems.refuse(M1, path, "is empty, so no token could be accepted", fix);
    }
    words::count(problems, path, list.len(), bounds::WORDS);
    for (index, text) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        words::word(problems, &path, text, "a token type");
        if text.eq_ignore_ascii_case("jwt") && profile == Profile::Rfc9068 {
            let message = "lets identity tokens pass for access tokens where their audience fits";
            let fix = "have the issuer mark access tokens `at+jwt` (RFC 9068) and remove it";
            problems.warn(M1, &path, message, fix);
        }
    }
    words::once(list)
}

fn claims(
    problems: &mut Problems,
    path: &str,
    written: &written::Claims,
    profile: Profile,
) -> Claims {
    let usual = match profile {
        Profile::Entra => ["oid", "azp", written::CLAIM_GROUPS, "scp"],
        Profile::Jwt | Profile::Rfc9068 => [
            written::CLAIM_USER,
            written::CLAIM_CLIENT,
            written::CLAIM_GROUPS,
            written::CLAIM_SCOPES,
        ],
    };
    let [user, client, groups, scopes] = usual;
    let said = [
        ("user", &written.user, user),
        ("client", &written.client, client),
    ];
    for (name, said, usual) in said {
        if profile == Profile::Entra && said.as_ref().is_some_and(|said| said != usual) {
            let message =
                "is not for `entra` to choose: `oid` is the person, `azp` or `appid` the client";
            problems.refuse(N2_1, &format!("{path}.{name}"), message, "remove the line");
        }
    }
    let mut claim = |name: &str, said: Option<&String>, usual: &str| {
        let text = said.map_or(usual, String::as_str);
        words::word(
            problems,
            &format!("{path}.{name}"),
            text,
            "the name of a claim",
        );
        text.to_owned()
    };
    let claims = Claims {
        user: claim("user", written.user.as_ref(), user),
        client: claim("client", written.client.as_ref(), client),
        groups: claim("groups", written.groups.as_ref(), groups),
        scopes: claim("scopes", written.scopes.as_ref(), scopes),
    };
    if ["email", "name", "preferred_username", "upn"].contains(&claims.user.as_str()) {
        let message = "names a claim that can pass from one person to another";
        let fix = "write `sub`, or another claim that is never given to somebody else";
        problems.warn(N2_1, &format!("{path}.user"), message, fix);
    }
    claims
}
