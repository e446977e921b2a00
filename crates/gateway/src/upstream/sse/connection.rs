//! One connection of HTTP+SSE: its stream, and the address to post to that came first on it. It
//! never posts to another origin than its own, and never reads ahead of its bounds.

use crate::egress::Destination;
use crate::upstream::duplex::Board;
use crate::upstream::http::{Ask, Media, Reader, Remote, Standing, discard, media, whole, within};
use crate::upstream::{UpstreamError, peek};
use bytes::Bytes;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How many events may come before the one that names the address.
const PREAMBLE_MAX: usize = 16;
/// How long an address may be.
const ENDPOINT_MAX: usize = 2048;
/// How many messages of ours wait to be posted that nobody waits for.
const WAITING_MAX: usize = 64;
/// How long the post of such a message may take.
const FAREWELL: Duration = Duration::from_secs(5);
/// The largest body of a refusal that is looked at.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// An open connection. Dropped, it is closed.
#[derive(Debug)]
pub(in crate::upstream) struct Connection {
    number: u64,
    post: Arc<Post>,
    back: mpsc::Sender<Bytes>,
    stop: watch::Sender<bool>,
    gone: watch::Receiver<bool>,
}

/// Where messages are posted.
#[derive(Debug)]
struct Post {
    remote: Arc<Remote>,
    endpoint: Destination,
    standing: Standing,
}

impl Connection {
    /// Opens the connection with the number `number`. What the server says goes to `board`.
    pub(in crate::upstream) async fn open(
        remote: &Arc<Remote>,
        board: &Arc<Board>,
        number: u64,
        deadline: Instant,
    ) -> Result<Self, UpstreamError> {
        let mut reader = connect(remote, deadline).await?;
        let endpoint = endpoint(remote, &mut reader, deadline).await?;
        let post = Arc::new(Post {
            remote: remote.clone(),
            endpoint,
            standing: Standing::default(),
        });
        let (back, mut waiting) = mpsc::channel(WAITING_MAX);
        let (stop, mut stopping) = watch::channel(false);
        let (left, gone) = watch::channel(false);
        let writer = post.clone();
        tokio::spawn(async move {
            while let Some(message) = waiting.recv().await {
                // The server hears of it or it does not; nobody is waiting for either.
                drop(writer.send(message, Instant::now() + FAREWELL).await);
            }
        });
        let (board, answers) = (board.clone(), back.downgrade());
        tokio::spawn(async move {
            let error = tokio::select! {
                error = read(&mut reader, &board, &answers) => error,
                // The sender is dropped only after it has sent; either way this is the end.
                _ = stopping.wait_for(|stop| *stop) => UpstreamError::Ended,
            };
            // INVARIANT: whoever finds the connection alive and enters a call is failed below, or
            // finds out from the server that the session is unknown.
            left.send_replace(true);
            board.fail(number, &error);
        });
        Ok(Connection {
            number,
            post,
            back,
            stop,
            gone,
        })
    }

    pub(in crate::upstream) fn number(&self) -> u64 {
        self.number
    }

    pub(in crate::upstream) fn is_alive(&self) -> bool {
        !*self.gone.borrow() && !*self.stop.borrow()
    }

    pub(in crate::upstream) async fn write(
        &self,
        message: Bytes,
        deadline: Instant,
    ) -> Result<(), UpstreamError> {
        if !self.is_alive() {
            return Err(UpstreamError::SessionLost);
        }
        self.post.send(message, deadline).await
    }

    pub(in crate::upstream) fn try_write(&self, message: Bytes) {
        // A server too slow to take this has not missed anything it was owed.
        drop(self.back.try_send(message));
    }

    pub(in crate::upstream) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(in crate::upstream) async fn stopped(&self) {
        // An error means that whoever would tell is gone too.
        drop(self.gone.clone().wait_for(|gone| *gone).await);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Post {
    async fn send(&self, message: Bytes, deadline: Instant) -> Result<(), UpstreamError> {
        let ask = Ask::post(message, &self.standing).to(&self.endpoint);
        let response = self.remote.exchange(&ask, deadline).await?;
        let code = response.status();
        let status = code.as_u16();
        let error = match code {
            _ if code.is_success() => {
                discard(response.into_body());
                return Ok(());
            }
            StatusCode::BAD_REQUEST if matches!(media(&response), Media::Json) => {
                let body = whole(response.into_body(), REFUSAL_BYTES_MAX, deadline).await;
                return Err(match body.is_ok_and(|body| peek::forgets(&body)) {
                    true => UpstreamError::SessionLost,
                    false => UpstreamError::Status { status },
                });
            }
            StatusCode::NOT_FOUND => UpstreamError::SessionLost,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                UpstreamError::Credential { status }
            }
            _ if code.is_redirection() => UpstreamError::Redirected { status },
            _ => UpstreamError::Status { status },
        };
        discard(response.into_body());
        Err(error)
    }
}

/// Asks for the stream.
async fn connect(remote: &Arc<Remote>, deadline: Instant) -> Result<Reader, UpstreamError> {
    let standing = Standing::default();
    let response = remote.exchange(&Ask::get(&standing), deadline).await?;
    let code = response.status();
    let status = code.as_u16();
    let error = match code {
        StatusCode::OK => match media(&response) {
            Media::Events => {
                let max = remote.bounds().answer_bytes;
                return Ok(Reader::new(response.into_body(), max));
            }
            Media::Json => UpstreamError::Content {
                found: "application/json".to_owned(),
            },
            Media::Other(found) => UpstreamError::Content { found },
        },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => UpstreamError::Credential { status },
        _ if code.is_redirection() => UpstreamError::Redirected { status },
        _ => UpstreamError::Status { status },
    };
    discard(response.into_body());
    Err(error)
}

/// The address that the first event of a stream names. It must lie on the server's own origin: a
/// server could have anything else posted to, with its credential, from inside our network.
async fn endpoint(
    remote: &Remote,
    reader: &mut Reader,
    deadline: Instant,
) -> Result<Destination, UpstreamError> {
    let refused = |reason: String| UpstreamError::Endpoint { reason };
    for _ in 0..PREAMBLE_MAX {
        let event = match within(Some(deadline), reader.next()).await {
            None => return Err(UpstreamError::Deadline),
            Some(event) => event?.ok_or(UpstreamError::Ended)?,
        };
        if event.event.as_deref() != Some("endpoint") {
            continue;
        }
        if event.data.len() > ENDPOINT_MAX {
            return Err(refused("it is too long".to_owned()));
        }
        let text = std::str::from_utf8(&event.data).map_err(|error| refused(error.to_string()))?;
        let own = remote.destination();
        let named = own.url().join(text.trim());
        let named = named.map_err(|error| refused(error.to_string()))?;
        if named.origin() != own.url().origin() {
            return Err(refused(format!(
                "{} is another origin",
                named.origin().ascii_serialization()
            )));
        }
        let named = Destination::new(named, own.network());
        return named.map_err(|error| refused(error.to_string()));
    }
    Err(refused("it names none".to_owned()))
}

/// Reads until the stream is over, and says how it ended.
async fn read(
    reader: &mut Reader,
    board: &Board,
    answers: &mpsc::WeakSender<Bytes>,
) -> UpstreamError {
    loop {
        let event = match reader.next().await {
            Err(error) => return error,
            Ok(None) => return UpstreamError::Ended,
            Ok(Some(event)) => event,
        };
        if !event.is_message() {
            continue;
        }
        if let (Some(answer), Some(answers)) = (board.take(event.data), answers.upgrade()) {
            // A server that asks faster than it reads goes without an answer.
            drop(answers.try_send(answer));
        }
    }
}
