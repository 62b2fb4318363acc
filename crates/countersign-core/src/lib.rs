//! The engine: a request and a scheme go in, canonical bytes and a decision come out.

pub mod alg;
pub mod canon;
mod drive;
mod explain;
pub mod key;
mod plan;
pub mod reject;
pub mod replay;
pub mod request;
pub mod scheme;
mod sign;
pub mod time;
mod verify;

pub use drive::{Authenticator, BodyError, Chunks, Denial};
pub use explain::{Explanation, Held, Stage};
pub use key::{Key, KeyQuery, KeyResolver, KeySet, Material, Secret};
pub use plan::{BodyNeed, Plan};
pub use reject::{PublicReason, Reason, Rejection};
pub use replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
pub use request::{Fields, RequestView, Transport};
pub use scheme::Scheme;
pub use sign::{Freshness, SignError, Signed, Signer};
pub use time::UnixTime;
pub use verify::{Checked, Coverage, NeedsBody, NeedsKey, NeedsReplay, Verified, Verifier};
