//! The conformance suite against a PostgreSQL server.

use crate::support::Cluster;
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::conformance::Durable;
use countersign_store::{Limits, replay_conformance, replay_durability};
use countersign_store_postgres::{PostgresOptions, PostgresReplay, Tls};
use std::sync::Arc;
use std::time::Duration;

/// A store, and the cluster that it is in.
struct Kept {
    store: PostgresReplay,
    _cluster: Arc<Cluster>,
}

impl ReplayGuard for Kept {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        self.store.admit(entry)
    }
}

fn open(cluster: &Arc<Cluster>, schema: &str, limits: Limits) -> Box<dyn ReplayGuard> {
    let mut options = PostgresOptions::at(&cluster.url(), Tls::Off).unwrap().with_schema(schema).unwrap();
    options.limits = limits;
    // A machine that does other things is no outage.
    options.deadline = Duration::from_mins(1);
    Box::new(Kept { store: PostgresReplay::open(options).unwrap(), _cluster: Arc::clone(cluster) })
}

replay_conformance!(|limits| open(&Cluster::shared(), &Cluster::new_schema(), limits));

replay_durability!(|| -> Durable {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    Box::new(move |limits: Limits, _now: UnixTime| open(&cluster, &schema, limits))
});
