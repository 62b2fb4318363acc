//! What the guard tells the service: one verdict for each head, in order, and why a body broke off.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::Violation;

/// The service's end of what a connection's guard has found.
#[derive(Debug, Clone)]
pub(crate) struct Verdicts(Arc<Mutex<State>>);

/// A request that is being answered. While one is alive its connection is not idle.
#[derive(Debug)]
pub(crate) struct InFlight(Verdicts);

#[derive(Debug)]
struct State {
    heads: VecDeque<Result<(), Violation>>,
    body: Option<Violation>,
    in_flight: usize,
    last_done: Instant,
}

impl Verdicts {
    pub(super) fn new(now: Instant) -> Self {
        let state = State { heads: VecDeque::new(), body: None, in_flight: 0, last_done: now };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The verdict on the request that the service was just called with. Each call takes the next one; there being
    /// none would mean that guard and library disagree about what a request is, so that is refused.
    pub(crate) fn next(&self) -> (Result<(), Violation>, InFlight) {
        let mut state = self.state();
        state.in_flight += 1;
        let verdict = state.heads.pop_front().unwrap_or(Err(Violation::RequestLine));
        drop(state);
        (verdict, InFlight(self.clone()))
    }

    /// Why reading the body failed, where the guard is the one who made it fail.
    pub(crate) fn body_violation(&self) -> Option<Violation> {
        self.state().body
    }

    pub(super) fn push(&self, verdict: Result<(), Violation>) {
        self.state().heads.push_back(verdict);
    }

    pub(super) fn break_body(&self, violation: Violation) {
        self.state().body = Some(violation);
    }

    /// Since when nothing is being answered; `None` while something is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.in_flight == 0 && state.heads.is_empty()).then_some(state.last_done)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing here can panic halfway, so a poisoned lock still holds a whole state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight -= 1;
        state.last_done = Instant::now();
    }
}
