//! How long a terminal escape sequence is, so that it is removed whole.
//!
//! ECMA-48: control sequences, control strings, and two-character escapes, in their seven-bit
//! spelling and in the eight-bit one of the C1 block.

/// A control string that is not closed within this many bytes is no control string.
const LONGEST: usize = 4096;

/// The length in bytes of the escape sequence `rest` begins with.
///
/// Only the introducer counts when the sequence is broken: what follows is then plain text, which
/// is harmless once the introducer is gone.
pub(super) fn length(rest: &str) -> usize {
    let mut chars = rest.chars();
    let introducer = match chars.next() {
        Some('\u{1b}') => match chars.clone().next() {
            Some(next @ ('[' | ']' | 'P' | 'X' | '^' | '_')) => {
                chars.next();
                next
            }
            _ => return escape(rest),
        },
        Some('\u{9b}') => '[',
        Some(_) => ']',
        None => return 0,
    };
    let body = chars.as_str();
    let opened = rest.len() - body.len();
    let closed = if introducer == '[' {
        control_sequence(body)
    } else {
        control_string(body)
    };
    opened + closed.unwrap_or(0)
}

/// `ESC`, any intermediates, and one final character.
fn escape(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let intermediates = bytes
        .iter()
        .skip(1)
        .take(16)
        .take_while(|b| matches!(b, 0x20..=0x2f))
        .count();
    match bytes.get(1 + intermediates) {
        Some(0x30..=0x7e) => 2 + intermediates,
        _ => 1,
    }
}

/// Parameters, intermediates, and one final character.
fn control_sequence(body: &str) -> Option<usize> {
    let bytes = body.as_bytes();
    let inner = bytes
        .iter()
        .take(LONGEST)
        .take_while(|b| matches!(b, 0x20..=0x3f))
        .count();
    matches!(bytes.get(inner), Some(0x40..=0x7e)).then_some(inner + 1)
}

/// Anything but controls, up to the terminator. Stopping at the first control keeps this linear:
/// no byte is looked at by two sequences.
fn control_string(body: &str) -> Option<usize> {
    for (at, c) in body.char_indices() {
        match c {
            '\u{7}' => return Some(at + 1),
            '\u{9c}' => return Some(at + 2),
            '\u{1b}' => return (body.as_bytes().get(at + 1) == Some(&b'\\')).then_some(at + 2),
            '\t' | '\n' | '\r' => {}
            '\0'..='\u{1f}' | '\u{80}'..='\u{9f}' => return None,
            _ if at > LONGEST => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_each_kind_of_sequence() {
        for (text, expected) in [
            ("\u{1b}[31mred", 5),
            ("\u{1b}[?25l", 6),
            ("\u{9b}2Jx", 4),
            ("\u{1b}]8;;https://a.example\u{7}x", 23),
            ("\u{1b}]0;title\u{1b}\\x", 11),
            ("\u{9d}0;t\u{9c}x", 7),
            ("\u{1b}Pq payload\u{1b}\\", 13),
            ("\u{1b}(B", 3),
            ("\u{1b}c", 2),
            ("\u{1b}", 1),
            ("\u{1b}é", 1),
            ("\u{1b}[", 2),
            ("\u{1b}[12", 2),
            ("\u{1b}]never closed", 2),
            ("\u{1b}]closed by\u{1b}[31m", 2),
        ] {
            assert_eq!(length(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_open_string_swallows_only_its_introducer() {
        let text = format!("\u{1b}]{}\u{7}", "x".repeat(LONGEST * 2));
        assert_eq!(length(&text), 2);
    }
}
