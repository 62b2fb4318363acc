//! Changing keys while a gateway has them open.
//!
//! One process has a key store open at a time. A gateway therefore listens on `control.sock` in the store's folder,
//! and [`KeyAccess`] does the same whether it found a gateway there or opened the store itself.
//!
//! One connection carries one request and one answer, a line of JSON each. Whoever may connect may do everything,
//! exporting secrets included: the socket is its owner's alone, like the files beside it.
//!
//! Absent on purpose: anything but keys, the network, and waiting: a client that does not finish its line is
//! dropped after a few seconds.

mod server;
mod socket;
mod wire;

pub use server::ControlServer;

use crate::keys::{
    Encoding, KeyInfo, KeyStore, KeyStoreError, KeyUses, NewKey, PortableKey, PublicPart, Rotation, Seal, SecretText,
    SharedKeys, public_parts,
};
use countersign_core::time::UnixTime;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wire::{Answer, Request};
use zeroize::Zeroizing;

/// The keys of a store, by way of the gateway that has them open or of the store itself.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyAccess {
    /// No gateway is running.
    Direct(KeyStore),
    /// A gateway is running and does what it is asked.
    Live(LiveStore),
    /// In a table that several gateways share and watch.
    Shared(SharedKeys),
}

/// A key store that another process has open.
#[derive(Debug)]
pub struct LiveStore {
    socket: PathBuf,
}

impl KeyAccess {
    /// Finds a way to the keys in a store's folder.
    ///
    /// A store that is held by a process which does not answer yet (a gateway that is just starting, another key
    /// command) is tried again for two seconds.
    pub fn open(store: &Path) -> Result<Self, KeyStoreError> {
        Self::open_sealed(store, &Seal::Folder)
    }

    /// As [`KeyAccess::open`], with the keys sealed with what is given if the store is opened here.
    pub fn open_sealed(store: &Path, seal: &Seal) -> Result<Self, KeyStoreError> {
        let live = LiveStore { socket: socket::path_in(store) };
        for _ in 0..TRIES {
            match live.connect() {
                Ok(_) => return Ok(Self::Live(live)),
                Err(error) if nobody_listens(&error) => {}
                Err(error) => return Err(live.failed(&error)),
            }
            match KeyStore::open_sealed(store, seal.clone()) {
                Err(KeyStoreError::Locked { .. }) => std::thread::sleep(BETWEEN_TRIES),
                opened => return opened.map(Self::Direct),
            }
        }
        KeyStore::open_sealed(store, seal.clone()).map(Self::Direct)
    }

    /// As [`KeyStore::add`].
    pub fn add(&self, new: NewKey, now: UnixTime) -> Result<u32, KeyStoreError> {
        let live = match self {
            Self::Direct(store) => return store.add(new, now),
            Self::Shared(keys) => return keys.add(new, now),
            Self::Live(live) => live,
        };
        match live.ask(&Request::Add { key: PortableKey::from(new), now: now.millis() })? {
            Answer::Stored { version } => Ok(version),
            other => Err(other.unexpected()),
        }
    }

    /// As [`KeyStore::list`].
    pub fn list(&self) -> Result<Vec<KeyInfo>, KeyStoreError> {
        match self {
            Self::Direct(store) => store.list(),
            Self::Shared(keys) => keys.list(),
            Self::Live(live) => live.ask(&Request::List)?.keys(),
        }
    }

    /// As [`KeyStore::show`].
    pub fn show(&self, id: &str) -> Result<Vec<KeyInfo>, KeyStoreError> {
        match self {
            Self::Direct(store) => store.show(id),
            Self::Shared(keys) => keys.show(id),
            Self::Live(live) => live.ask(&Request::Show { id: id.to_owned() })?.keys(),
        }
    }

    /// As [`KeyStore::uses`]: of a gateway that has the store open, to this moment; of a table that gateways share, what they
    /// have written down.
    pub fn uses(&self) -> Result<Vec<KeyUses>, KeyStoreError> {
        let live = match self {
            Self::Direct(store) => return store.uses(),
            Self::Shared(keys) => return keys.uses(),
            Self::Live(live) => live,
        };
        match live.ask(&Request::Uses)? {
            Answer::Uses { uses } => Ok(uses),
            other => Err(other.unexpected()),
        }
    }

    /// As [`KeyStore::rotate`].
    pub fn rotate(&self, rotation: Rotation, now: UnixTime) -> Result<u32, KeyStoreError> {
        let live = match self {
            Self::Direct(store) => return store.rotate(rotation, now),
            Self::Shared(keys) => return keys.rotate(rotation, now),
            Self::Live(live) => live,
        };
        let Rotation { id, material, overlap_until, legacy } = rotation;
        let (material, encoding) = Encoding::write(&material);
        let overlap_until = overlap_until.millis();
        match live.ask(&Request::Rotate { id, material, encoding, overlap_until, legacy, now: now.millis() })? {
            Answer::Stored { version } => Ok(version),
            other => Err(other.unexpected()),
        }
    }

    /// As [`KeyStore::revoke`].
    pub fn revoke(&self, id: &str, version: Option<u32>, now: UnixTime) -> Result<Vec<u32>, KeyStoreError> {
        let live = match self {
            Self::Direct(store) => return store.revoke(id, version, now),
            Self::Shared(keys) => return keys.revoke(id, version, now),
            Self::Live(live) => live,
        };
        match live.ask(&Request::Revoke { id: id.to_owned(), version, now: now.millis() })? {
            Answer::Revoked { versions } => Ok(versions),
            other => Err(other.unexpected()),
        }
    }

    /// As [`KeyStore::export`].
    pub fn export(&self, id: Option<&str>) -> Result<Zeroizing<String>, KeyStoreError> {
        let live = match self {
            Self::Direct(store) => return store.export(id),
            Self::Shared(keys) => return keys.export(id),
            Self::Live(live) => live,
        };
        match live.ask(&Request::Export { id: id.map(str::to_owned) })? {
            Answer::Exported { text } => Ok(text.into_text()),
            other => Err(other.unexpected()),
        }
    }

    /// The public parts of all key pairs whose private half is here and may sign.
    pub fn published(&self) -> Result<Vec<PublicPart>, KeyStoreError> {
        let mut parts = public_parts(&self.export(None)?, true)?;
        parts.retain(|part| part.signs);
        Ok(parts)
    }

    /// The public parts of an id's key pairs that are not revoked.
    pub fn public_parts(&self, id: &str) -> Result<Vec<PublicPart>, KeyStoreError> {
        let parts = public_parts(&self.export(Some(id))?, false)?;
        if parts.is_empty() { Err(KeyStoreError::NothingActive { id: id.to_owned() }) } else { Ok(parts) }
    }

    /// As [`KeyStore::import`].
    pub fn import(&self, text: &str, now: UnixTime) -> Result<usize, KeyStoreError> {
        let live = match self {
            Self::Direct(store) => return store.import(text, now),
            Self::Shared(keys) => return keys.import(text, now),
            Self::Live(live) => live,
        };
        match live.ask(&Request::Import { text: SecretText::new(text), now: now.millis() })? {
            Answer::Imported { keys } => Ok(keys),
            other => Err(other.unexpected()),
        }
    }

    /// As [`KeyStore::reseal`]. `is_given`: whether the caller's configuration names the seal key. A gateway that was
    /// started with another one does nothing.
    pub fn reseal(&self, is_given: bool) -> Result<usize, KeyStoreError> {
        let live = match self {
            Self::Direct(store) => return store.reseal(),
            Self::Shared(keys) => return keys.reseal(),
            Self::Live(live) => live,
        };
        match live.ask(&Request::Reseal { is_given })? {
            Answer::Resealed { keys } => Ok(keys),
            other => Err(other.unexpected()),
        }
    }

    /// As [`KeyStore::revision`].
    pub fn revision(&self) -> Result<u64, KeyStoreError> {
        let live = match self {
            Self::Direct(store) => return Ok(store.revision()),
            Self::Shared(keys) => return keys.revision(),
            Self::Live(live) => live,
        };
        match live.ask(&Request::Ping)? {
            Answer::Pong { revision } => Ok(revision),
            other => Err(other.unexpected()),
        }
    }
}

impl LiveStore {
    fn ask(&self, request: &Request) -> Result<Answer, KeyStoreError> {
        let mut stream = self.connect().map_err(|error| self.failed(&error))?;
        stream.write_all(&wire::line(request)?).map_err(|error| self.failed(&error))?;
        let line = wire::read_line(&mut stream).map_err(|error| self.failed(&error))?;
        match wire::parse(&line)? {
            Answer::Refused { error } => Err(error),
            answer => Ok(answer),
        }
    }

    fn connect(&self) -> io::Result<UnixStream> {
        let stream = socket::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    fn failed(&self, error: &io::Error) -> KeyStoreError {
        KeyStoreError::Protocol { why: format!("{}: {error}", self.socket.display()) }
    }
}

/// There is no socket, or it is left over from a gateway that was killed.
fn nobody_listens(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

const TRIES: usize = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(30);
