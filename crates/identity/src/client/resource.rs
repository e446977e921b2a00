//! The server that tokens are asked for and shown to, by the name it has in `resource`
//! (RFC 8707, section 2).

use super::ClientError;
use crate::Audience;
use url::Url;

/// One server, as tokens for it are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    name: Box<str>,
    url: Url,
}

impl Resource {
    /// The server at this URL, by its canonical name: scheme and host in lower case, no query, no
    /// slash at the end.
    pub fn of(server: &Url) -> Result<Self, ClientError> {
        let mut url = server.clone();
        url.set_query(None);
        url.set_fragment(None);
        let named = Audience::of(url.as_str());
        let named = named.map_err(|_no_resource| ClientError::Resource(origin(server)))?;
        Ok(Resource {
            name: named.resource().into(),
            url,
        })
    }

    /// The same server, by the name that the operator gives it.
    pub fn named(server: &Url, name: &str) -> Result<Self, ClientError> {
        let resource = Resource::of(server)?;
        let url = Url::parse(name).map_err(|_not_url| ClientError::Resource(name.to_owned()))?;
        if url.fragment().is_some() {
            return Err(ClientError::Resource(name.to_owned()));
        }
        Ok(Resource {
            name: name.into(),
            url: resource.url,
        })
    }

    /// The value of `resource`.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Where the server is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The same server by the name its metadata gives it, if that names this server and no other
    /// (RFC 9728, section 3.3). What is sent later is the name as it was published.
    pub(crate) fn published(&self, name: &str) -> Option<Self> {
        let ours = Audience::of(self.url.as_str()).ok()?;
        ours.is(name).then(|| Resource {
            name: name.into(),
            url: self.url.clone(),
        })
    }

    /// The same server by the name of the whole host it is on, if this is that name: a document at
    /// the root of a host speaks for all of it.
    pub(crate) fn published_for_host(&self, name: &str) -> Option<Self> {
        let host = Audience::of(&self.url.origin().ascii_serialization()).ok()?;
        host.is(name).then(|| Resource {
            name: name.into(),
            url: self.url.clone(),
        })
    }
}

/// Scheme, host and port of a URL: what of it may be shown.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n7_2_a_server_has_one_name_and_metadata_cannot_give_it_another() {
        let url = |text: &str| Url::parse(text).unwrap();
        let server = Resource::of(&url("https://MCP.example.com/files/?tenant=1#x")).unwrap();
        assert_eq!(server.as_str(), "https://mcp.example.com/files");
        let check = |name: &str, server_only: bool, host_only: bool| {
            assert_eq!(server.published(name).is_some(), server_only, "{name}");
            assert_eq!(
                server.published_for_host(name).is_some(),
                host_only,
                "{name}"
            );
        };
        check("https://mcp.example.com/files", true, false);
        check("https://mcp.example.com/files/", true, false);
        check("https://MCP.example.com/files", true, false);
        check("https://mcp.example.com/Files", false, false);
        check("https://mcp.example.com/files/x", false, false);
        check("https://mcp.example.com/files?x", false, false);
        check("https://mcp.example.com/files#x", false, false);
        check("https://mcp.example.com", false, true);
        check("https://mcp.example.com/", false, true);
        check("https://mcp.example.com:8443/files", false, false);
        check("http://mcp.example.com/files", false, false);
        check("https://mcp.example.com.evil.example/files", false, false);
        check("https://evil@mcp.example.com/files", false, false);
        check("https://evil.example/files", false, false);
        check("", false, false);
        let published = server.published("https://mcp.example.com/files/").unwrap();
        assert_eq!(published.as_str(), "https://mcp.example.com/files/");
        assert!(Resource::of(&url("file:///x")).is_err());
        assert!(Resource::of(&url("https://me:pw@mcp.example.com/")).is_err());
    }

    #[test]
    fn an_operator_may_give_a_server_another_name() {
        let url = Url::parse("https://mcp.example.com/files").unwrap();
        let named = Resource::named(&url, "api://files").unwrap();
        assert_eq!((named.as_str(), named.url()), ("api://files", &url));
        assert!(Resource::named(&url, "files").is_err());
        assert!(Resource::named(&url, "https://mcp.example.com/#x").is_err());
    }
}
