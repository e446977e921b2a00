//! Where an issuer keeps its keys: RFC 8414 and OpenID Connect discovery. Everything found there
//! is untrusted input; only a document that names exactly the issuer that was asked is used.

use crate::fetch::{Fetch, FetchError};
use crate::keys::KeySet;
use crate::members;
use crate::rules::may_hold_keys;
use bytes::Bytes;
use url::Url;

/// The largest metadata document that is read, in bytes.
pub(crate) const METADATA_MAX: usize = 256 * 1024;

/// An issuer, as it is asked for its keys.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The issuer, byte for byte.
    pub(crate) issuer: String,
    /// The same as a URL.
    pub(crate) url: Url,
    /// Where its keys are, if the configuration says.
    pub(crate) keys: Option<Url>,
    /// Where its metadata is, if the configuration says.
    pub(crate) metadata: Option<Url>,
    /// The tenant it is of. Metadata and keys that many tenants share name a template there.
    pub(crate) tenant: Option<String>,
}

/// What an issuer says of itself, as far as it is used here.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) keys: Option<Url>,
    pub(crate) introspection: Option<Url>,
}

impl Origin {
    /// How its keys are looked for. What was found in one way says nothing where the configuration has
    /// come to ask for another one.
    pub(crate) fn looked_for_by(&self) -> String {
        match (&self.keys, &self.metadata) {
            (Some(keys), _) => format!("keys {keys}"),
            (None, Some(metadata)) => format!("metadata {metadata}"),
            (None, None) => "discovery".to_owned(),
        }
    }

    /// The keys in this set that are the issuer's own, if there are any.
    pub(crate) fn keys_in(&self, set: &[u8]) -> Option<KeySet> {
        // A set that tenants share may hold keys of some of them only.
        let is_ours = |issuer: &str| self.tenant.is_none() || self.is_meant(issuer);
        KeySet::of(set, is_ours).filter(|keys| !keys.is_empty())
    }

    /// Whether a document of the issuer names it. Where the configuration says that the document is
    /// one that its tenants share, it may name all of them.
    fn is_named(&self, name: &str) -> bool {
        match self.metadata {
            Some(_) => self.is_meant(name),
            None => name == self.issuer,
        }
    }

    /// Whether this is the issuer's name, or that of all tenants of its provider: `{tenantid}` in it
    /// stands for the tenant, and for nothing else.
    fn is_meant(&self, name: &str) -> bool {
        let template = |tenant: &String| name.replace(TENANT, tenant) == self.issuer;
        name == self.issuer || self.tenant.as_ref().is_some_and(template)
    }
}

/// Where the tenant stands in what tenants share.
const TENANT: &str = "{tenantid}";

/// Why an issuer gave no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DiscoveryError {
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An answer that is no key set, or one without a key for us.
    #[error("the key set has no key that could verify a token")]
    Keys,
    /// No document that names this issuer and leads to its keys.
    #[error("no metadata names this issuer and leads to its keys")]
    Metadata,
    /// An answer with another status than 200.
    #[error("the answer has status {0}")]
    Status(u16),
}

/// Keys as they were found.
pub(crate) struct Found {
    pub(crate) keys: KeySet,
    pub(crate) at: Url,
    pub(crate) max_age: Option<u64>,
    /// The set as it came.
    pub(crate) body: Bytes,
}

/// Gets the issuer's keys, from where they were the last time or by discovery.
pub(crate) async fn find_keys(
    origin: &Origin,
    known: Option<Url>,
    fetch: &dyn Fetch,
) -> Result<Found, DiscoveryError> {
    let at = match origin.keys.clone().or(known) {
        Some(at) => at,
        None => {
            let metadata = find_metadata(origin, fetch).await?;
            metadata.keys.ok_or(DiscoveryError::Metadata)?
        }
    };
    let answer = fetch.get(&at).await?;
    if answer.status != 200 {
        return Err(DiscoveryError::Status(answer.status));
    }
    let keys = origin.keys_in(&answer.body).ok_or(DiscoveryError::Keys)?;
    Ok(Found {
        keys,
        at,
        max_age: answer.max_age,
        body: answer.body,
    })
}

/// Looks for a document that names the issuer.
pub(crate) async fn find_metadata(
    origin: &Origin,
    fetch: &dyn Fetch,
) -> Result<Metadata, DiscoveryError> {
    let mut why = DiscoveryError::Metadata;
    let places = match &origin.metadata {
        Some(place) => vec![place.clone()],
        None => places(&origin.url),
    };
    for place in places {
        match fetch.get(&place).await {
            Ok(answer) if answer.status == 200 => match read(origin, &answer.body) {
                Some(metadata) => return Ok(metadata),
                None => why = DiscoveryError::Metadata,
            },
            Ok(answer) => why = DiscoveryError::Status(answer.status),
            Err(error) => why = error.into(),
        }
    }
    Err(why)
}

/// Where the metadata of an issuer may be, in the order that MCP asks for.
pub(crate) fn places(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().strip_suffix('/').unwrap_or(issuer.path());
    let at = |path: String| {
        let mut place = issuer.clone();
        place.set_path(&path);
        place
    };
    let mut places = vec![
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("/.well-known/openid-configuration{path}")),
    ];
    if !path.is_empty() {
        places.push(at(format!("{path}/.well-known/openid-configuration")));
    }
    places
}

/// A document that names the issuer. An address in it that nobody should be sent to is no address.
fn read(origin: &Origin, body: &[u8]) -> Option<Metadata> {
    if body.len() > METADATA_MAX {
        return None;
    }
    let metadata = members::object(body)?;
    if !origin.is_named(metadata.get("issuer")?.as_str()?) {
        return None;
    }
    let place = |name: &str| {
        let place = Url::parse(metadata.get(name)?.as_str()?).ok()?;
        may_hold_keys(&place, &origin.url).then_some(place)
    };
    Some(Metadata {
        keys: place("jwks_uri"),
        introspection: place("introspection_endpoint"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn origin(issuer: &str) -> Origin {
        Origin {
            issuer: issuer.to_owned(),
            url: Url::parse(issuer).unwrap(),
            keys: None,
            metadata: None,
            tenant: None,
        }
    }

    #[test]
    fn n2_1_looks_where_each_kind_of_provider_keeps_its_metadata() {
        let check = |issuer: &str, expected: &[&str]| {
            let places = places(&Url::parse(issuer).unwrap());
            let places: Vec<&str> = places.iter().map(Url::as_str).collect();
            assert_eq!(places, expected);
        };
        let rooted = [
            "https://id.example/.well-known/oauth-authorization-server",
            "https://id.example/.well-known/openid-configuration",
        ];
        check("https://id.example", &rooted);
        check("https://id.example/", &rooted);
        let under_a_path = [
            "https://id.example/.well-known/oauth-authorization-server/tenant/v2.0",
            "https://id.example/.well-known/openid-configuration/tenant/v2.0",
            "https://id.example/tenant/v2.0/.well-known/openid-configuration",
        ];
        check("https://id.example/tenant/v2.0", &under_a_path);
        check("https://id.example/tenant/v2.0/", &under_a_path);
    }

    #[test]
    fn n2_1_uses_only_metadata_that_names_the_issuer_asked() {
        let check = |issuer: &str, named: &str, keys: &str, used: bool| {
            let origin = origin(issuer);
            let body = json!({"issuer": named, "jwks_uri": keys}).to_string();
            let found = read(&origin, body.as_bytes()).and_then(|found| found.keys);
            assert_eq!(found.is_some(), used, "{issuer} {body}");
        };
        let (id, keys) = ("https://id.example", "https://keys.example/jwks");
        let local = "http://127.0.0.1:9";
        check(id, id, keys, true);
        check(id, "https://id.example/", keys, false);
        check(id, "https://ID.example", keys, false);
        check(id, "https://evil.example", keys, false);
        check(id, "", keys, false);
        check(id, id, "http://keys.example/jwks", false);
        check(id, id, "http://127.0.0.1/jwks", false);
        check(id, id, "http://169.254.169.254/latest/meta-data", false);
        check(id, id, "https://me:pw@keys.example/jwks", false);
        check(id, id, "https://keys.example/jwks#x", false);
        check(id, id, "file:///etc/passwd", false);
        check(id, id, "data:application/json,{}", false);
        check(id, id, "/jwks", false);
        check(local, local, "http://127.0.0.1:9/jwks", true);
        check(local, local, "http://keys.example/jwks", false);
    }

    #[test]
    fn refuses_metadata_that_two_readers_could_read_differently() {
        let origin = origin("https://id.example");
        let body = r#"{"issuer":"https://id.example","jwks_uri":"https://a.example/",
            "jwks_uri":"https://b.example/"}"#;
        assert!(read(&origin, body.as_bytes()).is_none());
        let padding = " ".repeat(METADATA_MAX);
        let body = format!(
            r#"{{"issuer":"https://id.example","jwks_uri":"https://a.example/"}}{padding}"#
        );
        assert!(read(&origin, body.as_bytes()).is_none());
        assert!(read(&origin, body.trim_end().as_bytes()).is_some());
    }

    #[test]
    fn n2_1_a_template_names_one_tenant_and_only_where_tenants_share_a_document() {
        let (north, south) = (
            "https://id.example/north/v2.0",
            "https://id.example/south/v2.0",
        );
        let template = "https://id.example/{tenantid}/v2.0";
        let shared = Some(Url::parse("https://id.example/common/meta").unwrap());
        let check = |tenant: Option<&str>, metadata: &Option<Url>, named: &str, used: bool| {
            let origin = Origin {
                metadata: metadata.clone(),
                tenant: tenant.map(str::to_owned),
                ..origin(north)
            };
            assert_eq!(
                origin.is_named(named),
                used,
                "{tenant:?} {metadata:?} {named}"
            );
        };
        check(Some("north"), &shared, north, true);
        check(Some("north"), &shared, template, true);
        check(Some("north"), &shared, south, false);
        check(Some("north"), &shared, "{tenantid}", false);
        check(
            Some("north"),
            &shared,
            "https://id.example/{tenant}/v2.0",
            false,
        );
        check(Some("south"), &shared, template, false);
        check(Some("north"), &None, template, false);
        check(None, &shared, template, false);
    }
}
