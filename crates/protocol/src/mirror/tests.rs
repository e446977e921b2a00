//! Headers of requests against their bodies: what is expected, what agrees, what is refused.

use super::*;
use crate::{Document, Limits};

fn read(text: &str) -> Document {
    Document::read(text.to_owned().into(), &Limits::default()).unwrap()
}

/// Headers as pairs; one that is named twice was sent twice.
pub(super) fn of<'h>(headers: &'h [(&'h str, &'h str)]) -> impl Fn(&str) -> Sent<'h> {
    |name| {
        let mut found = headers
            .iter()
            .filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (None, _) => Sent::Absent,
            (Some((_, value)), None) => Sent::Once(value.as_bytes()),
            _ => Sent::Repeated,
        }
    }
}

#[test]
fn h6_a_request_needs_the_headers_of_its_method() {
    let params = r#"{"name":"n","uri":"file:///ü","taskId":"t"}"#;
    let cases = [
        ("tools/call", Some("n"), Some("n")),
        ("prompts/get", Some("n"), Some("n")),
        (
            "resources/read",
            Some("file:///ü"),
            Some("=?base64?ZmlsZTovLy/DvA==?="),
        ),
        ("tasks/get", Some("t"), Some("t")),
        ("tasks/update", Some("t"), Some("t")),
        ("tasks/cancel", Some("t"), Some("t")),
        ("tools/list", None, None),
        ("completion/complete", None, None),
        ("resources/subscribe", None, None),
        ("nobody/knows", None, None),
    ];
    for (method, name, header) in cases {
        let document = read(params);
        let expected = expected(method, Some(document.root()));
        assert_eq!(expected.method, method);
        assert_eq!(expected.name.as_deref(), name, "{method}");
        let mut headers = vec![(METHOD, method.to_owned())];
        headers.extend(header.map(|header| (NAME, header.to_owned())));
        assert_eq!(expected.headers(), Ok(headers.clone()), "{method}");
        // What is sent up is what would be taken down.
        let pairs: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        assert_eq!(
            expected.check(Required::Yes, of(&pairs)),
            Ok(()),
            "{method}"
        );
    }
}

#[test]
fn h6_what_cannot_be_a_header_is_not_sent() {
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(VALUE_MAX + 1));
    let document = read(&long);
    let too_long = expected("tools/call", Some(document.root()));
    assert_eq!(too_long.headers(), Err(MirrorError::Long));
    assert_eq!(
        expected("a\nb", None).headers(),
        Err(MirrorError::Character)
    );
    let nameless = expected("tools/call", None);
    assert_eq!(
        nameless.headers(),
        Ok(vec![(METHOD, "tools/call".to_owned())])
    );
}

#[test]
fn h7_headers_and_body_agree_or_the_request_is_refused() {
    use Why::*;
    type Case<'c> = (&'c [(&'c str, &'c str)], Option<(Mirrored, Why)>);
    let call = (METHOD, "tools/call");
    let method = |why| Some((Mirrored::Method, why));
    let name = |why| Some((Mirrored::Name, why));
    let cases: [Case<'_>; 17] = [
        (&[call, (NAME, "Get x")], None),
        (&[("mcp-METHOD", "tools/call"), ("mcp-name", "Get x")], None),
        (&[(METHOD, "\ttools/call "), (NAME, "  Get x\t")], None),
        (&[call, (NAME, "=?base64?R2V0IHg=?=")], None),
        (&[call, ("Mcp-Other", "1"), (NAME, "Get x")], None),
        (&[], method(Missing)),
        (&[(NAME, "Get x")], method(Missing)),
        (&[(METHOD, "Tools/Call"), (NAME, "Get x")], method(Differs)),
        (
            &[(METHOD, "=?base64?dG9vbHMvY2FsbA==?="), (NAME, "Get x")],
            method(Differs),
        ),
        (&[(METHOD, "tools/çall"), (NAME, "Get x")], method(Encoding)),
        (&[call, call, (NAME, "Get x")], method(Repeated)),
        (&[call], name(Missing)),
        (&[call, (NAME, "")], name(Differs)),
        (&[call, (NAME, "get x")], name(Differs)),
        (&[call, (NAME, "=?base64?R2V0IHg?=")], name(Encoding)),
        (&[call, (NAME, "Get x"), (NAME, "Get x")], name(Repeated)),
        (&[call, (NAME, "=?base64?R2V0IHk=?=")], name(Differs)),
    ];
    let document = read(r#"{"name":"Get x"}"#);
    let expected = expected("tools/call", Some(document.root()));
    for (headers, refusal) in cases {
        let checked = expected.check(Required::Yes, of(headers)).err();
        let found = checked.as_ref().map(|m| (m.header().clone(), m.why()));
        assert_eq!(found, refusal, "{headers:?}");
        if let Some(mismatch) = checked {
            let said = mismatch.to_string();
            assert!(said.starts_with("`Mcp-") && !said.contains("Get"), "{said}");
        }
    }
}

#[test]
fn h7_an_address_is_compared_byte_by_byte() {
    let document = read(r#"{"uri":"file:///a%2Fb"}"#);
    let expected = expected("resources/read", Some(document.root()));
    let cases = [
        ("file:///a%2Fb", true),
        ("file:///a%2fb", false),
        ("FILE:///a%2Fb", false),
        ("file:///a/b", false),
        ("file:///x/../a%2Fb", false),
    ];
    for (uri, agrees) in cases {
        let headers = [(METHOD, "resources/read"), (NAME, uri)];
        let checked = expected.check(Required::Yes, of(&headers));
        assert_eq!(checked.is_ok(), agrees, "{uri}");
    }
}

#[test]
fn h7_a_name_that_only_the_header_has_is_refused() {
    for params in [r#"{}"#, r#"{"name":7}"#, r#"{"uri":"x"}"#] {
        let document = read(params);
        let expected = expected("tools/call", Some(document.root()));
        let headers = [(METHOD, "tools/call"), (NAME, "x")];
        let refused = expected.check(Required::Yes, of(&headers)).unwrap_err();
        assert_eq!(
            (refused.header(), refused.why()),
            (&Mirrored::Name, Why::Unexpected)
        );
        // Without it, the params themselves are what is wrong, and others say so.
        let headers = [(METHOD, "tools/call")];
        assert_eq!(expected.check(Required::Yes, of(&headers)), Ok(()));
    }
    // Where no name belongs, none is looked at.
    let headers = [(METHOD, "tools/list"), (NAME, "x"), (NAME, "y")];
    assert_eq!(
        expected("tools/list", None).check(Required::Yes, of(&headers)),
        Ok(())
    );
}

#[test]
fn h6_a_notification_may_come_without_headers_but_not_with_lies() {
    let expected = expected("notifications/cancelled", None);
    assert_eq!(expected.check(Required::IfSent, of(&[])), Ok(()));
    let check = |headers: &[(&str, &str)]| expected.check(Required::IfSent, of(headers));
    assert_eq!(check(&[(METHOD, "notifications/cancelled")]), Ok(()));
    let lies = [(METHOD, "tools/call")];
    assert_eq!(check(&lies).unwrap_err().why(), Why::Differs);
    let twice = [(METHOD, "notifications/cancelled"); 2];
    assert_eq!(check(&twice).unwrap_err().why(), Why::Repeated);
}

#[test]
fn h6_the_version_header_names_the_version_of_the_body() {
    let cases = [
        (Sent::Once(b"2026-07-28"), None),
        (Sent::Once(b" 2026-07-28\t"), None),
        (Sent::Absent, Some(Why::Missing)),
        (Sent::Repeated, Some(Why::Repeated)),
        (Sent::Once(b""), Some(Why::Differs)),
        (Sent::Once(b"2025-11-25"), Some(Why::Differs)),
        (
            Sent::Once(b"=?base64?MjAyNi0wNy0yOA==?="),
            Some(Why::Differs),
        ),
        (Sent::Once(b"2026-07-28, 2026-07-28"), Some(Why::Differs)),
        (Sent::Once(b"2026\xff07-28"), Some(Why::Encoding)),
    ];
    for (sent, expected) in cases {
        let checked = check_version("2026-07-28", sent).err();
        if let Some(mismatch) = &checked {
            assert_eq!(mismatch.header(), &Mirrored::Version);
            assert!(mismatch.to_string().starts_with("`MCP-Protocol-Version` "));
        }
        assert_eq!(checked.map(|mismatch| mismatch.why()), expected, "{sent:?}");
    }
}
