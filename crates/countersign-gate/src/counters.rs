//! What has happened since the start, in numbers, in the exposition format that Prometheus reads. The labels come from
//! a table of codes, so that a client cannot make new series.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::reason::Reason;
use crate::relay::Relayed;

/// The numbers of a gate.
#[derive(Debug)]
pub struct Counters {
    connections: AtomicU64,
    waiting: AtomicU64,
    open: AtomicU64,
    admitted: AtomicU64,
    refused: BTreeMap<&'static str, AtomicU64>,
    to_service: AtomicU64,
    to_client: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            connections: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            open: AtomicU64::new(0),
            admitted: AtomicU64::new(0),
            refused: Reason::codes().map(|code| (code, AtomicU64::new(0))).collect(),
            to_service: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
        }
    }
}

impl Counters {
    pub(crate) fn arrived(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, reason: &Reason) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.count(reason);
    }

    pub(crate) fn admitted(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.admitted.fetch_add(1, Ordering::Relaxed);
    }

    /// What goes wrong after somebody was admitted.
    pub(crate) fn count(&self, reason: &Reason) {
        if let Some(counter) = self.refused.get(reason.code()) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self, relayed: Relayed) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.to_service.fetch_add(relayed.to_service, Ordering::Relaxed);
        self.to_client.fetch_add(relayed.to_client, Ordering::Relaxed);
    }

    /// How many connections are in the handshake.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many connections are relayed.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// How often a handshake held.
    #[must_use]
    pub fn admissions(&self) -> u64 {
        self.admitted.load(Ordering::Relaxed)
    }

    /// How often a connection went no further for a reason.
    #[must_use]
    pub fn refusals(&self, code: &str) -> u64 {
        self.refused.get(code).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// All numbers as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, rows: &mut dyn Iterator<Item = (String, u64)>| {
            // Writing to a String cannot fail.
            let _ = write!(text, "# HELP countersign_gate_{name} {help}\n# TYPE countersign_gate_{name} {kind}\n");
            for (labels, value) in rows {
                let _ = writeln!(text, "countersign_gate_{name}{labels} {value}");
            }
        };
        let one = |value: &AtomicU64| std::iter::once((String::new(), value.load(Ordering::Relaxed)));
        metric("waiting", "gauge", "Connections in the handshake.", &mut one(&self.waiting));
        metric("open", "gauge", "Connections that are relayed.", &mut one(&self.open));
        metric("connections_total", "counter", "Connections since the start.", &mut one(&self.connections));
        metric("admitted_total", "counter", "Handshakes that held.", &mut one(&self.admitted));
        // Only what has happened gets a row.
        let refused = self.refused.iter().map(|(code, count)| (code, count.load(Ordering::Relaxed)));
        metric(
            "refused_total",
            "counter",
            "Connections that went no further.",
            &mut refused
                .filter(|(_, count)| *count > 0)
                .map(|(code, count)| (format!("{{reason=\"{code}\"}}"), count)),
        );
        let to_service = self.to_service.load(Ordering::Relaxed);
        let to_client = self.to_client.load(Ordering::Relaxed);
        let label = |to: &str| format!("{{to=\"{to}\"}}");
        metric(
            "relayed_bytes_total",
            "counter",
            "Bytes of connections that have ended.",
            &mut [(label("service"), to_service), (label("client"), to_client)].into_iter(),
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_text() {
        let counters = Counters::default();
        for _ in 0..3 {
            counters.arrived();
        }
        counters.refused(&Reason::Deadline);
        counters.admitted();
        counters.opened();
        counters.closed(Relayed { to_service: 7, to_client: 9 });
        let text = counters.text();
        for line in [
            "# TYPE countersign_gate_waiting gauge",
            "countersign_gate_waiting 1",
            "countersign_gate_open 0",
            "countersign_gate_connections_total 3",
            "countersign_gate_admitted_total 1",
            "countersign_gate_refused_total{reason=\"gate-deadline\"} 1",
            "countersign_gate_relayed_bytes_total{to=\"service\"} 7",
            "countersign_gate_relayed_bytes_total{to=\"client\"} 9",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn every_code_is_counted_once() {
        let mut codes: Vec<_> = Reason::codes().collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
