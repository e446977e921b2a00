//! The URL that a proof is for, in one spelling (RFC 9449, section 4.3): without query and fragment,
//! and normalised as RFC 3986 (sections 6.2.2 and 6.2.3) has it, so that spelling alone makes no two
//! of one address, and what only a lenient reader takes for an address is none.

use url::Url;

/// The longest URL that is looked at, in bytes.
const URL_MAX: usize = 4096;

/// The URL of a request as proofs name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    normal: String,
}

impl Target {
    /// The target that this URL names; none if it is no absolute http or https URL that every reader
    /// understands alike.
    pub fn of(url: &str) -> Option<Self> {
        let whole = url.len() <= URL_MAX && url.bytes().all(|byte| byte.is_ascii_graphic());
        if !whole || url.contains('\\') {
            return None;
        }
        let end = url.find(['?', '#']).unwrap_or(url.len());
        let (scheme, rest) = url.get(..end)?.split_once("://")?;
        let authority = rest.split('/').next()?;
        if authority.is_empty() || authority.contains('@') {
            return None;
        }
        let parsed = Url::parse(&format!("{scheme}://{rest}")).ok()?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return None;
        }
        // Scheme, host and port are normal now, and there are no dots to resolve in the path.
        let origin = parsed.origin().ascii_serialization();
        Some(Target {
            normal: origin + &unescaped(parsed.path())?,
        })
    }

    /// Whether `htu` of a proof names it.
    pub fn is_named(&self, htu: &str) -> bool {
        // Nearly always it is spelt like this already.
        self.normal == htu || Target::of(htu).as_ref() == Some(self)
    }

    /// The normal spelling.
    pub fn as_str(&self) -> &str {
        &self.normal
    }
}

/// The path with escapes only where they are needed, and those in upper case.
fn unescaped(path: &str) -> Option<String> {
    let mut normal = String::with_capacity(path.len());
    let mut parts = path.split('%');
    normal.push_str(parts.next()?);
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        // `from_str_radix` lets a sign pass.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        match byte {
            b'-' | b'.' | b'_' | b'~' => normal.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => normal.push(char::from(byte)),
            byte => normal.push_str(&format!("%{byte:02X}")),
        }
        normal.push_str(rest);
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OURS: &str = "https://mcp.example.com/files/a-b";

    #[test]
    fn n7_4_one_address_has_many_spellings_and_one_target() {
        let target = Target::of(OURS).unwrap();
        let check = |htu: &str, expected: bool| {
            assert_eq!(target.is_named(htu), expected, "{htu}");
        };
        for same in [
            OURS,
            "HTTPS://MCP.Example.COM/files/a-b",
            "https://mcp.example.com:443/files/a-b",
            "https://mcp.example.com/files/a-b?x=1",
            "https://mcp.example.com/files/a-b#x",
            "https://mcp.example.com/files/a-b?x=1#y?z",
            "https://mcp.example.com/files/a%2db",
            "https://mcp.example.com/%66iles/a%2Db",
            "https://mcp.example.com/./files/x/../a-b",
        ] {
            check(same, true);
        }
        for other in [
            "",
            "/files/a-b",
            "mcp.example.com/files/a-b",
            "//mcp.example.com/files/a-b",
            "http://mcp.example.com/files/a-b",
            "https://mcp.example.com/files",
            "https://mcp.example.com/files/a-b/",
            "https://mcp.example.com/files/A-b",
            "https://mcp.example.com/files//a-b",
            "https://mcp.example.com/files%2Fa-b",
            "https://mcp.example.com:8443/files/a-b",
            "https://mcp.example.com.evil.example/files/a-b",
            "https://evil.example/files/a-b",
            "https://evil.example/https://mcp.example.com/files/a-b",
            "https://evil.example@mcp.example.com/files/a-b",
            "https://@mcp.example.com/files/a-b",
            "https://mcp.example.com@evil.example/files/a-b",
            "https:/mcp.example.com/files/a-b",
            "https:///mcp.example.com/files/a-b",
            "https:mcp.example.com/files/a-b",
            "https://mcp.example.com\\files\\a-b",
            " https://mcp.example.com/files/a-b",
            "https://mcp.example.com/files/a-b ",
            "https://mcp.example.com/fi\tles/a-b",
            "https://mcp.example.com/files/a-b\n",
            "https://mcp.example.com/files/a-b%",
            "https://mcp.example.com/files/a%2-b",
            "https://mcp.example.com/files/a%+2b",
            "https://mcp.exam\u{440}le.com/files/a-b",
            "ftp://mcp.example.com/files/a-b",
            "https://mcp.example.com",
        ] {
            check(other, false);
        }
        assert!(Target::of(&format!("{OURS}/{}", "a".repeat(URL_MAX))).is_none());
        assert_eq!(
            Target::of("http://127.0.0.1:8080/a").unwrap().as_str(),
            "http://127.0.0.1:8080/a"
        );
    }

    proptest! {
        #[test]
        fn n7_4_a_target_names_itself_and_nothing_makes_it_panic(url in "\\PC{0,60}", path in "[a-z%0-9./~-]{0,20}") {
            for url in [url, format!("https://a.example/{path}")] {
                if let Some(target) = Target::of(&url) {
                    prop_assert!(target.is_named(&url));
                    prop_assert_eq!(Target::of(target.as_str()), Some(target.clone()));
                }
            }
        }
    }
}
