//! `key-unscoped`: the long-lived secret itself signs requests.

use super::{Find, Note, Rule, Subject};
use countersign_core::scheme::Kind;
use countersign_core::scheme::model::Source;

pub(super) static RULE: Rule = Rule {
    code: "key-unscoped",
    summary: "the long-lived secret signs every message itself",
    what: "Finds a MAC keyed with the secret as it is, in a scheme for requests or links.",
    why: "Whatever signs has to hold the secret, for ever and for everything. A key derived from it for a day, a \
          region or a service can be handed to a signer that may not have more, and what leaks with it ends by \
          itself.",
    example: "signature = \"{base | hmac-sha256 secret | hex}\"",
    fix: "Derive the key: `signing-key = '{secret | ratchet sha256 date \"my-service\"}'` in [let], and \
          `hmac-sha256 signing-key`. Where clients cannot change, rotate secrets often.",
    reference: "NIST SP 800-57 part 1, section 5.2 (one key for one purpose); AWS Signature Version 4, \"Create a \
                signing key\"",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    // A webhook has a secret of its own for each endpoint.
    if !matches!(subject.request(), Some(Kind::Request | Kind::Link)) {
        return;
    }
    let Some(key) = subject.key() else { return };
    let scoped = subject.drawn(key).iter().any(|drawn| *drawn.source != Source::Secret && drawn.standing.counts());
    if !scoped {
        find(
            Note,
            subject.message.signature.span,
            "the key is the long-lived secret itself, not one derived from it for a day or a service".to_owned(),
        );
    }
}
