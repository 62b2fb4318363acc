//! The walk over what a message's signature base was made of: for all parts that certainly went in, or for one.

use crate::canon::glob;
use crate::plan::MessagePlan;
use crate::plan::carrier::{Captures, names};
use crate::scheme::References;
use crate::scheme::draft::Place;
use crate::scheme::model::{
    Carrier, Convert, FieldId, Filter, Let, LetId, ListSource, Listing, Message, Part, Primitive, Source, Template,
    Value,
};

use super::{Facts, LetsFound, bit};

/// Lets are ordered when they are checked, so this only bounds what cannot happen.
const DEEPEST: usize = 64;

/// A part: what kind it is of, where there are several of the kind, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'n>(pub(super) &'static str, pub(super) &'n str);

impl<'n> Name<'n> {
    /// The part of a text as [`Coverage`](super::Coverage) has it.
    fn of(text: &'n str) -> Self {
        let kinds = ["cookie", "form", "header", "json", "part", "query", "xml"];
        let single = kinds.into_iter().find_map(|kind| Some(Name(kind, text.strip_prefix(kind)?.strip_prefix(' ')?)));
        single.unwrap_or(Name("", text))
    }

    pub(super) fn is_among(self, parts: &[String]) -> bool {
        parts.iter().any(|part| self.is(part))
    }

    fn is(self, text: &str) -> bool {
        match self {
            Name("", name) => text == name,
            Name(kind, name) => text.strip_prefix(kind).and_then(|rest| rest.strip_prefix(' ')) == Some(name),
        }
    }
}

/// Parts that went in: all of them, each once, or whether one did, which allocates nothing.
#[derive(Debug, Clone)]
pub(super) enum Parts<'n> {
    All(Vec<String>),
    One(Name<'n>, bool),
}

impl Parts<'_> {
    pub(super) fn has(&self, part: Name<'_>) -> bool {
        match self {
            Self::All(known) => part.is_among(known),
            Self::One(one, there) => *there && *one == part,
        }
    }

    pub(super) fn add(&mut self, part: Name<'_>) {
        match self {
            Self::All(_) if self.has(part) => {}
            Self::All(known) => known.push(match part {
                Name("", name) => name.to_owned(),
                Name(kind, name) => format!("{kind} {name}"),
            }),
            Self::One(one, there) => *there |= *one == part,
        }
    }

    fn extend(&mut self, other: &Self) {
        match (self, other) {
            (Self::All(known), Self::All(others)) => {
                for other in others {
                    if !known.contains(other) {
                        known.push(other.clone());
                    }
                }
            }
            (Self::One(_, there), Self::One(_, other)) => *there |= *other,
            _ => {}
        }
    }

    /// Keeps what one of two others has, too.
    fn keep(&mut self, one: &Self, other: &Self) {
        match (self, one, other) {
            (Self::All(known), Self::All(one), Self::All(other)) => {
                known.retain(|part| one.contains(part) || other.contains(part));
            }
            (Self::One(_, there), Self::One(_, one), Self::One(_, other)) => *there &= *one || *other,
            _ => {}
        }
    }
}

/// Whether something is in the message, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Absent,
    /// There or not, as something else decides; the message has it in any case.
    Decided,
    There,
    Unknown,
}

impl Presence {
    const fn of(there: bool) -> Self {
        if there { Self::There } else { Self::Absent }
    }

    /// Of two that are needed.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Absent, _) | (_, Self::Absent) => Self::Absent,
            (Self::Decided, _) | (_, Self::Decided) => Self::Decided,
            (Self::There, Self::There) => Self::There,
            _ => Self::Unknown,
        }
    }
}

/// What certainly goes into the base, and whether all that is needed for it is there.
struct Drawn<'n> {
    parts: Parts<'n>,
    presence: Presence,
}

/// The walk itself. `asked`: the part that is looked for; `None`: all are gathered.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    message: &'a Message,
    plan: &'a MessagePlan,
    lets: &'a [Let],
    base: &'a Template,
    facts: &'a Facts,
    captures: &'a Captures,
    asked: Option<Name<'a>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(message: &'a Message, plan: &'a MessagePlan, facts: &'a Facts, captures: &'a Captures) -> Self {
        let (lets, base) = match message.tries.get(facts.variant) {
            Some(tried) => (tried.lets.as_slice(), &tried.base),
            None => (message.lets.as_slice(), &message.base),
        };
        Self { message, plan, lets, base, facts, captures, asked: None }
    }

    /// All parts that are signed, as the scheme draws on them.
    pub(super) fn all(&self) -> Vec<String> {
        let mut signed = self.drawn();
        for step in 0..self.claims() {
            if let Some((what, text)) = self.claim(step)
                && self.signs(&what, &|part| signed.has(part))
            {
                signed.extend(&self.template(text, 0).parts);
            }
        }
        match signed {
            Parts::All(parts) => parts,
            Parts::One(..) => Vec::new(),
        }
    }

    /// Whether [`Self::all`] has one part.
    pub(super) fn has(&self, part: Name<'_>) -> bool {
        self.has_before(part, self.claims())
    }

    /// Whether a part is signed, as far as that is known before a claim.
    fn has_before(&self, part: Name<'_>, step: usize) -> bool {
        let walk = Walk { asked: Some(part), ..*self };
        walk.drawn().has(part)
            || (0..step).any(|earlier| {
                walk.claim(earlier).is_some_and(|(what, text)| {
                    walk.template(text, 0).parts.has(part)
                        && self.signs(&what, &|other| self.has_before(other, earlier))
                })
            })
    }

    /// What base and key draw on: what goes into the key cannot be changed either.
    fn drawn(&self) -> Parts<'a> {
        let mut drawn = self.template(self.base, 0).parts;
        if let Primitive::Derived(_, key) | Primitive::Mac(_, key) = &self.message.signature.primitive {
            drawn.extend(&self.template(key, 0).parts);
        }
        drawn
    }

    fn nothing(&self) -> Parts<'a> {
        match self.asked {
            Some(part) => Parts::One(part, false),
            None => Parts::All(Vec::new()),
        }
    }

    fn these(&self, names: &[&str]) -> Parts<'a> {
        let mut parts = self.nothing();
        for name in names {
            parts.add(Name("", name));
        }
        parts
    }

    fn template(&self, text: &Template, depth: usize) -> Drawn<'a> {
        let mut drawn = Drawn { parts: self.nothing(), presence: Presence::There };
        if depth > DEEPEST {
            return drawn;
        }
        let deeper = depth.saturating_add(1);
        for part in &text.parts {
            match part {
                Part::Literal(_) => {}
                Part::Optional(inner) => {
                    let Drawn { parts, presence } = self.template(inner, deeper);
                    // What stands alone is missed by nobody but itself.
                    let alone = inner.parts.iter().filter(|part| !matches!(part, Part::Literal(_))).count() == 1;
                    if presence == Presence::There || (presence == Presence::Unknown && alone) {
                        drawn.parts.extend(&parts);
                    }
                }
                Part::Value(value) => {
                    let Drawn { parts, presence } = self.value(value, deeper);
                    drawn.parts.extend(&parts);
                    drawn.presence = drawn.presence.and(presence);
                }
            }
        }
        drawn
    }

    /// An entry of `[let]`. Whether it was there is known, whatever its conditions were.
    fn entry(&self, id: LetId, depth: usize) -> Drawn<'a> {
        let LetsFound { there, absent } = self.facts.lets;
        let found = |bits: u64| bits & bit(id) != 0;
        let Some(entry) = self.lets.get(id).filter(|_| !found(absent)) else {
            return Drawn { parts: self.nothing(), presence: Presence::Absent };
        };
        let Drawn { parts, presence } = self.template(&entry.text, depth);
        Drawn { parts, presence: if found(there) { Presence::There } else { presence } }
    }

    fn value(&self, value: &Value, depth: usize) -> Drawn<'a> {
        let mut drawn = match &value.source {
            Source::List(list) => Drawn { parts: self.list(*list, &value.filters, depth), presence: Presence::There },
            source => self.source(source, depth),
        };
        let mut digested = false;
        let mut told = self.nothing();
        for filter in &value.filters {
            match filter {
                Filter::After(_)
                | Filter::AfterLast(_)
                | Filter::Before(_)
                | Filter::Member(_)
                | Filter::Slice(..)
                | Filter::Convert(Convert::Crc32 | Convert::Len)
                    if !digested =>
                {
                    drawn.parts = self.nothing();
                }
                Filter::Hash(_) => digested = true,
                Filter::Hmac(_, key) | Filter::Kdf(_, _, key) => {
                    digested = true;
                    drawn.parts.extend(&self.template(key, depth).parts);
                }
                Filter::Hkdf { salt, info, .. } => {
                    digested = true;
                    drawn.parts.extend(&self.template(salt, depth).parts);
                    drawn.parts.extend(&self.template(info, depth).parts);
                }
                Filter::Ratchet(_, steps) => {
                    digested = true;
                    for step in steps {
                        drawn.parts.extend(&self.template(step, depth).parts);
                    }
                }
                Filter::When(subject, values, negated) => {
                    let subject = self.template(subject, depth).parts;
                    // Absent for one value of itself and nothing else, it is that value: `{path | unless path "/"}`.
                    let itself = *negated && values.len() == 1 && drawn.presence == Presence::There;
                    told = self.nothing();
                    if itself {
                        told.extend(&subject);
                        told.keep(&drawn.parts, &drawn.parts);
                    }
                    drawn.parts.extend(&subject);
                }
                Filter::Or(other) => {
                    let other = self.template(other, depth);
                    match drawn.presence {
                        Presence::There => {}
                        Presence::Absent => drawn = other,
                        Presence::Decided | Presence::Unknown => {
                            drawn.parts.keep(&other.parts, &told);
                            drawn.presence = Presence::There.and(other.presence);
                        }
                    }
                    digested = false;
                }
                _ => {}
            }
            if matches!(filter, Filter::After(_) | Filter::IfAny | Filter::Member(_) | Filter::Time(..)) {
                told = self.nothing();
            }
            drawn.presence = match (filter, drawn.presence) {
                (Filter::When(..), Presence::There | Presence::Unknown) => Presence::Decided,
                (Filter::After(_) | Filter::IfAny | Filter::Member(_) | Filter::Time(..), Presence::There) => {
                    Presence::Unknown
                }
                (_, presence) => presence,
            };
        }
        drawn
    }

    fn source(&self, source: &Source, depth: usize) -> Drawn<'a> {
        let single = |kind: &'static str, name: &str| {
            let mut parts = self.nothing();
            parts.add(Name(kind, name));
            parts
        };
        let member = |kind, name| (single(kind, name), Presence::Unknown);
        let host = Presence::of(self.facts.host);
        let (parts, presence) = match source {
            Source::Body => (self.these(&["body"]), Presence::There),
            Source::Cookie(name) => member("cookie", name),
            Source::Field(id) => match (self.message.fields.get(*id), self.captures.get(*id)) {
                (Some(field), Some(_)) => (self.these(&[&field.name]), Presence::There),
                _ => (self.nothing(), Presence::Absent),
            },
            Source::Form(name) => member("form", name),
            Source::Header(name) if name == "host" && self.facts.host => {
                (self.these(&["authority"]), Presence::There)
            }
            Source::Header(name) => match self.header(name) {
                Presence::Absent => (self.nothing(), Presence::Absent),
                presence => (single("header", name), presence),
            },
            Source::Host => (self.these(&["authority"]), host),
            Source::Hostname => (self.these(&["hostname"]), host),
            Source::Json(name) => member("json", name),
            Source::Let(id) => return self.entry(*id, depth),
            Source::Method => (self.these(&["method"]), Presence::There),
            Source::Part(name) => member("part", name),
            Source::Path => (self.these(&["path"]), Presence::There),
            Source::Port => (self.these(&["port"]), Presence::There),
            Source::Query(name) => member("query", name),
            Source::QueryString => (self.these(&["query"]), Presence::Unknown),
            Source::Quoted(inner) => return self.template(inner, depth),
            Source::Status => (self.these(&["status"]), Presence::Unknown),
            Source::Target => (self.these(&["path", "query"]), Presence::There),
            Source::Url => (self.these(&["authority", "path", "query"]), host),
            Source::Xml(name) => member("xml", name),
            Source::List(_) | Source::Scheme | Source::Secret => (self.nothing(), Presence::There),
            Source::Chunk(_)
            | Source::DigestName
            | Source::K
            | Source::KeyId
            | Source::Peer
            | Source::Request(_)
            | Source::V
            | Source::Var(_) => (self.nothing(), Presence::Unknown),
        };
        Drawn { parts, presence }
    }

    fn header(&self, name: &str) -> Presence {
        match self.plan.signed_headers.iter().position(|(known, _)| known == name).map(bit) {
            None | Some(0) => Presence::Unknown,
            Some(bit) => Presence::of(self.facts.absent & bit == 0),
        }
    }

    fn list(&self, list: ListSource, filters: &[Filter], depth: usize) -> Parts<'a> {
        let mut parts = match list {
            ListSource::Headers => return self.headers(filters, depth),
            _ if !self.keeps_all(filters) => self.carried_in(list, filters),
            ListSource::Params | ListSource::QueryJson | ListSource::QueryRawJson => self.these(&["query", "body"]),
            ListSource::QueryForm if self.facts.form => self.these(&["query", "body"]),
            ListSource::Query | ListSource::QueryForm | ListSource::QueryPct | ListSource::QueryRaw => {
                self.these(&["query"])
            }
            ListSource::Form | ListSource::FormRaw | ListSource::Json | ListSource::Xml => self.these(&["body"]),
        };
        let among = |globs: &[String], name: &str| globs.iter().any(|by| glob(by.as_bytes(), name.as_bytes()));
        let shown = |name: &str| {
            filters.iter().all(|filter| match filter {
                Filter::Each(text) => shows(text, &Source::V),
                Filter::Listed(..) | Filter::Pick(..) => false,
                Filter::Only(globs) => among(globs, name),
                Filter::Without(globs) => !among(globs, name),
                _ => true,
            })
        };
        for filter in filters {
            match filter {
                Filter::With { name, value, .. } if shown(name) => {
                    parts.extend(&self.template(value, depth).parts);
                }
                _ => {}
            }
        }
        parts
    }

    /// Whether no item of a list is left out, but for those that carry the credentials.
    fn keeps_all(&self, filters: &[Filter]) -> bool {
        let carries = |name: &String| {
            self.message.carriers.iter().any(|carrier| carrier.place != Place::Header && carrier.name == *name)
        };
        filters.iter().all(|filter| match filter {
            Filter::DropEmpty
            | Filter::First
            | Filter::Last
            | Filter::Listed(..)
            | Filter::Only(_)
            | Filter::Pick(..) => false,
            Filter::Each(text) => shows(text, &Source::K) && shows(text, &Source::V),
            Filter::Without(globs) => globs.iter().all(carries),
            _ => true,
        })
    }

    /// The captures that are items of a list from which others are left out.
    fn carried_in(&self, list: ListSource, filters: &[Filter]) -> Parts<'a> {
        let among =
            |globs: &[String], name: &str| globs.iter().any(|pattern| glob(pattern.as_bytes(), name.as_bytes()));
        let kept = |name: &str| {
            filters.iter().all(|filter| match filter {
                Filter::Each(text) => shows(text, &Source::K) && shows(text, &Source::V),
                Filter::Only(globs) => among(globs, name),
                Filter::Listed(..) | Filter::Pick(..) => false,
                Filter::Without(globs) => !among(globs, name),
                // A carrier's parameter comes once, and what is captured of it is not empty.
                _ => true,
            })
        };
        let holds = |place: Place| match list {
            ListSource::Form | ListSource::FormRaw => place == Place::Form,
            ListSource::Headers => false,
            ListSource::Json => place == Place::Json,
            ListSource::Params => matches!(place, Place::Form | Place::Query),
            ListSource::QueryForm => place == Place::Query || (place == Place::Form && self.facts.form),
            ListSource::QueryJson | ListSource::QueryRawJson => matches!(place, Place::Json | Place::Query),
            ListSource::Query | ListSource::QueryPct | ListSource::QueryRaw => place == Place::Query,
            ListSource::Xml => place == Place::Xml,
        };
        let mut parts = self.nothing();
        let carries = |carrier: &&Carrier| carrier.within.is_none() && holds(carrier.place) && kept(&carrier.name);
        for carrier in self.message.carriers.iter().filter(carries) {
            References::each_capture(&carrier.text, &mut |id| {
                let there = self.captures.get(id).is_some_and(|value| !value.is_empty());
                if let Some(field) = self.message.fields.get(id).filter(|_| there) {
                    parts.add(Name("", &field.name));
                }
            });
        }
        parts
    }

    /// Field lines that a capture lists, those that carry captures where none does, and what synthetic items hold.
    fn headers(&self, filters: &[Filter], depth: usize) -> Parts<'a> {
        let shown = |filter: &Filter| match filter {
            Filter::DropEmpty | Filter::First | Filter::Last => false,
            Filter::Each(text) => shows(text, &Source::V),
            _ => true,
        };
        let kept = |name: &str| {
            let among = |globs: &[String]| globs.iter().any(|pattern| glob(pattern.as_bytes(), name.as_bytes()));
            filters.iter().all(|filter| match filter {
                Filter::Only(globs) => among(globs),
                Filter::Without(globs) => !among(globs),
                _ => true,
            })
        };
        let mut parts = self.nothing();
        if !filters.iter().all(shown) {
            return parts;
        }
        let synthetic = || {
            filters.iter().filter_map(|filter| match filter {
                Filter::With { name, value, .. } => Some((name.as_str(), value)),
                _ => None,
            })
        };
        let listing = filters.iter().find_map(|filter| match filter {
            Filter::Listed(id, _) => Some(Listing::Field(*id)),
            Filter::Pick(listing, _) => Some(*listing),
            _ => None,
        });
        let Some(listing) = listing else {
            for (_, value) in synthetic().filter(|(name, _)| kept(name)) {
                parts.extend(&self.template(value, depth).parts);
            }
            // Of the other field lines nobody knows which are there; those that were read are.
            let told = filters.iter().all(|filter| match filter {
                Filter::Each(text) => shows(text, &Source::K),
                _ => true,
            });
            for carrier in self.message.carriers.iter().filter(|carrier| told && carrier.place == Place::Header) {
                let captured = |id| self.captures.get(id).is_some();
                let there = !carrier.optional || References::any_capture(&carrier.text, captured);
                let signature = References::any_capture(&carrier.text, |id| id == self.message.signature_field);
                if there && kept(&carrier.name) && !signature {
                    parts.add(Name("header", &carrier.name));
                }
            }
            return parts;
        };
        // What the deployment lists and the message lacks may have been passed over.
        let Listing::Field(listing) = listing else { return parts };
        for name in names(self.captures.get(listing).unwrap_or_default()) {
            let mut name = String::from_utf8_lossy(name);
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                name = name.to_ascii_lowercase().into();
            }
            match synthetic().find(|(known, _)| *known == name) {
                _ if !kept(&name) => {}
                Some((_, value)) => parts.extend(&self.template(value, depth).parts),
                None if name == "host" && self.facts.host => parts.add(Name("", "authority")),
                None => parts.add(Name("header", &name)),
            }
        }
        parts
    }

    /// How many values may be stated, compared with what is computed of the message, and signed: then what they are
    /// computed of is signed, too.
    fn claims(&self) -> usize {
        self.message.fields.len().saturating_add(self.message.binds.len())
    }

    /// What is stated, and the template that it was compared with, where that was done: captures, then bound fields.
    fn claim(&self, step: usize) -> Option<(Stated<'a>, &'a Template)> {
        if let Some(field) = self.message.fields.get(step) {
            let entry = self.lets.get(field.definition?)?;
            return self.captures.get(step).map(|_| (Stated::Capture(step), &entry.text));
        }
        let index = step.checked_sub(self.message.fields.len())?;
        let bind = self.message.binds.get(index)?;
        (self.facts.compared & bit(index) != 0).then_some((Stated::Bound(&bind.what), &bind.value))
    }

    /// Whether a capture, or the field line that carries it, is signed.
    fn signs(&self, what: &Stated<'_>, has: &dyn Fn(Name<'_>) -> bool) -> bool {
        match what {
            Stated::Capture(id) | Stated::Bound(Source::Field(id)) => {
                self.message.fields.get(*id).is_some_and(|field| has(Name("", &field.name)))
                    || self.carried_by(*id).is_some_and(|name| has(Name("header", name)))
            }
            Stated::Bound(Source::Header(name)) => has(Name("header", name)),
            // Whatever it is made of is signed, and then so is what it is.
            Stated::Bound(Source::Let(id)) => self.lets.get(*id).is_some_and(|entry| {
                let walk = Walk { asked: None, ..*self };
                let signed = |source: &Source| match (source, walk.source(source, 0).parts) {
                    (Source::Let(_) | Source::Quoted(_), _) => true,
                    (_, Parts::All(parts)) => !parts.is_empty() && parts.iter().all(|part| has(Name::of(part))),
                    (_, Parts::One(..)) => false,
                };
                References::of(self.message, &entry.text).sources.iter().all(signed)
            }),
            Stated::Bound(_) => false,
        }
    }

    fn carried_by(&self, id: FieldId) -> Option<&'a str> {
        let mut lines = self.message.carriers.iter().filter(|carrier| carrier.place == Place::Header);
        let found = lines.find(|carrier| References::any_capture(&carrier.text, |other| other == id));
        found.map(|carrier| carrier.name.as_str())
    }
}

/// What states a value.
#[derive(Clone, Copy)]
enum Stated<'a> {
    Bound(&'a Source),
    Capture(FieldId),
}

/// Whether a template shows a list item's name, or its value, uncut.
pub(super) fn shows(text: &Template, what: &Source) -> bool {
    let cuts = |filter: &Filter| {
        matches!(
            filter,
            Filter::After(_)
                | Filter::AfterLast(_)
                | Filter::Before(_)
                | Filter::Convert(Convert::Crc32 | Convert::Len)
                | Filter::Member(_)
                | Filter::Slice(..)
                | Filter::When(..)
        )
    };
    text.parts.iter().any(|part| match part {
        Part::Literal(_) => false,
        Part::Optional(inner) => shows(inner, what),
        Part::Value(value) => value.source == *what && !value.filters.iter().any(cuts),
    })
}
