//! The little DER (X.690) that aws-lc-rs does not read or write: RSA keys whose identifier is RSASSA-PSS's, RSA public keys
//! from their numbers, and what a public key is made of.

/// The `RSAPublicKey` (RFC 8017, appendix A.1.1) of two numbers, big-endian.
pub(super) fn rsa_public(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let mut numbers = Vec::with_capacity(modulus.len().saturating_add(exponent.len()).saturating_add(16));
    for number in [modulus, exponent] {
        // A set high bit would make it negative.
        let sign: &[u8] = if number.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
        head(INTEGER, number.len().saturating_add(sign.len()), &mut numbers);
        numbers.extend_from_slice(sign);
        numbers.extend_from_slice(number);
    }
    let mut key = Vec::with_capacity(numbers.len().saturating_add(4));
    head(SEQUENCE, numbers.len(), &mut key);
    key.extend_from_slice(&numbers);
    key
}

/// The key inside a `SubjectPublicKeyInfo`, in the form that its algorithm has for it.
pub(super) fn public_bits(spki: &[u8]) -> Option<&[u8]> {
    let (content, []) = element(SEQUENCE, spki)? else { return None };
    let (_identifier, rest) = element(SEQUENCE, content)?;
    let (bits, []) = element(BIT_STRING, rest)? else { return None };
    bits.strip_prefix(&[0])
}

/// Modulus and exponent of an `RSAPublicKey`, without leading zeros.
pub(super) fn rsa_numbers(key: &[u8]) -> Option<[&[u8]; 2]> {
    let (content, []) = element(SEQUENCE, key)? else { return None };
    let (modulus, rest) = element(INTEGER, content)?;
    let (exponent, []) = element(INTEGER, rest)? else { return None };
    Some([modulus, exponent].map(|number| number.strip_prefix(&[0]).unwrap_or(number)))
}

/// What a key in its wrapping says of RSASSA-PSS.
pub(super) enum Pss<'a> {
    /// The key inside is for it alone, with any hash: `RSAPublicKey` or `RSAPrivateKey`.
    Alone(&'a [u8]),
    /// The same, with parameters that limit it further (RFC 4055, section 3.1), which are not read.
    Limited,
    /// It is for something else, or for all that RSA does.
    Other,
}

/// Judges a `SubjectPublicKeyInfo`.
pub(super) fn pss_public(spki: &[u8]) -> Pss<'_> {
    let Some((content, _)) = element(SEQUENCE, spki) else { return Pss::Other };
    judged(content, |rest| {
        let (bits, []) = element(BIT_STRING, rest)? else { return None };
        bits.strip_prefix(&[0])
    })
}

/// Judges PKCS#8 (RFC 5958).
pub(super) fn pss_private(pkcs8: &[u8]) -> Pss<'_> {
    let content = element(SEQUENCE, pkcs8).and_then(|(content, _)| element(INTEGER, content));
    let Some((_version, rest)) = content else { return Pss::Other };
    judged(rest, |rest| element(OCTET_STRING, rest).map(|(key, _attributes)| key))
}

/// `content` begins with the `AlgorithmIdentifier`, and the key follows.
fn judged<'a>(content: &'a [u8], key: impl FnOnce(&'a [u8]) -> Option<&'a [u8]>) -> Pss<'a> {
    let Some((identifier, rest)) = element(SEQUENCE, content) else { return Pss::Other };
    match identifier.strip_prefix(ID_RSASSA_PSS) {
        None => Pss::Other,
        Some([]) => key(rest).map_or(Pss::Limited, Pss::Alone),
        Some(_) => Pss::Limited,
    }
}

const ID_RSASSA_PSS: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// The content of the first element, which has this tag, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = match der.strip_prefix(&[tag])? {
        [len @ 0..=0x7f, rest @ ..] | [0x81, len @ 0x80..=0xff, rest @ ..] => (usize::from(*len), rest),
        [0x82, high @ 1..=0xff, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    rest.split_at_checked(len)
}

/// Appends the tag and the length of an element. No key is longer than two bytes of length can say; the reader refuses
/// what is.
fn head(tag: u8, len: usize, out: &mut Vec<u8>) {
    out.push(tag);
    match u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes() {
        [0, low @ 0..=0x7f] => out.push(low),
        [0, low] => out.extend_from_slice(&[0x81, low]),
        [high, low] => out.extend_from_slice(&[0x82, high, low]),
    }
}
