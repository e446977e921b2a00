//! Rates against a reference model, and what only happens at the edges.

use super::*;
use crate::key::Keyer;
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

const SECOND: u64 = 1_000_000_000;

fn rate(units: u32, burst: u32) -> Rate {
    let number = |number| NonZeroU32::new(number).expect("not zero");
    Rate::per_second(number(units), number(burst)).expect("a rate")
}

fn key(hash: u128) -> KeyHash {
    KeyHash::from_u128(hash)
}

fn user(hash: u128, rate: Rate) -> Charge {
    Charge::one(Dimension::User, key(hash), rate)
}

#[test]
fn n4_1_allows_the_burst_and_then_the_rate() {
    let limiter = Limiter::new(16);
    let charge = user(1, rate(2, 3));
    for (now, expected) in [
        (0, Ok(())),
        (0, Ok(())),
        (0, Ok(())),
        (0, Err(Some(500))),
        (499, Err(Some(1))),
        (500, Ok(())),
        (500, Err(Some(500))),
        (1_000, Ok(())),
        (10_000, Ok(())),
        (10_000, Ok(())),
        (10_000, Ok(())),
        (10_000, Err(Some(500))),
    ] {
        let answer = limiter
            .take(&[charge], now * 1_000_000)
            .map_err(|refused| refused.retry_after.map(|wait| wait.as_millis()));
        assert_eq!(answer, expected, "at {now} ms");
    }
}

#[test]
fn n4_1_a_refusal_charges_nobody() {
    let limiter = Limiter::new(16);
    let wide = |hash| user(hash, rate(1, 10));
    let narrow = Charge::one(Dimension::Tool, key(9), rate(1, 1));
    limiter.take(&[wide(1), narrow], 0).expect("fits");
    for _ in 0..50 {
        let refused = limiter
            .take(&[wide(1), wide(2), wide(1), narrow], 0)
            .expect_err("the tool is full");
        assert_eq!(
            (refused.dimension, refused.bound),
            (Dimension::Tool, Bound::Rate)
        );
    }
    // The key that was not there before is not there now; the other has nine left, not fewer.
    assert_eq!(limiter.len(), 2);
    for _ in 0..9 {
        limiter.take(&[wide(1)], 0).expect("was not charged");
    }
    limiter.take(&[wide(1)], 0).expect_err("ten were allowed");
    for _ in 0..10 {
        limiter.take(&[wide(2)], 0).expect("was not charged");
    }
}

#[test]
fn the_same_key_twice_in_one_question_is_charged_twice() {
    let limiter = Limiter::new(16);
    let charge = user(1, rate(1, 3));
    limiter.take(&[charge, charge], 0).expect("two of three");
    limiter.take(&[charge, charge], 0).expect_err("one is left");
    limiter.take(&[charge], 0).expect("one is left");
}

#[test]
fn the_same_hash_in_two_dimensions_is_two_keys() {
    let limiter = Limiter::new(16);
    for dimension in Dimension::ALL {
        let charge = Charge::one(dimension, key(1), rate(1, 1));
        limiter.take(&[charge], 0).expect("its own bucket");
        limiter.take(&[charge], 0).expect_err("which is empty now");
    }
}

#[test]
fn units_are_charged_at_once_or_never() {
    let limiter = Limiter::new(16);
    let units = |units| Charge {
        units,
        ..user(1, rate(1, 10))
    };
    limiter.take(&[units(7)], 0).expect("fits");
    let refused = limiter.take(&[units(4)], 0).expect_err("three are left");
    assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
    for too_many in [11, u32::MAX] {
        let refused = limiter.take(&[units(too_many)], 0).expect_err("never fits");
        assert_eq!((refused.bound, refused.retry_after), (Bound::Size, None));
    }
    limiter.take(&[units(3)], 0).expect("still three");
    limiter.take(&[units(0)], 0).expect("nothing always fits");
}

#[test]
fn refuses_a_question_with_too_many_charges() {
    let limiter = Limiter::new(16);
    let mut charges = vec![user(1, rate(1, 100)); Limiter::CHARGES_MAX];
    limiter.take(&charges, 0).expect("as many as may be");
    charges.push(user(1, rate(1, 100)));
    let refused = limiter.take(&charges, 0).expect_err("one too many");
    assert_eq!(refused.bound, Bound::Question);
}

#[test]
fn n4_1_a_table_full_of_live_keys_refuses_new_ones_and_keeps_the_old() {
    let limiter = Limiter::new(4);
    for hash in 0..4 {
        limiter.take(&[user(hash, rate(1, 2))], 0).expect("room");
    }
    let refused = limiter.take(&[user(4, rate(1, 2))], 0).expect_err("full");
    assert_eq!(
        (refused.bound, refused.retry_after),
        (Bound::Keys, Some(Duration::from_secs(1)))
    );
    assert_eq!(limiter.len(), 4);
    // Known callers go on, and are still counted.
    limiter.take(&[user(0, rate(1, 2))], 0).expect("known");
    limiter
        .take(&[user(0, rate(1, 2))], 0)
        .expect_err("and still counted");
    // Another dimension has room of its own.
    let tool = Charge::one(Dimension::Tool, key(4), rate(1, 2));
    limiter.take(&[tool], 0).expect("room of its own");
}

#[test]
fn forgets_only_keys_that_say_nothing_any_more() {
    let limiter = Limiter::new(3);
    limiter.take(&[user(0, rate(1, 9))], 0).expect("room");
    for _ in 0..3 {
        limiter.take(&[user(1, rate(1, 9))], 0).expect("room");
    }
    limiter.take(&[user(2, rate(1, 9))], 0).expect("room");
    limiter
        .take(&[user(3, rate(1, 9))], SECOND - 1)
        .expect_err("all three are live");
    // Keys 0 and 2 are full again after one second, key 1 after three.
    limiter
        .take(&[user(3, rate(1, 9))], SECOND)
        .expect("two were forgotten");
    assert_eq!(limiter.len(), 2);
    for _ in 0..7 {
        limiter
            .take(&[user(1, rate(1, 9))], SECOND)
            .expect("seven were left of it");
    }
    limiter
        .take(&[user(1, rate(1, 9))], SECOND)
        .expect_err("it was not forgotten");
}

#[test]
fn a_flood_of_keys_never_grows_the_table() {
    let limiter = Limiter::new(5_000);
    let keyer = Keyer::new();
    for nth in 0..50_000_u64 {
        let charge = Charge::one(Dimension::Source, keyer.key(nth), rate(1, 1));
        let _ = limiter.take(&[charge], nth);
    }
    let live = limiter.len();
    assert!((4_000..=5_000).contains(&live), "{live} keys");
}

#[test]
fn a_clock_that_goes_back_refuses_but_never_longer_than_a_window() {
    let limiter = Limiter::new(16);
    let charge = user(1, rate(1, 2));
    limiter.take(&[charge], 1_000 * SECOND).expect("fits");
    let refused = limiter.take(&[charge], 0).expect_err("the clock went back");
    assert_eq!(refused.retry_after, Some(Duration::from_secs(1)));
    // The bucket counts as empty from when the clock was first seen to be back.
    limiter
        .take(&[charge], 999 * SECOND)
        .expect("at the rate again");
    limiter
        .take(&[charge], 5 * SECOND)
        .expect_err("and back once more");
    limiter
        .take(&[charge], 6 * SECOND)
        .expect("for no longer than the hint said");
    limiter
        .take(&[charge], 2_000 * SECOND)
        .expect("and caught up");
}

#[test]
fn the_end_of_time_refuses_instead_of_wrapping() {
    let limiter = Limiter::new(16);
    let charge = user(1, rate(1, 2));
    for now in [u64::MAX, u64::MAX - SECOND / 2] {
        let refused = limiter.take(&[charge], now).expect_err("cannot be counted");
        assert_eq!(refused.bound, Bound::Rate);
    }
    assert_eq!(limiter.len(), 0);
}

#[test]
fn n4_1_counts_exactly_under_concurrency() {
    let limiter = Limiter::new(1_024);
    let allowed = AtomicU32::new(0);
    // Every thread takes two keys in the other order than its neighbour, and a private one that
    // would be used up if refusals charged it.
    thread::scope(|scope| {
        for nth in 0..8_u128 {
            let (limiter, allowed) = (&limiter, &allowed);
            scope.spawn(move || {
                let shared = [user(1, rate(1, 1_000)), user(2, rate(1, 5_000))];
                let own = user(100 + nth, rate(1, 1_000));
                for _ in 0..1_000 {
                    let charges = match nth % 2 {
                        0 => [shared[0], shared[1], own],
                        _ => [own, shared[1], shared[0]],
                    };
                    if limiter.take(&charges, 0).is_ok() {
                        allowed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(allowed.load(Ordering::Relaxed), 1_000);
    let mut left = 0;
    while limiter.take(&[user(2, rate(1, 5_000))], 0).is_ok() {
        left += 1;
    }
    assert_eq!(left, 4_000, "refusals charged the other key");
}

/// A plain bucket: how much is in it, in nanoseconds of refill, and since when.
#[derive(Clone, Copy)]
struct Bucket {
    level: u128,
    at: u64,
}

fn model(buckets: &mut HashMap<u128, Bucket>, charges: &[(u128, u32, Rate)], now: u64) -> bool {
    let mut next = buckets.clone();
    for (key, units, rate) in charges {
        let full = u128::from(rate.window());
        let bucket = next.entry(*key).or_insert(Bucket {
            level: full,
            at: now,
        });
        bucket.level = full.min(bucket.level + u128::from(now - bucket.at));
        bucket.at = now;
        let cost = u128::from(rate.cost(1).expect("a cost")) * u128::from(*units);
        match bucket.level.checked_sub(cost) {
            Some(level) => bucket.level = level,
            None => return false,
        }
    }
    *buckets = next;
    true
}

proptest! {
    #[test]
    fn answers_as_plain_buckets_do(
        steps in prop::collection::vec(
            (0_u64..2 * SECOND, prop::collection::vec((0_u128..4, 0_u32..4), 1..4)),
            1..200,
        ),
        speed in 1_u32..7,
        burst in 1_u32..6,
    ) {
        let limiter = Limiter::new(16);
        let rate = rate(speed, burst);
        let mut buckets = HashMap::new();
        let mut now = 0;
        for (pause, wanted) in steps {
            now += pause;
            let charges: Vec<Charge> = wanted
                .iter()
                .map(|(hash, units)| Charge { units: *units, ..user(*hash, rate) })
                .collect();
            let expected: Vec<_> = wanted.iter().map(|(key, units)| (*key, *units, rate)).collect();
            let answer = limiter.take(&charges, now);
            prop_assert_eq!(answer.is_ok(), model(&mut buckets, &expected, now));
            if let Err(Exceeded { retry_after: Some(wait), .. }) = answer
                && charges.len() == 1
            {
                // The hint is exact: not a nanosecond earlier, and then it is so.
                let wait = u64::try_from(wait.as_nanos()).expect("fits");
                let mut then = buckets.clone();
                prop_assert!(!model(&mut then, &expected, now + wait - 1));
                prop_assert!(model(&mut then, &expected, now + wait));
            }
        }
    }
}
