//! What every store shares: the in-process stores, and the suite that every replay store passes.
//!
//! - [`MemoryReplay`] remembers accepted requests in this process: exact, bounded, sharded. The durable
//!   store keeps its index in one, and adds a journal.
//! - [`MemoryKeys`] resolves keys that were handed over, from a command line or a file.
//! - [`conformance`] is one set of tests, driven by the time in the entries, for every
//!   [`ReplayGuard`](countersign_core::replay::ReplayGuard) there is.
//!
//! Nothing here reads a clock, a file or the network. The one thing taken from outside is the random seed of
//! [`MemoryReplay`], by way of the standard library's hasher.

pub mod conformance;
mod fallback;
#[cfg(all(test, feature = "interleavings"))]
mod interleavings;
mod keys;
mod ledger;
mod record;
mod replay;
mod sync;
mod table;

pub use fallback::{Both, Fallback};
pub use keys::{MemoryKeys, TooManyKeys};
pub use ledger::Limits;
pub use record::{Record, second};
pub use replay::MemoryReplay;
