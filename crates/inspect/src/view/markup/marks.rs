//! The marks of a text in HTML or Markdown, one after the other.

use super::html::{self, Tag};
use std::ops::{ControlFlow, Range};

/// A part of a text that is not there to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Text that is not shown.
    Unseen(Range<usize>),
    /// Text inside of what is not shown: a value of an attribute, the target of a link.
    Aside(Range<usize>),
    /// Markup; what is told of inside it came before it.
    Syntax(Range<usize>),
}

/// Tells the marks of a text, one after the other, until somebody has heard enough.
pub(super) fn each(text: &str, tell: impl FnMut(Mark) -> ControlFlow<()>) {
    let mut marks = Marks {
        text,
        at: 0,
        tell,
        flow: ControlFlow::Continue(()),
        hidden: None,
        next: [None; 3],
    };
    while marks.flow.is_continue() && marks.at < text.len() {
        marks.read();
    }
}

/// Reads a text mark by mark.
struct Marks<'t, T> {
    text: &'t str,
    at: usize,
    tell: T,
    /// What was said to the last mark.
    flow: ControlFlow<()>,
    /// The element that is not shown, and how many of its name are open.
    hidden: Option<(&'t str, usize)>,
    /// Where the next closing parenthesis, bracket and line end are, once they were looked for.
    next: [Option<usize>; 3],
}

impl<'t, T: FnMut(Mark) -> ControlFlow<()>> Marks<'t, T> {
    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// The next place of one of three bytes; the end of the text if there is none. Each is looked for
    /// once for all places before it.
    fn next_of(&mut self, which: usize, from: usize) -> usize {
        let byte = [b')', b']', b'\n'].get(which).copied().unwrap_or_default();
        let bytes = self.text.as_bytes();
        let Some(known) = self.next.get_mut(which) else {
            return bytes.len();
        };
        match known {
            Some(known) if *known >= from => *known,
            _ => {
                let rest = bytes.get(from..).unwrap_or_default();
                let found = memchr::memchr(byte, rest).map_or(bytes.len(), |at| from + at);
                *known = Some(found);
                found
            }
        }
    }

    fn push(&mut self, mark: Mark) {
        if self.flow.is_continue() {
            self.flow = (self.tell)(mark);
        }
    }

    /// Reads on until there is a mark, or the end.
    fn read(&mut self) {
        let start = self.at;
        let special = |byte: &u8| matches!(byte, b'<' | b'[' | b']' | b'*' | b'`');
        let rest = self.bytes().get(start..).unwrap_or_default();
        let found = match self.hidden {
            Some(_) => memchr::memchr(b'<', rest),
            None => rest.iter().position(special),
        };
        let Some(found) = found else {
            if self.hidden.is_some() && !rest.is_empty() {
                self.push(Mark::Unseen(start..self.text.len()));
            }
            self.at = self.text.len();
            return;
        };
        let at = start + found;
        if self.hidden.is_some() && at > start {
            self.push(Mark::Unseen(start..at));
        }
        self.at = match self.bytes().get(at) {
            Some(b'<') => self.angle(at),
            Some(b'[') => self.bracket(at),
            Some(b']') => self.link(at),
            _ => self.emphasis(at),
        };
    }

    /// A comment or a tag, or nothing of the kind.
    fn angle(&mut self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("<!--") {
            let closed = memchr::memmem::find(comment.as_bytes(), b"-->");
            let inner = at + 4..at + 4 + closed.unwrap_or(comment.len());
            let end = inner.end + closed.map_or(0, |_| 3);
            self.push(Mark::Syntax(at..inner.start));
            self.push(Mark::Unseen(inner.clone()));
            self.push(Mark::Syntax(inner.end..end));
            return end;
        }
        let Some(tag) = html::tag(self.text, at) else {
            return at + 1;
        };
        for value in &tag.values {
            self.push(Mark::Aside(value.clone()));
        }
        self.push(Mark::Syntax(at..tag.end));
        self.follow(&tag);
        tag.end
    }

    /// Whether what follows a tag is shown.
    fn follow(&mut self, tag: &Tag<'t>) {
        self.hidden = match self.hidden.take() {
            None if tag.hides && !tag.closes => Some((tag.name, 1)),
            None => None,
            Some((name, open)) if tag.name.eq_ignore_ascii_case(name) => match tag.closes {
                true => open
                    .checked_sub(1)
                    .filter(|open| *open > 0)
                    .map(|open| (name, open)),
                false => Some((name, open + 1)),
            },
            hidden => hidden,
        };
    }

    /// The beginning of a link or of a picture.
    fn bracket(&mut self, at: usize) -> usize {
        let close = self.next_of(1, at);
        let behind = self.bytes().get(close + 1);
        let picture = at > 0 && self.bytes().get(at - 1) == Some(&b'!');
        match behind {
            Some(b'(') if picture && close > at => {
                self.push(Mark::Syntax(at - 1..at + 1));
                self.push(Mark::Unseen(at + 1..close));
                close
            }
            Some(b'(') => {
                self.push(Mark::Syntax(at..at + 1));
                at + 1
            }
            Some(b':') if self.begins_line(at) => {
                let end = self.next_of(2, close);
                self.push(Mark::Syntax(at..close + 2));
                self.push(Mark::Unseen(close + 2..end));
                end
            }
            _ => at + 1,
        }
    }

    fn begins_line(&self, at: usize) -> bool {
        let before = self.bytes().get(..at).unwrap_or_default();
        let indent = before
            .iter()
            .rev()
            .take(4)
            .take_while(|byte| **byte == b' ')
            .count();
        indent < 4 && (at == indent || before.get(at - indent - 1) == Some(&b'\n'))
    }

    /// The target of a link, and its title.
    fn link(&mut self, at: usize) -> usize {
        if self.bytes().get(at + 1) != Some(&b'(') {
            return at + 1;
        }
        let close = self.next_of(0, at + 2);
        if close == self.text.len() || close > self.next_of(2, at) {
            return at + 1;
        }
        self.push(Mark::Aside(at + 2..close));
        self.push(Mark::Syntax(at..close + 1));
        close + 1
    }

    /// Emphasis inside a word.
    fn emphasis(&mut self, at: usize) -> usize {
        let rest = self.bytes().get(at..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|byte| matches!(byte, b'*' | b'`'))
            .count();
        let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
        let before = at.checked_sub(1).and_then(|at| self.bytes().get(at));
        if length <= 3 && letter(before) && letter(rest.get(length)) {
            self.push(Mark::Syntax(at..at + length));
        }
        at + length.max(1)
    }
}
