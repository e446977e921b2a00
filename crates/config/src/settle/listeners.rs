//! Where the gateway listens, and under which names it may be reached.
//!
//! What is not on this machine only is encrypted, or it does not listen.

use super::address::{self, Query};
use super::{possession, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Listener, Tls, Transport};
use crate::written;
use controls::{N1_1, N3_1};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use url::Url;

/// The listeners; one on this machine where nothing was said.
pub(super) fn settle(
    problems: &mut Problems,
    written: Option<&[written::Listener]>,
) -> Vec<Listener> {
    let unsaid = [written::Listener::default()];
    let list = written.unwrap_or(&unsaid);
    if list.is_empty() {
        let fix = "remove the line for `127.0.0.1:8080`, or add a listener";
        problems.refuse(
            None,
            "listeners",
            "is empty, so nobody could reach the gateway",
            fix,
        );
    }
    words::count(problems, "listeners", list.len(), bounds::LISTENERS);
    let mut taken = BTreeSet::new();
    let mut listeners = Vec::new();
    for (index, written) in list.iter().enumerate() {
        let path = format!("listeners[{index}]");
        let Some(listener) = listener(problems, &path, written) else {
            continue;
        };
        let address = listener.address;
        if address.port() != 0 && !taken.insert(address) {
            let message = format!("`{address}` is the address of another listener");
            problems.refuse(
                None,
                &format!("{path}.address"),
                message,
                "give it another port",
            );
        }
        listeners.push(listener);
    }
    listeners
}

fn listener(problems: &mut Problems, path: &str, written: &written::Listener) -> Option<Listener> {
    let at = format!("{path}.address");
    let text = written.address.as_deref().unwrap_or(written::ADDRESS);
    let transport = transport(problems, path, written.tls.as_ref());
    let front = written.front.as_ref().and_then(|front| {
        possession::front(
            problems,
            &format!("{path}.front"),
            front,
            transport.as_ref(),
        )
    });
    let hosts = hosts(problems, path, &written.hosts);
    let origins = origins(problems, path, &written.origins);
    let Ok(address) = text.parse::<SocketAddr>() else {
        let fix =
            "write an IP address and a port: `127.0.0.1:8080`, `[::1]:8080` or `0.0.0.0:8443`";
        problems.refuse(None, &at, "is not an IP address with a port", fix);
        return None;
    };
    if !address.ip().is_loopback() && written.tls.is_none() {
        let message = format!("`{address}` can be reached from other machines, and is unencrypted");
        let fix = "add `tls: { certificate: tls/cert.pem, key: file:tls/key.pem }`, or listen on 127.0.0.1";
        problems.refuse(N3_1, &at, message, fix);
    }
    let mut accepted = own_names(address.ip());
    accepted.extend(hosts);
    Some(Listener {
        address,
        transport: transport?,
        front,
        hosts: words::once(&accepted),
        origins,
    })
}

fn transport(
    problems: &mut Problems,
    path: &str,
    written: Option<&written::Tls>,
) -> Option<Transport> {
    let Some(tls) = written else {
        return Some(Transport::Plaintext);
    };
    let certificate = words::path(
        problems,
        &format!("{path}.tls.certificate"),
        &tls.certificate,
    );
    let clients = tls.clients.as_ref();
    let clients =
        clients.map(|it| possession::clients(problems, &format!("{path}.tls.clients"), it));
    let key = words::secret(problems, &format!("{path}.tls.key"), &tls.key)?;
    Some(Transport::Tls(Tls {
        certificate,
        key,
        clients,
    }))
}

/// The names a listener answers to by itself.
fn own_names(ip: IpAddr) -> Vec<String> {
    if ip.is_loopback() {
        let mut names = ["localhost", "127.0.0.1", "[::1]"]
            .map(str::to_owned)
            .to_vec();
        names.push(host_of(ip));
        return names;
    }
    // Of all addresses together none is a name anybody calls it by.
    if ip.is_unspecified() {
        Vec::new()
    } else {
        vec![host_of(ip)]
    }
}

fn host_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn hosts(problems: &mut Problems, path: &str, written: &[String]) -> Vec<String> {
    words::count(
        problems,
        &format!("{path}.hosts"),
        written.len(),
        bounds::WORDS,
    );
    let mut hosts = Vec::new();
    for (index, text) in written.iter().enumerate() {
        let fix = if text.contains('*') {
            "name each host: a pattern would let strangers' names in"
        } else {
            "write a name without scheme, port and path: `mcp.example.com`"
        };
        match address::host(text) {
            Some(host) => hosts.push(host),
            None => problems.refuse(
                N1_1,
                &format!("{path}.hosts[{index}]"),
                "is not a host name",
                fix,
            ),
        }
    }
    hosts
}

fn origins(problems: &mut Problems, path: &str, written: &[String]) -> Vec<String> {
    words::count(
        problems,
        &format!("{path}.origins"),
        written.len(),
        bounds::WORDS,
    );
    let mut origins = Vec::new();
    for (index, text) in written.iter().enumerate() {
        let path = format!("{path}.origins[{index}]");
        if text == "*" || text == "null" || text.contains('*') {
            let message = "would let every web page call the gateway";
            let fix = "name each origin: `https://app.example.com`";
            problems.refuse(N1_1, &path, message, fix);
            continue;
        }
        let Some(url) = address::read(problems, &path, text, Query::None) else {
            continue;
        };
        if url.path() != "/" {
            let fix = "write scheme, host and port only: an origin has no path";
            problems.refuse(None, &path, "has a path", fix);
            continue;
        }
        origins.push(url.origin().ascii_serialization());
    }
    words::once(&origins)
}

/// How callers reach the gateway: as said, or at the first listener.
pub(super) fn public_url(
    problems: &mut Problems,
    said: Option<&str>,
    written: Option<&[written::Listener]>,
    listeners: &[Listener],
) -> Option<Url> {
    let path = "public_url";
    if let Some(text) = said {
        let url = address::read(problems, path, text, Query::None)?;
        if url.path() != "/" {
            let fix = "write scheme, host and port only; paths are those of the routes";
            problems.refuse(None, path, "has a path", fix);
            return None;
        }
        return Some(url);
    }
    let first = listeners.first()?;
    let scheme = match first.transport {
        Transport::Plaintext => "http",
        Transport::Tls(_) => "https",
    };
    let named = written
        .and_then(|it| it.first())
        .and_then(|it| it.hosts.first());
    let named = named.and_then(|it| address::host(it));
    let ip = first.address.ip();
    let host = match named {
        // Unencrypted, only a name of this machine may be used: the others are for a proxy in front.
        Some(name) if scheme == "https" => name,
        _ if !ip.is_unspecified() => host_of(ip),
        _ => {
            let message =
                "cannot be derived: the first listener is on all addresses of this machine";
            let fix = "add `public_url: https://…` with the name callers use";
            problems.refuse(None, path, message, fix);
            return None;
        }
    };
    Url::parse(&format!("{scheme}://{host}:{}", first.address.port())).ok()
}

/// Callers use the host of the public address, with or without a proxy in between.
pub(super) fn accept_host_of(listeners: &mut [Listener], public: Option<&Url>) {
    let Some(host) = public.and_then(Url::host).map(|it| it.to_string()) else {
        return;
    };
    for listener in listeners {
        if !listener.hosts.contains(&host) {
            listener.hosts.push(host.clone());
        }
    }
}
