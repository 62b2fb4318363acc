//! Digest fields (RFC 9530) as far as a signature covers them: what they claim is compared with the body that passed.
//!
//! Every digest of an algorithm that is compared has to be the body's, whichever of them a recipient would prefer: nobody
//! signs a claim that is wrong. A field that claims none of them covers nothing.

use super::base::{Found, Parts};
use super::read;
use crate::alg::{Digest, Hash, ct_eq};
use crate::digest_field;
use crate::plan::run::Scratch;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;

/// The digests that are compared, in the order of the jobs that compute them.
pub(crate) const COMPARED: [Hash; 2] = [Hash::Sha256, Hash::Sha512];

/// Which of [`COMPARED`] a message claims, in fields that are covered.
pub(crate) fn claimed(view: &RequestView<'_>, found: &Found, out: &mut Vec<u8>) -> Result<[bool; 2], Rejection> {
    let mut claims = [false; 2];
    each(view, found, out, &mut |hash, _| {
        for (known, claim) in COMPARED.iter().zip(&mut claims) {
            *claim |= *known == hash;
        }
        true
    })?;
    Ok(claims)
}

/// Compares what is claimed with the digests that were computed. True: something was compared for the body.
pub(crate) fn compare(view: &RequestView<'_>, scratch: &mut Scratch) -> Result<bool, Rejection> {
    let Scratch { out, found, digests, .. } = scratch;
    let mut compared = false;
    each(view, found, out, &mut |hash, claim| {
        compared = true;
        let computed = digests.iter().find(|(_, by, _)| *by == hash).map(|(.., digest)| digest);
        computed.is_some_and(|computed| ct_eq(computed.as_bytes(), claim))
    })?;
    Ok(compared)
}

/// Whether the `Content-Digest` that a message has is its body's.
pub(super) fn agrees(view: &RequestView<'_>, body: &[u8]) -> Result<(), Rejection> {
    let holds = &mut |hash: Hash, claim: &[u8]| ct_eq(hash.digest(body).as_bytes(), claim);
    field(view, CONTENT, &mut Vec::new(), holds)
}

/// Appends a field's value.
pub(super) fn write(hash: Hash, digest: &Digest, out: &mut Vec<u8>) -> Result<(), crate::canon::Malformed> {
    digest_field::push(hash, digest, out)
}

const CONTENT: &str = "content-digest";
const REPRESENTATION: &str = "repr-digest";

/// Walks what covered fields claim. `holds` says whether a claim is right.
fn each(
    view: &RequestView<'_>,
    found: &Found,
    out: &mut Vec<u8>,
    holds: &mut dyn FnMut(Hash, &[u8]) -> bool,
) -> Result<(), Rejection> {
    if found.parts.has(Parts::BODY) {
        field(view, CONTENT, out, holds)?;
    }
    if found.parts.has(Parts::REPRESENTATION) && is_whole(view) {
        field(view, REPRESENTATION, out, holds)?;
    }
    Ok(())
}

/// Whether the content is the whole representation, so that its digest is the content's (RFC 9530, section 3): of a
/// response that depends on the method it answers and on its status.
fn is_whole(view: &RequestView<'_>) -> bool {
    let mut partial = false;
    view.fields.values("content-range", &mut |_| partial = true);
    let head = view.answers.map_or(view.method, |request| request.method) == "HEAD";
    !partial && view.status.is_none_or(|status| status == 200 && !head)
}

fn field(
    view: &RequestView<'_>,
    name: &str,
    out: &mut Vec<u8>,
    holds: &mut dyn FnMut(Hash, &[u8]) -> bool,
) -> Result<(), Rejection> {
    let refuse = |reason| Rejection::new(reason, None, Subject::Header(name.to_owned()));
    let mark = out.len();
    read::combine(view, name, out)?;
    let claims =
        digest_field::claims(out.get(mark..).unwrap_or_default()).map_err(|_| refuse(Reason::DigestMalformed))?;
    let mut wrong = claims.hashes().filter(|hash| claims.of(*hash).is_none_or(|claim| !holds(*hash, claim)));
    let wrong = wrong.next();
    out.truncate(mark);
    if wrong.is_some() { Err(refuse(Reason::DigestMismatch)) } else { Ok(()) }
}

/// What covered fields claim, for whoever wants to see it: the stage's name, the digest, the claim in base64.
pub(super) fn claims(view: &RequestView<'_>, found: &Found) -> Vec<(&'static str, Hash, Vec<u8>)> {
    let mut claims = Vec::new();
    // A malformed field is told by the verdict.
    let _ = each(view, found, &mut Vec::new(), &mut |hash, claim| {
        let mut text = Vec::new();
        crate::canon::b64(claim, &mut text);
        claims.extend(digest_field::name(hash).map(|name| (name, hash, text)));
        true
    });
    claims
}
