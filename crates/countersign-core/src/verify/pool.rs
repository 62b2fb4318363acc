//! Buffers, reused from one message to the next: after warm-up a verification allocates none.

use std::sync::{Arc, Mutex};

use crate::plan::run::Scratch;

/// Buffers that wait for the next message.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "a lease moves a pointer, not a dozen buffers")]
pub(super) struct Pool(Mutex<Vec<Box<Scratch>>>);

impl Pool {
    /// How many buffers are kept.
    const MOST: usize = 64;

    pub(super) fn lease(pool: &Arc<Self>) -> Lease {
        let scratch = pool.0.lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default();
        Lease { pool: Arc::clone(pool), scratch: Some(scratch) }
    }
}

/// A buffer on loan from the pool.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<Pool>,
    scratch: Option<Box<Scratch>>,
}

impl Lease {
    pub(super) fn get(&mut self) -> &mut Scratch {
        self.scratch.get_or_insert_default()
    }

    pub(super) fn peek(&self) -> &Scratch {
        static EMPTY: std::sync::OnceLock<Scratch> = std::sync::OnceLock::new();
        self.scratch.as_deref().unwrap_or_else(|| EMPTY.get_or_init(Scratch::default))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut scratch) = self.scratch.take() else { return };
        scratch.wipe();
        if let Ok(mut spare) = self.pool.0.lock()
            && spare.len() < Pool::MOST
        {
            spare.push(scratch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_35_what_a_secret_has_been_through_is_overwritten_before_others_use_it() {
        let pool = Arc::default();
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
}
