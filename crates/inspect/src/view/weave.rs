//! How a view is put together from what changed and what stands around it.

use super::map::{Kind, Kinds, Map};
use std::ops::Range;

/// Bytes kept before and behind what changed: enough for the words that say what it is.
const AROUND: usize = 256;

/// Stands where something was left out, so that what stands on its two sides is not read as one.
const GAP: &str = "\n...\n";

/// A view in the making. Parts are given in the order of the text, none of them twice.
#[derive(Debug)]
pub(super) struct Weaver<'s> {
    source: &'s str,
    text: String,
    map: Map,
    /// How much of the source is dealt with.
    done: usize,
    /// Bytes the view may have.
    room: usize,
    changed: bool,
    cut: bool,
    /// Whether what stands around is left out: parts then stand on lines of their own.
    alone: bool,
}

/// A view that is finished.
#[derive(Debug)]
pub(super) struct Woven {
    pub(super) text: String,
    pub(super) map: Map,
    pub(super) cut: bool,
}

impl<'s> Weaver<'s> {
    pub(super) fn new(source: &'s str, room: usize) -> Self {
        Weaver {
            source,
            text: String::new(),
            map: Map::default(),
            done: 0,
            room,
            changed: false,
            cut: false,
            alone: false,
        }
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.cut
    }

    /// Says `text` where the source has `range`; every span of it is made of the whole range.
    pub(super) fn put(&mut self, range: Range<usize>, text: &str, kind: Kind) {
        let units = (text.len(), range.len());
        self.part(range, text, units, kind);
    }

    /// Says `text` where the source has `range`: each byte of it is made of `of` bytes.
    pub(super) fn put_bytes(&mut self, range: Range<usize>, of: usize, text: &str, kind: Kind) {
        self.part(range, text, (1, of), kind);
    }

    /// Leaves out what the source has at `range`.
    pub(super) fn drop(&mut self, range: Range<usize>, kind: Kind) {
        if !range.is_empty() {
            let units = (0, range.len());
            self.part(range, "", units, kind);
        }
    }

    /// Shows what the source has at `range` by itself, on a line of its own.
    pub(super) fn take(&mut self, range: Range<usize>, kind: Kind) {
        self.alone = true;
        let source = self.source;
        if let Some(text) = source.get(range.clone()).filter(|text| !text.is_empty()) {
            self.put_bytes(range, 1, text, kind);
        }
    }

    /// The same for what is made of it as a whole.
    pub(super) fn take_made(&mut self, range: Range<usize>, text: &str, kind: Kind) {
        self.alone = true;
        self.put(range, text, kind);
    }

    fn part(&mut self, range: Range<usize>, text: &str, units: (usize, usize), kind: Kind) {
        if self.cut || range.start < self.done {
            return;
        }
        self.lead(range.start);
        if self.text.len() + text.len() > self.room {
            self.cut = true;
            return;
        }
        self.map.push(text.len(), range.start, units, kind.into());
        self.text.push_str(text);
        self.done = range.end;
        self.changed = true;
    }

    /// What stands between the last part and the next one.
    fn lead(&mut self, until: usize) {
        if self.alone {
            if self.changed {
                self.gap(until, "\n");
            }
            return;
        }
        let around = if self.changed { 2 * AROUND } else { AROUND };
        if until - self.done <= around + GAP.len() {
            return self.copy(until);
        }
        if self.changed {
            let behind = self.source.floor_char_boundary(self.done + AROUND);
            self.copy(behind);
        }
        let before = self.source.ceil_char_boundary(until - AROUND);
        self.gap(before, GAP);
        self.copy(until);
    }

    fn copy(&mut self, until: usize) {
        let source = self.source.get(self.done..until).unwrap_or_default();
        if source.is_empty() {
            return;
        }
        if self.text.len() + source.len() > self.room {
            self.cut = true;
            return;
        }
        self.map.push(source.len(), self.done, (1, 1), Kinds::NONE);
        self.text.push_str(source);
        self.done = until;
    }

    fn gap(&mut self, until: usize, mark: &str) {
        if self.text.len() + mark.len() > self.room {
            self.cut = true;
            return;
        }
        let units = (mark.len(), until - self.done);
        self.map.push(mark.len(), self.done, units, Kinds::NONE);
        self.text.push_str(mark);
        self.done = until;
    }

    /// The view, if anything in it is not as in its source. It is empty where there was no room.
    pub(super) fn finish(mut self) -> Option<Woven> {
        if !self.changed && !self.cut {
            return None;
        }
        if !self.alone && !self.cut {
            let end = self.done.saturating_add(AROUND).min(self.source.len());
            let end = self.source.floor_char_boundary(end);
            self.copy(end);
        }
        Some(Woven {
            text: self.text,
            map: self.map,
            cut: self.cut,
        })
    }
}
