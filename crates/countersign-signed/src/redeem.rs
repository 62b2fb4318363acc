//! Once: what a replay store has to be asked for before a value counts.
//!
//! The entry is a digest of what is signed and never of the signature, which may have several spellings. Like every
//! replay entry it is admitted last, and never taken back.

use countersign_core::alg::Hash;
use countersign_core::{FirstUse, ReplayEntry, UnixTime};

use crate::{Opened, Refused};

/// A value that held in every respect but one: it may have been redeemed before.
///
/// There is one way on, and it takes a store's answer.
///
/// ```compile_fail,E0616
/// fn skip(waiting: countersign_signed::Once<String>) -> countersign_signed::Opened<String> {
///     waiting.opened
/// }
/// ```
#[derive(Debug)]
#[must_use = "without the store's answer the value is not redeemed"]
pub struct Once<T> {
    opened: Opened<T>,
    entry: ReplayEntry,
}

impl<T> Once<T> {
    pub(crate) const fn new(opened: Opened<T>, entry: ReplayEntry) -> Self {
        Self { opened, entry }
    }

    /// The same, as something to be signed anew.
    pub(crate) fn aged(self) -> Self {
        Self { opened: self.opened.aged(), ..self }
    }

    /// What the store has to admit.
    #[must_use]
    pub const fn entry(&self) -> &ReplayEntry {
        &self.entry
    }

    /// Takes the store's answer.
    pub fn answered(self, first: FirstUse) -> Result<Opened<T>, Refused> {
        match first {
            FirstUse::First => Ok(self.opened),
            FirstUse::Seen => Err(Refused::Replayed),
        }
    }
}

/// Between when, and when, a value may be redeemed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    pub(crate) signed_at: UnixTime,
    pub(crate) until: UnixTime,
    pub(crate) now: UnixTime,
}

/// The entry of what these pieces name, each with its length. Quotas count by the first two: what it is, and whose.
///
/// A value from the future is refused: a store that lost what it remembered has to know which values cannot have been
/// among that ([`ReplayEntry::since`]).
pub(crate) fn entry(pieces: &[&[u8]], life: &Life) -> Result<ReplayEntry, Refused> {
    let since = UnixTime::from_millis(life.signed_at.millis().saturating_sub(LEAD));
    if life.now < since {
        return Err(Refused::Early);
    }
    let entry = ReplayEntry { digest: [0; 32], key: [0; 16], live_until: life.until, since, now: life.now };
    Ok(same_life(pieces, entry))
}

/// The entry of other pieces, which lives as long.
pub(crate) fn same_life(pieces: &[&[u8]], entry: ReplayEntry) -> ReplayEntry {
    let mut hasher = Hash::Sha256.begin();
    let mut quota = Hash::Sha256.begin();
    for (index, piece) in pieces.iter().enumerate() {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX).to_be_bytes();
        for hasher in [Some(&mut hasher), (index < 2).then_some(&mut quota)].into_iter().flatten() {
            hasher.update(&length);
            hasher.update(piece);
        }
    }
    ReplayEntry {
        digest: hasher.finish().as_bytes().first_chunk().copied().unwrap_or_default(),
        key: quota.finish().as_bytes().first_chunk().copied().unwrap_or_default(),
        ..entry
    }
}

/// By how many milliseconds the clock of who signs may be ahead.
const LEAD: i64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_07_pieces_do_not_run_into_one_another() {
        let at = UnixTime::from_secs;
        let life = Life { signed_at: at(0), until: at(1), now: at(0) };
        let of = |pieces: &[&[u8]]| entry(pieces, &life).unwrap().digest;
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"ab"]), of(&[b"ab", b""]));
    }

    #[test]
    fn a_value_from_the_future_is_not_redeemed_yet() {
        let at = UnixTime::from_secs;
        for (signed_at, expected) in [(0, Some(-60)), (160, Some(100)), (161, None)] {
            let life = Life { signed_at: at(signed_at), until: at(500), now: at(100) };
            let since = entry(&[b"a"], &life).map(|entry| entry.since);
            assert_eq!(since, expected.map(at).ok_or(Refused::Early), "{signed_at}");
        }
    }
}
