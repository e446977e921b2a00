//! The requests of one client that are under way, by the ids the client gave them: so that one it
//! takes back can be found, and so that no id is used twice at a time (rule B1).

use crate::links::Far;
use crate::small::lock;
use protocol::Id;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// All requests under way of one client.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    flights: Mutex<HashMap<Id, Flight>>,
}

/// One request under way.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    /// The server, and what the server knows the request by; nothing before it was sent.
    pub(crate) at: Option<(Arc<Far>, Id)>,
    /// Raised when the client takes the request back.
    pub(crate) gone: Arc<watch::Sender<bool>>,
}

impl Flights {
    /// Enters a request; nothing if one of this id is under way.
    pub(crate) fn enter(
        self: &Arc<Self>,
        id: Id,
        gone: Arc<watch::Sender<bool>>,
    ) -> Option<InFlight> {
        let mut flights = lock(&self.flights);
        if flights.contains_key(&id) {
            return None;
        }
        flights.insert(id.clone(), Flight { at: None, gone });
        Some(InFlight {
            flights: Arc::clone(self),
            id,
        })
    }

    /// The request of this id.
    pub(crate) fn find(&self, id: &Id) -> Option<Flight> {
        lock(&self.flights).get(id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.flights).len()
    }
}

/// A request's entry; dropped, it is under way no more.
#[derive(Debug)]
pub(crate) struct InFlight {
    flights: Arc<Flights>,
    id: Id,
}

impl InFlight {
    /// Says where the request is, and what it is called there.
    pub(crate) fn sent(&self, far: &Arc<Far>, upstream: &Id) {
        if let Some(flight) = lock(&self.flights.flights).get_mut(&self.id) {
            flight.at = Some((Arc::clone(far), upstream.clone()));
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        lock(&self.flights.flights).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b1_an_id_is_taken_until_its_request_is_over() {
        let flights = Arc::new(Flights::default());
        let gone = Arc::new(watch::Sender::new(false));
        let (one, other) = (Id::from(1), Id::from("1"));
        let first = flights.enter(one.clone(), Arc::clone(&gone));
        assert!(first.is_some());
        assert!(flights.enter(one.clone(), Arc::clone(&gone)).is_none());
        // The number and the text are two ids.
        let second = flights.enter(other.clone(), Arc::clone(&gone));
        assert!(second.is_some());
        assert_eq!(flights.len(), 2);
        drop(first);
        assert!(flights.find(&one).is_none());
        assert!(
            flights
                .find(&other)
                .is_some_and(|flight| flight.at.is_none())
        );
        assert!(flights.enter(one, gone).is_some());
    }
}
