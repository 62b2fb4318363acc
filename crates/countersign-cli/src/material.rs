//! Keys as they are given: a secret as text, a key as PEM or as a JSON Web Key, or a file of several.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_core::alg::{Asymmetric, Hash, KeyError};
use countersign_core::jwk::Jwk;
use countersign_core::{Key, KeyQuery, KeySet};
use zeroize::Zeroizing;

/// Text that must not be shown, and is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// A secret from a file: its text, without the line end that editors put there.
    pub(crate) fn read(path: &Path) -> Result<Self, MaterialError> {
        let file = File::open(path).map_err(|source| MaterialError::Unreadable { path: path.to_owned(), source })?;
        Self::read_from(file, path)
    }

    /// The same, of a file that was opened.
    pub(crate) fn read_from(mut file: File, path: &Path) -> Result<Self, MaterialError> {
        let unreadable = |source| MaterialError::Unreadable { path: path.to_owned(), source };
        let mut bytes = Zeroizing::new(Vec::new());
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| MaterialError::NotText { path: path.to_owned() })?;
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() {
            return Err(MaterialError::Empty { path: path.to_owned() });
        }
        Ok(Self::new(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// What a key is made of, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// A JSON Web Key, whatever it is one of.
    Jwk(SecretText),
    Private(SecretText),
    Public(String),
    Secret(SecretText),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MaterialError {
    #[error("`{name}` is not an algorithm")]
    Algorithm { name: String },
    #[error("{} is empty", path.display())]
    Empty { path: PathBuf },
    #[error("the key cannot be used: {0}")]
    Key(#[from] KeyError),
    #[error("{}: the key cannot be used: {error}", path.display())]
    KeyFile { path: PathBuf, error: KeyError },
    #[error("{} has a key without its first and last line, `-----BEGIN …-----` and `-----END …-----`", path.display())]
    NoPem { path: PathBuf },
    #[error("{} is not text", path.display())]
    NotText { path: PathBuf },
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
}

impl MaterialError {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Algorithm { name } => Some(match nearest_algorithm(name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", algorithms().collect::<Vec<_>>().join(", ")),
            }),
            Self::Key(KeyError::Encrypted) | Self::KeyFile { error: KeyError::Encrypted, .. } => {
                Some("openssl pkey -in KEY -out DECRYPTED".to_owned())
            }
            Self::NoPem { path } => Some(format!(
                "openssl base64 -d -A -in {} | openssl pkey -inform DER -out key.pem; with -pubin if it is a public key",
                path.display()
            )),
            _ => None,
        }
    }
}

impl Material {
    /// A key from a file of PEM, or of a JSON Web Key; what it is, the file says.
    pub(crate) fn read_key(path: &Path) -> Result<Self, MaterialError> {
        let text = SecretText::read(path)?;
        if is_bare_der(text.expose()) {
            return Err(MaterialError::NoPem { path: path.to_owned() });
        }
        Ok(if text.expose().trim_ascii_start().starts_with('{') {
            Self::Jwk(text)
        } else if text.expose().contains("PRIVATE KEY-----") {
            Self::Private(text)
        } else {
            Self::Public(text.expose().to_owned())
        })
    }

    /// Reads the key.
    pub(crate) fn key(&self, id: Option<&str>, algorithm: Option<&str>) -> Result<Key, MaterialError> {
        let key = match self {
            Self::Jwk(text) => Jwk::from_text(text.expose()).and_then(Jwk::key).map_err(KeyError::from)?,
            Self::Private(text) => Key::private(text.expose())?,
            Self::Public(text) => Key::public(text)?,
            Self::Secret(text) => Key::secret(text.expose().as_bytes()),
        };
        let algorithm = algorithm.map(known_algorithm).transpose()?;
        let key = key.limited(algorithm.as_deref(), None, None)?;
        // The id that is given counts, and else the one that the key brings.
        Ok(match id {
            Some(id) => key.with_id(id),
            None => key,
        })
    }

    /// A digest of all that makes a key, for finding one that was read before.
    pub(crate) fn fingerprint(&self, id: Option<&str>, algorithm: Option<&str>) -> [u8; 32] {
        let (kind, text) = match self {
            Self::Jwk(text) => (b"jwk".as_slice(), text.expose()),
            Self::Private(text) => (b"private".as_slice(), text.expose()),
            Self::Public(text) => (b"public".as_slice(), text.as_str()),
            Self::Secret(text) => (b"secret".as_slice(), text.expose()),
        };
        let mut hasher = Hash::Sha256.begin();
        let absent = u64::MAX.to_be_bytes();
        for piece in [Some(kind), Some(text.as_bytes()), id.map(str::as_bytes), algorithm.map(str::as_bytes)] {
            // Absent and empty differ.
            hasher.update(&piece.map_or(absent, |piece| (piece.len() as u64).to_be_bytes()));
            hasher.update(piece.unwrap_or_default());
        }
        let digest = hasher.finish();
        std::array::from_fn(|at| digest.as_bytes().get(at).copied().unwrap_or_default())
    }
}

/// Whether a text is a key in base64 and nothing else, as some vendors hand them out: DER begins with a sequence, whose
/// length takes two bytes more (PKCS#1, PKCS#8, SPKI of RSA) or none (of elliptic curves).
fn is_bare_der(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte);
    let text = text.trim_ascii();
    text.starts_with('M')
        && text.len() > 56
        && text.bytes().all(is_base64)
        && !text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Keys from a file, found by the id that a message claims.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyRing {
    keys: Vec<Arc<Key>>,
}

/// More keys could serve than are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found} keys could have made the signature, and at most {} are tried", KeySet::MOST)]
pub(crate) struct TooManyKeys {
    found: usize,
}

impl KeyRing {
    pub(crate) fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self { keys: keys.into_iter().map(Arc::new).collect() }
    }

    /// The keys for a claimed id. `only`: the id that the caller insists on.
    pub(crate) fn find(&self, query: &KeyQuery<'_>, only: Option<&str>) -> Result<KeySet, TooManyKeys> {
        let serves = |key: &&Arc<Key>| match key.id.as_deref() {
            None => true,
            Some(id) => {
                only.is_none_or(|only| only == id)
                    && query.claimed_key_id.is_none_or(|claimed| claimed == id.as_bytes())
            }
        };
        let found: Vec<_> = self.keys.iter().filter(serves).cloned().collect();
        match found.len() {
            0..=KeySet::MOST => Ok(KeySet::new(found)),
            found => Err(TooManyKeys { found }),
        }
    }
}

/// The algorithm's name, if there is such an algorithm.
pub(crate) fn known_algorithm(name: &str) -> Result<String, MaterialError> {
    if algorithms().any(|known| known == name) {
        Ok(name.to_owned())
    } else {
        Err(MaterialError::Algorithm { name: name.to_owned() })
    }
}

fn algorithms() -> impl Iterator<Item = String> {
    let hashes = Hash::ALL.iter().flat_map(|hash| [hash.name().to_owned(), format!("hmac-{}", hash.name())]);
    let names: Vec<&str> = Asymmetric::ALL.iter().map(|algorithm| algorithm.name()).collect();
    // `ed25519` is called the same everywhere.
    let registered = Asymmetric::REGISTERED.iter().map(|(name, _)| *name).filter(|name| !names.contains(name));
    let registered: Vec<&str> = registered.collect();
    hashes.chain(names.into_iter().chain(registered).map(str::to_owned))
}

fn nearest_algorithm(name: &str) -> Option<String> {
    countersign_core::scheme::nearest(name, algorithms())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        let material = Material::Secret(SecretText::new("s3cr3t"));
        assert!(!format!("{material:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_secret_file_loses_one_line_end_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (text, secret) in [("a b", "a b"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a ")] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(SecretText::read(&path).unwrap().expose(), secret, "{text:?}");
        }
        for bytes in [&b""[..], b"\n", b"\xff"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(SecretText::read(&path).is_err(), "{bytes:?}");
        }
        assert!(SecretText::read(&folder.path().join("none")).is_err());
    }

    #[test]
    fn keys_that_differ_have_different_fingerprints() {
        let secret = |text: &str| Material::Secret(SecretText::new(text));
        let all = [
            secret("a").fingerprint(None, None),
            secret("a").fingerprint(Some(""), None),
            secret("a").fingerprint(None, Some("")),
            secret("a").fingerprint(Some("i"), None),
            secret("a").fingerprint(None, Some("i")),
            secret("ai").fingerprint(None, None),
            Material::Jwk(SecretText::new("a")).fingerprint(None, None),
            Material::Public("a".to_owned()).fingerprint(None, None),
            Material::Private(SecretText::new("a")).fingerprint(None, None),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    /// RFC 8037, appendix A.1.
    #[test]
    fn a_json_web_key_is_what_it_says_unless_it_is_told_otherwise() {
        let text = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"theirs","alg":"EdDSA"}"#;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.jwk");
        std::fs::write(&path, format!("\n{text}\n")).unwrap();
        let private = Material::read_key(&path).unwrap();
        assert!(!format!("{private:?}").contains("nWGx"));
        let key = private.key(None, None).unwrap();
        assert_eq!((key.id.as_deref(), key.algorithm.as_deref()), (Some("theirs"), Some("ed25519")));
        assert!(matches!(key.material, countersign_core::Material::Private(_)));
        assert_eq!(private.key(Some("ours"), Some("ed25519")).unwrap().id.as_deref(), Some("ours"));
        let error = private.key(None, Some("rsa-sha256")).unwrap_err();
        assert!(matches!(error, MaterialError::Key(KeyError::OtherAlgorithm)), "{error}");
        let public = Material::Public(text.to_owned()).key(None, None).unwrap();
        assert!(matches!(public.material, countersign_core::Material::Public(_)));
        std::fs::write(&path, r#"{"kty":"oct","k":"AP8"}"#).unwrap();
        let secret = Material::read_key(&path).unwrap().key(None, None).unwrap();
        let countersign_core::Material::Secret(secret) = secret.material else { panic!("a secret") };
        assert_eq!(secret.expose(), [0, 0xff]);
    }

    #[test]
    fn a_ring_gives_the_keys_of_the_claimed_id_and_those_of_any() {
        let key = |id: Option<&str>| id.map_or(Key::secret(*b"x"), |id| Key::secret(*b"x").with_id(id));
        let ring = KeyRing::new([key(Some("a")), key(Some("a")), key(Some("b")), key(None)]);
        let count = |claimed: Option<&[u8]>, only| {
            ring.find(&KeyQuery::new("s", claimed), only).map(|keys| keys.keys().len())
        };
        assert_eq!(count(Some(b"a"), None), Ok(3));
        assert_eq!(count(Some(b"c"), None), Ok(1));
        assert_eq!(count(None, None), Ok(4));
        assert_eq!(count(None, Some("b")), Ok(2));
        assert_eq!(count(Some(b"a"), Some("b")), Ok(1));
        let crowd = KeyRing::new((0..5).map(|_| key(None)));
        assert_eq!(crowd.find(&KeyQuery::new("s", None), None).unwrap_err(), TooManyKeys { found: 5 });
    }

    #[test]
    fn an_unknown_algorithm_is_refused_with_a_hint() {
        let error = known_algorithm("hmac-sha255").unwrap_err();
        assert_eq!(error.hint().unwrap(), "did you mean `hmac-sha256`?");
        assert!(known_algorithm("zzzzzzzzzzzzzzz").unwrap_err().hint().unwrap().contains("ed25519"));
    }
}
