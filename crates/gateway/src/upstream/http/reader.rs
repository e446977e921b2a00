//! The events of one body, read one at a time and never ahead of what is asked for. It knows no
//! deadline and resumes nothing.

use super::discard;
use crate::upstream::UpstreamError;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use protocol::sse;

/// A body, and what came of it that nobody asked for yet.
pub(in crate::upstream) struct Reader {
    body: Option<Incoming>,
    decoder: sse::Decoder,
    /// What came in one piece with the last event.
    chunk: Bytes,
    max: usize,
}

impl Reader {
    /// Reads events of at most `max` bytes of data.
    pub(in crate::upstream) fn new(body: Incoming, max: usize) -> Self {
        Reader {
            body: Some(body),
            decoder: sse::Decoder::new(sse::Limits {
                line: max.saturating_add(16),
                event: max.saturating_add(1024),
            }),
            chunk: Bytes::new(),
            max,
        }
    }

    /// The next event; none when the body ended or broke. Nothing is lost if the future is dropped.
    pub(in crate::upstream) async fn next(&mut self) -> Result<Option<sse::Event>, UpstreamError> {
        loop {
            if let Some(event) = self.decode()? {
                return Ok(Some(event));
            }
            let Some(body) = &mut self.body else {
                return Ok(None);
            };
            let Some(Ok(frame)) = body.frame().await else {
                return Ok(None);
            };
            if let Ok(data) = frame.into_data() {
                self.chunk = data;
            }
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.body.is_none()
    }

    /// Nothing more is read. To the server it looks as if the client had gone.
    pub(super) fn close(&mut self) {
        self.body = None;
        self.chunk = Bytes::new();
    }

    /// Nothing more is wanted, and the connection can be used again.
    pub(super) fn finish(&mut self) {
        if let Some(body) = self.body.take() {
            discard(body);
        }
    }

    /// The next event of what has come so far.
    fn decode(&mut self) -> Result<Option<sse::Event>, UpstreamError> {
        if self.chunk.is_empty() {
            return Ok(None);
        }
        self.decoder.feed(&mut self.chunk).map_err(|error| {
            self.body = None;
            self.chunk = Bytes::new();
            match error {
                sse::SseError::Line(_) | sse::SseError::Event(_) => {
                    UpstreamError::TooLarge { max: self.max }
                }
                sse::SseError::Utf8 => UpstreamError::Malformed {
                    reason: error.to_string(),
                },
            }
        })
    }
}
