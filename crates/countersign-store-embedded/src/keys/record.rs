//! One key as it is stored: what may be shown, and the material, sealed.
//!
//! ```text
//! 1 (the format) · length u32 · what may be shown, as JSON · nonce [12] · material, sealed · tag [16]
//! ```
//!
//! The JSON, with the id and the version in it, is authenticated with the material to the byte. Changing anything
//! about a key therefore seals it anew.

use super::KeyStoreError;
use super::seal::Sealer;
use countersign_core::alg::{Asymmetric, Hash, KeyError};
use countersign_core::key::{Key, Material, Purpose, Secret};
use countersign_core::time::UnixTime;
use serde::{Deserialize, Serialize};

/// What may be shown of a key. Times are whole seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyInfo {
    /// The key id.
    pub id: String,
    /// Which of the id's keys: 1 for the first, counted on when they rotate, never used again.
    pub version: u32,
    /// What the key is made of.
    pub kind: KeyKind,
    /// The one algorithm it may be used with. `None`: whatever the scheme says.
    pub algorithm: Option<String>,
    /// The first second in which it is valid.
    pub not_before: Option<i64>,
    /// The last second in which it is valid.
    pub not_after: Option<i64>,
    /// When it was stored.
    pub created_at: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// Whether a secret that is too short was accepted all the same.
    pub legacy: bool,
    /// What it may do.
    #[serde(default, skip_serializing_if = "KeyPurpose::is_both")]
    pub purpose: KeyPurpose,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPurpose {
    /// Sign what leaves and verify what arrives, as far as it can.
    #[default]
    Both,
    /// Sign what leaves.
    Sign,
    /// Verify what arrives.
    Verify,
}

impl KeyPurpose {
    /// Whether it may do what is asked of it.
    #[must_use]
    pub const fn serves(self, purpose: Purpose) -> bool {
        matches!((self, purpose), (Self::Both, _) | (Self::Sign, Purpose::Sign) | (Self::Verify, Purpose::Verify))
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "what decides whether a field is written is handed a reference"
    )]
    pub(crate) fn is_both(&self) -> bool {
        *self == Self::Both
    }
}

impl KeyInfo {
    /// Whether the key is neither revoked nor over. One that is not yet valid is active.
    #[must_use]
    pub fn is_active_at(&self, now: UnixTime) -> bool {
        self.revoked_at.is_none() && self.not_after.is_none_or(|last| now.secs() <= last)
    }
}

/// What a key is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// A key pair's private half, as PEM or a JSON Web Key.
    Private,
    /// A key pair's public half, as PEM or a JSON Web Key.
    Public,
    /// A shared secret, as its bytes.
    Secret,
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Private => "private key",
            Self::Public => "public key",
            Self::Secret => "secret",
        })
    }
}

/// A key with its material.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) info: KeyInfo,
    pub(crate) material: Secret,
}

impl Record {
    /// Refuses what could not be used, or should not be.
    fn check(&self) -> Result<(), KeyStoreError> {
        let info = &self.info;
        check_id(&info.id)?;
        if let (Some(not_before), Some(not_after)) = (info.not_before, info.not_after)
            && not_before > not_after
        {
            return Err(KeyStoreError::ValidityEmpty { not_before, not_after });
        }
        let bytes = self.material.expose().len();
        if info.kind == KeyKind::Secret && bytes < LEAST_SECRET && !(info.legacy && bytes > 0) {
            return Err(KeyStoreError::SecretTooShort { bytes, least: LEAST_SECRET });
        }
        if info.kind == KeyKind::Public && info.purpose == KeyPurpose::Sign {
            return Err(KeyStoreError::PurposeUnsuitable);
        }
        let key = self.to_key()?;
        match &info.algorithm {
            Some(algorithm) if !suits(algorithm, &key.material) => {
                Err(KeyStoreError::AlgorithmUnsuitable { algorithm: algorithm.clone(), kind: info.kind.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// The record with what its material says of itself (`alg`, `nbf` and `exp` of a JSON Web Key) among what may be
    /// shown, if that can be used and should be.
    pub(crate) fn checked(mut self) -> Result<Self, KeyStoreError> {
        self.check()?;
        let key = self.to_key()?;
        // What was allowed but not needed would be shown as a weakness that is none.
        self.info.legacy &= self.info.kind == KeyKind::Secret && self.material.expose().len() < LEAST_SECRET;
        let second = |instant: Option<UnixTime>| instant.map(UnixTime::secs);
        self.info.algorithm = key.algorithm;
        (self.info.not_before, self.info.not_after) = (second(key.not_before), second(key.not_after));
        self.check()?;
        Ok(self)
    }

    /// The key as the engine takes it.
    pub(crate) fn to_key(&self) -> Result<Key, KeyStoreError> {
        let info = &self.info;
        let unfit = |why: String| KeyStoreError::MaterialUnfit { kind: info.kind.to_string(), why };
        let text = || std::str::from_utf8(self.material.expose()).map_err(|_| unfit("it is not text".to_owned()));
        let refused = |error: KeyError| unfit(error.to_string());
        let key = match info.kind {
            KeyKind::Private => Key::private(text()?).map_err(refused)?,
            KeyKind::Public => Key::public(text()?).map_err(refused)?,
            KeyKind::Secret => Key::secret(self.material.expose()),
        };
        let not_before = info.not_before.map(UnixTime::from_secs);
        // Valid to the end of its last second.
        let not_after =
            info.not_after.map(|last| UnixTime::from_millis(last.saturating_mul(1000).saturating_add(999)));
        let key = key.limited(info.algorithm.as_deref(), not_before, not_after).map_err(refused)?;
        Ok(key.with_id(&info.id))
    }

    pub(crate) fn encode(&self, sealer: &Sealer) -> Result<Vec<u8>, KeyStoreError> {
        let shown = serde_json::to_vec(&self.info).map_err(|error| damaged(&error.to_string()))?;
        let length = u32::try_from(shown.len()).map_err(|_| damaged("a record is too long"))?;
        let sealed = sealer.seal(&context(&shown), self.material.expose())?;
        Ok([&[FORMAT][..], &length.to_le_bytes(), &shown, &sealed].concat())
    }

    pub(crate) fn decode(id: &str, version: u32, bytes: &[u8], sealer: &Sealer) -> Result<Self, KeyStoreError> {
        let wrong = |what: &str| damaged(&format!("key {id:?}, version {version}: {what}"));
        let (shown, sealed) = parts(bytes).ok_or_else(|| wrong("not a key record"))?;
        let info = info(id, version, shown)?;
        let material = sealer.open(&context(shown), sealed).map_err(|_| wrong("its seal does not hold"))?;
        Ok(Self { info, material })
    }
}

/// What may be shown of a stored key, without opening it.
pub(crate) fn decode_info(id: &str, version: u32, bytes: &[u8]) -> Result<KeyInfo, KeyStoreError> {
    let (shown, _) =
        parts(bytes).ok_or_else(|| damaged(&format!("key {id:?}, version {version}: not a key record")))?;
    info(id, version, shown)
}

fn info(id: &str, version: u32, shown: &[u8]) -> Result<KeyInfo, KeyStoreError> {
    let info: KeyInfo =
        serde_json::from_slice(shown).map_err(|error| damaged(&format!("key {id:?}, version {version}: {error}")))?;
    if info.id != id || info.version != version {
        let (other, of) = (info.version, &info.id);
        return Err(damaged(&format!("key {id:?}, version {version}: holds version {other} of {of:?}")));
    }
    Ok(info)
}

fn parts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&FORMAT, bytes) = bytes.split_first()? else { return None };
    let (length, bytes) = bytes.split_first_chunk()?;
    bytes.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

fn context(shown: &[u8]) -> Vec<u8> {
    [b"countersign key record 1\0", shown].concat()
}

fn check_id(id: &str) -> Result<(), KeyStoreError> {
    let why = match id.len() {
        0 => "it is empty",
        1..=MOST_ID if id.chars().any(char::is_control) => "it has a control character",
        1..=MOST_ID => return Ok(()),
        _ => "it is longer than 256 bytes",
    };
    Err(KeyStoreError::IdUnfit { id: id.chars().take(80).collect(), why: why.to_owned() })
}

/// Whether an algorithm's name in scheme files is one that the material serves.
fn suits(algorithm: &str, material: &Material) -> bool {
    let pair = || Asymmetric::from_record(algorithm);
    match material {
        Material::Private(key) => pair().is_some_and(|algorithm| key.public().fits(algorithm)),
        Material::Public(key) => pair().is_some_and(|algorithm| key.fits(algorithm)),
        Material::Secret(_) => Hash::from_name(algorithm.strip_prefix("hmac-").unwrap_or(algorithm)).is_some(),
        _ => false,
    }
}

fn damaged(what: &str) -> KeyStoreError {
    KeyStoreError::Damaged { what: what.to_owned() }
}

const FORMAT: u8 = 1;
/// How many bytes a secret has at least, unless it is a legacy one.
pub const LEAST_SECRET: usize = 16;
const MOST_ID: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(id: &str, secret: &str) -> Record {
        let info = KeyInfo {
            id: id.to_owned(),
            version: 3,
            kind: KeyKind::Secret,
            algorithm: None,
            not_before: None,
            not_after: Some(2_000),
            created_at: 1_000,
            revoked_at: None,
            legacy: false,
            purpose: KeyPurpose::Both,
        };
        Record { info, material: Secret::new(secret.as_bytes()) }
    }

    fn sealer() -> Sealer {
        Sealer::create(&tempfile::tempdir().unwrap().path().join("seal.key")).unwrap()
    }

    const LONG: &str = "sixteen bytes!!!";

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let (sealer, record) = (sealer(), record("client", LONG));
        let bytes = record.encode(&sealer).unwrap();
        let read = Record::decode("client", 3, &bytes, &sealer).unwrap();
        assert_eq!((read.info, read.material.expose()), (record.info.clone(), LONG.as_bytes()));
        assert_eq!(decode_info("client", 3, &bytes).unwrap(), record.info);
    }

    #[test]
    fn attack_35_a_record_under_another_name_or_with_another_life_does_not_open() {
        let (sealer, record) = (sealer(), record("client", LONG));
        let bytes = record.encode(&sealer).unwrap();
        assert!(Record::decode("other", 3, &bytes, &sealer).is_err());
        assert!(Record::decode("client", 4, &bytes, &sealer).is_err());
        // As long as before, valid for longer.
        let at = bytes.windows(4).position(|window| window == b"2000").unwrap();
        let mut longer = bytes;
        longer[at] = b'9';
        assert_eq!(decode_info("client", 3, &longer).unwrap().not_after, Some(9_000));
        let error = Record::decode("client", 3, &longer, &sealer).unwrap_err();
        assert!(error.to_string().contains("its seal does not hold"), "{error}");
    }

    #[test]
    fn attack_06_short_secrets_are_refused_unless_they_are_said_to_be_legacy() {
        for length in 0..16 {
            let short = record("client", &LONG[..length]);
            assert_eq!(short.check(), Err(KeyStoreError::SecretTooShort { bytes: length, least: 16 }));
            let legacy = Record { info: KeyInfo { legacy: true, ..short.info }, ..short };
            assert_eq!(legacy.check().is_ok(), length > 0, "{length} bytes");
        }
        assert_eq!(record("client", LONG).check(), Ok(()));
    }

    #[test]
    fn ids_are_text_of_1_to_256_bytes_without_control_characters() {
        let longest = "é".repeat(128);
        for good in ["a", "user@example.com", "with space", "ключ", &longest] {
            assert_eq!(record(good, LONG).check(), Ok(()), "{good}");
        }
        let too_long = format!("{longest}a");
        for bad in ["", "a\n", "\0", "a\u{7f}", "\u{85}", &too_long] {
            assert!(matches!(record(bad, LONG).check(), Err(KeyStoreError::IdUnfit { .. })), "{bad:?}");
        }
    }

    #[test]
    fn attack_05_an_algorithm_has_to_suit_the_material() {
        let with = |algorithm: &str| {
            let mut record = record("client", LONG);
            record.info.algorithm = Some(algorithm.to_owned());
            record.check()
        };
        for good in ["hmac-sha256", "hmac-md5", "md5"] {
            assert_eq!(with(good), Ok(()), "{good}");
        }
        for bad in ["", "hmac-", "hmac-sha257", "rsa-sha256", "ed25519", "none", "HMAC-SHA256"] {
            assert!(matches!(with(bad), Err(KeyStoreError::AlgorithmUnsuitable { .. })), "{bad}");
        }
    }

    #[test]
    fn material_that_is_no_key_is_refused() {
        for kind in [KeyKind::Public, KeyKind::Private] {
            let mut record = record("client", "-----BEGIN NOTHING-----");
            record.info.kind = kind;
            assert!(matches!(record.check(), Err(KeyStoreError::MaterialUnfit { .. })), "{kind}");
        }
        let mut binary = record("client", "");
        binary.material = Secret::new([0xff; 32]);
        for kind in [KeyKind::Public, KeyKind::Private] {
            binary.info.kind = kind;
            assert!(matches!(binary.check(), Err(KeyStoreError::MaterialUnfit { .. })), "{kind}");
        }
    }

    #[test]
    fn a_secret_is_bytes_whether_they_are_text_or_not() {
        let mut binary = record("client", "");
        binary.material = Secret::new([0xff; 16]);
        let checked = binary.clone().checked().unwrap();
        let Material::Secret(secret) = checked.to_key().unwrap().material else { panic!("a secret") };
        assert_eq!(secret.expose(), [0xff; 16]);
        binary.material = Secret::new([0xff; 15]);
        assert_eq!(binary.checked().map(|_| ()), Err(KeyStoreError::SecretTooShort { bytes: 15, least: 16 }));
    }

    #[test]
    fn a_secret_that_is_long_enough_is_not_called_legacy() {
        for (text, legacy) in [(LONG, false), ("short", true)] {
            let mut given = record("client", text);
            given.info.legacy = true;
            assert_eq!(given.checked().unwrap().info.legacy, legacy, "{text}");
        }
    }

    /// RFC 8037, appendix A.1.
    #[test]
    fn a_json_web_key_limits_its_record() {
        let private = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"theirs","alg":"EdDSA","nbf":1500,"exp":1900}"#;
        for kind in [KeyKind::Private, KeyKind::Public] {
            let mut given = record("ours", private);
            given.info.kind = kind;
            let checked = given.clone().checked().unwrap();
            let info = &checked.info;
            assert_eq!((info.id.as_str(), info.algorithm.as_deref()), ("ours", Some("ed25519")));
            assert_eq!((info.not_before, info.not_after), (Some(1_500), Some(1_900)));
            let key = checked.to_key().unwrap();
            assert_eq!(key.id.as_deref(), Some("ours"));
            assert!(!key.is_valid_at(UnixTime::from_secs(1_901)));
            // Its validity is narrowed, its algorithm is not exchanged.
            given.info.not_after = Some(1_800);
            assert_eq!(given.clone().checked().unwrap().info.not_after, Some(1_800));
            given.info.algorithm = Some("rsa-sha256".to_owned());
            assert!(matches!(given.clone().checked(), Err(KeyStoreError::MaterialUnfit { .. })));
            given.info.algorithm = None;
            given.info.not_before = Some(1_950);
            assert!(matches!(given.checked(), Err(KeyStoreError::ValidityEmpty { .. })));
        }
        let mut public = record("ours", r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw"}"#);
        public.info.kind = KeyKind::Public;
        assert!(matches!(public.checked(), Err(KeyStoreError::MaterialUnfit { .. })));
    }

    #[test]
    fn attack_35_a_purpose_is_sealed_and_records_of_before_it_open() {
        let (sealer, record) = (sealer(), record("client", LONG));
        let bytes = record.encode(&sealer).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"purpose"), "an older program opens it");
        assert_eq!(decode_info("client", 3, &bytes).unwrap().purpose, KeyPurpose::Both);
        let mut limited = record;
        limited.info.purpose = KeyPurpose::Verify;
        let bytes = limited.encode(&sealer).unwrap();
        assert_eq!(Record::decode("client", 3, &bytes, &sealer).unwrap().info.purpose, KeyPurpose::Verify);
        // Not the same without it.
        let at = bytes.windows(7).position(|window| window == b"verify\"").unwrap();
        let mut changed = bytes;
        changed.splice(at..at + 7, *b"sign\"  ");
        assert_eq!(decode_info("client", 3, &changed).unwrap().purpose, KeyPurpose::Sign);
        let error = Record::decode("client", 3, &changed, &sealer).unwrap_err();
        assert!(error.to_string().contains("its seal does not hold"), "{error}");
    }

    #[test]
    fn a_life_that_never_is_is_refused() {
        let mut record = record("client", LONG);
        record.info.not_before = Some(2_001);
        assert_eq!(record.check(), Err(KeyStoreError::ValidityEmpty { not_before: 2_001, not_after: 2_000 }));
        record.info.not_before = Some(2_000);
        assert_eq!(record.check(), Ok(()));
    }

    #[test]
    fn a_key_is_valid_to_the_end_of_its_last_second() {
        let key = record("client", LONG).to_key().unwrap();
        assert!(key.is_valid_at(UnixTime::from_millis(2_000_999)));
        assert!(!key.is_valid_at(UnixTime::from_millis(2_001_000)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_record_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode_info("client", 3, &bytes).is_err());
            let framed = [&[FORMAT, 10, 0, 0, 0][..], &bytes].concat();
            prop_assert!(decode_info("client", 3, &framed).is_err());
        }
    }
}
