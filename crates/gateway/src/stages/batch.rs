//! Batches, which only revision 2025-03-26 has (rule B5): taken apart, each message through every
//! stage on its own, and the answers put together. A batch opens nothing that a message alone would
//! not open, and costs what its messages cost.

use super::draft::Draft;
use super::raw::{Alone, Raw, Verb};
use super::refused::{self, Refused};
use super::{Answer, Knocked, Recorded, admit, call, record};
use crate::gate::Gate;
use crate::outlet::Reader;
use bytes::Bytes;
use http::StatusCode;
use protocol::{Document, Message, Revision, write};
use std::sync::Arc;

/// Whether the body is an array of messages.
pub(super) fn is_one(raw: &Raw) -> bool {
    let first = raw.body.iter().find(|byte| !byte.is_ascii_whitespace());
    raw.alone == Alone::Yes && raw.verb == Verb::Post && first == Some(&b'[')
}

/// Takes each message all the way, one after the other, and joins what they are answered.
pub(super) async fn each(gate: &Arc<Gate>, raw: Raw, mut draft: Draft) -> Recorded {
    draft.enter(&raw);
    // The whole is paid for before it is read, and each of its messages again.
    let paid = admit::knock(gate, raw, &mut draft).map(Knocked::into_raw);
    let split = paid.and_then(|raw| split(&raw).map(|parts| (raw, parts)));
    let (raw, parts) = match split {
        Ok(split) => split,
        Err(refused) => return record::refusal(gate, refused, draft).await,
    };
    let mut answers = Answers {
        most: raw.route.reading_answers.bytes,
        bytes: 0,
        list: Vec::new(),
    };
    let mut refused: Option<Recorded> = None;
    for part in parts {
        if answers.is_full() {
            let refused = refused::batch_answers_too_large(answers.most);
            return record::refusal(gate, refused, draft).await;
        }
        let draft = Draft::begin(gate, raw.source(), draft.transport);
        // Boxed, because a batch is a call that makes calls.
        let recorded = Box::pin(call(gate, part, draft)).await;
        if recorded.status != StatusCode::OK && recorded.status != StatusCode::ACCEPTED {
            refused.get_or_insert(Recorded {
                answer: Answer::Empty,
                ..Recorded::of(
                    recorded.status,
                    recorded.challenges.clone(),
                    recorded.retry_after,
                )
            });
        }
        match recorded.answer {
            Answer::Empty => {}
            Answer::Message(bytes) => answers.add(bytes),
            Answer::Stream { reader, .. } => drain(reader, &mut answers).await,
        }
    }
    if answers.is_full() {
        let refused = refused::batch_answers_too_large(answers.most);
        return record::refusal(gate, refused, draft).await;
    }
    joined(answers.list, refused)
}

/// What the messages of a batch are answered: together no more than one answer may be, and one more.
struct Answers {
    most: usize,
    bytes: usize,
    list: Vec<Bytes>,
}

impl Answers {
    fn is_full(&self) -> bool {
        self.bytes > self.most
    }

    /// Adds an answer, unless there is too much already: then the whole is refused.
    fn add(&mut self, bytes: Bytes) {
        if !self.is_full() {
            self.bytes += bytes.len();
            self.list.push(bytes);
        }
    }
}

/// The messages of a batch, each from its own slice of the body. The whole is read first: a batch that
/// cannot be read in one way only has no part that can.
fn split(raw: &Raw) -> Result<Vec<Raw>, Refused> {
    let rules = Revision::V2025_03_26.rules();
    if raw.route.floor > Revision::V2025_03_26 {
        return Err(refused::batch_not_spoken());
    }
    let limits = &raw.route.reading;
    let proved = Arc::default();
    let messages = Document::read(raw.body.clone(), limits)
        .and_then(|document| Message::read_batch(document, rules, limits))
        .map_err(|flaw| refused::malformed(&flaw))?;
    let parts = messages.iter();
    Ok(parts
        .map(|message| raw.part(message.bytes().clone(), &proved))
        .collect())
}

/// Everything a call says until its answer: in a batch there is no stream of its own for it.
async fn drain(mut reader: Reader, answers: &mut Answers) {
    while let Some(event) = reader.next().await {
        answers.add(event.data);
    }
}

/// One array, or nothing if nothing asked for an answer. Where a part was refused in the language of
/// HTTP, the whole is: no client reads a status per message.
fn joined(answers: Vec<Bytes>, refused: Option<Recorded>) -> Recorded {
    let answer = match answers.is_empty() {
        true => Answer::Empty,
        false => Answer::Message(write::array(answers.iter().map(|bytes| &bytes[..]))),
    };
    match refused {
        Some(refused) => Recorded { answer, ..refused },
        None if matches!(answer, Answer::Empty) => {
            Recorded::of(StatusCode::ACCEPTED, Vec::new(), None)
        }
        None => Recorded {
            answer,
            ..Recorded::of(StatusCode::OK, Vec::new(), None)
        },
    }
}
