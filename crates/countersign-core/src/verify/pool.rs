//! Buffers, reused from one message to the next: after warm-up a verification allocates none.
//!
//! What is learnt on the way lies with them: the states that a message passes are moved, and it is not.

use std::sync::{Arc, Mutex};

use super::Identity;
use super::coverage::Facts;
use super::fresh::Judged;
use crate::plan::Plan;
use crate::plan::run::Scratch;

/// Buffers that wait for the next message, and the plan that they are used for.
#[derive(Debug)]
#[expect(clippy::vec_box, reason = "a lease moves a pointer, not a dozen buffers")]
pub(super) struct Pool {
    pub(super) plan: Arc<Plan>,
    spare: Mutex<Vec<Box<Desk>>>,
}

/// What a verification works with.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) scratch: Scratch,
    /// What the message says about time; set by the first state.
    pub(super) judged: Judged,
    /// What tells the message from others; set where its signature holds.
    pub(super) identity: Identity,
    /// What its coverage hangs on; set by the last state.
    pub(super) facts: Facts,
}

impl Desk {
    /// Nothing that was learnt of a message is there for the next one, whatever a state forgets to set.
    fn clear(&mut self) {
        self.scratch.wipe();
        (self.judged, self.identity, self.facts) = Default::default();
    }
}

impl Pool {
    /// How many buffers are kept.
    const MOST: usize = 64;

    pub(super) fn new(plan: Arc<Plan>) -> Arc<Self> {
        Arc::new(Self { plan, spare: Mutex::default() })
    }

    pub(super) fn lease(pool: &Arc<Self>) -> Lease {
        let desk = pool.spare.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default();
        Lease { pool: Arc::clone(pool), desk: Some(desk) }
    }
}

/// A buffer on loan from the pool.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    desk: Option<Box<Desk>>,
}

impl Lease {
    pub(super) fn plan(&self) -> &Arc<Plan> {
        &self.pool.plan
    }

    pub(super) fn desk(&mut self) -> &mut Desk {
        self.desk.get_or_insert_default()
    }

    pub(super) fn peek_desk(&self) -> &Desk {
        static EMPTY: std::sync::OnceLock<Desk> = std::sync::OnceLock::new();
        self.desk.as_deref().unwrap_or_else(|| EMPTY.get_or_init(Desk::default))
    }

    pub(super) fn get(&mut self) -> &mut Scratch {
        &mut self.desk().scratch
    }

    pub(super) fn peek(&self) -> &Scratch {
        &self.peek_desk().scratch
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut desk) = self.desk.take() else { return };
        desk.clear();
        if let Ok(mut spare) = self.pool.spare.lock()
            && spare.len() < Pool::MOST
        {
            spare.push(desk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alg::Hash;
    use crate::plan::carrier::tests::any_plan;
    use crate::time::UnixTime;

    #[test]
    fn attack_35_what_a_secret_has_been_through_is_overwritten_before_others_use_it() {
        let pool = Pool::new(any_plan());
        for secret in [true, false] {
            let mut lease = Pool::lease(&pool);
            lease.get().out.extend_from_slice(b"correct horse");
            lease.get().secret = secret;
            drop(lease);
            // Where no secret was, what is left is cut off by the next message, and costs nothing now.
            let next = Pool::lease(&pool);
            assert_eq!((next.peek().out.is_empty(), next.peek().secret), (secret, false));
        }
    }

    #[test]
    fn what_was_learnt_of_a_message_is_not_there_for_the_next() {
        let pool = Pool::new(any_plan());
        let mut lease = Pool::lease(&pool);
        let desk = lease.desk();
        desk.judged.signed_at = Some(UnixTime::from_secs(1));
        desk.identity = Identity::Digest(Hash::Sha256.digest(b"a message"));
        desk.facts = Facts { compared: 1, ..Facts::default() };
        drop(lease);
        let next = Pool::lease(&pool);
        let Desk { judged, identity, facts, .. } = next.peek_desk();
        assert!(judged.signed_at.is_none() && matches!(identity, Identity::Base) && *facts == Facts::default());
    }
}
