//! What callers show and what the gateway holds stays where it belongs: no token and no secret in any
//! file, log, record, answer, core dump, or in `/proc` of a child.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use ringwall_tests::mcp::Client;
use ringwall_tests::wire::Outgoing;
use ringwall_tests::world::{CREDENTIAL, Fleet, Member, Plan, World};
use serde_json::json;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

/// Something that must not be found, and what it is.
struct Needle(&'static str, Vec<String>);

impl Needle {
    /// The secret as it is, and in the spellings that a log or a record could give it.
    fn new(what: &'static str, secret: &str) -> Self {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let encoded = STANDARD.encode(secret).trim_end_matches('=').to_owned();
        Needle(what, vec![secret.to_owned(), hex, encoded])
    }

    /// A token, whole, and the parts of it that would do for a copy.
    fn token(what: &'static str, token: &str) -> Self {
        let mut needle = Needle::new(what, token);
        let parts = token.split('.').skip(1).map(str::to_owned);
        needle.1.extend(parts.filter(|part| part.len() > 16));
        needle
    }

    fn is_in(&self, hay: &[u8]) -> bool {
        let in_hay = |text: &String| hay.windows(text.len()).any(|w| w == text.as_bytes());
        self.1.iter().any(in_hay)
    }
}

fn assert_absent(needles: &[Needle], place: &str, hay: &[u8]) {
    for needle in needles {
        assert!(!needle.is_in(hay), "{} is in {place}", needle.0);
    }
}

fn assert_absent_below(needles: &[Needle], folder: &Path, but: &str) -> Result<usize> {
    let mut files = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files += assert_absent_below(needles, &path, but)?;
        } else if path.is_file() && !path.ends_with(but) {
            assert_absent(needles, &path.display().to_string(), &std::fs::read(&path)?);
            files += 1;
        }
    }
    Ok(files)
}

/// What the system shows of every child of this process.
fn shown_of_children(parent: u32) -> Result<Vec<(String, Vec<u8>)>> {
    let mut shown = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{parent}/task"))? {
        // A thread that has ended since has no children.
        let Ok(children) = std::fs::read_to_string(task?.path().join("children")) else {
            continue;
        };
        for child in children.split_whitespace() {
            for what in ["environ", "cmdline"] {
                let path = format!("/proc/{child}/{what}");
                shown.push((path.clone(), std::fs::read(&path)?));
            }
        }
    }
    Ok(shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_1_no_token_and_no_secret_is_written_down_or_passed_on() -> Result<()> {
    let plan = Plan::default().whole(json!({ "log": { "level": "trace" } }));
    let members = [Member::http("remote", &[]), Member::stdio("local", &[])];
    let mut fleet = Fleet::start(plan, &members, &[]).await?;
    let (url, issuer) = (fleet.gateway.at("/all")?, &fleet.issuer);
    let good = fleet.token("/all", "alice")?;
    let elsewhere = issuer.token("https://elsewhere.example/mcp", "alice")?;
    let unsigned = issuer.sign_changed(url.as_str(), &json!({ "alg": "none" }), &json!({}))?;
    let alice = Client::connect(&url, Some(&good)).await?;
    let mut answers = Vec::new();
    for tool in ["remote__echo", "local__echo"] {
        let answer = alice.call(tool, json!({ "text": "hello" })).await?;
        answers.push(answer.to_string());
    }
    let list = json!({ "jsonrpc": "2.0", "id": 5, "method": "tools/list" });
    for token in [&elsewhere, &unsigned] {
        let request = Outgoing::message(&url, &list);
        let refused = request
            .header("authorization", &format!("Bearer {token}"))
            .send()
            .await?;
        assert_eq!(refused.status, 401);
        answers.push(String::from_utf8_lossy(&refused.body).into_owned());
    }
    // A token where none belongs: refused, and still not written down.
    let mut query = url.clone();
    query.set_query(Some(&format!("access_token={good}")));
    let refused = Outgoing::new(Method::POST, &query).send().await?;
    assert!(refused.status.is_client_error(), "{}", refused.status);
    answers.push(String::from_utf8_lossy(&refused.body).into_owned());

    let needles = [
        Needle::token("a good token", &good),
        Needle::token("a token for another audience", &elsewhere),
        Needle::token("an unsigned token", &unsigned),
        Needle::new("a session id", alice.session().context("no session")?),
    ];
    let secret = [Needle::new("the gateway's credential", CREDENTIAL)];
    let children = shown_of_children(fleet.gateway.id()?)?;
    assert!(children.len() >= 2, "the local server does not run");
    for (place, hay) in &children {
        assert_absent(&needles, place, hay);
        assert_absent(&secret, place, hay);
    }
    fleet.gateway.terminate().await?;
    let log = fleet.gateway.complaints();
    assert!(log.contains("TRACE"), "it does not log all it can");
    for hay in answers.iter().chain([&log]) {
        assert_absent(&needles, "an answer or the log", hay.as_bytes());
        assert_absent(&secret, "an answer or the log", hay.as_bytes());
    }
    // The server is shown the gateway's own credential and nothing else.
    let journals = ["remote", "local"].map(|server| fleet.journal_text(server));
    for journal in journals.into_iter().collect::<Result<Vec<_>>>()? {
        assert_absent(&needles, "what reached a server", journal.as_bytes());
    }
    assert!(secret[0].is_in(fleet.journal_text("remote")?.as_bytes()));
    let files = assert_absent_below(&needles, fleet.path(), "remote.jsonl")?;
    assert!(files > 5, "only {files} files were searched");
    assert_absent_below(&secret, fleet.path(), "remote.jsonl")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n6_3_a_gateway_that_breaks_leaves_no_core_dump() -> Result<()> {
    let mut world = World::start(Plan::default()).await?;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", world.gateway.id()?))?;
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = core
        .context("no limit of core dumps")?
        .split_whitespace()
        .collect();
    assert_eq!(words.get(4..6), Some(&["0", "0"][..]), "{words:?}");
    let ended = world.gateway.abort().await?;
    assert_eq!(ended.signal(), Some(6));
    assert!(!ended.core_dumped());
    Ok(())
}
