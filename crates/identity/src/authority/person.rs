//! Who signed in, as far as tokens of ours go on to say it: the person whom the identity provider named,
//! by the provider's own names, so that policies, revocations and connections mean the same person
//! whichever way they came.

use crate::UserKey;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fmt;

/// The claim of our tokens that has the provider's lasting name for the person.
pub const USER_CLAIM: &str = "ringwall_user";

/// The most bytes of claims that are carried on.
const CLAIMS_MAX: usize = 6 * 1024;

/// Claims that are always carried on where they are there: how they signed in (OpenID Connect Core,
/// RFC 8176), when, in which login, and what a standard says of them.
const CARRIED: [&str; 10] = [
    "acr",
    "acrs",
    "amr",
    "auth_time",
    "email",
    "email_verified",
    "roles",
    "sid",
    "tid",
    "_claim_names",
];

/// A person of an identity provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    issuer: String,
    subject: String,
    user: String,
    groups: String,
    claims: Map<String, Value>,
}

impl Person {
    /// The person whom this issuer knows by these names, with those of the claims that are carried on:
    /// the usual ones, the groups, and these further ones. Groups that are too many are said to be
    /// unknown, never left out as if there were none.
    pub fn new<'a>(
        (issuer, subject, user): (&str, &str, &str),
        groups: &'a str,
        claims: &Map<String, Value>,
        further: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let names = CARRIED
            .into_iter()
            .chain([groups, "hasgroups"])
            .chain(further);
        let names: std::collections::BTreeSet<&str> = names.collect();
        let carried = names.into_iter().filter(|name| !is_ours(name));
        let carried = carried.filter_map(|name| Some((name.to_owned(), claims.get(name)?.clone())));
        let mut carried: Map<String, Value> = carried.collect();
        if size(&carried) > CLAIMS_MAX && carried.remove(groups).is_some() {
            let elsewhere = json!({ (groups): "too many" });
            carried.insert("_claim_names".to_owned(), elsewhere);
        }
        while size(&carried) > CLAIMS_MAX {
            let size = |value: &Value| value.to_string().len();
            let largest = carried.iter().max_by_key(|(_, value)| size(value));
            let Some(name) = largest.map(|(name, _)| name.clone()) else {
                break;
            };
            carried.remove(&name);
        }
        Person {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            user: user.to_owned(),
            groups: groups.to_owned(),
            claims: carried,
        }
    }

    /// The issuer that named them.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub` there.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The name that state is kept under: the same as in tokens of that issuer.
    pub fn key(&self) -> UserKey {
        UserKey::of(&self.issuer, &self.user)
    }

    /// The login they came from: `sid`.
    pub fn login(&self) -> Option<&str> {
        self.claims.get("sid")?.as_str()
    }

    /// What tokens say of them.
    pub(super) fn tell(&self, members: &mut Map<String, Value>) {
        for (name, value) in &self.claims {
            members.insert(name.clone(), value.clone());
        }
        members.insert("sub".to_owned(), json!(self.subject));
        members.insert(USER_CLAIM.to_owned(), json!(self.user));
    }
}

/// Claims that a token of ours says for itself.
fn is_ours(name: &str) -> bool {
    [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "cnf",
        "act",
        "may_act",
        "scope",
        "client_id",
        "azp",
        "nonce",
        "events",
        "typ",
        "token_use",
        "at_hash",
        "c_hash",
        "s_hash",
        USER_CLAIM,
    ]
    .contains(&name)
}

fn size(claims: &Map<String, Value>) -> usize {
    serde_json::to_string(claims).map_or(usize::MAX, |text| text.len())
}

/// Claims may hold what a log should not.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("issuer", &self.issuer)
            .field("key", &self.key())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(claims: Value, further: &[&str]) -> Person {
        let claims = claims.as_object().unwrap();
        let names = ("https://id.example", "s-1", "u-1");
        Person::new(names, "groups", claims, further.iter().copied())
    }

    fn told(person: &Person) -> Value {
        let mut members = Map::new();
        person.tell(&mut members);
        Value::Object(members)
    }

    #[test]
    fn n2_1_a_person_keeps_the_names_of_their_provider_and_what_is_declared() {
        let person = person(
            json!({
                "acr": "phr", "amr": ["pwd", "otp"], "auth_time": 7, "groups": ["a"], "sid": "l-1",
                "department": "r&d", "given_name": "Alice", "nonce": "n", "aud": "x", "exp": 1,
            }),
            &["department", "aud", "exp", "iss"],
        );
        let expected = json!({
            "acr": "phr", "amr": ["pwd", "otp"], "auth_time": 7, "department": "r&d",
            "groups": ["a"], "sid": "l-1", "sub": "s-1", "ringwall_user": "u-1",
        });
        assert_eq!(told(&person), expected);
        assert_eq!(person.key(), UserKey::of("https://id.example", "u-1"));
        assert_eq!(person.login(), Some("l-1"));
        assert!(!format!("{person:?}").contains("otp"));
        let kept = serde_json::to_string(&person).unwrap();
        assert_eq!(serde_json::from_str::<Person>(&kept).unwrap(), person);
    }

    #[test]
    fn n7_3_groups_that_are_too_many_are_unknown_and_not_none() {
        let many: Vec<String> = (0..600).map(|i| format!("group-{i:08}")).collect();
        let claims = told(&person(json!({ "groups": many, "acr": "1" }), &[]));
        assert!(claims.get("groups").is_none());
        assert_eq!(claims["_claim_names"], json!({"groups": "too many"}));
        assert_eq!(claims["acr"], "1");
        // Left out by the provider, they stay left out.
        let claims = told(&person(json!({ "_claim_names": {"groups": "src1"} }), &[]));
        assert_eq!(claims["_claim_names"], json!({"groups": "src1"}));
        let long = "x".repeat(CLAIMS_MAX);
        let claims = told(&person(json!({ "email": long, "acr": "1" }), &[]));
        assert_eq!((claims.get("email"), &claims["acr"]), (None, &json!("1")));
    }
}
