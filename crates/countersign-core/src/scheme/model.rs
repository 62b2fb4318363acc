//! A checked scheme. Names are resolved, filters are known, every combination that makes no sense is gone.
//!
//! Plain data without behaviour: the plan is compiled from it, and lints, inference and generators read it.

pub use super::deployed::{Bound, Listing};
pub use super::rules::{ErrorPart, Errors, Fresh, KeyRule, Kind, NonceRule, Replay, Var, When, Window};
use crate::alg::{Asymmetric, Hash, ScalarKdf};
use crate::canon::{Charset, is_tchar};
use crate::plan::carrier::Shape;
pub use crate::scheme::chunks::Chunks;
use crate::scheme::draft::{At, Place, Span};
use crate::time::TimeFormat;

/// Index of a capture in [`Message::fields`].
pub type FieldId = usize;
/// Index of a `[let]` entry in [`Message::lets`].
pub type LetId = usize;
/// Index of a `[vars]` entry in [`Scheme::vars`](super::Scheme::vars).
pub type VarId = usize;

/// A request or a response: where its credentials sit, and what they sign.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The captures of all carriers.
    pub fields: Vec<Field>,
    /// The carriers, in the order written.
    pub carriers: Vec<Carrier>,
    /// The `[let]` entries, each after those it uses.
    pub lets: Vec<Let>,
    /// The signature base.
    pub base: Template,
    /// How the signature is made of it.
    pub signature: SignatureRule,
    /// The capture that holds the signature.
    pub signature_field: FieldId,
    /// Fields to sign when signing: names with globs.
    pub cover: Vec<String>,
    /// Optional captures to write when signing a message that has a body.
    pub include: Vec<FieldId>,
    /// What must hold a computed value.
    pub binds: Vec<Bind>,
    /// Which fields a capture of names must list.
    pub requires: Vec<Require>,
    /// Optional captures that must be there all the same.
    pub required_fields: Vec<FieldId>,
    /// The signed policy that has to grant the message.
    pub policy: Option<Policy>,
    /// What the signature must cover: `method`, `authority`, `path`, `query`, `body` if it is not empty, and captures
    /// if they are there.
    pub required_parts: Vec<At<String>>,
    /// Alternatives of lets and base, tried in turn. Empty: the message as it stands.
    pub tries: Vec<Alternative>,
    /// How a body in chunks is signed.
    pub chunks: Option<Chunks>,
    /// How it is signed by RFC 9421, if it is: then there are no carriers, and the base is empty.
    pub message_signature: Option<crate::httpsig::Policy>,
}

impl Message {
    /// The message as each of its alternatives has it; the message itself where it has none.
    #[must_use]
    pub fn alternatives(&self) -> Vec<Self> {
        let put = |tried: &Alternative| Self { lets: tried.lets.clone(), base: tried.base.clone(), ..self.clone() };
        if self.tries.is_empty() { vec![self.clone()] } else { self.tries.iter().map(put).collect() }
    }
}

/// A signed policy: `[policy]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The policy.
    pub text: Template,
    /// What it has to grant.
    pub resource: Template,
}

/// An alternative message: `[[try]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// All lets, replaced ones included.
    pub lets: Vec<Let>,
    /// The base.
    pub base: Template,
}

/// A capture.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: FieldType,
    /// The least and the greatest length, in bytes.
    pub length: (usize, usize),
    /// Whether it may be absent.
    pub optional: bool,
    /// The `[let]` entry of the same name, which must agree with what was captured and gives the value when
    /// signing.
    pub definition: Option<LetId>,
    /// Where it stands.
    pub span: Span,
}

/// The type of a capture: its characters, and what else must hold of it.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldType {
    /// Base64 with `+`, `/` and padding.
    B64,
    /// Base64 with `-` and `_`, padded or not.
    B64Url,
    /// Lower-case hexadecimal digits.
    Hex,
    /// Hexadecimal digits of any case, compared whatever their case.
    HexAny,
    /// Upper-case hexadecimal digits.
    HexUpper,
    /// Decimal digits.
    Int,
    /// Lower-case field names with this separator between: `names` (`;`), `names-space`, `names-comma`.
    Names(u8),
    /// Field names in any case with `;` between: looked up whatever their case, and signed as they are listed.
    NamesAny,
    /// Neither quote, backslash nor control character.
    Quotable,
    /// Anything but control characters.
    Text,
    /// An instant.
    Time(TimeFormat),
    /// The characters of an RFC 9110 token.
    Token,
    /// Letters, digits, `-`, `.`, `_`, `~`.
    Unreserved,
    /// Letters, digits, `-`, `.`, `_`.
    Word,
}

impl FieldType {
    /// The names of all types but time patterns.
    pub const NAMES: &'static [&'static str] = &[
        "b64",
        "b64url",
        "hex",
        "hex-any",
        "HEX",
        "int",
        "names",
        "names-any",
        "names-comma",
        "names-space",
        "quotable",
        "text",
        "token",
        "unreserved",
        "word",
        "unix",
        "unix-ms",
        "iso",
        "iso-ms",
        "iso-basic",
        "http-date",
        "date",
        "ymd",
    ];

    /// The type of a name in a scheme file.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "HEX" => Self::HexUpper,
            "b64" => Self::B64,
            "b64url" => Self::B64Url,
            "hex" => Self::Hex,
            "hex-any" => Self::HexAny,
            "int" => Self::Int,
            "names" => Self::Names(b';'),
            "names-any" => Self::NamesAny,
            "names-comma" => Self::Names(b','),
            "names-space" => Self::Names(b' '),
            "quotable" => Self::Quotable,
            "text" => Self::Text,
            "token" => Self::Token,
            "unreserved" => Self::Unreserved,
            "word" => Self::Word,
            other => Self::Time(TimeFormat::from_name(other)?),
        })
    }

    /// Whether a byte may stand in a value of this type.
    #[must_use]
    pub fn admits(&self, byte: u8) -> bool {
        match self {
            Self::B64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::B64Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='),
            Self::Hex => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
            Self::HexAny => byte.is_ascii_hexdigit(),
            Self::HexUpper => byte.is_ascii_digit() || matches!(byte, b'A'..=b'F'),
            Self::Int => byte.is_ascii_digit(),
            Self::Names(separator) => is_tchar(byte) || byte == *separator || matches!(byte, b'@' | b'(' | b')'),
            Self::NamesAny => Self::Names(b';').admits(byte),
            Self::Quotable => !matches!(byte, b'"' | b'\\') && !byte.is_ascii_control(),
            Self::Text => !byte.is_ascii_control(),
            Self::Time(format) => writes(format, byte),
            Self::Token => is_tchar(byte),
            Self::Unreserved => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'),
            Self::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'),
        }
    }

    /// The one length that values of this type have, where they have one.
    #[must_use]
    pub const fn fixed_length(&self) -> Option<usize> {
        match self {
            Self::Time(TimeFormat::Date) => Some(8),
            Self::Time(TimeFormat::Ymd) => Some(10),
            Self::Time(TimeFormat::IsoBasic) => Some(16),
            Self::Time(TimeFormat::Iso) => Some(20),
            Self::Time(TimeFormat::IsoMs) => Some(24),
            Self::Time(TimeFormat::HttpDate) => Some(29),
            _ => None,
        }
    }

    /// The separator, where the type is a list of names.
    #[must_use]
    pub const fn names(&self) -> Option<u8> {
        match self {
            Self::Names(separator) => Some(*separator),
            Self::NamesAny => Some(b';'),
            _ => None,
        }
    }

    /// The format, where the type is an instant.
    #[must_use]
    pub const fn time(&self) -> Option<&TimeFormat> {
        if let Self::Time(format) = self { Some(format) } else { None }
    }
}

/// Whether a byte may stand in an instant of this format.
fn writes(format: &TimeFormat, byte: u8) -> bool {
    match format {
        TimeFormat::Date | TimeFormat::Unix | TimeFormat::UnixMs => byte.is_ascii_digit(),
        TimeFormat::Iso | TimeFormat::IsoMs => {
            byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'T' | b'Z' | b'.')
        }
        TimeFormat::IsoBasic => byte.is_ascii_digit() || matches!(byte, b'T' | b'Z'),
        TimeFormat::Ymd => byte.is_ascii_digit() || byte == b'-',
        TimeFormat::HttpDate | TimeFormat::Pattern(_) => !byte.is_ascii_control() && byte.is_ascii(),
        TimeFormat::OneOf(formats) => formats.iter().any(|format| writes(format, byte)),
    }
}

/// One place of the message that carries credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Carrier {
    /// Where it sits.
    pub place: Place,
    /// Its name: lower case for header fields, as written otherwise; empty for the path.
    pub name: String,
    /// Its name as written, which is how it is written when signing.
    pub written: String,
    /// What it looks like: literals, captures, optional segments.
    pub text: Template,
    /// How a list is split.
    pub split: Option<Split>,
    /// What the value is wrapped in.
    pub wrap: Option<Wrap>,
    /// The capture that encodes the JSON object which this is a member of, instead of the body.
    pub within: Option<FieldId>,
    /// Whether the carrier may be absent: all its captures are optional.
    pub optional: bool,
    /// Where it stands.
    pub span: Span,
    /// How it is parsed.
    pub(crate) shape: Shape,
}

impl Carrier {
    /// Whether a byte can stand in a capture that this carrier holds: it does not end the capture. The capture's type
    /// and length apart.
    #[must_use]
    pub fn may_hold(&self, field: FieldId, byte: u8) -> bool {
        self.shape.may_hold(field, byte)
    }
}

/// How a carrier's list of items is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The separator.
    pub separator: Vec<u8>,
    /// Whether an unknown item is refused rather than ignored.
    pub reject_unknown: bool,
    /// Whether the signature's item may come several times.
    pub repeat_signature: bool,
}

/// What a carrier's value is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// Base64.
    B64,
    /// Base64url without padding.
    B64Url,
    /// Percent-encoding.
    Pct,
}

/// Literals, values and optional segments, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    /// The parts.
    pub parts: Vec<Part>,
    /// Where it stands.
    pub span: Span,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text that stands for itself.
    Literal(Vec<u8>),
    /// There if and only if everything in it is.
    Optional(Template),
    /// A value.
    Value(Value),
}

/// A source and what is done with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Where the bytes, or the list, come from.
    pub source: Source,
    /// What is done with them, in order.
    pub filters: Vec<Filter>,
    /// Where it stands.
    pub span: Span,
}

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The body.
    Body,
    /// In `[chunks]`: a part of what is being signed.
    Chunk(Chunk),
    /// The value of a cookie.
    Cookie(String),
    /// The name of the digest that `hmac` and `digest` stand for with the key in use.
    DigestName,
    /// A capture.
    Field(FieldId),
    /// A parameter of a form body.
    Form(String),
    /// A field line, by its lower-case name.
    Header(String),
    /// The authority without its port.
    Hostname,
    /// The authority as sent.
    Host,
    /// A member of a JSON object body.
    Json(String),
    /// The name of the list item at hand.
    K,
    /// The key's id where no capture holds it.
    KeyId,
    /// A `[let]` entry.
    Let(LetId),
    /// A list.
    List(ListSource),
    /// The method.
    Method,
    /// The path, as sent.
    Path,
    /// The content of a part of a `multipart/form-data` body, by its name.
    Part(String),
    /// The client's address.
    Peer,
    /// The authority's port, or the default one.
    Port,
    /// A parameter of the query, form-decoded.
    Query(String),
    /// What follows the target's `?`, as sent; absent where there is none.
    QueryString,
    /// A template in quotes.
    Quoted(Template),
    /// The same, of the request that a response answers.
    Request(Box<Source>),
    /// The URL scheme.
    Scheme,
    /// The shared secret.
    Secret,
    /// The status code.
    Status,
    /// The target, as sent.
    Target,
    /// The URL: scheme, authority and target.
    Url,
    /// The value of the list item at hand; absent where it has none.
    V,
    /// A deployment variable.
    Var(VarId),
    /// A child element of an XML body.
    Xml(String),
}

/// What the templates of `[chunks]` draw on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// The content of the chunk.
    Content,
    /// The signature before, as carried: that of the message, or of the chunk before.
    Previous,
    /// The trailer, one line `name:value` and a line feed for each, sorted by name.
    Trailers,
}

impl Chunk {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Content, Self::Previous, Self::Trailers];

    /// The name in scheme files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Content => "chunk",
            Self::Previous => "previous",
            Self::Trailers => "trailers",
        }
    }
}

/// Where a list of pairs comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListSource {
    /// The parameters of a form body, decoded.
    Form,
    /// The parameters of a form body, as sent.
    FormRaw,
    /// The field lines, names in lower case.
    Headers,
    /// The members of a JSON object body.
    Json,
    /// The parameters of query and form body, decoded.
    Params,
    /// The parameters of the query, form-decoded: `+` is a space.
    Query,
    /// The parameters of the query, then those of a body whose media type says that it is a form, decoded.
    QueryForm,
    /// The parameters of the query, form-decoded, then the members of a JSON object body, if there is a body.
    QueryJson,
    /// The parameters of the query, percent-decoded: `+` is a plus.
    QueryPct,
    /// The parameters of the query, as sent.
    QueryRaw,
    /// The parameters of the query, as sent, then the members of a JSON object body, if there is a body.
    QueryRawJson,
    /// The children of the root of an XML body.
    Xml,
}

impl ListSource {
    /// All of them, by name.
    pub const ALL: &'static [Self] = &[
        Self::Form,
        Self::FormRaw,
        Self::Headers,
        Self::Json,
        Self::Params,
        Self::Query,
        Self::QueryForm,
        Self::QueryJson,
        Self::QueryPct,
        Self::QueryRaw,
        Self::QueryRawJson,
        Self::Xml,
    ];

    /// The name in scheme files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::FormRaw => "form-raw",
            Self::Headers => "headers",
            Self::Json => "json",
            Self::Params => "params",
            Self::Query => "query",
            Self::QueryForm => "query-form",
            Self::QueryJson => "query-json",
            Self::QueryPct => "query-pct",
            Self::QueryRaw => "query-raw",
            Self::QueryRawJson => "query-raw-json",
            Self::Xml => "xml",
        }
    }

    /// Whether the list is read from the body, or from the body too.
    #[must_use]
    pub const fn draws_on_body(self) -> bool {
        match self {
            Self::Form
            | Self::FormRaw
            | Self::Json
            | Self::Params
            | Self::QueryForm
            | Self::QueryJson
            | Self::QueryRawJson
            | Self::Xml => true,
            Self::Headers | Self::Query | Self::QueryPct | Self::QueryRaw => false,
        }
    }
}

/// What becomes of a listed name that the message does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfAbsent {
    /// It counts as empty.
    Empty,
    /// The message is refused.
    Reject,
    /// It is left out.
    Skip,
}

/// What is done with a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// What follows the first occurrence; absent where there is none.
    After(Vec<u8>),
    /// What follows the last occurrence; all of it where there is none.
    AfterLast(Vec<u8>),
    /// What precedes the first occurrence; all of it where there is none.
    Before(Vec<u8>),
    /// A pure conversion, of a scalar or of a list's names and values.
    Convert(Convert),
    /// List: one item of each run of equal items.
    Dedupe,
    /// List: items with an empty value are dropped.
    DropEmpty,
    /// List: each item becomes the text of a template.
    Each(Template),
    /// List to scalar: a JSON object of strings, as fastjson writes a sorted map of what it read.
    Fastjson,
    /// List: the first item of each name.
    First,
    /// List: values of one name are joined, at the place of the first.
    Fold(Vec<u8>),
    /// Patterns with a separator between them, of which one must fit the template's value.
    Granting(Template, Vec<u8>),
    /// A digest; `None`: the one that the key's algorithm names.
    Hash(Option<Hash>),
    /// A key derived from the piped value: RFC 5869.
    Hkdf {
        /// The digest.
        hash: Hash,
        /// The salt.
        salt: Template,
        /// What the key is for.
        info: Template,
        /// Its length in bytes.
        length: usize,
    },
    /// An HMAC with a key; `None`: the one that the key's algorithm names.
    Hmac(Option<Hash>, Template),
    /// Empty becomes absent.
    IfAny,
    /// List to scalar: items with a separator between.
    Join(Vec<u8>),
    /// List: sorted by name as Java sorts, each name once, JSON values as Java prints what it read of them.
    JavaMap,
    /// A private scalar of P-256, derived from the piped key: a label, and a context.
    Kdf(ScalarKdf, Vec<u8>, Template),
    /// List: the last item of each name.
    Last,
    /// List: the items that a capture of names lists, and those whose name matches one of the globs.
    Listed(FieldId, Vec<String>),
    /// List: names in lower case.
    LowerNames,
    /// The value of a JSON object's member, by its name, as it stands there; absent where there is none.
    Member(Template),
    /// List: items whose name matches one of the globs.
    Only(Vec<String>),
    /// What takes the place of something absent.
    Or(Template),
    /// These bytes, and `%`, percent-encoded.
    PctOnly(Vec<u8>),
    /// List: the items whose names are listed, in that order.
    Pick(Listing, IfAbsent),
    /// HMAC steps: the piped value is the first key.
    Ratchet(Hash, Vec<Template>),
    /// A byte range: from, to. Shorter input gives what there is.
    Slice(usize, Bound),
    /// List: by name.
    Sort,
    /// List: by name, in the two-level collation of a word sort.
    SortCollated,
    /// List: by the rendered text.
    SortItems,
    /// List: by name, then by value.
    SortKv,
    /// Without this prefix, where it has it.
    StripPrefix(Vec<u8>),
    /// A captured instant in another format.
    Time(TimeFormat, TimeFormat),
    /// Bytes of the first set become those of the second.
    Translate(Vec<u8>, Vec<u8>),
    /// Absent unless the template's value is among these (or, negated, if it is).
    When(Template, Vec<Vec<u8>>, bool),
    /// List: a synthetic item in front of the others. Refused where the message has a field of that name.
    With {
        /// The item's name.
        name: String,
        /// Its value.
        value: Template,
        /// Whether `each` renders only its value.
        bare: bool,
    },
    /// List: items whose name matches none of the globs.
    Without(Vec<String>),
}

impl Filter {
    /// Calls `each` with the templates among its arguments, in their order.
    pub(crate) fn each_template(&self, each: &mut dyn FnMut(&Template)) {
        match self {
            Self::Each(text)
            | Self::Granting(text, _)
            | Self::Hmac(_, text)
            | Self::Kdf(_, _, text)
            | Self::Member(text)
            | Self::Or(text)
            | Self::When(text, ..)
            | Self::With { value: text, .. } => each(text),
            Self::Hkdf { salt, info, .. } => {
                each(salt);
                each(info);
            }
            Self::Ratchet(_, steps) => steps.iter().for_each(each),
            _ => {}
        }
    }
}

/// A pure conversion of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as in a scheme file and documented in countersign-core::canon")]
pub enum Convert {
    B64,
    B64NoPad,
    B64Url,
    B64UrlPad,
    Crc32,
    Decode(Charset),
    Dots,
    Encode(Charset),
    FormDec,
    FormEnc,
    Hex,
    HexUpper,
    JsonEscape,
    Len,
    Lower,
    Pct,
    PctPath,
    SlashEnd,
    Squeeze,
    Title,
    Trim,
    Unb64,
    Unb64Url,
    Unhex,
    Unpct,
    Upper,
}

/// How the signature is made of the base: one primitive, then encodings.
#[derive(Debug, Clone, PartialEq)]
pub struct SignatureRule {
    /// The primitive.
    pub primitive: Primitive,
    /// What follows: conversions, slices, translations.
    pub encode: Vec<Filter>,
    /// Where it stands.
    pub span: Span,
}

/// The one cryptographic step of a signature.
#[derive(Debug, Clone, PartialEq)]
pub enum Primitive {
    /// What key, policy and message agree on, in a message signature (RFC 9421).
    Agreed,
    /// A plain digest of a base that holds the secret. `None`: the one that the key's algorithm names.
    Digest(Option<Hash>),
    /// An HMAC. `None`: the one that the key's algorithm names.
    Mac(Option<Hash>, Template),
    /// A signature with a key pair that is derived from the secret.
    Derived(Asymmetric, Template),
    /// A signature with a private key.
    Signature(Asymmetric),
}

/// What must hold a computed value.
#[derive(Debug, Clone, PartialEq)]
pub struct Bind {
    /// A capture, a `[let]` entry or a field line.
    pub what: Source,
    /// Its name, for messages.
    pub name: String,
    /// What it must hold.
    pub value: Template,
    /// What it may hold instead.
    pub or: Vec<Vec<u8>>,
    /// Where it stands.
    pub span: Span,
}

/// Which fields a capture of names must list.
#[derive(Debug, Clone, PartialEq)]
pub struct Require {
    /// The capture of names.
    pub field: FieldId,
    /// Names that must be listed; with a glob, those among the message's fields that match. `!NAME` excepts what
    /// matches it from the globs.
    pub names: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

/// A named template.
#[derive(Debug, Clone, PartialEq)]
pub struct Let {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub text: Template,
    /// Where it stands.
    pub span: Span,
}
