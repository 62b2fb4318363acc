//! The suite that every store passes, against a server of its own for each store, and against a cluster, in which each store
//! has a prefix of its own and divides its limits over its parts.

mod support;

use std::sync::Arc;

use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::Limits;
use countersign_store_redis::{RedisOptions, RedisReplay};
use support::{Server, options, store};

/// A store, and what it is in.
struct Own<T> {
    store: RedisReplay,
    _servers: Arc<T>,
}

impl<T: Send + Sync> ReplayGuard for Own<T> {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        self.store.admit(entry)
    }
}

/// These tests are about decisions. How long one may take is another matter, and other tests'.
const PATIENT: std::time::Duration = std::time::Duration::from_mins(1);

mod single {
    use super::{Arc, Limits, Own, PATIENT, RedisOptions, ReplayGuard, Server, UnixTime, options, store};
    use countersign_store::conformance::Durable;

    fn open(server: &Arc<Server>, limits: Limits) -> Box<dyn ReplayGuard> {
        let options = RedisOptions { limits, deadline: PATIENT, ..options(server.port) };
        Box::new(Own { store: store(&options), _servers: Arc::clone(server) })
    }

    countersign_store::replay_conformance!(|limits| open(&Arc::new(Server::start()), limits));

    countersign_store::replay_durability!(|| -> Durable {
        let server = Arc::new(Server::start());
        Box::new(move |limits: Limits, _: UnixTime| open(&server, limits))
    });
}

mod clustered {
    use super::{Arc, Limits, Own, PATIENT, RedisOptions, ReplayGuard, UnixTime, options, store};
    use crate::support::Cluster;
    use countersign_store::conformance::{Durable, Parts};
    use countersign_store_redis::SHARDS;
    use std::sync::atomic::{AtomicU32, Ordering};

    const PARTS: Parts = Parts { count: SHARDS, of: |entry| usize::from(entry.digest[31]) % SHARDS };

    fn new_prefix() -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        format!("store-{}", NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn open(cluster: &Arc<Cluster>, prefix: &str, limits: Limits) -> Box<dyn ReplayGuard> {
        let (servers, prefix) = (cluster.servers(), prefix.to_owned());
        let options = RedisOptions { servers, prefix, limits, deadline: PATIENT, ..options(0) };
        Box::new(Own { store: store(&options), _servers: Arc::clone(cluster) })
    }

    countersign_store::replay_conformance!(|limits| open(&Cluster::shared(), &new_prefix(), limits), PARTS);

    countersign_store::replay_durability!(|| -> Durable {
        let (cluster, prefix) = (Cluster::shared(), new_prefix());
        Box::new(move |limits: Limits, _: UnixTime| open(&cluster, &prefix, limits))
    });
}
