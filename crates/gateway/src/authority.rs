//! The gateway as the authorization server that MCP clients see: where clients describe themselves, people
//! agree, and codes become tokens. Who people are is for the identity provider to say; they are asked here
//! what each client may do before anybody is sent there, because there all of them are one client.
//!
//! Nothing here lets a call pass: tokens that are issued here come back as any other issuer's do, and meet
//! the same checks. No password is ever read, no page of a client is ever loaded, and nobody is sent to an
//! address that is not known to be the client's own.

mod agree;
mod answer;
mod clients;
mod consents;
mod desk;
mod families;
mod journey;
mod keys;
mod returned;
mod sent;
mod token;
mod told;

#[cfg(test)]
mod tests;

pub use consents::{Agreed, list, revoke};
pub(crate) use desk::Desk;
pub(crate) use keys::SigningKeys;

use crate::body::Body;
use crate::egress::Fetcher;
use crate::gate::Gate;
use answer::Answer;
use config::settled::{self, Settled};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use identity::authority::{AuthorityError, Hosts, Metadata, Offered, Registration};
use identity::client::Scopes;
use identity::possession::dpop::{self, Target};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// How long a page, and every step after it, is good, in seconds.
const PATIENCE_S: u64 = 600;

/// What is configured of it, ready to be used.
#[derive(Debug)]
pub(crate) struct Authority {
    /// Our own name.
    issuer: String,
    /// The issuer where people sign in.
    sign_in: String,
    /// The claim that has their groups there, and further claims that policies read.
    groups: String,
    carried: Vec<String>,
    registration: Registration,
    documents: Hosts,
    network: settled::Network,
    tokens: settled::AuthorityTokens,
    meanings: BTreeMap<String, String>,
    /// What tokens are issued for.
    offered: Vec<Offered>,
    metadata: bytes::Bytes,
    /// Which proofs of possession are accepted, and for which address.
    proofs: dpop::Rules,
    token_target: Option<Target>,
    /// The way to documents and keys of clients.
    fetch: Fetcher,
    desk: Arc<Desk>,
}

/// A place of the authorization server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// What people decided.
    Agree,
    /// Where clients send people.
    Authorize,
    /// The public keys.
    Keys,
    /// What it says of itself.
    Metadata,
    /// Where clients register.
    Register,
    /// Where tokens are given back.
    Revoke,
    /// Back from signing in.
    SignedIn,
    /// Where codes and refresh tokens become tokens.
    Token,
}

impl Place {
    /// Where people send what they decided.
    pub(crate) const AGREE: &'static str = "/authority/agree";
    /// Where they come back to from signing in.
    pub(crate) const SIGNED_IN: &'static str = "/authority/signed-in";

    /// The place at this path.
    pub(crate) fn at(path: &str) -> Option<Self> {
        Some(match path {
            Place::AGREE => Place::Agree,
            Place::SIGNED_IN => Place::SignedIn,
            Metadata::AUTHORIZE => Place::Authorize,
            Metadata::KEYS => Place::Keys,
            Metadata::REGISTER => Place::Register,
            Metadata::REVOKE => Place::Revoke,
            Metadata::TOKEN => Place::Token,
            Metadata::WELL_KNOWN => Place::Metadata,
            _ => return None,
        })
    }

    /// The one method it takes.
    fn method(self) -> Method {
        match self {
            Place::Authorize | Place::Keys | Place::Metadata | Place::SignedIn => Method::GET,
            Place::Agree | Place::Register | Place::Revoke | Place::Token => Method::POST,
        }
    }

    /// Whether people come here, and not programs.
    pub(crate) fn is_page(self) -> bool {
        matches!(self, Place::Agree | Place::Authorize | Place::SignedIn)
    }
}

impl Authority {
    /// The authorization server of a configuration, if it has one.
    pub(crate) fn of(settled: &Settled, fetch: Fetcher, desk: Arc<Desk>) -> Option<Self> {
        let server = settled.authorization_server.as_ref()?;
        let home = |it: &&settled::Issuer| it.exact().iter().any(|it| it.issuer == server.sign_in);
        let home = settled.issuers.iter().find(home);
        let claims = home.map(|it| {
            it.attributes
                .values()
                .filter_map(|it| it.path().first().copied())
        });
        let carried = claims.into_iter().flatten().map(str::to_owned).collect();
        let offered = offered(settled, server);
        let documents = match server.documents.as_slice() {
            [] => Hosts::None,
            [any] if any == settled::AuthorizationServer::ANY => Hosts::Any,
            hosts => Hosts::Only(hosts.to_vec()),
        };
        let registration = match server.registration {
            settled::Registration::Off => Registration::Closed,
            settled::Registration::Open => Registration::Open,
        };
        let proofs = crate::route::proofs(&settled.dpop);
        let issuer = settled.own_issuer().to_owned();
        let metadata = Metadata {
            issuer: &issuer,
            scopes: server.scopes.keys().map(String::as_str).collect(),
            registration,
            documents: match documents {
                Hosts::None => Registration::Closed,
                Hosts::Any | Hosts::Only(_) => Registration::Open,
            },
            proofs: &proofs.algorithms,
        };
        let metadata = metadata.to_json().into();
        Some(Authority {
            sign_in: server.sign_in.clone(),
            groups: home.map_or_else(|| "groups".to_owned(), |it| it.claims.groups.clone()),
            carried,
            registration,
            documents,
            network: server.network,
            tokens: server.tokens.clone(),
            meanings: server.scopes.clone(),
            offered,
            metadata,
            token_target: Target::of(&format!("{issuer}{}", Metadata::TOKEN)),
            proofs,
            issuer,
            fetch,
            desk,
        })
    }

    /// A place of ours, in full.
    fn place(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}

/// What tokens are issued for: every route that accepts them, with the scopes it needs, and those that
/// policies may ask for besides.
fn offered(settled: &Settled, server: &settled::AuthorizationServer) -> Vec<Offered> {
    let own = settled.own_issuer();
    let accepting = settled
        .routes
        .iter()
        .filter(|route| route.issuers.iter().any(|it| it == own));
    let offered = accepting.filter_map(|route| {
        let known = route.scopes.iter().chain(server.scopes.keys());
        Some(Offered {
            resource: identity::Audience::of(&route.resource)
                .ok()?
                .resource()
                .to_owned(),
            name: route.path.clone(),
            needed: Scopes::of(&route.scopes)?,
            scopes: Scopes::of(known)?,
        })
    });
    offered.collect()
}

/// Answers at a place of the authorization server.
pub(crate) async fn answer(
    gate: &Arc<Gate>,
    authority: &Arc<Authority>,
    source: IpAddr,
    place: Place,
    request: Request<Incoming>,
) -> Response<Body> {
    if request.method() != place.method() {
        return answer::wrong_method(place);
    }
    let desk = authority.desk.at(gate, authority, source);
    match place {
        Place::Metadata => answer::document(StatusCode::OK, authority.metadata.clone()),
        Place::Keys => match authority.desk.keys.jwks().await {
            Ok(jwks) => answer::document(StatusCode::OK, jwks.into()),
            Err(error) => answer::failed(&desk, "authority.refused", "", error),
        },
        Place::Authorize => agree::authorize(&desk, &request).await,
        Place::Agree => agree::decided(&desk, request).await,
        Place::SignedIn => agree::signed_in(&desk, &request).await,
        Place::Register => clients::register(&desk, request).await,
        Place::Token => token::answer(&desk, request).await,
        Place::Revoke => returned::answer(&desk, request).await,
    }
}

/// What a step works with: one request, at one authorization server.
#[derive(Clone, Copy, Debug)]
struct At<'a> {
    gate: &'a Arc<Gate>,
    authority: &'a Arc<Authority>,
    source: IpAddr,
    /// Now, in unix seconds.
    now: u64,
}

impl At<'_> {
    fn now_ms(&self) -> u64 {
        self.now.saturating_mul(1000)
    }

    /// Writes down what happened. What cannot be written down does not happen.
    fn note(
        &self,
        who: Option<audit::Who<'_>>,
        name: &str,
        client: &str,
        after: &str,
    ) -> Result<(), AuthorityError> {
        match self.gate.note_of(who, name, ("", client), after) {
            true => Ok(()),
            false => Err(answer::BROKEN),
        }
    }
}

/// What a token request gets.
type Told = Result<Answer, AuthorityError>;
