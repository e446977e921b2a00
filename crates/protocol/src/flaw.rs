//! What can be wrong with the text of a message, and at which byte.
//!
//! A flaw quotes nothing of the message: its text is safe to show to the sender and to log.

use crate::codes;

/// What is wrong and where. The reader stops at the first flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {offset}: {}", .kind.what(), .kind.remedy())]
pub struct Flaw {
    /// What is wrong.
    pub kind: FlawKind,
    /// The byte of the message at which it was noticed, counted from 0.
    pub offset: usize,
}

impl Flaw {
    pub(crate) fn at(kind: FlawKind, offset: usize) -> Self {
        Flaw { kind, offset }
    }

    /// Same as [`FlawKind::code`].
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The same flaw, seen from a text in which this one begins at `start`.
    pub(crate) fn shifted(self, start: usize) -> Self {
        Flaw {
            kind: self.kind,
            offset: self.offset.saturating_add(start),
        }
    }
}

/// The kinds of flaws, the JSON ones first, then those of the JSON-RPC envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlawKind {
    /// There is no value at all.
    Empty,
    /// The text opens with a byte order mark.
    ByteOrderMark,
    /// A byte that JSON does not allow in this place.
    Unexpected,
    /// The text ends inside a value.
    Unterminated,
    /// Something follows the value.
    Trailing,
    /// A control character stands unescaped in a string.
    ControlCharacter,
    /// An escape that JSON does not know.
    Escape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// Bytes that are not UTF-8.
    Utf8,
    /// A number JSON does not allow, such as `01` or `1.`.
    Number,
    /// A number that parsers read differently.
    NumberRange,
    /// A number with more digits than anybody needs.
    NumberLength,
    /// One object names a member twice.
    DuplicateMember,
    /// Nested deeper than the limit.
    TooDeep,
    /// More bytes than the limit.
    TooLong,
    /// One object has more members than the limit.
    TooManyMembers,
    /// More values in all than the limit.
    TooManyValues,

    /// A message must be an object.
    NotAnObject,
    /// An array of messages where the revision has none.
    Batch,
    /// An array of messages with nothing in it.
    EmptyBatch,
    /// `initialize` inside an array of messages.
    InitializeInBatch,
    /// `jsonrpc` is not `"2.0"`.
    Version,
    /// A member whose name some parsers take for another one's.
    Variant,
    /// An id that is neither a string nor an integer.
    Id,
    /// An id longer than the limit.
    IdLength,
    /// Two requests of one batch carry the same id.
    RepeatedId,
    /// A method that is not a short string.
    Method,
    /// Params that are not an object.
    Params,
    /// Not exactly one of request, notification, result and error.
    Shape,
    /// A result that is not an object.
    Result,
    /// An error without an integer code and a text.
    Error,
}

impl FlawKind {
    /// Every kind, for tables and tests.
    pub const ALL: &'static [FlawKind] = &[
        FlawKind::Empty,
        FlawKind::ByteOrderMark,
        FlawKind::Unexpected,
        FlawKind::Unterminated,
        FlawKind::Trailing,
        FlawKind::ControlCharacter,
        FlawKind::Escape,
        FlawKind::LoneSurrogate,
        FlawKind::Utf8,
        FlawKind::Number,
        FlawKind::NumberRange,
        FlawKind::NumberLength,
        FlawKind::DuplicateMember,
        FlawKind::TooDeep,
        FlawKind::TooLong,
        FlawKind::TooManyMembers,
        FlawKind::TooManyValues,
        FlawKind::NotAnObject,
        FlawKind::Batch,
        FlawKind::EmptyBatch,
        FlawKind::InitializeInBatch,
        FlawKind::Version,
        FlawKind::Variant,
        FlawKind::Id,
        FlawKind::IdLength,
        FlawKind::RepeatedId,
        FlawKind::Method,
        FlawKind::Params,
        FlawKind::Shape,
        FlawKind::Result,
        FlawKind::Error,
    ];

    /// A name that never changes, for refusals, records and statistics.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// What is wrong, in a few words.
    pub fn what(self) -> &'static str {
        self.row().1
    }

    /// What the sender can do about it.
    pub fn remedy(self) -> &'static str {
        self.row().2
    }

    /// The JSON-RPC error code that answers this flaw: parse error for text that is no strict JSON,
    /// invalid params for params, invalid request for the rest of the envelope.
    pub fn rpc_code(self) -> i64 {
        match self {
            FlawKind::Params => codes::INVALID_PARAMS,
            FlawKind::NotAnObject
            | FlawKind::Batch
            | FlawKind::EmptyBatch
            | FlawKind::InitializeInBatch
            | FlawKind::Version
            | FlawKind::Variant
            | FlawKind::Id
            | FlawKind::IdLength
            | FlawKind::RepeatedId
            | FlawKind::Method
            | FlawKind::Shape
            | FlawKind::Result
            | FlawKind::Error => codes::INVALID_REQUEST,
            _ => codes::PARSE_ERROR,
        }
    }

    /// Whether a limit was exceeded, rather than a rule broken.
    pub fn is_limit(self) -> bool {
        matches!(
            self,
            FlawKind::TooDeep
                | FlawKind::TooLong
                | FlawKind::TooManyMembers
                | FlawKind::TooManyValues
                | FlawKind::NumberLength
                | FlawKind::IdLength
        )
    }

    fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            FlawKind::Empty
            | FlawKind::ByteOrderMark
            | FlawKind::Unexpected
            | FlawKind::Unterminated
            | FlawKind::Trailing
            | FlawKind::ControlCharacter
            | FlawKind::Escape
            | FlawKind::LoneSurrogate
            | FlawKind::Utf8
            | FlawKind::Number
            | FlawKind::NumberRange
            | FlawKind::NumberLength => self.text_row(),
            FlawKind::DuplicateMember
            | FlawKind::TooDeep
            | FlawKind::TooLong
            | FlawKind::TooManyMembers
            | FlawKind::TooManyValues => self.size_row(),
            _ => self.envelope_row(),
        }
    }

    fn text_row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            FlawKind::Empty => ("json_empty", "no JSON value", "send one JSON-RPC message"),
            FlawKind::ByteOrderMark => (
                "json_byte_order_mark",
                "byte order mark",
                "send UTF-8 without a mark",
            ),
            FlawKind::Unterminated => (
                "json_unterminated",
                "the text ends too early",
                "close every string, array and object",
            ),
            FlawKind::Trailing => (
                "json_trailing",
                "text after the value",
                "send exactly one value",
            ),
            FlawKind::ControlCharacter => (
                "json_control_character",
                "control character in a string",
                "escape it as \\u00XX",
            ),
            FlawKind::Escape => (
                "json_escape",
                "unknown escape",
                "use only the escapes of RFC 8259",
            ),
            FlawKind::LoneSurrogate => (
                "json_lone_surrogate",
                "half of a surrogate pair",
                "write the character in UTF-8, or both halves",
            ),
            FlawKind::Utf8 => ("json_utf8", "invalid UTF-8", "encode the text as UTF-8"),
            FlawKind::Number => (
                "json_number",
                "malformed number",
                "write it as in RFC 8259, without leading zeros or plus",
            ),
            FlawKind::NumberRange => (
                "json_number_range",
                "number that parsers read differently",
                "keep integers within ±(2^53-1) and fractions within a double, or send it as a string",
            ),
            FlawKind::NumberLength => (
                "json_number_length",
                "number with too many digits",
                "round it, or send it as a string",
            ),
            _ => (
                "json_unexpected",
                "byte that JSON does not allow here",
                "send JSON as in RFC 8259",
            ),
        }
    }

    fn size_row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            FlawKind::DuplicateMember => (
                "json_duplicate_member",
                "member named twice in one object",
                "name every member once",
            ),
            FlawKind::TooDeep => (
                "json_too_deep",
                "nested deeper than the limit",
                "send flatter data",
            ),
            FlawKind::TooLong => (
                "json_too_long",
                "longer than the limit",
                "send less at once",
            ),
            FlawKind::TooManyMembers => (
                "json_too_many_members",
                "more members in one object than the limit",
                "send fewer members, or an array",
            ),
            _ => (
                "json_too_many_values",
                "more values than the limit",
                "send less at once",
            ),
        }
    }

    fn envelope_row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            FlawKind::NotAnObject => (
                "rpc_not_an_object",
                "message that is no object",
                "send one JSON-RPC object",
            ),
            FlawKind::Batch => (
                "rpc_batch",
                "batch of messages",
                "send each message alone: this protocol version has no batches",
            ),
            FlawKind::EmptyBatch => (
                "rpc_empty_batch",
                "empty batch",
                "send at least one message",
            ),
            FlawKind::InitializeInBatch => (
                "rpc_initialize_in_batch",
                "`initialize` inside a batch",
                "send `initialize` alone",
            ),
            FlawKind::Version => (
                "rpc_version",
                "`jsonrpc` is not \"2.0\"",
                "add \"jsonrpc\": \"2.0\"",
            ),
            FlawKind::Variant => (
                "rpc_member_variant",
                "member whose name can be taken for another",
                "spell the member exactly as the specification does",
            ),
            FlawKind::Id => (
                "rpc_id",
                "`id` is neither a string nor an integer",
                "use a string or an integer such as 1",
            ),
            FlawKind::IdLength => ("rpc_id_length", "`id` too long", "use a shorter id"),
            FlawKind::RepeatedId => (
                "rpc_repeated_id",
                "two requests with one id",
                "give each request its own id",
            ),
            FlawKind::Method => (
                "rpc_method",
                "`method` is not a method name",
                "use a method of the specification",
            ),
            FlawKind::Params => (
                "rpc_params",
                "`params` is not an object",
                "send params as an object, or leave them out",
            ),
            FlawKind::Result => (
                "rpc_result",
                "`result` is not an object",
                "answer with an object",
            ),
            FlawKind::Error => (
                "rpc_error",
                "`error` lacks an integer `code` or a `message`",
                "answer with a code and a message",
            ),
            _ => (
                "rpc_shape",
                "neither request, notification nor response",
                "send a `method`, or an `id` with either `result` or `error`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_its_own_code_and_text() {
        let codes: HashSet<_> = FlawKind::ALL.iter().map(|kind| kind.code()).collect();
        let texts: HashSet<_> = FlawKind::ALL.iter().map(|kind| kind.what()).collect();
        assert_eq!(codes.len(), FlawKind::ALL.len());
        assert_eq!(texts.len(), FlawKind::ALL.len());
    }

    #[test]
    fn says_what_is_wrong_where_and_how_to_fix_it() {
        let flaw = Flaw::at(FlawKind::DuplicateMember, 17);
        assert_eq!(
            flaw.to_string(),
            "member named twice in one object at byte 17: name every member once"
        );
    }

    #[test]
    fn answers_with_the_code_json_rpc_gives() {
        assert_eq!(FlawKind::Utf8.rpc_code(), -32700);
        assert_eq!(FlawKind::Batch.rpc_code(), -32600);
        assert_eq!(FlawKind::Params.rpc_code(), -32602);
    }
}
