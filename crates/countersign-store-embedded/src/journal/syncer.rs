//! Grouped syncs: one thread puts on the disk what has come together meanwhile, and then tells everybody who waits.
//!
//! While it syncs one group the next one comes together, so that the disk's pace bounds how long an answer takes and
//! not how many there are. A sync that fails is an answer to its whole group, and to those who wrote to that file since:
//! nobody knows what the kernel dropped.

use super::log::{Group, Log};
use countersign_core::replay::{FirstUse, StoreError};
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;

type Decision = Result<FirstUse, StoreError>;

/// The thread. Dropping it lets it finish what was written.
#[derive(Debug)]
pub(crate) struct Syncer {
    bell: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    pub(crate) fn start(log: Arc<Mutex<Log>>) -> std::io::Result<Self> {
        // One ring is enough however many wait: the thread takes all of them.
        let (bell, rung) = sync_channel(1);
        let work = move || work(&log, &rung);
        let thread = std::thread::Builder::new().name("replay-syncer".to_owned()).spawn(work)?;
        Ok(Self { bell: Some(bell), thread: Some(thread) })
    }

    /// Has what was written synced.
    pub(crate) fn ring(&self) {
        if let Some(bell) = &self.bell {
            // Full: it has been rung already. Gone: the promises have been broken by then.
            let _ = bell.try_send(());
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        drop(self.bell.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the thread that syncs the replay journal failed");
        }
    }
}

fn work(log: &Mutex<Log>, rung: &Receiver<()>) {
    loop {
        let more = rung.recv().is_ok();
        while let Some(group) = next(log) {
            let synced = group.sync();
            if !synced.failed.is_empty() {
                // Before anybody is told: who asks next does not meet the file again.
                log.lock().unwrap_or_else(PoisonError::into_inner).give_up(&synced.failed);
            }
            synced.tell();
        }
        if !more {
            return;
        }
    }
}

/// In a function of its own, so that the lock is given back before anything is synced.
fn next(log: &Mutex<Log>) -> Option<Group> {
    log.lock().unwrap_or_else(PoisonError::into_inner).take_group()
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<(Option<Decision>, Option<Waker>)>,
    decided: Condvar,
}

/// An answer that is owed.
#[derive(Debug)]
pub(crate) struct Promise(Option<Arc<Shared>>);

/// An answer that is waited for.
#[derive(Debug)]
pub(crate) struct Ticket(Arc<Shared>);

/// A promise and its ticket.
pub(crate) fn promise() -> (Promise, Ticket) {
    let shared = Arc::new(Shared::default());
    (Promise(Some(Arc::clone(&shared))), Ticket(shared))
}

impl Promise {
    pub(crate) fn keep(mut self, decision: Decision) {
        self.tell(decision);
    }

    fn tell(&mut self, decision: Decision) {
        let Some(shared) = self.0.take() else { return };
        let waker = {
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.0 = Some(decision);
            state.1.take()
        };
        shared.decided.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Promise {
    /// A promise that nobody keeps any more is an outage.
    fn drop(&mut self) {
        self.tell(Err(super::unavailable("the thread that syncs it ended")));
    }
}

impl Ticket {
    /// Waits on this thread.
    pub(crate) fn wait(self) -> Decision {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(decision) = state.0.take() {
                return decision;
            }
            state = self.0.decided.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Ticket {
    type Output = Decision;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Decision> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(decision) = state.0.take() {
            return Poll::Ready(decision);
        }
        state.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_that_is_dropped_is_an_outage_and_not_a_wait_for_ever() {
        let (promise, ticket) = promise();
        drop(promise);
        assert!(matches!(ticket.wait(), Err(StoreError::Unavailable(_))));
    }

    #[test]
    fn a_promise_is_kept_whoever_comes_first() {
        let (one, ticket) = promise();
        one.keep(Ok(FirstUse::First));
        assert_eq!(ticket.wait(), Ok(FirstUse::First));
        let (other, ticket) = promise();
        let waiting = std::thread::spawn(move || ticket.wait());
        other.keep(Err(StoreError::TimedOut));
        assert_eq!(waiting.join().unwrap(), Err(StoreError::TimedOut));
    }
}
