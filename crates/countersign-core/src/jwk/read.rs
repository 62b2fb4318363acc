//! From the text of one key to the key.

use super::{Jwk, JwkError, Made, thumbprint};
use crate::alg::{Asymmetric, Hash, KeyError, KeyKind, PrivateKey, PublicKey, RsaNumbers};
use crate::canon::{json_elements, json_raw_members, json_string, unb64url};
use crate::key::Secret;
use crate::time::UnixTime;
use zeroize::Zeroizing;

pub(super) fn jwk(text: &[u8]) -> Result<Jwk, JwkError> {
    let members = Members::of(text)?;
    let (signs, verifies) = operations(&members)?;
    let kty = members.text("kty")?.ok_or(JwkError::Missing { member: "kty" })?;
    let (made, thumbprint) = match kty.as_str() {
        "RSA" => rsa(&members)?,
        "EC" => ec(&members)?,
        "OKP" => okp(&members)?,
        "oct" => oct(&members)?,
        _ => return Err(JwkError::UnknownType),
    };
    let algorithm = members.text("alg")?.map(|name| algorithm(&name, &made)).transpose()?;
    let instant = |member| Ok(members.seconds(member)?.map(UnixTime::from_secs));
    let (not_before, not_after) = (instant("nbf")?, instant("exp")?);
    Ok(Jwk { kid: members.text("kid")?, algorithm, not_before, not_after, thumbprint, signs, verifies, made })
}

type Read = Result<(Made, [u8; 32]), JwkError>;

/// RFC 7518, section 6.3.
fn rsa(members: &Members<'_>) -> Read {
    let (modulus, exponent) = (members.number("n")?, members.number("e")?);
    let public = PublicKey::from_rsa(&modulus.bytes, &exponent.bytes).map_err(|error| match error {
        KeyError::WrongSize { .. } => JwkError::Length { member: "n" },
        _ if modulus.bytes.len() < 128 => JwkError::Length { member: "n" },
        _ => JwkError::Inconsistent,
    })?;
    let thumbprint = thumbprint(&[("e", exponent.text), ("kty", "RSA"), ("n", modulus.text)]);
    if !members.has("d") {
        return Ok((Made::Pair { public, private: None }, thumbprint));
    }
    let read = |member| members.bytes(member);
    let (private, primes) = (read("d")?, [read("p")?, read("q")?]);
    let (exponents, coefficient) = ([read("dp")?, read("dq")?], read("qi")?);
    let numbers = RsaNumbers {
        modulus: &modulus.bytes,
        exponent: &exponent.bytes,
        private_exponent: &private.bytes,
        primes: primes.each_ref().map(|number| number.bytes.as_slice()),
        exponents: exponents.each_ref().map(|number| number.bytes.as_slice()),
        coefficient: &coefficient.bytes,
    };
    let private = PrivateKey::from_rsa(&numbers).map_err(|_| JwkError::Inconsistent)?;
    Ok((Made::Pair { public, private: Some(private) }, thumbprint))
}

/// RFC 7518, section 6.2.
fn ec(members: &Members<'_>) -> Read {
    let crv = members.text("crv")?.ok_or(JwkError::Missing { member: "crv" })?;
    let (kind, len) = match crv.as_str() {
        "P-256" => (KeyKind::P256, 32),
        "P-384" => (KeyKind::P384, 48),
        _ => return Err(JwkError::UnknownCurve),
    };
    let (x, y) = (members.of_length("x", len)?, members.of_length("y", len)?);
    let public = PublicKey::from_point(kind, &x.bytes, &y.bytes).map_err(|_| JwkError::Inconsistent)?;
    let private = if members.has("d") {
        let d = members.of_length("d", len)?;
        let key = PrivateKey::from_point(kind, &d.bytes, &x.bytes, &y.bytes);
        Some(key.map_err(|_| JwkError::Inconsistent)?)
    } else {
        None
    };
    let thumbprint = thumbprint(&[("crv", &crv), ("kty", "EC"), ("x", x.text), ("y", y.text)]);
    Ok((Made::Pair { public, private }, thumbprint))
}

/// RFC 8037, section 2.
fn okp(members: &Members<'_>) -> Read {
    let crv = members.text("crv")?.ok_or(JwkError::Missing { member: "crv" })?;
    if crv != "Ed25519" {
        return Err(JwkError::UnknownCurve);
    }
    let x = members.of_length("x", 32)?;
    let public = PublicKey::from_ed25519(&x.bytes).map_err(|_| JwkError::Inconsistent)?;
    let private = if members.has("d") {
        let pair = Zeroizing::new([members.of_length("d", 32)?.bytes.as_slice(), &x.bytes].concat());
        Some(PrivateKey::from_ed25519(&pair).map_err(|_| JwkError::Inconsistent)?)
    } else {
        None
    };
    let thumbprint = thumbprint(&[("crv", &crv), ("kty", "OKP"), ("x", x.text)]);
    Ok((Made::Pair { public, private }, thumbprint))
}

/// RFC 7518, section 6.4.
fn oct(members: &Members<'_>) -> Read {
    let k = members.bytes("k")?;
    let thumbprint = thumbprint(&[("k", k.text), ("kty", "oct")]);
    Ok((Made::Secret(Secret::new(k.bytes.as_slice())), thumbprint))
}

/// The name in scheme files of an algorithm (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864, section 2.2), which the
/// key must be able to serve. ECDSA signatures of JOSE are `r` and `s` side by side.
fn algorithm(name: &str, made: &Made) -> Result<&'static str, JwkError> {
    if let Some(hmac) = match name {
        "HS256" => Some("hmac-sha256"),
        "HS384" => Some("hmac-sha384"),
        "HS512" => Some("hmac-sha512"),
        _ => None,
    } {
        return if matches!(made, Made::Secret(_)) { Ok(hmac) } else { Err(JwkError::AlgorithmUnsuitable) };
    }
    let algorithm = match name {
        "RS256" => Asymmetric::RsaPkcs1(Hash::Sha256),
        "RS384" => Asymmetric::RsaPkcs1(Hash::Sha384),
        "RS512" => Asymmetric::RsaPkcs1(Hash::Sha512),
        "PS256" => Asymmetric::RsaPss(Hash::Sha256),
        "PS384" => Asymmetric::RsaPss(Hash::Sha384),
        "PS512" => Asymmetric::RsaPss(Hash::Sha512),
        "ES256" => Asymmetric::EcdsaP256 { raw: true },
        "ES384" => Asymmetric::EcdsaP384 { raw: true },
        "EdDSA" | "Ed25519" => Asymmetric::Ed25519,
        _ => return Err(JwkError::UnknownAlgorithm),
    };
    match made {
        Made::Pair { public, .. } if public.fits(algorithm) => Ok(algorithm.name()),
        _ => Err(JwkError::AlgorithmUnsuitable),
    }
}

/// Whether the key may sign and may verify (RFC 7517, sections 4.2 and 4.3).
fn operations(members: &Members<'_>) -> Result<(bool, bool), JwkError> {
    if members.text("use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(JwkError::OtherPurpose { member: "use" });
    }
    let Some(value) = members.value("key_ops") else { return Ok((true, true)) };
    let wrong = JwkError::WrongForm { member: "key_ops", wanted: "an array of distinct strings" };
    let mut operations = Vec::new();
    for element in json_elements(value).map_err(|_| wrong)? {
        let mut operation = Vec::new();
        json_string(element, &mut operation).map_err(|_| wrong)?;
        if operations.contains(&operation) {
            return Err(wrong);
        }
        operations.push(operation);
    }
    let has = |wanted: &[u8]| operations.iter().any(|operation| operation == wanted);
    let (signs, verifies) = (has(b"sign"), has(b"verify"));
    let other = operations.len() > usize::from(signs).saturating_add(verifies.into());
    // `use` is `sig` where it is there at all, and the two have to agree.
    if other && members.has("use") {
        return Err(JwkError::Contradiction { member: "key_ops" });
    }
    if !(signs || verifies) {
        return Err(JwkError::OtherPurpose { member: "key_ops" });
    }
    Ok((signs, verifies))
}

/// The members that are looked at, as they stand in the text.
struct Members<'a> {
    values: [Option<&'a [u8]>; NAMES.len()],
}

const NAMES: [&str; 19] = [
    "kty", "kid", "alg", "use", "key_ops", "nbf", "exp", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi",
    "k",
];

/// Bytes, and their base64url as it stands in the text.
struct Bytes<'a> {
    bytes: Zeroizing<Vec<u8>>,
    text: &'a str,
}

impl<'a> Members<'a> {
    fn of(text: &'a [u8]) -> Result<Self, JwkError> {
        let mut values = [None; NAMES.len()];
        let mut primes = false;
        json_raw_members(text, &mut |name, value| {
            primes |= name == b"oth";
            if let Some((slot, _)) = values.iter_mut().zip(NAMES).find(|(_, known)| known.as_bytes() == name) {
                *slot = Some(value);
            }
            Ok(())
        })
        .map_err(|_| JwkError::Json)?;
        if primes { Err(JwkError::Primes) } else { Ok(Self { values }) }
    }

    fn value(&self, member: &'static str) -> Option<&'a [u8]> {
        self.values.iter().zip(NAMES).find(|(_, known)| *known == member).and_then(|(value, _)| *value)
    }

    fn has(&self, member: &'static str) -> bool {
        self.value(member).is_some()
    }

    fn text(&self, member: &'static str) -> Result<Option<String>, JwkError> {
        let Some(value) = self.value(member) else { return Ok(None) };
        let wrong = JwkError::WrongForm { member, wanted: "a string" };
        let mut text = Vec::new();
        json_string(value, &mut text).map_err(|_| wrong)?;
        String::from_utf8(text).map(Some).map_err(|_| wrong)
    }

    /// A `NumericDate` (RFC 7519, section 2) without a fraction.
    fn seconds(&self, member: &'static str) -> Result<Option<i64>, JwkError> {
        let Some(value) = self.value(member) else { return Ok(None) };
        let seconds = str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        seconds.map(Some).ok_or(JwkError::WrongForm { member, wanted: "a whole number of seconds" })
    }

    fn bytes(&self, member: &'static str) -> Result<Bytes<'a>, JwkError> {
        let value = self.value(member).ok_or(JwkError::Missing { member })?;
        let wrong = JwkError::WrongForm { member, wanted: "base64url without padding" };
        let [b'"', text @ .., b'"'] = value else { return Err(wrong) };
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        unb64url(text, &mut bytes).map_err(|_| wrong)?;
        if bytes.is_empty() {
            return Err(JwkError::Length { member });
        }
        Ok(Bytes { bytes, text: str::from_utf8(text).map_err(|_| wrong)? })
    }

    fn of_length(&self, member: &'static str, len: usize) -> Result<Bytes<'a>, JwkError> {
        self.bytes(member).and_then(
            |read| {
                if read.bytes.len() == len { Ok(read) } else { Err(JwkError::Length { member }) }
            },
        )
    }

    /// A number without leading zeros, with which it would have two thumbprints.
    fn number(&self, member: &'static str) -> Result<Bytes<'a>, JwkError> {
        self.bytes(member)
            .and_then(|read| if read.bytes.first() == Some(&0) { Err(JwkError::Length { member }) } else { Ok(read) })
    }
}
