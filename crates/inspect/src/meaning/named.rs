//! Values of which nothing is known but a name, as of arguments of prompts, and addresses of resources of
//! which nobody said anything: what they seem to mean.

use super::rule::UNDECLARED;
use super::{
    Around, Asked, Basis, Consequence, Expectation, Judged, Kind, Meaning, Outcome, Parameters,
    Roots, look, recognise, url,
};
use crate::pointer;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::LazyLock;

/// One expectation for each meaning, in the order of [`Meaning::ALL`].
static RECOGNISED: LazyLock<Vec<Expectation>> = LazyLock::new(|| {
    let expected = |meaning| Expectation {
        basis: Basis::Recognised,
        otherwise: Consequence::Refuse,
        kind: Kind::of(meaning),
    };
    Meaning::ALL.map(expected).into()
});

fn recognised(meaning: Meaning) -> Option<&'static Expectation> {
    let mut all = RECOGNISED.iter();
    all.find(|expected| expected.kind.meaning() == meaning)
}

/// Checks values by their names alone. What comes back are those about which there is something to say.
pub fn check_named(values: &Map<String, Value>, around: &Around<'_>) -> Vec<Judged<'static>> {
    let mut judged = Vec::new();
    for (name, value) in values {
        if let Some(expected) = recognise::by_name_alone(name).and_then(recognised) {
            let way = || vec![pointer::Key::Member(name)];
            look(&way, value, expected, around, &mut judged);
        }
    }
    judged
}

/// Checks the URI of a resource of which nobody said anything: what its scheme says that it leads to, a place
/// in a file system or on the network. Of other schemes only what nobody sees is asked.
pub fn check_uri(uri: &str, around: &Around<'_>) -> Vec<Judged<'static>> {
    let (meaning, texts) = match places_of_file(uri) {
        Some(places) => (Meaning::Path, places),
        None => (Meaning::Url, vec![Cow::Borrowed(uri)]),
    };
    let Some(expected) = recognised(meaning) else {
        return Vec::new();
    };
    if around.asked == Asked::Unseen {
        // No URI holds what nobody sees, whatever it leads to.
        return told(expected, expected.unseen(uri)).into_iter().collect();
    }
    if meaning == Meaning::Url && !url::leads(uri) {
        return Vec::new();
    }
    let none = Roots::default();
    let roots = around.roots.unwrap_or(&none);
    let outcomes = texts.iter().map(|text| expected.check_within(text, roots));
    outcomes
        .filter_map(|outcome| told(expected, outcome))
        .collect()
}

/// Checks what stands in the variables of a URI of which something was declared.
///
/// A path is judged as it is written, too: where dots and slashes are encoded, readers differ. So it is without
/// what would be a query or a fragment. A whole URL is judged as it is written alone.
pub fn check_parts<'a>(
    parameters: &'a Parameters,
    parts: &[(&str, &str)],
    around: &Around<'_>,
) -> Vec<Judged<'a>> {
    let mut judged = parameters.check_but(&read(parts, readings), around);
    judged.retain(|it| is_asked(it, parts));
    let mut cut = parameters.check_but(&read(parts, cuts), around);
    cut.retain(is_path);
    judged.extend(cut);
    judged
}

/// The same by the names of the variables alone.
pub fn check_named_parts(parts: &[(&str, &str)], around: &Around<'_>) -> Vec<Judged<'static>> {
    let mut judged = check_named(&read(parts, readings), around);
    judged.retain(|it| is_asked(it, parts));
    let mut cut = check_named(&read(parts, cuts), around);
    cut.retain(is_path);
    judged.extend(cut);
    judged
}

fn is_path(judged: &Judged<'_>) -> bool {
    judged.expected.kind.meaning() == Meaning::Path
}

/// Every reading of each part.
fn read(parts: &[(&str, &str)], readings: fn(&str) -> Vec<Cow<'_, str>>) -> Map<String, Value> {
    let values = parts.iter().map(|(name, text)| {
        let readings = readings(text);
        let readings = readings.iter().map(|text| Value::from(&**text)).collect();
        ((*name).to_owned(), Value::Array(readings))
    });
    values.collect()
}

/// Whether this reading of a part is one that counts for what the part means.
fn is_asked(judged: &Judged<'_>, parts: &[(&str, &str)]) -> bool {
    let Some((name, reading)) = judged.pointer.rsplit_once('/') else {
        return true;
    };
    let named = |(part, _): &&(&str, &str)| name.strip_prefix('/') == Some(*part);
    let written = parts.iter().find(named).map_or("", |(_, written)| *written);
    match (judged.expected.kind.meaning(), reading) {
        (Meaning::Path, _) => true,
        (Meaning::Url, _) if !written.contains('%') => true,
        (Meaning::Url, reading) => (reading == "1") == written.contains("://"),
        (_, reading) => reading == "0",
    }
}

/// What is wrong with a URI that has none of the forms that were declared.
pub fn undeclared(uri: &str) -> Option<Judged<'static>> {
    static DECLARED: LazyLock<Expectation> = LazyLock::new(|| Expectation {
        basis: Basis::Declared,
        otherwise: Consequence::Refuse,
        kind: Kind::of(Meaning::Text),
    });
    let mut outcome = Outcome::default();
    outcome.add(Basis::Declared, &UNDECLARED, 0..uri.len());
    told(&DECLARED, outcome)
}

fn told(expected: &'static Expectation, outcome: Outcome) -> Option<Judged<'static>> {
    (outcome != Outcome::default()).then(|| Judged {
        pointer: String::new(),
        expected,
        outcome,
    })
}

/// A part of a URI as whoever reads the URI has it, and as it is written where that is something else.
fn readings(text: &str) -> Vec<Cow<'_, str>> {
    let read = decoded(text);
    match *read == *text {
        true => vec![Cow::Borrowed(text)],
        false => vec![read.into(), Cow::Borrowed(text)],
    }
}

/// The readings of a path in a URI without what is a query or a fragment there (RFC 3986, sections 3.4 and
/// 3.5); none where there is neither. Whoever takes the encoding off first may find one later: that counts
/// where a way up is left out with it.
fn cuts(text: &str) -> Vec<Cow<'_, str>> {
    let path = before_query(text);
    let mut cuts = match path.len() < text.len() {
        true => readings(path),
        false => Vec::new(),
    };
    let read = decoded(path);
    let found = before_query(&read);
    if read
        .get(found.len()..)
        .is_some_and(|left| left.contains(".."))
    {
        cuts.push(found.to_owned().into());
    }
    cuts
}

fn before_query(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or_default()
}

/// The places that a URI of the scheme `file` names to one reader or another, as most of them have it first;
/// nothing for any other text.
pub(super) fn places_of_file(text: &str) -> Option<Vec<Cow<'_, str>>> {
    let uri = text.get(url::inner(text, &mut |_| false))?;
    let place = place_of_file(uri)?;
    let mut places = readings(before_query(place));
    for reading in readings(place).into_iter().chain(cuts(place)) {
        if !places.contains(&reading) {
            places.push(reading);
        }
    }
    if !place.starts_with(['/', '\\']) {
        // Browsers know no relative place: to them `file:a` is `/a`.
        let rooted = places.iter().map(|it| Cow::Owned(format!("/{it}")));
        let rooted: Vec<_> = rooted.collect();
        places.extend(rooted);
    }
    Some(places)
}

/// The place that a URI of the scheme `file` names (RFC 8089); with its host, if that is not this machine.
fn place_of_file(uri: &str) -> Option<&str> {
    let scheme = uri.get(..5)?;
    if !scheme.eq_ignore_ascii_case("file:") {
        return None;
    }
    let rest = uri.get(5..)?;
    let Some(authority) = rest.strip_prefix("//") else {
        return Some(rest);
    };
    let path = authority.find('/').unwrap_or(authority.len());
    let (host, place) = authority.split_at_checked(path)?;
    let here = host.is_empty() || host.eq_ignore_ascii_case("localhost");
    Some(if here { place } else { rest })
}

/// A part of a URI with its percent-encoding taken off once, as whoever reads the URI does it. What is no
/// text then stays as it was written.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = match rest {
            [b'%', high, low, ..] => super::path::hex(*high)
                .zip(super::path::hex(*low))
                .map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(byte.unwrap_or(*first));
        rest = match byte {
            Some(_) => rest.get(3..).unwrap_or_default(),
            None => after,
        };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
