//! Serves an issuer's metadata and key set on loopback, and lets its users sign in. Access tokens it
//! issues none by itself.

use super::Key;
use super::sign_in::SignIns;
use crate::serving::{Serving, port};
use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub(super) struct KeysServer {
    state: Arc<State>,
    _serving: Serving,
}

#[derive(Debug)]
struct State {
    issuer: String,
    keys: Arc<Mutex<Vec<Key>>>,
    elsewhere: Mutex<Option<String>>,
    fetches: AtomicUsize,
    descriptions: AtomicUsize,
    sign_ins: SignIns,
}

impl KeysServer {
    pub(super) async fn start(keys: Arc<Mutex<Vec<Key>>>) -> Result<Self> {
        let (listener, issuer) = port().await?;
        let state = Arc::new(State {
            issuer,
            keys,
            elsewhere: Mutex::default(),
            fetches: AtomicUsize::new(0),
            descriptions: AtomicUsize::new(0),
            sign_ins: SignIns::default(),
        });
        let answering = Arc::clone(&state);
        let serving = Serving::start(listener, move |request| {
            let state = Arc::clone(&answering);
            async move { answer(&state, request).await }
        });
        Ok(KeysServer {
            state,
            _serving: serving,
        })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.state.issuer
    }

    pub(super) fn send_elsewhere(&self, keys: &str) {
        let elsewhere = &self.state.elsewhere;
        *elsewhere.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys.to_owned());
    }

    pub(super) fn sign_ins(&self) -> &SignIns {
        &self.state.sign_ins
    }

    pub(super) fn descriptions(&self) -> usize {
        self.state.descriptions.load(Ordering::SeqCst)
    }

    pub(super) fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::SeqCst)
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let issuer = &state.issuer;
    let uri = request.uri().clone();
    match uri.path() {
        "/authorize" => {
            let query = uri.query().unwrap_or_default();
            let to = state.sign_ins.authorize(query, issuer);
            let to = to.ok().and_then(|to| to.parse().ok());
            let mut response = Response::new(Full::default());
            match to {
                Some(to) => {
                    *response.status_mut() = StatusCode::SEE_OTHER;
                    response.headers_mut().insert(http::header::LOCATION, to);
                }
                None => *response.status_mut() = StatusCode::BAD_REQUEST,
            }
            response
        }
        "/token" => {
            let form = request.into_body().collect().await;
            let form = form
                .map(http_body_util::Collected::to_bytes)
                .unwrap_or_default();
            let keys = state.keys.lock().unwrap_or_else(PoisonError::into_inner);
            let key = keys.first();
            let tokens = key.map(|key| state.sign_ins.redeem(&form, issuer, key));
            match tokens {
                Some(Ok(refused)) if refused.get("error").is_some() => {
                    let mut response = said(&refused);
                    *response.status_mut() = StatusCode::BAD_REQUEST;
                    response
                }
                Some(Ok(tokens)) => said(&tokens),
                refused => {
                    let why = format!("{refused:?}");
                    let why = json!({ "error": "invalid_grant", "error_description": why });
                    let mut response = said(&why);
                    *response.status_mut() = StatusCode::BAD_REQUEST;
                    response
                }
            }
        }
        "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" => {
            state.descriptions.fetch_add(1, Ordering::SeqCst);
            let elsewhere = state.elsewhere.lock();
            let elsewhere = elsewhere.unwrap_or_else(PoisonError::into_inner).clone();
            said(&json!({
                "issuer": issuer,
                "jwks_uri": elsewhere.unwrap_or_else(|| format!("{issuer}/keys")),
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"]
            }))
        }
        "/keys" => {
            state.fetches.fetch_add(1, Ordering::SeqCst);
            let keys = state.keys.lock().unwrap_or_else(PoisonError::into_inner);
            let keys: Vec<Value> = keys.iter().map(Key::jwk).collect();
            said(&json!({ "keys": keys }))
        }
        _ => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}

fn said(body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    let json = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    response
}
