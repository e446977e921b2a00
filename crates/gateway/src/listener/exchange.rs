//! One HTTP request and its answer: finds what is meant, gathers the body within its limits, and
//! writes what the stages recorded. Nothing of a request is trusted here, and no decision about a
//! call is taken here.

use super::{House, Peer, delivery, door, front};
use crate::admin;
use crate::approvals;
use crate::authority::{self, Authority};
use crate::body::Body;
use crate::connect;
use crate::gate::Gate;
use crate::outlet::{Outlet, Reader};
use crate::people;
use crate::route::Route;
use crate::stages::raw::DPOP;
use crate::stages::refused::{self, Refused};
use crate::stages::{self, Answer, Door, Draft, Primed, Raw, Recorded, Verb, record};
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use identity::Caller;
use identity::possession::certificate::Certificate;
use identity::possession::dpop::NonceRule;
use protocol::mirror::Params;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// `DPoP-Nonce`.
static DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// Bytes of room made for a body before it came.
const ROOM: usize = 128 * 1024;
/// Events that may wait in one connection's queue; the outlet behind it remembers more.
const QUEUE: usize = 2;
/// When a client whose stream broke off should come back, in milliseconds.
const RETRY_MS: u64 = 1000;
/// A comment is sent on a silent stream this often, so that proxies keep it open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn answer(
    gate: &Arc<Gate>,
    house: &House,
    peer: &Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let mut response = at_the_door(gate, house, peer, request).await;
    harden(&mut response, house);
    response
}

async fn at_the_door(
    gate: &Arc<Gate>,
    house: &House,
    peer: &Peer,
    request: Request<Incoming>,
) -> Response<Body> {
    let draft = Draft::begin(gate, peer.source, "http");
    let (uri, headers) = (request.uri(), request.headers());
    if let Err(refused) = door::check(uri, headers, &house.hosts, &house.origins) {
        return http_of(gate, record::refusal(gate, refused, draft).await);
    }
    let origin = headers.get(header::ORIGIN).cloned();
    let mut response = inside(gate, house, peer, request, draft).await;
    if let Some(origin) = origin {
        allow_origin(&mut response, origin);
    }
    response
}

async fn inside(
    gate: &Arc<Gate>,
    house: &House,
    peer: &Peer,
    request: Request<Incoming>,
    mut draft: Draft,
) -> Response<Body> {
    let path = request.uri().path();
    let Some(route) = gate.route(path) else {
        if let Some(response) = public_page(gate, &request) {
            return response;
        }
        let place = gate.runtime().events.at(path);
        if let Some(place) = place {
            return delivery::answer(gate, peer.source, &place, request).await;
        }
        let authority = gate.runtime().authority.clone();
        let place = authority::Place::at(below_public_url(gate, path));
        if let (Some(authority), Some(place)) = (authority, place) {
            return authorize(gate, &authority, peer.source, place, request).await;
        }
        if let Some(place) = connect::Place::at(below_public_url(gate, path)) {
            let Some(_seat) = delivery::seat(gate, "connect", peer.source) else {
                return delivery::later(StatusCode::TOO_MANY_REQUESTS);
            };
            return connect::answer(gate, peer.source, place, request).await;
        }
        let request = match of_people(gate, peer.source, request).await {
            Ok(response) => return response,
            Err(request) => request,
        };
        let refused = refused::no_such_route(request.uri().path());
        return http_of(gate, record::refusal(gate, refused, draft).await);
    };
    if request.method() == Method::OPTIONS {
        return preflight(request.headers());
    }
    let Some(verb) = verb_of(request.method()) else {
        let refused = refused::verb(request.method().as_str());
        let mut response = http_of(gate, record::refusal(gate, refused, draft).await);
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
        return response;
    };
    let proof = request.headers().contains_key(&DPOP);
    let now = gate.clock().unix_ms() / 1000;
    let raw = match front::certificate(house.front.as_ref(), peer, request.headers(), now) {
        Ok(certificate) => gather(&route, (peer.source, certificate), verb, request).await,
        Err(refused) => {
            draft.arrived_on(&route);
            Err(refused)
        }
    };
    let mut response = match raw {
        Ok(raw) => http_of(gate, stages::call(gate, raw, draft).await),
        Err(refused) => http_of(gate, record::refusal(gate, refused, draft).await),
    };
    if proof || response.status() == StatusCode::UNAUTHORIZED {
        hand_out_nonce(gate, &route, &mut response);
    }
    response
}

/// The pages of people and administrators, if it is one that is asked for.
async fn of_people(
    gate: &Arc<Gate>,
    source: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Request<Incoming>> {
    let path = below_public_url(gate, request.uri().path());
    let (people, admin) = (people::Place::at(path), admin::Place::at(path));
    let approvals = approvals::Place::at(path);
    let about = match (&people, &admin, &approvals) {
        (None, None, None) => return Err(request),
        (Some(_), _, _) => "people",
        (None, Some(_), _) => "admin",
        (None, None, Some(_)) => "approvals",
    };
    let Some(_seat) = delivery::seat(gate, about, source) else {
        return Ok(delivery::later(StatusCode::TOO_MANY_REQUESTS));
    };
    Ok(match (people, admin, approvals) {
        (Some(place), _, _) => people::answer(gate, source, place, request).await,
        (None, Some(place), _) => admin::answer(gate, source, place, request).await,
        (None, None, Some(place)) => approvals::answer(gate, source, place, request).await,
        (None, None, None) => return Err(request),
    })
}

/// At a place of the authorization server. What programs ask, pages of the origins that are let in may ask
/// as well; people come by themselves.
async fn authorize(
    gate: &Arc<Gate>,
    authority: &Arc<Authority>,
    source: IpAddr,
    place: authority::Place,
    request: Request<Incoming>,
) -> Response<Body> {
    if request.method() == Method::OPTIONS && !place.is_page() {
        return preflight(request.headers());
    }
    let Some(_seat) = delivery::seat(gate, "authority", source) else {
        return delivery::later(StatusCode::TOO_MANY_REQUESTS);
    };
    authority::answer(gate, authority, source, place, request).await
}

/// Gives the client the nonce for its next proof (RFC 9449, sections 9 and 8.2), so that it seldom has
/// to ask for one.
fn hand_out_nonce(gate: &Gate, route: &Route, response: &mut Response<Body>) {
    if route.proofs.nonce == NonceRule::Off {
        return;
    }
    let nonce = gate.proofs.nonces().at(gate.clock().unix_ms() / 1000);
    if let Some(nonce) = nonce.and_then(|it| HeaderValue::try_from(it).ok()) {
        response.headers_mut().insert(&DPOP_NONCE, nonce);
    }
}

fn verb_of(method: &Method) -> Option<Verb> {
    match *method {
        Method::POST => Some(Verb::Post),
        Method::GET => Some(Verb::Get),
        Method::DELETE => Some(Verb::Delete),
        _ => None,
    }
}

/// Reads the whole body, within the route's bytes and time. A truncated body is never looked at.
async fn gather(
    route: &Arc<Route>,
    (source, certificate): (IpAddr, Option<Certificate>),
    verb: Verb,
    request: Request<Incoming>,
) -> Result<Raw, Refused> {
    let (head, body) = request.into_parts();
    let limit = route.reading.bytes;
    let too_large = || refused::body_too_large(limit as u64);
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let body = if body.is_end_stream() {
        Bytes::new()
    } else {
        let whole = tokio::time::timeout(route.body_time, collect(body, limit)).await;
        whole.map_err(|_| refused::body_too_slow(route.body_time))??
    };
    let door = Door::Http {
        headers: head.headers,
        source,
        query: head.uri.query().map(Into::into),
        certificate,
    };
    Ok(Raw::http(Arc::clone(route), verb, door, body))
}

async fn collect(body: Incoming, limit: usize) -> Result<Bytes, Refused> {
    // What the sender announced, so that a body is gathered without growing step by step; but room
    // is made on somebody's word only up to a bound.
    let announced = usize::try_from(body.size_hint().lower())
        .unwrap_or(0)
        .min(limit.min(ROOM));
    let mut body = Limited::new(body, limit);
    let mut first: Option<Bytes> = None;
    let mut more = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                refused::body_too_large(limit as u64)
            } else {
                refused::body_broken()
            }
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        match &first {
            None => first = Some(data),
            Some(head) => {
                if more.is_empty() {
                    more.reserve(announced);
                    more.extend_from_slice(head);
                }
                more.put(data);
            }
        }
    }
    // One frame, the usual case, is not copied.
    Ok(if more.is_empty() {
        first.unwrap_or_default()
    } else {
        more.freeze()
    })
}

/// What everybody may read: the metadata of the resources, and whether the gateway lives.
fn public_page(gate: &Gate, request: &Request<Incoming>) -> Option<Response<Body>> {
    let path = request.uri().path();
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return None;
    }
    if path == "/livez" || path == "/readyz" {
        let ready = path == "/livez" || gate.ledger.health().is_ok();
        let status = if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        return Some(document(
            status,
            Bytes::from_static(if ready {
                b"{\"ok\":true}"
            } else {
                b"{\"ok\":false}"
            }),
        ));
    }
    if let Some(document) = gate.runtime().own.served_at(below_public_url(gate, path)) {
        return Some(self::document(StatusCode::OK, document.into()));
    }
    let rest = path.strip_prefix(identity::resource_metadata::WELL_KNOWN)?;
    let runtime = gate.runtime();
    let prefix = runtime.settled.public_url.path().trim_end_matches('/');
    let named = rest.strip_prefix(prefix).unwrap_or(rest);
    // At the root there is the metadata of the only route, for clients that look nowhere else.
    let route = match named {
        "" | "/" if runtime.routes.len() == 1 => runtime.routes.values().next(),
        named => runtime.routes.get(named),
    }?;
    Some(document(StatusCode::OK, route.metadata.clone()))
}

/// The path below the public URL: what stands in front of the gateway may or may not take off the path
/// of that.
fn below_public_url<'p>(gate: &Gate, path: &'p str) -> &'p str {
    let runtime = gate.runtime();
    let prefix = runtime.settled.public_url.path().trim_end_matches('/');
    let below = path.strip_prefix(prefix);
    below.filter(|below| below.starts_with('/')).unwrap_or(path)
}

fn document(status: StatusCode, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// The answer to a browser's question whether it may; `allow_origin` adds for whom.
fn preflight(asked: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST, GET, DELETE"),
    );
    if let Ok(allowed) = HeaderValue::try_from(allowed_headers(asked)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    );
    response
}

/// The headers of the protocol, and of those that repeat arguments the ones that are asked for: what
/// they are called is for each tool to say (rule H9).
fn allowed_headers(asked: &HeaderMap) -> String {
    let mut allowed = "authorization, content-type, accept, mcp-session-id, mcp-protocol-version, \
                       last-event-id, mcp-method, mcp-name, dpop"
        .to_owned();
    let asked = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let asked = asked.and_then(|value| value.to_str().ok()).unwrap_or("");
    let names = asked.split(',').map(str::trim).take(Params::MAX);
    for name in names.filter(|name| HeaderName::from_bytes(name.as_bytes()).is_ok()) {
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("mcp-param-") {
            allowed.push_str(", ");
            allowed.push_str(&lower);
        }
    }
    allowed
}

fn allow_origin(response: &mut Response<Body>, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("mcp-session-id, www-authenticate, dpop-nonce"),
    );
}

/// Headers of every answer (control 8.4): it is for this caller, now, and for no browser to guess at.
fn harden(response: &mut Response<Body>, house: &House) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if house.encrypted {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}

/// Writes what was recorded as HTTP.
fn http_of(gate: &Arc<Gate>, recorded: Recorded) -> Response<Body> {
    let Recorded {
        status,
        session,
        challenges,
        retry_after,
        answer,
    } = recorded;
    let (body, media) = match answer {
        Answer::Empty => (Body::empty(), None),
        Answer::Message(bytes) => (Body::from(bytes), Some("application/json")),
        Answer::Stream {
            reader,
            primed,
            lasts,
            caller,
        } => {
            let until = Until {
                gate: Arc::clone(gate),
                lasts,
                caller,
            };
            (stream(reader, primed, until), Some("text/event-stream"))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Some(media) = media {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        if media == "text/event-stream" {
            headers.insert(
                HeaderName::from_static("x-accel-buffering"),
                HeaderValue::from_static("no"),
            );
        }
    }
    if let Some(session) = session.and_then(|id| HeaderValue::try_from(&*id).ok()) {
        headers.insert(&stages::raw::SESSION, session);
    }
    for challenge in challenges {
        headers.append(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(wait) = retry_after {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)),
        );
    }
    response
}

/// How long a stream may be sent.
struct Until {
    gate: Arc<Gate>,
    lasts: Duration,
    caller: Option<Arc<Caller>>,
}

impl Until {
    /// Resolves when the token has expired, or was revoked.
    async fn over(self) {
        let revoked = async {
            match &self.caller {
                Some(caller) => self.gate.revocations.barred(caller).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(self.lasts) => {}
            () = revoked => {}
        }
    }
}

/// Sends the events of an outlet until it ends, its time is over or the caller hangs up.
fn stream(mut reader: Reader, primed: Primed, until: Until) -> Body {
    let (send, events) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        if primed == Primed::Yes && send.send(priming(reader.outlet())).await.is_err() {
            return;
        }
        let end = until.over();
        tokio::pin!(end);
        loop {
            let next = tokio::select! {
                next = tokio::time::timeout(KEEP_ALIVE, reader.next()) => next,
                () = send.closed() => return,
                () = &mut end => return,
            };
            let bytes = match next {
                Ok(Some(event)) => {
                    let mut bytes = Vec::with_capacity(event.data.len() + 64);
                    let id = reader.outlet().event_id(event.place);
                    let id = Some(&*id).filter(|_| primed != Primed::Never);
                    protocol::sse::write_event(id, &event.data, &mut bytes);
                    Bytes::from(bytes)
                }
                Ok(None) => return,
                Err(_) => Bytes::from_static(b": still here\n\n"),
            };
            // A reader who stalls neither keeps the stream for ever nor outlives the token.
            let sent = tokio::select! {
                sent = tokio::time::timeout(Outlet::STALL, send.send(bytes)) => sent,
                () = &mut end => return,
            };
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    });
    Body::Stream(events)
}

/// An event without data whose id lets the client resume from the very beginning (rule S7).
fn priming(outlet: &Outlet) -> Bytes {
    let mut bytes = Vec::with_capacity(64);
    protocol::sse::write_priming(&outlet.event_id(0), Some(RETRY_MS), &mut bytes);
    Bytes::from(bytes)
}
