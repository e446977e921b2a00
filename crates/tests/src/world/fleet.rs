//! Several servers behind one route: of either era, over HTTP and stdio, each with a journal and a
//! life of its own. Callers of either era come to the same route. Nothing is shared between fleets.

use super::{CREDENTIAL, Gateway, Plan};
use crate::issuer::{Issuer, overlaid};
use crate::mcp::Client;
use crate::place;
use crate::program::{Command, Program, json_lines};
use crate::stateless::Stateless;
use crate::wire::{Events, Outgoing, Reply};
use anyhow::{Context as _, Result};
use http::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use url::Url;

/// One server of a fleet.
#[derive(Clone, Debug)]
pub struct Member {
    name: &'static str,
    place: Place,
    flags: Vec<String>,
    settings: Value,
}

#[derive(Clone, Debug)]
enum Place {
    /// A fixture over HTTP, on this port once it was started.
    Http,
    /// A fixture over stdio, started by the gateway.
    Stdio,
    /// Somebody else's server at this URL.
    At(Url),
}

impl Member {
    /// A fixture over HTTP with these flags.
    pub fn http(name: &'static str, flags: &[&str]) -> Self {
        Member::new(name, Place::Http, flags)
    }

    /// A fixture over stdio with these flags.
    pub fn stdio(name: &'static str, flags: &[&str]) -> Self {
        Member::new(name, Place::Stdio, flags)
    }

    /// Whatever is at this URL.
    pub fn at(name: &'static str, url: &Url) -> Self {
        Member::new(name, Place::At(url.clone()), &[])
    }

    /// With these members of its configuration.
    #[must_use]
    pub fn with(mut self, settings: Value) -> Self {
        self.settings = overlaid(self.settings, &settings);
        self
    }

    fn new(name: &'static str, place: Place, flags: &[&str]) -> Self {
        Member {
            name,
            place,
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            settings: json!({}),
        }
    }
}

/// A member that runs as a process of the test's own.
#[derive(Debug)]
struct Running {
    member: Member,
    port: u16,
    /// None while it is dead.
    program: Option<Program>,
}

/// A gateway with several servers behind the routes `/all` and `/other`.
#[derive(Debug)]
pub struct Fleet {
    /// Whose tokens are accepted.
    pub issuer: Issuer,
    /// The gateway.
    pub gateway: Gateway,
    running: Vec<Running>,
    directory: TempDir,
}

impl Fleet {
    /// Starts everything, but for the members named in `dead`.
    pub async fn start(plan: Plan, members: &[Member], dead: &[&str]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let issuer = Issuer::start().await?;
        let mut running = Vec::new();
        let mut servers = Vec::new();
        for member in members {
            let place = match &member.place {
                Place::Http => {
                    let mut one = Running {
                        member: member.clone(),
                        port: place::free_port()?,
                        program: None,
                    };
                    if !dead.contains(&member.name) {
                        one.revive(directory.path()).await?;
                    }
                    let url = format!("http://127.0.0.1:{}/mcp", one.port);
                    running.push(one);
                    json!({ "http": {
                        "url": url, "network": "private", "credential": "env:FIXTURE_CREDENTIAL"
                    } })
                }
                Place::Stdio => json!({ "stdio": {
                    "command": spoken_to(member, directory.path())?, "confinement": "none"
                } }),
                Place::At(url) => json!({ "http": { "url": url.as_str(), "network": "private" } }),
            };
            let server = overlaid(place, &json!({ "name": member.name, "pins": "first_use" }));
            servers.push(overlaid(overlaid(server, &plan.server), &member.settings));
        }
        let names: Vec<&str> = members.iter().map(|member| member.name).collect();
        let route = |path: &str| overlaid(json!({ "path": path, "servers": names }), &plan.route);
        let routes = json!({ "servers": servers, "routes": [route("/all"), route("/other")] });
        let unused = "http://127.0.0.1:9/mcp".parse()?;
        let own = Plan {
            whole: overlaid(routes, &plan.whole),
            ..plan
        };
        let config = super::config(&own, place::free_port()?, issuer.url(), &unused);
        std::fs::write(directory.path().join("policy.cedar"), &own.policy)?;
        let gateway = Gateway::start(directory.path(), &config).await?;
        Ok(Fleet {
            issuer,
            gateway,
            running,
            directory,
        })
    }

    /// A good token of this user for this route.
    pub fn token(&self, route: &str, user: &str) -> Result<String> {
        self.issuer.token(self.gateway.at(route)?.as_str(), user)
    }

    /// This user at `/all`, in either era: first with a session, then without.
    pub async fn callers(&self, user: &str) -> Result<[Caller; 2]> {
        Ok([
            self.caller(Footing::Session, "/all", user).await?,
            self.caller(Footing::Stateless, "/all", user).await?,
        ])
    }

    /// This user at this route.
    pub async fn caller(&self, footing: Footing, route: &str, user: &str) -> Result<Caller> {
        let (url, token) = (self.gateway.at(route)?, self.token(route, user)?);
        Ok(match footing {
            Footing::Session => Caller::Session(Client::connect(&url, Some(&token)).await?),
            Footing::Stateless => Caller::Stateless(Stateless::new(&url, Some(&token))),
        })
    }

    /// Everything this server has received.
    pub fn journal(&self, name: &str) -> Result<Vec<Value>> {
        json_lines(&self.journal_of(name))
    }

    /// The same as text; nothing if it never ran.
    pub fn journal_text(&self, name: &str) -> Result<String> {
        Ok(match std::fs::read_to_string(self.journal_of(name)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        })
    }

    /// The folder of this fleet.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Kills this server.
    pub async fn kill(&mut self, name: &str) -> Result<()> {
        let one = self.one(name)?;
        let mut program = one.program.take().context("it is dead already")?;
        program.kill().await
    }

    /// Starts this server again, where it was.
    pub async fn revive(&mut self, name: &str) -> Result<()> {
        let directory = self.directory.path().to_path_buf();
        self.one(name)?.revive(&directory).await
    }

    /// Does something to this server behind the gateway's back, such as `mutate`.
    pub async fn tamper(&mut self, name: &str, what: &str) -> Result<()> {
        let port = self.one(name)?.port;
        let url: Url = format!("http://127.0.0.1:{port}/fixture/{what}").parse()?;
        let request = Outgoing::new(Method::POST, &url)
            .header("authorization", &format!("Bearer {CREDENTIAL}"));
        let reply = request.send().await?;
        anyhow::ensure!(reply.status == 204, "`{name}` refused `{what}`: {reply:?}");
        Ok(())
    }

    fn one(&mut self, name: &str) -> Result<&mut Running> {
        let found = self.running.iter_mut().find(|one| one.member.name == name);
        found.with_context(|| format!("no server `{name}` over HTTP"))
    }

    fn journal_of(&self, name: &str) -> PathBuf {
        journal(self.directory.path(), name)
    }
}

impl Running {
    async fn revive(&mut self, directory: &Path) -> Result<()> {
        let program = Command::new(place::built("fixture-upstream")?)
            .argument("--log")
            .argument(journal(directory, self.member.name))
            .arguments(["--credential", CREDENTIAL])
            .arguments(["--port".to_owned(), self.port.to_string()])
            .arguments(self.member.flags.clone())
            .start("http://")
            .await?;
        self.program = Some(program);
        Ok(())
    }
}

fn journal(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.jsonl"))
}

/// The command line of a fixture over stdio.
fn spoken_to(member: &Member, directory: &Path) -> Result<Vec<String>> {
    let mut command = vec![
        place::built("fixture-upstream")?.display().to_string(),
        "--stdio".to_owned(),
        "--log".to_owned(),
        journal(directory, member.name).display().to_string(),
    ];
    command.extend(member.flags.iter().cloned());
    Ok(command)
}

/// Which era a caller speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Footing {
    /// With a session.
    Session,
    /// Without one.
    Stateless,
}

impl Footing {
    /// Both.
    pub const BOTH: [Footing; 2] = [Footing::Session, Footing::Stateless];
}

/// A caller of either era.
#[derive(Debug)]
pub enum Caller {
    /// With a session.
    Session(Client),
    /// Without one.
    Stateless(Stateless),
}

impl Caller {
    /// Which era it speaks.
    pub fn footing(&self) -> Footing {
        match self {
            Caller::Session(_) => Footing::Session,
            Caller::Stateless(_) => Footing::Stateless,
        }
    }

    /// Sends a request and returns the whole HTTP answer.
    pub async fn send(&self, method: &str, params: Value) -> Result<Reply> {
        match self {
            Caller::Session(client) => client.send(method, params).await,
            Caller::Stateless(client) => client.send(method, params).await,
        }
    }

    /// Sends a request and returns the final JSON-RPC message.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value> {
        self.send(method, params).await?.json()
    }

    /// Calls a tool and returns the final JSON-RPC message.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Value> {
        let params = json!({ "name": tool, "arguments": arguments });
        self.request("tools/call", params).await
    }

    /// The first page of this list, as it came: the `result`.
    pub async fn list(&self, of: List) -> Result<Value> {
        self.page(of, None).await
    }

    /// The page of this list behind this cursor.
    pub async fn page(&self, of: List, cursor: Option<&str>) -> Result<Value> {
        let params = cursor.map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
        let answer = self.request(of.method(), params).await?;
        let result = answer.get("result").cloned();
        result.with_context(|| format!("{} was refused: {answer}", of.method()))
    }

    /// What the things of this list are called.
    pub async fn names(&self, of: List) -> Result<Vec<String>> {
        of.names(&self.list(of).await?)
    }

    /// Opens the stream of changes: of everything, and of these resources.
    pub async fn changes(&self, uris: &[&str]) -> Result<Events> {
        match self {
            Caller::Session(client) => {
                for uri in uris {
                    let params = json!({ "uri": uri });
                    let answer = client.request("resources/subscribe", params).await?;
                    anyhow::ensure!(answer.get("result") == Some(&json!({})), "{answer}");
                }
                client.listen(None).await
            }
            Caller::Stateless(client) => {
                let mut events = client
                    .listen(json!({
                        "toolsListChanged": true, "promptsListChanged": true,
                        "resourcesListChanged": true, "resourceSubscriptions": uris
                    }))
                    .await?;
                let acknowledged = json!("notifications/subscriptions/acknowledged");
                let first = |message: &Value| message.get("method") == Some(&acknowledged);
                events.message(first).await?;
                Ok(events)
            }
        }
    }
}

/// The lists of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// `tools/list`.
    Tools,
    /// `prompts/list`.
    Prompts,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    Templates,
}

impl List {
    /// All of them.
    pub const ALL: [List; 4] = [List::Tools, List::Prompts, List::Resources, List::Templates];

    /// The method that asks for it.
    pub fn method(self) -> &'static str {
        match self {
            List::Tools => "tools/list",
            List::Prompts => "prompts/list",
            List::Resources => "resources/list",
            List::Templates => "resources/templates/list",
        }
    }

    /// The things of a result, in order.
    pub fn items(self, result: &Value) -> Result<&Vec<Value>> {
        let member = match self {
            List::Tools => "tools",
            List::Prompts => "prompts",
            List::Resources => "resources",
            List::Templates => "resourceTemplates",
        };
        let items = result.get(member).and_then(Value::as_array);
        items.with_context(|| format!("no `{member}` in {result}"))
    }

    /// What the things of a result are called.
    pub fn names(self, result: &Value) -> Result<Vec<String>> {
        let member = match self {
            List::Tools | List::Prompts => "name",
            List::Resources => "uri",
            List::Templates => "uriTemplate",
        };
        let named = |item: &Value| item.get(member)?.as_str().map(str::to_owned);
        let names: Option<Vec<String>> = self.items(result)?.iter().map(named).collect();
        names.with_context(|| format!("something without `{member}` in {result}"))
    }
}
