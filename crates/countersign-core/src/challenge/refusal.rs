//! Why a handshake does not hold: for the log, in one word and in a sentence. The peer learns none of it.

/// Why a handshake does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The proof is not the one that the key makes.
    #[error("the answer is not the one that the key makes")]
    AnswerWrong,
    /// The two ends do not speak through the same TLS connection.
    #[error("the channel binding is another: something between the two ends speaks TLS with each")]
    BindingMismatch,
    /// The peer insists on a channel binding, or leaves one out, and this end cannot go along.
    #[error("one end binds the handshake to TLS and the other does not")]
    BindingOneSided,
    /// The peer's challenge is this end's own, or too short to be one.
    #[error("the challenge is this end's own")]
    ChallengeReflected,
    /// The peer's challenge is too short to be one.
    #[error("the challenge is too short")]
    ChallengeShort,
    /// A digest that this end does not take part in.
    #[error("the digest is none that is accepted here")]
    DigestRefused,
    /// A frame or line is longer than any of this handshake.
    #[error("a frame is longer than any of this handshake can be")]
    FrameLong,
    /// A frame or line is not what can come here.
    #[error("a frame is not what this handshake has at this point")]
    FrameMalformed,
    /// The server's demands on the derivation are out of bounds.
    #[error("the server asks for fewer or more iterations than are reasonable")]
    IterationsOutOfBounds,
    /// The key is known, and not one of those that may pass here.
    #[error("the key may not pass here")]
    KeyNotAllowed,
    /// The key may be used with another algorithm only, or is no shared secret.
    #[error("the key is not for this handshake")]
    KeyNotFitting,
    /// The key is not valid any more, or not yet.
    #[error("the key is not valid at this time")]
    KeyNotValid,
    /// Nobody knows the key id.
    #[error("the key id is not known")]
    KeyUnknown,
    /// HMAC-MD5, which was not allowed.
    #[error("the peer speaks HMAC-MD5 only, which is not allowed here")]
    Md5,
    /// The password cannot be prepared by `SASLprep`.
    #[error("the password or user name has characters that SASLprep forbids")]
    PasswordUnprepared,
    /// The peer has refused this end.
    #[error("the peer has refused this end")]
    RefusedByPeer,
    /// The peer speaks another version of the protocol.
    #[error("the peer speaks another version of this handshake")]
    VersionUnknown,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: &'static [Self] = &[
        Self::AnswerWrong,
        Self::BindingMismatch,
        Self::BindingOneSided,
        Self::ChallengeReflected,
        Self::ChallengeShort,
        Self::DigestRefused,
        Self::FrameLong,
        Self::FrameMalformed,
        Self::IterationsOutOfBounds,
        Self::KeyNotAllowed,
        Self::KeyNotFitting,
        Self::KeyNotValid,
        Self::KeyUnknown,
        Self::Md5,
        Self::PasswordUnprepared,
        Self::RefusedByPeer,
        Self::VersionUnknown,
    ];

    /// The stable code for log and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AnswerWrong => "gate-answer-wrong",
            Self::BindingMismatch => "gate-binding-mismatch",
            Self::BindingOneSided => "gate-binding-one-sided",
            Self::ChallengeReflected => "gate-challenge-reflected",
            Self::ChallengeShort => "gate-challenge-short",
            Self::DigestRefused => "gate-digest-refused",
            Self::FrameLong => "gate-frame-long",
            Self::FrameMalformed => "gate-frame-malformed",
            Self::IterationsOutOfBounds => "gate-iterations",
            Self::KeyNotAllowed => "gate-key-not-allowed",
            Self::KeyNotFitting => "gate-key-not-fitting",
            Self::KeyNotValid => "gate-key-not-valid",
            Self::KeyUnknown => "gate-key-unknown",
            Self::Md5 => "gate-md5",
            Self::PasswordUnprepared => "gate-password-unprepared",
            Self::RefusedByPeer => "gate-refused-by-peer",
            Self::VersionUnknown => "gate-version-unknown",
        }
    }
}
