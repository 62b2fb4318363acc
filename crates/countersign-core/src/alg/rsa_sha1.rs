//! Signing with RSASSA-PKCS1-v1_5 and SHA-1 (RFC 8017, section 8.2.1), which old peers still ask for.
//!
//! aws-lc-rs verifies such signatures and does not make them, nor does it read private keys of fewer than 2048 bits,
//! which OAuth 1.0 is used with. `RustCrypto` does both. Its private operation is blinded, with aws-lc-rs's random
//! numbers, and its result is checked with the public key before it is handed out, so that a fault in the computation
//! gives nothing away.
//!
//! Deliberately absent: verification, and every other hash. Those are aws-lc-rs's.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use rsa::PrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::rand_core::{TryCryptoRng, TryRng};
use sha1::Sha1;

use super::KeyError;

/// What signs. The library wipes it when it is dropped.
pub(super) struct Signer(PrivateKey);

impl Signer {
    /// Reads PKCS#8 or `RSAPrivateKey`, and checks that its numbers fit together.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = PrivateKey::from_pkcs8_der(der).or_else(|_| PrivateKey::from_pkcs1_der(der));
        Ok(Self(key.map_err(|_| KeyError::Malformed)?))
    }

    /// The public half, as `RSAPublicKey`.
    pub(super) fn public_der(&self) -> Result<Vec<u8>, KeyError> {
        let der = self.0.as_public_key().to_pkcs1_der().map_err(|_| KeyError::Malformed)?;
        Ok(der.into_vec())
    }

    /// Appends the signature over a message, as long as the modulus.
    pub(super) fn sign(&self, message: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
        let signature = self.0.pkcs1v15_sign_with_rng::<Sha1, _>(&mut Blinding(SystemRandom::new()), message);
        out.extend_from_slice(&signature.map_err(|_| KeyError::SigningFailed)?);
        Ok(())
    }
}

/// The random numbers that blind: aws-lc-rs's.
struct Blinding(SystemRandom);

impl TryRng for Blinding {
    type Error = NoRandomness;

    fn try_next_u32(&mut self) -> Result<u32, NoRandomness> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn try_next_u64(&mut self) -> Result<u64, NoRandomness> {
        self.bytes().map(u64::from_le_bytes)
    }

    #[expect(clippy::disallowed_methods, reason = "it blinds, and does not show in the signature")]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.fill(bytes).map_err(|_| NoRandomness)
    }
}

impl TryCryptoRng for Blinding {}

impl Blinding {
    fn bytes<const LEN: usize>(&mut self) -> Result<[u8; LEN], NoRandomness> {
        let mut bytes = [0; LEN];
        self.try_fill_bytes(&mut bytes)?;
        Ok(bytes)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
struct NoRandomness;
