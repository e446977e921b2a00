//! What is found is what would be found without anything that makes looking fast: every word is searched
//! for by itself, every pattern is asked at every place, and values are told by the groups of a
//! regular expression.

use super::work::{RULES, pieces};
use crate::data::pack::Pack;
use crate::data::pattern::{Match, Memory, Pattern};
use crate::data::rule::{Anchor, Confidence, Edged, Kind, Rule};
use crate::data::scan::{self, Sight, apart};
use crate::data::{check, is_placeholder};
use proptest::prelude::*;
use regex::Regex;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// The pattern of each built-in rule as a regular expression that is asked at one place.
static PATTERNS: LazyLock<HashMap<Box<str>, Regex>> = LazyLock::new(|| {
    let packs = Pack::built_in().unwrap();
    let rules = packs.iter().flat_map(Pack::rules);
    rules
        .filter(|rule| !rule.pattern.is_empty())
        .map(|rule| (rule.id.clone(), anchored(&compiled(rule))))
        .collect()
});

/// The expression of a rule as it is compiled.
fn compiled(rule: &Rule) -> String {
    match rule.edged {
        Edged::Open => rule.pattern.to_string(),
        Edged::Word => format!(r"(?:{})(?-u:\b{{end-half}})", rule.pattern),
    }
}

fn anchored(expression: &str) -> Regex {
    Regex::new(&format!(r"\A(?:{expression})")).unwrap()
}

/// What an expression matches from the beginning of a text on.
fn matched(regex: &Regex, text: &str) -> Option<Match> {
    let groups = regex.captures(text)?;
    let whole = groups.get(0).unwrap();
    let value = match groups.len() {
        1 => Some(whole.range()),
        _ => groups.iter().skip(1).flatten().next().map(|it| it.range()),
    };
    Some(Match {
        end: whole.end(),
        value,
    })
}

/// Everything that is seen in a text.
fn plainly<'r>(rules: impl Iterator<Item = &'r Rule>, text: &str) -> Vec<Sight<'r>> {
    let mut seen = Vec::new();
    for rule in rules {
        match &rule.anchor {
            Anchor::Start(words) => begins(rule, &places(words, text), text, &mut seen),
            Anchor::Near { before, after, .. } => {
                let words = places(rule.anchor.words(), text);
                let windows = words
                    .into_iter()
                    .map(|at| at.start.saturating_sub(*before)..at.end + after + rule.longest);
                windows_of(rule, windows, text, &mut seen);
            }
            Anchor::Digits(least) => {
                let regions = regions(text)
                    .into_iter()
                    .filter(|(_, count)| count >= least);
                let windows = regions.map(|(at, _)| at.start.saturating_sub(12)..at.end + 36);
                windows_of(rule, windows, text, &mut seen);
            }
            Anchor::Field => {}
        }
    }
    apart(seen)
}

/// Where words stand, in the order in which they end.
fn places(words: &[Box<str>], text: &str) -> Vec<Range<usize>> {
    let text = text.to_ascii_lowercase();
    let mut all: Vec<Range<usize>> = Vec::new();
    for word in words {
        let word = word.to_ascii_lowercase();
        let starts =
            (0..text.len()).filter(|at| text.as_bytes()[*at..].starts_with(word.as_bytes()));
        all.extend(starts.map(|start| start..start + word.len()));
    }
    all.sort_by_key(|at| (at.end, at.start));
    all
}

fn begins<'r>(rule: &'r Rule, words: &[Range<usize>], text: &str, seen: &mut Vec<Sight<'r>>) {
    let mut done = 0;
    let bytes = text.as_bytes();
    for word in words {
        let touches = word.start > 0 && {
            let before = bytes[word.start - 1];
            before.is_ascii_alphanumeric() || before == b'_' || before == b'-'
        };
        if word.start < done || rule.edged == Edged::Word && touches {
            continue;
        }
        let end = scan::floor(text, word.start + rule.longest + 1);
        let part = text.get(word.start..end).unwrap();
        let Some(matched) = matched(&PATTERNS[&rule.id], part) else {
            continue;
        };
        let matched = matched.moved(word.start);
        if let Some(sight) = judged(rule, word.start, &matched, text) {
            done = matched.end;
            seen.push(sight);
        }
    }
}

fn windows_of<'r>(
    rule: &'r Rule,
    windows: impl Iterator<Item = Range<usize>>,
    text: &str,
    seen: &mut Vec<Sight<'r>>,
) {
    let mut open: Vec<Range<usize>> = Vec::new();
    for window in windows {
        match open.last_mut() {
            Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
            _ => open.push(window),
        }
    }
    for window in open {
        within(rule, window, text, seen);
    }
}

fn within<'r>(rule: &'r Rule, window: Range<usize>, text: &str, seen: &mut Vec<Sight<'r>>) {
    let end = scan::floor(text, window.end);
    let mut at = scan::floor(text, window.start);
    let part = text.get(..end).unwrap();
    if let Anchor::Near { digits, .. } = rule.anchor
        && part
            .get(at..)
            .unwrap()
            .bytes()
            .filter(u8::is_ascii_digit)
            .count()
            < digits
    {
        return;
    }
    if rule
        .check
        .is_some_and(|check| check.name() == "payment_card")
    {
        // A test of their own holds them against their pattern.
        let cards = check::cards::every(part, at);
        seen.extend(cards.into_iter().map(|at| Sight {
            by: at.clone(),
            at,
            rule,
            confidence: rule.confidence,
        }));
        return;
    }
    let joins = |at: usize| {
        let byte = part.as_bytes()[at];
        byte.is_ascii_alphanumeric() || byte == b'_'
    };
    while at < end {
        let may_begin =
            part.is_char_boundary(at) && (rule.edged == Edged::Open || at == 0 || !joins(at - 1));
        let found = may_begin
            .then(|| matched(&PATTERNS[&rule.id], part.get(at..).unwrap()))
            .flatten();
        let Some(matched) = found.map(|found| found.moved(at)) else {
            at += 1;
            continue;
        };
        let next = match judged(rule, at, &matched, text) {
            Some(sight) => {
                seen.push(sight);
                matched.end
            }
            None => scan::next_word(part, at..matched.end),
        };
        at = next.max(at + 1);
    }
}

/// Digits that belong together, and how many they are.
fn regions(text: &str) -> Vec<(Range<usize>, usize)> {
    let regex = Regex::new("[0-9](?:[ ./-]?[0-9])*").unwrap();
    let all = regex.find_iter(text).map(|found| {
        let count = found.as_str().bytes().filter(u8::is_ascii_digit).count();
        (found.range(), count)
    });
    all.filter(|(_, count)| *count >= scan::DIGITS).collect()
}

/// What was matched, if everything holds that has to.
fn judged<'r>(rule: &'r Rule, start: usize, matched: &Match, text: &str) -> Option<Sight<'r>> {
    let whole = start..matched.end;
    if rule.edged == Edged::Word && !scan::stands_alone(text.as_bytes(), &whole) {
        return None;
    }
    let value = matched.value.clone()?;
    let found = text.get(value.clone()).unwrap();
    let within = match rule.check {
        Some(check) => check.judge(found)?,
        None => 0..found.len(),
    };
    let at = value.start + within.start..value.start + within.end;
    let found = text.get(at.clone()).unwrap();
    if rule.is_other(text, start..value.start) {
        return None;
    }
    if rule.entropy > 0.0 && check::entropy(found) < rule.entropy {
        return None;
    }
    let is_password = rule.check.is_some_and(|check| check.name() == "password");
    if is_password && is_placeholder(found) {
        return None;
    }
    let doubtful = rule.kind == Kind::Secret && is_placeholder(found);
    let (before, behind) = match &rule.anchor {
        Anchor::Near { before, after, .. } => (after + rule.longest + 40, before + 40),
        _ => (0, 0),
    };
    Some(Sight {
        at,
        by: whole.start.saturating_sub(before)..whole.end + behind,
        rule,
        confidence: if doubtful {
            Confidence::Low
        } else {
            rule.confidence
        },
    })
}

type Told = (Range<usize>, Range<usize>, Box<str>, Confidence);

fn told(seen: &[Sight<'_>]) -> Vec<Told> {
    let told = seen.iter().map(|it| {
        (
            it.at.clone(),
            it.by.clone(),
            it.rule.id.clone(),
            it.confidence,
        )
    });
    told.collect()
}

/// What is looked for, in random order and with random signs between.
fn mixed() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(pieces());
    let cut = (prop::sample::select(pieces()), any::<prop::sample::Index>()).prop_map(
        |(piece, index)| {
            let end = piece.floor_char_boundary(index.index(piece.len() + 1));
            piece.get(..end).unwrap().to_owned()
        },
    );
    let sign = "[ -~]|[ü\n\u{200b}]|[0-9]{1,8}|[ =:/.@'\"-]";
    let part = prop_oneof![3 => piece, 2 => cut, 4 => sign];
    prop::collection::vec(part, 0..12).prop_map(|parts| {
        let text = parts.concat();
        text.get(..text.floor_char_boundary(1500))
            .unwrap()
            .to_owned()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_what_looking_everywhere_finds(text in mixed()) {
        let looked = RULES.look(&text);
        prop_assert!(!looked.is_cut);
        prop_assert_eq!(told(&looked.sights), told(&plainly(RULES.iter(), &text)), "{}", text);
    }

    #[test]
    fn a_pattern_matches_what_its_expression_matches(
        text in "[a-f0-9A-Z@.:/=_ \n-]{0,40}", place in any::<prop::sample::Index>()
    ) {
        for expression in [
            "[a-z0-9.]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.){1,6}[a-z]{2,24}",
            "(?i:abc)[ ]?=[ ]?(?P<value>[^ ]{2,8}?)[ =]", "a+?b|[0-9]{2,}(?:-[0-9])?", "[^a]{1,3}.",
            "(?:(a)|(b)|c)+[0-9]?", "(?:([a-c]+)([0-9]*))+?(?:=|\\z)", "([a-z]*?)([a-z0-9]+)(?m:$)",
            "[a-z]+(?-u:\\b)(.?)", "(?:(?m:^)[a-z]|\n(x?))+", "((?:[a-f][a-f0-9]{0,6}[.:]){1,4})([a-f]?)",
        ] {
            let pattern = Pattern::new(expression).unwrap();
            let mut memory = Memory::default();
            let regex = Regex::new(expression).unwrap();
            let start = place.index(text.len() + 1);
            let mut steps = 0;
            let found = pattern.at(&mut memory, text.as_bytes(), start, &mut steps);
            prop_assert_eq!(found, asked_at(&regex, &text, start), "{} {}", expression, text);
            prop_assert!(steps <= text.len() - start + 1);
        }
    }
}

/// What an expression matches from a place of a text on, with what stands before it.
fn asked_at(regex: &Regex, text: &str, start: usize) -> Option<Match> {
    // Whatever it finds first begins where a match begins, and there is none at `start` if it is another place.
    let mut places = regex.capture_locations();
    let whole = regex.captures_read_at(&mut places, text, start)?;
    let groups = (1..places.len()).find_map(|group| places.get(group));
    let value = match places.len() {
        1 => Some(whole.range()),
        _ => groups.map(|(start, end)| start..end),
    };
    (whole.start() == start).then_some(Match {
        end: whole.end(),
        value,
    })
}

/// What an automaton remembers is bounded, and what it forgot it finds again.
#[test]
fn an_automaton_that_forgets_matches_the_same() {
    let expression = "(?:[a-z]{1,20}[0-9]){1,30}=([a-z0-9]{2,200}|x)";
    let pattern = Pattern::new(expression).unwrap();
    let regex = anchored(expression);
    let mut memory = Memory::default();
    let mut all = 0;
    let mut draw = super::draw::Draw(7);
    for _ in 0..40 {
        let parts = 1 + draw.next(30);
        let part = |draw: &mut super::draw::Draw| {
            let count = 1 + draw.index(20);
            draw.of("abcxyz", count) + "7"
        };
        let head: String = (0..parts).map(|_| part(&mut draw)).collect();
        let text = format!("{head}={}", draw.of("ab9", 150));
        let found = pattern.at(&mut memory, text.as_bytes(), 0, &mut 0);
        assert_eq!(found, matched(&regex, &text), "{text}");
        assert!(memory.bytes() < 512 * 1024, "{}", memory.bytes());
        let mut alone = Memory::default();
        pattern.at(&mut alone, text.as_bytes(), 0, &mut 0);
        all += alone.bytes();
    }
    assert!(all > 1024 * 1024, "{all}");
}

#[test]
fn whether_a_text_is_dense_is_told_without_counting_what_does_not_occur() {
    let mut draw = super::draw::Draw(11);
    for _ in 0..2000 {
        let (signs, length) = (1 + draw.index(60), draw.index(90));
        let text = draw.of(super::draw::ALNUM.get(..signs).unwrap(), length);
        let bits = check::entropy(&text);
        for least in [
            bits,
            bits + 0.001,
            bits - 0.001,
            bits + 0.5,
            bits - 0.5,
            3.4,
            4.1,
        ] {
            assert_eq!(
                check::is_dense(&text, least),
                bits >= least,
                "{text} {bits} {least}"
            );
        }
    }
    let long = "a".repeat(2000) + "b";
    assert!(!check::is_dense(&long, 3.0) && check::is_dense(&long, 0.0));
}
