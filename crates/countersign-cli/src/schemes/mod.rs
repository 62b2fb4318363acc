//! `countersign schemes`: what the catalogue has, what a scheme says, and whether all of it works.

pub(crate) mod page;
mod trial;

use std::io::Write as _;

use countersign_core::scheme::draft::Place;
use countersign_core::scheme::{Kind, Message};
use countersign_schemes::catalogue;
use serde::Serialize;

use crate::args::{SchemesArguments, SchemesCommand};
use crate::failure::Failure;
use crate::out::{Outcome, Output};
use crate::scheme_file::{self, SchemeFile};

pub(crate) fn run(arguments: &SchemesArguments, out: &mut Output) -> Result<Outcome, Failure> {
    match &arguments.command {
        None => list(&[], arguments.json, out),
        Some(SchemesCommand::List { words, json }) => list(words, *json || arguments.json, out),
        Some(SchemesCommand::Show { scheme, file, json }) => {
            // What cannot be used is no scheme to copy.
            let opened = SchemeFile::open(scheme)?;
            if *file {
                out.write_all(scheme_file::text(scheme)?.as_bytes())?;
            } else if *json {
                out.json(&Shown::of(&opened))?;
            } else {
                out.write_all(page::page(scheme, &opened)?.as_bytes())?;
            }
            Ok(Outcome::Holds)
        }
        Some(SchemesCommand::Test { schemes, vectors, json }) => trial::run(schemes, vectors.as_deref(), *json, out),
    }
}

/// The schemes whose names or titles hold all of the words, in any case.
fn list(words: &[String], json: bool, out: &mut Output) -> Result<Outcome, Failure> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut found = Vec::new();
    for name in catalogue::names() {
        let file = SchemeFile::open(name)?;
        let text = format!("{name} {}", file.scheme().title).to_lowercase();
        if words.iter().all(|word| text.contains(word)) {
            found.push((name, file));
        }
    }
    if found.is_empty() {
        let message = format!("no scheme has {} in its name or title", words.join(" "));
        let hint = words.iter().find_map(|word| catalogue::meant(word));
        let hint = hint
            .unwrap_or_else(|| "`countersign schemes` lists all; docs/schemes.md says how to write one".to_owned());
        return Err(Failure::arguments(message, hint));
    }
    let width = found.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, file) in &found {
        let scheme = file.scheme();
        if json {
            out.json(&Listed { name, title: &scheme.title, kind: kind(scheme.kind) })?;
        } else {
            writeln!(out, "{name:width$}  {}", scheme.title)?;
        }
    }
    Ok(Outcome::Holds)
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Link => "link",
        Kind::Request => "request",
        Kind::Webhook => "webhook",
    }
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    kind: &'static str,
}

/// What a scheme says, for programs.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    name: &'a str,
    title: &'a str,
    kind: &'static str,
    reference: Option<&'a str>,
    /// Whether its messages name the key: `always`, `sometimes` or `never`.
    key_id: &'static str,
    /// Whether it is signed with a key pair.
    key_pair: bool,
    nonce: bool,
    response: bool,
    carriers: Vec<CarrierRow<'a>>,
    vars: Vec<VarRow<'a>>,
    /// The schemes that stand side by side under this name; the rest is the first one's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    either: Vec<&'a str>,
    /// The file, and those that it extends.
    files: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct CarrierRow<'a> {
    place: &'static str,
    name: &'a str,
    optional: bool,
}

#[derive(Debug, Serialize)]
struct VarRow<'a> {
    name: &'a str,
    default: Option<&'a str>,
    about: Option<&'a str>,
}

/// Where RFC 9421 has its signatures.
const SIGNATURE_FIELDS: [&str; 2] = ["Signature-Input", "Signature"];

impl<'a> CarrierRow<'a> {
    const fn header(name: &'a str) -> Self {
        Self { place: place(Place::Header), name, optional: false }
    }
}

/// Whether a message without a capture is refused.
fn expects(message: &Message, capture: &str) -> bool {
    message.required_fields.iter().any(|id| message.fields.get(*id).is_some_and(|field| field.name == capture))
}

impl<'a> Shown<'a> {
    fn of(file: &'a SchemeFile) -> Self {
        let scheme = file.scheme();
        let carriers = scheme.request.carriers.iter();
        let key_id = scheme.request.fields.iter().find(|field| field.name == "key-id");
        Self {
            name: &scheme.name,
            title: &scheme.title,
            kind: kind(scheme.kind),
            reference: scheme.reference.as_deref(),
            key_id: match key_id {
                None => "never",
                Some(field) if field.optional && !expects(&scheme.request, "key-id") => "sometimes",
                Some(_) => "always",
            },
            key_pair: scheme.request.key_pair().is_some(),
            nonce: file.plan.captures_nonce()
                && (scheme.request.message_signature.is_none() || expects(&scheme.request, "nonce")),
            response: scheme.response.is_some(),
            carriers: carriers
                .map(|carrier| CarrierRow {
                    place: place(carrier.place),
                    name: &carrier.written,
                    optional: carrier.optional,
                })
                .chain(scheme.request.message_signature.iter().flat_map(|_| SIGNATURE_FIELDS.map(CarrierRow::header)))
                .collect(),
            either: scheme.either.iter().map(|member| member.name.as_str()).collect(),
            vars: scheme
                .vars
                .iter()
                .map(|var| VarRow { name: &var.name, default: var.default.as_deref(), about: var.about.as_deref() })
                .collect(),
            files: file.sources.iter().map(|source| source.name.as_str()).collect(),
        }
    }
}

const fn place(place: Place) -> &'static str {
    match place {
        Place::Cookie => "cookie",
        Place::Form => "form",
        Place::Header => "header",
        Place::Json => "json",
        Place::Path => "path",
        Place::Query => "query",
        Place::Xml => "xml",
    }
}
