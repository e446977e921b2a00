//! The promise of an appended record, for any runtime or none.

use super::queue::Shared;
use crate::err::LedgerError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Resolves when the record is as durable as was asked for.
#[must_use = "whether the record was accepted is known only from here"]
pub struct Append {
    state: State,
}

enum State {
    Done(Option<Result<(), LedgerError>>),
    Waiting {
        shared: Arc<Shared>,
        ticket: u64,
        known: Option<Waker>,
    },
}

impl Append {
    /// Waits in a thread that is not a runtime's.
    pub fn wait(mut self) -> Result<(), LedgerError> {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(result) => return result,
                Poll::Pending => thread::park(),
            }
        }
    }

    pub(super) fn done(result: Result<(), LedgerError>) -> Self {
        let state = State::Done(Some(result));
        Self { state }
    }

    pub(super) fn waiting(shared: Arc<Shared>, ticket: u64) -> Self {
        let state = State::Waiting {
            shared,
            ticket,
            known: None,
        };
        Self { state }
    }
}

impl Future for Append {
    type Output = Result<(), LedgerError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            // Polled after its end it has nothing new to say; a closed ledger says the least.
            State::Done(result) => Poll::Ready(result.take().unwrap_or(Err(LedgerError::Closed))),
            State::Waiting {
                shared,
                ticket,
                known,
            } => shared.poll(*ticket, known, context),
        }
    }
}

impl fmt::Debug for Append {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Done(result) => f.debug_tuple("Append").field(result).finish(),
            State::Waiting { ticket, .. } => f.debug_tuple("Append").field(ticket).finish(),
        }
    }
}
