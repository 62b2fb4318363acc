//! The verifying reverse proxy.
mod guard;
mod paths;
