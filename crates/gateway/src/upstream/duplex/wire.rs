//! The channel behind a station, whichever it is: a process, or a connection of HTTP+SSE. It says
//! nothing of its own.

use super::{Board, Settings};
use crate::upstream::http::Remote;
use crate::upstream::sse::Connection;
use crate::upstream::stdio::Process;
use crate::upstream::{StdioSpec, UpstreamError};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How a channel is opened.
#[derive(Debug)]
pub(in crate::upstream) enum Channel {
    Process(Arc<StdioSpec>),
    Stream(Arc<Remote>),
}

impl Channel {
    pub(super) fn transport(&self) -> &'static str {
        match self {
            Channel::Process(_) => "stdio",
            Channel::Stream(_) => "http+sse",
        }
    }

    /// How long a server that may know no `server/discover` gets to answer it.
    pub(super) fn probe(&self) -> Duration {
        match self {
            Channel::Process(spec) => spec.probe,
            Channel::Stream(_) => Duration::ZERO,
        }
    }
}

/// An open channel. Dropped, it is closed.
#[derive(Debug)]
pub(super) enum Wire {
    Process(Process),
    Connection(Connection),
}

impl Wire {
    /// Opens the channel with the number `number`. What the server says goes to `board`.
    pub(super) async fn open(
        settings: &Settings,
        board: &Arc<Board>,
        number: u64,
        deadline: Instant,
    ) -> Result<Self, UpstreamError> {
        Ok(match &settings.channel {
            Channel::Process(spec) => {
                Wire::Process(Process::start(spec, &settings.bounds, board, number)?)
            }
            Channel::Stream(remote) => {
                let connection = Connection::open(remote, board, number, deadline);
                Wire::Connection(connection.await?)
            }
        })
    }

    pub(super) fn number(&self) -> u64 {
        match self {
            Wire::Process(process) => process.number(),
            Wire::Connection(connection) => connection.number(),
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        match self {
            Wire::Process(process) => process.is_alive(),
            Wire::Connection(connection) => connection.is_alive(),
        }
    }

    /// Hands a message over. An error of the kind `SessionLost` means that it was not read.
    pub(super) async fn write(
        &self,
        message: Bytes,
        deadline: Instant,
    ) -> Result<(), UpstreamError> {
        match self {
            Wire::Process(process) => process.write(message, deadline).await,
            Wire::Connection(connection) => connection.write(message, deadline).await,
        }
    }

    /// Hands a message over if there is room for it, without waiting.
    pub(super) fn try_write(&self, message: Bytes) {
        match self {
            Wire::Process(process) => process.try_write(message),
            Wire::Connection(connection) => connection.try_write(message),
        }
    }

    /// Begins the end.
    pub(super) fn stop(&self) {
        match self {
            Wire::Process(process) => process.stop(),
            Wire::Connection(connection) => connection.stop(),
        }
    }

    /// Waits for the end.
    pub(super) async fn stopped(&self) {
        match self {
            Wire::Process(process) => process.stopped().await,
            Wire::Connection(connection) => connection.stopped().await,
        }
    }
}
