//! A client id that is the address of a document in which the client describes itself
//! (draft-ietf-oauth-client-id-metadata-document): which addresses can be one, and whose documents the
//! operator wants to read at all. Nothing here fetches it.

use crate::rules::is_loopback;
use url::{Host, Url};

/// The longest client id, in bytes.
pub(super) const ID_MAX: usize = 1024;

/// The address of a client's document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientUrl(Url);

/// Whose documents are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hosts {
    /// Anybody's.
    Any,
    /// Those of these hosts, letter for letter.
    Only(Vec<String>),
    /// Nobody's.
    #[default]
    None,
}

impl ClientUrl {
    /// The address that this client id is, if it is one (section 3 there): `https`, a path, no user,
    /// no query, no fragment, no dot segments, and the one spelling that every reader of URLs agrees
    /// on, because it is compared as text.
    pub fn read(id: &str) -> Option<Self> {
        let url = ClientUrl::spelt(id)?;
        let named = matches!(url.host()?, Host::Domain(name) if !name.ends_with('.'));
        (url.scheme() == "https" && named && !is_loopback(&url)).then_some(ClientUrl(url))
    }

    /// The same, or a document on this machine: for trying things out on it, where the gateway itself
    /// is reached at an address that nobody else can reach.
    pub fn read_nearby(id: &str) -> Option<Self> {
        let near = || {
            let url = ClientUrl::spelt(id)?;
            is_loopback(&url).then_some(ClientUrl(url))
        };
        ClientUrl::read(id).or_else(near)
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The client id.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host that vouches for the document: what is shown to people.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    fn spelt(id: &str) -> Option<Url> {
        if id.len() > ID_MAX || id.contains(['*', '\\']) {
            return None;
        }
        let url = Url::parse(id).ok()?;
        let bare = url.username().is_empty() && url.password().is_none();
        let has_no_more = url.query().is_none() && url.fragment().is_none();
        let http = matches!(url.scheme(), "http" | "https");
        let is_one = http && bare && has_no_more && url.as_str() == id && url.path() != "/";
        // A dot segment that is encoded is resolved by some readers and not by others.
        let dots = url.path().to_ascii_lowercase().contains("%2e");
        (is_one && !dots).then_some(url)
    }
}

impl Hosts {
    /// Whether somebody chose whose clients these are.
    pub fn is_chosen(&self) -> bool {
        matches!(self, Hosts::Only(_))
    }

    /// Whether the documents of this client are read.
    pub fn admit(&self, client: &ClientUrl) -> bool {
        match self {
            Hosts::Any => true,
            Hosts::Only(hosts) => hosts.iter().any(|host| host == client.host()),
            Hosts::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3_a_client_id_is_an_address_that_has_one_spelling() {
        let check = |id: &str, expected: bool| {
            assert_eq!(ClientUrl::read(id).is_some(), expected, "{id}");
        };
        check("https://app.example/client.json", true);
        check("https://app.example:8443/oauth/client", true);
        for id in [
            "http://app.example/client.json",
            "https://app.example",
            "https://app.example/",
            "https://app.example/a/../client.json",
            "https://app.example/./client.json",
            "https://app.example/%2e%2e/client.json",
            "https://app.example/a/%2E/client.json",
            "https://app.example/client%2Ejson",
            "https://App.example/client.json",
            "https://app.example:443/client.json",
            "https://app.example./client.json",
            "https://me@app.example/client.json",
            "https://app.example/client.json?a=b",
            "https://app.example/client.json#a",
            "https://app.example\\client.json",
            "https://b\u{fc}cher.example/client.json",
            "https://127.0.0.1/client.json",
            "https://169.254.169.254/latest",
            "https://[::1]/client.json",
            "https://localhost/client.json",
            "https://*.example/client.json",
            " https://app.example/client.json",
            "file:///etc/passwd",
            "app",
            "",
        ] {
            check(id, false);
        }
        check(
            &format!("https://app.example/{}", "a".repeat(ID_MAX)),
            false,
        );
        let near = "http://127.0.0.1:5000/client.json";
        assert!(ClientUrl::read_nearby(near).is_some() && ClientUrl::read(near).is_none());
        assert!(ClientUrl::read_nearby("http://app.example/client.json").is_none());
    }

    #[test]
    fn m3_the_operator_says_whose_documents_are_read() {
        let of = |host: &str| ClientUrl::read(&format!("https://{host}/client.json")).unwrap();
        let only = Hosts::Only(vec!["app.example".to_owned()]);
        for (hosts, host, expected) in [
            (&Hosts::Any, "any.example", true),
            (&Hosts::None, "app.example", false),
            (&only, "app.example", true),
            (&only, "sub.app.example", false),
            (&only, "app.example.evil.example", false),
            (&only, "xapp.example", false),
        ] {
            assert_eq!(hosts.admit(&of(host)), expected, "{host}");
        }
    }
}
