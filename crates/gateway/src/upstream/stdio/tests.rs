//! The stdio upstream against real processes: a small server written for the shell, which notes
//! every line it gets and does what the name of the called tool says.

mod eras;
mod life;
mod modern;
mod talk;

use crate::egress::{Egress, EgressSettings, SystemRoots};
use crate::secret::Secret;
use crate::upstream::scripted::{PATIENCE, in_no_time, introduction, pass};
use crate::upstream::{
    EraChoice, Events, Link, Met, Outgoing, Owner, Reply, Server, ServerSpec, Sharing, StdioSpec,
    Transport, UpstreamError, Variable, Verdict,
};
use bytes::Bytes;
use protocol::{Document, Era, Id, Limits, Message, Shape};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use zeroize::Zeroizing;

const SERVER: &str = include_str!("tests/server.sh");

struct World {
    folder: tempfile::TempDir,
    server: Arc<Server>,
}

impl World {
    fn new() -> Self {
        World::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut ServerSpec)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log").to_str().unwrap().to_owned();
        let key = Secret::new("env:KEY", Zeroizing::new("s3cret".to_owned()));
        let mut spec = ServerSpec {
            name: "clock".into(),
            transport: Transport::Stdio(StdioSpec {
                command: ["sh", "-c", SERVER, "server", "$(touch injected)"]
                    .map(str::to_owned)
                    .to_vec(),
                environment: vec![
                    ("LOG".to_owned(), Variable::Literal(log)),
                    ("KEY".to_owned(), Variable::Secret(key)),
                ],
                directory: folder.path().to_owned(),
                idle: Duration::ZERO,
                grace: PATIENCE,
                ..StdioSpec::default()
            }),
            timeout: PATIENCE,
            answer_bytes: 64 * 1024,
            era: EraChoice::Auto,
        };
        change(&mut spec);
        let egress = Egress::new(&EgressSettings {
            system_roots: SystemRoots::Ignored,
            ..EgressSettings::default()
        });
        let server = Arc::new(Server::new(&Arc::new(egress.unwrap()), spec).unwrap());
        World { folder, server }
    }

    fn server(&self) -> &Arc<Server> {
        &self.server
    }

    async fn open(&self, user: &str, session: &str) -> Link {
        self.try_open(user, session, INITIALIZE).await.unwrap().0
    }

    async fn try_open(
        &self,
        user: &str,
        session: &str,
        initialize: &str,
    ) -> Result<(Link, Reply), UpstreamError> {
        let owner = Owner {
            user: user.into(),
            client: None,
            route: "/mcp".into(),
            session: session.into(),
        };
        let initialize = Bytes::copy_from_slice(initialize.as_bytes());
        self.server().open(&owner, initialize).await
    }

    /// A world whose server knows of eras what `mode` says.
    fn of(mode: &str) -> Self {
        World::of_choice(mode, EraChoice::Auto)
    }

    fn of_choice(mode: &str, choice: EraChoice) -> Self {
        World::with(|spec| {
            spec.era = choice;
            let stdio = stdio_spec(spec);
            // Whoever answers a question gets the time for it, on a busy machine too.
            stdio.probe = match mode {
                "silent" | "slow-first" | "slow-last" => Duration::from_millis(200),
                _ => PATIENCE,
            };
            let mode = Variable::Literal(mode.to_owned());
            stdio.environment.push(("MODE".to_owned(), mode));
        })
    }

    async fn meet(&self, user: &str, session: &str, prefer: Era) -> Result<Met, UpstreamError> {
        let owner = Owner {
            user: user.into(),
            client: None,
            route: "/mcp".into(),
            session: session.into(),
        };
        self.server().meet(&owner, introduction(prefer)).await
    }

    /// What the processes were told that bears on eras, each process with its start.
    fn told(&self) -> Vec<&'static str> {
        let words = ["start ", "server/discover", "\"initialize\"", "tools/call"];
        let log = self.log();
        let word = |line: &str| words.into_iter().find(|word| line.contains(word));
        log.lines()
            .filter_map(word)
            .map(|word| word.trim_matches(['"', ' ']))
            .collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every line that any process got.
    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn starts(&self) -> usize {
        self.log()
            .lines()
            .filter(|line| line.starts_with("start "))
            .count()
    }

    /// Waits until a process has noted this.
    async fn until_noted(&self, part: &str) {
        while !self.log().contains(part) {
            tokio::task::yield_now().await;
        }
    }
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

const CANCELLED: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;

fn stdio_spec(spec: &mut ServerSpec) -> &mut StdioSpec {
    match &mut spec.transport {
        Transport::Stdio(stdio) => stdio,
        Transport::Http(_) | Transport::Sse(_) => panic!("not stdio"),
    }
}

fn call(id: &str, tool: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}"}}}}"#)
}

async fn send(link: &Link, text: &str) -> Result<Reply, UpstreamError> {
    send_within(link, text, PATIENCE).await
}

async fn send_within(link: &Link, text: &str, time: Duration) -> Result<Reply, UpstreamError> {
    let document = Document::read(text.to_owned().into(), &Limits::default()).unwrap();
    let message = Message::read(document).unwrap();
    link.send(Outgoing::of(&message), Instant::now() + time)
        .await
}

fn message(reply: Reply) -> String {
    match reply {
        Reply::Message(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn stream(reply: Reply) -> Events {
    match reply {
        Reply::Stream(events) => events,
        other => panic!("{other:?}"),
    }
}

async fn next(events: &mut Events) -> Option<String> {
    let event = events.next().await.unwrap();
    event.map(|event| String::from_utf8(event.data.to_vec()).unwrap())
}

/// The text that a tool answered with.
async fn text_of(link: &Link, tool: &str) -> String {
    let answer = message(send(link, &call("1", tool)).await.unwrap());
    let document = Document::read(answer.into(), &Limits::default()).unwrap();
    let text = document.root().at("/result/text").unwrap();
    text.text().unwrap().into_owned()
}

/// Waits until no process has this id.
async fn until_gone(pid: &str) {
    let path = format!("/proc/{pid}/stat");
    let is_there = || match std::fs::read_to_string(&path) {
        // A zombie that init has not collected yet is as good as gone.
        Ok(stat) => !stat.contains(") Z "),
        Err(_) => false,
    };
    while is_there() {
        tokio::task::yield_now().await;
    }
}
