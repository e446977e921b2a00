//! What remains of the demo: the ledger, verified and searched, and commands to go on by hand.

use super::page::Page;
use super::world::{ALICE, SCOPE, World};
use anstream::println;
use anyhow::Context;
use audit::{Index, PublicKey, Query, Verdict};
use std::path::Path;

/// Verifies the ledger, and looks for everything the page told.
pub(super) fn ledger(data: &Path, page: &mut Page) -> anyhow::Result<()> {
    page.scene("The ledger");
    let folder = data.join("ledger");
    let key = PublicKey::load(&data.join("ledger.pub"))?;
    match audit::verify(&folder, &key) {
        Ok(report) => page.claim(
            report.records > 0 && report.torn_tail == 0,
            &format!(
                "{} records, hash by hash, under {} signed checkpoints (control {})",
                report.records,
                report.checkpoints,
                controls::N5_1
            ),
        ),
        Err(broken) => page.claim(false, &format!("the chain is whole: {broken}")),
    }
    let mut index = Index::open(&folder)?;
    index.catch_up()?;
    let missing: Vec<String> = page
        .codes()
        .iter()
        .filter_map(|code| recorded(&index, code).transpose())
        .collect::<Result<_, _>>()?;
    let count = page.codes().len();
    page.claim(
        missing.is_empty(),
        &match missing.as_slice() {
            [] => format!("each of the {count} refusals above is found in it by its code"),
            missing => format!(
                "every refusal is recorded; not found: {}",
                missing.join(", ")
            ),
        },
    );
    page.note(&format!(
        "it lies in {}, its public key is {}",
        folder.display(),
        data.join("ledger.pub").display()
    ));
    Ok(())
}

/// The code of a refusal that is not in the ledger.
fn recorded(index: &Index, code: &str) -> anyhow::Result<Option<String>> {
    let query = Query {
        code: Some(code.to_owned()),
        verdict: Some(Verdict::Refused),
        ..Query::default()
    };
    let hits = index
        .search(&query)
        .context("the ledger cannot be searched")?;
    Ok(hits.is_empty().then(|| code.to_owned()))
}

/// Says how to search the ledger.
pub(super) fn search(data: &Path) -> anyhow::Result<()> {
    let (program, data) = (program()?, data.display());
    println!("\nsearch it, and verify it yourself:");
    println!("  {program} audit search --data {data} --verdict refused");
    println!("  {program} audit search --data {data} ticket");
    println!("  {program} audit verify --data {data}");
    Ok(())
}

/// This program, as it can be called again.
fn program() -> anyhow::Result<String> {
    let program = std::env::current_exe().context("cannot tell which program this is")?;
    Ok(program.display().to_string())
}

/// Says what to try while everything runs.
pub(super) fn by_hand(world: &World) -> anyhow::Result<()> {
    let (folder, data) = (world.folder(), world.data().display());
    let (program, key) = (program()?, folder.join("issuer.key"));
    let (issuer, url, key) = (world.issuer(), world.resource("/workshop"), key.display());
    println!(
        "\neverything is still running; stop it with Ctrl-C. A token for alice, and a session:"
    );
    println!("  TOKEN=$({program} token --issuer {issuer} --key {key} \\");
    println!(
        "    --user {} --group {} --scope {SCOPE} --audience {url})",
        ALICE.name, ALICE.group
    );
    println!(
        "  curl -si {url} -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\"
    );
    println!(
        "    -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{{}},\"clientInfo\":{{\"name\":\"curl\",\"version\":\"1\"}}}}}}'"
    );
    println!("then, with the Mcp-Session-Id that came back:");
    println!(
        "  curl -s {url} -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -H \"Mcp-Session-Id: $SESSION\" \\"
    );
    println!(
        "    -d '{{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{{\"name\":\"weather_report\",\"arguments\":{{\"city\":\"Ulm\"}}}}}}'"
    );
    println!("what the operator does:");
    println!("  {program} tools diff --data {data}");
    println!("  {program} audit search --data {data} --verdict refused");
    println!("  {program} audit tail --data {data}");
    println!(
        "  {program} posture --config {}",
        folder.join("ringwall.yaml").display()
    );
    Ok(())
}
