//! Secrets and personal data: a look at any text ends, what it says is in the text and apart, what
//! comes in two pieces is seen, tokens are read as they are written, and no pack breaks the reader.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwall_inspect::data::pack::Pack;
use ringwall_inspect::data::{Rules, Thread, mark, redacted, token};
use std::sync::{Arc, LazyLock};

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let packs = Pack::built_in().unwrap_or_else(|_| panic!("the packs are sound"));
    Rules::of(packs, |_| true).unwrap_or_else(|_| panic!("the rules fit together"))
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let seen = RULES.scan(text);
    let mut done = 0;
    for sight in &seen {
        assert!(sight.at.start >= done && sight.at.start < sight.at.end);
        assert!(text.get(sight.at.clone()).is_some());
        done = sight.at.end;
    }
    let clean = redacted(text, &seen, |sight, _| Some(mark(&sight.rule.label)));
    assert_eq!(seen.is_empty(), *clean == *text);
    let mut middle = text.len() / 2;
    while !text.is_char_boundary(middle) {
        middle += 1;
    }
    let mut thread = Thread::new(Arc::clone(&RULES));
    for piece in [&text[..middle], &text[middle..]] {
        for sight in thread.look(piece).sights {
            assert!(piece.get(sight.at.clone()).is_some());
        }
    }
    for token in token::find(text) {
        let written = token::write(token.label, &token.sealed);
        assert_eq!(written, text[token.at.clone()].to_ascii_lowercase());
    }
    let _ = Pack::read(text);
});
