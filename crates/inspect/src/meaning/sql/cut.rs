//! Cuts SQL into tokens in one pass. It understands nothing.

use std::ops::Range;

/// How quotes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Each is a token of its own: it may end a text that began elsewhere.
    Apart,
    /// They hold what is between them.
    Hold,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// `run`: some dialect runs what is in it. `closed`: it ends before the text does, or with the line.
    Comment {
        run: bool,
        closed: bool,
    },
    /// `;`
    End,
    Number,
    /// A quote, apart.
    Quote,
    Symbol,
    /// A text, or a name in quotes, held.
    Held,
    /// A text whose end depends on the dialect, or that has none.
    Unclear,
    Word,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) what: What,
    pub(super) at: Range<usize>,
    /// Whether a space, a comment or a bracket stands before it.
    pub(super) spaced: bool,
}

impl Token {
    pub(super) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.at.clone()).unwrap_or_default()
    }

    pub(super) fn word<'t>(&self, text: &'t str) -> Option<&'t str> {
        (self.what == What::Word).then(|| self.text(text))
    }

    pub(super) fn is(&self, text: &str, expected: &str) -> bool {
        self.text(text).eq_ignore_ascii_case(expected)
    }
}

pub(super) fn cut(text: &str, quotes: Quotes) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    let mut spaced = true;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some((what, length)) = next(rest, quotes, tokens.last()) else {
            let space = rest.chars().next().map_or(1, char::len_utf8);
            at += space;
            spaced = true;
            continue;
        };
        tokens.push(Token {
            what,
            at: at..at + length,
            spaced,
        });
        spaced = matches!(what, What::Comment { .. } | What::Symbol | What::End);
        at += length;
    }
    tokens
}

/// What a byte of ASCII belongs to by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A letter, a digit, an underscore.
    Word,
    /// A digit, which begins a number.
    Digit,
    /// Nothing that is seen.
    Blank,
    /// What is a token alone, whatever follows.
    Symbol,
    /// What depends on what follows, or is no ASCII.
    Other,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut at = 0;
    while at < 128 {
        #[expect(clippy::indexing_slicing, reason = "computed while compiling")]
        {
            classes[at] = match at as u8 {
                b'0'..=b'9' => Class::Digit,
                b'A'..=b'Z' | b'a'..=b'z' | b'_' => Class::Word,
                0..=b' ' | 0x7f => Class::Blank,
                b'-' | b'#' | b'/' | b'\'' | b'"' | b'`' | b'$' | b';' => Class::Other,
                _ => Class::Symbol,
            };
        }
        at += 1;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES
        .get(usize::from(byte))
        .copied()
        .unwrap_or(Class::Other)
}

/// The token at the beginning; nothing if there is a space.
fn next(rest: &str, quotes: Quotes, before: Option<&Token>) -> Option<(What, usize)> {
    match class(*rest.as_bytes().first()?) {
        Class::Blank => None,
        Class::Symbol => Some((What::Symbol, 1)),
        Class::Word => Some((What::Word, word(rest))),
        Class::Digit => Some((
            What::Number,
            span(rest, |c| c.is_ascii_alphanumeric() || c == '.'),
        )),
        Class::Other => other(rest, quotes, before),
    }
}

fn other(rest: &str, quotes: Quotes, before: Option<&Token>) -> Option<(What, usize)> {
    let first = rest.chars().next()?;
    Some(match (first, rest.as_bytes().get(1)) {
        (c, _) if c.is_whitespace() || c.is_control() => return None,
        ('-', Some(b'-')) => line(rest),
        ('#', _)
            if quotes == Quotes::Apart && before.is_some_and(|token| token.what == What::Quote) =>
        {
            line(rest)
        }
        // A comment in one dialect, an operator in another, where it is not part of a name.
        ('#', _) if quotes == Quotes::Hold => (What::Unclear, 1),
        ('/', Some(b'*')) => block(rest),
        ('\'' | '"' | '`', _) if quotes == Quotes::Apart => (What::Quote, 1),
        ('\'' | '"' | '`', _) => held(rest, first),
        ('$', _) if quotes == Quotes::Hold => dollars(rest),
        (';', _) => (What::End, 1),
        (c, _) if is_word(c) => (What::Word, word(rest)),
        (c, _) => (What::Symbol, c.len_utf8()),
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// How long the word is that begins here.
fn word(rest: &str) -> usize {
    let is_part = |byte: &u8| matches!(class(*byte), Class::Word | Class::Digit);
    let plain = rest.bytes().take_while(|byte| is_part(byte)).count();
    match rest.as_bytes().get(plain) {
        Some(0x80..) => plain + span(rest.get(plain..).unwrap_or_default(), is_word),
        _ => plain,
    }
}

fn span(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

fn line(rest: &str) -> (What, usize) {
    let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
    let comment = What::Comment {
        run: false,
        closed: true,
    };
    (comment, length)
}

/// A comment in the middle. Some dialects nest them: one that opens another is left open.
fn block(rest: &str) -> (What, usize) {
    let run = rest.starts_with("/*!") || rest.starts_with("/*+") || rest.starts_with("/*M!");
    let inner = rest.get(2..).unwrap_or_default();
    let (inner_length, found) = match inner.find("*/") {
        Some(at) => (at, true),
        None => (inner.len(), false),
    };
    let nested = inner
        .get(..inner_length)
        .is_some_and(|inner| inner.contains("/*"));
    let length = 2 + inner_length + if found { 2 } else { 0 };
    let comment = What::Comment {
        run,
        closed: found && !nested,
    };
    (comment, length)
}

/// What a quote holds. A doubled quote stands for one; a backslash before a quote does in some
/// dialects, and ends the text in the others.
fn held(rest: &str, quote: char) -> (What, usize) {
    let bytes = rest.as_bytes();
    let quote = quote as u8;
    let mut at = 1;
    let mut clear = true;
    loop {
        match bytes.get(at) {
            None => return (What::Unclear, rest.len()),
            Some(b'\\') if matches!(bytes.get(at + 1), Some(b'\'' | b'"' | b'`' | b'\\')) => {
                clear = false;
                at += 2;
            }
            Some(byte) if *byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            Some(byte) if *byte == quote => break,
            Some(_) => at += 1,
        }
    }
    (if clear { What::Held } else { What::Unclear }, at + 1)
}

/// `$1`, or `$tag$ ... $tag$` of one dialect.
fn dollars(rest: &str) -> (What, usize) {
    let tag = word(rest.get(1..).unwrap_or_default());
    match rest.as_bytes().get(1 + tag) {
        Some(b'$') => (What::Unclear, 2 + tag),
        _ => (What::Word, 1 + tag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a character is by itself, where that depends on nothing else.
    fn alone(c: char) -> Option<What> {
        match c {
            c if c.is_whitespace() || c.is_control() => None,
            c if c.is_ascii_digit() => Some(What::Number),
            c if is_word(c) => Some(What::Word),
            _ => Some(What::Symbol),
        }
    }

    #[test]
    fn every_character_is_what_it_is_by_itself() {
        for c in ('\0'..=char::MAX).filter(|c| !"-#/'\"`$;".contains(*c)) {
            let text = c.to_string();
            for quotes in [Quotes::Apart, Quotes::Hold] {
                let tokens = cut(&text, quotes);
                let what: Option<What> = tokens.first().map(|token| token.what);
                assert_eq!(what, alone(c), "{c:?}");
                assert!(tokens.iter().all(|token| token.at == (0..text.len())));
            }
        }
    }

    proptest! {
        #[test]
        fn a_word_ends_where_no_character_belongs_to_it(text in "[aZ_9é日. @-]{0,12}") {
            let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
            prop_assert_eq!(word(&text), end);
        }
    }
}
