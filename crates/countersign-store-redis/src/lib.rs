//! The replay store that several gateways share: Redis or Valkey.
//!
//! STUB
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
pub use options::{Address, Limits, Login, RedisOptions, SHARDS, Servers, Tls};
pub use replay::RedisReplay;
