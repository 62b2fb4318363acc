//! Connections: a pool of them, each made sure of before it is used.
//!
//! A session commits as the server is set up to, or more safely, in the one isolation level that the batches are written
//! for, and gives up what takes longer than anybody waits.

use super::error::{PostgresError, told};
use super::options::{PostgresOptions, Tls};
use super::tls::Rustls;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::{Client, NoTls};

/// A pool that has no connection yet.
pub(crate) fn pool(options: &PostgresOptions) -> Result<Pool, PostgresError> {
    let mut config = options.config.clone();
    config.connect_timeout(options.deadline);
    let manage = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match &options.tls {
        Tls::Off => Manager::from_config(config, NoTls, manage),
        Tls::Authorities(path) => Manager::from_config(config, Rustls::trusting(path)?, manage),
    };
    let settings = format!(
        "SET default_transaction_isolation = 'read committed'; SET statement_timeout = {0}; SET lock_timeout = {0}",
        options.deadline.as_millis().max(1)
    );
    let prepare = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
        let settings = settings.clone();
        Box::pin(async move { client.batch_execute(&settings).await.map_err(HookError::Backend) })
    });
    Pool::builder(manager)
        .max_size(options.connections.max(2))
        .runtime(Runtime::Tokio1)
        .create_timeout(Some(options.deadline))
        .wait_timeout(Some(options.deadline))
        .post_create(prepare)
        .build()
        .map_err(|error| PostgresError::Database(error.to_string()))
}

/// Refuses a server that would lose in a crash what it committed.
pub(crate) async fn check_durability(client: &Client, schema: &str) -> Result<(), PostgresError> {
    for setting in ["fsync", "full_page_writes"] {
        let value: String = client.query_one("SELECT current_setting($1)", &[&setting]).await?.get(0);
        if value != "on" {
            return Err(PostgresError::NotDurable(format!("`{setting}` is {value}")));
        }
    }
    let unlogged = client
        .query_opt(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'i') AND c.relpersistence <> 'p' LIMIT 1",
            &[&schema],
        )
        .await?;
    match unlogged {
        Some(row) => Err(PostgresError::NotDurable(format!("`{schema}.{}` is UNLOGGED", row.get::<_, String>(0)))),
        None => Ok(()),
    }
}

/// What to say of a pool that gave no connection.
pub(crate) fn told_pool(error: &deadpool_postgres::PoolError) -> String {
    match error {
        deadpool_postgres::PoolError::Backend(error)
        | deadpool_postgres::PoolError::PostCreateHook(HookError::Backend(error)) => told(error),
        other => other.to_string(),
    }
}
