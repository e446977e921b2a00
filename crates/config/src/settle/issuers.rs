//! Whose tokens are accepted, and which of them.
//!
//! An issuer is its exact identifier: nothing is normalised that a token is compared with.

use super::address::{self, Query};
use super::{events, limits, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Claims, Issuer, Keys};
use crate::words::{Algorithm, Network};
use crate::written;
use controls::{M1, N2_1, N2_3};
use std::collections::BTreeMap;
use std::time::Duration;

/// The issuers, each once.
pub(super) fn settle(problems: &mut Problems, written: &[written::Issuer]) -> Vec<Issuer> {
    words::count(problems, "issuers", written.len(), bounds::ISSUERS);
    let mut known = BTreeMap::new();
    let mut issuers = Vec::new();
    for (index, written) in written.iter().enumerate() {
        let path = format!("issuers[{index}]");
        if let Some(first) = known.insert(written.issuer.as_str(), index) {
            let message = format!("is the issuer of issuers[{first}] again");
            problems.refuse(None, &format!("{path}.issuer"), message, "keep one of them");
        }
        issuers.extend(issuer(problems, &path, written));
    }
    issuers
}

fn issuer(problems: &mut Problems, path: &str, written: &written::Issuer) -> Option<Issuer> {
    let at = |name: &str| format!("{path}.{name}");
    let network = written.network.unwrap_or(Network::Public);
    let url = address::read(problems, &at("issuer"), &written.issuer, Query::None);
    if let Some(url) = &url {
        address::within(problems, &at("issuer"), &at("network"), url, network);
    }
    let keys = match &written.keys {
        None => Some(Keys::Discovered),
        Some(text) => {
            let url = address::read(problems, &at("keys"), text, Query::Allowed);
            if let Some(url) = &url {
                address::within(problems, &at("keys"), &at("network"), url, network);
            }
            url.map(Keys::At)
        }
    };
    let lifetime_max = limits::time(
        problems,
        &at("lifetime_max"),
        written.lifetime_max.as_ref(),
        bounds::LIFETIME,
    );
    let clock_skew = limits::time(
        problems,
        &at("clock_skew"),
        written.clock_skew.as_ref(),
        bounds::CLOCK_SKEW,
    );
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
    let issuer = Issuer {
        issuer: written.issuer.clone(),
        algorithms: algorithms(problems, &at("algorithms"), written.algorithms.as_deref()),
        token_types: token_types(problems, &at("token_types"), written.token_types.as_deref()),
        lifetime_max,
        clock_skew,
        events: written
            .events
            .as_ref()
            .and_then(|it| events::settle(problems, &at("events"), it)),
        network,
        keys: keys?,
        claims: claims(problems, &at("claims"), &written.claims),
    };
    url.map(|_| issuer)
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

fn token_types(problems: &mut Problems, path: &str, written: Option<&[String]>) -> Vec<String> {
    let usual = [written::TOKEN_TYPE.to_owned()];
    let list = written.unwrap_or(&usual);
    if list.is_empty() {
        let fix = "write `[at+jwt]`, or remove the line";
        problems.refuse(M1, path, "is empty, so no token could be accepted", fix);
    }
    words::count(problems, path, list.len(), bounds::WORDS);
    for (index, text) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        words::word(problems, &path, text, "a token type");
        if text.eq_ignore_ascii_case("jwt") {
            let message = "lets identity tokens pass for access tokens where their audience fits";
            let fix = "have the issuer mark access tokens `at+jwt` (RFC 9068) and remove it";
            problems.warn(M1, &path, message, fix);
        }
    }
    words::once(list)
}

fn claims(problems: &mut Problems, path: &str, written: &written::Claims) -> Claims {
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
        user: claim("user", written.user.as_ref(), written::CLAIM_USER),
        client: claim("client", written.client.as_ref(), written::CLAIM_CLIENT),
        groups: claim("groups", written.groups.as_ref(), written::CLAIM_GROUPS),
        scopes: claim("scopes", written.scopes.as_ref(), written::CLAIM_SCOPES),
    };
    if ["email", "name", "preferred_username", "upn"].contains(&claims.user.as_str()) {
        let message = "names a claim that can pass from one person to another";
        let fix = "write `sub`, or another claim that is never given to somebody else";
        problems.warn(N2_1, &format!("{path}.user"), message, fix);
    }
    claims
}
