//! Refusals of calls that somebody else has to approve first (control 2.4).

use super::page::PageToOpen;
use super::*;
use crate::approvals::{AskError, Entry};
use serde_json::json;

/// Refusals because somebody else has to approve the call first.
pub(in crate::stages) const APPROVAL: i64 = -31_009;

/// What a question of the gateway itself is called among those of a server.
const APPROVAL_KEY: &str = "io.ringwall/approval";

/// It waits. Whoever may approve it finds it under its name, or at the link.
pub(in crate::stages) fn approval_needed(
    entry: &Entry,
    link: Option<&str>,
    words: ConnectWords,
) -> Refused {
    let wanted: String = entry.wanted().chars().take(200).collect();
    let reason = format!("this call waits for approval by {wanted}");
    let remedy = match link {
        Some(url) => {
            format!("it can be looked at and approved at {url}; send it again unchanged then")
        }
        None => format!(
            "another user of this machine approves it with `ringwall approvals approve {}`; send it again unchanged then",
            entry.id
        ),
    };
    let refused = Refused::new(
        "approval_needed",
        controls::N2_4,
        Fault::Caller,
        reason,
        remedy,
    );
    let told = json!({ "approval": {
        "id": entry.id, "url": link, "until_ms": entry.until_ms, "needs": entry.needs,
    } });
    let mut refused = refused.rpc(APPROVAL).data(told);
    if let Some(why) = &entry.reason {
        refused = refused.detail(format!("held as {}: {why}", entry.id));
    }
    let Some(url) = link else {
        return refused;
    };
    let message = format!("This call waits for approval by {wanted}.");
    let page = PageToOpen {
        id: &entry.id,
        url,
        message: &message,
        key: APPROVAL_KEY,
    };
    page::page_to_open(refused, &page, words)
}

/// Somebody said no.
pub(in crate::stages) fn approval_declined(entry: &Entry) -> Refused {
    let why = entry.declined.as_ref().map_or("", |declined| &declined.why);
    let refused = Refused::new(
        "approval_declined",
        controls::N2_4,
        Fault::Caller,
        format!(
            "somebody who was asked to approve this call declined it: {}",
            quoted(why)
        ),
        "do not make this call; it can be asked for again once its time is over",
    );
    refused
        .rpc(APPROVAL)
        .data(json!({ "approval": { "id": entry.id, "until_ms": entry.until_ms } }))
}

/// It cannot even wait.
pub(in crate::stages) fn approval_impossible(error: &AskError) -> Refused {
    match error {
        AskError::Full => Refused::new(
            "approvals_full",
            controls::N4_4,
            Fault::Caller,
            "as many calls wait for approval as may",
            "wait until some of them are approved, declined or over",
        )
        .rpc(LIMIT)
        .after(Duration::from_secs(60)),
        AskError::Unrecorded | AskError::State(_) => Refused::new(
            "approvals_unkept",
            controls::N2_4,
            Fault::Us,
            "calls that wait for approval cannot be kept or read now",
            "try again; the operator looks at the log",
        )
        .status(StatusCode::SERVICE_UNAVAILABLE)
        .rpc(OURSELVES)
        .after(Duration::from_secs(5))
        .detail(error.to_string()),
    }
}

/// Nobody can be expected to read it.
pub(in crate::stages) fn approval_unreadable(most: usize) -> Refused {
    let reason = format!("this call needs approval, and nobody reads more than {most} bytes of it");
    let remedy = "say what is large some other way, such as by the name of a file";
    Refused::new(
        "approval_unreadable",
        controls::N2_4,
        Fault::Caller,
        reason,
        remedy,
    )
    .rpc(APPROVAL)
}
