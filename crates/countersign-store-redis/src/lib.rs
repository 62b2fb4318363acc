//! The replay store that several gateways share, in Redis or Valkey.
//!
//! ```text
//!               this process                                        the server
//! admit ─► line of a shard ─► batch ── EVALSHA (and WAIT) ──►  script: decides all entries of the batch
//!                                  ◄── a letter for each ────  in one step, by its own tables
//! ```
//!
//! One round trip decides. The script does what [`MemoryReplay`](countersign_store::MemoryReplay) does in a process:
//! entries are looked up by fingerprint, counted against capacity and quota, and forgotten by the time of the requests
//! themselves, never by the server's clock and never by a key's expiry. So the two cannot disagree about when an entry
//! ends: it lives through its last second whatever the server's clock says, and a clock that steps back meets the same
//! floor as in every other store.
//!
//! # How a loss is noticed
//!
//! The state says in which *history* it was written: the replication id of the server, which is another one after every
//! restart and every promotion, and also with a server's first replica and once its last one has been gone for
//! `repl-backlog-ttl`. Nothing is lost then; but the server forgets the id that it had, so that a promotion a while ago
//! would look the same, and all are taken alike. Each script compares it with that of the server it runs in, and the
//! number of entries with the number it should be. Where they differ, or there is no state, entries may be missing: a replica that was
//! promoted without the last writes, a server that came back empty or with an older file, a key that was deleted or
//! evicted. The first gateway to meet that *adopts* the new history and writes down the second up to which what was
//! accepted may be lost: its own time or the server's, whichever is later, and the margin of clocks on top. From then on,
//! whatever gateway asks, an entry that is not known and that could have been accepted by that second
//! ([`since`](countersign_core::replay::ReplayEntry::since)) is
//! [`Quarantined`](countersign_core::replay::StoreError::Quarantined). Requests signed later are decided as ever. The
//! quarantine of a scheme ends by itself once everything that it still accepts could not have been accepted before the
//! loss: for one that takes requests up to a minute before their time that is a minute and the margin.
//!
//! # What is promised
//!
//! | fault | nothing is accepted twice | what it costs |
//! |---|---|---|
//! | gateways killed, restarted, added | always | nothing |
//! | server stopped, paused, unreachable, out of memory | always | undecided, within the deadline |
//! | server restarted, with its data, with some of it, or empty | always | the quarantine |
//! | a replica promoted after the master died | always | the quarantine |
//! | a server's first replica attached, or its last one gone for `repl-backlog-ttl` | always | the quarantine |
//! | a replica promoted while the master lives on and some gateways still reach it | with `replicas` = *all* replicas that may be promoted | the old master accepts nothing; the quarantine at the new one |
//! | the same, `replicas` = 0 | **no**: each side accepts what the other has accepted since | |
//! | a server put back to an earlier state without a restart (a virtual machine's snapshot with its memory) | no | |
//!
//! The fifth line is why [`replicas`](RedisOptions::replicas) is there. WAIT makes sure that so many replicas have an
//! entry before its request goes on. A master that was cut off cannot have the acknowledgement of the replica that was
//! promoted in its place; where all of them are asked for, it therefore accepts nothing any more. Where fewer are, it may
//! go on with those that are cut off together with it. An entry that had too few acknowledgements stays: the request was
//! not decided, and sent again it is a replay. The client signs again.
//!
//! What is *not* built on: the server's clock, its expiry, its eviction, its fsync policy, sentinels' or a cluster's
//! opinion about who is the master. They decide how often there is a quarantine, not whether one is needed.
//!
//! # Answers in time
//!
//! A question is answered within the [`deadline`](RedisOptions::deadline), whatever the server does. A breaker (the
//! module `lane`) refuses at once while there is no connection. A question whose connection broke is put again on the next one,
//! with the same token: the server knows it by that, and does not take it for a replay.
//!
//! Absent on purpose: the library's cluster client and its retries (which server answered, and how often a question was
//! put, has to be known here), keys that expire, and any clock but that of the requests, timers aside.

mod batch;
mod error;
mod facts;
mod job;
mod lane;
mod link;
mod locate;
mod options;
mod replay;
mod script;

pub use error::RedisError;
pub use options::{Address, Beginning, Limits, Login, RedisOptions, SHARDS, Servers, Tls};
pub use replay::RedisReplay;
