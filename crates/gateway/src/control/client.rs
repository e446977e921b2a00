//! The other end of the control socket: asks the gateway that runs on a data directory. It believes
//! no more than a bounded line, and waits no longer than a gateway may take.

use super::{Answer, Asked, Control};
use crate::admin::Operation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Bytes of an answer that are read.
const ANSWER_BYTES: u64 = 64 * 1024 * 1024;
/// How long an answer is waited for: longer than the gateway itself waits for anything.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why a gateway did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The end of the answer did not come.
    #[error("the gateway's answer has no end: ask for less with --user or --route")]
    Cut,
    /// The socket is somebody else's.
    #[error("`{path}` belongs to another user: ask as the user that the gateway runs as")]
    Denied {
        /// The socket.
        path: String,
    },
    /// Nobody is there.
    #[error(
        "no gateway that can be asked runs on `{data}`: start one with `ringwall serve`, or name its data directory with --data (`ringwall wrap` cannot be asked)"
    )]
    NoGateway {
        /// The data directory.
        data: String,
    },
    /// It does not want to.
    #[error("the gateway refuses: {0}")]
    Refused(String),
    /// It takes too long.
    #[error("the gateway does not answer: it is there, and too busy or stopped")]
    Silent,
    /// The system does not let us.
    #[error("`{path}`: {error}")]
    System {
        /// The socket.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// It says something unheard of.
    #[error("the gateway's answer cannot be read, is it of this version?: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Asks the gateway that runs on this data directory to do an operation.
pub fn ask<T: DeserializeOwned>(
    data: &Path,
    operation: Operation,
    input: &impl Serialize,
) -> Result<T, AskError> {
    let path = data.join(Control::NAME);
    let failed = |error: std::io::Error| {
        let path = path.display().to_string();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => AskError::NoGateway {
                data: data.display().to_string(),
            },
            ErrorKind::TimedOut | ErrorKind::WouldBlock => AskError::Silent,
            ErrorKind::PermissionDenied => AskError::Denied { path },
            _ => AskError::System { path, error },
        }
    };
    let input = match serde_json::to_value(input)? {
        Value::Object(input) => input,
        _ => Map::new(),
    };
    let mut line = serde_json::to_vec(&Asked {
        ask: operation.name().to_owned(),
        input,
    })?;
    line.push(b'\n');
    let mut stream = UnixStream::connect(&path).map_err(failed)?;
    let patient = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    patient.map_err(failed)?;
    // One that refuses before it listens has already hung up, and said why.
    match stream.write_all(&line) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(failed(error)),
        _ => {}
    }
    line.clear();
    let mut answer = BufReader::new(stream).take(ANSWER_BYTES);
    answer.read_until(b'\n', &mut line).map_err(failed)?;
    if line.last() != Some(&b'\n') {
        return Err(AskError::Cut);
    }
    match serde_json::from_slice(&line)? {
        Answer::Refused(why) => Err(AskError::Refused(why)),
        Answer::Done(done) => Ok(serde_json::from_value(done)?),
    }
}
