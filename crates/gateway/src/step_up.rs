//! What policies ask callers to prove before a forbid is lifted (control 2.4): more scopes, or that the
//! person authenticated in a certain way, not long ago (RFC 9470; authentication contexts of Entra ID).
//! What the token of this very message shows decides, and nothing that was shown before.
//!
//! Who was asked is remembered for a while, so that whoever comes back with another token that shows no
//! more is told so, instead of being sent to sign in again for ever. It decides nothing else.

use crate::gate::{Gate, Runtime};
use crate::state::Mark;
use config::settled::{Profile, Settled};
use identity::{Authentication, Caller};
use policy::{Claim, Lift, Principal, Proof, Request, StepUp};
use quick_cache::sync::Cache;
use serde_json::{Value, json};

/// What has to be shown, by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    proof: Proof,
    profile: Profile,
}

impl Demand {
    /// How far the clock of an issuer may be ahead when it says when somebody authenticated, in seconds.
    const AHEAD_S: i64 = 300;

    /// What a policy asks a caller of this issuer for; nothing if the configuration does not know it.
    pub(crate) fn of(detail: &str, settled: &Settled, issuer: &str) -> Option<Self> {
        let proof = match StepUp::read(detail).ok()? {
            StepUp::Proof(proof) => proof,
            StepUp::Named(name) => {
                let named = settled.step_up.get(&name)?;
                Proof {
                    acr: named.acr.clone(),
                    acrs: named.acrs.clone(),
                    max_age_s: named.max_age.map(|age| age.as_secs()),
                }
            }
        };
        let mut issuers = settled.issuers.iter();
        let known = issuers.find(|it| it.exact().iter().any(|exact| exact.issuer == issuer));
        Some(Demand {
            proof,
            profile: known.map_or(Profile::Rfc9068, |issuer| issuer.profile),
        })
    }

    /// Whether a caller of this issuer has any way to show it.
    pub(crate) fn can_be_shown(&self) -> bool {
        match self.profile {
            Profile::Entra => self.proof.acrs.is_some(),
            _ => !self.proof.acr.is_empty() || self.proof.max_age_s.is_some(),
        }
    }

    /// Whether this caller's token shows it, at this moment in unix seconds.
    pub(crate) fn is_shown(&self, principal: &Principal, now_s: i64) -> bool {
        let claims = &principal.caller().claims;
        let how = match (self.profile, &self.proof.acrs) {
            (Profile::Entra, Some(wanted)) => {
                matches!(claims.get("acrs"), Some(Claim::Texts(acrs)) if acrs.contains(wanted))
            }
            (Profile::Entra, None) => false,
            _ => {
                let accepted = &self.proof.acr;
                accepted.is_empty()
                    || matches!(claims.get("acr"), Some(Claim::Text(acr)) if accepted.contains(acr))
            }
        };
        let when = self.proof.max_age_s.is_none_or(|most| {
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            auth_age_s(principal, now_s).is_some_and(|age| age <= most)
        });
        how && when && self.can_be_shown()
    }

    /// Values of `acr` to ask for, the preferred one first.
    pub(crate) fn acr_values(&self) -> &[String] {
        match self.profile {
            Profile::Entra => &[],
            _ => &self.proof.acr,
        }
    }

    /// The most seconds since the person authenticated.
    pub(crate) fn max_age_s(&self) -> Option<u64> {
        self.proof.max_age_s
    }

    /// The claims challenge of Entra ID, for its callers.
    pub(crate) fn claims(&self) -> Option<Value> {
        let context = self.proof.acrs.as_ref();
        let context = context.filter(|_| self.profile == Profile::Entra)?;
        Some(json!({ "access_token": { "acrs": { "essential": true, "value": context } } }))
    }

    /// What a challenge says of it.
    pub(crate) fn authentication(&self) -> Option<Authentication> {
        Authentication::of(self.acr_values(), self.max_age_s(), self.claims().as_ref())
    }

    /// The same as data of an answer.
    pub(crate) fn told(&self) -> Value {
        let mut told = json!({});
        if let Some(members) = told.as_object_mut() {
            if !self.acr_values().is_empty() {
                members.insert("acr_values".to_owned(), json!(self.acr_values()));
            }
            if let Some(age) = self.max_age_s() {
                members.insert("max_age".to_owned(), json!(age));
            }
            if let Some(claims) = self.claims() {
                members.insert("claims".to_owned(), claims);
            }
        }
        told
    }
}

/// Seconds since the person authenticated, where the token says when that was (`auth_time`).
pub(crate) fn auth_age_s(principal: &Principal, now_s: i64) -> Option<i64> {
    match principal.caller().claims.get("auth_time") {
        Some(Claim::Number(at)) if *at > 0 && *at <= now_s.saturating_add(Demand::AHEAD_S) => {
            Some(now_s.saturating_sub(*at).max(0))
        }
        _ => None,
    }
}

/// Which of these lifts the caller's own token fulfils.
pub(crate) fn fulfilled(runtime: &Runtime, request: &Request<'_>, lifts: &[Lift]) -> Vec<Lift> {
    let caller = request.principal.caller();
    let shown = |lift: &&Lift| match lift {
        Lift::Approval(_) => false,
        Lift::Scope(scopes) => {
            let held = |scope: &str| caller.scopes.iter().any(|held| held == scope);
            scopes.split_whitespace().all(held)
        }
        Lift::StepUp(detail) => {
            Demand::of(detail, &runtime.settled, &caller.issuer).is_some_and(|demand| {
                demand.is_shown(request.principal, request.context.now_ms / 1000)
            })
        }
    };
    lifts.iter().filter(shown).cloned().collect()
}

/// Who was asked for what, and with which token they came.
#[derive(Debug)]
pub(crate) struct Asked(Cache<Mark, Before>);

/// One who was asked.
#[derive(Clone, Copy, Debug)]
struct Before {
    at_s: u64,
    token: [u8; 32],
}

impl Default for Asked {
    fn default() -> Self {
        Asked(Cache::new(Self::MOST))
    }
}

impl Asked {
    /// How many are remembered. Whoever is forgotten is asked once more.
    pub(crate) const MOST: usize = 10_000;
    /// How long one is remembered, in seconds: as long as a person takes to sign in.
    pub(crate) const PATIENCE_S: u64 = 300;
    /// How far clocks may be apart when it is told whether a token was issued since, in seconds.
    const SKEW_S: u64 = 30;

    /// Whether this caller may be asked for this: not if they were, and have come back with a token that
    /// was issued since and shows no more. The same token may well come again, from a client that does
    /// several things at once.
    pub(crate) fn ask(gate: &Gate, caller: &Caller, principal: &Principal, what: &str) -> bool {
        let now_s = gate.clock().unix_s();
        let mark = mark(principal, what);
        let before = gate.asked.0.get(&mark);
        let before = before.filter(|it| now_s < it.at_s.saturating_add(Self::PATIENCE_S));
        match before {
            Some(it) if it.token == *caller.token_digest() => true,
            Some(it) => {
                let issued = caller.issued_at();
                issued != 0 && issued.saturating_add(Self::SKEW_S) < it.at_s
            }
            None => {
                let token = *caller.token_digest();
                gate.asked.0.insert(mark, Before { at_s: now_s, token });
                true
            }
        }
    }

    /// They have shown it: next time it is asked anew.
    pub(crate) fn shown(gate: &Gate, principal: &Principal, lifts: &[Lift]) {
        if gate.asked.0.is_empty() {
            return;
        }
        for lift in lifts {
            gate.asked.0.remove(&mark(principal, &lift.to_string()));
        }
    }
}

fn mark(principal: &Principal, what: &str) -> Mark {
    let caller = principal.caller();
    let parts = [principal.id(), caller.kind.name(), &*caller.client, what];
    Mark::of(&parts.map(str::as_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn settled() -> Settled {
        let text = "version: 1\nissuers:\n  - { issuer: 'https://id.example.com' }\n  \
             - { issuer: 'https://login.example.com/{tenant}/v2.0', profile: entra, audiences: [a],\n      \
             tenants: [11111111-2222-3333-4444-555555555555] }\n\
             step_up: { mfa: { acr: [phr, phrh], acrs: c1, max_age: 5m } }\n\
             servers: [{ name: s, http: { url: 'https://mcp.example.com/mcp' } }]\n\
             routes: [{ path: /s, server: s, issuers: ['https://id.example.com'] }]\n";
        config::load(text).unwrap().0
    }

    const ENTRA: &str = "https://login.example.com/11111111-2222-3333-4444-555555555555/v2.0";
    const OTHER: &str = "https://id.example.com";
    const NOW: i64 = 1_000_000;

    fn check(issuer: &str, detail: &str, claims: &[(&str, Claim)], expected: bool) {
        let demand = Demand::of(detail, &settled(), issuer).unwrap();
        let claims = claims.iter().cloned();
        let principal = Principal::new(policy::Caller {
            issuer: issuer.to_owned(),
            user: "alice".to_owned(),
            claims: claims
                .map(|(name, claim)| (name.to_owned(), claim))
                .collect::<BTreeMap<_, _>>(),
            ..policy::Caller::default()
        });
        let principal = principal.unwrap();
        assert_eq!(
            demand.is_shown(&principal, NOW),
            expected,
            "{detail} {principal:?}"
        );
    }

    #[test]
    fn n2_4_a_token_shows_how_and_when_somebody_authenticated_or_it_does_not() {
        let acr = |value: &str| ("acr", Claim::Text(value.into()));
        let acrs = |values: &[&str]| {
            let values = values.iter().map(|&value| value.to_owned());
            ("acrs", Claim::Texts(values.collect()))
        };
        let at = |age: i64| ("auth_time", Claim::Number(NOW - age));
        for (claims, expected) in [
            (vec![acr("phr"), at(0)], true),
            (vec![acr("phrh"), at(300)], true),
            (vec![acr("phrh"), at(301)], false),
            (vec![acr("phr"), at(-300)], true),
            (vec![acr("phr"), at(-301)], false),
            (vec![acr("phr"), at(NOW)], false),
            (vec![acr("phr")], false),
            (vec![acr("pwd"), at(0)], false),
            (vec![acr("phr phrh"), at(0)], false),
            (
                vec![("acr", Claim::Texts(vec!["phr".into()])), at(0)],
                false,
            ),
            (vec![at(0)], false),
            (vec![acrs(&["c1"]), at(0)], false),
            (vec![], false),
        ] {
            check(OTHER, "mfa", &claims, expected);
            check(
                OTHER,
                "acr=phr phrh; max_age=300; acrs=c1",
                &claims,
                expected,
            );
        }
        check(OTHER, "acr=phr", &[acr("phr")], true);
        check(OTHER, "max_age=10", &[at(10)], true);
        // What only callers of Entra ID can show is shown by nobody else, and the other way about.
        check(OTHER, "acrs=c1", &[acrs(&["c1"])], false);
        check(ENTRA, "acr=phr", &[acr("phr")], false);
        check(ENTRA, "acrs=c1", &[acrs(&["c2", "c1"])], true);
        check(ENTRA, "acrs=c1", &[acrs(&["c2"])], false);
        check(ENTRA, "mfa", &[acrs(&["c1"])], false);
        check(ENTRA, "mfa", &[acrs(&["c1"]), at(299)], true);
    }

    #[test]
    fn n2_4_entra_shaped_callers_are_asked_by_claims_and_others_by_acr() {
        let demand = |issuer: &str| Demand::of("mfa", &settled(), issuer).unwrap().told();
        assert_eq!(
            demand(OTHER),
            json!({ "acr_values": ["phr", "phrh"], "max_age": 300 })
        );
        let claims = json!({ "access_token": { "acrs": { "essential": true, "value": "c1" } } });
        assert_eq!(demand(ENTRA), json!({ "claims": claims, "max_age": 300 }));
        assert_eq!(Demand::of("unheard-of", &settled(), OTHER), None);
    }
}
