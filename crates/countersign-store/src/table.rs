//! One shard's fingerprints: a sorted array with gaps.
//!
//! A fingerprint, once spread by the seed of [`MemoryReplay`](crate::MemoryReplay), is a uniformly random
//! number, so where it stands among the others is known before looking: at its share of the array, or a few
//! slots further (linear probing, kept in order). Twenty bytes a slot and nothing beside it, filled between
//! 84 % and 94 %, make 21 to 24 bytes an entry, where a table that doubles would need up to 42. Order lets a
//! search for what is not there stop early, and lets the array grow in one sequential pass.
//!
//! Expiry costs nothing: a slot is dead once its `until` is not above the floor, which is the same test that
//! an empty slot (`until` 0) meets. Dead slots keep their place in the order until an insertion takes them or
//! a rebuild leaves them out.
//!
//! Invariants: the slots that are not empty are in ascending order; between a fingerprint's home and its slot
//! there is no empty slot.
//!
//! Absent on purpose: removal (nothing is ever un-inserted), counting what is live (the ledger does), locks.

/// A fingerprint's place in the order, as wide as the fingerprint.
pub(crate) type Place = u128;

#[derive(Clone, Copy)]
struct Slot {
    place: [u8; 16],
    until: [u8; 4],
}

/// Where a place was looked for. Good until the table is changed.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    place: Place,
    /// The slot that holds it, or the one before which it would have to stand.
    at: Result<usize, usize>,
    /// The last live second of the entry that is there, dead or alive.
    pub(crate) until: Option<u32>,
}

/// The fingerprints of one shard.
#[derive(Default)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    /// How many slots are somebody's home. Those beyond take what the last homes overflow with.
    homes: usize,
    /// How many slots are not empty.
    taken: usize,
    /// The second in which dead slots were last looked for.
    swept: u32,
}

impl Table {
    /// Looks for `place`.
    pub(crate) fn find(&self, place: Place) -> Found {
        let at = self.search(place);
        Found { place, at, until: at.ok().map(|at| self.slots[at].until()) }
    }

    /// The last live second of the entry at `place`, dead or alive, if it is still here.
    pub(crate) fn until(&self, place: Place) -> Option<u32> {
        self.find(place).until
    }

    /// Puts an entry in, or prolongs the one that is there. Says whether that changed anything.
    ///
    /// What is not above `floor` is forgotten and may be overwritten.
    pub(crate) fn put(&mut self, place: Place, until: u32, floor: u32) -> bool {
        self.put_found(self.find(place), until, floor)
    }

    /// The same where it was looked for already, and nothing was changed since.
    pub(crate) fn put_found(&mut self, found: Found, until: u32, floor: u32) -> bool {
        let Found { place, mut at, .. } = found;
        if self.taken >= most_taken(self.homes) {
            self.rebuild(0, floor);
            at = self.search(place);
        }
        match at {
            Ok(at) if until <= self.slots[at].until() => return false,
            Ok(at) => self.slots[at].until = until.to_le_bytes(),
            Err(at) => self.insert(at, Slot::new(place, until), floor),
        }
        true
    }

    /// Makes room for so many entries more.
    pub(crate) fn reserve(&mut self, entries: usize, floor: u32) {
        if self.taken + entries > most_taken(self.homes) {
            self.rebuild(entries, floor);
        }
    }

    /// Gives memory back where most entries are dead. Looks no more than once in [`SWEEP_EVERY`] seconds.
    pub(crate) fn sweep(&mut self, now: u32, floor: u32) {
        if now.abs_diff(self.swept) < SWEEP_EVERY {
            return;
        }
        self.swept = now;
        if self.live(floor) * 2 < self.taken {
            self.rebuild(0, floor);
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    /// The slot that holds `place`, or the one before which it would have to stand.
    fn search(&self, place: Place) -> Result<usize, usize> {
        let mut at = home(place, self.homes);
        while let Some(slot) = self.slots.get(at) {
            if slot.is_empty() {
                break;
            }
            match slot.place().cmp(&place) {
                std::cmp::Ordering::Less => at += 1,
                std::cmp::Ordering::Equal => return Ok(at),
                std::cmp::Ordering::Greater => break,
            }
        }
        Err(at)
    }

    /// Puts `slot` before `at`, moving what stands there to the first slot that is free.
    fn insert(&mut self, at: usize, slot: Slot, floor: u32) {
        if at > home(slot.place(), self.homes) && self.slots[at - 1].is_dead(floor) {
            // The neighbour's place in the order does as well, and nothing has to move.
            self.slots[at - 1] = slot;
            return;
        }
        let ahead = self.slots[at..].iter().position(|other| other.is_dead(floor));
        let free = ahead.map_or(self.slots.len(), |ahead| at + ahead);
        if free == self.slots.len() {
            push(&mut self.slots, Slot::EMPTY);
        }
        self.taken += usize::from(self.slots[free].is_empty());
        self.slots.copy_within(at..free, at + 1);
        self.slots[at] = slot;
    }

    /// Moves what is live into an array of the right size for it and for `more` entries.
    fn rebuild(&mut self, more: usize, floor: u32) {
        let live = self.live(floor);
        let homes = homes_for(live + more);
        let mut slots = Vec::with_capacity(homes + homes.min(MOST_SPARE) / 8);
        for slot in self.slots.iter().filter(|slot| !slot.is_dead(floor)) {
            let home = home(slot.place(), homes);
            if slots.len() < home {
                slots.resize(home, Slot::EMPTY);
            }
            push(&mut slots, *slot);
        }
        if slots.len() < homes {
            slots.resize(homes, Slot::EMPTY);
        }
        (self.slots, self.homes, self.taken) = (slots, homes, live);
    }

    fn live(&self, floor: u32) -> usize {
        self.slots.iter().filter(|slot| !slot.is_dead(floor)).count()
    }
}

impl Slot {
    const EMPTY: Self = Self { place: [0; 16], until: [0; 4] };

    fn new(place: Place, until: u32) -> Self {
        Self { place: place.to_le_bytes(), until: until.to_le_bytes() }
    }

    fn place(&self) -> Place {
        Place::from_le_bytes(self.place)
    }

    fn until(&self) -> u32 {
        u32::from_le_bytes(self.until)
    }

    fn is_empty(&self) -> bool {
        self.until() == 0
    }

    fn is_dead(&self, floor: u32) -> bool {
        self.until() <= floor
    }
}

/// Where among `homes` slots a place belongs: at its share of them.
fn home(place: Place, homes: usize) -> usize {
    let share = ((place >> 64) * homes as u128) >> 64;
    usize::try_from(share).unwrap_or(usize::MAX)
}

/// Appends, growing by little: doubling would undo the point of this table.
fn push(slots: &mut Vec<Slot>, slot: Slot) {
    if slots.len() == slots.capacity() {
        slots.reserve_exact(8);
    }
    slots.push(slot);
}

/// Homes for `live` entries and a tenth more: 23.75 bytes an entry to begin with.
fn homes_for(live: usize) -> usize {
    live + live * 3 / 16 + LEAST_HOMES
}

/// How many slots may be taken before the array has to grow: 15 in 16, or probing gets long.
fn most_taken(homes: usize) -> usize {
    homes - homes / 16
}

const LEAST_HOMES: usize = 8;
const MOST_SPARE: usize = 512;
const SWEEP_EVERY: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    impl Table {
        fn check(&self) {
            let mut last = None;
            let mut gap_at = 0;
            for (at, slot) in self.slots.iter().enumerate() {
                if slot.is_empty() {
                    gap_at = at + 1;
                    continue;
                }
                assert!(last < Some(slot.place()), "slot {at} is out of order");
                let home = home(slot.place(), self.homes);
                assert!(home <= at, "slot {at} stands before its home");
                assert!(gap_at <= home, "an empty slot between home {home} and slot {at}");
                last = Some(slot.place());
            }
            assert_eq!(self.taken, self.slots.iter().filter(|slot| !slot.is_empty()).count());
            assert!(self.taken <= most_taken(self.homes) || self.homes == 0);
        }
    }

    /// Numbers that look random, the same in each run.
    fn places(count: u32) -> impl Iterator<Item = Place> {
        let mut state = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834_u128;
        (0..count).map(move |_| {
            state = state.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(0x2545_f491_4f6c_dd1d);
            (state ^ (state >> 64)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        })
    }

    #[test]
    fn an_entry_takes_at_most_24_bytes_whatever_the_number() {
        for count in [1_000, 5_000, 20_000, 39_063, 50_001] {
            let mut table = Table::default();
            places(count).for_each(|place| assert!(table.put(place, 9, 0)));
            table.check();
            let bytes = table.bytes();
            assert!(bytes <= 24 * count as usize + 1_000, "{count} entries take {bytes} bytes");
        }
    }

    #[test]
    fn dead_entries_make_room_and_living_ones_stay() {
        let mut table = Table::default();
        let (old, new): (Vec<_>, Vec<_>) = places(4_000).enumerate().partition(|(at, _)| at % 2 == 0);
        for (_, place) in &old {
            table.put(*place, 10, 0);
        }
        for (_, place) in &new {
            table.put(*place, 20, 10);
        }
        table.check();
        assert!(table.bytes() <= 24 * new.len() + 1_000, "the second half took the first half's slots");
        assert!(new.iter().all(|(_, place)| table.until(*place) == Some(20)));
    }

    #[test]
    fn a_sweep_gives_memory_back() {
        let mut table = Table::default();
        places(4_000).for_each(|place| assert!(table.put(place, 10, 0)));
        table.sweep(60, 10);
        assert!(table.bytes() < 1_000);
        table.check();
    }

    #[test]
    fn a_sweep_keeps_what_lives() {
        let mut table = Table::default();
        for (at, place) in places(4_000).enumerate() {
            table.put(place, if at % 4 == 0 { 11 } else { 10 }, 0);
        }
        table.sweep(60, 10);
        table.check();
        assert_eq!(table.taken, 1_000);
        assert!(places(4_000).step_by(4).all(|place| table.until(place) == Some(11)));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Put(Place, u32),
        Rise(u32),
        Reserve(usize),
        Sweep,
    }

    /// Places crowded together, so that probing, moving and overflowing at the end all happen.
    fn crowded() -> impl Strategy<Value = Place> {
        prop_oneof![
            any::<u128>(),
            (0..64_u128).prop_map(|low| low),
            (0..64_u128).prop_map(|low| Place::MAX - low),
            (0..256_u128).prop_map(|few| few << 120),
        ]
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            20 => (crowded(), 1..40_u32).prop_map(|(place, ahead)| Step::Put(place, ahead)),
            2 => (0..15_u32).prop_map(Step::Rise),
            1 => (0..50_usize).prop_map(Step::Reserve),
            1 => Just(Step::Sweep),
        ];
        prop::collection::vec(step, 0..600)
    }

    proptest! {
        #[test]
        fn holds_what_a_map_holds(steps in steps()) {
            let (mut table, mut model, mut floor, mut now) = (Table::default(), HashMap::new(), 0, 0);
            for step in steps {
                match step {
                    Step::Put(place, ahead) => {
                        let known = model.get(&place).copied().filter(|known| *known > floor).unwrap_or(0);
                        let until = floor + ahead;
                        prop_assert_eq!(table.put(place, until, floor), until > known);
                        model.insert(place, until.max(known));
                    }
                    Step::Rise(by) => floor += by,
                    Step::Reserve(entries) => table.reserve(entries, floor),
                    Step::Sweep => { now += SWEEP_EVERY; table.sweep(now, floor); }
                }
                table.check();
            }
            for (place, until) in model {
                let found = table.until(place).filter(|until| *until > floor);
                prop_assert_eq!(found, Some(until).filter(|until| *until > floor));
            }
        }
    }
}
