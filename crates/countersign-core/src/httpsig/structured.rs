//! Which fields are structured fields, and of what type: `sf` needs to know (RFC 9421, section 2.1.1), and a field that
//! nobody declared is never guessed at.
//!
//! The types of registered fields are those of their own specifications, as IANA's field name registry lists them
//! (column "structured type", read 2026-11). Fields that became structured only by retrofit (draft-ietf-httpbis-retrofit)
//! are not here: their values need not parse.

/// The type of a structured field (RFC 9651, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldShape {
    /// A dictionary.
    Dictionary,
    /// An item.
    Item,
    /// A list.
    List,
}

impl FieldShape {
    pub(crate) const NAMES: &'static [(&'static str, Self)] =
        &[("dictionary", Self::Dictionary), ("item", Self::Item), ("list", Self::List)];

    /// The type of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)
    }
}

/// The type of a registered field, by its lower-case name.
pub(crate) fn registered(name: &str) -> Option<FieldShape> {
    REGISTERED
        .binary_search_by(|(known, _)| (*known).cmp(name))
        .ok()
        .and_then(|at| REGISTERED.get(at))
        .map(|(_, shape)| *shape)
}

const REGISTERED: &[(&str, FieldShape)] = &[
    ("accept-ch", FieldShape::List),
    ("accept-query", FieldShape::List),
    ("accept-signature", FieldShape::Dictionary),
    ("available-dictionary", FieldShape::Item),
    ("cache-status", FieldShape::List),
    ("capsule-protocol", FieldShape::Item),
    ("cdn-cache-control", FieldShape::Dictionary),
    ("client-cert", FieldShape::Item),
    ("client-cert-chain", FieldShape::List),
    ("content-digest", FieldShape::Dictionary),
    ("cross-origin-embedder-policy", FieldShape::Item),
    ("cross-origin-embedder-policy-report-only", FieldShape::Item),
    ("cross-origin-opener-policy", FieldShape::Item),
    ("cross-origin-opener-policy-report-only", FieldShape::Item),
    ("deprecation", FieldShape::Item),
    ("dictionary-id", FieldShape::Item),
    ("idempotency-key", FieldShape::Item),
    ("integrity-policy", FieldShape::Dictionary),
    ("integrity-policy-report-only", FieldShape::Dictionary),
    ("origin-agent-cluster", FieldShape::Item),
    ("permissions-policy", FieldShape::Dictionary),
    ("preference-applied", FieldShape::Dictionary),
    ("priority", FieldShape::Dictionary),
    ("proxy-status", FieldShape::List),
    ("repr-digest", FieldShape::Dictionary),
    ("signature", FieldShape::Dictionary),
    ("signature-agent", FieldShape::Dictionary),
    ("signature-input", FieldShape::Dictionary),
    ("unencoded-digest", FieldShape::Dictionary),
    ("use-as-dictionary", FieldShape::Dictionary),
    ("want-content-digest", FieldShape::Dictionary),
    ("want-repr-digest", FieldShape::Dictionary),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_sorted_so_that_it_can_be_searched() {
        assert!(REGISTERED.is_sorted_by(|(one, _), (other, _)| one < other));
        for (name, shape) in REGISTERED {
            assert_eq!(registered(name), Some(*shape));
        }
        assert_eq!(registered("date"), None);
    }
}
