//! Seats: taken, given back, never miscounted.

use super::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

fn seat(dimension: Dimension, hash: u128, max: u32) -> Seat {
    Seat {
        dimension,
        key: KeyHash::from_u128(hash),
        max: NonZeroU32::new(max).expect("not zero"),
    }
}

#[test]
fn n4_3_holds_seats_until_the_permit_is_dropped() {
    let concurrency = Concurrency::new(16);
    let tool = seat(Dimension::Tool, 1, 2);
    let first = concurrency.enter(&[tool]).expect("a seat");
    let second = concurrency.enter(&[tool]).expect("a seat");
    let refused = concurrency.enter(&[tool]).expect_err("taken");
    assert_eq!(
        refused,
        Exceeded {
            dimension: Dimension::Tool,
            retry_after: None,
            bound: Bound::Seats
        }
    );
    drop(first);
    let third = concurrency.enter(&[tool]).expect("given back");
    concurrency.enter(&[tool]).expect_err("taken again");
    drop((second, third));
    assert_eq!(
        concurrency.len(),
        0,
        "a key with nobody inside is forgotten"
    );
}

#[test]
fn n4_3_a_refusal_holds_no_seat() {
    let concurrency = Concurrency::new(16);
    let full = seat(Dimension::Tool, 1, 1);
    let user = seat(Dimension::User, 2, 1);
    let _inside = concurrency.enter(&[full]).expect("a seat");
    for seats in [[user, full], [full, user]] {
        let refused = concurrency.enter(&seats).expect_err("the tool is full");
        assert_eq!(refused.dimension, Dimension::Tool);
    }
    assert_eq!(concurrency.len(), 1);
    let _user = concurrency.enter(&[user]).expect("was not taken");
}

#[test]
fn the_same_key_twice_takes_two_seats() {
    let concurrency = Concurrency::new(16);
    let two = seat(Dimension::User, 1, 2);
    let permit = concurrency.enter(&[two, two]).expect("two seats");
    concurrency.enter(&[two]).expect_err("both are taken");
    drop(permit);
    assert_eq!(concurrency.len(), 0);
    let one = seat(Dimension::User, 1, 1);
    concurrency
        .enter(&[one, one])
        .expect_err("there is only one");
    assert_eq!(concurrency.len(), 0);
}

#[test]
fn a_limit_that_was_lowered_counts_those_already_inside() {
    let concurrency = Concurrency::new(16);
    let wide = seat(Dimension::User, 1, 3);
    let permits = [
        concurrency.enter(&[wide]).expect("a seat"),
        concurrency.enter(&[wide]).expect("a seat"),
    ];
    let narrow = seat(Dimension::User, 1, 1);
    concurrency.enter(&[narrow]).expect_err("two are inside");
    drop(permits);
    let _permit = concurrency.enter(&[narrow]).expect("nobody is inside");
}

#[test]
fn a_full_table_refuses_new_keys() {
    let concurrency = Concurrency::new(2);
    let _first = concurrency
        .enter(&[seat(Dimension::Source, 1, 9)])
        .expect("room");
    let _second = concurrency
        .enter(&[seat(Dimension::Source, 2, 9)])
        .expect("room");
    let refused = concurrency
        .enter(&[seat(Dimension::Source, 3, 9)])
        .expect_err("full");
    assert_eq!(refused.bound, Bound::Keys);
    let _known = concurrency
        .enter(&[seat(Dimension::Source, 1, 9)])
        .expect("known");
}

#[test]
fn refuses_a_question_with_too_many_seats() {
    let concurrency = Concurrency::new(16);
    let seats = vec![seat(Dimension::User, 1, 100); Concurrency::SEATS_MAX + 1];
    let refused = concurrency.enter(&seats).expect_err("one too many");
    assert_eq!(refused.bound, Bound::Question);
    let _permit = concurrency.enter(&seats[1..]).expect("as many as may be");
}

#[test]
fn n4_3_never_lets_more_inside_under_concurrency() {
    let concurrency = Concurrency::new(64);
    let (inside, most, entered) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for nth in 0..8_u128 {
            let (concurrency, inside) = (&concurrency, &inside);
            let (most, entered) = (&most, &entered);
            scope.spawn(move || {
                let shared = seat(Dimension::Tool, 1, 3);
                let own = seat(Dimension::User, nth, 1);
                for _ in 0..2_000 {
                    let seats = match nth % 2 {
                        0 => [shared, own],
                        _ => [own, shared],
                    };
                    if let Ok(permit) = concurrency.enter(&seats) {
                        let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        entered.fetch_add(1, Ordering::SeqCst);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(permit);
                    }
                }
            });
        }
    });
    assert!(most.load(Ordering::SeqCst) <= 3);
    assert!(entered.load(Ordering::SeqCst) > 0);
    assert_eq!(concurrency.len(), 0);
}
