//! The pipe between a local client and the stages: lines in, lines out. It decides nothing about a
//! message. It holds a bounded number of calls under way and lines of bounded length, and writes a
//! message only when the stages have recorded it.

use bytes::{Bytes, BytesMut};
use gateway::gate::Gate;
use gateway::outlet::Reader;
use gateway::route::Route;
use gateway::stages::{self, Answer, Draft, Raw, Recorded};
use protocol::lines::{Decoder, Line};
use protocol::modern::Envelope;
use protocol::{Document, Id, Message, Shape, codes, write};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

/// Calls under way at a time.
const CALLS: usize = 64;
/// Calls that were read and not answered yet, those under way among them. More are refused: were they
/// left in the pipe, nothing behind them could be read either, such as the answer that a call waits for.
const READ: u32 = 256;
/// Streams of changes that a stateless client may hear at a time.
const EARS: usize = 16;
/// Lines that wait to be written.
const LINES: usize = 64;
/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// One client's pipe.
#[derive(Debug)]
pub(super) struct Pipe {
    caller: Caller,
    session: Option<Box<str>>,
    calls: JoinSet<()>,
    /// For every call that was read.
    read: Arc<Semaphore>,
    /// For every call under way.
    seats: Arc<Semaphore>,
    ears: Arc<Semaphore>,
}

/// What every line of the pipe comes with.
#[derive(Clone, Debug)]
struct Caller {
    gate: Arc<Gate>,
    route: Arc<Route>,
    user: Arc<str>,
}

/// Where answers go.
type Out = mpsc::Sender<Bytes>;

/// What a line is, as far as the order of things is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Is answered, and may take its time.
    Request,
    /// The same, and complete in itself: it needs no session.
    Stateless,
    /// Opens a stream that never ends by itself.
    Listen,
    /// Is never answered.
    Aside,
    /// Cannot be read; the stages say why.
    Unreadable,
}

impl Pipe {
    /// A pipe of this user to the server of this route.
    pub(super) fn new(gate: Arc<Gate>, route: Arc<Route>, user: Arc<str>) -> Self {
        let caller = Caller { gate, route, user };
        Pipe {
            caller,
            session: None,
            calls: JoinSet::new(),
            read: Arc::new(Semaphore::new(READ as usize)),
            seats: Arc::new(Semaphore::new(CALLS)),
            ears: Arc::new(Semaphore::new(EARS)),
        }
    }

    /// Carries messages until the input ends and the calls under way are answered, or until nobody
    /// reads the output.
    pub(super) async fn run(
        mut self,
        input: impl AsyncRead + Unpin,
        output: impl AsyncWrite + Send + Unpin + 'static,
    ) -> anyhow::Result<()> {
        let (out, lines) = mpsc::channel(LINES);
        let writing = tokio::spawn(write_lines(output, lines));
        self.read(input, &out).await?;
        // Every seat taken back: no call is under way. Streams of the server's own end with the session.
        let idle = self.read.acquire_many(READ);
        tokio::select! {
            _ = idle => {}
            () = out.closed() => {}
        }
        self.calls.abort_all();
        while self.calls.join_next().await.is_some() {}
        drop(out);
        writing.await?;
        Ok(())
    }

    async fn read(&mut self, mut input: impl AsyncRead + Unpin, out: &Out) -> anyhow::Result<()> {
        let mut decoder = Decoder::new(self.caller.route.reading.bytes);
        let mut buffer = BytesMut::with_capacity(CHUNK);
        loop {
            buffer.reserve(CHUNK);
            let read = tokio::select! {
                read = input.read_buf(&mut buffer) => read?,
                () = out.closed() => return Ok(()),
            };
            let mut chunk = buffer.split().freeze();
            while let Some(line) = decoder.feed(&mut chunk) {
                self.take(line, out).await;
            }
            if read == 0 {
                if let Some(line) = decoder.finish() {
                    self.take(line, out).await;
                }
                return Ok(());
            }
            while self.calls.try_join_next().is_some() {}
        }
    }

    async fn take(&mut self, line: Line, out: &Out) {
        let bytes = match line {
            Line::Message(bytes) => bytes,
            Line::Noise(bytes) => {
                tracing::warn!(
                    bytes = bytes.len(),
                    "a line that is no message was left out"
                );
                return say(
                    out,
                    write::error(
                        None,
                        codes::PARSE_ERROR,
                        "the line is no JSON-RPC message",
                        None,
                    ),
                )
                .await;
            }
            Line::Overlong(bytes) => {
                tracing::warn!(bytes, "a line longer than the limit was left out");
                let text = format!(
                    "the line is longer than {} bytes",
                    self.caller.route.reading.bytes
                );
                return say(out, write::error(None, codes::INVALID_REQUEST, &text, None)).await;
            }
        };
        let (kind, id) = self.kind(&bytes);
        match (&self.session, kind) {
            (_, Kind::Stateless | Kind::Listen) => self.spawn(bytes, kind, id, out).await,
            // Until there is a session nothing else makes sense, and after that what is not answered
            // keeps its place in the order.
            (None, _) => self.open(bytes, kind, out).await,
            (Some(_), Kind::Aside | Kind::Unreadable) => {
                let recorded = self.caller.call(self.session.clone(), bytes).await;
                deliver(recorded, kind, out).await;
            }
            (Some(_), Kind::Request) => self.spawn(bytes, kind, id, out).await,
        }
    }

    /// Takes a request all the way while the next lines are read. It waits for nothing: the line that
    /// would make room may be the next one.
    async fn spawn(&mut self, bytes: Bytes, kind: Kind, id: Option<Id>, out: &Out) {
        let (room, seats) = match kind {
            Kind::Listen => (&self.ears, None),
            _ => (&self.read, Some(Arc::clone(&self.seats))),
        };
        let Ok(room) = Arc::clone(room).try_acquire_owned() else {
            tracing::warn!("too many requests at a time; one was refused");
            let text = "too many requests at a time";
            let refusal = write::error(id.as_ref(), codes::INTERNAL_ERROR, text, None);
            return say(out, refusal).await;
        };
        let (caller, session, out) = (self.caller.clone(), self.session.clone(), out.clone());
        self.calls.spawn(async move {
            let seat = match seats {
                Some(seats) => seats.acquire_owned().await.ok(),
                None => None,
            };
            let recorded = caller.call(session, bytes).await;
            deliver(recorded, Kind::Request, &out).await;
            drop::<(OwnedSemaphorePermit, Option<OwnedSemaphorePermit>)>((room, seat));
        });
    }

    /// How the line is scheduled, and its id. The stages read it again and decide on their own reading.
    fn kind(&self, bytes: &Bytes) -> (Kind, Option<Id>) {
        let message =
            Document::read(bytes.clone(), &self.caller.route.reading).and_then(Message::read);
        let Ok(message) = message else {
            return (Kind::Unreadable, None);
        };
        let kind = match (message.shape(), Envelope::is_declared(&message)) {
            (Shape::Request, true) if message.method() == "subscriptions/listen" => Kind::Listen,
            (Shape::Request, true) => Kind::Stateless,
            (Shape::Request, false) => Kind::Request,
            (Shape::Notification | Shape::Response, _) => Kind::Aside,
        };
        (kind, message.id())
    }

    async fn open(&mut self, bytes: Bytes, kind: Kind, out: &Out) {
        let recorded = self.caller.call(None, bytes).await;
        let session: Option<Box<str>> = recorded.session().map(Into::into);
        deliver(recorded, kind, out).await;
        let Some(session) = session else { return };
        self.session = Some(session.clone());
        let (caller, out) = (self.caller.clone(), out.clone());
        self.calls.spawn(async move {
            let raw = Raw::listen(Arc::clone(&caller.route), Arc::clone(&caller.user), session);
            let draft = Draft::begin(&caller.gate, raw.source(), "stdio");
            // A server without messages of its own answers with a refusal: there is nothing to hear.
            if let Answer::Stream { reader, .. } =
                stages::call(&caller.gate, raw, draft).await.into_answer()
            {
                pump(reader, &out).await;
            }
        });
    }
}

impl Caller {
    async fn call(&self, session: Option<Box<str>>, bytes: Bytes) -> Recorded {
        let raw = Raw::line(
            Arc::clone(&self.route),
            Arc::clone(&self.user),
            session,
            bytes,
        );
        let draft = Draft::begin(&self.gate, raw.source(), "stdio");
        stages::call(&self.gate, raw, draft).await
    }
}

async fn deliver(recorded: Recorded, kind: Kind, out: &Out) {
    match recorded.into_answer() {
        Answer::Empty => {}
        Answer::Message(bytes) if kind == Kind::Aside => {
            // JSON-RPC has no answer to what asks nothing; the ledger has the refusal.
            tracing::warn!(
                "refused what the client said: {}",
                String::from_utf8_lossy(&bytes)
            );
        }
        Answer::Message(bytes) => say(out, bytes).await,
        Answer::Stream { reader, .. } => pump(reader, out).await,
    }
}

async fn pump(mut reader: Reader, out: &Out) {
    while let Some(event) = reader.next().await {
        say(out, event.data).await;
    }
}

/// Queues a message. That nobody reads any more is noticed by whoever reads the input.
async fn say(out: &Out, message: Bytes) {
    if !message.is_empty() {
        let _ = out.send(message).await;
    }
}

async fn write_lines(mut output: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<Bytes>) {
    while let Some(message) = lines.recv().await {
        if output.write_all(&line_of(&message)).await.is_err() || output.flush().await.is_err() {
            return;
        }
    }
}

/// A message on one line. A line break can only stand between tokens of JSON, where a space does as well.
fn line_of(message: &[u8]) -> Vec<u8> {
    let plain = message.iter().map(|byte| {
        if matches!(byte, b'\n' | b'\r') {
            b' '
        } else {
            *byte
        }
    });
    plain.chain([b'\n']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_whatever_its_layout() {
        assert_eq!(line_of(b"{\r\n \"a\":\n1}"), b"{   \"a\": 1}\n");
    }
}
