//! A long random history, compared with the simplest store that could be right.

use super::{Decision, Fresh, Parts, ask, entry};
use crate::Limits;
use countersign_core::replay::{FirstUse, StoreError};
use std::collections::HashMap;

/// While time moves forward, every answer is the one that a list of all entries ever admitted would give, to
/// the second, with the capacity and the quota reached again and again. Each part of a store has such a list.
pub fn agrees_with_a_model(open: Fresh<'_>, parts: Parts) {
    for seed in 1..=8 {
        let share = |whole: usize| whole.div_ceil(parts.count);
        let limits = Limits { entries: share(60), entries_per_key: share(25) };
        let (store, mut models) = (open(parts.limits(limits)), HashMap::new());
        let (mut random, mut now) = (Random(seed), 1_000_i64);
        for turn in 0..3_000 {
            now += i64::from(random.below(8).saturating_sub(5));
            let (client, number) = (random.below(4), random.below(120));
            let life = if client == 0 { 300 } else { 20 };
            let live_until = now + i64::from(random.below(life));
            let asked = entry(client, number, now, live_until);
            let model =
                models.entry((parts.of)(&asked)).or_insert_with(|| Model { limits, admitted: HashMap::new() });
            let expected = model.decide((client, number), now, live_until);
            assert_eq!(ask(&*store, &asked), expected, "seed {seed}, turn {turn}, at {now} until {live_until}");
        }
    }
}

struct Model {
    /// Of its part.
    limits: Limits,
    /// By client and number: the last second.
    admitted: HashMap<(u32, u32), i64>,
}

impl Model {
    fn decide(&mut self, request: (u32, u32), now: i64, live_until: i64) -> Decision {
        let live = || self.admitted.iter().filter(|(_, until)| **until >= now);
        if live().any(|(known, _)| *known == request) {
            return Ok(FirstUse::Seen);
        }
        if live().filter(|((client, _), _)| *client == request.0).count() >= self.limits.entries_per_key {
            return Err(StoreError::KeyQuota);
        }
        if live().count() >= self.limits.entries {
            return Err(StoreError::Full);
        }
        self.admitted.insert(request, live_until);
        Ok(FirstUse::First)
    }
}

/// Enough randomness for a test, the same in each run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 >> 32).unwrap_or(0) % end
    }
}
