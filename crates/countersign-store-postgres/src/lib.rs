//! PostgreSQL as a store: replay entries that several gateways share, for those who have nothing else.
//!
//! ```text
//! gateway ─► PostgresReplay ─► its thread: one batch at a time ─► SELECT admit(…) ─► answers
//!                                          └► once a second: what is over is deleted
//! ```
//!
//! What several gateways ask becomes one line in the database, under the lock of one row, so that decisions, capacity
//! and quotas are exact. One round trip and one commit decide as many requests as came meanwhile.
//!
//! An answer is given after the commit, with the commit on the server's disk: `synchronous_commit = off` is overridden,
//! `fsync = off`, `full_page_writes = off` and UNLOGGED tables are refused. When another server takes over (its history
//! has another timeline), it may lack what was decided last; requests old enough to be among that are not decided.
//!
//! An outage, a full table, and an answer later than the deadline are [`StoreError`](countersign_core::StoreError).

mod connect;
mod error;
mod keys;
mod lane;
mod migrate;
mod options;
mod replay;
mod tls;

pub use error::PostgresError;
pub use keys::{PostgresKeyTable, PostgresKeys};
pub use options::{PostgresOptions, Tls};
pub use replay::PostgresReplay;
