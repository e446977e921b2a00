//! What programs are answered: documents, in the words of the standards, and what of it is written down.

use super::{At, Place, told};
use crate::body::Body;
use crate::state::StateError;
use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use identity::authority::{AuthorityError, ErrorCode, Parameters};
use std::time::Duration;
use zeroize::Zeroizing;

/// Something of ours is broken, and the log says what.
pub(super) const BROKEN: AuthorityError =
    ErrorCode::ServerError.because("something is wrong with the gateway");
/// There is too much of something.
pub(super) const BUSY: AuthorityError =
    ErrorCode::TemporarilyUnavailable.because("too many requests of this kind: try again later");
/// How long a body may take to arrive.
const TIME: Duration = Duration::from_secs(10);
/// `DPoP-Nonce`.
static DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What a program is answered. It may hold a token.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Zeroizing<String>,
}

impl Answer {
    pub(super) fn ok(body: String) -> Self {
        Answer {
            status: StatusCode::OK,
            body: Zeroizing::new(body),
        }
    }
}

/// A store that fails, or is full, is ours to mend.
pub(super) fn state(error: StateError) -> AuthorityError {
    match error {
        StateError::Full(what) => {
            tracing::warn!("no room for another {what}");
            BUSY
        }
        other => {
            tracing::error!("the authorization server cannot keep its state: {other}");
            BROKEN
        }
    }
}

/// A JSON document.
pub(super) fn document(status: StatusCode, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// What came of a request, as an answer; what was refused is written down.
pub(super) fn told(at: &At<'_>, event: &str, client: &str, done: super::Told) -> Response<Body> {
    match done {
        // The bytes are wiped when the last part of them is sent.
        Ok(Answer { status, body }) => {
            let bytes = Zeroizing::new(body.as_bytes().to_vec());
            document(status, Bytes::from_owner(bytes))
        }
        Err(error) => failed(at, event, client, error),
    }
}

/// A refusal, which is written down.
pub(super) fn failed(
    at: &At<'_>,
    event: &str,
    client: &str,
    error: AuthorityError,
) -> Response<Body> {
    refused(at, event, client, error);
    let status = StatusCode::from_u16(error.code.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = document(status, error.to_json().into());
    if error.code == ErrorCode::TemporarilyUnavailable {
        let seconds = HeaderValue::from_static("30");
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    let rule = at.authority.proofs.nonce;
    if rule != identity::possession::dpop::NonceRule::Off {
        let nonce = at.gate.proofs.nonces().at(at.now);
        if let Some(nonce) = nonce.and_then(|it| HeaderValue::try_from(it).ok()) {
            response.headers_mut().insert(&DPOP_NONCE, nonce);
        }
    }
    response
}

/// Writes a refusal down, while they come at a pace that people can read.
pub(super) fn refused(at: &At<'_>, event: &str, client: &str, error: AuthorityError) {
    if at.gate.strangers.is_worth_a_record(at.gate) {
        let why = (controls::M3, error.code.name(), error.says);
        at.gate
            .note_refused(None, (event, at.source), ("", client), why);
    }
}

/// There is one way to ask here. Who comes with a browser gets a page, with all that pages say to browsers.
pub(super) fn wrong_method(place: Place) -> Response<Body> {
    let (status, says) = (
        StatusCode::METHOD_NOT_ALLOWED,
        "this place is asked in another way",
    );
    let mut response = match place.is_page() {
        true => told::failed(status, "That is not how this page is asked for."),
        false => document(
            status,
            ErrorCode::InvalidRequest.because(says).to_json().into(),
        ),
    };
    if let Ok(allowed) = HeaderValue::try_from(place.method().as_str()) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// The parameters of a form.
pub(super) async fn form(
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Parameters, AuthorityError> {
    let body = whole(headers, body, "application/x-www-form-urlencoded").await?;
    let text = std::str::from_utf8(&body);
    let says = "the form is no text";
    let parameters = Parameters::read(text.map_err(|_| ErrorCode::InvalidRequest.because(says))?)?;
    parameters.once_each()?;
    Ok(parameters)
}

/// A body of this type, whole within its bounds.
pub(super) async fn whole(
    headers: &HeaderMap,
    body: Incoming,
    media: &str,
) -> Result<Zeroizing<Vec<u8>>, AuthorityError> {
    let invalid = |says| ErrorCode::InvalidRequest.because(says);
    let said = headers.get(header::CONTENT_TYPE);
    let said = said.and_then(|said| said.to_str().ok()).unwrap_or("");
    let said = said.split(';').next().unwrap_or("").trim();
    if !said.eq_ignore_ascii_case(media) {
        return Err(invalid(
            "the body is of another type than it is read as here",
        ));
    }
    let whole = Limited::new(body, Parameters::BYTES_MAX).collect();
    let whole = tokio::time::timeout(TIME, whole).await.ok();
    let whole = whole.and_then(Result::ok);
    let whole = whole.ok_or(invalid("no body of a bounded size came in time"))?;
    Ok(Zeroizing::new(whole.to_bytes().to_vec()))
}
