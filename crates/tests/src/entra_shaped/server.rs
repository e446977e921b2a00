//! Serves what a provider of Entra ID's shape serves, on loopback. What it does at a path is one row
//! of [`answer`].

use super::assertion::{self, Certificate};
use crate::certificates::Identity;
use crate::issuer::overlaid;
use crate::serving::{Serving, port};
use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(super) struct Server {
    state: Arc<State>,
    _serving: Serving,
}

#[derive(Debug)]
struct State {
    origin: String,
    key: Value,
    groups: Mutex<HashMap<String, Option<Vec<String>>>>,
    certificate: Mutex<Option<Certificate>>,
    /// The authentication context without which nobody is acted for.
    context: Mutex<Option<String>>,
    asked: Mutex<Vec<Asked>>,
}

/// A question with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// `Authorization`.
    pub authorization: String,
    /// The body.
    pub body: String,
}

impl Server {
    pub(super) async fn start(key: Value) -> Result<Self> {
        let (listener, origin) = port().await?;
        let state = Arc::new(State {
            origin,
            key,
            groups: Mutex::default(),
            certificate: Mutex::default(),
            context: Mutex::default(),
            asked: Mutex::default(),
        });
        let answering = Arc::clone(&state);
        let serving = Serving::start(listener, move |request| {
            let state = Arc::clone(&answering);
            async move { serve(&state, request).await }
        });
        Ok(Server {
            state,
            _serving: serving,
        })
    }

    pub(super) fn origin(&self) -> &str {
        &self.state.origin
    }

    pub(super) fn groups(&self, person: &str, groups: Option<&[&str]>) {
        let groups = groups.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        held(&self.state.groups).insert(person.to_owned(), groups);
    }

    pub(super) fn knows(&self, certificate: &Identity) {
        *held(&self.state.certificate) = Some(Certificate::of(certificate));
    }

    pub(super) fn wants(&self, context: &str) {
        *held(&self.state.context) = Some(context.to_owned());
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        held(&self.state.asked).clone()
    }
}

async fn serve(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let authorization = head.headers.get(header::AUTHORIZATION);
    let asked = Asked {
        path: head.uri.path().to_owned(),
        authorization: authorization
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        body: String::from_utf8_lossy(&body.unwrap_or_default()).into_owned(),
    };
    if head.method == Method::POST {
        held(&state.asked).push(asked.clone());
    }
    let (status, body) = answer(state, &head.method, &asked);
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn answer(state: &State, method: &Method, asked: &Asked) -> (StatusCode, Value) {
    let origin = &state.origin;
    let words: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    let ok = |body: Value| (StatusCode::OK, body);
    match (method.as_str(), words.as_slice()) {
        // Shared by all tenants: a template.
        ("GET", ["common", "v2.0", ".well-known", "openid-configuration"]) => ok(json!({
            "issuer": format!("{origin}/{{tenantid}}/v2.0"),
            "jwks_uri": format!("{origin}/common/discovery/v2.0/keys"),
        })),
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => ok(json!({
            "issuer": format!("{origin}/{tenant}/v2.0"),
            "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
            "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        })),
        ("GET", [tenant, ".well-known", "openid-configuration"]) => ok(json!({
            "issuer": format!("{origin}/{tenant}/"),
            "jwks_uri": format!("{origin}/common/discovery/keys"),
        })),
        ("GET", [_, "discovery", "v2.0", "keys"]) => {
            let issuer = format!("{origin}/{{tenantid}}/v2.0");
            let key = overlaid(state.key.clone(), &json!({ "issuer": issuer }));
            ok(json!({ "keys": [key] }))
        }
        ("GET", ["common", "discovery", "keys"]) => ok(json!({ "keys": [state.key] })),
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => token(state, asked, tenant),
        (
            "POST",
            [
                "graph",
                "v1.0",
                "directoryObjects",
                person,
                "getMemberObjects",
            ],
        ) => members(state, asked, person),
        _ => (StatusCode::NOT_FOUND, json!({})),
    }
}

/// A token of the gateway's own, for the directory of this tenant, or one on behalf of a person of it.
fn token(state: &State, asked: &Asked, tenant: &str) -> (StatusCode, Value) {
    let form = url::form_urlencoded::parse(asked.body.as_bytes()).into_owned();
    let form: HashMap<String, String> = form.collect();
    let field = |name: &str| form.get(name).map(String::as_str);
    let endpoint = format!("{}{}", state.origin, asked.path);
    let by_certificate = || {
        let certificate = held(&state.certificate).clone()?;
        certificate.made(field("client_assertion")?, &endpoint)
    };
    // `ringwall:ringwall-secret`
    let by_secret = asked.authorization == "Basic cmluZ3dhbGw6cmluZ3dhbGwtc2VjcmV0";
    if !by_secret && by_certificate().is_none() {
        return (StatusCode::UNAUTHORIZED, json!({"error": "invalid_client"}));
    }
    let context = held(&state.context).clone();
    let theirs = field("assertion").filter(|_| field("requested_token_use").is_some());
    if let (Some(context), Some(theirs)) = (context, theirs)
        && !assertion::is_within(theirs, &context)
    {
        let wanted = json!({ "access_token": { "acrs": { "essential": true, "value": context } } });
        let body = json!({
            "error": "interaction_required", "suberror": "basic_action", "claims": wanted.to_string()
        });
        return (StatusCode::BAD_REQUEST, body);
    }
    let token = match (field("grant_type"), field("requested_token_use")) {
        (Some("client_credentials"), None) => Some(format!("directory-{tenant}")),
        (Some("urn:ietf:params:oauth:grant-type:jwt-bearer"), Some("on_behalf_of")) => {
            let person =
                field("assertion").and_then(|it| assertion::person(it, &state.key, tenant));
            person.map(|person| format!("obo-{person}"))
        }
        _ => None,
    };
    let Some(token) = token else {
        return (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"}));
    };
    let body = json!({
        "token_type": "Bearer", "expires_in": 3599, "access_token": token, "scope": field("scope")
    });
    (StatusCode::OK, body)
}

fn members(state: &State, asked: &Asked, person: &str) -> (StatusCode, Value) {
    if !asked.authorization.starts_with("Bearer directory-") {
        return (
            StatusCode::UNAUTHORIZED,
            json!({"error": {"code": "InvalidAuthenticationToken"}}),
        );
    }
    match held(&state.groups).get(person) {
        Some(Some(groups)) => (StatusCode::OK, json!({ "value": groups })),
        Some(None) => (
            StatusCode::TOO_MANY_REQUESTS,
            json!({"error": {"code": "TooManyRequests"}}),
        ),
        None => (
            StatusCode::NOT_FOUND,
            json!({"error": {"code": "Request_ResourceNotFound"}}),
        ),
    }
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
