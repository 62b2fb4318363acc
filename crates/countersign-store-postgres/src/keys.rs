//! Keys in PostgreSQL: a table for whoever changes them, and a watch for gateways.
//!
//! A watch looks ten times a second whether the keys have changed, and takes all of them anew where they have. Answers
//! come from memory. A gateway whose last look began longer ago than `stale_after` decides nothing any more, because
//! nobody knows what was revoked meanwhile. So a key opens nothing once `stale_after` has passed since its revocation,
//! however slow the database or the machine is.
//!
//! Absent on purpose: notifications, which could not carry that bound (docs/replay.md has what the looks cost), and waiting
//! for what was counted to be written down.

use super::connect::{self, told_pool};
use super::error::{PostgresError, told};
use super::migrate;
use super::options::PostgresOptions;
use arc_swap::ArcSwap;
use countersign_core::key::{KeyQuery, KeyResolver, KeySet};
use countersign_core::replay::{Answer, StoreError};
use countersign_store_embedded::keys::KeySnapshot;
use countersign_store_embedded::{
    KeyRow, KeyRows, KeyStoreError, KeyTable, KeyUses, SealKeys, SharedKeys, Tallies, UseWriter,
};
use deadpool_postgres::Pool;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio_postgres::GenericClient;

/// The table of keys of a schema.
#[derive(Debug)]
pub struct PostgresKeyTable {
    /// Used by one thread at a time.
    runtime: Mutex<Runtime>,
    pool: Pool,
    schema: String,
    patience: Duration,
}

impl PostgresKeyTable {
    /// Connects, and brings the schema up to date.
    pub fn open(options: &PostgresOptions) -> Result<Self, PostgresError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(PostgresError::Thread)?;
        let pool = connect::pool(options)?;
        runtime.block_on(async {
            migrate::migrate(&pool, &options.schema).await?;
            let client = pool.get().await.map_err(|error| PostgresError::Database(told_pool(&error)))?;
            connect::check_durability(&client, &options.schema).await
        })?;
        let (schema, patience) = (options.schema.clone(), options.deadline * 2);
        Ok(Self { runtime: Mutex::new(runtime), pool, schema, patience })
    }

    fn run<T>(&self, work: impl Future<Output = Result<T, KeyStoreError>>) -> Result<T, KeyStoreError> {
        let runtime = self.runtime.lock().map_err(|_| failed("an earlier command failed half-way".to_owned()))?;
        let bounded = async {
            let late = |_| Err(failed("it does not answer".to_owned()));
            tokio::time::timeout(self.patience, work).await.unwrap_or_else(late)
        };
        runtime.block_on(bounded)
    }

    fn revision(&self) -> Result<u64, KeyStoreError> {
        self.run(async {
            let client = self.pool.get().await.map_err(|error| failed(told_pool(&error)))?;
            let text = format!("SELECT revision FROM {}.key_state", self.schema);
            let statement = client.prepare_cached(&text).await.map_err(database)?;
            Ok(unsigned(client.query_one(&statement, &[]).await.map_err(database)?.get(0)))
        })
    }
}

impl KeyTable for PostgresKeyTable {
    fn read(&self) -> Result<KeyRows, KeyStoreError> {
        self.run(async {
            let client = self.pool.get().await.map_err(|error| failed(told_pool(&error)))?;
            // One statement, so that state and keys are of one instant, and one round trip once it is prepared.
            let text = format!(
                "SELECT s.revision, s.seal_check, k.id, k.version, k.record FROM {0}.key_state s
                 LEFT JOIN {0}.key k ON true ORDER BY k.id COLLATE \"C\", k.version",
                self.schema
            );
            let statement = client.prepare_cached(&text).await.map_err(database)?;
            let found = client.query(&statement, &[]).await.map_err(database)?;
            let Some(state) = found.first() else { return Err(failed("the keys have no state".to_owned())) };
            let key = |row: &tokio_postgres::Row| {
                row.get::<_, Option<String>>(2).map(|id| {
                    let version = u32::try_from(row.get::<_, i64>(3)).unwrap_or(u32::MAX);
                    KeyRow { id, version, record: row.get(4) }
                })
            };
            let rows = found.iter().filter_map(key).collect();
            Ok(KeyRows { revision: unsigned(state.get(0)), seal_check: state.get(1), rows })
        })
    }

    fn change(&self, work: &mut dyn FnMut(&KeyRows) -> Result<KeyRows, KeyStoreError>) -> Result<(), KeyStoreError> {
        let schema = &self.schema;
        self.run(async {
            let mut client = self.pool.get().await.map_err(|error| failed(told_pool(&error)))?;
            let transaction = client.transaction().await.map_err(database)?;
            let before = rows(&*transaction, schema, "FOR UPDATE").await?;
            let KeyRows { seal_check, rows, .. } = work(&before)?;
            if rows.is_empty() && seal_check == before.seal_check {
                return Ok(());
            }
            let put = format!(
                "INSERT INTO {schema}.key VALUES ($1, $2, $3)
                 ON CONFLICT (id, version) DO UPDATE SET record = excluded.record"
            );
            for KeyRow { id, version, record } in rows {
                transaction.execute(&put, &[&id, &i64::from(version), &record]).await.map_err(database)?;
            }
            let count = format!(
                "UPDATE {schema}.key_state SET revision = revision + 1, seal_check = coalesce($1, seal_check)"
            );
            transaction.execute(&count, &[&seal_check]).await.map_err(database)?;
            // A revocation that a crash of the server takes back would be none.
            transaction.execute("SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'", &[]).await.map_err(database)?;
            transaction.commit().await.map_err(database)
        })
    }

    fn uses(&self) -> Result<Vec<KeyUses>, KeyStoreError> {
        self.run(async {
            let client = self.pool.get().await.map_err(|error| failed(told_pool(&error)))?;
            let text = format!(
                "SELECT id, version, uses, last_used FROM {}.key_use ORDER BY id COLLATE \"C\", version",
                self.schema
            );
            let uses = |row: &tokio_postgres::Row| KeyUses {
                id: row.get(0),
                version: u32::try_from(row.get::<_, i64>(1)).unwrap_or(u32::MAX),
                uses: unsigned(row.get(2)),
                last_used_at: row.get(3),
            };
            Ok(client.query(&text, &[]).await.map_err(database)?.iter().map(uses).collect())
        })
    }

    fn add_uses(&self, uses: &[KeyUses]) -> Result<(), KeyStoreError> {
        self.run(async {
            let client = self.pool.get().await.map_err(|error| failed(told_pool(&error)))?;
            // All in the same order, so that gateways wait for each other and never in a circle.
            let text = format!(
                "INSERT INTO {0}.key_use AS u (id, version, uses, last_used)
                 SELECT t.id, t.version, t.uses, t.last_used
                 FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS t (id, version, uses, last_used)
                 JOIN {0}.key k ON k.id = t.id AND k.version = t.version
                 ORDER BY t.id COLLATE \"C\", t.version
                 ON CONFLICT (id, version) DO UPDATE
                 SET uses = u.uses + excluded.uses, last_used = greatest(u.last_used, excluded.last_used)",
                self.schema
            );
            let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let ids: Vec<&str> = uses.iter().map(|uses| uses.id.as_str()).collect();
            let versions: Vec<i64> = uses.iter().map(|uses| uses.version.into()).collect();
            let counts: Vec<i64> = uses.iter().map(|uses| signed(uses.uses)).collect();
            let lasts: Vec<i64> = uses.iter().map(|uses| uses.last_used_at).collect();
            client.execute(&text, &[&ids, &versions, &counts, &lasts]).await.map_err(database)?;
            Ok(())
        })
    }
}

async fn rows(client: &impl GenericClient, schema: &str, lock: &str) -> Result<KeyRows, KeyStoreError> {
    let state = format!("SELECT revision, seal_check FROM {schema}.key_state {lock}");
    let state = client.query_one(&state, &[]).await.map_err(database)?;
    let keys = format!("SELECT id, version, record FROM {schema}.key ORDER BY id COLLATE \"C\", version");
    let keys = client.query(&keys, &[]).await.map_err(database)?;
    let row = |row: &tokio_postgres::Row| KeyRow {
        id: row.get(0),
        version: u32::try_from(row.get::<_, i64>(1)).unwrap_or(u32::MAX),
        record: row.get(2),
    };
    Ok(KeyRows { revision: unsigned(state.get(0)), seal_check: state.get(1), rows: keys.iter().map(row).collect() })
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn failed(why: String) -> KeyStoreError {
    KeyStoreError::Unreachable { place: "PostgreSQL".to_owned(), why }
}

fn database(error: tokio_postgres::Error) -> KeyStoreError {
    let why = told(&error);
    drop(error);
    failed(why)
}

/// The keys of a schema as a gateway asks for them.
pub struct PostgresKeys {
    shared: Arc<Watched>,
    tallies: Arc<Tallies>,
    thread: Option<JoinHandle<()>>,
    stale_after: Duration,
}

struct Watched {
    snapshot: ArcSwap<KeySnapshot>,
    started: Instant,
    /// Milliseconds from `started` to the beginning of the last look that succeeded.
    looked: AtomicU64,
    stopping: AtomicBool,
}

impl PostgresKeys {
    /// Reads all keys, and watches them from then on.
    pub fn open(options: &PostgresOptions, seal: SealKeys, stale_after: Duration) -> Result<Self, KeyStoreError> {
        let open = || PostgresKeyTable::open(options).map_err(|error| failed(error.to_string()));
        let (looking, reading) = (open()?, open()?);
        let keys = SharedKeys::new(Box::new(reading), seal);
        let tallies = keys.tallies();
        let started = Instant::now();
        let snapshot = ArcSwap::from_pointee(keys.snapshot(&keys.rows()?)?);
        let (looked, stopping) = (AtomicU64::new(0), AtomicBool::new(false));
        let shared = Arc::new(Watched { snapshot, started, looked, stopping });
        let watched = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("keys-postgres".to_owned())
            .spawn(move || watch(&watched, &looking, &keys))
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self { shared, tallies, thread: Some(thread), stale_after })
    }

    /// Has it written down how the keys are used, over a connection of its own: nothing waits for it.
    pub fn use_writer(&self, options: &PostgresOptions, interval: Duration) -> Result<UseWriter, KeyStoreError> {
        let table = PostgresKeyTable::open(options).map_err(|error| failed(error.to_string()))?;
        let tallies = Arc::clone(&self.tallies);
        UseWriter::spawn(interval, move || tallies.write(|uses| table.add_uses(uses)))
    }

    fn find(&self, query: &KeyQuery<'_>) -> Result<KeySet, StoreError> {
        let since_start = self.shared.started.elapsed();
        let unseen = since_start.saturating_sub(Duration::from_millis(self.shared.looked.load(Ordering::Acquire)));
        if unseen > self.stale_after {
            let why = format!("PostgreSQL: the keys could not be looked at for {} s", unseen.as_secs());
            return Err(StoreError::Unavailable(why));
        }
        Ok(self.shared.snapshot.load().find(query))
    }
}

impl KeyResolver for PostgresKeys {
    fn resolve<'a>(&'a self, query: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>> {
        Answer::Ready(self.find(query))
    }
}

impl std::fmt::Debug for PostgresKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresKeys")
            .field("revision", &self.shared.snapshot.load().revision())
            .finish_non_exhaustive()
    }
}

impl Drop for PostgresKeys {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::warn!("the thread that watches the keys failed");
            }
        }
    }
}

fn watch(watched: &Watched, looking: &PostgresKeyTable, keys: &SharedKeys) {
    let look = || -> Result<(), KeyStoreError> {
        if looking.revision()? != watched.snapshot.load().revision() {
            let rows = keys.rows()?;
            watched.snapshot.store(Arc::new(keys.snapshot(&rows)?));
            tracing::info!(revision = rows.revision, "keys have changed");
        }
        Ok(())
    };
    let mut failing = false;
    while !watched.stopping.load(Ordering::Acquire) {
        std::thread::park_timeout(BETWEEN_LOOKS);
        let began = u64::try_from(watched.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match look() {
            Ok(()) => {
                watched.looked.store(began, Ordering::Release);
                failing = false;
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "the keys cannot be looked at");
                }
                failing = true;
            }
        }
    }
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
