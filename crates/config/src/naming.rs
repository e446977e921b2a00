//! Which names of servers can stand together behind one route, where a tool is called
//! `<server>__<tool>` and a resource `<server>+<uri>`. Says whether the way back from such a name is
//! certain; it never changes a name and never looks at what a server offers.

use std::collections::HashMap;

/// What stands between a server and its tool or prompt.
pub const SEPARATOR: &str = "__";

/// Longest name of a server, so that a tool's name still fits behind it.
const LENGTH_MAX: usize = 63;

/// Why servers cannot stand together behind one route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamingError {
    /// Two of them look the same before a resource URI.
    #[error("`{first}` and `{second}` are both written `{scheme}+` before a resource URI")]
    Alike {
        /// The one that came first.
        first: String,
        /// The one that looks like it.
        second: String,
        /// What both look like.
        scheme: String,
    },
    /// It cannot begin a URI scheme.
    #[error("`{0}` does not begin with a letter, as what stands before a resource URI must")]
    Beginning(String),
    /// Where it ends and its tool begins would be a guess.
    #[error("`{0}` ends with `_`, so that nobody can tell where it ends in `{0}__tool`")]
    Ending(String),
    /// It holds what ends it.
    #[error("`{0}` holds `__`, which stands between a server and its tool")]
    Separator(String),
    /// It is too long, or holds what names of servers never hold.
    #[error("`{0}` is not 1 to 63 lowercase letters, digits, `-` and `_`")]
    Spelling(String),
}

impl NamingError {
    /// The server to rename.
    pub fn server(&self) -> &str {
        match self {
            NamingError::Alike { second: name, .. }
            | NamingError::Beginning(name)
            | NamingError::Ending(name)
            | NamingError::Separator(name)
            | NamingError::Spelling(name) => name,
        }
    }

    /// What to do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            NamingError::Alike { .. } => "rename one so that more than `-` and `_` differs",
            NamingError::Beginning(_) => "rename it to begin with a letter",
            NamingError::Ending(_) => "rename it to end with a letter or a digit",
            NamingError::Separator(_) => "rename it with one `_`, or with `-`",
            NamingError::Spelling(_) => "rename it with lowercase letters, digits, `-` and `_`",
        }
    }
}

/// Whether these servers can stand together behind one route. Not for a route with one server,
/// whose names stay as they are.
pub fn check_servers(names: &[&str]) -> Result<(), NamingError> {
    let mut schemes: HashMap<String, &str> = HashMap::with_capacity(names.len());
    for name in names {
        check(name)?;
        let scheme = scheme(name);
        if let Some(first) = schemes.get(&scheme) {
            return Err(NamingError::Alike {
                first: (*first).to_owned(),
                second: (*name).to_owned(),
                scheme,
            });
        }
        schemes.insert(scheme, name);
    }
    Ok(())
}

/// What stands before the `+` of a server's resource URIs. Schemes have no `_`.
pub fn scheme(server: &str) -> String {
    server.replace('_', "-")
}

fn check(name: &str) -> Result<(), NamingError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let owned = || name.to_owned();
    if !(1..=LENGTH_MAX).contains(&name.len()) || !name.bytes().all(plain) {
        Err(NamingError::Spelling(owned()))
    } else if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        Err(NamingError::Beginning(owned()))
    } else if name.contains(SEPARATOR) {
        Err(NamingError::Separator(owned()))
    } else if name.ends_with('_') {
        Err(NamingError::Ending(owned()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_with_certain_names_stand_together() {
        let long = "x".repeat(LENGTH_MAX);
        let sets: [&[&str]; 6] = [
            &[],
            &["a"],
            &["files", "git", "time"],
            &["files-a", "files-b", "files"],
            &["a_b", "a-c", "a-", "a"],
            &[&long, "x"],
        ];
        for names in sets {
            assert_eq!(check_servers(names), Ok(()), "{names:?}");
        }
    }

    #[test]
    fn a_name_whose_end_is_a_guess_is_refused() {
        use NamingError::*;
        let cases = [
            ("a__b", Separator("a__b".into())),
            ("a___b", Separator("a___b".into())),
            ("a__", Separator("a__".into())),
            ("a_", Ending("a_".into())),
            ("a-_", Ending("a-_".into())),
            ("_a", Beginning("_a".into())),
            ("__a", Beginning("__a".into())),
            ("1a", Beginning("1a".into())),
            ("-a", Beginning("-a".into())),
            ("", Spelling("".into())),
            ("A", Spelling("A".into())),
            ("a+b", Spelling("a+b".into())),
            ("a.b", Spelling("a.b".into())),
            ("é", Spelling("é".into())),
        ];
        for (name, expected) in cases {
            let refused = check_servers(&["other", name]).unwrap_err();
            assert_eq!(refused, expected, "{name}");
            assert_eq!(refused.server(), name);
            assert!(!refused.fix().is_empty());
        }
        let long = "x".repeat(LENGTH_MAX + 1);
        assert_eq!(check_servers(&[&long]), Err(Spelling(long.clone())));
    }

    #[test]
    fn two_servers_that_look_the_same_before_a_uri_are_refused() {
        for (first, second) in [("a_b", "a-b"), ("a-b", "a_b"), ("same", "same")] {
            let refused = check_servers(&[first, "other", second]).unwrap_err();
            let scheme = scheme(first);
            let expected = NamingError::Alike {
                first: first.into(),
                second: second.into(),
                scheme,
            };
            assert_eq!(refused, expected);
            assert_eq!(refused.server(), second);
        }
    }

    #[test]
    fn what_stands_before_a_uri_is_a_scheme() {
        for (server, expected) in [
            ("files", "files"),
            ("my_files_2", "my-files-2"),
            ("a-", "a-"),
        ] {
            assert_eq!(scheme(server), expected);
            assert!(url::Url::parse(&format!("{expected}+file:///x")).is_ok());
        }
    }
}
