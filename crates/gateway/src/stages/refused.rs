//! Every way a message can be turned away, in one place: the stable code, the control, whose fault
//! it is, what is said and how it is got right. Stages call these; nothing else makes a refusal.
//!
//! Texts are safe for the caller: no secrets, no names of other users, bounded user text.

use crate::upstream::UpstreamError;
use controls::{Control, Fault, Refusal};
use http::{HeaderName, HeaderValue, StatusCode};
use protocol::{Revision, codes};
use std::borrow::Cow;
use std::ops::Deref;
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
    /// `WWW-Authenticate`, where the answer is a challenge.
    pub challenge: Option<HeaderValue>,
    /// Whether the answer is a tool result with `isError`, which the model sees and can act on.
    pub form: Form,
    /// What only the operator should read; it is in the record and nowhere else.
    pub detail: Option<String>,
}

/// How a refusal reaches the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON-RPC error.
    Error,
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
            challenge: None,
            form: Form::Error,
            detail: None,
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

    fn challenge(mut self, challenge: Option<HeaderValue>) -> Self {
        self.0.challenge = challenge;
        self
    }

    fn detail(mut self, detail: String) -> Self {
        self.0.detail = Some(detail);
        self
    }

    fn for_the_model(mut self) -> Self {
        self.0.form = Form::ToolResult;
        self
    }
}

/// User text in a message: bounded, and without anything that moves a cursor.
pub(super) fn quoted(text: &str) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
    format!("`{shown}`")
}

// ---- frame ---------------------------------------------------------------------------------

pub(super) fn header_twice(name: &HeaderName) -> Refused {
    let reason = format!("the header `{name}` was sent twice");
    Refused::new(
        "header_repeated",
        controls::N1_1,
        Fault::Caller,
        reason,
        "send it once",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

pub(super) fn header_text(name: &HeaderName) -> Refused {
    let reason = format!("the header `{name}` is not visible ASCII");
    Refused::new(
        "header_text",
        controls::N1_1,
        Fault::Caller,
        reason,
        "send visible ASCII only",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

pub(super) fn malformed(flaw: &protocol::Flaw) -> Refused {
    let control = if flaw.kind.is_limit() {
        controls::N4_4
    } else {
        controls::N1_1
    };
    Refused::new(
        flaw.code(),
        control,
        Fault::Caller,
        flaw.to_string(),
        "send one JSON-RPC 2.0 object that every JSON reader reads the same way",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(flaw.kind.rpc_code())
}

pub(super) fn not_json() -> Refused {
    Refused::new(
        "content_type",
        controls::N1_1,
        Fault::Caller,
        "the body is not declared as `application/json`",
        "send `Content-Type: application/json`",
    )
    .status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    .rpc(codes::INVALID_REQUEST)
}

pub(super) fn not_acceptable(media: &'static str) -> Refused {
    let reason = format!("the answer may be `{media}`, which the caller does not accept");
    let remedy = "send `Accept: application/json, text/event-stream`";
    Refused::new("accept", controls::N3_4, Fault::Caller, reason, remedy)
        .status(StatusCode::NOT_ACCEPTABLE)
        .rpc(codes::INVALID_REQUEST)
}

pub(super) fn version_unknown(version: &str, floor: Revision) -> Refused {
    let reason = format!(
        "`MCP-Protocol-Version` {} is not served here",
        quoted(version)
    );
    let served = Revision::NEGOTIABLE
        .iter()
        .filter(|revision| **revision >= floor);
    let served: Vec<&str> = served.map(|revision| revision.date()).collect();
    let remedy = format!("use one of {}", served.join(", "));
    Refused::new(
        "version_unknown",
        controls::N3_4,
        Fault::Caller,
        reason,
        remedy,
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

pub(super) fn version_below_floor(version: &str, floor: &str) -> Refused {
    let reason = format!("revision `{version}` is older than this route allows");
    Refused::new(
        "version_floor",
        controls::N3_4,
        Fault::Caller,
        reason,
        format!("use `{floor}` or newer"),
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

pub(super) fn version_differs(sent: &str, session: &str) -> Refused {
    let reason = format!(
        "`MCP-Protocol-Version` is {}, the session speaks `{session}`",
        quoted(sent)
    );
    let remedy = "send the version that `initialize` negotiated";
    Refused::new(
        "version_session",
        controls::N3_4,
        Fault::Caller,
        reason,
        remedy,
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

pub(super) fn method_unknown(method: &str) -> Refused {
    let reason = format!("method {} does not exist here", quoted(method));
    let remedy = "use a method of the negotiated revision";
    Refused::new(
        "method_unknown",
        controls::N3_4,
        Fault::Caller,
        reason,
        remedy,
    )
    .rpc(codes::METHOD_NOT_FOUND)
}

pub(super) fn shape_wrong(method: &str) -> Refused {
    let reason = format!("method `{method}` was sent in the wrong shape (request or notification)");
    Refused::new(
        "method_shape",
        controls::N1_1,
        Fault::Caller,
        reason,
        "see the method's definition",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

pub(super) fn params_missing(method: &str) -> Refused {
    let reason = format!("`params` of `{method}` do not say what it is about");
    let remedy = "send the members its definition requires";
    Refused::new("params", controls::N1_2, Fault::Caller, reason, remedy).rpc(codes::INVALID_PARAMS)
}

// ---- identify ------------------------------------------------------------------------------

pub(super) fn token(error: &identity::TokenError, challenge: Option<HeaderValue>) -> Refused {
    let remedy = "get a token for this resource; the challenge names where its metadata lies";
    let refused = Refused::new(
        error.code(),
        controls::M1,
        Fault::Caller,
        error.to_string(),
        remedy,
    );
    refused
        .status(StatusCode::UNAUTHORIZED)
        .rpc(TOKEN)
        .challenge(challenge)
}

pub(super) fn issuer_away(error: &identity::TokenError) -> Refused {
    let remedy = "try again; the identity provider's keys could not be read";
    Refused::new(
        error.code(),
        controls::N2_1,
        Fault::Upstream,
        error.to_string(),
        remedy,
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .rpc(TOKEN)
    .after(Duration::from_secs(5))
}

pub(super) fn bearer(error: &identity::BearerError, challenge: Option<HeaderValue>) -> Refused {
    let remedy = "send exactly one header `Authorization: Bearer <token>`";
    let refused = Refused::new(
        error.code(),
        controls::M2,
        Fault::Caller,
        error.to_string(),
        remedy,
    );
    let status = StatusCode::from_u16(error.http_status()).unwrap_or(StatusCode::UNAUTHORIZED);
    refused.status(status).rpc(TOKEN).challenge(challenge)
}

pub(super) fn scope_missing(scopes: &str, challenge: Option<HeaderValue>) -> Refused {
    let reason = format!("the token lacks a scope this route needs: `{scopes}`");
    let remedy = format!("get a token with the scopes `{scopes}`");
    let refused = Refused::new("token_scope", controls::N2_2, Fault::Caller, reason, remedy);
    refused
        .status(StatusCode::FORBIDDEN)
        .rpc(TOKEN)
        .challenge(challenge)
}

pub(super) fn session_missing() -> Refused {
    Refused::new(
        "session_missing",
        controls::N8_2,
        Fault::Caller,
        "this message needs a session and names none",
        "send `initialize` first, then its `Mcp-Session-Id` on every message",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(SESSION)
}

pub(super) fn session_unknown() -> Refused {
    Refused::new(
        "session_unknown",
        controls::N8_2,
        Fault::Caller,
        "this caller has no such session: it ended, or was never theirs",
        "send `initialize` again without `Mcp-Session-Id`",
    )
    .status(StatusCode::NOT_FOUND)
    .rpc(SESSION)
}

pub(super) fn session_elsewhere() -> Refused {
    Refused::new(
        "session_binding",
        controls::N8_2,
        Fault::Caller,
        "the session was opened on another route or by another client",
        "open a session of your own here with `initialize`",
    )
    .status(StatusCode::NOT_FOUND)
    .rpc(SESSION)
}

pub(super) fn session_again() -> Refused {
    Refused::new(
        "session_again",
        controls::N8_2,
        Fault::Caller,
        "`initialize` was sent inside a session",
        "send it without `Mcp-Session-Id`",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(SESSION)
}

pub(super) fn sessions_full(limit: usize) -> Refused {
    let reason = format!("this user already holds {limit} sessions on this route");
    let remedy = "end one with HTTP DELETE, or wait until one is idle long enough";
    Refused::new(
        "session_limit",
        controls::N8_3,
        Fault::Caller,
        reason,
        remedy,
    )
    .status(StatusCode::TOO_MANY_REQUESTS)
    .rpc(LIMIT)
    .after(Duration::from_secs(60))
}

pub(super) fn gateway_full() -> Refused {
    Refused::new(
        "gateway_full",
        controls::N4_4,
        Fault::Us,
        "this gateway holds as many sessions as it may",
        "try again later",
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .rpc(LIMIT)
    .after(Duration::from_secs(60))
}

// ---- admit ---------------------------------------------------------------------------------

pub(super) fn too_much(exceeded: &watch::Exceeded, control: Control) -> Refused {
    let code = if control == controls::N4_1 {
        "rate_limit"
    } else {
        "concurrency_limit"
    };
    let wait = exceeded
        .retry_after
        .unwrap_or(Duration::from_millis(100))
        .max(Duration::from_millis(1));
    let remedy = format!("wait {} ms, then try again", wait.as_millis().max(1));
    let refused = Refused::new(code, control, Fault::Caller, exceeded.to_string(), remedy);
    let refused = refused.rpc(LIMIT).after(wait);
    // Before anybody is known to be behind an address, HTTP is the language both sides share.
    match exceeded.dimension {
        watch::Dimension::Source => refused.status(StatusCode::TOO_MANY_REQUESTS),
        _ => refused,
    }
}

// ---- resolve -------------------------------------------------------------------------------

pub(super) fn tool_unknown(tool: &str) -> Refused {
    let reason = format!("unknown tool: {}", quoted(tool));
    Refused::new(
        "tool_unknown",
        controls::N2_2,
        Fault::Caller,
        reason,
        "call a tool that `tools/list` names",
    )
    .rpc(codes::INVALID_PARAMS)
}

pub(super) fn definition_waits(tool: &str) -> Refused {
    let reason = format!("the definition of tool {} was never approved", quoted(tool));
    let remedy = "the operator reviews it with `ringwall tools diff` and `ringwall tools approve`";
    Refused::new(
        "definition_unapproved",
        controls::N9_2,
        Fault::Operator,
        reason,
        remedy,
    )
    .rpc(DEFINITION)
}

pub(super) fn definition_changed(tool: &str) -> Refused {
    let reason = format!(
        "the definition of tool {} is not the one that was approved",
        quoted(tool)
    );
    let remedy = "the operator compares them with `ringwall tools diff` and decides";
    Refused::new(
        "definition_changed",
        controls::N9_2,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(DEFINITION)
}

pub(super) fn definition_unusable(tool: &str, why: &str) -> Refused {
    let reason = format!(
        "the definition of tool {} cannot be enforced: {why}",
        quoted(tool)
    );
    let remedy = "the server's operator corrects the definition";
    Refused::new(
        "definition_unusable",
        controls::N1_2,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(DEFINITION)
}

// ---- validate ------------------------------------------------------------------------------

pub(super) fn arguments(problem: String) -> Refused {
    let remedy = "send arguments that fit the tool's inputSchema";
    Refused::new(
        "arguments_schema",
        controls::N1_2,
        Fault::Caller,
        problem,
        remedy,
    )
    .rpc(codes::INVALID_PARAMS)
    .for_the_model()
}

// ---- inspect -------------------------------------------------------------------------------

pub(super) fn hidden_text(rule: &str, place: &str) -> Refused {
    let reason = format!("hidden characters ({rule}) at {}", quoted(place));
    let remedy = "send text that people can see";
    Refused::new("hidden_text", controls::N1_1, Fault::Caller, reason, remedy)
        .rpc(codes::INVALID_PARAMS)
}

// ---- authorize -----------------------------------------------------------------------------

pub(super) fn denied(act: &str, subject: &str, because: Option<&str>) -> Refused {
    let because = because
        .map(|because| format!(": {because}"))
        .unwrap_or_default();
    let reason = format!(
        "policy does not allow this caller to {act} {}{because}",
        quoted(subject)
    );
    let remedy = "ask the operator, who sees why with `ringwall policy explain`";
    Refused::new(
        "policy_denied",
        controls::N2_2,
        Fault::Caller,
        reason,
        remedy,
    )
}

pub(super) fn policy_failed() -> Refused {
    Refused::new(
        "policy_failed",
        controls::N2_2,
        Fault::Operator,
        "a policy could not be evaluated for this call",
        "the operator finds the error in the record of this call",
    )
}

// ---- forward and screen --------------------------------------------------------------------

pub(super) fn upstream(error: &UpstreamError) -> Refused {
    // What only the operator can put right is said where an operator looks first, too.
    if error.fault() == Fault::Operator {
        tracing::warn!(code = error.code(), "{}", error.detail());
    }
    let remedy = "try again later; the operator finds the cause in the record of this call";
    let refused = Refused::new(
        error.code(),
        controls::N4_3,
        error.fault(),
        error.to_string(),
        remedy,
    );
    let refused = refused.rpc(UPSTREAM).detail(error.detail());
    match error.retry_after() {
        Some(wait) => refused.after(wait),
        None => refused,
    }
}

pub(super) fn no_entropy() -> Refused {
    Refused::new(
        "entropy",
        controls::M4,
        Fault::Us,
        "the operating system gave no random bits, so no session can be opened",
        "the operator finds the cause in the gateway's log",
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .rpc(OURSELVES)
}

pub(super) fn answer_malformed(why: &str) -> Refused {
    let reason = format!("the server's answer was withheld: {why}");
    let remedy = "the server's operator corrects it";
    Refused::new(
        "answer_malformed",
        controls::N1_1,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}

pub(super) fn answer_off_schema(why: &str) -> Refused {
    let reason = format!("the server's structuredContent does not fit its outputSchema: {why}");
    let remedy = "the server's operator corrects it";
    Refused::new(
        "answer_schema",
        controls::N1_2,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}

pub(super) fn answer_hidden_text(rule: &str) -> Refused {
    let reason = format!("the server's answer was withheld: it carries hidden characters ({rule})");
    let remedy = "the operator sets `hidden_text: remove` to receive such answers cleaned";
    Refused::new(
        "answer_hidden_text",
        controls::N1_4,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}

pub(super) fn unasked() -> Refused {
    Refused::new(
        "response_unasked",
        controls::N8_2,
        Fault::Caller,
        "this is a response to a question that was not asked in this session",
        "answer each question once, in the session it came in",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

pub(super) fn stream_unknown() -> Refused {
    Refused::new(
        "stream_unknown",
        controls::N8_2,
        Fault::Caller,
        "`Last-Event-ID` names no stream of this session that is still remembered",
        "open a new stream without `Last-Event-ID`",
    )
    .status(StatusCode::NOT_FOUND)
    .rpc(SESSION)
}

pub(super) fn no_stream() -> Refused {
    Refused::new(
        "stream_unsupported",
        controls::N3_4,
        Fault::Upstream,
        "the server behind this route offers no stream of its own",
        "go on without it: answers to calls carry everything",
    )
    .status(StatusCode::METHOD_NOT_ALLOWED)
    .rpc(codes::INVALID_REQUEST)
}

// ---- record --------------------------------------------------------------------------------

pub(super) fn unrecorded() -> Refused {
    Refused::new(
        "ledger_unavailable",
        controls::N5_1,
        Fault::Us,
        "the call cannot be recorded, so it does not happen",
        "the operator finds the cause in the gateway's log",
    )
    .status(StatusCode::SERVICE_UNAVAILABLE)
    .rpc(OURSELVES)
}

pub(super) fn crashed() -> Refused {
    Refused::new(
        "internal",
        controls::Z1,
        Fault::Us,
        "something broke inside the gateway; the call was not answered",
        "tell the operator, who finds the cause in the gateway's log",
    )
    .status(StatusCode::INTERNAL_SERVER_ERROR)
    .rpc(OURSELVES)
}

// ---- listener ------------------------------------------------------------------------------

pub(crate) fn host(host: &str) -> Refused {
    let reason = format!("`Host` {} is not this gateway", quoted(host));
    let remedy =
        "use the address you were given, or have the operator add the name to `listeners[].hosts`";
    Refused::new(
        "host_foreign",
        controls::N1_1,
        Fault::Caller,
        reason,
        remedy,
    )
    .status(StatusCode::FORBIDDEN)
}

pub(crate) fn origin(origin: &str) -> Refused {
    let reason = format!("`Origin` {} may not use this gateway", quoted(origin));
    let remedy = "the operator adds the origin to `listeners[].origins` if the page is trusted";
    Refused::new(
        "origin_foreign",
        controls::N1_1,
        Fault::Caller,
        reason,
        remedy,
    )
    .status(StatusCode::FORBIDDEN)
}

pub(crate) fn no_such_route(path: &str) -> Refused {
    let reason = format!("there is no MCP endpoint at {}", quoted(path));
    let remedy = "use the path of a route";
    Refused::new("route_unknown", controls::Z2, Fault::Caller, reason, remedy)
        .status(StatusCode::NOT_FOUND)
}

pub(crate) fn verb(verb: &str) -> Refused {
    let reason = format!("HTTP method {} does nothing here", quoted(verb));
    let remedy = "use POST, GET or DELETE";
    Refused::new("http_method", controls::N3_4, Fault::Caller, reason, remedy)
        .status(StatusCode::METHOD_NOT_ALLOWED)
}

pub(crate) fn body_too_large(limit: u64) -> Refused {
    let reason = format!("the body is larger than {limit} bytes");
    let remedy = "send less in one message";
    Refused::new("body_size", controls::N4_4, Fault::Caller, reason, remedy)
        .status(StatusCode::PAYLOAD_TOO_LARGE)
        .rpc(codes::INVALID_REQUEST)
}

pub(crate) fn body_too_slow(limit: Duration) -> Refused {
    let reason = format!(
        "the body took longer than {} ms to arrive",
        limit.as_millis()
    );
    let remedy = "send the whole body at once";
    Refused::new("body_time", controls::N4_4, Fault::Caller, reason, remedy)
        .status(StatusCode::REQUEST_TIMEOUT)
        .rpc(codes::INVALID_REQUEST)
}

pub(crate) fn body_broken() -> Refused {
    let reason = "the body ended before it was complete";
    Refused::new(
        "body_broken",
        controls::N1_1,
        Fault::Caller,
        reason,
        "send the whole body",
    )
    .status(StatusCode::BAD_REQUEST)
    .rpc(codes::INVALID_REQUEST)
}

pub(super) fn caller_unusable(error: &policy::PrincipalError) -> Refused {
    let remedy = "the operator of the identity provider shortens what the token says";
    Refused::new(
        "caller_unusable",
        controls::N7_3,
        Fault::Caller,
        error.to_string(),
        remedy,
    )
    .status(StatusCode::FORBIDDEN)
    .rpc(TOKEN)
}

pub(super) fn catalog(error: &crate::definitions::DefinitionsError) -> Refused {
    let reason = format!("the server's tools cannot be read: {error}");
    let remedy = "try again later; the operator finds the cause in the record of this call";
    Refused::new(
        "catalog_unavailable",
        controls::N9_2,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}

pub(super) fn server_below_floor(version: &str, floor: &str) -> Refused {
    let reason =
        format!("the server speaks only revision `{version}`, older than this route allows");
    let remedy =
        format!("the operator updates the server, or lowers `protocol.minimum` from `{floor}`");
    Refused::new(
        "server_version_floor",
        controls::N3_4,
        Fault::Upstream,
        reason,
        remedy,
    )
    .rpc(UPSTREAM)
}
