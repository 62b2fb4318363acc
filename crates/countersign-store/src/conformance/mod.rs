//! The suite that every replay store passes: memory, embedded, shared.
//!
//! A store is opened anew, empty, by a closure from [`Limits`], and is driven by the time in the entries, so
//! there is no clock to wait for. [`replay_conformance!`](crate::replay_conformance) makes one `#[test]` of
//! each check, and [`replay_durability!`](crate::replay_durability) does so for stores that outlive their
//! process. Checks that answer a numbered attack of the threat model bear its number.
//!
//! A store may divide its limits over parts, as one in a cluster does, and is then driven with [`Parts`]: every check runs,
//! and those that reach a limit do so in one part (the model: in each). There is none that such a store is spared.
//!
//! That the suite can fail is shown in `tests/conformance.rs`, where stores with the field's usual faults are
//! put through it.
//!
//! # Panics
//!
//! Every check panics where the store is at fault, and says what it answered.

#![expect(clippy::missing_panics_doc, reason = "a check that fails panics: the module says so, once")]

mod at_once;
mod checks;
mod durable;
mod history;
mod model;
mod parts;

pub use at_once::*;
pub use checks::*;
pub use durable::*;
pub use history::*;
pub use model::agrees_with_a_model;
pub use parts::Parts;

use crate::Limits;
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;

/// Opens an empty store with the given limits.
pub type Fresh<'a> = &'a dyn Fn(Limits) -> Box<dyn ReplayGuard>;

/// What a store answers.
pub type Decision = Result<FirstUse, StoreError>;

/// The entry of request number `number` by client number `client`, judged and ending at the given seconds.
#[must_use]
pub fn entry(client: u32, number: u32, now: i64, live_until: i64) -> ReplayEntry {
    let mut key = [0xc1; 16];
    key[..4].copy_from_slice(&client.to_le_bytes());
    ReplayEntry {
        digest: scatter(client, number),
        key,
        live_until: UnixTime::from_secs(live_until),
        since: UnixTime::from_secs(now),
        now: UnixTime::from_secs(now),
    }
}

/// Asks a store and waits for the answer.
pub fn ask(store: &dyn ReplayGuard, entry: &ReplayEntry) -> Decision {
    match store.admit(entry) {
        Answer::Ready(decision) => decision,
        Answer::Later(future) => wait_for(future),
    }
}

/// The default limits, which no check but those about limits comes near.
#[must_use]
pub fn roomy() -> Limits {
    Limits::of_entries(100_000)
}

/// Bytes as different as a digest's, from two numbers, the same in each run (the finaliser of `SplitMix64`).
fn scatter(client: u32, number: u32) -> [u8; 32] {
    let mut state = u64::from(client).rotate_left(32) ^ u64::from(number);
    let mut digest = [0; 32];
    for word in digest.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    digest
}

/// Waits for a future on this thread. Stores that need a runtime bring their own.
fn wait_for<T>(mut future: std::pin::Pin<Box<dyn Future<Output = T> + Send + '_>>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

/// One `#[test]` for each check that a replay store has to pass, with a `fn(Limits) -> Box<dyn ReplayGuard>`
/// that opens an empty one, and the [`Parts`](crate::conformance::Parts) that it divides its limits over, if it does.
#[macro_export]
macro_rules! replay_conformance {
    ($open:expr) => {
        $crate::replay_conformance!($open, $crate::conformance::Parts::ONE);
    };
    ($open:expr, $parts:expr) => {
        $crate::conformance_tests! { $open;
            attack_22_check_then_set_race_exactly_one_is_first
            attack_22_thousands_of_questions_under_way_at_once_are_one
            attack_22_races_over_many_entries_exactly_one_each_is_first
            attack_22_a_recorded_history_is_linearizable
            attack_23_an_entry_lives_to_the_end_of_its_last_second
            attack_23_being_seen_does_not_change_when_an_entry_ends
            attack_24_after_another_request_the_first_is_still_seen
            attack_24_two_clients_may_use_the_same_nonce
            attack_29_a_clock_that_steps_back_reopens_nothing
            a_clock_that_jumped_ahead_and_came_back_recovers
            an_entry_that_is_over_is_never_first
            instants_at_the_ends_of_time_are_never_first_twice
        }
        $crate::conformance_tests! { $open, $parts;
            agrees_with_a_model
            attack_25_a_full_store_forgets_nothing
            attack_25_one_key_cannot_fill_the_store
            attack_28_what_could_not_be_decided_burns_nothing
        }
    };
}

/// One `#[test]` for each check that a store which outlives its process has to pass, with a closure that makes
/// a [`Durable`](crate::conformance::Durable).
#[macro_export]
macro_rules! replay_durability {
    ($make:expr) => {
        $crate::conformance_tests! { $make;
            attack_29_a_restart_forgets_nothing
            attack_29_a_restart_with_a_clock_stepped_back_reopens_nothing
            many_restarts_forget_nothing
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    (@each $arguments:tt $($check:ident)+) => {
        $(
            #[test]
            fn $check() {
                $crate::conformance_tests! { @call $check $arguments }
            }
        )+
    };
    (@call $check:ident ($($argument:expr),+)) => {
        $crate::conformance::$check($($argument),+)
    };
    ($open:expr $(, $parts:expr)?; $($check:ident)+) => {
        $crate::conformance_tests! { @each (&$open $(, $parts)?) $($check)+ }
    };
}
