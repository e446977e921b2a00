//! Reads what a token endpoint answers (RFC 6749, section 5): strictly, within bounds, and only as
//! the kind of token that was asked for.

use super::tokens::{TokenKind, Tokens, secret};
use super::{ClientError, OAuthError, Scopes};
use crate::token::TOKEN_MAX;
use crate::{Fetched, members};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// The largest answer that is read, in bytes.
const ANSWER_MAX: usize = 64 * 1024;
/// The longest time that a token is believed to be good, in seconds: 366 days.
const EXPIRES_IN_MAX: u64 = 366 * 24 * 3600;

/// What an answer has to be.
pub(crate) struct Expected<'a> {
    /// The kind of access token.
    pub(crate) kind: TokenKind,
    /// `issued_token_type`, where tokens are exchanged (RFC 8693, section 2.2.1).
    pub(crate) issued: Option<&'a [&'a str]>,
    /// The scopes that were asked for.
    pub(crate) asked: &'a Scopes,
    /// Who was asked.
    pub(crate) issuer: &'a str,
    /// Who asked.
    pub(crate) client_id: Option<&'a str>,
    /// What the token is for.
    pub(crate) resource: Option<&'a str>,
    /// Now, in unix seconds.
    pub(crate) now: u64,
}

/// The members of an answer that says yes, or what it says instead. What is in `sent` is never
/// repeated.
pub(crate) fn read(answer: &Fetched, sent: &[&str]) -> Result<Map<String, Value>, ClientError> {
    if answer.status != 200 {
        return Err(match OAuthError::read(&answer.body, sent) {
            Some(error) => ClientError::Denied(Box::new(error)),
            None => ClientError::Status(answer.status),
        });
    }
    if answer.body.len() > ANSWER_MAX {
        return Err(ClientError::Answer("it is too large"));
    }
    members::object(&answer.body).ok_or(ClientError::Answer("it is no strict object"))
}

/// The tokens of an answer.
pub(crate) fn tokens(
    mut answer: Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<Tokens, ClientError> {
    let access = token(&mut answer, "access_token")?;
    let access = access.ok_or(ClientError::Answer("`access_token` is missing"))?;
    let refresh = token(&mut answer, "refresh_token")?;
    let id_token = token(&mut answer, "id_token")?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let kind = text("token_type").and_then(TokenKind::named);
    if kind != Some(expected.kind) {
        return Err(ClientError::TokenType);
    }
    issued(&answer, expected.issued)?;
    let granted = match answer.get("scope") {
        // RFC 6749, section 5.1: not said means as asked.
        None => expected.asked.clone(),
        Some(scope) => scope
            .as_str()
            .and_then(Scopes::read)
            .ok_or(ClientError::Answer("`scope`"))?,
    };
    Ok(Tokens {
        access,
        kind: expected.kind,
        expires_at: expires_at(&answer, expected.now)?,
        asked: expected.asked.clone(),
        granted,
        refresh,
        id_token,
        issuer: expected.issuer.into(),
        client_id: expected.client_id.map(Into::into),
        resource: expected.resource.map(Into::into),
    })
}

/// That an exchange gave a token of a type that was asked for. A token of another type could be
/// one that opens more.
pub(crate) fn issued(
    answer: &Map<String, Value>,
    expected: Option<&[&str]>,
) -> Result<(), ClientError> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let issued = answer.get("issued_token_type").and_then(Value::as_str);
    match issued.is_some_and(|issued| expected.contains(&issued)) {
        true => Ok(()),
        false => Err(ClientError::TokenType),
    }
}

/// A token of an answer: visible ASCII, so that it can be a header and nothing else.
pub(crate) fn token(
    answer: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<Zeroizing<String>>, ClientError> {
    if matches!(answer.get(name), None | Some(Value::Null)) {
        return Ok(None);
    }
    let token = secret(answer, name);
    let sendable = |token: &Zeroizing<String>| {
        let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
        !token.is_empty() && token.len() <= TOKEN_MAX && visible
    };
    match token.filter(sendable) {
        Some(token) => Ok(Some(token)),
        None => Err(ClientError::Answer("a token that no header could carry")),
    }
}

/// When a token is over. One that lives longer than is believed is asked for anew before.
pub(crate) fn expires_at(
    answer: &Map<String, Value>,
    now: u64,
) -> Result<Option<u64>, ClientError> {
    match answer.get("expires_in") {
        None | Some(Value::Null) => Ok(None),
        Some(seconds) => match seconds.as_u64() {
            None | Some(0) => Err(ClientError::Answer("`expires_in`")),
            Some(seconds) => Ok(Some(now.saturating_add(seconds.min(EXPIRES_IN_MAX)))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::fixture::NOW;
    use serde_json::json;

    fn check(kind: TokenKind, body: &Value, expected: Result<(), ClientError>) {
        let asked = Scopes::read("a b").unwrap();
        let expects = Expected {
            kind,
            issued: None,
            asked: &asked,
            issuer: "https://id.example.com",
            client_id: Some("gateway"),
            resource: Some("https://mcp.example.com/files"),
            now: NOW,
        };
        let answer = Fetched::of(200, body.to_string());
        let found = read(&answer, &[]).and_then(|answer| tokens(answer, &expects));
        assert_eq!(found.map(|_| ()), expected, "{body}");
    }

    #[test]
    fn n7_4_token_answers_are_read_strictly_and_as_the_kind_that_was_asked_for() {
        use TokenKind::{Bearer, Dpop};
        let with = |name: &str, value: Value| {
            let mut body = json!({"access_token": "t", "token_type": "Bearer", "expires_in": 60});
            body[name] = value;
            body
        };
        let ok = |kind, body: &Value| check(kind, body, Ok(()));
        ok(Bearer, &with("token_type", json!("bearer")));
        ok(Bearer, &with("token_type", json!("BEARER")));
        ok(Dpop, &with("token_type", json!("dpop")));
        ok(Bearer, &with("scope", json!("a")));
        ok(Bearer, &with("refresh_token", Value::Null));
        ok(
            Bearer,
            &json!({"access_token": "t", "token_type": "Bearer"}),
        );
        let wrong = |kind, body: &Value| check(kind, body, Err(ClientError::TokenType));
        wrong(Dpop, &with("token_type", json!("Bearer")));
        wrong(Bearer, &with("token_type", json!("DPoP")));
        wrong(Bearer, &with("token_type", json!("N_A")));
        wrong(Bearer, &with("token_type", json!("mac")));
        wrong(Bearer, &with("token_type", Value::Null));
        let bad = |body: &Value, what| check(Bearer, body, Err(ClientError::Answer(what)));
        for seconds in [json!(0), json!(-1), json!(1.5), json!("3600"), json!(1e30)] {
            bad(&with("expires_in", seconds), "`expires_in`");
        }
        let unsendable = "a token that no header could carry";
        bad(
            &with("access_token", Value::Null),
            "`access_token` is missing",
        );
        for token in ["", "a b", "a\r\nX: y", "\u{e9}", &"a".repeat(TOKEN_MAX + 1)] {
            bad(&with("access_token", json!(token)), unsendable);
            bad(&with("refresh_token", json!(token)), unsendable);
            bad(&with("id_token", json!(token)), unsendable);
        }
        bad(&with("access_token", json!(["t"])), unsendable);
        bad(&with("scope", json!(["a"])), "`scope`");
        bad(&with("scope", json!("a\"b")), "`scope`");
        bad(&json!([]), "it is no strict object");
        bad(&with("x", json!("x".repeat(ANSWER_MAX))), "it is too large");
    }

    #[test]
    fn n2_3_a_lifetime_that_nobody_would_believe_is_cut() {
        let at = |seconds: u64| {
            expires_at(
                &Map::from_iter([("expires_in".to_owned(), json!(seconds))]),
                NOW,
            )
        };
        assert_eq!(at(60), Ok(Some(NOW + 60)));
        assert_eq!(at(u64::MAX), Ok(Some(NOW + EXPIRES_IN_MAX)));
    }

    #[test]
    fn refuses_an_answer_that_two_readers_could_read_differently() {
        let twice = r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#;
        let answer = read(&Fetched::of(200, twice), &[]);
        assert_eq!(answer, Err(ClientError::Answer("it is no strict object")));
        let found = |status: u16| read(&Fetched::of(status, "{}"), &[]);
        assert_eq!(found(302), Err(ClientError::Status(302)));
        assert_eq!(found(500), Err(ClientError::Status(500)));
        assert_eq!(found(201), Err(ClientError::Status(201)));
    }
}
