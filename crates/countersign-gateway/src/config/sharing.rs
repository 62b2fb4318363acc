//! What one gateway may do and one of several may not: keep to itself what it has accepted.
//!
//! Two gateways with a journal each would both accept the same request. A configuration that says so is refused.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ServerConfig;
use super::fault::{Fault, fault};
use super::store::{ReplayConfig, StoreConfig};

/// Notes where several gateways would not know of each other.
pub(super) fn note_misfits(
    document: &DeTable<'_>,
    server: Option<&ServerConfig>,
    store: &StoreConfig,
    faults: &mut Vec<Fault>,
) {
    // Without a server that could be read nobody knows how many there are to be.
    let Some(gateways) = server.map(|server| server.gateways) else { return };
    // A shared store with faults of its own is one all the same.
    let is_local = store.replay == ReplayConfig::Embedded && !says_shared(document);
    if let Some(count @ 2..) = gateways
        && is_local
    {
        let place = value(document, "server", "gateways").map_or(0..0, Spanned::span);
        let message = format!("{count} gateways, and each would remember for itself what it has accepted");
        let hint =
            "write `kind = \"redis\"` or `kind = \"postgres\"` in [store], a store that all of them share".to_owned();
        faults.push(fault(place, message, hint));
    }
    for place in fallbacks(document) {
        let (message, hint) = match gateways {
            Some(1) if is_local => ("there is nothing to fall back from: the store is local", "leave `fallback` out"),
            Some(1) => continue,
            Some(_) => (
                "a gateway that falls back does not know what the others accept",
                "leave `fallback` out: while the store is away, requests are not decided",
            ),
            None => (
                "`fallback = \"local\"` is for a gateway that is the only one, and that is not said",
                "write `gateways = 1` in [server] if it is, or leave `fallback` out",
            ),
        };
        faults.push(fault(place, message, hint.to_owned()));
    }
}

fn value<'a>(document: &'a DeTable<'a>, section: &str, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
    match document.get(section)?.get_ref() {
        DeValue::Table(table) => table.get(key),
        _ => None,
    }
}

fn says_shared(document: &DeTable<'_>) -> bool {
    let kind = value(document, "store", "kind").map(Spanned::get_ref);
    matches!(kind, Some(DeValue::String(word)) if word == "redis" || word == "postgres")
}

/// Where routes say that they fall back.
fn fallbacks(document: &DeTable<'_>) -> Vec<Range<usize>> {
    let Some(DeValue::Array(routes)) = document.get("route").map(Spanned::get_ref) else { return Vec::new() };
    let local = |route: &Spanned<DeValue<'_>>| match route.get_ref() {
        DeValue::Table(table) => {
            let value = table.get("fallback")?;
            matches!(value.get_ref(), DeValue::String(word) if word == "local").then(|| value.span())
        }
        _ => None,
    };
    routes.iter().filter_map(local).collect()
}
