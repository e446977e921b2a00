//! Properties: no check panics or takes more than linear time, and a path that passes never leaves its
//! roots on a real disk.

use super::*;
use proptest::prelude::*;
use std::path::{Component, Path, PathBuf};

fn kinds() -> Vec<Kind> {
    let mut kinds: Vec<_> = Meaning::ALL.into_iter().map(Kind::of).collect();
    kinds.push(Kind::Path(Roots::new(["/srv/data"]).unwrap()));
    kinds
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("..".to_owned()),
        Just(" ".to_owned()),
        Just(".".to_owned()),
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just("%2e".to_owned()),
        Just("%2f".to_owned()),
        Just("%25".to_owned()),
        Just("%c0%af".to_owned()),
        Just(";".to_owned()),
        Just("\u{ff0f}".to_owned()),
        Just("\u{2025}".to_owned()),
        Just("in".to_owned()),
        Just("link".to_owned()),
        Just("//".to_owned()),
        Just("~".to_owned()),
        Just("c:".to_owned()),
        Just("file:".to_owned()),
        Just("url:".to_owned()),
        Just("/srv/data/".to_owned()),
        Just("?".to_owned()),
        Just("#".to_owned()),
        "[a-c]{1,2}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Where a path leads as the standard library reads it.
fn resolved(base: &Path, path: &str) -> PathBuf {
    let mut place = base.to_path_buf();
    for component in Path::new(path).components() {
        match component {
            Component::RootDir => place = PathBuf::from("/"),
            Component::ParentDir => _ = place.pop(),
            Component::Normal(name) => place.push(name),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    place
}

proptest! {
    #[test]
    fn n1_1_nothing_that_can_be_written_breaks_a_check(text in pieces()) {
        for kind in kinds() {
            for basis in [Basis::Declared, Basis::Recognised] {
                let expectation = Expectation { basis, otherwise: Consequence::Refuse, kind: kind.clone() };
                for flaw in expectation.check(&text).flaws {
                    prop_assert!(flaw.at.start <= flaw.at.end, "{flaw:?}");
                    prop_assert!(flaw.at.end <= text.len().max(3), "{flaw:?} {text:?}");
                }
            }
        }
    }

    #[test]
    fn n1_1_what_is_asked_of_a_recognised_value_is_asked_of_a_declared_one(text in pieces()) {
        for kind in kinds() {
            let declared = broken(&kind, Basis::Declared, &text);
            for rule in broken(&kind, Basis::Recognised, &text) {
                prop_assert!(declared.contains(&rule), "{rule} {text:?}");
            }
        }
    }

    /// The model: `std::path` on the text, and on each of its readings.
    #[test]
    fn n1_1_a_path_that_passes_stays_inside_its_roots(text in pieces()) {
        let kind = Kind::Path(Roots::new(["/srv/data"]).unwrap());
        let expectation = Expectation { basis: Basis::Recognised, otherwise: Consequence::Refuse, kind };
        let outcome = expectation.check(&text);
        if outcome.flaws.iter().all(|flaw| flaw.rule.weight != Weight::Certain) {
            let place = resolved(Path::new("/srv/data"), &text);
            prop_assert!(place.starts_with("/srv/data"), "{text:?} {place:?}");
            let found = PathBuf::from(outcome.path.expect("it passed").place);
            prop_assert!(found.starts_with("/srv/data"), "{text:?} {found:?}");
            if !text.to_ascii_lowercase().contains("file:") {
                prop_assert_eq!(found, place, "{:?}", text);
            }
            // As browsers have the URI of a file.
            let browsed = ::url::Url::parse(&text).ok().filter(|url| url.scheme() == "file");
            if let Some(place) = browsed.and_then(|url| url.to_file_path().ok()) {
                prop_assert!(place.starts_with("/srv/data"), "{text:?} {place:?}");
            }
            // As a program has it that writes a home directory out.
            let first = text.trim().split('/').next().unwrap_or_default();
            let is_user = |user: &str| user.chars().all(|c| c.is_ascii_alphanumeric());
            prop_assert!(!first.strip_prefix('~').is_some_and(is_user), "{text:?}");
            for reading in readings(&text) {
                let place = resolved(Path::new("/srv/data"), &reading);
                prop_assert!(place.starts_with("/srv/data"), "{text:?} as {reading:?}");
            }
        }
    }
}

/// What programs on the way make of a path: each step is taken or left out.
fn readings(text: &str) -> Vec<String> {
    let steps: [fn(&str) -> String; 6] = [
        decoded,
        decoded,
        |text| text.replace('\u{ff0f}', "/").replace('\u{2025}', ".."),
        |text| text.replace('\\', "/"),
        |text| names(text, |name| name.split(';').next().unwrap_or_default()),
        |text| names(text, str::trim_ascii),
    ];
    let mut readings = vec![text.to_owned()];
    for step in steps {
        let more: Vec<_> = readings.iter().map(|text| step(text)).collect();
        readings.extend(more);
        readings.sort_unstable();
        readings.dedup();
    }
    readings
}

/// Names that are dots once something is taken off them.
fn names(text: &str, dots: impl Fn(&str) -> &str) -> String {
    let read = |name| match dots(name) {
        dots @ ("." | "..") => dots,
        _ => name,
    };
    text.split('/').map(read).collect::<Vec<_>>().join("/")
}

/// Percent-encoding of ASCII taken off once.
fn decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let byte = piece
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte.filter(u8::is_ascii), piece.get(2..)) {
            (Some(byte), Some(rest)) => {
                out.push(char::from(byte));
                out.push_str(rest);
            }
            _ => {
                out.push('%');
                out.push_str(piece);
            }
        }
    }
    out
}

/// On a real tree: what the system opens for a declared path lies in the root, unless a link leads out,
/// and then the place that is handed back shows it.
#[test]
fn n1_1_a_declared_path_opens_nothing_outside_on_a_real_disk() {
    let tree = tempfile::tempdir().unwrap();
    let base = tree.path().canonicalize().unwrap();
    let root = base.join("root");
    std::fs::create_dir_all(root.join("in/deeper")).unwrap();
    std::fs::create_dir_all(base.join("out")).unwrap();
    std::fs::write(base.join("out/secret"), "x").unwrap();
    std::fs::write(root.join("in/file"), "x").unwrap();
    std::os::unix::fs::symlink(base.join("out"), root.join("link")).unwrap();
    std::os::unix::fs::symlink(root.join("in"), root.join("inner")).unwrap();
    let kind = Kind::Path(Roots::new([root.to_str().unwrap()]).unwrap());
    let names = [
        "in", "deeper", "file", "link", "inner", "..", ".", "secret", "out", "",
    ];
    let mut opened = 0;
    let mut led_out = 0;
    for one in names {
        for two in names {
            for three in names {
                for start in ["".to_owned(), format!("{}/", root.display())] {
                    let path = format!("{start}{one}/{two}/{three}");
                    let expectation = Expectation {
                        basis: Basis::Declared,
                        otherwise: Consequence::Refuse,
                        kind: kind.clone(),
                    };
                    let outcome = expectation.check(&path);
                    if !outcome.flaws.is_empty() {
                        continue;
                    }
                    let Ok(there) = root.join(&path).canonicalize() else {
                        continue;
                    };
                    opened += 1;
                    let place = PathBuf::from(outcome.path.unwrap().place);
                    assert!(place.starts_with(&root), "{path}");
                    // What is handed back is what the system opens: links are seen there.
                    assert_eq!(place.canonicalize().unwrap(), there, "{path}");
                    led_out += usize::from(!there.starts_with(&root));
                }
            }
        }
    }
    assert!(opened > 20 && led_out > 0, "{opened} {led_out}");
}

/// Values of a size that nobody would wait for, were each sign of them to cost a look at all others: each is
/// judged to its end and told in a few flaws. What they cost is measured elsewhere.
#[test]
fn n1_1_hostile_values_are_judged_to_their_end_in_few_flaws() {
    let n = 200_000;
    for piece in [
        "../", "..\\", "%25", "%2e", "%c0", ";", "'", "' or ", "'))", "or 1=", "/*", "--", "`",
        "$(", "{{", "${", "union ", "\u{2025}", "@", "%0", ":", "a.", "//", "(", "; ", "xn--",
        "\"", "$a", "0x",
    ] {
        let text = piece.repeat(n / piece.len());
        for kind in kinds() {
            let expectation = Expectation {
                basis: Basis::Declared,
                otherwise: Consequence::Refuse,
                kind: kind.clone(),
            };
            assert!(expectation.check(&text).flaws.len() <= 32);
            let short = text.get(..text.floor_char_boundary(LONGEST - 1)).unwrap();
            assert!(expectation.check(short).flaws.len() <= 32);
        }
    }
}
