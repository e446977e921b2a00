//! Compresses closed segments behind the writer's back. It never touches the one being written,
//! and whatever it does not finish is finished after the next opening.

use crate::segment;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// The thread that compresses. Dropping it stops it at once.
pub(super) struct Packer {
    closed: Option<Sender<u32>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Packer {
    /// Starts with the segments that wait already. If no thread can be had, segments stay as they
    /// are, which every reader understands.
    pub(super) fn start(dir: &Path, waiting: Vec<u32>) -> Self {
        let (closed, segments) = channel();
        for number in waiting {
            // The receiver is in this function.
            let _ = closed.send(number);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (dir, flag) = (dir.to_owned(), Arc::clone(&stop));
        let thread = std::thread::Builder::new()
            .name("ledger-pack".to_owned())
            .spawn(move || pack_all(dir, &segments, &flag))
            .ok();
        Self {
            closed: Some(closed),
            stop,
            thread,
        }
    }

    /// Hands over a segment that will not change any more.
    pub(super) fn pack(&self, number: u32) {
        if let Some(closed) = &self.closed {
            let _ = closed.send(number);
        }
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.closed = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn pack_all(dir: PathBuf, segments: &Receiver<u32>, stop: &AtomicBool) {
    while let Ok(number) = segments.recv() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        // A segment that cannot be compressed (no space, perhaps) is as good uncompressed, and is
        // tried again after the next opening.
        let _ = segment::pack(&dir, number, stop);
    }
}
