//! Kills a process that writes a ledger at full speed, at random moments, again and again. Whatever
//! it had acknowledged is there afterwards, the chain verifies, and the next process goes on.
//!
//! The killed process is this same test program, told by its environment to be the writer.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

use ringwall_audit::{
    Content, Durability, Follower, From, Ledger, Record, Settings, SigningKey, verify,
};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const DIR: &str = "RINGWALL_CRASH_DIR";
const ROUND: &str = "RINGWALL_CRASH_ROUND";
const ROUNDS: &str = "RINGWALL_CRASH_ROUNDS";
const SEED: &str = "RINGWALL_CRASH_SEED";
const THREADS: u64 = 8;
/// A ledger is used for so many rounds before a new one is begun, so that rounds stay short.
const ROUNDS_OF_A_LEDGER: u64 = 10;
/// Longer than any round takes on a busy machine, shorter than anybody wants to wait for a hanging test.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings() -> Settings {
    Settings {
        segment_bytes: 64 << 10,
        checkpoint_records: 50,
        interval: Duration::from_millis(3),
        ..Settings::default()
    }
}

fn open(dir: &Path) -> Ledger {
    let key = SigningKey::load_or_create(&dir.join("ledger.key")).unwrap();
    Ledger::open(&dir.join("ledger"), settings(), key).unwrap()
}

/// The writer: appends until it is killed, and says what was acknowledged.
#[test]
fn writer_that_is_killed() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let round = std::env::var(ROUND).unwrap();
    let ledger = open(Path::new(&dir));
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (ledger, next, round) = (&ledger, &next, &round);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let id = format!("{round}-{number}");
                    let mut bytes = Vec::new();
                    let padding = "x".repeat((number % 700) as usize);
                    Record {
                        at_ms: number,
                        id: id.as_str().into(),
                        trace: Some(padding.into()),
                        ..Record::default()
                    }
                    .to_canonical(&mut bytes);
                    // Records that nobody waits for keep unacknowledged lines in the file.
                    let is_awaited = !number.is_multiple_of(4);
                    let durability = match is_awaited {
                        true => Durability::BeforeAnswer,
                        false => Durability::Interval,
                    };
                    let appended = ledger.append(bytes, durability).wait();
                    if is_awaited && appended.is_ok() {
                        let mut out = std::io::stdout().lock();
                        if writeln!(out, "ack {id}")
                            .and_then(|()| out.flush())
                            .is_err()
                        {
                            return;
                        }
                    }
                }
            });
        }
    });
}

#[test]
fn n5_1_a_killed_process_loses_no_acknowledged_record() {
    let rounds = number_from(ROUNDS).unwrap_or(200);
    let seed = number_from(SEED).unwrap_or_else(|| RandomState::new().hash_one("seed"));
    println!("seed {seed} ({SEED}={seed} repeats it), {rounds} rounds");
    let mut random = Random(seed);
    let begun = Instant::now();
    let (mut acknowledged, mut torn) = (0usize, 0u64);
    let mut round = 0;
    while round < rounds {
        let dir = tempfile::tempdir().unwrap();
        let mut expected = HashSet::new();
        for _ in 0..ROUNDS_OF_A_LEDGER.min(rounds - round) {
            round += 1;
            let before = expected.len();
            crash(dir.path(), round, &mut random, &mut expected);
            acknowledged += expected.len() - before;
            torn += u64::from(check(dir.path(), &expected));
        }
    }
    println!(
        "{acknowledged} records acknowledged, {torn} tails torn, {:?} a round",
        begun.elapsed() / rounds as u32
    );
    assert!(acknowledged > 0);
}

/// Starts a writer and kills it: during start-up, after some acknowledgements, or a while later.
fn crash(dir: &Path, round: u64, random: &mut Random, expected: &mut HashSet<String>) {
    let mut child = spawn(dir, round);
    let out = child.stdout.take().unwrap();
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if let Some((_, id)) = line.split_once("ack ") {
                let _ = sender.send(id.to_owned());
            }
        }
    });
    let mut take = |timeout: Duration| match lines.recv_timeout(timeout) {
        Ok(id) => expected.insert(id),
        Err(RecvTimeoutError::Timeout) => false,
        Err(RecvTimeoutError::Disconnected) => panic!("the writer ended by itself"),
    };
    if random.below(8) != 0 {
        for _ in 0..random.below(150) {
            assert!(take(PATIENCE), "the writer hangs");
        }
    }
    let until = Instant::now() + Duration::from_micros(random.below(8000));
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        take(left);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    expected.extend(lines.try_iter());
}

/// Recovers, verifies, and looks for every acknowledged record. Says whether a tail was torn.
fn check(dir: &Path, expected: &HashSet<String>) -> bool {
    let ledger = open(dir);
    let torn = ledger.opened().torn.is_some();
    ledger.close().unwrap();
    let key = SigningKey::load_or_create(&dir.join("ledger.key"))
        .unwrap()
        .public();
    let report = verify(&dir.join("ledger"), &key).unwrap();
    assert_eq!(report.unsealed_tail, 0);
    let mut there = HashSet::new();
    let mut follower = Follower::open(&dir.join("ledger"), From::Start).unwrap();
    while let Some(entry) = follower.poll().unwrap() {
        if let Content::Record(record) = entry.content {
            assert!(
                there.insert(record.id.to_string()),
                "`{}` is there twice",
                record.id
            );
        }
    }
    let lost: Vec<_> = expected.difference(&there).collect();
    assert!(lost.is_empty(), "lost {lost:?}");
    torn
}

#[expect(
    clippy::disallowed_methods,
    reason = "the process that is killed is this test itself"
)]
fn spawn(dir: &Path, round: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_that_is_killed", "--nocapture"])
        .env(DIR, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|value| value.parse().unwrap())
}

/// SplitMix64: a few lines, and every seed gives the same plan, if not the same instants.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
