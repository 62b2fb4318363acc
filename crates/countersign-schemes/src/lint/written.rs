//! From a message to the texts that have to be readable in one way only.
//!
//! The signature base is one; every text that goes into a digest on the way there is another, as a digest keeps its
//! parts no better apart than the base does; and every list is one, whose names and values have to be kept apart.

use super::draws;
use super::grammar::{self, Clash, Length, Letters, Owner, Text, TooLarge};
use super::letters;
use super::symbols::Symbols;
use countersign_core::scheme::model::{
    Convert, Filter, ListSource, Message, Part, Primitive, Source, Template, Value, Window,
};
use countersign_core::scheme::{Scheme, Span};
use countersign_core::time::TimeFormat;

/// The texts of a message.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    /// What each owner is called, and where it stands.
    names: Vec<(String, Span)>,
    /// The signature base, and what goes into digests.
    pub(super) texts: Vec<(Text, Span)>,
    /// Lists: where each can be read in two ways.
    pub(super) lists: Vec<(Result<Vec<Clash>, TooLarge>, Span)>,
}

impl Written {
    /// The texts of a message. `accepted`: only messages are meant whose time is accepted, so that it has as many
    /// digits as the clock's.
    pub(super) fn of(scheme: &Scheme, message: &Message, accepted: bool) -> Self {
        let window = scheme.fresh.timestamp.filter(|window| accepted && is_closed(*window));
        let mut builder = Builder { scheme, message, window, depth: 0, looked_at: 0, written: Self::default() };
        let base = builder.template(&message.base, None);
        builder.text(base, message.base.span);
        // What captures and field lines are compared with.
        for field in &message.fields {
            if let Some(entry) = field.definition.and_then(|id| message.lets.get(id)) {
                builder.template(&entry.text, None);
            }
        }
        for bind in &message.binds {
            builder.template(&bind.value, None);
        }
        if let Primitive::Mac(_, key) = &message.signature.primitive {
            builder.template(key, None);
        }
        builder.written
    }

    /// What an owner is called.
    pub(super) fn name(&self, owner: Owner) -> &str {
        self.names.get(owner.0).map_or("a value", |(name, _)| name)
    }

    /// Where an owner stands.
    pub(super) fn span(&self, owner: Owner) -> Option<Span> {
        self.names.get(owner.0).map(|(_, span)| *span)
    }
}

/// Whether a window has both ends.
pub(super) fn is_closed(window: Window) -> bool {
    window.past.is_some() && window.future.is_some()
}

/// How deep lets and quoted templates are followed.
const DEEPEST: usize = 32;
/// How many values are looked at: where every entry names the one before twice, reading has to end.
const MOST: usize = 2_000;

struct Builder<'a> {
    scheme: &'a Scheme,
    message: &'a Message,
    window: Option<Window>,
    depth: usize,
    looked_at: usize,
    written: Written,
}

/// The name and the value of the list item at hand.
#[derive(Clone, Copy)]
struct Item<'i> {
    k: &'i Text,
    v: &'i Text,
}

/// A list on its way to being a text.
enum List {
    Pairs { k: Text, v: Text, extra: Vec<Extra> },
    Items(Text),
}

/// A synthetic item: `with`, `line`.
struct Extra {
    k: Text,
    v: Text,
    bare: bool,
}

impl Builder<'_> {
    fn template(&mut self, template: &Template, item: Option<Item<'_>>) -> Text {
        let mut parts = Vec::new();
        for part in &template.parts {
            parts.push(match part {
                Part::Literal(text) => Text::Literal(text.clone()),
                Part::Optional(inner) => Text::Optional(Box::new(self.template(inner, item))),
                Part::Value(value) => self.value(value, item),
            });
        }
        match parts.len() {
            1 => parts.remove(0),
            _ => Text::Sequence(parts),
        }
    }

    fn value(&mut self, value: &Value, item: Option<Item<'_>>) -> Text {
        self.looked_at += 1;
        if self.depth > DEEPEST || self.looked_at > MOST {
            return self.owned("a value that is nested too deeply".to_owned(), value.span, Letters::any());
        }
        self.depth += 1;
        let text = self.piped(value, item);
        self.depth -= 1;
        text
    }

    fn piped(&mut self, value: &Value, item: Option<Item<'_>>) -> Text {
        let mut filters = value.filters.as_slice();
        let text = match (&value.source, item) {
            (Source::K, Some(item)) => item.k.clone(),
            (Source::V, Some(item)) => item.v.clone(),
            (Source::Let(id), _) => match self.message.lets.get(*id) {
                Some(entry) => self.template(&entry.text, None),
                None => Text::Sequence(Vec::new()),
            },
            (Source::Quoted(inner), _) => self.template(inner, item),
            (Source::List(list), _) => {
                let (text, rest) = self.list(*list, filters, value.span);
                filters = rest;
                text
            }
            (Source::Var(id), _) => match self.scheme.vars.get(*id).and_then(|var| var.default.as_ref()) {
                // Most deployments leave it at that, and no message can choose another.
                Some(default) => Text::Literal(default.clone().into_bytes()),
                None => self.named(value, letters::of_source(&value.source)),
            },
            (Source::Field(id), _) => {
                let letters = self.capture(*id);
                self.named(value, letters)
            }
            (source, _) => self.named(value, letters::of_source(source)),
        };
        filters.iter().fold(text, |text, filter| self.filtered(text, filter, value))
    }

    fn capture(&mut self, id: usize) -> Letters {
        let message = self.message;
        let Some(field) = message.fields.get(id) else { return Letters::any() };
        // What was captured is what is defined, or the message is refused.
        if let Some(entry) = field.definition.and_then(|id| message.lets.get(id)) {
            return letters_of(&self.template(&entry.text, None));
        }
        let letters = letters::of_field(field);
        let digits = match field.kind.time() {
            Some(TimeFormat::Unix) => Some(10),
            Some(TimeFormat::UnixMs) => Some(13),
            _ => None,
        };
        match digits.filter(|_| self.window.is_some_and(|window| window.field == id)) {
            // From 2001 to 2286.
            Some(count) => Letters { length: Length::Exactly(count), ..letters },
            None => letters,
        }
    }

    fn filtered(&mut self, text: Text, filter: &Filter, value: &Value) -> Text {
        let of = letters_of(&text);
        let letters = match filter {
            Filter::IfAny => {
                return match text {
                    Text::Value(owner, letters) => {
                        Text::Value(owner, Letters { length: not_empty(letters.length), ..letters })
                    }
                    other => other,
                };
            }
            Filter::Or(other) => {
                let other = self.template(other, None);
                let letters = of.or(letters_of(&other));
                self.whole(other, value.span);
                letters
            }
            Filter::Convert(Convert::JsonEscape) => {
                let named = self.opaque(text, of.converted(Convert::JsonEscape), value);
                return escaped(named);
            }
            Filter::Convert(convert) => of.converted(*convert),
            Filter::Hash(hash) => {
                let letters = letters::of_digest(hash.or_else(|| self.only_hash()));
                self.whole(text, value.span);
                return self.named(value, letters);
            }
            Filter::Hmac(hash, key) => {
                self.template(key, None);
                letters::of_digest(hash.or_else(|| self.only_hash()))
            }
            Filter::PctOnly(bytes) => of.percent_encoded(bytes),
            Filter::Ratchet(hash, steps) => {
                for step in steps {
                    let step = self.template(step, None);
                    self.whole(step, value.span);
                }
                letters::of_digest(Some(*hash))
            }
            Filter::Hkdf { salt, info, length, .. } => {
                for text in [salt, info] {
                    let text = self.template(text, None);
                    self.whole(text, value.span);
                }
                Letters { length: Length::Exactly(*length), ..Letters::any() }
            }
            Filter::Slice(from, to) => of.sliced(*from, *to),
            Filter::After(_) | Filter::AfterLast(_) | Filter::Before(_) | Filter::StripPrefix(_) => {
                Letters { first: of.all, all: of.all, length: Length::Any }
            }
            Filter::Time(_, to) => letters::of_time(to),
            Filter::Translate(from, to) => {
                let map = |byte: u8| from.iter().position(|other| *other == byte).and_then(|at| to.get(at).copied());
                let map = |byte: u8| map(byte).unwrap_or(byte);
                Letters { first: of.first.map(map), all: of.all.map(map), length: of.length }
            }
            // What is there only sometimes is written as always; the others work on lists, which `list` reads.
            Filter::When(..)
            | Filter::ConvertValues(_)
            | Filter::Dedupe
            | Filter::DropEmpty
            | Filter::Each(_)
            | Filter::Fastjson
            | Filter::First
            | Filter::Fold(_)
            | Filter::Join(_)
            | Filter::JavaMap
            | Filter::Last
            | Filter::Listed(..)
            | Filter::LowerNames
            | Filter::Only(_)
            | Filter::Pick(..)
            | Filter::Sort
            | Filter::SortItems
            | Filter::SortKv
            | Filter::With { .. }
            | Filter::Without(_) => return text,
        };
        self.opaque(text, letters, value)
    }

    /// A value made of a text; the text itself has to be readable too.
    fn opaque(&mut self, text: Text, letters: Letters, value: &Value) -> Text {
        if let Text::Value(owner, _) = text {
            return Text::Value(owner, letters);
        }
        self.whole(text, value.span);
        self.named(value, letters)
    }

    /// The text of a list, and the filters that follow its last `join`.
    fn list<'f>(&mut self, source: ListSource, filters: &'f [Filter], span: Span) -> (Text, &'f [Filter]) {
        let (k, v) = letters::of_list(source);
        let called = name(self.scheme, self.message, &Source::List(source));
        let k = self.owned(format!("a name of {called}"), span, k);
        let v = self.owned(format!("a value of {called}"), span, v);
        let mut list = List::Pairs { k, v, extra: Vec::new() };
        for (index, filter) in filters.iter().enumerate() {
            if let Filter::Join(separator) = filter {
                let text = Text::List(Box::new(self.item(list)), separator.clone());
                let rest = filters.get(index + 1..).unwrap_or_default();
                return (self.joined(text, called, span), rest);
            }
            if *filter == Filter::Fastjson {
                // Quoted and escaped, so it reads in one way; what it loses is another rule's matter.
                let text = self.owned(called, span, Letters::any());
                return (text, filters.get(index + 1..).unwrap_or_default());
            }
            list = self.rewritten(list, filter);
        }
        // A scheme's check lets no list end unjoined.
        (Text::Sequence(Vec::new()), &[])
    }

    fn rewritten(&mut self, list: List, filter: &Filter) -> List {
        match (list, filter) {
            (List::Pairs { k, v, extra }, Filter::Each(template)) => {
                let mut items = vec![self.template(template, Some(Item { k: &k, v: &v }))];
                for Extra { k, v, bare } in extra {
                    items.push(if bare { v } else { self.template(template, Some(Item { k: &k, v: &v })) });
                }
                List::Items(if items.len() == 1 { items.remove(0) } else { Text::Choice(items) })
            }
            (List::Pairs { k, v, mut extra }, filter) => {
                if let Filter::With { name, value, bare } = filter {
                    let v = self.template(value, None);
                    extra.push(Extra { k: Text::Literal(name.clone().into_bytes()), v, bare: *bare });
                }
                let extra = extra.into_iter().map(|extra| Extra {
                    k: renamed(extra.k, filter),
                    v: revalued(extra.v, filter),
                    bare: extra.bare,
                });
                List::Pairs { extra: extra.collect(), k: renamed(k, filter), v: revalued(v, filter) }
            }
            (items @ List::Items(_), _) => items,
        }
    }

    /// An item that no `each` rendered: `name` or `name=value`.
    fn item(&mut self, list: List) -> Text {
        match list {
            List::Items(item) => item,
            pairs @ List::Pairs { .. } => {
                let value = |source| Part::Value(Value { source, filters: Vec::new(), span: Span::default() });
                let assigned =
                    Template { parts: vec![Part::Literal(b"=".to_vec()), value(Source::V)], span: Span::default() };
                let template =
                    Template { parts: vec![value(Source::K), Part::Optional(assigned)], span: Span::default() };
                match self.rewritten(pairs, &Filter::Each(template)) {
                    List::Items(item) => item,
                    List::Pairs { .. } => Text::Sequence(Vec::new()),
                }
            }
        }
    }

    /// A list that can be read in one way stands for itself; another one is reported once, and then is a value.
    fn joined(&mut self, text: Text, called: String, span: Span) -> Text {
        let clashes = grammar::clashes(&text);
        let readable = clashes.as_ref().is_ok_and(Vec::is_empty);
        if !self.written.lists.iter().any(|(_, known)| *known == span) {
            self.written.lists.push((clashes, span));
        }
        if readable {
            return text;
        }
        let all = text.symbols();
        self.owned(called, span, Letters { first: all, all, length: Length::Any })
    }

    fn text(&mut self, text: Text, span: Span) {
        if !self.written.texts.iter().any(|(_, known)| *known == span) {
            self.written.texts.push((text, span));
        }
    }

    /// The same for a text that disappears in a digest or an encoding; a value alone is always readable.
    fn whole(&mut self, text: Text, span: Span) {
        if matches!(text, Text::Sequence(_) | Text::Choice(_) | Text::Optional(_)) {
            self.text(text, span);
        }
    }

    fn named(&mut self, value: &Value, letters: Letters) -> Text {
        self.owned(name_of(self.scheme, self.message, value), value.span, letters)
    }

    fn owned(&mut self, name: String, span: Span, letters: Letters) -> Text {
        let owner = Owner(self.written.names.len());
        self.written.names.push((name, span));
        Text::Value(owner, letters)
    }

    /// The hash that `digest` and `hmac` stand for, where there is only one.
    fn only_hash(&self) -> Option<countersign_core::alg::Hash> {
        match self.scheme.key.hashes.as_slice() {
            [] => Some(countersign_core::alg::Hash::Sha256),
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// What a filter makes of a list's names.
fn renamed(name: Text, filter: &Filter) -> Text {
    match filter {
        Filter::Convert(by) => changed(name, |letters| letters.converted(*by)),
        Filter::LowerNames => changed(name, |letters| letters.converted(Convert::Lower)),
        _ => name,
    }
}

/// What a filter makes of a list's values.
fn revalued(value: Text, filter: &Filter) -> Text {
    match filter {
        Filter::Convert(by) | Filter::ConvertValues(by) => changed(value, |letters| letters.converted(*by)),
        Filter::Fold(separator) => {
            let separator = Letters::new(Symbols::of(separator), Length::Any);
            changed(value, |letters| Letters { first: letters.first, ..letters.or(separator) })
        }
        _ => value,
    }
}

/// A value made of other letters. What is synthetic is no value, and is known whatever becomes of it.
fn changed(text: Text, change: impl Fn(Letters) -> Letters) -> Text {
    match text {
        Text::Value(owner, letters) => Text::Value(owner, change(letters)),
        other => other,
    }
}

/// What a text is made of, all in all.
fn letters_of(text: &Text) -> Letters {
    match text {
        Text::Value(_, letters) => *letters,
        other => Letters { first: other.symbols(), all: other.symbols(), length: Length::Any },
    }
}

/// In JSON a quote stands for itself only behind a backslash (RFC 8259, section 7).
fn escaped(text: Text) -> Text {
    let Text::Value(owner, letters) = text else { return text };
    let one = |all| Text::Value(owner, Letters::new(all, Length::Exactly(1)));
    let plain = letters.all.and(Symbols::bytes(|byte| !matches!(byte, b'"' | b'\\')));
    let behind_backslash = Text::Sequence(vec![Text::Literal(b"\\".to_vec()), one(letters.all)]);
    Text::List(Box::new(Text::Choice(vec![one(plain), behind_backslash])), Vec::new())
}

fn not_empty(length: Length) -> Length {
    if length == Length::Any { Length::Some } else { length }
}

/// What a value is called: as in a scheme file, by the first name that people know it by.
fn name_of(scheme: &Scheme, message: &Message, value: &Value) -> String {
    match &value.source {
        Source::Quoted(inner) => draws::drawn(message, inner).first().map_or_else(
            || "a text".to_owned(),
            |first| format!("the text with {}", name(scheme, message, first.source)),
        ),
        source => name(scheme, message, source),
    }
}

/// What a source is called.
pub(super) fn name(scheme: &Scheme, message: &Message, source: &Source) -> String {
    let text = match source {
        Source::Body => "body".to_owned(),
        Source::Chunk(part) => part.name().to_owned(),
        Source::DigestName => "digest-name".to_owned(),
        Source::Cookie(name) => format!("cookie.{name}"),
        Source::Field(id) => message.fields.get(*id).map(|field| field.name.clone()).unwrap_or_default(),
        Source::Form(name) => format!("form.{name}"),
        Source::Header(name) => format!("header.{name}"),
        Source::Host => "host".to_owned(),
        Source::Hostname => "hostname".to_owned(),
        Source::Json(name) => format!("json.{name}"),
        Source::K => "k".to_owned(),
        Source::KeyId => "key-id".to_owned(),
        Source::Let(id) => message.lets.get(*id).map(|entry| entry.name.clone()).unwrap_or_default(),
        Source::List(list) => match list {
            ListSource::Form => "form",
            ListSource::FormRaw => "form-raw",
            ListSource::Headers => "headers",
            ListSource::Json => "json",
            ListSource::Params => "params",
            ListSource::Query => "query",
            ListSource::QueryForm => "query-form",
            ListSource::QueryJson => "query-json",
            ListSource::QueryPct => "query-pct",
            ListSource::QueryRaw => "query-raw",
            ListSource::QueryRawJson => "query-raw-json",
            ListSource::Xml => "xml",
        }
        .to_owned(),
        Source::Method => "method".to_owned(),
        Source::Path => "path".to_owned(),
        Source::Peer => "peer".to_owned(),
        Source::Port => "port".to_owned(),
        Source::Query(name) => format!("query.{name}"),
        Source::QueryString => "query-string".to_owned(),
        Source::Quoted(_) => return "a text".to_owned(),
        Source::Request(inner) => return format!("the request's {}", name(scheme, message, inner)),
        Source::Scheme => "scheme".to_owned(),
        Source::Secret => "secret".to_owned(),
        Source::Status => "status".to_owned(),
        Source::Target => "target".to_owned(),
        Source::Url => "url".to_owned(),
        Source::V => "v".to_owned(),
        Source::Var(id) => scheme.vars.get(*id).map(|var| var.name.clone()).unwrap_or_default(),
        Source::Xml(name) => format!("xml.{name}"),
    };
    format!("`{text}`")
}
