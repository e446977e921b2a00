//! Tokens that the gateway gets for servers: each grant with what it needs and nothing it does not,
//! and the caller's token to nobody but its own issuer (control 7.1).

use super::address::{self, Query};
use super::{pages, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{
    Authentication, Authority, Client, Credential, Grant, IdentityProvider, Issuer, Oauth, Route,
    Server, SignIn, TENANT, Upstream,
};
use crate::words::{Actor, AssertionAudience, Grant as Word, Network, Profile, TokenKind};
use crate::written;
use controls::{N7_1, N7_4};
use url::Url;

/// What the callers' tokens are issued by, as written.
#[derive(Clone, Copy)]
pub(super) struct Known<'a>(pub(super) &'a [written::Issuer]);

impl<'a> Known<'a> {
    fn has(self, issuer: &str) -> bool {
        let of_tenant = |known: &written::Issuer| {
            let mut tenants = known.tenants.iter();
            tenants.any(|tenant| known.issuer.replace(TENANT, tenant) == issuer)
        };
        let mut known = self.0.iter();
        known.any(|known| known.issuer == issuer || of_tenant(known))
    }

    /// The tenant of Entra ID that this is the issuer of.
    fn entra_tenant(self, issuer: &str) -> Option<&'a str> {
        let entra = |known: &&written::Issuer| known.profile == Some(Profile::Entra);
        let mut tenants = self.0.iter().filter(entra).flat_map(|known| {
            let tenants = known.tenants.iter();
            tenants.filter(|tenant| known.issuer.replace(TENANT, tenant) == issuer)
        });
        tenants.next().map(String::as_str)
    }
}

/// How tokens are got for the server at `url`.
pub(super) fn settle(
    problems: &mut Problems,
    path: &str,
    url: Option<&Url>,
    known: Known<'_>,
    written: &written::Oauth,
) -> Option<Oauth> {
    let at = |name: &str| format!("{path}.{name}");
    let network = written.network.unwrap_or(Network::Public);
    let client = client(problems, path, written);
    let authority = authority(problems, path, network, known, written);
    let grant = grant(problems, path, known, written);
    for (index, scope) in written.scopes.iter().enumerate() {
        words::word(problems, &at(&format!("scopes[{index}]")), scope, "a scope");
    }
    words::count(problems, &at("scopes"), written.scopes.len(), bounds::WORDS);
    let resource = match &written.resource {
        Some(text) => {
            address::read(problems, &at("resource"), text, Query::Allowed).map(|_| text.clone())
        }
        None => url.map(|url| url.to_string()),
    };
    let client = client?;
    needed(problems, path, written, &client);
    Some(Oauth {
        grant: grant?,
        authority: authority?,
        client,
        scopes: words::once(&written.scopes),
        resource: resource?,
        network,
        tokens: written.tokens.unwrap_or(TokenKind::Bearer),
    })
}

/// A client of its own, with something to prove it, where the gateway speaks for itself.
fn needed(problems: &mut Problems, path: &str, written: &written::Oauth, client: &Client) {
    let proves = match client {
        Client::Known { authentication, .. } => *authentication != Authentication::None,
        Client::Automatic | Client::Document(_) => false,
    };
    let speaks_for_itself = match written.grant {
        Word::ClientCredentials | Word::OnBehalfOf | Word::TokenExchange => true,
        Word::Connection | Word::IdJag | Word::Workload => false,
    };
    if speaks_for_itself && !proves {
        let message = "has no client that can prove itself, which this grant is good for only with";
        let fix = "add `client: { id: … }` and `secret: env:NAME` or `key: file:PATH`";
        problems.refuse(N7_1, path, message, fix);
    }
    if matches!(client, Client::Known { .. }) && written.issuer.is_none() {
        let message = "has a client and does not say whose it is: a server could name any authorization \
                       server and be given what proves it";
        problems.refuse(
            N7_1,
            path,
            message,
            "add `issuer: …`, where the client is registered",
        );
    }
    if written.grant == Word::IdJag && !matches!(client, Client::Known { .. }) {
        let message = "needs the client that the identity provider knows the gateway by at the server's \
                       authorization server";
        problems.refuse(N7_1, path, message, "add `client: { id: … }`");
    }
}

fn authority(
    problems: &mut Problems,
    path: &str,
    network: Network,
    known: Known<'_>,
    written: &written::Oauth,
) -> Option<Authority> {
    let path_of = format!("{path}.issuer");
    let takes_the_callers_token = matches!(written.grant, Word::OnBehalfOf | Word::TokenExchange);
    let Some(text) = &written.issuer else {
        if takes_the_callers_token {
            let message = "does not say who is given the caller's token";
            let fix =
                "add `issuer: …`, one of `issuers`: a token goes back to nobody but who issued it";
            problems.refuse(N7_1, path, message, fix);
            return None;
        }
        return Some(Authority::Discovered);
    };
    let url = address::read(problems, &path_of, text, Query::None)?;
    if let (Word::OnBehalfOf, Some(subjects)) = (written.grant, &written.subject_issuer) {
        other_name(problems, path, known, (subjects, &url));
    }
    let other_name = written.grant == Word::OnBehalfOf && written.subject_issuer.is_some();
    if takes_the_callers_token && !other_name {
        if !known.has(text) {
            let message = "is none of `issuers`, and would be given tokens that it did not issue";
            let fix = "name the issuer of the callers' tokens";
            problems.refuse(N7_1, &path_of, message, fix);
            return None;
        }
    } else {
        address::within(
            problems,
            &path_of,
            &format!("{path}.network"),
            &url,
            network,
        );
    }
    Some(Authority::Exactly(text.clone()))
}

/// The callers' tokens go to nobody but who issued them. One authorization server has two names at
/// Entra ID, for the same tenant; nobody else is believed to be somebody else, too.
fn other_name(
    problems: &mut Problems,
    path: &str,
    known: Known<'_>,
    (subjects, issuer): (&str, &Url),
) {
    let path = format!("{path}.subject_issuer");
    let Some(tenant) = known.entra_tenant(subjects) else {
        let message = "is no tenant's issuer of `issuers` with `profile: entra`";
        let fix = "name the issuer of the callers' tokens, with the tenant in it";
        problems.refuse(N7_1, &path, message, fix);
        return;
    };
    let mut segments = issuer.path_segments().into_iter().flatten();
    if !segments.any(|segment| segment == tenant) {
        let message = "is of another tenant than `issuer`, which would be given its tokens";
        let fix = "name issuers of one tenant";
        problems.refuse(N7_1, &path, message, fix);
    }
}

/// How a client proves itself, as written.
struct Written<'a> {
    secret: &'a Option<written::Reference>,
    key: &'a Option<written::Reference>,
    audience: Option<AssertionAudience>,
}

fn client(problems: &mut Problems, path: &str, written: &written::Oauth) -> Option<Client> {
    let proof = Written {
        secret: &written.secret,
        key: &written.key,
        audience: written.assertion_audience,
    };
    let authentication = authentication(problems, path, &proof)?;
    let none = written::OauthClient::default();
    let said = written.client.as_ref().unwrap_or(&none);
    let at = |name: &str| format!("{path}.client.{name}");
    match (&said.id, &said.metadata_document) {
        (Some(_), Some(_)) => {
            let message = "stands beside `id`: a client has one identifier";
            problems.refuse(None, &at("metadata_document"), message, "keep one of them");
            None
        }
        (Some(id), None) => {
            words::word(problems, &at("id"), id, "the identifier of a client");
            let id = id.clone();
            Some(Client::Known { id, authentication })
        }
        (None, _) if authentication != Authentication::None => {
            let message = "has something to prove a client with, and no `client.id`";
            let fix = "add `client: { id: … }`, or remove `secret` and `key`";
            problems.refuse(None, path, message, fix);
            None
        }
        (None, Some(text)) => {
            let path = at("metadata_document");
            let url = address::read(problems, &path, text, Query::None)?;
            if url.scheme() != "https" || url.path() == "/" {
                let fix = "write an `https` address with a path";
                problems.refuse(None, &path, "is no address of a metadata document", fix);
                return None;
            }
            Some(Client::Document(url))
        }
        (None, None) => Some(Client::Automatic),
    }
}

fn authentication(
    problems: &mut Problems,
    path: &str,
    proof: &Written<'_>,
) -> Option<Authentication> {
    if proof.audience.is_some() && proof.key.is_none() {
        let message = "means nothing but with `key`, which signs assertions";
        let path = format!("{path}.assertion_audience");
        problems.refuse(None, &path, message, "remove it");
    }
    match (proof.secret, proof.key) {
        (None, None) => Some(Authentication::None),
        (Some(text), None) => {
            let path = format!("{path}.secret");
            words::secret(problems, &path, text).map(Authentication::Secret)
        }
        (None, Some(text)) => {
            let path = format!("{path}.key");
            let audience = proof.audience.unwrap_or(AssertionAudience::Issuer);
            let key = words::secret(problems, &path, text)?;
            Some(Authentication::Key { key, audience })
        }
        (Some(_), Some(_)) => {
            let message = "stands beside `secret`: a client proves itself in one way";
            problems.refuse(None, &format!("{path}.key"), message, "keep one of them");
            None
        }
    }
}

/// What means something with one grant only.
fn strays(problems: &mut Problems, path: &str, written: &written::Oauth) {
    let strays = [
        ("audience", written.audience.is_some(), Word::TokenExchange),
        ("actor", written.actor.is_some(), Word::TokenExchange),
        ("assertion", written.assertion.is_some(), Word::Workload),
        (
            "subject_issuer",
            written.subject_issuer.is_some(),
            Word::OnBehalfOf,
        ),
        (
            "identity_provider",
            written.identity_provider.is_some(),
            Word::IdJag,
        ),
    ];
    for (name, said, grant) in strays {
        if said && written.grant != grant {
            let message = format!("means nothing but with `grant: {grant}`");
            problems.refuse(None, &format!("{path}.{name}"), message, "remove it");
        }
    }
}

fn grant(
    problems: &mut Problems,
    path: &str,
    known: Known<'_>,
    written: &written::Oauth,
) -> Option<Grant> {
    strays(problems, path, written);
    match written.grant {
        Word::ClientCredentials => Some(Grant::ClientCredentials),
        Word::Connection => Some(Grant::Connection),
        Word::OnBehalfOf => Some(Grant::OnBehalfOf {
            subject_issuer: written.subject_issuer.clone(),
        }),
        Word::TokenExchange => Some(Grant::TokenExchange {
            audience: written.audience.clone(),
            actor: written.actor.unwrap_or(Actor::None),
        }),
        Word::Workload => {
            let Some(text) = &written.assertion else {
                let fix = "add `assertion: file:PATH`";
                problems.refuse(
                    None,
                    path,
                    "does not say which workload the gateway is",
                    fix,
                );
                return None;
            };
            let path = format!("{path}.assertion");
            words::secret(problems, &path, text).map(Grant::Workload)
        }
        Word::IdJag => {
            let Some(provider) = &written.identity_provider else {
                let fix = "add `identity_provider: { issuer: …, client: … }`";
                problems.refuse(N7_1, path, "does not say who vouches for the callers", fix);
                return None;
            };
            let path = format!("{path}.identity_provider");
            if !known.has(&provider.issuer) {
                let message =
                    "is none of `issuers`, and would be given tokens that it did not issue";
                let fix = "name the issuer of the callers' tokens";
                problems.refuse(N7_1, &format!("{path}.issuer"), message, fix);
            }
            let proof = Written {
                secret: &provider.secret,
                key: &provider.key,
                audience: provider.assertion_audience,
            };
            let authentication = authentication(problems, &path, &proof)?;
            Some(Grant::IdJag(IdentityProvider {
                issuer: provider.issuer.clone(),
                client: provider.client.clone(),
                authentication,
            }))
        }
    }
}

/// How users of an issuer sign in.
pub(super) fn sign_in(
    problems: &mut Problems,
    path: &str,
    written: &written::SignIn,
) -> Option<SignIn> {
    let at = |name: &str| format!("{path}.{name}");
    words::word(
        problems,
        &at("client"),
        &written.client,
        "the identifier of a client",
    );
    for (index, scope) in written.scopes.iter().enumerate() {
        words::word(problems, &at(&format!("scopes[{index}]")), scope, "a scope");
    }
    let proof = Written {
        secret: &written.secret,
        key: &written.key,
        audience: written.assertion_audience,
    };
    Some(SignIn {
        client: written.client.clone(),
        authentication: authentication(problems, path, &proof)?,
        scopes: words::once(&written.scopes),
    })
}

/// Whoever is asked to connect a server must be able to show who they are: the link alone proves
/// nothing, it may have been sent to somebody else.
pub(super) fn connectable(
    problems: &mut Problems,
    routes: &[Route],
    issuers: &[Issuer],
    servers: &[Server],
) {
    pages::apart(problems, routes, issuers);
    let connects = |server: &Server| matches!(server.upstream.credential(), Some(Credential::Oauth(oauth)) if oauth.grant == Grant::Connection);
    let mut any = false;
    for (index, server) in servers.iter().enumerate().filter(|(_, it)| connects(it)) {
        any = true;
        let led = routes
            .iter()
            .filter(|route| route.servers.contains(&server.name));
        for issuer in led.flat_map(|route| &route.issuers) {
            let settled = issuers.iter().find(|it| it.issuer == *issuer);
            if settled.is_some_and(|it| it.sign_in.is_none()) {
                let message = format!(
                    "lets users of `{issuer}` be asked to connect, and they cannot show who they are"
                );
                let fix = "add `sign_in: { client: … }` to that issuer, or choose another grant";
                let way = match server.upstream {
                    Upstream::Sse(_) => "sse",
                    Upstream::Http(_) | Upstream::Stdio(_) => "http",
                };
                let path = format!("servers[{index}].{way}.oauth.grant");
                problems.refuse(N7_4, &path, message, fix);
                break;
            }
        }
    }
    let taken = |path: &str| {
        let first = path.trim_start_matches('/').split('/').next();
        first.is_some_and(|it| {
            ["connect", "oauth"]
                .iter()
                .any(|own| it.eq_ignore_ascii_case(own))
        })
    };
    for (index, _) in routes
        .iter()
        .enumerate()
        .filter(|(_, it)| any && taken(&it.path))
    {
        let message = "is where users connect servers";
        problems.refuse(
            None,
            &format!("routes[{index}].path"),
            message,
            "write another path",
        );
    }
}
