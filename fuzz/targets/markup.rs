//! What a server says, made harmless: once is enough, nothing active is left, nothing is lost on the way
//! but what is said, and floods and marks keep within their bounds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwall_inspect::flood::{self, Handling};
use ringwall_inspect::markup::{self, Host, Hosts, Reading, Settings, Treatment};
use ringwall_inspect::spotlight::{FRAME_MAX, Marker, Spotlight};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let settings = Settings {
        markup: Treatment::Neutralise,
        images: Treatment::Neutralise,
        links: Treatment::Neutralise,
        hosts: Hosts::new(vec![Host::named("*.ours.example")]),
    };
    let looked = markup::examine(text, Reading::Prose, &settings);
    assert_eq!(looked.tally.is_clean(), looked.text == text);
    assert!(looked.text.len() <= text.len() * 5 + markup::WITHHELD.len());
    for found in looked.tally.matches() {
        assert!(text.get(found.range.clone()).is_some());
    }
    let again = markup::examine(&looked.text, Reading::Prose, &settings);
    assert!(again.tally.is_clean() && again.text == looked.text);
    let source = markup::examine(text, Reading::Source, &settings);
    assert_eq!(source.text, text);
    let limits = flood::Limits {
        bytes: 4096,
        tokens: 4096,
        repetition: Handling::Cut,
        emptiness: Handling::Cut,
    };
    let cut = flood::examine(text, &limits, &mut flood::Room::new(usize::MAX));
    assert!(cut.text.len() <= 4096 && cut.found.is_empty() == (cut.text == text));
    let marker = Marker::new(*b"0123456789");
    for how in [Spotlight::Datamark, Spotlight::Delimit, Spotlight::Encode] {
        let marked = marker.mark(text, how);
        assert!(marked.len() <= text.len() * 9 + FRAME_MAX);
        assert!(marked.to_ascii_lowercase().matches(marker.word()).count() <= 2);
    }
});
