//! How fast the strict reader reads, in one thread:
//! `cargo run --release -p ringwall-protocol --example reading_speed`.
//!
//! It prints figures and judges nothing: speed is never asserted.

use bytes::Bytes;
use ringwall_protocol::{Document, Limits, Message};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    let prose = "The quick brown fox jumps over the lazy dog and does it again, every day. ";
    let texts = [
        ("small tools/call", call()),
        ("64 KiB of plain text", result(&prose.repeat(900))),
        (
            "64 KiB of text with line ends",
            result(&prose.replace(", ", ",\\n").repeat(900)),
        ),
        (
            "64 KiB of German text",
            result(&prose.replace("fox", "Füchse").repeat(900)),
        ),
        (
            "64 KiB of Greek text",
            result(&"αβγδεζηθικλμνξοπρ ".repeat(2000)),
        ),
        ("list of 100 tools", tools(100)),
        ("dense records", records(2000)),
        ("dense numbers", numbers(20_000)),
    ];
    println!(
        "{:<32}{:>10}{:>10}{:>12}{:>12}",
        "text", "bytes", "MB/s", "µs/message", "serde_json"
    );
    for (name, text) in texts {
        let bytes = Bytes::from(text);
        let ours = time(|| {
            let document = Document::read(bytes.clone(), &Limits::default());
            black_box(document.and_then(Message::read).is_ok());
        });
        let theirs = time(|| {
            let value: Result<serde_json::Value, _> = serde_json::from_slice(&bytes);
            black_box(value.is_ok());
        });
        let speed = |each: Duration| bytes.len() as f64 / each.as_secs_f64() / 1e6;
        println!(
            "{name:<32}{:>10}{:>10.0}{:>12.2}{:>12.0}",
            bytes.len(),
            speed(ours),
            ours.as_secs_f64() * 1e6,
            speed(theirs)
        );
    }
}

/// The fastest of several rounds: what the machine can do when nobody disturbs it.
fn time(mut work: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..30 {
        let start = Instant::now();
        let mut times = 0;
        while start.elapsed() < Duration::from_millis(10) {
            work();
            times += 1;
        }
        best = best.min(start.elapsed() / times);
    }
    best
}

fn call() -> String {
    r#"{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"search_documents","arguments":{"query":"quarterly results","limit":20,"filter":{"owner":"finance","year":2026}},"_meta":{"progressToken":"p-17"}}}"#.into()
}

fn result(text: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":17,"result":{{"content":[{{"type":"text","text":"{text}"}}]}}}}"#
    )
}

fn tools(count: usize) -> String {
    let tool = |n: usize| {
        format!(
            r#"{{"name":"tool_{n}","title":"Tool {n}","description":"Does the thing number {n} for the user, with care.","inputSchema":{{"type":"object","properties":{{"path":{{"type":"string","description":"Where to look"}},"depth":{{"type":"integer","minimum":0,"maximum":10}},"mode":{{"enum":["fast","slow"]}}}},"required":["path"],"additionalProperties":false}}}}"#
        )
    };
    let list: Vec<_> = (0..count).map(tool).collect();
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{}]}}}}"#,
        list.join(",")
    )
}

fn records(count: usize) -> String {
    let record = |n: usize| {
        format!(
            r#"{{"id":{n},"name":"n{n}","ok":true,"at":{}.5,"tags":["a","b"],"x":null}}"#,
            n * 7
        )
    };
    let list: Vec<_> = (0..count).map(record).collect();
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"rows":[{}]}}}}"#,
        list.join(",")
    )
}

fn numbers(count: usize) -> String {
    let list: Vec<_> = (0..count).map(|n| (n * n).to_string()).collect();
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"rows":[{}]}}}}"#,
        list.join(",")
    )
}
