//! What a server is, with nothing left to interpret. Data only: it connects to nothing.

use super::EraChoice;
use crate::credential::Source;
use crate::egress::Destination;
use crate::secret::Secret;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// One server.
#[derive(Clone, Debug)]
pub struct ServerSpec {
    /// What the operator calls it.
    pub name: Arc<str>,
    /// How it is reached.
    pub transport: Transport,
    /// How long a whole call may take, whatever progress it reports.
    pub timeout: Duration,
    /// The largest message the server may send.
    pub answer_bytes: usize,
    /// Which eras of the protocol it may be met in.
    pub era: EraChoice,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Streamable HTTP, in either era.
    Http(HttpSpec),
    /// The two endpoints of 2024-11-05: a stream, and a place to post to that the stream names.
    Sse(HttpSpec),
    /// A local process.
    Stdio(StdioSpec),
}

/// A server reached over HTTP.
#[derive(Clone, Debug)]
pub struct HttpSpec {
    /// Where it is; over HTTP+SSE, where its stream is.
    pub destination: Destination,
    /// What the gateway shows this server.
    pub credential: Source,
}

/// A server that is a local process speaking over its standard input and output.
#[derive(Clone, Debug)]
pub struct StdioSpec {
    /// Program and arguments; from the configuration and from nowhere else.
    pub command: Vec<String>,
    /// Every variable the process sees, besides `PATH`.
    pub environment: Vec<(String, Variable)>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Who shares a process.
    pub sharing: Sharing,
    /// How long a process that no session uses is kept.
    pub idle: Duration,
    /// How long a process gets to end by itself, and again after SIGTERM.
    pub grace: Duration,
    /// How long a server that may know no `server/discover` gets to answer it.
    pub probe: Duration,
    /// How many processes one user may have.
    pub processes_per_user: usize,
    /// How many the whole server may have.
    pub processes: usize,
}

impl Default for StdioSpec {
    fn default() -> Self {
        StdioSpec {
            command: Vec::new(),
            environment: Vec::new(),
            directory: PathBuf::from("."),
            sharing: Sharing::User,
            idle: Duration::from_secs(60),
            grace: Duration::from_secs(2),
            probe: Duration::from_secs(2),
            processes_per_user: 8,
            processes: 256,
        }
    }
}

/// The value of an environment variable.
#[derive(Clone, Debug)]
pub enum Variable {
    /// As it stands in the configuration.
    Literal(String),
    /// Resolved from a reference.
    Secret(Secret),
}

/// Which sessions share a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// None: one process per session.
    Session,
    /// The sessions of one user that greeted the server alike.
    User,
}
