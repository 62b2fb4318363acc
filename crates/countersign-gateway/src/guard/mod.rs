//! A strict HTTP/1.1 filter between the socket and the HTTP library.
//!
//! The library's parser is lenient, and some of what it lets pass cannot be seen any more once it has parsed: a bare
//! line feed, a `Content-Length` that it dropped beside `Transfer-Encoding`, a folded line. The guard reads the same
//! bytes first. It knows where each head and each body ends, holds a head back until the whole of it has been
//! judged, and passes every byte on unchanged.
//!
//! Each head gets one verdict, left in a queue that the service empties in the same order ([`Verdicts`]). For a head
//! that breaks a rule the library gets [`io::STAND_IN`], a harmless request in its place, so that the service runs
//! and can answer; nothing that follows on that connection is read. A violation inside a body is an error of reading
//! that body.
//!
//! The verdict does not depend on how the bytes were split into packets: rules are applied line by line, and a
//! line counts when its end has arrived.
//!
//! Deliberately absent: any knowledge of routes, schemes, and of what a field means beyond framing.

mod body;
mod head;
mod io;
mod target;
mod verdict;
mod violation;
mod wire;

#[cfg(test)]
pub(crate) mod corpus;
#[cfg(test)]
mod tests;

pub(crate) use io::{Guarded, Patience};
pub(crate) use verdict::{InFlight, Verdicts};
pub use violation::Violation;

/// The most bytes a head may have, its last empty line included.
pub const HEAD_LIMIT: usize = 64 * 1024;

/// The most field lines a head may have.
pub const FIELD_LIMIT: usize = 100;
