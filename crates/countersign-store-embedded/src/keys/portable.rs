//! Keys as JSON text: for export and import, and for the way from the command line to a running gateway.
//!
//! The only place where key material becomes text that leaves the process, and only when its owner asks for it. The
//! text wipes itself where it is ours to wipe; what the JSON writer reallocates on the way is not.

use super::record::{KeyInfo, KeyKind, KeyPurpose, Record};
use super::seal::SealKey;
use super::{KeyStoreError, NewKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::canon::json_member;
use countersign_core::jwk::{self, Jwk, Published};
use countersign_core::key::{Material, Purpose, Secret};
use countersign_core::time::UnixTime;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

/// Text that is wiped when dropped, and never printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretText(String);

impl SecretText {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_text(mut self) -> Zeroizing<String> {
        Zeroizing::new(std::mem::take(&mut self.0))
    }
}

impl From<Zeroizing<String>> for SecretText {
    fn from(mut text: Zeroizing<String>) -> Self {
        Self(std::mem::take(&mut *text))
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// How material stands in text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    /// As base64 (RFC 4648, section 4), because its bytes are not text.
    Base64,
    /// As it is.
    #[default]
    Text,
}

impl Encoding {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "what decides whether a field is written is handed a reference"
    )]
    pub(crate) fn is_text(&self) -> bool {
        *self == Self::Text
    }

    /// Material as text: as it is where it is text.
    pub(crate) fn write(material: &Secret) -> (SecretText, Self) {
        match std::str::from_utf8(material.expose()) {
            Ok(text) => (SecretText::new(text), Self::Text),
            Err(_) => (SecretText(STANDARD.encode(material.expose())), Self::Base64),
        }
    }

    /// The material that a text stands for.
    pub(crate) fn read(self, text: &SecretText) -> Result<Secret, KeyStoreError> {
        match self {
            Self::Text => Ok(Secret::new(text.0.as_bytes())),
            Self::Base64 => match STANDARD.decode(&text.0).map(Zeroizing::new) {
                Ok(bytes) => Ok(Secret::new(&bytes[..])),
                Err(_) => Err(KeyStoreError::ImportUnreadable { why: "a `material` is not base64".to_owned() }),
            },
        }
    }
}

/// A key with its material, as text. What is missing when it is read has the value it has for a new key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortableKey {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) version: Option<u32>,
    #[serde(default = "secret")]
    pub(crate) kind: KeyKind,
    pub(crate) material: SecretText,
    #[serde(default, skip_serializing_if = "Encoding::is_text")]
    pub(crate) encoding: Encoding,
    #[serde(default)]
    pub(crate) algorithm: Option<String>,
    #[serde(default)]
    pub(crate) not_before: Option<i64>,
    #[serde(default)]
    pub(crate) not_after: Option<i64>,
    #[serde(default)]
    pub(crate) created_at: Option<i64>,
    #[serde(default)]
    pub(crate) revoked_at: Option<i64>,
    #[serde(default)]
    pub(crate) legacy: bool,
    #[serde(default, skip_serializing_if = "KeyPurpose::is_both")]
    pub(crate) purpose: KeyPurpose,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exported {
    /// The format's version.
    countersign_keys: u32,
    keys: Vec<PortableKey>,
}

/// Every record as JSON text, secrets included.
pub(crate) fn export(records: Vec<Record>) -> Result<Zeroizing<String>, KeyStoreError> {
    let keys = records.into_iter().map(PortableKey::from).collect();
    let text = serde_json::to_string_pretty(&Exported { countersign_keys: FORMAT, keys });
    let text = text.map_err(|error| KeyStoreError::Damaged { what: error.to_string() })?;
    Ok(Zeroizing::new(text + "\n"))
}

/// The records in what [`export`] gave, or in a JSON Web Key set (RFC 7517, section 5).
pub(crate) fn import(text: &str) -> Result<Vec<PortableKey>, KeyStoreError> {
    let unreadable = |why: String| KeyStoreError::ImportUnreadable { why };
    if is_sealed(text) {
        return Err(unreadable("it is sealed: `--seal-key-file` or `--seal-key-env` says with what".to_owned()));
    }
    // Both have `keys`; only ours has a version.
    let is_ours = json_member(text.as_bytes(), b"countersign_keys").is_ok_and(|version| version.is_some());
    if !is_ours && let Some(set) = jwk::own_texts(text) {
        let keys = set.map_err(|error| unreadable(error.to_string()))?;
        return keys.into_iter().enumerate().map(|(index, key)| of_jwk(index, key)).collect();
    }
    let exported: Exported = serde_json::from_str(text).map_err(|error| unreadable(without_values(&error)))?;
    if exported.countersign_keys != FORMAT {
        return Err(unreadable(format!("format {} is not known", exported.countersign_keys)));
    }
    Ok(exported.keys)
}

/// A key of a set, which is stored as it stands there; of a secret its bytes.
fn of_jwk(index: usize, (key, text): (Jwk, &str)) -> Result<PortableKey, KeyStoreError> {
    let id = key.kid().map(str::to_owned);
    let id = id.ok_or_else(|| KeyStoreError::ImportUnreadable { why: format!("keys[{index}]: `kid` is missing") })?;
    let kind = match (key.is_secret(), key.is_private()) {
        (true, _) => KeyKind::Secret,
        (_, true) => KeyKind::Private,
        _ => KeyKind::Public,
    };
    let mut new = NewKey::of(id, kind, Secret::new(text.as_bytes()));
    if kind == KeyKind::Secret {
        let unfit = |why: String| KeyStoreError::MaterialUnfit { kind: kind.to_string(), why };
        let secret = key.secret().map_err(|error| unfit(format!("keys[{index}]: {error}")))?;
        (new.algorithm, new.not_before, new.not_after) = (secret.algorithm, secret.not_before, secret.not_after);
        let Material::Secret(material) = secret.material else { return Err(unfit("it is not a secret".to_owned())) };
        new.material = material;
    }
    Ok(PortableKey::from(new))
}

/// What everybody may know of a key pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicPart {
    /// The key id.
    pub id: String,
    /// Which of the id's keys.
    pub version: u32,
    /// The first second in which it is valid, since the epoch.
    pub not_before: Option<i64>,
    /// The last second in which it is valid.
    pub not_after: Option<i64>,
    /// `SubjectPublicKeyInfo`, as PEM.
    pub pem: String,
    /// A JSON Web Key whose `kid` is the id. `None` where there is none of this kind of key.
    #[serde(skip)]
    pub jwk: Option<String>,
    /// Whether its private half is here, and signs: only then is it ours to publish.
    #[serde(skip)]
    pub signs: bool,
}

/// The public parts of the keys in what [`export`] gave, without those that are revoked. `pairs`: of key pairs; a secret among
/// them is an error otherwise.
pub(crate) fn public_parts(text: &str, pairs: bool) -> Result<Vec<PublicPart>, KeyStoreError> {
    let part = |key: PortableKey| {
        let (id, version) = (key.id.clone(), key.version.unwrap_or_default());
        let (not_before, not_after) = (key.not_before, key.not_after);
        let record = key.into_record(version, UnixTime::from_secs(0))?;
        let key = record.to_key()?;
        let published = Published::of(&key).map_err(|_| KeyStoreError::NothingPublic { id: id.clone() })?;
        let unfit = |why: String| KeyStoreError::MaterialUnfit { kind: record.info.kind.to_string(), why };
        let pem = published.key.to_pem().map_err(|error| unfit(error.to_string()))?;
        let jwk = match published.to_text() {
            Ok(jwk) => Some(jwk),
            Err(error) if error.is_foreign() => None,
            Err(error) => return Err(unfit(error.to_string())),
        };
        let signs = record.info.kind == KeyKind::Private && record.info.purpose.serves(Purpose::Sign);
        Ok(PublicPart { id, version, not_before, not_after, pem, jwk, signs })
    };
    let keys =
        import(text)?.into_iter().filter(|key| key.revoked_at.is_none() && (!pairs || key.kind != KeyKind::Secret));
    keys.map(part).collect()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedExport {
    /// The format's version.
    countersign_sealed_keys: u32,
    sealed: String,
}

impl SealKey {
    /// Seals what an export gave, for a place that others can read.
    pub fn seal_export(&self, text: &str) -> Result<String, KeyStoreError> {
        let sealed = STANDARD.encode(self.0.seal(SEALED_EXPORT, text.as_bytes())?);
        let text = serde_json::to_string_pretty(&SealedExport { countersign_sealed_keys: FORMAT, sealed });
        text.map(|text| text + "\n").map_err(|error| KeyStoreError::Damaged { what: error.to_string() })
    }

    /// Opens what [`SealKey::seal_export`] gave.
    pub fn open_export(&self, text: &str) -> Result<Zeroizing<String>, KeyStoreError> {
        let unreadable = |why: &str| KeyStoreError::ImportUnreadable { why: why.to_owned() };
        if !is_sealed(text) {
            return Err(unreadable("it is not sealed, and a seal key is given"));
        }
        let export: SealedExport = serde_json::from_str(text).map_err(|error| unreadable(&without_values(&error)))?;
        if export.countersign_sealed_keys != FORMAT {
            return Err(unreadable(&format!("format {} is not known", export.countersign_sealed_keys)));
        }
        let sealed = STANDARD.decode(&export.sealed).map_err(|_| unreadable("`sealed` is not base64"))?;
        let opened = self.0.open(SEALED_EXPORT, &sealed);
        let opened = opened.map_err(|_| unreadable("it was sealed with another seal key, or changed since"))?;
        let text = str::from_utf8(opened.expose()).map_err(|_| unreadable("what is sealed is not text"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

fn is_sealed(text: &str) -> bool {
    json_member(text.as_bytes(), b"countersign_sealed_keys").is_ok_and(|version| version.is_some())
}

impl PortableKey {
    /// The record that this becomes.
    pub(crate) fn into_record(self, version: u32, now: UnixTime) -> Result<Record, KeyStoreError> {
        let material = self.encoding.read(&self.material)?;
        let info = KeyInfo {
            id: self.id,
            version,
            kind: self.kind,
            algorithm: self.algorithm,
            not_before: self.not_before,
            not_after: self.not_after,
            created_at: self.created_at.unwrap_or(now.secs()),
            revoked_at: self.revoked_at,
            legacy: self.legacy,
            purpose: self.purpose,
        };
        Ok(Record { info, material })
    }
}

impl From<Record> for PortableKey {
    fn from(record: Record) -> Self {
        let Record { info, material } = record;
        let (material, encoding) = Encoding::write(&material);
        Self {
            id: info.id,
            version: Some(info.version),
            kind: info.kind,
            material,
            encoding,
            algorithm: info.algorithm,
            not_before: info.not_before,
            not_after: info.not_after,
            created_at: Some(info.created_at),
            revoked_at: info.revoked_at,
            legacy: info.legacy,
            purpose: info.purpose,
        }
    }
}

impl From<NewKey> for PortableKey {
    fn from(new: NewKey) -> Self {
        let (material, encoding) = Encoding::write(&new.material);
        Self {
            id: new.id,
            version: None,
            kind: new.kind,
            material,
            encoding,
            algorithm: new.algorithm,
            not_before: new.not_before.map(UnixTime::secs),
            not_after: new.not_after.map(UnixTime::secs),
            created_at: None,
            revoked_at: None,
            legacy: new.legacy,
            purpose: new.purpose,
        }
    }
}

impl TryFrom<PortableKey> for NewKey {
    type Error = KeyStoreError;

    fn try_from(key: PortableKey) -> Result<Self, KeyStoreError> {
        let material = key.encoding.read(&key.material)?;
        Ok(Self {
            id: key.id,
            kind: key.kind,
            material,
            algorithm: key.algorithm,
            not_before: key.not_before.map(UnixTime::from_secs),
            not_after: key.not_after.map(UnixTime::from_secs),
            legacy: key.legacy,
            purpose: key.purpose,
        })
    }
}

/// What the JSON reader says, unless it quotes a value: a secret in the wrong place is a secret still.
pub(crate) fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("invalid ") {
        format!("a value of the wrong kind at line {} column {}", error.line(), error.column())
    } else {
        text
    }
}

const fn secret() -> KeyKind {
    KeyKind::Secret
}

const FORMAT: u32 = 1;
const SEALED_EXPORT: &[u8] = b"countersign sealed export 1";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_written_by_hand_needs_only_ids_and_secrets() {
        let keys = import(r#"{"countersign_keys":1,"keys":[{"id":"a","material":"a secret"}]}"#).unwrap();
        let record = keys.into_iter().next().unwrap().into_record(1, UnixTime::from_secs(9)).unwrap();
        assert_eq!((record.info.kind, record.info.created_at, record.info.legacy), (KeyKind::Secret, 9, false));
        assert_eq!(record.material.expose(), b"a secret");
    }

    /// RFC 8037, appendix A.1.
    #[test]
    fn a_json_web_key_set_is_imported_by_kid() {
        let private = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"pair"}"#;
        let public =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"half","exp":9}"#;
        let secret = r#"{"kty":"oct","k":"YSBzZWNyZXQgb2Ygc29tZSBsZW5ndGg","kid":"shared","alg":"HS256","nbf":7}"#;
        let foreign = r#"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let keys = import(&format!(r#"{{"keys":[{private},{foreign},{public},{secret}]}}"#)).unwrap();
        let now = UnixTime::from_secs(1);
        let records: Vec<_> =
            keys.into_iter().map(|key| key.into_record(1, now).and_then(Record::checked).unwrap()).collect();
        let kinds: Vec<_> = records.iter().map(|record| (record.info.id.as_str(), record.info.kind)).collect();
        assert_eq!(kinds, [("pair", KeyKind::Private), ("half", KeyKind::Public), ("shared", KeyKind::Secret)]);
        assert_eq!(records[1].info.not_after, Some(9));
        assert_eq!(records[2].material.expose(), b"a secret of some length");
        assert_eq!(
            (records[2].info.algorithm.as_deref(), records[2].info.not_before),
            (Some("hmac-sha256"), Some(7))
        );
    }

    #[test]
    fn attack_35_a_set_that_cannot_be_imported_is_not_repeated() {
        for (set, expected) in [
            (r#"{"keys":[{"kty":"oct","k":"Y2FuYXJ5"}]}"#, "keys[0]: `kid` is missing"),
            (r#"{"keys":[{"kty":"oct","kid":"a","k":"canary="}]}"#, "keys[0]: `k` is not base64url"),
            (r#"{"keys":[{"kty":"oct","kid":"a","k":"Y2FuYXJ5","k":"Y2FuYXJ5"}]}"#, "keys[0]: not a JSON object"),
            (r#"{"keys":[]}"#, "no key that signs"),
        ] {
            let error = import(set).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("canary") && !error.contains("Y2Fu"), "{error}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_written_as_base64_and_read_as_they_were() {
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [&all[..], b"sixteen bytes!!!", b"", "\0é".as_bytes(), &[0xff; 16]] {
            let (text, encoding) = Encoding::write(&Secret::new(bytes));
            assert_eq!(encoding.read(&text).unwrap().expose(), bytes);
            assert_eq!(encoding == Encoding::Text, std::str::from_utf8(bytes).is_ok());
        }
        for wrong in ["canary", "Y2FuYXJ5=", "Y2Fu YXJ5", "Y2FuYXJ", "Y2FuYX=="] {
            let error = Encoding::Base64.read(&SecretText::new(wrong)).unwrap_err().to_string();
            assert!(
                error.contains("is not base64") && !error.contains("Y2Fu") && !error.contains("canary"),
                "{error}"
            );
        }
        let set = r#"{"keys":[{"kty":"oct","kid":"a","k":"_____________________w"}]}"#;
        let key = import(set).unwrap().pop().unwrap();
        assert_eq!(key.encoding.read(&key.material).unwrap().expose(), [0xff; 16]);
    }

    #[test]
    fn attack_35_a_sealed_export_opens_with_its_key_alone_and_whole() {
        let key = |byte: &str| SealKey::parse(&byte.repeat(32)).unwrap();
        let text = r#"{"countersign_keys":1,"keys":[{"id":"a","material":"canary"}]}"#;
        let sealed = key("0a").seal_export(text).unwrap();
        assert!(!sealed.contains("canary"));
        assert_eq!(&*key("0a").open_export(&sealed).unwrap(), text);
        let refused = |key: SealKey, text: &str| {
            let error = key.open_export(text).unwrap_err();
            assert!(matches!(error, KeyStoreError::ImportUnreadable { .. }) && !error.to_string().contains("canary"));
        };
        refused(key("0b"), &sealed);
        refused(key("0a"), text);
        refused(key("0a"), &sealed.replace("_keys\": 1", "_keys\": 2"));
        refused(key("0a"), &sealed.replace("\"sealed\": \"", "\"sealed\": \"AAAA"));
        refused(key("0a"), r#"{"countersign_sealed_keys":1,"sealed":"canary*"}"#);
        assert!(import(&sealed).unwrap_err().to_string().contains("it is sealed"));
    }

    #[test]
    fn what_is_not_an_export_is_refused() {
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"countersign_keys":2,"keys":[]}"#,
            r#"{"countersign_keys":1,"keys":[{"id":"a"}]}"#,
            r#"{"countersign_keys":1,"keys":[{"id":"a","material":"s","secret":"s"}]}"#,
            r#"{"countersign_keys":1,"keys":[{"id":"a","id":"b","material":"s"}]}"#,
            r#"{"countersign_keys":1,"keys":[{"id":"a","material":"s","kind":"rsa"}]}"#,
            r#"{"countersign_keys":1,"keys":[{"id":"a","material":"s","encoding":"hex"}]}"#,
        ] {
            assert!(matches!(import(wrong), Err(KeyStoreError::ImportUnreadable { .. })), "{wrong}");
        }
    }

    #[test]
    fn attack_35_a_secret_in_the_wrong_place_is_not_repeated() {
        let wrong = r#"{"countersign_keys":1,"keys":[{"id":"a","material":"s","legacy":"canary"}]}"#;
        let error = import(wrong).unwrap_err().to_string();
        assert!(error.contains("line 1 column") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn attack_35_secret_text_does_not_print() {
        let text = SecretText("canary".to_owned());
        assert!(!format!("{text:?}").contains("canary"));
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_refused_without_panic(text in "\\PC{0,80}") {
            prop_assert!(import(&text).is_err());
        }
    }
}
