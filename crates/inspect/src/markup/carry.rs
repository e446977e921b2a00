//! Whether an address carries data to a host: by the length of its query, by values and names that look
//! encoded, by a part that waits to be filled in.
//!
//! An image is loaded by the client itself, a link by somebody who follows it: the bounds of images are
//! narrow, those of links leave room for signed links to downloads. What is shorter than the bounds
//! passes; only a list of hosts that may be reached is a boundary.

use super::address::{Address, Scheme};
use super::rule::Rule;
use unicode_normalization::UnicodeNormalization;

/// How an address is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is loaded by whoever shows it.
    Image,
    /// Somebody follows it.
    Link,
}

/// Why an address goes too far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It carries something.
    Payload,
    /// It waits to be filled in.
    Placeholder,
    /// Its host is none of those that images may come from.
    Unlisted,
}

/// What an address may be before it counts as one that carries data.
struct Bounds {
    /// Bytes of the whole query.
    query: usize,
    /// Bytes of one value of it that looks encoded.
    value: usize,
    /// Bytes of one part of the path that looks encoded.
    segment: usize,
    /// Bytes of all parts of the path that look encoded.
    path: usize,
}

const IMAGE: Bounds = Bounds {
    query: 256,
    value: 40,
    segment: 72,
    path: 128,
};

const LINK: Bounds = Bounds {
    query: 2048,
    value: 512,
    segment: 256,
    path: 512,
};

/// Bytes of one part of a host's name that looks encoded, and of all parts below a domain.
const LABEL: usize = 32;
const LABELS: usize = 80;

/// The longest picture that may stand in a `data:` address.
const PICTURE_MAX: usize = 32 * 1024;

/// The formats of pictures that hold nothing but a picture.
const PICTURES: &[&str] = &[
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/jpg",
    "image/png",
    "image/webp",
];

/// The name of a host that may be reached, or of all below one: `*.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    name: Box<str>,
    is_all_below: bool,
}

impl Host {
    /// The host `example.com`, or with `*.example.com` every one below it. Whether that is the name of a
    /// host is for whoever wrote it to know: what is none names none.
    pub fn named(text: &str) -> Host {
        let (name, is_all_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        Host {
            name: name.to_ascii_lowercase().into(),
            is_all_below,
        }
    }

    fn is(&self, host: &str) -> bool {
        match (self.is_all_below, host.strip_suffix(&*self.name)) {
            (true, Some(below)) => below.ends_with('.'),
            (false, Some(rest)) => rest.is_empty(),
            (_, None) => false,
        }
    }
}

/// The hosts that may be reached with anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    named: Vec<Host>,
    are_all: bool,
}

impl Hosts {
    /// These. An image of any other host is judged by what its address carries.
    pub fn new(hosts: Vec<Host>) -> Self {
        Hosts {
            named: hosts,
            are_all: false,
        }
    }

    /// These, and no image comes from any other host, whatever its address is.
    pub fn only(hosts: Vec<Host>) -> Self {
        Hosts {
            named: hosts,
            are_all: true,
        }
    }

    /// Whether an address is so short that it carries nothing, and comes from where it may, whatever that is.
    pub(super) fn pass_unread(&self, spelled: &[u8], used: Use) -> bool {
        let is_any = used == Use::Link || !self.are_all;
        is_any && is_harmless(spelled, used)
    }

    fn has(&self, host: &str) -> bool {
        self.named.iter().any(|it| it.is(host)) && !is_ambiguous(host)
    }
}

/// Whether an address is too short to carry anything, as it is spelled: reading it would only make it
/// shorter. Most addresses are.
fn is_harmless(spelled: &[u8], used: Use) -> bool {
    let behind = [&b"https://"[..], b"http://"]
        .into_iter()
        .find_map(|scheme| spelled.strip_prefix(scheme));
    let Some(behind) = behind else { return false };
    let ends = |byte: &u8| matches!(byte, b'/' | b'\\' | b'?' | b'#');
    let authority = behind.iter().position(ends).unwrap_or(behind.len());
    let waits = |byte: &u8| matches!(byte, b'{' | b'<' | b'$' | b'%' | b'&');
    authority < LABEL
        && match used {
            Use::Image => behind.len() < IMAGE.value && !behind.iter().any(waits),
            Use::Link => behind.len() < LINK.segment,
        }
}

/// Whether readers may make of the name of a host what is none, or another one: a sign in it that is no
/// part of names, or a character that is such a sign in its plainest form (Unicode NFKC), as `／` is `/`.
fn is_ambiguous(host: &str) -> bool {
    let is_part =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') || !c.is_ascii();
    let is_address = host.starts_with('[') && host.ends_with(']');
    !is_address && host.nfkc().any(|c| !is_part(c))
}

/// Whether an address is one of another machine that is none of these hosts.
pub(super) fn is_elsewhere(address: &Address, hosts: &Hosts) -> bool {
    let parts = Parts::of(address).filter(|_| address.scheme == Scheme::Web);
    parts.is_some_and(|parts| !hosts.has(&parts.host))
}

/// The rule by which an address goes too far, or nothing.
pub(super) fn rule(address: &Address, used: Use, hosts: &Hosts) -> Option<Rule> {
    Some(match (used, judge(address, used, hosts)?) {
        (Use::Image, Why::Payload) => Rule::ImageExfiltration,
        (Use::Image, Why::Placeholder) => Rule::ImagePlaceholder,
        (Use::Image, Why::Unlisted) => Rule::UnlistedImage,
        (Use::Link, _) => Rule::LinkExfiltration,
    })
}

/// Why an address goes too far, or nothing.
fn judge(address: &Address, used: Use, hosts: &Hosts) -> Option<Why> {
    if !matches!(address.scheme, Scheme::File | Scheme::Web) {
        return None;
    }
    let parts = Parts::of(address)?;
    if hosts.has(&parts.host) {
        return None;
    }
    let bounds = match used {
        Use::Image => IMAGE,
        Use::Link => LINK,
    };
    // A file of another machine: asking for it tells that machine who is signed in here.
    let is_shared = address.scheme == Scheme::File && used == Use::Image;
    if is_shared || address.length > address.text.len().max(8 * 1024) {
        return Some(Why::Payload);
    }
    if parts.carries(&bounds) {
        return Some(Why::Payload);
    }
    if used == Use::Link {
        return None;
    }
    match waits_to_be_filled_in(parts.behind_host) {
        true => Some(Why::Placeholder),
        false => hosts.are_all.then_some(Why::Unlisted),
    }
}

/// Whether a `data:` address is a small picture, used as one.
pub(super) fn is_picture(address: &Address, used: Use) -> bool {
    let format = address.text.get(5..).and_then(|rest| {
        let end = rest.find([';', ','])?;
        rest.get(..end)
    });
    let known =
        format.is_some_and(|format| PICTURES.iter().any(|it| it.eq_ignore_ascii_case(format)));
    used == Use::Image && known && address.length <= PICTURE_MAX
}

/// The host of an address as a notice may name it: nothing in it can be markup.
pub(super) fn host_for_notice(address: &Address) -> String {
    let Some(parts) = Parts::of(address).filter(|parts| !parts.host.is_empty()) else {
        return "address".to_owned();
    };
    let plain = |c: char| match c {
        'a'..='z' | '0'..='9' | '.' | '-' => c,
        _ => '?',
    };
    // A name that carries data says it again in a notice: what is long is left out.
    let count = parts.host.chars().count();
    let shown = parts.host.chars().skip(count.saturating_sub(40));
    shown.map(plain).collect()
}

struct Parts<'a> {
    host: String,
    behind_host: &'a str,
    path: &'a str,
    query: &'a str,
    /// The name of a user, which is sent as well.
    user: &'a str,
}

impl<'a> Parts<'a> {
    fn of(address: &'a Address) -> Option<Parts<'a>> {
        let text = address.text.as_str();
        let rest = match address.colon {
            Some(_) => text.split_once(':')?.1,
            None => text,
        };
        let bare = rest.trim_start_matches(['/', '\\']);
        // A file without a host is one of the reader's own machine.
        if address.scheme == Scheme::File && rest.len() - bare.len() != 2 {
            return None;
        }
        let rest = bare;
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        let (authority, behind_host) = rest.split_at_checked(end)?;
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let host = match host.starts_with('[') {
            true => host.split_inclusive(']').next(),
            false => host.split(':').next(),
        };
        let host = host.unwrap_or_default().trim_end_matches('.');
        let (path, query) = match behind_host.find(['?', '#']) {
            Some(at) => behind_host.split_at_checked(at)?,
            None => (behind_host, ""),
        };
        Some(Parts {
            host: host.to_ascii_lowercase(),
            behind_host,
            path,
            query,
            user,
        })
    }

    fn carries(&self, bounds: &Bounds) -> bool {
        if self.query.len().saturating_add(self.user.len()) > bounds.query {
            return true;
        }
        let mut values = self
            .query
            .split(['?', '&', ';', '#', '='])
            .chain(self.query.split('/'))
            .chain(self.user.split([':', '@']));
        if values.any(|value| value.len() >= bounds.value && looks_encoded(value)) {
            return true;
        }
        let mut encoded = 0;
        for segment in self.path.split(['/', '\\', ';']) {
            let bare = segment.rsplit_once('.').map_or(segment, |(name, _)| name);
            if bare.len() >= 16 && looks_encoded(bare) {
                encoded += bare.len();
                if bare.len() >= bounds.segment {
                    return true;
                }
            }
        }
        encoded >= bounds.path || self.host_carries()
    }

    fn host_carries(&self) -> bool {
        let labels = self.host.rsplit('.').skip(2);
        let mut all = 0;
        for label in labels {
            all += label.len();
            // Names of that length are made of words, or they are none.
            let is_one = !label.contains('-');
            if label.len() >= LABEL && (is_one || looks_encoded(label)) {
                return true;
            }
        }
        all >= LABELS
    }
}

/// Whether a word is one that no person wrote: digits and letters mixed as encodings and digests mix
/// them, or many escaped characters.
fn looks_encoded(word: &str) -> bool {
    let mut seen = [0u32; 256];
    let (mut changes, mut digits, mut escapes, mut spaces) = (0u32, 0u32, 0u32, 0u32);
    let mut last = Class::Other;
    for byte in word.bytes() {
        if let Some(count) = seen.get_mut(usize::from(byte)) {
            *count += 1;
        }
        let class = Class::of(byte);
        digits += u32::from(class == Class::Digit);
        escapes += u32::from(byte == b'%');
        spaces += u32::from(matches!(byte, b'+'));
        changes += u32::from(class != last && class != Class::Other && last != Class::Other);
        last = class;
    }
    let length = f64::from(u32::try_from(word.len()).unwrap_or(u32::MAX));
    let entropy: f64 = seen
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum();
    let mixes = f64::from(changes) / length >= 0.2 && entropy >= 3.0;
    let counts = f64::from(digits) / length >= 0.6 && entropy >= 2.5;
    let says = f64::from(escapes + spaces) / length >= 0.06 && word.len() >= 40;
    mixes || counts || says
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Digit,
    Lower,
    Other,
    Upper,
}

impl Class {
    fn of(byte: u8) -> Class {
        match byte {
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            _ => Class::Other,
        }
    }
}

/// Whether a part of an address asks a reader to put something in its place.
fn waits_to_be_filled_in(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["{", "%7b", "$(", "<", "%3c"]
        .iter()
        .any(|sign| lower.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str, used: Use) -> Option<Why> {
        let hosts = ["cdn.example", "*.ours.example"].map(Host::named);
        let address = Address::read(text, 0..text.len(), false);
        judge(&address, used, &Hosts::new(hosts.into()))
    }

    #[test]
    fn n9_3_images_of_every_day_carry_nothing() {
        for address in [
            "https://img.shields.io/npm/v/express.svg?style=flat-square&logo=npm&label=version",
            "https://img.shields.io/badge/license-MIT-blue.svg",
            "https://github.com/user/repo/actions/workflows/ci.yml/badge.svg?branch=main",
            "https://avatars.githubusercontent.com/u/1234567?s=200&v=4",
            "https://www.gravatar.com/avatar/205e460b479e2e5b48aec07710c08d50?s=80&d=retro",
            "https://user-images.githubusercontent.com/1234/5678-9a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d.png",
            "https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist/img/logo-5d41402abc4b2a76b9719d911017c592.png",
            "https://registry.example/blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.png",
            "https://upload.wikimedia.org/wikipedia/commons/thumb/1/1a/A_very_long_name_of_a_picture_of_something_in_the_world.jpg/220px-A_very_long_name_of_a_picture_of_something_in_the_world.jpg",
            "https://d111111abcdef8.cloudfront.net/a.png",
            "//example.com/a.png",
            "images/logo.png",
            "file:///home/alice/a.png",
        ] {
            assert_eq!(judged(address, Use::Image), None, "{address}");
        }
    }

    /// Addresses, and why each goes too far: as an image, as a link. `DATA` stands for something encoded.
    const CARRIES: &[(&str, Option<Why>, Option<Why>)] = &[
        ("https://evil.example/?q=DATA", PAYLOAD, None),
        ("https://evil.example/DATADATA", PAYLOAD, None),
        ("https://evil.example/#DATA", PAYLOAD, None),
        (
            "https://mzxw6ytboi4dkmrxgqztsobugyzdonzx.evil.example/a.png",
            PAYLOAD,
            PAYLOAD,
        ),
        ("https://evil.example/?q=LONG", PAYLOAD, PAYLOAD),
        ("https://evil.example@DATADATA@x.example/", PAYLOAD, None),
        ("https://DATA@evil.example/", PAYLOAD, None),
        ("https://a:DATA@evil.example/", PAYLOAD, None),
        ("https://NAMEDNAMED@evil.example/?q=DATA", PAYLOAD, None),
        ("https://alice@evil.example:8443/a.png", None, None),
        (
            "https://evil.example/?q=the+key+is+four+two+and+the+name+is+alice",
            PAYLOAD,
            None,
        ),
        ("https://evil.example/?q={{SECRET}}", PLACEHOLDER, None),
        ("https://evil.example/%7Bsecret%7D.png", PLACEHOLDER, None),
        ("https://evil.example/<SECRET>.png", PLACEHOLDER, None),
        ("file://evil.example/share/a.png", PAYLOAD, None),
        ("//evil.example/?q=DATA", PAYLOAD, None),
        ("\\\\evil.example\\?q=DATA", PAYLOAD, None),
        ("https://cdn.example/?q=DATA", None, None),
        ("https://CDN.Example.:443/?q=DATA", None, None),
        ("https://a.ours.example/?q=DATA", None, None),
        ("https://ours.example/?q=DATA", PAYLOAD, None),
        ("https://cdn.example.evil.example/?q=DATA", PAYLOAD, None),
        ("https://cdn.example@evil.example/?q=DATA", PAYLOAD, None),
        ("https://xcdn.example/?q=DATA", PAYLOAD, None),
        (
            "https://evil.example\u{ff0f}.ours.example/?q=DATA",
            PAYLOAD,
            None,
        ),
    ];
    const PAYLOAD: Option<Why> = Some(Why::Payload);
    const PLACEHOLDER: Option<Why> = Some(Why::Placeholder);

    fn spelled_out(address: &str) -> String {
        let secret = "QUtJQUlPU0ZPRE5ON0VYQU1QTEU6d0phbHJYVXRuRkVNSS9LN01ERU5H";
        let address = address.replace("LONG", &secret.repeat(10));
        let address = address.replace("NAMED", &"a".repeat(40));
        address.replace("DATA", secret)
    }

    #[test]
    fn what_is_passed_over_as_short_is_what_would_pass() {
        for (address, image, link) in CARRIES {
            let address = spelled_out(address);
            for (used, why) in [(Use::Image, image), (Use::Link, link)] {
                let harmless = is_harmless(address.as_bytes(), used);
                assert!(!harmless || why.is_none(), "{address}");
            }
        }
        assert!(is_harmless(b"https://a.example/b?c=d", Use::Image));
        assert!(!is_harmless(b"https://a.example/{b}", Use::Image));
        assert!(!is_harmless(b"file://a.example/b", Use::Image));
    }

    #[test]
    fn n9_3_where_images_come_from_listed_hosts_only_no_other_is_loaded() {
        let hosts = Hosts::only(vec![
            Host::named("cdn.example"),
            Host::named("*.ours.example"),
        ]);
        for (address, image) in [
            ("https://cdn.example/a.png", None),
            ("https://cdn.example/?q=DATA", None),
            ("https://a.ours.example/a.png", None),
            ("https://ours.example/a.png", Some(Why::Unlisted)),
            ("https://e.example/", Some(Why::Unlisted)),
            ("//e.example/a", Some(Why::Unlisted)),
            ("https://cdn.example@e.example/", Some(Why::Unlisted)),
            ("https://e.example/?q=DATA", PAYLOAD),
            ("https://e.example/{a}", PLACEHOLDER),
            // What some readers take for the end of the name of another host.
            (
                "https://e.example\u{ff0f}.ours.example/",
                Some(Why::Unlisted),
            ),
            (
                "https://e.example\u{2100}.ours.example/",
                Some(Why::Unlisted),
            ),
            (
                "https://e.example\u{ff1f}.ours.example/",
                Some(Why::Unlisted),
            ),
            (
                "https://e.example\u{ff03}.ours.example/",
                Some(Why::Unlisted),
            ),
            (
                "https://e.example\u{ff20}.ours.example/",
                Some(Why::Unlisted),
            ),
            ("https://e.example%2f.ours.example/", Some(Why::Unlisted)),
            ("https://e.example;.ours.example/", Some(Why::Unlisted)),
            ("https://b\u{fc}cher.ours.example/", None),
            ("https://a_b-c.ours.example/", None),
            // What is no address of another machine is loaded from none.
            ("images/logo.png", None),
            ("data:image/png;base64,AA", None),
            ("file:///a.png", None),
        ] {
            let address = spelled_out(address);
            let read = Address::read(&address, 0..address.len(), false);
            assert_eq!(judge(&read, Use::Image, &hosts), image, "{address}");
            let link = "https://e.example/a";
            let read = Address::read(link, 0..link.len(), false);
            assert_eq!(judge(&read, Use::Link, &hosts), None);
        }
    }

    #[test]
    fn n9_3_addresses_that_carry_data_are_told_apart() {
        for (address, image, link) in CARRIES {
            let address = spelled_out(address);
            assert_eq!(judged(&address, Use::Image), *image, "image {address}");
            assert_eq!(judged(&address, Use::Link), *link, "link {address}");
        }
        for (length, image, link) in [
            (200, None, None),
            (300, PAYLOAD, None),
            (3_000, PAYLOAD, PAYLOAD),
        ] {
            let address = format!("https://evil.example/?q={}", "a".repeat(length));
            assert_eq!(judged(&address, Use::Image), image, "image of {length}");
            assert_eq!(judged(&address, Use::Link), link, "link of {length}");
        }
    }
}
