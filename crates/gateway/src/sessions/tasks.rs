//! The tasks of one client: how it was told to call each. A task that is not among them is somebody
//! else's, whatever a server says about it.

use std::collections::{HashMap, VecDeque};

/// Tasks that are remembered; the oldest is forgotten first, and known again once it is asked for.
pub(super) const MOST: usize = 1024;

/// Bytes that they and their handles come to together.
const BYTES: usize = 2 * 1024 * 1024;

/// A task as its server knows it.
type Key = (Box<str>, Box<str>);

/// The tasks of one client.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    handles: HashMap<Key, Box<str>>,
    order: VecDeque<Key>,
    bytes: usize,
}

impl Tasks {
    pub(super) fn handle(&self, server: &str, id: &str) -> Option<Box<str>> {
        let key = (server.into(), id.into());
        self.handles.get(&key).cloned()
    }

    pub(super) fn remember(&mut self, server: &str, id: &str, handle: &str) {
        let key: Key = (server.into(), id.into());
        self.bytes = self.bytes.saturating_add(handle.len());
        match self.handles.insert(key.clone(), handle.into()) {
            Some(before) => self.bytes = self.bytes.saturating_sub(before.len()),
            None => {
                self.bytes = self.bytes.saturating_add(size(&key));
                self.order.push_back(key);
            }
        }
        while self.order.len() > MOST || self.bytes > BYTES {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            let handle = self.handles.remove(&oldest).unwrap_or_default();
            let gone = size(&oldest).saturating_add(handle.len());
            self.bytes = self.bytes.saturating_sub(gone);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }
}

/// What a task's name takes up: it stands in the map and in the order.
fn size((server, id): &Key) -> usize {
    2 * (server.len() + id.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n4_3_long_names_and_handles_crowd_out_older_ones() {
        let handle = "h".repeat(BYTES / 4);
        let mut tasks = Tasks::default();
        for _ in 0..2 {
            // Said again, a task takes up nothing more.
            for number in 0..4 {
                tasks.remember("", &number.to_string(), handle.get(8..).unwrap());
            }
        }
        assert_eq!(tasks.len(), 4);
        tasks.remember("", "4", handle.get(8..).unwrap());
        assert_eq!((tasks.len(), tasks.handle("", "0")), (4, None));
        tasks.remember("", &"x".repeat(BYTES), "handle");
        assert_eq!((tasks.len(), tasks.bytes), (0, 0));
    }

    #[test]
    fn remembers_the_newest_tasks_and_no_more() {
        let mut tasks = Tasks::default();
        for number in 0..MOST + 3 {
            tasks.remember("s", &number.to_string(), "handle");
        }
        assert_eq!(tasks.len(), MOST);
        assert_eq!(tasks.handle("s", "2"), None);
        assert_eq!(tasks.handle("s", "3").as_deref(), Some("handle"));
        assert_eq!(tasks.handle("other", "3"), None);
    }
}
