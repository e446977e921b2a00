//! Messages on a pipe: one to a line. Finds the lines and tells messages from noise by their first
//! byte; reading them is the strict reader's work.

use bytes::{Buf, Bytes, BytesMut};

/// A line that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// May be a message: it begins like JSON. Without its line end.
    Message(Bytes),
    /// Cannot be a message. It has been counted; log it or leave it.
    Noise(Bytes),
    /// Longer than the limit; its bytes are gone, this many of them. It has been counted.
    Overlong(usize),
}

/// Cuts a stream of bytes into lines. Holds at most one line, of bounded length.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    partial: BytesMut,
    /// Bytes of the present line that were thrown away, if it is too long.
    skipped: Option<usize>,
    dropped: u64,
}

impl Decoder {
    /// A decoder for lines of at most `limit` bytes, line end not counted.
    pub fn new(limit: usize) -> Self {
        Decoder {
            limit,
            partial: BytesMut::new(),
            skipped: None,
            dropped: 0,
        }
    }

    /// Takes the next line off the front of `chunk`. Nothing means that the chunk is used up.
    /// Blank lines are passed over.
    pub fn feed(&mut self, chunk: &mut Bytes) -> Option<Line> {
        while !chunk.is_empty() {
            let end = memchr::memchr(b'\n', chunk);
            let piece = chunk.split_to(end.unwrap_or(chunk.len()));
            if end.is_some() {
                chunk.advance(1);
            }
            self.take(&piece, end.is_some());
            if end.is_none() {
                continue;
            }
            if let Some(line) = self.finish_line(piece) {
                return Some(line);
            }
        }
        None
    }

    /// The last line, if the stream ended without a line end.
    pub fn finish(&mut self) -> Option<Line> {
        self.finish_line(Bytes::new())
    }

    /// How many lines were noise or overlong.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Keeps a piece that is not a whole line in itself, or counts it away.
    fn take(&mut self, piece: &Bytes, ends: bool) {
        // A carriage return before the line end does not count.
        let limit = self.limit.saturating_add(1);
        let length = self.partial.len() + piece.len();
        if let Some(skipped) = &mut self.skipped {
            *skipped += piece.len();
        } else if length > limit {
            self.skipped = Some(length);
            self.partial = BytesMut::new();
        } else if !ends || !self.partial.is_empty() {
            self.partial.extend_from_slice(piece);
        }
    }

    fn finish_line(&mut self, piece: Bytes) -> Option<Line> {
        if let Some(skipped) = self.skipped.take() {
            self.dropped += 1;
            return Some(Line::Overlong(skipped));
        }
        let mut line = match self.partial.is_empty() {
            true => piece,
            false => std::mem::take(&mut self.partial).freeze(),
        };
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        if line.len() > self.limit {
            self.dropped += 1;
            return Some(Line::Overlong(line.len()));
        }
        let first = line.iter().find(|byte| !matches!(byte, b' ' | b'\t'))?;
        match first {
            b'{' | b'[' => Some(Line::Message(line)),
            _ => {
                self.dropped += 1;
                Some(Line::Noise(line))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the text whole and in every piece size, and expects the same lines each time.
    fn check(text: &str, limit: usize, expected: &[&str], dropped: u64) {
        for size in 1..=text.len().max(1) {
            let mut decoder = Decoder::new(limit);
            let mut lines = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                let mut chunk = Bytes::copy_from_slice(piece);
                while let Some(line) = decoder.feed(&mut chunk) {
                    lines.push(show(line));
                }
            }
            lines.extend(decoder.finish().map(show));
            assert_eq!(lines, expected, "{text:?} in pieces of {size}");
            assert_eq!(decoder.dropped(), dropped, "{text:?} in pieces of {size}");
        }
    }

    fn show(line: Line) -> String {
        match line {
            Line::Message(text) => format!("message {}", String::from_utf8_lossy(&text)),
            Line::Noise(text) => format!("noise {}", String::from_utf8_lossy(&text)),
            Line::Overlong(length) => format!("overlong {length}"),
        }
    }

    #[test]
    fn finds_messages_line_by_line() {
        check(
            "{\"a\":1}\n[]\n",
            100,
            &["message {\"a\":1}", "message []"],
            0,
        );
        check(
            "{}\r\n\n \n\r\n  {}",
            100,
            &["message {}", "message   {}"],
            0,
        );
        check("", 100, &[], 0);
    }

    #[test]
    fn drops_and_counts_what_is_no_message() {
        check(
            "starting up\n{}\nError: x\n",
            100,
            &["noise starting up", "message {}", "noise Error: x"],
            2,
        );
    }

    #[test]
    fn drops_a_line_longer_than_the_limit_and_goes_on() {
        check(
            "{2345678}\n{}\n",
            9,
            &["message {2345678}", "message {}"],
            0,
        );
        check(
            "{2345678}\r\n{}\n",
            9,
            &["message {2345678}", "message {}"],
            0,
        );
        check("{23456789}\n{}\n", 9, &["overlong 10", "message {}"], 1);
        check("{23456789}\r\n{}", 9, &["overlong 11", "message {}"], 1);
        check("{234567890123456789", 9, &["overlong 19"], 1);
    }

    #[test]
    fn a_whole_line_is_not_copied() {
        let mut chunk = Bytes::from_static(b"{\"a\":1}\n{}");
        let start = chunk.as_ptr();
        let line = Decoder::new(100).feed(&mut chunk);
        assert!(matches!(line, Some(Line::Message(text)) if text.as_ptr() == start));
    }

    #[test]
    fn holds_no_more_than_the_limit() {
        let mut decoder = Decoder::new(1000);
        for _ in 0..1000 {
            let mut chunk = Bytes::from_static(&[b'x'; 700]);
            assert_eq!(decoder.feed(&mut chunk), None);
            assert!(decoder.partial.capacity() <= 2048);
        }
        assert_eq!(decoder.finish(), Some(Line::Overlong(700_000)));
    }
}
