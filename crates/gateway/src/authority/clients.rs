//! Who the clients are: registered here, or described by a document at their own address. Documents are
//! read over the one way out, remembered for a while, and never followed anywhere; what was registered is
//! forgotten after a day in which nobody agreed to anything.

use super::answer::{self, Answer, BROKEN, BUSY, state};
use super::desk::{Counted, Remembered};
use super::{At, Told};
use crate::body::Body;
use crate::state::Kind;
use config::settled::Network;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use identity::authority::{
    Assertion, Authentication, AuthorityError, Client, ClientKeys, ClientUrl, ErrorCode,
    Parameters, Registration,
};
use identity::{Fetch, Fetched};
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// What the ids of registered clients begin with.
const REGISTERED: &str = "rw-";
/// How long a client is known that nobody agreed to, in milliseconds.
const UNUSED_MS: u64 = 24 * 3600 * 1000;
/// How long one is known that somebody agreed to, in milliseconds.
pub(super) const USED_MS: u64 = 366 * 24 * 3600 * 1000;
/// How long a document is believed, in seconds: what it says itself, within bounds.
const FRESH_UNSAID_S: u64 = 3600;
const FRESH_MIN_S: u64 = 300;
const FRESH_MAX_S: u64 = 24 * 3600;
/// How long after that it still stands where it cannot be read, in seconds.
const STALE_S: u64 = 24 * 3600;

const UNKNOWN: AuthorityError = ErrorCode::InvalidClient.because("there is no such client");

/// The client with this id.
pub(super) async fn find(at: &At<'_>, id: &str) -> Result<Arc<Client>, AuthorityError> {
    let url = match at.authority.network {
        Network::Public => ClientUrl::read(id),
        Network::Private => ClientUrl::read_nearby(id),
    };
    match url {
        Some(url) => documented(at, &url).await,
        None if id.starts_with(REGISTERED) => registered(at, id).await,
        None => Err(UNKNOWN),
    }
}

async fn registered(at: &At<'_>, id: &str) -> Result<Arc<Client>, AuthorityError> {
    if at.authority.registration == Registration::Closed {
        return Err(UNKNOWN);
    }
    let row = at.gate.rows.get(Kind::Client, id, at.now_ms()).await;
    let row = row.map_err(state)?.ok_or(UNKNOWN)?;
    let client = Client::from_kept(&row.value);
    client.map(Arc::new).ok_or(BROKEN)
}

/// Keeps a client that somebody agreed to.
pub(super) async fn keep(at: &At<'_>, client: &Client) -> Result<(), AuthorityError> {
    if !client.id().starts_with(REGISTERED) {
        return Ok(());
    }
    let (kept, now) = (client.to_kept(), at.now_ms());
    let until = Some(now.saturating_add(USED_MS));
    let put = at
        .gate
        .rows
        .put(Kind::Client, client.id(), kept.as_bytes(), until, now);
    put.await.map_err(state)
}

async fn documented(at: &At<'_>, url: &ClientUrl) -> Result<Arc<Client>, AuthorityError> {
    if !at.authority.documents.admit(url) {
        let says = "the metadata documents of this host are not read here";
        return Err(ErrorCode::InvalidClient.because(says));
    }
    let documents = &at.authority.desk.documents;
    let known = documents.get(url.as_str());
    if let Some(known) = known.as_ref().filter(|known| at.now < known.fresh_until_s) {
        return Ok(Arc::clone(&known.client));
    }
    let fetched = match at.counts(Counted::Fetch) {
        true => document(at, url.url()).await,
        false => Err(BUSY),
    };
    let fetched = match (fetched, known) {
        // What was good a while ago is better than nothing; what is wrong now is not.
        (Err(_), Some(known)) if at.now < known.fresh_until_s.saturating_add(STALE_S) => {
            return Ok(known.client);
        }
        (Err(error), _) => return Err(error),
        (Ok(fetched), _) => fetched,
    };
    let client = Arc::new(Client::from_document(url, &fetched.body)?);
    let fresh = fetched.max_age.unwrap_or(FRESH_UNSAID_S);
    let fresh = fresh.clamp(FRESH_MIN_S, FRESH_MAX_S);
    let remembered = Remembered {
        client: Arc::clone(&client),
        fresh_until_s: at.now.saturating_add(fresh),
    };
    documents.insert(url.as_str().into(), remembered);
    Ok(client)
}

/// A document of a client, if there is one: no redirect is followed, no error remembered.
async fn document(at: &At<'_>, url: &Url) -> Result<Fetched, AuthorityError> {
    let says = "the metadata document of the client cannot be read";
    let unreadable = ErrorCode::InvalidClient.because(says);
    let fetched = at.authority.fetch.get(url).await.map_err(|error| {
        tracing::info!("a document of a client: {error}");
        unreadable
    })?;
    match fetched.status {
        200 if !fetched.body.is_empty() => Ok(fetched),
        status => {
            tracing::info!(status, "a document of a client is not there");
            Err(unreadable)
        }
    }
}

/// Registers a client (RFC 7591).
pub(super) async fn register(at: &At<'_>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let done = async {
        if at.authority.registration == Registration::Closed {
            let says = "clients cannot register here";
            return Err(ErrorCode::AccessDenied.because(says));
        }
        if !at.counts(Counted::Registration) {
            return Err(BUSY);
        }
        let body = answer::whole(&head.headers, body, "application/json").await?;
        registration(at, &body).await
    };
    answer::told(at, "client.refused", "", done.await)
}

pub(super) async fn registration(at: &At<'_>, body: &[u8]) -> Told {
    let id = identity::session_id().map_err(|_| BROKEN)?;
    let client = Client::registering(&format!("{REGISTERED}{id}"), body)?;
    let (kept, now) = (client.to_kept(), at.now_ms());
    let until = Some(now.saturating_add(UNUSED_MS));
    let put = at
        .gate
        .rows
        .put(Kind::Client, client.id(), kept.as_bytes(), until, now);
    put.await.map_err(state)?;
    let after = client.name().unwrap_or_default();
    at.note(None, "client.registered", client.id(), after)?;
    Ok(Answer {
        status: StatusCode::CREATED,
        body: Zeroizing::new(client.to_registration(at.now)),
    })
}

/// The client of a request for tokens, which has shown that it is the one it says, if it can.
pub(super) async fn authenticated(
    at: &At<'_>,
    parameters: &Parameters,
) -> Result<Arc<Client>, AuthorityError> {
    let invalid = |says| ErrorCode::InvalidClient.because(says);
    let assertion = Assertion::of(parameters)?;
    let said = parameters.get("client_id");
    let shown = assertion.as_ref().and_then(Assertion::client_id);
    let id = match (said, shown) {
        (Some(said), Some(shown)) if said != shown => {
            return Err(invalid("the client_assertion is of another client"));
        }
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => return Err(invalid("there is no client_id")),
    };
    if parameters.get("client_secret").is_some() {
        return Err(invalid("no client has a secret here"));
    }
    let client = find(at, id).await?;
    match (client.authentication(), &assertion) {
        (Authentication::None, None) => {}
        (Authentication::None, Some(_)) => return Err(invalid("this client has no key")),
        (Authentication::Key(_), None) => {
            return Err(invalid("this client authenticates with private_key_jwt"));
        }
        (Authentication::Key(keys), Some(assertion)) => {
            let keys = keys_of(at, keys).await?;
            let endpoint = at.authority.place(identity::authority::Metadata::TOKEN);
            let audiences = [at.authority.issuer.as_str(), &endpoint];
            let used = assertion.verify(id, &audiences, &keys, at.now)?;
            once(at, &used).await?;
        }
    }
    Ok(client)
}

async fn once(at: &At<'_>, used: &identity::authority::AssertionUse) -> Result<(), AuthorityError> {
    use crate::state::{Mark, Once, Space};
    let mark = Mark::of(&[b"authority assertion", &used.id]);
    let until = used.until_s.saturating_mul(1000);
    let marks = &at.gate.marks;
    let seen = marks.insert_once(Space::Assertion, mark, until, at.now_ms());
    match seen.await.map_err(state)? {
        Once::Fresh => Ok(()),
        Once::Replayed => {
            let says = "the client_assertion was used before";
            Err(ErrorCode::InvalidClient.because(says))
        }
    }
}

async fn keys_of(at: &At<'_>, keys: &ClientKeys) -> Result<bytes::Bytes, AuthorityError> {
    match keys {
        ClientKeys::Here(set) => Ok(bytes::Bytes::from(set.as_bytes().to_vec())),
        ClientKeys::At(url) => match at.counts(Counted::Fetch) {
            true => Ok(document(at, url).await?.body),
            false => Err(BUSY),
        },
    }
}
