//! Bodies in chunks that are signed one by one, each signature over the one before: the content coding
//! `aws-chunked`.
//!
//! [`parse`] takes the framing apart, [`trailers`] knows what was announced for the end, `verify::chain` compares the
//! signatures, and [`write`] makes such a body. What is signed of a chunk is the scheme's matter: `[chunks] base`.

pub(crate) mod parse;
pub(crate) mod trailers;
pub(crate) mod write;

use crate::alg::{Digest, Hash};

/// What the templates of `[chunks]` draw on.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Digests of the chunk that has ended.
    pub(crate) digests: Vec<(Hash, Digest)>,
    /// The signature before it, as carried.
    pub(crate) previous: Vec<u8>,
    /// The trailer, in its canonical form.
    pub(crate) trailers: Vec<u8>,
}

impl Link {
    pub(crate) fn clear(&mut self) {
        self.digests.clear();
        self.previous.clear();
        self.trailers.clear();
    }
}

/// What is wrong with the framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    AfterEnd,
    Cut,
    End,
    Extension,
    Line,
    LineTooLong,
    Size,
    Trailer,
    Unsigned,
}

impl Flaw {
    /// For the log.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::AfterEnd => "something follows the end of the last chunk",
            Self::Cut => "the body ends before its last chunk does",
            Self::End => "a chunk's content is not followed by a line end",
            Self::Extension => "a chunk's size is followed by something other than its signature",
            Self::Line => "a carriage return ends no line",
            Self::LineTooLong => "a line is too long",
            Self::Size => "a chunk's size is not one",
            Self::Trailer => "a trailer is not one",
            Self::Unsigned => "a chunk has no signature",
        }
    }
}
