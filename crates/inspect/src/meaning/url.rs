//! URLs, read twice: as RFC 3986 splits them and as browsers do. Where the two lead to different hosts
//! the URL is ambiguous, whatever it says. What some readers take off before they read is taken off, and
//! a host is judged where one of them would find it.
//!
//! Nothing is fetched and nothing is rewritten.

use super::address::{self, Port, Target};
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
const LOCAL: &[&str] = &["blob", "data", "file", "glob", "local_file"];
/// Schemes that browsers read alike: behind them there is a host.
const WEB: &[&str] = &["ftp", "http", "https", "ws", "wss"];

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
        let scheme = scheme_of(text);
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
    let inner = inner(text, &mut |outer| {
        scheme(outer, addresses, &all, add);
        is_declared(outer, addresses)
    });
    let start = inner.start;
    let trimmed = text.get(inner).unwrap_or_default();
    if trimmed.len() != text.trim().len() {
        add(&URL_WRAPPED, all.clone());
    }
    let parts = Parts::of(trimmed);
    if let Some(own) = parts.scheme {
        scheme(own, addresses, &all, add);
    }
    line_breaks(trimmed, &parts, add);
    let web = parts.scheme.is_some_and(is_web);
    let Some(host_at) = parts.host.clone() else {
        // `https:host` and `https:/host` lead browsers to a host, and others nowhere. So do `\\host`
        // and `/\host`, relative to any address.
        if web || starts_with_two_slashes(trimmed) {
            add(&URL_AMBIGUOUS, all);
            return None;
        }
        if parts.scheme.is_none() {
            add(&URL_RELATIVE, all);
        }
        return unmarked(trimmed, start, addresses, add);
    };
    let host_at = start + host_at.start..start + host_at.end;
    if parts.scheme.is_none() {
        add(&URL_RELATIVE, all.clone());
    }
    if parts.user.is_some() {
        add(&URL_USERINFO, parts.authority.clone());
    }
    let written = text.get(host_at.clone()).unwrap_or_default();
    if written.is_empty() {
        // `file:///path` has none, and needs none. Relative to an address, `///host` leads browsers to it.
        if web || parts.scheme.is_none() {
            add(&URL_AMBIGUOUS, all);
        }
        return None;
    }
    let parsed = ::url::Url::parse(trimmed).ok();
    host(written, host_at, (&parts, parsed.as_ref()), addresses, add)
}

/// What is wrong with the host and the port of a URL that was taken apart, and read as browsers do.
fn host(
    written: &str,
    host_at: Range<usize>,
    (parts, browsed): (&Parts<'_>, Option<&::url::Url>),
    addresses: &Addresses,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) -> Option<Target> {
    let (name, port) = address::with_port(written);
    if port == Port::Unreadable {
        // Some readers make a number of it all the same, so that the host counts.
        add(&HOST_UNREADABLE, host_at.clone());
    }
    let port = port.number();
    if !addresses.ports.is_empty() {
        let known = port.or(browsed.and_then(::url::Url::port_or_known_default));
        if known.is_none_or(|port| !addresses.ports.contains(&port)) {
            add(&URL_PORT, host_at.clone());
        }
    }
    let at = host_at.start..host_at.start + name.len();
    if parts.scheme.is_some_and(is_web) && !agree(browsed, name) {
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

/// The scheme that a text begins with (RFC 3986, section 3.1; `_` is read by some). Time is linear in
/// its length.
fn scheme_of(text: &str) -> Option<&str> {
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    let end = text.find(|c| !belongs(c))?;
    let (scheme, rest) = text.split_at_checked(end)?;
    let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    (begins && rest.starts_with(':')).then_some(scheme)
}

fn is_web(scheme: &str) -> bool {
    WEB.iter().any(|web| scheme.eq_ignore_ascii_case(web))
}

/// Whether browsers and others are led to a host by this text, or into a file system, though it is
/// written with line breaks and tabs, which they take out.
pub(super) fn leads(text: &str) -> bool {
    let lead = text.trim_start_matches(|c: char| c <= ' ');
    let read: String = lead
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect();
    let inner = inner(&read, &mut |_| false);
    let scheme = read.get(inner).and_then(scheme_of);
    scheme.is_some_and(|scheme| is_web(scheme) || scheme.eq_ignore_ascii_case("file"))
}

/// Where the address stands to which a text leads, without what some readers take off: white space, `<`
/// and `>` around it (RFC 3986, appendix C), `url:` and any other scheme in front of a whole address.
/// `stops` hears each scheme, and says whether it has to stay. Time is linear in the length of the text.
pub(super) fn inner(text: &str, stops: &mut impl FnMut(&str) -> bool) -> Range<usize> {
    let mut at = trimmed(text, 0..text.len());
    loop {
        let here = text.get(at.clone()).unwrap_or_default();
        if let Some(bare) = here.strip_prefix('<').and_then(|it| it.strip_suffix('>')) {
            at = trimmed(text, at.start + 1..at.start + 1 + bare.len());
            continue;
        }
        let Some(whole) = whole(here) else {
            return at;
        };
        let whole = at.start + whole;
        while at.start < whole {
            let scheme = text.get(at.clone()).and_then(scheme_of).unwrap_or_default();
            if stops(scheme) {
                return at;
            }
            at = trimmed(text, at.start + scheme.len() + 1..at.end);
        }
        let here = text.get(at.clone()).unwrap_or_default();
        match scheme_of(here) {
            Some(scheme) if is_label(here, scheme) && !stops(scheme) => {
                at = trimmed(text, at.start + scheme.len() + 1..at.end);
            }
            _ => return at,
        }
    }
}

/// Where a whole address begins, behind any number of schemes in front of it.
fn whole(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let scheme = scheme_of(rest)?;
        let behind = rest.get(scheme.len() + 1..)?;
        let begins = behind.starts_with("//")
            || scheme.eq_ignore_ascii_case("file")
            || is_label(rest, scheme)
            // What browsers read behind one of these is no other address.
            || at == 0 && is_web(scheme);
        if begins {
            return Some(at);
        }
        at = text.len() - behind.trim_start().len();
    }
}

/// Whether the word in front is `url:`, which is no scheme.
fn is_label(text: &str, scheme: &str) -> bool {
    let behind = text.get(scheme.len() + 1..).unwrap_or_default();
    scheme.eq_ignore_ascii_case("url") && !behind.starts_with("//")
}

fn trimmed(text: &str, at: Range<usize>) -> Range<usize> {
    let here = text.get(at.clone()).unwrap_or_default();
    let kept = here.trim_end();
    let start = at.start + kept.len() - kept.trim_start().len();
    start..at.start + kept.len()
}

/// The host of a text that does not say it has one, as many programs that fetch understand it:
/// `169.254.169.254/latest`, `localhost:8080`. A name that could as well be that of a file is none.
fn unmarked(
    text: &str,
    start: usize,
    addresses: &Addresses,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) -> Option<Target> {
    let end = text.find(['/', '?', '#', '\\']).unwrap_or(text.len());
    let authority = text.get(..end)?;
    let from = match scheme_of(text) {
        // What looks like a scheme is a host if a port follows.
        Some(scheme) => {
            let port = authority.get(scheme.len() + 1..)?;
            let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            is_port.then_some(0)?
        }
        None => authority.rfind('@').map_or(0, |at| at + 1),
    };
    let (name, port) = address::with_port(authority.get(from..)?);
    if !address::is_unmistakable(name) {
        return None;
    }
    let at = start + from..start + from + name.len();
    let host = address::read(name, addresses, &at, add)?;
    let port = port.number();
    Some(Target { host, port, at })
}

fn is_declared(scheme: &str, addresses: &Addresses) -> bool {
    let mut declared = addresses.schemes.iter();
    declared.any(|declared| scheme.eq_ignore_ascii_case(declared))
}

fn scheme(
    scheme: &str,
    addresses: &Addresses,
    all: &Range<usize>,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) {
    let scheme = scheme.to_ascii_lowercase();
    let allowed = match addresses.schemes.is_empty() {
        true => matches!(&*scheme, "https" | "http"),
        false => is_declared(&scheme, addresses),
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
