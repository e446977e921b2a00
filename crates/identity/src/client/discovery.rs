//! Finds who issues tokens for a server: its metadata as a protected resource (RFC 9728), and from
//! there that of an authorization server (RFC 8414, OpenID Connect Discovery). A server that speaks
//! MCP 2025-03-26 may have neither. Every document is untrusted, and none of another resource or
//! issuer than the one that was asked is used.

use super::metadata::{flag, issuer_url, names};
use super::resource::origin;
use super::{AuthorizationServer, ClientError, Demand, Outside, Resource, Scopes};
use crate::discovery::{METADATA_MAX, places};
use crate::members;
use crate::resource_metadata::{WELL_KNOWN, well_known_path};
use crate::rules::may_hold_keys;
use crate::{FetchError, Fetched};
use serde_json::{Map, Value};
use url::Url;

/// The most authorization servers of one resource that are looked at.
const SERVERS_MAX: usize = 16;

/// What a server says about itself as a protected resource.
#[derive(Clone, Debug)]
pub struct Protected {
    resource: Resource,
    issuers: Vec<String>,
    scopes: Option<Scopes>,
    wants_dpop: bool,
}

impl Protected {
    /// The server, by the name to ask for tokens with.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The authorization servers it names, in its order. Each is an https URL, or http on
    /// loopback for a server there.
    pub fn issuers(&self) -> &[String] {
        &self.issuers
    }

    /// The scopes it lists.
    pub fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_ref()
    }

    /// Whether it takes only tokens that are bound to a key.
    pub fn wants_dpop(&self) -> bool {
        self.wants_dpop
    }

    /// The authorization server to use: the one this server is bound to, if it still names it, or
    /// the first one it names. A server cannot move itself to another one.
    pub fn issuer(&self, bound: Option<&str>) -> Result<&str, ClientError> {
        let found = match bound {
            Some(bound) => self.issuers.iter().find(|issuer| *issuer == bound),
            None => self.issuers.first(),
        };
        found.map(String::as_str).ok_or_else(|| match bound {
            Some(bound) => ClientError::IssuerChanged {
                expected: bound.to_owned(),
            },
            None => ClientError::Metadata(origin(self.resource.url())),
        })
    }

    /// The same, listing these scopes.
    #[cfg(test)]
    pub(crate) fn listing(mut self, scopes: Option<Scopes>) -> Self {
        self.scopes = scopes;
        self
    }

    /// Metadata that nobody published: what the operator says about a server.
    pub fn declared(resource: Resource, issuer: &str) -> Self {
        Protected {
            resource,
            issuers: vec![issuer.to_owned()],
            scopes: None,
            wants_dpop: false,
        }
    }
}

/// Finds the metadata of a server: where its challenge says, else at the well-known path with the
/// path of the server, else at the root of its host. A document that is there and names another
/// resource ends the search: it is not passed over for one that might be kinder.
/// [`ClientError::Undescribed`] says that each place was asked and has none; a host that fails has
/// not said so.
pub async fn find_resource(
    outside: Outside<'_>,
    server: &Url,
    demand: Option<&Demand>,
) -> Result<Protected, ClientError> {
    let resource = Resource::of(server)?;
    let root = at(server, WELL_KNOWN);
    let mut places = Vec::new();
    if let Some(told) = demand.and_then(Demand::metadata)
        && may_hold_keys(told, server)
    {
        places.push(told.clone());
    }
    places.push(at(server, &well_known_path(server.path())));
    places.push(root.clone());
    places.dedup();
    let mut why = ClientError::Undescribed(origin(server));
    for place in places {
        match outside.fetch.get(&place).await {
            Ok(answer) if is_document(&answer) => {
                return read_resource(&resource, place == root, &answer.body);
            }
            Ok(answer) if is_absent(&answer) => {}
            Ok(answer) => why = ClientError::Status(answer.status),
            // It leads where nobody may go: that is no document that is missing.
            Err(error @ FetchError::NotAllowed(_)) => return Err(error.into()),
            Err(error) => why = error.into(),
        }
    }
    Err(why)
}

/// Finds the metadata of an authorization server.
pub async fn find_server(
    outside: Outside<'_>,
    issuer: &str,
) -> Result<AuthorizationServer, ClientError> {
    let url = issuer_url(issuer)?;
    let mut why = ClientError::Metadata(issuer.to_owned());
    for place in places(&url) {
        match outside.fetch.get(&place).await {
            Ok(answer) if is_document(&answer) => {
                return AuthorizationServer::read(issuer, &answer.body);
            }
            Ok(_) => {}
            // It leads where nobody may go: that is no document that is missing.
            Err(error @ FetchError::NotAllowed(_)) => return Err(error.into()),
            Err(error) => why = error.into(),
        }
    }
    Err(why)
}

/// The authorization server of a server that speaks MCP 2025-03-26 and has no metadata as a
/// resource: its own host, with or without metadata. Only for servers of that revision.
pub async fn find_legacy_server(
    outside: Outside<'_>,
    server: &Url,
) -> Result<AuthorizationServer, ClientError> {
    let issuer = origin(server);
    let base = issuer_url(&issuer)?;
    let place = at(&base, "/.well-known/oauth-authorization-server");
    let answer = outside.fetch.get(&place).await?;
    if is_document(&answer) {
        // The base was ours to spell, so the one slash it may end with is its own.
        let slashed = format!("{issuer}/");
        let read = AuthorizationServer::read(&issuer, &answer.body);
        return read.or_else(|error| {
            AuthorizationServer::read(&slashed, &answer.body).map_err(|_same| error)
        });
    }
    match is_absent(&answer) {
        true => AuthorizationServer::assumed(&base),
        false => Err(ClientError::Status(answer.status)),
    }
}

/// Whether there is a document. A page for people, which some hosts give for every path, is none.
fn is_document(answer: &Fetched) -> bool {
    answer.status == 200 && !answer.body.is_empty()
}

/// Whether the answer says that there is none. A server that fails, asks to come later or sends
/// elsewhere says nothing.
fn is_absent(answer: &Fetched) -> bool {
    matches!(answer.status, 200 | 400..=407 | 409..=428)
}

fn at(url: &Url, path: &str) -> Url {
    let mut place = url.clone();
    place.set_path(path);
    place.set_query(None);
    place.set_fragment(None);
    place
}

fn read_resource(
    resource: &Resource,
    at_root: bool,
    body: &[u8],
) -> Result<Protected, ClientError> {
    let unusable = || ClientError::Metadata(origin(resource.url()));
    if body.len() > METADATA_MAX {
        return Err(unusable());
    }
    let document = members::object(body).ok_or_else(unusable)?;
    let name = document.get("resource").and_then(Value::as_str);
    let name = name.ok_or_else(unusable)?;
    let published = resource.published(name).or_else(|| {
        let whole_host = at_root.then(|| resource.published_for_host(name));
        whole_host.flatten()
    });
    let published = published.ok_or_else(|| ClientError::Resource(resource.as_str().to_owned()))?;
    let issuers = read_issuers(&document, resource.url())?;
    let scopes = names(&document, "scopes_supported").ok_or_else(unusable)?;
    Ok(Protected {
        resource: published,
        issuers: issuers.ok_or_else(unusable)?,
        scopes: scopes.and_then(Scopes::of),
        wants_dpop: flag(&document, "dpop_bound_access_tokens_required").ok_or_else(unusable)?,
    })
}

/// The authorization servers of a document; nothing if it names none. One on plain http is for a
/// server that is itself on loopback.
fn read_issuers(
    document: &Map<String, Value>,
    server: &Url,
) -> Result<Option<Vec<String>>, ClientError> {
    let Some(Some(issuers)) = names(document, "authorization_servers") else {
        return Ok(None);
    };
    if issuers.is_empty() || issuers.len() > SERVERS_MAX {
        return Ok(None);
    }
    for issuer in &issuers {
        if !may_hold_keys(&issuer_url(issuer)?, server) {
            return Err(ClientError::Endpoint("authorization_servers"));
        }
    }
    Ok(Some(issuers))
}

#[cfg(test)]
mod tests;
