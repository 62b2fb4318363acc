//! `Digest` and `Want-Digest` of RFC 3230, as far as signatures over them (draft-cavage-http-signatures) need them.
//!
//! Names are of any case there, and digests plain base64. The values of the names that are passed over have forms of
//! their own, which are not looked at.

use super::{Claims, Standing, Wants, standing};
use crate::alg::{Digest, Hash};
use crate::canon::{Malformed, b64, is_token, trim, unb64};

/// Reads `Digest` (RFC 3230, section 4.3.2), its lines joined with `, `.
///
/// Malformed are: an element without a name or a value, a registered name that comes twice, and a SHA-256 or SHA-512 digest that is
/// not the base64 of so many bytes.
pub fn claims(field: &[u8]) -> Result<Claims<'_>, Malformed> {
    let mut claims = Claims::default();
    let mut names = Names::default();
    for element in field.split(|byte| *byte == b',') {
        let element = trim(element);
        let at = element.iter().position(|byte| *byte == b'=').ok_or(Malformed)?;
        let (name, value) = element.split_at_checked(at).ok_or(Malformed)?;
        let value = value.get(1..).filter(|value| !value.is_empty()).ok_or(Malformed)?;
        match names.next(name)? {
            (Standing::Active(Hash::Sha256), _) => claims.sha256 = Some(digest(value)?),
            (Standing::Active(_), _) => claims.sha512 = Some(digest(value)?),
            (Standing::Inactive | Standing::Unknown, name) => {
                claims.passed_over = claims.passed_over.or(Some(name));
            }
        }
    }
    Ok(claims)
}

/// Appends one digest, as in `SHA-256=…`. Several are joined with `,`. Hash functions that RFC 9530 does not hold for
/// active are malformed.
pub fn push(hash: Hash, digest: &Digest, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let name = name(hash).filter(|_| digest.as_bytes().len() == hash.output_len()).ok_or(Malformed)?;
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    b64(digest.as_bytes(), out);
    Ok(())
}

/// Reads `Want-Digest` (RFC 3230, section 4.3.1), its lines joined with `, `: names, each with or without a quality value
/// (RFC 9110, section 12.4.2), of which one that is not given is 1.
pub fn wants(field: &[u8]) -> Result<Wants, Malformed> {
    let mut wants = Wants::default();
    let mut names = Names::default();
    for element in field.split(|byte| *byte == b',') {
        let mut parts = element.split(|byte| *byte == b';').map(trim);
        let name = parts.next().unwrap_or_default();
        let weight = match (parts.next(), parts.next()) {
            (None, _) => 1000,
            (Some([b'q' | b'Q', b'=', value @ ..]), None) => quality(value)?,
            _ => return Err(Malformed),
        };
        wants.note(names.next(name)?.0, weight);
    }
    Ok(wants)
}

fn name(hash: Hash) -> Option<&'static str> {
    match hash {
        Hash::Sha256 => Some("SHA-256"),
        Hash::Sha512 => Some("SHA-512"),
        Hash::Md5 | Hash::Sha1 | Hash::Sha384 | Hash::Sm3 => None,
    }
}

/// The names that came: those that are registered, for a list of anybody's own is as long as he likes.
#[derive(Default)]
struct Names {
    seen: [bool; REGISTERED.len()],
}

const REGISTERED: [&str; 8] = ["sha-256", "sha-512", "md5", "sha", "unixsum", "unixcksum", "adler", "crc32c"];

impl Names {
    fn next<'a>(&mut self, name: &'a [u8]) -> Result<(Standing, &'a str), Malformed> {
        let text = str::from_utf8(name).ok().filter(|_| is_token(name)).ok_or(Malformed)?;
        for (seen, known) in self.seen.iter_mut().zip(REGISTERED) {
            if known.eq_ignore_ascii_case(text) {
                return if std::mem::replace(seen, true) { Err(Malformed) } else { Ok((standing(known), text)) };
            }
        }
        Ok((Standing::Unknown, text))
    }
}

fn digest<const LEN: usize>(text: &[u8]) -> Result<[u8; LEN], Malformed> {
    let mut bytes = Vec::with_capacity(LEN);
    unb64(text, &mut bytes)?;
    bytes.try_into().map_err(|_| Malformed)
}

/// A quality value in thousandths.
fn quality(text: &[u8]) -> Result<u16, Malformed> {
    let (whole, fraction) = match text {
        [whole @ (b'0' | b'1')] | [whole @ (b'0' | b'1'), b'.'] => (*whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', fraction @ ..] if fraction.len() <= 3 => (*whole, fraction),
        _ => return Err(Malformed),
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    let digits = fraction.iter().chain(b"000").take(3);
    let value = digits
        .fold(u16::from(whole & 1), |value, digit| value.saturating_mul(10).saturating_add(u16::from(digit & 0xf)));
    if value <= 1000 { Ok(value) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EMPTY_256: &str = "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    #[test]
    fn what_is_pushed_is_claimed_in_any_case_of_its_name() {
        let mut out = Vec::new();
        push(Hash::Sha256, &Hash::Sha256.digest(b""), &mut out).unwrap();
        assert_eq!(out, EMPTY_256.as_bytes());
        out.push(b',');
        push(Hash::Sha512, &Hash::Sha512.digest(b""), &mut out).unwrap();
        let other_case = String::from_utf8(out.clone()).unwrap().replace("SHA-", "sHa-").into_bytes();
        for field in [out.clone(), other_case] {
            let claims = claims(&field).unwrap();
            for hash in [Hash::Sha256, Hash::Sha512] {
                assert_eq!(claims.of(hash), Some(hash.digest(b"").as_bytes()));
            }
            assert_eq!(claims.passed_over(), None);
        }
        let before = out.clone();
        assert_eq!(push(Hash::Sha1, &Hash::Sha1.digest(b""), &mut out), Err(Malformed));
        assert_eq!(push(Hash::Sha512, &Hash::Sha256.digest(b""), &mut out), Err(Malformed));
        assert_eq!(out, before);
    }

    #[test]
    fn other_digests_are_passed_over() {
        for (field, passed_over) in [
            ("md5=HUXZLQLMuI/KZ5KDcJPcOA==", "md5"),
            ("UNIXsum=30637", "UNIXsum"),
            ("id-sha-256=x, crc32c=1", "id-sha-256"),
        ] {
            let claims = claims(field.as_bytes()).unwrap();
            assert!(!claims.is_comparable());
            assert_eq!(claims.passed_over(), Some(passed_over));
        }
        let both = format!("unixsum=30637 ,\t{EMPTY_256}");
        assert!(claims(both.as_bytes()).unwrap().is_comparable());
    }

    #[test]
    fn anything_else_is_malformed() {
        for field in [
            "",
            ",",
            "SHA-256",
            "SHA-256=",
            "=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
            "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU==",
            "SHA-256 =47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "SHA-256= 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "SHA-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
            "SHA-256=AAAA",
            "SHA-512=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "md5=a,MD5=a",
            "\u{e9}=a",
        ] {
            assert!(claims(field.as_bytes()).is_err(), "{field}");
            assert!(claims(format!("sha=a,{field}").as_bytes()).is_err(), "{field}");
        }
        let twice = format!("{EMPTY_256},{}", EMPTY_256.replace("SHA", "sha"));
        assert!(claims(twice.as_bytes()).is_err());
    }

    #[test]
    fn the_most_wanted_digest_is_the_answer() {
        for (field, best) in [
            ("SHA-256", Some(Hash::Sha256)),
            ("SHA-512;q=0.3, sha-256;q=1, unixsum;q=0", Some(Hash::Sha256)),
            ("sha-256;q=0.299 ,sha-512; q=0.3", Some(Hash::Sha512)),
            ("sha-256;q=0.000", None),
            ("md5", None),
        ] {
            assert_eq!(wants(field.as_bytes()).unwrap().best(), best, "{field}");
        }
        for (quality, weight) in [("1", 1000), ("1.", 1000), ("1.000", 1000), ("0.5", 500), ("0.05", 50), ("0.", 0)] {
            let field = format!("sha-512;q={quality}");
            assert_eq!(wants(field.as_bytes()).unwrap().weight(Hash::Sha512), Some(weight), "{field}");
        }
        for quality in ["", "2", "1.1", "1.001", "0.1234", "00", "-1", ".5", "0.a", "1;q=1"] {
            assert!(wants(format!("sha-256;q={quality}").as_bytes()).is_err(), "{quality}");
        }
        for field in ["", ",", "sha-256;", "sha-256;p=1", "sha-256,SHA-256", "sha 256", "md5;q=2"] {
            assert!(wants(field.as_bytes()).is_err(), "{field}");
        }
    }

    proptest! {
        #[test]
        fn any_field_is_judged(field: Vec<u8>, near in "(SHA-256|sha-512|md5|[a-z])[=:;q.A-Za-z0-9+/=, ]{0,60}") {
            let _ = (claims(&field), wants(&field), claims(near.as_bytes()), wants(near.as_bytes()));
        }
    }
}
