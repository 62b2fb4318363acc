//! The schemes that routes name: found, read and checked with the configuration, so that whatever is wrong with any
//! of them is told at once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_certificates::{Certificates, Naming};
use countersign_core::scheme::{Fault, Scheme, Span, same_name};
use countersign_core::{Plan, Verifier};
use countersign_schemes::{Catalogue, Library, SchemeError, Source, catalogue};

use super::{At, ErrorStyle, SchemeName};

/// A scheme and the files it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemeFile {
    /// The scheme.
    pub scheme: Scheme,
    /// Its files, indexed by the `file` of a span.
    pub sources: Vec<Source>,
}

/// Finds what schemes extend: files beside them, then the catalogue.
#[derive(Debug, Clone, Copy, Default)]
pub struct SchemeFolder;

impl Library for SchemeFolder {
    fn load(&self, name: &str, from: &str) -> Option<(String, String)> {
        if !is_path(name) {
            return Catalogue.load(name, from);
        }
        let path = Path::new(from).parent()?.join(name);
        let text = std::fs::read_to_string(&path).ok()?;
        Some((path.display().to_string(), text))
    }

    fn names(&self) -> Vec<String> {
        Catalogue.names()
    }
}

/// Whether a scheme is named by its path: there is a slash in it, or it ends in `.toml`.
pub(super) fn is_path(name: &str) -> bool {
    name.contains('/') || Path::new(name).extension().is_some_and(|extension| extension == "toml")
}

/// Reads schemes, each once.
#[derive(Debug, Default)]
pub(super) struct Schemes {
    read: HashMap<SchemeName, Option<Arc<SchemeFile>>>,
    /// What is wrong with those that cannot be used.
    pub(super) errors: Vec<SchemeError>,
}

impl Schemes {
    /// The scheme of a route. What is wrong with the name is noted in `faults`, what is wrong with the scheme in
    /// [`Self::errors`].
    pub(super) fn open(&mut self, name: &At<SchemeName>, faults: &mut Vec<Fault>) -> Option<Arc<SchemeFile>> {
        if let Some(known) = self.read.get(&name.value) {
            return known.clone();
        }
        let (source, text) = match text(&name.value) {
            Ok(found) => found,
            Err((message, hint)) => {
                faults.push(Fault { span: name.span, message, hint });
                return None;
            }
        };
        let file = match read(&source, &text) {
            Ok(file) => Some(Arc::new(file)),
            Err(error) => {
                self.errors.push(error);
                None
            }
        };
        self.read.insert(name.value.clone(), file.clone());
        file
    }
}

/// The certificates of a folder, under the names that a scheme gives them.
pub(super) fn certificates(
    folder: &At<PathBuf>,
    scheme: &Scheme,
    faults: &mut Vec<Fault>,
) -> Option<Arc<Certificates>> {
    let resolver = scheme.key.resolver.as_ref();
    let Some(naming) = resolver.and_then(|name| Naming::from_name(&name.value)) else {
        let message = format!("`{}` does not say how a key id names a certificate", scheme.name);
        let hint = "it needs `resolver` in [key]; or leave `certificates` out and keep its keys in the store";
        faults.push(Fault { span: folder.span, message, hint: Some(hint.to_owned()) });
        return None;
    };
    match Certificates::read(&folder.value, naming) {
        Ok(found) => Some(Arc::new(found)),
        Err(error) => {
            faults.push(Fault { span: folder.span, message: error.to_string(), hint: None });
            None
        }
    }
}

/// What a route says about its scheme.
pub(super) struct Use<'a> {
    pub(super) name: Span,
    pub(super) key: Option<Span>,
    pub(super) vars: &'a [(At<String>, At<String>)],
    pub(super) errors: ErrorStyle,
}

/// Notes where a route and its scheme do not fit together.
pub(super) fn note_misfits(route: &Use<'_>, scheme: &Scheme, faults: &mut Vec<Fault>) {
    let key_id = scheme.request.fields.iter().find(|field| field.name == "key-id");
    let mut note = |span: Span, message: String, hint: &str| {
        faults.push(Fault { span, message, hint: Some(hint.to_owned()) });
    };
    match (key_id, route.key) {
        (None, None) => note(
            route.name,
            format!("requests of `{}` do not say whose key they are signed with", scheme.name),
            "add `key` with the id of the key",
        ),
        (Some(field), Some(key)) if !field.optional || names_key(scheme) => {
            note(key, format!("requests of `{}` name their key", scheme.name), "leave `key` out");
        }
        _ => {}
    }
    note_vars(route.vars, route.name, scheme, faults);
    let mut note = |span: Span, message: String, hint: &str| {
        faults.push(Fault { span, message, hint: Some(hint.to_owned()) });
    };
    if route.errors == ErrorStyle::Scheme && scheme.errors.is_none() {
        note(route.name, format!("`{}` has no [errors] of its own", scheme.name), "leave `errors` out");
    }
    let plan = (!route.vars.is_empty()).then(|| Plan::compile(scheme));
    for (name, value) in route.vars {
        let verifier = plan.as_ref().map(|plan| Verifier::new(Arc::clone(plan)).with_var(&name.value, &value.value));
        if let Some(what) = verifier.as_ref().and_then(Verifier::fault) {
            faults.push(Fault { span: value.span, message: what.to_owned(), hint: None });
        }
    }
}

/// Notes variables that a scheme does not have, and those that it needs and were not given.
pub(super) fn note_vars(vars: &[(At<String>, At<String>)], place: Span, scheme: &Scheme, faults: &mut Vec<Fault>) {
    let mut note = |span: Span, message: String, hint: &str| {
        faults.push(Fault { span, message, hint: Some(hint.to_owned()) });
    };
    for (name, _) in vars {
        // A capture can be pinned: requests for another region, say, are refused.
        let own = scheme.vars.iter().map(|var| &var.name);
        let names: Vec<_> = own.chain(scheme.request.fields.iter().map(|field| &field.name)).collect();
        if !names.iter().any(|known| same_name(known, &name.value)) {
            let known: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let hint = match known.as_slice() {
                [] => "it has none".to_owned(),
                known => format!("it has {}", known.join(", ")),
            };
            note(name.span, format!("`{}` is not a variable of `{}`", name.value, scheme.name), &hint);
        }
    }
    let given = |name: &str| vars.iter().any(|(given, _)| same_name(&given.value, name));
    for var in scheme.vars.iter().filter(|var| var.default.is_none() && !var.optional && !given(&var.name)) {
        let about = var.about.as_ref().map(|about| format!(": {about}")).unwrap_or_default();
        let message = format!("`{}` needs a value for `{}`{about}", scheme.name, var.name);
        note(place, message, &format!("add `vars = {{ {} = \"…\" }}`", var.name));
    }
}

/// Whether a message signature that does not name its key is refused.
fn names_key(scheme: &Scheme) -> bool {
    let message = &scheme.request;
    message.required_fields.iter().any(|id| message.fields.get(*id).is_some_and(|field| field.name == "key-id"))
}

/// A scheme's name for messages and its text; or what is wrong with the name.
fn text(name: &SchemeName) -> Result<(String, String), (String, Option<String>)> {
    match name {
        SchemeName::Catalogue(name) => match catalogue::text(name) {
            Some(text) => Ok((name.clone(), text.to_owned())),
            None => Err((
                format!("`{name}` is not a scheme of the catalogue"),
                Some(catalogue::meant(name).unwrap_or_else(|| {
                    "`countersign schemes` lists them; a file is named with a slash or its ending".to_owned()
                })),
            )),
        },
        SchemeName::File(path) => match std::fs::read_to_string(path) {
            Ok(text) => Ok((path.display().to_string(), text)),
            Err(error) => Err((format!("the scheme file {} cannot be read: {error}", path.display()), None)),
        },
    }
}

fn read(name: &str, text: &str) -> Result<SchemeFile, SchemeError> {
    let document = countersign_schemes::open(name, text, &SchemeFolder)?;
    match Scheme::check(&document.draft) {
        Ok(scheme) => Ok(SchemeFile { scheme, sources: document.sources }),
        Err(faults) => Err(SchemeError::new(document.sources, faults)),
    }
}
