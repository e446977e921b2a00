//! The control socket: whoever runs the gateway asks it to do an operation of administration. A Unix
//! socket in the data directory, for the user the gateway runs as and nobody else; a line of JSON in, a
//! line of JSON out.
//!
//! It stays this small on purpose: it carries operations and has none of its own. Whether one is done is
//! asked of the same policies, and what changes is recorded the same way, as for administrators who come
//! with a browser.

mod client;
mod holdings;

pub use client::{AskError, ask};
pub use holdings::{Bounds, Footing, HeldSession, HeldUser, Holdings, Met, Totals, Wanted};

use crate::admin::{self, By, Operation};
use crate::gate::Gate;
use identity::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{Metadata, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The control socket of a gateway. Dropped, it is gone from the data directory.
#[derive(Debug)]
pub struct Control {
    socket: UnixListener,
    place: Place,
    /// The user that may ask.
    owner: u32,
}

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Something that is no socket has its name.
    #[error("`{path}` is there and is no socket")]
    NoSocket {
        /// The file.
        path: String,
    },
    /// The system does not let it be made.
    #[error("`{path}`: {error}")]
    System {
        /// The socket.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Another process answers there.
    #[error("`{path}` belongs to another process that runs")]
    Taken {
        /// The socket.
        path: String,
    },
}

/// What is asked, as it stands on the line. What it does not know is refused.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The name of an operation.
    ask: String,
    /// What is asked of it.
    #[serde(default)]
    input: Map<String, Value>,
}

/// What is answered, as it stands on the line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(Value),
    Refused(String),
}

/// Why nothing is answered.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{} ask already", Control::CONNECTIONS)]
    Busy,
    #[error("the line has no end")]
    Cut,
    #[error("nothing was asked within {} s", Control::TIME.as_secs())]
    Late,
    #[error("only the user that the gateway runs as may ask")]
    Stranger,
    #[error("more than {} bytes were asked", Control::ASK_BYTES)]
    TooLong,
    #[error("`{0}` is no operation")]
    Unknown(String),
    #[error("{0}")]
    Operation(String),
    #[error("what was asked cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// What becomes of what is asked.
type Outcome = Result<Value, Refusal>;

impl Control {
    /// What the socket is called in the data directory.
    pub const NAME: &'static str = "control.sock";
    /// Bytes of one line that asks, its end among them.
    pub const ASK_BYTES: usize = 4096;
    /// How long asking may take, and how long taking the answer.
    pub const TIME: Duration = Duration::from_secs(5);
    /// How many may ask at a time.
    pub const CONNECTIONS: usize = 8;

    /// Makes the socket. What a process left behind that is gone is replaced; whatever else stands
    /// there stays.
    ///
    /// INVARIANT: the ledger of this directory is open, so that no two gateways are here at once.
    pub async fn open(data: &Path) -> Result<Self, ControlError> {
        let path = data.join(Self::NAME);
        clear(&path).await?;
        let failed = |error| failed(&path, error);
        let socket = UnixListener::bind(&path).map_err(failed)?;
        // From here on it is taken away again when anything fails. Until it is its owner's alone it
        // may be connected to; nobody else is answered.
        let place = Place::of(path.clone()).map_err(failed)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Control {
            socket,
            place,
            owner: rustix::process::geteuid().as_raw(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// Does what this gateway is asked, for ever.
    pub async fn serve(self, gate: Arc<Gate>) {
        let by = By::Owner(format!("uid {}", self.owner));
        self.answer(move |asked| {
            let (gate, by) = (Arc::clone(&gate), by.clone());
            Box::pin(async move { done(&gate, &by, asked).await })
        })
        .await;
    }

    async fn answer(
        self,
        act: impl Fn(Asked) -> BoxFuture<'static, Outcome> + Send + Sync + 'static,
    ) {
        let act = Arc::new(act);
        // Dropped with the future: nobody is answered any more once the gateway has stopped.
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                // Whoever is done makes room before somebody is told that there is none.
                biased;
                Some(_) = open.join_next() => {}
                stream = self.accept() => {
                    let welcome = if !self.is_owner(&stream) {
                        Err(Refusal::Stranger)
                    } else if open.len() >= Self::CONNECTIONS {
                        Err(Refusal::Busy)
                    } else {
                        Ok(())
                    };
                    match welcome {
                        Ok(()) => drop(open.spawn(converse(stream, Arc::clone(&act)))),
                        // The first bytes on a connection never wait for room.
                        Err(refusal) => tell(stream, &Answer::Refused(refusal.to_string())).await,
                    }
                }
            }
        }
    }

    async fn accept(&self) -> UnixStream {
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) => return stream,
                Err(error) => {
                    // Out of descriptors, most likely: give the connections there are time to end.
                    tracing::warn!(%error, "cannot accept a connection on the control socket");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn is_owner(&self, stream: &UnixStream) -> bool {
        let peer = stream.peer_cred();
        peer.is_ok_and(|peer| peer.uid() == self.owner)
    }
}

async fn done(gate: &Arc<Gate>, by: &By, asked: Asked) -> Outcome {
    let operation = Operation::named(&asked.ask).ok_or(Refusal::Unknown(asked.ask))?;
    let asked = admin::Asked::read(operation, Value::Object(asked.input))?;
    let done = admin::perform(gate, by, asked).await;
    done.map_err(|refused| Refusal::Operation(refused.refusal.reason.to_string()))
}

/// One connection: one thing asked, one answer.
async fn converse(
    mut stream: UnixStream,
    act: Arc<impl Fn(Asked) -> BoxFuture<'static, Outcome> + Send + Sync + 'static>,
) {
    let answer = match heard(&mut stream).await {
        Ok(asked) => act(asked).await.map(Answer::Done),
        Err(refusal) => Err(refusal),
    };
    let answer = answer.unwrap_or_else(|refusal| Answer::Refused(refusal.to_string()));
    tell(stream, &answer).await;
}

async fn heard(stream: &mut UnixStream) -> Result<Asked, Refusal> {
    let mut line = Vec::new();
    let mut lines = BufReader::new(stream).take(Control::ASK_BYTES as u64);
    match timeout(Control::TIME, lines.read_until(b'\n', &mut line)).await {
        Err(_) => return Err(Refusal::Late),
        Ok(Err(_)) => return Err(Refusal::Cut),
        Ok(Ok(_)) => {}
    }
    if line.last() != Some(&b'\n') {
        return Err(if line.len() >= Control::ASK_BYTES {
            Refusal::TooLong
        } else {
            Refusal::Cut
        });
    }
    Ok(serde_json::from_slice(&line)?)
}

/// Says it, if the other end takes it in time. One that does not is cut off, and knows it by the line
/// that has no end.
async fn tell(mut stream: UnixStream, answer: &Answer) {
    let Ok(mut line) = serde_json::to_vec(answer) else {
        return;
    };
    line.push(b'\n');
    let told = timeout(Control::TIME, stream.write_all(&line)).await;
    if !matches!(told, Ok(Ok(()))) {
        tracing::debug!("an answer on the control socket was not taken");
    }
}

/// Makes the name free, if nobody is there.
async fn clear(path: &Path) -> Result<(), ControlError> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(path, error)),
        Ok(there) if !there.file_type().is_socket() => {
            return Err(ControlError::NoSocket { path: shown(path) });
        }
        Ok(_) => {}
    }
    match timeout(Control::TIME, UnixStream::connect(path)).await {
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|error| failed(path, error))
        }
        Ok(Err(error)) => Err(failed(path, error)),
        // Whoever is too busy to answer is there.
        Ok(Ok(_)) | Err(_) => Err(ControlError::Taken { path: shown(path) }),
    }
}

fn failed(path: &Path, error: std::io::Error) -> ControlError {
    ControlError::System {
        path: shown(path),
        error,
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The socket's name in the file system. Dropped, it is free again, unless somebody else has it.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    fn of(path: PathBuf) -> std::io::Result<Self> {
        let file = identity(&std::fs::symlink_metadata(&path)?);
        Ok(Place { path, file })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let there = std::fs::symlink_metadata(&self.path);
        if there.is_ok_and(|there| identity(&there) == self.file) {
            // One that is left behind is replaced by the next gateway.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

#[cfg(test)]
mod tests;
