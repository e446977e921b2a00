//! Who the clients are: registered here, or described by a document at their own address. Documents are
//! read over the one way out, remembered for a while, and never followed anywhere; what was registered is
//! forgotten after a day in which nobody agreed to anything.

use super::answer::{self, Answer, BROKEN, BUSY, state};
use super::desk::{Counted, KeySet, Remembered};
use super::{At, Told};
use crate::body::Body;
use crate::state::{Kind, Mark, Once, Space};
use bytes::Bytes;
use config::settled::Network;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use identity::authority::{
    Assertion, AssertionUse, Authentication, AuthorityError, Claimed, Client, ClientKeys,
    ClientUrl, ErrorCode, Parameters, Registration,
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
/// How long keys of a client are believed, in seconds: a key that was given up is not good for long.
const KEYS_FRESH_S: u64 = 300;
/// How soon they are read again for a key that is not among them, in seconds.
const KEYS_AGAIN_S: u64 = 30;
/// How many assertions of one client are remembered.
const ASSERTIONS_OF_CLIENT: u32 = 2000;

const UNREADABLE: AuthorityError =
    ErrorCode::InvalidClient.because("the metadata document of the client cannot be read");
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

/// Why a document is not there.
enum Unread {
    /// Whoever has the address says that there is none.
    Gone,
    /// Nobody can say at present.
    Away(AuthorityError),
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
        false => Err(Unread::Away(BUSY)),
    };
    let fetched = match (fetched, known) {
        // What was good a while ago is better than nothing; what is wrong now, or taken away, is not.
        (Err(Unread::Away(_)), Some(known))
            if at.now < known.fresh_until_s.saturating_add(STALE_S) =>
        {
            return Ok(known.client);
        }
        (Err(Unread::Gone), _) => {
            documents.remove(url.as_str());
            return Err(UNREADABLE);
        }
        (Err(Unread::Away(error)), _) => return Err(error),
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
async fn document(at: &At<'_>, url: &Url) -> Result<Fetched, Unread> {
    let fetched = at.authority.fetch.get(url).await.map_err(|error| {
        tracing::info!("a document of a client: {error}");
        Unread::Away(UNREADABLE)
    })?;
    match fetched.status {
        200 if !fetched.body.is_empty() => Ok(fetched),
        status => {
            tracing::info!(status, "a document of a client is not there");
            Err(match status {
                404 | 410 => Unread::Gone,
                _ => Unread::Away(UNREADABLE),
            })
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
    // What costs nothing comes first: for what cannot be right nothing is fetched and nothing remembered.
    let endpoint = at.authority.place(identity::authority::Metadata::TOKEN);
    let audiences = [at.authority.issuer.as_str(), &endpoint];
    let claimed = assertion.as_ref();
    let claimed = claimed.map(|assertion| assertion.claims(id, &audiences, at.now));
    let claimed = claimed.transpose()?;
    let client = find(at, id).await?;
    match (client.authentication(), claimed) {
        (Authentication::None, None) => {}
        (Authentication::None, Some(_)) => return Err(invalid("this client has no key")),
        (Authentication::Key(_), None) => {
            return Err(invalid("this client authenticates with private_key_jwt"));
        }
        (Authentication::Key(keys), Some(claimed)) => {
            let keys = keys_of(at, keys, &claimed).await?;
            once(at, id, &claimed.signed_with(&keys)?).await?;
        }
    }
    Ok(client)
}

/// That a client's own assertion comes for the first time. So many of one client are remembered, and none is
/// forgotten to make room.
pub(super) async fn once(
    at: &At<'_>,
    client: &str,
    used: &AssertionUse,
) -> Result<(), AuthorityError> {
    let tally = &at.authority.desk.assertions;
    if tally.count(client, at.now) >= ASSERTIONS_OF_CLIENT {
        return Err(BUSY);
    }
    let mark = Mark::of(&[b"authority assertion", &used.id]);
    let until = used.until_s.saturating_mul(1000);
    let marks = &at.gate.marks;
    let seen = marks.insert_once(Space::Assertion, mark, until, at.now_ms());
    match seen.await.map_err(state)? {
        Once::Fresh => {
            tally.add(client, used.until_s, at.now);
            Ok(())
        }
        Once::Replayed => {
            let says = "the client_assertion was used before";
            Err(ErrorCode::InvalidClient.because(says))
        }
    }
}

/// The keys of a client. Where they lie at an address, they are read once in a while, and again when an
/// assertion names one that is not among them; not as often as such assertions can be made up.
async fn keys_of(
    at: &At<'_>,
    keys: &ClientKeys,
    claimed: &Claimed<'_>,
) -> Result<Bytes, AuthorityError> {
    let url = match keys {
        ClientKeys::Here(set) => return Ok(Bytes::from(set.as_bytes().to_vec())),
        ClientKeys::At(url) => url,
    };
    let known = &at.authority.desk.key_sets;
    if let Some(set) = known.get(url.as_str()) {
        let age_s = at.now.saturating_sub(set.read_s);
        let serves = age_s < KEYS_FRESH_S && claimed.names_a_key_of(&set.body);
        if serves || age_s < KEYS_AGAIN_S {
            return Ok(set.body);
        }
    }
    if !at.counts(Counted::Keys) {
        return Err(BUSY);
    }
    let read = document(at, url).await;
    let body = read
        .inspect_err(|_| drop(known.remove(url.as_str())))
        .map_err(|_| UNREADABLE)?
        .body;
    let set = KeySet {
        body: body.clone(),
        read_s: at.now,
    };
    known.insert(url.as_str().into(), set);
    Ok(body)
}
