//! What a scheme is: first as it is written ([`draft`]), then checked ([`Scheme`]).

pub mod draft;

pub use draft::{Fault, SchemeDraft, Span};
