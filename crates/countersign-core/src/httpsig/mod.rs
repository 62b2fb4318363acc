//! HTTP Message Signatures (RFC 9421), which no template can express: the message itself lists what is signed, several
//! signatures may stand side by side, and a list of components is read as a structured field.
//!
//! ```text
//! Signature-Input, Signature ─► read: labels, one signature chosen, its parameters become captures
//!                                 ─► freshness, key, replay: as with every scheme
//!                                 ─► base: each component's line ─► verify: the algorithm that key, policy and `alg` agree on
//!                                 ─► digest: what Content-Digest claims against the body that passed
//! ```
//!
//! A message of such a scheme has no carriers and no base of its own: it has a [`Policy`], and the captures of
//! `fields`, which rules of freshness, keys and replay find as they find those of templates. What a verifier insists
//! on is decided here, never by whoever signs.
//!
//! Deliberately absent: any component that is left out because it could not be read, any signature that is tried after
//! the one that was chosen has failed.

mod accept;
mod base;
mod carried;
mod component;
mod digest;
mod explain;
mod read;
mod rules;
mod sign;
mod structured;
mod value;
mod verify;

pub use accept::Wish;
pub use component::Covered;
pub use structured::FieldShape;

pub(crate) use base::Found;
pub(crate) use carried::carried;
pub(crate) use digest::{COMPARED, claimed, compare};
pub(crate) use explain::explain;
pub(crate) use read::read;
pub(crate) use rules::{Rules, VARIABLES, declared};
pub(crate) use sign::{sign, wants_nonce};
pub(crate) use verify::{coverage, holds, insist};

use crate::alg::{Asymmetric, Hash};
use crate::key::{Key, Material};
use crate::scheme::draft::Span;
use crate::scheme::model::{Field, FieldId, FieldType};
use crate::time::TimeFormat;

/// `[message-signature]`: how a message is signed by RFC 9421, and which of its signatures counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The label to sign under.
    pub label: String,
    /// Whether a signature under another label does not count.
    pub only_label: bool,
    /// The components to sign, in order.
    pub components: Vec<Covered>,
    /// The components that a verifier insists on, with exactly their parameters.
    pub required: Vec<Covered>,
    /// The `tag` to sign with, without which a signature does not count.
    pub tag: Option<String>,
    /// How many signatures a message may have.
    pub most: usize,
    /// The algorithms that a key may be used with; the first that suits it is the default.
    pub algorithms: Vec<Algorithm>,
    /// Structured fields that are not registered, by lower-case name.
    pub structured: Vec<(String, FieldShape)>,
    /// How a shared secret is written.
    pub secret: SecretForm,
    /// Where the section stands.
    pub span: Span,
}

/// How a shared secret is written: HMAC keys are bytes, and people hand on text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretForm {
    /// Base64 of the key.
    Base64,
    /// Hexadecimal digits of the key.
    Hex,
    /// The key is the text's bytes.
    #[default]
    Text,
}

impl SecretForm {
    /// The names in scheme files.
    pub const NAMES: &'static [(&'static str, Self)] =
        &[("base64", Self::Base64), ("hex", Self::Hex), ("text", Self::Text)];

    /// The form of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
    }
}

/// What an algorithm of the registry (RFC 9421, section 6.2) is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// A MAC.
    Hmac(Hash),
    /// A signature with a key pair.
    Signature(Asymmetric),
}

impl Algorithm {
    /// Every algorithm with its registered name, those with key pairs first.
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        let pairs = Asymmetric::REGISTERED.iter().map(|(name, algorithm)| (*name, Self::Signature(*algorithm)));
        pairs.chain([("hmac-sha256", Self::Hmac(Hash::Sha256))])
    }

    /// The algorithm of a registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|(known, _)| *known == name).map(|(_, algorithm)| algorithm)
    }

    /// Its registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::all().find(|(_, algorithm)| *algorithm == self).map_or("", |(name, _)| name)
    }

    /// Whether a key record's algorithm is this one.
    fn is_called(self, name: &str) -> bool {
        match self {
            Self::Hmac(_) => name == self.name(),
            Self::Signature(algorithm) => Asymmetric::from_record(name) == Some(algorithm),
        }
    }

    /// Whether a key is of the kind that this algorithm takes.
    fn suits(self, key: &Key) -> bool {
        match (self, &key.material) {
            (Self::Hmac(_), Material::Secret(_)) => true,
            (Self::Signature(algorithm), Material::Public(public)) => public.fits(algorithm),
            (Self::Signature(algorithm), Material::Private(private)) => private.public().fits(algorithm),
            _ => false,
        }
    }

    /// Whether a message that says `alg` means this one; one that does not may mean any.
    pub(crate) fn is_claimed(self, claimed: Option<&[u8]>) -> bool {
        claimed.is_none_or(|claimed| claimed == self.name().as_bytes())
    }

    /// Whether a signature of so many bytes can be this algorithm's.
    ///
    /// What a message costs is decided by what it says, and its signature's length says something too: it is checked
    /// with an algorithm that makes such signatures, or with none, whichever key it names and whether there is one.
    pub(crate) fn makes(self, length: usize) -> bool {
        match self {
            Self::Hmac(hash) => length == hash.output_len(),
            Self::Signature(Asymmetric::RsaPkcs1(_) | Asymmetric::RsaPss(_)) => length >= 128,
            Self::Signature(Asymmetric::EcdsaP384 { raw: true }) => length == 96,
            Self::Signature(
                Asymmetric::EcdsaP256 { raw: true } | Asymmetric::Sm2 { raw: true } | Asymmetric::Ed25519,
            ) => length == 64,
            // DER: shorter where a number is small.
            Self::Signature(
                Asymmetric::EcdsaP256 { raw: false }
                | Asymmetric::EcdsaP384 { raw: false }
                | Asymmetric::Sm2 { raw: false },
            ) => true,
        }
    }
}

impl Policy {
    /// The algorithm that a key is used with (RFC 9421, section 3.2, step 6). The key record decides; where it leaves
    /// a choice, `alg` does, among those that the policy allows; otherwise it is the first that suits. What the
    /// message says never widens what the key may do.
    pub(crate) fn algorithm(&self, key: &Key, claimed: Option<&[u8]>) -> Option<Algorithm> {
        let mut suiting = self.algorithms.iter().copied().filter(|algorithm| algorithm.suits(key));
        match key.algorithm.as_deref() {
            Some(name) => {
                suiting.find(|algorithm| algorithm.is_called(name)).filter(|algorithm| algorithm.is_claimed(claimed))
            }
            None => suiting.find(|algorithm| algorithm.is_claimed(claimed)),
        }
    }
}

pub(crate) const KEY_ID: FieldId = 0;
pub(crate) const TIMESTAMP: FieldId = 1;
pub(crate) const EXPIRES: FieldId = 2;
pub(crate) const NONCE: FieldId = 3;
pub(crate) const ALG: FieldId = 4;
pub(crate) const TAG: FieldId = 5;
pub(crate) const LABEL: FieldId = 6;
pub(crate) const PARAMETERS: FieldId = 7;
pub(crate) const SIGNATURE: FieldId = 8;

/// The captures of a message signature, in the order of their numbers.
pub(crate) fn fields(span: Span) -> Vec<Field> {
    let time = || FieldType::Time(TimeFormat::Unix);
    let all = [
        ("key-id", FieldType::Text, true),
        ("timestamp", time(), true),
        ("expires", time(), true),
        ("nonce", FieldType::Text, true),
        ("alg", FieldType::Text, true),
        ("tag", FieldType::Text, true),
        ("label", FieldType::Text, false),
        ("parameters", FieldType::Text, false),
        ("signature", FieldType::B64, false),
    ];
    let field = |(name, kind, optional): (&str, FieldType, bool)| Field {
        name: name.to_owned(),
        kind,
        length: (1, LONGEST),
        optional,
        definition: None,
        span,
    };
    all.map(field).into()
}

/// The longest `Signature-Input` and `Signature`, in bytes, all lines together.
const LONGEST: usize = 16 * 1024;
/// How many components a signature may cover.
const MOST_COMPONENTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_36_a_signature_is_checked_by_what_makes_signatures_of_its_length() {
        let makers =
            |length| Algorithm::all().filter(move |(_, algorithm)| algorithm.makes(length)).map(|(name, _)| name);
        for (length, expected) in [
            (0, &[] as &[&str]),
            (31, &[]),
            (32, &["hmac-sha256"]),
            (33, &[]),
            (64, &["ecdsa-p256-sha256", "ed25519"]),
            (96, &["ecdsa-p384-sha384"]),
            (127, &[]),
            (128, &["rsa-pss-sha512", "rsa-v1_5-sha256"]),
            (256, &["rsa-pss-sha512", "rsa-v1_5-sha256"]),
        ] {
            let mut made: Vec<_> = makers(length).collect();
            made.sort_unstable();
            assert_eq!(made, expected, "{length} bytes");
        }
    }
}
