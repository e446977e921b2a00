//! What a call may take beside a permit: more proof of who calls, or the word of somebody else.

use super::{limits, words};
use crate::bounds;
use crate::problem::Problems;
use crate::settled::{Approvals, StepUp};
use crate::written;
use controls::N2_4;
use std::collections::BTreeMap;

/// What policies ask for by name.
pub(super) fn step_ups(
    problems: &mut Problems,
    written: &BTreeMap<String, written::StepUp>,
) -> BTreeMap<String, StepUp> {
    words::count(problems, "step_up", written.len(), bounds::WORDS);
    let each = written.iter().map(|(name, written)| {
        let path = format!("step_up.{name}");
        words::word(problems, &path, name, "the name of a step-up");
        if name.contains(['=', ';']) {
            let fix = "write a name without `=` and `;`, which policies write in its place";
            problems.refuse(N2_4, &path, "is not the name of a step-up", fix);
        }
        (name.clone(), step_up(problems, &path, written))
    });
    each.collect()
}

fn step_up(problems: &mut Problems, path: &str, written: &written::StepUp) -> StepUp {
    let at = |name: &str| format!("{path}.{name}");
    words::count(problems, &at("acr"), written.acr.len(), bounds::ACR);
    for (index, acr) in written.acr.iter().enumerate() {
        words::word(
            problems,
            &at(&format!("acr[{index}]")),
            acr,
            "a value of `acr`",
        );
    }
    if let Some(acrs) = &written.acrs {
        words::word(problems, &at("acrs"), acrs, "an authentication context");
    }
    if written.acr.is_empty() && written.acrs.is_none() && written.max_age.is_none() {
        let fix = "write `acr`, `acrs` or `max_age`";
        problems.refuse(
            N2_4,
            path,
            "asks for nothing, so everybody would have shown it",
            fix,
        );
    }
    let max_age = written.max_age.as_ref();
    StepUp {
        acr: words::once(&written.acr),
        acrs: written.acrs.clone(),
        max_age: max_age
            .map(|said| limits::time(problems, &at("max_age"), Some(said), bounds::MAX_AGE)),
    }
}

/// Calls that wait for somebody's approval.
pub(super) fn approvals(problems: &mut Problems, written: &written::Approvals) -> Approvals {
    let count = [
        (
            written.per_user,
            "approvals.per_user",
            bounds::APPROVALS_PER_USER,
        ),
        (written.in_all, "approvals.in_all", bounds::APPROVALS),
    ];
    let [per_user, in_all] =
        count.map(|(said, path, bounds)| limits::number(problems, path, said, bounds));
    Approvals {
        expires: limits::time(
            problems,
            "approvals.expires",
            written.expires.as_ref(),
            bounds::APPROVAL_TIME,
        ),
        per_user,
        in_all,
    }
}
