//! What a resource server says about itself: its metadata (RFC 9728), where that is found, and the
//! challenge that leads a client there (RFC 6750, RFC 9449, RFC 9470). Texts only; nothing here serves them.

use crate::caller::is_scope;
use crate::{Algorithm, Authentication};
use serde_json::{Map, Value, json};
use std::fmt::{self, Write as _};

/// The well-known path of RFC 9728; for a resource with a path, that path follows.
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A scope that asks for refresh tokens. It is no business of a resource, and a client that sees
/// it here would ask for it.
const OFFLINE: &str = "offline_access";

/// The metadata of one protected resource.
#[derive(Clone, Debug)]
pub struct ResourceMetadata {
    resource: String,
    authorization_servers: Vec<String>,
    scopes: Vec<String>,
    name: Option<String>,
    possession: Possession,
}

/// What a resource says of the keys that tokens for it can be bound to.
#[derive(Clone, Debug, Default)]
pub struct Possession {
    /// The algorithms that proofs may be signed with; empty if there is no way to send one.
    pub proof_algorithms: Vec<Algorithm>,
    /// Whether only tokens that are bound to such a key are accepted.
    pub proof_required: ProofRequired,
    /// Whether a token can be bound to the client certificate of the connection.
    pub certificates: Certificates,
}

/// Whether a resource accepts only tokens that come with a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProofRequired {
    /// Others are accepted, too.
    #[default]
    No,
    /// No others are.
    Yes,
}

/// Whether client certificates reach a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificates {
    /// They do.
    Known,
    /// They do not.
    #[default]
    Unknown,
}

/// Metadata without an authorization server leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a protected resource names at least one authorization server")]
pub struct NoAuthorizationServerError;

impl ResourceMetadata {
    /// The metadata of this resource, with the issuers whose tokens it accepts.
    pub fn new(
        resource: &crate::Audience,
        authorization_servers: Vec<String>,
    ) -> Result<Self, NoAuthorizationServerError> {
        if authorization_servers.is_empty() {
            return Err(NoAuthorizationServerError);
        }
        Ok(ResourceMetadata {
            resource: resource.resource().to_owned(),
            authorization_servers,
            scopes: Vec::new(),
            name: None,
            possession: Possession::default(),
        })
    }

    /// The least scopes that are of use here.
    pub fn scopes<S: AsRef<str>>(mut self, scopes: &[S]) -> Self {
        let useful = advertised(scopes).map(str::to_owned);
        self.scopes = useful.collect();
        self
    }

    /// A name for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What tokens can be bound to here.
    pub fn possession(mut self, possession: Possession) -> Self {
        self.possession = possession;
        self
    }

    /// The document.
    pub fn to_json(&self) -> String {
        let mut document = json!({
            "resource": self.resource,
            "authorization_servers": self.authorization_servers,
            "bearer_methods_supported": ["header"],
        });
        if let Some(members) = document.as_object_mut() {
            if !self.scopes.is_empty() {
                members.insert("scopes_supported".to_owned(), json!(self.scopes));
            }
            if let Some(name) = &self.name {
                members.insert("resource_name".to_owned(), json!(name));
            }
            self.possession.tell(members);
        }
        document.to_string()
    }
}

impl Possession {
    /// Adds the members of RFC 9728, section 2. Those that would say "no" are left out, as that is
    /// what their absence says.
    fn tell(&self, members: &mut Map<String, Value>) {
        if !self.proof_algorithms.is_empty() {
            let names = self.proof_algorithms.iter().map(|it| it.name());
            let names: Vec<_> = names.collect();
            members.insert("dpop_signing_alg_values_supported".to_owned(), json!(names));
        }
        for (name, is_so) in [
            (
                "dpop_bound_access_tokens_required",
                self.proof_required == ProofRequired::Yes,
            ),
            (
                "tls_client_certificate_bound_access_tokens",
                self.certificates == Certificates::Known,
            ),
        ] {
            if is_so {
                members.insert(name.to_owned(), json!(true));
            }
        }
    }
}

/// Where the metadata of the resource at this path of a host is found: the well-known path goes
/// in front of it.
pub fn well_known_path(route: &str) -> String {
    format!("{WELL_KNOWN}{}", route.strip_suffix('/').unwrap_or(route))
}

/// Where the metadata of a resource is found, as an absolute URL.
pub fn well_known_url(resource: &crate::Audience) -> String {
    let uri = resource.resource();
    let authority = uri.find("://").map_or(0, |scheme| scheme + "://".len());
    let path = uri
        .get(authority..)
        .and_then(|rest| rest.find('/'))
        .map_or(uri.len(), |path| authority + path);
    let (origin, path) = uri.split_at_checked(path).unwrap_or((uri, ""));
    format!("{origin}{}", well_known_path(path))
}

/// The value of a `WWW-Authenticate` header. Whatever is put into it, what comes out is one
/// challenge of visible ASCII.
#[derive(Clone, Debug)]
pub struct Challenge {
    proof_algorithms: Vec<Algorithm>,
    resource_metadata: String,
    scopes: Vec<String>,
    error: Option<&'static str>,
    description: Option<String>,
    authentication: Option<Authentication>,
}

impl Challenge {
    /// Asks for a token, and says where to learn how to get one.
    pub fn new(resource_metadata: impl Into<String>) -> Self {
        Challenge {
            proof_algorithms: Vec::new(),
            resource_metadata: resource_metadata.into(),
            scopes: Vec::new(),
            error: None,
            description: None,
            authentication: None,
        }
    }

    /// Asks for a token with a proof (RFC 9449, section 7.1), signed with one of these algorithms,
    /// instead of a bearer token.
    pub fn with_proof(mut self, algorithms: &[Algorithm]) -> Self {
        self.proof_algorithms = algorithms.to_vec();
        self
    }

    /// All the scopes that this request needs.
    pub fn scopes<S: AsRef<str>>(mut self, scopes: &[S]) -> Self {
        self.scopes = advertised(scopes).map(str::to_owned).collect();
        self
    }

    /// What was wrong with the token that came; nothing if none came.
    pub fn error(mut self, error: Option<&'static str>, description: impl fmt::Display) -> Self {
        self.error = error;
        self.description = error.map(|_| description.to_string());
        self
    }

    /// How the caller has to have logged in (RFC 9470, section 3); the error says so, too.
    pub fn authentication(self, wanted: &Authentication, description: impl fmt::Display) -> Self {
        Challenge {
            authentication: Some(wanted.clone()),
            ..self.error(Some(wanted.challenge_error()), description)
        }
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.proof_algorithms.is_empty() {
            f.write_str("Bearer ")?;
        } else {
            let names = self.proof_algorithms.iter().map(|it| it.name());
            let names = names.collect::<Vec<_>>().join(" ");
            write!(f, "DPoP algs={}, ", Quoted(&names))?;
        }
        if let Some(error) = self.error {
            write!(f, "error={}, ", Quoted(error))?;
        }
        if let Some(description) = &self.description {
            write!(f, "error_description={}, ", Quoted(description))?;
        }
        if !self.scopes.is_empty() {
            write!(f, "scope={}, ", Quoted(&self.scopes.join(" ")))?;
        }
        if let Some(wanted) = &self.authentication {
            tell(wanted, f)?;
        }
        write!(f, "resource_metadata={}", Quoted(&self.resource_metadata))
    }
}

/// The parameters of RFC 9470, section 3, and the claims as Entra ID writes them.
fn tell(wanted: &Authentication, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(acr) = wanted.acr_values() {
        write!(f, "acr_values={}, ", Quoted(acr))?;
    }
    if let Some(seconds) = wanted.max_age_s() {
        write!(f, "max_age=\"{seconds}\", ")?;
    }
    if let Some(claims) = wanted.encoded_claims() {
        write!(f, "claims={}, ", Quoted(&claims))?;
    }
    Ok(())
}

/// A quoted string. RFC 6750 allows neither quotes nor backslashes inside, not even escaped, so
/// they become something harmless, and so does what could end the header.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            f.write_char(match character {
                '"' | '`' => '\'',
                '\\' => '/',
                ' '..='~' => character,
                _ => '?',
            })?;
        }
        f.write_char('"')
    }
}

fn advertised<S: AsRef<str>>(scopes: &[S]) -> impl Iterator<Item = &str> {
    let scopes = scopes.iter().map(AsRef::as_ref);
    scopes.filter(|scope| is_scope(scope) && *scope != OFFLINE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::possession::dpop::ProofError;
    use crate::{Audience, BearerError, TokenError};

    #[test]
    fn m1_metadata_says_where_tokens_for_this_resource_come_from() {
        let resource = Audience::of("https://MCP.example.com/files/").unwrap();
        let servers = vec!["https://id.example.com".to_owned()];
        let metadata = ResourceMetadata::new(&resource, servers)
            .unwrap()
            .scopes(&["mcp:tools", "offline_access", "not a scope"])
            .name("Files");
        let document: Value = serde_json::from_str(&metadata.to_json()).unwrap();
        let expected = json!({
            "resource": "https://mcp.example.com/files",
            "authorization_servers": ["https://id.example.com"],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["mcp:tools"],
            "resource_name": "Files",
        });
        assert_eq!(document, expected);
        assert!(ResourceMetadata::new(&resource, Vec::new()).is_err());
    }

    #[test]
    fn n7_4_metadata_and_challenges_say_what_a_token_can_be_bound_to() {
        let resource = Audience::of("https://mcp.example.com/files").unwrap();
        let metadata = |possession: Possession| {
            let servers = vec!["https://id.example.com".to_owned()];
            let metadata = ResourceMetadata::new(&resource, servers).unwrap();
            let text = metadata.possession(possession).to_json();
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let bare = metadata(Possession::default());
        let members = bare.as_object().unwrap();
        assert!(
            !members
                .keys()
                .any(|name| name.contains("bound") || name.contains("dpop"))
        );
        let told = metadata(Possession {
            proof_algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
            proof_required: ProofRequired::Yes,
            certificates: Certificates::Known,
        });
        assert_eq!(
            told["dpop_signing_alg_values_supported"],
            json!(["ES256", "EdDSA"])
        );
        assert_eq!(told["dpop_bound_access_tokens_required"], true);
        assert_eq!(told["tls_client_certificate_bound_access_tokens"], true);

        let challenge = Challenge::new(METADATA)
            .with_proof(&[Algorithm::Es256, Algorithm::EdDsa])
            .error(
                Some(ProofError::Replayed.challenge_error()),
                ProofError::Replayed,
            );
        assert_eq!(
            challenge.to_string(),
            format!(
                "DPoP algs=\"ES256 EdDSA\", error=\"invalid_dpop_proof\", \
                 error_description=\"the proof was used before\", resource_metadata=\"{METADATA}\""
            )
        );
    }

    #[test]
    fn m1_metadata_is_found_by_path_insertion() {
        let check = |resource: &str, path: &str, url: &str| {
            let route = url::Url::parse(resource).unwrap().path().to_owned();
            assert_eq!(well_known_path(&route), path);
            assert_eq!(well_known_url(&Audience::of(resource).unwrap()), url);
        };
        check(
            "https://a.example/files",
            "/.well-known/oauth-protected-resource/files",
            "https://a.example/.well-known/oauth-protected-resource/files",
        );
        check(
            "https://a.example:8443/x/y/",
            "/.well-known/oauth-protected-resource/x/y",
            "https://a.example:8443/.well-known/oauth-protected-resource/x/y",
        );
        check(
            "https://a.example/",
            "/.well-known/oauth-protected-resource",
            "https://a.example/.well-known/oauth-protected-resource",
        );
    }

    const METADATA: &str = "https://a.example/.well-known/oauth-protected-resource/files";

    #[test]
    fn m1_challenges_say_what_is_wrong_and_where_to_go() {
        let scopes = ["mcp:read", "offline_access", "mcp:write"];
        let check = |error: Option<&'static str>, reason: &str, expected: &str| {
            let challenge = Challenge::new(METADATA)
                .scopes(&scopes)
                .error(error, reason);
            let tail = format!("scope=\"mcp:read mcp:write\", resource_metadata=\"{METADATA}\"");
            assert_eq!(challenge.to_string(), format!("Bearer {expected}{tail}"));
        };
        check(
            BearerError::Missing.challenge_error(),
            "nothing tried yet",
            "",
        );
        check(
            TokenError::Expired.challenge_error(),
            &TokenError::Expired.to_string(),
            r#"error="invalid_token", error_description="the token has expired", "#,
        );
        let lacking = TokenError::Scope {
            missing: "mcp:write".to_owned(),
        };
        check(
            lacking.challenge_error(),
            &lacking.to_string(),
            "error=\"insufficient_scope\", \
             error_description=\"the token lacks scope 'mcp:write'\", ",
        );
        let bare = Challenge::new(METADATA).to_string();
        assert_eq!(bare, format!("Bearer resource_metadata=\"{METADATA}\""));
    }

    #[test]
    fn n7_1_a_challenge_says_how_the_caller_has_to_log_in() {
        let check = |(acr, age, claims): (Option<&str>, Option<&str>, Option<&str>),
                     expected: &str| {
            let wanted = Authentication::read(acr, age, claims).unwrap();
            let challenge = Challenge::new(METADATA).authentication(&wanted, "log in again");
            let tail = format!(
                "error_description=\"log in again\", {expected}, resource_metadata=\"{METADATA}\""
            );
            let error = wanted.challenge_error();
            assert_eq!(
                challenge.to_string(),
                format!("Bearer error=\"{error}\", {tail}")
            );
            // It is read as it was meant.
            let demand = crate::client::Demand::of(401, &[challenge.to_string()]).unwrap();
            assert_eq!(demand.reason(), crate::client::Reason::Authentication);
            assert_eq!(demand.authentication(), Some(&wanted));
        };
        check(
            (Some("gold silver"), Some("5"), None),
            "acr_values=\"gold silver\", max_age=\"5\"",
        );
        check((None, Some("0"), None), "max_age=\"0\"");
        check((None, None, Some(r#"{"a":1}"#)), "claims=\"eyJhIjoxfQ==\"");
    }

    #[test]
    fn nothing_put_into_a_challenge_gets_out_of_its_quotes() {
        let hostile = "a\", Basic realm=\"x\\\r\nSet-Cookie: é\u{1b}[2J\u{202e}";
        let challenge = Challenge::new(hostile)
            .scopes(&[hostile, "ok", "a\"b"])
            .error(Some("invalid_token"), hostile)
            .to_string();
        assert!(challenge.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert_eq!(challenge.matches('"').count(), 8, "{challenge}");
        assert!(!challenge.contains('\\'));
        assert!(challenge.contains("scope=\"ok\""));
    }
}
