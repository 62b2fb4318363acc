//! What has happened since the start, in numbers: per route what was forwarded, refused and let through, and how many
//! connections there are.
//!
//! The text is the exposition format that Prometheus reads. Labels come from the configuration and from tables of
//! codes, never from requests, so a client cannot make new series.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::refuse::Refusal;

/// The numbers of a gateway.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) connections: Gauge,
    /// Refused before a route was found.
    pub(crate) unrouted: ByCode,
    routes: Vec<RouteCounters>,
}

/// The numbers of a route.
#[derive(Debug)]
pub(crate) struct RouteCounters {
    label: String,
    /// Verified and forwarded, whatever the upstream said.
    pub(crate) forwarded: Counter,
    /// Not verified, and answered by the gateway.
    pub(crate) refused: ByCode,
    /// Not verified, and let through.
    pub(crate) observed: ByCode,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

/// How many there are, and how many there have been.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    opened: Counter,
    closed: Counter,
}

/// A counter for each code that a refusal can have.
#[derive(Debug)]
pub(crate) struct ByCode(BTreeMap<&'static str, Counter>);

impl Counters {
    pub(crate) fn new<'a>(routes: impl IntoIterator<Item = &'a str>) -> Self {
        let route = |label: &str| RouteCounters {
            label: escaped(label),
            forwarded: Counter::default(),
            refused: ByCode::default(),
            observed: ByCode::default(),
        };
        Self {
            connections: Gauge::default(),
            unrouted: ByCode::default(),
            routes: routes.into_iter().map(route).collect(),
        }
    }

    /// The numbers of the route with this index, counted as in the configuration.
    pub(crate) fn route(&self, index: usize) -> Option<&RouteCounters> {
        self.routes.get(index)
    }

    /// All numbers as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, rows: &mut dyn Iterator<Item = (String, u64)>| {
            // Writing to a String cannot fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
            for (labels, value) in rows {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let opened = self.connections.opened.value();
        let open = opened.saturating_sub(self.connections.closed.value());
        metric(
            "countersign_connections",
            "gauge",
            "Open client connections.",
            &mut [(String::new(), open)].into_iter(),
        );
        metric(
            "countersign_connections_total",
            "counter",
            "Client connections since the start.",
            &mut [(String::new(), opened)].into_iter(),
        );
        metric(
            "countersign_forwarded_total",
            "counter",
            "Requests that were verified and forwarded.",
            &mut self.routes.iter().map(|route| (format!("{{route=\"{}\"}}", route.label), route.forwarded.value())),
        );
        metric(
            "countersign_refused_total",
            "counter",
            "Requests that were refused. Those without a route have an empty one.",
            &mut by_route("", &self.unrouted)
                .chain(self.routes.iter().flat_map(|route| by_route(&route.label, &route.refused))),
        );
        metric(
            "countersign_observed_total",
            "counter",
            "Requests that were let through and would have been refused.",
            &mut self.routes.iter().flat_map(|route| by_route(&route.label, &route.observed)),
        );
        text
    }
}

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    pub(crate) fn open(&self) {
        self.opened.add();
    }

    pub(crate) fn close(&self) {
        self.closed.add();
    }
}

impl ByCode {
    pub(crate) fn add(&self, code: &'static str) {
        if let Some(counter) = self.0.get(code) {
            counter.add();
        }
    }
}

impl Default for ByCode {
    fn default() -> Self {
        Self(Refusal::codes().map(|code| (code, Counter::default())).collect())
    }
}

/// Only what has happened gets a row.
fn by_route(label: &str, counters: &ByCode) -> impl Iterator<Item = (String, u64)> {
    let rows = counters.0.iter().filter(|(_, counter)| counter.value() > 0);
    rows.map(move |(code, counter)| (format!("{{route=\"{label}\",reason=\"{code}\"}}"), counter.value()))
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Violation;

    #[test]
    fn numbers_as_text() {
        let counters = Counters::new(["/a/*", "/\""]);
        counters.connections.open();
        counters.connections.open();
        counters.connections.close();
        counters.unrouted.add(Refusal::NoRoute.code());
        counters.route(0).unwrap().forwarded.add();
        counters.route(0).unwrap().refused.add(Refusal::Violation(Violation::HostMissing).code());
        counters.route(1).unwrap().observed.add("replayed");
        counters.route(1).unwrap().observed.add("not a code");
        let text = counters.text();
        for line in [
            "# TYPE countersign_connections gauge",
            "countersign_connections 1",
            "countersign_connections_total 2",
            "countersign_forwarded_total{route=\"/a/*\"} 1",
            "countersign_forwarded_total{route=\"/\\\"\"} 0",
            "countersign_refused_total{route=\"\",reason=\"no-route\"} 1",
            "countersign_refused_total{route=\"/a/*\",reason=\"http-host-missing\"} 1",
            "countersign_observed_total{route=\"/\\\"\",reason=\"replayed\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("not a code"));
    }

    #[test]
    fn every_code_is_counted_once() {
        let mut codes: Vec<_> = Refusal::codes().collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
