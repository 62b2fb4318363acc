//! Whether a scheme is for a message at all: what it is meant for, and no method that could be taken for two.

use crate::canon;
use crate::plan::source::split_target;
use crate::reject::{Reason, Rejection, Subject};
use crate::request::RequestView;
use crate::scheme::draft::Place;
use crate::scheme::model::{Convert, Filter, Let, Message, Part, Replay, Source, Template};
use crate::scheme::{Scheme, Span, When};

/// What a scheme asks of a request before it looks at its credentials.
#[derive(Debug, Clone)]
pub(crate) struct Meant {
    when: Option<When>,
    /// Where the method is signed in one case, and decides whether a message is remembered: `head`, which nobody knows,
    /// would be signed like `HEAD`, which is safe, and be another message.
    upper: Option<Span>,
}

impl Meant {
    pub(crate) fn of(scheme: &Scheme) -> Self {
        let by_method = scheme.fresh.replay == Replay::UnsafeMethods;
        let when = scheme.when.clone().filter(|when| !implied(when, &scheme.request));
        Self { when, upper: by_method.then(|| folded(&scheme.request)).flatten() }
    }

    pub(crate) fn judge(&self, view: &RequestView<'_>) -> Result<(), Rejection> {
        if view.status.is_some() {
            return Ok(());
        }
        if let Some(span) = self.upper
            && view.method.bytes().any(|byte| byte.is_ascii_lowercase())
        {
            let subject = Subject::Required("the case of the method".to_owned());
            return Err(Rejection::new(Reason::CoverageTooThin, Some(span), subject));
        }
        match &self.when {
            Some(when) if !when.is_met(view) => {
                let subject = match when {
                    When::Header(name) => Subject::Header(name.clone()),
                    When::Query(name) => Subject::Parameter(name.clone()),
                };
                Err(Rejection::new(Reason::FieldMissing, None, subject))
            }
            _ => Ok(()),
        }
    }
}

impl When {
    /// Whether a message has this, once or more often.
    pub(crate) fn is_met(&self, view: &RequestView<'_>) -> bool {
        let mut there = false;
        match self {
            // The authority stands for a Host that is carried elsewhere.
            Self::Header(name) if name == "host" && !view.authority.is_empty() => there = true,
            Self::Header(name) => view.fields.values(name, &mut |_| there = true),
            Self::Query(name) => {
                let mut decoded = Vec::new();
                there = canon::query_pairs(split_target(view.target).1.unwrap_or_default()).any(|(key, _)| {
                    decoded.clear();
                    // A name that cannot be decoded is no name.
                    canon::form_decode(key, &mut decoded).is_ok() && decoded == name.as_bytes()
                });
            }
        }
        there
    }
}

/// Whether a message that has the credentials has this as well.
fn implied(when: &When, request: &Message) -> bool {
    request.carriers.iter().filter(|carrier| !carrier.optional).any(|carrier| match when {
        When::Header(name) => carrier.place == Place::Header && carrier.name == *name,
        When::Query(name) => carrier.place == Place::Query && carrier.name == *name,
    })
}

/// Where a message's base puts the method into one case.
fn folded(message: &Message) -> Option<Span> {
    let tries = message.tries.iter().map(|alternative| (alternative.lets.as_slice(), &alternative.base));
    tries.chain([(message.lets.as_slice(), &message.base)]).find_map(|(lets, base)| within(lets, base, false))
}

fn within(lets: &[Let], text: &Template, folds: bool) -> Option<Span> {
    text.parts.iter().find_map(|part| match part {
        Part::Literal(_) => None,
        Part::Optional(inner) => within(lets, inner, folds),
        Part::Value(value) => {
            let folding = |filter: &Filter| matches!(filter, Filter::Convert(Convert::Lower | Convert::Upper));
            let folds = folds || value.filters.iter().any(folding);
            let source = match &value.source {
                Source::Method if folds => Some(value.span),
                // Lets name only those before them.
                Source::Let(id) => lets.get(*id).and_then(|entry| within(lets, &entry.text, folds)),
                Source::Quoted(inner) => within(lets, inner, folds),
                _ => None,
            };
            source.or_else(|| {
                value.filters.iter().find_map(|filter| match filter {
                    Filter::Each(inner) | Filter::Or(inner) | Filter::With { value: inner, .. } => {
                        within(lets, inner, folds)
                    }
                    _ => None,
                })
            })
        }
    })
}
