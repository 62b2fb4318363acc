//! The schema: made where it is missing, brought up to date where it is older, refused where it is newer.
//!
//! One gateway at a time does this, under an advisory lock, each step in a transaction with the note that it was done. A
//! schema that is up to date is only looked at, so that the user who serves needs no right to change it.

use super::connect::told_pool;
use super::error::PostgresError;
use deadpool_postgres::Pool;

const MIGRATIONS: &[(i32, &str)] = &[
    (1, include_str!("schema/0001.sql")),
    (2, include_str!("schema/0002.sql")),
    (3, include_str!("schema/0003.sql")),
];

/// Brings a schema to the version that this program knows.
pub(crate) async fn migrate(pool: &Pool, schema: &str) -> Result<(), PostgresError> {
    let mut client = pool.get().await.map_err(|error| PostgresError::Database(told_pool(&error)))?;
    let known = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    if version(&client, schema).await? == known {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    // Others wait here longer than for a request.
    transaction.batch_execute("SET LOCAL lock_timeout = 60000; SET LOCAL statement_timeout = 60000").await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let found = version(transaction.client(), schema).await?;
    if found > known {
        return Err(PostgresError::SchemaNewer { schema: schema.to_owned(), found, known });
    }
    transaction
        .batch_execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema};
             CREATE TABLE IF NOT EXISTS {schema}.migration
                 (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())"
        ))
        .await?;
    for (number, text) in MIGRATIONS.iter().filter(|(number, _)| *number > found) {
        transaction.batch_execute(&text.replace("{schema}", schema)).await?;
        transaction.execute(&format!("INSERT INTO {schema}.migration (version) VALUES ($1)"), &[number]).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Which version a schema has; 0 where there is none.
async fn version(client: &tokio_postgres::Client, schema: &str) -> Result<i32, PostgresError> {
    let table = format!("{schema}.migration");
    // Asked of the catalogue itself: what looks names up remembers for a while that there was none.
    let there = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = 'migration')";
    let there: bool = client.query_one(there, &[&schema]).await?.get(0);
    if !there {
        return Ok(0);
    }
    let row = client.query_one(&format!("SELECT coalesce(max(version), 0) FROM {table}"), &[]).await?;
    Ok(row.get(0))
}

/// `countersi`, as a number.
const LOCK: i64 = 0x636f_756e_7465_7273;
