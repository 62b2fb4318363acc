//! A scheme as it is written, before anything is checked: what a reader of scheme files hands to
//! [`Scheme::check`](super::Scheme::check).
//!
//! Purely syntactic. Names are not resolved, filters are not known, nothing is excluded that the grammar allows.
//! Every piece carries the place it came from, so that a fault found later can be shown where it stands.

/// A stretch of a scheme file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// Which file: 0 for the scheme itself, 1 for what it extends, 2 for what that extends …
    pub file: u16,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> At<T> {
    /// A value at a place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// Literals, expressions and optional segments, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// The parts; adjacent literals are merged.
    pub parts: Vec<Part>,
    /// The text between the quotes.
    pub span: Span,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// `{expr}`
    Expr(Expr),
    /// Text that stands for itself. `{{`, `}}`, `[[` and `]]` are already unescaped.
    Literal(Vec<u8>),
    /// `[template]`: there if and only if all its fields are.
    Optional(Template),
}

/// `atom [":" type] ["?"] { "|" filter }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What the filters begin with.
    pub atom: Atom,
    /// The type of a capture, as written: `unix`, `b64`, `yyyy-MM-dd HH:mm:ss@+08:00`.
    pub kind: Option<At<String>>,
    /// The bounds on a capture's length in bytes, as in `{nonce:unreserved 16-128}`.
    pub length: Option<At<(u32, u32)>>,
    /// `{name?}`: may be absent.
    pub optional: bool,
    /// The filters, in order.
    pub filters: Vec<Filter>,
    /// From the brace to the brace.
    pub span: Span,
}

/// What an expression begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Atom {
    /// `name` or `source.member`, as written.
    Name(String),
    /// `"template"`
    Quoted(Template),
}

/// `name { arg }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The filter's name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<At<Arg>>,
    /// Name and arguments.
    pub span: Span,
}

/// An argument of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// `"text"`, which is a template where the filter takes one.
    Text(Template),
    /// A bare word: a name, a number, a glob.
    Word(String),
}

/// Where a carrier sits in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A cookie of the `Cookie` field.
    Cookie,
    /// A parameter of an `application/x-www-form-urlencoded` body.
    Form,
    /// A field line.
    Header,
    /// A member of a JSON object body.
    Json,
    /// The path of the target.
    Path,
    /// A parameter of the query.
    Query,
    /// A child of the root element of an XML body.
    Xml,
}

/// One place of the message that carries credentials: `[header]`, `[query]` … entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// Where it sits.
    pub place: Place,
    /// The field's, parameter's, cookie's or member's name; empty for the path.
    pub name: At<String>,
    /// What it looks like.
    pub text: Template,
    /// `split`: the separator of a list whose items may come in any order.
    pub split: Option<At<String>>,
    /// `unknown = "ignore" | "reject"`: what happens to an unknown item of a list. Default: ignored.
    pub unknown: Option<At<String>>,
    /// `repeat`: whether the signature's item may come several times. Default: yes in a list.
    pub repeat: Option<At<bool>>,
    /// `decode = "pct" | "b64" | "b64url"`: the carrier's value is wrapped in this.
    pub decode: Option<At<String>>,
    /// `in`: the capture that encodes the JSON object which this is a member of, instead of the body.
    pub within: Option<At<String>>,
}

/// A named template: an entry of `[let]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Let {
    /// The name.
    pub name: At<String>,
    /// What it stands for.
    pub text: Template,
}

/// `[sign]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignDraft {
    /// `base`: the signature base.
    pub base: Template,
    /// `signature`: one expression that begins with `base` and holds exactly one primitive.
    pub signature: Template,
    /// `cover`: names, with globs, of the fields to sign when signing, separated by spaces.
    pub cover: Option<At<String>>,
    /// `include`: optional captures to write when signing a message that has a body, separated by spaces.
    pub include: Option<At<String>>,
}

/// An entry of `[bind]`: a field that must hold a value which is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// The name of a capture, or else of a field line.
    pub name: At<String>,
    /// `value`: what it must hold.
    pub value: Template,
    /// `or`: literal values it may hold instead.
    pub or: Vec<At<String>>,
}

/// An entry of `[require]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Require {
    /// The capture of type `names` that must list the fields, `fields` for captures that must be there,
    /// or `covered` for parts that the signature must cover.
    pub name: At<String>,
    /// Names, with globs, separated by spaces.
    pub names: At<String>,
}

/// `[fresh]`, as written; durations are already read. Seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreshDraft {
    /// `timestamp = "5m"` or `{ past = "5m", future = "1m" }`: accepted age and lead in seconds.
    pub timestamp: Option<At<WindowDraft>>,
    /// `expires`: the name of the capture that holds the last valid instant.
    pub expires: Option<At<String>>,
    /// `starts`: the name of the capture that holds the first valid instant.
    pub starts: Option<At<String>>,
    /// `lifetime = { field = "ttl", max = "7d" }`: the capture that holds the seconds for which the message
    /// is valid after its timestamp, and how many it may ask for.
    pub lifetime: Option<At<(String, u64)>>,
    /// `nonce = "once per key"` or `"once"`.
    pub nonce: Option<At<String>>,
    /// `replay = "always" | "unsafe-methods" | "never"`.
    pub replay: Option<At<String>>,
    /// `remember = "24h"`: how long, in seconds, where there is no signed time.
    pub remember: Option<At<u64>>,
}

/// The accepted window around now, in seconds. `None`: unbounded on that side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowDraft {
    /// How old a message may be.
    pub past: Option<u64>,
    /// How far ahead of our clock its stamp may be.
    pub future: Option<u64>,
}

/// `[errors]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorsDraft {
    /// `status`: the status code of a refusal.
    pub status: Option<At<u16>>,
    /// `body`: a template in which `{reason}` and `{detail}` are the public reason's code and sentence.
    pub body: Option<Template>,
    /// `content-type`.
    pub content_type: Option<At<String>>,
}

/// An entry of `[vars]`: a value that the deployment gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VarDraft {
    /// The name.
    pub name: At<String>,
    /// `default`: its value where none is given.
    pub default: Option<At<String>>,
    /// `about`: what it is, for people.
    pub about: Option<At<String>>,
    /// `optional`: nothing need be given, and nothing stands for it.
    pub optional: bool,
}

/// `[chunks]`: a body in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunksDraft {
    /// `format = "aws-chunked"`: the framing.
    pub format: At<String>,
    /// `mode`: the capture that says whether the body comes in chunks, and how.
    pub mode: At<String>,
    /// `signed`: its value where chunks are signed.
    pub signed: Option<At<String>>,
    /// `signed-trailer`: its value where chunks and a trailer are.
    pub signed_trailer: Option<At<String>>,
    /// `unsigned-trailer = "VALUE"` or `{ value, when }`: its value where chunks are not signed.
    pub unsigned_trailer: Option<At<String>>,
    /// `when`: such messages are accepted only where this is there.
    pub unsigned_when: Option<Template>,
    /// `length`: the capture that announces the length of the content.
    pub length: At<String>,
    /// `trailers`: the capture that announces the names of trailers.
    pub trailers: Option<At<String>>,
    /// `checksum`: what the names of trailers begin with.
    pub checksum: Option<At<String>>,
    /// `trailer-signature`: the name of the trailer that signs the others.
    pub trailer_signature: Option<At<String>>,
    /// `size`: the bytes of a chunk when signing.
    pub size: Option<Template>,
    /// `max`: how many bytes a signed chunk may have.
    pub longest: Option<At<u64>>,
    /// `base`: what is signed of a chunk.
    pub base: Template,
    /// `trailer`: what is signed of the trailer.
    pub trailer: Option<Template>,
    /// Where the section stands.
    pub span: Span,
}

/// Carriers, lets, the signature and its conditions for a request or a response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageDraft {
    /// `[header]`, `[query]` …, in the order written.
    pub carriers: Vec<Carrier>,
    /// `[let]`, in the order written.
    pub lets: Vec<Let>,
    /// `[sign]`
    pub sign: Option<SignDraft>,
    /// `[bind]`
    pub binds: Vec<Bind>,
    /// `[require]`
    pub requires: Vec<Require>,
    /// `[policy]`
    pub policy: Option<PolicyDraft>,
    /// `[[try]]`: what replaces `[let]` entries and `[sign] base` in turn, until one verifies. Signing uses the
    /// first. Empty: the message as it stands.
    pub tries: Vec<TryDraft>,
    /// `[chunks]`
    pub chunks: Option<ChunksDraft>,
    /// `[message-signature]`
    pub message_signature: Option<MessageSignatureDraft>,
}

/// `[message-signature]`: a message that is signed by RFC 9421.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageSignatureDraft {
    /// `components`: what is signed, in order, separated by spaces; a question mark makes one optional.
    pub components: Option<At<String>>,
    /// `label`: the label to sign under. Default: `sig1`.
    pub label: Option<At<String>>,
    /// `only-label`: whether signatures under other labels do not count. Default: false.
    pub only_label: Option<At<bool>>,
    /// `tag`: the tag to sign with, without which a signature does not count.
    pub tag: Option<At<String>>,
    /// `most`: how many signatures a message may have. Default: 4.
    pub most: Option<At<u64>>,
    /// `structured`: the types of fields that are not registered as structured ones, as in `name=dictionary`.
    pub structured: Option<At<String>>,
    /// `secret = "text" | "base64" | "hex"`: how a shared secret is written. Default: text.
    pub secret: Option<At<String>>,
    /// Where the section stands.
    pub span: Span,
}

/// `[policy]`: a signed policy that grants the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDraft {
    /// `text`: the policy.
    pub text: Template,
    /// `resource`: what it has to grant.
    pub resource: Template,
}

/// An entry of `[[try]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryDraft {
    /// Entries that replace those of `[let]`.
    pub lets: Vec<Let>,
    /// Replaces `[sign] base`.
    pub base: Option<Template>,
    /// Where it stands.
    pub span: Span,
}

/// A whole scheme file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchemeDraft {
    /// The name: the file's, without its ending.
    pub name: String,
    /// `title`: one line for people.
    pub title: Option<At<String>>,
    /// `reference`: where it is defined.
    pub reference: Option<At<String>>,
    /// `kind = "request" | "webhook" | "link"`: what it signs; decides how severe some lints are.
    pub kind: Option<At<String>>,
    /// `when = "query X-Amz-Signature"`: applies only to messages in which this is present.
    pub when: Option<At<String>>,
    /// `[key] algorithms`: what `hmac` and `digest` may stand for; the first is the default. The key decides.
    pub algorithms: Vec<At<String>>,
    /// `[key] resolver`: the name of a key resolver.
    pub resolver: Option<At<String>>,
    /// `[vars]`
    pub vars: Vec<VarDraft>,
    /// The request.
    pub request: MessageDraft,
    /// `[response]`
    pub response: Option<MessageDraft>,
    /// `[fresh]`
    pub fresh: FreshDraft,
    /// `[errors]`
    pub errors: Option<ErrorsDraft>,
    /// `either`: the schemes of which a message may satisfy any; nothing else of a message is said here then.
    pub either: Vec<Self>,
    /// Where `either` stands.
    pub either_span: Span,
}

/// Something wrong with a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}
