//! A destination: a URL that was judged before anything connects to it, and the network it may be
//! on. It resolves nothing.

use super::address::{ForbiddenAddress, Network};
use http::Uri;
use std::net::IpAddr;
use thiserror::Error;
use url::{Host, Url};

/// Somewhere a request may go.
#[derive(Clone, Debug)]
pub struct Destination {
    url: Url,
    uri: Uri,
    network: Network,
}

impl Destination {
    /// Judges `url`: https, or http where `network` is private; a host; no user, password or
    /// fragment; and if the host is an address, one that `network` admits.
    pub fn new(url: Url, network: Network) -> Result<Self, DestinationError> {
        match (url.scheme(), network) {
            ("https", _) | ("http", Network::Private) => {}
            ("http", Network::Public) => return Err(DestinationError::Plaintext),
            (scheme, _) => {
                return Err(DestinationError::Scheme {
                    scheme: scheme.to_owned(),
                });
            }
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(DestinationError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(DestinationError::Fragment);
        }
        let address: Option<IpAddr> = match url.host() {
            None | Some(Host::Domain("")) => return Err(DestinationError::Host),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
        };
        if let Some(address) = address {
            network.admit(address)?;
        }
        let uri = url.as_str().parse().map_err(|_| DestinationError::Host)?;
        Ok(Destination { url, uri, network })
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    pub fn network(&self) -> Network {
        self.network
    }

    /// The host as the URL writes it; safe to show.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or("")
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }
}

/// Why a URL is no destination.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DestinationError {
    #[error("the URL carries a user or password: name a secret reference instead")]
    Credentials,
    #[error("the URL points at an address that may not be reached: {0}")]
    Forbidden(#[from] ForbiddenAddress),
    #[error("the URL has a fragment")]
    Fragment,
    #[error("the URL has no usable host")]
    Host,
    #[error("plaintext http is only for a destination whose network is `private`: use https")]
    Plaintext,
    #[error("scheme `{scheme}` is not supported: use https")]
    Scheme { scheme: String },
}

#[cfg(test)]
mod tests {
    use super::super::address::Kind;
    use super::*;

    fn judge(url: &str, network: Network) -> Result<Destination, DestinationError> {
        Destination::new(Url::parse(url).unwrap(), network)
    }

    #[test]
    fn n10_3_sees_through_every_spelling_of_an_address() {
        for (url, kind) in [
            ("https://127.0.0.1/", Kind::Loopback),
            ("https://127.1/", Kind::Loopback),
            ("https://127.0.1/", Kind::Loopback),
            ("https://2130706433/", Kind::Loopback),
            ("https://0x7f000001/", Kind::Loopback),
            ("https://0x7f.0x0.0x0.0x1/", Kind::Loopback),
            ("https://0X7F.1/", Kind::Loopback),
            ("https://0177.0.0.1/", Kind::Loopback),
            ("https://017700000001/", Kind::Loopback),
            ("https://127.0.0.1./", Kind::Loopback),
            ("https://%31%32%37.0.0.1/", Kind::Loopback),
            ("https://１２７.０.０.１/", Kind::Loopback),
            ("https://①②⑦.⓪.⓪.①/", Kind::Loopback),
            ("https://127。0。0。1/", Kind::Loopback),
            ("https://0/", Kind::Unspecified),
            ("https://0.0.0.0/", Kind::Unspecified),
            ("https://169.254.169.254/latest/meta-data/", Kind::Metadata),
            ("https://2852039166/", Kind::Metadata),
            ("https://0xa9fea9fe/", Kind::Metadata),
            ("https://0251.0376.0251.0376/", Kind::Metadata),
            ("https://169.254.43518/", Kind::Metadata),
            ("https://10.1/", Kind::Private),
            ("https://[::1]/", Kind::Loopback),
            ("https://[0:0:0:0:0:0:0:1]/", Kind::Loopback),
            ("https://[::]/", Kind::Unspecified),
            ("https://[::ffff:127.0.0.1]/", Kind::Embedded),
            ("https://[::ffff:7f00:1]/", Kind::Embedded),
            ("https://[::ffff:a9fe:a9fe]/", Kind::Embedded),
            ("https://[::127.0.0.1]/", Kind::Embedded),
            ("https://[64:ff9b::169.254.169.254]/", Kind::Embedded),
            ("https://[2002:7f00:1::]/", Kind::Embedded),
            ("https://[fd00:ec2::254]/", Kind::Metadata),
            ("https://[fe80::1]/", Kind::LinkLocal),
            ("https:\\\\127.0.0.1\\", Kind::Loopback),
            ("https:///127.0.0.1/", Kind::Loopback),
        ] {
            match judge(url, Network::Public) {
                Err(DestinationError::Forbidden(forbidden)) => {
                    assert_eq!(forbidden.kind, kind, "{url}");
                }
                other => panic!("{url}: {other:?}"),
            }
        }
    }

    #[test]
    fn n3_1_takes_plaintext_only_to_a_private_destination() {
        assert!(judge("http://127.0.0.1:8080/mcp", Network::Private).is_ok());
        assert_eq!(
            judge("http://example.com/mcp", Network::Public).unwrap_err(),
            DestinationError::Plaintext
        );
        assert!(judge("https://example.com/mcp", Network::Public).is_ok());
    }

    #[test]
    fn refuses_what_is_no_destination() {
        for (url, expected) in [
            ("https://user@example.com/", DestinationError::Credentials),
            ("https://:pw@example.com/", DestinationError::Credentials),
            ("https://example.com/#x", DestinationError::Fragment),
            (
                "file:///etc/passwd",
                DestinationError::Scheme {
                    scheme: "file".to_owned(),
                },
            ),
            (
                "ftp://example.com/",
                DestinationError::Scheme {
                    scheme: "ftp".to_owned(),
                },
            ),
        ] {
            assert_eq!(judge(url, Network::Private).unwrap_err(), expected, "{url}");
        }
    }
}
