//! The scenarios about authorization: how the operator sets up the gateway for each, and what the user
//! does, who is given a link and follows it with a browser.

use super::caller::{Caller, Era};
use super::{Scenario, plays};
use crate::browser::{Browser, link_in, link_in_text};
use crate::wire::Outgoing;
use anyhow::{Context as _, Result, bail, ensure};
use http::Method;
use serde_json::{Value, json};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use url::Url;

/// The document that the suite takes for that of any client.
const DOCUMENT: &str = "https://conformance-test.local/client-metadata.json";

/// How often a user follows a link for one scenario.
const LINKS: usize = 8;

/// The scenarios that a good client does not get through.
const TURNED_AWAY: [&str; 7] = [
    "auth/iss-normalized",
    "auth/iss-supported-missing",
    "auth/iss-unexpected",
    "auth/iss-wrong-issuer",
    "auth/metadata-issuer-mismatch",
    "auth/resource-mismatch",
    "auth/scope-retry-limit",
];

/// How tokens are got, as the operator writes it for this scenario.
pub(super) async fn oauth(scenario: &Scenario, secrets: &Path) -> Result<Option<Value>> {
    let Some(name) = scenario.name.strip_prefix("auth/") else {
        return Ok(None);
    };
    let said = |name: &str| scenario.context.get(name).and_then(Value::as_str);
    let file = |name: &str| -> Result<String> {
        let path = secrets.join(name);
        let text = said(name).with_context(|| format!("the suite says no `{name}`"))?;
        let mut options = std::fs::File::options();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        Ok(format!("file:{}", path.display()))
    };
    let mut oauth = match name {
        "basic-cimd" => json!({
            "grant": "connection", "client": { "metadata_document": DOCUMENT }
        }),
        "pre-registration" => json!({
            "grant": "connection", "issuer": said("issuer"),
            "client": { "id": said("client_id") }, "secret": file("client_secret")?
        }),
        "client-credentials-basic" => json!({
            "grant": "client_credentials", "issuer": issuer(&scenario.server).await?,
            "client": { "id": said("client_id") }, "secret": file("client_secret")?
        }),
        "client-credentials-jwt" => json!({
            "grant": "client_credentials", "issuer": issuer(&scenario.server).await?,
            "client": { "id": said("client_id") }, "key": file("private_key_pem")?
        }),
        "wif-jwt-bearer" => json!({
            "grant": "workload", "assertion": file("valid_jwt")?
        }),
        "dpop" | "dpop-nonce" => json!({ "grant": "connection", "tokens": "dpop" }),
        _ => json!({ "grant": "connection" }),
    };
    if let Some(members) = oauth.as_object_mut() {
        members.insert("network".to_owned(), json!("private"));
    }
    Ok(Some(oauth))
}

/// What an operator looks up before they write down whose tokens a server takes.
async fn issuer(server: &Url) -> Result<String> {
    let place = server.join(&format!(
        "/.well-known/oauth-protected-resource{}",
        server.path()
    ))?;
    let found = Outgoing::new(Method::GET, &place).send().await?.json()?;
    let issuer = found.pointer("/authorization_servers/0");
    let issuer = issuer.and_then(Value::as_str);
    Ok(issuer.context("no authorization server")?.to_owned())
}

/// Calls a tool, and does what the gateway asks of the user meanwhile.
pub(super) async fn play(scenario: &Scenario, era: Era, url: &Url, token: &str) -> Result<()> {
    let played = through(scenario, era, url, token).await;
    match TURNED_AWAY.contains(&scenario.name.as_str()) {
        true => {
            ensure!(played.is_err(), "nobody turned this away");
            Ok(())
        }
        false => played,
    }
}

async fn through(scenario: &Scenario, era: Era, url: &Url, token: &str) -> Result<()> {
    let user = User::default();
    let caller = user.connect(era, url, token).await?;
    let listed = user
        .until_done(|| caller.request("tools/list", json!({})))
        .await?;
    let called = user.until_done(|| plays::call(&caller, &listed, "test-tool", json!({})));
    plays::succeeded(&called.await?)?;
    if scenario.name == "auth/authorization-server-migration" {
        let again = user.until_done(|| plays::call(&caller, &listed, "test-tool", json!({})));
        plays::succeeded(&again.await?)?;
    }
    Ok(())
}

/// Somebody with a client and a browser.
#[derive(Debug, Default)]
struct User(Browser);

impl User {
    /// A session, or whatever the era has instead of one.
    async fn connect(&self, era: Era, url: &Url, token: &str) -> Result<Caller> {
        let capabilities = json!({ "elicitation": { "form": {}, "url": {} } });
        for _ in 0..LINKS {
            match Caller::capable(era, url, token, capabilities.clone()).await {
                Ok(caller) => return Ok(caller),
                Err(error) => {
                    let link = link_in_text(&format!("{error:#}"));
                    let Some(link) = link else {
                        return Err(error);
                    };
                    self.0.connect(&link).await?;
                }
            }
        }
        bail!("asked to connect again and again")
    }

    /// Does the same until it is done, and follows the link whenever there is one.
    async fn until_done<F: Future<Output = Result<Value>>>(
        &self,
        doing: impl Fn() -> F,
    ) -> Result<Value> {
        for _ in 0..LINKS {
            let answer = doing().await?;
            match link_in(&answer) {
                Some(link) => drop(self.0.connect(&link).await?),
                None => return Ok(answer),
            }
        }
        bail!("asked to connect again and again")
    }
}
