//! Sealing at rest: AES-256-GCM with the 32 bytes of `seal.key`, or of a key from elsewhere.
//!
//! Who has `keys.redb` alone, a backup say, has no secret. The key file is created by whoever first stores a key,
//! readable by its owner only, and one that others can read is refused. What a secret belongs to is authenticated
//! with it, so a sealed secret cannot be moved to another id or brought back after it was revoked by editing the
//! record around it.
//!
//! Nonces are random. At 2³² seals their chance to meet becomes 2⁻³³ (NIST SP 800-38D, section 8.3); changing a key
//! a thousand times a second reaches that in fifty days, changing it by hand never.

use super::KeyStoreError;
use crate::place;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use countersign_core::key::Secret;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::{Zeroize as _, Zeroizing};

/// What the keys of a store's folder are sealed with.
#[derive(Debug, Clone, Default)]
pub enum Seal {
    /// `seal.key` beside them, which is made with the first of them.
    #[default]
    Folder,
    /// What was given.
    Given(SealKeys),
}

/// What keys are sealed with, and what they may be sealed with still.
#[derive(Debug, Clone)]
pub struct SealKeys {
    /// What they are to be sealed with.
    pub current: SealKey,
    /// What they were sealed with before.
    pub former: Option<SealKey>,
}

impl SealKeys {
    /// The one that opens what was sealed as a check, the current one first. All keys are sealed with the same.
    pub(super) fn that_opens(&self, check: &[u8]) -> Result<&SealKey, KeyStoreError> {
        let mut keys = std::iter::once(&self.current).chain(&self.former);
        keys.find(|key| key.opens(check)).ok_or(KeyStoreError::SealKeyForeign)
    }
}

/// 32 bytes that seal keys.
#[derive(Clone)]
pub struct SealKey(pub(super) Arc<Sealer>);

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
        Ok(Self(Arc::new(Sealer::of(&bytes)?)))
    }

    /// The `seal.key` of a store's folder. `None` where there is none.
    pub fn of_folder(store: &Path) -> Result<Option<Self>, KeyStoreError> {
        Ok(Sealer::read(&store.join(SEAL_FILE))?.map(|sealer| Self(Arc::new(sealer))))
    }

    fn opens(&self, check: &[u8]) -> bool {
        self.0.open(SEAL_CHECK, check).is_ok()
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// The seal key in a store's folder, and the one that is about to take its place.
#[derive(Debug)]
pub(super) struct SealFile {
    path: PathBuf,
    next: PathBuf,
}

impl SealFile {
    pub(super) fn of(store: &Path) -> Self {
        let path = store.join(SEAL_FILE);
        let next = path.with_extension("key.next");
        Self { path, next }
    }

    /// The key that opens a check. A crash while keys were sealed anew may have left two of them, of which one does:
    /// if it is the new one, what was begun is finished.
    pub(super) fn that_opens(&self, check: &[u8]) -> Result<SealKey, KeyStoreError> {
        let told = || self.path.display().to_string();
        let key = Self::read(&self.path)?;
        match key {
            Some(key) if key.opens(check) => return Ok(key),
            _ => {}
        }
        let is_there = self.path.exists();
        match Self::read(&self.next)? {
            Some(next) if next.opens(check) => {
                self.finish()?;
                Ok(next)
            }
            _ if is_there => Err(KeyStoreError::SealKeyWrong { path: told() }),
            _ => Err(KeyStoreError::SealKeyMissing { path: told() }),
        }
    }

    /// The key to begin with, made where there is none.
    pub(super) fn first(&self) -> Result<SealKey, KeyStoreError> {
        Ok(match Self::read(&self.path)? {
            Some(key) => key,
            None => SealKey(Arc::new(Sealer::create(&self.path)?)),
        })
    }

    /// A new key, written beside the one that is still in use.
    pub(super) fn next(&self) -> Result<SealKey, KeyStoreError> {
        Ok(SealKey(Arc::new(Sealer::create(&self.next)?)))
    }

    /// Puts the new key in the place of the one that opens nothing any more.
    pub(super) fn finish(&self) -> Result<(), KeyStoreError> {
        let failed = |error: io::Error| io_error("replace", &self.path, &error);
        std::fs::rename(&self.next, &self.path).map_err(failed)?;
        sync_folder_of(&self.path).map_err(failed)
    }

    fn read(path: &Path) -> Result<Option<SealKey>, KeyStoreError> {
        Ok(Sealer::read(path)?.map(|sealer| SealKey(Arc::new(sealer))))
    }
}

/// What seals and opens.
pub(crate) struct Sealer {
    key: RandomizedNonceKey,
}

/// It does not open: the key, the bytes or what they are said to belong to is not what it was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DoesNotOpen;

impl Sealer {
    /// Reads the seal key. `None` where there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, KeyStoreError> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("open", path, &error)),
        };
        let metadata = file.metadata().map_err(|error| io_error("examine", path, &error))?;
        let mode = metadata.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyStoreError::SealKeyExposed { path: path.display().to_string(), mode });
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if metadata.len() != KEY_BYTES as u64 {
            return Err(KeyStoreError::SealKeyMalformed { path: path.display().to_string(), bytes: metadata.len() });
        }
        file.read_exact(&mut *bytes).map_err(|error| io_error("read", path, &error))?;
        Self::of(&bytes).map(Some)
    }

    /// Makes a seal key and writes it. There must be none.
    pub(crate) fn create(path: &Path) -> Result<Self, KeyStoreError> {
        let failed = |doing| move |error: io::Error| io_error(doing, path, &error);
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        fill(&mut *bytes)?;
        // Written whole before it has its name: half a seal key would look like a lost one.
        let temporary = path.with_extension("key.new");
        remove_if_there(&temporary).map_err(failed("replace"))?;
        let mut file = place::private_file().create_new(true).open(&temporary).map_err(failed("create"))?;
        file.write_all(&*bytes).map_err(failed("write"))?;
        file.sync_all().map_err(failed("write"))?;
        std::fs::rename(&temporary, path).map_err(failed("create"))?;
        sync_folder_of(path).map_err(failed("keep"))?;
        Self::of(&bytes)
    }

    /// Seals a secret that belongs to `context`.
    pub(crate) fn seal(&self, context: &[u8], secret: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        // Room for the tag from the start: growing would leave a copy of the secret behind.
        let mut sealed = Vec::with_capacity(secret.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(secret);
        let nonce = self.key.seal_in_place_append_tag(Aad::from(context), &mut sealed);
        let nonce = nonce.map_err(|_| KeyStoreError::Damaged { what: "a secret cannot be sealed".to_owned() })?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for `context`.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret, DoesNotOpen> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(DoesNotOpen)?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(context), &mut buffer).map_err(|_| DoesNotOpen)?;
        Ok(Secret::new(&*opened))
    }

    pub(crate) fn of(bytes: &[u8; KEY_BYTES]) -> Result<Self, KeyStoreError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes);
        Ok(Self { key: key.map_err(|_| KeyStoreError::Damaged { what: "the seal key is unusable".to_owned() })? })
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(..)")
    }
}

/// A secret of 32 random bytes, as base64url text without padding: 43 characters that need no quoting anywhere.
pub fn generate_secret() -> Result<Secret, KeyStoreError> {
    use base64::Engine as _;
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    fill(&mut *bytes)?;
    let mut text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(*bytes);
    let secret = Secret::new(text.as_bytes());
    text.zeroize();
    Ok(secret)
}

fn fill(bytes: &mut [u8]) -> Result<(), KeyStoreError> {
    rand::fill(bytes).map_err(|_| KeyStoreError::Io {
        doing: "read randomness".to_owned(),
        path: "the operating system".to_owned(),
        why: "it gave none".to_owned(),
    })
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("")))?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn io_error(doing: &str, path: &Path, error: &io::Error) -> KeyStoreError {
    KeyStoreError::Io { doing: doing.to_owned(), path: path.display().to_string(), why: error.to_string() }
}

const KEY_BYTES: usize = 32;
const SEAL_FILE: &str = "seal.key";
pub(super) const SEAL_CHECK: &[u8] = b"countersign seal check 1";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_seal_key_is_64_hexadecimal_digits() {
        assert!(SealKey::parse(&"0aF9".repeat(16)).is_ok());
        assert!(SealKey::parse(&format!("{}\n", "0a".repeat(32))).is_ok());
        for wrong in ["", "0a", &"0g".repeat(32), &"0a".repeat(33), &"é".repeat(32)] {
            assert!(SealKey::parse(wrong).is_err(), "{wrong}");
        }
    }

    fn new() -> (tempfile::TempDir, PathBuf, Sealer) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seal.key");
        let sealer = Sealer::create(&path).unwrap();
        (folder, path, sealer)
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_context() {
        let (_folder, path, sealer) = new();
        for secret in [&b""[..], b"s", &[7; 4096]] {
            let sealed = sealer.seal(b"context", secret).unwrap();
            let again = Sealer::read(&path).unwrap().unwrap();
            assert_eq!(again.open(b"context", &sealed).unwrap().expose(), secret);
        }
    }

    #[test]
    fn any_changed_bit_any_cut_and_another_context_do_not_open() {
        let (_folder, _, sealer) = new();
        let sealed = sealer.seal(b"context", b"a secret").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer.open(b"context", &changed).err(), Some(DoesNotOpen), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(sealer.open(b"context", &sealed[..length]).err(), Some(DoesNotOpen), "{length} bytes");
        }
        assert_eq!(sealer.open(b"other", &sealed).err(), Some(DoesNotOpen));
        assert_eq!(new().2.open(b"context", &sealed).err(), Some(DoesNotOpen), "another key");
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let (_folder, _, sealer) = new();
        assert_ne!(sealer.seal(b"", b"a secret").unwrap(), sealer.seal(b"", b"a secret").unwrap());
    }

    #[test]
    fn the_key_file_is_its_owners_alone_and_refused_otherwise() {
        let (_folder, path, _) = new();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(path.metadata().unwrap().len(), 32);
        for mode in [0o640, 0o604, 0o660, 0o610, 0o777] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = Sealer::read(&path).unwrap_err();
            assert!(matches!(error, KeyStoreError::SealKeyExposed { mode: told, .. } if told == mode), "{error}");
            assert!(error.to_string().contains(&format!("mode {mode:04o}")), "{error}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        assert!(Sealer::read(&path).unwrap().is_some());
    }

    #[test]
    fn a_key_file_of_another_length_is_refused() {
        let (_folder, path, _) = new();
        for length in [0, 31, 33, 64] {
            std::fs::write(&path, vec![1; length]).unwrap();
            let error = Sealer::read(&path).unwrap_err();
            assert!(matches!(error, KeyStoreError::SealKeyMalformed { bytes, .. } if bytes == length as u64));
        }
        std::fs::remove_file(&path).unwrap();
        assert!(Sealer::read(&path).unwrap().is_none());
    }

    #[test]
    fn generated_secrets_are_43_characters_and_different() {
        let [one, other] = [generate_secret().unwrap(), generate_secret().unwrap()];
        assert_eq!(one.expose().len(), 43);
        assert_ne!(one.expose(), other.expose());
        assert!(one.expose().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)));
    }
}
