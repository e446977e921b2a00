//! What a process writes to its standard error: free text, kept only a little of, shown to the
//! operator at the level debug. It never counts as an error and never reaches a caller.

use super::super::lock;
use crate::content::Log;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

/// How many lines are kept, and how long each may be.
const LINES_MAX: usize = 32;
const LINE_BYTES_MAX: usize = 512;
/// How much of a line is looked at for secrets before it is cut: half of one says too much.
const LOOKED_MAX: usize = 4096;
/// How many lines are logged per window.
const LOGGED_MAX: u32 = 50;
const WINDOW: Duration = Duration::from_secs(1);

/// The last lines of a process.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring(Arc<Mutex<VecDeque<String>>>);

impl Ring {
    /// The lines that are kept, control characters escaped.
    pub(super) fn lines(&self) -> Vec<String> {
        lock(&self.0).iter().cloned().collect()
    }

    fn push(&self, line: String) {
        let mut lines = lock(&self.0);
        if lines.len() >= LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// Reads until the end, however much comes: a process must not stall on a full pipe.
pub(super) async fn capture(mut source: impl AsyncRead + Unpin, ring: Ring, server: Arc<str>) {
    let mut buffer = vec![0; 4096];
    let mut line = Vec::new();
    let mut window = Instant::now();
    let mut logged = 0;
    let mut log = Log::new();
    loop {
        let length = match source.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        for byte in buffer.iter().take(length) {
            if *byte != b'\n' {
                if line.len() < LOOKED_MAX {
                    line.push(*byte);
                }
                continue;
            }
            let text = shown(&mut log, &line);
            line.clear();
            if window.elapsed() > WINDOW {
                window = Instant::now();
                logged = 0;
            }
            logged += 1;
            if logged <= LOGGED_MAX {
                tracing::debug!(%server, "{text}");
            }
            ring.push(text);
        }
    }
    if !line.is_empty() {
        ring.push(shown(&mut log, &line));
    }
}

/// A line without secrets, cut, control characters escaped.
fn shown(log: &mut Log, line: &[u8]) -> String {
    let text = log.line(&String::from_utf8_lossy(line));
    let cut: String = text.escape_debug().take(LINE_BYTES_MAX).collect();
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_a_bounded_number_of_bounded_lines() {
        let ring = Ring::default();
        let mut text = String::new();
        for number in 0..1000 {
            text.push_str(&format!("line {number} {}\n", "x".repeat(2000)));
        }
        text.push_str("\u{1b}[31mred\n");
        text.push_str("key 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\n");
        text.push_str("no end");
        capture(text.as_bytes(), ring.clone(), "test".into()).await;
        let lines = ring.lines();
        assert_eq!(lines.len(), LINES_MAX);
        assert!(lines.iter().all(|line| line.len() <= LINE_BYTES_MAX));
        assert_eq!(lines[LINES_MAX - 1], "no end");
        assert_eq!(lines[LINES_MAX - 2], "key [redacted: secret.github_token]");
        assert_eq!(lines[LINES_MAX - 3], "\\u{1b}[31mred");
    }
}
