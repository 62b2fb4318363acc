//! From a message to the texts that have to be readable in one way only.
//!
//! The signature base is one; every text that goes into a digest on the way there is another, as a digest keeps its
//! parts no better apart than the base does; and every list is one, whose names and values have to be kept apart.
//!
//! Deployment variables have their defaults here: most deployments leave it at that, and no message can choose
//! another.

use super::builder::Builder;
use super::draws;
use super::grammar::{Clash, TooLarge};
use super::loss::{self, Loss, Root};
use super::text::{Letters, Owner, Text};
use countersign_core::scheme::model::{Convert, Filter, ListSource, Message, Primitive, Source, Window};
use countersign_core::scheme::{Scheme, Span};

/// The texts of a message.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    /// What each owner is.
    pub(super) origins: Vec<Origin>,
    /// What goes into the signature: the base, then what the key is made of.
    pub(super) signed: Vec<Text>,
    /// The signature base, and what goes into digests.
    pub(super) texts: Vec<(Text, Span)>,
    /// The lists.
    pub(super) lists: Vec<Listed>,
    /// What captures and field lines are compared with.
    pub(super) held: Vec<(Source, Text)>,
}

/// A value, and how it came about.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// What people call it.
    pub(super) name: String,
    /// Where it stands.
    pub(super) span: Span,
    pub(super) made: Made,
}

/// How a value came about.
#[derive(Debug, Clone)]
pub(super) enum Made {
    /// The first of two texts that is there, of which cannot be told which one it is.
    Either(Text, Text),
    /// By a filter, from a value of these letters.
    Filtered(Owner, Filter, Letters),
    /// A list, by its number, whose text can be read in several ways.
    List(usize),
    /// The name of an item of a list, by the list's number.
    Name(usize),
    /// The message has it, and is refused unless it is this text.
    Same(Source, Text),
    /// The message has it, as it is.
    Source(Source),
    /// By a filter, of texts. Who knows it knows each of them.
    Texts(Vec<Text>, Filter),
    /// Nobody knows: it is nested too deeply.
    Unknown,
    /// The value of an item of a list, by the list's number.
    Value(usize),
}

/// A list that is written.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// Where it comes from.
    pub(super) source: ListSource,
    /// What is done with it, up to where it is joined.
    pub(super) filters: Vec<Filter>,
    /// Where it stands.
    pub(super) span: Span,
    /// Where that can be read in two ways.
    pub(super) clashes: Result<Vec<Clash>, TooLarge>,
    /// The values of synthetic items that are written like any other.
    pub(super) extra: Vec<Text>,
}

impl Written {
    /// The texts of a message. `accepted`: only messages are meant whose time is accepted, so that it has as many
    /// digits as the clock's.
    pub(super) fn of(scheme: &Scheme, message: &Message, accepted: bool) -> Self {
        let window = scheme.fresh.timestamp.filter(|window| accepted && is_closed(*window));
        let mut builder = Builder::new(scheme, message, window);
        let base = builder.template(&message.base, None);
        builder.text(base.clone(), message.base.span);
        builder.written.signed.push(base);
        if let Primitive::Derived(_, key) | Primitive::Mac(_, key) = &message.signature.primitive {
            let text = builder.template(key, None);
            builder.text(text.clone(), key.span);
            builder.written.signed.push(text);
        }
        let chunks = message.chunks.iter().flat_map(|chunks| std::iter::once(&chunks.base).chain(&chunks.trailer));
        for signed in chunks {
            let text = builder.template(signed, None);
            builder.text(text, signed.span);
        }
        // What captures and field lines are compared with.
        for (id, field) in message.fields.iter().enumerate() {
            if let Some(entry) = field.definition.and_then(|id| message.lets.get(id)) {
                let text = builder.template(&entry.text, None);
                builder.written.held.push((Source::Field(id), text));
            }
        }
        for bind in &message.binds {
            let text = builder.bound(bind);
            builder.written.held.push((bind.what.clone(), text));
        }
        builder.written
    }

    /// What an owner is.
    pub(super) fn origin(&self, owner: Owner) -> Option<&Origin> {
        self.origins.get(owner.0)
    }

    /// What an owner is called.
    pub(super) fn name(&self, owner: Owner) -> &str {
        self.origin(owner).map_or("a value", |origin| &origin.name)
    }

    /// Where an owner stands.
    pub(super) fn span(&self, owner: Owner) -> Option<Span> {
        self.origin(owner).map(|origin| origin.span)
    }

    /// Whether two texts are the same in every message, whatever numbers their values have.
    pub(super) fn same(&self, one: &Text, other: &Text) -> bool {
        match (one, other) {
            (Text::Literal(a), Text::Literal(b)) => a == b,
            (Text::List(a, by), Text::List(b, with)) => by == with && self.same(a, b),
            // Where both are there, they are the same.
            (Text::When(inner, _) | Text::NotEmpty(inner), text)
            | (text, Text::When(inner, _) | Text::NotEmpty(inner)) => self.same(inner, text),
            (Text::Value(a, _), Text::Value(b, _)) => a == b || self.same_origin(*a, *b),
            (Text::Sequence(a), Text::Sequence(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same(a, b))
            }
            _ => false,
        }
    }

    /// What a value is at its root, where it is one source.
    pub(super) fn source(&self, owner: Owner) -> Option<&Source> {
        match &self.origin(owner)?.made {
            Made::Filtered(inner, ..) => self.source(*inner),
            Made::Same(source, _) | Made::Source(source) => Some(source),
            _ => None,
        }
    }

    /// Whether a value is that of a list's item.
    pub(super) fn is_item(&self, owner: Owner) -> bool {
        match self.origin(owner).map(|origin| &origin.made) {
            Some(Made::Filtered(inner, ..)) => self.is_item(*inner),
            Some(Made::Value(_)) => true,
            _ => false,
        }
    }

    /// Whether the name of a list's item stands in a text in every case.
    pub(super) fn has_name(&self, text: &Text) -> bool {
        match text {
            Text::Choice(parts) => parts.iter().any(|part| self.has_name(part)),
            Text::Sequence(parts) => parts.iter().any(|part| self.has_name(part)),
            Text::Value(owner, _) => match self.origin(*owner).map(|origin| &origin.made) {
                Some(Made::Filtered(inner, ..)) => self.has_name(&Text::Value(*inner, Letters::any())),
                Some(Made::Name(_)) => true,
                _ => false,
            },
            _ => false,
        }
    }

    /// What a filter loses of a value.
    pub(super) fn loss(&self, owner: Owner, filter: &Filter, before: Letters) -> Option<Loss> {
        loss::of_filter(filter, self.root(owner), before, self.bits(owner))
    }

    fn root(&self, owner: Owner) -> Root<'_> {
        let list = |number: &usize| self.lists.get(*number).map_or(Root::Constant, |list| Root::Item(list.source));
        match self.origin(owner).map(|origin| &origin.made) {
            Some(Made::Filtered(inner, ..)) => self.root(*inner),
            Some(Made::List(number) | Made::Name(number) | Made::Value(number)) => list(number),
            Some(Made::Source(source)) if is_constant(source) => Root::Constant,
            Some(Made::Same(source, _) | Made::Source(source)) => Root::Source(source),
            Some(Made::Texts(texts, _)) if texts.iter().all(|text| self.is_constant(text)) => Root::Constant,
            Some(Made::Either(..) | Made::Texts(..) | Made::Unknown) | None => Root::Source(&Source::Body),
        }
    }

    /// How many bits of a digest each letter of a value has, where it is one.
    fn bits(&self, owner: Owner) -> Option<usize> {
        match &self.origin(owner)?.made {
            Made::Filtered(_, filter, _) | Made::Texts(_, filter) if draws::is_digest(filter) => Some(8),
            Made::Filtered(inner, Filter::Convert(Convert::Hex | Convert::HexUpper), _) => {
                self.bits(*inner).map(|bits| bits / 2)
            }
            Made::Filtered(
                inner,
                Filter::Convert(Convert::B64 | Convert::B64NoPad | Convert::B64Url | Convert::B64UrlPad),
                _,
            ) => self.bits(*inner).map(|bits| bits * 3 / 4),
            _ => None,
        }
    }

    /// Whether no message decides any of it.
    pub(super) fn is_constant(&self, text: &Text) -> bool {
        match text {
            Text::Absent | Text::Literal(_) => true,
            Text::Choice(parts) | Text::Sequence(parts) => parts.iter().all(|part| self.is_constant(part)),
            Text::List(inner, _) | Text::NotEmpty(inner) | Text::Optional(inner) => self.is_constant(inner),
            Text::Value(owner, _) => self.root(*owner) == Root::Constant,
            Text::When(inner, condition) => self.is_constant(inner) && self.is_constant(&condition.subject),
        }
    }

    /// How many parts of a text a message may lack, so that the text is absent as a whole.
    pub(super) fn may_lack(&self, message: &Message, text: &Text) -> usize {
        match text {
            Text::Absent | Text::NotEmpty(_) | Text::When(..) => 1,
            Text::Choice(parts) => {
                // Where the last one is there, one is.
                let each = parts.iter().map(|part| self.may_lack(message, part));
                each.min().unwrap_or(0)
            }
            Text::List(..) | Text::Literal(_) | Text::Optional(_) => 0,
            Text::Sequence(parts) => parts.iter().map(|part| self.may_lack(message, part)).sum(),
            Text::Value(owner, _) => usize::from(self.owner_may_lack(message, *owner)),
        }
    }

    fn owner_may_lack(&self, message: &Message, owner: Owner) -> bool {
        match self.origin(owner).map(|origin| &origin.made) {
            Some(
                Made::Filtered(_, Filter::After(_) | Filter::IfAny | Filter::Member(_), _)
                | Made::Unknown
                | Made::Value(_),
            )
            | None => true,
            Some(Made::Filtered(owner, ..)) => self.owner_may_lack(message, *owner),
            Some(Made::Either(one, other)) => self.may_lack(message, one).min(self.may_lack(message, other)) > 0,
            Some(Made::List(_) | Made::Name(_)) => false,
            Some(Made::Same(source, _) | Made::Source(source)) => source_may_lack(message, source),
            Some(Made::Texts(texts, _)) => texts.iter().any(|text| self.may_lack(message, text) > 0),
        }
    }

    fn same_origin(&self, one: Owner, other: Owner) -> bool {
        let (Some(one), Some(other)) = (self.origin(one), self.origin(other)) else { return false };
        match (&one.made, &other.made) {
            (Made::Same(a, _) | Made::Source(a), Made::Same(b, _) | Made::Source(b)) => a == b,
            (Made::Name(a), Made::Name(b)) | (Made::Value(a), Made::Value(b)) => {
                let list = |number: usize| self.lists.get(number).map(|list| list.source);
                a == b || (list(*a).is_some() && list(*a) == list(*b))
            }
            (Made::Filtered(a, by, _), Made::Filtered(b, with, _)) => by == with && self.same_origin(*a, *b),
            (Made::Texts(a, by), Made::Texts(b, with)) => {
                by == with && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same(a, b))
            }
            _ => false,
        }
    }
}

/// What the deployment and the key fix, and not the message.
pub(super) fn is_constant(source: &Source) -> bool {
    matches!(source, Source::DigestName | Source::KeyId | Source::Secret | Source::Var(_))
}

/// Whether a message may lack a source.
fn source_may_lack(message: &Message, source: &Source) -> bool {
    match source {
        Source::Cookie(_)
        | Source::Form(_)
        | Source::Json(_)
        | Source::Part(_)
        | Source::Peer
        | Source::Query(_)
        | Source::QueryString
        | Source::Xml(_) => true,
        Source::Field(id) => {
            message.fields.get(*id).is_some_and(|field| field.optional) && !message.required_fields.contains(id)
        }
        Source::Header(name) => name != "host",
        Source::Request(inner) => source_may_lack(message, inner),
        Source::Body
        | Source::Chunk(_)
        | Source::DigestName
        | Source::Host
        | Source::Hostname
        | Source::K
        | Source::KeyId
        | Source::Let(_)
        | Source::List(_)
        | Source::Method
        | Source::Path
        | Source::Port
        | Source::Quoted(_)
        | Source::Scheme
        | Source::Secret
        | Source::Status
        | Source::Target
        | Source::Url
        | Source::V
        | Source::Var(_) => false,
    }
}

/// Whether a window has both ends.
pub(super) fn is_closed(window: Window) -> bool {
    window.past.is_some() && window.future.is_some()
}
