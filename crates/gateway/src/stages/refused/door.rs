//! Refusals of the listener, before there is a message.

use super::*;

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
