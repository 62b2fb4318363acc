//! The engine, end to end: scheme files in, messages signed, changed, replayed, torn to pieces.
//!
//! Tests of an attack carry the attack's number in the threat table. Negative tests come first: most of what is here
//! shows that something is refused, and beside each stands the one change without which it is not.

mod chunks;
mod collisions;
mod coverage;
mod doubled;
mod forge;
mod generate;
mod keys;
mod language;
mod md5;
mod meaning;
mod meaning_china;
mod meaning_commerce;
mod meaning_starters;
mod meant;
mod mutation;
mod order;
mod panics;
mod replay;
mod responses;
mod rotation;
mod round_trip;
mod signature;
mod strangers;
mod streaming;
mod support;
mod words;
