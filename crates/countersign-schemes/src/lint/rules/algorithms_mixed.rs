//! `algorithms-mixed`: one key id may stand for a secret and for a key pair.

use super::{Find, Note, Rule, Subject};
use countersign_core::httpsig::Algorithm;

pub(super) static RULE: Rule = Rule {
    code: "algorithms-mixed",
    summary: "shared secrets and key pairs sign under one policy",
    what: "Finds a [message-signature] whose keys may be used with `hmac-sha256` as well as with a signature algorithm; \
           without `algorithms` in [key] that is every one of the standard.",
    why: "What a message says never decides whether a key is a secret: the key's record does. But one id may hold \
          several keys while they are exchanged, and a secret among them lets everybody who verifies sign as its owner. \
          A public key that was stored as a secret lets everybody.",
    example: "[key]\nalgorithms = [\"hmac-sha256\", \"ed25519\"]",
    fix: "Name in [key] the algorithms of one kind, `algorithms = [\"ed25519\"]`, and give partners who share a secret a route \
          of their own.",
    reference: "RFC 9421, section 7.3.6 (key and algorithm specification downgrades); RFC 8725, section 2.1",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    // Requests and answers have the algorithms of one [key].
    let Some(policy) = subject.policy().filter(|_| !subject.response) else { return };
    let is_mac = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Hmac(_));
    let pairs = policy.algorithms.iter().filter(|algorithm| !is_mac(algorithm)).count();
    if pairs > 0 && pairs < policy.algorithms.len() {
        find(Note, policy.span, "a key id may stand for a shared secret as well as for a public key".to_owned());
    }
}
