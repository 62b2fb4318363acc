//! Digests over a body that streams.

use crate::alg::{Digest, Hash, Hasher, Mac};

/// A digest over the body, running.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) what: What,
    pub(crate) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A job, with the digest it is computed by.
    Job(usize, Hash),
    /// The signature, for the candidate of this number.
    Signature(usize),
}

#[derive(Debug)]
pub(crate) enum State {
    Hash(Hasher),
    Mac(Mac),
}

impl State {
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        match self {
            Self::Hash(hasher) => hasher.update(chunk),
            Self::Mac(mac) => mac.update(chunk),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Hash(hasher) => hasher.finish(),
            Self::Mac(mac) => mac.finish(),
        }
    }
}
