//! The database that a configuration names, opened; and secrets from where they are.

use std::process::{Command, Stdio};

use countersign_gateway::config::{PostgresConfig, SecretSource};
use countersign_store::Limits;
use countersign_store_embedded::{KeyAccess, SealKey, SharedKeys};
use countersign_store_postgres::{PostgresKeyTable, PostgresKeys, PostgresOptions, PostgresReplay, Tls};
use zeroize::{Zeroize as _, Zeroizing};

use crate::failure::Failure;
use crate::material::SecretText;

/// Opens the replay store.
pub(crate) fn replay(config: &PostgresConfig) -> Result<PostgresReplay, Failure> {
    Ok(PostgresReplay::open(options(config)?)?)
}

/// Opens the keys for a gateway, if they are in the database.
pub(crate) fn keys(config: &PostgresConfig) -> Result<Option<PostgresKeys>, Failure> {
    let Some(seal_key) = seal_key(config)? else { return Ok(None) };
    Ok(Some(PostgresKeys::open(&options(config)?, seal_key, config.keys_stale_after)?))
}

/// Opens the keys for whoever changes them, if they are in the database.
pub(crate) fn key_access(config: &PostgresConfig) -> Result<Option<KeyAccess>, Failure> {
    let Some(seal_key) = seal_key(config)? else { return Ok(None) };
    let table = PostgresKeyTable::open(&options(config)?)?;
    Ok(Some(KeyAccess::Shared(SharedKeys::new(Box::new(table), seal_key))))
}

fn seal_key(config: &PostgresConfig) -> Result<Option<SealKey>, Failure> {
    let Some(source) = &config.seal_key else { return Ok(None) };
    Ok(Some(SealKey::parse(secret(source)?.expose())?))
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

/// Reads a secret from where it is: the first line, without its end.
pub(crate) fn secret(source: &SecretSource) -> Result<SecretText, Failure> {
    let text = match source {
        SecretSource::File(path) => return Ok(SecretText::read(path)?),
        SecretSource::Environment(name) => std::env::var(name).map(Zeroizing::new).map_err(|_| {
            Failure::arguments(format!("the variable `{name}` is not set, or is not text"), "it is to hold a secret")
        })?,
        SecretSource::Command(words) => printed_by(words)?,
    };
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let from = match source {
            SecretSource::Environment(name) => format!("the variable `{name}`"),
            _ => "the command for a secret".to_owned(),
        };
        return Err(Failure::arguments(format!("{from} gives nothing"), "it is to give a secret"));
    }
    Ok(SecretText::new(line))
}

fn printed_by(words: &[String]) -> Result<Zeroizing<String>, Failure> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::arguments("the command for a secret is empty", "name a program and its arguments"));
    };
    // What it says on standard error is for whoever reads ours.
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| {
        Failure::arguments(format!("`{program}` cannot be run: {error}"), "it is to print a secret")
    })?;
    if !output.status.success() {
        return Err(Failure::arguments(format!("`{program}` failed: {}", output.status), "it is to print a secret"));
    }
    String::from_utf8(output.stdout).map(Zeroizing::new).map_err(|error| {
        error.into_bytes().zeroize();
        Failure::arguments(format!("`{program}` printed what is not text"), "it is to print a secret")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_command(words: &[&str]) -> Result<SecretText, Failure> {
        secret(&SecretSource::Command(words.iter().map(|word| (*word).to_owned()).collect()))
    }

    #[test]
    fn a_command_prints_a_secret_or_there_is_none() {
        assert_eq!(of_command(&["echo", "a secret"]).unwrap().expose(), "a secret");
        for wrong in [&["true"][..], &["false"], &["printf", "\\377"], &["/no/such/program"], &[]] {
            assert!(of_command(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn attack_35_what_a_failing_command_printed_is_not_repeated() {
        let error = of_command(&["sh", "-c", "echo canary; exit 3"]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = secret(&SecretSource::Environment("COUNTERSIGN_NOT_SET".to_owned())).unwrap_err();
        assert!(error.to_string().contains("COUNTERSIGN_NOT_SET"), "{error}");
    }

    #[test]
    fn a_server_elsewhere_is_reached_over_tls_unless_told_otherwise() {
        let config = |url: &str, tls| PostgresConfig {
            url: url.to_owned(),
            password: None,
            tls,
            tls_authorities: None,
            seal_key: None,
            keys_stale_after: std::time::Duration::from_secs(5),
            schema: "countersign".to_owned(),
            deadline: std::time::Duration::from_secs(1),
            entries: 10,
            entries_per_key: 5,
        };
        assert!(options(&config("postgres://c@db.example.com/x", None)).is_err());
        assert!(options(&config("postgres://c@127.0.0.1/x", Some(true))).is_err());
        assert!(options(&config("postgres://c@db.example.com/x", Some(false))).is_ok());
        assert!(options(&config("postgres://c@127.0.0.1/x", None)).is_ok());
    }
}
