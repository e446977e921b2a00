//! One small world per test: an issuer, a server, and the gateway between them and the caller, all
//! on ports of their own in a folder of their own. It ends with the test.

mod fleet;
mod gateway;
mod plain;
mod pliant;
mod scripted;

pub use fleet::{Caller, Fleet, Footing, List, Member};
pub use gateway::{Gateway, ledger, ringwall};
pub use plain::Plain;
pub use pliant::Pliant;
pub use scripted::Scripted;

use crate::issuer::{Issuer, overlaid};
use crate::mcp::Client;
use crate::place;
use crate::program::{Command, Program, json_lines, whole_lines};
use crate::wire::Outgoing;
use anyhow::{Context as _, Result};
use http::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::PathBuf;
use tempfile::TempDir;
use url::Url;

/// The policy of a world that does not say otherwise.
pub const PERMIT_ALL: &str = "permit(principal, action, resource);\n";

/// The credential the gateway shows the fixture; no caller ever has it.
pub const CREDENTIAL: &str = "the-gateways-own-credential";

/// The secret of the gateway's own client at identity providers, whose name is `ringwall`.
pub const PROVIDER_SECRET: &str = "ringwall-secret";

/// What a world differs in.
#[derive(Clone, Debug)]
pub struct Plan {
    fixture: Vec<String>,
    server: Value,
    route: Value,
    issuer: Value,
    whole: Value,
    policy: String,
    files: Vec<(String, String)>,
    host: String,
    trusted: Option<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            fixture: Vec::new(),
            server: json!({}),
            route: json!({}),
            issuer: json!({}),
            whole: json!({}),
            policy: PERMIT_ALL.to_owned(),
            files: Vec::new(),
            host: "127.0.0.1".to_owned(),
            trusted: None,
        }
    }
}

impl Plan {
    /// With a server that also misbehaves.
    #[must_use]
    pub fn hostile(mut self) -> Self {
        self.fixture.push("--hostile".to_owned());
        self
    }

    /// With a server started with these flags too, such as `["--era", "modern"]`.
    #[must_use]
    pub fn fixture(mut self, flags: &[&str]) -> Self {
        self.fixture
            .extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// With these members of the server's configuration.
    #[must_use]
    pub fn server(mut self, members: Value) -> Self {
        self.server = overlaid(self.server, &members);
        self
    }

    /// With these members of the routes' configuration.
    #[must_use]
    pub fn route(mut self, members: Value) -> Self {
        self.route = overlaid(self.route, &members);
        self
    }

    /// With these members of the issuer's configuration.
    #[must_use]
    pub fn issuer(mut self, members: Value) -> Self {
        self.issuer = overlaid(self.issuer, &members);
        self
    }

    /// With these members at the top of the configuration.
    #[must_use]
    pub fn whole(mut self, members: Value) -> Self {
        self.whole = overlaid(self.whole, &members);
        self
    }

    /// Reached by this name of the machine.
    #[must_use]
    pub fn host(mut self, name: &str) -> Self {
        name.clone_into(&mut self.host);
        self
    }

    /// With a file beside the configuration.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Where the gateway trusts this authority, in PEM form, and no other of the system's.
    #[must_use]
    pub fn trusting(mut self, pem: &str) -> Self {
        self.trusted = Some(pem.to_owned());
        self
    }

    /// With this policy.
    #[must_use]
    pub fn policy(mut self, text: &str) -> Self {
        text.clone_into(&mut self.policy);
        self
    }
}

/// A running world.
#[derive(Debug)]
pub struct World {
    /// Whose tokens are accepted.
    pub issuer: Issuer,
    /// The gateway.
    pub gateway: Gateway,
    fixture: Program,
    fixture_url: Url,
    directory: TempDir,
}

impl World {
    /// Starts everything and waits until it is ready.
    pub async fn start(plan: Plan) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let issuer = Issuer::start().await?;
        let journal = directory.path().join("fixture.jsonl");
        let fixture = Command::new(place::built("fixture-upstream")?)
            .arguments(["--log".as_ref(), journal.as_os_str()])
            .arguments(["--credential", CREDENTIAL])
            .arguments(plan.fixture.clone())
            .start("http://")
            .await?;
        let fixture_url: Url = fixture.ready().parse()?;
        let port = place::free_port()?;
        let config = config(&plan, port, issuer.url(), &fixture_url);
        std::fs::write(directory.path().join("policy.cedar"), &plan.policy)?;
        for (name, text) in &plan.files {
            std::fs::write(directory.path().join(name), text)?;
        }
        if let Some(pem) = &plan.trusted {
            std::fs::write(directory.path().join(gateway::TRUSTED), pem)?;
        }
        let gateway = Gateway::start(directory.path(), &config).await?;
        Ok(World {
            issuer,
            gateway,
            fixture,
            fixture_url,
            directory,
        })
    }

    /// The endpoint most tests use.
    pub fn url(&self) -> Result<Url> {
        self.gateway.at("/fixture")
    }

    /// The resource a token for that endpoint is for.
    pub fn resource(&self) -> Result<String> {
        Ok(self.url()?.to_string())
    }

    /// A good token of this user for that endpoint.
    pub fn token(&self, user: &str) -> Result<String> {
        self.issuer.token(&self.resource()?, user)
    }

    /// This user, with a session at that endpoint.
    pub async fn client(&self, user: &str) -> Result<Client> {
        Client::connect(&self.url()?, Some(&self.token(user)?)).await
    }

    /// The fixture itself, past the gateway.
    pub async fn direct(&self) -> Result<Client> {
        Client::connect(&self.fixture_url, Some(CREDENTIAL)).await
    }

    /// Does something to the fixture behind the gateway's back, such as `mutate`.
    pub async fn tamper(&self, what: &str) -> Result<()> {
        let url = self.fixture_url.join(&format!("/fixture/{what}"))?;
        let request = Outgoing::new(Method::POST, &url)
            .header("authorization", &format!("Bearer {CREDENTIAL}"));
        let reply = request.send().await?;
        anyhow::ensure!(
            reply.status == 204,
            "the fixture refused `{what}`: {reply:?}"
        );
        Ok(())
    }

    /// Where the fixture is.
    pub fn fixture_url(&self) -> &Url {
        &self.fixture_url
    }

    /// Everything the fixture has received.
    pub fn journal(&self) -> Result<Vec<Value>> {
        json_lines(&self.directory.path().join("fixture.jsonl"))
    }

    /// How many messages of callers have reached the fixture; what the gateway asks for itself, such
    /// as the list of tools, carries an id of its own and does not count.
    pub fn arrived(&self) -> Result<usize> {
        let journal = self.journal()?;
        let bodies = journal.iter().filter_map(|line| line.get("body")?.as_str());
        Ok(bodies
            .filter(|body| !body.contains("\"id\":\"ringwall-"))
            .count())
    }

    /// Everything the fixture has received, as text.
    pub fn journal_text(&self) -> Result<String> {
        whole_lines(&self.directory.path().join("fixture.jsonl"))
    }

    /// The events of this name in the ledger, once there are so many.
    pub async fn events(&self, name: &str, count: usize) -> Result<Vec<Value>> {
        let is_named = |line: &Value| line.pointer("/record/event/name") == Some(&json!(name));
        let mut records = self.gateway.follow().await?;
        // One that comes while those before it are shown may be told twice.
        let mut seen = HashSet::new();
        let mut line = records.ready().to_owned();
        loop {
            if is_named(&serde_json::from_str(&line)?) {
                seen.insert(line);
            }
            if seen.len() >= count {
                break;
            }
            line = records.line_starting("{").await?;
        }
        records.kill().await?;
        let records = ledger(&self.gateway, &["--limit", "10000"]).await?;
        Ok(records.into_iter().filter(is_named).collect())
    }

    /// The folder of this world.
    pub fn path(&self) -> PathBuf {
        self.directory.path().to_path_buf()
    }

    /// Kills the server behind the gateway.
    pub async fn kill_fixture(&mut self) -> Result<()> {
        self.fixture.kill().await
    }
}

fn config(plan: &Plan, port: u16, issuer: &str, fixture: &Url) -> Value {
    let server = json!({
        "name": "fixture",
        "http": { "url": fixture.as_str(), "network": "private", "credential": "env:FIXTURE_CREDENTIAL" },
        "pins": "first_use"
    });
    let route = |path: &str| overlaid(json!({ "path": path, "server": "fixture" }), &plan.route);
    let claims =
        json!({ "user": "sub", "client": "client_id", "groups": "groups", "scopes": "scope" });
    let issuer = json!({
        "issuer": issuer, "network": "private", "claims": claims,
        "sign_in": { "client": "ringwall-signs-in" }
    });
    let whole = json!({
        "version": 1,
        "public_url": format!("http://{}:{port}", plan.host),
        "data": "./data",
        "listeners": [{ "address": format!("127.0.0.1:{port}") }],
        "issuers": [overlaid(issuer, &plan.issuer)],
        "servers": [overlaid(server, &plan.server)],
        "routes": [route("/fixture"), route("/other")],
        "policies": ["policy.cedar"]
    });
    overlaid(whole, &plan.whole)
}

/// A gateway before servers of somebody else's making, all with the same issuer.
#[derive(Debug)]
pub struct Peers {
    /// Whose tokens are accepted.
    pub issuer: Issuer,
    /// The gateway.
    pub gateway: Gateway,
    _directory: TempDir,
}

impl Peers {
    /// Puts a gateway before these servers; the route of each is its name.
    pub async fn start(servers: Vec<Value>) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let issuer = Issuer::start().await?;
        let port = place::free_port()?;
        let names = servers
            .iter()
            .map(|server| server.get("name").and_then(Value::as_str));
        let names: Option<Vec<&str>> = names.collect();
        let routes: Vec<Value> = names
            .context("a server without a name")?
            .iter()
            .map(|name| json!({ "path": format!("/{name}"), "server": name }))
            .collect();
        let plan = Plan::default().whole(json!({ "servers": servers, "routes": routes }));
        let unused = "http://127.0.0.1:9/mcp".parse()?;
        let config = config(&plan, port, issuer.url(), &unused);
        std::fs::write(directory.path().join("policy.cedar"), PERMIT_ALL)?;
        let gateway = Gateway::start(directory.path(), &config).await?;
        Ok(Peers {
            issuer,
            gateway,
            _directory: directory,
        })
    }

    /// A user with a session at the route of this server.
    pub async fn client(&self, server: &str, user: &str) -> Result<Client> {
        let url = self.gateway.at(&format!("/{server}"))?;
        let token = self.issuer.token(url.as_str(), user)?;
        Client::connect(&url, Some(&token)).await
    }
}
