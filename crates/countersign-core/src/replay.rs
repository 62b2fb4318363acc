//! The replay contract: what a store must do so that one signed request is accepted once.
//!
//! # Failure semantics
//!
//! * A **false accept** (answering [`FirstUse::First`] twice for one live digest) lets an attacker
//!   repeat a captured request. It is the one thing a store must never do: not under concurrency,
//!   not after a crash, not when it is full.
//! * A **false reject** (answering [`FirstUse::Seen`] for a digest never admitted) refuses a genuine
//!   client, who signs again with a new nonce. A store may do so only where it says so.
//! * An **outage** is [`StoreError`]. The request is neither accepted nor refused: it could not be
//!   decided, and nothing is forwarded.
//!
//! # What an entry is, and how long it lives
//!
//! One atomic insert-if-absent decides each request. The entry is a digest of namespace (scheme name and realm), key
//! id, signed time and nonce: editing a scheme forgets nothing. It lives until the signed time, the accepted age and the
//! clock margin have passed, to the second at both edges. What lives is never evicted: a full store answers that it
//! could not decide, and a quota of each key keeps one client from filling it. The answer "first" is given once the
//! entry is durable, as far as the store promises to be. A clock that steps back reopens nothing: what ended no later
//! than something forgotten can not be decided any more.
//!
//! A store that finds that it may have lost entries does not guess. It decides again from those requests on that could
//! not have been accepted before ([`ReplayEntry::since`]), and says [`StoreError::Quarantined`] of the others.
//!
//! An entry is admitted last, after every other check held, and is never taken back: a crash between
//! admission and forwarding loses that request, and the client signs again with a new nonce.

use crate::time::UnixTime;

/// What is remembered of one accepted request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayEntry {
    /// SHA-256 over namespace, key id, signed time and nonce, told apart by their lengths. Where a scheme has no
    /// nonce, over a digest of what it signs. Never over signature bytes, which can often be re-encoded.
    pub digest: [u8; 32],
    /// Stands for namespace and key id: what a per-key quota counts by. Not a cryptographic digest.
    pub key: [u8; 16],
    /// The last instant at which this request could still be accepted, clock margin included. The entry must
    /// be remembered up to and including it.
    pub live_until: UnixTime,
    /// Before this instant the request could not have been accepted, or an entry of it would be over by now. A store
    /// that may have lost what it accepted up to some instant knows by it which requests it can still decide.
    pub since: UnixTime,
    /// The instant at which the request was judged. Stores take it as their clock.
    pub now: UnixTime,
}

/// A store's answer for one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstUse {
    /// The digest was not live and is now. Whoever gets this answer, and nobody else, may go on.
    First,
    /// The digest is live already: a replay.
    Seen,
}

/// Why a store could not answer. Never a "yes" and never a "no".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store's clock went back behind what it has already forgotten.
    #[error("the clock went back past entries that are already forgotten")]
    ClockWentBack,
    /// No room for another live entry; live entries are never evicted.
    #[error("the store is full of live entries")]
    Full,
    /// This key has as many live entries as it may have.
    #[error("the quota of live entries for this key is used up")]
    KeyQuota,
    /// The store may have lost what it accepted before, and this request is old enough to be among it. Requests that
    /// were signed later are decided.
    #[error("what was accepted before may be lost, and this request is old enough to be among it")]
    Quarantined,
    /// The store did not answer within its deadline.
    #[error("the store did not answer in time")]
    TimedOut,
    /// The store failed; the text is for the log.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// A ready answer, or one that has to be waited for. A ready answer allocates nothing.
pub enum Answer<'a, T> {
    /// Known now.
    Ready(T),
    /// Known later.
    Later(std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

impl<T: std::fmt::Debug> std::fmt::Debug for Answer<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(value) => f.debug_tuple("Ready").field(value).finish(),
            Self::Later(_) => f.write_str("Later(..)"),
        }
    }
}

impl<T> Answer<'_, T> {
    /// Waits for the answer where it has to be waited for.
    pub async fn wait(self) -> T {
        match self {
            Self::Ready(value) => value,
            Self::Later(future) => future.await,
        }
    }
}

/// A store of accepted requests. The [module](self) says what it owes.
pub trait ReplayGuard: Send + Sync {
    /// Inserts the entry if its digest is not live, atomically, and durably before answering.
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>>;
}
