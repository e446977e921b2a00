//! Which client to be at an authorization server: the one the operator registered there, else the
//! one that our metadata document describes, else one that it registered itself (RFC 7591). A
//! registration belongs to the issuer that made it; another issuer is asked anew.

use super::identity::{Credentials, Identity, SecretMethod};
use super::{AuthorizationServer, ClientDocument, ClientError, ClientKey, OAuthError, Outside};
use crate::{Outbound, members};
use serde_json::{Map, Value};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The longest client id that is kept, in bytes.
const ID_MAX: usize = 2 * 1024;
/// The longest client secret that is kept, in bytes.
const SECRET_MAX: usize = 4 * 1024;
/// The largest answer that is read, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// What there is to be identified with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offers<'a> {
    /// The client that the operator registered.
    pub preregistered: Option<&'a Identity>,
    /// Our own documents, the preferred one first.
    pub documents: &'a [ClientDocument],
    /// The key that a document with keys publishes.
    pub key: Option<&'a Arc<ClientKey>>,
    /// The registration that was kept.
    pub kept: Option<&'a Identity>,
    /// What to register as.
    pub register: Option<&'a ClientDocument>,
}

/// The client to be at this authorization server. If it is a new registration, it is to be kept
/// under the issuer: [`Identity::to_kept`].
///
/// A client that the operator registered at another issuer is an error, never passed over: the
/// server may have moved, or may have been moved.
pub async fn identify(
    outside: Outside<'_>,
    server: &AuthorizationServer,
    offers: Offers<'_>,
) -> Result<Identity, ClientError> {
    if let Some(client) = offers.preregistered {
        if client.issuer() != server.issuer() {
            return Err(ClientError::IssuerChanged {
                expected: client.issuer().to_owned(),
            });
        }
        return Ok(client.clone());
    }
    // One document, and so one place for answers, serves every authorization server: only one that
    // names itself in its answers can be told from another there (RFC 9700, section 4.4.2).
    if server.takes_documents() && server.says_issuer() {
        let documents = offers.documents.iter();
        for document in documents.filter(|document| document.is_public()) {
            let key = offers.key.filter(|_| document.has_keys());
            let usable = match key {
                Some(key) => {
                    server.lists("private_key_jwt") == Some(true)
                        && key.algorithm_for(server).is_some()
                }
                None => !document.has_keys() && server.lists("none").unwrap_or(true),
            };
            if usable {
                return Ok(Identity::documented(server.issuer(), document, key));
            }
        }
    }
    // One whose answers went somewhere else was made before we moved.
    let ours = offers.register.map(ClientDocument::redirect_uris);
    let kept = offers.kept.filter(|kept| {
        let here = ours.is_none_or(|ours| kept.redirect_uris() == ours);
        here && kept.issuer() == server.issuer() && kept.is_good_at(outside.now)
    });
    if let Some(kept) = kept {
        return Ok(kept.clone());
    }
    match offers.register {
        Some(document) => register(outside, server, document).await,
        None => Err(unregistered(server)),
    }
}

/// Why there is no client for this server.
fn unregistered(server: &AuthorizationServer) -> ClientError {
    match server.takes_documents() && !server.says_issuer() {
        true => ClientError::Unnamed(server.issuer().to_owned()),
        false => ClientError::Registration(server.issuer().to_owned()),
    }
}

async fn register(
    outside: Outside<'_>,
    server: &AuthorizationServer,
    document: &ClientDocument,
) -> Result<Identity, ClientError> {
    let endpoint = server.registration_endpoint();
    let endpoint = endpoint.ok_or_else(|| unregistered(server))?;
    // A secret of its own where it can have one: a stolen code is then worth nothing without it.
    let methods = ["client_secret_basic", "client_secret_post", "none"];
    let listed = |method: &&str| server.lists(method).unwrap_or(true);
    let method = methods.into_iter().find(listed);
    let method = method.ok_or(ClientError::Authentication)?;
    let body = Zeroizing::new(document.registration(method).into_bytes());
    let asked = Outbound::post(endpoint.clone(), "application/json", body);
    let answer = outside.fetch.send(asked).await?;
    match answer.status {
        // 201 is what RFC 7591 says; some say 200.
        200 | 201 => read(server, document, method, &answer.body),
        status => Err(match OAuthError::read(&answer.body, &[]) {
            Some(error) => ClientError::Denied(Box::new(error)),
            None => ClientError::Status(status),
        }),
    }
}

/// The client in the answer (RFC 7591, section 3.2.1).
fn read(
    server: &AuthorizationServer,
    document: &ClientDocument,
    asked: &str,
    body: &[u8],
) -> Result<Identity, ClientError> {
    let wrong = ClientError::Answer;
    if body.len() > ANSWER_MAX {
        return Err(wrong("it is too large"));
    }
    let mut answer = members::object(body).ok_or(wrong("it is no strict object"))?;
    let secret = match answer.remove("client_secret") {
        None | Some(Value::Null) => None,
        Some(Value::String(secret)) if is_visible(&secret, SECRET_MAX) => {
            Some(Arc::new(Zeroizing::new(secret)))
        }
        Some(_) => return Err(wrong("`client_secret`")),
    };
    let id = answer.get("client_id").and_then(Value::as_str);
    let id = id.filter(|id| is_visible(id, ID_MAX));
    let id = id.ok_or(wrong("`client_id`"))?;
    let method = match answer.get("token_endpoint_auth_method") {
        // A server that does not say, and gives no secret, made a public client.
        None if secret.is_none() => "none",
        None => asked,
        Some(method) => method
            .as_str()
            .ok_or(wrong("`token_endpoint_auth_method`"))?,
    };
    let credentials = match (method, secret) {
        ("none", _) => Credentials::None,
        (method, Some(secret)) => {
            let method = SecretMethod::named(method).filter(|_| !method.is_empty());
            Credentials::Secret(secret, method.ok_or(ClientError::Authentication)?)
        }
        (_, None) => return Err(wrong("`client_secret` is missing")),
    };
    let ours = document.redirect_uris().to_vec();
    if !registers(&answer, &ours) {
        return Err(wrong("`redirect_uris` are not those that were asked for"));
    }
    let expires_at = match answer.get("client_secret_expires_at") {
        None | Some(Value::Null) => None,
        Some(at) => match at.as_u64().ok_or(wrong("`client_secret_expires_at`"))? {
            0 => None,
            at => Some(at),
        },
    };
    let expires_at = expires_at.filter(|_| matches!(credentials, Credentials::Secret(..)));
    Ok(Identity::registered(
        server.issuer(),
        id,
        credentials,
        ours,
        expires_at,
    ))
}

/// Whether the answer registers our addresses for answers, or does not say. One that it changed
/// would send people, with their codes, somewhere else.
fn registers(answer: &Map<String, Value>, ours: &[String]) -> bool {
    match answer.get("redirect_uris") {
        None => true,
        Some(Value::Array(uris)) => {
            let has = |uri: &String| uris.iter().any(|named| named.as_str() == Some(uri));
            uris.len() == ours.len() && ours.iter().all(has)
        }
        Some(_) => false,
    }
}

/// `VSCHAR` of RFC 6749, within the bound.
fn is_visible(text: &str, most: usize) -> bool {
    let visible = |byte: u8| (b' '..=b'~').contains(&byte);
    !text.is_empty() && text.len() <= most && text.bytes().all(visible)
}

#[cfg(test)]
mod tests;
