//! Member names that some parser takes for another one's.
//!
//! A parser that ignores case reads `Name` as `name`; one that folds Unicode reads `ſ` as `s`; a
//! person reading a log takes a Cyrillic `о` for `o`. A message with such a member means different
//! things to different readers, so it is refused where the member matters. This module says whether
//! a name is such a variant; it never judges names it was not asked about.

pub(crate) mod parts;

use crate::document::{Str, Value};
use crate::flaw::{Flaw, FlawKind};

/// The members of a JSON-RPC envelope.
pub const ENVELOPE: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];

/// The members of params that decide what a message does and who may send it, or that are shown.
pub const PARAMS: &[&str] = &[
    "name",
    "arguments",
    "uri",
    "_meta",
    "cursor",
    "ref",
    "argument",
    "level",
    "task",
    "taskId",
    "protocolVersion",
    "capabilities",
    "clientInfo",
    "requestId",
    "progressToken",
    "requestState",
    "inputResponses",
    "notifications",
    "data",
    "logger",
    "message",
    "messages",
    "reason",
    "status",
    "statusMessage",
    "systemPrompt",
    "url",
];

/// The members of `_meta` that the protocol defines.
pub const META: &[&str] = &[
    "progressToken",
    "traceparent",
    "tracestate",
    "baggage",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/logLevel",
    "io.modelcontextprotocol/serverInfo",
    "io.modelcontextprotocol/related-task",
    "io.modelcontextprotocol/subscriptionId",
];

/// The members of a completion reference.
pub const REFERENCE: &[&str] = &["type", "name", "uri"];

/// The members of results that are filtered, checked or shown to a model.
pub const RESULT: &[&str] = &[
    "_meta",
    "action",
    "cacheScope",
    "capabilities",
    "completion",
    "content",
    "contents",
    "inputRequests",
    "instructions",
    "isError",
    "messages",
    "nextCursor",
    "prompts",
    "protocolVersion",
    "requestState",
    "resourceTemplates",
    "resources",
    "result",
    "resultType",
    "role",
    "roots",
    "status",
    "statusMessage",
    "task",
    "taskId",
    "tasks",
    "serverInfo",
    "structuredContent",
    "supportedVersions",
    "tools",
    "ttlMs",
];

/// Refuses the object if a member is a variant of one of `names`. Anything that is no object passes.
pub fn check(object: Value<'_>, names: &[&str]) -> Result<(), Flaw> {
    for (key, _) in object.members() {
        if variant(key, names).is_some() {
            return Err(Flaw::at(FlawKind::Variant, key.range().start));
        }
    }
    Ok(())
}

/// The name that `key` can be taken for without being it.
pub fn variant<'n>(key: Str<'_>, names: &[&'n str]) -> Option<&'n str> {
    if key.is_plain() {
        let raw = key.raw();
        if raw.iter().all(|byte| is_name_byte(*byte)) {
            let near = |name: &&&str| raw.eq_ignore_ascii_case(name.as_bytes());
            let found = names.iter().find(near)?;
            return (raw != found.as_bytes()).then_some(*found);
        }
    }
    let text = key.decoded();
    if names.iter().any(|name| *name == text) {
        return None;
    }
    let folded = fold(&text);
    names
        .iter()
        .find(|name| folded.eq_ignore_ascii_case(name))
        .copied()
}

/// Bytes that [`fold`] leaves alone but for case.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'$' | b':')
}

/// What a careless reader sees: look-alikes as the letter they look like, invisible characters,
/// blanks and quotes gone.
fn fold(text: &str) -> String {
    text.chars().filter_map(seen).collect()
}

fn seen(character: char) -> Option<char> {
    match character {
        '\u{21}' | '\u{23}'..='\u{26}' | '\u{28}'..='\u{5f}' | '\u{61}'..='\u{7e}' => {
            Some(character)
        }
        // Blanks, controls, quotes, marks that combine, and characters without a picture.
        '\0'..='\u{20}' | '"' | '\'' | '`' | '\u{7f}'..='\u{a0}' | '\u{ad}' => None,
        '\u{300}'..='\u{36f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' => {
            None
        }
        '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' => None,
        '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' => None,
        '\u{e0000}'..='\u{e0fff}' => None,
        // Whole alphabets of letters in another dress.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0),
        '\u{24b6}'..='\u{24cf}' => char::from_u32(u32::from(character) - 0x24b6 + 0x41),
        '\u{24d0}'..='\u{24e9}' => char::from_u32(u32::from(character) - 0x24d0 + 0x61),
        '\u{1d400}'..='\u{1d6a3}' => {
            let letter = (u32::from(character) - 0x1d400) % 26;
            char::from_u32(letter + 0x61)
        }
        _ => Some(twin(character)),
    }
}

/// The ASCII letter that a letter of another alphabet looks like or folds to.
fn twin(character: char) -> char {
    match character {
        'а' | 'А' | 'α' | 'Α' | 'ɑ' => 'a',
        'В' | 'Β' | 'ь' => 'b',
        'с' | 'С' | 'ϲ' | 'Ϲ' | 'ⅽ' => 'c',
        'ԁ' | 'ⅾ' => 'd',
        'е' | 'Е' | 'Ε' | 'ε' | '℮' => 'e',
        'ց' | 'ɡ' => 'g',
        'һ' | 'Н' | 'Η' | 'հ' => 'h',
        'і' | 'І' | 'ι' | 'Ι' | 'ı' | 'İ' | 'ⅰ' | 'ɩ' => 'i',
        'ј' | 'Ј' | 'ϳ' => 'j',
        'к' | 'К' | 'κ' | 'Κ' | '\u{212a}' => 'k',
        'ӏ' | 'Ӏ' | 'ⅼ' => 'l',
        'м' | 'М' | 'Μ' | 'ⅿ' => 'm',
        'Ν' | 'η' | 'ո' => 'n',
        'о' | 'О' | 'ο' | 'Ο' | 'օ' | '०' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ԛ' => 'q',
        'г' | 'ᴦ' => 'r',
        'ѕ' | 'Ѕ' | '\u{17f}' => 's',
        'т' | 'Т' | 'τ' | 'Τ' => 't',
        'υ' | 'ս' | 'μ' | '\u{b5}' => 'u',
        'ν' | 'ѵ' | 'ⅴ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'Х' | 'χ' | 'Χ' | 'ⅹ' => 'x',
        'у' | 'У' | 'γ' | 'Υ' => 'y',
        'Ζ' => 'z',
        '∕' | '⁄' => '/',
        '․' => '.',
        '‐'..='―' | '−' => '-',
        '‿' | 'ˍ' => '_',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Limits};

    fn check_name(name: &str, names: &[&'static str], expected: Option<&str>) {
        let text = format!("{{\"{name}\":1}}");
        let document = Document::read(text.into(), &Limits::default()).unwrap();
        let (key, _) = document.root().members().next().unwrap();
        assert_eq!(variant(key, names), expected, "{name}");
    }

    #[test]
    fn the_exact_name_is_no_variant() {
        for name in ENVELOPE.iter().chain(PARAMS).chain(META).chain(RESULT) {
            check_name(name, &[name], None);
        }
        check_name(r"\u006eame", &["name"], None);
    }

    #[test]
    fn another_name_is_no_variant() {
        for name in [
            "names",
            "nam",
            "x-name",
            "display_name",
            "",
            "имя",
            "naïve",
            "名前",
        ] {
            check_name(name, PARAMS, None);
        }
    }

    #[test]
    fn finds_variants_of_case_width_alphabet_and_invisible_characters() {
        for name in [
            "Name",
            "NAME",
            "naMe",
            "name ",
            " name",
            "na\u{200b}me",
            "name\\u0000",
            "\\u004eame",
            "ｎａｍｅ",
            "nаme",
            "n\u{430}m\u{435}",
            "𝐧𝐚𝐦𝐞",
            "ⓝⓐⓜⓔ",
            "name\u{fe0f}",
            "name\u{e0041}",
            "'name'",
            "na\u{301}me",
        ] {
            check_name(name, PARAMS, Some("name"));
        }
        check_name("argument\u{17f}", PARAMS, Some("arguments"));
        check_name("ta\u{17f}\u{212a}", PARAMS, Some("task"));
        check_name("＿meta", PARAMS, Some("_meta"));
        check_name("ProgressToken", META, Some("progressToken"));
    }
}
