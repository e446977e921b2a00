//! The JSONTestSuite files against the strict reader: `y_` are read, `n_` are refused, `i_` are
//! decided here, each with its reason. The list of decisions may only shrink or grow with the suite.

#[cfg(test)]
mod suite {
    use ringwall_protocol::{Document, Edits, Flaw, Limits};
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    /// Files the specification leaves open, and what was decided: the code of the flaw.
    const DECIDED: &[(&str, &str, &str)] = &[
        (
            "number_double_huge_neg_exp",
            "json_number_range",
            "vanishes to zero in a double",
        ),
        (
            "number_huge_exp",
            "json_number_length",
            "over 128 characters, and infinite in a double",
        ),
        (
            "number_neg_int_huge_exp",
            "json_number_range",
            "infinite in a double",
        ),
        (
            "number_pos_double_huge_exp",
            "json_number_range",
            "infinite in a double",
        ),
        (
            "number_real_neg_overflow",
            "json_number_range",
            "infinite in a double",
        ),
        (
            "number_real_pos_overflow",
            "json_number_range",
            "infinite in a double",
        ),
        (
            "number_real_underflow",
            "json_number_range",
            "vanishes to zero in a double",
        ),
        (
            "number_too_big_neg_int",
            "json_number_range",
            "not exact in a double",
        ),
        (
            "number_too_big_pos_int",
            "json_number_range",
            "not exact in a double",
        ),
        (
            "number_very_big_negative_int",
            "json_number_range",
            "not exact in a double",
        ),
        (
            "object_key_lone_2nd_surrogate",
            "json_lone_surrogate",
            "parsers keep, replace or refuse it",
        ),
        (
            "string_1st_surrogate_but_2nd_missing",
            "json_lone_surrogate",
            "as above",
        ),
        (
            "string_1st_valid_surrogate_2nd_invalid",
            "json_lone_surrogate",
            "as above",
        ),
        (
            "string_incomplete_surrogate_and_escape_valid",
            "json_lone_surrogate",
            "as above",
        ),
        (
            "string_incomplete_surrogate_pair",
            "json_lone_surrogate",
            "as above",
        ),
        (
            "string_incomplete_surrogates_escape_valid",
            "json_lone_surrogate",
            "as above",
        ),
        (
            "string_invalid_lonely_surrogate",
            "json_lone_surrogate",
            "as above",
        ),
        (
            "string_invalid_surrogate",
            "json_lone_surrogate",
            "as above",
        ),
        (
            "string_inverted_surrogates_U+1D11E",
            "json_lone_surrogate",
            "as above",
        ),
        (
            "string_lone_second_surrogate",
            "json_lone_surrogate",
            "as above",
        ),
        (
            "string_UTF-16LE_with_BOM",
            "json_unexpected",
            "MCP messages are UTF-8",
        ),
        (
            "string_utf16BE_no_BOM",
            "json_unexpected",
            "MCP messages are UTF-8",
        ),
        (
            "string_utf16LE_no_BOM",
            "json_unexpected",
            "MCP messages are UTF-8",
        ),
        (
            "string_UTF-8_invalid_sequence",
            "json_utf8",
            "parsers replace, drop or refuse it",
        ),
        ("string_UTF8_surrogate_U+D800", "json_utf8", "as above"),
        ("string_invalid_utf-8", "json_utf8", "as above"),
        ("string_iso_latin_1", "json_utf8", "as above"),
        (
            "string_lone_utf8_continuation_byte",
            "json_utf8",
            "as above",
        ),
        ("string_not_in_unicode_range", "json_utf8", "as above"),
        ("string_overlong_sequence_2_bytes", "json_utf8", "as above"),
        ("string_overlong_sequence_6_bytes", "json_utf8", "as above"),
        (
            "string_overlong_sequence_6_bytes_null",
            "json_utf8",
            "as above",
        ),
        ("string_truncated-utf-8", "json_utf8", "as above"),
        (
            "structure_500_nested_arrays",
            "json_too_deep",
            "the default depth is far less",
        ),
        (
            "structure_UTF-8_BOM_empty_object",
            "json_byte_order_mark",
            "some parsers refuse it",
        ),
    ];

    /// Documents that parsers read as different values: refused with this code, or read, and then
    /// the bytes that are sent on are the bytes that came.
    const TRANSFORMED: &[(&str, Option<&str>)] = &[
        ("number_-9223372036854775808", Some("json_number_range")),
        ("number_-9223372036854775809", Some("json_number_range")),
        ("number_1.0", None),
        ("number_1.000000000000000005", None),
        ("number_1000000000000000", None),
        ("number_10000000000000000999", Some("json_number_range")),
        ("number_1e-999", Some("json_number_range")),
        ("number_1e6", None),
        ("number_9223372036854775807", Some("json_number_range")),
        ("number_9223372036854775808", Some("json_number_range")),
        ("object_key_nfc_nfd", None),
        ("object_key_nfd_nfc", None),
        (
            "object_same_key_different_values",
            Some("json_duplicate_member"),
        ),
        ("object_same_key_same_value", Some("json_duplicate_member")),
        (
            "object_same_key_unclear_values",
            Some("json_duplicate_member"),
        ),
        (
            "string_1_escaped_invalid_codepoint",
            Some("json_lone_surrogate"),
        ),
        ("string_1_invalid_codepoint", Some("json_utf8")),
        (
            "string_2_escaped_invalid_codepoints",
            Some("json_lone_surrogate"),
        ),
        ("string_2_invalid_codepoints", Some("json_utf8")),
        (
            "string_3_escaped_invalid_codepoints",
            Some("json_lone_surrogate"),
        ),
        ("string_3_invalid_codepoints", Some("json_utf8")),
        ("string_with_escaped_NULL", None),
    ];

    /// `y_` files that are refused all the same: objects that name a member twice are JSON to the
    /// letter, and a way around a gateway in practice.
    const REFUSED: &[(&str, &str)] = &[
        ("y_object_duplicated_key", "json_duplicate_member"),
        ("y_object_duplicated_key_and_value", "json_duplicate_member"),
    ];

    /// The folder of the suite; nothing in a clone that stands alone.
    fn folder(name: &str) -> Option<PathBuf> {
        let suites = match std::env::var_os("RINGWALL_SUITES") {
            Some(suites) => PathBuf::from(suites),
            None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites"),
        };
        let folder = suites.join("jsontestsuite").join(name);
        if folder.is_dir() {
            return Some(folder);
        }
        assert!(
            std::env::var_os("CI").is_none(),
            "the JSONTestSuite is missing at {}",
            folder.display()
        );
        eprintln!("left out: the JSONTestSuite is not at {}", folder.display());
        None
    }

    fn files(name: &str) -> Option<BTreeMap<String, Vec<u8>>> {
        let entries = std::fs::read_dir(folder(name)?).unwrap();
        let files = entries.map(|entry| {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (stem, std::fs::read(path).unwrap())
        });
        Some(files.collect())
    }

    fn read(bytes: &[u8]) -> Result<Document, Flaw> {
        Document::read(bytes.to_vec().into(), &Limits::default())
    }

    fn code(bytes: &[u8]) -> Option<&'static str> {
        read(bytes).err().map(|flaw| flaw.code())
    }

    #[test]
    fn n1_1_reads_what_must_be_read_and_refuses_what_must_be_refused() {
        let Some(files) = files("test_parsing") else {
            return;
        };
        let mut seen = 0;
        for (name, bytes) in &files {
            let refused = REFUSED.iter().find(|(refused, _)| refused == name);
            match name.split_once('_') {
                Some(("y", _)) => assert_eq!(code(bytes), refused.map(|row| row.1), "{name}"),
                Some(("n", _)) => assert!(code(bytes).is_some(), "{name}"),
                Some(("i", _)) => continue,
                _ => panic!("{name} is neither y, n nor i"),
            }
            seen += 1;
        }
        assert!(seen > 250, "only {seen} files");
    }

    #[test]
    fn n1_1_decides_every_open_case() {
        let Some(files) = files("test_parsing") else {
            return;
        };
        let open: BTreeMap<_, _> = files
            .iter()
            .filter_map(|(name, bytes)| Some((name.strip_prefix("i_")?, code(bytes))))
            .collect();
        let decided: BTreeMap<_, _> = DECIDED
            .iter()
            .map(|(name, code, _)| (*name, Some(*code)))
            .collect();
        assert_eq!(open, decided);
    }

    #[test]
    fn n1_1_documents_that_parsers_transform_are_refused_or_unchanged() {
        let Some(files) = files("test_transform") else {
            return;
        };
        let found: BTreeMap<_, _> = files.iter().map(|(n, b)| (n.as_str(), code(b))).collect();
        let expected: BTreeMap<_, _> = TRANSFORMED.iter().copied().collect();
        assert_eq!(found, expected);
        for bytes in files.values() {
            if let Ok(document) = read(bytes) {
                assert_eq!(document.bytes(), bytes);
                assert_eq!(document.apply(&Edits::new()).unwrap(), bytes);
            }
        }
    }
}
