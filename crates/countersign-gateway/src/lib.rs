//! The verifying reverse proxy: what a route's scheme does not verify never reaches its upstream.
//!
//! ```text
//! socket ─► guard ─► hyper ─► proxy ─┬─► judge ─► engine, stores
//!           strict   parses   routes │   holding ─► spool
//!                                    ├─► upstream (own pool)
//!                                    └─► refuse
//! ```
//!
//! A [`Config`](config::Config) is read whole, with the schemes that it names; [`Gateway::build`] makes it ready;
//! [`Gateway::start`] listens and gives a [`Running`].
//!
//! Invariants:
//!
//! * What goes upstream was judged first, to its last byte. Only a [`Verified`](countersign_core::Verified), or a
//!   route that only observes, opens the way.
//! * Bytes are verified, routed and forwarded as they came. The framing alone is made anew.
//! * What a client is told does not depend on why a signature is wrong; the log knows.
//! * What a route signs, it signs with a key of the store, and what cannot be signed goes nowhere.
//! * Deliberately absent: TLS, HTTP/2, upgrades, redirects, caching, retries of anything that could act twice.

mod alarm;
mod bearer;
mod clearance;
pub mod config;
mod console;
mod counters;
mod failures;
mod fields;
mod guard;
mod holding;
mod judge;
mod knock;
mod outbound;
mod paths;
mod pen;
mod proxy;
mod refuse;
mod reply;
mod routes;
mod server;
mod site;
mod spool;
mod upstream;

pub use console::Console;
pub use guard::{FIELD_LIMIT, HEAD_LIMIT, Violation};
pub use judge::Stores;
pub use paths::PathFault;
pub use proxy::Clock;
pub use refuse::Refusal;
pub use server::{Gateway, Running};
pub use upstream::{UpstreamAddress, UpstreamLimits};
