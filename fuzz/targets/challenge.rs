//! What a server challenges with: never breaks, and what is read of it reads back the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwall_identity::client::{Demand, challenges};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let headers: Vec<&str> = text.lines().collect();
    let read = challenges(&headers);
    for challenge in read.iter().flatten() {
        for name in ["error", "scope", "resource_metadata", "claims"] {
            let Some(value) = challenge.parameter(name) else {
                continue;
            };
            assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            // Escaped it may be longer than what is read.
            if value.len() > 4096 {
                continue;
            }
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            let again = challenges(&[format!("Bearer {name}=\"{escaped}\"")]).unwrap();
            assert_eq!(again[0].parameter(name), Some(value));
        }
    }
    let demand = Demand::of(401, &headers).unwrap();
    if read.is_err() {
        assert!(demand.scopes().is_none() && demand.metadata().is_none());
    }
});
