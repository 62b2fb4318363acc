//! Algorithms (being written).

/// A key that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not PEM, or not a key.
    #[error("not a key in PEM form")]
    Malformed,
}
/// A private key.
#[derive(Debug)]
pub struct PrivateKey;
/// A public key.
#[derive(Debug)]
pub struct PublicKey;
impl PublicKey {
    /// Reads PEM.
    pub fn from_pem(_pem: &str) -> Result<Self, KeyError> {
        Err(KeyError::Malformed)
    }
}
impl PrivateKey {
    /// Reads PEM.
    pub fn from_pem(_pem: &str) -> Result<Self, KeyError> {
        Err(KeyError::Malformed)
    }
}
