//! Pairs that differ in what a filter loses.

use super::draft::{Body, Draft, Pair, Place, Slot};
use super::engine::Engine;
use super::shifts::of_source;
use super::{Collision, Shown};
use crate::lint::coverage::is_body;
use crate::lint::draws::{self, Drawn};
use countersign_core::scheme::model::{
    Convert, Filter, IfAbsent, ListSource, Listing, Message, Part, Primitive, Source, Template,
};

/// Drafts that should have one signature.
type Pairs = Vec<(Draft, Draft)>;

/// The pairs for each filter that loses something.
pub(super) fn shown(engine: &Engine<'_>, draft: &Draft, message: &Message) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let key = match &message.signature.primitive {
        Primitive::Derived(_, key) | Primitive::Mac(_, key) => Some(key),
        _ => None,
    };
    let signed = std::iter::once(&message.base).chain(key).flat_map(|text| draws::drawn(message, text));
    for drawn in signed.filter(|drawn| drawn.standing.is_written()) {
        for draft in under(draft, message, &drawn) {
            for (index, filter) in drawn.before_digest().enumerate() {
                let Some((rule, pairs)) = recipe(engine, &draft, message, &drawn, index, filter) else { continue };
                if shown.iter().any(|known| known.rule == rule && known.span == drawn.span) {
                    continue;
                }
                let found: Option<Collision> = pairs.iter().find_map(|(one, other)| engine.collides(one, other));
                shown.extend(found.map(|collision| Shown { rule, span: drawn.span, collision }));
            }
        }
        if *drawn.source == Source::List(ListSource::QueryForm) {
            let rule = "body-partly-covered";
            let found =
                by_condition(engine, draft).into_iter().find_map(|(one, other)| engine.collides(&one, &other));
            shown.extend(found.map(|collision| Shown { rule, span: drawn.span, collision }));
        }
        if let Source::Json(_) | Source::List(ListSource::Json) = drawn.source {
            let rule = "canonicalisation-lossy";
            let found = types(draft).into_iter().find_map(|(one, other)| engine.collides(&one, &other));
            shown.extend(found.map(|collision| Shown { rule, span: drawn.span, collision }));
        }
    }
    shown
}

/// The draft, and the same under the conditions that a value depends on.
fn under(draft: &Draft, message: &Message, drawn: &Drawn<'_>) -> Vec<Draft> {
    let mut drafts = vec![draft.clone()];
    for filter in &drawn.filters {
        let Filter::When(subject, values, _) = filter else { continue };
        let slots = draws::drawn(message, subject).into_iter().filter_map(|on| of_source(draft, message, on.source));
        let slots: Vec<Slot> = slots.filter(|slot| matches!(slot, Slot::Header(_) | Slot::Method)).collect();
        for (slot, value) in slots.iter().flat_map(|slot| values.iter().map(move |value| (slot, value))) {
            drafts.extend(draft.with(slot, value));
        }
    }
    drafts
}

/// What a filter is suspected of, and drafts that show it.
fn recipe(
    engine: &Engine<'_>,
    draft: &Draft,
    message: &Message,
    drawn: &Drawn<'_>,
    index: usize,
    filter: &Filter,
) -> Option<(&'static str, Pairs)> {
    let list = if let Source::List(list) = drawn.source { Some(*list) } else { None };
    let place = list.and_then(|list| draft.place(list));
    let is_path = matches!(drawn.source, Source::Path | Source::Target | Source::Url);
    let lossy = if is_path { "path-normalised" } else { "canonicalisation-lossy" };
    Some(match filter {
        Filter::DropEmpty => ("empty-dropped", added(draft, place?, Pair::new("admin", ""))),
        Filter::Dedupe => {
            let item = draft.items(place?).first()?.clone();
            ("duplicates-merged", added(draft, place?, item))
        }
        Filter::First => {
            let item = draft.items(place?).first()?;
            ("duplicates-merged", added(draft, place?, Pair::new(item.k.clone(), "1000")))
        }
        Filter::Last => {
            let item = Pair::new(draft.items(place?).first()?.k.clone(), "1000");
            ("duplicates-merged", inserted(draft, place?, item))
        }
        Filter::Fold(separator) => ("duplicates-merged", folded(draft, place?, separator)),
        Filter::LowerNames => ("canonicalisation-lossy", names_in_case(draft, place?)),
        Filter::Convert(Convert::Lower | Convert::Upper) => (lossy, in_case(draft, message, drawn, place)),
        Filter::Convert(Convert::Squeeze | Convert::Trim) => {
            (lossy, each_slot(draft, message, drawn, place, |text| [text.to_vec(), [text, b" "].concat()]))
        }
        Filter::Convert(Convert::Unpct | Convert::FormDec) => {
            (lossy, each_slot(draft, message, drawn, place, |text| [[text, b"%41"].concat(), [text, b"A"].concat()]))
        }
        Filter::Convert(Convert::Dots) => (
            "path-normalised",
            each_slot(draft, message, drawn, place, |path| [path.to_vec(), [b"/x/..", path].concat()]),
        ),
        Filter::Convert(Convert::SlashEnd) => (
            "path-normalised",
            each_slot(draft, message, drawn, place, |path| [path.to_vec(), [path, b"/"].concat()]),
        ),
        Filter::Slice(from, to) => (piece_rule(drawn), sliced(draft, message, drawn, *from, engine.bound(*to)?)),
        Filter::Before(end) => (
            piece_rule(drawn),
            each_slot(draft, message, drawn, place, |text| [[text, end, b"1"].concat(), [text, end, b"2"].concat()]),
        ),
        Filter::After(begin) => (
            piece_rule(drawn),
            each_slot(draft, message, drawn, place, |text| {
                [[b"1", begin.as_slice(), text].concat(), [b"2", begin.as_slice(), text].concat()]
            }),
        ),
        Filter::StripPrefix(prefix) => (
            piece_rule(drawn),
            each_slot(draft, message, drawn, place, |text| [text.to_vec(), [prefix, text].concat()]),
        ),
        Filter::When(..) if is_body(drawn.source) => ("body-partly-covered", by_condition(engine, draft)),
        Filter::Or(other) => ("absent-field-accepted", stood_in(draft, message, drawn, other)),
        Filter::Only(_) | Filter::Without(_) => {
            let rule = if place == Some(Place::Query) { "query-partly-covered" } else { return None };
            let name = match filter {
                Filter::Without(globs) => globs.iter().map(|glob| glob.replace('*', "admin")).next()?,
                _ => "admin".to_owned(),
            };
            (rule, added(draft, place?, Pair::new(name, "1")))
        }
        Filter::Pick(_, IfAbsent::Empty) => {
            ("absent-field-accepted", listed_empty(engine, draft, message, drawn, index)?)
        }
        _ => return None,
    })
}

/// The rule that a piece breaks, by what it is a piece of.
fn piece_rule(drawn: &Drawn<'_>) -> &'static str {
    match drawn.source {
        source if is_body(source) => "body-partly-covered",
        Source::Path | Source::Target | Source::Url => "path-normalised",
        _ => "value-partly-covered",
    }
}

fn added(draft: &Draft, place: Place, item: Pair) -> Pairs {
    let mut other = draft.clone();
    if let Some(items) = other.items_mut(place) {
        items.push(item);
    }
    vec![(draft.clone(), other)]
}

fn inserted(draft: &Draft, place: Place, item: Pair) -> Pairs {
    let mut other = draft.clone();
    if let Some(items) = other.items_mut(place) {
        items.insert(0, item);
    }
    vec![(draft.clone(), other)]
}

/// Two items of one name, and one that holds both values.
fn folded(draft: &Draft, place: Place, separator: &[u8]) -> Pairs {
    let (mut one, mut other) = (draft.clone(), draft.clone());
    let (Some(two), Some(single)) = (one.items_mut(place), other.items_mut(place)) else { return Vec::new() };
    two.extend([Pair::new("tag", "1"), Pair::new("tag", "2")]);
    single.push(Pair::new("tag", [b"1", separator, b"2"].concat()));
    vec![(one, other)]
}

fn names_in_case(draft: &Draft, place: Place) -> Pairs {
    let mut other = draft.clone();
    for item in other.items_mut(place).into_iter().flatten() {
        item.k.make_ascii_uppercase();
    }
    vec![(draft.clone(), other)]
}

fn in_case(draft: &Draft, message: &Message, drawn: &Drawn<'_>, place: Option<Place>) -> Pairs {
    each_slot(draft, message, drawn, place, |text| {
        let word: &[u8] = if text.iter().any(u8::is_ascii_alphabetic) { text } else { b"no" };
        [word.to_ascii_lowercase(), word.to_ascii_uppercase()]
    })
}

/// Two texts in each slot that a value is made of.
fn each_slot(
    draft: &Draft,
    message: &Message,
    drawn: &Drawn<'_>,
    place: Option<Place>,
    texts: impl Fn(&[u8]) -> [Vec<u8>; 2],
) -> Pairs {
    let slots: Vec<Slot> = match (drawn.source, place) {
        (Source::List(ListSource::Headers), _) => {
            draft.fields.iter().map(|(name, _)| Slot::Header(name.to_ascii_lowercase())).collect()
        }
        (Source::List(_), Some(place)) => (0..draft.items(place).len()).map(|at| Slot::Value(place, at)).collect(),
        (Source::Target | Source::Url, _) => vec![Slot::Path],
        (source, _) => of_source(draft, message, source).into_iter().collect(),
    };
    let pair = |slot: &Slot| {
        let [one, other] = texts(&draft.text(slot).unwrap_or_else(|| b"acme".to_vec()));
        Some((draft.with(slot, &one)?, draft.with(slot, &other)?))
    };
    slots.iter().filter_map(pair).collect()
}

/// The longest body that is made to show that its end is not signed.
const LONGEST: usize = 1 << 20;

/// Two texts that differ outside the slice.
fn sliced(draft: &Draft, message: &Message, drawn: &Drawn<'_>, from: usize, to: usize) -> Pairs {
    if to > LONGEST {
        return Vec::new();
    }
    let mut pairs = each_slot(draft, message, drawn, None, |text| {
        let mut long = text.to_vec();
        long.resize(to.max(text.len()), b'0');
        [[&long, b"1".as_slice()].concat(), [&long, b"2".as_slice()].concat()]
    });
    if from > 0 {
        pairs.extend(each_slot(draft, message, drawn, None, |text| {
            let mut other = text.to_vec();
            if let Some(first) = other.first_mut() {
                *first = if *first == b'0' { b'1' } else { b'0' };
            }
            [text.to_vec(), other]
        }));
    }
    pairs
}

/// Two bodies, under each method and with each media type.
fn by_condition(engine: &Engine<'_>, draft: &Draft) -> Pairs {
    let bodies = [b"{\"item\":7}".to_vec(), b"{\"item\":1000}".to_vec()];
    let mut pairs = Vec::new();
    for media_type in
        ["application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"]
    {
        for method in ["POST", "PUT", "PATCH", "DELETE", "GET"] {
            let [one, other] = bodies.clone().map(|body| {
                let mut draft = Draft { method: method.to_owned(), body: Body::Text(body), ..draft.clone() };
                draft.fields.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                draft.fields.insert(0, ("Content-Type".to_owned(), media_type.as_bytes().to_vec()));
                draft
            });
            if matches!(engine.sign(&one), Some(Ok(_))) {
                pairs.push((one, other));
            }
        }
    }
    pairs
}

/// Something absent, and the same with the value that stands in for it.
fn stood_in(draft: &Draft, message: &Message, drawn: &Drawn<'_>, other: &Template) -> Pairs {
    let slot = match drawn.source {
        Source::Query(name) => return stood_in_item(draft, Place::Query, name, &fixed(other).unwrap_or_default()),
        Source::Form(name) | Source::Xml(name) | Source::Json(name) => {
            return stood_in_item(draft, Place::Body, name, &fixed(other).unwrap_or_default());
        }
        source => of_source(draft, message, source),
    };
    let Some(slot) = slot else { return Vec::new() };
    let stand_in = fixed(other).or_else(|| {
        let sources = draws::drawn(message, other);
        sources.first().and_then(|drawn| draft.text(&of_source(draft, message, drawn.source)?))
    });
    let absent = draft.without(&slot).unwrap_or_else(|| draft.clone());
    let there = stand_in.and_then(|text| draft.with(&slot, &text));
    there.map(|there| (absent, there)).into_iter().collect()
}

fn stood_in_item(draft: &Draft, place: Place, name: &str, value: &[u8]) -> Pairs {
    let (mut absent, mut there) = (draft.clone(), draft.clone());
    let (Some(without), Some(with)) = (absent.items_mut(place), there.items_mut(place)) else { return Vec::new() };
    without.retain(|item| item.k != name.as_bytes());
    with.retain(|item| item.k != name.as_bytes());
    with.push(Pair::new(name, value));
    vec![(absent, there)]
}

fn fixed(text: &Template) -> Option<Vec<u8>> {
    let literal = |part: &Part| if let Part::Literal(text) = part { Some(text.clone()) } else { None };
    text.parts.iter().map(literal).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
}

/// A field line that is listed and absent, and the same listed and empty.
fn listed_empty(
    engine: &Engine<'_>,
    draft: &Draft,
    message: &Message,
    drawn: &Drawn<'_>,
    index: usize,
) -> Option<Pairs> {
    let Filter::Pick(Listing::Field(id), _) = drawn.filters.get(index)? else { return None };
    let field = message.fields.get(*id)?;
    let separator = field.kind.names()?;
    let read = engine.read(&engine.sign(draft)?.ok()?)?;
    let (_, listed) = read.fields.into_iter().find(|(name, _)| *name == field.name)?;
    let names = [listed.as_slice(), &[separator], b"x-note"].concat();
    let mut absent = draft.clone();
    absent.give(&field.name, std::str::from_utf8(&names).ok()?);
    let mut there = absent.clone();
    there.fields.push(("X-Note".to_owned(), Vec::new()));
    Some(vec![(absent, there)])
}

/// A member as a number, and as the text of one.
fn types(draft: &Draft) -> Pairs {
    let mut other = draft.clone();
    if let Body::Json(items) = &mut other.body {
        for item in items.iter_mut().take(1) {
            item.bare = true;
        }
    }
    vec![(draft.clone(), other)]
}
