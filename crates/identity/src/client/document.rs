//! What Ringwall says about itself as a client: the document behind a client id that is a URL
//! (draft-ietf-oauth-client-id-metadata-document), and the same as a registration (RFC 7591).
//! Texts only; nothing here serves them, and no secret is in them.

use crate::rules::{is_loopback, may_hold_keys};
use serde_json::{Map, Value, json};
use url::Url;

/// The client as it describes itself to authorization servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDocument {
    url: Url,
    name: String,
    redirect_uris: Vec<String>,
    keys: Option<Url>,
    home: Option<Url>,
    bound_tokens: bool,
}

/// Why a URL cannot be that of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not an https URL with a path, or one that two readers could read differently.
    #[error("a metadata document is at an https URL with a path, without user, query or fragment")]
    Url,
    /// Not where an answer may go.
    #[error("an answer goes to an https URL, or to http on loopback, without a fragment")]
    RedirectUri,
}

impl ClientDocument {
    /// The client with this document, name, and place for answers. The URL is the client id.
    pub fn new(url: &str, name: &str, redirect_uri: &str) -> Result<Self, DocumentError> {
        let parsed = Url::parse(url).map_err(|_not_url| DocumentError::Url)?;
        let bare = may_hold_keys(&parsed, &parsed) && parsed.query().is_none();
        // The id is compared as text, so it has to be spelt as every reader of URLs spells it;
        // that also leaves no dot segments. Plain http is for trying things on one machine: no
        // authorization server elsewhere could read it.
        if !bare || parsed.as_str() != url || parsed.path() == "/" {
            return Err(DocumentError::Url);
        }
        let redirect = Url::parse(redirect_uri).map_err(|_not_url| DocumentError::RedirectUri)?;
        if !may_hold_keys(&redirect, &redirect) {
            return Err(DocumentError::RedirectUri);
        }
        Ok(ClientDocument {
            url: parsed,
            name: name.to_owned(),
            redirect_uris: vec![redirect_uri.to_owned()],
            keys: None,
            home: None,
            bound_tokens: false,
        })
    }

    /// The same client, which authenticates with the keys that are published here.
    #[must_use]
    pub fn with_keys(mut self, keys: Url) -> Self {
        self.keys = Some(keys);
        self
    }

    /// The same client, with a page for people.
    #[must_use]
    pub fn with_home(mut self, home: Url) -> Self {
        self.home = Some(home);
        self
    }

    /// The same client, which takes only tokens that are bound to its key (RFC 9449, section 5.2).
    #[must_use]
    pub fn with_bound_tokens(mut self) -> Self {
        self.bound_tokens = true;
        self
    }

    /// The client id: the URL of the document.
    pub fn client_id(&self) -> &str {
        self.url.as_str()
    }

    /// Where answers go.
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// Whether the client authenticates with a key. Without one it is a public client: a document
    /// that everybody can read holds no secret.
    pub fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Whether the URL is one that others could read it from.
    pub fn is_public(&self) -> bool {
        self.url.scheme() == "https" && !is_loopback(&self.url)
    }

    /// The document, as it is served at its URL.
    pub fn to_json(&self) -> String {
        let method = if self.has_keys() {
            "private_key_jwt"
        } else {
            "none"
        };
        let mut members = self.members(method);
        members.insert("client_id".to_owned(), json!(self.client_id()));
        Value::Object(members).to_string()
    }

    /// A request for a registration that authenticates like this (RFC 7591, section 2): the wanted
    /// members and no other.
    pub(crate) fn registration(&self, method: &str) -> String {
        let mut members = self.members(method);
        let redirects = self.redirect_uris.iter().map(|uri| Url::parse(uri));
        let local = redirects.flatten().any(|uri| is_loopback(&uri));
        let kind = if local { "native" } else { "web" };
        members.insert("application_type".to_owned(), json!(kind));
        Value::Object(members).to_string()
    }

    fn members(&self, method: &str) -> Map<String, Value> {
        let mut members = Map::new();
        let mut say = |name: &str, value: Value| members.insert(name.to_owned(), value);
        say("client_name", json!(self.name));
        say("redirect_uris", json!(self.redirect_uris));
        say(
            "grant_types",
            json!(["authorization_code", "refresh_token"]),
        );
        say("response_types", json!(["code"]));
        say("token_endpoint_auth_method", json!(method));
        if let Some(keys) = self.keys.as_ref().filter(|_| method == "private_key_jwt") {
            say("jwks_uri", json!(keys.as_str()));
        }
        if let Some(home) = &self.home {
            say("client_uri", json!(home.as_str()));
        }
        if self.bound_tokens {
            say("dpop_bound_access_tokens", json!(true));
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "https://gateway.example.com/oauth/client.json";
    const CALLBACK: &str = "https://gateway.example.com/connect/callback";

    #[test]
    fn n2_1_the_document_names_its_own_url_and_no_secret() {
        let client = ClientDocument::new(DOCUMENT, "Ringwall", CALLBACK).unwrap();
        let document: Value = serde_json::from_str(&client.to_json()).unwrap();
        let expected = json!({
            "client_id": DOCUMENT, "client_name": "Ringwall", "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        });
        assert_eq!(document, expected);
        let keys = Url::parse("https://gateway.example.com/oauth/jwks.json").unwrap();
        let client = client.with_keys(keys.clone()).with_bound_tokens();
        let document: Value = serde_json::from_str(&client.to_json()).unwrap();
        assert_eq!(document["token_endpoint_auth_method"], "private_key_jwt");
        assert_eq!(document["jwks_uri"], keys.as_str());
        assert_eq!(document["dpop_bound_access_tokens"], true);
    }

    #[test]
    fn n2_1_a_registration_says_what_kind_of_application_it_is() {
        let check = |callback: &str, kind: &str| {
            let client = ClientDocument::new(DOCUMENT, "Ringwall", callback).unwrap();
            let asked: Value = serde_json::from_str(&client.registration("none")).unwrap();
            assert_eq!(asked["application_type"], kind, "{callback}");
            assert!(asked.get("client_id").is_none());
            assert!(asked.get("jwks_uri").is_none());
        };
        check(CALLBACK, "web");
        check("http://127.0.0.1:8080/connect/callback", "native");
        check("http://localhost:8080/connect/callback", "native");
    }

    #[test]
    fn n2_1_refuses_client_ids_that_two_readers_could_read_differently() {
        for url in [
            "gateway.example.com/client.json",
            "http://gateway.example.com/client.json",
            "https://gateway.example.com",
            "https://gateway.example.com/",
            "https://gateway.example.com/a/../client.json",
            "https://gateway.example.com/./client.json",
            "https://Gateway.example.com/client.json",
            "https://gateway.example.com:443/client.json",
            "https://me@gateway.example.com/client.json",
            "https://gateway.example.com/client.json?a=b",
            "https://gateway.example.com/client.json#a",
            " https://gateway.example.com/client.json",
        ] {
            let client = ClientDocument::new(url, "Ringwall", CALLBACK);
            assert_eq!(client.err(), Some(DocumentError::Url), "{url}");
        }
        for callback in [
            "http://gateway.example.com/callback",
            "javascript:alert(1)",
            "https://gateway.example.com/callback#a",
            "/callback",
        ] {
            let client = ClientDocument::new(DOCUMENT, "Ringwall", callback);
            assert_eq!(client.err(), Some(DocumentError::RedirectUri), "{callback}");
        }
    }
}
