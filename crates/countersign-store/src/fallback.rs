//! A shared store with a local one beside it, which may decide while the shared one cannot.
//!
//! [`Both`] asks the local store first and about everything, so it knows all that was accepted since it began; what the
//! shared store says comes on top. [`Fallback`] is the same, except that while the shared store cannot say anything, the
//! local one's word is enough for requests that could not have been accepted before it began, and for those alone: the
//! others may be known to nobody but the store that is away.
//!
//! What was accepted by a fallback is known to the local store alone, and stays so when the shared one is back. Whoever
//! decides about the same requests has to ask it too: where one route falls back, the others take [`Both`].
//!
//! Where several gateways do this, each accepts what another has accepted. Nothing here can notice; whoever builds
//! one sees to it that there is one gateway.

use std::sync::Arc;

use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;

/// A shared store and a local one: a first use is one that both of them call so.
#[derive(Clone)]
pub struct Both {
    shared: Arc<dyn ReplayGuard>,
    local: Arc<dyn ReplayGuard>,
}

impl Both {
    /// The local store is asked first, so that it learns of everything.
    #[must_use]
    pub fn new(shared: Arc<dyn ReplayGuard>, local: Arc<dyn ReplayGuard>) -> Self {
        Self { shared, local }
    }

    /// What the local store says where it has seen the entry or cannot decide; otherwise the shared one's answer.
    async fn ask(&self, entry: &ReplayEntry) -> Result<Result<FirstUse, StoreError>, StoreError> {
        match self.local.admit(entry).wait().await? {
            FirstUse::Seen => Ok(Ok(FirstUse::Seen)),
            FirstUse::First => Ok(self.shared.admit(entry).wait().await),
        }
    }
}

impl ReplayGuard for Both {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        Answer::Later(Box::pin(async { self.ask(entry).await? }))
    }
}

impl std::fmt::Debug for Both {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Both").finish_non_exhaustive()
    }
}

/// Both stores, or the local one alone while the shared one is away. The module says what it promises.
#[derive(Debug)]
pub struct Fallback {
    both: Both,
    began: UnixTime,
}

impl Fallback {
    /// `began`: what was accepted up to then, the local store may not know.
    #[must_use]
    pub fn new(both: Both, began: UnixTime) -> Self {
        Self { both, began }
    }

    async fn decide(&self, entry: &ReplayEntry) -> Result<FirstUse, StoreError> {
        match self.both.ask(entry).await? {
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
        (Fallback::new(Both::new(Arc::clone(&told) as _, local), UnixTime::from_secs(began)), told)
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
    fn what_was_accepted_by_falling_back_is_known_to_those_who_do_not() {
        for outage in outages() {
            let (store, told) = store(Err(outage.clone()), 899);
            let beside = store.both.clone();
            assert_eq!(ask(&store, &entry(1, 1, 900, 1000)), Ok(FirstUse::First));
            assert_eq!(ask(&beside, &entry(1, 2, 900, 1000)), Err(outage), "it does not fall back");
            *told.0.lock().unwrap() = Ok(FirstUse::First);
            assert_eq!(ask(&beside, &entry(1, 1, 901, 1000)), Ok(FirstUse::Seen));
            assert_eq!(ask(&beside, &entry(1, 3, 901, 1000)), Ok(FirstUse::First));
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

    mod beside {
        use super::*;

        replay_conformance!(|limits| {
            let store = || Arc::new(MemoryReplay::new(limits)) as Arc<dyn ReplayGuard>;
            Box::new(Both::new(store(), store()))
        });
    }

    mod both_there {
        use super::*;

        replay_conformance!(|limits| {
            let store = || Arc::new(MemoryReplay::new(limits)) as Arc<dyn ReplayGuard>;
            Box::new(Fallback::new(Both::new(store(), store()), UnixTime::from_secs(0)))
        });
    }
}
