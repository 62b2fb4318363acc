//! Why a message could not be signed.

use crate::alg::KeyError;
use crate::reject::Rejection;
use crate::scheme::draft::Span;

/// Why a message could not be signed: the caller's fault, or the key's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The message has a signature already.
    #[error("the message is signed already: it has `{carrier}`")]
    AlreadySigned {
        /// The name of the carrier.
        carrier: String,
    },
    /// A carrier is there and does not have the form that the scheme describes.
    #[error("`{carrier}` is there already and does not have the form that the scheme describes")]
    CarrierMalformed {
        /// The name of the carrier.
        carrier: String,
    },
    /// The scheme signs the place that carries the signature, so that no signature could ever hold.
    #[error("the scheme signs the place where it carries the signature")]
    CoversItself,
    /// The scheme carries a key id, and the key has none.
    #[error("the scheme carries a key id, and the key has none")]
    KeyIdNeeded,
    /// The key could not sign.
    #[error("the key could not sign: {0}")]
    Key(#[from] KeyError),
    /// The key is not one for this scheme's algorithm.
    #[error("the key is not one for this scheme's algorithm")]
    KeyUnsuitable,
    /// Something that is signed is not in the message.
    #[error("the message lacks something that the scheme signs")]
    Missing {
        /// Where it stands in the scheme.
        step: Option<Span>,
    },
    /// The message itself cannot be signed under this scheme.
    #[error("the message cannot be signed: {0:?}")]
    Message(Rejection),
    /// The scheme has a nonce, and none was given.
    #[error("the scheme has a nonce, and none was given")]
    NonceNeeded,
    /// The scheme signs no messages of this kind.
    #[error("the scheme does not sign responses")]
    NoResponse,
    /// A value does not fit the place where the scheme carries it.
    #[error("the value of `{name}` does not fit the place where the scheme carries it")]
    ValueUnfit {
        /// The name of the capture.
        name: String,
    },
    /// The value of a variable cannot be read.
    #[error("{what}")]
    VarUnreadable {
        /// What it has to look like.
        what: String,
    },
    /// A value is needed that only the caller knows.
    #[error("the scheme needs a value for `{name}`")]
    VarNeeded {
        /// The name of the capture or variable.
        name: String,
    },
}
