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
        if let (Some(scratch), Ok(mut spare)) = (self.scratch.take(), self.pool.0.lock())
            && spare.len() < Pool::MOST
        {
            spare.push(scratch);
        }
    }
}
