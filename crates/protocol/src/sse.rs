//! Server-sent events: reading a stream piece by piece, and writing events. Holds one event at a
//! time, of bounded size; knows nothing of what the data means.

use bytes::{Buf, Bytes, BytesMut};

/// What one event may cost at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one line.
    pub line: usize,
    /// Bytes of all lines of one event, comments not counted.
    pub event: usize,
}

/// 4 MiB a line and an event, as the default of a message.
impl Default for Limits {
    fn default() -> Self {
        Limits {
            line: 4 * 1024 * 1024,
            event: 4 * 1024 * 1024,
        }
    }
}

/// One event: a block of the stream in which at least one field was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The id, if the event sets one. An empty id resets the last one.
    pub id: Option<String>,
    /// The kind of event; `message` if absent.
    pub event: Option<String>,
    /// The data lines, joined.
    pub data: Bytes,
    /// How many milliseconds to wait before connecting again.
    pub retry: Option<u64>,
}

impl Event {
    /// Whether the event carries a message. An event with an id and no data only primes a stream.
    pub fn is_message(&self) -> bool {
        let kind = self.event.as_deref().unwrap_or("message");
        !self.data.is_empty() && matches!(kind, "message" | "")
    }
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// A line is too long.
    #[error("line of the event stream is longer than {0} bytes")]
    Line(usize),
    /// An event is too large.
    #[error("event of the event stream is larger than {0} bytes")]
    Event(usize),
    /// A field is no text.
    #[error("event stream is not UTF-8")]
    Utf8,
}

/// Reads a stream. Once it has failed it fails for good.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    /// The beginning of a line that goes on in the next chunk.
    partial: BytesMut,
    block: Block,
    /// The last chunk ended in a carriage return; a line feed right after belongs to it.
    after_return: bool,
    started: bool,
    failed: Option<SseError>,
}

/// The event that is being put together.
#[derive(Debug, Default)]
struct Block {
    id: Option<String>,
    event: Option<String>,
    data: Data,
    retry: Option<u64>,
    size: usize,
}

#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    One(Bytes),
    Many(Vec<u8>),
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        Decoder {
            limits,
            partial: BytesMut::new(),
            block: Block::default(),
            after_return: false,
            started: false,
            failed: None,
        }
    }

    /// Takes the next event off the front of `chunk`. Nothing means that the chunk is used up.
    pub fn feed(&mut self, chunk: &mut Bytes) -> Result<Option<Event>, SseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let fed = self.advance(chunk);
        if let Err(error) = fed {
            self.failed = Some(error);
            self.partial = BytesMut::new();
            self.block = Block::default();
        }
        fed
    }

    /// Whether the stream would end inside an event. Such an event is lost, as the specification
    /// says.
    pub fn is_inside_event(&self) -> bool {
        !self.partial.is_empty() || self.block.size > 0
    }

    fn advance(&mut self, chunk: &mut Bytes) -> Result<Option<Event>, SseError> {
        while !chunk.is_empty() {
            if std::mem::take(&mut self.after_return) && chunk.first() == Some(&b'\n') {
                chunk.advance(1);
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', chunk);
            let piece = chunk.split_to(end.unwrap_or(chunk.len()));
            if self.partial.len() + piece.len() > self.limits.line {
                return Err(SseError::Line(self.limits.line));
            }
            if end.is_none() {
                self.partial.extend_from_slice(&piece);
                return Ok(None);
            }
            self.after_return = chunk.first() == Some(&b'\r');
            chunk.advance(1);
            let line = match self.partial.is_empty() {
                true => piece,
                false => {
                    self.partial.extend_from_slice(&piece);
                    std::mem::take(&mut self.partial).freeze()
                }
            };
            if let Some(event) = self.line(line)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn line(&mut self, mut line: Bytes) -> Result<Option<Event>, SseError> {
        if !std::mem::replace(&mut self.started, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.advance(3);
        }
        if line.is_empty() {
            return Ok(std::mem::take(&mut self.block).finish());
        }
        let colon = memchr::memchr(b':', &line);
        if colon == Some(0) {
            return Ok(None);
        }
        // One for the line end, so that empty lines of data cost something too.
        self.block.size += line.len() + 1;
        if self.block.size > self.limits.event {
            return Err(SseError::Event(self.limits.event));
        }
        let field = line.split_to(colon.unwrap_or(line.len()));
        if colon.is_some() {
            line.advance(1);
        }
        if line.first() == Some(&b' ') {
            line.advance(1);
        }
        self.block.set(&field, line)?;
        Ok(None)
    }
}

impl Block {
    fn set(&mut self, field: &[u8], value: Bytes) -> Result<(), SseError> {
        match field {
            b"data" => self.data.add(value),
            b"event" => self.event = Some(text(&value)?),
            b"id" if !value.contains(&0) => self.id = Some(text(&value)?),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.retry = text(&value)?.parse().ok();
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Option<Event> {
        let data = match self.data {
            Data::None => None,
            Data::One(data) => Some(data),
            Data::Many(data) => Some(data.into()),
        };
        let given =
            data.is_some() || self.id.is_some() || self.event.is_some() || self.retry.is_some();
        given.then(|| Event {
            id: self.id,
            event: self.event,
            data: data.unwrap_or_default(),
            retry: self.retry,
        })
    }
}

impl Data {
    fn add(&mut self, line: Bytes) {
        *self = match std::mem::take(self) {
            Data::None => Data::One(line),
            Data::One(first) => {
                let mut all = Vec::with_capacity(first.len() + line.len() + 1);
                all.extend_from_slice(&first);
                all.push(b'\n');
                all.extend_from_slice(&line);
                Data::Many(all)
            }
            Data::Many(mut all) => {
                all.push(b'\n');
                all.extend_from_slice(&line);
                Data::Many(all)
            }
        };
    }
}

/// Writes one event with data. Line ends inside the data begin a new line of data, as the format
/// asks; ones inside the id are left out, so that an id can never begin a field of its own.
pub fn write_event(id: Option<&str>, data: &[u8], out: &mut Vec<u8>) {
    write_id(id, out);
    let mut rest = data;
    loop {
        let end = memchr::memchr2(b'\n', b'\r', rest);
        let (line, after) = rest
            .split_at_checked(end.unwrap_or(rest.len()))
            .unwrap_or((rest, &[]));
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
        if end.is_none() {
            break;
        }
        let length = if after.starts_with(b"\r\n") { 2 } else { 1 };
        rest = after.get(length..).unwrap_or_default();
    }
    out.push(b'\n');
}

/// Writes an event that carries an id and no message, so that a client can resume a stream from its
/// very beginning; with how long to wait before it does, if given.
pub fn write_priming(id: &str, retry: Option<u64>, out: &mut Vec<u8>) {
    write_id(Some(id), out);
    if let Some(retry) = retry {
        write_retry_line(retry, out);
    }
    out.extend_from_slice(b"data: \n\n");
}

/// Writes how many milliseconds to wait before connecting again.
pub fn write_retry(milliseconds: u64, out: &mut Vec<u8>) {
    write_retry_line(milliseconds, out);
    out.push(b'\n');
}

/// Writes a comment, which keeps a connection alive and means nothing.
pub fn write_keep_alive(out: &mut Vec<u8>) {
    out.extend_from_slice(b":\n\n");
}

fn write_id(id: Option<&str>, out: &mut Vec<u8>) {
    if let Some(id) = id {
        out.extend_from_slice(b"id: ");
        let safe = id.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r' | 0));
        out.extend(safe);
        out.push(b'\n');
    }
}

fn write_retry_line(milliseconds: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"retry: ");
    out.extend_from_slice(milliseconds.to_string().as_bytes());
    out.push(b'\n');
}

fn text(value: &[u8]) -> Result<String, SseError> {
    let text = std::str::from_utf8(value).map_err(|_| SseError::Utf8)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
