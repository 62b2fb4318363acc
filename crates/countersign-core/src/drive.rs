//! The only asynchronous code of the engine: asks the stores, in order, and decides.
//!
//! The future is `Send`, needs no particular runtime, and awaits only what is not ready.

use std::sync::Arc;

use crate::key::KeyResolver;
use crate::reject::Rejection;
use crate::replay::{ReplayGuard, StoreError};
use crate::request::RequestView;
use crate::time::UnixTime;
use crate::verify::{Checked, Verified, Verifier};

/// A body that arrives in pieces.
pub trait Chunks: Send {
    /// A piece.
    type Chunk: AsRef<[u8]> + Send;
    /// The next piece; `None` where the body is over.
    fn next(&mut self) -> impl Future<Output = Result<Option<Self::Chunk>, BodyError>> + Send;
}

/// Why a body did not arrive whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// Its framing is wrong, or the connection ended.
    #[error("the body did not arrive whole")]
    Broken,
    /// It could not be kept until it was verified.
    #[error("the body could not be kept until it was verified")]
    NotKept,
    /// It took too long.
    #[error("the body took too long")]
    TimedOut,
    /// It is larger than allowed.
    #[error("the body is larger than allowed")]
    TooLarge,
}

/// Why a message was not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The body did not arrive.
    Body(BodyError),
    /// It is refused.
    Rejected(Rejection),
    /// A store could not answer. Never a yes.
    Undecided(StoreError),
}

impl From<Rejection> for Denial {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// A verifier with its stores.
#[derive(Clone)]
pub struct Authenticator {
    verifier: Arc<Verifier>,
    keys: Arc<dyn KeyResolver>,
    replay: Arc<dyn ReplayGuard>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// A verifier that asks these stores.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>, keys: Arc<dyn KeyResolver>, replay: Arc<dyn ReplayGuard>) -> Self {
        Self { verifier, keys, replay }
    }

    /// The verifier.
    #[must_use]
    pub const fn verifier(&self) -> &Arc<Verifier> {
        &self.verifier
    }

    /// Verifies a message, and counts a use of its key where it holds. The body is read to its end unless the message is refused before; where the plan's
    /// [`BodyNeed`](crate::BodyNeed) is `Buffer` it has to be in `view` instead.
    pub async fn authenticate(
        &self,
        view: RequestView<'_>,
        now: UnixTime,
        body: &mut impl Chunks,
    ) -> Result<Verified, Denial> {
        let needs_key = self.verifier.start(view, now)?;
        let keys = self.keys.resolve(&needs_key.query()).wait().await.map_err(Denial::Undecided)?;
        let mut needs_body = needs_key.key(&keys)?;
        while let Some(chunk) = body.next().await.map_err(Denial::Body)? {
            needs_body.update(chunk.as_ref())?;
        }
        let verified = match needs_body.finish()? {
            Checked::Verified(verified) => verified,
            Checked::NeedsReplay(needs_replay) => {
                let first = self.replay.admit(needs_replay.entry()).wait().await.map_err(Denial::Undecided)?;
                needs_replay.answered(first)?
            }
        };
        verified.count_use(now);
        Ok(verified)
    }
}
