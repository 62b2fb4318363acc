//! The catalogue against what vendors' own libraries signed: `COUNTERSIGN_VECTORS`, or `../shared/vectors` beside
//! the repository. Skipped, and said so, where they are missing.

#![expect(clippy::disallowed_methods, reason = "the crate does no I/O; the vectors lie in files")]

mod case;
mod china;
mod clouds;
mod starters;
mod suites;
