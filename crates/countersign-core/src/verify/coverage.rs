//! What a signature covers: some of it by the scheme, some of it by what the message lists.
//!
//! The signature base of the message at hand is walked once more, and a part counts only if it certainly went in,
//! whole. What stands behind `or` went in where what it stands in for is absent; an optional segment went in where
//! everything in it is there. What cannot be told any more after verification (whether the query had a parameter)
//! counts as open. Lists that leave items out, and filters that cut, cover nothing.
//!
//! Deliberately absent: whether two messages could have the same base. That is the linter's question.

use crate::canon::glob;
use crate::httpsig;
use crate::plan::MessagePlan;
use crate::plan::carrier::{Captures, names};
use crate::plan::source::is_form;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::draft::Place;
use crate::scheme::model::{
    Carrier, Convert, FieldId, Filter, Let, LetId, ListSource, Listing, Message, Part, Primitive, Source, Template,
    Value,
};
use crate::scheme::{PARTS, References};

/// What a signature covers of a message, and what it leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Covered parts: `method`, `authority` (`hostname` where its port is not), `path`, `query`, `body`, the names of
    /// captures, and `header NAME`, `query NAME` … for single ones.
    pub covered: Vec<String>,
    /// Those of `method`, `authority`, `path`, `query` and `body` that are not.
    pub not_covered: Vec<String>,
}

impl Coverage {
    /// Whether a part is covered.
    #[must_use]
    pub fn covers(&self, part: &str) -> bool {
        self.covered.iter().any(|covered| covered == part)
    }
}

/// What a verification learnt about the message that coverage depends on.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The alternative that holds.
    pub(super) variant: usize,
    /// One bit for each of the first 64 bound fields that is there and holds the computed value.
    pub(super) compared: u64,
    /// Whether the message names its authority.
    pub(super) host: bool,
    /// Whether the body came in chunks that are signed.
    pub(super) chunks: bool,
    /// One bit for each of the first 64 field lines that the scheme would sign and the message does not have.
    pub(super) absent: u64,
    /// Whether the message says that its body is a form.
    pub(super) form: bool,
    /// Which entries of `[let]` were there, and which were not.
    pub(super) lets: LetsFound,
}

/// One bit for each of the first 64 entries of `[let]`; one that was not computed has neither.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LetsFound {
    pub(crate) there: u64,
    pub(crate) absent: u64,
}

impl Facts {
    pub(crate) fn of(
        view: &RequestView<'_>,
        plan: &MessagePlan,
        variant: usize,
        compared: u64,
        chunks: bool,
        lets: LetsFound,
    ) -> Self {
        let mut absent = 0;
        for (index, name) in plan.signed_headers.iter().enumerate() {
            let mut there = false;
            view.fields.values(name, &mut |_| there = true);
            if !there {
                absent |= bit(index);
            }
        }
        let host = !view.authority.is_empty();
        Self { variant, compared, host, chunks, absent, form: is_form(view).unwrap_or(false), lets }
    }
}

/// The bit of a number below 64.
pub(crate) fn bit(index: usize) -> u64 {
    u32::try_from(index).ok().and_then(|index| 1_u64.checked_shl(index)).unwrap_or(0)
}

/// Lets are ordered when they are checked, so this only bounds what cannot happen.
const DEEPEST: usize = 64;

pub(super) fn of(message: &Message, plan: &MessagePlan, facts: &Facts, captures: &Captures) -> Coverage {
    if message.message_signature.is_some() {
        return httpsig::coverage(captures, facts.compared != 0);
    }
    let (lets, base) = match message.tries.get(facts.variant) {
        Some(tried) => (tried.lets.as_slice(), &tried.base),
        None => (message.lets.as_slice(), &message.base),
    };
    let walk = Walk { message, plan, lets, facts, captures };
    let mut covered = walk.template(base, 0).parts;
    // What goes into the key cannot be changed either.
    if let Primitive::Derived(_, key) | Primitive::Mac(_, key) = &message.signature.primitive {
        covered.extend(&walk.template(key, 0).parts);
    }
    walk.claims(&mut covered);
    if facts.chunks {
        covered.add("body");
    }
    if covered.has("hostname") && covered.has("port") {
        covered.add("authority");
    }
    let whole = covered.has("authority");
    covered.0.retain(|part| part != "port" && (part != "hostname" || !whole));
    let open = PARTS.iter().filter(|part| !covered.has(part)).map(|part| (*part).to_owned());
    Coverage { not_covered: open.collect(), covered: covered.0 }
}

/// Whether a capture is covered: by itself, or with the place that carries it.
pub(super) fn covers(message: &Message, coverage: &Coverage, id: FieldId) -> bool {
    let named = |id: FieldId| message.fields.get(id).is_some_and(|field| coverage.covers(&field.name));
    let whole = |carrier: &Carrier| match carrier.place {
        _ if carrier.within.is_some() => carrier.within.is_some_and(named),
        Place::Cookie => coverage.covers("header cookie"),
        Place::Form | Place::Json | Place::Xml => coverage.covers("body"),
        Place::Header => coverage.covers(&format!("header {}", carrier.name)),
        Place::Path => coverage.covers("path"),
        Place::Query => coverage.covers("query"),
    };
    let holds = |carrier: &&Carrier| {
        let mut ids = Vec::new();
        References::captures(&carrier.text, &mut ids);
        ids.contains(&id)
    };
    named(id) || message.carriers.iter().filter(holds).any(whole)
}

/// Refuses a message whose signature leaves something open that the policy wants covered. An empty body and an absent
/// capture are not asked for: where somebody adds one, it is.
pub(crate) fn insist(
    message: &Message,
    plan: &MessagePlan,
    facts: &Facts,
    captures: &Captures,
    has_body: bool,
) -> Result<(), Rejection> {
    if message.required_parts.is_empty() {
        return Ok(());
    }
    let coverage = of(message, plan, facts, captures);
    for part in &message.required_parts {
        let there = match message.fields.iter().position(|field| field.name == part.value) {
            Some(id) if !PARTS.contains(&part.value.as_str()) => captures.get(id).is_some(),
            _ => has_body || part.value != "body",
        };
        if there && !coverage.covers(&part.value) {
            let subject = Subject::Required(part.value.clone());
            return Err(Rejection::new(Reason::CoverageTooThin, Some(part.span), subject));
        }
    }
    Ok(())
}

/// Names of parts, each once.
#[derive(Debug, Default)]
struct Parts(Vec<String>);

impl Parts {
    fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn has(&self, part: &str) -> bool {
        self.0.iter().any(|known| known == part)
    }

    fn add(&mut self, part: &str) {
        if !self.has(part) {
            self.0.push(part.to_owned());
        }
    }

    fn extend(&mut self, other: &Self) {
        for part in &other.0 {
            self.add(part);
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
struct Drawn {
    parts: Parts,
    presence: Presence,
}

struct Walk<'a> {
    message: &'a Message,
    plan: &'a MessagePlan,
    lets: &'a [Let],
    facts: &'a Facts,
    captures: &'a Captures,
}

impl Walk<'_> {
    fn template(&self, text: &Template, depth: usize) -> Drawn {
        let mut drawn = Drawn { parts: Parts::default(), presence: Presence::There };
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
    fn entry(&self, id: LetId, depth: usize) -> Drawn {
        let LetsFound { there, absent } = self.facts.lets;
        let found = |bits: u64| bits & bit(id) != 0;
        let Some(entry) = self.lets.get(id).filter(|_| !found(absent)) else {
            return Drawn { parts: Parts::default(), presence: Presence::Absent };
        };
        let Drawn { parts, presence } = self.template(&entry.text, depth);
        Drawn { parts, presence: if found(there) { Presence::There } else { presence } }
    }

    fn value(&self, value: &Value, depth: usize) -> Drawn {
        let mut drawn = match &value.source {
            Source::List(list) => Drawn { parts: self.list(*list, &value.filters, depth), presence: Presence::There },
            source => self.source(source, depth),
        };
        let mut digested = false;
        let mut told = Parts::default();
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
                    drawn.parts = Parts::default();
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
                    told.0 = subject.0.iter().filter(|part| itself && drawn.parts.has(part)).cloned().collect();
                    drawn.parts.extend(&subject);
                }
                Filter::Or(other) => {
                    let other = self.template(other, depth);
                    match drawn.presence {
                        Presence::There => {}
                        Presence::Absent => drawn = other,
                        Presence::Decided | Presence::Unknown => {
                            drawn.parts.0.retain(|part| other.parts.has(part) || told.has(part));
                            drawn.presence = Presence::There.and(other.presence);
                        }
                    }
                    digested = false;
                }
                _ => {}
            }
            if matches!(filter, Filter::After(_) | Filter::IfAny | Filter::Member(_) | Filter::Time(..)) {
                told.0.clear();
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

    fn source(&self, source: &Source, depth: usize) -> Drawn {
        let member = |place: &str, name: &str| (Parts(vec![format!("{place} {name}")]), Presence::Unknown);
        let host = Presence::of(self.facts.host);
        let (parts, presence) = match source {
            Source::Body => (Parts::of(&["body"]), Presence::There),
            Source::Cookie(name) => member("cookie", name),
            Source::Field(id) => match (self.message.fields.get(*id), self.captures.get(*id)) {
                (Some(field), Some(_)) => (Parts::of(&[&field.name]), Presence::There),
                _ => (Parts::default(), Presence::Absent),
            },
            Source::Form(name) => member("form", name),
            Source::Header(name) if name == "host" && self.facts.host => (Parts::of(&["authority"]), Presence::There),
            Source::Header(name) => match self.header(name) {
                Presence::Absent => (Parts::default(), Presence::Absent),
                presence => (Parts(vec![format!("header {name}")]), presence),
            },
            Source::Host => (Parts::of(&["authority"]), host),
            Source::Hostname => (Parts::of(&["hostname"]), host),
            Source::Json(name) => member("json", name),
            Source::Let(id) => return self.entry(*id, depth),
            Source::Method => (Parts::of(&["method"]), Presence::There),
            Source::Part(name) => member("part", name),
            Source::Path => (Parts::of(&["path"]), Presence::There),
            Source::Port => (Parts::of(&["port"]), Presence::There),
            Source::Query(name) => member("query", name),
            Source::QueryString => (Parts::of(&["query"]), Presence::Unknown),
            Source::Quoted(inner) => return self.template(inner, depth),
            Source::Status => (Parts::of(&["status"]), Presence::Unknown),
            Source::Target => (Parts::of(&["path", "query"]), Presence::There),
            Source::Url => (Parts::of(&["authority", "path", "query"]), host),
            Source::Xml(name) => member("xml", name),
            Source::List(_) | Source::Scheme | Source::Secret => (Parts::default(), Presence::There),
            Source::Chunk(_)
            | Source::DigestName
            | Source::K
            | Source::KeyId
            | Source::Peer
            | Source::Request(_)
            | Source::V
            | Source::Var(_) => (Parts::default(), Presence::Unknown),
        };
        Drawn { parts, presence }
    }

    fn header(&self, name: &str) -> Presence {
        match self.plan.signed_headers.iter().position(|known| known == name).map(bit) {
            None | Some(0) => Presence::Unknown,
            Some(bit) => Presence::of(self.facts.absent & bit == 0),
        }
    }

    fn list(&self, list: ListSource, filters: &[Filter], depth: usize) -> Parts {
        let mut parts = match list {
            ListSource::Headers => return self.headers(filters, depth),
            _ if !self.keeps_all(filters) => self.carried_in(list, filters),
            ListSource::Params | ListSource::QueryJson | ListSource::QueryRawJson => Parts::of(&["query", "body"]),
            ListSource::QueryForm if self.facts.form => Parts::of(&["query", "body"]),
            ListSource::Query | ListSource::QueryForm | ListSource::QueryPct | ListSource::QueryRaw => {
                Parts::of(&["query"])
            }
            ListSource::Form | ListSource::FormRaw | ListSource::Json | ListSource::Xml => Parts::of(&["body"]),
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
    fn carried_in(&self, list: ListSource, filters: &[Filter]) -> Parts {
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
        let mut parts = Parts::default();
        let carries = |carrier: &&Carrier| carrier.within.is_none() && holds(carrier.place) && kept(&carrier.name);
        for carrier in self.message.carriers.iter().filter(carries) {
            let mut ids = Vec::new();
            References::captures(&carrier.text, &mut ids);
            for id in ids {
                let there = self.captures.get(id).is_some_and(|value| !value.is_empty());
                if let Some(field) = self.message.fields.get(id).filter(|_| there) {
                    parts.add(&field.name);
                }
            }
        }
        parts
    }

    /// Field lines that a capture lists, those that carry captures where none does, and what synthetic items hold.
    fn headers(&self, filters: &[Filter], depth: usize) -> Parts {
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
        let mut parts = Parts::default();
        if !filters.iter().all(shown) {
            return parts;
        }
        let synthetic: Vec<(&str, &Template)> = filters
            .iter()
            .filter_map(|filter| match filter {
                Filter::With { name, value, .. } => Some((name.as_str(), value)),
                _ => None,
            })
            .collect();
        let listing = filters.iter().find_map(|filter| match filter {
            Filter::Listed(id, _) => Some(Listing::Field(*id)),
            Filter::Pick(listing, _) => Some(*listing),
            _ => None,
        });
        let Some(listing) = listing else {
            for (_, value) in synthetic.iter().filter(|(name, _)| kept(name)) {
                parts.extend(&self.template(value, depth).parts);
            }
            // Of the other field lines nobody knows which are there; those that were read are.
            let told = filters.iter().all(|filter| match filter {
                Filter::Each(text) => shows(text, &Source::K),
                _ => true,
            });
            for carrier in self.message.carriers.iter().filter(|carrier| told && carrier.place == Place::Header) {
                let mut ids = Vec::new();
                References::captures(&carrier.text, &mut ids);
                let there = !carrier.optional || ids.iter().any(|id| self.captures.get(*id).is_some());
                if there && kept(&carrier.name) && !ids.contains(&self.message.signature_field) {
                    parts.add(&format!("header {}", carrier.name));
                }
            }
            return parts;
        };
        // What the deployment lists and the message lacks may have been passed over.
        let Listing::Field(listing) = listing else { return parts };
        for name in names(self.captures.get(listing).unwrap_or_default()) {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            match synthetic.iter().find(|(known, _)| *known == name) {
                _ if !kept(&name) => {}
                Some((_, value)) => parts.extend(&self.template(value, depth).parts),
                None if name == "host" && self.facts.host => parts.add("authority"),
                None => parts.add(&format!("header {name}")),
            }
        }
        parts
    }

    /// Adds what is signed by way of a value that is stated, was compared with what is computed, and is signed.
    fn claims(&self, covered: &mut Parts) {
        for (id, field) in self.message.fields.iter().enumerate() {
            let Some(entry) = field.definition.and_then(|definition| self.lets.get(definition)) else { continue };
            if self.captures.get(id).is_some() && self.signs(covered, &Source::Field(id)) {
                covered.extend(&self.template(&entry.text, 0).parts);
            }
        }
        for (index, bind) in self.message.binds.iter().enumerate() {
            if self.facts.compared & bit(index) != 0 && self.signs(covered, &bind.what) {
                covered.extend(&self.template(&bind.value, 0).parts);
            }
        }
    }

    /// Whether a capture, or the field line that carries it, is signed.
    fn signs(&self, covered: &Parts, what: &Source) -> bool {
        match what {
            Source::Field(id) => {
                self.message.fields.get(*id).is_some_and(|field| covered.has(&field.name))
                    || self.carried_by(*id).is_some_and(|name| covered.has(&format!("header {name}")))
            }
            Source::Header(name) => covered.has(&format!("header {name}")),
            // Whatever it is made of is signed, and then so is what it is.
            Source::Let(id) => self.lets.get(*id).is_some_and(|entry| {
                let signed = |source: &Source| match source {
                    Source::Let(_) | Source::Quoted(_) => true,
                    source => {
                        let parts = self.source(source, 0).parts.0;
                        !parts.is_empty() && parts.iter().all(|part| covered.has(part))
                    }
                };
                References::of(self.message, &entry.text).sources.iter().all(signed)
            }),
            _ => false,
        }
    }

    fn carried_by(&self, id: FieldId) -> Option<&str> {
        let mut lines = self.message.carriers.iter().filter(|carrier| carrier.place == Place::Header);
        let found = lines.find(|carrier| {
            let mut ids = Vec::new();
            References::captures(&carrier.text, &mut ids);
            ids.contains(&id)
        });
        found.map(|carrier| carrier.name.as_str())
    }
}

/// Whether a template shows a list item's name, or its value, uncut.
fn shows(text: &Template, what: &Source) -> bool {
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
