//! SCRAM: RFC 5802, with SHA-256 as in RFC 7677, and channel bindings by RFC 5929 and RFC 9266. Messages are lines of
//! base64.
//!
//! The server keeps no password but what the password makes ([`Credential`]). A user that nobody knows gets a salt too,
//! and is refused where a wrong password is. Both directions are proved: the client knows the password, the server what
//! is kept of it.
//!
//! Deliberately absent: authorization identities other than the user's own, mandatory extensions, and which reason
//! failed (`e=`): the peer learns `other-error` and nothing else.

mod client;
mod credential;
mod message;
mod server;
#[cfg(test)]
mod tests;

pub use client::NeedsPassword;
pub use credential::{Credential, DEFAULT_ITERATIONS};
pub use server::NeedsCredential;

pub(super) use client::Client;
pub(super) use server::Server;

use super::Refusal;
use crate::alg::{Digest, Hash, MacKey};

/// How SCRAM is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub(super) hash: Hash,
    /// Whether a client that does not bind the handshake to its TLS connection is refused. Default: no.
    pub(super) require_binding: bool,
}

impl Rules {
    /// SCRAM-SHA-256, and SCRAM-SHA-256-PLUS where there is a binding.
    #[must_use]
    pub const fn sha256() -> Self {
        Self { hash: Hash::Sha256, require_binding: false }
    }

    /// The same, and whether a client that does not bind the handshake to its TLS connection is refused.
    #[must_use]
    pub const fn requiring_binding(mut self, require_binding: bool) -> Self {
        self.require_binding = require_binding;
        self
    }
}

/// `e=other-error` as a line.
pub(super) const FAILURE_LINE: &[u8] = b"ZT1vdGhlci1lcnJvcg==\n";

/// The fewest and most iterations that a client goes along with. RFC 7677, section 4, has the lower bound.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=10_000_000;

/// RFC 5802, section 3: `AuthMessage` is three messages, with commas between.
fn auth_message(client_first_bare: &str, server_first: &str, client_final_without_proof: &str) -> String {
    format!("{client_first_bare},{server_first},{client_final_without_proof}")
}

fn mac(hash: Hash, key: &[u8], message: &str) -> Digest {
    MacKey::new(hash, key).mac(message.as_bytes())
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// What `SASLprep` (RFC 4013) makes of a text.
fn prepared(text: &[u8]) -> Result<String, Refusal> {
    let text = str::from_utf8(text).map_err(|_| Refusal::PasswordUnprepared)?;
    let text = stringprep::saslprep(text).map_err(|_| Refusal::PasswordUnprepared)?;
    if text.is_empty() { Err(Refusal::PasswordUnprepared) } else { Ok(text.into_owned()) }
}
