//! Fields that are not needed never reach the other side (control P1): arguments the server, and results
//! the client, whatever era it is of.

use anyhow::{Context as _, Result};
use ringwall_tests::mcp::Client;
use ringwall_tests::wire;
use ringwall_tests::world::{Caller, Fleet, Footing, Member, Plan, Scripted, ledger};
use serde_json::{Value, json};

const SECRET: &str = "078-05-1120";

/// A server whose one tool takes more and says more than anybody needs.
async fn talkative() -> Result<Scripted> {
    let server = Scripted::start().await?;
    let properties = json!({
        "name": { "type": "string" }, "note": { "type": "string" },
        "who": { "type": "object", "properties": { "mail": {}, "phone": {} } },
    });
    let output = json!({ "type": "object", "required": ["id"], "properties": {
        "id": { "type": "integer" }, "ssn": { "type": "string" }, "orders": { "type": "array" },
    } });
    let tool = json!({
        "name": "find_customer", "description": "Finds.", "outputSchema": output,
        "inputSchema": { "type": "object", "required": ["name"], "properties": properties },
    });
    server.answers("tools/list", json!({ "tools": [tool] }));
    let content = json!({ "id": 7, "ssn": SECRET, "orders": [{ "no": 1, "card": SECRET }] });
    server.answers("tools/call", json!({
        "content": [
            { "type": "text", "text": content.to_string() },
            { "type": "text", "text": format!("The number is {SECRET}.") },
            { "type": "resource", "resource": { "uri": "a:b", "mimeType": "text/plain", "text": SECRET } },
        ],
        "structuredContent": content,
    }));
    Ok(server)
}

fn minimise(entries: Value) -> Value {
    json!({ "content": { "minimise": { "find_*": entries } } })
}

async fn fleet(server: &Scripted, content: Value) -> Result<Fleet> {
    let member = Member::at("crm", server.url()).with(content);
    Fleet::start(Plan::default(), &[member], &[]).await
}

fn asked() -> Value {
    json!({ "name": "Ada", "note": SECRET, "who": { "mail": "a@example.org", "phone": SECRET } })
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_fields_that_are_not_needed_reach_neither_side() -> Result<()> {
    let server = talkative().await?;
    let entry = json!({
        "arguments": { "keep": ["/name", "/who"], "drop": ["/who/phone"] },
        "results": { "keep": ["/id", "/orders/*/no"] },
    });
    let fleet = fleet(&server, minimise(json!([entry]))).await?;
    for footing in Footing::BOTH {
        let caller = fleet.caller(footing, "/all", "alice").await?;
        let answer = caller.call("find_customer", asked()).await?;
        assert!(!server.heard().contains(SECRET), "{}", server.heard());
        let sent = json!({ "name": "Ada", "who": { "mail": "a@example.org" } });
        assert_eq!(server.calls().last(), Some(&sent));
        assert!(!answer.to_string().contains(SECRET), "{footing:?} {answer}");
        let content = json!({ "id": 7, "orders": [{ "no": 1 }] });
        assert_eq!(
            answer.pointer("/result/structuredContent"),
            Some(&content),
            "{answer}"
        );
        let text = answer
            .pointer("/result/content/0/text")
            .and_then(Value::as_str);
        let text: Value = serde_json::from_str(text.context("no text")?)?;
        assert_eq!(text, content);
    }
    // What was left out stands in no record either.
    let records = ledger(&fleet.gateway, &["find_customer"]).await?;
    let told = json!(records).to_string();
    assert!(!told.contains(SECRET), "{told}");
    assert!(
        told.contains("minimise.arguments") && told.contains("minimise.results"),
        "{told}"
    );
    Ok(())
}

/// A client of a revision without structured content has the text alone.
#[tokio::test(flavor = "multi_thread")]
async fn p1_an_old_client_is_told_no_more() -> Result<()> {
    let server = talkative().await?;
    let fleet = fleet(
        &server,
        minimise(json!([{ "results": { "drop": ["/ssn", "/orders/*/card"] } }])),
    )
    .await?;
    let url = fleet.gateway.at("/all")?;
    let token = fleet.token("/all", "alice")?;
    let mut client = Client::new(&url, Some(&token));
    client.initialize(json!({})).await?;
    let answer = client
        .call("find_customer", json!({ "name": "Ada" }))
        .await?;
    assert!(!answer.to_string().contains(SECRET), "{answer}");
    assert!(answer.to_string().contains("orders"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_what_goes_on_depends_on_what_the_call_is_for() -> Result<()> {
    let server = talkative().await?;
    let entries = json!([
        { "purposes": ["audit"] },
        { "purposes": ["support"], "results": { "drop": ["/ssn", "/orders"] } },
    ]);
    let purpose = json!({ "content": { "purpose": { "claim": "purpose" } } });
    let member = Member::at("crm", server.url()).with(minimise(entries));
    let fleet = Fleet::start(Plan::default().route(purpose), &[member], &[]).await?;
    let url = fleet.gateway.at("/all")?;
    for (purpose, expected) in [
        (json!("audit"), "told"),
        (json!("support"), "kept"),
        (json!("fun"), "purpose_unknown"),
        (json!(["support"]), "purpose_unknown"),
        (Value::Null, "purpose_unknown"),
    ] {
        let claims = json!({ "purpose": purpose });
        let token = fleet
            .issuer
            .sign_changed(url.as_str(), &json!({}), &claims)?;
        let caller = Caller::Session(Client::connect(&url, Some(&token)).await?);
        let before = server.calls().len();
        let answer = caller
            .call("find_customer", json!({ "name": "Ada" }))
            .await?;
        let outcome = match (
            server.calls().len() > before,
            answer.to_string().contains(SECRET),
        ) {
            (true, true) => "told".to_owned(),
            (true, false) => "kept".to_owned(),
            (false, _) => wire::code(&answer),
        };
        assert_eq!(outcome, expected, "{claims} {answer}");
    }
    Ok(())
}

/// What a call is for is said to policies as well: by the claim, or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn p1_policies_decide_by_what_a_call_is_for() -> Result<()> {
    let server = talkative().await?;
    let policy = r#"
        permit (principal, action, resource);
        forbid (principal, action in [Ringwall::Action::"call", Ringwall::Action::"list"], resource)
            unless { context has purpose && context.purpose == "audit" };
    "#;
    let purpose = json!({ "content": { "purpose": { "claim": "purpose" } } });
    let plan = Plan::default().policy(policy).route(purpose);
    let fleet = Fleet::start(plan, &[Member::at("crm", server.url())], &[]).await?;
    let url = fleet.gateway.at("/all")?;
    for (purpose, may) in [
        (json!("audit"), true),
        (json!("fun"), false),
        (json!(["audit"]), false),
        (Value::Null, false),
    ] {
        let claims = json!({ "purpose": purpose });
        let token = fleet
            .issuer
            .sign_changed(url.as_str(), &json!({}), &claims)?;
        let caller = Caller::Session(Client::connect(&url, Some(&token)).await?);
        let before = server.calls().len();
        let answer = caller
            .call("find_customer", json!({ "name": "Ada" }))
            .await?;
        assert_eq!(server.calls().len() > before, may, "{claims} {answer}");
        let listed = caller.request("tools/list", json!({})).await?;
        assert_eq!(
            listed.to_string().contains("find_customer"),
            may,
            "{listed}"
        );
    }
    Ok(())
}

/// A field that goes on as a token is read by nobody but the server that may have it back.
#[tokio::test(flavor = "multi_thread")]
async fn p1_a_token_of_a_field_comes_back_as_the_value_to_whoever_may_have_it() -> Result<()> {
    let server = talkative().await?;
    let entry = json!({
        "arguments": { "tokenise": { "/note": "personal.note" } },
        "results": { "keep": ["/id"], "tokenise": { "/ssn": "personal.us_ssn", "/orders/*/card": "personal.card" } },
    });
    let content = json!({ "content": {
        "minimise": { "find_*": [entry] }, "data": { "reveal": ["personal.us_ssn"] },
    } });
    let fleet = fleet(&server, content).await?;
    let mut first = None;
    for footing in Footing::BOTH {
        let caller = fleet.caller(footing, "/all", "alice").await?;
        let answer = caller.call("find_customer", asked()).await?;
        assert!(!answer.to_string().contains(SECRET), "{footing:?} {answer}");
        let token = answer.pointer("/result/structuredContent/ssn");
        let token = token.and_then(Value::as_str).context("no token")?;
        let card = answer.pointer("/result/structuredContent/orders/0/card");
        let card = card.and_then(Value::as_str).context("no card")?;
        assert!(token.starts_with("{rw:personal.us_ssn:"), "{token}");
        assert!(card.starts_with("{rw:personal.card:"), "{card}");
        // One value has one token, in the text beside it and on every footing.
        assert!(
            answer
                .pointer("/result/content/0/text")
                .is_some_and(|text| { text.as_str().is_some_and(|text| text.contains(token)) })
        );
        assert_eq!(first.get_or_insert_with(|| token.to_owned()), token);

        let arguments = json!({ "name": token, "note": token, "who": { "mail": card } });
        caller.call("find_customer", arguments).await?;
        let calls = server.calls();
        let sent = calls.last().context("nothing was sent")?;
        assert_eq!(sent.get("name"), Some(&json!(SECRET)), "{sent}");
        assert_eq!(sent.pointer("/who/mail"), Some(&json!(card)), "{sent}");
        let note = sent.get("note").and_then(Value::as_str);
        assert!(
            note.is_some_and(|note| note.starts_with("{rw:personal.note:")),
            "{sent}"
        );
    }
    let records = ledger(&fleet.gateway, &["find_customer"]).await?;
    let told = json!(records).to_string();
    assert!(!told.contains(SECRET), "{told}");
    assert!(
        told.contains("minimise.tokens") && told.contains("tokenise"),
        "{told}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn p1_what_a_schema_requires_is_not_left_out() -> Result<()> {
    let server = talkative().await?;
    for (entry, on_route) in [
        (json!({ "results": { "drop": ["/id"] } }), false),
        (json!({ "arguments": { "drop": ["/name"] } }), false),
        (json!({ "results": { "drop": ["/id"] } }), true),
        // A number cannot be a token where the schema lets only numbers be.
        (
            json!({ "results": { "tokenise": { "/id": "personal.id" } } }),
            false,
        ),
        (
            json!({ "results": { "tokenise": { "/id": "personal.id" } } }),
            true,
        ),
    ] {
        let content = minimise(json!([entry]));
        let fleet = match on_route {
            false => fleet(&server, content).await?,
            true => {
                let member = Member::at("crm", server.url());
                Fleet::start(Plan::default().route(content), &[member], &[]).await?
            }
        };
        let caller = fleet.caller(Footing::Session, "/all", "alice").await?;
        let before = server.calls().len();
        let answer = caller
            .call("find_customer", json!({ "name": "Ada" }))
            .await?;
        assert_eq!(
            wire::code(&answer),
            "definition_unusable",
            "{entry} {answer}"
        );
        assert_eq!(server.calls().len(), before, "{entry}");
    }
    Ok(())
}
