//! What was said last in each place of the messages of a stream: a value may begin in one message and end
//! at the same place of a later one.

use crate::content::place::{PLACE, Step};
use inspect::data::{Rules, Thread};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Places of which it is remembered what was said there; the one that was used last stays longest.
const OPEN: usize = 16;

/// The places of one stream.
#[derive(Debug)]
pub(crate) struct Threads {
    rules: Arc<Rules>,
    open: Vec<(u64, Thread)>,
}

impl Threads {
    /// A stream on which nothing was said yet.
    pub(super) fn new(rules: Arc<Rules>) -> Self {
        Threads {
            rules,
            open: Vec::new(),
        }
    }

    /// What goes on at the end of this way; nothing where it is too long to be anybody's habit.
    ///
    /// No two strings of one message have the same way, so that a message makes what is remembered be read
    /// a few times at most.
    pub(crate) fn of(&mut self, way: &[Step<'_>]) -> Option<&mut Thread> {
        let key = key(way)?;
        let known = self.open.iter().position(|(known, _)| *known == key);
        let thread = match known {
            Some(index) => self.open.remove(index),
            None => (key, Thread::new(Arc::clone(&self.rules))),
        };
        if self.open.len() >= OPEN {
            self.open.remove(0);
        }
        self.open.push(thread);
        self.open.last_mut().map(|(_, thread)| thread)
    }
}

fn key(way: &[Step<'_>]) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let mut length = 0;
    for step in way {
        match step {
            Step::Element(index) => index.hash(&mut hasher),
            Step::Member(name) => {
                length += name.raw().len();
                if length > PLACE {
                    return None;
                }
                name.decoded().hash(&mut hasher);
            }
        }
    }
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::data::packs;
    use crate::content::data::sought::Ignored;
    use crate::content::{Toward, role};
    use protocol::{Document, Limits};

    #[test]
    fn n9_3_what_is_remembered_of_a_stream_is_bounded() {
        let mut threads = Threads::new(packs::rules(&[], &Ignored::default()).unwrap());
        let long = "k".repeat(PLACE + 1);
        let members = (0..4 * OPEN).map(|n| format!(r#""{n}":["a","b"]"#));
        let members = members.collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"{long}":"a",{members}}}"#);
        let document = Document::read(text.into(), &Limits::default()).unwrap();
        let mut seen = Vec::new();
        role::walk(document.root(), Toward::Model, &mut |at| {
            if matches!(at.leaf, role::Leaf::Text(text) if !text.is_key()) {
                seen.push(threads.of(at.way).is_some());
            }
            assert!(threads.open.len() <= OPEN);
        });
        assert_eq!(threads.open.len(), OPEN);
        assert_eq!(seen.iter().position(|seen| *seen), Some(1), "{seen:?}");
    }
}
