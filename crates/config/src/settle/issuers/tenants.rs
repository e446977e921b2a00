//! Issuers of many tenants, and the names their tokens have for us. A tenant is an exact issuer: it
//! is never a pattern.

use crate::bounds;
use crate::problem::Problems;
use crate::settle::words;
use crate::settled::{Issuer, TENANT};
use crate::words::Profile;
use crate::written;
use controls::{M1, N7_2};
use std::collections::BTreeSet;

/// Checks `{tenant}` and the tenants, and gives the issuer of one of them to be judged for all: they
/// differ in nothing but a part of the path.
pub(super) fn settle(
    problems: &mut Problems,
    path: &str,
    written: &written::Issuer,
    profile: Profile,
) -> String {
    let at = format!("{path}.tenants");
    words::count(problems, &at, written.tenants.len(), bounds::TENANTS);
    let holds = written.issuer.matches(TENANT).count();
    match (holds, written.tenants.is_empty()) {
        (0, true) if profile == Profile::Entra => {
            let message = "names no tenant, and each tenant is an issuer of its own";
            let fix = "write `https://login.microsoftonline.com/{tenant}/v2.0`, or \
                       `https://sts.windows.net/{tenant}/` for tokens of version 1.0, and the `tenants`";
            problems.refuse(M1, &format!("{path}.issuer"), message, fix);
        }
        (0, true) => {}
        (0, false) => {
            let message = "are named, but nothing in the issuer stands for them";
            let fix = "write `{tenant}` where the tenant stands in the issuer, or remove them";
            problems.refuse(M1, &at, message, fix);
        }
        (_, true) => {
            let message = "has `{tenant}` in it, and no tenant is named: none is accepted unsaid";
            let fix = "name the tenants you trust below `tenants`";
            problems.refuse(M1, &format!("{path}.issuer"), message, fix);
        }
        (1, false) if in_path(&written.issuer) => {}
        (_, false) => {
            let message = "has `{tenant}` elsewhere than once in its path";
            let fix = "write it as one word of the path";
            problems.refuse(M1, &format!("{path}.issuer"), message, fix);
        }
    }
    if written.metadata.is_some() && holds == 0 {
        let message = "is for metadata that tenants share, and this issuer has none";
        let fix = "remove the line: its own metadata is found by its name";
        problems.refuse(M1, &format!("{path}.metadata"), message, fix);
    }
    for (index, tenant) in written.tenants.iter().enumerate() {
        let (fits, fix) = match profile {
            Profile::Entra => (is_guid(tenant), "write the tenant's GUID in lowercase"),
            Profile::Jwt | Profile::Rfc9068 => {
                (is_word(tenant), "write letters, digits, `-`, `_` and `.`")
            }
        };
        if !fits {
            problems.refuse(M1, &format!("{at}[{index}]"), "is not a tenant", fix);
        }
    }
    let first = written.tenants.first().map_or("tenant", String::as_str);
    written.issuer.replace(TENANT, first)
}

/// Refuses an exact issuer that is there twice, by its own name or as a tenant.
pub(super) fn once(problems: &mut Problems, issuers: &[Issuer]) {
    let mut known = BTreeSet::new();
    for (index, issuer) in issuers.iter().enumerate() {
        let exact = issuer.exact().into_iter();
        let again = exact
            .map(|it| it.issuer)
            .find(|it| !known.insert(it.clone()));
        if issuer.issuer.contains(TENANT) && again.is_some() {
            let message = "names an issuer that is there already";
            let path = format!("issuers[{index}].tenants");
            problems.refuse(M1, &path, message, "keep one of them");
        }
    }
}

/// Refuses an audience of access tokens that is the audience of ID tokens, where nothing but the
/// audience tells the two apart. `at` names the list, of an issuer or of a route that accepts it.
pub(in crate::settle) fn not_signed_in(
    problems: &mut Problems,
    at: &str,
    audiences: &[String],
    issuers: &[&written::Issuer],
) {
    let told_apart = |issuer: &&&written::Issuer| issuer.profile != Some(Profile::Entra);
    let mut clients = issuers.iter().filter(told_apart).filter_map(|issuer| {
        let sign_in = issuer.sign_in.as_ref()?;
        Some(&sign_in.client)
    });
    if clients.any(|client| audiences.contains(client)) {
        let message =
            "names the client that users sign in with: their ID tokens have this audience";
        let fix = "remove it; access tokens are for the resource";
        problems.refuse(N7_2, at, message, fix);
    }
}

/// Further names of an audience: exact, and none that means several.
pub(in crate::settle) fn audiences(
    problems: &mut Problems,
    path: &str,
    written: &[String],
) -> Vec<String> {
    words::count(problems, path, written.len(), bounds::WORDS);
    for (index, name) in written.iter().enumerate() {
        let path = format!("{path}[{index}]");
        words::word(problems, &path, name, "the name of an audience");
        if name.contains('*') {
            let message = "holds a `*`, and audiences are compared letter for letter";
            problems.refuse(N7_2, &path, message, "write each name in full");
        }
    }
    words::once(written)
}

/// Whether `{tenant}` is one whole word of the path.
fn in_path(issuer: &str) -> bool {
    let after = issuer.split_once("://").map_or("", |(_, rest)| rest);
    let mut words = after.split('/').skip(1);
    words.any(|word| word == TENANT)
}

fn is_word(tenant: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let begins = tenant
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    begins && tenant.len() <= bounds::WORD_LENGTH && tenant.bytes().all(plain)
}

fn is_guid(tenant: &str) -> bool {
    let lengths = tenant.split('-').map(str::len);
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-');
    lengths.eq([8, 4, 4, 4, 12]) && tenant.bytes().all(hex)
}
