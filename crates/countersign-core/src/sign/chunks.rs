//! Signing a body in chunks: what the head says of it, then chunk after chunk.
//!
//! What was given is the content; what is sent is longer. So the head is written first, with the lengths of both, and
//! the chunks are signed when the head's signature is known.

use super::{Draft, SignError, Signing, fits, stopped};
use crate::alg::Hash;
use crate::chunks::trailers::Trailers;
use crate::chunks::write::Writer;
use crate::plan::run::{Scratch, run_whole};
use crate::plan::{Op, PrimitivePlan};
use crate::scheme::chunks::{CODING, Chunks};
use crate::scheme::model::FieldId;
use crate::verify::chain::{self, Linking, Proof};
use crate::verify::signature;

/// A body that goes in chunks.
pub(super) struct Chunking<'s> {
    rule: &'s Chunks,
    proof: Proof,
    /// Bytes of a chunk.
    size: usize,
    trailers: Option<Trailers>,
}

impl<'s> Signing<'s> {
    /// Decides whether the body goes in chunks, and lets the head say so. `None`: it goes whole.
    ///
    /// It does where the message, or whoever has it signed, says so, and, where nobody says anything, if there is one.
    pub(super) fn announce(
        &self,
        draft: &mut Draft,
        scratch: &mut Scratch,
    ) -> Result<Option<Chunking<'s>>, SignError> {
        let Some(rule) = &self.message.chunks else { return Ok(None) };
        let content = self.view.body.unwrap_or_default();
        if scratch.captures.get(rule.mode).is_none() && !content.is_empty() {
            let trailer = rule.trailers.is_some_and(|id| scratch.captures.get(id).is_some());
            if let Some(mode) = if trailer { &rule.signed_trailer } else { &rule.signed } {
                self.capture(scratch, rule.mode, mode)?;
            }
        }
        if [&rule.signed, &rule.signed_trailer, &rule.unsigned_trailer]
            .iter()
            .all(|value| scratch.captures.get(rule.mode) != value.as_deref() || value.is_none())
        {
            return Ok(None);
        }
        self.capture(scratch, rule.length, content.len().to_string().as_bytes())?;
        let asks = rule.signed.as_deref() != scratch.captures.get(rule.mode);
        if let Some(id) = rule.trailers.filter(|id| asks && scratch.captures.get(*id).is_none()) {
            return Err(SignError::VarNeeded { name: self.name_of(id) });
        }
        let proof = self.with(draft, |env| chain::proof(env, self.message, scratch)).map_err(stopped)?;
        let Some(proof) = proof else { return Ok(None) };
        let trailers = match rule.trailers.filter(|_| asks) {
            Some(id) => {
                let listed = scratch.captures.get(id).unwrap_or_default();
                let announced = Trailers::announced(listed, rule, proof != Proof::Checksum);
                let mut trailers = announced.map_err(SignError::Message)?;
                trailers.update(content);
                trailers.fill();
                Some(trailers)
            }
            None => None,
        };
        let size = self.size(draft, scratch, rule)?;
        let chunking = Chunking { rule, proof, size, trailers };
        self.describe(draft, scratch, &chunking)?;
        Ok(Some(chunking))
    }

    /// Signs the chunks, behind the message's own signature, and puts them into the place of the content.
    pub(super) fn write_chunks(
        &self,
        draft: &mut Draft,
        scratch: &mut Scratch,
        mut chunking: Chunking<'_>,
        signature: &[u8],
    ) -> Result<(), SignError> {
        scratch.link.clear();
        scratch.link.previous = signature.to_vec();
        let body = self.with(draft, |env| {
            let Some(mut link) = Linking::new(*env, self.message, scratch) else { return Ok(Vec::new()) };
            let plan = link.plan;
            let writer = Writer::new(chunking.trailers.is_some());
            let content = self.view.body.unwrap_or_default();
            let written = write(writer, content, &mut chunking, &mut |link_to, digested| {
                if let Some(content) = digested {
                    let digests = &mut link.scratch.link.digests;
                    digests.clear();
                    let hashes = plan.hashes.iter().map(|hash| hash.unwrap_or(env.hash));
                    digests.extend(hashes.map(|hash: Hash| (hash, hash.digest(content))));
                }
                let (program, canonical): (&[Op], _) = match link_to {
                    Link::Chunk => (&plan.base, None),
                    Link::Trailer(canonical) => (plan.trailer.as_deref().unwrap_or_default(), Some(canonical)),
                };
                if let Some(canonical) = canonical {
                    link.scratch.link.trailers = canonical;
                }
                let mark = link.scratch.out.len();
                let start = link.sign(program).map_err(stopped)?;
                let signature = link.scratch.out.get(start..).unwrap_or_default().to_vec();
                link.scratch.out.truncate(mark);
                link.scratch.link.previous.clone_from(&signature);
                Ok(signature)
            });
            written.map(Writer::into_body)
        })?;
        draft.body = Some(body);
        draft.body_changed = true;
        Ok(())
    }

    /// Says in the head what the body is.
    fn describe(&self, draft: &mut Draft, scratch: &mut Scratch, chunking: &Chunking<'_>) -> Result<(), SignError> {
        let coding = |name: &str| name.eq_ignore_ascii_case("content-encoding");
        let coded = self.with(draft, |env| chain::is_coded(env));
        if !coded && draft.fields.iter().any(|(name, _)| coding(name)) {
            // What is there stands for itself, and cannot be added to unseen.
            return Err(SignError::CarrierMalformed { carrier: "Content-Encoding".to_owned() });
        }
        if !coded {
            draft.set("Content-Encoding", CODING.as_bytes().to_vec());
        }
        if draft.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            let length = self.with(draft, |env| {
                let hash = match &self.variant.primitive {
                    PrimitivePlan::Mac { hash, .. } => hash.unwrap_or(env.hash),
                    PrimitivePlan::Digest(_) | PrimitivePlan::Signature(_) => env.hash,
                };
                let mark = scratch.out.len();
                signature::encode(env, scratch, hash.digest(b"").as_bytes()).map_err(stopped)?;
                let stand_in = scratch.out.get(mark..).unwrap_or_default().to_vec();
                scratch.out.truncate(mark);
                let writer = Writer::measuring(chunking.trailers.is_some());
                let content = self.view.body.unwrap_or_default();
                write(writer, content, chunking, &mut |_, _| Ok(stand_in.clone())).map(|writer| writer.len())
            })?;
            draft.set("Content-Length", length.to_string().into_bytes());
        }
        Ok(())
    }

    fn size(&self, draft: &Draft, scratch: &mut Scratch, rule: &Chunks) -> Result<usize, SignError> {
        let unfit = || SignError::ValueUnfit { name: "size".to_owned() };
        let program = self.plan.chunks.as_ref().map(|plan| &plan.size).ok_or_else(unfit)?;
        let mark = scratch.out.len();
        self.with(draft, |env| run_whole(env, scratch, program)).map_err(stopped)?;
        let size = std::str::from_utf8(scratch.out.get(mark..).unwrap_or_default()).ok();
        let size: Option<u64> = size.and_then(|size| size.parse().ok());
        scratch.out.truncate(mark);
        let fits = |size: &u64| (1..=rule.longest).contains(size);
        size.filter(fits).and_then(|size| usize::try_from(size).ok()).ok_or_else(unfit)
    }

    /// Sets a capture, which may be there already if it holds the same.
    fn capture(&self, scratch: &mut Scratch, id: FieldId, value: &[u8]) -> Result<(), SignError> {
        let differs = scratch.captures.get(id).is_some_and(|there| there != value);
        if differs || !fits(self.message, id, value) {
            return Err(SignError::ValueUnfit { name: self.name_of(id) });
        }
        scratch.captures.set(id, value);
        Ok(())
    }

    fn name_of(&self, id: FieldId) -> String {
        self.message.fields.get(id).map(|field| field.name.clone()).unwrap_or_default()
    }
}

/// What is signed next.
enum Link {
    Chunk,
    /// The trailer, in its canonical form.
    Trailer(Vec<u8>),
}

/// Writes a body. `sign` is asked for each signature: of a chunk, with its content, and of the trailer.
fn write(
    mut writer: Writer,
    content: &[u8],
    chunking: &Chunking<'_>,
    sign: &mut dyn FnMut(Link, Option<&[u8]>) -> Result<Vec<u8>, SignError>,
) -> Result<Writer, SignError> {
    let signed = chunking.proof != Proof::Checksum;
    // The last one is empty.
    for chunk in content.chunks(chunking.size).chain([&[][..]]) {
        let signature = if signed { Some(sign(Link::Chunk, Some(chunk))?) } else { None };
        writer.chunk(chunk, signature.as_deref());
    }
    if let Some(trailers) = &chunking.trailers {
        for (name, value) in trailers.lines() {
            writer.trailer(name, value);
        }
        if signed {
            let mut canonical = Vec::new();
            trailers.canonical(&mut canonical).map_err(SignError::Message)?;
            let signature = sign(Link::Trailer(canonical), None)?;
            writer.trailer(&chunking.rule.trailer_signature, &signature);
        }
    }
    Ok(writer.end())
}
