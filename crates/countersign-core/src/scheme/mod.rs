//! What a scheme is: first as it is written ([`draft`]), then checked ([`Scheme`]).

mod check;
pub(crate) mod chunks;
mod deployed;
pub mod draft;
mod filters;
mod head;
mod message_signature;
pub mod model;
mod references;
mod require;
mod rules;
mod vocabulary;

pub use draft::{Fault, SchemeDraft, Span};
pub use model::{Errors, Fresh, KeyRule, Kind, Message, Var, When};
pub use references::References;

use crate::request::RequestView;
pub(crate) use vocabulary::PARTS;
pub use vocabulary::{RESOLVERS, Vocabulary, nearest, same_name, vocabulary_names};

/// A scheme that can be used: it signs, verifies, explains, and nothing about it can fail later on.
#[derive(Debug, Clone, PartialEq)]
pub struct Scheme {
    /// Its name. Part of what the replay store remembers: a scheme under another name forgets.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Where it is defined.
    pub reference: Option<String>,
    /// What it signs.
    pub kind: Kind,
    /// What a request has to have. Of schemes side by side it says which of them judges a message.
    pub when: Option<When>,
    /// What is left to the key.
    pub key: KeyRule,
    /// Deployment variables.
    pub vars: Vec<Var>,
    /// The request.
    pub request: Message,
    /// The response, where the scheme signs responses.
    pub response: Option<Message>,
    /// What makes a message fresh.
    pub fresh: Fresh,
    /// What a refusal looks like, where clients depend on it.
    pub errors: Option<Errors>,
    /// The schemes of which a message may satisfy any. Each but the last says by its `when` which messages it judges;
    /// request and response are those of the first. Empty: this scheme itself.
    pub either: Vec<Self>,
    /// Keeps others from making one unchecked.
    checked: Checked,
}

#[derive(Debug, Clone, PartialEq)]
struct Checked;

impl Scheme {
    /// Whether a message has what `when` asks for.
    #[must_use]
    pub fn applies(&self, view: &RequestView<'_>) -> bool {
        self.when.as_ref().is_none_or(|when| when.is_met(view))
    }

    /// Checks a scheme. All faults are reported at once.
    pub fn check(draft: &SchemeDraft) -> Result<Self, Vec<Fault>> {
        check::check(draft)
    }
}
