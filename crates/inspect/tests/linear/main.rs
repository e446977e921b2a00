//! No part takes more than linear time, whatever a text holds. `cargo test -p ringwall-inspect --test linear`
//! counts all of them, with `-- PART` those whose names hold that. Without valgrind it is left out, and fails
//! where `CI` is set.
//!
//! What is counted are instructions, which are the same on every run, and never seconds: for each text those
//! of one look at it, and at four times as much of it. A part that looks back over what it has seen, or looks
//! ahead over what it will see again, shows as a factor of 16.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "it fails by panicking, and starts itself once more"
)]

mod callgrind;
mod hostile;
#[path = "../../benches/content/parts.rs"]
mod parts;
#[path = "../../benches/content/pieces.rs"]
mod pieces;
#[path = "../../benches/content/texts.rs"]
mod texts;
#[path = "../../benches/content/values.rs"]
mod values;
mod words;

use hostile::{Hostile, Plan};
use parts::{PARTS, Part};
use std::sync::Mutex;
use std::{iter, slice, thread};

/// Which part is counted; set for the program as it is started once more.
const PART: &str = "RINGWALL_PART";

/// Which of its texts are counted one by one, and how much longer ones: `4 17 18`. All of them in groups, and none
/// longer, if it is not set.
const TEXTS: &str = "RINGWALL_TEXTS";

/// What is missing where this is left out.
const LACKING: &str =
    "no valgrind: install the package `valgrind`, or name one in RINGWALL_VALGRIND";

/// How much longer the second text is.
const LONGER: usize = 4;
/// Texts that are counted together at first: writing down a count takes longer than most looks.
const TOGETHER: usize = 8;
/// Instructions of the longer text for one of the shorter one, in hundredths.
const HUNDREDTHS: u64 = 435;

fn main() {
    if let Ok(part) = std::env::var(PART) {
        return count(&part);
    }
    words::are_read_as_they_are_written();
    if callgrind::valgrind().is_none() {
        assert!(std::env::var_os("CI").is_none(), "{LACKING}");
        return println!("left out: {LACKING}");
    }
    // Words are looked for in names, as those of other tests are; options are theirs.
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| !it.starts_with('-'))
        .collect();
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|it| name.contains(it));
    let open: Vec<&Part> = PARTS.iter().filter(|(name, _)| is_asked(name)).collect();
    let (open, slow) = (Mutex::new(open), Mutex::new(Vec::new()));
    thread::scope(|threads| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            threads.spawn(|| {
                loop {
                    let next = open.lock().unwrap().pop();
                    let Some((name, _)) = next else { return };
                    let found = slower(name);
                    slow.lock().unwrap().extend(found);
                }
            });
        }
    });
    let slow = slow.into_inner().unwrap();
    assert!(slow.is_empty(), "{}", slow.join("\n"));
    println!("no part takes more than linear time");
}

/// The texts on which a part is slower than it may be, each with what was counted.
fn slower(part: &str) -> Vec<String> {
    let (texts, plan) = (hostile::texts(part), hostile::plan(part));
    let groups: Vec<&[Hostile]> = texts.chunks(TOGETHER).collect();
    let counts = counted(part, "", groups.len());
    let mut told = Vec::new();
    let mut most = 0;
    for (at, (group, counts)) in groups.iter().zip(counts).enumerate() {
        let each = counts.1 / (group.len() * LONGER * plan.size) as u64;
        most = most.max(each);
        if each > plan.bound {
            told.push(format!("{part}: {each} instructions a byte: {group:?}"));
        }
        if is_slow(counts, plan.slack) {
            let first = at * TOGETHER;
            let slow = slow_at_any_size(part, (first..first + group.len()).collect(), plan);
            told.extend(slow.into_iter().map(|(at, (once, longer))| {
                let text = &texts[at];
                format!(
                    "{part}: {once} instructions, {longer} for {LONGER} times as much: {text:?}"
                )
            }));
        }
    }
    let outcome = if told.is_empty() { "ok" } else { "FAILED" };
    let texts = texts.len();
    println!("test {part} ... {outcome} ({texts} texts, at most {most} instructions a byte)");
    told
}

/// Those of these texts that are slow however long they are. What a part does from some size on, or from some place
/// on, makes a text slow once.
fn slow_at_any_size(part: &str, texts: Vec<usize>, plan: Plan) -> Vec<(usize, (u64, u64))> {
    let mut slow: Vec<_> = texts.into_iter().map(|at| (at, (0, 0))).collect();
    for factor in [LONGER, LONGER * LONGER] {
        if slow.is_empty() {
            return slow;
        }
        let numbers = slow.iter().map(|(at, _)| at.to_string());
        let asked: Vec<_> = iter::once(factor.to_string()).chain(numbers).collect();
        let counts = counted(part, &asked.join(" "), slow.len());
        for ((_, known), counts) in slow.iter_mut().zip(counts) {
            *known = counts;
        }
        slow.retain(|(_, counts)| is_slow(*counts, plan.slack));
        let bound = plan.bound * (plan.size * factor * LONGER) as u64;
        if slow.iter().any(|(_, (_, longer))| *longer > bound) {
            // That is told, and longer ones would take too long.
            return slow;
        }
    }
    slow
}

fn is_slow((once, longer): (u64, u64), slack: u64) -> bool {
    longer > once * HUNDREDTHS / 100 + slack
}

/// What was counted, for the shorter texts and the longer ones.
fn counted(part: &str, texts: &str, expected: usize) -> Vec<(u64, u64)> {
    let counts = callgrind::counts(&[(PART, part), (TEXTS, texts)]);
    assert_eq!(counts.len(), 2 * expected, "{part}");
    counts.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Does what is counted, under callgrind.
fn count(part: &str) {
    let (_, work) = PARTS.iter().find(|(name, _)| *name == part).unwrap();
    let (texts, plan) = (hostile::texts(part), hostile::plan(part));
    let (mut groups, mut size) = (texts.chunks(TOGETHER).collect::<Vec<_>>(), plan.size);
    let asked = std::env::var(TEXTS).unwrap_or_default();
    let mut asked = asked
        .split_whitespace()
        .map(|number| number.parse::<usize>().unwrap());
    if let Some(factor) = asked.next() {
        groups = asked.map(|at| slice::from_ref(&texts[at])).collect();
        size *= factor;
    }
    // What is made once, on the first look that needs it, is not counted.
    for text in &texts {
        work(&text.text(0, 1));
    }
    for group in groups {
        for longer in [1, LONGER] {
            let texts: Vec<String> = group.iter().map(|text| text.text(size, longer)).collect();
            callgrind::counted(|| texts.iter().map(|text| work(text)).sum::<usize>());
        }
    }
}
