//! `[message-signature]`: a message that is signed by RFC 9421, from a draft to a [`Policy`].

use super::check::{fault, words};
use super::draft::{At, Fault, FreshDraft, MessageDraft, MessageSignatureDraft, Span};
use super::model::{Message, Primitive, SignatureRule, Template, Var};
use super::same_name;
use super::vocabulary::PARTS;
use crate::alg::Asymmetric;
use crate::httpsig::{self, Algorithm, Covered, Policy, SecretForm};

/// How many signatures a message may have, where the scheme does not say.
const MOST: u64 = 4;

impl Message {
    /// The algorithm whose key pair signs such a message; `None`: a shared secret does, or may.
    #[must_use]
    pub fn key_pair(&self) -> Option<Asymmetric> {
        match (&self.signature.primitive, &self.message_signature) {
            (Primitive::Signature(algorithm), _) => Some(*algorithm),
            (Primitive::Agreed, Some(policy)) => {
                let mut pairs = policy.algorithms.iter().map(|algorithm| match algorithm {
                    Algorithm::Signature(algorithm) => Some(*algorithm),
                    Algorithm::Hmac(_) => None,
                });
                let first = pairs.next()??;
                pairs.all(|other| other.is_some()).then_some(first)
            }
            _ => None,
        }
    }
}

/// Reads the names of `[key] algorithms` as the registry has them (RFC 9421, section 6.2).
pub(super) fn algorithms(names: &[At<String>], faults: &mut Vec<Fault>) -> Vec<Algorithm> {
    let mut found = Vec::new();
    for name in names {
        if let Some(algorithm) = Algorithm::from_name(&name.value) {
            found.push(algorithm);
            continue;
        }
        let known: Vec<&str> = Algorithm::all().map(|(name, _)| name).collect();
        let hint = format!("those of RFC 9421 are {}", known.join(", "));
        faults.push(fault(name.span, format!("unknown algorithm `{}`", name.value), Some(hint)));
    }
    if names.is_empty() { Algorithm::all().map(|(_, algorithm)| algorithm).collect() } else { found }
}

/// Adds the variables that every message signature has.
pub(super) fn add_variables(vars: &mut Vec<Var>) {
    for (name, about) in httpsig::VARIABLES {
        if !vars.iter().any(|var| same_name(&var.name, name)) {
            vars.push(Var {
                name: (*name).to_owned(),
                default: None,
                about: Some((*about).to_owned()),
                optional: true,
                span: Span::default(),
            });
        }
    }
}

pub(super) fn message(
    draft: &MessageDraft,
    section: &MessageSignatureDraft,
    algorithms: &[Algorithm],
    fresh: &FreshDraft,
    faults: &mut Vec<Fault>,
) -> Option<Message> {
    let before = faults.len();
    alone(draft, section.span, faults);
    let components = section.components.as_ref().map(|list| components(list, faults)).unwrap_or_default();
    if components.is_empty() {
        let hint = "as in `components = \"@method @target-uri content-digest?\"`".to_owned();
        faults.push(fault(section.span, "no components are signed".into(), Some(hint)));
    }
    let label = section.label.as_ref().map_or("sig1", |label| label.value.as_str());
    if let Some(at) = section.label.as_ref().filter(|label| !is_key(&label.value)) {
        let hint = "lower-case letters, digits, `_`, `-`, `.` and `*`, and a letter or `*` in front".to_owned();
        faults.push(fault(at.span, format!("`{}` is not a label", at.value), Some(hint)));
    }
    if let Some(at) = section.tag.as_ref().filter(|tag| !is_plain(&tag.value)) {
        faults.push(fault(at.span, "a tag is printable ASCII text".into(), None));
    }
    let structured = section.structured.as_ref().and_then(|list| match httpsig::declared(&list.value) {
        Ok(declared) => Some(declared),
        Err(what) => {
            faults.push(fault(list.span, what, Some("as in `structured = \"example-dict=dictionary\"`".into())));
            None
        }
    });
    let secret = section.secret.as_ref().and_then(|form| {
        let known = SecretForm::from_name(&form.value);
        if known.is_none() {
            let hint = "text, base64 or hex".to_owned();
            faults.push(fault(form.span, format!("unknown form of a secret `{}`", form.value), Some(hint)));
        }
        known
    });
    let most = section.most.as_ref().map_or(MOST, |most| most.value);
    if let Some(at) = section.most.as_ref().filter(|most| !(1..=16).contains(&most.value)) {
        faults.push(fault(at.span, "a message may have 1 to 16 signatures".into(), None));
    }
    let fields = httpsig::fields(section.span);
    let position = |name: &str| fields.iter().position(|field| field.name == name);
    let mut required = Vec::new();
    let mut required_fields = Vec::new();
    let mut required_parts = Vec::new();
    for require in &draft.requires {
        let At { value: names, span } = &require.names;
        match require.name.value.as_str() {
            "components" => required = self::components(&require.names, faults),
            "covered" => {
                for part in words(names) {
                    if PARTS.contains(&part) {
                        required_parts.push(At::new(part.to_owned(), *span));
                    } else {
                        let hint = format!("parts are {}", PARTS.join(", "));
                        faults.push(fault(*span, format!("`{part}` is not a part of a message"), Some(hint)));
                    }
                }
            }
            "fields" => {
                for name in words(names) {
                    required_fields.extend(position(name));
                    if position(name).is_none() {
                        let hint = "key-id, timestamp, expires, nonce, alg, tag".to_owned();
                        let what = format!("`{name}` is not a signature parameter");
                        faults.push(fault(*span, what, Some(hint)));
                    }
                }
            }
            other => {
                let hint = "`components`, `covered` or `fields`".to_owned();
                faults.push(fault(require.name.span, format!("unknown requirement `{other}`"), Some(hint)));
            }
        }
    }
    // What a rule of freshness goes by has to be there.
    let by = [fresh.timestamp.as_ref().map(|_| httpsig::TIMESTAMP), fresh.nonce.as_ref().map(|_| httpsig::NONCE)];
    required_fields.extend(by.into_iter().flatten());
    required_fields.sort_unstable();
    required_fields.dedup();
    if faults.len() > before {
        return None;
    }
    let nothing = Template { parts: Vec::new(), span: section.span };
    Some(Message {
        fields,
        carriers: Vec::new(),
        lets: Vec::new(),
        base: nothing,
        signature: SignatureRule { primitive: Primitive::Agreed, encode: Vec::new(), span: section.span },
        signature_field: httpsig::SIGNATURE,
        cover: Vec::new(),
        include: Vec::new(),
        binds: Vec::new(),
        requires: Vec::new(),
        required_fields,
        policy: None,
        required_parts,
        tries: Vec::new(),
        chunks: None,
        message_signature: Some(Policy {
            label: label.to_owned(),
            only_label: section.only_label.as_ref().is_some_and(|only| only.value),
            components,
            required,
            tag: section.tag.as_ref().map(|tag| tag.value.clone()),
            most: usize::try_from(most).unwrap_or(usize::MAX),
            algorithms: algorithms.to_vec(),
            structured: structured.unwrap_or_default(),
            secret: secret.unwrap_or_default(),
            span: section.span,
        }),
    })
}

/// Templates and a message signature exclude each other.
fn alone(draft: &MessageDraft, span: Span, faults: &mut Vec<Fault>) {
    let others = [
        (!draft.carriers.is_empty(), "[header], [query] or another carrier"),
        (!draft.lets.is_empty(), "[let]"),
        (draft.sign.is_some(), "[sign]"),
        (!draft.binds.is_empty(), "[bind]"),
        (draft.policy.is_some(), "[policy]"),
        (!draft.tries.is_empty(), "[[try]]"),
        (draft.chunks.is_some(), "[chunks]"),
    ];
    for (_, section) in others.iter().filter(|(there, _)| *there) {
        let hint = "RFC 9421 says where the signature stands and what it is made of".to_owned();
        faults.push(fault(span, format!("[message-signature] and {section} exclude each other"), Some(hint)));
    }
}

fn components(list: &At<String>, faults: &mut Vec<Fault>) -> Vec<Covered> {
    match Covered::list(&list.value) {
        Ok(components) => components,
        Err(word) => {
            let hint = "as in `@method content-type? \"@query-param\";name=\"id\"`, each once".to_owned();
            faults.push(fault(list.span, format!("`{word}` is not a component, or there twice"), Some(hint)));
            Vec::new()
        }
    }
}

/// A key of a dictionary: RFC 9651, section 3.1.2.
fn is_key(text: &str) -> bool {
    let rest =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.' | b'*');
    text.starts_with(|first: char| first.is_ascii_lowercase() || first == '*') && text.bytes().all(rest)
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
