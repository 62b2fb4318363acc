//! Why a request is refused: a precise reason for the log, and one of a few public ones for the client.

/// Why a request was refused. The code is stable; the documentation of each is printed by
/// `countersign reason CODE` and lives in [`Reason::explain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The body could not be read in the form that the scheme signs.
    BodyMalformed,
    /// A part that must be signed is not among those that are.
    CoverageTooThin,
    /// A carrier of the credentials could not be read.
    CredentialMalformed,
    /// The body does not have the digest that was signed.
    DigestMismatch,
    /// An explicit expiry has passed.
    Expired,
    /// A field that must be there once is there more often.
    FieldDuplicated,
    /// A part that the signature covers is absent.
    FieldMissing,
    /// The key may not be used at this time.
    KeyInactive,
    /// The key may not be used for this algorithm.
    KeyUnsuitable,
    /// No key is known for the claimed key id.
    KeyUnknown,
    /// The validity that the request asks for is longer than allowed.
    LifetimeTooLong,
    /// The request was accepted before.
    Replayed,
    /// The signature is well formed and wrong.
    SignatureMismatch,
    /// There is no signature.
    SignatureMissing,
    /// The request target could not be read.
    TargetMalformed,
    /// The signed time is too far ahead.
    TimestampFuture,
    /// The signed time is too long ago.
    TimestampStale,
    /// Something is larger than allowed.
    TooLarge,
    /// Two places that must agree do not.
    ValueDisagrees,
}

/// What a client is told. The same for an unknown key and a wrong signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublicReason {
    /// The request can be read in two ways.
    Ambiguous,
    /// The credentials or the body could not be read.
    Malformed,
    /// There is no signature.
    Missing,
    /// The request was accepted before.
    Repeated,
    /// The signed time is outside the accepted window.
    Stale,
    /// Something is larger than allowed.
    TooLarge,
    /// The signature does not hold.
    Wrong,
}

impl Reason {
    /// Every reason, in the order of their codes.
    pub const ALL: &'static [Self] = &[
        Self::BodyMalformed,
        Self::CoverageTooThin,
        Self::CredentialMalformed,
        Self::DigestMismatch,
        Self::Expired,
        Self::FieldDuplicated,
        Self::FieldMissing,
        Self::KeyInactive,
        Self::KeyUnknown,
        Self::KeyUnsuitable,
        Self::LifetimeTooLong,
        Self::Replayed,
        Self::SignatureMismatch,
        Self::SignatureMissing,
        Self::TargetMalformed,
        Self::TimestampFuture,
        Self::TimestampStale,
        Self::TooLarge,
        Self::ValueDisagrees,
    ];

    /// The stable code, as in `timestamp-stale`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BodyMalformed => "body-malformed",
            Self::CoverageTooThin => "coverage-too-thin",
            Self::CredentialMalformed => "credential-malformed",
            Self::DigestMismatch => "digest-mismatch",
            Self::Expired => "expired",
            Self::FieldDuplicated => "field-duplicated",
            Self::FieldMissing => "field-missing",
            Self::KeyInactive => "key-inactive",
            Self::KeyUnknown => "key-unknown",
            Self::KeyUnsuitable => "key-unsuitable",
            Self::LifetimeTooLong => "lifetime-too-long",
            Self::Replayed => "replayed",
            Self::SignatureMismatch => "signature-mismatch",
            Self::SignatureMissing => "signature-missing",
            Self::TargetMalformed => "target-malformed",
            Self::TimestampFuture => "timestamp-future",
            Self::TimestampStale => "timestamp-stale",
            Self::TooLarge => "too-large",
            Self::ValueDisagrees => "value-disagrees",
        }
    }

    /// What the client may learn of it. One match, no wildcard: a new reason has to be placed.
    #[must_use]
    pub const fn public(self) -> PublicReason {
        match self {
            Self::BodyMalformed | Self::CredentialMalformed | Self::FieldMissing | Self::TargetMalformed => {
                PublicReason::Malformed
            }
            Self::FieldDuplicated => PublicReason::Ambiguous,
            Self::Expired | Self::LifetimeTooLong | Self::TimestampFuture | Self::TimestampStale => {
                PublicReason::Stale
            }
            Self::Replayed => PublicReason::Repeated,
            Self::SignatureMissing => PublicReason::Missing,
            Self::TooLarge => PublicReason::TooLarge,
            Self::CoverageTooThin
            | Self::DigestMismatch
            | Self::KeyInactive
            | Self::KeyUnknown
            | Self::KeyUnsuitable
            | Self::SignatureMismatch
            | Self::ValueDisagrees => PublicReason::Wrong,
        }
    }
}

impl PublicReason {
    /// The stable code, as in `signature-wrong`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ambiguous => "request-ambiguous",
            Self::Malformed => "request-malformed",
            Self::Missing => "signature-missing",
            Self::Repeated => "request-repeated",
            Self::Stale => "request-stale",
            Self::TooLarge => "request-too-large",
            Self::Wrong => "signature-wrong",
        }
    }

    /// One sentence for the client.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Ambiguous => "The request can be read in more than one way.",
            Self::Malformed => "The request or its credentials could not be read.",
            Self::Missing => "The request is not signed.",
            Self::Repeated => "The request was accepted before.",
            Self::Stale => "The request's signed time is outside the accepted window.",
            Self::TooLarge => "The request is larger than allowed.",
            Self::Wrong => "The signature does not hold.",
        }
    }
}
