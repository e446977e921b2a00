//! Every rule of the packs that come with Ringwall against values that are drawn from its own form: each
//! is found where it stands and as what it is, also in pieces, and what misses by a sign is not.

use super::draw::{Draw, part};
use super::form::{Drawn, Length};
use super::values::Values;
use crate::data::pack::{BUILT_IN, Pack};
use crate::data::rule::{Anchor, Edged, Rule};
use crate::data::{Rules, Sight, Thread, mark, redacted};
use regex::Regex;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Values of each rule that are looked for.
const VALUES: usize = 40;
/// Values of each rule that are missed by a sign.
const MISSES: usize = 8;

/// Checks by whose arithmetic one sign follows from the others: from the beginning, or from the end where
/// it is less than nothing. Signs are letters and digits.
const CHECKED: [(&str, isize); 26] = [
    ("age_key", -1),
    ("at_svnr", 3),
    ("be_nn", -1),
    ("br_cpf", -1),
    ("ch_ahv", -1),
    ("de_id_card", -1),
    ("de_rvnr", -1),
    ("de_steuer_id", -1),
    ("es_dni", -1),
    ("fi_hetu", -1),
    ("fr_nir", -1),
    ("fr_spi", -1),
    ("github_crc", -1),
    ("iban", 3),
    ("it_codice_fiscale", -1),
    ("luhn", -1),
    ("nl_bsn", -1),
    ("no_fnr", -1),
    ("payment_card", -1),
    ("pl_pesel", -1),
    ("pt_nif", -1),
    ("se_pnr", -1),
    ("uk_nhs", -1),
    ("uk_utr", 0),
    ("us_npi", -1),
    ("verhoeff", -1),
];

fn rules() -> Vec<Rule> {
    let packs = Pack::built_in().unwrap();
    packs.into_iter().flat_map(Pack::into_rules).collect()
}

fn together() -> Arc<Rules> {
    Rules::of(Pack::built_in().unwrap(), |_| true).unwrap()
}

/// The set that has this rule and no other.
fn alone(rule: &Rule) -> Arc<Rules> {
    let packs = BUILT_IN.map(|(_, text)| Pack::read(text).unwrap());
    Rules::of(packs, |other| other.id == rule.id).unwrap()
}

/// The form of a rule, and nothing before it or after it.
fn whole(rule: &Rule) -> Regex {
    Regex::new(&format!(r"\A(?:{})\z", rule.pattern)).unwrap()
}

/// A text with something in it, and where.
struct Placed {
    text: String,
    at: Range<usize>,
}

/// What stands before and after.
const AROUND: [(&str, &str); 8] = [
    ("", ""),
    ("see ", " there"),
    ("a\n", "\nb"),
    ("日本 ", " 語"),
    ("it was: ", ", and more"),
    ("(\"", "\")"),
    ("日本", "語"),
    ("so it is ", ". Then"),
];

/// The text in the middle of others, with the word that the rule needs before it.
fn put(
    values: &Values<'_>,
    drawn: &Drawn,
    (before, after): (&str, &str),
    draw: &mut Draw,
) -> Placed {
    let word = values.word(&drawn.text, draw);
    let before = match &word {
        Some(word) => format!("{before}{word}: "),
        None => before.to_owned(),
    };
    Placed {
        text: format!("{before}{}{after}", drawn.text),
        at: before.len() + drawn.value.start..before.len() + drawn.value.end,
    }
}

/// Whether a sign that stands beside the text would belong to it.
fn grows(whole: &Regex, text: &str, (before, after): (&str, &str)) -> bool {
    let next = after.chars().next().map(|sign| format!("{text}{sign}"));
    let last = before
        .chars()
        .next_back()
        .map(|sign| format!("{sign}{text}"));
    next.into_iter()
        .chain(last)
        .any(|more| whole.is_match(&more))
}

fn seen(sights: &[Sight<'_>], label: &str) -> Vec<Range<usize>> {
    let own = sights.iter().filter(|sight| &*sight.rule.label == label);
    own.map(|sight| sight.at.clone()).collect()
}

#[test]
fn every_rule_finds_every_value_of_its_form_where_it_stands_alone_and_among_all() {
    let together = together();
    for rule in &rules() {
        let Some(values) = Values::of(rule) else {
            continue;
        };
        let (alone, whole, mut draw) = (alone(rule), whole(rule), Draw(0x5eed));
        let mut looked = 0;
        for round in 0.. {
            let length = [Length::Any, Length::Any, Length::Least, Length::Most][round % 4];
            let drawn = values.draw(length, &mut draw);
            let around = AROUND[(round / 4 + round) % AROUND.len()];
            if grows(&whole, &drawn.text, around) {
                continue;
            }
            let Placed { text, at } = put(&values, &drawn, around, &mut draw);
            for rules in [&alone, &together] {
                let sights = rules.scan(&text);
                assert_eq!(
                    seen(&sights, &rule.label),
                    std::slice::from_ref(&at),
                    "`{}` in {text:?}",
                    rule.id
                );
            }
            looked += 1;
            if looked == VALUES {
                break;
            }
        }
    }
}

/// Ways in which a value is missed by a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Miss {
    /// The sign that follows from the others is another one.
    Check,
    /// It begins with another sign.
    Begin,
    /// A sign in it is one of another kind.
    Kind,
    /// One sign more.
    Long,
    /// One sign fewer.
    Short,
    /// No word near it says what it is.
    Word,
}

const WAYS: [Miss; 6] = [
    Miss::Check,
    Miss::Begin,
    Miss::Kind,
    Miss::Long,
    Miss::Short,
    Miss::Word,
];

/// The text missed in this way, if that can be.
fn missed(rule: &Rule, drawn: &Drawn, way: Miss) -> Option<String> {
    let text = &drawn.text;
    let signs: Vec<usize> = text
        .char_indices()
        .filter(|(at, sign)| drawn.value.contains(at) && sign.is_ascii_alphanumeric())
        .map(|(at, _)| at)
        .collect();
    let put = |at: usize, sign: &str| {
        let mut text = text.clone();
        text.replace_range(at..at + 1, sign);
        text
    };
    match way {
        Miss::Check => {
            let name = rule.check?.name();
            let place = CHECKED.iter().find(|(check, _)| *check == name)?.1;
            let place = if place < 0 {
                signs.len().checked_add_signed(place)?
            } else {
                place.unsigned_abs()
            };
            let at = *signs.get(place)?;
            Some(put(at, &next(part(text, at..=at))))
        }
        Miss::Begin => {
            let at = text.find(|sign: char| sign.is_ascii_alphanumeric())?;
            Some(put(at, &next(part(text, at..=at))))
        }
        Miss::Kind => {
            let at = *signs.get(signs.len() / 2)?;
            Some(put(at, "§"))
        }
        Miss::Long => {
            let last = *signs.last()?;
            Some(put(last, &part(text, last..=last).repeat(2)))
        }
        Miss::Short => {
            let last = *signs.last()?;
            Some(put(last, ""))
        }
        Miss::Word => Some(text.clone()).filter(|_| matches!(rule.anchor, Anchor::Near { .. })),
    }
}

/// The next digit, or the next letter.
fn next(sign: &str) -> String {
    match sign {
        "9" => "0".to_owned(),
        "z" => "a".to_owned(),
        "Z" => "A".to_owned(),
        other => char::from(other.as_bytes()[0] + 1).to_string(),
    }
}

/// Whether the rule's form is somewhere in the text after all: every place is tried, with nothing that the
/// rules are looked for with.
fn is_there(rule: &Rule, from_here: &Regex, text: &str) -> bool {
    let joins =
        |sign: Option<char>| sign.is_some_and(|it| it.is_ascii_alphanumeric() || "_-".contains(it));
    let lower = text.to_ascii_lowercase();
    let is_asked = |at: usize| match &rule.anchor {
        Anchor::Start(words) => words
            .iter()
            .any(|word| part(&lower, at..).starts_with(&word.to_ascii_lowercase())),
        Anchor::Near { words, .. } => words
            .iter()
            .any(|word| lower.contains(&word.to_ascii_lowercase())),
        Anchor::Digits(_) | Anchor::Field => true,
    };
    text.char_indices().any(|(at, _)| {
        let Some(groups) = from_here
            .captures(part(text, at..))
            .filter(|_| is_asked(at))
        else {
            return false;
        };
        let all = groups.get(0).unwrap();
        let value = groups.get(1).unwrap_or(all);
        let is_other = rule.is_other(text, at..at + value.start());
        let value = value.as_str();
        let (before, after) = (part(text, ..at), part(text, at + all.end()..));
        let goes_on = is_number(before, value) || is_number(value, after);
        let touched = joins(before.chars().next_back()) || joins(after.chars().next());
        let alone = rule.edged == Edged::Open || !touched && !goes_on;
        alone && !is_other && rule.judged(value).is_some()
    })
}

/// Whether one number has its point between these.
fn is_number(before: &str, after: &str) -> bool {
    let digit = |sign: Option<char>| sign.is_some_and(|it| it.is_ascii_digit());
    let point = |sign: &char| matches!(sign, '.' | ',');
    let (left, right) = (
        before.strip_suffix(|it| point(&it)),
        after.strip_prefix(|it| point(&it)),
    );
    let ends = |text: &str| digit(text.chars().next_back());
    let begins = |text: &str| digit(text.chars().next());
    left.is_some_and(ends) && begins(after) || ends(before) && right.is_some_and(begins)
}

#[test]
fn no_rule_finds_what_misses_its_form_by_a_sign() {
    let together = together();
    for rule in &rules() {
        let Some(values) = Values::of(rule) else {
            continue;
        };
        let (alone, mut draw) = (alone(rule), Draw(0x3155));
        // Of what stands alone a shorter part does not.
        let end = if rule.edged == Edged::Word {
            r"(?-u:\b{end-half})"
        } else {
            ""
        };
        let from_here = Regex::new(&format!(r"\A(?:{}){end}", rule.pattern)).unwrap();
        let mut ways = BTreeSet::new();
        for (round, way) in (0..MISSES).flat_map(|round| WAYS.map(|way| (round, way))) {
            let length = match way {
                Miss::Long => Length::Most,
                _ => Length::Least,
            };
            let drawn = values.draw(length, &mut draw);
            let Some(miss) = missed(rule, &drawn, way) else {
                continue;
            };
            let around = AROUND[round % AROUND.len()];
            let missed = Drawn {
                value: 0..miss.len(),
                text: miss,
            };
            let text = match way {
                Miss::Word => format!("{}{}{}", around.0, missed.text, around.1),
                _ => put(&values, &missed, around, &mut draw).text,
            };
            let there = is_there(rule, &from_here, &text);
            assert!(
                way != Miss::Check || !there,
                "`{}`: any sign would do in {text:?}",
                rule.id
            );
            let found = !seen(&alone.scan(&text), &rule.label).is_empty();
            // What is in its form even so is found even so.
            assert_eq!(found, there, "`{}`, {way:?}: {text:?}", rule.id);
            if !there {
                ways.insert(way);
                let among = together.scan(&text);
                let is_own = |sight: &Sight<'_>| sight.rule.id == rule.id;
                assert!(
                    !among.iter().any(is_own),
                    "`{}`, {way:?}: {text:?}",
                    rule.id
                );
            }
        }
        // Of a key in PEM nothing says how long it is.
        let least = if &*rule.id == "secret.private_key" {
            1
        } else {
            2
        };
        assert!(
            ways.len() >= least,
            "`{}` is missed in no way but {ways:?}",
            rule.id
        );
    }
}

#[test]
fn n9_3_a_value_of_every_rule_that_is_split_at_any_place_is_found_and_its_rest_does_not_follow() {
    let together = together();
    for rule in &rules() {
        let Some(values) = Values::of(rule) else {
            continue;
        };
        let mut draw = Draw(0xc07);
        let drawn = values.draw(Length::Least, &mut draw);
        let Placed { text, at } = put(&values, &drawn, ("so it is ", " there"), &mut draw);
        for cut in (1..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let mut thread = Thread::new(Arc::clone(&together));
            let (mut labels, mut sent) = (Vec::new(), Vec::new());
            for piece in [part(&text, ..cut), part(&text, cut..)] {
                let sights = thread.look(piece).sights;
                labels.extend(sights.iter().map(|sight| sight.rule.label.clone()));
                let left = redacted(piece, &sights, |sight, _| Some(mark(&sight.rule.label)));
                sent.push(left.into_owned());
            }
            let told = labels.contains(&rule.label);
            let rest = part(&text, cut.max(at.start)..at.end.max(cut));
            let leaks = rest.len() > 2 && sent[1].contains(rest)
                || sent.concat().contains(part(&text, at.clone())) && cut < at.end;
            assert!(
                told && !leaks,
                "`{}` cut at {cut} of {at:?}: {sent:?}",
                rule.id
            );
        }
    }
}
