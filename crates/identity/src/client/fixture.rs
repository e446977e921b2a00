//! What tests of the client need: a world that answers from a script and remembers every question,
//! bits that are known, and readers of what was sent. Time stands still.

use super::{
    AuthorizationServer, Credentials, Entropy, Identity, Outside, Proofs, Resource, Scopes,
    TokenEndpoint, Want,
};
use crate::possession::dpop::Signer;
use crate::{
    BoxFuture, EntropyError, Fetch, FetchError, Fetched, Outbound, Sent, base64url, members,
};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use url::{Url, form_urlencoded};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://as.example.com";
pub(crate) const TOKEN: &str = "https://as.example.com/token";
pub(crate) const SERVER: &str = "https://mcp.example.com/files";
pub(crate) const CALLBACK: &str = "https://gateway.example.com/connect/callback";

/// One question, as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Sent,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What is said to one URL, in order.
type Script = (String, VecDeque<Result<Fetched, FetchError>>);

/// A world that answers each URL from a list, and everything else with 404.
#[derive(Default)]
pub(crate) struct World {
    answers: Mutex<Vec<Script>>,
    asked: Mutex<Vec<Asked>>,
    entropy: Counted,
}

/// Bits that count up.
#[derive(Default)]
pub(crate) struct Counted(AtomicU8);

impl Entropy for Counted {
    fn bits(&self) -> Result<[u8; 32], EntropyError> {
        Ok([self.0.fetch_add(1, Ordering::Relaxed); 32])
    }
}

impl World {
    pub(crate) fn new() -> Self {
        World::default()
    }

    /// Answers a URL with this document, after what it was told before.
    pub(crate) fn says(self, url: &str, status: u16, body: &Value) -> Self {
        self.gives(url, Ok(Fetched::of(status, body.to_string())))
    }

    pub(crate) fn gives(self, url: &str, answer: Result<Fetched, FetchError>) -> Self {
        {
            let mut answers = self.answers.lock().unwrap();
            match answers.iter_mut().find(|(known, _)| known == url) {
                Some((_, queue)) => queue.push_back(answer),
                None => answers.push((url.to_owned(), VecDeque::from([answer]))),
            }
        }
        self
    }

    pub(crate) fn outside(&self) -> Outside<'_> {
        self.at(NOW)
    }

    pub(crate) fn at(&self, now: u64) -> Outside<'_> {
        Outside {
            fetch: self,
            entropy: &self.entropy,
            now,
        }
    }

    /// Every question so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The URLs of every question so far.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.url).collect()
    }
}

impl Fetch for World {
    fn send(&self, request: Outbound) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        let body = request.body.as_deref().cloned().unwrap_or_default();
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), value.to_string()));
        self.asked.lock().unwrap().push(Asked {
            method: request.method,
            url: request.url.to_string(),
            headers: headers.collect(),
            body: String::from_utf8(body).unwrap(),
        });
        let mut answers = self.answers.lock().unwrap();
        let queue = answers
            .iter_mut()
            .find(|(url, _)| *url == request.url.as_str());
        // The last answer of a URL is given again and again.
        let answer = match queue {
            Some((_, queue)) if queue.len() > 1 => queue.pop_front().unwrap(),
            Some((_, queue)) => queue[0].clone(),
            None => Ok(Fetched::of(404, "")),
        };
        Box::pin(async move { answer })
    }
}

impl Asked {
    /// A header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let (_, value) = all.find(|(named, _)| named == name)?;
        Some(value)
    }

    /// A field of the form; it is there once at most.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let fields = self.fields();
        let mut values = fields.iter().filter(|(named, _)| named == name);
        let value = values.next().map(|(_, value)| value.clone());
        assert!(values.next().is_none(), "`{name}` is there twice");
        value
    }

    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let all = form_urlencoded::parse(self.body.as_bytes());
        all.into_owned().collect()
    }
}

/// One server, who issues tokens for it, and the client that asks.
pub(crate) struct Setting {
    pub(crate) server: AuthorizationServer,
    pub(crate) client: Identity,
    pub(crate) resource: Resource,
    pub(crate) scopes: Scopes,
    pub(crate) proofs: Option<Proofs>,
}

impl Setting {
    pub(crate) fn of(server: AuthorizationServer, scopes: &str) -> Self {
        let client = Identity::preregistered(server.issuer(), "gateway", Credentials::None);
        Setting {
            server,
            client,
            resource: resource(),
            scopes: Scopes::read(scopes).unwrap(),
            proofs: None,
        }
    }

    /// The same, with a key that tokens are bound to.
    pub(crate) fn bound(mut self) -> Self {
        self.proofs = Some(Proofs::new(Signer::generate().unwrap()));
        self
    }

    pub(crate) fn endpoint<'a>(&'a self, world: &'a World) -> TokenEndpoint<'a> {
        let proofs = self.proofs.as_ref();
        TokenEndpoint::new(world.outside(), &self.server, &self.client, proofs).unwrap()
    }

    pub(crate) fn want(&self) -> Want<'_> {
        Want {
            resource: &self.resource,
            scopes: &self.scopes,
        }
    }
}

/// The server at [`SERVER`].
pub(crate) fn resource() -> Resource {
    Resource::of(&Url::parse(SERVER).unwrap()).unwrap()
}

/// The metadata of [`ISSUER`], as a good server has it.
pub(crate) fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://as.example.com/authorize?tenant=1",
        "token_endpoint": TOKEN,
        "registration_endpoint": "https://as.example.com/register",
        "revocation_endpoint": "https://as.example.com/revoke",
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "token_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
    })
}

/// The server with that metadata, changed.
pub(crate) fn server_with(change: &[(&str, Value)]) -> AuthorizationServer {
    let mut metadata = metadata();
    for (name, value) in change {
        match value {
            Value::Null => drop(metadata.as_object_mut().unwrap().remove(*name)),
            value => metadata[*name] = value.clone(),
        }
    }
    let issuer = metadata["issuer"].as_str().unwrap().to_owned();
    AuthorizationServer::read(&issuer, metadata.to_string().as_bytes()).unwrap()
}

/// The claims of a JWT.
pub(crate) fn claims_of(token: &str) -> Map<String, Value> {
    let payload = token.split('.').nth(1).unwrap();
    members::object(&base64url::decode(payload).unwrap()).unwrap()
}

/// The header of a JWT.
pub(crate) fn header_of(token: &str) -> Map<String, Value> {
    let header = token.split('.').next().unwrap();
    members::object(&base64url::decode(header).unwrap()).unwrap()
}
