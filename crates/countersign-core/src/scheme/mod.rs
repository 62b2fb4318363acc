//! What a scheme is: first as it is written ([`draft`]), then checked ([`Scheme`]).

mod check;
pub(crate) mod chunks;
mod deployed;
pub mod draft;
mod filters;
pub mod model;
mod references;
mod require;
mod vocabulary;

pub use draft::{Fault, SchemeDraft, Span};
pub use model::{Errors, Fresh, KeyRule, Kind, Message, Var, When};
pub use references::References;

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
    /// What a request has to have besides its credentials; absent where a carrier that has to be there says the same.
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
    /// Keeps others from making one unchecked.
    checked: Checked,
}

#[derive(Debug, Clone, PartialEq)]
struct Checked;

impl Scheme {
    /// Checks a scheme. All faults are reported at once.
    pub fn check(draft: &SchemeDraft) -> Result<Self, Vec<Fault>> {
        check::check(draft)
    }
}
