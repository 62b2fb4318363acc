//! Keys: secrets that show nothing of themselves, and the records that fix what each may be used for.

use std::sync::{Arc, Mutex, OnceLock};

use crate::alg::{Hash, KeyError, MacKey, PrivateKey, PublicKey};
use crate::jwk::Jwk;
use crate::replay::{Answer, StoreError};
use crate::tally::Tally;
use crate::time::UnixTime;
use zeroize::Zeroize as _;

/// Bytes that must not be seen: wiped when dropped, and never printed.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for computing with. Nothing may copy them into text.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What a key is made of.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Material {
    /// A key pair's private half, which can sign and, by its public half, verify.
    Private(Arc<PrivateKey>),
    /// A key pair's public half, which can only verify.
    Public(Arc<PublicKey>),
    /// A shared secret, as text or bytes; the scheme says how it is decoded.
    Secret(Secret),
}

/// A key record: whose it is, what it is made of, what it may be used for, and when.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key id that the client claims. `None`: the key serves whatever id is claimed.
    pub id: Option<String>,
    /// The secret, or the key pair's half.
    pub material: Material,
    /// The one algorithm this key may be used with, by its name in scheme files (`hmac-sha256`,
    /// `rsa-sha256`, `ed25519` …). `None`: whatever the scheme says.
    pub algorithm: Option<String>,
    /// The first instant at which the key is valid.
    pub not_before: Option<UnixTime>,
    /// The last instant at which the key is valid.
    pub not_after: Option<UnixTime>,
    pub(crate) prepared: Prepared,
    tally: Option<Arc<Tally>>,
}

/// MAC states prepared from a secret, kept with it: setting up an HMAC costs two compressions, and a derived key
/// (`SigV4`'s chain of date, region and service) four HMACs more.
///
/// They live exactly as long as their key, are bounded, and the oldest gives way.
///
/// The first one that is made of the secret alone is found without a lock.
#[derive(Default)]
pub(crate) struct Prepared {
    alone: OnceLock<PreparedState>,
    others: Mutex<Vec<PreparedState>>,
}

struct PreparedState {
    id: [u8; 32],
    hash: Hash,
    parts: Box<[u8]>,
    key: Arc<MacKey>,
}

impl PreparedState {
    fn is(&self, id: &[u8; 32], hash: Hash, parts: &[u8]) -> bool {
        self.hash == hash && *self.parts == *parts && self.id == *id
    }
}

/// A prepared state that is ready to be used.
pub(crate) enum Ready<'k> {
    Alone(&'k MacKey),
    Shared(Arc<MacKey>),
}

impl std::ops::Deref for Ready<'_> {
    type Target = MacKey;

    fn deref(&self) -> &MacKey {
        match self {
            Self::Alone(key) => key,
            Self::Shared(key) => key,
        }
    }
}

impl Prepared {
    /// How many states a key keeps.
    const MOST: usize = 8;

    /// The state for a way of making it, and what the key is made of besides the secret.
    pub(crate) fn find(&self, id: &[u8; 32], hash: Hash, parts: &[u8]) -> Option<Ready<'_>> {
        if parts.is_empty()
            && let Some(state) = self.alone.get().filter(|state| state.is(id, hash, parts))
        {
            return Some(Ready::Alone(&state.key));
        }
        let states = self.others.lock().ok()?;
        let found = states.iter().find(|state| state.is(id, hash, parts));
        found.map(|state| Ready::Shared(Arc::clone(&state.key)))
    }

    /// Keeps a state.
    pub(crate) fn keep(&self, id: &[u8; 32], hash: Hash, parts: &[u8], key: &Arc<MacKey>) {
        let mut state = PreparedState { id: *id, hash, parts: parts.into(), key: Arc::clone(key) };
        if parts.is_empty() {
            match self.alone.set(state) {
                Ok(()) => return,
                Err(second) => state = second,
            }
        }
        let Ok(mut states) = self.others.lock() else { return };
        if states.len() >= Self::MOST {
            states.remove(0);
        }
        states.push(state);
    }
}

impl Clone for Prepared {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepared(..)")
    }
}

impl Key {
    /// A shared secret that serves any claimed key id.
    #[must_use]
    pub fn secret(secret: impl Into<Box<[u8]>>) -> Self {
        Self::of(Material::Secret(Secret::new(secret)))
    }

    /// A public key (SPKI, PKCS#1 or certificate-free PEM) that serves any claimed key id.
    pub fn public_pem(pem: &str) -> Result<Self, KeyError> {
        Ok(Self::of(Material::Public(Arc::new(PublicKey::from_pem(pem)?))))
    }

    /// A public key: PEM, a JSON Web Key, or the 64 hexadecimal digits of an Ed25519 key. It serves any claimed key id, if
    /// it is no JSON Web Key with a `kid`; of a private one it is the public half.
    pub fn public(text: &str) -> Result<Self, KeyError> {
        if is_json(text) {
            return Ok(Jwk::from_text(text)?.public()?);
        }
        Ok(Self::of(Material::Public(Arc::new(PublicKey::from_text(text)?))))
    }

    /// A private key (PKCS#8, PKCS#1 or SEC1 PEM) that serves any claimed key id.
    pub fn private_pem(pem: &str) -> Result<Self, KeyError> {
        Ok(Self::of(Material::Private(Arc::new(PrivateKey::from_pem(pem)?))))
    }

    /// A private key: PEM or a JSON Web Key. It serves any claimed key id, if it is no JSON Web Key with a `kid`.
    pub fn private(text: &str) -> Result<Self, KeyError> {
        if is_json(text) {
            return Ok(Jwk::from_text(text)?.private()?);
        }
        Self::private_pem(text)
    }

    /// The same key, limited to an algorithm and a validity besides the limits that it has: another algorithm than its
    /// own is an error, and of two instants the narrower one counts.
    pub fn limited(
        mut self,
        algorithm: Option<&str>,
        not_before: Option<UnixTime>,
        not_after: Option<UnixTime>,
    ) -> Result<Self, KeyError> {
        match (&self.algorithm, algorithm) {
            (Some(own), Some(given)) if own != given => return Err(KeyError::OtherAlgorithm),
            (None, Some(given)) => self.algorithm = Some(given.to_owned()),
            _ => {}
        }
        self.not_before = self.not_before.max(not_before);
        self.not_after = self.not_after.into_iter().chain(not_after).min();
        Ok(self)
    }

    /// The same key under a key id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The same key, whose uses are counted there.
    #[must_use]
    pub fn counted(mut self, tally: Arc<Tally>) -> Self {
        self.tally = Some(tally);
        self
    }

    /// Where its uses are counted, if anybody counts them.
    #[must_use]
    pub const fn tally(&self) -> Option<&Arc<Tally>> {
        self.tally.as_ref()
    }

    /// Counts a use: a message that it signed, or that was accepted because it verified it.
    pub fn count_use(&self, now: UnixTime) {
        if let Some(tally) = &self.tally {
            tally.count(now);
        }
    }

    /// Whether the key is valid at an instant.
    #[must_use]
    pub fn is_valid_at(&self, now: UnixTime) -> bool {
        self.not_before.is_none_or(|from| from <= now) && self.not_after.is_none_or(|to| now <= to)
    }

    /// A key of this material that serves any claimed key id, any fitting algorithm, at any time.
    #[must_use]
    pub fn of(material: Material) -> Self {
        Self {
            id: None,
            material,
            algorithm: None,
            not_before: None,
            not_after: None,
            prepared: Prepared::default(),
            tally: None,
        }
    }
}

/// Whether a key's text is JSON: no PEM begins so.
fn is_json(text: &str) -> bool {
    text.trim_ascii_start().starts_with('{')
}

/// The candidates for one claimed key id: one, or a few while keys rotate, the newest first; none where the id is unknown.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Arc<Key>>,
}

impl KeySet {
    /// How many candidates a set may hold: verification tries each, so this bounds its cost.
    pub const MOST: usize = 4;

    /// A set of the first [`KeySet::MOST`] keys given.
    pub fn new(keys: impl IntoIterator<Item = Arc<Key>>) -> Self {
        Self { keys: keys.into_iter().take(Self::MOST).collect() }
    }

    /// The candidates.
    #[must_use]
    pub fn keys(&self) -> &[Arc<Key>] {
        &self.keys
    }

    /// Those that are valid now: the one that is valid since latest first, and otherwise in their order.
    #[must_use]
    pub fn valid_at(&self, now: UnixTime) -> Vec<Arc<Key>> {
        let mut valid: Vec<_> = self.keys.iter().filter(|key| key.is_valid_at(now)).cloned().collect();
        valid.sort_by_key(|key| std::cmp::Reverse(key.not_before));
        valid
    }
}

/// What a resolver is asked: everything here is a claim of an unauthenticated request.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct KeyQuery<'a> {
    /// The key id that the request claims; `None` where the scheme carries none.
    pub claimed_key_id: Option<&'a [u8]>,
    /// The scheme's name.
    pub scheme: &'a str,
    /// What the key is to do. A store that fixes a key's purpose gives none for another.
    pub purpose: Purpose,
}

/// What a key is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To sign what leaves.
    Sign,
    /// To verify what arrives.
    #[default]
    Verify,
}

impl<'a> KeyQuery<'a> {
    /// A question for the key of `claimed_key_id` under `scheme`, that is to verify.
    #[must_use]
    pub const fn new(scheme: &'a str, claimed_key_id: Option<&'a [u8]>) -> Self {
        Self { claimed_key_id, scheme, purpose: Purpose::Verify }
    }

    /// The same question for a key that is to sign.
    #[must_use]
    pub const fn to_sign(self) -> Self {
        Self { purpose: Purpose::Sign, ..self }
    }
}

/// Finds the keys that may verify a request.
pub trait KeyResolver: Send + Sync {
    /// The candidates for a claimed key id; an empty set where it is unknown. Keys out of their validity may
    /// be returned: the engine judges that, so that the reason is told rightly.
    fn resolve<'a>(&'a self, query: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>>;
}
