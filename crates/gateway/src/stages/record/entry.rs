//! From the receipt of a call to the record in the ledger.

use super::UNROUTED;
use crate::content;
use crate::gate::Gate;
use crate::small::hex;
use crate::stages::draft::Draft;
use crate::stages::refused::{self, Refused};
use crate::stages::suspect;
use audit::{
    Controls, Digests, Fault, Finding, Kept, Kind, Policy, RECORD_BYTES_MAX, Record, Refusal,
    Score, Sizes, Skipped, Verdict, Who,
};
use controls::{Action, Severity};
use std::borrow::Cow;

/// Appends the record of this call, with what was said beside it, and waits until it is as durable as the
/// route asks.
pub(super) async fn write(
    gate: &Gate,
    draft: &mut Draft,
    verdict: Verdict,
    refused: Option<&Refused>,
) -> Result<(), Refused> {
    suspect::join(draft).await;
    let bytes = written(&record(draft, verdict, refused));
    let durability = draft
        .route
        .as_ref()
        .map_or(UNROUTED, |route| route.durability);
    gate.ledger
        .append(bytes, durability)
        .await
        .map_err(|error| {
            tracing::error!(%error, "a record could not be written");
            refused::unrecorded()
        })
}

/// The bytes of a record. One that the ledger would not take for its size is written without what
/// parties made long: that a call was made is told in any case.
fn written(record: &Record<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1536);
    record.to_canonical(&mut bytes);
    if bytes.len() > RECORD_BYTES_MAX {
        bytes.clear();
        shortened(record).to_canonical(&mut bytes);
    }
    bytes
}

fn shortened<'a>(record: &'a Record<'a>) -> Record<'a> {
    let short = |text: &'a Option<Cow<'a, str>>| text.as_deref().map(|text| start(text).into());
    let left_out = record.findings.len() + record.scores.len();
    Record {
        findings: vec![Finding {
            control: controls::N5_1.id().into(),
            rule: "record.shortened".into(),
            severity: Severity::Medium.name().into(),
            place: "".into(),
            count: left_out as u64,
            action: Action::Cut.name().into(),
        }],
        scores: Vec::new(),
        kept: None,
        method: short(&record.method),
        subject: short(&record.subject),
        message: short(&record.message),
        refusal: record.refusal.as_ref().map(|refusal| Refusal {
            reason: start(&refusal.reason).into(),
            ..refusal.clone()
        }),
        ..record.clone()
    }
}

/// The first bytes of a text, in whole characters.
fn start(text: &str) -> &str {
    text.get(..text.floor_char_boundary(SHORT)).unwrap_or(text)
}

/// Bytes that are left of a text in a record that would be too large.
const SHORT: usize = 1024;

/// The one server that is concerned, if it is one.
fn server(draft: &Draft) -> Option<&str> {
    let one = draft.served.as_ref().map(|served| &*served.name);
    let only = || Some(draft.route.as_ref()?.server_name());
    one.or_else(only).filter(|name| !name.is_empty())
}

fn record<'a>(draft: &'a Draft, verdict: Verdict, refused: Option<&'a Refused>) -> Record<'a> {
    let route = draft.route.as_deref();
    let known = draft.method.is_some() || verdict == Verdict::Allowed;
    let total = Some(draft.total_us());
    let findings = draft.findings.iter().chain(&draft.answer_findings);
    Record {
        at_ms: draft.at_ms,
        id: (&*draft.id).into(),
        kind: if known { Kind::Call } else { Kind::Refusal },
        verdict,
        route: route.map(|route| (&*route.path).into()),
        server: server(draft).map(Into::into),
        source: Some(draft.source.to_string().into()),
        transport: Some(draft.transport.into()),
        revision: draft.revision.map(Into::into),
        method: draft.method.as_deref().map(Into::into),
        subject: draft.subject(),
        message: draft.message(),
        definition: draft.tool.as_ref().map(|tool| (&*tool.digest_text).into()),
        who: who(draft),
        policy: policy(draft),
        controls: Some(Controls {
            ran: draft
                .controls_run()
                .map(|control| control.id().into())
                .collect(),
            skipped: draft
                .controls_skipped()
                .iter()
                .map(|(control, why)| Skipped {
                    control: control.id().into(),
                    why: (&**why).into(),
                })
                .collect(),
        }),
        findings: findings.map(finding).collect(),
        scores: draft.scores.iter().map(score).collect(),
        refusal: refused.map(refusal),
        timings_us: Some(audit::Timings {
            total,
            ..draft.timings
        }),
        sizes: Some(Sizes {
            request: Some(draft.request_bytes as u64),
            answer: draft.answer_bytes.map(|bytes| bytes as u64),
        }),
        digests: digests(draft),
        kept: kept(draft),
        ..Record::default()
    }
}

fn who(draft: &Draft) -> Option<Who<'_>> {
    let caller = draft.caller.as_ref()?;
    Some(Who {
        user: Some(caller.user().as_str().into()),
        issuer: Some(caller.issuer().into()),
        subject: Some(caller.subject().into()),
        actor: caller
            .actors()
            .first()
            .map(|actor| actor.to_string().into()),
        client: caller.client().map(Into::into),
        session_digest: draft.session.as_ref().map(|session| session.name().into()),
    })
}

fn policy(draft: &Draft) -> Option<Policy<'_>> {
    let verdict = draft.policy.as_ref()?;
    let decision = &verdict.decision;
    let determining = decision.determining.iter().map(|id| Cow::from(&**id));
    let errors = decision
        .errors
        .iter()
        // It may quote the name of what was decided about.
        .map(|error| Cow::from(format!("error: {}", content::hushed(error))));
    Some(Policy {
        digest: Some(verdict.policies.digest().into()),
        verdict: Some(if decision.allows() { "allow" } else { "deny" }.into()),
        determining: determining.chain(errors).collect(),
    })
}

fn finding(finding: &controls::Finding) -> Finding<'_> {
    Finding {
        control: finding.control.id().into(),
        rule: (&*finding.rule).into(),
        severity: finding.severity.name().into(),
        place: (&*finding.place).into(),
        count: u64::from(finding.count),
        action: finding.action.name().into(),
    }
}

/// What a detector said, as records have it.
pub(crate) fn score(score: &controls::Score) -> Score<'_> {
    Score {
        control: score.control.id().into(),
        detector: (&*score.detector).into(),
        rule: (&*score.rule).into(),
        value: u64::from(score.value),
        threshold: u64::from(score.threshold),
        mode: score.mode.name().into(),
        place: (&*score.place).into(),
    }
}

fn refusal(refused: &Refused) -> Refusal<'_> {
    Refusal {
        code: refused.refusal.code.into(),
        control: refused.refusal.control.id().into(),
        fault: match refused.refusal.fault {
            controls::Fault::Caller => Fault::Caller,
            controls::Fault::Operator => Fault::Operator,
            controls::Fault::Upstream => Fault::Upstream,
            controls::Fault::Us => Fault::Us,
        },
        reason: match &refused.detail {
            None => (&*refused.refusal.reason).into(),
            // Most details begin with what the caller heard.
            Some(detail) if detail.starts_with(&*refused.refusal.reason) => (&**detail).into(),
            Some(detail) => format!("{}: {detail}", refused.refusal.reason).into(),
        },
    }
}

fn digests(draft: &Draft) -> Option<Digests<'_>> {
    let text = |digest: &[u8; 32]| Cow::from(format!("sha256:{}", hex(digest)));
    (draft.arguments.is_some() || draft.answer.is_some()).then(|| Digests {
        arguments: draft.arguments.as_ref().map(text),
        answer: draft.answer.as_ref().map(text),
    })
}

fn kept(draft: &Draft) -> Option<Kept<'_>> {
    (draft.kept_arguments.is_some() || draft.kept_answer.is_some()).then(|| Kept {
        arguments: draft.kept_arguments.as_deref().map(Into::into),
        answer: draft.kept_answer.as_deref().map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::still::Still;
    use crate::stages::draft;
    use policy::Decision;
    use std::sync::Arc;

    #[tokio::test]
    async fn n9_3_what_policies_failed_at_has_nothing_in_it_that_is_found() {
        let still = Still::with("").await;
        let mut draft = Draft::begin(still.gate(), [127, 0, 0, 1].into(), "http");
        let name = "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";
        draft.policy = Some(draft::Verdict {
            policies: Arc::clone(&still.gate().policies()),
            decision: Arc::new(Decision {
                verdict: policy::Verdict::Deny,
                determining: vec!["no-strangers".into()],
                errors: vec![format!("`{name}` has no attribute")],
                lifts: Vec::new(),
                reason: None,
            }),
        });
        let told = policy(&draft).unwrap().determining;
        let expected = "error: `[redacted: secret.github_token]` has no attribute";
        assert_eq!(told, ["no-strangers", expected]);
    }

    #[test]
    fn n5_1_a_record_that_would_be_too_large_is_written_without_what_makes_it_so() {
        let long = || Cow::from("\u{e9}".repeat(RECORD_BYTES_MAX / 2));
        let found = || Finding {
            rule: "personal.iban".into(),
            place: long(),
            ..Finding::default()
        };
        let with = |change: fn(&mut Record<'_>, Cow<'static, str>)| {
            let mut record = Record {
                at_ms: 1,
                id: "r".into(),
                ..Record::default()
            };
            change(&mut record, long());
            record
        };
        let small = with(|_, _| {});
        let mut whole = Vec::new();
        small.to_canonical(&mut whole);
        assert_eq!(written(&small), whole);
        let told = with(|_, _| {});
        let told = Record {
            findings: vec![found(), found()],
            ..told
        };
        for (record, left_out) in [
            (told, 2),
            (with(|record, text| record.subject = Some(text)), 0),
            (with(|record, text| record.method = Some(text)), 0),
            (with(|record, text| record.message = Some(text)), 0),
            (
                with(|record, text| {
                    record.kept = Some(Kept {
                        arguments: Some(text),
                        answer: None,
                    });
                }),
                0,
            ),
            (
                with(|record, reason| {
                    record.refusal = Some(Refusal {
                        reason,
                        ..Refusal::default()
                    });
                }),
                0,
            ),
        ] {
            let bytes = written(&record);
            assert!(bytes.len() < 8 * SHORT, "{}", bytes.len());
            let read: Record<'_> = serde_json::from_slice(&bytes).unwrap();
            let rules: Vec<_> = read
                .findings
                .iter()
                .map(|it| (&*it.rule, it.count))
                .collect();
            assert_eq!(rules, [("record.shortened", left_out)]);
            assert_eq!((read.at_ms, &*read.id), (1, "r"));
        }
    }
}
