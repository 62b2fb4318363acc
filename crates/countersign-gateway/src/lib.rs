//! The verifying reverse proxy.
mod guard;
mod paths;
mod fields;
mod spool;
mod refuse;
mod upstream;
pub mod config;
