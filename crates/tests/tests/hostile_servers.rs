//! Servers that mean harm, in every pairing of eras.

use anyhow::Result;
use ringwall_tests::pairing::{Caller, PAIRINGS, world};
use ringwall_tests::world::Plan;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn explore() -> Result<()> {
    for (client, server) in PAIRINGS {
        let plan = Plan::default().hostile().server(json!({ "timeout": "2s" }));
        let world = world(plan.whole(json!({ "limits": { "answer_bytes": "1MiB" } })), server).await?;
        let alice = Caller::plain(&world, "alice", client).await?;
        let knobs = [
            ("stray", "duplicate_answer"), ("stray", "wrong_id_first"), ("stray", "late"), ("stray", "no_answer"), ("stray", "garbage"),
            ("stray", "request"), ("stray", "request_same_id"), ("stray", "foreign_progress"), ("stray", "foreign_subscription"),
            ("stray", "foreign_answer"), ("stray", "endless"), ("stray", "comments"), ("stray", "endless_line"), ("stray", "huge_line"),
            ("misuse_input", "undeclared"), ("misuse_input", "unknown_method"), ("misuse_input", "empty"), ("misuse_input", "state_only"),
            ("misuse_input", "forever"), ("misuse_input", "huge_state"), ("misuse_input", "state_not_text"), ("misuse_input", "many_requests"),
            ("odd_result", "unknown_type"), ("odd_result", "no_type"), ("odd_result", "task_undeclared"), ("odd_result", "no_object"),
            ("odd_result", "old_code"), ("odd_result", "reserved_code"), ("odd_result", "private_code"), ("odd_result", "extra_members"),
            ("endless_task", ""), ("task_of_nobody", ""),
        ];
        for (tool, kind) in knobs {
            let begun = std::time::Instant::now();
            let n = if kind == "huge_line" || kind == "huge_state" { 3_000_000 } else { 100 };
            let arguments = match tool { "stray" | "misuse_input" => json!({ "kind": kind, "n": n }), "odd_result" => json!({ "kind": kind }), _ => json!({}) };
            let told = alice.told(tool, arguments).await;
            match told {
                Ok(told) => {
                    let mut last = told.said.last().unwrap_or(&json!(null)).to_string();
                    last.truncate(330);
                    println!("{client:?}->{server:?} {tool}/{kind}: {} {} n={} ans={} {:?}\n      {last}", told.status, told.outcome().chars().take(60).collect::<String>(), told.said.len(), told.answers(), begun.elapsed());
                    if told.said.len() > 1 && told.said.len() < 5 { println!("      first {}", told.said[0]); }
                }
                Err(error) => println!("{client:?}->{server:?} {tool}/{kind}: ERR {error:#}"),
            }
        }
    }
    Ok(())
}
