//! Canonicalisation primitives (being written).
