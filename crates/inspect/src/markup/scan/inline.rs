//! Links, images and the addresses of labels, as Markdown spells them.

use super::{BRACKETS, Scan, Waiting};
use crate::markup::address::{Address, Scheme};
use crate::markup::carry::{self, Use};
use crate::markup::rule::Rule;
use std::ops::Range;

/// What a link or an image is written by.
struct Inline {
    /// Its opening bracket, and whether that begins an image; none if there is none.
    opener: Option<(usize, bool)>,
    /// Its closing bracket.
    bracket: usize,
    /// Its end, if it has one.
    end: Option<usize>,
    /// The end of its address.
    address_end: usize,
}

impl Scan<'_, '_> {
    pub(super) fn opens_bracket(&mut self, at: usize) {
        let bracket = self.bracket(at);
        self.images += usize::from(bracket.begins_image);
        self.brackets.push_back(bracket);
        if self.brackets.len() > BRACKETS
            && let Some(first) = self.brackets.pop_front()
        {
            self.images -= usize::from(first.begins_image);
        }
    }

    pub(super) fn closes_bracket(&mut self, at: usize) {
        let within_image = self.images > 0;
        let opener = self.brackets.pop_back();
        self.images -= usize::from(opener.is_some_and(|opener| opener.begins_image));
        let label = self.label(opener, at, within_image);
        let opener = opener.map(|opener| (opener.at, opener.begins_image));
        match self.byte(at + 1) {
            b'(' => {
                // A bracket may be escaped, or in code that is none: inside of what may be an image
                // everything counts as one.
                let used = match (opener, within_image) {
                    (Some((_, false)), false) => Use::Link,
                    _ => Use::Image,
                };
                self.inline(at, opener, used);
            }
            // An image may be followed by a colon.
            b':' => self.definition(at, label),
            _ => {}
        }
    }

    /// The address behind `](`.
    fn inline(&mut self, at: usize, opener: Option<(usize, bool)>, used: Use) {
        let from = self.skip_blanks(at + 2);
        let (range, address_end) = self.destination(from);
        if self.is_harmless(range.clone(), used) {
            self.judged = self.judged.max(range.end);
            return;
        }
        let end = self.end_of_inline(address_end);
        let address = self.read(range.clone(), true);
        let inline = Inline {
            opener,
            bracket: at,
            end,
            address_end,
        };
        if matches!(address.scheme, Scheme::Web | Scheme::Data) {
            self.judged = self.judged.max(range.end);
        }
        match (address.scheme, &address.colon) {
            (Scheme::Runs, Some(colon)) => {
                self.found(Rule::Scheme, at..range.end, colon.clone(), "%3A");
            }
            (Scheme::Data, _) if carry::is_picture(&address, used) => {}
            (Scheme::Data, Some(colon)) if used == Use::Link => {
                self.found(Rule::DataUri, at..range.end, colon.clone(), "%3A");
            }
            (Scheme::Data, _) => self.remove(&inline, Rule::DataUri, used, "data"),
            _ => {
                if let Some(rule) = self.judge(&address, used) {
                    let host = carry::host_for_notice(&address);
                    self.remove(&inline, rule, used, &host);
                }
            }
        }
    }

    /// An address of Markdown that begins here: what is in it, and where it ends.
    fn destination(&mut self, from: usize) -> (Range<usize>, usize) {
        if self.byte(from) == b'<' {
            let end = self.end_of(from + 1, |byte| !matches!(byte, b'<' | b'>' | b'\n'));
            let closed = usize::from(self.byte(end) == b'>');
            return (from + 1..end, end + closed);
        }
        let mut depth = 0u32;
        let mut at = from;
        loop {
            at = self.end_of(at, |byte| {
                byte > b' ' && byte != 0x7f && !matches!(byte, b'(' | b')' | b']' | b'\\')
            });
            match self.byte(at) {
                // What is escaped, a bracket that links nothing, a pair of parentheses: part of it.
                b'\\' if self.byte(at + 1).is_ascii_punctuation() => at += 2,
                b'\\' => at += 1,
                b']' if self.byte(at + 1) != b'(' => at += 1,
                b'(' => {
                    depth += 1;
                    at += 1;
                }
                b')' if depth > 0 => {
                    depth -= 1;
                    at += 1;
                }
                _ => return (from..at, at),
            }
        }
    }

    /// The end of a link behind its address: there may be a title before it.
    fn end_of_inline(&mut self, from: usize) -> Option<usize> {
        let mut at = self.skip_blanks(from);
        let closing = match self.byte(at) {
            b')' => return Some(at + 1),
            quote @ (b'"' | b'\'') if at > from => quote,
            b'(' if at > from => b')',
            _ => return None,
        };
        at = self.end_of(at + 1, |byte| byte != closing && byte != b'\\');
        if self.byte(at) != closing {
            return None;
        }
        at = self.skip_blanks(at + 1);
        (self.byte(at) == b')').then_some(at + 1)
    }

    /// Takes a link or an image out and leaves its text.
    fn remove(&mut self, inline: &Inline, rule: Rule, used: Use, host: &str) {
        let end = inline.end.unwrap_or(inline.address_end);
        let place = inline.opener.map_or(inline.bracket, |(at, _)| at)..end;
        if !self.tell(rule, place) {
            return;
        }
        let what = match used {
            Use::Image => "image",
            Use::Link => "link",
        };
        // What stands behind a bracket may make a link of it again.
        let apart = match self.byte(end) {
            b'(' | b'[' | b':' => " ",
            _ => "",
        };
        let notice = format!("[{what} removed: {host}]{apart}");
        match (inline.opener, inline.end) {
            (Some((opener, true)), Some(_)) => {
                let has_text = inline.bracket > opener + 1;
                // What stood apart stays apart, or two harmless halves become something that nobody saw.
                let before = opener.checked_sub(2).map(|at| self.byte(at));
                let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+/=.".contains(&byte);
                let joins = has_text && before.is_some_and(is_part);
                let apart = if joins { " " } else { "" };
                self.edits.replace(opener - 1..opener + 1, apart);
                let gap = if has_text { " " } else { "" };
                self.edits
                    .replace(inline.bracket..end, format!("{gap}{notice}"));
            }
            _ => {
                self.edits
                    .replace(inline.bracket..end, format!("] {notice}"));
            }
        }
    }

    /// The address of a label, behind `]:`.
    fn definition(&mut self, at: usize, label: Option<String>) {
        let from = self.skip_blanks(at + 2);
        let (range, end) = self.destination(from);
        let address: Address = self.read(range.clone(), true);
        let place = at..end;
        let edit = |host: &str| format!("] : [link removed: {host}]");
        match (address.scheme, &address.colon) {
            (Scheme::Runs, Some(colon)) => {
                self.found(Rule::Scheme, place, colon.clone(), "%3A");
            }
            (Scheme::Data, _) => {
                if !carry::is_picture(&address, Use::Image) {
                    self.found(Rule::DataUri, place.clone(), place, edit("data"));
                }
            }
            _ => {
                let host = carry::host_for_notice(&address);
                if let Some(rule) = self.judge(&address, Use::Link) {
                    self.found(rule, place.clone(), place, edit(&host));
                } else if let Some(rule) = self.judge(&address, Use::Image) {
                    self.waiting.push(Waiting {
                        rule,
                        range: place,
                        by: edit(&host).into(),
                        label,
                    });
                }
            }
        }
        if matches!(address.scheme, Scheme::Web | Scheme::Data) {
            self.judged = self.judged.max(range.end);
        }
    }
}
