//! Finds functions in Rust text by matching braces, after blanking out comments, strings and
//! characters. It is no parser: it only has to be right about formatted code.

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Where `fn` stands, counted from 1.
    pub(crate) line: usize,
    /// Lines of its body that hold code.
    pub(crate) lines: usize,
}

/// The code alone: comments, strings and characters are blank.
pub(crate) fn code(text: &str) -> String {
    String::from_utf8_lossy(&masked(text)).into_owned()
}

/// Every function with a body, nested ones included.
pub(crate) fn functions(text: &str) -> Vec<Function> {
    let code = masked(text);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = next_fn(&code, from) {
        from = at + 3;
        let rest = code.get(from..).unwrap_or_default();
        let name: Vec<u8> = rest
            .iter()
            .copied()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .collect();
        let body = body(&code, from).filter(|_| !name.is_empty());
        let Some((start, end)) = body else { continue };
        let line = count(code.get(..at).unwrap_or_default(), |_| true) + 1;
        let lines = count(code.get(start..end).unwrap_or_default(), |line| {
            !line.trim_ascii().is_empty()
        });
        found.push(Function {
            name: String::from_utf8_lossy(&name).into_owned(),
            line,
            lines,
        });
    }
    found
}

fn next_fn(code: &[u8], from: usize) -> Option<usize> {
    let rest = code.get(from..)?;
    let mut offset = 0;
    loop {
        let at = rest
            .get(offset..)?
            .windows(3)
            .position(|window| window == b"fn ")?
            + offset;
        let before = at.checked_sub(1).and_then(|before| rest.get(before));
        if before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_') {
            return Some(from + at);
        }
        offset = at + 3;
    }
}

/// What lies between the braces of the first body after `from`; nothing for a function without one.
fn body(code: &[u8], from: usize) -> Option<(usize, usize)> {
    let (mut round, mut curly, mut start) = (0usize, 0usize, 0usize);
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => round += 1,
            b')' | b']' => round = round.saturating_sub(1),
            b';' if round == 0 && curly == 0 => return None,
            b'{' => {
                if curly == 0 {
                    start = at + 1;
                }
                curly += 1;
            }
            b'}' => {
                curly = curly.saturating_sub(1);
                if curly == 0 {
                    return Some((start, at));
                }
            }
            _ => {}
        }
    }
    None
}

/// How many of the complete lines satisfy `counts`.
fn count(code: &[u8], counts: impl Fn(&[u8]) -> bool) -> usize {
    let complete = code.split(|byte| *byte == b'\n').rev().skip(1);
    complete.filter(|line| counts(line)).count()
}

/// The text with every comment, string and character literal turned to spaces; line ends stay.
fn masked(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        match literal(rest, out.last().copied()) {
            0 => {
                out.push(*byte);
                at += 1;
            }
            length => {
                let hidden = rest.iter().take(length);
                out.extend(hidden.map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
                at += length;
            }
        }
    }
    out
}

/// How many bytes the comment or literal at the front takes; 0 if there is none.
fn literal(rest: &[u8], before: Option<u8>) -> usize {
    let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match rest {
        [b'/', b'/', ..] => find(rest, b"\n", 0).unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => string(rest),
        [b'b', b'"', ..] if !in_word => 1 + string(rest.get(1..).unwrap_or_default()),
        [b'r' | b'b', ..] if !in_word => raw_string(rest),
        [b'\'', ..] => character(rest),
        _ => 0,
    }
}

fn find(rest: &[u8], mark: &[u8], from: usize) -> Option<usize> {
    let part = rest.get(from..)?;
    part.windows(mark.len())
        .position(|window| window == mark)
        .map(|at| at + from)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    while let Some(pair) = rest.get(at..at + 2) {
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth = depth.saturating_sub(1),
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8]) -> usize {
    let prefix = rest
        .iter()
        .take_while(|byte| matches!(byte, b'r' | b'b'))
        .count();
    let hashes = rest
        .iter()
        .skip(prefix)
        .take_while(|byte| **byte == b'#')
        .count();
    let quoted = rest.get(prefix + hashes) == Some(&b'"');
    if !quoted
        || !rest
            .get(..prefix)
            .is_some_and(|prefix| prefix.contains(&b'r'))
    {
        return 0;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let start = prefix + hashes + 1;
    find(rest, &close, start).map_or(rest.len(), |at| at + close.len())
}

/// A character, but not a lifetime.
fn character(rest: &[u8]) -> usize {
    match rest {
        [_, b'\\', ..] => find(rest, b"'", 3).map_or(0, |end| end + 1),
        _ => find(rest, b"'", 2)
            .filter(|end| *end <= 5 && !is_lifetime(rest, *end))
            .map_or(0, |end| end + 1),
    }
}

/// `'a, 'b` has a quote a few bytes on that closes nothing.
fn is_lifetime(rest: &[u8], end: usize) -> bool {
    let inside = rest.get(1..end).unwrap_or_default();
    std::str::from_utf8(inside).map_or(true, |inside| inside.chars().count() != 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, usize, usize)]) {
        let found = functions(text);
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.line, f.lines))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_functions_and_their_lengths() {
        check("fn a() {}\n", &[("a", 1, 0)]);
        check(
            "\npub async fn a(\n    b: u8,\n) -> u8 {\n    b\n}\n",
            &[("a", 2, 1)],
        );
        check(
            "trait T {\n    fn a(&self);\n    fn b(&self) {\n    }\n}\n",
            &[("b", 3, 0)],
        );
        check(
            "fn a() {\n    fn b() {\n    }\n}\n",
            &[("a", 1, 2), ("b", 2, 0)],
        );
        check("fn a(x: [u8; 3]) -> impl Fn(u8) {\n}\n", &[("a", 1, 0)]);
    }

    #[test]
    fn is_not_misled_by_what_is_no_code() {
        check(
            "// fn no() {\nfn a() {\n    let _ = \"}\";\n}\n",
            &[("a", 2, 1)],
        );
        check(
            "fn a() {\n    let _ = '}';\n    let _ = '\\'';\n}\n",
            &[("a", 1, 2)],
        );
        check(
            "fn a<'a>(x: &'a str, y: &'a str) {\n    let _ = r#\"}\"}\"#;\n}\n",
            &[("a", 1, 1)],
        );
        check("/* fn no() { /* } */ */ fn a() {}\n", &[("a", 1, 0)]);
        check(
            "fn a() {\n    let _ = b\"}\\\"}\";\n    let _ = 'ü';\n}\n",
            &[("a", 1, 2)],
        );
        check(
            "let b = a; let bar = \"fn no() {\"; let f: fn(u8) = x;\n",
            &[],
        );
    }
}
