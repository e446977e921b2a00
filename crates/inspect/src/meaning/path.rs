//! Places in a file system: read as every program on the way might read them, and inside the roots in
//! each of these readings.
//!
//! Nothing here looks at a disk. What a link leads to is for somebody who can see it; the place that
//! was named is handed back for that.

use super::rule::*;
use super::{named, url};
use std::borrow::Cow;
use std::ops::Range;
use thiserror::Error;

/// Bytes of a path, and of one name in it.
const LONGEST: usize = 4096;
const NAME: usize = 255;
/// How often percent-encoding is taken off: what stands behind that is nobody's reading.
const PEELS: usize = 3;

/// The directories in which paths may lie. Without any, only the way a path is written is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    roots: Vec<Vec<Box<str>>>,
}

/// Why a directory is no root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RootsError {
    /// It does not begin with a slash.
    #[error("a root is an absolute path, such as `/srv/data`")]
    Relative,
    /// It is written in a way that paths may not be.
    #[error("a root is written plainly, without `.`, `..`, `\\` or control characters")]
    Unclear,
}

impl Roots {
    /// Roots from absolute paths. A relative path is understood to begin in the first one.
    pub fn new<'a>(roots: impl IntoIterator<Item = &'a str>) -> Result<Self, RootsError> {
        let read = |root: &str| {
            let names = root.strip_prefix('/').ok_or(RootsError::Relative)?;
            let names: Vec<Box<str>> = names
                .split('/')
                .filter(|name| !name.is_empty())
                .map(Into::into)
                .collect();
            let unclear = |name: &str| {
                matches!(name, "." | "..") || name.contains(|c: char| c == '\\' || c.is_control())
            };
            match names.iter().any(|name| unclear(name)) {
                true => Err(RootsError::Unclear),
                false => Ok(names),
            }
        };
        let roots = roots.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Roots { roots })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The roots, as absolute paths.
    pub fn iter(&self) -> impl Iterator<Item = String> + '_ {
        self.roots
            .iter()
            .map(|names| format!("/{}", names.join("/")))
    }

    /// A path as it is written, absolute.
    fn written(&self, path: &str) -> Option<String> {
        if path.starts_with('/') {
            return Some(path.to_owned());
        }
        Some(format!("{}/{path}", self.iter().next()?))
    }

    /// Whether some reader is led out of the roots by a path, or by what stands where one is expected.
    fn are_left_by(&self, view: &[u8]) -> bool {
        if self.is_empty() {
            return false;
        }
        let outside = |path: &[u8]| {
            Reading::all(path)
                .iter()
                .any(|reading| self.place(path, reading).is_none())
        };
        if outside(view) {
            return true;
        }
        if self.roots.iter().any(Vec::is_empty) {
            // Everything is inside.
            return false;
        }
        let text = String::from_utf8_lossy(view);
        match named::places_of_file(&text) {
            Some(places) => places.iter().any(|place| outside(place.as_bytes())),
            None => is_home(&text) || is_drive(&text) || is_url(&text),
        }
    }

    /// The place that a path names, without `.` and `..`; nothing if it lies outside.
    fn place(&self, path: &[u8], reading: &Reading) -> Option<Vec<u8>> {
        let is_separator = reading.is_separator;
        let absolute = path.first().is_some_and(|byte| is_separator(*byte));
        let mut names: Vec<&[u8]> = Vec::new();
        if !absolute {
            let base = self.roots.first()?;
            names.extend(base.iter().map(|name| name.as_bytes()));
        }
        for name in path.split(|byte| is_separator(*byte)) {
            match (reading.name)(name) {
                b"" | b"." => {}
                // Above `/` there is `/`.
                b".." => _ = names.pop(),
                name => names.push(name),
            }
        }
        let inside = |root: &Vec<Box<str>>| {
            root.len() <= names.len()
                && root
                    .iter()
                    .zip(&names)
                    .all(|(root, name)| root.as_bytes() == *name)
        };
        if !self.roots.iter().any(inside) {
            return None;
        }
        let mut place = Vec::with_capacity(path.len() + 1);
        for name in names {
            place.push(b'/');
            place.extend_from_slice(name);
        }
        if place.is_empty() {
            place.push(b'/');
        }
        Some(place)
    }
}

/// The place a path names inside the roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFound {
    /// Absolute, without `.` and `..`, as the path was written.
    pub place: String,
    /// Absolute, with them: behind a link, `..` leads to where the link leads from there.
    pub written: String,
}

pub(super) fn check(
    text: &str,
    roots: &Roots,
    add: &mut impl FnMut(&'static Rule, Range<usize>),
) -> Option<PathFound> {
    let all = 0..text.len();
    characters(text, add);
    beginning(text, add);
    names(text, add);
    if text.len() > LONGEST {
        add(&PATH_LONG, all.clone());
    }
    let plain = climbs(text.as_bytes());
    if plain.any && (roots.is_empty() && plain.below_start || !roots.is_empty()) {
        add(climb_rule(roots, &plain), all.clone());
    }
    let outside_plainly = roots.are_left_by(text.as_bytes());
    if outside_plainly {
        add(&PATH_OUTSIDE, all.clone());
    }
    for view in readings(text) {
        if view.contains(&0) && !text.contains('\0') {
            add(&PATH_NUL, all.clone());
        }
        let climbs_unseen = climbs(&view).any && !plain.any;
        if climbs_unseen || !outside_plainly && roots.are_left_by(&view) {
            add(&PATH_DISGUISED, all.clone());
        }
    }
    if roots.is_empty() || outside_plainly {
        return None;
    }
    // Of the URI of a file it is the place that it names.
    let named = named::places_of_file(text).and_then(|places| places.into_iter().next());
    let path = named.as_deref().unwrap_or(text);
    let place = roots.place(path.as_bytes(), &PLAIN)?;
    let place = String::from_utf8(place).ok()?;
    let written = roots.written(path)?;
    Some(PathFound { place, written })
}

/// Where roots are known, `..` alone hurts nobody who only uses the place it leads to: it is asked of
/// declared paths, since where links are on the way it leads elsewhere.
fn climb_rule(roots: &Roots, plain: &Climbs) -> &'static Rule {
    match roots.is_empty() || plain.below_start {
        true => &PATH_TRAVERSAL,
        false => &PATH_DOTS,
    }
}

fn characters(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    for (at, c) in text.char_indices() {
        let here = at..at + c.len_utf8();
        match c {
            '\0' => add(&PATH_NUL, here),
            '\\' => add(&PATH_BACKSLASH, here),
            ':' => add(&PATH_COLON, here),
            c if c.is_ascii() && !c.is_ascii_control() => {}
            c if c.is_control() => add(&PATH_CONTROL, here),
            '\u{2028}' | '\u{2029}' => add(&PATH_CONTROL, here),
            c if folded(c) != Folded::Itself => add(&PATH_LOOKALIKE, here),
            _ => {}
        }
    }
    let bytes = text.as_bytes();
    let encoded = bytes.windows(3).position(|three| {
        let byte = match three {
            [b'%', high, low] => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        // Dots, slashes, control characters, and the first bytes of their overlong spellings.
        byte.is_some_and(|byte| {
            matches!(byte, b'.' | b'/' | b'\\' | 0x25 | 0xc0 | 0xc1 | 0xe0 | 0xf0) || byte < 0x20
        })
    });
    let unicode = text.find("%u").or_else(|| text.find("%U"));
    if let Some(at) = encoded.or(unicode) {
        add(&PATH_ENCODED, at..(at + 3).min(text.len()));
    }
}

/// What a path must not begin with, or end with.
fn beginning(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    let trimmed = text.trim_start();
    if trimmed.starts_with("\\\\") || trimmed.starts_with("/\\") || trimmed.starts_with("\\/") {
        add(&PATH_UNC, 0..2);
    }
    if text.contains("//") {
        add(&PATH_DOUBLE, 0..text.len());
    }
    if trimmed.starts_with('~') || is_home(text) {
        add(&PATH_HOME, 0..1);
    }
    if trimmed.starts_with(is_dash) {
        add(&PATH_OPTION, 0..1);
    }
    if trimmed.starts_with('|') || text.trim_end().ends_with('|') {
        add(&PATH_PIPE, 0..text.len());
    }
    if is_drive(text) {
        add(&PATH_DRIVE, 0..2);
    }
    if is_url(text) {
        add(&PATH_SCHEME, 0..text.len());
    }
    if text.contains("::") {
        add(&PATH_STREAM, 0..text.len());
    }
}

/// Whether a path begins with a home directory, once a program writes that out: `~`, `~name`, `$HOME`.
/// Names such as `~$report.docx` and `~.lock` are those of files.
fn is_home(text: &str) -> bool {
    let text = text.trim();
    let first = text.split(['/', '\\']).next().unwrap_or_default();
    let is_user = |user: &str| {
        let belongs = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
        !user.starts_with('.') && user.chars().all(belongs)
    };
    matches!(first, "$HOME" | "${HOME}") || first.strip_prefix('~').is_some_and(is_user)
}

fn is_drive(text: &str) -> bool {
    let [letter, b':', ..] = text.trim_start().as_bytes() else {
        return false;
    };
    letter.is_ascii_alphabetic()
}

fn is_url(text: &str) -> bool {
    if named::places_of_file(text).is_some() {
        return true;
    }
    let inner = text.get(url::inner(text, &mut |_| false));
    let (before, _) = inner
        .and_then(|it| it.split_once("://"))
        .unwrap_or_default();
    let belongs =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_' | b':');
    !before.is_empty() && before.bytes().all(belongs)
}

/// Every name on the way.
fn names(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    let mut at = 0;
    let mut way: [&str; 2] = ["", ""];
    for (index, name) in text.split(['/', '\\']).enumerate() {
        let here = at..at + name.len();
        at += name.len() + 1;
        if let Some(slot) = way.get_mut(index.wrapping_sub(1)) {
            *slot = name;
        }
        if is_device(name) {
            add(&PATH_DEVICE, here.clone());
        }
        if name.len() > NAME {
            add(&PATH_LONG, here.clone());
        }
        let dots = matches!(name, "." | "..");
        if !dots && name.ends_with(|c: char| c == '.' || c.is_whitespace()) || name.starts_with(' ')
        {
            add(&PATH_TRAILING, here);
        }
    }
    let system = match way {
        ["proc" | "sys", _] => true,
        ["dev", device] => !matches!(device, "null" | "stdin" | "stdout"),
        _ => false,
    };
    if text.starts_with('/') && system {
        add(&PATH_SYSTEM, 0..text.len());
    }
}

/// Names that mean a device on one system or another, whatever stands behind the dot.
fn is_device(name: &str) -> bool {
    let stem = name.split(['.', ':']).next().unwrap_or_default().trim();
    if !(3..=8).contains(&stem.len()) {
        return false;
    }
    let upper = stem.to_ascii_uppercase();
    match upper.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CLOCK$" | "CONIN$" | "CONOUT$" => true,
        other => other
            .strip_prefix("COM")
            .or_else(|| other.strip_prefix("LPT"))
            .is_some_and(|number| {
                let mut digits = number.chars();
                digits
                    .next()
                    .is_some_and(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'))
                    && digits.next().is_none()
            }),
    }
}

/// How a path climbs.
struct Climbs {
    /// Whether it goes up anywhere.
    any: bool,
    /// Whether it goes above where it began, or goes up from the top.
    below_start: bool,
}

/// How a path climbs, with either slash between names.
fn climbs(path: &[u8]) -> Climbs {
    let mut climbs = Climbs {
        any: false,
        below_start: false,
    };
    let mut depth = 0usize;
    for name in path.split(|byte| is_any_slash(*byte)) {
        match effective(name) {
            b"" | b"." => {}
            b".." => {
                climbs.any = true;
                match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => climbs.below_start = true,
                }
            }
            _ => depth += 1,
        }
    }
    climbs
}

/// How a reader takes a path apart. What leads out for one need not for another, which takes more for
/// a way up, or less: `\\..;/srv/data` is a root to those only who take `..;` for one.
struct Reading {
    is_separator: fn(u8) -> bool,
    name: fn(&[u8]) -> &[u8],
}

/// As POSIX does.
const PLAIN: Reading = Reading {
    is_separator: |byte| byte == b'/',
    name: |name| name,
};

impl Reading {
    /// All readings of a path that can differ.
    fn all(path: &[u8]) -> &'static [Reading] {
        const ALL: [Reading; 8] = {
            const fn either(name: fn(&[u8]) -> &[u8]) -> [Reading; 2] {
                let plain = PLAIN.is_separator;
                [
                    Reading {
                        is_separator: plain,
                        name,
                    },
                    Reading {
                        is_separator: is_any_slash,
                        name,
                    },
                ]
            }
            let [a, b] = either(PLAIN.name);
            let [c, d] = either(effective);
            let [e, f] = either(|name| dots_or(without_parameters(name), name));
            let [g, h] = either(|name| dots_or(name.trim_ascii(), name));
            [a, b, c, d, e, f, g, h]
        };
        let plain = |byte: &u8| !matches!(byte, b'\\' | b';' | 0) && !byte.is_ascii_whitespace();
        match path.iter().all(plain) {
            true => std::slice::from_ref(&PLAIN),
            false => &ALL,
        }
    }
}

/// A name as some server reads it: without what follows a `;` or a zero byte, and without the spaces
/// that some systems take off. Only where that makes it `.` or `..` it is read so.
fn effective(name: &[u8]) -> &[u8] {
    dots_or(without_parameters(name).trim_ascii(), name)
}

fn without_parameters(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|byte| matches!(byte, b';' | 0));
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

fn dots_or<'a>(dots: &'a [u8], name: &'a [u8]) -> &'a [u8] {
    match dots {
        b"." | b".." => dots,
        _ => name,
    }
}

fn is_any_slash(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// A dash, also one that a code page makes into `-`.
pub(super) fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{ad}' | '\u{2010}'
            ..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    )
}

/// The readings of a path with encodings taken off: as a plain decoder has it, the same with look-alikes
/// made ASCII at the end, and by whoever makes them ASCII at each step. None follows from another: what
/// begins with a slash for one reader is inside the roots, and for another it is not.
fn readings(text: &str) -> Vec<Vec<u8>> {
    let mut readings = Vec::new();
    if text.is_ascii() && !text.contains('%') {
        return readings;
    }
    let decoded = std::iter::successors(peel(text.as_bytes()), |view| peel(view));
    for view in decoded.take(PEELS) {
        let alike = ascii(&view);
        if alike != view {
            readings.push(alike);
        }
        readings.push(view);
    }
    let whole = fold(text).into_owned().into_bytes();
    let alike = std::iter::successors(Some(whole), |view| Some(ascii(&peel(view)?)));
    for view in alike.take(PEELS + 1) {
        if !readings.contains(&view) {
            readings.push(view);
        }
    }
    readings
}

/// What was spelled too long, or looks like ASCII, made that.
fn ascii(text: &[u8]) -> Vec<u8> {
    let short = shortened(text);
    match std::str::from_utf8(&short) {
        Ok(text) => fold(text).into_owned().into_bytes(),
        Err(_) => short,
    }
}

/// Takes percent-encoding off once; nothing if there is none.
fn peel(text: &[u8]) -> Option<Vec<u8>> {
    if !text.contains(&b'%') {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some((first, after)) = rest.split_first() {
        let (decoded, length) = match rest {
            [b'%', b'u' | b'U', a, b, c, d, ..] => (wide([*a, *b, *c, *d]), 6),
            [b'%', high, low, ..] => {
                let byte = hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low);
                (byte.map(Decoded::Byte), 3)
            }
            _ => (None, 1),
        };
        match decoded {
            Some(Decoded::Byte(byte)) => bytes.push(byte),
            Some(Decoded::Character(c)) => {
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => {
                bytes.push(*first);
                rest = after;
                continue;
            }
        }
        changed = true;
        rest = rest.get(length..).unwrap_or_default();
    }
    changed.then_some(bytes)
}

enum Decoded {
    Byte(u8),
    Character(char),
}

fn wide(digits: [u8; 4]) -> Option<Decoded> {
    let number = digits.into_iter().try_fold(0u32, |number, digit| {
        Some(number * 16 + u32::from(hex(digit)?))
    })?;
    char::from_u32(number).map(Decoded::Character)
}

pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// ASCII that was spelled in more bytes than it takes (`C0 AE` for a dot) is made ASCII.
fn shortened(bytes: &[u8]) -> Vec<u8> {
    let mut short = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let low = |byte: u8| byte & 0x3f;
        let (character, length) = match *rest {
            [lead @ (0xc0 | 0xc1), last @ 0x80..=0xbf, ..] => ((lead & 1) << 6 | low(last), 2),
            [0xe0, mid @ (0x80 | 0x81), last @ 0x80..=0xbf, ..] => ((mid & 1) << 6 | low(last), 3),
            [0xf0, 0x80, mid @ (0x80 | 0x81), last @ 0x80..=0xbf, ..] => {
                ((mid & 1) << 6 | low(last), 4)
            }
            // Some readers take the low bits of whatever follows.
            [0xc0, last, ..] if last < 0x80 => (last, 2),
            _ => {
                short.push(*first);
                rest = after;
                continue;
            }
        };
        short.push(character);
        rest = rest.get(length..).unwrap_or_default();
    }
    short
}

/// What a character is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folded {
    Itself,
    Nothing,
    To(&'static str),
}

/// Characters that look like dots and slashes, or that normalisation or a code page makes into them.
fn folded(c: char) -> Folded {
    match c {
        '\u{ff0e}' | '\u{2024}' | '\u{fe52}' => Folded::To("."),
        '\u{2025}' | '\u{fe30}' => Folded::To(".."),
        '\u{ff0f}' | '\u{2044}' | '\u{2215}' | '\u{29f8}' => Folded::To("/"),
        '\u{ff3c}' | '\u{fe68}' | '\u{2216}' | '\u{29f5}' | '\u{29f9}' => Folded::To("\\"),
        '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => Folded::Nothing,
        _ => Folded::Itself,
    }
}

fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || text.chars().all(|c| folded(c) == Folded::Itself) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match folded(c) {
            Folded::Itself => out.push(c),
            Folded::Nothing => {}
            Folded::To(ascii) => out.push_str(ascii),
        }
    }
    Cow::Owned(out)
}
