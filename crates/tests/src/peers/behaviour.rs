//! What the reference server in Rust does. It knows of a request only what its `Asker` says.

use super::asker::{Asker, Halt};
use super::server::House;
use super::surface::{
    at, canonical, consult, form, list, look, member, only, text, told, visit, word,
};
use serde_json::{Map, Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a call waits to be cancelled.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The pause after a report of progress, and after the last one.
const PAUSE: Duration = Duration::from_millis(30);
const LAST_PAUSE: Duration = Duration::from_millis(500);

type Answer = Result<Value, Halt>;

/// The tools there are now.
pub(super) fn tools(house: &House) -> Vec<Value> {
    let mut tools = list("tools");
    if house.grown.load(Ordering::Relaxed) {
        tools.push(at("/grown"));
    }
    tools
}

/// Runs one tool.
pub(super) async fn call(house: &House, name: &str, given: &Value, asker: &Asker<'_>) -> Answer {
    let known = tools(house).iter().any(|tool| tool["name"] == name);
    if !known {
        return Err(Halt::rejected(&format!("no tool `{name}`"), None));
    }
    match name {
        "count" => count(number(given, "to"), asker).await,
        "log" => log(asker).await,
        "wait" => Ok(wait(house, word(given, "key"), asker).await),
        "ask" | "visit" | "consult" | "look" | "gather" | "converse" => {
            ask(name, given, asker).await
        }
        _ => plain(house, name, given, asker).await,
    }
}

async fn plain(house: &House, name: &str, given: &Value, asker: &Asker<'_>) -> Answer {
    Ok(match name {
        "echo" => text(word(given, "text")),
        "add" => {
            let sum = json!({ "sum": number(given, "a") + number(given, "b") });
            let mut result = told(&sum);
            if let Some(members) = result.as_object_mut() {
                members.insert("structuredContent".to_owned(), sum);
            }
            result
        }
        "reject" => {
            let data = json!({ "reason": "told to" });
            let message = "It was rejected, as it was told to.";
            return Err(Halt::rejected(message, Some(data)));
        }
        "tag" => {
            let meta = asker.meta();
            told(
                &json!({ "tag": meta.get("org.example/tag"), "traceparent": meta.get("traceparent") }),
            )
        }
        "route" => text(word(given, "region")),
        "waited" => {
            let waits = house.waits.lock();
            let waits = waits
                .ok()
                .and_then(|all| all.get(word(given, "key")).copied());
            let (begun, cancelled) = waits.unwrap_or_default();
            told(&json!({ "begun": begun, "cancelled": cancelled }))
        }
        "touch" => {
            house.announce(word(given, "what")).await;
            text(&format!("touched {}", word(given, "what")))
        }
        "grow" => {
            let present = given.get("present").and_then(Value::as_bool) == Some(true);
            house.grown.store(present, Ordering::Relaxed);
            house.announce("tools").await;
            text(if present { "grown" } else { "shrunk" })
        }
        other => member("results", other).unwrap_or_default(),
    })
}

async fn count(to: i64, asker: &Asker<'_>) -> Answer {
    for done in 1..=to {
        asker.progress(done, to).await;
        // The TypeScript 1.x client drops progress that it reads together with the result.
        let pause = if done == to { LAST_PAUSE } else { PAUSE };
        tokio::time::sleep(pause).await;
    }
    Ok(text(&format!("counted {to}")))
}

async fn log(asker: &Asker<'_>) -> Answer {
    for level in ["debug", "info", "warning", "error"] {
        asker.log(level, json!({ "level": level })).await;
    }
    Ok(text("logged"))
}

async fn wait(house: &House, key: &str, asker: &Asker<'_>) -> Value {
    let note = |begun: u64, cancelled: u64| {
        if let Ok(mut all) = house.waits.lock() {
            let waits = all.entry(key.to_owned()).or_default();
            waits.0 += begun;
            waits.1 += cancelled;
        }
    };
    note(1, 0);
    tokio::select! {
        () = asker.cancelled() => note(0, 1),
        () = tokio::time::sleep(LONGEST_WAIT) => {}
    }
    text("waited")
}

async fn ask(name: &str, given: &Value, asker: &Asker<'_>) -> Answer {
    Ok(match name {
        "ask" => {
            let question = form(word(given, "message"));
            let answer = asker.one("form", question, None).await?;
            told(&Value::Object(only(&answer, &["action", "content"])))
        }
        "visit" => {
            let question = visit(word(given, "message"));
            let answer = asker.one("page", question, None).await?;
            told(&Value::Object(only(&answer, &["action"])))
        }
        "consult" => {
            let question = consult(word(given, "question"));
            told(&Value::Object(reply(
                &asker.one("model", question, None).await?,
            )))
        }
        "look" => text(&canonical(&roots(&asker.one("roots", look(), None).await?))),
        "gather" => {
            let questions = [("form", form("Both?")), ("roots", look())];
            let answers = asker.need(&questions, None).await?;
            let filled = answers.get("form").cloned().unwrap_or_default();
            let found = answers.get("roots").cloned().unwrap_or_default();
            told(&json!({ "form": only(&filled, &["action", "content"]), "roots": roots(&found) }))
        }
        _ => converse(asker).await?,
    })
}

async fn converse(asker: &Asker<'_>) -> Answer {
    let name = match asker.state() {
        Some(name) => name.to_owned(),
        None => {
            let answer = asker.one("form", form("Who is it?"), None).await?;
            let name = answer.pointer("/content/name").and_then(Value::as_str);
            name.unwrap_or("nobody").to_owned()
        }
    };
    let question = consult(&format!("Who is {name}?"));
    let answer = asker.one("model", question, Some(&name)).await?;
    Ok(told(
        &json!({ "name": name, "text": reply(&answer).get("text") }),
    ))
}

fn reply(answer: &Value) -> Map<String, Value> {
    let mut kept = only(answer, &["model", "role", "stopReason"]);
    let text = answer.pointer("/content/text").cloned().unwrap_or_default();
    kept.insert("text".to_owned(), text);
    kept
}

fn roots(answer: &Value) -> Value {
    let roots = answer.get("roots").and_then(Value::as_array);
    let roots = roots.into_iter().flatten();
    roots.map(|root| only(root, &["name", "uri"])).collect()
}

/// Reads one resource.
pub(super) async fn read(uri: &str, asker: &Asker<'_>) -> Answer {
    if uri == "ref://guarded" {
        let answer = asker.one("form", form("May it be read?"), None).await?;
        if word(&answer, "action") != "accept" {
            return Err(Halt::rejected("the user does not want it read", None));
        }
    }
    let numbered = |prefix: &str| {
        let number = uri.strip_prefix(prefix)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(number)
    };
    let item = numbered("ref://item/").map(|number| format!("Item {number}."));
    let many = numbered("ref://many/").map(|number| format!("Number {number}."));
    if let Some(said) = item.or(many) {
        let contents = json!({ "uri": uri, "mimeType": "text/plain", "text": said });
        return Ok(json!({ "contents": [contents] }));
    }
    member("contents", uri).ok_or_else(|| Halt::missing(uri))
}

/// Gets one prompt.
pub(super) async fn prompt(name: &str, given: &Value, asker: &Asker<'_>) -> Answer {
    let message = |spoken: &str| {
        let content = json!({ "type": "text", "text": spoken });
        json!({ "messages": [{ "role": "user", "content": content }] })
    };
    match name {
        "greet" => {
            let Some(whom) = given.get("name").and_then(Value::as_str) else {
                return Err(Halt::rejected("`name` is missing", None));
            };
            let tone = given.get("tone").and_then(Value::as_str);
            let tone = tone.map(|tone| format!(" in a {tone} tone"));
            Ok(message(&format!(
                "Greet {whom}{}.",
                tone.unwrap_or_default()
            )))
        }
        "interview" => {
            let answer = asker.one("form", form("May we talk?"), None).await?;
            Ok(message(&format!(
                "The user said {}.",
                word(&answer, "action")
            )))
        }
        other => member("messages", other)
            .ok_or_else(|| Halt::rejected(&format!("no prompt `{name}`"), None)),
    }
}

/// Completes one argument.
pub(super) fn complete(params: &Value) -> Value {
    let argument = params.get("argument").cloned().unwrap_or_default();
    let known = member("completions", word(&argument, "name")).unwrap_or_default();
    let given = params.pointer("/context/arguments/name");
    let given = given.and_then(Value::as_str);
    let known = known.as_array().cloned().unwrap_or_default();
    let fitting = known
        .iter()
        .filter_map(Value::as_str)
        .filter(|value| value.starts_with(word(&argument, "value")));
    let values: Vec<String> = fitting
        .map(|value| given.map_or_else(|| value.to_owned(), |name| format!("{value} for {name}")))
        .collect();
    json!({ "completion": { "total": values.len(), "values": values, "hasMore": false } })
}

fn number(object: &Value, name: &str) -> i64 {
    object.get(name).and_then(Value::as_i64).unwrap_or_default()
}
