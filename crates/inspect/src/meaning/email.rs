//! Addresses of mailboxes, and lines of a header.

use super::path::is_dash;
use super::rule::*;
use super::url::encoded_break;
use std::ops::Range;

/// Octets of an address, and of the part before the `@` (RFC 5321, section 4.5.3.1).
const LONGEST: usize = 254;
const LOCAL: usize = 64;

pub(super) fn check(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    let all = 0..text.len();
    let broken = text.find(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    if let Some(at) = broken.or_else(|| encoded_break(text)) {
        add(&EMAIL_BREAK, at..text.len());
    }
    if text.starts_with(is_dash) || text.contains("\" -") || text.contains("\"\t-") {
        add(&EMAIL_OPTION, all.clone());
    }
    // `Name <address>` names one mailbox (RFC 5322, section 3.4).
    let (name, address) = match text
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    {
        Some((name, address)) => (name.trim(), address),
        None => ("", text),
    };
    if is_several(address) || is_several(name) || name.contains('@') {
        add(&EMAIL_SEVERAL, all.clone());
    }
    if !is_address(address) {
        add(&EMAIL_MALFORMED, all);
    }
}

/// One line of a header, without anything that ends it.
pub(super) fn header(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    for (at, c) in text.char_indices() {
        match c {
            '\0' => add(&HEADER_CONTROL, at..at + 1),
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                add(&HEADER_BREAK, at..at + c.len_utf8());
            }
            _ => {}
        }
    }
    if let Some(at) = encoded_break(text) {
        add(&HEADER_BREAK, at..at + 3);
    }
}

/// Whether a comma or a semicolon stands outside quotes, or there is a second `@`.
fn is_several(text: &str) -> bool {
    let mut quoted = false;
    let mut ats = 0;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | ';' if !quoted => return true,
            '@' if !quoted => ats += 1,
            _ => {}
        }
    }
    ats > 1
}

/// `dot-atom@domain` (RFC 5321, section 4.1.2, without quoted names and address literals; with the
/// letters of RFC 6531).
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let atom = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || !c.is_ascii() && !c.is_whitespace()
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| {
                c.is_ascii_alphanumeric() || c == '-' || !c.is_ascii() && c.is_alphanumeric()
            })
    };
    text.len() <= LONGEST
        && local.len() <= LOCAL
        && local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom))
        && domain.contains('.')
        && domain.split('.').all(label)
}
