//! Refusals that ask the user to open a page of the gateway, in the words that their client has for it.

use super::*;
use serde_json::json;

/// Which words a client has for a page that its user has to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stages) enum ConnectWords {
    /// None: it is told in an error.
    Error,
    /// The error of 2025-11-25 that asks for it.
    Legacy,
    /// A result that asks for it (2026-07-28).
    Modern,
}

/// A page, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageToOpen<'a> {
    /// What the question is called.
    pub(super) id: &'a str,
    /// Where the page is.
    pub(super) url: &'a str,
    /// What the user reads.
    pub(super) message: &'a str,
    /// What the question is called among those of a server.
    pub(super) key: &'static str,
}

/// The refusal as a question, if the client has words for one.
pub(super) fn page_to_open(
    mut refused: Refused,
    page: &PageToOpen<'_>,
    words: ConnectWords,
) -> Refused {
    let (url, message) = (page.url, page.message);
    match words {
        ConnectWords::Error => refused,
        ConnectWords::Legacy => {
            let page = json!({
                "mode": "url", "elicitationId": page.id, "url": url, "message": message,
            });
            refused
                .rpc(codes::URL_ELICITATION_REQUIRED)
                .data(json!({ "elicitations": [page] }))
        }
        ConnectWords::Modern => {
            let question = json!({ "method": "elicitation/create", "params": {
                "mode": "url", "url": url, "message": message,
            } });
            refused.0.form = Form::InputRequired;
            refused.data(json!({ page.key: question }))
        }
    }
}

/// Whether a question with this name is one of the gateway itself, and its answer no server's business.
pub(in crate::stages) fn is_ours(key: &str) -> bool {
    key.starts_with("io.ringwall/")
}
