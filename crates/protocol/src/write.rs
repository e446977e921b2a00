//! Writing messages of our own. What is given as JSON is put in as it is: the caller answers for
//! its being JSON, by having read it or written it.

use crate::edit::write_string;
use crate::message::Id;
use bytes::Bytes;

const OPEN: &[u8] = br#"{"jsonrpc":"2.0""#;

/// The answer to a request.
pub fn result(id: &Id, result: &[u8]) -> Bytes {
    let mut out = begin(id.raw().len() + result.len() + 24);
    member("id", id.raw(), &mut out);
    member("result", result, &mut out);
    end(out)
}

/// The refusal of a request; without an id if the request had none that could be read.
pub fn error(id: Option<&Id>, code: i64, message: &str, data: Option<&[u8]>) -> Bytes {
    let room = message.len() + data.map_or(0, <[u8]>::len) + 96;
    let mut out = begin(room);
    if let Some(id) = id {
        member("id", id.raw(), &mut out);
    }
    out.extend_from_slice(br#","error":{"code":"#);
    out.extend_from_slice(code.to_string().as_bytes());
    out.extend_from_slice(br#","message":"#);
    write_string(message, &mut out);
    if let Some(data) = data {
        member("data", data, &mut out);
    }
    out.push(b'}');
    end(out)
}

/// A request; `params` is an object.
pub fn request(id: &Id, method: &str, params: Option<&[u8]>) -> Bytes {
    let room = method.len() + id.raw().len() + params.map_or(0, <[u8]>::len) + 48;
    let mut out = begin(room);
    member("id", id.raw(), &mut out);
    call(method, params, &mut out);
    end(out)
}

/// A notification; `params` is an object.
pub fn notification(method: &str, params: Option<&[u8]>) -> Bytes {
    let mut out = begin(method.len() + params.map_or(0, <[u8]>::len) + 40);
    call(method, params, &mut out);
    end(out)
}

/// An array of values that are JSON already, such as the tools a caller may see.
pub fn array<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Bytes {
    let mut out = vec![b'['];
    for value in values {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(value);
    }
    out.push(b']');
    out.into()
}

/// A string as JSON.
pub fn string(text: &str) -> Bytes {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    out.into()
}

fn begin(room: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(OPEN.len() + room);
    out.extend_from_slice(OPEN);
    out
}

fn call(method: &str, params: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","method":"#);
    write_string(method, out);
    if let Some(params) = params {
        member("params", params, out);
    }
}

fn member(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    out.extend_from_slice(value);
}

fn end(mut out: Vec<u8>) -> Bytes {
    out.push(b'}');
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Limits, Message, Shape};

    fn check(written: Bytes, shape: Shape, expected: &str) {
        assert_eq!(written, expected.as_bytes());
        let document = Document::read(written, &Limits::default()).unwrap();
        assert_eq!(Message::read(document).unwrap().shape(), shape);
    }

    #[test]
    fn writes_messages_that_read_back() {
        check(
            result(&Id::from(7), b"{}"),
            Shape::Response,
            r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
        );
        check(
            error(
                Some(&Id::from("a\"b")),
                -32602,
                "line\nbreak `x`",
                Some(b"{\"a\":1}"),
            ),
            Shape::Response,
            r#"{"jsonrpc":"2.0","id":"a\"b","error":{"code":-32602,"message":"line\nbreak `x`","data":{"a":1}}}"#,
        );
        check(
            error(None, -32700, "no", None),
            Shape::Response,
            r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}"#,
        );
        check(
            request(&Id::from(1), "tools/list", Some(b"{\"cursor\":\"x\"}")),
            Shape::Request,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}"#,
        );
        check(
            request(&Id::from("x"), "ping", None),
            Shape::Request,
            r#"{"jsonrpc":"2.0","id":"x","method":"ping"}"#,
        );
        check(
            notification("notifications/initialized", None),
            Shape::Notification,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        );
    }

    #[test]
    fn writes_arrays_and_strings() {
        let none: [&[u8]; 0] = [];
        assert_eq!(array(none), &b"[]"[..]);
        assert_eq!(array([&b"1"[..], b"{}"]), &b"[1,{}]"[..]);
        assert_eq!(string("a\"\u{1}"), &b"\"a\\\"\\u0001\""[..]);
    }
}
