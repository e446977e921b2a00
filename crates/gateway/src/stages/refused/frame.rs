//! Refusals of a message that cannot be read in one way only.

use super::*;

pub(in crate::stages) fn header_twice(name: &HeaderName) -> Refused {
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

pub(in crate::stages) fn header_text(name: &HeaderName) -> Refused {
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

pub(in crate::stages) fn malformed(flaw: &protocol::Flaw) -> Refused {
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

pub(in crate::stages) fn not_json() -> Refused {
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

pub(in crate::stages) fn not_acceptable(media: &'static str) -> Refused {
    let reason = format!("the answer may be `{media}`, which the caller does not accept");
    let remedy = "send `Accept: application/json, text/event-stream`";
    Refused::new("accept", controls::N3_4, Fault::Caller, reason, remedy)
        .status(StatusCode::NOT_ACCEPTABLE)
        .rpc(codes::INVALID_REQUEST)
}

pub(in crate::stages) fn version_unknown(version: &str, spoken: &[&'static str]) -> Refused {
    let reason = format!(
        "`MCP-Protocol-Version` {} is not served here",
        quoted(version)
    );
    let remedy = format!("use one of {}", spoken.join(", "));
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

pub(in crate::stages) fn version_below_floor(version: &str, floor: &str) -> Refused {
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

pub(in crate::stages) fn version_differs(sent: &str, session: &str) -> Refused {
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

pub(in crate::stages) fn method_unknown(method: &str) -> Refused {
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

pub(in crate::stages) fn shape_wrong(method: &str) -> Refused {
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

pub(in crate::stages) fn params_missing(method: &str) -> Refused {
    let reason = format!("`params` of `{method}` do not say what it is about");
    let remedy = "send the members its definition requires";
    Refused::new("params", controls::N1_2, Fault::Caller, reason, remedy).rpc(codes::INVALID_PARAMS)
}
