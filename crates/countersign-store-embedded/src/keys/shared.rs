//! Keys in a table that several gateways share: sealed before they leave this process, opened after they come back.
//!
//! Whoever has the table alone, a database say, has no secret; every gateway has the seal key. The table keeps rows and
//! knows nothing of what is in them.

use super::changes::{self, Changes};
use super::portable::{self, PortableKey};
use super::record::{self, KeyInfo, Record};
use super::seal::{SEAL_CHECK, SealKeys, Sealer};
use super::uses::{KeyUses, Tallies};
use super::{KeySnapshot, KeyStoreError, NewKey, Rotation};
use countersign_core::time::UnixTime;
use std::collections::BTreeMap;
use std::sync::Arc;
use zeroize::{Zeroize as _, Zeroizing};

/// One key, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The key id.
    pub id: String,
    /// Which of the id's keys.
    pub version: u32,
    /// What may be shown of it, and its material, sealed.
    pub record: Vec<u8>,
}

/// All keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRows {
    /// How often the table was changed.
    pub revision: u64,
    /// Nothing, sealed: opens with the one key that all rows open with. `None`: nothing was ever stored.
    pub seal_check: Option<Vec<u8>>,
    /// The keys, by id and version.
    pub rows: Vec<KeyRow>,
}

/// A table of keys.
pub trait KeyTable: Send + Sync {
    /// All of it, as it is at one instant.
    fn read(&self) -> Result<KeyRows, KeyStoreError>;
    /// Shows all of it to `work` and writes the rows and the `seal_check` that this gives, with nobody else changing it
    /// meanwhile: both or neither. The revision counts on where anything changed.
    fn change(&self, work: &mut dyn FnMut(&KeyRows) -> Result<KeyRows, KeyStoreError>) -> Result<(), KeyStoreError>;
    /// How its keys were used that were, by all gateways together.
    fn uses(&self) -> Result<Vec<KeyUses>, KeyStoreError>;
    /// Adds uses to those that are there, by id and version, and keeps the later of two times. Uses of keys that are not in
    /// the table are nobody's.
    fn add_uses(&self, uses: &[KeyUses]) -> Result<(), KeyStoreError>;
}

/// The keys of a table.
pub struct SharedKeys {
    table: Box<dyn KeyTable>,
    seal: SealKeys,
    tallies: Arc<Tallies>,
}

impl SharedKeys {
    /// Keys that are, or are to be, sealed with keys that all gateways have.
    #[must_use]
    pub fn new(table: Box<dyn KeyTable>, seal: SealKeys) -> Self {
        Self { table, seal, tallies: Arc::default() }
    }

    /// As [`KeyStore::add`](super::KeyStore::add).
    pub fn add(&self, new: NewKey, now: UnixTime) -> Result<u32, KeyStoreError> {
        let mut new = Some(PortableKey::from(new));
        self.change(|change| new.take().map_or_else(|| Err(again()), |new| changes::add(change, new, now)))
    }

    /// As [`KeyStore::list`](super::KeyStore::list).
    pub fn list(&self) -> Result<Vec<KeyInfo>, KeyStoreError> {
        let rows = self.table.read()?.rows;
        rows.iter().map(|row| record::decode_info(&row.id, row.version, &row.record)).collect()
    }

    /// As [`KeyStore::show`](super::KeyStore::show).
    pub fn show(&self, id: &str) -> Result<Vec<KeyInfo>, KeyStoreError> {
        let mut infos = self.list()?;
        infos.retain(|info| info.id == id);
        if infos.is_empty() { Err(KeyStoreError::UnknownId { id: id.to_owned() }) } else { Ok(infos) }
    }

    /// How the keys were used that were, as far as the gateways have written it down.
    pub fn uses(&self) -> Result<Vec<KeyUses>, KeyStoreError> {
        self.table.uses()
    }

    /// Where uses of the keys in [snapshots](Self::snapshot) are counted.
    #[must_use]
    pub fn tallies(&self) -> Arc<Tallies> {
        Arc::clone(&self.tallies)
    }

    /// As [`KeyStore::rotate`](super::KeyStore::rotate).
    pub fn rotate(&self, rotation: Rotation, now: UnixTime) -> Result<u32, KeyStoreError> {
        let mut rotation = Some(rotation);
        self.change(|change| {
            rotation.take().map_or_else(|| Err(again()), |rotation| changes::rotate(change, rotation, now))
        })
    }

    /// As [`KeyStore::revoke`](super::KeyStore::revoke).
    pub fn revoke(&self, id: &str, version: Option<u32>, now: UnixTime) -> Result<Vec<u32>, KeyStoreError> {
        self.change(|change| changes::revoke(change, id, version, now))
    }

    /// As [`KeyStore::export`](super::KeyStore::export).
    pub fn export(&self, id: Option<&str>) -> Result<Zeroizing<String>, KeyStoreError> {
        let mut records = self.records(&self.table.read()?)?;
        if let Some(id) = id {
            records.retain(|record| record.info.id == id);
            if records.is_empty() {
                return Err(KeyStoreError::UnknownId { id: id.to_owned() });
            }
        }
        portable::export(records)
    }

    /// As [`KeyStore::import`](super::KeyStore::import).
    pub fn import(&self, text: &str, now: UnixTime) -> Result<usize, KeyStoreError> {
        self.change(|change| changes::import(change, text, now))
    }

    /// Seals all keys with the current seal key where they are sealed with the former one: all of them or, where that
    /// fails, none. Returns how many were sealed anew. Gateways that know both keys notice nothing.
    pub fn reseal(&self) -> Result<usize, KeyStoreError> {
        let mut count = 0;
        self.table.change(&mut |rows| {
            let old = self.sealer(rows)?;
            let new = &*self.seal.current.0;
            if rows.seal_check.is_none() || std::ptr::eq(old, new) {
                return Ok(KeyRows {
                    revision: rows.revision,
                    seal_check: rows.seal_check.clone(),
                    rows: Vec::new(),
                });
            }
            let anew = |row: &KeyRow| {
                let record = Record::decode(&row.id, row.version, &row.record, old)?.encode(new)?;
                Ok(KeyRow { id: row.id.clone(), version: row.version, record })
            };
            let resealed = rows.rows.iter().map(anew).collect::<Result<Vec<_>, KeyStoreError>>()?;
            count = resealed.len();
            let seal_check = Some(new.seal(SEAL_CHECK, b"")?);
            Ok(KeyRows { revision: rows.revision, seal_check, rows: resealed })
        })?;
        Ok(count)
    }

    /// All of the table.
    pub fn rows(&self) -> Result<KeyRows, KeyStoreError> {
        self.table.read()
    }

    /// How often the table was changed.
    pub fn revision(&self) -> Result<u64, KeyStoreError> {
        Ok(self.table.read()?.revision)
    }

    /// The active keys among rows that were read.
    pub fn snapshot(&self, rows: &KeyRows) -> Result<KeySnapshot, KeyStoreError> {
        KeySnapshot::of(rows.revision, &self.records(rows)?, &self.tallies)
    }

    fn records(&self, rows: &KeyRows) -> Result<Vec<Record>, KeyStoreError> {
        let sealer = self.sealer(rows)?;
        rows.rows.iter().map(|row| Record::decode(&row.id, row.version, &row.record, sealer)).collect()
    }

    /// What the rows are sealed with, all of them.
    fn sealer(&self, rows: &KeyRows) -> Result<&Sealer, KeyStoreError> {
        match &rows.seal_check {
            Some(check) => Ok(&self.seal.that_opens(check)?.0),
            None if rows.rows.is_empty() => Ok(&self.seal.current.0),
            None => Err(KeyStoreError::Damaged { what: "nothing says what the keys were sealed with".to_owned() }),
        }
    }

    fn change<T>(
        &self,
        mut work: impl FnMut(&mut Change<'_>) -> Result<T, KeyStoreError>,
    ) -> Result<T, KeyStoreError> {
        let mut outcome = None;
        self.table.change(&mut |rows| {
            let sealer = self.sealer(rows)?;
            let mut change = Change { rows: &rows.rows, sealer, put: BTreeMap::new() };
            outcome = Some(work(&mut change)?);
            let put = change.put.into_iter().map(|((id, version), record)| KeyRow { id, version, record });
            let seal_check = match &rows.seal_check {
                Some(check) => check.clone(),
                None => sealer.seal(SEAL_CHECK, b"")?,
            };
            Ok(KeyRows { revision: rows.revision, seal_check: Some(seal_check), rows: put.collect() })
        })?;
        outcome.ok_or_else(again)
    }
}

impl std::fmt::Debug for SharedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedKeys(..)")
    }
}

struct Change<'a> {
    rows: &'a [KeyRow],
    sealer: &'a Sealer,
    put: BTreeMap<(String, u32), Vec<u8>>,
}

impl Changes for Change<'_> {
    fn records(&self, id: &str) -> Result<Vec<Record>, KeyStoreError> {
        let mut of_id: BTreeMap<u32, &[u8]> = BTreeMap::new();
        of_id.extend(self.rows.iter().filter(|row| row.id == id).map(|row| (row.version, &row.record[..])));
        let put = self.put.iter().filter(|((put, _), _)| put == id);
        of_id.extend(put.map(|((_, version), record)| (*version, &record[..])));
        of_id.into_iter().map(|(version, record)| Record::decode(id, version, record, self.sealer)).collect()
    }

    fn put(&mut self, record: &Record) -> Result<(), KeyStoreError> {
        let name = (record.info.id.clone(), record.info.version);
        if let Some(mut before) = self.put.insert(name, record.encode(self.sealer)?) {
            before.zeroize();
        }
        Ok(())
    }
}

fn again() -> KeyStoreError {
    KeyStoreError::Protocol { why: "the table asked for the same change twice, or never".to_owned() }
}
