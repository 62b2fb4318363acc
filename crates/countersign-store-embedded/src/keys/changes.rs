//! What may be done to keys, wherever they are kept: on a table that is being changed, all of it or nothing.

use super::portable::{self, PortableKey};
use super::record::{KeyInfo, Record};
use super::{KeyStoreError, Rotation};
use countersign_core::key::KeySet;
use countersign_core::time::UnixTime;
use std::collections::BTreeSet;

/// A change that is being made.
pub(crate) trait Changes {
    /// The records of an id, by version.
    fn records(&self, id: &str) -> Result<Vec<Record>, KeyStoreError>;
    /// Writes a record, in the place of one of this id and version or as a new one.
    fn put(&mut self, record: &Record) -> Result<(), KeyStoreError>;
}

pub(crate) fn add(change: &mut impl Changes, new: PortableKey, now: UnixTime) -> Result<u32, KeyStoreError> {
    let before = change.records(&new.id)?;
    if before.iter().any(|record| record.info.is_active_at(now)) {
        return Err(KeyStoreError::IdTaken { id: new.id });
    }
    let record = new.into_record(following(&before), now)?.checked()?;
    change.put(&record)?;
    Ok(record.info.version)
}

pub(crate) fn rotate(change: &mut impl Changes, rotation: Rotation, now: UnixTime) -> Result<u32, KeyStoreError> {
    let Rotation { id, material, overlap_until, legacy } = rotation;
    let records = change.records(&id)?;
    if records.is_empty() {
        return Err(KeyStoreError::UnknownId { id });
    }
    let version = following(&records);
    let mut active: Vec<_> = records.into_iter().filter(|record| record.info.is_active_at(now)).collect();
    let Some(newest) = active.last() else { return Err(KeyStoreError::NothingActive { id }) };
    let info =
        KeyInfo { version, not_before: None, not_after: None, created_at: now.secs(), legacy, ..newest.info.clone() };
    let next = Record { info, material }.checked()?;
    for record in &mut active {
        let end = record.info.not_after.unwrap_or(i64::MAX).min(overlap_until.secs());
        record.info.not_after = Some(end);
        change.put(record)?;
    }
    let still_active = active.iter().filter(|record| record.info.is_active_at(now)).count();
    if still_active >= KeySet::MOST {
        return Err(KeyStoreError::TooManyActive { id, most: KeySet::MOST });
    }
    change.put(&next)?;
    Ok(version)
}

pub(crate) fn revoke(
    change: &mut impl Changes,
    id: &str,
    version: Option<u32>,
    now: UnixTime,
) -> Result<Vec<u32>, KeyStoreError> {
    let records = change.records(id)?;
    if records.is_empty() {
        return Err(KeyStoreError::UnknownId { id: id.to_owned() });
    }
    let meant = |record: &Record| version.is_none_or(|version| record.info.version == version);
    if let Some(version) = version
        && !records.iter().any(meant)
    {
        return Err(KeyStoreError::UnknownVersion { id: id.to_owned(), version });
    }
    let mut revoked = Vec::new();
    for mut record in records.into_iter().filter(meant) {
        if record.info.revoked_at.is_none() {
            record.info.revoked_at = Some(now.secs());
            change.put(&record)?;
            revoked.push(record.info.version);
        }
    }
    Ok(revoked)
}

pub(crate) fn import(change: &mut impl Changes, text: &str, now: UnixTime) -> Result<usize, KeyStoreError> {
    let keys = portable::import(text)?;
    let count = keys.len();
    let mut ids = BTreeSet::new();
    for key in keys {
        let before = change.records(&key.id)?;
        let version = key.version.unwrap_or_else(|| following(&before));
        let is_there = before.iter().any(|record| record.info.version == version);
        if is_there || (!before.is_empty() && !ids.contains(&key.id)) || version == 0 {
            return Err(KeyStoreError::IdTaken { id: key.id });
        }
        ids.insert(key.id.clone());
        let record = key.into_record(version, now)?.checked()?;
        change.put(&record)?;
        let active = before.iter().chain([&record]).filter(|record| record.info.is_active_at(now)).count();
        if active > KeySet::MOST {
            return Err(KeyStoreError::TooManyActive { id: record.info.id, most: KeySet::MOST });
        }
    }
    Ok(count)
}

fn following(records: &[Record]) -> u32 {
    records.iter().map(|record| record.info.version).max().unwrap_or(0).saturating_add(1)
}
