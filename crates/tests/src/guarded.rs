//! A world whose server is shown tokens, and the users who connect it: how the operator writes that down,
//! and how a test gets as far as the first link.

use crate::authority::Realm;
use crate::browser::{Browser, link_in};
use crate::issuer::overlaid;
use crate::mcp::Client;
use crate::world::{CREDENTIAL, Plan, World};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use url::Url;

/// A world whose server is guarded, with tokens got like this.
pub async fn guarded(realm: &Realm, oauth: Value) -> Result<World> {
    let http = json!({ "url": realm.server().as_str(), "network": "private", "oauth": oauth });
    let wide = json!({ "rate": "1000/s", "burst": 1000, "concurrent": 256 });
    let limits = json!({ "source": wide, "user": wide, "session": wide, "tool": wide });
    let plan = Plan::default().whole(json!({ "limits": limits }));
    let world = World::start(plan.server(json!({ "http": http }))).await?;
    realm.guards(world.fixture_url(), CREDENTIAL);
    Ok(world)
}

/// Tokens that each user grants once.
pub fn connection() -> Value {
    json!({ "grant": "connection", "network": "private" })
}

/// Tokens by this grant, as a client that the operator registered.
pub fn client(realm: &Realm, grant: &str) -> Value {
    json!({
        "grant": grant, "issuer": realm.issuer(), "network": "private",
        "client": { "id": "the-gateway" }, "secret": "env:FIXTURE_CREDENTIAL"
    })
}

/// A session, once the user has done what is asked of them.
pub async fn connected(world: &World, user: &str, browser: &Browser) -> Result<Client> {
    let refused = opened(world, user).await?.1;
    let link = link_in(&refused).with_context(|| format!("no link: {refused}"))?;
    browser.connect(&link).await?;
    world.client(user).await
}

/// What is answered to an `initialize` of this user, who can open pages.
pub async fn opened(world: &World, user: &str) -> Result<(Client, Value)> {
    let client = Client::new(&world.url()?, Some(&world.token(user)?));
    let answer = client
        .initialize_with(json!({ "elicitation": { "url": {} } }))
        .await?;
    Ok((client, answer))
}

/// The link that this user is given.
pub async fn link(world: &World, user: &str) -> Result<Url> {
    let answer = opened(world, user).await?.1;
    link_in(&answer).with_context(|| format!("no link: {answer}"))
}

/// Tokens by exchange at the callers' own issuer.
pub async fn exchanging(realm: &Realm, grant: &str, more: Value) -> Result<World> {
    let world = guarded(realm, client(realm, "client_credentials")).await?;
    let issuer = json!({ "issuer": world.issuer.url() });
    let oauth = overlaid(overlaid(client(realm, grant), &issuer), &more);
    with(world, oauth).await
}

/// The same world with tokens got like this: where its issuer is, is known only once it runs.
pub async fn with(mut world: World, oauth: Value) -> Result<World> {
    let file = world.path().join("ringwall.yaml");
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    let place = config.pointer_mut("/servers/0/http/oauth");
    *place.context("no server with tokens")? = oauth;
    std::fs::write(&file, config.to_string())?;
    world.gateway.crash_and_restart().await?;
    Ok(world)
}
