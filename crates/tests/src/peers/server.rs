//! The reference server on rmcp, over Streamable HTTP on loopback, in either era or both. What it
//! does is in `behaviour`; here is only how the SDK is spoken to.

#![expect(
    deprecated,
    reason = "sampling, roots and logging are part of both eras, if on their way out"
)]

use super::asker::{Asker, Halt};
use super::behaviour;
use super::desk::{plain, typed};
use super::surface;
use anyhow::Result;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    CreateTaskResult, ErrorData, GetPromptRequestParams, GetPromptResponse, GetTaskParams,
    GetTaskResult, InputResponses, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion,
    ReadResourceRequestParams, ReadResourceResponse, ResourceUpdatedNotificationParam,
    ServerConfig, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter,
    TASKS_EXTENSION_ID, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::task_manager::{TaskManager, TaskOptions};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{Peer, RoleServer, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// The revision of the modern era.
pub(super) const MODERN: &str = "2026-07-28";

/// The levels of a log, least first.
pub(super) const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// What changes while the server runs, and who is told.
pub(super) struct House {
    pub(super) grown: AtomicBool,
    /// How many waits of each key have begun, and how many were cancelled.
    pub(super) waits: Mutex<BTreeMap<String, (u64, u64)>>,
    sessions: Mutex<Vec<Arc<Session>>>,
    changes: broadcast::Sender<String>,
    elicitations: AtomicU64,
    /// The tasks of the modern era; none where the legacy era is spoken too.
    tasks: Option<TaskManager>,
}

/// One session of the legacy era.
#[derive(Debug, Default)]
struct Session {
    peer: OnceLock<Peer<RoleServer>>,
    watched: Mutex<BTreeSet<String>>,
    level: Mutex<usize>,
}

impl House {
    /// Tells everybody who listens, in both eras.
    pub(super) async fn announce(&self, what: &str) {
        // Nobody may be listening in the modern era.
        let _ = self.changes.send(what.to_owned());
        let sessions = self.sessions.lock().map(|sessions| sessions.clone());
        for session in sessions.unwrap_or_default() {
            let watched = session.watched.lock().is_ok_and(|all| all.contains(what));
            let Some(peer) = session.peer.get() else {
                continue;
            };
            // A session that has gone hears nothing more.
            let _ = match what {
                "tools" => peer.notify_tool_list_changed().await,
                "prompts" => peer.notify_prompt_list_changed().await,
                "resources" => peer.notify_resource_list_changed().await,
                uri if watched => {
                    let params = ResourceUpdatedNotificationParam::new(uri);
                    peer.notify_resource_updated(params).await
                }
                _ => Ok(()),
            };
        }
    }
}

/// The server, once for each session, or once for each request of the modern era.
#[derive(Clone)]
struct Reference {
    house: Arc<House>,
    session: Arc<Session>,
    versions: Arc<[ProtocolVersion]>,
}

impl Reference {
    fn asker<'a>(
        &'a self,
        context: &'a RequestContext<RoleServer>,
        given: Option<&'a InputResponses>,
        state: Option<&'a str>,
    ) -> Asker<'a> {
        Asker {
            context,
            given,
            state,
            level: self.session.level.lock().map_or(0, |level| *level),
            elicitations: &self.house.elicitations,
        }
    }

    fn watch(&self, uri: String, watched: bool) {
        if let Ok(mut all) = self.session.watched.lock() {
            if watched {
                all.insert(uri);
            } else {
                all.remove(&uri);
            }
        }
    }
}

impl ServerHandler for Reference {
    fn get_info(&self) -> ServerConfig {
        let info = surface::at("/server");
        let mut config = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {
                "tools": { "listChanged": true },
                "resources": { "subscribe": true, "listChanged": true },
                "prompts": { "listChanged": true },
                "completions": {},
                "logging": {}
            },
            "serverInfo": surface::only(&info, &["name", "version"]),
            "instructions": surface::part(&info, "instructions")
        });
        if let (true, Some(capabilities)) = (
            self.house.tasks.is_some(),
            config
                .get_mut("capabilities")
                .and_then(Value::as_object_mut),
        ) {
            capabilities.insert("extensions".to_owned(), json!({ TASKS_EXTENSION_ID: {} }));
        }
        serde_json::from_value(config).unwrap_or_default()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Owned(self.versions.to_vec())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if self.session.peer.set(context.peer).is_ok()
            && let Ok(mut sessions) = self.house.sessions.lock()
        {
            sessions.push(Arc::clone(&self.session));
        }
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        paged("tools", &behaviour::tools(&self.house), cursor.as_deref())
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let tools = behaviour::tools(&self.house);
        let tool = tools.into_iter().find(|tool| tool["name"] == name)?;
        serde_json::from_value(tool).ok()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (given, state) = (
            request.input_responses.as_ref(),
            request.request_state.as_deref(),
        );
        let asker = self.asker(&context, given, state);
        let arguments = Value::Object(request.arguments.clone().unwrap_or_default());
        let has_tasks = context
            .client_capabilities()
            .is_some_and(|all| all.supports_tasks());
        if let (true, "slow", Some(tasks)) =
            (has_tasks, request.name.as_ref(), self.house.tasks.as_ref())
        {
            return Ok(CallToolResponse::Task(CreateTaskResult::new(begun(tasks))));
        }
        match behaviour::call(&self.house, &request.name, &arguments, &asker).await {
            Ok(answer) => Ok(CallToolResponse::Complete(result(answer)?)),
            Err(Halt::Asks(asks)) => Ok(CallToolResponse::InputRequired(*asks)),
            Err(Halt::Fails(error)) => Err(error),
        }
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let tasks = self.house.tasks.as_ref();
        let tasks = tasks.ok_or_else(|| ErrorData::invalid_params("no tasks here", None))?;
        Ok(GetTaskResult::new(tasks.get_task(&request.task_id)?))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        paged("resources", &surface::list("resources"), cursor.as_deref())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        result(json!({ "resourceTemplates": surface::list("templates") }))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let (given, state) = (
            request.input_responses.as_ref(),
            request.request_state.as_deref(),
        );
        let asker = self.asker(&context, given, state);
        match behaviour::read(&request.uri, &asker).await {
            Ok(answer) => Ok(ReadResourceResponse::Complete(result(answer)?)),
            Err(Halt::Asks(asks)) => Ok(ReadResourceResponse::InputRequired(*asks)),
            Err(Halt::Fails(error)) => Err(error),
        }
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.watch(request.uri, true);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.watch(request.uri, false);
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        asked: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(asked.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.house.changes.subscribe();
        loop {
            let what = tokio::select! {
                () = context.cancelled() => return Ok(()),
                what = changes.recv() => what,
            };
            let sink = context.sink();
            // The sink refuses what was not asked for; that is not this loop's business.
            let _ = match what.as_deref() {
                Ok("tools") => sink.notify_tool_list_changed().await,
                Ok("prompts") => sink.notify_prompt_list_changed().await,
                Ok("resources") => sink.notify_resource_list_changed().await,
                Ok(uri) => sink.notify_resource_updated(uri).await,
                Err(_) => return Ok(()),
            };
        }
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        result(json!({ "prompts": surface::list("prompts") }))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let (given, state) = (
            request.input_responses.as_ref(),
            request.request_state.as_deref(),
        );
        let asker = self.asker(&context, given, state);
        let arguments = Value::Object(request.arguments.clone().unwrap_or_default());
        match behaviour::prompt(&request.name, &arguments, &asker).await {
            Ok(answer) => Ok(GetPromptResponse::Complete(result(answer)?)),
            Err(Halt::Asks(asks)) => Ok(GetPromptResponse::InputRequired(*asks)),
            Err(Halt::Fails(error)) => Err(error),
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        result(behaviour::complete(&plain(request)))
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let wanted = plain(request.level);
        let rank = LEVELS.iter().position(|level| wanted == *level);
        if let (Some(rank), Ok(mut level)) = (rank, self.session.level.lock()) {
            *level = rank;
        }
        Ok(())
    }
}

/// Begins the task of the tool `slow`.
fn begun(tasks: &TaskManager) -> rmcp::model::Task {
    let options = TaskOptions::new().with_poll_interval_ms(100);
    tasks.spawn(options, |_| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let slow = surface::member("results", "slow").unwrap_or_default();
            Ok(result(slow)?)
        })
    })
}

/// A result of the SDK from JSON. It says that it is complete; the SDK takes that out again for the
/// legacy era.
fn result<T: DeserializeOwned>(mut value: Value) -> Result<T, ErrorData> {
    if let Some(members) = value.as_object_mut() {
        members.insert("resultType".to_owned(), "complete".into());
    }
    typed(value)
}

fn paged<T: DeserializeOwned>(
    name: &str,
    all: &[Value],
    cursor: Option<&str>,
) -> Result<T, ErrorData> {
    let page = surface::page(name, all, cursor);
    result(page.ok_or_else(|| ErrorData::invalid_params("no such cursor", None))?)
}

/// Serves until stdin closes; the URL is the first line of stdout. The era is `legacy`, `modern` or
/// `both`.
pub async fn serve(era: &str) -> Result<()> {
    let known = ProtocolVersion::KNOWN_VERSIONS.iter();
    let versions: Arc<[ProtocolVersion]> = known
        .filter(|version| era == "both" || (era == "modern") == (version.as_str() == MODERN))
        .cloned()
        .collect();
    let house = Arc::new(House {
        grown: AtomicBool::new(false),
        waits: Mutex::default(),
        sessions: Mutex::default(),
        changes: broadcast::Sender::new(64),
        elicitations: AtomicU64::new(0),
        tasks: (era == "modern").then(TaskManager::new),
    });
    let service = StreamableHttpService::new(
        move || {
            Ok(Reference {
                house: Arc::clone(&house),
                session: Arc::default(),
                versions: Arc::clone(&versions),
            })
        },
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("http://{}/mcp", listener.local_addr()?);
    let accepting = async {
        loop {
            let (socket, _) = listener.accept().await?;
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                // A client that goes away in the middle is not the server's concern.
                let _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    };
    tokio::select! {
        end = accepting => end,
        end = stdin_closed() => end,
    }
}

async fn stdin_closed() -> Result<()> {
    let mut scrap = [0u8; 256];
    let mut stdin = tokio::io::stdin();
    while stdin.read(&mut scrap).await? > 0 {}
    Ok(())
}
