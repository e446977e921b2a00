//! What an authorization server says when it says no (RFC 6749, sections 4.1.2.1 and 5.2). The
//! text is untrusted: it is bounded, reduced to visible ASCII, and never repeats what was sent.

use crate::{Authentication, members};
use controls::Fault;
use serde_json::Value;
use std::fmt;

/// The longest error code that is kept, in bytes. All registered ones are shorter.
const CODE_MAX: usize = 64;
/// The longest description that is kept, in bytes.
const DESCRIPTION_MAX: usize = 256;
/// The longest word that is kept of it: a longer one is a token or an address.
const WORD_MAX: usize = 40;
/// The shortest text that can be a secret, in bytes: a shorter one is found in any sentence.
const SECRET_MIN: usize = 6;

/// An error of an authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    code: Box<str>,
    description: Option<Box<str>>,
    authentication: Option<Authentication>,
}

impl OAuthError {
    /// The error in the body of an answer, if it is one. What is in `sent` is never repeated.
    pub(crate) fn read(body: &[u8], sent: &[&str]) -> Option<Self> {
        let members = members::object(body)?;
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let mut error = OAuthError::of(text("error")?, text("error_description"), sent);
        error.authentication = text("claims").and_then(Authentication::of_claims);
        Some(error)
    }

    /// The error with this code and description.
    pub(crate) fn of(code: &str, description: Option<&str>, sent: &[&str]) -> Self {
        let known = !code.is_empty() && code.len() <= CODE_MAX && code.bytes().all(is_code_byte);
        let repeats = |text: &str| {
            let mut sent = sent.iter().filter(|sent| sent.len() >= SECRET_MIN);
            sent.any(|sent| text.contains(sent))
        };
        let known = known && !repeats(code);
        OAuthError {
            code: if known { code } else { "unreadable" }.into(),
            description: description
                .filter(|text| !repeats(text))
                .map(cleaned)
                .filter(|text| !text.is_empty())
                .map(Into::into),
            authentication: None,
        }
    }

    /// `error`, such as `invalid_grant`; `unreadable` if it is no error code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// `error_description`, cleaned: for people, never to be decided on.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What the caller has to prove to their identity provider first, as Entra ID says it: claims for
    /// an authorization request.
    pub fn authentication(&self) -> Option<&Authentication> {
        self.authentication.as_ref()
    }

    /// Whose fault it is, by the code.
    pub fn fault(&self) -> Fault {
        match self.code() {
            "access_denied"
            | "interaction_required"
            | "login_required"
            | "consent_required"
            | "insufficient_user_authentication"
            | "invalid_grant" => Fault::Caller,
            "invalid_client"
            | "unauthorized_client"
            | "invalid_scope"
            | "invalid_target"
            | "invalid_redirect_uri"
            | "invalid_client_metadata"
            | "unsupported_grant_type" => Fault::Operator,
            _ => Fault::Upstream,
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.code)?;
        match &self.description {
            Some(description) => write!(f, ": {description}"),
            None => Ok(()),
        }
    }
}

/// The bytes of an error code: no space, no quote, no backslash.
fn is_code_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\' && byte != b'`'
}

/// The words of a text that can be shown anywhere.
fn cleaned(text: &str) -> String {
    let mut clean = String::new();
    // A bound on the work too: whatever the size of the text, only this much of it is looked at.
    let start = text.chars().take(4 * DESCRIPTION_MAX).collect::<String>();
    for word in start.split_whitespace() {
        let shown = |character: char| match character {
            '"' | '`' => '\'',
            '\\' => '/',
            '!'..='~' => character,
            _ => '?',
        };
        let word: String = word.chars().map(shown).collect();
        let word = if word.len() > WORD_MAX { "..." } else { &word };
        if clean.len() + word.len() + 1 > DESCRIPTION_MAX {
            break;
        }
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(word);
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(body: &Value, sent: &[&str], expected: Option<&str>) {
        let error = OAuthError::read(body.to_string().as_bytes(), sent);
        assert_eq!(error.map(|e| e.to_string()).as_deref(), expected, "{body}");
    }

    #[test]
    fn error_texts_are_cleaned_bounded_and_never_repeat_what_was_sent() {
        check(
            &json!({"error": "invalid_grant", "error_description": "no \u{1b}[2J\r\nSet-Cookie: \u{202e}x\"`\\"}),
            &[],
            Some("`invalid_grant`: no ?[2J Set-Cookie: ?x''/"),
        );
        check(
            &json!({"error": "invalid_grant"}),
            &[],
            Some("`invalid_grant`"),
        );
        check(&json!({"error": "a b"}), &[], Some("`unreadable`"));
        check(&json!({"error": ""}), &[], Some("`unreadable`"));
        check(&json!({"error": "a".repeat(65)}), &[], Some("`unreadable`"));
        check(&json!({"error": "`<script>`"}), &[], Some("`unreadable`"));
        check(&json!({"error": 1}), &[], None);
        check(&json!({"description": "x"}), &[], None);
        check(
            &json!({"error": "invalid_client", "error_description": "secret hunter2 is wrong"}),
            &["hunter2"],
            Some("`invalid_client`"),
        );
        check(
            &json!({"error": "hunter2"}),
            &["hunter2"],
            Some("`unreadable`"),
        );
        let token = format!("token {} is bad", "a".repeat(41));
        check(
            &json!({"error": "invalid_grant", "error_description": token}),
            &[],
            Some("`invalid_grant`: token ... is bad"),
        );
        let twice = r#"{"error":"a","error":"b"}"#;
        assert!(OAuthError::read(twice.as_bytes(), &[]).is_none());
    }

    #[test]
    fn a_huge_description_is_cut_to_what_is_shown() {
        let huge = "word ".repeat(1_000_000);
        let error = OAuthError::of("invalid_request", Some(&huge), &[]);
        let shown = error.description().unwrap();
        assert!((200..=DESCRIPTION_MAX).contains(&shown.len()));
    }

    #[test]
    fn n2_4_a_claims_challenge_is_handed_on_as_one_object() {
        let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
        let read = |claims: Value| {
            let body = json!({"error": "interaction_required", "claims": claims}).to_string();
            let error = OAuthError::read(body.as_bytes(), &[]).unwrap();
            let wanted = error.authentication();
            wanted.and_then(Authentication::claims).map(str::to_owned)
        };
        assert_eq!(read(json!(claims)).as_deref(), Some(claims));
        for bad in [json!(""), json!("[]"), json!({"a": 1}), json!(null)] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }
}
