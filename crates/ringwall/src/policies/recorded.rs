//! The question to the policies that a recorded call was, as far as the record tells. Groups, scopes,
//! claims and what the call was for are not in records.

use anyhow::Context;
use audit::OwnedRecord;
use policy::cases::{Case, CaseContext, CasePrincipal, CaseTarget};
use policy::{Action, Verdict};
use serde_json::{Map, Value};

/// The question. Groups are unknown, scopes and claims are none.
pub(crate) fn question(record: &OwnedRecord) -> anyhow::Result<Case> {
    let text =
        |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or_default().to_owned();
    let who = record
        .who
        .as_ref()
        .context("nobody was identified in this call, so no policy was asked")?;
    let (server, subject, method) = (
        text(&record.server),
        text(&record.subject),
        text(&record.method),
    );
    let (action, resource) = asked(&method, &server, &subject);
    let kept = record
        .kept
        .as_ref()
        .and_then(|kept| kept.arguments.as_deref());
    let mut principal = somebody(text(&who.issuer), text(&who.subject));
    principal.client = text(&who.client);
    Ok(Case {
        name: record.id.to_string(),
        principal,
        action,
        resource,
        arguments: kept.map(object).transpose()?,
        context: CaseContext {
            method,
            findings: record
                .findings
                .iter()
                .map(|finding| finding.rule.to_string())
                .collect(),
            suspicions: suspicions(record),
            source: record
                .source
                .as_deref()
                .and_then(|source| source.parse().ok()),
            now_ms: i64::try_from(record.at_ms).unwrap_or(i64::MAX),
            ..CaseContext::default()
        },
        expect: Verdict::Allow,
        by: None,
        lift: None,
    })
}

/// What a message of this method asks about this thing.
pub(crate) fn asked(method: &str, server: &str, subject: &str) -> (Action, CaseTarget) {
    let named = || format!("{server}/{subject}");
    match method {
        "tools/call" => (Action::Call, CaseTarget::Tool(named())),
        "prompts/get" => (Action::Get, CaseTarget::Prompt(named())),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
            (Action::Read, CaseTarget::Resource(named()))
        }
        "completion/complete" if subject.contains("://") => {
            (Action::Complete, CaseTarget::Resource(named()))
        }
        "completion/complete" => (Action::Complete, CaseTarget::Prompt(named())),
        _ => (Action::Use, CaseTarget::Server(server.to_owned())),
    }
}

/// Somebody of whom only the name is known. As with claims, a record does not say what they hold.
pub(crate) fn somebody(issuer: String, user: String) -> CasePrincipal {
    CasePrincipal {
        issuer,
        user,
        kind: Default::default(),
        actors: Vec::new(),
        client: String::new(),
        groups: None,
        scopes: Vec::new(),
        claims: Default::default(),
        possession: Default::default(),
    }
}

/// The arguments of a call, as they are written.
pub(crate) fn object(text: &str) -> anyhow::Result<Map<String, Value>> {
    serde_json::from_str(text).context("the arguments are not a JSON object")
}

/// What policies heard of the scores: those that reached their threshold, but for the shadows.
fn suspicions(record: &OwnedRecord) -> Vec<String> {
    let scores = record.scores.iter();
    scores
        .filter(|score| score.value >= score.threshold && score.mode != "shadow")
        .map(|score| score.rule.to_string())
        .collect()
}
