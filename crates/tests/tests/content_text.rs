//! Every dangerous character in every text of every kind of message, both ways: found, named, and
//! gone; and text of many languages and kinds, which passes as it is.

use anyhow::{Context as _, Result};
use fields::{Asked, HERE, Said, Via};
use ringwall_tests::comes::is_so;
use ringwall_tests::corpus;
use ringwall_tests::mcp::Client;
use ringwall_tests::wire;
use ringwall_tests::world::{Plan, Scripted, World, ledger};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

#[path = "content_text/schemas.rs"]
mod schemas;

#[path = "content_text/fields.rs"]
mod fields;

/// Something hidden, and the rule that finds it.
const DANGEROUS: [(&str, &str); 16] = [
    ("\u{e0069}\u{e0067}", "hidden_text.tags"),
    ("\u{e0001}", "hidden_text.tags"),
    ("\u{202e}", "hidden_text.bidi"),
    ("\u{2066}", "hidden_text.bidi"),
    ("\u{200f}", "hidden_text.bidi"),
    ("\u{200b}", "hidden_text.zero_width"),
    ("\u{200d}", "hidden_text.zero_width"),
    ("\u{feff}", "hidden_text.zero_width"),
    ("\u{ad}", "hidden_text.zero_width"),
    ("\u{2063}", "hidden_text.zero_width"),
    ("\u{fff9}", "hidden_text.zero_width"),
    ("\u{1d173}\u{1bca0}", "hidden_text.zero_width"),
    ("\u{fe0f}\u{e0101}", "hidden_text.variation_selectors"),
    ("\u{8}", "hidden_text.control"),
    ("\u{fdd0}", "hidden_text.control"),
    ("\u{1b}[31m", "hidden_text.ansi"),
];

/// Time for one thing that is said.
const LONGEST: Duration = Duration::from_secs(60);

/// A gateway before this server, which speaks this era.
async fn world(scripted: &Scripted, era: &str, plan: Plan) -> Result<World> {
    let wide = json!({ "rate": "100000/s", "burst": 100_000, "concurrent": 1000 });
    let limits =
        json!({ "source": wide, "user": wide, "session": wide, "tool": wide, "resource": wide });
    let plan = plan
        .server(
            json!({ "era": era, "http": { "url": scripted.url().as_str(), "network": "private" } }),
        )
        .route(json!({ "sessions": { "per_user": 1000 } }))
        .whole(json!({ "limits": limits }));
    World::start(plan).await
}

async fn scripted() -> Result<Scripted> {
    let scripted = Scripted::start().await?;
    scripted.answers("tools/list", json!({ "tools": [fields::called()] }));
    scripted.answers("prompts/list", json!({ "prompts": [{ "name": "get" }] }));
    Ok(scripted)
}

/// Asks for what there is, so that it is known.
async fn look(client: &Client) -> Result<()> {
    client.tools().await?;
    client.request("prompts/list", json!({})).await?;
    Ok(())
}

async fn client(world: &World, user: &str) -> Result<Client> {
    let mut client = Client::new(&world.url()?, Some(&world.token(user)?));
    let able = json!({ "elicitation": {}, "sampling": {}, "roots": {} });
    client.initialize(able).await?;
    Ok(client)
}

fn filled(template: &Value, text: &str) -> Result<Value> {
    let quoted = Value::from(text).to_string();
    let inner = quoted.get(1..quoted.len() - 1).context("no string")?;
    Ok(serde_json::from_str(
        &template.to_string().replace(HERE, inner),
    )?)
}

/// The strings of a value, names of members included.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => {
            let each = members.iter();
            each.flat_map(|(name, inner)| [vec![name.as_str()], strings(inner)].concat())
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Lets the server say something, and returns what a client hears of it.
async fn heard(world: &World, scripted: &Scripted, client: &Client, it: &Said) -> Result<Value> {
    let told = tokio::time::timeout(LONGEST, said(world, scripted, client, it)).await;
    told.with_context(|| format!("nothing is heard of {}", it.said))?
}

async fn said(world: &World, scripted: &Scripted, client: &Client, it: &Said) -> Result<Value> {
    scripted.says_before("tools/call", Vec::new());
    match it.via {
        Via::Answer => scripted.answers(it.method, it.said.clone()),
        Via::Opening => {
            scripted.answers("initialize", it.said.clone());
            let mut client = Client::new(&world.url()?, Some(&world.token("opens")?));
            return client.initialize(json!({})).await;
        }
        Via::Ahead => {
            let mut message = it.said.clone();
            let members = message.as_object_mut().context("no message")?;
            members.insert("jsonrpc".to_owned(), json!("2.0"));
            scripted.answers("tools/call", json!({ "content": [] }));
            scripted.says_before("tools/call", vec![message]);
        }
    }
    let reply = client.send(it.method, it.params.clone()).await?;
    Ok(Value::Array(reply.messages()?))
}

/// The rules that found something, each with how often.
async fn found(world: &World) -> Result<Vec<(String, String)>> {
    let records = ledger(&world.gateway, &["--limit", "100000"]).await?;
    let findings = records.iter().filter_map(|record| {
        let findings = record
            .pointer("/record/findings")
            .or(record.get("findings"));
        findings?.as_array()
    });
    let text = |finding: &Value, name: &str| {
        finding
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Ok(findings
        .flatten()
        .map(|finding| (text(finding, "rule"), text(finding, "place")))
        .collect())
}

/// Waits until each of these has been found as often as it was said.
async fn is_found(world: &World, expected: usize) -> Result<()> {
    let rules: BTreeSet<&str> = DANGEROUS.iter().map(|(_, rule)| *rule).collect();
    let mut counts = Vec::new();
    let is_found = is_so(async || {
        let found = found(world).await?;
        counts = rules
            .iter()
            .map(|rule| {
                let wanted = DANGEROUS.iter().filter(|(_, of)| of == rule).count() * expected;
                let count = found.iter().filter(|(name, _)| name == rule).count();
                (*rule, count, wanted)
            })
            .collect();
        Ok(counts.iter().all(|(_, count, wanted)| count >= wanted))
    });
    let is_found = is_found.await;
    is_found.with_context(|| format!("not everything is in the ledger: {counts:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_every_dangerous_character_in_every_text_of_a_server_is_found_and_gone() -> Result<()>
{
    let scripted = scripted().await?;
    let world = world(&scripted, "legacy", Plan::default()).await?;
    let first = client(&world, "alice").await?;
    look(&first).await?;
    let fields = fields::said();
    for (field, it) in fields.iter().enumerate() {
        // A session has no more than 64 questions open, and nobody answers here.
        let alice = match it.via {
            Via::Ahead => client(&world, &format!("user{field}")).await?,
            Via::Answer | Via::Opening => Client::new(&world.url()?, None),
        };
        let alice = if it.via == Via::Ahead { &alice } else { &first };
        for (at, (hidden, rule)) in DANGEROUS.into_iter().enumerate() {
            let mut now = it.clone();
            now.said = filled(&it.said, &format!("be{hidden}fore"))?;
            now.said =
                serde_json::from_str(&now.said.to_string().replace("_#", &format!("_{at}")))?;
            let told = heard(&world, &scripted, alice, &now).await?;
            let name = format!("{rule} in {}: {told}", it.said);
            let all = strings(&told);
            let hides = |c: char| hidden.contains(c) && (!c.is_ascii() || c.is_control());
            assert!(!all.iter().any(|text| text.contains(hides)), "{name}");
            // A definition with hidden text is held whole, instead of being made another one.
            let clean = all.iter().any(|text| text.contains("before"));
            assert!(clean || it.defines(), "{name}");
        }
    }
    let told = fields.iter().filter(|it| !it.defines());
    is_found(&world, told.count()).await
}

/// What a part of the gateway looks for by its name comes under that name only: whoever reads names in another
/// way would be shown what nobody looked at.
#[tokio::test(flavor = "multi_thread")]
async fn n1_4_no_answer_comes_through_whose_text_goes_by_another_spelling() -> Result<()> {
    let scripted = scripted().await?;
    let world = world(&scripted, "legacy", Plan::default()).await?;
    let alice = client(&world, "alice").await?;
    look(&alice).await?;
    for name in ["text", "te\u{200b}xt", "te\u{fe0f}xt", "te\u{1}xt", "Text"] {
        let block = json!({ "type": "text", (name): "said" });
        scripted.answers("tools/call", json!({ "content": [block] }));
        let answer = alice.call("call", json!({})).await?;
        let refusal = wire::refusal(&answer).map(|(code, _)| code);
        let expected = (name != "text").then(|| "upstream_malformed".to_owned());
        assert_eq!(refusal, expected, "{name:?}: {answer}");
        let comes = answer.to_string().contains("said");
        assert_eq!(comes, name == "text", "{name:?}: {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_every_dangerous_character_in_every_text_of_a_client_is_found_and_gone() -> Result<()>
{
    let scripted = scripted().await?;
    scripted.answers("tools/call", json!({ "content": [] }));
    scripted.answers("prompts/get", json!({ "messages": [] }));
    scripted.answers("resources/read", json!({ "contents": [] }));
    scripted.answers(
        "completion/complete",
        json!({ "completion": { "values": [] } }),
    );
    let world = world(&scripted, "legacy", Plan::default()).await?;
    let alice = client(&world, "alice").await?;
    look(&alice).await?;
    let fields: Vec<Asked> = fields::asked();
    for (method, params) in &fields {
        for (hidden, rule) in DANGEROUS {
            let mark = format!("{}-{}", method.replace('/', "-"), rule);
            let params = filled(params, &format!("{mark}be{hidden}fore"))?;
            let reply = alice.send(method, params.clone()).await?;
            let heard = scripted.heard();
            let name = format!("{rule} in {params}: {reply:?}");
            assert!(heard.contains(&format!("{mark}before")), "{name}");
        }
    }
    let heard = scripted.heard();
    for (hidden, rule) in DANGEROUS {
        let quoted = Value::from(hidden).to_string();
        assert!(!heard.contains(quoted.trim_matches('"')), "{rule}");
    }
    is_found(&world, fields.len()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_2_a_name_of_two_scripts_is_told() -> Result<()> {
    let scripted = Scripted::start().await?;
    let prompts = json!([
        { "name": "r\u{435}ad_mail", "description": "Reads m\u{430}il." },
        { "name": "почта", "description": "Читает почту." }
    ]);
    scripted.answers("prompts/list", json!({ "prompts": prompts }));
    let world = world(&scripted, "legacy", Plan::default()).await?;
    let alice = client(&world, "alice").await?;
    let answer = alice.request("prompts/list", json!({})).await?;
    assert_eq!(
        answer.pointer("/result/prompts"),
        Some(&prompts),
        "{answer}"
    );
    let mut places = Vec::new();
    let told = is_so(async || {
        let found = found(&world).await?.into_iter();
        let mixed = found.filter(|(rule, _)| rule == "text.mixed_script");
        places = mixed.map(|(_, place)| place).collect();
        Ok(places == ["/result/prompts/0/name", "/result/prompts/0/description"])
    });
    let told = told.await;
    told.with_context(|| format!("{places:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_text_that_means_no_harm_passes_byte_for_byte_both_ways() -> Result<()> {
    let scripted = scripted().await?;
    let world = world(&scripted, "legacy", Plan::default()).await?;
    let alice = client(&world, "alice").await?;
    look(&alice).await?;
    let own = corpus::benign()?;
    assert!(own.len() >= 15);
    for (name, text) in own.into_iter().chain(corpus::foreign()?) {
        let content = json!([{ "type": "text", "text": text }]);
        let result = json!({ "content": content, "structuredContent": { "x": text } });
        scripted.answers("tools/call", result);
        let answer = alice.call("call", json!({ "x": text })).await?;
        let said = answer.pointer("/result/content/0/text");
        assert_eq!(said, Some(&json!(text)), "{name}: {answer}");
        let said = answer.pointer("/result/structuredContent/x");
        assert_eq!(said, Some(&json!(text)), "{name}: {answer}");
        let heard = scripted.last_heard("tools/call");
        assert_eq!(
            heard.pointer("/params/arguments/x"),
            Some(&json!(text)),
            "{name}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_strings_that_break_software_break_nothing_in_any_text() -> Result<()> {
    let naughty = corpus::naughty()?;
    let scripted = scripted().await?;
    let world = world(&scripted, "legacy", Plan::default()).await?;
    let first = client(&world, "alice").await?;
    look(&first).await?;
    let hidden = |c: char| matches!(u32::from(c), 0xe_0000..=0xe_0fff | 0x202a..=0x202e | 0x2066..=0x2069 | 0x1b | 0xfeff);
    let together = naughty.join(" ");
    for (field, it) in fields::said().iter().enumerate() {
        if together.is_empty() {
            break;
        }
        let mut now = it.clone();
        now.said = filled(&it.said, &together)?;
        now.said = serde_json::from_str(&now.said.to_string().replace("_#", "_all"))?;
        let alice = client(&world, &format!("user{field}")).await?;
        let told = heard(&world, &scripted, &alice, &now).await?;
        let all = strings(&told);
        assert!(!all.iter().any(|text| text.contains(hidden)), "{}", it.said);
    }
    let before = scripted.heard().len();
    for (method, params) in fields::asked() {
        let params = filled(&params, &together)?;
        let answer = first.request(method, params.clone()).await?;
        let answered = answer.get("result").or(answer.get("error"));
        assert!(answered.is_some(), "{params}: {answer}");
    }
    let heard = scripted.heard();
    assert!(heard.len() > before, "nothing goes on");
    for hidden in ["\\u001b", "\u{feff}", "\u{202e}", "\u{2066}", "\u{e0041}"] {
        assert!(!heard.contains(hidden), "{hidden:?}");
    }
    scripted.says_before("tools/call", Vec::new());
    for text in &naughty {
        let content = json!([{ "type": "text", "text": text }]);
        scripted.answers("tools/call", json!({ "content": content }));
        let answer = first.call("call", json!({ "x": text })).await?;
        let said = answer
            .pointer("/result/content/0/text")
            .and_then(Value::as_str);
        let said = said.with_context(|| format!("{text:?} was not let pass: {answer}"))?;
        assert!(!said.contains(hidden), "{text:?}");
    }
    Ok(())
}

/// Whether a text may be changed on its way for what it is there for: addresses have a spelling, and a
/// definition is held rather than shown.
fn keeps_its_words(it: &Said) -> bool {
    let said = it.said.to_string();
    !it.defines() && !said.contains("https://a.example/")
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_4_awkward_text_of_a_server_is_lost_nowhere_and_broken_text_breaks_nothing() -> Result<()>
{
    let scripted = scripted().await?;
    let world = world(&scripted, "legacy", Plan::default()).await?;
    let first = client(&world, "alice").await?;
    look(&first).await?;
    let (awkward, broken) = (corpus::awkward(), corpus::broken().concat());
    let together: Vec<&str> = awkward
        .iter()
        .map(String::as_str)
        .filter(|it| it.len() < 100)
        .collect();
    let together = together.join("\u{2022}");
    for (field, it) in fields::said().iter().enumerate() {
        let alice = client(&world, &format!("user{field}")).await?;
        let one = awkward.get(field % awkward.len()).context("no text")?;
        for (at, text) in [&together, one, &broken].into_iter().enumerate() {
            let mut now = it.clone();
            now.said = filled(&it.said, &format!("it\u{2022}{text}\u{2022}is"))?;
            now.said =
                serde_json::from_str(&now.said.to_string().replace("_#", &format!("_{at}")))?;
            let told = heard(&world, &scripted, &alice, &now).await?;
            let all = strings(&told);
            let whole = all.iter().any(|told| told.contains(text.as_str()));
            let expected = keeps_its_words(it) && text != &broken;
            assert!(whole || !expected, "{}: {text:?} became {told}", it.said);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_1_awkward_text_of_a_client_arrives_byte_for_byte_and_broken_text_breaks_nothing()
-> Result<()> {
    let scripted = scripted().await?;
    for (method, answer) in [
        ("tools/call", json!({ "content": [] })),
        ("prompts/get", json!({ "messages": [] })),
        ("resources/read", json!({ "contents": [] })),
        (
            "completion/complete",
            json!({ "completion": { "values": [] } }),
        ),
    ] {
        scripted.answers(method, answer);
    }
    let world = world(&scripted, "legacy", Plan::default()).await?;
    let alice = client(&world, "alice").await?;
    look(&alice).await?;
    let awkward = corpus::awkward().into_iter().map(|text| (text, true));
    let broken = corpus::broken().into_iter().map(|text| (text, false));
    let texts: Vec<_> = awkward.chain(broken).collect();
    for (method, params) in fields::asked() {
        for (text, whole) in &texts {
            let params = filled(&params, text)?;
            let reply = alice.send(method, params.clone()).await?;
            let answer = reply.json()?;
            // A URI has a spelling of its own; whoever breaks it is told.
            if method == "resources/read" {
                assert!(
                    answer.get("result").or(answer.get("error")).is_some(),
                    "{params}"
                );
                continue;
            }
            assert!(answer.get("result").is_some(), "{params}: {answer}");
            let members = params.as_object().context("no params")?;
            let heard = scripted.last_heard(method);
            for (name, sent) in members
                .iter()
                .filter(|(name, _)| *whole && *name != "_meta")
            {
                let arrived = heard.pointer(&format!("/params/{name}"));
                assert_eq!(arrived, Some(sent), "{method}");
            }
        }
    }
    Ok(())
}

/// Half of a pair is no text: nobody is sent it, in whatever field it stands.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_surrogate_pair_in_any_field_is_refused_and_goes_nowhere() -> Result<()> {
    let scripted = scripted().await?;
    let world = world(&scripted, "legacy", Plan::default()).await?;
    let alice = client(&world, "alice").await?;
    look(&alice).await?;
    let before = scripted.heard().len();
    for (method, params) in fields::asked() {
        for half in ["\\ud800", "\\udc00", "\\udc00\\ud800", "\\ud800a"] {
            let params = params.to_string().replace(HERE, half);
            let body = format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"{method}\",\"params\":{params}}}"
            );
            let reply = alice.outgoing(method, None).body(body).send().await?;
            assert!(reply.status.as_u16() < 500, "{params}: {reply:?}");
            assert!(reply.code().starts_with("json_"), "{params}: {reply:?}");
        }
    }
    assert_eq!(scripted.heard().len(), before);
    Ok(())
}
