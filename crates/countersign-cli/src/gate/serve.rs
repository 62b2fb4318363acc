//! `countersign gate serve`: the gate with its keys, until it is asked to stop.

use std::sync::Arc;

use countersign_core::{Key, KeyResolver, Secret};
use countersign_gate::{Acceptor, Gate, GateConfig, ServerTls};
use countersign_gateway::Console;
use countersign_gateway::config::{ReplayConfig, StoreConfig};
use countersign_store::MemoryKeys;
use countersign_store_embedded::{ControlServer, KeyStore, UseWriter};

use crate::args::{GateServeArguments, ProtocolName};
use crate::failure::Failure;
use crate::material::SecretText;
use crate::out::Outcome;
use crate::serve::{self, AskedToStop};
use crate::{database, log, memory};

pub(crate) fn run(arguments: &GateServeArguments) -> Result<Outcome, Failure> {
    let protocol = super::protocol(&arguments.protocol)?;
    let limits = super::limits(&arguments.protocol)?;
    let config = config(arguments)?;
    if arguments.own_key_id.is_some() && arguments.protocol.protocol != ProtocolName::CountersignV1 {
        return Err(Failure::arguments("--own-key-id is for `countersign-v1` only", "leave it out"));
    }
    if arguments.config.is_some() && arguments.key_id.is_none() && !protocol.names_key() {
        let message = format!("`{protocol}` says nothing about which key of the store it is");
        return Err(Failure::arguments(message, "say it by --key-id"));
    }
    let _log = log::to_stderr(arguments.log);
    memory::keep_secrets_out_of_core_dumps(false);
    let keys = Keys::open(arguments)?;
    raise_file_limit();
    let asked_to_stop = AskedToStop::listen().map_err(Failure::Gate)?;
    // A key id of a store's names a key; of a secret, which id it serves: then the clients name it.
    let acceptor = Acceptor::new(protocol, Arc::clone(&keys.resolver))
        .with_key_id(arguments.key_id.clone())
        .allowing(arguments.allow.clone())
        .with_own_key_id(arguments.own_key_id.clone())
        .with_limits(limits);
    let running = Gate::new(config, acceptor).start().map_err(Failure::Gate)?;
    let counters = running.counters();
    let console = arguments.console.map(|address| Console::start(address, move || counters.text()));
    let console = console.transpose().map_err(Failure::Gate)?;
    if let Some(console) = &console {
        tracing::info!(console = %console.addr(), "health and metrics");
    }
    asked_to_stop.wait(|| {
        if let Some(console) = &console {
            console.stopping();
        }
        running.stop();
    });
    running.wait();
    if let Some(console) = console {
        console.stop();
    }
    Ok(Outcome::Holds)
}

fn config(arguments: &GateServeArguments) -> Result<GateConfig, Failure> {
    let tls = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => {
            let tls = ServerTls::from_pem(&super::read(certificate)?, &super::read(key)?);
            let told = |error| {
                let message = format!("{} and {}: {error}", certificate.display(), key.display());
                Failure::arguments(message, "give a certificate and its private key, both as PEM")
            };
            Some(tls.map_err(told)?)
        }
        _ => None,
    };
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(GateConfig {
        max_waiting: count(arguments.max_waiting),
        max_open: count(arguments.max_open),
        connect_timeout: super::waited("--connect-timeout", arguments.connect_timeout)?,
        proxy_protocol: arguments.proxy_protocol,
        tls,
        workers: arguments.workers,
        grace: super::waited("--grace", arguments.grace)?,
        ..GateConfig::new(arguments.listen, arguments.upstream.clone())
    })
}

/// Where keys are found, and what keeps them open.
struct Keys {
    // Closed first: who does not find the socket opens the keys.
    _control: Option<ControlServer>,
    // Dropped when the gate has stopped: then it writes what was counted until the end.
    _uses: Option<UseWriter>,
    resolver: Arc<dyn KeyResolver>,
}

impl Keys {
    fn open(arguments: &GateServeArguments) -> Result<Self, Failure> {
        let secret = match (&arguments.secret, &arguments.secret_file, &arguments.config) {
            (Some(secret), ..) => secret.clone(),
            (_, Some(path), _) => SecretText::read(path)?,
            (_, _, Some(path)) => {
                let config = StoreConfig::load(path)?;
                if let ReplayConfig::Postgres(postgres) = &config.replay
                    && let Some((keys, writer)) = database::keys(postgres)?
                {
                    return Ok(Self { _control: None, _uses: Some(writer), resolver: Arc::new(keys) });
                }
                let store = Arc::new(KeyStore::open_sealed(&config.path, database::seal(&config)?)?);
                let control = ControlServer::spawn(Arc::clone(&store), &config.path)?;
                let uses = serve::write_uses(&store)?;
                return Ok(Self { _control: Some(control), _uses: Some(uses), resolver: store });
            }
            (None, None, None) => {
                let hint = "give --secret-file FILE, or -c FILE for the keys of a store";
                return Err(Failure::arguments("there is no key", hint));
            }
        };
        super::warn_of_short(secret.expose().as_bytes());
        let mut key = Key::of(countersign_core::Material::Secret(Secret::new(secret.expose().as_bytes())));
        if let Some(id) = &arguments.key_id {
            key = key.with_id(id);
        }
        let keys = MemoryKeys::new([key]);
        let keys = keys.map_err(|error| Failure::arguments(error.to_string(), "give fewer keys"))?;
        Ok(Self { _control: None, _uses: None, resolver: Arc::new(keys) })
    }
}

/// Each connection takes two files, and most systems allow a process few unless it asks.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, limit = limit.current, "no more open files than this are allowed");
    }
}
