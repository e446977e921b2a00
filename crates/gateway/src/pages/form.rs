//! A form that a browser sent, read whole within bounds.

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use std::time::Duration;
use zeroize::Zeroizing;

/// The fields of a form. Their values may be secret.
pub(crate) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// The largest form that is read, in bytes.
    pub(crate) const BYTES: usize = 16 * 1024;
    /// The most fields it may have.
    pub(crate) const FIELDS: usize = 32;
    /// How long it may take to arrive.
    pub(crate) const TIME: Duration = Duration::from_secs(10);

    /// Reads it; `None` if it is no form, too long, too slow, or has a field too many.
    pub(crate) async fn read(headers: &HeaderMap, body: Incoming) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let kind = kind.split(';').next()?.trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return None;
        }
        let whole = Limited::new(body, Self::BYTES).collect();
        let whole = tokio::time::timeout(Self::TIME, whole).await.ok()?;
        let bytes: Bytes = whole.ok()?.to_bytes();
        Self::of(&bytes)
    }

    /// The fields of what was sent.
    fn of(bytes: &[u8]) -> Option<Self> {
        let pairs = url::form_urlencoded::parse(bytes);
        let pairs =
            pairs.map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())));
        let fields: Vec<_> = pairs.take(Self::FIELDS + 1).collect();
        (fields.len() <= Self::FIELDS).then_some(Form(fields))
    }

    /// The value of this field, if it was sent once.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value.as_str())
    }

    /// Whether this field was sent and is exactly this, in a time that does not depend on where they
    /// differ.
    pub(crate) fn repeats(&self, name: &str, secret: &str) -> bool {
        let sent = self.field(name).unwrap_or_default();
        let (sent, secret) = (sent.as_bytes(), secret.as_bytes());
        !secret.is_empty()
            && aws_lc_rs::constant_time::verify_slices_are_equal(sent, secret).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_counts_only_if_it_was_sent_once() {
        for (sent, expected) in [
            ("a=1&b=2", Some("1")),
            ("a=1&a=1", None),
            ("b=2", None),
            ("a=", Some("")),
            ("a=%3Cb%3E+c", Some("<b> c")),
        ] {
            let form = Form::of(sent.as_bytes()).unwrap();
            assert_eq!(form.field("a"), expected, "{sent}");
        }
        let many = "a=1&".repeat(Form::FIELDS + 1);
        assert!(Form::of(many.as_bytes()).is_none());
    }

    #[test]
    fn a_secret_that_is_empty_is_repeated_by_nothing() {
        let form = Form::of(b"csrf=&other=x").unwrap();
        assert!(!form.repeats("csrf", "") && !form.repeats("missing", ""));
        assert!(form.repeats("other", "x") && !form.repeats("other", "y"));
    }
}
