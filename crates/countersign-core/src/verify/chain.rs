//! A body in chunks, judged while it comes: each chunk's signature is compared when its last byte is there.
//!
//! The chain begins with the message's own signature, which holds already. What one chunk's signature covers is the
//! scheme's `[chunks] base`, and with `{previous}` in it no chunk can be left out, doubled or moved. The last chunk is
//! empty, and signed like the others, so that a body that ends early is found out; the length that was announced is
//! covered by the message's signature and has to be the content's.
//!
//! Content leaves here only behind a signature that holds. That takes room for one chunk, which is why there is a
//! longest one. Where chunks are not signed, and a checksum at the end is all there is, it leaves when that agreed.

use std::collections::VecDeque;

use super::signature;
use crate::alg::Hasher;
use crate::chunks::Flaw;
use crate::chunks::parse::{Event, Parser};
use crate::chunks::trailers::Trailers;
use crate::plan::run::{Env, Scratch, Stop, run, run_whole};
use crate::plan::{ChunksPlan, Op};
use crate::reject::{Reason, Rejection, Subject};
use crate::scheme::Message;
use crate::scheme::chunks::{CODING, Chunks};

/// How the chunks of a body are proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Each is signed, and the trailer, where there is one.
    Signed { trailer: bool },
    /// None is; a trailer holds a checksum of them all.
    Checksum,
}

/// The way that a message says its body comes. `None`: whole.
pub(crate) fn proof(env: &Env<'_>, message: &Message, scratch: &mut Scratch) -> Result<Option<Proof>, Stop> {
    let (Some(rule), Some(plan)) = (&message.chunks, &env.plan.chunks) else { return Ok(None) };
    let refuse = |reason, subject| Err(Rejection::new(reason, Some(rule.span), subject).into());
    let mode = scratch.captures.get(rule.mode);
    let is = |value: &Option<Vec<u8>>| value.is_some() && mode == value.as_deref();
    let proof = if is(&rule.signed) {
        Some(Proof::Signed { trailer: false })
    } else if is(&rule.signed_trailer) {
        Some(Proof::Signed { trailer: true })
    } else if is(&rule.unsigned_trailer) {
        Some(Proof::Checksum)
    } else {
        None
    };
    let length = scratch.captures.get(rule.length).is_some();
    let trailers = rule.trailers.filter(|id| scratch.captures.get(*id).is_some());
    match proof {
        // A body that is whole here would be in chunks for whoever goes by these.
        None if length => return refuse(Reason::ValueDisagrees, Subject::Capture(rule.length)),
        None if is_coded(env) => {
            return refuse(Reason::ValueDisagrees, Subject::Header("content-encoding".to_owned()));
        }
        Some(_) if !length => return refuse(Reason::FieldMissing, Subject::Capture(rule.length)),
        None | Some(Proof::Signed { trailer: false }) => {
            if let Some(id) = trailers {
                return refuse(Reason::ValueDisagrees, Subject::Capture(id));
            }
        }
        Some(_) if trailers.is_none() => {
            return refuse(Reason::FieldMissing, rule.trailers.map_or(Subject::Body, Subject::Capture));
        }
        Some(_) => {}
    }
    if proof == Some(Proof::Checksum)
        && let Some(when) = &plan.unsigned_when
    {
        let mark = scratch.out.len();
        let there = run(env, scratch, when)?;
        scratch.out.truncate(mark);
        if !there {
            return refuse(Reason::CoverageTooThin, Subject::Body);
        }
    }
    Ok(proof)
}

/// Whether the message says of its body that it has the coding of chunks.
pub(crate) fn is_coded(env: &Env<'_>) -> bool {
    let mut coded = false;
    env.view.fields.values("content-encoding", &mut |value| {
        coded |=
            value.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(CODING.as_bytes()));
    });
    coded
}

/// A body in chunks, being judged.
#[derive(Debug)]
pub(crate) struct Chain {
    proof: Proof,
    parser: Parser,
    /// The number of the chunk at hand, from 1.
    number: u64,
    /// How long the content has to be, and how long it was so far.
    announced: u64,
    seen: u64,
    hashers: Vec<Hasher>,
    /// The signature of the chunk at hand, as carried.
    claimed: Vec<u8>,
    trailers: Option<Trailers>,
    /// Content whose signature was not compared yet; `None` where nobody wants it.
    waiting: Option<Vec<u8>>,
    /// Why nothing can come of it any more.
    broken: Option<Rejection>,
    watch: Option<Watch>,
}

/// What was signed, link by link, for those who want to see: of many, the first and the last.
#[derive(Debug, Default)]
struct Watch {
    first: Vec<Watched>,
    last: VecDeque<Watched>,
}

impl Watch {
    /// How many links are kept from either end.
    const MOST: usize = 32;

    fn add(&mut self, link: Watched) {
        if self.first.len() < Self::MOST {
            self.first.push(link);
            return;
        }
        if self.last.len() >= Self::MOST {
            self.last.pop_front();
        }
        self.last.push_back(link);
    }
}

/// One link of the chain.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The number of the chunk; `None`: the trailer.
    pub(crate) chunk: Option<u64>,
    pub(crate) base: Vec<u8>,
    pub(crate) claimed: Vec<u8>,
    pub(crate) computed: Vec<u8>,
}

impl Chain {
    /// Begins with the signature that holds.
    pub(crate) fn begin(proof: Proof, rule: &Chunks, scratch: &mut Scratch, seed: usize) -> Result<Self, Rejection> {
        let captured = |id| scratch.captures.get(id).unwrap_or_default();
        let announced = std::str::from_utf8(captured(rule.length)).ok().and_then(|length| length.parse().ok());
        let announced = announced.ok_or_else(|| {
            Rejection::new(Reason::CredentialMalformed, Some(rule.span), Subject::Capture(rule.length))
        })?;
        let trailer = proof != Proof::Signed { trailer: false };
        let signed = proof != Proof::Checksum;
        let trailers = match rule.trailers.filter(|_| trailer) {
            Some(id) => Some(Trailers::announced(captured(id), rule, signed)?),
            None => None,
        };
        let seed = captured(seed).to_vec();
        scratch.link.clear();
        scratch.link.previous = seed;
        Ok(Self {
            proof,
            parser: Parser::new(signed, trailer),
            number: 0,
            announced,
            seen: 0,
            hashers: Vec::new(),
            claimed: Vec::new(),
            trailers,
            waiting: None,
            broken: None,
            watch: None,
        })
    }

    /// Keeps content until it may leave.
    pub(crate) fn keep(&mut self) {
        self.waiting.get_or_insert_default();
    }

    /// Keeps what is signed, and what is claimed and computed for it.
    pub(crate) fn watch(&mut self) {
        self.watch.get_or_insert_default();
    }

    pub(crate) fn watched(self) -> Vec<Watched> {
        let Watch { mut first, last } = self.watch.unwrap_or_default();
        first.extend(last);
        first
    }

    pub(crate) const fn proof(&self) -> Proof {
        self.proof
    }

    /// Takes in a piece of the body. Content that may leave is appended to `content`.
    pub(crate) fn update(
        &mut self,
        link: &mut Linking<'_, '_>,
        piece: &[u8],
        content: &mut Vec<u8>,
    ) -> Result<(), Rejection> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let taken = self.take(link, piece, content);
        if let Err(rejection) = &taken {
            self.broken = Some(rejection.clone());
            // Nobody will ask for it.
            self.waiting = None;
        }
        taken
    }

    /// The body is over.
    pub(crate) fn finish(&self) -> Result<(), Rejection> {
        match &self.broken {
            Some(broken) => Err(broken.clone()),
            None if self.parser.is_done() => Ok(()),
            None => Err(self.malformed(Flaw::Cut)),
        }
    }

    fn take(&mut self, link: &mut Linking<'_, '_>, mut piece: &[u8], content: &mut Vec<u8>) -> Result<(), Rejection> {
        while !piece.is_empty() {
            let (used, event) = match self.parser.step(piece) {
                Ok(step) => step,
                Err(flaw) => return Err(self.malformed(flaw)),
            };
            let (taken, rest) = piece.split_at_checked(used).unwrap_or((piece, &[]));
            piece = rest;
            match event {
                Event::Pending => {}
                Event::Begin { size, signature } => {
                    self.claimed.clear();
                    self.claimed.extend_from_slice(signature);
                    self.chunk(link, size)?;
                    if size == 0 {
                        self.end(link, content)?;
                    }
                }
                Event::Data(_) => self.data(link, taken)?,
                Event::End => self.end(link, content)?,
                Event::Trailer { name, value } => {
                    if let Some(trailers) = &mut self.trailers {
                        trailers.line(name, value)?;
                    }
                }
                Event::Done => self.done(link, content)?,
            }
        }
        Ok(())
    }

    /// A chunk begins.
    fn chunk(&mut self, link: &Linking<'_, '_>, size: u64) -> Result<(), Rejection> {
        self.number = self.number.saturating_add(1);
        if self.proof != Proof::Checksum && size > link.rule.longest {
            return Err(link.refuse(Reason::TooLarge, Subject::Chunk(self.number, None)));
        }
        let seen = self.seen.saturating_add(size);
        // Too much is refused before it comes, too little when it is over.
        if seen > self.announced || (size == 0 && seen != self.announced) {
            return Err(link.refuse(Reason::ValueDisagrees, Subject::Capture(link.rule.length)));
        }
        self.seen = seen;
        self.hashers.clear();
        if self.proof != Proof::Checksum {
            self.hashers.extend(link.plan.hashes.iter().map(|hash| hash.unwrap_or(link.env.hash).begin()));
        }
        Ok(())
    }

    /// Content of the chunk.
    fn data(&mut self, link: &Linking<'_, '_>, content: &[u8]) -> Result<(), Rejection> {
        for hasher in &mut self.hashers {
            hasher.update(content);
        }
        if let Some(trailers) = &mut self.trailers {
            trailers.update(content);
        }
        if let Some(waiting) = &mut self.waiting {
            let room = u64::try_from(waiting.len().saturating_add(content.len())).unwrap_or(u64::MAX);
            if room > link.rule.longest {
                return Err(link.refuse(Reason::TooLarge, Subject::Body));
            }
            waiting.extend_from_slice(content);
        }
        Ok(())
    }

    /// A chunk has ended: its signature is compared, and its content may leave.
    fn end(&mut self, link: &mut Linking<'_, '_>, content: &mut Vec<u8>) -> Result<(), Rejection> {
        if self.proof == Proof::Checksum {
            return Ok(());
        }
        let done = &mut link.scratch.link.digests;
        done.clear();
        for (hash, hasher) in link.plan.hashes.iter().zip(self.hashers.drain(..)) {
            done.push((hash.unwrap_or(link.env.hash), hasher.finish()));
        }
        let number = Some(self.number);
        link.compare(&link.plan.base, &self.claimed, number, self.watch.as_mut())?;
        self.leave(content);
        Ok(())
    }

    /// The body has ended: so much for the trailer.
    fn done(&mut self, link: &mut Linking<'_, '_>, content: &mut Vec<u8>) -> Result<(), Rejection> {
        if let Some(trailers) = &mut self.trailers {
            let mut canonical = Vec::new();
            trailers.canonical(&mut canonical)?;
            link.scratch.link.trailers = canonical;
            if let (Some(claimed), Some(program)) = (trailers.signature()?, &link.plan.trailer) {
                link.compare(program, claimed, None, self.watch.as_mut())?;
            }
            trailers.compare()?;
        }
        self.leave(content);
        Ok(())
    }

    fn leave(&mut self, content: &mut Vec<u8>) {
        if let Some(waiting) = &mut self.waiting {
            content.append(waiting);
        }
    }

    fn malformed(&self, flaw: Flaw) -> Rejection {
        let number = self.number.max(1);
        Rejection::new(Reason::BodyMalformed, None, Subject::Chunk(number, Some(flaw.sentence())))
    }
}

/// What the links of a chain are made with: the key under which the first signature holds, and buffers.
pub(crate) struct Linking<'l, 'e> {
    pub(crate) env: Env<'e>,
    pub(crate) message: &'e Message,
    pub(crate) rule: &'e Chunks,
    pub(crate) plan: &'e ChunksPlan,
    pub(crate) scratch: &'l mut Scratch,
}

impl<'l, 'e> Linking<'l, 'e> {
    /// `None`: the scheme knows no chunks.
    pub(crate) fn new(env: Env<'e>, message: &'e Message, scratch: &'l mut Scratch) -> Option<Self> {
        Some(Self { rule: message.chunks.as_ref()?, plan: env.plan.chunks.as_ref()?, env, message, scratch })
    }

    /// Compares a signature with the one over what a program writes, and goes on from it.
    fn compare(
        &mut self,
        program: &[Op],
        claimed: &[u8],
        chunk: Option<u64>,
        watch: Option<&mut Watch>,
    ) -> Result<(), Rejection> {
        let mark = self.scratch.out.len();
        let compared = self.compared(program, claimed, chunk, watch, mark);
        self.scratch.out.truncate(mark);
        let same = compared.map_err(|stop| match stop {
            Stop::Rejected(rejection) => rejection,
            Stop::NeedBody => self.refuse(Reason::BodyMalformed, Subject::Body),
        })?;
        if !same {
            let (subject, text) = match (chunk, &self.rule.trailer) {
                (None, Some(text)) => (Subject::Trailer(self.rule.trailer_signature.clone()), text),
                (number, _) => (Subject::Chunk(number.unwrap_or_default(), None), &self.rule.base),
            };
            return Err(Rejection::new(Reason::SignatureMismatch, Some(text.span), subject));
        }
        let previous = &mut self.scratch.link.previous;
        previous.clear();
        previous.extend_from_slice(claimed);
        Ok(())
    }

    fn compared(
        &mut self,
        program: &[Op],
        claimed: &[u8],
        chunk: Option<u64>,
        watch: Option<&mut Watch>,
        mark: usize,
    ) -> Result<bool, Stop> {
        let start = self.sign(program)?;
        let computed = self.scratch.out.get(start..).unwrap_or_default();
        if let Some(watch) = watch {
            let base = self.scratch.out.get(mark..start).unwrap_or_default().to_vec();
            watch.add(Watched { chunk, base, claimed: claimed.to_vec(), computed: computed.to_vec() });
        }
        Ok(signature::is_same(self.message, computed, claimed))
    }

    /// Appends what a program writes and the signature over it; answers where that begins.
    pub(crate) fn sign(&mut self, program: &[Op]) -> Result<usize, Stop> {
        let key = signature::mac_key(&self.env, self.scratch)?;
        let mark = self.scratch.out.len();
        run_whole(&self.env, self.scratch, program)?;
        let tag = key.mac(self.scratch.out.get(mark..).unwrap_or_default());
        let start = self.scratch.out.len();
        signature::encode(&self.env, self.scratch, tag.as_bytes())?;
        Ok(start)
    }

    fn refuse(&self, reason: Reason, subject: Subject) -> Rejection {
        Rejection::new(reason, Some(self.rule.span), subject)
    }
}
