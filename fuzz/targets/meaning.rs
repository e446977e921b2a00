//! Arguments held against what they mean: nothing that can be written breaks a check, what is asked of a
//! recognised value is asked of a declared one, and a path that passes stays inside its roots.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwall_inspect::meaning::{
    Basis, Consequence, Expectation, Host, Kind, Meaning, Roots, Weight,
};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for meaning in Meaning::ALL {
        let outcome = |basis| {
            let kind = Kind::of(meaning);
            let otherwise = Consequence::Refuse;
            Expectation { basis, otherwise, kind }.check(text)
        };
        let declared = outcome(Basis::Declared);
        let recognised = outcome(Basis::Recognised);
        for flaw in &recognised.flaws {
            assert!(flaw.rule.weight != Weight::Strict, "{flaw:?}");
            assert!(declared.flaws.contains(flaw), "{flaw:?}");
        }
        // Where somebody is led does not depend on who said what it is.
        assert_eq!(declared.target, recognised.target);
        if let Some(Host::Name(name) | Host::Local(name)) = declared.target.map(|it| it.host) {
            assert!(name.is_ascii() && !name.bytes().any(|byte| byte.is_ascii_uppercase()), "{name}");
        }
    }
    let kind = Kind::Path(Roots::new(["/srv/data"]).expect("it is a root"));
    let expectation = Expectation {
        basis: Basis::Recognised,
        otherwise: Consequence::Refuse,
        kind,
    };
    let outcome = expectation.check(text);
    let certain = |weight| weight == Weight::Certain;
    if !outcome.flaws.iter().any(|flaw| certain(flaw.rule.weight)) {
        let place = outcome.path.expect("it passed").place;
        assert!(place == "/srv/data" || place.starts_with("/srv/data/"), "{place}");
        assert!(!place.split('/').any(|name| matches!(name, "." | "..")), "{place}");
    }
});
