//! Addresses: which ones may be written where, and whether they lie on this machine.
//!
//! It judges what is written. What a name resolves to is judged when a connection is made.

use crate::bounds;
use crate::problem::Problems;
use crate::secret::{looks_secret, sounds_secret};
use crate::words::Network;
use controls::{N1_1, N3_1, N6_3};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Whether an address may carry a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Query {
    /// It names a thing: nothing after the path.
    None,
    /// It is only fetched.
    Allowed,
}

/// An address that the rules let stand: `https`, or `http` on this machine; no user, password or
/// fragment.
pub(super) fn read(problems: &mut Problems, path: &str, text: &str, query: Query) -> Option<Url> {
    // The URL standard drops tabs and line breaks and turns backslashes around: others might not.
    let plain = |b: u8| (0x21..=0x7e).contains(&b) && b != b'\\';
    if text.len() > bounds::ADDRESS_LENGTH || !text.bytes().all(plain) {
        let message = "has characters that no address has, or too many of them";
        problems.refuse(
            None,
            path,
            message,
            "write it in ASCII, such as `https://mcp.example.com`",
        );
        return None;
    }
    let url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.host().is_some() => url,
        Ok(_) | Err(_) => {
            let fix = "write a whole address, such as `https://mcp.example.com`";
            problems.refuse(None, path, "is not an `https` address", fix);
            return None;
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        let fix = "remove what stands before the `@`; credentials are references of their own";
        problems.refuse(N6_3, path, "holds a user or password", fix);
        return None;
    }
    if url.fragment().is_some() {
        problems.refuse(
            None,
            path,
            "has a fragment",
            "remove the `#` and what follows it",
        );
        return None;
    }
    if url.query().is_some() && query == Query::None {
        problems.refuse(
            None,
            path,
            "has a query",
            "remove the `?` and what follows it",
        );
        return None;
    }
    for (name, value) in url.query_pairs() {
        if sounds_secret(&name) || looks_secret(&value) {
            let fix = "send the secret as a `credential`; addresses end up in logs";
            problems.refuse(
                N6_3,
                path,
                "holds what looks like a secret in its query",
                fix,
            );
            return None;
        }
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        let fix = "write `https`; unencrypted connections stay on this machine";
        problems.refuse(N3_1, path, "is unencrypted and not on this machine", fix);
        return None;
    }
    Some(url)
}

/// Holds an address against where it may lie, as far as it can be seen without looking it up.
pub(super) fn within(problems: &mut Problems, path: &str, network: &str, url: &Url, may: Network) {
    let literal = match url.host() {
        Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        _ => None,
    };
    if literal.is_some_and(is_link_local) {
        let fix =
            "write another address: this one belongs to the network or the cloud, not to a server";
        problems.refuse(N1_1, path, "is a link-local address", fix);
    } else if literal.is_some_and(is_nowhere) {
        problems.refuse(
            N1_1,
            path,
            "is no address of a single machine",
            "write its real address",
        );
    } else if may == Network::Public && (is_loopback(url) || literal.is_some_and(is_private)) {
        let message = "lies on this machine or in a private network, which is not expected of it";
        problems.refuse(N1_1, path, message, format!("add `{network}: private`"));
    }
}

/// A host as it stands in an address, in the one way to write it.
pub(super) fn host(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b);
    if !text.bytes().all(plain) || text.len() > 253 || text.ends_with('.') {
        return None;
    }
    Host::parse(text).ok().map(|host| host.to_string())
}

/// Whether the address names this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The form in which a resource is compared: no trailing slash.
pub(super) fn canonical(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// What the resources of a gateway without a listener derive from. Nobody can reach it.
pub(super) fn local() -> Option<Url> {
    Url::parse("http://localhost").ok()
}

fn is_link_local(ip: IpAddr) -> bool {
    match unmapped(ip) {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn is_nowhere(ip: IpAddr) -> bool {
    let ip = unmapped(ip);
    ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn is_private(ip: IpAddr) -> bool {
    match unmapped(ip) {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_loopback() || ip.is_private() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip == Ipv6Addr::LOCALHOST || ip.is_unique_local(),
    }
}

fn unmapped(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}
