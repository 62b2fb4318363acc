//! The key store: records in `keys.redb`, secrets sealed, answers from memory.
//!
//! ```text
//! add, rotate, revoke, import ─► one transaction, synced ─► new snapshot ─► every later resolve
//! resolve ─► snapshot
//! ```
//!
//! A change is on the disk before it can be seen, and seen by everything that starts after it returns: revoking a key
//! is over when `revoke` is. One change is made at a time. Keys are never deleted: a revoked one is kept, so that its
//! version is not used again and the list tells what happened.
//!
//! Absent on purpose: clocks (callers say what time it is), answers from the disk, secrets in anything but
//! [`KeyStore::export`] and the engine's keys.

mod changes;
mod error;
mod portable;
mod record;
mod seal;
mod shared;
mod snapshot;
mod uses;

pub use error::KeyStoreError;
pub use portable::PublicPart;
pub(crate) use portable::{Encoding, PortableKey, SecretText, public_parts, without_values};
pub use record::{KeyInfo, KeyKind, KeyPurpose, LEAST_SECRET};
pub use seal::{Seal, SealKey, SealKeys, generate_secret};
pub use shared::{KeyRow, KeyRows, KeyTable, SharedKeys};
pub use snapshot::KeySnapshot;
pub use uses::{KeyUses, Tallies, UseWriter};

use crate::place::{self, Lock, NotLocked};
use arc_swap::ArcSwap;
use changes::Changes;
use countersign_core::key::{KeyQuery, KeyResolver, KeySet, Secret};
use countersign_core::replay::{Answer, StoreError};
use countersign_core::time::UnixTime;
use record::Record;
use redb::{Database, ReadableDatabase as _, ReadableTable, TableDefinition};
use seal::{SEAL_CHECK, SealFile, Sealer, io_error};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use zeroize::Zeroizing;

/// A key to be stored.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The key id: 1 to 256 bytes of text without control characters.
    pub id: String,
    /// What it is made of.
    pub kind: KeyKind,
    /// The secret's bytes, or the key as PEM or as a JSON Web Key.
    pub material: Secret,
    /// The one algorithm it may be used with. `None`: whatever the scheme says.
    pub algorithm: Option<String>,
    /// The first second in which it is valid. `None`: always so far.
    pub not_before: Option<UnixTime>,
    /// The last second in which it is valid. `None`: for ever.
    pub not_after: Option<UnixTime>,
    /// Whether a secret of fewer than 16 bytes is accepted.
    pub legacy: bool,
    /// What it may do. A rotation keeps it.
    pub purpose: KeyPurpose,
}

impl NewKey {
    /// A shared secret that is valid from now on.
    #[must_use]
    pub fn secret(id: impl Into<String>, secret: Secret) -> Self {
        Self::of(id, KeyKind::Secret, secret)
    }

    /// Key material that is valid from now on.
    #[must_use]
    pub fn of(id: impl Into<String>, kind: KeyKind, material: Secret) -> Self {
        let id = id.into();
        Self {
            id,
            kind,
            material,
            algorithm: None,
            not_before: None,
            not_after: None,
            legacy: false,
            purpose: KeyPurpose::Both,
        }
    }
}

/// What follows the active keys of an id.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// The key id.
    pub id: String,
    /// The new secret's bytes, or the new key as PEM or as a JSON Web Key. Of the kind that the newest active key has.
    pub material: Secret,
    /// The last second in which the keys that are active now are valid, unless they end earlier by themselves.
    pub overlap_until: UnixTime,
    /// Whether a secret of fewer than 16 bytes is accepted.
    pub legacy: bool,
}

/// A key store that is open.
pub struct KeyStore {
    database: Database,
    snapshot: ArcSwap<KeySnapshot>,
    tallies: Tallies,
    /// Held during a change. `None` until there is a seal key.
    sealer: Mutex<Option<SealKey>>,
    seal: Sealing,
    /// Given back last.
    _lock: Lock,
}

/// Where seal keys come from.
enum Sealing {
    File(SealFile),
    Given(SealKeys),
}

impl KeyStore {
    /// Opens the keys in a store's folder, and creates both where they are missing. They are sealed with `seal.key`.
    pub fn open(store: &Path) -> Result<Self, KeyStoreError> {
        Self::open_sealed(store, Seal::Folder)
    }

    /// As [`KeyStore::open`], sealed with what is given.
    pub fn open_sealed(store: &Path, seal: Seal) -> Result<Self, KeyStoreError> {
        place::private_folder(store).map_err(|error| io_error("create the folder", store, &error))?;
        let lock_path = store.join("keys.lock");
        let lock = Lock::take(&lock_path).map_err(|not_locked| match not_locked {
            NotLocked::HeldBy(pid) => KeyStoreError::Locked { pid },
            NotLocked::Failed(error) => io_error("lock", &lock_path, &error),
        })?;
        let database = open_database(&store.join("keys.redb"))?;
        let seal = match seal {
            Seal::Folder => Sealing::File(SealFile::of(store)),
            Seal::Given(keys) => Sealing::Given(keys),
        };
        let tallies = Tallies::default();
        let (sealer, snapshot) = load(&database, &seal, &tallies)?;
        let snapshot = ArcSwap::from_pointee(snapshot);
        Ok(Self { database, snapshot, tallies, sealer: Mutex::new(sealer), seal, _lock: lock })
    }

    /// Stores a key under an id that has no active one. Returns its version.
    pub fn add(&self, new: NewKey, now: UnixTime) -> Result<u32, KeyStoreError> {
        let new = PortableKey::from(new);
        self.change(|change| changes::add(change, new, now))
    }

    /// Every key, by id and version.
    pub fn list(&self) -> Result<Vec<KeyInfo>, KeyStoreError> {
        let transaction = self.database.begin_read().map_err(database_error)?;
        let Some(keys) = existing(transaction.open_table(KEYS))? else { return Ok(Vec::new()) };
        infos(keys.iter().map_err(database_error)?)
    }

    /// The keys of one id, by version.
    pub fn show(&self, id: &str) -> Result<Vec<KeyInfo>, KeyStoreError> {
        let transaction = self.database.begin_read().map_err(database_error)?;
        let keys = existing(transaction.open_table(KEYS))?;
        let infos = keys.map(|keys| infos(of_id(&keys, id)?)).transpose()?.unwrap_or_default();
        if infos.is_empty() { Err(KeyStoreError::UnknownId { id: id.to_owned() }) } else { Ok(infos) }
    }

    /// How the keys were used that were, by id and version: what was written down, and what was counted since.
    pub fn uses(&self) -> Result<Vec<KeyUses>, KeyStoreError> {
        self.tallies.with_pending(|| {
            let transaction = self.database.begin_read().map_err(database_error)?;
            let Some(table) = existing(transaction.open_table(USES))? else { return Ok(Vec::new()) };
            let mut uses = Vec::new();
            for entry in table.iter().map_err(database_error)? {
                let (name, used) = entry.map_err(database_error)?;
                let ((id, version), (count, last_used_at)) = (name.value(), used.value());
                uses.push(KeyUses { id: id.to_owned(), version, uses: count, last_used_at });
            }
            Ok(uses)
        })
    }

    /// Writes down how keys were used since the last time. Returns for how many there was something to write.
    ///
    /// In a table of its own: nothing is sealed anew, and the revision stays as it is.
    pub fn write_uses(&self) -> Result<usize, KeyStoreError> {
        self.tallies.write(|pending| {
            let transaction = self.database.begin_write().map_err(database_error)?;
            {
                let mut table = transaction.open_table(USES).map_err(database_error)?;
                for uses in pending {
                    let name = (uses.id.as_str(), uses.version);
                    let before = table.get(name).map_err(database_error)?.map(|before| before.value());
                    let (count, last) = before.unwrap_or((0, uses.last_used_at));
                    let after = (count.saturating_add(uses.uses), last.max(uses.last_used_at));
                    table.insert(name, after).map_err(database_error)?;
                }
            }
            transaction.commit().map_err(database_error)
        })
    }

    /// Gives an id a new key, and its active ones an end. Returns the new version.
    pub fn rotate(&self, rotation: Rotation, now: UnixTime) -> Result<u32, KeyStoreError> {
        self.change(|change| changes::rotate(change, rotation, now))
    }

    /// Ends one version of an id, or all of them, for ever. Returns the versions that were not revoked before.
    pub fn revoke(&self, id: &str, version: Option<u32>, now: UnixTime) -> Result<Vec<u32>, KeyStoreError> {
        self.change(|change| changes::revoke(change, id, version, now))
    }

    /// The keys of one id, or all keys, as JSON text **with their secrets**.
    pub fn export(&self, id: Option<&str>) -> Result<Zeroizing<String>, KeyStoreError> {
        let sealer = self.sealer()?;
        let transaction = self.database.begin_read().map_err(database_error)?;
        let keys = existing(transaction.open_table(KEYS))?;
        let mut records = match (keys, &*sealer) {
            (Some(keys), Some(sealer)) => read_all(&keys, &sealer.0)?,
            _ => Vec::new(),
        };
        if let Some(id) = id {
            records.retain(|record| record.info.id == id);
            if records.is_empty() {
                return Err(KeyStoreError::UnknownId { id: id.to_owned() });
            }
        }
        portable::export(records)
    }

    /// Stores the keys in what [`KeyStore::export`] gave, or in a JSON Web Key set, each under its `kid`: all of them or, where one cannot be stored, none. Returns
    /// how many there were. Ids that have keys already are refused.
    pub fn import(&self, text: &str, now: UnixTime) -> Result<usize, KeyStoreError> {
        self.change(|change| changes::import(change, text, now))
    }

    /// Seals all keys with the given seal key where they are sealed with the former one, or with a new `seal.key`: all of
    /// them or, where that fails, none. Returns how many were sealed anew.
    ///
    /// A crash on the way leaves a store that opens with what it opened with before, or as if this had returned.
    pub fn reseal(&self) -> Result<usize, KeyStoreError> {
        let mut sealer = self.sealer()?;
        let Some(old) = sealer.clone() else { return Ok(0) };
        let new = match &self.seal {
            Sealing::File(file) => file.next()?,
            Sealing::Given(keys) if Arc::ptr_eq(&keys.current.0, &old.0) => return Ok(0),
            Sealing::Given(keys) => keys.current.clone(),
        };
        let transaction = self.database.begin_write().map_err(database_error)?;
        let count = {
            let mut meta = transaction.open_table(META).map_err(database_error)?;
            let mut keys = transaction.open_table(KEYS).map_err(database_error)?;
            let records = read_all(&keys, &old.0)?;
            for record in &records {
                let name = (record.info.id.as_str(), record.info.version);
                keys.insert(name, &record.encode(&new.0)?[..]).map_err(database_error)?;
            }
            meta.insert("seal-check", &new.0.seal(SEAL_CHECK, b"")?[..]).map_err(database_error)?;
            records.len()
        };
        transaction.commit().map_err(database_error)?;
        *sealer = Some(new);
        // The new key is the only one that opens from here on; if it cannot get its name now, the next start gives it.
        if let Sealing::File(file) = &self.seal {
            file.finish()?;
        }
        Ok(count)
    }

    /// Whether the keys are sealed with a key from elsewhere than the store's folder.
    pub(crate) fn is_seal_given(&self) -> bool {
        matches!(self.seal, Sealing::Given(_))
    }

    /// How often the store was changed.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.snapshot.load().revision()
    }

    /// The active keys as they are now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<KeySnapshot> {
        self.snapshot.load_full()
    }

    /// Makes one change: all of it, or nothing where it fails.
    fn change<T>(
        &self,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, KeyStoreError>,
    ) -> Result<T, KeyStoreError> {
        let mut sealer = self.sealer()?;
        let transaction = self.database.begin_write().map_err(database_error)?;
        let mut revision = 0;
        let mut changed = BTreeSet::new();
        let outcome = {
            let mut meta = transaction.open_table(META).map_err(database_error)?;
            let sealer = ready_sealer(&mut sealer, &mut meta, &self.seal)?;
            let keys = transaction.open_table(KEYS).map_err(database_error)?;
            let mut change = Change { keys, sealer, changed: &mut changed };
            let outcome = work(&mut change)?;
            drop(change);
            if !changed.is_empty() {
                revision = read_revision(&meta)?.saturating_add(1);
                meta.insert("revision", &revision.to_le_bytes()[..]).map_err(database_error)?;
            }
            outcome
        };
        if changed.is_empty() {
            transaction.abort().map_err(database_error)?;
            return Ok(outcome);
        }
        transaction.commit().map_err(database_error)?;
        self.refresh(revision, &changed, sealer.as_ref().map(|key| &*key.0))?;
        Ok(outcome)
    }

    /// Brings the snapshot up to what was just committed. An id for which that fails has no keys.
    fn refresh(&self, revision: u64, ids: &BTreeSet<String>, sealer: Option<&Sealer>) -> Result<(), KeyStoreError> {
        let mut snapshot = self.snapshot.load().at(revision);
        let mut outcome = Ok(());
        for id in ids {
            let renewed = self.records(id, sealer).and_then(|records| snapshot.set(id, &records, &self.tallies));
            if renewed.is_err() {
                snapshot.remove(id);
                outcome = renewed;
            }
        }
        self.snapshot.store(Arc::new(snapshot));
        outcome
    }

    fn records(&self, id: &str, sealer: Option<&Sealer>) -> Result<Vec<Record>, KeyStoreError> {
        let transaction = self.database.begin_read().map_err(database_error)?;
        let keys = existing(transaction.open_table(KEYS))?;
        keys.zip(sealer).map_or_else(|| Ok(Vec::new()), |(keys, sealer)| read(&keys, id, sealer))
    }

    fn sealer(&self) -> Result<MutexGuard<'_, Option<SealKey>>, KeyStoreError> {
        let poisoned = |_| KeyStoreError::Damaged { what: "an earlier change failed half-way; restart".to_owned() };
        self.sealer.lock().map_err(poisoned)
    }
}

impl KeyResolver for KeyStore {
    fn resolve<'a>(&'a self, query: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>> {
        Answer::Ready(Ok(self.snapshot.load().find(query)))
    }
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyStore").field("revision", &self.revision()).finish_non_exhaustive()
    }
}

type StoredKeys<'txn> = redb::Table<'txn, (&'static str, u32), &'static [u8]>;
type Entries<'a> = redb::Range<'a, (&'static str, u32), &'static [u8]>;
type MetaTable<'txn> = redb::Table<'txn, &'static str, &'static [u8]>;

/// The table of keys, to be read.
trait Keys: ReadableTable<(&'static str, u32), &'static [u8]> {}
impl<T: ReadableTable<(&'static str, u32), &'static [u8]>> Keys for T {}

/// A change that is being made.
struct Change<'a, 'txn> {
    keys: StoredKeys<'txn>,
    sealer: &'a Sealer,
    changed: &'a mut BTreeSet<String>,
}

impl Changes for Change<'_, '_> {
    fn records(&self, id: &str) -> Result<Vec<Record>, KeyStoreError> {
        read(&self.keys, id, self.sealer)
    }

    fn put(&mut self, record: &Record) -> Result<(), KeyStoreError> {
        let name = (record.info.id.as_str(), record.info.version);
        self.keys.insert(name, &record.encode(self.sealer)?[..]).map_err(database_error)?;
        self.changed.insert(record.info.id.clone());
        Ok(())
    }
}

fn open_database(path: &Path) -> Result<Database, KeyStoreError> {
    // Created here, because the database would let the process's umask decide who may read it.
    let file = place::private_file().create(true).truncate(false).open(path);
    drop(file.map_err(|error| io_error("open", path, &error))?);
    // Checked each time: it trusts a file that was closed in good order, and panics where it should not have.
    redb::Builder::new().set_check_integrity_on_open(true).create(path).map_err(database_error)
}

/// Reads everything: what is damaged is found when the store is opened, and not by a request.
fn load(
    database: &Database,
    seal: &Sealing,
    tallies: &Tallies,
) -> Result<(Option<SealKey>, KeySnapshot), KeyStoreError> {
    let transaction = database.begin_read().map_err(database_error)?;
    let Some(meta) = existing(transaction.open_table(META))? else { return Ok((None, KeySnapshot::default())) };
    let Some(check) = meta.get("seal-check").map_err(database_error)? else {
        return Err(KeyStoreError::Damaged { what: "nothing says what the keys were sealed with".to_owned() });
    };
    let sealer = match seal {
        Sealing::File(file) => file.that_opens(check.value())?,
        Sealing::Given(keys) => keys.that_opens(check.value())?.clone(),
    };
    let keys = existing(transaction.open_table(KEYS))?;
    let records = keys.map(|keys| read_all(&keys, &sealer.0)).transpose()?.unwrap_or_default();
    let snapshot = KeySnapshot::of(read_revision(&meta)?, &records, tallies)?;
    Ok((Some(sealer), snapshot))
}

/// The seal key, made now if this is the first key that is stored.
fn ready_sealer<'a>(
    sealer: &'a mut Option<SealKey>,
    meta: &mut MetaTable<'_>,
    seal: &Sealing,
) -> Result<&'a Sealer, KeyStoreError> {
    let ready = match (sealer.take(), seal) {
        (Some(ready), _) => ready,
        (None, Sealing::File(file)) => file.first()?,
        (None, Sealing::Given(keys)) => keys.current.clone(),
    };
    let sealer = &*sealer.insert(ready).0;
    let is_checked = meta.get("seal-check").map_err(database_error)?.is_some();
    if !is_checked {
        let check = sealer.seal(SEAL_CHECK, b"")?;
        meta.insert("seal-check", &check[..]).map_err(database_error)?;
    }
    Ok(sealer)
}

fn read_all(keys: &impl Keys, sealer: &Sealer) -> Result<Vec<Record>, KeyStoreError> {
    records(keys.iter().map_err(database_error)?, sealer)
}

fn read(keys: &impl Keys, id: &str, sealer: &Sealer) -> Result<Vec<Record>, KeyStoreError> {
    records(of_id(keys, id)?, sealer)
}

fn of_id<'a>(keys: &'a impl Keys, id: &str) -> Result<Entries<'a>, KeyStoreError> {
    keys.range((id, 0)..=(id, u32::MAX)).map_err(database_error)
}

fn records(entries: Entries<'_>, sealer: &Sealer) -> Result<Vec<Record>, KeyStoreError> {
    each(entries, |id, version, bytes| Record::decode(id, version, bytes, sealer))
}

fn infos(entries: Entries<'_>) -> Result<Vec<KeyInfo>, KeyStoreError> {
    each(entries, record::decode_info)
}

fn each<T>(
    entries: Entries<'_>,
    decode: impl Fn(&str, u32, &[u8]) -> Result<T, KeyStoreError>,
) -> Result<Vec<T>, KeyStoreError> {
    let mut decoded = Vec::new();
    for entry in entries {
        let (name, bytes) = entry.map_err(database_error)?;
        let (id, version) = name.value();
        decoded.push(decode(id, version, bytes.value())?);
    }
    Ok(decoded)
}

fn read_revision(meta: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<u64, KeyStoreError> {
    let Some(bytes) = meta.get("revision").map_err(database_error)? else { return Ok(0) };
    let bytes = bytes.value().try_into().map_err(|_| KeyStoreError::Damaged { what: "the revision".to_owned() })?;
    Ok(u64::from_le_bytes(bytes))
}

/// A table, or `None` where nothing was ever put into it.
fn existing<T>(table: Result<T, redb::TableError>) -> Result<Option<T>, KeyStoreError> {
    match table {
        Ok(table) => Ok(Some(table)),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(database_error(error)),
    }
}

fn database_error(error: impl Into<redb::Error>) -> KeyStoreError {
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => KeyStoreError::Locked { pid: None },
        redb::Error::Io(error) => io_error("read or write", Path::new("keys.redb"), &error),
        error @ (redb::Error::Corrupted(_) | redb::Error::UpgradeRequired(_)) => {
            KeyStoreError::Damaged { what: error.to_string() }
        }
        other => KeyStoreError::Io {
            doing: "read or write".to_owned(),
            path: "keys.redb".to_owned(),
            why: other.to_string(),
        },
    }
}

const KEYS: TableDefinition<'_, (&str, u32), &[u8]> = TableDefinition::new("keys");
/// Uses, and the second of the last one.
const USES: TableDefinition<'_, (&str, u32), (u64, i64)> = TableDefinition::new("uses");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
