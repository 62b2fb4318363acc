//! The store that several gateways share, opened as a configuration says.

use std::io::Write as _;
use std::path::Path;

use countersign_core::key::Secret;
use countersign_gateway::config::{Config, RedisConfig, RedisMode, ReplayConfig, SecretSource};
use countersign_store_redis::{Address, Beginning, Limits, Login, RedisOptions, RedisReplay, Servers, Tls};

use crate::args::LogFormat;
use crate::args::{SharedArguments, SharedCommand};
use crate::failure::Failure;
use crate::log;
use crate::out::{Outcome, Output};
use crate::secret_source::secret;
use crate::world;

/// `countersign store …`
pub(crate) fn run(arguments: &SharedArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let SharedCommand::Init { config } = &arguments.command;
    let config = Config::load(config)?;
    let ReplayConfig::Redis(redis) = &config.store.replay else {
        let hint = "`kind = \"redis\"` in [store] says that it is; other stores know by themselves that they are new";
        return Err(Failure::arguments("the store of this configuration is not in Redis", hint));
    };
    let _log = log::to_stderr(LogFormat::Text);
    let store = RedisReplay::start(RedisOptions { vouched_new: true, ..options(redis)? })?;
    let Some(beginning) = store.beginning().filter(|_| store.refusal().is_none()) else {
        let why = store.refusal().map_or_else(|| "the store is unavailable".to_owned(), |why| why.to_string());
        let hint = if why.contains("invalid peer certificate") {
            "`tls-authorities` in [store.redis] names the certificates that are trusted; without it, they are the system's"
        } else {
            "start the server, or mend [store.redis], and try again"
        };
        return Err(Failure::arguments(why, hint));
    };
    match beginning {
        Beginning::New => writeln!(out, "the store is new, and ready")?,
        Beginning::Known => writeln!(out, "the store was there already, and is left as it is")?,
        Beginning::Doubted(until) => writeln!(
            out,
            "the store was there already, and may have lost what was accepted: what could have been accepted up to {} is \
             not decided",
            world::instant(until)
        )?,
    }
    Ok(Outcome::Holds)
}

/// Opens it.
pub(crate) fn open(redis: &RedisConfig) -> Result<RedisReplay, Failure> {
    Ok(RedisReplay::start(options(redis)?)?)
}

fn options(redis: &RedisConfig) -> Result<RedisOptions, Failure> {
    let mut addresses = redis.addresses.iter().map(|(host, port)| Address::new(host, *port));
    let servers = match &redis.mode {
        RedisMode::Single => Servers::Single(addresses.next().unwrap_or_else(|| Address::new("127.0.0.1", 6379))),
        RedisMode::Cluster => Servers::Cluster(addresses.collect()),
        RedisMode::Sentinel(master) => Servers::Sentinel {
            sentinels: addresses.collect(),
            master: master.clone(),
            login: login(redis.sentinel_user.as_deref(), redis.sentinel_password.as_ref())?,
        },
    };
    let size = |entries: u32| usize::try_from(entries).unwrap_or(usize::MAX);
    Ok(RedisOptions {
        login: login(redis.user.as_deref(), redis.password.as_ref())?,
        tls: redis.tls.then(|| tls(redis)).transpose()?,
        prefix: redis.prefix.clone(),
        database: redis.database,
        limits: Limits { entries: size(redis.entries), entries_per_key: size(redis.entries_per_key) },
        deadline: redis.deadline,
        replicas: redis.replicas,
        clock_margin: redis.clock_margin,
        ..RedisOptions::at(servers)
    })
}

fn tls(redis: &RedisConfig) -> Result<Tls, Failure> {
    let client = match &redis.tls_client {
        Some((certificate, key)) => Some((read(certificate)?, Secret::new(read(key)?))),
        None => None,
    };
    Ok(Tls { authorities: redis.tls_authorities.as_deref().map(read).transpose()?, client })
}

fn login(user: Option<&str>, password: Option<&SecretSource>) -> Result<Option<Login>, Failure> {
    let Some(source) = password else { return Ok(None) };
    Ok(Some(Login { user: user.map(str::to_owned), password: Secret::new(secret(source)?.expose().as_bytes()) }))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|source| Failure::Unreadable { path: path.to_owned(), source })
}
