//! The engine: a request and a scheme go in, canonical bytes and a decision come out.
//!
//! ```text
//! scheme file ─► SchemeDraft ─► Scheme ─► Plan ─┬► Verifier: NeedsKey ─► NeedsBody ─► Checked ─► Verified
//!  (countersign-schemes)  scheme::check  plan   ├► Signer: Signed, the edits that sign a message
//!                                               └► Explanation: the same programs, with what they made
//! ```
//!
//! No I/O, no clock, no randomness, no threads, no environment: time, nonce, key, body and the replay answer come in
//! as arguments. Only [`Verifier`] and what follows from it make a [`Verified`], and its states can only be left
//! forwards. Nothing panics on input.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions
    )
)]

pub mod alg;
pub mod canon;
mod carried;
pub mod challenge;
mod chunks;
pub mod digest_field;
mod drive;
mod explain;
pub mod httpsig;
pub mod jwk;
pub mod key;
mod plan;
mod reason_docs;
pub mod reject;
pub mod replay;
pub mod request;
pub mod scheme;
mod sign;
mod tally;
pub mod time;
mod verify;

pub use carried::Carried;
pub use drive::{Authenticator, BodyError, Chunks, Denial};
pub use explain::{Explanation, Held, Stage};
pub use key::{Key, KeyQuery, KeyResolver, KeySet, Material, Secret};
pub use plan::{BodyNeed, Plan};
pub use reason_docs::Explain;
pub use reject::{PublicReason, Reason, Rejection};
pub use replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
pub use request::{Fields, RequestView, Transport};
pub use scheme::Scheme;
pub use sign::{Freshness, SignError, Signed, Signer};
pub use tally::{Tally, Used};
pub use time::UnixTime;
pub use verify::{
    Checked, Coverage, CoverageBasis, NeedsBody, NeedsKey, NeedsReplay, ReleasesChunks, Verified, Verifier,
};
