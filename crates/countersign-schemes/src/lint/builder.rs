//! Builds the texts of a message from its templates.

use super::coverage;
use super::grammar;
use super::letters;
use super::naming::{name, name_of};
use super::symbols::Symbols;
use super::text::{Condition, Length, Letters, Owner, Text};
use super::written::{Listed, Made, Origin, Written};
use countersign_core::alg::Hash;
use countersign_core::scheme::model::{
    Bind, Bound, Convert, FieldId, Filter, ListSource, Message, Part, Source, Template, Value, Window,
};
use countersign_core::scheme::{Scheme, Span};
use countersign_core::time::TimeFormat;

pub(super) struct Builder<'a> {
    scheme: &'a Scheme,
    message: &'a Message,
    /// The times that are accepted, where only messages are meant whose time is.
    window: Option<Window>,
    /// What is being compared with something made of itself.
    binding: Vec<Source>,
    depth: usize,
    looked_at: usize,
    pub(super) written: Written,
}

/// How deep lets and quoted templates are followed.
const DEEPEST: usize = 32;
/// How many values are looked at: where every entry names the one before twice, reading has to end.
const MOST: usize = 2_000;

/// The name and the value of the list item at hand.
#[derive(Clone, Copy)]
pub(super) struct Item<'i> {
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

impl<'a> Builder<'a> {
    pub(super) fn new(scheme: &'a Scheme, message: &'a Message, window: Option<Window>) -> Self {
        Self { scheme, message, window, binding: Vec::new(), depth: 0, looked_at: 0, written: Written::default() }
    }

    pub(super) fn template(&mut self, template: &Template, item: Option<Item<'_>>) -> Text {
        let mut parts = Vec::new();
        for part in &template.parts {
            parts.push(match part {
                Part::Literal(text) => Text::Literal(text.clone()),
                Part::Optional(inner) => Text::optional(self.template(inner, item)),
                Part::Value(value) => self.value(value, item),
            });
        }
        Text::sequence(parts)
    }

    /// Notes a text that has to be readable in one way.
    pub(super) fn text(&mut self, text: Text, span: Span) {
        if !self.written.texts.iter().any(|(_, known)| *known == span) {
            self.written.texts.push((text, span));
        }
    }

    fn value(&mut self, value: &Value, item: Option<Item<'_>>) -> Text {
        self.looked_at += 1;
        if self.depth > DEEPEST || self.looked_at > MOST {
            let name = "a value that is nested too deeply".to_owned();
            return self.owned(name, value.span, Made::Unknown, Letters::any());
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
                None => Text::Absent,
            },
            (Source::Quoted(inner), _) => self.template(inner, item),
            (Source::List(list), _) => {
                let (text, rest) = self.list(*list, filters, value.span);
                filters = rest;
                text
            }
            (source, _) => self.source(source, value),
        };
        let text = if filters.is_empty() { self.instant(text) } else { text };
        filters.iter().fold(text, |text, filter| self.filtered(text, filter, value))
    }

    /// A source that is neither a list nor made of others.
    fn source(&mut self, source: &Source, value: &Value) -> Text {
        let message = self.message;
        if let Source::Var(id) = source
            && let Some(default) = self.scheme.vars.get(*id).and_then(|var| var.default.as_ref())
        {
            return Text::Literal(default.clone().into_bytes());
        }
        let field = if let Source::Field(id) = source { message.fields.get(*id) } else { None };
        if let Source::Scheme = source {
            return Text::Choice([b"http".to_vec(), b"https".to_vec()].map(Text::Literal).to_vec());
        }
        if let Source::Url = source {
            let separator = Text::Literal(b"://".to_vec());
            let [scheme, host, target] =
                [Source::Scheme, Source::Host, Source::Target].map(|source| self.source(&source, value));
            return Text::sequence(vec![scheme, separator, host, target]);
        }
        let mut letters = field.map_or_else(|| letters::of_source(source), letters::of_field);
        if let Source::Field(id) = source
            && !matches!(letters.length, Length::Exactly(_))
        {
            letters = self.carried(*id, letters);
        }
        let digits = match field.and_then(|field| field.kind.time()) {
            Some(TimeFormat::Unix) => Some(10),
            Some(TimeFormat::UnixMs) => Some(13),
            _ => None,
        };
        let judged = self.window.is_some_and(|window| *source == Source::Field(window.field));
        if let Some(count) = digits.filter(|_| judged) {
            // From 2001 to 2286.
            letters.length = Length::Exactly(count);
        }
        if !self.binding.contains(source) {
            self.binding.push(source.clone());
            // What was captured is what is defined, or the message is refused.
            let defined = field.and_then(|field| message.lets.get(field.definition?));
            let bind = message.binds.iter().find(|bind| bind.what == *source);
            let same = match (defined, bind) {
                (Some(entry), _) => Some(self.template(&entry.text, None)),
                (None, Some(bind)) => Some(self.bound(bind)),
                (None, None) => None,
            };
            self.binding.pop();
            if let Some(text) = same {
                self.whole(&text, value.span);
                let both = letters.and(letters_of(&text));
                return self.named(value, Made::Same(source.clone(), text), both);
            }
        }
        self.named(value, Made::Source(source.clone()), letters)
    }

    /// What a carrier leaves of a capture: what ends it is not in it. One that is in several has to fit all.
    fn carried(&self, id: FieldId, letters: Letters) -> Letters {
        coverage::carriers(self.message, id).fold(letters, |letters, carrier| {
            let held = Symbols::bytes(|byte| carrier.may_hold(id, byte));
            Letters { first: letters.first.and(held), all: letters.all.and(held), length: letters.length }
        })
    }

    /// A captured instant as it is written: with digits where digits are, and what separates them in its place.
    fn instant(&self, text: Text) -> Text {
        let Text::Value(owner, _) = text else { return text };
        let Some(Made::Source(Source::Field(id))) = self.written.origin(owner).map(|origin| &origin.made) else {
            return text;
        };
        let format = self.message.fields.get(*id).and_then(|field| field.kind.time());
        let Some(shape) = format.and_then(letters::shape) else { return text };
        Text::Sequence(shape.into_iter().map(|letters| Text::Value(owner, letters)).collect())
    }

    /// What something bound may hold.
    pub(super) fn bound(&mut self, bind: &Bind) -> Text {
        let value = self.template(&bind.value, None);
        let known = value.fixed();
        // What says that the body comes in chunks is not compared with it.
        let chunks = self.message.chunks.as_ref().filter(|chunks| bind.what == Source::Field(chunks.mode));
        let modes = chunks.map(|chunks| [&chunks.signed, &chunks.signed_trailer, &chunks.unsigned_trailer]);
        let others = bind.or.iter().chain(modes.into_iter().flatten().flatten());
        let others = others.filter(|other| known.as_ref() != Some(other));
        let others: Vec<Text> = others.map(|other| Text::Literal(other.clone())).collect();
        if others.is_empty() { value } else { Text::Choice(std::iter::once(value).chain(others).collect()) }
    }

    fn filtered(&mut self, text: Text, filter: &Filter, value: &Value) -> Text {
        let of = letters_of(&text);
        let letters = match filter {
            Filter::IfAny => {
                return match text {
                    Text::Absent => Text::Absent,
                    Text::Literal(text) if text.is_empty() => Text::Absent,
                    Text::Literal(text) => Text::Literal(text),
                    Text::Value(_, letters) => {
                        let some = Letters { length: not_empty(letters.length), ..letters };
                        self.opaque(text, filter, some, value)
                    }
                    other => Text::NotEmpty(Box::new(other)),
                };
            }
            Filter::Or(other) => {
                let other = self.template(other, None);
                return self.either(text, other, value);
            }
            Filter::When(subject, values, negated) => {
                let subject = self.template(subject, None);
                return match subject.fixed() {
                    Some(known) if values.contains(&known) != *negated => text,
                    Some(_) => Text::Absent,
                    None => Text::When(Box::new(text), Box::new(Condition { subject, span: value.span })),
                };
            }
            Filter::Convert(Convert::JsonEscape) => {
                let named = self.opaque(text, filter, of.converted(Convert::JsonEscape), value);
                return escaped(named);
            }
            Filter::Convert(convert) => of.converted(*convert),
            Filter::Hash(hash) => letters::of_digest(hash.or_else(|| self.only_hash())),
            Filter::Hmac(hash, key) => {
                let key = self.template(key, None);
                let letters = letters::of_digest(hash.or_else(|| self.only_hash()));
                return self.made(vec![text, key], filter, letters, value);
            }
            Filter::Ratchet(hash, steps) => {
                let mut texts = vec![text];
                texts.extend(steps.iter().map(|step| self.template(step, None)));
                return self.made(texts, filter, letters::of_digest(Some(*hash)), value);
            }
            Filter::PctOnly(bytes) => of.percent_encoded(bytes),
            Filter::Hkdf { salt, info, length, .. } => {
                let texts = vec![text, self.template(salt, None), self.template(info, None)];
                return self.made(
                    texts,
                    filter,
                    Letters { length: Length::Exactly(*length), ..Letters::any() },
                    value,
                );
            }
            Filter::Kdf(_, _, context) => {
                let context = self.template(context, None);
                return self.made(vec![text, context], filter, letters::of_digest(Some(Hash::Sha256)), value);
            }
            Filter::Slice(from, Bound::At(to)) => of.sliced(*from, *to),
            Filter::After(_)
            | Filter::AfterLast(_)
            | Filter::Before(_)
            | Filter::Member(_)
            | Filter::Slice(_, Bound::Var(_))
            | Filter::StripPrefix(_) => Letters { first: of.all, all: of.all, length: Length::Any },
            Filter::Time(_, to) => letters::of_time(to),
            Filter::Translate(from, to) => {
                let map = |byte: u8| from.iter().position(|other| *other == byte).and_then(|at| to.get(at).copied());
                let map = |byte: u8| map(byte).unwrap_or(byte);
                Letters { first: of.first.map(map), all: of.all.map(map), length: of.length }
            }
            // Where no pattern grants it, the message is refused; the others work on lists, which `list` reads.
            Filter::Granting(..)
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
            | Filter::SortCollated
            | Filter::SortItems
            | Filter::SortKv
            | Filter::With { .. }
            | Filter::Without(_) => return text,
        };
        self.opaque(text, filter, letters, value)
    }

    /// The first of two texts that is there.
    fn either(&mut self, text: Text, other: Text, value: &Value) -> Text {
        if let Text::Value(owner, _) = &text
            && let Some(Made::Same(_, same)) = self.written.origin(*owner).map(|origin| &origin.made)
        {
            // What is compared with the other one says nothing else than that one does.
            let alike = match same {
                Text::Choice(parts) => parts.iter().any(|part| self.written.same(part, &other)),
                same => self.written.same(same, &other),
            };
            if alike {
                return same.clone();
            }
        }
        match (text, other) {
            (Text::Absent, other) => other,
            (text, Text::Absent) => text,
            (text, _) if self.written.may_lack(self.message, &text) == 0 => text,
            (text, other) if self.written.same(&text, &other) => other,
            (text, other) => {
                let letters = letters_of(&text).or(letters_of(&other));
                let choice = Text::Choice(vec![text.clone(), other.clone()]);
                if grammar::clashes(&choice).is_ok_and(|clashes| clashes.is_empty()) {
                    return choice;
                }
                self.whole(&text, value.span);
                self.whole(&other, value.span);
                self.named(value, Made::Either(text, other), letters)
            }
        }
    }

    /// What a filter makes of a text; the text itself has to be readable too.
    fn opaque(&mut self, text: Text, filter: &Filter, letters: Letters, value: &Value) -> Text {
        match text {
            Text::Absent => Text::Absent,
            Text::Value(owner, before) => {
                let (name, span) = match self.written.origin(owner) {
                    Some(origin) => (origin.name.clone(), origin.span),
                    None => (name_of(self.scheme, self.message, value), value.span),
                };
                self.owned(name, span, Made::Filtered(owner, filter.clone(), before), letters)
            }
            Text::When(inner, condition) => {
                Text::When(Box::new(self.opaque(*inner, filter, letters, value)), condition)
            }
            Text::NotEmpty(inner) => {
                let condition = Box::new(Condition { subject: (*inner).clone(), span: value.span });
                Text::When(Box::new(self.opaque(*inner, filter, letters, value)), condition)
            }
            text => self.made(vec![text], filter, letters, value),
        }
    }

    /// What a filter makes of texts.
    fn made(&mut self, texts: Vec<Text>, filter: &Filter, letters: Letters, value: &Value) -> Text {
        if texts.contains(&Text::Absent) {
            return Text::Absent;
        }
        for text in &texts {
            self.whole(text, value.span);
        }
        self.named(value, Made::Texts(texts, filter.clone()), letters)
    }

    /// The text of a list, and the filters that follow its `join`.
    fn list<'f>(&mut self, source: ListSource, filters: &'f [Filter], span: Span) -> (Text, &'f [Filter]) {
        let known = self.written.lists.iter().position(|list| list.span == span && list.source == source);
        let number = known.unwrap_or_else(|| {
            let list = Listed { source, filters: Vec::new(), span, clashes: Ok(Vec::new()), extra: Vec::new() };
            self.written.lists.push(list);
            self.written.lists.len() - 1
        });
        let (k, v) = letters::of_list(source);
        let called = name(self.scheme, self.message, &Source::List(source));
        let k = self.owned(format!("a name of {called}"), span, Made::Name(number), k);
        let v = self.owned(format!("a value of {called}"), span, Made::Value(number), v);
        let mut list = List::Pairs { k, v, extra: Vec::new() };
        let mut extra = Vec::new();
        for (index, filter) in filters.iter().enumerate() {
            let text = match filter {
                Filter::Join(separator) => Text::List(Box::new(self.item(list, &mut extra)), separator.clone()),
                Filter::Fastjson => {
                    let members = self.rewritten(list, &Filter::Each(json_member()), &mut extra, &[]);
                    let members = Text::List(Box::new(self.item(members, &mut extra)), b",".to_vec());
                    Text::Sequence(vec![Text::Literal(b"{".to_vec()), members, Text::Literal(b"}".to_vec())])
                }
                _ => {
                    let rest = filters.get(index + 1..).unwrap_or_default();
                    list = self.rewritten(list, filter, &mut extra, rest);
                    continue;
                }
            };
            let clashes = grammar::clashes(&text);
            // A list that can be read in one way stands for itself; another one is a value.
            let readable = clashes.as_ref().is_ok_and(Vec::is_empty);
            if let Some(listed) = self.written.lists.get_mut(number) {
                let filters = filters.get(..=index).unwrap_or_default().to_vec();
                *listed = Listed { source, filters, span, clashes, extra };
            }
            let rest = filters.get(index + 1..).unwrap_or_default();
            if readable {
                return (text, rest);
            }
            let letters = letters_of(&text);
            return (self.owned(called, span, Made::List(number), letters), rest);
        }
        // A scheme's check lets no list end unjoined.
        (Text::Absent, &[])
    }

    /// A list after a filter. `extra` takes the values of synthetic items that are written like any other, `rest` is
    /// what is done with the list later.
    fn rewritten(&mut self, list: List, filter: &Filter, written: &mut Vec<Text>, rest: &[Filter]) -> List {
        match (list, filter) {
            (List::Pairs { k, v, extra }, Filter::Each(template)) => {
                let mut items = vec![self.template(template, Some(Item { k: &k, v: &v }))];
                for Extra { k, v, bare } in extra {
                    items.push(if bare { v } else { self.template(template, Some(Item { k: &k, v: &v })) });
                }
                List::Items(if items.len() == 1 { items.remove(0) } else { Text::Choice(items) })
            }
            (List::Pairs { mut k, mut v, mut extra }, Filter::With { name, value, bare }) => {
                let text = self.template(value, None);
                // No item of the list has this name, or the message is refused; so it is one item more, unless names
                // that differ become the same later on.
                let own = !rest.iter().any(may_rename);
                match (text, &mut k, &mut v) {
                    (Text::Absent, ..) => {}
                    (text, Text::Value(_, names), Text::Value(_, values)) if own && !bare => {
                        self.whole(&text, value.span);
                        let name = Text::Literal(name.clone().into_bytes());
                        *names = names.or(letters_of(&name));
                        *values = values.or(letters_of(&text));
                        written.push(text);
                    }
                    (text, ..) => {
                        extra.push(Extra { k: Text::Literal(name.clone().into_bytes()), v: text, bare: *bare });
                    }
                }
                List::Pairs { k, v, extra }
            }
            (List::Pairs { k, v, mut extra }, filter) => {
                let k = self.changed(k, named_by(filter), filter);
                let v = self.changed(v, valued_by(filter), filter);
                for extra in &mut extra {
                    extra.k = self.changed(extra.k.clone(), named_by(filter), filter);
                    extra.v = self.changed(extra.v.clone(), valued_by(filter), filter);
                }
                List::Pairs { k, v, extra }
            }
            (items @ List::Items(_), _) => items,
        }
    }

    /// An item that no `each` rendered: `name` or `name=value`.
    fn item(&mut self, list: List, extra: &mut Vec<Text>) -> Text {
        match list {
            List::Items(item) => item,
            pairs @ List::Pairs { .. } => {
                let value = |source| Part::Value(Value { source, filters: Vec::new(), span: Span::default() });
                let assigned =
                    Template { parts: vec![Part::Literal(b"=".to_vec()), value(Source::V)], span: Span::default() };
                let template =
                    Template { parts: vec![value(Source::K), Part::Optional(assigned)], span: Span::default() };
                match self.rewritten(pairs, &Filter::Each(template), extra, &[]) {
                    List::Items(item) => item,
                    List::Pairs { .. } => Text::Absent,
                }
            }
        }
    }

    /// Notes a text that disappears in a digest or an encoding; a value alone is always readable.
    fn whole(&mut self, text: &Text, span: Span) {
        if matches!(
            text,
            Text::Choice(_) | Text::NotEmpty(_) | Text::Optional(_) | Text::Sequence(_) | Text::When(..)
        ) {
            self.text(text.clone(), span);
        }
    }

    /// Names or values of a list, changed. What a list's filters lose is asked of the list.
    fn changed(&mut self, text: Text, change: Option<Change>, filter: &Filter) -> Text {
        let Some(change) = change else { return text };
        match text {
            Text::Value(owner, letters) => Text::Value(owner, change.of(letters)),
            Text::When(inner, condition) => {
                Text::When(Box::new(self.changed(*inner, Some(change), filter)), condition)
            }
            text => {
                let letters = change.of(letters_of(&text));
                let made = Made::Texts(vec![text], filter.clone());
                self.owned("a synthetic item".to_owned(), Span::default(), made, letters)
            }
        }
    }

    fn named(&mut self, value: &Value, made: Made, letters: Letters) -> Text {
        self.owned(name_of(self.scheme, self.message, value), value.span, made, letters)
    }

    fn owned(&mut self, name: String, span: Span, made: Made, letters: Letters) -> Text {
        let owner = Owner(self.written.origins.len());
        self.written.origins.push(Origin { name, span, made });
        Text::Value(owner, letters)
    }

    /// The hash that `digest` and `hmac` stand for, where there is only one.
    fn only_hash(&self) -> Option<Hash> {
        match self.scheme.key.hashes.as_slice() {
            [] => Some(Hash::Sha256),
            [only] => Some(*only),
            _ => None,
        }
    }
}

/// Whether a filter may make one name of two.
pub(in crate::lint) fn may_rename(filter: &Filter) -> bool {
    match filter {
        Filter::LowerNames => true,
        Filter::Convert(convert) => !matches!(
            convert,
            Convert::B64
                | Convert::B64NoPad
                | Convert::B64Url
                | Convert::B64UrlPad
                | Convert::FormEnc
                | Convert::Hex
                | Convert::HexUpper
                | Convert::JsonEscape
                | Convert::Pct
                | Convert::PctPath
        ),
        _ => false,
    }
}

/// What a filter does to a list's names.
fn named_by(filter: &Filter) -> Option<Change> {
    match filter {
        Filter::Convert(by) => Some(Change::Convert(*by)),
        Filter::LowerNames => Some(Change::Convert(Convert::Lower)),
        _ => None,
    }
}

/// What a filter does to a list's values.
fn valued_by(filter: &Filter) -> Option<Change> {
    match filter {
        Filter::Convert(by) => Some(Change::Convert(*by)),
        Filter::Fold(separator) => Some(Change::Fold(separator.clone())),
        _ => None,
    }
}

/// What becomes of the letters of names or values.
enum Change {
    Convert(Convert),
    Fold(Vec<u8>),
}

impl Change {
    fn of(&self, letters: Letters) -> Letters {
        match self {
            Self::Convert(by) => letters.converted(*by),
            Self::Fold(separator) => {
                let separator = Letters::new(Symbols::of(separator), Length::Any);
                let first =
                    if letters.length == Length::Some { letters.first } else { letters.first.or(separator.all) };
                Letters { first, ..letters.or(separator) }
            }
        }
    }
}

/// What a text is made of, all in all.
pub(super) fn letters_of(text: &Text) -> Letters {
    match text {
        Text::Value(_, letters) => *letters,
        Text::When(inner, _) => letters_of(inner),
        other => Letters {
            first: other.first(),
            all: other.symbols(),
            length: if other.can_be_empty() { Length::Any } else { Length::Some },
        },
    }
}

/// `"k":"v"`, both escaped.
fn json_member() -> Template {
    let escaped = |source| {
        let filters = vec![Filter::Convert(Convert::JsonEscape)];
        Part::Value(Value { source, filters, span: Span::default() })
    };
    let literal = |text: &str| Part::Literal(text.as_bytes().to_vec());
    let parts = vec![literal("\""), escaped(Source::K), literal("\":\""), escaped(Source::V), literal("\"")];
    Template { parts, span: Span::default() }
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
