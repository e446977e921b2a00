//! The index finds what the ledger holds, whatever happens to the index.

use super::*;
use crate::ledger::Durability;
use crate::record::{Record, Refusal, Verdict};
use crate::sample::{Sample, append, call, comes, small};
use std::fs;

fn ids(hits: Vec<Hit>) -> Vec<String> {
    hits.into_iter().map(|hit| hit.id).collect()
}

fn refused(number: u64) -> Vec<u8> {
    let mut record = call(number);
    record.verdict = Verdict::Refused;
    record.refusal = Some(Refusal {
        code: "policy_denied".into(),
        control: "2.2".into(),
        reason: "no policy allows `delete_everything`".into(),
        ..Refusal::default()
    });
    let mut bytes = Vec::new();
    record.to_canonical(&mut bytes);
    bytes
}

/// Nine calls, every third of them refused, over several segments, some of them compressed.
fn sample() -> Sample {
    let sample = Sample::new();
    let ledger = sample.open(small());
    for number in 1..=9u64 {
        if number % 3 == 0 {
            ledger
                .append(refused(number), Durability::BeforeAnswer)
                .wait()
                .unwrap();
        } else {
            append(&ledger, [number]);
        }
    }
    ledger.close().unwrap();
    sample
}

fn with(change: impl FnOnce(&mut Query)) -> Query {
    let mut query = Query::default();
    change(&mut query);
    query
}

fn numbers(list: &[u64]) -> Vec<String> {
    list.iter().map(|number| format!("call-{number}")).collect()
}

#[test]
fn n5_1_finds_records_by_word_and_by_field() {
    let sample = sample();
    let mut index = Index::open(&sample.path()).unwrap();
    assert_eq!(index.catch_up().unwrap(), 9);
    let some = |text: &str| Some(text.to_owned());
    let text = |text: &str| with(|query| query.text = some(text));
    let alice = with(|query| query.user = some("alice"));
    let refused = with(|query| query.verdict = Some(Verdict::Refused));
    let fields = with(|query| (query.route, query.code) = (some("/files"), some("policy_denied")));
    let control = |id: &str| with(|query| query.control = some(id));
    let time = |since, until| with(|query| (query.since, query.until) = (since, until));
    for (query, expected) in [
        (with(|_| {}), &[9, 8, 7, 6, 5, 4, 3, 2, 1][..]),
        (with(|query| query.limit = Some(2)), &[9, 8]),
        (text("delete everything"), &[9, 6, 3]),
        (text("delet*"), &[9, 6, 3]),
        (text("delet"), &[]),
        (text("\" OR xxu -*"), &[]),
        (text("call 7"), &[7]),
        (alice.clone(), &[8, 6, 4, 2]),
        (refused.clone(), &[9, 6, 3]),
        (with(|query| query.user = some("ALICE")), &[]),
        (with(|query| query.tool = some("read_file_5")), &[5]),
        (fields, &[9, 6, 3]),
        (control("2.2"), &[9, 6, 3]),
        (control("2"), &[]),
        (time(Some(1_008_000), None), &[9, 8]),
        (time(None, Some(1_002_000)), &[2, 1]),
        (time(Some(u64::MAX), None), &[]),
        (
            Query {
                since: Some(1_003_000),
                until: Some(1_006_000),
                ..refused.clone()
            },
            &[6, 3],
        ),
        (
            Query {
                user: some("alice"),
                ..refused
            },
            &[6],
        ),
    ] {
        let found = ids(index.search(&query).unwrap());
        assert_eq!(found, numbers(expected), "{query:?}");
        let there = crate::sample::records(&sample.path());
        let admitted = there.iter().rev().filter(|record| query.admits(record));
        let admitted: Vec<_> = admitted
            .map(|record| record.id.to_string())
            .take(query.limit())
            .collect();
        assert_eq!(found, admitted, "index and record disagree on {query:?}");
    }
    assert_eq!(ids(index.tail(3).unwrap()), numbers(&[9, 8, 7]));
}

#[test]
fn pages_through_hits() {
    let sample = sample();
    let mut index = Index::open(&sample.path()).unwrap();
    index.catch_up().unwrap();
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = index
            .search(&Query {
                limit: Some(2),
                before,
                ..Query::default()
            })
            .unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.seq);
        seen.extend(ids(page));
    }
    assert_eq!(seen, numbers(&[9, 8, 7, 6, 5, 4, 3, 2, 1]));
}

#[test]
fn shows_a_record_from_the_ledger_itself() {
    let sample = sample();
    sample.crashed();
    let mut index = Index::open(&sample.path()).unwrap();
    index.catch_up().unwrap();
    let entry = index.show("call-4").unwrap();
    assert!(matches!(entry.content, crate::Content::Record(record) if *record == call(4)));
    assert!(matches!(
        index.show("call-40"),
        Err(IndexError::Unknown { .. })
    ));
    for one in crate::segment::list(&sample.path()).unwrap() {
        if one.plain {
            let path = sample.segment(one.number);
            let text = fs::read_to_string(&path)
                .unwrap()
                .replace("read_file_8", "read_file_0");
            fs::write(&path, text).unwrap();
        } else {
            return; // compressed meanwhile; the other run shows it
        }
    }
    assert!(matches!(index.show("call-8"), Err(IndexError::Read(_))));
}

#[test]
fn takes_in_only_what_is_new() {
    let sample = Sample::new();
    let ledger = sample.open(small());
    let mut index = Index::open(&sample.path()).unwrap();
    assert_eq!(index.catch_up().unwrap(), 0);
    for number in 1..=20 {
        append(&ledger, [number]);
        assert_eq!(index.catch_up().unwrap(), 1);
        if number % 5 == 0 {
            index = Index::open(&sample.path()).unwrap();
        }
    }
    assert_eq!(index.tail(100).unwrap().len(), 20);
}

#[test]
fn is_built_anew_when_it_is_damaged() {
    let sample = sample();
    let database = sample.path().join(DATABASE);
    for content in [
        &b"not a database at all, but long enough to be looked at".repeat(40)[..],
        b"",
    ] {
        fs::write(&database, content).unwrap();
        let mut index = Index::open(&sample.path()).unwrap();
        assert_eq!(index.catch_up().unwrap(), 9);
        drop(index);
    }
}

#[test]
fn is_built_anew_for_another_ledger() {
    let (one, other) = (sample(), Sample::closed(small(), 4));
    let database = one.dir.path().join("elsewhere.sqlite");
    Index::open_at(&one.path(), &database)
        .unwrap()
        .catch_up()
        .unwrap();
    let mut index = Index::open_at(&other.path(), &database).unwrap();
    // The other ledger is shorter, so there may be nothing at all where the next line was.
    let ledger = other.open(small());
    append(&ledger, 5..=40);
    index.catch_up().unwrap();
    assert_eq!(ids(index.tail(100).unwrap()).len(), 40);
}

#[test]
fn a_thread_keeps_it_up_to_date() {
    let sample = Sample::new();
    let ledger = sample.open(small());
    let indexer = Indexer::start(&sample.path(), std::time::Duration::from_millis(1)).unwrap();
    append(&ledger, 1..=10);
    let reader = Index::open(&sample.path()).unwrap();
    comes(|| reader.tail(100).unwrap().len() == 10);
    assert_eq!(indexer.failure(), None);
}

#[test]
fn a_text_cannot_pass_for_a_field() {
    let sample = Sample::new();
    let ledger = sample.open(small());
    let forged = Record {
        subject: Some(search::Field::User.word("alice").into()),
        id: "forged".into(),
        ..Record::default()
    };
    let mut bytes = Vec::new();
    forged.to_canonical(&mut bytes);
    ledger
        .append(bytes, Durability::BeforeAnswer)
        .wait()
        .unwrap();
    let mut index = Index::open(&sample.path()).unwrap();
    index.catch_up().unwrap();
    let query = Query {
        user: Some("alice".into()),
        ..Query::default()
    };
    assert!(index.search(&query).unwrap().is_empty());
}
