//! The suite that every store passes, against a server of its own for each store.

mod support;

use std::sync::Arc;

use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::Limits;
use countersign_store::conformance::Durable;
use countersign_store_redis::{RedisOptions, RedisReplay};
use support::{Server, options, store};

/// A store, and the server that it is in.
struct Own {
    store: RedisReplay,
    _server: Arc<Server>,
}

impl ReplayGuard for Own {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        self.store.admit(entry)
    }
}

fn open(server: &Arc<Server>, limits: Limits) -> Box<dyn ReplayGuard> {
    let options = RedisOptions { limits, deadline: PATIENT, ..options(server.port) };
    Box::new(Own { store: store(&options), _server: Arc::clone(server) })
}

/// These tests are about decisions. How long one may take is another matter, and other tests'.
const PATIENT: std::time::Duration = std::time::Duration::from_mins(1);

mod single {
    use super::{Arc, Server, open};

    countersign_store::replay_conformance!(|limits| open(&Arc::new(Server::start()), limits));
}

mod reopened {
    use super::{Arc, Durable, Limits, Server, UnixTime, open};

    countersign_store::replay_durability!(|| -> Durable {
        let server = Arc::new(Server::start());
        Box::new(move |limits: Limits, _: UnixTime| open(&server, limits))
    });
}
