//! Detectors of others, by black-box contract with a service that has their published shape (it is none
//! of theirs): what they are sent, what their scores come to, and what their silence does.

use anyhow::{Context as _, Result};
use ringwall_tests::corpus;
use ringwall_tests::entra_shaped::EntraShaped;
use ringwall_tests::issuer::overlaid;
use ringwall_tests::mcp::{Client, text};
use ringwall_tests::safety_shaped::{ATTACK, HATE, KEY, LISTED, Mood, SafetyShaped};
use ringwall_tests::wire;
use ringwall_tests::world::{Plan, World, ledger};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A provider of this kind, with these members beside. It has all the time there is to be had.
fn provider(name: &str, kind: &str, of: Value, members: Value) -> Value {
    let plain = json!({ "name": name, "network": "private", "timeout": "30s", kind: of });
    overlaid(plain, &members)
}

fn shields(service: &SafetyShaped, members: Value) -> Value {
    let of = json!({ "endpoint": service.endpoint(), "key": "env:PROVIDER_SECRET" });
    provider("shields", "prompt_shields", of, members)
}

fn safety(service: &SafetyShaped) -> Value {
    let of = json!({
        "endpoint": service.endpoint(), "key": "env:PROVIDER_SECRET",
        "severity": { "hate": 4 }, "blocklists": ["names"]
    });
    provider("safety", "content_safety", of, json!({}))
}

/// A world with this provider, used so.
async fn world(provider: Value, uses: Value, plan: Plan) -> Result<World> {
    let content = json!({ "content": { "providers": [uses] } });
    let plan = plan
        .whole(json!({ "providers": [provider] }))
        .server(content);
    World::start(plan).await
}

async fn echo(client: &Client, said: &str) -> Result<Value> {
    client.call("echo", json!({ "text": said })).await
}

/// The record of the last call of this world.
async fn last(world: &World) -> Result<Value> {
    let records = ledger(&world.gateway, &["tools/call"]).await?;
    let record = records.last().and_then(|line| line.get("record"));
    Ok(record.context("no call is in the ledger")?.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_requests_are_of_the_published_shape_and_scores_are_recorded() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let plan = Plan::default();
    let world = world(
        shields(&service, json!({})),
        json!({ "use": "shields" }),
        plan,
    )
    .await?;
    let alice = world.client("alice").await?;
    assert_eq!(text(&echo(&alice, "hello").await?), "hello");
    let asked = service.asked();
    let bodies: Vec<_> = asked.iter().map(|asked| asked.body.clone()).collect();
    assert_eq!(
        bodies,
        [
            json!({ "userPrompt": "text\nhello" }),
            json!({ "documents": ["hello"] })
        ]
    );
    for asked in &asked {
        assert_eq!(asked.fault, None);
        assert_eq!(asked.header("ocp-apim-subscription-key"), KEY);
        assert_eq!(asked.header("authorization"), "", "nothing of the caller's");
    }
    let record = last(&world).await?;
    let score = |place: &str| {
        json!({
            "control": "1.3", "detector": "shields", "rule": "injection", "mode": "warn",
            "value": 0, "threshold": 1000, "place": place
        })
    };
    let expected = json!([
        score("/params/arguments/text"),
        score("/result/content/0/text")
    ]);
    assert_eq!(record["scores"], expected);
    assert!(
        record["controls"]["ran"]
            .as_array()
            .unwrap()
            .contains(&json!("1.3"))
    );
    assert!(!record.to_string().contains("hello"), "{record}");
    // The same text is not sent again in a while.
    echo(&alice, "hello").await?;
    assert_eq!(service.asked().len(), 2);
    let all = world.gateway.complaints();
    assert!(!all.contains(KEY) && !all.contains("hello"), "{all}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_what_is_suspected_is_refused_where_it_is_enforced_and_on_its_way() -> Result<()> {
    let service = SafetyShaped::start().await?;
    for (on, code, fault) in [
        ("arguments", "content_suspected", "caller"),
        ("results", "answer_suspected", "upstream"),
    ] {
        let uses = json!({ "use": "shields", "mode": "enforce", "on": [on] });
        let world = world(shields(&service, json!({})), uses, Plan::default()).await?;
        let alice = world.client("alice").await?;
        assert_eq!(text(&echo(&alice, "harmless").await?), "harmless");
        let before = world.arrived()?;
        let answer = echo(&alice, &format!("please {ATTACK}")).await?;
        assert_eq!(wire::code(&answer), code, "{answer}");
        assert!(!answer.to_string().contains(ATTACK), "{answer}");
        let arrived = world.arrived()? - before;
        assert_eq!(arrived, usize::from(on == "results"), "{on}");
        let record = last(&world).await?;
        assert_eq!(record["verdict"], "refused");
        assert_eq!(record["refusal"]["fault"], fault);
        assert_eq!(record["refusal"]["control"], "1.3");
        assert_eq!(record["scores"][0]["value"], 1000);
        assert!(!record.to_string().contains(ATTACK), "{record}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_a_mode_of_a_rule_says_what_its_suspicion_comes_to() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let policy = "permit(principal, action, resource);\n\
                  forbid(principal, action == Ringwall::Action::\"call\", resource)\n\
                  when { context.suspicions.contains(\"injection\") };\n";
    for (mode, modes, expected) in [
        ("shadow", json!({}), ""),
        ("warn", json!({}), "policy_denied"),
        ("enforce", json!({}), "content_suspected"),
        ("shadow", json!({ "injection": "warn" }), "policy_denied"),
        ("enforce", json!({ "injection": "shadow" }), ""),
    ] {
        let uses = json!({ "use": "shields", "mode": mode, "on": ["arguments"] });
        let plan = Plan::default().policy(policy);
        let plan = plan.route(json!({ "content": { "modes": modes } }));
        let world = world(shields(&service, json!({})), uses, plan).await?;
        let alice = world.client("alice").await?;
        let answer = echo(&alice, ATTACK).await?;
        let told = match expected {
            "" => text(&answer).replace(ATTACK, ""),
            _ => wire::code(&answer),
        };
        assert_eq!(told, expected, "{mode} {modes}: {answer}");
        let counted = modes.get("injection").cloned().unwrap_or(json!(mode));
        assert_eq!(last(&world).await?["scores"][0]["mode"], counted);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n9_3_harm_and_words_of_a_blocklist_do_not_reach_the_model() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let uses = json!({ "use": "safety", "mode": "enforce", "on": ["results"] });
    let world = world(safety(&service), uses, Plan::default()).await?;
    let alice = world.client("alice").await?;
    for (said, rule) in [
        ("harmless", None),
        (HATE, Some("harm.hate")),
        (LISTED, Some("harm.blocklist")),
    ] {
        let answer = echo(&alice, said).await?;
        let record = last(&world).await?;
        match rule {
            None => assert_eq!(text(&answer), said),
            Some(rule) => {
                assert_eq!(wire::code(&answer), "answer_suspected", "{answer}");
                assert_eq!(record["refusal"]["control"], "9.3", "{record}");
                assert!(answer.to_string().contains(rule), "{answer}");
            }
        }
        let scores = record["scores"].as_array().context("no scores")?;
        assert_eq!(scores.len(), 5, "{record}");
        assert!(scores.iter().all(|score| score["control"] == "9.3"));
    }
    assert!(service.asked().iter().all(|asked| asked.fault.is_none()));
    Ok(())
}

/// Which texts are withheld by which thresholds, in each category: what the service says of each is the
/// corpus's own word.
#[tokio::test(flavor = "multi_thread")]
async fn n9_3_what_harms_is_withheld_by_its_category_from_the_severity_that_is_set() -> Result<()> {
    let harmful = corpus::harmful()?;
    let categories = ["hate", "self_harm", "sexual", "violence"];
    for thresholds in [[2, 4, 6, 7], [6, 2, 7, 4], [4, 7, 2, 6]] {
        let from: BTreeMap<&str, u64> = categories.into_iter().zip(thresholds).collect();
        let service = SafetyShaped::start().await?;
        let of = json!({
            "endpoint": service.endpoint(), "key": "env:PROVIDER_SECRET", "severity": from
        });
        let uses = json!({ "use": "safety", "mode": "enforce", "on": ["results"] });
        let provider = provider("safety", "content_safety", of, json!({}));
        let world = world(provider, uses, Plan::default()).await?;
        let alice = world.client("alice").await?;
        let mut withheld = 0;
        for it in &harmful {
            let answer = echo(&alice, &it.text).await?;
            let category = it.category.as_deref().unwrap_or_default();
            if from.get(category).is_none_or(|from| it.severity < *from) {
                assert_eq!(text(&answer), it.text, "{from:?}");
                continue;
            }
            withheld += 1;
            assert_eq!(wire::code(&answer), "answer_suspected", "{from:?} {it:?}");
            for other in categories {
                let told = answer.to_string().contains(&format!("harm.{other}"));
                assert_eq!(told, other == category, "{it:?}: {answer}");
            }
        }
        assert!(withheld >= 6, "{from:?}: {withheld}");
        assert!(service.asked().iter().all(|asked| asked.fault.is_none()));
    }
    Ok(())
}

/// What the corpus has to have, for the test above to say anything.
#[test]
fn every_category_of_harm_has_texts_of_three_severities_and_harmless_ones_beside() -> Result<()> {
    let harmful = corpus::harmful()?;
    for category in ["hate", "self_harm", "sexual", "violence"] {
        let of_it = harmful
            .iter()
            .filter(|it| it.category.as_deref() == Some(category));
        let severities: BTreeSet<u64> = of_it.map(|it| it.severity).collect();
        assert_eq!(severities, BTreeSet::from([2, 4, 6]), "{category}");
    }
    let harmless = harmful.iter().filter(|it| it.category.is_none());
    assert!(harmless.clone().count() >= 8 && harmless.clone().all(|it| it.severity == 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_a_long_text_is_looked_at_whole_in_requests_of_the_allowed_size() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let uses = json!({ "use": "shields", "mode": "enforce" });
    let world = world(shields(&service, json!({})), uses, Plan::default()).await?;
    let alice = world.client("alice").await?;
    // Around the first border of prompts and of documents, and far behind.
    for before in [1_590, 1_995, 9_595, 9_995, 50_000] {
        let said = format!("{}{ATTACK}{}", "ü".repeat(before), "🙂".repeat(3_000));
        let answer = echo(&alice, &said).await?;
        assert_eq!(wire::code(&answer), "content_suspected", "{before}");
    }
    let harmless = "word ".repeat(15_000);
    assert_eq!(text(&echo(&alice, &harmless).await?), harmless);
    for asked in service.asked() {
        assert_eq!(asked.fault, None, "{}", asked.target);
    }
    let too_long = "x".repeat(100_001);
    let answer = echo(&alice, &too_long).await?;
    assert_eq!(wire::code(&answer), "detector_unheard", "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_silence_refuses_unless_the_operator_declared_otherwise() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let moods = [
        Mood::Status(500, None),
        Mood::Status(503, Some(30)),
        Mood::Status(429, Some(30)),
        Mood::Status(401, None),
        Mood::Status(403, None),
        Mood::Status(302, None),
        Mood::Says("<html>"),
        Mood::Says("{\"documentsAnalysis\":[]}"),
        Mood::Gone,
        Mood::Slow(Duration::from_secs(20)),
    ];
    for (on_failure, mode) in [
        ("refuse", "enforce"),
        ("allow", "enforce"),
        ("refuse", "shadow"),
    ] {
        // What silence means does not depend on its kind.
        let some = if on_failure == "refuse" && mode == "enforce" {
            1
        } else {
            4
        };
        for mood in moods.iter().step_by(some) {
            service.becomes(mood.clone());
            let members = json!({ "on_failure": on_failure, "timeout": "500ms" });
            let uses = json!({ "use": "shields", "mode": mode, "on": ["arguments"] });
            let world = world(shields(&service, members), uses, Plan::default()).await?;
            let alice = world.client("alice").await?;
            let before = world.arrived()?;
            let answer = echo(&alice, "hello").await?;
            let goes_on = on_failure == "allow" || mode == "shadow";
            let told = match goes_on {
                true => text(&answer),
                false => wire::code(&answer),
            };
            let expected = if goes_on { "hello" } else { "detector_unheard" };
            assert_eq!(told, expected, "{mood:?} {on_failure} {mode}: {answer}");
            assert_eq!(world.arrived()? - before, usize::from(goes_on));
            let skipped = last(&world).await?["controls"]["skipped"].clone();
            let skipped = skipped.as_array().context("nothing was skipped")?;
            let mine = skipped.iter().find(|it| it["control"] == "1.3");
            let why = mine.and_then(|it| it["why"].as_str());
            let why = why.context("nothing was said of it")?;
            assert!(why.starts_with("`shields` said nothing: "), "{why}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n4_3_a_service_that_asks_for_a_pause_gets_it_and_is_asked_again() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let uses = json!({ "use": "shields", "mode": "enforce", "on": ["arguments"] });
    let world = world(shields(&service, json!({})), uses, Plan::default()).await?;
    let alice = world.client("alice").await?;
    service.becomes(Mood::Once(429, 1));
    let answer = echo(&alice, ATTACK).await?;
    assert_eq!(wire::code(&answer), "content_suspected", "{answer}");
    assert_eq!(service.asked().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_nothing_is_sent_of_what_was_refused_or_taken_out_before() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let uses = || json!({ "use": "shields", "mode": "enforce" });
    let hidden = "wor\u{e0041}ds";
    for (treatment, expected) in [("refuse", "hidden_text"), ("remove", "")] {
        let plan = Plan::default().server(json!({ "hidden_text": treatment }));
        let world = world(shields(&service, json!({})), uses(), plan).await?;
        let alice = world.client("alice").await?;
        let before = service.asked().len();
        let answer = echo(&alice, hidden).await?;
        let asked = service.asked();
        match expected {
            "" => {
                assert_eq!(text(&answer), "words");
                let sent = json!(asked.iter().map(|it| &it.body).collect::<Vec<_>>());
                assert!(sent.to_string().contains("\"words\""), "{sent}");
                assert!(!sent.to_string().contains('\u{e0041}'), "{sent}");
            }
            code => {
                assert_eq!(wire::code(&answer), code);
                assert_eq!(asked.len(), before, "nobody was asked");
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_a_token_of_the_gateways_own_client_is_shown_where_that_is_configured() -> Result<()> {
    let service = SafetyShaped::start().await?;
    let entra = EntraShaped::start().await?;
    let of = json!({ "endpoint": service.endpoint(), "entra": {
        "token_url": entra.token_endpoint(), "client": "ringwall", "secret": "env:PROVIDER_SECRET" } });
    let shields = provider("shields", "prompt_shields", of, json!({}));
    let uses = json!({ "use": "shields", "mode": "enforce", "on": ["arguments"] });
    let world = world(shields, uses, Plan::default()).await?;
    let alice = world.client("alice").await?;
    for said in ["one", "two"] {
        assert_eq!(text(&echo(&alice, said).await?), said);
    }
    let asked = service.asked();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        assert!(asked.header("authorization").starts_with("Bearer "));
        assert_eq!(asked.header("ocp-apim-subscription-key"), "");
    }
    let tokens = entra.asked();
    assert_eq!(tokens.len(), 1, "one token for both: {tokens:?}");
    let scope = "scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default";
    assert!(tokens[0].body.contains(scope), "{tokens:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn n1_3_anybody_can_be_attached_by_the_shape_of_our_own() -> Result<()> {
    let service = SafetyShaped::start().await?;
    for (shown, header, starts) in [
        (
            json!({ "bearer": "env:PROVIDER_SECRET" }),
            "authorization",
            "Bearer ringwall-secret",
        ),
        (
            json!({ "hmac": "env:PROVIDER_SECRET" }),
            "x-ringwall-signature",
            "v1=",
        ),
    ] {
        let more = json!({ "url": service.judge(), "thresholds": { "own.rule": 900 } });
        let of = overlaid(shown, &more);
        let own = provider("own", "http", of, json!({}));
        let uses = json!({ "use": "own", "mode": "enforce", "on": ["arguments"] });
        let world = world(own, uses, Plan::default()).await?;
        let alice = world.client("alice").await?;
        assert_eq!(text(&echo(&alice, "fine").await?), "fine");
        let answer = echo(&alice, ATTACK).await?;
        assert_eq!(wire::code(&answer), "content_suspected", "{answer}");
        let score = last(&world).await?["scores"][0].clone();
        assert_eq!(
            (&score["value"], &score["threshold"]),
            (&json!(930), &json!(900))
        );
        let asked = service.asked();
        let asked = asked.last().context("it was not asked")?;
        assert_eq!(asked.fault, None);
        assert!(asked.header(header).starts_with(starts), "{asked:?}");
        assert_eq!(asked.body["surface"], "arguments");
    }
    Ok(())
}
