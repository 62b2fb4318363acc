//! Keys from a folder of X.509 certificates.
//!
//! Some schemes name the key of a message by a certificate: by its serial number, by a digest of its issuer and serial
//! number, by an address. `[key] resolver` says which ([`Naming`]); [`Certificates`] reads a folder once and is then a
//! [`KeyResolver`](countersign_core::key::KeyResolver) like any other. A certificate's period of validity becomes its
//! key's, and an RSA key serves `rsa-sha256` alone.
//!
//! Who may write into the folder decides whom to trust: nothing here judges a certificate. Absent on purpose: chains,
//! revocation, fetching (an address in a message is a claim), and noticing that the folder has changed.

mod certificate;
mod folder;

pub use certificate::CertificateError;
pub use folder::{Certificates, FolderError};

/// How the key id of a message names a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Naming {
    /// `certificate-file`: the file's name without its ending.
    File,
    /// `certificate-issuer-serial`: the MD5 of the issuer's name and the serial number in decimal, as Alipay counts its
    /// certificates.
    IssuerSerial,
    /// `certificate-serial`: the serial number, in upper-case hexadecimal digits.
    Serial,
}

impl Naming {
    /// What a scheme's `[key] resolver` means; `None` where it has nothing to do with certificates.
    #[must_use]
    pub fn from_name(resolver: &str) -> Option<Self> {
        match resolver {
            "certificate-file" => Some(Self::File),
            "certificate-issuer-serial" => Some(Self::IssuerSerial),
            "certificate-serial" => Some(Self::Serial),
            _ => None,
        }
    }
}
