//! JSON Web Keys (RFC 7517) of the kinds that sign here: `oct`, `EC` on P-256 and P-384 and `RSA` (RFC 7518), and `OKP` with
//! Ed25519 (RFC 8037); and sets of them.
//!
//! A key is checked when it is read: its numbers, the halves of a pair against each other, and what it says about itself.
//! `alg` becomes the one algorithm of the [`Key`], `nbf` and `exp` its validity; `use` and `key_ops` have to allow
//! signatures. Nothing is guessed: a member that comes twice, is missing, has the wrong length or contradicts another is an
//! error that names it. Members of other specifications (`x5c`, …) are not looked at, as RFC 7517, section 4, asks.
//!
//! What is written is public keys alone ([`Published`]).
//!
//! Deliberately absent: encrypted keys, certificates, fetching, RSA keys of more than two primes or without them, and
//! writing what is secret.

mod read;
mod set;
mod write;

pub use set::{Jwks, JwksError, directory, jwks, own_texts};
pub use write::{Published, written_set};

use crate::alg::{Hash, PrivateKey, PublicKey};
use crate::canon;
use crate::key::{Key, Material, Secret};
use crate::time::UnixTime;
use std::sync::Arc;

/// A key, read and checked.
#[derive(Debug)]
pub struct Jwk {
    kid: Option<String>,
    algorithm: Option<&'static str>,
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
    thumbprint: [u8; 32],
    /// What `key_ops` allows.
    signs: bool,
    verifies: bool,
    made: Made,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made a key that is read, and it is taken apart at once")]
enum Made {
    Secret(Secret),
    Pair { public: PublicKey, private: Option<PrivateKey> },
}

/// Why a JSON Web Key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// The algorithm is not one of the key's kind, or the key is too short for it.
    #[error("`alg` is not an algorithm of this kind of key")]
    AlgorithmUnsuitable,
    /// The member contradicts another one, or what the key is to be used for.
    #[error("`{member}` contradicts what else is said of the key, or what it is to be used for")]
    Contradiction {
        /// The member.
        member: &'static str,
    },
    /// The set has no key that signs.
    #[error("the set holds no key that signs")]
    Empty,
    /// The private half is not that of the public one, or a number is not what it has to be.
    #[error("the key's numbers do not belong together")]
    Inconsistent,
    /// A public key was wanted, and this is a secret.
    #[error("the key is a shared secret (`kty` is `oct`), not one of a pair")]
    IsSecret,
    /// No JSON object, or one in which a name comes twice.
    #[error("not a JSON object in which every name comes once")]
    Json,
    /// A member has a length that it cannot have.
    #[error("`{member}` has a wrong length")]
    Length {
        /// The member.
        member: &'static str,
    },
    /// A member is missing.
    #[error("`{member}` is missing")]
    Missing {
        /// The member.
        member: &'static str,
    },
    /// A secret was wanted, and this is a key of a pair.
    #[error("the key is one of a pair, not a shared secret")]
    NotSecret,
    /// A private key was wanted, and this is public.
    #[error("the key is public: it has no `d`")]
    NotPrivate,
    /// The key is not for signatures.
    #[error("`{member}` says that the key is not for signatures")]
    OtherPurpose {
        /// The member that says so.
        member: &'static str,
    },
    /// An RSA key of more than two primes.
    #[error("`oth`: RSA keys of more than two primes are not supported")]
    Primes,
    /// An algorithm that no signature here is made with.
    #[error("`alg` is not an algorithm that signs here")]
    UnknownAlgorithm,
    /// A curve that is not supported.
    #[error("`crv` is not P-256, P-384 or Ed25519")]
    UnknownCurve,
    /// A kind of key that is not supported.
    #[error("`kty` is not RSA, EC, OKP or oct")]
    UnknownType,
    /// A member has a form that it cannot have.
    #[error("`{member}` is not {wanted}")]
    WrongForm {
        /// The member.
        member: &'static str,
        /// What it has to be.
        wanted: &'static str,
    },
}

impl JwkError {
    /// Whether the key is of a kind, or for a purpose, that is not ours, and has nothing wrong otherwise. A set may hold
    /// such keys (RFC 7517, section 5).
    #[must_use]
    pub const fn is_foreign(self) -> bool {
        matches!(self, Self::UnknownAlgorithm | Self::UnknownCurve | Self::UnknownType | Self::OtherPurpose { .. })
    }
}

impl Jwk {
    /// Reads one key.
    pub fn from_text(text: &str) -> Result<Self, JwkError> {
        read::jwk(text.as_bytes())
    }

    /// Its `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its thumbprint with SHA-256 (RFC 7638), as it names keys: 43 characters of base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let mut text = Vec::with_capacity(43);
        canon::b64url(&self.thumbprint, &mut text);
        String::from_utf8(text).unwrap_or_default()
    }

    /// Whether it is a shared secret.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self.made, Made::Secret(_))
    }

    /// Whether it has a private half.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        matches!(self.made, Made::Pair { private: Some(_), .. })
    }

    /// The key as it is: the private half with the public one, a public half alone, or a secret. Its id is `kid`.
    pub fn key(self) -> Result<Key, JwkError> {
        if self.is_secret() {
            self.secret()
        } else if self.is_private() && self.signs {
            self.private()
        } else {
            self.public()
        }
    }

    /// The private key.
    pub fn private(self) -> Result<Key, JwkError> {
        let signs = self.signs;
        self.limited(|made| match made {
            Made::Secret(_) => Err(JwkError::IsSecret),
            Made::Pair { private: None, .. } => Err(JwkError::NotPrivate),
            Made::Pair { .. } if !signs => Err(JwkError::Contradiction { member: "key_ops" }),
            Made::Pair { private: Some(private), .. } => Ok(Material::Private(Arc::new(private))),
        })
    }

    /// The public key; of a pair its public half.
    pub fn public(self) -> Result<Key, JwkError> {
        // What a private key may do says what its public half may: RFC 7517, section 4.3.
        let verifies = self.verifies || self.is_private() && self.signs;
        self.limited(|made| match made {
            Made::Secret(_) => Err(JwkError::IsSecret),
            Made::Pair { .. } if !verifies => Err(JwkError::Contradiction { member: "key_ops" }),
            Made::Pair { public, .. } => Ok(Material::Public(Arc::new(public))),
        })
    }

    /// The shared secret. Who has it can do both, sign and verify, so that one of the two is enough in `key_ops`.
    pub fn secret(self) -> Result<Key, JwkError> {
        let allowed = self.signs || self.verifies;
        self.limited(|made| match made {
            Made::Pair { .. } => Err(JwkError::NotSecret),
            Made::Secret(_) if !allowed => Err(JwkError::Contradiction { member: "key_ops" }),
            Made::Secret(secret) => Ok(Material::Secret(secret)),
        })
    }

    /// The public key itself, without what limits it.
    pub(crate) fn into_public(self) -> Result<PublicKey, JwkError> {
        match self.made {
            Made::Secret(_) => Err(JwkError::IsSecret),
            Made::Pair { public, .. } => Ok(public),
        }
    }

    fn limited(self, material: impl FnOnce(Made) -> Result<Material, JwkError>) -> Result<Key, JwkError> {
        let mut key = Key::of(material(self.made)?);
        key.id = self.kid;
        key.algorithm = self.algorithm.map(str::to_owned);
        (key.not_before, key.not_after) = (self.not_before, self.not_after);
        Ok(key)
    }
}

/// The thumbprint of the members that make a key, in the order of their names (RFC 7638, section 3).
fn thumbprint(members: &[(&str, &str)]) -> [u8; 32] {
    let mut hasher = Hash::Sha256.begin();
    for (index, (name, value)) in members.iter().enumerate() {
        for piece in [if index == 0 { "{\"" } else { ",\"" }, name, "\":\"", value, "\""] {
            hasher.update(piece.as_bytes());
        }
    }
    hasher.update(b"}");
    hasher.finish().as_bytes().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests;
