//! A circuit breaker: after several attempts in a row that reached nobody, callers are told so at
//! once for a while, then one of them may try.
//!
//! What a failure is says whoever tries: a server behind the gateway has failed only if it was not
//! reached; a slow or failing call is no reason to keep everybody else from it.

use crate::small::lock;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How many attempts in a row must fail.
const FAILURES_MAX: u32 = 5;
/// How long the first rest is; each further one doubles, up to the longest.
const REST_FIRST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(60);

/// The breaker of one server.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: Mutex<State>,
}

/// Nobody is to try before so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resting {
    /// How long to wait.
    pub(crate) retry_after: Duration,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    rest: Duration,
    until: Option<Instant>,
    probing: bool,
}

impl Breaker {
    /// Permission to try, or how long to wait.
    pub(crate) fn admit(self: &Arc<Self>, now: Instant) -> Result<Attempt, Resting> {
        let mut state = lock(&self.state);
        let mut probe = false;
        if let Some(until) = state.until {
            let left = until.saturating_duration_since(now);
            if !left.is_zero() || state.probing {
                // While one caller probes, the others come back soon.
                return Err(Resting {
                    retry_after: left.max(REST_FIRST),
                });
            }
            state.probing = true;
            probe = true;
        }
        Ok(Attempt {
            breaker: self.clone(),
            probe,
        })
    }
}

/// One attempt to reach the server. Dropped without a word, it says nothing about the server.
#[derive(Debug)]
pub(crate) struct Attempt {
    breaker: Arc<Breaker>,
    probe: bool,
}

impl Attempt {
    pub(crate) fn reached(self) {
        let mut state = lock(&self.breaker.state);
        if state.failures > 0 || state.until.is_some() {
            *state = State::default();
        }
    }

    pub(crate) fn failed(self, now: Instant) {
        let mut state = lock(&self.breaker.state);
        state.failures = state.failures.saturating_add(1);
        // Failures that were under way when the rest began do not prolong it.
        if self.probe || (state.until.is_none() && state.failures >= FAILURES_MAX) {
            state.rest = (state.rest * 2).clamp(REST_FIRST, REST_MAX);
            state.until = Some(now + state.rest);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.probe {
            lock(&self.breaker.state).probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A breaker and a clock that only the test moves.
    struct World {
        breaker: Arc<Breaker>,
        now: Instant,
    }

    impl World {
        fn new() -> Self {
            World {
                breaker: Arc::default(),
                now: Instant::now(),
            }
        }

        fn attempt(&self) -> Attempt {
            self.breaker.admit(self.now).unwrap()
        }

        fn fail(&self, times: u32) {
            for _ in 0..times {
                self.attempt().failed(self.now);
            }
        }

        fn rest(&self) -> Option<u64> {
            let refused = self.breaker.admit(self.now).err()?;
            Some(refused.retry_after.as_secs())
        }
    }

    #[test]
    fn rests_after_failures_in_a_row_and_then_lets_one_try() {
        let mut world = World::new();
        world.fail(FAILURES_MAX - 1);
        world.attempt().reached();
        world.fail(FAILURES_MAX - 1);
        assert_eq!(world.rest(), None);
        world.fail(1);
        assert_eq!(world.rest(), Some(1));
        world.now += REST_FIRST;
        let probe = world.attempt();
        assert!(
            world.rest().is_some(),
            "a second caller waits for the probe"
        );
        probe.failed(world.now);
        assert_eq!(world.rest(), Some(2));
        world.now += REST_FIRST * 2;
        world.attempt().reached();
        assert_eq!(world.rest(), None);
        world.fail(1);
        assert_eq!(world.rest(), None, "a success forgets what was before");
    }

    #[test]
    fn an_abandoned_probe_lets_the_next_one_try() {
        let mut world = World::new();
        world.fail(FAILURES_MAX);
        world.now += REST_FIRST;
        drop(world.attempt());
        assert_eq!(world.rest(), None);
    }

    #[test]
    fn the_rest_has_a_longest_length() {
        let mut world = World::new();
        world.fail(FAILURES_MAX);
        for _ in 0..40 {
            world.now += REST_MAX;
            world.attempt().failed(world.now);
        }
        assert_eq!(world.rest(), Some(REST_MAX.as_secs()));
    }

    #[test]
    fn failures_under_way_do_not_prolong_the_rest() {
        let mut world = World::new();
        let late: Vec<_> = (0..20).map(|_| world.attempt()).collect();
        world.fail(FAILURES_MAX);
        for attempt in late {
            attempt.failed(world.now);
        }
        world.now += REST_FIRST;
        assert_eq!(world.rest(), None);
    }
}
