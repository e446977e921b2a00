//! Writes a record as canonical JSON (RFC 8785) straight into a buffer: members in sorted order,
//! whole numbers only, no space, the shortest escapes.
//!
//! It is on the path of every call, so it builds no tree and sorts nothing: the order is the order
//! of the lines below, and a test compares it with a general canonicaliser.

use super::{
    Controls, Digests, Event, Finding, Kept, Policy, Record, Refusal, Score, Sizes, Timings,
    Upstream, Who,
};
use std::borrow::Cow;

/// The largest whole number that every JSON reader reads alike (RFC 8785, 3.2.2.3).
const WHOLE_MAX: u64 = (1 << 53) - 1;

/// What an ordinary record takes.
const RECORD_BYTES: usize = 1280;

/// How much text is looked at at once.
const PIECE_BYTES: usize = 64;

const HEX: [u8; 16] = *b"0123456789abcdef";

type Text<'a> = Option<Cow<'a, str>>;

impl Record<'_> {
    /// Appends this record to `out` as canonical JSON. Numbers over 2^53 - 1 are written as that.
    pub fn to_canonical(&self, out: &mut Vec<u8>) {
        out.reserve(RECORD_BYTES);
        let mut object = Object::open(out);
        object.number("at_ms", self.at_ms);
        object.part("controls", self.controls.as_ref(), Controls::write);
        object.text("definition", &self.definition);
        object.part("digests", self.digests.as_ref(), Digests::write);
        object.part("event", self.event.as_ref(), Event::write);
        object.parts("findings", &self.findings, Finding::write);
        object.string("id", &self.id);
        object.part("kept", self.kept.as_ref(), Kept::write);
        object.string("kind", self.kind.word());
        object.text("message", &self.message);
        object.text("method", &self.method);
        object.part("policy", self.policy.as_ref(), Policy::write);
        object.part("refusal", self.refusal.as_ref(), Refusal::write);
        object.text("revision", &self.revision);
        object.text("route", &self.route);
        object.parts("scores", &self.scores, Score::write);
        object.text("server", &self.server);
        object.part("sizes", self.sizes.as_ref(), Sizes::write);
        object.text("source", &self.source);
        object.text("subject", &self.subject);
        object.part("timings_us", self.timings_us.as_ref(), Timings::write);
        object.text("trace", &self.trace);
        object.text("transport", &self.transport);
        object.part("upstream", self.upstream.as_ref(), Upstream::write);
        object.string("verdict", self.verdict.word());
        object.part("who", self.who.as_ref(), Who::write);
        object.close();
    }
}

impl Controls<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.strings("ran", &self.ran);
        object.parts("skipped", &self.skipped, |skipped, object| {
            object.string("control", &skipped.control);
            object.string("why", &skipped.why);
        });
    }
}

impl Digests<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.text("answer", &self.answer);
        object.text("arguments", &self.arguments);
    }
}

impl Event<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.text("after", &self.after);
        object.text("before", &self.before);
        object.text("detail", &self.detail);
        object.string("name", &self.name);
    }
}

impl Finding<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.string("action", &self.action);
        object.string("control", &self.control);
        object.number("count", self.count);
        object.string("place", &self.place);
        object.string("rule", &self.rule);
        object.string("severity", &self.severity);
    }
}

impl Score<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.string("control", &self.control);
        object.string("detector", &self.detector);
        object.string("mode", &self.mode);
        object.string("place", &self.place);
        object.string("rule", &self.rule);
        object.number("threshold", self.threshold);
        object.number("value", self.value);
    }
}

impl Kept<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.text("answer", &self.answer);
        object.text("arguments", &self.arguments);
    }
}

impl Policy<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.strings("determining", &self.determining);
        object.text("digest", &self.digest);
        object.text("verdict", &self.verdict);
    }
}

impl Refusal<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.string("code", &self.code);
        object.string("control", &self.control);
        object.string("fault", self.fault.word());
        object.string("reason", &self.reason);
    }
}

impl Sizes {
    fn write(&self, object: &mut Object<'_>) {
        object.whole("answer", self.answer);
        object.whole("request", self.request);
    }
}

impl Timings {
    fn write(&self, object: &mut Object<'_>) {
        object.whole("admit", self.admit);
        object.whole("authorize", self.authorize);
        object.whole("consult", self.consult);
        object.whole("forward", self.forward);
        object.whole("frame", self.frame);
        object.whole("identify", self.identify);
        object.whole("inspect", self.inspect);
        object.whole("resolve", self.resolve);
        object.whole("screen", self.screen);
        object.whole("total", self.total);
        object.whole("validate", self.validate);
    }
}

impl Upstream<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.whole("ms", self.ms);
        object.text("session_digest", &self.session_digest);
        object.whole("status", self.status.map(u64::from));
    }
}

impl Who<'_> {
    fn write(&self, object: &mut Object<'_>) {
        object.text("actor", &self.actor);
        object.text("client", &self.client);
        object.text("issuer", &self.issuer);
        object.text("session_digest", &self.session_digest);
        object.text("subject", &self.subject);
        object.text("user", &self.user);
    }
}

/// An object being written. Whoever writes keeps the members in order.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    /// What stands before the next name, its quote included.
    before: &'static [u8],
}

impl<'o> Object<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        Self {
            out,
            before: b"{\"",
        }
    }

    fn close(self) {
        // Nothing was written if there was no member.
        let end: &[u8] = if self.before.starts_with(b"{") {
            b"{}"
        } else {
            b"}"
        };
        self.out.extend_from_slice(end);
    }

    /// Writes a name, and `after` it the colon and perhaps the beginning of the value.
    fn name(&mut self, name: &'static str, after: &'static [u8]) {
        self.out.extend_from_slice(self.before);
        self.before = b",\"";
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(after);
    }

    fn string(&mut self, name: &'static str, value: &str) {
        self.name(name, b"\":\"");
        write_letters(self.out, value.as_bytes());
        self.out.push(b'"');
    }

    fn text(&mut self, name: &'static str, value: &Text<'_>) {
        if let Some(value) = value {
            self.string(name, value);
        }
    }

    fn number(&mut self, name: &'static str, value: u64) {
        self.name(name, b"\":");
        write_whole(self.out, value.min(WHOLE_MAX));
    }

    fn whole(&mut self, name: &'static str, value: Option<u64>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    fn strings(&mut self, name: &'static str, values: &[Cow<'_, str>]) {
        self.array(name, values, |value, out| write_string(out, value));
    }

    fn part<T>(&mut self, name: &'static str, part: Option<&T>, write: fn(&T, &mut Object<'_>)) {
        if let Some(part) = part {
            self.name(name, b"\":");
            let mut object = Object::open(self.out);
            write(part, &mut object);
            object.close();
        }
    }

    fn parts<T>(&mut self, name: &'static str, parts: &[T], write: fn(&T, &mut Object<'_>)) {
        self.array(name, parts, |part, out| {
            let mut object = Object::open(out);
            write(part, &mut object);
            object.close();
        });
    }

    /// An empty array is left out altogether.
    fn array<T>(&mut self, name: &'static str, items: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
        let Some((first, rest)) = items.split_first() else {
            return;
        };
        self.name(name, b"\":[");
        write(first, self.out);
        for item in rest {
            self.out.push(b',');
            write(item, self.out);
        }
        self.out.push(b']');
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_letters(out, text.as_bytes());
    out.push(b'"');
}

/// Writes the inside of a JSON string with the escapes of RFC 8785, 3.2.2.2, and no others.
fn write_letters(out: &mut Vec<u8>, text: &[u8]) {
    // Nearly all text needs no escape; looking at a whole piece at once lets the compiler use wide
    // registers, and the piece is then copied as it is.
    for piece in text.chunks(PIECE_BYTES) {
        if piece
            .iter()
            .fold(false, |found, byte| found | is_escaped(*byte))
        {
            piece.iter().for_each(|byte| write_letter(out, *byte));
        } else {
            out.extend_from_slice(piece);
        }
    }
}

/// Writes a whole number in decimal.
pub(crate) fn write_whole(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0u8; 20];
    let mut rest = value;
    let mut length = 0usize;
    for place in digits.iter_mut().rev() {
        // The remainder is below ten, so it fits.
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    if let Some((_, written)) = digits.split_at_checked(digits.len() - length) {
        out.extend_from_slice(written);
    }
}

fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn write_letter(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        0..0x20 => {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return;
        }
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, Kind, OwnedRecord, Skipped, Verdict};
    use super::*;
    use proptest::prelude::*;

    fn canonical(record: &Record<'_>) -> String {
        let mut out = Vec::new();
        record.to_canonical(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn text() -> impl Strategy<Value = Cow<'static, str>> {
        prop_oneof![
            any::<String>().prop_map(Cow::Owned),
            "[\\x00-\\x7f]{0,20}".prop_map(Cow::Owned)
        ]
    }

    fn maybe() -> impl Strategy<Value = Text<'static>> {
        prop::option::of(text())
    }

    fn whole() -> impl Strategy<Value = Option<u64>> {
        prop::option::of(0..=WHOLE_MAX)
    }

    prop_compose! {
        fn calls()(
            at_ms in 0..=WHOLE_MAX, id in text(), route in maybe(), subject in maybe(), trace in maybe(),
            message in maybe(), times in (whole(), whole(), whole()), strings in prop::collection::vec(text(), 0..4),
            kept in maybe(), status in prop::option::of(any::<u16>()),
        ) -> OwnedRecord {
            Record {
                at_ms, id, route: route.clone(), subject: subject.clone(), trace: trace.clone(),
                server: trace.clone(), source: route.clone(), transport: subject.clone(),
                revision: trace.clone(), method: subject.clone(), definition: route.clone(),
                message, kind: Kind::Refusal, verdict: Verdict::Refused,
                who: Some(Who { actor: trace.clone(), user: route.clone(), issuer: trace.clone(), subject: subject.clone(), client: kept.clone(), session_digest: route.clone() }),
                policy: Some(Policy { digest: trace.clone(), verdict: subject.clone(), determining: strings.clone() }),
                controls: Some(Controls {
                    ran: strings.clone(),
                    skipped: strings.iter().map(|word| Skipped { control: word.clone(), why: word.clone() }).collect(),
                }),
                findings: strings.iter().map(|word| Finding {
                    control: word.clone(), rule: word.clone(), severity: "high".into(), place: word.clone(), count: at_ms, action: "remove".into(),
                }).collect(),
                scores: strings.iter().map(|word| Score {
                    control: word.clone(), detector: word.clone(), rule: word.clone(), value: at_ms, threshold: at_ms, mode: "warn".into(), place: word.clone(),
                }).collect(),
                refusal: kept.clone().map(|code| Refusal { code: code.clone(), control: code.clone(), fault: Fault::Caller, reason: code }),
                timings_us: Some(Timings { admit: times.0, authorize: times.1, consult: times.2, forward: times.2, frame: times.0, identify: times.1,
                    inspect: times.2, resolve: times.0, screen: times.1, total: times.2, validate: times.0 }),
                sizes: Some(Sizes { request: times.0, answer: times.1 }),
                digests: Some(Digests { arguments: route.clone(), answer: trace.clone() }),
                kept: Some(Kept { arguments: kept.clone(), answer: subject.clone() }),
                upstream: Some(Upstream { status, ms: times.2, session_digest: trace.clone() }),
                event: kept.map(|name| Event { name, detail: route, before: subject, after: trace }),
            }
        }
    }

    proptest! {
        #[test]
        fn writes_what_a_general_canonicaliser_writes(record in calls()) {
            let general = serde_json_canonicalizer::to_string(&record).unwrap();
            prop_assert_eq!(canonical(&record), general);
        }

        #[test]
        fn reads_back_what_it_wrote(record in calls()) {
            let back: OwnedRecord = serde_json::from_str(&canonical(&record)).unwrap();
            prop_assert_eq!(back, record);
        }
    }

    #[test]
    fn leaves_out_what_is_not_known() {
        let record = Record {
            at_ms: 7,
            id: "a".into(),
            ..Record::default()
        };
        assert_eq!(
            canonical(&record),
            r#"{"at_ms":7,"id":"a","kind":"call","verdict":"failed"}"#
        );
    }

    #[test]
    fn writes_an_empty_part_as_an_empty_object() {
        let record = Record {
            who: Some(Who::default()),
            ..Record::default()
        };
        assert!(canonical(&record).ends_with(r#""who":{}}"#));
    }

    #[test]
    fn caps_numbers_that_readers_disagree_on() {
        let record = Record {
            at_ms: u64::MAX,
            ..Record::default()
        };
        assert!(canonical(&record).starts_with(r#"{"at_ms":9007199254740991,"#));
    }

    #[test]
    fn never_writes_a_line_break() {
        let record = Record {
            id: "a\r\nb\u{2028}".into(),
            ..Record::default()
        };
        assert!(!canonical(&record).contains(['\n', '\r']));
    }
}
