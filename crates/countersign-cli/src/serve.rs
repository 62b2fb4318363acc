//! `countersign serve`: the gateway with the store that its configuration names, until it is asked to stop.

use std::io;
use std::path::Path;
use std::sync::Arc;

use countersign_core::replay::ReplayGuard;
use countersign_gateway::config::{Config, Durability as Configured, Fallback as RouteFallback, ReplayConfig};
use countersign_gateway::{Gateway, Running, Stores};
use countersign_store::{Both, Fallback};
use countersign_store_embedded::{ControlServer, Durability, Journal, JournalOptions, KeyStore, Seal, UseWriter};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::ServeArguments;
use crate::failure::Failure;
use crate::out::Outcome;
use crate::{database, log, memory, shared, world};

pub(crate) fn run(arguments: &ServeArguments) -> Result<Outcome, Failure> {
    let config = Config::load(&arguments.config)?;
    let _log = log::to_stderr(arguments.log);
    memory::keep_secrets_out_of_core_dumps(arguments.core_dumps);
    let durability = match config.store.durability {
        _ if arguments.unsafe_hold_journal_writes => Durability::UnsafeHeldInMemory,
        Configured::Process => Durability::Os,
        Configured::Power => Durability::Synced,
    };
    // Dropped when the gateway has stopped: then it writes which keys were used until the end.
    let mut store = Store::open(&config.store.path, database::seal(&config.store)?, durability)?;
    let asked_to_stop = AskedToStop::listen().map_err(Failure::Serving)?;
    let (stores, fallback) = store.beside_shared(&config)?;
    let gateway = Gateway::build_with_fallback(&config, &stores, fallback);
    let running = gateway.start().map_err(Failure::Serving)?;
    asked_to_stop.wait_and_stop(running);
    Ok(Outcome::Holds)
}

/// SIGTERM and SIGINT, listened for before anybody is told that there is something to stop.
#[derive(Debug)]
pub(crate) struct AskedToStop {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl AskedToStop {
    pub(crate) fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let context = runtime.enter();
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        drop(context);
        Ok(Self { runtime, terminate, interrupt })
    }

    /// Waits for a signal, then until the gateway has answered what it has begun.
    pub(crate) fn wait_and_stop(self, running: Running) {
        self.wait(|| running.stop());
        running.wait();
    }

    /// Waits for a signal, and has a stop begin.
    pub(crate) fn wait(mut self, stop: impl FnOnce()) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        });
        tracing::info!("stopping");
        stop();
    }
}

/// Has it written down how the keys of a folder are used.
pub(crate) fn write_uses(keys: &Arc<KeyStore>) -> Result<UseWriter, Failure> {
    let keys = Arc::clone(keys);
    Ok(UseWriter::spawn(UseWriter::INTERVAL, move || keys.write_uses())?)
}

/// A store's folder, open: keys, the journal, and the socket by which keys are changed meanwhile.
pub(crate) struct Store {
    // Closed first: who does not find the socket opens the keys.
    _control: ControlServer,
    // Write which keys were used until the end, as long as nobody else has the folder.
    uses: Vec<UseWriter>,
    pub(crate) keys: Arc<KeyStore>,
    journal: Arc<Journal>,
}

impl Store {
    pub(crate) fn open(path: &Path, seal: Seal, durability: Durability) -> Result<Self, Failure> {
        let keys = Arc::new(KeyStore::open_sealed(path, seal)?);
        let options = JournalOptions { durability, ..JournalOptions::default() };
        let journal = Arc::new(Journal::open(path, options, world::now())?);
        let recovery = journal.recovery();
        if recovery.records > 0 {
            tracing::info!(
                records = recovery.records,
                files = recovery.files,
                "accepted before, and still remembered"
            );
        }
        if recovery.crashed {
            tracing::warn!("the system crashed or lost power while this store was open");
        }
        if let Some(second) = recovery.quarantined_until.filter(|_| recovery.crashed) {
            let until = world::instant(countersign_core::UnixTime::from_secs(second.into()));
            tracing::warn!(
                until,
                "what was accepted before may be lost: requests that could have been accepted up to then are not decided, until they are no longer valid"
            );
        }
        for torn in &recovery.torn {
            tracing::warn!(file = %torn.file.display(), at = torn.at, "the end of a journal file was cut off: it was being written");
        }
        let control = ControlServer::spawn(Arc::clone(&keys), path)?;
        let uses = write_uses(&keys)?;
        Ok(Self { _control: control, uses: vec![uses], keys, journal })
    }

    pub(crate) fn stores(&self) -> Stores {
        let (keys, replay) = (Arc::clone(&self.keys), Arc::clone(&self.journal));
        Stores { keys, replay }
    }

    /// The stores that the configuration names, and the replay store of routes that fall back.
    ///
    /// With a shared store, the folder's journal is asked as well by every route where one falls back, and where it
    /// remembers what was accepted when a route did or when there was no shared store: of that it alone knows.
    fn beside_shared(&mut self, config: &Config) -> Result<(Stores, Option<Arc<dyn ReplayGuard>>), Failure> {
        let mut stores = self.stores();
        let shared: Arc<dyn ReplayGuard> = match &config.store.replay {
            ReplayConfig::Embedded => return Ok((stores, None)),
            ReplayConfig::Postgres(postgres) => {
                if let Some((keys, writer)) = database::keys(postgres)? {
                    stores.keys = Arc::new(keys);
                    self.uses.push(writer);
                }
                Arc::new(database::replay(postgres)?)
            }
            ReplayConfig::Redis(redis) => Arc::new(shared::open(redis)?),
        };
        let falls_back = config.routes.iter().any(|route| route.fallback == RouteFallback::Local);
        let recovery = self.journal.recovery();
        if !falls_back && recovery.records == 0 && recovery.quarantined_until.is_none() {
            return Ok((Stores { replay: shared, ..stores }, None));
        }
        if !falls_back {
            tracing::info!("the journal remembers what the shared store may not know, and is asked beside it");
        }
        let both = Both::new(shared, stores.replay);
        // What was accepted before this process began may be known to nobody but the shared store.
        let fallback = Arc::new(Fallback::new(both.clone(), world::now()));
        stores.replay = Arc::new(both);
        Ok((stores, Some(fallback)))
    }
}
