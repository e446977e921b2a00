//! Every way a message can be turned away, in one place: the stable code, the control, whose fault
//! it is, what is said and how it is got right. Stages call these; nothing else makes a refusal.
//!
//! Texts are safe for the caller: no secrets, no names of other users, bounded user text.

mod answer;
mod approval;
mod bridge;
mod caller;
mod connection;
mod door;
mod frame;
mod page;
mod possession;
mod step_up;
mod subject;
mod suspect;

pub(in crate::stages) use answer::*;
pub(in crate::stages) use approval::*;
pub(in crate::stages) use bridge::*;
pub(in crate::stages) use caller::*;
pub(in crate::stages) use connection::*;
pub(crate) use door::*;
pub(in crate::stages) use frame::*;
pub(in crate::stages) use page::*;
pub(crate) use possession::*;
pub(in crate::stages) use step_up::*;
pub(in crate::stages) use subject::*;
pub(in crate::stages) use suspect::*;

use crate::content;
use crate::credential::Need;
use crate::upstream::UpstreamError;
use controls::{Control, Fault, Refusal};
use http::{HeaderName, HeaderValue, StatusCode};
use protocol::{Revision, codes};
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// A refusal with the form its answer takes. Boxed, because it stands in the result of every stage
/// and is rare.
#[derive(Debug)]
pub struct Refused(Box<Terms>);

impl Deref for Refused {
    type Target = Terms;

    fn deref(&self) -> &Terms {
        &self.0
    }
}

/// What a refusal says, and how.
#[derive(Debug)]
pub struct Terms {
    /// What, by which control, whose fault, and how to get it right.
    pub refusal: Refusal,
    /// The HTTP status of the answer.
    pub status: StatusCode,
    /// The JSON-RPC error code of the answer.
    pub rpc: i64,
    /// `WWW-Authenticate`, where the answer is a challenge: one value for each way to meet it.
    pub challenges: Vec<HeaderValue>,
    /// Whether the answer is a tool result with `isError`, which the model sees and can act on.
    pub form: Form,
    /// What the protocol wants in `error.data`, beside the refusal.
    pub data: Option<serde_json::Value>,
    /// What only the operator should read; it is in the record and nowhere else.
    pub detail: Option<String>,
    /// How the caller has to log in before a server takes their calls.
    pub(crate) authentication: Option<Arc<identity::Authentication>>,
    /// The server that the user has to connect first.
    pub(crate) connect: Option<Arc<Need>>,
}

/// How a refusal reaches the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON-RPC error.
    Error,
    /// A result that asks the user for something before the call is made again (2026-07-28).
    InputRequired,
    /// A tool result with `isError: true`: MCP wants input errors where the model sees them.
    ToolResult,
}

/// Refusals of a policy or a limit: outside the range JSON-RPC reserves (rule B4).
pub const POLICY: i64 = -31_001;
/// Refusals because a definition is not approved.
pub const DEFINITION: i64 = -31_002;
/// Refusals because a limit is reached.
pub const LIMIT: i64 = -31_003;
/// Failures of the server behind the gateway.
pub const UPSTREAM: i64 = -31_004;
/// Refusals that concern the token.
pub const TOKEN: i64 = -31_005;
/// Refusals because Ringwall itself cannot do what it must, such as writing its ledger.
pub const OURSELVES: i64 = -31_006;
/// Refusals that concern the session.
pub const SESSION: i64 = -31_007;

impl Refused {
    fn new(
        code: &'static str,
        control: Control,
        fault: Fault,
        reason: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        let refusal = Refusal {
            code,
            control,
            fault,
            reason: reason.into(),
            remedy: remedy.into(),
            retry_after: None,
        };
        Refused(Box::new(Terms {
            refusal,
            status: StatusCode::OK,
            rpc: POLICY,
            challenges: Vec::new(),
            form: Form::Error,
            data: None,
            detail: None,
            authentication: None,
            connect: None,
        }))
    }

    fn status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    fn rpc(mut self, rpc: i64) -> Self {
        self.0.rpc = rpc;
        self
    }

    fn after(mut self, wait: Duration) -> Self {
        self.0.refusal.retry_after = Some(wait);
        self
    }

    fn challenges(mut self, challenges: Vec<HeaderValue>) -> Self {
        self.0.challenges = challenges;
        self
    }

    fn detail(mut self, detail: String) -> Self {
        self.0.detail = Some(detail);
        self
    }

    fn data(mut self, data: serde_json::Value) -> Self {
        self.0.data = Some(data);
        self
    }

    fn for_the_model(mut self) -> Self {
        self.0.form = Form::ToolResult;
        self
    }
}

/// Characters of user text in a message.
const QUOTED: usize = 64;

/// User text in a message: bounded, without anything that nobody sees or that moves a cursor, and without what
/// the rules for secrets and personal data find in it. That is looked for before it is cut: half a key is none
/// any more.
pub(in crate::stages) fn quoted(text: &str) -> String {
    let clean = inspect::text::clean(text);
    let visible: String = clean.chars().filter(|c| !c.is_control()).collect();
    let shown = content::hushed(&visible);
    let shown: String = shown.chars().take(QUOTED).collect();
    // Without that, it would look like something that is there.
    let hidden = if visible == text {
        ""
    } else {
        " with hidden characters"
    };
    format!("`{shown}`{hidden}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GITHUB: &str = "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";

    #[test]
    fn n9_3_no_refusal_quotes_what_is_found_in_what_was_asked_for() {
        let (start, end) = GITHUB.split_at(12);
        for asked in [
            GITHUB.to_owned(),
            format!("https://h.test/?key={GITHUB}"),
            // Where it is cut makes no difference, and neither does what nobody sees.
            format!("https://h.test/{}?key={GITHUB}", "a/".repeat(12)),
            format!("{start}\u{7f}{end}"),
            format!("{start}\u{200b}{end}"),
        ] {
            for refused in [
                tool_unknown(&asked),
                prompt_unknown(&asked),
                resource_unknown(&asked, Revision::V2025_11_25),
                method_unknown(&asked),
                definition_waits(&asked),
                definition_changed(&asked),
                denied("call", &asked, None),
                no_such_route(&asked),
                version_unknown(&asked, &[]),
                version_unsupported(&asked, &[]),
            ] {
                let said = serde_json::json!(&refused.refusal).to_string();
                assert!(!said.contains(start) && !said.contains(end), "{said}");
                assert!(said.contains("[redacted: secret."), "{said}");
                let data = refused.data.as_ref().map(ToString::to_string);
                assert!(!data.unwrap_or_default().contains(end), "{said}");
            }
        }
        assert_eq!(quoted("a\u{1b}[2Jb"), "`ab` with hidden characters");
        assert_eq!(quoted("a\u{200b}b"), "`ab` with hidden characters");
        assert_eq!(quoted(&"n".repeat(80)), format!("`{}`", "n".repeat(64)));
    }
}
