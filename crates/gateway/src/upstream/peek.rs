//! What the gateway itself must know of a message: an id, a version, whether it is a ping. The
//! stages read every message again; nothing is decided here that they decide.

use super::UpstreamError;
use bytes::Bytes;
use protocol::{Document, Flaw, Id, Limits, Message, Revision, Shape, Value, write};

/// Reads one message of a server, at most `max` bytes long.
pub(super) fn message(bytes: Bytes, max: usize) -> Result<Message, UpstreamError> {
    let limits = Limits {
        bytes: max,
        ..Limits::default()
    };
    let malformed = |flaw: Flaw| UpstreamError::Malformed {
        reason: flaw.kind.code().to_owned(),
    };
    let document = Document::read(bytes, &limits).map_err(malformed)?;
    Message::read(document).map_err(malformed)
}

/// Reads one message of our own side, which the stages have bounded already.
pub(crate) fn own(bytes: Bytes) -> Result<Message, UpstreamError> {
    let limits = Limits {
        bytes: bytes.len(),
        depth: 1024,
        members: bytes.len(),
        nodes: bytes.len(),
    };
    let unusable = |flaw: Flaw| UpstreamError::Message {
        reason: flaw.to_string(),
    };
    let document = Document::read(bytes, &limits).map_err(unusable)?;
    Message::read(document).map_err(unusable)
}

/// The id of a request of our own side.
pub(super) fn request_id(bytes: &Bytes) -> Result<Id, UpstreamError> {
    let message = own(bytes.clone())?;
    match (message.shape(), message.id()) {
        (Shape::Request, Some(id)) => Ok(id),
        _ => Err(UpstreamError::Message {
            reason: "it is no request".to_owned(),
        }),
    }
}

/// Whether this is a response to the request `id`, result or error.
pub(super) fn answers(bytes: &Bytes, id: &Id, max: usize) -> bool {
    message(bytes.clone(), max).is_ok_and(|message| {
        message.shape() == Shape::Response && message.id().as_ref() == Some(id)
    })
}

/// The longest message that is looked at in search of a ping.
const PING_BYTES_MAX: usize = 1024;

/// The answer to a ping, if the message is one (rule L7).
pub(super) fn pong(bytes: &Bytes) -> Option<Bytes> {
    if bytes.len() > PING_BYTES_MAX || !contains(bytes, b"\"ping\"") {
        return None;
    }
    let message = message(bytes.clone(), PING_BYTES_MAX).ok()?;
    if message.shape() != Shape::Request || message.method() != "ping" {
        return None;
    }
    Some(write::result(&message.id()?, b"{}"))
}

/// Why a request is not waited for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwanted {
    /// It took too long.
    Late,
    /// Whoever asked has gone, or is too slow to listen.
    Abandoned,
}

/// The notification that a request is not waited for any more.
pub(super) fn cancelled(id: &Id, why: Unwanted) -> Bytes {
    let reason: &[u8] = match why {
        Unwanted::Late => b",\"reason\":\"no answer in time\"}",
        Unwanted::Abandoned => b",\"reason\":\"nobody waits for it\"}",
    };
    let params = [b"{\"requestId\":", id.raw(), reason].concat();
    write::notification("notifications/cancelled", Some(&params))
}

/// The code of an error that names no request, as a server sends it that could not or would not
/// read one.
pub(super) fn unaddressed_error(message: &Message) -> Option<i64> {
    if message.id().is_some() {
        return None;
    }
    message.error()?.get("code")?.integer()
}

/// The same error, as the answer to the request `id`.
pub(super) fn addressed(message: &Message, id: &Id) -> Option<Bytes> {
    let error = message.error()?;
    let code = error.get("code")?.integer()?;
    let text = error.get("message")?.text()?;
    let data = error.get("data").map(Value::raw);
    Some(write::error(Some(id), code, &text, data))
}

/// The notification that ends a handshake.
pub(super) fn initialized() -> Bytes {
    write::notification("notifications/initialized", None)
}

/// The protocol version that a server chose in its answer to `initialize` (rule L2).
pub(super) fn chosen_revision(answer: &Message) -> Result<String, UpstreamError> {
    if let Some(error) = answer.error() {
        return Err(UpstreamError::Declined {
            code: error.get("code").and_then(Value::integer).unwrap_or(0),
        });
    }
    let found = answer
        .result()
        .and_then(|result| result.get("protocolVersion"))
        .and_then(Value::text);
    let Some(found) = found else {
        return Err(UpstreamError::Malformed {
            reason: "no protocol version in the answer to `initialize`".to_owned(),
        });
    };
    match Revision::named(&found) {
        Some(revision) if revision.rules().handshake => Ok(found.into_owned()),
        _ => Err(UpstreamError::Revision {
            found: found.chars().take(32).collect(),
        }),
    }
}

/// Whether a 400 says that the session is unknown. The rule says 404, yet widely used servers say
/// this: an error that answers no request, with the word session in it. The request was refused
/// before it was read, so it was not executed.
pub(super) fn forgets(body: &Bytes) -> bool {
    let Ok(document) = Document::read(body.clone(), &Limits::default()) else {
        return false;
    };
    let root = document.root();
    let unread = root.get("id").is_none_or(Value::is_null);
    let words = root.at("/error/message").and_then(Value::text);
    unread && words.is_some_and(|words| words.to_ascii_lowercase().contains("session"))
}

/// Whether `bytes` hold `part`. For short texts.
pub(super) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l7_answers_a_ping_and_nothing_else() {
        for (text, expected) in [
            (
                r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#,
                Some(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#),
            ),
            (
                r#"{"jsonrpc":"2.0", "method":"ping", "id":7, "params":{}}"#,
                Some(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#),
            ),
            (r#"{"jsonrpc":"2.0","method":"ping"}"#, None),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"roots/list","params":{"x":"ping"}}"#,
                None,
            ),
            (r#"{"jsonrpc":"2.0","id":1,"result":{"ping":"ping"}}"#, None),
        ] {
            let pong = pong(&Bytes::from_static(text.as_bytes()));
            assert_eq!(pong.as_deref(), expected.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn knows_the_answer_to_a_request() {
        let id = Id::from("a/b");
        for (text, expected) in [
            (r#"{"jsonrpc":"2.0","id":"a/b","result":{}}"#, true),
            (r#"{"jsonrpc":"2.0","id":"a\/b","result":{}}"#, true),
            (
                r#"{"jsonrpc":"2.0","id":"a/b","error":{"code":1,"message":"x"}}"#,
                true,
            ),
            (r#"{"jsonrpc":"2.0","id":"a/b","method":"ping"}"#, false),
            (r#"{"jsonrpc":"2.0","id":"a","result":{}}"#, false),
            (
                r#"{"jsonrpc":"2.0","id":"a/b","result":{},"id":"a/b"}"#,
                false,
            ),
            ("", false),
        ] {
            let bytes = Bytes::from_static(text.as_bytes());
            assert_eq!(answers(&bytes, &id, 1000), expected, "{text}");
        }
    }

    #[test]
    fn l2_takes_only_a_version_with_a_handshake() {
        for (result, expected) in [
            (r#"{"protocolVersion":"2025-11-25"}"#, true),
            (r#"{"protocolVersion":"2025-06-18"}"#, true),
            (r#"{"protocolVersion":"2026-07-28"}"#, false),
            (r#"{"protocolVersion":"1.0"}"#, false),
            (r#"{}"#, false),
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
            let answer = own(text.into()).unwrap();
            assert_eq!(chosen_revision(&answer).is_ok(), expected, "{result}");
        }
    }
}
