//! Text as a YAML value that every reader understands in the same way.

use std::fmt::Write;

/// The text as it is where it can only be text, otherwise in double quotes with everything unusual
/// escaped.
pub(crate) fn quoted(text: &str) -> String {
    if is_bare(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_plain(c) => out.push(c),
            c if u32::from(c) <= 0xffff => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// Whether a character can be printed as it is without anybody being able to overlook it.
pub(crate) fn is_plain(c: char) -> bool {
    c.is_ascii() && !c.is_ascii_control() || c.is_alphanumeric()
}

fn is_bare(text: &str) -> bool {
    // Words that some reader takes for something other than text.
    const TAKEN: [&str; 11] = [
        "false", "inf", "n", "nan", "no", "null", "off", "on", "true", "y", "yes",
    ];
    let begins = |c: char| c.is_ascii_alphabetic() || c == '/';
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    // A colon is safe in an address, where no blank follows it.
    let address = text.starts_with("https://") || text.starts_with("http://");
    let reference = text.starts_with("env:") || text.starts_with("file:");
    text.starts_with(begins)
        && text
            .chars()
            .all(|c| goes_on(c) || (c == ':' && (address || reference)))
        && !text.ends_with(':')
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
}
