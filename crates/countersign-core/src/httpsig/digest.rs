//! Digest fields (RFC 9530) as far as a signature covers them: what they claim is compared with the body that passed.
//!
//! Every digest of an algorithm that is compared (SHA-256, SHA-512) has to be the body's, whichever of them a recipient
//! would prefer: nobody signs a claim that is wrong. A field that claims none of them covers nothing.

use super::base::{Found, Parts};
use super::read;
use crate::alg::{Digest, Hash, ct_eq};
use crate::canon::sf::{self, Bare, Item, Member};
use crate::plan::run::Scratch;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;

/// The digests that are compared, in the order of the jobs that compute them.
pub(crate) const COMPARED: [(&str, Hash); 2] = [("sha-256", Hash::Sha256), ("sha-512", Hash::Sha512)];

/// Which of [`COMPARED`] a message claims, in fields that are covered.
pub(crate) fn claimed(view: &RequestView<'_>, found: &Found, out: &mut Vec<u8>) -> Result<[bool; 2], Rejection> {
    let mut claims = [false; 2];
    each(view, found, out, &mut |index, _| {
        if let Some(claim) = claims.get_mut(index) {
            *claim = true;
        }
        true
    })?;
    Ok(claims)
}

/// Compares what is claimed with the digests that were computed. True: something was compared for the body.
pub(crate) fn compare(view: &RequestView<'_>, scratch: &mut Scratch) -> Result<bool, Rejection> {
    let Scratch { out, found, digests, .. } = scratch;
    let mut compared = false;
    each(view, found, out, &mut |index, claim| {
        let computed = digests.iter().find(|(job, ..)| *job == index).map(|(_, _, digest)| digest);
        compared = true;
        computed.is_some_and(|computed| ct_eq(computed.as_bytes(), claim))
    })?;
    Ok(compared)
}

/// Whether the `Content-Digest` that a message has is its body's.
pub(super) fn agrees(view: &RequestView<'_>, body: &[u8]) -> Result<(), Rejection> {
    field(view, CONTENT, &mut Vec::new(), &mut |index, claim| {
        COMPARED.get(index).is_some_and(|(_, hash)| ct_eq(hash.digest(body).as_bytes(), claim))
    })
}

/// Appends a field's value.
pub(super) fn write(hash: Hash, digest: &Digest, out: &mut Vec<u8>) {
    let name = COMPARED.iter().find(|(_, known)| *known == hash).map_or("", |(name, _)| name);
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    sf::push_bytes(digest.as_bytes(), out);
}

const CONTENT: &str = "content-digest";
const REPRESENTATION: &str = "repr-digest";

/// Walks what covered fields claim. `holds` says whether a claim is right.
fn each(
    view: &RequestView<'_>,
    found: &Found,
    out: &mut Vec<u8>,
    holds: &mut dyn FnMut(usize, &[u8]) -> bool,
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
    holds: &mut dyn FnMut(usize, &[u8]) -> bool,
) -> Result<(), Rejection> {
    let refuse = |reason| Rejection::new(reason, None, Subject::Header(name.to_owned()));
    let mark = out.len();
    read::combine(view, name, out)?;
    let (text, mut raw) = (out.split_off(mark), Vec::new());
    let dictionary = sf::dictionary(&text).map_err(|_| refuse(Reason::DigestMalformed))?;
    for (position, (key, member)) in dictionary.entries().enumerate() {
        if dictionary.entries().take(position).any(|(other, _)| other == key) {
            return Err(refuse(Reason::DigestMalformed));
        }
        let Some(index) = COMPARED.iter().position(|(known, _)| *known == key) else { continue };
        let Member::Item(Item { bare: Bare::Bytes(claim), .. }) = member else {
            return Err(refuse(Reason::DigestMalformed));
        };
        raw.clear();
        claim.decode(&mut raw);
        if !holds(index, &raw) {
            return Err(refuse(Reason::DigestMismatch));
        }
    }
    Ok(())
}

/// What covered fields claim, for whoever wants to see it: the stage's name, the digest, the claim in base64.
pub(super) fn claims(view: &RequestView<'_>, found: &Found) -> Vec<(&'static str, Hash, Vec<u8>)> {
    let mut claims = Vec::new();
    // A malformed field is told by the verdict.
    let _ = each(view, found, &mut Vec::new(), &mut |index, claim| {
        let mut text = Vec::new();
        crate::canon::b64(claim, &mut text);
        claims.extend(COMPARED.get(index).map(|(name, hash)| (*name, *hash, text)));
        true
    });
    claims
}
