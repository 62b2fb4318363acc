//! `[chunks]`: a body that comes in chunks, each signed, and each signature over the one before.
//!
//! The section knows one framing, `aws-chunked`. Which messages have such a body, what is signed of a chunk and of
//! the trailer, and where lengths and names are announced, the scheme says. What would leave a chunk unsigned, or
//! let a chunk's signature stand for something else, is a fault.

use super::check::{Checker, fault};
use super::draft::{At, ChunksDraft, Fault, Place, Span};
use super::model::{
    Carrier, Chunk, Convert, Field, FieldId, FieldType, Filter, Message, Part, Primitive, Source, Template,
};
use crate::plan::compile::{Depth, on_body};

/// The one framing that is known.
pub(crate) const CODING: &str = "aws-chunked";
/// The longest chunk, in bytes, where the scheme does not say.
const LONGEST: u64 = 16 * 1024 * 1024;
/// The bytes of a chunk, when signing, where the scheme does not say.
const SIZE: &[u8] = b"65536";

/// How a body in chunks is read and signed.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunks {
    /// The capture that says, by one of the three values below, that the body comes in chunks. Its own `[bind]` and
    /// definition do not apply then.
    pub mode: FieldId,
    /// Its value where chunks are signed.
    pub signed: Option<Vec<u8>>,
    /// Its value where chunks are signed and a trailer follows them, signed too.
    pub signed_trailer: Option<Vec<u8>>,
    /// Its value where chunks are not signed, and a trailer holds a checksum of the content.
    pub unsigned_trailer: Option<Vec<u8>>,
    /// Messages of that kind are accepted only where this is there.
    pub unsigned_when: Option<Template>,
    /// The capture that announces the length of the content, in bytes.
    pub length: FieldId,
    /// The capture that announces the names of trailers.
    pub trailers: Option<FieldId>,
    /// What the names of trailers begin with; the rest names the checksum that they hold.
    pub checksum: Vec<u8>,
    /// The trailer that holds the signature over the others, by its name in lower case.
    pub trailer_signature: String,
    /// The bytes of a chunk, when signing.
    pub size: Template,
    /// How many bytes a signed chunk may have.
    pub longest: u64,
    /// What is signed of a chunk.
    pub base: Template,
    /// What is signed of the trailer.
    pub trailer: Option<Template>,
    /// Where the section stands.
    pub span: Span,
}

impl Checker<'_> {
    /// Resolves the section.
    pub(super) fn chunks(&mut self, draft: &ChunksDraft, carriers: &[Carrier]) -> Option<Chunks> {
        if draft.format.value != CODING {
            let message = format!("unknown framing `{}`", draft.format.value);
            self.fault(draft.format.span, message, format!("`{CODING}` is the only one"));
        }
        let values = [draft.signed.as_ref(), draft.signed_trailer.as_ref(), draft.unsigned_trailer.as_ref()];
        if values.iter().all(Option::is_none) {
            let hint = "give `signed`, `signed-trailer` or `unsigned-trailer`".to_owned();
            self.fault(draft.span, "no body would be one in chunks", hint);
        }
        for (at, value) in values.iter().enumerate() {
            let Some(value) = value else { continue };
            if values.iter().take(at).flatten().any(|other| other.value == value.value) {
                self.fault(value.span, format!("`{}` stands for two kinds of chunks", value.value), None);
            }
        }
        let mode = self.capture_of(&draft.mode, |_| true, "");
        let length = self.capture_of(&draft.length, |kind| *kind == FieldType::Int, "`int`");
        let names = |kind: &FieldType| matches!(kind, FieldType::Names(_));
        let trailers = draft.trailers.as_ref().map(|name| self.capture_of(name, names, "`names-comma`"));
        self.trailer_keys(draft);
        if let Some(carrier) =
            carriers.iter().find(|carrier| matches!(carrier.place, Place::Form | Place::Json | Place::Xml))
        {
            self.fault(carrier.span, "a body in chunks cannot carry credentials", None);
        }
        let twice = carriers.iter().filter_map(|carrier| carrier.split.as_ref()).any(|split| split.repeat_signature);
        if twice {
            let hint = "add `repeat = false` to the carrier".to_owned();
            self.fault(draft.span, "the first chunk is signed over one signature, and there may be several", hint);
        }
        if !self.draft.tries.is_empty() {
            self.fault(draft.span, "[chunks] and [[try]] do not go together", None);
        }
        self.in_chunks = true;
        let base = self.template(&draft.base);
        let trailer = draft.trailer.as_ref().map(|trailer| self.template(trailer));
        self.in_chunks = false;
        let unsigned_when = draft.unsigned_when.as_ref().map(|when| self.template(when));
        let size = match &draft.size {
            Some(size) => self.template(size),
            None => Template { parts: vec![Part::Literal(SIZE.to_vec())], span: draft.span },
        };
        let bytes = |value: &Option<At<String>>| value.as_ref().map(|at| at.value.as_bytes().to_vec());
        let text = |value: &Option<At<String>>| value.as_ref().map(|at| at.value.clone()).unwrap_or_default();
        Some(Chunks {
            mode: mode?,
            signed: bytes(&draft.signed),
            signed_trailer: bytes(&draft.signed_trailer),
            unsigned_trailer: bytes(&draft.unsigned_trailer),
            unsigned_when,
            length: length?,
            trailers: match trailers {
                Some(found) => Some(found?),
                None => None,
            },
            checksum: text(&draft.checksum).to_ascii_lowercase().into_bytes(),
            trailer_signature: text(&draft.trailer_signature).to_ascii_lowercase(),
            size,
            longest: draft.longest.as_ref().map_or(LONGEST, |longest| longest.value),
            base,
            trailer,
            span: draft.span,
        })
    }

    /// What a trailer needs.
    fn trailer_keys(&mut self, draft: &ChunksDraft) {
        let mut lacks = |wanted: Option<&At<String>>, key: &str, there: bool| {
            if let Some(wanted) = wanted.filter(|_| !there) {
                self.fault(wanted.span, format!("a trailer needs `{key}`"), None);
            }
        };
        for wanted in [draft.signed_trailer.as_ref(), draft.unsigned_trailer.as_ref()] {
            lacks(wanted, "trailers", draft.trailers.is_some());
            lacks(wanted, "checksum", draft.checksum.is_some());
        }
        lacks(draft.signed_trailer.as_ref(), "trailer", draft.trailer.is_some());
        lacks(draft.signed_trailer.as_ref(), "trailer-signature", draft.trailer_signature.is_some());
    }

    fn capture_of(&mut self, name: &At<String>, fits: fn(&FieldType) -> bool, what: &str) -> Option<FieldId> {
        let found = self.fields.iter().position(|field| field.name == name.value);
        match found.and_then(|id| self.fields.get(id)) {
            Some(Field { kind, .. }) if fits(kind) => found,
            Some(_) => {
                self.fault(name.span, format!("`{}` is not of type {what}", name.value), None);
                None
            }
            None => {
                self.fault(name.span, format!("no carrier captures `{}`", name.value), None);
                None
            }
        }
    }
}

/// What can only be judged where all of the message is known.
pub(super) fn signed(message: &Message, faults: &mut Vec<Fault>) {
    let Some(chunks) = &message.chunks else { return };
    let mut find = |span, text: &str, hint: Option<&str>| faults.push(fault(span, text.into(), hint.map(Into::into)));
    if !matches!(message.signature.primitive, Primitive::Mac(..)) {
        let text = "chunks are signed one after the other, which takes an HMAC";
        find(message.signature.span, text, None);
    }
    if on_body(message, &message.base, Depth::All) {
        let text = "the signature has to hold before the first chunk comes, and here it needs the body";
        find(message.base.span, text, Some("sign a capture that says how the body is sent"));
    }
    let named = [Some(&message.base), Some(&chunks.base), chunks.trailer.as_ref()];
    let texts: Vec<&Template> = named.into_iter().flatten().collect();
    for (at, text) in texts.iter().enumerate() {
        if texts.iter().skip(at.saturating_add(1)).any(|other| !are_told_apart(text, other)) {
            let text = "a signature over this could stand for one over another text that [chunks] signs";
            find(texts.get(at).map_or(chunks.span, |text| text.span), text, Some("begin each with other words"));
        }
    }
    for (text, wanted) in [(Some(&chunks.base), Chunk::Content), (chunks.trailer.as_ref(), Chunk::Trailers)] {
        let Some(text) = text else { continue };
        if on_body(message, text, Depth::All) {
            find(text.span, "the body is not there yet when its chunks are signed", None);
        }
        for part in [wanted, Chunk::Previous] {
            if !certainly_holds(text, part) {
                find(text.span, &format!("this does not sign `{{{}}}`", part.name()), None);
            }
        }
    }
}

/// Whether no text of one template is one of another: they begin with words of which neither begins the other.
fn are_told_apart(one: &Template, other: &Template) -> bool {
    match (one.parts.first(), other.parts.first()) {
        (Some(Part::Literal(one)), Some(Part::Literal(other))) => !one.starts_with(other) && !other.starts_with(one),
        _ => false,
    }
}

/// Whether a part of the chunk goes into every text of a template, whole.
fn certainly_holds(text: &Template, part: Chunk) -> bool {
    text.parts.iter().any(|piece| match piece {
        Part::Literal(_) | Part::Optional(_) => false,
        Part::Value(value) => {
            let whole = |filter: &Filter| matches!(filter, Filter::Hash(_) | Filter::Convert(Convert::Hex));
            value.source == Source::Chunk(part) && value.filters.iter().all(whole)
        }
    })
}
