//! What the authorization server says of itself (RFC 8414). A text only; nothing here serves it.

use crate::Algorithm;
use serde_json::{Map, Value, json};

/// What is offered.
#[derive(Clone, Debug)]
pub struct Metadata<'a> {
    /// Our own name. It has no slash at its end; the endpoints lie below it.
    pub issuer: &'a str,
    /// Every scope there is.
    pub scopes: Vec<&'a str>,
    /// Whether clients can register.
    pub registration: Registration,
    /// Whether a client id may be the address of a document.
    pub documents: Registration,
    /// What proofs of possession may be signed with.
    pub proofs: &'a [Algorithm],
}

/// Whether a way to become known is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// It is not.
    Closed,
    /// It is.
    Open,
}

impl Metadata<'_> {
    /// Where the document is, for an issuer without a path (section 3).
    pub const WELL_KNOWN: &'static str = "/.well-known/oauth-authorization-server";
    /// Where people agree.
    pub const AUTHORIZE: &'static str = "/authorize";
    /// Where codes and refresh tokens become tokens.
    pub const TOKEN: &'static str = "/token";
    /// Where clients register.
    pub const REGISTER: &'static str = "/register";
    /// Where tokens are given back.
    pub const REVOKE: &'static str = "/revoke";
    /// Where the keys are.
    pub const KEYS: &'static str = "/authority/jwks";

    /// The document.
    pub fn to_json(&self) -> String {
        let at = |path: &str| json!(format!("{}{path}", self.issuer));
        let mut members = Map::new();
        let mut say = |name: &str, value: Value| members.insert(name.to_owned(), value);
        say("issuer", json!(self.issuer));
        say("authorization_endpoint", at(Metadata::AUTHORIZE));
        say("token_endpoint", at(Metadata::TOKEN));
        if self.registration == Registration::Open {
            say("registration_endpoint", at(Metadata::REGISTER));
        }
        say("revocation_endpoint", at(Metadata::REVOKE));
        say("jwks_uri", at(Metadata::KEYS));
        if !self.scopes.is_empty() {
            say("scopes_supported", json!(self.scopes));
        }
        say("response_types_supported", json!(["code"]));
        say("response_modes_supported", json!(["query"]));
        say(
            "grant_types_supported",
            json!(["authorization_code", "refresh_token"]),
        );
        say("code_challenge_methods_supported", json!(["S256"]));
        let signing: Vec<&str> = Algorithm::ALL.iter().map(|it| it.name()).collect();
        for endpoint in ["token", "revocation"] {
            let methods = json!(["none", "private_key_jwt"]);
            say(
                &format!("{endpoint}_endpoint_auth_methods_supported"),
                methods,
            );
            let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
            say(&name, json!(signing));
        }
        say(
            "authorization_response_iss_parameter_supported",
            json!(true),
        );
        if self.documents == Registration::Open {
            say("client_id_metadata_document_supported", json!(true));
        }
        if !self.proofs.is_empty() {
            let proofs: Vec<&str> = self.proofs.iter().map(|it| it.name()).collect();
            say("dpop_signing_alg_values_supported", json!(proofs));
        }
        Value::Object(members).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3_the_metadata_offers_what_there_is_and_no_more() {
        let metadata = Metadata {
            issuer: "https://gw.example",
            scopes: vec!["files:read"],
            registration: Registration::Closed,
            documents: Registration::Open,
            proofs: &[Algorithm::Es256],
        };
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let document = read(&metadata.to_json());
        assert_eq!(document["issuer"], "https://gw.example");
        assert_eq!(document["token_endpoint"], "https://gw.example/token");
        assert_eq!(
            document["code_challenge_methods_supported"],
            json!(["S256"])
        );
        assert_eq!(
            document["authorization_response_iss_parameter_supported"],
            true
        );
        assert_eq!(document["client_id_metadata_document_supported"], true);
        assert!(document.get("registration_endpoint").is_none());
        let other = Metadata {
            registration: Registration::Open,
            documents: Registration::Closed,
            proofs: &[],
            ..metadata
        };
        let document = read(&other.to_json());
        assert_eq!(
            document["registration_endpoint"],
            "https://gw.example/register"
        );
        assert!(
            document
                .get("client_id_metadata_document_supported")
                .is_none()
        );
        assert!(document.get("dpop_signing_alg_values_supported").is_none());
    }
}
