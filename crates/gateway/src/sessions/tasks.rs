//! The tasks of one client: how it was told to call each. A task that is not among them is somebody
//! else's, whatever a server says about it.

use std::collections::{HashMap, VecDeque};

/// Tasks that are remembered; the oldest is forgotten first, and known again once it is asked for.
pub(super) const MOST: usize = 1024;

/// A task as its server knows it.
type Key = (Box<str>, Box<str>);

/// The tasks of one client.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    handles: HashMap<Key, Box<str>>,
    order: VecDeque<Key>,
}

impl Tasks {
    pub(super) fn handle(&self, server: &str, id: &str) -> Option<Box<str>> {
        let key = (server.into(), id.into());
        self.handles.get(&key).cloned()
    }

    pub(super) fn remember(&mut self, server: &str, id: &str, handle: &str) {
        let key: Key = (server.into(), id.into());
        if self.handles.insert(key.clone(), handle.into()).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.handles.remove(&oldest);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
