//! Entries that name captures and parts: `[require]`, `include` and `in`.

use super::check::{Checker, words};
use super::draft::{self, At, Place};
use super::model::{FieldType, Require};
use super::vocabulary::PARTS;

impl Checker<'_> {
    /// `[require]`: names to list, captures to be there, parts to cover.
    pub(super) fn requires(&mut self) -> (Vec<Require>, Vec<usize>, Vec<At<String>>) {
        let mut requires = Vec::new();
        let mut fields = Vec::new();
        let mut parts = Vec::new();
        for require in &self.draft.requires {
            if require.name.value == "fields" {
                fields.extend(self.captures(&require.names));
                continue;
            }
            if require.name.value == "covered" {
                for part in words(&require.names.value) {
                    if PARTS.contains(&part) || self.fields.iter().any(|field| field.name == part) {
                        parts.push(At { value: part.to_owned(), span: require.names.span });
                    } else {
                        self.fault(
                            require.names.span,
                            format!("`{part}` is neither a part of a message nor captured"),
                            format!("parts are {}", PARTS.join(", ")),
                        );
                    }
                }
                continue;
            }
            let found = self.fields.iter().position(|field| field.name == require.name.value);
            match found.filter(|id| self.fields.get(*id).is_some_and(|field| field.kind.names().is_some())) {
                Some(field) => requires.push(Require {
                    field,
                    names: words(&require.names.value).map(str::to_ascii_lowercase).collect(),
                    span: require.name.span,
                }),
                None => self.fault(
                    require.name.span,
                    format!("no carrier captures `{{{}:names}}`", require.name.value),
                    "[require] takes a capture of type `names`, `fields` or `covered`".to_owned(),
                ),
            }
        }
        (requires, fields, parts)
    }

    /// `[sign] include`
    pub(super) fn include(&mut self, sign: &draft::SignDraft) -> Vec<usize> {
        let ids = sign.include.as_ref().map(|names| self.captures(names)).unwrap_or_default();
        if let (Some(names), true) =
            (&sign.include, ids.iter().any(|id| self.fields.get(*id).is_some_and(|field| field.definition.is_none())))
        {
            self.fault(names.span, "what is included has to be defined in [let]", None);
        }
        ids
    }

    /// The captures that are named.
    fn captures(&mut self, names: &At<String>) -> Vec<usize> {
        let mut ids = Vec::new();
        for name in words(&names.value) {
            match self.fields.iter().position(|field| field.name == name) {
                Some(id) => ids.push(id),
                None => self.fault(names.span, format!("no carrier captures `{name}`"), None),
            }
        }
        ids
    }

    /// The capture that encodes a JSON object.
    pub(super) fn within(&mut self, place: Place, name: &At<String>) -> Option<usize> {
        let id = self.fields.iter().position(|field| field.name == name.value);
        let encoded = |id: &usize| {
            self.fields.get(*id).is_some_and(|field| matches!(field.kind, FieldType::B64 | FieldType::B64Url))
        };
        let found = id.filter(encoded).filter(|_| place == Place::Json);
        if found.is_none() {
            self.fault(
                name.span,
                format!("no JSON object can be read in `{}`", name.value),
                "`in` stands in [json], and names a capture of type b64 or b64url".to_owned(),
            );
        }
        found
    }
}
