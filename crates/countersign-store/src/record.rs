//! What a store keeps of an accepted request: half of its digest, and the last second of its life.
//!
//! Sixteen of the digest's thirty-two bytes are enough, and none of them has to be hashed again. They are
//! SHA-256 output: two requests share them with probability 2⁻¹²⁸, and somebody who wants his request to meet
//! a given one has to try 2¹²⁸ of his own. A meeting could only refuse a request that is genuine, never
//! accept one that is not.
//!
//! Times are whole seconds, counted as `u32` (until 2106). Both ends round so that an entry is remembered
//! too long rather than too briefly, by less than a second.

use countersign_core::replay::ReplayEntry;
use countersign_core::time::UnixTime;

/// What is kept of one accepted request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Record {
    /// The first sixteen bytes of the entry's digest.
    pub fingerprint: [u8; 16],
    /// The last second, since the epoch, in which the entry is live. Never 0.
    pub until: u32,
}

impl Record {
    /// What is to be kept of an entry.
    #[must_use]
    pub fn of(entry: &ReplayEntry) -> Self {
        Self {
            fingerprint: std::array::from_fn(|at| entry.digest[at]),
            // 0 marks an empty place in the table. Living a second longer is harmless, in 1970 as ever.
            until: second(entry.live_until).max(1),
        }
    }
}

/// The second in which an instant lies. Instants out of range count as the nearest end of it: one after 2106
/// is never reached, so that what lives until then is never forgotten.
#[must_use]
pub fn second(instant: UnixTime) -> u32 {
    u32::try_from(instant.secs().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(live_until: UnixTime) -> u32 {
        let now = UnixTime::from_secs(0);
        Record::of(&ReplayEntry { digest: [7; 32], key: [0; 16], live_until, since: now, now }).until
    }

    #[test]
    fn an_instant_inside_a_second_belongs_to_it() {
        assert_eq!(second(UnixTime::from_millis(1_000_999)), 1000);
        assert_eq!(second(UnixTime::from_millis(1_001_000)), 1001);
    }

    #[test]
    fn instants_out_of_range_are_remembered_longer_never_shorter() {
        assert_eq!(until(UnixTime::from_secs(i64::MIN)), 1);
        assert_eq!(until(UnixTime::from_millis(-1)), 1);
        assert_eq!(until(UnixTime::from_secs(0)), 1);
        assert_eq!(until(UnixTime::from_secs(i64::from(u32::MAX))), u32::MAX);
        assert_eq!(until(UnixTime::from_secs(i64::from(u32::MAX) + 1)), u32::MAX);
        assert_eq!(until(UnixTime::from_millis(i64::MAX)), u32::MAX);
    }

    #[test]
    fn the_fingerprint_is_the_first_half_of_the_digest() {
        let digest: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let at = UnixTime::from_secs(9);
        let record = Record::of(&ReplayEntry { digest, key: [0; 16], live_until: at, since: at, now: at });
        assert_eq!(record.fingerprint[..], digest[..16]);
    }
}
