//! Keys made here, for trying things out: whatever a scheme signs with.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::Scheme;
use countersign_core::alg::KeyKind;
use sm2::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};

use crate::material::{Material, SecretText};
use crate::world::{self, NoRandomness};

/// A key that signs, and what verifies it.
#[derive(Debug, Clone)]
pub(crate) struct Generated {
    pub(crate) signs: Material,
    /// The same where both sides hold one secret.
    pub(crate) verifies: Material,
}

/// A key for a scheme.
pub(crate) fn key_for(scheme: &Scheme) -> Result<Generated, NoRandomness> {
    let Some(algorithm) = scheme.request.key_pair() else {
        // Hexadecimal digits are base64 too, so this suits the schemes that decode their secret.
        let secret = Material::Secret(SecretText::new(world::secret()?));
        return Ok(Generated { signs: secret.clone(), verifies: secret });
    };
    let (private, public) = pair(algorithm.key_kind()).ok_or(NoRandomness)?;
    Ok(Generated {
        signs: Material::Private(SecretText::new(pem("PRIVATE KEY", &private))),
        verifies: Material::Public(pem("PUBLIC KEY", &public)),
    })
}

/// PKCS#8 and SPKI.
fn pair(kind: KeyKind) -> Option<(Vec<u8>, Vec<u8>)> {
    fn spki<T>(public: &T) -> Option<Vec<u8>>
    where
        T: AsDer<PublicKeyX509Der<'static>>,
    {
        Some(public.as_der().ok()?.as_ref().to_vec())
    }
    match kind {
        KeyKind::Rsa => {
            let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).ok()?;
            let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).ok()?;
            Some((private.as_ref().to_vec(), spki(pair.public_key())?))
        }
        KeyKind::P256 | KeyKind::P384 => {
            let with =
                if kind == KeyKind::P256 { &ECDSA_P256_SHA256_ASN1_SIGNING } else { &ECDSA_P384_SHA384_ASN1_SIGNING };
            let pair = EcdsaKeyPair::generate(with).ok()?;
            Some((pair.to_pkcs8v1().ok()?.as_ref().to_vec(), spki(pair.public_key())?))
        }
        KeyKind::Ed25519 => {
            let pair = Ed25519KeyPair::generate().ok()?;
            Some((pair.to_pkcs8v1().ok()?.as_ref().to_vec(), spki(pair.public_key())?))
        }
        KeyKind::Sm2 => {
            // One in 2^32 numbers is too large for a key.
            let key = (0..4).find_map(|_| {
                let mut number = [0; 32];
                aws_lc_rs::rand::fill(&mut number).ok()?;
                sm2::SecretKey::from_slice(&number).ok()
            })?;
            let public = key.public_key().to_public_key_der().ok()?;
            Some((key.to_pkcs8_der().ok()?.as_bytes().to_vec(), public.as_bytes().to_vec()))
        }
    }
}

/// RFC 7468: 64 characters a line.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme_file::SchemeFile;

    #[test]
    fn every_kind_of_key_is_made_and_read_again() {
        for kind in KeyKind::ALL {
            let (private, public) = pair(*kind).unwrap();
            let private = Material::Private(SecretText::new(pem("PRIVATE KEY", &private)));
            assert!(private.key(None, None).is_ok(), "{kind:?}");
            assert!(Material::Public(pem("PUBLIC KEY", &public)).key(None, None).is_ok(), "{kind:?}");
        }
    }

    #[test]
    fn a_scheme_gets_the_kind_of_key_that_it_signs_with() {
        let made = |name: &str| key_for(SchemeFile::open(name).unwrap().scheme()).unwrap().signs;
        assert!(matches!(made("countersign-v1"), Material::Secret(_)));
        assert!(matches!(made("spring-sign-rsa"), Material::Private(_)));
        assert!(matches!(made("rfc9421"), Material::Secret(_)));
        assert!(matches!(made("web-bot-auth"), Material::Private(_)));
    }
}
