//! Which claims policies see. One name is of one kind, whichever issuer a token is of, because
//! policies are checked before anybody calls.

use crate::bounds;
use crate::problem::Problems;
use crate::settle::words;
use crate::settled::{Attribute, Issuer};
use crate::written;
use controls::N7_3;
use std::collections::BTreeMap;

/// The attributes of one issuer: the known ones, and those that are said, which may say for a known
/// one where it is.
pub(super) fn settle(
    problems: &mut Problems,
    path: &str,
    written: &BTreeMap<String, written::Attribute>,
) -> BTreeMap<String, Attribute> {
    words::count(problems, path, written.len(), bounds::WORDS);
    let known = Attribute::KNOWN.into_iter().map(|(name, kind)| {
        let claim = name.to_owned();
        (name.to_owned(), Attribute { claim, kind })
    });
    let mut attributes: BTreeMap<String, Attribute> = known.collect();
    for (name, written) in written {
        let path = format!("{path}.{name}");
        if !is_name(name) {
            let fix = "write lowercase letters, digits and `_`, a letter first";
            problems.refuse(None, &path, "is not a name that policies can read", fix);
        }
        if name == Attribute::CLIENT_AUTH {
            let message = "is what the gateway itself says of the client";
            problems.refuse(N7_3, &path, message, "give it another name");
        }
        words::word(
            problems,
            &format!("{path}.claim"),
            &written.claim,
            "a claim",
        );
        let attribute = Attribute {
            claim: written.claim.clone(),
            kind: written.kind,
        };
        if attribute.path().iter().any(|member| member.is_empty()) {
            let fix = "write the names of members with one `.` between them";
            problems.refuse(None, &format!("{path}.claim"), "is no way to a claim", fix);
        }
        let before = attributes.insert(name.clone(), attribute);
        if let Some(before) = before.filter(|before| before.kind != written.kind) {
            let message = format!("is `{}` wherever it comes from", before.kind);
            problems.refuse(N7_3, &path, message, "give it that kind, or another name");
        }
    }
    attributes
}

/// Refuses a name that is of one kind for one issuer and of another for the next.
pub(super) fn agree(problems: &mut Problems, issuers: &[Issuer]) {
    let mut kinds = BTreeMap::new();
    for (index, issuer) in issuers.iter().enumerate() {
        for (name, attribute) in &issuer.attributes {
            let (kind, first) = *kinds.entry(name).or_insert((attribute.kind, index));
            let is_known = Attribute::KNOWN.iter().any(|(known, _)| known == name);
            if kind != attribute.kind && !is_known {
                let message = format!("is `{kind}` for issuers[{first}]");
                let path = format!("issuers[{index}].attributes.{name}");
                problems.refuse(
                    N7_3,
                    &path,
                    message,
                    "give it the same kind, or another name",
                );
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    begins && name.len() <= bounds::WORD_LENGTH && name.bytes().all(plain)
}
