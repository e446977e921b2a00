//! Refusals because of what detectors say of a text, or because they say nothing.

use super::*;
use crate::providers::Quiet;
use controls::Score;

/// What a client says is suspect.
pub(in crate::stages) fn suspected(score: &Score) -> Refused {
    let reason = format!(
        "a detector suspects `{}` at {}",
        score.rule,
        quoted(&score.place)
    );
    let remedy = "leave it out; if it is harmless, the operator sets another mode for the rule";
    let refused = Refused::new(
        "content_suspected",
        score.control,
        Fault::Caller,
        reason,
        remedy,
    );
    refused.detail(detail(score)).for_the_model()
}

/// What a server says is suspect.
pub(in crate::stages) fn answer_suspected(score: &Score) -> Refused {
    let reason = format!(
        "the server's answer was withheld: a detector suspects `{}`",
        score.rule
    );
    let remedy = "go on without it; if it is harmless, the operator sets another mode for the rule";
    let refused = Refused::new(
        "answer_suspected",
        score.control,
        Fault::Upstream,
        reason,
        remedy,
    );
    refused.rpc(UPSTREAM).detail(detail(score))
}

/// A detector that has to be heard says nothing.
pub(in crate::stages) fn unheard_detector(quiet: &Quiet) -> Refused {
    let reason = "a detector that has to be heard about this message says nothing";
    let remedy = match quiet.why.fault() {
        Fault::Caller => "send or ask for less text at once",
        Fault::Operator => "the operator finds the cause in the gateway's log",
        Fault::Upstream | Fault::Us => "try again later",
    };
    let fault = quiet.why.fault();
    let refused = Refused::new("detector_unheard", controls::N1_3, fault, reason, remedy);
    let refused = refused
        .rpc(UPSTREAM)
        .detail(format!("`{}`: {}", quiet.detector, quiet.why));
    match quiet.why.retry_after() {
        Some(wait) => refused.after(wait),
        None => refused,
    }
}

/// Who thought so, and how sure they were.
fn detail(score: &Score) -> String {
    format!(
        "`{}` gave `{}` {} of 1000 at `{}`, and {} is enough",
        score.detector, score.rule, score.value, score.place, score.threshold
    )
}
