//! The plan: a scheme compiled to programs of a small stack machine.
//!
//! A program appends to one buffer. Values open a frame, filters rewrite what the frame holds, and an absent source
//! makes its frame absent until an optional segment or `or` takes that back. A closed set of operations and not trait
//! objects: a plan is data.

pub(crate) mod carrier;
pub(crate) mod compile;
pub(crate) mod list;
pub(crate) mod noted;
mod rewrite;
pub(crate) mod run;
pub(crate) mod source;
pub(crate) mod stream;

use std::sync::Arc;

use self::noted::Names;
use crate::alg::{Asymmetric, Hash, ScalarKdf};
use crate::scheme::draft::Span;
use crate::scheme::model::{
    Bound, Convert, FieldId, FieldType, Fresh, IfAbsent, ListSource, Listing, NonceRule, Replay, Source, Window,
};
use crate::scheme::{Message, Scheme};
use crate::time::TimeFormat;

/// What the plan needs of the body. The plan, not the caller, chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyNeed {
    /// The whole body has to be in the [`RequestView`](crate::RequestView): it holds fields that are signed, or the
    /// signature algorithm takes the message whole.
    Buffer,
    /// A digest that the head claims is signed: the signature is checked before the first body byte, the body's
    /// digest as it passes.
    DigestClaimed,
    /// The body's digest is part of what is signed: bytes are hashed as they pass, then the signature is checked.
    HashFirst,
    /// The body runs into the MAC as it passes.
    Inline,
    /// The body is not signed.
    Unsigned,
}

/// A scheme, compiled. Immutable, shared.
#[derive(Debug)]
pub struct Plan {
    pub(crate) scheme: Scheme,
    pub(crate) request: MessagePlan,
    pub(crate) response: Option<MessagePlan>,
    /// The plans of the schemes of which a message may satisfy any.
    either: Vec<Arc<Self>>,
    fingerprint: [u8; 32],
}

impl Plan {
    /// Compiles a scheme. Total: a [`Scheme`] is already valid.
    #[must_use]
    pub fn compile(scheme: &Scheme) -> Arc<Self> {
        let fingerprint = fingerprint(scheme);
        Arc::new(Self {
            request: compile::message(&scheme.request, scheme.fresh.clone()),
            response: scheme.response.as_ref().map(|message| compile::message(message, answering(scheme, message))),
            either: scheme.either.iter().map(Self::compile).collect(),
            scheme: scheme.clone(),
            fingerprint,
        })
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// A digest of the whole scheme: two plans of one fingerprint do the same.
    #[must_use]
    pub const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// What a request's body is needed for.
    #[must_use]
    pub fn body_need(&self) -> BodyNeed {
        let any = |need| self.either.iter().any(|plan| plan.request.body_need == need);
        if any(BodyNeed::Buffer) { BodyNeed::Buffer } else { self.request.body_need }
    }

    /// The plans of the schemes that stand side by side under this one's name; none where it is one scheme.
    #[must_use]
    pub fn either(&self) -> &[Arc<Self>] {
        &self.either
    }

    /// Whether a nonce has to be given when signing.
    #[must_use]
    pub fn captures_nonce(&self) -> bool {
        self.scheme.request.fields.iter().any(|field| field.name == "nonce" && field.definition.is_none())
    }

    /// Whether that nonce has to be a number: schemes that ask for one want each greater than the one before.
    #[must_use]
    pub fn counts_nonces(&self) -> bool {
        self.scheme.request.fields.iter().any(|field| field.name == "nonce" && field.kind == FieldType::Int)
    }

    pub(crate) fn message(&self, response: bool) -> Option<(&Message, &MessagePlan)> {
        if response {
            self.scheme.response.as_ref().zip(self.response.as_ref())
        } else {
            Some((&self.scheme.request, &self.request))
        }
    }
}

/// What makes a response fresh: the rules of the request, for the captures of those names that it has, too. One that
/// has neither a nonce nor a time of its own is not remembered: a peer that is asked twice may answer the same twice.
fn answering(scheme: &Scheme, response: &Message) -> Fresh {
    let of = |id: FieldId, fits: fn(&FieldType) -> bool| {
        let name = &scheme.request.fields.get(id)?.name;
        response.fields.iter().position(|field| field.name == *name && fits(&field.kind))
    };
    let instant = |id| of(id, |kind| kind.time().is_some());
    let fresh = &scheme.fresh;
    let timestamp = fresh.timestamp.and_then(|window| Some(Window { field: instant(window.field)?, ..window }));
    let nonce = fresh.nonce.and_then(|rule| Some(NonceRule { field: of(rule.field, |_| true)?, ..rule }));
    let unique = timestamp.is_some() || nonce.is_some();
    Fresh {
        timestamp,
        expires: fresh.expires.and_then(instant),
        starts: fresh.starts.and_then(instant),
        lifetime: fresh.lifetime.and_then(|(id, most)| Some((of(id, |kind| *kind == FieldType::Int)?, most))),
        nonce,
        replay: if unique { fresh.replay } else { Replay::Never },
        ..fresh.clone()
    }
}

/// A digest of plain data.
fn fingerprint(data: &impl std::fmt::Debug) -> [u8; 32] {
    let digest = Hash::Sha256.digest(format!("{data:?}").as_bytes());
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    bytes
}

/// A request or a response, compiled.
#[derive(Debug)]
pub(crate) struct MessagePlan {
    /// The names of field lines that programs and carriers ask for.
    pub(crate) names: Names,
    /// The names of the query's parameters, likewise.
    pub(crate) parameters: Names,
    /// What is read of a message, in order.
    pub(crate) reads: Vec<Read>,
    /// What each carrier is written from when signing.
    pub(crate) writes: Vec<Program>,
    /// The message, or its alternatives in turn. Never empty.
    pub(crate) variants: Vec<Variant>,
    pub(crate) binds: Vec<BindPlan>,
    pub(crate) policy: Option<PolicyPlan>,
    /// Digests over the body, computed while it streams.
    pub(crate) jobs: Vec<Job>,
    /// How a body in chunks is judged.
    pub(crate) chunks: Option<ChunksPlan>,
    /// The capture `key-id`, where there is one.
    pub(crate) key_id: Option<FieldId>,
    /// Whether the signature covers the capture `key-id`.
    pub(crate) signs_key_id: bool,
    /// Whether it covers the nonce.
    pub(crate) signs_nonce: bool,
    /// Whether it certainly covers the time; of a message that lists what it covers, or sends it in a parameter, that
    /// can only be told later.
    pub(crate) signs_time: bool,
    /// The field lines that the scheme signs by their names, each with the number that the name has in `names`.
    pub(crate) signed_headers: Vec<(String, usize)>,
    /// The captures that list names of what is signed.
    pub(crate) listings: Vec<FieldId>,
    /// The number of `host`.
    pub(crate) host: usize,
    pub(crate) asks: Asks,
    pub(crate) encode: Program,
    pub(crate) body_need: BodyNeed,
    /// What makes the message fresh, by its own captures.
    pub(crate) fresh: Fresh,
}

/// What is asked of a message that takes a pass of its own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asks {
    /// Whether its body is a form.
    pub(crate) form: bool,
    /// Whether what it states is what is computed, or what a policy grants.
    pub(crate) claims: bool,
}

/// A carrier to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    /// Its number.
    pub(crate) carrier: usize,
    pub(crate) from: From,
}

/// Where a carrier's value is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From {
    /// The field line whose name has this number.
    Line(usize),
    /// The message itself.
    Message,
    /// The parameter of the query whose name has this number.
    Parameter(usize),
}

/// Lets, base and key of one alternative.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) lets: Vec<LetPlan>,
    pub(crate) base: Base,
    pub(crate) primitive: PrimitivePlan,
    /// Whether the signature can be checked before the body is there.
    pub(crate) early: Early,
}

/// Whether a signature can be checked before the body is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Early {
    /// It covers nothing that is computed from the body.
    Always,
    /// It covers the body's digest: where the message claims one, and that is what is signed.
    IfClaimed,
    /// It covers the body.
    Never,
}

#[derive(Debug)]
pub(crate) struct LetPlan {
    pub(crate) program: Program,
    /// Draws on the key, so another candidate has another value.
    pub(crate) keyed: bool,
    /// Draws on the body.
    pub(crate) body: bool,
}

/// The signature base: at once, or around a body that streams.
#[derive(Debug)]
pub(crate) enum Base {
    Whole(Program),
    Around { before: Program, after: Program },
}

#[derive(Debug)]
pub(crate) enum PrimitivePlan {
    /// That of a message signature, which `httpsig` knows.
    Agreed,
    Digest(Option<Hash>),
    /// `parts`: what the key is made of besides the secret, where its prepared state may be kept; `id`: a digest of
    /// how it is made.
    Mac {
        hash: Option<Hash>,
        key: Program,
        parts: Option<Program>,
        id: [u8; 32],
    },
    /// `key`: what makes the private scalar.
    Derived(Asymmetric, Program),
    Signature(Asymmetric),
}

/// A digest over the body and what stands around it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) hash: Option<Hash>,
    pub(crate) before: Program,
    pub(crate) after: Program,
}

/// `[chunks]`, compiled.
#[derive(Debug)]
pub(crate) struct ChunksPlan {
    pub(crate) base: Program,
    pub(crate) trailer: Option<Program>,
    pub(crate) unsigned_when: Option<Program>,
    pub(crate) size: Program,
    /// The digests of a chunk that `base` takes.
    pub(crate) hashes: Vec<Option<Hash>>,
    /// Whether the digests over the whole body are for nothing where it comes in chunks.
    pub(crate) replaces_jobs: bool,
}

#[derive(Debug)]
pub(crate) struct BindPlan {
    pub(crate) what: Source,
    /// The number of its name, where it is a field line.
    pub(crate) line: Option<usize>,
    pub(crate) value: Program,
    pub(crate) or: Vec<Vec<u8>>,
    pub(crate) span: Span,
    /// Whether holding the computed value covers the body.
    pub(crate) body: bool,
}

/// A signed policy, and what it has to grant.
#[derive(Debug)]
pub(crate) struct PolicyPlan {
    pub(crate) text: Program,
    pub(crate) resource: Program,
    pub(crate) span: Span,
}

/// Operations, in order.
pub(crate) type Program = Box<[Op]>;

/// An operation of the machine.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// Appends text.
    Text(Box<[u8]>),
    /// Appends a source; where it is absent, the frame is.
    Push(Source, Span),
    /// Appends the one field line whose name has this number.
    Line(usize, Span),
    /// Appends the one parameter of the query whose name has this number.
    Parameter(usize, Span),
    /// Appends what one of these three appends, or nothing where it is absent.
    OrNothing(Box<Op>),
    /// Appends the digest of the chunk at hand.
    Chunk(Option<Hash>),
    /// Appends the digest of a body job.
    Job(usize),
    /// Begins a value.
    Open,
    /// Ends a value: where it is absent, the frame around it is.
    Close(Span, Blame),
    /// Begins an optional segment.
    OpenOptional,
    /// Ends it: where something in it is absent, all of it is, and nobody else.
    CloseOptional,

    /// Loads the list register.
    Load(ListSource),
    /// Loads it with the field lines whose names are listed.
    LoadPicked(Listing, IfAbsent, Span),
    /// Rewrites the list register.
    List(ListOp),
    /// Appends every item, rendered by a program, with a separator between.
    EachJoin(Program, Box<[u8]>),
    /// Appends the list as fastjson writes a sorted map of strings.
    Fastjson(Span),

    /// Rewrites the frame's bytes.
    Convert(Convert, Span, Blame),
    /// Keeps what follows the first occurrence.
    After(Box<[u8]>),
    /// Cuts the frame to what follows the last occurrence.
    AfterLast(Box<[u8]>),
    /// Keeps what precedes the first occurrence.
    Before(Box<[u8]>),
    /// Refuses the message unless one of the frame's patterns fits a value.
    Granting(Program, Box<[u8]>, Span),
    /// Digest of the frame's bytes.
    Hash(Option<Hash>),
    /// A key derived from the frame's bytes: digest, salt, info, length.
    Hkdf(Hash, Program, Program, usize),
    /// HMAC of the frame's bytes.
    Hmac(Option<Hash>, Program),
    /// Makes an empty frame absent.
    IfAny,
    /// Percent-encodes some bytes.
    PctOnly(Box<[u8]>),
    /// Keeps a member of the JSON object that the frame holds, by the name that a program makes.
    Member(Program, Span, Blame),
    /// Fills an absent frame.
    Or(Program),
    /// Derives a private scalar of P-256.
    Kdf(ScalarKdf, Box<[u8]>, Program),
    /// Steps a key.
    Ratchet(Hash, Vec<Program>),
    /// Keeps a range.
    Slice(usize, Bound, Span),
    /// Drops a prefix.
    StripPrefix(Box<[u8]>),
    /// Writes an instant in another format.
    Time(TimeFormat, TimeFormat),
    /// Maps bytes.
    Translate(Box<[u8]>, Box<[u8]>),
    /// Makes the frame absent unless (or if) a value is among some.
    When(Program, Vec<Vec<u8>>, bool),
}

impl Op {
    /// Whether it rewrites the frame's bytes, and has nothing to do where they are absent.
    pub(crate) const fn filters(&self) -> bool {
        matches!(
            self,
            Self::Convert(..)
                | Self::After(_)
                | Self::AfterLast(_)
                | Self::Before(_)
                | Self::Granting(..)
                | Self::Hash(_)
                | Self::Hkdf(..)
                | Self::Hmac(..)
                | Self::IfAny
                | Self::PctOnly(_)
                | Self::Member(..)
                | Self::Kdf(..)
                | Self::Ratchet(..)
                | Self::Slice(..)
                | Self::StripPrefix(_)
                | Self::Time(..)
                | Self::Translate(..)
                | Self::When(..)
        )
    }
}

/// Whose fault it is if a value is absent or malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The key's: its secret is not what the scheme decodes. The message must not be told.
    Key,
    Message,
}

/// A rewrite of the list register.
#[derive(Debug, Clone)]
pub(crate) enum ListOp {
    Convert(Convert, Span),
    Dedupe,
    DropEmpty,
    Each(Program),
    First,
    Fold(Box<[u8]>),
    JavaMap(Span),
    Last,
    Listed(FieldId, Vec<String>, Span),
    LowerNames,
    Only(Vec<String>, bool),
    Pick(Listing, IfAbsent, Span),
    Sort,
    SortCollated,
    SortItems,
    SortKv,
    With { name: String, value: Program, bare: bool, span: Span },
}
