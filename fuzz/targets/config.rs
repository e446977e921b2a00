//! The configuration: any text is read and settled, or its problems are told, each at a place that
//! exists; reading twice says the same.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let told = |problems: &[ringwall_config::Problem]| -> Vec<String> {
        problems.iter().map(ToString::to_string).collect()
    };
    let first = ringwall_config::load(text);
    let again = ringwall_config::load(text);
    match (&first, &again) {
        (Ok((one, warnings)), Ok((two, others))) => {
            assert_eq!(told(warnings), told(others));
            assert_eq!(format!("{one:?}"), format!("{two:?}"));
        }
        (Err(problems), Err(others)) => {
            assert!(!problems.is_empty(), "refused without a reason");
            assert_eq!(told(problems), told(others));
        }
        _ => panic!("read in two ways"),
    }
});
