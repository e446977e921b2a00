//! URLs, read twice: as RFC 3986 splits them and as browsers do. Where the two lead to different hosts
//! the URL is ambiguous, whatever it says.
//!
//! Nothing is fetched and nothing is rewritten.

use super::address::{self, Target};
use super::rule::*;
use std::ops::Range;

pub use super::address::Addresses;

/// Schemes that make a client do something else than fetch.
const DANGEROUS: &[&str] = &[
    "dict",
    "expect",
    "gopher",
    "jar",
    "javascript",
    "ldap",
    "ldapi",
    "ldaps",
    "netdoc",
    "ogg",
    "phar",
    "php",
    "tftp",
    "vbscript",
    "view-source",
    "zip",
];
/// Schemes that read from this machine, or carry what they show.
const LOCAL: &[&str] = &["blob", "data", "file", "glob"];

/// A URL taken apart by RFC 3986, section 3. Ranges are bytes of the text.
struct Parts<'t> {
    scheme: Option<&'t str>,
    /// User and password, if there is an `@`.
    user: Option<Range<usize>>,
    /// Host and port, if there is an authority.
    host: Option<Range<usize>>,
    /// Where the authority begins and ends.
    authority: Range<usize>,
    /// Where the query or the fragment begins.
    query: usize,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Self {
        let scheme = text.find([':', '/', '?', '#']).and_then(|at| {
            let (scheme, rest) = text.split_at_checked(at)?;
            let well_formed = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
            (rest.starts_with(':') && well_formed).then_some(scheme)
        });
        let after = scheme.map_or(0, |scheme| scheme.len() + 1);
        let find = |from: usize, what: &[char]| {
            text.get(from..)
                .and_then(|rest| rest.find(what))
                .map_or(text.len(), |at| from + at)
        };
        let query = find(after, &['?', '#']);
        let begins = text.get(after..).is_some_and(|rest| rest.starts_with("//"));
        if !begins {
            return Parts {
                scheme,
                user: None,
                host: None,
                authority: after..after,
                query,
            };
        }
        let authority = after + 2..find(after + 2, &['/', '?', '#']);
        let inner = text.get(authority.clone()).unwrap_or_default();
        let user = inner.rfind('@');
        let host = user.map_or(authority.start, |at| authority.start + at + 1)..authority.end;
        Parts {
            scheme,
            user: user.map(|at| authority.start..authority.start + at),
            host: Some(host),
            authority,
            query,
        }
    }
}

pub(super) fn check(
    text: &str,
    addresses: &Addresses,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) -> Option<Target> {
    let all = 0..text.len();
    if let Some(at) = text.find(|c: char| c.is_control()) {
        add(&URL_CONTROL, at..at + 1);
        return None;
    }
    if let Some(at) = text.find(char::is_whitespace) {
        add(&URL_SPACE, at..at + 1);
    }
    if let Some(at) = text.find('\\') {
        add(&URL_BACKSLASH, at..at + 1);
    }
    // What readers take off before they read.
    let start = text.len() - text.trim_start().len();
    let trimmed = text.trim();
    let parts = Parts::of(trimmed);
    scheme(&parts, addresses, &all, add);
    line_breaks(trimmed, &parts, add);
    let parsed = ::url::Url::parse(trimmed);
    let web = parts.scheme.is_some_and(|scheme| {
        ["http", "https", "ws", "wss", "ftp"]
            .iter()
            .any(|web| scheme.eq_ignore_ascii_case(web))
    });
    let Some(host_at) = parts.host.clone() else {
        // `https:host` and `https:/host` lead browsers to a host, and others nowhere. So do `\\host`
        // and `/\host`, relative to any address.
        let elsewhere = web || starts_with_two_slashes(trimmed);
        match elsewhere {
            true => add(&URL_AMBIGUOUS, all),
            false if parts.scheme.is_none() => add(&URL_RELATIVE, all),
            false => {}
        }
        return None;
    };
    if parts.scheme.is_none() {
        add(&URL_RELATIVE, all.clone());
    }
    if parts.user.is_some() {
        add(&URL_USERINFO, parts.authority.clone());
    }
    let written = trimmed.get(host_at.clone()).unwrap_or_default();
    if written.is_empty() {
        // `file:///path` has none, and needs none.
        if web {
            add(&URL_AMBIGUOUS, all);
        }
        return None;
    }
    let Some((name, port)) = address::with_port(written) else {
        add(&HOST_UNREADABLE, host_at);
        return None;
    };
    if !addresses.ports.is_empty() {
        let known = port.or(parsed
            .as_ref()
            .ok()
            .and_then(::url::Url::port_or_known_default));
        if known.is_none_or(|port| !addresses.ports.contains(&port)) {
            add(&URL_PORT, host_at.clone());
        }
    }
    let at = start + host_at.start..start + host_at.start + name.len();
    if web && !agree(parsed.as_ref().ok(), name) {
        add(&URL_AMBIGUOUS, at.clone());
    }
    let host = address::read(name, addresses, &at, add)?;
    Some(Target { host, port, at })
}

/// Whether browsers are led to the host that was split off.
fn agree(parsed: Option<&::url::Url>, name: &str) -> bool {
    let Some(parsed) = parsed else {
        // What no browser reads leads none anywhere; the host itself is judged all the same.
        return true;
    };
    match (parsed.host(), ::url::Host::parse(name)) {
        (Some(theirs), Ok(ours)) => theirs.to_owned() == ours,
        (None, Err(_)) => true,
        _ => false,
    }
}

fn starts_with_two_slashes(text: &str) -> bool {
    let mut first = text.bytes().take(2);
    let slash = |byte: Option<u8>| matches!(byte, Some(b'/' | b'\\'));
    slash(first.next()) && slash(first.next())
}

fn scheme(
    parts: &Parts<'_>,
    addresses: &Addresses,
    all: &Range<usize>,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) {
    let Some(scheme) = parts.scheme else {
        return;
    };
    let scheme = scheme.to_ascii_lowercase();
    let allowed = match addresses.schemes.is_empty() {
        true => matches!(&*scheme, "https" | "http"),
        false => addresses.schemes.iter().any(|allowed| **allowed == scheme),
    };
    if allowed {
        return;
    }
    if DANGEROUS.contains(&&*scheme) {
        add(&URL_DANGEROUS, all.clone());
    } else if LOCAL.contains(&&*scheme) {
        add(&URL_LOCAL_SCHEME, all.clone());
    } else {
        add(&URL_SCHEME, all.clone());
    }
}

/// Encoded line breaks before the query: there they split what a careless client sends.
fn line_breaks(text: &str, parts: &Parts<'_>, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    let before = text.get(..parts.query).unwrap_or_default();
    if let Some(at) = encoded_break(before) {
        add(&URL_BREAK, at..at + 3);
    }
}

/// Where a line break or a zero byte stands in percent-encoding, also encoded twice.
pub(super) fn encoded_break(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = text
        .get(from..)
        .and_then(|rest| rest.find('%'))
        .map(|at| from + at)
    {
        let mut rest = bytes.get(at + 1..).unwrap_or_default();
        while let Some(again) = rest.strip_prefix(b"25") {
            rest = again;
        }
        let is_break = matches!(rest, [b'0', b'a' | b'A' | b'd' | b'D' | b'0', ..]);
        if is_break {
            return Some(at);
        }
        from = at + 1;
    }
    None
}
