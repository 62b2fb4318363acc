//! A shared store, and a local one that decides while the shared one cannot. For a gateway that is the only one.
//!
//! The local store is asked first and about everything, so it knows all that was accepted since it began; what the
//! shared store says comes on top. While that cannot say anything, the local one's word is enough for requests that
//! could not have been accepted before it began, and for those alone: the others may be known to nobody but the store
//! that is away.
//!
//! Where several gateways do this, each accepts what another has accepted. Nothing here can notice; whoever builds
//! one sees to it that there is one gateway.

use std::sync::Arc;

use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;

/// A store with another to fall back on. The module says what it promises.
pub struct Fallback {
    shared: Arc<dyn ReplayGuard>,
    local: Arc<dyn ReplayGuard>,
    began: UnixTime,
}

impl Fallback {
    /// `began`: what was accepted up to then, the local store may not know.
    #[must_use]
    pub fn new(shared: Arc<dyn ReplayGuard>, local: Arc<dyn ReplayGuard>, began: UnixTime) -> Self {
        Self { shared, local, began }
    }

    async fn decide(&self, entry: &ReplayEntry) -> Result<FirstUse, StoreError> {
        match self.local.admit(entry).wait().await? {
            FirstUse::Seen => return Ok(FirstUse::Seen),
            FirstUse::First => {}
        }
        match self.shared.admit(entry).wait().await {
            Err(why) if is_outage(&why) && entry.since > self.began => Ok(FirstUse::First),
            decided => decided,
        }
    }
}

/// Whether the store could say nothing, rather than that this request is not to be decided.
fn is_outage(why: &StoreError) -> bool {
    matches!(why, StoreError::Unavailable(_) | StoreError::TimedOut | StoreError::Full | StoreError::Quarantined)
}

impl ReplayGuard for Fallback {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        Answer::Later(Box::pin(self.decide(entry)))
    }
}

impl std::fmt::Debug for Fallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fallback").field("began", &self.began).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{ask, entry, roomy};
    use crate::{MemoryReplay, replay_conformance};
    use std::sync::Mutex;

    /// Says what it is told to say.
    struct Told(Mutex<Result<FirstUse, StoreError>>);

    impl ReplayGuard for Told {
        fn admit<'a>(&'a self, _: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
            Answer::Ready(self.0.lock().unwrap().clone())
        }
    }

    fn store(says: Result<FirstUse, StoreError>, began: i64) -> (Fallback, Arc<Told>) {
        let told = Arc::new(Told(Mutex::new(says)));
        let local = Arc::new(MemoryReplay::new(roomy()));
        (Fallback::new(Arc::clone(&told) as _, local, UnixTime::from_secs(began)), told)
    }

    fn outages() -> [StoreError; 4] {
        let away = StoreError::Unavailable("away".to_owned());
        [away, StoreError::TimedOut, StoreError::Full, StoreError::Quarantined]
    }

    #[test]
    fn while_the_shared_store_is_away_each_request_is_accepted_once() {
        for outage in outages() {
            let (store, told) = store(Err(outage), 899);
            assert_eq!(ask(&store, &entry(1, 1, 900, 1000)), Ok(FirstUse::First));
            assert_eq!(ask(&store, &entry(1, 1, 901, 1000)), Ok(FirstUse::Seen));
            // It is back, and has not heard of it.
            *told.0.lock().unwrap() = Ok(FirstUse::First);
            assert_eq!(ask(&store, &entry(1, 1, 902, 1000)), Ok(FirstUse::Seen));
            assert_eq!(ask(&store, &entry(1, 2, 902, 1000)), Ok(FirstUse::First));
        }
    }

    #[test]
    fn what_may_have_been_accepted_before_it_began_is_not_decided() {
        for outage in outages() {
            for since in [0, 899, 900] {
                let (store, _) = store(Err(outage.clone()), 900);
                let mut request = entry(1, 1, 905, 1000);
                request.since = UnixTime::from_secs(since);
                assert_eq!(ask(&store, &request), Err(outage.clone()), "since {since}");
            }
        }
    }

    #[test]
    fn what_the_shared_store_decides_holds() {
        let seen = store(Ok(FirstUse::Seen), 0).0;
        assert_eq!(ask(&seen, &entry(1, 1, 900, 1000)), Ok(FirstUse::Seen));
        for refusal in [StoreError::KeyQuota, StoreError::ClockWentBack] {
            let store = store(Err(refusal.clone()), 0).0;
            assert_eq!(ask(&store, &entry(1, 1, 900, 1000)), Err(refusal));
        }
    }

    mod both_there {
        use super::*;

        replay_conformance!(|limits| {
            let store = || Arc::new(MemoryReplay::new(limits)) as Arc<dyn ReplayGuard>;
            Box::new(Fallback::new(store(), store(), UnixTime::from_secs(0)))
        });
    }
}
