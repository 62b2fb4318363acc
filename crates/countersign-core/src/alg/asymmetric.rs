//! Signature algorithms by name, and the key kind that each needs.
//!
//! The names, lengths and formats are those of RFC 8017 (RSA), FIPS 186-5 and SEC 1 (ECDSA) and RFC 8032
//! (Ed25519), and of GB/T 32918 (SM2). A P-256 signature is always over SHA-256 and a P-384 signature over SHA-384, as in RFC 9421,
//! section 3.3, and RFC 7518, section 3.4.

use super::Hash;

/// A signature algorithm.
///
/// Only those in [`Asymmetric::ALL`] exist: RSA with another hash (MD5, SM3; PSS with SHA-1) has no name that
/// [`Asymmetric::from_name`] finds, and every key is [`Verdict::Unsuitable`] for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asymmetric {
    /// RSASSA-PKCS1-v1_5 with SHA-1, SHA-256, SHA-384 or SHA-512.
    RsaPkcs1(Hash),
    /// RSASSA-PSS with SHA-256, SHA-384 or SHA-512, MGF1 with the same hash, and a salt as long as the digest.
    RsaPss(Hash),
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256 {
        /// Whether the signature is `r` and `s` side by side, 64 bytes, rather than DER.
        raw: bool,
    },
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384 {
        /// Whether the signature is `r` and `s` side by side, 96 bytes, rather than DER.
        raw: bool,
    },
    /// Ed25519.
    Ed25519,
    /// SM2 with SM3, for the signer's default identity.
    Sm2 {
        /// Whether the signature is `r` and `s` side by side, 64 bytes, rather than DER.
        raw: bool,
    },
}

/// What a key pair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, of 1024 to 8192 bits.
    Rsa,
    /// A point on P-256.
    P256,
    /// A point on P-384.
    P384,
    /// An Ed25519 key.
    Ed25519,
    /// A point on SM2's curve.
    Sm2,
}

/// What verification found.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The signature is the key's, over exactly this message.
    Holds,
    /// It is not.
    Fails,
    /// The key cannot be used with the algorithm: another kind of key, or an RSA key too short for it.
    Unsuitable,
}

impl Asymmetric {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[
        Self::RsaPkcs1(Hash::Sha1),
        Self::RsaPkcs1(Hash::Sha256),
        Self::RsaPkcs1(Hash::Sha384),
        Self::RsaPkcs1(Hash::Sha512),
        Self::RsaPss(Hash::Sha256),
        Self::RsaPss(Hash::Sha384),
        Self::RsaPss(Hash::Sha512),
        Self::EcdsaP256 { raw: false },
        Self::EcdsaP256 { raw: true },
        Self::EcdsaP384 { raw: false },
        Self::EcdsaP384 { raw: true },
        Self::Ed25519,
        Self::Sm2 { raw: false },
        Self::Sm2 { raw: true },
    ];

    /// The name in scheme files, as in `rsa-pss-sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1(Hash::Md5) => "rsa-md5",
            Self::RsaPkcs1(Hash::Sha1) => "rsa-sha1",
            Self::RsaPkcs1(Hash::Sha256) => "rsa-sha256",
            Self::RsaPkcs1(Hash::Sha384) => "rsa-sha384",
            Self::RsaPkcs1(Hash::Sha512) => "rsa-sha512",
            Self::RsaPkcs1(Hash::Sm3) => "rsa-sm3",
            Self::RsaPss(Hash::Md5) => "rsa-pss-md5",
            Self::RsaPss(Hash::Sha1) => "rsa-pss-sha1",
            Self::RsaPss(Hash::Sha256) => "rsa-pss-sha256",
            Self::RsaPss(Hash::Sha384) => "rsa-pss-sha384",
            Self::RsaPss(Hash::Sha512) => "rsa-pss-sha512",
            Self::RsaPss(Hash::Sm3) => "rsa-pss-sm3",
            Self::EcdsaP256 { raw: false } => "ecdsa-p256",
            Self::EcdsaP256 { raw: true } => "ecdsa-p256-raw",
            Self::EcdsaP384 { raw: false } => "ecdsa-p384",
            Self::EcdsaP384 { raw: true } => "ecdsa-p384-raw",
            Self::Ed25519 => "ed25519",
            Self::Sm2 { raw: false } => "sm2-sm3",
            Self::Sm2 { raw: true } => "sm2-sm3-raw",
        }
    }

    /// The algorithm of a name, which must be spelt exactly.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// The algorithms of HTTP Message Signatures, by their registered names (RFC 9421, section 6.2).
    pub const REGISTERED: &'static [(&'static str, Self)] = &[
        ("ed25519", Self::Ed25519),
        ("ecdsa-p256-sha256", Self::EcdsaP256 { raw: true }),
        ("ecdsa-p384-sha384", Self::EcdsaP384 { raw: true }),
        ("rsa-pss-sha512", Self::RsaPss(Hash::Sha512)),
        ("rsa-v1_5-sha256", Self::RsaPkcs1(Hash::Sha256)),
    ];

    /// The algorithm that a key record names: as scheme files do, or as RFC 9421's registry does.
    #[must_use]
    pub fn from_record(name: &str) -> Option<Self> {
        let registered =
            || Self::REGISTERED.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm);
        Self::from_name(name).or_else(registered)
    }

    /// The kind of key it needs.
    #[must_use]
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::RsaPkcs1(_) | Self::RsaPss(_) => KeyKind::Rsa,
            Self::EcdsaP256 { .. } => KeyKind::P256,
            Self::EcdsaP384 { .. } => KeyKind::P384,
            Self::Ed25519 => KeyKind::Ed25519,
            Self::Sm2 { .. } => KeyKind::Sm2,
        }
    }
}

impl KeyKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::Rsa, Self::P256, Self::P384, Self::Ed25519, Self::Sm2];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_distinct() {
        for (at, algorithm) in Asymmetric::ALL.iter().enumerate() {
            assert_eq!(Asymmetric::from_name(algorithm.name()), Some(*algorithm));
            assert!(Asymmetric::ALL[..at].iter().all(|other| other.name() != algorithm.name()));
        }
        for wrong in [
            "",
            "none",
            "RSA-SHA256",
            "rsa-md5",
            "rsa-pss-sha1",
            "rsa-pss-md5",
            "hmac-sha256",
            "ecdsa",
            "sm2",
            "rsa-sm3",
        ] {
            assert_eq!(Asymmetric::from_name(wrong), None, "{wrong:?}");
        }
    }
}
