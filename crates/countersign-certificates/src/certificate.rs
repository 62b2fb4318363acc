//! One file: the key of a certificate, and what the certificate is called.

use std::sync::Arc;

use countersign_core::UnixTime;
use countersign_core::alg::{Asymmetric, Hash, KeyError, KeyKind, PublicKey};
use countersign_core::canon;
use countersign_core::key::{Key, Material};
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Ia5StringRef, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Decode, Encode};

use crate::Naming;

/// Why a file gives no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The issuer has a name that implementations write in different ways, so that its digest has several values.
    #[error("clients write the issuer's name in different ways, so that nobody knows its digest")]
    IssuerAmbiguous,
    /// The key cannot be used.
    #[error("the key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// Not a certificate in PEM.
    #[error("the certificate cannot be read")]
    Malformed,
    /// Neither a certificate nor a public key in PEM.
    #[error("there is neither a certificate nor a public key in PEM text")]
    NothingFound,
    /// A private key has no place where only public ones are looked for.
    #[error("there is a private key, which belongs elsewhere")]
    PrivateKey,
    /// The serial number is negative.
    #[error("the serial number is negative")]
    SerialNegative,
    /// An RSA key that cannot serve `rsa-sha256`.
    #[error("the RSA key has fewer than 2048 bits")]
    TooShort,
}

/// The keys of a file: one, once for each way to write its id.
///
/// Of several certificates the first counts, as in TLS: those behind it are its issuers'. A public key without a
/// certificate is known by `file`, the file's name without its ending.
pub(crate) fn keys(text: &str, file: &str, naming: Naming) -> Result<Vec<Key>, CertificateError> {
    let blocks = pem::parse_many(text).map_err(|_| CertificateError::Malformed)?;
    if blocks.iter().any(|block| block.tag().ends_with("PRIVATE KEY")) {
        return Err(CertificateError::PrivateKey);
    }
    let first = blocks.first().ok_or(CertificateError::NothingFound)?;
    let (key, ids) = match first.tag() {
        "CERTIFICATE" => {
            let certificate = Certificate::from_der(first.contents()).map_err(|_| CertificateError::Malformed)?;
            (certified(&certificate)?, ids(&certificate, file, naming)?)
        }
        "PUBLIC KEY" | "RSA PUBLIC KEY" => (pinned(first.contents())?, vec![file.to_owned()]),
        _ => return Err(CertificateError::NothingFound),
    };
    Ok(ids.into_iter().map(|id| key.clone().with_id(id)).collect())
}

/// The key of a certificate, for as long as that is valid.
fn certified(certificate: &Certificate) -> Result<Key, CertificateError> {
    let about = certificate.tbs_certificate();
    let spki = about.subject_public_key_info().to_der().map_err(|_| CertificateError::Malformed)?;
    let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    let validity = about.validity();
    let mut key = pinned(&spki)?;
    key.not_before = Some(UnixTime::from_secs(seconds(validity.not_before)));
    key.not_after = Some(UnixTime::from_secs(seconds(validity.not_after)));
    Ok(key)
}

/// A key with its algorithm. Keys on curves have one by nature.
fn pinned(der: &[u8]) -> Result<Key, CertificateError> {
    let public = PublicKey::from_der(der)?;
    let rsa = public.kind() == KeyKind::Rsa;
    if rsa && !public.fits(RSA_SHA256) {
        return Err(CertificateError::TooShort);
    }
    let mut key = Key::of(Material::Public(Arc::new(public)));
    key.algorithm = rsa.then(|| RSA_SHA256.name().to_owned());
    Ok(key)
}

const RSA_SHA256: Asymmetric = Asymmetric::RsaPkcs1(Hash::Sha256);

fn ids(certificate: &Certificate, file: &str, naming: Naming) -> Result<Vec<String>, CertificateError> {
    let serial = serial(certificate)?;
    let mut hex = Vec::new();
    Ok(match naming {
        Naming::File => vec![file.to_owned()],
        Naming::IssuerSerial => {
            let named = [issuer(certificate)?, decimal(&serial)].concat();
            canon::hex_lower(Hash::Md5.digest(named.as_bytes()).as_bytes(), &mut hex);
            vec![text(hex)]
        }
        Naming::Serial => {
            canon::hex_upper(&serial, &mut hex);
            let whole = text(hex);
            // Written as a number it has no leading zero, and written as bytes it may have one.
            let short = whole.trim_start_matches('0').to_owned();
            if short.is_empty() || short == whole { vec![whole] } else { vec![whole, short] }
        }
    })
}

fn text(digits: Vec<u8>) -> String {
    String::from_utf8(digits).unwrap_or_default()
}

/// The bytes of the serial number, without leading zeros.
fn serial(certificate: &Certificate) -> Result<Vec<u8>, CertificateError> {
    let der = certificate.tbs_certificate().serial_number().to_der().map_err(|_| CertificateError::Malformed)?;
    // INTEGER, a length of one byte, and the number in two's complement.
    let [_, _, number @ ..] = der.as_slice() else { return Err(CertificateError::Malformed) };
    if number.first().is_some_and(|first| *first >= 0x80) {
        return Err(CertificateError::SerialNegative);
    }
    match number {
        [0, rest @ ..] if !rest.is_empty() => Ok(rest.to_vec()),
        whole => Ok(whole.to_vec()),
    }
}

/// The issuer's name as Alipay's SDKs write it: RFC 2253, the last part first.
///
/// Their implementations agree only where each part is one of the usual ones and holds nothing that RFC 2253 escapes.
fn issuer(certificate: &Certificate) -> Result<String, CertificateError> {
    let parts: Vec<_> = certificate.tbs_certificate().issuer().iter_rdn().collect();
    let mut written = Vec::new();
    for part in parts.into_iter().rev() {
        let mut attributes = part.iter();
        match (attributes.next(), attributes.next()) {
            (Some(attribute), None) => written.push(attribute_text(attribute)?),
            _ => return Err(CertificateError::IssuerAmbiguous),
        }
    }
    Ok(written.join(","))
}

fn attribute_text(attribute: &AttributeTypeAndValue) -> Result<String, CertificateError> {
    let name = NAMES.iter().find(|(oid, _)| *oid == attribute.oid).map(|(_, name)| *name);
    let name = name.ok_or(CertificateError::IssuerAmbiguous)?;
    let value = &attribute.value;
    let value = (value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str().to_owned()))
        .or_else(|_| value.decode_as::<PrintableStringRef<'_>>().map(|text| text.as_str().to_owned()))
        .or_else(|_| value.decode_as::<Ia5StringRef<'_>>().map(|text| text.as_str().to_owned()))
        .map_err(|_| CertificateError::IssuerAmbiguous)?;
    let escaped = value.contains([',', '+', '"', '\\', '<', '>', ';', '=', '#']) || value.trim() != value;
    if escaped || value.is_empty() || value.chars().any(char::is_control) {
        return Err(CertificateError::IssuerAmbiguous);
    }
    Ok(format!("{name}={value}"))
}

const NAMES: &[(ObjectIdentifier, &str)] = &[
    (ObjectIdentifier::new_unwrap("2.5.4.3"), "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
];

/// A number of any length in decimal digits.
fn decimal(bytes: &[u8]) -> String {
    // The lowest digit first.
    let mut digits = vec![0_u16];
    for byte in bytes {
        let mut carry = u16::from(*byte);
        for digit in &mut digits {
            let sum = *digit * 256 + carry;
            *digit = sum % 10;
            carry = sum / 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().filter_map(|digit| char::from_digit(u32::from(*digit), 10)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_written_in_decimal() {
        for (bytes, expected) in [
            (&[0][..], "0"),
            (&[9], "9"),
            (&[0x01, 0x00], "256"),
            (&[0xff; 8], "18446744073709551615"),
            (&[0x01, 0, 0, 0, 0, 0, 0, 0, 0], "18446744073709551616"),
        ] {
            assert_eq!(decimal(bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn decimal_is_what_the_standard_library_writes(number: u128) {
            prop_assert_eq!(decimal(&number.to_be_bytes()), number.to_string());
        }

        #[test]
        fn any_text_is_judged(text in "(?s)(-----BEGIN CERTIFICATE-----\n)?[A-Za-z0-9+/=\n]{0,80}(-----END CERTIFICATE-----)?.{0,8}") {
            let _ = keys(&text, "a", Naming::Serial);
        }
    }
}
