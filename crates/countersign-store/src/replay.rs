//! The replay store of one process: exact, bounded, and gone with the process.
//!
//! Exact: an entry is live up to and including its last second and not a second longer, each by its own time.
//! Bounded: what is live is never evicted; past the [`Limits`] the answer is that it cannot be decided.
//!
//! One decision is atomic because the whole of it happens under the lock of the fingerprint's shard. Locks are
//! taken in one order, shard and then ledger, and nothing waits inside either.
//!
//! Entries from which the clock has moved on are not looked up by it: they are below the ledger's floor, and
//! an entry at or below the floor is never decided again. That test is made under the shard's lock, so a
//! thread whose request was judged a second ago cannot slip in between another thread's forgetting and its
//! reuse of the slot.
//!
//! Whoever holds a key can choose nonces, and with some hashing can choose the first bits of a digest. The
//! digests are therefore spread by random odd numbers before they are placed: a bijection, so nothing exact is
//! lost, and nobody outside can say which entries crowd together.
//!
//! After a restart everything is forgotten and every request still in its window could be repeated once. A
//! service that restarts wants the journal of `countersign-store-embedded`.

use crate::ledger::{Ledger, Limits, Owner};
use crate::record::{Record, second};
use crate::sync::{Mutex, MutexGuard};
use crate::table::{Place, Table};
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

/// An exact, bounded replay store in memory. The module says what it promises.
pub struct MemoryReplay {
    /// Shared out by the first bits of a fingerprint, once it is spread.
    shards: Box<[Mutex<Table>]>,
    ledger: Mutex<Ledger>,
    spread: Spread,
}

/// A bijection of fingerprints that nobody outside knows.
///
/// One multiplication would keep what its input has of order: of numbers in a row, one seed in thirty would leave
/// some shards without a single one. So the upper half is folded into the lower one and multiplied again.
struct Spread([u128; 2]);

impl MemoryReplay {
    /// An empty store. It takes memory as it is used.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            ledger: Mutex::new(Ledger::new(limits)),
            spread: Spread([random_odd(), random_odd()]),
        }
    }

    /// One that spreads fingerprints alike in each run: whoever tries all orders has to meet the same locks again.
    #[cfg(all(test, feature = "interleavings"))]
    pub(crate) fn unseeded(limits: Limits) -> Self {
        Self {
            spread: Spread([0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835, 0xd134_2543_de82_ef95]),
            ..Self::new(limits)
        }
    }

    /// Decides one entry. [`ReplayGuard::admit`] is this, in the trait's words.
    ///
    /// An entry that is over by its own `now`, or that ended no later than something already forgotten, is
    /// [`StoreError::ClockWentBack`]: it may have been here before.
    pub fn decide(&self, entry: &ReplayEntry) -> Result<FirstUse, StoreError> {
        let Record { fingerprint, until } = Record::of(entry);
        let now = second(entry.now);
        let (shard, place) = self.place(fingerprint);
        let mut table = lock(shard)?;
        let found = table.find(place);
        let floor = {
            let mut ledger = lock(&self.ledger)?;
            ledger.forget_before(now);
            let floor = ledger.floor();
            if until <= floor || second(entry.live_until) < now {
                return Err(StoreError::ClockWentBack);
            }
            if found.until.is_some_and(|known| known > floor) {
                return Ok(FirstUse::Seen);
            }
            ledger.claim(Owner::of(entry.key), until)?;
            floor
        };
        table.put_found(found, until, floor);
        table.sweep(now, floor);
        Ok(FirstUse::First)
    }

    /// Whether an entry is live. Claims nothing.
    pub fn knows(&self, entry: &ReplayEntry) -> Result<bool, StoreError> {
        let (shard, place) = self.place(Record::of(entry).fingerprint);
        let known = lock(shard)?.until(place);
        let mut ledger = lock(&self.ledger)?;
        ledger.forget_before(second(entry.now));
        Ok(known.is_some_and(|known| known > ledger.floor()))
    }

    /// Puts back what was accepted before a restart. It counts against the capacity, which it may exceed, and
    /// against no key's quota.
    ///
    /// The more at once the faster: they go in shard by shard, each of which fits into a processor's cache where all
    /// of them do not. Several threads may do so at a time.
    pub fn restore(&self, records: &[Record]) -> Result<(), StoreError> {
        let floor = lock(&self.ledger)?.floor();
        let mut ending: BTreeMap<u32, usize> = BTreeMap::new();
        let (places, ends) = self.by_shard(records, floor);
        let mut start = 0;
        for (shard, end) in self.shards.iter().zip(ends) {
            let places = &places[std::mem::replace(&mut start, end)..end];
            if places.is_empty() {
                continue;
            }
            let mut table = lock(shard)?;
            // Neighbours mostly end with the same second.
            for places in places.chunk_by(|one, next| one.1 == next.1) {
                // One that is here already, with an earlier end, stays counted at that end too: the count is an entry
                // too high until then, never too low.
                let until = places[0].1;
                let changed = places.iter().filter(|(place, _)| table.put(*place, until, floor)).count();
                if changed > 0 {
                    *ending.entry(until).or_default() += changed;
                }
            }
        }
        let mut ledger = lock(&self.ledger)?;
        for (until, entries) in ending {
            ledger.count_restored(until, entries);
        }
        Ok(())
    }

    /// Makes room for so many entries more, which are then put in without the tables having to grow.
    pub fn reserve(&self, entries: usize) -> Result<(), StoreError> {
        let floor = lock(&self.ledger)?.floor();
        self.shards.iter().try_for_each(|shard| {
            lock(shard)?.reserve(entries / SHARDS, floor);
            Ok(())
        })
    }

    /// Refuses from now on to decide any entry whose last second is at or before `until`, because some of
    /// those may have been forgotten elsewhere.
    pub fn raise_floor(&self, until: u32) -> Result<(), StoreError> {
        lock(&self.ledger)?.raise_floor(until);
        Ok(())
    }

    /// How many entries are live, by the last `now` that was seen.
    pub fn live(&self) -> Result<usize, StoreError> {
        Ok(lock(&self.ledger)?.live())
    }

    /// The bytes that the fingerprints take.
    pub fn bytes(&self) -> Result<usize, StoreError> {
        self.shards.iter().map(|shard| Ok(lock(shard)?.bytes())).sum()
    }

    /// The places of what is above the floor, those of a shard side by side and otherwise in the order they came in, and
    /// where those of each shard end.
    fn by_shard(&self, records: &[Record], floor: u32) -> (Vec<(Place, u32)>, [usize; SHARDS]) {
        let spread = || {
            let live = records.iter().filter(move |record| record.until > floor);
            live.map(|record| (self.spread.of(record.fingerprint), record.until))
        };
        let mut ends = [0; SHARDS];
        for (spread, _) in spread() {
            ends[shard_of(spread)] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            total += std::mem::replace(end, total);
        }
        let mut places = vec![(0, 0); total];
        for (spread, until) in spread() {
            let end = &mut ends[shard_of(spread)];
            places[*end] = (place_of(spread), until);
            *end += 1;
        }
        (places, ends)
    }

    fn place(&self, fingerprint: [u8; 16]) -> (&Mutex<Table>, Place) {
        let spread = self.spread.of(fingerprint);
        (&self.shards[shard_of(spread)], place_of(spread))
    }
}

/// The first bits of a fingerprint that was spread say which shard it is in.
fn shard_of(spread: u128) -> usize {
    let [shard, ..] = spread.to_be_bytes();
    usize::from(shard)
}

/// The others say where.
fn place_of(spread: u128) -> Place {
    spread << u8::BITS
}

impl Spread {
    fn of(&self, fingerprint: [u8; 16]) -> u128 {
        let [first, second] = self.0;
        let once = u128::from_le_bytes(fingerprint).wrapping_mul(first);
        (once ^ (once >> 64)).wrapping_mul(second)
    }
}

impl ReplayGuard for MemoryReplay {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        Answer::Ready(self.decide(entry))
    }
}

impl std::fmt::Debug for MemoryReplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryReplay").field("live", &self.live().ok()).finish_non_exhaustive()
    }
}

/// A lock whose holder panicked may guard a half-made change: nothing is decided by it again.
fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, StoreError> {
    mutex.lock().map_err(|_| StoreError::Unavailable("the replay store failed before, and is closed".to_owned()))
}

/// Unpredictable from outside, by the standard library's means: it seeds its own hash tables so.
fn random_odd() -> u128 {
    let random = || u128::from(RandomState::new().hash_one(0_u8));
    ((random() << 64) | random()) | 1
}

/// As many as a byte tells apart. Small shards keep a rebuild short.
const SHARDS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::time::UnixTime;

    fn entry(number: u64, now: i64, live_until: i64) -> ReplayEntry {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        let at = UnixTime::from_secs;
        ReplayEntry { digest, key: [0; 16], live_until: at(live_until), since: at(now), now: at(now) }
    }

    fn store() -> MemoryReplay {
        MemoryReplay::new(Limits::of_entries(1_000))
    }

    #[test]
    fn what_was_restored_is_seen() {
        let store = store();
        store.restore(&[Record::of(&entry(1, 0, 100))]).unwrap();
        assert_eq!(store.decide(&entry(1, 50, 100)), Ok(FirstUse::Seen));
        assert_eq!(store.live(), Ok(1));
    }

    #[test]
    fn what_was_restored_twice_lives_to_the_later_end() {
        for ends in [[100, 200], [200, 100]] {
            let store = store();
            for end in ends {
                store.restore(&[Record::of(&entry(1, 0, end))]).unwrap();
            }
            assert_eq!(store.decide(&entry(1, 200, 300)), Ok(FirstUse::Seen));
            assert_eq!(store.decide(&entry(1, 201, 300)), Ok(FirstUse::First));
        }
    }

    #[test]
    fn all_that_is_restored_at_once_is_seen_to_its_own_end() {
        let store = MemoryReplay::new(Limits::default());
        store.raise_floor(90).unwrap();
        let numbered: Vec<_> = (0..20_000).map(|number| (number, 85 + i64::try_from(number % 37).unwrap())).collect();
        let records: Vec<_> = numbered.iter().map(|(number, end)| Record::of(&entry(*number, 0, *end))).collect();
        store.restore(&records).unwrap();
        store.restore(&records[..1_000]).unwrap();
        assert_eq!(store.live(), Ok(numbered.iter().filter(|(_, end)| *end > 90).count()));
        for (number, end) in numbered {
            let seen = if end > 90 { Ok(FirstUse::Seen) } else { Err(StoreError::ClockWentBack) };
            assert_eq!(store.decide(&entry(number, 0, end)), seen);
        }
        assert_eq!(store.decide(&entry(1, 122, 200)), Ok(FirstUse::First), "all that was restored is over");
        assert_eq!(store.live(), Ok(1));
    }

    #[test]
    fn what_several_threads_restore_is_all_there() {
        let store = MemoryReplay::new(Limits::default());
        let records: Vec<_> = (0..8_000).map(|number| Record::of(&entry(number, 0, 100))).collect();
        std::thread::scope(|scope| {
            for part in records.chunks(1_000) {
                scope.spawn(|| store.restore(part).unwrap());
            }
        });
        assert_eq!(store.live(), Ok(8_000));
        assert!((0..8_000).all(|number| store.decide(&entry(number, 0, 100)) == Ok(FirstUse::Seen)));
    }

    #[test]
    fn room_that_was_made_is_neither_too_little_nor_too_much() {
        let store = MemoryReplay::new(Limits::default());
        store.reserve(100_000).unwrap();
        let reserved = store.bytes().unwrap();
        let records: Vec<_> = (0..100_000).map(|number| Record::of(&entry(number, 0, 100))).collect();
        store.restore(&records).unwrap();
        assert_eq!(store.live(), Ok(100_000));
        let bytes = store.bytes().unwrap();
        assert!(bytes <= reserved + reserved / 100, "{reserved} bytes became {bytes}");
        assert!(bytes <= 100_000 * 24 + SHARDS * 1_500, "{bytes} bytes");
    }

    #[test]
    fn below_a_raised_floor_nothing_is_decided() {
        let store = store();
        store.raise_floor(100).unwrap();
        assert_eq!(store.decide(&entry(1, 50, 100)), Err(StoreError::ClockWentBack));
        assert_eq!(store.decide(&entry(1, 50, 101)), Ok(FirstUse::First));
    }

    #[test]
    fn attack_29_a_request_judged_before_others_were_forgotten_is_not_decided_anew() {
        let store = store();
        assert_eq!(store.decide(&entry(1, 99, 100)), Ok(FirstUse::First));
        assert_eq!(store.decide(&entry(2, 101, 200)), Ok(FirstUse::First));
        // Judged at 100, when it was still live, but asked about only now.
        assert_eq!(store.decide(&entry(1, 100, 100)), Err(StoreError::ClockWentBack));
    }

    #[test]
    fn memory_is_given_back_after_a_rush() {
        let store = MemoryReplay::new(Limits::default());
        (0..50_000).for_each(|number| assert_eq!(store.decide(&entry(number, 0, 100)), Ok(FirstUse::First)));
        let full = store.bytes().unwrap();
        // A shard holds some 195 entries, a few dozen more or fewer as the seed has it, and grows by steps.
        assert!(full <= 50_000 * 24 + SHARDS * 600, "{full} bytes");
        (0..5_000).for_each(|number| assert_eq!(store.decide(&entry(number, 200, 300)), Ok(FirstUse::First)));
        assert!(store.bytes().unwrap() < full / 4);
    }

    /// Multiplied once only, some 8 of these seeds would leave shards out.
    #[test]
    fn numbers_in_a_row_reach_every_shard_whatever_the_seed() {
        for _ in 0..256 {
            let spread = Spread([random_odd(), random_odd()]);
            let mut reached = [false; SHARDS];
            for number in 0..5_000_u128 {
                let [shard, ..] = spread.of(number.to_le_bytes()).to_be_bytes();
                reached[usize::from(shard)] = true;
            }
            assert!(reached.iter().all(|reached| *reached), "seeds {:#x?} leave shards out", spread.0);
        }
    }

    #[test]
    fn a_store_whose_lock_is_poisoned_decides_nothing() {
        let store = store();
        std::thread::scope(|scope| {
            let died = scope.spawn(|| {
                let _held = store.ledger.lock();
                panic!("on purpose, holding the lock");
            });
            assert!(died.join().is_err());
        });
        assert!(matches!(store.decide(&entry(1, 0, 100)), Err(StoreError::Unavailable(_))));
    }

    #[test]
    fn seeds_differ_and_are_odd() {
        let (one, other) = (random_odd(), random_odd());
        assert_ne!(one, other);
        assert_eq!((one & 1, other & 1), (1, 1));
    }
}
