//! From a public key to the text that publishes it.
//!
//! What is written is made of a [`PublicKey`], which has no private half: no private member can come out of here.

use super::{Jwk, JwkError};
use crate::alg::{Asymmetric, Hash, PublicKey, PublicNumbers};
use crate::canon;
use crate::key::{Key, Material};
use crate::time::UnixTime;

/// A public key, with what is said of it where it is published.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    /// The key.
    pub key: &'a PublicKey,
    /// Its `kid`.
    pub kid: Option<&'a str>,
    /// The one algorithm that it serves, by its name in scheme files. One that JOSE has no name for is left out.
    pub algorithm: Option<&'a str>,
    /// `nbf`: the first second in which it is valid.
    pub not_before: Option<UnixTime>,
    /// `exp`: the last second in which it is valid.
    pub not_after: Option<UnixTime>,
}

impl<'a> Published<'a> {
    /// The public half of a key, whatever it is kept as.
    pub fn of(key: &'a Key) -> Result<Self, JwkError> {
        let public = match &key.material {
            Material::Private(private) => private.public(),
            Material::Public(public) => public,
            Material::Secret(_) => return Err(JwkError::IsSecret),
        };
        Ok(Self {
            key: public,
            kid: key.id.as_deref(),
            algorithm: key.algorithm.as_deref(),
            not_before: key.not_before,
            not_after: key.not_after,
        })
    }

    /// The key as a JSON object on one line. Its members are those of its kind (RFC 7518, section 6; RFC 8037, section 2),
    /// `kid`, `use`, which is `sig`, and what else is said of it.
    pub fn to_text(&self) -> Result<String, JwkError> {
        let mut text = b"{".to_vec();
        let numbers = self.key.numbers().ok_or(JwkError::UnknownCurve)?;
        match &numbers {
            PublicNumbers::Rsa { modulus, exponent } => {
                member("kty", "RSA", &mut text);
                number("n", modulus, &mut text);
                number("e", exponent, &mut text);
            }
            PublicNumbers::Point { curve, x, y } => {
                member("kty", "EC", &mut text);
                member("crv", curve, &mut text);
                number("x", x, &mut text);
                number("y", y, &mut text);
            }
            PublicNumbers::Ed25519(x) => {
                member("kty", "OKP", &mut text);
                member("crv", "Ed25519", &mut text);
                number("x", x, &mut text);
            }
        }
        if let Some(kid) = self.kid {
            member("kid", kid, &mut text);
        }
        member("use", "sig", &mut text);
        if let Some(name) = self.algorithm.and_then(Asymmetric::from_record).and_then(registered) {
            member("alg", name, &mut text);
        }
        for (name, instant) in [("nbf", self.not_before), ("exp", self.not_after)] {
            if let Some(instant) = instant {
                begin(name, &mut text);
                text.extend_from_slice(instant.secs().to_string().as_bytes());
            }
        }
        text.push(b'}');
        let text = String::from_utf8(text).map_err(|_| JwkError::Json)?;
        // What is published is what whoever reads it makes of it.
        Jwk::from_text(&text)?;
        Ok(text)
    }
}

/// Keys that were [written](Published::to_text), as a set (RFC 7517, section 5), each on a line of its own.
#[must_use]
pub fn written_set<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let keys: Vec<&str> = keys.into_iter().collect();
    if keys.is_empty() { "{\"keys\":[]}".to_owned() } else { format!("{{\"keys\":[\n{}\n]}}", keys.join(",\n")) }
}

/// The name that JOSE has for an algorithm: the other way round of what is read. ECDSA signatures of JOSE are `r` and `s`
/// side by side, so that DER has none.
const fn registered(algorithm: Asymmetric) -> Option<&'static str> {
    Some(match algorithm {
        Asymmetric::RsaPkcs1(Hash::Sha256) => "RS256",
        Asymmetric::RsaPkcs1(Hash::Sha384) => "RS384",
        Asymmetric::RsaPkcs1(Hash::Sha512) => "RS512",
        Asymmetric::RsaPss(Hash::Sha256) => "PS256",
        Asymmetric::RsaPss(Hash::Sha384) => "PS384",
        Asymmetric::RsaPss(Hash::Sha512) => "PS512",
        Asymmetric::EcdsaP256 { raw: true } => "ES256",
        Asymmetric::EcdsaP384 { raw: true } => "ES384",
        Asymmetric::Ed25519 => "EdDSA",
        _ => return None,
    })
}

fn member(name: &str, value: &str, out: &mut Vec<u8>) {
    begin(name, out);
    out.push(b'"');
    canon::json_escape(value.as_bytes(), out);
    out.push(b'"');
}

fn number(name: &str, bytes: &[u8], out: &mut Vec<u8>) {
    begin(name, out);
    out.push(b'"');
    canon::b64url(bytes, out);
    out.push(b'"');
}

/// The names are this module's own, and have nothing to escape.
fn begin(name: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}
