//! Who asked the client something, and the way back for the answer: a legacy server that sent a
//! request, or a modern one whose answer says what it still needs.

use crate::links::Far;
use crate::upstream::{Outgoing, UpstreamError};
use bytes::Bytes;
use protocol::bridge::{self, Question};
use protocol::{Edits, Id, Message, Shape, codes, write};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Whoever waits for an answer of the client.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    /// A legacy server: it waits for a response to its request.
    Server {
        /// The server.
        far: Arc<Far>,
        /// The id it gave its request.
        id: Id,
    },
    /// A call of a modern server: it goes on once everything it needs is there.
    Turn {
        /// The server.
        far: Arc<Far>,
        /// What the server asked.
        question: Question,
        /// Where the call waits.
        back: mpsc::Sender<Reached>,
    },
}

/// One input that reached its call; nothing where the client refused.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) key: Box<str>,
    pub(crate) input: Option<Bytes>,
}

impl Asker {
    /// The server that asked.
    pub(crate) fn far(&self) -> &Arc<Far> {
        match self {
            Asker::Server { far, .. } | Asker::Turn { far, .. } => far,
        }
    }

    /// Passes on a legacy client's response.
    pub(crate) async fn respond(&self, response: &Message) -> Result<(), UpstreamError> {
        match self {
            Asker::Server { far, id } => {
                let mut edits = Edits::new();
                if let Some(written) = response.document().root().get("id") {
                    edits.replace(written.range(), id.bytes());
                }
                let bytes = response.document().apply(&edits);
                let bytes = bytes.map_err(|error| UpstreamError::Message {
                    reason: error.to_string(),
                })?;
                tell(far, id, bytes).await
            }
            Asker::Turn { question, back, .. } => {
                let input = bridge::input_of_legacy(question, response);
                reach(back, question, input).await;
                Ok(())
            }
        }
    }

    /// Passes on what a modern client brought along.
    pub(crate) async fn input(&self, input: Bytes) -> Result<(), UpstreamError> {
        match self {
            Asker::Server { far, id } => {
                tell(far, id, bridge::response_for_legacy(id, &input)).await
            }
            Asker::Turn { question, back, .. } => {
                reach(back, question, Some(input)).await;
                Ok(())
            }
        }
    }

    /// Says no in the client's place.
    pub(crate) async fn decline(&self, code: i64, why: &str) -> Result<(), UpstreamError> {
        match self {
            Asker::Server { far, id } => {
                let bytes = write::error(Some(id), code, why, None);
                tell(far, id, bytes).await
            }
            Asker::Turn { question, back, .. } => {
                let said = write::error(Some(&Id::from(0)), code, why, None);
                let input = far_read(self.far(), said)
                    .and_then(|error| bridge::input_of_legacy(question, &error));
                reach(back, question, input).await;
                Ok(())
            }
        }
    }

    /// Says that no answer will come.
    pub(crate) async fn give_up(&self) {
        let why = "the client did not answer in time";
        // The server is told as a courtesy; whether it hears it is its own affair.
        let _ = self.decline(codes::INTERNAL_ERROR, why).await;
    }
}

/// A call that is over needs no input any more.
async fn reach(back: &mpsc::Sender<Reached>, question: &Question, input: Option<Bytes>) {
    let key = question.key.clone();
    let _ = back.send(Reached { key, input }).await;
}

fn far_read(far: &Far, bytes: Bytes) -> Option<Message> {
    far.read(bytes).ok()
}

async fn tell(far: &Far, id: &Id, bytes: Bytes) -> Result<(), UpstreamError> {
    let outgoing = Outgoing {
        bytes,
        shape: Shape::Response,
        id: Some(id.clone()),
        method: "",
        headers: Vec::new(),
    };
    match far.link().send(outgoing, far.deadline()).await {
        // Whether the server takes it is its own affair: the call goes on or times out.
        Ok(_) | Err(UpstreamError::Status { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
