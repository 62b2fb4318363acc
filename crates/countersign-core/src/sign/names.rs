//! What is listed as signed, where the sender chooses: the names of `cover` that the message has.

use super::{Draft, SignError, Signing, carries, fits};
use crate::canon;
use crate::plan::carrier::Captures;
use crate::plan::run::Scratch;
use crate::request::Fields as _;
use crate::scheme::draft::Place;
use crate::scheme::model::{Filter, Message, Part, Source, Template, Value};

impl Signing<'_> {
    /// Sets the capture that lists what is signed.
    pub(super) fn list_names(&self, draft: &Draft, scratch: &mut Scratch) -> Result<(), SignError> {
        for (id, field) in self.message.fields.iter().enumerate() {
            let Some(separator) = field.kind.names() else { continue };
            // The names of trailers are not those of what is signed.
            let announces = self.message.chunks.as_ref().is_some_and(|chunks| chunks.trailers == Some(id));
            if announces || scratch.captures.get(id).is_some() || self.message.cover.is_empty() {
                continue;
            }
            let mut known: Vec<String> = synthetic(self.message, &scratch.captures);
            draft.fields.all(&mut |name, _| known.push(name.to_ascii_lowercase()));
            if !self.view.authority.is_empty() {
                known.push("host".to_owned());
            }
            // The field that carries the list is not there yet, and is listed only by its own name.
            let own = self.message.carriers.iter().find(|carrier| carries(carrier, id));
            let own = own.filter(|own| own.place == Place::Header && !carries(own, self.message.signature_field));
            known.extend(own.map(|own| own.name.clone()).filter(|own| self.message.cover.contains(own)));
            known.sort_unstable();
            known.dedup();
            let refused = |name: &str| {
                let mut exceptions = self.message.cover.iter().filter_map(|pattern| pattern.strip_prefix('!'));
                exceptions.any(|pattern| canon::glob(pattern.as_bytes(), name.as_bytes()))
            };
            let mut listed: Vec<&str> = Vec::new();
            let wildcard =
                self.message.cover.iter().any(|pattern| pattern.contains('*') && !pattern.starts_with('!'));
            for pattern in self.message.cover.iter().filter(|pattern| !pattern.starts_with('!')) {
                for name in &known {
                    let matches = canon::glob(pattern.as_bytes(), name.as_bytes());
                    let explicit = !pattern.contains('*') || !name.starts_with('@');
                    if matches && explicit && !refused(name) && !listed.contains(&name.as_str()) {
                        listed.push(name);
                    }
                }
            }
            if wildcard {
                listed.sort_unstable();
            }
            let value = listed.join(&char::from(separator).to_string());
            if !fits(self.message, id, value.as_bytes()) {
                return Err(SignError::ValueUnfit { name: field.name.clone() });
            }
            scratch.captures.set(id, value.as_bytes());
        }
        Ok(())
    }
}

/// The names of synthetic items that may be listed: not of those whose value is a capture that is not there.
fn synthetic(message: &Message, captures: &Captures) -> Vec<String> {
    let lacks = |text: &Template| {
        text.parts.iter().any(|part| match part {
            Part::Value(Value { source: Source::Field(id), .. }) => captures.get(*id).is_none(),
            Part::Literal(_) | Part::Optional(_) | Part::Value(_) => false,
        })
    };
    let mut found = Vec::new();
    let mut texts = vec![&message.base];
    texts.extend(message.lets.iter().map(|entry| &entry.text));
    for text in texts {
        for part in &text.parts {
            let Part::Value(value) = part else { continue };
            if !matches!(value.source, Source::List(_)) {
                continue;
            }
            for filter in &value.filters {
                match filter {
                    Filter::With { name, value, .. } if !lacks(value) => found.push(name.clone()),
                    _ => {}
                }
            }
        }
    }
    found
}
