//! The views of a text: within their budget, each span of each view a span of the text, and what is
//! said to stand in the text just so standing there.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwall_inspect::view::{Budget, views};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let budget = Budget::default();
    let views = views(&text, &budget);
    let made: usize = views.made().map(|view| view.text().len()).sum();
    assert!(made <= text.len() * budget.growth + budget.slack);
    assert!(views.made().count() <= budget.count);
    for view in views.made() {
        let said = view.text();
        let mut before = 0;
        for (at, c) in said.char_indices() {
            let range = at..at + c.len_utf8();
            let original = view.original(range.clone());
            assert!(original.start <= original.end && original.end <= text.len());
            assert!(before <= original.start, "the order of a text is the order of its views");
            before = original.start;
            let place = text.get(original).expect("a span of whole characters");
            // Only marks of what was left out are not to be found where they are said to be.
            let just_so = view.kinds(range.clone()).is_empty() && !matches!(c, '.' | '\n');
            assert!(!just_so || Some(place) == said.get(range));
        }
    }
});
