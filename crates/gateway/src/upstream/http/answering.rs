//! The stream that answers one modern request. It is read once and never resumed (rule H14);
//! dropped before its end, it is closed, which cancels the request (rule H13).

use super::{Reader, within};
use crate::upstream::{EVENTS_MAX, Event, UpstreamError, peek};
use bytes::Bytes;
use hyper::body::Incoming;
use protocol::Id;
use std::fmt;
use tokio::time::Instant;

/// A stream of messages, the answer being the last.
pub(in crate::upstream) struct Answering {
    reader: Reader,
    id: Id,
    max: usize,
    deadline: Option<Instant>,
    /// Whether there may be any number of messages for any time once there was one.
    endless: bool,
    /// How many events came.
    said: u32,
    /// The last message handed out: the answer, if the stream ended as it should.
    last: Bytes,
}

impl Answering {
    /// The stream of a call, until `deadline`.
    pub(super) fn of_call(body: Incoming, id: Id, max: usize, deadline: Instant) -> Self {
        Answering {
            reader: Reader::new(body, max),
            id,
            max,
            deadline: Some(deadline),
            endless: false,
            said: 0,
            last: Bytes::new(),
        }
    }

    /// The stream of a subscription, whose first message must come until `deadline`.
    pub(super) fn of_subscription(body: Incoming, id: Id, max: usize, deadline: Instant) -> Self {
        Answering {
            endless: true,
            ..Answering::of_call(body, id, max, deadline)
        }
    }

    pub(in crate::upstream) async fn next(&mut self) -> Result<Option<Event>, UpstreamError> {
        while !self.reader.is_closed() {
            let event = match within(self.deadline, self.reader.next()).await {
                None => return Err(self.fail(UpstreamError::Deadline)),
                Some(Err(error)) => return Err(self.fail(error)),
                Some(Ok(Some(event))) => event,
                Some(Ok(None)) => {
                    self.reader.close();
                    return match peek::answers(&self.last, &self.id, self.max) {
                        true => Ok(None),
                        false => Err(UpstreamError::Ended),
                    };
                }
            };
            self.said += 1;
            if self.said > EVENTS_MAX {
                return Err(self.fail(UpstreamError::Endless { max: EVENTS_MAX }));
            }
            if !event.is_message() {
                continue;
            }
            if self.endless {
                self.deadline = None;
                self.said = 0;
            }
            self.last = event.data.clone();
            return Ok(Some(Event {
                id: event.id.map(Into::into),
                data: event.data,
            }));
        }
        Ok(None)
    }

    /// Nothing more is wanted.
    pub(in crate::upstream) fn finish(mut self) {
        self.reader.finish();
    }

    fn fail(&mut self, error: UpstreamError) -> UpstreamError {
        self.reader.close();
        error
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}
