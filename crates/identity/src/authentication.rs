//! How strongly, or how lately, a caller has to have logged in: as a resource says it (RFC 9470, section
//! 3; the claims challenge of Entra ID), and as it is handed on to whoever can log in. Whoever says it is
//! untrusted: what is kept is bounded, of one form, and ASCII. Nothing is decided here.

use crate::members;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fmt;

/// The longest list of authentication context class references that is handed on, in bytes.
const ACR_MAX: usize = 512;
/// The largest claims request that is handed on, in bytes.
const CLAIMS_MAX: usize = 4 * 1024;
/// The longest `max_age` that is read, in digits: anything longer is no less than a century.
const AGE_DIGITS_MAX: usize = 9;

/// What an authentication has to be like. At least one thing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    acr_values: Option<Box<str>>,
    max_age_s: Option<u32>,
    claims: Option<Box<str>>,
}

impl Authentication {
    /// What these parameters of a challenge say; nothing if none of them can be read.
    pub(crate) fn read(
        acr_values: Option<&str>,
        max_age: Option<&str>,
        claims: Option<&str>,
    ) -> Option<Self> {
        let said = Authentication {
            acr_values: acr_values.filter(|text| is_acr(text)).map(Into::into),
            max_age_s: max_age.and_then(seconds),
            claims: claims.and_then(object),
        };
        let says_something =
            said.acr_values.is_some() || said.max_age_s.is_some() || said.claims.is_some();
        says_something.then_some(said)
    }

    /// One of these context classes, so many seconds ago at most, and what the provider is asked for;
    /// nothing if that is nothing.
    pub fn of(
        acr_values: &[String],
        max_age_s: Option<u64>,
        claims: Option<&serde_json::Value>,
    ) -> Option<Self> {
        let acr_values = acr_values.join(" ");
        let max_age = max_age_s.map(|age| age.to_string());
        let claims = claims.map(ToString::to_string);
        Self::read(Some(&acr_values), max_age.as_deref(), claims.as_deref())
    }

    /// What a claims request says, as JSON or that encoded in Base64; nothing if it is none.
    pub fn of_claims(claims: &str) -> Option<Self> {
        Self::read(None, None, Some(claims))
    }

    /// The authentication context class references to ask for, with spaces between them
    /// (`acr_values`).
    pub fn acr_values(&self) -> Option<&str> {
        self.acr_values.as_deref()
    }

    /// How long ago the person may have logged in at most, in seconds (`max_age`).
    pub fn max_age_s(&self) -> Option<u32> {
        self.max_age_s
    }

    /// What the identity provider is asked for, a JSON object (`claims`).
    pub fn claims(&self) -> Option<&str> {
        self.claims.as_deref()
    }

    /// The same as it stands in a challenge.
    pub(crate) fn encoded_claims(&self) -> Option<String> {
        self.claims().map(|claims| STANDARD.encode(claims))
    }

    /// The `error` of a challenge that says this.
    pub fn challenge_error(&self) -> &'static str {
        match self.claims {
            Some(_) => "insufficient_claims",
            None => "insufficient_user_authentication",
        }
    }
}

impl fmt::Display for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.challenge_error())?;
        if let Some(acr) = &self.acr_values {
            write!(f, ", acr_values `{acr}`")?;
        }
        if let Some(seconds) = self.max_age_s {
            write!(f, ", max_age {seconds} s")?;
        }
        if let Some(claims) = &self.claims {
            write!(f, ", claims `{claims}`")?;
        }
        Ok(())
    }
}

/// Whether these are names that stand in a quoted string as they are.
fn is_acr(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"\\`".contains(&byte);
    text.len() <= ACR_MAX && !text.trim().is_empty() && text.bytes().all(allowed)
}

fn seconds(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && text.len() <= AGE_DIGITS_MAX).then(|| text.parse().ok())?
}

/// A claims request, written anew: what is handed on is one object that asks for something, in ASCII.
pub(crate) fn object(text: &str) -> Option<Box<str>> {
    if text.len() > CLAIMS_MAX {
        return None;
    }
    let decoded = STANDARD.decode(text).ok();
    let object = members::object(decoded.as_deref().unwrap_or(text.as_bytes()))?;
    let is_empty = object.is_empty();
    let text = Value::Object(object).to_string();
    (!is_empty && text.is_ascii() && text.len() <= CLAIMS_MAX).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n7_1_claims_are_a_json_object_however_a_server_spells_them() {
        let wanted = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
        for (text, expected) in [
            (wanted.to_owned(), Some(wanted)),
            (format!(" {wanted} "), Some(wanted)),
            (STANDARD.encode(wanted), Some(wanted)),
            ("{}".to_owned(), None),
            (r#"{"a":1,"a":2}"#.to_owned(), None),
            ("{\"a\":\"\u{202e}\"}".to_owned(), None),
            ("log in at https://evil.example".to_owned(), None),
            (STANDARD.encode("log in"), None),
            ("[1]".to_owned(), None),
            (String::new(), None),
            (format!(r#"{{"a":"{}"}}"#, "x".repeat(CLAIMS_MAX)), None),
        ] {
            let said = Authentication::of_claims(&text);
            let claims = said.as_ref().and_then(Authentication::claims);
            assert_eq!(claims, expected, "{text}");
        }
    }

    #[test]
    fn n7_1_how_and_when_somebody_logged_in_is_read_strictly_or_not_at_all() {
        let long = "a".repeat(ACR_MAX + 1);
        let check = |acr: &str, age: &str, expected: Option<(Option<&str>, Option<u32>)>| {
            let said = Authentication::read(Some(acr), Some(age), None);
            let found = said.as_ref().map(|it| (it.acr_values(), it.max_age_s()));
            assert_eq!(found, expected, "{acr} {age}");
        };
        check("gold silver", "5", Some((Some("gold silver"), Some(5))));
        check("urn:mace:incommon:iap:gold", "0", {
            Some((Some("urn:mace:incommon:iap:gold"), Some(0)))
        });
        check("gold", "-1", Some((Some("gold"), None)));
        check("", "999999999", Some((None, Some(999_999_999))));
        for acr in ["", " ", "a\"b", "a\\b", "a`b", "\u{e9}", "a\u{7f}", &long] {
            for age in ["", "-1", "+1", "1.5", "1e3", "1000000000", "five", " 5"] {
                check(acr, age, None);
            }
        }
        assert_eq!(Authentication::read(None, None, None), None);
    }
}
