//! Key pairs, read once and held in the form that verification and signing use.
//!
//! A public key holds one verifier for each algorithm it may serve, and that list is the policy: what is not in it
//! is [`Verdict::Unsuitable`], whatever a request or a scheme says. RSA keys of 2048 to 8192 bits serve every RSA
//! algorithm. Keys of 1024 to 2047 bits serve `rsa-sha1` alone, which old schemes (OAuth 1.0) still use with them;
//! shorter and longer ones are refused.
//!
//! Signing with RSA-PSS or ECDSA draws randomness inside aws-lc. It is the one place in this crate where the same
//! input gives different output: the algorithms demand it, and a caller cannot be trusted to provide it. RSA draws
//! some to be blinded, which its output does not show.
//!
//! Deliberately absent: certificates, encrypted private keys, key generation, and any way to get a private key out.

use std::sync::Arc;

use super::der::{self, Pss};
use super::{Asymmetric, Hash, KeyKind, Verdict, rsa_sha1, sm2};
use crate::canon;
use crate::jwk::{Jwk, JwkError};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaEncoding,
    RsaKeyPair, RsaParameters, RsaSubjectPublicKey, VerificationAlgorithm,
};
use zeroize::{Zeroize as _, Zeroizing};

/// Why a key could not be read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The private key is encrypted.
    #[error("the private key is encrypted; it has to be decrypted first")]
    Encrypted,
    /// A JSON Web Key that cannot be used.
    #[error(transparent)]
    Jwk(#[from] JwkError),
    /// Neither PEM nor DER of a supported key.
    #[error("not an RSA, P-256, P-384, Ed25519 or SM2 key in a supported form")]
    Malformed,
    /// A JSON Web Key is limited to one algorithm, and another was given with it.
    #[error("the key is for another algorithm: its `alg` says so")]
    OtherAlgorithm,
    /// PEM, but of something else.
    #[error("the PEM text holds something other than the wanted kind of key")]
    OtherContent,
    /// PEM text with more than one key.
    #[error("the PEM text holds more than one key")]
    Several,
    /// Signing failed.
    #[error("the key could not sign")]
    SigningFailed,
    /// The key does not fit the algorithm.
    #[error("the key cannot be used with this algorithm")]
    Unsuitable,
    /// An RSA key shorter than 1024 or longer than 8192 bits.
    #[error("the RSA key has {bits} bits; 1024 to 8192 are accepted")]
    WrongSize {
        /// The length of its modulus, in bits.
        bits: u32,
    },
}

/// A public key.
pub struct PublicKey {
    kind: KeyKind,
    verifiers: Box<[(Asymmetric, Verifier)]>,
}

enum Verifier {
    AwsLc(ParsedPublicKey),
    /// With `r` and `s` side by side, or DER.
    Sm2(Arc<sm2::Verifier>, bool),
}

impl Verifier {
    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::AwsLc(key) => key.verify_sig(message, signature).is_ok(),
            Self::Sm2(key, raw) => key.holds(*raw, message, signature),
        }
    }
}

impl PublicKey {
    /// Reads a public key as people are given it: PEM, a JSON Web Key or the 64 hexadecimal digits of an Ed25519 key.
    ///
    /// Of a private JSON Web Key this is the public half. What it says about its use is judged and then lost;
    /// [`Key::public`](crate::Key::public) keeps it.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let text = text.trim_ascii();
        if text.starts_with('{') {
            return Ok(Jwk::from_text(text)?.into_public()?);
        }
        let mut bytes = Vec::with_capacity(ED25519_LEN);
        if text.len() == ED25519_LEN.saturating_mul(2) && canon::unhex(text.as_bytes(), &mut bytes).is_ok() {
            return Self::from_ed25519(&bytes);
        }
        Self::from_pem(text)
    }

    /// Reads PEM with exactly one `PUBLIC KEY` (SPKI) or `RSA PUBLIC KEY` (PKCS#1).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = only_block(text)?;
        match block.tag() {
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Self::from_der(block.contents()),
            _ => Err(KeyError::OtherContent),
        }
    }

    /// Reads DER: `SubjectPublicKeyInfo` (RFC 5280, section 4.1) or `RSAPublicKey` (RFC 8017, appendix A.1.1).
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if !is_sequence(der) {
            return Err(KeyError::Malformed);
        }
        match der::pss_public(der) {
            Pss::Alone(key) => {
                let key = RsaSubjectPublicKey::from_der(key).map_err(|_| KeyError::Malformed)?;
                return Ok(Self::rsa(&key)?.only_pss());
            }
            Pss::Limited => return Err(KeyError::Malformed),
            Pss::Other => {}
        }
        if let Ok(key) = RsaSubjectPublicKey::from_der(der) {
            return Self::rsa(&key);
        }
        [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519]
            .into_iter()
            .find_map(|kind| Self::of(kind, der).ok())
            .map_or_else(|| sm2::Verifier::from_spki(der).map(Self::sm2), Ok)
    }

    /// Takes the 32 bytes of an Ed25519 public key (RFC 8032, section 5.1.5).
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != ED25519_LEN {
            return Err(KeyError::Malformed);
        }
        Self::of(KeyKind::Ed25519, bytes)
    }

    /// Takes an RSA public key's modulus and exponent (RFC 8017, section 3.1): big-endian, without leading zeros.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        Self::from_der(&der::rsa_public(modulus, exponent))
    }

    /// Takes a point on P-256 or P-384: both coordinates, big-endian, each as long as the curve's field.
    pub fn from_point(kind: KeyKind, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        Self::of(kind, &point(kind, x, y)?)
    }

    /// A key of a kind whose private half everybody has, or nobody: for work that only has to take its time.
    pub(crate) fn stand_in(kind: KeyKind) -> Result<Self, KeyError> {
        match kind {
            KeyKind::Rsa => Self::from_der(&stand_in_rsa()),
            KeyKind::P256 | KeyKind::Sm2 => Ok(PrivateKey::from_scalar(kind, &[1; 32])?.public),
            KeyKind::P384 => {
                // An ECPrivateKey, as for P-256 below.
                let head = [0x30, 0x3e, 0x02, 0x01, 0x01, 0x04, 0x30];
                let curve = [0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
                Ok(PrivateKey::from_der(&[&head[..], &[1; 48], &curve].concat())?.public)
            }
            KeyKind::Ed25519 => Ok(PrivateKey::from_ed25519(&[1; ED25519_LEN])?.public),
        }
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// `SubjectPublicKeyInfo`, as DER. An RSA key that was for RSASSA-PSS alone is one for RSA in it.
    pub fn to_der(&self) -> Result<Vec<u8>, KeyError> {
        match self.verifiers.first().map(|(_, verifier)| verifier) {
            Some(Verifier::AwsLc(key)) => {
                let der: PublicKeyX509Der<'_> = key.as_der().map_err(|_| KeyError::Malformed)?;
                Ok(der.as_ref().to_vec())
            }
            Some(Verifier::Sm2(key, _)) => key.to_der(),
            None => Err(KeyError::Malformed),
        }
    }

    /// What it is made of. `None` for SM2, of which no JSON Web Key is made.
    #[must_use]
    pub fn numbers(&self) -> Option<PublicNumbers> {
        let der = self.to_der().ok()?;
        let bits = der::public_bits(&der)?;
        let point = |curve| {
            let coordinates = bits.strip_prefix(&[UNCOMPRESSED])?;
            let (x, y) = coordinates.split_at_checked(coordinates.len().div_euclid(2))?;
            Some(PublicNumbers::Point { curve, x: x.into(), y: y.into() })
        };
        match self.kind {
            KeyKind::Rsa => {
                let [modulus, exponent] = der::rsa_numbers(bits)?;
                Some(PublicNumbers::Rsa { modulus: modulus.into(), exponent: exponent.into() })
            }
            KeyKind::P256 => point("P-256"),
            KeyKind::P384 => point("P-384"),
            KeyKind::Ed25519 => Some(PublicNumbers::Ed25519(bits.into())),
            KeyKind::Sm2 => None,
        }
    }

    /// `SubjectPublicKeyInfo`, as PEM.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        Ok(pem::encode_config(
            &pem::Pem::new("PUBLIC KEY", self.to_der()?),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        ))
    }

    /// Whether it may be used with an algorithm.
    #[must_use]
    pub fn fits(&self, algorithm: Asymmetric) -> bool {
        self.verifier(algorithm).is_some()
    }

    /// Judges a signature over a message.
    pub fn verify(&self, algorithm: Asymmetric, message: &[u8], signature: &[u8]) -> Verdict {
        match self.verifier(algorithm).map(|verifier| verifier.holds(message, signature)) {
            None => Verdict::Unsuitable,
            Some(true) => Verdict::Holds,
            Some(false) => Verdict::Fails,
        }
    }

    fn sm2(key: sm2::Verifier) -> Self {
        let key = Arc::new(key);
        let of = |raw| (Asymmetric::Sm2 { raw }, Verifier::Sm2(Arc::clone(&key), raw));
        Self { kind: KeyKind::Sm2, verifiers: Box::new([of(false), of(true)]) }
    }

    fn verifier(&self, algorithm: Asymmetric) -> Option<&Verifier> {
        self.verifiers.iter().find(|(served, _)| *served == algorithm).map(|(_, verifier)| verifier)
    }

    fn rsa(key: &RsaSubjectPublicKey) -> Result<Self, KeyError> {
        let bits = RsaParameters::public_modulus_len(key.as_ref()).map_err(|_| KeyError::Malformed)?;
        match bits {
            2048..=8192 => Self::of(KeyKind::Rsa, key.as_ref()),
            1024..2048 => Self::serving(KeyKind::Rsa, key.as_ref(), |served| served == RSA_SHA1),
            _ => Err(KeyError::WrongSize { bits }),
        }
    }

    /// The key for RSASSA-PSS alone, as its identifier says (RFC 4055, section 1.2).
    fn only_pss(mut self) -> Self {
        let verifiers = std::mem::take(&mut self.verifiers).into_vec();
        let is_pss = |algorithm: &Asymmetric| matches!(algorithm, Asymmetric::RsaPss(_));
        self.verifiers = verifiers.into_iter().filter(|(algorithm, _)| is_pss(algorithm)).collect();
        self
    }

    fn of(kind: KeyKind, bytes: &[u8]) -> Result<Self, KeyError> {
        Self::serving(kind, bytes, |algorithm| algorithm.key_kind() == kind)
    }

    fn serving(kind: KeyKind, bytes: &[u8], serves: impl Fn(Asymmetric) -> bool) -> Result<Self, KeyError> {
        let verifiers = Asymmetric::ALL
            .iter()
            .filter(|algorithm| serves(**algorithm))
            .filter_map(|algorithm| Some((*algorithm, verification(*algorithm)?)))
            .map(|(algorithm, by)| Ok((algorithm, Verifier::AwsLc(ParsedPublicKey::new(by, bytes)?))))
            .collect::<Result<_, aws_lc_rs::error::KeyRejected>>()
            .map_err(|_| KeyError::Malformed)?;
        Ok(Self { kind, verifiers })
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicKey").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What a public key is made of: numbers, big-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicNumbers {
    /// The 32 bytes of RFC 8032, section 5.1.5.
    Ed25519(Box<[u8]>),
    /// A point on a curve; both coordinates are as long as its field.
    Point {
        /// Its name, as in `P-256`.
        curve: &'static str,
        /// The one.
        x: Box<[u8]>,
        /// The other.
        y: Box<[u8]>,
    },
    /// RFC 8017, section 3.1: without leading zeros.
    Rsa {
        /// `n`.
        modulus: Box<[u8]>,
        /// `e`.
        exponent: Box<[u8]>,
    },
}

/// The numbers that make an RSA key of two primes (RFC 8017, section 3.2), each big-endian.
#[derive(Clone, Copy)]
pub struct RsaNumbers<'a> {
    /// `n`.
    pub modulus: &'a [u8],
    /// `e`.
    pub exponent: &'a [u8],
    /// `d`.
    pub private_exponent: &'a [u8],
    /// `p` and `q`.
    pub primes: [&'a [u8]; 2],
    /// `dP` and `dQ`.
    pub exponents: [&'a [u8]; 2],
    /// `qInv`.
    pub coefficient: &'a [u8],
}

impl std::fmt::Debug for RsaNumbers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaNumbers(..)")
    }
}

/// A private key with its public half. Never printed; its memory is aws-lc's, or the other library's, and wiped.
pub struct PrivateKey {
    signer: Signer,
    public: PublicKey,
}

impl PrivateKey {
    /// Reads PEM with exactly one `PRIVATE KEY` (PKCS#8), `RSA PRIVATE KEY` (PKCS#1), or `EC PRIVATE KEY` (SEC 1),
    /// which OpenSSL calls `SM2 PRIVATE KEY` where it is one.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = only_block(text)?;
        let encrypted = block.tag() == "ENCRYPTED PRIVATE KEY" || block.headers().get("DEK-Info").is_some();
        let wanted = matches!(block.tag(), "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "SM2 PRIVATE KEY");
        let mut der = block.into_contents();
        let key = match (encrypted, wanted) {
            (true, _) => Err(KeyError::Encrypted),
            (false, true) => Self::from_der(&der),
            (false, false) => Err(KeyError::OtherContent),
        };
        der.zeroize();
        key
    }

    /// Reads DER: PKCS#8 (RFC 5958), `RSAPrivateKey` (RFC 8017, appendix A.1.2) or `ECPrivateKey` (RFC 5915).
    ///
    /// RSA keys of fewer than 2048 bits sign with `rsa-sha1` only.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if !is_sequence(der) {
            return Err(KeyError::Malformed);
        }
        match der::pss_private(der) {
            Pss::Alone(key) => {
                let mut key = Self::rsa(RsaKeyPair::from_der(key).map_err(|_| KeyError::Malformed)?, None)?;
                key.public = key.public.only_pss();
                return Ok(key);
            }
            Pss::Limited => return Err(KeyError::Malformed),
            Pss::Other => {}
        }
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)) {
            return Self::rsa(pair, rsa_sha1::Signer::from_der(der).ok());
        }
        if let Ok(key) = Self::ecdsa(KeyKind::P256, P256, der).or_else(|_| Self::ecdsa(KeyKind::P384, P384, der)) {
            return Ok(key);
        }
        if let Ok(key) = Self::ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)) {
            return Ok(key);
        }
        if let Ok(signer) = rsa_sha1::Signer::from_der(der) {
            return Self::short_rsa(signer);
        }
        Self::of_sm2(sm2::Signer::from_der(der)?)
    }

    /// Takes the numbers of an RSA key of two primes, big-endian; of the public ones without leading zeros.
    pub fn from_rsa(numbers: &RsaNumbers<'_>) -> Result<Self, KeyError> {
        let [p, q] = numbers.primes;
        let [dp, dq] = numbers.exponents;
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n: numbers.modulus, e: numbers.exponent },
            d: numbers.private_exponent,
            p,
            q,
            dP: dp,
            dQ: dq,
            qInv: numbers.coefficient,
        };
        Self::rsa(RsaKeyPair::from_components(&components).map_err(|_| KeyError::Malformed)?, None)
    }

    /// Takes a private scalar of P-256 or P-384 and the point that is its public half, each number big-endian and as
    /// long as the curve's field.
    pub fn from_point(kind: KeyKind, scalar: &[u8], x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let (point, by) = (point(kind, x, y)?, if kind == KeyKind::P256 { P256 } else { P384 });
        if scalar.len() != x.len() {
            return Err(KeyError::Malformed);
        }
        let read = |by| EcdsaKeyPair::from_private_key_and_public_key(by, scalar, &point);
        Self::of_ecdsa(kind, by, |by| read(by).map_err(|_| KeyError::Malformed))
    }

    /// Takes an Ed25519 private key: the seed of 32 bytes (RFC 8032, section 5.1.5), or the seed followed by the
    /// public key, which must be its own.
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        match bytes.split_at_checked(ED25519_LEN) {
            Some((seed, [])) => Self::ed25519(Ed25519KeyPair::from_seed_unchecked(seed)),
            Some((seed, public)) if public.len() == ED25519_LEN => {
                Self::ed25519(Ed25519KeyPair::from_seed_and_public_key(seed, public))
            }
            _ => Err(KeyError::Malformed),
        }
    }

    /// Takes a private scalar of P-256 or SM2: 32 bytes, big-endian (SEC 1, section C.4).
    pub fn from_scalar(kind: KeyKind, scalar: &[u8; 32]) -> Result<Self, KeyError> {
        match kind {
            KeyKind::P256 => Self::from_p256_scalar(scalar),
            KeyKind::Sm2 => Self::of_sm2(sm2::Signer::from_scalar(scalar)?),
            KeyKind::Rsa | KeyKind::P384 | KeyKind::Ed25519 => Err(KeyError::Unsuitable),
        }
    }

    fn from_p256_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        // An ECPrivateKey (RFC 5915, section 3) that leaves the public half to be computed.
        let mut der = Zeroizing::new(Vec::with_capacity(51));
        der.extend_from_slice(&[0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20]);
        der.extend_from_slice(scalar);
        der.extend_from_slice(&[0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
        Self::ecdsa(KeyKind::P256, P256, &der)
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.public.kind()
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Appends the signature over a message.
    pub fn sign(&self, algorithm: Asymmetric, message: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
        if !self.public.fits(algorithm) {
            return Err(KeyError::Unsuitable);
        }
        match (&self.signer, algorithm) {
            (Signer::Rsa(_, Some(sha1)) | Signer::ShortRsa(sha1), RSA_SHA1) => sha1.sign(message, out)?,
            (Signer::Rsa(pair, _), _) => {
                sign_rsa(pair, rsa_padding(algorithm).ok_or(KeyError::Unsuitable)?, message, out)?;
            }
            (Signer::ShortRsa(_), _) => return Err(KeyError::Unsuitable),
            (
                Signer::Ecdsa { raw, .. },
                Asymmetric::EcdsaP256 { raw: true } | Asymmetric::EcdsaP384 { raw: true },
            ) => {
                out.extend_from_slice(sign_ecdsa(raw, message)?.as_ref());
            }
            (Signer::Ecdsa { der, .. }, _) => out.extend_from_slice(sign_ecdsa(der, message)?.as_ref()),
            (Signer::Sm2(signer), _) => signer.sign(algorithm == Asymmetric::Sm2 { raw: true }, message, out)?,
            (Signer::Ed25519(pair), _) => {
                out.extend_from_slice(pair.try_sign(message).map_err(|_| KeyError::SigningFailed)?.as_ref());
            }
        }
        Ok(())
    }

    /// Takes a key that aws-lc-rs did not read: it has to be one that is too short for it, not one it has judged bad.
    fn short_rsa(signer: rsa_sha1::Signer) -> Result<Self, KeyError> {
        let public = PublicKey::from_der(&signer.public_der()?)?;
        if public.verifiers.iter().any(|(served, _)| *served != RSA_SHA1) {
            return Err(KeyError::Malformed);
        }
        Ok(Self { signer: Signer::ShortRsa(signer), public })
    }

    fn of_sm2(signer: sm2::Signer) -> Result<Self, KeyError> {
        Ok(Self { public: PublicKey::sm2(signer.verifier()?), signer: Signer::Sm2(signer) })
    }

    fn rsa(pair: RsaKeyPair, sha1: Option<rsa_sha1::Signer>) -> Result<Self, KeyError> {
        let public = PublicKey::rsa(pair.public_key())?;
        Ok(Self { signer: Signer::Rsa(pair, sha1), public })
    }

    fn ecdsa(kind: KeyKind, by: EcdsaSigners, bytes: &[u8]) -> Result<Self, KeyError> {
        Self::of_ecdsa(kind, by, |by| EcdsaKeyPair::from_private_key_der(by, bytes).map_err(|_| KeyError::Malformed))
    }

    fn of_ecdsa(
        kind: KeyKind,
        by: EcdsaSigners,
        read: impl Fn(&'static EcdsaSigningAlgorithm) -> Result<EcdsaKeyPair, KeyError>,
    ) -> Result<Self, KeyError> {
        let (der, raw) = (read(by.der)?, read(by.raw)?);
        let public = PublicKey::of(kind, der.public_key().as_ref())?;
        Ok(Self { signer: Signer::Ecdsa { der, raw }, public })
    }

    fn ed25519(pair: Result<Ed25519KeyPair, aws_lc_rs::error::KeyRejected>) -> Result<Self, KeyError> {
        let pair = pair.map_err(|_| KeyError::Malformed)?;
        let public = PublicKey::of(KeyKind::Ed25519, pair.public_key().as_ref())?;
        Ok(Self { signer: Signer::Ed25519(pair), public })
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey").field("kind", &self.kind()).finish_non_exhaustive()
    }
}

/// An `RSAPublicKey` (RFC 8017, appendix A.1.1) of 2048 bits, all of them set.
fn stand_in_rsa() -> Vec<u8> {
    let head = [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
    let exponent = [0x02, 0x03, 0x01, 0x00, 0x01];
    [&head[..], &[0xff; 256], &exponent].concat()
}

enum Signer {
    /// What signs with SHA-1 is absent where its library does not take the key, such as one of three primes.
    Rsa(RsaKeyPair, Option<rsa_sha1::Signer>),
    /// Of fewer than 2048 bits.
    ShortRsa(rsa_sha1::Signer),
    /// A key pair of aws-lc-rs is bound to one form of signature, so there are two.
    Ecdsa {
        der: EcdsaKeyPair,
        raw: EcdsaKeyPair,
    },
    Ed25519(Ed25519KeyPair),
    Sm2(sm2::Signer),
}

#[derive(Clone, Copy)]
struct EcdsaSigners {
    der: &'static EcdsaSigningAlgorithm,
    raw: &'static EcdsaSigningAlgorithm,
}

/// The verification that an algorithm means; `None` for those that aws-lc-rs does not have.
fn verification(algorithm: Asymmetric) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Asymmetric::RsaPkcs1(Hash::Sha1) => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Asymmetric::RsaPkcs1(Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        Asymmetric::RsaPkcs1(Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        Asymmetric::RsaPkcs1(Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        Asymmetric::RsaPss(Hash::Sha256) => &signature::RSA_PSS_2048_8192_SHA256,
        Asymmetric::RsaPss(Hash::Sha384) => &signature::RSA_PSS_2048_8192_SHA384,
        Asymmetric::RsaPss(Hash::Sha512) => &signature::RSA_PSS_2048_8192_SHA512,
        Asymmetric::RsaPkcs1(Hash::Md5 | Hash::Sm3)
        | Asymmetric::RsaPss(Hash::Md5 | Hash::Sha1 | Hash::Sm3)
        | Asymmetric::Sm2 { .. } => return None,
        Asymmetric::EcdsaP256 { raw: false } => &signature::ECDSA_P256_SHA256_ASN1,
        Asymmetric::EcdsaP256 { raw: true } => &signature::ECDSA_P256_SHA256_FIXED,
        Asymmetric::EcdsaP384 { raw: false } => &signature::ECDSA_P384_SHA384_ASN1,
        Asymmetric::EcdsaP384 { raw: true } => &signature::ECDSA_P384_SHA384_FIXED,
        Asymmetric::Ed25519 => &signature::ED25519,
    })
}

/// The padding that an algorithm signs with, of those that aws-lc-rs has: not that of SHA-1.
fn rsa_padding(algorithm: Asymmetric) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        Asymmetric::RsaPkcs1(Hash::Sha256) => &signature::RSA_PKCS1_SHA256,
        Asymmetric::RsaPkcs1(Hash::Sha384) => &signature::RSA_PKCS1_SHA384,
        Asymmetric::RsaPkcs1(Hash::Sha512) => &signature::RSA_PKCS1_SHA512,
        Asymmetric::RsaPss(Hash::Sha256) => &signature::RSA_PSS_SHA256,
        Asymmetric::RsaPss(Hash::Sha384) => &signature::RSA_PSS_SHA384,
        Asymmetric::RsaPss(Hash::Sha512) => &signature::RSA_PSS_SHA512,
        _ => return None,
    })
}

fn sign_rsa(
    pair: &RsaKeyPair,
    padding: &'static dyn RsaEncoding,
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), KeyError> {
    let start = out.len();
    // A signature is exactly as long as the modulus; aws-lc-rs writes into a slice of that length.
    out.resize(start.saturating_add(pair.public_modulus_len()), 0);
    let signed = out.get_mut(start..).ok_or(KeyError::SigningFailed).and_then(|slot| {
        pair.sign(padding, &SystemRandom::new(), message, slot).map_err(|_| KeyError::SigningFailed)
    });
    if signed.is_err() {
        out.truncate(start);
    }
    signed
}

fn sign_ecdsa(pair: &EcdsaKeyPair, message: &[u8]) -> Result<signature::Signature, KeyError> {
    pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::SigningFailed)
}

/// A point, uncompressed (SEC 1, section 2.3.3).
fn point(kind: KeyKind, x: &[u8], y: &[u8]) -> Result<Vec<u8>, KeyError> {
    let len = match kind {
        KeyKind::P256 => 32,
        KeyKind::P384 => 48,
        KeyKind::Rsa | KeyKind::Ed25519 | KeyKind::Sm2 => return Err(KeyError::Unsuitable),
    };
    if x.len() == len && y.len() == len { Ok([&[UNCOMPRESSED], x, y].concat()) } else { Err(KeyError::Malformed) }
}

/// The one block of a PEM text. `EC PARAMETERS`, which OpenSSL writes before a key, only repeat what the key says.
/// SEC 1, section 2.3.3: both coordinates follow.
const UNCOMPRESSED: u8 = 4;

fn only_block(text: &str) -> Result<pem::Pem, KeyError> {
    let blocks = pem::parse_many(text).map_err(|_| KeyError::Malformed)?;
    let mut keys = blocks.into_iter().filter(|block| !matches!(block.tag(), "EC PARAMETERS" | "SM2 PARAMETERS"));
    match (keys.next(), keys.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(KeyError::Malformed),
        (Some(_), Some(_)) => Err(KeyError::Several),
    }
}

/// Whether the bytes are one DER SEQUENCE, longer than a raw key, and nothing after it.
///
/// aws-lc-rs would also take raw points, raw Ed25519 keys and trailing bytes here, which are too easily something
/// else. What is inside the sequence is for aws-lc-rs to judge.
fn is_sequence(der: &[u8]) -> bool {
    let (len, content) = match der {
        [0x30, len @ 0..=0x7f, content @ ..] | [0x30, 0x81, len, content @ ..] => (usize::from(*len), content),
        [0x30, 0x82, high, low, content @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), content),
        _ => return false,
    };
    content.len() == len && der.len() > ED25519_LEN
}

const ED25519_LEN: usize = 32;
const RSA_SHA1: Asymmetric = Asymmetric::RsaPkcs1(Hash::Sha1);
const P256: EcdsaSigners = EcdsaSigners {
    der: &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
    raw: &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
};
const P384: EcdsaSigners = EcdsaSigners {
    der: &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
    raw: &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_written_as_it_is_read() {
        for kind in [KeyKind::Rsa, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519, KeyKind::Sm2] {
            let key = PublicKey::stand_in(kind).unwrap();
            let pem = key.to_pem().unwrap();
            assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("-----END PUBLIC KEY-----\n"));
            let again = PublicKey::from_text(&pem).unwrap();
            assert_eq!((again.kind(), again.to_der().unwrap()), (kind, key.to_der().unwrap()), "{kind:?}");
        }
    }

    #[test]
    fn attack_36_every_kind_has_a_stand_in_for_which_every_algorithm_does_its_work() {
        for algorithm in Asymmetric::ALL {
            let key = PublicKey::stand_in(algorithm.key_kind()).unwrap();
            assert_eq!((key.kind(), key.fits(*algorithm)), (algorithm.key_kind(), true), "{}", algorithm.name());
            assert_eq!(key.verify(*algorithm, b"message", &[1; 64]), Verdict::Fails, "{}", algorithm.name());
        }
    }
}
