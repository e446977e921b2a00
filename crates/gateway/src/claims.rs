//! Which claims of a token policies can read as `principal.claims`, beside user, client, groups and
//! scopes: those that the configuration declares for its issuer, and those whose meaning a standard
//! gives. A claim of another kind than declared is not there for policies, and a policy that needs it
//! then denies.

use config::settled::{Attribute, ClaimKind as Declared, Issuer};
use identity::Caller;
use policy::{Claim, ClaimEntry, ClaimKind};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// The attributes of every issuer.
#[derive(Debug, Default)]
pub struct Attributes {
    by_issuer: HashMap<String, Box<[Rule]>>,
}

#[derive(Clone, Debug)]
struct Rule {
    name: Box<str>,
    path: Box<[Box<str>]>,
    kind: ClaimKind,
}

impl Attributes {
    /// The attributes that these issuers declare.
    pub fn of(issuers: &[Issuer]) -> Self {
        let each = issuers.iter().flat_map(|issuer| {
            let rules = issuer.attributes.iter().map(|(name, attribute)| Rule {
                name: name.as_str().into(),
                path: attribute.path().into_iter().map(Into::into).collect(),
                kind: kind(attribute.kind),
            });
            let rules: Box<[Rule]> = rules.collect();
            let exact = issuer.exact().into_iter();
            exact.map(move |exact| (exact.issuer, rules.clone()))
        });
        Attributes {
            by_issuer: each.collect(),
        }
    }

    /// All of them, as policies are validated against them: a name is of one kind for every issuer.
    pub fn entries(&self) -> Vec<ClaimEntry> {
        let known = Attribute::KNOWN.into_iter();
        let mut kinds: BTreeMap<&str, ClaimKind> = known
            .map(|(name, declared)| (name, kind(declared)))
            .collect();
        kinds.insert(Attribute::CLIENT_AUTH, ClaimKind::Text);
        let rules = self.by_issuer.values().flatten();
        kinds.extend(rules.map(|rule| (&*rule.name, rule.kind)));
        let entries = kinds.into_iter();
        entries
            .map(|(name, kind)| ClaimEntry {
                name: name.to_owned(),
                kind,
            })
            .collect()
    }

    /// Those of a caller.
    pub fn read(&self, caller: &Caller) -> BTreeMap<String, Claim> {
        let mut claims = self.read_of(caller.issuer(), caller.claims());
        if let Some(how) = caller.client_authentication() {
            let how = Claim::Text(how.name().to_owned());
            claims.insert(Attribute::CLIENT_AUTH.to_owned(), how);
        }
        claims
    }

    /// Those among the claims of any verified token of this issuer.
    pub fn read_of(&self, issuer: &str, claims: &Map<String, Value>) -> BTreeMap<String, Claim> {
        let rules = self.by_issuer.get(issuer);
        let rules = rules.map(|rules| &**rules).unwrap_or_default();
        let read = rules.iter().filter_map(|rule| {
            let claim = rule.read(claims)?;
            Some((rule.name.to_string(), claim))
        });
        read.collect()
    }
}

impl Rule {
    fn read(&self, claims: &Map<String, Value>) -> Option<Claim> {
        let (first, further) = self.path.split_first()?;
        let mut value = claims.get(&**first)?;
        for member in further {
            value = value.as_object()?.get(&**member)?;
        }
        Some(match self.kind {
            ClaimKind::Flag => Claim::Flag(value.as_bool()?),
            ClaimKind::Number => Claim::Number(value.as_i64()?),
            ClaimKind::Text => Claim::Text(value.as_str()?.to_owned()),
            ClaimKind::Texts => Claim::Texts(texts(value)?),
        })
    }
}

fn kind(declared: Declared) -> ClaimKind {
    match declared {
        Declared::Flag => ClaimKind::Flag,
        Declared::Number => ClaimKind::Number,
        Declared::Text => ClaimKind::Text,
        Declared::Texts => ClaimKind::Texts,
    }
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

    fn attributes(declared: &str) -> Attributes {
        let text = format!(
            "version: 1\nissuers:\n  - {{ issuer: 'https://id.example.com', attributes: {declared} }}\n\
             servers: [{{ name: s, http: {{ url: 'https://mcp.example.com/mcp' }} }}]\n\
             routes: [{{ path: /s, server: s }}]\n"
        );
        let (settled, _) = config::load(&text).unwrap();
        Attributes::of(&settled.issuers)
    }

    fn read(declared: &str, token: &Value) -> Vec<(String, Claim)> {
        let attributes = attributes(declared);
        let rules = attributes.by_issuer["https://id.example.com"].iter();
        let token = token.as_object().unwrap();
        let claims = rules.filter_map(|rule| Some((rule.name.to_string(), rule.read(token)?)));
        claims.collect()
    }

    #[test]
    fn n7_3_known_claims_reach_policies_and_others_do_not() {
        let token = json!({
            "acr": "phr", "amr": ["pwd", "otp"], "email": 5, "roles": ["admin", 7], "secret": "x", "email_verified": true
        });
        let claims = read("{}", &token);
        let names: Vec<&str> = claims.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["acr", "amr", "email_verified"]);
        let amr = Claim::Texts(vec!["pwd".into(), "otp".into()]);
        assert_eq!(claims[1].1, amr);
        let entries = attributes("{}").entries();
        assert!(entries.iter().any(|entry| entry.name == "tid"));
    }

    #[test]
    fn n7_3_declared_claims_reach_policies_by_their_names_and_kinds() {
        let token = json!({
            "department": "r&d", "level": 3, "active": true, "roles": ["nobody"],
            "realm_access": {"roles": ["admin"], "deep": {"er": "x"}},
            "https://example.com/teams": ["a"], "half": ["a", 1], "real": 1.5,
        });
        let check = |declared: &str, expected: Option<Claim>| {
            let claims = read(&format!("{{ it: {declared} }}"), &token);
            let it = claims.into_iter().find(|(name, _)| name == "it");
            assert_eq!(it.map(|(_, claim)| claim), expected, "{declared}");
        };
        let text = |text: &str| Some(Claim::Text(text.into()));
        let texts = |text: &str| Some(Claim::Texts(vec![text.into()]));
        check("{ claim: department, kind: text }", text("r&d"));
        check("{ claim: realm_access.deep.er, kind: text }", text("x"));
        check("{ claim: realm_access.roles, kind: texts }", texts("admin"));
        check(
            "{ claim: 'https://example.com/teams', kind: texts }",
            texts("a"),
        );
        check("{ claim: level, kind: number }", Some(Claim::Number(3)));
        check("{ claim: active, kind: flag }", Some(Claim::Flag(true)));
        for other in [
            "{ claim: level, kind: text }",
            "{ claim: department, kind: texts }",
            "{ claim: department.x, kind: text }",
            "{ claim: realm_access, kind: text }",
            "{ claim: half, kind: texts }",
            "{ claim: real, kind: number }",
            "{ claim: active, kind: number }",
            "{ claim: missing, kind: flag }",
        ] {
            check(other, None);
        }
        // A known one from elsewhere.
        let moved = read(
            "{ roles: { claim: realm_access.roles, kind: texts } }",
            &token,
        );
        assert_eq!(
            moved,
            [("roles".to_owned(), Claim::Texts(vec!["admin".into()]))]
        );
    }
}
