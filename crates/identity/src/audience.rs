//! What a token must have been issued for: the canonical URI of one resource (RFC 8707), and the
//! issuers that this resource listens to. There is no wildcard; a further name is one that somebody
//! has written down, letter for letter.

use aws_lc_rs::digest;
use url::Url;

/// One resource, as tokens must name it.
#[derive(Clone, Debug)]
pub struct Audience {
    resource: Box<str>,
    issuers: Option<Box<[Box<str>]>>,
    names: Box<[Box<str>]>,
    digest: [u8; 32],
}

/// Why a string cannot name a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudienceError {
    /// Not an absolute `http` or `https` URL.
    #[error("a resource is named by an absolute http or https URL")]
    NotUrl,
    /// It has a part that names no resource.
    #[error("the URL of a resource has no user, query or fragment")]
    Part,
}

impl Audience {
    /// The resource with this URL, whichever issuer the token is of.
    pub fn of(resource: &str) -> Result<Self, AudienceError> {
        let url = Url::parse(resource).map_err(|_not_url| AudienceError::NotUrl)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(AudienceError::NotUrl);
        }
        let named_parts = !url.username().is_empty() || url.password().is_some();
        if named_parts || url.query().is_some() || url.fragment().is_some() {
            return Err(AudienceError::Part);
        }
        // The URL as it was written, not as the parser respells it (`url` drops default ports and
        // resolves dots): an issuer puts into `aud` what it was asked for.
        let (origin, path) = halves(resource).ok_or(AudienceError::NotUrl)?;
        let canonical = format!("{}{}", origin.to_ascii_lowercase(), trimmed(path));
        Ok(Audience::new(canonical.into(), None, Box::default()))
    }

    /// The same resource, but only tokens of these issuers.
    pub fn only_from<I: AsRef<str>>(self, issuers: impl IntoIterator<Item = I>) -> Self {
        let issuers = issuers.into_iter().map(|issuer| issuer.as_ref().into());
        let mut issuers: Vec<Box<str>> = issuers.collect();
        issuers.sort_unstable();
        Audience::new(self.resource, Some(issuers.into()), self.names)
    }

    /// The same resource, which tokens may also name by these names: not every issuer puts into
    /// `aud` what it was asked for.
    #[must_use]
    pub fn also<N: AsRef<str>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().map(|name| name.as_ref().into());
        let mut names: Vec<Box<str>> = names.collect();
        names.sort_unstable();
        Audience::new(self.resource, self.issuers, names.into())
    }

    /// The canonical URI: scheme and host in lower case, no slash at the end.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether tokens of this issuer are listened to.
    pub fn accepts_issuer(&self, issuer: &str) -> bool {
        match &self.issuers {
            Some(issuers) => issuers.iter().any(|accepted| **accepted == *issuer),
            None => true,
        }
    }

    /// Whether `aud` of a token names this resource.
    pub fn is(&self, named: &str) -> bool {
        let Some((origin, path)) = halves(named) else {
            return false;
        };
        let Some((our_origin, our_path)) = halves(&self.resource) else {
            return false;
        };
        origin.eq_ignore_ascii_case(our_origin) && trimmed(path) == our_path
    }

    /// Whether this is a further name of the resource, letter for letter.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.names.iter().any(|known| **known == *name)
    }

    /// Names this audience among all others, for keys of caches.
    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    fn new(resource: Box<str>, issuers: Option<Box<[Box<str>]>>, names: Box<[Box<str>]>) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        absorb(&mut context, &resource);
        for issuer in issuers.iter().flatten() {
            absorb(&mut context, issuer);
        }
        // An empty list of issuers accepts nobody; no list accepts every one.
        context.update(&[u8::from(issuers.is_some())]);
        for name in &names {
            absorb(&mut context, name);
        }
        Audience {
            resource,
            issuers,
            names,
            digest: finish(context),
        }
    }
}

/// Adds a text so that no two lists of texts are absorbed as the same bytes.
pub(crate) fn absorb(context: &mut digest::Context, text: &str) {
    context.update(&(text.len() as u64).to_be_bytes());
    context.update(text.as_bytes());
}

/// The 32 bytes of a SHA-256.
pub(crate) fn finish(context: digest::Context) -> [u8; 32] {
    sha_256(context.finish().as_ref())
}

/// Copies a digest out of its longer buffer.
pub(crate) fn sha_256(digest: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = *from;
    }
    bytes
}

/// Scheme and authority, and what follows them.
fn halves(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    url.split_at_checked(scheme.len() + "://".len() + authority)
}

/// A path without the one slash at its end that clients add and drop at will.
fn trimmed(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n7_2_names_one_resource_and_no_other() {
        let check = |ours: &str, named: &str, expected: bool| {
            let audience = Audience::of(ours).unwrap();
            assert_eq!(audience.is(named), expected, "{ours} and {named}");
        };
        let files = "https://mcp.example.com/files";
        check(files, "https://mcp.example.com/files", true);
        check(files, "https://mcp.example.com/files/", true);
        check(files, "HTTPS://MCP.Example.COM/files", true);
        check("https://MCP.example.com/files/", files, true);
        check("https://mcp.example.com", "https://mcp.example.com/", true);
        check("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a", true);
        for other in [
            "https://mcp.example.com",
            "https://mcp.example.com/",
            "https://mcp.example.com/Files",
            "https://mcp.example.com/files//",
            "https://mcp.example.com/files/x",
            "https://mcp.example.com/files?",
            "https://mcp.example.com/files?a=b",
            "https://mcp.example.com/files#",
            "https://mcp.example.com/./files",
            "https://mcp.example.com/%66iles",
            "https://mcp.example.com:443/files",
            "https://mcp.example.com:8443/files",
            "https://mcp.example.com./files",
            "https://mcp.example.com@evil.example/files",
            "https://user@mcp.example.com/files",
            "http://mcp.example.com/files",
            "mcp.example.com/files",
            "https://*.example.com/files",
            "https://evil.example/https://mcp.example.com/files",
            " https://mcp.example.com/files",
            "https://mcp.example.com/files ",
            "*",
            "",
        ] {
            check(files, other, false);
        }
    }

    #[test]
    fn refuses_to_name_what_is_no_resource() {
        let check = |text: &str, expected| assert_eq!(Audience::of(text).err(), expected, "{text}");
        check("https://a.example/x", None);
        check("files", Some(AudienceError::NotUrl));
        check("/files", Some(AudienceError::NotUrl));
        check("urn:example:files", Some(AudienceError::NotUrl));
        check("ftp://a.example/", Some(AudienceError::NotUrl));
        check("https:/a.example/x", Some(AudienceError::NotUrl));
        check("https://a.example/x#y", Some(AudienceError::Part));
        check("https://a.example/x?y", Some(AudienceError::Part));
        check("https://me@a.example/x", Some(AudienceError::Part));
    }

    #[test]
    fn audiences_that_accept_other_tokens_have_other_digests() {
        let resource = || Audience::of("https://a.example/x").unwrap();
        let audiences = [
            resource(),
            Audience::of("https://a.example/y").unwrap(),
            resource().only_from([] as [&str; 0]),
            resource().only_from(["https://one.example"]),
            resource().only_from(["https://one.example", "https://two.example"]),
            resource().also(["https://one.example"]),
            resource()
                .also(["api://one"])
                .only_from(["https://one.example"]),
        ];
        for (index, one) in audiences.iter().enumerate() {
            for other in audiences.iter().skip(index + 1) {
                assert_ne!(one.digest(), other.digest(), "{one:?} and {other:?}");
            }
        }
        let [_, _, nobody, one, ..] = &audiences;
        assert!(!nobody.accepts_issuer("https://one.example"));
        assert!(one.accepts_issuer("https://one.example"));
        assert!(!one.accepts_issuer("https://one.example/"));
        let other_order = ["https://two.example", "https://one.example"];
        let named = &audiences[6];
        assert!(named.is_named("api://one") && named.accepts_issuer("https://one.example"));
        for other in ["api://one/", "API://one", "one", "", "api://on"] {
            assert!(!named.is_named(other) && !named.is(other), "{other}");
        }
        let same = resource().only_from(other_order);
        assert_eq!(audiences[4].digest(), same.digest());
    }
}
