//! An authorization server of ours and the MCP server it guards, both writing down every byte they are
//! sent. Tokens are opaque and the server knows them by their beginning; agreeing is immediate. What it
//! says can be changed, so that it lies as well. It shares no code with the product.

use crate::serving::{Serving, port};
use crate::wire::deliver;
use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use url::Url;

type Body = BoxBody<Bytes, hyper::Error>;

/// A running pair; it ends when this is dropped.
#[derive(Debug)]
pub struct Realm {
    state: Arc<State>,
    _serving: [Serving; 2],
}

#[derive(Debug)]
struct State {
    issuer: String,
    server: Url,
    /// The server behind the guard, and what it wants to see.
    behind: Mutex<Option<(Url, String)>>,
    said: Mutex<Said>,
    heard: Mutex<Heard>,
    /// How many requests the guarded server has turned down.
    turned_down: watch::Sender<usize>,
}

/// What is said, as far as tests change it.
#[derive(Clone, Debug)]
struct Said {
    metadata: Value,
    protected: Value,
    issuer_in_answer: String,
    expires_in: u64,
    accepts: Vec<String>,
    challenge: Option<String>,
    scope: Option<String>,
    hold: usize,
}

/// What was heard.
#[derive(Debug, Default)]
struct Heard {
    at_authority: String,
    at_server: String,
    grants: Vec<BTreeMap<String, String>>,
    refresh: BTreeSet<String>,
}

/// The header in which the server behind is told with which token it was asked.
pub(crate) const SHOWN: &str = "x-shown-token";

impl Realm {
    /// Starts both on ports of their own.
    pub async fn start() -> Result<Self> {
        let (authority, issuer) = port().await?;
        let (server, guarded) = port().await?;
        let url: Url = format!("{guarded}/mcp").parse()?;
        let said = Said {
            metadata: json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "registration_endpoint": format!("{issuer}/register"),
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
                "authorization_response_iss_parameter_supported": true,
                "scopes_supported": ["read", "offline_access"]
            }),
            protected: json!({
                "resource": url.as_str(), "authorization_servers": [issuer], "scopes_supported": ["read"]
            }),
            issuer_in_answer: issuer.clone(),
            expires_in: 3600,
            accepts: vec!["access-".to_owned()],
            challenge: None,
            scope: None,
            hold: 0,
        };
        let state = Arc::new(State {
            issuer,
            server: url,
            behind: Mutex::new(None),
            said: Mutex::new(said),
            heard: Mutex::default(),
            turned_down: watch::Sender::new(0),
        });
        let serving = [(authority, Role::Authority), (server, Role::Server)];
        let serving = serving.map(|(listener, role)| {
            let state = Arc::clone(&state);
            Serving::start(listener, move |request| {
                let state = Arc::clone(&state);
                async move { answer(&state, role, request).await }
            })
        });
        Ok(Realm {
            state,
            _serving: serving,
        })
    }

    /// The identifier of the authorization server.
    pub fn issuer(&self) -> &str {
        &self.state.issuer
    }

    /// Where the guarded server is.
    pub fn server(&self) -> &Url {
        &self.state.server
    }

    /// Passes on what is let through to this server, with this credential.
    pub fn guards(&self, server: &Url, credential: &str) {
        *lock(&self.state.behind) = Some((server.clone(), credential.to_owned()));
    }

    /// Lays these members over the metadata of the authorization server.
    pub fn metadata(&self, members: &Value) {
        let mut said = lock(&self.state.said);
        said.metadata = crate::issuer::overlaid(said.metadata.take(), members);
    }

    /// Lays these members over the metadata of the guarded server.
    pub fn protected(&self, members: &Value) {
        let mut said = lock(&self.state.said);
        said.protected = crate::issuer::overlaid(said.protected.take(), members);
    }

    /// Names another issuer in answers to browsers; with an empty name, none.
    pub fn answers_as(&self, issuer: &str) {
        issuer.clone_into(&mut lock(&self.state.said).issuer_in_answer);
    }

    /// How long tokens live from now on, in seconds.
    pub fn expires_in(&self, seconds: u64) {
        lock(&self.state.said).expires_in = seconds;
    }

    /// The guarded server takes tokens with these beginnings from now on.
    pub fn accepts(&self, beginnings: &[&str]) {
        lock(&self.state.said).accepts = beginnings.iter().map(|it| (*it).to_owned()).collect();
    }

    /// The guarded server turns down every token with this challenge from now on; `None`: with its own,
    /// those that it does not take.
    pub fn challenges(&self, challenge: Option<&str>) {
        lock(&self.state.said).challenge = challenge.map(str::to_owned);
    }

    /// Holds back tokens until the guarded server has turned down so many more requests.
    pub fn holds_tokens_until_turned_down(&self, more: usize) {
        lock(&self.state.said).hold = *self.state.turned_down.borrow() + more;
    }

    /// Forgets every refresh token.
    pub fn forget_grants(&self) {
        lock(&self.state.heard).refresh.clear();
    }

    /// The forms that came to the token endpoint with this grant.
    pub fn grants(&self, grant: &str) -> Vec<BTreeMap<String, String>> {
        let heard = lock(&self.state.heard);
        let of =
            |form: &&BTreeMap<String, String>| form.get("grant_type").is_some_and(|it| it == grant);
        heard.grants.iter().filter(of).cloned().collect()
    }

    /// Every byte of every request to the authorization server.
    pub fn at_authority(&self) -> String {
        lock(&self.state.heard).at_authority.clone()
    }

    /// Every byte of every request to the guarded server.
    pub fn at_server(&self) -> String {
        lock(&self.state.heard).at_server.clone()
    }
}

#[derive(Clone, Copy, Debug)]
enum Role {
    Authority,
    Server,
}

async fn answer(state: &State, role: Role, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = body.collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let text = format!("{head:?}\n{}\n", shown(&head.headers, &body));
    match role {
        Role::Authority => {
            lock(&state.heard).at_authority.push_str(&text);
            if head.uri.path() == "/token" {
                let hold = lock(&state.said).hold;
                let mut turned_down = state.turned_down.subscribe();
                let _ = turned_down.wait_for(|count| *count >= hold).await;
            }
            authority(state, &head, &body)
        }
        Role::Server => {
            lock(&state.heard).at_server.push_str(&text);
            server(state, head, body).await
        }
    }
}

/// All of it, values that are marked as sensitive included.
fn shown(headers: &http::HeaderMap, body: &Bytes) -> String {
    let lines = headers.iter();
    let lines =
        lines.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    format!(
        "{}\n{}",
        lines.collect::<Vec<_>>().join("\n"),
        String::from_utf8_lossy(body)
    )
}

fn authority(state: &State, head: &http::request::Parts, body: &Bytes) -> Response<Body> {
    let said = lock(&state.said).clone();
    match head.uri.path() {
        "/.well-known/oauth-authorization-server" => json_of(StatusCode::OK, &said.metadata),
        "/register" => json_of(
            StatusCode::CREATED,
            &json!({ "client_id": "registered", "client_secret": "the-registered-secret" }),
        ),
        "/authorize" => {
            let query = head.uri.query().unwrap_or_default();
            let asked: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect();
            let member = |name: &str| asked.get(name).map_or("", String::as_str);
            let Ok(mut back) = Url::parse(member("redirect_uri")) else {
                return json_of(StatusCode::BAD_REQUEST, &json!({}));
            };
            back.query_pairs_mut()
                .append_pair("code", "granted-code")
                .append_pair("state", member("state"));
            if !said.issuer_in_answer.is_empty() {
                back.query_pairs_mut()
                    .append_pair("iss", &said.issuer_in_answer);
            }
            let mut response = json_of(StatusCode::SEE_OTHER, &json!({}));
            if let Ok(to) = HeaderValue::try_from(back.as_str()) {
                response.headers_mut().insert(header::LOCATION, to);
            }
            response
        }
        "/token" => token(state, &said, body),
        _ => json_of(StatusCode::NOT_FOUND, &json!({})),
    }
}

fn token(state: &State, said: &Said, body: &Bytes) -> Response<Body> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let mut heard = lock(&state.heard);
    let number = heard.grants.len();
    let grant = form.get("grant_type").cloned().unwrap_or_default();
    let refresh = form.get("refresh_token").cloned();
    heard.grants.push(form);
    if grant == "refresh_token" && !heard.refresh.remove(&refresh.unwrap_or_default()) {
        return json_of(
            StatusCode::BAD_REQUEST,
            &json!({ "error": "invalid_grant" }),
        );
    }
    let mut answer = json!({
        "access_token": format!("access-{number}-of-the-gateway"), "token_type": "Bearer",
        "expires_in": said.expires_in, "scope": said.scope.as_deref().unwrap_or("read")
    });
    if ["authorization_code", "refresh_token"].contains(&grant.as_str())
        && let Some(members) = answer.as_object_mut()
    {
        // Good once: who brings it twice has lost it.
        let fresh = format!("refresh-{number}-of-the-gateway");
        members.insert("refresh_token".to_owned(), json!(fresh));
        heard.refresh.insert(fresh);
    }
    json_of(StatusCode::OK, &answer)
}

async fn server(state: &State, mut head: http::request::Parts, body: Bytes) -> Response<Body> {
    let said = lock(&state.said).clone();
    if head
        .uri
        .path()
        .starts_with("/.well-known/oauth-protected-resource")
    {
        return json_of(StatusCode::OK, &said.protected);
    }
    let shown = head.headers.get(header::AUTHORIZATION);
    let shown = shown.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let is_good = shown.is_some_and(|token| said.accepts.iter().any(|it| token.starts_with(it)));
    let is_good = is_good && said.challenge.is_none();
    let behind = lock(&state.behind).clone();
    let (true, Some((target, credential))) = (is_good, behind) else {
        state.turned_down.send_modify(|count| *count += 1);
        let mut response = json_of(
            StatusCode::UNAUTHORIZED,
            &json!({ "error": "invalid_token" }),
        );
        let place = state
            .server
            .join("/.well-known/oauth-protected-resource/mcp");
        let own = format!(
            "Bearer error=\"invalid_token\", resource_metadata=\"{}\"",
            place.map(String::from).unwrap_or_default()
        );
        let challenge = said.challenge.unwrap_or(own);
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        return response;
    };
    let user = shown.unwrap_or_default().to_owned();
    head.headers.remove(header::HOST);
    // Whoever is behind can tell its users apart.
    if let Ok(user) = HeaderValue::try_from(&user) {
        head.headers.insert(SHOWN, user);
    }
    if let Ok(credential) = HeaderValue::try_from(format!("Bearer {credential}")) {
        head.headers.insert(header::AUTHORIZATION, credential);
    }
    match deliver(&target, Request::from_parts(head, Full::new(body))).await {
        Ok(response) => response.map(BodyExt::boxed),
        Err(error) => json_of(
            StatusCode::BAD_GATEWAY,
            &json!({ "why": format!("{error:#}") }),
        ),
    }
}

fn json_of(status: StatusCode, body: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(body.to_string())).map_err(|never| match never {});
    let mut response = Response::new(body.boxed());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
