//! Why a connection went no further: what the handshake says, and what happened around it.

use countersign_core::StoreError;
use countersign_core::challenge::Refusal;

/// Why a connection went no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The handshake does not hold.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was the one that had waited longest, of the address with the most, when others wanted in.
    #[error("too many connections were in the handshake, and this one had waited longest")]
    CrowdedOut,
    /// The handshake was not over in time.
    #[error("the handshake was not over in time")]
    Deadline,
    /// The peer was gone before the handshake was over.
    #[error("the peer was gone before the handshake was over")]
    Left,
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// The service could not be reached.
    #[error("the service could not be reached: {0}")]
    ServiceUnreachable(String),
    /// The gate was asked to stop.
    #[error("the gate was asked to stop")]
    Stopping,
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(String),
    /// More bytes than a handshake may have.
    #[error("the handshake took more bytes than it may")]
    TooManyBytes,
    /// As many connections are open as may be.
    #[error("as many connections are open as may be")]
    TooManyOpen,
    /// The key store could not answer.
    #[error("it could not be decided: {0}")]
    Undecided(StoreError),
}

impl Reason {
    /// The stable code for log and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::CrowdedOut => "gate-crowded-out",
            Self::Deadline => "gate-deadline",
            Self::Left => "gate-left",
            Self::NoRandomness => "gate-no-randomness",
            Self::ServiceUnreachable(_) => "gate-service-unreachable",
            Self::Stopping => "gate-stopping",
            Self::Tls(_) => "gate-tls",
            Self::TooManyBytes => "gate-too-many-bytes",
            Self::TooManyOpen => "gate-too-many-open",
            Self::Undecided(_) => "gate-undecided",
        }
    }

    /// Every code there is.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        let others = [
            Self::CrowdedOut,
            Self::Deadline,
            Self::Left,
            Self::NoRandomness,
            Self::ServiceUnreachable(String::new()),
            Self::Stopping,
            Self::Tls(String::new()),
            Self::TooManyBytes,
            Self::TooManyOpen,
            Self::Undecided(StoreError::TimedOut),
        ];
        Refusal::ALL.iter().map(|refusal| refusal.code()).chain(others.map(|reason| reason.code()))
    }
}
