//! Where the database is, how to get there, and how much it may hold.

use super::error::PostgresError;
use countersign_store::Limits;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How a connection is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: for a Unix socket, a loopback address, or a network that is trusted.
    Off,
    /// TLS, with a server whose certificate for the host's name comes from one of the authorities in this PEM file.
    Authorities(PathBuf),
}

/// How a database is used.
#[derive(Clone)]
pub struct PostgresOptions {
    pub(crate) config: Config,
    pub(crate) tls: Tls,
    pub(crate) schema: String,
    /// How much it may hold. 10,000,000 entries unless stated.
    pub limits: Limits,
    /// How long a request waits for an answer. One second unless stated.
    pub deadline: Duration,
    /// How many connections there are at most. 4 unless stated.
    pub connections: usize,
}

impl PostgresOptions {
    /// A database at a URL, as in `postgres://user@host:5432/database`, or in PostgreSQL's own words, as in
    /// `host=/run/postgresql user=countersign`.
    pub fn at(url: &str, tls: Tls) -> Result<Self, PostgresError> {
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            // What it says never repeats the URL, which may hold a password.
            PostgresError::Address(error.to_string())
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(PostgresError::Address("it names no host".to_owned()));
        }
        if config.get_user().is_none() {
            return Err(PostgresError::Address("it names no user".to_owned()));
        }
        match (url.contains("sslmode"), &tls) {
            (true, _) => return Err(PostgresError::Address("`sslmode` is said by the store's settings".to_owned())),
            (false, Tls::Off) => config.ssl_mode(SslMode::Disable),
            (false, Tls::Authorities(_)) => config.ssl_mode(SslMode::Require),
        };
        config.application_name("countersign").keepalives_idle(Duration::from_secs(10));
        let (limits, deadline, connections) = (Limits::default(), Duration::from_secs(1), 4);
        Ok(Self { config, tls, schema: "countersign".to_owned(), limits, deadline, connections })
    }

    /// Whether every way to it stays on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let local = |host: &Host| match host {
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            Host::Unix(_) => true,
        };
        self.config.get_hosts().iter().all(local)
            && self.config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
    }

    /// The same with a password, which then does not have to stand in the URL.
    #[must_use]
    pub fn with_password(mut self, password: impl AsRef<[u8]>) -> Self {
        self.config.password(password);
        self
    }

    /// The same in another schema of the database than `countersign`: small letters, digits and `_`.
    pub fn with_schema(mut self, schema: &str) -> Result<Self, PostgresError> {
        let fits = schema.len() <= 63
            && schema.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && schema.starts_with(|first: char| !first.is_ascii_digit())
            && !schema.starts_with("pg_");
        if !fits {
            return Err(PostgresError::Address(format!("{schema:?} cannot be the name of the schema")));
        }
        schema.clone_into(&mut self.schema);
        Ok(self)
    }
}

impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresOptions").field("schema", &self.schema).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_who_and_nothing_of_tls() {
        let at = |url: &str| PostgresOptions::at(url, Tls::Off);
        assert!(at("postgres://u@db.example.com/x").is_ok_and(|options| !options.is_local()));
        for local in ["postgres://u@127.0.0.1/x", "postgres://u@localhost/x", "host=/run/postgresql user=u"] {
            assert!(at(local).unwrap().is_local(), "{local}");
        }
        let mixed = "postgres://u@127.0.0.1,db.example.com/x";
        assert!(!at(mixed).unwrap().is_local());
        for wrong in ["", "postgres://u@/x", "postgres://db/x", "postgres://u@db/x?sslmode=prefer", "db"] {
            assert!(matches!(at(wrong), Err(PostgresError::Address(_))), "{wrong}");
        }
    }

    #[test]
    fn attack_35_a_password_is_not_repeated() {
        let error = PostgresOptions::at("postgres://u:canary@db/x?nonsense=canary", Tls::Off).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
        let options = PostgresOptions::at("postgres://u:canary@db/x", Tls::Off).unwrap();
        assert!(!format!("{options:?}").contains("canary"));
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        let options = || PostgresOptions::at("postgres://u@db/x", Tls::Off).unwrap();
        assert!(options().with_schema("countersign_2").is_ok());
        for wrong in ["", "a b", "A", "x;drop", "pg_x", "1a", "\"a\""] {
            assert!(options().with_schema(wrong).is_err(), "{wrong}");
        }
    }
}
