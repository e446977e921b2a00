//! References to secrets, and the suspicion that something is one.
//!
//! The configuration never holds a secret. What stands where a reference is asked for and is none is
//! refused without being repeated in any message.

use serde::{Serialize, Serializer};
use std::fmt;
use std::path::PathBuf;
use thiserror::Error;
use url::Url;

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// In an environment variable of this name.
    Env(String),
    /// In a file, relative to the configuration file.
    File(PathBuf),
}

impl SecretRef {
    /// Reads `env:NAME` or `file:path`.
    pub fn parse(text: &str) -> Result<Self, SecretRefError> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(SecretRefError::Literal);
        };
        match scheme {
            "env" if is_variable(rest) => Ok(SecretRef::Env(rest.to_owned())),
            "env" => Err(SecretRefError::Name),
            "file" if is_path(rest) => Ok(SecretRef::File(PathBuf::from(rest))),
            "file" => Err(SecretRefError::Path),
            "vault" => Err(SecretRefError::NotBuiltYet("vault")),
            "aws-sm" => Err(SecretRefError::NotBuiltYet("aws-sm")),
            "azure-kv" => Err(SecretRefError::NotBuiltYet("azure-kv")),
            _ => Err(SecretRefError::Literal),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretRef::Env(name) => write!(f, "env:{name}"),
            SecretRef::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why something is no reference to a secret. It never says what that something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretRefError {
    /// It is a value.
    #[error("holds a literal value where only a reference to a secret may stand")]
    Literal,
    /// The name of the variable is none.
    #[error("names no environment variable after `env:`")]
    Name,
    /// A place that a later release will read.
    #[error("refers to `{0}:`, which is not built yet")]
    NotBuiltYet(&'static str),
    /// The path is none.
    #[error("names no file after `file:`")]
    Path,
}

impl SecretRefError {
    pub(crate) fn fix(self) -> &'static str {
        match self {
            SecretRefError::Literal => {
                "keep the secret elsewhere and write `env:NAME` or `file:path`; consider a value that \
                 was ever written here known to others, and replace it"
            }
            SecretRefError::Name => "write `env:NAME` with letters, digits and `_` only",
            SecretRefError::NotBuiltYet(_) => "write `env:NAME` or `file:path` for now",
            SecretRefError::Path => "write `file:` and a path, such as `file:keys/token`",
        }
    }
}

/// Whether this is a name that every system takes for an environment variable.
pub(crate) fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_path(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 1024
        && path.trim() == path
        && !path.contains(char::is_control)
}

/// Whether a name says that what it names is a secret: `API_KEY`, `githubToken`, `--password`.
pub(crate) fn sounds_secret(name: &str) -> bool {
    const ENDINGS: [&str; 13] = [
        "accesskey",
        "apikey",
        "authorization",
        "bearer",
        "cookie",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "privatekey",
        "secret",
        "token",
    ];
    // These say where a secret is, or what it is called.
    const PLACES: [&str; 7] = ["dir", "file", "id", "name", "path", "uri", "url"];
    const WORDS: [&str; 9] = [
        "auth",
        "credential",
        "credentials",
        "key",
        "pass",
        "passwd",
        "password",
        "secret",
        "token",
    ];
    let last = name
        .rsplit(|c: char| !c.is_ascii_alphanumeric())
        .find(|it| !it.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    if PLACES.contains(&last.as_str()) {
        return false;
    }
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    WORDS.contains(&last.as_str())
        || ENDINGS.iter().any(|it| plain.ends_with(it))
        || plain.contains("password")
        || plain.contains("secret")
}

/// Whether a value has the shape of a secret that somebody issued.
pub(crate) fn looks_secret(value: &str) -> bool {
    const BEGINNINGS: [&str; 24] = [
        "-----BEGIN",
        "AIza",
        "AKIA",
        "ASIA",
        "Basic ",
        "Bearer ",
        "EAAC",
        "SG.",
        "dop_v1_",
        "eyJ",
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
        "github_pat_",
        "glpat-",
        "hf_",
        "npm_",
        "pypi-",
        "shpat_",
        "sk-",
        "sk_live_",
        "sk_test_",
        "xox",
    ];
    let value = value.trim();
    let issued = value.len() >= 16 && BEGINNINGS.iter().any(|it| value.starts_with(it));
    let whole = value.contains("-----BEGIN") || has_password(value) || is_random(value);
    issued || whole || carries_secret(value)
}

/// Whether a secret stands inside a longer value: headers as JSON, a connection string, arguments.
fn carries_secret(value: &str) -> bool {
    const SEPARATORS: &[char] = &[';', ',', '&', '{', '}', '"', '\'', '\\'];
    let separates = |c: char| c.is_whitespace() || SEPARATORS.contains(&c);
    let pieces: Vec<&str> = value
        .split(separates)
        .filter(|piece| !piece.is_empty())
        .collect();
    let at = |place: usize| pieces.get(place).copied().unwrap_or_default();
    (0..pieces.len()).any(|place| {
        let (piece, next) = (at(place), at(place + 1));
        let scheme = piece.eq_ignore_ascii_case("bearer") || piece.eq_ignore_ascii_case("basic");
        let named = |name: &str| {
            (name.eq_ignore_ascii_case("pwd") || sounds_secret(name))
                && !name.eq_ignore_ascii_case("key")
        };
        let assigned = piece
            .split_once('=')
            .is_some_and(|(name, value)| named(name) && !value.is_empty());
        let told = piece.strip_suffix(':').is_some_and(named) && !next.is_empty();
        let member = named(piece) && next == ":" && !at(place + 2).is_empty();
        let flag =
            piece.starts_with("--") && named(piece) && !next.is_empty() && !next.starts_with('-');
        (scheme && next.len() >= 8) || assigned || told || member || flag
    })
}

/// An address that carries a password: `postgresql://user:password@host/name`.
fn has_password(value: &str) -> bool {
    let address = value.len() <= 4096 && value.contains("://") && value.contains('@');
    address && Url::parse(value).is_ok_and(|url| url.password().is_some())
}

/// Long, with a piece that is longer than any word and mixes letters and digits as words do not. Paths,
/// names, versions and identifiers with dashes are not like that.
fn is_random(value: &str) -> bool {
    let all = value
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b));
    if !all || !(32..=4096).contains(&value.len()) {
        return false;
    }
    value.split(['/', '=', '_', '-', '+']).any(|piece| {
        let count = |of: fn(&u8) -> bool| piece.bytes().filter(of).count();
        let (digits, upper, lower) = (
            count(u8::is_ascii_digit),
            count(u8::is_ascii_uppercase),
            count(u8::is_ascii_lowercase),
        );
        let mixed = digits > 0 && upper > 0 && lower > 0;
        piece.len() >= if mixed { 20 } else { 32 } && digits > 0 && upper + lower > 3
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n6_3_takes_references_only() {
        use SecretRefError as E;
        for (text, expected) in [
            ("env:TOKEN", Ok(SecretRef::Env("TOKEN".into()))),
            ("file:a/b.key", Ok(SecretRef::File("a/b.key".into()))),
            (
                "file:C:\\keys\\a",
                Ok(SecretRef::File("C:\\keys\\a".into())),
            ),
            ("env:", Err(E::Name)),
            ("env:A B", Err(E::Name)),
            ("env:1A", Err(E::Name)),
            ("file:", Err(E::Path)),
            ("file: a", Err(E::Path)),
            ("vault:kv/x", Err(E::NotBuiltYet("vault"))),
            ("aws-sm:x", Err(E::NotBuiltYet("aws-sm"))),
            ("azure-kv:x", Err(E::NotBuiltYet("azure-kv"))),
            ("hunter2", Err(E::Literal)),
            ("ENV:TOKEN", Err(E::Literal)),
            ("user:password", Err(E::Literal)),
            ("", Err(E::Literal)),
        ] {
            assert_eq!(SecretRef::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn n6_3_finds_a_secret_inside_a_longer_value() {
        for (value, expected) in [
            (
                "{\"Authorization\": \"Bearer ntn_abc123def456\", \"v\": \"1\"}",
                true,
            ),
            ("{\"api_token\": \"short\"}", true),
            ("Server=db;User Id=sa;Password=hunter9;", true),
            ("--password hunter2 --user bob", true),
            ("token: abc", true),
            ("--token-file keys/a --verbose", false),
            ("sort=name&page=2", false),
            ("key=value", false),
            ("the bearer of bad news", false),
            ("{\"level\": \"debug\"}", false),
        ] {
            assert_eq!(looks_secret(value), expected, "{value}");
        }
    }

    #[test]
    fn n6_3_knows_names_that_promise_a_secret() {
        for (name, expected) in [
            ("API_KEY", true),
            ("GITHUB_PERSONAL_ACCESS_TOKEN", true),
            ("apiKey", true),
            ("githubToken", true),
            ("--password", true),
            ("PASSWORD1", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("DB_PASSWORD_FILE", false),
            ("MAX_TOKENS", false),
            ("AUTH", true),
            ("Authorization", true),
            ("TZ", false),
            ("KEYBOARD", false),
            ("MONKEY", false),
            ("AUTHOR", false),
            ("TOKENIZER", false),
            ("COMPASS", false),
            ("", false),
        ] {
            assert_eq!(sounds_secret(name), expected, "{name}");
        }
    }

    #[test]
    fn n6_3_knows_values_that_look_issued() {
        for (value, expected) in [
            ("ghp_0123456789abcdefghij", true),
            ("sk-proj-0123456789", true),
            ("Bearer 0123456789abcdef", true),
            ("eyJhbGciOiJFUzI1NiJ9.e30.x", true),
            ("-----BEGIN PRIVATE KEY-----", true),
            (
                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                true,
            ),
            ("wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLE0KEY1", true),
            ("postgresql://user:word@host/name", true),
            ("America/Argentina/ComodRivadavia", false),
            ("/usr/local/share/some-server/data", false),
            ("@modelcontextprotocol/server-everything", false),
            ("https://api.example.com/v1/things", false),
            ("--local-timezone", false),
            ("123e4567-e89b-12d3-a456-426614174000", false),
            ("postgresql://host/name", false),
            ("sk-short", false),
            ("UTC", false),
            ("", false),
        ] {
            assert_eq!(looks_secret(value), expected, "{value}");
        }
    }
}
