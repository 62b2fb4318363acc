//! The database that a configuration names, opened.

use std::time::Duration;

use countersign_gateway::config::{PostgresConfig, SealSources, StoreConfig};
use countersign_store::Limits;
use countersign_store_embedded::{KeyAccess, Seal, SealKey, SealKeys, SharedKeys, UseWriter};
use countersign_store_postgres::{PostgresKeyTable, PostgresKeys, PostgresOptions, PostgresReplay, Tls};

use crate::failure::Failure;
use crate::secret_source::secret;

/// Opens the replay store.
pub(crate) fn replay(config: &PostgresConfig) -> Result<PostgresReplay, Failure> {
    Ok(PostgresReplay::open(options(config)?)?)
}

/// Opens the keys for a gateway, if they are in the database, and has it written down how they are used.
pub(crate) fn keys(config: &PostgresConfig) -> Result<Option<(PostgresKeys, UseWriter)>, Failure> {
    let Some(seal) = config.seal.as_ref().map(seal_keys).transpose()? else { return Ok(None) };
    let options = options(config)?;
    let keys = PostgresKeys::open(&options, seal, config.keys_stale_after)?;
    let writer = keys.use_writer(&options, UseWriter::INTERVAL)?;
    Ok(Some((keys, writer)))
}

/// Opens the keys for whoever changes them, if they are in the database.
pub(crate) fn key_access(config: &PostgresConfig) -> Result<Option<KeyAccess>, Failure> {
    let Some(seal) = config.seal.as_ref().map(seal_keys).transpose()? else { return Ok(None) };
    let mut options = options(config)?;
    // No request waits for this, but a person who would rather wait than ask again.
    options.deadline = options.deadline.max(PATIENCE);
    let table = PostgresKeyTable::open(&options)?;
    Ok(Some(KeyAccess::Shared(SharedKeys::new(Box::new(table), seal))))
}

/// What the keys in the store's folder are sealed with.
pub(crate) fn seal(config: &StoreConfig) -> Result<Seal, Failure> {
    config.seal.as_ref().map_or(Ok(Seal::Folder), |sources| Ok(Seal::Given(seal_keys(sources)?)))
}

fn seal_keys(sources: &SealSources) -> Result<SealKeys, Failure> {
    let key = |source| Ok::<_, Failure>(SealKey::parse(secret(source)?.expose())?);
    Ok(SealKeys { current: key(&sources.current)?, former: sources.former.as_ref().map(key).transpose()? })
}

fn options(config: &PostgresConfig) -> Result<PostgresOptions, Failure> {
    let tls = config.tls_authorities.clone().map_or(Tls::Off, Tls::Authorities);
    let plain = tls == Tls::Off;
    let mut options = PostgresOptions::at(&config.url, tls)?.with_schema(&config.schema)?;
    if plain && (config.tls == Some(true) || (config.tls.is_none() && !options.is_local())) {
        return Err(Failure::arguments(
            "[store.postgres] has no `tls-authorities`, and its server is not on this machine or `tls` is true",
            "name the file with the authority's certificate; `tls = false` goes without TLS, over a network that is trusted",
        ));
    }
    if let Some(source) = &config.password {
        options = options.with_password(secret(source)?.expose());
    }
    let entries = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    options.limits = Limits { entries: entries(config.entries), entries_per_key: entries(config.entries_per_key) };
    options.deadline = config.deadline;
    Ok(options)
}

const PATIENCE: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_reached_over_tls_unless_told_otherwise() {
        let config = |url: &str, tls| PostgresConfig {
            url: url.to_owned(),
            password: None,
            tls,
            tls_authorities: None,
            seal: None,
            keys_stale_after: Duration::from_secs(5),
            schema: "countersign".to_owned(),
            deadline: Duration::from_secs(1),
            entries: 10,
            entries_per_key: 5,
        };
        assert!(options(&config("postgres://c@db.example.com/x", None)).is_err());
        assert!(options(&config("postgres://c@127.0.0.1/x", Some(true))).is_err());
        assert!(options(&config("postgres://c@db.example.com/x", Some(false))).is_ok());
        assert!(options(&config("postgres://c@127.0.0.1/x", None)).is_ok());
    }
}
