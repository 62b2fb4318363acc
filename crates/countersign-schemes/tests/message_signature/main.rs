//! HTTP Message Signatures (RFC 9421) from a scheme file to a verdict.

mod changed;
mod either;
mod refused;
mod replayed;
mod signing;
mod support;
mod vectors;
