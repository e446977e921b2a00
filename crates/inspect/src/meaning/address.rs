//! Hosts: names and addresses of machines, in every spelling that some client understands.
//!
//! Which addresses may be reached is not decided here: an address is handed back as it is understood,
//! a name to be looked up by somebody who can. What is decided here is whether two readers would
//! understand different hosts, and what a name says by itself.

use super::path::is_dash;
use super::rule::*;
use super::url;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Range;
use unicode_security::MixedScript;

/// Bytes of a host name (RFC 1035, section 2.3.4).
const NAME: usize = 253;

/// On which network an address may lie. Whoever knows the address judges it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reach {
    /// On the public one only.
    #[default]
    Public,
    /// On a private one too.
    Private,
}

/// Where addresses may lead, as declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Schemes that URLs may have; none said, only `https` and `http`.
    pub schemes: Vec<Box<str>>,
    /// Ports; none said, any.
    pub ports: Vec<u16>,
    /// Hosts; none said, any that the network admits.
    pub hosts: Vec<HostPattern>,
    /// The network.
    pub reach: Reach,
}

/// A host, or all below a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// Exactly this host.
    Exactly(Box<str>),
    /// Every name below this one, written `*.example.com`.
    Below(Box<str>),
}

impl HostPattern {
    /// Reads `example.com`, `*.example.com` or an address; nothing if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        match (below, ::url::Host::parse(name).ok()?) {
            (below, ::url::Host::Domain(name)) => {
                let well_formed = name.split('.').all(is_label);
                let pattern = match below {
                    true => HostPattern::Below(format!(".{name}").into()),
                    false => HostPattern::Exactly(name.into()),
                };
                well_formed.then_some(pattern)
            }
            (true, _) => None,
            (false, address) => Some(HostPattern::Exactly(plain(&address).into())),
        }
    }

    fn holds(&self, host: &str) -> bool {
        match self {
            HostPattern::Exactly(name) => **name == *host,
            HostPattern::Below(suffix) => host.len() > suffix.len() && host.ends_with(&**suffix),
        }
    }
}

/// The host without brackets, as patterns and records write it.
fn plain(host: &::url::Host) -> String {
    match host {
        ::url::Host::Domain(name) => name.strip_suffix('.').unwrap_or(name).to_owned(),
        ::url::Host::Ipv4(address) => address.to_string(),
        ::url::Host::Ipv6(address) => address.to_string(),
    }
}

/// Where a value would lead a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host as everybody understands it.
    pub host: Host,
    /// The port, if one is said.
    pub port: Option<u16>,
    /// Where the host stands, in bytes of the text.
    pub at: Range<usize>,
}

/// A host as everybody understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name that never leaves this machine or its network: `localhost`, `printer.local`, `db`.
    Local(String),
    /// A name that somebody has to look up, in lower-case ASCII.
    Name(String),
}

/// A value that is a host alone, with or without a port.
pub(super) fn check(
    text: &str,
    addresses: &Addresses,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) -> Option<Target> {
    if let Some(at) = text.find(|c: char| c.is_control()) {
        add(&HOST_CONTROL, at..at + 1);
        return None;
    }
    if text.starts_with(is_dash) {
        add(&HOST_OPTION, 0..1);
    }
    if text.is_empty()
        || text.contains(|c: char| c.is_whitespace() || "/\\@?#'\"`;|&$<>(){}".contains(c))
    {
        add(&HOST_MALFORMED, 0..text.len());
        return within(text, addresses, add);
    }
    let (host, port) = with_port(text);
    if port == Port::Unreadable {
        add(&HOST_MALFORMED, 0..text.len());
    }
    let port = port.number();
    if let Some(port) = port
        && !addresses.ports.is_empty()
        && !addresses.ports.contains(&port)
    {
        add(&HOST_PORT, host.len()..text.len());
    }
    let host_at = 0..host.len();
    let host = read(host, addresses, &host_at, add)?;
    Some(Target {
        host,
        port,
        at: host_at,
    })
}

/// The host in a text that holds more than one, as whoever puts the text into a URL is led to it. What
/// is no host at all is not judged like one: of this host only what is certain is told.
fn within(
    text: &str,
    addresses: &Addresses,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) -> Option<Target> {
    let mut certain = |rule: &'static Rule, at| {
        if rule.weight == Weight::Certain && rule.name.starts_with("host.") {
            add(rule, at);
        }
    };
    url::check(text, addresses, &mut certain)
}

/// What stands behind a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Number(u16),
    /// Something that is no port, though readers differ about that.
    Unreadable,
    Unsaid,
}

impl Port {
    pub(super) fn number(self) -> Option<u16> {
        match self {
            Port::Number(port) => Some(port),
            Port::Unreadable | Port::Unsaid => None,
        }
    }

    /// What stands behind the `:`.
    fn read(text: &str) -> Self {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            _ if text.is_empty() => Port::Unsaid,
            Ok(port) if digits => Port::Number(port),
            _ => Port::Unreadable,
        }
    }
}

/// A host and its port. A bare address of IPv6 has none.
pub(super) fn with_port(text: &str) -> (&str, Port) {
    if text.starts_with('[') {
        let end = text.find(']').map_or(text.len(), |end| end + 1);
        let (host, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return match rest.strip_prefix(':') {
            Some(port) => (host, Port::read(port)),
            None if rest.is_empty() => (host, Port::Unsaid),
            None => (host, Port::Unreadable),
        };
    }
    match text.split_once(':') {
        None => (text, Port::Unsaid),
        Some((_, more)) if more.contains(':') && is_six(unzoned(text)) => (text, Port::Unsaid),
        Some((host, port)) => (host, Port::read(port)),
    }
}

fn is_six(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

/// An address without its zone (RFC 4007, section 11; RFC 6874).
fn unzoned(text: &str) -> &str {
    text.split_once('%').map_or(text, |(address, _)| address)
}

/// A host as every reader has it.
fn parsed(text: &str) -> Option<::url::Host> {
    match text.parse::<Ipv6Addr>() {
        Ok(six) => Some(::url::Host::Ipv6(six)),
        Err(_) => ::url::Host::parse(text).ok(),
    }
}

/// A host as those have it who read what nobody may write: an address with a zone, a name or an address
/// of IPv4 in brackets.
fn leniently(text: &str) -> Option<(&str, ::url::Host)> {
    let bare = text.trim_matches(|c: char| matches!(c, '[' | ']') || c.is_whitespace());
    let address = unzoned(bare);
    let is_name = |host: &::url::Host| matches!(host, ::url::Host::Domain(_));
    match parsed(address) {
        Some(host) if address.len() == bare.len() || !is_name(&host) => Some((address, host)),
        _ => Some((bare, parsed(bare)?)),
    }
}

/// Whether a text is a host even where nothing says that one stands there. A small number and what could
/// be the name of a file are none.
pub(super) fn is_unmistakable(text: &str) -> bool {
    match parsed(text).or_else(|| Some(leniently(text)?.1)) {
        Some(::url::Host::Ipv4(address)) => match address.octets() {
            [0, 0, 0, 0] => text.contains('.'),
            [first, ..] => first != 0,
        },
        Some(::url::Host::Ipv6(_)) => true,
        Some(::url::Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            is_below(name, "localhost") || name.contains('.') && METADATA.contains(&name)
        }
        None => false,
    }
}

/// Understands a host, and says what is odd about it. `at` is where it stands in the text.
pub(super) fn read(
    text: &str,
    addresses: &Addresses,
    at: &Range<usize>,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) -> Option<Host> {
    let (text, parsed) = match parsed(text) {
        Some(host) => (text, host),
        None => {
            add(&HOST_UNREADABLE, at.clone());
            leniently(text)?
        }
    };
    let written = text.strip_suffix('.').unwrap_or(text);
    if written.len() != text.len() {
        add(&HOST_TRAILING_DOT, at.clone());
    }
    let known = plain(&parsed);
    let host = match parsed {
        ::url::Host::Ipv4(address) => {
            if known != written {
                add(&HOST_DISGUISED, at.clone());
            }
            Host::Address(address.into())
        }
        ::url::Host::Ipv6(address) => Host::Address(address.into()),
        ::url::Host::Domain(_) => {
            if written.is_ascii() && !written.eq_ignore_ascii_case(&known) {
                add(&HOST_DISGUISED, at.clone());
            }
            named(written, &known, at, add)?
        }
    };
    let allowed =
        addresses.hosts.is_empty() || addresses.hosts.iter().any(|host| host.holds(&known));
    if !allowed {
        add(&HOST_NOT_ALLOWED, at.clone());
    }
    Some(host)
}

/// What a name says by itself.
fn named(
    written: &str,
    name: &str,
    at: &Range<usize>,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) -> Option<Host> {
    if name.is_empty() || name.len() > NAME || name.split('.').any(|label| !is_label(label)) {
        add(&HOST_UNREADABLE, at.clone());
        return None;
    }
    if METADATA.contains(&name) {
        add(&HOST_METADATA, at.clone());
    }
    if REBINDING.iter().any(|zone| is_below(name, zone)) {
        add(&HOST_REBINDING, at.clone());
    }
    if is_homograph(written, name) {
        add(&HOST_HOMOGRAPH, at.clone());
    }
    let local = !name.contains('.') || LOCAL.iter().any(|zone| is_below(name, zone));
    Some(match local {
        true => Host::Local(name.to_owned()),
        false => Host::Name(name.to_owned()),
    })
}

/// Letters, digits, `-` and `_`, 63 of them at most (RFC 1035, section 2.3.1; `_` is seen in practice).
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_below(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a label is written in letters of several scripts, or in letters that all look like ASCII
/// ones and are none.
fn is_homograph(written: &str, name: &str) -> bool {
    let decoded;
    let shown = match written.is_ascii() {
        false => written,
        true if name.contains("xn--") => {
            decoded = ::url::quirks::domain_to_unicode(name);
            &decoded
        }
        true => return false,
    };
    shown
        .split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'])
        .filter(|label| !label.is_ascii())
        .any(|label| {
            let looks: String = unicode_security::skeleton(label).collect();
            !label.is_single_script() || looks.is_ascii()
        })
}

/// Names at which clouds hand out credentials.
const METADATA: &[&str] = &[
    "instance-data",
    "instance-data.ec2.internal",
    "metadata",
    "metadata.azure.internal",
    "metadata.goog",
    "metadata.google.internal",
    "metadata.platformequinix.com",
    "metadata.tencentyun.com",
];

/// Names that never leave a machine or its network (RFC 6761, RFC 6762, RFC 8375, and what is used).
const LOCAL: &[&str] = &[
    "cluster.local",
    "corp",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "ip6-localhost",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "private",
    "svc",
];

/// Zones whose names stand for the address that is written in them, or for this machine.
const REBINDING: &[&str] = &[
    "1u.ms",
    "backname.io",
    "fbi.com.localtest.me",
    "ip6.name",
    "lacolhost.com",
    "localh.st",
    "localho.st",
    "localtest.me",
    "lvh.me",
    "nip.io",
    "rbndr.us",
    "sslip.io",
    "traefik.me",
    "vcap.me",
    "xip.io",
    "yoogle.com",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_pattern_is_a_host_or_all_below_one() {
        for (pattern, host, expected) in [
            ("example.com", "example.com", true),
            ("Example.COM", "example.com", true),
            ("example.com", "www.example.com", false),
            ("*.example.com", "www.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "evilexample.com", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("[::1]", "::1", true),
        ] {
            let pattern = HostPattern::parse(pattern).unwrap();
            assert_eq!(pattern.holds(host), expected, "{pattern:?} {host}");
        }
        for pattern in ["", "*", "*.", "*.1.2.3.4", "a b", "http://x"] {
            assert_eq!(HostPattern::parse(pattern), None, "{pattern}");
        }
    }
}
