//! What a scheme says beside its messages: when it applies, what makes a message fresh, which keys it takes, what its
//! refusals look like. Checked, and plain data, like the rest of [`model`](super::model).

use super::draft::{At, Span};
use super::model::FieldId;
use crate::alg::Hash;

/// A deployment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Var {
    /// Its name.
    pub name: String,
    /// Its value where none is given.
    pub default: Option<String>,
    /// What it is, for people.
    pub about: Option<String>,
    /// Whether it may be left out where it has no default.
    pub optional: bool,
    /// Where it stands.
    pub span: Span,
}

/// What a scheme signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A link that anybody who has it may follow until it expires.
    Link,
    /// A request to an API.
    #[default]
    Request,
    /// A notification to a receiver that knows its sender.
    Webhook,
}

/// Applies only to requests in which this is present: another is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// A field line, by its lower-case name.
    Header(String),
    /// A parameter of the query.
    Query(String),
}

/// What makes a message fresh. Seconds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fresh {
    /// The capture `timestamp`, how old it may be and how far ahead.
    pub timestamp: Option<Window>,
    /// The capture that holds the last valid instant.
    pub expires: Option<FieldId>,
    /// The capture that holds the first valid instant.
    pub starts: Option<FieldId>,
    /// The capture that holds the seconds for which the message is valid, and how many it may ask for.
    pub lifetime: Option<(FieldId, u64)>,
    /// The nonce's rule.
    pub nonce: Option<NonceRule>,
    /// Which messages are remembered.
    pub replay: Replay,
    /// For how many seconds a message is remembered where it has no signed time.
    pub remember: u64,
    /// Where `[fresh]` stands, if it does.
    pub span: Span,
}

/// The accepted window around now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The capture that holds the signed time.
    pub field: FieldId,
    /// How many seconds old it may be; `None`: any age.
    pub past: Option<u64>,
    /// How many seconds ahead of our clock it may be; `None`: any lead.
    pub future: Option<u64>,
}

/// Once per what a nonce may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonceRule {
    /// The capture that holds it.
    pub field: FieldId,
    /// Once per key; otherwise once for all keys together.
    pub per_key: bool,
}

/// Which messages are remembered, to be refused when they come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replay {
    /// All.
    #[default]
    Always,
    /// None.
    Never,
    /// All but those whose method is safe (RFC 9110, section 9.2.1).
    UnsafeMethods,
}

/// The body and status of a refusal, where clients depend on them.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors {
    /// The status code.
    pub status: Option<u16>,
    /// The body's parts.
    pub body: Vec<ErrorPart>,
    /// The body's media type.
    pub content_type: String,
    /// Where it stands.
    pub span: Span,
}

/// A part of a refusal's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorPart {
    /// The public reason's sentence.
    Detail,
    /// Text that stands for itself.
    Literal(String),
    /// The public reason's code.
    Reason,
}

/// The algorithms that a key may name, where the scheme leaves it to the key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRule {
    /// The digests of the HMACs; the first is the default.
    pub hashes: Vec<Hash>,
    /// The key resolver's name.
    pub resolver: Option<At<String>>,
}
