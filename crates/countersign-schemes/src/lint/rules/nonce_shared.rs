//! `nonce-shared`: one client's nonce is spent for all.

use super::{Find, Note, Rule, Subject};
use countersign_core::scheme::Kind;

pub(super) static RULE: Rule = Rule {
    code: "nonce-shared",
    summary: "a nonce counts once for all keys together",
    what: "Finds `nonce = \"once\"` in a scheme for requests.",
    why: "Two clients that happen on the same nonce, as those do who count, refuse each other's requests. A client \
          that can guess another's nonces spends them first.",
    example: "[fresh]\nnonce = \"once\"",
    fix: "`nonce = \"once per key\"`.",
    reference: "inji-certify issue 1000 (a nonce for all clients)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let shared = subject.scheme.fresh.nonce.is_some_and(|rule| !rule.per_key);
    if shared && subject.request() == Some(Kind::Request) {
        find(
            Note,
            subject.fresh(),
            "a nonce counts once for all keys together: clients can spend each other's".to_owned(),
        );
    }
}
