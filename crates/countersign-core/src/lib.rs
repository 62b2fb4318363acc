//! The engine: a request and a scheme go in, canonical bytes and a decision come out.

pub mod alg;
pub mod canon;
mod drive;
pub mod key;
mod plan;
pub mod reject;
pub mod replay;
pub mod request;
pub mod scheme;
pub mod time;
mod verify;

pub use drive::{Authenticator, BodyError, Chunks, Denial};
pub use plan::{BodyNeed, Plan};
pub use verify::{Checked, Coverage, NeedsBody, NeedsKey, NeedsReplay, Verified, Verifier};
