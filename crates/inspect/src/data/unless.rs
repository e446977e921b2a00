//! Where a rule that goes by names finds nothing: the name goes on and is that of something else
//! (`secret_name`, `apiKeyPath`), or stands in an identifier that only says where a value lies.
//!
//! It looks at names alone. What a value looks like is for checks to say.

use std::ops::Range;

/// How far back the identifier that a name stands in is read, in bytes.
const BACK: usize = 128;

/// What names a rule leaves alone.
#[derive(Debug, Default)]
pub(super) struct Unless {
    /// Last words of names, in lower case.
    pub(super) ends: Box<[Box<str>]>,
    /// What identifiers begin with that a name may stand in.
    pub(super) begins: Box<[Box<str>]>,
}

impl Unless {
    /// Whether what begins at `by.start` of a text with one of these words, and whose value begins at `by.end`,
    /// is named something else.
    pub(super) fn holds(&self, words: &[Box<str>], text: &str, by: Range<usize>) -> bool {
        let before = text.as_bytes().get(..by.start).unwrap_or_default();
        let named = text.as_bytes().get(by).unwrap_or_default();
        self.ends_so(words, named) || self.begins_so(before)
    }

    fn ends_so(&self, words: &[Box<str>], named: &[u8]) -> bool {
        if self.ends.is_empty() {
            return false;
        }
        let length = |word: &[u8]| match named.get(..word.len()) {
            Some(start) if start.eq_ignore_ascii_case(word) => word.len(),
            _ => 0,
        };
        let begun = words.iter().map(|word| length(word.as_bytes())).max();
        let rest = named.get(begun.unwrap_or(0)..).unwrap_or_default();
        let name = rest.iter().take_while(|byte| is_of_name(byte)).count();
        let last = last_word(rest.get(..name).unwrap_or_default());
        let one = last.strip_suffix(b"s").unwrap_or(last);
        let is = |end: &str, word: &[u8]| word.eq_ignore_ascii_case(end.as_bytes());
        !last.is_empty() && self.ends.iter().any(|end| is(end, last) || is(end, one))
    }

    fn begins_so(&self, before: &[u8]) -> bool {
        if self.begins.is_empty() {
            return false;
        }
        let belongs = |byte: &&u8| is_of_name(byte) || matches!(byte, b':' | b'/');
        let length = before.iter().rev().take(BACK).take_while(belongs).count();
        let start = before.len() - length;
        let stands_in = before.get(start..).unwrap_or_default();
        let mut begins = self.begins.iter();
        begins.any(|begin| stands_in.starts_with(begin.as_bytes()))
    }
}

fn is_of_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The last word of a name, however words are told apart in it: `_key_id`, `KeyId`, `KEY_ID2`.
fn last_word(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(u8::is_ascii_alphabetic);
    let name = name.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
    let small = name.iter().rev().take_while(|it| it.is_ascii_lowercase());
    let small = small.count();
    let rest = name.get(..name.len() - small).unwrap_or_default();
    let capitals = rest.iter().rev().take_while(|it| it.is_ascii_uppercase());
    let capitals = match small {
        0 => capitals.count(),
        _ => capitals.take(1).count(),
    };
    name.get(rest.len() - capitals..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_name_says_what_it_names() {
        let boxed = |words: &[&str]| words.iter().map(|it| (*it).into()).collect();
        let unless = Unless {
            ends: boxed(&["arn", "id", "length", "name", "path"]),
            begins: boxed(&["arn:"]),
        };
        let words: Vec<Box<str>> = vec!["secret".into(), "api_key".into(), "credential".into()];
        for (before, named, expected) in [
            ("", "secretName: ", true),
            ("", "secretname=", true),
            ("", "SECRET_NAME = ", true),
            ("", "secret-name\": \"", true),
            ("", "secretNames = ", true),
            ("", "secretName2=", true),
            ("", "secret_id_1 = ", true),
            ("", "secretARN: ", true),
            ("", "secretKeyID: ", true),
            ("", "api_key.path := ", true),
            ("", "api_key_length=*/", true),
            ("", "credentialsPath = ", true),
            (
                "arn:aws:secretsmanager:eu-west-1:123456789012:",
                "secret:",
                true,
            ),
            ("SECRET=arn:aws:secretsmanager:a:1:", "secret:", true),
            ("", "secret: ", false),
            ("", "secret = name", false),
            ("", "secret2=", false),
            ("", "secret_key_prod: ", false),
            ("", "secret_id_token: ", false),
            ("", "api_key_staging: ", false),
            ("", "api_keyname_of: ", false),
            ("", "credentials: ", false),
            ("", "secretvalid=", false),
            ("learn:the ", "secret:", false),
            ("it is arn: ", "secret:", false),
            ("日本arn:", "secret:", true),
        ] {
            let text = format!("{before}{named}value");
            let by = before.len()..before.len() + named.len();
            assert_eq!(unless.holds(&words, &text, by), expected, "{text}");
        }
        let none = Unless::default();
        assert!(!none.holds(&words, "secretName: x", 0..12));
    }
}
