//! The replay store's front: entries in, answers out, whatever runtime the caller has or lacks.

use super::error::PostgresError;
use super::lane::{self, Job};
use super::options::PostgresOptions;
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_store::{Record, second};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// A replay store in PostgreSQL. The crate says what it promises.
#[derive(Debug)]
pub struct PostgresReplay {
    /// `None` once it is being closed.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    deadline: Duration,
}

impl PostgresReplay {
    /// Connects, brings the schema up to date, and makes sure that the server keeps what it commits. Blocks until then.
    pub fn open(options: PostgresOptions) -> Result<Self, PostgresError> {
        let deadline = options.deadline;
        let (jobs, waiting) = mpsc::channel(WAITING);
        let (opened, is_open) = std::sync::mpsc::sync_channel(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(PostgresError::Thread)?;
        let thread = std::thread::Builder::new()
            .name("replay-postgres".to_owned())
            .spawn(move || runtime.block_on(lane::work(options, waiting, opened)))
            .map_err(PostgresError::Thread)?;
        let store = Self { jobs: Some(jobs), thread: Some(thread), deadline };
        match is_open.recv() {
            Ok(Ok(())) => Ok(store),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(PostgresError::Thread(std::io::Error::other("it ended"))),
        }
    }

    fn ask(&self, entry: &ReplayEntry) -> Result<oneshot::Receiver<Result<FirstUse, StoreError>>, StoreError> {
        let Record { fingerprint, until } = Record::of(entry);
        let now = second(entry.now);
        if second(entry.live_until) < now {
            return Err(StoreError::ClockWentBack);
        }
        let (answer, answered) = oneshot::channel();
        let job = Job {
            fingerprint: Uuid::from_bytes(fingerprint),
            owner: Uuid::from_bytes(entry.key),
            last_second: until.into(),
            since: second(entry.since).into(),
            now: now.into(),
            due: Instant::now() + self.deadline,
            answer,
        };
        let jobs = self.jobs.as_ref().ok_or_else(closed)?;
        jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                StoreError::Unavailable("PostgreSQL: too many requests wait for it".to_owned())
            }
            mpsc::error::TrySendError::Closed(_) => closed(),
        })?;
        Ok(answered)
    }
}

impl ReplayGuard for PostgresReplay {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        match self.ask(entry) {
            Ok(answered) => Answer::Later(Box::pin(async { answered.await.unwrap_or_else(|_| Err(closed())) })),
            Err(error) => Answer::Ready(Err(error)),
        }
    }
}

impl Drop for PostgresReplay {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the thread of the replay store failed");
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the replay store in PostgreSQL is closed".to_owned())
}

/// How many requests may wait.
const WAITING: usize = 65_536;
