//! SM2 signatures with SM3: GB/T 32918.2, GM/T 0009, RFC 8998 (section 3.2.1 for the identity).
//!
//! The one kind of signature that is not aws-lc-rs's, which does not have it. Signing draws no random numbers: the
//! secret number is made of key and message, as in RFC 6979.
//!
//! Deliberately absent: identities of the signer other than the default one. Who uses another has to say so to
//! everybody who verifies, and no scheme that is known does.

use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _, EncodePublicKey as _};
use sm2::{PublicKey, SecretKey};

use super::KeyError;

/// The identity that GM/T 0009, section 10, gives whoever has none of his own.
const IDENTITY: &str = "1234567812345678";

/// What verifies.
pub(super) struct Verifier(VerifyingKey);

impl Verifier {
    /// Reads `SubjectPublicKeyInfo`.
    pub(super) fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let key = PublicKey::from_public_key_der(der).map_err(|_| KeyError::Malformed)?;
        Ok(Self(VerifyingKey::new(IDENTITY, key).map_err(|_| KeyError::Malformed)?))
    }

    /// Writes `SubjectPublicKeyInfo`.
    pub(super) fn to_der(&self) -> Result<Vec<u8>, KeyError> {
        let key = PublicKey::from(&self.0);
        key.to_public_key_der().map(sm2::pkcs8::Document::into_vec).map_err(|_| KeyError::Malformed)
    }

    /// Judges a signature: `r` and `s` side by side, or DER.
    pub(super) fn holds(&self, raw: bool, message: &[u8], signature: &[u8]) -> bool {
        let read = if raw { Signature::from_slice(signature) } else { Signature::from_der(signature) };
        read.is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}

/// What signs. Kept as the library's secret key, which is wiped when it is dropped; its signing key is not, and is
/// made for one signature at a time.
pub(super) struct Signer(SecretKey);

impl Signer {
    /// Reads PKCS#8 or `ECPrivateKey`.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = SecretKey::from_pkcs8_der(der).or_else(|_| SecretKey::from_sec1_der(der));
        Ok(Self(key.map_err(|_| KeyError::Malformed)?))
    }

    /// Takes the scalar: 32 bytes, big-endian.
    pub(super) fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        SecretKey::from_slice(scalar).map(Self).map_err(|_| KeyError::Malformed)
    }

    /// The public half.
    pub(super) fn verifier(&self) -> Result<Verifier, KeyError> {
        Ok(Verifier(VerifyingKey::new(IDENTITY, self.0.public_key()).map_err(|_| KeyError::Malformed)?))
    }

    /// Appends the signature over a message.
    pub(super) fn sign(&self, raw: bool, message: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
        let key = SigningKey::new(IDENTITY, &self.0).map_err(|_| KeyError::SigningFailed)?;
        let signature = key.try_sign(message).map_err(|_| KeyError::SigningFailed)?;
        if raw {
            out.extend_from_slice(&signature.to_bytes());
        } else {
            out.extend_from_slice(signature.to_der().as_bytes());
        }
        Ok(())
    }
}
