//! The reference script on rmcp, in either era. It only performs the steps and says what it saw.

use super::desk::{Desk, noted, plain, typed, without};
use super::surface::{canonical, part, word};
use anyhow::{Context as _, Result, bail, ensure};
use rmcp::model::{
    CallToolRequest, CallToolResponse, ClientRequest, ErrorData, PingRequest, ProtocolVersion,
    SubscriptionFilter,
};
use rmcp::service::{PeerRequestOptions, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient};
use serde_json::{Map, Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const MODERN: &str = "2026-07-28";
const LEVELS: [&str; 4] = ["debug", "info", "warning", "error"];
/// The code for headers that disagree with the body.
const HEADER_MISMATCH: i32 = -32020;
/// How often the tools are listed again for a call's sake.
const LISTINGS: usize = 5;
/// A machine that does much else is slow; nothing waits longer than it must.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(100);
/// How long notifications may be behind the result that they belong to.
const LATE: Duration = Duration::from_secs(5);

/// What to speak to, and what to do.
#[derive(Clone, Debug)]
pub struct Job {
    /// A URL, or a JSON list: a command that speaks on stdio.
    pub target: String,
    /// `legacy`, `modern` or `auto`.
    pub era: String,
    /// The bearer token, if one is needed.
    pub token: Option<String>,
    /// The script.
    pub steps: Vec<Value>,
}

impl Job {
    /// Reads `TARGET --era ERA [--token TOKEN] --steps JSON`.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let flag = |name: &str| {
            let mut found = arguments.iter().skip_while(|word| *word != name);
            found.nth(1).cloned()
        };
        let steps = flag("--steps").context("`--steps` is missing")?;
        Ok(Job {
            target: arguments.first().cloned().context("no target")?,
            era: flag("--era").unwrap_or_else(|| "auto".to_owned()),
            token: flag("--token"),
            steps: serde_json::from_str(&steps)?,
        })
    }
}

/// Runs the script; what every step saw, by its name, as one line.
pub async fn run(job: Job) -> String {
    let mut seen = Map::new();
    if let Err(error) = perform_all(&job, &mut seen).await {
        seen.insert(
            "failed".to_owned(),
            json!({ "message": format!("{error:#}") }),
        );
    }
    canonical(&Value::Object(seen))
}

async fn perform_all(job: &Job, seen: &mut Map<String, Value>) -> Result<()> {
    let desk = Desk::default();
    let service = connect(job, desk.clone()).await?;
    let version = service
        .peer_info()
        .map(|info| info.protocol_version.clone());
    let modern = version
        .as_ref()
        .is_some_and(|version| version.as_str() == MODERN);
    ensure!(
        job.era != "modern" || modern,
        "the server speaks {version:?}"
    );
    let run = Run {
        service,
        desk,
        modern,
    };
    for step in &job.steps {
        let name = step["name"].as_str().context("a step without a name")?;
        seen.insert(name.to_owned(), run.perform(step).await);
    }
    run.service.cancel().await?;
    Ok(())
}

async fn connect(job: &Job, desk: Desk) -> Result<RunningService<RoleClient, Desk>> {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = match job.era.as_str() {
        "legacy" => ClientLifecycleMode::Initialize,
        "modern" => ClientLifecycleMode::Discover { preferred_versions },
        "auto" => ClientLifecycleMode::Auto {
            preferred_versions,
            legacy_version: None,
        },
        other => bail!("no era `{other}`"),
    };
    if job.target.starts_with('[') {
        let command: Vec<String> = serde_json::from_str(&job.target)?;
        return Ok(desk
            .serve_with_lifecycle(process(&command)?, lifecycle)
            .await?);
    }
    let mut config = StreamableHttpClientTransportConfig::with_uri(job.target.clone());
    if let Some(token) = &job.token {
        config = config.auth_header(token);
    }
    let transport = StreamableHttpClientTransport::from_config(config);
    Ok(desk.serve_with_lifecycle(transport, lifecycle).await?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server that a client speaks to on stdio is its child"
)]
fn process(
    command: &[String],
) -> Result<(tokio::process::ChildStdout, tokio::process::ChildStdin)> {
    let (program, arguments) = command.split_first().context("an empty command")?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdout = child.stdout.take().context("no stdout")?;
    let stdin = child.stdin.take().context("no stdin")?;
    Ok((stdout, stdin))
}

/// Why a step has no result.
enum Miss {
    NotApplicable(&'static str),
    Refused(ErrorData),
    Failed(String),
}

impl From<ServiceError> for Miss {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::McpError(error) => Miss::Refused(error),
            other => Miss::Failed(other.to_string()),
        }
    }
}

impl From<ErrorData> for Miss {
    fn from(error: ErrorData) -> Self {
        Miss::Failed(error.message.into_owned())
    }
}

type Seen = Result<Value, Miss>;

struct Run {
    service: RunningService<RoleClient, Desk>,
    desk: Desk,
    modern: bool,
}

impl Run {
    async fn perform(&self, step: &Value) -> Value {
        let ended = timeout(PATIENCE, self.verb(step)).await;
        let ended = ended.unwrap_or_else(|_| Err(Miss::Failed("too slow".to_owned())));
        let mut seen = Map::new();
        match ended {
            Ok(result) => seen.insert("ok".to_owned(), bare(&result)),
            Err(Miss::NotApplicable(reason)) => return json!({ "n/a": reason }),
            Err(Miss::Refused(error)) => seen.insert("error".to_owned(), plain(&error)),
            Err(Miss::Failed(message)) => {
                seen.insert("error".to_owned(), json!({ "message": message }))
            }
        };
        let mut heard = self.desk.heard();
        let mut asked = std::mem::take(&mut heard.asked);
        asked.sort_by_key(|asked| asked["method"].to_string());
        seen.insert("asked".to_owned(), asked.into());
        seen.insert("logs".to_owned(), std::mem::take(&mut heard.logs).into());
        Value::Object(seen)
    }

    async fn verb(&self, step: &Value) -> Seen {
        let peer = self.service.peer();
        match step["do"].as_str() {
            Some("server") => self.server(),
            Some("tools") => self.tools(step).await,
            Some("resources") => Ok(plain(peer.list_all_resources().await?)),
            Some("templates") => Ok(plain(peer.list_all_resource_templates().await?)),
            Some("prompts") => Ok(plain(peer.list_all_prompts().await?)),
            Some("ping") => self.ping().await,
            Some("call") => self.call(step).await,
            Some("read") => {
                let params = typed(json!({ "uri": step["uri"] }))?;
                Ok(plain(self.service.read_resource(params).await?))
            }
            Some("prompt") => {
                let params = json!({ "name": step["prompt"], "arguments": step["arguments"] });
                Ok(plain(self.service.get_prompt(typed(params)?).await?))
            }
            Some("complete") => {
                let params = without(step, &["name", "do"]);
                Ok(plain(peer.complete(typed(params)?).await?))
            }
            Some("watch") => self.watch(step).await,
            Some("cancel") => self.cancel().await,
            Some("task") => self.task(step).await,
            Some("core_task") => Err(Miss::NotApplicable("this SDK has no core tasks")),
            other => Err(Miss::Failed(format!("no verb {other:?}"))),
        }
    }

    fn server(&self) -> Seen {
        let info = plain(self.service.peer_info().as_deref());
        let capabilities = part(&info, "capabilities").as_object();
        let mut names: Vec<&String> = capabilities
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .collect();
        names.sort();
        let mut seen = Map::new();
        seen.insert("info".to_owned(), part(&info, "serverInfo").clone());
        seen.insert("capabilities".to_owned(), json!(names));
        if let Some(instructions) = info.get("instructions").filter(|said| !said.is_null()) {
            seen.insert("instructions".to_owned(), instructions.clone());
        }
        Ok(Value::Object(seen))
    }

    /// Some servers add tools once they know the client: `until` names one to wait for.
    async fn tools(&self, step: &Value) -> Seen {
        let end = Instant::now() + PATIENCE / 2;
        while Instant::now() < end {
            let tools = self.service.peer().list_all_tools().await?;
            let awaited = step["until"].as_str();
            if awaited.is_none_or(|name| tools.iter().any(|tool| tool.name == name)) {
                return Ok(plain(tools));
            }
            sleep(AGAIN).await;
        }
        Err(Miss::Failed("the tool never came".to_owned()))
    }

    async fn ping(&self) -> Seen {
        if self.modern {
            return Err(Miss::NotApplicable("the modern era has no ping"));
        }
        let request = ClientRequest::PingRequest(PingRequest::default());
        Ok(plain(self.service.peer().send_request(request).await?))
    }

    #[expect(deprecated, reason = "the legacy era has logging/setLevel")]
    async fn call(&self, step: &Value) -> Seen {
        let mut meta = step["meta"].as_object().cloned().unwrap_or_default();
        if let Some(level) = step.get("level") {
            if self.modern {
                meta.insert("io.modelcontextprotocol/logLevel".to_owned(), level.clone());
            } else {
                let params = typed(json!({ "level": level }))?;
                self.service.peer().set_level(params).await?;
            }
        }
        let mut params = tool(word(step, "tool"), &step["arguments"]);
        if let (false, Some(members)) = (meta.is_empty(), params.as_object_mut()) {
            members.insert("_meta".to_owned(), Value::Object(meta));
        }
        self.desk.heard().progress.clear();
        let mut result = self.mirrored(params).await?;
        let reports = step
            .get("progress")
            .and(step.pointer("/arguments/to"))
            .and_then(Value::as_u64);
        if step.get("level").is_some() || reports.is_some() {
            self.settle(reports.unwrap_or(2)).await;
        }
        if let (Some(true), Some(members)) = (step["progress"].as_bool(), result.as_object_mut()) {
            let progress = std::mem::take(&mut self.desk.heard().progress);
            members.insert("progress".to_owned(), progress.into());
        }
        Ok(result)
    }

    /// Calls a tool, and lists the tools again where the server misses a mirrored argument: the SDK
    /// forgets the schemas of a list that came as an event stream if that stream ends too soon.
    async fn mirrored(&self, params: Value) -> Seen {
        for _ in 0..LISTINGS {
            match self.service.call_tool(typed(params.clone())?).await {
                Err(ServiceError::McpError(error)) if error.code.0 == HEADER_MISMATCH => {
                    self.service.peer().list_all_tools().await?;
                }
                ended => return Ok(plain(ended?)),
            }
        }
        Err(Miss::Failed("the mirrored argument is missing".to_owned()))
    }

    /// The SDK hands every notification to a task of its own: they come in any order, and some after
    /// the result, or not at all. This waits for so many for a while and then until no more come, and puts
    /// them in order.
    async fn settle(&self, least: u64) {
        let count = |heard: &super::desk::Heard| (heard.logs.len() + heard.progress.len()) as u64;
        let late = Instant::now() + LATE;
        while count(&self.desk.heard()) < least && Instant::now() < late {
            sleep(AGAIN).await;
        }
        let mut seen = u64::MAX;
        while seen != count(&self.desk.heard()) {
            seen = count(&self.desk.heard());
            sleep(AGAIN).await;
        }
        let mut heard = self.desk.heard();
        let rank = |log: &Value| LEVELS.iter().position(|level| log["level"] == *level);
        heard.logs.sort_by_key(rank);
        heard.progress.sort_by_key(|seen| seen["progress"].as_i64());
    }

    /// A notice can be lost before its stream stands, so what announces it is done until it comes.
    #[expect(deprecated, reason = "the legacy era has resources/subscribe")]
    async fn watch(&self, step: &Value) -> Seen {
        let what = word(step, "what");
        let uri = what.contains(':').then_some(what);
        self.desk.heard().notices.clear();
        if self.modern {
            let filter = uri.map_or_else(
                || json!({ format!("{what}ListChanged"): true }),
                |uri| json!({ "resourceSubscriptions": [uri] }),
            );
            let filter: SubscriptionFilter = typed(filter)?;
            let mut subscription = self.service.peer().listen(filter).await?;
            let listening = async {
                while let Ok(Some(notification)) = subscription.next().await {
                    noted(&self.desk, &notification);
                }
                Err(Miss::Failed("the subscription ended".to_owned()))
            };
            let notice = tokio::select! {
                notice = self.announced(step, what, uri) => notice,
                ended = listening => ended,
            };
            subscription.cancel().await?;
            return notice;
        }
        let params = || typed(json!({ "uri": uri }));
        if uri.is_some() {
            self.service.peer().subscribe(params()?).await?;
        }
        let notice = self.announced(step, what, uri).await;
        if uri.is_some() {
            let params = typed(json!({ "uri": uri }))?;
            self.service.peer().unsubscribe(params).await?;
        }
        notice
    }

    async fn announced(&self, step: &Value, what: &str, uri: Option<&str>) -> Seen {
        let method = match uri {
            Some(_) => "notifications/resources/updated".to_owned(),
            None => format!("notifications/{what}/list_changed"),
        };
        let end = Instant::now() + PATIENCE / 2;
        while Instant::now() < end {
            let params = tool(word(step, "tool"), &step["arguments"]);
            self.service.call_tool(typed(params)?).await?;
            let fits = |notice: &&Value| {
                word(notice, "method") == method
                    && uri.is_none_or(|uri| word(part(notice, "params"), "uri") == uri)
            };
            let found = self.desk.heard().notices.iter().find(fits).cloned();
            if let Some(notice) = found {
                return Ok(notice);
            }
            sleep(AGAIN).await;
        }
        Err(Miss::Failed("nothing came".to_owned()))
    }

    /// Calls a tool that may answer with a task, and waits until the task has ended.
    async fn task(&self, step: &Value) -> Seen {
        let params = tool(word(step, "tool"), &json!({}));
        let id = match self.service.call_tool_once(typed(params)?).await? {
            CallToolResponse::Complete(result) => {
                return Ok(json!({ "task": false, "result": bare(&plain(result)) }));
            }
            CallToolResponse::Task(created) => created.task.task_id,
            other => return Err(Miss::Failed(format!("{other:?}"))),
        };
        let end = Instant::now() + PATIENCE / 2;
        while Instant::now() < end {
            let params = typed(json!({ "taskId": id }))?;
            let task = self.service.peer().get_task(params).await?;
            if task.task.status().is_terminal() {
                let task = plain(task);
                let result = bare(part(&task, "result"));
                return Ok(
                    json!({ "task": true, "status": part(&task, "status"), "result": result }),
                );
            }
            sleep(AGAIN).await;
        }
        Err(Miss::Failed("the task never ended".to_owned()))
    }

    async fn cancel(&self) -> Seen {
        let key = format!("{}-{:?}", std::process::id(), Instant::now());
        let given = json!({ "key": key });
        let params = typed(tool("wait", &given))?;
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let options = PeerRequestOptions::no_options();
        let waiting = self
            .service
            .peer()
            .send_cancellable_request(request, options)
            .await?;
        self.waited(&given, "begun").await?;
        waiting.cancel(Some("enough".to_owned())).await?;
        let mut seen = self.waited(&given, "cancelled").await?;
        if let Some(members) = seen.as_object_mut() {
            members.insert("outcome".to_owned(), "gave up".into());
        }
        Ok(seen)
    }

    /// What `waited` says, once this count is no longer zero.
    async fn waited(&self, given: &Value, count: &str) -> Seen {
        let end = Instant::now() + PATIENCE / 2;
        while Instant::now() < end {
            let result = self
                .service
                .call_tool(typed(tool("waited", given))?)
                .await?;
            let result = plain(result);
            let text = result.pointer("/content/0/text").and_then(Value::as_str);
            let said: Value = serde_json::from_str(text.unwrap_or_default()).unwrap_or_default();
            if part(&said, count).as_u64().is_some_and(|count| count > 0) {
                return Ok(said);
            }
            sleep(AGAIN).await;
        }
        Err(Miss::Failed(format!("nothing was {count}")))
    }
}

fn tool(name: &str, arguments: &Value) -> Value {
    let arguments = if arguments.is_object() {
        arguments.clone()
    } else {
        json!({})
    };
    json!({ "name": name, "arguments": arguments })
}

/// A result without what its era adds to every result, and without a default that is spelled out.
fn bare(result: &Value) -> Value {
    let Some(members) = result.as_object() else {
        return result.clone();
    };
    let mut kept = without(result, &["ttlMs", "cacheScope", "resultType", "_meta"]);
    let meta = members.get("_meta").and_then(Value::as_object);
    let own: Map<String, Value> = meta
        .into_iter()
        .flatten()
        .filter(|(name, _)| !name.starts_with("io.modelcontextprotocol/"))
        .map(|(name, member)| (name.clone(), member.clone()))
        .collect();
    if let Some(kept) = kept.as_object_mut() {
        if !own.is_empty() {
            kept.insert("_meta".to_owned(), Value::Object(own));
        }
        if kept.get("isError") == Some(&Value::Bool(false)) {
            kept.remove("isError");
        }
    }
    kept
}
