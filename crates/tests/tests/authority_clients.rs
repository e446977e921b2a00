//! Official SDK clients do the whole dance with the gateway's own authorization server, unattended: by
//! registration and by a metadata document of their own, with a certified OpenID provider behind it where
//! people sign in.

use anyhow::Result;
use ringwall_tests::browser::Browser;
use ringwall_tests::certificates::Authority;
use ringwall_tests::dance::{REDIRECT, agrees, authority, registration};
use ringwall_tests::documents::Documents;
use ringwall_tests::place;
use ringwall_tests::program::Command;
use ringwall_tests::provider::{certified, driver};
use ringwall_tests::world::{Plan, World};
use serde_json::{Value, json};
use url::Url;

/// Every client that can do it.
fn clients() -> Result<Vec<(&'static str, Command)>> {
    let python = Command::new(place::python()?).argument(place::own("py/dance.py"));
    Ok(vec![
        ("TypeScript 1.x", driver("dance.mjs")?.argument("v1")),
        ("TypeScript 2.x", driver("dance.mjs")?.argument("v2")),
        ("Python", python),
    ])
}

/// What a client has seen, once somebody with a browser did their part.
async fn danced(world: &World, command: Command, document: Option<&Url>) -> Result<Value> {
    let command = command.argument(world.url()?.as_str());
    let command = match document {
        Some(url) => command.argument(url.as_str()),
        None => command,
    };
    let mut program = command.start("authorize ").await?;
    let way: Url = program.ready().trim_start_matches("authorize ").parse()?;
    let back = agrees(&Browser::default(), &way).await?;
    program.say(back.as_str()).await?;
    let line = program.line_starting("{").await?;
    Ok(serde_json::from_str(&line)?)
}

fn check(name: &str, seen: &Value) {
    for (member, expected) in [
        ("call", json!("hello")),
        ("again", json!("hello")),
        ("tokens", json!(2)),
    ] {
        assert_eq!(seen.get(member), Some(&expected), "{name}: {seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_official_clients_dance_by_registration() -> Result<()> {
    let (world, _provider) = certified(Plan::default().whole(authority(json!({})))).await?;
    for (name, command) in clients()? {
        let seen = danced(&world, command, None).await?;
        check(name, &seen);
        assert!(
            seen["client"]
                .as_str()
                .is_some_and(|id| id.starts_with("rw-")),
            "{seen}"
        );
    }
    assert_eq!(world.events("client.registered", 3).await?.len(), 3);
    assert_eq!(world.events("token.refreshed", 3).await?.len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_official_clients_dance_by_a_document_of_their_own() -> Result<()> {
    let authority_of_hosts = Authority::new()?;
    let documents = Documents::over_tls(&authority_of_hosts).await?;
    let server = json!({
        "registration": "off", "documents": ["127.0.0.1"], "network": "private"
    });
    let plan = Plan::default()
        .whole(authority(server))
        .trusting(&authority_of_hosts.pem());
    let (world, _provider) = certified(plan).await?;
    for (index, (name, command)) in clients()?.into_iter().enumerate() {
        let path = format!("/client-{index}.json");
        let url = documents.at(&path)?;
        let mut document = registration(REDIRECT);
        document["client_id"] = json!(url.as_str());
        documents.put(&path, &document.to_string());
        let seen = danced(&world, command, Some(&url)).await?;
        check(name, &seen);
        assert_eq!(seen["client"], url.as_str(), "{seen}");
        assert_eq!(documents.read(&path), 1, "{name}");
    }
    assert!(world.events("client.registered", 0).await?.is_empty());
    Ok(())
}
