//! What the scheme alone decides: that a capture is covered whatever the message holds.
//!
//! It is so only where that is plain: the capture's field line is among those that the base lists, or the capture is in
//! an entry of `[let]` that is always there. Everything else is left to the walk over the message at hand, which never
//! says less than this.

use super::walk::shows;
use crate::canon::glob;
use crate::scheme::References;
use crate::scheme::draft::Place;
use crate::scheme::model::{
    Carrier, Convert, FieldId, Filter, Let, ListSource, Listing, Message, Part, Source, Template, Value,
};

/// Whether each alternative's base certainly draws on a capture, or on the field line that carries it.
pub(crate) fn covers(message: &Message, id: FieldId) -> bool {
    let whole = message.tries.is_empty().then_some((message.lets.as_slice(), &message.base));
    let tried = message.tries.iter().map(|tried| (tried.lets.as_slice(), &tried.base));
    tried.chain(whole).all(|(lets, base)| {
        let required = message.fields.get(id).is_some_and(|field| !field.optional);
        let line = message.carriers.iter().find(|carrier| {
            carrier.place == Place::Header
                && carrier.name != "host"
                && carrier.within.is_none()
                && !carrier.optional
                && References::any_capture(&carrier.text, |other| other == id)
        });
        required && Certain { message, lets, id, line }.draws(base, 0)
    })
}

/// Entries of `[let]` within entries that are looked into.
const DEEPEST: usize = 8;

struct Certain<'m> {
    message: &'m Message,
    lets: &'m [Let],
    id: FieldId,
    /// The field line that carries the capture.
    line: Option<&'m Carrier>,
}

impl Certain<'_> {
    /// Whether a template that is always there draws on the capture.
    fn draws(&self, text: &Template, depth: usize) -> bool {
        depth < DEEPEST
            && text.parts.iter().any(|part| matches!(part, Part::Value(value) if self.value(value, depth)))
    }

    fn value(&self, value: &Value, depth: usize) -> bool {
        if !value.filters.iter().all(keeps) {
            return false;
        }
        let deeper = depth.saturating_add(1);
        match &value.source {
            Source::Field(id) => *id == self.id,
            Source::Let(id) => self
                .lets
                .get(*id)
                .is_some_and(|entry| self.is_there(&entry.text, deeper) && self.draws(&entry.text, deeper)),
            Source::List(ListSource::Headers) => self.line.is_some_and(|line| self.lists(line, &value.filters)),
            Source::Quoted(inner) => self.draws(inner, deeper),
            _ => false,
        }
    }

    /// Whether a list of field lines shows this one, whole and under its name.
    fn lists(&self, line: &Carrier, filters: &[Filter]) -> bool {
        let among = |globs: &[String]| globs.iter().any(|pattern| glob(pattern.as_bytes(), line.name.as_bytes()));
        let signature = References::any_capture(&line.text, |id| id == self.message.signature_field);
        !signature
            && filters.iter().all(|filter| match filter {
                Filter::Each(text) => shows(text, &Source::K) && shows(text, &Source::V),
                Filter::Listed(id, _) | Filter::Pick(Listing::Field(id), _) => self.must_list(*id, line),
                Filter::Only(globs) => among(globs),
                Filter::Without(globs) => !among(globs),
                _ => true,
            })
    }

    /// Whether a message that does not list this field line, which it has, is refused.
    fn must_list(&self, listing: FieldId, line: &Carrier) -> bool {
        let fits = |pattern: &str| glob(pattern.as_bytes(), line.name.as_bytes());
        self.message.requires.iter().filter(|require| require.field == listing).any(|require| {
            let excepted = require.names.iter().filter_map(|name| name.strip_prefix('!')).any(fits);
            let named = require.names.iter().any(|name| !name.starts_with('!') && !name.contains('*') && fits(name));
            let matched = require.names.iter().any(|name| !name.starts_with('!') && fits(name));
            named || (matched && !excepted)
        })
    }

    /// Whether nothing that a template needs can be absent.
    fn is_there(&self, text: &Template, depth: usize) -> bool {
        depth < DEEPEST
            && text.parts.iter().all(|part| match part {
                Part::Literal(_) | Part::Optional(_) => true,
                Part::Value(value) => value.filters.iter().all(keeps) && self.has(&value.source, depth),
            })
    }

    fn has(&self, source: &Source, depth: usize) -> bool {
        let deeper = depth.saturating_add(1);
        match source {
            Source::Body | Source::List(_) | Source::Method | Source::Path | Source::Scheme | Source::Target => true,
            Source::Field(id) => self.message.fields.get(*id).is_some_and(|field| !field.optional),
            Source::Let(id) => self.lets.get(*id).is_some_and(|entry| self.is_there(&entry.text, deeper)),
            Source::Quoted(inner) => self.is_there(inner, deeper),
            _ => false,
        }
    }
}

/// Whether a filter leaves everything in and makes nothing absent; which items of a list it leaves out is asked apart.
fn keeps(filter: &Filter) -> bool {
    match filter {
        Filter::Convert(convert) => !matches!(convert, Convert::Crc32 | Convert::Len),
        Filter::Each(text) => text.parts.iter().all(|part| match part {
            Part::Literal(_) => true,
            Part::Optional(_) => false,
            Part::Value(value) => {
                matches!(value.source, Source::K | Source::V)
                    && value.filters.iter().all(|filter| matches!(filter, Filter::Convert(_)) && keeps(filter))
            }
        }),
        Filter::Fold(_)
        | Filter::Hash(_)
        | Filter::Join(_)
        | Filter::Listed(..)
        | Filter::LowerNames
        | Filter::Only(_)
        | Filter::Pick(Listing::Field(_), _)
        | Filter::Sort
        | Filter::SortCollated
        | Filter::SortItems
        | Filter::SortKv
        | Filter::Without(_) => true,
        _ => false,
    }
}
