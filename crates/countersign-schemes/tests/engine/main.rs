//! The engine, end to end: scheme files in, messages signed, changed, replayed, torn to pieces.
//!
//! Tests of an attack carry the attack's number in the threat table. Negative tests come first: most of what is here
//! shows that something is refused, and beside each stands the one change without which it is not.

#![expect(
    clippy::assigning_clones,
    clippy::format_collect,
    clippy::type_complexity,
    reason = "tests say what they change in the plainest way; their speed is not what they are about"
)]

mod collisions;
mod coverage;
mod doubled;
mod generate;
mod keys;
mod language;
mod md5;
mod meaning;
mod mutation;
mod order;
mod panics;
mod replay;
mod rotation;
mod round_trip;
mod signature;
mod streaming;
mod support;
