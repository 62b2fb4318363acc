//! A policy as one verifier or signer applies it: with what its variables change.

use super::component::Covered;
use super::structured::FieldShape;
use super::{Policy, SecretForm};
use crate::scheme::same_name;

/// The variables that every message signature has, and what each is.
pub(crate) const VARIABLES: &[(&str, &str)] = &[
    ("components", "what is signed, instead of the scheme's own list, as in `@method @target-uri content-digest`"),
    ("require", "the components that a verifier insists on, instead of all that the scheme does; nothing: none"),
    ("label", "the label to sign under, and the only one that counts"),
    ("tag", "the tag to sign with, and the only one that counts"),
    ("structured", "the types of structured fields that are not registered, as in `example-dict=dictionary`"),
    ("secret-encoding", "how a shared secret is written: text, base64 or hex"),
    ("alg", "the algorithm to sign with, told in the parameter `alg`"),
    ("digest", "the algorithm of a Content-Digest that signing adds: sha-256 or sha-512"),
    ("expires", "when a signature ends to be valid, in seconds since 1970"),
    ("ttl", "for how many seconds a signature is to be valid"),
    ("accept-signature", "the Accept-Signature field that is to be answered"),
];

/// The effective policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(super) required: Vec<Covered>,
    /// `require` was given: it stands for everything that the scheme insists on, its nonce included.
    pub(super) replaced: bool,
    /// The one label that counts.
    pub(super) label: Option<String>,
    /// The one tag that counts.
    pub(super) tag: Option<String>,
    pub(super) declared: Vec<(String, FieldShape)>,
    pub(super) secret: SecretForm,
}

impl Rules {
    pub(crate) fn of(policy: &Policy) -> Self {
        Self {
            required: policy.required.clone(),
            replaced: false,
            label: policy.only_label.then(|| policy.label.clone()),
            tag: policy.tag.clone(),
            declared: policy.structured.clone(),
            secret: policy.secret,
        }
    }

    /// Takes a variable, if it is one of these. An error says what would be right.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        if same_name(name, "require") {
            self.required = Covered::list(value).map_err(|word| unreadable("require", &word))?;
            self.replaced = true;
        } else if same_name(name, "label") {
            self.label = Some(value.to_owned());
        } else if same_name(name, "tag") {
            self.tag = Some(value.to_owned());
        } else if same_name(name, "structured") {
            self.declared.extend(declared(value)?);
        } else if same_name(name, "secret-encoding") {
            self.secret = SecretForm::from_name(value)
                .ok_or_else(|| format!("`secret-encoding` is text, base64 or hex, and not `{value}`"))?;
        }
        Ok(())
    }
}

pub(super) fn unreadable(variable: &str, word: &str) -> String {
    format!(
        "`{variable}` lists components as in `@method content-type \"@query-param\";name=\"id\"`, each once; `{word}` is \
         none, or there twice"
    )
}

/// Reads `name=type name=type`.
pub(crate) fn declared(text: &str) -> Result<Vec<(String, FieldShape)>, String> {
    let one = |word: &str| {
        let (name, shape) = word.split_once('=')?;
        let name = Some(name).filter(|name| crate::canon::is_token(name.as_bytes()))?.to_ascii_lowercase();
        Some((name, FieldShape::from_name(shape)?))
    };
    let read =
        |word: &str| one(word).ok_or_else(|| format!("`{word}` is not NAME=dictionary, NAME=list or NAME=item"));
    text.split_ascii_whitespace().map(read).collect()
}
