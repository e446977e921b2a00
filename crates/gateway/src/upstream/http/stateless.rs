//! A server of the modern era over HTTP: every request is complete in itself (rules H3, H6, H13
//! and H14). There is no session and nothing to revive; to close the stream of a request is to
//! cancel it, and a stream that broke is lost.

use super::{
    Answering, Ask, Media, REFUSAL_BYTES_MAX, Remote, Standing, discard, media, mirrors, whole,
};
use crate::upstream::era::is_modern;
use crate::upstream::{Events, Outgoing, Reply, Source, UpstreamError, peek};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use hyper::body::Incoming;
use protocol::{Era, Id, Revision, Shape};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// The way of one downstream session to a modern server.
pub(in crate::upstream) struct Stateless {
    remote: Arc<Remote>,
    standing: Standing,
    closed: AtomicBool,
}

impl Stateless {
    pub(super) fn new(remote: Arc<Remote>) -> Self {
        let revision = HeaderValue::from_static(Revision::V2026_07_28.rules().date);
        Stateless {
            remote,
            standing: Standing {
                id: None,
                revision: Some(revision),
            },
            closed: AtomicBool::new(false),
        }
    }

    pub(in crate::upstream) async fn send(
        &self,
        message: Outgoing<'_>,
        deadline: Instant,
    ) -> Result<Reply, UpstreamError> {
        if message.method == "notifications/cancelled" {
            // Here the closed stream says it, and a notification would name nothing (rule H13).
            return Ok(Reply::Accepted);
        }
        let deadline = self.remote.bounds.deadline(deadline);
        let response = self.deliver(&message, deadline).await?;
        let Some(id) = &message.id else {
            discard(response.into_body());
            return Ok(Reply::Accepted);
        };
        match media(&response) {
            Media::Json => Ok(Reply::Message(self.json(response, id, deadline).await?)),
            Media::Events => {
                let max = self.remote.bounds.answer_bytes;
                let stream = Answering::of_call(response.into_body(), id.clone(), max, deadline);
                Ok(Reply::Stream(Events(Source::Modern(Box::new(stream)))))
            }
            Media::Other(found) => Err(UpstreamError::Content { found }),
        }
    }

    /// Sends `subscriptions/listen`. A server that refuses it says so in one message.
    pub(in crate::upstream) async fn subscribe(
        &self,
        message: Outgoing<'_>,
    ) -> Result<Events, UpstreamError> {
        let deadline = Instant::now() + self.remote.bounds.timeout;
        let response = self.deliver(&message, deadline).await?;
        let Some(id) = &message.id else {
            return Err(no_request());
        };
        match media(&response) {
            Media::Json => {
                let answer = self.json(response, id, deadline).await?;
                Ok(Events(Source::One(Some(answer))))
            }
            Media::Events => {
                let max = self.remote.bounds.answer_bytes;
                let body = response.into_body();
                let stream = Answering::of_subscription(body, id.clone(), max, deadline);
                Ok(Events(Source::Modern(Box::new(stream))))
            }
            Media::Other(found) => Err(UpstreamError::Content { found }),
        }
    }

    pub(in crate::upstream) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Posts a message and waits for the head of an answer that is worth reading.
    async fn deliver(
        &self,
        message: &Outgoing<'_>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, UpstreamError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(UpstreamError::Closed);
        }
        if message.shape == Shape::Response {
            // A modern server asks nothing (rule H3).
            return Err(no_request());
        }
        let mirrors = mirrors::of(message)?;
        let ask = Ask::post(message.bytes.clone(), &self.standing).mirrored(&mirrors);
        let response = self.remote.exchange(&ask, deadline).await?;
        let code = response.status();
        let status = code.as_u16();
        let refused = match code {
            _ if code.is_success() => return Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                UpstreamError::Credential { status }
            }
            _ if code.is_redirection() => UpstreamError::Redirected { status },
            // An error that answers is an answer, whatever its status. Only JSON can be one.
            _ if message.id.is_some() && matches!(media(&response), Media::Json) => {
                return Ok(response);
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                UpstreamError::Era { era: Era::Modern }
            }
            _ => UpstreamError::Status { status },
        };
        discard(response.into_body());
        Err(refused)
    }

    /// The one message of a JSON answer.
    async fn json(
        &self,
        response: Response<Incoming>,
        id: &Id,
        deadline: Instant,
    ) -> Result<Bytes, UpstreamError> {
        let code = response.status();
        let body = response.into_body();
        if code.is_success() {
            return whole(body, self.remote.bounds.answer_bytes, deadline).await;
        }
        let status = code.as_u16();
        let body = match whole(body, REFUSAL_BYTES_MAX, deadline).await {
            Err(UpstreamError::Deadline) => return Err(UpstreamError::Deadline),
            body => body.unwrap_or_default(),
        };
        if peek::answers(&body, id, REFUSAL_BYTES_MAX) {
            return Ok(body);
        }
        let stray = peek::message(body, REFUSAL_BYTES_MAX).ok();
        let stray = stray.filter(|message| message.error().is_some());
        let modern = stray
            .as_ref()
            .filter(|message| peek::unaddressed_error(message).is_some_and(is_modern));
        // It was refused before its id was read.
        if let Some(answer) = modern.and_then(|message| peek::addressed(message, id)) {
            return Ok(answer);
        }
        match code {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                Err(UpstreamError::Era { era: Era::Modern })
            }
            // So answers a server that misses a session.
            StatusCode::BAD_REQUEST if stray.is_some() => {
                Err(UpstreamError::Era { era: Era::Modern })
            }
            _ => Err(UpstreamError::Status { status }),
        }
    }
}

fn no_request() -> UpstreamError {
    UpstreamError::Message {
        reason: "a modern server takes requests and notifications only".to_owned(),
    }
}
