//! Who administers the gateway: that they sign in somewhere, strongly, and that somebody has a role.

use super::{limits, policies, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Administration, Issuer, RoleRule};
use crate::words::BreakGlass;
use crate::written;
use controls::{N2_2, N2_4};
use url::Url;

/// The administration of a gateway with these issuers.
pub(super) fn settle(
    problems: &mut Problems,
    written: &written::Administration,
    (issuers, public_url): (&[Issuer], Option<&Url>),
) -> Option<Administration> {
    let at = |name: &str| format!("administration.{name}");
    if written.acr.is_empty() && written.amr.is_empty() {
        let fix = "add `amr: [mfa]`, or the `acr` of strong sign-ins at your provider";
        let message = "does not say how strongly administrators are authenticated";
        problems.refuse(N2_4, "administration", message, fix);
    }
    for (name, all, what) in [
        ("acr", &written.acr, "an authentication context"),
        ("amr", &written.amr, "an authentication method"),
    ] {
        words::count(problems, &at(name), all.len(), bounds::WORDS);
        for (index, word) in all.iter().enumerate() {
            words::word(problems, &format!("{}[{index}]", at(name)), word, what);
        }
    }
    words::count(problems, &at("roles"), written.roles.len(), bounds::WORDS);
    let roles = written.roles.iter().enumerate();
    let roles = roles
        .map(|(index, rule)| role(problems, &format!("administration.roles[{index}]"), rule))
        .collect();
    policies(problems, &at("policies"), &written.policies);
    let break_glass = written.break_glass.unwrap_or(BreakGlass::Off);
    let has_name = public_url.is_none_or(|url| url.domain().is_some());
    if break_glass == BreakGlass::On && !has_name {
        let fix = "write a `public_url` with a name, such as `http://localhost:8080`";
        let message = "needs a name of the gateway: passkeys are for names, never for addresses";
        problems.refuse(N2_4, &at("break_glass"), message, fix);
    }
    let nobody = written.roles.is_empty() && written.policies.is_empty();
    if nobody && break_glass == BreakGlass::Off {
        let fix = "add `roles: [{ role: admin, groups: […] }]`";
        let message = "gives nobody a role, so nobody may do anything";
        problems.warn(N2_2, "administration", message, fix);
    }
    Some(Administration {
        issuer: issuer(problems, written.issuer.as_deref(), issuers)?,
        acr: words::once(&written.acr),
        amr: words::once(&written.amr),
        max_age: limits::time(
            problems,
            &at("max_age"),
            written.max_age.as_ref(),
            bounds::ADMINISTRATION_AGE,
        ),
        roles,
        policies: written.policies.clone(),
        break_glass,
    })
}

/// Where they sign in: the issuer that is said, or the only one where anybody can.
fn issuer(problems: &mut Problems, said: Option<&str>, issuers: &[Issuer]) -> Option<String> {
    let able = issuers.iter().filter(|issuer| issuer.sign_in.is_some());
    let able: Vec<String> = able
        .flat_map(|issuer| issuer.exact())
        .map(|exact| exact.issuer)
        .collect();
    match (said, able.as_slice()) {
        (Some(said), able) if able.iter().any(|one| one == said) => Some(said.to_owned()),
        (None, [only]) => Some(only.clone()),
        (Some(_), _) => {
            let fix = "name one of `issuers` exactly, with its tenant, and add `sign_in: { client: … }` there";
            let message = "is no issuer where anybody can sign in with a browser";
            problems.refuse(N2_4, "administration.issuer", message, fix);
            None
        }
        (None, _) => {
            let fix = match able.is_empty() {
                true => "add `sign_in: { client: … }` to an issuer",
                false => "add `issuer: …`",
            };
            let message = "does not say where administrators sign in";
            problems.refuse(N2_4, "administration", message, fix);
            None
        }
    }
}

fn role(problems: &mut Problems, path: &str, written: &written::RoleRule) -> RoleRule {
    let lists = [
        ("users", &written.users),
        ("groups", &written.groups),
        ("values", &written.values),
    ];
    for (name, list) in lists {
        words::count(
            problems,
            &format!("{path}.{name}"),
            list.len(),
            bounds::WORDS,
        );
        for (index, text) in list.iter().enumerate() {
            if text.is_empty() || text.len() > bounds::WORD_LENGTH {
                let at = format!("{path}.{name}[{index}]");
                problems.refuse(None, &at, "is empty or too long", "write the exact name");
            }
        }
    }
    if written.claim.is_some() == written.values.is_empty() {
        let message = "has a `claim` without `values`, or `values` without a `claim`";
        problems.refuse(N2_2, path, message, "write both, or neither");
    } else if lists.iter().all(|(_, list)| list.is_empty()) {
        let fix = "add `users`, `groups`, or `claim` and `values`";
        problems.refuse(N2_2, path, "does not say who has the role", fix);
    }
    RoleRule {
        role: written.role,
        users: words::once(&written.users),
        groups: words::once(&written.groups),
        claim: written.claim.clone(),
        values: words::once(&written.values),
    }
}
