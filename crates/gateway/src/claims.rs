//! Which claims of a token policies can read as `principal.claims`, beside user, client, groups and
//! scopes: those whose meaning a standard gives. A claim of another kind than expected is not there
//! for policies, and a policy that needs it then denies.

use policy::{Claim, ClaimEntry, ClaimKind};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// `acr`, `amr` (OpenID Connect Core, RFC 8176), `email`, `email_verified` (OpenID Connect Core),
/// `roles` (RFC 7643, RFC 9068) and `tid` (the tenant, Entra ID).
const KNOWN: [(&str, ClaimKind); 6] = [
    ("acr", ClaimKind::Text),
    ("amr", ClaimKind::Texts),
    ("email", ClaimKind::Text),
    ("email_verified", ClaimKind::Flag),
    ("roles", ClaimKind::Texts),
    ("tid", ClaimKind::Text),
];

/// The claims, as policies are validated against them.
pub(crate) fn known() -> Vec<ClaimEntry> {
    KNOWN
        .iter()
        .map(|(name, kind)| ClaimEntry {
            name: (*name).to_owned(),
            kind: *kind,
        })
        .collect()
}

/// The known claims among those of a token.
pub(crate) fn of(claims: &Map<String, Value>) -> BTreeMap<String, Claim> {
    let read = |(name, kind): &(&str, ClaimKind)| {
        let value = claims.get(*name)?;
        let claim = match kind {
            ClaimKind::Flag => Claim::Flag(value.as_bool()?),
            ClaimKind::Number => Claim::Number(value.as_i64()?),
            ClaimKind::Text => Claim::Text(value.as_str()?.to_owned()),
            ClaimKind::Texts => Claim::Texts(texts(value)?),
        };
        Some(((*name).to_owned(), claim))
    };
    KNOWN.iter().filter_map(read).collect()
}

/// All texts of a list, or nothing: half a list would mean something else.
fn texts(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|text| Some(text.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn n7_3_known_claims_reach_policies_and_others_do_not() {
        let token = json!({
            "acr": "phr", "amr": ["pwd", "otp"], "email": 5, "roles": ["admin", 7], "secret": "x", "email_verified": true
        });
        let claims = of(token.as_object().unwrap());
        let names: Vec<&str> = claims.keys().map(String::as_str).collect();
        assert_eq!(names, ["acr", "amr", "email_verified"]);
        assert_eq!(
            claims["amr"],
            Claim::Texts(vec!["pwd".into(), "otp".into()])
        );
        assert!(known().iter().any(|entry| entry.name == "tid"));
    }
}
