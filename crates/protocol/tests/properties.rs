//! Properties of the strict reader on invented texts: it agrees with `serde_json` on all it reads,
//! and edits change what they say and nothing else.

#[cfg(test)]
mod properties {
    use bytes::Bytes;
    use proptest::prelude::*;
    use ringwall_protocol::{
        Document, Edits, Kind, Limits, Message, Value, accept, content_type, sse,
    };

    fn read(text: &[u8]) -> Option<Document> {
        Document::read(Bytes::copy_from_slice(text), &Limits::default()).ok()
    }

    /// Rebuilds the value through every view the document offers.
    fn rebuilt(value: Value<'_>) -> serde_json::Value {
        match value.kind() {
            Kind::Null => serde_json::Value::Null,
            Kind::Boolean => value.boolean().unwrap().into(),
            Kind::Number => match value.integer() {
                Some(0) if value.raw().len() > 1 => (-0.0).into(),
                Some(integer) => integer.into(),
                None => value.number().unwrap().into(),
            },
            Kind::String => value.text().unwrap().into(),
            Kind::Array => value.elements().map(rebuilt).collect(),
            Kind::Object => value
                .members()
                .map(|(key, value)| (key.decoded().into_owned(), rebuilt(value)))
                .collect(),
        }
    }

    fn agree(text: &[u8]) {
        if let Some(document) = read(text) {
            let theirs: serde_json::Value = serde_json::from_slice(text).unwrap();
            assert!(alike(&rebuilt(document.root()), &theirs), "{theirs}");
        }
    }

    /// Equal, but for the last bits of fractions: `serde_json` rounds them quickly, not exactly.
    fn alike(ours: &serde_json::Value, theirs: &serde_json::Value) -> bool {
        use serde_json::Value::{Array, Number, Object};
        match (ours, theirs) {
            (Array(one), Array(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(a, b)| alike(a, b))
            }
            (Object(one), Object(two)) => {
                one.len() == two.len()
                    && one
                        .iter()
                        .zip(two)
                        .all(|((k, a), (l, b))| k == l && alike(a, b))
            }
            (Number(one), Number(two)) if one.is_f64() && two.is_f64() => {
                let (one, two) = (one.as_f64().unwrap(), two.as_f64().unwrap());
                one == two || (one - two).abs() <= one.abs() * 1e-12 + f64::MIN_POSITIVE
            }
            _ => ours == theirs,
        }
    }

    /// Any JSON value, printed with odd spaces and escapes now and then.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i32>().prop_map(|n| n.to_string()),
            any::<f64>()
                .prop_filter("finite", |n| n.is_finite())
                .prop_map(|n| format!("{n:e}")),
            string(),
        ];
        leaf.prop_recursive(5, 60, 8, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..8);
            let members = prop::collection::vec((string(), inner), 0..24);
            prop_oneof![
                list.prop_map(|items| format!("[ {}\t]", items.join(" ,\n"))),
                members.prop_map(|items| {
                    let items: Vec<_> = items.iter().map(|(k, v)| format!("{k} : {v}")).collect();
                    format!("{{{}}}", items.join(","))
                }),
            ]
        })
    }

    fn string() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[ -!#-\\[\\]-~]{0,12}",
            "[\u{80}-\u{10ffff}]{0,3}",
            Just("\\n".to_owned()),
            Just("\\\\".to_owned()),
            Just("\\u0061".to_owned()),
            Just("\\ud834\\udd1e".to_owned()),
        ];
        prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
    }

    /// Inputs that once broke the reader, the oracle or a test, each named after what went wrong.
    #[test]
    fn agrees_with_serde_json_on_every_input_that_was_found() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/strict_reader");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read(entry.unwrap().path()).unwrap();
            agree(&text);
            seen += 1;
        }
        assert!(seen > 0, "no fixtures in {folder}");
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json_on_what_it_reads(text in json()) {
            agree(text.as_bytes());
        }

        #[test]
        fn reads_all_it_should(text in json()) {
            // Refuses nothing of what is invented here but members named twice.
            let read = Document::read(text.clone().into(), &Limits::default());
            let code = read.err().map(|flaw| flaw.code());
            prop_assert!(matches!(code, None | Some("json_duplicate_member")), "{:?} {}", code, text);
        }

        #[test]
        fn agrees_with_serde_json_on_damaged_text(
            text in json(), at in any::<prop::sample::Index>(), byte in any::<u8>()
        ) {
            let mut text = text.into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            agree(&text);
            text.truncate(at);
            agree(&text);
        }

        #[test]
        fn agrees_with_serde_json_on_bytes_that_look_like_json(
            text in prop::collection::vec(prop::sample::select(
                b"{}[]\",:\\u0123456789abcdefDE+-. \n\t\x00\x7f\x80\xc3\xa9truefalsn".to_vec()), 0..40)
        ) {
            agree(&text);
        }

        #[test]
        fn replacing_every_value_by_itself_changes_nothing(text in json()) {
            if let Some(document) = read(text.as_bytes()) {
                let mut edits = Edits::new();
                for string in document.strings() {
                    edits.replace(string.range(), document.bytes().slice(string.range()));
                }
                prop_assert_eq!(document.apply(&edits).unwrap(), text.as_bytes());
            }
        }

        #[test]
        fn writing_every_string_anew_keeps_the_value(text in json()) {
            if let Some(document) = read(text.as_bytes()) {
                let mut edits = Edits::new();
                for string in document.strings() {
                    edits.replace_string(string.range(), &string.decoded());
                }
                let edited = document.apply(&edits).unwrap();
                let again = read(&edited).unwrap();
                prop_assert_eq!(rebuilt(again.root()), rebuilt(document.root()));
            }
        }

        #[test]
        fn plain_is_what_it_says(text in json()) {
            if let Some(document) = read(text.as_bytes()) {
                for string in document.strings() {
                    let raw = string.raw();
                    let plain = raw.iter().all(|b| (0x20..0x7f).contains(b) && *b != b'\\');
                    prop_assert_eq!(string.is_plain(), plain);
                }
                prop_assert_eq!(document.is_plain(), document.strings().all(|s| s.is_plain()));
            }
        }

        #[test]
        fn every_string_is_found_at_its_pointer(text in json()) {
            if let Some(document) = read(text.as_bytes()) {
                for string in document.strings() {
                    let found = document.root().at(&string.pointer()).unwrap();
                    prop_assert_eq!(found.index(), string.value_index());
                }
            }
        }

        #[test]
        fn an_envelope_with_any_member_never_breaks(text in json(), name in string()) {
            let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",{name}:{text}}}");
            if let Some(document) = read(text.as_bytes()) {
                let _ = Message::read(document);
            }
        }

        #[test]
        fn events_read_back_as_they_were_written(
            data in "[^\r]{1,40}", id in proptest::option::of("[a-z0-9-]{1,8}"), size in 1..20usize
        ) {
            let mut out = Vec::new();
            sse::write_event(id.as_deref(), data.as_bytes(), &mut out);
            let mut decoder = sse::Decoder::new(sse::Limits::default());
            let mut events = Vec::new();
            for piece in out.chunks(size) {
                let mut chunk = Bytes::copy_from_slice(piece);
                while let Some(event) = decoder.feed(&mut chunk).unwrap() {
                    events.push(event);
                }
            }
            prop_assert_eq!(events.len(), 1);
            prop_assert_eq!(&events[0].data, data.as_bytes());
            prop_assert_eq!(&events[0].id, &id);
        }

        #[test]
        fn an_accept_header_never_breaks(header in "\\PC{0,60}") {
            accept::admits(&header, "application/json");
            content_type::is_json(&header);
        }
    }
}
