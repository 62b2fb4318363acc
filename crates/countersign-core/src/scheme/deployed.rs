//! What a deployment may say in the place of a message or of the scheme: which names are picked, where a slice ends.

use super::model::{FieldId, VarId};

/// What lists the names that are picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// A capture of names: the sender.
    Field(FieldId),
    /// A variable that holds names: the deployment.
    Var(VarId),
}

/// Where a slice ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At this byte.
    At(usize),
    /// Where a variable says.
    Var(VarId),
}
