//! Signing a body in chunks: what the head says of it, then chunk after chunk.
//!
//! What was given is the content; what is sent is longer. So the head is written first, with the lengths of both, and
//! the chunks are signed when the head's signature is known.

use super::{Draft, SignError, Signing, fits, stopped};
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
        chunking: &Chunking<'_>,
        signature: &[u8],
    ) -> Result<(), SignError> {
        scratch.link.clear();
        scratch.link.previous = signature.to_vec();
        let body = self.with(draft, |env| {
            let link = Linking::new(*env, self.message, scratch);
            let mut chain = Chain(link.ok_or(SignError::KeyUnsuitable)?);
            self.write_body(Writer::new(chunking.trailers.is_some()), chunking, &mut chain)
        })?;
        draft.body = Some(body.into_body());
        draft.body_changed = true;
        Ok(())
    }

    fn write_body(
        &self,
        mut writer: Writer,
        chunking: &Chunking<'_>,
        signatures: &mut dyn Signatures,
    ) -> Result<Writer, SignError> {
        let signed = chunking.proof != Proof::Checksum;
        let content = self.view.body.unwrap_or_default();
        // The last one is empty.
        for chunk in content.chunks(chunking.size).chain([&[][..]]) {
            let signature = if signed { Some(signatures.of_chunk(chunk)?) } else { None };
            writer.chunk(chunk, signature.as_deref());
        }
        if let Some(trailers) = &chunking.trailers {
            for (name, value) in trailers.lines() {
                writer.trailer(name, value);
            }
            if signed {
                let signature = signatures.of_trailers(trailers)?;
                writer.trailer(&chunking.rule.trailer_signature, &signature);
            }
        }
        Ok(writer.end())
    }

    /// Says in the head what the body is.
    fn describe(&self, draft: &mut Draft, scratch: &mut Scratch, chunking: &Chunking<'_>) -> Result<(), SignError> {
        let coding = |name: &str| name.eq_ignore_ascii_case("content-encoding");
        let coded = self.with(draft, chain::is_coded);
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
                    PrimitivePlan::Agreed
                    | PrimitivePlan::Derived(..)
                    | PrimitivePlan::Digest(_)
                    | PrimitivePlan::Signature(_) => env.hash,
                };
                let mark = scratch.out.len();
                signature::encode(env, scratch, hash.digest(b"").as_bytes()).map_err(stopped)?;
                let stand_in = scratch.out.get(mark..).unwrap_or_default().to_vec();
                scratch.out.truncate(mark);
                let writer = Writer::measuring(chunking.trailers.is_some());
                self.write_body(writer, chunking, &mut StandIn(stand_in)).map(|writer| writer.len())
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

/// Makes the signatures of a body, in order.
trait Signatures {
    fn of_chunk(&mut self, content: &[u8]) -> Result<Vec<u8>, SignError>;
    fn of_trailers(&mut self, trailers: &Trailers) -> Result<Vec<u8>, SignError>;
}

/// Something as long as each of them.
struct StandIn(Vec<u8>);

impl Signatures for StandIn {
    fn of_chunk(&mut self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.0.clone())
    }

    fn of_trailers(&mut self, _: &Trailers) -> Result<Vec<u8>, SignError> {
        Ok(self.0.clone())
    }
}

/// Each over the one before.
struct Chain<'l, 'e>(Linking<'l, 'e>);

impl Chain<'_, '_> {
    fn sign(&mut self, program: &[Op]) -> Result<Vec<u8>, SignError> {
        let mark = self.0.scratch.out.len();
        let start = self.0.sign(program).map_err(stopped)?;
        let signature = self.0.scratch.out.get(start..).unwrap_or_default().to_vec();
        self.0.scratch.out.truncate(mark);
        self.0.scratch.link.previous.clone_from(&signature);
        Ok(signature)
    }
}

impl Signatures for Chain<'_, '_> {
    fn of_chunk(&mut self, content: &[u8]) -> Result<Vec<u8>, SignError> {
        let plan = self.0.plan;
        let hashes = plan.hashes.iter().map(|hash| hash.unwrap_or(self.0.env.hash));
        self.0.scratch.link.digests = hashes.map(|hash| (hash, hash.digest(content))).collect();
        self.sign(&plan.base)
    }

    fn of_trailers(&mut self, trailers: &Trailers) -> Result<Vec<u8>, SignError> {
        let mut canonical = Vec::new();
        trailers.canonical(&mut canonical).map_err(SignError::Message)?;
        self.0.scratch.link.trailers = canonical;
        let plan = self.0.plan;
        self.sign(plan.trailer.as_deref().unwrap_or_default())
    }
}
