//! Fields that are not needed never reach the other side (control P1): arguments the server, and results
//! the client, whatever era it is of.

use anyhow::{Context as _, Result};
use ringwall_tests::mcp::Client;
use ringwall_tests::wire;
use ringwall_tests::world::{Caller, Fleet, Footing, Member, Plan, Scripted, ledger, ringwall};
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

/// What was written down of tools that are not to be had.
async fn unusable(fleet: &Fleet) -> Result<Vec<Value>> {
    let mut told = ledger(&fleet.gateway, &["unusable"]).await?;
    told.retain(|line| line.pointer("/record/event/name") == Some(&json!("tool.unusable")));
    Ok(told)
}

/// Somebody whose token claims this purpose.
async fn caller_for(fleet: &Fleet, purpose: &Value) -> Result<Caller> {
    let url = fleet.gateway.at("/all")?;
    let claims = json!({ "purpose": purpose });
    let token = fleet
        .issuer
        .sign_changed(url.as_str(), &json!({}), &claims)?;
    Ok(Caller::Session(Client::connect(&url, Some(&token)).await?))
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

#[tokio::test(flavor = "multi_thread")]
async fn p1_what_fails_tells_no_field_that_does_not_go_on() -> Result<()> {
    let server = talkative().await?;
    let data = json!({ "id": 7, "ssn": SECRET });
    let error = json!({ "code": -32000, "message": "no such customer", "data": data });
    server.answers("tools/call", json!({ "error": error }));
    let entry = json!({ "results": { "keep": ["/id"] } });
    let fleet = fleet(&server, minimise(json!([entry]))).await?;
    for footing in Footing::BOTH {
        let caller = fleet.caller(footing, "/all", "alice").await?;
        let answer = caller.call("find_customer", asked()).await?;
        let told = answer.pointer("/error/data");
        assert_eq!(told, Some(&json!({ "id": 7 })), "{footing:?} {answer}");
    }
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
    for (purpose, expected) in [
        (json!("audit"), "told"),
        (json!("support"), "kept"),
        (json!("fun"), "purpose_unknown"),
        (json!(["support"]), "purpose_unknown"),
        (Value::Null, "purpose_unknown"),
    ] {
        let caller = caller_for(&fleet, &purpose).await?;
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
        assert_eq!(outcome, expected, "{purpose} {answer}");
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
    for (purpose, may) in [
        (json!("audit"), true),
        (json!("fun"), false),
        (json!(["audit"]), false),
        (Value::Null, false),
    ] {
        let caller = caller_for(&fleet, &purpose).await?;
        let before = server.calls().len();
        let answer = caller
            .call("find_customer", json!({ "name": "Ada" }))
            .await?;
        assert_eq!(server.calls().len() > before, may, "{purpose} {answer}");
        let listed = caller.request("tools/list", json!({})).await?;
        assert_eq!(
            listed.to_string().contains("find_customer"),
            may,
            "{listed}"
        );
    }
    Ok(())
}

/// The list of several servers is joined for a purpose; whoever goes on in it for another one is shown what
/// that one lets them see.
#[tokio::test(flavor = "multi_thread")]
async fn p1_a_list_that_was_joined_for_one_purpose_is_not_gone_on_with_for_another() -> Result<()> {
    let (one, other) = (talkative().await?, talkative().await?);
    let tools = (0..1_001)
        .map(|n| json!({ "name": format!("find_{n:04}"), "inputSchema": { "type": "object" } }));
    one.answers("tools/list", json!({ "tools": tools.collect::<Vec<_>>() }));
    let policy = r#"
        permit (principal, action, resource);
        forbid (principal, action == Ringwall::Action::"list", resource)
            unless { context has purpose && context.purpose == "audit" };
    "#;
    let purpose = json!({ "content": { "purpose": { "claim": "purpose" } } });
    let plan = Plan::default().policy(policy).route(purpose);
    let members = [Member::at("crm", one.url()), Member::at("erp", other.url())];
    let fleet = Fleet::start(plan, &members, &[]).await?;
    let url = fleet.gateway.at("/all")?;
    let token = |purpose: &str| {
        let claims = json!({ "purpose": purpose });
        fleet.issuer.sign_changed(url.as_str(), &json!({}), &claims)
    };
    let alice = Client::connect(&url, Some(&token("audit")?)).await?;
    let first = alice.request("tools/list", json!({})).await?;
    let cursor = first["result"]["nextCursor"]
        .as_str()
        .context("one page only")?;
    let session = alice.session().context("no session")?;
    for (purpose, is_listed) in [("fun", false), ("audit", true)] {
        let caller = Client::new(&url, Some(&token(purpose)?)).in_session(session);
        let page = caller
            .request("tools/list", json!({ "cursor": cursor }))
            .await?;
        let listed = page.to_string().contains("erp__find_customer");
        assert_eq!(listed, is_listed, "{purpose}: {page}");
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

/// Whether whoever runs the gateway is told of a tool that is not to be had, and where that is said.
async fn is_told(fleet: &Fleet, on_route: bool) -> Result<()> {
    let told = unusable(fleet).await?;
    let routes = told.iter().map(|line| line.pointer("/record/route"));
    let routes: Vec<_> = routes.flatten().collect();
    assert_eq!(routes, ["/all", "/other"], "{told:?}");
    let says_why = |line: &Value| line.to_string().contains("`content.minimise`");
    assert!(told.iter().all(says_why), "{told:?}");
    assert!(fleet.gateway.complaints().contains("not to be had there"));
    let command = ringwall()?.directory(fleet.path());
    let checked = command.arguments(["check", "--quiet"]).run().await?;
    let place = match on_route {
        false => "servers[0].content.minimise",
        true => "routes[0].content.minimise",
    };
    let told = format!("{}{}", checked.stdout, checked.stderr);
    assert!(told.contains(place), "{told}");
    let tool = "`crm/find_customer` is not to be had";
    assert!(told.contains(tool), "{told}");
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
        let entry = entry.to_string();
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
        // It is not offered, and whoever runs the gateway is told when it is seen first, and once it is pinned
        // by whatever reads the configuration.
        let listed = caller.request("tools/list", json!({})).await?;
        assert_eq!(
            listed.pointer("/result/tools"),
            Some(&json!([])),
            "{listed}"
        );
        is_told(&fleet, on_route).await.context(entry)?;
    }
    Ok(())
}

/// What a route says takes the place of what its server says, for what can be had there too.
#[tokio::test(flavor = "multi_thread")]
async fn p1_a_tool_that_one_route_breaks_is_to_be_had_on_another() -> Result<()> {
    let server = talkative().await?;
    let member =
        Member::at("crm", server.url()).with(minimise(json!([{ "results": { "drop": ["/id"] } }])));
    let own = json!({ "routes": [
        { "path": "/all", "servers": ["crm"] },
        { "path": "/other", "servers": ["crm"], "content": { "minimise": {} } },
    ] });
    let fleet = Fleet::start(Plan::default().whole(own), &[member], &[]).await?;
    for (route, code, count) in [("/all", "definition_unusable", 0), ("/other", "", 1)] {
        let caller = fleet.caller(Footing::Session, route, "alice").await?;
        let listed = caller.request("tools/list", json!({})).await?;
        let tools = listed.pointer("/result/tools").and_then(Value::as_array);
        assert_eq!(tools.map(Vec::len), Some(count), "{route} {listed}");
        let answer = caller
            .call("find_customer", json!({ "name": "Ada" }))
            .await?;
        let told = match answer.get("result") {
            Some(_) => String::new(),
            None => wire::code(&answer),
        };
        assert_eq!(told, code, "{route} {answer}");
    }
    let told = unusable(&fleet).await?;
    assert_eq!(told.len(), 1, "{told:?}");
    Ok(())
}
