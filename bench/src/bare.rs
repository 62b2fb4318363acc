//! The cryptography that no verification of a message can do without, over the same bytes.

use std::hint::black_box;
use std::sync::Arc;

use countersign_core::alg::{Asymmetric, Hash, MacKey, PublicKey, Verdict};

/// What is left of a verification when everything else is taken away. Keys are prepared, derived ones too.
#[derive(Debug)]
pub(crate) struct Bare {
    /// Digests of the body and of what the scheme digests before it signs.
    pub(crate) digests: Vec<(Hash, Vec<u8>)>,
    pub(crate) last: Last,
}

/// The last step.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one for each case, and none is moved while it is measured")]
pub(crate) enum Last {
    /// One more digest.
    Digest(Hash, Vec<u8>),
    /// The MAC of the signature base.
    Mac(MacKey, Vec<u8>),
    /// The signature base and its signature.
    Signature(Arc<PublicKey>, Asymmetric, Vec<u8>, Vec<u8>),
}

impl Bare {
    /// Does it once; the answer keeps the compiler from doing less.
    pub(crate) fn run(&self) -> u8 {
        for (hash, bytes) in &self.digests {
            black_box(hash.digest(bytes));
        }
        let digest = match &self.last {
            Last::Digest(hash, base) => hash.digest(base),
            Last::Mac(key, base) => key.mac(base),
            Last::Signature(key, algorithm, base, signature) => {
                return u8::from(key.verify(*algorithm, base, signature) == Verdict::Holds);
            }
        };
        digest.as_bytes().first().copied().unwrap_or_default()
    }
}
