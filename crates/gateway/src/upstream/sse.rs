//! A server behind HTTP+SSE, the transport of 2024-11-05: a stream on which everything comes, and
//! an address to post to that the stream names first. Deprecated; here for servers that never
//! learnt better.
//!
//! What the server names is only ever an address on the server: nothing is posted, and no
//! credential shown, anywhere else.

mod connection;

pub(super) use connection::Connection;

use super::duplex::{Channel, Hail, Keeper, Settings, Share, Station};
use super::era::Order;
use super::http::Remote;
use super::{Owner, UpstreamError, peek};
use bytes::Bytes;
use protocol::Era;
use std::sync::Arc;
use tokio::time::Instant;

/// Opens sessions on one server. No two share a connection.
#[derive(Debug)]
pub(super) struct Dialer {
    remote: Arc<Remote>,
}

impl Dialer {
    pub(super) fn new(remote: Arc<Remote>) -> Self {
        Dialer { remote }
    }

    pub(super) fn remote(&self) -> &Arc<Remote> {
        &self.remote
    }

    /// Opens a session of this party, and returns the server's answer to `initialize`.
    pub(super) async fn open(
        &self,
        owner: &Owner,
        initialize: Bytes,
    ) -> Result<(Share, Bytes), UpstreamError> {
        let settings = Arc::new(Settings {
            bounds: self.remote.bounds().clone(),
            channel: Channel::Stream(self.remote.held_by(owner)),
            // Every request has to pass the one of the remote anyway.
            breaker: None,
        });
        let deadline = Instant::now() + settings.bounds.timeout;
        let id = peek::request_id(&initialize)?;
        let hail = Hail {
            initialize,
            discover: Bytes::new(),
            order: Order::only(Era::Legacy),
        };
        let station = Arc::new(Station::new(settings, hail));
        let share = Share::new(station, Keeper::Nobody);
        share.station().run(deadline).await?;
        let answer = share.station().greeting_for(&id)?;
        Ok((share, answer))
    }
}

#[cfg(test)]
mod tests;
