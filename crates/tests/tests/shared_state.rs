//! What one caller, or one server, does to what others share: nothing. A list in one era takes no tool
//! from the other, an error told to one takes none from anybody, one server's words keep no route from
//! opening, and what is kept of a client and of a list is bounded.

use anyhow::Result;
use ringwall_tests::stateless::Stateless;
use ringwall_tests::wire;
use ringwall_tests::world::{Caller, Fleet, Footing, List, Member, Plain, Plan, World};
use serde_json::{Value, json};

const FOOTINGS: [Footing; 2] = [Footing::Session, Footing::Stateless];

/// What came of a call: its code if it was refused, nothing if it was answered.
async fn outcome(caller: &Caller, tool: &str) -> Result<String> {
    let answer = caller.call(tool, json!({})).await?;
    let fine = answer
        .get("result")
        .is_some_and(|result| result["isError"] != json!(true));
    Ok(match fine {
        true => String::new(),
        false => wire::code(&answer),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_a_list_in_one_era_takes_no_tool_from_those_of_the_other() -> Result<()> {
    // Its definition differs from one era to the other.
    const TOOL: &str = "structured_list";
    for first in FOOTINGS {
        let world = World::start(Plan::default().fixture(&["--era", "both"])).await?;
        let session = Caller::Session(world.client("alice").await?);
        let stateless = Stateless::new(&world.url()?, Some(&world.token("bob")?));
        let stateless = Caller::Stateless(stateless);
        let (one, other) = match first {
            Footing::Session => (session, stateless),
            Footing::Stateless => (stateless, session),
        };
        // The first use pins what this era shows.
        assert_eq!(outcome(&one, TOOL).await?, "", "{first:?}");
        for _ in 0..2 {
            let listed = other.names(List::Tools).await?;
            assert!(!listed.iter().any(|name| name == TOOL), "{first:?}");
            assert_eq!(
                outcome(&other, TOOL).await?,
                "definition_changed",
                "{first:?}"
            );
            assert_eq!(outcome(&one, TOOL).await?, "", "{first:?}: taken away");
            let listed = one.names(List::Tools).await?;
            assert!(listed.iter().any(|name| name == TOOL), "{first:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_an_error_told_to_one_caller_empties_no_catalog() -> Result<()> {
    let moody = Plain::named(&["steady"], &[]).await?;
    let other = Plain::named(&["other"], &[]).await?;
    moody.sulk(true);
    let members = [
        Member::at("moody", moody.url()),
        Member::at("other", other.url()),
    ];
    let fleet = Fleet::start(Plan::default(), &members, &[]).await?;
    let callers = fleet.callers("alice").await?;
    for caller in &callers {
        let refused = outcome(caller, "moody__steady").await?;
        assert_eq!(refused, "catalog_unavailable");
        assert_eq!(outcome(caller, "other__other").await?, "");
    }
    moody.sulk(false);
    for caller in &callers {
        assert_eq!(outcome(caller, "moody__steady").await?, "");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_hidden_text_of_one_server_keeps_no_route_from_opening() -> Result<()> {
    const HIDDEN: &str = "see\u{200b} here\u{e0041}";
    let strict = json!({ "hidden_text": "refuse" });
    let hides = Plain::saying(Some(HIDDEN), &["one"], &[]).await?;
    let plain = Plain::saying(Some("the plain one"), &["two"], &[]).await?;
    let cases = [
        // Whose text is hidden, and what is done about it there. Nobody approved instructions like that,
        // so nothing of them is told.
        (json!({ "hidden_text": "remove" }), strict.clone()),
        (strict, json!({})),
    ];
    for (of_hides, of_plain) in cases {
        let members = [
            Member::at("hides", hides.url()).with(of_hides.clone()),
            Member::at("plain", plain.url()).with(of_plain),
        ];
        let fleet = Fleet::start(Plan::default(), &members, &[]).await?;
        let caller = fleet.caller(Footing::Stateless, "/all", "alice").await?;
        let answer = caller.request("server/discover", json!({})).await?;
        let text = answer
            .pointer("/result/instructions")
            .and_then(Value::as_str);
        let text = text.unwrap_or_default();
        assert!(text.contains("the plain one"), "{of_hides}: {answer}");
        assert!(!text.contains("see here"), "{of_hides}: {answer}");
        assert!(
            !text.contains('\u{200b}') && !text.contains('\u{e0041}'),
            "{of_hides}: {answer}"
        );
        // A session opens, too.
        fleet.caller(Footing::Session, "/all", "bob").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_a_client_that_says_too_much_of_itself_is_not_heard() -> Result<()> {
    let world = World::start(Plan::default()).await?;
    let (url, token) = (world.url()?, world.token("alice")?);
    let client = Stateless::new(&url, Some(&token));
    let long = |bytes: usize| "x".repeat(bytes);
    let info = |bytes: usize| json!({ "name": "c", "version": "1", "title": long(bytes) });
    let can = |bytes: usize| json!({ "experimental": { "x": { "y": long(bytes) } } });
    let cases = [
        (can(10), info(10), None),
        (can(15 * 1024), info(3 * 1024), None),
        (can(16 * 1024), info(10), Some("introduction_long")),
        (can(10), info(4 * 1024), Some("introduction_long")),
    ];
    for (capabilities, client_info, expected) in cases {
        let discover = json!({ "jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": capabilities,
                "io.modelcontextprotocol/clientInfo": client_info
            }
        } });
        let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client_info
        } });
        let stateless = client.message(&discover).send().await?;
        let session = ringwall_tests::mcp::Client::new(&url, Some(&token));
        let session = session.post(&initialize).await?;
        for (era, reply) in [("stateless", stateless), ("session", session)] {
            let answer = reply.json()?;
            match expected {
                None => assert!(answer.get("result").is_some(), "{era}: {answer}"),
                Some(code) => {
                    assert_eq!(
                        (reply.status.as_u16(), wire::code(&answer).as_str()),
                        (400, code),
                        "{era}"
                    );
                    assert_eq!(answer["error"]["code"], json!(-32602), "{era}: {answer}");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_a_server_with_too_long_a_list_is_left_out() -> Result<()> {
    let names: Vec<String> = (0..10_001).map(|number| format!("p{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let few = names.get(..10_000).unwrap_or_default();
    for (listed, missing) in [(few, false), (&names[..], true)] {
        let many = Plain::named(&[], listed).await?;
        let other = Plain::named(&[], &["other"]).await?;
        let members = [
            Member::at("many", many.url()),
            Member::at("other", other.url()),
        ];
        let fleet = Fleet::start(Plan::default(), &members, &[]).await?;
        for caller in fleet.callers("alice").await? {
            let page = caller.list(List::Prompts).await?;
            let left_out = page.pointer("/_meta/io.ringwall~1unavailable/0/server");
            assert_eq!(left_out.is_some(), missing, "{left_out:?}");
            if missing {
                assert_eq!(left_out, Some(&json!("many")));
                assert_eq!(List::Prompts.names(&page)?, ["other__other"]);
            }
        }
    }
    Ok(())
}
