//! How often more scopes were asked for, for each operation of one server, as one party uses it: a few
//! times, so that a server that always wants more is asked no more, and the other operations of the same
//! party are none the worse for it. It asks for nothing and decides on no scope.

use crate::small::lock;
use crate::state::Mark;
use crate::upstream::own;
use bytes::Bytes;
use http::Method;
use identity::client::{Attempts, ClientError};
use protocol::mirror;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use url::Url;

/// How many operations are remembered for one party. Beyond it there is no asking for more.
const OPERATIONS_MAX: usize = 64;
/// How long an operation is remembered after the last attempt, in seconds: as long as somebody may still
/// follow a link that was given for it.
const REMEMBERED_S: u64 = crate::connect::PATIENCE_MS / 1000;

/// A request to a server, as far as what is shown with it depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The method of HTTP.
    pub(crate) method: &'a Method,
    /// Where it goes.
    pub(crate) url: &'a Url,
    /// The message.
    pub(crate) body: &'a Bytes,
}

/// What a request is for: a tool, a resource, a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Operation(Mark);

impl Operation {
    /// The operation of a request: what its headers name it by in the revisions that have such headers.
    pub(super) fn of(asked: &Asked<'_>) -> Self {
        let message = own(asked.body.clone()).ok();
        let expected = message
            .as_ref()
            .map(|message| mirror::expected(message.method(), message.params()));
        let (method, name) = match &expected {
            Some(expected) => (expected.method, expected.name.as_deref()),
            None => ("", None),
        };
        Operation(Mark::of(&[
            b"operation",
            asked.method.as_str().as_bytes(),
            method.as_bytes(),
            name.unwrap_or_default().as_bytes(),
        ]))
    }
}

/// The attempts of one party at one server.
#[derive(Debug, Default)]
pub(super) struct StepUps {
    /// Whether there is any: what goes well costs no more than a look at this.
    any: AtomicBool,
    tried: Mutex<HashMap<Operation, Tried>>,
}

#[derive(Debug, Default)]
struct Tried {
    attempts: Attempts,
    last_s: u64,
}

impl StepUps {
    /// Counts one more attempt for this operation, at this moment in unix seconds, or says that it was
    /// enough.
    pub(super) fn another(&self, operation: Operation, now_s: u64) -> Result<(), ClientError> {
        let mut tried = lock(&self.tried);
        if !tried.contains_key(&operation) {
            tried.retain(|_, it| it.is_remembered_at(now_s));
            if tried.len() >= OPERATIONS_MAX {
                return Err(ClientError::StepUp);
            }
        }
        let it = tried.entry(operation).or_default();
        if !it.is_remembered_at(now_s) {
            *it = Tried::default();
        }
        it.attempts.another()?;
        it.last_s = now_s;
        self.any.store(true, Ordering::Release);
        Ok(())
    }

    /// The server took this request: what was tried for its operation counts no more.
    pub(super) fn taken(&self, asked: &Asked<'_>) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let operation = Operation::of(asked);
        let mut tried = lock(&self.tried);
        tried.remove(&operation);
        self.any.store(!tried.is_empty(), Ordering::Release);
    }
}

impl Tried {
    fn is_remembered_at(&self, now_s: u64) -> bool {
        now_s <= self.last_s.saturating_add(REMEMBERED_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn of(method: &str, params: &str) -> Operation {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        with(&Method::POST, &Bytes::from(body), Operation::of)
    }

    fn with<T>(method: &Method, body: &Bytes, then: impl FnOnce(&Asked<'_>) -> T) -> T {
        let url: Url = "https://files.example.com/mcp".parse().unwrap();
        let url = &url;
        then(&Asked { method, url, body })
    }

    #[test]
    fn n2_1_an_operation_is_its_method_and_what_it_is_about() {
        let read = of("tools/call", r#"{"name":"read"}"#);
        assert_eq!(
            read,
            of("tools/call", r#"{"arguments":{"a":1},"name":"read"}"#)
        );
        let empty = with(&Method::GET, &Bytes::new(), Operation::of);
        for other in [
            of("tools/call", r#"{"name":"write"}"#),
            of("prompts/get", r#"{"name":"read"}"#),
            of("resources/read", r#"{"uri":"read"}"#),
            of("tools/list", "{}"),
            empty,
            with(&Method::DELETE, &Bytes::new(), Operation::of),
        ] {
            assert_ne!(read, other);
        }
    }

    #[test]
    fn n2_1_each_operation_has_attempts_of_its_own_until_it_is_taken_or_forgotten() {
        let step_ups = StepUps::default();
        let (read, write) = (
            of("tools/call", r#"{"name":"read"}"#),
            of("tools/call", r#"{"name":"write"}"#),
        );
        let spent = |operation| {
            (0..3).for_each(|_| step_ups.another(operation, NOW).unwrap());
            assert_eq!(step_ups.another(operation, NOW), Err(ClientError::StepUp));
        };
        spent(read);
        spent(write);
        let body = r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"read"}}"#;
        with(&Method::POST, &Bytes::from(body), |asked| {
            step_ups.taken(asked);
        });
        spent(read);
        assert_eq!(step_ups.another(write, NOW), Err(ClientError::StepUp));
        // A refusal is no attempt: the time runs from the last one.
        assert_eq!(
            step_ups.another(write, NOW + REMEMBERED_S),
            Err(ClientError::StepUp)
        );
        assert_eq!(step_ups.another(write, NOW + REMEMBERED_S + 1), Ok(()));
    }

    #[test]
    fn n2_1_the_operations_that_are_remembered_are_bounded() {
        let step_ups = StepUps::default();
        let nth = |n: usize| of("resources/read", &format!(r#"{{"uri":"file:///{n}"}}"#));
        for n in 0..OPERATIONS_MAX {
            step_ups.another(nth(n), NOW).unwrap();
        }
        let full = step_ups.another(nth(OPERATIONS_MAX), NOW);
        assert_eq!(full, Err(ClientError::StepUp));
        assert_eq!(step_ups.another(nth(0), NOW), Ok(()));
        let later = NOW + REMEMBERED_S + 1;
        assert_eq!(step_ups.another(nth(OPERATIONS_MAX), later), Ok(()));
        assert!(lock(&step_ups.tried).len() == 1);
    }
}
