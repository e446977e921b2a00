//! `ringwall sessions` before a gateway that is played here: what it shows of an answer, and what it
//! says when none comes. The real gateway is asked by the black-box tests of the workspace.

use super::program::{Said, ringwall};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;

/// The command before a gateway that answers this, and what it asked.
fn before(answer: &str, words: &[&str]) -> (Said, Value) {
    let data = tempfile::tempdir().unwrap();
    let socket = UnixListener::bind(data.path().join("control.sock")).unwrap();
    let mut all = vec!["sessions"];
    all.extend_from_slice(words);
    let mut asked = String::new();
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            let (stream, _) = socket.accept().unwrap();
            BufReader::new(&stream).read_line(&mut asked).unwrap();
            (&stream).write_all(answer.as_bytes()).unwrap();
        });
        ringwall(&all, Some(data.path()))
    });
    (said, serde_json::from_str(&asked).unwrap())
}

/// An answer in which a name hides something.
fn holdings() -> Value {
    let session = json!({
        "session": "0123456789abcdef", "user": "a-key", "issuer": "https://a", "subject": "ada\u{202e}\u{1b}[2J",
        "client": null, "route": "/files", "revision": "2025-06-18", "footing": "session",
        "servers": [{ "server": "files", "revision": "2025-11-25" }, { "server": "search", "revision": "2026-07-28" }],
        "under_way": 1, "questions": 2, "tasks": 3, "streams": 4, "age_ms": 3_725_000, "idle_ms": 61_000
    });
    let user = json!({
        "user": "a-key", "issuer": "https://a", "subject": "ada\u{202e}\u{1b}[2J", "sessions": 1, "parked": 5
    });
    json!({
        "at_ms": 1_763_845_526_123_u64, "left_out": 6, "users": [user], "sessions": [session],
        "totals": { "sessions": 7, "stateless": 1, "users": 2, "under_way": 8, "questions": 9, "tasks": 10,
            "streams": 11, "parked": 12 },
        "bounds": { "sessions": 100_000, "sessions_per_user": 64, "parked_per_user": 8, "questions": 64,
            "tasks": 1024, "streams": 17 }
    })
}

#[test]
fn the_table_shows_everything_that_is_held_and_nothing_hidden() {
    let answer = json!({ "done": holdings() }).to_string() + "\n";
    let (said, asked) = before(&answer, &[]);
    assert_eq!(asked, json!({ "ask": "sessions.list", "input": {} }));
    let said = said.good();
    let expected = "\
USER                     CLIENT  ROUTE   REVISION    ERA      SERVERS                              CALLS  QUESTIONS  TASKS  STREAMS  AGE    IDLE   SESSION
ada\\u{202e}\\u{1b}[2J     -       /files  2025-06-18  session  files 2025-11-25, search 2026-07-28  1      2          3      4        1h02m  1m01s  0123456789abcdef

USER                  SESSIONS  PARKED
ada\\u{202e}\\u{1b}[2J  1 of 64   5 of 8

6 more are left out: ask for less with --user or --route

in all: sessions 7 of 100000 (stateless 1), users 2, calls under way 8, questions 9, tasks 10, streams 11, parked 12
one session holds at most: questions 64, tasks 1024, streams 17
";
    let plain = |text: &str| -> Vec<Vec<String>> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        text.lines().map(words).collect()
    };
    assert_eq!(plain(&said), plain(expected), "{said}");
    assert!(!said.contains(['\u{202e}', '\u{1b}']));
}

#[test]
fn json_is_what_the_gateway_says() {
    let answer = json!({ "done": holdings() }).to_string() + "\n";
    let (said, asked) = before(&answer, &["--json", "--user", "ada", "--route", "/files"]);
    assert_eq!(
        asked,
        json!({ "ask": "sessions.list", "input": { "user": "ada", "route": "/files" } })
    );
    assert_eq!(said.json(), holdings());
}

#[test]
fn an_answer_that_is_none_says_what_to_do() {
    for (answer, told) in [
        (
            "{\"refused\":\"8 ask already \\u001b[2J\"}\n",
            "8 ask already \\u{1b}[2J",
        ),
        ("{\"refused\":\"cut o", "--user or --route"),
        ("", "--user or --route"),
        ("{\"tools\\u001b\":[]}\n", "tools\\u{1b}"),
        ("{\"done\":{}}\n", "of this version"),
        ("no JSON\n", "of this version"),
    ] {
        let (said, _) = before(answer, &[]);
        let said = said.bad();
        assert!(said.contains(told), "{answer:?}: {said}");
        assert!(!said.contains('\u{1b}'), "{answer:?}: {said}");
    }
}

#[test]
fn without_a_gateway_it_says_how_to_have_one() {
    let data = tempfile::tempdir().unwrap();
    let nobody = "start one with `ringwall serve`";
    let told = ringwall(&["sessions"], Some(data.path())).bad();
    assert!(told.contains(nobody), "{told}");
    // A socket that outlived its gateway is no gateway.
    drop(UnixListener::bind(data.path().join("control.sock")).unwrap());
    let told = ringwall(&["sessions"], Some(data.path())).bad();
    assert!(told.contains(nobody), "{told}");
    let told = ringwall(&["sessions"], Some(&data.path().join("gone"))).bad();
    assert!(told.contains("has the gateway run?"), "{told}");
    let told = ringwall(&["sessions"], None).bad();
    assert!(told.contains("--config"), "{told}");
}
