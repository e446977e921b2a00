//! Refusals because of what a server is shown: a token that only its user can grant, that only the
//! caller's token can get, or that nobody gives.

use super::*;
use crate::connect::Offer;
use crate::credential::Need;
use identity::Authentication;
use identity::client::ClientError;
use serde_json::{Value, json};
use std::sync::Arc;

/// Refusals because the user has to connect a server first.
pub(in crate::stages) const CONNECTION: i64 = -31_008;

/// A server that its user has not connected. Where they do it is added once it is known who asks.
pub(in crate::stages) fn connection_needed(need: &Arc<Need>) -> Refused {
    let reason = format!(
        "the server {} has to be connected by its user first",
        quoted(&need.server)
    );
    let refused = Refused::new(
        "connection_needed",
        controls::N7_1,
        Fault::Caller,
        reason,
        "the user connects the server in a browser, then the call is made again",
    );
    let mut refused = refused.rpc(CONNECTION).detail(format!(
        "tokens of `{}`, scopes `{}`",
        need.issuer, need.scopes
    ));
    refused.0.connect = Some(Arc::clone(need));
    refused
}

/// The same, with the link for whoever asked: in the words of their client, if it has any for this.
pub(in crate::stages) fn connection_at(
    refused: Refused,
    offer: &Offer,
    words: ConnectWords,
) -> Refused {
    let page = PageToOpen {
        id: &offer.id,
        url: &offer.url,
        message: "Open this page to connect the server.",
        key: CONNECT_KEY,
    };
    let mut refused = refused;
    if words == ConnectWords::Error {
        refused.0.refusal.remedy =
            format!("open {} in a browser, then call again", offer.url).into();
        return refused.data(json!({ "connect": { "url": offer.url } }));
    }
    page_to_open(refused, &page, words)
}

/// What a question of the gateway itself is called among those of a server.
const CONNECT_KEY: &str = "io.ringwall/connect";

/// Nobody can be given one more link.
pub(in crate::stages) fn connections_full(refused: Refused, why: String) -> Refused {
    let mut refused = refused.after(Duration::from_secs(60)).detail(why);
    refused.0.refusal.remedy =
        "use a link that was given before, or wait until one has expired".into();
    refused
}

/// The server, or whoever issues tokens for it, wants the caller to prove more than their token does.
/// The challenge is added where it is known how they brought it.
pub(in crate::stages) fn authentication_needed(
    wanted: &Arc<Authentication>,
    error: &UpstreamError,
) -> Refused {
    let refused = Refused::new(
        error.code(),
        controls::N7_1,
        error.fault(),
        "the server, or the identity provider, wants more of the caller before anybody acts for them there",
        "log in as the challenge says, then call again with the new token",
    );
    let mut data = serde_json::Map::new();
    for (name, value) in [
        ("acr_values", wanted.acr_values().map(Value::from)),
        ("max_age", wanted.max_age_s().map(Value::from)),
        ("claims", wanted.claims().map(Value::from)),
    ] {
        data.extend(value.map(|value| (name.to_owned(), value)));
    }
    let mut refused = refused
        .status(StatusCode::UNAUTHORIZED)
        .rpc(TOKEN)
        .data(Value::Object(data))
        .detail(error.detail());
    refused.0.authentication = Some(Arc::clone(wanted));
    refused
}

/// The same, with the challenges that say it.
pub(in crate::stages) fn authentication_at(
    refused: Refused,
    challenges: Vec<HeaderValue>,
) -> Refused {
    refused.challenges(challenges)
}

/// There is no fresh token of the caller to exchange: the stream that wants one outlived its call.
pub(in crate::stages) fn subject_gone() -> Refused {
    Refused::new(
        "upstream_subject",
        controls::N7_1,
        Fault::Caller,
        "the server wants a new token, which can only be got with a fresh one of the caller's",
        "call again",
    )
    .rpc(UPSTREAM)
}

/// No token for the server.
pub(in crate::stages) fn no_token(error: &ClientError, told: String, detail: String) -> Refused {
    tracing::warn!(code = error.code(), "{detail}");
    Refused::new(
        error.code(),
        error.control(),
        error.fault(),
        told,
        error.remedy(),
    )
    .rpc(UPSTREAM)
    .detail(detail)
}
