//! All active keys in memory, as the engine takes them.
//!
//! A snapshot never changes: a change makes a new one, which shares what is the same. Whether a key is valid at an
//! instant is the engine's to judge; only revoked keys are left out.

use super::KeyStoreError;
use super::record::Record;
use super::uses::Tallies;
use countersign_core::key::{Key, KeyQuery, KeyResolver, KeySet, Purpose};
use countersign_core::replay::{Answer, StoreError};
use std::collections::HashMap;
use std::sync::Arc;

/// The keys of a store at one revision.
#[derive(Debug, Clone, Default)]
pub struct KeySnapshot {
    revision: u64,
    by_id: HashMap<Arc<[u8]>, Uses>,
}

/// The keys of one id, by what they may do.
#[derive(Debug, Clone, Default)]
struct Uses {
    sign: KeySet,
    verify: KeySet,
}

impl KeySnapshot {
    /// The store's revision, which counts its changes.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The keys that are asked for. Empty where the id is unknown or its keys are for something else, and where no id is
    /// claimed: every key here has one, and a scheme that carries none leaves it to its route to name one.
    #[must_use]
    pub fn find(&self, query: &KeyQuery<'_>) -> KeySet {
        let Some(uses) = query.claimed_key_id.and_then(|id| self.by_id.get(id)) else { return KeySet::default() };
        match query.purpose {
            Purpose::Sign => uses.sign.clone(),
            Purpose::Verify => uses.verify.clone(),
        }
    }

    /// How many ids have keys.
    #[must_use]
    pub fn ids(&self) -> usize {
        self.by_id.len()
    }

    /// A snapshot of everything there is. Records of one id come one after the other.
    pub(crate) fn of(revision: u64, records: &[Record], tallies: &Tallies) -> Result<Self, KeyStoreError> {
        let mut snapshot = Self { revision, by_id: HashMap::new() };
        for records in records.chunk_by(|one, next| one.info.id == next.info.id) {
            if let Some(first) = records.first() {
                snapshot.set(&first.info.id, records, tallies)?;
            }
        }
        Ok(snapshot)
    }

    /// The same at another revision, for the changes that follow.
    pub(crate) fn at(&self, revision: u64) -> Self {
        Self { revision, by_id: self.by_id.clone() }
    }

    /// Gives an id the keys in its records. If they cannot be used it has none.
    pub(crate) fn set(&mut self, id: &str, records: &[Record], tallies: &Tallies) -> Result<(), KeyStoreError> {
        self.remove(id);
        let uses = uses(records, tallies)?;
        if !(uses.sign.keys().is_empty() && uses.verify.keys().is_empty()) {
            self.by_id.insert(id.as_bytes().into(), uses);
        }
        Ok(())
    }

    /// Leaves an id without keys.
    pub(crate) fn remove(&mut self, id: &str) {
        self.by_id.remove(id.as_bytes());
    }
}

impl KeyResolver for KeySnapshot {
    fn resolve<'a>(&'a self, query: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>> {
        Answer::Ready(Ok(self.find(query)))
    }
}

/// The keys of one id that are not revoked, by what they may do. A set holds four; of more, those that last longest are taken, the newest
/// first, so that one that is over never takes the place of one that is not.
fn uses(records: &[Record], tallies: &Tallies) -> Result<Uses, KeyStoreError> {
    let mut usable: Vec<_> = records.iter().filter(|record| record.info.revoked_at.is_none()).collect();
    usable.sort_by_key(|record| {
        let lasts = record.info.not_after.unwrap_or(i64::MAX);
        std::cmp::Reverse((lasts, record.info.version))
    });
    // What serves both is one key in both sets, and what was prepared with it for one is for the other.
    let mut made: HashMap<u32, Arc<Key>> = HashMap::new();
    let mut set = |purpose: Purpose| {
        let serving = usable.iter().filter(|record| record.info.purpose.serves(purpose)).take(KeySet::MOST);
        let key = |record: &&Record| {
            if let Some(key) = made.get(&record.info.version) {
                return Ok(Arc::clone(key));
            }
            let tally = tallies.of(&record.info.id, record.info.version);
            let key = Arc::new(record.to_key()?.counted(tally));
            made.insert(record.info.version, Arc::clone(&key));
            Ok(key)
        };
        Ok(KeySet::new(serving.map(key).collect::<Result<Vec<_>, KeyStoreError>>()?))
    };
    Ok(Uses { sign: set(Purpose::Sign)?, verify: set(Purpose::Verify)? })
}
