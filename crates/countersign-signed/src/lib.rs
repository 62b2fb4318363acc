//! Signed values: what Django, Flask, Rails and Express put into cookies, links and hidden fields, read and written;
//! links that hold for a while and a few times; and a format of our own.
//!
//! ```text
//! Keys, Options ─► django, itsdangerous, rails, express, own ─► Codec ─┬► sign, dumps: text
//!                  (derived once)                                     └► unsign, loads: Opened, or Refused
//!                                                             redeem ──► Once ─► a store's answer ─► Opened
//! link::Links ─► make: URL
//!             └► check: Followed, or Uses for which a store has to be asked
//! ```
//!
//! ```
//! use countersign_signed::django::{Options, Signer};
//! use countersign_signed::{Codec, Digest, Judging, Keys, UnixTime, renew};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (keys, now) = (Keys::newest_first(["new key", "old key"])?, UnixTime::from_secs(1_714_566_896));
//! let sha256 = Codec::from(Signer::new(&keys, &Options::default())?);
//! let sha1 = Codec::from(Signer::new(&keys, &Options { digest: Digest::Sha1, ..Options::default() })?);
//! let cookie = sha1.sign("user-7", now)?;
//!
//! let both = sha256.clone().or_older(sha1);
//! let opened = both.unsign(&cookie, &Judging::at(now))?;
//! assert!(opened.value() == "user-7" && opened.needs_resign());
//! let new = renew(&both, &sha256, &cookie, &Judging::at(now))??;
//! assert!(!both.unsign(&new, &Judging::at(now))?.needs_resign());
//! # Ok(())
//! # }
//! ```
//!
//! Invariants:
//!
//! * A value that does not hold yields a [`Refused`] and nothing else: no payload, no date. Only this crate makes an
//!   [`Opened`].
//! * Nothing is decoded, decompressed or parsed before its signature held. What is decompressed has a limit.
//! * Signatures are compared in constant time.
//! * A number keeps its digits: what cannot be written is refused and never rounded.
//!
//! No I/O, no clock, no randomness, no environment: time, nonces and a store's answers come in as arguments. What a
//! framework does with the bytes is followed to the letter, its leniencies included; our own formats have none.
//! Deliberately absent: pickled and marshalled objects, and encryption.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions
    )
)]

mod base64;
mod codec;
mod digest;
pub mod django;
pub mod express;
mod inflate;
pub mod itsdangerous;
mod json;
mod keys;
pub mod link;
mod number;
mod opened;
pub mod own;
mod payload;
pub mod rails;
mod redeem;

pub use codec::{Codec, renew};
pub use countersign_core::{FirstUse, ReplayEntry, UnixTime};
pub use digest::Digest;
pub use inflate::{FREE, MOST, RATIO};
pub use json::{DEEPEST, Json, JsonFault, Number};
pub use keys::{KeyFault, Keys};
pub use opened::{CannotSign, Judging, Opened, Refused, SettingFault};
pub use redeem::Once;
