//! The error codes of JSON-RPC and of MCP, by name. They are numbers only; which one answers what
//! is decided by the revision's [`crate::Rules`] and by the gateway.

/// The text is not JSON, or not JSON that every parser reads alike.
pub const PARSE_ERROR: i64 = -32700;
/// The JSON is no JSON-RPC message.
pub const INVALID_REQUEST: i64 = -32600;
/// The method does not exist, or not for this sender.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The params do not fit the method.
pub const INVALID_PARAMS: i64 = -32602;
/// The receiver failed.
pub const INTERNAL_ERROR: i64 = -32603;

/// Up to 2025-11-25: no such resource. Later revisions use [`INVALID_PARAMS`].
pub const RESOURCE_NOT_FOUND: i64 = -32002;
/// 2025-11-25 only: the user must open a page first.
pub const URL_ELICITATION_REQUIRED: i64 = -32042;

/// From 2026-07-28: a header and the body disagree.
pub const HEADER_MISMATCH: i64 = -32020;
/// From 2026-07-28: the client did not declare a capability the method needs.
pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
/// From 2026-07-28: the version is not served.
pub const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;

/// Whether JSON-RPC keeps this code for itself and for specifications built on it. A code of our
/// own must lie outside.
pub fn is_reserved(code: i64) -> bool {
    (-32768..=-32000).contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_reserved_range() {
        let cases = [
            (PARSE_ERROR, true),
            (-32768, true),
            (-32000, true),
            (-31999, false),
            (-32769, false),
            (0, false),
        ];
        for (code, expected) in cases {
            assert_eq!(is_reserved(code), expected, "{code}");
        }
    }
}
