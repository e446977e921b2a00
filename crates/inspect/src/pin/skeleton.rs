//! What a name looks like, so that two names that look alike can be told.

use crate::text;

/// Characters of a name that are looked at. Names are far shorter.
const LONGEST: usize = 256;

/// The look of a name: two names with the same skeleton are taken for one another.
///
/// Hidden characters go, confusable ones (Unicode TS 39: `l`, `I` and `1`, `0` and `O`, `rn` and
/// `m`, Latin and Cyrillic letters) become one, and neither case nor separators count.
pub fn skeleton(name: &str) -> String {
    let visible: String = text::clean(name).chars().take(LONGEST).collect();
    let folded = |text: &str| unicode_security::skeleton(text).collect::<String>();
    // Once before case is given up, since capitals look like other letters, and once after.
    folded(&folded(&visible).to_lowercase())
        .chars()
        .filter(|c| !matches!(c, '_' | '-' | '.' | '/' | ':' | ' '))
        .collect()
}

/// What one character looks like: the characters that all alike ones have in common.
pub(crate) fn prototype(c: char) -> impl Iterator<Item = char> {
    let mut buffer = [0; 4];
    let looks: Vec<char> = unicode_security::skeleton(c.encode_utf8(&mut buffer)).collect();
    looks.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n9_2_names_that_look_alike_have_one_skeleton() {
        for (one, other) in [
            ("read_file", "read-file"),
            ("read_file", "ReadFile"),
            ("read_file", "read_fi1e"),
            ("read_file", "read_fiIe"),
            ("o365", "O365"),
            ("login", "1ogin"),
            ("query", "que\u{200b}ry"),
            ("paypal", "p\u{430}yp\u{430}l"),
            ("modem", "modern"),
            ("zero0", "zeroO"),
            ("caf\u{e9}", "cafe\u{301}"),
        ] {
            assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
        }
    }

    #[test]
    fn n9_2_names_that_differ_have_their_own_skeleton() {
        let names = [
            "read_file",
            "read_files",
            "write_file",
            "list",
            "lost",
            "get",
            "set",
            "a1",
            "a2",
        ];
        for (at, one) in names.iter().enumerate() {
            for other in names.iter().skip(at + 1) {
                assert_ne!(skeleton(one), skeleton(other));
            }
        }
    }

    #[test]
    fn a_long_name_costs_no_more_than_a_short_one() {
        assert!(skeleton(&"m".repeat(1 << 20)).len() <= 4 * LONGEST);
    }
}
