//! Where issuers deliver events over HTTP: RFC 8935 section 2, and section 2.5 of OpenID Connect
//! Back-Channel Logout. Reads a bounded body and writes the answer; what it means is decided elsewhere.

use crate::body::Body;
use crate::events::{Fault, Outcome, Place};
use crate::gate::Gate;
use crate::route::Pace;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use identity::StatementKind;
use serde_json::json;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use watch::{Charge, Dimension, Rate, Seat};
use zeroize::Zeroizing;

/// The largest delivery: a token, and what a form adds to it.
const BYTES: usize = 32 * 1024;
/// How long a delivery may take to arrive.
const TIME: Duration = Duration::from_secs(10);
/// Deliveries of one address: a second, at once after a pause, and at a time.
const PER_SECOND: u32 = 50;
const AT_ONCE: u32 = 500;
const CONCURRENT: u32 = 16;

/// Takes one delivery.
pub(super) async fn answer(
    gate: &Arc<Gate>,
    source: IpAddr,
    place: &Arc<Place>,
    request: Request<Incoming>,
) -> Response<Body> {
    if request.method() != Method::POST {
        let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
        let allowed = HeaderValue::from_static("POST");
        response.headers_mut().insert(header::ALLOW, allowed);
        return response;
    }
    let key = gate.keyer.key(("events", source));
    let Ok(pace) = pace() else {
        return empty(StatusCode::SERVICE_UNAVAILABLE);
    };
    let charge = Charge::one(Dimension::Source, key, pace.rate);
    let seat = Seat {
        dimension: Dimension::Source,
        key,
        max: pace.concurrent,
    };
    let paid = gate.limits.take(&[charge], gate.clock().monotonic_ns());
    let (Ok(_), Ok(_seat)) = (paid, gate.limits.enter(&[seat])) else {
        return later(StatusCode::TOO_MANY_REQUESTS);
    };
    let (head, body) = request.into_parts();
    let outcome = match gather(body).await {
        Some(body) => delivered(gate, place, &head.headers, &body).await,
        None => Outcome::Refused(Fault::request("no body of a bounded size came in time")),
    };
    match outcome {
        Outcome::Taken => empty(match place.kind() {
            StatementKind::Event => StatusCode::ACCEPTED,
            StatementKind::Logout => StatusCode::OK,
        }),
        Outcome::Later => later(StatusCode::SERVICE_UNAVAILABLE),
        Outcome::Refused(fault) => {
            if gate.strangers.is_worth_a_record(gate) {
                let after = format!("{}: {}", fault.code, fault.description);
                gate.note("event.refused", "", &source.to_string(), &after);
            }
            refusal(place.kind(), &fault)
        }
    }
}

async fn delivered(
    gate: &Arc<Gate>,
    place: &Arc<Place>,
    headers: &HeaderMap,
    body: &[u8],
) -> Outcome {
    let media = headers.get(header::CONTENT_TYPE);
    let media = media.and_then(|media| media.to_str().ok()).unwrap_or("");
    let media = media.split(';').next().unwrap_or("").trim();
    let expected = match place.kind() {
        StatementKind::Event => "application/secevent+jwt",
        StatementKind::Logout => "application/x-www-form-urlencoded",
    };
    if !media.eq_ignore_ascii_case(expected) {
        let description = format!("`Content-Type` must be `{expected}`");
        return Outcome::Refused(Fault::request(description));
    }
    let text: Option<std::borrow::Cow<'_, str>> = match place.kind() {
        StatementKind::Event => std::str::from_utf8(body)
            .ok()
            .map(|text| text.trim().into()),
        StatementKind::Logout => logout_token(body),
    };
    let Some(text) = text else {
        return Outcome::Refused(Fault::request("there is no token, or more than one"));
    };
    let mut shown = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = match (shown.next(), shown.next()) {
        (Some(only), None) => Some(Zeroizing::new(only.as_bytes().to_vec())),
        _ => None,
    };
    place.take(gate, text.into_owned(), authorization).await
}

/// The one `logout_token` of a form.
fn logout_token(body: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    let mut tokens = url::form_urlencoded::parse(body).filter(|(name, _)| name == "logout_token");
    let (_, token) = tokens.next()?;
    tokens.next().is_none().then_some(token)
}

async fn gather(body: Incoming) -> Option<Bytes> {
    let whole = Limited::new(body, BYTES).collect();
    let whole = tokio::time::timeout(TIME, whole).await.ok()?.ok()?;
    Some(whole.to_bytes())
}

fn pace() -> Result<Pace, watch::RateError> {
    let count = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
    Ok(Pace {
        rate: Rate::per_second(count(PER_SECOND), count(AT_ONCE))?,
        concurrent: count(CONCURRENT),
    })
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn later(status: StatusCode) -> Response<Body> {
    let mut response = empty(status);
    let seconds = HeaderValue::from_static("5");
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// In the words of either text: RFC 8935 section 2.3, and section 2.8 of Back-Channel Logout.
fn refusal(kind: StatementKind, fault: &Fault) -> Response<Body> {
    let said = match kind {
        StatementKind::Event => json!({ "err": fault.code, "description": fault.description }),
        StatementKind::Logout => {
            json!({ "error": "invalid_request", "error_description": fault.description })
        }
    };
    let mut response = Response::new(Body::from(Bytes::from(said.to_string())));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    response
}
