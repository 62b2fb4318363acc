//! Keys for tests, of every kind there is.

use crate::support::SECRET;
use countersign_core::Plan;
use countersign_core::alg::KeyKind;
use countersign_core::key::{Key, Material};

macro_rules! pem {
    ($name:literal) => {
        include_str!(concat!("../../../countersign-core/tests/keys/", $name, ".pem"))
    };
}

/// Private keys and their public halves.
pub(crate) const PAIRS: &[(KeyKind, &str, &str)] = &[
    (KeyKind::Rsa, pem!("rsa-2048.pkcs8"), pem!("rsa-2048.spki")),
    (KeyKind::P256, pem!("p256.pkcs8"), pem!("p256.spki")),
    (KeyKind::P384, pem!("p384.pkcs8"), pem!("p384.spki")),
    (KeyKind::Ed25519, pem!("ed25519.pkcs8"), pem!("ed25519.spki")),
    (KeyKind::Sm2, pem!("sm2.pkcs8"), pem!("sm2.spki")),
];

fn pair(kind: KeyKind) -> (&'static str, &'static str) {
    let found = PAIRS.iter().find(|(known, ..)| *known == kind);
    found.map(|(_, private, public)| (*private, *public)).expect("a pair of every kind")
}

pub(crate) fn private(kind: KeyKind) -> Key {
    Key::private_pem(pair(kind).0).expect("a private key")
}

pub(crate) fn public(kind: KeyKind) -> Key {
    Key::public_pem(pair(kind).1).expect("a public key")
}

/// A key that can sign under a plan.
pub(crate) fn fitting(plan: &Plan) -> Key {
    match plan.scheme().request.key_pair() {
        None => Key::secret(SECRET.as_bytes()),
        Some(algorithm) => private(algorithm.key_kind()),
    }
}

/// What a verifier has of a signing key: the public half, or the secret.
pub(crate) fn verifying(key: &Key, plan: &Plan) -> Key {
    let mut half = key.clone();
    if let (Material::Private(_), Some(algorithm)) = (&key.material, plan.scheme().request.key_pair()) {
        half.material = public(algorithm.key_kind()).material;
    }
    half
}

/// The same key for one algorithm only.
pub(crate) fn named(mut key: Key, algorithm: &str) -> Key {
    key.algorithm = Some(algorithm.to_owned());
    key
}
