//! One tag of HTML: its name, the values that say something, and whether it hides what it holds.

use std::ops::Range;

/// A tag.
#[derive(Debug)]
pub(super) struct Tag<'t> {
    pub(super) name: &'t str,
    pub(super) closes: bool,
    /// Whether nothing of the element is shown.
    pub(super) hides: bool,
    /// Values of attributes, in order, that are text or lead somewhere.
    pub(super) values: Vec<Range<usize>>,
    /// Where it ends: behind its bracket, or the end of the text.
    pub(super) end: usize,
}

/// Elements whose content is never shown.
const UNSEEN: [&str; 7] = [
    "script", "style", "template", "noscript", "title", "object", "iframe",
];

/// Elements that hold nothing.
const VOID: [&str; 9] = [
    "img", "br", "hr", "input", "meta", "link", "area", "source", "embed",
];

/// Attributes that are about how something looks; their values say nothing.
const SILENT: [&str; 7] = ["class", "style", "width", "height", "type", "rel", "id"];

/// The tag that begins at `at`, if one does.
pub(super) fn tag(text: &str, at: usize) -> Option<Tag<'_>> {
    let rest = text.get(at + 1..)?;
    let (closes, named) = match rest.strip_prefix('/') {
        Some(named) => (true, named),
        None => (false, rest),
    };
    let length = named
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let length = length.count();
    if !named.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let name = named.get(..length)?;
    let start = at + 1 + usize::from(closes) + length;
    // What an email address or a type in angle brackets goes on with is no attribute.
    let next = text.as_bytes().get(start);
    if next.is_some_and(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'/')) {
        return None;
    }
    let mut tag = Tag {
        name,
        closes,
        hides: UNSEEN
            .iter()
            .any(|unseen| name.eq_ignore_ascii_case(unseen)),
        values: Vec::new(),
        end: text.len(),
    };
    let mut reader = Reader { text, at: start };
    while let Some((key, value)) = reader.attribute() {
        let said = text.get(value.clone()).unwrap_or_default();
        tag.hides |= hides(key, said);
        if !value.is_empty() && !SILENT.iter().any(|silent| key.eq_ignore_ascii_case(silent)) {
            tag.values.push(value);
        }
    }
    tag.end = reader.at;
    let ends_itself = text.get(..tag.end).is_some_and(|tag| tag.ends_with("/>"));
    tag.hides &= !ends_itself && !VOID.iter().any(|void| name.eq_ignore_ascii_case(void));
    Some(tag)
}

/// Whether an attribute takes its element out of sight.
fn hides(key: &str, value: &str) -> bool {
    if key.eq_ignore_ascii_case("hidden") {
        return true;
    }
    if key.eq_ignore_ascii_case("aria-hidden") {
        return value.eq_ignore_ascii_case("true");
    }
    key.eq_ignore_ascii_case("style") && value.split(';').any(declares_unseen)
}

/// Declarations of CSS with which nothing is to be seen of a text.
fn declares_unseen(declaration: &str) -> bool {
    let Some((property, value)) = declaration.split_once(':') else {
        return false;
    };
    let property = property.trim().to_ascii_lowercase();
    let value = value.trim().to_ascii_lowercase();
    let value = value.trim_end_matches("!important").trim_end();
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let number = number.parse::<f32>();
    match property.as_str() {
        "display" => value == "none",
        "visibility" => matches!(value, "hidden" | "collapse"),
        "font-size" | "opacity" | "max-height" | "max-width" | "height" | "width" => {
            number.is_ok_and(|number| number < 2.0 && (property == "font-size" || number < 0.1))
        }
        "left" | "top" | "right" | "bottom" | "text-indent" | "margin-left" | "margin-top" => {
            number.is_ok_and(|number| number <= -500.0)
        }
        "color" => matches!(
            value.replace(' ', "").as_str(),
            "white" | "#fff" | "#ffffff" | "transparent" | "rgb(255,255,255)" | "rgba(0,0,0,0)"
        ),
        "clip" | "clip-path" => value.contains("rect(0") || value.contains("inset(50%"),
        _ => false,
    }
}

/// Reads the attributes of a tag, as browsers do.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    /// The next attribute, its value as a range. None at the end of the tag, which is then read.
    fn attribute(&mut self) -> Option<(&'t str, Range<usize>)> {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b'/');
        let key =
            self.skip(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'=' | b'/'));
        if self.peek() == Some(b'>') && key.is_empty() {
            self.at += 1;
            return None;
        }
        if self.peek().is_none() && key.is_empty() {
            return None;
        }
        let key = self.text.get(key).unwrap_or_default();
        self.skip(|byte| byte.is_ascii_whitespace());
        if self.peek() != Some(b'=') {
            return Some((key, self.at..self.at));
        }
        self.at += 1;
        self.skip(|byte| byte.is_ascii_whitespace());
        let value = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                self.at += 1;
                let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
                let length = memchr::memchr(quote, rest).unwrap_or(rest.len());
                let value = self.at..self.at + length;
                self.at = (value.end + 1).min(self.text.len());
                value
            }
            _ => self.skip(|byte| !byte.is_ascii_whitespace() && byte != b'>'),
        };
        Some((key, value))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, passed: impl Fn(u8) -> bool) -> Range<usize> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| passed(**byte)).count();
        let range = self.at..self.at + length;
        self.at = range.end;
        range
    }
}
