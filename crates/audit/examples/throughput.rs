//! How fast the ledger is on this machine: appending with both durabilities, verifying, indexing
//! and searching. Prints one line each; `RECORDS` sets how many records the big ledger has.
//!
//! `cargo run --release -p ringwall-audit --example throughput [DIR]`

use ringwall_audit::{
    Controls, Digests, Durability, Index, Ledger, LedgerError, Policy, Query, Record, Settings,
    SigningKey, Sizes, Timings, Upstream, Verdict, Who, verify,
};
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const THREADS: u64 = 64;
const DIGEST: &str = "sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9";

fn main() -> Result<(), Box<dyn Error>> {
    let records = std::env::var("RECORDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let records: u64 = records.unwrap_or(1_000_000);
    let base = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "target/throughput".to_owned());
    let base = Path::new(&base);
    if base.exists() {
        std::fs::remove_dir_all(base)?;
    }
    write_records();
    append_waiting(&base.join("waiting"), records / 4)?;
    append_interval(&base.join("interval"), records)?;
    check(&base.join("waiting"), records / 4)?;
    check(&base.join("interval"), records)?;
    search(&base.join("interval"))?;
    std::fs::remove_dir_all(base)?;
    Ok(())
}

fn write_records() {
    let count = 400_000;
    let begun = Instant::now();
    let record = call(7, "01J00000000000000000000007");
    let mut bytes = 0;
    for _ in 0..count {
        let mut out = Vec::new();
        black_box(&record).to_canonical(&mut out);
        bytes = black_box(out).len();
    }
    let each = begun.elapsed() / u32::try_from(count).unwrap_or(1);
    println!("canonical record: {each:?} each, {bytes} bytes");
}

fn append_waiting(dir: &Path, records: u64) -> Result<(), Box<dyn Error>> {
    let ledger = open(dir)?;
    let next = AtomicU64::new(0);
    let begun = Instant::now();
    let failed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= records {
                            return Ok(());
                        }
                        ledger
                            .append(bytes(number), Durability::BeforeAnswer)
                            .wait()?;
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .any(|thread| !matches!(thread.join(), Ok(Ok::<(), LedgerError>(()))))
    });
    report(
        "appended before the answer, 64 threads",
        records,
        begun.elapsed(),
    );
    ledger.close()?;
    if failed {
        Err("an append failed".into())
    } else {
        Ok(())
    }
}

fn append_interval(dir: &Path, records: u64) -> Result<(), Box<dyn Error>> {
    let ledger = open(dir)?;
    let begun = Instant::now();
    for number in 0..records {
        let record = bytes(number);
        loop {
            match ledger.append(record.clone(), Durability::Interval).wait() {
                Err(LedgerError::Full) => std::thread::yield_now(),
                other => break other?,
            }
        }
    }
    ledger
        .append(bytes(records), Durability::BeforeAnswer)
        .wait()?;
    report(
        "appended by interval, made and appended by one thread, until durable",
        records,
        begun.elapsed(),
    );
    ledger.close()?;
    Ok(())
}

fn check(dir: &Path, records: u64) -> Result<(), Box<dyn Error>> {
    let key = SigningKey::load(&dir.with_extension("key"))?.public();
    let begun = Instant::now();
    let found = verify(dir, &key)?;
    let time = begun.elapsed();
    let packed = std::fs::read_dir(dir)?
        .filter_map(Result::ok)
        .filter(|file| {
            file.path()
                .extension()
                .is_some_and(|extension| extension == "gz")
        })
        .count();
    let what = format!(
        "verified, {packed} of {} segments compressed",
        found.segments
    );
    report(&what, records, time);
    Ok(())
}

fn search(dir: &Path) -> Result<(), Box<dyn Error>> {
    let mut index = Index::open(dir)?;
    let begun = Instant::now();
    let records = index.catch_up()?;
    report("indexed", records, begun.elapsed());
    for (what, query) in queries() {
        let begun = Instant::now();
        let hits = index.search(&query)?.len();
        println!("search, {what}: {hits} hits in {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    index.show("01J00000000000000000077777")?;
    println!("show, from a compressed segment: {:?}", begun.elapsed());
    Ok(())
}

fn queries() -> [(&'static str, Query); 9] {
    let some = |text: &str| Some(text.to_owned());
    let with = |change: &dyn Fn(&mut Query)| {
        let mut query = Query::default();
        change(&mut query);
        query
    };
    let text = |text: &str| with(&|query| query.text = some(text));
    let refused = with(&|query| query.verdict = Some(Verdict::Refused));
    let allowed = with(&|query| query.verdict = Some(Verdict::Allowed));
    let minute = with(&|query| {
        query.since = Some(1_790_000_000_000);
        query.until = Some(1_790_000_060_000);
    });
    [
        ("newest 100", Query::default()),
        ("one id as text", text("01J00000000000000000077777")),
        ("a word all have", text("tools call")),
        ("a rare word", text("tool4242")),
        (
            "user and verdict",
            Query {
                user: some("user20@example.com"),
                ..refused
            },
        ),
        (
            "common and rare word",
            Query {
                text: some("tools tool4242"),
                ..allowed
            },
        ),
        ("start of a word", text("tool99*")),
        ("an old minute", minute),
        (
            "nothing",
            Query {
                user: some("nobody"),
                ..text("tools nowhere")
            },
        ),
    ]
}

fn open(dir: &Path) -> Result<Ledger, Box<dyn Error>> {
    let key = SigningKey::load_or_create(&dir.with_extension("key"))?;
    Ok(Ledger::open(dir, Settings::default(), key)?)
}

fn report(what: &str, records: u64, time: Duration) {
    let rate = records as f64 / time.as_secs_f64();
    println!("{what}: {records} in {time:?}, {rate:.0} records/s");
}

fn bytes(number: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(1536);
    call(number, &format!("01J{number:023}")).to_canonical(&mut out);
    out
}

/// An ordinary allowed call; every thirtieth is refused.
fn call(number: u64, id: &str) -> Record<'_> {
    let is_refused = number.is_multiple_of(30);
    Record {
        at_ms: 1_790_000_000_000 + number,
        id: id.into(),
        verdict: if is_refused {
            Verdict::Refused
        } else {
            Verdict::Allowed
        },
        route: Some("/files".into()),
        server: Some("files".into()),
        source: Some("192.0.2.7:51234".into()),
        transport: Some("http".into()),
        revision: Some("2025-11-25".into()),
        method: Some("tools/call".into()),
        subject: Some(format!("tool{}", number % 5000).into()),
        definition: Some(DIGEST.into()),
        who: Some(Who {
            actor: None,
            user: Some(format!("user{}@example.com", number % 100).into()),
            issuer: Some("https://id.example.com".into()),
            subject: Some("0f8fad5b-d9cb-469f-a165-70867728950e".into()),
            client: Some("editor".into()),
            session_digest: Some(DIGEST.into()),
        }),
        policy: Some(Policy {
            digest: Some(DIGEST.into()),
            verdict: Some("allow".into()),
            determining: vec!["policy0".into()],
        }),
        controls: Some(Controls {
            ran: [
                "1.1", "1.2", "2.1", "2.2", "3.4", "4.1", "7.1", "9.2", "M1", "M2",
            ]
            .map(Into::into)
            .to_vec(),
            skipped: Vec::new(),
        }),
        timings_us: Some(Timings {
            admit: Some(1),
            authorize: Some(12),
            consult: Some(0),
            forward: Some(812),
            frame: Some(2),
            identify: Some(1),
            inspect: Some(3),
            resolve: Some(1),
            screen: Some(4),
            total: Some(845),
            validate: Some(2),
        }),
        sizes: Some(Sizes {
            request: Some(412),
            answer: Some(1290),
        }),
        digests: Some(Digests {
            arguments: Some(DIGEST.into()),
            answer: Some(DIGEST.into()),
        }),
        upstream: Some(Upstream {
            status: Some(200),
            ms: Some(1),
            session_digest: Some(DIGEST.into()),
        }),
        ..Record::default()
    }
}
