//! What of a Markdown text is code, for every renderer.
//!
//! CommonMark decides what is code by blocks first and by spans in a paragraph then, and renderers differ
//! at the edges of both. A part counts as code here only if no reading makes anything else of it:
//!
//! * a fence that is closed by one like it, with no line between that some renderer takes for its end;
//! * lines with four spaces before them, after an empty line and outside of lists;
//! * a span within one line, in a paragraph in which everything before it reads in one way.
//!
//! From the first doubt on nothing counts as code: the rest of the paragraph where the doubt ends with
//! it, the rest of the text where it does not. What is drawn by a renderer, such as Mermaid, is no code.

use std::ops::Range;

/// Longest run of backticks that opens a span here.
const RUN_MAX: usize = 32;

/// Languages of fences that renderers draw, and so run.
const DRAWN: &[&str] = &[
    "geojson",
    "graphviz",
    "kroki",
    "math",
    "mermaid",
    "plantuml",
    "vega",
    "vega-lite",
];

/// How blocks of raw HTML that do not end with an empty line begin, and how they end.
const RAW: &[(&str, &str)] = &[
    ("<script", "</script>"),
    ("<pre", "</pre>"),
    ("<style", "</style>"),
    ("<textarea", "</textarea>"),
    ("<!--", "-->"),
    ("<![cdata[", "]]>"),
    ("<?", "?>"),
    ("<!", ">"),
];

/// The parts of a text that are code, in order.
pub(super) fn parts(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let may_be = memchr::memchr2(b'`', b'~', bytes).is_some()
        || memchr::memmem::find(bytes, b"\n    ").is_some()
        || memchr::memmem::find(bytes, b"\n\t").is_some();
    let lone = |at: &usize| bytes.get(at + 1) != Some(&b'\n');
    if !may_be || memchr::memchr_iter(b'\r', bytes).any(|at| lone(&at)) {
        return Vec::new();
    }
    let mut reader = Reader {
        text,
        parts: Vec::new(),
        raw: None,
        in_list: false,
        after_blank: true,
        in_indented: false,
        chunk: None,
        label: false,
    };
    reader.read();
    reader.parts
}

/// One line, without its end.
#[derive(Clone, Copy)]
struct Line<'t> {
    start: usize,
    end: usize,
    text: &'t str,
    /// Columns before the first character; a tab counts as four.
    indent: usize,
    bare: &'t str,
}

impl<'t> Line<'t> {
    fn at(text: &'t str, start: usize) -> Option<Line<'t>> {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let whole = rest.get(..length)?;
        let line = whole.strip_suffix('\r').unwrap_or(whole);
        let bare = line.trim_start_matches([' ', '\t']);
        let before = line.len() - bare.len();
        let indent = line.bytes().take(before);
        Some(Line {
            start,
            end: start + length,
            text: line,
            indent: indent.map(|it| if it == b'\t' { 4 } else { 1 }).sum(),
            bare: bare.trim_end_matches([' ', '\t']),
        })
    }

    fn is_blank(&self) -> bool {
        self.bare.is_empty()
    }

    /// The mark of a fence that the line begins with, and how long it is.
    fn fence(&self) -> Option<(u8, usize)> {
        let mark = *self.bare.as_bytes().first()?;
        let length = self.bare.bytes().take_while(|it| *it == mark).count();
        let info = self.bare.get(length..)?;
        let fits = match mark {
            b'`' => !info.contains('`'),
            b'~' => true,
            _ => false,
        };
        (fits && length >= 3).then_some((mark, length))
    }

    /// The line behind the marks of lists and quotations.
    fn inside(&self) -> &'t str {
        let mut rest = self.bare;
        while let Some(length) = mark_of_container(rest) {
            let behind = rest.get(length..).unwrap_or_default();
            rest = behind.trim_start_matches([' ', '\t']);
        }
        rest
    }
}

/// How long the mark of a list or quotation is that a line begins with.
fn mark_of_container(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let digits = bytes
        .iter()
        .take(9)
        .take_while(|it| it.is_ascii_digit())
        .count();
    let length = match bytes.get(digits)? {
        b'>' if digits == 0 => return Some(1),
        b'-' | b'+' | b'*' | b':' if digits == 0 => 1,
        b'.' | b')' if digits > 0 => digits + 1,
        b'[' if line.starts_with("[^") => line.find("]:")? + 2,
        _ => return None,
    };
    matches!(bytes.get(length), None | Some(b' ' | b'\t')).then_some(length)
}

struct Reader<'t> {
    text: &'t str,
    parts: Vec<Range<usize>>,
    /// How the block of raw HTML ends that the line is in; with an empty line if nothing is said.
    raw: Option<Option<&'static str>>,
    in_list: bool,
    after_blank: bool,
    in_indented: bool,
    /// Where the lines began that may be one paragraph.
    chunk: Option<usize>,
    /// Whether the line before gave a label its address.
    label: bool,
}

impl<'t> Reader<'t> {
    fn read(&mut self) {
        let mut at = 0;
        while let Some(line) = Line::at(self.text, at) {
            at = line.end + 1;
            let indented = line.indent >= 4 && !self.in_list && !line.is_blank();
            if self.raw.is_none() && indented && (self.in_indented || self.after_blank) {
                self.parts.push(line.start..line.end);
                self.in_indented = true;
                continue;
            }
            if self.is_raw(&line) {
                if line.fence().is_some() || opens_fence_inside(&line) {
                    return;
                }
                // What looks like raw HTML may be a paragraph, and a list may interrupt it.
                self.in_list |= mark_of_container(line.bare).is_some();
                self.chunk = None;
                continue;
            }
            if self.is_label(&line) {
                return self.end_chunk(line.start);
            }
            if line.is_blank() {
                self.end_chunk(line.start);
                self.after_blank = true;
                continue;
            }
            self.in_indented = false;
            if line.fence().is_some() {
                self.end_chunk(line.start);
                match self.fence(&line) {
                    Some(next) => at = next,
                    None => return,
                }
                self.after_blank = false;
                continue;
            }
            if opens_fence_inside(&line) {
                return self.end_chunk(line.start);
            }
            self.note_list(&line);
            self.chunk.get_or_insert(line.start);
            self.after_blank = false;
        }
        self.end_chunk(self.text.len());
    }

    /// Whether the line belongs to a block of raw HTML, or begins one.
    fn is_raw(&mut self, line: &Line<'_>) -> bool {
        let ends = |end: &str| contains(line.text, end);
        if let Some(end) = self.raw {
            let over = end.map_or(line.is_blank(), ends);
            if over {
                // What looks like such a block may be none, and its last line begin another.
                self.raw = end.map(|_| None);
            } else if end.is_none() {
                // A block that an empty line does not end may begin within one that it ends.
                if let Some(Raw::Open(end)) = raw_block(line.inside()) {
                    self.raw = Some(Some(end));
                }
            }
            // The empty line after such a block is one like any other.
            return !(over && end.is_none());
        }
        let inside = line.inside();
        let opens = inside.strip_prefix('<').is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
        });
        if !opens {
            return false;
        }
        self.end_chunk(line.start);
        self.note_list(line);
        self.after_blank = false;
        self.in_indented = false;
        self.raw = match raw_block(inside) {
            Some(Raw::Open(end)) => Some(Some(end)),
            Some(Raw::Whole) | None => Some(None),
        };
        true
    }

    /// Whether the address or the title of a label may go on behind this line: some renderers let that
    /// reach over everything else.
    fn is_label(&mut self, line: &Line<'_>) -> bool {
        let goes_on = self.label && line.bare.starts_with(['"', '\'', '(']);
        self.label = false;
        let Some((_, rest)) = line.text.split_once("]:") else {
            return goes_on;
        };
        self.label = true;
        let count = |c: char| rest.matches(c).count();
        let open = rest.trim().is_empty()
            || count('"') % 2 == 1
            || count('\'') % 2 == 1
            || count('(') != count(')');
        goes_on || open
    }

    /// Whether a list may be open behind this line.
    fn note_list(&mut self, line: &Line<'_>) {
        let is_item = mark_of_container(line.bare).is_some();
        if is_item {
            self.in_list = true;
        } else if self.after_blank && line.indent < 2 {
            self.in_list = false;
        }
    }

    /// A fence, from its first line on; says where the line after its last begins, if that is certain.
    fn fence(&mut self, opener: &Line<'_>) -> Option<usize> {
        let (mark, length) = opener.fence()?;
        if opener.indent > 3 && !(self.in_list && self.after_blank) {
            return None;
        }
        let mut at = opener.end + 1;
        while let Some(line) = Line::at(self.text, at) {
            at = line.end + 1;
            if line.is_blank() {
                continue;
            }
            if line.indent < opener.indent {
                return None;
            }
            let run = line.bare.bytes().take_while(|it| *it == mark).count();
            if run < length {
                continue;
            }
            let is_whole = run == line.bare.len();
            if is_whole && (run > length || line.indent > opener.indent + 3) {
                return None;
            }
            if is_whole {
                let language = opener.bare.get(length..).unwrap_or_default().trim_start();
                let end = language
                    .find([' ', '\t', '{', ','])
                    .unwrap_or(language.len());
                let name = language.get(..end).unwrap_or_default();
                let drawn = DRAWN.iter().any(|it| it.eq_ignore_ascii_case(name));
                if !drawn {
                    self.parts.push(opener.end..line.end);
                }
                return Some(at);
            }
        }
        None
    }

    /// The spans of code in the lines up to here.
    fn end_chunk(&mut self, end: usize) {
        self.in_indented = false;
        let Some(start) = self.chunk.take() else {
            return;
        };
        let bytes = self.text.as_bytes().get(start..end).unwrap_or_default();
        if memchr::memchr(b'`', bytes).is_some() {
            Spans::new(bytes).read(start, &mut self.parts);
        }
    }
}

/// A block of raw HTML that an empty line does not end.
enum Raw {
    /// It ends like this, on another line.
    Open(&'static str),
    /// It ends on the line on which it begins.
    Whole,
}

/// The block of raw HTML that begins with this, if an empty line does not end it. Its end stands behind
/// its beginning: renderers differ about one that is part of it.
fn raw_block(inside: &str) -> Option<Raw> {
    let begins = |(begin, _): &&(&str, &'static str)| {
        let found = inside.get(..begin.len());
        found.is_some_and(|it| it.eq_ignore_ascii_case(begin))
    };
    let (begin, end) = RAW.iter().find(begins)?;
    let behind = inside.get(begin.len()..).unwrap_or_default();
    Some(match contains(behind, end) {
        true => Raw::Whole,
        false => Raw::Open(end),
    })
}

fn opens_fence_inside(line: &Line<'_>) -> bool {
    let inside = line.inside();
    let quoted = line.bare.starts_with('>');
    inside.len() < line.bare.len()
        && !quoted
        && (inside.starts_with("```") || inside.starts_with("~~~"))
}

fn contains(line: &str, end: &str) -> bool {
    let last = end.len();
    let bytes = line.as_bytes();
    bytes
        .windows(last)
        .any(|it| it.eq_ignore_ascii_case(end.as_bytes()))
}

/// Spans of code in lines that may be one paragraph.
struct Spans<'t> {
    bytes: &'t [u8],
    /// Where the last run of each length begins.
    last: [usize; RUN_MAX + 1],
    may_be_table: Option<bool>,
    /// How far addresses were looked for, and whether the word that ends there holds one.
    seen: usize,
    linked: bool,
}

impl<'t> Spans<'t> {
    fn new(bytes: &'t [u8]) -> Self {
        let mut last = [0; RUN_MAX + 1];
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'`', bytes.get(at..).unwrap_or_default()) {
            let run = run_at(bytes, at + found);
            if let Some(place) = last.get_mut(run) {
                *place = at + found;
            }
            at += found + run;
        }
        Spans {
            bytes,
            last,
            may_be_table: None,
            seen: 0,
            linked: false,
        }
    }

    fn read(mut self, offset: usize, parts: &mut Vec<Range<usize>>) {
        let mut at = 0;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr3(b'`', b'<', b'\\', rest) else {
                return;
            };
            at += found;
            match self.bytes.get(at) {
                Some(b'\\') => at += 2,
                Some(b'<') => match self.markup(at) {
                    Some(next) => at = next,
                    None => return,
                },
                _ => {
                    let run = run_at(self.bytes, at);
                    if self.is_in_address(at) {
                        return;
                    }
                    if self.last.get(run).is_none_or(|last| *last <= at) {
                        // Nothing closes it: it is text. A run that is too long is a doubt.
                        if run > RUN_MAX {
                            return;
                        }
                        at += run;
                        continue;
                    }
                    let Some(end) = self.close(at + run, run) else {
                        return;
                    };
                    parts.push(offset + at..offset + end);
                    self.seen = end;
                    self.linked = false;
                    at = end;
                }
            }
        }
    }

    /// Whether a backtick may belong to an address that stands there as such: some renderers link those
    /// first. Only what lies behind the last span or tag is looked at.
    fn is_in_address(&mut self, at: usize) -> bool {
        let before = self.bytes.get(self.seen..at).unwrap_or_default();
        self.seen = at;
        let blank = before.iter().rposition(u8::is_ascii_whitespace);
        let word = before.get(blank.map_or(0, |blank| blank + 1)..);
        let word = word.unwrap_or_default();
        let has = |sign: &[u8]| memchr::memmem::find(word, sign).is_some();
        self.linked = has(b"://") || has(b"www.") || (blank.is_none() && self.linked);
        self.linked
    }

    /// Where the span ends that is opened before `from`, if it ends in this line.
    fn close(&mut self, from: usize, run: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let rest = self.bytes.get(at..)?;
            let found = at + memchr::memchr2(b'`', b'\n', rest)?;
            if self.bytes.get(found) == Some(&b'\n') {
                return None;
            }
            let length = run_at(self.bytes, found);
            at = found + length;
            if length == run {
                let inner = self.bytes.get(from..found)?;
                // A cell of a table ends at a bar, whatever is open.
                let cut = memchr::memchr(b'|', inner).is_some() && self.may_be_table();
                return (!cut).then_some(at);
            }
        }
    }

    fn may_be_table(&mut self) -> bool {
        let bytes = self.bytes;
        *self.may_be_table.get_or_insert_with(|| {
            bytes.split(|it| *it == b'\n').any(|line| {
                let row = |it: &u8| matches!(it, b'|' | b'-' | b':' | b' ' | b'\t' | b'\r' | b'>');
                line.contains(&b'-') && line.iter().all(row)
            })
        })
    }

    /// Where to go on behind a `<`: behind it if it begins nothing, behind a tag that every reader ends at
    /// the same place, nowhere if there is a doubt.
    fn markup(&self, at: usize) -> Option<usize> {
        match self.bytes.get(at + 1) {
            Some(it) if it.is_ascii_alphabetic() || *it == b'/' => {
                let certain = tag_end(self.bytes, at).or_else(|| address_end(self.bytes, at));
                certain.or_else(|| no_tag(self.bytes, at))
            }
            Some(b'!' | b'?') => None,
            _ => Some(at + 1),
        }
    }
}

fn run_at(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take_while(|it| **it == b'`').count()
}

/// The end of an address in angle brackets that holds nothing which a tag may hold.
fn address_end(bytes: &[u8], at: usize) -> Option<usize> {
    let inner = bytes.get(at + 1..)?;
    let odd = |it: &u8| it.is_ascii_whitespace() || matches!(it, b'"' | b'\'' | b'`' | b'<' | b'>');
    let length = inner.iter().position(odd)?;
    (inner.get(length) == Some(&b'>')).then_some(at + length + 2)
}

/// How far what begins at a `<` is text for everybody: it is no tag on this line, and no quote may make
/// it one.
fn no_tag(bytes: &[u8], at: usize) -> Option<usize> {
    let inner = bytes.get(at + 1..)?;
    let stops = |it: &u8| matches!(it, b'<' | b'>' | b'`' | b'\\' | b'\n' | b'"' | b'\'');
    let length = inner.iter().position(stops).unwrap_or(inner.len());
    let stop = inner.get(length);
    (!matches!(stop, Some(b'\n' | b'"' | b'\''))).then_some(at + 1 + length)
}

/// The end of a tag that is written as CommonMark has it, on one line.
fn tag_end(bytes: &[u8], at: usize) -> Option<usize> {
    let closes = bytes.get(at + 1) == Some(&b'/');
    let mut at = at + 1 + usize::from(closes);
    at += word(bytes, at, |it| it.is_ascii_alphanumeric() || it == b'-')?;
    loop {
        let blanks = word(bytes, at, |it| matches!(it, b' ' | b'\t')).unwrap_or(0);
        at += blanks;
        match bytes.get(at)? {
            b'>' => return Some(at + 1),
            b'/' if bytes.get(at + 1) == Some(&b'>') => return Some(at + 2),
            _ if blanks == 0 || closes => return None,
            _ => {}
        }
        at += word(bytes, at, |it| {
            it.is_ascii_alphanumeric() || matches!(it, b'_' | b':' | b'.' | b'-')
        })?;
        if bytes.get(at) != Some(&b'=') {
            continue;
        }
        at += 1;
        at += match bytes.get(at)? {
            quote @ (b'"' | b'\'') => {
                let inner = word(bytes, at + 1, |it| it != *quote && it != b'\n').unwrap_or(0);
                if bytes.get(at + 1 + inner) != Some(quote) {
                    return None;
                }
                inner + 2
            }
            _ => word(bytes, at, |it| {
                !it.is_ascii_whitespace() && !matches!(it, b'"' | b'\'' | b'=' | b'<' | b'>' | b'`')
            })?,
        };
    }
}

fn word(bytes: &[u8], at: usize, fits: impl Fn(u8) -> bool) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let length = rest.iter().take_while(|it| fits(**it)).count();
    (length > 0).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with what is code in it as dots.
    fn shown(text: &str) -> String {
        let parts = parts(text);
        let is_code = |at: usize| parts.iter().any(|part| part.contains(&at));
        let characters = text.char_indices();
        characters
            .map(|(at, c)| if is_code(at) && c != '\n' { '.' } else { c })
            .collect()
    }

    #[test]
    fn code_is_what_every_renderer_takes_for_code() {
        for (text, expected) in [
            ("a `b` c", "a ... c"),
            ("a ``b ` c`` d", "a ......... d"),
            ("```js\nx\n```\ny", "```js\n.\n...\ny"),
            ("~~~\nx\n~~~\ny", "~~~\n.\n...\ny"),
            (
                "````md\n```\nx\n```\n````\ny",
                "````md\n...\n.\n...\n....\ny",
            ),
            (
                "1. a\n   ```\n   x\n   ```\nb `c`",
                "1. a\n   ```\n....\n......\nb ...",
            ),
            (
                "- a\n\n      ```\n      x\n      ```\n",
                "- a\n\n      ```\n.......\n.........\n",
            ),
            ("a\n\n    x\n    y\n\nb", "a\n\n.....\n.....\n\nb"),
            ("<b>a</b> b\n\n`c`", "<b>a</b> b\n\n..."),
            ("a <b title=\"x\">y</b> `c`", "a <b title=\"x\">y</b> ..."),
            ("a <https://x.example/> `c`", "a <https://x.example/> ..."),
            ("> `a`\n> b", "> ...\n> b"),
            ("\\`a `b` c", "\\`a ... c"),
            ("a ` b, `c`", "a ......c`"),
            ("Vec<Option<T>>, `a`", "Vec<Option<T>>, ..."),
            ("Map<K, V> `a`", "Map<K, V> ..."),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_some_renderer_runs_is_no_code() {
        for text in [
            "```\nnever closed <x>",
            "<div>\n```\n<x>\n```\n</div>",
            "<pre>\n\n```\n<x>\n```\n</pre>",
            "<!-- a\n\n```\n<x>\n```\n-->",
            "- a\n  ```\n<x>\n  ```",
            "- ```\n  a\n  ```\n<x>\n\n```\n",
            "```\na\n````\n<x>\n```\n",
            "a `\nb `<x>` c",
            "| ` | <x> | ` |\n|---|---|---|\n",
            "| a |\n|---|\n| `b | <x>` |",
            "<a title=\"`\"> <x> `",
            "a <b title='`'> <x> `",
            "<!-- > ` --> <x> `",
            "- a\n\n    <x>",
            "a\n    <x>",
            "1. a\n\n    <x>",
            "- a\nlazy\n\n    <x>",
            "```mermaid\n<x>\n```",
            "```\r<x>\n```",
            "a\n    ```\n    <x>\n    ```",
            "> <div>\n> `<x>`",
            "[^1]: a\n\n    <x>",
            "[a]:\n~~~\n<x>\n~~~",
            "[a]: /b \"\n\n~~~\n\"\n<x>\n~~~",
            "[a]: /b\n(\n\n~~~\n)\n<x>\n~~~",
            "<a \\`> <x> `",
            "<b>a\n- b\n\n    <x>",
            "<b>a\n<pre>\n\n    <x>\n</pre>",
            "<?>\n\na `<x>`",
            "<!\n<td>\n```\n<x>\n```",
            "https://a.example/`> <x> `",
            "www.a.example/`> <x> `",
        ] {
            assert!(shown(text).contains("<x>"), "{text:?}: {:?}", shown(text));
        }
    }
}
