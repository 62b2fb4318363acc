//! What a signature base tells of the message that was signed.
//!
//! A base that can be read in one way tells every text that stands in it; a text that was not changed on the way, or
//! changed only as can be undone, tells the part of the message that it is; and a digest tells what went into it. So
//! this walks from the base, and from what the key is made of, to the parts of the message, and notes how much of
//! each is told. Two messages of one base, both accepted, agree in all that is told of every message.
//!
//! They agree up to what means the same to every reader: how parameters were encoded, `a` and `a=`, the order of
//! parameters that are sorted, whether merged parameters stood in the query or the form, the case of a host, white
//! space around the words of a field line, and something empty and none, of field lines and credentials.

use super::builder;
use super::coverage::{self, Cover};
use super::grammar;
use super::letters;
use super::loss::{self, Loss, Root};
use super::text::{Owner, Text};
use super::written::{Listed, Made, Written, is_constant};
use countersign_core::canon;
use countersign_core::scheme::Span;
use countersign_core::scheme::draft::Place;
use countersign_core::scheme::model::{Carrier, Convert, Filter, IfAbsent, ListSource, Message, Source};

/// A part of the message that the base draws on.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// What it is.
    pub(super) source: Source,
    /// Of a list: what is left of it.
    pub(super) left: Left,
    /// How much of it is told.
    pub(super) told: Told,
    /// Where it stands.
    pub(super) span: Span,
}

/// What is left of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Left {
    /// `None`: every item.
    pub(super) only: Option<Vec<String>>,
    pub(super) without: Vec<String>,
    /// Only what a capture of names lists.
    pub(super) picked: bool,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// All, of every message.
    Always,
    /// Whether it is there, and all of it if it is.
    WhereThere,
    /// Of some messages nothing.
    Sometimes,
    /// Less than all: what is written of it may be written of another.
    Not(Doubt),
}

/// Why something is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// What is absent is written like something that is there.
    Absent,
    /// Items of a list that share a name are written as one.
    Duplicates,
    /// Empty items of a list are not written, or nobody knows how many there are.
    Empty,
    /// A filter loses something.
    Lost(Loss),
    /// The text in which it stands can be read in several ways.
    Readings,
    /// A string of JSON is written like another value.
    Types,
    /// It is nested too deeply to tell.
    Unknown,
}

/// What the base, and what the key is made of, tell.
pub(super) fn parts(message: &Message, cover: &Cover, written: &Written) -> Vec<Part> {
    let mut walk = Walk { message, written, parts: Vec::new(), lists: Vec::new(), depth: 0 };
    for text in &written.signed {
        walk.readable(text, Told::Always);
    }
    walk.all_lists();
    // What is compared with something that is told is told, too.
    for (source, text) in &written.held {
        let optional = match source {
            Source::Field(id) => message.fields.get(*id).is_some_and(|field| field.optional),
            _ => true,
        };
        let told = walk.parts.iter().any(|part| part.source == *source && part.told.rank() < Told::Sometimes.rank());
        if told || is_elsewhere(message, cover, &walk.parts, source) {
            walk.readable(text, if optional { Told::Sometimes } else { Told::Always });
        }
    }
    walk.all_lists();
    let parts = walk.parts;
    let untold = |part: &&Part| part.told == Told::Always || !is_elsewhere(message, cover, &parts, &part.source);
    parts.iter().filter(untold).cloned().collect()
}

/// Whether something is told by what stands in another place of the base: a parameter by the whole query, a capture by
/// the field line that carries it.
fn is_elsewhere(message: &Message, cover: &Cover, parts: &[Part], source: &Source) -> bool {
    let told = |source: &Source| parts.iter().any(|part| part.told == Told::Always && holds(part, source, cover));
    let carried = |carrier: &Carrier| {
        let name = carrier.name.clone();
        told(&match carrier.place {
            Place::Cookie => Source::Header("cookie".to_owned()),
            Place::Form => Source::Form(name),
            Place::Header => Source::Header(name),
            Place::Json => Source::Json(name),
            Place::Path => Source::Path,
            Place::Query => Source::Query(name),
            Place::Xml => Source::Xml(name),
        })
    };
    match source {
        Source::Field(id) => coverage::carriers(message, *id).any(carried),
        source => told(source),
    }
}

impl Left {
    /// What a list is called of which this is left.
    pub(super) fn of(&self, list: &str) -> String {
        let only = self.only.as_ref().map(|globs| format!(" only {}", globs.join(" "))).unwrap_or_default();
        let without =
            if self.without.is_empty() { String::new() } else { format!(" but for {}", self.without.join(" ")) };
        let picked = if self.picked { " that are listed" } else { "" };
        format!("{list}{only}{picked}{without}")
    }
}

impl Part {
    /// A piece of a field line: the base is not made for the rest, such as the parameters of a media type.
    pub(super) fn is_aside(&self) -> bool {
        matches!(self.source, Source::Header(_)) && self.told == Told::Not(Doubt::Lost(Loss::Cut))
    }
}

impl Told {
    const fn rank(self) -> usize {
        match self {
            Self::Always => 0,
            Self::WhereThere => 1,
            Self::Sometimes => 2,
            Self::Not(_) => 3,
        }
    }

    /// The lesser of two.
    const fn and(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// The greater of two.
    const fn or(self, other: Self) -> Self {
        if other.rank() < self.rank() { other } else { self }
    }

    fn unless(self, doubt: Option<Doubt>) -> Self {
        doubt.map_or(self, |doubt| self.and(Self::Not(doubt)))
    }
}

impl Doubt {
    /// The rules one of which says so, where it matters.
    pub(super) const fn rules(self) -> &'static [&'static str] {
        match self {
            Self::Absent => &["absent-field-accepted", "body-optional", "body-partly-covered"],
            Self::Duplicates => &["duplicates-merged"],
            Self::Empty => &["empty-dropped"],
            Self::Lost(Loss::Cut) => &[
                "body-digest-weak",
                "body-partly-covered",
                "path-normalised",
                "time-not-covered",
                "value-partly-covered",
            ],
            Self::Lost(Loss::Normalised) => &["path-normalised"],
            Self::Lost(_) => &["canonicalisation-lossy", "path-normalised"],
            Self::Readings => &["pairs-undelimited", "pairs-unescaped", "separator-in-value", "values-adjacent"],
            Self::Types => &["canonicalisation-lossy"],
            Self::Unknown => &[],
        }
    }

    /// What is unknown, in words.
    pub(super) const fn said(self) -> &'static str {
        match self {
            Self::Absent => "may be written as if it were absent",
            Self::Duplicates => "is written with items of one name as one",
            Self::Empty => "may have empty items that are not written",
            Self::Lost(Loss::Case) => "is written in one case",
            Self::Lost(Loss::Cut) => "is not written as a whole",
            Self::Lost(Loss::Decoded) => "is written decoded",
            Self::Lost(Loss::Normalised) => "is written normalised",
            Self::Lost(Loss::Spaces) => "is written without some of its spaces",
            Self::Lost(Loss::Spelling) => "is written with different characters as one",
            Self::Readings => "stands in a text that may have two readings",
            Self::Types => "is written without its types",
            Self::Unknown => "is nested too deeply to be followed",
        }
    }
}

struct Walk<'w> {
    message: &'w Message,
    written: &'w Written,
    parts: Vec<Part>,
    lists: Vec<Seen>,
    depth: usize,
}

/// What was seen of a list's items.
struct Seen {
    number: usize,
    names: Option<Told>,
    values: Option<Told>,
}

/// How deep values that are made of others are followed.
const DEEPEST: usize = 64;

impl Walk<'_> {
    /// A text of which every byte is known.
    fn readable(&mut self, text: &Text, told: Told) {
        let once = grammar::clashes(text).is_ok_and(|clashes| clashes.is_empty());
        self.text(text, told.unless((!once).then_some(Doubt::Readings)));
    }

    fn text(&mut self, text: &Text, told: Told) {
        match text {
            Text::Absent | Text::Literal(_) => {}
            // The first is there or not; the others only in its place.
            Text::Choice(parts) => {
                let empty = parts.iter().filter(|part| part.can_be_empty()).count() > 1;
                let told = told.unless(empty.then_some(Doubt::Absent));
                for (index, part) in parts.iter().enumerate() {
                    let own = match (index, self.lacks(part)) {
                        (0, 0) => Told::Always,
                        (0, _) => Told::WhereThere,
                        _ => Told::Sometimes,
                    };
                    self.text(part, told.and(own));
                }
            }
            Text::List(item, _) => {
                // An item without a name and without a value means nothing.
                let nameless = item.can_be_empty() && !self.written.has_name(item);
                let told = told.unless(nameless.then_some(Doubt::Empty));
                match item.as_ref() {
                    // The first stands for what the list had before synthetic items came to it.
                    Text::Choice(items) => items.iter().for_each(|item| self.text(item, told)),
                    item => self.text(item, told),
                }
            }
            Text::NotEmpty(inner) => self.text(inner, told.and(Told::WhereThere)),
            Text::Optional(inner) => self.optional(inner, told),
            Text::Sequence(parts) => parts.iter().for_each(|part| self.text(part, told)),
            Text::Value(owner, _) => self.value(*owner, told),
            // Where the condition does not hold, the message is refused.
            Text::When(inner, _) => self.text(inner, told),
        }
    }

    /// How many parts of it a message may lack.
    fn lacks(&self, text: &Text) -> usize {
        self.written.may_lack(self.message, text)
    }

    /// What decides whether a segment is there is told by that, if it is the only one; the rest only if it is.
    fn optional(&mut self, inner: &Text, told: Told) {
        let count = self.lacks(inner);
        if count == 0 {
            return self.text(inner, told);
        }
        let told = told.unless(self.vanishes(inner).then_some(Doubt::Absent));
        let parts = if let Text::Sequence(parts) = inner { parts.as_slice() } else { std::slice::from_ref(inner) };
        for part in parts {
            match part {
                Text::When(inner, _) => self.text(inner, told.and(Told::Sometimes)),
                part if count == 1 && self.lacks(part) == 1 => self.text(part, told.and(Told::WhereThere)),
                part => self.text(part, told.and(Told::Sometimes)),
            }
        }
    }

    /// Whether its absence reads like its being empty, and means something else.
    fn vanishes(&self, text: &Text) -> bool {
        let alike = match text {
            Text::Value(owner, _) => {
                self.written.is_item(*owner)
                    || matches!(
                        self.written.source(*owner),
                        Some(Source::Field(_) | Source::Header(_) | Source::QueryString)
                    )
            }
            _ => false,
        };
        text.can_be_empty() && !alike
    }

    fn value(&mut self, owner: Owner, told: Told) {
        let Some(origin) = self.written.origin(owner) else { return };
        if self.depth > DEEPEST {
            return;
        }
        self.depth += 1;
        match &origin.made {
            Made::Either(one, other) => {
                let told = told.unless(Some(Doubt::Absent));
                self.text(one, told);
                self.text(other, told);
            }
            Made::Filtered(inner, filter, before) => {
                let loss = self.written.loss(*inner, filter, *before);
                let loss = loss.filter(|_| !self.has_prefix(*inner, filter) && !self.is_restored(*inner, filter));
                self.value(*inner, told.unless(loss.map(Doubt::Lost)));
            }
            Made::List(number) => {
                let told = told.unless(Some(Doubt::Readings));
                self.item(*number, Some(told), Some(told));
            }
            Made::Name(number) => self.item(*number, Some(told), None),
            Made::Same(source, text) => {
                self.part(source, Left::default(), told, origin.span);
                // What it is made of is told where it is there.
                self.readable(text, if told == Told::WhereThere { Told::Sometimes } else { told });
            }
            Made::Source(source) => {
                let types = matches!(source, Source::Json(_)).then_some(Doubt::Types);
                self.part(source, Left::default(), told.unless(types), origin.span);
            }
            Made::Texts(texts, filter) => {
                let constant = texts.iter().all(|text| self.written.is_constant(text));
                let root = if constant { Root::Constant } else { Root::Source(&Source::Body) };
                for text in texts {
                    let before = builder::letters_of(text);
                    let loss = loss::of_filter(filter, root, before, None);
                    self.readable(text, told.unless(loss.map(Doubt::Lost)));
                }
            }
            Made::Unknown => self.part(&Source::Body, Left::default(), Told::Not(Doubt::Unknown), origin.span),
            Made::Value(number) => self.item(*number, None, Some(told)),
        }
        self.depth -= 1;
    }

    /// Whether a prefix that is stripped is there in any case: every name that is left begins with it.
    fn has_prefix(&self, owner: Owner, filter: &Filter) -> bool {
        let Some(Made::Name(number)) = self.written.origin(owner).map(|origin| &origin.made) else { return false };
        let (Filter::StripPrefix(prefix), Some(list)) = (filter, self.written.lists.get(*number)) else {
            return false;
        };
        list.filters.iter().any(|filter| match filter {
            Filter::Only(globs) => globs.iter().all(|glob| glob.as_bytes().starts_with(prefix)),
            _ => false,
        })
    }

    /// Whether a value is refused unless it is what comes out when a filter is applied and undone, so that the filter
    /// loses nothing of what is accepted.
    fn is_restored(&self, owner: Owner, filter: &Filter) -> bool {
        let made = |owner: Owner| self.written.origin(owner).map(|origin| &origin.made);
        let Some(Made::Same(source, Text::Value(same, _))) = made(owner) else { return false };
        let Some(Made::Filtered(inner, back, before)) = made(*same) else { return false };
        // What was encoded is decoded.
        let undone = match (back, filter) {
            (Filter::Convert(Convert::Pct | Convert::PctPath), Filter::Convert(by)) => *by == Convert::Unpct,
            (Filter::Convert(Convert::FormEnc), Filter::Convert(by)) => *by == Convert::FormDec,
            _ => false,
        };
        if undone {
            return true;
        }
        let Some(Made::Filtered(innermost, by, _)) = made(*inner) else { return false };
        by == filter
            && self.written.source(*innermost) == Some(source)
            && self.written.loss(*inner, back, *before).is_none()
    }

    /// Notes what is told of a list's names or values; of several times the best.
    fn item(&mut self, number: usize, names: Option<Told>, values: Option<Told>) {
        let at = self.lists.iter().position(|seen| seen.number == number).unwrap_or_else(|| {
            self.lists.push(Seen { number, names: None, values: None });
            self.lists.len() - 1
        });
        if let Some(seen) = self.lists.get_mut(at) {
            seen.names = names.map(|told| seen.names.map_or(told, |old| old.or(told))).or(seen.names);
            seen.values = values.map(|told| seen.values.map_or(told, |old| old.or(told))).or(seen.values);
        }
    }

    /// What is told of the lists of which items were seen.
    fn all_lists(&mut self) {
        for seen in std::mem::take(&mut self.lists) {
            self.list(&seen);
        }
    }

    /// A list all of whose items were seen.
    fn list(&mut self, seen: &Seen) {
        let Some(Listed { source, filters, span, extra, .. }) = self.written.lists.get(seen.number) else { return };
        let nothing = Told::Not(Doubt::Lost(Loss::Cut));
        // `a` and `a=` are one.
        let values = match seen.values.unwrap_or(nothing) {
            Told::WhereThere => Told::Always,
            told => told,
        };
        let mut told = values.and(seen.names.unwrap_or(nothing));
        let mut left = Left::default();
        let (k, v) = letters::of_list(*source);
        let root = Root::Item(*source);
        for filter in filters {
            let doubt = match filter {
                Filter::Dedupe | Filter::First | Filter::Last => Some(Doubt::Duplicates),
                // RFC 9110, section 5.3: field lines of one name are one list anyway.
                Filter::Fold(_) => (*source != ListSource::Headers).then_some(Doubt::Duplicates),
                // An empty field line counts as none.
                Filter::DropEmpty => (*source != ListSource::Headers).then_some(Doubt::Empty),
                Filter::Listed(..) => {
                    left.picked = true;
                    None
                }
                Filter::Pick(_, rule) => {
                    left.picked = true;
                    (*rule == IfAbsent::Empty && *source != ListSource::Headers).then_some(Doubt::Absent)
                }
                Filter::Only(globs) => {
                    left.only = Some(globs.clone());
                    None
                }
                Filter::Without(globs) => {
                    left.without.extend(globs.iter().cloned());
                    None
                }
                // Names of field lines have no case, but values do.
                Filter::Convert(Convert::Lower | Convert::Upper) if *source == ListSource::Headers => {
                    Some(Doubt::Lost(Loss::Case))
                }
                Filter::LowerNames => loss::of_filter(filter, root, k, None).map(Doubt::Lost),
                Filter::Convert(_) => loss::of_filter(filter, root, v, None).map(Doubt::Lost),
                _ => None,
            };
            told = told.unless(doubt);
        }
        for text in extra {
            // An item whose value is absent is not there either.
            let always = !left.picked && self.lacks(text) == 0;
            self.readable(text, told.and(if always { Told::Always } else { Told::WhereThere }));
        }
        told = told.unless(
            matches!(source, ListSource::Json | ListSource::QueryJson | ListSource::QueryRawJson)
                .then_some(Doubt::Types),
        );
        self.part(&Source::List(*source), left, told, *span);
    }

    /// Notes what is told of a part; of several times the best.
    fn part(&mut self, source: &Source, left: Left, told: Told, span: Span) {
        // What the deployment fixes, and the request that is answered, are the same in both messages.
        if is_constant(source) || matches!(source, Source::Request(_)) {
            return;
        }
        match self.parts.iter_mut().find(|part| part.source == *source && part.left == left) {
            Some(part) if told.rank() < part.told.rank() => (part.told, part.span) = (told, span),
            Some(_) => {}
            None => self.parts.push(Part { source: source.clone(), left, told, span }),
        }
    }
}

/// Whether whoever knows one part knows another.
fn holds(part: &Part, other: &Source, cover: &Cover) -> bool {
    use ListSource::{
        Form, FormRaw, Json, Params, Query, QueryForm, QueryJson, QueryPct, QueryRaw, QueryRawJson, Xml,
    };
    let has = |name: &str| {
        let among = |globs: &[String]| globs.iter().any(|glob| canon::glob(glob.as_bytes(), name.as_bytes()));
        !part.left.picked && part.left.only.as_deref().is_none_or(among) && !among(&part.left.without)
    };
    match (&part.source, other) {
        (Source::Path, Source::Path)
        | (Source::Url, Source::Scheme | Source::Target)
        | (Source::Url | Source::Host, Source::Host | Source::Hostname | Source::Port)
        | (Source::Url | Source::Target, Source::Path | Source::QueryString)
        | (
            Source::Url | Source::Target | Source::QueryString,
            Source::Query(_) | Source::List(Query | QueryPct | QueryRaw),
        )
        | (
            Source::Body,
            Source::Body
            | Source::Form(_)
            | Source::Json(_)
            | Source::Part(_)
            | Source::Xml(_)
            | Source::List(Form | FormRaw | Json | Xml),
        ) => true,
        (
            Source::List(Params | Query | QueryForm | QueryJson | QueryPct | QueryRaw | QueryRawJson),
            Source::Query(name),
        )
        | (Source::List(Form | FormRaw | Params), Source::Form(name))
        | (Source::List(Xml), Source::Xml(name)) => has(name),
        (Source::List(ListSource::Headers), Source::Header(name)) => cover.header(name),
        (Source::Header(name), Source::Host | Source::Hostname | Source::Port) => name == "host",
        (Source::Header(name), Source::Header(other))
        | (Source::Query(name), Source::Query(other))
        | (Source::Form(name), Source::Form(other)) => name == other,
        _ => false,
    }
}
