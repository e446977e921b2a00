//! What of HTML does something: elements, attributes, and which attributes are loaded from.

use super::carry::Use;
use super::rule::Rule;

/// How long the name of an element is that is known here.
pub(super) const NAME_MAX: usize = 24;

/// How long the name of an attribute may be: the longest of an event has 41 letters.
pub(super) const ATTRIBUTE_MAX: usize = 64;

/// Elements that do something as they stand.
const ALONE: &[(&str, Rule)] = &[("script", Rule::Script), ("style", Rule::Style)];

/// Elements that do something by their attributes, and nothing without one.
const WITH_ATTRIBUTES: &[(&str, Rule)] = &[
    ("animate", Rule::Script),
    ("applet", Rule::Frame),
    ("base", Rule::Redirect),
    ("embed", Rule::Frame),
    ("fencedframe", Rule::Frame),
    ("form", Rule::Form),
    ("frame", Rule::Frame),
    ("iframe", Rule::Frame),
    ("link", Rule::Style),
    ("meta", Rule::Redirect),
    ("object", Rule::Frame),
    ("portal", Rule::Frame),
    ("set", Rule::Script),
    ("webview", Rule::Frame),
];

/// Attributes that are loaded from.
const LOADED: &[&str] = &[
    "background",
    "code",
    "codebase",
    "data",
    "dynsrc",
    "imagesrcset",
    "lowsrc",
    "poster",
    "src",
    "srcset",
];

/// Attributes that somebody follows, or that an element gets an address by.
const FOLLOWED: &[&str] = &[
    "action",
    "cite",
    "formaction",
    "longdesc",
    "manifest",
    "ping",
    "profile",
];

/// Attributes by which an animation gives another element an address, which may be one that is loaded.
const ANIMATED: &[&str] = &["by", "from", "to", "values"];

/// Attributes that are styles by themselves.
const PAINTED: &[&str] = &[
    "clip-path",
    "cursor",
    "fill",
    "filter",
    "marker",
    "marker-end",
    "marker-mid",
    "marker-start",
    "mask",
    "stroke",
];

/// Elements whose `href` somebody follows. Any other's is loaded.
const ANCHORS: &[&str] = &["a", "area", "q"];

/// What an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    /// It holds an address.
    Address(Use),
    /// It runs.
    Handler,
    /// It holds a document.
    Document,
    /// It holds the value of a property of style.
    Paint,
    /// It holds an address that is opened after a while.
    Refresh,
    /// It holds a style.
    Style,
}

impl Attribute {
    /// What an attribute of this name is, in an element of that name.
    pub(super) fn named(name: &str, element: &str) -> Option<Attribute> {
        let is = |list: &[&str]| list.iter().any(|it| it.eq_ignore_ascii_case(name));
        let first = name.as_bytes().first()?.to_ascii_lowercase();
        match first {
            b'o' => is_handler(name).then_some(Attribute::Handler),
            b's' if name.eq_ignore_ascii_case("style") => Some(Attribute::Style),
            b's' if name.eq_ignore_ascii_case("srcdoc") => Some(Attribute::Document),
            b'h' | b'x' if is(&["href", "xlink:href"]) => {
                let mut anchors = ANCHORS.iter();
                let followed = anchors.any(|it| it.eq_ignore_ascii_case(element));
                Some(Attribute::Address(match followed {
                    true => Use::Link,
                    false => Use::Image,
                }))
            }
            b'c' if name.eq_ignore_ascii_case("content") => Some(Attribute::Refresh),
            _ if is(LOADED) || is(ANIMATED) => Some(Attribute::Address(Use::Image)),
            _ if is(PAINTED) => Some(Attribute::Paint),
            _ if is(FOLLOWED) => Some(Attribute::Address(Use::Link)),
            _ => None,
        }
    }
}

/// `on` and the name of an event: everything that begins so in a tag is one, or will be.
fn is_handler(name: &str) -> bool {
    let event = name.get(2..).unwrap_or_default();
    let begins = name
        .get(..2)
        .is_some_and(|it| it.eq_ignore_ascii_case("on"));
    begins && event.len() >= 3 && event.bytes().all(|it| it.is_ascii_alphabetic())
}

/// The rule about an element, by its name and what follows that.
pub(super) fn element(name: &str, behind: &str) -> Option<Rule> {
    let find = |list: &[(&str, Rule)]| {
        let found = list.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, rule)| *rule)
    };
    if let Some(rule) = find(ALONE) {
        return Some(rule);
    }
    let rule = find(WITH_ATTRIBUTES)?;
    // A tag without any value does nothing yet; one that another begins in reads in two ways.
    let end = behind.find(['<', '>']).unwrap_or(behind.len());
    let (inner, rest) = behind.split_at_checked(end)?;
    let inert = !inner.contains('=') && !rest.starts_with('<');
    if inner.is_empty() || inert {
        return None;
    }
    if name.eq_ignore_ascii_case("meta") && !redirects(behind) {
        return None;
    }
    Some(rule)
}

/// Whether a `meta` may be one that leads somewhere: it is one unless it ends without saying so.
fn redirects(behind: &str) -> bool {
    let end = behind.find('<').unwrap_or(behind.len()).min(META_MAX);
    let bytes = behind.as_bytes().get(..end).unwrap_or_default();
    let equivalent = b"http-equiv";
    let says = |it: &[u8]| it.eq_ignore_ascii_case(equivalent);
    !bytes.contains(&b'>') || bytes.windows(equivalent.len()).any(says)
}

/// How far the attributes of a `meta` are read.
const META_MAX: usize = 1024;

/// Whether the style of an attribute loads or runs something. What is escaped in it counts as that.
pub(super) fn style_is_active(style: &str) -> bool {
    let lower = style.to_ascii_lowercase();
    let active = [
        "url(",
        "image(",
        "image-set(",
        "expression(",
        "@import",
        "-moz-binding",
        "behavior:",
        "\\",
        "&",
    ];
    active.iter().any(|it| lower.contains(it))
}
