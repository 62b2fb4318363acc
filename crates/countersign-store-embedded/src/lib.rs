//! The default store: keys and the replay journal in one folder, with nothing to install.
//!
//! ```text
//! countersign-data/          0700
//!   replay/                  the journal: what was accepted, for as long as it could be repeated
//!     1714566848-1714566911.00000003.journal
//!     floor                  up to when what was accepted may be forgotten
//!     lock                   the process that has the journal open
//!   keys.redb                key records; secrets are sealed
//!   seal.key                 0600, what they are sealed with, unless that is kept elsewhere; back it up apart from keys.redb
//!   seal.key.next            what takes its place, while keys are sealed anew
//!   keys.lock                the process that has the keys open
//!   control.sock             0600, how `countersign keys` reaches a running gateway
//! ```
//!
//! - [`Journal`] is the [`ReplayGuard`](countersign_core::replay::ReplayGuard): the index of
//!   `countersign-store` in memory, and a record in the kernel's hands before the answer is given.
//! - [`KeyStore`] is the [`KeyResolver`](countersign_core::key::KeyResolver): answers come from memory, changes
//!   go to the disk first.
//! - [`control`] lets one process change keys that another has open.
//!
//! Nothing here reads a clock or the environment. Folders, files and one socket are all that is touched, and
//! randomness only to make keys, secrets and nonces.

pub mod control;
pub mod journal;
pub mod keys;
mod place;

pub use control::{ControlServer, KeyAccess};
pub use journal::{Durability, Journal, JournalError, JournalOptions};
pub use keys::{
    KeyInfo, KeyKind, KeyPurpose, KeyRow, KeyRows, KeyStore, KeyStoreError, KeyTable, KeyUses, NewKey, Rotation,
    Seal, SealKey, SealKeys, SharedKeys, Tallies, UseWriter, generate_secret,
};
