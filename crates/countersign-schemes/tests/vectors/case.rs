//! A message of a suite, and where suites lie.

use countersign_core::key::{Key, KeySet};
use countersign_core::reject::Reason;
use countersign_core::request::{RequestView, Transport};
use countersign_core::time::UnixTime;
use countersign_core::{NeedsBody, Plan, Verifier};
use countersign_schemes::{Catalogue, Library as _, load};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// A message and what verifies it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// A scheme of the catalogue, or the text of one.
    pub(crate) scheme: String,
    pub(crate) method: String,
    pub(crate) https: bool,
    pub(crate) authority: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) key: Key,
    pub(crate) now: i64,
    pub(crate) vars: Vec<(String, String)>,
}

impl Case {
    pub(crate) fn new(name: &str, scheme: &str, method: &str, url: &str) -> Self {
        let (transport, rest) = url.split_once("://").expect("an absolute URL");
        let (authority, target) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        Self {
            name: name.into(),
            scheme: scheme.into(),
            method: method.into(),
            https: transport == "https",
            authority: authority.into(),
            target: target.into(),
            headers: Vec::new(),
            body: String::new(),
            key: Key::secret(*b""),
            now: 0,
            vars: Vec::new(),
        }
    }

    pub(crate) fn plan(&self) -> Arc<Plan> {
        let text = Catalogue.load(&self.scheme, "").map_or_else(|| self.scheme.clone(), |(_, text)| text);
        Plan::compile(&load(&self.scheme, &text, &Catalogue).unwrap_or_else(|error| panic!("{error}")))
    }

    pub(crate) fn verifier(&self) -> Verifier {
        let bare = Verifier::new(self.plan());
        self.vars.iter().fold(bare, |verifier, (name, value)| verifier.with_var(name, value))
    }

    pub(crate) fn view(&self) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            target: self.target.as_bytes(),
            authority: &self.authority,
            transport: if self.https { Transport::Https } else { Transport::Http },
            fields: &self.headers,
            body: Some(self.body.as_bytes()),
            peer: None,
            status: None,
            trailers: None,
            answers: None,
        }
    }

    /// The verdict at its own time, by its own key.
    pub(crate) fn verify(&self) -> Result<(), Reason> {
        let verifier = self.verifier();
        let keys = KeySet::new([Arc::new(self.key.clone())]);
        let started = verifier.start(self.view(), UnixTime::from_secs(self.now));
        let checked = started.and_then(|state| state.key(&keys)).and_then(NeedsBody::finish);
        checked.map(drop).map_err(|refused| refused.reason())
    }
}

/// Where the suites lie.
pub(crate) fn root() -> Option<PathBuf> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors"));
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or(beside, PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: no vectors at {}", root.display());
    None
}

pub(crate) fn json(file: &str) -> Option<Value> {
    let text = std::fs::read_to_string(root()?.join(file)).expect("a file of vectors");
    Some(serde_json::from_str(&text).expect("JSON"))
}

pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
