//! Who acts for whom (RFC 8693, sections 4.1 and 4.4): the chain of actors in a token, read whole
//! or not at all. It never says whether somebody may act.

use crate::TokenError;
use crate::caller::name;
use serde_json::{Map, Value};
use std::fmt;

/// Somebody who acts for the subject of a token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    issuer: Box<str>,
    subject: Box<str>,
}

impl Actor {
    /// The most actors a chain may be allowed to have.
    pub const MOST: u8 = 8;

    /// Who vouches for the name: the issuer of the token, and no other.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The name.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.issuer, self.subject)
    }
}

/// The actors of `act`, the current one first. More than `most`, or one that is not named by a
/// `sub`, is no chain: a policy that reads the current actor must not see another one in its place.
pub(crate) fn chain(
    claims: &Map<String, Value>,
    issuer: &str,
    most: u8,
) -> Result<Vec<Actor>, TokenError> {
    let mut actors = Vec::new();
    let mut next = claims.get("act");
    while let Some(claim) = next {
        if actors.len() >= usize::from(most) {
            return Err(TokenError::Actor);
        }
        actors.push(read(claim, issuer)?);
        next = claim.get("act");
    }
    Ok(actors)
}

/// Whom `may_act` names: who may become the actor of a token made from this one.
pub(crate) fn permitted(
    claims: &Map<String, Value>,
    issuer: &str,
) -> Result<Option<Actor>, TokenError> {
    let claim = claims.get("may_act");
    claim.map(|claim| read(claim, issuer)).transpose()
}

fn read(claim: &Value, issuer: &str) -> Result<Actor, TokenError> {
    let members = claim.as_object().ok_or(TokenError::Actor)?;
    let text = |member| name(members, member, member).map_err(|_not_a_name| TokenError::Actor);
    let subject = text("sub")?.ok_or(TokenError::Actor)?;
    // Nobody vouches for the users of another issuer: it would name whoever policy trusts there.
    if text("iss")?.is_some_and(|named| named != issuer) {
        return Err(TokenError::Actor);
    }
    Ok(Actor {
        issuer: issuer.into(),
        subject: subject.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ISSUER: &str = "https://id.example.com";

    fn shown(claims: &Value, most: u8) -> Result<Vec<String>, TokenError> {
        let actors = chain(claims.as_object().unwrap(), ISSUER, most)?;
        Ok(actors.iter().map(Actor::to_string).collect())
    }

    #[test]
    fn n7_1_reads_the_actors_nearest_first_and_no_deeper_than_allowed() {
        let one = json!({"act": {"sub": "agent"}});
        let two = json!({"act": {"sub": "agent", "act": {"sub": "portal", "iss": "https://id.example.com"}}});
        let check = |claims: &Value, most: u8, expected: Result<&[&str], TokenError>| {
            let expected =
                expected.map(|names| names.iter().map(|&name| name.to_owned()).collect());
            assert_eq!(shown(claims, most), expected, "{claims} {most}");
        };
        check(&json!({}), 0, Ok(&[]));
        check(&one, 1, Ok(&["https://id.example.com#agent"]));
        check(&one, 0, Err(TokenError::Actor));
        let both = [
            "https://id.example.com#agent",
            "https://id.example.com#portal",
        ];
        check(&two, 2, Ok(&both));
        check(&two, 8, Ok(&both));
        check(&two, 1, Err(TokenError::Actor));
    }

    #[test]
    fn n7_1_refuses_a_chain_that_is_not_read_whole() {
        let long = "a".repeat(513);
        for act in [
            json!(null),
            json!("agent"),
            json!([]),
            json!([{"sub": "agent"}]),
            json!({}),
            json!({"sub": ""}),
            json!({"sub": 7}),
            json!({"sub": ["agent"]}),
            json!({"sub": long}),
            json!({"client_id": "agent"}),
            json!({"sub": "agent", "iss": 7}),
            json!({"sub": "agent", "iss": "https://b.example"}),
            json!({"sub": "agent", "iss": "https://id.example.com/"}),
            json!({"sub": "agent", "act": null}),
            json!({"sub": "agent", "act": {"sub": "portal", "act": "deeper"}}),
        ] {
            assert_eq!(
                shown(&json!({ "act": act }), 8),
                Err(TokenError::Actor),
                "{act}"
            );
            let claims = json!({ "may_act": act });
            // What may act has no chain of its own.
            let read = permitted(claims.as_object().unwrap(), ISSUER);
            assert_eq!(read.is_err(), act.get("act").is_none(), "{act}");
        }
    }
}
