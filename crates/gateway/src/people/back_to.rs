//! Where somebody goes back to once they have signed in: a place of ours, and never anybody else's.

use std::fmt;
use url::Url;

/// A path, with its query, below the public URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BackTo(Box<str>);

impl BackTo {
    /// The longest, in bytes.
    pub(crate) const MAX: usize = 512;

    /// The place that this text names, if it is one of ours, however a browser reads it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#';
        let is_path = text.starts_with('/') && !text.starts_with("//");
        if !is_path || text.len() > Self::MAX || !text.bytes().all(plain) {
            return None;
        }
        // As browsers resolve it: the same place, on the same host, and with no way up.
        let here = Url::parse("https://here.invalid/").ok()?;
        let there = here.join(text).ok()?;
        let query = there.query().map(|query| format!("?{query}"));
        let read = format!("{}{}", there.path(), query.unwrap_or_default());
        let is_same = there.origin() == here.origin() && read == text;
        is_same.then(|| BackTo(text.into()))
    }

    /// A place that we write ourselves.
    pub(crate) fn ours(path: &'static str) -> Self {
        BackTo(path.into())
    }

    /// The path and the query.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n8_4_nobody_is_sent_anywhere_but_to_a_place_of_ours() {
        for ours in ["/", "/connections", "/approvals/0a-b_c?x=1&y=%2F", "/a//b"] {
            let read = BackTo::read(ours);
            assert_eq!(read.as_ref().map(BackTo::as_str), Some(ours));
        }
        let long = format!("/{}", "a".repeat(BackTo::MAX));
        for other in [
            "",
            "connections",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "https://evil.example/",
            "https:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "/../x",
            "/./x",
            "/.//evil.example",
            "/..//evil.example",
            "/a/..//evil.example",
            "/%2e%2e//evil.example",
            "/x#//evil.example",
            "/x y",
            "/\u{202e}",
            "@evil.example",
            ".evil.example",
            "?x",
            &long,
        ] {
            assert_eq!(BackTo::read(other), None, "{other:?}");
        }
    }
}
