//! What a template draws on, directly and through the lets it names.

use super::model::{Bound, FieldId, Filter, Listing, Message, Part, Source, Template};

/// What a template draws on.
#[derive(Debug, Default, Clone)]
pub struct References {
    /// Captures.
    pub fields: Vec<FieldId>,
    /// Whether the secret goes in.
    pub secret: bool,
    /// Every source, in the order met; those of lets included.
    pub sources: Vec<Source>,
}

impl References {
    /// What `text` draws on.
    #[must_use]
    pub fn of(message: &Message, text: &Template) -> Self {
        let mut references = Self::default();
        references.template(message, text, 0);
        references
    }

    /// The captures that stand in a carrier's template.
    pub(crate) fn captures(text: &Template, ids: &mut Vec<FieldId>) {
        Self::each_capture(text, &mut |id| ids.push(id));
    }

    /// Calls `each` with the captures that stand in a carrier's template, in their order.
    pub(crate) fn each_capture(text: &Template, each: &mut dyn FnMut(FieldId)) {
        for part in &text.parts {
            match part {
                Part::Literal(_) => {}
                Part::Optional(inner) => Self::each_capture(inner, each),
                Part::Value(value) => {
                    if let Source::Field(id) = value.source {
                        each(id);
                    }
                }
            }
        }
    }

    /// Whether a capture of a carrier's template is one of those.
    pub(crate) fn any_capture(text: &Template, is: impl Fn(FieldId) -> bool) -> bool {
        let mut any = false;
        Self::each_capture(text, &mut |id| any |= is(id));
        any
    }

    fn template(&mut self, message: &Message, text: &Template, depth: usize) {
        // Lets are ordered when they are checked, so this only bounds what cannot happen.
        if depth > 64 {
            return;
        }
        let deeper = depth.saturating_add(1);
        for part in &text.parts {
            match part {
                Part::Literal(_) => {}
                Part::Optional(inner) => self.template(message, inner, deeper),
                Part::Value(value) => {
                    self.source(message, &value.source, deeper);
                    for filter in &value.filters {
                        self.filter(message, filter, deeper);
                    }
                }
            }
        }
    }

    fn source(&mut self, message: &Message, source: &Source, depth: usize) {
        // A let is looked into once: lets that name each other twice would double the work with each step.
        if matches!(source, Source::Let(_)) && self.sources.contains(source) {
            return;
        }
        match source {
            Source::Field(id) if !self.fields.contains(id) => {
                self.fields.push(*id);
            }
            Source::Let(id) => {
                if let Some(entry) = message.lets.get(*id) {
                    self.template(message, &entry.text, depth);
                }
            }
            Source::Quoted(inner) => self.template(message, inner, depth),
            Source::Secret => self.secret = true,
            _ => {}
        }
        if !self.sources.contains(source) {
            self.sources.push(source.clone());
        }
    }

    fn filter(&mut self, message: &Message, filter: &Filter, depth: usize) {
        filter.each_template(&mut |text| self.template(message, text, depth));
        match filter {
            Filter::Listed(id, _) | Filter::Pick(Listing::Field(id), _) => {
                self.source(message, &Source::Field(*id), depth);
            }
            Filter::Pick(Listing::Var(id), _) | Filter::Slice(_, Bound::Var(id)) => {
                self.source(message, &Source::Var(*id), depth);
            }
            _ => {}
        }
    }
}
