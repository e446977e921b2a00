//! Words of a command line. Which shell reads them is not known, so what any common one acts on counts.

use super::path::is_dash;
use super::rule::*;
use std::ops::Range;

pub(super) fn check(text: &str, add: &mut impl FnMut(&'static Rule, Range<usize>)) {
    if text.trim_start().starts_with(is_dash) {
        add(&SHELL_OPTION, 0..text.len());
    }
    let mut before = '\0';
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let next = rest.peek().map(|(_, next)| *next);
        if let Some(rule) = rule(before, c, next) {
            add(rule, at..at + c.len_utf8());
        }
        before = c;
    }
}

fn rule(before: char, c: char, next: Option<char>) -> Option<&'static Rule> {
    Some(match (c, next) {
        ('\0', _) => &SHELL_NUL,
        ('`', _) | ('$', Some('(' | '{' | '[')) => &SHELL_SUBSTITUTION,
        ('<' | '>', Some('(')) => &SHELL_SUBSTITUTION,
        ('\n' | '\r' | '\u{b}' | '\u{c}' | ';' | '|' | '&', _) => &SHELL_CHAINING,
        ('<' | '>', _) => &SHELL_REDIRECTION,
        ('(' | ')', _) => &SHELL_QUOTE,
        // `%NAME%` and `!NAME!` of Windows, `^` that escapes there.
        ('$' | '^' | '!', _) => &SHELL_VARIABLE,
        ('%', Some(next)) if next.is_alphabetic() => &SHELL_VARIABLE,
        ('"' | '\'' | '\\', _) => &SHELL_QUOTE,
        ('*' | '?' | '[' | ']' | '{' | '}', _) => &SHELL_GLOB,
        ('~' | '#', _) if before == '\0' => &SHELL_GLOB,
        (c, _) if c.is_whitespace() => &SHELL_SPACE,
        (c, _) if c.is_control() => &SHELL_CHAINING,
        _ => return None,
    })
}
