//! Somebody who signed in with a browser, as the ID token of that flow names them, and how strongly
//! they were authenticated. No caller comes of it: it opens pages, never a route.

use crate::{Caller, Groups, UserKey};
use serde_json::{Map, Value, json};
use std::fmt;

/// The longest name of a person that is shown, in characters.
const NAME_MAX: usize = 200;
/// The most methods of authentication that are read.
const METHODS_MAX: usize = 32;

/// Whoever a verified ID token names, or an account of this gateway's own. Nothing outside this crate can
/// make one of an issuer, or change one.
#[derive(Clone)]
pub struct SignedIn {
    pub(crate) issuer: String,
    pub(crate) user_name: String,
    pub(crate) user: UserKey,
    pub(crate) groups: Groups,
    pub(crate) claims: Map<String, Value>,
    pub(crate) issued_at: u64,
    pub(crate) clock_skew_s: u64,
}

/// How somebody has to be authenticated. What is empty is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strength {
    /// One of these authentication contexts (`acr`).
    pub contexts: Vec<String>,
    /// One of these methods among those that were used (`amr`). It cannot be asked for, only found.
    pub methods: Vec<String>,
    /// How long ago it may have been, in seconds (`max_age`, `auth_time`).
    pub max_age_s: Option<u64>,
}

/// Why somebody is not authenticated strongly enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// It was too long ago, or the issuer does not say when it was.
    #[error("you signed in too long ago, or your provider does not say when")]
    Age,
    /// Not in a context that is asked for.
    #[error("you did not sign in in the way that is needed (`acr`)")]
    Context,
    /// With none of the methods that are asked for.
    #[error("you did not sign in with a method that is needed (`amr`)")]
    Method,
}

impl Weakness {
    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Weakness::Age => "auth_time",
            Weakness::Context => "acr",
            Weakness::Method => "amr",
        }
    }
}

impl SignedIn {
    /// An account of this gateway's own, which whoever calls this has authenticated with these methods at
    /// this moment in unix seconds. No issuer of tokens has its issuer's name.
    pub fn local(user: &str, methods: &[&str], now: u64) -> Self {
        let claims = json!({ "sub": user, "amr": methods, "auth_time": now });
        SignedIn {
            issuer: Caller::LOCAL_ISSUER.to_owned(),
            user_name: user.to_owned(),
            user: UserKey::of(Caller::LOCAL_ISSUER, user),
            groups: Groups::Known(Vec::new()),
            claims: match claims {
                Value::Object(claims) => claims,
                _ => Map::new(),
            },
            issued_at: now,
            clock_skew_s: 0,
        }
    }

    /// The issuer, byte for byte as configured.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The person's name at the issuer, for as long as they are known there: the same that their access
    /// tokens have.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The name that state is kept under.
    pub fn user(&self) -> &UserKey {
        &self.user
    }

    /// The groups of the person.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Every claim of the token.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// `iat` of the token, in unix seconds.
    pub fn issued_at(&self) -> u64 {
        self.issued_at
    }

    /// When the person was authenticated (`auth_time`), in unix seconds, if the issuer says.
    pub fn authenticated_at(&self) -> Option<u64> {
        self.claims.get("auth_time").and_then(Value::as_u64)
    }

    /// In which context (`acr`).
    pub fn context(&self) -> Option<&str> {
        self.text("acr")
    }

    /// With which methods (`amr`, RFC 8176).
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        let methods = self.claims.get("amr").and_then(Value::as_array);
        let methods = methods.into_iter().flatten().take(METHODS_MAX);
        methods.filter_map(Value::as_str)
    }

    /// The login at the issuer (`sid`).
    pub fn login(&self) -> Option<&str> {
        self.text("sid")
    }

    /// What people call them. It is theirs to choose, so that nothing is decided by it.
    pub fn display_name(&self) -> String {
        let names = ["name", "preferred_username", "email"];
        let name = names.into_iter().find_map(|claim| self.text(claim));
        let name = name.filter(|name| !name.trim().is_empty());
        name.unwrap_or(&self.user_name)
            .chars()
            .take(NAME_MAX)
            .collect()
    }

    /// That they were authenticated as strongly as that, at this moment in unix seconds.
    pub fn shows(&self, wanted: &Strength, now: u64) -> Result<(), Weakness> {
        let contexts = &wanted.contexts;
        let context = self.context();
        if !contexts.is_empty() && !contexts.iter().any(|it| Some(it.as_str()) == context) {
            return Err(Weakness::Context);
        }
        let is_wanted = |method| wanted.methods.iter().any(|it| it == method);
        if !wanted.methods.is_empty() && !self.methods().any(is_wanted) {
            return Err(Weakness::Method);
        }
        let Some(age_s) = wanted.max_age_s else {
            return Ok(());
        };
        let at = self.authenticated_at().ok_or(Weakness::Age)?;
        let skew = self.clock_skew_s;
        let is_past = at <= now.saturating_add(skew);
        match is_past && now <= at.saturating_add(age_s).saturating_add(skew) {
            true => Ok(()),
            false => Err(Weakness::Age),
        }
    }

    fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }
}

/// Claims may hold what a log should not.
impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("issuer", &self.issuer)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000;

    fn signed_in(claims: &Value) -> SignedIn {
        SignedIn {
            issuer: "https://id.example.com".into(),
            user_name: "alice".into(),
            user: UserKey::of("https://id.example.com", "alice"),
            groups: Groups::Known(Vec::new()),
            claims: claims.as_object().unwrap().clone(),
            issued_at: NOW,
            clock_skew_s: 10,
        }
    }

    #[test]
    fn n2_4_who_was_authenticated_weakly_or_long_ago_does_not_show_it() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let wanted = Strength {
            contexts: words(&["phr", "phrh"]),
            methods: words(&["mfa", "hwk"]),
            max_age_s: Some(300),
        };
        let good = json!({ "acr": "phrh", "amr": ["pwd", "mfa"], "auth_time": NOW - 300 });
        let check = |change: Value, expected: Result<(), Weakness>| {
            let mut claims = good.clone();
            let members = change.as_object().unwrap().clone();
            claims.as_object_mut().unwrap().extend(members);
            assert_eq!(signed_in(&claims).shows(&wanted, NOW), expected, "{claims}");
        };
        check(json!({}), Ok(()));
        check(json!({ "auth_time": NOW - 310 }), Ok(()));
        check(json!({ "auth_time": NOW + 10 }), Ok(()));
        check(json!({ "auth_time": NOW - 311 }), Err(Weakness::Age));
        // A clock that is ahead makes nothing younger.
        check(json!({ "auth_time": NOW + 11 }), Err(Weakness::Age));
        check(json!({ "auth_time": null }), Err(Weakness::Age));
        check(json!({ "auth_time": "1000000" }), Err(Weakness::Age));
        for acr in [json!("pwd"), json!("PHR"), json!("phr phrh"), json!(null)] {
            check(json!({ "acr": acr }), Err(Weakness::Context));
        }
        for amr in [json!([]), json!(["pwd"]), json!("mfa"), json!(null)] {
            check(json!({ "amr": amr }), Err(Weakness::Method));
        }
        // Nothing is asked for.
        let nobody = signed_in(&json!({}));
        assert_eq!(nobody.shows(&Strength::default(), NOW), Ok(()));
    }

    #[test]
    fn a_person_has_a_name_to_be_shown_whatever_the_issuer_says() {
        for (claims, expected) in [
            (
                json!({ "name": "Alice A.", "email": "a@example.com" }),
                "Alice A.",
            ),
            (json!({ "name": " ", "email": "a@example.com" }), "alice"),
            (json!({ "name": 7, "preferred_username": "ally" }), "ally"),
            (json!({}), "alice"),
        ] {
            assert_eq!(signed_in(&claims).display_name(), expected, "{claims}");
        }
        let long = signed_in(&json!({ "name": "x".repeat(5000) }));
        assert_eq!(long.display_name().len(), NAME_MAX);
    }
}
