//! The engine: a request and a scheme go in, canonical bytes and a decision come out.

pub mod alg;
pub mod canon;
pub mod key;
pub mod reject;
pub mod replay;
pub mod request;
pub mod scheme;
pub mod time;
