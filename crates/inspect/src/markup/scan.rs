//! One pass over a text that finds what is active in it, and says what to change.
//!
//! Which tag is open is tracked as a browser would. It counts as open from the first sign on that
//! another reader may see it so: a tag that begins inside another, a line that ends inside a value. A
//! renderer escapes text between tags, so that a quote which closes a value here may not close it there.

mod formula;
mod inline;
mod label;
mod tag;

use super::address::Address;
use super::carry::{self, Use};
use super::rule::Rule;
use super::{Edits, Settings, Tally, Treatment, code};
use label::{Bracket, Labels, Waiting};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

/// Brackets that may still open a link or an image.
const BRACKETS: usize = 1024;

/// Bytes that may matter: which ones depends on what is around them.
const SIGNS: [bool; 256] = {
    let mut signs = [false; 256];
    let which = b"<>\"'\n=[]:\\";
    let mut at = 0;
    while at < which.len() {
        #[expect(clippy::indexing_slicing, reason = "computed while compiling")]
        {
            signs[which[at] as usize] = true;
        }
        at += 1;
    }
    signs
};

/// Whether a text may hold anything that is looked for: most hold no tag, no link and no address.
pub fn may_hold(text: &str) -> bool {
    let bytes = text.as_bytes();
    let calls = memchr::memchr_iter(b'\\', bytes).any(|at| formula::calls(bytes, at).is_some());
    calls
        || memchr::memchr3_iter(b'<', b']', b':', bytes).any(|at| {
            let mut behind = bytes.iter().skip(at + 1);
            match (bytes.get(at), behind.next()) {
                (Some(b'<'), Some(next)) => {
                    next.is_ascii_alphabetic() || matches!(next, b'/' | b'?')
                }
                (Some(b']'), Some(next)) => matches!(next, b'(' | b':'),
                (Some(b':'), Some(b'/')) => behind.next() == Some(&b'/'),
                _ => false,
            }
        })
}

/// What a text holds, and what has to change in it.
pub(super) fn scan(text: &str, settings: &Settings) -> (Tally, Edits) {
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        settings,
        code: code::parts(text).into(),
        at: 0,
        open: false,
        quote: None,
        doubt: false,
        element: "",
        is_base: false,
        refreshes: false,
        styled: 0,
        brackets: VecDeque::new(),
        images: 0,
        labels: Labels::default(),
        waiting: Vec::new(),
        marks: (0, true),
        judged: 0,
        budget: text.len().saturating_mul(4).saturating_add(64 * 1024),
        tally: Tally::default(),
        edits: Edits::default(),
    };
    scan.run();
    (scan.tally, scan.edits)
}

struct Scan<'t, 's> {
    text: &'t str,
    bytes: &'t [u8],
    settings: &'s Settings,
    /// What is code and still ahead.
    code: VecDeque<Range<usize>>,
    at: usize,
    /// Whether a tag is open.
    open: bool,
    /// The quote that its value is in.
    quote: Option<u8>,
    /// Whether readers may differ about what is in a tag.
    doubt: bool,
    /// The element whose tag began last; none where it began within another.
    element: &'t str,
    /// Whether the tag may be one that all addresses count from, and one that leads somewhere at once.
    is_base: bool,
    refreshes: bool,
    /// Where the style ends that began last.
    styled: usize,
    /// Brackets that are open.
    brackets: VecDeque<Bracket>,
    /// How many of them may begin an image.
    images: usize,
    /// The labels by which images may name their addresses.
    labels: Labels,
    /// What is to be changed if one does.
    waiting: Vec<Waiting>,
    /// Behind the last `>`, and whether nothing but marks of quotations stands before it on its line.
    marks: (usize, bool),
    /// Where the address ends that was judged last.
    judged: usize,
    /// Bytes of addresses that may still be read: no text has more that is not read twice on purpose.
    budget: usize,
    tally: Tally,
    edits: Edits,
}

impl<'t> Scan<'t, '_> {
    fn run(&mut self) {
        while let Some(at) = self.next_sign() {
            self.at = at + 1;
            match self.byte(at) {
                b'<' => self.begins(at),
                b'>' if self.quote.is_none() => self.closes(at),
                b'\n' => self.doubt |= self.open && self.quote.is_some(),
                b'=' if self.open || self.doubt => self.attribute(at),
                b'[' => self.opens_bracket(at),
                b']' => self.closes_bracket(at),
                b':' => self.bare(at),
                b'\\' => self.formula(at),
                byte if self.quote == Some(byte) => self.quote = None,
                _ => {}
            }
        }
        for it in std::mem::take(&mut self.waiting) {
            if self.labels.may_be(it.label.as_deref()) {
                self.found(it.rule, it.range.clone(), it.range, it.by);
            }
        }
    }

    /// A `>` that ends a tag, unless it is the mark of a quotation, which a renderer takes away first.
    fn closes(&mut self, at: usize) {
        // What stands before the last one was looked at then.
        let (from, was_mark) = self.marks;
        let between = self.bytes.get(from..at).unwrap_or_default();
        let is_part = |it: &u8| matches!(it, b' ' | b'\t' | b'>');
        let is_mark = match between.iter().rev().find(|it| !is_part(it)) {
            None => was_mark,
            Some(first) => matches!(first, b'\n' | b'\r'),
        };
        self.marks = (at + 1, is_mark);
        self.doubt |= self.open && is_mark;
        self.open = false;
        self.is_base &= self.doubt;
        self.refreshes &= self.doubt;
    }

    /// The next byte that may matter, outside of code.
    fn next_sign(&mut self) -> Option<usize> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            let is_sign = |byte: &u8| SIGNS.get(usize::from(*byte)) == Some(&true);
            let at = self.at + rest.iter().position(is_sign)?;
            while self.code.front().is_some_and(|part| part.end <= at) {
                self.code.pop_front();
            }
            match self.code.front() {
                Some(part) if part.start <= at => self.at = part.end,
                _ => return Some(at),
            }
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Where a part ends that begins here and consists of such bytes. It is paid for, so that nothing
    /// is read over and over.
    fn end_of(&mut self, from: usize, fits: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let rest = rest.get(..self.budget.min(rest.len())).unwrap_or_default();
        let length = rest.iter().take_while(|byte| fits(**byte)).count();
        self.pay(length);
        from + length
    }

    /// Pays for what is read, and says whether there is something left to pay with.
    fn pay(&mut self, bytes: usize) -> bool {
        self.budget = self.budget.saturating_sub(bytes);
        if self.budget == 0 {
            self.give_up();
        }
        self.budget > 0
    }

    fn skip_blanks(&mut self, from: usize) -> usize {
        self.end_of(from, |byte| byte.is_ascii_whitespace())
    }

    /// Nothing honest gets here: whatever is left of the text is not looked at, and it is withheld.
    fn give_up(&mut self) {
        self.at = self.bytes.len();
        let all = [
            self.settings.markup,
            self.settings.images,
            self.settings.links,
        ];
        self.tally.add(Rule::Withheld, 0..self.text.len());
        self.edits.is_hopeless |= all.contains(&Treatment::Neutralise);
    }

    fn read(&mut self, range: Range<usize>, takes_backslashes: bool) -> Address {
        self.budget = self.budget.saturating_sub(range.len());
        Address::read(self.text, range, takes_backslashes)
    }

    fn is_harmless(&self, range: Range<usize>, used: Use) -> bool {
        let spelled = self.bytes.get(range);
        spelled.is_some_and(|spelled| self.settings.hosts.pass_unread(spelled, used))
    }

    /// What an address goes too far by.
    fn judge(&self, address: &Address, used: Use) -> Option<Rule> {
        carry::rule(address, used, &self.settings.hosts)
    }

    fn found(
        &mut self,
        rule: Rule,
        place: Range<usize>,
        range: Range<usize>,
        by: impl Into<Cow<'static, str>>,
    ) {
        if self.tell(rule, place) {
            self.edits.replace(range, by);
        }
    }

    /// Tells, and says whether something is to be changed.
    fn tell(&mut self, rule: Rule, place: Range<usize>) -> bool {
        let treatment = self.settings.of(rule.family());
        if treatment != Treatment::Off {
            self.tally.add(rule, place);
        }
        treatment == Treatment::Neutralise
    }

    /// An address that stands in a text as such.
    fn bare(&mut self, at: usize) {
        let is_web = self
            .bytes
            .get(at + 1..)
            .is_some_and(|rest| rest.starts_with(b"//"));
        if !is_web || at < self.judged {
            return;
        }
        let before = self.text.get(..at).unwrap_or_default();
        let schemes = ["https", "http", "wss", "ws", "ftp", "file"];
        let ends = |scheme: &&&str| {
            let from = at.checked_sub(scheme.len());
            let word = from.and_then(|from| before.get(from..));
            word.is_some_and(|word| word.eq_ignore_ascii_case(scheme))
        };
        let Some(scheme) = schemes.iter().find(ends) else {
            return;
        };
        let start = at - scheme.len();
        let is_styled = start < self.styled;
        let end = self.end_of(at, |byte| match byte {
            b'<' | b'>' | b'"' | b'`' | b'|' | b'[' | b']' | b')' => false,
            b'\'' => !is_styled,
            _ => !byte.is_ascii_whitespace(),
        });
        self.judged = end;
        let quoted = before.get(..start).unwrap_or_default();
        let opened = quoted.trim_end_matches(['"', '\'', ' ']);
        let is_loaded =
            is_styled || ends_with_word(opened, "url(") || ends_with_word(opened, "@import");
        let (used, what) = match is_loaded {
            true => (Use::Image, "image"),
            false => (Use::Link, "link"),
        };
        if self.is_harmless(start..end, used) {
            return;
        }
        let address = self.read(start..end, false);
        let Some(mut rule) = self.judge(&address, used) else {
            return;
        };
        if rule == Rule::LinkExfiltration {
            rule = Rule::UnfurlBait;
        }
        let host = carry::host_for_notice(&address);
        self.found(
            rule,
            start..end,
            start..end,
            format!("[{what} removed: {host}]"),
        );
    }
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let from = text.len().checked_sub(word.len());
    from.and_then(|from| text.get(from..))
        .is_some_and(|end| end.eq_ignore_ascii_case(word))
}
