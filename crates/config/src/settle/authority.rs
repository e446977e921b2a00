//! The gateway as the authorization server that clients see: who people are is for another issuer to say,
//! and what they agree to is said in words.

use super::{limits, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{AuthorityTokens, AuthorizationServer, Issuer, Route};
use crate::words::{Network, Registration};
use crate::written;
use controls::{M3, N2_3};
use std::collections::{BTreeMap, BTreeSet};
use url::{Host, Url};

/// The first part of each path that is the authorization server's own.
const OWN: [&str; 5] = ["authorize", "authority", "register", "revoke", "token"];
/// How long what a scope means may be, in characters.
const MEANING_MAX: usize = 200;

/// The authorization server, if there is one.
pub(super) fn settle(
    problems: &mut Problems,
    written: &written::Config,
    issuers: &[Issuer],
) -> Option<AuthorizationServer> {
    let written = written.authorization_server.as_ref()?;
    let at = |name: &str| format!("authorization_server.{name}");
    let tokens = tokens(problems, &written.tokens);
    let registration = written.registration.unwrap_or(Registration::Off);
    documents(problems, &at("documents"), &written.documents);
    if registration == Registration::Off && written.documents.is_empty() {
        let message = "knows no client, so that nobody can use it";
        let fix = "name the hosts of clients in `documents`, or write `registration: open`";
        problems.refuse(M3, "authorization_server", message, fix);
    }
    let sign_in = sign_in(problems, written.sign_in.as_deref(), issuers);
    Some(AuthorizationServer {
        sign_in: sign_in?,
        registration,
        documents: words::once(&written.documents),
        network: written.network.unwrap_or(Network::Public),
        tokens,
        scopes: scopes(problems, &at("scopes"), &written.scopes),
    })
}

fn tokens(problems: &mut Problems, written: &written::AuthorityTokens) -> AuthorityTokens {
    let at = |name: &str| format!("authorization_server.tokens.{name}");
    let (access, refresh, idle) = (&written.access, &written.refresh, &written.idle);
    let tokens = AuthorityTokens {
        access: limits::time(problems, &at("access"), access.as_ref(), bounds::ACCESS),
        refresh: limits::time(problems, &at("refresh"), refresh.as_ref(), bounds::REFRESH),
        idle: limits::time(problems, &at("idle"), idle.as_ref(), bounds::REFRESH_IDLE),
    };
    if tokens.idle > tokens.refresh && idle.is_some() {
        let message = "is longer than `refresh`, and ends nothing";
        problems.refuse(N2_3, &at("idle"), message, "write less than `refresh`");
    }
    AuthorityTokens {
        idle: tokens.idle.min(tokens.refresh),
        ..tokens
    }
}

/// The one issuer where people sign in. One that stands for several tenants is several.
fn sign_in(problems: &mut Problems, said: Option<&str>, issuers: &[Issuer]) -> Option<String> {
    let path = match said {
        Some(_) => "authorization_server.sign_in",
        None => "authorization_server",
    };
    let mut able = issuers.iter().filter(|issuer| issuer.sign_in.is_some());
    let found = match said {
        Some(name) => {
            // One tenant of several can be named by its own exact name.
            let is_exact = |it: &&Issuer| it.exact().iter().any(|exact| exact.issuer == name);
            let exact = issuers.iter().find(is_exact);
            if exact.is_some_and(|it| it.sign_in.is_some()) {
                return Some(name.to_owned());
            }
            exact.or_else(|| issuers.iter().find(|issuer| issuer.issuer == name))
        }
        None => able.next().filter(|_| able.next().is_none()),
    };
    let (message, fix) = match found {
        Some(found) if found.sign_in.is_none() => (
            "names an issuer that nobody can sign in at",
            "add `sign_in: { client: … }` to that issuer",
        ),
        Some(found) if found.exact().len() != 1 => (
            "names an issuer of several tenants, and people sign in at one",
            "name the issuer of that tenant, exactly as its tokens do",
        ),
        Some(found) => return found.exact().into_iter().next().map(|exact| exact.issuer),
        None if said.is_some() => (
            "is none of `issuers`",
            "name one of those below `issuers:`, byte for byte",
        ),
        None => (
            "does not say where people sign in",
            "add `sign_in:` with one of `issuers` that has `sign_in`",
        ),
    };
    problems.refuse(M3, path, message, fix);
    None
}

fn documents(problems: &mut Problems, path: &str, written: &[String]) {
    words::count(problems, path, written.len(), bounds::WORDS);
    for (index, name) in written.iter().enumerate() {
        let at = format!("{path}[{index}]");
        if name == AuthorizationServer::ANY {
            if written.len() > 1 {
                let fix = "write `[any]`, or only the hosts you mean";
                problems.refuse(
                    M3,
                    &at,
                    "stands beside hosts that it makes no difference to",
                    fix,
                );
            }
            continue;
        }
        let url = Url::parse(&format!("https://{name}/")).ok();
        let host = url.as_ref().and_then(Url::host);
        let is_host = match host {
            Some(Host::Domain(host)) => host == name,
            // For a client on the same machine, where documents may lie there.
            Some(Host::Ipv4(address)) => address.is_loopback() && address.to_string() == *name,
            _ => false,
        };
        if !is_host {
            let fix = "write the host alone, as in `vscode.dev`, or `any`";
            problems.refuse(M3, &at, "is no host", fix);
        }
    }
}

fn scopes(
    problems: &mut Problems,
    path: &str,
    written: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    words::count(problems, path, written.len(), bounds::WORDS);
    for (name, meaning) in written {
        let at = format!("{path}.{name}");
        words::word(problems, &at, name, "a scope");
        let is_text = !meaning.trim().is_empty() && !meaning.contains(char::is_control);
        if !is_text || meaning.chars().count() > MEANING_MAX {
            let fix = "say in one short line what somebody lets a client do";
            problems.refuse(M3, &at, "says nothing that people can read", fix);
        }
    }
    written.clone()
}

/// The exact name of the gateway as an issuer instead of the word for it.
pub(super) fn named(written: &mut written::Config, public_url: Option<&Url>) {
    let Some(url) = public_url.filter(|_| written.authorization_server.is_some()) else {
        return;
    };
    let own = url.as_str().trim_end_matches('/');
    let named = written
        .routes
        .iter_mut()
        .filter_map(|route| route.issuers.as_mut());
    for name in named
        .flatten()
        .filter(|name| *name == AuthorizationServer::SELF)
    {
        own.clone_into(name);
    }
}

/// Refuses routes at the places of the authorization server, and warns where nobody uses it.
pub(super) fn apart(
    problems: &mut Problems,
    server: &Option<AuthorizationServer>,
    own: &Option<Url>,
    routes: &[Route],
) {
    let (Some(server), Some(own)) = (server, own) else {
        return;
    };
    for (index, route) in routes.iter().enumerate() {
        let first = route.path.trim_start_matches('/').split('/').next();
        let taken = first.is_some_and(|it| OWN.iter().any(|own| it.eq_ignore_ascii_case(own)));
        if taken {
            let message = "is a place of the authorization server";
            let path = format!("routes[{index}].path");
            problems.refuse(None, &path, message, "write another path");
        }
    }
    let own = own.as_str().trim_end_matches('/');
    let accepting = routes
        .iter()
        .filter(|it| it.issuers.iter().any(|issuer| issuer == own));
    let needed: BTreeSet<&str> = accepting
        .clone()
        .flat_map(|it| &it.scopes)
        .map(String::as_str)
        .collect();
    if accepting.count() == 0 {
        let fix = "name `self` in a route's `issuers`, or remove it";
        problems.warn(
            None,
            "authorization_server",
            "no route accepts its tokens",
            fix,
        );
    }
    for scope in needed {
        if !server.scopes.contains_key(scope) {
            let message =
                format!("does not say what `{scope}` means to the people who are asked for it");
            let fix = "add a line with the scope and what it lets a client do";
            problems.warn(M3, "authorization_server", message, fix);
        }
    }
}
