//! Scheme files: the text of a scheme, and of what it extends, becomes a [`SchemeDraft`] or a list of faults, each
//! with file, line, column, the offending text and what would be right.
//!
//! ```text
//! text ─► tree of keys and values ─► merged with what it extends ─► templates ─► SchemeDraft ─► Scheme
//!         toml_string, tree          extends                        template     file, section   core
//! ```
//!
//! Nothing here reads a file or a clock: what a scheme extends comes through a [`Library`], of which the built-in
//! [`catalogue`] is one. What the names, types and filters of a scheme mean is the core's matter.

pub mod catalogue;
pub mod duration;
mod either;
mod extends;
pub mod fault;
mod file;
pub mod lint;
mod section;
mod suggest;
mod template;
mod toml_string;
mod tree;

pub use catalogue::Catalogue;
pub use fault::{Excerpt, Located, SchemeError, Source};

use countersign_core::scheme::{Scheme, SchemeDraft};

/// Where the schemes that others extend are found.
pub trait Library {
    /// Finds what the scheme named `from` means by `name`: a name of the catalogue, or a path relative to `from`.
    ///
    /// Gives the name under which faults are reported, which is the same for the same scheme, and the text.
    fn load(&self, name: &str, from: &str) -> Option<(String, String)>;

    /// The names that can be loaded from anywhere, for a hint to whoever misspelt one.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A scheme that has been read, and the files it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The scheme, as it is written.
    pub draft: SchemeDraft,
    /// The files, indexed by the `file` of a span.
    pub sources: Vec<Source>,
}

impl Document {
    /// Checks what was read.
    pub fn check(&self) -> Result<Scheme, SchemeError> {
        Scheme::check(&self.draft).map_err(|faults| SchemeError::new(self.sources.clone(), faults))
    }
}

/// Reads and checks a scheme. `name` is its path or its name in the catalogue; the scheme is named after its last
/// part.
pub fn load(name: &str, text: &str, library: &dyn Library) -> Result<Scheme, SchemeError> {
    open(name, text, library)?.check()
}

/// Reads a scheme. `name` is its path or its name in the catalogue; the draft is named after its last part.
pub fn read(name: &str, text: &str, library: &dyn Library) -> Result<SchemeDraft, SchemeError> {
    open(name, text, library).map(|document| document.draft)
}

/// Reads a scheme, and keeps the files for whoever has more to say about a place in them.
pub fn open(name: &str, text: &str, library: &dyn Library) -> Result<Document, SchemeError> {
    let mut faults = Vec::new();
    let mut chain = extends::resolve(name, text, library, 0, &mut faults);
    let (members, either_span) = either::resolve(&mut chain, library, &mut faults);
    let mut more = Vec::new();
    let mut draft = file::read(name, &chain.entries, chain.complete, &mut more);
    draft.either = members;
    draft.either_span = either_span;
    // Where TOML could not read a line, what became of it means nothing.
    more.retain(|fault| !faults.iter().any(|syntax| fault::same_line(&chain.sources, syntax.span, fault.span)));
    faults.append(&mut more);
    if faults.is_empty() {
        return Ok(Document { draft, sources: chain.sources });
    }
    Err(SchemeError::new(chain.sources, faults))
}
