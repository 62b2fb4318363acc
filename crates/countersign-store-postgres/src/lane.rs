//! The thread that talks to the database: everything that came meanwhile is one batch, one round trip and one commit.
//!
//! A batch that takes longer than its eldest request may wait is given up together with its connection; what became of
//! it nobody knows, so its requests were not decided and may be seen when they come again. After a failure the database
//! is left alone for a moment, and requests are told at once.

use super::connect::{self, told_pool};
use super::error::{PostgresError, told};
use super::migrate;
use super::options::PostgresOptions;
use countersign_core::replay::{FirstUse, StoreError};
use deadpool_postgres::{Object, Pool};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_postgres::Client;
use uuid::Uuid;

/// One request's entry, and who waits for the answer.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) fingerprint: Uuid,
    pub(crate) owner: Uuid,
    pub(crate) last_second: i64,
    pub(crate) since: i64,
    pub(crate) now: i64,
    pub(crate) due: std::time::Instant,
    pub(crate) answer: oneshot::Sender<Result<FirstUse, StoreError>>,
}

/// Makes sure of the database, says so, and decides until nobody can ask any more.
pub(crate) async fn work(
    options: PostgresOptions,
    mut jobs: mpsc::Receiver<Job>,
    opened: std::sync::mpsc::SyncSender<Result<(), PostgresError>>,
) {
    let pool = match open(&options).await {
        Ok(pool) => pool,
        Err(error) => {
            let _ = opened.send(Err(error));
            return;
        }
    };
    if opened.send(Ok(())).is_err() {
        return;
    }
    let sweeper = tokio::spawn(sweep(pool.clone(), options.schema.clone()));
    let mut lane =
        Lane { admit: format!("SELECT {}.admit($1, $2, $3, $4, $5, $6, $7)", options.schema), options, pool };
    let mut batch = Vec::new();
    let mut quiet: Option<(Instant, String)> = None;
    while jobs.recv_many(&mut batch, MOST).await > 0 {
        if let Some((_, why)) = quiet.as_ref().filter(|(until, _)| Instant::now() < *until) {
            answer_all(&mut batch, &StoreError::Unavailable(why.clone()));
            continue;
        }
        quiet = match lane.decide(&mut batch).await {
            Ok(()) => None,
            Err(error) => {
                let why = format!("PostgreSQL, a moment ago: {error}");
                tracing::warn!(%error, "the replay store could not decide");
                answer_all(&mut batch, &error);
                Some((Instant::now() + QUIET, why))
            }
        };
    }
    sweeper.abort();
}

async fn open(options: &PostgresOptions) -> Result<Pool, PostgresError> {
    let pool = connect::pool(options)?;
    migrate::migrate(&pool, &options.schema).await?;
    let client = pool.get().await.map_err(|error| PostgresError::Database(told_pool(&error)))?;
    connect::check_durability(&client, &options.schema).await?;
    Ok(pool)
}

struct Lane {
    options: PostgresOptions,
    pool: Pool,
    admit: String,
}

impl Lane {
    /// Answers a batch, or leaves it to be told the error.
    async fn decide(&mut self, batch: &mut Vec<Job>) -> Result<(), StoreError> {
        let now = std::time::Instant::now();
        for job in batch.extract_if(.., |job| job.due <= now) {
            let _ = job.answer.send(Err(StoreError::TimedOut));
        }
        let Some(due) = batch.iter().map(|job| job.due).min() else { return Ok(()) };
        let mut connection = None;
        let asked = tokio::time::timeout_at(due.into(), self.ask(batch, &mut connection)).await;
        let answers = match asked {
            Ok(answers) => answers,
            Err(_) => Err(StoreError::TimedOut),
        };
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                // Whatever is still under way on it would stand before the next batch.
                drop(connection.take().map(Object::take));
                return Err(error);
            }
        };
        if answers.len() != batch.len() {
            return Err(StoreError::Unavailable("PostgreSQL: it answered another question".to_owned()));
        }
        for (job, answer) in batch.drain(..).zip(answers.bytes()) {
            let _ = job.answer.send(match answer {
                b'1' => Ok(FirstUse::First),
                b's' => Ok(FirstUse::Seen),
                b'c' => Err(StoreError::ClockWentBack),
                b'f' => Err(StoreError::Full),
                b'k' => Err(StoreError::KeyQuota),
                b'l' => Err(StoreError::Quarantined),
                _ => Err(StoreError::Unavailable("PostgreSQL: an answer that is none".to_owned())),
            });
        }
        Ok(())
    }

    async fn ask(&self, batch: &[Job], connection: &mut Option<Object>) -> Result<String, StoreError> {
        let unavailable = |why: String| StoreError::Unavailable(format!("PostgreSQL: {why}"));
        let got = self.pool.get().await.map_err(|error| unavailable(told_pool(&error)))?;
        let client = connection.insert(got);
        let statement = client.prepare_cached(&self.admit).await.map_err(|error| unavailable(told(&error)))?;
        let column = |value: fn(&Job) -> i64| batch.iter().map(value).collect::<Vec<i64>>();
        let fingerprints: Vec<Uuid> = batch.iter().map(|job| job.fingerprint).collect();
        let owners: Vec<Uuid> = batch.iter().map(|job| job.owner).collect();
        let (last_seconds, sinces) = (column(|job| job.last_second), column(|job| job.since));
        let nows = column(|job| job.now);
        let most = |entries: usize| i64::try_from(entries).unwrap_or(i64::MAX);
        let limits = self.options.limits;
        let (most_entries, most_of_one) = (most(limits.entries), most(limits.entries_per_key));
        let row = client
            .query_one(
                &statement,
                &[&fingerprints, &owners, &last_seconds, &sinces, &nows, &most_entries, &most_of_one],
            )
            .await
            .map_err(|error| unavailable(told(&error)))?;
        row.try_get(0).map_err(|error| unavailable(told(&error)))
    }
}

fn answer_all(batch: &mut Vec<Job>, error: &StoreError) {
    for job in batch.drain(..) {
        let _ = job.answer.send(Err(error.clone()));
    }
}

/// Deletes what is over, now and then, a little at a time. What fails is tried again.
async fn sweep(pool: Pool, schema: String) {
    let replay = format!("SELECT {schema}.sweep({SWEPT_AT_ONCE})");
    let owners = format!("DELETE FROM {schema}.replay_owner WHERE entries = 0");
    loop {
        tokio::time::sleep(BETWEEN_SWEEPS).await;
        let Ok(client) = pool.get().await else { continue };
        let swept = async |client: &Client| -> Result<(), tokio_postgres::Error> {
            while client.query_one(&replay, &[]).await?.get::<_, i64>(0) >= SWEPT_AT_ONCE {}
            client.execute(&owners, &[]).await?;
            Ok(())
        };
        if let Err(error) = swept(&client).await {
            tracing::debug!(error = told(&error), "entries that are over could not be deleted");
        }
    }
}

/// Entries in one batch.
const MOST: usize = 1_024;
/// How long the database is left alone after a failure.
const QUIET: Duration = Duration::from_millis(100);
const BETWEEN_SWEEPS: Duration = Duration::from_secs(1);
const SWEPT_AT_ONCE: i64 = 5_000;
