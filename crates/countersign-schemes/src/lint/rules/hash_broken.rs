//! `hash-broken`: MD5 or SHA-1 in the signature.

use super::{Error, Find, Note, Rule, Severity, Subject, Warning};
use countersign_core::alg::{Asymmetric, Hash};
use countersign_core::scheme::model::{Filter, Primitive};

pub(super) static RULE: Rule = Rule {
    code: "hash-broken",
    summary: "the signature rests on MD5 or SHA-1",
    what: "Finds MD5 and SHA-1 in the signature or in the derivation of its key, also where only the key's record may \
           choose them.",
    why: "Two messages of one MD5 take a second to make, two of one SHA-1 some thousand dollars. A plain digest or a \
          signature of one is then one of the other. HMAC survives that so far, but nobody allows it in new designs, \
          and auditors will ask.",
    example: "signature = \"{base | rsa-sha1 private_key | b64}\"",
    fix: "`hmac-sha256`, `rsa-sha256`, `ecdsa-p256` or `ed25519`.",
    reference: "RFC 6151 (MD5), RFC 6194 (SHA-1); Leurent, Peyrin, \"SHA-1 is a shambles\" (2020); OWASP ASVS 5.0, \
                appendix C",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let span = subject.message.signature.span;
    let mut report = |severity: Severity, what: String| {
        find(severity, span, format!("{what}, of which collisions can be made"));
    };
    let (named, mac) = match &subject.message.signature.primitive {
        Primitive::Signature(Asymmetric::RsaPkcs1(Hash::Sha1)) => {
            return report(Error, "it signs a SHA-1".to_owned());
        }
        Primitive::Agreed | Primitive::Derived(..) | Primitive::Signature(_) => return,
        Primitive::Digest(named) => (*named, false),
        Primitive::Mac(named, _) => (*named, true),
    };
    let derived = subject.key().into_iter().flat_map(|key| subject.drawn(key)).flat_map(|drawn| drawn.filters);
    let derived: Vec<Hash> = derived
        .filter_map(|filter| match filter {
            Filter::Hkdf { hash, .. }
            | Filter::Ratchet(hash, _)
            | Filter::Hmac(Some(hash), _)
            | Filter::Hash(Some(hash)) => Some(*hash),
            _ => None,
        })
        .collect();
    let weakest = |hashes: &[Hash]| [Hash::Md5, Hash::Sha1].into_iter().find(|hash| hashes.contains(hash));
    if let Some(hash) = weakest(&subject.hashes(named)) {
        let severity = match (mac, hash) {
            (false, _) => Error,
            (true, Hash::Md5) => Warning,
            (true, _) => Note,
        };
        let kind = if mac { "an HMAC over" } else { "a plain" };
        let whose = if named.is_some() { "it is" } else { "a key's record may make it" };
        report(severity, format!("{whose} {kind} {}", title(hash)));
    } else if let Some(hash) = weakest(&derived) {
        report(Note, format!("its key is derived with {}", title(hash)));
    }
}

const fn title(hash: Hash) -> &'static str {
    match hash {
        Hash::Md5 => "MD5",
        _ => "SHA-1",
    }
}
