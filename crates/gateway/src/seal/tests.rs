//! Handles open for whom and what they were made, and for nothing else.

use super::*;
use OpenError::{Expired, Foreign, Malformed};
use std::fs;

const BOUND: Bound<'static> = Bound {
    purpose: Purpose::State,
    user: "https://issuer.example|alice",
    client: Some("desktop"),
    holder: None,
    route: "/files",
    about: &[b"tools/call", b"read", b"digest"],
};

const NOW: u64 = 1_790_000_000_000;
const LATER: u64 = NOW + 60_000;

fn seal() -> Seal {
    Seal::ephemeral().unwrap()
}

#[test]
fn r5_what_was_sealed_comes_back_byte_for_byte() {
    let seal = seal();
    let all: Vec<u8> = (0..=255).collect();
    let longest = vec![7; Seal::PAYLOAD_MAX];
    for payload in [&b""[..], b"state", &all, &longest] {
        let handle = seal.seal(&BOUND, LATER, payload).unwrap();
        assert!(handle.len() <= Seal::TEXT_MAX);
        let is_url_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(handle.bytes().all(is_url_safe));
        assert_eq!(seal.open(&BOUND, NOW, &handle).as_deref(), Ok(payload));
    }
}

/// Bound to something else in one way each.
const OTHERS: [Bound<'static>; 18] = [
    Bound {
        purpose: Purpose::Cursor,
        ..BOUND
    },
    Bound {
        purpose: Purpose::Task,
        ..BOUND
    },
    Bound {
        user: "https://issuer.example|bob",
        ..BOUND
    },
    Bound {
        user: "https://issuer.example|alic",
        ..BOUND
    },
    Bound { user: "", ..BOUND },
    Bound {
        client: Some("phone"),
        ..BOUND
    },
    Bound {
        client: Some(""),
        ..BOUND
    },
    Bound {
        client: None,
        ..BOUND
    },
    Bound {
        holder: Some(b""),
        ..BOUND
    },
    Bound {
        holder: Some(b"key"),
        ..BOUND
    },
    Bound {
        route: "/file",
        ..BOUND
    },
    Bound {
        route: "/files/",
        ..BOUND
    },
    Bound {
        about: &[b"tools/call", b"read", b"other"],
        ..BOUND
    },
    Bound {
        about: &[b"tools/call", b"digest", b"read"],
        ..BOUND
    },
    Bound {
        about: &[b"tools/call", b"read"],
        ..BOUND
    },
    Bound {
        about: &[b"tools/call", b"read", b"digest", b""],
        ..BOUND
    },
    Bound {
        about: &[b"tools/call", b"readdigest"],
        ..BOUND
    },
    Bound {
        about: &[],
        ..BOUND
    },
];

#[test]
fn r2_a_handle_opens_only_for_what_it_is_bound_to() {
    let seal = seal();
    let handle = seal.seal(&BOUND, LATER, b"state").unwrap();
    for other in OTHERS {
        assert_eq!(seal.open(&other, NOW, &handle), Err(Foreign), "{other:?}");
        // Nor does it say that it has expired to whom it does not belong.
        assert_eq!(seal.open(&other, LATER, &handle), Err(Foreign), "{other:?}");
    }
    assert!(seal.open(&BOUND, NOW, &handle).is_ok());
}

#[test]
fn n7_4_a_handle_of_one_key_is_worth_nothing_with_another() {
    let seal = seal();
    let holders: [Option<&[u8]>; 4] = [None, Some(b"one"), Some(b"other"), Some(b"")];
    for holder in holders {
        let bound = Bound { holder, ..BOUND };
        let handle = seal.seal(&bound, LATER, b"state").unwrap();
        for other in holders {
            let opened = seal.open(
                &Bound {
                    holder: other,
                    ..BOUND
                },
                NOW,
                &handle,
            );
            assert_eq!(opened.is_ok(), other == holder, "{holder:?} {other:?}");
        }
    }
}

#[test]
fn r2_bounds_that_join_to_the_same_bytes_are_different() {
    let split = |user, client, route, about| Bound {
        purpose: Purpose::Cursor,
        user,
        client,
        holder: None,
        route,
        about,
    };
    let held = |holder| Bound {
        holder,
        ..split("ab", Some("c"), "d", &[])
    };
    let bounds = [
        held(Some(b"")),
        held(Some(b"a")),
        held(Some(b"ab")),
        split("ab", Some("c"), "d", &[]),
        split("a", Some("bc"), "d", &[]),
        split("a", Some("b"), "cd", &[]),
        split("abc", Some(""), "d", &[]),
        split("abc", None, "d", &[]),
        split("ab", Some("c"), "", &[b"d"]),
        split("ab", Some("c"), "", &[b"", b"d"]),
        split("ab", Some("c"), "", &[b"d", b""]),
        split("", None, "", &[b"a", b"b", b"c", b"d"]),
        split("", None, "", &[b"ab", b"cd"]),
        split("", None, "abcd", &[]),
    ];
    let written: Vec<Vec<u8>> = bounds.iter().map(Bound::written).collect();
    for (at, one) in written.iter().enumerate() {
        for (other_at, other) in written.iter().enumerate() {
            assert_eq!(one == other, at == other_at, "{at} {other_at}");
        }
    }
}

#[test]
fn r2_a_handle_with_any_byte_changed_is_refused() {
    let seal = seal();
    let handle = seal.seal(&BOUND, LATER, b"state").unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(&handle).unwrap();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let text = URL_SAFE_NO_PAD.encode(&changed);
            let expected = if at == 0 { Malformed } else { Foreign };
            assert_eq!(
                seal.open(&BOUND, NOW, &text),
                Err(expected),
                "byte {at} bit {bit}"
            );
        }
    }
    // One handle has one spelling: no other character in any place is taken for the same.
    for at in 0..handle.len() {
        for other in ["A", "b", "-", "_", "=", "+", "/", " ", "\n"] {
            let mut text = handle.clone();
            text.replace_range(at..=at, other);
            if text != handle {
                assert!(seal.open(&BOUND, NOW, &text).is_err(), "{other:?} at {at}");
            }
        }
    }
}

#[test]
fn r2_a_handle_cut_or_made_longer_is_refused() {
    let seal = seal();
    let handle = seal.seal(&BOUND, LATER, b"state").unwrap();
    for end in 0..handle.len() {
        let cut: String = handle.chars().take(end).collect();
        assert!(seal.open(&BOUND, NOW, &cut).is_err(), "{end}");
    }
    for more in ["A", "AA", "AAAA", "=", "==", " ", "\n", &handle] {
        assert!(seal.open(&BOUND, NOW, &format!("{handle}{more}")).is_err());
        assert!(seal.open(&BOUND, NOW, &format!("{more}{handle}")).is_err());
    }
    for other in ["", "A", "not a handle", "ä", "{}", "AQ", &"A".repeat(64)] {
        assert_eq!(seal.open(&BOUND, NOW, other), Err(Malformed), "{other}");
    }
    let shaped = |length: usize| {
        let bytes = [&[VERSION][..], &vec![0; length - 1]].concat();
        seal.open(&BOUND, NOW, &URL_SAFE_NO_PAD.encode(bytes))
    };
    assert_eq!(shaped(OVERHEAD - 1), Err(Malformed));
    assert_eq!(shaped(OVERHEAD), Err(Foreign));
}

#[test]
fn r2_a_handle_ends_at_its_moment() {
    let seal = seal();
    let handle = seal.seal(&BOUND, LATER, b"state").unwrap();
    let cases = [
        (0, true),
        (NOW, true),
        (LATER - 1, true),
        (LATER, false),
        (LATER + 1, false),
        (u64::MAX, false),
    ];
    for (now, opens) in cases {
        let expected = if opens {
            Ok(b"state".to_vec())
        } else {
            Err(Expired)
        };
        assert_eq!(seal.open(&BOUND, now, &handle), expected, "{now}");
    }
}

#[test]
fn r2_a_handle_of_another_key_is_refused() {
    let handle = seal().seal(&BOUND, LATER, b"state").unwrap();
    assert_eq!(seal().open(&BOUND, NOW, &handle), Err(Foreign));
}

#[test]
fn r2_the_same_words_are_never_sealed_alike() {
    let seal = seal();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..1000 {
        assert!(seen.insert(seal.seal(&BOUND, LATER, b"state").unwrap()));
    }
    // What is inside shows in the length only.
    assert!(
        seen.iter()
            .all(|handle| handle.len() == (OVERHEAD + 5).div_ceil(3) * 4)
    );
}

#[test]
fn what_a_handle_holds_is_bounded() {
    let seal = seal();
    let longer = vec![0; Seal::PAYLOAD_MAX + 1];
    let refused = seal.seal(&BOUND, LATER, &longer);
    assert!(matches!(refused, Err(SealError::Long(length)) if length == longer.len()));
    // Shaped like a handle but for its length.
    let text = |length: usize| format!("AQ{}", "A".repeat(length - 2));
    let opened = |length: usize| seal.open(&BOUND, NOW, &text(length));
    assert_eq!(opened(Seal::TEXT_MAX), Err(Foreign));
    assert_eq!(opened(Seal::TEXT_MAX + 4), Err(Malformed));
}

#[test]
fn a_key_is_kept_and_opens_what_it_sealed_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys").join("handles.key");
    let first = Seal::load_or_create(&path).unwrap();
    let handle = first.seal(&BOUND, LATER, b"state").unwrap();
    let again = Seal::load_or_create(&path).unwrap();
    assert_eq!(
        again.open(&BOUND, NOW, &handle).as_deref(),
        Ok(&b"state"[..])
    );
    assert_eq!(format!("{first:?}"), "Seal");
}

#[test]
fn gateways_that_start_at_once_share_one_key() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let path = folder.path().join(round.to_string()).join("handles.key");
        let barrier = std::sync::Barrier::new(8);
        let start = || {
            barrier.wait();
            Seal::load_or_create(&path).unwrap()
        };
        let seals: Vec<Seal> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            let joined = threads.into_iter().map(|thread| thread.join().unwrap());
            joined.collect()
        });
        let handle = seals[0].seal(&BOUND, LATER, b"state").unwrap();
        for seal in &seals {
            assert!(seal.open(&BOUND, NOW, &handle).is_ok());
        }
        let files = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(files.count(), 1, "a draft was left behind");
    }
}
