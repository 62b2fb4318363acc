//! Digest fields: `Content-Digest`, `Repr-Digest` and their `Want-` forms (RFC 9530), and in [`legacy`] the `Digest`
//! that came before them.
//!
//! A field claims; whether the content has that digest is for whoever hashes it. Digests by SHA-256 and SHA-512 can be
//! compared, and all of them have to be: a field of which one digest is right and another wrong describes other content.
//! The other names of the registry are known and not active (RFC 9530, section 5), and names that nobody registered may
//! come: both are passed over, so that a field may claim nothing that is comparable, which
//! [`is_comparable`](Claims::is_comparable) tells.
//!
//! Deliberately absent: hashing, and which bytes a field is about. `Content-Digest` is about the content as sent,
//! `Repr-Digest` about the selected representation, which is another thing in answers to HEAD, to ranges and to PATCH.

pub mod legacy;

use crate::alg::{Digest, Hash};
use crate::canon::Malformed;
use crate::canon::sf::{self, Bare, Item, Member};

/// What a digest field claims.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claims<'a> {
    sha256: Option<[u8; 32]>,
    sha512: Option<[u8; 64]>,
    passed_over: Option<&'a str>,
}

/// Reads `Content-Digest` or `Repr-Digest` (RFC 9530, sections 2 and 3), its lines joined with `, `.
///
/// Malformed are: what is no dictionary, a name that comes twice, a value that is no byte sequence, and a digest that
/// has not its algorithm's length.
pub fn claims(field: &[u8]) -> Result<Claims<'_>, Malformed> {
    let digests = sf::dictionary(field)?;
    if digests.repeats() {
        return Err(Malformed);
    }
    let mut claims = Claims::default();
    for (name, value) in digests.entries() {
        let Member::Item(Item { bare: Bare::Bytes(bytes), .. }) = value else { return Err(Malformed) };
        match standing(name) {
            Standing::Active(Hash::Sha256) => claims.sha256 = Some(bytes.array().ok_or(Malformed)?),
            Standing::Active(_) => claims.sha512 = Some(bytes.array().ok_or(Malformed)?),
            Standing::Inactive | Standing::Unknown => claims.passed_over = claims.passed_over.or(Some(name)),
        }
    }
    Ok(claims)
}

impl<'a> Claims<'a> {
    /// The claimed digest by this hash function.
    #[must_use]
    pub fn of(&self, hash: Hash) -> Option<&[u8]> {
        match hash {
            Hash::Sha256 => self.sha256.as_ref().map(<[u8; 32]>::as_slice),
            Hash::Sha512 => self.sha512.as_ref().map(<[u8; 64]>::as_slice),
            Hash::Md5 | Hash::Sha1 | Hash::Sha384 | Hash::Sm3 => None,
        }
    }

    /// The hash functions to compare by: all of them, for the claim to be true.
    pub fn hashes(&self) -> impl Iterator<Item = Hash> + use<> {
        let claimed = [self.sha256.map(|_| Hash::Sha256), self.sha512.map(|_| Hash::Sha512)];
        claimed.into_iter().flatten()
    }

    /// Whether anything is claimed that can be compared.
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        self.hashes().next().is_some()
    }

    /// The name of the first digest that cannot be compared.
    #[must_use]
    pub fn passed_over(&self) -> Option<&'a str> {
        self.passed_over
    }
}

/// Appends one digest, as in `sha-256=:…:`. Several are joined with `, `. A hash function without an active name is
/// malformed.
pub fn push(hash: Hash, digest: &Digest, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let name = name(hash).filter(|_| digest.as_bytes().len() == hash.output_len()).ok_or(Malformed)?;
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    sf::push_bytes(digest.as_bytes(), out);
    Ok(())
}

/// Which digests a peer would like (RFC 9530, section 4).
#[derive(Debug, Clone, Copy, Default)]
pub struct Wants {
    sha256: Option<u16>,
    sha512: Option<u16>,
}

/// Reads `Want-Content-Digest` or `Want-Repr-Digest`, its lines joined with `, `.
///
/// Malformed are: what is no dictionary, a name that comes twice, and a weight that is no integer from 0 to 10.
pub fn wants(field: &[u8]) -> Result<Wants, Malformed> {
    let weights = sf::dictionary(field)?;
    if weights.repeats() {
        return Err(Malformed);
    }
    let mut wants = Wants::default();
    for (name, value) in weights.entries() {
        let Member::Item(Item { bare: Bare::Integer(weight @ 0..=10), .. }) = value else { return Err(Malformed) };
        let weight = u16::try_from(weight).map_err(|_| Malformed)?.saturating_mul(100);
        wants.note(standing(name), weight);
    }
    Ok(wants)
}

impl Wants {
    /// How much a digest by this hash function is wanted, from 0 (not at all) to 1000; nothing where that was not said.
    #[must_use]
    pub fn weight(&self, hash: Hash) -> Option<u16> {
        match hash {
            Hash::Sha256 => self.sha256,
            Hash::Sha512 => self.sha512,
            Hash::Md5 | Hash::Sha1 | Hash::Sha384 | Hash::Sm3 => None,
        }
    }

    /// The hash function to answer with: the most wanted one, and SHA-256 of two that are wanted alike. Nothing where
    /// neither is.
    #[must_use]
    pub fn best(&self) -> Option<Hash> {
        let weight = |hash| self.weight(hash).unwrap_or_default();
        match (weight(Hash::Sha256), weight(Hash::Sha512)) {
            (0, 0) => None,
            (sha256, sha512) if sha512 > sha256 => Some(Hash::Sha512),
            _ => Some(Hash::Sha256),
        }
    }

    fn note(&mut self, standing: Standing, weight: u16) {
        match standing {
            Standing::Active(Hash::Sha256) => self.sha256 = Some(weight),
            Standing::Active(_) => self.sha512 = Some(weight),
            Standing::Inactive | Standing::Unknown => {}
        }
    }
}

/// Appends one wish, as in `sha-256=10`, its weight from 0 (not wanted) to 10. Several are joined with `, `.
pub fn push_want(hash: Hash, weight: u8, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let name = name(hash).filter(|_| weight <= 10).ok_or(Malformed)?;
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    sf::push_integer(weight.into(), out)
}

/// What the registry of hash algorithms for digest fields says of a name (RFC 9530, section 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Fit for use against an adversary: SHA-256 and SHA-512.
    Active(Hash),
    /// Known, and not fit.
    Inactive,
    /// Not registered.
    Unknown,
}

/// The standing of a name, in lower case.
#[must_use]
pub fn standing(name: &str) -> Standing {
    match name {
        "sha-256" => Standing::Active(Hash::Sha256),
        "sha-512" => Standing::Active(Hash::Sha512),
        "md5" | "sha" | "unixsum" | "unixcksum" | "adler" | "crc32c" => Standing::Inactive,
        _ => Standing::Unknown,
    }
}

/// The active name of a hash function.
#[must_use]
pub fn name(hash: Hash) -> Option<&'static str> {
    match hash {
        Hash::Sha256 => Some("sha-256"),
        Hash::Sha512 => Some("sha-512"),
        Hash::Md5 | Hash::Sha1 | Hash::Sha384 | Hash::Sm3 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EMPTY_256: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";

    fn pushed(hash: Hash) -> Result<String, Malformed> {
        let mut out = Vec::new();
        push(hash, &hash.digest(b""), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_is_pushed_is_claimed() {
        assert_eq!(pushed(Hash::Sha256).as_deref(), Ok(EMPTY_256));
        let both = format!("{}, {}", pushed(Hash::Sha512).unwrap(), pushed(Hash::Sha256).unwrap());
        let claims = claims(both.as_bytes()).unwrap();
        for hash in [Hash::Sha256, Hash::Sha512] {
            assert_eq!(claims.of(hash), Some(hash.digest(b"").as_bytes()));
        }
        assert_eq!(claims.hashes().collect::<Vec<_>>(), [Hash::Sha256, Hash::Sha512]);
        assert!(claims.is_comparable() && claims.passed_over().is_none());
        for nameless in [Hash::Md5, Hash::Sha1, Hash::Sha384, Hash::Sm3] {
            assert_eq!(pushed(nameless), Err(Malformed));
            assert_eq!(claims.of(nameless), None);
        }
        // A digest by one hash function is not pushed as one by another.
        let mut out = b"before".to_vec();
        assert_eq!(push(Hash::Sha256, &Hash::Sha512.digest(b""), &mut out), Err(Malformed));
        assert_eq!(out, b"before");
    }

    #[test]
    fn what_cannot_be_compared_is_told() {
        for (field, passed_over) in [
            ("", None),
            ("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:", Some("md5")),
            ("other=:AA==:, crc32c=:AAAAAA==:", Some("other")),
            ("sha-384=:AA==:", Some("sha-384")),
        ] {
            let claims = claims(field.as_bytes()).unwrap();
            assert!(!claims.is_comparable(), "{field}");
            assert_eq!(claims.passed_over(), passed_over, "{field}");
        }
        let mixed = format!("md5=:AA==:, {EMPTY_256}");
        let claims = claims(mixed.as_bytes()).unwrap();
        assert!(claims.is_comparable() && claims.passed_over() == Some("md5"));
    }

    #[test]
    fn anything_but_one_whole_digest_of_each_name_is_malformed() {
        for field in [
            "sha-256",
            "sha-256=?1",
            "sha-256=1",
            "sha-256=\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"",
            "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "SHA-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
            "sha-256=(:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:)",
            "sha-256=::",
            "sha-256=:AAAA:",
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA:",
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU==:",
            "sha-256=:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=:",
            "sha-512=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
            "md5=1",
            "md5=:AA==:, md5=:AA==:",
            "other=a",
        ] {
            assert!(claims(field.as_bytes()).is_err(), "{field}");
            assert!(claims(format!("{EMPTY_256}, {field}").as_bytes()).is_err(), "{field}");
        }
        assert!(claims(format!("{EMPTY_256}, {EMPTY_256}").as_bytes()).is_err());
    }

    #[test]
    fn the_most_wanted_digest_is_the_answer() {
        for (field, best) in [
            ("", None),
            ("sha-256=1", Some(Hash::Sha256)),
            ("sha-512=3, sha-256=10, unixsum=0", Some(Hash::Sha256)),
            ("sha-512=10, sha-256=9", Some(Hash::Sha512)),
            ("sha-512=5, sha-256=5", Some(Hash::Sha256)),
            ("sha-256=0", None),
            ("sha-256=0, sha-512=1", Some(Hash::Sha512)),
            ("md5=10", None),
        ] {
            assert_eq!(wants(field.as_bytes()).unwrap().best(), best, "{field}");
        }
        assert_eq!(wants(b"sha-512=3").unwrap().weight(Hash::Sha512), Some(300));
        assert_eq!(wants(b"sha-512=3").unwrap().weight(Hash::Sha256), None);
        for field in ["sha-256", "sha-256=11", "sha-256=-1", "sha-256=1.0", "md5=11", "sha-256=1, sha-256=1", "a=(1)"]
        {
            assert!(wants(field.as_bytes()).is_err(), "{field}");
        }
        let mut out = Vec::new();
        push_want(Hash::Sha512, 10, &mut out).unwrap();
        assert_eq!(out, b"sha-512=10");
        assert_eq!(push_want(Hash::Sha512, 11, &mut out), Err(Malformed));
        assert_eq!(push_want(Hash::Sha384, 1, &mut out), Err(Malformed));
        assert_eq!(out, b"sha-512=10");
    }

    proptest! {
        #[test]
        fn any_field_is_judged(field: Vec<u8>, near in "(sha-256|sha-512|md5|[a-z])=[:A-Za-z0-9+/=, ]{0,60}") {
            let _ = (claims(&field), wants(&field), claims(near.as_bytes()), wants(near.as_bytes()));
        }
    }
}
