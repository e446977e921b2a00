//! Everything in a text that is encoded, decoded where it stands.

use super::escape::{self, Escape};
use super::hint::Hints;
use super::runs::{self, Run, Spaced};
use super::weave::Weaver;

pub(super) fn weave(text: &str, hints: Hints, weaver: &mut Weaver<'_>) {
    let mut said = String::new();
    let (mut joined, mut apart) = (runs::Joined::new(text), runs::Apart::new(text));
    let (any_escape, any_run) = (hints.has(Hints::ESCAPES), hints.has(Hints::RUNS));
    let mut escapes = Ahead::new(any_escape, |from| escape::next(text, from));
    let mut joined = Ahead::new(any_run, |from| joined.next(from));
    let mut apart = Ahead::new(any_run, |from| apart.next(from));
    let mut at = 0;
    while !weaver.is_full() {
        let escape = escapes.start(at, |escape: &Escape| escape.range.start);
        let run = joined.start(at, |run: &Run| run.range.start);
        let spaced = apart.start(at, |run: &Spaced| run.range.start);
        let Some(first) = earlier(escape, earlier(run, spaced)) else {
            return;
        };
        if escape == Some(first) {
            // Looked at where it is, since it is small and there may be many.
            let Some(escape) = &escapes.found else { return };
            let (range, kind) = (escape.range.clone(), escape.kind);
            at = range.end;
            said.clear();
            escape::say(text, escape, &mut said);
            match escape.of {
                Some(of) => weaver.put_bytes(range, of, &said, kind),
                None => weaver.put(range, &said, kind),
            }
            escapes.found = None;
            continue;
        }
        let source = if run == Some(first) {
            joined.take()
        } else {
            apart.take().map(|run| run.said(text))
        };
        let Some(Run { range, text, kind }) = source else {
            return;
        };
        at = range.end;
        weaver.put(range, &text, kind);
    }
}

fn earlier(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (found, None) | (None, found) => found,
    }
}

/// The next find of one kind, looked for once.
struct Ahead<T, F> {
    find: F,
    found: Option<T>,
    /// Whether there is nothing more.
    over: bool,
}

impl<T, F: FnMut(usize) -> Option<T>> Ahead<T, F> {
    fn new(any: bool, find: F) -> Self {
        Ahead {
            find,
            found: None,
            over: !any,
        }
    }

    /// Where the next one begins, at `at` or later.
    fn start(&mut self, at: usize, start: impl Fn(&T) -> usize) -> Option<usize> {
        if self.over {
            return None;
        }
        if self.found.as_ref().is_none_or(|found| start(found) < at) {
            self.found = (self.find)(at);
            self.over = self.found.is_none();
        }
        self.found.as_ref().map(start)
    }

    fn take(&mut self) -> Option<T> {
        self.found.take()
    }
}
