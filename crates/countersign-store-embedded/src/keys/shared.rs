//! Keys in a table that several gateways share: sealed before they leave this process, opened after they come back.
//!
//! Whoever has the table alone, a database say, has no secret; every gateway has the seal key. The table keeps rows and
//! knows nothing of what is in them.

use super::changes::{self, Changes};
use super::portable::{self, PortableKey};
use super::record::{self, KeyInfo, Record};
use super::seal::Sealer;
use super::{KeySnapshot, KeyStoreError, NewKey, Rotation};
use countersign_core::time::UnixTime;
use std::collections::BTreeMap;
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
    /// Shows all of it to `work` and writes the rows that this gives, with nobody else changing it meanwhile. The revision
    /// counts on where there are any; `seal_check` is kept where there was one.
    fn change(&self, work: &mut dyn FnMut(&KeyRows) -> Result<KeyRows, KeyStoreError>) -> Result<(), KeyStoreError>;
}

/// What shared keys are sealed with: 32 bytes, the same for all gateways.
pub struct SealKey(Sealer);

impl SealKey {
    /// Reads 64 hexadecimal digits, as `openssl rand -hex 32` prints them.
    pub fn parse(text: &str) -> Result<Self, KeyStoreError> {
        let unfit = || KeyStoreError::SealKeyMalformed {
            path: "the seal key (64 hexadecimal digits)".to_owned(),
            bytes: u64::try_from(text.len() / 2).unwrap_or(u64::MAX),
        };
        let digits = text.trim().as_bytes();
        if digits.len() != 64 {
            return Err(unfit());
        }
        let mut bytes = Zeroizing::new([0_u8; 32]);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let [high, low] = [pair.first(), pair.last()].map(|found| found.copied().and_then(digit));
            *byte = high.zip(low).map(|(high, low)| high << 4 | low).ok_or_else(unfit)?;
        }
        Ok(Self(Sealer::of(&bytes)?))
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// The keys of a table.
pub struct SharedKeys {
    table: Box<dyn KeyTable>,
    sealer: Sealer,
}

impl SharedKeys {
    /// Keys that are, or are to be, sealed with a key.
    #[must_use]
    pub fn new(table: Box<dyn KeyTable>, key: SealKey) -> Self {
        Self { table, sealer: key.0 }
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
        KeySnapshot::of(rows.revision, &self.records(rows)?)
    }

    fn records(&self, rows: &KeyRows) -> Result<Vec<Record>, KeyStoreError> {
        self.check(rows)?;
        rows.rows.iter().map(|row| Record::decode(&row.id, row.version, &row.record, &self.sealer)).collect()
    }

    fn check(&self, rows: &KeyRows) -> Result<(), KeyStoreError> {
        match &rows.seal_check {
            Some(check) if self.sealer.open(super::SEAL_CHECK, check).is_err() => {
                Err(KeyStoreError::SealKeyWrong { path: "the seal key".to_owned() })
            }
            None if !rows.rows.is_empty() => {
                Err(KeyStoreError::Damaged { what: "nothing says what the keys were sealed with".to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn change<T>(
        &self,
        mut work: impl FnMut(&mut Change<'_>) -> Result<T, KeyStoreError>,
    ) -> Result<T, KeyStoreError> {
        let mut outcome = None;
        self.table.change(&mut |rows| {
            self.check(rows)?;
            let mut change = Change { rows: &rows.rows, sealer: &self.sealer, put: BTreeMap::new() };
            outcome = Some(work(&mut change)?);
            let put = change.put.into_iter().map(|((id, version), record)| KeyRow { id, version, record });
            let seal_check = match &rows.seal_check {
                Some(check) => check.clone(),
                None => self.sealer.seal(super::SEAL_CHECK, b"")?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_key_is_64_hexadecimal_digits() {
        assert!(SealKey::parse(&"0aF9".repeat(16)).is_ok());
        assert!(SealKey::parse(&format!("{}\n", "0a".repeat(32))).is_ok());
        for wrong in ["", "0a", &"0g".repeat(32), &"0a".repeat(33), &"é".repeat(32)] {
            assert!(SealKey::parse(wrong).is_err(), "{wrong}");
        }
    }
}
