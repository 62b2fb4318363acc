//! `digest-unbound`: a digest is signed, and nobody compares it with the body.

use super::{Error, Find, Rule, Subject};
use crate::lint::coverage::{self, Extent};
use countersign_core::scheme::draft::Place;
use countersign_core::scheme::model::{Carrier, Source};

pub(super) static RULE: Rule = Rule {
    code: "digest-unbound",
    summary: "a digest of the body is signed and not compared with the body",
    what: "Finds a signed field such as `Digest` or `Content-MD5` that neither [bind] nor [let] ties to the body.",
    why: "The field looks like protection and is none: an attacker leaves it alone and exchanges the body. The \
          signature holds, as it covers the field only.",
    example: "base = \"{method}\\n{target}\\n{header.content-md5}\"",
    fix: "Tie it: `[bind]` with `Content-MD5 = \"{body | md5 | b64}\"`, or better with a `Content-Digest` of SHA-256.",
    reference: "RFC 9421, section 7.2.8 (message content); RFC 9530, section 6.3; `validate_request_body` of Kong and \
                APISIX, off by default",
    check,
};

/// Fields whose value is a digest of the body.
const DIGESTS: &[&str] = &[
    "content-digest",
    "content-md5",
    "content-sha256",
    "digest",
    "repr-digest",
    "x-amz-content-sha256",
    "x-bce-content-sha256",
    "x-content-md5",
    "x-content-sha256",
    "x-goog-content-sha256",
    "x-ms-content-sha256",
    "x-oss-content-sha256",
    "x-sdk-content-sha256",
];

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    if subject.cover.body == Extent::Whole {
        return;
    }
    let message = subject.message;
    for name in DIGESTS {
        let carries = |carrier: &Carrier| carrier.place == Place::Header && carrier.name == *name;
        let captures: Vec<usize> =
            (0..message.fields.len()).filter(|id| coverage::carriers(message, *id).any(carries)).collect();
        let defined = |id: &usize| message.fields.get(*id).is_some_and(|field| field.definition.is_some());
        let bound = message.binds.iter().any(|bind| match &bind.what {
            Source::Header(other) => other == name,
            Source::Field(id) => captures.contains(id),
            _ => false,
        });
        if bound || captures.iter().any(defined) {
            continue;
        }
        let signed = subject.signed().into_iter().find(|drawn| match drawn.source {
            Source::Header(other) => other == name,
            Source::Field(id) => captures.contains(id),
            _ => false,
        });
        let required = message.requires.iter().find(|require| require.names.iter().any(|other| other == name));
        if let Some(span) = signed.map(|drawn| drawn.span).or(required.map(|require| require.span)) {
            find(Error, span, format!("the field `{name}` is signed, but never compared with the body"));
        }
    }
}
